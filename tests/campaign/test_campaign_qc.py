"""Texts judged with what a campaign knows: whose a crop is, known answers, what everybody writes first; and what is told."""

from __future__ import annotations

import json

import pytest

from campaign.spoken import Spoken, describe, told
from ufine_kit.campaign.close import open_close, plan_close
from ufine_kit.campaign.plain import SAID, message
from ufine_kit.campaign.qc import qc, report, to_mend
from ufine_kit.engine import Job
from ufine_kit.tables import CampaignTable
from ufine_kit.text.finding import RULES, finding

PEOPLE = {f"c{n}": f"p{n}" for n in range(9)} | {"c0b": "p0"}
TABLE = CampaignTable()


@pytest.fixture
def spoken(tmp_path):
    made = Spoken(tmp_path)
    made.ask(*describe("c0", "c0b", "c1", "c2"))
    return made


def rules(quality, key: str) -> set[str]:
    return {one.rule for one in quality.findings[key]}


def test_honest_texts_are_accepted_in_the_order_of_their_writing(spoken):
    keys = [
        spoken.answer(crop, who, told(n)) for n, (crop, who) in enumerate([("c0", "ann"), ("c1", "bob"), ("c2", "ann")])
    ]
    quality = qc(spoken.folder, TABLE, PEOPLE)
    assert [text.description_id for text in quality.accepted] == keys
    assert quality.failed == []


def test_the_same_words_on_two_crops_of_one_person_are_no_copy_but_on_another_person_they_are(spoken):
    spoken.answer("c0", "ann", told(0))
    same = spoken.answer("c0b", "ann", told(0))
    other = spoken.answer("c1", "ann", told(0))
    quality = qc(spoken.folder, TABLE, PEOPLE)
    assert "copy_self" not in rules(quality, same)
    assert quality.refused == {other: ["copy_self"]}
    assert "copy_self" in qc(spoken.folder, TABLE, {}).refused[same], "without identities every crop is another person"


def test_the_second_text_of_a_crop_must_be_its_writers_own(spoken):
    spoken.answer("c0", "ann", told(0))
    copy = spoken.answer("c0", "bob", told(0).replace("street", "road"))
    assert qc(spoken.folder, TABLE, PEOPLE).refused == {copy: ["copy_pair"]}


def test_a_fix_that_changes_nothing_is_refused_again(spoken):
    from ufine_kit.campaign.items import Item

    parent = spoken.answer("c0", "ann", "Too short.")
    spoken.ask(Item("f", "fix", about={"crop_id": "c0", "parent_id": parent, "draft": "Too short."}))
    fix = spoken.answer("f", "ann", "Too short.", annotation="f")
    assert set(qc(spoken.folder, TABLE, PEOPLE).refused[fix]) == {"too_short", "untouched_draft"}


LIMITS = [
    ({"words_min": 5}, []),
    ({}, ["too_short"]),
    ({"words_max": 5, "words_min": 1}, ["too_long"]),
    ({"refuse": ()}, []),
    ({"refuse": ("language",)}, []),
    ({"refuse": (), "min_words": 20}, ["too_short"]),
    ({"words_min": 1, "min_words": 20}, ["too_short"]),
]


@pytest.mark.parametrize(("table", "against"), LIMITS, ids=str)
def test_the_table_says_what_is_asked_and_what_is_refused(spoken, table, against):
    key = spoken.answer("c0", "ann", "A man in a red coat and black boots walks.")
    assert qc(spoken.folder, CampaignTable(**table), PEOPLE).refused.get(key, []) == against


TRUE = "A man with short brown hair wears a red jacket, blue jeans and white sneakers. He carries a black backpack."
POTS = [
    (TRUE, True),
    (TRUE.replace("He carries a black backpack.", "The street is wide."), True),
    (TRUE.replace("red", "green"), True),
    (TRUE.replace("red", "green").replace("blue", "white").replace("A man", "A woman").replace("He", "She"), False),
]


