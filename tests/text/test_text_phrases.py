"""Phrases: the convention case by case, and the score on hand-marked descriptions."""

from __future__ import annotations

import subprocess
import sys

import pytest

from text.gold import Score, phrase_texts
from ufine_kit.errors import KitError
from ufine_kit.text import lexicon, oov, spacy_phrases
from ufine_kit.text.phrases import Phrase, extract

CONVENTION = [
    ("She wears a white pure cotton short-sleeved T-shirt.", ["white pure cotton short-sleeved T-shirt"]),
    ("He has short, white hair.", ["short, white hair"]),
    ("a black and white striped top", ["black and white striped top"]),
    ("a red, white, and blue jacket", ["red, white, and blue jacket"]),
    ("a pair of dark blue, ankle-length tight pants", ["dark blue, ankle-length tight pants"]),
    ("two bags, several large pockets and some letters", ["bags", "large pockets", "letters"]),
    ("black shoes with white soles", ["black shoes", "white soles"]),
    ("His hair is short and black.", ["hair"]),
    ("His black trousers are long.", ["black trousers"]),
    ("a black jacket and pants", ["black jacket", "pants"]),
    ("dressed in black, white shoes", ["white shoes"]),
    ("red shirt blue jeans white shoes", ["red shirt", "blue jeans", "white shoes"]),
    ("a hat, black and white shoes", ["hat", "black and white shoes"]),
    ("a cap with a pompom, and thick grey gloves", ["cap", "pompom", "thick grey gloves"]),
    ("a jumper in oatmeal, ripped jeans", ["jumper", "ripped jeans"]),
    ("On his feet are black and white sneakers.", ["black and white sneakers"]),
    ("The man is tall, slim, with a sturdy build.", ["sturdy build"]),
    ("His face is turned, his build is slim.", ["build"]),
    ("A bag is in his left hand, over the right shoulder.", ["bag"]),
    ("She walks to the store on a busy street.", []),
    ("an old man and a young woman", []),
    ("a bare left arm, a right arm", ["bare left arm"]),
    ("knee high boots and a shoulder bag", ["knee high boots", "shoulder bag"]),
    ("a back pack, a t shirt and flip flops", ["back pack", "t shirt", "flip flops"]),
    ("the jacket sleeves and the shirt collar", ["jacket sleeves", "shirt collar"]),
    ("He watches his watch and ties a tie.", ["watch", "tie"]),
    ("his hands in his pockets, trousers with big pockets", ["trousers", "big pockets"]),
    ("a bow at the collar", ["bow"]),
    ("a jacket zipped to the top, wearing a top", ["jacket", "top"]),
    ("long white boots that reach her knees", ["long white boots"]),
    ("a grey down jacket; he walks down", ["grey down jacket"]),
    ("very short hair, casually dressed", ["very short hair"]),
    ("possibly black shoes", ["black shoes"]),
    ("blak trousrs and a red jaket", ["blak trousrs", "red jaket"]),
    ("a light-coloured grayishmilky coat", ["light-coloured grayishmilky coat"]),
    ("wearing black cleats, holding a tambourine", ["black cleats", "tambourine"]),
    ("a casual wear, his wear", ["casual wear"]),
    ("a woman's red handbag", ["red handbag"]),
    ("grey/white sneakers & a blue-and-red scarf", ["grey/white sneakers", "blue-and-red scarf"]),
    ("A light blue button-down shirt", ["light blue button-down shirt"]),
    ("Hair: short. Shoes: black pumps.", ["Hair", "Shoes", "black pumps"]),
]


@pytest.mark.parametrize(("text", "wanted"), CONVENTION, ids=[text[:40] for text, _ in CONVENTION])
def test_convention(text, wanted):
    assert [phrase.text for phrase in extract(text)] == wanted


ABSENT = [
    ("He wears no hat.", {"hat"}),
    ("without a hat or glasses, with a bag", {"hat", "glasses"}),
    ("She isn't wearing a scarf but a coat.", {"scarf"}),
    ("no hat, black shoes", {"hat"}),
    ("neither a tie nor a jacket, only a shirt", {"tie", "jacket"}),
    ("There is no bag on the back and the shoes are red.", {"bag"}),
    ("His shoes are not visible.", {"shoes"}),
    ("His hair cannot be seen.", {"hair"}),
    ("The shirt is not tucked in.", set()),
    ("not only a hat but also a bag", set()),
    ("doesn't carry any bag, umbrella or book", {"bag", "umbrella", "book"}),
    ("sandals without socks and a hat on the head", {"socks"}),
]


@pytest.mark.parametrize(("text", "absent"), ABSENT, ids=[text[:40] for text, _ in ABSENT])
def test_polarity(text, absent):
    assert {phrase.head for phrase in extract(text) if phrase.negated} == absent


