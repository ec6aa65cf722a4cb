"""The record of a checkpoint on a release: right numbers, groups, and refusal of persons it was trained on."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from pathlib import Path  # noqa: E402

from baseline.releases import sample_row, small_table, world_rows, written  # noqa: E402
from ufine_kit.baseline.checkpoint import open_checkpoint  # noqa: E402
from ufine_kit.baseline.data import load_pairs  # noqa: E402
from ufine_kit.baseline.evaluate import evaluate, held_against, keep_record, record_path, shared_upstream  # noqa: E402
from ufine_kit.baseline.features import image_features, text_features  # noqa: E402
from ufine_kit.baseline.tokens import encode  # noqa: E402
from ufine_kit.baseline.train import train  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def trained(small_release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    train(small_release, small_table(), folder, lambda _: None)
    return folder


def test_record_holds_the_naive_numbers(trained, small_release):
    record = evaluate(trained, small_release, device="cpu")
    model, tokenizer, _ = open_checkpoint(trained)
    pairs = load_pairs(small_release, "test", 32, 16)
    similarity = text_features(model, encode(tokenizer, pairs.captions)[0]) @ image_features(model, pairs.pixels).T
    best = similarity.argmax(axis=1)
    hits = [int(pairs.people[image]) == int(person) for image, person in zip(best, pairs.caption_people, strict=True)]
    assert record["metrics"]["R@1"] == pytest.approx(100 * np.mean(hits))
    assert set(record["metrics"]) == {"R@1", "R@5", "R@10", "mAP", "mINP", "mSD"}
    assert (record["queries"], record["gallery"], record["identities"]) == (24, 12, 6)
    json.dumps(record, allow_nan=False)


def test_record_is_keyed_by_the_release_and_marked_synthetic(trained, small_release):
    record = evaluate(trained, small_release, device="cpu")
    assert record["data_digest"] == small_release.data_digest
    assert record["synthetic"] is True
    assert record["checkpoint"]["name"] == "tiny"
    wanted = Path("baselines") / small_release.data_digest[:16] / "tiny-test.json"
    assert record_path(Path("baselines"), record) == wanted


PLAIN = {
    "checkpoint": {"name": "tiny", "weights_sha256": "a" * 64, "trained_on": {}},
    "data_digest": "d" * 64,
    "release": {"split": "test"},
    "metrics": {"R@1": 40.0},
}
VALIDATED = PLAIN | {"metrics": {"R@1": 42.0}, "validation": {"passed": True, "seeds": 3}}


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({}, True),
        ({"noise": {"file": "noise.jsonl"}}, True),
        ({"checkpoint": PLAIN["checkpoint"] | {"weights_sha256": "b" * 64}}, False),
        ({"data_digest": "d" * 16 + "e" * 48}, False),  # the same folder, other data
    ],
)
def test_plain_record_leaves_the_validation_of_the_same_weights_and_data(tmp_path, changes, stays):
    path = keep_record(tmp_path, VALIDATED)
    assert keep_record(tmp_path, PLAIN | changes) == path
    kept = json.loads(path.read_text())
    assert kept == VALIDATED if stays else kept == PLAIN | changes


def test_new_validation_and_a_torn_record_are_written_over(tmp_path):
    path = keep_record(tmp_path, VALIDATED)
    again = VALIDATED | {"validation": {"passed": False, "seeds": 3}}
    keep_record(tmp_path, again)
    assert json.loads(path.read_text()) == again
    path.write_text('{"torn')
    keep_record(tmp_path, PLAIN)
    assert json.loads(path.read_text()) == PLAIN


def of_one_kind(rows: list[dict], granularity: str, source: str) -> list[dict]:
    """Rows whose captions all have this granularity, whatever their length."""
    return [
        row
        | {
            "source": source,
            "caption_origins": [each | {"granularity": granularity} for each in row["caption_origins"]],
        }
        for row in rows
    ]


def test_groups_are_given_where_there_is_more_than_one(trained, tmp_path):
    fine, coarse = (
        of_one_kind(world_rows("test", 3, at), kind, "synthetic world") for at, kind in ((50, "fine"), (53, "coarse"))
    )
    same = evaluate(trained, written(tmp_path / "one", fine), device="cpu")
    assert same["by"] == {}
    rows = [*(row | {"source": "other"} for row in fine), *coarse]
    record = evaluate(trained, written(tmp_path / "two", rows), device="cpu")
    assert set(record["by"]["source"]) == {"other", "synthetic world"}
    assert {name: group["queries"] for name, group in record["by"]["granularity"].items()} == {"coarse": 12, "fine": 12}
    for groups in record["by"].values():
        assert np.mean([group["mAP"] for group in groups.values()]) == pytest.approx(record["metrics"]["mAP"])


def test_record_is_synthetic_where_the_release_or_the_checkpoint_is(trained, tmp_path, quiet):
    rows = [*world_rows("train", 4, 0), *world_rows("test", 3, 60)]
    release = written(tmp_path / "release", rows, name="real", synthetic=False)
    assert evaluate(trained, release, device="cpu")["synthetic"] is True
    train(release, small_table(name="own", steps=1), tmp_path / "own", quiet)
    assert evaluate(tmp_path / "own", release, device="cpu")["synthetic"] is False


def test_trained_identity_is_refused_by_name(trained, tmp_path):
    image = world_rows("test", 1, 70)[0]["image"]["bytes"]
    row = sample_row(0, "p3", "test", image, ["a man"])
    with pytest.raises(KitError, match="1 of 4 identities were trained on, `p3` first"):
        evaluate(trained, written(tmp_path / "release", [row, *world_rows("test", 3, 71)]), device="cpu")


def test_trained_image_is_refused_under_any_release_s_name(trained, tmp_path):
    rows = [row | {"person_id": "other"} for row in world_rows("train", 1, 2)]
    rows = [row | {"split": "test"} for row in rows]
    release = written(tmp_path / "release", [*rows, *world_rows("test", 2, 80)], name="renamed")
    with pytest.raises(KitError, match="2 images of release `renamed` were trained on"):
        evaluate(trained, release, device="cpu")


def test_train_split_of_its_own_release_is_refused(trained, small_release):
    with pytest.raises(KitError, match="12 of 12 identities"):
        evaluate(trained, small_release, split="train", device="cpu")


def test_missing_split_is_named(trained, tmp_path):
    with pytest.raises(KitError, match="no `test` split"):
        evaluate(trained, written(tmp_path / "release", world_rows("train", 2, 90)), device="cpu")


def test_styles_and_origins_of_texts_are_told_apart(trained, tmp_path):
    one, other = world_rows("test", 3, 100), world_rows("test", 3, 103)
    for row in other:
        row["caption_origins"] = [each | {"style": "list", "kind": "human"} for each in row["caption_origins"]]
    record = evaluate(trained, written(tmp_path / "release", [*one, *other]), device="cpu")
    assert {name: group["queries"] for name, group in record["by"]["style"].items()} == {"list": 12, "plain": 12}
    assert set(record["by"]["text_origin"]) == {"human", "model"}


@pytest.mark.parametrize(
    ("trained_on", "measured", "flagged"),
    [
        ({"ICFG-PEDES"}, {"RSTPReid"}, True),
        ({"icfg_pedes"}, {"rstpreid", "own"}, True),
        ({"ICFG-PEDES"}, {"ICFG-PEDES"}, False),  # in its own domain, and said so
        ({"CUHK-PEDES"}, {"RSTPReid"}, False),
        ({"own"}, {"other"}, False),
    ],
)
def test_shared_origin_of_two_datasets_is_flagged(trained_on, measured, flagged):
    found = shared_upstream(trained_on, measured)
    assert bool(found) == flagged
    assert not flagged or "MSMT17" in found[0]


def test_record_carries_the_warning(tmp_path, quiet):
    rows = [row | {"source": "ICFG-PEDES"} for row in world_rows("train", 4, 0)]
    train(written(tmp_path / "icfg", rows, name="icfg"), small_table(steps=1), tmp_path / "tiny", quiet)
    rows = [row | {"source": "RSTPReid"} for row in world_rows("test", 3, 50)]
    record = evaluate(tmp_path / "tiny", written(tmp_path / "rstp", rows, name="rstp"), device="cpu")
    assert len(record["warnings"]) == 1


def test_numbers_of_the_split_that_chose_the_step_are_flagged(trained, small_release, tmp_path, quiet):
    assert "was chosen on split `val`" in evaluate(trained, small_release, split="val", device="cpu")["warnings"][0]
    assert evaluate(trained, small_release, device="cpu")["warnings"] == []
    train(small_release, small_table(select="last", steps=1), tmp_path / "last", quiet)
    assert evaluate(tmp_path / "last", small_release, split="val", device="cpu")["warnings"] == []


TARGET = {"rows": {"paper": "Table 5", "metrics": {"R@1": 80.0, "mAP": 70.0}, "tolerance": 1.5}}


@pytest.mark.parametrize(("r1", "within"), [(81.4, True), (81.6, False), (78.4, False)])
def test_run_is_held_against_the_row_of_its_release(r1, within):
    found = held_against(TARGET, "rows", {"R@1": r1, "mAP": 70.0, "mSD": 1.0})
    assert found["differences"] == {"R@1": pytest.approx(r1 - 80), "mAP": 0.0}
    assert found["within"] is within
    assert held_against(TARGET, "others", {"R@1": r1}) is None


def test_targets_of_the_recipe_reach_the_record_and_do_not_make_another_checkpoint(small_release, tmp_path, quiet):
    with_row = small_table(steps=1, targets={"world": TARGET["rows"]})
    train(small_release, small_table(steps=1), tmp_path / "tiny", quiet)
    assert train(small_release, with_row, tmp_path / "tiny", quiet).already_done
    train(small_release, with_row, tmp_path / "other", quiet)
    record = evaluate(tmp_path / "other", small_release, device="cpu")
    assert record["targets"]["within"] is False
