"""Training: one loop from first step to last, resumable at every checkpoint; it never looks at a test split."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import CLIPModel, PreTrainedTokenizerFast

from ufine_kit import crash
from ufine_kit.baseline import checkpoint
from ufine_kit.baseline.augment import Augmentation, augmented
from ufine_kit.baseline.checkpoint import State
from ufine_kit.baseline.data import Pairs, captions_of_images, from_short_to_long, images_of_step, load_pairs
from ufine_kit.baseline.device import choose_device, memory_named, settled
from ufine_kit.baseline.evaluate import TOOLS, is_synthetic
from ufine_kit.baseline.features import score_pairs
from ufine_kit.baseline.model import encode_images, encode_texts, new_model, parameter_count, without_padding
from ufine_kit.baseline.objective import Batch, new_heads, rarity, total_loss
from ufine_kit.baseline.tokens import PAD, encode, learn_tokenizer, mirrored
from ufine_kit.dataset.reader import Release
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of, make_folder
from ufine_kit.parts import versions
from ufine_kit.recipe import BaselineTable

RECORD_EVERY = 10  # steps whose mean loss is one point of the curve
SELECT_BY = "R@1"

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


@dataclass(frozen=True)
class Texts:
    """The captions as tokens: as they are and for the mirror image, int32 [2, M, L], with what it takes to draw one."""

    ids: torch.Tensor
    offsets: np.ndarray
    ranks: np.ndarray


def train(release: Release, table: BaselineTable, folder: Path, tell: Tell) -> TrainReport:
    """Train on the `train` split, select on `val` (the last step where there is none), write `folder`; resume if it can.

    On CPU an interrupted and resumed run ends in the same bytes as an unbroken one. Raises KitError for splits, sizes or
    images it cannot use, for lack of memory, and where `folder` holds another recipe's or another release's training.
    """
    done = _finished(release, table, folder)
    if done:
        return done
    device = choose_device(table.device)
    mend = f"ufine-kit baseline-train --set baseline.batch={max(table.batch // 2, 2)}"
    with settled(device, table.threads), memory_named(f"training with batches of {table.batch}", mend):
        return _train(release, table, make_folder(folder), device, tell)


def _train(release: Release, table: BaselineTable, folder: Path, device: torch.device, tell: Tell) -> TrainReport:
    # --- data: decoded and tokenised once
    size = table.image_height_px, table.image_width_px, table.threads
    pairs = load_pairs(release, "train", *size)
    if len(pairs.person_ids) < 2:
        raise KitError("the train split has one identity, nothing to tell apart", "build the release from more videos")
    val = load_pairs(release, "val", *size) if "val" in release.splits else None
    tokenizer = learn_tokenizer(pairs.captions, table.vocabulary, table.text_tokens)
    texts = _texts(tokenizer, pairs, tell)
    val_ids = encode(tokenizer, val.captions)[0] if val else None
    how = Augmentation(table.shift_px, table.erase, table.brightness, table.contrast)
    pixels, ids = pairs.pixels.to(device), texts.ids.to(device)

    # --- model, optimiser, and where an interrupted run stopped
    model = new_model(table, len(tokenizer)).to(device).train()
    heads = new_heads(table, len(tokenizer)).to(device)
    word_weights = rarity(texts.ids[0], len(tokenizer)).to(device)
    trained = nn.ModuleDict({"model": model, "heads": heads})
    optimiser = optimiser_of(trained, table)
    facts, best = _resume(folder, release, table, trained, optimiser)
    tell(
        f"{parameter_count(model):,} parameters, {len(pairs.people):,} images of {len(pairs.person_ids):,} identities,"
        f" {len(pairs.captions):,} captions, {device.type}"
        + ("" if val else "; no val split: the last step will be kept")
        + (f"; goes on after step {facts['step']}" if facts["step"] else "")
    )

    total = torch.zeros((), device=device)  # loss since the last record; read once a record, so that no step waits
    for step in range(facts["step"], table.steps):
        # --- a batch: everything random comes from the seed and the step
        rng = np.random.default_rng([table.seed, 1, step])
        images = images_of_step(step, len(pairs.people), table.batch, table.seed)
        captions = captions_of_images(images, texts.offsets, texts.ranks, rng.random())
        flipped = (rng.random(len(images)) < 0.5) & table.mirror
        seen = augmented(pixels[torch.from_numpy(images)], flipped, how, rng)  # [B, 3, H, W]
        read = without_padding(ids[torch.from_numpy(flipped.astype(np.int64)), torch.from_numpy(captions)])  # [B, L]
        people = pairs.people[torch.from_numpy(images)].to(device)

        # --- one step
        batch = Batch(encode_images(model, seen), encode_texts(model, read), people, read)
        loss = total_loss(table, heads, batch, word_weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*model.parameters(), *heads.parameters()], table.clip_norm)
        for group in optimiser.param_groups:
            group["lr"] = table.learning_rate * rate(step, table)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        total += loss.detach()
        crash.point("train.step")

        # --- the curve, the look at val, the checkpoint
        after = step + 1
        look = after % table.evaluate_every == 0 or after == table.steps
        if look or after % RECORD_EVERY == 0:
            facts |= {"step": after, "loss": round(total.item() / (after - facts["recorded"]), 6), "recorded": after}
            total.zero_()
            if not math.isfinite(facts["loss"]):
                raise KitError(f"the loss is not finite at step {after}", "--set baseline.learning_rate=0.0005")
            record: dict[str, Any] = {"step": after, "loss": facts["loss"]}
            if look:
                record |= _select(model, val, val_ids, facts, best, after)
                tell(
                    f"step {after:,} of {table.steps:,}: "
                    + ", ".join(f"{k} {v:.4g}" for k, v in record.items() if k != "step")
                )
            checkpoint.append_curve(folder, record)
        if look:
            checkpoint.write_state(folder, _state(trained, optimiser, best, facts))
            crash.point("train.checkpoint")

    # --- the selected weights, as transformers opens them
    model.load_state_dict(best)
    checkpoint.write_trained_on(folder, release.name, pairs.person_ids, pairs.image_sha256)
    checkpoint.write_checkpoint(folder, model, tokenizer, _card(release, table, model, facts, val is not None))
    checkpoint.remove_state(folder)
    return _report(folder, checkpoint.read_card(folder))


def _texts(tokenizer: PreTrainedTokenizerFast, pairs: Pairs, tell: Tell) -> Texts:
    plain, cut = encode(tokenizer, pairs.captions)
    other, _ = encode(tokenizer, [mirrored(caption) for caption in pairs.captions])
    if cut:
        limit = tokenizer.model_max_length
        if cut == len(pairs.captions):
            raise KitError(
                f"every caption is longer than {limit} tokens",
                "ufine-kit baseline-train --set baseline.text_tokens=168, or more",
            )
        tell(f"{cut:,} of {len(pairs.captions):,} captions are longer than {limit} tokens and are cut")
    longest = max(plain.shape[1], other.shape[1])
    both = [torch.nn.functional.pad(ids, (0, longest - ids.shape[1]), value=PAD) for ids in (plain, other)]
    lengths = (plain != PAD).sum(dim=1).numpy()
    offsets = pairs.caption_offsets
    return Texts(torch.stack(both), offsets, from_short_to_long(lengths, offsets))


def rate(step: int, table: BaselineTable) -> float:
    """Share of the learning rate at a step: linear up over the warm-up, then half a cosine down to 0."""
    warm = round(table.warmup * table.steps)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(table.steps - warm, 1)))


def optimiser_of(trained: nn.Module, table: BaselineTable) -> torch.optim.AdamW:
    """AdamW; biases, norms and single vectors are not decayed."""
    named = [(name, each) for name, each in trained.named_parameters() if name != "model.logit_scale"]
    groups = [
        {"params": [each for _, each in named if each.ndim > 1], "weight_decay": table.weight_decay},
        {"params": [each for _, each in named if each.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=table.learning_rate, betas=(0.9, 0.98), fused=True)


def _select(
    model: CLIPModel,
    val: Pairs | None,
    val_ids: torch.Tensor | None,
    facts: dict[str, Any],
    best: dict[str, torch.Tensor],
    step: int,
) -> dict[str, float]:
    """Measure on `val` and keep these weights in `best` if they are the best so far; without `val`, keep the last."""
    if val is None or val_ids is None:
        metrics = {}
    else:
        metrics = {name: round(value, 4) for name, value in score_pairs(model, val, val_ids).as_dict().items()}
        if facts["metrics"] and metrics[SELECT_BY] <= facts["metrics"][SELECT_BY]:
            return metrics
    facts |= {"selected_step": step, "metrics": metrics}
    best |= {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    return metrics


def _state(
    trained: nn.Module, optimiser: torch.optim.AdamW, best: dict[str, torch.Tensor], facts: dict[str, Any]
) -> State:
    tensors = {f"weight.{name}": tensor for name, tensor in trained.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    for name, parameter in trained.named_parameters():
        kept = optimiser.state.get(parameter, {})
        tensors |= {f"adam.{name}/{key}": kept[key] for key in kept}
    return State(tensors, facts)


def _resume(
    folder: Path, release: Release, table: BaselineTable, trained: nn.Module, optimiser: torch.optim.AdamW
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Facts and best weights of the last checkpoint, loaded into model and optimiser; those of a beginning without one."""
    begin = {
        "step": 0,
        "recorded": 0,
        "loss": None,
        "selected_step": 0,
        "metrics": {},
        "made_of": _made_of(release, table),
    }
    state = checkpoint.read_state(folder)
    if state is not None:
        _same(state.facts["made_of"], begin["made_of"], folder)
        trained.load_state_dict(state.part("weight."))
        kept = state.part("adam.")
        for name, parameter in trained.named_parameters():
            keys = {key.rpartition("/")[2]: tensor for key, tensor in kept.items() if key.rpartition("/")[0] == name}
            if keys:
                on = {key: tensor if key == "step" else tensor.to(parameter.device) for key, tensor in keys.items()}
                optimiser.state[parameter] = on
        begin = state.facts
    checkpoint.cut_curve(folder, begin["step"])
    return begin, state.part("best.") if state else {}


