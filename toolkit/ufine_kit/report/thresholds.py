"""Which thresholds of the recipe bound which score: by the table of reasons, with the values that really judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ufine_kit import parts
from ufine_kit.dataset.reasons import REASONS
from ufine_kit.report.columns import Numbers

# A reason of two sides is told of one measure; this bound belongs to the other.
BESIDE = {"min_width_px": ("width", "least", "small")}


def limits(filter_folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Measure -> its bounds as {"name", "side", "value", "reason"}, every value once that any finished part was judged by."""
    found: dict[str, list[dict[str, Any]]] = {}
    for done in parts.done_parts(filter_folder):
        for measure, limit in _limits_of(done.recipe):
            if limit not in found.setdefault(measure, []):
                found[measure].append(limit)
    return found


def outside(column: Numbers, bounds: Sequence[Mapping[str, Any]]) -> int | None:
    """How many values fail any bound, counted before they are rounded for a page; None without a bound."""
    values = np.asarray([value for value in column.values if value is not None], dtype=np.float64)
    failing = np.zeros(len(values), dtype=bool)
    for bound in bounds:
        failing |= values < bound["value"] if bound["side"] == "least" else values > bound["value"]
    return int(failing.sum()) if bounds else None


def _limits_of(recipe: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    bounds = [(key, reason.measure, side, reason.name) for reason in REASONS.values()
              for side, key in (("least", reason.least), ("most", reason.most)) if key and reason.measure]  # fmt: skip
    bounds += [(key, *rest) for key, rest in BESIDE.items()]
    for key, measure, side, reason in bounds:
        value = recipe.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield measure, {"name": key, "side": side, "value": value, "reason": reason}
