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
    before: np.ndarray | None = None  # the small picture before the frame that is being judged
    judged: tuple[Frame, np.ndarray] | None = None
    usual: deque[float] = deque(maxlen=_USUAL_FRAMES)
    for frame in frames:
        small = frame.scaled(_WIDTH, _HEIGHT, rough=True).astype(np.int16)
        if judged is not None:
            yield _judged(judged, before, small, threshold, usual)
            before = judged[1]
        judged = frame, small
    if judged is not None:
        yield _judged(judged, before, None, threshold, usual)


def _judged(
    judged: tuple[Frame, np.ndarray],
    before: np.ndarray | None,
    after: np.ndarray | None,
    threshold: float,
    usual: deque[float],
) -> Frame:
    frame, small = judged
    if before is None:
        return frame
    change = _change(before, small)
    wanted = max(threshold, _TIMES_USUAL * (sum(usual) / len(usual) if usual else 0.0))
    lasting = after is None or _change(before, after) > wanted / 2
    if change > wanted and lasting:
        usual.clear()
        return replace(frame, starts_shot=True)
    usual.append(change)
    return frame


def _change(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())
