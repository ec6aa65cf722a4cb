"""What turns crops into looks: the backends of `measure.embedding`, behind one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ufine_kit.errors import KitError
from ufine_kit.filter import descriptor
from ufine_kit.tables import FilterTable, MeasureTable

# Files that run code when they are loaded.
_PICKLES = (".pt", ".pth", ".pkl", ".bin", ".tar")


@dataclass(frozen=True)
class Embedder:
    """`run` gives float32 [n, d] of n RGB pictures; they need not be decoded larger than `least` (width, height)."""

    least: tuple[int, int]
    run: Callable[[Sequence[Image.Image]], np.ndarray]


def open_embedder(table: MeasureTable) -> Embedder | None:
    """The recipe's backend; None for `none`. Raises KitError where weights or the library are missing."""
    if table.embedding == "none":
        return None
    if table.embedding == "descriptor":
        least = (descriptor.WIDTH_PX, descriptor.HEIGHT_PX)
        return Embedder(least, lambda images: np.stack([descriptor.describe(image) for image in images]))
    weights = Path(table.embedding_weights or "")
    if table.embedding == "reid":
        from ufine_kit.adapters.reid import open_reid

        return Embedder((128, 256), open_reid(weights))
    from ufine_kit.adapters.clip_tower import open_clip_tower

    tower = open_clip_tower(weights)
    return Embedder(tower.size, tower.run)


def check_measures(table: MeasureTable, trusted: bool) -> None:
    """What cannot be measured is said before anything is read. Raises KitError for missing or untrusted weights."""
    needs = table.embedding in ("reid", "clip")
    if needs and table.embedding_weights is None:
        raise KitError(f"embedding `{table.embedding}` needs weights", "give --embedding-weights PATH")
    if not needs and table.embedding_weights is not None:
        raise KitError(
            f"embedding `{table.embedding}` takes no weights",
            "add --set measure.embedding=reid (or clip), or leave them out",
        )
    for flag, given in (("--embedding-weights", table.embedding_weights), ("--pose-weights", table.pose_weights)):
        if given is None:
            continue
        if not Path(given).exists():
            raise KitError(f"weights `{given}` do not exist", f"give an existing path to {flag}")
        if Path(given).suffix in _PICKLES and not trusted:
            raise KitError(
                f"`{given}` is a pickle: loading it runs code that it holds",
                "add --trust-weights if you trust who made it, or give an ONNX export",
            )


def check_calibration(measure: MeasureTable, recipe: FilterTable) -> None:
    """Thresholds belong to the embedding that they were calibrated for. Raises KitError where they meet another."""
    if not recipe.identities:
        return
    if measure.embedding == "none":
        raise KitError("identities are mended by look, and embedding is `none`", "add --set filter.identities=false")
    if measure.embedding == "descriptor" and not recipe.relative:
        raise KitError(
            "`descriptor` tells persons apart only against their video",
            "leave filter.relative as it is, or take a network",
        )
    if recipe.calibrated_for != name_of(measure) and recipe.calibrated_for != measure.embedding:
        raise KitError(
            f"thresholds of `{recipe.calibrated_for}` do not fit the embedding `{name_of(measure)}`",
            "run `ufine-kit filter --calibrate` with this embedding and put what it prints into the recipe",
        )


def name_of(measure: MeasureTable) -> str:
    """An embedding in one word: the backend, and the name of its weights where it has some."""
    return (
        f"{measure.embedding}:{Path(measure.embedding_weights).stem}"
        if measure.embedding_weights
        else measure.embedding
    )
