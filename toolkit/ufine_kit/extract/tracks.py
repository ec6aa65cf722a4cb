"""Track files: what a part says of its tracked boxes, and the join of all parts into `tracks/<video stem>.txt`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from ufine_kit import parts
from ufine_kit.extract.mot import ID, format_box
from ufine_kit.extract.track import Tracked
from ufine_kit.files import make_folder, write_bytes

ATTACHMENT = "tracks.txt"
# Ids in a joined file: segment * this + local id, so that they are unique in the video and lead back to the tracklet.
SEGMENT_STRIDE = 1_000_000
_HEAD = "# "


class TrackLines:
    """Lines of one part: a heading for every segment, then its boxes in MOT format with local ids."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def begin(self, video_sha256: str, segment: int, video: str) -> None:
        """From here on the boxes of that segment."""
        self._lines.append(f"{_HEAD}{video_sha256} {segment} {video}")

    def add(self, item: Tracked) -> None:
        """The boxes of one frame, by id."""
        for box in item.boxes[item.boxes[:, ID].argsort(kind="stable")]:
            self._lines.append(format_box(item.frame.index, int(box[ID]), box))

    def bytes(self) -> bytes:
        """The attachment."""
        return "".join(f"{line}\n" for line in self._lines).encode()


def join_tracks(folder: Path) -> list[Path]:
    """Write `tracks/<video stem>.txt` for every video of the finished parts in a stage folder; returns the files.

    Where two videos share a stem, the first eight digits of the video's sha256 are added to both names.
    """
    segments: dict[str, dict[int, list[str]]] = defaultdict(dict)
    names: dict[str, str] = {}
    for done in parts.done_parts(folder):
        if ATTACHMENT not in done.attachments:
            continue
        for sha256, number, video, lines in _sections((folder / f"{done.part}.{ATTACHMENT}").read_text("utf-8")):
            segments[sha256][number] = lines
            names[sha256] = video
    stems = track_names(names.items())
    written: list[Path] = []
    for sha256, by_number in segments.items():
        lines = [_global(line, number) for number in sorted(by_number) for line in by_number[number]]
        path = make_folder(folder / "tracks") / stems[sha256]
        write_bytes(path, "".join(f"{line}\n" for line in lines).encode())
        written.append(path)
    return sorted(written)


def track_names(videos: Iterable[tuple[str, str]]) -> dict[str, str]:
    """File name of the tracks of each video, by sha256, from pairs of sha256 and video name."""
    stems = {sha256: _stem(name) for sha256, name in videos}
    shared = Counter(stem.casefold() for stem in stems.values())
    return {
        sha256: f"{stem}.txt" if shared[stem.casefold()] == 1 else f"{stem}-{sha256[:8]}.txt"
        for sha256, stem in stems.items()
    }


def _stem(name: str) -> str:
    from ufine_kit.extract.inputs import VIDEO_SUFFIXES

    path = Path(name)
    return path.stem if path.suffix.lower() in VIDEO_SUFFIXES else path.name


def _sections(text: str) -> list[tuple[str, int, str, list[str]]]:
    found: list[tuple[str, int, str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith(_HEAD):
            sha256, number, video = line[len(_HEAD) :].split(" ", 2)
            found.append((sha256, int(number), video, []))
        else:
            found[-1][3].append(line)
    return found


def _global(line: str, segment: int) -> str:
    frame, identity, rest = line.split(",", 2)
    return f"{frame},{segment * SEGMENT_STRIDE + int(identity)},{rest}"
