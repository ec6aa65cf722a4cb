"""One video file: the frames of a plan encoded as H.264, the same bytes on every run of one machine."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from ufine_kit.errors import KitError, need
from ufine_kit.rows import SYNTHETIC_MARK

# Without the last two, x264's macroblock tree gives other bytes from run to run, by where its buffers happen to lie.
X264 = "threads=1:sliced-threads=0:cpu-independent=1:mbtree=0"
OPTIONS = {"crf": "19", "preset": "veryfast", "threads": "1", "x264-params": X264}


def write_video(path: Path, frames: Iterable[np.ndarray], width: int, height: int, fps: int) -> int:
    """Encode frames [H, W, 3] uint8; returns how many. One encoder thread: the bytes do not hang on the number of cores."""
    if width % 2 or height % 2:
        raise KitError(
            f"a video of {width}x{height} cannot be H.264 with 4:2:0 colour", "give an even width and height"
        )
    av = need("av", "world")
    count = 0
    with av.open(str(path), "w", format="mp4") as container:
        container.metadata["comment"] = SYNTHETIC_MARK
        stream = container.add_stream("libx264", rate=fps, options=OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, fps)
        for image in frames:
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = count, Fraction(1, fps)
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode())
    return count
