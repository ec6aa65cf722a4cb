"""The kit's own tracker, after ByteTrack (Zhang et al., ECCV 2022, arXiv 2110.06864): by motion alone, no vendor.

Sure boxes are matched first, then unsure ones to tracks that are still in sight; a new person must be seen twice.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ufine_kit.extract.assign import assign
from ufine_kit.extract.frames import Frame
from ufine_kit.extract.mot import CONFIDENCE

# Standard deviations as shares of the height: of a place, of a speed a frame (DeepSORT, arXiv 1703.07402, and its heirs).
_PLACE, _SPEED = 1 / 20, 1 / 160
# The aspect hardly changes: deviations of the filter's start and steps, and of a measurement, in units of the aspect.
_ASPECT, _ASPECT_SPEED, _ASPECT_MEASURED = 1e-2, 1e-5, 1e-1
_SECOND_LIMIT, _NEW_LIMIT = 0.5, 0.7
_SAME = 0.15  # two tracks this near (1 - IoU) are one person


@dataclass(frozen=True)
class ByteSettings:
    """`sure` boxes begin tracks, boxes above `unsure` prolong them; `match_limit` is the largest 1 - IoU * confidence."""

    sure: float = 0.6
    unsure: float = 0.1
    match_limit: float = 0.9
    lost_frames: int = 30


def byte_settings(preset: str, fps: float, lost_seconds: float) -> ByteSettings:
    """`library`: the settings of the published tracker; `strict`: nearer matches, and the unseen are given up soon."""
    if preset == "library":
        return ByteSettings()
    return ByteSettings(match_limit=0.7, lost_frames=max(1, round(lost_seconds * fps)))


@dataclass
class _Tracks:
    """All tracks of a shot, a row each. A state is centre x, centre y, aspect, height: four filters of place and speed."""

    place: np.ndarray  # [n, 4]
    speed: np.ndarray  # [n, 4]
    variance: np.ndarray  # of the place, [n, 4]
    covariance: np.ndarray  # of place and speed, [n, 4]
    speed_variance: np.ndarray  # [n, 4]
    identity: np.ndarray  # [n]
    confidence: np.ndarray  # [n]
    first: np.ndarray  # frame of the first box, [n]
    last: np.ndarray  # frame of the last box, [n]
    confirmed: np.ndarray  # [n]
    lost: np.ndarray  # [n]

    def rows(self, which: np.ndarray) -> _Tracks:
        return _Tracks(*(getattr(self, field.name)[which] for field in fields(self)))

    def and_rows(self, other: _Tracks) -> _Tracks:
        return _Tracks(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)))

    @property
    def boxes(self) -> np.ndarray:
        """x, y, w, h, [n, 4]."""
        size = np.column_stack([self.place[:, 2] * self.place[:, 3], self.place[:, 3]])
        return np.hstack([self.place[:, :2] - size / 2, size])


class ByteTracker:
    """State of one shot."""

    def __init__(self, settings: ByteSettings) -> None:
        self._settings = settings
        self._tracks = _begun(np.zeros((0, 6)), 0, 0)
        self._frame = 0
        self._next = 1

    def update(self, frame: Frame, boxes: np.ndarray) -> np.ndarray:
        """Boxes of a frame [n, 6] in; the boxes of confirmed tracks seen in it [m, 6] out, filtered, with ids from 1."""
        self._frame += 1
        settings, tracks = self._settings, self._tracks
        _predict(tracks)
        sure = boxes[boxes[:, CONFIDENCE] >= settings.sure]
        unsure = boxes[(boxes[:, CONFIDENCE] > settings.unsure) & (boxes[:, CONFIDENCE] < settings.sure)]
        met = np.zeros(len(tracks.identity), dtype=bool)
        free = self._match(np.flatnonzero(tracks.confirmed), sure, settings.match_limit, True, met)
        self._match(np.flatnonzero(tracks.confirmed & ~tracks.lost & ~met), unsure, _SECOND_LIMIT, False, met)
        free = sure[free]
        free = free[self._match(np.flatnonzero(~tracks.confirmed), free, _NEW_LIMIT, True, met)]
        tracks.lost = ~met
        kept = met | (tracks.confirmed & (self._frame - tracks.last <= settings.lost_frames))
        fresh = _begun(free, self._frame, self._next)
        self._next += len(free)
        self._tracks = _without_doubles(tracks.rows(kept).and_rows(fresh))
        shown = self._tracks.rows(self._tracks.confirmed & ~self._tracks.lost)
        return np.column_stack([shown.boxes, shown.confidence, shown.identity])

    def is_over(self, identity: int, unseen_frames: int, frame: Frame) -> bool:
        """Whether an id was given up."""
        return unseen_frames > self._settings.lost_frames + 1

    def _match(self, which: np.ndarray, boxes: np.ndarray, limit: float, fuse: bool, met: np.ndarray) -> np.ndarray:
        """Match some tracks with boxes, update those that are met, and return the indices of the boxes left over."""
        left = np.ones(len(boxes), dtype=bool)
        if len(which) and len(boxes):
            near = _iou(self._tracks.boxes[which], boxes)
            pairs = assign(1 - near * boxes[:, CONFIDENCE] if fuse else 1 - near, limit)
            if pairs:
                rows, columns = np.array(pairs).T
                _measure(self._tracks, which[rows], boxes[columns], self._frame)
                met[which[rows]] = True
                left[columns] = False
        return np.flatnonzero(left)


def _begun(boxes: np.ndarray, frame: int, first_id: int) -> _Tracks:
    """Tracks of new boxes. Those of the first frame are believed at once, others when seen again."""
    count, place = len(boxes), _states(boxes)
    height = place[:, 3:]
    variance = np.repeat((2 * _PLACE * height) ** 2, 4, axis=1)
    speed_variance = np.repeat((10 * _SPEED * height) ** 2, 4, axis=1)
    variance[:, 2], speed_variance[:, 2] = _ASPECT**2, _ASPECT_SPEED**2
    return _Tracks(
        place, np.zeros((count, 4)), variance, np.zeros((count, 4)), speed_variance,
        first_id + np.arange(count), boxes[:, CONFIDENCE].copy(), np.full(count, frame), np.full(count, frame),
        np.full(count, frame == 1), np.zeros(count, dtype=bool),
    )  # fmt: skip


def _states(boxes: np.ndarray) -> np.ndarray:
    return np.column_stack([boxes[:, :2] + boxes[:, 2:4] / 2, boxes[:, 2] / boxes[:, 3], boxes[:, 3]])


def _predict(tracks: _Tracks) -> None:
    """One frame on. A lost person's height stays: a box that grows unseen would meet anybody."""
    tracks.speed[tracks.lost, 3] = 0
    height = tracks.place[:, 3:]
    place_step, speed_step = np.repeat((_PLACE * height) ** 2, 4, axis=1), np.repeat((_SPEED * height) ** 2, 4, axis=1)
    place_step[:, 2], speed_step[:, 2] = _ASPECT**2, _ASPECT_SPEED**2
    tracks.place += tracks.speed
    tracks.variance += 2 * tracks.covariance + tracks.speed_variance + place_step
    tracks.covariance += tracks.speed_variance
    tracks.speed_variance += speed_step


