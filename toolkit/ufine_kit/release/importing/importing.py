"""`import-dataset`: a dataset that exists becomes a release, and what could not be taken becomes rows of a report."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ufine_kit import parts
from ufine_kit.dataset.splits import freeze, read_splits
from ufine_kit.dataset.tombstones import Removed, read_removed
from ufine_kit.dataset.versions import of_major, refuse_other_shards, refuse_taken
from ufine_kit.dataset.writer import write_release
from ufine_kit.errors import KitError
from ufine_kit.files import make_folder
from ufine_kit.manifest import read_manifest
from ufine_kit.release.importing.findings import Finding, counted
from ufine_kit.release.importing.opening import Dataset
from ufine_kit.release.importing.pictures import MOST_PIXELS
from ufine_kit.release.importing.published import differences, hint
from ufine_kit.release.importing.report import report_paths, write_report
from ufine_kit.release.importing.survey import Reading, Survey, merged
from ufine_kit.release.importing.taking import Taken, findings_of, sample, take_all
from ufine_kit.rows import Split


@dataclass(frozen=True)
class Rights:
    """By what right the dataset is here; `redistribution` None: not known."""

    licence: str = "other"
    redistribution: bool | None = None
    consent_basis: str = ""
    url: str = ""
    date: str = ""


@dataclass(frozen=True)
class Wanted:
    """What the flags say of the release. `shards` 0: by size."""

    name: str
    version: str = "0.1.0"
    rights: Rights = field(default_factory=Rights)
    reading: Reading = field(default_factory=Reading)
    shards: int = 0
    strip_exif: bool = False
    most_pixels: int = MOST_PIXELS
    workers: int = 0
    synthetic: bool = False


@dataclass
class Imported:
    """What became of an import: the manifest as written, and all that there is to say of rows."""

    folder: Path
    manifest: dict[str, Any]
    summary: dict[str, Any]
    findings: list[Finding]
    report: tuple[Path, Path]


def target(work: Path, wanted: Wanted) -> Path:
    """The folder of the new version. Raises KitError where it is there already."""
    folder = work / "releases" / wanted.name
    refuse_taken(folder, wanted.version)
    return folder / wanted.version


def shards_of(folder: Path, wanted: Wanted, survey: Survey) -> int:
    """Files a split: as its major version has them, else as asked, else by size. Raises KitError where these differ."""
    held = [read_manifest(path).shards for path in of_major(folder, wanted.version)]
    shards = wanted.shards or (held[-1] if held else survey.shards)
    refuse_other_shards(folder, wanted.version, shards)
    return shards


@dataclass
class Telling:
    """What is counted while rows pass on to the writer, and told before the release appears."""

    findings: list[Finding]
    sources: Counter[str] = field(default_factory=Counter[str])
    numbers: Counter[tuple[Split, str]] = field(default_factory=Counter[tuple[Split, str]])
    people: dict[Split, set[str]] = field(default_factory=dict[Split, set[str]])

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row."""
        self.sources[row["source"]] += 1
        self.people.setdefault(row["split"], set()).add(row["person_id"])
        self.numbers[row["split"], "images"] += 1
        self.numbers[row["split"], "captions"] += len(row["captions"])

    def counts(self) -> dict[str, dict[str, int]]:
        """Identities, images and captions of every split."""
        return {
            split: {"identities": len(held), **{what: self.numbers[split, what] for what in ("images", "captions")}}
            for split, held in self.people.items()
        }

    def splits(self) -> dict[str, Split]:
        """Identity -> split, for the ledger; one that sits in two splits has no place there, and is told of as a note."""
        places = Counter(person for held in self.people.values() for person in held)
        return {person: split for split, held in self.people.items() for person in held if places[person] == 1}

    def summary(self, dataset: Dataset) -> dict[str, Any]:
        """What the manifest and the report say of the import."""
        left_out, notes = counted(self.findings)
        everyone = len(set[str]().union(*self.people.values()))
        known = dataset.format if not dataset.ids.images else ""  # an export of ours is no copy of a published dataset
        return {
            "format": dataset.format,
            "file": Path(dataset.file).name,
            "left_out": left_out,
            "notes": notes,
            "differences": differences(known, self.counts(), everyone),
            "hint": hint(known, self.counts()),
        }


