"""What stands in `release.json` and in a baseline record: checked where it is read, since both travel between people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ufine_kit.errors import KitError, first_fault
from ufine_kit.files import read_json
from ufine_kit.rows import Split

Checked = TypeVar("Checked", bound=BaseModel)
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
VERSION = re.compile(r"\d+\.\d+\.\d+")


class Counts(BaseModel):
    """Sizes of one split."""

    model_config = ConfigDict(frozen=True)

    images: int
    captions: int
    identities: int
    sources: dict[str, int] = {}


class ReleaseSource(BaseModel):
    """Where images of a release come from, and by what right: one entry for videos of the same terms.

    `source` is the word in the rows; `redistribution` is null where nobody said whether it is allowed.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    source: str
    licence: str
    redistribution: bool | None = None
    consent_basis: str = ""
    url: str = ""
    date: str = ""
    videos: int = 0
    images: int = 0
    video_sha256: list[str] = []


class Manifest(BaseModel):
    """`release.json`. Fields added later pass through."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Word
    version: Annotated[str, Field(pattern=rf"^{VERSION.pattern}$")]
    kind: Word
    synthetic: bool
    data_digest: Digest
    shards: int
    splits: dict[Split, Counts]
    recipe: dict[str, Any]
    versions: dict[str, str]
    sources: list[ReleaseSource] = []
    changes: list[str] = []


class Selection(BaseModel):
    """How a checkpoint was chosen."""

    model_config = ConfigDict(extra="allow", frozen=True)

    rule: str


class CheckpointName(BaseModel):
    """The checkpoint that a record speaks of."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Word
    selection: Selection


class MeasuredOn(BaseModel):
    """The release and split that a record speaks of."""

    model_config = ConfigDict(extra="allow", frozen=True)

    split: Split


class Validation(BaseModel):
    """What a validation found: whether the release taught every one of so many seeds."""

    model_config = ConfigDict(extra="allow", frozen=True)

    seeds: int
    passed: bool


class Record(BaseModel):
    """A baseline record under `baselines/`; with a validation its metrics are means over the seeds."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    data_digest: Digest
    checkpoint: CheckpointName
    release: MeasuredOn
    synthetic: bool
    queries: int
    gallery: int
    identities: int
    metrics: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9@]{1,12}$")], float]
    validation: Validation | None = None


def release_folders(work: Path) -> list[Path]:
    """Folders `releases/<name>/<version>` under a work folder that hold a release; drafts and other folders are passed over."""
    found = [path.parent for path in sorted((work / "releases").glob("*/*/release.json"))]
    return [path for path in found if VERSION.fullmatch(path.name)]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a release folder. Raises KitError that names the field."""
    path = folder / "release.json"
    if not path.is_file():
        raise KitError(f"`{folder}` is no release (no release.json)", "ufine-kit build-release")
    return _checked(Manifest, path, "restore the release from a copy, or build another --version")


def read_record(path: Path) -> Record:
    """One baseline record. Raises KitError that names the field."""
    return _checked(Record, path, "ufine-kit evaluate CHECKPOINT RELEASE makes it again")


def _checked(model: type[Checked], path: Path, mend: str) -> Checked:
    try:
        return model.model_validate(read_json(path))
    except ValidationError as error:
        raise KitError(f"`{path}`: {first_fault(error, 'file')}", mend) from None
