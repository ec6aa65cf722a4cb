"""Checks of the folder: files and checksums, nothing foreign, shards of one schema, and what the Hub's viewer can read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from ufine_kit.dataset.checks.check import Fault, checks_of, plain_path, shown
from ufine_kit.dataset.checks.subject import MOST_JSON, Subject
from ufine_kit.dataset.schema import release_schema
from ufine_kit.errors import KitError
from ufine_kit.files import sha256_file

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def checksums(subject: Subject) -> Iterator[Fault]:
    """Every file is what SHA256SUMS says, and every line of it names one file inside the release."""
    path = subject.folder / SUMS
    if not path.is_file():
        yield Fault("there is none", file=SUMS)
        return
    named = Counter[str]()
    for number, line in enumerate(_lines(path), 1):
        match = _LINE.fullmatch(line)
        name = match[2] if match else ""
        if match is None or not plain_path(name):
            yield Fault(f"line {number} is no checksum of a file in the release: `{shown(line[:120])}`", file=SUMS)
            continue
        named[name] += 1
        yield from _of_line(subject, name, match[1], named[name])


def _of_line(subject: Subject, name: str, sha256: str, times: int) -> Iterator[Fault]:
    path = subject.folder / name
    if times > 1:
        yield Fault("is named twice", file=shown(name))
    elif _has_link(subject.folder, name):
        yield Fault("is reached through a link", file=shown(name))
    elif not path.is_file():
        yield Fault("is missing", file=shown(name))
    else:
        try:
            if sha256_file(path) != sha256:
                yield Fault("is not what SHA256SUMS says", file=shown(name))
        except KitError as error:
            yield Fault(error.problem, file=shown(name))


def _lines(path: Path) -> list[str]:
    if path.stat().st_size > MOST_JSON:
        return ["(too long)"]
    return path.read_bytes().decode("utf-8", "replace").splitlines()


def _has_link(folder: Path, name: str) -> bool:
    steps = PurePosixPath(name).parts
    return any(folder.joinpath(*steps[: count + 1]).is_symlink() for count in range(len(steps)))


def foreign_files(subject: Subject) -> Iterator[Fault]:
    """Nothing lies in the folder that SHA256SUMS does not name: no other file, no link, no device."""
    path = subject.folder / SUMS
    lines = _lines(path) if path.is_file() and not path.is_symlink() else []
    summed = {match[2] for line in lines if (match := _LINE.fullmatch(line))} | {SUMS}
    for found in sorted(subject.folder.rglob("*")):
        name = found.relative_to(subject.folder).as_posix()
        if found.is_symlink():
            yield Fault("is a link", file=shown(name))
        elif not found.is_dir() and (name not in summed or not found.is_file()):
            yield Fault("is no file of this release", file=shown(name))


def shard_names(subject: Subject) -> Iterator[Fault]:
    """Shards are named `split-NNNNN-of-NNNNN.parquet`, as many for each split as the manifest says."""
    manifest = subject.known
    there = {path.name for path in subject.shards}
    wanted = {
        f"{split}-{number:05d}-of-{manifest.shards:05d}.parquet"
        for split in manifest.splits
        for number in range(min(manifest.shards, 100_000))
    }
    for name in sorted(wanted - there)[:100]:
        yield Fault("is missing", file=f"data/{name}")
    for name in sorted(there - wanted):
        yield Fault("is no shard of this release", file=f"data/{shown(name)}")


def schema(subject: Subject) -> Iterator[Fault]:
    """Every shard opens and has exactly the columns, types and Hub metadata of a release."""
    wanted = release_schema()
    if not subject.shards:
        yield Fault("there is no shard", file="data")
    for path in subject.shards:
        try:
            found = pq.read_schema(path)
        except (OSError, pa.ArrowException) as error:
            yield Fault(f"does not open: {shown(str(error).splitlines()[0])}", file=subject.name_of(path))
            continue
        for difference in differences(found, wanted):
            yield Fault(difference, file=subject.name_of(path))


def differences(found: pa.Schema, wanted: pa.Schema) -> Iterator[str]:
    """What one schema has otherwise, in words; nothing where they are equal with their metadata."""
    for name in dict.fromkeys([*wanted.names, *found.names]):
        many = found.names.count(name)
        if many != 1 or name not in wanted.names:
            yield f"column `{shown(name)}` is {'missing' if not many else 'unknown' if name not in wanted.names else 'doubled'}"
        elif found.field(name).type != wanted.field(name).type:
            yield f"column `{name}` is {shown(str(found.field(name).type))[:60]}, not {str(wanted.field(name).type)[:60]}"
    if found.names != wanted.names and sorted(found.names) == sorted(wanted.names):
        yield "columns stand in another order"
    if (found.metadata or {}).get(b"huggingface") != wanted.metadata[b"huggingface"]:
        yield "the `huggingface` metadata is missing or other: the Hub would not see pictures"


def usable(path: Path) -> bool:
    """Whether the rows of a shard can be read by the names and types of a release."""
    wanted = release_schema()
    try:
        found = pq.read_schema(path)
    except (OSError, pa.ArrowException):
        return False
    return all(
        found.names.count(name) == 1 and found.field(name).type == wanted.field(name).type for name in wanted.names
    )


def viewer(subject: Subject) -> Iterator[Fault]:
    """Row groups, shards and folders are as small as the Hub's viewer wants them, and shards have a page index."""
    table = subject.table
    for path in subject.shards:
        name = subject.name_of(path)
        if (size := path.stat().st_size / 1e6) > table.shard_mb:
            yield Fault(f"has {size:.0f} MB", file=name)
        try:
            metadata = pq.read_metadata(path)
        except (OSError, pa.ArrowException):
            continue  # `schema` has said so
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        large = max((group.total_byte_size / 1e6 for group in groups), default=0)
        if large > table.group_mb:
            yield Fault(f"has a row group of {large:.0f} MB", file=name)
        if any(not group.column(0).has_offset_index for group in groups):
            yield Fault("has no page index", file=name)
    folders = Counter(path.parent for path in subject.folder.rglob("*"))
    for folder, entries in folders.items():
        if entries > table.folder_entries:
            yield Fault(f"has {entries:,} entries", file=shown(folder.relative_to(subject.folder).as_posix()))


def manifest(subject: Subject) -> Iterator[Fault]:
    """release.json opens as one object without doubled keys, and its fields are of their types."""
    if subject.manifest_fault:
        yield Fault(subject.manifest_fault, file="release.json")
    for name in ("sources", "changes"):
        value = subject.raw.get(name, [])
        if not isinstance(value, list):
            yield Fault(f"`{name}` is no list", file="release.json")


CHECKS = checks_of("files", (manifest, checksums, foreign_files, shard_names, schema), (viewer,))
