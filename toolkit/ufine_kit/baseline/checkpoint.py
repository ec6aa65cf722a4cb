"""A checkpoint on disk: a folder that `CLIPModel.from_pretrained` opens, and the one file from which training resumes."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

from ufine_kit.baseline.tokens import read_tokenizer
from ufine_kit.errors import KitError, first_fault
from ufine_kit.files import make_folder, read_json, replacing, sha256_file, write_bytes, write_json

FORMAT = 1
TOOLS = ("torch", "transformers", "tokenizers", "safetensors")  # whose versions a checkpoint and a record name
CARD = "ufine.json"  # written last: it is the done mark
WEIGHTS = "model.safetensors"
CURVE = "metrics.jsonl"
STATE = "training.safetensors"
TRAINED_ON = "trained_on.json"
SEEDS = "seeds.json"  # of a series: the names of its checkpoints
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")

NAME = r"^[a-z0-9][a-z0-9_-]*$"  # as the recipe demands it

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class State:
    """All that training needs to go on: tensors by name (`weight.`, `adam.`, `best.`) and plain facts.

    There is no random state in it: what a step draws depends on the seed and the number of the step.
    """

    tensors: Tensors
    facts: dict[str, Any]

    def part(self, prefix: str) -> Tensors:
        """The tensors under one prefix, without it."""
        return {name.removeprefix(prefix): tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}


def write_state(folder: Path, state: State) -> None:
    """Replace the training state as a whole: one file, tensors and facts together."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
    _write_tensors(folder / STATE, tensors, {"facts": json.dumps(state.facts)})


def read_state(folder: Path) -> State | None:
    """The training state, None where there is none. Raises KitError for a file that is no safetensors."""
    path = folder / STATE
    if not path.exists():
        return None
    mend = f"remove it and train from the first step: rm {path}"
    tensors, metadata = _read_tensors(path, mend)
    if "facts" not in metadata:
        raise KitError(f"`{path}` holds no training to go on with", mend)
    return State(tensors, json.loads(metadata["facts"]))


def remove_state(folder: Path) -> None:
    """Take the training state away, and what killed processes left half written: the checkpoint is finished."""
    for path in (folder / STATE, *folder.glob(".*.tmp")):
        path.unlink(missing_ok=True)


def _write_tensors(path: Path, tensors: Tensors, metadata: dict[str, str]) -> None:
    with replacing(path) as temporary:
        try:
            save_file(tensors, temporary, metadata=metadata)
        except SafetensorError as error:  # a full disk comes as text: `I/O error: ... (os error 28)`
            found = re.search(r"os error (\d+)", str(error))
            if found is None:
                raise
            raise OSError(int(found[1]), str(error), str(path)) from error
        temporary.chmod(0o644)  # safetensors gives its files to their owner alone


