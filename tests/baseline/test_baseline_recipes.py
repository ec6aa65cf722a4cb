"""Recipes of the baseline: each loads, is its own manual, and says what the paper says."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from ufine_kit.errors import KitError
from ufine_kit.manifest import CheckpointName
from ufine_kit.recipe import load_recipe
from ufine_kit.resources import resource, resource_names

NAMES = [
    name.removesuffix(".toml")
    for name in resource_names("recipes", ".toml")
    if re.match(r"cfam|ablation|irra|sdm|tal|reproduce|baseline", name)
]
ABLATION = [f"ablation_{number}" for number in range(5)]
PAPER = ["cfam_b16", "cfam_l14", "sdm", "tal", *[name for name in NAMES if name.startswith("reproduce")]]


def weights(name: str) -> dict[str, float]:
    """Losses that are on."""
    said = load_recipe(name).baseline.losses.model_dump()
    return {loss: value for loss, value in said.items() if value and not re.search("temperature|margin", loss)}


@pytest.mark.parametrize("name", NAMES)
def test_recipe_is_its_own_manual(name):
    text = resource("recipes", f"{name}.toml").read_text()
    assert text.startswith("#:schema ../schemas/recipe.json\n# ")
    assert f"--recipe {name}" in text
    assert "Change one value:  --set baseline." in text
    (change,) = re.findall(r"Change one value:  --set (\S+)", text)
    assert load_recipe(name, [change]).baseline != load_recipe(name).baseline


@pytest.mark.parametrize("name", NAMES)
def test_recipe_trains_something(name):
    table = load_recipe(name).baseline
    assert weights(name)
    assert (table.mask > 0) or not table.losses.words


def test_rows_of_the_ablation_add_one_loss_at_a_time():
    rows = [set(weights(name)) for name in ABLATION]
    assert rows[0] == {"contrastive"}
    assert rows[1] == {"sdm"}
    assert [sorted(after - before) for before, after in itertools.pairwise(rows[1:])] == [
        ["granularity"],
        ["match"],
        ["cross_identity"],
    ]
    assert rows[4] == set(weights("cfam_b16"))


def test_rows_of_the_ablation_share_every_other_setting():
    first, *others = [load_recipe(name).baseline.model_dump(exclude={"name", "losses"}) for name in ABLATION]
    assert others == [first] * 4


@pytest.mark.parametrize("name", PAPER)
def test_the_paper_s_settings(name):
    table = load_recipe(name).baseline
    assert (table.epochs, table.batch, table.learning_rate, table.new_learning_rate) == (60, 64, 1e-5, 5e-5)
    assert table.text_tokens == 168
    assert table.warmup * 60 == pytest.approx(5, abs=0.001)
    assert table.weight_decay == 0  # Adam
    patch = 14 if name == "cfam_l14" else 16
    assert table.image_height_px % patch == table.image_width_px % patch == 0
    assert (round(table.image_height_px / 384, 1), round(table.image_width_px / 128, 1)) == (1.0, 1.0)


TARGETS = {
    "reproduce_ufine6926": ("ufine6926", 86.65, 85.23, 67.49),
    "reproduce_ufine3c": ("ufine3c", 59.61, 56.53, 45.22),
    "reproduce_cuhk": ("cuhk-pedes", 73.67, 65.94, 51.32),
    "reproduce_icfg": ("icfg-pedes", 63.57, 38.34, 29.01),
    "reproduce_rstp": ("rstpreid", 60.51, 47.64, 35.67),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_are_the_rows_of_the_paper(name):
    table = load_recipe(name).baseline
    (found,) = table.targets.items()
    release, *wanted = TARGETS[name]
    assert found[0] == release
    assert list(found[1].metrics.items()) == list(zip(("R@1", "mAP", "mSD"), wanted, strict=True))
    assert table.select == "last"  # the test split chooses nothing


def test_longest_name_leaves_room_for_the_seeds_that_a_record_tells():
    longest = load_recipe("cfam_b16", [f"baseline.name={'a' * 48}"]).baseline.name
    assert CheckpointName(name=f"{longest}-1000-seeds", selection={"rule": "last"}).name.startswith(longest)
    with pytest.raises(KitError, match=r"baseline\.name"):
        load_recipe("cfam_b16", [f"baseline.name={'a' * 49}"])


def test_target_that_nothing_measures_is_refused():
    row = 'baseline.targets={mine={paper="Table 1",metrics={%s=1.0},tolerance=1.5}}'
    assert load_recipe("cfam_b16", [row % "mAP"]).baseline.targets["mine"].metrics == {"mAP": 1.0}
    with pytest.raises(KitError, match="R2"):
        load_recipe("cfam_b16", [row % "R2"])


def test_every_reproduction_has_its_target():
    assert {name for name in NAMES if name.startswith("reproduce")} == set(TARGETS)


def test_parts_of_the_baseline_import_no_torch_before_it_is_needed():
    """The command line reads recipes and plans without it."""
    text = (Path(__file__).parents[2] / "toolkit/ufine_kit/cli/baseline.py").read_text()
    top = [line for line in text.splitlines() if line.startswith(("import ", "from "))]
    assert not [line for line in top if "torch" in line or "ufine_kit.baseline" in line]
