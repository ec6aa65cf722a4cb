"""The weight-free look of a person: how light and which colours, in stripes from head to feet. No network, no licence.

Histograms of CIELAB in overlapping stripes go back to Gray and Tao (ECCV 2008) and LOMO (Liao et al., CVPR 2015); their
square roots are compared by cosine (Hellinger). Persons on one picture share light and background: the vectors tell
persons apart only after what a whole video shares was taken out (`adapt`).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

WIDTH_PX, HEIGHT_PX = 40, 96
_STEP_PX, _STRIPE_PX = 12, 24
_BINS = 10
# Lightness and the two colour axes: from, to.
_RANGES = ((0.0, 100.0), (-40.0, 50.0), (-50.0, 50.0))
_STRIPES = range(0, HEIGHT_PX - _STRIPE_PX + 1, _STEP_PX)
DIMENSIONS = len(_STRIPES) * len(_RANGES) * _BINS
# sRGB (IEC 61966-2-1, D65) to XYZ by the white point.
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
) / np.array([[0.95047], [1.0], [1.08883]])


def describe(image: Image.Image) -> np.ndarray:
    """Float32 [210] of an RGB picture of any size: 7 stripes of 3 histograms of 10 bins, each the root of shares."""
    small = image.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BILINEAR)
    lab = to_lab(np.asarray(small)).reshape(HEIGHT_PX, WIDTH_PX, 3)
    rows = np.stack([_row_histograms(lab[..., i], *_RANGES[i]) for i in range(3)], axis=1)  # [96, 3, 10]
    stripes = np.stack([rows[top : top + _STRIPE_PX].mean(axis=0) for top in _STRIPES])  # [7, 3, 10]
    return np.sqrt(stripes).astype(np.float32).ravel()


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of uint8 sRGB [..., 3]."""
    ratio = _linear()[rgb] @ _XYZ.T
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


@lru_cache(maxsize=1)
def _linear() -> np.ndarray:
    value = np.arange(256) / 255
    return np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)


@lru_cache(maxsize=1)
def _weights() -> np.ndarray:
    """The person stands in the middle: a bell over the columns, [W], of sum 1."""
    x = (np.arange(WIDTH_PX) - (WIDTH_PX - 1) / 2) / (WIDTH_PX / 4)
    bell = np.exp(-(x**2) / 2)
    return bell / bell.sum()


def _row_histograms(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Histogram of every row [H, W] -> [H, bins]; a value is shared between the two bins that it lies between."""
    height = len(values)
    place = np.clip((values - low) / (high - low) * (_BINS - 1), 0, _BINS - 1 - 1e-9)
    below = place.astype(np.int64)
    share = place - below
    at = (np.arange(height)[:, None] * _BINS + below).ravel()
    weights = np.broadcast_to(_weights(), values.shape)
    lower = np.bincount(at, ((1 - share) * weights).ravel(), height * _BINS)
    upper = np.bincount(at + 1, (share * weights).ravel(), height * _BINS)
    return (lower + upper).reshape(height, _BINS)
