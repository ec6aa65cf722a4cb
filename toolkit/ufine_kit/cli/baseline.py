"""`ufine-kit baseline-train` and `evaluate`: does a model learn from this release, and how well does it retrieve?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Sets, Work
from ufine_kit.errors import EXIT_DONE, KitError
from ufine_kit.output import Output

ReleasePath = Annotated[Path | None, typer.Argument(help="Folder of a release; the newest under --work without it.")]


def baseline_train(
    release: ReleasePath = None,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Train the baseline on a release, choosing the checkpoint on its validation split; goes on where it stopped."""
    from ufine_kit.dataset.reader import newest_release, open_release
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    table = load_recipe(recipe, sets or ()).baseline
    opened = open_release(release or newest_release(work, "dataset"))
    folder = work / "checkpoints" / table.name
    out.say(f"baseline `{table.name}` on {opened.path}: {table.steps:,} steps of {table.batch} images, into {folder}")
    if dry_run:
        out.result({"checkpoint": str(folder), "release": str(opened.path), "steps": table.steps, "dry_run": True})
        return EXIT_DONE
    from dataclasses import asdict

    # Threads that wait in a busy loop take the core from those that work, where a machine is shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from ufine_kit.baseline.train import train

    trained = train(opened, table, folder, out.say)
    report = {**asdict(trained), "folder": str(folder)}
    line = f"{folder}: step {trained.step:,} of {trained.steps:,}, selected by {trained.selection}"
    out.result(report, [line + (" (was done already)" if trained.already_done else "")])
    out.next(f"ufine-kit evaluate {folder} {opened.path} --work {work}")
    return EXIT_DONE


def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a checkpoint.")],
    release: ReleasePath = None,
    split: Annotated[str, typer.Option("--split", help="test or val.")] = "test",
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Score a checkpoint on a release and keep the record under baselines/, keyed by the release's data digest."""
    from ufine_kit.dataset.reader import newest_release, open_release

    out = Output(json)
    opened = open_release(release or newest_release(work, "dataset"))
    if dry_run:
        if not checkpoint.is_dir():
            raise KitError(f"no checkpoint `{checkpoint}`", f"ufine-kit baseline-train {opened.path} --work {work}")
        said = {"checkpoint": str(checkpoint), "release": str(opened.path), "split": split, "dry_run": True}
        out.result(said, [f"{checkpoint} on {opened.path}, split {split}"])
        return EXIT_DONE
    from ufine_kit.baseline.evaluate import evaluate as measure
    from ufine_kit.baseline.evaluate import record_path
    from ufine_kit.files import make_folder, write_json

    record = measure(checkpoint, opened, split)
    path = record_path(work / "baselines", record)
    make_folder(path.parent)
    write_json(path, record)
    mark = "  (synthetic world)" if record["synthetic"] else ""
    line = "  ".join(f"{name} {value:.2f}" for name, value in record["metrics"].items())
    out.result({"record": str(path), **record}, [f"{line}{mark}"])
    out.next(f"ufine-kit push-hub {opened.path} --to DIR --work {work}")
    return EXIT_DONE
