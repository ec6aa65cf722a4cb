"""How a detection network wants its picture and how its output reads: letterboxing, decoding, suppression. No vendor."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ufine_kit.errors import KitError
from ufine_kit.extract.frames import Frame
from ufine_kit.extract.geometry import shared_areas

# Grey of the letterbox, as both families were trained with.
_PADDING = 114
_STRIDES = (8, 16, 32)

Kind = Literal["yolox", "yolo", "end2end"]


@dataclass(frozen=True)
class Head:
    """What a network takes (RGB or BGR, 0..1 or 0..255, centred or top left in its letterbox) and what it gives."""

    kind: Kind
    width: int
    height: int

    @property
    def wants_bgr(self) -> bool:
        return self.kind == "yolox"

    @property
    def divisor(self) -> float:
        """The picture is divided by this before it goes in."""
        return 1.0 if self.kind == "yolox" else 255.0

    @property
    def centred(self) -> bool:
        return self.kind != "yolox"


@dataclass(frozen=True)
class Limits:
    """Which boxes of a network are given on."""

    person_class: int
    detect_confidence: float
    nms_iou: float
    max_boxes: int


def head_of(input_shape: Sequence[int], output_shape: Sequence[int]) -> Head:
    """The head of an export, told by its shapes: input [1, 3, H, W]; output [1, P, 5 + classes] for YOLOX,
    [1, 4 + classes, P] for YOLOv8/11, [1, n, 6] for exports that suppress by themselves. Raises KitError for others.
    """
    if len(input_shape) == 4 and input_shape[1] == 3 and len(output_shape) == 3:
        height, width = int(input_shape[2]), int(input_shape[3])
        rows, columns = int(output_shape[1]), int(output_shape[2])
        cells = sum((height // stride) * (width // stride) for stride in _STRIDES)
        if columns == 6 and rows < cells:
            return Head("end2end", width, height)
        if rows == cells and columns > 5:
            return Head("yolox", width, height)
        if columns == cells and rows > 4:
            return Head("yolo", width, height)
    raise KitError(
        f"detector with input {list(input_shape)} and output {list(output_shape)} is of no known kind",
        "give an export of YOLOX (undecoded) or of YOLOv8/11/26, with fixed shapes",
    )


def fitted(head: Head, width: int, height: int) -> Head:
    """The same head without the letterbox's padding: in the proportions of a frame, in whole cells of the coarsest stride."""
    scale, cell = min(head.width / width, head.height / height), _STRIDES[-1]
    across, down = (max(cell, -(-round(side * scale) // cell) * cell) for side in (width, height))
    return replace(head, width=min(head.width, across), height=min(head.height, down))


@dataclass(frozen=True)
class Fit:
    """Where the frame lies in the letterbox: network pixels = frame pixels * scale + offset."""

    scale: float
    left: int
    top: int


def fit_of(frame: Frame, head: Head) -> Fit:
    """Sides kept in proportion; centred, or at the top left, as the network was trained."""
    scale = min(head.width / frame.width, head.height / frame.height)
    left = (head.width - max(1, round(frame.width * scale))) // 2 if head.centred else 0
    top = (head.height - max(1, round(frame.height * scale))) // 2 if head.centred else 0
    return Fit(scale, left, top)


def letterbox(frame: Frame, fit: Fit, target: np.ndarray) -> None:
    """Write the frame in the network's size into `target`, uint8 BGR [H, W, 3], grey around it."""
    width, height = max(1, round(frame.width * fit.scale)), max(1, round(frame.height * fit.scale))
    target[: fit.top], target[fit.top + height :] = _PADDING, _PADDING
    target[:, : fit.left], target[:, fit.left + width :] = _PADDING, _PADDING
    # Plain linear interpolation, as these networks saw in training.
    target[fit.top : fit.top + height, fit.left : fit.left + width] = frame.scaled(width, height)


def boxes_of(output: np.ndarray, head: Head, fit: Fit, limits: Limits) -> np.ndarray:
    """Person boxes of one picture, float64 [n, 6] of x, y, w, h in frame pixels, confidence and id -1; surest first."""
    centres = _DECODERS[head.kind](output, head, limits)  # [n, 5]: centre x, centre y, w, h, confidence
    centres = centres[np.argsort(-centres[:, 4], kind="stable")[: 4 * limits.max_boxes]]
    boxes = np.empty((len(centres), 6))
    boxes[:, :5], boxes[:, 5] = centres, -1
    boxes[:, :2] -= boxes[:, 2:4] / 2
    boxes[:, :2] -= fit.left, fit.top
    boxes[:, :4] /= fit.scale
    boxes = boxes[(boxes[:, 2] > 0) & (boxes[:, 3] > 0)]
    return boxes[suppress(boxes, limits.nms_iou)[: limits.max_boxes]]


def suppress(boxes: np.ndarray, iou: float) -> list[int]:
    """Greedy non-maximum suppression: indices of the kept xywh boxes [n, >=4], which come surest first."""
    shared, area = shared_areas(boxes), boxes[:, 2] * boxes[:, 3]
    overlapping = shared > iou * (area[:, None] + area - shared)  # [n, n]
    alive = np.ones(len(boxes), dtype=bool)
    for i in np.flatnonzero(overlapping.any(axis=1)).tolist():  # most boxes stand alone
        if alive[i]:
            alive[i + 1 :] &= ~overlapping[i, i + 1 :]
    return np.flatnonzero(alive).tolist()


def _decode_yolox(output: np.ndarray, head: Head, limits: Limits) -> np.ndarray:
    """Cells of three strides: (x + column) * stride, exp(w) * stride; confidence = objectness * class (YOLOX, 2107.08430)."""
    cells = output[0]
    confidence = cells[:, 4] * cells[:, 5 + limits.person_class]
    sure = np.flatnonzero(confidence >= limits.detect_confidence)
    grid, stride = _yolox_cells(head.width, head.height)
    found, grid, stride = cells[sure, :4], grid[sure], stride[sure]
    centres = (found[:, :2] + grid) * stride
    return np.hstack([centres, np.exp(found[:, 2:4]) * stride, confidence[sure, None]])


@functools.lru_cache(maxsize=4)
def _yolox_cells(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    grids: list[np.ndarray] = []
    strides: list[np.ndarray] = []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        grids.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(grids), np.concatenate(strides)


def _decode_yolo(output: np.ndarray, head: Head, limits: Limits) -> np.ndarray:
    """Rows of centre x, centre y, w, h in network pixels, then one row a class."""
    confidence = output[0, 4 + limits.person_class]
    sure = np.flatnonzero(confidence >= limits.detect_confidence)
    return np.vstack([output[0, :4, sure].T, confidence[sure]]).T


def _decode_end2end(output: np.ndarray, head: Head, limits: Limits) -> np.ndarray:
    """Rows of x1, y1, x2, y2, confidence, class."""
    rows = output[0]
    rows = rows[(rows[:, 4] >= limits.detect_confidence) & (rows[:, 5].round() == limits.person_class)]
    return np.hstack([(rows[:, :2] + rows[:, 2:4]) / 2, rows[:, 2:4] - rows[:, :2], rows[:, 4:5]])


_DECODERS: dict[str, Any] = {"yolox": _decode_yolox, "yolo": _decode_yolo, "end2end": _decode_end2end}
