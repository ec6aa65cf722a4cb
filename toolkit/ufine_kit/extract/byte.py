"""The kit's own tracker, after ByteTrack (Zhang et al., ECCV 2022, arXiv 2110.06864): by motion alone, no vendor.

Sure boxes are matched first, then unsure ones to tracks that are still in sight; a new person must be seen twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ufine_kit.extract.assign import assign
from ufine_kit.extract.frames import Frame
from ufine_kit.extract.mot import CONFIDENCE

# Standard deviations as shares of the height: of a place, of a speed a frame (DeepSORT, arXiv 1703.07402, and its heirs).
_PLACE, _SPEED = 1 / 20, 1 / 160
# The aspect hardly changes: deviations of the filter's start and steps, and of a measurement, in units of the aspect.
_ASPECT, _ASPECT_SPEED, _ASPECT_MEASURED = 1e-2, 1e-5, 1e-1
# Variances of centre x, centre y, aspect, height are `height ** 2 * _BY_HEIGHT * share ** 2 + _OF_ASPECT * deviation ** 2`.
_BY_HEIGHT, _OF_ASPECT = np.array([1.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 0.0])
_PLACE_STEP, _SPEED_STEP = _BY_HEIGHT * _PLACE**2, _BY_HEIGHT * _SPEED**2
_ASPECT_STEP, _ASPECT_SPEED_STEP = _OF_ASPECT * _ASPECT**2, _OF_ASPECT * _ASPECT_SPEED**2
_ASPECT_NOISE = _OF_ASPECT * _ASPECT_MEASURED**2
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


# Columns of `_Tracks.facts`: frames are those of the first and of the last box; the last two are 0 or 1.
_IDENTITY, _SURE, _FIRST, _LAST, _CONFIRMED, _LOST = range(6)


@dataclass
class _Tracks:
    """All tracks of a shot, a row each, in two tables: few arrays move when tracks come and go.

    A state is centre x, centre y, aspect, height: four filters of place and speed.
    """

    filters: np.ndarray  # [n, 5, 4]: place, speed, variance of the place, covariance of both, variance of the speed
    facts: np.ndarray  # [n, 6]

    def rows(self, which: np.ndarray) -> _Tracks:
        return self if which.all() else _Tracks(self.filters[which], self.facts[which])

    def and_rows(self, other: _Tracks) -> _Tracks:
        if not len(other.facts):
            return self
        return _Tracks(np.concatenate([self.filters, other.filters]), np.concatenate([self.facts, other.facts]))

    @property
    def boxes(self) -> np.ndarray:
        """x, y, w, h, [n, 4]."""
        place = self.filters[:, 0]
        found = place.copy()
        found[:, 2] *= place[:, 3]
        found[:, :2] -= found[:, 2:] / 2
        return found


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
        tracks = self._tracks
        _predict(tracks)
        met, free = self._matched(boxes)
        facts = tracks.facts
        facts[:, _LOST] = ~met
        kept = met | ((facts[:, _CONFIRMED] > 0) & (self._frame - facts[:, _LAST] <= self._settings.lost_frames))
        fresh = _begun(boxes[free], self._frame, self._next)
        self._next += len(free)
        self._tracks = _without_doubles(tracks.rows(kept).and_rows(fresh))
        shown = self._tracks.rows((self._tracks.facts[:, _CONFIRMED] > 0) & (self._tracks.facts[:, _LOST] == 0))
        found = np.empty((len(shown.facts), 6))
        found[:, :4], found[:, 4], found[:, 5] = shown.boxes, shown.facts[:, _SURE], shown.facts[:, _IDENTITY]
        return found

    def is_over(self, identity: int, unseen_frames: int, frame: Frame) -> bool:
        """Whether an id was given up."""
        return unseen_frames > self._settings.lost_frames + 1

    def _matched(self, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Match predicted tracks with boxes and update those that are met: which were [n], and which boxes begin tracks."""
        settings, tracks, confidence = self._settings, self._tracks, boxes[:, CONFIDENCE]
        is_sure = confidence >= settings.sure
        sure, unsure = np.flatnonzero(is_sure), np.flatnonzero((confidence > settings.unsure) & ~is_sure)
        met = np.zeros(len(tracks.facts), dtype=bool)
        if not len(met) or not len(boxes):
            return met, sure
        confirmed, lost = tracks.facts[:, _CONFIRMED] > 0, tracks.facts[:, _LOST] > 0
        near = _iou(tracks.boxes, boxes)
        pairs, unlike = list[tuple[int, int]](), 1 - near * confidence
        free = _match(unlike, np.flatnonzero(confirmed), sure, settings.match_limit, met, pairs)
        if len(unsure):
            _match(1 - near, np.flatnonzero(confirmed & ~lost & ~met), unsure, _SECOND_LIMIT, met, pairs)
        free = _match(unlike, np.flatnonzero(~confirmed), free, _NEW_LIMIT, met, pairs)
        if pairs:
            which, found = np.array(pairs).T
            _measure(tracks, which, boxes[found], self._frame)
        return met, free


