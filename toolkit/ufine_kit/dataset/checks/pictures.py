"""Checks of one picture: it decodes to its last row, is what the columns say, and carries nothing but pixels."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFile

from ufine_kit.dataset.checks.check import checks_of, plain_path, shown
from ufine_kit.dataset.checks.segments import PRIVATE, Extra, extras, scans
from ufine_kit.dataset.look import dhash

if TYPE_CHECKING:
    from ufine_kit.dataset.checks.rows import Seen

# Decoders that hold no programs and start none; only the first two are decoded, the others are named.
NAMED = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
SUFFIXES = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",)}
MOST_SCANS = 100
MOST_NAME = 300
THUMB = (8, 16)  # width, height of the small grey picture that near-duplicates are confirmed by
# What Pillow raises for a picture that is torn or made up; verify() sees neither, so all pixels are decoded.
TORN = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, ZeroDivisionError, MemoryError,
    struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """What the bytes of a picture say. Without `thumb` it was not decoded; `fault` and `bomb` tell why."""

    sha256: str
    format: str = ""
    mode: str = ""
    width: int = 0
    height: int = 0
    dhash: str = ""
    thumb: np.ndarray | None = None
    fault: str | None = None
    bomb: str | None = None
    extras: tuple[Extra, ...] = ()


def look_at(data: bytes, max_pixels: int) -> Picture:
    """Decode a picture whole, unless its header announces more pixels than `max_pixels`."""
    sha256 = hashlib.sha256(data).hexdigest()
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decoded(data, sha256, max_pixels)
    except Image.DecompressionBombError as error:  # Pillow's own limit, met before the size is known to us
        return Picture(sha256, bomb=shown(error))
    except TORN as error:
        return Picture(sha256, fault=shown(error) or type(error).__name__, extras=tuple(extras(data)))


def _decoded(data: bytes, sha256: str, max_pixels: int) -> Picture:
    with Image.open(io.BytesIO(data), formats=NAMED) as image:
        kind, (width, height) = image.format or "", image.size
        bare = Picture(sha256, kind, image.mode, width, height, extras=tuple(extras(data)))
        if width * height > max_pixels:
            return replace(bare, bomb=f"{width} x {height} pixels")
        if scans(data) > MOST_SCANS:
            return replace(bare, bomb=f"{scans(data)} passes over the picture")
        if kind not in SUFFIXES:
            return bare
        grey = image.convert("L")
    thumb = np.asarray(grey.resize(THUMB, Image.Resampling.BOX)).flatten()
    return replace(bare, dhash=dhash(grey), thumb=thumb)


def decodes(seen: Seen) -> Iterator[str]:
    """Every picture decodes to its last row."""
    if seen.pixels.fault:
        yield seen.pixels.fault


def bomb(seen: Seen) -> Iterator[str]:
    """No picture asks for more pixels than `check.max_pixels`, or for thousands of passes."""
    if seen.pixels.bomb:
        yield seen.pixels.bomb


def image_sha256(seen: Seen) -> Iterator[str]:
    """The bytes of every picture have the sha256 of its row."""
    if seen.pixels.sha256 != seen.row["image_sha256"]:
        yield f"the bytes have {seen.pixels.sha256[:12]}, the row says {shown(seen.row['image_sha256'])[:12]}"


def image_format(seen: Seen) -> Iterator[str]:
    """Every picture is a JPEG or PNG, and its file name ends like what it is."""
    kind, name = seen.pixels.format, seen.row["image"]["path"]
    if kind and kind not in SUFFIXES:
        yield f"{kind} is neither JPEG nor PNG"
    elif kind and name and not name.lower().endswith(SUFFIXES[kind]):
        yield f"a {kind} is named `{shown(name)}`"


def image_name(seen: Seen) -> Iterator[str]:
    """The file name in a picture's column stays below its folder, and is spelt in printable signs."""
    name = seen.row["image"]["path"]
    if name is not None and (not plain_path(name) or "\\" in name or ":" in name or len(name) > MOST_NAME):
        yield f"`{shown(name)}`"


def image_mode(seen: Seen) -> Iterator[str]:
    """Every picture has three colour channels (RGB)."""
    if seen.pixels.mode and seen.pixels.mode != "RGB":
        yield f"mode {seen.pixels.mode}"


def image_size(seen: Seen) -> Iterator[str]:
    """The columns `width` and `height` are those of the picture."""
    found, said = (seen.pixels.width, seen.pixels.height), (seen.row["width"], seen.row["height"])
    if found[0] and found != said:
        yield f"{found[0]} x {found[1]} pixels, the row says {said[0]} x {said[1]}"


def image_dhash(seen: Seen) -> Iterator[str]:
    """The column `dhash` is that of the picture."""
    if seen.pixels.dhash and seen.pixels.dhash != seen.row["dhash"]:
        yield f"{seen.pixels.dhash}, the row says {shown(seen.row['dhash'])[:20]}"


def min_side(seen: Seen) -> Iterator[str]:
    """No side of a picture is shorter than `check.min_side_px`."""
    shorter = min(seen.pixels.width, seen.pixels.height)
    if 0 < shorter < seen.table.min_side_px:
        yield f"{seen.pixels.width} x {seen.pixels.height} pixels"


def metadata(seen: Seen) -> Iterator[str]:
    """No picture carries EXIF, GPS, XMP, IPTC, a thumbnail, or bytes after its end."""
    private = [extra.what for extra in seen.pixels.extras if extra.what in PRIVATE]
    if private:
        yield f"carries {', '.join(dict.fromkeys(private))}"


def colour_profile(seen: Seen) -> Iterator[str]:
    """No picture carries an ICC profile: loaders leave it out, and colours are described."""
    if any(extra.what == "ICC" for extra in seen.pixels.extras):
        yield "carries an ICC profile"


def picture_comment(seen: Seen) -> Iterator[str]:
    """No picture carries comments or segments of other programs."""
    other = [extra.what for extra in seen.pixels.extras if extra.what not in PRIVATE and extra.what != "ICC"]
    if other:
        yield f"carries {', '.join(dict.fromkeys(other))}"


def aspect(seen: Seen) -> Iterator[str]:
    """The height of a picture is between `check.min_aspect` and `check.max_aspect` times its width."""
    if seen.pixels.width:
        share = seen.pixels.height / seen.pixels.width
        if not seen.table.min_aspect <= share <= seen.table.max_aspect:
            yield f"{seen.pixels.width} x {seen.pixels.height} pixels"


CHECKS = checks_of(
    "pictures",
    (decodes, bomb, image_sha256, image_format, image_name, image_mode, image_size, image_dhash, min_side, metadata),
    (colour_profile, picture_comment, aspect),
)
