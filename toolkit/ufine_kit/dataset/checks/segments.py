"""The segments of JPEG and PNG files: what an encoded picture carries beside its pixels, and the same bytes without it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

SOI, EOI, SOS, COM = 0xD8, 0xD9, 0xDA, 0xFE
APP0, APP1, APP2, APP13, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF
BARE = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_TALK = {b"tEXt": "text", b"zTXt": "text", b"iTXt": "text", b"eXIf": "EXIF", b"tIME": "a date", b"iCCP": "ICC"}
# Removed without asking: what says where, when, by whom and of what else.
PRIVATE = frozenset(
    ("EXIF", "GPS", "XMP", "IPTC", "thumbnail", "text", "a date", "more pictures", "bytes after the end")
)


class Extra(NamedTuple):
    """Bytes `start` to `end` of a picture's file that are no part of its pixels, and what they are."""

    start: int
    end: int
    what: str


def extras(data: bytes) -> list[Extra]:
    """What a JPEG or PNG carries beside its pixels, in order; nothing of another format. Stops where the file is torn."""
    found = _of_png(data) if data.startswith(PNG_START) else _of_jpeg(data) if data[:2] == b"\xff\xd8" else ()
    return list(found)


def without(data: bytes, unwanted: list[Extra]) -> bytes:
    """The same file without these stretches: its pixels are not decoded and stay as they are."""
    kept, at = bytearray(), 0
    for extra in unwanted:
        kept += data[at : extra.start]
        at = extra.end
    return bytes(kept + data[at:])


def scans(data: bytes) -> int:
    """Passes over the picture that a JPEG asks for: thousands of them are an attack on the decoder."""
    return data.count(b"\xff\xda")


def _of_jpeg(data: bytes) -> Iterator[Extra]:
    at = 2
    while (start := data.find(b"\xff", at)) >= 0 and start + 1 < len(data):
        marker = data[start + 1]
        if marker in (0x00, 0xFF) or marker in BARE:  # a stuffed byte, filling, a restart
            at = start + (1 if marker == 0xFF else 2)
            continue
        if marker == EOI:
            if start + 2 < len(data):
                yield Extra(start + 2, len(data), "bytes after the end")
            return
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        if end < start + 4 or end > len(data):
            return
        if what := _segment(marker, data[start + 4 : end]):
            yield Extra(start, end, what)
        at = end


def _segment(marker: int, body: bytes) -> str | None:
    if marker == APP0:
        thumbnail = body.startswith(b"JFXX") or (body.startswith(b"JFIF") and body[12:14] not in (b"\0\0", b""))
        return "thumbnail" if thumbnail else None
    if marker == APP1:
        return _exif(body) if body.startswith(b"Exif") else "XMP" if b"adobe.com" in body[:64] else "APP1"
    if marker == APP2:
        return "ICC" if body.startswith(b"ICC_PROFILE") else "more pictures" if body.startswith(b"MPF") else "APP2"
    if marker == APP13:
        return "IPTC"
    if marker == COM:
        return "comment"
    # APP14 says how colours are coded: it has to stay.
    return f"APP{marker - APP0}" if APP2 < marker <= APP15 and marker != APP14 else None


def _exif(body: bytes) -> str:
    """`GPS` where the first directory points to one (tag 0x8825), else `EXIF`."""
    tiff = body[6:]
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        tags = [struct.unpack_from(f"{order}H", tiff, first + 2 + 12 * number)[0] for number in range(count)]
    except struct.error:
        return "EXIF"
    return "GPS" if 0x8825 in tags else "EXIF"


def _of_png(data: bytes) -> Iterator[Extra]:
    at = len(PNG_START)
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            return
        if kind == b"IEND":
            if end < len(data):
                yield Extra(end, len(data), "bytes after the end")
            return
        if kind in PNG_TALK:
            yield Extra(at, end, PNG_TALK[kind])
        at = end
