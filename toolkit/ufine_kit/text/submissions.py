"""Checks on the submissions of a writing campaign: texts alone, a writer's texts, the texts of a crop or person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import intern
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
    reuse_findings(listed, found, words)
    for members in views(listed):
        told = _told(listed, members, found, limits, names, words)
        contradiction_findings(listed, told, found, words)
    return found


def _told(
    rows: list[dict[str, Any]],
    members: list[int],
    found: dict[str, list[Finding]],
    limits: Limits,
    names: NameFinder | None,
    lexicon: lx.Lexicon,
) -> Iterator[tuple[int, Reading]]:
    """Judge texts by themselves, one after another, and give what each says where it is another view of its person."""
    for index in members:
        row, reading = rows[index], read(rows[index]["text"], lexicon)
        found[row["id"]][:0] = check_text(row, reading, limits, names)
        if all(one.rule not in EXPLAINED for one in found[row["id"]]):
            yield index, reading


def reuse_findings(rows: list[dict[str, Any]], found: dict[str, list[Finding]], lexicon: lx.Lexicon) -> None:
    """Templates and copies; a use of a template is not also called a copy."""
    prepared = []
    for index, row in enumerate(rows):
        words = tuple(map(intern, copies.lower_words(row["text"])))  # a campaign has few thousand different words
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


def views(rows: list[dict[str, Any]]) -> list[list[int]]:
    """Indices of the texts that speak of one person (of one crop where no identity is known), in order of submission."""
    groups: dict[tuple[str, Any], list[int]] = {}
    for index, row in enumerate(rows):
        key = next((key for key in ("identity", "crop") if row.get(key) is not None), None)
        groups.setdefault((key, row[key]) if key else ("", index), []).append(index)
    return list(groups.values())


def contradiction_findings(
    rows: list[dict[str, Any]],
    told: Iterable[tuple[int, Reading]],
    found: dict[str, list[Finding]],
    lexicon: lx.Lexicon,
) -> None:
    """Of the texts of one person: who disagrees with more of the others carries the finding; a tie marks both.

    What a text says weighs far more than the text: only what later ones are compared with is held.
    """
    first: list[tuple[int, Reading]] = []
    disagree: dict[tuple[int, int], contradictions.Conflict] = {}
    doubts: dict[int, int] = {}
    for b, later in told:
        for a, earlier in first:
            same = rows[a].get("crop") is not None and rows[a].get("crop") == rows[b].get("crop")
            conflicts = contradictions.conflicts(earlier, later, lexicon)
            against = [one for one in conflicts if same or one.stable]
            if against:
                disagree[a, b] = against[0]
            if any((one.was != "absent" and one.now != "absent") or same for one in conflicts):
                doubts[a], doubts[b] = doubts.get(a, 0) + 1, doubts.get(b, 0) + 1
        if len(first) < MOST_TEXTS:
            first.append((b, later))
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
