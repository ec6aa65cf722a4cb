"""BoxMOT's ReID networks (AGPL-3.0, an optional extra): what a crop's person looks like, as a unit vector."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ufine_kit.adapters.one_thread import one_thread
from ufine_kit.errors import KitError, need


def open_reid(weights: Path) -> Callable[[Sequence[Image.Image]], np.ndarray]:
    """RGB pictures -> float32 [n, d] by a file that BoxMOT reads (.pt, .onnx, an OpenVINO export ...).

    The file's name tells the architecture, as in `osnet_x0_25_msmt17.pt`; its family's own size and scaling apply. Nothing
    is fetched. Raises KitError where the file is missing or no network that BoxMOT knows.
    """
    if not weights.exists():
        raise KitError(f"weights `{weights}` do not exist", "give an existing path to --embedding-weights")
    need("boxmot", "extract-boxmot")
    import torch
    from boxmot.reid.core import ReID
    from boxmot.utils import logger

    logger.setLevel(logging.ERROR)
    try:
        network: Any = ReID(weights=weights, device="cpu", half=False)
    except Exception as error:  # its exceptions, torch's and the exported runtimes' share no base class
        first = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise KitError(
            f"BoxMOT cannot read `{weights.name}`: {first}",
            "name the file after its architecture, as in osnet_x0_25_mine.pt",
        ) from None

    def run(images: Sequence[Image.Image]) -> np.ndarray:
        bgr = [np.ascontiguousarray(np.asarray(image)[:, :, ::-1]) for image in images]
        with one_thread(torch):
            return np.asarray(network(bgr), dtype=np.float32)

    return run
