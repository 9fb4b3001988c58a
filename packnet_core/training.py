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
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, broadcast
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from tqdm import tqdm

from packnet_core.errors import BadRun, DamagedFile, Diverged, NoTask
from packnet_core.evaluation import modes_kept, new_accelerator, number_type
from packnet_core.files import replacing
from packnet_core.images import (
    Pictures,
    generator,
    normalise,
    shard,
    shuffled,
)
from packnet_core.masking import OwnerMap
from packnet_core.network import PackNet
from packnet_core.objectives import OWN_WEIGHTS, Objective

# Of 1 x 1 convolutions in several processes: "not an error", torch says.
warnings.filterwarnings("ignore", message="Grad strides do not match")

SHORTEST_PAUSE = 5.0  # seconds between checkpoints
LONGEST_SHARE = 0.05  # of the time, that saving them may take
SHARDED = {
    DistributedType.FSDP,
    DistributedType.DEEPSPEED,
    DistributedType.MEGATRON_LM,
}
SCHEDULES = ("constant", "cosine", "step")
Made = TypeVar("Made")


class Batch(NamedTuple):
    """What a process works on in a step.

    images: floats (B, 3, size, size) and labels (B,) of this process;
    whole: the labels (N,) of all processes.
    """

    images: Tensor
    labels: Tensor
    whole: Tensor


