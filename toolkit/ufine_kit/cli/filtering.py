"""`ufine-kit filter`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Engine, Json, RecipeName, Redo, Sets, Shard, Work, Workers
from ufine_kit.output import Output, count


def filter_crops(
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    engine: Engine = "local",
    workers: Workers = 0,
    shard: Shard = None,
    redo: Redo = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Measure every crop once, then judge it by the thresholds of the recipe; dropped crops keep their reasons."""
    from ufine_kit.cli.stages import How, run_stage
    from ufine_kit.pipeline import BY_NAME, mirrored
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    chosen = load_recipe(recipe, sets or ())
    how = How(engine, workers, shard, redo, dry_run)
    measured = run_stage(out, "measures", work, chosen, mirrored(BY_NAME["measures"], work), how)
    judged = run_stage(out, "filter", work, chosen, mirrored(BY_NAME["filter"], work), how)
    out.result({"measures": measured.report, "filter": judged.report}, [] if dry_run else [_summary(work)])
    out.next(f"ufine-kit campaign pull NAME --from texts.jsonl --work {work}")
    return max(measured.exit_code, judged.exit_code)


def _summary(work: Path) -> str:
    """What the finished parts say, whichever run made them."""
    from ufine_kit.parts import done_parts

    parts = done_parts(work / "filter")
    total = sum(part.rows for part in parts)
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part.reasons)
    kept = sum(part.facts.get("kept", 0) for part in parts)
    words = "   ".join(f"{name} {number:,}" for name, number in reasons.most_common())
    return f"{count(total, 'crop')} judged, {kept:,} kept   {words}".rstrip()
