"""Learning rates: over the steps, and layer by layer."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import ALL_LOSSES, small_table  # noqa: E402
from ufine_kit.baseline.model import new_model  # noqa: E402
from ufine_kit.baseline.objective import Objective  # noqa: E402
from ufine_kit.baseline.optimise import Schedule, optimiser_of, rate, schedule, set_rate  # noqa: E402

pytestmark = pytest.mark.full


def test_learning_rate_rises_over_the_warm_up_and_falls_to_nothing():
    plan = Schedule(steps=100, look_every=10, warm=10)
    rates = [rate(step, plan) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == 1
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[55] == pytest.approx(0.5)
    assert 0 < rates[99] < 0.001


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"steps": 100, "evaluate_every": 20, "warmup": 0.1}, (100, 20, 10)),
        # The paper's: 37,154 pairs in batches of 64, five of sixty epochs of warm-up.
        ({"epochs": 60, "batch": 64, "evaluate_every": 1, "warmup": 5 / 60}, (34_800, 580, 2_900)),
    ],
)
def test_length_is_told_in_steps_or_in_epochs(changes, wanted):
    plan = schedule(small_table(**changes), 37_154)
    assert (plan.steps, plan.look_every, plan.warm) == wanted


@pytest.fixture
def objective():
    return Objective(new_model(small_table(), 300), small_table(**ALL_LOSSES), 5)


def groups_by_name(objective, optimiser) -> dict[str, dict]:
    places = {id(each): group for group in optimiser.param_groups for each in group["params"]}
    return {name: places.get(id(each)) for name, each in objective.named_parameters()}


def test_biases_norms_and_single_vectors_are_not_decayed(objective):
    groups = groups_by_name(objective, optimiser_of(objective, small_table(weight_decay=0.5)))
    for name, parameter in objective.named_parameters():
        if name == "clip.logit_scale":
            assert groups[name] is None  # temperatures are fixed
        else:
            assert groups[name]["weight_decay"] == (0.5 if parameter.ndim > 1 else 0.0), name


def test_new_layers_and_stretched_positions_learn_at_their_own_rate(objective):
    table = small_table(pretrained="some/clip", learning_rate=1e-5, new_learning_rate=5e-5)
    optimiser = optimiser_of(objective, table)
    set_rate(optimiser, 0.5)
    groups = groups_by_name(objective, optimiser)
    for name in ("decoder.queries", "matcher.judge.3.bias", "pairs.classify.weight", "identity.weight"):
        assert groups[name]["lr"] == pytest.approx(2.5e-5)
    assert groups["clip.text_model.embeddings.position_embedding.weight"]["lr"] == pytest.approx(2.5e-5)
    for name in ("clip.visual_projection.weight", "clip.text_model.embeddings.token_embedding.weight"):
        assert groups[name]["lr"] == pytest.approx(0.5e-5)


def test_from_scratch_everything_learns_at_one_rate(objective):
    optimiser = optimiser_of(objective, small_table(learning_rate=1e-3, new_learning_rate=5e-5))
    assert {group["full_rate"] for group in optimiser.param_groups} == {1e-3}
