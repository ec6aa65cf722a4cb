"""The repository as it shall be: every file with its sha256, made and judged here, wherever it then goes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ufine_kit.dataset.checks import Report
from ufine_kit.dataset.reader import Release
from ufine_kit.errors import need
from ufine_kit.files import make_folder, sha256_file, write_bytes
from ufine_kit.hub import admit
from ufine_kit.hub.card import Told
from ufine_kit.hub.documents import CHANGES, DOCUMENTS, documents
from ufine_kit.hub.facts import gather
from ufine_kit.hub.lint import Candidate, refuse_dirty
from ufine_kit.hub.texts import write_texts
from ufine_kit.recipe import Recipe

DATA, TEXTS = "data/", "texts/"
RECORDS = ("release.json", "SHA256SUMS", admit.TOMBSTONES)


@dataclass(frozen=True)
class File:
    """One file of the repository and where it lies here."""

    path: Path
    sha256: str
    size_bytes: int


Tree = Mapping[str, File]


@dataclass(frozen=True)
class Prepared:
    """A release that may go out: its files by their path in the repository, and what the documents were made from."""

    tree: Tree
    told: Told
    removed: admit.Tombstones

    @property
    def release(self) -> Release:
        """The release."""
        return self.told.release

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.tree.values())


def prepare(
    release: Release, recipe: Recipe, work: Path, scratch: Path, without_baseline: str | None = None, repo: str = ""
) -> Prepared:
    """Judge the release, make what is published beside its files under `scratch`, and judge that too.

    Raises CheckFailed for a failed check, a missing record, somebody who was taken out, or a card that may not go out;
    KitError where Jinja or PyYAML is not installed.
    """
    for module in ("jinja2", "yaml"):  # before the long look at every byte
        need(module, "hub")
    sums = admit.whole(release)
    record = admit.baseline_record(release, work, without_baseline)
    removed = admit.refuse_removed(release)
    report = admit.checked(release, recipe, work, sums)
    tree = {name: File(release.path / name, sha256, _size(release.path / name)) for name, sha256 in sums.items()}
    tree |= _texts(tree, scratch)
    facts = gather(release, work)
    facts.texts_file_bytes = sum(file.size_bytes for name, file in tree.items() if name.startswith(TEXTS))
    told = Told(release, recipe, facts, record, without_baseline, _faults(report), repo)
    made = documents(told, {name: (file.sha256, file.size_bytes) for name, file in tree.items()})
    refuse_dirty(candidate_of(told, made, tree))
    for name, content in made.items():
        write_bytes(make_folder(scratch) / name, content)
        tree[name] = File(scratch / name, hashlib.sha256(content).hexdigest(), len(content))
    return Prepared(dict(sorted(tree.items())), told, removed)


def candidate_of(told: Told, made: Mapping[str, bytes], names: Iterable[str]) -> Candidate:
    """What the linter reads: the documents, the texts that the release itself brings, and the names of the shards."""
    own = [*RECORDS, CHANGES]
    brought = {name: (told.release.path / name).read_bytes() for name in names if name in own}
    texts = {name: content.decode(errors="replace") for name, content in {**brought, **made}.items()}
    return Candidate(texts, tuple(sorted(name for name in names if name.endswith(".parquet"))), told)


def _faults(report: Report) -> tuple[str, ...]:
    unseen = [f"Not checked: {check.what} ({check.reason})" for check in report.checks if check.state == "not run"]
    return (*admit.warnings_of(report), *unseen)


def _texts(tree: Tree, scratch: Path) -> dict[str, File]:
    made: dict[str, File] = {}
    for name, file in tree.items():
        if name.startswith(DATA) and name.endswith(".parquet"):
            target = make_folder(scratch / TEXTS) / name.removeprefix(DATA)
            write_texts(file.path, target)
            made[TEXTS + target.name] = File(target, sha256_file(target), _size(target))
    return made


def _size(path: Path) -> int:
    return path.stat().st_size


def ours(name: str) -> bool:
    """Whether a file of a repository is of the kind that a push writes, and so may take away when a version has it no more."""
    sharded = name.startswith((DATA, TEXTS)) and name.endswith(".parquet") and name.count("/") == 1
    return sharded or name in DOCUMENTS or name in RECORDS
