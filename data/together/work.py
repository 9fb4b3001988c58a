"""Training, testing and measuring many networks as one."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import RLock
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, pad

from packnet_book.runs.baselines import flat
from packnet_core.errors import Diverged
from packnet_core.evaluation import ErrorRates
from packnet_core.images import MEAN, STD, Pictures, generator, shuffled
from packnet_core.masking import owned
from packnet_core.network import PackNet
from packnet_core.training import Objective, Phase
from together.losses import LOSSES
from together.pool import Pool, same
from together.stack import Stack, one_of

RECORDING = RLock()  # one graph at a time
TESTED = 16384  # pictures that are tested at once
MEASURED = 64  # pictures whose gradients are taken at once


@dataclass
class Training:
    """One network that asks to be trained for a phase."""

    network: PackNet
    pictures: Pictures
    phase: Phase
    size: int
    objective: Objective
    model: nn.Module
    seed: object
    title: str


def schedule(count: int, phase: Phase, seed: object) -> tuple:
    """Of all steps of a phase: the pictures (steps, batch), and the draws
    (steps, batch, 3) of which the crops are made, as `fit` has them."""
    torch.set_num_threads(1)
    batch = min(phase.batch, count)
    epochs = (
        shuffled(count, phase.batch, seed, epoch=epoch)
        for epoch in range(phase.epochs)
    )
    indices = torch.stack([b for order in epochs for b in order])
    draws = torch.stack([
        torch.rand(batch, 3, generator=generator(seed, "crops", step))
        for step in range(len(indices))
    ])  # fmt: skip
    return indices.numpy(), draws.numpy()


def _squares(
    images: Tensor, index: Tensor, corners: Tensor, flips: Tensor, size: int
) -> Tensor:
    """Squares (M, 3, size, size) cut out of images (N, 3, H, W)."""
    along = torch.arange(size, device=images.device)
    rows = corners[:, :1] + along
    columns = corners[:, 1:] + along
    columns = torch.where(flips[:, None], columns.flip(1), columns)
    cut = images[
        index[:, None, None], :, rows[:, :, None], columns[:, None, :]
    ]
    return cut.permute(0, 3, 1, 2)


@dataclass
class Course:
    """All batches of a phase, on the card: of each step and network.

    pixels: (N, 3, H, W), the pictures of all; indices, labels, flips:
    (steps, K, B); corners: (steps, K, B, 2); factors: of the rates,
    (steps,); losses: (steps, K), as they come; now: the step, (1,).
    """

    size: int
    pixels: Tensor
    indices: Tensor
    labels: Tensor
    flips: Tensor
    corners: Tensor
    factors: Tensor
    losses: Tensor
    now: Tensor

    @classmethod
    def of(cls, pool: Pool, asked: list[Training]) -> "Course":
        one, device = asked[0], pool.device
        size, phase, total = one.size, one.phase, len(one.pictures)
        planned = [
            pool.helpers.submit(schedule, total, phase, each.seed)
            for each in asked
        ]
        # The pictures of all of them in one row, each set once.
        sets = {same(o.pictures): pool.pixels(o.pictures) for o in asked}
        starts, rows = {}, []
        largest = max(images.shape[-1] for images in sets.values())
        for key, images in sets.items():
            starts[key] = sum(map(len, rows))
            rows.append(pad(images, [0, largest - images.shape[-1]] * 2))
        indices, labels, flips, corners = [], [], [], []
        for each, plan in zip(asked, planned, strict=True):
            index, draws = map(torch.from_numpy, plan.result())
            room = each.pictures._room(index.flatten(), size) + 1
            corners.append(
                (draws[..., :2] * room.view(*index.shape, 2)).long()
            )
            flips.append(draws[..., 2] >= 0.5)
            labels.append(each.pictures.labels[index])
            indices.append(index + starts[same(each.pictures)])
        steps = len(indices[0])
        per_epoch = steps // max(phase.epochs, 1)
        factors = [phase.factor(n / per_epoch) for n in range(steps)]
        indices, labels, flips, corners = (
            torch.stack(parts, 1).to(device)
            for parts in (indices, labels, flips, corners)
        )
        return cls(
            size, torch.cat(rows), indices, labels, flips, corners,
            torch.tensor(factors, device=device),
            torch.zeros(steps, len(asked), device=device),
            torch.zeros(1, dtype=torch.long, device=device),
        )  # fmt: skip

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Images (B, 3 K, S, S), labels (K, B), factor (1,) of this step."""
        index, labels, flips, corners, factor = (
            t.index_select(0, self.now)
            for t in (self.indices, self.labels, self.flips, self.corners,
                      self.factors)
        )  # fmt: skip
        cut = _squares(
            self.pixels, index.flatten(), corners.flatten(0, 2),
            flips.flatten(), self.size,
        )  # fmt: skip
        count = index.shape[1]
        images = _floats(cut).unflatten(0, (count, -1)).transpose(0, 1)
        return images.flatten(1, 2), labels[0], factor


