"""Parts: what machines make and can make again; the only module that knows how a stage folder rests on disk.

A folder holds `plan.json` (append-only), `part-NNNNN.parquet`, and `part-NNNNN.json`, written last: it is the done mark.
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, Self

from filelock import FileLock, Timeout

from ufine_kit import __version__, crash
from ufine_kit.errors import KitError, storage_error
from ufine_kit.files import make_folder, read_json, replacing, sha256_file, write_bytes, write_json
from ufine_kit.rows import Row, arrow_schema

State = Literal["missing", "done", "stale", "failed"]


@dataclass(frozen=True)
class PlanEntry:
    """One part that shall exist. `key` is its identity; `rows` tell the step what to do. An empty `part` is numbered on.

    `inputs` maps names to sha256; null stands for "whatever that upstream part is now" and is looked up when the part is made.
    """

    part: str
    key: str
    inputs: dict[str, str | None]
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass
class Facts:
    """What a step may say beside its rows: counted reasons, facts of this run, inputs it had to give up, attached files."""

    reasons: Counter[str] = field(default_factory=Counter[str])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    bad_inputs: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    attachments: dict[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(frozen=True)
class Done:
    """The content of a part's JSON."""

    part: str
    stage: str
    rows: int
    reasons: dict[str, int]
    sha256: str
    bytes: int
    inputs: dict[str, str]
    digest: str
    recipe: dict[str, Any]
    versions: dict[str, str]
    facts: dict[str, Any]
    bad_inputs: list[dict[str, str]]
    attachments: dict[str, str]
    error: str | None


def versions(*distributions: str) -> dict[str, str]:
    """The kit's, Python's and the named distributions' versions, for the record beside a part."""
    found = {"ufine-kit": __version__, "python": platform.python_version()}
    for name in ("pyarrow", *distributions):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


# --- the plan -------------------------------------------------------------------------------------------------------


def read_plan(folder: Path) -> list[PlanEntry]:
    """The planned parts of a stage folder, oldest first; empty where there is no plan."""
    path = folder / "plan.json"
    if not path.exists():
        return []
    try:
        return [PlanEntry(**entry) for entry in read_json(path)["parts"]]
    except (KeyError, TypeError) as error:
        raise KitError(f"`{path}` is no plan: {error}", "restore it from a copy, or choose another --work") from None


def append_plan(folder: Path, wanted: Iterable[PlanEntry]) -> list[PlanEntry]:
    """Add entries whose key the plan does not hold yet, numbering them on; what is planned is never changed. Returns all.

    Raises KitError where another run has planned a segment of theirs since they were thought of: none is made twice.
    """
    make_folder(folder)
    with lock(folder, "plan"):
        plan = read_plan(folder)
        known = {entry.key for entry in plan}
        fresh = [entry for entry in wanted if entry.key not in known]
        if not fresh:
            return plan
        planned = {segment for entry in plan for segment in _segments(entry)}
        taken = [name for entry in fresh for segment, name in _segments(entry).items() if segment in planned]
        if taken:
            raise KitError(f"`{taken[0]}` has just been planned by another run", "repeat the same command")
        plan += numbered(fresh, len(plan))
        write_json(folder / "plan.json", {"schema": 1, "parts": [asdict(entry) for entry in plan]})
    crash.point("plan.written")
    return plan


def _segments(entry: PlanEntry) -> dict[tuple[str, int], str]:
    """The video segments of an entry, if it is made of such, and the names of their videos."""
    rows = [row for row in entry.rows if "segment" in row]
    return {(row["video_sha256"], row["segment"]): row["video"] for row in rows}


def numbered(fresh: list[PlanEntry], first: int) -> list[PlanEntry]:
    """Entries with a name each: the one they came with (a stage that mirrors another keeps its names), else the next number."""
    return [replace(entry, part=entry.part or f"part-{first + i:05d}") for i, entry in enumerate(fresh)]


class _Lock(FileLock):
    """A lock that says in one line where it may not be taken: a folder without the right to write holds old locks too."""

    def __enter__(self) -> Self:
        try:
            return super().__enter__()
        except OSError as error:  # a Timeout among them, which stays what it is
            storage_error(error, self.lock_file)


