"""Measure crops: the scores that need pixels, made once and judged as often as thresholds change."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ufine_kit.engine import Job, Step
from ufine_kit.filter.embed import open_embedder
from ufine_kit.parquet import grouped
from ufine_kit.tables import MeasureTable

# Luma at an eighth of the size says as much of light, for a fraction of the decoding.
_FOR_LIGHT = (16, 16)


def open_measure(table: dict[str, Any]) -> Step:
    """A step that gives one `Measure` row for every crop of the part. A crop is decoded once, as small as will do."""
    recipe = MeasureTable.model_validate(table)
    opened: dict[str, Any] = {}  # networks are loaded with the first part, not with the plan

    def measure(job: Job) -> Iterator[dict[str, Any]]:
        if not opened:
            opened.update(embedding=open_embedder(recipe), keypoints=_pose(recipe))
        networks = {name: network for name, network in opened.items() if network is not None}
        sizes = [network.least for network in networks.values()]
        least = (max(width for width, _ in sizes), max(height for _, height in sizes)) if sizes else None
        for batch in grouped(job.read("tracklets", ("crop_id", "image")), recipe.batch):
            images = [decode(crop["image"]["bytes"], least) for crop in batch]
            vectors = {name: _vectors(network, images) for name, network in networks.items()}
            for i, (crop, image) in enumerate(zip(batch, images, strict=True)):
                if image is None:
                    job.said.reasons["unreadable"] += 1
                found = {name: vectors[name][i] if name in vectors else None for name in opened}
                yield {"crop_id": crop["crop_id"], **light(image), **found}

    return measure


def _pose(recipe: MeasureTable) -> Any:
    if recipe.pose_weights is None:
        return None
    from ufine_kit.adapters.pose import open_pose

    return open_pose(Path(recipe.pose_weights))


def _vectors(network: Any, images: list[Image.Image | None]) -> list[np.ndarray | None]:
    """One flat vector for every picture, None for those that do not decode."""
    shown = [image for image in images if image is not None]
    found = iter(network.run(shown).reshape(len(shown), -1) if shown else ())
    return [None if image is None else next(found) for image in images]


def decode(jpeg: bytes, least: tuple[int, int] | None) -> Image.Image | None:
    """A crop as RGB, in JPEG's own smaller scale that is still `least` (width, height); None where it does not decode.

    Without `least` it is luma alone, as small as the light of it is told by.
    """
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            image.draft("L" if least is None else "RGB", least or _FOR_LIGHT)
            return image.convert("L" if least is None else "RGB")
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


def light(image: Image.Image | None) -> dict[str, float | None]:
    """Mean and standard deviation of luma (0 to 255) of a decoded crop; None for both where there is no picture."""
    if image is None:
        return {"brightness": None, "contrast": None}
    counts = np.asarray(image.convert("L").histogram(), dtype=np.float64)
    value = np.arange(256)
    total = counts.sum()
    mean = float(counts @ value / total)
    return {"brightness": mean, "contrast": float(np.sqrt(counts @ (value - mean) ** 2 / total))}
