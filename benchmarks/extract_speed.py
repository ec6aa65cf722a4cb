"""Extraction speed and memory side by side: ours beside ultralytics' own track loop, a serial loop, and the bare detector.

Every side runs in a process of its own on the same two threads and weights. In a round each runs once, the next round goes
the other way round; a ratio is the median over the rounds of ours to the other's in that round, so that a machine that is
busy now and idle then does not decide. Figures are taken after a warm-up pass. CPU milliseconds a frame are of all threads;
beside frames/s they show what a busy machine hides: on a machine with nothing else to do their ratio is about the other.

The YOLO11n is random: made on the spot, its confidence set so that about ten boxes a frame pass, capped at ten. Frames/s of
random boxes say nothing about accuracy. The bare detector runs the very network that ours compiles, at the same size; the
other sides run it as it was exported. Ours gives YOLOX the video's proportions; the YOLO export is bound to its square.

    python benchmarks/extract_speed.py yolo --rounds 3      ours / ultralytics >= 1.6, ours / bare detector >= 0.9
    python benchmarks/extract_speed.py serial --rounds 3    ours / serial loop with YOLOX-nano >= 1.4
    python benchmarks/extract_speed.py flat                 resident memory, minute 2 to minute 30 of a looped video, <= 1.10
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(os.environ.get("UFINE_DATA", Path(__file__).parents[2] / "shared" / "data"))
VIDEO = DATA / "pets09-s2l1" / "vtest_480x360_h264.mp4"
YOLOX = DATA / "det-models" / "yolox_nano.onnx"
THREADS, CAP = 2, 10
GATES = {"yolo": {"ours/ultralytics": 1.6, "ours/bare": 0.9}, "serial": {"ours/serial": 1.4}}


# --- the sides: each prints one JSON object ---------------------------------------------------------------------------


def ours(kind: str, weights: Path, video: Path, place: Path, confidence: float) -> dict[str, float]:
    """The stage as the command runs it, Parquet and all, with ByteTrack as on the other sides; a first pass warms up."""
    from ufine_kit import pipeline
    from ufine_kit.extract.plan import plan_videos
    from ufine_kit.recipe import Recipe
    from ufine_kit.tables import ExtractTable

    table = ExtractTable(
        detector=kind, tracker="byte", tracker_preset="library", detect_confidence=confidence, max_boxes=CAP,
        segment_seconds=36000.0,
    )  # fmt: skip

    def run(inputs: Path, work: Path) -> int:
        wanted = plan_videos([inputs], table, work / "tracklets", weights)
        plan = pipeline.plan("tracklets", work, Recipe(extract=table), wanted.entries, wanted.paths)
        outcome = pipeline.run(plan, "local", 1, lambda _: None)
        assert not outcome.failed, outcome.failed
        return outcome.rows

    run(place / "warm.mp4", place / "warm")
    began, cpu = time.perf_counter(), time.process_time()
    crops = run(video, place / "work")
    return _figures(began, cpu, frames_of(video), crops)


def bare(kind: str, weights: Path, video: Path, place: Path, confidence: float) -> dict[str, float]:
    """The detector alone: letterboxed pictures from memory, asynchronous, outputs thrown away."""
    from ufine_kit.extract.decode import Reading, Stretch, frame_size, read_frames
    from ufine_kit.extract.detect import open_export

    network, head = open_export(weights, "auto", frame_size(video))
    pictures = [boxed(frame, head) for frame in read_frames(video, Stretch(), 1.0, 1, Reading())]
    count = frames_of(video)

    def run(total: int) -> None:
        waiting: deque[Callable[[], Any]] = deque()
        for i in range(total):
            picture = pictures[i % len(pictures)]
            waiting.append(network.begin(partial(np.copyto, src=picture), lambda output: output.shape))
            if len(waiting) == network.in_flight:
                waiting.popleft()()
        while waiting:
            waiting.popleft()()

    run(10)
    began, cpu = time.perf_counter(), time.process_time()
    run(count)
    return _figures(began, cpu, count, 0)


def ultralytics(kind: str, weights: Path, video: Path, place: Path, confidence: float) -> dict[str, float]:
    """`YOLO.track` with streaming and crop saving (`kind` says whether), its own ByteTrack."""
    from ultralytics import YOLO

    model = YOLO(str(weights), task="detect")
    how: dict[str, Any] = {
        "stream": True, "conf": confidence, "max_det": CAP, "classes": [0], "tracker": "bytetrack.yaml", "verbose": False,
        "save_crop": kind == "crops", "project": str(place / "runs"), "device": "cpu", "imgsz": 640,
    }  # fmt: skip
    for _ in model.track(str(place / "warm.mp4"), **how):
        pass
    began, cpu, boxes = time.perf_counter(), time.process_time(), 0
    for result in model.track(str(video), **how):
        boxes += 0 if result.boxes is None or result.boxes.id is None else len(result.boxes.id)
    return _figures(began, cpu, frames_of(video), boxes)


def serial(kind: str, weights: Path, video: Path, place: Path, confidence: float) -> dict[str, float]:
    """What one would write in an afternoon: decode, detect, track and encode each frame, one after the other."""
    import av
    import cv2
    import openvino as ov
    from boxmot.trackers.registry import create_tracker

    from ufine_kit.extract.heads import Fit, Limits, boxes_of, head_of

    core = ov.Core()
    core.set_property("CPU", {"INFERENCE_NUM_THREADS": THREADS})
    network = core.read_model(str(weights))
    head = head_of(list(network.input(0).shape), list(network.output(0).shape))
    compiled = core.compile_model(network, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    limits = Limits(0, confidence, 0.65, CAP)

    def run(path: Path) -> int:
        tracker, crops = create_tracker("bytetrack"), 0
        with av.open(str(path)) as container:
            for frame in container.decode(container.streams.video[0]):
                picture = frame.to_ndarray(format="bgr24")
                scale = min(head.width / picture.shape[1], head.height / picture.shape[0])
                small = cv2.resize(picture, (round(picture.shape[1] * scale), round(picture.shape[0] * scale)))
                boxed = np.full((head.height, head.width, 3), 114, np.uint8)
                boxed[: small.shape[0], : small.shape[1]] = small
                given = np.ascontiguousarray(boxed.transpose(2, 0, 1)[None], dtype=np.float32)
                found = boxes_of(compiled(given)[0], head, Fit(scale, 0, 0), limits)
                rows = np.zeros((len(found), 6), np.float32)
                rows[:, :2], rows[:, 2:4], rows[:, 4] = found[:, :2], found[:, :2] + found[:, 2:4], found[:, 4]
                for x1, y1, x2, y2, *_ in np.asarray(tracker.update(rows, picture)).astype(int):
                    crop = picture[max(y1, 0) : y2, max(x1, 0) : x2]
                    if crop.size:
                        crops += len(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])[1]) > 0
        return crops

    run(place / "warm.mp4")
    began, cpu = time.perf_counter(), time.process_time()
    crops = run(video)
    return _figures(began, cpu, frames_of(video), crops)


def flat(kind: str, weights: Path, video: Path, place: Path, confidence: float) -> dict[str, float]:
    """Resident memory at every minute of a long video that is one part: given boxes, so that the minutes pass quickly."""
    from ufine_kit.engine import Job
    from ufine_kit.extract.plan import plan_videos
    from ufine_kit.extract.stage import open_extract
    from ufine_kit.tables import ExtractTable

    table = ExtractTable(detector="file", tracker=kind, segment_seconds=36000.0)
    wanted = plan_videos([video], table, place / "plan", weights)
    job = Job("part-00000", wanted.entries[0].rows, {}, wanted.paths)
    fps, at_minute = 10, {}
    done = threading.Event()
    seen = _count_frames(job)

    def watch() -> None:
        while not done.wait(0.05):
            at_minute.setdefault(seen() // (60 * fps), _resident_mib())

    watcher = threading.Thread(target=watch)
    watcher.start()
    rows = sum(1 for _ in open_extract(table.model_dump(mode="json"))(job))
    done.set()
    watcher.join()
    minutes = [at_minute[m] for m in sorted(at_minute) if 2 <= m <= 30]
    return {"crops": rows, "mib_minute_2": minutes[0], "mib_peak_after": max(minutes), "minutes": len(minutes)}


def _count_frames(job: Any) -> Callable[[], int]:
    from ufine_kit.extract import tracks

    last = [0]
    add = tracks.TrackLines.add

    def counting(self: Any, item: Any) -> None:
        last[0] = item.frame.index
        add(self, item)

    tracks.TrackLines.add = counting
    return lambda: last[0]


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def _figures(began: float, cpu: float, frames: int, found: int) -> dict[str, float]:
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    # The kernel's ru_maxrss begins at what the parent held when it started this process: VmHWM is this one's own.
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    return {
        "fps": round(frames / wall, 2), "cpu_ms_a_frame": round(1000 * used / frames, 2), "peak_mib": round(peak, 1),
        "found": found, "frames": frames,
    }  # fmt: skip


def about(*distributions: str) -> dict[str, Any]:
    """What a record says of the run: commit, machine, load before it, versions."""
    root = Path(__file__).parents[1]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return {
        "commit": head.stdout.strip(),
        "machine": {"cpu": cpu, "cores": os.cpu_count(), "system": platform.platform()},
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in distributions}},
    }


# --- material ----------------------------------------------------------------------------------------------------------


def frames_of(video: Path) -> int:
    """Packets of a video."""
    from ufine_kit.extract.decode import index_video

    return len(index_video(video).pts)


def remux(source: Path, target: Path, frames: int) -> Path:
    """The source's packets, again and again until there are `frames` of them, with timestamps that go on."""
    import av

    with av.open(str(target), "w") as out:
        stream = shift = written = 0
        while written < frames:
            with av.open(str(source)) as container:
                given = container.streams.video[0]
                stream = stream or out.add_stream_from_template(given)
                last = 0
                for packet in container.demux(given):
                    if packet.pts is None or written == frames:
                        continue
                    last = max(last, packet.pts + (packet.duration or 1))
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = stream
                    out.mux(packet)
                    written += 1
                shift += last
    return target


