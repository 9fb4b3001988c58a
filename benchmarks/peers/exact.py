"""Exact? What the next task's training does to a finished task's answers."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from pandas import DataFrame
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from benchmarks.peers.doors import Avalanche, Door, Here, doors
from packnet_book.drawn import draw
from packnet_core import Pictures, load
from packnet_core.errors import PackNetError
from packnet_core.images import normalise
from packnet_core.trunks import Architecture, build

Maker = Callable[[list], Optimizer]


@dataclass(frozen=True)
class Settings:
    """What all rows share."""

    width: float = 0.25
    size: int = 32
    batch: int = 16
    start_steps: int = 300  # of plain training, before anything else
    first_steps: int = 25  # of the first task, then once more after pruning
    steps: int = 500  # of the second task
    fraction: float = 0.5
    tasks: tuple[str, str] = ("birds", "cars")
    seed: int = 0


@dataclass(frozen=True)
class Row:
    """One way of training the second task.

    keep: one optimiser goes through both tasks, instead of a fresh one
    for each; chunks: in which a batch's gradients are added up; resume:
    the finished first task is saved to a file and loaded from it.
    """

    name: str
    told: str
    optimizer: Maker
    trunk: str = "small_vgg"
    dropout: float = 0.0
    clip: float | None = None
    bf16: bool = False
    chunks: int = 1
    keep: bool = False
    resume: bool = False


def momentum(weights: list) -> Optimizer:
    return SGD(weights, 0.01, momentum=0.9)


def adam(weights: list) -> Optimizer:
    return Adam(weights, 1e-3)


ROWS = (
    Row("SGD", "rate 0.01", lambda w: SGD(w, 0.01)),
    Row("momentum", "SGD, rate 0.01, momentum 0.9", momentum),
    Row("weight decay", "as momentum, weight decay 5e-4",
        lambda w: SGD(w, 0.01, momentum=0.9, weight_decay=5e-4)),
    Row("Nesterov", "as momentum, Nesterov's",
        lambda w: SGD(w, 0.01, momentum=0.9, nesterov=True)),
    Row("Adam", "rate 1e-3", adam),
    Row("AdamW", "rate 1e-3, weight decay 0.01", lambda w: AdamW(w, 1e-3)),
    Row("RMSprop", "rate 1e-4", lambda w: RMSprop(w, 1e-4)),
    Row("clipping", "as momentum, gradient's norm at most 1", momentum,
        clip=1.0),
    Row("bf16 autocast", "as momentum", momentum, bf16=True),
    Row("dropout", "as momentum, half the hidden units", momentum,
        dropout=0.5),
    Row("batch norm", "as momentum, on VGG-16-BN of the same width",
        momentum, trunk="vgg16_bn"),
    Row("momentum, kept", "one optimiser for both tasks", momentum,
        keep=True),
    Row("Adam, kept", "one optimiser for both tasks", adam, keep=True),
    Row("accumulation", "as momentum, batches in two chunks", momentum,
        chunks=2),
    Row("saved and loaded", "as momentum, from a file between the tasks",
        momentum, resume=True),
)  # fmt: skip


@cache
def pictures(task: str, split: str, settings: Settings) -> Pictures:
    return draw(task, split, 30, size=settings.size)


def batches(found: Pictures, settings: Settings, seed: int) -> Iterator:
    """Images and labels without end, in an order that the seed decides."""
    draws = torch.Generator().manual_seed(seed)
    images = normalise(found.images)
    while True:
        order = torch.randperm(len(found), generator=draws)
        for some in order.split(settings.batch):
            if len(some) == settings.batch:
                yield images[some], found.labels[some]


def train(
    door: Door, optimizer: Optimizer, batches: Iterator, steps: int, row: Row
) -> None:
    """So many steps of the current task, as a loop of one's own."""
    door.train()
    low = torch.autocast("cpu", torch.bfloat16) if row.bf16 else nullcontext()
    for _ in range(steps):
        images, labels = next(batches)
        optimizer.zero_grad()
        for some, own in zip(
            images.chunk(row.chunks), labels.chunk(row.chunks), strict=True
        ):
            with low:
                loss = cross_entropy(door.logits(some), own)
            (loss / row.chunks).backward()
        door.before_step()
        if row.clip is not None:
            clip_grad_norm_(door.model.parameters(), row.clip)
        optimizer.step()
        door.after_step()


def start(row: Row, settings: Settings) -> tuple[nn.Module, nn.Linear]:
    """Trunk and head after the same plain training, the same for all."""
    torch.manual_seed(settings.seed)
    trunk = build(
        Architecture(row.trunk, settings.width, settings.size, row.dropout)
    )
    found = pictures(settings.tasks[0], "train", settings)
    head = nn.Linear(trunk.out_features, len(found.classes))
    whole = nn.Sequential(trunk, head)
    optimizer = Adam(whole.parameters(), 1e-3)
    given = batches(found, settings, 1)
    for _ in range(settings.start_steps):
        images, labels = next(given)
        optimizer.zero_grad()
        cross_entropy(whole(images), labels).backward()
        optimizer.step()
    return trunk, head


def resumed(door: Door, row: Row, settings: Settings) -> Door:
    """The network saved, and loaded into one that was built anew."""
    trunk, head = start(row, replace(settings, start_steps=0))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "network"
        door.save(place)
        new = type(door)(trunk, head)
        if isinstance(new, Here):
            new.net = load(place)
            new.trunk = new.net.trunk
        else:
            state = torch.load(place, weights_only=True)
            new.model.load_state_dict(state.get("model", state))
            if "masks" in state:
                new.masks = state["masks"]
    return new


