"""What a model finds strange, asked of people: once, about what stands as the list has it; and what they say of it."""

from __future__ import annotations

import json

import pytest

from campaign.fake_server import TOKEN, FakeStudio
from campaign.spoken import Spoken, describe, told
from release.works import decide, decision, make_work, people, write
from typed import run_cli, snapshot
from ufine_kit.campaign.items import write_items
from ufine_kit.campaign.kinds import fix, review
from ufine_kit.campaign.people import crop_people
from ufine_kit.campaign.progress import progress
from ufine_kit.campaign.qc import qc
from ufine_kit.campaign.standing import standing
from ufine_kit.campaign.suspects import Suspects, read_suspects
from ufine_kit.dataset.tombstones import person_hash, removed_of, tombstone, write_removed
from ufine_kit.errors import KitError
from ufine_kit.rows import IdentityPair
from ufine_kit.tables import CampaignTable

TABLE = CampaignTable()
PEOPLE = people("ab", 4, 3)


def text_line(crop: str | None, text: str, **more: object) -> dict:
    return {"kind": "text", "crop_id": crop, "text": text, "origin": "human", "rank": 40, "margin": 0.2, **more}


def crop_line(crop: str | None, nearest: str | None) -> dict:
    return {"kind": "crop", "crop_id": crop, "nearest_crop_id": nearest, "margin": 0.1}


def listed(folder, *lines: dict) -> Suspects:
    return read_suspects(write_list(folder / "noise.jsonl", *lines))


def write_list(path, *lines: dict):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def spoken(tmp_path):
    """Three crops with a text each by `ann`, all of them fine."""
    made = Spoken(make_work(tmp_path / "work", PEOPLE, {"a3-0": ["blurred"]}, texts=0))
    made.ask(*describe("a0-0", "a1-0", "b0-0"))
    for n, crop in enumerate(("a0-0", "a1-0", "b0-0")):
        made.answer(crop, "ann", told(5 * n))
    return made


def doubted(spoken, *lines: dict):
    return fix.doubted(spoken.folder, "c", TABLE, listed(spoken.folder.parent, *lines))


# --- texts --------------------------------------------------------------------------------------------------------------


def test_a_suspect_text_is_asked_about_as_it_stands_with_the_reason(spoken):
    found = doubted(spoken, text_line("a1-0", told(5)), text_line("a1-0", told(5), margin=0.1))
    (item,) = found.items
    assert (item.pictures, item.about["person_id"], item.shown["draft"]) == (("a1-0",), "a1", told(5))
    (reason,) = item.shown["reasons"]
    assert "nearer to another person" in reason and "leave it as it is" in reason
    assert found.left_out == {}
    assert doubted(spoken, text_line("a1-0", told(5))).items == [item]


def test_what_of_a_list_is_not_asked_about_is_counted_by_the_reason(spoken):
    spoken.ask(*describe("b1-0", "a3-0"))
    spoken.answer("b1-0", "ann", "Too short.")
    spoken.answer("a3-0", "ann", told(19))
    spoken.answer("a0-0", "ann", told(16), annotation="a0-0-ann")
    found = doubted(
        spoken,
        text_line("a0-0", told(0)),
        text_line("a1-0", "The words of another campaign."),
        text_line(None, told(5)),
        text_line("a1-0", "A model's words.", origin="model_revised"),
        text_line("b1-0", "Too short."),
        text_line("a3-0", told(19)),
        crop_line("a0-0", "b0-0"),
    )
    assert found.items == []
    assert found.left_out == {
        "changed or deleted since": 1, "of another campaign": 2, "of a model": 1, "of crops that are out by now": 1,
        "held back (`campaign create fix` without --noise asks about them)": 1,
        "of crops (`campaign create review` asks about them)": 1,
    }  # fmt: skip


def test_a_text_that_comes_back_as_it_was_is_confirmed_and_stays_its_writers(spoken):
    line = text_line("a1-0", told(5))
    before = [text.description_id for text in standing(spoken.folder, TABLE).texts]
    (item,) = doubted(spoken, line).items
    spoken.ask(item)
    spoken.answer(item.item_key, "bob", f" {told(5)}\n", lead_seconds=4.0)
    quality = qc(spoken.folder, TABLE, crop_people(spoken.folder.parents[1]))
    assert [text.description_id for text in quality.accepted] == before
    assert {text.writer for text in quality.accepted} == {"ann"}
    assert quality.refused == {}
    assert not any(quality.findings.values())
    (answer,) = quality.standing.aside
    assert (answer.writer, answer.flags) == ("bob", {"confirming"})
    assert fix.items(spoken.folder, "c", TABLE) == []
    assert doubted(spoken, line).items == [item], "the same key: it goes out once"
    rows = {row["writer"]: row for row in progress(spoken.folder, TABLE, {})["writers"]}
    assert (rows["bob"]["texts"], rows["bob"]["confirmed"], rows["ann"]["confirmed"]) == (0, 1, 0)