@pytest.mark.parametrize(("text", "passed"), POTS, ids=lambda value: str(value)[:40])
def test_a_known_answer_is_contradicted_by_what_is_wrong_and_not_by_what_is_left_out(spoken, text, passed):
    spoken.ask(*describe("c5", role="honeypot", trusted=TRUE))
    key = spoken.answer("c5", "ann", text)
    quality = qc(spoken.folder, CampaignTable(words_min=5), PEOPLE)
    assert [one.passed for one in quality.honeypots] == [passed], quality.honeypots
    assert ("honeypot" in rules(quality, key)) is not passed
    assert quality.accepted == []


def test_what_a_fix_round_asks_is_in_plain_words_without_ids(spoken):
    spoken.answer("c0", "ann", told(0))
    copy = spoken.answer("c1", "ann", told(0))
    (line,) = to_mend(qc(spoken.folder, TABLE, PEOPLE))
    assert (line["description_id"], line["crop_id"], line["text"]) == (copy, "c1", told(0))
    assert line["reasons"] == [SAID["copy_self"]]


def test_every_message_is_a_sentence_and_repeats_no_personal_data_and_no_id():
    for rule in RULES:
        said = message(finding(rule, (), "colour: `red` here, `blue` in `0123456789abcdef0123` of bob@example.org"))
        assert said[0].isupper() and said[-1] in ".)?", said
        if rule in SAID:
            assert "0123456789" not in said and "bob@" not in said


def test_the_result_is_the_same_every_time_and_plain_data(spoken):
    for n in range(6):
        spoken.answer(f"c{n % 3}", f"w{n // 3}", told(n))
    spoken.answer("c0", "w9", "asdf asdf")
    first, second = (report(qc(spoken.folder, TABLE, PEOPLE), TABLE) for _ in range(2))
    assert json.dumps(first) == json.dumps(second)
    assert first["words"]["asked"] == 80.8


def closed(spoken, **table) -> tuple[list[dict], dict]:
    job = Job("part-00000", [], {}, plan_close(spoken.folder)[1])
    return list(open_close(table)(job)), dict(job.said.reasons)


def test_closing_holds_back_what_is_refused_by_reason_and_keeps_the_rest_with_its_checks(spoken):
    good = spoken.answer("c0", "ann", told(0), lead_seconds=3.0)
    spoken.answer("c1", "ann", "Too short.")
    rows, reasons = closed(spoken)
    assert [(row["description_id"], row["origin"], row["checks"]) for row in rows] == [(good, "human", ["too_fast"])]
    assert reasons == {"too_short": 1}
    assert len(closed(spoken, refuse=[])[0]) == 2


def test_texts_that_qualify_or_have_known_answers_are_no_rows_of_a_release(spoken):
    spoken.ask(*describe("q", role="qualify"), *describe("h", role="honeypot", trusted=TRUE))
    spoken.answer("q", "ann", told(0))
    spoken.answer("h", "ann", told(5))
    kept = spoken.answer("c0", "ann", told(10))
    assert [row["description_id"] for row in closed(spoken)[0]] == [kept]


def test_a_mended_text_names_its_parent(spoken):
    from ufine_kit.campaign.items import Item

    parent = spoken.answer("c0", "ann", "Too short.")
    spoken.ask(Item("f", "fix", about={"crop_id": "c0", "parent_id": parent, "draft": "Too short."}))
    spoken.answer("f", "bob", told(0))
    assert [row["parent_id"] for row in closed(spoken)[0]] == [parent]


def test_what_changes_the_judgement_changes_the_parts_inputs(spoken):
    spoken.answer("c0", "ann", told(0))
    (before,), _ = plan_close(spoken.folder)
    spoken.ask(*describe("c3"))
    (after,), _ = plan_close(spoken.folder)
    assert before.inputs != after.inputs


def test_a_misspelt_rule_is_refused_and_lets_nothing_pass(spoken):
    from ufine_kit.errors import KitError

    spoken.answer("c0", "ann", told(0))
    with pytest.raises(KitError, match="names no rule `too_shrt`"):
        closed(spoken, refuse=["too_shrt"])
