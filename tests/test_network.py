"""What PackNet guarantees, each guarantee as a claim."""

import copy
from collections import Counter
from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_
from torch.utils._python_dispatch import TorchDispatchMode

from packnet_core import PackNet, load
from packnet_core.errors import (
    BadFraction,
    BadTask,
    BadTrunk,
    Changed,
    InsideView,
    NoFreeWeights,
    NoTask,
    UnknownTask,
)


def small_trunk(norm: bool = True) -> nn.Sequential:
    """Images (B, 3, 8, 8) to features (B, 12)."""
    middle = [nn.BatchNorm2d(6)] if norm else []
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        *middle,
        nn.ReLU(),
        nn.MaxPool2d(4),
        nn.Flatten(),
        nn.Linear(24, 12),
        nn.ReLU(),
    )


@pytest.fixture
def network() -> PackNet:
    torch.manual_seed(0)
    return PackNet(small_trunk(), features=12)


IMAGES = torch.rand(16, 3, 8, 8, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(16) % 4


def give_two_tasks(network: PackNet) -> None:
    """Half of the weights to task "one", the other half to task "two"."""
    network.add_task("one", 4)
    network.prune(0.5)
    network.add_task("two", 4)


def logits(network: PackNet, task: str) -> torch.Tensor:
    training = network.training
    network.eval()
    with torch.no_grad(), network.view(task):
        outputs = network(IMAGES)
    network.train(training)
    return outputs


@dataclass
class Way:
    """One way to train: an optimiser, precision, clipping."""

    make: type
    options: dict
    clip: bool = False
    precision: torch.dtype | None = None


WAYS = {
    "sgd": Way(torch.optim.SGD, {"lr": 0.1, "momentum": 0.9,
                                 "weight_decay": 0.1, "nesterov": True}),
    "adam": Way(torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
    "adamw": Way(torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    "rmsprop": Way(torch.optim.RMSprop, {"lr": 0.01, "weight_decay": 0.1}),
    "clipped": Way(torch.optim.SGD, {"lr": 0.1, "momentum": 0.9,
                                     "weight_decay": 0.1}, clip=True),
    "bfloat16": Way(torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1},
                    precision=torch.bfloat16),
}  # fmt: skip


def train(network, optimizer, way, steps=4):
    network.train()
    for _ in range(steps):
        with torch.autocast("cpu", way.precision, bool(way.precision)):
            loss = cross_entropy(network(IMAGES), LABELS)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        if way.clip:
            clip_grad_norm_(network.parameters(), 0.01)
        optimizer.step()
    return loss.item()


@pytest.fixture(params=["whole", "in pieces"])
def large(request, monkeypatch):
    """Whether the layers count as large, to be worked on in pieces."""
    if request.param == "in pieces":
        monkeypatch.setattr("packnet_core.masking.PIECE", 16)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_earlier_tasks_stay_bit_identical_whatever_trains(
    network, way, tmp_path
):
    network.add_task("one", 4)
    optimizer = way.make(network.parameters(), **way.options)
    network.guard(optimizer)
    train(network, optimizer, way)
    network.prune(0.5)
    train(network, optimizer, way)
    expected = {"one": logits(network, "one")}
    for name, fraction in (("two", 0.6), ("three", 0.3), ("four", 0)):
        network.add_task(name, 4)
        before = logits(network, name)
        train(network, optimizer, way)
        assert not torch.equal(logits(network, name), before)
        network.prune(fraction)
        train(network, optimizer, way)
        for earlier, outputs in expected.items():
            assert torch.equal(logits(network, earlier), outputs), earlier
        expected[name] = logits(network, name)
    network.save(tmp_path / "n.packnet")
    again = load(tmp_path / "n.packnet", small_trunk())
    for name, outputs in expected.items():
        assert torch.equal(logits(network, name), outputs)
        assert torch.equal(logits(again, name), outputs)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_freed_weights_stay_exactly_zero(network, way):
    network.add_task("one", 4)
    optimizer = way.make(network.parameters(), **way.options)
    network.guard(optimizer)
    train(network, optimizer, way)  # gathers momentum
    network.prune(0.5)
    train(network, optimizer, way)
    for name, weight in network.layers.items():
        assert (weight[network.owner[name] == 0] == 0).all()
        assert (weight[network.owner[name] == 1] != 0).all()


def test_a_diverged_step_does_not_reach_fixed_weights(network):
    network.add_task("one", 4)
    network.prune(0.5)
    expected = logits(network, "one")
    network.add_task("two", 4)
    optimizer = torch.optim.AdamW(network.parameters(), 0.1)
    network.guard(optimizer)
    network(IMAGES * float("nan")).sum().backward()
    optimizer.step()
    assert logits(network, "two").isnan().any()
    assert torch.equal(logits(network, "one"), expected)


def test_an_optimiser_with_a_closure_leaves_fixed_weights_alone(network):
    network.add_task("one", 4)
    network.prune(0.5)
    expected = logits(network, "one")
    network.add_task("two", 4)
    movable = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.LBFGS(movable, max_iter=5)
    network.guard(optimizer)

    def closure():
        optimizer.zero_grad()
        loss = cross_entropy(network(IMAGES), LABELS)
        loss.backward()
        return loss

    before = closure().item()
    optimizer.step(closure)
    assert closure().item() < before
    assert torch.equal(logits(network, "one"), expected)


@pytest.mark.usefixtures("large")
def test_clipping_sees_only_the_gradients_of_weights_that_may_move(network):
    give_two_tasks(network)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    network.guard(optimizer)
    cross_entropy(network(IMAGES), LABELS).backward()
    for name, weight in network.layers.items():
        fixed = network.owner[name] != 2
        assert (weight.grad[fixed] == 0).all()
        assert (weight.grad[~fixed] != 0).any()


def test_without_the_guard_a_fixed_weight_does_move(network):
    """The guarantees above are not empty: this is what they prevent."""
    network.add_task("one", 4)
    network.prune(0.5)
    expected = logits(network, "one")
    network.add_task("two", 4)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, weight_decay=0.1)
    train(network, optimizer, WAYS["sgd"], steps=1)
    with pytest.raises(Changed, match=r"trunk\.0\.weight.*net\.guard"):
        logits(network, "one")
    network.unfreeze()  # methods that forget look all the same
    assert not torch.equal(logits(network, "one"), expected)


def test_channels_last_weights_are_guarded_too(network):
    network.to(memory_format=torch.channels_last)
    network.add_task("one", 4)
    network.prune(0.5)
    expected = logits(network, "one")
    network.add_task("two", 4)
    optimizer = torch.optim.AdamW(network.parameters(), 0.1)
    network.guard(optimizer)
    train(network, optimizer, WAYS["adamw"])
    assert torch.equal(logits(network, "one"), expected)


def test_biases_and_norms_train_with_the_first_task_also_after_pruning(
    network,
):
    network.add_task("one", 4)
    network.prune(0.5)
    before = copy.deepcopy(network.trunk.state_dict())
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    network.guard(optimizer)
    train(network, optimizer, WAYS["sgd"])
    after = network.trunk.state_dict()
    for name in ("0.bias", "1.weight", "1.bias", "1.running_mean"):
        assert not torch.equal(before[name], after[name]), name


def test_biases_and_norms_are_fixed_from_the_second_task_in_train_mode_too(
    network,
):
    give_two_tasks(network)
    before = copy.deepcopy(network.trunk.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), 0.1)
    network.guard(optimizer)
    train(network, optimizer, WAYS["adamw"])
    after = network.trunk.state_dict()
    fixed = [name for name in before if name not in network.layers]
    assert len(fixed) == 7  # two biases, five of the norm
    for name in fixed:
        assert torch.equal(before[name], after[name]), name
    assert not torch.equal(before["0.weight"], after["0.weight"])


