"""Checks on one rewrite of a description: what it says against what the source says, and how it says it."""

from __future__ import annotations

from ufine_kit.text import copies, language, surface
from ufine_kit.text import lexicon as lx
from ufine_kit.text.attributes import compare
from ufine_kit.text.differences import Difference
from ufine_kit.text.finding import WARNING, Finding, Span, finding

COPY_ALIKE = 0.95
RULE_OF_SLOT = {"polarity": "negation", "side": "side", "gender": "gender", "count": "count"}


def check_rewrite(source: str, rewrite: str, lexicon: lx.Lexicon | None = None) -> list[Finding]:
    """All findings on a rewrite, errors of form first; empty for a faithful paraphrase in plain English."""
    found = form_findings(source, rewrite)
    refused = any(one.rule == "refusal" for one in found)
    if refused or not rewrite.strip():
        return found
    return found + content_findings(source, surface.strip_mechanical(rewrite)[0], rewrite, lexicon)


def form_findings(source: str, rewrite: str) -> list[Finding]:
    """Refusal, meta text, markup, language, copy and truncation."""
    found: list[Finding] = []
    if not rewrite.strip():
        return [finding("truncated", (Span(0, len(rewrite), rewrite),), "the rewrite is empty")]
    refused = surface.refusal(rewrite)
    if refused:
        found.append(finding("refusal", refused, f"the model declines: `{refused[0].text}`"))
    talk = surface.meta(rewrite)
    if not surface.task_words(source):
        talk += surface.task_words(rewrite)
    if not surface.picture_talk(source):
        talk += surface.picture_talk(rewrite)
    if talk and not refused:
        found.append(finding("meta", talk, f"words about the task or the picture: `{talk[0].text.strip()}`"))
    marks = surface.markup(rewrite)
    if marks and not surface.markup(source):
        found.append(finding("markup", marks, f"markup in the text: `{marks[0].text.strip()[:40]}`"))
    other = language.other_script(rewrite) or language.other_language(rewrite)
    if other and not (language.other_script(source) or language.other_language(source)):
        found.append(finding("language", other, f"not English: `{other[0].text[:40]}`"))
    a, b = copies.lower_words(source), copies.lower_words(surface.strip_mechanical(rewrite)[0])
    if a and copies.similarity(a, b) >= COPY_ALIKE and is_copy(a, b):
        found.append(finding("copy", (Span(0, len(rewrite), rewrite),), "the rewrite repeats the source word for word"))
    cut = surface.truncated(rewrite, source)
    if cut and not refused:
        found.append(finding("truncated", cut, f"the text stops at `{cut[0].text.strip()}`"))
    return found


def is_copy(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Equal but for at most one word in forty: a changed colour in a copied text is a swap, not a copy."""
    changed = max(len(a), len(b)) - copies.common_in_order(a, b)
    return changed <= max(len(a), len(b)) // 40


def content_findings(source: str, rewrite: str, raw: str, lexicon: lx.Lexicon | None) -> list[Finding]:
    """Findings on what is said, one a rule, with evidence from source and rewrite."""
    result = compare(source, rewrite, lexicon)
    grouped: dict[str, list[Difference]] = {}
    for kind in ("swapped", "contradicted", "lost", "added"):
        for one in getattr(result, kind):
            rule = RULE_OF_SLOT.get(one.slot) or ("swapped" if kind == "contradicted" else kind)
            if one not in grouped.setdefault(rule, []):
                grouped[rule].append(one)
    offset = max(0, raw.find(rewrite[:40])) if raw != rewrite else 0
    return [content_finding(rule, found, source, raw, offset) for rule, found in grouped.items()]


def content_finding(rule: str, found: list[Difference], source: str, raw: str, offset: int) -> Finding:
    """One finding of all differences of a rule."""
    evidence: list[Span] = []
    for one in found:
        if one.span_a is not None:
            evidence.append(Span(*one.span_a, source[slice(*one.span_a)], "source"))
        if one.span_b is not None:
            start, end = one.span_b[0] + offset, one.span_b[1] + offset
            evidence.append(Span(start, end, raw[start:end]))
    only_actions = rule in ("lost", "added") and all(one.slot in ("action", "size", "fit", "closure") for one in found)
    return finding(rule, tuple(evidence), "; ".join(map(str, found)), WARNING if only_actions else None)