def _floats(bytes: Tensor) -> Tensor:
    """Bytes (M, 3, S, S) to floats as `normalise` has them, without a
    tensor that comes from the CPU, which no graph could record."""
    floats = bytes.float()
    for colour, (mean, deviation) in enumerate(zip(MEAN, STD, strict=True)):
        part = floats[:, colour]
        part.sub_(_single(mean)).div_(_single(deviation))
    return floats


def _single(value: float) -> float:
    return (torch.tensor(value) * 255).item()


def train(pool: Pool, asked: list[Training]) -> list[Any]:
    """Seconds of each one's share of the training, or what it raises."""
    begun, count = time.monotonic(), len(asked)
    course = Course.of(pool, asked)
    step = _Step(Stack.of([a.network for a in asked], pool.device), asked,
                 course)  # fmt: skip
    phase, steps = asked[0].phase, len(course.factors)
    for number in range(steps):
        step(number // (steps // phase.epochs) >= phase.trunk_from)
    finite = course.losses.isfinite().cpu()
    step.write_back()
    seconds = time.monotonic() - begun
    print(f"{asked[0].title}: {count} together, {steps} steps, "
          f"{seconds:.1f} s", flush=True)  # fmt: skip
    return [
        seconds / count if good.all() else Diverged(
            f"{one.title}: the loss became no finite number in step "
            f"{int(good.long().argmin()) + 1}: lower the learning rate"
        )
        for one, good in zip(asked, finite.T, strict=True)
    ]  # fmt: skip


class _Step:
    """A step of all networks of a stack, as `fit` takes it."""

    def __init__(self, stack: Stack, asked: list[Training], course: Course):
        self.stack, self.asked, self.course = stack, asked, course
        self.phase = asked[0].phase
        device = stack.device
        one, networks = asked[0], [a.network for a in asked]
        open_trunk = [
            n for n, p in one.network.trunk.named_parameters()
            if p.requires_grad
        ]  # fmt: skip
        self.masks: dict[str, Tensor] = {}
        if one.objective.guarded:
            for name in one.network.layers.keys() & {*open_trunk}:
                self.masks[name] = one_of([
                    owned(n.owner[name], len(n.records)) for n in networks
                ], device)  # fmt: skip
        self.trunk = {n: stack.trunk[n] for n in open_trunk}
        self.open_heads = [
            number for number, head in enumerate(one.network.heads)
            if head.weight.requires_grad
        ]  # fmt: skip
        self.heads = [t for n in self.open_heads for t in stack.heads[n]]
        rates = [(a.phase.lr, _head_rate(a.phase)) for a in asked]
        self.rates = torch.tensor(rates, device=device).T  # (2, K)
        self.parameters = [*self.trunk.values(), *self.heads]
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        self.speeds = [torch.zeros_like(p) for p in self.parameters]
        kind = LOSSES[type(one.model)]
        self.loss = kind(stack, [a.model for a in asked])
        self.graphs: dict[bool, Callable] = {}

    def __call__(self, trunk: bool) -> None:
        """trunk: it is trained too, where it may be."""
        trunk = trunk and bool(self.trunk)
        if trunk not in self.graphs:
            take = partial(self.take, trunk)
            cuda = self.course.now.is_cuda
            self.graphs[trunk] = self.recorded(take) if cuda else take
        self.graphs[trunk]()

    def recorded(self, take: Callable[[], None]) -> Callable[[], None]:
        """The same, launched as a whole: a graph of all its kernels."""
        changed = [*self.parameters, *self.speeds, self.course.now]
        kept = [value.detach().clone() for value in changed]
        with RECORDING:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    take()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(
                graph, stream=side, capture_error_mode="thread_local"
            ):
                take()
        with torch.no_grad():
            for value, before in zip(changed, kept, strict=True):
                value.copy_(before)
        return graph.replay

    def take(self, trunk: bool) -> None:
        images, labels, factor = self.course.batch()
        stack, heads = self.stack, len(self.heads)
        with torch.set_grad_enabled(trunk):
            features = stack.features(images)
        losses = self.loss(features, images, labels)
        moved = self.parameters if trunk else self.parameters[-heads:]
        speeds = self.speeds if trunk else self.speeds[-heads:]
        names = [*self.trunk] if trunk else []
        found = torch.autograd.grad(losses.sum(), moved)
        with torch.no_grad():
            grads = [
                g * self.masks[name] if name in self.masks else g
                for g, name in zip(
                    found, [*names, *[""] * heads], strict=True
                )
            ]
            if self.phase.clip is not None:
                squares = [stack.apart(g.square()).sum(1) for g in grads]
                norm = torch.stack(squares).sum(0).sqrt()
                part = (self.phase.clip / (norm + 1e-6)).clamp(max=1.0)
                grads = [self._times(g, part) for g in grads]
            for number, (p, g, v) in enumerate(
                zip(moved, grads, speeds, strict=True)
            ):
                rate = self.rates[int(number >= len(names))] * factor
                if self.phase.weight_decay:
                    g = g + self.phase.weight_decay * p
                v.mul_(self.phase.momentum).add_(g)
                p.sub_(self._times(v, rate))
            course = self.course
            course.losses.index_copy_(0, course.now, losses.detach()[None])
            course.now += 1

    def _times(self, values: Tensor, factors: Tensor) -> Tensor:
        """(K * rows, …) times (K,)."""
        each = factors.view(-1, *[1] * values.dim())
        apart = values.unflatten(0, (self.stack.count, -1))
        return (apart * each).flatten(0, 1)

    @torch.no_grad()
    def write_back(self) -> None:
        """Give each network what it has learnt, and nothing else."""
        for name, values in self.trunk.items():
            for k, new in enumerate(values.cpu().chunk(self.stack.count)):
                network = self.asked[k].network
                now = network.trunk.get_parameter(name)
                if name in self.masks:
                    mine = owned(network.owner[name], len(network.records))
                    new = torch.where(mine, new, now)
                now.copy_(new)
        for number in self.open_heads:
            weights, biases = self.stack.heads[number]
            weights = weights.cpu().chunk(self.stack.count)
            biases = biases.cpu().chunk(self.stack.count)
            for k, one in enumerate(self.asked):
                head = one.network.heads[number]
                head.weight.copy_(weights[k])
                head.bias.copy_(biases[k])


def _head_rate(phase: Phase) -> float:
    return phase.lr if phase.head_lr is None else phase.head_lr


@dataclass
class Testing:
    """One network, as a view shows it, that asks to be tested."""

    module: nn.Module
    trunk: dict[str, Tensor]
    head: nn.Linear
    pictures: Pictures
    size: int


@torch.no_grad()
def test(pool: Pool, asked: list[Testing]) -> list[Any]:
    """The error rates of each."""
    pictures, size, count = asked[0].pictures, asked[0].size, len(asked)
    stack = Stack(
        asked[0].module, [one.trunk for one in asked],
        [[one.head] for one in asked], pool.device,
    )  # fmt: skip
    images, labels = pool.pixels(pictures), pictures.labels.to(pool.device)
    outputs = []
    for index in torch.arange(len(labels)).split(max(TESTED // count, 1)):
        room = pictures._room(index, size)
        cut = _squares(
            images, index.to(pool.device), (room // 2).to(pool.device),
            torch.zeros(len(index), dtype=torch.bool, device=pool.device),
            size,
        )  # fmt: skip
        row = _floats(cut).repeat(1, count, 1, 1)
        row = row.contiguous(memory_format=torch.channels_last)
        with RECORDING:
            outputs.append(stack.answers(stack.features(row), 0))
    logits = torch.cat(outputs, 1)  # (K, N, classes)
    several = logits.shape[-1] > 5
    best = logits.topk(5 if several else 1).indices
    hits = best == labels[:, None]
    right = torch.stack([hits[..., 0].sum(1), hits.sum((1, 2))], 1).double()
    rates = 100 * (1 - right.cpu() / len(labels))
    return [
        ErrorRates(top1, top5 if several else math.nan, len(labels))
        for top1, top5 in rates.tolist()
    ]


@dataclass
class Measuring:
    """One network whose Fisher information is asked for."""

    network: PackNet
    pictures: Pictures
    size: int


def measure(pool: Pool, asked: list[Measuring]) -> list[Any]:
    """What `importance` gives of each: a copy of a network a picture."""
    pictures, size, count = asked[0].pictures, asked[0].size, len(asked)
    total, networks = len(pictures), [one.network for one in asked]
    at_once = max(1, MEASURED // count)
    stack = Stack.of(
        [n for n in networks for _ in range(at_once)], pool.device
    )
    parameters = list(stack.trunk.values())
    for parameter in parameters:
        parameter.requires_grad_(True)
    sums = [
        torch.zeros(count, p.numel() // stack.count, device=p.device)
        for p in parameters
    ]
    draws = [generator("importance", n.tasks[-1]) for n in networks]
    images = pool.pixels(pictures)
    for begin in range(0, total, at_once):
        used = torch.arange(begin, begin + at_once)
        there = (used < total).to(pool.device).float()
        index = used.clamp(max=total - 1)
        corners = (pictures._room(index, size) // 2).to(pool.device)
        flips = torch.zeros(at_once, dtype=torch.bool, device=pool.device)
        cut = _squares(images, index.to(pool.device), corners, flips, size)
        row = _floats(cut).flatten(0, 1)[None].repeat(1, count, 1, 1)
        with RECORDING:  # gradients of all threads go through one
            answers = stack.answers(stack.features(row), -1)[:, 0]
            answers = log_softmax(answers, dim=1)  # (K copies, classes)
            likely = answers.detach().exp().cpu().view(count, at_once, -1)
            labels = torch.tensor([
                int(torch.multinomial(one, 1, generator=draw))
                if begin + place < total else 0
                for rows, draw in zip(likely, draws, strict=True)
                for place, one in enumerate(rows)
            ]).to(pool.device)  # fmt: skip
            drawn = answers.gather(1, labels[:, None])[:, 0]
            grads = torch.autograd.grad(
                (drawn * there.repeat(count)).sum(), parameters
            )
        for found, grad in zip(sums, grads, strict=True):
            each = stack.apart(grad.square()).view(count, at_once, -1)
            found += each.sum(1)
    return [
        (
            torch.cat([found[k].cpu() for found in sums]) / max(total, 1),
            flat(n.trunk.parameters()).detach(),
        )
        for k, n in enumerate(networks)
    ]
