"""Validation of a release: series of seeds, zero-shot, chance, texts cut short; and what the command makes of it."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.cliplike import write_cliplike  # noqa: E402
from baseline.releases import bytes_of, small_table, world_rows, written  # noqa: E402
from ufine_kit.baseline import seeds as series_of_seeds  # noqa: E402
from ufine_kit.baseline.chance import binomial_interval, shuffled  # noqa: E402
from ufine_kit.baseline.checkpoint import open_checkpoint  # noqa: E402
from ufine_kit.baseline.data import held_out, load_pairs  # noqa: E402
from ufine_kit.baseline.evaluate import keep_record, record_path  # noqa: E402
from ufine_kit.baseline.features import text_features  # noqa: E402
from ufine_kit.baseline.processes import Processes  # noqa: E402
from ufine_kit.baseline.seeds import mean_and_sd, seeds_of, train_seeds  # noqa: E402
from ufine_kit.baseline.subject import trained_subject, zero_shot_subject  # noqa: E402
from ufine_kit.baseline.tokens import encode  # noqa: E402
from ufine_kit.baseline.train import TrainReport, start, train  # noqa: E402
from ufine_kit.baseline.validate import check_series, first_words, means, untrained, validate  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402
from ufine_kit.manifest import read_record  # noqa: E402

pytestmark = pytest.mark.full


@pytest.mark.parametrize(("trials", "chance", "level"), [(12, 0.25, 0.99), (500, 0.002, 0.99), (40, 0.5, 0.9)])
def test_binomial_interval_equals_the_sums_of_its_terms(trials, chance, level):
    terms = [math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(trials + 1)]
    low, high = binomial_interval(trials, chance, level)
    edge = (1 - level) / 2
    assert sum(terms[:low]) <= edge < sum(terms[: low + 1])
    assert sum(terms[:high]) < 1 - edge <= sum(terms[: high + 1])


def test_certain_chance_hits_every_time():
    assert binomial_interval(7, 1.0, 0.99) == (7, 7)


def test_gallery_of_one_person_is_at_chance(tmp_path):
    pairs = load_pairs(written(tmp_path / "release", world_rows("test", 1, 10)), "test", 32, 16)
    rng = np.random.default_rng(0)
    found = shuffled(rng.normal(size=(4, 8)), rng.normal(size=(2, 8)), pairs)
    assert (found.hits, found.low, found.high, found.chance) == (4, 4, 4, 1.0)
    assert found.at_chance


@pytest.fixture(scope="module")
def series(small_release, tmp_path_factory):
    checkpoints = tmp_path_factory.mktemp("work") / "checkpoints"
    summary = train_seeds(small_release, small_table(steps=4), checkpoints, 2, lambda _: None)
    return checkpoints / "tiny", summary


def test_series_gives_mean_and_deviation_of_its_runs(series):
    folder, summary = series
    assert [path.name for path in seeds_of(folder)] == ["tiny-seed0", "tiny-seed1"] == summary["checkpoints"]
    each = [metrics["R@5"] for metrics in summary["metrics_each"]]
    assert summary["mean"]["R@5"] == pytest.approx(np.mean(each))
    assert summary["sd"]["R@5"] == pytest.approx(np.std(each, ddof=1))
    weights = [bytes_of(path)["model.safetensors"] for path in seeds_of(folder)]
    assert weights[0] != weights[1]


def test_stopped_series_goes_on(series, small_release, quiet):
    folder, summary = series
    again = train_seeds(small_release, small_table(steps=4), folder.parent, 2, quiet)
    assert [run["already_done"] for run in again["runs"]] == [True, True]
    assert again["mean"] == summary["mean"]


def test_further_processes_sum_up_nothing_of_a_series_that_goes_on(tmp_path, small_release, monkeypatch):
    """They know the metrics of a run that was done before, and of the others nothing."""
    done = TrainReport(tmp_path, 4, 4, 1.0, {"R@1": 2.0}, "best R@1 on val", 9, already_done=True)
    reports = iter([done, replace(done, metrics={}, already_done=False)])
    monkeypatch.setattr(series_of_seeds, "train", lambda *_: next(reports))
    monkeypatch.setattr(series_of_seeds, "joined", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(series_of_seeds, "from_environment", lambda: Processes(1, 2, 1))
    assert train_seeds(small_release, small_table(), tmp_path, 2, lambda _: None) == {}
    assert not (tmp_path / "tiny").exists()


def test_one_run_has_no_deviation():
    assert mean_and_sd([{"R@1": 2.0}]) == {"mean": {"R@1": 2.0}, "sd": {}}


def test_checkpoint_of_a_series_that_is_gone_is_named(series, tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "seeds.json").write_bytes((series[0] / "seeds.json").read_bytes())
    with pytest.raises(KitError, match=r"no checkpoint .*tiny-seed0"):
        seeds_of(tmp_path / "tiny")


def test_validation_is_one_record_of_all_seeds(series, small_release, tmp_path):
    record = validate("tiny", seeds_of(series[0]), small_release, device="cpu")
    block = record["validation"]
    assert block["seeds"] == 2
    each = [metrics["R@1"] for metrics in block["metrics_each"]]
    assert record["metrics"]["R@1"] == pytest.approx(np.mean(each))
    assert len(block["zero_shot"]) == len(block["shuffled"]) == len(block["above_zero_shot"]) == 2
    assert set(block["full_minus_cut"][0]) == {"24", "37"}
    assert block["passed"] == all(block["passes"].values())
    assert not block["passes"]["above_zero_shot"], "four steps teach nothing of six persons"
    path = record_path(tmp_path, record)
    assert path.name == "tiny-2-seeds-test.json"
    path.parent.mkdir()
    path.write_text(json.dumps(record, allow_nan=False))
    assert read_record(path).metrics["R@1"] == record["metrics"]["R@1"]


def test_series_leaves_the_record_of_a_checkpoint_of_its_name_alone(series, small_release, tmp_path):
    (tmp_path / "tiny").symlink_to(seeds_of(series[0])[0])
    one = keep_record(tmp_path / "baselines", validate("tiny", [tmp_path / "tiny"], small_release, device="cpu"))
    held = one.read_bytes()
    assert json.loads(held)["checkpoint"]["name"] == "tiny"
    both = keep_record(tmp_path / "baselines", validate("tiny", seeds_of(series[0]), small_release, device="cpu"))
    assert (one.read_bytes(), both.parent) == (held, one.parent)


def test_every_number_of_a_series_is_the_mean_of_its_seeds():
    row = {"paper": "Table 4", "metrics": {"R@1": 50.0}, "tolerance": 1.5}
    records = [
        {
            "metrics": {"R@1": r1},
            "by": {"style": {"list": {"queries": 3, "R@1": r1 - 1}}},
            "targets": {**row, "differences": {"R@1": r1 - 50}, "within": r1 == 50},
        }
        for r1 in (50.0, 44.0)
    ]
    assert means(records) == {
        "metrics": {"R@1": 47.0},
        "by": {"style": {"list": {"queries": 3, "R@1": 46.0}}},
        "targets": {**row, "differences": {"R@1": -3.0}, "within": False},
    }
    plain = [{"metrics": {"R@1": 1.0}, "by": {}}]
    assert means(plain) == plain[0]


def test_zero_shot_is_the_model_before_its_first_step(series, small_release):
    subject = trained_subject(seeds_of(series[0])[1])
    pairs = load_pairs(small_release, "train", 32, 16)
    wanted, _ = start(small_table(seed=1, name="tiny-seed1", steps=4), pairs.captions)
    found = untrained(subject).model.state_dict()
    assert all(torch.equal(found[name], value) for name, value in wanted.state_dict().items())


def test_seed_of_a_series_with_the_longest_name_has_its_zero_shot(series):
    subject = trained_subject(seeds_of(series[0])[0])
    named = subject.card | {"recipe": subject.card["recipe"] | {"name": "a" * 48 + "-seed0"}}
    assert untrained(replace(subject, card=named)).model is not subject.model


def test_zero_shot_reads_at_its_own_length_and_replaced_weights_are_refused(small_release, tmp_path, quiet):
    start_folder = write_cliplike(tmp_path / "clip")
    table = small_table(pretrained=str(start_folder), steps=1, text_tokens=90, learning_rate=1e-4)
    train(small_release, table, tmp_path / "a", quiet)
    begun, plain = untrained(trained_subject(tmp_path / "a")), zero_shot_subject(str(start_folder))
    texts = load_pairs(small_release, "test", 32, 16).captions
    said = [text_features(each.model, encode(each.tokenizer, texts)[0]) for each in (begun, plain)]
    np.testing.assert_array_equal(*said, err_msg="stretched positions that nobody trained are no zero-shot")
    write_cliplike(start_folder, seed=1)
    with pytest.raises(KitError, match="holds other weights than those that `tiny` began with"):
        untrained(trained_subject(tmp_path / "a"))


def test_seed_of_another_release_is_refused(series, small_release):
    other = replace(small_release, data_digest="f" * 64)
    with pytest.raises(KitError, match=r"tiny-seed0` was trained on other data than `world` 0\.1\.0"):
        validate("tiny", seeds_of(series[0]), other, device="cpu")


@pytest.mark.parametrize(
    ("key", "value", "same"),
    [
        ("steps", 5, False),
        ("mirror", False, False),
        ("name", "b", True),
        ("seed", 9, True),
        ("targets", {"a": 1}, True),
    ],
)
def test_seeds_of_one_series_share_all_but_name_and_seed(series, small_release, tmp_path, key, value, same):
    first, second = seeds_of(series[0])
    shutil.copytree(second, tmp_path / "second")
    card = json.loads((second / "ufine.json").read_text())
    card["recipe"][key] = value
    (tmp_path / "second" / "ufine.json").write_text(json.dumps(card))
    if same:
        check_series([first, tmp_path / "second"], small_release)
        return
    with pytest.raises(KitError, match=r"second` and .*tiny-seed0` were trained by different recipes") as error:
        check_series([first, tmp_path / "second"], small_release)
    assert "\n" not in error.value.problem


def test_split_of_one_person_proves_nothing_and_is_refused(tmp_path, quiet):
    release = written(tmp_path / "release", [*world_rows("train", 4, 0), *world_rows("test", 1, 10)])
    train(release, small_table(steps=1), tmp_path / "a", quiet)
    with pytest.raises(KitError, match="split `test` of `world` has one identity"):
        validate("a", [tmp_path / "a"], release, device="cpu")


@pytest.mark.parametrize(("text", "words", "wanted"), [("a b  c", 2, "a b"), ("a b c", 3, "a b c"), ("a", 24, "a")])
def test_cut_texts_keep_their_beginning(text, words, wanted):
    assert first_words(text, words) == wanted


def test_shuffling_deals_persons_and_counts_hits(series, small_release):
    """Features that know every answer are at chance once the captions are dealt to others."""
    pairs = load_pairs(small_release, "train", 32, 16)
    known = np.eye(len(pairs.person_ids))
    images, texts = known[pairs.people.numpy()], known[pairs.caption_people.numpy()]
    found = shuffled(texts, images, pairs)
    assert found.queries == 48
    assert found.chance == pytest.approx(1 / 12)
    assert found.at_chance
    leak = shuffled(np.ones_like(texts), np.ones_like(images), pairs)  # ties are no hits
    assert leak.hits == 0


# --- a val split carved from train --------------------------------------------------------------------------------------


def test_carved_val_shares_nobody_with_train(small_release):
    pairs = load_pairs(small_release, "train", 32, 16)
    train_part, val = held_out(pairs, 0.4, 0)
    assert set(train_part.person_ids) | set(val.person_ids) == set(pairs.person_ids)
    assert not set(train_part.person_ids) & set(val.person_ids)
    assert len(train_part.people) + len(val.people) == len(pairs.people)
    for part in (train_part, val):
        for place, image in enumerate(part.caption_images.tolist()):
            person = part.person_ids[int(part.people[image])]
            number = pairs.captions.index(part.captions[place])
            assert pairs.person_ids[int(pairs.caption_people[number])] == person
            assert torch.equal(part.pixels[image], pairs.pixels[pairs.image_ids.index(part.image_ids[image])])


def test_val_is_carved_where_the_release_has_none(tmp_path, quiet):
    release = written(tmp_path / "release", world_rows("train", 8, 0))
    report = train(release, small_table(val_share=0.4, steps=2), tmp_path / "a", quiet)
    assert report.selection == "best R@1 on val"
    people = json.loads((tmp_path / "a" / "trained_on.json").read_text())["people"]
    assert 0 < len(people) < 8


def test_share_that_holds_out_nobody_is_named(tmp_path, quiet):
    release = written(tmp_path / "release", world_rows("train", 4, 0))
    with pytest.raises(KitError, match="holds out 0 of 4 identities"):
        train(release, small_table(val_share=1e-9), tmp_path / "a", quiet)


def test_last_step_is_kept_where_the_recipe_says_so(small_release, tmp_path, quiet):
    report = train(small_release, small_table(select="last"), tmp_path / "a", quiet)
    assert (report.step, report.selection) == (12, "last")
    assert report.metrics  # val was looked at, and chose nothing
    model, _, card = open_checkpoint(tmp_path / "a")
    assert card["selection"]["metrics"] == report.metrics and model.training is False
