"""Checks on the submissions of a writing campaign: texts alone, a writer's texts, the texts of a crop or person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ufine_kit.errors import KitError
from ufine_kit.text import contradictions, copies, reuse
from ufine_kit.text import lexicon as lx
from ufine_kit.text.attributes import Reading, read
from ufine_kit.text.finding import Finding, Span, finding
from ufine_kit.text.personal import NameFinder
from ufine_kit.text.single import Limits, Row, check_text


def check_submissions(
    rows: Iterable[Row],
    limits: Limits | None = None,
    names: NameFinder | None = None,
    lexicon: lx.Lexicon | None = None,
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


def reuse_findings(rows: list[dict[str, Any]], found: dict[str, list[Finding]], lexicon: lx.Lexicon) -> None:
    """Templates and copies; a use of a template is not also called a copy."""
    prepared = []
    for index, row in enumerate(rows):
        words = copies.lower_words(row["text"])
        prepared.append(
            reuse.Prepared(
                index, row.get("writer"), row.get("crop"), row.get("identity"), words, reuse.frame_of(words, lexicon)
            )
        )
    template_of: dict[int, int] = {}
    for texts in grouped(prepared, "writer"):
        for members in reuse.templates(texts):
            for member in members:
                template_of[texts[member].index] = texts[members[0]].index
                others = [str(rows[texts[m].index]["id"]) for m in members if m != member]
                note(
                    rows,
                    found,
                    texts[member].index,
                    "template",
                    f"one frame with other words in {len(members)} texts, as in `{others[0]}`",
                    others[0],
                )
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
    told = [
        text for text in prepared if text.writer is not None and text.crop is not None and text.index not in template_of
    ]
    for earlier, later in reuse.other_copies(told):
        a, b = told[earlier].index, told[later].index
        message = f"nearly the same text as another writer gave for another crop: `{rows[a]['id']}`"
        note(rows, found, b, "copy_other", message, str(rows[a]["id"]))


def note(
    rows: list[dict[str, Any]], found: dict[str, list[Finding]], index: int, rule: str, message: str, other: str
) -> None:
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
                conflicts = contradictions.conflicts(readings[a], readings[b], lexicon)
                told = [one for one in conflicts if same or one.stable]
                if told:
                    disagree[a, b] = told[0]
                if any((one.was != "absent" and one.now != "absent") or same for one in conflicts):
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
        for index, other, said, against, span in (
            (a, b, conflict.was, conflict.now, conflict.span_a),
            (b, a, conflict.now, conflict.was, conflict.span_b),
        ):
            if degree[index] >= degree[other] and index not in marked:
                marked.add(index)
                text = rows[index]["text"]
                evidence = (Span(*span, text[slice(*span)]),) if span else ()
                message = f"{conflict.slot}: `{said}` here, `{against}` in `{rows[other]['id']}`"
                found[rows[index]["id"]].append(
                    finding("contradiction", (*evidence, Span(0, 0, "", str(rows[other]["id"]))), message)
                )
