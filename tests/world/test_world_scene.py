"""Videos of the world: people cross, leave, come again and are cut away, and the truth says so frame by frame."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest

from ufine_kit.world import sample_people
from ufine_kit.world.choreography import PLANTS, VideoPlan, VideoSettings, cast_of, plan_video
from ufine_kit.world.footage import track_view
from ufine_kit.world.scene import frames_of
from ufine_kit.world.tracking import (
    DetectionNoise,
    clipped,
    det_lines,
    gt_lines,
    occlusions,
    track_lines,
    tracks_of,
)

SETTINGS = VideoSettings(seconds=12, fps=10, height=180, width=320, noise=0.0)
PEOPLE = {person.identity: person for person in sample_people(30, seed=41)}


def iou(one, other) -> float:
    """Intersection over union of two boxes, x, y, w, h."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    tall = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(wide, 0) * max(tall, 0)
    return both / (one[2] * one[3] + other[2] * other[3] - both)


class Film(NamedTuple):
    """A planned video, its frames, who is to be seen in each, and their tracks."""

    plan: VideoPlan
    images: tuple
    seen: tuple
    tracks: list


@cache
def film() -> Film:
    """Drawn when the first test asks for it, and only looked at."""
    plan = plan_video(0, range(30), 41, SETTINGS)
    images, seen = zip(*frames_of(plan, PEOPLE), strict=True)
    return Film(plan, images, seen, tracks_of(seen))


pytestmark = [pytest.mark.full, pytest.mark.xdist_group("world scene")]
QUIET = replace(SETTINGS, planted=())


def test_one_seed_makes_one_film():
    again = frames_of(plan_video(0, range(30), 41, SETTINGS), PEOPLE)
    for (image, seen), first_image, first_seen in zip(again, film().images[:25], film().seen[:25], strict=False):
        assert np.array_equal(image, first_image)
        assert seen == first_seen


def test_a_video_has_the_frames_and_shots_that_were_asked_for():
    assert len(film().images) == film().plan.frames == 120
    assert [(shot.first, shot.end) for shot in film().plan.shots] == [(0, 60), (60, 120)]
    assert film().images[0].shape == (180, 320, 3)


def test_a_cut_changes_the_picture_more_than_walking_does():
    change = [float(np.abs(a.astype(int) - b).mean()) for a, b in pairwise(film().images)]
    assert int(np.argmax(change)) + 1 == film().plan.shots[1].first


def test_people_cross_and_the_nearer_one_is_in_front():
    events = occlusions(film().seen)
    assert any(event["most"] > 0.5 for event in events)
    for event in events:
        frame = {one.identity: one for one in film().seen[event["first_frame"]]}
        feet = {who: frame[who].box[1] + frame[who].box[3] for who in (event["front"], event["behind"])}
        assert feet[event["front"]] >= feet[event["behind"]] - 6  # a foot may be lifted


def test_people_come_again_after_a_cut_in_a_shot_and_in_another_video():
    shots = [{walk.identity for walk in shot.walks} for shot in film().plan.shots]
    assert shots[0] & shots[1]
    assert any(
        len([w for w in shot.walks if w.identity == who]) > 1
        for shot in film().plan.shots
        for who in {w.identity for w in shot.walks}
    )
    first, second = (set(cast_of(number, range(30), 4, 2)) for number in (0, 1))
    assert len(first & second) == 2


def test_nobody_is_in_two_places_at_once():
    for number in range(6):
        for shot in plan_video(number, range(30), 41, SETTINGS).shots:
            for frame in range(shot.first, shot.end):
                present = [walk.identity for walk in shot.walks if walk.first <= frame < walk.end]
                assert len(present) == len(set(present))


def test_boxes_enclose_what_can_be_seen_of_a_person():
    empty = {}
    for shot in film().plan.shots:  # the place without people, taken as the median of its frames
        empty[shot.number] = np.median(np.stack(film().images[shot.first : shot.end : 4]), axis=0)
    for frame in range(0, 120, 7):
        changed = np.abs(film().images[frame].astype(int) - empty[0 if frame < 60 else 1]).max(axis=2) > 60
        for one in film().seen[frame]:
            x, y, w, h = (int(v) for v in clipped(one.box, 320, 180))
            changed[max(0, y - 3) : y + h + 3, max(0, x - 3) : x + w + 3] = False
        moving = film().seen[frame]
        assert changed.mean() < 0.04 or not moving  # what is left are people whom the median holds for background


def test_visibility_counts_what_is_hidden_and_what_is_cut():
    for seen in film().seen:
        for one in seen:
            inside = clipped(one.box, 320, 180)
            assert 0 <= one.visibility <= 1
            assert one.visibility + sum(one.hidden_by.values()) <= 1 + 1e-9
            if inside[2] < one.box[2] * 0.5:
                assert one.visibility < 0.75


