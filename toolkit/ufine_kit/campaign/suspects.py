"""What a trained baseline finds strange in a release, as `evaluate --noise` writes it, checked before anybody is asked."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ufine_kit.campaign.items import Item
from ufine_kit.errors import KitError

MEND = "ufine-kit evaluate CHECKPOINT RELEASE --noise FILE writes it anew; or mend the line"
Name = Annotated[str, Field(min_length=1)]


class SuspectText(BaseModel):
    """A text whose own person ranks far below others. `origin` is the caption's kind in the release (`human`, `model` ...)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["text"]
    crop_id: Name | None
    text: Name
    origin: str | None = None


class SuspectCrop(BaseModel):
    """A crop that lies nearer to one of another person than to any other of its own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["crop"]
    crop_id: Name | None
    nearest_crop_id: Name | None


_LINE = TypeAdapter[SuspectText | SuspectCrop](Annotated[SuspectText | SuspectCrop, Field(discriminator="kind")])


@dataclass
class Suspects:
    """A list of suspects, each once, in the order of the file: widest margin first."""

    texts: list[SuspectText] = field(default_factory=list[SuspectText])
    crops: list[SuspectCrop] = field(default_factory=list[SuspectCrop])


@dataclass
class Doubts:
    """What is asked about a list: its items, and how many of its lines are not asked about, by the reason why."""

    items: list[Item] = field(default_factory=list[Item])
    left_out: Counter[str] = field(default_factory=Counter[str])


def read_suspects(path: Path) -> Suspects:
    """The suspects of a JSON lines file. Raises KitError for no such file, and names the first line that is none."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise KitError(
            f"cannot read `{path}`: {error.strerror}", f"ufine-kit evaluate CHECKPOINT RELEASE --noise {path}"
        ) from None
    found = [_suspect(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    each = dict.fromkeys(found)
    return Suspects(
        [one for one in each if isinstance(one, SuspectText)], [one for one in each if isinstance(one, SuspectCrop)]
    )


def _suspect(path: Path, number: int, line: bytes) -> SuspectText | SuspectCrop:
    try:
        return _LINE.validate_python(json.loads(line))
    except ValidationError as error:
        first = error.errors()[0]
        # Of a foreign `kind` the message would hold all of it.
        wrong = f"`{first['loc'][-1]}` {first['msg'].lower()}" if first["loc"] else "`kind` is neither text nor crop"
        raise KitError(f"`{path}` line {number} is no suspect: {wrong}", MEND) from None
    except (ValueError, RecursionError):
        raise KitError(f"`{path}` line {number} is no JSON", MEND) from None