def test_gradients_turned_on_again_still_change_nothing_fixed(network):
    give_two_tasks(network)
    network.requires_grad_(True)  # as many a training loop does
    expected = logits(network, "one")
    optimizer = torch.optim.AdamW(network.parameters(), 0.1)
    network.guard(optimizer)
    train(network, optimizer, WAYS["adamw"])
    assert torch.equal(logits(network, "one"), expected)


def test_gradients_turned_on_again_stay_on_in_another_number_type(network):
    give_two_tasks(network)
    network.requires_grad_(True)
    network.double()  # what is fixed is noted anew, and no more
    assert all(p.requires_grad for p in network.parameters())


def test_the_first_task_takes_the_trunk_as_it_is(network):
    before = copy.deepcopy(network.trunk.state_dict())
    network.add_task("one", 4)
    for name, tensor in network.trunk.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all((owner == 1).all() for owner in network.owner.values())


def test_a_later_task_gets_all_free_weights_from_zero(network):
    network.add_task("one", 4)
    network.prune(0.5)
    free = {name: owner == 0 for name, owner in network.owner.items()}
    with torch.no_grad():  # a careless loop without the guard
        for weight in network.layers.values():
            weight.add_(1)
    network.add_task("two", 4)
    for name, weight in network.layers.items():
        assert torch.equal(network.owner[name] == 2, free[name])
        assert (weight[free[name]] == 0).all()


