"""All losses of a batch: each against its own sum, switches that leave out layers, labels of pairs and of mismatches."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import ALL_LOSSES, only, small_table  # noqa: E402
from ufine_kit.baseline import losses  # noqa: E402
from ufine_kit.baseline.check import LOSSES  # noqa: E402
from ufine_kit.baseline.model import look, new_model, read_texts  # noqa: E402
from ufine_kit.baseline.objective import UNTOLD, Objective, similarities  # noqa: E402
from ufine_kit.baseline.tokens import END, PAD, START  # noqa: E402
from ufine_kit.tables import LossesTable  # noqa: E402

pytestmark = pytest.mark.full

PEOPLE = torch.tensor([0, 3, 0, 2])  # of five persons of the train split
IDS = torch.tensor(
    [
        [START, 9, 8, 7, 6, END],
        [START, 20, END, PAD, PAD, PAD],
        [START, 5, 31, END, PAD, PAD],
        [START, 8, 8, 8, END, PAD],
    ]
)
IMAGES = torch.randn(4, 3, 32, 16, generator=torch.Generator().manual_seed(3))
TOLD = torch.full_like(IDS, UNTOLD)
TOLD[0, 2], TOLD[3, 1] = 44, 45


def made(**changes) -> Objective:
    torch.manual_seed(1)
    table = small_table(**changes)
    return Objective(new_model(table, 300), table, people=5)


def one(name: str) -> float:
    """The value of one loss alone, with weight 1."""
    objective = made(losses=only(**{name: 1.0}), mask=0.2)
    total, parts = objective(IMAGES, IDS, PEOPLE, TOLD)
    assert objective.names == [name]
    assert total.item() == pytest.approx(parts.item())
    return total.item()


def test_every_loss_of_the_recipe_is_known():
    temperatures = {"temperature", "tal_temperature", "tal_margin"}
    assert set(LossesTable.model_fields) - temperatures == set(LOSSES)


def test_total_is_the_weighted_sum_of_its_losses():
    weights = {name: 0.5 + number for number, name in enumerate(LOSSES)}
    objective = made(losses=weights, mask=0.2)
    total, parts = objective(IMAGES, IDS, PEOPLE, TOLD)
    assert objective.names == list(LOSSES)
    assert total.item() == pytest.approx(sum(w * p for w, p in zip(weights.values(), parts.tolist(), strict=True)))


HEADS = {
    "contrastive": set(), "sdm": set(), "tal": set(), "granularity": {"decoder"}, "match": {"decoder", "matcher"},
    "cross_identity": {"pairs"}, "identity": {"identity"}, "words": {"words"},
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_loss_left_out_leaves_out_its_layers(name):
    objective = made(losses=only(**{name: 1.0}), mask=0.2)
    assert {child for child, _ in objective.named_children()} == {"clip"} | HEADS[name]


@pytest.mark.parametrize("name", LOSSES)
def test_every_weight_that_is_trained_gets_a_gradient(name):
    """Several processes wait for every gradient: a layer that no loss reaches would stop them."""
    objective = made(losses=only(**{name: 1.0}), mask=0.2)
    objective(IMAGES, IDS, PEOPLE, TOLD)[0].backward()
    assert [n for n, p in objective.named_parameters() if p.requires_grad and p.grad is None] == []


def test_global_losses_are_those_of_the_cosines():
    objective = made(losses=only(sdm=1.0))
    seen, _ = look(objective.clip, IMAGES)
    said, _, _ = read_texts(objective.clip, IDS)
    seen, said = (torch.nn.functional.normalize(side, dim=1) for side in (seen, said))
    same = losses.same_person(PEOPLE, PEOPLE)
    wanted = losses.sdm(seen @ said.T, same, 0.05) + losses.sdm(said @ seen.T, same, 0.05)
    assert one("sdm") == pytest.approx(wanted.item(), rel=1e-5)


def test_matching_loss_is_that_of_3b_pairs():
    objective = made(losses=only(match=1.0))
    _, patches = look(objective.clip, IMAGES)
    _, words, read = read_texts(objective.clip, IDS)
    images, texts = objective.decoder(patches), objective.decoder(words, read)
    rows, columns = (each.detach() for each in similarities(images, texts))
    total = 0.0
    for i in range(4):
        others = [j for j in range(4) if PEOPLE[j] != PEOPLE[i]]
        text = max(others, key=lambda j: float(rows[i, j]))
        image = max(others, key=lambda j: float(columns[i, j]))
        for left, right, label in ((i, i, 1), (i, text, 0), (image, i, 0)):
            p = objective.matcher(images[left][None], texts[right][None]).sigmoid().item()
            total -= math.log(p if label else 1 - p)
    assert one("match") == pytest.approx(total / 12, rel=1e-4)


def test_cross_identity_loss_gives_pairs_their_person_and_mismatches_the_one_class_more():
    objective = made(losses=only(cross_identity=1.0))
    seen, _ = look(objective.clip, IMAGES)
    said, _, _ = read_texts(objective.clip, IDS)
    rows, columns = (each.detach() for each in similarities(seen, said))
    total = 0.0
    for i in range(4):
        others = [j for j in range(4) if PEOPLE[j] != PEOPLE[i]]
        text = max(others, key=lambda j: float(rows[i, j]))
        image = max(others, key=lambda j: float(columns[i, j]))
        for left, right, label in ((i, i, int(PEOPLE[i])), (i, text, 5), (image, i, 5)):
            for logits in objective.pairs(seen[left][None], said[right][None]):
                total -= logits.log_softmax(dim=1)[0, label].item() / 2
    assert one("cross_identity") == pytest.approx(total / 12, rel=1e-4)


def test_identity_loss_is_the_mean_of_both_sides():
    objective = made(losses=only(identity=1.0))
    seen, _ = look(objective.clip, IMAGES)
    said, _, _ = read_texts(objective.clip, IDS)
    each = [torch.nn.functional.cross_entropy(objective.identity(side), PEOPLE) for side in (seen, said)]
    assert one("identity") == pytest.approx(float(sum(each)) / 2, rel=1e-5)


def test_words_are_told_where_they_were_masked_and_nowhere_else():
    objective = made(losses=only(words=1.0), mask=0.2)
    _, patches = look(objective.clip, IMAGES)
    _, words, read = read_texts(objective.clip, IDS)
    logits = objective.words(words, read, patches, torch.arange(6).expand(4, -1)).log_softmax(dim=2)
    wanted = -(logits[0, 2, 44] + logits[3, 1, 45]) / 2
    assert one("words") == pytest.approx(wanted.item(), rel=1e-4)


@pytest.mark.parametrize("name", ["match", "cross_identity"])
def test_where_nobody_else_is_there_the_pairs_alone_are_judged(name):
    """The hardest of no candidates is some image of the same person, which must not count as a mismatch."""
    objective, nobody_else = made(losses=only(**{name: 1.0})), torch.full((4,), 3)
    seen, patches = look(objective.clip, IMAGES)
    said, words, read = read_texts(objective.clip, IDS)
    if name == "match":
        wanted = -objective.matcher(objective.decoder(patches), objective.decoder(words, read)).sigmoid().log().mean()
    else:
        wanted = sum(torch.nn.functional.cross_entropy(each, nobody_else) for each in objective.pairs(seen, said)) / 2
    found, _ = objective(IMAGES, IDS, nobody_else)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-4)


def test_batch_of_one_person_is_still_a_number():
    objective = made(**ALL_LOSSES)
    total, _ = objective(IMAGES, IDS, torch.zeros(4, dtype=torch.long), TOLD)
    assert math.isfinite(total.item())


def test_padding_changes_no_loss():
    objective = made(**ALL_LOSSES)
    longer, told = torch.nn.functional.pad(IDS, (0, 9), value=PAD), torch.nn.functional.pad(TOLD, (0, 9), value=UNTOLD)
    torch.testing.assert_close(
        objective(IMAGES, IDS, PEOPLE, TOLD)[1], objective(IMAGES, longer, PEOPLE, told)[1], rtol=1e-4, atol=1e-5
    )


def test_all_losses_compile_into_one_graph():
    """What breaks the graph in two is compiled in two, and the host is back between them in every step."""
    objective = made(**ALL_LOSSES)
    compiled = torch.compile(objective, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(IMAGES, IDS, PEOPLE, TOLD), objective(IMAGES, IDS, PEOPLE, TOLD))
