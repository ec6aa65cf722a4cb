"""Scores of pixels: light, the weight-free look, and what a video shares taken out of it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from filter.planted import crop_row, lay_out, picture, run_stage
from ufine_kit.dataset.look import encode_jpeg
from ufine_kit.filter import descriptor
from ufine_kit.filter.adapt import LEAST_TRACKLETS, adapted, unit
from ufine_kit.filter.measure import decode, light


def flat(value: int, spread: int = 0) -> bytes:
    pixels = np.full((160, 64, 3), value, np.uint8)
    pixels[:80] += np.uint8(spread)
    return encode_jpeg(pixels, 95)


@pytest.mark.parametrize("least", [None, (40, 96)], ids=["luma alone", "colour"])
@pytest.mark.parametrize(
    ("value", "spread", "brightness", "contrast"), [(10, 0, 10, 0), (100, 80, 140, 40), (250, 0, 250, 0)]
)
def test_light_is_mean_and_deviation_of_luma(value, spread, brightness, contrast, least):
    scores = light(decode(flat(value, spread), least))
    assert scores["brightness"] == pytest.approx(brightness, abs=1.5)
    assert scores["contrast"] == pytest.approx(contrast, abs=1.5)


@pytest.mark.parametrize(
    "jpeg", [b"", b"no picture", flat(100)[:200], flat(100)[:-30]], ids=["empty", "text", "head", "torn"]
)
def test_what_does_not_decode_has_no_scores(jpeg):
    assert light(decode(jpeg, (40, 96))) == {"brightness": None, "contrast": None}


def test_a_large_crop_is_decoded_as_small_as_will_do():
    jpeg = encode_jpeg(np.zeros((1600, 800, 3), np.uint8), 90)
    small = decode(jpeg, (40, 96))
    assert 40 <= small.width <= 120 and 96 <= small.height <= 240
    assert decode(jpeg, (700, 900)).size == (800, 1600)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 128, 0), (46.23, -51.70, 49.90)),
        ((70, 130, 180), (52.47, -4.08, -32.20)),
    ],
)
def test_colours_are_those_of_cielab(rgb, lab):
    assert descriptor.to_lab(np.array([rgb], np.uint8))[0] == pytest.approx(lab, abs=0.06)


def test_the_look_has_stripes_of_whole_histograms():
    look = descriptor.describe(Image.fromarray(picture(1)))
    assert look.shape == (descriptor.DIMENSIONS,) and look.dtype == np.float32
    assert (look.reshape(-1, 10) ** 2).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_histogram_is_what_plain_counting_gives():
    rows = np.random.default_rng(0).uniform(-60, 60, (3, descriptor.WIDTH_PX))
    found = descriptor._row_histograms(rows, -40, 50)
    for row, expected in zip(rows, found, strict=True):
        counts = [0.0] * 10
        for x, value in enumerate(row):
            at = min(max((value + 40) / 90 * 9, 0), 9 - 1e-9)
            weight = descriptor._weights()[x]
            counts[int(at)] += weight * (1 - at % 1)
            counts[int(at) + 1] += weight * (at % 1)
        assert expected == pytest.approx(counts, abs=1e-9)


def test_one_person_looks_more_alike_than_two_whatever_the_size():
    one, again, other = (
        descriptor.describe(Image.fromarray(picture(seed, size)))
        for seed, size in ((1, (48, 120)), (1, (90, 220)), (2, (48, 120)))
    )
    assert one @ again / 21 > 0.97
    assert one @ other / 21 < 0.9


def crowd(count: int, shared: float) -> tuple[np.ndarray, np.ndarray]:
    """Looks of persons who share most of their look, and waver most in one direction."""
    draw = np.random.default_rng(5)
    looks = np.repeat(draw.normal(size=(count, 8)), 4, axis=0) + 0.2 * draw.normal(size=(4 * count, 8))
    looks[:, 0] = shared + 3 * draw.normal(size=4 * count)
    return looks, np.repeat(np.arange(count), 4)


def test_what_all_share_and_what_wavers_no_longer_counts():
    looks, of_crop = crowd(20, shared=50.0)
    raw, taken = unit(looks), adapted(looks, of_crop)
    same = of_crop[:, None] == of_crop[None]
    np.fill_diagonal(same, False)
    different = of_crop[:, None] != of_crop[None]
    assert (raw @ raw.T)[different].min() > 0.9
    near = taken @ taken.T
    assert near[same].mean() > near[different].mean() + 0.6
    assert np.linalg.norm(taken, axis=1) == pytest.approx(1)


@pytest.mark.parametrize(("count", "told"), [(LEAST_TRACKLETS - 1, False), (LEAST_TRACKLETS, True)])
def test_too_few_tracklets_tell_nothing(count, told):
    assert (adapted(*crowd(count, 1.0)) is not None) == told


@pytest.mark.parametrize(("embedding", "size"), [("descriptor", descriptor.DIMENSIONS), ("none", None)])
def test_the_stage_gives_a_row_for_every_crop_in_order(tmp_path, embedding, size):
    rows = [crop_row(f"c{i}", "a-0-1", i, None if i == 2 else picture(i)) for i in range(5)]
    found = run_stage(lay_out(tmp_path, [rows]), "measures", f"measure.embedding={embedding}", "measure.batch=2")
    assert [row["crop_id"] for row in found] == [f"c{i}" for i in range(5)]
    assert [row["brightness"] is None for row in found] == [i == 2 for i in range(5)]
    assert [row["embedding"] and len(row["embedding"]) for row in found] == [None if i == 2 else size for i in range(5)]
    assert all(row["keypoints"] is None for row in found)
