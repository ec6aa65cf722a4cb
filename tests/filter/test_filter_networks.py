"""Networks behind the looks and the points: made on the spot with random weights, loaded and run as real ones are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from filter.planted import lay_out, picture, rows_of, run_stage
from filter.test_judge import person_crops
from typed import run_cli
from ufine_kit.adapters.clip_tower import open_clip_tower
from ufine_kit.adapters.pose import open_pose, points_of
from ufine_kit.adapters.reid import open_reid
from ufine_kit.errors import KitError

PEOPLE = [Image.fromarray(picture(seed)) for seed in (1, 1, 2)]


def test_points_are_the_peaks_of_their_maps():
    maps = np.zeros((17, 8, 4), dtype=np.float32)
    for point in range(17):
        maps[point, point % 8, point % 4] = 0.5 + point / 100
    found = points_of(maps)
    assert found[5] == pytest.approx([(1 + 0.5) / 4, (5 + 0.5) / 8, 0.55])
    assert found[:, 2] == pytest.approx([0.5 + point / 100 for point in range(17)])


@pytest.mark.parametrize("opened", [open_reid, open_clip_tower, open_pose])
def test_missing_weights_are_one_line_before_any_library_is_loaded(tmp_path, opened):
    with pytest.raises(KitError, match=r"no\.onnx"):
        opened(tmp_path / "no.onnx")


@pytest.fixture(scope="module")
def reid(tmp_path_factory):
    pytest.importorskip("boxmot")
    torch = pytest.importorskip("torch")
    from boxmot.reid.core.registry import ReIDModelRegistry

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("reid") / "osnet_x0_25_random.pt"
    model = ReIDModelRegistry.build_model("osnet_x0_25", path, num_classes=4, pretrained=False, use_gpu=False)
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    pytest.importorskip("torch").manual_seed(0)
    transformers = pytest.importorskip("transformers")
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.CLIPConfig(
        vision_config={**small, "image_size": 64, "patch_size": 16},
        text_config={**small, "vocab_size": 64, "bos_token_id": 1, "eos_token_id": 2},
        projection_dim=16,
    )
    folder = tmp_path_factory.mktemp("clip")
    transformers.CLIPModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def pose(tmp_path_factory):
    """Every point is where the picture is brightest, twice as sure as it is bright there."""
    ov = pytest.importorskip("openvino")
    from openvino import opset13 as op

    given = op.parameter([1, 3, 64, 32], np.float32)
    pooled = op.avg_pool(given, [4, 4], [0, 0], [0, 0], [4, 4], True, "floor")
    maps = op.convolution(pooled, op.constant(np.full((17, 3, 1, 1), 0.1, np.float32)), [1, 1], [0, 0], [0, 0], [1, 1])
    path = tmp_path_factory.mktemp("pose") / "pose.xml"
    ov.save_model(ov.Model([maps], [given], "pose"), path, compress_to_fp16=False)
    return path


def assert_looks(found: np.ndarray, size: int) -> None:
    assert found.shape == (3, size) and found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    assert found[0] == pytest.approx(found[1], abs=1e-5)
    assert np.abs(found[0] - found[2]).max() > 1e-4


@pytest.mark.full
def test_a_reid_network_of_boxmot_gives_looks(reid):
    assert_looks(open_reid(reid)(PEOPLE), 512)


@pytest.mark.full
def test_a_clip_tower_gives_looks_of_upright_pictures(clip):
    tower = open_clip_tower(clip)
    assert tower.size == (32, 64)
    assert_looks(tower.run(PEOPLE), 16)


@pytest.mark.full
@pytest.mark.parametrize("name", ["clip", "reid"])
def test_a_network_runs_on_one_thread_here_as_in_a_worker(request, name):
    torch = pytest.importorskip("torch")
    weights = request.getfixturevalue(name)
    run = open_clip_tower(weights).run if name == "clip" else open_reid(weights)
    before, seen = torch.get_num_threads(), set[int]()
    hook = torch.nn.modules.module.register_module_forward_hook(lambda *_: seen.add(torch.get_num_threads()))
    torch.set_num_threads(2)
    try:
        run(PEOPLE)
        assert seen == {1}
        assert torch.get_num_threads() == 2
    finally:
        hook.remove()
        torch.set_num_threads(before)


@pytest.mark.full
def test_a_pose_network_finds_the_place(pose):
    found = open_pose(pose)
    dark = np.zeros((128, 64, 3), np.uint8)
    dark[32:48, 40:48] = 255
    (points,) = found.run([Image.fromarray(dark)])
    assert points.shape == (17, 3)
    assert points[0, :2] == pytest.approx([44 / 64, 40 / 128], abs=0.08)
    assert points[0, 2] > 0.3


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "opened", "said"),
    [
        ("osnet_x0_25.onnx", open_reid, "BoxMOT cannot read"),
        ("pose.onnx", open_pose, "OpenVINO cannot read"),
        ("config.json", lambda path: open_clip_tower(path.parent), "does not load as a CLIP model"),
    ],
)
def test_a_file_that_is_no_network_is_one_line(tmp_path, name, opened, said):
    pytest.importorskip("boxmot")
    (tmp_path / name).write_bytes(b"{}" if name == "config.json" else b"no network")
    with pytest.raises(KitError, match=said) as raised:
        opened(tmp_path / name)
    assert "\n" not in raised.value.problem


@pytest.mark.full
def test_another_network_than_one_of_heat_maps_is_told_by_its_shapes(tmp_path):
    ov = pytest.importorskip("openvino")
    from openvino import opset13 as op

    given = op.parameter([1, 3, 8, 8], np.float32)
    ov.save_model(ov.Model([op.relu(given)], [given], "other"), tmp_path / "other.xml")
    with pytest.raises(KitError, match=r"wanted \[1, 3, H, W\] into \[1, 17, h, w\]"):
        open_pose(tmp_path / "other.xml")


@pytest.mark.full
def test_the_command_measures_by_networks_and_judges_by_pose(tmp_path, reid, pose):
    work = lay_out(tmp_path, [person_crops("a", list(range(3)), each=2)])
    words = ["filter", "-w", work, "--workers", 1, "-r", "plip", "--embedding-weights", reid, "--trust-weights"]
    ran = run_cli(*words, "--pose-weights", pose, "--set", "filter.keypoint_confidence=1.0")
    assert ran.code == 0, ran.err
    assert {len(row["embedding"]) for row in rows_of(work / "measures")} == {512}
    assert {len(row["keypoints"]) for row in rows_of(work / "measures")} == {51}
    assert all("pose" in row["reasons"] for row in rows_of(work / "filter"))
    reid.touch()
    assert run_cli(*words, "--pose-weights", pose, "--set", "filter.keypoint_confidence=1.0").code == 0, (
        "nothing is stale"
    )


@pytest.mark.full
def test_looks_of_two_backends_are_never_compared(tmp_path, clip):
    work = lay_out(tmp_path, [person_crops("a", [1]), person_crops("b", [2])])
    run_stage(work, "measures")
    words = ["filter", "-w", work, "--workers", 1, "--embedding", "clip", "--embedding-weights", clip]
    ran = run_cli(*words, "--set", "filter.calibrated_for=clip")
    assert ran.code == 2
    assert "stale" in ran.err and "--redo" in ran.err
