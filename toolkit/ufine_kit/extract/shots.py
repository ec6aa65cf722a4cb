"""Shot boundaries: where the picture changes at once and for good, tracklets end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ufine_kit.extract.frames import Frame

# Pictures are compared at this size: small enough to cost little and to be blind to people who merely walk.
_WIDTH, _HEIGHT = 32, 18
# A cut must also stand out this many times from the changes just before it: camera shake and crowds change all the time.
_TIMES_USUAL = 3.0
_USUAL_FRAMES = 12


def mark_shots(frames: Iterator[Frame], threshold: float) -> Iterator[Frame]:
    """The same frames, the first of each shot marked. One frame late: a change that is taken back at once was a flash.

    `threshold` is the mean change of the colour channels of the small picture (0 to 255) that a cut makes at least; 0: off.
    """
    if threshold <= 0:
        yield from frames
        return
    shot = _Shot(threshold)
    held: tuple[Frame, np.ndarray] | None = None
    for frame in frames:
        small = frame.scaled(_WIDTH, _HEIGHT).astype(np.int16)
        if held is not None:
            yield shot.judge(*held, small)
        held = frame, small
    if held is not None:
        yield shot.judge(*held, None)


class _Shot:
    """What the shot at hand has looked like so far."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._last: np.ndarray | None = None
        self._usual: deque[float] = deque(maxlen=_USUAL_FRAMES)

    def judge(self, frame: Frame, small: np.ndarray, after: np.ndarray | None) -> Frame:
        """The frame, marked if a shot begins with it. A flash is passed over: what follows is compared with what was before."""
        last = self._last
        if last is None:
            self._last = small
            return frame
        change = _change(last, small)
        wanted = max(self._threshold, _TIMES_USUAL * (sum(self._usual) / len(self._usual) if self._usual else 0.0))
        if change <= wanted:
            self._last = small
            self._usual.append(change)
            return frame
        if after is not None and _change(last, after) <= wanted / 2:
            return frame
        self._last = small
        self._usual.clear()
        return replace(frame, starts_shot=True)


def _change(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())
