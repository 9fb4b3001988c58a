"""Checks of the five steps of *PackNet from scratch*.

Each step is tried on a small trunk with a convolution and a linear
layer, for pictures of 8 by 8 pixels, on which a wrong answer can be told
from a right one without training for long.
"""

import dis
import inspect
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from packnet_book import from_scratch
from packnet_book.exercises import WrongAnswer, expect, right
from packnet_book.exercises.step_by_step import expect_rule

# What a function consists of that has a docstring and no body.
EMPTY = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
FRACTIONS = (0, 0.02, 0.25, 0.5, 0.75, 0.9)
Owner = dict[str, Tensor]


def choose(mine: Callable, check: Callable[[Callable], None]) -> Callable:
    """The student's function if it is filled in, else the book's.

    mine: named as the book's is, with `my_` before it; check: one of this
    module. Raises WrongAnswer if it is filled in and wrong.
    """
    expect(callable(mine), "give the function itself, not its result")
    plain = inspect.unwrap(mine)
    if {step.opname for step in dis.get_instructions(plain)} <= EMPTY:
        print(f"{plain.__name__} is not filled in yet: using the book's")
        return getattr(from_scratch, plain.__name__.removeprefix("my_"))
    check(mine)
    print(f"using your {plain.__name__} from here on")
    return mine


def _trunk(seed: int, owners: int) -> tuple[nn.Module, Owner]:
    """A trunk of whole-numbered weights, none of them 0, and its owners.

    owners: how many tasks own something; some weights are free.
    """
    chance = torch.Generator().manual_seed(seed)
    trunk = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4),
        nn.Flatten(), nn.Linear(16, 6), nn.ReLU(),
    )  # fmt: skip
    owner = {}
    with torch.no_grad():
        for name, parameter in trunk.named_parameters():
            shape = parameter.shape
            sizes = torch.randint(1, 7, shape, generator=chance)
            signs = 2 * torch.randint(2, shape, generator=chance) - 1
            parameter.copy_(sizes * signs)
            if parameter.dim() > 1:
                drawn = torch.randint(owners + 1, shape, generator=chance)
                owner[name] = drawn.to(torch.uint8)
    return trunk, owner