def test_a_confirmed_text_that_a_rule_holds_back_later_is_still_asked_about(spoken):
    (item,) = doubted(spoken, text_line("a1-0", told(5))).items
    spoken.ask(item)
    spoken.answer(item.item_key, "bob", told(5))
    strict = CampaignTable(min_words=500)
    assert item.item_key not in {other.item_key for other in fix.items(spoken.folder, "c", strict)}
    assert "a1-0" in {other.about["crop_id"] for other in fix.items(spoken.folder, "c", strict)}


def test_a_doubted_text_that_comes_back_changed_takes_the_place(spoken):
    (item,) = doubted(spoken, text_line("a1-0", told(5))).items
    spoken.ask(item)
    mended = spoken.answer(item.item_key, "bob", told(15))
    found = qc(spoken.folder, TABLE, {})
    assert {text.crop_id: text.description_id for text in found.accepted}["a1-0"] == mended
    assert len(found.accepted) == 3
    assert doubted(spoken, text_line("a1-0", told(5))).left_out == {"changed or deleted since": 1}


def test_a_text_that_stands_twice_in_a_list_is_asked_about_once(spoken):
    lines = (text_line("a1-0", told(5)), text_line("a1-0", told(5), origin=None))
    assert [item.about["crop_id"] for item in doubted(spoken, *lines).items] == ["a1-0"]


@pytest.mark.parametrize("blanks", range(6))  # keys of either order
def test_a_confirmation_and_a_mended_text_of_one_moment_leave_one_text(spoken, blanks):
    (item,) = doubted(spoken, text_line("a1-0", told(5))).items
    spoken.ask(item)
    spoken.answer(item.item_key, "bob", "Too short.")
    (again,) = fix.items(spoken.folder, "c", TABLE)
    spoken.ask(again)
    carols = spoken.answer(again.item_key, "carol", told(15))
    spoken.answer(item.item_key, "bob", told(5) + " " * blanks, at=spoken.last())
    found = [text.description_id for text in standing(spoken.folder, TABLE).texts if text.crop_id == "a1-0"]
    assert found == [carols]


def test_what_mends_a_confirmation_of_a_deleted_text_does_not_come_on_top_of_who_took_its_place(tmp_path):
    drop = CampaignTable(overlap=1, deleted="drop")
    made = Spoken(make_work(tmp_path / "work", PEOPLE, texts=0), overlap=1)
    made.ask(*describe("a1-0"))
    made.answer("a1-0", "ann", told(5))
    (item,) = fix.doubted(made.folder, "c", drop, listed(tmp_path, text_line("a1-0", told(5)))).items
    made.ask(item)
    made.answer(item.item_key, "bob", "Too short.")
    (again,) = fix.items(made.folder, "c", drop)
    made.ask(again)
    made.gone("a1-0", "ann")
    made.answer("a1-0", "dora", told(10))
    made.answer(item.item_key, "bob", told(5))
    made.answer(again.item_key, "carol", told(15))
    found = standing(made.folder, drop)
    assert [text.writer for text in found.texts] == ["dora"]
    assert {text.writer: text.flags for text in found.aside}["carol"] == {"surplus"}


@pytest.mark.parametrize(("later", "stands"), [("fix", "carol's"), ("confirmed", "ann's")])
def test_who_first_changes_and_then_confirms_leaves_one_text_whatever_else_was_mended(spoken, later, stands):
    (item,) = doubted(spoken, text_line("a1-0", told(5))).items
    spoken.ask(item)
    bad = spoken.answer(item.item_key, "bob", "Too short.")
    (again,) = fix.items(spoken.folder, "c", TABLE)
    assert again.about["parent_id"] == bad
    spoken.ask(again)
    if later == "confirmed":
        carols = spoken.answer(again.item_key, "carol", told(15))
    spoken.answer(item.item_key, "bob", told(5))
    if later == "fix":
        carols = spoken.answer(again.item_key, "carol", told(15))
    (text,) = [text for text in standing(spoken.folder, TABLE).texts if text.crop_id == "a1-0"]
    assert (text.description_id == carols) == (stands == "carol's")
    assert text.writer == {"carol's": "carol", "ann's": "ann"}[stands]


def test_who_was_removed_is_not_asked_about_again_by_a_check_either(spoken):
    spoken.ask(*describe("b1-0"))
    spoken.answer("b1-0", "ann", "Too short.")
    work = spoken.folder.parents[1]
    (work / "releases/street").mkdir(parents=True)
    assert len(fix.items(spoken.folder, "c", TABLE)) == 1
    gone = tombstone("1.0.1", "asked", person_hash("street", "b1"), (), ())
    write_removed(work / "releases/street", removed_of("street", [gone]))
    assert fix.items(spoken.folder, "c", TABLE) == []


