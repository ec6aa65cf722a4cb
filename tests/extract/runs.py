"""The stage run in this process over tiny videos, and what it left."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ufine_kit import parts, pipeline
from ufine_kit.engine import Result
from ufine_kit.extract.plan import Wanted, plan_videos
from ufine_kit.extract.tracks import join_tracks
from ufine_kit.parquet import read_rows
from ufine_kit.recipe import Recipe
from ufine_kit.tables import ExtractTable


@dataclass
class Extracted:
    """What a run of the stage left, and said."""

    folder: Path
    wanted: Wanted
    results: list[Result] = field(default_factory=list)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [
            row for done in parts.done_parts(self.folder) for row in read_rows(self.folder / f"{done.part}.parquet")
        ]

    @property
    def reasons(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for result in self.results:
            for bad in result.bad_inputs:
                found.setdefault(bad["input"], []).append(bad["reason"])
        return found

    def tracks(self, name: str) -> list[list[float]]:
        lines = (self.folder / "tracks" / name).read_text().splitlines()
        return [[float(value) for value in line.split(",")] for line in lines]


def extract(
    work: Path, inputs: list[Path], weights: Path | None = None, workers: int = 1, redo: bool = False, **knobs: Any
):
    """Plan and run the stage over given boxes, in this process unless told otherwise."""
    table = ExtractTable(**{"detector": "file", "tracker": "file", "shot_threshold": 0.0, **knobs})
    folder = work / "tracklets"
    wanted = plan_videos(inputs, table, folder, weights)
    plan = pipeline.plan("tracklets", work, Recipe(extract=table), wanted.entries, wanted.paths, redo)
    found = Extracted(folder, wanted)
    pipeline.run(plan, "local", workers, found.results.append)
    join_tracks(folder)
    return found


def pixels_of(row: dict[str, Any]) -> np.ndarray:
    """The picture of a crop row."""
    return np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])))
