"""Pictures of a campaign by their id: crops of the work folder, or images of the releases that a rewriting job drew from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ufine_kit import parts
from ufine_kit.campaign.items import Item, Kind
from ufine_kit.dataset import reader
from ufine_kit.dataset.columns import read_columns
from ufine_kit.errors import KitError
from ufine_kit.files import read_json
from ufine_kit.manifest import release_folders

# Where the bytes of a picture rest: file, row group, row in the group.
Place = tuple[Path, int, int]


@dataclass
class Found:
    """Pictures that were found; one row group of them is in memory at a time, so ask in the order of `by_place`."""

    places: dict[str, Place]
    _held: tuple[tuple[Path, int], Any] | None = None

    def __call__(self, name: str) -> bytes:
        """The encoded bytes of a picture."""
        path, group, row = self.places[name]
        if self._held is None or self._held[0] != (path, group):
            self._held = None
            self._held = (path, group), _group(path, group)
        return self._held[1][row].as_py()

    def by_place(self) -> list[str]:
        """All names in the order in which they lie on disk."""
        return sorted(self.places, key=self.places.__getitem__)


def pictures(work: Path, kind: Kind, items: Iterable[Item]) -> Found:
    """Finds every picture that the items show. Raises KitError that names the first one that is nowhere."""
    asked = list(items)
    wanted = {picture for item in asked for picture in item.pictures}
    jobs = sorted({str(item.about["job"]) for item in asked if "job" in item.about})
    places = dict(_images(work, jobs, wanted)) if kind == "revise" else dict(_crops(work, wanted))
    missing = sorted(wanted - set(places))
    if missing:
        mend = "ufine-kit build-3c" if kind == "revise" else f"ufine-kit status --work {work}"
        raise KitError(f"no picture `{missing[0]}` any more ({len(missing)} are missing)", mend)
    return Found(places)


def _group(path: Path, group: int) -> Any:
    try:
        with pq.ParquetFile(path) as file:
            return file.read_row_group(group, columns=["image"]).column("image").combine_chunks().field("bytes")
    except (OSError, pa.ArrowException) as error:
        raise KitError(f"cannot read `{path}`: {str(error).splitlines()[0]}", "restore it from a copy") from None


def _rows(path: Path, column: str) -> Iterator[tuple[str, Place]]:
    """Every id of a file with its place."""
    names = iter(read_columns(path, [column]).column(column).to_pylist())
    with pq.ParquetFile(path) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    for group, size in enumerate(sizes):
        for row in range(size):
            yield next(names), (path, group, row)


def _crops(work: Path, wanted: set[str]) -> Iterator[tuple[str, Place]]:
    folder = work / "tracklets"
    for done in parts.done_parts(folder):
        yield from ((name, at) for name, at in _rows(folder / f"{done.part}.parquet", "crop_id") if name in wanted)


def _images(work: Path, jobs: Iterable[str], wanted: set[str]) -> Iterator[tuple[str, Place]]:
    """Images of rewriting jobs. A job names them anew; its frozen selection says from which release each came."""
    releases = {release.data_digest: release for release in map(reader.open_release, release_folders(work))}
    for job in jobs:
        selection = read_json(work / "rewrites" / job / "selection.json")
        upstream = {
            (picture["release"], picture["upstream_image"]): picture["image_id"] for picture in selection["pictures"]
        }
        for name, digest in selection["releases"].items():
            if digest not in releases:
                raise KitError(
                    f"the release `{name}` that job `{job}` drew from is not in `{work / 'releases'}`",
                    f"copy or link it to {work / 'releases' / name}/<version>",
                )
            for path in reader.shard_paths(releases[digest]):
                for image, place in _rows(path, "image_id"):
                    own = upstream.get((name, image))
                    if own in wanted:
                        yield own, place
