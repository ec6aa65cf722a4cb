"""What has to hold before anything leaves: checks passed, a record of the same rows, and nobody who was taken out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ufine_kit.dataset.checks import Report, check_release, kept_report
from ufine_kit.dataset.reader import Release, read_sums, shard_paths
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.files import inside, sha256_file
from ufine_kit.manifest import Record, read_record
from ufine_kit.recipe import Recipe

TOMBSTONES = "removed.jsonl"


@dataclass(frozen=True)
class Tombstones:
    """What was taken out of a release of this name, as hashes."""

    people: frozenset[str]
    images: frozenset[str]
    crops: frozenset[str]
    versions: frozenset[str]


def checked(release: Release, recipe: Recipe, work: Path, sums: Mapping[str, str]) -> Report:
    """The report of exactly this release: kept by `check-release` and still true of the files, else made now.

    Raises CheckFailed where a check failed, or a file is not what SHA256SUMS says.
    """
    report = kept_report(work, release.path, recipe.check)
    if report is None or report.data_digest != release.data_digest:
        report = check_release(release.path, recipe.check)
    failed = [check.name for check in report.checks if check.state == "failed"]
    if failed or not report.passed:
        raise CheckFailed(
            f"`{release.path}` fails {len(failed)} of {len(report.checks)} checks: {', '.join(failed[:3])}",
            f"ufine-kit check-release {release.path} --work {work} shows every row",
        )
    for name, sha256 in sums.items():
        if sha256_file(release.path / name) != sha256:
            raise CheckFailed(f"`{release.path / name}` is not what SHA256SUMS says", "restore the release from a copy")
    return report


def warnings_of(report: Report) -> tuple[str, ...]:
    """Sentences for the card: what was warned of, and how often."""
    return tuple(
        f"{check.what.rstrip('.')}: not so for {check.rows:,}." for check in report.checks if check.state == "warned"
    )


def whole(release: Release) -> dict[str, str]:
    """Path -> sha256 of every file in SHA256SUMS, and of itself. Raises CheckFailed without it or for more files."""
    there = {
        path.relative_to(release.path).as_posix(): path for path in sorted(release.path.rglob("*")) if not path.is_dir()
    }
    sums = read_sums(release)
    for name in sums:
        inside(release.path, name)
    sums["SHA256SUMS"] = hashlib.sha256((release.path / "SHA256SUMS").read_bytes()).hexdigest()
    extra = [name for name, path in there.items() if name not in sums or path.is_symlink()]
    gone = [name for name in sums if name not in there]
    if extra:
        raise CheckFailed(
            f"`{release.path / extra[0]}` is no file of this release", "take it out of the release's folder"
        )
    if gone:
        raise CheckFailed(f"`{release.path / gone[0]}` is missing", "restore the release from a copy")
    return sums


def baseline_record(release: Release, work: Path, without_baseline: str | None) -> Record | None:
    """A record of exactly these rows on their test split; one that validates the release goes before a plain one.

    Raises CheckFailed without one, and where every validation failed, unless a reason was given.
    """
    records = [read_record(path) for path in sorted((work / "baselines" / release.data_digest[:16]).glob("*.json"))]
    fitting = [one for one in records if one.data_digest == release.data_digest and one.release.split == "test"]
    best = min(fitting, key=_worth, default=None)
    if best and (best.validation is None or best.validation.passed):
        return best
    if without_baseline and without_baseline.strip():
        return None
    if best:
        raise CheckFailed(
            f"the release in `{release.path}` did not pass its validation with `{best.checkpoint.name}`",
            f"ufine-kit evaluate CHECKPOINT {release.path} --validate with one that passes; or --without-baseline REASON",
        )
    raise CheckFailed(
        f"no baseline record for the rows of `{release.path}` ({release.data_digest[:12]})",
        f"ufine-kit baseline-train {release.path} --work {work}, then evaluate; or --without-baseline REASON",
    )


def _worth(record: Record) -> int:
    """Passed validations first; a plain record does not hide one that failed."""
    return 2 if record.validation is None else 0 if record.validation.passed else 1


def tombstones(release: Release) -> Tombstones:
    """What the release's own `removed.jsonl` and the ledger beside its versions say. Raises KitError for a spoilt line."""
    lines = [line for folder in (release.path, release.path.parent) for line in _lines(folder / TOMBSTONES)]
    return Tombstones(
        people=frozenset(str(line.get("person", "")) for line in lines) - {""},
        images=frozenset(sha256 for line in lines for sha256 in line.get("images", ())),
        crops=frozenset(sha256 for line in lines for sha256 in line.get("crops", ())),
        versions=frozenset(str(line.get("version", "")) for line in lines) - {""},
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if not isinstance(line, dict):
            raise KitError(f"line {number} of `{path}` is no tombstone", "restore it from a copy: it may never be cut")
        yield line


def refuse_removed(release: Release) -> Tombstones:
    """Raise CheckFailed where a person, picture or crop that was taken out is among the rows."""
    out = tombstones(release)
    if not (out.people or out.images or out.crops):
        return out
    for path in shard_paths(release):
        table = pq.read_table(path, columns=["image_id", "person_id", "image_sha256", "provenance"])
        crops = table.column("provenance").combine_chunks().field("crop_id").to_pylist()
        columns = (table.column(name).to_pylist() for name in ("image_id", "person_id", "image_sha256"))
        for image_id, person, sha256, crop in zip(*columns, crops, strict=True):
            met = sha256 in out.images or _hash(f"{release.name}:{person}") in out.people
            if met or _hash(crop or image_id) in out.crops:  # imported rows are crops of no video
                raise CheckFailed(
                    f"image `{image_id}` of `{release.path}` was taken out of `{release.name}` and may not go out again",
                    _left_out_by(release),
                )
    return out


def _left_out_by(release: Release) -> str:
    """The command that makes the next version, which leaves out what was removed."""
    recipe = release.manifest["recipe"]
    if recipe.get("format"):  # only an import has one: it came from another dataset's files
        return f"ufine-kit import-dataset FORMAT PATH --name {release.name} --version next-patch leaves it out"
    return "ufine-kit build-release with another --version leaves it out"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
