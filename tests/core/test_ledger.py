"""Ledgers: nothing that was appended is lost, a torn last line is set aside, entries are joined by key."""

from __future__ import annotations

import json

import pytest

from ufine_kit.errors import KitError
from ufine_kit.ledger import Ledger, read_ledger


def entry(key: str, at: str = "2026-01-01T00:00:00Z", **more) -> dict:
    return {"key": key, "who": "w", "version": "1", "at": at, "input": "i", **more}


def test_what_is_appended_is_read_back_in_order_of_time(tmp_path):
    with Ledger(tmp_path, "pull") as ledger:
        ledger.append(entry("b", "2026-01-02T00:00:00Z"))
        ledger.append(entry("a", "2026-01-01T00:00:00Z"))
    assert list(read_ledger(tmp_path)) == ["a", "b"]


def test_a_torn_last_line_is_set_aside_and_the_rest_stays(tmp_path):
    with Ledger(tmp_path, "pull") as ledger:
        ledger.append(entry("a"))
    path = tmp_path / "pull.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"key":"b","wh')
    assert list(read_ledger(tmp_path)) == ["a"]
    with Ledger(tmp_path, "pull") as ledger:
        ledger.append(entry("c"))
    assert list(read_ledger(tmp_path)) == ["a", "c"]
    assert (tmp_path / "pull.torn").read_bytes() == b'{"key":"b","wh\n'
    assert path.read_bytes().startswith(whole)


def test_a_whole_last_line_that_lost_only_its_newline_is_kept(tmp_path):
    (tmp_path / "pull.jsonl").write_text(json.dumps(entry("a")))
    with Ledger(tmp_path, "pull") as ledger:
        ledger.append(entry("b"))
    assert sorted(read_ledger(tmp_path)) == ["a", "b"]


def test_two_writers_of_one_name_get_two_files(tmp_path):
    with Ledger(tmp_path, "pull") as first, Ledger(tmp_path, "pull") as second:
        first.append(entry("a"))
        second.append(entry("b"))
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == ["pull-2.jsonl", "pull.jsonl"]
    assert sorted(read_ledger(tmp_path)) == ["a", "b"]


def test_one_key_written_twice_is_one_entry_and_the_earlier_stands(tmp_path):
    with Ledger(tmp_path, "one") as ledger:
        ledger.append(entry("a", "2026-01-02T00:00:00Z", text="late"))
    with Ledger(tmp_path, "two") as ledger:
        ledger.append(entry("a", "2026-01-01T00:00:00Z", text="early"))
    assert read_ledger(tmp_path)["a"]["text"] == "early"


@pytest.mark.parametrize(
    ("line", "message"),
    [("not json", "line 1 is no JSON"), ('{"key": "a"}', "line 1 is no ledger entry"), ("[]", "line 1")],
)
def test_a_broken_line_in_the_middle_is_named(tmp_path, line, message):
    (tmp_path / "pull.jsonl").write_text(line + "\n" + json.dumps(entry("a")) + "\n")
    with pytest.raises(KitError, match=message):
        read_ledger(tmp_path)


def test_an_entry_without_its_origin_is_our_own_fault(tmp_path):
    with Ledger(tmp_path, "pull") as ledger, pytest.raises(AssertionError, match="who"):
        ledger.append({"key": "a"})


def test_line_breaks_inside_a_text_stay_inside_one_line(tmp_path):
    text = "first\nsecond\u2028third\r\n\x00end"
    with Ledger(tmp_path, "pull") as ledger:
        ledger.append(entry("a", text=text))
    assert (tmp_path / "pull.jsonl").read_bytes().count(b"\n") == 1
    assert read_ledger(tmp_path)["a"]["text"] == text