def _measure(tracks: _Tracks, which: np.ndarray, boxes: np.ndarray, frame: int) -> None:
    """The filters' update with the boxes of their tracks: place and speed move by their shares of the surprise."""
    noise = np.repeat((_PLACE * tracks.place[which, 3:]) ** 2, 4, axis=1)
    noise[:, 2] = _ASPECT_MEASURED**2
    total = tracks.variance[which] + noise
    gain, speed_gain = tracks.variance[which] / total, tracks.covariance[which] / total
    surprise = _states(boxes) - tracks.place[which]
    tracks.place[which] += gain * surprise
    tracks.speed[which] += speed_gain * surprise
    tracks.speed_variance[which] -= speed_gain * tracks.covariance[which]
    tracks.covariance[which] *= 1 - gain
    tracks.variance[which] *= 1 - gain
    tracks.confidence[which], tracks.last[which], tracks.confirmed[which] = boxes[:, CONFIDENCE], frame, True


def _without_doubles(tracks: _Tracks) -> _Tracks:
    """Of a track in sight and a lost one at the same place, the longer one stays."""
    seen, lost = np.flatnonzero(~tracks.lost & tracks.confirmed), np.flatnonzero(tracks.lost)
    if not len(seen) or not len(lost):
        return tracks
    boxes, length = tracks.boxes, tracks.last - tracks.first
    kept = np.ones(len(tracks.identity), dtype=bool)
    for i, j in zip(*np.nonzero(1 - _iou(boxes[seen], boxes[lost]) < _SAME), strict=True):
        kept[lost[j] if length[seen[i]] > length[lost[j]] else seen[i]] = False
    return tracks.rows(kept)


def _iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union of xywh boxes [n, >=4] and [m, >=4], [n, m]."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, :2] + one[:, None, 2:4], other[None, :, :2] + other[None, :, 2:4])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    return shared / (one[:, 2:4].prod(axis=1)[:, None] + other[:, 2:4].prod(axis=1)[None] - shared)