def _match(
    cost: np.ndarray,
    which: np.ndarray,
    columns: np.ndarray,
    limit: float,
    met: np.ndarray,
    pairs: list[tuple[int, int]],
) -> np.ndarray:
    """Add to `pairs` those of some tracks and some boxes, mark the tracks in `met`, and return the boxes left over."""
    if not len(which) or not len(columns):
        return columns
    found = assign(cost[which[:, None], columns], limit)
    if not found:
        return columns
    rows, taken = (list(side) for side in zip(*found, strict=True))
    pairs += zip(which[rows].tolist(), columns[taken].tolist(), strict=True)
    met[which[rows]] = True
    return np.delete(columns, taken)


def _begun(boxes: np.ndarray, frame: int, first_id: int) -> _Tracks:
    """Tracks of new boxes. Those of the first frame are believed at once, others when seen again."""
    count = len(boxes)
    filters, facts = np.zeros((count, 5, 4)), np.zeros((count, 6))
    if count:
        place = _states(boxes)
        square = place[:, 3:] ** 2
        filters[:, 0] = place
        filters[:, 2], filters[:, 4] = 4 * square * _PLACE_STEP, 100 * square * _SPEED_STEP
        filters[:, 2] += _ASPECT_STEP
        filters[:, 4] += _ASPECT_SPEED_STEP
        facts[:, _IDENTITY], facts[:, _SURE] = first_id + np.arange(count), boxes[:, CONFIDENCE]
        facts[:, _FIRST], facts[:, _LAST], facts[:, _CONFIRMED] = frame, frame, frame == 1
    return _Tracks(filters, facts)


def _states(boxes: np.ndarray) -> np.ndarray:
    found = boxes[:, :4].copy()
    found[:, :2] += found[:, 2:] / 2
    found[:, 2] /= found[:, 3]
    return found


def _predict(tracks: _Tracks) -> None:
    """One frame on. A lost person's height stays: a box that grows unseen would meet anybody."""
    place, speed, variance, covariance, speed_variance = tracks.filters.transpose(1, 0, 2)  # [n, 4] each, in place
    speed[:, 3] *= 1 - tracks.facts[:, _LOST]
    square = place[:, 3:] ** 2
    place += speed
    variance += 2 * covariance + speed_variance + square * _PLACE_STEP + _ASPECT_STEP
    covariance += speed_variance
    speed_variance += square * _SPEED_STEP + _ASPECT_SPEED_STEP


def _measure(tracks: _Tracks, which: np.ndarray, boxes: np.ndarray, frame: int) -> None:
    """The filters' update with the boxes of their tracks: place and speed move by their shares of the surprise."""
    filters, facts = tracks.filters[which], tracks.facts[which]
    place, speed, variance, covariance, speed_variance = filters.transpose(1, 0, 2)  # [k, 4] each, in place
    total = variance + place[:, 3:] ** 2 * _PLACE_STEP + _ASPECT_NOISE
    gain, speed_gain = variance / total, covariance / total
    surprise = _states(boxes) - place
    place += gain * surprise
    speed += speed_gain * surprise
    speed_variance -= speed_gain * covariance
    covariance *= 1 - gain
    variance *= 1 - gain
    facts[:, _SURE], facts[:, _LAST], facts[:, _CONFIRMED] = boxes[:, CONFIDENCE], frame, 1
    tracks.filters[which], tracks.facts[which] = filters, facts


def _without_doubles(tracks: _Tracks) -> _Tracks:
    """Of a track in sight and a lost one at the same place, the longer one stays."""
    facts = tracks.facts
    is_lost = facts[:, _LOST] > 0
    if not is_lost.any():
        return tracks
    seen, lost = np.flatnonzero(~is_lost & (facts[:, _CONFIRMED] > 0)), np.flatnonzero(is_lost)
    if not len(seen):
        return tracks
    boxes, length = tracks.boxes, facts[:, _LAST] - facts[:, _FIRST]
    kept = np.ones(len(facts), dtype=bool)
    for i, j in np.argwhere(1 - _iou(boxes[seen], boxes[lost]) < _SAME).tolist():
        kept[lost[j] if length[seen[i]] > length[lost[j]] else seen[i]] = False
    return tracks.rows(kept)


def _iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union of xywh boxes [n, >=4] and [m, >=4], [n, m]."""
    ax, ay, aw, ah = one[:, :4].T[:, :, None]
    bx, by, bw, bh = other[:, :4].T
    across = np.minimum(ax + aw, bx + bw) - np.maximum(ax, bx)
    down = np.minimum(ay + ah, by + bh) - np.maximum(ay, by)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    return shared / (aw * ah + bw * bh - shared)
