"""The baseline's checkpoint as a repository: only files that open without running code, only weights that were measured."""

from __future__ import annotations

import hashlib
import json

import pytest

from hub.preparing import record, release, told
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.hub.model import prepare_model
from ufine_kit.manifest import Record

WEIGHTS = b"weights"


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return release(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    card = {"name": "tiny", "image_height_px": 96, "image_width_px": 48, "synthetic": True,
            "weights_sha256": hashlib.sha256(WEIGHTS).hexdigest()}  # fmt: skip
    (folder / "ufine.json").write_text(json.dumps(card))
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    for name in ("config.json", "tokenizer.json", "training.safetensors", "pytorch_model.bin", "notes.txt"):
        (folder / name).write_text("{}")
    return folder


def measured(toy, weights: bytes = WEIGHTS) -> Record:
    entry = record(toy.data_digest)
    entry["checkpoint"] |= {"weights_sha256": hashlib.sha256(weights).hexdigest()}
    return Record.model_validate(entry)


def test_pickles_training_state_and_notes_stay_here(toy, checkpoint, tmp_path):
    tree = prepare_model(checkpoint, told(toy, record=measured(toy)), "org/set-baseline", tmp_path)
    assert list(tree) == ["LICENSE", "README.md", "config.json", "model.safetensors", "tokenizer.json", "ufine.json"]
    assert all(hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256 for file in tree.values())


def test_its_card_names_the_data_the_numbers_and_that_it_is_synthetic(toy, checkpoint, tmp_path):
    tree = prepare_model(checkpoint, told(toy, record=measured(toy)), "org/set-baseline", tmp_path)
    text = tree["README.md"].path.read_text()
    assert "datasets:\n- org/set\n" in text and "**Synthetic.**" in text and toy.data_digest in text
    assert "| 51.20 |" in text and 'from_pretrained("org/set-baseline", revision="v0.1.0")' in text
    assert "extra_gated_prompt" in text and "owner@example.org" in text


@pytest.mark.parametrize(("seeds", "means"), [(1, False), (3, True)])
def test_numbers_of_a_series_are_not_passed_off_as_those_of_one_seed(toy, checkpoint, tmp_path, seeds, means):
    validation = {"seeds": seeds, "passed": True}
    entry = Record.model_validate(measured(toy).model_dump() | {"validation": validation})
    text = prepare_model(checkpoint, told(toy, record=entry), "org/m", tmp_path)["README.md"].path.read_text()
    assert (f"Means over {seeds} seeds, of which this is one." in text) == means


def test_weights_that_were_not_measured_are_refused(toy, checkpoint, tmp_path):
    with pytest.raises(CheckFailed, match="is of another checkpoint") as caught:
        prepare_model(checkpoint, told(toy, record=measured(toy, b"others")), "org/m", tmp_path)
    assert "ufine-kit evaluate" in caught.value.mend


def test_another_seed_than_the_one_that_stands_for_a_validated_series_is_answered_with_that_one(
    toy, checkpoint, tmp_path
):
    """To evaluate it would not help: a validation goes before a plain record."""
    block = {"seeds": 2, "passed": True, "checkpoints": ["tiny-seed0", "tiny-seed1"]}
    entry = Record.model_validate(measured(toy, b"others").model_dump() | {"validation": block})
    with pytest.raises(CheckFailed, match="is of another checkpoint") as caught:
        prepare_model(checkpoint, told(toy, record=entry), "org/m", tmp_path)
    assert caught.value.mend.endswith(f"--with-model {checkpoint.with_name('tiny-seed0')}")


def test_weights_that_changed_since_they_were_written_are_refused(toy, checkpoint, tmp_path):
    (checkpoint / "model.safetensors").write_bytes(b"changed")
    with pytest.raises(CheckFailed, match="are not those that were written"):
        prepare_model(checkpoint, told(toy, record=measured(toy)), "org/m", tmp_path)


def test_an_unfinished_checkpoint_and_a_card_with_a_foreign_address_are_refused(toy, checkpoint, tmp_path):
    with pytest.raises(CheckFailed, match="model's card may not go out"):
        prepare_model(checkpoint, told(toy, record=measured(toy), consent="ask jane@example.com"), "org/m", tmp_path)
    (checkpoint / "ufine.json").unlink()
    with pytest.raises(KitError, match=r"no ufine\.json") as caught:
        prepare_model(checkpoint, told(toy), "org/m", tmp_path)
    assert caught.value.mend == "ufine-kit baseline-train"
