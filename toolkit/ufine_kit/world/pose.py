"""How a person stands or walks: the pose that is sampled and the joints that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ufine_kit.world.people import Person
from ufine_kit.world.shapes import Point

Joints = tuple[Point, Point, Point]

FACINGS = ("front", "back", "left", "right")  # left, right: of the picture, the way the person walks
BENT = ("phone", "paper cup", "book")  # things held before the body


@dataclass(frozen=True)
class Pose:
    """`stride` 0 stands still, 1 walks with long steps; `phase` is the place in the walking cycle, in radians."""

    facing: str
    stride: float = 0.0
    phase: float = 0.0
    turn: float = 0.0  # of the head, -1 to 1

    @property
    def side_on(self) -> bool:
        """Seen in profile."""
        return self.facing in ("left", "right")

    @property
    def near(self) -> str:
        """The person's own side that is towards the camera in profile."""
        return self.facing

    @property
    def walking(self) -> bool:
        """The feet are clearly apart or lifted."""
        return self.stride >= 0.25


def sample_pose(rng: np.random.Generator, facing: str | None = None) -> Pose:
    """A pose: front or back views a little more often than the two profiles; one in four stands."""
    if facing is None:
        facing = FACINGS[int(np.searchsorted((0.36, 0.62, 0.81), rng.random()))]
    stride = 0.0 if rng.random() < 0.25 else float(rng.uniform(0.35, 1.0))
    return Pose(facing, stride, float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(-1, 1)))


@dataclass(frozen=True)
class Bones:
    """Joints in figure units by own side: arms (shoulder, elbow, wrist), legs (hip, knee, ankle); half widths of the body.

    In profile the figure looks to the right of the picture; drawing turns it round for the other profile.
    """

    arms: dict[str, Joints]
    legs: dict[str, Joints]
    shoulder: float
    chest: float
    waist: float
    hip: float
    girth: float  # factor on the thickness of limbs

    def side_sign(self, side: str, facing: str) -> float:
        """+1 where the own `side` lies to the right of the picture, in front and back views."""
        return 1.0 if (side == "left") == (facing == "front") else -1.0


BUILDS = {"slim": (0.90, 0.86), "medium": (1.0, 1.0), "sturdy": (1.16, 1.26)}  # frame, girth
BODIES: dict[str, dict[str, float]] = {
    "man": {"shoulder": 0.116, "chest": 0.104, "waist": 0.090, "hip": 0.089},
    "woman": {"shoulder": 0.098, "chest": 0.090, "waist": 0.070, "hip": 0.096},
}


def _arm_ahead(person: Person, side: str) -> bool:
    held = person.carried
    return held is not None and held.hand == side and held.kind in BENT


def _step(pose: Pose, side: str) -> tuple[float, float]:
    """(how far the leg of this side is forward, how much it is lifted), -1 to 1 and 0 to 1."""
    phase = pose.phase + (0.0 if side == "left" else math.pi)
    return pose.stride * math.sin(phase), pose.stride * max(0.0, math.cos(phase))


def _facing_joints(person: Person, pose: Pose, side: str, size: dict[str, float]) -> tuple[Joints, Joints]:
    sign = 1.0 if (side == "left") == (pose.facing == "front") else -1.0
    toward = 1.0 if pose.facing == "front" else -1.0
    forward, lift = _step(pose, side)
    hip = (sign * size["hip"] * 0.50, 0.50)
    knee = (sign * (size["hip"] * 0.52 + 0.004), 0.725 - 0.012 * lift)
    ankle = (sign * (size["hip"] * 0.52 + 0.004), 0.945 + 0.010 * forward * toward - 0.040 * lift)
    shoulder = (sign * size["shoulder"] * 0.83, 0.210)
    swing = -forward * toward  # the arm goes against its leg
    elbow = (sign * (size["shoulder"] + 0.012 + 0.006 * abs(swing)), 0.352 + 0.006 * swing)
    wrist = (sign * (size["shoulder"] + 0.016 - 0.018 * max(swing, 0)), 0.487 - 0.030 * abs(swing))
    if _arm_ahead(person, side):
        elbow, wrist = (sign * (size["shoulder"] + 0.020), 0.345), (sign * 0.052, 0.300)
    return (shoulder, elbow, wrist), (hip, knee, ankle)


def _profile_joints(person: Person, pose: Pose, side: str) -> tuple[Joints, Joints]:
    forward, lift = _step(pose, side)
    thigh, shin = 0.44 * forward, 0.44 * forward - 0.62 * lift - 0.10 * max(0.0, -forward)
    hip = (0.0, 0.50)
    knee = (0.228 * math.sin(thigh), 0.50 + 0.228 * math.cos(thigh))
    ankle = (knee[0] + 0.218 * math.sin(shin), knee[1] + 0.218 * math.cos(shin))
    upper_arm = -0.55 * forward - 0.05
    fore_arm = upper_arm + 0.22 + 0.25 * max(0.0, -forward)
    shoulder = (-0.006, 0.210)
    if _arm_ahead(person, side):
        upper_arm, fore_arm = 0.10, 2.0
    elbow = (shoulder[0] + 0.155 * math.sin(upper_arm), shoulder[1] + 0.155 * math.cos(upper_arm))
    wrist = (elbow[0] + 0.135 * math.sin(fore_arm), elbow[1] + 0.135 * math.cos(fore_arm))
    return (shoulder, elbow, wrist), (hip, knee, ankle)


def bones(person: Person, pose: Pose) -> Bones:
    """Joints of `person` in `pose`; the lower foot stands on the ground."""
    frame, girth = BUILDS[person.build]
    size = {name: value * frame for name, value in BODIES[person.gender].items()}
    size["waist"] *= frame  # a sturdy person is widest at the waist
    arms: dict[str, Joints] = {}
    legs: dict[str, Joints] = {}
    for side in ("left", "right"):
        joints = _profile_joints(person, pose, side) if pose.side_on else _facing_joints(person, pose, side, size)
        arms[side], legs[side] = joints
    if pose.side_on:  # long steps would lift both feet: the legs are drawn out until the lower one stands
        sink = (0.945 - max(ankle[1] for _, _, ankle in legs.values())) / 0.45
        for side, (hip, knee, ankle) in legs.items():
            knee, ankle = ((x, y + sink * (y - 0.50)) for x, y in (knee, ankle))
            legs[side] = (hip, knee, ankle)
    return Bones(arms, legs, size["shoulder"], size["chest"], size["waist"], size["hip"], girth)
