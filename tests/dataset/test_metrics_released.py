"""The switch for the published file's mSD gives that file's numbers, and only the switch does."""

import numpy as np
import pytest

from ufine_kit.dataset import metrics_features
from ufine_kit.dataset.metrics import retrieval_metrics


def published(unit, query_ids, gallery_ids):
    """The defect, written out: matches are put in rank order, the similarities they multiply are not."""
    scores = []
    for values, query in zip(unit, query_ids, strict=True):
        ranked = np.argsort(-values, kind="stable")
        match = (gallery_ids == query)[ranked].astype(float)
        positive = values * match
        shares = np.cumsum(positive) / np.cumsum(values)
        found = match.sum()
        ratio = (positive.sum() / found) / ((values.sum() - positive.sum()) / (len(values) - found))
        scores.append((1 - np.exp(-ratio)) * (shares * match).sum() / found)
    return np.array(scores)


@pytest.fixture
def case():
    generator = np.random.default_rng(21)
    return generator.uniform(0.1, 1, (12, 30)), np.arange(12) % 4, generator.permutation(np.arange(30) % 5)


def released(similarity, query_ids, gallery_ids):
    options = {"similarity_range": "unit", "released_msd_calculator": True}
    return retrieval_metrics(similarity, query_ids, gallery_ids, **options)


@pytest.mark.parametrize(
    ("similarity", "reversed_sd"),
    [
        ([0.81, 0.79, 0.77, 0.76, 0.75], 0.516),
        ([0.81, 0.79, 0.77, 0.15, 0.12], 0.495),
        ([0.81, 0.79, 0.55, 0.15, 0.12], 0.397),
    ],
)
def test_figure_2_lists_change_when_the_gallery_is_reversed(similarity, reversed_sd):
    ids = [1, 2, 1, 3, 4]
    in_order = retrieval_metrics([similarity], [1], ids, similarity_range="unit")
    assert released([similarity], [1], ids).msd == pytest.approx(in_order.msd)
    assert released([similarity[::-1]], [1], ids[::-1]).msd / 100 == pytest.approx(reversed_sd, abs=5e-4)


def test_the_switch_follows_the_published_order(case):
    np.testing.assert_allclose(released(*case).per_query.sd, published(*case), atol=1e-9)


def test_only_the_switch_depends_on_the_order_of_the_gallery(case):
    similarity, query_ids, gallery_ids = case
    turn = np.random.default_rng(22).permutation(len(gallery_ids))
    turned = similarity[:, turn], query_ids, gallery_ids[turn]
    assert abs(released(*case).msd - released(*turned).msd) > 0.1
    ours = [retrieval_metrics(*arrays, similarity_range="unit") for arrays in (case, turned)]
    assert ours[0].as_dict() == ours[1].as_dict()


def test_the_switch_changes_msd_alone(case):
    ours = retrieval_metrics(*case, similarity_range="unit").as_dict()
    theirs = released(*case).as_dict()
    assert theirs.pop("mSD") != ours.pop("mSD")
    assert theirs == ours


def test_features_are_put_back_into_gallery_order_for_the_switch(monkeypatch):
    monkeypatch.setattr(metrics_features, "BLOCK_COLUMNS", 5)
    generator = np.random.default_rng(23)
    queries, gallery = generator.standard_normal((9, 8)), generator.standard_normal((20, 8))
    gallery[3] = gallery[17]
    query_ids, gallery_ids = np.arange(9) % 3, np.arange(20) % 4
    metrics = retrieval_metrics(
        query_features=queries,
        gallery_features=gallery,
        query_ids=query_ids,
        gallery_ids=gallery_ids,
        released_msd_calculator=True,
    )
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    wanted = published((queries @ gallery.T).round(12) / 2 + 0.5, query_ids, gallery_ids)
    np.testing.assert_allclose(metrics.per_query.sd, wanted, atol=1e-9)


def test_the_switch_skips_queries_without_positives_and_takes_a_row_of_zeros():
    metrics = released([[0.0, 0.0, 0.0], [0.5, 0.4, 0.3]], [1, 9], [1, 1, 2])
    assert metrics.skipped_no_positive == 1
    assert np.isfinite(metrics.msd)
