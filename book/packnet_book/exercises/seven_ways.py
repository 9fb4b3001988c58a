"""Checks for the chapter *Seven ways to get PackNet wrong*."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from packnet_book.exercises import called, expect, near, right
from packnet_core.network import PackNet

DIAGNOSES = {
    "a": (4, "what else does a layer keep that is not a parameter?"),
    "b": (2, "the file is whole; what was done to the network in memory?"),
    "c": (3, "which pictures decided that it was epoch 37?"),
    "d": (1, "what makes every weight smaller by the same share?"),
    "e": (5, "the weights are where they were, and the owners are not"),
    "f": (7, "which layer gets less and less room, though it is new?"),
}


def check_diagnosis(found: Mapping[str, int]) -> None:
    """Six symptoms, and the number of the trap that each points to."""
    for symptom, (trap, hint) in DIAGNOSES.items():
        expect(symptom in found, f"symptom {symptom} has no answer yet")
        expect(
            found[symptom] == trap,
            f"symptom {symptom}: not trap {found[symptom]}; {hint}",
        )
    right()


def check_pencil(decayed: float, moved: float) -> None:
    """A weight after three steps of decay; how far momentum takes one."""
    near(
        decayed, 2 * 0.99**3, "each step takes 0.1 * 0.1 = 1 % of what is "
        "left", tolerance=1e-3,
    )  # fmt: skip
    near(
        moved, 0.9, "the steps are 0.1 * (0.9 + 0.81 + 0.729 + …), and the "
        "sum in brackets is 0.9 / (1 - 0.9)",
        tolerance=1e-3,
    )  # fmt: skip
    right()


def check_report(function: Callable) -> None:
    """report(validation, test): the epoch chosen, the error to publish."""
    random = torch.Generator().manual_seed(0)
    for _ in range(20):
        validation, test = torch.rand(2, 12, generator=random) * 20 + 30
        epoch, error = called(function, validation.tolist(), test.tolist())
        expect(
            int(epoch) != int(test.argmin())
            or int(epoch) == int(validation.argmin()),
            "the epoch is the best one on the test set: that is the trap",
        )
        expect(
            int(epoch) == int(validation.argmin()),
            "the epoch is not the one with the lowest validation error "
            "(counted from 0)",
        )
        expect(
            abs(error - float(validation[int(epoch)])) > 1e-6,
            "the error is the one that the choice was made by: it is too "
            "good for the same reason",
        )
        near(error, float(test[int(epoch)]), "the test error of the epoch "
             f"chosen, number {epoch}, is {test[int(epoch)]:g}")  # fmt: skip
    right()


OPTIMIZERS: dict[str, Callable] = {
    "plain SGD": partial(torch.optim.SGD, lr=0.1),
    "SGD with momentum": partial(torch.optim.SGD, lr=0.1, momentum=0.9),
    "SGD with momentum and decay": partial(
        torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.1
    ),
    "SGD with Nesterov momentum": partial(
        torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True
    ),
    "Adam": partial(torch.optim.Adam, lr=0.1),
    "AdamW": partial(torch.optim.AdamW, lr=0.1),
}


def check_step(function: Callable) -> None:
    """step(optimizer, weight, fixed): fixed weights stay, others learn."""
    for name, make in OPTIMIZERS.items():
        random = torch.Generator().manual_seed(1)
        weight = nn.Parameter(torch.randn(4, 5, generator=random))
        fixed = torch.rand(4, 5, generator=random) < 0.5
        optimizer = make([weight])
        for _ in range(2):  # an earlier task leaves its momentum
            weight.grad = torch.randn(4, 5, generator=random)
            optimizer.step()
        alone = nn.Parameter(weight.detach().clone())
        plain = make([alone])
        plain.load_state_dict(deepcopy(optimizer.state_dict()))
        kept = weight.detach().clone()
        for _ in range(3):
            gradient = torch.randn(4, 5, generator=random)
            weight.grad, alone.grad = gradient.clone(), gradient.clone()
            plain.step()
            try:
                function(optimizer, weight, fixed)
            except Exception as error:
                expect(False, f"{name}: it raises {error!r}")
            expect(
                torch.equal(weight[fixed], kept[fixed]),
                f"{name}: a fixed weight has changed",
            )
            expect(
                torch.equal(weight[~fixed], alone[~fixed]),
                f"{name}: a weight that is not fixed does not go where "
                "this optimiser would have taken it",
            )
    right()


class _Failing(nn.Module):
    """Raises for a batch of more than four, as a full memory does."""

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 4:
            raise MemoryError("too many pictures at once")
        return x


def check_view(function: Callable) -> None:
    """look(trunk, owner, task, images): features, and nothing changed."""
    torch.manual_seed(2)
    trunk = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(),
        _Failing(), nn.Linear(6 * 36, 5),
    )  # fmt: skip
    owner = {
        name: torch.randint(4, trunk.get_parameter(name).shape).byte()
        for name in ("0.weight", "5.weight")
    }
    images = torch.randn(4, 3, 8, 8)
    trunk.train()
    before = deepcopy(trunk.state_dict())
    parameters = [id(parameter) for parameter in trunk.parameters()]

    def unchanged(when: str) -> None:
        for name, tensor in trunk.state_dict().items():
            expect(
                torch.equal(tensor, before[name]), f"{when} {name} changed"
            )
        expect(trunk.training, f"{when} the trunk is no longer in train mode")
        same = [id(p) for p in trunk.parameters()] == parameters
        expect(same, f"{when} an optimiser would no longer know the weights")

    for task in (2, 1, 3):
        copy = deepcopy(trunk).eval()
        for name, owners in owner.items():
            seen = (owners > 0) & (owners <= task)
            copy.get_parameter(name).data *= seen
        try:
            found = function(trunk, owner, task, images)
        except Exception as error:
            expect(False, f"for task {task} it raises {error!r}")
        unchanged(f"after a look at task {task}")
        expect(
            isinstance(found, Tensor)
            and torch.allclose(found, copy(images), atol=1e-5),
            f"not the features of task {task}: it sees its own weights and "
            "those of earlier tasks, and running statistics are used",
        )
    try:
        function(trunk, owner, 1, torch.randn(8, 3, 8, 8))
    except MemoryError:
        unchanged("after an error in the trunk")
    else:
        expect(False, "an error in the trunk was hidden from the caller")
    right()


def example() -> tuple[PackNet, Tensor, Tensor]:
    """A network with "one" finished and "two" begun, and what to learn.

    Of "two" a quarter of its weights is freed already. Returns the
    network, images (12, 3, 8, 8), labels (12,) in [0, 3).
    """
    torch.manual_seed(3)
    trunk = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(),
    )  # fmt: skip
    network = PackNet(trunk, features=32)
    images, labels = torch.randn(12, 3, 8, 8), torch.arange(12) % 3
    for name in ("one", "two"):
        network.add_task(name, 3)
        train_guarded(network, images.roll(len(name), 0), labels)
        network.prune(0.5 if name == "one" else 0.25)
    network.unfreeze()  # so that what goes wrong is found by the test
    return network.eval(), images, labels


def _steps(network, images, labels, before=None, **more):
    chosen = [*network.layers.values(), *network.heads[-1].parameters()]
    optimizer = torch.optim.SGD(chosen, lr=0.1, momentum=0.9, **more)
    network.train()
    for module in network.trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    for _ in range(30):
        optimizer.zero_grad()
        cross_entropy(network(images), labels).backward()
        if before is not None:
            before()
        optimizer.step()
    network.eval()


def _clear_gradients(network: PackNet) -> None:
    for name, weight in network.layers.items():
        assert weight.grad is not None
        weight.grad[network.owner[name] != len(network.tasks)] = 0


def train_guarded(network: PackNet, images: Tensor, labels: Tensor) -> None:
    """As it should be."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    network.guard(optimizer)
    network.train()
    for _ in range(30):
        optimizer.zero_grad()
        cross_entropy(network(images), labels).backward()
        optimizer.step()
    network.eval()


