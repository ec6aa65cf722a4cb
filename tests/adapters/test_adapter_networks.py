"""A random YOLO11n made on the spot, in its own format and as exports: the same boxes from every runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ufine_kit.errors import KitError
from ufine_kit.extract.decode import Reading, Stretch, read_video
from ufine_kit.extract.detect import open_detector, open_export
from ufine_kit.tables import ExtractTable

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("networks")]
SIDE = 160


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """The folder with `net.pt` and `net_openvino_model`, of one random network."""
    torch = pytest.importorskip("torch")
    from ufine_kit.adapters.ultralytics import import_quietly

    ultralytics = import_quietly()
    folder = tmp_path_factory.mktemp("networks")
    torch.manual_seed(0)
    model = ultralytics.YOLO("yolo11n.yaml")
    for branch in model.model.model[-1].cv3:
        branch[-1].bias.data[0] += 9.0  # so that its boxes of class 0 are about half sure
    model.save(folder / "net.pt")
    ultralytics.YOLO(folder / "net.pt").export(format="openvino", imgsz=SIDE, verbose=False)
    return folder


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    from extract.footage import walk, write_video

    return write_video(tmp_path_factory.mktemp("video") / "a.mp4", walk(10))


def detect(weights, video, **knobs):
    table = ExtractTable(
        detector="yolo", detect_confidence=0.2, max_boxes=5, nms_iou=0.9, detect_size=SIDE, device="cpu", **knobs
    ).model_dump(mode="json")
    found = open_detector(table, {"weights": str(weights)})(read_video(video, Stretch(), 1, Reading()))
    return [item.boxes for item in found]


def test_an_export_gives_the_boxes_of_the_network_itself(networks, video):
    own = detect(networks / "net.pt", video, batch=4, detect_shape="network")
    found = detect(networks / "net_openvino_model", video)
    assert len(own) == len(found) == 10
    for ours, theirs in zip(found, own, strict=True):
        assert len(ours) == len(theirs) == 5
        # A random network is nearly as sure of many boxes: the surest one's confidence is compared, not its place.
        assert ours[0, 4] == pytest.approx(theirs[0, 4], abs=0.02)


def test_an_export_of_a_fixed_size_stays_at_it(networks):
    _, head = open_export(networks / "net_openvino_model", "auto", (160, 120))
    assert (head.width, head.height) == (SIDE, SIDE)


@pytest.mark.parametrize(("shape", "height"), [("video", 128), ("network", SIDE)])
def test_a_network_of_its_own_format_takes_the_videos_proportions(networks, video, monkeypatch, shape, height):
    from ufine_kit.adapters.ultralytics import Network

    taken: list[tuple[int, ...]] = []
    run = Network.run
    monkeypatch.setattr(Network, "run", lambda self, batch: (taken.append(batch.shape), run(self, batch))[1])
    assert [len(boxes) for boxes in detect(networks / "net.pt", video, batch=5, detect_shape=shape)] == [5] * 10
    assert taken == [(5, height, SIDE, 3)] * 2


@pytest.mark.parametrize("file", ["net_openvino_model", "net.pt"])
def test_a_second_pass_gives_the_same_boxes(networks, video, file):
    for one, other in zip(detect(networks / file, video), detect(networks / file, video), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_boxes_do_not_depend_on_how_many_pictures_are_in_flight(networks, video, monkeypatch, threads):
    usual = detect(networks / "net_openvino_model", video)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    for one, other in zip(usual, detect(networks / "net_openvino_model", video), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_file_that_is_no_network_is_one_line(tmp_path, runtime):
    (tmp_path / "net.onnx").write_bytes(b"this is no network")
    table = ExtractTable(detector="onnx", runtime=runtime).model_dump(mode="json")
    with pytest.raises(KitError, match=r"cannot read `net\.onnx`"):
        open_detector(table, {"weights": str(tmp_path / "net.onnx")})


def test_an_export_folder_without_a_network_is_one_line(tmp_path):
    table = ExtractTable(detector="yolo").model_dump(mode="json")
    with pytest.raises(KitError, match="no OpenVINO network"):
        open_detector(table, {"weights": str(tmp_path)})


def test_pillow_is_left_as_it_was_when_the_library_is_loaded():
    import subprocess
    import sys

    code = (
        "import io, PIL.Image\n"
        "from ufine_kit.adapters.ultralytics import import_quietly\n"
        "import_quietly()\n"
        "from ultralytics.nn.autobackend import AutoBackend\n"
        "try: PIL.Image.open(io.BytesIO(b'no picture'))\n"
        "except PIL.UnidentifiedImageError: print('as it was')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "as it was\n", done.stderr


def test_two_photographs_have_people(footage_models):
    """The whole path of a network that was trained: both photographs show people, and they are found."""
    import av
    from PIL import Image

    from ufine_kit.adapters.ultralytics import import_quietly
    from ufine_kit.extract.frames import Frame

    table = ExtractTable(detector="onnx", detect_confidence=0.4).model_dump(mode="json")
    detector = open_detector(table, {"weights": str(footage_models / "yolox_nano.onnx")})
    counts = {}
    for name in ("bus", "zidane"):
        rgb = np.asarray(
            Image.open(Path(str(import_quietly().__file__)).parent / "assets" / f"{name}.jpg").convert("RGB")
        )
        frame = Frame(0, 0.0, rgb.shape[1], rgb.shape[0], av.VideoFrame.from_ndarray(rgb, format="rgb24"))
        (found,) = detector(iter([frame]))
        counts[name] = len(found.boxes)
    assert counts["bus"] >= 3 and counts["zidane"] >= 2


@pytest.fixture(scope="module")
def footage_models():
    import os

    folder = Path(os.environ.get("UFINE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "det-models"
    if not folder.is_dir():
        pytest.skip(f"no trained networks in `{folder}` (set UFINE_DATA)")
    return folder
