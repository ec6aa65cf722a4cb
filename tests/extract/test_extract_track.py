"""Tracks: local ids that never repeat, tracklets that end where they must, shot boundaries, track files."""

from __future__ import annotations

import numpy as np
import pytest

from extract.footage import picture, walk, write_boxes, write_video
from extract.runs import extract
from ufine_kit.extract.detect import Detected
from ufine_kit.extract.frames import Frame
from ufine_kit.extract.mot import CONFIDENCE, ID, format_box, read_boxes
from ufine_kit.extract.shots import mark_shots
from ufine_kit.extract.track import GivenIds, follow
from ufine_kit.extract.tracks import TrackLines, track_names


def frame(index, cut=False):
    return Frame(index, index / 10, 160, 120, starts_shot=cut)


def box(x, identity, y=10.0):
    return [x, y, 20.0, 40.0, 0.9, identity]


class ScriptedTracker:
    """Gives the ids that stand in its boxes; forgets an id after three frames."""

    opened = 0

    def __init__(self):
        type(self).opened += 1

    def update(self, frame, boxes):
        return boxes.copy()

    def is_over(self, identity, unseen_frames, frame):
        return unseen_frames > 3


def followed(script, meet_iou=0.0):
    """Local ids by frame from {frame: rows}, with `cut` frames marked."""
    ScriptedTracker.opened = 0
    detected = (
        Detected(frame(i, cut), np.array(rows, dtype=float).reshape(-1, 6)) for i, (cut, rows) in enumerate(script)
    )
    return [
        (item.boxes[:, ID].astype(int).tolist(), item.ended)
        for item in follow(detected, ScriptedTracker, meet_iou=meet_iou)
    ]


def test_ids_of_a_library_that_begin_at_0_become_ours_from_1():
    assert followed([(False, [box(0, 0), box(50, 1)]), (False, [box(1, 0), box(51, 1)])]) == [
        ([1, 2], []),
        ([1, 2], []),
    ]


def test_a_shot_boundary_ends_all_and_repeated_ids_are_new_tracklets():
    found = followed([(False, [box(0, 0), box(50, 1)]), (True, [box(0, 0)]), (False, [box(1, 0)])])
    assert found == [([1, 2], []), ([3], [1, 2]), ([3], [])]
    assert ScriptedTracker.opened == 2


def test_an_id_that_the_tracker_gave_up_is_a_new_tracklet_when_it_returns():
    found = followed([(False, [box(0, 7)])] + [(False, [])] * 5 + [(False, [box(0, 7)])])
    assert [ended for _, ended in found] == [[], [], [], [], [1], [], []]
    assert found[-1][0] == [2]


def test_a_short_gap_does_not_end_a_tracklet():
    assert [ids for ids, _ in followed([(False, [box(0, 7)]), (False, []), (False, [box(2, 7)])])] == [[1], [], [1]]


def test_tracklets_that_meet_end_and_begin_anew_when_they_part():
    apart, near, close = [box(0, 0), box(60, 1)], [box(0, 0), box(18, 1)], [box(0, 0), box(8, 1)]
    found = followed([(False, boxes) for boxes in (apart, near, close, near, apart)], meet_iou=0.3)
    assert found == [([1, 2], []), ([1, 2], []), ([3, 4], [1, 2]), ([5, 6], [3, 4]), ([5, 6], [])]


def test_parting_needs_more_distance_than_meeting():
    """Else boxes that tremble around the limit would be cut to pieces."""
    close, trembling = [box(0, 0), box(9, 1)], [box(0, 0), box(11, 1)]  # IoU 0.38 and 0.29
    found = followed([(False, boxes) for boxes in (close, trembling, close, trembling)], meet_iou=0.3)
    assert [ids for ids, _ in found] == [[1, 2]] * 4