BAD = [
    ("nonsense", "line 2 is no JSON"),
    ("[1]", "line 2 is no suspect"),
    ('{"kind": "video"}', "line 2 is no suspect"),
    ('{"crop_id": "a0-0", "text": "A man."}', "line 2 is no suspect"),
    ('{"kind": "text", "crop_id": "a0-0"}', "line 2 is no suspect: `text`"),
    ('{"kind": "text", "crop_id": 7, "text": "A man."}', "line 2 is no suspect: `crop_id`"),
    ('{"kind": "text", "crop_id": "", "text": "A man."}', "line 2 is no suspect: `crop_id`"),
    ('{"kind": "crop", "crop_id": "a0-0"}', "line 2 is no suspect: `nearest_crop_id`"),
    ('{"kind": "text", "crop_id": "\\ud800", "text": "A man."}', "line 2 is no suspect"),
    ('{"kind": "a\\nb"}', "line 2 is no suspect: `kind`"),
    ('{"kind": "' + "x" * 100_000 + '"}', "line 2 is no suspect: `kind`"),
    ("[" * 100_000, "line 2 is no JSON"),
]


@pytest.mark.parametrize(("line", "said"), BAD, ids=[line[:40] for line, _ in BAD])
def test_a_line_that_is_no_suspect_is_named_in_one_line(tmp_path, line, said):
    path = tmp_path / "noise.jsonl"
    path.write_text(f"{json.dumps(text_line('a0-0', 'A man.'))}\n{line}\n")
    with pytest.raises(KitError, match=said) as told_of:
        read_suspects(path)
    assert "\n" not in told_of.value.problem and str(path) in told_of.value.problem
    assert len(told_of.value.problem) < len(str(path)) + 200
    assert "evaluate CHECKPOINT RELEASE --noise" in told_of.value.mend


@pytest.mark.parametrize("name", ["none.jsonl", "."])
def test_a_list_that_is_not_there_is_one_line(tmp_path, name):
    with pytest.raises(KitError, match="cannot read"):
        read_suspects(tmp_path / name)


# --- crops --------------------------------------------------------------------------------------------------------------


def strips_and_pairs(items):
    strips = [item for item in items if "other_person_id" not in item.about]
    return {item.about["person_id"]: item for item in strips}, [item for item in items if item not in strips]


def test_a_suspect_crop_is_asked_about_on_its_strip_and_its_person_beside_the_nearest_other(tmp_path):
    work = make_work(tmp_path / "work", PEOPLE)
    suspects = listed(tmp_path, crop_line("a1-2", "b2-1"), crop_line("b2-0", "a1-2"), crop_line("a1-1", "b2-1"))
    found = review.doubted(work, "c", TABLE, suspects)
    strips, pairs = strips_and_pairs(found.items)
    regular, _ = strips_and_pairs(review.items(work, "c", TABLE))
    assert strips == {person: regular[person] for person in ("a1", "b2")}
    (pair,) = pairs
    assert (pair.about["person_id"], pair.about["other_person_id"], pair.shown) == ("a1", "b2", {"first": 3})
    assert pair.pictures == ("a1-2", "a1-1", "a1-0", "b2-1", "b2-0", "b2-2")
    assert found.left_out == {}
    assert review.doubted(work, "c", TABLE, suspects) == found


def test_a_suspect_of_a_long_identity_is_shown_on_one_strip(tmp_path):
    work = make_work(tmp_path / "work", people("ab", 1, 9))
    found = review.doubted(work, "c", CampaignTable(strip=4), listed(tmp_path, crop_line("a0-0", None)))
    assert [item.pictures for item in found.items] == [("a0-0", "a0-1", "a0-2", "a0-3")]
    assert found.left_out == {"nearest crops that are out or of the same person by now": 1}


def test_crops_that_are_not_there_any_more_are_counted(tmp_path):
    work = make_work(tmp_path / "work", PEOPLE, {"a0-0": ["blurred"]})
    decide(work, decision("drop", crop="a1-0"), decision("keep", person="a2", other="b2"))
    suspects = listed(
        tmp_path,
        crop_line("a0-0", "b0-0"),
        crop_line("a1-0", "b0-0"),
        crop_line("zz", "b0-0"),
        crop_line(None, None),
        crop_line("a3-0", "a1-0"),
        crop_line("a2-0", "b2-0"),
        crop_line("a2-1", "a2-2"),
        text_line("a0-0", "A man."),
    )
    found = review.doubted(work, "c", TABLE, suspects)
    strips, pairs = strips_and_pairs(found.items)
    assert (set(strips), pairs) == ({"a3", "a2"}, [])
    assert found.left_out == {
        "out by now": 2, "of crops that this work folder does not know": 2, "decided on by reviewers as a pair": 1,
        "nearest crops that are out or of the same person by now": 2,
        "of texts (`campaign create fix` asks about them)": 1,
    }  # fmt: skip


