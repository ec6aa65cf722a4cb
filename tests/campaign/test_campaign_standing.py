"""Who stands of all that was said: one word a person and item, nobody else's, never more people than were asked."""

from __future__ import annotations

import numpy as np
import pytest

from campaign.spoken import Spoken, describe, told
from ufine_kit.campaign.items import Item
from ufine_kit.campaign.standing import standing
from ufine_kit.errors import KitError
from ufine_kit.tables import CampaignTable

TABLE = CampaignTable()


@pytest.fixture
def spoken(tmp_path):
    made = Spoken(tmp_path)
    made.ask(*describe("c1", "c2"))
    return made


def texts(spoken, **table) -> list[str]:
    return [text.text for text in standing(spoken.folder, CampaignTable(**table)).texts]


def aside(spoken, **table) -> dict[str, set[str]]:
    return {text.text: set(text.flags) for text in standing(spoken.folder, CampaignTable(**table)).aside}


def test_the_last_version_by_its_author_stands_and_earlier_ones_are_kept_beside_it(spoken):
    spoken.answer("c1", "ann", "first")
    key = spoken.answer("c1", "ann", "second", created_at="2026-01-01T10:01:00Z")
    (text,) = standing(spoken.folder, TABLE).texts
    assert (text.text, text.description_id, text.crop_id, text.created_at) == (
        "second",
        key,
        "c1",
        "2026-01-01T10:01:00Z",
    )
    assert aside(spoken) == {"first": {"superseded"}}


def test_another_users_words_on_an_annotation_never_stand(spoken):
    spoken.answer("c1", "ann", "mine")
    spoken.answer("c1", "ann", "not mine", by="bob")
    assert texts(spoken) == ["mine"]
    assert aside(spoken) == {"not mine": {"tampered"}}
    spoken.answer("c1", "ann", "mine again")
    assert texts(spoken) == ["mine again"]


def test_an_annotation_that_only_another_user_wrote_gives_no_text(spoken):
    spoken.answer("c1", "ann", "not mine", by="bob")
    assert texts(spoken) == []


@pytest.mark.parametrize("task", [False, True])
def test_what_was_deleted_on_the_server_stands_until_the_table_says_otherwise(spoken, task):
    spoken.answer("c1", "ann", "kept here")
    spoken.gone("c1", "ann", task=task)
    (text,) = standing(spoken.folder, TABLE).texts
    assert text.flags == {"deleted"}
    assert texts(spoken, deleted="drop") == []
    assert aside(spoken, deleted="drop") == {"kept here": {"deleted"}}


def test_what_came_back_after_it_was_gone_is_not_deleted(spoken):
    spoken.answer("c1", "ann", "once")
    spoken.gone("c1", "ann")
    spoken.answer("c1", "ann", "again")
    (text,) = standing(spoken.folder, TABLE).texts
    assert (text.text, text.flags) == ("again", frozenset())


def test_what_is_there_again_unchanged_is_not_deleted_and_keeps_its_id(spoken):
    key = spoken.answer("c1", "ann", "once")
    (text,) = standing(spoken.folder, TABLE).texts
    spoken.gone("c1", "ann")
    back = {"created_at": text.created_at, "updated_at": text.updated_at, "returned": spoken.now()}
    spoken.answer("c1", "ann", "once", **back)
    found = standing(spoken.folder, TABLE)
    assert [(text.description_id, text.flags) for text in found.texts] == [(key, frozenset())]
    assert found.aside == []


def test_of_two_annotations_by_one_writer_the_newest_stands(spoken):
    spoken.answer("c1", "ann", "old", annotation="a")
    spoken.answer("c1", "ann", "new", annotation="b")
    assert texts(spoken) == ["new"]
    assert aside(spoken) == {"old": {"superseded"}}


def test_of_two_annotations_by_one_writer_that_on_the_server_goes_before_the_deleted_one(spoken):
    spoken.answer("c1", "ann", "stays", annotation="a")
    spoken.answer("c1", "ann", "withdrawn", annotation="b")
    spoken.gone("c1", "ann", annotation="b")
    assert texts(spoken) == ["stays"]


def test_more_people_than_were_asked_are_surplus_in_order_of_their_coming(spoken):
    spoken.answer("c1", "cid", "third", at="2026-01-03T00:00:00Z")
    spoken.answer("c1", "ann", "first", at="2026-01-01T00:00:00Z")
    spoken.answer("c1", "bob", "second", at="2026-01-02T00:00:00Z")
    assert texts(spoken) == ["first", "second"]
    assert aside(spoken) == {"third": {"surplus"}}


def test_a_deleted_text_makes_room_for_another_persons(spoken):
    for who in ("ann", "bob", "cid"):
        spoken.answer("c1", who, who)
    spoken.gone("c1", "ann")
    assert texts(spoken) == ["bob", "cid"]
    assert aside(spoken) == {"ann": {"deleted", "surplus"}}


