"""Videos and image sequences as frames: upright, with true timestamps, going on where packets are broken."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ufine_kit import crash
from ufine_kit.errors import BadInput, need
from ufine_kit.extract.frames import Frame
from ufine_kit.extract.mot import SequenceInfo, read_seqinfo
from ufine_kit.rows import SYNTHETIC_MARK

if TYPE_CHECKING:
    import av
    import av.container

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_MEND = "check the file with `ffprobe`, or leave it out"


@dataclass
class Reading:
    """What came of reading one segment: filled while its frames are taken."""

    decoded: int = 0
    used: int = 0
    broken_packets: int = 0
    expected: int = 0
    expected_seconds: float = 0.0
    seconds: float = 0.0
    synthetic: bool = False
    notes: list[str] = field(default_factory=list[str])

    def facts(self) -> dict[str, Any]:
        """For the part's JSON."""
        facts = {"frames_decoded": self.decoded, "frames_used": self.used, "seconds_read": round(self.seconds, 3)}
        return facts | ({"broken_packets": self.broken_packets} if self.broken_packets else {})


@dataclass(frozen=True)
class Stretch:
    """Which frames of a video to read: from `first_frame` at `first_pts` up to, not including, `end_pts`; null: all."""

    first_frame: int = 0
    first_pts: int | None = None
    end_frame: int | None = None
    end_pts: int | None = None


def read_frames(path: Path, stretch: Stretch, fps: float | None, threads: int, said: Reading) -> Iterator[Frame]:
    """Frames of a video file or an image-sequence folder, at most `fps` of them a second.

    Broken packets are skipped and counted in `said`. Raises BadInput where not one frame can be had.
    """
    frames = read_images(path, stretch, said) if path.is_dir() else read_video(path, stretch, threads, said)
    taken = -1
    for frame in frames:
        crash.point("extract.decode")
        if fps is not None:
            slot = int(frame.seconds * fps + 1e-6)
            if slot == taken:
                continue
            taken = slot
        said.used += 1
        yield frame
    if not said.decoded:
        raise BadInput("no frame could be decoded" + "".join(f"; {note}" for note in said.notes), _MEND)


# --- video files ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(path: Path) -> Generator[tuple[av.container.InputContainer, av.VideoStream]]:
    """The container and its first video stream. Raises BadInput for what is no video."""
    av = need("av", "extract")
    if path.stat().st_size == 0:
        raise BadInput("zero bytes", _MEND)
    try:
        container = av.open(str(path), metadata_errors="ignore")
    except (av.FFmpegError, OSError) as error:
        raise BadInput(f"not a video that FFmpeg reads: {_plain(error)}", _MEND) from None
    with container:
        # A cover picture in a music file is a video stream of one attached picture: not footage.
        streams = [stream for stream in container.streams.video if not stream.disposition & _attached_picture(av)]
        if not streams:
            raise BadInput("no video stream (audio only?)", _MEND)
        yield container, streams[0]


def _attached_picture(av: Any) -> int:
    return int(av.stream.Disposition.attached_pic)


def _plain(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).split(":")[0].strip().lower()


def read_video(path: Path, stretch: Stretch, threads: int, said: Reading) -> Iterator[Frame]:
    """Decoded frames in the order of showing. Frames are numbered as they decode, on from `stretch.first_frame`."""
    with opened(path) as (container, stream):
        said.synthetic = container.metadata.get("comment") == SYNTHETIC_MARK
        context = stream.codec_context
        context.thread_count = threads
        context.thread_type = "AUTO" if threads != 1 else "NONE"
        said.expected = stretch.end_frame - stretch.first_frame if stretch.end_frame else _promised(stream)
        said.expected_seconds = float((stream.duration or 0) * (stream.time_base or 0))
        if stretch.first_pts is not None:
            container.seek(stretch.first_pts, stream=stream, backward=True)
        clock = _Clock(stream, stretch)
        for picture in _pictures(container, stream, said):
            if clock.before(picture):
                continue
            if clock.past(picture):
                break
            said.decoded += 1
            frame = _frame(picture, stretch.first_frame + said.decoded - 1, clock)
            said.seconds = frame.seconds
            yield frame
    _note_shortfall(said, stretch)


def _frame(picture: av.VideoFrame, index: int, clock: _Clock) -> Frame:
    turns = round(picture.rotation / 90) % 4
    width, height = (picture.height, picture.width) if turns % 2 else (picture.width, picture.height)
    return Frame(index, clock.seconds(picture, index), width, height, picture, turns)


class _Clock:
    """Timestamps of a stream: seconds from its start, and whether a picture lies inside the stretch."""

    def __init__(self, stream: av.VideoStream, stretch: Stretch) -> None:
        self._base = float(stream.time_base or 0)
        self._start = stream.start_time or 0
        self._rate = float(stream.average_rate or stream.guessed_rate or 25)
        self._stretch = stretch

    def before(self, picture: av.VideoFrame) -> bool:
        first = self._stretch.first_pts
        return first is not None and picture.pts is not None and picture.pts < first

    def past(self, picture: av.VideoFrame) -> bool:
        end = self._stretch.end_pts
        return end is not None and picture.pts is not None and picture.pts >= end

    def seconds(self, picture: av.VideoFrame, index: int) -> float:
        """The true time; only where the container keeps none, the frame's number over the mean rate."""
        if picture.pts is None or not self._base:
            return index / self._rate
        return (picture.pts - self._start) * self._base


