"""Intervals cover what they should, follow the seed and nothing else, and pairs are compared as pairs."""

import numpy as np
import pytest

from ufine_kit.dataset.intervals import bootstrap, compare
from ufine_kit.dataset.metrics import METRICS, retrieval_metrics
from ufine_kit.errors import KitError


def scored(seed, noise=1.5, people=40, per_person=3, dims=24):
    """(per-query scores, query identities): everybody shares one world, `seed` draws the system's errors."""
    world, errors = np.random.default_rng(1), np.random.default_rng(seed)
    centres = world.standard_normal((people, dims))
    gallery_ids = np.repeat(np.arange(people), 2)
    gallery = centres[gallery_ids] + world.standard_normal((len(gallery_ids), dims))
    query_ids = np.append(np.repeat(np.arange(people), per_person), people + 5)  # the last has no positive
    queries = centres[query_ids % people] + noise * errors.standard_normal((len(query_ids), dims))
    metrics = retrieval_metrics(
        query_features=queries, gallery_features=gallery, query_ids=query_ids, gallery_ids=gallery_ids
    )
    return metrics, query_ids


def test_the_interval_holds_the_mean_and_follows_the_seed():
    metrics, ids = scored(2)
    intervals = bootstrap(metrics.per_query, ids, 300, seed=4)
    assert tuple(intervals) == METRICS
    for name, (low, high) in intervals.items():
        assert low < metrics.as_dict()[name] < high
    assert bootstrap(metrics.per_query, ids, 300, seed=4) == intervals
    assert bootstrap(metrics.per_query, ids, 300, seed=5) != intervals


def test_drawing_queries_gives_the_spread_of_the_textbook():
    metrics, _ = scored(2)
    ap = metrics.per_query.ap[:-1] * 100
    low, high = bootstrap(metrics.per_query, None, 2000)["mAP"]
    assert (high - low) / 2 == pytest.approx(1.96 * ap.std() / np.sqrt(len(ap)), rel=0.08)


def test_drawing_identities_is_wider_where_queries_of_one_repeat_each_other():
    metrics, ids = scored(2)
    repeated = np.tile(np.arange(len(ids)), 5)
    scores = type(metrics.per_query)(**{k: v[repeated] for k, v in vars(metrics.per_query).items()})
    by_identity = bootstrap(scores, ids[repeated], 500)["mAP"]
    by_query = bootstrap(scores, None, 500)["mAP"]
    assert np.ptp(by_identity) > 1.8 * np.ptp(by_query)
    assert np.ptp(by_identity) == pytest.approx(np.ptp(bootstrap(metrics.per_query, ids, 500)["mAP"]), rel=0.01)


@pytest.mark.parametrize("clustered", [True, False])
def test_the_order_of_queries_changes_no_bit_of_an_interval(clustered):
    metrics, ids = scored(2)
    turn = np.random.default_rng(9).permutation(len(ids))
    turned = type(metrics.per_query)(**{k: v[turn] for k, v in vars(metrics.per_query).items()})
    first = bootstrap(metrics.per_query, ids if clustered else None, 50)
    assert bootstrap(turned, ids[turn] if clustered else None, 50) == first


def test_a_better_system_is_told_from_a_worse_one_and_chance_is_not():
    good, ids = scored(2, noise=0.8)
    bad, _ = scored(3, noise=2.2)
    again, _ = scored(4, noise=0.8)
    clear = compare(good.per_query, bad.per_query, ids, 500)["mAP"]
    assert clear.difference == pytest.approx(good.map - bad.map)
    assert 0 < clear.low < clear.difference < clear.high
    assert clear.p == pytest.approx(1 / 501)
    unclear = compare(good.per_query, again.per_query, ids, 500)["mAP"]
    assert unclear.low < 0 < unclear.high
    assert unclear.p > 0.05


def test_turning_a_comparison_round_turns_the_sign():
    good, ids = scored(2, noise=0.8)
    bad, _ = scored(3, noise=2.2)
    there, back = compare(good.per_query, bad.per_query, ids, 200), compare(bad.per_query, good.per_query, ids, 200)
    for name in METRICS:
        assert there[name].difference == pytest.approx(-back[name].difference)
        assert (there[name].low, there[name].p) == pytest.approx((-back[name].high, back[name].p))


def test_a_system_compared_with_itself_differs_by_nothing():
    metrics, ids = scored(2)
    for row in compare(metrics.per_query, metrics.per_query, ids, 100).values():
        assert (row.difference, row.low, row.high, row.p) == (0, 0, 0, 1)


def test_p_values_under_no_difference_are_spread_evenly():
    generator = np.random.default_rng(6)
    (first, ids), second = scored(2), scored(8)[0].per_query
    below = 0
    for seed in range(200):
        swap = generator.integers(0, 2, ids.max() + 1).astype(bool)[ids]
        sides = (mixed(first.per_query, second, swap), mixed(second, first.per_query, swap))
        below += compare(*sides, ids, 99, seed)["mAP"].p <= 0.2
    assert 20 <= below <= 62  # 40 expected of 200, four deviations either way


def mixed(first, second, swap):
    return type(first)(**{name: np.where(swap, vars(second)[name], values) for name, values in vars(first).items()})


def test_what_gives_no_interval_is_refused():
    metrics, ids = scored(2)
    other = retrieval_metrics([[0.5, 0.2]] * len(ids), [1] * len(ids), [1, 2])
    refused = [
        (lambda: bootstrap(metrics.per_query, np.zeros(len(ids), int)), "1 identity to draw from"),
        (lambda: bootstrap(metrics.per_query, ids, 0), "0 resamples"),
        (lambda: bootstrap(metrics.per_query, ids, level=95), "95 is no level"),
        (lambda: bootstrap(metrics.per_query, ids[:-1]), "labels for"),
        (lambda: compare(metrics.per_query, other.per_query, ids), "not scored on the same queries"),
    ]
    for act, problem in refused:
        with pytest.raises(KitError, match=problem):
            act()
