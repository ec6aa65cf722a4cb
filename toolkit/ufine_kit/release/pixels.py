"""The last look at pictures before they are released: no metadata goes out, and faces are blurred where that was asked for."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, ImageFilter, ImageOps

from ufine_kit.dataset.columns import pictures
from ufine_kit.dataset.look import encode_jpeg, facts_of

QUALITY = 95
# A face in a crop is 15 to 25 pixels wide; crops are enlarged to this width before they are searched.
SEARCH_WIDTH_PX = 320
# Markers that carry what is about the picture and not of it: EXIF, XMP, GPS, comments, thumbnails, maker notes. APP0 (JFIF)
# and APP14 (Adobe) say how to decode; APP2 stays where it is a colour profile.
_NAMED = re.compile(rb"\xff[\xe1-\xed\xef\xfe]")
_PLAIN = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_SCAN, _APP0, _APP2, _APP14, _COMMENT = 0xDA, 0xE0, 0xE2, 0xEE, 0xFE
_ORIENTATION = 0x0112

# Boxes (x, y, width, height in pixels) of faces in uint8 [H, W, 3] RGB.
FaceFinder = Callable[[np.ndarray], list[tuple[float, float, float, float]]]


@dataclass(frozen=True)
class Blur:
    """How faces are found, and how that is told: name of the detector and sha256 of its weights."""

    find: FaceFinder
    detector: str
    weights_sha256: str


@dataclass
class Cleaned:
    """What was done to pictures."""

    stripped: int = 0
    turned: int = 0
    blurred: int = 0
    faces: int = 0

    @property
    def changed(self) -> int:
        """Pictures whose bytes are not the crop's."""
        return self.stripped + self.turned + self.blurred

    def report(self, blur: Blur | None) -> dict[str, Any]:
        """As the manifest holds it."""
        told: dict[str, Any] = {"metadata_stripped": self.stripped, "turned_upright": self.turned}
        if blur is None:
            return told
        detector = {"detector": blur.detector, "weights_sha256": blur.weights_sha256, "quality": QUALITY}
        return {**told, "faces_blurred": {"images": self.blurred, "faces": self.faces, **detector}}


def cleaned(rows: pa.RecordBatch, blur: Blur | None, done: Cleaned) -> pa.RecordBatch:
    """The same rows with pictures that may go out; hashes and sizes are computed anew for those that changed."""
    changed: dict[int, bytes] = {}
    for row, picture in enumerate(pictures(rows.column("image"))):
        if (fresh := _cleaned(picture, blur, done)) is not None:
            changed[row] = fresh
    return _replaced(rows, changed) if changed else rows


def _cleaned(picture: memoryview, blur: Blur | None, done: Cleaned) -> bytes | None:
    """New bytes of a picture; None where it stays as it is."""
    fresh: bytes | None = None
    if has_metadata(picture):
        jpeg = bytes(picture)
        turned = _turned(jpeg)
        fresh = turned or stripped(jpeg)
        done.turned += turned is not None
        done.stripped += turned is None
    if blur is not None:
        boxes = faces_in(fresh or bytes(picture), blur.find)
        if boxes:
            fresh = blurred(fresh or bytes(picture), boxes)
            done.blurred += 1
            done.faces += len(boxes)
    return fresh


def has_metadata(jpeg: memoryview) -> bool:
    """Whether a JPEG names a segment before its first scan that says something about the picture."""
    if bytes(jpeg[:2]) != b"\xff\xd8":
        return False
    head = bytes(jpeg[:1024])  # as far as a plain encoder's tables reach
    scan = head.find(b"\xff\xda")
    if scan >= 0 and _NAMED.search(head, 2, scan) is None and b"JFXX" not in head:
        return False
    return stripped(bytes(jpeg)) != bytes(jpeg)


def stripped(jpeg: bytes) -> bytes:
    """The JPEG without segments that speak about the picture; its pixels are not coded again. What is odd stays as it is."""
    kept = bytearray(b"\xff\xd8")
    for marker, start, end in _segments(jpeg):
        about = (_APP0 < marker <= 0xEF and marker != _APP14) or marker == _COMMENT
        profile = marker == _APP2 and jpeg[start + 4 : start + 16] == b"ICC_PROFILE\0"
        thumbnail = marker == _APP0 and jpeg[start + 4 : start + 8] != b"JFIF"
        if profile or not (about or thumbnail):
            kept += jpeg[start:end]
    return bytes(kept)


def _segments(jpeg: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, first byte, byte after it) of every segment; from the first scan on all the rest is one."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        length = 0 if marker in _PLAIN else int.from_bytes(jpeg[at + 2 : at + 4])
        if marker == _SCAN:
            break
        yield marker, at, at + 2 + length
        at += 2 + length
    yield _SCAN, at, len(jpeg)


def _turned(jpeg: bytes) -> bytes | None:
    """The picture upright, coded again; None where its metadata do not turn it."""
    with Image.open(io.BytesIO(jpeg)) as image:
        if image.getexif().get(_ORIENTATION, 1) in (0, 1):
            return None
        return encode_jpeg(np.asarray(ImageOps.exif_transpose(image).convert("RGB")), QUALITY)


def faces_in(jpeg: bytes, find: FaceFinder) -> list[tuple[float, float, float, float]]:
    """Face boxes in pixels of the crop, searched in an enlarged copy."""
    with Image.open(io.BytesIO(jpeg)) as image:
        rgb = image.convert("RGB")
    scale = max(1.0, SEARCH_WIDTH_PX / rgb.width)
    large = rgb.resize((round(rgb.width * scale), round(rgb.height * scale)), Image.Resampling.BICUBIC)
    boxes = find(np.asarray(large))
    return [(x / scale, y / scale, width / scale, height / scale) for x, y, width, height in boxes]


def blurred(jpeg: bytes, boxes: list[tuple[float, float, float, float]]) -> bytes:
    """The picture with each box, a quarter wider on every side, made coarse and soft beyond knowing; coded again."""
    with Image.open(io.BytesIO(jpeg)) as image:
        rgb = image.convert("RGB")
    for x, y, width, height in boxes:
        left, top = max(0, int(x - width / 4)), max(0, int(y - height / 4))
        right, bottom = min(rgb.width, int(x + width * 1.25) + 1), min(rgb.height, int(y + height * 1.25) + 1)
        if right <= left or bottom <= top:
            continue
        size = (right - left, bottom - top)
        coarse = rgb.crop((left, top, right, bottom)).resize((4, 4), Image.Resampling.BOX)
        soft = coarse.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(max(size) / 16))
        rgb.paste(soft, (left, top))
    return encode_jpeg(np.asarray(rgb), QUALITY)


def _replaced(rows: pa.RecordBatch, changed: dict[int, bytes]) -> pa.RecordBatch:
    """Rows with new pictures: bytes, sha256, dhash, width and height."""
    values = {name: rows.column(name).to_pylist() for name in ("image", "image_sha256", "dhash", "width", "height")}
    for row, jpeg in changed.items():
        with Image.open(io.BytesIO(jpeg)) as image:
            values["width"][row], values["height"][row] = image.size
        values["image"][row] = {**values["image"][row], "bytes": jpeg}
        values["image_sha256"][row] = hashlib.sha256(jpeg).hexdigest()
        values["dhash"][row] = facts_of(jpeg)["dhash"]
    columns = [
        pa.array(values[field.name], field.type) if field.name in values else rows.column(field.name)
        for field in rows.schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)
