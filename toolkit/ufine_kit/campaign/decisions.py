"""Review decisions: lines of the same JSONL that brings texts, checked; and what holds of all, frozen into parts of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from ufine_kit.campaign.agreed import Agreed, agreed
from ufine_kit.campaign.standing import ledger_inputs, standing
from ufine_kit.engine import Job, Step
from ufine_kit.parts import PlanEntry
from ufine_kit.pipeline import LEDGER
from ufine_kit.rows import ReviewWord
from ufine_kit.tables import CampaignTable

SECOND_LOOK = "second_look.jsonl"


def in_utc(at: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for one that falls out of the calendar there."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of the calendar") from None


class Decision(BaseModel):
    """One line: what a reviewer decided of a crop, of an identity, or of a pair of identities.

    `split` takes a crop out of its identity; `other_person_id` may then label the new one. `merge` and `same_person` unite a
    pair, `keep` of a pair holds it apart.
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    decision: ReviewWord
    crop_id: str | None = Field(default=None, min_length=1)
    person_id: str | None = Field(default=None, min_length=1)
    other_person_id: str | None = Field(default=None, min_length=1)
    reviewer: str = Field(pattern=r"\S")
    created_at: AwareDatetime

    @field_validator("created_at")
    @classmethod
    def _utc(cls, at: datetime) -> datetime:
        return in_utc(at)

    @model_validator(mode="after")
    def _about_something(self) -> Self:
        if self.crop_id is None and self.person_id is None:
            raise ValueError("names neither crop_id nor person_id")
        if self.decision == "split" and self.crop_id is None:
            raise ValueError("`split` needs the crop_id that leaves its identity")
        united = self.decision in ("merge", "same_person")
        if united and (self.crop_id is not None or self.person_id is None or self.other_person_id is None):
            raise ValueError(f"`{self.decision}` needs person_id and other_person_id")
        if self.other_person_id is not None and self.other_person_id == self.person_id and self.crop_id is None:
            raise ValueError("names one identity twice")
        return self

    def row(self, reviewer: str) -> dict[str, Any]:
        """As a `ReviewDecision` row, its reviewer a pseudonym."""
        return {
            "crop_id": self.crop_id,
            "person_id": self.person_id,
            "other_person_id": self.other_person_id,
            "decision": self.decision,
            "reviewer": reviewer,
            "created_at": self.created_at.isoformat().replace("+00:00", "Z"),
        }


def decided(folder: Path, table: CampaignTable) -> Agreed:
    """The decisions of a campaign: what came by file, as it came, and what the reviewers of a server agree on."""
    found = standing(folder, table)
    result = agreed(found)
    result.rows = [*found.decisions, *result.rows]
    return result


def plan_close_decisions(folder: Path, table: CampaignTable | None = None) -> tuple[list[PlanEntry], dict[str, str]]:
    """The plan of closing decisions: one part from the ledger as it is now; nothing where nothing is decided."""
    # What was decided once and holds no longer must leave the part too.
    closed = (folder.parent.parent / "decisions" / folder.name / "plan.json").exists()
    wanted = closed or decided(folder, table or CampaignTable()).rows
    entries = [PlanEntry("", LEDGER, ledger_inputs(folder))] if wanted else []
    return entries, {LEDGER: str(folder / "ledger")}


def open_close_decisions(table: dict[str, Any]) -> Step:
    """A step that gives one `ReviewDecision` row for every decision that holds; what is open is counted."""
    recipe = CampaignTable.model_validate(table)

    def close(job: Job) -> Iterator[dict[str, Any]]:
        found = decided(Path(job.paths[LEDGER]).parent, recipe)
        job.said.reasons.update({"disagreed": len(found.second_look), "waiting": found.waiting})
        job.said.reasons += Counter()  # zeros are no reasons
        yield from found.rows

    return close
