"""Measure crops: the scores that need pixels, made once and judged as often as thresholds change."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ufine_kit.engine import Job, Step


def open_measure(table: dict[str, Any]) -> Step:
    """A step that gives one `Measure` row for every crop of the part."""

    def measure(job: Job) -> Iterator[dict[str, Any]]:
        for crop in job.read("tracklets", ("crop_id", "image")):
            scores = exposure(crop["image"]["bytes"])
            if scores["brightness"] is None:
                job.said.reasons["unreadable"] += 1
            yield {"crop_id": crop["crop_id"], **scores}

    return measure


def exposure(jpeg: bytes) -> dict[str, float | None]:
    """Mean and standard deviation of luma (0 to 255) of one encoded crop; None for both where it does not decode."""
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            image.draft("L", (64, 64))  # luma at an eighth of the size says as much, for a fraction of the decoding
            grey = np.asarray(image.convert("L"), dtype=np.float64)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return {"brightness": None, "contrast": None}
    return {"brightness": float(grey.mean()), "contrast": float(grey.std())}
