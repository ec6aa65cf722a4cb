"""The first filter: a crop that fails a line carries that line's name, and every one that it fails."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ufine_kit.engine import Job
from ufine_kit.filter.judge import open_judge, reasons_against
from ufine_kit.filter.measure import exposure
from ufine_kit.tables import FilterTable

GOOD = {
    "width": 60, "height": 150, "sharpness": 300.0, "max_overlap": 0.0, "border_px": 20.0,
    "brightness": 120.0, "contrast": 40.0,
}  # fmt: skip
CASES = [
    ({}, []),
    ({"height": 63, "width": 30}, ["small"]),
    ({"width": 23, "height": 100}, ["small"]),
    ({"width": 140}, ["aspect"]),
    ({"width": 25}, ["aspect"]),
    ({"sharpness": 19.9}, ["blurred"]),
    ({"max_overlap": 0.41}, ["occluded"]),
    ({"border_px": -2.1}, ["cut_off"]),
    ({"brightness": 19.0}, ["dark"]),
    ({"brightness": 236.0}, ["bright"]),
    ({"contrast": 7.9}, ["flat"]),
    ({"height": 50, "width": 50, "contrast": 0.0, "sharpness": 0.0}, ["small", "aspect", "blurred", "flat"]),
]


@pytest.mark.parametrize(("change", "reasons"), CASES, ids=lambda value: ",".join(value) or "good")
def test_every_line_that_a_crop_fails_is_a_reason(change, reasons):
    assert reasons_against(GOOD | change, FilterTable()) == reasons


@pytest.mark.parametrize(
    "change",
    [
        {"height": 64, "width": 30},
        {"width": 125},
        {"width": 30},
        {"max_overlap": 0.4},
        {"border_px": -2.0},
        {"brightness": 20.0},
    ],
)
def test_a_crop_on_the_line_is_kept(change):
    assert reasons_against(GOOD | change, FilterTable()) == []


class Given(Job):
    """A job that reads rows from memory."""

    def __init__(self, crops, scores):
        super().__init__("part-00000", [], {}, {})
        object.__setattr__(self, "tables", {"tracklets": crops, "measures": scores})

    def read(self, stage, columns=None):
        return iter(self.tables[stage])


def test_an_identity_with_too_few_good_crops_goes_as_a_whole_and_the_count_is_told():
    crops = [{"crop_id": name, "tracklet": name[0], **GOOD} for name in ("a1", "a2", "b1", "b2")]
    crops[3] |= {"sharpness": 0.0}
    scores = [{"crop_id": crop["crop_id"], "brightness": 120.0, "contrast": 40.0} for crop in crops]
    job = Given([{k: v for k, v in crop.items() if k not in ("brightness", "contrast")} for crop in crops], scores)
    rows = list(open_judge({"min_crops": 2})(job))
    assert [(row["crop_id"], row["kept"], row["reasons"]) for row in rows] == [
        ("a1", True, []), ("a2", True, []), ("b1", False, ["few_crops"]), ("b2", False, ["blurred"]),
    ]  # fmt: skip
    assert job.said.facts["kept"] == 2


def jpeg(value: int, spread: int = 0) -> bytes:
    pixels = np.full((160, 64, 3), value, np.uint8)
    pixels[:80] += np.uint8(spread)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("value", "spread", "brightness", "contrast"), [(10, 0, 10, 0), (100, 80, 140, 40), (250, 0, 250, 0)]
)
def test_exposure_is_mean_and_deviation_of_luma(value, spread, brightness, contrast):
    scores = exposure(jpeg(value, spread))
    assert scores["brightness"] == pytest.approx(brightness, abs=1.5)
    assert scores["contrast"] == pytest.approx(contrast, abs=1.5)


def test_a_crop_that_does_not_decode_is_a_row_with_a_reason():
    assert exposure(b"no picture") == {"brightness": None, "contrast": None}
    assert reasons_against(GOOD | {"brightness": None, "contrast": None}, FilterTable()) == ["unreadable"]


def test_the_judge_needs_no_pixels():
    assert "image" not in Path(open_judge.__code__.co_filename).read_text()
