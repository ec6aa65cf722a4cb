"""Long videos in segments, short ones packed, image sequences, lists: what becomes a part, and that nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from extract.footage import box_of, picture, walk, write_boxes, write_video
from extract.runs import extract
from ufine_kit import parts
from ufine_kit.errors import KitError
from ufine_kit.extract.decode import Reading, Stretch, read_video
from ufine_kit.extract.inputs import Video, find_videos
from ufine_kit.extract.segments import cut, pack
from ufine_kit.files import sha256_file


def as_video(path):
    return Video(path.name, path, sha256_file(path))


def test_segments_share_out_every_frame_once(tmp_path):
    path = write_video(tmp_path / "a.mp4", walk(100), key_every=7)
    rows, seconds = cut(as_video(path), 3.0, 0.0)
    assert seconds == pytest.approx(9.9)
    assert len(rows) == 3
    frames: list[int] = []
    for row in rows:
        stretch = Stretch(row["first_frame"], row["first_pts"], row["end_frame"], row["end_pts"])
        frames += [frame.index for frame in read_video(path, stretch, 1, Reading())]
    assert frames == list(range(100))


def test_segments_begin_at_a_shot_boundary_that_is_near(tmp_path):
    pictures = [picture(i, 1, shade=60 if i < 58 else 190) for i in range(120)]
    path = write_video(tmp_path / "a.mp4", pictures, key_every=50)
    assert [row["first_frame"] for row in cut(as_video(path), 6.0, 18.0)[0]] == [0, 58]


def test_without_one_they_begin_at_a_keyframe_that_is_near(tmp_path):
    path = write_video(tmp_path / "a.mp4", walk(120), key_every=50)
    assert [row["first_frame"] for row in cut(as_video(path), 6.0, 18.0)[0]] == [0, 50]
    assert [row["first_frame"] for row in cut(as_video(path), 4.0, 18.0)[0]] == [0, 40, 80]


def test_a_segment_alone_has_the_pictures_and_times_of_the_whole(tmp_path):
    path = write_video(tmp_path / "a.mp4", walk(100), key_every=7)
    whole = {frame.index: frame for frame in read_video(path, Stretch(), 1, Reading())}
    for row in cut(as_video(path), 3.0, 0.0)[0]:
        stretch = Stretch(row["first_frame"], row["first_pts"], row["end_frame"], row["end_pts"])
        for frame in read_video(path, stretch, 1, Reading()):
            assert frame.seconds == whole[frame.index].seconds
            assert np.array_equal(frame.rgb, whole[frame.index].rgb)


def test_tracklets_end_at_segment_borders_and_ids_stay_unique(two_walkers, tmp_path):
    videos, boxes = two_walkers
    found = extract(tmp_path / "work", [videos], boxes, segment_seconds=1.0, pack_seconds=0.5)
    assert len(parts.done_parts(found.folder)) == 4
    assert len({row["tracklet"] for row in found.rows}) == 8
    tracks = found.tracks("walk.txt")
    assert [row[:2] + row[2:6] for row in tracks][:2] == [[1, 1, *box_of(0, 0)], [1, 2, *box_of(1, 0)]]
    assert len({(row[0], row[1]) for row in tracks}) == len(tracks) == 80
    assert {int(row[1]) for row in tracks} == {s * 1_000_000 + local for s in range(4) for local in (1, 2)}


def test_short_videos_share_a_part_and_long_ones_have_their_own():
    def rows(name, segments):
        return [{"video": name, "segment": i} for i in range(segments)]

    cuts = [
        (rows("a", 1), 20.0),
        (rows("b", 1), 30.0),
        (rows("c", 3), 1800.0),
        (rows("d", 1), 20.0),
        (rows("e", 1), 90.0),
    ]
    packed = [[(row["video"], row["segment"]) for row in group] for group in pack(cuts, 60.0)]
    assert packed == [[("c", 0)], [("c", 1)], [("c", 2)], [("a", 0), ("b", 0)], [("e", 0)], [("d", 0)]]


def test_a_planned_video_keeps_its_part_and_a_missing_neighbour_is_named(two_walkers, tmp_path):
    videos, boxes = two_walkers
    write_video(videos / "more.mp4", walk(20, walkers=1))
    write_boxes(boxes / "more.txt", 20, walkers=1)
    extract(tmp_path / "work", [videos], boxes)
    (videos / "more.mp4").unlink()
    with pytest.raises(KitError, match=r"planned with `more\.mp4`"):
        extract(tmp_path / "work", [videos], boxes)


def sequence(folder, frames, with_info=True):
    (folder / "img1").mkdir(parents=True)
    for i in range(frames):
        Image.fromarray(picture(i, 2)).save(folder / "img1" / f"{i + 1:06d}.png")
    if with_info:
        info = {"name": folder.name, "frameRate": 5, "seqLength": frames, "imWidth": 160, "imHeight": 120}
        (folder / "seqinfo.ini").write_text("[Sequence]\n" + "".join(f"{key}={value}\n" for key, value in info.items()))
    return folder


def test_a_mot_folder_is_one_video_with_its_own_boxes(tmp_path):
    folder = sequence(tmp_path / "v" / "MOT-01", 12)
    write_boxes(folder / "det" / "det.txt", 12)
    found = extract(tmp_path / "work", [tmp_path / "v"])
    assert {row["video"] for row in found.rows} == {"MOT-01"}
    assert {row["seconds"] for row in found.rows} <= {i / 5 for i in range(12)}
    assert len(found.tracks("MOT-01.txt")) == 24


def test_a_picture_that_does_not_decode_keeps_its_number(tmp_path):
    folder = sequence(tmp_path / "v" / "MOT-01", 6)
    (folder / "img1" / "000003.png").write_bytes(b"no picture")
    write_boxes(folder / "det" / "det.txt", 6)
    found = extract(tmp_path / "work", [tmp_path / "v"])
    assert sorted({int(row[0]) for row in found.tracks("MOT-01.txt")}) == [1, 2, 4, 5, 6]
    assert found.reasons["MOT-01"] == ["1 pictures do not decode and were skipped"]


def test_tracks_only_reads_no_picture(tmp_path):
    folder = sequence(tmp_path / "v" / "MOT-01", 6)
    for path in (folder / "img1").iterdir():
        path.write_bytes(b"no picture")
    write_boxes(folder / "det" / "det.txt", 6)
    found = extract(tmp_path / "work", [tmp_path / "v"], tracks_only=True)
    assert found.rows == []
    assert len(found.tracks("MOT-01.txt")) == 12


@pytest.mark.usefixtures("two_walkers")
def test_what_a_list_names_is_taken_and_what_it_names_in_vain_is_told(tmp_path):
    listing = tmp_path / "list.txt"
    listing.write_text("# my videos\nvideos/walk.mp4\n\nvideos/gone.mp4\n")
    found = find_videos([listing])
    assert [video.name for video in found.videos] == ["walk.mp4"]
    assert found.unusable == [{"input": "videos/gone.mp4", "reason": "named in `list.txt` but does not exist"}]


def test_a_folder_is_walked_to_its_depth_and_other_files_are_left(two_walkers):
    videos, _ = two_walkers
    write_video(videos / "deep" / "er" / "b.MKV".lower(), walk(3))
    (videos / ".hidden.mp4").write_bytes(b"")
    (videos / "notes.txt").write_text("no list: it lies in the folder")
    assert [video.name for video in find_videos([videos]).videos] == ["walk.mp4", "deep/er/b.mkv"]
