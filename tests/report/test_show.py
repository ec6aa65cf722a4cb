"""Contact sheets: the crops that were asked for, evenly spread; an unknown name is answered with the nearest known one."""

from __future__ import annotations

import pytest
from PIL import Image

from report.folders import Crop, Image_, make_release, make_work, picture
from typed import run_cli
from ufine_kit.errors import KitError
from ufine_kit.report.pick import Asked, Shown, pick
from ufine_kit.report.sheet import CELL_PX, draw_sheet

pytestmark = pytest.mark.full

CROPS = [
    Crop("a.mp4", f"a:0:{number // 4}", float(number), f"person-{number // 8}", ("blurred",) if number % 3 == 0 else (),
         image=picture(number, 40, 16))
    for number in range(24)
]  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return make_work(tmp_path_factory.mktemp("show"), CROPS)


def images(*numbers):
    return [CROPS[number].image for number in numbers]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (Asked(reason="blurred"), range(0, 24, 3)),
        (Asked(person="person-1"), range(8, 16)),
        (Asked(tracklet="a:0:2"), range(8, 12)),
        (Asked(reason="blurred", person="person-1"), (9, 12, 15)),
        (Asked(), range(24)),
    ],
    ids=["reason", "person", "tracklet", "both", "anything"],
)
def test_crops_that_fit_are_picked_in_their_order(work, asked, wanted):
    found = pick(work, None, asked, 60)
    assert [crop.picture for crop in found.crops] == images(*wanted)
    assert found.matching == len(wanted)


def test_more_than_the_limit_are_spread_evenly(work):
    found = pick(work, None, Asked(), 4)
    assert [crop.picture for crop in found.crops] == images(0, 6, 12, 18)
    assert found.matching == 24


WRONG = [
    (Asked(reason="blured"), "no reason `blured`", "did you mean `blurred`"),
    (Asked(reason="zzzz"), "no reason `zzzz`", "there are: "),
    (Asked(person="person-9"), "no person `person-9`", "did you mean `person-"),
    (Asked(tracklet="0:5:9:9"), "no tracklet `0:5:9:9`", "a:0:"),
    (Asked(reason="dark"), "no crop is dropped as `dark`", "ufine-kit report"),
    (Asked(reason="blurred", tracklet="a:0:99"), "no tracklet", "did you mean"),
]


@pytest.mark.parametrize(("asked", "problem", "mend"), WRONG, ids=lambda value: str(value)[:30])
def test_what_is_not_there_is_answered_with_the_nearest_that_is(work, asked, problem, mend):
    with pytest.raises(KitError) as caught:
        pick(work, None, asked, 60)
    assert problem in caught.value.problem
    assert mend in caught.value.mend


def test_a_folder_without_a_crop_is_one_whole_sentence(work, monkeypatch):
    monkeypatch.setattr("ufine_kit.report.pick._of_work", lambda _: [])
    with pytest.raises(KitError, match=r"^no crop is there$"):
        pick(work, None, Asked(), 60)


def test_a_release_is_asked_by_identity(tmp_path):
    held = [picture(number, 40, 16) for number in range(3)]
    release = make_release(tmp_path, [Image_(f"p{number // 2}", image=held[number]) for number in range(3)])
    found = pick(tmp_path, release, Asked(person="p0"), 60)
    assert [crop.picture for crop in found.crops] == held[:2]
    assert found.crops[0].label == "p0\ntrain"
    with pytest.raises(KitError, match="no dropped crops"):
        pick(tmp_path, release, Asked(reason="blurred"), 60)


def test_the_command_prints_the_path_and_nothing_else(work, tmp_path):
    ran = run_cli("show", "--reason", "blurred", "-w", work, "--out", tmp_path / "new/sheet.png")
    assert (ran.code, ran.out, ran.err) == (0, f"{tmp_path / 'new/sheet.png'}\n", "")
    with Image.open(tmp_path / "new/sheet.png") as sheet:
        assert sheet.format == "PNG"
    again = run_cli("show", "--reason", "blurred", "-w", work, "--out", tmp_path / "again.png", "--json")
    assert (again.json["crops"], again.json["matching"]) == (8, 8)
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "new/sheet.png").read_bytes()


def test_a_dry_run_picks_and_writes_nothing(work, tmp_path):
    ran = run_cli("show", "-w", work, "--out", tmp_path / "sheet.png", "--dry-run", "--json")
    assert (ran.json["crops"], ran.json["dry_run"]) == (24, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [1, 2, 7, 60, 200])
def test_a_sheet_has_a_cell_for_every_crop_and_no_empty_line(number):
    sheet = draw_sheet([Shown(picture(1, 40, 16), "p\n1.0 s", ())] * number)
    columns, lines = (sheet.width - 32) // CELL_PX[0], (sheet.height - 32) // CELL_PX[1]
    assert columns * (lines - 1) < number <= columns * lines


def test_a_broken_picture_and_long_or_foreign_words_still_make_a_sheet():
    crops = [Shown(b"broken", "x" * 300 + "\n人の名前", ("blurred", "small", "occluded", "dark")), Shown(b"", "", ())]
    assert draw_sheet(crops).size[0] > CELL_PX[0]