def random_yolo(place: Path, video: Path) -> tuple[Path, float]:
    """A random YOLO11n as an OpenVINO export, and the confidence that about ten of its boxes a frame pass."""
    import torch
    from ultralytics import YOLO

    torch.manual_seed(0)
    model = YOLO("yolo11n.yaml")
    for branch in model.model.model[-1].cv3:
        branch[-1].bias.data[0] += 10.0  # from about 0.0003 to about 0.8, where both trackers take boxes for persons
    model.save(place / "random11n.pt")
    exported = Path(YOLO(place / "random11n.pt").export(format="openvino", imgsz=640, verbose=False))
    from ufine_kit.extract.decode import Reading, Stretch, read_frames
    from ufine_kit.extract.detect import open_export

    network, head = open_export(exported, "auto", None)
    frames: Iterator[Any] = read_frames(video, Stretch(), 1.0, 1, Reading())
    tops = [
        network.begin(partial(np.copyto, src=boxed(f, head)), lambda output: float(np.sort(output[0, 4])[-40]))()
        for f, _ in zip(frames, range(5), strict=False)
    ]
    return exported, round(float(np.median(tops)), 5)


def boxed(frame: Any, head: Any) -> np.ndarray:
    """A frame as the network takes it."""
    from ufine_kit.extract.heads import fit_of, letterbox

    target = np.empty((head.height, head.width, 3), dtype=np.uint8)
    letterbox(frame, fit_of(frame, head), target)
    return target


