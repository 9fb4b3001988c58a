"""What each lesson minimises, against the formula written out."""

import pytest
import torch
from accelerate import Accelerator
from torch import nn
from torch.nn.functional import cross_entropy

from packnet_book.runs.baselines import (
    AllTasks,
    Distillation,
    Elastic,
    distilling,
    flat,
    importance,
    joint_pictures,
)
from packnet_core import PackNet, training
from packnet_core.errors import NoFreeWeights
from packnet_core.images import Pictures, normalise
from packnet_core.training import Objective, Phase, fit


def network() -> PackNet:
    """Three tasks of 3, 2 and 4 classes on one small shared trunk."""
    torch.manual_seed(0)
    trunk = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 5))
    shared = PackNet(trunk, 5)
    shared.add_task("a", 3)
    shared.add_head("b", 2)
    shared.add_head("c", 4)
    return shared.requires_grad_(True)


def pictures(classes: int, side: int = 4, count: int = 24) -> Pictures:
    torch.manual_seed(classes)
    images = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8)
    names = tuple(map(str, range(classes)))
    return Pictures(images, torch.arange(count) % classes, names)


def test_sharing_needs_no_free_weights_and_owns_none():
    shared = network()
    assert shared.tasks == ["a", "b", "c"]
    assert all((owner == 1).all() for owner in shared.owner.values())
    with pytest.raises(NoFreeWeights):
        shared.add_task("d", 2)
    for task, classes in (("a", 3), ("b", 2), ("c", 4)):
        with shared.view(task):
            assert shared(torch.zeros(1, 3, 4, 4)).shape == (1, classes)


@pytest.mark.parametrize("strength", [1.0, 0.3])
def test_distillation_is_the_formula_of_the_paper(strength):
    shared = network()
    lesson = distilling(strength).loss(shared)
    with torch.no_grad():
        for parameter in shared.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    images, labels = torch.randn(6, 3, 4, 4), torch.arange(6) % 4
    expected = cross_entropy(shared(images), labels).item()
    for task in (0, 1):
        before = lesson.teacher.heads[task](lesson.teacher.trunk(images)) / 2
        now = shared.heads[task](shared.trunk(images)) / 2
        p, q = before.softmax(1), now.softmax(1)
        divergence = (p * (p.log() - q.log())).sum(1).mean().item()
        expected += strength * divergence  # without the factor, as published
    assert lesson(images, labels, labels).item() == pytest.approx(
        expected, rel=1e-5
    )


def test_the_teacher_of_a_distillation_never_changes():
    shared = network()
    lessons = []

    def loss(packed: PackNet) -> Distillation:
        lessons.append(Distillation(packed))
        return lessons[-1]

    before = {n: p.clone() for n, p in shared.named_parameters()}
    fit(
        shared, pictures(4), Phase(3, 0.1, batch=8), size=4,
        objective=Objective(loss, guarded=False),
    )  # fmt: skip
    for name, value in lessons[0].teacher.named_parameters():
        assert torch.equal(value, before[name])
    for name, value in shared.named_parameters():
        assert not torch.equal(value, before[name]), name


def test_owners_are_not_sent_about_nor_are_those_of_a_teacher():
    shared = network()
    model = Distillation(shared)
    with training._prepared(Accelerator(), model, shared):
        kept = model._ddp_params_and_buffers_to_ignore
    owners = [n for n, _ in model.named_buffers() if "owners." in n]
    assert len(owners) == 2 * len(shared.owner) == 4
    assert kept == owners


def test_the_trunk_waits_until_its_epoch():
    shared = network()
    before = {n: p.clone() for n, p in shared.named_parameters()}
    phase = Phase(2, 0.1, batch=8, weight_decay=0.01, trunk_from=2)
    fit(shared, pictures(4), phase, size=4, objective=distilling(1.0))
    for name, value in shared.named_parameters():
        same = torch.equal(value, before[name])
        assert same == name.startswith("trunk."), name


