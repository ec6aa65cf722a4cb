"""Text masking: asked for, never in place, and drawn by the step."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import small_table  # noqa: E402
from ufine_kit.baseline.batches import draw, open_source  # noqa: E402
from ufine_kit.baseline.data import load_pairs  # noqa: E402
from ufine_kit.baseline.objective import UNTOLD  # noqa: E402
from ufine_kit.baseline.processes import Processes  # noqa: E402
from ufine_kit.baseline.tokens import END, MASK, PAD, SPECIAL, START, learn_tokenizer, masked, ordinary_ids  # noqa: E402

pytestmark = pytest.mark.full

IDS = torch.tensor([[START, 9, 8, 7, 6, END], [START, 20, END, PAD, PAD, PAD]], dtype=torch.int32)
LENGTHS = np.array([6, 3])


def test_masks_and_replacements_fall_on_words_alone():
    others = np.full((2, 6), 77, np.int32)
    chance = np.array([[0.0, 0.0, 0.15, 0.3, 0.19, 0.0], [0.0] * 6])
    kept = IDS.clone()
    found, told = masked(IDS, LENGTHS, chance, others, 0.1, 0.1, MASK)
    assert found.tolist() == [[START, MASK, 77, 7, 77, END], [START, MASK, END, PAD, PAD, PAD]]
    assert told.tolist() == [[-100, 9, 8, -100, 6, -100], [-100, 20, -100, -100, -100, -100]]
    assert torch.equal(IDS, kept), "captions were changed in place"
    assert UNTOLD == -100


def test_shares_are_those_of_the_recipe(rng):
    ids = torch.full((200, 60), 9, dtype=torch.int32)
    lengths, others = np.full(200, 60), rng.integers(50, 90, (200, 60)).astype(np.int32)
    found, told = masked(ids, lengths, rng.random((200, 60)), others, 0.12, 0.03, MASK)
    assert (found == MASK).float().mean().item() == pytest.approx(0.12, abs=0.01)
    assert (found >= 50).float().mean().item() == pytest.approx(0.03, abs=0.01)
    assert torch.equal(told != UNTOLD, found != ids)


@pytest.fixture(scope="module")
def source(small_release):
    pairs = load_pairs(small_release, "train", 32, 16)
    tokenizer = learn_tokenizer(pairs.captions, 300, 120)
    return open_source(pairs, tokenizer, small_table(), torch.device("cpu")), tokenizer


def test_words_that_stand_in_are_no_special_tokens(source):
    _, tokenizer = source
    assert ordinary_ids(tokenizer).tolist() == list(range(len(SPECIAL), len(tokenizer)))


def test_captions_are_the_same_after_many_masked_batches(source):
    held, _ = source
    kept = held.ids.clone()
    for step in range(20):
        drawn = draw(held, small_table(mask=0.5, replace=0.4), step)
        assert (drawn.ids == MASK).any()
        drawn.ids.fill_(9)
    assert torch.equal(held.ids, kept)


def test_masks_are_drawn_by_the_step_and_told_only_where_asked_for(source):
    held, _ = source
    table = small_table(mask=0.3)
    assert torch.equal(draw(held, table, 4).ids, draw(held, table, 4).ids)
    assert draw(held, small_table(), 4).told is None


def test_parts_of_two_processes_are_the_batch_of_one(source):
    held, _ = source
    table = small_table(mask=0.3, replace=0.1, erase=0.8)
    whole = draw(held, table, 3)
    parts = [draw(held, table, 3, Processes(rank, 2)) for rank in range(2)]
    for name in ("images", "ids", "people", "told"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name)), name


def test_compiled_batches_have_one_length(source, small_release):
    pairs = load_pairs(small_release, "train", 32, 16)
    table = small_table(compile=True)
    held = open_source(pairs, learn_tokenizer(pairs.captions, 300, 120), table, torch.device("cpu"))
    assert {draw(held, table, step).ids.shape for step in range(5)} == {(8, 120)}


def test_words_of_flipped_images_stay_where_the_recipe_says_so(small_release):
    pairs = load_pairs(small_release, "train", 32, 16)
    table = small_table(mirror_words=False)
    held = open_source(pairs, learn_tokenizer(pairs.captions, 300, 120), table, torch.device("cpu"))
    assert torch.equal(held.ids[0], held.ids[1])
