"""The baseline's checkpoint as a model repository with a card of its own: only files that open without running code."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.files import make_folder, read_json, sha256_file, write_bytes
from ufine_kit.hub.card import Told, render
from ufine_kit.hub.documents import LICENCE, README, licence_text
from ufine_kit.hub.lint import Candidate, no_html, no_other_email, no_own_path, no_picture, no_secret, nothing_open
from ufine_kit.hub.metadata import SYNTHETIC, TAGS, gate_form
from ufine_kit.hub.repository import File, Tree

# Weights, configuration, tokenizer, and what `evaluate` needs to refuse people that the model was trained on.
FILES = (
    "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json",
    "merges.txt", "ufine.json", "trained_on.json", "metrics.jsonl",
)  # fmt: skip
NEEDED = ("config.json", "model.safetensors", "ufine.json")


def prepare_model(checkpoint: Path, told: Told, repo: str, scratch: Path) -> Tree:
    """The files of the model repository by path. Raises KitError where the folder is no finished checkpoint of this release.

    Raises CheckFailed where the card may not go out, or the record is of another checkpoint.
    """
    missing = [name for name in NEEDED if not (checkpoint / name).is_file()]
    if missing:
        raise KitError(f"`{checkpoint}` is no finished checkpoint (no {missing[0]})", "ufine-kit baseline-train")
    card = read_json(checkpoint / "ufine.json")
    weights = sha256_file(checkpoint / "model.safetensors")
    if card.get("weights_sha256") not in (None, weights):
        raise CheckFailed(f"the weights in `{checkpoint}` are not those that were written", "ufine-kit baseline-train")
    measured = getattr(told.record.checkpoint, "weights_sha256", None) if told.record else None
    if measured not in (None, weights):
        raise CheckFailed(
            f"the baseline record is of another checkpoint than `{checkpoint}`", _measured_one(checkpoint, told)
        )
    made = {README: model_card(card, told, repo), LICENCE: licence_text(told)}
    _refuse_dirty(made, told)
    tree = {
        name: File(checkpoint / name, sha256_file(checkpoint / name), (checkpoint / name).stat().st_size)
        for name in FILES
        if (checkpoint / name).is_file()
    }
    for name, text in made.items():
        content = text.encode()
        write_bytes(make_folder(scratch / "model") / name, content)
        tree[name] = File(scratch / "model" / name, hashlib.sha256(content).hexdigest(), len(content))
    return dict(sorted(tree.items()))


def _measured_one(checkpoint: Path, told: Told) -> str:
    """How record and checkpoint come together: a validation goes before any plain record, and has the weights of its first."""
    validation = told.record.validation if told.record else None
    series = (validation.model_extra or {}).get("checkpoints") if validation else None
    if series:
        return f"name the one that was validated: --with-model {checkpoint.with_name(str(series[0]))}"
    return f"ufine-kit evaluate {checkpoint} {told.release.path}"


def model_card(checkpoint: dict[str, Any], told: Told, repo: str) -> str:
    """README.md of the model repository."""
    release, synthetic = told.release, bool(told.release.manifest["synthetic"] or checkpoint.get("synthetic"))
    front = {
        "license": release.manifest["recipe"].get("license", ""),
        "language": list(told.recipe.card.languages),
        "library_name": "transformers",
        "datasets": [told.repo],
        "tags": [*TAGS, "clip", "ufine-kit", *([SYNTHETIC] if synthetic else [])],
        **gate_form(told.recipe),
    }
    return render("model_card.md.j2", told, front, checkpoint=checkpoint, synthetic=synthetic, model_repo=repo)


def _refuse_dirty(made: dict[str, str], told: Told) -> None:
    candidate = Candidate(made, (), told)
    for rule in (nothing_open, no_html, no_picture, no_other_email, no_secret, no_own_path):
        for message in rule(candidate):
            raise CheckFailed(
                f"the model's card may not go out: {message}", f"mend what rule `{rule.__name__}` speaks of"
            )
