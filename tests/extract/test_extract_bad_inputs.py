"""Broken and odd videos: a reason for each, and the others are done."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np
import pytest

from extract.footage import box_of, picture, rotate_by_metadata, walk, write_boxes, write_video
from extract.runs import extract, pixels_of
from typed import run_cli
from ufine_kit.errors import KitError
from ufine_kit.extract.inputs import find_videos
from ufine_kit.parquet import read_rows

pytestmark = pytest.mark.full


def zero_bytes(path: Path) -> None:
    path.touch()


def text(path: Path) -> None:
    path.write_text("this is no video\n" * 20)


def audio_only(path: Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))


def headless(path: Path) -> None:
    """An MP4 whose table of contents, at its end, was never written."""
    write_video(path, walk(20))
    path.write_bytes(path.read_bytes()[:2000])


BROKEN = {
    "zero.mp4": (zero_bytes, "zero bytes"),
    "text.mp4": (text, "not a video"),
    "sound.mp4": (audio_only, "no video stream"),
    "headless.mp4": (headless, "not a video"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_video_has_its_reason_and_its_neighbour_is_done(two_walkers, tmp_path, name):
    videos, boxes = two_walkers
    make, reason = BROKEN[name]
    make(videos / name)
    write_boxes(boxes / f"{Path(name).stem}.txt", 5)
    found = extract(tmp_path / "work", [videos], boxes)
    assert [reason in said for said in found.reasons[name]] == [True]
    assert {row["video"] for row in found.rows} == {"walk.mp4"}
    assert found.tracks("walk.txt")


@pytest.mark.parametrize("name", [b"two\nlines.mp4", b"two\xe2\x80\xa8lines.mp4", b"latin-\xe9.mp4"], ids=repr)
def test_a_name_that_fits_in_no_line_is_told_and_costs_nobody_else_anything(two_walkers, tmp_path, name):
    videos, boxes = two_walkers
    odd = os.fsdecode(os.fsencode(videos) + b"/" + name)
    Path(odd).write_bytes((videos / "walk.mp4").read_bytes() + b" ")
    words = ["extract-tracklets", videos, "--detector", "file", "--weights", boxes, "--work", tmp_path / "work"]
    ran = run_cli(*words, "--json")
    assert ran.code == 1, ran.err
    assert [(bad["input"], "rename it" in bad["reason"]) for bad in ran.json["bad_inputs"]] == [
        (os.fsdecode(name), True)
    ]
    (part,) = (tmp_path / "work/tracklets").glob("part-*.parquet")
    assert {row["video"] for row in read_rows(part, ["video"])} == {"walk.mp4"}
    (told,) = (line for line in run_cli(*words).err.splitlines() if "rename it" in line)
    assert told.startswith((r"  two\nlines.mp4: ", "  latin-"))


def test_a_part_of_nothing_but_broken_videos_fails_with_the_reason(tmp_path):
    (tmp_path / "v").mkdir()
    zero_bytes(tmp_path / "v" / "zero.mp4")
    write_boxes(tmp_path / "b" / "zero.txt", 5)
    found = extract(tmp_path / "work", [tmp_path / "v"], tmp_path / "b")
    assert [result.outcome for result in found.results] == ["failed"]
    assert "zero bytes" in (found.results[0].error or "")


def test_a_fault_is_told_once_and_no_command_is_named_that_has_nothing_to_work_on(tmp_path):
    zero_bytes(tmp_path / "zero.mp4")
    words = ["extract-tracklets", tmp_path / "zero.mp4", "--detector", "hog", "--work", tmp_path / "work"]
    for _ in range(2):
        ran = run_cli(*words)
        assert (ran.code, ran.err.count("zero bytes"), "next:" in ran.err) == (1, 1, False), ran.err
    assert run_cli("status", "--work", tmp_path / "work").out.count("zero bytes") == 1
    ran = run_cli("filter", "--work", tmp_path / "work")
    assert ran.code == 2
    assert "no part of" in ran.err and f"ufine-kit status --work {tmp_path / 'work'}" in ran.err


def test_a_truncated_video_is_read_as_far_as_it_goes_and_says_so(two_walkers, tmp_path):
    videos, boxes = two_walkers
    whole = write_video(tmp_path / "whole.mp4", walk(60), movflags="faststart")
    content = whole.read_bytes()
    (videos / "cut.mp4").write_bytes(content[: len(content) // 2])
    write_boxes(boxes / "cut.txt", 60)
    found = extract(tmp_path / "work", [videos], boxes)
    frames = {int(row[0]) for row in found.tracks("cut.txt")}
    assert 15 < max(frames) < 45
    assert any(f"{max(frames)} of 60 frames read" in reason for reason in found.reasons["cut.mp4"])
    assert {row["video"] for row in found.rows} == {"cut.mp4", "walk.mp4"}


def test_broken_packets_are_skipped_and_counted(tmp_path):
    path = write_video(tmp_path / "v" / "a.mkv", walk(40), codec="ffv1", key_every=1)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)
    write_boxes(tmp_path / "a.txt", 40)
    found = extract(tmp_path / "work", [tmp_path / "v"], tmp_path / "a.txt")
    assert found.reasons["a.mkv"] == ["1 broken packets skipped"]
    assert max(row[0] for row in found.tracks("a.txt")) == 39


@pytest.mark.parametrize("size", [(161, 121), (98, 66), (7680, 4320)], ids=["odd", "small", "8K"])
def test_frames_of_any_size(tmp_path, size):
    write_video(tmp_path / "v" / "a.mkv", [picture(0, 1, size)])
    x, y, w, h = box_of(0, 0, size[0])
    (tmp_path / "a.txt").write_text(f"1,1,{x},{y},{w},{h},0.9\n")
    (row,) = extract(tmp_path / "work", [tmp_path / "v"], tmp_path / "a.txt").rows
    assert (row["frame_width"], row["frame_height"]) == size


def test_a_box_outside_the_frame_gives_no_crop_and_one_over_the_border_is_cut(tmp_path):
    write_video(tmp_path / "v" / "a.mp4", walk(1))
    (tmp_path / "a.txt").write_text("1,1,-200,10,20,40,0.9\n1,2,-8,10,20,40,0.9\n")
    (row,) = extract(tmp_path / "work", [tmp_path / "v"], tmp_path / "a.txt", padding=0.0).rows
    assert (row["tracklet"].rsplit("-", 1)[1], row["width"], row["border_px"]) == ("2", 12, -8.0)


@pytest.mark.parametrize(("degrees", "turns"), [(90, 3), (180, 2), (270, 1)])
def test_rotation_metadata_is_honoured(tmp_path, degrees, turns):
    """The display matrix of a phone held upright turns the coded picture clockwise by that many degrees."""
    path = write_video(tmp_path / "v" / "a.mp4", walk(1))
    rotate_by_metadata(path, degrees)
    upright = np.rot90(picture(0, 2), turns)
    height, width = upright.shape[:2]
    (tmp_path / "a.txt").write_text(f"1,1,0,0,{width},{height},0.9\n")
    (row,) = extract(tmp_path / "work", [tmp_path / "v"], tmp_path / "a.txt", padding=0.0).rows
    assert (row["frame_width"], row["frame_height"]) == (width, height)
    assert np.abs(pixels_of(row).astype(int) - upright).mean() < 12


def test_timestamps_of_a_variable_frame_rate_are_true(tmp_path):
    def times(i: int) -> int:
        return 33 * i if i < 10 else 330 + 200 * (i - 10)

    write_video(tmp_path / "v" / "a.mp4", walk(20, walkers=1), times=times)
    write_boxes(tmp_path / "a.txt", 20, walkers=1)
    rows = extract(
        tmp_path / "work", [tmp_path / "v"], tmp_path / "a.txt", crops_per_tracklet=20, crop_spacing_seconds=0.01
    ).rows
    assert [row["frame"] for row in rows] == list(range(20))
    assert [row["seconds"] for row in rows] == pytest.approx([times(i) / 1000 for i in range(20)], abs=0.001)


def test_two_videos_of_one_name_keep_apart(tmp_path):
    for place, frames in (("one", 10), ("two", 20)):
        write_video(tmp_path / "v" / place / "a.mp4", walk(frames))
    write_boxes(tmp_path / "b" / "a.txt", 20)
    found = extract(tmp_path / "work", [tmp_path / "v"], tmp_path / "b")
    assert {row["video"] for row in found.rows} == {"one/a.mp4", "two/a.mp4"}
    files = sorted(path.name for path in (found.folder / "tracks").iterdir())
    assert len(files) == 2 and all(name.startswith("a-") for name in files)
    assert len({row["crop_id"] for row in found.rows}) == len(found.rows)


def test_the_same_content_twice_is_taken_once_and_named(two_walkers, tmp_path):
    videos, boxes = two_walkers
    (videos / "copy.mp4").write_bytes((videos / "walk.mp4").read_bytes())
    write_boxes(boxes / "copy.txt", 40)
    found = extract(tmp_path / "work", [videos], boxes)
    assert found.wanted.notes == [{"input": "walk.mp4", "reason": "same content as `copy.mp4`, taken once"}]
    assert {row["video"] for row in found.rows} == {"copy.mp4"}


def test_an_unreadable_folder_has_its_reason(two_walkers, monkeypatch):
    videos, _ = two_walkers
    (videos / "locked").mkdir()
    real = os.scandir

    def scandir(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find_videos([videos])
    assert [video.name for video in found.videos] == ["walk.mp4"]
    assert [entry["reason"] for entry in found.unusable] == ["folder cannot be read: Permission denied"]


def test_a_video_without_boxes_has_its_reason(two_walkers, tmp_path):
    videos, boxes = two_walkers
    write_video(videos / "other.mp4", walk(5))
    found = extract(tmp_path / "work", [videos], boxes)
    assert found.reasons == {"other.mp4": ["no boxes for this video"]}
    assert {row["video"] for row in found.rows} == {"walk.mp4"}


@pytest.mark.parametrize(
    "line", ["1,1,10,10,nan,40,1", "0,1,10,10,20,40,1", "1,1,10,10,0,40,1", "one,1,2,3,4,5", "1,2"]
)
def test_a_line_that_is_no_box_is_named(two_walkers, tmp_path, line):
    videos, boxes = two_walkers
    (boxes / "walk.txt").write_text(f"1,1,10,10,20,40,0.9\n{line}\n")
    found = extract(tmp_path / "work", [videos], boxes)
    assert "line 2 of `walk.txt` is no box" in (found.results[0].error or "")


@pytest.mark.parametrize(
    ("given", "problem"),
    [("nowhere", "does not exist"), ("empty", "no videos"), ("boxes.csv", "does not exist")],
)
def test_inputs_that_mean_nothing_are_refused(tmp_path, given, problem):
    (tmp_path / "empty").mkdir()
    with pytest.raises(KitError, match=problem):
        find_videos([tmp_path / given])