def score(half: str) -> tuple[Score, int, int]:
    right = wrong = missed = flags = total = 0
    for text in phrase_texts(half):
        found = {(phrase.start, phrase.end): phrase.negated for phrase in extract(text.text)}
        gold = {(start, end): absent for start, end, absent in text.phrases}
        both = found.keys() & gold.keys()
        right, wrong, missed = right + len(both), wrong + len(found) - len(both), missed + len(gold) - len(both)
        flags += sum(found[span] != gold[span] for span in both)
        total += len(gold)
    return Score(right, wrong, missed), flags, total


@pytest.mark.parametrize("half", ["dev", "held"])
def test_phrases_reach_the_gate_on_marked_descriptions(half):
    result, flags, total = score(half)
    print(f"phrases {half}: {result}, F1 {result.f1:.3f}, wrong polarity {flags}")
    assert total >= 150
    assert result.f1 >= 0.90
    assert flags <= 0.02 * total


def test_the_marked_set_is_large_enough():
    assert sum(len(text.phrases) for half in ("dev", "held") for text in phrase_texts(half)) >= 300


def test_spans_are_exact_and_do_not_overlap():
    for text in phrase_texts("dev") + phrase_texts("held"):
        end = 0
        for phrase in extract(text.text):
            assert text.text[phrase.start : phrase.end] == phrase.text
            assert phrase.start >= end
            end = phrase.end


CONCEPTS = {
    "black cap": "hat",
    "long braid": "hair",
    "sunglasses": "glasses",
    "grey beard": "face",
    "hoodie": "upper",
    "jeans": "lower",
    "kilt": "skirt",
    "sundress": "dress",
    "white socks": "shoes",
    "rucksack": "bag",
    "leather belt": "belt",
    "necktie": "scarf",
    "umbrella": "other",
}


def test_every_concept_has_its_items():
    assert set(CONCEPTS.values()) == set(lexicon.CONCEPTS)
    assert {text: extract(f"He has a {text}.")[0].concept for text in CONCEPTS} == CONCEPTS


def test_a_marking_takes_the_concept_of_its_item():
    found = extract("blue trousers with white stripes and a bag with a red logo")
    assert [phrase.concept for phrase in found] == ["lower", "lower", "bag", "bag"]


def test_users_extend_the_lexicon_with_a_file(tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text('[item.hat]\nmitre = "mitre"\n[looks]\nmine = "zorbic"\n')
    text = "The mitre is tall."
    assert extract(text) == []
    assert [p.concept for p in extract(text, lexicon.load((str(own),)))] == ["hat"]


@pytest.mark.parametrize("content", ["not toml [", '[item.nowhere]\nhat = "hat"\n'])
def test_a_bad_lexicon_file_is_one_clear_line(tmp_path, content):
    own = tmp_path / "mine.toml"
    own.write_text(content)
    with pytest.raises(KitError) as caught:
        lexicon.load((str(own),))
    assert "\n" not in caught.value.problem.splitlines()[0] and caught.value.mend


def test_a_missing_lexicon_file_is_one_clear_line(tmp_path):
    with pytest.raises(KitError, match="no lexicon file"):
        lexicon.load((str(tmp_path / "none.toml"),))


def test_unknown_nouns_near_colours_are_reported():
    rows = oov.report(["She wears a red sporran-like frobnik.", "His black frobnik is long.", "a blue hat"])
    assert rows[0][:2] == ("frobnik", 2)
    assert "frobnik" in rows[0][2][0]


def test_a_word_that_joins_two_looks_is_no_unknown_noun():
    assert oov.report(["The sleeves look long and loose and the collar stays closed."]) == []


def test_importing_phrases_loads_no_array_library():
    code = (
        "import sys, ufine_kit.text.phrases, ufine_kit.text.attributes; "
        "sys.exit(bool({'numpy', 'pyarrow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Word:
    def __init__(self, text, idx, pos):
        self.text, self.idx, self.pos_ = text, idx, pos


class Doc:
    """What a spaCy document offers, as far as it is asked."""

    def __init__(self, chunks):
        self.noun_chunks = chunks


def test_a_model_moves_the_borders_of_known_phrases_only():
    text = "the very long coat near the river"
    chunks = [[Word("the", 0, "DET"), Word("very", 4, "ADV"), Word("long", 9, "ADJ"), Word("coat", 14, "NOUN")]]
    chunks.append([Word("the", 24, "DET"), Word("river", 28, "NOUN")])
    by_model = spacy_phrases.open_phrases(lambda _: Doc(chunks))
    assert by_model(text) == [Phrase("very long coat", 4, 18, "coat", "upper", False)]


def test_spacy_without_a_model_is_one_clear_line():
    with pytest.raises(KitError) as caught:
        spacy_phrases.open_model("no_such_model")
    assert caught.value.mend
