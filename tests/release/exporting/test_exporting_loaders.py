"""Exports are what other people's loaders read, and come back in as the very same rows."""

from __future__ import annotations

import json

import pytest

from release.exporting.loaders import LOADERS, load
from release.importing import sets
from release.importing.sets import take
from typed import snapshot
from ufine_kit.dataset.reader import open_release, read_rows
from ufine_kit.dataset.writer import write_release
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.release.exporting.export import FORMATS, export, plan_export
from ufine_kit.release.exporting.naming import numbers_of, stem
from ufine_kit.release.importing.survey import Reading

pytestmark = pytest.mark.full

PEOPLE = {"train": 5, "val": 2, "test": 3}
IMPORTS = {"cuhk": "cuhk-pedes", "icfg": "icfg-pedes", "rstp": "rstpreid", "ufine": "ufine6926"}


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    return sets.cuhk(tmp_path_factory.mktemp("given"), PEOPLE)


@pytest.fixture(scope="module")
def release(tmp_path_factory, given):
    return take(tmp_path_factory.mktemp("work"), "cuhk-pedes", given, shards=3)[0]


def write(release, format, out, tar_mb=256):
    return export(plan_export(release, format, out, tar_mb))


def strange(release, folder, change):
    """The same rows with some changed, as another release."""
    rows = [change(number, row) for number, row in enumerate(read_rows(release))]
    write_release(
        folder, rows, 2, {"name": "strange", "version": "0.1.0", "kind": "dataset", "synthetic": True, "recipe": {}}
    )
    return open_release(folder)


@pytest.mark.parametrize(("format", "loader"), [(name, one) for name, held in LOADERS.items() for one in held],
                         ids=lambda value: getattr(value, "annotations", value))  # fmt: skip
def test_loaders_of_the_field_read_every_row_of_an_export(release, tmp_path, format, loader):
    write(release, format, tmp_path / "out")
    found = load(tmp_path / "out", loader)
    held = {split: list(read_rows(release, split)) for split in release.splits}
    assert sorted(text for *_, text in found.train) == sorted(text for row in held["train"] for text in row["captions"])
    assert len({label for label, *_ in found.train}) == PEOPLE["train"]
    for part, split in ((found.test, "test"), (found.val, "val")):
        assert len(part["img_paths"]) == len(held[split])
        assert len(set(part["image_pids"])) == PEOPLE[split]
        assert sorted(part["captions"]) == sorted(text for row in held[split] for text in row["captions"])
    labels = {loader.base + label for label, *_ in found.train}
    assert not labels & {*found.test["image_pids"], *found.val["image_pids"]}


def test_the_rebuilt_loader_would_see_an_id_that_is_off_by_one(release, tmp_path):
    write(release, "cuhk", tmp_path / "out")
    path = tmp_path / "out/CUHK-PEDES/reid_raw.json"
    rows = json.loads(path.read_text())
    path.write_text(json.dumps([{**row, "id": row["id"] - 1} for row in rows]))
    with pytest.raises(AssertionError, match="without a gap"):
        load(tmp_path / "out", LOADERS["cuhk"][0])


@pytest.mark.parametrize("format", IMPORTS)
def test_pictures_are_the_same_bytes_and_the_map_leads_back(release, tmp_path, format):
    write(release, format, tmp_path / "out")
    rows = {row["image_id"]: row for row in read_rows(release)}
    (map_file,) = (tmp_path / "out").rglob("id_map.json")
    held = json.loads(map_file.read_text())["images"]
    folder = map_file.parent / ("." if format == "ufine" else "imgs")
    assert {name["image_id"] for name in held.values()} == set(rows)
    for name, back in held.items():
        row = rows[back["image_id"]]
        assert (folder / name).read_bytes() == row["image"]["bytes"]
        assert (back["person_id"], back["source"]) == (row["person_id"], row["source"])
        assert (back["path"], back["upstream_id"]) == (row["image"]["path"], row["provenance"]["upstream_id"])


@pytest.mark.parametrize("format", IMPORTS)
def test_out_and_in_again_is_the_same_release(release, tmp_path, format):
    write(release, format, tmp_path / "out")
    again, imported = take(tmp_path / "again", IMPORTS[format], tmp_path / "out", "cuhk-pedes")
    assert again.data_digest == release.data_digest
    assert again.splits == release.splits
    assert {row["image_id"]: row["image"] for row in read_rows(again)} == {
        row["image_id"]: row["image"] for row in read_rows(release)
    }
    assert imported.summary["left_out"] == {}
    assert imported.summary["differences"] == []  # nobody takes an export for the published dataset


def test_ufine3c_goes_out_with_its_sources_and_comes_back(tmp_path):
    release, _ = take(tmp_path / "work", "ufine3c", sets.ufine3c(tmp_path / "in"))
    write(release, "ufine", tmp_path / "out")
    rows = json.loads((tmp_path / "out/UFine3C/UFine3C_Annotations.json").read_text())
    assert list(rows[0]) == ["id", "source", "split", "file_path", "captions"]
    assert take(tmp_path / "again", "ufine3c", tmp_path / "out", "back")[0].data_digest == release.data_digest


