"""Own data: a folder of pictures with a table, and anything that the library of the Hub opens."""

from __future__ import annotations

import csv
import json

import pytest

from release.importing import sets
from release.importing.sets import by_path, take
from typed import run_cli
from ufine_kit.errors import KitError
from ufine_kit.release.importing.columns import keys_of, read_map
from ufine_kit.release.importing.opening import Where

ROWS = sets.rows({"train": 2, "test": 1})


def as_csv(folder, name="metadata.csv", columns=None, head=b""):
    """One row a caption, as a spreadsheet holds them."""
    columns = columns or {"image": "image", "person": "person", "caption": "caption", "split": "split"}
    sets.write(folder, "unused.json", ROWS, images=".")
    (folder / "unused.json").unlink()
    with (folder / name).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns.values())
        for row in ROWS:
            for text in row["captions"]:
                plain = {"image": row["file_path"], "person": row["id"], "caption": text, "split": row["split"]}
                writer.writerow([plain[field] for field in columns])
    (folder / name).write_bytes(head + (folder / name).read_bytes())
    return folder


def check(release) -> None:
    """The rows of `ROWS`, whichever table they came from."""
    found = by_path(release)
    assert {path: (row["split"], row["captions"]) for path, row in found.items()} == {
        row["file_path"]: (row["split"], row["captions"]) for row in ROWS
    }
    assert len({row["person_id"] for row in found.values()}) == 3


def test_a_table_with_a_row_a_caption_is_one_row_an_image(tmp_path):
    release, imported = take(tmp_path / "work", "folder", as_csv(tmp_path / "our data"), "own")
    check(release)
    assert imported.manifest["sources"][0]["source"] == "our data"
    assert next(iter(by_path(release).values()))["person_id"].startswith("our-data-")


def test_columns_with_other_names_are_mapped(tmp_path):
    columns = {"person": "who", "image": "file", "split": "part", "caption": "said"}
    folder = as_csv(tmp_path / "in", "list.csv", columns, b"\xef\xbb\xbf")
    where = Where(columns=("image=file,person=who", "caption=said, split=part"), source="ours")
    check(take(tmp_path / "work", "folder", folder, "own", where=where)[0])


def test_a_table_whose_columns_have_other_names_is_answered_with_the_flag_that_names_them(tmp_path):
    columns = {"person": "who", "image": "file", "split": "part", "caption": "said"}
    with pytest.raises(KitError, match="no row of it can be used as folder") as refused:
        take(tmp_path / "work", "folder", as_csv(tmp_path / "in", "list.csv", columns), "own")
    assert "--map image=COLUMN" in refused.value.mend


def test_pictures_that_are_all_too_large_are_answered_with_the_limit(tmp_path):
    ran = run_cli("import-dataset", "folder", as_csv(tmp_path / "in"), "-w", tmp_path / "work", "--max-pixels", "1")
    assert (ran.code, "hint: raise --max-pixels" in ran.err) == (2, True), ran.err


def test_files_that_are_all_too_large_or_elsewhere_are_answered_with_what_helps(tmp_path, monkeypatch):
    folder = as_csv(tmp_path / "in")
    monkeypatch.setattr("ufine_kit.release.importing.paths.MOST_PICTURE_BYTES", 10)
    with pytest.raises(KitError, match="no row of it can be used") as refused:
        take(tmp_path / "work", "folder", folder, "own")
    assert refused.value.mend == "scale the pictures down"
    for path in folder.rglob("*.jpg"):
        path.unlink()
    with pytest.raises(KitError, match="missing; no row of it can be used") as refused:
        take(tmp_path / "work", "folder", folder, "own")
    assert "--images DIR" in refused.value.mend


@pytest.mark.parametrize("name", ["metadata.jsonl", "annotations.json"])
def test_lists_of_captions_come_from_json(tmp_path, name):
    folder = as_csv(tmp_path / "in")
    (folder / "metadata.csv").unlink()
    lines = [{"file_name": row["file_path"], "person_id": row["id"], "captions": row["captions"], "split": row["split"]}
             for row in ROWS]  # fmt: skip
    text = "\n".join(json.dumps(line) for line in lines) if name.endswith("l") else json.dumps(lines)
    (folder / name).write_text(text)
    check(take(tmp_path / "work", "folder", folder, "own")[0])


