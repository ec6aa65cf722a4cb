"""Card, datasheet and licence from their templates, with every word from outside made safe to read."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ufine_kit.dataset.reader import Release
from ufine_kit.errors import need
from ufine_kit.hub.facts import BIN_WORDS, Facts
from ufine_kit.hub.metadata import EVALUATION, TERMS, config_names, front_matter
from ufine_kit.hub.words import LICENCES, spdx
from ufine_kit.manifest import Record
from ufine_kit.recipe import Recipe
from ufine_kit.resources import resource

BAR = 40
NOT_NAMED = "org/name"  # stands in the loading snippet of a folder that has no repository yet
_URL = re.compile(r"https://[\w.~:/?#@!$&'*+,;=%-]+")


@dataclass(frozen=True)
class Told:
    """All that the documents are made from. `faults` are sentences; `without_baseline` is a reason where `record` is none."""

    release: Release
    recipe: Recipe
    facts: Facts
    record: Record | None
    without_baseline: str | None
    faults: tuple[str, ...] = ()
    repo: str = ""

    @property
    def title(self) -> str:
        """The pretty name."""
        return self.recipe.card.title or self.release.name


def render(template: str, told: Told, front: Mapping[str, Any] | None = None, **more: Any) -> str:
    """One document. Every value from outside passes a filter that takes Markdown and HTML out of it."""
    values = {**_values(told), **more}
    return str(_template(template).render(front_matter=yaml_text(front) if front else "", **values))


@functools.cache
def _template(name: str) -> Any:
    jinja2 = need("jinja2", "hub")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        keep_trailing_newline=True,
    )
    environment.filters |= {"plain": plain, "json": _json, "bibtex": _bibtex}
    return environment.from_string(resource("hub_card", name).read_text(encoding="utf-8"))


def card(told: Told) -> str:
    """README.md of the dataset repository, YAML block included. Raises KitError when Jinja or PyYAML is not installed."""
    return render("card.md.j2", told, front_matter(told.release, told.recipe, told.facts))


def _values(told: Told) -> dict[str, Any]:
    release, owner = told.release, told.recipe.card
    return {
        "release": release,
        "manifest": release.manifest,
        "card": owner,
        "facts": told.facts,
        "words": told.facts.words,
        "title": told.title,
        "key": f"{release.name}-{release.version}",
        "repo": told.repo or NOT_NAMED,
        "record": told.record,
        "without_baseline": told.without_baseline,
        "faults": [*told.faults, *owner.known_faults],
        "sources": release.manifest.get("sources", []),
        "terms": TERMS,
        "contact": linked(owner.contact),
        "configurations": config_names(release),
        "evaluation": EVALUATION,
        "histogram": histogram(told.facts),
        "licence_line": licence_line(told),
        "images": sum(split["images"] for split in release.splits.values()),
        "identities": sum(split["identities"] for split in release.splits.values()),
    }


def licence_line(told: Told) -> str:
    """One sentence in Markdown that names the licence and links to its text."""
    word, owner = str(told.release.manifest["recipe"].get("license", "")), told.recipe.card
    if word == "other":
        return f"{plain(owner.license_name)}, {linked(owner.license_link)}."
    return f"[{plain(spdx(word))}]({_spdx_page(word)})." if word in LICENCES else f"{plain(word)}."


def licence_text(told: Told) -> str:
    """The LICENSE file: which licence, where its text stands, and what holds beside it."""
    word, owner = str(told.release.manifest["recipe"].get("license", "")), told.recipe.card
    name, page = (owner.license_name, owner.license_link) if word == "other" else (spdx(word), _spdx_page(word))
    return render("licence.txt.j2", told, licence_name=name, licence_text=page)


def _spdx_page(word: str) -> str:
    return f"https://spdx.org/licenses/{spdx(word)}.html"


def histogram(facts: Facts) -> list[tuple[int, int, int, str]]:
    """Bins of ten words: first and last number of words, captions, and a bar of up to 40 signs."""
    most = max(facts.words.bins.values(), default=1)
    return [
        (low, low + BIN_WORDS - 1, number, "#" * max(1, round(BAR * number / most)))
        for low, number in sorted(facts.words.bins.items())
    ]


def yaml_text(value: Mapping[str, Any]) -> str:
    """YAML in the order given; whatever stands in a value stays inside it."""
    yaml = need("yaml", "hub")
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(dict(value), Dumper=dumper, sort_keys=False, allow_unicode=True, width=1000))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _bibtex(text: str) -> str:
    return " ".join("".join(sign for sign in text if sign not in '{}\\"#%`<>').split())


def plain(text: str) -> str:
    """Text that is neither Markdown nor HTML any more: one line, with every special character escaped."""
    line = " ".join(str(text).split())
    return "".join(f"&#{ord(sign)};" if sign in "<>&[]()*_`#|!\\{}" else sign for sign in line)


def linked(address: str) -> str:
    """An https:// address as a link, anything else as plain words."""
    if not _URL.fullmatch(address):
        return plain(address)
    return f"[{plain(address)}]({address})"
