"""Caption edits and drop lists: the next version has them, all else stays, and a line that cannot be used is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from release.works import lines, make_work, people, released
from typed import run_cli, snapshot
from ufine_kit.dataset.reader import open_release, verify
from ufine_kit.dataset.splits import shard_of
from ufine_kit.dataset.writer import write_release
from ufine_kit.errors import KitError
from ufine_kit.release.build import build
from ufine_kit.release.edit import edit, plan_edit, read_edits
from ufine_kit.release.remove import plan_removal, remove
from ufine_kit.tables import ReleaseTable

pytestmark = pytest.mark.full

TEXT = "A man in a long grey coat carries two paper bags, one in each hand."


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    work = make_work(tmp_path_factory.mktemp("edit") / "work", people("abc", 4))
    build(work, ReleaseTable(shards=2))
    return work / "releases/dataset/0.1.0"


@pytest.fixture
def folder(once, tmp_path):
    shutil.copytree(once, tmp_path / "releases/dataset/0.1.0")
    return tmp_path / "releases/dataset/0.1.0"


def change(**more) -> dict:
    plain = {"image_id": "a0-0", "caption_index": 1, "text": TEXT, "editor": "editor-01"}
    return {key: value for key, value in (plain | more).items() if value is not None}


def edited(folder, *edits, drops=(), version=None):
    given = lines(folder.parent.parent / "edits.jsonl", *edits), lines(folder.parent.parent / "drops.jsonl", *drops)
    return edit(plan_edit(open_release(folder), read_edits(*given), version))


def test_an_edited_caption_has_its_words_and_its_editor_and_nothing_else_changes(folder):
    before = released(folder)
    manifest = edited(folder, change())
    new = folder.with_name("0.1.1")
    verify(open_release(new))
    after = released(new)
    row, old = after.pop("a0-0"), before.pop("a0-0")
    assert after == before
    assert row["captions"] == [old["captions"][0], TEXT]
    assert row["caption_origins"][1] == old["caption_origins"][1] | {
        "writer": "editor-01",
        "words": 15,
        "kind": "human",
    }
    assert row["caption_origins"][0] == old["caption_origins"][0]
    assert manifest["changes"] == ["1 caption edited", "1 image with other captions"]
    assert manifest["revised_from"]["version"] == "0.1.0"


def test_only_the_shards_concerned_are_written_anew(folder):
    before = released(folder)
    edited(folder, change(), change(image_id="b1-0"), drops=[{"image_id": "b1-1", "reason": "blurred"}])
    old, new = snapshot(folder, "data/*"), snapshot(folder.with_name("0.1.1"), "data/*")
    concerned = {
        f"data/{before[n]['split']}-{shard_of(before[n]['person_id'], 2):05d}-of-00002.parquet"
        for n in ("a0-0", "b1-0")
    }
    assert {name for name in old if old[name] != new[name]} == concerned
    assert "b1-1" not in released(folder.with_name("0.1.1"))
    assert "- 1 image dropped: blurred" in (folder.with_name("0.1.1") / "CHANGELOG.md").read_text()


KINDS = {"model": "model_revised", "model_revised": "model_revised", "human": "human", "imported": "human"}


@pytest.mark.parametrize(("kind", "after"), KINDS.items())
def test_a_models_text_that_people_edit_is_revised_and_any_other_is_theirs(tmp_path, folder, kind, after):
    rows = list(released(folder).values())
    rows[0]["caption_origins"][1] |= {"kind": kind, "parent": 0, "writer": "model-x@1", "style": "terse"}
    toy = tmp_path / "releases/toy/1.0.0"
    write_release(toy, rows, 1, {"name": "toy", "version": "1.0.0", "kind": "dataset", "synthetic": True, "recipe": {}})
    edited(toy, change(image_id=rows[0]["image_id"]))
    origin = released(toy.with_name("1.0.1"))[rows[0]["image_id"]]["caption_origins"][1]
    assert origin == {
        "kind": after, "writer": "editor-01", "parent": 0, "words": 15, "granularity": "coarse", "style": "terse"
    }  # fmt: skip


BAD = [
    ("no json", "no JSON"), (change(image_id="zz"), "no image `zz`"), (change(caption_index=2), "has 2 captions"),
    (change(text="  "), "`text` is empty"), (change(text="a\x00b"), "control characters"), (change(text=None), "`text`"),
    (change(editor="mei.lin@example.org"), "`editor`"), (change(caption_index=-1), "`caption_index`"),
    (change(caption_index=True), "`caption_index`"), (change(more=1), "`more`"), (change(caption_index=0), "edited twice"),
    ('{"image_id": "a0-0", "image_id": "b0-0", "caption_index": 0, "text": "t", "editor": "e"}', "`image_id` stands twice"),
    ("[" * 100_000, "no JSON"), (change(image_id="c0-0"), "edited and dropped"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "said"), BAD, ids=lambda value: str(value)[:40])
def test_a_line_that_cannot_be_used_is_named_and_nothing_is_written(folder, bad, said):
    drops = [{"image_id": "c0-0", "reason": "blurred"}]
    with pytest.raises(KitError, match="line 2") as caught:
        edited(folder, change(caption_index=0), bad, drops=drops)
    assert said in caught.value.problem
    assert [path.name for path in folder.parent.iterdir() if path.is_dir() and path.name[0].isdigit()] == ["0.1.0"]


def test_an_image_dropped_twice_or_without_a_reason_is_refused(folder):
    drop = {"image_id": "c0-0", "reason": "blurred"}
    reasons = [({"image_id": "c0-1", "reason": reason}, "`reason`") for reason in ("", "a\x1b[2J", "\udcff")]
    for second, said in ((drop, "dropped twice"), *reasons):
        with pytest.raises(KitError, match="line 2") as caught:
            edited(folder, drops=[drop, second])
        assert said in caught.value.problem


def test_what_stands_there_already_is_no_new_version(folder):
    same = released(folder)["a0-0"]["captions"][1]
    with pytest.raises(KitError, match="says all of that already"):
        edited(folder, change(text=f" {same} "))
    with pytest.raises(KitError, match="no edit and no drop"):
        edited(folder)


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        ("next-minor", "0.2.0"),
        ("0.1.7", "0.1.7"),
        ("1.0.0", "another major"),
        ("0.1.0", "exists"),
        ("0.0.5", "does not follow"),
        ("next-foo", "is no version"),
        ("next-", "is no version"),
    ],
)
def test_the_version_is_the_next_patch_or_what_is_asked_for(folder, asked, version):
    if version[0].isdigit():
        assert edited(folder, change(), version=asked)["version"] == version
    else:
        with pytest.raises(KitError, match=version):
            edited(folder, change(), version=asked)


def test_a_release_may_be_named_from_inside_it_and_a_copy_elsewhere_is_one_line(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "copy")
    with pytest.raises(KitError, match="does not lie among the versions"):
        plan_removal(open_release(tmp_path / "copy"), ["a0"], [], "r")
    monkeypatch.chdir(folder)
    given = read_edits(lines(tmp_path / "edits.jsonl", change()), None)
    edit(plan_edit(open_release(Path()), given, None))
    monkeypatch.chdir(folder.with_name("0.1.1"))
    remove(plan_removal(open_release(Path()), ["a0"], [], "r"))
    assert sorted(path.name for path in folder.parent.glob("*.*.*")) == ["0.1.0", "0.1.1", "0.1.2"]
    assert (folder.parent / "removed.jsonl").is_file()


@pytest.mark.full
def test_the_command_shows_and_then_does(folder):
    given = lines(folder.parent.parent / "edits.jsonl", change())
    words = ["edit-release", folder, "--edits", given, "--json"]
    held = snapshot(folder.parent)
    assert run_cli(*words, "--dry-run").json["dry_run"] is True
    assert snapshot(folder.parent) == held
    ran = run_cli(*words)
    assert (ran.json["captions"], ran.json["version"]) == (1, "0.1.1"), ran.err


def test_lines_that_a_sheet_hands_back_untouched_are_no_edits_whatever_is_in_them(tmp_path, folder):
    rows = list(released(folder).values())
    rows[0]["captions"] = ["a coat,\nred", "a hat \t"]
    toy = tmp_path / "releases/toy/1.0.0"
    write_release(toy, rows, 1, {"name": "toy", "version": "1.0.0", "kind": "dataset", "synthetic": True, "recipe": {}})
    image = rows[0]["image_id"]
    untouched = [change(image_id=image, caption_index=n, text=text) for n, text in enumerate(rows[0]["captions"])]
    other = change(image_id=rows[1]["image_id"], caption_index=0, text="a new text")
    edited(toy, *untouched, other)
    after = released(toy.with_name("1.0.1"))
    assert after[image]["captions"] == rows[0]["captions"]
    assert after[rows[1]["image_id"]]["captions"][0] == "a new text"


def test_a_whole_sheet_goes_back_beside_a_list_of_images_that_shall_go(folder):
    """`export --format edits` writes every caption, those of the dropped image too: what stands there is no edit of it."""
    rows = released(folder)
    sheet = [
        change(image_id=image, caption_index=n, text=text)
        for image, row in rows.items()
        for n, text in enumerate(row["captions"])
    ]
    manifest = edited(folder, *sheet, drops=[{"image_id": "c0-0", "reason": "blurred"}])
    assert manifest["changes"][0] == "1 image dropped: blurred"
    after = released(folder.with_name("0.1.1"))
    assert {image: row["captions"] for image, row in after.items()} == {
        image: row["captions"] for image, row in rows.items() if image != "c0-0"
    }


def test_a_sentence_with_the_old_sizes_does_not_go_on_and_counts_do(tmp_path, folder):
    rows = list(released(folder).values())
    toy = tmp_path / "releases/toy/1.0.0"
    told = {"rewriting": {"in_words": "24 persons", "prompt": "p"}, "review": {"drop": 1}}
    plain = {"name": "toy", "version": "1.0.0", "kind": "dataset", "synthetic": True, "recipe": {}}
    write_release(toy, rows, 1, {**plain, **told})
    manifest = edited(toy, drops=[{"image_id": rows[0]["image_id"], "reason": "blurred"}])
    assert (manifest["rewriting"], manifest["review"]) == ({"prompt": "p"}, {"drop": 1})
