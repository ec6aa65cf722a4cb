"""What reviewers decide: counted by majority, laid over the verdicts, and refused with a line where it cannot be."""

from __future__ import annotations

import pytest

from release.works import crop, decide, decision, lines, make_work, people, released
from typed import run_cli
from ufine_kit.campaign.close import open_close, plan_close
from ufine_kit.campaign.decisions import open_close_decisions, plan_close_decisions
from ufine_kit.campaign.intake import take_in
from ufine_kit.engine import Job
from ufine_kit.release.build import build, plan_build
from ufine_kit.release.crops import read_crops
from ufine_kit.release.decisions import review
from ufine_kit.release.votes import count_votes
from ufine_kit.tables import ReleaseTable

NOON, LATER = "2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z"


def vote(word: str, who: str, at: str = NOON, **about):
    return decision(word, **(about or {"crop": "c"}), reviewer=who, created_at=at)


VOTES = {
    "one vote": ([vote("drop", "r1")], "drop", False),
    "the majority": ([vote("keep", "r1"), vote("drop", "r2", LATER), vote("keep", "r3")], "keep", True),
    "the later on a tie": ([vote("drop", "r1"), vote("keep", "r2", LATER)], "keep", True),
    "the careful word on a full tie": ([vote("keep", "r1"), vote("drop", "r2")], "drop", True),
    "a reviewer's last word alone": ([vote("drop", "r1"), vote("keep", "r1", LATER)], "keep", False),
    "a split against a keep": ([vote("split", "r1", other="x", crop="c"), vote("keep", "r2", LATER)], "keep", True),
}


@pytest.mark.parametrize(("rows", "word", "disputed"), VOTES.values(), ids=VOTES)
def test_votes_on_a_crop_are_counted(rows, word, disputed):
    for order in (rows, rows[::-1]):
        outcome = count_votes(order).crops["c"]
        assert (outcome.word, outcome.disputed) == (word, disputed)


def test_words_that_unite_stand_together_against_those_that_hold_apart():
    pair = {"person": "p", "other": "q"}
    rows = [
        vote("merge", "r1", **pair),
        vote("same_person", "r2", person="q", other="p"),
        vote("keep", "r3", LATER, **pair),
    ]
    outcome = count_votes(rows).pairs["p", "q"]
    assert (outcome.word, outcome.disputed) == ("same_person", True)
    assert count_votes(rows[2:]).pairs["p", "q"].word == "apart"


def reviewed(tmp_path, *decisions, dropped=None, crops=None, held=()):
    work = make_work(tmp_path / "work", crops or people("ab", 3), dropped)
    found = read_crops(work)
    after = review(found, count_votes(decisions), held)
    stays = {name for name, stay in zip(found.crop_id.to_pylist(), after.stays, strict=True) if stay}
    owner = {name: after.persons[code] for name, code in zip(found.crop_id.to_pylist(), after.person, strict=True)}
    return stays, owner, after


def test_keep_overrides_the_filter_and_drop_takes_out_a_crop_or_a_person(tmp_path):
    stays, _, after = reviewed(
        tmp_path, decision("keep", "a0-0"), decision("keep", "a0-1"), decision("drop", "a1-0"), decision("drop", person="b2"),
        dropped={"a0-0": ["blurred", "few_crops"], "a0-1": ["unreadable"], "a2-0": ["dark"]},
    )  # fmt: skip
    assert stays == {"a0-0", "a1-1", "a2-1", "b0-0", "b0-1", "b1-0", "b1-1"}
    assert after.conflicts == ["crop `a0-1` is to be kept and does not decode: dropped"]
    assert after.counts == {"keep": 2, "drop": 1, "drop identity": 1}


