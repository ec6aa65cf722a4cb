"""One picture file looked at: does it decode to its end, how large is it, what is its difference hash, what else it says."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

from PIL import Image

from ufine_kit.dataset.look import dhash
from ufine_kit.release.importing import metadata
from ufine_kit.release.importing.findings import Refused

# Formats that Pillow may try, with the ending of their files; anything else in a person dataset is a mistake or an attack.
ENDINGS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "BMP": "bmp", "WEBP": "webp"}
# Of a picture that shows one person: a whole frame of a 4K film has 8.3 million.
MOST_PIXELS = 20_000_000
# What a decoder may raise for bytes that somebody shaped; Pillow documents only the first three.
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, struct.error, zlib.error, EOFError,
              IndexError, KeyError, TypeError, OverflowError, MemoryError)  # fmt: skip


@dataclass(frozen=True)
class Looked:
    """What a picture's bytes say."""

    ending: str
    width: int
    height: int
    dhash: str
    metadata: frozenset[str]


def look(content: bytes, most_pixels: int = MOST_PIXELS) -> Looked:
    """Decode a picture whole. Raises Refused: `format`, `oversized` (told by its header, before a pixel) or `broken`."""
    try:
        with Image.open(io.BytesIO(content), formats=[name for name in ENDINGS if name != "MPO"]) as image:
            width, height = image.size
            if width * height > most_pixels:
                raise Refused("oversized", f"{width}x{height} pixels")
            ending = ENDINGS[image.format or ""]
            hashed = dhash(image.convert("L"))
    except Image.UnidentifiedImageError:
        raise Refused("format", "no JPEG, PNG, BMP or WebP") from None
    except Image.DecompressionBombError:
        raise Refused("oversized", "more pixels than any camera takes") from None
    except UNREADABLE as error:
        raise Refused("broken", (str(error).splitlines() or [type(error).__name__])[0][:120]) from None
    return Looked(ending, width, height, hashed, metadata.found(content))
