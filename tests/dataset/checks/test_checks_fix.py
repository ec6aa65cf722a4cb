"""What is mechanical is mended in a new version, what is not stays as it is, and the old version is never touched."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from dataset.checks import made, planted
from typed import snapshot
from ufine_kit.dataset.checks import check_release
from ufine_kit.dataset.checks.fix import fix_release
from ufine_kit.dataset.checks.mend import clean, mended
from ufine_kit.dataset.reader import open_release, read_rows
from ufine_kit.errors import KitError
from ufine_kit.text.words import count

MENDED = {
    "metadata", "colour_profile", "picture_comment", "image_size", "image_dhash", "image_format", "spacing", "unsafe_signs",
    "caption_twice", "origins",
}  # fmt: skip
LEFT = {"markup", "image_sha256"}


def faulty(root):
    rows = made.rows(8)
    for at, name in enumerate(sorted(MENDED | LEFT)):
        planted.ROWS[name]([rows[at]])
    planted.put(rows[0], rows[0]["image"]["bytes"])
    return made.release(root, rows), rows


def test_a_mended_release_fails_only_where_people_have_to_look(tmp_path):
    folder, rows = faulty(tmp_path)
    held = snapshot(folder)
    assert set(check_release(folder, skip=["peers"]).findings) >= MENDED | LEFT
    fixed = fix_release(folder)
    assert fixed.folder == folder.parent / "0.1.1"
    assert snapshot(folder) == held
    left = check_release(fixed.folder, skip=["peers"]).findings
    assert {name for name, levels in left.items() if "fail" in levels} == LEFT
    assert not MENDED & set(left)
    told = json.loads((fixed.folder / "release.json").read_text())
    assert set(fixed.changes) <= set(told["changes"])
    assert told["mended_from"] == {"version": "0.1.0", "data_digest": open_release(folder).data_digest}
    assert "## 0.1.1" in (fixed.folder / "CHANGELOG.md").read_text()
    assert {row["image_id"] for row in read_rows(open_release(fixed.folder))} == {row["image_id"] for row in rows}


@pytest.mark.full
def test_pixels_stay_what_they_were(tmp_path):
    folder, _ = faulty(tmp_path)
    fixed = fix_release(folder)
    before, after = (
        {row["image_id"]: row["image"]["bytes"] for row in read_rows(open_release(path))}
        for path in (folder, fixed.folder)
    )
    assert before != after
    for name, data in before.items():
        one, other = (np.asarray(Image.open(io.BytesIO(content)).convert("RGB")) for content in (data, after[name]))
        assert np.array_equal(one, other)


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path):
    folder, _ = faulty(tmp_path)
    held = sorted(path.name for path in folder.parent.iterdir())
    assert fix_release(folder, dry_run=True).changes
    assert sorted(path.name for path in folder.parent.iterdir()) == held
    assert fix_release(folder, dry_run=True).changes == fix_release(folder).changes


def test_nothing_to_mend_is_no_new_version(tmp_path):
    folder = made.release(tmp_path, made.rows(6))
    assert fix_release(folder).folder is None
    assert [path.name for path in folder.parent.iterdir() if path.is_dir() and path.name[0] != "."] == ["0.1.0"]


@pytest.mark.full
def test_a_version_that_is_there_is_refused(tmp_path):
    folder, _ = faulty(tmp_path)
    with pytest.raises(KitError, match="never changes"):
        fix_release(folder, "0.1.0")


@pytest.mark.parametrize("version", ["../../../evil", "next-major", "next-best", "0.0.9", "1.0.0"])
def test_a_version_that_does_not_follow_is_refused_and_nothing_is_written(tmp_path, version):
    folder, _ = faulty(tmp_path)
    held = snapshot(tmp_path)
    with pytest.raises(KitError, match=r"is no version|does not follow"):
        fix_release(folder, version)
    assert snapshot(tmp_path) == held


def test_the_next_minor_version_may_be_asked_for_and_the_recipe_says_it_too(tmp_path):
    folder = made.release(tmp_path, made.rows(6), recipe={"license": "cc-by-nc-4.0", "version": "0.1.0"})
    planted.rewritten(folder, lambda rows: rows[0].update(width=41))
    fixed = fix_release(folder, "next-minor")
    told = json.loads((fixed.folder / "release.json").read_text())
    assert (fixed.folder.name, told["version"], told["recipe"]["version"]) == ("0.2.0", "0.2.0", "0.2.0")


def test_an_older_version_is_not_mended_over_what_came_after_it(tmp_path):
    folder, _ = faulty(tmp_path)
    newer = fix_release(folder).folder
    with pytest.raises(KitError, match="not the newest of its major") as caught:
        fix_release(folder)
    assert str(newer) in caught.value.mend
    assert fix_release(newer).folder is None


@pytest.mark.full
def test_a_person_that_was_taken_out_does_not_come_back_with_the_mending(tmp_path):
    folder, rows = faulty(tmp_path)
    gone = rows[-1]["person_id"]
    stone = {"version": "0.1.1", "reason": "asked", "images": [], "crops": []}
    stone["person"] = hashlib.sha256(f"toy:{gone}".encode()).hexdigest()
    (folder.parent / "removed.jsonl").write_text(json.dumps(stone) + "\n")
    fixed = fix_release(folder, "0.1.2")
    assert gone not in {row["person_id"] for row in read_rows(open_release(fixed.folder))}
    left = check_release(fixed.folder, skip=["peers"]).findings
    assert {name for name, levels in left.items() if "fail" in levels} == LEFT


def counted_again(root, of_split, sources):
    """Sources of a release that was mended after a person of `of_split` was taken out of it."""
    rows = made.rows(6)
    folder = made.release(root, rows, sources=sources(rows))
    planted.rewritten(folder, lambda some: some[0].update(width=41))
    gone = next(row["person_id"] for row in rows if row["split"] == of_split)
    stone = {"version": "0.1.0", "reason": "asked", "images": [], "crops": []}
    stone["person"] = hashlib.sha256(f"toy:{gone}".encode()).hexdigest()
    (folder.parent / "removed.jsonl").write_text(json.dumps(stone) + "\n")
    fixed = fix_release(folder)
    found = check_release(fixed.folder, only=["sources"]).findings
    return fixed, json.loads((fixed.folder / "release.json").read_text())["sources"], "sources" not in found


def entry(rows, *splits, named=True):
    held = [row for row in rows if row["split"] in splits]
    videos = sorted({row["provenance"]["video_sha256"] for row in held})
    return made.SOURCE | {
        "date": splits[0], "images": len(held), "videos": len(videos), "video_sha256": videos if named else [],
    }  # fmt: skip


@pytest.mark.parametrize("gone", ["train", "test"])
@pytest.mark.parametrize("named", [True, False])
def test_each_entry_of_a_source_is_counted_again_after_a_removal(tmp_path, gone, named):
    fixed, sources, sound = counted_again(
        tmp_path, gone, lambda rows: [entry(rows, "test", "val", named=named), entry(rows, "train")]
    )
    assert sound and [source["images"] for source in sources] == ([8, 2] if gone == "train" else [6, 4])
    assert not any("not counted" in change for change in fixed.changes)


def test_entries_that_cannot_be_told_apart_are_said_to_be_uncounted(tmp_path):
    fixed, sources, sound = counted_again(
        tmp_path, "train", lambda rows: [entry(rows, *some, named=False) for some in (("test", "val"), ("train",))]
    )
    assert not sound and [source["images"] for source in sources] == [8, 4]
    assert "images of source `own` not counted by its entries: 1" in fixed.changes


def test_parents_follow_their_captions_when_a_doubled_one_goes():
    row = made.rows(6)[0]
    made.say(row, ["First one here.", "first  one here", "Made of the second.", "made of the third"])
    for at, parent in ((2, 1), (3, 2)):
        row["caption_origins"][at]["parent"] = parent
    told = Counter()
    after = mended(row, 1 << 24, told)
    assert after["captions"] == ["First one here.", "Made of the second.", "made of the third"]
    assert [origin["parent"] for origin in after["caption_origins"]] == [None, 0, 1]
    assert [origin["words"] for origin in after["caption_origins"]] == [count(text) for text in after["captions"]]


def test_an_orientation_that_turns_the_picture_stays(tmp_path):
    rows = made.rows(6)
    marks = Image.Exif()
    marks[0x0112] = 6
    planted.put(rows[0], planted.encoded(rows[0], exif=marks.tobytes()))
    assert mended(rows[0], 1 << 24, Counter())["image"]["bytes"] == rows[0]["image"]["bytes"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (" a  red\tcoat\n", "a red coat"), ("a\x00b", "a b"), ("re\u200bd coat", "red coat"), ("cafe\u0301", "café"),
        ("\u202ered\u202c", "red"), ("plain", "plain"),
    ],
)  # fmt: skip
def test_a_caption_is_cleaned_without_changing_its_words(text, wanted):
    assert clean(text) == wanted == clean(wanted)
