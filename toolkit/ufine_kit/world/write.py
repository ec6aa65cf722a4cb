"""A world in a folder: videos with tracking truth, crops with masks, people and descriptions, the same bytes on every run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ufine_kit.errors import KitError
from ufine_kit.world.annotate import Row, Task, annotate
from ufine_kit.world.choreography import PLANTS, VideoSettings, plan_video
from ufine_kit.world.draw import CROP_SIZE, Variation, draw_crop, jpeg
from ufine_kit.world.facts import facts_of
from ufine_kit.world.film import write_video
from ufine_kit.world.people import Person, sample_people
from ufine_kit.world.scene import Seen, frames_of
from ufine_kit.world.shapes import PARTS
from ufine_kit.world.tracking import (
    GOOD_VISIBILITY,
    DetectionNoise,
    Track,
    det_lines,
    gt_lines,
    occlusions,
    track_lines,
    tracks_of,
)
from ufine_kit.world.view import View, as_row
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
    (folder / BEGUN).write_text(json.dumps({"settings": settings}, indent=1), encoding="utf-8")
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


def track_view(track: Track) -> View | None:
    """What every good frame of a track shows; None where ids were switched or no frame is good."""
    if len(track.identities) != 1 or not track.good:
        return None
    first = track.good[0]
    visible = frozenset.intersection(*(one.visible for one in track.good))
    return View(first.facing, first.walking, first.place, None, visible, (0, 0, 0, 0))


def _track_row(video: str, track: Track) -> Row:
    first, last = track.seen[0], track.seen[-1]
    return {
        "video": video,
        "track": track.number,
        "shot": track.shot,
        "first_frame": first.frame,
        "last_frame": last.frame,
        "identities": track.identities,
        "facing": first.facing,
        "planted": first.planted,
        "blurred_frames": [one.frame for one in track.seen if one.blurred],
        "good_frames": track.good_ranges(),
        "least_visibility": GOOD_VISIBILITY,
    }


@dataclass
class _Films:
    """What all videos of a world yield beside their files."""

    shots: list[Row]
    tracks: list[Row]
    occlusions: list[Row]
    tasks: list[Task]


def _video(folder: Path, number: int, people: Mapping[int, Person], settings: WorldSettings, films: _Films) -> None:
    height, width = settings.frame_size
    video_settings = VideoSettings(
        settings.seconds,
        settings.fps,
        height,
        width,
        settings.shots,
        settings.people_per_shot,
        settings.planted,
        settings.variation.noise,
    )
    plan = plan_video(number, list(people), settings.seed, video_settings)
    stem, seen = f"world-{number:03d}", list[list[Seen]]()
    name = f"{stem}.mp4"

    def drawn() -> Iterable[np.ndarray]:
        for image, present in frames_of(plan, people):
            seen.append(present)
            yield image

    write_video(folder / "videos" / name, drawn(), width, height, settings.fps)
    tracks = tracks_of(seen, settings.noise.switches)
    rng = np.random.default_rng([settings.seed, number, 8])
    for kind, lines in (
        ("gt", gt_lines(seen)),
        ("det", det_lines(seen, width, height, settings.noise, rng)),
        ("tracks", track_lines(tracks, width, height)),
    ):
        (folder / kind / f"{stem}.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    for shot in plan.shots:
        cast = sorted({walk.identity for walk in shot.walks})
        films.shots.append(
            {
                "video": name,
                "shot": shot.number,
                "first_frame": shot.first,
                "last_frame": shot.end - 1,
                "place": shot.place,
                "identities": cast,
            }
        )
    films.occlusions += [{"video": name, **event} for event in occlusions(seen)]
    for track in tracks:
        row, view = _track_row(name, track), track_view(track)
        films.tracks.append(row)
        if view is not None:
            key = {
                column: row[column]
                for column in ("video", "track", "first_frame", "last_frame", "good_frames", "least_visibility")
            }
            films.tasks.append(
                Task({**key, "visible": sorted(view.visible)}, people[track.identities[0]["identity"]], view)
            )


def make_world(folder: Path | str, settings: WorldSettings | None = None) -> Row:
    """Write the world of `settings` into `folder` and return its summary (counts by kind).

    Writes `videos/ gt/ det/ tracks/ crops/ masks/`, and as JSON lines `people, truth, descriptions, faults, writers, shots,
    track_truth, occlusions, video_descriptions`. Frames count from 0 in JSON and from 1 in the MOT text files, whose ids
    in `gt/` are 1 + identity. A finished world of the same settings is left as it is; one cut short is made again.
    Raises KitError where the folder holds anything else.
    """
    settings, folder = settings or WorldSettings(), Path(folder)
    asked = json.loads(json.dumps({"version": VERSION, **asdict(settings)}))
    finished = _begin(folder, asked)
    if finished is not None:
        return finished
    people = sample_people(settings.identities, settings.seed, settings.near_alike)
    writers = sample_writers(settings.writers, settings.seed, settings.faults)
    truth, tasks = _crops(folder, people, settings)
    films = _Films([], [], [], [])
    for kind in ("videos", "gt", "det", "tracks") if settings.videos else ():
        (folder / kind).mkdir(exist_ok=True)
    for number in range(settings.videos):
        _video(folder, number, {person.identity: person for person in people}, settings, films)
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
    summary = {"identities": settings.identities, "crops": len(truth), "videos": settings.videos, **summary}
    done = {"settings": asked, "parts": PARTS, "summary": summary}
    (folder / BEGUN).write_text(json.dumps(done, indent=1), encoding="utf-8")
    (folder / BEGUN).replace(folder / DONE)
    return summary


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