def test_skips_are_counted_and_leave_room(spoken):
    spoken.answer("c1", "ann", {"text": None, "skip_reason": "too dark"}, skipped=True)
    spoken.answer("c1", "bob", "one")
    spoken.answer("c1", "cid", "two")
    found = standing(spoken.folder, TABLE)
    assert [text.text for text in found.texts] == ["one", "two"]
    assert [(skip.writer, skip.reason) for skip in found.skips] == [("ann", "too dark")]


def test_a_skip_never_takes_the_place_of_words(spoken):
    spoken.answer("c1", "ann", "words", annotation="a")
    spoken.answer("c1", "ann", {"text": None}, annotation="b", skipped=True)
    assert texts(spoken) == ["words"]


def fix_of(parent: str, key: str = "f1") -> Item:
    return Item(
        item_key=key, kind="fix", pictures=("c1",), about={"crop_id": "c1", "parent_id": parent, "draft": "bad"}
    )


def test_a_fix_takes_the_place_of_its_parent_and_names_it(spoken):
    parent = spoken.answer("c1", "ann", "bad")
    spoken.ask(fix_of(parent))
    spoken.answer("f1", "bob", "good")
    (text,) = standing(spoken.folder, TABLE).texts
    assert (text.text, text.parent_id, text.draft, text.crop_id) == ("good", parent, "bad", "c1")
    assert aside(spoken) == {"bad": {"replaced"}}


def test_a_fix_of_a_fix_and_a_second_fix_leave_one_text(spoken):
    parent = spoken.by_file("c1", "ann", "bad")
    spoken.ask(fix_of(parent))
    first = spoken.answer("f1", "bob", "better")
    spoken.ask(fix_of(first, "f2"), fix_of(parent, "f3"))
    spoken.answer("f2", "ann", "good")
    assert texts(spoken) == ["good"]
    spoken.answer("f3", "cid", "best")
    assert texts(spoken) == ["best"]


def test_a_text_that_its_writer_sent_again_after_the_fix_is_not_replaced(spoken):
    parent = spoken.answer("c1", "ann", "bad")
    spoken.ask(fix_of(parent))
    spoken.answer("f1", "bob", "mended")
    spoken.answer("c1", "ann", "mine, anew")
    assert texts(spoken) == ["mine, anew"]


def test_a_fix_also_replaces_a_later_version_that_it_came_after(spoken):
    parent = spoken.answer("c1", "ann", "bad")
    spoken.ask(fix_of(parent))
    spoken.answer("c1", "ann", "bad still")
    spoken.answer("f1", "bob", "good")
    assert texts(spoken) == ["good"]


def test_a_fix_that_was_skipped_leaves_the_parent(spoken):
    parent = spoken.answer("c1", "ann", "bad")
    spoken.ask(fix_of(parent))
    spoken.answer("f1", "bob", {"text": None, "skip_reason": "unclear"}, skipped=True)
    assert texts(spoken) == ["bad"]


def test_everybody_answers_what_qualifies(spoken):
    spoken.ask(*describe("q1", role="qualify"))
    for who in ("ann", "bob", "cid"):
        spoken.answer("q1", who, f"text of {who}")
    found = standing(spoken.folder, TABLE)
    assert [text.role for text in found.texts] == ["qualify"] * 3
    assert found.work == []


def test_texts_by_file_stand_as_they_came_and_decisions_beside_them(spoken):
    spoken.by_file("c1", "ann", told(0))
    spoken.by_file("c1", "ann", told(1))
    spoken.add({"decision": "drop", "crop_id": "c1", "reviewer": "ann"}, "ann", spoken.now())
    found = standing(spoken.folder, TABLE)
    assert [text.text for text in found.texts] == [told(0), told(1)]
    assert [row["decision"] for row in found.decisions] == ["drop"]


def test_a_text_comes_out_of_the_ledger_to_the_byte(spoken):
    odd = "  Schön 人 <b>x</b>\r\nline\t\n"
    spoken.answer("c1", "ann", odd)
    assert texts(spoken) == [odd]


def test_answers_are_understood_without_the_items_file(spoken):
    spoken.answer("c1", "ann", "text")
    (spoken.folder / "items-000.jsonl").unlink()
    (spoken.folder / "campaign.json").unlink()
    (text,) = standing(spoken.folder, TABLE).texts
    assert (text.text, text.crop_id) == ("text", "c1")


def test_a_missing_items_file_is_told_and_lets_nothing_that_is_no_work_through(spoken):
    spoken.ask(*describe("q1", role="qualify"))
    spoken.answer("q1", "ann", "no row of a release")
    (spoken.folder / "items-001.jsonl").unlink()
    with pytest.raises(KitError, match="is missing"):
        standing(spoken.folder, TABLE)


