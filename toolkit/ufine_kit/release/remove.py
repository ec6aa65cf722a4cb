"""Take people or images out of a release for good: a patch version without them, and tombstones that no later build passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa

from ufine_kit import crash, parts
from ufine_kit.dataset.reader import Release
from ufine_kit.dataset.tombstones import (
    Removed,
    person_hash,
    read_removed,
    removed_of,
    tombstone,
    without_removed,
    write_removed,
)
from ufine_kit.dataset.versions import versions_in
from ufine_kit.errors import KitError
from ufine_kit.output import count
from ufine_kit.release.revise import TELLING, Revision, concerned, hit_by, home, next_version, revise, unprintable


@dataclass(frozen=True)
class Removal:
    """What a removal would do: the new version, and how much goes. `still` are versions that go on holding it."""

    revision: Revision
    persons: int
    images: int
    still: list[str]


def plan_removal(release: Release, persons: Sequence[str], images: Sequence[str], reason: str) -> Removal:
    """Find what shall go, by identity or by image id. Raises KitError for an id that is not there, or without any."""
    if not persons and not images:
        raise KitError("nothing to remove is named", "give --person ID or --image ID")
    if not reason.strip():
        raise KitError("a removal needs a reason, which is published with it", 'give --reason "asked to be removed"')
    if unprintable(reason):
        raise KitError("the reason has control characters, or is no UTF-8", "type --reason in plain words, on one line")
    folder = home(release)
    version = next_version(release, None)
    known = read_removed(folder, release.name)
    asked = concerned(release, TELLING, partial(_asked, persons=persons, images=images))
    named = pa.concat_tables(asked.values()).to_pylist() if asked else []
    _refuse_unknown(release, known, named, persons, images)
    removed = removed_of(release.name, [*known.entries, *_tombstones(release, version, reason, named, persons, images)])
    going = concerned(release, TELLING, hit_by(removed))
    gone = pa.concat_tables(going.values())
    said = f"{count(gone.num_rows, 'image')} of {count(len(gone.column('person_id').unique()), 'identity')} taken out: {reason}"
    revision = Revision(release, version, tuple(going), partial(without_removed, removed=removed), removed, (said,))
    return Removal(revision, len(gone.column("person_id").unique()), gone.num_rows, versions_in(folder))


def remove(removal: Removal) -> dict[str, Any]:
    """Write the tombstones, then the version without what they name; returns its manifest. A rerun completes what was cut.

    What others removed since this was planned stays removed. Raises KitError where they made a newer version.
    """
    folder = home(removal.revision.release)
    with parts.lock(folder, "build"):
        revision = _as_of_now(removal.revision)
        # First: whatever happens next, no build from here on brings them back.
        write_removed(folder, revision.removed)
        crash.point("remove.ledger")
        return revise(revision)


def _as_of_now(planned: Revision) -> Revision:
    release = planned.release
    next_version(release, planned.version)
    known = read_removed(home(release), release.name)
    removed = removed_of(release.name, [*known.entries, *planned.removed.entries])
    if removed == planned.removed:
        return planned
    shards = tuple(concerned(release, TELLING, hit_by(removed)))
    return replace(planned, shards=shards, change=partial(without_removed, removed=removed), removed=removed)


def _asked(batch: pa.RecordBatch, persons: Sequence[str], images: Sequence[str]) -> list[int]:
    pairs = zip(batch.column("person_id").to_pylist(), batch.column("image_id").to_pylist(), strict=True)
    return [row for row, (person, image) in enumerate(pairs) if person in persons or image in images]


def _refuse_unknown(
    release: Release, known: Removed, named: list[dict[str, Any]], persons: Sequence[str], images: Sequence[str]
) -> None:
    there = {row["person_id"] for row in named} | {row["image_id"] for row in named}
    for word, names in (("identity", persons), ("image", images)):
        for name in names:
            if name in there:
                continue
            if word == "identity" and person_hash(release.name, name) in known.persons:
                raise KitError(f"identity `{name}` was removed already", f"look at `{home(release) / 'removed.jsonl'}`")
            raise KitError(f"no {word} `{name}` in `{release.path}`", "ids stand in the columns person_id and image_id")


def _tombstones(
    release: Release,
    version: str,
    reason: str,
    named: list[dict[str, Any]],
    persons: Sequence[str],
    images: Sequence[str],
) -> list[Any]:
    groups = [(person_hash(release.name, name), [row for row in named if row["person_id"] == name]) for name in persons]
    single = [row for row in named if row["image_id"] in images and row["person_id"] not in persons]
    found = [*groups, *([(None, single)] if single else [])]
    return [
        tombstone(
            version,
            reason.strip(),
            person,
            {row["image_sha256"] for row in rows},
            {row["provenance"]["crop_id"] or row["image_id"] for row in rows},
        )
        for person, rows in found
    ]
