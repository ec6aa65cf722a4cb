"""`open_dataset`: from a format's name and a path to rows that can be read twice and pictures that can be fetched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ufine_kit.errors import KitError
from ufine_kit.files import read_json, sha256_file
from ufine_kit.release.importing.columns import keys_of, read_map
from ufine_kit.release.importing.entries import Keys
from ufine_kit.release.importing.hub_rows import open_hub
from ufine_kit.release.importing.id_map import MARK, IdMap, read_id_map
from ufine_kit.release.importing.json_stream import json_rows
from ufine_kit.release.importing.layouts import LAYOUTS, Layout, annotation_file, picture_root
from ufine_kit.release.importing.tables import table_file, table_rows

FORMATS = (*LAYOUTS, "folder", "hub")


@dataclass(frozen=True)
class Where:
    """What the flags say of where things are."""

    annotations: Path | None = None
    images: Path | None = None
    columns: Sequence[str] = ()
    source: str | None = None
    config: str | None = None
    revision: str | None = None


@dataclass(frozen=True)
class Dataset:
    """An opened dataset. `rows(pixels)` can be called again; `root` is None where rows hold their pictures themselves.

    Rows that hold none may name files in the folder `beside` them.
    """

    format: str
    source: str
    kind: str
    file: str
    keys: Keys
    rows: Callable[[bool], Iterator[Any]]
    root: Path | None
    inputs: dict[str, str]
    ids: IdMap = field(default_factory=IdMap)
    said: tuple[str, ...] = ()
    synthetic: bool = False
    revision: str | None = None
    beside: Path | None = None

    @property
    def prefix(self) -> str:
        """What ids of this dataset begin with."""
        return re.sub(r"[^a-z0-9]+", "-", self.source.lower()).strip("-") or "imported"


def open_dataset(format: str, path: str, where: Where) -> Dataset:
    """Open a dataset. Raises KitError for an unknown format, or where its files are not."""
    if format not in FORMATS:
        raise KitError(f"no format `{format}`", f"formats are: {', '.join(FORMATS)}")
    if format != "hub" and (where.config or where.revision):
        raise KitError("`--config` and `--revision` belong to the format `hub`", "leave them out")
    if format in LAYOUTS:
        return _known(format, Path(path), where)
    return _folder(Path(path), where) if format == "folder" else _hub(path, where)


def _known(format: str, path: Path, where: Where) -> Dataset:
    layout = LAYOUTS[format]
    file = annotation_file(path, layout, where.annotations)
    ids = read_id_map(file.parent)
    return Dataset(
        format=format,
        source=where.source or layout.source,
        kind=layout.kind,
        file=str(file),
        keys=layout.keys,
        rows=lambda _: json_rows(file),
        root=picture_root(file, layout.images, where.images),
        inputs={file.name: sha256_file(file)},
        ids=ids,
        synthetic=_says_synthetic(file.parent),
        said=(*_said_of_names(ids), *_said_of_others(file, layout)),
    )


def _said_of_names(ids: IdMap) -> tuple[str, ...]:
    return ("names of images and identities are taken back from id_map.json",) if ids.images else ()


def _said_of_others(file: Path, layout: Layout) -> tuple[str, ...]:
    """The same list under another of its spellings is no news; another list is."""
    beside = [file.with_name(name) for name in layout.annotations if name != file.name]
    other = [path.name for path in beside if path.is_file() and sha256_file(path) != sha256_file(file)]
    return tuple(f"`{name}` lies there too, with other content, and is not read" for name in other)


def _folder(path: Path, where: Where) -> Dataset:
    file = table_file(path, where.annotations)
    folder = path if path.is_dir() else file.parent
    return Dataset(
        format="folder",
        source=where.source or folder.resolve().name,
        kind="dataset",
        file=str(file),
        keys=keys_of(read_map(where.columns)),
        rows=lambda _: table_rows(file),
        root=picture_root(folder / file.name, ".", where.images),
        inputs={file.name: sha256_file(file)},
        synthetic=_says_synthetic(file.parent),
    )


def _hub(path: str, where: Where) -> Dataset:
    opened = open_hub(path, read_map(where.columns), where.config, where.revision)
    return Dataset(
        format="hub",
        source=where.source or Path(path).name,
        kind="dataset",
        file=path,
        keys=opened.keys(),
        rows=opened.rows,
        root=None,
        inputs={},
        synthetic=_says_synthetic(Path(path)),
        revision=where.revision,
        beside=opened.beside.resolve() if opened.beside else None,
        said=() if opened.columns["person"] else ("no column of identities: every image is one (--map person=COLUMN)",),
    )


def _says_synthetic(folder: Path) -> bool:
    """Whether a release or an export says of itself that its pictures were drawn: that must not be lost on the way."""
    files = [place / name for place in (folder, folder.parent) for name in ("release.json", MARK)]
    told = [read_json(file) for file in files if file.is_file()]
    return any(isinstance(value, dict) and value.get("synthetic") is True for value in told)
