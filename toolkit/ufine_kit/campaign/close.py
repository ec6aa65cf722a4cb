"""Freeze a campaign's ledger into the `descriptions` part that a release is built from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ufine_kit.campaign.decisions import is_decision
from ufine_kit.engine import Job, Step
from ufine_kit.errors import KitError
from ufine_kit.ledger import read_ledger
from ufine_kit.parts import PlanEntry
from ufine_kit.pipeline import LEDGER
from ufine_kit.tables import CampaignTable
from ufine_kit.text.words import count as count_words


def plan_close(folder: Path) -> tuple[list[PlanEntry], dict[str, str]]:
    """The plan of closing: one part, made from the ledger as it is now. Raises KitError for an empty ledger."""
    if not read_ledger(folder / "ledger"):
        raise KitError(
            f"nothing in `{folder / 'ledger'}` yet", f"ufine-kit campaign pull {folder.name} --from texts.jsonl"
        )
    return [PlanEntry("", LEDGER, {f"{LEDGER}/{folder.name}": None})], {LEDGER: str(folder / "ledger")}


def open_close(table: dict[str, Any]) -> Step:
    """A step that gives one `Description` row for every ledger entry with enough words."""
    recipe = CampaignTable.model_validate(table)

    def close(job: Job) -> Iterator[dict[str, Any]]:
        for key, entry in read_ledger(Path(job.paths[LEDGER])).items():
            if is_decision(entry["row"]):
                continue
            if count_words(entry["row"]["text"]) < recipe.min_words:
                job.said.reasons["too_short"] += 1
                continue
            yield {"description_id": key, **entry["row"], "origin": "human", "parent_id": None, "checks": []}

    return close
