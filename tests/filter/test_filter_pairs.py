"""Questions across videos, and thresholds told from pairs that are known: seen together, or halves of one tracklet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filter.planted import lay_out, rows_of, run_stage
from filter.test_judge import person_crops
from ufine_kit import pipeline
from ufine_kit.errors import KitError
from ufine_kit.filter.adapt import unit
from ufine_kit.filter.calibrate import HIGHEST_RATE, LOST, Evidence, calibrate, thresholds
from ufine_kit.filter.columns import read_crops
from ufine_kit.filter.pairs import kept_persons, nearest, plan_pairs
from ufine_kit.filter.plan import measured_videos
from ufine_kit.recipe import load_recipe
from ufine_kit.tables import FilterTable

pytestmark = pytest.mark.full


def plainly(centres, video, recipe):
    wanted = sorted(
        (-round(float(centres[i] @ centres[j]), 4), i, j)
        for i in range(len(centres))
        for j in range(i + 1, len(centres))
        if video[i] != video[j] and round(float(centres[i] @ centres[j]), 4) >= recipe.pair_similarity
    )
    found, asked = [], [0] * len(centres)
    for minus, i, j in wanted:
        if len(found) < recipe.pairs and asked[i] < recipe.pairs_each and asked[j] < recipe.pairs_each:
            asked[i] += 1
            asked[j] += 1
            found.append((i, j, -minus))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_pairs_of_different_videos_are_asked_about_and_nobody_too_often(seed):
    draw = np.random.default_rng(seed)
    centres, video = unit(draw.normal(size=(40, 5))), draw.integers(0, 3, 40)
    recipe = FilterTable(pairs=15, pairs_each=2, pair_similarity=0.3)
    assert nearest(centres, video, recipe) == plainly(centres, video, recipe)


def make_pairs(work, *sets):
    run_stage(work, "measures")
    run_stage(work, "filter", *sets, redo=True)
    plan = pipeline.plan("pairs", work, load_recipe(None, sets), plan_pairs(work), redo=True)
    pipeline.run(plan, "local", 1, lambda _: None)
    return rows_of(work / "pairs")


def test_a_person_who_comes_again_in_another_video_is_asked_about_first(tmp_path):
    one, two = list(range(10)), [*range(20, 25), 3, *range(25, 29)]
    work = lay_out(tmp_path, [person_crops("a", one), person_crops("b", two)])
    sets = ("filter.pair_similarity=-1.0", "filter.duplicate_bits=-1")
    first, *rest = make_pairs(work, *sets)
    assert (first["person_id"], first["other_person_id"]) == ("a-0-3", "b-0-5")
    assert first["similarity"] > max(row["similarity"] for row in rest) + 0.1
    assert len(first["crop_ids"]) == 3 and all(name.startswith("a3c") for name in first["crop_ids"])
    assert all(name.startswith("b5c") for name in first["other_crop_ids"])
    assert len(make_pairs(work, *sets, "filter.pairs=4")) == 4
    assert make_pairs(work, *sets, "filter.pairs=0") == []


def test_an_added_video_takes_part_in_the_questions(tmp_path):
    people = list(range(8))
    first, second = (person_crops(video, people, each=2) for video in "ab")
    sets = ("filter.pair_similarity=-1.0", "filter.duplicate_bits=-1")
    assert make_pairs(lay_out(tmp_path, [first]), *sets) == []
    found = make_pairs(lay_out(tmp_path, [first, second]), *sets)
    assert {(row["person_id"], row["other_person_id"]) for row in found[:8]} == {
        (f"a-0-{k}", f"b-0-{k}") for k in people
    }


def test_thresholds_keep_to_the_stated_rate():
    draw = np.random.default_rng(0)
    known = Evidence(*(draw.normal(at, 0.15, 2000).clip(-1, 1).tolist() for at in (0.1, 0.8, 0.15, 0.75)))
    found = thresholds(known, 0.01)
    assert np.mean(np.array(known.different) > found.merge) <= 0.01
    assert np.mean(np.array(known.different) > found.merge - 0.01) > 0.01, "no higher than needed"
    assert np.mean(np.array(known.stranger) > found.move) <= 0.01
    assert np.mean(np.array(known.own) < found.keep) <= LOST
    assert found.found_again == pytest.approx(np.mean(np.array(known.same) > found.merge), abs=1e-4)


def test_too_few_people_seen_together_tell_no_rate():
    with pytest.raises(KitError, match="40 pairs of people seen together are too few to tell"):
        thresholds(Evidence([0.1] * 40, [0.8], [0.1], [0.9]), 0.01)


@pytest.mark.parametrize("pairs", [0, 1, 2, 3, 5, 40])
def test_a_rate_that_is_proposed_can_be_told(pairs):
    known = Evidence([0.1] * pairs, [0.8], [0.1], [0.9])
    with pytest.raises(KitError) as refused:
        thresholds(known, 0.001)
    words = refused.value.mend.partition("--false-merge-rate ")[2]
    assert bool(words) == (pairs > 1)
    if words:
        assert float(words) <= HIGHEST_RATE
        assert thresholds(known, float(words)).different_pairs == pairs


def test_a_damaged_part_is_named_and_not_its_neighbour(tmp_path):
    pq.write_table(pa.table({"crop_id": ["c"]}), tmp_path / "whole.parquet")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    both = [tmp_path / "whole.parquet", tmp_path / "torn.parquet"]
    for read in (lambda: read_crops(both, both), lambda: kept_persons((tmp_path / "torn.parquet",))):
        with pytest.raises(KitError, match=r"cannot read `.*torn\.parquet`") as refused:
            read()
        assert "made again by its own command with --redo" in refused.value.mend


def test_parts_of_two_kits_that_do_not_go_together_are_told(tmp_path):
    for name, column in (("old", "a"), ("new", "b")):
        pq.write_table(pa.table({"crop_id": ["c"], column: [1]}), tmp_path / f"{name}.parquet")
    with pytest.raises(KitError, match=f"parts in `{tmp_path}` have different columns"):
        read_crops([tmp_path / "old.parquet"], [tmp_path / "old.parquet", tmp_path / "new.parquet"])


def test_people_seen_together_are_the_different_ones_and_halves_the_same(tmp_path):
    crops = [row | {"frame": row["frame"] % 20} for row in person_crops("a", list(range(12)))]
    run_stage(lay_out(tmp_path, [crops]), "measures")
    found = calibrate(measured_videos(tmp_path), FilterTable(), 0.05)
    assert (found.different_pairs, found.same_pairs) == (66, 12)
    assert found.found_again == 1.0
    assert found.keep > 0.8
    assert max(found.merge, found.move) < 0.7, "nobody is a stranger to oneself"
