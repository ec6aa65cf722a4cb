"""All checks over one release: the folder first, then every row once, in workers, then the rows against each other."""

from __future__ import annotations

import difflib
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ufine_kit.dataset.checks import batch, layout, leakage, peers, record, rights
from ufine_kit.dataset.checks.batch import Aim, Batch, Looked, look
from ufine_kit.dataset.checks.check import Check, Level
from ufine_kit.dataset.checks.gathered import Gathered, Gathering
from ufine_kit.dataset.checks.layout import usable
from ufine_kit.dataset.checks.recorder import Recorder, recording
from ufine_kit.dataset.checks.report import NOT_ASKED, Outcome, Report, State, hashes, recipe_digest
from ufine_kit.dataset.checks.subject import NotRun, Subject, open_subject
from ufine_kit.errors import KitError
from ufine_kit.tables import CheckTable

FOLDER: list[Check] = layout.CHECKS
ROWS: list[Check] = batch.CHECKS
WHOLE: list[Check] = [*leakage.CHECKS, *record.CHECKS, *rights.CHECKS, *peers.CHECKS]
NEEDS_PIXELS = frozenset(("near_splits", "near_identities", "near_within", "same_image"))
AHEAD = 3  # row groups that wait for each worker: so much is in memory at most


def every_check() -> list[Check]:
    """Every check there is, in the order they are run."""
    return [*FOLDER, *ROWS, *WHOLE]


