"""Splits by groups of videos: nobody seen twice sits in two splits, targets are met, and later versions move nobody."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from release.works import SHA, decide, decision, group_videos, make_work, people, released, splits_of
from ufine_kit.dataset.splits import apportion
from ufine_kit.errors import KitError
from ufine_kit.release.build import build, plan_build
from ufine_kit.release.groups import draw_splits
from ufine_kit.tables import ReleaseTable


def drawn(videos, held=None, members=None, groups=None, seen=None, **table):
    return draw_splits(videos, members or {}, groups or {}, held or {}, ReleaseTable(**table), seen)


MANY = {f"p{number:04d}": [f"v{number // 10}"] for number in range(4000)}


def test_a_video_goes_to_one_split_and_the_shares_come_out_as_asked():
    splits = drawn(MANY).of
    assert all(len({splits[f"p{10 * video + n:04d}"] for n in range(10)}) == 1 for video in range(400))
    assert {split: number / 4000 for split, number in Counter(splits.values()).items()} == pytest.approx(
        {"train": 0.65, "val": 0.1, "test": 0.25}, abs=0.0026
    )


def test_numbers_of_identities_are_met_as_nearly_as_groups_allow():
    counts = Counter(drawn(MANY, test_identities=2000, val_identities=500).of.values())
    assert counts == {"train": 1500, "val": 500, "test": 2000}
    alone = {f"p{number}": [f"v{number}"] for number in range(100)}
    assert Counter(drawn(alone, test_identities=20, val=0.0, split_by="identity").of.values()) == {
        "train": 80,
        "test": 20,
    }


def test_groups_of_many_sizes_meet_their_targets():
    sizes = {f"g{number}": 1 + number * number % 37 for number in range(60)}
    total = sum(sizes.values())
    targets = {"train": 0.6 * total, "val": 0.15 * total, "test": 0.25 * total}
    counts = Counter()
    for group, split in apportion(sizes, targets, {}, 0).items():
        counts[split] += sizes[group]
    assert all(abs(counts[split] - targets[split]) <= 2 for split in targets), (counts, targets)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("groups", [3, 4, 8])
def test_few_groups_still_fill_every_split_that_is_asked_for(groups, seed):
    splits = drawn({f"p{n}": [f"v{n % groups}"] for n in range(5 * groups)}, seed=seed).of
    assert set(splits.values()) == {"train", "val", "test"}


def test_who_is_seen_in_two_videos_ties_them_and_so_does_a_group_of_videos():
    videos = {**{f"p{n}": [f"v{n}"] for n in range(12)}, "both": ["v0", "v1"]}
    splits = drawn(videos, groups={"v2": "hall", "v3": "hall"}).of
    assert splits["p0"] == splits["p1"] == splits["both"]
    assert splits["p2"] == splits["p3"]


def test_later_identities_follow_their_video_even_if_nobody_of_it_is_left():
    first = drawn(MANY)
    assert first.places == {f"video:v{n}": first.of[f"p{10 * n:04d}"] for n in range(400)}
    fewer = {person: seen for person, seen in MANY.items() if seen != ["v7"]}
    again = drawn({**fewer, "new": ["v7"], "newer": ["v9999"]}, held={**first.of, **first.places}, test=0.9, val=0.05)
    assert all(again.of[person] == first.of[person] for person in fewer)
    assert again.of["new"] == first.places["video:v7"]


def test_who_would_tie_two_splits_together_is_refused_and_nobody_else():
    held = {"p0": "train", "p1": "test"}
    videos = {"p0": ["v0"], "p1": ["v1"], "tie": ["v0", "v1"], "new": ["v0"], "other": ["v1"]}
    found = drawn(videos, held=held)
    assert set(found.refused) == {"tie"}
    assert "test and train" in found.refused["tie"]
    assert found.of == {"p0": "train", "p1": "test", "new": "train", "other": "test"}


def test_a_united_identity_whose_members_sit_in_two_splits_is_left_out():
    found = drawn({"a": ["v0"], "x": ["v1"]}, held={"a": "train", "b": "test", "x": "train"}, members={"a": ["a", "b"]})
    assert found.of == {"x": "train"}
    assert "a" in found.refused


def test_identities_drawn_one_by_one_before_stay_and_are_told():
    held = {f"p{n}": ("train", "test")[n % 2] for n in range(4)}
    found = drawn({**{person: ["v0"] for person in held}, "new": ["v0"], "free": ["v1"]}, held=held)
    assert {person: found.of[person] for person in held} == held
    assert set(found.refused) == {"new"}
    assert "train" in found.notes[0] and "video:v0" not in found.places
    assert drawn({**{person: ["v0"] for person in held}, "new": ["v0"]}, held=held, split_by="identity").refused == {}


def test_one_group_is_one_line_that_names_the_mend():
    with pytest.raises(KitError, match="one group of videos") as caught:
        drawn({"p0": ["v0"], "p1": ["v0"]})
    assert "release.split_by=identity" in caught.value.mend
    assert drawn({"p0": ["v0"], "p1": ["v0"]}, val=0.0, test=0.0).of == {"p0": "train", "p1": "train"}


@pytest.mark.parametrize("table", [{"test": 0.6, "val": 0.4}, {"test_identities": 4}])
def test_targets_that_leave_no_train_are_refused(table):
    with pytest.raises(KitError, match="leave no share for train"):
        drawn({f"p{n}": [f"v{n}"] for n in range(4)}, **table)


def test_a_built_release_keeps_videos_apart_and_the_ledger_remembers_them(tmp_path):
    work = make_work(tmp_path / "work", people("abcdef", 3))
    group_videos(work, {"a": "hall", "b": "hall"})
    decide(work, decision("same_person", person="c0", other="d0"))
    build(work, ReleaseTable())
    splits = splits_of(work / "releases/dataset/0.1.0")
    assert len({splits[f"{video}{n}"] for video in "ab" for n in range(3)}) == 1
    assert "d0" not in splits and len({splits["c0"], splits["c1"], splits["d1"]}) == 1
    assert set(splits.values()) == {"train", "val", "test"}
    held = (work / "releases/dataset/splits-0.json").read_text()
    assert f'"video:{SHA["c"]}"' in held and '"group:hall"' in held


def test_added_videos_move_nobody_and_another_major_version_draws_anew(tmp_path):
    build(make_work(tmp_path / "one", people("abcd", 3)), ReleaseTable())
    more = make_work(tmp_path / "two", people("abcdefgh", 3))
    (more / "releases").mkdir()
    (tmp_path / "one/releases/dataset").rename(more / "releases/dataset")
    build(more, ReleaseTable(version="next-minor"))
    before, after = (splits_of(more / "releases/dataset" / version) for version in ("0.1.0", "0.2.0"))
    assert {person: after[person] for person in before} == before
    assert len(after) == 24
    (more / "releases/dataset/splits-0.json").unlink()  # then the releases tell it themselves
    assert plan_build(more, ReleaseTable(version="next-patch", seed=5)).drawn.of == after
    assert plan_build(more, ReleaseTable(version="next-major", seed=5)).drawn.of != after


UNDONE = {
    "a union that is taken back": (decision("merge", person="c0", other="d0"), None),
    "a crop that is split off": (None, decision("split", "c0-1")),
    "a union taken back by a split": (decision("merge", person="c0", other="d0"), decision("split", "d0-1")),
}


TABLES = [ReleaseTable(split_by="identity", test=0.5, val=0.0, seed=seed) for seed in range(4)]
parted = pytest.mark.xdist_group("parted")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A work folder with a first release, by seed and by what was decided before it: built once, and a copy for each user."""
    folders = {}

    def work(to: Path, table: ReleaseTable, before: dict | None) -> Path:
        of = (table.seed, json.dumps(before))
        if of not in folders:
            first = make_work(tmp_path_factory.mktemp("built"), people("abcd", 3))
            decide(first, *[row for row in (before,) if row])
            build(first, table)
            folders[of] = first
        return shutil.copytree(folders[of], to / f"work-{table.seed}")

    return work


