"""Text in the layout of the MOT challenges: given detections and tracks read, tracks written, `seqinfo.ini` read."""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ufine_kit.errors import BadInput

# Columns of the boxes that the whole stage passes around.
X, Y, W, H, CONFIDENCE, ID = range(6)


@dataclass(frozen=True)
class BoxFile:
    """Boxes of one video by frame (counted from 0): float64 [n, 6] of x, y, w, h, confidence, id; id -1 where none is given."""

    by_frame: dict[int, np.ndarray]
    last_frame_of_id: dict[int, int]
    highest_id: int

    @property
    def last_frame(self) -> int:
        """The last frame that has a box, from 0; -1 without any."""
        return max(self.by_frame, default=-1)

    def at(self, frame: int) -> np.ndarray:
        """The boxes of one frame, [n, 6]."""
        return self.by_frame.get(frame, np.zeros((0, 6)))


NO_BOXES = BoxFile({}, {}, -1)


def read_boxes(path: Path) -> BoxFile:
    """Read `frame,id,x,y,w,h,confidence,...` with frames from 1; a negative confidence counts as 1. Spaces or commas.

    Raises BadInput that names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"cannot read boxes `{path.name}`: {error}", "give a text file in MOT format to --weights"
        ) from None
    rows = [_parsed(line, path, number) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    table = np.array(rows).reshape(-1, 7)
    table = table[np.argsort(table[:, 0], kind="stable")]
    frames, starts = np.unique(table[:, 0].astype(int), return_index=True)
    groups = np.split(table[:, 1:], starts[1:])
    last = {int(number): int(frame) - 1 for frame, number in table[:, [0, 6]] if number >= 0}
    by_frame = {int(frame) - 1: group for frame, group in zip(frames, groups, strict=False)}
    return BoxFile(by_frame, last, max(last, default=-1))


def _parsed(line: str, path: Path, number: int) -> list[float]:
    fields = line.replace(",", " ").split()
    try:
        frame, identity, x, y, w, h = (float(field) for field in fields[:6])
        confidence = float(fields[6]) if len(fields) > 6 else 1.0
    except ValueError:
        frame = confidence = identity = x = y = w = h = float("nan")
    if not np.isfinite([frame, identity, x, y, w, h, confidence]).all() or frame < 1 or w <= 0 or h <= 0:
        raise BadInput(
            f"line {number} of `{path.name}` is no box: `{line[:60]}`",
            "write frame,id,x,y,w,h,confidence with frames from 1 and sizes above 0",
        )
    return [frame, x, y, w, h, confidence if confidence >= 0 else 1.0, identity]


def format_box(frame: int, identity: int, box: np.ndarray) -> str:
    """One line of a track file; `frame` counts from 0 here and from 1 in the file."""
    x, y, w, h, confidence = (float(value) for value in box[:5])
    return f"{frame + 1},{identity},{x:.2f},{y:.2f},{w:.2f},{h:.2f},{confidence:.4f},-1,-1,-1"


@dataclass(frozen=True)
class SequenceInfo:
    """What `seqinfo.ini` says of an image sequence."""

    fps: float
    length: int
    width: int
    height: int
    image_folder: str
    image_suffix: str


def read_seqinfo(folder: Path) -> SequenceInfo:
    """Read `seqinfo.ini` of a folder in MOT layout. Raises BadInput where it is missing or lacks a number."""
    path = folder / "seqinfo.ini"
    parser = configparser.ConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        found = parser["Sequence"]
        return SequenceInfo(
            float(found["frameRate"]), int(found["seqLength"]), int(found["imWidth"]), int(found["imHeight"]),
            found.get("imDir", "img1"), found.get("imExt", ".jpg"),
        )  # fmt: skip
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError, ValueError) as error:
        raise BadInput(
            f"`{folder.name}` has no usable seqinfo.ini: {error}",
            "give it [Sequence] frameRate, seqLength, imWidth, imHeight",
        ) from None
