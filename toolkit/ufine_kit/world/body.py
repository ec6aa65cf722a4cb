"""The body of a figure: limbs, neck, head, face and hair as pieces; clothes are put on elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from ufine_kit.world.palette import HAIR_COLOURS, RGB, SKINS, tint
from ufine_kit.world.people import Person
from ufine_kit.world.pose import Bones, Pose
from ufine_kit.world.shapes import Piece, Point, blob, ellipse, limb, polygon, symmetric

LIP: RGB = (176, 84, 84)
EYE: RGB = (40, 34, 36)


@dataclass(frozen=True)
class Body:
    """A person in a pose with the joints that follow: what every piece is drawn from."""

    person: Person
    pose: Pose
    bones: Bones

    @property
    def skin(self) -> RGB:
        """Colour of the skin."""
        return SKINS[self.person.skin]

    @property
    def hair(self) -> RGB:
        """Colour of the hair."""
        return HAIR_COLOURS[self.person.hair.colour]

    @property
    def facing(self) -> str:
        """front, back or side."""
        return "side" if self.pose.side_on else self.pose.facing

    @property
    def far(self) -> str:
        """The own side away from the camera, in profile."""
        return "right" if self.pose.near == "left" else "left"

    def shade(self, side: str) -> float:
        """Limbs on the far side of a profile lie in shadow."""
        return 0.84 if self.pose.side_on and side == self.far else 1.0


def leg_skin(body: Body, side: str) -> list[Piece]:
    """Bare leg from hip to ankle."""
    hip, knee, ankle = body.bones.legs[side]
    girth, colour = body.bones.girth, tint(body.skin, body.shade(side))
    return [
        limb("skin", knee, ankle, 0.034 * girth, 0.022 * girth, colour),
        limb("skin", hip, knee, 0.046 * girth, 0.034 * girth, colour),
    ]


def arm_skin(body: Body, side: str) -> list[Piece]:
    """Bare arm and hand."""
    shoulder, elbow, wrist = body.bones.arms[side]
    girth, colour = body.bones.girth, tint(body.skin, body.shade(side))
    hand = (wrist[0] + 0.10 * (wrist[0] - elbow[0]), wrist[1] + 0.10 * (wrist[1] - elbow[1]) + 0.008)
    return [
        limb("skin", shoulder, elbow, 0.028 * girth, 0.024 * girth, colour),
        limb("skin", elbow, wrist, 0.024 * girth, 0.018, colour),
        ellipse("skin", hand, 0.020, 0.026, colour, steps=12),
    ]


def neck(body: Body) -> list[Piece]:
    """Neck, in the shadow of the chin."""
    x = -0.006 if body.pose.side_on else 0.0
    width = 0.029 if body.person.gender == "man" else 0.024
    lean = 0.012 if body.pose.side_on else 0.0
    return [limb("skin", (x + lean, 0.118), (x, 0.170), width, width * 1.12, tint(body.skin, 0.86))]


def _front_face(body: Body, x: float) -> list[Piece]:
    skin, brow = body.skin, tint(body.hair, 0.8)
    pieces = [ellipse("face", (x + s * 0.0185, 0.070), 0.0062, 0.0055, EYE, steps=10) for s in (-1, 1)]
    if body.person.hair.length != "bald" or body.person.age == "young":
        pieces += [
            polygon(
                "face",
                [(x + s * 0.010, 0.0585), (x + s * 0.028, 0.0575), (x + s * 0.028, 0.0610), (x + s * 0.010, 0.0615)],
                brow,
            )
            for s in (-1, 1)
        ]
    pieces.append(polygon("face", [(x - 0.003, 0.072), (x + 0.006, 0.094), (x - 0.006, 0.094)], tint(skin, 0.86)))
    lips = LIP if body.person.gender == "woman" else tint(skin, 0.72)
    pieces.append(ellipse("face", (x, 0.108), 0.0125, 0.0042, lips, steps=10))
    if body.person.age != "young":
        pieces += [
            limb("face", (x + s * 0.017, 0.094), (x + s * 0.019, 0.108), 0.0012, 0.0012, tint(skin, 0.8))
            for s in (-1, 1)
        ]
    return pieces


def head(body: Body) -> list[Piece]:
    """Head with face, ears and nose as the view shows them."""
    skin, x = body.skin, 0.006 * body.pose.turn
    jaw = 0.034 if body.person.gender == "man" else 0.027
    if body.facing == "side":
        outline: list[Point] = [
            (-0.048, 0.062),
            (-0.036, 0.022),
            (0.004, 0.008),
            (0.038, 0.028),
            (0.043, 0.060),
            (0.058, 0.084),
            (0.044, 0.092),
            (0.046, 0.110),
            (0.034, 0.134),
            (0.006, 0.126),
            (-0.030, 0.112),
        ]
        lips = LIP if body.person.gender == "woman" else tint(skin, 0.72)
        return [
            blob("face", outline, skin, detail="head"),
            ellipse("face", (0.028, 0.068), 0.0055, 0.0055, EYE, steps=10),
            polygon("face", [(0.018, 0.056), (0.038, 0.055), (0.038, 0.059), (0.018, 0.060)], tint(body.hair, 0.8)),
            ellipse("face", (0.040, 0.108), 0.008, 0.0038, lips, steps=10),
            ellipse("face", (-0.008, 0.078), 0.009, 0.015, tint(skin, 0.90), steps=12),
        ]
    half: list[Point] = [(0.0, 0.008), (0.034, 0.020), (0.047, 0.056), (0.044, 0.092), (jaw, 0.124), (0.0, 0.138)]
    part = "face" if body.facing == "front" else "skin"
    pieces = [ellipse(part, (s * 0.048, 0.078), 0.009, 0.015, tint(skin, 0.92), steps=12) for s in (-1, 1)]
    pieces.append(blob(part, symmetric(half), skin, detail="head"))
    return pieces + (_front_face(body, x) if body.facing == "front" else [])
