"""The picture rules: which crops fail which threshold of the recipe, all of them at once."""

from __future__ import annotations

import numpy as np

from ufine_kit.filter.columns import Crops
from ufine_kit.tables import FilterTable

# Places among COCO's 17 points: nose, eyes and ears; hips.
HEAD, HIPS = slice(0, 5), slice(11, 13)


def failed(crops: Crops, recipe: FilterTable) -> dict[str, np.ndarray]:
    """Reason -> which crops it speaks against, bool [n], in the order of the recipe.

    A picture that does not decode is `unreadable` and nothing else. Where no points were measured, `pose` is silent.
    """
    unreadable = np.isnan(crops["brightness"])
    aspect = crops["height"] / crops["width"]
    against = {
        "small": (crops["height"] < recipe.min_height_px) | (crops["width"] < recipe.min_width_px),
        "aspect": (aspect < recipe.min_aspect) | (aspect > recipe.max_aspect),
        "blurred": crops["sharpness"] < recipe.min_sharpness,
        "occluded": crops["max_overlap"] > recipe.max_overlap,
        "cut_off": crops["border_px"] < recipe.min_border_px,
        "dark": crops["brightness"] < recipe.min_brightness,
        "bright": crops["brightness"] > recipe.max_brightness,
        "flat": crops["contrast"] < recipe.min_contrast,
        "pose": incomplete(crops.keypoints, recipe),
    }
    return {"unreadable": unreadable} | {name: which & ~unreadable for name, which in against.items()}


def incomplete(keypoints: np.ndarray, recipe: FilterTable) -> np.ndarray:
    """Crops that show too little of a body: WebPerson's rule (EMNLP 2025, arXiv 2509.09118), keypoints [n, 17, 3] -> bool [n].

    It wants 8 visible points, one of them a hip and two on the head.
    """
    sought = ~np.isnan(keypoints[:, 0, 2])
    visible = keypoints[:, :, 2] >= recipe.keypoint_confidence  # NaN is not visible
    enough = (
        (visible.sum(axis=1) >= recipe.min_keypoints)
        & (visible[:, HIPS].sum(axis=1) >= recipe.min_hips)
        & (visible[:, HEAD].sum(axis=1) >= recipe.min_head_points)
    )
    return sought & ~enough


def quality(crops: Crops) -> np.ndarray:
    """How good crops are beside each other, 0 to 1 [n]: unhidden, large, sharp, sure."""
    large = crops["height"] / (crops["height"] + 128)
    sharp = crops["sharpness"] / (crops["sharpness"] + 100)
    sure = 0.5 + 0.5 * np.clip(crops["confidence"], 0, 1)
    return (1 - np.clip(crops["max_overlap"], 0, 1)) ** 2 * large * sharp * sure
