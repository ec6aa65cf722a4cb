"""What a recipe of a training asks for and cannot have, said before anything is read; it needs no torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ufine_kit.errors import KitError

if TYPE_CHECKING:  # the benchmark on a bare GPU machine has torch and no pydantic
    from ufine_kit.tables import BaselineTable

LOSSES = ("contrastive", "sdm", "tal", "granularity", "match", "cross_identity", "identity", "words")
WITH_DECODER = ("granularity", "match")


def losses_of(table: BaselineTable) -> dict[str, float]:
    """Weight of every loss that is on."""
    weights = {name: float(getattr(table.losses, name)) for name in LOSSES}
    return {name: weight for name, weight in weights.items() if weight > 0}


def check_recipe(table: BaselineTable) -> None:
    """Raise KitError for a recipe without a loss, masked words that nobody masks, a bad seed or heads that divide no width."""
    found, sizes = losses_of(table), table.decoder
    if not found:
        raise KitError("every loss has weight 0: there is nothing to learn from", "--set baseline.losses.contrastive=1")
    if "words" in found and not (table.mask or table.replace):
        raise KitError(
            "`baseline.losses.words` tells masked words, and `baseline.mask` is 0",
            "--set baseline.mask=0.12, or --set baseline.losses.words=0",
        )
    if not 0 <= table.seed < 2**63 - 1:
        raise KitError(f"`baseline.seed` {table.seed} is none that torch and numpy take", "--set baseline.seed=0")
    if sizes.width % sizes.heads and not found.keys().isdisjoint(WITH_DECODER):
        raise KitError(
            f"`baseline.decoder.width` {sizes.width} is no multiple of `baseline.decoder.heads` {sizes.heads}",
            f"--set baseline.decoder.width={math.ceil(sizes.width / sizes.heads) * sizes.heads}",
        )