def test_the_importance_of_a_parameter_is_its_fisher_information():
    """Of logits that are parameters: p (1 - p), the label drawn or not."""
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(48, 2, bias=False))
    alone = PackNet(trunk, 2)
    alone.add_task("a", 2)
    with torch.no_grad():
        alone.heads[0].weight.copy_(torch.eye(2))
    shown = pictures(2, count=2)
    shown = Pictures(shown.images[:1].expand(2000, -1, -1, -1),
                     torch.zeros(2000).long(), ("x", "y"))  # fmt: skip
    fisher, anchor = importance(alone, shown, 4)
    x = normalise(shown.images[:1]).flatten()
    p = (trunk[1].weight @ x).softmax(0)[0].item()
    wanted = p * (1 - p) * x**2  # of each logit's weights
    assert fisher.view(2, 48)[0] == pytest.approx(wanted, rel=0.1)
    assert torch.equal(anchor, trunk[1].weight.detach().flatten())


def test_elastic_consolidation_is_the_formula_of_the_paper():
    shared = network()
    size = len(flat(shared.trunk.parameters()))
    terms = [(torch.rand(size), torch.randn(size)) for _ in range(2)]
    images, labels = torch.randn(6, 3, 4, 4), torch.arange(6) % 4
    now = flat(shared.trunk.parameters())
    expected = cross_entropy(shared(images), labels)
    for fisher, anchor in terms:
        expected = expected + 3 / 2 * (fisher * (now - anchor) ** 2).sum()
    loss = Elastic(shared, terms, 3.0)
    halves = [loss(images[i::2], labels[i::2], labels) for i in (0, 1)]
    assert sum(halves).item() == pytest.approx(expected.item(), rel=1e-5)


def test_all_tasks_are_told_apart_within_their_own_head_only():
    shared = network()
    images = torch.randn(5, 3, 4, 4)
    tasks, own = [0, 2, 1, 2, 0], [2, 3, 1, 0, 1]
    first = [0, 3, 5]  # a: 0 to 2, b: 3 and 4, c: 5 to 8
    labels = [first[t] + label for t, label in zip(tasks, own, strict=True)]
    losses = [
        cross_entropy(
            shared.heads[t](shared.trunk(images[i : i + 1])),
            torch.tensor([label]),
        ).item()
        for i, (t, label) in enumerate(zip(tasks, own, strict=True))
    ]
    whole = torch.tensor(labels)
    found = AllTasks(shared)(images, whole, whole).item()
    a, b, c = losses[0] + losses[4], losses[2], losses[1] + losses[3]
    assert found == pytest.approx(a / 2 + b + c / 2, rel=1e-5)


def test_pictures_of_several_tasks_come_as_one_set():
    parts = [pictures(3, side=6, count=9), pictures(2, side=4, count=4)]
    both = joint_pictures(parts)
    assert len(both) == 13
    assert both.labels.tolist() == [0, 1, 2] * 3 + [3, 4, 3, 4]
    indices, draws = torch.tensor([12, 0, 9, 8]), torch.rand(4, 3)
    crops = both.crops(indices, 4, draws, torch.device("cpu"))
    for row, (part, inside) in enumerate([(1, 3), (0, 0), (1, 0), (0, 8)]):
        alone = parts[part].crops(
            torch.tensor([inside]), 4, draws[row : row + 1],
            torch.device("cpu"),
        )  # fmt: skip
        assert torch.equal(crops[row : row + 1], alone)


def test_a_guard_takes_a_layer_that_is_not_trained():
    shared = network()
    shared.trunk.requires_grad_(False)
    optimizer = torch.optim.SGD(shared.parameters(), 0.1, weight_decay=0.1)
    shared.guard(optimizer)
    before = shared.trunk.state_dict()["0.weight"].clone()
    cross_entropy(shared(torch.randn(4, 3, 4, 4)), torch.arange(4)).backward()
    optimizer.step()
    assert torch.equal(shared.trunk.state_dict()["0.weight"], before)
