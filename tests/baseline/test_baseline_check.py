"""What a recipe of a training cannot have is one line with the `--set` that mends it, before anything is read."""

from __future__ import annotations

import pytest

from baseline.releases import only, small_table, world_rows, written
from typed import run_cli
from ufine_kit.baseline.check import check_recipe, losses_of
from ufine_kit.errors import KitError

NARROW = {"queries": 3, "width": 16, "blocks": 1, "heads": 7}


@pytest.mark.parametrize(
    ("changes", "said", "mend"),
    [
        ({"losses": only()}, "every loss has weight 0", "baseline.losses.contrastive=1"),
        ({"losses": only(words=1)}, "`baseline.losses.words` tells masked words", "baseline.mask=0.12"),
        (
            {"losses": only(match=1), "decoder": NARROW},
            "`baseline.decoder.width` 16 is no",
            "baseline.decoder.width=21",
        ),
        ({"seed": -1}, "`baseline.seed` -1", "baseline.seed=0"),
        ({"seed": 10**20}, "`baseline.seed` 1000", "baseline.seed=0"),
        ({"losses": only(granularity=1), "decoder": NARROW}, "`baseline.decoder.heads` 7", "baseline.decoder.width=21"),
    ],
)
def test_recipe_that_cannot_be_trained_names_what_mends_it(changes, said, mend):
    with pytest.raises(KitError) as error:
        check_recipe(small_table(**changes))
    assert said in error.value.problem and "\n" not in error.value.problem
    assert f"--set {mend}" in error.value.mend


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"losses": only(words=1), "mask": 0.1},
        {"losses": only(words=1), "replace": 0.1},
        {"losses": only(sdm=1), "decoder": NARROW},  # no loss reads the decoder
        {"losses": only(match=1)},
    ],
)
def test_recipe_that_can_be_trained_passes(changes):
    check_recipe(small_table(**changes))


def test_losses_of_a_recipe_are_those_with_a_weight():
    assert losses_of(small_table(losses=only(words=0.5, sdm=1))) == {"sdm": 1.0, "words": 0.5}


def test_dry_run_says_it_too(tmp_path):
    written(tmp_path / "release", world_rows("train", 2, 0))
    words = ["baseline-train", tmp_path / "release", "-w", tmp_path / "work", "--dry-run"]
    assert run_cli(*words).code == 0
    ran = run_cli(*words, "--set", "baseline.losses.contrastive=0")
    assert ran.code == 2
    assert "every loss has weight 0" in ran.err