def test_a_known_answer_is_no_work_also_where_all_items_are_lost(spoken):
    spoken.ask(*describe("h1", role="honeypot", trusted="true"))
    spoken.answer("h1", "ann", "text")
    for path in [*spoken.folder.glob("items-*"), spoken.folder / "campaign.json"]:
        path.unlink()
    assert standing(spoken.folder, TABLE).work == []


def test_who_says_it_anew_in_another_annotation_keeps_the_place(spoken):
    for who in ("ann", "bob", "cid"):
        spoken.answer("c1", who, who)
    spoken.answer("c1", "ann", "ann anew", annotation="second")
    assert texts(spoken) == ["bob", "ann anew"]
    assert aside(spoken) == {"ann": {"superseded"}, "cid": {"surplus"}}


def test_who_comes_back_after_a_deletion_does_not_push_out_who_came_since(spoken):
    spoken.answer("c1", "ann", "ann")
    spoken.answer("c1", "bob", "bob")
    spoken.gone("c1", "ann")
    spoken.answer("c1", "cid", "cid")
    spoken.answer("c1", "ann", "ann anew", annotation="second")
    assert texts(spoken) == ["bob", "cid"]


def test_a_fix_of_a_text_that_others_replaced_does_not_stand_beside_them(spoken):
    parent = spoken.answer("c1", "ann", "bad")
    spoken.answer("c1", "bob", "bob")
    spoken.ask(fix_of(parent))
    first = spoken.answer("f1", "dan", "mended")
    spoken.ask(fix_of(first, "f2"))
    spoken.answer("f2", "dan", "mended again")
    assert texts(spoken) == ["bob", "mended again"]
    spoken.gone("c1", "ann")
    spoken.answer("c1", "cid", "cid")
    assert texts(spoken) == ["bob", "cid"]
    assert aside(spoken)["mended again"] == {"surplus"}


def test_two_versions_of_one_moment_are_both_kept(spoken):
    at = "2026-01-01T10:00:00.000000Z"
    for said in ("one", "another"):
        spoken.answer("c1", "ann", said, at=at)
    found = standing(spoken.folder, TABLE)
    assert {text.text for text in [*found.texts, *found.aside]} == {"one", "another"}
    assert len(found.texts) == 1


def test_what_was_missed_and_seen_again_in_one_second_is_there(spoken):
    at = "2026-01-01T10:00:00.000000Z"
    spoken.answer("c1", "ann", "once", at=at)
    spoken.gone("c1", "ann")
    back = {"created_at": at, "updated_at": at, "returned": spoken.last()}
    spoken.answer("c1", "ann", "once", **back)
    (text,) = standing(spoken.folder, TABLE).texts
    assert text.flags == frozenset()


def test_the_order_of_the_ledgers_lines_does_not_matter(spoken):
    spoken.answer("c1", "ann", "first")
    spoken.answer("c1", "ann", "second")
    spoken.answer("c1", "bob", "other")
    spoken.gone("c1", "bob")
    before = standing(spoken.folder, TABLE)
    path = spoken.folder / "ledger/pull.jsonl"
    path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
    assert standing(spoken.folder, TABLE) == before


@pytest.mark.parametrize("seed", (0, 3, 5, 9))
def test_whatever_happens_every_word_is_kept_once_and_no_crop_has_more_than_were_asked(tmp_path, seed):
    rng = np.random.default_rng(seed)
    spoken = Spoken(tmp_path)
    spoken.ask(*describe("c1"))
    said: set[str] = set()
    for n in range(40):
        item, who = rng.choice([*spoken.items]), rng.choice(["ann", "bob", "cid"])
        act = rng.choice(["text", "text", "anew", "tamper", "gone", "skip", "fix"])
        annotation = f"{item}-{who}-{n if act == 'anew' else 0}"
        if act == "gone":
            spoken.gone(item, who, annotation=annotation)
        elif act == "skip":
            spoken.answer(item, who, {"text": None}, annotation=annotation, skipped=True)
        elif act == "fix":
            found = standing(spoken.folder, TABLE) if said else None
            if found and found.texts:
                spoken.ask(fix_of(found.texts[rng.integers(len(found.texts))].description_id, f"f{n}"))
        else:
            said.add(spoken.answer(item, who, f"text {n}", annotation=annotation, by="eve" if act == "tamper" else who))
    found = standing(spoken.folder, TABLE)
    kept = [text.description_id for text in [*found.texts, *found.aside]]
    assert len(kept) == len(set(kept)) and set(kept) == said
    assert len(found.texts) <= 2
    assert not {"tampered", "surplus", "superseded", "replaced"} & {flag for text in found.texts for flag in text.flags}
