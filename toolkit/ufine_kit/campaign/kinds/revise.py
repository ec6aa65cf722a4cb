"""Revisions: rewrites of a job that wait for people, each beside its source and its picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ufine_kit.campaign.items import Item, item_key
from ufine_kit.dataset.splits import draw
from ufine_kit.errors import KitError
from ufine_kit.files import canonical_json
from ufine_kit.tables import CampaignTable

# Why a row waits, where no rule has said it in words.
WHY = {
    "failed": "No attempt of the program passed the checks.",
    "suspicious": "A check has a doubt.",
    "sampled": "Nothing was noticed; drawn by chance.",
}


def items(work: Path, name: str, job: str, table: CampaignTable) -> list[Item]:
    """One item for every line of `rewrites/<job>/people.jsonl`. Another attempt at a rewrite is another question.

    Raises KitError where the file is missing or a line is not one of the job's.
    """
    path = work / "rewrites" / job / "people.jsonl"
    if not path.is_file():
        raise KitError(f"no rewrite of job `{job}` waits for people", f"ufine-kit build-3c --work {work}")
    found = [
        _item(path, number, line, name, job) for number, line in enumerate(path.read_bytes().splitlines(), 1) if line
    ]
    found = list({item.item_key: item for item in found}.values())
    return sorted(found, key=lambda item: draw(table.seed, item.item_key))


def _item(path: Path, number: int, line: bytes, name: str, job: str) -> Item:
    try:
        row: dict[str, Any] = json.loads(line)
        canonical_json(row).encode()  # half a sign, or no number: nothing that could be frozen
        told = [str(one) for one in row.get("messages") or []] or [WHY.get(str(row.get("why")), "")]
        return Item(
            item_key=item_key(name, "revise", str(row["rewrite_id"]), str(row["of"])),
            kind="revise",
            pictures=(str(row["image_id"]),),
            shown={"written": str(row["source"]), "draft": str(row["rewrite"]), "reasons": told},
            about={"rewrite_id": row["rewrite_id"], "of": row["of"], "draft": row["rewrite"], "job": job},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise KitError(f"`{path}` line {number} is no rewrite", "ufine-kit build-3c writes it anew") from None
