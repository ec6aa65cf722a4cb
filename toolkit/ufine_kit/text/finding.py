"""The findings of the text rules and the table of rules that campaign, release and rewriting share."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """A piece of evidence: `text == whole[start:end]`; `of` says whose text: `text`, `source` or the id of another row."""

    start: int
    end: int
    text: str
    of: str = "text"


class Finding(NamedTuple):
    """What a rule found: rule name, level (`error` or `warning`), evidence spans, and a sentence for the writer."""

    rule: str
    level: str
    evidence: tuple[Span, ...]
    message: str


class Rule(NamedTuple):
    """One line of the table: where the rule is asked (`rewrite`, `submission` or both), its level and what it means."""

    where: str
    level: str
    meaning: str


ERROR, WARNING = "error", "warning"
RULES: dict[str, Rule] = {
    "lost": Rule("rewrite", ERROR, "something the source says is not in the rewrite"),
    "added": Rule("rewrite", ERROR, "something the source does not say is in the rewrite"),
    "swapped": Rule("rewrite", ERROR, "a colour or another value stands on another item, or was exchanged for another"),
    "negation": Rule("rewrite", ERROR, "an item that is there became absent, or the other way round"),
    "side": Rule("rewrite", ERROR, "left and right were exchanged, lost or invented"),
    "gender": Rule("rewrite", ERROR, "the gender was changed, dropped or invented"),
    "count": Rule("rewrite", ERROR, "a number of things was changed or dropped"),
    "refusal": Rule("rewrite", ERROR, "the model declined instead of rewriting"),
    "meta": Rule("rewrite", ERROR, "words about the task, the prompt or the picture instead of the person"),
    "language": Rule("both", ERROR, "words in another language or script"),
    "copy": Rule("rewrite", ERROR, "the rewrite is the source again"),
    "truncated": Rule("rewrite", ERROR, "the text stops before its last sentence ends"),
    "markup": Rule("rewrite", ERROR, "Markdown, tags, special tokens or quotes around the text"),
    "too_short": Rule("submission", ERROR, "fewer than 30 words"),
    "too_long": Rule("submission", ERROR, "more than 218 words"),
    "low_coverage": Rule(
        "submission", WARNING, "says nothing of two or more of hair, upper clothes, lower clothes, shoes"
    ),
    "template": Rule("submission", ERROR, "one frame with exchanged words across this writer's texts"),
    "copy_self": Rule("submission", ERROR, "nearly the same text as this writer gave for another person"),
    "copy_pair": Rule("submission", ERROR, "nearly the same text as the other description of this crop"),
    "copy_other": Rule("submission", WARNING, "nearly the same text as another writer gave for another crop"),
    "boilerplate": Rule("submission", ERROR, "words about the picture or the task instead of the person"),
    "personal_data": Rule("submission", ERROR, "an e-mail address, link, phone number, number plate or name"),
    "untouched_draft": Rule("submission", ERROR, "the draft was handed back without a change"),
    "too_fast": Rule("submission", WARNING, "more words than can be written in the time"),
    "gibberish": Rule("submission", ERROR, "letters or words without sense"),
    "repeated": Rule("submission", ERROR, "the same words again and again"),
    "contradiction": Rule("submission", WARNING, "disagrees with another description of the same crop or person"),
    "policy": Rule("submission", WARNING, "judges ethnicity, skin or attractiveness"),
}


def finding(rule: str, evidence: tuple[Span, ...], message: str, level: str | None = None) -> Finding:
    """A finding at the level of the table unless another is given."""
    return Finding(rule, level or RULES[rule].level, evidence, message)