# --- running the sides -------------------------------------------------------------------------------------------------


def side(name: str, kind: str, weights: Path, video: Path, place: Path, confidence: float) -> dict[str, float]:
    """One side in a process of its own."""
    with tempfile.TemporaryDirectory(dir=place) as own:
        (Path(own) / "warm.mp4").symlink_to(place / "warm.mp4")
        words = [name, kind, str(weights), str(video), own, str(confidence)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "YOLO_OFFLINE": "true", "YOLO_VERBOSE": "false"}
        done = subprocess.run(
            [sys.executable, __file__, "side", *words], capture_output=True, text=True, env=environment, check=False
        )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def compare(what: str, rounds: int, frames: int, place: Path) -> dict[str, Any]:
    """Every side once a round; medians, and the medians of the rounds' ratios."""
    video = remux(VIDEO, place / "video.mp4", frames)
    remux(VIDEO, place / "warm.mp4", 12)
    if what == "yolo":
        weights, confidence = random_yolo(place, VIDEO)
        sides = {"ours": ("ours", "yolo"), "ultralytics": ("ultralytics", "crops"), "bare": ("bare", "yolo")}
        sides |= {"ultralytics_no_crops": ("ultralytics", "none")}
    else:
        weights, confidence = YOLOX, 0.1
        sides = {"ours": ("ours", "onnx"), "serial": ("serial", "onnx"), "bare": ("bare", "onnx")}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, (act, kind) in list(sides.items())[:: -1 if number % 2 else 1]:
            runs[name].append(side(act, kind, weights, video, place, confidence))
    middle = {
        name: {key: round(statistics.median(run[key] for run in found), 2) for key in found[0]}
        for name, found in runs.items()
    }
    from ufine_kit.extract.decode import frame_size
    from ufine_kit.extract.detect import open_export

    _, head = open_export(weights, "auto", frame_size(video))
    spent = {name: figures["cpu_ms_a_frame"] for name, figures in middle.items()}
    others = [name for name in sides if name != "ours"]
    return {
        "confidence": confidence, "rounds": rounds,
        "network_input": {"ours, bare": f"{head.width}x{head.height}", "others": "as exported"},
        "fps_ratios": {f"ours/{name}": _paired(runs["ours"], runs[name], "fps") for name in others},
        "cpu_ratios": {f"{name}/ours": _paired(runs[name], runs["ours"], "cpu_ms_a_frame") for name in others},
        "cpu_ms_a_frame": {**spent, "ours outside the network": round(spent["ours"] - spent["bare"], 2)},
        "median": middle, "runs": runs,
    }  # fmt: skip


