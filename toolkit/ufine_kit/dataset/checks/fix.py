"""A release mended where that is mechanical, as a new version beside the old one, which stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ufine_kit import parts
from ufine_kit.dataset import tombstones
from ufine_kit.dataset.checks.layout import usable
from ufine_kit.dataset.checks.mend import mended
from ufine_kit.dataset.reader import Release, open_release, read_rows
from ufine_kit.dataset.schema import release_schema
from ufine_kit.dataset.versions import before, bumped, refuse_taken, versions_in
from ufine_kit.dataset.writer import Shards, drafted, finish
from ufine_kit.errors import KitError
from ufine_kit.parquet import PIXEL_GROUP_ROWS, grouped
from ufine_kit.tables import CheckTable


@dataclass(frozen=True)
class Fixed:
    """What was mended, in the words of the CHANGELOG, and where the new version lies; without changes there is none."""

    folder: Path | None
    changes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "folder": str(self.folder) if self.folder else None}


def fix_release(
    folder: Path, version: str | None = None, dry_run: bool = False, table: CheckTable | None = None
) -> Fixed:
    """Write a mended copy of `releases/<name>/<version>/` as `version`, the next patch without one.

    Raises KitError where the version is taken, or the shards are no release's.
    """
    release = open_release(folder)
    target = _target(release, version)
    torn = [path for path in sorted((folder / "data").glob("*.parquet")) if not usable(path)]
    if torn:
        raise KitError(
            f"`{torn[0]}` has no release's columns, and nothing can be mended in it", "build or import it again"
        )
    told: Counter[str] = Counter()
    limits = table or CheckTable()
    rows = (mended(row, limits.max_pixels, told) for row in read_rows(release))
    if dry_run:
        for _ in rows:
            pass
        return Fixed(None, _lines(told))
    with parts.lock(target.parent, "build"):
        refuse_taken(target.parent, target.name)
        try:
            _write(release, target, rows, told)
        except _NothingToMend:
            return Fixed(None, ())
    return Fixed(target, _lines(told))


class _NothingToMend(Exception):
    """The draft is thrown away."""


def _target(release: Release, version: str | None) -> Path:
    beside = release.path.resolve().parent
    there = versions_in(beside)
    return beside / (version or bumped(there[-1] if there else release.version, "patch"))


def _write(release: Release, target: Path, rows: Iterator[dict[str, Any]], told: Counter[str]) -> None:
    schema = release_schema()
    with drafted(target) as draft:
        removed = tombstones.read_removed(target.parent, release.name)
        files = Shards(draft / "data", release.manifest["shards"], removed)
        for group in grouped(rows, PIXEL_GROUP_ROWS):
            files.add(pa.RecordBatch.from_pylist(group, schema=schema))
        if not +told:
            raise _NothingToMend
        counted = files.close()
        written = {
            **release.manifest,
            **counted,
            "version": target.name,
            "mended_from": {"version": release.version, "data_digest": release.data_digest},
            "sources": _recounted(release.manifest.get("sources", []), counted["splits"]),
            "versions": parts.versions(),
        }
        finish(draft, written, before(target.parent, target.name), removed, _lines(told))


def _recounted(sources: list[dict[str, Any]], splits: dict[str, Any]) -> list[dict[str, Any]]:
    """Images of each source, where one entry stands for all of a source: a tombstone may have taken some."""
    found: Counter[str] = Counter()
    for counted in splits.values():
        found.update(counted["sources"])
    entries = Counter(source["source"] for source in sources)
    return [
        {**source, "images": found[source["source"]]} if entries[source["source"]] == 1 else source
        for source in sources
    ]


def _lines(told: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{what}: {number:,}" for what, number in sorted(told.items()) if number)
