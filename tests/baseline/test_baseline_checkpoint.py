"""A checkpoint on disk: transformers opens it, pickles stay closed, and a folder that is none says so."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import AutoTokenizer, CLIPModel  # noqa: E402

from baseline.releases import small_table  # noqa: E402
from ufine_kit.baseline import checkpoint  # noqa: E402
from ufine_kit.baseline.augment import MEAN, STD  # noqa: E402
from ufine_kit.baseline.checkpoint import open_checkpoint, read_card, trained_on, write_state  # noqa: E402
from ufine_kit.baseline.data import load_pairs  # noqa: E402
from ufine_kit.baseline.features import image_features, text_features  # noqa: E402
from ufine_kit.baseline.tokens import encode  # noqa: E402
from ufine_kit.baseline.train import train  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402
from ufine_kit.files import sha256_file  # noqa: E402

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def trained(small_release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    train(small_release, small_table(), folder, lambda _: None)
    return folder


@pytest.fixture
def copied(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "tiny")


def test_ten_lines_of_transformers_give_the_same_features(trained, small_release):
    pairs = load_pairs(small_release, "test", 32, 16)
    model, tokenizer, _ = open_checkpoint(trained)
    wanted = image_features(model, pairs.pixels), text_features(model, encode(tokenizer, pairs.captions)[0])

    clip = CLIPModel.from_pretrained(trained).eval()
    tokens = AutoTokenizer.from_pretrained(trained)
    pixels = ((pairs.pixels / 255 - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2)
    words = tokens(pairs.captions, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        found = clip(**words, pixel_values=pixels, interpolate_pos_encoding=True)

    torch.testing.assert_close(found.image_embeds, torch.from_numpy(wanted[0]), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.text_embeds, torch.from_numpy(wanted[1]), rtol=1e-4, atol=1e-5)


def test_card_says_what_the_checkpoint_is(trained, small_release):
    card = read_card(trained)
    assert card["trained_on"] == {
        "name": "world", "version": "0.1.0", "data_digest": small_release.data_digest, "sources": ["synthetic world"],
    }  # fmt: skip
    assert card["weights_sha256"] == sha256_file(trained / "model.safetensors")
    assert (card["image_height_px"], card["image_width_px"], card["text_tokens"]) == (32, 16, 120)
    assert card["recipe"]["steps"] == 12
    assert card["selection"]["rule"] == "best R@1 on val"
    assert set(card["versions"]) >= {"ufine-kit", "torch", "transformers", "tokenizers"}
    assert card["synthetic"] is True


def test_finished_checkpoint_holds_no_names_and_no_training_state(trained, small_release):
    assert not (trained / checkpoint.STATE).exists()
    text = (trained / checkpoint.TRAINED_ON).read_text()
    assert len(json.loads(text)["people"]) == 12
    assert '"p1"' not in text


def test_text_features_do_not_depend_on_their_neighbours(trained, small_release):
    model, tokenizer, _ = open_checkpoint(trained)
    ids, _ = encode(tokenizer, load_pairs(small_release, "test", 32, 16).captions)
    together = text_features(model, ids)
    alone = np.stack([text_features(model, ids[place : place + 1])[0] for place in range(len(ids))])
    torch.testing.assert_close(torch.from_numpy(together), torch.from_numpy(alone), rtol=1e-4, atol=1e-5)


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('the pickle was opened')",))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "weights.pt", "best.pth"])
def test_pickled_weights_are_refused(copied, name):
    (copied / "model.safetensors").unlink()
    (copied / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(KitError, match=f"only pickled weights .`{name}`"):
        open_checkpoint(copied)


def test_pickle_under_the_name_of_safetensors_is_refused(copied):
    (copied / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(KitError, match="is no safetensors file"):
        open_checkpoint(copied)


def test_weights_of_another_shape_are_named(copied):
    config = json.loads((copied / "config.json").read_text())
    config["text_config"]["max_position_embeddings"] = 77
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(KitError, match="size mismatch for text_model") as error:
        open_checkpoint(copied)
    assert "\n" not in error.value.problem


def test_weights_that_were_replaced_are_refused(copied, trained):
    """Whom they were trained on is told of other weights."""
    tensors = load_file(copied / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in tensors.items()}, copied / "model.safetensors")
    with pytest.raises(KitError, match=r"holds other weights than those that `ufine\.json` speaks of"):
        open_checkpoint(copied)


def test_newer_format_is_refused(copied):
    card = json.loads((copied / "ufine.json").read_text())
    (copied / "ufine.json").write_text(json.dumps(card | {"format": 99}))
    with pytest.raises(KitError, match="newer ufine-kit"):
        open_checkpoint(copied)


def test_folder_without_a_card_says_whether_it_is_unfinished(tmp_path):
    with pytest.raises(KitError, match="is no checkpoint"):
        read_card(tmp_path)
    write_state(tmp_path, checkpoint.State({"weight.a": torch.zeros(2)}, {"step": 4}))
    with pytest.raises(KitError, match="not trained to its end"):
        read_card(tmp_path)


def test_folder_of_a_series_says_what_can_be_named(tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "seeds.json").write_text('{"checkpoints": ["tiny-seed0"]}')
    with pytest.raises(KitError, match="holds a series of seeds") as error:
        read_card(tmp_path / "tiny")
    assert "tiny-seed0" in error.value.mend and "--validate" in error.value.mend


CARD = (
    {"name": "../../evil"},
    {"name": "a/b"},
    {"made_of": 3},
    {"trained_on": []},
    {"image_width_px": "16"},
    {"recipe": None},
)


@pytest.mark.parametrize("changes", CARD, ids=str)
def test_card_that_says_what_none_says_is_refused_by_its_field(copied, changes):
    """A checkpoint comes from anywhere, and a record is written under its name."""
    card = json.loads((copied / "ufine.json").read_text())
    (copied / "ufine.json").write_text(json.dumps(card | changes))
    (field,) = changes
    with pytest.raises(KitError, match=f"ufine.json`: `{field}`") as error:
        open_checkpoint(copied)
    assert "\n" not in error.value.problem


@pytest.mark.parametrize(("name", "text"), [("ufine.json", "[]"), ("ufine.json", "{}"), ("trained_on.json", "[1]"),
                                            ("trained_on.json", '{"people": 3, "images": []}')])  # fmt: skip
def test_file_of_another_shape_is_named(copied, name, text):
    (copied / name).write_text(text)
    with pytest.raises(KitError, match=name):
        trained_on(copied) if name == checkpoint.TRAINED_ON else open_checkpoint(copied)


@pytest.mark.parametrize(
    "gone", [("tokenizer.json",), ("tokenizer_config.json",), ("tokenizer.json", "tokenizer_config.json")]
)
def test_checkpoint_without_its_tokenizer_is_refused(copied, gone):
    """transformers makes up an empty one where the files are missing, and every text would be the same."""
    for name in gone:
        (copied / name).unlink()
    with pytest.raises(KitError, match="tokenizer"):
        open_checkpoint(copied)


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("vision_config", {"patch_size": 0}),
        ("vision_config", {"hidden_size": "x"}),
        ("text_config", {"hidden_act": "?"}),
    ],
)
def test_configuration_that_is_nonsense_is_one_line(copied, part, changes):
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {part: config[part] | changes}))
    with pytest.raises(KitError, match="does not open") as error:
        open_checkpoint(copied)
    assert "\n" not in error.value.problem


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"version": "1.0"}'])
def test_tokenizer_that_is_none_is_one_line(copied, text):
    (copied / "tokenizer.json").write_text(text)
    with pytest.raises(KitError, match="does not open"):
        open_checkpoint(copied)


def test_training_state_of_another_kind_is_named(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / checkpoint.STATE)
    with pytest.raises(KitError, match="safetensors` holds no training"):
        checkpoint.read_state(tmp_path)


def test_damaged_lines_of_a_curve_are_left_out(tmp_path):
    kept = b'{"step": 4}\n'
    (tmp_path / checkpoint.CURVE).write_bytes(b"\0\0\0\n" + kept + b'[]\n{"step": 8}\n{"st')
    checkpoint.cut_curve(tmp_path, 4)
    assert (tmp_path / checkpoint.CURVE).read_bytes() == kept


def test_training_state_comes_back_whole(tmp_path):
    tensors = {"weight.a": torch.randn(2, 3), "adam.a/step": torch.tensor(5.0), "best.a": torch.randn(2, 3)}
    write_state(tmp_path, checkpoint.State(tensors, {"step": 4, "metrics": {"R@1": 2.5}}))
    found = checkpoint.read_state(tmp_path)
    assert found.facts == {"step": 4, "metrics": {"R@1": 2.5}}
    assert torch.equal(found.part("weight.")["a"], tensors["weight.a"])
    assert found.part("adam.")["a/step"].item() == 5
    assert list(found.part("best.")) == ["a"]
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.STATE]
