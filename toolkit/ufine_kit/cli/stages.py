"""What all verbs that make parts have in common: show the plan, run it, say what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE
from ufine_kit.output import Bar, Output, count

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
    bar: Callable[[Any], AbstractContextManager[Bar]] | None = None,
) -> Ran:
    """Plan and run one stage, a line or a bar step a part. Exit code 1 when an input could not be used.

    `bar` makes another progress bar for the plan than one that counts parts.
    """
    from ufine_kit import pipeline

    plan = pipeline.plan(name, work, recipe, wanted, paths, how.redo, how.shard, not how.dry_run, inner)
    title = f"{name}/{inner}" if inner else name
    out.say(f"{title}: {count(len(plan.todo) + len(plan.done), 'part')}, {len(plan.done)} already done{_wrong(plan)}")
    report: dict[str, Any] = {"stage": title, "todo": [task.part for task in plan.todo], "done": plan.done}
    report |= {"stale": plan.stale, "dry_run": how.dry_run}
    if how.dry_run:
        return Ran(report | _unusable(plan.folder, [*plan.done, *plan.failed]), EXIT_DONE)
    workers = how.workers or pipeline.default_workers(len(plan.todo))
    with bar(plan) if bar else out.progress(len(plan.todo), title) as shown:
        outcome = pipeline.run(plan, how.engine, workers, lambda result: shown.step(line_of(result)))
    made = [result.part for result in [*outcome.made, *outcome.failed]]
    # What could not be used is told on every run, not only on the one that met it first.
    unusable = _unusable(plan.folder, [*plan.done, *plan.failed, *made])
    for line in _untold(unusable, {result.part for result in outcome.failed}):
        out.say(f"  {line}")
    reasons: Counter[str] = Counter()
    for result in outcome.made:
        reasons.update(result.reasons)
    report |= {"rows": outcome.rows, "reasons": dict(reasons.most_common()), **unusable}
    return Ran(report, EXIT_CHECK_FAILED if unusable["failed"] or unusable["bad_inputs"] else EXIT_DONE)


def _untold(unusable: dict[str, Any], told: set[str]) -> list[str]:
    """Every fault in one line, less those of parts that failed a moment ago and said so."""
    faults = [f"{entry['input']}: {entry['reason']}" for entry in unusable["bad_inputs"]]
    errors: dict[str, str] = unusable["failed"]
    lines = [f"unusable: {fault}" for fault in faults if not any(fault in error for error in errors.values())]
    return lines + [f"{part}  failed: {error}" for part, error in errors.items() if part not in told]


def _unusable(folder: Path, names: list[str]) -> dict[str, Any]:
    """Failed parts with their errors, and inputs that had to be given up in parts that were made."""
    from ufine_kit.parts import read_done

    marks = [done for name in dict.fromkeys(names) if (done := read_done(folder, name)) is not None]
    failed = {done.part: done.error for done in marks if done.error is not None}
    return {"failed": failed, "bad_inputs": [entry for done in marks for entry in done.bad_inputs]}


def _wrong(plan: Any) -> str:
    words = [f", {len(parts)} {word}" for word, parts in (("stale", plan.stale), ("failed", plan.failed)) if parts]
    return "".join(words) + (" (--redo makes them again)" if words else "")


def line_of(result: Result) -> str:
    """One line of talk for one part."""
    if result.outcome == "failed":
        return f"  {result.part}  failed: {result.error}"
    reasons = "   ".join(f"{name} {number:,}" for name, number in Counter(result.reasons).most_common(4))
    return f"  {result.part}  {count(result.rows, 'row')}   {reasons}".rstrip()
