"""The folder of an export: whole in the end, completed by a rerun, never somebody else's; and the forms of general tools."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from release.importing import sets
from release.importing.sets import take
from typed import run_cli, snapshot
from ufine_kit.dataset.reader import open_release, read_rows
from ufine_kit.errors import KitError
from ufine_kit.release.exporting.export import FORMATS, export, plan_export

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    return take(folder / "work", "cuhk-pedes", sets.cuhk(folder / "in"))[0]


def write(release, format, out, tar_mb=256):
    return export(plan_export(release, format, out, tar_mb))


class Stopped(Exception):
    pass


SHORT = {"cuhk", "webdataset", "coco"}


@pytest.mark.parametrize(
    "format", [pytest.param(name, marks=[] if name in SHORT else [pytest.mark.full]) for name in FORMATS]
)
def test_cut_short_at_any_file_and_run_again_it_is_the_same(release, tmp_path, monkeypatch, format):
    write(release, format, tmp_path / "whole")
    points = 1 if format == "edits" else 3
    for cut in range(1, points + 1):
        passed = 0

        def point(name, cut=cut):
            nonlocal passed
            assert name == "export.file"
            passed += 1
            if passed == cut:
                raise Stopped

        out = tmp_path / f"out-{cut}"
        with monkeypatch.context() as patched, pytest.raises(Stopped):
            patched.setattr("ufine_kit.crash.point", point)
            write(release, format, out)
        assert not (out / "export.json").exists()
        write(release, format, out)
        assert snapshot(out) == snapshot(tmp_path / "whole")
        assert write(release, format, out)["fresh"] == 0


def test_pulled_out_as_by_a_power_cut_and_run_again_it_is_whole(release, tmp_path):
    words = ["export", release.path, "--format", "cuhk", "--out", tmp_path / "out"]
    assert run_cli(*words, crash_at="export.file:3").code == 137
    (draft,) = list((tmp_path / "out").rglob("*.jpg"))[:1]
    draft.write_bytes(bytes(draft.stat().st_size))
    assert run_cli(*words).code == 0
    write(release, "cuhk", tmp_path / "whole")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "whole")


FOREIGN = {
    "other files": (lambda out: (out / "thesis.tex").write_text("years of work"), "holds other files"),
    "another form": (
        lambda out: (out / ".ufine-export.json").write_text('{"format": "coco", "release": "a"}'),
        "another export",
    ),
    "a mark that is none": (lambda out: (out / ".ufine-export.json").write_text("[]"), "another export"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_folder_that_is_not_ours_is_left_alone(release, tmp_path, case):
    harm, said = FOREIGN[case]
    (tmp_path / "out").mkdir()
    harm(tmp_path / "out")
    held = snapshot(tmp_path / "out")
    with pytest.raises(KitError, match=said) as caught:
        write(release, "cuhk", tmp_path / "out")
    assert "--out" in caught.value.mend
    assert snapshot(tmp_path / "out") == held


def test_the_release_itself_is_no_place_for_an_export(release):
    held = snapshot(release.path)
    with pytest.raises(KitError, match="lies in the release itself"):
        write(release, "cuhk", release.path / "out")
    assert snapshot(release.path) == held


def test_a_file_is_no_folder(release, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(KitError, match="is a file"):
        write(release, "cuhk", tmp_path / "out")


def test_texts_that_people_changed_are_not_written_over(release, tmp_path):
    write(release, "edits", tmp_path / "out")
    sheet = tmp_path / "out/edits.jsonl"
    sheet.write_text(sheet.read_text().replace("A man", "A tall man", 1))
    with pytest.raises(KitError, match="was changed since it was exported"):
        write(release, "edits", tmp_path / "out")
    assert "A tall man" in sheet.read_text()


def test_the_sheet_holds_every_caption_by_image_and_number(release, tmp_path):
    write(release, "edits", tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out/edits.jsonl").read_text().splitlines()]
    assert all(set(line) == {"image_id", "caption_index", "text", "editor"} for line in lines)
    held = {
        (row["image_id"], number): text for row in read_rows(release) for number, text in enumerate(row["captions"])
    }
    assert {(line["image_id"], line["caption_index"]): line["text"] for line in lines} == held
    assert (tmp_path / "out/drop.jsonl").read_text() == ""


def test_a_changed_sheet_comes_back_in_as_the_next_version(tmp_path):
    from ufine_kit.release.edit import edit, plan_edit, read_edits

    release, _ = take(tmp_path / "work", "cuhk-pedes", sets.cuhk(tmp_path / "in"))
    write(release, "edits", tmp_path / "out")
    sheet, drops = tmp_path / "out/edits.jsonl", tmp_path / "out/drop.jsonl"
    lines = [json.loads(line) for line in sheet.read_text().splitlines()]
    lines[3]["text"] = "A tall man in a long grey coat."
    sheet.write_text("".join(json.dumps(line) + "\n" for line in lines if line["image_id"] != lines[-1]["image_id"]))
    drops.write_text(json.dumps({"image_id": lines[-1]["image_id"], "reason": "asleep"}) + "\n")
    edit(plan_edit(release, read_edits(sheet, drops), None))
    (later,) = [path for path in release.path.parent.glob("0.*") if path != release.path]
    found = {row["image_id"]: row["captions"] for row in read_rows(open_release(later))}
    held = {row["image_id"]: row["captions"] for row in read_rows(release)}
    changed = lines[3]
    held[changed["image_id"]][changed["caption_index"]] = changed["text"]
    del held[lines[-1]["image_id"]]
    assert found == held


def test_the_editor_is_a_pseudonym(release, tmp_path):
    with pytest.raises(KitError, match="is no pseudonym"):
        plan_export(release, "edits", tmp_path / "out", editor="Jane Doe <jane@example.org>")


def test_tars_hold_key_jpg_and_key_json_and_stay_below_their_size(tmp_path):
    folder = sets.cuhk(tmp_path / "in", {"train": 4, "test": 2})
    for number, path in enumerate(sorted(folder.rglob("*.jpg"))):
        path.write_bytes(sets.picture(number, quality=95, size=(300, 600), comment=b"x" * 60_000 + b"%d" % number))
    release, _ = take(tmp_path / "work", "cuhk-pedes", folder)
    for path in (tmp_path / "out", tmp_path / "again"):
        export(plan_export(release, "webdataset", path, 1))
    found = {}
    tars = sorted((tmp_path / "out").glob("*.tar"))
    assert [path.name for path in tars if path.name.startswith("test")] == ["test-000000.tar"]
    for path in tars:
        assert path.stat().st_size < 1 << 20
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            assert {(m.mtime, m.uid, m.gid, m.uname, m.mode) for m in members} == {(0, 0, 0, "", 0o644)}
            for picture, text in zip(members[::2], members[1::2], strict=True):
                key, _, rest = picture.name.partition(".")
                assert (rest, text.name) == ("jpg", f"{key}.json")
                row = json.loads(tar.extractfile(text).read())
                assert row["split"] == path.name.partition("-")[0]
                found[row["image_id"]] = (tar.extractfile(picture).read(), row["captions"], row["person_id"])
    assert found == {
        row["image_id"]: (row["image"]["bytes"], row["captions"], row["person_id"]) for row in read_rows(release)
    }
    with pytest.raises(KitError, match="another export"):
        plan_export(release, "webdataset", tmp_path / "out", 2)


def test_a_small_size_makes_many_tars(release, tmp_path):
    from ufine_kit.release.exporting.folder import open_folder
    from ufine_kit.release.exporting.plain import write_webdataset

    write_webdataset(release, open_folder(tmp_path / "out", {}), 4096)
    assert len(list((tmp_path / "out").glob("train-*.tar"))) > 2


@pytest.mark.full
def test_datasets_reads_the_folder_of_images(release, tmp_path):
    datasets = pytest.importorskip("datasets")
    write(release, "imagefolder", tmp_path / "out")
    opened = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    held = {row["image_id"]: row for row in read_rows(release)}
    seen = 0
    for rows in opened.values():
        for row in rows.cast_column("image", datasets.Image(decode=False)):
            assert Path(row["image"]["path"]).read_bytes() == held[row["image_id"]]["image"]["bytes"]
            assert list(row["captions"]) == held[row["image_id"]]["captions"]
            assert row["person_id"] == held[row["image_id"]]["person_id"]
            seen += 1
    assert seen == len(held)


@pytest.mark.full
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_coco_tools_read_captions_and_boxes(release, tmp_path, split, capsys):
    coco = pytest.importorskip("pycocotools.coco")
    write(release, "coco", tmp_path / "out")
    captions = coco.COCO(str(tmp_path / f"out/annotations/captions_{split}.json"))
    boxes = coco.COCO(str(tmp_path / f"out/annotations/instances_{split}.json"))
    held = {row["image_id"]: row for row in read_rows(release, split)}
    assert len(captions.imgs) == len(boxes.imgs) == len(held)
    for number, image in captions.imgs.items():
        row = held[image["release"]["image_id"]]
        assert (tmp_path / "out/images" / image["file_name"]).read_bytes() == row["image"]["bytes"]
        assert [found["caption"] for found in captions.loadAnns(captions.getAnnIds([number]))] == row["captions"]
        (box,) = boxes.loadAnns(boxes.getAnnIds([number]))
        assert box["bbox"] == [0, 0, row["width"], row["height"]]
        assert box["attributes"]["person_id"] == row["person_id"]
        assert boxes.annToMask(box).all()


def test_coco_numbers_are_unique_over_all_splits(release, tmp_path):
    write(release, "coco", tmp_path / "out")
    for kind in ("captions", "instances"):
        read = [json.loads(path.read_text()) for path in (tmp_path / "out/annotations").glob(f"{kind}_*.json")]
        images = [image["id"] for held in read for image in held["images"]]
        notes = [note["id"] for held in read for note in held["annotations"]]
        assert len(images) == len(set(images)) == 14
        assert len(notes) == len(set(notes)) == (28 if kind == "captions" else 14)


def test_pictures_of_other_formats_get_the_ending_of_their_bytes(tmp_path):
    forms = {f"CUHK01/0000{number}.jpg": form for number, form in enumerate(("PNG", "BMP", "WEBP"))}
    pictures = {name: sets.picture(9, form) for name, form in forms.items()}
    release, _ = take(tmp_path / "work", "cuhk-pedes", sets.cuhk(tmp_path / "in", pictures=pictures))
    write(release, "rstp", tmp_path / "out")
    endings = sorted(path.suffix for path in (tmp_path / "out").rglob("imgs/*/*"))
    assert [ending for ending in endings if ending != ".jpg"] == [".bmp", ".png", ".webp"]


def test_the_command_takes_the_newest_release_and_says_what_reads_it(release, tmp_path):
    words = ["export", "--format", "icfg", "--out", tmp_path / "out", "-w", release.path.parents[2]]
    ran = run_cli(*words, "--json")
    assert ran.json["pictures"] == 14
    assert run_cli(*words, "--dry-run", "--json").json["dry_run"] is True
    wrong = run_cli("export", release.path, "--format", "voc", "--out", tmp_path / "x")
    assert (wrong.code, "--format is one of: cuhk" in wrong.err) == (2, True)


def test_a_json_list_is_json_when_it_is_empty_too(tmp_path):
    from ufine_kit.release.exporting.folder import JsonList

    for rows in ([], [{"a": 1}], [{"a": 1}, {"ü": "</script>"}]):
        stream = io.StringIO()
        listed = JsonList(stream)
        for row in rows:
            listed.add(row)
        listed.close()
        assert json.loads(stream.getvalue()) == rows
