"""Where time goes on a GPU: decoding, letterboxing, detection and the whole path, each alone and then together.

python benchmarks/extract_gpu.py                         a random YOLO11n made on the spot, 1080p video drawn here
python benchmarks/extract_gpu.py --weights yolo11n.pt    your own network (its file is loaded: trust it)
python benchmarks/extract_gpu.py --device cpu --frames 60    a trial without a GPU
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np


def draw_video(path: Path, frames: int, size: tuple[int, int] = (1920, 1080)) -> Path:
    """A textured picture that glides, with dark figures on it: enough for a codec and a network to work on."""
    import av

    generator = np.random.default_rng(0)
    coarse = generator.integers(60, 200, (size[1] // 8 + 16, size[0] // 8 + 80, 3), dtype=np.uint8)
    wide = coarse.repeat(8, axis=0).repeat(8, axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        for i in range(frames):
            picture = wide[: size[1], 2 * (i % 240) : 2 * (i % 240) + size[0]].copy()
            for figure in range(8):
                x, y = (200 * figure + 5 * i) % (size[0] - 80), 100 + 90 * figure
                picture[y : y + 220, x : x + 80] = 20 + 25 * figure
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def random_network(folder: Path) -> Path:
    """A random YOLO11n whose boxes of class 0 are about half sure, so that there is something to track and cut."""
    import torch
    from ultralytics import YOLO

    torch.manual_seed(0)
    model = YOLO("yolo11n.yaml")
    for branch in model.model.model[-1].cv3:
        branch[-1].bias.data[0] += 10.0
    model.save(folder / "random11n.pt")
    return folder / "random11n.pt"


def frames_a_second(count: int, act: Callable[[], object]) -> float:
    """`count` over the time that `act` takes."""
    began = time.perf_counter()
    act()
    return round(count / (time.perf_counter() - began), 1)


def repeated_for_seconds(detector: Callable[[Iterator[Any]], Iterator[Any]], held: list[Any], seconds: float) -> float:
    """Frames a second of a detector fed from memory."""
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        count += sum(1 for _ in detector(iter(held)))
    return round(count / (time.perf_counter() - began), 1)


def watched() -> dict[str, float]:
    """CPU seconds by thread name from here on, for threads that run ahead."""
    from ufine_kit.extract import ahead

    spent: dict[str, float] = defaultdict(float)
    work = ahead._work

    def timed(*given: Any) -> None:
        began = time.thread_time()
        work(*given)
        spent[threading.current_thread().name] += time.thread_time() - began

    ahead._work = timed
    return spent


def measure(video: Path, weights: Path, device: str, batches: list[int], threads: int) -> dict[str, Any]:
    """All figures of one video and network."""
    from ufine_kit.engine import Job
    from ufine_kit.extract.decode import Reading, Stretch, read_frames
    from ufine_kit.extract.detect import open_detector
    from ufine_kit.extract.heads import Head, fit_of, letterbox
    from ufine_kit.extract.plan import plan_videos
    from ufine_kit.extract.stage import open_extract
    from ufine_kit.tables import ExtractTable

    def read() -> Iterator[Any]:
        return read_frames(video, Stretch(), None, threads, Reading())

    count = sum(1 for _ in read())
    held = [frame for frame, _ in zip(read(), range(64), strict=False)]
    head, target = Head("yolo", 640, 640), np.empty((640, 640, 3), np.uint8)
    found: dict[str, Any] = {"frames": count, "decode_fps": frames_a_second(count, lambda: sum(1 for _ in read()))}
    found["letterbox_fps"] = frames_a_second(
        len(held), lambda: [letterbox(frame, fit_of(frame, head), target) for frame in held]
    )
    spent = watched()
    for batch in batches:
        table = ExtractTable(
            detector="yolo", device=device, batch=batch, detect_confidence=0.7, max_boxes=20, decode_threads=threads
        )
        wanted = plan_videos([video], table, video.parent / "none", weights, trust_weights=True)
        dumped = table.model_dump(mode="json")
        detector, step = open_detector(dumped, wanted.paths), open_extract(dumped)
        for _ in detector(iter(held[:batch])):
            pass  # the first batch loads kernels
        detect_fps = repeated_for_seconds(detector, held, 10.0)
        for _ in step(Job("part-00000", wanted.entries[0].rows, {}, wanted.paths)):
            pass
        spent.clear()
        main, began = time.thread_time(), time.perf_counter()
        crops = sum(1 for _ in step(Job("part-00000", wanted.entries[0].rows, {}, wanted.paths)))
        wall = time.perf_counter() - began
        found[f"batch_{batch}"] = {
            "detect_alone_fps": detect_fps, "end_to_end_fps": round(count / wall, 1), "crops": crops,
            "share_of_detector": round(count / wall / detect_fps, 3),
            "busy_share_by_thread": {
                "track and crop": round((time.thread_time() - main) / wall, 3),
                **{name: round(seconds / wall, 3) for name, seconds in spent.items()},
            },
        }  # fmt: skip
    return found


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--frames", type=int, default=1200)
    parser.add_argument("--batches", default="8,16,32")
    parser.add_argument("--decode-threads", type=int, default=4)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    import torch

    if asked.device.startswith("cuda") and not torch.cuda.is_available():
        raise SystemExit("no CUDA device: add --device cpu --frames 60 for a trial")
    with tempfile.TemporaryDirectory() as place:
        video = draw_video(Path(place) / "drawn.mp4", asked.frames)
        weights = asked.weights or random_network(Path(place))
        batches = [int(word) for word in asked.batches.split(",")]
        figures = measure(video, weights, asked.device, batches, asked.decode_threads)
    name = torch.cuda.get_device_name() if asked.device.startswith("cuda") else "cpu"
    record = {"benchmark": "extract_gpu", "device": name, "torch": torch.__version__, **figures}
    text = json.dumps(record, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
