"""One dataset with every oddity there is a word for: each found in its row, none invented, and a clean one says nothing."""

from __future__ import annotations

import hashlib
import json

import pytest

from release.importing import sets
from release.importing.sets import by_path, findings, take
from typed import run_cli
from ufine_kit.dataset.splits import read_splits
from ufine_kit.release.importing import metadata
from ufine_kit.release.importing.findings import LEFT_OUT, NOTES, Finding, counted
from ufine_kit.release.importing.published import PUBLISHED, differences, hint

pytestmark = pytest.mark.full

PICTURES = {
    "missing": None,
    "broken": sets.picture(1)[:-300],
    "oversized": sets.picture(2, size=(200, 200)),
    "format": b"GIF89a",
    "extension": sets.picture(3, "PNG"),
    "metadata": sets.picture(4, comment=b"Jane"),
}
CHANGES = {
    "wrong_type": {"id": None},
    "bad_path": {"file_path": "../x.jpg"},
    "no_captions": {"captions": ["?"]},
    "split_name": {"split": "valid"},
    "text_for_list": {"captions": "A man with an old bicycle."},
    "empty_caption": {"captions": ["", "A man with a dog on a lead."]},
    "control": {"captions": ["A man\x07 with a kite."]},
    "markup": {"captions": ["A man with <i>two</i> kites."]},
    "script": {"captions": ["A man with three 风筝."]},
    "code": {"captions": ["A man. print(kites)"]},
    "shared": {"captions": [sets.caption(0)]},
}
# These need a link, a place, a takedown, a flag or words that are no row: planted in other tests.
ELSEWHERE = {"double_key", "outside", "gps", "removed", "metadata_stripped"}


def test_a_clean_dataset_says_nothing(tmp_path):
    _, imported = take(tmp_path / "work", "cuhk-pedes", sets.cuhk(tmp_path / "in"))
    assert findings(imported) == []
    assert (imported.summary["left_out"], imported.summary["notes"]) == ({}, {})


def test_every_oddity_is_found_in_its_row_and_none_is_invented(tmp_path):
    folder = tmp_path / "in"
    words = [*PICTURES, *CHANGES]
    rows = sets.rows({"train": len(words) + 10}, images_each=1)
    at = {word: number for number, word in enumerate(words, 3)}
    for word, change in CHANGES.items():
        rows[at[word]] |= change
    end = len(rows)
    rows += [
        {**rows[end - 1], "id": 999, "captions": ["Other words of it."]},  # two identities
        {**rows[end - 2], "split": "test"},  # two splits
        {**rows[0], "captions": ["One caption more."]},  # listed again
        {**rows[1], "split": "test", "file_path": "CUHK01/moved.jpg"},  # an identity in two splits
    ]
    at |= {"two_identities": end, "two_splits": end + 1, "listed_again": end + 2}
    rows[end + 3]["captions"] = ["Somebody who moved."]
    pictures = {rows[at[word]]["file_path"]: content for word, content in PICTURES.items()}
    sets.write(folder, "reid_raw.json", rows, pictures=pictures)
    _, imported = take(tmp_path / "work", "cuhk-pedes", folder, most_pixels=30_000)
    found = {(line["reason"], line["row"]) for line in findings(imported)}
    assert found == {*at.items(), ("two_split_identity", 0)}
    assert {*at, "two_split_identity", *ELSEWHERE} == {*LEFT_OUT, *NOTES}


def test_reasons_are_counted_apart_from_notes_the_most_frequent_first():
    said = [Finding(row, reason) for row, reason in enumerate(["script", "missing", "broken", "missing", "gps"])]
    assert counted(said) == ({"missing": 2, "broken": 1}, {"script": 1, "gps": 1})
    with pytest.raises(AssertionError):
        Finding(0, "no such word")


def test_every_row_of_the_report_says_what_its_word_means(tmp_path):
    rows = sets.rows({"train": 2})
    folder = sets.write(tmp_path / "in", "reid_raw.json", rows)
    rows[0]["captions"][0] = "A \ud800 man\0."
    rows[1]["file_path"] = "\ud800"
    (folder / "reid_raw.json").write_text(json.dumps(rows))
    _, imported = take(tmp_path / "work", "cuhk-pedes", folder)
    for line in findings(imported):
        assert line["meaning"] == (LEFT_OUT | NOTES)[line["reason"]]
    assert [line["left_out"] for line in findings(imported)] == [False, True]


def test_an_identity_in_two_splits_is_not_frozen_in_either(tmp_path):
    rows = sets.rows({"train": 2, "test": 1})
    rows[-1]["id"] = rows[0]["id"]
    release, _ = take(tmp_path / "work", "cuhk-pedes", sets.write(tmp_path / "in", "reid_raw.json", rows))
    assert read_splits(release.path.parent / "splits-0.json") == {"cuhk-pedes-2": "train", "cuhk-pedes-3": "test"}


def test_names_of_images_do_not_hang_on_what_else_is_in_the_dataset(tmp_path):
    whole, _ = take(tmp_path / "a", "cuhk-pedes", sets.cuhk(tmp_path / "one"))
    rows = json.loads((tmp_path / "one/reid_raw.json").read_text())[::-3]
    (tmp_path / "one/reid_raw.json").write_text(json.dumps(rows))
    part, _ = take(tmp_path / "b", "cuhk-pedes", tmp_path / "one")
    names = [{path: row["image_id"] for path, row in by_path(release).items()} for release in (whole, part)]
    assert names[1].items() <= names[0].items()
    path = rows[0]["file_path"]
    assert names[0][path] == f"cuhk-pedes-{hashlib.sha256(f'CUHK-PEDES/{path}'.encode()).hexdigest()[:16]}"


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_splits_add_up_to_the_published_whole(name):
    known = PUBLISHED[name]
    for place, total in enumerate(known.total):
        parts = [numbers[place] for numbers in known.splits.values()]
        if total is not None and None not in parts:
            assert sum(parts) == total
    assert hint(name, {}) is None
    counts = {
        split: {what: number or 0 for what, number in zip(("identities", "images", "captions"), numbers, strict=True)}
        for split, numbers in known.splits.items()
    }
    assert [found for found in differences(name, counts, known.total[0] or 0) if found["split"] != "all"] == []


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\xff\xd8\xff\xfe\x00\x06Jane\xff\xd9", "comment"),
        (b"\xff\xd8\xff\xff\xff\xfe\x00\x06Jane\xff\xd9", "comment"),  # fill bytes before the marker
        (b"\xff\xd8\xff\xed\x00\x06Phot\xff\xd9", "iptc"),
        (b"\xff\xd8\xff\xe1\x00\x06http\xff\xd9", "xmp"),
        (b"\xff\xd8\xff\xe1\x00\xffExif\0\0II", "exif"),  # says that it is longer than the file
    ],
)
def test_segments_are_told_apart_and_cut_whole(content, word):
    assert metadata.found(content) == {word}
    assert metadata.found(metadata.stripped(content)) == frozenset()
    assert b"Jane" not in metadata.stripped(content)


def test_a_picture_told_of_after_the_import_names_its_row_too(tmp_path):
    folder = sets.cuhk(tmp_path / "in", pictures={"CUHK01/00001.jpg": sets.picture(1)[:-200]})
    ran = run_cli("import-dataset", "cuhk-pedes", folder, "-w", tmp_path / "work")
    assert ran.code == 1
    assert "reid_raw.json row 1 (`CUHK01/00001.jpg`): broken" in ran.err
    assert "left out: broken 1" in ran.err