@dataclass(frozen=True)
class Phase:
    """How to train once.

    lr: learning rate of the trunk; head_lr: of the new head, the same
    if None; schedule: "constant", "cosine" (to zero), or "step" (a tenth
    every `decay_every` epochs); warmup: epochs over which the rate rises
    from zero; batch: pictures a step, over all processes; clip: largest
    norm of the gradient, None for no limit; trunk_from: the epoch, from
    0, from which the trunk is trained too, not the heads alone;
    optimizer: stochastic gradient descent with momentum, or Adam.
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
    optimizer: Literal["sgd", "adam"] = "sgd"

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
    pictures: Pictures,
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
    text; title: for the progress bar; checkpoint: a file that is kept up
    to date and from which the phase goes on if it was cut short;
    accumulate: pieces in which each process puts its share of a batch
    through the network, their gradients added up (batch norm normalises
    each by itself); watch: called with the number of steps done after
    each. Returns the seconds spent training, those before a cut included.
    Modules that are in eval mode while the network is in training mode
    stay so; all modes are afterwards as before.
    Raises Diverged, BadRun, and DamagedFile for a damaged checkpoint.
    """
    accelerator = accelerator or new_accelerator()
    _refuse(network, pictures, phase, objective, accumulate, accelerator)
    process, processes = accelerator.process_index, accelerator.num_processes
    per_epoch = max(len(pictures) // phase.batch, 1)
    steps = phase.epochs * per_epoch
    about = (
        f"{asdict(phase)} {seed} {len(pictures)} {size} {accumulate} "
        f"{objective.loss.__qualname__} {network.records}"
    )
    title = title or network.tasks[-1]
    device, kind = accelerator.device, number_type(network)

    @lru_cache(maxsize=1)
    def order(epoch: int) -> list[Tensor]:
        return shuffled(len(pictures), phase.batch, seed, epoch=epoch)

    def batch(step: int) -> Batch:
        indices = order(step // per_epoch)[step % per_epoch]
        draws = torch.rand(
            len(indices), 3, generator=generator(seed, "crops", step)
        )
        mine = shard(indices, process, processes)
        draws = shard(draws, process, processes)
        images = pictures.crops(mine, size, draws, device)
        labels, whole = pictures.labels[mine], pictures.labels[indices]
        return Batch(
            normalise(images, kind), labels.to(device), whole.to(device)
        )

    with (
        modes_kept(network),
        _prepared(accelerator, objective.loss(network), network) as model,
        torch.random.fork_rng([device] if device.type == "cuda" else []),
    ):
        optimizer = _optimizer(network, phase)
        if objective.guarded:
            network.guard(optimizer)
        prepared = accelerator.prepare_optimizer(optimizer)
        kept = Checkpoint(checkpoint, network, optimizer, about)
        done = kept.load()
        todo = range(done, steps)
        bar = tqdm(
            desc=title,
            total=steps,
            initial=done,
            unit="step",
            # the main process does as TQDM_DISABLE says
            **({} if accelerator.is_main_process else {"disable": True}),
        )
        with bar:
            for step, ready in zip(todo, _ahead(batch, todo), strict=True):
                factor = phase.factor(step / per_epoch)
                for group in optimizer.param_groups:
                    group["lr"] = group["full_lr"] * factor
                words = (seed, "dropout", step, process)
                torch.manual_seed(generator(*words).initial_seed())
                optimizer.zero_grad()
                loss = _gradients(accelerator, model, ready, accumulate)
                if not math.isfinite(loss):
                    raise Diverged(
                        f"{title}: the loss became {loss} in step "
                        f"{step + 1} of {steps}: lower the learning rate "
                        f"({phase.lr}) or limit the gradient with clip"
                    )
                if step // per_epoch < phase.trunk_from:  # the heads alone
                    for parameter in network.trunk.parameters():
                        parameter.grad = None
                if phase.clip is not None:
                    accelerator.unscale_gradients(prepared)
                    clip_grad_norm_(model.parameters(), phase.clip)
                prepared.step()
                bar.set_postfix_str(f"loss={loss:.3f}", refresh=False)
                bar.update()
                if watch is not None:
                    watch(step + 1)
                if accelerator.is_main_process and kept.due():
                    kept.save(step + 1)
        broadcast(list(network.trunk.buffers()))  # of one process
        accelerator.wait_for_everyone()
    return kept.seconds()


def _refuse(
    network: PackNet,
    pictures: Pictures,
    phase: Phase,
    objective: Objective,
    accumulate: int,
    accelerator: Accelerator,
) -> None:
    """Raise NoTask or BadRun where a phase cannot be trained as asked."""
    if not network.tasks:
        raise NoTask("the network has no task yet: call add_task first")
    processes, count = accelerator.num_processes, len(pictures)
    classes = [len(record.classes) for record in network.records]
    wanted = sum(classes) if objective.joint else classes[-1]
    faults = {
        "there are no pictures to train on": count == 0,
        f"pictures of {len(pictures.classes)} classes for a task of {wanted}"
        f": give those of {network.tasks[-1]!r}": (
            len(pictures.classes) != wanted
        ),
        f"batch of {min(phase.batch, count)} for {processes} process(es): "
        "each needs a picture; take larger batches, or fewer processes": (
            min(phase.batch, count) < processes
        ),
        f"accumulate {accumulate}: give 1 (a batch whole) or more": (
            accumulate < 1
        ),
        f"{phase}: epochs are 0 or more, decay_every 1 or more, and the "
        f"schedule is one of {', '.join(SCHEDULES)}": (
            phase.epochs < 0
            or phase.decay_every < 1
            or phase.schedule not in SCHEDULES
        ),
        f"{accelerator.distributed_type.value} shards the weights, and an "
        "owner map cannot follow: launch with --multi_gpu instead": (
            accelerator.distributed_type in SHARDED
        ),
    }
    for fault, found in faults.items():
        if found:
            raise BadRun(fault)


@contextmanager
def _prepared(
    accelerator: Accelerator, model: nn.Module, network: PackNet
) -> Iterator[nn.Module]:
    """A model of the network on its device, in training mode.

    Owners are the same in every process, and are not sent about. The
    accelerator is afterwards as its owner left it.
    """
    model._ddp_params_and_buffers_to_ignore = [  # type: ignore[assignment]
        f"{path}.{name}"
        for path, module in model.named_modules()
        if isinstance(module, OwnerMap)
        for name, _ in module
    ]
    modes = {module: module.training for module in network.modules()}
    state = accelerator.gradient_state
    stepping = state.sync_gradients
    state._set_sync_gradients(True)  # whatever was being accumulated
    kept = accelerator._models, accelerator._optimizers
    lengths = [len(known) for known in kept]
    prepared = accelerator.prepare_model(model).train()
    if modes[network]:  # some may be in eval mode on purpose
        for module, training in modes.items():
            module.training = training
    try:
        yield prepared
    finally:
        for known, length in zip(kept, lengths, strict=True):
            del known[length:]
        state._set_sync_gradients(stepping)
        accelerator.unwrap_model(prepared, keep_fp32_wrapper=False)


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


def _optimizer(network: PackNet, phase: Phase) -> torch.optim.Optimizer:
    head_lr = phase.lr if phase.head_lr is None else phase.head_lr
    heads = [p for p in network.heads.parameters() if p.requires_grad]
    groups = [
        {"params": network.trunk.parameters(), "lr": phase.lr},
        {"params": heads, "lr": head_lr},
    ]
    decay = phase.weight_decay
    optimizer: torch.optim.Optimizer
    if phase.optimizer == "adam":
        optimizer = torch.optim.Adam(groups, weight_decay=decay)
    else:
        optimizer = torch.optim.SGD(
            groups, momentum=phase.momentum, weight_decay=decay
        )
    for group in optimizer.param_groups:
        group["full_lr"] = group["lr"]
    return optimizer


def _gradients(
    accelerator: Accelerator, model: nn.Module, batch: Batch, accumulate: int
) -> float:
    """The gradients of a batch's loss, over all processes; the loss."""
    loss = torch.zeros((), device=batch.images.device)
    chunks = batch.images.chunk(accumulate), batch.labels.chunk(accumulate)
    pieces = list(zip(*chunks, strict=True))
    for place, (images, labels) in enumerate(pieces):
        last = place == len(pieces) - 1  # then processes exchange gradients
        with nullcontext() if last else accelerator.no_sync(model):
            with accelerator.autocast(), _batch_norm_named(len(images)):
                part = model(images, labels, batch.whole)
            # Processes take the mean of their gradients, not the sum.
            scaled = part * accelerator.num_processes
            if accelerator.scaler is not None:
                scaled = accelerator.scaler.scale(scaled)
            scaled.backward()
            loss += part.detach()
    total = accelerator.reduce(loss, "sum")
    assert isinstance(total, Tensor)
    return total.item()


@contextmanager
def _batch_norm_named(count: int) -> Iterator[None]:
    """Say what to do where batch norm meets a single number a channel."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise BadRun(
            f"batch norm met a piece of {count} picture(s) with one number "
            "a channel: take larger batches, or fewer pieces (accumulate)"
        ) from error


class Checkpoint:
    """Where a phase stands, in a file that is kept up to date.

    path: None keeps nothing; about: says exactly what is being trained
    and how. Random state needs no place: it comes from the seed and the
    number of the step. Raises OSError.
    """

    def __init__(
        self,
        path: Path | None,
        network: PackNet,
        optimizer: torch.optim.Optimizer,
        about: str,
    ):
        self.path, self.about = path, about
        self.network, self.optimizer = network, optimizer
        self.begun = self.saved = time.monotonic()
        self.pause = SHORTEST_PAUSE

    def seconds(self) -> float:
        """How long the phase has been trained, in all."""
        return time.monotonic() - self.begun

    def due(self) -> bool:
        """Whether it is time to save."""
        waited = time.monotonic() - self.saved
        return self.path is not None and waited > self.pause

    def save(self, steps: int) -> None:
        """Replace the file at once; then `steps` need not be done again."""
        assert self.path is not None
        begun = time.monotonic()
        state = {
            "about": self.about,
            "steps": steps,
            "seconds": self.seconds(),
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        with replacing(self.path) as new, open(new, "wb") as file:
            torch.save(state, file)
        self.saved = time.monotonic()
        self.pause = max(SHORTEST_PAUSE, (self.saved - begun) / LONGEST_SHARE)

    def load(self) -> int:
        """Take the phase up again where it was saved; the steps done.

        Raises BadRun if it was another phase, DamagedFile if the file
        cannot be read.
        """
        if self.path is None or not self.path.exists():
            return 0
        try:
            found = torch.load(
                self.path, map_location="cpu", weights_only=True
            )
            if found["about"] == self.about:
                self.network.load_state_dict(found["network"])
                self.optimizer.load_state_dict(found["optimizer"])
                self.begun = time.monotonic() - found["seconds"]
                return found["steps"]
        except OSError:
            raise
        except Exception as error:  # any: it may hold anything
            raise DamagedFile(
                f"{self.path}: damaged checkpoint ({error}); delete it to "
                "start this phase again"
            ) from error
        raise BadRun(
            f"{self.path}: checkpoint of another phase or configuration; "
            "delete it, or train into another directory"
        )
