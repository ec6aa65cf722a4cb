"""Read a release: its manifest, its rows in a fixed order, and whether its bytes are still those that were written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ufine_kit import parquet
from ufine_kit.dataset.digest import data_digest
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.files import inside, sha256_file
from ufine_kit.manifest import read_manifest, release_folders


@dataclass(frozen=True)
class Release:
    """A release on disk. `splits` maps a split to its counts of images, captions and identities."""

    path: Path
    name: str
    version: str
    data_digest: str
    splits: dict[str, dict[str, Any]]
    manifest: dict[str, Any]


def open_release(path: Path) -> Release:
    """Open `releases/<name>/<version>/`. Raises KitError when that is no release, or names the field that is wrong."""
    found = read_manifest(path)
    splits = {str(split): counts.model_dump() for split, counts in found.splits.items()}
    return Release(path, found.name, found.version, found.data_digest, splits, found.model_dump(mode="json"))


def shard_paths(release: Release, split: str | None = None) -> list[Path]:
    """The Parquet files of one split, or of all, in order. Raises KitError for a split that is not there."""
    if split is not None and split not in release.splits:
        raise KitError(
            f"`{release.path}` has no split `{split}`",
            f"it has: {', '.join(release.splits)}; see release.val and release.test",
        )
    return [
        file
        for name in (release.splits if split is None else [split])
        for file in sorted((release.path / "data").glob(f"{name}-*.parquet"))
    ]


def read_rows(
    release: Release, split: str | None = None, columns: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of a split (or of all) in a fixed order, few in memory at a time. A row is a `Sample` as a dict."""
    for path in shard_paths(release, split):
        yield from parquet.read_rows(path, columns)


def read_sums(release: Release) -> dict[str, str]:
    """File name -> sha256, as SHA256SUMS says. Raises CheckFailed where it is missing or empty."""
    sums = release.path / "SHA256SUMS"
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else []
    if not lines:
        raise CheckFailed(f"`{sums}` is missing or empty", "restore the release from a copy")
    return {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}


def verify(release: Release) -> None:
    """Compare every file with SHA256SUMS and the rows with `data_digest`. Raises CheckFailed that names the first fault."""
    for name, sha256 in read_sums(release).items():
        if sha256_file(inside(release.path, name)) != sha256:
            raise CheckFailed(f"`{release.path / name}` is not what SHA256SUMS says", "restore the release from a copy")
    if data_digest(_whole(row, release) for row in read_rows(release)) != release.data_digest:
        raise CheckFailed(
            f"rows of `{release.path}` do not have the digest of release.json", "restore the release from a copy"
        )


def _whole(row: dict[str, Any], release: Release) -> dict[str, Any]:
    """The row, if its picture is the one that its sha256 speaks of: the data digest leans on that."""
    if hashlib.sha256(row["image"]["bytes"]).hexdigest() != row["image_sha256"]:
        raise CheckFailed(
            f"image `{row['image_id']}` in `{release.path}` is damaged", "build another version from whole crops"
        )
    return row


def newest_release(work: Path, kind: str | None = None) -> Path:
    """The only release under `work/releases`, or the newest version of the only name. Raises KitError with the choices."""
    fitting = [path for path in release_folders(work) if kind is None or read_manifest(path).kind == kind]
    if not fitting:
        raise KitError(f"no release in `{work / 'releases'}`", f"ufine-kit build-release --work {work}")
    names = {path.parent.name for path in fitting}
    if len(names) > 1:
        raise KitError(
            f"more than one release in `{work / 'releases'}`", f"name one: {', '.join(str(path) for path in fitting)}"
        )
    return max(fitting, key=lambda path: tuple(int(number) for number in path.name.split(".")))


def newest_releases(work: Path, kind: str) -> list[Path]:
    """The newest version of every release of a kind under `work/releases`. Raises KitError where there is none."""
    newest: dict[str, Path] = {}
    for path in release_folders(work):
        if read_manifest(path).kind == kind:
            held = newest.get(path.parent.name)
            newest[path.parent.name] = path if held is None else max(held, path, key=_number)
    if not newest:
        raise KitError(f"no release in `{work / 'releases'}`", f"ufine-kit build-release --work {work}")
    return [newest[name] for name in sorted(newest)]


def _number(path: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in path.name.split("."))
