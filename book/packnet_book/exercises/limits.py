"""Checks of the exercises of the chapter *Limits, and what came after*."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from packnet_book.exercises import called, expect, near, right


def check_third_share(percent: Any) -> None:
    """Percent of the weights that the third task keeps, if 0.75 goes."""
    near(
        percent,
        14.0625,
        "the third task is given what two prunings left, and keeps a quarter "
        "of that",
    )
    right()


def check_equal_fractions(function: Callable[[int], Sequence]) -> None:
    """A function from a number of tasks to fractions for equal shares."""
    for tasks in (1, 2, 3, 4, 7, 12):
        found = list(called(function, tasks))
        expect(
            len(found) == tasks - 1,
            f"{tasks} tasks: you give {len(found)} fractions, but every task "
            "except the last is pruned once",
        )
        left = 1.0
        for number, fraction in enumerate([*found, 0.0], start=1):
            share = left * (1 - float(fraction))
            near(
                share,
                1 / tasks,
                f"{tasks} tasks should get {1 / tasks:.4f} each; that number "
                f"is what task {number} gets from {found}",
            )
            left -= share
    right()


def check_choice(function: Callable[[list[Tensor]], tuple]) -> None:
    """A function from every task's logits to the task and the class.

    It is given a list with a tensor (B, classes) for each task and
    returns, for each picture, the place of the task whose softmax has
    the largest value, and the place of that value in it: two tensors
    (B,).
    """
    chance = torch.Generator().manual_seed(0)

    def ask(logits: list[Tensor]) -> tuple[Tensor, Tensor]:
        kept = [one.clone() for one in logits]
        found = called(function, logits)
        expect(
            isinstance(found, tuple) and len(found) == 2,
            "it should return two things: the tasks and the classes",
        )
        task, label = (torch.as_tensor(part) for part in found)
        expect(
            all(map(torch.equal, kept, logits)),
            "it changes the logits that it is given",
        )
        expect(
            task.shape == label.shape == (len(logits[0]),),
            f"for {len(logits[0])} pictures it returns shapes "
            f"{tuple(task.shape)} and {tuple(label.shape)}",
        )
        return task, label

    for trial in range(40):
        tasks, pictures = 2 + trial % 3, 6
        logits = [
            3 * torch.randn(pictures, 4 + 3 * place, generator=chance)
            for place in range(tasks)
        ]
        task, label = ask(logits)
        expect(
            bool(((task >= 0) & (task < tasks)).all()),
            f"of {tasks} tasks it names number {int(task.max())}; count "
            "from 0",
        )
        for picture in range(pictures):
            own = logits[int(task[picture])][picture]
            expect(
                int(label[picture]) == int(own.argmax()),
                "the class should be counted within the chosen task, and "
                "be that task's own best",
            )
        shifted = [one + 50.0 * (place == 0) for place, one in
                   enumerate(logits)]  # fmt: skip
        expect(
            torch.equal(ask(shifted)[0], task),
            "50 added to all the logits of one task changes no answer of "
            "that task, but it changes your choice: take each task's "
            "softmax by itself",
        )
        sure = trial % tasks
        clear = [one.clone() for one in logits]
        clear[sure][:, 0] += 60.0
        expect(
            bool((ask(clear)[0] == sure).all()),
            f"task {sure} is certain beyond doubt, and it is not chosen",
        )
        tops = torch.stack([one.softmax(1).amax(1) for one in logits])
        expect(
            torch.equal(task, tops.argmax(0)),
            "it is not always the task with the largest softmax value; "
            "a task with more classes spreads its softmax wider",
        )
    right()


def check_rank(rank: Any) -> None:
    """The largest LoRA rank of fc6 that costs no more than a mask."""
    inputs, outputs = 25088, 4096
    most = Fraction(inputs * outputs, 32 * (inputs + outputs))
    try:
        number = int(rank)
    except (TypeError, ValueError):
        number = -1
    expect(
        number == rank and number > 0,
        f"{rank!r} is not a rank: give a whole number above 0",
    )
    bits = number * (inputs + outputs) * 32 / (inputs * outputs)
    expect(
        number <= most,
        f"at rank {number} the two factors take {bits:.3f} bits for each "
        "weight of fc6, and the mask takes one",
    )
    expect(
        number + 1 > most,
        f"at rank {number} the two factors take {bits:.3f} bits for each "
        "weight of fc6; there is room for more",
    )
    right()


def check_nearest(
    function: Callable[[list[Tensor], Tensor], Tensor],
) -> None:
    """A function that tells the task by the nearest mean.

    It is given a list with the features (n, d) of each task's classes,
    one mean a class, and features (B, d); it returns the place of the
    task that has the class nearest to each: (B,).
    """
    chance = torch.Generator().manual_seed(1)
    for trial in range(20):
        means = [
            4 * torch.randn(3 + place, 5, generator=chance)
            for place in range(2 + trial % 3)
        ]
        every = torch.cat(means)
        owner = torch.tensor(
            [place for place, own in enumerate(means) for _ in own]
        )
        found = torch.as_tensor(called(function, means, every))
        expect(
            found.shape == owner.shape,
            f"for {len(every)} pictures it returns the shape "
            f"{tuple(found.shape)}",
        )
        expect(
            torch.equal(found, owner),
            "features that are a class's own mean should be given to the "
            "task of that class, and count tasks from 0",
        )
        features = 4 * torch.randn(9, 5, generator=chance)
        near_by = torch.cdist(features, every).argmin(1)
        expect(
            torch.equal(
                torch.as_tensor(called(function, means, features)),
                owner[near_by],
            ),
            "it is not always the task of the nearest class mean; look at "
            "every class by itself, and at the distance, not the product",
        )
        shift = 100.0
        expect(
            torch.equal(
                torch.as_tensor(
                    called(
                        function,
                        [own + shift for own in means],
                        features + shift,
                    )
                ),
                owner[near_by],
            ),
            "with all features moved alike the distances are the same, but "
            "not your answer",
        )
    right()
