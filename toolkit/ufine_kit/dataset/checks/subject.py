"""The release under the checks, opened with distrust: what folder, manifest, ledgers and shard names say, faults and all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from ufine_kit.dataset.checks.check import shown
from ufine_kit.errors import KitError, first_fault
from ufine_kit.manifest import Manifest
from ufine_kit.rows import Split
from ufine_kit.tables import CheckTable

SHARD = re.compile(r"(train|val|test)-(\d{5})-of-(\d{5})\.parquet")
SPLITS = get_args(Split)
MOST_JSON = 64 << 20  # bytes; the ledger of splits of a million identities is a third of it
MOST_NESTING = 64


class NotRun(Exception):
    """This check cannot be run on this release, and why. It did not pass either."""


@dataclass(frozen=True)
class Tombstones:
    """What was taken down, as hashes: of persons (with the release's name), images and crops."""

    persons: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    crops: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Subject:
    """A release folder. `manifest` is None where release.json cannot be used, and `manifest_fault` says why."""

    folder: Path
    table: CheckTable
    raw: dict[str, Any]
    manifest: Manifest | None
    manifest_fault: str | None
    shards: tuple[Path, ...]
    tombstones: Tombstones
    tombstone_faults: tuple[tuple[str, str], ...] = ()

    @property
    def known(self) -> Manifest:
        """The manifest, for the checks that cannot do without."""
        if self.manifest is None:
            raise NotRun("release.json cannot be used")
        return self.manifest

    def name_of(self, path: Path) -> str:
        """A file as the findings name it."""
        return path.relative_to(self.folder).as_posix()


def open_subject(folder: Path, table: CheckTable) -> Subject:
    """Look at a release folder. Raises KitError where there is no release at all."""
    path = folder / "release.json"
    if not path.is_file():
        raise KitError(f"`{folder}` is no release (no release.json)", "ufine-kit build-release")
    raw, manifest, fault = _manifest(path)
    shards = tuple(sorted(path for path in (folder / "data").glob("*.parquet") if path.is_file()))
    name = raw.get("name") if isinstance(raw.get("name"), str) else ""
    stones, faults = _tombstones(folder, str(name))
    return Subject(folder, table, raw, manifest, fault, shards, stones, tuple(faults))


def _manifest(path: Path) -> tuple[dict[str, Any], Manifest | None, str | None]:
    try:
        raw = strict_json(path)
    except ValueError as error:
        return {}, None, str(error)
    if not isinstance(raw, dict):
        return {}, None, "is no object"
    try:
        return raw, Manifest.model_validate(raw), None
    except ValidationError as error:
        return raw, None, shown(first_fault(error, "file"))


def strict_json(path: Path) -> Any:
    """JSON without doubled keys, NaN, or a depth or size that no file of a release has. Raises ValueError that says which."""
    size = path.stat().st_size
    if size > MOST_JSON:
        raise ValueError(f"has {size:,} bytes")
    text = path.read_bytes()
    if _deepest(text) > MOST_NESTING:
        raise ValueError("is nested too deeply")
    return parsed(text)


def parsed(text: bytes | str) -> Any:
    """`strict_json` of a text that is at hand."""
    try:
        return json.loads(text, object_pairs_hook=_single, parse_constant=_constant)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _deepest(text: bytes) -> int:
    # Brackets within strings count too: a name with 60 of them is as wrong.
    depth = most = 0
    for sign in re.findall(rb"[\[\]{}]", text):
        depth += 1 if sign in b"[{" else -1
        most = max(most, depth)
    return most


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"has the key `{shown(twice)}` twice")
    return found


def _constant(word: str) -> None:
    raise ValueError(f"holds {word}, which is no JSON")


def _tombstones(folder: Path, name: str) -> tuple[Tombstones, list[tuple[str, str]]]:
    """From the release's own copy and from the ledger of its name beside the versions."""
    persons, images, crops, faults = set[str](), set[str](), set[str](), list[tuple[str, str]]()
    for path in (folder / "removed.jsonl", folder.parent / "removed.jsonl"):
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if not line.strip():
                continue
            try:
                stone = parsed(line)
                persons |= _hashes([stone["person"]] if stone.get("person") else [])
                images |= _hashes(stone.get("images", []))
                crops |= _hashes(stone.get("crops", []))
            except (ValueError, AttributeError, TypeError):
                faults.append(
                    (path.name if path.parent == folder else f"../{path.name}", f"line {number} is no tombstone")
                )
    return Tombstones(frozenset(persons), frozenset(images), frozenset(crops)), faults


def _hashes(values: Iterable[Any]) -> set[str]:
    found = set(values)
    if not all(isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) for value in found):
        raise ValueError("no hash")
    return found
