"""The offending rows of a run, counted by check and written to a Parquet file as they come."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ufine_kit.dataset.checks.check import Check, Fault, Level, shown
from ufine_kit.files import make_folder, replacing
from ufine_kit.parquet import THIN_GROUP_ROWS, open_writer

SCHEMA = pa.schema(
    [*(pa.field(name, pa.string()) for name in ("check", "level", "image_id", "person_id", "split", "file")),
     pa.field("row", pa.int64()), pa.field("message", pa.string())]
)  # fmt: skip
SHOWN = 3  # faults of a check that a command names


class Recorder:
    """Takes faults of checks, at the level that the recipe gives them."""

    def __init__(self, writer: pq.ParquetWriter | None, levels: dict[str, Level]) -> None:
        self._writer = writer
        self._levels = levels
        self._rows: list[dict[str, Any]] = []
        self.counts: dict[str, Counter[Level]] = defaultdict(Counter)
        self.examples: dict[str, list[str]] = defaultdict(list)

    def take(self, check: Check, fault: Fault) -> None:
        """Count and keep one fault. A level of the recipe overrules the fault's own."""
        level = self._levels.get(check.name) or fault.level or check.level
        self.counts[check.name][level] += 1
        if len(self.examples[check.name]) < SHOWN:
            self.examples[check.name].append(" ".join(word for word in (_place(fault), fault.message) if word))
        if self._writer is not None:
            line = {**fault._asdict(), "check": check.name, "level": level}
            self._rows.append({name: line[name] for name in SCHEMA.names})
            if len(self._rows) >= THIN_GROUP_ROWS:
                self.flush()

    def flush(self) -> None:
        """Bring what was taken to the file."""
        if self._writer is not None and self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
        self._rows = []


def _place(fault: Fault) -> str:
    if fault.image_id:
        return f"`{shown(fault.image_id)}`:"
    return f"`{shown(fault.file)}`:" if fault.file else ""


@contextlib.contextmanager
def recording(path: Path | None, levels: dict[str, Level]) -> Generator[Recorder]:
    """A recorder whose file takes its name when all is in it; without a path it only counts."""
    if path is None:
        yield Recorder(None, levels)
        return
    make_folder(path.parent)
    with replacing(path) as temporary, open_writer(temporary, SCHEMA) as writer:
        recorder = Recorder(writer, levels)
        yield recorder
        recorder.flush()
