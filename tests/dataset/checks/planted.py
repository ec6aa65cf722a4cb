"""One fault for every check: `ROWS` change rows before a release is written of them, `FOLDER` change what lies on disk."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageCms

from dataset.checks import made
from ufine_kit.dataset.schema import release_schema
from ufine_kit.dataset.writer import CHUNKING, write_sums
from ufine_kit.parquet import open_writer

GOOD = "A tall woman in a red jacket over black trousers walks away, with white shoes and a brown bag on her back"


def encoded(row: dict, kind: str = "JPEG", mode: str = "RGB", **options) -> bytes:
    """The row's picture, encoded anew."""
    with Image.open(io.BytesIO(row["image"]["bytes"])) as image:
        stream = io.BytesIO()
        image.convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def exif(gps: bool) -> bytes:
    marks = Image.Exif()
    marks[0x010E] = "taken at home"
    if gps:
        marks.get_ifd(0x8825)[1] = "N"
    return marks.tobytes()


def bomb(side: int = 30_000) -> bytes:
    """A PNG of a few bytes that announces some 900 million pixels."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    packed = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def put(row: dict, data: bytes, **more) -> None:
    """Other bytes, with the sha256 that goes with them."""
    row["image"]["bytes"] = data
    row["image_sha256"] = hashlib.sha256(data).hexdigest()
    row |= more


def also(row: dict, text: str) -> None:
    """One more caption, with its origin."""
    made.say(row, [*row["captions"], text])


def alike(rows: list[dict], split: bool, person: bool) -> None:
    """A later row gets an earlier row's picture, encoded at another quality."""
    first = rows[0]
    other = next(
        row
        for row in rows[1:]
        if (row["split"] != first["split"]) == split and (row["person_id"] != first["person_id"]) == person
    )
    made.look(other, encoded(first, quality=70))


def first_of(rows: list[dict], split: str) -> dict:
    return next(row for row in rows if row["split"] == split)


def contradict(rows: list[dict]) -> None:
    texts = (
        GOOD,
        GOOD.replace("red jacket", "green jacket").replace("A tall woman", "A tall man").replace("her", "his"),
    )
    made.say(rows[0], list(texts))


def origin(**changes):
    return lambda rows: rows[0]["caption_origins"][0].update(changes)


def caption(text: str):
    return lambda rows: also(rows[0], text)


ROWS = {
    "nulls": lambda rows: rows[0].update(width=None),
    "ids": lambda rows: rows[0].update(image_id="../../etc/passwd"),
    "decodes": lambda rows: put(rows[0], rows[0]["image"]["bytes"][:-400]),
    "bomb": lambda rows: put(rows[0], bomb()),
    "image_sha256": lambda rows: rows[0].update(image_sha256="0" * 64),
    "image_format": lambda rows: put(rows[0], encoded(rows[0], "PNG")),
    "image_name": lambda rows: rows[0]["image"].update(path="../../home/x.jpg"),
    "image_mode": lambda rows: put(rows[0], encoded(rows[0], mode="L")),
    "image_size": lambda rows: rows[0].update(width=41),
    "image_dhash": lambda rows: rows[0].update(dhash="00" * 8),
    "min_side": lambda rows: made.look(rows[0], made.picture(1000, 20, 10)),
    "metadata": lambda rows: put(rows[0], encoded(rows[0], exif=exif(True))),
    "colour_profile": lambda rows: put(rows[0], encoded(rows[0], icc_profile=PROFILE)),
    "picture_comment": lambda rows: put(rows[0], encoded(rows[0], comment=b"by me")),
    "aspect": lambda rows: made.look(rows[0], made.picture(1001, 20, 60)),
    "no_caption": lambda rows: made.say(rows[0], []),
    "too_short": caption("A man."),
    "too_long": caption("a red coat and " * 90),
    "caption_twice": lambda rows: also(rows[0], rows[0]["captions"][0].upper()),
    "unsafe_signs": caption(GOOD + " \x00\x1b[31m"),
    "spacing": caption(GOOD + "  today\n"),
    "markup": caption(GOOD + " <img src=x onerror=alert(1)>"),
    "code": caption("import os; for line in open(path): print(line.strip())"),
    "other_language": caption("一个穿着红色外套的女人正在走路"),
    "refusal": caption("I'm sorry, but as an AI language model I cannot describe people."),
    "personal": caption(GOOD + ", write to ann.miller@example.org"),
    "picture_talk": caption("The image shows a woman in a red jacket and black trousers."),
    "repeats": caption("A red red red red red jacket and black trousers with white shoes."),
    "gibberish": caption("asdfghjkl qwertyuiop zxcvbnm asdfasdf the jacket"),
    "judgement": caption("A beautiful and attractive Asian woman in a red jacket."),
    "unclosed": caption('A woman in a shirt that says "hello on the front.'),
    "contradiction": contradict,
    "origins": origin(words=3),
    "writers": origin(writer="Ann Miller"),
    "identity_split": lambda rows: rows[1].update(split="test" if rows[1]["split"] != "test" else "train"),
    "video_split": lambda rows: first_of(rows, "train")["provenance"].update(
        video_sha256=first_of(rows, "test")["provenance"]["video_sha256"]
    ),
    "same_image": lambda rows: made.look(rows[-1], rows[0]["image"]["bytes"]),
    "same_caption": lambda rows: also(rows[-1], rows[0]["captions"][0].lower()),
    "near_splits": lambda rows: alike(rows, True, True),
    "near_identities": lambda rows: alike(rows, False, True),
    "near_within": lambda rows: alike(rows, False, False),
    "sources": lambda rows: rows[0].update(source="elsewhere"),
}
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def rewritten(folder: Path, change, schema: pa.Schema | None = None, **options) -> None:
    """Rows of the first shard of train changed where they lie, checksums and all."""
    path = next(path for path in sorted((folder / "data").glob("train-*.parquet")) if pq.read_metadata(path).num_rows)
    rows = pq.read_table(path).to_pylist()
    change(rows)
    schema = schema or release_schema()
    with open_writer(path, schema, **({"use_content_defined_chunking": CHUNKING} | options)) as writer:
        writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    write_sums(folder)


