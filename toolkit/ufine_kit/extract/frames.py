"""One decoded frame, upright, turned into pixels only where somebody asks for them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import av
    from av.video.reformatter import VideoReformatter


_SCALERS_AT_MOST = 8
_scalers = threading.local()


def _scaler(use: Hashable) -> VideoReformatter:
    """One scaler for each thread and use: it keeps its tables as long as sizes stay the same, which saves most of the time."""
    from av.video.reformatter import VideoReformatter

    found = vars(_scalers).setdefault("by_use", {})
    if use not in found:
        if len(found) >= _SCALERS_AT_MOST:
            found.clear()
        found[use] = VideoReformatter()
    return found[use]


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame of a video. `width` and `height` are those of the upright picture, `index` counts decoded frames from 0.

    `picture` is None where only boxes are wanted. `quarter_turns` (counter-clockwise) make the picture upright.
    """

    index: int
    seconds: float
    width: int
    height: int
    picture: av.VideoFrame | None = None
    quarter_turns: int = 0
    starts_shot: bool = False

    @functools.cached_property
    def rgb(self) -> np.ndarray:
        """All pixels, uint8 [H, W, 3]. Converted at the first look, then kept as long as the frame."""
        assert self.picture is not None, "this frame was read without pixels"
        return self._upright(_scaler("full").reformat(self.picture, format="rgb24").to_ndarray())

    @functools.cached_property
    def luma(self) -> np.ndarray:
        """Grey values, uint8 [H, W], from the codec's own luma where it has one."""
        assert self.picture is not None, "this frame was read without pixels"
        return self._upright(_scaler("luma").reformat(self.picture, format="gray").to_ndarray())

    def scaled(self, width: int, height: int) -> np.ndarray:
        """The upright picture at another size, uint8 [height, width, 3], straight from the codec's own colours."""
        assert self.picture is not None, "this frame was read without pixels"
        across, down = (height, width) if self.quarter_turns % 2 else (width, height)
        scaler = _scaler((across, down))
        small = scaler.reformat(self.picture, across, down, format="rgb24", interpolation="FAST_BILINEAR")
        plane = small.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(
            down, plane.line_size
        )  # a view: it keeps the picture alive
        return self._upright(rows[:, : 3 * across].reshape(down, across, 3))

    def _upright(self, pixels: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(pixels, self.quarter_turns)) if self.quarter_turns else pixels
