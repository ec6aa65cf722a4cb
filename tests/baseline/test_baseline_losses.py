"""The losses against their formulas written out as loops."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from ufine_kit.baseline.losses import EPSILON, contrastive, same_person, sdm  # noqa: E402

pytestmark = pytest.mark.full

# Persons met three times and once; in pairs; all alike; nobody twice.
PEOPLE = [[0, 0, 0, 1, 2], [3, 1, 3, 1], [5, 5], [4, 2, 7, 1, 0, 9]]


def features(count: int, seed: int, width: int = 6):
    made = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(count, width, generator=made, dtype=torch.float64), dim=1)


def distributions(queries, keys, people, temperature):
    """p [B][B] and q [B][B] of one direction, by loops."""
    p, q = [], []
    for i in range(len(people)):
        powers = [math.exp(float(queries[i] @ keys[j]) / temperature) for j in range(len(people))]
        same = [float(people[i] == people[j]) for j in range(len(people))]
        p.append([power / sum(powers) for power in powers])
        q.append([each / sum(same) for each in same])
    return p, q


def loop_sdm(images, texts, people, temperature):
    total = 0.0
    for queries, keys in ((images, texts), (texts, images)):
        p, q = distributions(queries, keys, people, temperature)
        for row_p, row_q in zip(p, q, strict=True):
            total += sum(a * (math.log(a) - math.log(b + EPSILON)) for a, b in zip(row_p, row_q, strict=True)) / len(p)
    return total


def loop_contrastive(images, texts, people, temperature):
    total = 0.0
    for queries, keys in ((images, texts), (texts, images)):
        p, q = distributions(queries, keys, people, temperature)
        for row_p, row_q in zip(p, q, strict=True):
            total -= sum(b * math.log(a) for a, b in zip(row_p, row_q, strict=True)) / len(p)
    return total


@pytest.mark.parametrize("people", PEOPLE)
@pytest.mark.parametrize("temperature", [0.02, 0.1, 1.0])
@pytest.mark.parametrize(("loss", "loop"), [(sdm, loop_sdm), (contrastive, loop_contrastive)])
def test_loss_equals_its_double_loop(loss, loop, people, temperature):
    images, texts = features(len(people), 1), features(len(people), 2)
    found = loss(images, texts, torch.tensor(people), temperature).item()
    # The targets are float32 whatever the features are.
    assert found == pytest.approx(loop(images, texts, people, temperature), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("loss", [sdm, contrastive])
def test_gradient_equals_finite_differences(loss):
    images, texts = features(5, 3).requires_grad_(), features(5, 4).requires_grad_()
    people = torch.tensor(PEOPLE[0])
    assert torch.autograd.gradcheck(lambda a, b: loss(a, b, people, 0.2), (images, texts))


def test_target_spreads_over_the_same_person():
    wanted = [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]
    assert same_person(torch.tensor([7, 2, 7])).tolist() == wanted


@pytest.mark.parametrize("loss", [sdm, contrastive])
def test_loss_falls_when_pairs_agree(loss):
    images, people = features(4, 5), torch.arange(4)
    others = images[torch.tensor([1, 2, 3, 0])]
    assert loss(images, images, people, 0.05) < loss(images, others, people, 0.05)
