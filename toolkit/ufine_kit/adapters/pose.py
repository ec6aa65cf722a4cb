"""Pose networks that look at one person: 17 COCO points by heat maps, exported to ONNX or OpenVINO, run by OpenVINO."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ufine_kit.errors import KitError, need

POINTS = 17
# The scaling of ImageNet, which these networks are trained with.
_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)


@dataclass(frozen=True)
class Pose:
    """`run`: RGB pictures -> float32 [n, 17, 3] of x and y as shares of the picture and a confidence, 0 to 1."""

    least: tuple[int, int]
    run: Callable[[Sequence[Image.Image]], np.ndarray]


def open_pose(weights: Path) -> Pose:
    """A network from pictures [1, 3, H, W] to heat maps [1, 17, h, w]. Raises KitError for a missing or another file."""
    if not weights.exists():
        raise KitError(f"weights `{weights}` do not exist", "give an existing path to --pose-weights")
    ov = need("openvino", "extract")
    try:
        network = ov.Core().compile_model(str(weights), "CPU", {"INFERENCE_NUM_THREADS": 1})
        shape, maps = list(network.input(0).shape), list(network.output(0).shape)
    except RuntimeError as error:
        first = (str(error).strip().splitlines() or ["it is no network"])[-1][:160]
        raise KitError(f"OpenVINO cannot read `{weights.name}`: {first}", "give --pose-weights an ONNX file") from None
    if len(shape) != 4 or shape[1] != 3 or len(maps) != 4 or maps[1] != POINTS:
        raise KitError(
            f"`{weights.name}` turns {shape} into {maps}, wanted [1, 3, H, W] into [1, {POINTS}, h, w]",
            "give --pose-weights a network of 17 COCO points by heat maps",
        )
    size = (int(shape[3]), int(shape[2]))

    def run(images: Sequence[Image.Image]) -> np.ndarray:
        return np.stack([points_of(network(_input(image, size))[network.output(0)][0]) for image in images])

    return Pose(size, run)


def points_of(maps: np.ndarray) -> np.ndarray:
    """The peak of every heat map [17, h, w] as x, y (shares, at the middle of its cell) and its height, float32 [17, 3]."""
    height, width = maps.shape[1:]
    at = maps.reshape(len(maps), -1).argmax(axis=1)
    peak = np.clip(maps.reshape(len(maps), -1).max(axis=1), 0, 1)
    return np.stack([(at % width + 0.5) / width, (at // width + 0.5) / height, peak], axis=1).astype(np.float32)


def _input(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    resized = np.asarray(image.resize(size, Image.Resampling.BILINEAR), dtype=np.float32)
    return np.ascontiguousarray(((resized / 255 - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None])
