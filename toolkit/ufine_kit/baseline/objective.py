"""What training minimises: the recipe's losses over one batch, and the heads that some of them need in training alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ufine_kit.baseline.losses import LOSSES, words_loss
from ufine_kit.baseline.tokens import SPECIAL
from ufine_kit.recipe import BaselineTable


@dataclass(frozen=True)
class Batch:
    """One batch in features, with what the losses may ask about it."""

    images: torch.Tensor  # [B, D], normalised
    texts: torch.Tensor  # [B, D], normalised
    people: torch.Tensor  # int64 [B]
    ids: torch.Tensor  # token ids [B, L]


def new_heads(table: BaselineTable, vocabulary: int) -> nn.ModuleDict:
    """The layers that only losses use; they are trained along and left out of the checkpoint."""
    heads = nn.ModuleDict()
    if table.words_weight:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(table.seed)
            heads["words"] = nn.Linear(table.width, vocabulary)
    return heads


def total_loss(table: BaselineTable, heads: nn.ModuleDict, batch: Batch, word_weights: torch.Tensor) -> torch.Tensor:
    """The recipe's pair loss plus its auxiliary losses, each by its weight."""
    total = LOSSES[table.loss](batch.images, batch.texts, batch.people, table.temperature)
    if table.words_weight:
        wanted = words_in(batch.ids, word_weights)
        said = [heads["words"](features * table.width**0.5) for features in (batch.images, batch.texts)]
        total = total + table.words_weight * sum(words_loss(each, wanted) for each in said)
    return total


def words_in(ids: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Which tokens a text holds, as a distribution [B, V] in which a token counts by its weight [V]."""
    present = torch.zeros(len(ids), len(weights), device=ids.device).scatter_(1, ids.long(), 1.0) * weights
    return present / present.sum(dim=1, keepdim=True).clamp_min(1e-8)


def rarity(ids: torch.Tensor, vocabulary: int) -> torch.Tensor:
    """Weight [V] of every token: log of texts over texts that hold it; 0 for special tokens and those in no text."""
    held = torch.zeros(vocabulary)
    for some in ids.split(1024):
        held += torch.zeros(len(some), vocabulary).scatter_(1, some.long(), 1.0).sum(dim=0)
    weights = torch.where(held > 0, (len(ids) / held.clamp_min(1)).log(), torch.zeros(()))
    weights[: len(SPECIAL)] = 0
    return weights
