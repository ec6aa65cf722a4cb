"""Doubles within an identity, and what is chosen for annotation: how many, which ones, within what budget."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ufine_kit.filter.duplicates import near_duplicates
from ufine_kit.filter.select import Candidates, quotas, select
from ufine_kit.tables import FilterTable

WORDS = np.array([0b0, 0b1, 0b11, 0b1111111, 0b0], dtype=np.uint64)


@pytest.mark.parametrize(
    ("bits", "person", "double"),
    [
        (-1, [0] * 5, []),
        (0, [0] * 5, [4]),
        (1, [0] * 5, [1, 4]),  # the third is near the second only, which is gone
        (2, [0] * 5, [1, 2, 4]),
        (0, [0, 0, 0, 0, 1], []),  # of another person it is no double
        (64, [0, 0, 1, 1, 1], [1, 3, 4]),
    ],
)
def test_a_double_of_a_better_kept_crop_goes(bits, person, double):
    best = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    found = near_duplicates(WORDS, np.array(person), best, np.ones(5, dtype=bool), bits)
    assert np.flatnonzero(found).tolist() == double


def test_the_best_of_doubles_stays_and_bad_crops_do_not_count():
    words = np.zeros(4, dtype=np.uint64)
    good = np.array([True, True, True, False])
    found = near_duplicates(words, np.zeros(4, dtype=int), np.array([0.1, 0.5, 0.3, 0.9]), good, 3)
    assert found.tolist() == [True, False, True, False]


def test_no_two_kept_crops_are_doubles_and_every_double_has_a_kept_one():
    draw = np.random.default_rng(3)
    words = draw.integers(0, 2**12, 120).astype(np.uint64)
    person, best = draw.integers(0, 6, 120), draw.random(120)
    double = near_duplicates(words, person, best, np.ones(120, dtype=bool), 2)
    for i, j in itertools.permutations(range(120), 2):
        near = person[i] == person[j] and bin(int(words[i] ^ words[j])).count("1") <= 2
        assert not near or double[i] or double[j]
    for i in np.flatnonzero(double):
        assert any(
            bin(int(words[i] ^ words[j])).count("1") <= 2 for j in np.flatnonzero(~double & (person == person[i]))
        )


@pytest.mark.parametrize(
    ("sizes", "most", "mean", "expected"),
    [
        ([3, 9, 1], 0, 0.0, [3, 9, 1]),
        ([3, 9, 30], 20, 0.0, [3, 9, 20]),
        ([2, 2, 8], 0, 4.0, [2, 2, 8]),  # as many as there are: 12 of 12
        ([2, 9, 9], 0, 4.0, [2, 5, 5]),
        ([1, 9, 8], 0, 4.0, [1, 6, 5]),  # what is left over goes to who has most
        ([5, 5], 3, 3.8, [3, 3]),
        ([5, 5, 5], 0, 0.1, [1, 1, 1]),  # nobody is left without a picture
    ],
)
def test_quotas_keep_to_the_most_and_to_the_mean(sizes, most, mean, expected):
    assert quotas(np.array(sizes), most, mean).tolist() == expected


def candidates(sizes, videos=None, seconds=None):
    person = np.repeat(np.arange(len(sizes)), sizes)
    count = len(person)
    times = np.concatenate([np.arange(size, dtype=float) for size in sizes]) if seconds is None else np.array(seconds)
    names = np.array([f"p{k}" for k in person])
    return Candidates(
        person,
        np.array(videos or [0] * len(sizes))[person],
        times,
        np.linspace(1, 0.5, count),
        np.zeros((count, 0)),
        names,
    )


def test_what_is_chosen_is_spread_over_the_time():
    rest, over = select(candidates([11]), FilterTable(max_images=3))
    assert np.flatnonzero(~rest).tolist() == [0, 5, 10]
    assert not over.any()


def test_of_crops_at_one_time_those_that_look_unlike_are_chosen():
    crops = candidates([4], seconds=[1.0, 1.0, 1.0, 1.0])
    look = np.array([[1.0, 0], [1.0, 0], [0, 1.0], [1.0, 0]])
    rest, _ = select(
        Candidates(crops.person, crops.video, crops.seconds, crops.quality, look, crops.name), FilterTable(max_images=2)
    )
    assert np.flatnonzero(~rest).tolist() == [0, 2]


def test_by_chance_is_the_same_chance_every_time_and_another_with_another_seed():
    chosen = [select(candidates([60]), FilterTable(max_images=20, choose="random", seed=seed))[0] for seed in (0, 0, 1)]
    assert (chosen[0] == chosen[1]).all()
    assert (chosen[0] != chosen[2]).any()
    assert (~chosen[0]).sum() == 20


def test_a_video_keeps_to_its_budget_and_those_with_most_crops_go_first():
    rest, over = select(candidates([2, 5, 3, 4], videos=[0, 0, 0, 1]), FilterTable(video_budget=8))
    assert np.flatnonzero(over).tolist() == [0, 1], "5 and 3 fill the first video; the second has a budget of its own"
    assert not rest.any()
