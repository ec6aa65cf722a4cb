"""Measure crops: the scores that need pixels, made once and judged as often as thresholds change."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ufine_kit.engine import Job, Step
from ufine_kit.errors import BadInput


def open_measure(table: dict[str, Any]) -> Step:
    """A step that gives one `Measure` row for every crop of the part."""

    def measure(job: Job) -> Iterator[dict[str, Any]]:
        for crop in job.read("tracklets", ("crop_id", "image")):
            yield {"crop_id": crop["crop_id"], **exposure(crop["image"]["bytes"], crop["crop_id"])}

    return measure


def exposure(jpeg: bytes, crop_id: str) -> dict[str, float]:
    """Mean and standard deviation of luma (0 to 255) of one encoded crop. Raises BadInput when it does not decode."""
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            image.draft("L", (64, 64))  # luma at an eighth of the size says as much, for a fraction of the decoding
            grey = np.asarray(image.convert("L"), dtype=np.float64)
    except (OSError, UnidentifiedImageError) as error:
        raise BadInput(f"crop `{crop_id}` does not decode: {error}", "ufine-kit extract-tracklets --redo") from None
    return {"brightness": float(grey.mean()), "contrast": float(grey.std())}
