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
# Eight bits a sample, the whole luma in the first plane.
_LUMA_FIRST = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray")
_scalers = threading.local()


def _scaler(use: Hashable) -> VideoReformatter:
    """One scaler for each thread and use: it keeps its tables as long as sizes stay the same, which saves most of the time.

    Each is to be called with `threads=1`: by itself it takes as many as there are cores, and spends more on waking them
    for every picture than it gains.
    """
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
        return self._upright(_plane(_scaler("full").reformat(self.picture, format="rgb24", threads=1), 3))

    @functools.cached_property
    def luma(self) -> np.ndarray:
        """Grey values, uint8 [H, W]: the codec's own luma, in its own range, where it has one."""
        assert self.picture is not None, "this frame was read without pixels"
        if self.picture.format.name in _LUMA_FIRST:
            return self._upright(_plane(self.picture, 1))
        return self._upright(_plane(_scaler("luma").reformat(self.picture, format="gray", threads=1), 1))

    def scaled(self, width: int, height: int) -> np.ndarray:
        """The upright picture at another size, uint8 BGR [height, width, 3], straight from the codec's own colours."""
        assert self.picture is not None, "this frame was read without pixels"
        across, down = (height, width) if self.quarter_turns % 2 else (width, height)
        scaler = _scaler((across, down))
        # BGR and not RGB: the scaler writes it a fifth faster.
        small = scaler.reformat(self.picture, across, down, format="bgr24", interpolation="FAST_BILINEAR", threads=1)
        return self._upright(_plane(small, 3))

    def _upright(self, pixels: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(pixels, self.quarter_turns)) if self.quarter_turns else pixels


def _plane(picture: av.VideoFrame, channels: int) -> np.ndarray:
    """The first plane of a picture, uint8 [H, W] or [H, W, channels]: a view that keeps the picture alive."""
    plane, width = picture.planes[0], picture.width
    lines = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * picture.height]
    lines = lines.reshape(picture.height, plane.line_size)[:, : channels * width]
    return lines.reshape(picture.height, width, channels) if channels > 1 else lines