def test_shares_follow_the_fractions():
    network = PackNet(nn.Sequential(nn.Flatten(), nn.Linear(64, 64)), 64)
    for name, fraction in (("a", 0.5), ("b", 0.75), ("c", 0.75)):
        network.add_task(name, 2)
        with torch.no_grad():  # distinct magnitudes, as after training
            own = network.owner["1.weight"] == len(network.tasks)
            ranks = torch.randperm(int(own.sum())) + 1.0
            network.layers["1.weight"][own] = ranks
        network.prune(fraction)
    network.add_task("d", 2)
    counts = network.owner_counts()["1.weight"]
    shares = [100 * n / 4096 for n in counts]
    assert shares == [0, 50, 12.5, 9.375, 28.125]


def test_views_nest_and_give_every_weight_back(network):
    give_two_tasks(network)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    network.guard(optimizer)
    train(network, optimizer, WAYS["sgd"])
    before = {n: w.detach().clone() for n, w in network.layers.items()}
    one, two = logits(network, "one"), logits(network, "two")
    network.eval()
    with torch.no_grad(), network.view("one"):
        assert torch.equal(network(IMAGES), one)
        with network.view("two"):
            assert torch.equal(network(IMAGES), two)
            with network.view("one"):
                assert torch.equal(network(IMAGES), one)
        assert torch.equal(network(IMAGES), one)
    assert torch.equal(network(IMAGES), two)
    for name, weight in network.layers.items():
        assert torch.equal(weight, before[name])


