"""Small pictures: small indeed, in the order of the rows, and a broken picture is nothing but missing."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from report.folders import Crop, make_work, picture
from ufine_kit.errors import KitError
from ufine_kit.report import thumbs
from ufine_kit.report.thumbs import picture_at, stretches_of, thumbnail, thumbnails
from ufine_kit.world.retrieval import retrieval_set


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def encoded(image: Image.Image, form: str = "JPEG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, form)
    return stream.getvalue()


def test_a_crop_of_the_world_takes_less_than_a_kilobyte_and_a_half():
    sizes = []
    for sample in retrieval_set(3, 2, size=(256, 112)):
        small = thumbnail(encoded(Image.fromarray(sample.image)), 128)
        assert opened(small).size == (56, 128)
        sizes.append(len(small))
    assert np.mean(sizes) <= 1500


@pytest.mark.parametrize(
    ("size", "height", "wanted"),
    [((64, 160), 128, (51, 128)), ((64, 160), 64, (26, 64)), ((1, 500), 128, (1, 128)), ((900, 30), 100, (300, 100))],
)
def test_a_thumbnail_keeps_its_shape_as_far_as_a_strip_allows(size, height, wanted):
    assert opened(thumbnail(encoded(Image.new("RGB", size)), height)).size == wanted


@pytest.mark.parametrize(
    ("form", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "CMYK"), ("JPEG", "L"), ("WEBP", "RGB")]
)
def test_other_formats_and_modes_are_shown_too(form, mode):
    assert opened(thumbnail(encoded(Image.new(mode, (40, 100)), form), 64)).format == "WEBP"


@pytest.mark.parametrize("content", [b"", b"no picture", picture(1)[:300]], ids=["empty", "text", "torn"])
def test_a_broken_picture_is_empty(content):
    assert thumbnail(content, 128) == b""


def test_a_picture_of_monstrous_size_is_empty(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert thumbnail(encoded(Image.new("RGB", (64, 160))), 128) == b""


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    held = [picture(number, 40, 16) for number in range(20)]
    crops = [Crop(image=held[number % 20], reasons=None) for number in range(150)]
    return make_work(tmp_path_factory.mktemp("thumbs"), crops) / "tracklets/part-00000.parquet", held


def test_stretches_cover_every_row_once(part):
    path, _ = part
    for each in (1, 65, 128, 1000):
        stretches = list(stretches_of(path, each))
        assert [group for stretch in stretches for group in stretch.groups] == [0, 1, 2]
        assert sum(stretch.rows for stretch in stretches) == 150
        assert all(stretch.rows >= each for stretch in stretches[:-1])


def test_one_picture_is_found_by_its_row(part):
    path, held = part
    assert [picture_at(path, row) for row in (0, 63, 64, 149)] == [held[row % 20] for row in (0, 63, 64, 149)]


@pytest.mark.full
def test_workers_give_what_this_process_gives(part, monkeypatch):
    path, held = part
    here = list(thumbnails([path, path], 32, 1))
    assert here[:20] == [thumbnail(content, 32) for content in held]
    monkeypatch.setattr(thumbs, "WORTH_A_PROCESS", 0)
    monkeypatch.setattr(thumbs, "TASK_ROWS", 64)
    assert list(thumbnails([path, path], 32, 2)) == here


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "part.parquet"
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(KitError, match=r"part\.parquet"):
        list(thumbnails([path], 128, 1))