def _read_tensors(path: Path, mend: str) -> tuple[Tensors, Mapping[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise KitError(f"`{path}` is no safetensors file: {str(error).splitlines()[0]}", mend) from None


def write_checkpoint(
    folder: Path, model: CLIPModel, tokenizer: PreTrainedTokenizerFast, card: Mapping[str, Any]
) -> None:
    """Write weights, configuration and tokenizer as transformers reads them, and `ufine.json` last."""
    make_folder(folder)
    write_json(folder / "config.json", json.loads(model.config.to_json_string(use_diff=False)))
    tokenizer.save_pretrained(folder)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    _write_tensors(folder / WEIGHTS, weights, {"format": "pt"})
    write_json(folder / CARD, {**card, "weights_sha256": sha256_file(folder / WEIGHTS)})


def read_card(folder: Path) -> dict[str, Any]:
    """`ufine.json` of a finished checkpoint. Raises KitError when it is not there, from a newer kit, or wrong in a field."""
    if (folder / SEEDS).is_file() and not (folder / CARD).is_file():
        raise KitError(
            f"`{folder}` holds a series of seeds, not one checkpoint",
            f"name one of them, as {folder}-seed0, or measure them all: ufine-kit evaluate {folder} RELEASE --validate",
        )
    if not (folder / CARD).is_file():
        unfinished = (folder / STATE).exists()
        raise KitError(
            f"`{folder}` {'is not trained to its end' if unfinished else f'is no checkpoint (no {CARD})'}",
            "ufine-kit baseline-train" + (" goes on where it stopped" if unfinished else ""),
        )
    card = read_json(folder / CARD)
    if isinstance(card, dict) and isinstance(made := card.get("format", 0), int) and made > FORMAT:
        raise KitError(f"`{folder}` was written by a newer ufine-kit", "uv pip install -U ufine-kit")
    try:
        Card.model_validate(card)
    except ValidationError as error:
        mend = "restore the checkpoint from a copy, or train again"
        raise KitError(f"`{folder / CARD}`: {first_fault(error, 'file')}", mend) from None
    return card


class Card(BaseModel):
    """What every `ufine.json` says. A checkpoint may come from anywhere, and a record is written under its name."""

    model_config = ConfigDict(strict=True)

    name: Annotated[str, Field(pattern=NAME)]
    synthetic: bool
    made_of: dict[str, str]
    trained_on: dict[str, Any]
    recipe: dict[str, Any]
    image_height_px: PositiveInt
    image_width_px: PositiveInt
    weights_sha256: str
    selection: dict[str, Any]
    parameters: int
    loss: float


def open_checkpoint(folder: Path) -> tuple[CLIPModel, PreTrainedTokenizerFast, dict[str, Any]]:
    """Model in evaluation mode, tokenizer and card. Only safetensors are read: a pickle can run code when it is opened."""
    card = read_card(folder)
    if not (folder / WEIGHTS).is_file():
        pickled = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
        what = f"only pickled weights (`{pickled[0]}`)" if pickled else "no weights"
        raise KitError(f"`{folder}` has {what}", f"put `{WEIGHTS}` there; pickles are never opened")
    mend = "pickles are never opened; restore the checkpoint from a copy, or remove its folder and train again"
    tensors, _ = _read_tensors(folder / WEIGHTS, mend)
    if sha256_file(folder / WEIGHTS) != card["weights_sha256"]:
        raise KitError(
            f"`{folder / WEIGHTS}` holds other weights than those that `{CARD}` speaks of",
            "restore the checkpoint from a copy, or train again: nobody knows whom these weights have seen",
        )
    try:
        model = CLIPModel(CLIPConfig.from_pretrained(folder, local_files_only=True))
        model.load_state_dict(tensors)
        tokenizer = read_tokenizer(folder)
    except KitError:
        raise
    except Exception as error:  # errors of transformers, tokenizers and huggingface_hub share no base class
        first, *others = [line.strip() for line in str(error).strip().splitlines() or [type(error).__name__]]
        raise KitError(
            f"`{folder}` does not open: {others[0] if others else first}",
            "config.json, tokenizer and weights must belong together; train again",
        ) from None
    read = model.config.text_config
    if tokenizer.eos_token_id != read.eos_token_id or len(tokenizer) > read.vocab_size:
        raise KitError(
            f"`{folder}` has another model's tokenizer", "restore the checkpoint from a copy, or train again"
        )
    return model.eval(), tokenizer, card


def append_curve(folder: Path, record: Mapping[str, Any]) -> None:
    """Add one line to `metrics.jsonl`."""
    with (folder / CURVE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def cut_curve(folder: Path, step: int) -> None:
    """Keep the lines of `metrics.jsonl` up to `step`: what was written after the last checkpoint will be written again."""
    path = folder / CURVE
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    kept = [line for line in lines if line.endswith(b"\n") and _step_of(line) <= step]
    write_bytes(path, b"".join(kept))


def _step_of(line: bytes) -> float:
    """Of a line of the curve; infinite for one that a power cut left damaged."""
    try:
        return float(json.loads(line)["step"])
    except (KeyError, TypeError, ValueError):
        return math.inf


def person_hash(release: str, person_id: str) -> str:
    """What a checkpoint keeps of a train identity: enough to meet it again, nothing to read a name from."""
    return hashlib.sha256(f"{release}/{person_id}".encode()).hexdigest()[:16]


def write_trained_on(
    folder: Path,
    release: str,
    person_ids: Iterable[str],
    image_sha256: Iterable[str],
    before: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset()),
) -> None:
    """Write which identities (hashed with the release's name) and which image bytes the model was trained on.

    `before` is what the weights had seen when the training began, as `trained_on` gives it.
    """
    people = sorted({person_hash(release, person) for person in person_ids} | before[0])
    images = sorted({sha256[:16] for sha256 in image_sha256} | before[1])
    write_json(folder / TRAINED_ON, {"people": people, "images": images})


def trained_on(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Hashes of the train identities and the first 16 digits of the train images' sha256. Raises KitError for another file."""
    kept = read_json(folder / TRAINED_ON)
    try:
        return frozenset(map(str, kept["people"])), frozenset(map(str, kept["images"]))
    except (KeyError, TypeError):
        raise KitError(
            f"`{folder / TRAINED_ON}` is no list of persons and images",
            "restore the checkpoint from a copy, or train again",
        ) from None
