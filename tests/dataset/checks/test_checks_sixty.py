"""Five thousand crops with sixty faults of twenty kinds: all of them are found, and nothing else is."""

from __future__ import annotations

import time

import pyarrow.parquet as pq
import pytest

from dataset.checks import made, planted
from ufine_kit.dataset.checks import check_release

SPANISH = "La mujer lleva una chaqueta roja con pantalones negros y camina por la calle con su bolso en la mano derecha"


def turned_grey(row):
    made.look(row, planted.encoded(row, mode="L", quality=95))


def with_exif(row):
    made.look(row, planted.encoded(row, quality=95, exif=planted.exif(False)))


def other_bytes(row):
    row["image_sha256"] = "ab" * 32


def named_png(row):
    row["image"]["path"] = row["image"]["path"].replace(".jpg", ".png")


def contradict(row):
    first, second = planted.GOOD, planted.GOOD.replace("red jacket", "green jacket")
    made.say(row, [f"{first} in picture {row['image_id']}", f"{second} in picture {row['image_id']}"])


def added(text):
    """The row's only caption: beside its others, it would be a contradiction too."""
    return lambda row: made.say(row, [f"{text} {row['image_id']}"])


# Kinds of one row: what is done to it, and the check that has to say so.
ONE = {
    "decodes": lambda row: planted.put(row, row["image"]["bytes"][:-500]),
    "image_sha256": other_bytes,
    "image_format": named_png,
    "image_name": lambda row: row["image"].update(path=f"../{row['image']['path']}"),
    "image_mode": turned_grey,
    "image_size": lambda row: row.update(height=row["height"] + 1),
    "image_dhash": lambda row: row.update(dhash=f"{int(row['dhash'], 16) ^ 255:016x}"),
    "metadata": with_exif,
    "min_side": lambda row: made.look(row, made.picture(int(row["image_id"][1:]) + 10_000, 40, 12)),
    "caption_twice": lambda row: planted.also(row, row["captions"][1].upper()),
    "unsafe_signs": added(planted.GOOD + " \u202e"),
    "markup": added(planted.GOOD + " <script>alert(1)</script>"),
    "code": added(planted.GOOD + " for x in range(3): print(x.y())"),
    "other_language": added(SPANISH),
    "refusal": added("I'm sorry, but I cannot help with describing the person in this picture for you"),
    "personal": added(planted.GOOD + ", call 555-123-4567 for more"),
    "origins": lambda row: row["caption_origins"][0].update(granularity="coarse"),
    "writers": lambda row: row["caption_origins"][1].update(writer="ann.miller@example.org"),
}
SAID_TOO = {"refusal": {"picture_talk"}}  # the picture is spoken of as well, and that is so


@pytest.mark.full
def test_sixty_faults_of_twenty_kinds_in_five_thousand_crops_are_found_and_none_is_invented(tmp_path):
    rows = made.rows(1250, 4)
    wanted: set[tuple[str, str]] = set()
    pairs: list[tuple[str, set[str]]] = []
    for kind, (name, plant) in enumerate(ONE.items()):
        for again in range(3):
            row = rows[600 + kind * 97 + again * 31]
            plant(row)
            wanted |= {(check, row["image_id"]) for check in {name} | SAID_TOO.get(name, set())}
    for number in range(3):
        for name, (first, later) in _pairs(rows, number):
            pairs.append((name, {first["image_id"], later["image_id"]}))
    folder = made.release(tmp_path, rows, shards=3)
    started = time.process_time()
    report = check_release(folder, findings=tmp_path / "findings.parquet", skip=["peers"])
    seconds = time.process_time() - started
    found = {(line["check"], line["image_id"]) for line in pq.read_table(tmp_path / "findings.parquet").to_pylist()}
    left = found - wanted
    for name, who in pairs:
        (one,) = [hit for hit in left if hit[0] == name and hit[1] in who]
        left.remove(one)
    assert wanted - found == set()
    assert left == set(), left
    assert len(ONE) + 2 == 20 and len(ONE) * 3 + len(pairs) == 60
    print(f"5,000 crops, 60 faults of 20 kinds: {len(report.findings)} checks spoke, {seconds:.1f} CPU seconds")


def _pairs(rows, number):
    """A picture and a caption that come again; the later row carries the finding, whichever shard it lies in."""
    first, later = rows[number * 40], rows[3500 + number * 40 + 1]
    made.look(later, first["image"]["bytes"])
    yield "same_image", (first, later)
    told, said = rows[number * 40 + 5], rows[3500 + number * 40 + 9]
    made.say(said, [told["captions"][0]])
    yield "same_caption", (told, said)
