"""The tokenizer: what CLIPModel needs of it, and what the mirror image says."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from transformers import AutoTokenizer  # noqa: E402

from ufine_kit.baseline.tokens import END, PAD, START, encode, learn_tokenizer, mirrored  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402

pytestmark = pytest.mark.full

CAPTIONS = [
    "A woman with long brown hair wears a red coat.",
    "The man carries a black backpack on his left shoulder and wears blue jeans.",
    "He is walking to the right.",
] * 4


@pytest.fixture(scope="module")
def tokenizer():
    return learn_tokenizer(CAPTIONS, 400, 16)


def test_every_text_begins_and_ends_with_its_marks_and_is_padded_on_the_right(tokenizer):
    ids, cut = encode(tokenizer, ["a red coat", "a man", CAPTIONS[1] * 3])
    assert cut == 1
    assert ids.shape == (3, 16)
    for row in ids.tolist():
        end = row.index(END)
        assert row[0] == START
        assert all(token not in (PAD, END, START) for token in row[1:end])
        assert all(token == PAD for token in row[end + 1 :])


def test_end_token_is_not_the_number_that_clip_reads_as_an_old_checkpoint(tokenizer):
    assert END != 2
    assert tokenizer.eos_token_id == END


@pytest.mark.parametrize("text", ["Ein Mädchen", "红色外套", "a 🧥 coat", ""])
def test_no_text_is_unknown(tokenizer, text):
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == text.lower()


def test_learning_depends_on_the_captions_alone():
    first, second = (learn_tokenizer(list(texts), 400, 16) for texts in (CAPTIONS, reversed(CAPTIONS)))
    assert first.get_vocab() == second.get_vocab()
    assert first.backend_tokenizer.to_str() == second.backend_tokenizer.to_str()


def test_words_of_the_captions_become_one_token(tokenizer):
    assert len(tokenizer("wears")["input_ids"]) == 3


def test_saved_tokenizer_opens_in_transformers_and_says_the_same(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    found = AutoTokenizer.from_pretrained(tmp_path)(CAPTIONS[1] * 3, truncation=True)["input_ids"]
    assert found == encode(tokenizer, [CAPTIONS[1] * 3])[0][0].tolist()


def test_vocabulary_too_small_for_the_bytes_is_named():
    with pytest.raises(KitError, match="below 260"):
        learn_tokenizer(CAPTIONS, 100, 16)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a bag on the left", "a bag on the right"),
        ("Right hand, left foot, LEFT ear", "Left hand, right foot, RIGHT ear"),
        ("a bright upright man who is leftover", "a bright upright man who is leftover"),
        ("the right-hand side", "the left-hand side"),
        ("a red coat", "a red coat"),
    ],
)
def test_mirror_text_changes_sides_and_nothing_else(text, wanted):
    assert mirrored(text) == wanted
    assert mirrored(wanted) == text
