"""What CFAM puts on CLIP: attention against its formula, padding never attended, classes that do not collide."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from ufine_kit.baseline.decoder import (  # noqa: E402
    Attention,
    Block,
    GranularityDecoder,
    Matcher,
    PairClassifier,
    WordTeller,
)

pytestmark = pytest.mark.full


def test_attention_equals_its_formula():
    torch.manual_seed(0)
    layer = Attention(8, 2).double()
    queries, memory = torch.randn(1, 3, 8).double(), torch.randn(1, 5, 8).double()
    asked = layer.ask(queries)[0]
    keys, values = layer.offer(memory)[0].chunk(2, dim=1)
    heads = []
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        scores = (asked[:, part] @ keys[:, part].T / math.sqrt(4)).softmax(dim=1)
        heads.append(scores @ values[:, part])
    torch.testing.assert_close(layer(queries, memory)[0], layer.out(torch.cat(heads, dim=1)))


READ = torch.tensor([[True] * 5, [True, True, False, False, False]])


@pytest.mark.parametrize("features", [8, 12])
def test_padding_is_never_attended_by_the_decoder(features):
    torch.manual_seed(0)
    decoder = GranularityDecoder(features, queries=3, width=8, blocks=2, heads=2)
    tokens = torch.randn(2, 5, features, requires_grad=True)
    found = decoder(tokens, READ)
    assert found.shape == (2, 3, 8)
    found[1].sum().backward()
    assert tokens.grad[1, :2].any() and not tokens.grad[1, 2:].any()
    changed = tokens.detach().clone()
    changed[1, 2:] = 99.0
    torch.testing.assert_close(decoder(changed, READ), found)
    torch.testing.assert_close(decoder(tokens[1:, :2]), found[1:])  # as if there were no padding at all


def test_padding_is_never_attended_by_the_word_teller():
    torch.manual_seed(0)
    teller = WordTeller(8, vocabulary=11, blocks=2, heads=2)
    words, patches, places = torch.randn(2, 5, 8), torch.randn(2, 4, 8), torch.tensor([[0, 1], [1, 0]])
    found = teller(words, READ, patches, places)
    assert found.shape == (2, 2, 11)
    changed = words.clone()
    changed[1, 2:] = 99.0
    torch.testing.assert_close(teller(changed, READ, patches, places), found)


def test_one_decoder_reads_both_sides_and_its_queries_differ():
    torch.manual_seed(0)
    decoder = GranularityDecoder(8, queries=4, width=8, blocks=1, heads=2)
    assert isinstance(decoder.entrance, torch.nn.Identity)
    found = decoder(torch.randn(1, 5, 8))[0]
    assert torch.cdist(found, found).fill_diagonal_(9).min() > 1e-3


def test_matcher_tells_image_and_text_apart_and_judges_every_pair_alone():
    torch.manual_seed(0)
    matcher = Matcher(8, blocks=1, heads=2)
    images, texts = torch.randn(3, 4, 8), torch.randn(3, 4, 8)
    found = matcher(images, texts)
    assert found.shape == (3,)
    torch.testing.assert_close(matcher(images[1:2], texts[1:2]), found[1:2])
    assert not torch.allclose(matcher(texts, images), found)


def test_class_of_mismatches_is_no_person_s():
    """M is the number of train persons: whatever the batch holds, no label of it can be the class of mismatches."""
    pairs = PairClassifier(6, people=100)
    assert pairs.mismatch == 100
    first, second = pairs(torch.randn(4, 6), torch.randn(4, 6))
    assert first.shape == second.shape == (4, 101)
    assert all(person < pairs.mismatch for person in range(100))


def test_pair_classifier_sees_both_orders():
    torch.manual_seed(0)
    pairs = PairClassifier(6, people=5)
    images, texts = torch.randn(4, 6), torch.randn(4, 6)
    torch.testing.assert_close(pairs(images, texts)[0], pairs(texts, images)[1])
    assert not torch.allclose(*pairs(images, texts))


def test_block_is_pre_norm_with_its_two_residuals():
    torch.manual_seed(0)
    block, tokens = Block(8, 2, cross=False), torch.randn(1, 3, 8)
    normed = block.self_norm(tokens)
    middle = tokens + block.self_attention(normed, normed)
    torch.testing.assert_close(block(tokens), middle + block.mlp(block.mlp_norm(middle)))