@pytest.mark.parametrize(
    ("format", "keys"),
    [
        ("cuhk", ["split", "captions", "file_path", "processed_tokens", "id"]),
        ("icfg", ["split", "captions", "file_path", "processed_tokens", "id"]),
        ("rstp", ["split", "captions", "img_path", "processed_tokens", "id"]),
        ("ufine", ["split", "id", "file_path", "captions"]),
    ],
)
def test_rows_have_the_keys_of_the_original_in_its_order(release, tmp_path, format, keys):
    write(release, format, tmp_path / "out")
    file = next(
        path
        for path in (tmp_path / "out").rglob("*.json")
        if path.name not in ("id_map.json", "export.json") and path.name[0] != "."
    )
    rows = json.loads(file.read_text())
    assert {tuple(row) for row in rows} == {tuple(keys)}
    if "processed_tokens" in keys:
        assert rows[0]["processed_tokens"][0][:5] == [word.lower() for word in rows[0]["captions"][0].split()[:5]]
    assert [number["captions"] for number in rows] != []


def test_a_known_dataset_keeps_its_own_numbers(release, given, tmp_path):
    write(release, "cuhk", tmp_path / "out")
    numbers = {row["file_path"]: row["id"] for row in json.loads((given / "reid_raw.json").read_text())}
    held = json.loads((tmp_path / "out/CUHK-PEDES/id_map.json").read_text())["images"].values()
    assert {back["path"]: back["id"] for back in held} == numbers


def test_numbers_have_no_gap_whatever_the_ids_are(release, tmp_path):
    def renamed(number, row):
        return row | {"person_id": f"z{int(row['person_id'].rpartition('-')[2]) * 7919 % 101}",
                      "provenance": row["provenance"] | {"upstream_id": None}}  # fmt: skip

    other = strange(release, tmp_path / "strange/0.1.0", renamed)
    write(other, "icfg", tmp_path / "out")
    load(tmp_path / "out", LOADERS["icfg"][0])
    assert sorted(numbers_of(other).people.values()) == list(range(10))


def test_an_id_that_is_no_file_name_becomes_one_that_leads_nowhere(release, tmp_path):
    bad = ["../../evil", "/etc/passwd", "a\0b", "con.jpg", "x" * 300, "ü", "", "a b", "..", "-rf"]

    def named(number, row):
        return row | {"image_id": bad[number]} if number < len(bad) else row

    other = strange(release, tmp_path / "strange/0.1.0", named)
    for format in ("cuhk", "webdataset", "imagefolder", "coco"):
        write(other, format, tmp_path / f"{format}/out")
        assert sorted(path.name for path in (tmp_path / format).iterdir()) == ["out"]
    assert len(list((tmp_path / "cuhk/out/CUHK-PEDES/imgs").rglob("*.jpg"))) == 20
    assert load(tmp_path / "cuhk/out", LOADERS["cuhk"][0]).train
    assert stem("crop-01_a") == "crop-01_a"


def test_a_damaged_picture_is_never_exported(release, tmp_path):
    def harmed(number, row):
        return row | {"image": {"bytes": b"\xff\xd8\xff\xe0 other", "path": None}} if number == 4 else row

    other = strange(release, tmp_path / "strange/0.1.0", harmed)
    for format in ("cuhk", "webdataset", "imagefolder", "coco"):
        with pytest.raises(CheckFailed, match="is damaged"):
            write(other, format, tmp_path / format)
        assert not (tmp_path / format / "export.json").exists()


def test_what_an_export_of_drawn_people_says_stays_with_it(release, tmp_path):
    other = strange(release, tmp_path / "strange/0.1.0", lambda _, row: row)
    write(other, "cuhk", tmp_path / "out")
    assert take(tmp_path / "again", "cuhk-pedes", tmp_path / "out", "back")[1].manifest["synthetic"] is True
    write(other, "imagefolder", tmp_path / "images")
    _, imported = take(tmp_path / "again", "folder", tmp_path / "images/test", "images", reading=Reading(split="test"))
    assert imported.manifest["synthetic"] is True
    write(release, "cuhk", tmp_path / "real")
    assert take(tmp_path / "again", "cuhk-pedes", tmp_path / "real", "real")[1].manifest["synthetic"] is False


def changed_first(held: dict, **change) -> str:
    name = next(iter(held["images"]))
    return json.dumps({**held, "images": {**held["images"], name: {**held["images"][name], **change}}})


SHAPED = {
    "a line break in an id": (lambda held: changed_first(held, image_id="a\nb"), r"`images\..*image_id"),
    "a number as identity": (lambda held: changed_first(held, person_id=5), r"`images\..*person_id"),
    "a list of images": (lambda held: json.dumps({**held, "images": [1]}), "`images`"),
    "no object": (lambda held: "[]", "not as an export writes it"),
    "no JSON": (lambda held: "{", "cannot read"),
    "too deep": (lambda held: "[" * 100_000, "nested too deeply"),
    "an image twice": (
        lambda held: json.dumps({"images": {**held["images"], "b.jpg": next(iter(held["images"].values()))}}),
        "are both image",
    ),
}


@pytest.mark.parametrize("case", SHAPED)
def test_a_map_that_somebody_shaped_is_refused_by_name(release, tmp_path, case):
    shape, said = SHAPED[case]
    write(release, "cuhk", tmp_path / "out")
    path = tmp_path / "out/CUHK-PEDES/id_map.json"
    path.write_text(shape(json.loads(path.read_text())))
    with pytest.raises(KitError, match=said) as caught:
        take(tmp_path / "again", "cuhk-pedes", tmp_path / "out", "back")
    assert "id_map.json" in caught.value.problem
    assert not (tmp_path / "again").exists()


@pytest.mark.full
@pytest.mark.parametrize("format", FORMATS)
def test_two_exports_are_byte_identical(release, tmp_path, format):
    for name in "ab":
        write(release, format, tmp_path / name)
    assert snapshot(tmp_path / "a") == snapshot(tmp_path / "b")