def test_two_columns_of_captions_are_both_taken(tmp_path):
    folder = as_csv(tmp_path / "in")
    with (folder / "metadata.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("image", "person", "long", "short", "split")] + [
            (row["file_path"], row["id"], *row["captions"], row["split"]) for row in ROWS])  # fmt: skip
    where = Where(columns=("caption=long,caption=short",))
    check(take(tmp_path / "work", "folder", folder, "own", where=where)[0])


WRONG = {
    "a column twice": (b"image,image\na,b\n", "two columns `image`"),
    "not UTF-8": (b"image\n\xff\xfe", "no UTF-8 CSV"),
    "a cell without end": (b'image,split\n"' + b"x" * (1 << 20) + b"\n", "metadata.csv"),
    "NUL": (b"image,split\na\0b,train\n", "metadata.csv"),
    "unknown columns": (b"picture,who\na.jpg,1\n", "row 0: `image` must be text"),
    "nothing": (b"", "holds no rows"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_table_is_one_line(tmp_path, case):
    content, said = WRONG[case]
    folder = as_csv(tmp_path / "in")
    (folder / "metadata.csv").write_bytes(content)
    with pytest.raises(KitError) as caught:
        take(tmp_path / "work", "folder", folder, "own")
    assert said in caught.value.problem
    assert "\n" not in caught.value.problem


@pytest.mark.parametrize(
    ("names", "said"),
    [((), "no table in"), (("a.csv", "b.csv"), "more than one table"), (("metadata.xlsx",), "no table in")],
)
def test_without_one_table_that_can_be_read_the_choices_are_told(tmp_path, names, said):
    folder = as_csv(tmp_path / "in")
    (folder / "metadata.csv").unlink()
    for name in names:
        (folder / name).touch()
    with pytest.raises(KitError, match=said) as caught:
        take(tmp_path / "work", "folder", folder, "own")
    assert "--annotations" in caught.value.mend


def test_a_mapping_names_fields_that_exist():
    assert read_map(["image=a, caption=b", "caption=c"]) == {"image": ("a",), "caption": ("b", "c")}
    assert keys_of(read_map(["person=x"])).person == ("x",)
    for wrong in ("imgae=a", "image", "image=", "=a"):
        with pytest.raises(KitError, match="is no FIELD=COLUMN") as caught:
            read_map([wrong])
        assert "person" in caught.value.mend


# --- through the library of the Hub ------------------------------------------------------------------------------------


@pytest.fixture
def parquet(tmp_path, monkeypatch):
    """A folder of Parquet files as people push them: pictures inside, captions in two columns, numbers as identities."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    text = datasets.Value("string")
    features = datasets.Features(
        {"image": datasets.Image(), "number": datasets.Value("int64"), "long": text, "short": text}
    )
    for split in ("train", "test"):
        rows = [(number, row) for number, row in enumerate(ROWS) if row["split"] == split]
        held = datasets.Dataset.from_dict(
            {
                "image": [{"bytes": sets.picture(number), "path": row["file_path"]} for number, row in rows],
                "number": [row["id"] for _, row in rows],
                "long": [row["captions"][0] for _, row in rows],
                "short": [row["captions"][1] for _, row in rows],
            },
            features,
        )
        held.to_parquet(str(tmp_path / f"hub/data/{split}-00000-of-00001.parquet"))
    return tmp_path / "hub"


MAPPED = ("person=number,caption=long,caption=short",)


@pytest.mark.full
def test_a_dataset_of_the_hub_comes_in_by_its_columns(parquet, tmp_path):
    release, imported = take(tmp_path / "work", "hub", parquet, "own", where=Where(columns=MAPPED, source="theirs"))
    check(release)
    assert all(row["image"]["bytes"] == sets.picture(number) for number, row in enumerate(ROWS)
               for row in [by_path(release)[row["file_path"]]])  # fmt: skip
    assert imported.summary["left_out"] == {}
    again, _ = take(tmp_path / "again", "hub", parquet, "own", where=Where(columns=MAPPED, source="theirs"))
    assert again.data_digest == release.data_digest


@pytest.fixture
def pictures_beside(tmp_path, monkeypatch):
    """An `imagefolder`: pictures as files, and a table of the rest in each split's folder."""
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    folder = tmp_path / "beside"
    for number, row in enumerate(ROWS):
        file = folder / row["split"] / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sets.picture(number))
        with (file.parent / "metadata.jsonl").open("a") as table:
            table.write(json.dumps({"file_name": file.name, "number": row["id"], "long": row["captions"][0]}) + "\n")
    return folder


BESIDE = ("person=number,caption=long",)


@pytest.mark.full
def test_pictures_that_lie_beside_the_rows_are_read_from_the_folder(pictures_beside, tmp_path):
    release, imported = take(tmp_path / "work", "hub", pictures_beside, "own", where=Where(columns=BESIDE))
    assert imported.summary["left_out"] == {}
    assert {path: row["image"]["bytes"] for path, row in by_path(release).items()} == {
        f"{row['split']}/{number}.jpg": sets.picture(number) for number, row in enumerate(ROWS)
    }


@pytest.mark.full
def test_pictures_beside_the_rows_that_are_all_too_large_are_not_answered_with_a_limit_of_pixels(
    pictures_beside, tmp_path, monkeypatch
):
    monkeypatch.setattr("ufine_kit.release.importing.paths.MOST_PICTURE_BYTES", 10)
    with pytest.raises(KitError, match="no picture of") as refused:
        take(tmp_path / "work", "hub", pictures_beside, "own", where=Where(columns=BESIDE))
    assert refused.value.mend == "scale the pictures down"


@pytest.mark.full
def test_a_picture_beside_the_rows_never_comes_from_outside_the_folder(pictures_beside, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(sets.picture(9))
    (pictures_beside / "train/0.jpg").unlink()
    (pictures_beside / "train/0.jpg").symlink_to(tmp_path / "secret.jpg")
    release, imported = take(tmp_path / "work", "hub", pictures_beside, "own", where=Where(columns=BESIDE))
    assert imported.summary["left_out"] == {"outside": 1}
    assert sets.picture(9) not in [row["image"]["bytes"] for row in by_path(release).values()]


@pytest.mark.full
def test_without_identities_every_image_is_one_of_its_own(parquet, tmp_path):
    release, _ = take(tmp_path / "work", "hub", parquet, "own", where=Where(columns=("caption=long",)))
    assert release.splits["train"]["identities"] == 4


@pytest.mark.full
@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("person=who",), "no column `who`"),
        (("person=number",), "looks like `caption`"),
        (("image=long", *MAPPED), "no pictures"),
    ],
)
def test_a_wrong_column_is_one_line_with_those_that_are_there(parquet, tmp_path, columns, said):
    with pytest.raises(KitError, match=said):
        take(tmp_path / "work", "hub", parquet, "own", where=Where(columns=columns))