def frozen(work, name, items, number=0):
    folder = work / "campaigns" / name
    folder.mkdir(parents=True, exist_ok=True)
    write_items(folder / f"items-{number:03d}.jsonl", items)


def test_two_persons_are_set_side_by_side_once_whoever_names_them(tmp_path):
    work = make_work(tmp_path / "work", people("ab", 2, 4))
    chosen = {"similarity": 0.8, "crop_ids": ["a0-1"], "other_crop_ids": ["b0-1"]}
    row = {"person_id": "a0", "other_person_id": "b0", **chosen}
    write(work / "pairs", "part-00000", [row], IdentityPair)
    first = listed(tmp_path, crop_line("a0-2", "b0-0"), crop_line("a1-0", "b1-0"))
    _, pairs = strips_and_pairs(review.doubted(work, "c", TABLE, first).items)
    assert {pair.pictures for pair in pairs} == {("a0-1", "b0-1"), ("a1-0", "a1-1", "a1-2", "b1-0", "b1-1", "b1-2")}
    frozen(work, "c", review.doubted(work, "c", TABLE, first).items)
    other = listed(tmp_path, crop_line("b0-0", "a0-0"), crop_line("b1-2", "a1-3"))
    _, again = strips_and_pairs(review.doubted(work, "c", TABLE, other).items)
    assert {pair.item_key for pair in again} == {pair.item_key for pair in pairs}
    named = {**row, "person_id": "b1", "other_person_id": "a1", "crop_ids": ["b1-1"], "other_crop_ids": ["a1-1"]}
    write(work / "pairs", "part-00001", [named], IdentityPair)
    _, regular = strips_and_pairs(review.items(work, "c", TABLE))
    assert {pair.item_key for pair in regular} == {pair.item_key for pair in pairs}, (
        "also when the filter names them later"
    )


# --- the command --------------------------------------------------------------------------------------------------------


@pytest.mark.full
def test_a_list_goes_to_people_and_what_they_leave_as_it_is_is_not_asked_again(spoken, tmp_path):
    work = spoken.folder.parents[1]
    for path in (*spoken.folder.glob("items-*"), spoken.folder / "campaign.json"):
        path.unlink()  # texts that came by file: the server has asked nothing yet
    spoken.folder.joinpath("ledger/pull.jsonl").unlink()
    for n, crop in enumerate(("a0-0", "a1-0", "b0-0")):
        spoken.by_file(crop, "writer-001", told(5 * n))
    lines = (text_line("a1-0", told(5)), text_line("a0-0", "Nobody's words."), crop_line("a1-1", "b2-0"))
    noise = write_list(tmp_path / "noise.jsonl", *lines)
    with FakeStudio() as studio:
        env = {"UFINE_LS_URL": studio.url, "LABEL_STUDIO_API_KEY": TOKEN}

        def run(*words, code=0):
            ran = run_cli("campaign", *words, "--work", work, "--json", **env)
            assert ran.code == code, ran.err
            return ran

        held = snapshot(work)
        bad = tmp_path / "bad.jsonl"
        bad.write_text(noise.read_text() + "{}\n")
        assert "bad.jsonl` line 4 is no suspect" in run("create", "fix", "c", "--noise", bad, code=2).err
        assert "fix or review" in run("create", "describe", "c", "--noise", noise, code=2).err
        told_of = run("create", "fix", "c", "--noise", noise, "--dry-run")
        assert told_of.json["projects"] == [{"face": "fix", "seat": None, "tasks": 1}]
        assert "1 of another campaign" in told_of.err
        assert (snapshot(work), studio.asked) == (held, [])

        made = run("create", "fix", "c", "--noise", noise).json
        assert (made["added"], made["left_out"]["of another campaign"]) == (1, 1)
        (task,) = studio.tasks.values()
        assert task["data"]["draft"] == told(5)
        value = {"from_name": "text", "to_name": "picture", "type": "textarea", "value": {"text": [told(5)]}}
        studio._post_answer(task["id"], {}, {"result": [value]}, 1)
        run("pull", "c")
        assert run("qc", "c").json["refused"] == 0
        again = run("create", "fix", "c", "--noise", noise).json
        assert (again["added"], again["left_out"]["asked before"]) == (0, 1)
        assert run("create", "fix", "c").json["added"] == 0

        reviewed = run("create", "review", "again", "--noise", noise).json
        assert [one["tasks"] for one in reviewed["projects"]] == [1, 1]
        assert run("create", "review", "again", "--noise", noise).json["added"] == 0
