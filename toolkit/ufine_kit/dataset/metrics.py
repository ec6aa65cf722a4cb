"""R@1/5/10, mAP, mINP and mSD of text-to-image retrieval, streamed: no full matrix and no full sort.

The scan stands in `metrics_scan.py`, its two entrances in `metrics_features.py` and `metrics_matrix.py`; intervals
and comparisons in `intervals.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from ufine_kit.dataset.metrics_features import feature_source
from ufine_kit.dataset.metrics_ids import Labels, as_labels, shared_codes
from ufine_kit.dataset.metrics_matrix import SimilarityRange, matrix_source
from ufine_kit.dataset.metrics_released import released_sd
from ufine_kit.dataset.metrics_scan import IntArray, Source, Ties, scan
from ufine_kit.errors import KitError

METRICS = ("R@1", "R@5", "R@10", "mAP", "mINP", "mSD")


@dataclass(frozen=True)
class PerQuery:
    """Scores of every query in the caller's order, each [Q]; NaN where a query has no positive and is skipped."""

    first_hit: npt.NDArray[np.float64]  # rank of the first positive, from 1
    ap: npt.NDArray[np.float64]
    inp: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]
    positives: IntArray  # gallery images of the query's identity

    def table(self) -> npt.NDArray[np.float64]:
        """[Q, 6] each query's share of the six metrics, in [0, 1], columns as METRICS."""
        hits = [np.where(np.isnan(self.first_hit), np.nan, self.first_hit <= k) for k in (1, 5, 10)]
        return np.stack([*hits, self.ap, self.inp, self.sd], axis=1)


@dataclass(frozen=True)
class RetrievalMetrics:
    """Means over the queries that have a positive, in percent; NaN where there is no such query."""

    r1: float
    r5: float
    r10: float
    map: float
    minp: float
    msd: float
    queries: int  # all queries, skipped ones included
    gallery: int
    skipped_no_positive: int
    no_negative: int  # queries whose identity fills the gallery: scored with PNR = 1
    per_query: PerQuery | None = None
    by: Mapping[str, RetrievalMetrics] = field(default_factory=dict)

    def as_dict(self) -> dict[str, float]:
        """The six metrics in percent, keys as METRICS."""
        return dict(zip(METRICS, (self.r1, self.r5, self.r10, self.map, self.minp, self.msd), strict=True))