@pytest.mark.full
def test_a_dataset_that_is_not_there_is_one_line(tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    with pytest.raises(KitError, match="cannot open the dataset"):
        take(tmp_path / "work", "hub", tmp_path / "gone", "own")


@pytest.mark.full
def test_peers_open_an_imported_release_and_see_the_very_bytes(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    folder = sets.cuhk(tmp_path / "in")
    release, _ = take(tmp_path / "work", "cuhk-pedes", folder)
    opened = datasets.load_dataset(str(release.path), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in opened.items()} == {"train": 8, "val": 2, "test": 4}
    assert isinstance(opened["train"].features["image"], datasets.Image)
    for rows in opened.values():
        assert rows[0]["image"].size == (24, 48)
        for row in rows.cast_column("image", datasets.Image(decode=False)):
            assert row["image"]["bytes"] == (folder / "imgs" / row["image"]["path"]).read_bytes()


@pytest.mark.full
def test_the_extra_of_the_hub_is_named_where_it_is_missing(tmp_path):
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow/datasets.py").write_text("raise ModuleNotFoundError('gone', name='datasets')")
    ran = run_cli("import-dataset", "hub", "a/b", "-w", tmp_path / "work", PYTHONPATH=str(tmp_path / "shadow"))
    assert (ran.code, "uv pip install 'ufine-kit[hub]'" in ran.err) == (2, True)
