"""What a picture file says beside its pixels (EXIF, place, XMP, IPTC, comments): found and cut out segment by segment.

No pixel is decoded, so cutting is lossless. JPEG by ITU T.81 annex B, PNG by its chunks, EXIF by TIFF 6.0 section 2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_GPS_TAG = 0x8825
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_TEXT = {b"eXIf": "exif", b"tEXt": "comment", b"zTXt": "comment", b"iTXt": "comment"}


def found(content: bytes) -> frozenset[str]:
    """Which of `exif`, `gps`, `xmp`, `iptc`, `comment` the file holds; empty for formats other than JPEG and PNG."""
    words: set[str] = set()
    for start, end, word in _said(content):
        words.add(word)
        at = content.find(b"Exif\0\0", start, start + 12)
        if word == "exif" and _has_place(content[at + 6 if at >= 0 else start + 8 : end]):
            words.add("gps")
    return frozenset(words)


def stripped(content: bytes) -> bytes:
    """The same picture without what `found` names; colour profiles stay, since they change how pixels look."""
    kept: list[bytes] = []
    at = 0
    for start, end, _ in _said(content):
        kept.append(content[at:start])
        at = end
    return b"".join([*kept, content[at:]])


def _said(content: bytes) -> Iterator[tuple[int, int, str]]:
    """Half-open ranges of the segments that hold metadata, in order, each with its word."""
    if content.startswith(b"\xff\xd8"):
        yield from _jpeg(content)
    elif content.startswith(_PNG):
        yield from _png(content)


def _jpeg(content: bytes) -> Iterator[tuple[int, int, str]]:
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte before a marker
            at += 1
            continue
        if marker in (0xD9, 0xDA):  # the end, or the pixels
            return
        if 0xD0 <= marker <= 0xD7 or marker == 0x01:
            at += 2
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if word := _segment_word(marker, content[at + 4 : min(end, at + 40)]):
            yield at, min(end, len(content)), word
        at = end


def _segment_word(marker: int, payload: bytes) -> str:
    if marker == 0xFE:
        return "comment"
    if marker == 0xED:
        return "iptc"
    if marker == 0xE1:
        return "exif" if payload.startswith(b"Exif\0") else "xmp"
    return ""


def _png(content: bytes) -> Iterator[tuple[int, int, str]]:
    at = len(_PNG)
    while at + 12 <= len(content):
        kind = content[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        if word := _PNG_TEXT.get(kind):
            xmp = content[at + 8 : at + 40].startswith(b"XML:com.adobe.xmp")
            yield at, min(end, len(content)), "xmp" if xmp else word
        at = end


def _has_place(tiff: bytes) -> bool:
    """Whether the first directory of a TIFF header points to a GPS directory."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return False
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    if first + 2 > len(tiff):
        return False
    (entries,) = struct.unpack_from(f"{order}H", tiff, first)
    tags = range(first + 2, min(first + 2 + 12 * entries, len(tiff) - 11), 12)
    return any(struct.unpack_from(f"{order}H", tiff, at)[0] == _GPS_TAG for at in tags)
