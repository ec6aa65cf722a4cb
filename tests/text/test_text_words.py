"""Words, sentences and the numbers made of them."""

from __future__ import annotations

import json

import pytest

from ufine_kit.errors import KitError
from ufine_kit.text import statistics, words

COUNTS = [
    ("", 0),
    (" \n", 0),
    ("A black-and-white T-shirt.", 3),
    ("man's don't", 2),
    ("black/white, red&blue", 4),
    ("shirt,blue jeans", 3),
    ("number 10 - yes", 3),
    ("cafe\u0301 naïve", 2),
    ("… — !", 0),
    ("他 穿着", 2),
    ("snake_case", 2),
]


@pytest.mark.parametrize(("text", "count"), COUNTS)
def test_words_follow_the_written_rule(text, count):
    assert words.count(text) == count == len(words.words(text))


SENTENCES = [
    ("One. Two! Three?", ["One.", "Two!", "Three?"]),
    ("Mr. Smith walks. He stops", ["Mr. Smith walks.", "He stops"]),
    ("Size M. jacket is red.", ["Size M. jacket is red."]),
    ("First\n\nsecond", ["First", "second"]),
    ('He said "hi." Then left...', ['He said "hi."', "Then left..."]),
    ("3.5 metres. Yes", ["3.5 metres.", "Yes"]),
    ("...", []),
]


@pytest.mark.parametrize(("text", "found"), SENTENCES)
def test_sentences_follow_the_written_rule(text, found):
    assert words.sentences(text) == found


def test_table_one_of_a_dataset():
    told = statistics.stats(["A red hat.", "a Red coat and a hat", "hat"])
    assert (told.texts, told.words_max, told.words_min, told.unique_words) == (3, 6, 1, 5)
    assert told.words_mean == pytest.approx(10 / 3)
    assert told.type_token_ratio == pytest.approx(0.5)


def test_table_one_of_nothing_is_zero():
    assert statistics.stats([]).words_max == 0
    assert statistics.truncated_share([]) == 0.0
    assert statistics.readability("...") == 0.0


def test_histogram_counts_by_bins():
    assert statistics.histogram(["a b c", "a " * 7, "a " * 8], width=5) == {0: 1, 5: 2}


def test_longer_words_and_sentences_read_harder():
    easy, hard = (
        "He has a red hat. It is big.",
        "Approximately seventeen photographers unhesitatingly congregated outside.",
    )
    assert statistics.readability(easy) < statistics.readability(hard)


def test_estimated_tokens_count_words_marks_and_both_ends():
    assert statistics.estimated_tokens("") == 2
    assert statistics.estimated_tokens("a red hat.") == 3 + 1 + 2
    assert statistics.estimated_tokens("a T-shirt") == 2 + 1 + 1 + 2


def test_share_of_texts_that_a_length_cuts():
    texts = ["word " * 10, "word " * 100]
    assert statistics.truncated_share(texts, 77) == 0.5
    assert statistics.truncated_share(texts, 77, tokens=lambda text: 1) == 0.0


def test_a_folder_without_a_tokenizer_is_one_clear_line(tmp_path):
    with pytest.raises(KitError) as caught:
        statistics.open_tokenizer(str(tmp_path))
    assert caught.value.mend


@pytest.mark.full
def test_a_tokenizer_folder_gives_exact_counts(tmp_path):
    transformers = pytest.importorskip("transformers", reason="needs the extra `baseline`")
    letters = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2, "red</w>": 3, "r": 4, "e": 5, "d</w>": 6, "re": 7}
    (tmp_path / "vocab.json").write_text(json.dumps(letters))
    (tmp_path / "merges.txt").write_text("#version: 0.2\nr e\nre d</w>\n")
    transformers.CLIPTokenizer(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt")).save_pretrained(tmp_path)
    assert statistics.open_tokenizer(str(tmp_path))("a red a") == 5
