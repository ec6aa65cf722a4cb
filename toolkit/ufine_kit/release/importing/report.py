"""The report of an import, beside the versions of the release: a summary as JSON, every finding as a row of Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from ufine_kit.files import replacing, write_json
from ufine_kit.parquet import THIN_GROUP_ROWS, grouped, open_writer
from ufine_kit.release.importing.findings import LEFT_OUT, NOTES, Finding

SCHEMA = pa.schema([
    ("row", pa.int64()), ("left_out", pa.bool_()), ("reason", pa.string()), ("meaning", pa.string()),
    ("image", pa.string()), ("person", pa.string()), ("detail", pa.string()),
])  # fmt: skip


def report_paths(folder: Path, version: str) -> tuple[Path, Path]:
    """Where summary and rows of one version's import lie in `releases/<name>/`."""
    return folder / f"import-{version}.json", folder / f"import-{version}.parquet"


def write_report(folder: Path, version: str, summary: Mapping[str, Any], findings: Iterable[Finding]) -> None:
    """Write both files, rows in the order of the annotation file."""
    head, rows = report_paths(folder, version)
    with replacing(rows) as temporary, open_writer(temporary, SCHEMA) as writer:
        for group in grouped(sorted(findings, key=lambda found: (found.row, found.reason)), THIN_GROUP_ROWS):
            writer.write_table(pa.Table.from_pylist([_line(found) for found in group], schema=SCHEMA))
    write_json(head, summary)


def _line(found: Finding) -> dict[str, Any]:
    plain = {name: _plain(value) for name, value in asdict(found).items()}
    return {**plain, "left_out": found.left_out, "meaning": (LEFT_OUT | NOTES)[found.reason]}


def _plain(value: Any) -> Any:
    """Halves of surrogate pairs cannot be stored; everything else is kept, since it is data here."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
