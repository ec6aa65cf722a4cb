"""Drawn crops: seeded, labelled, in the named colours, and honest about sides and about what is hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ufine_kit.world import PARTS, Variation, crop_jpeg, draw_crop, facts_of, sample_people
from ufine_kit.world.figure import pieces
from ufine_kit.world.palette import nearest
from ufine_kit.world.people import Bag, Carried, Headwear
from ufine_kit.world.pose import FACINGS, Pose
from ufine_kit.world.raster import render

pytestmark = pytest.mark.full

PEOPLE = sample_people(160, seed=11)
PLAIN = Variation.plain()
SIZE = (128, 64)


def part(name: str) -> int:
    return PARTS.index(name)


def bare(person, **changes):
    """The person without anything that hides the body, but for `changes`."""
    empty = {"headwear": None, "glasses": None, "outer": None, "bag": None, "carried": None}
    return replace(person, **(empty | changes))


def middle(mask: np.ndarray) -> float:
    return float(np.nonzero(mask.any(axis=0))[0].mean())


def test_one_seed_draws_one_picture_and_another_another():
    one, again, other = (draw_crop(PEOPLE[0], seed, SIZE) for seed in (3, 3, 4))
    assert np.array_equal(one.image, again.image)
    assert np.array_equal(one.parts, again.parts)
    assert one.view == again.view
    assert not np.array_equal(one.image, other.image)
    assert crop_jpeg(PEOPLE[0], 3, SIZE) == crop_jpeg(PEOPLE[0], 3, SIZE)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(height=st.integers(24, 420), width=st.integers(12, 200), number=st.integers(0, 159))
def test_any_size_is_drawn_with_valid_labels(height, width, number):
    drawing = draw_crop(PEOPLE[number], 1, (height, width))
    assert drawing.image.shape == (height, width, 3)
    assert drawing.image.dtype == np.uint8
    assert drawing.parts.shape == (height, width)
    assert drawing.parts.max() < len(PARTS)


@pytest.mark.parametrize("garment", ["upper", "lower"])
def test_a_plain_garment_is_drawn_in_the_colour_of_its_name(garment):
    right = total = 0
    for person in PEOPLE:
        worn = getattr(person, garment)
        if worn.pattern != "plain":
            continue
        drawing = draw_crop(bare(person), 2, SIZE, facing="front", variation=PLAIN)
        mask = drawing.parts == part(garment)
        if mask.sum() < 90:
            continue
        right += nearest(np.median(drawing.image[mask], axis=0)) == worn.colour
        total += 1
    assert total > 25
    assert right / total >= 0.97


def test_light_and_noise_leave_most_colours_tellable():
    drawings = [
        (person, draw_crop(bare(person), 2, SIZE, facing="back"))
        for person in PEOPLE
        if person.upper.pattern == "plain"
    ]
    right = [
        nearest(np.median(d.image[d.parts == part("upper")], axis=0)) == person.upper.colour for person, d in drawings
    ]
    assert np.mean(right) >= 0.75


def test_the_box_encloses_every_labelled_pixel():
    for person in PEOPLE[:40]:
        drawing = draw_crop(person, 6, SIZE)
        rows, columns = np.nonzero(drawing.parts)
        x, y, w, h = drawing.view.box
        assert (x, y) == (columns.min(), rows.min())
        assert (x + w, y + h) == (columns.max() + 1, rows.max() + 1)


def test_the_mask_covers_the_figure_and_nothing_else():
    sprite = render(pieces(PEOPLE[3], Pose("front")), 200)
    assert np.array_equal(sprite.index > 0, sprite.rgba[..., 3] >= 128)
    assert set(np.unique(sprite.parts)) >= {part("face"), part("upper"), part("lower"), part("shoes")}


@pytest.mark.parametrize(("facing", "sign"), [("front", 1), ("back", -1)])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", ["handbag", "shoulder bag", "tote bag", "crossbody bag"])
def test_a_bag_hangs_on_the_wearers_own_side(facing, sign, side, kind):
    person = bare(PEOPLE[0], bag=Bag(kind, "red", side))
    sprite = render(pieces(person, Pose(facing)), 200)
    low = sprite.parts[int(sprite.origin[1] - 0.60 * 200) :]  # below the straps
    to_the_right = middle(low == part("bag")) - sprite.origin[0]
    assert to_the_right * sign * (1 if side == "left" else -1) > 10


@pytest.mark.parametrize("facing", ["left", "right"])
@pytest.mark.parametrize("kind", ["handbag", "shoulder bag", "tote bag"])
def test_a_profile_shows_the_near_side_and_hides_most_of_the_far(facing, kind):
    far = "right" if facing == "left" else "left"
    shown = {
        side: np.count_nonzero(
            render(pieces(bare(PEOPLE[2], bag=Bag(kind, "red", side)), Pose(facing)), 200).parts == part("bag")
        )
        for side in (facing, far)
    }
    assert shown[facing] > 2 * shown[far]


@pytest.mark.parametrize("facing", ["front", "back"])
def test_the_hand_that_carries_is_the_wearers_own(facing):
    person = bare(PEOPLE[1], carried=Carried("shopping bag", "red", "left"))
    sprite = render(pieces(person, Pose(facing)), 200)
    offset = middle(sprite.parts == part("carried")) - sprite.origin[0]
    assert (offset > 0) == (facing == "front")


def test_the_two_profiles_are_mirror_images_where_nothing_is_sided():
    left, right = (render(pieces(bare(PEOPLE[4]), Pose(facing)), 180, light=0.0) for facing in ("left", "right"))
    differ = np.mean(left.parts[:, ::-1][:, : right.parts.shape[1]] != right.parts[:, : left.parts.shape[1]])
    assert differ < 0.06


@pytest.mark.parametrize("facing", FACINGS)
def test_a_back_view_hides_glasses_and_face(facing):
    view = draw_crop(bare(PEOPLE[0], glasses="sunglasses"), 3, (384, 128), facing=facing, variation=PLAIN).view
    assert ("glasses" in view.visible) == (facing != "back")
    assert ("face" in view.visible) == (facing != "back")


def test_a_print_shows_only_from_the_front():
    person = bare(
        PEOPLE[0], upper=replace(PEOPLE[0].upper, kind="t-shirt", pattern="print", second="red", sleeves="short")
    )
    shown = {
        f for f in FACINGS if "upper pattern" in draw_crop(person, 3, SIZE, facing=f, variation=PLAIN).view.visible
    }
    assert shown == {"front"}


def test_what_an_occluder_hides_is_not_visible():
    hidden = 0
    for number, person in enumerate(PEOPLE[:80]):
        view = draw_crop(person, number, SIZE, variation=Variation(occlusion=1.0)).view
        assert view.occluder is not None
        hidden += "shoes" not in view.visible
        if "shoes" not in view.visible:
            assert not any(fact.item == "shoes" for fact in facts_of(person, view))
    assert hidden > 10
    assert not any(draw_crop(person, 1, SIZE, variation=PLAIN).view.occluder for person in PEOPLE[:20])


def test_a_closed_coat_hides_the_garment_under_it():
    outer = next(person.outer for person in sample_people(400, seed=2) if person.outer and person.outer.closed)
    person = replace(bare(PEOPLE[5]), outer=outer, headwear=Headwear("cap", "red"))
    for facing, under in (("front", False), ("back", False)):
        visible = draw_crop(person, 1, (384, 128), facing=facing, variation=PLAIN).view.visible
        assert ("upper" in visible) is under
        assert "outer" in visible


def test_small_crops_keep_garments_tellable():
    visible = [draw_crop(person, 8, (96, 48), variation=PLAIN).view.visible for person in PEOPLE]
    assert np.mean(["lower" in v and ("upper" in v or "outer" in v) for v in visible]) > 0.97
    assert np.mean(["shoes" in v for v in visible]) > 0.9
