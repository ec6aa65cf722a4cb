"""What an annotation's results mean: words to the byte, and nothing that a server may hold makes it fail."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ufine_kit.campaign.answers import parse
from ufine_kit.campaign.items import Item

CROP = Item("k", "describe", pictures=("c1",), about={"crop_id": "c1"})
STRIP = Item("k", "review", pictures=("c1", "c2", "c3"), about={"person_id": "p"})
PAIR = Item("k", "review", pictures=("c1", "c2"), shown={"first": 1}, about={"person_id": "p", "other_person_id": "q"})
REWRITE = Item("k", "revise", pictures=("i",), about={"rewrite_id": "r", "draft": "A man."})


def wrote(text, name="text"):
    return {"from_name": name, "to_name": "picture", "type": "textarea", "value": {"text": text}}


def chose(name, *words):
    return {"from_name": name, "to_name": "picture", "type": "choices", "value": {"choices": list(words)}}


def kept(**more):
    return {"drop": [], "split": [], "keep": True, "reason": None, **more}


CASES = [
    (CROP, [wrote(["A man."])], {"text": "A man.", "skip_reason": None}),
    (CROP, [wrote("A man.")], {"text": "A man.", "skip_reason": None}),
    (CROP, [chose("skip", "unclear")], {"text": None, "skip_reason": "unclear"}),
    # A ticked reason hides the box, and the page sends what was in it all the same.
    (CROP, [chose("skip", "hidden"), wrote(["begun"])], {"text": None, "skip_reason": "hidden"}),
    (REWRITE, [chose("decision", "accept"), wrote(["A man."])], {"decision": "accept", "text": "A man."}),
    (REWRITE, [chose("decision", "drop"), wrote(["A man."])], {"decision": "drop", "text": None}),
    (REWRITE, [chose("decision", "revise"), wrote(["A boy."])], {"decision": "revise", "text": "A boy."}),
    (REWRITE, [chose("decision", "drop")], {"decision": "drop", "text": None}),
    (STRIP, [chose("whole", "keep")], kept()),
    (
        STRIP,
        [chose("judge_2", "split"), chose("whole", "keep"), chose("judge_0", "drop")],
        kept(drop=["c1"], split=["c3"]),
    ),
    (STRIP, [chose("whole", "drop"), chose("reason", "mixed")], kept(keep=False, reason="mixed")),
    (STRIP, [chose("whole", "keep"), chose("reason", "mixed")], kept()),
    (PAIR, [chose("same", "different")], {"same": "different"}),
]


@pytest.mark.parametrize(("item", "raw", "answer"), CASES)
def test_what_people_press_is_what_is_answered(item, raw, answer):
    assert parse(item.kind, raw, item) == answer


@pytest.mark.parametrize(
    "text",
    [
        "  two  spaces, and one behind ",
        "שלום עולם \u200f",
        "人 🧥 é e\u0301",
        "one\r\ntwo\rthree\n",
        "\ttab \x00 \\n \"q\" 'q'",
        "<b>&amp;</b>",
    ],
)
def test_a_text_comes_out_to_the_byte(text):
    assert parse("describe", [wrote([text])], CROP)["text"].encode() == text.encode()


ODD = [
    (CROP, [], "neither a text nor a reason"),
    (CROP, [wrote([""])], "neither a text nor a reason"),
    (CROP, [wrote(["a", "b"])], "2 texts in one box"),
    (CROP, [wrote(["a"]), chose("mood", "good")], "`mood`"),
    (CROP, [wrote(["a"]), {"from_name": "text", "value": {"text": [1]}}], "neither text nor choice"),
    (CROP, [wrote(["a"]), "nonsense"], "neither text nor choice"),
    (CROP, None, "neither text nor choice"),
    (REWRITE, [wrote(["a"])], "nothing decided"),
    (REWRITE, [chose("decision", "burn")], "`burn` is none of"),
    (REWRITE, [chose("decision", "revise")], "without a text"),
    (STRIP, [chose("whole", "keep"), chose("judge_7", "drop")], "crop 8 was judged, and 3 were shown"),
    (STRIP, [chose("whole", "keep"), chose("judge_0", "burn")], "nothing that a crop can be"),
    (STRIP, [chose("judge_0", "drop", "split"), chose("whole", "keep")], "`drop` and 1 more"),
    (STRIP, [], "nothing decided"),
    (PAIR, [], "nothing decided"),
    (PAIR, [chose("same", "same", "unsure")], "`same` and 1 more"),
    (PAIR, [chose("same", "same"), chose("whole", "keep")], "`whole`"),
]


@pytest.mark.parametrize(("item", "raw", "said"), ODD)
def test_what_cannot_be_understood_is_told_in_one_line(item, raw, said):
    odd = parse(item.kind, raw, item)["odd"]
    assert said in odd and "\n" not in odd


@pytest.mark.parametrize(
    ("item", "raw", "answer"),
    [
        (REWRITE, [chose("decision", "accept", "drop"), wrote(["A man."])], {"decision": None, "text": "A man."}),
        (PAIR, [chose("same", "same"), chose("same", "different")], {"same": None}),
        (
            STRIP,
            [chose("judge_0", "drop", "split"), chose("judge_1", "drop"), chose("whole", "keep")],
            kept(drop=["c2"]),
        ),
    ],
)
def test_two_decisions_that_contradict_each_other_are_none(item, raw, answer):
    found = parse(item.kind, raw, item)
    assert "and 1 more chosen where one is asked" in found.pop("odd")
    assert found == answer


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["text", "judge_1", "whole", "drop"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["from_name", "value", "text", "choices"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(JSON)
def test_no_result_makes_it_fail(raw):
    for item in (CROP, STRIP, PAIR, REWRITE):
        assert isinstance(parse(item.kind, raw, item), dict)
