"""Judge crops by the thresholds of the recipe: every crop gets a verdict, and a dropped one all of its reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ufine_kit.engine import Job, Step
from ufine_kit.tables import FilterTable

_COLUMNS = ("crop_id", "tracklet", "width", "height", "sharpness", "max_overlap", "border_px")


def open_judge(table: dict[str, Any]) -> Step:
    """A step that gives one `Verdict` row for every crop of the part. An identity is a tracklet here."""
    recipe = FilterTable.model_validate(table)

    def judge(job: Job) -> Iterator[dict[str, Any]]:
        scores = {score["crop_id"]: score for score in job.read("measures")}
        crops = [{**crop, **scores[crop["crop_id"]]} for crop in job.read("tracklets", _COLUMNS)]
        reasons = [reasons_against(crop, recipe) for crop in crops]
        kept = Counter(crop["tracklet"] for crop, against in zip(crops, reasons, strict=True) if not against)
        job.said.facts["kept"] = sum(number for number in kept.values() if number >= recipe.min_crops)
        for crop, against in zip(crops, reasons, strict=True):
            if not against and kept[crop["tracklet"]] < recipe.min_crops:
                against = ["few_crops"]
            yield {"crop_id": crop["crop_id"], "person_id": crop["tracklet"], "kept": not against, "reasons": against}

    return judge


def reasons_against(crop: Mapping[str, Any], recipe: FilterTable) -> list[str]:
    """Names of the thresholds that a crop fails, in the order of the recipe; none for a good crop."""
    if crop["brightness"] is None:
        return ["unreadable"]
    aspect = crop["height"] / crop["width"]
    failed = {
        "small": crop["height"] < recipe.min_height_px or crop["width"] < recipe.min_width_px,
        "aspect": not recipe.min_aspect <= aspect <= recipe.max_aspect,
        "blurred": crop["sharpness"] < recipe.min_sharpness,
        "occluded": crop["max_overlap"] > recipe.max_overlap,
        "cut_off": crop["border_px"] < recipe.min_border_px,
        "dark": crop["brightness"] < recipe.min_brightness,
        "bright": crop["brightness"] > recipe.max_brightness,
        "flat": crop["contrast"] < recipe.min_contrast,
    }
    return [name for name, against in failed.items() if against]
