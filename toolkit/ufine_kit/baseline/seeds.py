"""The same training with several seeds: what it gives on average, and how far one run lies from another."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ufine_kit.baseline.checkpoint import SEEDS
from ufine_kit.baseline.device import choose_device
from ufine_kit.baseline.processes import from_environment, joined
from ufine_kit.baseline.train import Tell, TrainReport, train
from ufine_kit.dataset.reader import Release
from ufine_kit.errors import KitError
from ufine_kit.files import make_folder, read_json, write_json
from ufine_kit.tables import BaselineTable


def train_seeds(release: Release, table: BaselineTable, checkpoints: Path, seeds: int, tell: Tell) -> dict[str, Any]:
    """Train `checkpoints/<name>-seed0`, `-seed1`, ...; write and return mean and sd in `checkpoints/<name>/seeds.json`.

    Runs that are done are kept, so a stopped series goes on with the same command. Under `torchrun` the first process alone
    sums up; the others return nothing.
    """
    processes, reports = from_environment(), list[TrainReport]()
    with joined(processes, choose_device(table.device, processes.local_rank)):
        for seed in range(table.seed, table.seed + seeds):
            name = f"{table.name}-seed{seed}"
            if processes.first:
                tell(f"seed {seed}: {checkpoints / name}")
            own = table.model_copy(update={"name": name, "seed": seed})
            reports.append(train(release, own, checkpoints / name, tell))
    if not processes.first:  # its reports hold no metrics but those of runs that were done before
        return {}
    summary = {
        "name": table.name,
        "checkpoints": [report.folder.name for report in reports],
        "selection": reports[0].selection,
        "metrics_each": [report.metrics for report in reports],
        **mean_and_sd([report.metrics for report in reports]),
        "runs": [{**asdict(report), "folder": report.folder.name} for report in reports],
    }
    write_json(make_folder(checkpoints / table.name) / SEEDS, summary)
    return summary


def mean_and_sd(metrics: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and sample standard deviation of every metric; no deviation of a single run."""
    columns = {name: [each[name] for each in metrics] for name in metrics[0]}
    deviations = {name: statistics.stdev(each) for name, each in columns.items()} if len(metrics) > 1 else {}
    return {"mean": {name: statistics.fmean(each) for name, each in columns.items()}, "sd": deviations}


def seeds_of(checkpoint: Path) -> list[Path]:
    """The checkpoints that a folder stands for: those of its seeds, or itself. Raises KitError for one that is gone."""
    if not (checkpoint / SEEDS).is_file():
        return [checkpoint]
    folders = [checkpoint.parent / Path(name).name for name in read_json(checkpoint / SEEDS)["checkpoints"]]
    gone = [folder for folder in folders if not folder.is_dir()]
    if gone:
        raise KitError(f"no checkpoint `{gone[0]}`", "ufine-kit baseline-train --seeds N trains it again")
    return folders
