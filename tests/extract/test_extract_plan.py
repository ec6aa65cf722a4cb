"""What is refused before anything is read, sources of videos, and the command itself."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from extract.footage import walk, write_video
from extract.runs import extract
from typed import run_cli, snapshot
from ufine_kit.adapters import ultralytics
from ufine_kit.errors import KitError
from ufine_kit.extract.inputs import find_videos
from ufine_kit.extract.plan import check_choice, network_weights, plan_videos
from ufine_kit.extract.progress import begin_counts, counter, counts, end_counts, frames_in
from ufine_kit.extract.sources import read_sources, record_sources, sources_of
from ufine_kit.parts import append_plan
from ufine_kit.recipe import ExtractTable, load_recipe

pytestmark = pytest.mark.full

REFUSED = {
    "a tracker of ids without given boxes": ({"detector": "yolo", "tracker": "file"}, "takes its ids from given boxes"),
    "an unknown tracker": ({"tracker": "bytetrak"}, "no tracker `bytetrak`"),
    "tracks alone without given boxes": ({"tracks_only": True}, "--tracks-only tracks given boxes"),
    "tracks alone with a tracker that sees": (
        {"detector": "file", "tracker": "botsort", "tracks_only": True},
        "looks at pixels",
    ),
    "looks without a network": ({"tracker": "strongsort"}, "needs a network"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_choice_that_cannot_work_is_refused(what):
    knobs, problem = REFUSED[what]
    with pytest.raises(KitError, match=problem) as raised:
        check_choice(ExtractTable(**knobs), None)
    assert raised.value.mend


@pytest.mark.parametrize(
    ("detector", "given", "problem", "mend"),
    [
        ("onnx", None, "needs weights", "--weights"),
        ("onnx", "gone.onnx", "`gone.onnx` do not exist", "--detector hog"),
        ("yolo", "gone.pt", "`gone.pt` do not exist", "official name"),
        ("yolo", "here.pt", "is a pickle", "--trust-weights"),
    ],
)
def test_missing_or_dangerous_weights_are_one_line_with_the_mend(tmp_path, monkeypatch, detector, given, problem, mend):
    monkeypatch.chdir(tmp_path)
    Path("here.pt").touch()
    with pytest.raises(KitError) as raised:
        network_weights(detector, Path(given) if given else None, trusted=False)
    assert problem in raised.value.problem and mend in raised.value.mend


def test_weights_that_are_there_or_not_needed_are_taken(tmp_path):
    (tmp_path / "net.onnx").touch()
    (tmp_path / "here.pt").touch()
    assert network_weights("hog", None, False) is None
    assert network_weights("yolo", tmp_path / "net.onnx", False) == tmp_path / "net.onnx"
    assert network_weights("yolo", tmp_path / "here.pt", True) == tmp_path / "here.pt"


def test_official_weights_that_cannot_be_fetched_leave_nothing_behind(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise urllib.error.URLError("no route")

    monkeypatch.setenv("UFINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("UFINE_OFFLINE", raising=False)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(KitError, match="cannot be fetched: no route") as raised:
        ultralytics.official_weights("yolo11n.pt")
    assert "--detector hog" in raised.value.mend
    assert not list((tmp_path / "cache").rglob("*.pt"))


def test_offline_nothing_is_tried_and_a_cached_file_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("UFINE_CACHE", str(tmp_path))
    monkeypatch.setenv("UFINE_OFFLINE", "1")
    with pytest.raises(KitError, match="UFINE_OFFLINE"):
        ultralytics.official_weights("yolo11n.pt")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "yolo11n.pt").write_bytes(b"cached")
    assert ultralytics.official_weights("yolo11n.pt").read_bytes() == b"cached"


def test_one_box_file_for_many_videos_is_refused(two_walkers, tmp_path):
    videos, boxes = two_walkers
    write_video(videos / "more.mp4", walk(5))
    with pytest.raises(KitError, match="one box file"):
        extract(tmp_path / "work", [videos], boxes / "walk.txt")


def test_boxes_without_ids_cannot_be_tracked_by_their_ids(two_walkers, tmp_path):
    videos, boxes = two_walkers
    (boxes / "walk.txt").write_text("1,-1,10,10,20,40,0.9\n")
    found = extract(tmp_path / "work", [videos], boxes)
    assert "no ids" in (found.results[0].error or "")


# --- sources ----------------------------------------------------------------------------------------------------------

HEADER = "video,url,licence,consent_basis,date\n"


def test_a_video_that_another_run_planned_meanwhile_is_not_planned_twice(tmp_path):
    for name in ("a", "b", "c"):
        write_video(tmp_path / f"{name}.mp4", walk(4 + ord(name) % 3))
    table, folder = ExtractTable(detector="hog"), tmp_path / "tracklets"
    first, second = (plan_videos([tmp_path / f"{n}.mp4" for n in names], table, folder) for names in ("ab", "bc"))
    append_plan(folder, first.entries)
    with pytest.raises(KitError, match=r"`b\.mp4` has just been planned") as told:
        append_plan(folder, second.entries)
    assert told.value.mend == "repeat the same command"
    assert [row["video"] for entry in append_plan(folder, first.entries) for row in entry.rows] == ["a.mp4", "b.mp4"]


def test_sources_are_kept_by_content(two_walkers, tmp_path):
    videos, _ = two_walkers
    (tmp_path / "sources.csv").write_text(
        HEADER + "walk.mp4,https://x.org/1,CC-BY-4.0,actors signed,2026-01-02\nelse.mp4,,CC0,public,2026\n"
    )
    found = find_videos([videos]).videos
    count, notes = record_sources(tmp_path / "tracklets", read_sources(tmp_path / "sources.csv"), found)
    assert count == 1 and [note["input"] for note in notes] == ["else.mp4"]
    assert sources_of(tmp_path / "tracklets")[found[0].sha256]["consent_basis"] == "actors signed"


def test_later_sources_add_to_earlier_ones(two_walkers, tmp_path):
    videos, _ = two_walkers
    table = tmp_path / "sources.csv"
    table.write_text(HEADER + "walk.mp4,,CC0,public,2026\n")
    record_sources(tmp_path / "t", read_sources(table), find_videos([videos]).videos)
    other = write_video(tmp_path / "w" / "other.mp4", walk(5))
    table.write_text(HEADER + f"{find_videos([other]).videos[0].sha256},,CC0,public,2026\n")
    record_sources(tmp_path / "t", read_sources(table), find_videos([other]).videos)
    assert len(sources_of(tmp_path / "t")) == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("video,url\na,b\n", "lacks the column `licence`"),
        (HEADER + "a,b,,d,e\n", "line 2 .* has no `licence`"),
        (HEADER + "\n\na,b,MIT,,e\n", "line 4 .* has no `consent_basis`"),
        (HEADER + "a,,MIT,d,e\na,,CC0,d,e\n", "line 3 .* says something else of `a`"),
        ("", "lacks the column"),
        (HEADER, "names no video"),
        (HEADER.strip() + ",redistribution\na,b,MIT,d,e,maybe\n", "line 2 .* `maybe`"),
    ],
)
def test_sources_that_say_too_little_are_refused(tmp_path, content, problem):
    (tmp_path / "s.csv").write_text(content)
    with pytest.raises(KitError, match=problem):
        read_sources(tmp_path / "s.csv")


def test_tracks_alone_are_told_as_tracks_and_lead_to_no_filter(two_walkers, tmp_path):
    videos, boxes = two_walkers
    ran = run_cli("extract-tracklets", videos, "--tracks-only", "--weights", boxes, "--work", tmp_path / "work")
    assert ran.out == f"tracks of 1 video in {tmp_path / 'work/tracklets/tracks'}\n", ran.err
    assert "next:" not in ran.err


# --- progress ---------------------------------------------------------------------------------------------------------


def test_counts_of_a_part_can_be_read_while_it_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("ufine_kit.extract.progress._EVERY_SECONDS", -1.0)
    place = begin_counts(tmp_path)
    one_more = counter({"progress": str(place)}, "part-00003")
    for _ in range(7):
        one_more()
    assert counts(place) == {"part-00003": 7}
    end_counts(place)
    assert not place.exists()
    counter({}, "part-00000")()


def test_the_frames_of_a_part_are_known_before_it_is_read(two_walkers, tmp_path):
    videos, boxes = two_walkers
    (videos / "text.mp4").write_text("no video")
    wanted = extract(tmp_path / "work", [videos], boxes).wanted
    assert sum(frames_in(entry.rows, wanted.paths) for entry in wanted.entries) == 40


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(two_walkers):
    videos, boxes = two_walkers
    given = ("extract-tracklets", videos, "--detector", "file", "--weights", boxes, "--tracker", "file")
    return lambda work, *words, **how: run_cli(*given, "--work", work, *words, **how)


def bytes_of(work):
    """What a run leaves, less what tells of the run itself."""
    return snapshot(work, "tracklets/*.parquet", "tracklets/*.txt", "tracklets/tracks/*")


def test_the_command_answers_with_one_object(command, tmp_path):
    ran = command(tmp_path / "work", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["rows"] > 0 and ran.json["bad_inputs"] == []
    assert [Path(path).name for path in ran.json["tracks"]] == ["walk.txt"]
    assert not (tmp_path / "work" / "tracklets" / ".progress").exists()


def test_a_dry_run_writes_nothing(command, tmp_path):
    ran = command(tmp_path / "work", "--dry-run", "--json")
    assert ran.code == 0 and ran.json["todo"] == ["part-00000"]
    assert not (tmp_path / "work").exists()


def test_a_broken_video_makes_the_exit_code_1_and_stands_in_the_answer(command, two_walkers, tmp_path):
    (two_walkers[0] / "zero.mp4").touch()
    (two_walkers[1] / "zero.txt").write_text("1,1,1,1,5,5,1\n")
    ran = command(tmp_path / "work", "--json")
    assert ran.code == 1
    assert ran.json["bad_inputs"] == [{"input": "zero.mp4", "reason": "zero bytes"}]


def test_flags_stand_above_the_recipe(command, tmp_path):
    ran = command(tmp_path / "work", "--fps", "5", "--set", "extract.fps=2", "--json")
    assert ran.code == 0, ran.err
    done = json.loads((tmp_path / "work" / "tracklets" / "part-00000.json").read_text())
    assert done["recipe"]["fps"] == 5


@pytest.mark.full
@pytest.mark.parametrize("point", ["extract.decode:25", "extract.track:25", "extract.encode:3", "part.before_replace"])
def test_killed_in_the_middle_and_run_again_it_gives_the_same_bytes(command, tmp_path, point):
    assert command(tmp_path / "whole").code == 0
    assert command(tmp_path / "cut", crash_at=point).code == 137
    assert command(tmp_path / "cut").code == 0
    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "whole")


# --- the manual -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["library", "strict"])
def test_the_manuals_figures_are_those_of_the_kept_record(preset):
    root = Path(__file__).parents[2]
    row = json.loads((root / "benchmarks" / "records" / "tracking.json").read_text())["purity"][f"byte-{preset}"][
        "PETS09-S2L1"
    ]
    wanted = f"| `byte`, {preset} | {row['tracklets']} | {row['purity']:.1%} | {row['impure_share']:.1%} |".replace(
        "%", " %"
    )
    assert wanted in (root / "docs" / "extract.md").read_text()


@pytest.mark.parametrize("name", ["extract_strict", "extract_onnx", "extract_gpu"])
def test_every_recipe_loads_and_the_strict_one_is_the_default(name):
    table = load_recipe(name).extract
    assert (table == ExtractTable()) == (name == "extract_strict")
