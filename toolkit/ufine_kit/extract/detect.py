"""Detectors: frames in, the same frames with boxes out. Which one is chosen here; the vendors stand in the adapters."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from ufine_kit.errors import BadInput, KitError, need
from ufine_kit.extract.ahead import BURST, ahead
from ufine_kit.extract.frames import Frame
from ufine_kit.extract.heads import Fit, Head, Limits, boxes_of, fit_of, fitted, head_of, letterbox
from ufine_kit.extract.mot import BoxFile, read_boxes
from ufine_kit.extract.plan import WEIGHTS, boxes_key


@dataclass(frozen=True, eq=False)
class Detected:
    """A frame and its person boxes: float64 [n, 6] of x, y, w, h in pixels of the upright frame, confidence, id (-1: none)."""

    frame: Frame
    boxes: np.ndarray


# Networks of a process, one a size of picture: a folder of videos has few proportions, and each network takes memory.
_SHAPES_AT_MOST = 3

# Takes frames as they come and gives them back in order, as many in flight as it likes.
Detector = Callable[[Iterator[Frame]], Iterator[Detected]]


def open_detector(table: dict[str, Any], paths: Mapping[str, str]) -> Detector:
    """The detector that the table names, with the weights that lie at `paths`. Opened once for a process."""
    if table["detector"] == "hog":
        return _detect_hog(threads_to_use())
    weights = Path(paths[WEIGHTS])
    limits = Limits(**{field.name: table[field.name] for field in fields(Limits)})
    if table["detector"] == "yolo" and weights.suffix in (".pt", ".engine"):
        return _detect_batched(weights, table, limits)
    return _detect_exported(weights, table["runtime"], table["detect_shape"], limits)


def threads_to_use() -> int:
    """Threads of this process: what its environment allows it (a worker has one), else the machine's usable cores."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told) > 0:
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- given boxes --------------------------------------------------------------------------------------------------------


def given_boxes(video_sha256: str, paths: Mapping[str, str]) -> BoxFile:
    """The box file of a video. Raises BadInput where there is none or where it is no box file."""
    path = paths.get(boxes_key(video_sha256))
    if path is None:
        raise BadInput("no boxes for this video", "put <video stem>.txt into the folder given to --weights")
    return read_boxes(Path(path))


def detect_from(boxes: BoxFile) -> Detector:
    """The `file` detector: given boxes, frame by frame."""

    def detect(frames: Iterator[Frame]) -> Iterator[Detected]:
        for frame in frames:
            yield Detected(frame, boxes.at(frame.index))

    return detect


# --- networks -----------------------------------------------------------------------------------------------------------


