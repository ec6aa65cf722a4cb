"""The metrics against their definitions: published values, a naive double loop, and the edges."""

import math

import numpy as np
import pytest

from ufine_kit.dataset.metrics import METRICS, retrieval_metrics
from ufine_kit.errors import KitError

FIGURE_2 = [
    ([0.81, 0.79, 0.77, 0.76, 0.75], 0.535957),
    ([0.81, 0.79, 0.77, 0.15, 0.12], 0.744249),
    ([0.81, 0.79, 0.55, 0.15, 0.12], 0.697148),  # inferred from the figure; the two above are the author's lists
]
MISREAD = (0.5361, 0.8218, 0.7958)
FIGURE_2_IDS = [1, 2, 1, 3, 4]  # hits at ranks 1 and 3


def unit_scores(similarity, query_ids, gallery_ids, **options):
    return retrieval_metrics(similarity, query_ids, gallery_ids, similarity_range="unit", **options)


@pytest.mark.parametrize(("similarity", "wanted"), FIGURE_2)
def test_the_lists_of_figure_2_get_their_published_values(similarity, wanted):
    metrics = unit_scores([similarity], [1], FIGURE_2_IDS)
    assert metrics.msd == pytest.approx(100 * wanted, abs=5e-5)
    assert metrics.map == pytest.approx(100 * (1 + 2 / 3) / 2)
    assert metrics.minp == pytest.approx(100 * 2 / 3)


@pytest.mark.parametrize(("similarity", "misread"), [(s, m) for (s, _), m in zip(FIGURE_2, MISREAD, strict=True)])
def test_the_ratio_is_of_means_and_not_a_mean_of_pairwise_ratios(similarity, misread):
    positives, negatives = similarity[0:3:2], [similarity[1], *similarity[3:]]
    pairwise = [p / n for p in positives for n in negatives]
    asp = (1 + (similarity[0] + similarity[2]) / sum(similarity[:3])) / 2
    assert (1 - math.exp(-sum(pairwise) / len(pairwise))) * asp == pytest.approx(misread, abs=5e-5)
    assert abs(unit_scores([similarity], [1], FIGURE_2_IDS).per_query.sd[0] - misread) > 1e-4


def naive(similarity, query_ids, gallery_ids, unit, negatives_first=True):
    """Rank every list by the rule of ties, then walk down it and count; returns (first hit, AP, INP, SD) a query."""
    rows = []
    for values, query in zip(similarity, query_ids, strict=True):
        hits = [g == query for g in gallery_ids]
        ranked = sorted(range(len(hits)), key=lambda j: (-values[j], hits[j] if negatives_first else not hits[j]))
        found, seen_positive, seen_all, ranks, precisions, shares = 0, 0.0, 0.0, [], [], []
        for rank, j in enumerate(ranked, start=1):
            seen_all += unit(values[j])
            if hits[j]:
                found += 1
                seen_positive += unit(values[j])
                ranks.append(rank)
                precisions.append(found / rank)
                shares.append(seen_positive / seen_all)
        if not ranks:
            rows.append((math.nan,) * 4)
            continue
        others = len(hits) - found
        ratio = math.inf if others == 0 else (seen_positive / found) / ((seen_all - seen_positive) / others)
        sd = (1 - math.exp(-ratio)) * sum(shares) / found
        rows.append((ranks[0], sum(precisions) / found, found / ranks[-1], sd))
    return np.array(rows, float)


def naive_cosine(queries, gallery):
    def length(x):
        return math.sqrt(math.fsum(v * v for v in x))

    return [
        [math.fsum(a * b for a, b in zip(q, g, strict=True)) / length(q) / length(g) for g in gallery] for q in queries
    ]


def columns(metrics):
    scores = metrics.per_query
    return np.stack([scores.first_hit, scores.ap, scores.inp, scores.sd], axis=1)


def random_ids(generator):
    size = generator.integers(1, 9), generator.integers(2, 26)
    people = generator.integers(1, 6)
    return generator.integers(0, people, size[0]), generator.integers(0, people, size[1])