class Called(TorchDispatchMode):
    """Counts what torch is asked for, by name."""

    def __init__(self):
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.counts[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def test_a_view_is_entered_for_one_copy_of_the_weights(network):
    """With or without gradients: what they flow through comes later."""
    give_two_tasks(network)
    network.eval()
    with torch.no_grad(), Called() as without, network.view("one"):
        pass
    with Called() as called, network.view("one"):
        pass
    assert called.counts == without.counts
    assert called.counts["empty_like"] == len(network.layers)
    with Called() as called, network.view("one"):
        network(IMAGES)
    assert called.counts["masked_fill"] == len(network.layers)


def test_a_view_survives_an_exception(network):
    give_two_tasks(network)
    before = logits(network, "two")
    with pytest.raises(RuntimeError, match="on purpose"):
        with network.view("one"):
            raise RuntimeError("on purpose")
    assert torch.equal(logits(network, "two"), before)
    network.prune(0.5)  # the network may change again


def test_nothing_may_change_the_network_inside_a_view(network):
    network.add_task("one", 4)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    network.guard(optimizer)
    with network.view("one"):
        for change in (
            lambda: network.prune(0.5),
            lambda: network.add_task("two", 4),
            optimizer.step,
        ):
            with pytest.raises(InsideView, match="leave the view first"):
                change()


def test_a_network_is_saved_whole_whoever_looks_at_it(network, tmp_path):
    def looking():
        with network.view("one"):
            yield

    give_two_tasks(network)
    files = [tmp_path / f"{number}.packnet" for number in range(3)]
    network.save(files[0])
    with network.view("one"):
        network.save(files[1])
    waiting = looking()
    next(waiting)
    network.save(files[2])
    waiting.close()
    assert len({file.read_bytes() for file in files}) == 1


def test_views_within_one_autocast_see_their_own_weights(network):
    """Autocast keeps what it has rounded, and knows weights by identity."""
    give_two_tasks(network)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    network.guard(optimizer)
    train(network, optimizer, WAYS["sgd"])
    network.eval()
    expected, found = {}, {}
    for name in network.tasks:
        with torch.no_grad(), network.view(name):
            with torch.autocast("cpu", torch.bfloat16):
                expected[name] = network(IMAGES)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for name in network.tasks:
            with network.view(name):
                found[name] = network(IMAGES)
        found["whole"] = network(IMAGES)
    assert torch.equal(found["one"], expected["one"])
    assert torch.equal(found["two"], expected["two"])
    assert torch.equal(found["whole"], expected["two"])
    assert not torch.equal(found["one"], found["two"])


def test_a_network_seen_in_inference_mode_can_still_change(network):
    network.add_task("one", 4)
    with torch.inference_mode(), network.view("one"):
        network.to("cpu")(IMAGES)
    network.prune(0.5)
    network.add_task("two", 4)


def test_a_network_converted_inside_a_view_is_converted_whole(network):
    give_two_tasks(network)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    network.guard(optimizer)
    train(network, optimizer, WAYS["sgd"])
    two = logits(network, "two")
    with network.view("one"):
        network.double()
        assert network(IMAGES.double()).dtype == torch.float64
    network.eval()
    with torch.no_grad():
        outputs = network(IMAGES.double()).float()
    assert torch.allclose(outputs, two, atol=1e-5)


def test_a_copy_is_a_network_of_its_own(network):
    network.add_task("one", 4)
    network.guard(torch.optim.SGD(network.parameters(), 0.1))
    twin = copy.deepcopy(network)
    twin.prune(0.5)
    assert all((owner == 1).all() for owner in network.owner.values())
    assert twin.layers["0.weight"] is twin.trunk[0].weight


def test_loading_a_state_moves_what_the_guard_restores(network):
    give_two_tasks(network)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    network.guard(optimizer)
    other = PackNet(small_trunk(), 12)  # of the same tasks, other weights
    give_two_tasks(other)
    network.load_state_dict(other.state_dict())
    train(network, optimizer, WAYS["sgd"], steps=1)
    own = network.owner["0.weight"] == 1
    wanted = other.layers["0.weight"][own]
    assert torch.equal(network.layers["0.weight"][own], wanted)


def test_a_guard_lives_no_longer_than_its_optimiser(network):
    network.add_task("one", 4)
    network.prune(0.5)
    for _ in range(3):
        optimizer = torch.optim.SGD(network.parameters(), 0.1)
        network.guard(optimizer)
    del optimizer
    import gc

    gc.collect()
    assert network._guard() is None
    assert not network.layers["0.weight"]._post_accumulate_grad_hooks


def test_every_wrong_call_is_named_and_told_the_cure(network):
    with pytest.raises(NoTask, match="call add_task first"):
        network(IMAGES)
    with pytest.raises(NoTask, match="call add_task first"):
        network.prune(0.5)
    with pytest.raises(BadTask, match="at least two"):
        network.add_task("one", 1)
    with pytest.raises(BadTask, match="give a number"):
        network.add_task("one", "200")
    with pytest.raises(BadTask, match="needs a name"):
        network.add_task("", 2)
    network.add_task("one", ["hen", "duck"])
    with pytest.raises(BadTask, match="name of its own"):
        network.add_task("one", 2)
    with pytest.raises(NoFreeWeights, match=r"prune 'one' first"):
        network.add_task("two", 2)
    with pytest.raises(UnknownTask, match="tasks here: one"):
        with network.view("three"):
            pass
    with pytest.raises(BadFraction, match="give a number"):
        network.prune(1)
    assert network.tasks == ["one"]
    assert network.records[0].fractions == ()
    with pytest.raises(BadTrunk, match="nothing to share out"):
        PackNet(nn.Flatten(), 4)


def test_a_network_holds_255_tasks_and_refuses_another():
    network = PackNet(nn.Sequential(nn.Flatten(), nn.Linear(64, 300)), 300)
    for number in range(255):
        network.add_task(f"task {number}", 2)
        network.prune(0.5 if number % 2 else 0.9)
        # zeros are freed as ties, so there is always something to give
    with pytest.raises(BadTask, match="255"):
        network.add_task("one too many", 2)


def test_a_task_that_owns_nothing_is_not_pruned(network):
    network.add_task("one", 4)
    network.add_head("two", 4)
    with pytest.raises(BadTask, match=r"'two' owns no weights.*add_task"):
        network.prune(0.5)
    assert network.records[1].fractions == ()


def test_what_was_unfrozen_is_not_put_back_by_a_guard_that_lives(network):
    give_two_tasks(network)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, weight_decay=0.1)
    network.guard(optimizer)
    network.unfreeze(heads=True)
    before = {n: p.detach().clone() for n, p in network.named_parameters()}
    train(network, optimizer, WAYS["sgd"], steps=1)
    for name, parameter in network.trunk.named_parameters():
        assert not torch.equal(parameter, before[f"trunk.{name}"]), name
    network.guard(optimizer)
    fixed = {n: network.owner[n] == 1 for n in network.layers}
    before = {n: w[fixed[n]].clone() for n, w in network.layers.items()}
    train(network, optimizer, WAYS["sgd"], steps=1)
    for name, weight in network.layers.items():
        assert torch.equal(weight[fixed[name]], before[name])
