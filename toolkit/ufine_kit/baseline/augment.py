"""Augmentation of a whole batch at once, wherever the batch lies; every random number comes from the caller's generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ufine_kit.baseline.device import on_device

# The means and deviations of CLIP's training images: any CLIP checkpoint can follow the tiny one.
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)

SMALLEST_PATCH = 0.02  # of the area


@dataclass(frozen=True)
class Augmentation:
    """How strongly a batch is changed. All zero (the default) changes nothing."""

    shift_px: int = 0
    erase: float = 0.0
    erase_most: float = 0.2
    brightness: float = 0.0
    contrast: float = 0.0


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """Float [B, 3, H, W] of uint8 [B, H, W, 3]: scaled to 0..1, CLIP's mean taken off, divided by CLIP's deviation."""
    mean, std = on_device(np.array([MEAN, STD], np.float32), pixels.device)
    return ((pixels.float() / 255 - mean) / std).permute(0, 3, 1, 2).contiguous()


def augmented(
    pixels: torch.Tensor,
    flipped: np.ndarray,
    how: Augmentation,
    rng: np.random.Generator,
    part: slice = slice(None),
) -> torch.Tensor:
    """Float [b, 3, H, W] of uint8 [b, H, W, 3]: flipped where told, shifted, lit, and with a patch erased.

    Flips [B] are told and not drawn here, because the words left and right of the text must change with them. `pixels` are
    the `part` of the batch that this process sees: what is drawn for an image does not depend on who sees it.
    """
    batch = len(flipped)
    shift = rng.integers(-how.shift_px, how.shift_px + 1, size=(2, batch))
    gain, lift = 1 + how.contrast * rng.uniform(-1, 1, batch), how.brightness * rng.uniform(-1, 1, batch)
    chosen, patch = rng.random(batch) < how.erase, rng.random((4, batch))
    images = _lit(normalised(_shifted(pixels, flipped[part], shift[:, part])), gain[part], lift[part])
    return _erased(images, chosen[part], patch[:, part], how.erase_most)


def _shifted(pixels: torch.Tensor, flipped: np.ndarray, shift: np.ndarray) -> torch.Tensor:
    """Pad and crop: rows and columns outside repeat the border (black bars would read as clothes); then the flip."""
    batch, height, width, _ = pixels.shape
    rows = np.clip(np.arange(height)[None] + shift[0][:, None], 0, height - 1)  # [B, H]
    columns = np.clip(np.arange(width)[None] + shift[1][:, None], 0, width - 1)  # [B, W]
    columns = np.where(flipped[:, None], columns[:, ::-1], columns)
    places = [on_device(each, pixels.device) for each in (rows, columns)]
    numbers = torch.arange(batch, device=pixels.device)
    return pixels[numbers[:, None, None], places[0][:, :, None], places[1][:, None, :]]


def _lit(images: torch.Tensor, gain: np.ndarray, lift: np.ndarray) -> torch.Tensor:
    """Contrast about the mean and brightness, one number an image for all channels: a hue never turns into another."""
    factors = on_device(np.stack([gain, lift]).astype(np.float32), images.device)[:, :, None, None, None]
    return images * factors[0] + factors[1]


def _erased(images: torch.Tensor, chosen: np.ndarray, drawn: np.ndarray, most: float) -> torch.Tensor:
    """Random erasing (Zhong et al., AAAI 2020): 2 % to `most` of the area, aspect 0.3 to 3.3, filled with the mean colour.

    The mean of a normalised image is 0; IRRA writes the mean of the raw image into the normalised one.
    """
    _, _, height, width = images.shape
    area = height * width * (SMALLEST_PATCH + max(most - SMALLEST_PATCH, 0.0) * drawn[0])
    aspect = np.exp(np.log(0.3) + (np.log(3.3) - np.log(0.3)) * drawn[1])
    tall = np.minimum(np.sqrt(area * aspect), height)
    wide = np.minimum(np.sqrt(area / aspect), width)
    top, left = drawn[2] * (height - tall), drawn[3] * (width - wide)
    rows, columns = np.arange(height)[None], np.arange(width)[None]
    inside_rows = (rows >= top[:, None]) & (rows < (top + tall)[:, None]) & chosen[:, None]  # [B, H]
    inside_columns = (columns >= left[:, None]) & (columns < (left + wide)[:, None])  # [B, W]
    down, across = on_device(inside_rows, images.device), on_device(inside_columns, images.device)
    return images.masked_fill(down[:, None, :, None] & across[:, None, None, :], 0.0)
