"""Which crops are kept, and the geometry and looks that decide it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ufine_kit.dataset.look import encode_jpeg, facts_of, sharpness
from ufine_kit.extract import geometry
from ufine_kit.extract.choose import Candidate, Stretches, quality, quality_bounds


def run_stretches(qualities, count, spacing=1.0):
    """The crops kept, those dropped, and the most that were held at once."""
    taken: list[int] = []
    dropped: list[int] = []
    stretches = Stretches(count, spacing, 0.0, dropped.append)
    held_at_most = 0
    for i, good in enumerate(qualities):
        if good > stretches.bar(float(i)):
            stretches.offer(float(i), Candidate(good, {}, i))
            taken.append(i)
        held_at_most = max(held_at_most, len(taken) - len(dropped))
    kept = [candidate.held for candidate in stretches.chosen()]
    assert sorted(kept + dropped) == taken, "each crop that was taken is kept or dropped, once"
    return kept, held_at_most


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=400), st.integers(1, 9))
def test_memory_is_bounded_and_the_kept_are_in_order_and_no_more_than_asked(qualities, count):
    kept, held = run_stretches(qualities, count)
    assert held <= 4 * count + 1
    assert kept == sorted(set(kept))
    assert len(kept) == min(count, len(qualities))


def test_of_one_stretch_only_the_best_so_far_is_held():
    kept, held = run_stretches([0.1, 0.2, 0.15, 0.3], 2, spacing=10.0)
    assert (kept, held) == ([3], 1)


def test_the_best_of_all_is_kept_whenever_it_comes():
    for best in range(0, 100, 7):
        kept, _ = run_stretches([0.9 if i == best else 0.5 for i in range(100)], 3)
        assert best in kept


def test_kept_crops_are_spread_over_a_long_tracklet():
    kept, _ = run_stretches([0.5] * 1000, 8)
    assert max(np.diff([0, *kept, 1000])) < 260


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"overlap": 0.0}, {"overlap": 0.4}),
        ({"border": 0.0}, {"border": -3.0}),
        ({"height_px": 300.0}, {"height_px": 60.0}),
        ({"confidence": 0.9}, {"confidence": 0.4}),
    ],
)
def test_quality_prefers(better, worse):
    usual = {"confidence": 0.8, "overlap": 0.1, "border": 5.0, "height_px": 120.0}
    good, bad = ({name: np.array([value]) for name, value in {**usual, **how}.items()} for how in (better, worse))
    assert quality_bounds(**good) > quality_bounds(**bad)


def test_quality_never_beats_its_bound_and_falls_with_blur():
    assert quality(0.5, 1e6) <= 0.5
    assert quality(0.5, 50) < quality(0.5, 500)


def test_overlap_is_the_share_of_the_own_box():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [0, 0, 100, 100], [500, 500, 5, 5]], dtype=float)
    assert geometry.overlaps(boxes).tolist() == [1.0, 1.0, 0.01, 0.0]


def test_the_largest_iou_fits_a_plain_computation():
    generator = np.random.default_rng(3)
    boxes = np.hstack([generator.uniform(0, 50, (9, 2)), generator.uniform(5, 40, (9, 2))])

    def iou(a, b):
        across = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
        down = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
        return across * down / (a[2] * a[3] + b[2] * b[3] - across * down)

    naive = [max(iou(a, b) for j, b in enumerate(boxes) if i != j) for i, a in enumerate(boxes)]
    assert geometry.largest_iou(boxes) == pytest.approx(naive)


@pytest.mark.parametrize(
    ("box", "padding", "window"),
    [
        ((10, 20, 30, 40), 0.0, (10, 20, 40, 60)),
        ((10, 20, 30, 40), 0.1, (7, 16, 43, 64)),
        ((10.4, 20.6, 30, 40), 0.0, (10, 20, 41, 61)),
        ((-5, -5, 30, 40), 0.0, (0, 0, 25, 35)),
        ((80, 90, 30, 40), 0.0, (80, 90, 100, 100)),
    ],
)
def test_the_window_holds_the_padded_box_and_stays_in_the_frame(box, padding, window):
    assert tuple(geometry.windows(np.array([box], dtype=float), padding, 100, 100)[0]) == window


def test_blur_lowers_sharpness_and_a_plain_picture_has_none():
    generator = np.random.default_rng(0)
    noisy = generator.integers(0, 255, (40, 30), dtype=np.uint8)
    blurred = ((noisy[1:, 1:].astype(int) + noisy[:-1, 1:] + noisy[1:, :-1] + noisy[:-1, :-1]) // 4).astype(np.uint8)
    assert sharpness(noisy) > 4 * sharpness(blurred) > 0
    assert sharpness(np.full((40, 30), 7, np.uint8)) == sharpness(noisy[:2]) == 0


def test_sharpness_is_the_variance_of_the_laplacian():
    grey = np.random.default_rng(1).integers(0, 255, (12, 9), dtype=np.uint8).astype(int)
    naive = [
        grey[y - 1, x] + grey[y + 1, x] + grey[y, x - 1] + grey[y, x + 1] - 4 * grey[y, x]
        for y in range(1, 11)
        for x in range(1, 8)
    ]
    assert sharpness(grey.astype(np.uint8)) == pytest.approx(np.var(naive))


def test_dhash_follows_the_picture_and_not_its_size_or_quality():
    across = np.tile(np.linspace(0, 255, 90, dtype=np.uint8)[None, :, None], (80, 1, 3))
    assert facts_of(encode_jpeg(across, 95))["dhash"] == "f" * 16
    assert facts_of(encode_jpeg(across[:, ::-1], 95))["dhash"] == "0" * 16
    assert facts_of(encode_jpeg(across[::2, ::2], 60))["dhash"] == "f" * 16


def test_the_estimate_of_sharpness_is_near_and_ranks_alike():
    generator = np.random.default_rng(4)
    pictures = [
        (generator.normal(0, spread, (300, 120)).clip(-120, 120) + 128).astype(np.uint8) for spread in (2, 8, 30)
    ]
    exact, rough = [sharpness(p) for p in pictures], [sharpness(p, rows=32) for p in pictures]
    assert rough == pytest.approx(exact, rel=0.1)
    assert sharpness(pictures[0][:20], rows=32) == sharpness(pictures[0][:20])
