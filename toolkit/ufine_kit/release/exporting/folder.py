"""The folder of an export: whose it is, files that are whole or not there, and texts that people changed left alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ufine_kit import crash
from ufine_kit.errors import KitError, storage_error
from ufine_kit.files import canonical_json, make_folder, read_json, sha256_file, write_json
from ufine_kit.release.importing.id_map import MARK

DONE, DRAFTS = "export.json", ".drafts"


@dataclass
class Folder:
    """An export being written. `files` gathers the sha256 of every file but loose pictures, which their rows speak of."""

    path: Path
    mark: Mapping[str, Any]
    files: dict[str, str] = field(default_factory=dict[str, str])
    pictures: int = 0
    fresh: int = 0
    _made: set[Path] = field(default_factory=set[Path])

    def picture(self, name: str, content: bytes) -> None:
        """Put a loose picture there, unless the very same lies there already."""
        target = self._place(name)
        self.pictures += 1
        if target.is_file() and target.stat().st_size == len(content) and target.read_bytes() == content:
            return
        draft = target.with_name(f".{target.name}.draft")
        try:
            draft.write_bytes(content)
            draft.replace(target)  # brought to the disk with all others, once, before the export says it is whole
        except OSError as error:
            storage_error(error, target)
        self.fresh += 1
        crash.point("export.file")

    @contextlib.contextmanager
    def draft(self, name: str) -> Generator[Path]:
        """A path to write a file to; it moves to its place when the block ends well.

        Raises KitError where another content stands there: only a person can have put it there.
        """
        draft = make_folder(self.path / DRAFTS) / name.replace("/", " ")
        try:
            yield draft
            self._settle(draft, name)
        except OSError as error:
            storage_error(error, self.path / name)
        finally:
            draft.unlink(missing_ok=True)

    def _settle(self, draft: Path, name: str) -> None:
        target = self._place(name)
        digest = sha256_file(draft)
        if target.is_file() and sha256_file(target) != digest:
            raise KitError(
                f"`{target}` was changed since it was exported", "choose another --out, or take that file away"
            )
        if not target.is_file():
            draft.replace(target)
            self.fresh += 1
        self.files[name] = digest
        crash.point("export.file")

    def copy(self, name: str, again: str) -> None:
        """The same file under a second name that is in circulation."""
        with self.draft(again) as draft:
            shutil.copyfile(self.path / name, draft)

    def _place(self, name: str) -> Path:
        target = self.path / name
        if target.parent not in self._made:
            self._made.add(make_folder(target.parent))
        return target

    def finish(self) -> None:
        """Bring everything to the disk, and say that the export is whole."""
        shutil.rmtree(self.path / DRAFTS, ignore_errors=True)
        os.sync()
        write_json(
            self.path / DONE, {**self.mark, "pictures": self.pictures, "files": dict(sorted(self.files.items()))}
        )


def check_folder(path: Path, mark: Mapping[str, Any]) -> None:
    """Raise KitError where `path` holds anything but an export of the same rows in the same form."""
    if path.is_file():
        raise KitError(f"`{path}` is a file", "choose another --out")
    if not path.is_dir() or not any(path.iterdir()):
        return
    if not (path / MARK).is_file():
        raise KitError(f"`{path}` holds other files", "choose an empty or new folder with --out")
    held = read_json(path / MARK)
    if held != mark:
        said = f"{held.get('release')} {held.get('version')} as {held.get('format')}" if isinstance(held, dict) else "?"
        raise KitError(f"`{path}` holds another export ({said})", "choose another --out")


def open_folder(path: Path, mark: Mapping[str, Any]) -> Folder:
    """Take a checked folder: from here on it is known as an export, whole or not."""
    make_folder(path)
    if not (path / MARK).exists():
        write_json(path / MARK, mark)
    return Folder(path, mark)


def is_whole(path: Path) -> bool:
    """Whether the export says that it is whole and its files are those that it speaks of."""
    if not (path / DONE).is_file():
        return False
    files: dict[str, str] = read_json(path / DONE)["files"]
    return all((path / name).is_file() and sha256_file(path / name) == sha for name, sha in files.items())


class JsonList:
    """A JSON list written row by row, a line each."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rows = 0

    def add(self, row: Any) -> None:
        """One more row."""
        self._stream.write(("[\n" if self._rows == 0 else ",\n") + json.dumps(row, ensure_ascii=False))
        self._rows += 1

    def close(self) -> None:
        """End the list."""
        self._stream.write("\n]\n" if self._rows else "[]\n")


@contextlib.contextmanager
def json_list(path: Path) -> Generator[JsonList]:
    """Open a list to write to."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        rows = JsonList(stream)
        yield rows
        rows.close()


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """A JSONL file."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(canonical_json(row) + "\n" for row in rows)
