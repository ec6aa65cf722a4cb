"""Training: one loop from first step to last, resumable at every checkpoint; it never looks at a test split."""

from __future__ import annotations

import contextlib
import datetime
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from transformers import CLIPModel, PreTrainedTokenizerFast

from ufine_kit import crash
from ufine_kit.baseline import checkpoint
from ufine_kit.baseline.batches import draw, open_source
from ufine_kit.baseline.check import check_recipe
from ufine_kit.baseline.data import Pairs, held_out, load_pairs
from ufine_kit.baseline.device import choose_device, half_precision, memory_named, settled
from ufine_kit.baseline.features import score_pairs
from ufine_kit.baseline.model import check_patches, new_model, parameter_count
from ufine_kit.baseline.objective import Objective
from ufine_kit.baseline.optimise import optimiser_of, rate, schedule, set_rate
from ufine_kit.baseline.origin import Ancestry, ancestry
from ufine_kit.baseline.plot import plot_curve
from ufine_kit.baseline.pretrained import fitted, open_pretrained
from ufine_kit.baseline.processes import Processes, from_environment, joined, total
from ufine_kit.baseline.progress import SELECT_BY, Progress, check_same, made_of, resume, save
from ufine_kit.baseline.tokens import encode, learn_tokenizer
from ufine_kit.dataset.reader import Release
from ufine_kit.errors import KitError, storage_error
from ufine_kit.files import make_folder
from ufine_kit.parts import claimed, versions
from ufine_kit.tables import BaselineTable

