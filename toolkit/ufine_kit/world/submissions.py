"""What the simulated annotators hand in for crops that were cut from the world's videos, as a campaign's JSONL rows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ufine_kit.errors import KitError

Row = dict[str, Any]
# Of a crop's box and a track's box in the same frame; given boxes come back as they are, tracked ones a little moved.
SAME_BOX_IOU = 0.5


def submissions(world: Path, crops: Iterable[Mapping[str, Any]], texts_each: int = 2) -> Iterator[Row]:
    """`texts_each` descriptions for every crop that shows one person well, in turn from all that were written of its track.

    A crop needs `crop_id, video, frame, box_xywh`. Crops of mixed, blurred or hidden tracks get none: nobody could say what
    is true of them. Raises KitError when `world` is no world.
    """
    texts: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in _lines(world, "video_descriptions"):
        texts[row["video"], row["track"]].append(row)
    boxes = _Boxes(world)
    turn: dict[tuple[str, int | None], int] = defaultdict(int)
    for crop in crops:
        track = boxes.track_of(crop["video"], crop["frame"], crop["box_xywh"])
        known = texts.get((crop["video"], track), []) if track is not None else []
        fitting = [row for row in known if any(first <= crop["frame"] <= last for first, last in row["good_frames"])]
        for _ in range(min(texts_each, len(fitting))):
            key = (crop["video"], track)
            row = fitting[turn[key] % len(fitting)]
            turn[key] += 1
            yield {
                "crop_id": crop["crop_id"],
                **{name: row[name] for name in ("text", "writer", "created_at", "lead_seconds")},
            }


class _Boxes:
    """Boxes of all tracks by video and frame (from 0), read when a video is first asked for."""

    def __init__(self, world: Path) -> None:
        self._folder = world / "tracks"
        self._of: dict[str, dict[int, list[tuple[int, list[float]]]]] = {}

    def track_of(self, video: str, frame: int, box_xywh: list[float]) -> int | None:
        """The track whose box covers this one best, None below half."""
        if video not in self._of:
            self._of[video] = self._read(self._folder / f"{Path(video).stem}.txt")
        scored = [(iou(box_xywh, box), track) for track, box in self._of[video].get(frame, [])]
        best = max(scored, default=(0.0, 0))
        return best[1] if best[0] >= SAME_BOX_IOU else None

    def _read(self, path: Path) -> dict[int, list[tuple[int, list[float]]]]:
        found: dict[int, list[tuple[int, list[float]]]] = defaultdict(list)
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                frame, track, *box = line.split(",")[:6]
                found[int(frame) - 1].append((int(track), [float(value) for value in box]))
        return found


def iou(a: list[float], b: list[float]) -> float:
    """Intersection over union of two boxes, xywh in pixels."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def _lines(world: Path, name: str) -> Iterator[Row]:
    path = world / f"{name}.jsonl"
    if not path.is_file():
        raise KitError(f"`{world}` is no synthetic world (no {path.name})", f"ufine-kit world {world}")
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)
