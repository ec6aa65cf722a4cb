"""Input that somebody shaped: refused or made harmless, its row named, nothing read or written outside, the rest goes on."""

from __future__ import annotations

import io
import json
import os
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from release.importing import sets
from release.importing.sets import by_path, findings, take
from typed import run_cli, snapshot
from ufine_kit.errors import KitError
from ufine_kit.release.importing import metadata
from ufine_kit.release.importing.findings import Refused
from ufine_kit.release.importing.importing import Wanted
from ufine_kit.release.importing.json_stream import MOST_ROW_CHARS, PIECE_CHARS, DoubleKeys, json_lines, json_rows
from ufine_kit.release.importing.opening import Where
from ufine_kit.release.importing.paths import safe_name
from ufine_kit.release.importing.pictures import look

pytestmark = pytest.mark.full

GOOD = "CUHK01/00001.jpg"


def one_bad(folder, change: dict, raw: str | None = None):
    """A dataset whose third row is changed (or replaced by `raw` JSON)."""
    rows = sets.rows({"train": 3})
    sets.write(folder, "reid_raw.json", rows)
    texts = [json.dumps(row) for row in rows]
    texts[2] = raw if raw is not None else json.dumps({**rows[2], **change})
    (folder / "reid_raw.json").write_text(f"[{', '.join(texts)}]")
    return folder


BAD_ROWS = {
    "climbs out": ({"file_path": "../../secret.jpg"}, "bad_path"),
    "climbs out inside": ({"file_path": "CUHK01/../../secret.jpg"}, "bad_path"),
    "climbs out as Windows does": ({"file_path": "..\\..\\secret.jpg"}, "bad_path"),
    "absolute": ({"file_path": "/etc/hostname"}, "bad_path"),
    "absolute on Windows": ({"file_path": "C:\\secret.jpg"}, "bad_path"),
    "empty path": ({"file_path": ""}, "bad_path"),
    "NUL in the path": ({"file_path": "CUHK01/a\0.jpg"}, "bad_path"),
    "newline in the path": ({"file_path": "CUHK01/a\n.jpg"}, "bad_path"),
    "half a surrogate in the path": ({"file_path": "CUHK01/\ud800.jpg"}, "bad_path"),
    "a path without end": ({"file_path": "a/" * 3000}, "bad_path"),
    "a folder": ({"file_path": "CUHK01"}, "missing"),
    "a number as path": ({"file_path": 7}, "wrong_type"),
    "two paths": ({"img_path": "CUHK01/00000.jpg"}, "wrong_type"),
    "no identity": ({"id": None}, "wrong_type"),
    "true as identity": ({"id": True}, "wrong_type"),
    "a fraction as identity": ({"id": 1.5}, "wrong_type"),
    "escape codes as identity": ({"id": "\x1b[31m"}, "wrong_type"),
    "a list as split": ({"split": ["train"]}, "wrong_type"),
    "captions that are a number": ({"captions": 5}, "wrong_type"),
    "captions that are an object": ({"captions": {"0": "text"}}, "wrong_type"),
    "a number among the captions": ({"captions": ["a man", 5]}, "wrong_type"),
    "captions without end": ({"captions": ["a man"] * 5000}, "wrong_type"),
    "no caption": ({"captions": []}, "no_captions"),
    "captions without a word": ({"captions": ["  ", "\0\0", "?!"]}, "no_captions"),
}


def test_bad_rows_are_left_out_by_name_and_the_rest_goes_on(tmp_path):
    good = sets.rows({"train": len(BAD_ROWS)})
    (tmp_path / "data").mkdir()
    for name in ("secret.jpg", "data/secret.jpg"):
        (tmp_path / name).write_bytes(sets.picture(99))
    sets.write(tmp_path / "data/in", "reid_raw.json", good)
    rows = [{**row, **change} for row, (change, _) in zip(good, BAD_ROWS.values(), strict=False)] + good[
        len(BAD_ROWS) :
    ]
    (tmp_path / "data/in/reid_raw.json").write_text(json.dumps(rows))
    release, imported = take(tmp_path / "work", "cuhk-pedes", tmp_path / "data/in")
    found = {found["row"]: found["reason"] for found in findings(imported) if found["left_out"]}
    assert found == {number: reason for number, (_, reason) in enumerate(BAD_ROWS.values())}
    assert release.splits["train"]["images"] == len(good) - len(BAD_ROWS)


