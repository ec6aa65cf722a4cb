"""Checks on the submissions of a writing campaign: each text alone, each writer's texts, and the texts of one crop or person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ufine_kit.errors import KitError
from ufine_kit.text import contradictions, copies, language, policy, reuse, surface
from ufine_kit.text import lexicon as lx
from ufine_kit.text.attributes import Reading, read
from ufine_kit.text.finding import Finding, Span, finding
from ufine_kit.text.personal import NameFinder, personal_data
from ufine_kit.text.words import WORD, count, sentence_spans

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Limits:
    """What a campaign asks of its texts. Words as counted by `words.count`; speed in words a second."""

    words_min: int = 30
    words_max: int = 218
    words_per_second: float = 2.0  # 120 words a minute: faster than anyone looks, thinks and types
    policy: tuple[str, ...] = policy.REFUSED
    coverage_unsaid: int = 2


def check_submissions(
    rows: Iterable[Row], limits: Limits | None = None, names: NameFinder | None = None, lexicon: lx.Lexicon | None = None
) -> dict[str, list[Finding]]:
    """Findings by row id, every id present, in order of submission.

    Rows have `id, writer, crop, identity, text, lead_seconds, draft`; all but `id` and `text` may be missing or None. Rows that
    come earlier were submitted earlier. Raises `KitError` where a row has no id or no text, or an id comes twice.
    """
    limits, words = limits or Limits(), lexicon or lx.load()
    listed = [dict(row) for row in rows]
    found: dict[str, list[Finding]] = {}
    for row in listed:
        if "id" not in row or not isinstance(row.get("text"), str):
            raise KitError("a submission has no `id` or no `text`", "give each row `id` and `text`")
        if row["id"] in found:
            raise KitError(f"two submissions have the id `{row['id']}`", "give each row its own id")
        found[row["id"]] = []
    readings = [read(row["text"], words) for row in listed]
    for row, reading in zip(listed, readings, strict=True):
        found[row["id"]] += check_text(row, reading, limits, names)
    reuse_findings(listed, found, words)
    contradiction_findings(listed, readings, found, words)
    return found


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
        found.append(finding("boilerplate", talk, f"describe the person, not the picture or the task: `{talk[0].text.strip()}`"))
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
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and new_words > max(0.0, seconds) * limits.words_per_second:
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
        elif item.head == "sock" or item.head == "garment":
            parts |= {"upper clothes"} if item.head == "garment" else set()
        elif item.kind == "body":
            parts |= {"hair"} if item.head == "head" else {"shoes"} if item.head == "foot" else set()
        elif not (item.kind == "generic" and not item.values and item.concept == "shoes" and False):
            parts |= COVERS.get(item.concept, set())
    return parts


LONG_RUN, TELLING_RUN = 10, 8
SAME_WORD = re.compile(r"\b(\w{2,30})(?:\W{1,3}\1\b){2,}", re.IGNORECASE)


def repeated(text: str) -> tuple[Span, ...]:
    """A word or group of words thrice in a row, ten words (or eight with two looks) in the same order twice, a sentence twice."""
    thrice = SAME_WORD.search(text)
    if thrice is not None:
        return (Span(thrice.start(), thrice.end(), thrice.group()),)
    found = [(m.group().lower(), m.start(), m.end()) for m in WORD.finditer(text)]
    short, spans = again(found, 5), loops(found)
    if short and not spans:  # what holds for longer runs holds for their first five words
        spans = again(found, LONG_RUN) or [span for span in again(found, TELLING_RUN) if looks_in(text[slice(*span)]) >= 2]
        if not spans:
            spans = short if len(found) >= 15 and len(short) * 3 >= len(found) else sentence_again(text)
    return (Span(*spans[0], text[slice(*spans[0])]),) if spans else ()


def looks_in(text: str) -> int:
    """How many words of a text name a colour, pattern, material or the like."""
    entries = lx.load().entries
    return sum(bool(entries[word].values) for word in WORD.findall(text.lower()))


def loops(found: list[tuple[str, int, int]]) -> list[tuple[int, int]]:
    """The first group of two to six words that stands three times in a row."""
    words = [word for word, _, _ in found]
    for size in range(2, 7):
        same = 0
        for at in range(size, len(words)):
            same = same + 1 if words[at] == words[at - size] else 0
            if same == 2 * size:
                return [(found[at - 3 * size + 1][1], found[at][2])]
    return []


def sentence_again(text: str) -> list[tuple[int, int]]:
    """Sentences of five words or more that were said before."""
    sentences: set[tuple[str, ...]] = set()
    for start, end in sentence_spans(text):
        words = tuple(WORD.findall(text[start:end].lower()))
        if words in sentences and len(words) >= 5:
            return [(start, end)]
        sentences.add(words)
    return []


def again(found: list[tuple[str, int, int]], size: int) -> list[tuple[int, int]]:
    """Spans of word runs of a size that stood earlier in the text without overlap."""
    first: dict[tuple[str, ...], int] = {}
    spans: list[tuple[int, int]] = []
    for at in range(len(found) - size + 1):
        run = tuple(word for word, _, _ in found[at : at + size])
        if at - first.setdefault(run, at) >= size:
            spans.append((found[at][1], found[at + size - 1][2]))
    return spans


def reuse_findings(rows: list[dict[str, Any]], found: dict[str, list[Finding]], lexicon: lx.Lexicon) -> None:
    """Templates and copies; a use of a template is not also called a copy."""
    prepared = []
    for index, row in enumerate(rows):
        words = copies.lower_words(row["text"])
        prepared.append(reuse.Prepared(index, row.get("writer"), row.get("crop"), row.get("identity"), words, reuse.frame_of(words, lexicon)))
    template_of: dict[int, int] = {}
    for texts in grouped(prepared, "writer"):
        for members in reuse.templates(texts):
            for member in members:
                template_of[texts[member].index] = texts[members[0]].index
                others = [str(rows[texts[m].index]["id"]) for m in members if m != member]
                note(rows, found, texts[member].index, "template", f"one frame with other words in {len(members)} texts, as in `{others[0]}`", others[0])
    for rule, key, search, message in (
        ("copy_self", "writer", reuse.own_copies, "nearly the same text as for another person"),
        ("copy_pair", "crop", reuse.pair_copies, "nearly the same text as the other description of this crop"),
    ):
        for texts in grouped(prepared, key):
            free = [t for t in texts if rule != "copy_self" or t.index not in template_of]
            for earlier, later in search(free):
                a, b = free[earlier].index, free[later].index
                if template_of.get(a, -1) != template_of.get(b, -2):
                    note(rows, found, b, rule, f"{message}: `{rows[a]['id']}`", str(rows[a]["id"]))
    for earlier, later in reuse.other_copies([p for p in prepared if p.writer is not None and p.crop is not None and p.index not in template_of]):
        del earlier, later


def note(rows: list[dict[str, Any]], found: dict[str, list[Finding]], index: int, rule: str, message: str, other: str) -> None:
    """Put a finding on a whole text, with the id of the other text as evidence."""
    text = rows[index]["text"]
    found[rows[index]["id"]].append(finding(rule, (Span(0, len(text), text), Span(0, 0, "", other)), message))


def grouped(prepared: list[reuse.Prepared], key: str) -> list[list[reuse.Prepared]]:
    """Texts by writer or crop, in order of submission; rows that do not say are left out."""
    groups: dict[str, list[reuse.Prepared]] = {}
    for text in prepared:
        value = getattr(text, key)
        if value is not None and text.words:
            groups.setdefault(value, []).append(text)
    return [texts for texts in groups.values() if len(texts) > 1]


MOST_TEXTS = 16  # of one person that are compared with each other; beyond, each is compared with the first ones


def contradiction_findings(
    rows: list[dict[str, Any]], readings: list[Reading], found: dict[str, list[Finding]], lexicon: lx.Lexicon
) -> None:
    """Who disagrees with more of the other texts of the person carries the finding; a tie marks both."""
    groups: dict[tuple[str, Any], list[int]] = {}
    for index, row in enumerate(rows):
        for key in ("identity", "crop"):
            if row.get(key) is not None:
                groups.setdefault((key, row[key]), []).append(index)
                break
    explained = {row["id"] for row in rows if any(one.rule in EXPLAINED for one in found[row["id"]])}
    for members in groups.values():
        members = [index for index in members if rows[index]["id"] not in explained]
        disagree: dict[tuple[int, int], contradictions.Conflict] = {}
        doubts: dict[int, int] = {}
        for at, b in enumerate(members):
            for a in members[: min(at, MOST_TEXTS)]:
                same = rows[a].get("crop") is not None and rows[a].get("crop") == rows[b].get("crop")
                conflict = contradictions.conflicts(readings[a], readings[b], same, lexicon)
                if conflict:
                    disagree[a, b] = conflict[0]
                if conflict or (not same and contradictions.conflicts(readings[a], readings[b], True, lexicon)):
                    doubts[a], doubts[b] = doubts.get(a, 0) + 1, doubts.get(b, 0) + 1
        blame(rows, found, disagree, doubts)


EXPLAINED = frozenset(("copy_self", "gibberish", "language"))  # such a text is not another view of its person


def blame(
    rows: list[dict[str, Any]],
    found: dict[str, list[Finding]],
    disagree: dict[tuple[int, int], contradictions.Conflict],
    degree: dict[int, int],
) -> None:
    """Write the findings of one person's disagreements; `degree` says with how many texts each of them disagrees."""
    marked: set[int] = set()
    for (a, b), conflict in disagree.items():
        for index, other, said, against, span in ((a, b, conflict.was, conflict.now, conflict.span_a), (b, a, conflict.now, conflict.was, conflict.span_b)):
            if degree[index] >= degree[other] and index not in marked:
                marked.add(index)
                text = rows[index]["text"]
                evidence = (Span(*span, text[slice(*span)]),) if span else ()
                message = f"{conflict.slot}: `{said}` here, `{against}` in `{rows[other]['id']}`"
                found[rows[index]["id"]].append(finding("contradiction", (*evidence, Span(0, 0, "", str(rows[other]["id"]))), message))