def _overlapped(
    frames: Iterator[Frame], begin: Callable[[Frame], Callable[[], np.ndarray]], in_flight: int
) -> Iterator[Detected]:
    """Begin frames as long as there is room, and give them back in order as their boxes come.

    They come back in bursts, the other half at least still under way: what is done with them is then done by code that is
    still in the processor's caches, and not once between every two pictures of the network.
    """
    under_way: deque[tuple[Frame, Callable[[], np.ndarray]]] = deque()

    def oldest(count: int) -> Iterator[Detected]:
        first = [under_way.popleft() for _ in range(count)]
        found = [boxes() for _, boxes in reversed(first)]  # waits for the latest: the others are ready then
        yield from (Detected(frame, boxes) for (frame, _), boxes in zip(first, reversed(found), strict=True))

    for frame in frames:
        under_way.append((frame, begin(frame)))
        if len(under_way) == in_flight:
            yield from oldest(min(BURST, -(-in_flight // 2)))
    yield from oldest(len(under_way))


def _detect_exported(weights: Path, runtime: str, shape: str, limits: Limits) -> Detector:
    """An exported network, as many pictures at a time as there are threads, each on one thread."""
    _, exported = _read_export(weights, runtime)  # what cannot be read is told before any video is
    opened = lru_cache(maxsize=_SHAPES_AT_MOST)(partial(open_export, weights, runtime))

    def detect(frames: Iterator[Frame]) -> Iterator[Detected]:
        first = next(frames, None)
        if first is None:
            return
        wanted = fitted(exported, first.width, first.height)
        network, head = opened((wanted.width, wanted.height) if shape == "video" else None)

        def begin(frame: Frame) -> Callable[[], np.ndarray]:
            fit = fit_of(frame, head)
            return network.begin(partial(letterbox, frame, fit), partial(boxes_of, head=head, fit=fit, limits=limits))

        yield from _overlapped(itertools.chain([first], frames), begin, network.in_flight)

    return detect


def open_export(weights: Path, runtime: str, video: tuple[int, int] | None) -> tuple[Any, Head]:
    """A network ready to run and its head: in the proportions of a video of this width and height if it allows that.

    With None, or where it does not allow it, as it was exported.
    """
    network, head = _read_export(weights, runtime)
    wanted = fitted(head, *video) if video else head
    # What suppresses by itself may hold numbers of its size that no shape tells.
    if wanted != head and head.kind != "end2end" and network.reshape(wanted.width, wanted.height):
        head = head_of(network.input_shape, network.output_shape)
    network.compile(threads_to_use(), head.wants_bgr, head.divisor)
    return network, head


def _read_export(weights: Path, runtime: str) -> tuple[Any, Head]:
    model = export_file(weights)
    network = _runtime(runtime, model)(model)
    return network, head_of(network.input_shape, network.output_shape)


def export_file(weights: Path) -> Path:
    """The file to read: an ONNX file itself, or the network inside an OpenVINO export folder."""
    if not weights.is_dir():
        return weights
    found = sorted(weights.glob("*.xml"))
    if not found:
        raise KitError(
            f"`{weights.name}` holds no OpenVINO network (*.xml)", "give --weights an export folder or a file"
        )
    return found[0]


def _runtime(name: str, model: Path) -> Any:
    """OpenVINO where it is installed (twice as fast on CPUs), else ONNX Runtime; or the one that is named."""
    from ufine_kit.adapters import onnxruntime, openvino

    if name == "onnxruntime":
        return onnxruntime.Network
    if name == "auto" and model.suffix == ".onnx":
        try:
            need("openvino", "extract")
        except KitError:
            return onnxruntime.Network
    return openvino.Network


def _detect_batched(weights: Path, table: dict[str, Any], limits: Limits) -> Detector:
    """A network of Ultralytics, a batch of pictures at a time: batches have the same borders wherever they run."""
    from ufine_kit.adapters.ultralytics import Network

    network, batch, size = Network(weights, table["device"]), table["batch"], table["detect_size"]
    square = Head("end2end" if network.end2end else "yolo", size, size)

    def detect(frames: Iterator[Frame]) -> Iterator[Detected]:
        head: Head | None = None
        held: list[tuple[Frame, np.ndarray, Fit]] = []
        for frame in frames:
            if head is None:  # an engine is bound to its size
                as_video = table["detect_shape"] == "video" and weights.suffix == ".pt"
                head = fitted(square, frame.width, frame.height) if as_video else square
            held.append((frame, boxed(frame, head), fit_of(frame, head)))
            if len(held) == batch:
                yield from answers(held, head)
                held = []
        if held and head:
            yield from answers(held, head)

    def boxed(frame: Frame, head: Head) -> np.ndarray:
        target = np.empty((head.height, head.width, 3), dtype=np.uint8)
        letterbox(frame, fit_of(frame, head), target)
        return target

    def answers(held: list[tuple[Frame, np.ndarray, Fit]], head: Head) -> Iterator[Detected]:
        outputs = network.run(np.stack([picture for _, picture, _ in held]))
        for (frame, _, fit), output in zip(held, outputs, strict=True):
            yield Detected(frame, boxes_of(output[None], head, fit, limits))

    # The exported networks wait without holding anybody up; this one computes where it is called: a thread of its own.
    return lambda frames: ahead(detect(frames), 2 * batch, "detect")


# --- OpenCV's own --------------------------------------------------------------------------------------------------------


def _detect_hog(threads: int) -> Detector:
    """OpenCV's people detector on a picture of one height, several pictures at a time."""
    from ufine_kit.adapters.opencv import PICTURE_HEIGHT_PX, PeopleDetector

    people = PeopleDetector(threads)

    def begin(frame: Frame) -> Callable[[], np.ndarray]:
        scale = PICTURE_HEIGHT_PX / frame.height
        future = people.begin(frame.scaled(max(64, round(frame.width * scale)), PICTURE_HEIGHT_PX))
        return lambda: _in_frame(future.result(), scale)

    return lambda frames: _overlapped(frames, begin, people.in_flight)


def _in_frame(found: np.ndarray, scale: float) -> np.ndarray:
    boxes = np.full((len(found), 6), -1.0)
    boxes[:, :4], boxes[:, 4] = found[:, :4] / scale, found[:, 4]
    return boxes