RECORD_EVERY = 10  # steps whose mean loss is one point of the curve
QUIET_SECONDS = 30  # at most, where two looks at val lie further apart

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

    Under `torchrun` every process calls this; the first one speaks and writes. On CPU an interrupted and resumed run ends in
    the same bytes as an unbroken one. Raises KitError for splits, sizes, weights or images it cannot use, for lack of memory,
    and where `folder` holds another recipe's or another release's training.
    """
    check_recipe(table)
    processes = from_environment()
    device = choose_device(table.device, processes.local_rank)
    if table.batch % processes.count:
        raise KitError(
            f"a batch of {table.batch} does not divide among {processes.count} processes",
            f"--set baseline.batch={math.ceil(table.batch / processes.count) * processes.count}",
        )
    mend = f"--set baseline.batch={max(table.batch // 2, 2)}"
    memory = memory_named(f"training with batches of {table.batch}", mend)
    with contextlib.ExitStack() as block:
        if processes.first and not block.enter_context(claimed(make_folder(folder), "training", wait=False)):
            raise KitError(
                f"`{folder}` is being trained by another process",
                "wait for it, or choose another name: --set baseline.name=...",
            )
        for each in (joined(processes, device), settled(device, table.threads), memory):
            block.enter_context(each)
        if (folder / checkpoint.CARD).exists():
            card = checkpoint.read_card(folder)
            check_same(card["made_of"], made_of(release, table), folder)
            if processes.first:
                checkpoint.remove_state(folder)  # where the run before was killed at its last word
            return _report(folder, card, already_done=True)
        try:
            return _train(release, table, folder, device, processes, tell if processes.first else lambda _: None)
        except OSError as error:
            storage_error(error, folder)


def _train(
    release: Release, table: BaselineTable, folder: Path, device: torch.device, processes: Processes, tell: Tell
) -> TrainReport:
    # --- data: decoded and tokenised once; model, optimiser, and where an interrupted run stopped
    begun = start(table, []) if table.pretrained else None  # before pictures are decoded: it may be none that opens
    if counts := release.splits.get("train"):
        tell(f"decoding {counts['images']:,} images of split `train`")
    pairs, val = _splits(release, table)
    check_shares(len(pairs.people), table, processes)
    clip, tokenizer = begun or start(table, pairs.captions)
    before = ancestry(table.pretrained)
    source = open_source(pairs, tokenizer, table, device)
    pairs = replace(pairs, pixels=torch.empty(0))  # the source has them; beside a GPU's copy they would be in the way
    val_ids = encode(tokenizer, val.captions)[0] if val else torch.empty(0)
    objective = _with_losses(clip, table, len(pairs.person_ids)).to(device).train()
    optimiser, plan = optimiser_of(objective, table), schedule(table, len(pairs.captions))
    progress = resume(folder, made_of(release, table), objective, optimiser, processes.first)
    step_of = _stepping(objective, table, device, processes)
    tell(_told(table, pairs, source.cut, objective, progress, device, val))

    sums = torch.zeros(1 + len(objective.names), device=device)  # since the last record; read there, so no step waits
    recorded, resumed_at = progress.step, progress.step
    began = told_at = time.monotonic()
    for step in range(progress.step, plan.steps):
        # --- one step
        drawn = draw(source, table, step, processes)
        with torch.autocast(device.type, torch.bfloat16, enabled=half_precision(device, table.precision)):
            loss, each = step_of(drawn.images, drawn.ids, drawn.people, drawn.told)
        loss.backward()
        if table.clip_norm:
            nn.utils.clip_grad_norm_(objective.parameters(), table.clip_norm)
        set_rate(optimiser, rate(step, plan))
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        sums += torch.cat([loss.detach()[None], each])
        crash.point("train.step")

        # --- the curve, the look at val, the checkpoint: by the first process alone
        done = step + 1
        look = done % plan.look_every == 0 or done == plan.steps
        if look or done % RECORD_EVERY == 0:
            means = (total(sums) / (processes.count * (done - recorded))).tolist()
            record = progress.record(done, means, objective.names, table.learning_rate)
            recorded, sums = done, torch.zeros_like(sums)
            if look and processes.first:
                metrics = score_pairs(clip, val, val_ids).as_dict() if val else {}
                record |= progress.consider(done, metrics, clip, table.select)
            if look or time.monotonic() - told_at >= QUIET_SECONDS:
                told_at = time.monotonic()
                pace = (done - resumed_at) / (told_at - began)  # steps a second, looks at val included
                tell(
                    f"step {done:,} of {plan.steps:,}: " + _shown(record) + ahead(plan.steps - done, pace, table.batch)
                )
            if processes.first:
                checkpoint.append_curve(folder, record)
        if look and processes.first:
            plot_curve(folder)
            save(folder, progress, objective, optimiser)
            crash.point("train.checkpoint")

    # --- the selected weights, as transformers opens them
    if processes.first:
        clip.load_state_dict(progress.best)
        seen = before.people, before.images
        checkpoint.write_trained_on(folder, release.name, pairs.person_ids, pairs.image_sha256, seen)
        card = _card(release, table, progress, plan.steps, parameter_count(objective), pairs.sources, before)
        checkpoint.write_checkpoint(folder, clip, tokenizer, card)
        checkpoint.remove_state(folder)
        return _report(folder, checkpoint.read_card(folder))
    return TrainReport(folder, plan.steps, plan.steps, progress.loss, {}, "", parameter_count(objective))


def _splits(release: Release, table: BaselineTable) -> tuple[Pairs, Pairs | None]:
    size = table.image_height_px, table.image_width_px, table.threads
    pairs = load_pairs(release, "train", *size)
    val = load_pairs(release, "val", *size) if "val" in release.splits else None
    if val is None and table.val_share:
        pairs, val = held_out(pairs, table.val_share, table.seed)
    if len(pairs.person_ids) < 2:
        raise KitError("the train split has one identity, nothing to tell apart", "build the release from more videos")
    if val is not None and len(val.person_ids) < 2:
        val = None  # any ranking of one person is right: the first look would be chosen, however little it knows
    return pairs, val


def check_shares(images: int, table: BaselineTable, processes: Processes) -> None:
    """Raise KitError where so few images are left that a batch of all of them does not divide among the processes."""
    if min(table.batch, images) % processes.count:
        raise KitError(
            f"{images} train images do not divide among {processes.count} processes",
            "train in one process: ufine-kit baseline-train without torchrun",
        )


def start(table: BaselineTable, captions: list[str]) -> tuple[CLIPModel, PreTrainedTokenizerFast]:
    """Model and tokenizer before the first step: pretrained, or from scratch with words learned from `captions`."""
    if not table.pretrained:
        tokenizer = learn_tokenizer(captions, table.vocabulary, table.text_tokens)
        return new_model(table, len(tokenizer)), tokenizer
    model, tokenizer = open_pretrained(table.pretrained)
    check_patches(table.image_height_px, table.image_width_px, model.config.vision_config.patch_size)
    fitted(model, tokenizer, table.text_tokens, mask=bool(table.mask))
    return model, tokenizer


def _with_losses(clip: CLIPModel, table: BaselineTable, people: int) -> Objective:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(table.seed + 1)
        return Objective(clip, table, people)


def _stepping(
    objective: Objective, table: BaselineTable, device: torch.device, processes: Processes
) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """The objective as it is called in the loop: compiled and spread over processes where that is asked for."""
    step_of: Any = objective
    if processes.count > 1:
        numbers = [device.index] if device.type == "cuda" else None
        with warnings.catch_warnings():  # the flag's new name is unknown to torch before 2.15
            warnings.simplefilter("ignore", FutureWarning)
            step_of = DistributedDataParallel(objective, device_ids=numbers, broadcast_buffers=False)
    return torch.compile(step_of) if table.compile else step_of


def _told(
    table: BaselineTable,
    pairs: Pairs,
    cut: int,
    objective: Objective,
    progress: Progress,
    device: torch.device,
    val: Pairs | None,
) -> str:
    return (
        f"{parameter_count(objective):,} parameters, {len(pairs.people):,} images of {len(pairs.person_ids):,} identities,"
        f" {len(pairs.captions):,} captions ({cut:,} cut at {table.text_tokens} tokens), {device.type}"
        + (f"; {alone:,} with one image" if (alone := int((pairs.people.bincount() == 1).sum())) else "")
        + ("" if val else "; no val split with two identities: the last step will be kept")
        + (f"; goes on after step {progress.step}" if progress.step else "")
    )


def _shown(record: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value:.4g}" for key, value in record.items() if key != "step" and value is not None)


def ahead(steps: int, pace: float, batch: int) -> str:
    """How fast it goes, at so many steps a second, and how long it will; nothing where less than a minute is left."""
    left = datetime.timedelta(seconds=round(steps / pace))
    return f"; {pace * batch:,.0f} pairs a second, {left} left" if left.seconds >= 60 or left.days else ""


def _card(
    release: Release,
    table: BaselineTable,
    progress: Progress,
    steps: int,
    parameters: int,
    sources: list[str],
    before: Ancestry,
) -> dict[str, Any]:
    by_val = bool(progress.metrics) and table.select == "val"
    trained_on = {"name": release.name, "version": release.version, "data_digest": release.data_digest}
    return {
        "format": checkpoint.FORMAT,
        "name": table.name,
        "synthetic": release.manifest["synthetic"] or before.synthetic,
        "made_of": progress.made_of,
        "trained_on": {**trained_on, "sources": sorted({*sources, *before.sources})},
        "recipe": table.model_dump(mode="json"),
        "image_height_px": table.image_height_px,
        "image_width_px": table.image_width_px,
        "text_tokens": table.text_tokens,
        "parameters": parameters,
        "selection": {
            "rule": f"best {SELECT_BY} on val" if by_val else "last",
            "step": progress.selected_step,
            "steps": steps,
            "metrics": progress.metrics,
        },
        "loss": progress.loss,
        "versions": versions(*checkpoint.TOOLS),
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
