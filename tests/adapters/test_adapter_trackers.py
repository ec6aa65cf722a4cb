"""BoxMOT behind the kit's boxes: each tracker runs, and the library preset gives what the library gives."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from ufine_kit.adapters import boxmot
from ufine_kit.errors import KitError

pytestmark = pytest.mark.full
SHAPE = (240, 320)


@pytest.fixture(scope="module", autouse=True)
def library():
    pytest.importorskip("boxmot")


def script(frames=60, people=4):
    """Noisy boxes of walkers that cross, some missing in some frames, xywh with confidence: a list of [n, 6]."""
    generator = np.random.default_rng(2)
    for i in range(frames):
        x = np.array([10 + 4 * i, 250 - 4 * i, 60 + i, 200 - 2 * i], dtype=float)[:people]
        y = np.array([20.0, 60.0, 100.0, 140.0])[:people]
        rows = np.column_stack(
            [x, y, np.full(people, 24.0), np.full(people, 60.0), np.full(people, 0.9), np.full(people, -1)]
        )
        rows[:, :4] += generator.normal(0, 0.7, (people, 4))
        rows[:, 4] -= generator.uniform(0, 0.6, people) * (generator.random(people) < 0.2)
        yield rows[generator.random(people) > 0.08]


def picture():
    return np.random.default_rng(0).integers(0, 255, (*SHAPE, 3), dtype=np.uint8)


def run(name, preset):
    tracker = boxmot.open_boxmot(name, preset, fps=10, lost_seconds=0.5, reid_weights=None)()
    look = picture()
    return [tracker.update(boxes, SHAPE, lambda: look) for boxes in script()]


@pytest.mark.parametrize("preset", ["strict", "library"])
@pytest.mark.parametrize("name", [name for name in boxmot.NAMES if name not in boxmot.NEEDS_REID])
def test_every_tracker_follows_four_walkers(name, preset):
    found = run(name, preset)
    late = np.concatenate(found[20:])
    assert all(boxes.shape[1] == 6 for boxes in found)
    assert len(late) > 80, "most boxes are tracked"
    assert np.abs(late[:, 2] - 24).mean() < 6 and np.abs(late[:, 3] - 60).mean() < 12, "boxes are widths and heights"


@pytest.mark.parametrize("name", boxmot.MOTION_ONLY)
def test_the_library_preset_is_the_library_itself(name):
    from boxmot.trackers.registry import create_tracker

    logging.getLogger("boxmot").setLevel(logging.ERROR)
    own = create_tracker(name)
    for boxes, ours in zip(script(), run(name, "library"), strict=True):
        given = np.column_stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:4], boxes[:, 4], np.zeros(len(boxes))])
        theirs = np.asarray(own.update(given.astype(np.float32), picture())).reshape(-1, 8)
        corners = np.hstack([ours[:, :2], ours[:, :2] + ours[:, 2:4]])
        assert corners == pytest.approx(theirs[:, :4], abs=1e-3)
        assert ours[:, 5].tolist() == theirs[:, 4].tolist()


def test_motion_trackers_never_ask_for_pixels():
    def refuse():
        raise AssertionError("pixels were asked for")

    for name in boxmot.MOTION_ONLY:
        tracker = boxmot.open_boxmot(name, "strict", 10, 0.5, None)()
        for boxes in script(5):
            tracker.update(boxes, SHAPE, refuse)


def test_a_frame_without_boxes_is_no_trouble():
    for name in boxmot.MOTION_ONLY:
        tracker = boxmot.open_boxmot(name, "strict", 10, 0.5, None)()
        assert tracker.update(np.zeros((0, 6)), SHAPE, picture).shape == (0, 6)


def test_nothing_is_said_on_stdout(capfd):
    run("bytetrack", "strict")
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(("name", "problem"), [("bytetrak", "no tracker"), ("strongsort", "needs a network")])
def test_what_cannot_be_opened_is_one_line(name, problem):
    with pytest.raises(KitError, match=problem):
        boxmot.open_boxmot(name, "strict", 10, 0.5, None)
