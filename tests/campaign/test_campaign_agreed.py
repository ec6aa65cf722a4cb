"""What reviewers and revisers say, on its way to decisions and to `build-3c --revised`."""

from __future__ import annotations

import json

import pytest

from campaign.spoken import Spoken
from ufine_kit.campaign.agreed import agreed
from ufine_kit.campaign.items import Item
from ufine_kit.campaign.revised import revised, write_lines
from ufine_kit.campaign.standing import standing
from ufine_kit.ledger import read_ledger
from ufine_kit.rewrite.people import Word, take_back
from ufine_kit.rows import ReviewDecision
from ufine_kit.tables import CampaignTable

CROPS = ("p-0", "p-1", "p-2")
IDENTITY = Item("i", "review", pictures=CROPS, about={"person_id": "p"})
PAIR = Item("q", "review", pictures=("a-0", "b-0"), about={"person_id": "a", "other_person_id": "b"})


def judge(drop=(), split=(), keep=True, **others) -> dict:
    return {"drop": list(drop), "split": list(split), "keep": keep, "reason": None, **others}


def outcome(tmp_path, item: Item, *answers: dict, overlap: int = 2):
    spoken = Spoken(tmp_path, overlap=overlap)
    spoken.ask(item)
    for number, said in enumerate(answers):
        spoken.answer(item.item_key, f"writer-{number:03d}", said)
    return agreed(standing(spoken.folder, CampaignTable()))


def words(found) -> set[tuple]:
    return {(row["crop_id"] or row["person_id"], row["decision"]) for row in found.rows}


SAYINGS = [
    ("both drop a crop", [judge(["p-1"]), judge(["p-1"])], 2, {("p-1", "drop"), ("p", "keep")}, 0, 0),
    ("one of two drops a crop", [judge(["p-1"]), judge()], 2, {("p", "keep")}, 1, 0),
    ("two of three drop a crop", [judge(["p-1"]), judge(), judge(["p-1"])], 3, {("p-1", "drop"), ("p", "keep")}, 0, 0),
    ("one of three drops a crop", [judge(["p-1"]), judge(), judge()], 3, {("p", "keep")}, 0, 0),
    ("both split a crop", [judge(split=["p-2"]), judge(split=["p-2"])], 2, {("p-2", "split"), ("p", "keep")}, 0, 0),
    ("one drops what the other splits", [judge(["p-2"]), judge(split=["p-2"])], 2, {("p", "keep")}, 1, 0),
    ("both drop the identity", [judge(keep=False), judge(keep=False)], 2, {("p", "drop")}, 0, 0),
    ("one drops the identity", [judge(keep=False), judge()], 2, set(), 1, 0),
    ("one drops a crop, the other all", [judge(["p-1"]), judge(keep=False)], 2, {("p-1", "drop")}, 1, 0),
    ("one of two has answered", [judge(["p-1"])], 2, set(), 0, 1),
    ("the third may still decide", [judge(["p-1"]), judge()], 3, {("p", "keep")}, 0, 1),
    ("one was asked", [judge(["p-1"])], 1, {("p-1", "drop"), ("p", "keep")}, 0, 0),
    ("one said nothing that can be read", [judge(odd="nothing decided"), judge()], 2, set(), 1, 0),
]


@pytest.mark.parametrize(
    ("answers", "overlap", "rows", "second", "waiting"),
    [case[1:] for case in SAYINGS],
    ids=[case[0] for case in SAYINGS],
)
def test_a_decision_on_an_identity_needs_more_than_half(tmp_path, answers, overlap, rows, second, waiting):
    found = outcome(tmp_path, IDENTITY, *answers, overlap=overlap)
    assert (words(found), len(found.second_look), found.waiting) == (rows, second, waiting)
    for row in found.rows:
        ReviewDecision.model_validate(row)


PAIRS = [
    (["same", "same"], {"same_person"}, 0),
    (["different", "different"], {"keep"}, 0),
    (["same", "different"], set(), 1),
    (["unsure", "unsure"], set(), 1),
    (["same", "unsure"], set(), 1),
    ([None, "same"], set(), 1),
]


@pytest.mark.parametrize(("said", "decisions", "second"), PAIRS, ids=str)
def test_a_pair_is_united_or_held_apart_by_both_or_looked_at_again(tmp_path, said, decisions, second):
    found = outcome(tmp_path, PAIR, *({"same": word} for word in said))
    assert {row["decision"] for row in found.rows} == decisions
    assert len(found.second_look) == second
    assert all((row["person_id"], row["other_person_id"]) == ("a", "b") for row in found.rows)


def test_a_disagreement_tells_who_said_what(tmp_path):
    (told,) = outcome(tmp_path, IDENTITY, judge(["p-1"]), judge()).second_look
    assert (told["crop_id"], told["person_id"]) == ("p-1", "p")
    assert told["said"] == {"writer-000": "drop", "writer-001": "stays"}


