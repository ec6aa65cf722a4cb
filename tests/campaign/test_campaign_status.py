"""How far a campaign is and who writes well: counts, forecast, rows of writers, and the page that shows them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html.parser import HTMLParser

import numpy as np
import pytest

from campaign.spoken import Spoken, describe, told
from typed import run_cli
from ufine_kit.campaign.forecast import by_day, forecast
from ufine_kit.campaign.intake import campaign_folder, take_in
from ufine_kit.campaign.items import Item
from ufine_kit.campaign.page import page
from ufine_kit.campaign.progress import glance, progress
from ufine_kit.campaign.qc import qc, report, write_qc
from ufine_kit.campaign.recall import judged_of
from ufine_kit.campaign.writers import shares, type_token_ratio, welch
from ufine_kit.tables import CampaignTable

TABLE = CampaignTable()


@pytest.fixture
def spoken(tmp_path):
    made = Spoken(tmp_path / "work")
    made.ask(*describe(*(f"c{n}" for n in range(6))))
    return made


def test_progress_counts_texts_of_those_wanted_and_crops_that_have_all(spoken):
    spoken.answer("c0", "ann", told(0))
    spoken.answer("c0", "bob", told(5))
    spoken.answer("c1", "ann", told(10))
    spoken.answer("c2", "ann", "Too short.")
    found = progress(spoken.folder, TABLE, {})
    told_of = {
        key: found[key] for key in ("descriptions", "crops", "accepted", "refused", "wanted", "crops_done", "rules")
    }
    assert told_of == {
        "descriptions": 4, "crops": 3, "accepted": 3, "refused": 1, "wanted": 12, "crops_done": 1, "rules": {"too_short": 1},
    }  # fmt: skip
    assert found["forecast"]["left"] == 9


def test_texts_by_file_are_counted_and_none_is_wanted(tmp_path):
    spoken = Spoken(tmp_path)
    spoken.by_file("c1", "ann", told(0))
    found = progress(spoken.folder, TABLE, {})
    assert (found["descriptions"], found["wanted"], found["crops_done"], found["forecast"]) == (1, None, None, None)


def test_a_writers_row_holds_what_a_manager_asks(spoken):
    spoken.ask(*describe("q0", "q1", role="qualify"))
    spoken.answer("q0", "ann", told(1))
    spoken.answer("q1", "ann", told(6))
    spoken.answer("q0", "bob", "Short.")
    spoken.answer("q1", "bob", "Short too.")
    spoken.answer("q0", "cid", told(3))
    spoken.answer("c0", "ann", told(0), lead_seconds=60.0)
    spoken.answer("c1", "ann", told(0), lead_seconds=120.0)
    spoken.answer("c2", "ann", {"text": None, "skip_reason": "too dark"}, skipped=True)
    rows = {row["writer"]: row for row in progress(spoken.folder, TABLE, {"c0": "p0", "c1": "p1"})["writers"]}
    ann = rows["ann"]
    assert (ann["texts"], ann["accepted"], ann["copies"], ann["skips"]) == (2, 1, 1, {"too dark": 1})
    words = len(told(0).replace("-", " ").split())
    assert ann["words_mean"] == words and ann["words_sd"] == 0
    assert ann["words_a_minute"] == round((words + words / 2) / 2, 1)
    assert [rows[who]["qualified"]["passed"] for who in ("ann", "bob", "cid")] == [True, False, None]


def test_variety_does_not_fall_with_length_and_is_what_the_definition_says():
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in rng.integers(0, 60, 120)]
    windows = [len(set(words[at : at + 50])) / 50 for at in range(71)]
    assert type_token_ratio([" ".join(words)]) == pytest.approx(np.mean(windows))
    assert type_token_ratio(["too short to say"]) is None
    long, short = (type_token_ratio([" ".join(f"w{n}" for n in rng.integers(0, 60, size))]) for size in (4000, 200))
    assert long == pytest.approx(short, abs=0.05)


def test_drift_is_told_where_chance_is_unlikely_and_nothing_where_texts_are_few():
    rng = np.random.default_rng(1)
    high, low = rng.normal(80, 10, 30).tolist(), rng.normal(55, 10, 30).tolist()
    assert welch(high, low)["p"] < 1e-6
    assert welch(high[:15], high[15:])["p"] > 0.05
    assert welch(high[:9], low) is None
    assert shares([1.0] * 30, [1.0] * 10 + [0.0] * 20)["p"] < 1e-4
    assert shares([1.0] * 30, [1.0] * 30)["p"] == 1.0


def test_a_writer_who_gets_shorter_is_told(spoken):
    spoken.ask(*describe(*(f"d{n}" for n in range(60))))
    rng = np.random.default_rng(2)
    for n in range(60):
        extra = " ".join(f"word{m}" for m in rng.integers(0, 999, 40 if n < 30 else 5))
        spoken.answer(f"d{n}", "ann", f"{told(n)} {extra}.")
    (ann,) = progress(spoken.folder, TABLE, {})["writers"]
    assert ann["drift"]["words"]["drifts"]
    assert ann["drift"]["words"]["first"] > ann["drift"]["words"]["last"] + 20


def test_status_recalls_the_last_judgement_and_only_of_the_same(spoken, monkeypatch):
    spoken.ask(*describe("h", role="honeypot", trusted=told(0)))
    spoken.answer("c0", "ann", told(0))
    spoken.answer("c1", "ann", told(0))
    spoken.answer("c2", "bob", "Too short.")
    spoken.answer("h", "bob", told(1))
    whose = {f"c{n}": f"p{n}" for n in range(6)}
    fresh = progress(spoken.folder, TABLE, whose)
    quality = qc(spoken.folder, TABLE, whose)
    write_qc(spoken.folder, report(quality, TABLE) | {"of": judged_of(quality.standing, TABLE, whose)})
    monkeypatch.setattr("ufine_kit.campaign.recall.judged", lambda *_: pytest.fail("judged again"))
    assert progress(spoken.folder, TABLE, whose) == fresh
    kept = (spoken.folder / "qc.json").read_text()
    (spoken.folder / "qc.json").write_text(kept.replace('"rule"', '"rules"'))
    with pytest.raises(pytest.fail.Exception, match="judged again"):
        progress(spoken.folder, TABLE, whose)
    (spoken.folder / "qc.json").write_text(kept)
    for table, people, more in (
        (TABLE, whose | {"c1": "p0"}, False), (CampaignTable(words_min=1), whose, False), (TABLE, whose, True),
    ):  # fmt: skip
        if more:
            spoken.answer("c3", "ann", told(7))
        with pytest.raises(pytest.fail.Exception, match="judged again"):
            progress(spoken.folder, table, people)


def test_what_is_recalled_names_every_rule_that_held_a_text_back(spoken):
    table = CampaignTable(refuse=("boilerplate",), min_words=20)
    spoken.answer("c0", "ann", "The image shows a man in a red coat.")
    quality = qc(spoken.folder, table, {})
    write_qc(spoken.folder, report(quality, table) | {"of": judged_of(quality.standing, table, {})})
    assert progress(spoken.folder, table, {})["rules"] == dict(quality.reasons()) == {"boilerplate": 1, "too_short": 1}


UNEVEN = dict(zip((f"2026-01-{day:02d}" for day in range(1, 8)), (8, 12, 10, 9, 11, 10, 10), strict=True))
FORECASTS = [
    ({"2026-01-01": 10, "2026-01-02": 10}, 20, "2026-01-04", "2026-01-04", "2026-01-04"),
    ({"2026-01-01": 10}, 20, "2026-01-03", "2026-01-02", None),
    ({"2026-01-01": 8, "2026-01-02": 12}, 20, "2026-01-04", "2026-01-03", None),
    # mean 10, sd 1.291, t 1.943: 100 = 10 x -+ 2.508 sqrt(x + x^2/7) at 8.87 and 11.37 days
    (UNEVEN, 100, "2026-01-17", "2026-01-16", "2026-01-19"),
    ({"9990-01-01": 10}, 20, None, None, None),
]


@pytest.mark.parametrize(("days", "left", "finish", "earliest", "latest"), FORECASTS, ids=str)
def test_the_pace_of_the_last_days_goes_on_with_its_gaps(days, left, finish, earliest, latest):
    found = forecast(days, left)
    assert (found["finish"], found["earliest"], found["latest"]) == (finish, earliest, latest)


def test_old_days_do_not_count_and_nothing_is_forecast_where_nothing_is_left():
    slow = {f"2026-01-{day:02d}": 1 for day in range(1, 10)}
    fast = {f"2026-01-{day:02d}": 100 for day in range(10, 17)}
    assert forecast(slow | fast, 200)["finish"] == "2026-01-18"
    assert forecast(fast, 0) is None
    assert forecast({}, 5) is None


def test_nine_of_ten_campaigns_end_within_the_range():
    rng = np.random.default_rng(4)
    inside = []
    for _ in range(300):
        counts = np.maximum(1, rng.normal(100, 40, 100)).astype(int)
        days = {(date(2026, 1, 1) + timedelta(n)).isoformat(): int(counts[n]) for n in range(7)}
        found = forecast(days, 2000)
        end = date(2026, 1, 7) + timedelta(int(np.searchsorted(np.cumsum(counts[7:]), 2000)) + 1)
        inside.append(found["earliest"] <= end.isoformat() <= (found["latest"] or "9"))
    assert 0.87 < np.mean(inside) < 0.97


def test_a_wrong_clock_does_not_fill_centuries_of_days():
    assert len(by_day(["0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"])) == 5


def test_few_texts_make_drift_no_likelier_by_chance():
    rng = np.random.default_rng(5)
    alarms = [welch(*rng.normal(80, 20, (2, 10)).tolist())["p"] < 0.001 for _ in range(2000)]
    assert np.mean(alarms) < 0.002


def test_speed_is_of_words_that_were_written_and_always_a_number(spoken):
    spoken.by_file("c9", "ann", told(0))
    ledger = spoken.folder / "ledger/pull.jsonl"
    ledger.write_text(ledger.read_text().replace('"lead_seconds":null', '"lead_seconds":1e-320'))
    spoken.ask(Item("f", "fix", about={"crop_id": "c0", "parent_id": "x", "draft": told(4)}))
    spoken.answer("f", "bob", f"{told(4)} Mended.", lead_seconds=2.0)
    rows = {row["writer"]: row for row in progress(spoken.folder, TABLE, {})["writers"]}
    assert rows["ann"]["words_a_minute"] == 60 * rows["ann"]["words_mean"]
    assert rows["bob"]["words_a_minute"] is None


def test_a_text_that_nobody_could_read_covers_nothing(spoken):
    spoken.answer("c0", "ann", "asdf " * 40)
    spoken.answer("c1", "bob", "Short.")
    spoken.answer("c2", "bob", told(0))
    assert [row["coverage"] for row in progress(spoken.folder, TABLE, {})["writers"]] == [None, 1.0]


def test_a_share_that_is_just_met_qualifies(spoken):
    spoken.ask(*describe(*(f"q{n}" for n in range(25)), role="qualify"))
    for n in range(25):
        spoken.answer(f"q{n}", "ann", told(n) if n < 7 else "Short.")
    (ann,) = progress(spoken.folder, CampaignTable(qualify_share=0.28, refuse=("too_short",)), {})["writers"]
    assert ann["qualified"] == {"asked": 25, "given": 25, "accepted": 7, "passed": True}


@pytest.mark.parametrize("said", [None, "Too short."])
def test_a_campaign_without_accepted_texts_has_all_before_it(spoken, said):
    if said:
        spoken.answer("c0", "ann", said)
    found = progress(spoken.folder, TABLE, {})
    assert (found["accepted"], found["wanted"]) == (0, 12)
    assert "12 texts to go, and none is accepted yet." in page("c", found)


def test_a_campaign_of_reviews_asks_for_no_texts(tmp_path):
    spoken = Spoken(tmp_path)
    spoken.ask(Item("i", "review", pictures=("p-0",), about={"person_id": "p"}))
    spoken.answer("i", "ann", {"drop": [], "split": [], "keep": True})
    assert "1 of 2 answers are given; no texts are asked for." in page("c", progress(spoken.folder, TABLE, {}))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def test_the_page_runs_no_script_fetches_nothing_and_escapes_all(spoken):
    spoken.answer("c0", HOSTILE, told(0))
    spoken.answer("c1", HOSTILE, {"text": None, "skip_reason": HOSTILE}, skipped=True)
    written = page(HOSTILE, progress(spoken.folder, TABLE, {}))
    tags = Tags()
    tags.feed(written)
    assert not {tag for tag, _ in tags.seen} & {"script", "img", "iframe", "link", "object", "form", "a"}
    assert not [
        name for _, attrs in tags.seen for name in attrs if name.startswith("on") or name in ("src", "href", "style")
    ]
    (policy,) = [attrs["content"] for tag, attrs in tags.seen if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert {tag for tag, _ in tags.seen} >= {"svg", "table"}


def test_the_page_of_a_campaign_without_any_accepted_text_stands(tmp_path):
    spoken = Spoken(tmp_path)
    spoken.by_file("c1", "ann", "Short.")
    assert "held back" in page("c", progress(spoken.folder, TABLE, {}))


@pytest.mark.full
def test_status_and_qc_speak_on_the_command_line(spoken, tmp_path):
    spoken.answer("c0", "ann", told(0))
    bad = spoken.answer("c1", "ann", "Too short.")
    work = tmp_path / "work"
    ran = run_cli("campaign", "qc", "c", "-w", work)
    assert ran.code == 1 and bad in ran.err and "next: ufine-kit campaign create fix c" in ran.err
    held = (spoken.folder / "qc.json").read_bytes()
    assert run_cli("campaign", "qc", "c", "-w", work, "--json").json["rules"] == {"too_short": 1}
    assert (spoken.folder / "qc.json").read_bytes() == held
    assert run_cli("campaign", "qc", "c", "-w", work, "--set", "campaign.words_min=1", "--dry-run", "--json").code == 0
    assert (spoken.folder / "qc.json").read_bytes() == held
    ran = run_cli("campaign", "status", "c", "-w", work, "--html", tmp_path / "page.html")
    assert ran.code == 0 and "1 accepted of 12 wanted" in ran.out and re.search(r"ann  2 texts", ran.out)
    assert (tmp_path / "page.html").exists()
    (line,) = run_cli("campaign", "status", "-w", work, "--json").json["campaigns"]
    assert line == glance(spoken.folder, TABLE)
    assert run_cli("campaign", "status", "-w", tmp_path / "none").code == 0


@pytest.mark.full
def test_closing_writes_what_people_disagree_on_and_what_they_revised(tmp_path):
    spoken = Spoken(tmp_path / "work")
    spoken.ask(
        Item("i", "review", pictures=("p-0",), about={"person_id": "p"}), Item("r", "revise", about={"rewrite_id": "x"})
    )
    spoken.answer("i", "ann", {"drop": ["p-0"], "split": [], "keep": True})
    spoken.answer("i", "bob", {"drop": [], "split": [], "keep": True})
    spoken.answer("r", "ann", {"decision": "drop", "text": None})
    words = ["campaign", "close", "c", "-w", tmp_path / "work"]
    ran = run_cli(*words)
    assert ran.code == 0, ran.err
    assert f"next: ufine-kit build-3c --revised {spoken.folder / 'revised.jsonl'}" in ran.err
    before = {path.name: path.read_bytes() for path in spoken.folder.glob("*.jsonl")}
    assert {"second_look.jsonl", "revised.jsonl"} <= set(before)
    report = run_cli(*words, "--json").json
    assert (report["second_look"], report["revised"], report["waiting"]) == (1, 1, 0)
    assert {path.name: path.read_bytes() for path in spoken.folder.glob("*.jsonl")} == before


@pytest.mark.full
def test_a_decision_that_holds_no_longer_leaves_the_part(tmp_path):
    spoken = Spoken(tmp_path / "work")
    spoken.ask(Item("i", "review", pictures=("p-0", "p-1"), about={"person_id": "p"}))
    words = ["campaign", "close", "c", "-w", tmp_path / "work", "--json"]
    for who in ("ann", "bob"):
        spoken.answer("i", who, {"drop": ["p-0"], "split": [], "keep": True})
    assert run_cli(*words).json["decisions"]["rows"] == 4
    spoken.answer("i", "bob", {"drop": [], "split": ["p-1"], "keep": False})
    spoken.answer("i", "ann", {"drop": [], "split": [], "keep": True})
    assert run_cli(*words).json["decisions"]["rows"] == 0


@pytest.mark.full
def test_decisions_that_came_by_file_are_counted_where_no_text_is(tmp_path):
    folder = campaign_folder(tmp_path, "review")
    (tmp_path / "d.jsonl").write_text(
        '{"decision": "drop", "crop_id": "c1", "reviewer": "ann", "created_at": "2026-01-01T10:00:00Z"}\n'
    )
    assert take_in(folder, tmp_path / "d.jsonl", {"c1"}).added == 1
    said = run_cli("campaign", "status", "review", "-w", tmp_path).out.splitlines()
    assert "1 decision by file" in said
