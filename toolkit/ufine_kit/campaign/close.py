"""Freeze what stands in a campaign into the `descriptions` part that a release is built from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ufine_kit.campaign.people import crop_people
from ufine_kit.campaign.qc import judged
from ufine_kit.campaign.standing import ledger_inputs, need_ledger, standing
from ufine_kit.engine import Job, Step
from ufine_kit.files import digest_of
from ufine_kit.parts import PlanEntry
from ufine_kit.pipeline import LEDGER
from ufine_kit.tables import CampaignTable

WORK = "work"


def plan_close(folder: Path) -> tuple[list[PlanEntry], dict[str, str]]:
    """The plan of closing: one part, made from the ledger, the items and the identities as they are now.

    Raises KitError for an empty ledger.
    """
    need_ledger(folder)
    work = folder.parent.parent
    # Told by content: only what changes what a text is judged by makes the part another.
    inputs = {**ledger_inputs(folder), "identities": digest_of(crop_people(work))}
    return [PlanEntry("", LEDGER, inputs)], {LEDGER: str(folder / "ledger"), WORK: str(work)}


def open_close(table: dict[str, Any]) -> Step:
    """A step that gives a `Description` row for every standing text that no rule refuses; the refused are counted by rule."""
    recipe = CampaignTable.model_validate(table)

    def close(job: Job) -> Iterator[dict[str, Any]]:
        found = standing(Path(job.paths[LEDGER]).parent, recipe)
        quality = judged(found, recipe, crop_people(Path(job.paths[WORK])))
        job.said.reasons.update(quality.reasons())
        job.said.facts["held_back"] = len(quality.failed)
        for text in quality.accepted:
            yield {
                "description_id": text.description_id,
                "crop_id": text.crop_id,
                "text": text.text,
                "writer": text.writer,
                "created_at": text.created_at,
                "lead_seconds": text.lead_seconds,
                "origin": text.origin,
                "parent_id": text.parent_id,
                "checks": sorted({one.rule for one in quality.findings[text.description_id]}),
            }

    return close