def boxes_of(tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    return read_boxes(tmp_path / "a.txt")


def test_given_ids_are_kept_and_the_surest_box_of_an_id_wins(tmp_path):
    given = boxes_of(tmp_path, "1,40,1,1,5,5,0.5\n1,40,2,2,5,5,0.9\n1,-1,3,3,5,5,1\n2,7,1,1,5,5,1\n")
    tracker = GivenIds(given)
    found = tracker.update(frame(0), given.at(0))
    assert found[:, [0, CONFIDENCE, ID]].tolist() == [[2, 0.9, 40]]
    assert tracker.is_over(40, 1, frame(1)) and not tracker.is_over(7, 0, frame(0))


def test_given_ids_split_by_a_shot_boundary_get_free_numbers(tmp_path):
    given = boxes_of(tmp_path, "".join(f"{f},{i},{i * 20},1,5,5,1\n" for f in range(1, 4) for i in (3, 5)))
    detected = (Detected(frame(i, i == 1), given.at(i)) for i in range(3))
    found = [item.boxes[:, ID].astype(int).tolist() for item in follow(detected, lambda: GivenIds(given), given)]
    assert found == [[3, 5], [6, 7], [6, 7]]


@pytest.mark.parametrize("line", ["3 4 10.5 20 30 40 0.8 -1 -1 -1", "3,4,10.5,20,30,40,0.8,1,1", "3,4,10.5,20,30,40"])
def test_boxes_are_read_with_commas_or_spaces(tmp_path, line):
    found = boxes_of(tmp_path, line + "\n")
    assert found.at(2)[:, :4].tolist() == [[10.5, 20, 30, 40]]
    assert found.at(2)[0, ID] == 4 and found.last_frame == 2 and found.at(0).shape == (0, 6)


def test_a_written_box_reads_back(tmp_path):
    row = np.array([1.25, 2.5, 30.75, 40.0, 0.875, 9])
    assert boxes_of(tmp_path, format_box(4, 9, row) + "\n").at(4).tolist() == [row.tolist()]


def test_an_empty_box_file_is_a_video_without_people(two_walkers, tmp_path):
    videos, boxes = two_walkers
    (boxes / "walk.txt").write_text("")
    found = extract(tmp_path / "work", [videos], boxes)
    assert found.rows == [] and found.reasons == {} and found.tracks("walk.txt") == []


def test_names_of_track_files():
    names = track_names(
        [("a" * 64, "one/x.mp4"), ("b" * 64, "two/X.avi"), ("c" * 64, "y.tar.mov"), ("d" * 64, "MOT17-02.v2")]
    )
    assert names == {
        "a" * 64: "x-aaaaaaaa.txt", "b" * 64: "X-bbbbbbbb.txt", "c" * 64: "y.tar.txt", "d" * 64: "MOT17-02.v2.txt",
    }  # fmt: skip


def test_lines_of_a_part_are_sorted_by_id_under_their_segment():
    from ufine_kit.extract.track import Tracked

    lines = TrackLines()
    lines.begin("f" * 64, 2, "a b.mp4")
    lines.add(Tracked(frame(4), np.array([box(1, 9), box(2, 3)]), []))
    text = lines.bytes().decode().splitlines()
    assert text[0] == f"# {'f' * 64} 2 a b.mp4"
    assert [line.split(",")[:2] for line in text[1:]] == [["5", "3"], ["5", "9"]]


# --- shot boundaries --------------------------------------------------------------------------------------------------


def shots_in(tmp_path, pictures, threshold=18.0):
    from ufine_kit.extract.decode import Reading, Stretch, read_video

    path = write_video(tmp_path / "shots.mp4", pictures)
    marked = list(mark_shots(read_video(path, Stretch(), 1, Reading()), threshold))
    assert [item.index for item in marked] == list(range(len(marked)))
    return [item.index for item in marked if item.starts_shot]


CUTS = [picture(i, 2, shade=60 if i < 15 else 180 if i < 33 else 90) for i in range(50)]
FLASH = [picture(i, 2, shade=250 if i == 20 else 110) for i in range(40)]
FADE = [picture(i, 2, shade=40 + 4 * i) for i in range(40)]


@pytest.mark.parametrize(
    ("pictures", "wanted"),
    [(CUTS, [15, 33]), (FLASH, []), (FADE, []), (list(walk(40, walkers=4)), []), (CUTS[:1], []), (CUTS[14:16], [1])],
    ids=["cuts", "flash", "fade", "people walking", "one frame", "two frames"],
)
def test_shot_boundaries(tmp_path, pictures, wanted):
    assert shots_in(tmp_path, pictures) == wanted


def test_without_a_threshold_nothing_is_marked(tmp_path):
    assert shots_in(tmp_path, CUTS, threshold=0.0) == []


def test_a_shot_boundary_splits_the_tracklets_of_a_video(tmp_path):
    write_video(tmp_path / "v" / "a.mp4", CUTS)
    write_boxes(tmp_path / "a.txt", 50)
    found = extract(tmp_path / "work", [tmp_path / "v"], tmp_path / "a.txt", shot_threshold=18.0)
    spans: dict[str, list[int]] = {}
    for row in found.rows:
        spans.setdefault(row["tracklet"], []).append(row["frame"])
    assert len(spans) == 6
    assert all(len({sum(f >= cut for cut in (15, 33)) for f in frames}) == 1 for frames in spans.values())
