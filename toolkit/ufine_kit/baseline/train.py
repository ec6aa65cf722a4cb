"""Training: one loop from first step to last, resumable at every checkpoint; it never looks at a test split."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ufine_kit import crash
from ufine_kit.baseline import checkpoint
from ufine_kit.baseline.batches import draw, open_source
from ufine_kit.baseline.data import Pairs, load_pairs
from ufine_kit.baseline.device import choose_device, memory_named, settled
from ufine_kit.baseline.evaluate import TOOLS
from ufine_kit.baseline.features import score_pairs
from ufine_kit.baseline.losses import LOSSES
from ufine_kit.baseline.model import encode_images, encode_texts, new_model, parameter_count
from ufine_kit.baseline.progress import SELECT_BY, Progress, check_same, made_of, resume, save
from ufine_kit.baseline.tokens import encode, learn_tokenizer
from ufine_kit.dataset.reader import Release
from ufine_kit.errors import KitError, storage_error
from ufine_kit.files import make_folder
from ufine_kit.parts import claimed, versions
from ufine_kit.tables import BaselineTable

RECORD_EVERY = 10  # steps whose mean loss is one point of the curve

Tell = Callable[[str], None]


@dataclass(frozen=True)
class TrainReport:
    """What came out. `metrics` are those of the validation split at `step`, empty where there is no such split."""

    folder: Path
    step: int
    steps: int
    loss: float
    metrics: dict[str, float]
    selection: str
    parameters: int
    already_done: bool = False


def train(release: Release, table: BaselineTable, folder: Path, tell: Tell) -> TrainReport:
    """Train on the `train` split, select on `val` (the last step where there is none), write `folder`; resume if it can.

    On CPU an interrupted and resumed run ends in the same bytes as an unbroken one. Raises KitError for splits, sizes or
    images it cannot use, for lack of memory, and where `folder` holds another recipe's or another release's training.
    """
    device = choose_device(table.device)
    mend = f"ufine-kit baseline-train --set baseline.batch={max(table.batch // 2, 2)}"
    memory = memory_named(f"training with batches of {table.batch}", mend)
    with claimed(make_folder(folder), "training", wait=False) as mine, settled(device, table.threads), memory:
        if not mine:
            raise KitError(
                f"`{folder}` is being trained by another process",
                "wait for it, or choose another name: --set baseline.name=...",
            )
        if (folder / checkpoint.CARD).exists():
            card = checkpoint.read_card(folder)
            check_same(card["made_of"], made_of(release, table), folder)
            return _report(folder, card, already_done=True)
        try:
            return _train(release, table, folder, device, tell)
        except OSError as error:
            storage_error(error, folder)


def _train(release: Release, table: BaselineTable, folder: Path, device: torch.device, tell: Tell) -> TrainReport:
    # --- data: decoded and tokenised once
    pairs, val = _splits(release, table)
    tokenizer = learn_tokenizer(pairs.captions, table.vocabulary, table.text_tokens)
    source = open_source(pairs, tokenizer, device)
    val_ids = encode(tokenizer, val.captions)[0] if val else torch.empty(0)

    # --- model, optimiser, and where an interrupted run stopped
    model = new_model(table, len(tokenizer)).to(device).train()
    optimiser = optimiser_of(model, table)
    progress = resume(folder, made_of(release, table), model, optimiser)
    tell(
        f"{parameter_count(model):,} parameters, {len(pairs.people):,} images of {len(pairs.person_ids):,} identities,"
        f" {len(pairs.captions):,} captions ({source.cut:,} cut at {table.text_tokens} tokens), {device.type}"
        + ("" if val else "; no val split: the last step will be kept")
        + (f"; goes on after step {progress.step}" if progress.step else "")
    )

    total = torch.zeros((), device=device)  # loss since the last record; read once a record, so that no step waits
    recorded = progress.step
    for step in range(progress.step, table.steps):
        # --- one step
        drawn = draw(source, table, step)
        images, texts = encode_images(model, drawn.images), encode_texts(model, drawn.ids)  # [B, D] each
        loss = LOSSES[table.loss](images, texts, drawn.people, table.temperature)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), table.clip_norm)
        for group in optimiser.param_groups:
            group["lr"] = table.learning_rate * rate(step, table)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        total += loss.detach()
        crash.point("train.step")

        # --- the curve, the look at val, the checkpoint
        done = step + 1
        look = done % table.evaluate_every == 0 or done == table.steps
        if look or done % RECORD_EVERY == 0:
            progress.step, progress.loss = done, round(total.item() / (done - recorded), 6)
            recorded, total = done, torch.zeros_like(total)
            if not math.isfinite(progress.loss):
                raise KitError(
                    f"the loss is not finite at step {done}",
                    f"ufine-kit baseline-train --set baseline.learning_rate={table.learning_rate / 3:.1g}",
                )
            record: dict[str, Any] = {"step": done, "loss": progress.loss}
            if look:
                metrics = (
                    {name: round(value, 4) for name, value in score_pairs(model, val, val_ids).as_dict().items()}
                    if val
                    else {}
                )
                progress.consider(done, metrics, model)
                record |= metrics
                tell(
                    f"step {done:,} of {table.steps:,}: "
                    + ", ".join(f"{key} {value:.4g}" for key, value in record.items() if key != "step")
                )
            checkpoint.append_curve(folder, record)
        if look:
            save(folder, progress, model, optimiser)
            crash.point("train.checkpoint")

    # --- the selected weights, as transformers opens them
    model.load_state_dict(progress.best)
    checkpoint.write_trained_on(folder, release.name, pairs.person_ids, pairs.image_sha256)
    checkpoint.write_checkpoint(folder, model, tokenizer, _card(release, table, progress, parameter_count(model)))
    checkpoint.remove_state(folder)
    return _report(folder, checkpoint.read_card(folder))


def _splits(release: Release, table: BaselineTable) -> tuple[Pairs, Pairs | None]:
    size = table.image_height_px, table.image_width_px, table.threads
    pairs = load_pairs(release, "train", *size)
    if len(pairs.person_ids) < 2:
        raise KitError("the train split has one identity, nothing to tell apart", "build the release from more videos")
    return pairs, load_pairs(release, "val", *size) if "val" in release.splits else None


def rate(step: int, table: BaselineTable) -> float:
    """Share of the learning rate at a step: linear up over the warm-up, then half a cosine down to 0."""
    warm = round(table.warmup * table.steps)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(table.steps - warm, 1)))


def optimiser_of(model: nn.Module, table: BaselineTable) -> torch.optim.AdamW:
    """AdamW; biases, norms and single vectors are not decayed."""
    named = [(name, each) for name, each in model.named_parameters() if name != "logit_scale"]
    groups = [
        {"params": [each for _, each in named if each.ndim > 1], "weight_decay": table.weight_decay},
        {"params": [each for _, each in named if each.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=table.learning_rate, betas=(0.9, 0.98), fused=True)


def _card(release: Release, table: BaselineTable, progress: Progress, parameters: int) -> dict[str, Any]:
    return {
        "format": checkpoint.FORMAT,
        "name": table.name,
        "synthetic": release.manifest["synthetic"],
        "made_of": progress.made_of,
        "trained_on": {"name": release.name, "version": release.version, "data_digest": release.data_digest},
        "recipe": table.model_dump(mode="json"),
        "image_height_px": table.image_height_px,
        "image_width_px": table.image_width_px,
        "text_tokens": table.text_tokens,
        "parameters": parameters,
        "selection": {
            "rule": f"best {SELECT_BY} on val" if progress.metrics else "last",
            "step": progress.selected_step,
            "steps": table.steps,
            "metrics": progress.metrics,
        },
        "loss": progress.loss,
        "versions": versions(*TOOLS),
    }


def _report(folder: Path, card: dict[str, Any], already_done: bool = False) -> TrainReport:
    chosen = card["selection"]
    return TrainReport(
        folder,
        chosen["step"],
        chosen["steps"],
        card["loss"],
        chosen["metrics"],
        chosen["rule"],
        card["parameters"],
        already_done,
    )
