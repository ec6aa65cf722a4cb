"""A world in a folder: videos with tracking truth, crops with masks, people and descriptions, the same bytes on every run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ufine_kit.errors import KitError, storage_error
from ufine_kit.files import replacing
from ufine_kit.world.annotate import Row, Task, annotate
from ufine_kit.world.choreography import PLANTS, VideoSettings, plan_video
from ufine_kit.world.draw import CROP_SIZE, Variation, draw_crop, jpeg
from ufine_kit.world.facts import facts_of
from ufine_kit.world.footage import Footage, write_footage
from ufine_kit.world.people import Person
from ufine_kit.world.sampling import sample_people
from ufine_kit.world.shapes import PARTS
from ufine_kit.world.tracking import (
    DetectionNoise,
)
from ufine_kit.world.view import as_row
from ufine_kit.world.writers import Writer, sample_writers

VERSION = 1  # raised when the same settings give other bytes
DONE, BEGUN = "world.json", "world.begun.json"


@dataclass(frozen=True)
class WorldSettings:
    """Everything that a world follows from. Sizes are (height, width) px; `noise` are faults of the given detections."""

    identities: int = 24
    crops: int = 4
    videos: int = 2
    seconds: float = 8.0
    fps: int = 25
    shots: int = 2
    people_per_shot: int = 4
    frame_size: tuple[int, int] = (360, 640)
    crop_size: tuple[int, int] = CROP_SIZE
    seed: int = 0
    near_alike: float = 0.1
    granularities: tuple[str, ...] = ("fine",)
    styles: tuple[str, ...] = ("plain", "flowing")
    texts_each: int = 2
    writers: int = 6
    faults: tuple[str, ...] = ()
    planted: tuple[str, ...] = PLANTS
    noise: DetectionNoise = field(default_factory=DetectionNoise)
    masks: bool = False
    variation: Variation = field(default_factory=Variation)


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return len(lines)


def _write_json(path: Path, value: Row) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1), encoding="utf-8")


def _begin(folder: Path, settings: Row) -> Row | None:
    """Make the folder ready; the summary of a finished world of the same settings, else None."""
    if folder.exists() and not folder.is_dir():
        raise KitError(f"`{folder}` is a file", "name a folder for the world")
    for name in (DONE, BEGUN):
        mark = folder / name
        if not mark.is_file():
            continue
        found = json.loads(mark.read_text(encoding="utf-8"))
        if found["settings"] != settings:
            raise KitError(f"`{folder}` holds a world of other settings", "name another folder, or delete this one")
        return found["summary"] if name == DONE else None
    if folder.exists() and any(folder.iterdir()):
        raise KitError(f"`{folder}` is not empty and no world was made in it", "name a new or an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / BEGUN, {"settings": settings})
    return None


def _crops(folder: Path, people: list[Person], settings: WorldSettings) -> tuple[list[Row], list[Task]]:
    truth, tasks = [], []
    for person in people:
        for number in range(settings.crops):
            rng = np.random.default_rng([settings.seed, person.identity, number, 4])
            drawing = draw_crop(person, rng, settings.crop_size, variation=settings.variation)
            name = f"{person.identity:04d}/{number}"
            image = folder / "crops" / f"{name}.jpg"
            image.parent.mkdir(parents=True, exist_ok=True)
            image.write_bytes(jpeg(drawing.image))
            row: Row = {
                "image": f"crops/{name}.jpg",
                "identity": person.identity,
                "box": drawing.view.box,
                **as_row(drawing.view),
            }
            if settings.masks:
                mask = folder / "masks" / f"{name}.png"
                mask.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(drawing.parts).save(mask)
                row["mask"] = f"masks/{name}.png"
            truth.append({**row, "facts": facts_of(person, drawing.view), "attributes": person.attributes()})
            tasks.append(Task({"image": row["image"]}, person, drawing.view))
    return truth, tasks


def _footage(folder: Path, people: list[Person], settings: WorldSettings) -> Footage:
    footage, cast = Footage(), {person.identity: person for person in people}
    for kind in ("videos", "gt", "det", "tracks") if settings.videos else ():
        (folder / kind).mkdir(exist_ok=True)
    height, width = settings.frame_size
    video = VideoSettings(
        seconds=settings.seconds,
        fps=settings.fps,
        height=height,
        width=width,
        shots=settings.shots,
        people=settings.people_per_shot,
        planted=settings.planted,
        noise=settings.variation.noise,
    )
    for number in range(settings.videos):
        plan = plan_video(number, list(cast), settings.seed, video)
        write_footage(folder, plan, cast, settings.noise, footage)
    return footage


def make_world(folder: Path | str, settings: WorldSettings | None = None) -> Row:
    """Write the world of `settings` into `folder` and return its summary (counts by kind).

    Writes `videos/ gt/ det/ tracks/ crops/ masks/`, and as JSON lines `people, truth, descriptions, faults, writers, shots,
    track_truth, occlusions, video_descriptions`. Frames count from 0 in JSON and from 1 in the MOT text files, whose ids
    in `gt/` are 1 + identity. A finished world of the same settings is left as it is; one cut short is made again.
    Raises KitError where the folder holds anything else, and for a full disk or missing rights.
    """
    settings, folder = settings or WorldSettings(), Path(folder)
    asked = json.loads(json.dumps({"version": VERSION, **asdict(settings)}))
    try:
        summary = _begin(folder, asked)
        if summary is None:
            summary = _make(folder, settings)
            _write_json(folder / DONE, {"settings": asked, "parts": PARTS, "summary": summary})
        (folder / BEGUN).unlink(missing_ok=True)
    except OSError as error:
        storage_error(error, folder)
    return summary


def _make(folder: Path, settings: WorldSettings) -> Row:
    people = sample_people(settings.identities, settings.seed, settings.near_alike)
    writers = sample_writers(settings.writers, settings.seed, settings.faults)
    truth, tasks = _crops(folder, people, settings)
    films = _footage(folder, people, settings)
    rows, faults = _annotated(tasks, writers, settings, "c", settings.granularities)
    video_rows, video_faults = _annotated(films.tasks, writers, settings, "v", ("fine",))
    tables: dict[str, Iterable[Mapping[str, Any]]] = {
        "people": ({"identity": p.identity, "twin_of": p.twin_of, **p.attributes()} for p in people),
        "truth": truth,
        "descriptions": rows,
        "video_descriptions": video_rows,
        "faults": faults + video_faults,
        "writers": map(asdict, writers),
        "shots": films.shots,
        "track_truth": films.tracks,
        "occlusions": films.occlusions,
    }
    summary: Row = {name: _write_lines(folder / f"{name}.jsonl", table) for name, table in tables.items()}
    return {"identities": settings.identities, "crops": len(truth), "videos": settings.videos, **summary}


def _annotated(
    tasks: list[Task], writers: list[Writer], settings: WorldSettings, prefix: str, granularities: tuple[str, ...]
) -> tuple[list[Row], list[Row]]:
    return annotate(
        tasks,
        writers,
        settings.seed,
        prefix=prefix,
        granularities=granularities,
        styles=settings.styles,
        texts_each=settings.texts_each,
    )
