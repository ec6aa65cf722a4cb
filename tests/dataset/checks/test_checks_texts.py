"""What the text checks leave alone: descriptions as people and models write them, and words that only look like a fault."""

from __future__ import annotations

import pytest

from dataset.checks import made
from ufine_kit.dataset.checks import captions
from ufine_kit.dataset.checks.pictures import Picture
from ufine_kit.dataset.checks.rows import Seen
from ufine_kit.dataset.checks.subject import Tombstones
from ufine_kit.tables import CheckTable
from ufine_kit.world import retrieval_set


def said(check, row) -> list[str]:
    return list(check.act(Seen(row, "train", Picture(""), CheckTable(), Tombstones())))


FINE = [
    "A man in a T-shirt with a floral print (red and white); he is seen from behind (left side), carrying a bag;",
    "She wears size-38 sneakers; one shoelace is open, the other one isn't.",
    "A woman's 3/4-length coat, knee-high boots & a black/white scarf.",
    'The shirt says "NIKE" on the front and has a 10" zip.',
    "Hair: short black hair; Upper body: a red shirt; Lower body: blue jeans.",
    "An older man, 1.80 m or so, in a navy-blue suit - no tie - and café-brown shoes.",
    "A boy in a jersey with the number 23 in class colours, returning from the left.",
    "a lady with a public-transport bag, light-coloured trousers (jeans?) and white shoes",
]
FAULTS = (
    "unsafe_signs",
    "spacing",
    "markup",
    "code",
    "other_language",
    "refusal",
    "personal",
    "unclosed",
    "gibberish",
    "repeats",
)


@pytest.mark.parametrize("text", FINE)
def test_a_plain_description_is_no_fault(text):
    row = made.say({}, [text])
    checks = [check for check in captions.CHECKS if check.name in FAULTS]
    assert {check.name: found for check in checks if (found := said(check, row))} == {}


@pytest.mark.full
@pytest.mark.parametrize("style", ["plain", "flowing", "list", "llm"])
def test_texts_of_the_world_carry_no_fault(style):
    found: dict[str, int] = {}
    for sample in retrieval_set(60, 2, seed=11, size=(48, 24), style=style):
        row = made.say({}, list(sample.captions))
        for check in captions.CHECKS:
            if check.name != "contradiction" and said(check, row):
                found[check.name] = found.get(check.name, 0) + 1
    assert found == {}


@pytest.mark.parametrize(
    "code",
    ["def main(): pass", "import os", "for i in range(3): x", "print(x.y)", "if a == b then", "{'a': 1}", "x = [1, 2]",
     "items.append(line)", "() => null", r"a red coat\n and", "SELECT * FROM users"],
)  # fmt: skip
def test_program_code_is_found(code):
    (check,) = [check for check in captions.CHECKS if check.name == "code"]
    assert said(check, made.say({}, [f"{code} in a red coat" if code[0] in "ax{(" else code]))


@pytest.mark.parametrize(
    ("writer", "kind", "named"),
    [("w001", "human", False), ("annotator-17", "human", False), ("Ann Miller", "human", True), ("AnnMiller", "human", True),
     ("ann.miller@example.org", "imported", True), ("CUHK-PEDES", "imported", False), ("MarketSet", "imported", False),
     ("Qwen/Qwen2.5-14B-Instruct@main", "model", False), ("J. Doe", "human", True), ("Ann_Marie_Miller", "human", True)],
)  # fmt: skip
def test_a_writer_is_a_pseudonym(writer, kind, named):
    row = made.say({}, ["A red coat."])
    row["caption_origins"][0] |= {"writer": writer, "kind": kind}
    (check,) = [check for check in captions.CHECKS if check.name == "writers"]
    assert bool(said(check, row)) == named


LONG = 19_900  # letters, nearly the most that the rules read
HEAVY = [" x" + " " * LONG + "x", "(" * LONG, "a" * LONG, "<a" * (LONG // 2), "a " * (LONG // 2), "[a](" * (LONG // 4),
         "a.b" * (LONG // 3), "{{" * (LONG // 2), "a = " * (LONG // 4), "a-" * (LONG // 2), "a@b." * (LONG // 4), '"' * LONG,
         "1 2-" * (LONG // 4), "left right " * (LONG // 11), "人" * LONG, "\x00" * LONG, "a\u200b" * (LONG // 2)]  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("text", HEAVY, ids=lambda text: repr(text[:8]))
def test_a_caption_made_to_be_slow_is_read_to_its_end(text):
    row = made.say({}, [text, "a red coat"])
    spoke = [check.name for check in captions.CHECKS if said(check, row)]
    assert spoke, "such a text is a fault of some kind"
