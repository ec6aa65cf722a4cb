"""Columns of parts and shards as Arrow: thin ones whole, those with pixels a few rows at a time; damage told in one line."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from ufine_kit.parquet import unreadable

compute: Any = pyarrow.compute  # its functions are made when it is imported, so no type checker knows them
BATCH_ROWS = 512


def read_columns(path: Path, columns: Sequence[str], coded: Sequence[str] = ()) -> pa.Table:
    """Columns of a file, whole in memory; those of `coded` (few different words) as dictionaries. Raises KitError."""
    with _readable(path), pq.ParquetFile(path, memory_map=True, read_dictionary=list(coded)) as file:
        return file.read(columns=list(columns), use_threads=False)


def read_batches(path: Path, columns: Sequence[str] | None = None, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """Columns of a file (None: all), a batch of rows at a time. Raises KitError when it is missing or damaged inside."""
    with _readable(path), pq.ParquetFile(path, pre_buffer=False) as file:
        # One thread: columns read side by side cost more CPU than they save time, beside other work.
        yield from file.iter_batches(rows, columns=list(columns) if columns else None, use_threads=False)


@contextlib.contextmanager
def _readable(path: Path) -> Generator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from None


def pictures(images: pa.StructArray) -> list[memoryview]:
    """The encoded bytes of every picture of an `image` column, without a copy."""
    column = images.field("bytes")
    _, _, data = column.buffers()
    offsets = memoryview(column.buffers()[1]).cast("i")[column.offset : column.offset + len(column) + 1].tolist()
    whole = memoryview(data) if data is not None else memoryview(b"")
    return [whole[start:end] for start, end in itertools.pairwise(offsets)]


def damaged_at(images: pa.StructArray, sha256: pa.Array) -> int | None:
    """The first row whose picture is not the one that its sha256 speaks of; None where all are."""
    for row, (picture, wanted) in enumerate(zip(pictures(images), sha256.to_pylist(), strict=True)):
        if hashlib.sha256(picture).hexdigest() != wanted:
            return row
    return None
