"""Near-copies: the quick common subsequence against the plain one, MinHash against exact similarity."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ufine_kit.text import copies

ROWS = st.lists(st.sampled_from("abcdef"), max_size=30)


def common_plainly(a: list[str], b: list[str]) -> int:
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1, j + 1] = table[i, j] + 1 if x == y else max(table[i, j + 1], table[i + 1, j])
    return int(table[-1, -1])


@given(ROWS, ROWS)
@settings(derandomize=True, max_examples=200)
def test_bit_rows_count_the_common_words_in_order(a, b):
    assert copies.common_in_order(a, b) == common_plainly(a, b)


def test_similarity_is_between_nothing_and_the_same():
    assert copies.similarity((), ()) == 1.0
    assert copies.similarity(("a",), ()) == 0.0
    assert copies.similarity(("a", "b"), ("a", "b")) == 1.0


def many(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(f"w{k}" for k in rng.integers(0, 400, 60)) for _ in range(count)]


def test_minhash_proposes_the_near_copies_among_many():
    texts = many(300)
    for k in range(0, 100, 5):
        words = texts[k].split()
        words[7], words[40] = "changed", "words"
        texts.append(" ".join(words))
    found = copies.near_copies(texts)
    assert found == [(k, 300 + k // 5) for k in range(0, 100, 5)]


def test_unlike_texts_are_no_candidates():
    assert len(copies.candidates(copies.signatures([text.split() for text in many(400, 1)]))) < 20


def test_agreement_of_signatures_estimates_the_shared_triples():
    a = many(1, 3)[0].split()
    b = a[:30] + many(1, 4)[0].split()[:30]
    first, second = copies.triples(a), copies.triples(b)
    signs = copies.signatures([a, b])
    exact = len(first & second) / len(first | second)
    assert abs(np.mean(signs[0] == signs[1]) - exact) < 0.15


def test_rows_shorter_than_a_triple_and_empty_rows_have_signatures():
    signs = copies.signatures([("a",), ("a", "b"), ("a",), ("x", "y", "z")])
    assert signs.shape == (4, copies.PERMUTATIONS)
    assert (signs[0] == signs[2]).all() and (signs[0] != signs[3]).any()
    assert copies.signatures([]).shape == (0, copies.PERMUTATIONS)
    assert copies.near_copies([]) == []


def test_a_piece_of_a_text_is_a_near_copy():
    words = many(1, 9)[0].split()
    assert copies.is_near_copy(words, words[:30])
    assert not copies.is_near_copy(words, many(1, 10)[0].split())