@pytest.mark.parametrize("ties", ["pessimistic", "optimistic"])
@pytest.mark.parametrize("similarity_range", ["unit", "cosine"])
def test_similarities_score_as_the_naive_loop_does(similarity_range, ties):
    generator = np.random.default_rng(7)
    cosine = similarity_range == "cosine"
    for case in range(100):
        query_ids, gallery_ids = random_ids(generator)
        similarity = generator.uniform(-0.9 if cosine else 0.05, 1, (len(query_ids), len(gallery_ids)))
        similarity = similarity.round(case % 4 + 1)  # one digit ties often, four seldom
        metrics = retrieval_metrics(similarity, query_ids, gallery_ids, similarity_range=similarity_range, ties=ties)
        unit = (lambda s: s / 2 + 0.5) if cosine else float
        wanted = naive(similarity.tolist(), query_ids, gallery_ids, unit, ties == "pessimistic")
        np.testing.assert_allclose(columns(metrics), wanted, rtol=0, atol=1e-9, err_msg=f"case {case}")
        check_means(metrics, wanted)


def check_means(metrics, wanted):
    scored = wanted[~np.isnan(wanted[:, 0])]
    assert metrics.skipped_no_positive == len(wanted) - len(scored)
    if len(scored):
        hits = [100 * (scored[:, 0] <= k).mean() for k in (1, 5, 10)]
        means = [*hits, *(100 * scored[:, 1:].mean(axis=0))]
        np.testing.assert_allclose(list(metrics.as_dict().values()), means, rtol=0, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_features_score_as_the_naive_loop_does(dtype):
    generator = np.random.default_rng(8)
    for case in range(100):
        query_ids, gallery_ids = random_ids(generator)
        vectors = generator.standard_normal((len(gallery_ids), 5))
        gallery = vectors[generator.integers(0, len(vectors), len(vectors))].astype(dtype)  # drawn twice: a tie
        queries = generator.standard_normal((len(query_ids), 5)).astype(dtype)
        metrics = retrieval_metrics(
            query_features=queries, gallery_features=gallery, query_ids=query_ids, gallery_ids=gallery_ids
        )
        wanted = naive(naive_cosine(queries.tolist(), gallery.tolist()), query_ids, gallery_ids, lambda s: s / 2 + 0.5)
        np.testing.assert_allclose(columns(metrics), wanted, rtol=0, atol=1e-9, err_msg=f"case {case}")


def test_vectors_that_point_the_same_way_tie_whatever_their_length():
    generator = np.random.default_rng(3)
    direction = generator.standard_normal(16)
    lengths = np.array([1.0, 3.0, 0.7, 1e-3, 11.0])
    ids = [1, 2, 2, 2, 2]
    for query in generator.standard_normal((20, 16)):
        metrics = retrieval_metrics(
            query_features=[query], gallery_features=lengths[:, None] * direction, query_ids=[1], gallery_ids=ids
        )
        assert metrics.per_query.first_hit[0] == 5


def test_different_vectors_that_are_equally_similar_tie_in_float64():
    gallery = np.eye(7)
    query = np.full((1, 7), 0.3)
    for place in range(7):
        ids = np.where(np.arange(7) == place, 1, 2)
        metrics = retrieval_metrics(query_features=query, gallery_features=gallery, query_ids=[1], gallery_ids=ids)
        assert metrics.per_query.first_hit[0] == 7


def test_tied_negatives_rank_ahead_and_enter_the_sums_of_the_positive():
    metrics = unit_scores([[0.8, 0.5, 0.5, 0.5, 0.2]], [1], [2, 1, 2, 1, 2])
    scores = metrics.per_query
    assert scores.first_hit[0] == 3
    assert scores.ap[0] == pytest.approx((1 / 3 + 2 / 4) / 2)
    share = (0.5 / 1.8 + 1.0 / 2.3) / 2
    assert scores.sd[0] == pytest.approx((1 - math.exp(-0.5 / 0.5)) * share)
    assert unit_scores([[0.8, 0.5, 0.5, 0.5, 0.2]], [1], [2, 1, 2, 1, 2], ties="optimistic").per_query.first_hit[0] == 2


def test_queries_without_positives_are_skipped_and_counted():
    similarity = [[0.9, 0.1], [0.9, 0.1], [0.2, 0.3]]
    metrics = unit_scores(similarity, ["a", "x", "a"], ["a", "b"])
    assert (metrics.queries, metrics.gallery, metrics.skipped_no_positive, metrics.no_negative) == (3, 2, 1, 0)
    assert metrics.r1 == 50
    assert np.isnan(metrics.per_query.first_hit).tolist() == [False, True, False]
    assert metrics.as_dict() == unit_scores([similarity[0], similarity[2]], ["a", "a"], ["a", "b"]).as_dict()


def test_where_every_query_is_skipped_the_means_are_nan_and_the_count_says_why():
    metrics = unit_scores([[0.5, 0.5]], [3], [1, 2])
    assert metrics.skipped_no_positive == metrics.queries == 1
    assert all(math.isnan(value) for value in metrics.as_dict().values())
    features = {"query_features": [[1.0, 0.0]], "gallery_features": [[1.0, 0.0], [0.0, 1.0]]}
    assert retrieval_metrics(**features, query_ids=[3], gallery_ids=[1, 2]).skipped_no_positive == 1


def test_without_negatives_every_score_is_full_and_the_query_is_counted():
    metrics = unit_scores([[0.5, 0.1, 0.4]], [1], [1, 1, 1])
    assert metrics.no_negative == 1
    assert set(metrics.as_dict().values()) == {100.0}


@pytest.mark.parametrize("similarity_range", ["unit", "cosine"])
def test_all_zero_similarities_score_as_the_limit_of_equal_ones(similarity_range):
    zero = 0.0 if similarity_range == "unit" else -1.0
    ids = [2, 1, 2, 1, 3]
    at_zero = retrieval_metrics([[zero] * 5], [1], ids, similarity_range=similarity_range)
    near_zero = retrieval_metrics([[zero + 1e-3] * 5], [1], ids, similarity_range=similarity_range)
    np.testing.assert_allclose(columns(at_zero), columns(near_zero), atol=1e-9)
    assert at_zero.per_query.sd[0] == pytest.approx((1 - math.exp(-1)) * (1 / 4 + 2 / 5) / 2)


def test_negatives_at_zero_give_a_full_ratio():
    assert unit_scores([[0.5, 0.0, 0.0]], [1], [1, 2, 2]).msd == 100


def test_keys_are_in_order_and_in_percent():
    metrics = unit_scores([[0.9, 0.2]], [1], [1, 2])
    assert tuple(metrics.as_dict()) == METRICS == ("R@1", "R@5", "R@10", "mAP", "mINP", "mSD")
    assert (metrics.r1, metrics.map, metrics.minp) == (100, 100, 100)
    assert unit_scores([[0.9, 0.2]], [1], [1, 2], per_query=False).per_query is None


def test_groups_are_scored_as_if_alone():
    generator = np.random.default_rng(5)
    similarity = generator.uniform(0, 1, (30, 40))
    query_ids, gallery_ids = generator.integers(0, 9, 30), generator.integers(0, 8, 40)
    groups = generator.choice(["coarse", "fine"], 30)
    metrics = unit_scores(similarity, query_ids, gallery_ids, groups=groups)
    assert list(metrics.by) == ["coarse", "fine"]
    for label, group in metrics.by.items():
        mine = groups == label
        alone = unit_scores(similarity[mine], query_ids[mine], gallery_ids)
        assert group.as_dict() == alone.as_dict()
        assert (group.queries, group.skipped_no_positive) == (alone.queries, alone.skipped_no_positive)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64, "U8", "S8", object])
