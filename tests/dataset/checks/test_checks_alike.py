"""Pictures that look the same: found when encoded, scaled or brightened anew, and not because two hashes meet by chance."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from dataset.checks import made, planted
from ufine_kit.dataset.checks import check_release
from ufine_kit.dataset.checks.alike import likeness_of
from ufine_kit.dataset.look import dhash
from ufine_kit.tables import CheckTable


def encoded(image: Image.Image, quality: int = 90) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


ANEW = {
    "as a poor JPEG": lambda image: encoded(image, 40),
    "smaller": lambda image: encoded(image.resize((30, 72))),
    "larger": lambda image: encoded(image.resize((80, 192))),
    "brighter": lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.15)),
    "with less contrast": lambda image: encoded(ImageEnhance.Contrast(image).enhance(0.8)),
}


@pytest.mark.full
@pytest.mark.parametrize("how", ANEW)
def test_a_picture_that_was_made_anew_is_found_in_another_split(tmp_path, how):
    rows = made.rows(6)
    with Image.open(io.BytesIO(rows[0]["image"]["bytes"])) as image:
        made.look(planted.first_of(rows, "test"), ANEW[how](image.convert("RGB")))
    report = check_release(made.release(tmp_path, rows), only=["leakage"])
    assert report.findings == {"near_splits": {"fail": 1}}


def test_two_hashes_that_meet_by_chance_are_no_near_duplicate(tmp_path):
    rows = made.rows(6)
    other = planted.first_of(rows, "test")
    # The same differences between neighbours, and nothing else in common: each row of cells stands at a level of its own.
    with Image.open(io.BytesIO(rows[0]["image"]["bytes"])) as image:
        cells = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX)).astype(int)
    levels = (cells - cells.min(1, keepdims=True)) // 4 + np.array([0, 180, 20, 160, 60, 190, 0, 120])[:, None]
    forged = Image.fromarray(levels.astype(np.uint8)).resize((45, 96), Image.Resampling.NEAREST).convert("RGB")
    made.look(other, encoded(forged, 100))
    apart = int(other["dhash"], 16) ^ int(rows[0]["dhash"], 16)
    assert apart.bit_count() <= 4
    folder = made.release(tmp_path, rows)
    assert check_release(folder, only=["leakage"]).findings == {}
    by_hash = check_release(folder, CheckTable(near_likeness=0), only=["leakage"])
    assert by_hash.findings == {"near_splits": {"fail": 1}}


def test_likeness_is_correlation_and_for_one_colour_the_colour():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 200, (5, 128), dtype=np.uint8)
    assert likeness_of(a, a + np.uint8(40)) == pytest.approx(1, abs=1e-4)
    naive = [np.corrcoef(one, other)[0, 1] for one, other in zip(a, a[::-1], strict=True)]
    assert likeness_of(a, a[::-1]) == pytest.approx(naive, abs=1e-4)
    grey, dark = np.full((1, 128), 120, np.uint8), np.full((1, 128), 20, np.uint8)
    assert likeness_of(grey, grey + np.uint8(2)) == 1
    assert likeness_of(grey, dark) == 0


def test_a_cluster_is_told_once_for_each_row_and_a_copy_byte_for_byte_only_as_a_copy(tmp_path):
    rows = made.rows(6, 4)
    first = rows[0]
    for row, quality in zip(rows[1:3], (60, 75), strict=True):
        made.look(row, planted.encoded(first, quality=quality))
    made.look(rows[3], first["image"]["bytes"])
    report = check_release(made.release(tmp_path, rows), only=["leakage"])
    assert report.findings == {"near_within": {"warn": 2}, "same_image": {"fail": 1}}
    assert dhash(Image.new("L", (9, 8))) == "0" * 16
