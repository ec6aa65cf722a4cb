"""Learning rates: which weights learn how fast, and how that changes from the first step to the last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from ufine_kit.baseline.objective import Objective

if TYPE_CHECKING:
    from ufine_kit.tables import BaselineTable


@dataclass(frozen=True)
class Schedule:
    """How long a training is, in steps."""

    steps: int
    look_every: int  # between two looks at val, each with a checkpoint
    warm: int


def schedule(table: BaselineTable, captions: int) -> Schedule:
    """The recipe's length in steps. An epoch is as many pairs as there are captions, as in the paper's 60 epochs."""
    an_epoch = max(captions // table.batch, 1)
    steps = table.steps if table.epochs is None else table.epochs * an_epoch
    look_every = table.evaluate_every if table.epochs is None else table.evaluate_every * an_epoch
    return Schedule(steps, look_every, round(table.warmup * steps))


def rate(step: int, plan: Schedule) -> float:
    """Share of the learning rate at a step: linear up over the warm-up, then half a cosine down to 0."""
    if step < plan.warm:
        return (step + 1) / plan.warm
    return 0.5 * (1 + math.cos(math.pi * (step - plan.warm) / max(plan.steps - plan.warm, 1)))


def optimiser_of(objective: Objective, table: BaselineTable) -> torch.optim.AdamW:
    """AdamW in one fused step (with `weight_decay` 0 it is Adam); biases, norms and single vectors are not decayed.

    Layers that no pretrained model brought learn at `new_learning_rate`, and so do text positions: stretched from 77 to 168
    they are new too, and a start that has the length already learns as one that was stretched to it. From scratch
    everything is new and learns at `learning_rate`.
    """
    new_rate = table.new_learning_rate or table.learning_rate
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in objective.named_parameters():
        if parameter.requires_grad:
            new = not name.startswith("clip.") or name == "clip.text_model.embeddings.position_embedding.weight"
            groups.setdefault((new and bool(table.pretrained), parameter.ndim > 1), []).append(parameter)
    settings = [
        {
            "params": parameters,
            "weight_decay": table.weight_decay if decayed else 0.0,
            "full_rate": new_rate if new else table.learning_rate,
        }
        for (new, decayed), parameters in sorted(groups.items(), key=_first, reverse=True)
    ]
    return torch.optim.AdamW(settings, lr=table.learning_rate, betas=(0.9, table.beta2), fused=True)


def _first(group: tuple[tuple[bool, bool], list[nn.Parameter]]) -> tuple[bool, bool]:
    return group[0]


def set_rate(optimiser: torch.optim.Optimizer, share: float) -> None:
    """Every group learns at this share of its full rate."""
    for group in optimiser.param_groups:
        group["lr"] = group["full_rate"] * share