def test_split_crops_become_new_identities_by_their_label(tmp_path):
    crops = people("ab", 1, crops=5)
    _, owner, after = reviewed(
        tmp_path,
        decision("split", "a0-1"),
        decision("split", "a0-2"),
        decision("split", "a0-3", other="child"),
        crops=crops,
    )
    assert [owner[f"a0-{n}"] for n in range(5)] == ["a0", "a0~split", "a0~split", "a0~child", "a0"]
    assert after.conflicts == []


def test_united_identities_take_the_name_that_earlier_versions_know(tmp_path):
    pairs = [decision("same_person", person="a0", other="b0"), decision("merge", person="b0", other="b1")]
    _, owner, after = reviewed(tmp_path, *pairs, held={"b1"})
    assert {owner[f"{person}-0"] for person in ("a0", "b0", "b1")} == {"b1"}
    assert after.members == {"b1": ["a0", "b0", "b1"]}
    assert after.counts["united"] == 2


def side_by_side():
    """Two tracklets that are seen in one video at the same time, and a third in another video."""
    return {
        "a0": [crop("a0-0", "a", "a0", 0), crop("a0-1", "a", "a0", 20)],
        "a1": [crop("a1-0", "a", "a1", 10), crop("a1-1", "a", "a1", 30)],
        "b0": [crop("b0-0", "b", "b0", 0), crop("b0-1", "b", "b0", 20)],
    }


def test_two_in_one_video_at_one_time_are_not_the_same_person_not_even_by_way_of_a_third(tmp_path):
    pairs = [decision("same_person", person="a0", other="a1")]
    _, owner, after = reviewed(tmp_path / "1", *pairs, crops=side_by_side())
    assert owner["a0-0"] != owner["a1-0"]
    assert "in one video at the same time" in after.conflicts[0]
    around = [decision("same_person", person="a0", other="b0"), decision("same_person", person="b0", other="a1")]
    _, owner, after = reviewed(tmp_path / "2", *around, crops=side_by_side())
    assert owner["a0-0"] == owner["b0-0"] != owner["a1-0"]
    assert after.counts == {"united": 1, "union refused": 1}


def test_a_merge_may_unite_two_boxes_of_one_person(tmp_path):
    _, owner, after = reviewed(tmp_path, decision("merge", person="a0", other="a1"), crops=side_by_side())
    assert owner["a0-0"] == owner["a1-0"]
    assert after.conflicts == []


def test_no_union_brings_together_what_a_split_or_a_decision_separated(tmp_path):
    merges = [decision("merge", person=person, other="b0") for person in ("a0", "a0~split", "b1")]
    split = [decision("split", "a0-1"), *merges[:2]]
    _, owner, after = reviewed(tmp_path / "1", *split)
    assert owner["a0-0"] == owner["b0-0"] != owner["a0-1"]
    assert after.conflicts == ["`a0~split` and `b0` are not united: a split separated them"]
    apart = [decision("keep", person="a0", other="b1"), merges[0], merges[2]]
    _, owner, after = reviewed(tmp_path / "2", *apart)
    assert owner["b1-0"] == "b1"
    assert "a decision holds them apart" in after.conflicts[0]


UNKNOWN = [
    (decision("drop", "zz"), "crop `zz`"), (decision("drop", person="zz"), "identity `zz`"),
    (decision("merge", person="a0", other="zz"), "`zz` is not there"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "said"), UNKNOWN)
def test_decisions_on_what_is_gone_are_told_and_passed_over(tmp_path, row, said):
    stays, owner, after = reviewed(tmp_path, row)
    assert len(stays) == 12 and set(owner.values()) == {"a0", "a1", "a2", "b0", "b1", "b2"}
    assert said in after.conflicts[0]


def test_a_release_tells_what_was_decided_and_what_was_refused(tmp_path):
    work = make_work(tmp_path / "work", people("abc", 3), {"a0-0": ["dark"]})
    decide(work, decision("keep", "a0-0"), decision("split", "b0-1"), decision("drop", "zz"))
    manifest = build(work, ReleaseTable())
    rows = released(work / "releases/dataset/0.1.0")
    assert manifest["review"] == {"keep": 1, "split": 1, "unknown": 1}
    assert "a0-0" in rows and rows["b0-1"]["person_id"] == "b0~split" and rows["b0-1"]["split"] == rows["b0-0"]["split"]
    assert any(name.startswith("decisions/demo/") for name in manifest["inputs"])
    assert any("crop `zz`" in line for line in plan_build(work, ReleaseTable(version="next-patch")).left_out())