@parted
@pytest.mark.parametrize("ledger", [True, False], ids=["ledger", "releases alone"])
@pytest.mark.parametrize(("before", "after"), UNDONE.values(), ids=UNDONE)
def test_no_picture_changes_its_split_when_reviewers_part_what_was_one(built, tmp_path, before, after, ledger):
    for table in TABLES:  # one draw alone could hit by chance
        work = built(tmp_path, table, before)
        decide(work, *[row for row in (after,) if row])
        if not ledger:
            (work / "releases/dataset/splits-0.json").unlink()
        build(work, table.model_copy(update={"version": "next-minor"}))
        old, new = (
            released(work / "releases/dataset" / version, ["image_id", "split"]) for version in ("0.1.0", "0.2.0")
        )
        assert {name: row["split"] for name, row in new.items()} == {name: row["split"] for name, row in old.items()}


@parted
def test_the_ledger_alone_holds_those_who_were_united_where_the_release_was_withdrawn(built, tmp_path):
    for table in TABLES:
        work = built(tmp_path, table, decision("merge", person="c0", other="d0"))
        old = splits_of(work / "releases/dataset/0.1.0")
        shutil.rmtree(work / "releases/dataset/0.1.0")
        decide(work)
        build(work, table.model_copy(update={"version": "0.2.0"}))
        assert splits_of(work / "releases/dataset/0.2.0") == {**old, "d0": old["c0"]}


def test_an_identity_of_crops_from_two_splits_is_left_out():
    found = drawn({"a": ["v0"], "new": ["v1"]}, held={"a": "train"}, seen={"new": {"train", "test"}})
    assert found.of == {"a": "train"} and set(found.refused) == {"new"}
