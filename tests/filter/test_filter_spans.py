"""When tracklets were in sight: from the tracks beside the parts, so that frames without a crop count too."""

from __future__ import annotations

import numpy as np
import pytest

from filter.planted import crop_row, lay_out, picture, planned_row, tracks
from ufine_kit import parts, pipeline
from ufine_kit.filter.columns import hashes, read_crops
from ufine_kit.filter.spans import read_spans, read_tracklets
from ufine_kit.pipeline import BY_NAME, gathered

TRACKS = """# a 0 a name with spaces.mp4
6,2,1,1,5,9,0.9,-1,-1,-1
1,1,1,1,5,9,0.9,-1,-1,-1
31,1,1,1,5,9,0.9,-1,-1,-1
# a 1 a name with spaces.mp4
40,1,1,1,5,9,0.9,-1,-1,-1
"""


def test_spans_are_read_by_segment_and_count_from_0(tmp_path):
    (tmp_path / "p.tracks.txt").write_text(TRACKS)
    assert read_spans(tmp_path / "p.tracks.txt") == {
        ("a", 0, "1"): (0, 30),
        ("a", 0, "2"): (5, 5),
        ("a", 1, "1"): (39, 39),
    }
    assert read_spans(tmp_path / "none.tracks.txt") == {}


def measured(work, rows):
    """The part's crops as columns, measured without pixels: the file of scores is made by hand."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    lay_out(work, [rows])
    scores = {
        "crop_id": [row["crop_id"] for row in rows],
        "brightness": [100.0] * len(rows),
        "contrast": [40.0] * len(rows),
    }
    pq.write_table(pa.table(scores), work / "scores.parquet")
    return read_crops([work / "tracklets/part-00000.parquet"], [work / "scores.parquet"])


@pytest.mark.parametrize(("beside", "together"), [(TRACKS, [True]), ("", [False])], ids=["tracks", "crops alone"])
def test_tracklets_whose_crops_lie_apart_may_have_been_in_sight_together(tmp_path, beside, together):
    rgb = picture(1)
    rows = [crop_row("late", "a-0-1", 20, rgb), crop_row("short", "a-0-2", 5, rgb)]
    crops = measured(tmp_path, rows)
    if beside:
        (tmp_path / "tracklets/part-00000.tracks.txt").write_text(beside)
    found = read_tracklets(crops, [tmp_path / "tracklets/part-00000.parquet"])
    assert found.together(0, np.array([1])).tolist() == together


def test_tracklets_stand_in_order_of_time_video_by_video(tmp_path):
    rgb = picture(1)
    rows = [
        crop_row(name, tracklet, frame, rgb)
        for name, tracklet, frame in (
            ("1", "b-0-9", 3),
            ("2", "a-0-2", 7),
            ("3", "b-0-10", 1),
            ("4", "a-0-1", 9),
            ("5", "a-0-1", 2),
        )
    ]
    found = read_tracklets(measured(tmp_path, rows), [tmp_path / "tracklets/part-00000.parquet"])
    assert found.name.tolist() == ["b-0-10", "b-0-9", "a-0-1", "a-0-2"]
    assert found.of_crop.tolist() == [1, 3, 0, 2, 2]
    assert (found.first.tolist(), found.last.tolist()) == ([1, 3, 2, 7], [1, 3, 9, 7])


@pytest.mark.parametrize(
    ("spans", "together"), [([(0, 9), (9, 12)], True), ([(9, 12), (0, 9)], True), ([(0, 9), (10, 12)], False)]
)
def test_one_frame_in_common_is_together(spans, together):
    found = tracks(spans, [0, 1])
    assert found.together(0, np.array([1])).tolist() == found.together(1, np.array([0])).tolist() == [together]


def test_people_of_two_videos_are_never_together():
    found = tracks([(0, 9), (0, 9)], [0, 1], video=[0, 1])
    assert found.together(0, np.array([1])).tolist() == [False]


def test_hashes_are_the_numbers_that_their_digits_say():
    words = ["0000000000000001", "ffffffffffffffff", "8000000000000000"]
    assert hashes(words).tolist() == [int(word, 16) for word in words]
    assert hashes([]).tolist() == []


# --- the barrier -------------------------------------------------------------------------------------------------------


def planned(work, stage, *videos, made=(), failed=()):
    """A stage folder whose parts hold the given videos; some are made, some failed."""
    folder = work / stage
    entries = [parts.PlanEntry("", str(i), {}, [planned_row(v, i) for v in group]) for i, group in enumerate(videos)]
    for i, entry in enumerate(parts.append_plan(folder, entries)):
        if i in made or i in failed:
            (folder / f"{entry.part}.parquet").write_bytes(b"x")
            parts.write_done(folder, parts.Done(
                entry.part, stage, 1, {}, "", 1, {}, "d", {}, {}, {}, [], {}, "broken" if i in failed else None,
            ))  # fmt: skip


@pytest.mark.parametrize(
    ("made", "failed", "measured", "expected"),
    [
        ({0, 1, 2, 3}, (), {0, 1, 2, 3}, {"part-00000": [0, 2], "part-00001": [1], "part-00003": [3]}),
        ({0, 1, 3}, (), {0, 1, 3}, {"part-00001": [1], "part-00003": [3]}),  # the long video waits
        ({0, 1, 2, 3}, (), {0, 1, 3}, {"part-00001": [1], "part-00003": [3]}),  # until it is measured, too
        ({1, 2, 3}, {0}, {1, 2, 3}, {"part-00000": [2], "part-00001": [1], "part-00003": [3]}),  # failed: left out
        ({1, 3}, {0, 2}, {1, 3}, {"part-00001": [1], "part-00003": [3]}),
    ],
)
def test_a_part_holds_whole_videos_and_waits_for_all_of_their_parts(tmp_path, made, failed, measured, expected):
    videos = (["long"], ["short", "tiny"], ["long"], ["other"])
    planned(tmp_path, "tracklets", *videos, made=made, failed=failed)
    planned(tmp_path, "measures", *videos, made=measured)
    found = {entry.part: [int(name[-1]) for name in entry.inputs if name.startswith("tracklets/")]
             for entry in gathered(BY_NAME["filter"], tmp_path)}  # fmt: skip
    assert found == expected


def test_a_job_reads_all_of_its_parts_in_the_order_of_the_plan(tmp_path):
    rgb = picture(1)
    groups = [[crop_row(name, "long-0-1", 1, rgb)] for name in "ab"]
    lay_out(tmp_path, groups)
    planned(tmp_path, "measures", ["long"], ["long"], made={0, 1})
    from ufine_kit.recipe import Recipe

    (task,) = pipeline.plan("filter", tmp_path, Recipe(), gathered(BY_NAME["filter"], tmp_path)).todo
    assert [path.rpartition("/")[2] for path in task.upstream["tracklets"]] == [
        "part-00000.parquet",
        "part-00001.parquet",
    ]
    from filter.planted import job

    reading = job()
    object.__setattr__(reading, "upstream", {"tracklets": tuple(map(type(tmp_path), task.upstream["tracklets"]))})
    assert [row["crop_id"] for row in reading.read("tracklets", ["crop_id"])] == ["a", "b"]
