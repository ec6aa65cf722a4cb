"""A rewriting job on disk: the frozen selection, what the engines told of themselves, and the three ledgers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ufine_kit.dataset.reader import Release
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of, make_folder, read_json, write_json
from ufine_kit.ledger import read_ledger
from ufine_kit.rewrite.asks import Slot, slots
from ufine_kit.rewrite.checking import Verdict, read_verdicts
from ufine_kit.rewrite.preflight import Engine
from ufine_kit.rewrite.rounds import Standing, standing
from ufine_kit.rewrite.selection import Picture, Selection, choose
from ufine_kit.tables import RewriteTable

# What decides about the selection; changing the rest of the recipe leaves it as it is.
DRAWN_BY = ("seed", "persons", "dense_above", "dense_cap", "near_distance")


@dataclass(frozen=True)
class JobFolder:
    """`rewrites/<name>/`: every path of a job in one place."""

    path: Path

    @property
    def answers(self) -> Path:
        """Ledger of what the models said."""
        return self.path / "ledger"

    @property
    def verdicts(self) -> Path:
        """Ledger of what the rules said of it."""
        return self.path / "verdicts"

    @property
    def revised(self) -> Path:
        """Ledger of what people decided."""
        return self.path / "revised"

    @property
    def people(self) -> Path:
        """The rows that wait for people."""
        return self.path / "people.jsonl"


def job_folder(work: Path, table: RewriteTable) -> JobFolder:
    """The folder of the recipe's job."""
    return JobFolder(work / "rewrites" / table.name)


def selection_of(
    job: JobFolder, releases: Sequence[Release], table: RewriteTable, redo: bool = False, write: bool = True
) -> Selection:
    """The job's selection: drawn by the first run and frozen.

    Raises KitError where it was drawn by other values or from other releases, unless `redo`: answers are kept then, since
    their keys hold the text and not the selection.
    """
    path = job.path / "selection.json"
    drawn_by = {name: getattr(table, name) for name in DRAWN_BY}
    wanted = {"drawn_by": drawn_by, "releases": {release.name: release.data_digest for release in releases}}
    if path.exists() and not redo:
        held = read_json(path)
        if {name: held.get(name) for name in wanted} != wanted:
            raise KitError(
                f"`{path}` was drawn by other values or from other releases",
                "repeat with --redo (answers are kept), or choose another --set rewrite.name=NAME",
            )
        return _selection(held)
    found = choose(releases, table)
    if write:
        make_folder(job.path)
        pictures = [asdict(picture) for picture in found.pictures]
        write_json(path, {"schema": 1, **wanted, "said": found.said, "pictures": pictures})
    return found


def held_selection(job: JobFolder) -> Selection:
    """The frozen selection. Raises KitError where nothing was drawn yet."""
    path = job.path / "selection.json"
    if not path.is_file():
        raise KitError(f"nothing in `{job.path}` yet", "ufine-kit build-3c --endpoint URL")
    return _selection(read_json(path))


def _selection(held: Mapping[str, Any]) -> Selection:
    pictures = tuple(_picture(one) for one in held["pictures"])
    return Selection(pictures, dict(held["releases"]), dict(held["said"]))


def _picture(one: Mapping[str, Any]) -> Picture:
    return Picture(
        image_id=one["image_id"],
        person_id=one["person_id"],
        source=one["source"],
        release=one["release"],
        upstream_image=one["upstream_image"],
        upstream_person=one["upstream_person"],
        captions=tuple(one["captions"]),
        styles=tuple(one["styles"]),
    )


def engines_of(job: JobFolder) -> dict[str, Engine]:
    """What the engines told when they were first asked; empty before that."""
    path = job.path / "engines.json"
    return {name: Engine(**engine) for name, engine in read_json(path).items()} if path.exists() else {}


def keep_engines(job: JobFolder, found: Mapping[str, Engine]) -> None:
    """Freeze what the engines tell of themselves. Raises KitError where one renders chats otherwise than before."""
    held = engines_of(job)
    for name, engine in found.items():
        before = held.get(name)
        if before is not None and before.model == engine.model and before.template != engine.template:
            raise KitError(
                f"`{engine.model}` is served with another chat template than the rows in `{job.answers}` were asked with",
                "serve it as before, or start a job of its own: --set rewrite.name=NAME",
            )
    write_json(job.path / "engines.json", {name: asdict(one) for name, one in {**held, **found}.items()})


def stand(job: JobFolder, pictures: Sequence[Picture], table: RewriteTable) -> tuple[Standing, list[Slot]]:
    """How every rewrite of the job stands now, and all that are wanted."""
    wanted = slots(pictures, table)
    engines = engines_of(job)
    templates = {
        family.name: engines[family.name].template if family.name in engines else "" for family in table.families
    }
    answers = read_ledger(job.answers)
    verdicts: dict[str, Verdict] = read_verdicts(job.verdicts)
    return standing(wanted, table, templates, answers, verdicts), wanted


def ledger_digest(folder: Path) -> str:
    """What a ledger holds, in one word."""
    return digest_of(sorted(read_ledger(folder)))