def test_identities_may_be_any_integers_or_text(dtype):
    query_ids, gallery_ids = np.array([7, 3]).astype(dtype), np.array([3, 7, 3]).astype(dtype)
    metrics = unit_scores([[0.1, 0.9, 0.2], [0.9, 0.5, 0.1]], query_ids, gallery_ids)
    assert metrics.per_query.first_hit.tolist() == [1, 1]


def test_identities_above_2_to_53_stay_apart():
    first, second = 2**53, 2**53 + 1
    metrics = unit_scores([[0.9, 0.1]], np.array([second], np.uint64), np.array([first, second], np.int64))
    assert metrics.per_query.first_hit[0] == 2


BAD_CALLS = [
    ({"query_ids": None}, "ids are missing"),
    ({"query_ids": [1.5]}, "holds `float64`"),
    ({"query_ids": ["a"]}, "`query_ids` holds text, `gallery_ids` integers"),
    ({"query_ids": [b"\xff"]}, "no UTF-8"),
    ({"query_ids": [2**64 - 1]}, "above 2^63 - 1"),
    ({"query_ids": [[1]]}, "wanted one label a row"),
    ({"query_ids": [1, 2]}, "the ids say [2, 3]"),
    ({"gallery_ids": [1, 2]}, "the ids say [1, 2]"),
    ({"groups": ["a", "b"]}, "`groups` has 2 labels for 1 rows"),
    ({"similarity": [0.1, 0.2, 0.3]}, "wanted [queries, gallery]"),
    ({"similarity": [["a", "b", "c"]]}, "wanted numbers"),
    ({"similarity": [[0.1, math.nan, 0.3]]}, "row 0 of `similarity` holds NaN"),
    ({"similarity": [[0.1, 1.2, 0.3]]}, "row 0 of `similarity` spans 0.1 to 1.2, outside [-1, 1]"),
    ({"similarity_range": "unit", "similarity": [[0.1, -0.2, 0.3]]}, "outside [0, 1]"),
    ({"similarity_range": "percent"}, "`percent` is no range"),
    ({"ties": "random"}, "`random` is no rule"),
    ({"query_features": [[1.0]]}, "or features of both sides"),
    ({"similarity": None}, "or features of both sides"),
    ({"similarity": None, "query_features": [[1.0]], "gallery_features": [[1.0]] * 2}, "has 2 rows"),
    ({"similarity": None, "query_features": [[1.0]], "gallery_features": [[1.0, 2.0]] * 3}, "1 numbers a row"),
    (
        {"similarity": None, "query_features": [[0.0]], "gallery_features": [[1.0]] * 3},
        "row 0 of `query_features` is all",
    ),
    (
        {"similarity": None, "query_features": [[1.0]], "gallery_features": [[1.0], [math.inf], [1.0]]},
        "row 1 of `gallery_features` holds NaN or an infinite value",
    ),
]


@pytest.mark.parametrize(("change", "problem"), BAD_CALLS)
def test_arrays_that_do_not_fit_are_refused_in_one_line(change, problem):
    call = {"similarity": [[0.9, 0.2, 0.1]], "query_ids": [1], "gallery_ids": [1, 2, 3], **change}
    with pytest.raises(KitError) as caught:
        retrieval_metrics(**call)
    assert problem in caught.value.problem
    assert "\n" not in caught.value.problem and caught.value.mend


def test_a_cosine_just_above_one_counts_as_one():
    over = retrieval_metrics(np.array([[1.0005, 0.5]], np.float16), [1], [1, 2])
    assert over.msd == pytest.approx(retrieval_metrics([[1.0, 0.5]], [1], [1, 2]).msd, abs=1e-9)


def test_a_value_just_below_the_range_counts_as_its_end():
    under = unit_scores([[0.5, -0.0005, -0.0005]], [1], [1, 2, 2])
    assert under.msd == unit_scores([[0.5, 0.0, 0.0]], [1], [1, 2, 2]).msd
    assert unit_scores([[-0.0005, 0.5]], [1], [1, 2]).msd == 0
