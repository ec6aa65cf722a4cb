"""From tracked boxes to crop rows: candidates are judged as frames pass, and cut, encoded and hashed when chosen."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ufine_kit import crash
from ufine_kit.dataset.look import sharpness
from ufine_kit.extract import geometry
from ufine_kit.extract.choose import Candidate, Stretches, quality, quality_bounds
from ufine_kit.extract.mot import CONFIDENCE, ID
from ufine_kit.extract.pictures import Pictures
from ufine_kit.extract.track import Tracked

# Crops of ended tracklets that may wait for their JPEGs, so that nobody stands still while they are made.
_ENDED_AT_MOST = 64
# Pixels are looked at only where a crop may be a tenth better than the one at hand: most frames of a walk are not.
_WORTH_A_LOOK = 0.9
_ROWS_TO_JUDGE_BY = 32


@dataclass(frozen=True)
class CropRules:
    """The part of the recipe that says which crops are cut and how."""

    crops_per_tracklet: int
    crop_spacing_seconds: float
    padding: float
    jpeg_quality: int
    min_confidence: float
    min_height_px: int


def crop_id(video_sha256: str, frame: int, whole_px: Iterable[int]) -> str:
    """hash(video sha256, frame, rounded box): 24 hex digits, the same wherever and whenever the crop is cut."""
    words = [video_sha256, frame, *(int(value) for value in whole_px)]
    return hashlib.sha256(":".join(str(word) for word in words).encode()).hexdigest()[:24]


def tracklet_name(video_sha256: str, segment: int, local_id: int) -> str:
    """(video, segment, local id) in one word."""
    return f"{video_sha256[:16]}-{segment}-{local_id}"


class Cutter:
    """Crops of one segment. Memory holds up to 4N pictures of every tracklet still alive (see `Pictures` for its bound)."""

    def __init__(self, segment: dict[str, Any], rules: CropRules, pool: ThreadPoolExecutor) -> None:
        self._segment = segment
        self._rules = rules
        self._pictures = Pictures(pool, rules.jpeg_quality)
        self._alive: dict[int, Stretches] = {}
        self._ended: deque[tuple[str, Candidate]] = deque()

    def rows(self, tracked: Iterator[Tracked]) -> Iterator[dict[str, Any]]:
        """Crop rows, a tracklet at a time as they end; in one frame by id, in one tracklet by time."""
        for item in tracked:
            for local_id in sorted(item.ended):
                self._finish(local_id)
            yield from self._encoded(_ENDED_AT_MOST)
            self._look(item)
        for local_id in sorted(self._alive):
            self._finish(local_id)
            yield from self._encoded(_ENDED_AT_MOST)
        yield from self._encoded(0)

    def _look(self, item: Tracked) -> None:
        frame, boxes, rules = item.frame, item.boxes, self._rules
        if not len(boxes):
            return
        hidden = geometry.overlaps(boxes)
        border = geometry.border_px(boxes, frame.width, frame.height)
        windows = geometry.windows(boxes, rules.padding, frame.width, frame.height)
        sizes = windows[:, 2:] - windows[:, :2]
        bounds = quality_bounds(boxes[:, CONFIDENCE], hidden, border, sizes[:, 1])
        usable = (
            (boxes[:, CONFIDENCE] >= rules.min_confidence) & (sizes[:, 0] >= 1) & (sizes[:, 1] >= rules.min_height_px)
        )
        whole_px = [tuple(box) for box in geometry.rounded(boxes).tolist()]
        for i, bound in zip(np.flatnonzero(usable).tolist(), bounds[usable].tolist(), strict=True):
            if whole_px[i] in whole_px[:i]:
                continue  # two ids on one box: one picture, one row
            stretches = self._stretches(int(boxes[i, ID]), frame.seconds)
            bar = stretches.bar(frame.seconds)
            if bound * _WORTH_A_LOOK <= bar:
                continue
            left, top, right, bottom = windows[i].tolist()
            good = quality(bound, sharpness(frame.luma[top:bottom, left:right], _ROWS_TO_JUDGE_BY))
            if good <= bar:
                continue
            facts = self._facts(item, i, whole_px[i], float(hidden[i]), float(border[i]), (right - left, bottom - top))
            picture = self._pictures.hold(frame.rgb[top:bottom, left:right].copy())
            stretches.offer(frame.seconds, Candidate(good, facts, picture))

    def _facts(
        self, item: Tracked, i: int, whole_px: tuple[int, ...], hidden: float, border: float, size: tuple[int, int]
    ) -> dict[str, Any]:
        frame, box = item.frame, item.boxes[i]
        return {
            "crop_id": crop_id(self._segment["video_sha256"], frame.index, whole_px),
            "frame": frame.index, "seconds": frame.seconds, "box_xywh": [float(value) for value in box[:4]],
            "frame_width": frame.width, "frame_height": frame.height, "confidence": float(box[CONFIDENCE]),
            "max_overlap": hidden, "border_px": border, "width": size[0], "height": size[1],
        }  # fmt: skip

    def _stretches(self, local_id: int, seconds: float) -> Stretches:
        if local_id not in self._alive:
            rules = self._rules
            self._alive[local_id] = Stretches(
                rules.crops_per_tracklet, rules.crop_spacing_seconds, seconds, self._pictures.drop
            )
        return self._alive[local_id]

    def _finish(self, local_id: int) -> None:
        """Choose among the crops of a tracklet that has ended, and have the chosen ones encoded."""
        stretches = self._alive.pop(local_id, None)
        name = tracklet_name(self._segment["video_sha256"], self._segment["segment"], local_id)
        for candidate in stretches.chosen() if stretches else ():
            self._pictures.develop(candidate.held)
            self._ended.append((name, candidate))

    def _encoded(self, waiting: int) -> Iterator[dict[str, Any]]:
        """Rows in order, but the last `waiting` ones: their JPEGs may take their time."""
        while len(self._ended) > waiting:
            yield self._row(*self._ended.popleft())
            crash.point("extract.encode")

    def _row(self, tracklet: str, candidate: Candidate) -> dict[str, Any]:
        jpeg, looks = self._pictures.develop(candidate.held).result()
        facts = candidate.facts
        return {
            **{name: self._segment[name] for name in ("video", "video_sha256", "segment")},
            "tracklet": tracklet,
            **facts,
            "image": {"bytes": jpeg, "path": f"{facts['crop_id']}.jpg"},
            "image_sha256": hashlib.sha256(jpeg).hexdigest(),
            **looks,
        }


def all_of(tracked: Iterator[Tracked], tell: Callable[[Tracked], None]) -> Iterator[Tracked]:
    """The same items, each told on the way."""
    for item in tracked:
        tell(item)
        yield item
