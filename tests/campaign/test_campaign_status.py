"""How far a campaign is and who writes well: counts, forecast, rows of writers, and the page that shows them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from campaign.spoken import Spoken, describe, told
from typed import run_cli
from ufine_kit.campaign.forecast import forecast
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


FORECASTS = [
    ({"2026-01-01": 10, "2026-01-02": 10}, 20, "2026-01-04", "2026-01-04", "2026-01-04"),
    ({"2026-01-01": 10}, 20, "2026-01-03", "2026-01-02", None),
    ({"2026-01-01": 8, "2026-01-02": 12}, 20, "2026-01-04", "2026-01-04", "2026-01-05"),
    ({"2026-01-01": 10, "2026-01-03": 10}, 20, "2026-01-06", "2026-01-05", "2026-01-20"),
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
    from ufine_kit.campaign.items import Item

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
    from ufine_kit.campaign.items import Item

    spoken = Spoken(tmp_path / "work")
    spoken.ask(Item("i", "review", pictures=("p-0", "p-1"), about={"person_id": "p"}))
    words = ["campaign", "close", "c", "-w", tmp_path / "work", "--json"]
    for who in ("ann", "bob"):
        spoken.answer("i", who, {"drop": ["p-0"], "split": [], "keep": True})
    assert run_cli(*words).json["decisions"]["rows"] == 4
    spoken.answer("i", "bob", {"drop": [], "split": ["p-1"], "keep": False})
    spoken.answer("i", "ann", {"drop": [], "split": [], "keep": True})
    assert run_cli(*words).json["decisions"]["rows"] == 0
