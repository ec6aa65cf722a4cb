"""When tracklets were in sight, and which of them together: two that are seen at one time are two persons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ufine_kit.filter.columns import Crops

# Beside a part of tracklets/ lie all tracked boxes, also of the frames of which no crop was kept.
_TRACKS = ".tracks.txt"
_HEAD = "# "


@dataclass(frozen=True)
class Tracklets:
    """The t tracklets of some crops, by video and then in order of time: first frame, last frame, name."""

    name: np.ndarray  # [t]
    video: np.ndarray  # number of the video, [t]; never falls
    first: np.ndarray  # frames in which it was in sight, [t]
    last: np.ndarray
    of_crop: np.ndarray  # place of every crop's tracklet, [n]

    def together(self, place: int, others: np.ndarray) -> np.ndarray:
        """Which of the tracklets at `others` [k] were in sight at the same time as the one at `place`, bool [k]."""
        return (
            (self.video[others] == self.video[place])
            & (self.first[others] <= self.last[place])
            & (self.last[others] >= self.first[place])
        )


def read_tracklets(crops: Crops, parts: Sequence[Path]) -> Tracklets:
    """Tracklets of crops, with their time in sight from the tracks beside the parts; from the crops where there are none."""
    seen = {key: span for part in parts for key, span in read_spans(part.with_suffix(_TRACKS)).items()}
    names, index, of_crop = np.unique(crops["tracklet"].astype(str), return_index=True, return_inverse=True)
    first, last = np.full(len(names), np.iinfo(np.int64).max), np.full(len(names), -1)
    np.minimum.at(first, of_crop, crops["frame"])
    np.maximum.at(last, of_crop, crops["frame"])
    videos = crops["video_sha256"][index]
    for i, (name, video, segment) in enumerate(zip(names, videos, crops["segment"][index], strict=True)):
        span = seen.get((video, int(segment), name.rpartition("-")[2]))
        if span is not None:
            first[i], last[i] = min(first[i], span[0]), max(last[i], span[1])
    number = {video: i for i, video in enumerate(dict.fromkeys(crops["video_sha256"].tolist()))}
    video = np.array([number[video] for video in videos], dtype=np.int64)
    order = np.lexsort((names, last, first, video))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Tracklets(names[order], video[order], first[order], last[order], place[of_crop])


def read_spans(path: Path) -> dict[tuple[str, int, str], tuple[int, int]]:
    """(video sha256, segment, local id) -> first and last frame, from 0, of a part's tracks; empty without the file."""
    if not path.is_file():
        return {}
    return _spans(path.read_text("utf-8").splitlines())


def _spans(lines: Iterable[str]) -> dict[tuple[str, int, str], tuple[int, int]]:
    found: dict[tuple[str, int, str], tuple[int, int]] = {}
    video, segment = "", 0
    for line in lines:
        if line.startswith(_HEAD):
            video, number, _ = line[len(_HEAD) :].split(" ", 2)
            segment = int(number)
            continue
        frame, identity, _ = line.split(",", 2)
        key, at = (video, segment, identity), int(frame) - 1  # MOT counts from 1
        first, last = found.get(key, (at, at))
        found[key] = (min(first, at), max(last, at))
    return found
