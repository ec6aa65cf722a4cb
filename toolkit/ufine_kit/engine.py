"""Where parts run: this process, local workers, or Ray; the bytes are the same wherever that is."""

from __future__ import annotations

import contextlib
import functools
import importlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ufine_kit import parts
from ufine_kit.errors import BadInput, KitError
from ufine_kit.files import canonical_json, sha256_file
from ufine_kit.rows import ROWS

RUNNERS = {"local": "ufine_kit.engine:run_local", "ray": "ufine_kit.adapters.ray:run_on_ray"}

Outcome = Literal["made", "done", "busy", "failed"]


@dataclass(frozen=True)
class Job:
    """What a step gets: the rows of its plan entry, the parts it reads, where its files lie, and a place for facts."""

    part: str
    rows: list[dict[str, Any]]
    upstream: dict[str, tuple[Path, ...]]
    paths: dict[str, str]
    said: parts.Facts = field(default_factory=parts.Facts)

    def read(self, stage: str, columns: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
        """Rows of this part in a stage that it reads: all of the parts that it is made from, in the order of the plan."""
        from ufine_kit.parquet import read_rows

        wanted = list(columns) if columns else None
        return (row for path in self.upstream[stage] for row in read_rows(path, wanted))


Step = Callable[[Job], Iterator[dict[str, Any]]]


@dataclass(frozen=True)
class Task:
    """One part to make, as plain data that travels to any worker."""

    stage: str
    folder: str
    part: str
    opener: str
    row: str
    table: dict[str, Any]
    digest: str
    inputs: dict[str, str]
    rows: list[dict[str, Any]]
    upstream: dict[str, tuple[str, ...]]
    paths: dict[str, str]
    tools: tuple[str, ...] = ()
    gpus: float = 0


@dataclass(frozen=True)
class Result:
    """What became of one task."""

    part: str
    outcome: Outcome
    rows: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict[str, int])
    bad_inputs: tuple[Mapping[str, str], ...] = ()
    error: str | None = None


Runner = Callable[[list[Task], int], Iterator[Result]]


def resolve(name: str) -> Any:
    """The object behind `package.module:name`."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


@functools.lru_cache(maxsize=4)
def _opened(opener: str, table: str) -> Step:
    """Heavy state is opened once for a process and a recipe, not once a part."""
    import json

    return resolve(opener)(json.loads(table))


def make_part(task: Task, wait: bool = False) -> Result:
    """Make one part, unless it is done or another worker holds it (`wait`: let that one finish first)."""
    folder = Path(task.folder)
    with parts.claimed(folder, task.part, wait) as mine:
        if not mine:
            return Result(task.part, "busy")
        done = parts.read_done(folder, task.part)
        if parts.state_of(done, task.digest, task.inputs) == "done" and done is not None:
            return Result(task.part, "done", done.rows, done.reasons)
        parts.remove_part(folder, task.part)
        return _make(task, folder)


def _make(task: Task, folder: Path) -> Result:
    started = time.monotonic()
    upstream = {name: tuple(Path(path) for path in paths) for name, paths in task.upstream.items()}
    job = Job(task.part, task.rows, upstream, task.paths)
    error: str | None = None
    try:
        rows = _opened(task.opener, canonical_json(task.table))(job)
        count = parts.write_part(folder, task.part, rows, ROWS[task.row], job.said)
    except BadInput as bad:
        error, count = f"{bad.problem}; {bad.mend}", 0
    parquet = folder / f"{task.part}.parquet"
    done = parts.Done(
        part=task.part,
        stage=task.stage,
        rows=count,
        reasons=dict(sorted(job.said.reasons.items())),
        sha256="" if error else sha256_file(parquet),
        bytes=0 if error else parquet.stat().st_size,
        inputs=task.inputs,
        digest=task.digest,
        recipe=task.table,
        versions=parts.versions(*task.tools),
        facts={**job.said.facts, "seconds": round(time.monotonic() - started, 3)},
        bad_inputs=job.said.bad_inputs,
        attachments={suffix: sha256_file(folder / f"{task.part}.{suffix}") for suffix in sorted(job.said.attachments)},
        error=error,
    )
    parts.write_done(folder, done)
    return Result(task.part, "failed" if error else "made", count, done.reasons, tuple(done.bad_inputs), error)


def run_tasks(tasks: list[Task], engine: str, workers: int) -> Iterator[Result]:
    """Results as they come. Parts that another process holds are waited for at the end, and made here if it died."""
    if engine not in RUNNERS:
        raise KitError(f"no engine `{engine}`", f"choose one of: {', '.join(RUNNERS)}")
    runner: Runner = resolve(RUNNERS[engine])
    busy: set[str] = set()
    for result in runner(tasks, workers):
        if result.outcome == "busy":
            busy.add(result.part)
        else:
            yield result
    for task in tasks:
        if task.part in busy:
            yield make_part(task, wait=True)


def run_local(tasks: list[Task], workers: int) -> Iterator[Result]:
    """In this process for one worker or one task, else in that many fresh processes."""
    if workers <= 1 or len(tasks) <= 1:
        yield from (make_part(task) for task in tasks)
        return
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(min(workers, len(tasks)), multiprocessing.get_context("spawn"), _begin_worker)
    try:
        with _deaf_to_ctrl_c():
            futures = [pool.submit(make_part, task) for task in tasks]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool:
        raise KitError(
            "a worker process died (out of memory?)",
            "run the same command again with fewer --workers: finished parts are kept",
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Generator[None]:
    """Workers are started with Ctrl-C blocked, and keep it blocked: it goes to the whole group, and the parent answers it.

    The parent hears it once all of them stand: a worker that is cut off from half its orders says so in a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt


def _begin_worker() -> None:
    # One thread each keeps the machine's cores for parts.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def shard_of(word: str | None, entries: list[Any]) -> list[Any]:
    """The share `i/N` (from 1/N to N/N) of a list. Raises KitError for anything else."""
    if word is None:
        return entries
    index, slash, count = word.partition("/")
    if not (slash and index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise KitError(f"`--shard {word}` is not `i/N` with 1 <= i <= N", "write it like --shard 1/4 ... --shard 4/4")
    return entries[int(index) - 1 :: int(count)]
