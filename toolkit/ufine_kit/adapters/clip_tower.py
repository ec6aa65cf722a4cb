"""The image tower of a CLIP model in Hugging Face's folder format, as a look of persons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ufine_kit.adapters.one_thread import one_thread
from ufine_kit.errors import KitError, need

# CLIP's own scaling (Radford et al., ICML 2021).
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
_DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)


@dataclass(frozen=True)
class ClipTower:
    """`run`: RGB pictures -> unit float32 [n, d], each resized to `size` (width, height)."""

    size: tuple[int, int]
    run: Callable[[Sequence[Image.Image]], np.ndarray]


def open_clip_tower(folder: Path) -> ClipTower:
    """The tower of a folder that `transformers.CLIPModel.from_pretrained` opens; nothing is fetched, no pickle is loaded.

    A person is twice as high as wide: pictures have the model's own height and half of it as width, its grid of positions
    is interpolated. Raises KitError where the folder is missing or no CLIP model.
    """
    if not (folder / "config.json").is_file():
        raise KitError(
            f"`{folder}` is no folder of a CLIP model: there is no config.json in it",
            "give --embedding-weights a folder with config.json and model.safetensors",
        )
    torch, transformers = need("torch", "baseline"), need("transformers", "baseline")
    from safetensors import SafetensorError

    try:
        model: Any = transformers.CLIPModel.from_pretrained(str(folder), local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise KitError(
            f"`{folder}` does not load as a CLIP model: {first}", "give another --embedding-weights"
        ) from None
    model.eval()
    patch = int(model.config.vision_config.patch_size)
    height = int(model.config.vision_config.image_size)
    size = (max(patch, height // 2 // patch * patch), max(patch, height // patch * patch))

    def run(images: Sequence[Image.Image]) -> np.ndarray:
        resized = [np.asarray(image.resize(size, Image.Resampling.BICUBIC), dtype=np.float32) for image in images]
        pixels = torch.from_numpy(((np.stack(resized) / 255 - _MEAN) / _DEVIATION).transpose(0, 3, 1, 2))
        with one_thread(torch), torch.no_grad():
            pooled = model.vision_model(pixel_values=pixels, interpolate_pos_encoding=True).pooler_output
            found = model.visual_projection(pooled)
        return torch.nn.functional.normalize(found, dim=-1).numpy().astype(np.float32)

    return ClipTower(size, run)
