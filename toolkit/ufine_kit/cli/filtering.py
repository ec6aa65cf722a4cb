"""`ufine-kit filter`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Engine, Json, RecipeName, Redo, Sets, Shard, Work, Workers
from ufine_kit.output import Output, count

if TYPE_CHECKING:
    from ufine_kit.parts import PlanEntry
    from ufine_kit.recipe import Recipe


def filter_crops(
    work: Work = DEFAULT_WORK,
    embedding: Annotated[
        str | None, typer.Option("--embedding", help="What tells persons apart: descriptor, reid, clip, none.")
    ] = None,
    embedding_weights: Annotated[
        Path | None, typer.Option("--embedding-weights", help="ReID network (boxmot), or folder of a CLIP model.")
    ] = None,
    pose_weights: Annotated[
        Path | None, typer.Option("--pose-weights", help="ONNX network of 17 COCO points by heat maps.")
    ] = None,
    trust_weights: Annotated[
        bool, typer.Option("--trust-weights", help="Load a pickle (.pt), which may run code.")
    ] = False,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Print thresholds of the embedding as recipe lines, judge nothing.")
    ] = False,
    false_merge_rate: Annotated[
        float,
        typer.Option("--false-merge-rate", min=1e-6, max=0.5, help="Of --calibrate: share of wrong pairs merged."),
    ] = 0.01,
    recipe: RecipeName = None,
    sets: Sets = None,
    engine: Engine = "local",
    workers: Workers = 0,
    shard: Shard = None,
    redo: Redo = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Measure every crop once, then mend identities and judge by the recipe's thresholds; dropped crops keep their reasons."""
    from ufine_kit.cli.stages import How, run_stage
    from ufine_kit.filter.embed import check_calibration, check_measures
    from ufine_kit.filter.pairs import plan_pairs
    from ufine_kit.filter.plan import plan_measures
    from ufine_kit.pipeline import BY_NAME, gathered
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    given = {"embedding": embedding, "embedding_weights": embedding_weights, "pose_weights": pose_weights}
    chosen = load_recipe(recipe, [*(sets or ()), *_as_sets(given)])
    check_measures(chosen.measure, trust_weights)
    if not calibrate:
        check_calibration(chosen.measure, chosen.filter)
    how = How(engine, workers, shard, redo, dry_run)
    measured = run_stage(out, "measures", work, chosen, plan_measures(work, chosen.measure), how)
    if calibrate:
        return measured.exit_code if dry_run else _calibrate(out, work, chosen, false_merge_rate)
    whole = gathered(BY_NAME["filter"], work)
    if not dry_run:
        _tell_waiting(out, work, whole)
    judged = run_stage(out, "filter", work, chosen, whole, how)
    report = {"measures": measured.report, "filter": judged.report}
    wanted = plan_pairs(work) if shard is None and not dry_run else []
    if wanted:  # one small part from all verdicts: made again whenever they have changed
        pairs = run_stage(out, "pairs", work, chosen, wanted, How(engine, workers, None, True, False))
        report["pairs"] = pairs.report
    out.result(report, [] if dry_run else [_summary(work)])
    if not dry_run:
        out.next(f"ufine-kit campaign pull NAME --from texts.jsonl --work {work}")
    return max(measured.exit_code, judged.exit_code)


def _tell_waiting(out: Output, work: Path, whole: list[PlanEntry]) -> None:
    """Identities need whole videos: say which parts were measured and are not judged yet."""
    from ufine_kit.parts import done_parts

    covered = {name.partition("/")[2] for entry in whole for name in entry.inputs}
    waiting = [done.part for done in done_parts(work / "tracklets") if done.part not in covered]
    if waiting:
        out.say(
            f"filter: {count(len(waiting), 'part')} held back until the rest of their videos is extracted and measured"
        )


def _as_sets(given: dict[str, Any]) -> list[str]:
    import json

    return [f"measure.{name}={json.dumps(str(value))}" for name, value in given.items() if value is not None]


def _calibrate(out: Output, work: Path, recipe: Recipe, false_merge_rate: float) -> int:
    """The thresholds as TOML on stdout, and what they were told from on stderr."""
    from dataclasses import asdict

    from ufine_kit.errors import EXIT_DONE
    from ufine_kit.filter.calibrate import calibrate
    from ufine_kit.filter.embed import name_of
    from ufine_kit.filter.plan import measured_videos

    found = calibrate(measured_videos(work), recipe.filter, false_merge_rate)
    out.say(
        f"{count(found.different_pairs, 'pair')} seen together, {count(found.same_pairs, 'tracklet')} in halves:"
        f" {found.found_again:.0%} of the halves would be joined"
    )
    lines = [
        f"# false merges: {false_merge_rate:g} of {found.different_pairs:,} pairs of people seen together",
        "[measure]",
        f'embedding = "{recipe.measure.embedding}"',
        *([f"embedding_weights = '{recipe.measure.embedding_weights}'"] if recipe.measure.embedding_weights else []),
        "[filter]",
        f'calibrated_for = "{name_of(recipe.measure)}"',
        f"relative = {str(recipe.filter.relative).lower()}",
        f"keep_similarity = {found.keep}",
        f"move_similarity = {found.move}",
        f"merge_similarity = {found.merge}",
    ]
    said = {"embedding": name_of(recipe.measure), "false_merge_rate": false_merge_rate, **asdict(found)}
    out.result(said, lines)
    out.next("put these lines into a recipe, then ufine-kit filter --recipe FILE --redo")
    return EXIT_DONE


def _summary(work: Path) -> str:
    """What the finished parts say, whichever run made them."""
    from ufine_kit.parts import done_parts

    parts = done_parts(work / "filter")
    total = sum(part.rows for part in parts)
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part.reasons)
    kept, people, tracks = (
        sum(part.facts.get(name, 0) for part in parts) for name in ("kept", "identities", "tracklets")
    )
    words = "   ".join(f"{name} {number:,}" for name, number in reasons.most_common())
    judged = (
        f"{count(total, 'crop')} judged, {kept:,} kept of {count(people, 'identity')} ({count(tracks, 'tracklet')})"
    )
    return f"{judged}   {words}".rstrip()
