"""Whose a crop is, as the filter judged: the context in which a campaign's texts are read."""

from __future__ import annotations

from pathlib import Path

from ufine_kit.parquet import read_rows
from ufine_kit.parts import done_parts


def crop_people(work: Path) -> dict[str, str]:
    """Person of every crop that was judged, by crop id; empty where nothing was filtered yet."""
    folder = work / "filter"
    return {
        row["crop_id"]: row["person_id"]
        for done in done_parts(folder)
        for row in read_rows(folder / f"{done.part}.parquet", ["crop_id", "person_id"])
    }
