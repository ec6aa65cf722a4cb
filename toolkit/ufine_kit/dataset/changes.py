"""What differs between two versions of a release, in counts and never by name, and the CHANGELOG that carries it on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ufine_kit.dataset.columns import compute as pc
from ufine_kit.dataset.columns import read_batches
from ufine_kit.files import canonical_json
from ufine_kit.manifest import read_manifest
from ufine_kit.output import count

FILE = "CHANGELOG.md"
TITLE = "# Changelog\n"
SHOWN = 20  # lines of one kind in a CHANGELOG


def changes(previous: Path | None, draft: Path, manifest: Mapping[str, Any], told: Sequence[str] = ()) -> list[str]:
    """A line for each kind of difference between the previous version's folder and the one being written; `told` comes first.

    Identities and images are counted, not named: a CHANGELOG outlives what is removed.
    """
    if previous is None:
        return [*told, *(f"first version: {line}" for line in _sizes(manifest))]
    if not any((previous / "data").glob("*.parquet")):  # withdrawn: its texts may stay, its rows are gone
        gone = f"{previous.name} has no rows any more to compare with"
        return [*told, gone, *_sizes(manifest)]
    old, new = _Rows(previous), _Rows(draft)
    lines = [
        *_came_and_went("identity", old.persons, new.persons),
        *_came_and_went("image", old.images, new.images),
        *_altered(old, new),
        *_recipe(read_manifest(previous).recipe, manifest["recipe"]),
    ]
    return [*told, *(lines or ["the same rows"])]


def _sizes(manifest: Mapping[str, Any]) -> list[str]:
    splits = manifest["splits"]
    return [
        f"{split} with {count(counts['images'], 'image')} of {count(counts['identities'], 'identity')}"
        for split, counts in splits.items()
    ]


class _Rows:
    """Image ids of a release [N] with what is compared of each; texts stand in by 8 bytes of a hash."""

    def __init__(self, folder: Path) -> None:
        rows = list(_thin(folder))
        self.images = pa.concat_arrays([ids for ids, _, _ in rows])
        self.persons = pc.unique(pa.concat_arrays([persons for _, persons, _ in rows]))
        self.person = pa.concat_arrays([persons for _, persons, _ in rows])
        self.texts = np.concatenate([texts for _, _, texts in rows])


def _thin(folder: Path) -> Iterator[tuple[pa.Array, pa.Array, np.ndarray]]:
    for path in sorted((folder / "data").glob("*.parquet")):
        for batch in read_batches(path, ["image_id", "person_id", "captions"], 4096):
            texts = np.array([hash_of(captions) for captions in batch.column("captions").to_pylist()], np.int64)
            yield batch.column("image_id"), batch.column("person_id"), texts


def hash_of(captions: Sequence[str]) -> int:
    """A number for a list of captions, good within this process."""
    return hash(tuple(captions))


def _came_and_went(noun: str, old: pa.Array, new: pa.Array) -> list[str]:
    came = len(new) - pc.sum(pc.is_in(new, value_set=old)).as_py()
    went = len(old) - pc.sum(pc.is_in(old, value_set=new)).as_py()
    return [f"{count(number, noun)} {word}" for number, word in ((came, "added"), (went, "removed")) if number]


def _altered(old: _Rows, new: _Rows) -> list[str]:
    at = pc.index_in(new.images, value_set=old.images)
    both = at.is_valid().to_numpy(zero_copy_only=False)
    row = pc.fill_null(at, 0).to_numpy()
    texts = int((both & (new.texts != old.texts[row])).sum())
    moved = pc.not_equal(new.person, old.person.take(pa.array(row))).to_numpy(zero_copy_only=False)
    persons = int((both & moved).sum())
    found = [(texts, "with other captions"), (persons, "of another identity")]
    return [f"{count(number, 'image')} {what}" for number, what in found if number]


def _recipe(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    keys = sorted({*old, *new} - {"name", "version"})
    return [
        f"recipe: {key} {canonical_json(old.get(key))} -> {canonical_json(new.get(key))}"
        for key in keys
        if old.get(key) != new.get(key)
    ]


def changelog(previous: Path | None, version: str, lines: Sequence[str]) -> str:
    """The CHANGELOG with an entry for this version over all entries of the previous one."""
    shown = [*lines[:SHOWN], *([f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else [])]
    entry = f"## {version}\n\n" + "".join(f"- {plain(line)}\n" for line in shown)
    path = previous / FILE if previous is not None else None
    older = path.read_text(encoding="utf-8").removeprefix(TITLE) if path is not None and path.is_file() else ""
    return f"{TITLE}\n{entry}{older}"


def plain(line: str) -> str:
    """A line that Markdown and HTML leave as it is: what people type as a reason stands in the CHANGELOG."""
    return "".join(f"&#{ord(sign)};" if sign in "<>&[]*`#|!\\" else sign for sign in " ".join(line.split()))
