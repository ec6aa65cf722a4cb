"""Checks on one submission by itself: length, coverage, wording, language, privacy, policy and effort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ufine_kit.text import copies, language, policy, surface
from ufine_kit.text.attributes import Reading
from ufine_kit.text.finding import Finding, Span, finding
from ufine_kit.text.personal import NameFinder, personal_data
from ufine_kit.text.repetition import repeated
from ufine_kit.text.words import count

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Limits:
    """What a campaign asks of its texts. Words as counted by `words.count`; speed in words a second."""

    words_min: int = 30
    words_max: int = 218
    words_per_second: float = 2.0  # 120 words a minute: faster than anyone looks, thinks and types
    policy: tuple[str, ...] = policy.REFUSED
    coverage_unsaid: int = 2


def check_text(row: Row, reading: Reading, limits: Limits, names: NameFinder | None) -> list[Finding]:
    """Everything that one text shows by itself."""
    text, found = row["text"], list[Finding]()
    total = count(text)
    whole = (Span(0, len(text), text),)
    if total < limits.words_min:
        found.append(finding("too_short", whole, f"{total} words; at least {limits.words_min} are asked for"))
    if total > limits.words_max:
        found.append(finding("too_long", whole, f"{total} words; at most {limits.words_max} are asked for"))
    talk = surface.boilerplate(text)
    if talk:
        found.append(
            finding("boilerplate", talk, f"describe the person, not the picture or the task: `{talk[0].text.strip()}`")
        )
    noise = language.gibberish(text)
    other = language.other_script(text) or (() if noise else language.other_language(text))
    if other:
        found.append(finding("language", other, f"not English: `{other[0].text[:40]}`"))
    if noise:
        found.append(finding("gibberish", noise, f"this makes no sense: `{noise[0].text[:40]}`"))
    if total >= limits.words_min and not noise and not other:
        unsaid = [part for part in ("hair", "upper clothes", "lower clothes", "shoes") if part not in covered(reading)]
        if len(unsaid) >= limits.coverage_unsaid:
            found.append(finding("low_coverage", (), f"nothing on {' and '.join(unsaid)}"))
    private = personal_data(text, names)
    if private:
        found.append(finding("personal_data", private, f"personal data: `{private[0].text}`"))
    again = repeated(text)
    if again:
        found.append(finding("repeated", again, f"said more than once: `{again[0].text[:60]}`"))
    judged = policy.policy_words(text, limits.policy)
    if judged:
        spans = tuple(span for group in judged.values() for span in group)
        found.append(finding("policy", spans, f"judges {' and '.join(judged)}: `{spans[0].text}`"))
    return found + check_effort(row, total, limits)


def check_effort(row: Row, total: int, limits: Limits) -> list[Finding]:
    """An untouched draft, and more new words than the time allows."""
    text, draft, seconds = row["text"], row.get("draft"), row.get("lead_seconds")
    new_words = total
    whole = (Span(0, len(text), text),)
    if isinstance(draft, str) and draft.strip():
        old, new = copies.lower_words(draft), copies.lower_words(text)
        if old == new:
            return [finding("untouched_draft", whole, "the draft came back without a change")]
        new_words = len(new) - copies.common_in_order(old, new)
    if (
        isinstance(seconds, int | float)
        and not isinstance(seconds, bool)
        and new_words > max(0.0, seconds) * limits.words_per_second
    ):
        message = f"{new_words} words in {seconds:g} seconds; nobody writes more than {limits.words_per_second * 60:g} a minute"
        return [finding("too_fast", whole, message)]
    return []


COVERS = {
    "hair": {"hair"}, "upper": {"upper clothes"}, "lower": {"lower clothes"}, "skirt": {"lower clothes"}, "shoes": {"shoes"},
    "dress": {"upper clothes", "lower clothes"},
}  # fmt: skip


WHOLE = frozenset(("suit", "uniform", "clothes", "cape", "overalls"))


def covered(reading: Reading) -> set[str]:
    """Which of the four parts of a person a text speaks of; saying that one is absent or unseen counts."""
    parts: set[str] = set()
    for item in reading.items:
        if item.kind == "detail":
            continue
        if item.head in WHOLE:
            parts |= {"upper clothes", "lower clothes"} if item.head != "clothes" or item.values else {"upper clothes"}
        elif item.kind == "body":
            parts |= {"head": {"hair"}, "foot": {"shoes"}}.get(item.head, set())
        elif item.head != "sock":
            parts |= COVERS.get(item.concept, set())
    return parts
