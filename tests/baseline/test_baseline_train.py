"""Training: it learns, it resumes to the same bytes, it never looks at the test split, and it says what is wrong."""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import ALL_LOSSES, bytes_of, only, small_table, world_rows, written  # noqa: E402
from ufine_kit.baseline import train as training  # noqa: E402
from ufine_kit.baseline.checkpoint import open_checkpoint  # noqa: E402
from ufine_kit.baseline.data import load_pairs  # noqa: E402
from ufine_kit.baseline.features import score_pairs  # noqa: E402
from ufine_kit.baseline.tokens import encode  # noqa: E402
from ufine_kit.baseline.train import train  # noqa: E402
from ufine_kit.errors import BadInput, KitError  # noqa: E402
from ufine_kit.parts import claimed  # noqa: E402

pytestmark = pytest.mark.full

STILL = {"mirror": False, "shift_px": 0, "erase": 0.0, "brightness": 0.0, "contrast": 0.0}
MASKED = {"mask": 0.1}


def curve(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


# --- it learns ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("losses", [only(sdm=1), only(contrastive=1), only(tal=1), ALL_LOSSES["losses"]], ids=str)
def test_32_pairs_are_learned_by_heart(tmp_path, quiet, losses):
    rows = [row | {"captions": row["captions"][:1], "caption_origins": row["caption_origins"][:1]}
            for row in world_rows("train", 32, 0, images_each=1)]  # fmt: skip
    release = written(tmp_path / "release", rows)
    table = small_table(steps=150, batch=32, evaluate_every=150, learning_rate=3e-3, losses=losses, **MASKED, **STILL)
    train(release, table, tmp_path / "checkpoint", quiet)
    model, tokenizer, _ = open_checkpoint(tmp_path / "checkpoint")
    pairs = load_pairs(release, "train", 32, 16)
    assert score_pairs(model, pairs, encode(tokenizer, pairs.captions)[0]).r1 == 100


def test_shuffled_captions_stay_at_chance(tmp_path, quiet):
    """Captions dealt to other persons teach nothing of unseen ones: R@1 within the 99 % binomial interval of chance."""
    rows = [*world_rows("train", 40, 0), *world_rows("test", 40, 40, images_each=1)]
    order = np.random.default_rng(0).permutation(80)
    shuffled = [
        row | {key: rows[order[place]][key] for key in ("captions", "caption_origins")}
        for place, row in enumerate(rows[:80])
    ]
    release = written(tmp_path / "release", [*shuffled, *rows[80:]])
    train(release, small_table(steps=80, batch=32, evaluate_every=80), tmp_path / "checkpoint", quiet)
    model, tokenizer, _ = open_checkpoint(tmp_path / "checkpoint")
    pairs = load_pairs(release, "test", 32, 16)
    found = score_pairs(model, pairs, encode(tokenizer, pairs.captions)[0])
    hits, chance = round(found.r1 * found.queries / 100), 1 / found.gallery
    assert hits <= most_hits(found.queries, chance, 0.995)


def most_hits(queries: int, chance: float, level: float) -> int:
    """The smallest k with P(hits <= k) >= level, by the binomial distribution."""
    total = 0.0
    for hits in range(queries + 1):
        total += math.comb(queries, hits) * chance**hits * (1 - chance) ** (queries - hits)
        if total >= level:
            return hits
    return queries


# --- it resumes -----------------------------------------------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
from ufine_kit.baseline.train import train
from ufine_kit.dataset.reader import open_release
from ufine_kit.tables import BaselineTable
table = BaselineTable.model_validate_json(sys.argv[3])
train(open_release(Path(sys.argv[1])), table, Path(sys.argv[2]), lambda line: print(line))
"""


def train_in_a_process(release, table, folder: Path, crash_at: str = "") -> subprocess.CompletedProcess:
    env = {**os.environ, "UFINE_CRASH_AT": crash_at} if crash_at else dict(os.environ)
    words = [sys.executable, "-c", SCRIPT, str(release.path), str(folder), table.model_dump_json()]
    return subprocess.run(words, env=env, capture_output=True, text=True, check=False)


class PulledPlugError(BaseException):
    """Stands for the kill, where a process of its own would cost too much."""


def train_until(monkeypatch, release, folder: Path, name: str, nth: int) -> None:
    """Train in this process up to the nth passing of a crash point."""
    passed = []

    def pull(point: str) -> None:
        passed.append(point)
        if passed.count(name) == nth:
            raise PulledPlugError

    with monkeypatch.context() as patched, pytest.raises(PulledPlugError):
        patched.setattr(training.crash, "point", pull)
        train(release, small_table(), folder, lambda _: None)


@pytest.fixture(scope="module")
def unbroken(small_release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken") / "tiny"
    train(small_release, small_table(), folder, lambda _: None)
    return bytes_of(folder)


def test_killed_and_resumed_process_ends_in_the_same_bytes(small_release, unbroken, tmp_path):
    killed = train_in_a_process(small_release, small_table(), tmp_path / "tiny", "train.step:7")
    assert killed.returncode == 137
    assert not (tmp_path / "tiny" / "ufine.json").exists()
    resumed = train_in_a_process(small_release, small_table(), tmp_path / "tiny")
    assert resumed.returncode == 0, resumed.stderr
    assert "goes on after step 4" in resumed.stdout
    assert bytes_of(tmp_path / "tiny") == unbroken


@pytest.mark.parametrize(
    ("point", "nth", "step"),
    [
        ("train.step", 2, 0),
        ("train.step", 4, 0),
        ("train.checkpoint", 1, 4),
        ("train.step", 11, 8),
        ("train.checkpoint", 3, 12),
    ],
)
def test_stopped_anywhere_and_resumed_ends_in_the_same_bytes(
    small_release, unbroken, tmp_path, quiet, monkeypatch, point, nth, step
):
    train_until(monkeypatch, small_release, tmp_path / "tiny", point, nth)
    train(small_release, small_table(), tmp_path / "tiny", quiet)
    assert any(f"goes on after step {step}" in line for line in quiet) == bool(step)
    assert bytes_of(tmp_path / "tiny") == unbroken


def test_killed_after_its_last_word_it_is_tidied_by_the_next_run(small_release, unbroken, tmp_path, quiet, monkeypatch):
    def pull(_: Path) -> None:
        raise PulledPlugError

    with monkeypatch.context() as patched, pytest.raises(PulledPlugError):
        patched.setattr(training.checkpoint, "remove_state", pull)
        train(small_release, small_table(), tmp_path / "tiny", quiet)
    assert (tmp_path / "tiny" / "training.safetensors").exists()
    assert train(small_release, small_table(), tmp_path / "tiny", quiet).already_done
    assert bytes_of(tmp_path / "tiny") == unbroken


def test_curve_can_be_looked_at_while_it_trains(small_release, tmp_path, monkeypatch):
    train_until(monkeypatch, small_release, tmp_path / "tiny", "train.checkpoint", 1)
    assert (tmp_path / "tiny" / "curve.png").stat().st_size > 1000


def test_torn_last_line_of_the_curve_is_written_again(small_release, unbroken, tmp_path, quiet, monkeypatch):
    train_until(monkeypatch, small_release, tmp_path / "tiny", "train.step", 7)
    with (tmp_path / "tiny" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 6, "lo')
    train(small_release, small_table(), tmp_path / "tiny", quiet)
    assert bytes_of(tmp_path / "tiny") == unbroken


def test_finished_checkpoint_is_not_trained_again(small_release, tmp_path, quiet):
    first = train(small_release, small_table(), tmp_path / "tiny", quiet)
    before = bytes_of(tmp_path / "tiny")
    again = train(small_release, small_table(), tmp_path / "tiny", quiet)
    assert (first.already_done, again.already_done) == (False, True)
    assert again == replace(first, already_done=True)
    assert bytes_of(tmp_path / "tiny") == before


@pytest.mark.parametrize("finished", [True, False])
def test_folder_of_another_recipe_or_release_is_refused(small_release, tmp_path, quiet, finished, monkeypatch):
    if finished:
        train(small_release, small_table(), tmp_path / "tiny", quiet)
    else:
        train_until(monkeypatch, small_release, tmp_path / "tiny", "train.checkpoint", 1)
    with pytest.raises(KitError, match="another recipe"):
        train(small_release, small_table(learning_rate=1e-4), tmp_path / "tiny", quiet)
    with pytest.raises(KitError, match="another release"):
        train(replace(small_release, data_digest="f" * 64), small_table(), tmp_path / "tiny", quiet)


# --- its protocol ---------------------------------------------------------------------------------------------------


def test_test_split_is_never_read(tmp_path, quiet):
    rows = [*world_rows("train", 6, 0), *world_rows("val", 3, 6), *world_rows("test", 3, 9)]
    release = written(tmp_path / "release", rows)
    for file in (tmp_path / "release" / "data").glob("test-*"):
        file.write_bytes(b"nothing that could be read")
    assert train(release, small_table(steps=2), tmp_path / "tiny", quiet).step == 2


def test_best_step_on_val_is_kept(small_release, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(training, "score_pairs", ScriptedVal([10.0, 30.0, 30.0]))
    report = train(small_release, small_table(), tmp_path / "tiny", quiet)
    assert (report.step, report.selection, report.metrics["R@1"]) == (8, "best R@1 on val", 30.0)
    assert [record["R@1"] for record in curve(tmp_path / "tiny") if "R@1" in record] == [10.0, 30.0, 30.0]


class ScriptedVal:
    """Stands for the validation: answers what it was told to, one look after the other."""

    def __init__(self, answers: list[float]) -> None:
        self.answers = iter(answers)

    def __call__(self, *_: object) -> ScriptedVal:
        return self

    def as_dict(self) -> dict[str, float]:
        return {"R@1": next(self.answers)}


def test_weights_that_are_kept_are_those_of_the_best_step(small_release, tmp_path, quiet, monkeypatch):
    scripted, looked_at = ScriptedVal([10.0, 30.0, 20.0]), []

    def look(clip, *_: object) -> ScriptedVal:
        looked_at.append({name: tensor.clone() for name, tensor in clip.state_dict().items()})
        return scripted

    monkeypatch.setattr(training, "score_pairs", look)
    train(small_release, small_table(), tmp_path / "tiny", quiet)
    kept, name = open_checkpoint(tmp_path / "tiny")[0].state_dict(), "visual_projection.weight"
    assert [torch.equal(kept[name], then[name]) for then in looked_at] == [False, True, False]


def test_without_a_val_split_the_last_step_is_kept_and_said(tmp_path, quiet):
    release = written(tmp_path / "release", world_rows("train", 6, 0))
    report = train(release, small_table(), tmp_path / "tiny", quiet)
    assert (report.step, report.selection, report.metrics) == (12, "last", {})
    assert "no val split" in quiet[1]


def test_val_of_one_person_chooses_nothing(tmp_path, quiet):
    """Every ranking of one person is right: the first look would win, however little was learned by then."""
    release = written(tmp_path / "release", [*world_rows("train", 6, 0), *world_rows("val", 1, 6)])
    report = train(release, small_table(), tmp_path / "tiny", quiet)
    assert (report.step, report.selection, report.metrics) == (12, "last", {})
    assert "no val split with two identities: the last step will be kept" in quiet[1]


# --- what it says ---------------------------------------------------------------------------------------------------


def test_captions_cut_at_the_limit_are_counted(small_release, tmp_path, quiet):
    train(small_release, small_table(text_tokens=100, steps=1), tmp_path / "tiny", quiet)
    assert quiet[0] == "decoding 24 images of split `train`"
    assert "(0 cut" not in quiet[1] and "cut at 100 tokens" in quiet[1]


def test_captions_all_over_the_limit_are_refused(small_release, tmp_path, quiet):
    with pytest.raises(KitError, match="every caption is longer than 4 tokens") as error:
        train(small_release, small_table(text_tokens=4), tmp_path / "tiny", quiet)
    assert "baseline.text_tokens" in error.value.mend


def test_identities_with_one_image_are_told(tmp_path, quiet):
    release = written(tmp_path / "release", [*world_rows("train", 3, 0), *world_rows("train", 2, 3, images_each=1)])
    train(release, small_table(steps=1), tmp_path / "tiny", quiet)
    assert "cpu; 2 with one image;" in quiet[1]


def test_half_precision_keeps_weights_in_full_and_losses_finite(small_release, tmp_path, quiet):
    table = small_table(steps=2, precision="bf16", **ALL_LOSSES)
    assert math.isfinite(train(small_release, table, tmp_path / "tiny", quiet).loss)
    model, _, _ = open_checkpoint(tmp_path / "tiny")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_checkpoint_of_the_kit_is_a_start_for_another(small_release, tmp_path, quiet):
    train(small_release, small_table(steps=2), tmp_path / "first", quiet)
    table = small_table(pretrained=str(tmp_path / "first"), steps=1, learning_rate=1e-12, mask=0.1, shift_px=0)
    train(small_release, table, tmp_path / "second", quiet)
    held, kept = (open_checkpoint(tmp_path / name)[0].state_dict() for name in ("first", "second"))
    for name, tensor in held.items():
        torch.testing.assert_close(kept[name], tensor, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [{"losses": only()}, {"losses": only(words=1)}, {"losses": only(match=1), "decoder": {"width": 16, "heads": 7}}],
)
def test_recipe_that_cannot_be_trained_leaves_no_folder(small_release, tmp_path, quiet, changes):
    with pytest.raises(KitError, match=r"weight 0|masked words|no multiple"):
        train(small_release, small_table(**changes), tmp_path / "tiny", quiet)
    assert not (tmp_path / "tiny").exists()


def test_one_identity_is_refused(tmp_path, quiet):
    release = written(tmp_path / "release", world_rows("train", 1, 0))
    with pytest.raises(KitError, match="one identity"):
        train(release, small_table(), tmp_path / "tiny", quiet)


def test_torn_training_state_says_what_to_remove(small_release, tmp_path, quiet):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/training.safetensors").write_bytes(b"torn")
    with pytest.raises(KitError, match="is no safetensors file") as error:
        train(small_release, small_table(), tmp_path / "tiny", quiet)
    assert error.value.mend.endswith(f"rm {tmp_path / 'tiny/training.safetensors'}")


def test_start_that_cannot_be_had_is_said_before_pictures_are_decoded(small_release, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(training, "load_pairs", None)
    with pytest.raises(KitError, match=r"no `model\.safetensors`"):
        train(small_release, small_table(pretrained=str(tmp_path)), tmp_path / "tiny", quiet)


def test_corrupt_image_is_named(tmp_path, quiet):
    rows = world_rows("train", 4, 0)
    rows[5]["image"] = {"bytes": rows[5]["image"]["bytes"][:200], "path": None}
    with pytest.raises(BadInput, match="image `p2-00005`"):
        train(written(tmp_path / "release", rows), small_table(), tmp_path / "tiny", quiet)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_out_of_memory_names_the_batch(small_release, tmp_path, quiet, monkeypatch, error):
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr(training, "draw", full)
    with pytest.raises(KitError, match=r"out of .*memory training with batches of 8") as found:
        train(small_release, small_table(), tmp_path / "tiny", quiet)
    assert "baseline.batch=4" in found.value.mend


def test_other_runtime_errors_stay_what_they_are(small_release, tmp_path, quiet, monkeypatch):
    def wrong(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(training, "draw", wrong)
    with pytest.raises(RuntimeError, match="mat1"):
        train(small_release, small_table(), tmp_path / "tiny", quiet)


def test_loss_that_is_no_number_stops_the_run(small_release, tmp_path, quiet):
    with pytest.raises(KitError, match="not finite at step"):
        train(small_release, small_table(learning_rate=1e30, warmup=0.0), tmp_path / "tiny", quiet)


def test_thread_count_and_kernels_are_given_back(small_release, tmp_path, quiet):
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    train(small_release, small_table(steps=1), tmp_path / "tiny", quiet)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_second_process_on_the_same_folder_is_refused(small_release, tmp_path, quiet):
    (tmp_path / "tiny").mkdir()
    with (
        claimed(tmp_path / "tiny", "training", wait=False),
        pytest.raises(KitError, match="trained by another process"),
    ):
        train(small_release, small_table(), tmp_path / "tiny", quiet)


def test_disk_that_takes_no_more_is_one_line_and_the_run_goes_on_later(small_release, unbroken, tmp_path, quiet):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(KitError, match="file size limit reached"):
            train(small_release, small_table(), tmp_path / "tiny", quiet)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    (tmp_path / "tiny" / ".model.safetensors.1.tmp").write_bytes(b"half")
    train(small_release, small_table(), tmp_path / "tiny", quiet)
    assert bytes_of(tmp_path / "tiny") == unbroken
