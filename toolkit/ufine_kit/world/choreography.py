"""Who walks where in a video: shots, crossings, re-entries and planted noise are planned here and drawn in `scene`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ufine_kit.world.backdrop import PLACES

PLANTS = ("blurred", "tiny", "truncated", "overlapped")
METRES_A_SECOND, METRES_TALL = 1.35, 1.72
STRIDE_LENGTH = 0.82  # ground covered in one cycle of two long steps, in figure heights


@dataclass(frozen=True)
class VideoSettings:
    """How the videos of a world are made; `height` and `width` are even pixels, `people` how many walk in a shot."""

    seconds: float = 8.0
    fps: int = 25
    height: int = 360
    width: int = 640
    shots: int = 2
    people: int = 4
    planted: tuple[str, ...] = PLANTS
    noise: float = 1.0


@dataclass(frozen=True)
class Walk:
    """One person in the picture from frame `first` up to (not including) `end` of the video, in one facing throughout.

    `x` is the middle of the figure at `first`, `ground` the line of the feet, `speed` in px a frame; `growth` is the change
    of height a frame (a person who comes nearer grows). `planted` names the noise that this walk was put in for.
    """

    identity: int
    facing: str
    first: int
    end: int
    x: float
    ground: float
    height_px: float
    speed: float
    stride: float
    phase: float
    growth: float = 0.0
    planted: str | None = None
    blurred: tuple[int, int] | None = None  # frames [first, end)

    def height_at(self, frame: int) -> float:
        """Height of the figure in px."""
        return self.height_px * (1 + self.growth) ** (frame - self.first)

    def place_at(self, frame: int) -> tuple[float, float]:
        """Middle and ground line of the figure."""
        drop = 0.42 * (self.height_at(frame) - self.height_px)
        return self.x + self.speed * (frame - self.first), self.ground + drop

    def phase_at(self, frame: int) -> float:
        """Place in the walking cycle, in radians: steps fit the ground they cover."""
        pace = max(abs(self.speed), 0.018 * self.height_px) if self.stride else 0.0
        return self.phase + 2 * math.pi * pace * (frame - self.first) / (STRIDE_LENGTH * self.height_px)


@dataclass(frozen=True)
class Shot:
    """Frames [first, end) from one camera position."""

    number: int
    first: int
    end: int
    place: str
    walks: tuple[Walk, ...]


@dataclass(frozen=True)
class VideoPlan:
    """One video: its number, settings and shots."""

    number: int
    seed: int
    settings: VideoSettings
    shots: tuple[Shot, ...]

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.shots[-1].end


def cast_of(number: int, identities: Sequence[int], people: int, shots: int) -> list[int]:
    """Identities of video `number`: two of them come again from the video before.

    Two people leave and two come at every cut, so that the others are met again; three more wait to be planted as noise.
    """
    size = min(len(identities), people + 2 * (shots - 1) + 3)
    first = number * max(1, size - 2)
    return [identities[(first + k) % len(identities)] for k in range(size)]


def _pace(settings: VideoSettings, height_px: float, rng: np.random.Generator) -> float:
    return METRES_A_SECOND / METRES_TALL * height_px / settings.fps * float(rng.uniform(0.9, 1.15))


def _body(settings: VideoSettings, rng: np.random.Generator, depth: float) -> tuple[float, float]:
    """(height, ground line) of a person at `depth` 0 (far) to 1 (near): nearer people are taller and stand lower."""
    height_px = settings.height * (0.44 + 0.22 * depth) * float(rng.uniform(0.96, 1.04))
    return height_px, settings.height * (0.70 + 0.25 * depth)


def _walk(
    settings: VideoSettings,
    rng: np.random.Generator,
    identity: int,
    facing: str,
    first: int,
    end: int,
    x: float,
    depth: float,
) -> Walk:
    height_px, ground = _body(settings, rng, depth)
    speed, growth, stride = 0.0, 0.0, float(rng.uniform(0.65, 0.95))
    if facing in ("left", "right"):
        speed = _pace(settings, height_px, rng) * (1 if facing == "right" else -1)
    elif rng.random() < 0.3:
        stride = 0.0
    else:
        growth = (0.0012 if facing == "front" else -0.0009) * 25 / settings.fps
    return Walk(
        identity, facing, first, end, x, ground, height_px, speed, stride, float(rng.uniform(0, 2 * math.pi)), growth
    )


def _crossing(
    settings: VideoSettings, rng: np.random.Generator, pair: Sequence[int], first: int, end: int
) -> list[Walk]:
    """Two people who walk through each other's way; the first leaves the picture and comes back into it."""
    width, (one, other) = settings.width, pair
    near, far = float(rng.uniform(0.55, 0.9)), float(rng.uniform(0.05, 0.4))
    leaving = _walk(settings, rng, one, "right", first, end, width * float(rng.uniform(0.56, 0.64)), far)
    coming = _walk(settings, rng, other, "left", first, end, width * float(rng.uniform(0.84, 0.94)), near)
    out = first + math.ceil((width + 0.3 * leaving.height_px - leaving.x) / leaving.speed)
    walks = [replace(leaving, end=min(out, end)), coming]
    back = out + max(3, settings.fps // 2)
    if back + settings.fps // 2 < end:
        again = _walk(settings, rng, one, "left", back, end, width + 0.22 * leaving.height_px, far)
        walks.append(replace(again, height_px=leaving.height_px, ground=leaving.ground, speed=-leaving.speed))
    return walks


def _bystanders(
    settings: VideoSettings, rng: np.random.Generator, others: Sequence[int], first: int, end: int
) -> list[Walk]:
    walks = []
    for place, identity in enumerate(others):
        facing = ("front", "back", "right")[(place + int(rng.integers(3))) % 3]
        x = settings.width * (0.14 + 0.24 * place) * float(rng.uniform(0.9, 1.1))
        walks.append(
            _walk(
                settings, rng, identity, facing, first, end, min(x, settings.width * 0.9), float(rng.uniform(0.0, 1.0))
            )
        )
    return walks


def _plant(
    settings: VideoSettings, rng: np.random.Generator, kind: str, identity: int, walks: list[Walk], first: int, end: int
) -> list[Walk]:
    """The walks of a shot with one kind of noise put in."""
    width, height = settings.width, settings.height
    if kind == "blurred":
        at = len(walks) - 1
        middle = (walks[at].first + walks[at].end) // 2
        return [*walks[:at], replace(walks[at], blurred=(middle, walks[at].end), planted=kind)]
    if kind == "tiny":
        tiny = _walk(settings, rng, identity, "right", first, end, width * float(rng.uniform(0.1, 0.3)), 0.0)
        small = height * float(rng.uniform(0.12, 0.16))
        return [
            *walks,
            replace(tiny, height_px=small, ground=height * 0.56, speed=_pace(settings, small, rng), planted=kind),
        ]
    if kind == "truncated":
        tall, ground = _body(settings, rng, 0.9)
        x = width + 0.01 * tall if rng.random() < 0.5 else -0.01 * tall
        return [*walks, Walk(identity, "front", first, end, x, ground, tall, 0.0, 0.0, 0.0, planted=kind)]
    beside = next(walk for walk in walks if walk.facing == "left")
    shift, lower = 0.13 * beside.height_px, 0.02 * height
    return [
        *walks,
        replace(
            beside,
            identity=identity,
            x=beside.x + shift,
            ground=beside.ground - lower,
            planted=kind,
            phase=beside.phase + 1.0,
        ),
    ]


def plan_video(number: int, identities: Sequence[int], seed: int, settings: VideoSettings) -> VideoPlan:
    """Plan video `number`: the same for one seed whatever else the world holds."""
    rng = np.random.default_rng([seed, number, 5])
    total = max(settings.shots, round(settings.seconds * settings.fps))
    cast, shots = cast_of(number, identities, settings.people, settings.shots), []
    borders = [round(total * k / settings.shots) for k in range(settings.shots + 1)]
    for shot in range(settings.shots):
        first, end = borders[shot], borders[shot + 1]
        order = [cast[(2 * shot + k) % len(cast)] for k in range(len(cast))]
        walks = _crossing(settings, rng, order[:2], first, end) if len(order) > 1 else []
        walks += _bystanders(settings, rng, order[2 : settings.people], first, end)
        for place, kind in enumerate(settings.planted):
            if place % settings.shots == shot and walks:
                free = [who for who in order if who not in {walk.identity for walk in walks}]
                if free or kind == "blurred":
                    walks = _plant(settings, rng, kind, free[0] if free else -1, walks, first, end)
        shots.append(Shot(shot, first, end, PLACES[int(rng.integers(len(PLACES)))], tuple(walks)))
    return VideoPlan(number, seed, settings, tuple(shots))
