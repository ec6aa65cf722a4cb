"""Detectors without their vendors: heads, letterboxes, suppression, and frames that overlap in order."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from extract.footage import picture, walk, write_video
from ufine_kit.errors import KitError
from ufine_kit.extract import detect
from ufine_kit.extract.ahead import ahead
from ufine_kit.extract.decode import Reading, Stretch, read_video
from ufine_kit.extract.heads import Fit, Head, Limits, boxes_of, fit_of, head_of, letterbox, suppress

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


def encode_yolox(boxes, side=416):
    """What a YOLOX head would give for boxes of cx, cy, w, h, confidence: each at the cell that holds its centre."""
    cells = {stride: (side // stride) ** 2 for stride in (8, 16, 32)}
    output = np.zeros((1, sum(cells.values()), 85), np.float32)
    for (cx, cy, w, h, confidence), stride in zip(boxes, (8, 16, 32), strict=False):
        start = sum(count for other, count in cells.items() if other < stride)
        column, row = int(cx // stride), int(cy // stride)
        cell = output[0, start + row * (side // stride) + column]
        cell[:4] = cx / stride - column, cy / stride - row, np.log(w / stride), np.log(h / stride)
        cell[4], cell[5] = 0.9, confidence / 0.9
    return output


def test_a_yolox_head_reads_back_what_was_written():
    boxes = [(100.5, 200.25, 40, 80, 0.85), (300, 50, 30, 90, 0.6), (200, 300, 60, 160, 0.45)]
    found = boxes_of(encode_yolox(boxes), Head("yolox", 416, 416), Fit(0.5, 0, 0), LIMITS)
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
    assert np.abs(coarse - picture(0, 2)).mean() < 12


class FakeNetwork:
    """Answers late and out of turn, with the mean brightness of its picture as a confidence."""

    input_shape, output_shape, in_flight = [1, 3, 64, 64], [1, 24, 84], 4

    def __init__(self, model):
        self.under_way = self.most = 0

    def compile(self, streams, bgr, divisor):
        self.compiled = (streams, bgr, divisor)

    def begin(self, fill, read):
        picture = np.empty((64, 64, 3), np.uint8)
        fill(picture)
        self.under_way += 1
        self.most = max(self.most, self.under_way)

        def answer():
            self.under_way -= 1
            output = np.zeros(self.output_shape, np.float32)
            output[0, :5, 0] = 32, 32, 10, 20, picture.mean() / 255
            return read(output)

        return answer


def test_frames_overlap_in_an_exported_network_and_come_back_in_order(frames, monkeypatch, tmp_path):
    network = FakeNetwork(None)
    monkeypatch.setattr(detect, "_runtime", lambda name, model: lambda path: network)
    (tmp_path / "net.onnx").touch()
    table = {"detector": "onnx", "runtime": "auto", "device": "cpu", "detect_size": 64, "batch": 2, **vars(LIMITS)}
    detector = detect.open_detector(table, {"weights": str(tmp_path / "net.onnx")})
    found = list(detector(frames()))
    assert [item.frame.index for item in found] == list(range(12))
    assert network.most == 4 and network.compiled[1:] == (False, 255.0)
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


def test_items_made_ahead_come_in_order():
    assert list(ahead(iter(range(500)), 3, "t")) == list(range(500))


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
    assert closed.wait(1)
    assert "closing" not in {thread.name for thread in threading.enumerate()}
