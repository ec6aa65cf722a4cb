"""BoxMOT (AGPL-3.0, an optional extra): its trackers, with their own settings or with strict ones."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ufine_kit.errors import KitError, need

# Trackers that never look at a pixel.
MOTION_ONLY = ("bytetrack", "ocsort", "sfsort")
# Trackers that may use appearance, and those that cannot do without it.
WITH_REID = ("botsort", "strongsort", "deepocsort", "hybridsort", "boosttrack", "occluboost")
NEEDS_REID = ("strongsort", "deepocsort")
NAMES = (*MOTION_ONLY, *WITH_REID)


def strict_settings(name: str, fps: float, lost_seconds: float) -> dict[str, Any]:
    """Settings for pure tracklets: an unseen person is given up soon, and boxes must overlap more to be one person.

    `lost_seconds` is how long a tracklet may go unseen.
    """
    lost = max(1, round(lost_seconds * fps))
    buffered = {"track_buffer": lost, "frame_rate": 30}  # the library scales its buffer by frame_rate / 30
    return {
        "bytetrack": {"match_thresh": 0.7, **buffered},
        "botsort": {"match_thresh": 0.7, **buffered},
        "ocsort": {"iou_threshold": 0.4, "max_age": lost},
        "sfsort": {"match_th_first": 0.5},  # gives an unseen person up at once by default
        "hybridsort": {"iou_threshold": 0.4, "max_age": lost},
        "boosttrack": {"iou_threshold": 0.4, "max_age": lost},
        "occluboost": {"iou_threshold": 0.4, "max_age": lost},
        "strongsort": {"max_age": lost},
        "deepocsort": {"iou_threshold": 0.4, "max_age": lost},
    }[name]


def open_boxmot(
    name: str, preset: str, fps: float, lost_seconds: float, reid_weights: Path | None
) -> Callable[[], BoxmotTracker]:
    """What makes fresh trackers, one a shot. Raises KitError for unknown names and where weights are missing."""
    if name not in NAMES:
        raise KitError(f"no tracker `{name}`", f"choose one of: {', '.join((*NAMES, 'file'))}")
    if name in NEEDS_REID and reid_weights is None:
        raise KitError(f"tracker `{name}` compares looks and needs a network for it", "give --reid-weights PATH")
    need("boxmot", "extract-boxmot")
    from boxmot.trackers.registry import create_tracker
    from boxmot.utils import logger

    logger.setLevel(logging.ERROR)  # it logs its settings to stdout, which is for data

    settings = strict_settings(name, fps, lost_seconds) if preset == "strict" else {}
    model: Any = None
    if reid_weights is not None and name in WITH_REID:
        from boxmot.reid.core import ReID

        model = ReID(weights=reid_weights, device="cpu", half=False).model

    def fresh() -> BoxmotTracker:
        tracker = create_tracker(name, tracker_kwargs=settings, reid_model=model)
        return BoxmotTracker(tracker, name not in MOTION_ONLY)

    return fresh


class BoxmotTracker:
    """One shot's tracker behind the kit's own boxes."""

    def __init__(self, tracker: Any, sees: bool) -> None:
        self._tracker = tracker
        self._sees = sees
        lost = max(
            _frames(tracker, name) for name in ("max_time_lost", "max_age", "central_timeout", "marginal_timeout")
        )
        # Some hold a person back for a few frames more, until they are sure again.
        self._lost_frames = lost + 10

    def update(self, boxes: np.ndarray, shape: tuple[int, int], look: Callable[[], np.ndarray]) -> np.ndarray:
        """Boxes [n, 6] (x, y, w, h, confidence, -) of one frame in; tracked boxes [m, 6] with the library's ids out.

        `shape` is the frame's height and width; `look` gives its pixels (RGB) and is called by trackers that use them.
        """
        given = np.zeros((len(boxes), 6), dtype=np.float32)
        given[:, :4] = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:4]])
        given[:, 4] = boxes[:, 4]
        given = given[(given[:, 2] > given[:, 0]) & (given[:, 3] > given[:, 1])]  # sizes may vanish in float32
        # Where pixels are not looked at, only their shape is: a picture without memory behind it.
        picture = np.ascontiguousarray(look()[:, :, ::-1]) if self._sees else np.broadcast_to(np.uint8(0), (*shape, 3))
        found = np.asarray(self._tracker.update(given, picture), dtype=np.float64).reshape(-1, 8)
        return np.column_stack([found[:, :2], found[:, 2:4] - found[:, :2], found[:, 5], found[:, 4]])

    def is_over(self, unseen_frames: int) -> bool:
        """Whether the library has let go of an id: it keeps unseen ones for a fixed number of frames."""
        return unseen_frames > self._lost_frames


def _frames(tracker: Any, name: str) -> int:
    value = getattr(tracker, name, 0)
    return int(value) if isinstance(value, (int, float)) else 0
