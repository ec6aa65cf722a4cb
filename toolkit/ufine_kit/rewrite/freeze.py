"""Freeze a job's ledgers into the `rewrites` part: one row a wanted rewrite, with its verdict and who had the last word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ufine_kit.engine import Job, Step
from ufine_kit.files import sha256_file
from ufine_kit.parts import PlanEntry
from ufine_kit.rewrite.asks import Slot, family_of
from ufine_kit.rewrite.job import JobFolder, held_selection, ledger_digest, stand
from ufine_kit.rewrite.people import decisions, slot_id
from ufine_kit.rewrite.rounds import Standing, Tried
from ufine_kit.tables import RewriteTable


def plan_freeze(job: JobFolder) -> tuple[list[PlanEntry], dict[str, str]]:
    """The plan: one part, made from the selection and the ledgers as they are now."""
    held_selection(job)
    inputs: dict[str, str | None] = {"selection": sha256_file(job.path / "selection.json")}
    for name in ("answers", "verdicts", "revised"):
        inputs[name] = ledger_digest(getattr(job, name))
    return [PlanEntry("", "ledgers", inputs)], {"job": str(job.path)}


def open_freeze(table: dict[str, Any]) -> Step:
    """A step that gives one `Rewrite` row for every wanted rewrite, accepted or not."""
    recipe = RewriteTable.model_validate(table)

    def freeze(job: Job) -> Iterator[dict[str, Any]]:
        folder = JobFolder(Path(job.paths["job"]))
        found, wanted = stand(folder, held_selection(folder).pictures, recipe)
        decided = decisions(folder.revised, found)
        for slot in wanted:
            row = rewrite_row(slot, found, decided.get(slot_id(slot)), recipe)
            job.said.reasons[row["verdict"]] += 1
            yield row

    return freeze


def rewrite_row(slot: Slot, found: Standing, decided: Mapping[str, Any] | None, table: RewriteTable) -> dict[str, Any]:
    """The row of one slot, accepted or not.

    `verdict`: `accepted` by the rules; `revised`, `kept` or `dropped` by a person; `failed`; or `waiting` for an answer.
    """
    family = family_of(table, slot.family)
    history = found.for_people.get(slot, [])
    tried = found.accepted.get(slot) or (history[-1] if history else None)
    row = {
        "rewrite_id": slot_id(slot),
        "image_id": slot.original.image_id,
        "caption_index": slot.original.caption_index,
        "text": tried.verdict.text if tried and tried.verdict else "",
        "raw_text": tried.row["raw_text"] if tried else "",
        "model": family.model,
        "revision": family.revision,
        "attempt": tried.ask.attempt if tried else 0,
        "verdict": "accepted" if slot in found.accepted else "failed" if history else "waiting",
        "checks": _checks(tried),
        "revised_by": None,
    }
    if decided is not None:
        verdict = {"accept": "kept", "revise": "revised", "drop": "dropped"}[decided["decision"]]
        text = decided["text"] if decided["text"] is not None else row["text"]
        row.update(verdict=verdict, text=text, revised_by=decided["who"])
    return row


def _checks(tried: Tried | None) -> list[str]:
    if tried is None:
        return []
    return tried.against + (tried.verdict.warnings if tried.verdict else [])
