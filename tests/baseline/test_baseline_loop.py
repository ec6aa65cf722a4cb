"""The loop itself: the same steps as one written out, as many as an epoch has pairs, and how long they will take."""

from __future__ import annotations

import itertools
import math

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import small_table  # noqa: E402
from ufine_kit.baseline import train as training  # noqa: E402
from ufine_kit.baseline.batches import draw, open_source  # noqa: E402
from ufine_kit.baseline.checkpoint import open_checkpoint  # noqa: E402
from ufine_kit.baseline.data import load_pairs  # noqa: E402
from ufine_kit.baseline.objective import Objective  # noqa: E402
from ufine_kit.baseline.train import ahead, start, train  # noqa: E402

pytestmark = pytest.mark.full


def test_training_equals_the_loop_written_out(small_release, tmp_path, quiet):
    """Schedule, decay, clipping and forgotten gradients: AdamW without the kit's own groups and steps."""
    table = small_table(steps=3, evaluate_every=3, select="last", weight_decay=0.1, beta2=0.9, clip_norm=0.5)
    train(small_release, table, tmp_path / "tiny", quiet)

    pairs = load_pairs(small_release, "train", 32, 16)
    clip, tokenizer = start(table, pairs.captions)
    objective = Objective(clip, table, len(pairs.person_ids))  # InfoNCE alone has no layers of its own
    source = open_source(pairs, tokenizer, table, torch.device("cpu"))
    trained = [each for each in objective.parameters() if each.requires_grad]
    groups = [
        {"params": [each for each in trained if each.ndim > 1], "weight_decay": 0.1},
        {"params": [each for each in trained if each.ndim < 2], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.9))
    for step in range(3):
        for group in optimiser.param_groups:
            group["lr"] = table.learning_rate * (1 + math.cos(math.pi * step / 3)) / 2
        drawn = draw(source, table, step)
        optimiser.zero_grad()
        objective(drawn.images, drawn.ids, drawn.people)[0].backward()
        torch.nn.utils.clip_grad_norm_(trained, 0.5)
        optimiser.step()

    found = open_checkpoint(tmp_path / "tiny")[0].state_dict()
    for name, wanted in clip.state_dict().items():
        if name.endswith("k_proj.bias"):  # softmax does not feel it: its gradient is rounding, which Adam makes large
            continue
        torch.testing.assert_close(found[name], wanted, rtol=1e-4, atol=1e-5, msg=name)


def test_epoch_is_as_many_pairs_as_there_are_captions(small_release, tmp_path, quiet):
    table = small_table(epochs=1, evaluate_every=1, select="last")
    assert train(small_release, table, tmp_path / "tiny", quiet).steps == 24 * 2 // 8


def test_between_two_looks_nobody_waits_long_for_a_word(small_release, tmp_path, quiet, monkeypatch):
    """A minute a reading of the clock: every point of the curve is told, though val is looked at once."""
    minutes = itertools.count()
    monkeypatch.setattr(training.time, "monotonic", lambda: 60.0 * next(minutes))
    train(small_release, small_table(steps=25, evaluate_every=25), tmp_path / "tiny", quiet)
    said = [line for line in quiet if line.startswith("step ")]
    assert [line.split()[1] for line in said] == ["10", "20", "25"]
    assert ["R@1" in line for line in said] == [False, False, True]


@pytest.mark.parametrize(
    ("steps", "pace", "wanted"),
    [
        (34_220, 39.0, "; 2,496 pairs a second, 0:14:37 left"),
        (34_220, 0.1, "; 6 pairs a second, 3 days, 23:03:20 left"),
        (59, 1.0, ""),
        (0, 1.0, ""),
    ],
)
def test_long_runs_say_how_fast_they_go_and_how_long_they_will(steps, pace, wanted):
    assert ahead(steps, pace, 64) == wanted


def test_every_look_says_what_lies_ahead(small_release, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(training, "ahead", lambda steps, pace, batch: f"; {steps} of {batch}, {pace > 0}")
    train(small_release, small_table(), tmp_path / "tiny", quiet)
    looks = [line.rpartition("; ")[2] for line in quiet if line.startswith("step ")]
    assert looks == ["8 of 8, True", "4 of 8, True", "0 of 8, True"]
