"""Pictures before they go out: no metadata, pixels untouched; and faces blurred where a detector finds them, nowhere else."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from release.works import crop, make_work, people, picture, released
from ufine_kit.dataset.look import facts_of
from ufine_kit.dataset.reader import open_release, verify
from ufine_kit.release.build import build
from ufine_kit.release.pixels import Blur, blurred, has_metadata, stripped
from ufine_kit.tables import ReleaseTable


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content


def with_segments(*segments: bytes) -> bytes:
    jpeg = picture(1)
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


EXIF = Image.Exif()
EXIF[0x010F] = "a camera"
EXIF.get_ifd(0x8825)[1] = "N"
ABOUT = {
    "exif": picture(1, exif=EXIF), "xmp": with_segments(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>")),
    "iptc": with_segments(segment(0xED, b"Photoshop 3.0\0" + b"8BIM" * 4)), "comment": picture(1, comment=b"taken by Ann"),
    "thumbnail": with_segments(segment(0xE0, b"JFXX\0\x10" + picture(2))),
    "maker notes": with_segments(segment(0xE2, b"MPF\0abc")),
    "long": with_segments(segment(0xE1, b"Exif\0\0" + b"\xff\xda\xff\xda" * 5000)), "two": picture(1, exif=EXIF, comment=b"x"),
    "fill bytes": with_segments(b"\xff\xff" + segment(0xE1, b"Exif\0\0")),
}  # fmt: skip


@pytest.mark.parametrize("jpeg", ABOUT.values(), ids=ABOUT)
def test_what_speaks_about_the_picture_goes_and_its_pixels_stay(jpeg):
    assert has_metadata(memoryview(jpeg))
    clean = stripped(jpeg)
    assert clean.replace(b"\xff\xff\xe0", b"\xff\xe0") == picture(1)
    assert not has_metadata(memoryview(clean))
    assert not dict(Image.open(io.BytesIO(clean)).getexif())


PLAIN = {
    "as extracted": picture(1), "progressive": picture(1, progressive=True), "profile": picture(1, icc_profile=b"p" * 200),
    "adobe": with_segments(segment(0xEE, b"Adobe\0d\0\0\0\0\x01")), "no jpeg": b"\x89PNG\r\n" + b"\xff\xe1" * 9, "nothing": b"",
    "torn": b"\xff\xd8\xff", "marker in the pixels": picture(1) + b"\xff\xe1\xff\xfe",
}  # fmt: skip


@pytest.mark.parametrize("jpeg", PLAIN.values(), ids=PLAIN)
def test_what_says_how_to_show_the_picture_stays(jpeg):
    assert not has_metadata(memoryview(jpeg))


def built(tmp_path, *jpegs: bytes, blur: Blur | None = None):
    crops = people("abc", 1)
    crops["a0"] += [crop(f"x{n}", "a", "a0", 50 + n, jpeg) for n, jpeg in enumerate(jpegs)]
    work = make_work(tmp_path / "work", crops)
    manifest = build(work, ReleaseTable(), blur)
    verify(open_release(work / "releases/dataset/0.1.0"))
    return manifest, released(work / "releases/dataset/0.1.0"), crops


def test_a_released_picture_has_no_metadata_and_hashes_of_its_own(tmp_path):
    manifest, rows, crops = built(tmp_path, ABOUT["exif"], ABOUT["comment"])
    assert rows["x0"]["image"]["bytes"] == rows["x1"]["image"]["bytes"] == picture(1)
    assert rows["x0"]["image_sha256"] == hashlib.sha256(picture(1)).hexdigest()
    assert rows["x0"]["dhash"] == facts_of(picture(1))["dhash"]
    assert rows["a0-0"]["image"]["bytes"] == crops["a0"][0]["image"]["bytes"]
    assert manifest["pixels"] == {"metadata_stripped": 2, "turned_upright": 0}
    assert "pixels" not in built(tmp_path / "clean")[0]


def test_a_picture_that_its_metadata_turn_is_turned_for_good(tmp_path):
    lying = Image.Exif()
    lying[0x0112] = 6
    manifest, rows, _ = built(tmp_path, picture(1, exif=lying))
    upright = Image.open(io.BytesIO(rows["x0"]["image"]["bytes"]))
    assert upright.size == (32, 16) == (rows["x0"]["width"], rows["x0"]["height"])
    given = np.asarray(Image.open(io.BytesIO(picture(1)))).astype(int)
    assert abs(np.rot90(np.asarray(upright).astype(int)) - given).mean() < 12
    assert manifest["pixels"]["turned_upright"] == 1


def bright_half(rgb: np.ndarray):
    """A stand-in detector: a face in the upper half of a picture whose upper half is bright."""
    height, width = rgb.shape[:2]
    return [(0.0, 0.0, width / 2, height / 4)] if rgb[: height // 2].mean() > 180 else []


def flat(value: int) -> bytes:
    stream = io.BytesIO()
    pixels = np.full((32, 16, 3), value, np.uint8)
    pixels[2:6, 2:6] = 0
    Image.fromarray(pixels).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def test_only_pictures_with_a_face_are_coded_again_and_the_manifest_says_by_what(tmp_path):
    blur = Blur(bright_half, "stand-in", "ab" * 32)
    manifest, rows, crops = built(tmp_path, flat(230), flat(40), blur=blur)
    assert (
        rows["x1"]["image"]["bytes"] == flat(40) and rows["a0-0"]["image"]["bytes"] == crops["a0"][0]["image"]["bytes"]
    )
    changed = rows["x0"]["image"]["bytes"]
    assert changed != flat(230) and rows["x0"]["image_sha256"] == hashlib.sha256(changed).hexdigest()
    assert rows["x0"]["dhash"] == facts_of(changed)["dhash"]
    assert manifest["pixels"]["faces_blurred"] == {
        "images": 1, "faces": 1, "detector": "stand-in", "weights_sha256": "ab" * 32, "quality": 95
    }  # fmt: skip


@pytest.mark.parametrize("box", [(-9, -9, 12, 12), (12, 28, 40, 40), (100, 100, 5, 5), (3.2, 4.9, 0.1, 0.1)])
def test_boxes_over_the_border_are_cut_to_the_picture(box):
    assert Image.open(io.BytesIO(blurred(flat(200), [box]))).size == (16, 32)


def test_no_detail_of_a_face_is_left(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "JPEG", quality=95)
    after = np.asarray(Image.open(io.BytesIO(blurred(stream.getvalue(), [(16, 16, 32, 32)])))).astype(float)
    assert after[20:44, 20:44].std() < 0.3 * after[:8].std()