def lock(folder: Path, name: str, wait_seconds: float = -1) -> FileLock:
    """A lock on one name of a folder, let go by the system when its holder dies. Waits for ever unless told.

    Entering it raises KitError without the right to write there.
    """
    make_folder(folder / ".locks")
    return _Lock(folder / ".locks" / f"{name}.lock", timeout=wait_seconds)


@contextlib.contextmanager
def claimed(folder: Path, part: str, wait: bool) -> Generator[bool]:
    """Whether this process may make the part now; another worker that holds it is waited for only with `wait`."""
    held = lock(folder, part, -1 if wait else 0)
    try:
        held.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        storage_error(error, folder / part)
    try:
        yield True
    finally:
        held.release()


# --- one part -------------------------------------------------------------------------------------------------------


def read_done(folder: Path, part: str) -> Done | None:
    """The done mark of a part; None where it is missing or torn, or where its Parquet file is not the one it speaks of."""
    try:
        done = Done(**json.loads((folder / f"{part}.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    if done.error is not None:
        return done
    parquet = folder / f"{part}.parquet"
    whole = parquet.is_file() and parquet.stat().st_size == done.bytes
    return done if whole and all((folder / f"{part}.{suffix}").is_file() for suffix in done.attachments) else None


def state_of(done: Done | None, digest: str, inputs: Mapping[str, str]) -> State:
    """Missing, done, failed, or stale: made from other inputs, by another recipe or by another version of the stage."""
    if done is None:
        return "missing"
    if done.digest != digest or done.inputs != dict(inputs):
        return "stale"
    return "done" if done.error is None else "failed"


def damaged(folder: Path, done: Done) -> list[str]:
    """Names of a part's files whose bytes are not those that its done mark speaks of."""
    files = {f"{done.part}.parquet": done.sha256} | {
        f"{done.part}.{suffix}": sha for suffix, sha in done.attachments.items()
    }
    return [name for name, sha in files.items() if not (folder / name).is_file() or sha256_file(folder / name) != sha]


def done_parts(folder: Path) -> list[Done]:
    """Every finished part of a folder that did not fail, in the order of its plan."""
    marks = [read_done(folder, entry.part) for entry in read_plan(folder)]
    return [done for done in marks if done is not None and done.error is None]


def write_part(folder: Path, part: str, rows: Iterable[Mapping[str, Any]], row: type[Row], said: Facts) -> int:
    """Stream rows into `part.parquet`, whole or not at all, and its attachments beside it. Returns the row count.

    The bytes depend on the rows alone: group borders are fixed and nothing in them tells the time.
    """
    make_folder(folder)
    with replacing(folder / f"{part}.parquet") as temporary:
        count = _write_parquet(temporary, rows, row, said)
        crash.point("part.before_replace")
    crash.point("part.parquet")
    for suffix, content in sorted(said.attachments.items()):
        write_bytes(folder / f"{part}.{suffix}", content)
        crash.point("part.attachment")
    return count


def _write_parquet(path: Path, rows: Iterable[Mapping[str, Any]], row: type[Row], said: Facts) -> int:
    # Arrow is imported here and not above: the commands that only look at done marks start without it.
    import pyarrow as pa

    from ufine_kit.parquet import group_rows, grouped, open_writer

    schema = arrow_schema(row)
    count = 0
    with open_writer(path, schema) as writer:
        for group in grouped(rows, group_rows(schema)):
            for record in group:
                said.reasons.update(record.get("reasons", ()))
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
            crash.point("part.rows")
    return count


def write_done(folder: Path, done: Done) -> None:
    """The last act on a part: from here on it exists."""
    write_json(folder / f"{done.part}.json", asdict(done))
    crash.point("part.json")


def remove_part(folder: Path, part: str) -> None:
    """Take a part away before it is made again: the done mark first, so that a crash leaves no part that lies.

    What a killed worker had half written goes too: only the holder of the part's lock comes here.
    """
    for path in [folder / f"{part}.json", *sorted(folder.glob(f"{part}.*")), *folder.glob(f".{part}.*.tmp")]:
        path.unlink(missing_ok=True)
