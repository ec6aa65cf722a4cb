"""A recipe: TOML read into the tables of the verbs, changed by `--set`; a misspelt key is answered with the nearest one."""

from __future__ import annotations

import difflib
import os
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ufine_kit.errors import KitError
from ufine_kit.resources import resource, resource_names
from ufine_kit.tables import (
    BaselineTable,
    CampaignTable,
    CardTable,
    CheckTable,
    ExtractTable,
    FilterTable,
    HubTable,
    MeasureTable,
    ReleaseTable,
    RewriteTable,
    Table,
    WorldTable,
)


class Recipe(Table):
    """One TOML file: a table for every verb, each with working defaults."""

    world: WorldTable = WorldTable()
    extract: ExtractTable = ExtractTable()
    measure: MeasureTable = MeasureTable()
    filter: FilterTable = FilterTable()
    campaign: CampaignTable = CampaignTable()
    release: ReleaseTable = ReleaseTable()
    check: CheckTable = CheckTable()
    rewrite: RewriteTable = RewriteTable()
    baseline: BaselineTable = BaselineTable()
    hub: HubTable = HubTable()
    card: CardTable = CardTable()


def load_recipe(name: str | Path | None, sets: Sequence[str] = ()) -> Recipe:
    """The recipe of a file or of a packaged name, changed by `table.key=value` words; packaged defaults without a name.

    Raises KitError that names the file, the key and the nearest known key.
    """
    raw = _read(name)
    given: dict[str, str] = {}
    inherited = typed_words(os.environ.get("UFINE_SET", ""), "`UFINE_SET`")
    for place, words in (("in `UFINE_SET`", inherited), ("on the command line", sets)):
        given |= {_set(raw, word): place for word in words}
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        raise _explained(error, f"in `{name}`", given) from None


def typed_words(line: str, what: str) -> list[str]:
    """The words of a line as a shell parts them. Raises KitError for a quote without its end."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise KitError(f"{what} has {str(error).lower()}: `{line}`", "close the quote, or take it out") from None


def _read(name: str | Path | None) -> dict[str, Any]:
    if name is None:
        return {}
    path = Path(name)
    if not path.is_file() and path.suffix == "" and len(path.parts) == 1:
        known = [entry.removesuffix(".toml") for entry in resource_names("recipes", ".toml")]
        if str(name) not in known:
            raise KitError(f"no recipe `{name}`", f"use a file, or one of: {', '.join(known)}")
        path = resource("recipes", f"{name}.toml")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KitError(f"cannot read recipe `{path}`: {error.strerror}", "give an existing file to --recipe") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KitError(f"recipe `{path}` is no TOML: {error}", "mend that line") from None


def _set(raw: dict[str, Any], word: str) -> str:
    """Change one value; returns its key."""
    key, equals, text = word.partition("=")
    *tables, name = key.strip().split(".")
    if not equals or not tables or not all((*tables, name)):
        raise KitError(f"`--set {word}` is not `table.key=value`", "write it like --set filter.min_height_px=96")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string: --set release.name=mine
    inner: Any = raw
    for table in tables:
        inner = inner.setdefault(table, {})
        if not isinstance(inner, dict):
            raise KitError(f"`{table}` is no table of the recipe", "write it like --set filter.min_height_px=96")
    inner[name] = value
    return ".".join((*tables, name))


def _explained(error: ValidationError, file: str, given: Mapping[str, str]) -> KitError:
    """The first fault, and where it was written: `given` has the place of every key that no file sets."""
    first = error.errors()[0]
    path = [str(step) for step in first["loc"]]
    key = ".".join(path)
    same = (place for one, place in given.items() if f"{key}.".startswith(f"{one}.") or one.startswith(f"{key}."))
    where = next(same, file)
    if first["type"] == "extra_forbidden":
        known = _known(path[:-1])
        near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
        mend = f"did you mean `{'.'.join([*path[:-1], near[0]])}`?" if near else f"known keys: {', '.join(known)}"
        return KitError(f"unknown key `{key}` {where}", mend)
    return KitError(
        f"`{key}` {where}: {first['msg'][:1].lower()}{first['msg'][1:]}, got `{first['input']}`", f"change `{key}`"
    )


def _known(path: Sequence[str]) -> list[str]:
    model: type[BaseModel] = Recipe
    for step in path:
        inner = model.model_fields[step].annotation
        assert isinstance(inner, type) and issubclass(inner, BaseModel)
        model = inner
    return list(model.model_fields)
