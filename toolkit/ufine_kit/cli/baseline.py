"""`ufine-kit baseline-train` and `evaluate`: does a model learn from this release, and how well does it retrieve?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Sets, Work
from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE, KitError
from ufine_kit.output import Output

if TYPE_CHECKING:
    from ufine_kit.baseline.data import Pairs
    from ufine_kit.baseline.subject import Features, Subject
    from ufine_kit.dataset.reader import Release

ReleasePath = Annotated[Path | None, typer.Argument(help="Folder of a release; the newest under --work without it.")]
Releases = Annotated[
    list[Path] | None, typer.Argument(help="Folders of releases; the newest under --work without any.")
]


def baseline_train(
    release: ReleasePath = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Train this many times; mean and sd of the validation split.")
    ] = 1,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Train the baseline on a release, choosing the checkpoint on its validation split; goes on where it stopped."""
    from ufine_kit.baseline.check import check_recipe
    from ufine_kit.dataset.reader import newest_release, open_release
    from ufine_kit.recipe import load_recipe

    first = os.environ.get("RANK", "0") == "0"  # under torchrun the first process alone speaks
    out = Output(json)
    table = load_recipe(recipe, sets or ()).baseline
    check_recipe(table)
    opened = open_release(release or newest_release(work, "dataset"))
    folder = work / "checkpoints" / table.name
    length = f"{table.steps:,} steps" if table.epochs is None else f"{table.epochs:,} epochs"
    if first:
        out.say(f"baseline `{table.name}` on {opened.path}: {length} of {table.batch} images, into {folder}")
    if dry_run:
        steps = table.steps if table.epochs is None else None
        said = {"checkpoint": str(folder), "release": str(opened.path), "steps": steps, "epochs": table.epochs}
        out.result({**said, "seeds": seeds, "dry_run": True})
        return EXIT_DONE
    from dataclasses import asdict

    # Threads that wait in a busy loop take the core from those that work, where a machine is shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from ufine_kit.baseline.seeds import train_seeds
    from ufine_kit.baseline.train import train

    if seeds > 1:
        summary = train_seeds(opened, table, work / "checkpoints", seeds, out.say)
        if first:
            shown = [f"{name} {mean:.2f} ± {summary['sd'][name]:.2f}" for name, mean in summary["mean"].items()]
            lines = [f"{folder}: {seeds} seeds, selected by {summary['selection']}"]
            out.result(summary, [*lines, "  ".join(shown)] if shown else lines)  # no metrics without a val split
            out.next(f"ufine-kit evaluate {folder} {opened.path} --validate --work {work}")
        return EXIT_DONE
    trained = train(opened, table, folder, out.say)
    if first:
        line = f"{folder}: step {trained.step:,} of {trained.steps:,}, selected by {trained.selection}"
        report = {**asdict(trained), "folder": str(folder)}
        out.result(report, [line + (" (was done already)" if trained.already_done else "")])
        out.next(f"ufine-kit evaluate {folder} {opened.path} --work {work}")
    return EXIT_DONE


def evaluate(
    checkpoint: Annotated[Path | None, typer.Argument(help="Folder of a checkpoint, or of a series of seeds.")] = None,
    releases: Releases = None,
    split: Annotated[str, typer.Option("--split", help="test or val.")] = "test",
    zero_shot: Annotated[
        str | None,
        typer.Option("--zero-shot", metavar="MODEL", help="In place of a checkpoint: any CLIP, folder or Hub name."),
    ] = None,
    validate: Annotated[
        bool, typer.Option("--validate", help="Above zero-shot, chance with shuffled texts, texts cut short.")
    ] = False,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Then write all records as one table, Markdown and LaTeX.")
    ] = False,
    noise: Annotated[
        Path | None, typer.Option("--noise", metavar="FILE", help="Suspicious texts and crops, JSON lines.")
    ] = None,
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Score a checkpoint on releases and keep the records under baselines/, keyed by the release's data digest."""
    from ufine_kit.dataset.reader import newest_release, open_release

    if os.environ.get("RANK", "0") != "0":  # under torchrun the first process alone measures: one GPU is enough
        return EXIT_DONE
    out = Output(json)
    if zero_shot is not None:
        if validate:
            raise KitError("`--validate` is about a training", "leave out --zero-shot, or --validate")
        releases = [*([checkpoint] if checkpoint else []), *(releases or [])]
    elif checkpoint is None:
        raise KitError("no checkpoint is named", "ufine-kit evaluate work/checkpoints/NAME, or --zero-shot MODEL")
    opened = [open_release(path) for path in releases or [newest_release(work, "dataset")]]
    if zero_shot is None and checkpoint is not None and not checkpoint.is_dir():
        raise KitError(f"no checkpoint `{checkpoint}`", f"ufine-kit baseline-train {opened[0].path} --work {work}")
    if noise is not None and (len(opened) > 1 or validate):
        raise KitError("`--noise` is of one release, measured once", "name one release, and leave out --validate")
    if noise is not None and noise.is_dir():
        raise KitError(f"`{noise}` is a folder", f"name a file: --noise {noise / 'noise.jsonl'}")
    what = zero_shot or str(checkpoint)
    if dry_run:
        paths = [str(each.path) for each in opened]
        said = {"checkpoint": what, "releases": paths, "split": split, "dry_run": True}
        out.result(said, [f"{what} on {path}, split {split}" for path in paths])
        return EXIT_DONE
    from ufine_kit.baseline.evaluate import keep_record
    from ufine_kit.baseline.matrix import write_matrix
    from ufine_kit.baseline.subject import trained_subject, zero_shot_subject

    subject = None
    if not validate:
        subject = zero_shot_subject(zero_shot) if zero_shot else trained_subject(Path(what))
    kept: list[dict[str, Any]] = []
    for release in opened:  # each is kept as soon as it is measured: a later release may be refused
        record = _measured(subject, Path(what), release, split, noise)
        kept.append({"record": str(keep_record(work / "baselines", record)), **record})
    tables = [str(path) for path in write_matrix(work / "baselines", split)] if matrix else []
    _answer(out, kept, tables)
    passed = all(record.get("validation", {}).get("passed", True) for record in kept)
    asking = noise is not None and _say_where_to_look(out, work, noise)
    if passed and zero_shot is None and split == "test" and not asking:
        for path in _to_be_pushed(opened, kept):
            out.next(f"ufine-kit push-hub {path} --to DIR --work {work}")
    return EXIT_DONE if passed else EXIT_CHECK_FAILED


