"""Tiny videos made at test time: coloured figures that walk over a grey picture, with the boxes they fill."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

COLOURS = ((200, 40, 40), (40, 160, 60), (40, 60, 200), (220, 200, 40))
FIGURE = (16, 40)  # width, height of a walker


def box_of(walker: int, frame: int, width: int = 160) -> tuple[int, int, int, int]:
    """x, y, w, h of a walker in a frame: each on a lane of its own, 2 pixels a frame, coming back at the border."""
    w, h = FIGURE
    room = width - w
    x = (10 + 30 * walker + 2 * frame) % (2 * room)
    return (x if x < room else 2 * room - x), 4 + 10 * walker, w, h


def picture(frame: int, walkers: int, size: tuple[int, int] = (160, 120), shade: int = 110) -> np.ndarray:
    """One frame, uint8 [H, W, 3]."""
    width, height = size
    rgb = np.full((height, width, 3), shade, dtype=np.uint8)
    for walker in reversed(range(walkers)):
        x, y, w, h = box_of(walker, frame, width)
        body = rgb[y : y + h, x : x + w]
        body[:] = COLOURS[walker % len(COLOURS)]
        body[: h // 4, 4:-4] = (230, 190, 160)
        body[h // 2 :: 6] = (20, 20, 20)
    return rgb


def write_video(
    path: Path,
    pictures: Iterable[np.ndarray],
    times: Callable[[int], int] | None = None,
    fps: int = 10,
    codec: str = "mpeg4",
    key_every: int = 12,
    **options: str,
) -> Path:
    """Encode pictures; `times` gives the timestamp of frame i in milliseconds (default: even steps of 1/fps)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=options) as container:
        stream = None
        for i, rgb in enumerate(pictures):
            if stream is None:
                stream = container.add_stream(codec, rate=fps)
                stream.width, stream.height = rgb.shape[1], rgb.shape[0]
                stream.pix_fmt = "yuv420p"
                stream.bit_rate = 4_000_000
                stream.codec_context.gop_size = key_every
                stream.codec_context.time_base = Fraction(1, 1000)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts = times(i) if times else round(i * 1000 / fps)
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode())
    return path


def walk(frames: int, walkers: int = 2, **how: int) -> Iterator[np.ndarray]:
    """Pictures of walkers in one shot."""
    return (picture(i, walkers, **how) for i in range(frames))


def write_boxes(path: Path, frames: int, walkers: int = 2, first_id: int = 1, confidence: float = 0.9) -> Path:
    """The walkers' boxes in MOT format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{frame + 1},{first_id + walker},{','.join(map(str, box_of(walker, frame)))},{confidence},-1,-1,-1\n"
        for frame in range(frames)
        for walker in range(walkers)
    ]
    path.write_text("".join(lines))
    return path


def rotate_by_metadata(path: Path, degrees: int) -> None:
    """Write a display matrix into the track header of an MP4, as a phone held upright does."""
    content = bytearray(path.read_bytes())
    matrix = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    at = content.index(b"tkhd") + 4 + 40  # version 0: the matrix stands 40 bytes into the box
    a, b, c, d = (value * 65536 for value in matrix)
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(content)
