"""Training, the same on one processor, a GPU, or several.

The loop is ours, devices, precision and processes are accelerate's. All
randomness of a step (order, crops, flips, dropout) comes from the seed
and the step's number, so that a phase that was killed and taken up again
ends bit for bit where it would have ended.
"""

import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn
from tqdm import tqdm

from packnet_core import checkpoint as checkpoints
from packnet_core.checkpoint import Progress
from packnet_core.errors import BadRun, Diverged
from packnet_core.images import (
    JointPictures,
    Pictures,
    generator,
    normalise,
    share,
    shuffled,
)
from packnet_core.network import PackNet
from packnet_core.objectives import OWN_WEIGHTS, Objective

# Of 1 x 1 convolutions in several processes: "not an error", torch says.
warnings.filterwarnings("ignore", message="Grad strides do not match")

SHORTEST_PAUSE = 5.0  # seconds between checkpoints
Made = TypeVar("Made")
LONGEST_SHARE = 0.05  # of the time, that saving them may take


@dataclass(frozen=True)
class Phase:
    """How to train once: stochastic gradient descent with momentum.

    lr: learning rate of the trunk; head_lr: of the new head, the same
    if None; schedule: "constant", "cosine" (to zero), or "step" (a tenth
    every `decay_every` epochs); warmup: epochs over which the rate rises
    from zero; batch: pictures a step, over all processes; clip: largest
    norm of the gradient, None for no limit; trunk_from: the epoch, from
    0, from which the trunk is trained too, not the heads alone.
    """

    epochs: int
    lr: float
    head_lr: float | None = None
    schedule: Literal["constant", "cosine", "step"] = "constant"
    decay_every: int = 10
    warmup: float = 0.0
    batch: int = 32
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip: float | None = None
    trunk_from: int = 0

    def factor(self, epoch: float) -> float:
        """What the learning rates are multiplied with at an epoch."""
        if epoch < self.warmup:
            return epoch / self.warmup
        if self.schedule == "cosine":
            return (1 + math.cos(math.pi * epoch / self.epochs)) / 2
        if self.schedule == "step":
            return 0.1 ** (epoch // self.decay_every)
        return 1.0


def fit(
    network: PackNet,
    pictures: Pictures | JointPictures,
    phase: Phase,
    *,
    size: int,
    objective: Objective = OWN_WEIGHTS,
    seed: object = 0,
    title: str = "",
    checkpoint: Path | None = None,
    accelerator: Accelerator | None = None,
    accumulate: int = 1,
    watch: Callable[[int], None] | None = None,
) -> float:
    """Train the current task for one phase.

    size: side of the square that the network takes, in pixels; objective:
    what is minimised and what may change; seed: anything with a fixed
    text; title: for the progress bar; checkpoint:
    a file that is kept up to date and from which the phase goes on if it
    was cut short; accumulate: pieces in which each process puts its share of
    a batch through the network, their gradients added up; watch: called
    with the number of steps done after each. Returns the seconds spent
    training, those before a cut included. With batch norm, each piece is
    normalised by itself. Raises Diverged, BadRun, and what
    `checkpoint.load` raises.
    """
    accelerator = accelerator or Accelerator()
    process, processes = accelerator.process_index, accelerator.num_processes
    if min(phase.batch, len(pictures)) < processes:
        raise BadRun(
            f"batch of {min(phase.batch, len(pictures))} for {processes} "
            "processes: each needs a picture; start fewer processes"
        )
    optimizer = _optimizer(network, phase)
    model = accelerator.prepare(objective.loss(network))
    if objective.guarded:
        network.guard(optimizer)
    prepared = accelerator.prepare(optimizer)

    per_epoch = max(len(pictures) // phase.batch, 1)
    steps = phase.epochs * per_epoch
    told = f"{asdict(phase)} {seed} {len(pictures)} {network.tasks}"
    done = Progress()
    if checkpoint is not None:
        done = checkpoints.load(checkpoint, network, optimizer, told)
    begun = saved = time.monotonic()
    pause = SHORTEST_PAUSE
    model.train()
    quiet = {} if accelerator.is_main_process else {"disable": True}
    bar = tqdm(
        desc=title or network.tasks[-1],
        total=steps,
        initial=done.steps,
        unit="step",
        **quiet,  # the main process does as TQDM_DISABLE says
    )
    device = accelerator.device

    @lru_cache(maxsize=1)
    def order(epoch: int) -> list[Tensor]:
        return shuffled(len(pictures), phase.batch, seed, epoch=epoch)

    def batch(step: int) -> tuple[Tensor, Tensor, Tensor]:
        """This process's pictures (B, 3, size, size) and labels (B,), and
        the labels (N,) of all processes."""
        indices = order(step // per_epoch)[step % per_epoch]
        draws = torch.rand(
            len(indices), 3, generator=generator(f"{seed}/{step}")
        )
        mine = share(indices, process, processes)
        draws = share(draws, process, processes)
        images = pictures.crops(mine, size, draws, device)
        labels, whole = pictures.labels[mine], pictures.labels[indices]
        return images, labels.to(device), whole.to(device)

    todo = range(done.steps, steps)
    cards = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(cards), bar:
        for step, (images, labels, whole) in zip(
            todo, _ahead(batch, todo), strict=True
        ):
            epoch = step // per_epoch
            for group in optimizer.param_groups:
                group["lr"] = group["full_rate"] * phase.factor(
                    step / per_epoch
                )
            still = network.trunk if epoch < phase.trunk_from else None
            words = (f"{seed}/{step}", "dropout", process)
            torch.manual_seed(generator(*words).initial_seed())
            loss = _step(
                accelerator, model, prepared, images, labels, whole,
                phase.clip, still, accumulate,
            )  # fmt: skip
            if not math.isfinite(loss):
                raise Diverged(
                    f"{bar.desc}: the loss became {loss} in step "
                    f"{step + 1} of {steps}: lower the learning rate "
                    f"({phase.lr}) or limit the gradient with clip"
                )
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update()
            if watch is not None:
                watch(step + 1)
            now = time.monotonic()
            if checkpoint is not None and now - saved > pause:
                progress = Progress(step + 1, done.seconds + now - begun)
                if accelerator.is_main_process:
                    checkpoints.save(
                        checkpoint, network, optimizer, progress, told
                    )
                saved = time.monotonic()
                pause = max(SHORTEST_PAUSE, (saved - now) / LONGEST_SHARE)
    broadcast(list(network.buffers()))  # running statistics, of one process
    accelerator.wait_for_everyone()
    accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    accelerator.free_memory()  # it would keep the optimiser alive
    return done.seconds + time.monotonic() - begun


def _ahead(
    make: Callable[[int], Made], steps: Iterable[int]
) -> Iterator[Made]:
    """What each step needs, made while the step before is carried out."""
    with ThreadPoolExecutor(1) as pool:
        coming = None
        for step in steps:
            ready, coming = coming, pool.submit(make, step)
            if ready is not None:
                yield ready.result()
        if coming is not None:
            yield coming.result()


def _optimizer(network: PackNet, phase: Phase) -> torch.optim.SGD:
    head_lr = phase.head_lr or phase.lr
    heads = [p for p in network.heads.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(
        [
            {"params": network.trunk.parameters(), "lr": phase.lr},
            {"params": heads, "lr": head_lr},
        ],
        momentum=phase.momentum,
        weight_decay=phase.weight_decay,
    )
    for group in optimizer.param_groups:
        group["full_rate"] = group["lr"]
    return optimizer


def _step(
    accelerator: Accelerator,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    whole: Tensor,
    clip: float | None,
    still: nn.Module | None,
    accumulate: int,
) -> float:
    """One step of gradient descent, of all but `still`; the loss."""
    optimizer.zero_grad()
    loss = torch.zeros((), device=images.device)
    pieces = list(
        zip(images.chunk(accumulate), labels.chunk(accumulate), strict=True)
    )
    for place, (some, named) in enumerate(pieces):
        last = place == len(pieces) - 1  # then processes exchange gradients
        with nullcontext() if last else accelerator.no_sync(model):
            with accelerator.autocast():
                part = model(normalise(some), named, whole)
            # Processes take the mean of their gradients, not the sum.
            accelerator.backward(part * accelerator.num_processes)
            loss += part.detach()
    if still is not None:
        for parameter in still.parameters():
            parameter.grad = None  # an optimiser passes over these
    if clip is not None:
        accelerator.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    total = accelerator.reduce(loss, "sum")
    assert isinstance(total, Tensor)
    return total.item()
