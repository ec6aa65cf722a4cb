"""Corrections: texts that a check holds back, each with the reasons in plain words and its words ready to be changed."""

from __future__ import annotations

from pathlib import Path

from ufine_kit.campaign.items import Item, item_key
from ufine_kit.campaign.people import crop_people
from ufine_kit.campaign.qc import qc, to_mend
from ufine_kit.dataset.splits import draw
from ufine_kit.tables import CampaignTable


def items(folder: Path, name: str, table: CampaignTable) -> list[Item]:
    """One item for every text of the campaign in `folder` that is held back now; a corrected text that fails is a new one."""
    people = crop_people(folder.parents[1])
    found = [
        Item(
            item_key=item_key(name, "fix", row["description_id"]),
            kind="fix",
            pictures=(row["crop_id"],),
            shown={"draft": row["text"], "reasons": list(row["reasons"])},
            about={
                "crop_id": row["crop_id"],
                **({"person_id": people[row["crop_id"]]} if row["crop_id"] in people else {}),
                "parent_id": row["description_id"],
                "draft": row["text"],
            },
        )
        for row in to_mend(qc(folder, table, people))
    ]
    return sorted(found, key=lambda item: draw(table.seed, item.item_key))
