"""Where every wanted rewrite stands: accepted, to be asked (again), or waiting for a person; nothing is asked here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ufine_kit.rewrite.asks import Ask, Slot, ask
from ufine_kit.rewrite.checking import Verdict, alike, verdict_key
from ufine_kit.tables import RewriteTable


@dataclass(frozen=True)
class Tried:
    """One attempt that has an answer; `verdict` is None where there are no words to judge."""

    ask: Ask
    row: Mapping[str, Any]
    verdict: Verdict | None

    @property
    def against(self) -> list[str]:
        """Why this attempt does not go out: names of rules, or how the answer ended."""
        if self.row["status"] != "answered":
            return [self.row["status"]]
        return [] if self.verdict is None else self.verdict.errors


@dataclass
class Standing:
    """All slots of a job by how they stand."""

    accepted: dict[Slot, Tried] = field(default_factory=dict[Slot, Tried])
    to_ask: list[Ask] = field(default_factory=list[Ask])
    to_check: list[tuple[Ask, Mapping[str, Any]]] = field(default_factory=list[tuple[Ask, Mapping[str, Any]]])
    for_people: dict[Slot, list[Tried]] = field(default_factory=dict[Slot, list[Tried]])
    retried: int = 0
    failures: Counter[str] = field(default_factory=Counter[str])


def standing(
    slots: Sequence[Slot],
    table: RewriteTable,
    templates: Mapping[str, str],
    answers: Mapping[str, Mapping[str, Any]],
    verdicts: Mapping[str, Verdict],
) -> Standing:
    """How every slot stands, from the ledger's answers and the verdicts. `templates` maps a family to its template digest."""
    found = Standing()
    said: dict[tuple[str, int], list[str]] = {}
    for slot in slots:
        place = (slot.original.image_id, slot.original.caption_index)
        tried = _follow(slot, table, templates[slot.family], answers, verdicts, said.get(place, ()), found)
        if tried is not None:
            found.accepted[slot] = tried
            assert tried.verdict is not None
            said.setdefault(place, []).append(tried.verdict.text)
    return found


def _follow(
    slot: Slot,
    table: RewriteTable,
    template: str,
    answers: Mapping[str, Mapping[str, Any]],
    verdicts: Mapping[str, Verdict],
    others: Iterable[str],
    found: Standing,
) -> Tried | None:
    """The attempt that stands, after walking through all there were; where none does, `found` says what comes next."""
    history: list[Tried] = []
    tokens = table.max_tokens
    for attempt in range(1, table.attempts + 1):
        one = ask(slot, attempt, tokens, table, template)
        entry = answers.get(one.key)
        if entry is None:
            found.to_ask.append(one)
            found.retried += attempt > 1
            return None
        row = entry["row"]
        verdict = verdicts.get(verdict_key(one.key))
        if row["status"] == "answered" and verdict is None:
            found.to_check.append((one, entry))
            return None
        tried = Tried(one, row, _against_others(verdict, others))
        history.append(tried)
        if not tried.against:
            return tried
        found.failures.update(tried.against)
        if row["status"] == "cut":
            tokens = min(tokens * 2, table.most_tokens)
        if row["status"] == "poison":  # the server will never take it
            break
    found.for_people[slot] = history
    return None


def _against_others(verdict: Verdict | None, others: Iterable[str]) -> Verdict | None:
    """A rewrite that another family (or number) gave already for this original is a copy."""
    if verdict is None or not verdict.passed or not any(alike(verdict.text, other) for other in others):
        return verdict
    return verdict._replace(
        passed=False, errors=["copy"], messages=["nearly the same text as another rewrite of this original"]
    )
