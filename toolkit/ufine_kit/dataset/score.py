"""What `ufine-kit score` does: metrics of anyone's model from .npy files, with intervals, groups and a comparison.

Loading stands in `score_files.py`, the definitions in `metrics.py`; the command line parses and prints.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ufine_kit.dataset.intervals import PairedDifference, bootstrap, compare
from ufine_kit.dataset.metrics import METRICS, PerQuery, RetrievalMetrics, retrieval_metrics
from ufine_kit.dataset.metrics_ids import as_labels
from ufine_kit.dataset.metrics_matrix import SimilarityRange
from ufine_kit.dataset.metrics_scan import Ties
from ufine_kit.dataset.score_files import load_array
from ufine_kit.errors import KitError

COMPARE_RESAMPLES = 1000  # where a comparison is asked for without --bootstrap


@dataclass(frozen=True)
class SystemFiles:
    """One system's output: features of both sides, or a similarity matrix [Q, G]."""

    query_features: Path | None = None
    gallery_features: Path | None = None
    similarity: Path | None = None
    similarity_range: SimilarityRange = "cosine"

    @property
    def given(self) -> bool:
        return any((self.query_features, self.gallery_features, self.similarity))


@dataclass(frozen=True)
class ScoreInputs:
    """Everything the command was given; paths are .npy files."""

    query_ids: Path
    gallery_ids: Path
    system: SystemFiles
    other: SystemFiles = field(default_factory=SystemFiles)  # --compare-...: a second system on the same ids
    by: Path | None = None  # one group label a query
    bootstrap: int = 0  # resamples; 0 gives no intervals
    bootstrap_unit: Literal["identity", "query"] = "identity"
    seed: int = 0
    ties: Ties = "pessimistic"
    released_msd_calculator: bool = False


@dataclass(frozen=True)
class ScoreReport:
    """The metrics in percent, with what was asked for beside them."""

    metrics: RetrievalMetrics
    intervals: Mapping[str, tuple[float, float]] | None
    compare: Mapping[str, PairedDifference] | None
    inputs: ScoreInputs

    def to_dict(self) -> dict[str, Any]:
        """The object of --json: the six metrics in percent, counts, and `intervals`, `by`, `compare` where asked for."""
        intervals = None if self.intervals is None else {name: list(ends) for name, ends in self.intervals.items()}
        others = None if self.compare is None else {name: asdict(row) for name, row in self.compare.items()}
        return {
            **counted(self.metrics),
            "gallery": self.metrics.gallery,
            "intervals": intervals,
            "by": {label: counted(group) for label, group in self.metrics.by.items()},
            "compare": others,
            "ties": self.inputs.ties,
            "mSD_definition": "mSD_Calculator.py" if self.inputs.released_msd_calculator else "paper",
            "bootstrap": self.inputs.bootstrap,
            "bootstrap_unit": self.inputs.bootstrap_unit,
            "seed": self.inputs.seed,
        }

    def table(self) -> list[tuple[str, ...]]:
        """Header and rows for people: all queries, their intervals, groups, the comparison."""
        rows = [("", *METRICS, "queries", "skipped"), ("all", *score_row(self.metrics))]
        if self.intervals is not None:
            rows.append(("95 %", *(f"{low:.2f}..{high:.2f}" for low, high in self.intervals.values()), "", ""))
        rows += [(label, *score_row(group)) for label, group in self.metrics.by.items()]
        if self.compare is not None:
            others = self.compare.values()
            rows.append(("minus other", *(f"{row.difference:+.2f}" for row in others), "", ""))
            rows.append(("95 %", *(f"{row.low:+.2f}..{row.high:+.2f}" for row in others), "", ""))
            rows.append(("p", *(f"{row.p:.4f}" for row in others), "", ""))
        return rows


def score(inputs: ScoreInputs) -> ScoreReport:
    """Load, check and score; raises KitError that names the file, and the row where there is one."""
    if inputs.bootstrap < 0:
        raise KitError(f"--bootstrap {inputs.bootstrap} is negative", "--bootstrap 1000, or 0 for no intervals")
    metrics = score_system(inputs, inputs.system, "--")
    scored = metrics.queries - metrics.skipped_no_positive
    if scored == 0:
        problem = f"no identity of `{inputs.query_ids}` is in `{inputs.gallery_ids}`"
        raise KitError(problem, "check that --query-ids and --gallery-ids use the same labels")
    identities = None
    if inputs.bootstrap_unit == "identity":
        identities = as_labels(load_array(inputs.query_ids, "--query-ids"), f"`{inputs.query_ids}`")
    intervals = differences = None
    if inputs.bootstrap:
        intervals = bootstrap(drawn_from(metrics), identities, inputs.bootstrap, inputs.seed)
    if inputs.other.given:
        second = score_system(inputs, inputs.other, "--compare-")
        resamples = inputs.bootstrap or COMPARE_RESAMPLES
        differences = compare(drawn_from(metrics), drawn_from(second), identities, resamples, inputs.seed)
    return ScoreReport(metrics, intervals, differences, inputs)


def score_system(inputs: ScoreInputs, system: SystemFiles, dashes: str) -> RetrievalMetrics:
    """The metrics of one system; errors call every array by its file, mends its flag, which begins with `dashes`."""
    both = system.query_features and system.gallery_features
    if bool(system.similarity) == bool(both) or (
        system.similarity and (system.query_features or system.gallery_features)
    ):
        wanted = f"{dashes}query-features and {dashes}gallery-features, or {dashes}similarity"
        raise KitError("wanted features of both sides, or one similarity matrix", f"give either {wanted}")
    paths = {
        "query_ids": (inputs.query_ids, "--query-ids"),
        "gallery_ids": (inputs.gallery_ids, "--gallery-ids"),
        "query_features": (system.query_features, f"{dashes}query-features"),
        "gallery_features": (system.gallery_features, f"{dashes}gallery-features"),
        "similarity": (system.similarity, f"{dashes}similarity"),
        "groups": (inputs.by, "--by"),
    }
    arrays = {name: load_array(path, flag) for name, (path, flag) in paths.items() if path is not None}
    return retrieval_metrics(
        similarity=arrays.get("similarity"),
        query_features=arrays.get("query_features"),
        gallery_features=arrays.get("gallery_features"),
        query_ids=arrays["query_ids"],
        gallery_ids=arrays["gallery_ids"],
        groups=arrays.get("groups"),
        similarity_range=system.similarity_range,
        ties=inputs.ties,
        released_msd_calculator=inputs.released_msd_calculator,
        names={name: f"`{path}`" for name, (path, _) in paths.items() if path is not None},
    )


def drawn_from(metrics: RetrievalMetrics) -> PerQuery:
    assert metrics.per_query is not None
    return metrics.per_query


def score_row(metrics: RetrievalMetrics) -> tuple[str, ...]:
    values = (f"{value:.2f}" for value in metrics.as_dict().values())
    return (*values, str(metrics.queries), str(metrics.skipped_no_positive))


def counted(metrics: RetrievalMetrics) -> dict[str, Any]:
    """The six metrics (null where every query is skipped) and the counts of queries."""
    values = {name: None if math.isnan(value) else value for name, value in metrics.as_dict().items()}
    counts = {name: getattr(metrics, name) for name in ("queries", "skipped_no_positive", "no_negative")}
    return {**values, **counts}