def _pictures(container: av.container.InputContainer, stream: av.VideoStream, said: Reading) -> Iterator[av.VideoFrame]:
    from av.error import FFmpegError

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except (FFmpegError, OSError) as error:
            said.notes.append(f"reading stopped: {_plain(error)}")
            yield from _drained(stream)
            break
        try:
            pictures = packet.decode()
        except FFmpegError:
            said.broken_packets += 1
            continue
        yield from pictures


def _drained(stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    from av.error import FFmpegError

    with contextlib.suppress(FFmpegError, EOFError):
        yield from stream.codec_context.decode(None)


def _promised(stream: av.VideoStream) -> int:
    if stream.frames:
        return int(stream.frames)
    if stream.duration and stream.time_base and stream.average_rate:
        return int(stream.duration * stream.time_base * stream.average_rate)
    return 0


def _note_shortfall(said: Reading, stretch: Stretch) -> None:
    if said.broken_packets:
        said.notes.append(f"{said.broken_packets} broken packets skipped")
    if stretch.end_pts is not None or not said.expected:
        return
    # Containers round both their counts and their lengths, and some count frames that were never there: more than one in
    # a hundred missing by both is a loss that must be told.
    late = said.expected_seconds and said.seconds > 0.99 * said.expected_seconds - 1
    if said.decoded < 0.99 * said.expected - 1 and not late:
        said.notes.append(f"ends early: {said.decoded} of {said.expected} frames read")


# --- image sequences --------------------------------------------------------------------------------------------------


def image_files(folder: Path) -> tuple[list[Path], float]:
    """The pictures of a sequence folder in the order of their names, and their frames a second (25 without seqinfo.ini)."""
    info = sequence_info(folder)
    inner = folder / (info.image_folder if info else "img1")
    inner = inner if inner.is_dir() else folder
    return sorted(path for path in inner.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES), info.fps if info else 25.0


def sequence_info(folder: Path) -> SequenceInfo | None:
    """`seqinfo.ini` of a folder, if there is one."""
    return read_seqinfo(folder) if (folder / "seqinfo.ini").exists() else None


def read_images(folder: Path, stretch: Stretch, said: Reading) -> Iterator[Frame]:
    """Frames of an image sequence. A picture that does not decode is skipped and counted; its number stays its own."""
    av = need("av", "extract")
    from ufine_kit.dataset.look import load_rgb

    files, fps = image_files(folder)
    end = len(files) if stretch.end_frame is None else stretch.end_frame
    for index in range(stretch.first_frame, min(end, len(files))):
        rgb = load_rgb(files[index])
        if rgb is None:
            said.broken_packets += 1
            continue
        said.decoded += 1
        said.seconds = index / fps
        height, width = rgb.shape[:2]
        yield Frame(index, index / fps, width, height, av.VideoFrame.from_ndarray(rgb, format="rgb24"))
    if said.broken_packets:
        said.notes.append(f"{said.broken_packets} pictures do not decode and were skipped")


# --- frames without pictures --------------------------------------------------------------------------------------------


def count_frames(path: Path, stretch: Stretch, last_frame: int, said: Reading) -> Iterator[Frame]:
    """Frames as mere numbers, for tracking from given boxes: as many as `seqinfo.ini` says, or up to the last box."""
    fps = frame_rate(path)
    info = sequence_info(path) if path.is_dir() else None
    width, height = (info.width, info.height) if info else frame_size(path)
    end = stretch.end_frame or max(last_frame + 1, info.length if info else 0)
    for index in range(stretch.first_frame, end):
        crash.point("extract.decode")
        said.decoded += 1
        said.used += 1
        said.seconds = index / fps
        yield Frame(index, index / fps, width, height)


def frame_rate(path: Path) -> float:
    """Frames a second of a video or image sequence, on average. Raises BadInput for what is no video."""
    if path.is_dir():
        return image_files(path)[1]
    with opened(path) as (_, stream):
        return float(stream.average_rate or stream.guessed_rate or 25)


def frames_promised(path: Path) -> int:
    """Frames of a video as its container has it, 0 where it does not say. Raises BadInput for what is no video."""
    with opened(path) as (_, stream):
        return _promised(stream)


def frame_size(path: Path) -> tuple[int, int]:
    """Width and height of the upright picture. Raises BadInput where no frame can be decoded."""
    frame = next(
        read_images(path, Stretch(), Reading()) if path.is_dir() else read_video(path, Stretch(), 1, Reading()), None
    )
    if frame is None:
        raise BadInput("no frame could be decoded", _MEND)
    return frame.width, frame.height


# --- looking at a container without decoding ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Index:
    """Packets of a video: timestamps in the order of showing, and which frames (numbers) open a group of pictures."""

    pts: list[int]
    keyframes: list[int]
    seconds_per_tick: float
    start_pts: int

    def seconds(self, frame: int) -> float:
        return (self.pts[frame] - self.start_pts) * self.seconds_per_tick

    @property
    def duration_seconds(self) -> float:
        """From the first to the last frame."""
        return self.seconds(len(self.pts) - 1) if self.pts else 0.0


def index_video(path: Path) -> Index:
    """Read the packets' timestamps of a video, not its pictures. Raises BadInput for what is no video."""
    av = need("av", "extract")
    pts: list[int] = []
    keys: set[int] = set()
    with opened(path) as (container, stream):
        with contextlib.suppress(av.FFmpegError, OSError):
            for packet in container.demux(stream):
                if packet.pts is None or packet.is_discard:
                    continue
                pts.append(packet.pts)
                if packet.is_keyframe:
                    keys.add(packet.pts)
        base, start = float(stream.time_base or 0), stream.start_time or 0
    pts.sort()
    return Index(pts, [i for i, value in enumerate(pts) if value in keys], base, start)
