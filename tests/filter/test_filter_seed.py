"""Algorithm 1 against a version written plainly, line by line as the paper prints it; and what was decided beside it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ufine_kit.filter.adapt import unit
from ufine_kit.filter.seed import SeedRules, alike, seed_filter


def cosine(one, other):
    lengths = math.sqrt(sum(a * a for a in one)) * math.sqrt(sum(a * a for a in other))
    return round(sum(a * b for a, b in zip(one, other, strict=True)) / lengths, 9)


def mean(vectors):
    return [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]


def plainly(looks, of_crop, spans, rules):
    """The owner of every crop (None: put out), by loops over lists."""
    looks = [[float(value) for value in row] for row in looks]
    held = {k: [i for i, place in enumerate(of_crop) if place == k] for k in range(len(spans))}

    def together(a, b):
        return a != b and spans[a][0] <= spans[b][1] and spans[b][0] <= spans[a][1]

    excluded = []
    for members in held.values():
        while len(members) > 1:
            near = {i: cosine(looks[i], mean([looks[j] for j in members if j != i])) for i in members}
            least = min(near.values())
            if least >= rules.keep:
                break
            worst = max(i for i in members if near[i] == least)
            members.remove(worst)
            excluded.append(worst)
    centre = {k: mean([looks[i] for i in members]) for k, members in held.items()}
    origins = {k: {k} for k in held}
    wishes = [
        (-cosine(looks[i], centre[k]), i, k)
        for i in excluded
        for k in held
        if abs(k - of_crop[i]) <= rules.move_window and cosine(looks[i], centre[k]) >= rules.move
    ]
    placed = set()
    for _, i, k in sorted(wishes):
        if i not in placed and not any(together(of_crop[i], other) for other in origins[k]):
            placed.add(i)
            held[k].append(i)
            origins[k].add(of_crop[i])
    centre = {k: mean([looks[i] for i in members]) for k, members in held.items()}
    groups = [{k} for k in held]
    pairs = [
        (-cosine(centre[a], centre[b]), a, b)
        for a in held
        for b in held
        if 1 <= b - a <= rules.merge_window and cosine(centre[a], centre[b]) > rules.merge
    ]
    for _, a, b in sorted(pairs):
        one, other = (next(group for group in groups if k in group) for k in (a, b))
        some, others = (set().union(*(origins[k] for k in group)) for group in (one, other))
        if one is not other and not any(together(p, q) for p in some for q in others):
            groups.remove(other)
            one |= other
    owner = [None] * len(looks)
    for group in groups:
        for k in group:
            for i in held[k]:
                owner[i] = min(group)
    return owner


def random_case(seed):
    """Tracklets of a few persons, with crops of others among theirs, in order of time."""
    draw = np.random.default_rng(seed)
    count, persons = int(draw.integers(2, 14)), draw.normal(size=(4, 6))
    spans = sorted(
        (int(a), int(a + b)) for a, b in zip(draw.integers(0, 60, count), draw.integers(0, 12, count), strict=True)
    )
    of_crop = np.concatenate([np.full(int(draw.integers(1, 7)), k) for k in range(count)])
    whose = draw.integers(0, 4, count)[of_crop]
    strange = draw.random(len(of_crop)) < 0.2
    whose[strange] = draw.integers(0, 4, strange.sum())
    looks = unit(persons[whose] + draw.normal(scale=float(draw.uniform(0.2, 0.9)), size=(len(of_crop), 6)))
    rules = SeedRules(*(float(draw.uniform(0.2, 0.9)) for _ in range(3)), *(int(draw.integers(0, 5)) for _ in range(2)))
    return looks, of_crop, spans, rules


def mended(looks, of_crop, spans, rules):
    first, last = np.array(spans).T

    def together(i, others):
        return (first[others] <= last[i]) & (last[others] >= first[i])

    return seed_filter(looks, of_crop, len(spans), together, rules)


@pytest.mark.parametrize("hundred", range(4))
def test_it_gives_what_the_plain_version_gives(hundred):
    seen = {"put out": 0, "moved": 0, "merged": 0}
    for seed in range(25 * hundred, 25 * hundred + 25):
        looks, of_crop, spans, rules = random_case(seed)
        found = mended(looks, of_crop, spans, rules)
        expected = plainly(looks, of_crop.tolist(), spans, rules)
        assert [None if owner < 0 else owner for owner in found.owner.tolist()] == expected, seed
        seen["put out"] += expected.count(None)
        seen["merged"] += int((found.root != np.arange(len(spans))).sum())
        seen["moved"] += sum(o is not None and o != found.root[k] for o, k in zip(expected, of_crop, strict=True))
    assert all(seen.values()), "the cases must try every step"


def test_no_identity_holds_two_tracklets_that_were_seen_together():
    for seed in range(60):
        looks, of_crop, spans, rules = random_case(1000 + seed)
        loose = SeedRules(rules.keep, -1.0, -1.0, 5, 9)
        for held in mended(looks, of_crop, spans, loose).origins.values():
            clash = [(a, b) for a in held for b in held if a < b and spans[a][1] >= spans[b][0]]
            assert not clash, (seed, clash)


ALL = SeedRules(keep=0.6, move=0.65, merge=0.62, move_window=2, merge_window=2)


def angles(*degrees):
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def test_a_crop_that_is_alone_stays():
    assert alike(angles(0, 90), np.array([0, 1]), 2, 0.99).tolist() == [True, True]


def test_of_two_that_are_unlike_the_later_goes():
    assert alike(angles(0, 90), np.array([0, 0]), 1, 0.6).tolist() == [True, False]


def test_the_worst_goes_first_and_the_rest_is_looked_at_anew():
    # 100 degrees lies far from all; without it the others are alike.
    assert alike(angles(0, 10, 100, 20), np.array([0, 0, 0, 0]), 1, 0.9).tolist() == [True, True, False, True]


CHAIN = [(0, 1), (2, 3), (4, 5)]


@pytest.mark.parametrize(
    ("spans", "degrees", "roots"),
    [
        (CHAIN, (0, 40, 80), [0, 0, 0]),  # transitive: the ends are too far apart for each other
        (CHAIN, (0, 60, 120), [0, 1, 2]),
        (
            [(0, 9), (5, 12), (20, 30)],
            (0, 0, 0),
            [0, 1, 0],
        ),  # seen together: never one, and the third joins one of them
        ([(0, 9), (9, 12), (20, 30)], (0, 0, 90), [0, 1, 2]),  # one common frame is together
        ([(0, 1), (2, 9), (5, 9)], (0, 10, 0), [0, 1, 0]),  # the most alike pair is joined first
    ],
    ids=["chain", "apart", "together", "one frame", "nearest first"],
)
def test_merging(spans, degrees, roots):
    assert mended(angles(*degrees), np.arange(len(spans)), spans, ALL).root.tolist() == roots


def test_on_the_line_nobody_is_merged_and_nothing_is_put_out():
    on_it = SeedRules(keep=0.5, move=0.65, merge=0.5, move_window=2, merge_window=2)
    assert mended(angles(0, 60), np.arange(2), CHAIN[:2], on_it).root.tolist() == [0, 1]
    assert mended(angles(0, 60), np.zeros(2, dtype=int), CHAIN[:1], on_it).owner.tolist() == [0, 0]


def test_a_window_does_not_look_farther():
    spans = [(10 * i, 10 * i + 1) for i in range(4)]
    looks = np.eye(4)[[0, 1, 2, 0]]
    assert mended(looks, np.arange(4), spans, ALL).root.tolist() == [0, 1, 2, 3]
    assert mended(looks, np.arange(4), spans, SeedRules(0.6, 0.65, 0.62, 2, 3)).root.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(("second", "owner"), [((20, 30), 1), ((5, 30), -1)], ids=["later", "seen together"])
def test_a_crop_joins_the_neighbour_that_it_is_like_unless_both_were_seen_together(second, owner):
    looks = np.concatenate([angles(0, 5, 90), angles(88, 92)])
    found = mended(looks, np.array([0, 0, 0, 1, 1]), [(0, 10), second], ALL)
    assert found.owner.tolist() == [0, 0, owner, 1, 1]


def test_a_crop_of_a_third_person_keeps_two_identities_apart_that_would_be_merged():
    # The last crop of tracklet 0 goes to 1; tracklet 2, seen together with 0, may then not join 1.
    spans = [(0, 10), (20, 30), (5, 15)]
    looks = np.concatenate([angles(0, 5, 90), angles(90), angles(90)])
    order = SeedRules(0.6, 0.65, 0.62, 2, 2)
    assert mended(looks, np.array([0, 0, 0, 1, 2]), spans, order).root.tolist() == [0, 1, 2]
    assert mended(looks[[0, 1, 3, 4]], np.array([0, 0, 1, 2]), spans, order).root.tolist() == [0, 1, 1]