def _made_of(release: Release, table: BaselineTable) -> dict[str, str]:
    return {"data_digest": release.data_digest, "recipe_digest": digest_of(table.model_dump(mode="json"))}


def _same(found: dict[str, str], wanted: dict[str, str], folder: Path) -> None:
    for key, what in (("data_digest", "release"), ("recipe_digest", "recipe")):
        if found[key] != wanted[key]:
            raise KitError(
                f"`{folder}` holds a checkpoint of another {what}",
                f"choose another name (--set baseline.name=...), or remove it: rm -r {folder}",
            )


def _finished(release: Release, table: BaselineTable, folder: Path) -> TrainReport | None:
    if not (folder / checkpoint.CARD).exists():
        return None
    card = checkpoint.read_card(folder)
    found = {"data_digest": card["trained_on"]["data_digest"], "recipe_digest": card["recipe_digest"]}
    _same(found, _made_of(release, table), folder)
    return _report(folder, card, already_done=True)


def _card(
    release: Release, table: BaselineTable, model: CLIPModel, facts: dict[str, Any], has_val: bool
) -> dict[str, Any]:
    return {
        "format": checkpoint.FORMAT,
        "name": table.name,
        "synthetic": is_synthetic(release),
        "trained_on": {"name": release.name, "version": release.version, "data_digest": release.data_digest},
        "recipe": table.model_dump(mode="json"),
        "recipe_digest": facts["made_of"]["recipe_digest"],
        "image_height_px": table.image_height_px,
        "image_width_px": table.image_width_px,
        "text_tokens": table.text_tokens,
        "parameters": parameter_count(model),
        "selection": {
            "rule": f"best {SELECT_BY} on val" if has_val else "last",
            "step": facts["selected_step"],
            "steps": table.steps,
            "metrics": facts["metrics"],
        },
        "loss": facts["loss"],
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
