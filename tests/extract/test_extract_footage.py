"""Real footage with known truth, and photographs panned into a clip: what the whole path gives there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from extract.footage import write_video
from extract.runs import extract, pixels_of
from ufine_kit.extract.decode import Reading, Stretch, read_frames
from ufine_kit.extract.detect import open_detector
from ufine_kit.extract.mot import ID, read_boxes
from ufine_kit.tables import ExtractTable

pytestmark = pytest.mark.full
SCALE = 0.625  # the truth of PETS09 is given for 768x576, the video is 480x360


@pytest.fixture(scope="module")
def pets(footage, tmp_path_factory):
    """The video, and its truth and given detections in its own pixels."""
    folder = tmp_path_factory.mktemp("pets")
    source = footage / "pets09-s2l1"
    for name, given in (("truth", "gt/gt.txt"), ("det", "det_frcnn_sort/det.txt")):
        lines = [line.split(",") for line in (source / given).read_text().splitlines()]
        scaled = [[*row[:2], *(f"{float(value) * SCALE:.3f}" for value in row[2:6]), row[6]] for row in lines]
        (folder / f"{name}.txt").write_text("".join(",".join(row) + "\n" for row in scaled))
    return source / "vtest_480x360_h264.mp4", folder


def matches(boxes, truth, iou=0.5):
    """Pairs of indices, the surest box first, each true box once."""
    taken: list[tuple[int, int]] = []
    for i in np.argsort(-boxes[:, 4], kind="stable"):
        low = np.maximum(boxes[i, :2], truth[:, :2])
        high = np.minimum(boxes[i, :2] + boxes[i, 2:4], truth[:, :2] + truth[:, 2:4])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        share = shared / (boxes[i, 2:4].prod() + truth[:, 2:4].prod(axis=1) - shared)
        share[[j for _, j in taken]] = 0
        if len(share) and share.max() >= iou:
            taken.append((int(i), int(share.argmax())))
    return taken


def precision_and_recall(video, truth, fps, least, weights=None, **knobs):
    table = ExtractTable(detect_confidence=least, **knobs).model_dump(mode="json")
    detector = open_detector(table, {"weights": str(weights)})
    met = found = true = 0
    for item in detector(read_frames(video, Stretch(), fps, 1, Reading())):
        met += len(matches(item.boxes, truth.at(item.frame.index)))
        found += len(item.boxes)
        true += len(truth.at(item.frame.index))
    return met / found, met / true


@pytest.mark.parametrize(
    ("knobs", "weights", "fps", "least", "precision", "recall"),
    [
        ({"detector": "onnx", "runtime": "openvino"}, "yolox_nano.onnx", 1.0, 0.4, 0.75, 0.85),
        ({"detector": "onnx", "runtime": "onnxruntime"}, "yolox_nano.onnx", 0.5, 0.4, 0.75, 0.85),
        ({"detector": "hog"}, None, 0.2, 0.4, 0.8, 0.6),
    ],
    ids=["YOLOX by OpenVINO", "YOLOX by ONNX Runtime", "HOG"],
)
def test_detectors_find_the_people_of_pets09(footage, pets, knobs, weights, fps, least, precision, recall):
    video, folder = pets
    truth = read_boxes(folder / "truth.txt")
    place = footage / "det-models" / weights if weights else None
    measured = precision_and_recall(video, truth, fps, least, place, **knobs)
    assert measured[0] > precision and measured[1] > recall, measured


def test_in_the_videos_proportions_the_network_finds_what_it_finds_in_its_square(footage, pets):
    video, _ = pets
    found = {}
    for shape in ("video", "network"):
        table = ExtractTable(detector="onnx", detect_confidence=0.4, detect_shape=shape).model_dump(mode="json")
        detector = open_detector(table, {"weights": str(footage / "det-models" / "yolox_nano.onnx")})
        found[shape] = [item.boxes for item in detector(read_frames(video, Stretch(), 0.5, 1, Reading()))]
    both = list(zip(found["video"], found["network"], strict=True))
    met = sum(len(matches(one, other, iou=0.8)) for one, other in both)
    assert met > 0.95 * max(sum(len(boxes) for boxes in found[shape]) for shape in found)


def purity(tracks, truth):
    met: dict[int, dict[int, int]] = {}
    for frame, boxes in tracks.by_frame.items():
        true = truth.at(frame)
        for i, j in matches(boxes, true):
            counts = met.setdefault(int(boxes[i, ID]), {})
            counts[int(true[j, ID])] = counts.get(int(true[j, ID]), 0) + 1
    return sum(max(c.values()) for c in met.values()) / sum(sum(c.values()) for c in met.values())


def test_strict_tracklets_are_purer_than_the_librarys_own_and_crops_come_of_them(pets, tmp_path):
    video, folder = pets
    truth = read_boxes(folder / "truth.txt")
    pure = {}
    for preset in ("library", "strict"):
        found = extract(
            tmp_path / preset, [video], folder / "det.txt", tracker="byte", tracker_preset=preset,
            tracks_only=preset == "library",
        )  # fmt: skip
        (file,) = (found.folder / "tracks").iterdir()
        pure[preset] = purity(read_boxes(file), truth)
    assert pure["library"] < 0.85
    assert pure["strict"] > 0.94
    heights = [row["height"] for row in found.rows]
    assert len(found.rows) > 300 and 40 < np.median(heights) < 130


def test_a_phone_video_is_turned_as_opencv_turns_it(footage):
    cv2 = pytest.importorskip("cv2")
    path = footage / "broken-videos" / "rot.mp4"
    _, bgr = cv2.VideoCapture(str(path)).read()
    frame = next(read_frames(path, Stretch(), None, 1, Reading()))
    assert (frame.height, frame.width) == bgr.shape[:2]
    assert np.abs(frame.rgb.astype(int) - bgr[:, :, ::-1]).mean() < 6


def test_a_truncated_real_video_says_how_much_was_read(footage):
    said = Reading()
    frames = list(read_frames(footage / "broken-videos" / "trunc.mp4", Stretch(), None, 1, said))
    assert len(frames) == 401
    assert said.notes == ["1 broken packets skipped", "ends early: 401 of 795 frames read"]


def panned(photograph: Path, frames: int, size=(640, 480)):
    """A window that glides over a photograph."""
    picture = Image.open(photograph).convert("RGB")
    scale = max(size[0] * 1.25 / picture.width, size[1] * 1.25 / picture.height)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    for i in range(frames):
        at = i / (frames - 1)
        left, top = round(at * (picture.width - size[0])), round(at * (picture.height - size[1]))
        yield np.asarray(picture.crop((left, top, left + size[0], top + size[1])))


def test_photographs_panned_into_a_clip_give_tracklets_that_end_at_the_cut(footage, tmp_path):
    place = importlib.util.find_spec("ultralytics")
    assets = Path(place.origin).parent / "assets" if place and place.origin else tmp_path
    if not (assets / "bus.jpg").exists():
        pytest.skip("no photographs: ultralytics is not installed")
    frames = [*panned(assets / "bus.jpg", 30), *panned(assets / "zidane.jpg", 30)]
    write_video(tmp_path / "v" / "pan.mp4", frames)
    found = extract(
        tmp_path / "work", [tmp_path / "v"], footage / "det-models" / "yolox_nano.onnx", detector="onnx",
        tracker="byte", tracker_preset="library", shot_threshold=18.0,
    )  # fmt: skip
    shots: dict[str, set[bool]] = {}
    for row in found.rows:
        shots.setdefault(row["tracklet"], set()).add(row["frame"] >= 30)
        assert pixels_of(row).std() > 20, "a crop of a photograph is no plain area"
    assert all(len(sides) == 1 for sides in shots.values()), "no tracklet goes over the cut"
    assert [sum(sides == {late} for sides in shots.values()) >= 2 for late in (False, True)] == [True, True]
