"""The stage itself: a part's segments, each read, detected, tracked and cut, with those four overlapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

from ufine_kit.adapters.boxmot import open_boxmot
from ufine_kit.engine import Job, Step
from ufine_kit.errors import BadInput
from ufine_kit.extract.ahead import BURST, ahead
from ufine_kit.extract.byte import ByteTracker, byte_settings
from ufine_kit.extract.crops import CropRules, Cutter, all_of
from ufine_kit.extract.decode import Reading, Stretch, count_frames, frame_rate, read_frames
from ufine_kit.extract.detect import Detector, detect_from, given_boxes, open_detector
from ufine_kit.extract.frames import Frame
from ufine_kit.extract.mot import NO_BOXES, BoxFile
from ufine_kit.extract.plan import REID_WEIGHTS
from ufine_kit.extract.progress import counter
from ufine_kit.extract.shots import mark_shots
from ufine_kit.extract.track import GivenIds, LibraryTracker, Tracked, Tracker, follow
from ufine_kit.extract.tracks import ATTACHMENT, TrackLines

# Frames that may wait between two steps: enough to hide their unevenness, few enough for 8K frames.
_DEPTH = 8


def open_extract(table: dict[str, Any]) -> Step:
    """A step that gives the `Crop` rows of a part's segments, and its tracks as an attachment."""
    rules = CropRules(**{field.name: table[field.name] for field in fields(CropRules)})
    opened: list[Detector] = []  # with the first part: where its weights lie is told by the part

    def detector(job: Job) -> Detector | None:
        if table["detector"] != "file" and not opened:
            opened.append(open_detector(table, job.paths))
        return opened[0] if opened else None

    def extract(job: Job) -> Iterator[dict[str, Any]]:
        lines, detect, one_more = TrackLines(), detector(job), counter(job.paths, job.part)

        def told(item: Tracked) -> None:
            lines.add(item)
            one_more()

        with ThreadPoolExecutor(1, "encode") as pool:
            for segment in job.rows:
                lines.begin(segment["video_sha256"], segment["segment"], segment["video"])
                said = Reading()
                try:
                    tracked = all_of(_tracked(job, segment, table, detect, said), told)
                    yield from (
                        _without_pictures(tracked)
                        if table["tracks_only"]
                        else Cutter(segment, rules, pool).rows(tracked)
                    )
                except BadInput as bad:
                    job.said.bad_inputs.append({"input": segment["video"], "reason": bad.problem})
                else:
                    _tell(job, segment, said)
        if "videos" not in job.said.facts:
            first = job.said.bad_inputs[0]
            raise BadInput(f"{first['input']}: {first['reason']}", "leave it out, or mend it and repeat with --redo")
        job.said.attachments[ATTACHMENT] = lines.bytes()

    return extract


def _tracked(
    job: Job, segment: dict[str, Any], table: dict[str, Any], detect: Detector | None, said: Reading
) -> Iterator[Tracked]:
    path = Path(job.paths.get(segment["video_sha256"], ""))
    if not path.name:
        raise BadInput("not among the inputs of this run", "give the same videos again")
    boxes = given_boxes(segment["video_sha256"], job.paths) if detect is None else None
    stretch = Stretch(segment["first_frame"], segment["first_pts"], segment["end_frame"], segment["end_pts"])
    frames = _frames(path, stretch, table, boxes, said)
    detected = (detect or detect_from(boxes or NO_BOXES))(frames)
    trackers = _trackers(job, table, path, boxes)
    if table["tracker"] == "file":
        return follow(detected, trackers, boxes)
    return follow(detected, trackers, meet_iou=table["meet_iou"] if table["tracker_preset"] == "strict" else 0.0)


def _frames(
    path: Path, stretch: Stretch, table: dict[str, Any], boxes: BoxFile | None, said: Reading
) -> Iterator[Frame]:
    if table["tracks_only"]:
        return count_frames(path, stretch, boxes.last_frame if boxes else -1, said)
    frames = read_frames(path, stretch, table["fps"], table["decode_threads"], said)
    return ahead(mark_shots(frames, table["shot_threshold"]), _DEPTH, "decode", BURST)


def _trackers(job: Job, table: dict[str, Any], path: Path, boxes: BoxFile | None) -> Callable[[], Tracker]:
    """What makes a fresh tracker for every shot of a video."""
    if table["tracker"] == "file":
        given = boxes or NO_BOXES
        if given.by_frame and given.highest_id < 0:
            raise BadInput("the given boxes have no ids (second column)", "choose --tracker byte")
        return lambda: GivenIds(given)
    fps = min(frame_rate(path), table["fps"] or float("inf"))
    if table["tracker"] == "byte":
        settings = byte_settings(table["tracker_preset"], fps, table["lost_seconds"])
        return lambda: ByteTracker(settings)
    reid = job.paths.get(REID_WEIGHTS)
    fresh = open_boxmot(
        table["tracker"], table["tracker_preset"], fps, table["lost_seconds"], Path(reid) if reid else None
    )
    return lambda: LibraryTracker(fresh())


def _without_pictures(tracked: Iterator[Tracked]) -> Iterator[dict[str, Any]]:
    for _ in tracked:
        yield from ()


def _tell(job: Job, segment: dict[str, Any], said: Reading) -> None:
    facts = said.facts() | ({"notes": said.notes} if said.notes else {})
    job.said.facts.setdefault("videos", {})[f"{segment['video']}/{segment['segment']}"] = facts
    if said.synthetic:
        job.said.facts["synthetic"] = True
    for note in said.notes:
        job.said.bad_inputs.append({"input": segment["video"], "reason": note})
