"""`ufine-kit score`: the metrics for anyone's model, from arrays alone."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ufine_kit.cli.options import Json
from ufine_kit.errors import EXIT_DONE
from ufine_kit.output import Output


class SimilarityRange(StrEnum):
    """What the numbers of a similarity matrix are."""

    cosine = "cosine"
    unit = "unit"


class Unit(StrEnum):
    """What is drawn anew in a bootstrap."""

    identity = "identity"
    query = "query"


def score(
    query_ids: Annotated[Path, typer.Option(metavar="NPY", help="Identity of every query, [Q].")],
    gallery_ids: Annotated[Path, typer.Option(metavar="NPY", help="Identity of every gallery image, [G].")],
    query_features: Annotated[Path | None, typer.Option(metavar="NPY", help="[Q, D], compared by cosine.")] = None,
    gallery_features: Annotated[Path | None, typer.Option(metavar="NPY", help="[G, D].")] = None,
    similarity: Annotated[Path | None, typer.Option(metavar="NPY", help="[Q, G] instead of features.")] = None,
    similarity_range: Annotated[
        SimilarityRange, typer.Option(help="cosine: -1 to 1; unit: 0 to 1.")
    ] = SimilarityRange.cosine,
    by: Annotated[
        Path | None, typer.Option(metavar="NPY", help="A group for every query, [Q]: metrics by group.")
    ] = None,
    bootstrap: Annotated[int, typer.Option(min=0, help="Resamples for 95 % intervals; 0 for none.")] = 0,
    bootstrap_unit: Annotated[Unit, typer.Option(help="Queries of one identity are not independent.")] = Unit.identity,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    compare_query_features: Annotated[Path | None, typer.Option(metavar="NPY", help="A second system.")] = None,
    compare_gallery_features: Annotated[Path | None, typer.Option(metavar="NPY", help="A second system.")] = None,
    compare_similarity: Annotated[Path | None, typer.Option(metavar="NPY", help="A second system.")] = None,
    released_msd_calculator: Annotated[
        bool,
        typer.Option(
            help="mSD as the published mSD_Calculator.py computes it: its mask is in rank order, its similarities are not."
        ),
    ] = False,
    json: Json = False,
) -> int:
    """R@1, R@5, R@10, mAP, mINP and mSD (UFineBench, section 3.4) in percent. No model and no torch needed."""
    from ufine_kit.dataset.score import ScoreInputs, SystemFiles
    from ufine_kit.dataset.score import score as measure

    report = measure(
        ScoreInputs(
            query_ids=query_ids,
            gallery_ids=gallery_ids,
            system=SystemFiles(query_features, gallery_features, similarity, similarity_range.value),
            other=SystemFiles(
                compare_query_features, compare_gallery_features, compare_similarity, similarity_range.value
            ),
            by=by,
            bootstrap=bootstrap,
            bootstrap_unit=bootstrap_unit.value,
            seed=seed,
            released_msd_calculator=released_msd_calculator,
        )
    )
    rows = report.table()
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    Output(json).result(report.to_dict(), lines)
    return EXIT_DONE
