"""Ledgers: what cost people or models; append-only JSONL, one file a writer, joined by key and never invalidated."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from ufine_kit import crash
from ufine_kit.errors import KitError, storage_error
from ufine_kit.files import canonical_json, flush, make_folder

# Every entry says who, by what version, when and from which input; `key` is its identity.
REQUIRED = ("key", "who", "version", "at", "input")
TAIL_BYTES = 1 << 16


class Ledger(AbstractContextManager["Ledger"]):
    """One writer's file of a ledger folder, open for appending; a second process of the same writer gets a file beside it."""

    def __init__(self, folder: Path, writer: str) -> None:
        make_folder(folder)
        try:
            self.path, self._lock = _own_file(folder, writer)
            self._file: FileIO = self.path.open("a+b", buffering=0)
            _mend_tail(self._file, self.path)
            flush(folder)
        except OSError as error:
            storage_error(error, folder)

    def append(self, *entries: Mapping[str, Any]) -> None:
        """Write entries so that they survive a pulled plug. Raises KitError for a full disk; what was there stays.

        A batch goes to disk at once: one flush for many entries, and all of them or (after a crash) a whole beginning.
        """
        for entry in entries:
            missing = [name for name in REQUIRED if name not in entry]
            assert not missing, f"ledger entry without {missing}"
        line = b"".join(canonical_json(entry).encode() + b"\n" for entry in entries)
        start = self._file.seek(0, os.SEEK_END)
        try:
            half = len(line) // 2
            _write_all(self._file, line[:half])
            crash.point("ledger.torn")
            _write_all(self._file, line[half:])
            os.fsync(self._file.fileno())
        except OSError as error:
            _cut(self._file, start)
            storage_error(error, self.path)
        crash.point("ledger.appended")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._lock.release()


def _own_file(folder: Path, writer: str) -> tuple[Path, FileLock]:
    for number in range(1, 1000):
        name = writer if number == 1 else f"{writer}-{number}"
        held = FileLock(folder / f".{name}.lock", timeout=0)
        try:
            held.acquire()
        except Timeout:
            continue
        return folder / f"{name}.jsonl", held
    raise KitError(f"a thousand writers named `{writer}` are at work in `{folder}`", "stop some of them")


def _mend_tail(file: FileIO, path: Path) -> None:
    """A last line without its newline was torn by a crash: kept if it is whole, else set aside in `<name>.torn`."""
    size = file.seek(0, os.SEEK_END)
    cut, tail = size, b""
    while cut and b"\n" not in tail:  # from the end: a ledger may be large
        cut = max(0, cut - TAIL_BYTES)
        file.seek(cut)
        tail = file.read(size - cut)
    cut = size - len(tail) + tail.rfind(b"\n") + 1
    tail = tail[tail.rfind(b"\n") + 1 :]
    if not tail:
        return
    try:
        json.loads(tail)
    except ValueError:
        with path.with_suffix(".torn").open("ab") as torn:
            torn.write(tail + b"\n")
        _cut(file, cut)
    else:
        _write_all(file, b"\n")


def _write_all(file: FileIO, content: bytes) -> None:
    # Unbuffered: what a full disk refused must not be tried again when the file is closed.
    while content:
        content = content[file.write(content) :]


def _cut(file: FileIO, size: int) -> None:
    os.ftruncate(file.fileno(), size)
    file.seek(0, os.SEEK_END)


def read_ledger(folder: Path) -> dict[str, dict[str, Any]]:
    """All entries of all writers by key; of one key written twice the earlier stands. Order: time, then key.

    Raises KitError for a broken line that is not the torn last one: it names the file and the line.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for entry in _entries(path):
            held = found.get(entry["key"])
            if held is None or (entry["at"], canonical_json(entry)) < (held["at"], canonical_json(held)):
                found[entry["key"]] = entry
    return dict(sorted(found.items(), key=lambda item: (item[1]["at"], item[0])))


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """Every entry of every writer as it was written, one at a time: for ledgers that should not be in memory as a whole.

    Raises KitError as `read_ledger` does.
    """
    for path in sorted(folder.glob("*.jsonl")):
        yield from _entries(path)


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                entry = json.loads(line) if line.strip() else None
            except ValueError:
                if not line.endswith(b"\n"):  # torn by a crash; its writer sets it aside when it comes back
                    return
                raise KitError(
                    f"`{path}` line {number} is no JSON", "move that line to another file, then run again"
                ) from None
            if entry is None:
                continue
            if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in REQUIRED):
                raise KitError(
                    f"`{path}` line {number} is no ledger entry ({', '.join(REQUIRED)})",
                    "move that line to another file",
                )
            yield entry
