"""The join by columns: the same rows however parts, texts and batches are cut, words counted by the one rule."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.works import describe, group_videos, make_work, people, released
from typed import snapshot
from ufine_kit.dataset import columns, writer
from ufine_kit.dataset.changes import FILE, changelog
from ufine_kit.dataset.digest import row_digest, row_digests
from ufine_kit.dataset.reader import open_release
from ufine_kit.dataset.schema import release_schema
from ufine_kit.dataset.versions import bumped, resolved
from ufine_kit.errors import KitError
from ufine_kit.release import captions
from ufine_kit.release.build import build, plan_build
from ufine_kit.release.captions import word_counts
from ufine_kit.release.sources import release_sources
from ufine_kit.rows import granularity_of
from ufine_kit.tables import ReleaseTable
from ufine_kit.text.words import count as count_words

pytestmark = pytest.mark.full


@given(st.lists(st.text(st.sampled_from("ab1Z -'_.\n’é人\u0300‑"), max_size=12), max_size=12))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_words_of_many_texts_are_those_of_each(texts):
    assert word_counts(pa.array(texts, pa.string())).tolist() == [count_words(text) for text in texts]
    assert word_counts(pa.array(["lead", *texts], pa.string())[1:]).tolist() == [count_words(text) for text in texts]


@pytest.mark.parametrize(("stretch", "batch"), [(1, 512), (8192, 1), (3, 5)])
def test_rows_are_the_same_however_texts_and_pictures_are_cut(tmp_path, monkeypatch, stretch, batch):
    crops = people("abc", 4)
    work = make_work(tmp_path / "work", crops, {"a0-0": ["dark"], "b1-1": ["blurred"]})
    late = [row for own in crops.values() for row in own][::-3]
    describe(work, ["late. " * 40] * len(late), late, campaign="late")
    monkeypatch.setattr(captions, "STRETCH", stretch)
    monkeypatch.setattr(columns.read_batches, "__defaults__", (None, batch))
    build(work, ReleaseTable())
    rows = released(work / "releases/dataset/0.1.0")
    given = {row["crop_id"]: row for own in crops.values() for row in own}
    assert set(rows) == set(given) - {"a0-0", "b1-1"}
    for name, row in rows.items():
        told = [f"text {n} of {name}." for n in range(2)] + (["late. " * 40] if given[name] in late else [])
        assert row["captions"] == told
        assert [origin["words"] for origin in row["caption_origins"]] == [count_words(text) for text in told]
        assert [o["granularity"] for o in row["caption_origins"]] == [
            granularity_of(count_words(text)) for text in told
        ]
        assert row["image"] == {"bytes": given[name]["image"]["bytes"], "path": f"{name}.jpg"}
        assert row["provenance"]["tracklet"] == row["person_id"] == given[name]["tracklet"]
        assert {key: row["provenance"][key] for key in ("frame", "crop_id")} == {
            "frame": given[name]["frame"],
            "crop_id": name,
        }


def test_two_builds_are_byte_identical_whatever_the_batches(tmp_path, monkeypatch):
    for name, batch in (("one", 512), ("two", 7)):
        monkeypatch.setattr(columns.read_batches, "__defaults__", (None, batch))
        build(make_work(tmp_path / name, people("abcd", 4)), ReleaseTable(shards=2))
    assert snapshot(tmp_path / "one/releases") == snapshot(tmp_path / "two/releases")


def test_digests_by_columns_are_those_of_the_rows(tmp_path):
    build(make_work(tmp_path / "work", people("abc", 2)), ReleaseTable())
    rows = list(released(tmp_path / "work/releases/dataset/0.1.0").values())
    rows[0] |= {"captions": ['a "quoted" \\ line\nnext\u2028人\x7f', ""], "person_id": "é/~"}
    rows[1]["provenance"] = dict.fromkeys(rows[1]["provenance"])
    rows[2] |= {"captions": [], "caption_origins": []}
    rows[3]["provenance"]["box_xywh"] = [1e-7, 1e16, 0.1, -0.0]
    batch = pa.RecordBatch.from_pylist(rows, schema=release_schema())
    assert row_digests(batch) == [row_digest(row) for row in rows]
    assert row_digests(batch.slice(2, 3)) == [row_digest(row) for row in rows[2:5]]
    rows[0]["provenance"]["box_xywh"] = [float("nan")] * 4
    with pytest.raises(ValueError, match="no number"):
        row_digests(pa.RecordBatch.from_pylist(rows, schema=release_schema()))


@pytest.mark.parametrize(("shards", "rows"), [(1, 512), (8, 512), (16, 256), (60, 64), (500, 64)])
def test_many_files_hold_smaller_groups_so_that_memory_stays(shards, rows):
    assert writer.group_rows(shards) == rows


def test_a_crop_planned_in_two_parts_is_one_line(tmp_path):
    crops = people("abc", 2)
    crops["c0"].append(crops["a0"][0] | {"video": "c.mp4"})
    with pytest.raises(KitError, match="image `a0-0` comes twice"):
        build(make_work(tmp_path / "work", crops), ReleaseTable())


def test_sources_are_counted_by_their_terms(tmp_path):
    work = make_work(tmp_path / "work", people("abc", 2))
    group_videos(work, {"a": "", "b": ""})
    sources = build(work, ReleaseTable())["sources"]
    told = [(entry["licence"], entry["redistribution"], entry["videos"], entry["images"]) for entry in sources]
    assert told == [("cc-by-4.0", True, 2, 8), ("other", None, 1, 4)]
    assert {entry["source"] for entry in sources} == {"own"}
    assert open_release(work / "releases/dataset/0.1.0").manifest["sources"] == sources


@pytest.mark.parametrize(
    ("word", "licence", "told"),
    [("yes", "other", True), ("no", "cc-by-4.0", False), ("", "other", None), ("", "CC-BY-4.0", True)],
)
def test_a_source_may_say_whether_it_is_passed_on(word, licence, told):
    recorded = {"v": {"licence": licence, "consent_basis": "signed", "date": "2026", "redistribution": word}}
    (entry,) = release_sources({"v": 3}, recorded, "own", "other", synthetic=False)
    assert (entry["redistribution"], entry["images"]) == (told, 3)


def test_the_number_of_files_is_fixed_within_a_major_version(tmp_path):
    work = make_work(tmp_path / "work", people("abc", 2))
    build(work, ReleaseTable(shards=2))
    with pytest.raises(KitError, match="`shards` 3, but") as caught:
        plan_build(work, ReleaseTable(shards=3, version="next-patch"))
    assert "release.shards=2" in caught.value.mend
    assert build(work, ReleaseTable(shards=3, version="next-major"))["version"] == "1.0.0"


def test_the_next_version_is_proposed_and_named(tmp_path):
    work = make_work(tmp_path / "work", people("abc", 2))
    assert plan_build(work, ReleaseTable(version="next-minor")).table.version == "0.1.0"
    build(work, ReleaseTable())
    with pytest.raises(KitError, match="never changes") as caught:
        plan_build(work, ReleaseTable())
    assert "0.1.1 (next-patch), 0.2.0 (next-minor), 1.0.0 (next-major)" in caught.value.mend
    (work / "releases/dataset/0.10.0").mkdir()
    (work / "releases/dataset/0.10.0/release.json").write_text("{}")
    assert resolved(work / "releases/dataset", "next-patch") == "0.10.1"
    assert bumped("1.2.3", "minor") == "1.3.0"


def test_a_changelog_counts_what_changed_and_carries_all_entries_on(tmp_path):
    crops = people("abc", 3)
    first = make_work(tmp_path / "one", {name: own for name, own in crops.items() if name != "c2"})
    build(first, ReleaseTable())
    second = make_work(tmp_path / "two", {name: own for name, own in crops.items() if name != "b0"}, {"a1-1": ["dark"]})
    describe(second, ["one more."], [crops["a0"][0]], campaign="more")
    (second / "releases").mkdir()
    (first / "releases/dataset").rename(second / "releases/dataset")
    manifest = build(second, ReleaseTable(version="next-minor", license="cc-by-4.0"))
    assert manifest["changes"] == [
        "1 identity added", "1 identity removed", "2 images added", "3 images removed", "1 image with other captions",
        'recipe: license "other" -> "cc-by-4.0"',
    ]  # fmt: skip
    text = (second / "releases/dataset/0.2.0" / FILE).read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["0.2.0", "0.1.0"]
    assert text.endswith((second / "releases/dataset/0.1.0" / FILE).read_text().split("\n", 2)[2])


def test_what_people_typed_is_no_markup_in_a_changelog():
    line = "<script>alert(1)</script> [x](http://e) **b** `c` | # d\nnext"
    entry = changelog(None, "0.1.0", [line]).splitlines()[-1]
    assert not set(entry[2:]) & set("<>[]*`|!") and "next" in entry


def test_a_column_that_is_damaged_is_one_line(tmp_path):
    work = make_work(tmp_path / "work", people("abc", 2))
    part = work / "filter/part-00000.parquet"
    part.write_bytes(b"x" * part.stat().st_size)
    with pytest.raises(KitError, match="cannot read"):
        plan_build(work, ReleaseTable())


def test_a_group_of_videos_is_read_from_the_sources(tmp_path):
    from ufine_kit.extract.sources import read_sources

    head = "video,url,licence,consent_basis,date"
    for text, group in (
        (f"{head},group\na.mp4,,cc-by-4.0,signed,2026, hall \n", "hall"),
        (f"{head}\na.mp4,,cc0-1.0,drawn,2026\n", ""),
    ):
        (tmp_path / "sources.csv").write_text(text)
        assert [source.group for source in read_sources(tmp_path / "sources.csv")] == [group]