def retrieval_metrics(
    similarity: npt.ArrayLike | None = None,
    query_ids: Labels | None = None,
    gallery_ids: Labels | None = None,
    *,
    query_features: npt.ArrayLike | None = None,
    gallery_features: npt.ArrayLike | None = None,
    similarity_range: SimilarityRange = "cosine",
    groups: Labels | None = None,
    per_query: bool = True,
    ties: Ties = "pessimistic",
    released_msd_calculator: bool = False,
    names: Mapping[str, str] | None = None,
) -> RetrievalMetrics:
    """Score how well queries [Q] find the images of their own identity in a gallery [G].

    Entrances: `similarity` [Q, G], or `query_features` [Q, D] and `gallery_features` [G, D] (compared by cosine; rows
    need not be normalised). Arrays may be memory-mapped; neither Q x G nor a copy of the features is ever held.
    `query_ids` [Q] and `gallery_ids` [G] are integers or text. A `similarity` in [-1, 1] (`cosine`) enters mSD as
    s / 2 + 0.5, one in [0, 1] (`unit`) as it is; values out of range by more than 0.001 are refused.

    Definitions. With the gallery ranked for a query, j_1 < ... < j_n the ranks of its n positives:
    R@k: j_1 <= k. AP = mean of i / j_i (not interpolated). INP = n / j_n (Ye et al., TPAMI 2021).
    SD = PNR * ASP (Zuo et al., UFineBench, CVPR 2024, section 3.4): PNR = 1 - exp(-x), x = mean similarity of the
    positives / mean similarity of the negatives; ASP = mean over i of (sum of the positives' similarities down to j_i)
    / (sum of all similarities down to j_i).

    Ties never follow the order of the gallery. `pessimistic` (default) ranks negatives before the positives they tie
    with, so they count in the ranks and in ASP's sums of every such positive; `optimistic` ranks them after. The gap
    between the two is what ties are worth. Products of features are compared as float64 rounded to 2^-40 where
    Q * G * D <= 2^31, above as float32. Permuting queries or gallery changes no bit of any result.

    Edges: a query without positives is skipped and counted; without negatives PNR is 1; where all similarities are
    zero they are read as the limit of equal ones (x = 1, ASP = AP).

    `groups` [Q] adds the same metrics for each label in `.by`. `released_msd_calculator=True` gives mSD as the
    published file mSD_Calculator.py computes it, which depends on the order of the gallery. `names` maps argument
    names to what an error should call them.

    Raises KitError for arrays that do not fit together, rows with NaN, all-zero features, similarities out of range.
    """
    called = {name: (names or {}).get(name, f"`{name}`") for name in ARGUMENTS}
    if query_ids is None or gallery_ids is None:
        raise KitError("ids are missing", "give both `query_ids` and `gallery_ids`")
    query_labels = as_labels(query_ids, called["query_ids"])
    gallery_labels = as_labels(gallery_ids, called["gallery_ids"])
    query_codes, gallery_codes = shared_codes(
        query_labels, gallery_labels, (called["query_ids"], called["gallery_ids"])
    )
    if ties not in get_args(Ties):
        raise KitError(f"`{ties}` is no rule for ties", "choose `pessimistic` or `optimistic`")

    positives = np.bincount(gallery_codes, minlength=int(query_codes.max(initial=0)) + 1)[query_codes]
    kept = np.flatnonzero(positives)
    arrays = [None if a is None else np.asarray(a) for a in (similarity, query_features, gallery_features)]
    source = open_source(arrays, query_codes, gallery_codes, kept, similarity_range, called)

    scores = np.full((4, len(query_codes)), np.nan)
    scores[:, kept] = scan(source, ties)[:, source.query_of]
    if released_msd_calculator:
        scores[3, kept] = released_sd(source, ties)[source.query_of]
    queries = PerQuery(scores[0], scores[1], scores[2], scores[3], positives)
    total = means(queries, np.arange(len(query_codes)), len(gallery_codes))
    by = (
        {}
        if groups is None
        else by_group(queries, as_labels(groups, called["groups"], len(query_codes)), total.gallery)
    )
    return replace(total, per_query=queries if per_query else None, by=by)


ARGUMENTS = ("similarity", "query_features", "gallery_features", "query_ids", "gallery_ids", "groups")


def open_source(
    arrays: list[npt.NDArray[Any] | None],
    query_codes: IntArray,
    gallery_codes: IntArray,
    kept: IntArray,
    similarity_range: SimilarityRange,
    called: Mapping[str, str],
) -> Source:
    """The one entrance that was given: a matrix, or features of both sides."""
    similarity, queries, gallery = arrays
    if similarity_range not in get_args(SimilarityRange):
        raise KitError(f"`{similarity_range}` is no range of similarities", "--similarity-range cosine or unit")
    if similarity is not None and queries is None and gallery is None:
        return matrix_source(similarity, query_codes, gallery_codes, kept, similarity_range, called["similarity"])
    if similarity is not None or queries is None or gallery is None:
        raise KitError("wanted a similarity matrix, or features of both sides", "give one of the two, in full")
    for rows, codes, side in ((queries, query_codes, "query"), (gallery, gallery_codes, "gallery")):
        if rows.ndim == 2 and len(rows) != len(codes):
            problem = f"{called[f'{side}_features']} has {len(rows)} rows, {called[f'{side}_ids']} {len(codes)}"
            raise KitError(problem, "save one id for each feature row, in the same order")
    feature_names = called["query_features"], called["gallery_features"]
    return feature_source(queries, gallery, query_codes, gallery_codes, kept, feature_names)


def means(queries: PerQuery, some: IntArray, gallery: int) -> RetrievalMetrics:
    """The metrics over the queries at the places `some`; sums are rounded once, so their order does not matter."""
    kept = some[queries.positives[some] > 0]
    table = queries.table()[kept]
    percent = [100 * math.fsum(column) / len(kept) if len(kept) else math.nan for column in table.T]
    return RetrievalMetrics(
        *percent,
        queries=len(some),
        gallery=gallery,
        skipped_no_positive=len(some) - len(kept),
        no_negative=int((queries.positives[kept] == gallery).sum()),
    )


def by_group(queries: PerQuery, groups: npt.NDArray[Any], gallery: int) -> dict[str, RetrievalMetrics]:
    """The metrics of each group of queries, groups in the order of their labels."""
    return {str(label): means(queries, np.flatnonzero(groups == label), gallery) for label in np.unique(groups)}