def _paired(one: list[dict[str, float]], other: list[dict[str, float]], key: str) -> float:
    return round(statistics.median(a[key] / b[key] for a, b in zip(one, other, strict=True)), 3)


def flatness(place: Path) -> dict[str, Any]:
    """The looped video, 31 minutes at 10 frames/s, with its true boxes looped too."""
    video = remux(VIDEO, place / "looped.mp4", 31 * 600)
    lines: list[str] = []
    rows = [line.strip().split(",") for line in (DATA / "pets09-s2l1" / "gt" / "gt.txt").read_text().splitlines()]
    for loop in range(-(-31 * 600 // 795)):
        for row in rows:
            box = ",".join(f"{float(value) * 0.625:.2f}" for value in row[2:6])
            lines.append(f"{int(row[0]) + 795 * loop},{int(row[1]) + 100 * loop},{box},1\n")
    (place / "boxes.txt").write_text("".join(lines))
    (place / "warm.mp4").touch()
    found = {kind: side("flat", kind, place / "boxes.txt", video, place, 0.0) for kind in ("file", "byte")}
    ratios = {kind: round(row["mib_peak_after"] / row["mib_minute_2"], 3) for kind, row in found.items()}
    return {"median": found, "growth": ratios}


def main() -> None:
    """Print one JSON object; exit 1 where a gate is missed."""
    if sys.argv[1:2] == ["side"]:
        name, kind, weights, video, place, confidence = sys.argv[2:]
        print(json.dumps(globals()[name](kind, Path(weights), Path(video), Path(place), float(confidence))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["yolo", "serial", "flat"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    began = about("ultralytics", "boxmot", "openvino", "av", "numpy")
    with tempfile.TemporaryDirectory() as place:
        found = (
            flatness(Path(place))
            if asked.what == "flat"
            else compare(asked.what, asked.rounds, asked.frames, Path(place))
        )
    missed = [name for name, least in GATES.get(asked.what, {}).items() if found["fps_ratios"][name] < least]
    missed += [kind for kind, growth in found.get("growth", {}).items() if growth > 1.10]
    if asked.what == "yolo" and found["median"]["ours"]["peak_mib"] > found["median"]["ultralytics"]["peak_mib"]:
        missed.append("peak memory")
    record = {"benchmark": f"extract_speed {asked.what}", **began, "threads": THREADS, "missed": missed, **found}
    text = json.dumps(record, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