def without_column(folder: Path) -> None:
    schema = release_schema()
    rewritten(folder, lambda rows: None, schema.remove(schema.get_field_index("dhash")))


def without_index(folder: Path) -> None:
    path = sorted((folder / "data").glob("train-*.parquet"))[0]
    pq.write_table(pq.read_table(path), path, write_page_index=False)
    write_sums(folder)


def damaged_page(folder: Path) -> None:
    path = next(path for path in sorted((folder / "data").glob("*.parquet")) if pq.read_metadata(path).num_rows)
    group = pq.read_metadata(path).row_group(0)
    (column,) = [
        group.column(n) for n in range(group.num_columns) if group.column(n).path_in_schema == "captions.list.element"
    ]
    data = bytearray(path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    data[start + 30 : start + column.total_compressed_size - 10] = b"\xff" * (column.total_compressed_size - 40)
    path.write_bytes(bytes(data))
    write_sums(folder)


def doubled_key(folder: Path) -> None:
    path = folder / "release.json"
    path.write_text('{"name": "toy", ' + path.read_text().lstrip()[1:])
    write_sums(folder)


def tombstone(folder: Path, **named) -> None:
    line = {"version": "0.0.9", "reason": "asked", "person": None, "images": [], "crops": []} | named
    (folder / "removed.jsonl").write_text(json.dumps(line) + "\n")
    write_sums(folder)


def sources(**changes):
    def change(folder: Path) -> None:
        told = json.loads((folder / "release.json").read_text())["sources"]
        made.retold(folder, sources=[{**source, **changes} for source in told])

    return change


def counts_off(folder: Path) -> None:
    splits = json.loads((folder / "release.json").read_text())["splits"]
    splits["test"]["captions"] += 1
    made.retold(folder, splits=splits)


def other_split(folder: Path) -> None:
    path = folder.parent / "splits-0.json"
    held = json.loads(path.read_text())
    held["p0000"] = "test"
    path.write_text(json.dumps(held))


def person(folder: Path) -> None:
    tombstone(folder, person=hashlib.sha256(b"toy:p0000").hexdigest())


def no_entry(folder: Path) -> None:
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## 0.0.9\n")
    write_sums(folder)


FOLDER = {
    "manifest": doubled_key,
    "checksums": lambda folder: (folder / "CHANGELOG.md").write_text("other words\n## 0.1.0\n"),
    "foreign_files": lambda folder: (folder / "data" / "notes.txt").write_text("call Ann"),
    "shard_names": lambda folder: next((folder / "data").glob("val-*")).unlink(),
    "schema": without_column,
    "viewer": without_index,
    "taken_down": person,
    "split_name": lambda folder: rewritten(folder, lambda rows: rows[0].update(split="test")),
    "unique_ids": lambda folder: rewritten(folder, lambda rows: rows[0].update(image_id=rows[1]["image_id"])),
    "readable": damaged_page,
    "counts": counts_off,
    "data_digest": lambda folder: rewritten(folder, lambda rows: rows[0]["captions"].__setitem__(0, GOOD)),
    "version": lambda folder: made.retold(folder, version="0.1.1"),
    "changelog": no_entry,
    "splits_frozen": other_split,
    "tombstones": lambda folder: (folder.parent / "removed.jsonl").write_text("[]\n"),
    "licence": sources(licence="cc-by-nc-nd-4.0"),
    "consent": sources(consent_basis=" "),
    "redistribution": sources(redistribution=False),
}
IN_FULL = {"loads"}  # needs the hub extra
