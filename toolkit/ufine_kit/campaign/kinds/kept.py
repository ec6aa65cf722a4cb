"""The crops that people may be asked about: what the filter keeps, less what reviewers have already taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from ufine_kit import parts
from ufine_kit.dataset.tombstones import read_removed
from ufine_kit.errors import KitError
from ufine_kit.parquet import read_rows


def kept(work: Path, asked: Collection[str] = ()) -> dict[str, list[str]]:
    """Crop ids by person, both in the order of the parts. Raises KitError where nothing is judged or nothing kept.

    `asked` are crops and persons that stay whatever reviewers said of them: those that were asked about already. Who was
    removed from any release is shown to nobody.
    """
    folder, gone = work / "filter", removed(work)
    dropped, restored = _decided(work)
    dropped -= set(asked)
    people: dict[str, list[str]] = {}
    for done in parts.done_parts(folder):
        for row in read_rows(folder / f"{done.part}.parquet", ["crop_id", "person_id", "kept"]):
            if gone(row["person_id"], row["crop_id"]):
                continue
            stays = row["kept"] or row["crop_id"] in restored
            if stays and row["crop_id"] not in dropped and row["person_id"] not in dropped:
                people.setdefault(row["person_id"], []).append(row["crop_id"])
    if not people:
        raise KitError(f"no kept crop in `{folder}`", f"ufine-kit filter --work {work}")
    return people


def removed(work: Path) -> Callable[[str, str], bool]:
    """Tells of a person and a crop whether either was removed from any release of the work folder."""
    removals = [read_removed(name, name.name) for name in sorted((work / "releases").glob("*")) if name.is_dir()]
    return lambda person, crop: any(one.hits_person(person) or one.hits_image("", crop) for one in removals)


def decided_pairs(work: Path) -> set[frozenset[str]]:
    """Pairs of persons that reviewers united or held apart in any campaign."""
    return {
        frozenset((row["person_id"], row["other_person_id"]))
        for row in _decisions(work)
        if row["crop_id"] is None and row["person_id"] is not None and row["other_person_id"] is not None
    }


def _decisions(work: Path) -> Iterator[dict[str, Any]]:
    for plan in sorted((work / "decisions").glob("*/plan.json")):
        for done in parts.done_parts(plan.parent):
            yield from read_rows(plan.parent / f"{done.part}.parquet")


def _decided(work: Path) -> tuple[set[str], set[str]]:
    """Crops and persons that more reviewers drop than keep, and crops that more keep. The release counts more finely."""
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for row in _decisions(work):
        target = row["crop_id"] or (row["person_id"] if row["other_person_id"] is None else None)
        if target and row["created_at"] >= last.get((target, row["reviewer"]), row)["created_at"]:
            last[target, row["reviewer"]] = row
    votes: Counter[str] = Counter()
    for (target, _), row in last.items():
        votes[target] += {"drop": 1, "keep": -1}.get(row["decision"], 0)
    return {target for target in votes if votes[target] > 0}, {target for target in votes if votes[target] < 0}
