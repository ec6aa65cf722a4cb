"""Checks of what the release says of itself against its rows: counts, digest, version, frozen splits, tombstones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ufine_kit.dataset.checks.check import Fault, checks_of, shown
from ufine_kit.dataset.checks.gathered import Gathered
from ufine_kit.dataset.checks.subject import MOST_JSON, SPLITS, NotRun, Subject, parsed, strict_json
from ufine_kit.dataset.digest import combine
from ufine_kit.dataset.splits import place_key
from ufine_kit.dataset.versions import Number, number_of
from ufine_kit.files import canonical_json
from ufine_kit.manifest import VERSION

CHANGELOG = "CHANGELOG.md"


def readable(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """Every row of every shard can be read."""
    yield from (Fault(message, file=file) for file, message in rows.unreadable)


def counts(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """Images, captions, identities and sources of every split are as many as release.json says."""
    said = {str(split): held.model_dump() for split, held in subject.known.splits.items()}
    found = {split: _counted(rows, code) for code, split in enumerate(rows.splits)}
    for split in sorted({*said, *found}):
        one, other = said.get(split, {}), found.get(split, {})
        for what in ("images", "captions", "identities", "sources"):
            if what == "sources" and not one.get(what):
                continue  # older manifests do not count them
            if one.get(what) != other.get(what):
                message = f"{shown(other.get(what, 'none'))} {what}, release.json says {shown(one.get(what, 'none'))}"
                yield Fault(message, split=shown(split), file="release.json")


def _counted(rows: Gathered, split: int) -> dict[str, object]:
    inside = rows.split == split
    codes, many = np.unique(rows.source[inside], return_counts=True)
    sources = {rows.sources[code]: int(number) for code, number in zip(codes, many, strict=True)}
    return {
        "images": int(inside.sum()),
        "captions": int(rows.captions[inside].sum()),
        "identities": len(np.unique(rows.person[inside])),
        "sources": dict(sorted(sources.items())),
    }


def data_digest(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """The rows have the data digest of release.json."""
    said = subject.known.data_digest
    found = combine(rows.digests)
    if found != said:
        yield Fault(f"the rows have {found[:12]}, release.json says {said[:12]}", file="release.json")


def version(subject: Subject, _: Gathered) -> Iterator[Fault]:
    """A folder `releases/<name>/<version>` is named as release.json says."""
    name, number = subject.folder.resolve().parent.name, subject.folder.resolve().name
    said = subject.known
    if VERSION.fullmatch(number) and (name, number) != (said.name, said.version):
        yield Fault(
            f"the folder is `{shown(name)}/{number}`, the release {said.name} {said.version}", file="release.json"
        )


def changelog(subject: Subject, _: Gathered) -> Iterator[Fault]:
    """CHANGELOG.md has an entry for this version."""
    path = subject.folder / CHANGELOG
    said = subject.known.version
    if not path.is_file():
        yield Fault("there is none", file=CHANGELOG, level="warn")
    elif path.stat().st_size > MOST_JSON:
        yield Fault("is too long", file=CHANGELOG)
    elif not re.search(rf"^#+.*(?<![\d.]){re.escape(said)}(?![\d.])", path.read_text("utf-8", "replace"), re.MULTILINE):
        yield Fault(f"has no heading for {said}", file=CHANGELOG)


def splits_frozen(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """Every identity and video stands in the split that the ledger of the major version froze it in."""
    name = f"splits-{subject.known.version.partition('.')[0]}.json"
    path = subject.folder.parent / name
    if not path.is_file():
        raise NotRun(f"no `{name}` beside the release")
    try:
        held = strict_json(path)
    except ValueError as error:
        yield Fault(str(error), file=f"../{name}")
        return
    if not isinstance(held, dict) or not set(held.values()) <= set(SPLITS):
        yield Fault("is no table of splits", file=f"../{name}")
        return
    for at in _first_of_each(rows, rows.person):
        wanted = held.get(rows.persons[rows.person[at]])
        if wanted != rows.splits[rows.split[at]]:
            yield rows.fault(
                at, f"its identity is frozen in {wanted}" if wanted else "its identity is not in the ledger"
            )
    for at in _first_of_each(rows, rows.video):
        wanted = held.get(place_key("video", rows.videos[rows.video[at]]))
        if wanted is not None and wanted != rows.splits[rows.split[at]]:
            yield rows.fault(at, f"its video is frozen in {wanted}")


def _first_of_each(rows: Gathered, keys: np.ndarray) -> Iterator[int]:
    """The first row of every pair of key (from 0 on) and split."""
    known = np.flatnonzero(keys >= 0)
    pairs = keys[known].astype(np.int64) * (len(rows.splits) + 1) + rows.split[known]
    yield from known[np.sort(np.unique(pairs, return_index=True)[1])].tolist()


def tombstones(subject: Subject, _: Gathered) -> Iterator[Fault]:
    """Every line of removed.jsonl is a tombstone, and the release carries those of its name up to its version."""
    yield from (Fault(message, file=file) for file, message in subject.tombstone_faults)
    own = subject.folder / "removed.jsonl"
    carried = {line for _, line in _stones(own)}
    said = number_of(subject.known.version)
    owed = [
        number
        for number, line in _stones(subject.folder.parent / "removed.jsonl")
        if line not in carried and _version_of(line) <= said
    ]
    if owed and not own.is_file():
        yield Fault("is missing, and others of this name were removed", file="removed.jsonl")
        return
    for number in owed:
        yield Fault(f"lacks line {number} of the ledger beside the versions", file="removed.jsonl")


def _stones(path: Path) -> Iterator[tuple[int, str]]:
    """Number and canonical text of every line that reads; the others are told by themselves."""
    for number, line in enumerate(path.read_bytes().splitlines() if path.is_file() else (), 1):
        try:
            stone = parsed(line)
            text = canonical_json(stone)
        except (ValueError, RecursionError):
            continue
        if isinstance(stone, dict):
            yield number, text


def _version_of(line: str) -> Number:
    """The version that removed it; without one, every version has to carry it."""
    said = str(parsed(line).get("version"))
    return number_of(said) if len(said) < 40 and VERSION.fullmatch(said) else (0, 0, 0)


CHECKS = checks_of("record", (readable, counts, data_digest, version, changelog, splits_frozen, tombstones), ())
