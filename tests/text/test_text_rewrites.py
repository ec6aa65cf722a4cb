"""Checks on rewrites: planted faults are found, faithful paraphrases and look-alikes stay clean."""

from __future__ import annotations

import pytest

from text.gold import Score, faults, pairs
from ufine_kit.text.rules import RULES, check_rewrite, strip_mechanical

PARAPHRASES = [pair for half in ("dev", "held") for pair in pairs(half) if pair.kind == "same"]
FORM = ("refusal", "meta", "language", "markup")
CLEAN = [text for table in faults().values() for text in table.get("clean", []) if "{t}" not in text]


def rules(source: str, rewrite: str) -> set[str]:
    return {finding.rule for finding in check_rewrite(source, rewrite)}


def planted(rule: str) -> list[tuple[str, str]]:
    """(source, faulty rewrite) with the paraphrases in turn."""
    bad = faults()[rule]["bad"]
    chosen = [PARAPHRASES[k % len(PARAPHRASES)] for k in range(len(bad))]
    return [(pair.source, text.replace("{t}", pair.rewrite)) for pair, text in zip(chosen, bad, strict=True)]


@pytest.mark.parametrize("rule", FORM)
def test_faults_of_form_reach_the_gate(rule):
    found = [rule in rules(source, text) for source, text in planted(rule)]
    clean = [(pair.source, pair.rewrite) for pair in PARAPHRASES] + [("A man in a hat.", text) for text in CLEAN]
    false = [text for source, text in clean if rule in rules(source, text)]
    score = Score(sum(found), len(false), len(found) - sum(found))
    print(f"rewrite {rule}: {score}, {len(false)} false of {len(clean)}")
    assert score.recall >= 0.97 and score.precision >= 0.97, false


RULE_OF_KIND = {
    "lost": {"lost", "side"},
    "added": {"added"},
    "swapped": {"swapped"},
    "recolour": {"swapped"},
    "negated": {"negation", "lost"},
    "sides": {"side"},
    "gender": {"gender"},
    "count": {"count"},
}


@pytest.mark.parametrize("kind", RULE_OF_KIND)
def test_faults_of_content_are_found_by_their_rule(kind):
    chosen = [pair for half in ("dev", "held") for pair in pairs(half) if pair.kind == kind]
    found = [bool(rules(pair.source, pair.rewrite) & RULE_OF_KIND[kind]) for pair in chosen]
    print(f"rewrite {kind}: {sum(found)} of {len(found)}")
    assert sum(found) >= 0.95 * len(found)


def test_faithful_paraphrases_are_clean():
    unclean = [(pair.rewrite, check_rewrite(pair.source, pair.rewrite)) for pair in PARAPHRASES]
    unclean = [entry for entry in unclean if entry[1]]
    print(f"faithful paraphrases with a finding: {len(unclean)} of {len(PARAPHRASES)}")
    assert len(unclean) <= 0.08 * len(PARAPHRASES), unclean


SOURCE = "A man in a red jacket and blue jeans carries a black bag. He has short hair."
TRUNCATED = [
    ("A man in a red jacket and blue jeans carries a black", True),
    ("A man in a red jacket, blue jeans, with a black bag and short", True),
    ("Short-haired, a man in a red jacket and blue jeans carries a black bag...", True),
    ("Short-haired, a man in a red jacket and blue jeans carries a black bag,", True),
    ("Short-haired, a man in a red jacket and blue jeans carries a black bag", True),
    ("", True),
    ("   ", True),
    ("Short-haired, a man in a red jacket and blue jeans carries a black bag.", False),
    ('Short-haired, a man in a red jacket and blue jeans carries a bag that is "black."', False),
    ("Short-haired, a man in a red jacket and blue jeans carries a black bag!", False),
]


@pytest.mark.parametrize(("text", "cut"), TRUNCATED)
def test_an_unfinished_end_is_seen(text, cut):
    assert ("truncated" in rules(SOURCE, text)) == cut


def test_a_source_without_a_final_mark_asks_for_none():
    source = "A man with black hair, wearing a gray shirt, is walking"
    assert "truncated" not in rules(source, "Walking along is a man with black hair in a grey shirt")
    assert "truncated" in rules(source, "Walking along is a man with black hair in a")


COPIES = [
    (SOURCE, True),
    (SOURCE.lower(), True),
    (SOURCE.replace(".", " ."), True),
    ("Here is the text: " + SOURCE, True),
    ("With short hair, the man carries a black bag and wears blue jeans and a red jacket.", False),
    (SOURCE.replace("red", "green"), False),
]


@pytest.mark.parametrize(("text", "copy"), COPIES)
def test_a_copied_source_is_seen(text, copy):
    assert ("copy" in rules(SOURCE, text)) == copy


def test_a_refusal_is_told_once():
    assert rules(SOURCE, "I'm sorry, but I can't help with that.") == {"refusal"}


def test_findings_have_level_message_and_exact_evidence():
    rewrite = "Sure! A man in a green jacket and blue jeans carries a black bag. He has short hair."
    found = {finding.rule: finding for finding in check_rewrite(SOURCE, rewrite)}
    assert {"meta", "swapped"} <= set(found)
    for finding in found.values():
        assert finding.level == RULES[finding.rule].level and finding.message
        for span in finding.evidence:
            whole = SOURCE if span.of == "source" else rewrite
            assert whole[span.start : span.end] == span.text
    assert {span.text for span in found["swapped"].evidence} == {"red jacket", "green jacket"}


STRIPS = [
    ("<think>Let me see.\nA man.</think>\nA man in a hat.", "A man in a hat."),
    ("thoughts</think> A man in a hat.", "A man in a hat."),
    ("A man in a hat.<|im_end|>", "A man in a hat."),
    ("Sure, here is the description: A man in a hat.", "A man in a hat."),
    ("**Rewritten description:** A man in a hat.", "A man in a hat."),
    ("A man in a **red hat**.", "A man in a red hat."),
    ('"A man in a hat."', "A man in a hat."),
    ("A man in a hat.\n\nLet me know if you need more.", "A man in a hat."),
    ("A man in a hat.", "A man in a hat."),
    ('A man with "NY" on his "hat"', 'A man with "NY" on his "hat"'),
]


@pytest.mark.parametrize(("raw", "rest"), STRIPS)
def test_mechanical_strips_leave_the_description(raw, rest):
    stripped, removed = strip_mechanical(raw)
    assert stripped == rest
    assert bool(removed) == (raw != rest)


def test_a_strip_makes_a_good_rewrite_clean():
    raw = (
        "<think>hm</think>Here is the description: Short-haired, a man in a red jacket and blue jeans has a black bag."
    )
    assert not check_rewrite(SOURCE, strip_mechanical(raw)[0])


def test_every_rule_found_stands_in_the_table():
    texts = [text for rule in FORM for _, text in planted(rule)] + [pair.rewrite for pair in pairs("dev")]
    assert {rule for text in texts for rule in rules(SOURCE, text)} <= set(RULES)
