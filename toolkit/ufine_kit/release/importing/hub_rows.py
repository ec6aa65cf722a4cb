"""Any dataset that `datasets` can open, on the Hub or in a folder, row by row and without decoding a picture."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ufine_kit.errors import KitError, need
from ufine_kit.release.importing.columns import USUAL
from ufine_kit.release.importing.entries import Keys

IMAGE, PERSON, SPLIT, SOURCE = "ufine image", "ufine person", "ufine split", "ufine source"


@dataclass(frozen=True)
class HubDataset:
    """What was opened: a stream of each split, and which columns hold what (person, source, id: perhaps none).

    `beside` is the folder that was opened: there pictures may lie as files of their own. It is None for a repository.
    """

    splits: Mapping[str, Any]
    columns: Mapping[str, tuple[str, ...]]
    beside: Path | None = None

    def keys(self) -> Keys:
        """The keys of the rows that `rows` gives."""
        return Keys((IMAGE,), (PERSON,), (SPLIT,), self.columns["caption"], (SOURCE,), True, True)

    def rows(self, pixels: bool) -> Iterator[dict[str, Any]]:
        """Rows of all splits. Without `pixels` the pictures are not even read."""
        for split, stream in self.splits.items():
            (column,) = self.columns["image"]
            wanted = [name for names in self.columns.values() for name in names if pixels or name != column]
            for number, row in enumerate(stream.select_columns(list(dict.fromkeys(wanted)))):
                yield self._plain(split, number, row, row.get(column))

    def _plain(self, split: str, number: int, row: dict[str, Any], image: Any) -> dict[str, Any]:
        def first(field: str, otherwise: Any) -> Any:
            names = self.columns[field]
            return row[names[0]] if names else otherwise

        name = f"{split}/{number}" if not self.columns["id"] else str(first("id", ""))
        held = image if isinstance(image, dict) else {}
        return {
            **{column: row[column] for column in self.columns["caption"]},
            IMAGE: name,
            PERSON: first("person", name),
            SPLIT: first("split", split),
            **({SOURCE: first("source", None)} if self.columns["source"] else {}),
            "pixels": held.get("bytes"),
            "path": self._relative(held.get("path")) or name,
        }

    def _relative(self, path: str | None) -> str | None:
        """The path of a picture as the folder names it; what lies elsewhere stays as it is, and is refused when read."""
        if not path or self.beside is None or not Path(path).is_absolute():
            return path
        absolute = Path(os.path.normpath(path))
        for root in (self.beside.absolute(), self.beside.resolve()):
            if absolute.is_relative_to(root):
                return absolute.relative_to(root).as_posix()
        return path


def open_hub(name: str, mapped: Mapping[str, tuple[str, ...]], config: str | None, revision: str | None) -> HubDataset:
    """Open `name` (a repository id or a folder). Raises KitError where it cannot be opened or a column is missing."""
    datasets: Any = need("datasets", "hub")
    try:
        opened = datasets.load_dataset(name, config, revision=revision, streaming=True)
        features = next(iter(opened.values())).features or {}
    except (OSError, ValueError, RuntimeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise KitError(
            f"cannot open the dataset `{name}`: {first[:200]}", "check its name, --config and your token"
        ) from None
    columns = _columns(mapped, set(features))
    (image,) = columns["image"]
    if not isinstance(features[image], datasets.Image):
        raise KitError(f"column `{image}` of `{name}` holds no pictures", "name the one that does: --map image=COLUMN")
    undecoded = datasets.Image(decode=False)
    streams = {split: stream.cast_column(image, undecoded) for split, stream in opened.items()}
    return HubDataset(streams, columns, Path(name) if Path(name).is_dir() else None)


def _columns(mapped: Mapping[str, tuple[str, ...]], there: set[str]) -> dict[str, tuple[str, ...]]:
    """The columns of every field. Raises KitError for one that is not there, or that nothing can stand in for."""
    missing = [column for names in mapped.values() for column in names if column not in there]
    if missing:
        raise KitError(f"no column `{missing[0]}`", f"columns are: {', '.join(sorted(there))}")
    found = {field: mapped.get(field) or tuple(n for n in usual if n in there)[:1] for field, usual in USUAL.items()}
    for field in ("image", "caption"):
        if not found[field]:
            raise KitError(
                f"no column looks like `{field}`", f"--map {field}=COLUMN; columns are: {', '.join(sorted(there))}"
            )
    if len(found["image"]) > 1:
        raise KitError("more than one column for `image`", "give --map image=COLUMN once")
    return found
