"""What is computed from a crop's pixels while they are at hand: JPEG bytes, sharpness and the difference hash."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

# Luma by ITU-R BT.601, in 1/256, so that it stays in integers.
_LUMA = np.array([77, 150, 29], dtype=np.uint16)


def luma(rgb: np.ndarray) -> np.ndarray:
    """Grey values of uint8 [H, W, 3] as uint8 [H, W]."""
    return ((rgb.astype(np.uint16) @ _LUMA) >> 8).astype(np.uint8)


def sharpness(rgb: np.ndarray) -> float:
    """Variance of the Laplacian (4 neighbours) of the grey picture [H, W, 3]: low where it is blurred, 0 below 3x3."""
    grey = luma(rgb).astype(np.int16)
    if min(grey.shape) < 3:
        return 0.0
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.var(dtype=np.float64))


def encode_jpeg(rgb: np.ndarray, quality: int) -> bytes:
    """JPEG bytes of uint8 [H, W, 3]; the same bytes for the same pixels, quality and Pillow version."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def dhash(jpeg: bytes) -> str:
    """64-bit difference hash of an encoded picture, 16 hex digits: bit set where a pixel is darker than its right neighbour.

    Taken from the stored bytes and not from the frame, so that whoever holds the crop can compute it again.
    """
    with Image.open(io.BytesIO(jpeg)) as image:
        small = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX))
    bits = (small[:, :-1] < small[:, 1:]).flatten()
    return np.packbits(bits).tobytes().hex()


def load_rgb(path: Path) -> np.ndarray | None:
    """A picture file as uint8 [H, W, 3], upright by its EXIF mark; None where it does not decode."""
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
