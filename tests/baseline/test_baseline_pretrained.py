"""Any CLIP as a start: safetensors alone, positions stretched by the plain formula, texts read where they end."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from transformers import AutoTokenizer, CLIPConfig, CLIPModel  # noqa: E402

from baseline.cliplike import POSITIONS, write_cliplike  # noqa: E402
from baseline.releases import ALL_LOSSES, small_table  # noqa: E402
from ufine_kit.adapters.clip_tower import open_clip_tower  # noqa: E402
from ufine_kit.baseline.checkpoint import open_checkpoint  # noqa: E402
from ufine_kit.baseline.data import load_pairs  # noqa: E402
from ufine_kit.baseline.evaluate import evaluate_subject, record_path  # noqa: E402
from ufine_kit.baseline.features import image_features, text_features  # noqa: E402
from ufine_kit.baseline.model import encode_texts, parameter_count  # noqa: E402
from ufine_kit.baseline.objective import Objective  # noqa: E402
from ufine_kit.baseline.pretrained import fitted, open_pretrained, stretched  # noqa: E402
from ufine_kit.baseline.subject import slug, zero_shot_size, zero_shot_subject  # noqa: E402
from ufine_kit.baseline.tokens import encode  # noqa: E402
from ufine_kit.baseline.train import train  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_cliplike(tmp_path_factory.mktemp("clip") / "tiny-clip")


@pytest.mark.parametrize(("old", "new"), [(77, 168), (12, 40), (5, 6)])
def test_stretched_positions_are_the_plain_linear_interpolation(old, new):
    held = torch.randn(old, 7, dtype=torch.float64)
    found = stretched(held, new)
    at = np.linspace(0, old - 1, new)
    wanted = np.stack([np.interp(at, np.arange(old), held[:, column]) for column in range(7)], axis=1)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-9, atol=1e-12)
    assert torch.equal(found[0], held[0]) and torch.allclose(found[-1], held[-1])


def test_stretching_changes_positions_and_nothing_else(clip):
    before, _ = open_pretrained(str(clip))
    model, tokenizer = open_pretrained(str(clip))
    fitted(model, tokenizer, 30, mask=True)
    positions = "text_model.embeddings.position_embedding.weight"
    words = "text_model.embeddings.token_embedding.weight"
    held, kept = before.state_dict(), model.state_dict()
    assert kept[positions].shape == (30, 32)
    assert kept[words].shape[0] == held[words].shape[0] + 1
    torch.testing.assert_close(kept[words][-1], held[words].mean(dim=0))
    for name in set(held) - {positions, words}:
        assert torch.equal(held[name], kept[name]), name
    assert model.text_model.embeddings.position_ids.shape == (1, 30)
    assert (tokenizer.mask_token_id, tokenizer.model_max_length) == (len(tokenizer) - 1, 30)


def test_short_text_limit_leaves_the_positions_alone(clip):
    model, tokenizer = open_pretrained(str(clip))
    fitted(model, tokenizer, 5, mask=False)
    assert len(model.text_model.embeddings.position_embedding.weight) == POSITIONS
    assert encode(tokenizer, ["a man in a red coat and a blue bag"])[0].shape == (1, 5)
    assert tokenizer.mask_token is None


def test_texts_are_read_at_their_end_and_not_at_the_highest_id(clip):
    """A mask has a higher id than the end: with `eos_token_id` 2 transformers would read the text at the mask."""
    plain = CLIPModel.from_pretrained(clip).eval()
    model, tokenizer = open_pretrained(str(clip))
    ids, _ = encode(tokenizer, ["a man in a red coat", "a bag"])
    with torch.no_grad():
        wanted = plain.get_text_features(input_ids=ids.long())
        wanted = wanted if torch.is_tensor(wanted) else wanted.pooler_output
        torch.testing.assert_close(encode_texts(model, ids), torch.nn.functional.normalize(wanted, dim=1))
        fitted(model, tokenizer, 12, mask=True)
        ids[0, 2] = tokenizer.mask_token_id
        states = model.text_model(input_ids=ids.long())
    end = (ids[0] == tokenizer.eos_token_id).int().argmax()
    assert torch.equal(states.pooler_output[0], states.last_hidden_state[0, end])


def test_training_from_it_gives_a_checkpoint_that_transformers_opens(clip, small_release, tmp_path, quiet):
    table = small_table(pretrained=str(clip), steps=4, text_tokens=90, learning_rate=1e-4, **ALL_LOSSES)
    report = train(small_release, table, tmp_path / "tuned", quiet)
    assert report.steps == 4
    pairs = load_pairs(small_release, "test", 32, 16)
    model, tokenizer, card = open_checkpoint(tmp_path / "tuned")
    wanted = image_features(model, pairs.pixels), text_features(model, encode(tokenizer, pairs.captions)[0])
    opened, tokens = CLIPModel.from_pretrained(tmp_path / "tuned"), AutoTokenizer.from_pretrained(tmp_path / "tuned")
    ids = tokens(pairs.captions, padding=True, truncation=True, return_tensors="pt")
    assert ids["input_ids"].shape[1] == 90
    with torch.no_grad():
        texts = opened.get_text_features(**ids)
        texts = texts if torch.is_tensor(texts) else texts.pooler_output
    torch.testing.assert_close(
        torch.nn.functional.normalize(texts, dim=1), torch.from_numpy(wanted[1]), rtol=1e-4, atol=1e-5
    )
    assert card["recipe"]["pretrained"] == str(clip)


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('the pickle was opened')",))


def test_pickled_weights_are_refused_in_one_line(clip, tmp_path):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((clip / name).read_bytes())
    with pytest.raises(KitError, match=r"has no `model.safetensors`"):
        open_pretrained(str(tmp_path))
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(KitError, match=r"has only pickled weights \(`pytorch_model.bin`\)"):
        open_pretrained(str(tmp_path))


def test_what_is_no_clip_is_refused_in_one_line(clip, tmp_path):
    (tmp_path / "model.safetensors").write_bytes((clip / "model.safetensors").read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(KitError) as error:
        open_pretrained(str(tmp_path))
    assert "\n" not in error.value.problem


@pytest.mark.parametrize("left", [0, 4, 5_000])
def test_truncated_weights_are_one_line(clip, tmp_path, left):
    folder = shutil.copytree(clip, tmp_path / "cut")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:left])
    for opened in (open_pretrained, lambda name: open_clip_tower(Path(name))):
        with pytest.raises(KitError, match=r"(open|load) as a CLIP model") as error:
            opened(str(folder))
        assert "\n" not in error.value.problem


def test_start_without_its_tokenizer_is_refused(clip, tmp_path):
    """transformers makes up an empty one of two tokens where the files are missing."""
    folder = shutil.copytree(clip, tmp_path / "mute")
    for path in folder.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(KitError, match=r"mute` has no tokenizer of its own"):
        open_pretrained(str(folder))


def test_start_whose_tokenizer_knows_no_end_is_refused(clip, tmp_path):
    folder = shutil.copytree(clip, tmp_path / "endless")
    said = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(said | {"eos_token": None}))
    with pytest.raises(KitError, match=r"endless` has no end token"):
        open_pretrained(str(folder))


@pytest.mark.parametrize("vision", [5, {"patch_size": 0}, {"hidden_size": "x"}])
def test_start_of_nonsense_is_one_line(clip, tmp_path, vision):
    folder = shutil.copytree(clip, tmp_path / "odd")
    config = json.loads((folder / "config.json").read_text())
    changed = vision if isinstance(vision, int) else config["vision_config"] | vision
    (folder / "config.json").write_text(json.dumps(config | {"vision_config": changed}))
    with pytest.raises(KitError, match="does not open as a CLIP model") as error:
        open_pretrained(str(folder))
    assert "\n" not in error.value.problem


def test_image_that_its_patches_do_not_fill_names_the_next_size(clip, small_release, tmp_path, quiet):
    with pytest.raises(KitError, match="not made of whole patches of 8 px") as error:
        train(small_release, small_table(pretrained=str(clip), image_width_px=20), tmp_path / "a", quiet)
    assert "baseline.image_width_px=24" in error.value.mend


def test_zero_shot_row_stands_apart_from_the_trained_ones(clip, small_release, tmp_path):
    record, _, _ = evaluate_subject(zero_shot_subject(str(clip)), small_release, device="cpu")
    assert record["checkpoint"]["name"] == "zero-shot-tiny-clip"
    assert record["checkpoint"]["trained_on"] is None
    assert record_path(tmp_path, record).parent.name == "zero-shot"
    assert record["captions_cut"] > 0


@pytest.mark.parametrize(
    ("square", "patch", "wanted"), [(224, 16, (384, 128)), (336, 14, (588, 196)), (32, 8, (56, 16))]
)
def test_zero_shot_size_keeps_the_number_of_patches(square, patch, wanted):
    assert zero_shot_size(square, patch) == wanted


def test_slug_is_a_file_name_that_keeps_two_organisations_apart(tmp_path):
    assert slug("openai/CLIP ViT:B|16") == "zero-shot-openai-clip-vit-b-16"
    assert slug(str(tmp_path)) == f"zero-shot-{tmp_path.name}"


# --- sizes of the paper's models, from their configurations: no weight is made -----------------------------------------

B16 = {
    "text_config": {},
    "vision_config": {"patch_size": 16},
}
L14 = {
    "text_config": {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12},
    "vision_config": {
        "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16,
        "patch_size": 14,
    },
    "projection_dim": 768,
}  # fmt: skip
CFAM = {"contrastive": 0, "sdm": 1, "granularity": 1, "match": 1, "cross_identity": 1}
SIZES = {"B/16": (B16, 149_620_736), "L/14": (L14, 427_616_512)}
# With what only training needs: 4,926 train identities, texts of 168 tokens, a mask token. Stated in docs/baseline.md.
WHOLE = {"B/16": 167_710_528, "L/14": 448_041_536}
PEOPLE, QUERIES, WIDTH, BLOCKS = 4_926, 16, 512, 2


def linear(inward: int, outward: int) -> int:
    return inward * outward + outward


def added(features: int) -> int:
    """Layers of CFAM behind a CLIP of so many features, by formula."""
    attention = 4 * linear(WIDTH, WIDTH)
    mlp = linear(WIDTH, 4 * WIDTH) + linear(4 * WIDTH, WIDTH)
    norm = 2 * WIDTH
    decoder = QUERIES * WIDTH + 2 * norm + BLOCKS * (2 * attention + mlp + 3 * norm)
    entrance = 0 if features == WIDTH else linear(features, WIDTH)
    matcher = 2 * WIDTH + BLOCKS * (attention + mlp + 2 * norm) + norm + linear(WIDTH, WIDTH) + linear(WIDTH, 1)
    pairs = 4 * features + linear(2 * features, features) + linear(features, PEOPLE + 1)
    return decoder + entrance + matcher + pairs


@pytest.mark.parametrize("name", SIZES)
def test_parameter_counts_of_the_paper_s_models(name):
    sizes, wanted = SIZES[name]
    with torch.device("meta"):
        config = CLIPConfig(**sizes)
        clip = CLIPModel(config)
        clip.logit_scale.requires_grad_(False)
        assert parameter_count(clip) == wanted
        config.text_config.max_position_embeddings, config.text_config.vocab_size = 168, 49_409
        table = small_table(losses=CFAM, decoder={"queries": 16, "width": 512, "blocks": 2, "heads": 8})
        objective = Objective(CLIPModel(config), table, PEOPLE)
    longer = (168 - 77 + 1) * config.text_config.hidden_size
    assert parameter_count(objective) == WHOLE[name] == wanted + longer + added(config.projection_dim)
    assert f"{WHOLE[name]:,}" in (Path(__file__).parents[2] / "docs/baseline.md").read_text()
