"""Descriptions from a file: refused line by line with a reason, never doubled, and no name of a writer in any artefact."""

from __future__ import annotations

import json
import stat

import pytest

from ufine_kit.campaign.close import open_close, plan_close
from ufine_kit.campaign.intake import campaign_folder, take_in
from ufine_kit.campaign.progress import progress, unknown_words
from ufine_kit.engine import Job
from ufine_kit.errors import KitError
from ufine_kit.ledger import Ledger, read_ledger

CROPS = {"c1", "c2"}


def line(**changes) -> dict:
    plain = {
        "crop_id": "c1", "text": "A man in a red coat.", "writer": "mei.lin@example.org",
        "created_at": "2026-01-01T00:00:00Z", "lead_seconds": 40.5,
    }  # fmt: skip
    return plain | changes


def written(tmp_path, *lines) -> object:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join((entry if isinstance(entry, str) else json.dumps(entry)) + "\n" for entry in lines))
    return path


def test_a_text_comes_out_as_it_went_in(tmp_path):
    odd = 'Schön 人 \u200f <script>alert(1)</script>\r\nsecond line\x00 "quoted" \\n'
    take_in(tmp_path / "c", written(tmp_path, line(text=odd)), CROPS)
    rows = list(open_close({"refuse": []})(Job("part-00000", [], {}, plan_close(tmp_path / "c")[1])))
    assert [row["text"] for row in rows] == [odd]
    assert rows[0]["lead_seconds"] == 40.5


def test_the_same_file_twice_adds_nothing_and_more_lines_add_only_themselves(tmp_path):
    first = take_in(tmp_path / "c", written(tmp_path, line()), CROPS)
    again = take_in(tmp_path / "c", written(tmp_path, line(), line(crop_id="c2")), CROPS)
    assert (first.added, again.added, again.known) == (1, 1, 1)
    assert len(read_ledger(tmp_path / "c/ledger")) == 2


