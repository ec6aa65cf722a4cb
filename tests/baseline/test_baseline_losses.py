"""The losses against their formulas written out as loops."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from ufine_kit.baseline.losses import (  # noqa: E402
    EPSILON,
    contrastive,
    hardest,
    matching,
    same_person,
    sdm,
    shares,
    tal,
)
from ufine_kit.baseline.objective import both, similarities  # noqa: E402

pytestmark = pytest.mark.full

# Persons met three times and once; in pairs; all alike; nobody twice.
PEOPLE = [[0, 0, 0, 1, 2], [3, 1, 3, 1], [5, 5], [4, 2, 7, 1, 0, 9]]
MARGIN = 0.1


def features(count: int, seed: int, width: int = 6):
    made = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(count, width, generator=made, dtype=torch.float64), dim=1)


def distributions(rows, people, temperature):
    """p [B][B] and q [B][B] of one direction, by loops."""
    p, q = [], []
    for i in range(len(people)):
        powers = [math.exp(float(rows[i][j]) / temperature) for j in range(len(people))]
        same = [float(people[i] == people[j]) for j in range(len(people))]
        p.append([power / sum(powers) for power in powers])
        q.append([each / sum(same) for each in same])
    return p, q


def loop_sdm(rows, people, temperature):
    p, q = distributions(rows, people, temperature)
    pairs = [(a, b) for row_p, row_q in zip(p, q, strict=True) for a, b in zip(row_p, row_q, strict=True)]
    return sum(a * (math.log(a) - math.log(b + EPSILON)) for a, b in pairs) / len(p)


def loop_contrastive(rows, people, temperature):
    p, q = distributions(rows, people, temperature)
    return -sum(b * math.log(a) for x, y in zip(p, q, strict=True) for a, b in zip(x, y, strict=True)) / len(p)


def loop_tal(rows, people, temperature):
    total = 0.0
    for i, person in enumerate(people):
        positives = [float(rows[i][j]) for j, other in enumerate(people) if other == person]
        negatives = [float(rows[i][j]) for j, other in enumerate(people) if other != person]
        powers = [math.exp(each / temperature) for each in positives]
        mine = sum(power * each for power, each in zip(powers, positives, strict=True)) / sum(powers)
        if negatives:
            worst = temperature * math.log(sum(math.exp(each / temperature) for each in negatives))
            total += max(0.0, MARGIN - mine + worst)
    return total / len(people)


def our_tal(rows, same, temperature):
    return tal(rows, same, temperature, MARGIN)


@pytest.mark.parametrize("people", PEOPLE)
@pytest.mark.parametrize("temperature", [0.02, 0.1, 1.0])
@pytest.mark.parametrize(
    ("loss", "loop"), [(sdm, loop_sdm), (contrastive, loop_contrastive), (our_tal, loop_tal)], ids=["sdm", "nce", "tal"]
)
def test_loss_equals_its_double_loop(loss, loop, people, temperature):
    images, texts, labels = features(len(people), 1), features(len(people), 2), torch.tensor(people)
    found = both(loss, (images @ texts.T, texts @ images.T), same_person(labels, labels), temperature).item()
    wanted = loop(images @ texts.T, people, temperature) + loop(texts @ images.T, people, temperature)
    # The targets are float32 whatever the features are.
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("loss", [sdm, contrastive])
def test_gradient_equals_finite_differences(loss):
    images, texts = features(5, 3).requires_grad_(), features(5, 4).requires_grad_()
    people = torch.tensor(PEOPLE[0])
    same = same_person(people, people)
    assert torch.autograd.gradcheck(lambda a, b: both(loss, (a @ b.T, b @ a.T), same, 0.2), (images, texts))


@pytest.mark.parametrize(("p", "of_infonce"), [(0.003, 0.067), (0.05, 0.971), (0.5, 8.24)])
def test_sdm_hardly_pulls_a_pair_that_is_far_down(p, of_infonce):
    """By the derivative of its formula at the own pair's logit; from a weak start it learns far less than InfoNCE."""
    others = math.log((1 - p) / 7)
    same = torch.tensor([[True] + 7 * [False]])
    pulls = []
    for loss in (sdm, contrastive):
        logits = torch.tensor([[math.log(p)] + 7 * [others]], dtype=torch.float64, requires_grad=True)
        loss(logits, same, 1.0).backward()
        pulls.append(logits.grad[0, 0].item())
    wanted = p * (1 - p) * (math.log(p) - others + math.log(EPSILON))
    assert pulls == pytest.approx([wanted, p - 1], rel=1e-5)
    assert pulls[0] / pulls[1] == pytest.approx(of_infonce, rel=1e-2)


