"""People of the world: what a person can look like; sampling, drawing and describing lie elsewhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Hair:
    """`length` bald, short, shoulder-length or long; `style` straight, curly, ponytail or bun."""

    length: str
    colour: str
    style: str


@dataclass(frozen=True)
class Headwear:
    """`kind` cap, beanie or sun hat."""

    kind: str
    colour: str


@dataclass(frozen=True)
class Upper:
    """The garment of the torso; `second` is the pattern's colour, None where plain."""

    kind: str
    colour: str
    pattern: str
    second: str | None
    sleeves: str


@dataclass(frozen=True)
class Outer:
    """A layer over the upper garment; `closed` hides what is under it."""

    kind: str
    colour: str
    closed: bool


@dataclass(frozen=True)
class Lower:
    """The garment of the legs; `length` short, knee-length, cropped or full."""

    kind: str
    colour: str
    pattern: str
    second: str | None
    length: str


@dataclass(frozen=True)
class Shoes:
    """`sole` is the colour of the sole, None for sandals."""

    kind: str
    colour: str
    sole: str | None


@dataclass(frozen=True)
class Bag:
    """`side` is the wearer's own: left, right, or back for a backpack."""

    kind: str
    colour: str
    side: str


@dataclass(frozen=True)
class Carried:
    """A thing in the wearer's own left or right `hand`."""

    kind: str
    colour: str
    hand: str


@dataclass(frozen=True)
class Person:
    """One identity; `twin_of` names the identity this one was made nearly alike to."""

    identity: int
    gender: str
    age: str
    build: str
    skin: int
    hair: Hair
    headwear: Headwear | None
    glasses: str | None
    upper: Upper
    outer: Outer | None
    lower: Lower
    shoes: Shoes
    bag: Bag | None
    carried: Carried | None
    twin_of: int | None = None

    def attributes(self) -> dict[str, Any]:
        """Everything that can be seen, as plain nested dicts (identity and twin left out)."""
        seen = asdict(self)
        return {key: value for key, value in seen.items() if key not in ("identity", "twin_of")}
