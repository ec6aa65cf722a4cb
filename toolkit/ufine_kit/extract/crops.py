"""From tracked boxes to crop rows: candidates are judged as frames pass, and cut, encoded and hashed when chosen."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ufine_kit import crash
from ufine_kit.extract import geometry
from ufine_kit.extract.choose import Candidate, Stretches, quality, quality_bound
from ufine_kit.extract.look import dhash, encode_jpeg, sharpness
from ufine_kit.extract.mot import CONFIDENCE, ID
from ufine_kit.extract.track import Tracked

# Crops whose encoding has begun and not ended: a bound on memory where frames come faster than JPEGs.
_ENCODING_AT_MOST = 64


@dataclass(frozen=True)
class CropRules:
    """The part of the recipe that says which crops are cut and how."""

    crops_per_tracklet: int
    crop_spacing_seconds: float
    padding: float
    jpeg_quality: int
    min_confidence: float
    min_height_px: int


def crop_id(video_sha256: str, frame: int, box: np.ndarray) -> str:
    """hash(video sha256, frame, rounded box): 24 hex digits, the same wherever and whenever the crop is cut."""
    words = [video_sha256, frame, *geometry.rounded(box)]
    return hashlib.sha256(":".join(str(word) for word in words).encode()).hexdigest()[:24]


def tracklet_name(video_sha256: str, segment: int, local_id: int) -> str:
    """(video, segment, local id) in one word."""
    return f"{video_sha256[:16]}-{segment}-{local_id}"


class Cutter:
    """Crops of one segment. Memory holds, for every tracklet still alive, one picture and up to 4N JPEGs."""

    def __init__(self, segment: dict[str, Any], rules: CropRules, pool: ThreadPoolExecutor) -> None:
        self._segment = segment
        self._rules = rules
        self._pool = pool
        self._alive: dict[int, Stretches] = {}
        self._encoding: deque[Future[bytes]] = deque()

    def rows(self, tracked: Iterator[Tracked]) -> Iterator[dict[str, Any]]:
        """Crop rows, a tracklet at a time as they end; in one frame by id, in one tracklet by time."""
        for item in tracked:
            for local_id in sorted(item.ended):
                yield from self._finish(local_id)
            self._look(item)
        for local_id in sorted(self._alive):
            yield from self._finish(local_id)

    def _look(self, item: Tracked) -> None:
        frame, boxes = item.frame, item.boxes
        if not len(boxes):
            return
        hidden = geometry.overlaps(boxes)
        border = geometry.border_px(boxes, frame.width, frame.height)
        seen: set[tuple[int, int, int, int]] = set()
        for i, box in enumerate(boxes):
            if geometry.rounded(box) in seen:
                continue  # two ids on one box: one picture, one row
            seen.add(geometry.rounded(box))
            self._consider(item, box, float(hidden[i]), float(border[i]))

    def _consider(self, item: Tracked, box: np.ndarray, hidden: float, border: float) -> None:
        frame, rules = item.frame, self._rules
        left, top, right, bottom = geometry.window(box, rules.padding, frame.width, frame.height)
        confidence = float(box[CONFIDENCE])
        if right - left < 1 or bottom - top < rules.min_height_px or confidence < rules.min_confidence:
            return
        stretches = self._stretches(int(box[ID]), frame.seconds)
        bound = quality_bound(confidence, hidden, border, bottom - top)
        bar = stretches.bar(frame.seconds)
        if bound <= bar:
            return
        pixels = frame.rgb[top:bottom, left:right]
        sharp = sharpness(pixels)
        if (good := quality(bound, sharp)) <= bar:
            return
        facts = {
            "crop_id": crop_id(self._segment["video_sha256"], frame.index, box),
            "frame": frame.index, "seconds": frame.seconds, "box_xywh": [float(value) for value in box[:4]],
            "frame_width": frame.width, "frame_height": frame.height, "confidence": confidence, "max_overlap": hidden,
            "border_px": border, "sharpness": sharp, "width": right - left, "height": bottom - top,
        }  # fmt: skip
        stretches.offer(frame.seconds, Candidate(good, facts, pixels.copy()))

    def _stretches(self, local_id: int, seconds: float) -> Stretches:
        if local_id not in self._alive:
            rules = self._rules
            self._alive[local_id] = Stretches(
                rules.crops_per_tracklet, rules.crop_spacing_seconds, seconds, self._begin_encoding
            )
        return self._alive[local_id]

    def _begin_encoding(self, pixels: np.ndarray) -> Future[bytes]:
        while len(self._encoding) >= _ENCODING_AT_MOST:
            self._encoding.popleft().result()
        future = self._pool.submit(encode_jpeg, pixels, self._rules.jpeg_quality)
        self._encoding.append(future)
        return future

    def _finish(self, local_id: int) -> Iterator[dict[str, Any]]:
        stretches = self._alive.pop(local_id, None)
        name = tracklet_name(self._segment["video_sha256"], self._segment["segment"], local_id)
        for candidate in stretches.chosen() if stretches else ():
            yield self._row(name, candidate)
            crash.point("extract.encode")

    def _row(self, tracklet: str, candidate: Candidate) -> dict[str, Any]:
        jpeg = candidate.held.result()
        facts = candidate.facts
        return {
            **{name: self._segment[name] for name in ("video", "video_sha256", "segment")},
            "tracklet": tracklet,
            **facts,
            "image": {"bytes": jpeg, "path": f"{facts['crop_id']}.jpg"},
            "image_sha256": hashlib.sha256(jpeg).hexdigest(),
            "dhash": dhash(jpeg),
        }


def all_of(tracked: Iterator[Tracked], tell: Callable[[Tracked], None]) -> Iterator[Tracked]:
    """The same items, each told on the way."""
    for item in tracked:
        tell(item)
        yield item