def test_gradient_of_tal_takes_the_weights_as_given():
    """Finite differences of the formula with the weights of the positives held at their values."""
    rows, people = features(5, 6) @ features(5, 7).T, torch.tensor(PEOPLE[0])
    same = same_person(people, people)
    weights = (rows / 0.2).masked_fill(~same, -torch.inf).softmax(dim=1)

    def held(similarity):
        worst = 0.2 * (similarity / 0.2).masked_fill(same, -torch.inf).logsumexp(dim=1)
        return (MARGIN - (weights * similarity).sum(dim=1) + worst).clamp(min=0).mean()

    found, wanted = (rows.clone().requires_grad_() for _ in range(2))
    tal(found, same, 0.2, MARGIN).backward()
    held(wanted).backward()
    torch.testing.assert_close(found.grad, wanted.grad)


def test_target_spreads_over_the_same_person():
    labels = torch.tensor([7, 2, 7])
    wanted = [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]
    assert shares(same_person(labels, labels)).tolist() == wanted
    # Rows of one process against the whole batch.
    assert same_person(labels[1:], labels).tolist() == [[False, True, False], [True, False, True]]


@pytest.mark.parametrize("loss", [sdm, contrastive, our_tal])
def test_loss_falls_when_pairs_agree(loss):
    images, people = features(4, 5), torch.arange(4)
    same, others = same_person(people, people), images[torch.tensor([1, 2, 3, 0])]
    assert loss(images @ images.T, same, 0.05) < loss(images @ others.T, same, 0.05)


@pytest.mark.parametrize("seed", range(20))
def test_hard_negative_is_the_nearest_of_another_person_and_never_of_the_same(seed):
    made = torch.Generator().manual_seed(seed)
    people = torch.randint(0, 4, (9,), generator=made)
    rows = torch.randn(9, 9, generator=made)
    found, there = hardest(rows, same_person(people, people))
    for i in range(9):
        others = [j for j in range(9) if people[j] != people[i]]
        assert bool(there[i]) == bool(others)
        if others:
            assert int(found[i]) == max(others, key=lambda j: float(rows[i, j]))


def test_batch_of_one_person_has_no_negative():
    people = torch.zeros(3)
    assert not hardest(torch.randn(3, 3), same_person(people, people))[1].any()


def test_matching_is_the_cross_entropy_that_equation_5_means():
    logits, matched = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([1, 0, 1])
    wanted = []
    for logit, label in zip(logits.tolist(), matched.tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        wanted.append(-math.log(p) if label else -math.log(1 - p))
    found = matching(logits, matched, torch.tensor([True, True, False]))
    assert found.tolist() == pytest.approx([*wanted[:2], 0.0], rel=1e-6)


def test_similarity_of_granularities_is_the_mean_of_their_cosines():
    """UFineBench, eq. 4."""
    images, texts = torch.randn(3, 4, 5), torch.randn(3, 4, 5)
    rows, columns = similarities(images, texts)
    for i in range(3):
        for j in range(3):
            cosines = [torch.nn.functional.cosine_similarity(images[i, k], texts[j, k], dim=0) for k in range(4)]
            assert rows[i, j].item() == pytest.approx(float(sum(cosines)) / 4, rel=1e-5, abs=1e-6)
            assert columns[j, i].item() == pytest.approx(rows[i, j].item(), rel=1e-5, abs=1e-6)
