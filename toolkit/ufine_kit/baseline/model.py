"""The model: `transformers.CLIPModel` of any size, used at H x W by interpolating its square grid of positions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional
from transformers import CLIPConfig, CLIPModel

from ufine_kit.baseline.tokens import END, PAD, START, lengths_of
from ufine_kit.errors import KitError

if TYPE_CHECKING:
    from ufine_kit.tables import BaselineTable

START_DEVIATION = 0.3  # of the first positions: about that of the patches behind the untrained convolution


def new_model(table: BaselineTable, vocabulary: int) -> CLIPModel:
    """A CLIPModel with random weights drawn from `table.seed`. Raises KitError for sizes that do not fit together.

    The square grid has as many rows as the image has patches from head to foot, so that no row shares its position.
    """
    height, width, patch = table.image_height_px, table.image_width_px, table.patch_px
    check_patches(height, width, patch)
    if table.width % table.heads:
        raise KitError(
            f"`baseline.width` {table.width} is no multiple of `baseline.heads` {table.heads}",
            f"--set baseline.width={math.ceil(table.width / table.heads) * table.heads}",
        )
    shared = {
        "hidden_size": table.width,
        "intermediate_size": 2 * table.width,
        "num_attention_heads": table.heads,
        "projection_dim": table.width,
    }
    text = {
        "vocab_size": vocabulary,
        "num_hidden_layers": table.text_layers,
        "max_position_embeddings": table.text_tokens,
        "pad_token_id": PAD,
        "bos_token_id": START,
        "eos_token_id": END,
    }
    vision = {"num_hidden_layers": table.vision_layers, "image_size": max(height, width), "patch_size": patch}
    config = CLIPConfig(
        text_config={**shared, **text},
        vision_config={**shared, **vision},
        projection_dim=table.width,
        logit_scale_init_value=math.log(1 / table.losses.temperature),
        pad_token_id=PAD,
        bos_token_id=START,
        eos_token_id=END,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(table.seed)
        model = CLIPModel(config)
    grid = model.vision_model.embeddings.position_embedding.weight
    with torch.no_grad():
        grid[1:] = waves(max(height, width) // patch, table.width)
    return model


def check_patches(height: int, width: int, patch: int) -> None:
    """Raise KitError that names the nearest size where an image is not made of whole patches: the rest would be cut off."""
    if height % patch or width % patch:
        raise KitError(
            f"an image of {height} x {width} px is not made of whole patches of {patch} px",
            f"--set baseline.image_width_px={math.ceil(width / patch) * patch}"
            f" --set baseline.image_height_px={math.ceil(height / patch) * patch}",
        )


def waves(side: int, width: int) -> torch.Tensor:
    """Positions [side * side, width] of a square grid to start from: sines and cosines of row and column.

    Random positions start fourteen times weaker than the patches they are added to. With these (Chen et al., ICCV 2021) the
    loss after 200 steps on 1,500 persons of the world was 6.16 instead of 6.57. They are trained like any other weight.
    """
    quarter = math.ceil(width / 4)
    frequencies = 1 / 100 ** (torch.arange(quarter) / quarter)
    turns = torch.arange(side)[:, None] * frequencies  # [side, quarter]
    line = torch.cat([turns.sin(), turns.cos()], dim=1)  # [side, 2 * quarter]
    rows, columns = line.repeat_interleave(side, dim=0), line.repeat(side, 1)
    return START_DEVIATION * 2**0.5 * torch.cat([rows, columns], dim=1)[:, :width]


def parameter_count(model: nn.Module) -> int:
    """Numbers that training may change."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def encode_images(model: CLIPModel, pixels: torch.Tensor) -> torch.Tensor:
    """Normalised features [B, D] of normalised pixels [B, 3, H, W]."""
    seen = model.vision_model(pixel_values=pixels, interpolate_pos_encoding=True).pooler_output
    return functional.normalize(model.visual_projection(seen), dim=-1)


def encode_texts(model: CLIPModel, ids: torch.Tensor) -> torch.Tensor:
    """Normalised features [B, D] of token ids [B, L], padded on the right.

    No mask is given: the text encoder is causal and is read at the first end token, so nothing behind it is ever attended,
    and the attention kernel without a mask is the faster one.
    """
    read = model.text_model(input_ids=ids.long()).pooler_output
    return functional.normalize(model.text_projection(read), dim=-1)


def look(model: CLIPModel, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of normalised pixels [B, 3, H, W] the global features [B, D] and those of the N patches [B, N, D].

    Both go through the last norm and the projection, so that patches lie in the space in which images meet texts.
    """
    states = model.vision_model(pixel_values=pixels, interpolate_pos_encoding=True).last_hidden_state
    features = model.visual_projection(model.vision_model.post_layernorm(states))
    return features[:, 0], features[:, 1:]


def read_texts(model: CLIPModel, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of token ids [B, L] the global features [B, D], those of the tokens [B, L, D], and which of these are text [B, L].

    The global one is the token at the first end of text. All behind it is padding, whatever its id: many CLIP tokenizers
    pad with the end token itself.
    """
    states = model.text_model(input_ids=ids.long()).last_hidden_state
    features = model.text_projection(states)
    last = lengths_of(ids, end_of(model)) - 1
    read = torch.arange(ids.shape[1], device=ids.device) <= last[:, None]
    return features.take_along_dim(last[:, None, None], dim=1).squeeze(1), features, read


def end_of(model: CLIPModel) -> int:
    """The id of the end token, at which a text is read."""
    return int(model.config.text_config.eos_token_id)
