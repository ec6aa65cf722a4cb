"""A split in memory, and which of it each step sees."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import sample_row, world_rows, written  # noqa: E402
from ufine_kit.baseline.batches import captions_of_images, from_short_to_long, images_of_step  # noqa: E402
from ufine_kit.baseline.data import decode, load_pairs  # noqa: E402
from ufine_kit.errors import BadInput, KitError  # noqa: E402

pytestmark = pytest.mark.full


def test_split_is_decoded_once_with_every_caption_at_its_image(small_release):
    pairs = load_pairs(small_release, "train", 32, 16)
    assert pairs.pixels.shape == (24, 32, 16, 3)
    assert pairs.pixels.dtype == torch.uint8
    assert pairs.caption_images.tolist() == [image for image in range(24) for _ in range(2)]
    assert [pairs.person_ids[person] for person in pairs.people.tolist()] == [
        f"p{identity}" for identity in range(12) for _ in range(2)
    ]
    assert pairs.caption_people.tolist() == [int(pairs.people[image]) for image in pairs.caption_images]
    assert pairs.caption_offsets.tolist() == list(range(0, 49, 2))


def test_a_split_takes_the_memory_of_its_pixels_once(small_release):
    load_pairs(small_release, "train", 32, 16)  # what the first call imports is not counted
    tracemalloc.start()
    try:
        pairs = load_pairs(small_release, "train", 512, 256)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert pairs.pixels.nbytes <= peak < 1.5 * pairs.pixels.nbytes


def test_pixels_are_those_of_pillow_resized(rng):
    image = Image.fromarray(rng.integers(0, 256, (20, 10, 3), dtype=np.uint8))
    kept = io.BytesIO()
    image.save(kept, "PNG")
    found = decode({"image_id": "a", "image": {"bytes": kept.getvalue()}}, 8, 4)
    np.testing.assert_array_equal(found, np.asarray(image.resize((4, 8), Image.Resampling.BILINEAR)))


def test_grey_images_become_three_channels():
    kept = io.BytesIO()
    Image.new("L", (4, 8), 77).save(kept, "PNG")
    assert (decode({"image_id": "a", "image": {"bytes": kept.getvalue()}}, 8, 4) == 77).all()


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff\xe0 torn", None])
def test_image_that_cannot_be_decoded_is_named(content):
    with pytest.raises(BadInput, match="image `img-7` cannot be decoded"):
        decode({"image_id": "img-7", "image": {"bytes": content}}, 8, 4)


def test_missing_split_and_missing_caption_are_named(tmp_path):
    release = written(tmp_path / "a", world_rows("train", 2, 0))
    with pytest.raises(KitError, match="no `test` split"):
        load_pairs(release, "test", 32, 16)
    row = sample_row(3, "p9", "train", world_rows("train", 1, 0)[0]["image"]["bytes"], [])
    with pytest.raises(BadInput, match="image `p9-00003` has no captions"):
        load_pairs(written(tmp_path / "b", [*world_rows("train", 1, 0), row]), "train", 32, 16)


def test_split_that_no_release_has_is_told_what_there_is(small_release):
    with pytest.raises(KitError, match="no `tests` split") as error:
        load_pairs(small_release, "tests", 32, 16)
    assert error.value.mend == "it has: train, val, test"


def test_every_epoch_sees_every_image_once_in_another_order():
    epochs = [np.concatenate([images_of_step(step, 12, 4, 0) for step in range(at, at + 3)]) for at in (0, 3, 6)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(12))
    assert len({tuple(epoch) for epoch in epochs}) == 3


@pytest.mark.parametrize(("count", "batch", "wanted"), [(10, 4, 4), (3, 8, 3), (5, 5, 5)])
def test_batches_are_full_or_all_there_is(count, batch, wanted):
    for step in range(7):
        images = images_of_step(step, count, batch, 3)
        assert len(set(images.tolist())) == wanted


def test_one_share_picks_captions_of_like_length():
    lengths, offsets = np.array([9, 3, 6, 5, 5, 40]), np.array([0, 3, 5, 6])
    ranks = from_short_to_long(lengths, offsets)
    assert ranks.tolist() == [1, 2, 0, 3, 4, 5]
    images = np.array([2, 0, 1])
    table = {0.0: [5, 1, 3], 0.4: [5, 2, 3], 0.5: [5, 2, 4], 0.99: [5, 0, 4]}
    for share, wanted in table.items():
        assert captions_of_images(images, offsets, ranks, share).tolist() == wanted
