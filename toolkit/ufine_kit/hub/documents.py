"""Every document of the repository as bytes, by its path: made from the release and the owner's words, the same each time."""

from __future__ import annotations

from typing import Any

from ufine_kit.hub.card import Told, card, licence_text, render, yaml_text
from ufine_kit.hub.croissant import croissant
from ufine_kit.hub.words import spdx

README, DATASHEET, CITATION, CROISSANT, LICENCE, CHANGES = (
    "README.md", "DATASHEET.md", "CITATION.cff", "croissant.json", "LICENSE", "CHANGELOG.md",
)  # fmt: skip
DOCUMENTS = (README, DATASHEET, CITATION, CROISSANT, LICENCE, CHANGES)


def documents(told: Told, shards: dict[str, tuple[str, int]]) -> dict[str, bytes]:
    """Path -> content. `shards` maps the path of every Parquet file to its sha256 and size.

    CHANGELOG.md is made only where the release brings none. Raises KitError when Jinja or PyYAML is not installed.
    """
    made = {
        README: card(told),
        DATASHEET: render("datasheet.md.j2", told),
        CITATION: yaml_text(citation(told)),
        CROISSANT: croissant(told, shards),
        LICENCE: licence_text(told),
    }
    if not (told.release.path / CHANGES).is_file():
        made[CHANGES] = changes(told)
    return {path: text.encode() for path, text in made.items()}


def citation(told: Told) -> dict[str, Any]:
    """CITATION.cff 1.2: how to cite the dataset."""
    owner, licence = told.recipe.card, str(told.release.manifest["recipe"].get("license", ""))
    said: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": told.title,
        "version": told.release.version,
        "authors": [{"name": name} for name in owner.authors],
        "identifiers": [{"type": "other", "value": told.release.data_digest, "description": "digest of the rows"}],
    }
    if licence != "other":
        said["license"] = spdx(licence)
    if owner.year:
        said["date-released"] = f"{owner.year}-01-01"
    if owner.url:
        said["url"] = owner.url
    return said


def changes(told: Told) -> str:
    """A CHANGELOG.md for a release that brought none: what its manifest says, else that it is the first word on it."""
    told_of = told.release.manifest.get("changes") or ["No change is recorded."]
    lines = "".join(f"- {line}\n" for line in (" ".join(str(entry).split()) for entry in told_of))
    return f"# Changes of {told.release.name}\n\n## {told.release.version}\n\n{lines}"
