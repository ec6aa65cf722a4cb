"""Descriptions: every kept crop by itself, crops with a known answer, and crops that everybody describes first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ufine_kit import parts
from ufine_kit.campaign.faces import CONTEXT
from ufine_kit.campaign.items import Item, Role, item_key
from ufine_kit.campaign.kinds.kept import kept
from ufine_kit.campaign.versions import items_of
from ufine_kit.dataset.splits import draw
from ufine_kit.errors import KitError
from ufine_kit.parquet import read_rows
from ufine_kit.tables import CampaignTable


class Trusted(BaseModel):
    """One line of the honeypots: a crop and a description of it that is known to be right."""

    model_config = ConfigDict(extra="ignore")

    crop_id: Annotated[str, Field(min_length=1)]
    text: Annotated[str, Field(pattern=r"\S")]


def items(work: Path, name: str, table: CampaignTable, honeypots: Path | None = None) -> list[Item]:
    """One item a crop, in an order drawn by the seed: first what qualifies, then the work, then what has a known answer.

    A crop is asked about in one role only: what qualifies or has a known answer becomes no row of a release. Raises KitError
    where nothing is kept, and for a line of `honeypots` that names no crop.
    """
    people = kept(work)
    owner = {crop: person for person, crops in people.items() for crop in crops}
    trusted = _trusted(work, honeypots, owner) if honeypots else {}
    # What was asked before comes first: crops that came later neither qualify anew nor add to the `crops_each` of a person.
    before = {
        item.pictures[0]: item.role for item in items_of(work / "campaigns" / name).values() if item.kind == "describe"
    }
    order = sorted(
        (crop for crop in owner if crop not in trusted),
        key=lambda crop: (crop not in before, draw(table.seed, crop), crop),
    )
    free = [crop for crop in order if before.get(crop, "qualify") == "qualify"]
    first = _qualifying(free, owner, table.qualify)
    wanted = _wanted([crop for crop in order if crop not in first], owner, table.crops_each)
    # One known answer in so many crops: more would cost people's time, fewer would not be met.
    known = sorted(trusted, key=lambda crop: (draw(table.seed, crop), crop))[: len(wanted) // table.honeypot_every]
    roles: list[tuple[Role, list[str]]] = [("qualify", list(first)), ("work", wanted), ("honeypot", known)]
    return [
        Item(
            item_key=item_key(name, "describe", crop),
            kind="describe",
            role=role,
            pictures=(crop, *(_others(people[owner[crop]], crop) if table.context and crop in owner else ())),
            about={
                "crop_id": crop,
                **({"person_id": owner[crop]} if crop in owner else {}),
                **({"trusted": trusted[crop]} if role == "honeypot" else {}),
            },
        )
        for role, crops in roles
        for crop in crops
    ]


def _qualifying(order: list[str], owner: Mapping[str, str], count: int) -> dict[str, str]:
    """Crops that everybody describes: of different persons, as far as there are so many."""
    chosen: dict[str, str] = {}
    for crop in [*order, *order] if count else []:
        again = len(chosen) >= len(set(owner.values()))
        if len(chosen) < count and crop not in chosen and (again or owner[crop] not in chosen.values()):
            chosen[crop] = owner[crop]
    return chosen


def _wanted(order: list[str], owner: Mapping[str, str], each: int) -> list[str]:
    """The crops to describe: all, or the first `each` of every person in the order drawn."""
    taken: dict[str, int] = {}
    wanted: list[str] = []
    for crop in order:
        person = owner[crop]
        taken[person] = taken.get(person, 0) + 1
        if each == 0 or taken[person] <= each:
            wanted.append(crop)
    return wanted


def _others(crops: list[str], crop: str) -> list[str]:
    """Crops of the same person around this one, in their order."""
    at = crops.index(crop)
    near = sorted(range(len(crops)), key=lambda other: (abs(other - at), other))[1 : CONTEXT + 1]
    return [crops[other] for other in sorted(near)]


def _trusted(work: Path, source: Path, owner: Mapping[str, str]) -> dict[str, str]:
    """Known descriptions by crop; a crop need not be kept, but it must have been cut."""
    if not source.is_file():
        raise KitError(f"no file `{source}`", "give --honeypots a JSONL file with crop_id and text in every line")
    folder = work / "tracklets"
    cut = set(owner) | {
        row["crop_id"]
        for done in parts.done_parts(folder)
        for row in read_rows(folder / f"{done.part}.parquet", ["crop_id"])
    }
    found: dict[str, str] = {}
    for number, line in enumerate(source.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            known = Trusted.model_validate(json.loads(line))
        except (ValidationError, ValueError, RecursionError):
            raise KitError(f"`{source}` line {number} has no crop_id and text", "mend or remove the line") from None
        if known.crop_id not in cut:
            raise KitError(f"`{source}` line {number}: no crop `{known.crop_id}`", "mend or remove the line")
        found[known.crop_id] = known.text
    return found
