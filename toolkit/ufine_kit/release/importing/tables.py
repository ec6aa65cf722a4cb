"""The simple layout: a folder of pictures and one table of them, as CSV, JSONL or a JSON list."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ufine_kit.errors import KitError
from ufine_kit.release.importing.json_stream import json_lines, json_rows

NAMES = ("metadata.csv", "metadata.jsonl", "annotations.csv", "annotations.jsonl", "annotations.json")
MOST_FIELD_CHARS = 1 << 20


def table_file(path: Path, given: Path | None) -> Path:
    """The table of a folder: the one given, one of the usual names, or the only one there. Raises KitError."""
    if given is not None or path.is_file():
        found = given or path
    elif not path.is_dir():
        raise KitError(f"no folder `{path}`", "name the folder of the pictures and their table")
    else:
        usual = [path / name for name in NAMES if (path / name).is_file()]
        tables = usual or [file for file in sorted(path.iterdir()) if file.suffix in READERS and file.is_file()]
        if len(tables) != 1 and not usual:
            which = f"more than one table in `{path}`" if tables else f"no table in `{path}`"
            raise KitError(which, f"name one: --annotations FILE ({', '.join(READERS)})")
        found = tables[0]
    if not found.is_file() or found.suffix not in READERS:
        raise KitError(f"`{found}` is no table", f"give a file that ends in {', '.join(READERS)}")
    return found


def table_rows(path: Path) -> Iterator[Any]:
    """Rows of a table, as its ending says. Raises KitError that names the file and the line."""
    return READERS[path.suffix](path)


def _csv_rows(path: Path) -> Iterator[Any]:
    csv.field_size_limit(MOST_FIELD_CHARS)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, restkey="", strict=True)
            header = list(reader.fieldnames or ())
            if doubled := [name for name in header if header.count(name) > 1]:
                raise KitError(f"`{path}` has two columns `{doubled[0]}`", "give every column a name of its own")
            yield from reader
    except (UnicodeDecodeError, csv.Error) as error:
        raise KitError(f"`{path}` is no UTF-8 CSV: {error}", "save it again as CSV in UTF-8") from None
    except OSError as error:
        raise KitError(f"cannot read `{path}`: {error.strerror}", "check that it exists and may be read") from None


READERS: dict[str, Callable[[Path], Iterator[Any]]] = {".csv": _csv_rows, ".jsonl": json_lines, ".json": json_rows}