def test_an_identity_that_one_strip_keeps_and_another_drops_is_looked_at_again(tmp_path):
    spoken = Spoken(tmp_path, overlap=1)
    spoken.ask(IDENTITY, Item("j", "review", pictures=("p-0", "p-3"), about={"person_id": "p"}))
    spoken.answer("i", "ann", judge(["p-1"]))
    spoken.answer("j", "ann", judge(keep=False))
    found = agreed(standing(spoken.folder, CampaignTable()))
    assert words(found) == {("p-1", "drop")}
    assert [line["person_id"] for line in found.second_look] == ["p"]


ALL, SOME = judge(keep=False), judge(["p-0"])
STRIPS = [
    ("one strip drops, the other is not judged", [ALL, ALL], [], {("p", "drop")}, 0, 0),
    ("one strip drops, the other waits", [ALL, ALL], [judge()], set(), 0, 2),
    ("one strip drops, the other disagrees", [ALL, ALL], [ALL, judge()], set(), 1, 1),
    ("both strips drop", [ALL, ALL], [ALL, ALL], {("p", "drop")}, 0, 0),
    ("the shared crop is dropped and split", [SOME, SOME], [judge(split=["p-0"])] * 2, {("p", "keep")}, 1, 0),
    ("a crop goes while the other strip waits", [SOME, SOME], [ALL], {("p-0", "drop"), ("p", "keep")}, 0, 1),
]


@pytest.mark.parametrize(
    ("first", "second", "rows", "torn", "waiting"), [case[1:] for case in STRIPS], ids=[case[0] for case in STRIPS]
)
def test_the_strips_of_an_identity_must_not_deny_each_other(tmp_path, first, second, rows, torn, waiting):
    spoken = Spoken(tmp_path)
    spoken.ask(IDENTITY, Item("j", "review", pictures=("p-0", "p-3"), about={"person_id": "p"}))
    for item, answers in (("i", first), ("j", second)):
        for number, said in enumerate(answers):
            spoken.answer(item, f"writer-{number:03d}", said)
    found = agreed(standing(spoken.folder, CampaignTable()))
    assert (words(found), len(found.second_look), found.waiting) == (rows, torn, waiting)


REWRITES = [
    ("revise", " \n", None, None),
    ("accept", "  ", "accept", None),
    ("accept", None, "accept", None),
    ("accept", "draft", "accept", None),
    ("accept", "changed words", "revise", "changed words"),
    ("revise", "  changed\n", "revise", "  changed\n"),
    ("revise", "draft", "accept", None),
    ("drop", None, "drop", None),
    ("revise", None, None, None),
    (None, None, None, None),
]


@pytest.mark.parametrize(("decision", "text", "word", "out"), REWRITES, ids=str)
def test_answers_to_rewrites_become_lines_that_build_3c_takes(tmp_path, decision, text, word, out):
    spoken = Spoken(tmp_path, overlap=1)
    spoken.ask(Item("r", "revise", about={"rewrite_id": "rw", "draft": "draft"}))
    spoken.answer("r", "writer-001", {"decision": decision, "text": text})
    lines = list(revised(standing(spoken.folder, CampaignTable())))
    assert len(lines) == (word is not None)
    for line in lines:
        found = Word.model_validate(json.loads(json.dumps(line)))
        assert (found.rewrite_id, found.decision, found.text, found.reviser) == ("rw", word, out, "writer-001")


def test_what_build_3c_takes_back_is_what_was_said_of_the_attempt_that_was_shown(tmp_path):
    spoken = Spoken(tmp_path, overlap=1)
    spoken.ask(
        *(
            Item(key, "revise", about={"rewrite_id": key, "of": "first", "draft": f"draft of {key}"})
            for key in ("r1", "r2", "r3")
        )
    )
    spoken.answer("r1", "writer-001", {"decision": "accept", "text": "draft of r1"})
    spoken.answer("r2", "writer-001", {"decision": "accept", "text": "draft of r2"})
    spoken.answer("r3", "writer-001", {"decision": "revise", "text": " other\nwords "})
    write_lines(tmp_path / "revised.jsonl", revised(standing(spoken.folder, CampaignTable())))
    known = {key: {"of": "first", "rewrite": f"draft of {key}"} for key in ("r1", "r2", "r3")}
    known["r2"] = {"of": "second", "rewrite": "words that nobody has seen"}
    (refused,) = take_back(tmp_path / "revised.jsonl", tmp_path / "ledger", known)
    assert "another attempt" in refused
    rows = [entry["row"] for entry in read_ledger(tmp_path / "ledger").values()]
    assert [(row["rewrite_id"], row["text"]) for row in rows] == [("r1", "draft of r1"), ("r3", " other\nwords ")]
    assert take_back(tmp_path / "revised.jsonl", tmp_path / "ledger", known) == [refused]
    assert len(read_ledger(tmp_path / "ledger")) == 2
