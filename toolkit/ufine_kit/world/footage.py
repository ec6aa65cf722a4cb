"""One video of a world on disk: the encoded file, its tracking truth, and the rows and describing tasks that it yields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ufine_kit.world.annotate import Row, Task
from ufine_kit.world.choreography import Shot, VideoPlan
from ufine_kit.world.film import write_video
from ufine_kit.world.people import Person
from ufine_kit.world.scene import Seen, frames_of
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
from ufine_kit.world.view import View

OF_A_TRACK = ("video", "track", "first_frame", "last_frame", "good_frames", "least_visibility")


@dataclass
class Footage:
    """What the videos of a world yield beside their files."""

    shots: list[Row] = field(default_factory=list)
    tracks: list[Row] = field(default_factory=list)
    occlusions: list[Row] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)


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


def _shot_row(video: str, shot: Shot) -> Row:
    return {
        "video": video,
        "shot": shot.number,
        "first_frame": shot.first,
        "last_frame": shot.end - 1,
        "place": shot.place,
        "identities": sorted({walk.identity for walk in shot.walks}),
    }


def _film(path: Path, plan: VideoPlan, people: Mapping[int, Person]) -> list[list[Seen]]:
    """Encode a plan; who was seen in every frame."""
    seen: list[list[Seen]] = []

    def drawn() -> Iterator[np.ndarray]:
        for image, present in frames_of(plan, people):
            seen.append(present)
            yield image

    write_video(path, drawn(), plan.settings.width, plan.settings.height, plan.settings.fps)
    return seen


def write_footage(
    folder: Path, plan: VideoPlan, people: Mapping[int, Person], noise: DetectionNoise, footage: Footage
) -> None:
    """Write `videos/ gt/ det/ tracks/` of one plan and add its rows and tasks to `footage`."""
    stem, (width, height) = f"world-{plan.number:03d}", (plan.settings.width, plan.settings.height)
    name = f"{stem}.mp4"
    seen = _film(folder / "videos" / name, plan, people)
    tracks = tracks_of(seen, noise.switches)
    rng = np.random.default_rng([plan.seed, plan.number, 8])
    texts = {
        "gt": gt_lines(seen),
        "det": det_lines(seen, width, height, noise, rng),
        "tracks": track_lines(tracks, width, height),
    }
    for kind, lines in texts.items():
        (folder / kind / f"{stem}.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    footage.shots += [_shot_row(name, shot) for shot in plan.shots]
    footage.occlusions += [{"video": name, **event} for event in occlusions(seen)]
    for track in tracks:
        row, view = _track_row(name, track), track_view(track)
        footage.tracks.append(row)
        if view is not None:
            key = {column: row[column] for column in OF_A_TRACK} | {"visible": sorted(view.visible)}
            footage.tasks.append(Task(key, people[track.identities[0]["identity"]], view))
