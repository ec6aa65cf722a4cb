"""The kit's own tracker, and the assignment under it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ufine_kit.extract.assign import assign
from ufine_kit.extract.byte import ByteSettings, ByteTracker, byte_settings
from ufine_kit.extract.frames import Frame
from ufine_kit.extract.mot import ID


def best_gain(cost, limit):
    """The largest total gain over all ways to pair rows and columns, by trying every one."""
    rows, columns = cost.shape
    if rows > columns:
        return best_gain(cost.T, limit)
    return max(
        (
            sum(max(0.0, limit - cost[i, j]) for i, j in enumerate(order))
            for order in itertools.permutations(range(columns), rows)
        ),
        default=0.0,
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 10_000), st.sampled_from([0.3, 0.7, 1.0]))
def test_the_assignment_gains_as_much_as_any(rows, columns, seed, limit):
    cost = np.random.default_rng(seed).random((rows, columns)).round(1)
    pairs = assign(cost, limit)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(cost[i, j] < limit for i, j in pairs)
    assert sum(limit - cost[i, j] for i, j in pairs) == pytest.approx(best_gain(cost, limit))


@pytest.mark.full
def test_a_large_crowd_is_paired_as_scipy_pairs_it():
    optimize = pytest.importorskip("scipy.optimize")
    generator = np.random.default_rng(1)
    places, moved = generator.random((80, 2)) * 10, generator.permutation(80)
    cost = np.abs(places[:, None] - (places[moved] + generator.normal(0, 0.05, (80, 2)))[None]).sum(axis=2)
    rows, columns = optimize.linear_sum_assignment(np.minimum(cost, 0.9))
    wanted = sum(0.9 - cost[i, j] for i, j in zip(rows, columns, strict=True) if cost[i, j] < 0.9)
    assert sum(0.9 - cost[i, j] for i, j in assign(cost, 0.9)) == pytest.approx(wanted)


def row(x, y=50.0, confidence=0.9, w=20.0, h=60.0):
    return [x, y, w, h, confidence, -1]


def run(frames, how=ByteSettings()):
    tracker = ByteTracker(how)
    return [
        tracker.update(Frame(i, i / 10, 320, 240), np.array(rows, dtype=float).reshape(-1, 6))
        for i, rows in enumerate(frames)
    ]


def ids(found):
    return [sorted(int(value) for value in boxes[:, ID]) for boxes in found]


def test_walkers_keep_their_ids_and_their_boxes_follow():
    found = run([[row(10 + 3 * i), row(250 - 2 * i, y=120)] for i in range(30)])
    assert ids(found) == [[1, 2]] * 30
    left = found[-1][np.argmin(found[-1][:, 0])]
    assert left[:4] == pytest.approx([97, 50, 20, 60], abs=1.0)


def test_a_new_person_must_be_seen_twice_after_the_first_frame():
    found = run([[row(10)], [row(12), row(200)], [row(14), row(201)], [row(16)], [row(18), row(100)], [row(20)]])
    assert ids(found) == [[1], [1], [1, 2], [1], [1], [1]]


def test_an_unsure_box_prolongs_a_track_and_never_begins_one():
    hidden = [[row(10 + 2 * i, confidence=0.3 if 3 <= i < 9 else 0.9)] for i in range(12)]
    assert ids(run(hidden)) == [[1]] * 12
    assert ids(run([[row(10, confidence=0.3)]] * 6)) == [[]] * 6


@pytest.mark.parametrize(("gap", "identity"), [(4, 1), (12, 2)])
def test_a_lost_person_comes_back_under_the_old_id_only_for_a_while(gap, identity):
    frames = [[row(10)]] * 6 + [[]] * gap + [[row(10)]] * 3
    assert ids(run(frames, ByteSettings(lost_frames=8)))[-1] == [identity]


def test_lost_persons_are_met_where_their_motion_has_taken_them():
    frames = [[row(10 + 5 * i)] for i in range(12)] + [[]] * 5 + [[row(10 + 5 * i)] for i in range(17, 20)]
    assert ids(run(frames))[-1] == [1]


def test_strict_settings_ask_for_more_overlap_and_forget_sooner():
    strict, library = byte_settings("strict", 10, 0.5), byte_settings("library", 10, 0.5)
    assert strict.match_limit < library.match_limit
    assert strict.lost_frames == 5 < library.lost_frames
    jumping = [[row(10)]] * 4 + [[row(24)]] * 4  # moves by 14 of its 20 pixels at once: IoU 0.18
    assert ids(run(jumping, library))[-1] == [1]
    assert ids(run(jumping, strict))[-1] == [2]


def test_a_track_found_again_beside_a_double_leaves_one():
    frames = [[row(10)]] * 8 + [[row(60)]] * 3 + [[row(12)]] * 4
    assert all(len(boxes) <= 1 for boxes in run(frames))


def test_an_id_is_over_when_the_tracker_has_forgotten_it():
    tracker = ByteTracker(ByteSettings(lost_frames=5))
    assert not tracker.is_over(1, 6, Frame(0, 0, 1, 1))
    assert tracker.is_over(1, 7, Frame(0, 0, 1, 1))


def test_frames_without_boxes_are_no_trouble():
    found = run([[], [], [row(5)], [row(6)], []])
    assert [boxes.shape for boxes in found] == [(0, 6), (0, 6), (0, 6), (1, 6), (0, 6)]
