"""Tracking: boxes with local ids that are never used twice in a segment, each shot with a tracker of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ufine_kit import crash
from ufine_kit.adapters.boxmot import BoxmotTracker
from ufine_kit.extract.detect import Detected
from ufine_kit.extract.frames import Frame
from ufine_kit.extract.geometry import largest_iou
from ufine_kit.extract.mot import CONFIDENCE, ID, BoxFile


class Tracker(Protocol):
    """State of one shot: fed frame by frame."""

    def update(self, frame: Frame, boxes: np.ndarray) -> np.ndarray:
        """Boxes of this frame [n, 6] (see `mot`) in, tracked boxes [m, 6] with the tracker's own ids out."""
        ...

    def is_over(self, identity: int, unseen_frames: int, frame: Frame) -> bool:
        """Whether an id that was not seen for that many frames can no longer come back."""
        ...


@dataclass(frozen=True, eq=False)
class Tracked:
    """Tracked boxes of one frame, float64 [m, 6], column ID holding local ids; and the local ids that ended before it."""

    frame: Frame
    boxes: np.ndarray
    ended: list[int]


@dataclass
class _Ids:
    """Tracker ids of the shot at hand -> local ids of the segment. Trackers start again at 0 or 1: ours go on."""

    keep: bool
    next_free: int
    local: dict[int, int] = field(default_factory=dict[int, int])
    used: set[int] = field(default_factory=set[int])

    def of(self, identity: int) -> int:
        """The local id of a tracker's id; a given id keeps its number where it is still free."""
        if identity not in self.local:
            if self.keep and identity not in self.used:
                number = identity
            else:
                number = self.next_free
                self.next_free += 1
            self.local[identity] = number
            self.used.add(number)
        return self.local[identity]


def follow(
    detected: Iterator[Detected],
    open_tracker: Callable[[], Tracker],
    given: BoxFile | None = None,
    meet_iou: float = 0.0,
) -> Iterator[Tracked]:
    """Track a segment. At a shot boundary all tracklets end and a fresh tracker begins.

    With `given` (the `file` tracker) local ids are the file's own, as long as a shot boundary does not split one. With
    `meet_iou` a tracklet ends where its box meets another one that far, and a new one begins when they part: identities
    are swapped there and almost nowhere else. 0: off.
    """
    ids = _Ids(keep=given is not None, next_free=given.highest_id + 1 if given else 1)
    tracker = open_tracker()
    unseen: dict[int, int] = {}  # tracker id -> frames since it was seen
    meeting: set[int] = set()
    for item in detected:
        ended: list[int] = []
        if item.frame.starts_shot:
            ended = list(ids.local.values())
            unseen.clear()
            ids.local.clear()
            meeting.clear()
            tracker = open_tracker()
        boxes = tracker.update(item.frame, item.boxes)
        crash.point("extract.track")
        now = [int(identity) for identity in boxes[:, ID]]
        for identity in unseen:
            unseen[identity] += 1
        unseen.update(dict.fromkeys(now, 0))
        over = [i for i, frames in unseen.items() if frames and tracker.is_over(i, frames, item.frame)]
        for identity in over:
            del unseen[identity]
        for identity in over + (_met_or_parted(boxes, now, meeting, meet_iou) if meet_iou else []):
            if identity in ids.local:
                ended.append(ids.local.pop(identity))
        boxes[:, ID] = [ids.of(identity) for identity in now]
        yield Tracked(item.frame, boxes, ended)


def _met_or_parted(boxes: np.ndarray, now: list[int], meeting: set[int], meet_iou: float) -> list[int]:
    """Ids that meet another from this frame on, or have parted; parted is below half of `meet_iou`. Changes `meeting`."""
    closest = largest_iou(boxes)
    changed = [
        i for i, iou in zip(now, closest, strict=True) if (iou < meet_iou / 2 if i in meeting else iou >= meet_iou)
    ]
    meeting.symmetric_difference_update(changed)
    return changed


class GivenIds:
    """The `file` tracker: ids as they stand in the box file; boxes without an id are dropped."""

    def __init__(self, given: BoxFile) -> None:
        self._last = given.last_frame_of_id

    def update(self, frame: Frame, boxes: np.ndarray) -> np.ndarray:
        """Boxes that have an id, each id once a frame (the surest box)."""
        boxes = boxes[boxes[:, ID] >= 0]
        boxes = boxes[np.argsort(-boxes[:, CONFIDENCE], kind="stable")]
        _, first = np.unique(boxes[:, ID], return_index=True)
        return boxes[first].copy()

    def is_over(self, identity: int, unseen_frames: int, frame: Frame) -> bool:
        """An id is over after the last frame that the file has for it."""
        return frame.index >= self._last.get(identity, -1)


class LibraryTracker:
    """A tracker of a library: what it wants of a frame is asked of the frame."""

    def __init__(self, tracker: BoxmotTracker) -> None:
        self._tracker = tracker

    def update(self, frame: Frame, boxes: np.ndarray) -> np.ndarray:
        """Tracked boxes with the library's ids."""
        return self._tracker.update(boxes, (frame.height, frame.width), lambda: frame.rgb)

    def is_over(self, identity: int, unseen_frames: int, frame: Frame) -> bool:
        """Whether the library has let go of the id."""
        return self._tracker.is_over(unseen_frames)