def check_release(
    folder: Path,
    table: CheckTable | None = None,
    *,
    findings: Path | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    workers: int = 1,
    say: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """Run the checks on `releases/<name>/<version>/`; offending rows go to the Parquet file `findings`.

    `only` and `skip` hold names of checks or tiers. `say` hears how many of how many row groups are looked at. The findings
    are the same for any number of workers. Raises KitError for a folder that is no release and a name that is no check.
    """
    table = table or CheckTable()
    chosen = choose(table, only, skip)
    subject = open_subject(folder, table)
    levels: dict[str, Level] = {name: level for name, level in table.levels.items() if level != "off"}
    untried: dict[str, str] = {
        check.name: "left out by the recipe" if table.levels.get(check.name) == "off" else NOT_ASKED
        for check in every_check()
        if check.name not in chosen
    }
    with recording(findings, levels) as recorder:
        for check in FOLDER:
            if check.name in chosen:
                _run(check, (subject,), recorder, untried)
        rows = _gather(subject, chosen, recorder, workers, say)
        for check in WHOLE:
            if check.name in chosen:
                _run(check, (subject, rows), recorder, untried)
    return _report(subject, recorder, untried)


def choose(table: CheckTable, only: Sequence[str], skip: Sequence[str]) -> set[str]:
    """Names of the checks to run. Raises KitError with the nearest name for one that is none."""
    known = {check.name: check.tier for check in every_check()}
    for name in (*only, *skip, *table.levels):
        if name not in known and (name in table.levels or name not in known.values()):
            near = difflib.get_close_matches(name, [*known, *known.values()], n=1, cutoff=0.5)
            raise KitError(
                f"no check `{name}`", f"did you mean `{near[0]}`?" if near else "ufine-kit check-release --list"
            )
    off = {name for name, level in table.levels.items() if level == "off"}
    return {
        name
        for name, tier in known.items()
        if (not only or {name, tier} & set(only)) and not {name, tier} & set(skip) and name not in off
    }


def _run(check: Check, given: tuple[object, ...], recorder: Recorder, untried: dict[str, str]) -> None:
    try:
        for fault in check.act(*given):
            recorder.take(check, fault)
    except NotRun as reason:
        untried[check.name] = str(reason)


def _gather(
    subject: Subject, chosen: set[str], recorder: Recorder, workers: int, say: Callable[[int, int], None]
) -> Gathered:
    """Look at every row group in order; what the row checks find goes to the recorder."""
    row_checks = {check.name: check for check in ROWS if check.name in chosen}
    whole = chosen & {check.name for check in WHOLE}
    pixels = bool(chosen & NEEDS_PIXELS) or any(check.tier == "pictures" for check in row_checks.values())
    gathering = Gathering(pixels)
    unreadable: list[tuple[str, str]] = []
    name = subject.manifest.name if subject.manifest else ""
    aim = Aim(subject.table, frozenset(row_checks), pixels, subject.tombstones, name)
    batches = list(_batches(subject, unreadable)) if row_checks or whole else []
    for done, (job, looked) in enumerate(_looked(batches, aim, workers), 1):
        for check, fault in looked.faults:
            recorder.take(row_checks[check], fault)
        gathering.add(looked.thin)
        if looked.unreadable:
            unreadable.append((job.file, looked.unreadable))
        say(done, len(batches))
    return gathering.all((subject.name_of(path) for path in subject.shards), unreadable)


def _batches(subject: Subject, unreadable: list[tuple[str, str]]) -> Iterator[Batch]:
    for shard, path in enumerate(subject.shards):
        name = subject.name_of(path)
        if not usable(path):
            unreadable.append((name, "its rows were not looked at: see `schema`"))
            continue
        first = 0
        try:
            metadata = pq.read_metadata(path)
        except (OSError, pa.ArrowException):
            continue
        for group in range(metadata.num_row_groups):
            size = metadata.row_group(group).total_byte_size
            if size > MOST_GROUP:
                unreadable.append((name, f"row group {group} has {size / 1e6:,.0f} MB and was not looked at"))
            else:
                yield Batch(str(path), name, shard, group, first)
            first += metadata.row_group(group).num_rows


MOST_GROUP = 2 << 30  # bytes


def _looked(batches: list[Batch], aim: Aim, workers: int) -> Iterator[tuple[Batch, Looked]]:
    """Batches with what was seen in them, in order, whoever looked."""
    if workers <= 1 or len(batches) <= 1:
        yield from ((job, look(job, aim)) for job in batches)
        return
    pool = ProcessPoolExecutor(min(workers, len(batches)), multiprocessing.get_context("spawn"), _begin, (aim,))
    waiting: deque[tuple[Batch, Future[Looked]]] = deque()
    todo: Iterable[Batch] = iter(batches)
    try:
        for job in todo:
            waiting.append((job, pool.submit(_look, job)))
            if len(waiting) >= workers * AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    except BrokenProcessPool:
        raise KitError("a worker process died (out of memory?)", "run the same command with fewer --workers") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_AIM: list[Aim] = []  # of a worker process: sent once, not with every batch


def _begin(aim: Aim) -> None:
    _AIM[:] = [aim]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group: the parent answers it
    pa.set_cpu_count(1)


def _look(job: Batch) -> Looked:
    return look(job, _AIM[0])


def _report(subject: Subject, recorder: Recorder, untried: dict[str, str]) -> Report:
    outcomes: list[Outcome] = []
    for check in every_check():
        counted = recorder.counts.get(check.name, {})
        state: State = "failed" if counted.get("fail") else "warned" if counted else "passed"
        if check.name in untried and not counted:
            state = "not run"
        examples = tuple(recorder.examples.get(check.name, ()))
        reason = untried.get(check.name) if state == "not run" else None
        outcomes.append(
            Outcome(check.name, check.tier, check.level, check.what, state, sum(counted.values()), reason, examples)
        )
    found = {name: dict(counted) for name, counted in recorder.counts.items() if counted}
    said = subject.manifest
    return Report(
        folder=str(subject.folder),
        name=said.name if said else "unknown",
        version=said.version if said else "0.0.0",
        data_digest=said.data_digest if said else "",
        release_sha256=hashes(subject.folder)[0],
        sums_sha256=hashes(subject.folder)[1],
        recipe=recipe_digest(subject.table),
        checks=tuple(outcomes),
        findings=found,
    )