REST = '"id": 1, "split": "train", "file_path": "CUHK01/00002.jpg", "captions": ["x"]}'
BAD_VALUES = {
    "a text as row": ('"a man"', "wrong_type"),
    "nothing as row": ("null", "wrong_type"),
    "a number as row": ("17", "wrong_type"),
    "a list as row": ("[[], []]", "wrong_type"),
    "a key twice": ('{"split": "test", ' + REST, "double_key"),
    "digits without end": ('{"id": ' + "9" * 5000 + "," + REST[8:], "wrong_type"),
    "no number": ('{"id": NaN,' + REST[8:], "wrong_type"),
}  # fmt: skip


def test_rows_that_are_no_rows_are_left_out_by_name(tmp_path):
    folder = sets.write(tmp_path / "in", "reid_raw.json", sets.rows({"train": 3}))
    good = [json.dumps(row) for row in sets.rows({"train": 3})]
    texts = [*good[:2], *(raw for raw, _ in BAD_VALUES.values()), *good[3:]]
    (folder / "reid_raw.json").write_text(f"[{', '.join(texts)}]")
    release, imported = take(tmp_path / "work", "cuhk-pedes", folder)
    found = {found["row"]: found["reason"] for found in findings(imported)}
    assert found == {number: reason for number, (_, reason) in enumerate(BAD_VALUES.values(), 2)}
    assert release.splits["train"]["images"] == 5


@pytest.mark.parametrize("said", ["two_identities", "two_splits"])
def test_an_image_that_rows_disagree_on_is_left_out(tmp_path, said):
    rows = sets.rows({"train": 2, "test": 1})
    rows.append({**rows[0], **({"id": 2} if said == "two_identities" else {"split": "test"})})
    release, imported = take(tmp_path / "work", "cuhk-pedes", sets.write(tmp_path / "in", "reid_raw.json", rows))
    assert imported.summary["left_out"] == {said: 1}
    assert rows[0]["file_path"] not in by_path(release)


def test_control_characters_become_blanks_and_everything_else_in_a_caption_stays(tmp_path):
    texts = [
        "A man\0in\x1b[31m red\u202e.",
        "<script>alert(1)</script> A man. [x](javascript:alert(1)) | *b*",
        "A \ud800 man",
    ]
    release, imported = take(tmp_path / "work", "cuhk-pedes", one_bad(tmp_path / "in", {"captions": texts}))
    held = by_path(release)["CUHK01/00002.jpg"]["captions"]
    assert held == ["A man in [31m red .", texts[1], "A \ufffd man"]
    assert imported.summary["notes"] == {"control": 2, "markup": 1}


