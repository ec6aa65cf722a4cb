"""Cutting long videos into segments and packing tiny ones together: what becomes one part."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ufine_kit.errors import BadInput
from ufine_kit.extract.decode import Index, Reading, Stretch, image_files, index_video, read_video, sequence_info
from ufine_kit.extract.inputs import Video
from ufine_kit.extract.shots import mark_shots

# A border is moved to a shot boundary within this share of a segment before it.
_LOOK_BACK = 0.05
_KEYFRAME_WITHIN = 0.2
_PACKED_AT_MOST = 64


def cut(video: Video, segment_seconds: float, shot_threshold: float) -> tuple[list[dict[str, Any]], float]:
    """The segments of a video as rows, and its length in seconds (0 where that cannot be known).

    A video that cannot be opened gets one segment: its part then says what is wrong with it.
    """
    try:
        if video.path.is_dir():
            return _cut_sequence(video, segment_seconds)
        index = index_video(video.path)
    except BadInput:
        return [_row(video, 0, Stretch())], 0.0
    borders = list(_borders(video.path, index, segment_seconds, shot_threshold))
    starts = [None, *borders]
    ends = [*borders, None]
    rows = [
        _row(video, number, Stretch(
            first or 0, None if first is None else index.pts[first], end, None if end is None else index.pts[end]
        )) for number, (first, end) in enumerate(zip(starts, ends, strict=True))
    ]  # fmt: skip
    return rows, index.duration_seconds


def pack(cuts: Iterable[tuple[list[dict[str, Any]], float]], pack_seconds: float) -> Iterator[list[dict[str, Any]]]:
    """Rows of one part each: a segment of a long video alone, short videos together up to `pack_seconds`."""
    held: list[dict[str, Any]] = []
    held_seconds = 0.0
    for rows, seconds in cuts:
        if len(rows) > 1 or seconds >= pack_seconds:
            yield from ([row] for row in rows)
            continue
        if held and (held_seconds + seconds > pack_seconds or len(held) == _PACKED_AT_MOST):
            yield held
            held, held_seconds = [], 0.0
        held += rows
        held_seconds += seconds
    if held:
        yield held


def _row(video: Video, number: int, stretch: Stretch) -> dict[str, Any]:
    return {
        "video": video.name, "video_sha256": video.sha256, "segment": number, "first_frame": stretch.first_frame,
        "end_frame": stretch.end_frame, "first_pts": stretch.first_pts, "end_pts": stretch.end_pts,
    }  # fmt: skip


def _cut_sequence(video: Video, segment_seconds: float) -> tuple[list[dict[str, Any]], float]:
    files, fps = image_files(video.path)
    info = sequence_info(video.path)
    frames = len(files) or (info.length if info else 0)
    length = max(1, round(segment_seconds * fps))
    count = max(1, round(frames / length))
    ends = [*(length * (i + 1) for i in range(count - 1)), None]
    rows = [_row(video, i, Stretch(length * i, None, end, None)) for i, end in enumerate(ends)]
    return rows, frames / fps


def _borders(path: Path, index: Index, segment_seconds: float, shot_threshold: float) -> Iterator[int]:
    """Frame numbers at which segments begin, but the first: at a shot boundary near the wanted length, else at a keyframe."""
    previous = 0
    # A last piece below half a segment stays with the one before it.
    while index.duration_seconds - index.seconds(previous) > 1.5 * segment_seconds:
        wanted = index.seconds(previous) + segment_seconds
        target = bisect.bisect_right(range(len(index.pts)), wanted, key=index.seconds) - 1
        border = _shot_before(path, index, target, segment_seconds, shot_threshold)
        border = border or _keyframe_before(index, target, segment_seconds)
        if border <= previous:
            return
        yield border
        previous = border


def _keyframe_before(index: Index, target: int, segment_seconds: float) -> int:
    """A keyframe shortly before the target, where decoding can begin at once; the target itself where there is none."""
    place = bisect.bisect_right(index.keyframes, target) - 1
    if place < 0 or index.seconds(target) - index.seconds(index.keyframes[place]) > _KEYFRAME_WITHIN * segment_seconds:
        return target
    return index.keyframes[place]


def _shot_before(path: Path, index: Index, target: int, segment_seconds: float, shot_threshold: float) -> int | None:
    """The last shot boundary shortly before `target`, found by decoding only that stretch."""
    if shot_threshold <= 0:
        return None
    early = index.seconds(target) - _LOOK_BACK * segment_seconds
    first = bisect.bisect_left(range(len(index.pts)), early, key=index.seconds)
    stretch = Stretch(first, index.pts[first], target, index.pts[target])
    frames = mark_shots(read_video(path, stretch, 1, Reading()), shot_threshold)
    found = [frame.index for frame in frames if frame.starts_shot and frame.index > first]
    return found[-1] if found else None