@pytest.mark.parametrize("kind", PLANTS)
def test_planted_noise_is_there_and_is_told(kind):
    found = [one for seen in film().seen for one in seen if one.planted == kind]
    assert found
    others = [one.box[3] for seen in film().seen for one in seen if one.planted is None]
    if kind == "tiny":
        assert max(one.box[3] for one in found) < 0.5 * min(others)
    if kind == "blurred":
        assert any(one.blurred for one in found)
        assert not any(one.blurred for one in found[: len(found) // 4])
    if kind == "truncated":
        assert max(one.visibility for one in found) < 0.7
    if kind == "overlapped":
        assert (
            np.mean(
                [
                    max(iou(one.box, other.box) for other in film().seen[one.frame] if other != one) > 0.3
                    for one in found
                ]
            )
            > 0.9
        )


def test_blur_takes_away_sharpness():
    blurred = next(one for seen in film().seen for one in seen if one.blurred and one.visibility > 0.9)
    sharp = next(s for s in film().seen[film().plan.shots[blurred.shot].first] if s.walk == blurred.walk)
    contrast = []
    for one in (sharp, blurred):
        x, y, w, h = (int(v) for v in clipped(one.box, 320, 180))
        contrast.append(
            float(np.abs(np.diff(film().images[one.frame][y : y + h, x : x + w].astype(int), axis=0)).mean())
        )
    assert contrast[1] < 0.75 * contrast[0]


def test_no_noise_is_planted_unless_asked_for():
    plan = plan_video(0, range(30), 41, QUIET)
    assert all(walk.planted is None and walk.blurred is None for shot in plan.shots for walk in shot.walks)


def test_tracks_end_at_cuts_and_hold_one_person_in_one_facing():
    assert len(film().tracks) >= 8
    for track in film().tracks:
        assert len(track.identities) == 1
        assert len({one.shot for one in track.seen}) == 1
        assert len({one.facing for one in track.seen}) == 1
        frames = [one.frame for one in track.seen]
        assert frames == sorted(set(frames))


def test_a_person_who_comes_again_has_another_track():
    whose = [track.identities[0]["identity"] for track in film().tracks]
    assert len(whose) > len(set(whose))


def test_switched_ids_hold_two_people_and_are_told():
    switched = [track for track in tracks_of(film().seen, switches=1) if len(track.identities) > 1]
    assert len(switched) == 2
    one, other = (track.identities for track in switched)
    assert [run["identity"] for run in one] == [run["identity"] for run in other][::-1]
    assert all(track_view(track) is None for track in switched)


def test_a_track_is_described_by_what_every_good_frame_shows():
    views = [(track, track_view(track)) for track in film().tracks]
    assert sum(view is not None for _, view in views) >= 6
    for track, view in views:
        if view is None:
            continue
        assert all(view.visible <= one.visible for one in track.good)
        frames = {one.frame for one in track.good}
        assert frames == {f for first, last in track.good_ranges() for f in range(first, last + 1)}
        assert all(one.visibility >= 0.75 and not one.blurred for one in track.good)


def columns(lines: list[str]) -> np.ndarray:
    return np.array([[float(value) for value in line.split(",")] for line in lines])


def test_truth_is_in_mot_format():
    rows = columns(gt_lines(film().seen))
    assert rows.shape == (sum(map(len, film().seen)), 9)
    assert rows[:, 0].min() == 1
    assert rows[:, 0].max() == 120
    assert set(rows[:, 1] - 1) == {one.identity for seen in film().seen for one in seen}
    assert set(map(tuple, rows[:, 6:8])) == {(1.0, 1.0)}
    assert rows[:, 8].min() >= 0
    assert rows[:, 8].max() <= 1


def test_given_detections_are_the_true_boxes_inside_the_picture():
    rows = columns(det_lines(film().seen, 320, 180, DetectionNoise(), np.random.default_rng(0)))
    wanted = [one for seen in film().seen for one in seen if one.visibility >= 0.25]
    assert len(rows) == len(wanted)
    assert rows.shape[1] == 10
    assert set(rows[:, 1]) == {-1}
    assert (rows[:, 2] + rows[:, 4]).max() <= 320
    assert rows[:, 2:6].min() >= 0


@pytest.mark.parametrize(
    ("noise", "low", "high"),
    [
        (DetectionNoise(misses=0.3), 0.6, 0.8),
        (DetectionNoise(false_positives=1.0), 1.1, 1.5),
        (DetectionNoise(jitter=0.05), 1.0, 1.0),
    ],
)
def test_noise_of_detections_is_what_was_asked_for(noise, low, high):
    clean = det_lines(film().seen, 320, 180, DetectionNoise(), np.random.default_rng(0))
    noisy = det_lines(film().seen, 320, 180, noise, np.random.default_rng(0))
    assert low <= len(noisy) / len(clean) <= high
    if noise.jitter:
        moved = np.abs(columns(noisy)[:, 2:4] - columns(clean)[:, 2:4])
        assert 1 < moved.mean() < 12


def test_tracks_are_written_in_order_with_boxes_inside_the_picture():
    rows = columns(track_lines(film().tracks, 320, 180))
    assert list(rows[:, 0]) == sorted(rows[:, 0])
    assert set(rows[:, 1]) == set(range(1, len(film().tracks) + 1))
    assert (rows[:, 3] + rows[:, 5]).max() <= 180
