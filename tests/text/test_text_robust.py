"""Any text at all: no crash, spans exact, and work that grows with the text and not with its square."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ufine_kit.text import patterns
from ufine_kit.text.attributes import compare
from ufine_kit.text.phrases import extract
from ufine_kit.text.rules import check_rewrite, check_submissions, strip_mechanical
from ufine_kit.text.statistics import estimated_tokens, readability
from ufine_kit.text.words import sentence_spans, words

pytestmark = pytest.mark.full

PIECES = st.sampled_from(
    [
        "red",
        "hat",
        "black and white",
        "no",
        "without",
        "shoes",
        "left hand",
        ",",
        ".",
        "\n\n",
        "😀",
        "👩‍🦰",
        "قبعة",
        "红色",
        "<think>",
        "**",
        "-",
        "'",
        "’",
        "is",
        "with",
        "T-shirt",
        "e\u0301",
        "\u202e",
        "\u200b",
        "ﬀ",
        "İ",
        "ß",
        "I'm sorry",
        "http://a.b",
        "\0",
        "hair",
        "two",
        "sleeve",
        "of",
        "in",
        "a",
        "the",
        "she",
        "Ã©",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=200), st.lists(PIECES, max_size=40).map(" ".join), st.lists(PIECES, max_size=40).map("".join)
)


@given(TEXTS)
@settings(derandomize=True, max_examples=120, deadline=None)
def test_spans_are_exact_in_any_text(text):
    end = 0
    for phrase in extract(text):
        assert text[phrase.start : phrase.end] == phrase.text and end <= phrase.start < phrase.end
        end = phrase.end
    for start, stop in sentence_spans(text):
        assert 0 <= start < stop <= len(text)
    assert estimated_tokens(text) >= len(words(text)) + 2
    readability(text)


@given(TEXTS, TEXTS)
@settings(derandomize=True, max_examples=80, deadline=None)
def test_any_two_texts_can_be_checked(a, b):
    compare(a, b)
    assert not compare(a, a)
    for finding in check_rewrite(a, b):
        for span in finding.evidence:
            assert (a if span.of == "source" else b)[span.start : span.end] == span.text
    found = check_submissions(
        [{"id": 1, "text": a, "crop": "c", "writer": "w"}, {"id": 2, "text": b, "crop": "c", "writer": "w"}]
    )
    assert set(found) == {1, 2}
    strip_mechanical(a)


HOSTILE = {
    "letters": "x",
    "dots": ".",
    "lines": "\n",
    "blank lines": "\n \n",
    "spaces": " ",
    "commas": "red, ",
    "ands": "red and ",
    "hats": "red hat ",
    "sides": "left hand hat ",
    "ellipses": "in black ",
    "think": "<think>",
    "stars": "*",
    "hyphens": "a-",
    "unknown": "zorg ",
    "unknown held": "holding a zorg ",
    "adverbs": "very ",
    "predicates": "hair is ",
    "emoji": "😀",
    "right to left": "شعر ",
    "cjk": "红色",
    "quotes": '"',
    "digits": "1 ",
    "at signs": "a@",
    "plates": "plate A1 ",
    "I": "I ",
    "sure": "sure! ",
    "sleeves": "sleeve red ",
    "sentences": "the red shirt. ",
    "pockets": "in his pocket ",
    "bars": "| ",
    "zero": "\0",
    "combining": "e\u0301",
    "nor": "no hat nor ",
    "tags": "<p>",
    "negations": "not wearing any ",
    "colons": ": ",
    "ascii art": "=-",
    "mixed": "A man's red-ish (green) T-shirt; no bag! ",
}


def calls_made(text: str) -> int:
    """Python and C calls that reading and checking a text takes."""
    count = 0

    def seen(_frame, event, _argument) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        extract(text)
        check_rewrite(text, text + " x")
        check_submissions([{"id": 1, "text": text}])
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_with_the_text_and_not_with_its_square(name):
    piece = HOSTILE[name]
    short, long = (piece * (size // len(piece)) for size in (2000, 8000))
    calls_made(short)  # words seen once are remembered
    assert calls_made(long) <= 6 * calls_made(short) + 20_000


QUICK = ("letters", "lines", "emoji", "right to left", "hats", "mixed")
LONG = [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.full]) for name in HOSTILE]


@pytest.mark.parametrize("name", LONG)
def test_a_hundred_thousand_characters_are_read(name):
    text = HOSTILE[name] * (100_000 // len(HOSTILE[name]))
    for phrase in extract(text):
        assert text[phrase.start : phrase.end] == phrase.text
    compare(text, text[:-7])
    check_rewrite(text, text + " x")
    check_submissions([{"id": 1, "text": text}])


def test_no_pattern_runs_away_on_long_rows():
    for name in patterns.tables():
        compiled = patterns.pattern(name, 0)
        for piece in ("a", " ", "\n", ".", "*", "1 ", "the ", "<", "&", "- "):
            compiled.search(piece * 8_000 + "!")


@pytest.mark.parametrize("text", ["", " ", "\n", "\ufeff", "\0", "."])
def test_nothing_to_read_is_no_trouble(text):
    assert extract(text) == []
    assert not compare(text, text)
    assert [finding.rule for finding in check_rewrite("A man.", text)]
    assert "too_short" in {finding.rule for finding in check_submissions([{"id": 1, "text": text}])[1]}
