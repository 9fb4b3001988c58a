"""Many networks of one shape trained at once, on a graphics card.

A small network leaves a card idle. Here many of one shape take each step
together, as one network of grouped convolutions. No study is written for
it: each draw runs in a thread of its own, and what it asks of `fit`,
`evaluate` and `importance` waits until the others ask too; what is alike is
done at once, on the same batches as alone; only sums are rounded otherwise.
"""

import math
import os
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from threading import Condition, RLock, Thread, local
from typing import Any
from unittest.mock import patch

import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn
from torch.nn.functional import (
    conv2d,
    cross_entropy,
    kl_div,
    log_softmax,
    pad,
    softmax,
)

from packnet_book.runs import methods, runner
from packnet_book.runs.baselines import (
    AllTasks,
    Distillation,
    Elastic,
    _Joined,
    flat,
)
from packnet_core.errors import BadRun, Diverged
from packnet_core.evaluation import ErrorRates
from packnet_core.images import MEAN, STD, Pictures, generator, shuffled
from packnet_core.masking import owned
from packnet_core.network import PackNet
from packnet_core.training import OWN_WEIGHTS, CurrentTask, Objective, Phase
from packnet_core.trunks import Divide
from packnet_core.views import innermost
from studies import common

PATIENCE = 5.0  # seconds for threads that do not ask
MOMENT = 0.5  # seconds for which a file may be held
RECORDING = RLock()  # one graph at a time
AT_ONCE = 4096  # pictures in a step of all networks
PRODUCTS = bool(int(os.environ.get("PRODUCTS", "1")))
TESTED = 16384  # pictures that are tested at once
MEASURED = 64  # pictures whose gradients are taken at once


@dataclass
class Asked:
    """What a thread waits for; alike: what it must have in common with
    others to be done with them; count: pictures of it in a step."""

    do: Callable[["Pool", list[Any]], list[Any]]
    alike: object
    what: Any
    count: int
    result: Future


class Together:
    """What all threads have in common that are carried out so."""

    def __init__(self, device: torch.device, processes: int):
        self.device = device
        self.helpers: Executor = ProcessPoolExecutor(
            processes, mp_context=get_context("spawn")
        )

    def carry_out(self, calls: Sequence[Callable[[], None]]) -> None:
        """Make all calls, each in a thread; raises what the first raised.

        May itself be called in several threads, each with calls of its own.
        """
        Pool(self).carry_out(calls)


HERE = local()  # the pool of this thread


