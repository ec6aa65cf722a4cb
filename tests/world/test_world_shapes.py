"""Outlines, poses and sprites: the geometry below the figures."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ufine_kit.world import PARTS, sample_people
from ufine_kit.world.backdrop import OCCLUDERS, PLACES, backdrop, occluder
from ufine_kit.world.draw import expose, ground_shadow, paste
from ufine_kit.world.figure import pieces
from ufine_kit.world.palette import COLOURS
from ufine_kit.world.pose import FACINGS, Pose, bones, sample_pose
from ufine_kit.world.raster import render, supersampling
from ufine_kit.world.shapes import Pattern, ellipse, limb, patterned, polygon, smooth, symmetric

PEOPLE = sample_people(120, seed=61)
SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
RED = COLOURS["red"]


def axis_at(piece, point) -> float:
    a, b, c = piece.axis
    return a * point[0] + b * point[1] + c


def test_a_smooth_curve_goes_through_its_points():
    curve = smooth(SQUARE, 4)
    assert curve.shape == (16, 2)
    assert np.allclose(curve[::4], SQUARE)


def test_a_half_is_closed_by_its_mirror_image():
    whole = symmetric([(0.0, 0.0), (0.3, 0.1), (0.2, 0.5)])
    assert whole == [(0.0, 0.0), (0.3, 0.1), (0.2, 0.5), (-0.2, 0.5), (-0.3, 0.1)]


@pytest.mark.parametrize("end", [(0.0, 0.5), (0.3, 0.4), (-0.3, 0.4), (0.4, 0.0), (0.0, -0.5)])
def test_a_limb_is_as_thick_as_its_ends_and_shaded_from_left_to_right(end):
    piece = limb("lower", (0.0, 0.0), end, 0.05, 0.05, RED)
    away = np.abs(np.cross(np.array([*end, 0.0]), np.c_[piece.points, np.zeros(len(piece.points))])[:, 2])
    assert away.max() / math.hypot(*end) == pytest.approx(0.05, abs=1e-6)
    assert axis_at(piece, (end[0] / 2, end[1] / 2)) == pytest.approx(0, abs=1e-9)
    assert piece.axis[0] >= 0


def test_a_flat_cap_ends_where_the_limb_ends():
    ends = [limb("lower", (0.0, 0.0), (0.0, 0.5), 0.05, 0.05, RED, cap=cap).points[:, 1].max() for cap in (0.0, 1.0)]
    assert ends == pytest.approx([0.5, 0.55])


def test_a_mirrored_piece_is_lit_from_the_same_side():
    piece = limb("lower", (0.1, 0.0), (0.3, 0.4), 0.05, 0.03, RED)
    other = piece.mirrored()
    assert np.allclose(other.points[:, 0], -piece.points[:, 0])
    assert axis_at(other, (-0.2, 0.2)) == pytest.approx(0, abs=1e-9)
    assert other.axis[0] * piece.axis[0] > 0
    assert np.allclose(other.mirrored().axis, piece.axis)


@pytest.mark.parametrize(
    ("name", "second", "woven"),
    [("checks", "red", True), ("plain", None, False), ("print", "red", False), ("side stripes", "red", False)],
)
def test_woven_patterns_are_told_from_prints(name, second, woven):
    assert (patterned(name, second) is not None) is woven


@pytest.mark.parametrize("name", ["horizontal stripes", "vertical stripes", "checks", "dots", "colour block"])
def test_a_pattern_shows_both_colours(name):
    cloth = polygon(
        "upper", [(-0.1, 0.2), (0.1, 0.2), (0.1, 0.5), (-0.1, 0.5)], (240, 240, 240), Pattern(name, (20, 20, 20))
    )
    cloth = replace(cloth, pattern=patterned(name, "black"))
    shown = render([cloth], 300).rgba
    bright = shown[shown[..., 3] == 255][:, :3].mean(axis=1)
    assert 0.08 < np.mean(bright < 90) < 0.8
    assert np.mean(bright > 180) > 0.1


def test_a_piece_covers_those_before_it():
    under, over = ellipse("upper", (0.0, 0.5), 0.2, 0.2, RED), ellipse("bag", (0.0, 0.5), 0.1, 0.1, (0, 0, 255))
    parts = render([under, over], 100).parts
    assert parts[parts.shape[0] // 2, parts.shape[1] // 2] == PARTS.index("bag")
    assert set(np.unique(parts)) == {0, PARTS.index("upper"), PARTS.index("bag")}


def test_small_figures_are_sampled_more_densely():
    assert [supersampling(height) for height in (40, 120, 400)] == [4, 3, 2]


def test_alpha_is_premultiplied():
    rgba = render(pieces(PEOPLE[0], Pose("front")), 150).rgba.astype(int)
    assert (rgba[..., :3].max(axis=2) <= rgba[..., 3]).all()
    assert (rgba[rgba[..., 3] == 0] == 0).all()


@settings(derandomize=True, max_examples=40, deadline=None)
@given(number=st.integers(0, 119), facing=st.sampled_from(FACINGS), stride=st.floats(0, 1), phase=st.floats(0, 6.3))
def test_every_figure_stands_on_the_ground_and_keeps_its_height(number, facing, stride, phase):
    drawn = pieces(PEOPLE[number], Pose(facing, stride, phase))
    points = np.concatenate([piece.points for piece in drawn])
    assert 0.97 < points[:, 1].max() < 1.03
    assert -0.06 < points[:, 1].min() < 0.02
    assert np.abs(points[:, 0]).max() < 0.36
    assert len(drawn) < 255


@pytest.mark.parametrize("facing", ["left", "right"])
def test_feet_part_when_walking_in_profile(facing):
    def gap(stride: float) -> float:
        legs = bones(PEOPLE[0], Pose(facing, stride, math.pi / 2)).legs
        return abs(legs["left"][2][0] - legs["right"][2][0])

    assert gap(0.0) == pytest.approx(0.0)
    assert gap(1.0) > 0.25


def test_poses_come_in_all_facings_and_some_stand():
    rng = np.random.default_rng(0)
    poses = [sample_pose(rng) for _ in range(400)]
    assert {pose.facing for pose in poses} == set(FACINGS)
    assert 0.15 < np.mean([pose.stride == 0 for pose in poses]) < 0.35
    assert all(pose.walking == (pose.stride > 0) for pose in poses)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [(96, 48), (385, 129), (360, 640)])
def test_places_fill_any_picture(place, size):
    picture = backdrop(np.random.default_rng(1), size[1], size[0], place)
    assert picture.shape == (*size, 3)
    assert picture.std() > 4


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_things_in_front_hide_some_of_the_figure_but_not_all(kind):
    picture, mask = occluder(np.random.default_rng(2), 64, 192, kind, 12, 52)
    assert picture.shape == (192, 64, 3)
    assert 0.01 < mask[20:180, 12:52].mean() < 0.6


def test_a_sprite_beyond_the_border_is_cut_and_leaves_the_rest_alone():
    sprite = render(pieces(PEOPLE[0], Pose("front")), 60)
    picture = np.full((80, 40, 3), 9, np.uint8)
    for x, y in ((-500, 0), (500, 0), (0, 500)):
        paste(picture, sprite, x, y)
    assert (picture == 9).all()
    paste(picture, sprite, -10, -20)
    assert (picture != 9).any()


def test_light_is_even_and_noise_absent_unless_asked_for():
    flat = np.full((20, 20, 3), 120, np.uint8)
    assert (expose(np.random.default_rng(0), flat, 0.0, 0.0) == 120).all()
    noisy = expose(np.random.default_rng(0), flat, 0.0, 1.0)
    assert 0.5 < noisy.std() < 6
    assert abs(noisy.mean() - 120) < 1


def test_a_shadow_darkens_the_ground_and_nothing_else():
    picture = np.full((60, 60, 3), 200, np.uint8)
    ground_shadow(picture, 30, 50, 60)
    assert picture[50, 30, 0] < 150
    assert (picture[:40] == 200).all()
    ground_shadow(picture, 500, 50, 60)  # outside
