"""The whole path with given boxes and given ids: rows, tracks and what a second run does."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from extract.footage import COLOURS, FIGURE, box_of, walk, write_boxes, write_video
from extract.runs import extract
from ufine_kit.dataset.look import facts_of
from ufine_kit.errors import KitError
from ufine_kit.extract.crops import crop_id
from ufine_kit.rows import Crop

pytestmark = pytest.mark.full


def test_every_row_is_a_crop_of_the_schema(two_walkers, tmp_path):
    videos, boxes = two_walkers
    rows = extract(tmp_path / "work", [videos], boxes).rows
    assert rows
    for row in rows:
        Crop.model_validate(row)


def test_a_crop_shows_the_walker_of_its_tracklet(two_walkers, tmp_path):
    videos, boxes = two_walkers
    for row in extract(tmp_path / "work", [videos], boxes, padding=0.0).rows:
        walker = int(row["tracklet"].rsplit("-", 1)[1]) - 1
        pixels = np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])))
        assert pixels.shape == (FIGURE[1], FIGURE[0], 3) == (row["height"], row["width"], 3)
        middle = pixels[14:19, 4:-4].reshape(-1, 3).mean(axis=0)
        assert np.abs(middle - COLOURS[walker]).max() < 40


def test_facts_of_a_row_can_be_computed_again(two_walkers, tmp_path):
    videos, boxes = two_walkers
    for row in extract(tmp_path / "work", [videos], boxes).rows:
        walker = int(row["tracklet"].rsplit("-", 1)[1]) - 1
        assert row["box_xywh"] == list(box_of(walker, row["frame"]))
        assert row["seconds"] == pytest.approx(row["frame"] / 10)
        assert row["crop_id"] == crop_id(row["video_sha256"], row["frame"], row["box_xywh"])
        jpeg = row["image"]["bytes"]
        assert row["image_sha256"] == hashlib.sha256(jpeg).hexdigest()
        assert facts_of(jpeg) == {"dhash": row["dhash"], "sharpness": pytest.approx(row["sharpness"])}
        assert row["video_sha256"] == hashlib.sha256((videos / "walk.mp4").read_bytes()).hexdigest()
        assert row["border_px"] == min(row["box_xywh"][0], row["box_xywh"][1], 160 - row["box_xywh"][0] - FIGURE[0])


def test_crops_of_a_tracklet_are_spread_over_its_time(two_walkers, tmp_path):
    videos, boxes = two_walkers
    rows = extract(tmp_path / "work", [videos], boxes, crops_per_tracklet=4).rows
    by_tracklet: dict[str, list[int]] = {}
    for row in rows:
        by_tracklet.setdefault(row["tracklet"], []).append(row["frame"])
    assert len(by_tracklet) == 2
    for frames in by_tracklet.values():
        assert len(frames) == 4
        assert frames == sorted(frames)
        assert frames[0] < 14 and frames[-1] >= 30 and max(np.diff(frames)) < 20


def test_the_track_file_holds_every_box_from_frame_one(two_walkers, tmp_path):
    videos, boxes = two_walkers
    tracks = extract(tmp_path / "work", [videos], boxes).tracks("walk.txt")
    assert len(tracks) == 80
    assert tracks[0][:6] == [1, 1, *box_of(0, 0)]
    assert tracks[-1][:6] == [40, 2, *box_of(1, 39)]


def test_a_second_run_makes_nothing_and_a_new_video_is_added(two_walkers, tmp_path):
    videos, boxes = two_walkers
    first = extract(tmp_path / "work", [videos], boxes)
    assert [result.outcome for result in first.results] == ["made"]
    write_video(videos / "more.mp4", walk(20, walkers=1))
    write_boxes(boxes / "more.txt", 20, walkers=1)
    second = extract(tmp_path / "work", [videos], boxes)
    assert [(result.part, result.outcome) for result in second.results] == [("part-00001", "made")]
    assert {row["video"] for row in second.rows} == {"walk.mp4", "more.mp4"}


def test_changed_boxes_make_the_part_stale(two_walkers, tmp_path):
    videos, boxes = two_walkers
    extract(tmp_path / "work", [videos], boxes)
    write_boxes(boxes / "walk.txt", 40, walkers=1)
    with pytest.raises(KitError, match="stale") as raised:
        extract(tmp_path / "work", [videos], boxes)
    assert "--redo" in raised.value.mend
    again = extract(tmp_path / "work", [videos], boxes, redo=True)
    assert len({row["tracklet"] for row in again.rows}) == 1


def test_a_renamed_video_is_the_same_video(two_walkers, tmp_path):
    videos, boxes = two_walkers
    extract(tmp_path / "work", [videos], boxes)
    (videos / "walk.mp4").rename(videos / "renamed.mp4")
    (boxes / "walk.txt").rename(boxes / "renamed.txt")
    assert [result.outcome for result in extract(tmp_path / "work", [videos], boxes).results] in ([], ["done"])


@pytest.mark.parametrize(("fps", "frames"), [(None, 40), (5.0, 20), (2.0, 8), (50.0, 40)])
def test_sampling_looks_at_that_many_frames_a_second(two_walkers, tmp_path, fps, frames):
    videos, boxes = two_walkers
    tracks = extract(tmp_path / "work", [videos], boxes, fps=fps).tracks("walk.txt")
    assert len({row[0] for row in tracks}) == frames


def test_bytes_are_the_same_in_this_process_and_in_workers(two_walkers, tmp_path):
    videos, boxes = two_walkers
    write_video(videos / "more.mp4", walk(20, walkers=1))
    write_boxes(boxes / "more.txt", 20, walkers=1)
    here = extract(tmp_path / "here", [videos], boxes, pack_seconds=1.0)
    there = extract(tmp_path / "there", [videos], boxes, workers=2, pack_seconds=1.0)
    names = [f"part-{i:05d}{end}" for i in range(2) for end in (".parquet", ".tracks.txt")]
    assert [(here.folder / name).read_bytes() for name in names] == [
        (there.folder / name).read_bytes() for name in names
    ]


def test_one_box_under_two_ids_gives_one_row(tmp_path):
    write_video(tmp_path / "v" / "a.mp4", walk(1, walkers=1))
    box = ",".join(map(str, box_of(0, 0)))
    (tmp_path / "a.txt").write_text(f"1,1,{box},0.9\n1,2,{box},0.8\n")
    rows = extract(tmp_path / "work", [tmp_path / "v"], tmp_path / "a.txt").rows
    assert [row["tracklet"].rsplit("-", 1)[1] for row in rows] == ["1"]
