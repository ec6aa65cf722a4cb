"""What a start brings along: whom a checkpoint of the kit has seen before, and which bytes its weights are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transformers.utils.hub import cached_file, extract_commit_hash

from ufine_kit.baseline.checkpoint import CARD, TRAINED_ON, WEIGHTS, read_card, trained_on
from ufine_kit.files import digest_of, sha256_file


@dataclass(frozen=True)
class Ancestry:
    """Hashes of the persons and images that weights were trained on before, the datasets they came from, and if drawn."""

    people: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    synthetic: bool = False


def ancestry(pretrained: str) -> Ancestry:
    """Whom a start has seen; nobody that is known for none, or for one that the kit did not train.

    Raises KitError for a checkpoint of the kit whose list of trained persons is gone.
    """
    if not pretrained or not trained_by_kit(pretrained):
        return Ancestry()
    card, kept = beside(pretrained, CARD), beside(pretrained, TRAINED_ON)
    people, images = trained_on(kept.parent if kept else Path(pretrained))
    if card is None:
        return Ancestry(people, images)
    told = read_card(card.parent)
    return Ancestry(people, images, frozenset((told["trained_on"] or {}).get("sources", ())), bool(told["synthetic"]))


def trained_by_kit(name: str) -> bool:
    """Whether a folder, or a name on the Hub, is a checkpoint of the kit."""
    return any(beside(name, file) for file in (CARD, TRAINED_ON))


def weights_of(pretrained: str) -> str | None:
    """What tells these weights from others of the same name: sha256 of the file, a Hub name's commit; None if unknown."""
    folder = Path(pretrained)
    if (folder / WEIGHTS).is_file():
        return sha256_file(folder / WEIGHTS)
    if folder.is_dir():  # weights in several files
        return digest_of({path.name: sha256_file(path) for path in sorted(folder.glob("*.safetensors"))})
    config = beside(pretrained, "config.json")
    return extract_commit_hash(str(config), None) if config else None


def beside(name: str, file: str) -> Path | None:
    """A file of a folder, or of a repository on the Hub; None where it is not there or cannot be reached."""
    if Path(name).is_dir():
        return Path(name) / file if (Path(name) / file).is_file() else None
    quiet = {f"_raise_exceptions_for_{what}": False for what in ("missing_entries", "connection_errors", "gated_repo")}
    try:
        found = cached_file(name, file, **quiet)
    except (OSError, ValueError):  # no such repository, or no name that one could have
        return None
    return Path(found) if found else None
