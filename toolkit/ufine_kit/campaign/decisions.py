"""Review decisions by file: lines of the same JSONL that brings texts, checked, and frozen into parts of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from ufine_kit.engine import Job, Step
from ufine_kit.ledger import read_ledger
from ufine_kit.parts import PlanEntry
from ufine_kit.pipeline import LEDGER
from ufine_kit.rows import ReviewWord


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
            "created_at": self.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }


def is_decision(row: dict[str, Any]) -> bool:
    """Whether a ledger's row is a decision and no text."""
    return "decision" in row


def plan_close_decisions(folder: Path) -> tuple[list[PlanEntry], dict[str, str]]:
    """The plan of closing decisions: one part from the ledger as it is now; nothing where nobody decided anything."""
    found = any(is_decision(entry["row"]) for entry in read_ledger(folder / "ledger").values())
    entries = [PlanEntry("", LEDGER, {f"{LEDGER}/{folder.name}": None})] if found else []
    return entries, {LEDGER: str(folder / "ledger")}


def open_close_decisions(table: dict[str, Any]) -> Step:
    """A step that gives one `ReviewDecision` row for every decision of the ledger."""

    def close(job: Job) -> Iterator[dict[str, Any]]:
        for entry in read_ledger(Path(job.paths[LEDGER])).values():
            if is_decision(entry["row"]):
                yield entry["row"]

    return close
