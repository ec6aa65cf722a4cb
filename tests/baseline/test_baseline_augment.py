"""Augmentation of a batch, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from ufine_kit.baseline.augment import MEAN, STD, Augmentation, augmented, normalised  # noqa: E402

pytestmark = pytest.mark.full

STILL = np.zeros(6, bool)


@pytest.fixture
def pixels(rng):
    return torch.from_numpy(rng.integers(0, 256, (6, 12, 8, 3), dtype=np.uint8))


def test_nothing_asked_is_nothing_changed(pixels, rng):
    wanted = (pixels.numpy() / 255 - np.array(MEAN)) / np.array(STD)
    found = augmented(pixels, STILL, Augmentation(), rng)
    assert found.shape == (6, 3, 12, 8)
    np.testing.assert_allclose(found.permute(0, 2, 3, 1).numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_told_images_are_flipped_and_no_others(pixels, rng):
    flipped = np.array([True, False, True, False, False, True])
    found, plain = augmented(pixels, flipped, Augmentation(), rng), normalised(pixels)
    for image, told in enumerate(flipped):
        assert torch.equal(found[image], plain[image].flip(-1) if told else plain[image])


def test_shift_is_a_crop_of_the_padded_image(pixels):
    found = augmented(pixels, STILL, Augmentation(shift_px=3), np.random.default_rng(5))
    moves = np.random.default_rng(5).integers(-3, 4, size=(2, 6))
    padded = np.pad(pixels.numpy(), ((0, 0), (3, 3), (3, 3), (0, 0)), mode="edge")
    assert np.abs(moves).max() == 3
    for image, (down, right) in enumerate(moves.T):
        crop = padded[image, 3 + down : 15 + down, 3 + right : 11 + right]
        assert torch.equal(found[image], normalised(torch.from_numpy(crop[None].copy()))[0])


def test_erased_patch_is_the_mean_colour_and_of_the_paper_s_size():
    white = torch.full((200, 60, 30, 3), 255, dtype=torch.uint8)
    found = augmented(white, np.zeros(200, bool), Augmentation(erase=0.5), np.random.default_rng(0))
    holes = (found == 0).all(dim=1)  # [B, H, W]
    shares = holes.float().mean(dim=(1, 2))
    assert 60 < int((shares > 0).sum()) < 140
    assert float(shares[shares > 0].min()) > 0.01
    assert float(shares.max()) < 0.23
    kept = (~holes)[:, None].expand_as(found)
    assert torch.equal(found[kept], normalised(white)[kept])


@pytest.mark.parametrize(("brightness", "contrast"), [(0.5, 0.4), (0.0, 0.4), (0.5, 0.0)])
def test_light_moves_all_channels_together(pixels, rng, brightness, contrast):
    how = Augmentation(brightness=brightness, contrast=contrast)
    found, plain = augmented(pixels, STILL, how, rng), normalised(pixels)
    lines = [np.polyfit(before.flatten(), after.flatten(), 1) for before, after in zip(plain, found, strict=True)]
    for before, after, (slope, lift) in zip(plain, found, lines, strict=True):
        np.testing.assert_allclose(after, slope * before + lift, atol=1e-5)
    for values, most in ((np.array(lines)[:, 0] - 1, contrast), (np.array(lines)[:, 1], brightness)):
        assert np.abs(values).max() <= most + 1e-5
        assert np.ptp(values) >= most / 2 - 1e-5


def test_same_generator_gives_the_same_batch(pixels):
    how = Augmentation(2, 0.5, 0.2, 0.2)
    first, second, other = (augmented(pixels, STILL, how, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
