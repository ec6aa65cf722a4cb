"""Read a release: its manifest, its rows in a fixed order, and whether its bytes are still those that were written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ufine_kit.dataset.digest import data_digest
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.files import inside, read_json, sha256_file
from ufine_kit.parquet import open_file


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
    """Open `releases/<name>/<version>/`. Raises KitError when that is no release."""
    if not (path / "release.json").is_file():
        raise KitError(f"`{path}` is no release (no release.json)", "ufine-kit build-release")
    manifest = read_json(path / "release.json")
    try:
        return Release(
            path, manifest["name"], manifest["version"], manifest["data_digest"], manifest["splits"], manifest
        )
    except (KeyError, TypeError):
        raise KitError(
            f"`{path / 'release.json'}` lacks a field", "ufine-kit build-release with another --version"
        ) from None


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
    """Rows of a split (or of all), a few hundred in memory at a time. A row is a `Sample` as a dict."""
    for path in shard_paths(release, split):
        with open_file(path) as file:
            for batch in file.iter_batches(batch_size=256, columns=list(columns) if columns else None):
                yield from batch.to_pylist()


def verify(release: Release) -> None:
    """Compare every file with SHA256SUMS and the rows with `data_digest`. Raises CheckFailed that names the first fault."""
    sums = release.path / "SHA256SUMS"
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else []
    if not lines:
        raise CheckFailed(f"`{sums}` is missing or empty", "restore the release from a copy")
    for line in lines:
        sha256, _, name = line.partition("  ")
        if sha256_file(inside(release.path, name)) != sha256:
            raise CheckFailed(f"`{release.path / name}` is not what SHA256SUMS says", "restore the release from a copy")
    if data_digest(read_rows(release)) != release.data_digest:
        raise CheckFailed(
            f"rows of `{release.path}` do not have the digest of release.json", "restore the release from a copy"
        )


def newest_release(work: Path, kind: str | None = None) -> Path:
    """The only release under `work/releases`, or the newest version of the only name. Raises KitError with the choices."""
    found = sorted((work / "releases").glob("*/*/release.json"))
    manifests = {path.parent: read_json(path) for path in found}
    fitting = [path for path, manifest in manifests.items() if kind is None or manifest.get("kind") == kind]
    if not fitting:
        raise KitError(f"no release in `{work / 'releases'}`", f"ufine-kit build-release --work {work}")
    names = {path.parent.name for path in fitting}
    if len(names) > 1:
        raise KitError(
            f"more than one release in `{work / 'releases'}`", f"name one: {', '.join(str(path) for path in fitting)}"
        )
    return max(fitting, key=lambda path: tuple(int(number) for number in path.name.split(".")))
