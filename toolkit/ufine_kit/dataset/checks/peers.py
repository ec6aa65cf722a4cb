"""Checks that the libraries of others read the release as it was written."""

from __future__ import annotations

import importlib.util
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from ufine_kit.dataset.checks.check import Fault, checks_of, shown
from ufine_kit.dataset.checks.gathered import Gathered
from ufine_kit.dataset.checks.layout import usable
from ufine_kit.dataset.checks.subject import NotRun, Subject
from ufine_kit.dataset.schema import release_schema
from ufine_kit.errors import KitError
from ufine_kit.parquet import read_rows

FIRST_ROWS = 4


def loads(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """`datasets.load_dataset` gives the features, as many rows a split, and first pictures with the very same bytes."""
    if importlib.util.find_spec("datasets") is None:
        raise NotRun("needs `uv pip install 'ufine-kit[hub]'`")
    if not all(usable(path) for path in subject.shards):
        raise NotRun("a shard does not open, see `schema`")
    with tempfile.TemporaryDirectory() as cache:
        yield from _loaded(subject, rows, cache)


def _loaded(subject: Subject, rows: Gathered, cache: str) -> Iterator[Fault]:
    import datasets

    files: dict[str, list[Path]] = {}
    for path in subject.shards:
        files.setdefault(path.name.partition("-")[0], []).append(path)
    wrong = (datasets.exceptions.DatasetsError, pa.ArrowException, OSError, ValueError, KeyError, TypeError, KitError)
    try:
        # As a user calls it. Streamed, with a cache of its own: nothing is copied, and no older copy answers instead.
        found: Any = datasets.load_dataset(str(subject.folder.resolve()), streaming=True, cache_dir=cache)
        if set(found) != set(files):
            yield Fault(f"splits {shown(sorted(found))}, the shards have {sorted(files)}", file="data")
        for split in sorted(set(found) & set(files)):
            wanted = int((rows.split == rows.splits.index(split)).sum()) if split in rows.splits else 0
            yield from _of_split(found[split], split, files[split], wanted)
    except wrong as error:
        yield Fault(f"{type(error).__name__}: {shown(str(error).splitlines()[0] if str(error) else '')}", file="data")


def _of_split(found: Any, split: str, paths: list[Path], wanted: int) -> Iterator[Fault]:
    import datasets

    if found.features != datasets.Features.from_arrow_schema(release_schema()):
        yield Fault("other features than a release has", split=split, file="data")
        return
    seen = sum(1 for _ in found.select_columns(["image_id"]))
    if seen != wanted:
        yield Fault(f"{seen:,} rows, {wanted:,} are there", split=split, file="data")
    plain = found.cast_column("image", datasets.Image(decode=False))
    mine = itertools.chain.from_iterable(read_rows(path) for path in paths)
    for at, (row, own) in enumerate(zip(plain.take(FIRST_ROWS), mine, strict=False)):
        if (row["image"]["bytes"], row["image_id"]) != (own["image"]["bytes"], own["image_id"]):
            yield Fault("a first row differs", shown(own["image_id"]), split=split, file="data", row=at)


CHECKS = checks_of("peers", (loads,), ())
