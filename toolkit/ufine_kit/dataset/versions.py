"""Version numbers of a release name: which comes next, which came before, and what a major version holds fixed."""

from __future__ import annotations

from pathlib import Path

from ufine_kit.errors import KitError
from ufine_kit.manifest import VERSION, read_manifest

Number = tuple[int, int, int]
STEPS = ("patch", "minor", "major")


def number_of(version: str) -> Number:
    """(major, minor, patch) of `1.2.3`. Raises KitError for anything else."""
    if not VERSION.fullmatch(version):
        raise KitError(f"`{version}` is no version", "write it like 0.1.0")
    major, minor, patch = (int(number) for number in version.split("."))
    return major, minor, patch


def versions_in(folder: Path) -> list[str]:
    """The released versions below `releases/<name>/`, oldest first by number."""
    return sorted(
        (path.parent.name for path in folder.glob("*/release.json") if VERSION.fullmatch(path.parent.name)),
        key=number_of,
    )


def bumped(version: str, step: str) -> str:
    """The version after one: `step` is patch, minor or major. Raises KitError for any other word."""
    if step not in STEPS:
        raise KitError(f"`next-{step}` is no version", f"use one of: {', '.join(f'next-{word}' for word in STEPS)}")
    major, minor, patch = number_of(version)
    following = {"patch": (major, minor, patch + 1), "minor": (major, minor + 1, 0), "major": (major + 1, 0, 0)}[step]
    return ".".join(str(number) for number in following)


def resolved(folder: Path, version: str) -> str:
    """A version as a number: `next-patch` and its like follow the newest one of the name, 0.1.0 where there is none."""
    if not version.startswith("next-"):
        return version
    there = versions_in(folder)
    return bumped(there[-1], version.removeprefix("next-")) if there else "0.1.0"


def refuse_taken(folder: Path, version: str) -> None:
    """Raise KitError where a version is there already, with the versions that could come next."""
    if not (folder / version).exists():
        return
    there = versions_in(folder)
    newest = there[-1] if there else version
    proposed = ", ".join(f"{bumped(newest, step)} (next-{step})" for step in STEPS)
    raise KitError(
        f"`{folder / version}` exists, and a released version never changes", f"choose another --version: {proposed}"
    )


def before(folder: Path, version: str) -> Path | None:
    """The folder of the newest version below this one; None for the first."""
    older = [name for name in versions_in(folder) if number_of(name) < number_of(version)]
    return folder / older[-1] if older else None


def of_major(folder: Path, version: str) -> list[Path]:
    """Folders of the released versions of the same major version, oldest first."""
    return [folder / name for name in versions_in(folder) if number_of(name)[0] == number_of(version)[0]]


def refuse_other_shards(folder: Path, version: str, shards: int) -> None:
    """Raise KitError where the major version has another number of files: identities would change their file."""
    for path in of_major(folder, version):
        held = read_manifest(path).shards
        if held != shards:
            raise KitError(
                f"`shards` {shards}, but `{path}` has {held}, and within a major version it stays",
                f"--set release.shards={held}, or --version next-major",
            )