def measure(kind, row: Row, settings: Settings, begun: dict) -> dict:
    """One implementation, one row; `begun`: state of the start."""
    told = {"row": row.name, "training": row.told, "peer": kind.name}
    trunk, head = start(row, replace(settings, start_steps=0))
    nn.Sequential(trunk, head).load_state_dict(begun)
    try:
        door = kind(trunk, head)
    except (ValueError, PackNetError) as error:
        return told | {"outcome": "refused", "message": str(error)}
    first, second = (pictures(t, "train", settings) for t in settings.tasks)
    test = normalise(pictures(settings.tasks[0], "test", settings).images)

    def fresh() -> Optimizer:
        made = row.optimizer(list(door.model.parameters()))
        door.guard(made)
        return made

    torch.manual_seed(settings.seed)  # dropout
    given = batches(first, settings, 2)
    optimizer = fresh()
    train(door, optimizer, given, settings.first_steps, row)
    door.prune(settings.fraction)
    if not row.keep and kind.name == "authors":
        optimizer = fresh()  # their scripts take one for each phase
    train(door, optimizer, given, settings.first_steps, row)
    before = door.as_first(test)
    door.finish()
    if row.resume:
        door = resumed(door, row, settings)
    door.begin_next()
    if row.keep:
        with_head(door, optimizer)
    else:
        optimizer = fresh()
    given = batches(second, settings, 3)
    train(door, optimizer, given, settings.steps, row)
    learnt = wrong(door, second, settings)
    after = door.as_first(test)
    return told | outcome(before, after) | {"second_error": learnt}


def with_head(door: Door, optimizer: Optimizer) -> None:
    """Let a kept optimiser train the new head too, as it has to."""
    known = {p for g in optimizer.param_groups for p in g["params"]}
    new = [p for p in door.model.parameters() if p not in known]
    if new:
        optimizer.param_groups[0]["params"] += new


@torch.no_grad()
def wrong(door: Door, found: Pictures, settings: Settings) -> float:
    """Error on the second task's training pictures, in percent."""
    door.model.eval()
    answers = door.logits(normalise(found.images)).argmax(1)
    return 100 * (answers != found.labels).float().mean().item()


def outcome(before: Tensor, after: Tensor) -> dict:
    """How two sets of logits of the same pictures differ."""
    changed = before.argmax(1) != after.argmax(1)
    same = torch.equal(before, after)
    return {
        "outcome": "exact" if same else "changed",
        "largest_change": (after - before).abs().max().item(),
        "largest_logit": before.abs().max().item(),
        "changed_answers": 100 * changed.float().mean().item(),
    }


COLUMNS = ["row", "training", "peer", "outcome", "largest_change",
           "largest_logit", "changed_answers", "second_error",
           "message"]  # fmt: skip


def run(
    settings: Settings,
    rows: tuple[Row, ...] = ROWS,
) -> DataFrame:
    """What training a second task does to a finished one's answers:
    largest change of a logit, and answers changed in percent."""
    begun: dict = {}
    found = []
    for row in rows:
        key = row.trunk, row.dropout
        if key not in begun:
            begun[key] = nn.Sequential(*start(row, settings)).state_dict()
        for kind in doors():
            found.append(measure(kind, row, settings, begun[key]))
            print(found[-1], flush=True)
    if rows is ROWS and Avalanche in doors():
        found += by_its_strategy(settings, begun["small_vgg", 0.0])
    return DataFrame(found, columns=COLUMNS).fillna({"message": ""})


def by_its_strategy(settings: Settings, begun: dict) -> list[dict]:
    """Avalanche's own loop, `Naive` with `PackNetPlugin`, as a check that
    its model is called here as its plugin calls it."""
    from avalanche.benchmarks import tensors_benchmark
    from avalanche.models.packnet import PackNetPlugin
    from avalanche.training.plugins import EvaluationPlugin
    from avalanche.training.supervised import Naive

    both = [pictures(task, "train", settings) for task in settings.tasks]
    tensors = [(normalise(found.images), found.labels) for found in both]
    test = normalise(pictures(settings.tasks[0], "test", settings).images)
    epochs = round(settings.steps / (len(both[1]) / settings.batch))
    found = []
    for row in ROWS:
        if row.name not in ("momentum", "weight decay", "AdamW"):
            continue
        trunk, head = start(row, replace(settings, start_steps=0))
        nn.Sequential(trunk, head).load_state_dict(begun)
        door = Avalanche(trunk, head)
        benchmark = tensors_benchmark(
            train_tensors=tensors, test_tensors=tensors, task_labels=[0, 1]
        )
        strategy = Naive(
            model=door.model,
            optimizer=row.optimizer(list(door.model.parameters())),
            criterion=nn.CrossEntropyLoss(),
            train_mb_size=settings.batch,
            train_epochs=epochs,
            plugins=[PackNetPlugin(1, settings.fraction)],
            evaluator=EvaluationPlugin(),
        )
        torch.manual_seed(settings.seed)
        one, two = benchmark.train_stream
        told = {"row": row.name, "training": row.told,
                "peer": "avalanche, its own loop"}  # fmt: skip
        try:
            strategy.train(one, drop_last=True)
            before = door.as_first(test)
            strategy.train(two, drop_last=True)
            found.append(told | outcome(before, door.as_first(test)))
        except TypeError as error:  # of its plugin, with a newer torch
            found.append(told | {"outcome": "fails", "message": str(error)})
        print(found[-1], flush=True)
    return found
