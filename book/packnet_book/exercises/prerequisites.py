"""Checks of the exercises of the page *What you need before you start*."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from packnet_book.exercises import called, expect, near, right


def check_shapes(shapes: Sequence[Sequence[int]]) -> None:
    """Three shapes: of a + b, of a + c, and of (a + b).sum(0)."""
    a, b, c = torch.zeros(8, 1), torch.zeros(5), torch.zeros(2, 1, 5)
    wanted = (a + b, a + c, (a + b).sum(0))
    expect(
        isinstance(shapes, Sequence) and len(shapes) == 3,
        f"three shapes are asked for, you give {shapes!r}",
    )
    advice = (
        "compare (8, 1) and (5,) from the right; an axis of length 1, or a "
        "missing one, is repeated",
        "compare (8, 1) and (2, 1, 5) from the right; the longer shape says "
        "how many axes there are",
        "the sum is along axis 0, which disappears; the other stays",
    )
    for letter, shape, tensor, why in zip("abc", shapes, wanted, advice):
        expect(
            isinstance(shape, Sequence) and tuple(shape) == tensor.shape,
            f"({letter}) you say {shape!r}: {why}",
        )
    right()


def check_halved(function: Callable[[Tensor, Tensor, int], Tensor]) -> None:
    """A function that halves one task's weights in a new tensor.

    It is given a float tensor, a uint8 tensor of the same shape and a
    task's number.
    """
    chance = torch.Generator().manual_seed(0)
    for trial in range(20):
        shape = ((4, 6), (3, 2, 3, 3))[trial % 2]
        weight = torch.randn(shape, generator=chance)
        owner = torch.randint(4, shape, generator=chance).byte()
        task = 1 + trial % 3
        given, given_owner = weight.clone(), owner.clone()
        found = called(function, weight, owner, task)
        expect(
            torch.equal(weight, given) and torch.equal(owner, given_owner),
            "it changes what it was given; make a new tensor",
        )
        expect(
            isinstance(found, Tensor) and found.shape == given.shape,
            f"the result should be a tensor of shape {tuple(shape)}; "
            "indexing with a mask flattens",
        )
        mine = owner == task
        expect(
            torch.equal(found[~mine], given[~mine]),
            f"weights that do not belong to task {task} should stay as they "
            "are",
        )
        expect(
            torch.allclose(found[mine], given[mine] / 2),
            f"the weights of task {task} should be half of what they were",
        )
    right()


def check_step(function: Callable[..., tuple[float, float]]) -> None:
    """A function that makes one step of SGD with one weight.

    It is given the weight, its gradient, the velocity, the learning
    rate, the momentum and the weight decay, and returns the new weight
    and the new velocity.
    """
    chance = torch.Generator().manual_seed(0)
    for settings, what in (
        ((0.1, 0.0, 0.0), "without momentum and decay"),
        ((0.1, 0.0, 0.5), "with weight decay alone"),
        ((0.1, 0.5, 0.0), "with momentum alone"),
        ((0.02, 0.9, 0.1), "with momentum and weight decay"),
    ):
        rate, momentum, decay = settings
        parameter = nn.Parameter(torch.tensor(2.0, dtype=torch.double))
        optimizer = torch.optim.SGD(
            [parameter], lr=rate, momentum=momentum, weight_decay=decay
        )
        weight, velocity = 2.0, 0.0
        gradients = torch.randn(4, generator=chance).tolist()
        for step, gradient in enumerate((1.0, *gradients, 0.0), start=1):
            found = called(function, weight, gradient, velocity, *settings)
            expect(
                isinstance(found, tuple) and len(found) == 2,
                "it should return two numbers, the weight and the velocity",
            )
            weight, velocity = map(float, found)
            parameter.grad = torch.full_like(parameter, gradient)
            optimizer.step()
            near(
                weight,
                parameter.item(),
                f"after step {step} {what} (rate {rate:g}, momentum "
                f"{momentum:g}, decay {decay:g}) torch has "
                f"{parameter.item():g}",
            )
    right()


def check_top_error(
    function: Callable[[Tensor, Tensor, int], float],
) -> None:
    """A function that gives the top-k error in percent.

    It is given logits (B, classes), labels (B,) and k.
    """
    by_hand = torch.tensor([[9.0, 1, 2], [9.0, 1, 2], [9.0, 1, 2], [1, 9, 2]])
    labels = torch.tensor([0, 2, 1, 1])
    for k, wanted, why in (
        (1, 50.0, "in two of four pictures the largest logit is right"),
        (2, 25.0, "one of four right classes is not among the two largest"),
        (3, 0.0, "with three of three classes every answer is right"),
    ):
        found = called(function, by_hand, labels, k)
        near(found, wanted, f"k = {k}: {why}; the error is {wanted:g} %")
    chance = torch.Generator().manual_seed(0)
    for k in (1, 2, 5):
        logits = torch.randn(40, 7, generator=chance)
        labels = torch.randint(7, (40,), generator=chance)
        own = logits[torch.arange(40), labels]
        larger = (logits > own[:, None]).sum(1)
        wanted = 100 * float((larger >= k).double().mean())
        near(
            called(function, logits, labels, k),
            wanted,
            f"k = {k}: of 40 pictures with 7 classes {wanted:g} % have k or "
            "more logits that are larger than the right class's",
            tolerance=1e-4,
        )
    right()


def check_convolution(function: Callable[..., tuple[int, int]]) -> None:
    """A function that gives a convolution's weights and output side.

    It is given input channels, filters, kernel, stride, padding and the
    side of the input.
    """
    for case in (
        (3, 16, 3, 1, 1, 48),
        (1, 1, 5, 1, 0, 5),
        (3, 64, 3, 2, 0, 112),
        (16, 8, 1, 1, 0, 7),
        (4, 6, 7, 2, 3, 224),
    ):
        inputs, filters, kernel, stride, padding, side = case
        with torch.device("meta"):
            layer = nn.Conv2d(inputs, filters, kernel, stride, padding)
            output = layer(torch.zeros(1, inputs, side, side))
        found = called(function, *case)
        expect(
            isinstance(found, Sequence) and len(found) == 2,
            "it should return two numbers, the weights and the side",
        )
        told = (
            f"{inputs} channels, {filters} filters, kernel {kernel}, stride "
            f"{stride}, padding {padding}, side {side}"
        )
        near(
            found[0],
            layer.weight.numel(),
            f"{told}: the weight has the shape {tuple(layer.weight.shape)}",
        )
        near(
            found[1],
            output.shape[-1],
            f"{told}: the output is {output.shape[-1]} a side",
        )
    right()
