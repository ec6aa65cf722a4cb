"""Every stage on one screen: what it reads, what it writes, what opens it; and the two acts on a stage, plan and run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ufine_kit import parts
from ufine_kit.engine import Result, Task, run_tasks, shard_of
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of
from ufine_kit.ledger import read_ledger
from ufine_kit.output import count
from ufine_kit.recipe import Recipe
from ufine_kit.rows import ROWS


@dataclass(frozen=True)
class Stage:
    """One stage of parts. `version` is raised whenever its results change, so that a mended bug is never skipped as done."""

    name: str
    version: int
    reads: tuple[str, ...]
    writes: str
    table: str
    step: str
    made_by: str
    tools: tuple[str, ...] = ()
    gpus: float = 0


# Whose versions stand in the done marks of crops: they decide about pixels and boxes.
VISION = ("av", "pillow", "numpy", "openvino", "onnxruntime", "opencv-python", "ultralytics", "boxmot")
# Whose versions stand in the done marks of scores.
LOOKS = ("pillow", "numpy", "torch", "transformers", "boxmot", "openvino", "onnxruntime")
NUMBERS = ("numpy",)
JUDGED = ("tracklets", "measures", "filter")
DECIDE = "ufine_kit.campaign.decisions:open_close_decisions"
PIPELINE = (
    Stage("tracklets", 2, (), "crop", "extract", "ufine_kit.extract.stage:open_extract", "extract-tracklets videos/", VISION),
    Stage("measures", 2, ("tracklets",), "measure", "measure", "ufine_kit.filter.measure:open_measure", "filter", LOOKS),
    Stage("filter", 2, ("tracklets", "measures"), "verdict", "filter", "ufine_kit.filter.judge:open_judge", "filter", NUMBERS),
    Stage("pairs", 1, JUDGED, "identity_pair", "filter", "ufine_kit.filter.pairs:open_pairs", "filter", NUMBERS),
    Stage("descriptions", 2, (), "description", "campaign", "ufine_kit.campaign.close:open_close", "campaign close"),
    Stage("decisions", 2, (), "review_decision", "campaign", DECIDE, "campaign close"),
    Stage("rewrites", 1, (), "rewrite", "rewrite", "ufine_kit.rewrite.freeze:open_freeze", "build-3c"),
)  # fmt: skip

BY_NAME = {stage.name: stage for stage in PIPELINE}
LEDGER = "ledger"  # an input `ledger/<campaign>` is the campaign's ledger as it is now


@dataclass(frozen=True)
class Plan:
    """What running a stage now would do. `failed` parts stay as they are unless `--redo` put them among `todo`."""

    stage: Stage
    folder: Path
    todo: list[Task]
    done: list[str]
    stale: list[str]
    failed: list[str]


@dataclass
class Outcome:
    """What running a stage did."""

    made: list[Result] = field(default_factory=list[Result])
    failed: list[Result] = field(default_factory=list[Result])

    @property
    def rows(self) -> int:
        """Rows made by this run."""
        return sum(result.rows for result in self.made)


def digest(stage: Stage, table: dict[str, Any]) -> str:
    """What made a part, beside its inputs: recipe table, stage version, version of the row's schema."""
    return digest_of([stage.name, stage.version, ROWS[stage.writes].VERSION, table])


def mirrored(stage: Stage, work: Path) -> list[parts.PlanEntry]:
    """Plan entries of a stage that follows its upstream part by part."""
    first, *others = stage.reads
    made = parts.done_parts(work / first)
    ready = [{done.part for done in parts.done_parts(work / other)} for other in others]
    if not made:
        _refuse_empty(BY_NAME[first], work)
    return [
        parts.PlanEntry(done.part, done.part, {f"{upstream}/{done.part}": None for upstream in stage.reads})
        for done in made
        if all(done.part in names for names in ready)
    ]


def _refuse_empty(stage: Stage, work: Path) -> NoReturn:
    marks = [parts.read_done(work / stage.name, entry.part) for entry in parts.read_plan(work / stage.name)]
    if any(done is not None for done in marks):
        raise KitError(f"no part of `{work / stage.name}` could be made", f"ufine-kit status --work {work} tells why")
    raise KitError(f"nothing in `{work / stage.name}` yet", f"ufine-kit {stage.made_by} --work {work}")


def gathered(stage: Stage, work: Path) -> list[parts.PlanEntry]:
    """Plan entries of a stage that needs whole videos: one for all upstream parts that share videos, named after the first.

    This is a barrier: a video waits until every part of it is made, or has failed and is left out.
    """
    first, *others = stage.reads
    whole = {entry.part for entry in mirrored(stage, work)}
    entries: list[parts.PlanEntry] = []
    for group in _sharing_a_video(parts.read_plan(work / first)):
        marks = [parts.read_done(work / first, name) for name in group]
        good = [done.part for done in marks if done is not None and done.error is None]
        if good and None not in marks and whole.issuperset(good):
            inputs = {f"{upstream}/{name}": None for name in good for upstream in (first, *others)}
            entries.append(parts.PlanEntry(group[0], group[0], dict(inputs)))
    return entries