def train_decaying(network, images, labels):
    """Gradients are cleared, weight decay is not."""
    clear = partial(_clear_gradients, network)
    _steps(network, images, labels, clear, weight_decay=1e-4)


def train_drifting(network, images, labels):
    """The weights are kept, the running statistics go on."""
    train_guarded(network, images, labels)
    network.trunk.train()
    network.trunk(images)
    network.eval()


def train_reviving(network, images, labels):
    """Earlier tasks are kept; free weights learn along."""
    free = {n: owner == 0 for n, owner in network.owner.items()}
    mine = len(network.tasks)
    for name, owner in network.owner.items():
        owner[free[name]] = mine
    train_guarded(network, images, labels)
    for name, owner in network.owner.items():
        owner[free[name]] = 0


def train_spoiling(network, images, labels):
    """Looks at the first task after training, and leaves it so."""
    train_guarded(network, images, labels)
    for name, weight in network.layers.items():
        weight.data[network.owner[name] > 1] = 0


def train_nothing(network, images, labels):
    """Everything is fixed, for good."""


WRONG = (
    train_decaying,
    train_drifting,
    train_reviving,
    train_spoiling,
    train_nothing,
)


def check_test(function: Callable) -> None:
    """holds(train): whether a way to train is right."""
    expect(
        called(function, train_guarded) is True,
        "it does not say True of train_guarded, which is right",
    )
    for train in WRONG:
        expect(
            called(function, train) is False,
            f"it does not say False of {train.__name__}: {train.__doc__}",
        )
    right()
