"""Tracking truth of a video in MOT format: the true boxes, given detections, and the tracks a tracker would make of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ufine_kit.world.scene import Seen

LEAST_VISIBLE = 0.25  # below it nothing is detected
LOST_FRAMES = 4  # a track ends when its person is hidden for longer
SHORTEST = 5
GOOD_VISIBILITY = 0.75

FloatBox = tuple[float, float, float, float]


@dataclass(frozen=True)
class DetectionNoise:
    """Faults of given detections: `jitter` of box edges as a share of the height, shares of misses and false alarms a frame."""

    jitter: float = 0.0
    misses: float = 0.0
    false_positives: float = 0.0
    switches: int = 0  # id switches planted in a video, where two tracks come closest


@dataclass(frozen=True)
class Track:
    """One track of `tracks/<stem>.txt`: its people by frame (more than one only where ids were switched)."""

    number: int
    shot: int
    seen: tuple[Seen, ...] = field(default=())

    @property
    def identities(self) -> list[dict[str, int]]:
        """Runs of one identity: `identity`, `first_frame`, `last_frame` (from 0)."""
        runs: list[dict[str, int]] = []
        for one in self.seen:
            if not runs or runs[-1]["identity"] != one.identity:
                runs.append({"identity": one.identity, "first_frame": one.frame, "last_frame": one.frame})
            runs[-1]["last_frame"] = one.frame
        return runs

    @property
    def good(self) -> list[Seen]:
        """The frames that a description may stand on: hardly hidden and in focus."""
        return [one for one in self.seen if one.visibility >= GOOD_VISIBILITY and not one.blurred]

    def good_ranges(self) -> list[list[int]]:
        """[first, last] frames (from 0) of the good frames."""
        ranges: list[list[int]] = []
        for one in self.good:
            if ranges and ranges[-1][1] == one.frame - 1:
                ranges[-1][1] = one.frame
            else:
                ranges.append([one.frame, one.frame])
        return ranges


def clipped(box: Sequence[float], width: int, height: int) -> FloatBox:
    """The part of x, y, w, h inside the picture."""
    left, top = max(box[0], 0.0), max(box[1], 0.0)
    right, bottom = min(box[0] + box[2], width), min(box[1] + box[3], height)
    return left, top, max(right - left, 0.0), max(bottom - top, 0.0)


def tracks_of(frames: Iterable[Sequence[Seen]], switches: int = 0) -> list[Track]:
    """What a good tracker would give: a track ends at a cut, when its person leaves, and where the person is long hidden."""
    open_runs: dict[tuple[int, int], list[Seen]] = {}
    runs: list[list[Seen]] = []
    for seen in frames:
        for one in seen:
            if one.visibility < LEAST_VISIBLE:
                continue
            key = (one.shot, one.walk)
            if key in open_runs and one.frame - open_runs[key][-1].frame > LOST_FRAMES:
                runs.append(open_runs.pop(key))
            open_runs.setdefault(key, []).append(one)
    runs += open_runs.values()
    kept = sorted((run for run in runs if len(run) >= SHORTEST), key=lambda run: (run[0].frame, run[0].walk))
    tracks = [Track(number, run[0].shot, tuple(run)) for number, run in enumerate(kept, 1)]
    return _switched(tracks, switches)


def _gap(one: Seen, other: Seen) -> float:
    """Distance of two figures in heights."""
    return abs(one.box[0] + one.box[2] / 2 - other.box[0] - other.box[2] / 2) / max(one.box[3], 1)


def _meeting(one: Track, other: Track) -> tuple[float, int]:
    """(distance, frame) where two tracks come closest, well inside both."""
    place = {seen.frame: seen for seen in other.seen[SHORTEST:-SHORTEST]}
    near = [(_gap(seen, place[seen.frame]), seen.frame) for seen in one.seen[SHORTEST:-SHORTEST] if seen.frame in place]
    return min(near, default=(float("inf"), -1))


def _switched(tracks: list[Track], switches: int) -> list[Track]:
    """The tracks with ids exchanged, from their meeting on, in the `switches` pairs that come closest."""
    pairs = [(*_meeting(a, b), a.number, b.number) for k, a in enumerate(tracks) for b in tracks[k + 1 :]]
    by_number, used = {track.number: track for track in tracks}, set()
    for gap, frame, a, b in sorted(pairs):
        if len(used) >= 2 * switches or gap == float("inf"):
            break
        if used & {a, b}:
            continue
        used |= {a, b}
        one, other = by_number[a].seen, by_number[b].seen
        ends = [tuple(s for s in track if s.frame >= frame) for track in (one, other)]
        starts = [tuple(s for s in track if s.frame < frame) for track in (one, other)]
        by_number[a] = replace(by_number[a], seen=starts[0] + ends[1])
        by_number[b] = replace(by_number[b], seen=starts[1] + ends[0])
    return list(by_number.values())


def _line(*values: float) -> str:
    return ",".join(
        f"{value:.4g}" if 0 < value < 1 else f"{value:g}" for value in (round(value, 4) for value in values)
    )


def gt_lines(frames: Iterable[Sequence[Seen]]) -> list[str]:
    """`frame, id, x, y, w, h, 1, 1, visibility`: frame from 1, id is 1 + identity, boxes of whole figures even where hidden."""
    rows = [
        (one.frame + 1, one.identity + 1, *one.box, 1, 1, round(one.visibility, 3)) for seen in frames for one in seen
    ]
    return [_line(*row) for row in sorted(rows)]


def det_lines(
    frames: Iterable[Sequence[Seen]], width: int, height: int, noise: DetectionNoise, rng: np.random.Generator
) -> list[str]:
    """`frame, -1, x, y, w, h, confidence, -1, -1, -1` inside the picture, with the faults that `noise` asks for."""
    lines = []
    for seen in frames:
        for one in sorted(seen, key=lambda s: s.walk):
            if one.visibility < LEAST_VISIBLE or rng.random() < noise.misses:
                continue
            shake = rng.normal(0, noise.jitter * one.box[3], 4) if noise.jitter else np.zeros(4)
            box = clipped(tuple(float(a + b) for a, b in zip(one.box, shake, strict=True)), width, height)
            confidence = min(0.99, 0.35 + 0.6 * one.visibility)
            lines.append(_line(one.frame + 1, -1, *(round(v, 1) for v in box), round(confidence, 3), -1, -1, -1))
        if seen and rng.random() < noise.false_positives:
            tall = float(rng.uniform(0.2, 0.6)) * height
            box = clipped(
                (float(rng.uniform(0, width)), float(rng.uniform(0, height * 0.5)), tall * 0.4, tall), width, height
            )
            lines.append(_line(seen[0].frame + 1, -1, *(round(v, 1) for v in box), 0.32, -1, -1, -1))
    return lines


def track_lines(tracks: Sequence[Track], width: int, height: int) -> list[str]:
    """`frame, track, x, y, w, h, confidence, -1, -1, -1` inside the picture; frame and track from 1."""
    rows = []
    for track in tracks:
        for one in track.seen:
            confidence = round(min(0.99, 0.35 + 0.6 * one.visibility), 3)
            rows.append((one.frame + 1, track.number, *clipped(one.box, width, height), confidence, -1, -1, -1))
    return [_line(*row) for row in sorted(rows)]


def occlusions(frames: Iterable[Sequence[Seen]], least: float = 0.15) -> list[dict[str, float | int]]:
    """Who hides whom: runs of frames (from 0) in which `front` covers at least `least` of `behind`, with the most it covers."""
    open_events: dict[tuple[int, int, int], dict[str, float | int]] = {}
    events: list[dict[str, float | int]] = []
    for seen in frames:
        for one in seen:
            for front, share in one.hidden_by.items():
                if share < least:
                    continue
                key = (one.shot, front, one.identity)
                event = open_events.get(key)
                if event is None or one.frame - event["last_frame"] > 1:
                    event = {
                        "front": front,
                        "behind": one.identity,
                        "first_frame": one.frame,
                        "last_frame": one.frame,
                        "most": 0.0,
                    }
                    open_events[key] = event
                    events.append(event)
                event["last_frame"], event["most"] = one.frame, max(event["most"], round(float(share), 3))
    return events
