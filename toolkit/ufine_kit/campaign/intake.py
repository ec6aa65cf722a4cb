"""Take descriptions and decisions from a JSONL file into a campaign's ledger: checked line by line, writers made pseudonyms."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from ufine_kit import __version__, parts
from ufine_kit.campaign.decisions import Decision, in_utc
from ufine_kit.errors import NOT_BLANK, KitError, first_fault
from ufine_kit.files import digest_of, make_folder, read_json, sha256_file, write_json
from ufine_kit.ledger import Ledger, read_ledger
from ufine_kit.parquet import grouped

_GIVEN = re.compile(rb'"who":"(writer-[0-9]+)"')
BATCH = 256  # entries that go to disk together


class Submission(BaseModel):
    """One line of the file: who wrote which text for which crop."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    crop_id: str = Field(min_length=1)
    text: str = Field(pattern=NOT_BLANK)
    writer: str = Field(pattern=NOT_BLANK)
    created_at: AwareDatetime
    lead_seconds: float | None = Field(default=None, ge=0)

    @field_validator("created_at")
    @classmethod
    def _utc(cls, at: datetime) -> datetime:
        return in_utc(at)

    def row(self, writer: str) -> dict[str, Any]:
        """As the ledger keeps it, its writer a pseudonym."""
        return {
            "crop_id": self.crop_id,
            "text": self.text,
            "writer": writer,
            "created_at": self.created_at.isoformat().replace("+00:00", "Z"),
            "lead_seconds": self.lead_seconds,
        }


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
    if not crop_ids:
        raise KitError("no crop to describe yet", f"ufine-kit extract-tracklets videos/ --work {folder.parent.parent}")
    _need_file(source)
    # One pull at a time: two must not give one pseudonym to two people.
    with parts.lock(make_folder(folder), "pull") if write else contextlib.nullcontext():
        return _take_in(folder, source, crop_ids, write)


def _take_in(folder: Path, source: Path, crop_ids: set[str], write: bool) -> Intake:
    intake = Intake()
    held = read_ledger(folder / "ledger")
    used = {str(who) for entry in held.values() for who in (entry["who"], entry["row"].get("by", entry["who"]))}
    pseudonyms = Pseudonyms(folder / "writers.json", used)
    entries: list[dict[str, Any]] = []
    origin = f"{source.name}@{sha256_file(source)[:12]}"
    for number, submission in _submissions(source, intake):
        if submission.crop_id is not None and submission.crop_id not in crop_ids:
            intake.refused.append(f"{source} line {number}: no crop `{submission.crop_id}` in tracklets/")
            continue
        who = submission.reviewer if isinstance(submission, Decision) else submission.writer
        entry = _entry(submission, pseudonyms.of(who), origin)
        if entry["key"] in held:
            intake.known += 1
            continue
        held[entry["key"]] = entry
        entries.append(entry)
    intake.added = len(entries)
    if write and entries:
        pseudonyms.save()  # before the first entry: a name once given out must not be given to another
        with Ledger(folder / "ledger", "pull") as ledger:
            for batch in grouped(entries, BATCH):
                ledger.append(*batch)
    return intake


def _need_file(source: Path) -> None:
    if not source.is_file():
        raise KitError(
            f"no file `{source}`", "give a JSONL file with crop_id, text, writer and created_at in every line"
        )


def _submissions(source: Path, intake: Intake) -> Iterator[tuple[int, Submission | Decision]]:
    with source.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                content = json.loads(line)
                model = Decision if isinstance(content, dict) and "decision" in content else Submission
                yield number, model.model_validate(content)
            except ValidationError as error:
                intake.refused.append(f"{source} line {number}: {first_fault(error, 'line')}")
            except (ValueError, RecursionError):
                intake.refused.append(f"{source} line {number}: no JSON")


def _entry(submission: Submission | Decision, writer: str, origin: str) -> dict[str, Any]:
    row = submission.row(writer)
    return {
        "key": digest_of(row)[:20],
        "who": writer,
        "version": __version__,
        "at": row["created_at"],
        "input": origin,
        "row": row,
    }


class Pseudonyms:
    """Names to pseudonyms, numbered as they come. The key file never leaves this machine: no other artefact holds a name.

    A number once given is never given to another, also where a name was taken out of the key file: the ledger's own
    pseudonyms (`used`) count too, and those of the other campaigns of the work folder, since a release joins them.
    """

    def __init__(self, path: Path, used: set[str]) -> None:
        self.path = path
        self._known: dict[str, str] = read_json(path) if path.exists() else {}
        self._used, self._last = used, 0

    def gave(self, pseudonym: str) -> bool:
        """Whether the key file names somebody by this pseudonym."""
        return pseudonym in self._known.values()

    def of(self, name: str) -> str:
        """The pseudonym of a name."""
        if name not in self._known:
            self._last = self._last or self._highest()
            self._last += 1
            self._known[name] = f"writer-{self._last:03d}"
        return self._known[name]

    def _highest(self) -> int:
        """The highest number that was given in any campaign of the work folder: a release may join several of them."""
        words = {*self._known.values(), *self._used}
        for path in sorted(self.path.parent.parent.glob("*/writers.json")):
            words.update(read_json(path).values())
        for path in sorted(self.path.parent.parent.glob("*/ledger/*.jsonl")):
            with path.open("rb") as lines:
                words |= {found.decode() for line in lines for found in _GIVEN.findall(line)}
        return max((int(word.rpartition("-")[2]) for word in words if word.rpartition("-")[2].isdigit()), default=0)

    def save(self) -> None:
        """Keep the key file, readable by its owner alone."""
        write_json(self.path, self._known, mode=0o600)
