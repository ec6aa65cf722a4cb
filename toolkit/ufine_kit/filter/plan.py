"""What `filter` shall measure: a part for every part of crops, made from the networks of the recipe too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ufine_kit.files import digest_of, sha256_file
from ufine_kit.parts import PlanEntry
from ufine_kit.pipeline import BY_NAME, gathered, mirrored
from ufine_kit.tables import MeasureTable


def plan_measures(work: Path, table: MeasureTable) -> list[PlanEntry]:
    """One part of scores for every part of crops. Raises KitError where there are no crops yet."""
    networks: dict[str, str | None] = {
        f"{name}/{Path(given).name}": hash_weights(Path(given))
        for name, given in (("embedding_weights", table.embedding_weights), ("pose_weights", table.pose_weights))
        if given is not None
    }
    return [replace(entry, inputs=entry.inputs | networks) for entry in mirrored(BY_NAME["measures"], work)]


def measured_videos(work: Path) -> list[list[tuple[Path, Path]]]:
    """(tracklets part, measures part) of whole videos whose crops are all measured."""
    return [
        [
            (work / f"{name}.parquet", work / "measures" / f"{Path(name).name}.parquet")
            for name in entry.inputs
            if name.startswith("tracklets/")
        ]
        for entry in gathered(BY_NAME["filter"], work)
    ]


def hash_weights(path: Path) -> str:
    """Sha256 of a file; of names and contents for a folder, and for the two files of an OpenVINO export."""
    if path.is_file() and path.suffix != ".xml":
        return sha256_file(path)
    folder = path if path.is_dir() else path.parent
    files = path.rglob("*") if path.is_dir() else iter((path, path.with_suffix(".bin")))
    present = sorted(file for file in files if file.is_file())
    return digest_of([[file.relative_to(folder).as_posix(), sha256_file(file)] for file in present])
