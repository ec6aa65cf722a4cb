"""The model: positions at H x W, padding, sizes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import small_table  # noqa: E402
from ufine_kit.baseline.model import (  # noqa: E402
    encode_images,
    encode_texts,
    end_of,
    look,
    new_model,
    parameter_count,
    read_texts,
    waves,
)
from ufine_kit.baseline.tokens import END, PAD, START  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402

pytestmark = pytest.mark.full

TEXTS = torch.tensor([[START, 9, 8, 7, END], [START, 20, END, PAD, PAD]])


@pytest.fixture
def model():
    return new_model(small_table(), 300)


@pytest.mark.parametrize(("height", "width"), [(32, 16), (48, 16), (384, 128)])
def test_positions_are_interpolated_to_the_image_s_own_grid(model, height, width):
    seen = model.vision_model.embeddings(torch.zeros(2, 3, height, width), interpolate_pos_encoding=True)
    assert seen.shape == (2, 1 + (height // 8) * (width // 8), 32)


def test_every_row_of_the_square_grid_learns_through_the_interpolation(model):
    encode_images(model, torch.randn(2, 3, 32, 16)).sum().backward()
    gradient = model.vision_model.embeddings.position_embedding.weight.grad
    assert gradient.shape == (1 + 4 * 4, 32)
    assert (gradient.abs().sum(dim=1) > 0).all()


def test_position_interpolation_equals_plain_bicubic_of_the_grid(model):
    embeddings = model.vision_model.embeddings
    grid = embeddings.position_embedding.weight[1:].reshape(4, 4, 32).permute(2, 0, 1)[None]
    wanted = torch.nn.functional.interpolate(grid, size=(4, 2), mode="bicubic")[0].flatten(1).T
    with torch.no_grad():
        embeddings.patch_embedding.weight.zero_()
        found = embeddings(torch.zeros(1, 3, 32, 16), interpolate_pos_encoding=True)[0, 1:]
    torch.testing.assert_close(found, wanted)


def test_nothing_behind_the_end_token_changes_a_feature(model):
    filled = TEXTS.clone()
    filled[1, 3:] = torch.tensor([44, 55])
    with torch.no_grad():
        assert torch.equal(encode_texts(model, TEXTS), encode_texts(model, filled))
        longer = torch.nn.functional.pad(TEXTS, (0, 40), value=PAD)
        torch.testing.assert_close(encode_texts(model, TEXTS), encode_texts(model, longer))


def test_words_before_the_end_token_do_change_it(model):
    changed = TEXTS.clone()
    changed[1, 1] = 21
    with torch.no_grad():
        assert not torch.allclose(encode_texts(model, TEXTS)[1], encode_texts(model, changed)[1])


def test_padding_token_gets_no_gradient(model):
    encode_texts(model, TEXTS).sum().backward()
    gradient = model.text_model.embeddings.token_embedding.weight.grad
    assert not gradient[PAD].any()
    assert gradient[20].any()


def test_text_tokens_are_read_up_to_the_first_end_token(model):
    assert end_of(model) == END
    for padding in (PAD, END):
        ids = TEXTS.masked_fill(TEXTS == PAD, padding)
        features, tokens, read = read_texts(model, ids)
        assert read.tolist() == [[True] * 5, [True] * 3 + [False] * 2]
        torch.testing.assert_close(torch.nn.functional.normalize(features, dim=1), encode_texts(model, ids))
        torch.testing.assert_close(features[1], tokens[1, 2])


def test_patches_lie_in_the_space_of_the_features(model):
    pixels = torch.randn(2, 3, 32, 16)
    features, patches = look(model, pixels)
    assert patches.shape == (2, 8, 32)
    torch.testing.assert_close(torch.nn.functional.normalize(features, dim=1), encode_images(model, pixels))
    states = model.vision_model(pixel_values=pixels, interpolate_pos_encoding=True).last_hidden_state[:, 3]
    torch.testing.assert_close(model.visual_projection(model.vision_model.post_layernorm(states)), patches[:, 2])


@pytest.mark.parametrize("width", [32, 30, 34])
def test_first_positions_tell_every_patch_apart(width):
    grid = waves(5, width)
    assert grid.shape == (25, width)
    assert torch.cdist(grid, grid).fill_diagonal_(9).min() > 0.1
    # A step in the row moves a position as far wherever it is taken.
    steps = (grid.reshape(5, 5, width)[1:] - grid.reshape(5, 5, width)[:-1]).norm(dim=2)
    torch.testing.assert_close(steps, steps[0, 0].expand_as(steps), rtol=0.05, atol=0)


def test_features_have_length_one(model):
    with torch.no_grad():
        for features in (encode_images(model, torch.randn(3, 3, 32, 16)), encode_texts(model, TEXTS)):
            torch.testing.assert_close(features.norm(dim=1), torch.ones(len(features)))


def test_weights_come_from_the_seed_and_leave_the_global_generator_alone():
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (new_model(small_table(seed=seed), 300).state_dict() for seed in (1, 1, 2))
    assert torch.rand(1) == wanted
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["visual_projection.weight"], other["visual_projection.weight"])


def test_parameter_count_is_that_of_the_formula(model):
    width, patch, mlp = 32, 8, 64
    block = 4 * (width * width + width) + 2 * width * mlp + mlp + width + 4 * width
    vision = width + 3 * patch * patch * width + 17 * width + block + 4 * width
    text = 300 * width + 120 * width + block + 2 * width
    assert parameter_count(model) == vision + text + 2 * width * width + 1


@pytest.mark.parametrize(
    ("changes", "problem", "mend"),
    [
        ({"image_width_px": 20}, "not made of whole patches of 8 px", "baseline.image_width_px=24"),
        ({"width": 30, "heads": 4}, "no multiple of `baseline.heads` 4", "baseline.width=32"),
    ],
)
def test_sizes_that_do_not_fit_name_the_knob(changes, problem, mend):
    with pytest.raises(KitError, match=problem) as error:
        new_model(small_table(**changes), 300)
    assert mend in error.value.mend