def told(**changes):
    plain = {"decision": "drop", "crop_id": "a0-0", "reviewer": "Ann Lee", "created_at": NOON}
    return {key: value for key, value in (plain | changes).items() if value is not None}


@pytest.mark.full
def test_decisions_come_in_by_file_and_go_out_with_the_close(tmp_path):
    work = make_work(tmp_path / "work", people("abc", 3))
    pair = told(decision="same_person", crop_id=None, person_id="a1", other_person_id="b1")
    given = lines(tmp_path / "decisions.jsonl", told(), pair)
    for added in (2, 0):
        ran = run_cli("campaign", "pull", "review", "--from", given, "-w", work, "--json")
        assert (ran.code, ran.json["added"]) == (0, added), ran.err
    assert run_cli("build-release", "-w", work).code == 0, "nothing is decided until it is closed"
    closed = run_cli("campaign", "close", "review", "-w", work, "--json")
    assert closed.json["decisions"]["rows"] == 2, closed.err
    assert run_cli("campaign", "status", "review", "-w", work, "--json").json["descriptions"] == 0
    ran = run_cli("build-release", "-w", work, "--version", "next-patch", "--json")
    assert ran.json["review"] == {"drop": 1, "united": 1}
    assert "Ann" not in "".join(path.read_text(errors="replace") for path in work.rglob("*") if path.suffix == ".jsonl")
    late = lines(tmp_path / "late.jsonl", told(crop_id="a0-1"))
    assert run_cli("campaign", "pull", "review", "--from", late, "-w", work).code == 0
    assert "campaign close review" in run_cli("build-release", "-w", work, "--version", "next-patch").err


BAD = [
    (told(crop_id=None), "names neither"), (told(decision="burn"), "`decision`"), (told(crop_id="zz"), "no crop `zz`"),
    (told(decision="merge"), "needs person_id and other_person_id"), (told(reviewer=" "), "`reviewer`"),
    (told(decision="split", crop_id=None, person_id="a0"), "needs the crop_id"), (told(created_at="noon"), "`created_at`"),
    (told(decision="merge", crop_id=None, person_id="a0", other_person_id="a0"), "names one identity twice"),
]  # fmt: skip


def test_a_decision_that_cannot_be_used_is_named_with_its_line(tmp_path):
    given = lines(tmp_path / "bad.jsonl", *(row for row, _ in BAD), told())
    intake = take_in(tmp_path / "campaign", given, {"a0-0"})
    assert intake.added == 1
    for number, ((_, said), refused) in enumerate(zip(BAD, intake.refused, strict=True), 1):
        assert f"line {number}:" in refused and said in refused


def test_a_ledger_closes_into_texts_and_decisions_apart(tmp_path):
    text = {"crop_id": "a0-0", "text": "A man.", "writer": "Bob", "created_at": NOON}
    campaign = tmp_path / "review"
    take_in(campaign, lines(tmp_path / "texts.jsonl", text), {"a0-0"})
    assert plan_close_decisions(campaign)[0] == []
    take_in(campaign, lines(tmp_path / "both.jsonl", text, told()), {"a0-0"})
    job = Job("part-00000", [], {}, plan_close(campaign)[1])
    assert [row["text"] for row in open_close({"refuse": []})(job)] == ["A man."]
    (row,) = open_close_decisions({})(job)
    assert (row["decision"], row["crop_id"], row["reviewer"]) == ("drop", "a0-0", "writer-002")
    assert len(plan_close_decisions(campaign)[0]) == 1