def test_links_that_lead_out_are_not_followed(tmp_path):
    folder = sets.cuhk(tmp_path / "in")
    (tmp_path / "secret.jpg").write_bytes(sets.picture(99))
    (folder / "imgs/CUHK01/00000.jpg").unlink()
    (folder / "imgs/CUHK01/00000.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "imgs/CUHK01/00001.jpg").unlink()
    (folder / "imgs/CUHK01/00001.jpg").symlink_to("00001.jpg")
    (folder / "imgs/CUHK01/00002.jpg").unlink()
    (folder / "imgs/CUHK01/00002.jpg").symlink_to("00003.jpg")
    release, imported = take(tmp_path / "work", "cuhk-pedes", folder)
    assert imported.summary["left_out"] == {"outside": 1, "missing": 1}
    assert sets.picture(99) not in [row["image"]["bytes"] for row in by_path(release).values()]
    assert by_path(release)["CUHK01/00002.jpg"]["image"]["bytes"] == sets.picture(3)


def test_a_folder_of_pictures_that_is_a_link_out_is_taken_only_when_told(tmp_path):
    folder = sets.cuhk(tmp_path / "in")
    (folder / "imgs").rename(tmp_path / "disk")
    (folder / "imgs").symlink_to(tmp_path / "disk")
    with pytest.raises(KitError, match="outside the dataset") as caught:
        take(tmp_path / "work", "cuhk-pedes", folder)
    assert "--images" in caught.value.mend
    release, _ = take(tmp_path / "work", "cuhk-pedes", folder, where=Where(images=tmp_path / "disk"))
    assert release.splits["train"]["images"] == 8


def test_an_annotation_file_that_is_a_link_out_is_not_read(tmp_path):
    folder = sets.cuhk(tmp_path / "in")
    (folder / "reid_raw.json").rename(tmp_path / "else.json")
    (folder / "reid_raw.json").symlink_to(tmp_path / "else.json")
    with pytest.raises(KitError, match="is a link to"):
        take(tmp_path / "work", "cuhk-pedes", folder)


def test_an_annotation_file_may_be_a_link_within_its_folder(tmp_path):
    folder = sets.cuhk(tmp_path / "in")
    (folder / "v2").mkdir()
    (folder / "reid_raw.json").rename(folder / "v2/list.json")
    (folder / "reid_raw.json").symlink_to("v2/list.json")
    assert take(tmp_path / "work", "cuhk-pedes", folder)[0].splits["train"]["images"] == 8


def test_a_pipe_in_place_of_a_picture_does_not_hang(tmp_path):
    folder = sets.cuhk(tmp_path / "in")
    (folder / "imgs/CUHK01/00000.jpg").unlink()
    os.mkfifo(folder / "imgs/CUHK01/00000.jpg")
    assert take(tmp_path / "work", "cuhk-pedes", folder)[1].summary["left_out"] == {"missing": 1}


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes whose header promises `width` x `height` pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


def text_bomb() -> bytes:
    """A PNG with a text chunk that unpacks to 30 MB."""
    plain = sets.picture(1, "PNG")
    packed = b"Comment\0\0" + zlib.compress(b"a" * 30_000_000, 9)
    chunk = struct.pack(">I", len(packed)) + b"zTXt" + packed + struct.pack(">I", zlib.crc32(b"zTXt" + packed))
    return plain[:33] + chunk + plain[33:]


def trailing_cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


BAD_PICTURES = {
    "not there": (None, "missing"),
    "empty": (b"", "format"),
    "text": (b"404 Not Found", "format"),
    "HTML": (b"<!DOCTYPE html><html></html>", "format"),
    "cut in the middle": (trailing_cut(sets.picture(1), 0.9), "broken"),
    "head alone": (sets.picture(1)[:40], "broken|format"),
    "a PNG that is cut": (trailing_cut(sets.picture(1, "PNG"), 0.8), "broken"),
    "a bomb of 2,500,000,000 pixels": (bomb(50_000, 50_000), "oversized"),
    "a bomb of 100,000,000 pixels": (bomb(10_000, 10_000), "oversized"),
    "a GIF": (sets.picture(1, "GIF"), "format"),
    "a TIFF": (sets.picture(1, "TIFF"), "format"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "format"),
    "a PostScript program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "format"),
}


def test_bad_pictures_are_left_out_by_name_and_the_rest_goes_on(tmp_path, capfd):
    rows = sets.rows({"train": len(BAD_PICTURES)})
    pictures = {row["file_path"]: content for row, (content, _) in zip(rows, BAD_PICTURES.values(), strict=False)}
    release, imported = take(
        tmp_path / "work", "cuhk-pedes", sets.write(tmp_path / "in", "reid_raw.json", rows, pictures=pictures)
    )
    assert release.splits["train"]["images"] == len(rows) - len(BAD_PICTURES)
    for number, (case, found) in enumerate(zip(BAD_PICTURES, findings(imported), strict=True)):
        assert found["reason"] in BAD_PICTURES[case][1].split("|"), case
        assert (found["row"], found["image"], found["left_out"]) == (number, rows[number]["file_path"], True)
    assert capfd.readouterr().err == ""


def test_a_text_that_unpacks_without_end_in_a_picture_is_not_unpacked():
    content = text_bomb()
    tracemalloc.start()
    with pytest.raises(Refused):
        look(content)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@given(st.binary(max_size=400), st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=30, derandomize=True, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_shaped_picture_is_a_fault_of_ours(noise, at, length):
    for plain in (
        sets.picture(1, exif=exif()),
        sets.picture(1, "PNG"),
        sets.picture(1, "BMP"),
        sets.picture(1, "WEBP"),
    ):
        start = at % len(plain)
        shaped = plain[:start] + noise[:length] + plain[start + length :]
        metadata.stripped(shaped)
        try:
            look(shaped)
        except Refused as why:
            assert why.reason in ("broken", "format", "oversized")


@given(st.text(max_size=40))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_a_safe_name_never_leads_out(given_name):
    try:
        name = safe_name(given_name)
    except Refused:
        return
    assert not name.startswith("/")
    assert not {"..", ".", ""} & set(name.split("/"))


# --- what a picture says beside its pixels ---------------------------------------------------------------------------


def exif(place: bool = True) -> bytes:
    """An EXIF block with a camera, a turned picture and, if wanted, a place."""
    held = Image.Exif()
    held[0x0110], held[0x0112] = "Camera of a real person", 6
    if place:
        held.get_ifd(0x8825)[1] = "N"
        held.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    return held.tobytes()


TELLING = {
    "exif and place": (sets.picture(1, exif=exif()), {"exif", "gps"}),
    "exif": (sets.picture(1, exif=exif(place=False)), {"exif"}),
    "comment": (sets.picture(1, comment=b"taken by Jane"), {"comment"}),
    "xmp": (sets.picture(1, xmp=b"<x:xmpmeta/>"), {"xmp"}),
    "png": (sets.picture(1, "PNG", exif=exif()), {"exif", "gps"}),
    "nothing": (sets.picture(1), set()),
    "colours alone": (sets.picture(1, icc_profile=b"profile" * 9), set()),
}


@pytest.mark.parametrize("case", TELLING)
def test_what_a_picture_tells_is_found_and_cut_out_without_touching_a_pixel(case):
    content, words = TELLING[case]
    assert metadata.found(content) == words
    bare = metadata.stripped(content)
    assert metadata.found(bare) == frozenset()
    assert (bare == content) is (words == set())
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(bare)) as after:
        assert before.tobytes() == after.tobytes()
        assert after.info.get("icc_profile") == before.info.get("icc_profile")
        assert not dict(after.getexif())
        assert "Jane" not in str(after.info)


def test_metadata_is_told_and_cut_only_when_asked(tmp_path):
    content = sets.picture(1, exif=exif())
    folder = sets.cuhk(tmp_path / "in", pictures={GOOD: content})
    kept, said = take(tmp_path / "work", "cuhk-pedes", folder)
    assert by_path(kept)[GOOD]["image"]["bytes"] == content
    assert said.summary["notes"] == {"metadata": 1, "gps": 1}
    bare, said = take(tmp_path / "work", "cuhk-pedes", folder, "bare", strip_exif=True)
    row = by_path(bare)[GOOD]
    assert metadata.found(row["image"]["bytes"]) == frozenset()
    assert row["image_sha256"] != by_path(kept)[GOOD]["image_sha256"]
    assert row["dhash"] == by_path(kept)[GOOD]["dhash"]
    assert said.summary["notes"] == {"metadata_stripped": 1}


@pytest.mark.parametrize("form", ["PNG", "BMP", "WEBP"])
def test_other_formats_pass_through_as_they_are_under_whatever_name(tmp_path, form):
    content = sets.picture(1, form)
    release, imported = take(tmp_path / "work", "cuhk-pedes", sets.cuhk(tmp_path / "in", pictures={GOOD: content}))
    assert by_path(release)[GOOD]["image"]["bytes"] == content
    assert imported.summary["notes"] == {"extension": 1}


# --- files that are large, torn or deep --------------------------------------------------------------------------------


def test_a_large_file_costs_the_memory_of_a_row(tmp_path):
    path, row = tmp_path / "large.json", json.dumps({"id": 1, "captions": ["word " * 2000]})
    with path.open("w") as stream:
        stream.write("[" + ",\n".join([row] * 1500) + "]")
    tracemalloc.start()
    assert sum(1 for _ in json_rows(path)) == 1500
    assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 2
    tracemalloc.stop()


TORN = {
    "a row too long": ('[{"a": "' + "x" * (2 * MOST_ROW_CHARS) + '"}]', "row 0 is longer"),
    "too deep": ("[" * 100_000, "nested too deeply"),
    "two lists": ("[1], [2]", None),
    "a raw control character": ('[{"a": "x\ny"}]', "row 0"),
    "cut": ('[{"a": 1}, {"a"', "row 1"),
    "no end": ('[{"a": 1}', "no end"),
    "empty": ("", "no JSON list"),
}


@pytest.mark.parametrize("case", TORN)
def test_a_torn_list_names_its_row(tmp_path, case):
    text, said = TORN[case]
    (tmp_path / "a.json").write_text(text)
    if said is None:
        assert list(json_rows(tmp_path / "a.json")) == [1]
        return
    with pytest.raises(KitError) as caught:
        list(json_rows(tmp_path / "a.json"))
    assert said in caught.value.problem
    assert "a.json" in caught.value.problem
    assert len(caught.value.problem) < 300


def test_a_line_too_long_or_torn_names_its_number(tmp_path):
    path = tmp_path / "a.jsonl"
    for text, said in (("{}\n" + "x" * MOST_ROW_CHARS, "line 2 is longer"), ('{}\n\n{"a": ', "line 3 is no JSON")):
        path.write_text(text)
        with pytest.raises(KitError, match=said):
            list(json_lines(path))


@given(st.lists(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers(-9, 10**17) | st.text(),
                             lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)))  # fmt: skip
