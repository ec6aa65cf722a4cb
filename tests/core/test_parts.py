"""Parts: the done mark is written last, bytes depend on rows alone, and what is stale or torn is seen."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import Timeout

from ufine_kit import parts
from ufine_kit.engine import Task, make_part
from ufine_kit.errors import BadInput, KitError
from ufine_kit.parts import Facts, PlanEntry
from ufine_kit.rows import ROWS, Verdict, arrow_schema

VERDICTS = [
    {"crop_id": f"c{i}", "person_id": "p", "kept": i % 2 == 0, "reasons": ["small"] if i % 2 else []} for i in range(5)
]


def verdicts(table):
    return lambda job: iter(VERDICTS)


def broken_video(table):
    def step(job):
        raise BadInput("`a.mp4` is empty", "take it away")

    return step


def task(folder: Path, opener: str = "verdicts", digest: str = "d", **changes) -> Task:
    plain = Task(
        "filter", str(folder), "part-00000", f"{__name__}:{opener}", "verdict", {}, digest, {"in": "1"}, [], {}, {}
    )
    return dataclasses.replace(plain, **changes)


def test_a_part_is_made_once_and_then_found_done(tmp_path):
    first, second = make_part(task(tmp_path)), make_part(task(tmp_path))
    assert (first.outcome, first.rows, dict(first.reasons)) == ("made", 5, {"small": 2})
    assert (second.outcome, second.rows) == ("done", 5)


def test_two_writings_of_the_same_rows_are_byte_identical(tmp_path):
    for name in ("a", "b"):
        make_part(task(tmp_path / name))
    assert (tmp_path / "a/part-00000.parquet").read_bytes() == (tmp_path / "b/part-00000.parquet").read_bytes()


def test_a_part_without_its_json_does_not_exist(tmp_path):
    make_part(task(tmp_path))
    (tmp_path / "part-00000.json").unlink()
    assert parts.read_done(tmp_path, "part-00000") is None
    assert make_part(task(tmp_path)).outcome == "made"


@pytest.mark.parametrize("harm", ["torn json", "cut parquet", "no parquet"])
def test_a_torn_part_is_redone(tmp_path, harm):
    make_part(task(tmp_path))
    whole = (tmp_path / "part-00000.parquet").read_bytes()
    if harm == "torn json":
        mark = tmp_path / "part-00000.json"
        mark.write_bytes(mark.read_bytes()[:50])
    elif harm == "cut parquet":
        (tmp_path / "part-00000.parquet").write_bytes(whole[:-7])
    else:
        (tmp_path / "part-00000.parquet").unlink()
    assert parts.read_done(tmp_path, "part-00000") is None
    assert make_part(task(tmp_path)).outcome == "made"
    assert (tmp_path / "part-00000.parquet").read_bytes() == whole


@pytest.mark.parametrize(
    ("digest", "inputs", "state"),
    [
        ("d", {"in": "1"}, "done"),
        ("other recipe", {"in": "1"}, "stale"),
        ("d", {"in": "2"}, "stale"),
        ("d", {}, "stale"),
    ],
)
def test_a_part_is_stale_when_recipe_or_inputs_differ(tmp_path, digest, inputs, state):
    make_part(task(tmp_path))
    assert parts.state_of(parts.read_done(tmp_path, "part-00000"), digest, inputs) == state


def test_a_bad_input_fails_its_part_and_says_why_in_the_json(tmp_path):
    result = make_part(task(tmp_path, "broken_video"))
    assert (result.outcome, result.error) == ("failed", "`a.mp4` is empty; take it away")
    assert json.loads((tmp_path / "part-00000.json").read_text())["error"] == result.error
    assert not (tmp_path / "part-00000.parquet").exists()
    assert parts.done_parts(tmp_path) == []


def test_the_plan_only_grows_and_keeps_its_numbers(tmp_path):
    entry = PlanEntry("", "one", {"a.mp4": "aa"}, [{"n": 1}])
    parts.append_plan(tmp_path, [entry])
    before = parts.read_plan(tmp_path)
    after = parts.append_plan(tmp_path, [dataclasses.replace(entry, key="two"), entry])
    assert after[:1] == before
    assert [(planned.part, planned.key) for planned in after] == [("part-00000", "one"), ("part-00001", "two")]


def test_a_plan_that_is_no_plan_is_named(tmp_path):
    (tmp_path / "plan.json").write_text('{"parts": [{"wrong": 1}]}')
    with pytest.raises(KitError, match=r"plan\.json` is no plan"):
        parts.read_plan(tmp_path)


def test_attachments_are_written_before_the_done_mark_and_go_with_the_part(tmp_path):
    said = Facts(attachments={"tracks.txt": b"1,1,0,0,5,5\n"})
    parts.write_part(tmp_path, "part-00000", iter(VERDICTS), Verdict, said)
    assert (tmp_path / "part-00000.tracks.txt").read_bytes() == b"1,1,0,0,5,5\n"
    parts.remove_part(tmp_path, "part-00000")
    assert sorted(path.name for path in tmp_path.iterdir()) == []


def test_a_part_held_by_another_worker_is_busy_unless_one_waits(tmp_path):
    with parts.claimed(tmp_path, "part-00000", wait=False) as mine:
        assert mine
        with parts.claimed(tmp_path, "part-00000", wait=False) as second:
            assert not second


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_declared_schema_is_the_written_schema(tmp_path, name):
    parts.write_part(tmp_path, "part-00000", iter(()), ROWS[name], Facts())
    assert pq.read_schema(tmp_path / "part-00000.parquet").equals(arrow_schema(ROWS[name]))


def test_pixels_are_stored_as_they_are_and_texts_are_packed(tmp_path):
    schema = arrow_schema(ROWS["crop"])
    image = {"bytes": bytes(range(256)) * 40, "path": None}
    row = {field.name: "x" if pa.types.is_string(field.type) else 0 for field in schema}
    row |= {"image": image, "box_xywh": [1.0, 2.0, 3.0, 4.0]}
    parts.write_part(tmp_path, "part-00000", [row], ROWS["crop"], Facts())
    group = pq.ParquetFile(tmp_path / "part-00000.parquet").metadata.row_group(0)
    codecs = {group.column(i).path_in_schema: group.column(i).compression for i in range(group.num_columns)}
    assert codecs.pop("image.bytes") == "UNCOMPRESSED"
    assert set(codecs.values()) == {"ZSTD"}
    assert image["bytes"] in (tmp_path / "part-00000.parquet").read_bytes()


def test_a_lock_that_may_not_be_opened_is_one_line_and_one_that_is_held_is_a_timeout(tmp_path, monkeypatch):
    def sealed(*_, **__):
        raise PermissionError(13, "Permission denied", str(tmp_path / ".locks/plan.lock"))

    with parts.lock(tmp_path, "plan"), pytest.raises(Timeout), parts.lock(tmp_path, "plan", 0):
        pass
    monkeypatch.setattr("filelock.FileLock.acquire", sealed)
    with pytest.raises(KitError, match="no right to write") as caught:
        parts.append_plan(tmp_path, [PlanEntry("part-00000", "k", {})])
    assert "--work" in caught.value.mend
