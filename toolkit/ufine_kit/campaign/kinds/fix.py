"""Corrections: texts that a check holds back or a model doubts, each with the reasons and its words ready to be changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ufine_kit.campaign.items import Item, item_key
from ufine_kit.campaign.kinds.kept import kept, removed
from ufine_kit.campaign.people import crop_people
from ufine_kit.campaign.plain import DOUBT
from ufine_kit.campaign.qc import Quality, qc, to_mend
from ufine_kit.campaign.standing import Text
from ufine_kit.campaign.suspects import Doubts, Suspects, SuspectText
from ufine_kit.dataset.splits import draw
from ufine_kit.tables import CampaignTable


def items(folder: Path, name: str, table: CampaignTable) -> list[Item]:
    """One item for every text of the campaign in `folder` that is held back now; a corrected text that fails is a new one.

    Who was removed from a release is shown to nobody.
    """
    people, gone = crop_people(folder.parents[1]), removed(folder.parents[1])
    found = [
        _item(item_key(name, "fix", row["description_id"]), row, row["reasons"], people)
        for row in to_mend(qc(folder, table, people))
        if not gone(people.get(row["crop_id"], ""), row["crop_id"])
    ]
    return _drawn(found, table)


def doubted(folder: Path, name: str, table: CampaignTable, suspects: Suspects) -> Doubts:
    """One item for every text of a list that stands in the campaign as the list has it, and is not held back anyway.

    Its key is told by the text, not by the list: a text that was asked about once is not asked about by a later list. Raises
    KitError where nothing is kept.
    """
    work = folder.parents[1]
    people = crop_people(work)
    asking = _Asking(qc(folder, table, people), {crop for crops in kept(work).values() for crop in crops})
    told = Doubts()
    found: dict[str, Item] = {}  # two lines may mean one text
    for suspect in suspects.texts:
        for text, why_not in asking.about(suspect):
            if text is None or why_not:
                told.left_out[why_not] += 1
                continue
            row = {"description_id": text.description_id, "crop_id": text.crop_id, "text": text.text}
            key = item_key(name, "fix", text.description_id, "doubt")
            found[key] = _item(key, row, [DOUBT], people, doubt=True)
    told.items = _drawn(found.values(), table)
    if suspects.crops:
        told.left_out["of crops (`campaign create review` asks about them)"] = len(suspects.crops)
    return told


class _Asking:
    """What of a list can be asked: the texts of a campaign by their words, and why the others cannot."""

    def __init__(self, quality: Quality, shown: set[str]) -> None:
        self._refused, self._shown = quality.refused, shown
        self._stands: dict[tuple[str, str], list[Text]] = defaultdict(list)
        for text in quality.standing.work:
            self._stands[text.crop_id, text.text].append(text)
        self._stood = {(text.crop_id, text.text) for text in quality.standing.aside}

    def about(self, suspect: SuspectText) -> Sequence[tuple[Text | None, str]]:
        """The texts that a line means, each with an empty word or the reason why it is not asked about."""
        words = (suspect.crop_id or "", suspect.text)
        if words in self._stands:
            return [(text, self._why_not(text)) for text in self._stands[words]]
        if words in self._stood:
            return [(None, "changed or deleted since")]
        by_model = (suspect.origin or "").startswith("model")
        return [(None, "of a model" if by_model else "of another campaign")]

    def _why_not(self, text: Text) -> str:
        if text.description_id in self._refused:
            return "held back (`campaign create fix` without --noise asks about them)"
        return "" if text.crop_id in self._shown else "of crops that are out by now"


def _item(
    key: str, row: Mapping[str, Any], reasons: Sequence[str], people: Mapping[str, str], doubt: bool = False
) -> Item:
    return Item(
        item_key=key,
        kind="fix",
        pictures=(row["crop_id"],),
        shown={"draft": row["text"], "reasons": list(reasons)},
        about={
            "crop_id": row["crop_id"],
            **({"person_id": people[row["crop_id"]]} if row["crop_id"] in people else {}),
            "parent_id": row["description_id"],
            "draft": row["text"],
            **({"doubt": True} if doubt else {}),
        },
    )


def _drawn(found: Iterable[Item], table: CampaignTable) -> list[Item]:
    return sorted(found, key=lambda item: draw(table.seed, item.item_key))