def _to_be_pushed(opened: list[Release], kept: list[dict[str, Any]]) -> list[Path]:
    """The one release that was measured; of several that which was trained on, since the others may be anybody's."""
    trained_on = (kept[0]["checkpoint"]["trained_on"] or {}).get("data_digest")
    own = [release for release in opened if len(opened) == 1 or release.data_digest == trained_on]
    return [release.path for release in own[:1]]


def _measured(
    subject: Subject | None, checkpoint: Path, release: Release, split: str, noise: Path | None
) -> dict[str, Any]:
    """The record of one release; without a subject, of the validation of all the seeds of `checkpoint`."""
    from ufine_kit.baseline.evaluate import evaluate_subject
    from ufine_kit.baseline.seeds import seeds_of
    from ufine_kit.baseline.validate import validate

    if subject is None:
        return validate(checkpoint.name, seeds_of(checkpoint), release, split)
    record, pairs, features = evaluate_subject(subject, release, split)
    return record | ({"noise": _write_noise(noise, pairs, features)} if noise else {})


def _write_noise(path: Path, pairs: Pairs, features: Features) -> dict[str, Any]:
    import json
    from collections import Counter

    from ufine_kit.baseline.noise import noise
    from ufine_kit.files import make_folder, write_bytes

    lines = noise(pairs, features)
    make_folder(path.parent)
    write_bytes(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())
    return {"file": str(path), **Counter(line["kind"] for line in lines)}


def _say_where_to_look(out: Output, work: Path, noise: Path) -> bool:
    """Name the campaigns that ask people about a list; false where none of its crops is of the work folder."""
    from ufine_kit.campaign.people import crop_people
    from ufine_kit.campaign.suspects import read_suspects

    suspects, known = read_suspects(noise), crop_people(work)
    described = sorted(path.parent.name for path in work.glob("descriptions/*/plan.json"))
    kinds = {
        f"fix {described[0] if len(described) == 1 else 'NAME'}": suspects.texts,
        "review NAME": suspects.crops,
    }
    asking = [kind for kind, found in kinds.items() if any(one.crop_id in known for one in found)]
    for kind in asking:
        out.next(f"ufine-kit campaign create {kind} --noise {noise} --work {work}")
    return bool(asking)


def _answer(out: Output, kept: list[dict[str, Any]], tables: list[str]) -> None:
    lines: list[str] = []
    for record in kept:
        mark = "  (synthetic world)" if record["synthetic"] else ""
        of = f"{record['release']['name']}: " if len(kept) > 1 else ""
        spread = {name: sd for name, sd in record.get("validation", {}).get("sd", {}).items() if sd is not None}
        values = [
            f"{name} {value:.2f}" + (f" ± {spread[name]:.2f}" if name in spread else "")
            for name, value in record["metrics"].items()
        ]
        lines.append(of + "  ".join(values) + mark)
        lines += _validated(record["validation"]) if "validation" in record else []
        lines += _held(record["targets"]) if "targets" in record else []
        if "noise" in record:
            found = {kind: number for kind, number in record["noise"].items() if kind != "file"}
            lines.append(
                f"{record['noise']['file']}: " + (", ".join(f"{n} {kind}" for kind, n in found.items()) or "none")
            )
        if record["captions_cut"]:
            out.say(f"{of}{record['captions_cut']:,} of {record['queries']:,} captions are longer than the model reads")
        for warning in record["warnings"]:
            out.say(f"warning: {warning}")
    answer = kept[0] if len(kept) == 1 else {"records": kept}
    out.result(answer | ({"matrix": tables} if tables else {}), [*lines, *tables])


def _validated(block: dict[str, Any]) -> list[str]:
    """What a validation found, seed by seed: above zero-shot, chance, and what the length of texts is worth."""
    luck = [
        f"{one['hits']} of {one['queries']:,} hit, chance {one['low']} to {one['high']}" for one in block["shuffled"]
    ]
    told = {"above_zero_shot": _differences(block["above_zero_shot"]), "shuffled_at_chance": "; ".join(luck)}
    lines = [
        f"{name.replace('_', ' ')}: {'yes' if passed else 'NO'}, {told[name]}"
        for name, passed in block["passes"].items()
    ]
    return lines + [
        f"full texts over their first {words} words: {_differences([one[words] for one in block['full_minus_cut']])}"
        for words in block["full_minus_cut"][0]
    ]


def _differences(each: list[dict[str, dict[str, float]]]) -> str:
    """Of R@1, one a seed, with its interval."""
    found = [one["R@1"] for one in each]
    return "R@1 " + "; ".join(f"{one['difference']:+.2f} ({one['low']:.2f} to {one['high']:.2f})" for one in found)


def _held(row: dict[str, Any]) -> list[str]:
    """How far a run lies from the published row of this release."""
    differences = "  ".join(f"{name} {value:+.2f}" for name, value in row["differences"].items())
    verdict = f"{'within' if row['within'] else 'NOT within'} {row['tolerance']:g}"
    return [f"against {row['paper']}: {differences}, {verdict}"]