BAD = [
    ("not json", "no JSON"),
    ("[]", "is no JSON object"),
    (line(crop_id="c9"), "no crop `c9`"),
    (line(text=""), "`text`"),
    ({key: value for key, value in line().items() if key != "writer"}, "`writer`"),
    (line(lead_seconds="soon"), "`lead_seconds`"),
    (line(text=["a", "list"]), "`text`"),
    (line(text=" \t"), "`text`"),
    (line(created_at="yesterday"), "`created_at`"),
    (line(created_at="2026-01-01T00:00:00"), "`created_at`"),
    (line(created_at="0001-01-01T00:00:00+14:00"), "`created_at`"),
    (line(created_at="9999-12-31T23:59:59-10:00"), "`created_at`"),
    ({"decision": "drop", "crop_id": "c1", "reviewer": "r", "created_at": "0001-01-01T00:00:00+14:00"}, "`created_at`"),
    (line(text="half a sign \ud800"), "`text`"),
    (line(lead_seconds=-5), "`lead_seconds`"),
    (
        '{"crop_id": "c1", "text": "t", "writer": "w", "created_at": "2026-01-01T00:00:00Z", "lead_seconds": NaN}',
        "`lead_seconds`",
    ),
    ("[" * 100_000, "no JSON"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD, ids=lambda value: str(value)[:30])
def test_a_line_that_cannot_be_used_is_named_and_the_others_are_taken(tmp_path, bad, reason):
    intake = take_in(tmp_path / "c", written(tmp_path, line(), bad, line(crop_id="c2")), CROPS)
    assert intake.added == 2
    (refused,) = intake.refused
    assert "line 2" in refused
    assert reason in refused


def test_writers_become_pseudonyms_and_no_artefact_holds_a_name(tmp_path):
    work = tmp_path / "c"
    take_in(work, written(tmp_path, line(), line(writer="Bob Smith", crop_id="c2")), CROPS)
    take_in(work, written(tmp_path, line(text="Another."), line(writer="Zoe")), CROPS)
    who = {entry["who"] for entry in read_ledger(work / "ledger").values()}
    assert who == {"writer-001", "writer-002", "writer-003"}
    key_file = work / "writers.json"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    for path in work.rglob("*"):
        if path.is_file() and path != key_file:
            content = path.read_bytes().lower()
            assert not any(name in content for name in (b"mei", b"example.org", b"bob", b"smith", b"zoe"))


def test_a_pseudonym_once_given_is_never_given_to_another(tmp_path):
    work = tmp_path / "c"
    take_in(work, written(tmp_path, line(writer="ann"), line(writer="bob", crop_id="c2")), CROPS)
    keys = json.loads((work / "writers.json").read_text())
    (work / "writers.json").write_text(json.dumps({"bob": keys["bob"]}))  # Ann asked to be forgotten
    take_in(work, written(tmp_path, line(writer="cid", text="New.")), CROPS)
    assert json.loads((work / "writers.json").read_text()) == {"bob": "writer-002", "cid": "writer-003"}
    (work / "writers.json").unlink()
    take_in(work, written(tmp_path, line(writer="eve", text="Newer.")), CROPS)
    assert json.loads((work / "writers.json").read_text()) == {"eve": "writer-004"}


def test_times_of_all_zones_are_kept_as_utc(tmp_path):
    take_in(tmp_path / "c", written(tmp_path, line(created_at="2026-01-01T02:00:00+02:00")), CROPS)
    assert [entry["at"] for entry in read_ledger(tmp_path / "c/ledger").values()] == ["2026-01-01T00:00:00Z"]


def test_without_crops_the_mend_is_named(tmp_path):
    with pytest.raises(KitError, match="no crop to describe") as caught:
        take_in(tmp_path / "c", written(tmp_path, line()), set())
    assert "extract-tracklets" in caught.value.mend


def test_progress_counts_texts_crops_and_writers(tmp_path):
    take_in(tmp_path / "c", written(tmp_path, line(), line(text="One two three four.", writer="b")), CROPS)
    found = progress(tmp_path / "c")
    assert (found["descriptions"], found["crops"]) == (2, 1)
    assert [(who["writer"], who["texts"], who["words_mean"]) for who in found["writers"]] == [
        ("writer-001", 1, 6.0),
        ("writer-002", 1, 4.0),
    ]


def test_short_texts_stay_in_the_ledger_and_out_of_the_descriptions(tmp_path):
    take_in(tmp_path / "c", written(tmp_path, line(), line(text="Red.", crop_id="c2")), CROPS)
    job = Job("part-00000", [], {}, plan_close(tmp_path / "c")[1])
    assert len(list(open_close({"min_words": 3, "refuse": []})(job))) == 1
    assert job.said.reasons == {"too_short": 1}
    assert len(read_ledger(tmp_path / "c/ledger")) == 2


def test_a_dry_run_of_the_intake_writes_nothing(tmp_path):
    source = written(tmp_path, line())
    assert take_in(tmp_path / "c", source, CROPS, write=False).added == 1
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "/abs", "x" * 65, "-a"])
def test_a_name_that_is_no_plain_word_is_refused(tmp_path, name):
    with pytest.raises(KitError, match="no campaign name"):
        campaign_folder(tmp_path, name)


def test_words_that_the_lexicon_lacks_are_reported_with_their_counts(tmp_path):
    texts = ["He wears a red zibbledop and a blue coat.", "A green zibbledop, black shoes."]
    take_in(tmp_path / "c", written(tmp_path, *(line(text=text) for text in texts)), CROPS)
    assert unknown_words(tmp_path / "c") == {"zibbledop": 2}


def test_the_pseudonym_of_who_only_changed_others_words_is_never_given_to_another(tmp_path):
    entry = {"key": "k", "who": "writer-001", "version": "0", "at": "2026-01-01T00:00:00Z", "input": "abc/0/all"}
    with Ledger(tmp_path / "c/ledger", "server") as ledger:
        ledger.append({**entry, "row": {"event": "answer", "writer": "writer-001", "by": "writer-002"}})
    take_in(tmp_path / "c", written(tmp_path, line()), CROPS)
    assert set(json.loads((tmp_path / "c/writers.json").read_text()).values()) == {"writer-003"}


def test_two_campaigns_never_give_one_pseudonym_to_two_people(tmp_path):
    first, second = tmp_path / "campaigns/a", tmp_path / "campaigns/b"
    take_in(first, written(tmp_path, line(writer="ann"), line(writer="bob", crop_id="c2")), CROPS)
    (first / "writers.json").unlink()  # nobody needs to be paid any more
    take_in(second, written(tmp_path, line(writer="cid")), CROPS)
    assert json.loads((second / "writers.json").read_text()) == {"cid": "writer-003"}
    take_in(first, written(tmp_path, line(writer="dan", text="Another man in a coat.")), CROPS)
    assert json.loads((first / "writers.json").read_text()) == {"dan": "writer-004"}
