"""Detectors without their vendors: heads, letterboxes, suppression, and frames that overlap in order."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from extract.footage import picture, walk, write_video
from ufine_kit.errors import KitError
from ufine_kit.extract import detect
from ufine_kit.extract.ahead import ahead
from ufine_kit.extract.decode import Reading, Stretch, read_video
from ufine_kit.extract.frames import Frame
from ufine_kit.extract.heads import Fit, Head, Limits, boxes_of, fit_of, fitted, head_of, letterbox, suppress

LIMITS = Limits(person_class=0, detect_confidence=0.3, nms_iou=0.5, max_boxes=50)


@pytest.mark.parametrize(
    ("given", "made", "kind"),
    [
        ([1, 3, 416, 416], [1, 3549, 85], "yolox"),
        ([1, 3, 320, 640], [1, 4200, 6], "yolox"),
        ([1, 3, 640, 640], [1, 84, 8400], "yolo"),
        ([1, 3, 640, 640], [1, 5, 8400], "yolo"),
        ([1, 3, 640, 640], [1, 300, 6], "end2end"),
    ],
)
def test_the_head_is_told_by_shapes(given, made, kind):
    assert head_of(given, made) == Head(kind, given[3], given[2])


@pytest.mark.parametrize("made", [[1, 1000], [1, 85, 22, 22], [1, 7, 9], [1, -1, 85]])
def test_an_unknown_head_is_refused(made):
    with pytest.raises(KitError, match="no known kind"):
        head_of([1, 3, 416, 416], made)


def encode_yolox(boxes, side=416, height=416):
    """What a YOLOX head would give for boxes of cx, cy, w, h, confidence: each at the cell that holds its centre."""
    cells = {stride: (side // stride) * (height // stride) for stride in (8, 16, 32)}
    output = np.zeros((1, sum(cells.values()), 85), np.float32)
    for (cx, cy, w, h, confidence), stride in zip(boxes, (8, 16, 32), strict=False):
        start = sum(count for other, count in cells.items() if other < stride)
        column, row = int(cx // stride), int(cy // stride)
        cell = output[0, start + row * (side // stride) + column]
        cell[:4] = cx / stride - column, cy / stride - row, np.log(w / stride), np.log(h / stride)
        cell[4], cell[5] = 0.9, confidence / 0.9
    return output


@pytest.mark.parametrize("height", [416, 320])
def test_a_yolox_head_reads_back_what_was_written(height):
    boxes = [(100.5, 200.25, 40, 80, 0.85), (300, 50, 30, 90, 0.6), (200, 300, 60, 160, 0.45)]
    found = boxes_of(encode_yolox(boxes, height=height), Head("yolox", 416, height), Fit(0.5, 0, 0), LIMITS)
    wanted = [((cx - w / 2) * 2, (cy - h / 2) * 2, w * 2, h * 2, confidence, -1) for cx, cy, w, h, confidence in boxes]
    assert found == pytest.approx(np.array(wanted), rel=1e-4)


def test_a_yolo_head_reads_persons_alone_and_takes_the_letterbox_away():
    output = np.zeros((1, 84, 8400), np.float32)
    output[0, :5, 0] = 320, 320, 100, 200, 0.9
    output[0, :4, 1], output[0, 4 + 16, 1] = (100, 100, 50, 50), 0.9  # a dog
    output[0, :5, 2] = 500, 320, 100, 200, 0.2  # too unsure
    found = boxes_of(output, Head("yolo", 640, 640), Fit(0.5, 0, 80), LIMITS)
    assert found == pytest.approx(np.array([[540, 280, 200, 400, 0.9, -1]]))


def test_an_end_to_end_head_reads_corners():
    output = np.array([[[10, 20, 30, 60, 0.8, 0], [0, 0, 9, 9, 0.9, 2], [0, 0, 9, 9, 0.1, 0]]], np.float32)
    found = boxes_of(output, Head("end2end", 640, 640), Fit(1.0, 5, 10), LIMITS)
    assert found == pytest.approx(np.array([[5, 10, 20, 40, 0.8, -1]]))


def test_no_box_gives_an_empty_table():
    found = boxes_of(np.zeros((1, 84, 8400), np.float32), Head("yolo", 640, 640), Fit(1, 0, 0), LIMITS)
    assert found.shape == (0, 6)


def test_suppression_fits_the_naive_loop():
    generator = np.random.default_rng(5)
    boxes = np.hstack([generator.uniform(0, 60, (40, 2)), generator.uniform(10, 40, (40, 2))])

    def iou(a, b):
        across = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
        down = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
        return across * down / (a[2] * a[3] + b[2] * b[3] - across * down)

    kept: list[int] = []
    for i, one in enumerate(boxes):
        if all(iou(one, boxes[j]) <= 0.4 for j in kept):
            kept.append(i)
    assert suppress(boxes, 0.4) == kept


@pytest.fixture
def frames(tmp_path):
    path = write_video(tmp_path / "a.mp4", walk(12))
    return lambda: read_video(path, Stretch(), 1, Reading())


@pytest.mark.parametrize(("kind", "left", "top"), [("yolo", 0, 80), ("yolox", 0, 0)])
def test_the_letterbox_keeps_proportions_and_is_grey_around(frames, kind, left, top):
    head = Head(kind, 640, 640)
    frame = next(frames())
    fit = fit_of(frame, head)
    assert (fit.left, fit.top, fit.scale) == (left, top, 4.0)
    target = np.zeros((640, 640, 3), np.uint8)
    letterbox(frame, fit, target)
    inside = target[top : top + 480]
    assert (np.delete(target, np.s_[top : top + 480], axis=0) == 114).all()
    coarse = inside[2::4, 2::4].astype(int)
    assert np.abs(coarse - picture(0, 2)[:, :, ::-1]).mean() < 4, "blue, green, red"
    blue, _, red = coarse[4 + 14, 10 + 8]  # on the chest of the first walker, who wears red
    assert red > blue + 80


def test_grey_values_are_the_codecs_own(frames):
    frame = next(frames())
    plane = frame.picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * frame.height].reshape(frame.height, -1)
    assert np.array_equal(frame.luma, rows[:, : frame.width])


def test_a_turned_frame_is_upright_in_all_its_looks(frames):
    upright = next(frames())
    turned = replace(upright, width=upright.height, height=upright.width, quarter_turns=1)
    assert np.array_equal(turned.rgb, np.rot90(upright.rgb)) and np.array_equal(turned.luma, np.rot90(upright.luma))
    assert np.array_equal(turned.scaled(60, 80), np.rot90(upright.scaled(80, 60)))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted where Linux lists them")
def test_scaling_a_frame_starts_no_threads(frames):
    """Workers share the cores: a scaler that starts a thread a core in each of them costs twice what it gains."""
    before = len(list(Path("/proc/self/task").iterdir()))
    frame = next(frames())
    for _ in range(2):
        assert len({frame.scaled(640, 480).shape, frame.rgb.shape, frame.luma.shape}) == 3
    assert len(list(Path("/proc/self/task").iterdir())) <= before


class FakeNetwork:
    """Answers late and out of turn, with the mean brightness of its picture as a confidence."""

    input_shape, output_shape, in_flight = [1, 3, 64, 64], [1, 24, 84], 4

    def __init__(self, model):
        self.under_way = self.most = 0
        self.read_at: list[int] = []

    def compile(self, streams, bgr, divisor):
        self.compiled = (streams, bgr, divisor)

    def begin(self, fill, read):
        height, width = self.input_shape[2:]
        picture = np.empty((height, width, 3), np.uint8)
        fill(picture)
        self.under_way += 1
        self.most = max(self.most, self.under_way)

        def answer():
            self.read_at.append(self.under_way)
            self.under_way -= 1
            output = np.zeros(self.output_shape, np.float32)
            output[0, :5, 0] = width / 2, height / 2, 10, 20, max(0.4, picture.mean() / 255)
            return read(output)

        return answer


def exported_by(runtime, **how):
    return {"detector": "onnx", "runtime": runtime, "detect_shape": "video", **how, **vars(LIMITS)}


@pytest.mark.parametrize(
    ("side", "video", "wanted"),
    [
        (640, (1920, 1080), (640, 384)),
        (640, (1080, 1920), (384, 640)),
        (416, (480, 360), (416, 320)),
        (640, (300, 300), (640, 640)),
        (640, (4000, 100), (640, 32)),
        (416, (33, 32), (416, 416)),
    ],
)
def test_a_head_in_the_proportions_of_a_video_loses_padding_and_nothing_else(side, video, wanted):
    for kind in ("yolox", "yolo"):
        square, fit = Head(kind, side, side), fitted(Head(kind, side, side), *video)
        assert (fit.kind, fit.width, fit.height) == (kind, *wanted)
        frame = Frame(0, 0.0, *video)
        assert fit_of(frame, fit).scale == fit_of(frame, square).scale


@pytest.mark.parametrize(
    ("shape", "allows", "wanted"), [("video", True, (64, 32)), ("video", False, (64, 64)), ("network", True, (64, 64))]
)
def test_a_network_takes_the_videos_proportions_where_it_may(monkeypatch, tmp_path, shape, allows, wanted):
    network = FakeNetwork(None)
    asked: list[tuple[int, int]] = []

    def reshape(width, height):
        asked.append((width, height))
        if allows:
            network.input_shape, network.output_shape = [1, 3, height, width], [1, 24, 42]
        return allows

    network.reshape = reshape
    monkeypatch.setattr(detect, "_runtime", lambda name, model: lambda path: network)
    (tmp_path / "net.onnx").touch()
    table = exported_by("auto", detect_shape=shape)
    wide = write_video(tmp_path / "wide.mp4", walk(6, size=(160, 60)))
    found = list(
        detect.open_detector(table, {"weights": str(tmp_path / "net.onnx")})(read_video(wide, Stretch(), 1, Reading()))
    )
    assert len(found) == 6 and tuple(network.input_shape[:1:-1]) == wanted
    assert asked == ([(64, 32)] if shape == "video" else [])
    for item in found:  # the middle of the network's picture is the middle of the frame
        assert item.boxes[0, :2] + item.boxes[0, 2:4] / 2 == pytest.approx([80, 30])


def test_frames_overlap_in_an_exported_network_and_come_back_in_order(frames, monkeypatch, tmp_path):
    network = FakeNetwork(None)
    monkeypatch.setattr(detect, "_runtime", lambda name, model: lambda path: network)
    (tmp_path / "net.onnx").touch()
    detector = detect.open_detector(exported_by("auto"), {"weights": str(tmp_path / "net.onnx")})
    found = list(detector(frames()))
    assert [item.frame.index for item in found] == list(range(12))
    assert network.most == 4 and network.compiled[1:] == (False, 255.0)
    assert network.read_at == [4, 3] * 5 + [2, 1], "read in bursts, the latest first, half of them still under way"
    (alone,) = detector(iter([next(frames())]))
    assert np.array_equal(found[0].boxes, alone.boxes)


@pytest.mark.parametrize(("told", "threads"), [("1", 1), ("3", 3)])
def test_a_worker_is_told_how_many_threads_it_has(monkeypatch, told, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert detect.threads_to_use() == threads


def test_without_a_word_all_cores_are_used(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert detect.threads_to_use() >= 1


# --- running ahead ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("burst", [1, 4])
@pytest.mark.parametrize("count", [0, 3, 500])
def test_items_made_ahead_come_in_order(burst, count):
    assert list(ahead(iter(range(count)), 8, "t", burst)) == list(range(count))


def test_an_error_within_a_burst_is_raised_at_its_place():
    def items():
        yield from range(6)
        raise ValueError("here")

    reader = ahead(items(), 8, "t", burst=4)
    assert [next(reader) for _ in range(6)] == list(range(6))
    with pytest.raises(ValueError, match="here"):
        next(reader)


def test_no_more_than_the_depth_is_made_ahead():
    made: list[int] = []

    def items():
        for i in range(100):
            made.append(i)
            yield i

    reader = ahead(items(), 4, "t")
    next(reader)
    time.sleep(0.1)
    assert len(made) <= 7  # one read, four waiting, one before the full queue, one begun
    reader.close()


def test_an_error_is_raised_at_its_place():
    def items():
        yield 1
        yield 2
        raise ValueError("here")

    reader = ahead(items(), 8, "t")
    assert [next(reader), next(reader)] == [1, 2]
    with pytest.raises(ValueError, match="here"):
        next(reader)


def test_closing_stops_the_thread_and_closes_the_inner_iterator():
    closed = threading.Event()

    def items():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    reader = ahead(items(), 2, "closing")
    next(reader)
    reader.close()
    assert closed.wait(60)
    assert "closing" not in {thread.name for thread in threading.enumerate()}
