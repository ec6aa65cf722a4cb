"""Batches: what is drawn for a step, and mirror images with their texts."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import small_table  # noqa: E402
from ufine_kit.baseline.augment import normalised  # noqa: E402
from ufine_kit.baseline.batches import draw, open_source  # noqa: E402
from ufine_kit.baseline.data import Pairs  # noqa: E402
from ufine_kit.baseline.tokens import PAD, encode, learn_tokenizer, mirrored  # noqa: E402

pytestmark = pytest.mark.full

STILL = {"shift_px": 0, "erase": 0.0, "brightness": 0.0, "contrast": 0.0}


@pytest.fixture
def pairs(rng) -> Pairs:
    captions = [f"number {number} has a bag on the {'left' if number % 3 else 'right'}" for number in range(20)]
    return Pairs(
        pixels=torch.from_numpy(rng.integers(0, 256, (10, 32, 16, 3), dtype=np.uint8)),
        people=torch.arange(10) // 2,
        captions=captions,
        caption_images=torch.arange(10).repeat_interleave(2),
        origins={"granularity": ["coarse"] * 20, "style": ["plain"] * 20, "kind": ["model"] * 20},
        sources=["world"] * 10,
        person_ids=[f"p{number}" for number in range(5)],
        image_ids=[f"i{number}" for number in range(10)],
        crop_ids=[None] * 10,
        image_sha256=[str(number) for number in range(10)],
    )


@pytest.fixture
def tokenizer(pairs):
    return learn_tokenizer(pairs.captions, 300, 120)


def test_flipped_images_come_with_the_texts_of_the_mirror(pairs, tokenizer):
    source, plain = open_source(pairs, tokenizer, small_table(), torch.device("cpu")), normalised(pairs.pixels)
    texts = [encode(tokenizer, [text])[0][0].tolist() for text in pairs.captions]
    mirrors = [encode(tokenizer, [mirrored(text)])[0][0].tolist() for text in pairs.captions]
    turned = 0
    for step in range(12):
        drawn = draw(source, small_table(batch=5, **STILL), step)
        for image, ids, person in zip(drawn.images, drawn.ids.tolist(), drawn.people.tolist(), strict=True):
            straight = [number for number in range(10) if torch.equal(plain[number], image)]
            flipped = [number for number in range(10) if torch.equal(plain[number].flip(-1), image)]
            (number,) = straight or flipped
            said = [each for each in ids if each != PAD]
            assert said in (texts if straight else mirrors)[2 * number : 2 * number + 2]
            assert person == number // 2
            turned += bool(flipped)
    assert 15 < turned < 45


def test_without_mirror_no_image_is_flipped(pairs, tokenizer):
    source, plain = open_source(pairs, tokenizer, small_table(), torch.device("cpu")), normalised(pairs.pixels)
    for step in range(4):
        drawn = draw(source, small_table(batch=10, mirror=False, **STILL), step)
        assert all(any(torch.equal(each, image) for each in plain) for image in drawn.images)


def test_batch_depends_on_seed_and_step_alone(pairs, tokenizer):
    source = open_source(pairs, tokenizer, small_table(), torch.device("cpu"))
    first, again, other = (draw(source, small_table(seed=seed), step) for seed, step in ((3, 7), (3, 7), (4, 7)))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.ids, again.ids)
    assert not torch.equal(first.images, other.images)


def test_captions_and_pixels_are_not_changed_in_place(pairs, tokenizer):
    source = open_source(pairs, tokenizer, small_table(), torch.device("cpu"))
    pixels, ids = source.pixels.clone(), source.ids.clone()
    for step in range(5):
        draw(source, small_table(erase=1.0), step).ids.fill_(9)
    assert torch.equal(source.pixels, pixels)
    assert torch.equal(source.ids, ids)


def test_batch_is_as_long_as_its_longest_text(pairs, tokenizer):
    source = open_source(pairs, tokenizer, small_table(), torch.device("cpu"))
    for step in range(5):
        ids = draw(source, small_table(), step).ids
        assert ids.shape[1] == int((ids != PAD).sum(dim=1).max())
