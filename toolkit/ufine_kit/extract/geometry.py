"""What can be said of boxes without pixels: overlap, distance to the border, the window that is cut out."""

from __future__ import annotations

import numpy as np


def shared_areas(boxes: np.ndarray) -> np.ndarray:
    """Area that every two boxes of xywh [n, >=4] share, [n, n], 0 with itself."""
    x, y, w, h = boxes[:, :4].T
    right, bottom = x + w, y + h
    across = np.minimum(right[:, None], right) - np.maximum(x[:, None], x)
    down = np.minimum(bottom[:, None], bottom) - np.maximum(y[:, None], y)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    shared.flat[:: len(boxes) + 1] = 0
    return shared


def overlaps(boxes: np.ndarray) -> np.ndarray:
    """For every box of xywh [n, >=4] the largest share of it that one other box covers, 0 to 1, [n]."""
    if len(boxes) < 2:
        return np.zeros(len(boxes))
    return np.minimum(shared_areas(boxes).max(axis=1) / (boxes[:, 2] * boxes[:, 3]), 1)


def largest_iou(boxes: np.ndarray) -> np.ndarray:
    """For every box of xywh [n, >=4] the largest intersection over union with another, [n]."""
    if len(boxes) < 2:
        return np.zeros(len(boxes))
    shared, area = shared_areas(boxes), boxes[:, 2] * boxes[:, 3]
    return (shared / (area[:, None] + area[None] - shared)).max(axis=1)


def border_px(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Distance of every box to the nearest border of the frame in pixels, below 0 where it reaches outside, [n]."""
    x, y, w, h = boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]
    return np.minimum(np.minimum(x, y), np.minimum(width - x - w, height - y - h))


def windows(boxes: np.ndarray, padding: float, width: int, height: int) -> np.ndarray:
    """Left, top, right, bottom of the padded boxes in whole pixels, cut at the frame, [n, 4]; empty for boxes outside."""
    more = padding * boxes[:, 2:4]
    found = np.empty((len(boxes), 4), dtype=int)
    found[:, :2] = np.maximum(np.floor(boxes[:, :2] - more), 0)
    found[:, 2:] = np.minimum(np.ceil(boxes[:, :2] + boxes[:, 2:4] + more), (width, height))
    return found


def rounded(boxes: np.ndarray) -> np.ndarray:
    """Boxes in whole pixels, as they enter a crop's id, [n, 4]."""
    return np.rint(boxes[:, :4]).astype(int)
