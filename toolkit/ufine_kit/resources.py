"""Where recipes, schemas and card templates lie: in the wheel's `_data`, or beside `toolkit/` in a checkout."""

from __future__ import annotations

from pathlib import Path

from ufine_kit.errors import KitError


def root() -> Path:
    """The folder that holds `recipes/`, `schemas/` and `hub_card/`."""
    package = Path(__file__).parent
    wheel = package / "_data"
    return wheel if wheel.is_dir() else package.parent.parent


def resource(folder: str, name: str) -> Path:
    """One packaged file. Raises KitError when it is not there."""
    path = root() / folder / name
    if not path.is_file():
        raise KitError(f"no packaged file `{folder}/{name}`", "install ufine-kit again")
    return path


def resource_names(folder: str, suffix: str) -> list[str]:
    """Names of all packaged files of a folder with that suffix, sorted, relative to the folder."""
    base = root() / folder
    return sorted(path.relative_to(base).as_posix() for path in base.rglob(f"*{suffix}"))
