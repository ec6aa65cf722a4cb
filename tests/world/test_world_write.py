"""A world in a folder: complete, the same bytes on every run, and never written over anything else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from ufine_kit.errors import KitError
from ufine_kit.world import PARTS, DetectionNoise, WorldSettings, draw_crop, make_world, retrieval_set, sample_people
from ufine_kit.world.film import write_video

# One worker makes the world that they share.
pytestmark = [pytest.mark.full, pytest.mark.xdist_group("world")]
SETTINGS = WorldSettings(
    identities=14,
    crops=1,
    videos=2,
    seconds=3.0,
    fps=10,
    frame_size=(120, 212),
    crop_size=(96, 48),
    seed=51,
    granularities=("coarse", "fine"),
    faults=("template", "copy_pair"),
    noise=DetectionNoise(switches=1),
    masks=True,
)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows(folder: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "one"
    make_world(folder, SETTINGS)
    return folder


def test_two_runs_give_the_same_bytes(world, tmp_path):
    summary = make_world(tmp_path / "two", SETTINGS)
    assert contents(tmp_path / "two") == contents(world)
    assert summary == make_world(world, SETTINGS)


def test_a_second_run_over_a_finished_world_changes_nothing(world):
    before = {path: path.stat().st_mtime_ns for path in world.rglob("*")}
    make_world(world, SETTINGS)
    assert {path: path.stat().st_mtime_ns for path in world.rglob("*")} == before


def test_a_world_of_other_settings_is_not_overwritten(world):
    with pytest.raises(KitError) as refused:
        make_world(world, replace(SETTINGS, seed=52))
    assert "other settings" in refused.value.problem
    assert "folder" in refused.value.mend


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_no_world_is_left_alone(tmp_path, kind):
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine.txt").write_text("mine")
    with pytest.raises(KitError) as refused:
        make_world(place, SETTINGS)
    assert "\n" not in refused.value.problem
    assert "mine" in (place if kind == "file" else place / "mine.txt").read_text()


def test_a_world_cut_short_is_made_again(world, tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    small = tmp_path / "short"
    with monkeypatch.context() as patched:
        patched.setattr("ufine_kit.world.footage.write_video", full_disk)
        with pytest.raises(KitError) as refused:
            make_world(small, SETTINGS)
    assert "no space left" in refused.value.problem
    assert not (small / "world.json").exists()
    make_world(small, SETTINGS)
    assert contents(small) == contents(world)


def test_the_summary_counts_what_lies_in_the_folder(world):
    summary = make_world(world, SETTINGS)
    assert summary["identities"] == len(rows(world, "people")) == 14
    assert (
        summary["crops"]
        == len(list((world / "crops").rglob("*.jpg")))
        == len(list((world / "masks").rglob("*.png")))
        == 14
    )
    assert summary["descriptions"] == 14 * 2 * 2
    assert summary["videos"] == len(list((world / "videos").glob("*.mp4"))) == 2
    assert all(
        summary[name] == len(rows(world, name)) for name in ("truth", "faults", "track_truth", "video_descriptions")
    )


@pytest.mark.parametrize("stem", ["world-000", "world-001"])
def test_a_video_decodes_to_the_frames_of_its_truth(world, stem):
    with av.open(str(world / "videos" / f"{stem}.mp4")) as video:
        stream = video.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(stream)]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == 10
    assert len(frames) == 30
    assert frames[0].shape == (120, 212, 3)
    shots = [row for row in rows(world, "shots") if row["video"] == f"{stem}.mp4"]
    assert [(row["first_frame"], row["last_frame"]) for row in shots] == [(0, 14), (15, 29)]
    for kind in ("gt", "det", "tracks"):
        numbers = [int(line.split(",")[0]) for line in (world / kind / f"{stem}.txt").read_text().splitlines()]
        assert 1 <= min(numbers) <= max(numbers) <= 30


def test_crops_are_those_that_memory_draws(world):
    person = sample_people(14, 51)[3]
    sample = next(s for s in retrieval_set(1, 1, 51, size=(96, 48), start=3))
    written = np.asarray(Image.open(world / "crops" / "0003" / "0.jpg")).astype(int)
    assert sample.person_id == person.identity == 3
    other = next(retrieval_set(1, 1, 51, size=(96, 48), start=4)).image
    assert np.abs(written - sample.image).mean() < 12 < np.abs(written - other).mean()  # JPEG takes a little away
    mask = np.asarray(Image.open(world / "masks" / "0003" / "0.png"))
    assert np.array_equal(mask, sample.drawing.parts)


def test_the_mask_labels_are_named_in_the_world(world):
    assert tuple(json.loads((world / "world.json").read_text())["parts"]) == PARTS


def test_every_description_belongs_to_a_crop_of_its_identity(world):
    truth = {row["image"]: row for row in rows(world, "truth")}
    for row in rows(world, "descriptions"):
        assert truth[row["image"]]["identity"] == row["identity"]
        assert row["granularity"] in ("coarse", "fine")
        assert row["lead_seconds"] > 0


def test_every_description_of_a_track_is_of_its_only_person(world):
    tracks = {(row["video"], row["track"]): row for row in rows(world, "track_truth")}
    switched = {key for key, row in tracks.items() if len(row["identities"]) > 1}
    described = {(row["video"], row["track"]) for row in rows(world, "video_descriptions")}
    assert switched
    assert described
    assert not switched & described
    for row in rows(world, "video_descriptions"):
        track = tracks[row["video"], row["track"]]
        assert track["identities"][0]["identity"] == row["identity"]
        assert track["first_frame"] <= row["good_frames"][0][0] <= row["good_frames"][-1][1] <= track["last_frame"]


def test_faults_name_rows_that_exist(world):
    named = {row["description"] for name in ("descriptions", "video_descriptions") for row in rows(world, name)}
    faults = rows(world, "faults")
    assert {row["fault"] for row in faults} == {"template", "copy_pair"}
    assert {row["description"] for row in faults} | {row["of"] for row in faults if row["of"]} <= named


def test_a_world_without_videos_needs_no_encoder(tmp_path):
    summary = make_world(tmp_path / "crops", replace(SETTINGS, videos=0, identities=2, masks=False))
    assert summary["track_truth"] == 0
    assert not (tmp_path / "crops" / "videos").exists()
    assert not (tmp_path / "crops" / "masks").exists()


def test_an_encoded_video_does_not_hang_on_where_its_memory_lies(world, tmp_path):
    with av.open(str(world / "videos" / "world-000.mp4")) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    files = set()
    for run in range(6):  # what was in memory before is left to the encoder's buffers
        ballast = [np.full(300_007 * (run + 1) + 4096 * k, 37 * run + k, np.uint8) for k in range(6)]
        del ballast
        write_video(tmp_path / "a.mp4", iter(frames), 212, 120, 10)
        files.add((tmp_path / "a.mp4").read_bytes())
    assert len(files) == 1


def test_odd_video_sizes_are_refused_with_a_mend(tmp_path):
    with pytest.raises(KitError) as refused:
        write_video(tmp_path / "odd.mp4", iter(()), 321, 180, 25)
    assert "even" in refused.value.mend


def test_a_retrieval_set_gives_every_identity_its_images_and_captions():
    samples = list(retrieval_set(4, 3, seed=2, size=(96, 48), captions_each=2, start=10))
    assert [sample.person_id for sample in samples] == [10] * 3 + [11] * 3 + [12] * 3 + [13] * 3
    assert all(len(set(sample.captions)) == 2 for sample in samples)
    assert not np.array_equal(samples[0].image, samples[1].image)
    again = list(retrieval_set(4, 3, seed=2, size=(96, 48), captions_each=2, start=10))
    assert [sample.captions for sample in again] == [sample.captions for sample in samples]


def test_a_retrieval_set_can_keep_to_one_style_and_length():
    captions = [c for sample in retrieval_set(12, 2, granularity="coarse", style="list") for c in sample.captions]
    assert all(";" in caption for caption in captions)
    assert np.mean([len(caption.split()) for caption in captions]) < 30


def test_drawing_leaves_the_global_chance_alone():
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    draw_crop(sample_people(1)[0], 0, (96, 48))
    assert np.array_equal(np.random.get_state()[1], before)
