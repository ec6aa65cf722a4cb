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
from ufine_kit.dataset.versions import before, bumped, number_of, of_major, refuse_taken
from ufine_kit.dataset.writer import Shards, drafted, finish
from ufine_kit.errors import KitError
from ufine_kit.parquet import PIXEL_GROUP_ROWS, grouped
from ufine_kit.tables import CheckTable

NEXT = ("next-patch", "next-minor", "next-major")


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

    Raises KitError where the version is taken or does not follow, a newer one is there, or the shards are no release's.
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
    there = of_major(beside, release.version)
    if there and there[-1] != release.path.resolve():
        # What later versions edited or dropped would come back.
        raise KitError(f"`{release.path}` is not the newest of its major version", f"name `{there[-1]}`")
    wanted = version or "next-patch"
    if wanted in NEXT:
        wanted = bumped(release.version, wanted.removeprefix("next-"))
    number, old = number_of(wanted), number_of(release.version)
    refuse_taken(beside, wanted)
    if number[0] != old[0] or number < old:
        raise KitError(
            f"`{wanted}` does not follow {release.version} within its major version",
            "choose a patch or minor --version",
        )
    return beside / wanted


def _write(release: Release, target: Path, rows: Iterator[dict[str, Any]], told: Counter[str]) -> None:
    schema = release_schema()
    with drafted(target) as draft:
        removed = tombstones.read_removed(target.parent, release.name)
        files = Shards(draft / "data", release.manifest["shards"], removed)
        images, videos = Counter[str](), Counter[str | None]()
        for group in grouped(rows, PIXEL_GROUP_ROWS):
            batch = tombstones.without_removed(pa.RecordBatch.from_pylist(group, schema=schema), removed)
            images.update(batch.column("source").to_pylist())
            videos.update(batch.column("provenance").field("video_sha256").to_pylist())
            files.add(batch)
        if not +told:
            raise _NothingToMend
        counted = files.close()
        recipe = release.manifest["recipe"]
        sources, uncounted = _recounted(release.manifest.get("sources", []), images, videos)
        told.update({f"images of source `{name}` not counted by its entries": 1 for name in uncounted})
        written = {
            **release.manifest,
            **counted,
            "version": target.name,
            "recipe": {**recipe, "version": target.name} if "version" in recipe else recipe,
            "mended_from": {"version": release.version, "data_digest": release.data_digest},
            "sources": sources,
            "versions": parts.versions(),
        }
        finish(draft, written, before(target.parent, target.name), removed, _lines(told))


def _recounted(
    sources: list[dict[str, Any]], images: Counter[str], videos: Counter[str | None]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Images of each entry, since a tombstone may have taken some: by its videos, or what the others of the source leave.

    Second, the sources that lost images and have several entries without videos: those stay as they were.
    """
    left, said, entries = images.copy(), Counter[str](), Counter[str]()
    counted = [_by_videos(source, videos) for source in sources]
    for source in counted:
        if source["video_sha256"] is None:
            entries[source["source"]] += 1
            said[source["source"]] += source["images"]
        else:
            left[source["source"]] -= source["images"]
    told = list[dict[str, Any]]()
    for source in counted:
        if source["video_sha256"] is None:
            alone = entries[source["source"]] == 1
            told.append({**source, "video_sha256": [], **({"images": left[source["source"]]} if alone else {})})
        else:
            told.append(source)
    uncounted = sorted(name for name, number in entries.items() if number > 1 and said[name] != left[name])
    return [source for source in told if source["images"] > 0], uncounted


def _by_videos(source: dict[str, Any], videos: Counter[str | None]) -> dict[str, Any]:
    """The entry as its videos have it; its `video_sha256` is None where it names none."""
    if not source["video_sha256"]:
        return {**source, "video_sha256": None}
    there = [video for video in source["video_sha256"] if videos[video]]
    return {
        **source, "videos": len(there), "images": sum(videos[video] for video in there), "video_sha256": there,
    }  # fmt: skip


def _lines(told: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{what}: {number:,}" for what, number in sorted(told.items()) if number)
