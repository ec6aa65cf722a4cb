"""A release on disk: one digest whatever wrote it, checksums that see every change, splits and shards that nobody moves."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from ufine_kit.dataset.digest import data_digest, row_digest
from ufine_kit.dataset.reader import newest_release, open_release, read_rows, shard_paths, verify
from ufine_kit.dataset.schema import release_schema
from ufine_kit.dataset.splits import assign, draw, freeze, read_splits, shard_of
from ufine_kit.dataset.writer import GROUP_ROWS, write_release
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.manifest import Manifest
from ufine_kit.tables import ReleaseTable, RewriteTable

MANIFEST = {"name": "toy", "version": "0.1.0", "kind": "dataset", "synthetic": True, "recipe": {"license": "cc0-1.0"}}


def row(number: int, person: int, split: str = "train", **changes) -> dict:
    picture = bytes([255, 216, number % 256, person % 256]) * 50
    plain = {
        "image_id": f"i{number:05d}",
        "person_id": f"p{person:04d}",
        "split": split,
        "source": "toy",
        "image": {"bytes": picture, "path": f"i{number:05d}.jpg"},
        "captions": [f"a person number {person}", "naïve ünïcode 人"],
        "caption_origins": [
            {"kind": "human", "writer": "writer-001", "parent": None, "words": 4, "granularity": "coarse", "style": "annotator"}
        ]
        * 2,
        "image_sha256": hashlib.sha256(picture).hexdigest(),
        "width": 48,
        "height": 128,
        "dhash": "00ff00ff00ff00ff",
        "provenance": {
            "crop_id": f"c{number}", "video_sha256": None, "tracklet": "t", "frame": number,
            "box_xywh": [0.1, 2, 3, 4.7], "upstream_id": None,
        },
    }  # fmt: skip
    return plain | changes


ROWS = [row(n, n // 3, ("train", "test", "val")[(n // 3) % 3]) for n in range(60)]


def written(folder, rows=ROWS, shards=3, **more):
    write_release(folder, rows, shards, {**MANIFEST, **more})
    return open_release(folder)


def test_rows_come_back_as_they_went_in(tmp_path):
    release = written(tmp_path / "0.1.0")
    back = {line["image_id"]: line for line in read_rows(release)}
    assert len(back) == len(ROWS)
    for line in ROWS:
        boxes = [back[line["image_id"]].pop("provenance"), dict(line["provenance"])]
        assert boxes[0].pop("box_xywh") == pytest.approx(boxes[1].pop("box_xywh"))
        assert boxes[0] == boxes[1]
        assert back[line["image_id"]] == {name: value for name, value in line.items() if name != "provenance"}


def test_two_writings_are_byte_identical(tmp_path):
    for name in ("a", "b"):
        written(tmp_path / name)
    files = [
        sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*") if path.is_file())
        for name in "ab"
    ]
    assert files[0] == files[1]
    assert all((tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes() for path in files[0])


def test_the_digest_is_that_of_the_rows_and_not_of_the_file_layout(tmp_path):
    few, many = written(tmp_path / "a", shards=1), written(tmp_path / "b", rows=ROWS[::-1], shards=7)
    assert few.data_digest == many.data_digest == data_digest(read_rows(few)) == data_digest(ROWS)


@pytest.mark.parametrize(
    "change",
    [
        {"captions": ["another", "naïve ünïcode 人"]}, {"split": "val"}, {"image_sha256": "0" * 64}, {"dhash": "f" * 16},
        {"person_id": "p9999"}, {"source": "other"}, {"width": 49},
        {"provenance": ROWS[0]["provenance"] | {"box_xywh": [0.2, 2, 3, 4.7]}},
        {"caption_origins": [ROWS[0]["caption_origins"][0] | {"writer": "writer-002"}] * 2},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_any_changed_value_changes_the_digest(change):
    assert row_digest(ROWS[0] | change) != row_digest(ROWS[0])


def test_a_row_left_out_or_doubled_changes_the_digest():
    assert len({data_digest(ROWS), data_digest(ROWS[1:]), data_digest([*ROWS, ROWS[0]])}) == 3


def test_counts_of_the_manifest_are_those_of_the_rows(tmp_path):
    splits = written(tmp_path / "0.1.0").splits
    assert splits["train"] == {"images": 21, "captions": 42, "identities": 7, "sources": {"toy": 21}}
    assert {name: split["images"] for name, split in splits.items()} == {"train": 21, "val": 18, "test": 21}


def test_an_identity_lies_in_one_shard_so_that_a_takedown_changes_one_file(tmp_path):
    whole, less = (
        written(tmp_path / "a"),
        written(tmp_path / "b", rows=[line for line in ROWS if line["person_id"] != "p0003"]),
    )
    sums = [
        dict(line.split("  ")[::-1] for line in (release.path / "SHA256SUMS").read_text().splitlines())
        for release in (whole, less)
    ]
    changed = sorted(name for name in sums[0] if sums[0][name] != sums[1].get(name))
    shard = f"data/train-{shard_of('p0003', 3):05d}-of-00003.parquet"
    assert changed == ["CHANGELOG.md", shard, "release.json"]


def test_a_clean_release_verifies_here_and_with_sha256sum(tmp_path):
    release = written(tmp_path / "0.1.0")
    verify(release)
    assert subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=release.path, check=False).returncode == 0


@pytest.mark.parametrize("harm", ["flipped byte", "missing file", "no sums", "other rows", "damaged picture"])
def test_a_damaged_release_does_not_verify(tmp_path, harm):
    release = written(tmp_path / "0.1.0")
    shard = shard_paths(release)[0]
    if harm == "flipped byte":
        content = bytearray(shard.read_bytes())
        content[len(content) // 2] ^= 1
        shard.write_bytes(content)
    elif harm == "missing file":
        shard.unlink()
    elif harm == "no sums":
        (release.path / "SHA256SUMS").unlink()
    elif harm == "damaged picture":  # with sums and digest that agree
        release = written(tmp_path / "0.2.0", rows=[ROWS[0] | {"image": {"bytes": b"not it", "path": "x.jpg"}}])
    else:  # a whole Parquet file with other rows, and sums that agree with it
        from ufine_kit.dataset.writer import write_sums

        shard.write_bytes(shard_paths(written(tmp_path / "other", rows=ROWS[9:]))[0].read_bytes())
        write_sums(release.path)
    with pytest.raises(KitError) as caught:
        verify(release)
    assert isinstance(caught.value, CheckFailed) or harm == "missing file"


def test_sums_that_point_outside_the_release_are_refused(tmp_path):
    release = written(tmp_path / "0.1.0")
    (release.path / "SHA256SUMS").write_text("0" * 64 + "  ../../etc/passwd\n")
    with pytest.raises(KitError, match="points outside"):
        verify(release)


def test_a_released_version_never_changes(tmp_path):
    written(tmp_path / "0.1.0")
    with pytest.raises(KitError, match="never changes"):
        written(tmp_path / "0.1.0")


def test_one_image_twice_is_refused(tmp_path):
    with pytest.raises(KitError, match="comes twice"):
        written(tmp_path / "0.1.0", rows=[*ROWS, ROWS[3]])
    assert list(tmp_path.iterdir()) == []


def test_without_rows_there_is_no_release_and_nothing_is_left(tmp_path):
    with pytest.raises(KitError, match="no row to release"):
        written(tmp_path / "0.1.0", rows=[])
    assert list(tmp_path.iterdir()) == []


def test_the_parquet_carries_what_the_hub_wants(tmp_path):
    release = written(tmp_path / "0.1.0", rows=[row(n, 1) for n in range(GROUP_ROWS + 100)], shards=1)
    file = pq.ParquetFile(shard_paths(release)[0])
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [GROUP_ROWS, 100]
    assert json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]["image"] == {"_type": "Image"}
    columns = {
        file.metadata.row_group(0).column(i).path_in_schema: file.metadata.row_group(0).column(i) for i in range(20)
    }
    assert columns["image.bytes"].compression == "UNCOMPRESSED"
    assert columns["image_id"].has_column_index and columns["captions.list.element"].compression == "ZSTD"
    assert file.schema_arrow.equals(release_schema())
    assert file.schema_arrow.metadata == release_schema().metadata


def test_columns_that_are_not_asked_for_are_not_read(tmp_path):
    release = written(tmp_path / "0.1.0")
    assert next(read_rows(release, "test", ["person_id", "captions"])).keys() == {"person_id", "captions"}


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (lambda folder: open_release(folder), "is no release"),
        (lambda folder: shard_paths(written(folder / "a"), "dev"), "has no split `dev`"),
        (lambda folder: newest_release(folder), "no release in"),
    ],
)
def test_what_is_not_there_is_named_with_its_mend(tmp_path, act, problem):
    with pytest.raises(KitError, match=problem) as caught:
        act(tmp_path)
    assert caught.value.mend


def test_the_newest_version_is_taken_by_number_and_two_names_are_listed(tmp_path):
    for version in ("0.9.0", "0.10.0"):
        written(tmp_path / "releases/toy" / version)
    assert newest_release(tmp_path).name == "0.10.0"
    written(tmp_path / "releases/other/0.1.0")
    with pytest.raises(KitError, match="more than one release") as caught:
        newest_release(tmp_path)
    assert "other/0.1.0" in caught.value.mend


def test_adding_identities_moves_nobody():
    few = assign([f"p{n}" for n in range(100)], {}, 0.1, 0.25, 0)
    more = assign([f"p{n}" for n in range(500)], {}, 0.1, 0.25, 0)
    assert all(more[identity] == split for identity, split in few.items())


def test_shares_come_out_as_asked_and_a_seed_draws_others():
    drawn = assign([f"p{n}" for n in range(4000)], {}, 0.1, 0.25, 0)
    shares = {split: sum(value == split for value in drawn.values()) / 4000 for split in ("train", "val", "test")}
    assert shares == pytest.approx({"train": 0.65, "val": 0.1, "test": 0.25}, abs=0.03)
    assert draw(0, "p1") != draw(1, "p1")


def test_a_held_split_wins_over_other_shares_and_is_frozen(tmp_path):
    path = tmp_path / "splits-0.json"
    freeze(path, {"p1": "train"})
    assert assign(["p1", "p2"], read_splits(path), 0.0, 0.99, 0)["p1"] == "train"
    with pytest.raises(AssertionError, match="changed their split"):
        freeze(path, {"p1": "test"})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"p1": "dev"}', "no split for `p1`"),
        ("{", "cannot read"),
        ("[]", "no table of splits"),
        ("[" * 200_000, "nested too deeply"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_spoilt_split_ledger_is_named(tmp_path, content, problem):
    (tmp_path / "splits.json").write_text(content)
    with pytest.raises(KitError, match=problem):
        read_splits(tmp_path / "splits.json")


def test_shares_that_leave_no_training_are_refused():
    with pytest.raises(KitError, match="no share for train"):
        assign(["p1"], {}, 0.5, 0.5, 0)


@pytest.mark.full
def test_the_hubs_own_library_reads_features_splits_and_the_very_bytes(tmp_path):
    import datasets

    release = written(tmp_path / "0.1.0")
    features = datasets.Features.from_arrow_schema(release_schema())
    assert features.arrow_schema.equals(release_schema(), check_metadata=True)
    files = {split: [str(path) for path in shard_paths(release, split)] for split in release.splits}
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert loaded["train"].features == features
    undecoded = loaded["train"].cast_column("image", datasets.Image(decode=False))
    pictures = {line["image_id"]: line["image"]["bytes"] for line in undecoded}
    assert pictures == {line["image_id"]: line["image"]["bytes"] for line in ROWS if line["split"] == "train"}
    assert pa.types.is_struct(release_schema().field("image").type)


@pytest.mark.parametrize("table", [ReleaseTable, RewriteTable])
def test_a_name_that_a_release_cannot_carry_is_no_name_of_a_recipe(table):
    assert table(name="a" * 64).name == "a" * 64
    for name in ("a" * 65, "A", "-a", ""):
        with pytest.raises(ValidationError, match="name"):
            table(name=name)
        with pytest.raises(ValidationError, match="name"):
            Manifest.model_validate({**MANIFEST, "name": name})


def test_a_previous_version_without_its_rows_is_none_to_compare_with(tmp_path):
    written(tmp_path / "0.1.0")
    shutil.rmtree(tmp_path / "0.1.0/data")
    later = written(tmp_path / "0.2.0", version="0.2.0")
    assert later.manifest["changes"] == [
        "0.1.0 has no rows any more to compare with", "train with 21 images of 7 identities",
        "val with 18 images of 6 identities", "test with 21 images of 7 identities",
    ]  # fmt: skip
    text = (later.path / "CHANGELOG.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## 0.2.0", "## 0.1.0"]


def test_an_image_that_comes_twice_is_told_without_guessing_where_it_came_from(tmp_path):
    with pytest.raises(KitError, match="comes twice") as caught:
        written(tmp_path / "0.1.0", rows=[*ROWS, ROWS[3]])
    assert "import" in caught.value.mend and "planned in two parts" in caught.value.mend
