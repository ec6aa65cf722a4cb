"""No bit of a result may depend on the order of queries or gallery, on chunk borders, or on where the arrays lie."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from ufine_kit.dataset import metrics_features, metrics_matrix
from ufine_kit.dataset.metrics import retrieval_metrics

pytestmark = pytest.mark.full

SCORES = ("first_hit", "ap", "inp", "sd", "positives")


def tied_features(generator, queries=160, gallery=240, dims=48):
    """Clustered features with the ties that occur: equal rows within and across identities, scaled rows, -0.0."""
    centres = generator.standard_normal((30, dims)).astype(np.float32)
    gallery_ids = generator.integers(0, 34, gallery)  # some identities have no query
    query_ids = generator.integers(0, 32, queries)
    rows = centres[gallery_ids % 30] + generator.standard_normal((gallery, dims)).astype(np.float32)
    rows[generator.integers(0, gallery, 80)] = rows[generator.integers(0, gallery, 80)]
    rows[:6] = rows[6] * np.array([[1, 2, 4, 0.5, 8, 1]], np.float32).T  # no rounding: the same direction
    rows[:, 0] = 0.0
    rows[::2, 0] = -0.0
    asked = centres[query_ids % 30] + generator.standard_normal((queries, dims)).astype(np.float32)
    asked[generator.integers(0, queries, 40)] = asked[0]
    return {"query_features": asked, "gallery_features": rows, "query_ids": query_ids, "gallery_ids": gallery_ids}


def permuted(arrays, queries, gallery):
    turned = {name: array[gallery] for name, array in arrays.items() if name.startswith("gallery")}
    turned |= {name: array[queries] for name, array in arrays.items() if name.startswith("query")}
    if "similarity" in arrays:
        turned["similarity"] = arrays["similarity"][queries][:, gallery]
    return turned


def assert_same_bits(first, second, queries):
    assert first.as_dict() == second.as_dict()
    for name in SCORES:
        mine, other = getattr(first.per_query, name)[queries], getattr(second.per_query, name)
        np.testing.assert_array_equal(mine, other, err_msg=name)


@pytest.fixture(params=["float64", "float32"])
def product_dtype(request, monkeypatch):
    """Forces one side of the rule by size."""
    monkeypatch.setattr(metrics_features, "FLOAT64_PRODUCTS", 2**62 if request.param == "float64" else 0)
    return request.param


@pytest.fixture(params=["one block", "many blocks"])
def blocks(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(metrics_features, "BLOCK_COLUMNS", 13)
        monkeypatch.setattr(metrics_features, "CHUNK_BYTES", 3000)
        monkeypatch.setattr(metrics_matrix, "CHUNK_BYTES", 5000)


@pytest.mark.parametrize("ties", ["pessimistic", "optimistic"])
def test_permuting_features_changes_no_bit(product_dtype, blocks, ties):
    generator = np.random.default_rng(11)
    arrays = tied_features(generator)
    arrays["gallery_features"] = arrays["gallery_features"].astype(np.float64)
    before = {name: array.copy() for name, array in arrays.items()}
    first = retrieval_metrics(**arrays, ties=ties)
    assert all(arrays[name].tobytes() == before[name].tobytes() for name in arrays), "inputs are read, not written"
    assert first.skipped_no_positive < first.queries
    for _ in range(6):
        queries = generator.permutation(len(arrays["query_ids"]))
        gallery = generator.permutation(len(arrays["gallery_ids"]))
        assert_same_bits(first, retrieval_metrics(**permuted(arrays, queries, gallery), ties=ties), queries)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_permuting_a_matrix_changes_no_bit(blocks, dtype):
    generator = np.random.default_rng(12)
    arrays = {
        "similarity": generator.uniform(-1, 1, (60, 300)).astype(dtype),
        "query_ids": generator.integers(0, 20, 60),
        "gallery_ids": generator.integers(0, 20, 300),
    }
    first = retrieval_metrics(**arrays)
    for _ in range(6):
        queries, gallery = generator.permutation(60), generator.permutation(300)
        assert_same_bits(first, retrieval_metrics(**permuted(arrays, queries, gallery)), queries)


def test_block_borders_do_not_move_a_rank(product_dtype, monkeypatch):
    arrays = tied_features(np.random.default_rng(13), queries=60, gallery=110)
    whole = retrieval_metrics(**arrays)
    for columns, chunk_bytes in ((1, 1), (7, 4000), (50, 20000), (10**6, 10**9)):
        monkeypatch.setattr(metrics_features, "BLOCK_COLUMNS", columns)
        monkeypatch.setattr(metrics_features, "CHUNK_BYTES", chunk_bytes)
        cut = retrieval_metrics(**arrays)
        np.testing.assert_array_equal(cut.per_query.first_hit, whole.per_query.first_hit)
        assert cut.as_dict() == pytest.approx(whole.as_dict(), abs=1e-4 if product_dtype == "float32" else 1e-9)


def test_positives_of_neighbouring_queries_stand_in_neighbouring_columns():
    generator = np.random.default_rng(20)
    features, ids = generator.standard_normal((300, 6)), generator.integers(0, 40, 300)
    features[250:] = features[:50]  # a vector of two identities stands with the lower one
    source = metrics_features.feature_source(features, features, ids, ids, np.arange(300), ("q", "g"))
    lowest = np.array([ids[(features == features[row]).all(axis=1)].min() for row in source.gallery_rows])
    assert (np.diff(lowest) >= 0).all()
    assert (ids[source.gallery_rows] == source.gallery_codes).all()


def test_one_vector_in_every_gallery_row_ties_all_of_them(product_dtype, blocks):
    generator = np.random.default_rng(14)
    gallery_ids = np.arange(200) % 10
    metrics = retrieval_metrics(
        query_features=generator.standard_normal((10, 33)),
        gallery_features=np.tile(generator.standard_normal(33), (200, 1)),
        query_ids=np.arange(10),
        gallery_ids=gallery_ids,
    )
    assert set(metrics.per_query.first_hit) == {181.0}
    np.testing.assert_allclose(metrics.per_query.sd, (1 - np.exp(-1)) * np.mean(np.arange(1, 21) / np.arange(181, 201)))


def test_float32_products_give_the_ranks_of_float64_ones(monkeypatch):
    arrays = tied_features(np.random.default_rng(15))
    exact = retrieval_metrics(**arrays)
    monkeypatch.setattr(metrics_features, "FLOAT64_PRODUCTS", 0)
    assert retrieval_metrics(**arrays).as_dict() == pytest.approx(exact.as_dict(), abs=1e-3)


def test_features_and_their_similarities_score_alike():
    arrays = tied_features(np.random.default_rng(16))
    sides = [np.asarray(arrays[name], np.float64) for name in ("query_features", "gallery_features")]
    queries, gallery = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides)
    similarity = (queries @ gallery.T).round(12)
    by_matrix = retrieval_metrics(similarity, arrays["query_ids"], arrays["gallery_ids"])
    assert retrieval_metrics(**arrays).as_dict() == pytest.approx(by_matrix.as_dict(), abs=1e-8)


@pytest.mark.parametrize("entrance", ["features", "similarity"])
def test_mapped_files_score_as_arrays_do(tmp_path, entrance, blocks):
    arrays = tied_features(np.random.default_rng(17))
    if entrance == "similarity":
        generator = np.random.default_rng(18)
        arrays = {name: array for name, array in arrays.items() if name.endswith("ids")}
        arrays["similarity"] = generator.uniform(-1, 1, (len(arrays["query_ids"]), len(arrays["gallery_ids"])))
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    mapped = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in arrays}
    assert_same_bits(retrieval_metrics(**arrays), retrieval_metrics(**mapped), np.arange(len(arrays["query_ids"])))


def test_the_full_matrix_is_never_held(monkeypatch):
    monkeypatch.setattr(metrics_features, "CHUNK_BYTES", 2**20)
    monkeypatch.setattr(metrics_features, "BLOCK_COLUMNS", 1024)
    generator = np.random.default_rng(19)
    queries, gallery = 600, 8000
    arrays = {
        "query_features": generator.standard_normal((queries, 4)),
        "gallery_features": generator.standard_normal((gallery, 4)),
        "query_ids": np.arange(queries),
        "gallery_ids": np.arange(gallery) % queries,
    }
    tracemalloc.start()
    retrieval_metrics(**arrays)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < queries * gallery  # a quarter of the matrix in float32, an eighth of what was multiplied


def test_scoring_imports_neither_torch_nor_scipy():
    code = (
        "import sys, ufine_kit.dataset.score; print(sorted({'torch', 'scipy', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
