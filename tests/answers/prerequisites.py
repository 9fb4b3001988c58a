"""Answers to the exercises of *What you need before you start*."""

import torch

from packnet_book.exercises.prerequisites import (
    check_convolution,
    check_halved,
    check_shapes,
    check_step,
    check_top_error,
)
from tests.answers.cases import Case


def halved(weight, owner, task):
    return torch.where(owner == task, weight / 2, weight)


def halved_by_a_factor(weight, owner, task):
    return weight - weight / 2 * (owner == task)


def halved_in_place(weight, owner, task):
    weight[owner == task] /= 2
    return weight


def halved_and_flat(weight, owner, task):
    return weight[owner == task] / 2


def halved_and_the_rest_gone(weight, owner, task):
    return weight / 2 * (owner == task)


def halved_up_to_the_task(weight, owner, task):
    return torch.where(owner <= task, weight / 2, weight)


def halved_all_but(weight, owner, task):
    return torch.where(owner != task, weight / 2, weight)


def step(weight, gradient, velocity, rate, momentum, decay):
    gradient = gradient + decay * weight
    velocity = momentum * velocity + gradient
    return weight - rate * velocity, velocity


def plain_step(weight, gradient, velocity, rate, momentum, decay):
    return weight - rate * gradient, velocity


def decay_outside(weight, gradient, velocity, rate, momentum, decay):
    velocity = momentum * velocity + gradient
    return weight - rate * velocity - rate * decay * weight, velocity


def averaged(weight, gradient, velocity, rate, momentum, decay):
    gradient = gradient + decay * weight
    velocity = momentum * velocity + (1 - momentum) * gradient
    return weight - rate * velocity, velocity


def velocity_forgotten(weight, gradient, velocity, rate, momentum, decay):
    return step(weight, gradient, velocity, rate, momentum, decay)[0], 0.0


def only_the_weight(*given):
    return step(*given)[0]


def top_error(logits, labels, k):
    best = logits.topk(k, dim=1).indices
    right = (best == labels[:, None]).any(1)
    return 100 * (1 - right.double().mean().item())


def top_error_by_rank(logits, labels, k):
    place = logits.argsort(1, descending=True).argsort(1)
    rank = place.gather(1, labels[:, None])[:, 0]  # (B,)
    return 100 * (rank >= k).double().mean()


def accuracy(logits, labels, k):
    return 100 - top_error(logits, labels, k)


def share(logits, labels, k):
    return top_error(logits, labels, k) / 100


def always_the_first(logits, labels, k):
    return top_error(logits, labels, 1)


def not_broadcast(logits, labels, k):
    best = logits.topk(k, dim=1).indices
    return 100 * (1 - (best[:, :1] == labels).any(1).double().mean())


def convolution(inputs, filters, kernel, stride, padding, side):
    weights = filters * inputs * kernel * kernel
    return weights, (side + 2 * padding - kernel) // stride + 1


def one_kernel_a_filter(inputs, filters, kernel, *rest):
    side = convolution(inputs, filters, kernel, *rest)[1]
    return filters * kernel**2, side


def with_biases(inputs, filters, *rest):
    weights, side = convolution(inputs, filters, *rest)
    return weights + filters, side


def padded_once(inputs, filters, kernel, stride, padding, side):
    weights = convolution(inputs, filters, kernel, 1, 0, side)[0]
    return weights, (side + padding - kernel) // stride + 1


def without_the_last_place(*given):
    weights, side = convolution(*given)
    return weights, side - 1


CASES = (
    Case(
        check_shapes,
        right=(([(8, 5), (2, 8, 5), (5,)],), (([8, 5], [2, 8, 5], [5]),)),
        wrong=(
            ([(8, 1), (2, 8, 5), (5,)],),
            ([(8, 5), (2, 1, 5), (5,)],),
            ([(8, 5), (8, 5), (5,)],),
            ([(8, 5), (2, 8, 5), (8,)],),
            ([(8, 5), (2, 8, 5), 5],),
            ([(8, 5), (2, 8, 5)],),
        ),
    ),
    Case(
        check_halved,
        right=((halved,), (halved_by_a_factor,)),
        wrong=(
            (halved_in_place,),
            (halved_and_flat,),
            (halved_and_the_rest_gone,),
            (halved_up_to_the_task,),
            (halved_all_but,),
        ),
    ),
    Case(
        check_step,
        right=((step,),),
        wrong=(
            (plain_step,),
            (decay_outside,),
            (averaged,),
            (velocity_forgotten,),
            (only_the_weight,),
        ),
    ),
    Case(
        check_top_error,
        right=((top_error,), (top_error_by_rank,)),
        wrong=(
            (accuracy,),
            (share,),
            (always_the_first,),
            (not_broadcast,),
        ),
    ),
    Case(
        check_convolution,
        right=((convolution,),),
        wrong=(
            (one_kernel_a_filter,),
            (with_biases,),
            (padded_once,),
            (without_the_last_place,),
        ),
    ),
)
