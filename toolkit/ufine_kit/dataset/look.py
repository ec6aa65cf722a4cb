"""What is computed from a crop's pixels while they are at hand: JPEG bytes, sharpness and the difference hash."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps


def sharpness(grey: np.ndarray, rows: int | None = None) -> float:
    """Variance of the Laplacian (4 neighbours) of a grey picture, uint8 [H, W]: low where it is blurred, 0 below 3x3.

    With `rows` only about that many rows of it are taken, evenly spread: an estimate for choosing among many.
    """
    if min(grey.shape) < 3:
        return 0.0
    step = max(1, (grey.shape[0] - 2) // rows) if rows else 1
    end = grey.shape[0] - 1
    middle = grey[1:end:step].astype(np.int16)
    beside = middle[:, :-2] + middle[:, 2:] - 4 * middle[:, 1:-1]
    laplacian = beside + grey[0 : end - 1 : step, 1:-1] + grey[2::step, 1:-1]
    return float(laplacian.var(dtype=np.float64))


def encode_jpeg(rgb: np.ndarray, quality: int) -> bytes:
    """JPEG bytes of uint8 [H, W, 3]; the same bytes for the same pixels, quality and Pillow version."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def facts_of(jpeg: bytes) -> dict[str, Any]:
    """Sharpness and dhash of an encoded crop, from the stored bytes: whoever holds the crop can compute them again."""
    with Image.open(io.BytesIO(jpeg)) as image:
        grey = image.convert("L")
    return {"sharpness": sharpness(np.asarray(grey)), "dhash": dhash(grey)}


def dhash(grey: Image.Image) -> str:
    """64-bit difference hash of a grey picture, 16 hex digits: a bit is set where a cell is darker than its right neighbour."""
    small = np.asarray(grey.resize((9, 8), Image.Resampling.BOX))
    bits = (small[:, :-1] < small[:, 1:]).flatten()
    return np.packbits(bits).tobytes().hex()


def load_rgb(path: Path) -> np.ndarray | None:
    """A picture file as uint8 [H, W, 3], upright by its EXIF mark; None where it does not decode."""
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