def _sharing_a_video(plan: Iterable[parts.PlanEntry]) -> list[list[str]]:
    """Names of parts in groups: the segments of a long video together, short videos as they were packed."""
    groups: list[list[str]] = []
    place: dict[str, int] = {}
    for entry in plan:
        videos = [str(row["video_sha256"]) for row in entry.rows if "video_sha256" in row]
        known = next((place[video] for video in videos if video in place), len(groups))
        if known == len(groups):
            groups.append([])
        groups[known].append(entry.part)
        place.update(dict.fromkeys(videos, known))
    return groups


def plan(
    name: str,
    work: Path,
    recipe: Recipe,
    wanted: Iterable[parts.PlanEntry],
    paths: dict[str, str] | None = None,
    redo: bool = False,
    shard: str | None = None,
    write: bool = True,
    inner: str = "",
) -> Plan:
    """Compare what is wanted with what lies on disk. With `write`, new entries go into `plan.json` first.

    `inner` names a folder below the stage's own (one a campaign). Inputs count as they are now, rows as they were planned.
    Raises KitError when parts are stale and `redo` was not given: results of two recipes are never mixed unseen.
    """
    known = BY_NAME[name]
    folder = work / name / inner
    wanted = list(wanted)
    inputs_of = {entry.key: entry.inputs for entry in wanted}
    entries = parts.append_plan(folder, wanted) if write else _previewed(folder, wanted)
    table = getattr(recipe, known.table).model_dump(mode="json")
    made_of = digest(known, table)
    found: dict[str, list[Any]] = {"missing": [], "done": [], "stale": [], "failed": []}
    for entry in shard_of(shard, [entry for entry in entries if entry.key in inputs_of]):
        inputs = current(inputs_of[entry.key], work)
        done = parts.read_done(folder, entry.part)
        state = parts.state_of(done, made_of, inputs)
        if redo and write and state == "done" and done is not None and parts.damaged(folder, done):
            parts.remove_part(folder, entry.part)
            state = "missing"
        upstream = _upstream(known, work, inputs_of[entry.key])
        found[state].append(_task(known, folder, entry, table, made_of, inputs, upstream, paths or {}))
    todo = [*found["missing"], *(found["stale"] + found["failed"] if redo else [])]
    stale = [] if redo else [task.part for task in found["stale"]]
    if stale and write:
        raise KitError(
            f"{count(len(stale), 'stale part')} in `{folder}` (another recipe, version or inputs): {_some(stale)}",
            "repeat the command with --redo, or choose another --work",
        )
    return Plan(
        known, folder, todo, [task.part for task in found["done"]], stale, [task.part for task in found["failed"]]
    )


def _previewed(folder: Path, wanted: list[parts.PlanEntry]) -> list[parts.PlanEntry]:
    planned = parts.read_plan(folder)
    known = {entry.key for entry in planned}
    fresh = [entry for entry in wanted if entry.key not in known]
    return planned + parts.numbered(fresh, len(planned))


def current(inputs: Mapping[str, str | None], work: Path) -> dict[str, str]:
    """Inputs with what they are at this moment: null is looked up in the upstream part's done mark or in a ledger.

    What is missing has an empty sha256.
    """
    return {name: sha256 if sha256 is not None else _looked_up(name, work) for name, sha256 in inputs.items()}


def _looked_up(name: str, work: Path) -> str:
    upstream, _, part = name.partition("/")
    if upstream == LEDGER:
        return digest_of(read_ledger(work / "campaigns" / part / "ledger"))
    done = parts.read_done(work / upstream, part)
    return done.sha256 if done else ""


def outdated(folder: Path, work: Path) -> list[str]:
    """Finished parts of a folder whose upstream is no longer what they were made from."""
    names: list[str] = []
    for entry in parts.read_plan(folder):
        done = parts.read_done(folder, entry.part)
        followed = {name: None for name, sha256 in entry.inputs.items() if sha256 is None}
        if done and any(done.inputs.get(name) != sha256 for name, sha256 in current(followed, work).items()):
            names.append(entry.part)
    return names


def _upstream(known: Stage, work: Path, inputs: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    """The files of every stage that a part reads, in the order in which its inputs were named."""
    names = [name for name, sha256 in inputs.items() if sha256 is None]
    return {
        stage: tuple(str(work / f"{name}.parquet") for name in names if name.startswith(f"{stage}/"))
        for stage in known.reads
    }


def _task(
    known: Stage,
    folder: Path,
    entry: parts.PlanEntry,
    table: dict[str, Any],
    made_of: str,
    inputs: dict[str, str],
    upstream: dict[str, tuple[str, ...]],
    paths: dict[str, str],
) -> Task:
    return Task(
        known.name, str(folder), entry.part, known.step, known.writes, table, made_of, inputs, entry.rows,
        upstream, paths, known.tools, known.gpus,
    )  # fmt: skip


def run(plan: Plan, engine: str, workers: int, tell: Callable[[Result], None]) -> Outcome:
    """Make what the plan has to do, telling each result as it comes."""
    outcome = Outcome()
    for result in run_tasks(plan.todo, engine, workers):
        (outcome.failed if result.outcome == "failed" else outcome.made).append(result)
        tell(result)
    return outcome


def default_workers(tasks: int) -> int:
    """Processes that suit this machine: its usable cores, not more than there are parts."""
    return max(1, min(tasks, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