def import_dataset(work: Path, dataset: Dataset, survey: Survey, wanted: Wanted) -> Imported:
    """Write the release and its report. Raises KitError where an identity would change its split within a major version."""
    target(work, wanted)
    folder = make_folder(work / "releases" / wanted.name)
    with parts.lock(folder, "build"):
        version = target(work, wanted)
        shards = shards_of(folder, wanted, survey)
        ledger = folder / f"splits-{wanted.version.partition('.')[0]}.json"
        _refuse_moved(ledger, survey)
        telling = Telling(list(survey.findings))
        summary: dict[str, Any] = {}
        sources: list[dict[str, Any]] = []

        def rows() -> Iterator[dict[str, Any]]:
            # The writer puts the manifest to disk after the last row: `summary` and `sources` are filled by then.
            for row in _rows(dataset, survey, wanted, telling, read_removed(folder, wanted.name)):
                telling.add(row)
                yield row
            _refuse_nothing(dataset, telling)
            summary.update(telling.summary(dataset))
            sources.extend(_source(name, number, wanted.rights) for name, number in sorted(telling.sources.items()))
            write_report(folder, wanted.version, {**summary, "splits": telling.counts()}, telling.findings)

        manifest = _manifest(dataset, wanted, shards) | {"sources": sources, "import": summary}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # what is wrong with a picture stands in the report
            written = write_release(version, rows(), shards, manifest)
        freeze(ledger, telling.splits())
    return Imported(version, written, summary, telling.findings, report_paths(folder, wanted.version))


def _rows(
    dataset: Dataset, survey: Survey, wanted: Wanted, telling: Telling, removed: Removed
) -> Iterator[dict[str, Any]]:
    entries = merged(dataset, wanted.reading, survey)
    for entry, taken in take_all(dataset, entries, wanted.strip_exif, wanted.most_pixels, wanted.workers):
        telling.findings += findings_of(entry, taken)
        if isinstance(taken, Taken):
            row = sample(dataset, wanted.reading, entry, taken)
            if removed.hits_person(row["person_id"]) or any(
                removed.hits_image(sha256, row["provenance"]["crop_id"] or row["image_id"]) for sha256 in taken.known_by
            ):
                telling.findings.append(Finding(entry.row, "removed"))
            else:
                yield row


def _refuse_nothing(dataset: Dataset, telling: Telling) -> None:
    if telling.people:
        return
    first = next(found for found in telling.findings if found.left_out)
    raise KitError(
        f"no picture of `{dataset.file}` can be used; row {first.row}, `{first.image}`: {first.detail or first.reason}",
        _mend(dataset, first),
    )


def _mend(dataset: Dataset, first: Finding) -> str:
    if first.reason == "oversized":  # by its sides, or by its bytes, which no flag allows
        return "raise --max-pixels" if first.detail.endswith(" pixels") else "scale the pictures down"
    if dataset.root is not None:
        return "name the folder of the pictures: --images DIR"
    if dataset.beside is not None:
        return f"look at the files below `{dataset.beside}`"
    return f"hf download {dataset.file} --repo-type dataset --local-dir DIR, then ufine-kit import-dataset hub DIR"


def _source(name: str, images: int, rights: Rights) -> dict[str, Any]:
    return {
        "source": name, "licence": rights.licence, "redistribution": rights.redistribution,
        "consent_basis": rights.consent_basis, "url": rights.url, "date": rights.date, "videos": 0, "images": images,
    }  # fmt: skip


def _manifest(dataset: Dataset, wanted: Wanted, shards: int) -> dict[str, Any]:
    recipe = {
        "name": wanted.name, "version": wanted.version, "source": dataset.source, "license": wanted.rights.licence,
        "format": dataset.format, "revision": dataset.revision, "split": wanted.reading.split,
        "ids_per_split": wanted.reading.ids_per_split, "strip_exif": wanted.strip_exif,
        "most_pixels": wanted.most_pixels, "shards": shards,
    }  # fmt: skip
    return {
        "name": wanted.name,
        "version": wanted.version,
        "kind": dataset.kind,
        "synthetic": wanted.synthetic or dataset.synthetic,
        "recipe": recipe,
        "inputs": dataset.inputs,
    }


def _refuse_moved(ledger: Path, survey: Survey) -> None:
    held = read_splits(ledger)
    for seen in survey.images.values():
        before = held.get(seen.person_id, seen.split)
        if before != seen.split:
            raise KitError(
                f"identity `{seen.person_id}` was in {before} in an earlier version, and is in {seen.split} here",
                "splits are frozen within a major version: choose another major --version, or another --name",
            )
