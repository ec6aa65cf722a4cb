"""`id_map.json`: which image and identity of a release a file of an export is; an import takes these names back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ufine_kit.errors import KitError
from ufine_kit.files import read_json

FILE = "id_map.json"
MARK = ".ufine-export.json"  # what an export writes first, in its outermost folder
Name = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Held(BaseModel):
    """One exported image: its stable names, and what its own source called it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    image_id: Name
    person_id: Name
    source: Name
    path: str | None = None
    upstream_id: str | None = None


class IdMap(BaseModel):
    """The file: exported picture name -> image. Other fields are for people."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    images: dict[str, Held] = {}


def read_id_map(folder: Path) -> IdMap:
    """The map beside an annotation file; an empty one where there is none. Raises KitError that names the entry."""
    path = folder / FILE
    if not path.is_file() or path.is_symlink():
        return IdMap()
    try:
        found = IdMap.model_validate(read_json(path))
    except RecursionError:
        raise KitError(f"`{path}` is nested too deeply", "restore the file, or take it away") from None
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"])[:120]
        raise KitError(
            f"`{path}`: `{where}` is not as an export writes it", "restore the file, or take it away"
        ) from None
    named: dict[str, str] = {}
    for file, held in found.images.items():
        if (other := named.setdefault(held.image_id, file)) != file:
            raise KitError(
                f"`{path}`: `{other}` and `{file}` are both image `{held.image_id}`",
                "restore the file, or take it away",
            )
    return found
