"""What all verbs that make parts have in common: show the plan, run it, say what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE
from ufine_kit.output import Output, count

if TYPE_CHECKING:
    from ufine_kit.engine import Result
    from ufine_kit.parts import PlanEntry
    from ufine_kit.recipe import Recipe


@dataclass(frozen=True)
class How:
    """The flags on how a stage runs."""

    engine: str = "local"
    workers: int = 0
    shard: str | None = None
    redo: bool = False
    dry_run: bool = False


@dataclass
class Ran:
    """What became of a stage: the object for `--json`, and the exit code."""

    report: dict[str, Any]
    exit_code: int


def run_stage(
    out: Output,
    name: str,
    work: Path,
    recipe: Recipe,
    wanted: Iterable[PlanEntry],
    how: How,
    paths: dict[str, str] | None = None,
    inner: str = "",
) -> Ran:
    """Plan and run one stage, a line or a bar step a part. Exit code 1 when an input could not be used."""
    from ufine_kit import pipeline

    plan = pipeline.plan(name, work, recipe, wanted, paths, how.redo, how.shard, not how.dry_run, inner)
    title = f"{name}/{inner}" if inner else name
    out.say(f"{title}: {count(len(plan.todo) + len(plan.done), 'part')}, {len(plan.done)} already done{_wrong(plan)}")
    report: dict[str, Any] = {"stage": title, "todo": [task.part for task in plan.todo], "done": plan.done}
    report |= {"stale": plan.stale, "failed": plan.failed, "dry_run": how.dry_run}
    if how.dry_run:
        return Ran(report, EXIT_DONE)
    workers = how.workers or pipeline.default_workers(len(plan.todo))
    with out.progress(len(plan.todo), title) as bar:
        outcome = pipeline.run(plan, how.engine, workers, lambda result: bar.step(line_of(result)))
    bad = [dict(entry) for result in outcome.made for entry in result.bad_inputs]
    for entry in bad:
        out.say(f"  unusable: {entry['input']}: {entry['reason']}")
    reasons: Counter[str] = Counter()
    for result in outcome.made:
        reasons.update(result.reasons)
    failed = {result.part: result.error for result in outcome.failed}
    report |= {"rows": outcome.rows, "reasons": dict(reasons.most_common()), "failed": failed, "bad_inputs": bad}
    return Ran(report, EXIT_CHECK_FAILED if failed or bad else EXIT_DONE)


def _wrong(plan: Any) -> str:
    words = [f", {len(parts)} {word}" for word, parts in (("stale", plan.stale), ("failed", plan.failed)) if parts]
    return "".join(words) + (" (--redo makes them again)" if words else "")


def line_of(result: Result) -> str:
    """One line of talk for one part."""
    if result.outcome == "failed":
        return f"  {result.part}  failed: {result.error}"
    reasons = "   ".join(f"{name} {number:,}" for name, number in Counter(result.reasons).most_common(4))
    return f"  {result.part}  {count(result.rows, 'row')}   {reasons}".rstrip()