class Pool:
    """Does what threads ask for, once all of them wait."""

    def __init__(self, of: Together):
        self.device, self.helpers = of.device, of.helpers
        self.changed = Condition()
        self.asked: list[Asked] = []
        self.busy = self.away = 0  # threads at work, and those set aside
        self.seen: dict[tuple, tuple[list[Tensor], Tensor]] = {}

    def ask(self, do, alike: object, what: object, count: int) -> Any:
        """Wait for what is done together with others."""
        one = Asked(do, alike, what, count, Future())
        with self.changed:
            self.asked.append(one)
            self.busy -= 1
            self.changed.notify_all()
        return one.result.result()

    def carry_out(self, calls: Sequence[Callable[[], None]]) -> None:
        faults: list[BaseException] = []

        def make(call: Callable[[], None]) -> None:
            HERE.pool = self
            try:
                call()
            except BaseException as fault:
                traceback.print_exc()
                faults.append(fault)
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()

        self.busy = len(calls)
        for call in calls:
            Thread(target=make, args=(call,), daemon=True).start()
        cuda = self.device.type == "cuda"
        with torch.cuda.stream(torch.cuda.Stream() if cuda else None):
            while now := self.gather():
                self.answer(now)
        if faults:
            raise faults[0]

    def each(self, call: Callable[[Any], Any], values: Sequence) -> list:
        """What `call` gives of each value, in a thread each."""
        places, left = common.USED.places, len(values)
        found: list[Future] = [Future() for _ in values]

        def make(value: Any, future: Future) -> None:
            nonlocal left
            HERE.pool, common.USED.places = self, places
            try:
                result, fault = call(value), None
            except BaseException as raised:
                result, fault = None, raised
            with self.changed:
                left -= 1
                if left:  # the last one's place is its maker's again
                    self.busy -= 1
                    self.changed.notify_all()
            future.set_exception(fault) if fault else future.set_result(
                result
            )

        with self.changed:
            self.busy += len(values) - 1
        for value, future in zip(values, found, strict=True):
            Thread(target=make, args=(value, future), daemon=True).start()
        return [future.result() for future in found]

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While this thread waits for what another one has."""
        with self.changed:
            self.busy, self.away = self.busy - 1, self.away + 1
            self.changed.notify_all()
        try:
            yield
        finally:
            with self.changed:
                self.busy, self.away = self.busy + 1, self.away - 1

    def gather(self) -> list[Asked]:
        """What all ask for, or those who wait for no other's files."""
        with self.changed:
            while self.busy or self.away or self.asked:
                number = len(self.asked)
                ready = self.changed.wait_for(
                    lambda: not self.busy and (self.asked or not self.away),
                    PATIENCE,
                )
                if self.asked and (ready or number == len(self.asked)):
                    break
            now, self.asked = self.asked, []
        return now

    def answer(self, now: list[Asked]) -> None:
        groups = defaultdict(list)
        for one in now:
            groups[one.do, repr(one.alike)].append(one)
        for (do, _), group in groups.items():
            most = max(1, AT_ONCE // group[0].count)
            for begin in range(0, len(group), most):
                some = group[begin : begin + most]
                whats = [one.what for one in some]
                try:
                    try:
                        found = do(self, whats)
                    except torch.AcceleratorError as fault:
                        if "capture" not in str(fault):
                            raise  # else another thread was in the way
                        found = do(self, whats)
                except Exception as fault:
                    found = [fault] * len(some)
                with self.changed:
                    self.busy += len(some)
                for one, answer in zip(some, found, strict=True):
                    if isinstance(answer, Exception):
                        one.result.set_exception(answer)
                    else:
                        one.result.set_result(answer)

    def pixels(self, pictures: Pictures) -> Tensor:
        """Images (N, 3, H, W) on the card, filled up to the largest."""
        parts, key = _parts(pictures), _same(pictures)
        if key not in self.seen:
            large = max(part.shape[-1] for part in parts)
            wide = [pad(p, [0, large - p.shape[-1]] * 2) for p in parts]
            self.seen[key] = parts, torch.cat(wide).to(self.device)
        return self.seen[key][1]


def _parts(pictures: Pictures) -> list[Tensor]:
    images = pictures.images
    if isinstance(images, _Joined):
        return [image for part in images.parts for image in _parts(part)]
    if not isinstance(images, Tensor):
        raise BadRun("only pictures in memory are trained together")
    return [images]


def _same(pictures: Pictures) -> tuple[int, ...]:
    """Tells pictures apart, as long as they are there."""
    return tuple(map(id, _parts(pictures)))


class Stack:
    """Networks of one shape as one: each parameter (K, …) in a row.

    trunk: by name, (K * rows, …); heads: weights (K, C, F), biases (K, C).
    """

    def __init__(
        self,
        module: nn.Module,
        trunks: Sequence[dict[str, Tensor]],
        heads: Sequence[Sequence[nn.Linear]],
        device: torch.device,
    ):
        self.module, self.count = module, len(trunks)
        self.trunk = {
            name: _one([values[name] for values in trunks], device)
            for name in trunks[0]
        }
        self.heads = [
            (
                _one([head.weight for head in same], device),
                _one([head.bias for head in same], device),
            )
            for same in zip(*heads, strict=True)
        ]

    @classmethod
    def of(cls, networks: Sequence[PackNet], device: torch.device) -> "Stack":
        trunks = [dict(n.trunk.named_parameters()) for n in networks]
        heads = [list(n.heads) for n in networks]
        return cls(networks[0].trunk, trunks, heads, device)

    def features(self, images: Tensor) -> Tensor:
        """(B, 3 K, H, W) to (K, B, F), each network's own three colours."""
        x, count = images, self.count
        if PRODUCTS:
            return self.by_products(images)
        for name, layer in self.module.named_modules():
            if next(layer.children(), None) is not None:
                continue
            weight, bias = (
                self.trunk.get(f"{name}.{part}")
                for part in ("weight", "bias")
            )
            if isinstance(layer, nn.Conv2d):
                x = conv2d(
                    x, weight, bias, layer.stride, layer.padding,
                    layer.dilation, count * layer.groups,
                )  # fmt: skip
            elif isinstance(layer, nn.Linear):
                x = torch.baddbmm(
                    bias.unflatten(0, (count, 1, -1)), x,
                    weight.unflatten(0, (count, -1)).mT,
                )  # fmt: skip
            elif isinstance(layer, nn.Flatten):
                x = x.unflatten(1, (count, -1)).transpose(0, 1).flatten(2)
            elif isinstance(layer, nn.ReLU):
                x = x.relu()
            elif isinstance(
                layer, nn.MaxPool2d | nn.AdaptiveAvgPool2d | Divide
            ):
                x = layer(x)
            elif not isinstance(layer, nn.Dropout) or layer.p:
                raise BadRun(f"{type(layer).__name__} is trained alone only")
        return x

    def by_products(self, images: Tensor) -> Tensor:
        count = self.count
        x = images.unflatten(1, (count, 3)).permute(1, 0, 3, 4, 2)
        x = x.contiguous()
        for name, layer in self.module.named_modules():
            if next(layer.children(), None) is not None:
                continue
            weight, bias = (
                self.trunk.get(f"{name}.{part}")
                for part in ("weight", "bias")
            )
            if isinstance(layer, nn.Conv2d):
                assert layer.kernel_size == (3, 3)
                assert bias is not None
                x = _Convolution.apply(
                    x, weight.unflatten(0, (count, -1)),
                    bias.unflatten(0, (count, -1)),
                )  # fmt: skip
            elif isinstance(layer, nn.Linear):
                x = torch.baddbmm(
                    bias.unflatten(0, (count, 1, -1)), x,
                    weight.unflatten(0, (count, -1)).mT,
                )  # fmt: skip
            elif isinstance(layer, nn.Flatten):
                x = x.permute(0, 1, 4, 2, 3).flatten(2)
            elif isinstance(layer, nn.ReLU):
                x = x.relu()
            elif isinstance(layer, nn.MaxPool2d | nn.AdaptiveAvgPool2d):
                flat = x.flatten(0, 1).permute(0, 3, 1, 2)
                flat = layer(flat).permute(0, 2, 3, 1)
                x = flat.unflatten(0, (count, -1))
            elif isinstance(layer, Divide):
                x = layer(x)
            elif not isinstance(layer, nn.Dropout) or layer.p:
                raise BadRun(f"{type(layer).__name__} is trained alone only")
        return x

    def answers(self, features: Tensor, head: int) -> Tensor:
        """(K, B, F) to the logits of one head of each network, (K, B, C)."""
        weight, bias = self.heads[head]
        return torch.baddbmm(
            bias.unflatten(0, (self.count, 1, -1)), features,
            weight.unflatten(0, (self.count, -1)).mT,
        )  # fmt: skip

    def trunk_device(self) -> torch.device:
        return next(iter(self.trunk.values())).device

    def apart(self, values: Tensor) -> Tensor:
        """(K * rows, …) to (K, entries), or a copy of it."""
        return values.unflatten(0, (self.count, -1)).flatten(1)


def _one(values: Sequence[Tensor], device: torch.device) -> Tensor:
    one = torch.cat([v.detach() for v in values]).to(device)
    if one.dim() == 4:
        return one.contiguous(memory_format=torch.channels_last)
    return one.contiguous()


class _Convolution(torch.autograd.Function):
    """3 x 3 convolutions with padding 1, of each network its own, as
    products of matrices; grouped convolutions are far slower."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """x: (K, B, H, W, C); weight: (K, O, C, 3, 3); bias: (K, O)."""
        across = _windows(x)
        kernels = weight.permute(0, 3, 4, 2, 1).flatten(1, 3)  # (K, 9C, O)
        y = torch.baddbmm(bias[:, None], across, kernels)
        ctx.save_for_backward(across, weight)
        return y.view(*x.shape[:4], -1)

    @staticmethod
    def backward(ctx, grad: Tensor):
        across, weight = ctx.saved_tensors
        count, batch, height, width, outputs = grad.shape
        grad = grad.contiguous()
        parts = max(batch * height * width // 2304, 1)
        while batch * height * width % parts:
            parts -= 1
        rows = grad.view(count * parts, -1, outputs)
        columns = across.view(count * parts, -1, across.shape[-1])
        of_weight = (columns.mT @ rows).view(count, parts, -1, outputs).sum(1)
        of_weight = of_weight.view(count, 3, 3, -1, outputs)
        of_weight = of_weight.permute(0, 4, 3, 1, 2)
        of_x = None
        if ctx.needs_input_grad[0]:
            turned = weight.flip(3, 4).permute(0, 3, 4, 1, 2).flatten(1, 3)
            of_x = (_windows(grad) @ turned).view(*grad.shape[:4], -1)
        return of_x, of_weight, grad.flatten(1, 3).sum(1)


def _windows(x: Tensor) -> Tensor:
    """(K, B, H, W, C) to (K, B H W, 9 C): the 3 x 3 around each place."""
    count, batch, height, width, channels = x.shape
    wide = pad(x, (0, 0, 1, 1, 1, 1))
    k, b, h, w, c = wide.stride()
    shape = (count, batch, height, width, 3, 3, channels)
    windows = wide.as_strided(shape, (k, b, h, w, h, w, c))
    return windows.reshape(count, batch * height * width, 9 * channels)


# What is minimised: of each network (K,), its mean over its own batch.


def _entropy(logits: Tensor, labels: Tensor) -> Tensor:
    losses = cross_entropy(
        logits.flatten(0, 1), labels.flatten(), reduction="none"
    )
    return losses.view(labels.shape)


def _current(stack: Stack, models: Sequence[nn.Module]):
    def loss(features: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        return _entropy(stack.answers(features, -1), labels).mean(1)

    return loss


def _distillation(stack: Stack, models: Sequence[Distillation]):
    teacher = Stack.of([m.teacher for m in models], stack.trunk_device())
    device = stack.trunk_device()
    strength = torch.tensor([m.strength for m in models], device=device)
    heat = Distillation.temperature

    def loss(features: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        total = _entropy(stack.answers(features, -1), labels).mean(1)
        with torch.no_grad():
            before = teacher.features(images)
        for head in range(len(stack.heads) - 1):
            parts = kl_div(
                log_softmax(stack.answers(features, head) / heat, dim=-1),
                softmax(teacher.answers(before, head) / heat, dim=-1),
                reduction="none",
            )
            total = total + strength * parts.sum(-1).mean(1)
        return total

    return loss


def _elastic(stack: Stack, models: Sequence[Elastic]):
    device = stack.trunk_device()
    strength = torch.tensor([m.strength for m in models], device=device)
    shapes = {n: p.shape for n, p in stack.module.named_parameters()}

    def rows(flats: Sequence[Tensor]) -> dict[str, Tensor]:
        sizes = [shape.numel() for shape in shapes.values()]
        parts = zip(*(flat.split(sizes) for flat in flats), strict=True)
        return {
            name: _one([v.view(shape) for v in values], device)
            for (name, shape), values in zip(
                shapes.items(), parts, strict=True
            )
        }

    terms = [
        (rows([m.fishers[t] for m in models]),
         rows([m.anchors[t] for m in models]))
        for t in range(len(models[0].fishers))
    ]  # fmt: skip

    def loss(features: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        total = _entropy(stack.answers(features, -1), labels).mean(1)
        for fishers, anchors in terms:
            for name, now in stack.trunk.items():
                moved = fishers[name] * (now - anchors[name]) ** 2
                total = total + strength / 2 * stack.apart(moved).sum(1)
        return total

    return loss


def _all_tasks(stack: Stack, models: Sequence[AllTasks]):
    task_of = models[0].task_of.to(stack.trunk_device())
    tasks = torch.arange(len(stack.heads), device=task_of.device)

    def loss(features: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        heads = [stack.answers(features, n) for n in range(len(stack.heads))]
        own = task_of[labels]  # (K, B)
        other = task_of != own[..., None]
        logits = torch.cat(heads, dim=-1).masked_fill(other, -torch.inf)
        same = (own[..., None] == tasks).sum(1)  # (K, tasks)
        return (_entropy(logits, labels) / same.gather(1, own)).sum(1)

    return loss


LOSSES: dict[type, Callable] = {
    CurrentTask: _current,
    Distillation: _distillation,
    Elastic: _elastic,
    AllTasks: _all_tasks,
}


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
        sets = {_same(o.pictures): pool.pixels(o.pictures) for o in asked}
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
            indices.append(index + starts[_same(each.pictures)])
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
    """As `normalise` has it, without a constant that comes from the CPU."""
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
        device = stack.trunk_device()
        one, networks = asked[0], [a.network for a in asked]
        open_trunk = [
            n for n, p in one.network.trunk.named_parameters()
            if p.requires_grad
        ]  # fmt: skip
        self.masks: dict[str, Tensor] = {}
        if one.objective.guarded:
            for name in one.network.layers.keys() & {*open_trunk}:
                self.masks[name] = _one([
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
        same = _floats(cut).repeat(1, count, 1, 1)
        same = same.contiguous(memory_format=torch.channels_last)
        with RECORDING:
            outputs.append(stack.answers(stack.features(same), 0))
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


def _shape(network: PackNet) -> tuple:
    """What networks have in common that are trained together."""
    trunk = getattr(network.trunk, "architecture", None)
    flags = [(n, p.requires_grad) for n, p in network.named_parameters()]
    heads = [tuple(head.weight.shape) for head in network.heads]
    return trunk, flags, heads


@contextmanager
def together(
    device: str | torch.device, processes: int = 1
) -> Iterator[Together]:
    """Within the block, `carry_out` does alike things at once."""
    from studies import ablations, controls, error_table, length, rates

    made_for = Together(torch.device(device), processes)
    drawing = RLock()  # torch's own random numbers are common to threads
    forked = torch.random.fork_rng

    def fit(
        network, pictures, phase, *, size, objective=OWN_WEIGHTS, seed=0,
        title="", **options,
    ) -> float:  # fmt: skip
        if options.get("accumulate", 1) != 1 or options.get("watch"):
            raise BadRun("chunks, or watching, are for training alone")
        if phase.optimizer != "sgd":
            raise BadRun("only SGD trains together")
        model = objective.loss(network)
        alike = (
            replace(phase, lr=0.0, head_lr=None), len(pictures), size,
            type(model), objective.guarded, _shape(network),
        )  # fmt: skip
        what = Training(
            network, pictures, phase, size, objective, model, seed, title
        )
        return HERE.pool.ask(train, alike, what, phase.batch)

    def evaluate(network, pictures, *, size, **options) -> ErrorRates:
        view = innermost(network)
        task = view.task if view else len(network.records)
        trunk = dict(network.trunk.named_parameters())
        with torch.no_grad():
            trunk |= view.weights() if view else {}
        what = Testing(
            network.trunk, trunk, network.heads[task - 1], pictures, size
        )
        alike = (
            network.trunk.architecture, _same(pictures), size,
            what.head.weight.shape,
        )  # fmt: skip
        return HERE.pool.ask(test, alike, what, 1)

    def importance(network, pictures, size) -> tuple[Tensor, Tensor]:
        alike = (
            _same(pictures), size, _shape(network),
        )  # fmt: skip
        what = Measuring(network, pictures, size)
        return HERE.pool.ask(measure, alike, what, AT_ONCE // 64)

    @contextmanager
    def alone(file, waiting):
        lock = FileLock(file)
        try:
            lock.acquire(timeout=MOMENT)
        except Timeout:
            with HERE.pool.aside():
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def fork_rng(devices=(), *rest, **options):
        with drawing, forked([], *rest, **options):
            yield

    made = {
        "fit": fit, "evaluate": evaluate, "importance": importance,
        "alone": alone,
    }  # fmt: skip
    patches = [
        patch.object(torch.random, "fork_rng", fork_rng),
        patch.object(rates, "each", lambda *of: HERE.pool.each(*of)),
    ]
    for module in (
        runner, methods, common, ablations, controls, error_table, length,
    ):  # fmt: skip
        for name, function in made.items():
            if hasattr(module, name):
                patches.append(patch.object(module, name, function))
    for one in patches:
        one.start()
    try:
        yield made_for
    finally:
        for one in patches:
            one.stop()
        made_for.helpers.shutdown()
