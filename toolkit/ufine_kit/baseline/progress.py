"""How far a training is: what a checkpoint must hold so that a killed run goes on to the same end."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ufine_kit.baseline import checkpoint
from ufine_kit.baseline.checkpoint import State, Tensors
from ufine_kit.baseline.origin import weights_of
from ufine_kit.dataset.reader import Release
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of
from ufine_kit.tables import BaselineTable

SELECT_BY = "R@1"


@dataclass
class Progress:
    """Steps done, the curve's last point, and the weights selected so far. Every field but `best` is plain JSON."""

    made_of: dict[str, str]
    step: int = 0
    loss: float = 0.0  # mean of the steps since the record before
    selected_step: int = 0
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    best: Tensors = field(default_factory=Tensors)

    def record(self, step: int, means: list[float], names: list[str], learning_rate: float) -> dict[str, Any]:
        """The curve's point at `step`: the weighted sum and, where there are several, each loss.

        Raises KitError for a loss that is no number.
        """
        self.step, self.loss = step, round(means[0], 6)
        if not math.isfinite(self.loss):
            raise KitError(
                f"the loss is not finite at step {step}",
                f"--set baseline.learning_rate={learning_rate / 3:.1g}",
            )
        each = {name: round(value, 6) for name, value in zip(names, means[1:], strict=True)}
        return {"step": step, "loss": self.loss, **(each if len(each) > 1 else {})}

    def consider(self, step: int, metrics: dict[str, float], model: nn.Module, rule: str) -> dict[str, float]:
        """Keep these weights if they are the best on `val` so far; by the rule `last`, or without metrics, the last are.

        Returns the metrics as they are kept.
        """
        metrics = {name: round(value, 4) for name, value in metrics.items()}
        if rule == "last" or not metrics or not self.metrics or metrics[SELECT_BY] > self.metrics[SELECT_BY]:
            self.selected_step, self.metrics = step, metrics
            self.best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        return metrics


def made_of(release: Release, table: BaselineTable) -> dict[str, str]:
    """What a checkpoint is made of: another of any is another checkpoint.

    `start` is there where weights are given and can be told from others of the same name.
    """
    recipe = table.model_dump(mode="json", exclude={"targets"})  # what a run is held against does not make it
    start = weights_of(table.pretrained) if table.pretrained else None
    found = {"data_digest": release.data_digest, "recipe_digest": digest_of(recipe)}
    return found | ({"start": start} if start else {})


def check_same(found: dict[str, str], wanted: dict[str, str], folder: Path) -> None:
    """Raise KitError where `folder` holds the training of another release or recipe, or from other weights."""
    kinds = {
        "data_digest": "release",
        "recipe_digest": "recipe",
        "start": "start: the weights of `baseline.pretrained`",
    }
    for key, what in kinds.items():
        if key in found and key in wanted and found[key] != wanted[key]:
            raise KitError(
                f"`{folder}` holds a checkpoint of another {what}",
                f"choose another name (--set baseline.name=...), or remove it: rm -r {folder}",
            )


def save(folder: Path, progress: Progress, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Replace the training state by that of now."""
    facts = {name: value for name, value in asdict(progress).items() if name != "best"}
    tensors = {f"weight.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in progress.best.items()}
    for name, parameter in model.named_parameters():
        kept: dict[str, torch.Tensor] = optimiser.state.get(parameter, {})
        tensors |= {f"adam.{name}/{key}": tensor for key, tensor in kept.items()}
    checkpoint.write_state(folder, State(tensors, facts))


def resume(
    folder: Path, wanted: dict[str, str], model: nn.Module, optimiser: torch.optim.Optimizer, writes: bool = True
) -> Progress:
    """Load the last checkpoint into `model` and `optimiser`, or begin; the curve is cut back to it by who `writes`."""
    state = checkpoint.read_state(folder)
    progress = Progress(wanted) if state is None else Progress(**state.facts, best=state.part("best."))
    if state is not None:
        check_same(progress.made_of, wanted, folder)
        model.load_state_dict(state.part("weight."))
        kept = state.part("adam.")
        for name, parameter in model.named_parameters():
            moments = {
                key: kept[f"{name}/{key}"] for key in ("step", "exp_avg", "exp_avg_sq") if f"{name}/{key}" in kept
            }
            if moments:
                optimiser.state[parameter] = _on_device(moments, parameter)
    if writes:
        checkpoint.cut_curve(folder, progress.step)
    return progress


def _on_device(moments: Tensors, parameter: torch.Tensor) -> dict[str, Any]:
    return {key: tensor.to(parameter.device) for key, tensor in moments.items()}