@settings(max_examples=25, derandomize=True, deadline=None)
def test_rows_are_those_that_the_standard_reader_gives(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    assert list(json_rows(path)) == values


def test_a_value_across_the_border_of_two_readings_is_read_whole(tmp_path):
    for before in (1, 3, 9):
        (tmp_path / "a.json").write_text("[" + " " * (PIECE_CHARS - before) + '12345, "ab", {"c": [1]}]')
        assert list(json_rows(tmp_path / "a.json")) == [12345, "ab", {"c": [1]}]


def test_a_mark_of_byte_order_is_passed_over_and_a_double_key_is_marked(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf[{"a": 1, "a": 2}, {"b": {"c": 1}}]')
    first, second = json_rows(tmp_path / "a.json")
    assert (type(first), first.doubled, second) == (DoubleKeys, "a", {"b": {"c": 1}})


# --- the command -------------------------------------------------------------------------------------------------------


def test_rows_left_out_are_exit_one_unless_allowed_and_the_report_says_where(tmp_path):
    folder = one_bad(tmp_path / "in", {"file_path": "../../\x1b[31m.jpg"})
    ran = run_cli("import-dataset", "cuhk-pedes", folder, "-w", tmp_path / "work", "--json")
    assert ran.code == 1
    assert "reid_raw.json row 2 (`../../?[31m.jpg`): bad_path" in ran.err
    assert "\x1b" not in ran.err + ran.out
    assert json.loads((tmp_path / "work/releases/cuhk-pedes/import-0.1.0.json").read_text())["left_out"] == {
        "bad_path": 1
    }
    assert ran.json["import"]["left_out"] == {"bad_path": 1}
    words = ["import-dataset", "cuhk-pedes", folder, "-w", tmp_path / "work", "--version", "0.2.0", "--allow-missing"]
    assert run_cli(*words).code == 0


def test_no_picture_at_all_is_one_line_and_no_release(tmp_path):
    folder = sets.cuhk(tmp_path / "in")
    for path in (folder / "imgs/CUHK01").iterdir():
        path.write_bytes(b"not a picture")
    held = snapshot(tmp_path / "in")
    with pytest.raises(KitError, match=r"no picture of .* row 0, `CUHK01/00000.jpg`") as caught:
        take(tmp_path / "work", "cuhk-pedes", folder)
    assert "--images" in caught.value.mend
    assert not list((tmp_path / "work").rglob("*.parquet"))
    assert snapshot(tmp_path / "in") == held


def test_the_flags_have_sensible_values_without_being_given():
    assert Wanted("x").rights.redistribution is None
    assert Wanted("x").most_pixels >= 3840 * 2160
