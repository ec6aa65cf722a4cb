"""Take descriptions from a JSONL file into a campaign's ledger: checked line by line, writers made pseudonyms at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ufine_kit import __version__
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of, make_folder, read_json, sha256_file, write_json
from ufine_kit.ledger import Ledger, read_ledger


class Submission(BaseModel):
    """One line of the file: who wrote which text for which crop."""

    model_config = ConfigDict(extra="ignore")

    crop_id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    writer: str = Field(min_length=1)
    created_at: str = Field(min_length=1)
    lead_seconds: float | None = None


@dataclass
class Intake:
    """What became of the lines of a file."""

    added: int = 0
    known: int = 0
    refused: list[str] = field(default_factory=list[str])


def campaign_folder(work: Path, name: str) -> Path:
    """`work/campaigns/<name>`. Raises KitError for a name that is more than one plain word."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise KitError(f"`{name}` is no campaign name", "use small letters, digits, `-` and `_`")
    return work / "campaigns" / name


def take_in(folder: Path, source: Path, crop_ids: set[str], write: bool = True) -> Intake:
    """Append every new description of a JSONL file to `<folder>/ledger/`. A line that cannot be used is named, not fatal.

    `crop_ids` are the crops that exist. The same line twice adds nothing. Raises KitError when the file cannot be read.
    """
    intake = Intake()
    held = read_ledger(folder / "ledger")
    pseudonyms = Pseudonyms(folder / "writers.json", write)
    entries: list[dict[str, Any]] = []
    origin = f"{source.name}@{_sha256(source)[:12]}"
    for number, submission in _submissions(source, intake):
        if submission.crop_id not in crop_ids:
            intake.refused.append(f"{source} line {number}: no crop `{submission.crop_id}` in tracklets/")
            continue
        entry = _entry(submission, pseudonyms.of(submission.writer), origin)
        if entry["key"] in held:
            intake.known += 1
            continue
        held[entry["key"]] = entry
        entries.append(entry)
    intake.added = len(entries)
    if write and entries:
        pseudonyms.save()  # before the first entry: a name once given out must not be given to another
        with Ledger(folder / "ledger", "pull") as ledger:
            for entry in entries:
                ledger.append(entry)
    return intake


def _sha256(source: Path) -> str:
    if not source.is_file():
        raise KitError(
            f"no file `{source}`", "give a JSONL file with crop_id, text, writer and created_at in every line"
        )
    return sha256_file(source)


def _submissions(source: Path, intake: Intake) -> Iterator[tuple[int, Submission]]:
    with source.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield number, Submission.model_validate(json.loads(line))
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(step) for step in first["loc"]) or "line"
                intake.refused.append(f"{source} line {number}: `{where}` {first['msg'].lower()}")
            except ValueError:
                intake.refused.append(f"{source} line {number}: no JSON")


def _entry(submission: Submission, writer: str, origin: str) -> dict[str, Any]:
    row = {
        "crop_id": submission.crop_id,
        "text": submission.text,
        "writer": writer,
        "created_at": submission.created_at,
        "lead_seconds": submission.lead_seconds,
    }
    return {
        "key": digest_of(row)[:20],
        "who": writer,
        "version": __version__,
        "at": submission.created_at,
        "input": origin,
        "row": row,
    }


class Pseudonyms:
    """Names to pseudonyms, numbered as they come. The key file never leaves this machine: no other artefact holds a name."""

    def __init__(self, path: Path, write: bool) -> None:
        self.path = path
        self._write = write
        self._known: dict[str, str] = read_json(path) if path.exists() else {}

    def of(self, name: str) -> str:
        """The pseudonym of a name."""
        return self._known.setdefault(name, f"writer-{len(self._known) + 1:03d}")

    def save(self) -> None:
        """Keep the key file, readable by its owner alone."""
        if self._write:
            make_folder(self.path.parent)
            write_json(self.path, self._known)
            self.path.chmod(0o600)