def _tried(function: Callable, *arguments: Any) -> Any:
    """What a function returns. Raises WrongAnswer if it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        raise WrongAnswer(
            f"it raises {type(error).__name__}: {error}"
        ) from error


def _kept(trunk: nn.Module) -> dict[str, Tensor]:
    return {n: p.detach().clone() for n, p in trunk.named_parameters()}


def _expect_same(now: Owner, before: Owner, why: str) -> None:
    expect(
        now.keys() == before.keys()
        and all(torch.equal(now[name], before[name]) for name in before),
        why,
    )


def check_see(function: Callable) -> None:
    """Step 1: what a task sees.

    function: takes a trunk, its owner map and a task's number; returns
    a dict, name -> tensor shaped like the weight. Raises WrongAnswer.
    """
    for seed in range(12):
        trunk, owner = _trunk(seed, owners=3)
        task = 1 + seed % 3
        weights, owners = _kept(trunk), deepcopy(owner)
        shown = _tried(function, trunk, owner, task)
        expect(
            isinstance(shown, dict) and shown.keys() == owner.keys(),
            "return a dict with the names of the owner map",
        )
        _expect_same(
            _kept(trunk), weights,
            "it changed the trunk itself, and later tasks are lost: make new "
            "tensors",
        )  # fmt: skip
        _expect_same(owner, owners, "it changed the owner map")
        for name, values in shown.items():
            expect(
                values.shape == owner[name].shape,
                f"{name}: give a tensor shaped like the weight",
            )
            for holds, why in (
                (owner[name] == 0, "a free weight must be 0, for every task"),
                (owner[name] > task, f"task {task} sees a later task's "
                 "weight, which was not there when it was trained"),
            ):  # fmt: skip
                expect(not values[holds].any(), f"{name}: {why}")
            for who in range(1, task + 1):
                same = owner[name] == who
                expect(
                    torch.equal(values[same], weights[name][same]),
                    f"{name}: task {task} must see the weights of task {who} "
                    "as they are",
                )
    right()


def check_prune(function: Callable) -> None:
    """Step 2: the pruning rule, layer by layer, in place.

    function: takes a trunk, its owner map, a task's number and a
    fraction. Raises WrongAnswer.
    """
    trunk, owner = _trunk(0, owners=1)
    with torch.no_grad():
        trunk.get_parameter("4.weight").mul_(100)
    weights, owners = _kept(trunk), deepcopy(owner)
    _tried(function, trunk, owner, 1, 0.5)
    gone = {n: int((owners[n] - o).count_nonzero()) for n, o in owner.items()}
    expect(
        any(gone.values()),
        "after it every weight has the owner that it had: change trunk and "
        "owner map in place",
    )
    expect(
        all(gone.values()),
        "with one layer's weights a hundred times as large it frees in the "
        "other layer only: every layer needs a cutoff of its own",
    )
    for seed in range(36):
        trunk, owner = _trunk(seed, owners=3)
        task, fraction = 1 + seed % 3, FRACTIONS[seed % len(FRACTIONS)]
        weights, owners = _kept(trunk), deepcopy(owner)
        _tried(function, trunk, owner, task, fraction)
        for name, parameter in trunk.named_parameters():
            now = parameter.detach()
            if name not in owner:
                expect(
                    torch.equal(now, weights[name]),
                    f"{name}: a bias has no owner and is not pruned",
                )
                continue
            before = weights[name], owners[name]
            try:
                expect_rule(before, (now, owner[name]), task, fraction)
            except WrongAnswer as error:
                raise WrongAnswer(f"{name}: {error}") from None
    right()


def check_retrain(function: Callable) -> None:
    """Step 3: the first task's survivors are trained, free weights stay 0.

    function: takes trunk, head, owner map, batches and a learning rate.
    Raises WrongAnswer.
    """
    chance = torch.Generator().manual_seed(0)
    for trial in range(3):
        trunk, owner = _trunk(trial, owners=1)
        head = nn.Linear(6, 3)
        with torch.no_grad():
            head.weight.copy_(torch.randn(3, 6, generator=chance))
            for parameter in trunk.parameters():
                parameter.div_(10)
            for name in owner:
                trunk.get_parameter(name)[owner[name] == 0] = 0
        batches = [
            (
                torch.randn(8, 3, 8, 8, generator=chance),
                torch.randint(3, (8,), generator=chance),
            )
            for _ in range(6)
        ]
        before, owners = _kept(trunk), deepcopy(owner)
        wanted, wanted_head = deepcopy(trunk), deepcopy(head)
        from_scratch.retrain(wanted, wanted_head, owner, batches, 0.05)
        first_head = head.weight.detach().clone()
        _tried(function, trunk, head, owner, iter(batches), 0.05)
        now = _kept(trunk)
        _expect_same(owner, owners, "it changed the owner map")
        for name in owner:
            expect(
                not now[name][owner[name] == 0].any(),
                f"{name}: a freed weight is not 0 any more; the optimiser "
                "moves it in every step",
            )
            expect(
                not torch.equal(now[name], before[name]),
                f"{name}: no weight has moved; the survivors should",
            )
        for name in before.keys() - owner.keys():
            expect(
                not torch.equal(now[name], before[name]),
                f"{name}: the first task trains its biases in this step, too",
            )
        expect(
            not torch.equal(head.weight, first_head),
            "the head has not moved; it is trained with its task",
        )
        pairs = [(head.weight, wanted_head.weight)]
        pairs += [(now[n], p) for n, p in wanted.named_parameters()]
        expect(
            all(torch.allclose(*pair, atol=1e-6) for pair in pairs),
            "the survivors end elsewhere than they should: take one step of "
            "`train` for each batch, with this learning rate, and clear the "
            "freed weights after every step, not only at the end",
        )
    right()


def check_freeze(function: Callable) -> None:
    """Step 4: no step of any optimiser changes what is fixed.

    function: takes trunk, owner map and task; returns a function without
    arguments that is called after every step. Raises WrongAnswer.
    """
    chance = torch.Generator().manual_seed(0)
    makers = (
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, 0.1),
        lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.1),
    )
    for trial, make in enumerate((*makers, *makers)):
        task = 1 + trial // len(makers)
        trunk, owner = _trunk(trial, owners=task)
        free = deepcopy(trunk)  # what the optimiser does if left alone
        pairs = list(zip(trunk.parameters(), free.parameters()))
        ours, alone = (make([*each.parameters()]) for each in (trunk, free))
        before, owners = _kept(trunk), deepcopy(owner)
        put_back = _tried(function, trunk, owner, task)
        expect(
            callable(put_back),
            "return a function, which will be called after every step",
        )
        for _ in range(4):
            for one, other in pairs:
                one.grad = torch.randn(one.shape, generator=chance)
                other.grad = one.grad.clone()
            ours.step()
            alone.step()
            _tried(put_back)
        _expect_same(owner, owners, "it changed the owner map")
        moved, now = _kept(free), _kept(trunk)
        for name, values in now.items():
            biases = name not in owner
            if biases:
                own = torch.full_like(values, task == 1, dtype=torch.bool)
            else:
                own = owner[name] == task
            same = torch.equal(values[~own], before[name][~own])
            expect(
                same or not biases,
                f"{name}: a bias moved while task {task} was trained; from "
                "task 2 on biases are fixed",
            )
            expect(
                same,
                f"{name}: weights that task {task} does not own have moved, "
                "by weight decay or momentum perhaps: put them back from a "
                "copy (`clone`) of what they were",
            )
            expect(
                torch.equal(values[own], moved[name][own]),
                f"{name}: what is trained with task {task} must go where the "
                "optimiser takes it",
            )
    right()


def check_hand_over(function: Callable) -> None:
    """Step 5: the free weights go to the next task, from zero.

    function: takes trunk, owner map and the new task's number; changes
    both in place. Raises WrongAnswer.
    """
    for task in (2, 3, 4):
        trunk, owner = _trunk(task, owners=task - 1)
        before, owners = _kept(trunk), deepcopy(owner)
        _tried(function, trunk, owner, task)
        for name, now in _kept(trunk).items():
            if name not in owner:
                expect(
                    torch.equal(now, before[name]),
                    f"{name}: a bias has no owner; leave it as it is",
                )
                continue
            free = owners[name] == 0
            expect(
                not (owner[name] == 0).any(),
                f"{name}: some weights are still free; change the owner map "
                "in place",
            )
            expect(
                torch.equal(owner[name][~free], owners[name][~free]),
                f"{name}: a weight was taken from an earlier task",
            )
            expect(
                bool((owner[name][free] == task).all()),
                f"{name}: a free weight went to another task than {task}",
            )
            expect(
                torch.equal(now[~free], before[name][~free]),
                f"{name}: it changed the value of a weight that has an owner",
            )
            expect(
                not now[free].any(),
                f"{name}: the new task starts from what was left there, not "
                "from 0",
            )
    right()
