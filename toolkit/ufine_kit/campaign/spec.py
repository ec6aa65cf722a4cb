"""What a campaign is and where it runs: `campaign.json`, its rounds and the projects that hold them on the server."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ufine_kit.campaign.items import Kind
from ufine_kit.errors import KitError
from ufine_kit.files import read_json, write_json

FILE = "campaign.json"


class Project(BaseModel):
    """One Label Studio project. `seat` is null where a project is shared, else whose tasks it holds (`seat-01`)."""

    model_config = ConfigDict(extra="forbid")

    project: int
    seat: str | None = None
    tasks: int = 0


class Round(BaseModel):
    """One `campaign create`: what was asked, frozen in `items`, and the projects that ask it."""

    model_config = ConfigDict(extra="forbid")

    number: int
    kind: Kind
    items: str = Field(description="file of the items, beside campaign.json")
    projects: list[Project] = Field(default_factory=list[Project])


class Campaign(BaseModel):
    """`campaign.json`. `uid` stands in every project's description, by which a project is found again after a crash."""

    model_config = ConfigDict(extra="forbid")

    schema_version: int = 1
    name: str
    uid: str = Field(default_factory=lambda: secrets.token_hex(6))
    server: str = Field(description="address of the server; no token ever")
    overlap: int = 2
    rounds: list[Round] = Field(default_factory=list[Round])

    def mark(self, number: int, seat: str | None) -> str:
        """The line in a project's description that says which campaign, round and seat it belongs to."""
        return f"ufine-kit {self.uid} round-{number} {seat or 'all'}"


def has_campaign(folder: Path) -> bool:
    """Whether a server campaign was created here; texts may also come by file alone."""
    return (folder / FILE).exists()


def read_campaign(folder: Path) -> Campaign:
    """The campaign of a folder. Raises KitError where none was created or the file is damaged."""
    path = folder / FILE
    if not path.exists():
        mend = f"ufine-kit campaign create describe {folder.name} --work {folder.parent.parent}"
        raise KitError(f"no campaign `{folder.name}` was created", mend)
    try:
        return Campaign.model_validate(read_json(path))
    except ValidationError as error:
        raise KitError(f"`{path}` is no campaign: {error.errors()[0]['msg']}", "restore it from a copy") from None


def write_campaign(folder: Path, campaign: Campaign) -> None:
    """Keep the campaign, whole or not at all."""
    content: dict[str, Any] = campaign.model_dump(mode="json")
    write_json(folder / FILE, content)
