"""Crops that may be kept, as pixels: a JPEG is made of those that are kept, and early only where pixels fill the memory."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ufine_kit.dataset.look import encode_jpeg, facts_of

# Pixels that wait for a verdict, of all tracklets together: a crowd in a large video has more, and is encoded early.
_WAITING_BYTES = 16 * 2**20
# Encodings that have begun and not ended: a bound on memory where pictures come faster than JPEGs.
_ENCODING_AT_MOST = 64


@dataclass(eq=False)
class Picture:
    """One crop: `pixels` until its encoding begins, then the promise of its JPEG bytes and of what is read off them."""

    pixels: np.ndarray | None
    developed: Future[tuple[bytes, dict[str, Any]]] | None = None


class Pictures:
    """All pictures of a segment that may be kept. When they are encoded changes nothing in their bytes."""

    def __init__(self, pool: ThreadPoolExecutor, jpeg_quality: int, waiting_bytes: int = _WAITING_BYTES) -> None:
        self._pool = pool
        self._jpeg_quality = jpeg_quality
        self._waiting_bytes = waiting_bytes
        self._waiting: dict[Picture, int] = {}  # in the order of coming, with their bytes
        self._bytes = 0
        self._encoding: deque[Future[Any]] = deque()

    def hold(self, pixels: np.ndarray) -> Picture:
        """A picture of uint8 RGB [H, W, 3]; the oldest are encoded where this one does not fit beside them."""
        picture = Picture(pixels)
        self._waiting[picture] = pixels.nbytes
        self._bytes += pixels.nbytes
        while self._bytes > self._waiting_bytes:
            self.develop(next(iter(self._waiting)))
        return picture

    def drop(self, picture: Picture) -> None:
        """It will not be kept."""
        self._bytes -= self._waiting.pop(picture, 0)

    def develop(self, picture: Picture) -> Future[tuple[bytes, dict[str, Any]]]:
        """Begin its encoding, if that has not begun: JPEG bytes, and their sharpness and dhash."""
        if picture.developed is None:
            assert picture.pixels is not None
            self.drop(picture)
            while len(self._encoding) >= _ENCODING_AT_MOST:
                self._encoding.popleft().result()
            picture.developed = self._pool.submit(_developed, picture.pixels, self._jpeg_quality)
            picture.pixels = None
            self._encoding.append(picture.developed)
        return picture.developed


def _developed(pixels: np.ndarray, jpeg_quality: int) -> tuple[bytes, dict[str, Any]]:
    jpeg = encode_jpeg(pixels, jpeg_quality)
    return jpeg, facts_of(jpeg)
