"""Training, the same on one processor, a GPU, or several.

The loop is ours, devices, precision and processes are accelerate's. All
randomness of a step (order, crops, flips, dropout) comes from the seed
and the step's number, so that a phase that was killed and taken up again
ends bit for bit where it would have ended."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal, get_args

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, gather_object
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, Adam
from tqdm import tqdm

from packnet_core.errors import BadRun, Diverged, NoTask
from packnet_core.evaluation import modes_kept, new_accelerator, number_type
from packnet_core.files import damage_named, replacing, uninterrupted
from packnet_core.images import Pictures, generator, normalise, shuffled
from packnet_core.network import PackNet

SHORTEST_PAUSE = 5.0  # seconds between checkpoints
LONGEST_SHARE = 0.05  # of the time, that saving them may take
SHARDED = ("FSDP", "DEEPSPEED", "MEGATRON_LM")  # names of accelerate's
Schedule = Literal["constant", "cosine", "step"]
Optimizer = Literal["sgd", "adam"]
# Of a step: images (B, 3, H, W) and labels (B,) of a process, (N,) of all.
Batch = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Phase:
    """How to train once.

    lr: learning rate of the trunk; head_lr: of the new head, the same
    if None; schedule: "constant", "cosine" (to zero), or "step" (a tenth
    every `decay_every` epochs); warmup: epochs over which the rate rises
    from zero; batch: pictures a step, over all processes; clip: largest
    norm of the gradient, None for no limit; trunk_from: the epoch (from
    0) until which only heads are trained; optimizer: "sgd", stochastic
    gradient descent with `momentum`, or "adam". Raises BadRun."""

    epochs: int
    lr: float
    head_lr: float | None = None
    schedule: Schedule = "constant"
    decay_every: int = 10
    warmup: float = 0.0
    batch: int = 32
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip: float | None = None
    trunk_from: int = 0
    optimizer: Optimizer = "sgd"

    def __post_init__(self):
        schedules, optimizers = get_args(Schedule), get_args(Optimizer)
        known = self.schedule in schedules and self.optimizer in optimizers
        if not known or self.epochs < 0 or self.decay_every < 1:
            raise BadRun(
                f"{self}: give epochs from 0, decay_every from 1, a schedule "
                f"of {schedules}, and an optimizer of {optimizers}"
            )

    def factor(self, epoch: float) -> float:
        """What the learning rates are multiplied with at an epoch."""
        if epoch < self.warmup:
            return epoch / self.warmup
        if self.schedule == "cosine":
            return (1 + math.cos(math.pi * epoch / self.epochs)) / 2
        if self.schedule == "step":
            return 0.1 ** (epoch // self.decay_every)
        return 1.0


class CurrentTask(nn.Module):
    """Cross-entropy of the current task."""

    def __init__(self, network: PackNet):
        super().__init__()
        self.network = network

    def forward(
        self, images: Tensor, labels: Tensor, batch_labels: Tensor
    ) -> Tensor:
        loss = cross_entropy(self.network(images), labels)
        return loss * (len(labels) / len(batch_labels))


@dataclass(frozen=True)
class Objective:
    """What a phase minimises, and what it may change.

    loss: makes the module, holding the network, that is minimised. Into
    it go images (B, 3, H, W) and labels (B,) of a part of a batch, and
    the labels (N,) of all of it; out comes what this part adds to the
    batch's loss: it may be divided among processes, or worked on chunk
    by chunk. guarded: only what the current task owns may change, else
    everything that takes gradients; joint: on the pictures of all tasks."""

    loss: Callable[[PackNet], nn.Module] = CurrentTask
    guarded: bool = True
    joint: bool = False


OWN_WEIGHTS = Objective()


def fit(
    network: PackNet,
    pictures: Pictures,
    phase: Phase,
    *,
    size: int,
    objective: Objective = OWN_WEIGHTS,
    seed: object = 0,
    title: str = "",
    checkpoint: str | Path | None = None,
    accelerator: Accelerator | None = None,
    accumulate: int = 1,
    watch: Callable[[int], None] | None = None,
) -> float:
    """Train the current task for one phase.

    size: side of the squares it takes, in pixels; objective: what is
    minimised and what may change; seed: anything with a fixed text; title:
    for the progress bar; checkpoint: a file that is kept up to date, from
    which a phase that was cut short goes on; delete it once the network is
    saved; accumulate: chunks in which each process puts its share of a batch
    through the network (batch norm normalises each by itself); watch: called
    with the steps done after each. Ctrl-C, and SIGTERM where the program
    treats it alike, wait for the end of a step, and all processes stop there,
    with a checkpoint. Modules in eval mode stay so; all modes are as before
    afterwards. Returns the seconds, before a cut too. Raises BadPictures,
    BadRun, Changed, DamagedFile, Diverged, InsideView, NoTask, OSError."""
    accelerator = accelerator or new_accelerator()
    size_of_batch = min(phase.batch, len(pictures))
    _refuse(network, pictures, objective, size_of_batch, accelerator)
    if accumulate < 1:
        raise BadRun(f"accumulate {accumulate}: give 1 or more")
    per_epoch = len(pictures) // size_of_batch
    steps = phase.epochs * per_epoch
    about = (
        f"{asdict(phase)} {seed} {len(pictures)} {size} {accumulate} "
        f"{objective.loss.__qualname__} {network.records}"
    )
    title = title or network.tasks[-1]
    device, kind = accelerator.device, number_type(network)
    seeded = torch.default_generator if device.type == "cpu" else torch
    process, main = accelerator.process_index, accelerator.is_main_process
    mine = slice(process, None, accelerator.num_processes)
    # The main process shows its bar as TQDM_DISABLE says, others none.
    shown = {"unit": "step"} | ({} if main else {"disable": True})

    order = lru_cache(1)(partial(shuffled, len(pictures), phase.batch, seed))

    def batch(step: int) -> Batch:
        indices = order(epoch=step // per_epoch)[step % per_epoch]
        random = generator(seed, "crops", step)
        draws = torch.rand(len(indices), 3, generator=random)
        crops = pictures.crops(indices[mine], size, draws[mine], device)
        labels = pictures.labels[indices].to(device)
        return normalise(crops, kind), labels[mine], labels

    with (
        modes_kept(network),
        _prepared(accelerator, objective.loss(network), network) as model,
        torch.random.fork_rng([device] if device.type == "cuda" else []),
    ):
        optimizer = _optimizer(network, phase)
        if objective.guarded:
            network.guard(optimizer)
        prepared = accelerator.prepare_optimizer(optimizer)
        # Without a scaler, all it would do is look for other libraries.
        stepping = prepared if accelerator.scaler else optimizer
        path = checkpoint if checkpoint is None else Path(checkpoint)
        kept = Checkpoint(path, network, optimizer, about)
        done = kept.load()
        with (
            tqdm(None, title, steps, initial=done, **shown) as bar,
            uninterrupted() as signals,
        ):
            for step in range(done, steps):
                factor = phase.factor(step / per_epoch)
                for group in optimizer.param_groups:
                    group["lr"] = group["full_lr"] * factor
                dropout = generator(seed, "dropout", step, process)
                seeded.manual_seed(dropout.initial_seed())
                optimizer.zero_grad()
                loss = _gradients(accelerator, model, batch(step), accumulate)
                if not math.isfinite(loss):
                    raise Diverged(
                        f"{title}: the loss became {loss} in step {step + 1}:"
                        f" lower the learning rate ({phase.lr}) or set clip"
                    )
                if step // per_epoch < phase.trunk_from:
                    network.trunk.zero_grad()  # the heads alone are trained
                if phase.clip is not None:
                    accelerator.unscale_gradients(prepared)
                    nn.utils.clip_grad_norm_(model.parameters(), phase.clip)
                stepping.step()
                bar.set_postfix_str(f"loss={loss:.3f}", refresh=False)
                bar.update()
                if watch is not None:
                    watch(step + 1)
                stop = any(gather_object([bool(signals)]))  # one: all do
                if main:
                    kept.save(step + 1, stop or step + 1 == steps)
                if stop:
                    accelerator.wait_for_everyone()
                    raise KeyboardInterrupt
        broadcast(list(network.trunk.buffers()))  # of one process
        accelerator.wait_for_everyone()
    return time.monotonic() - kept.begun


def _refuse(
    network: PackNet,
    pictures: Pictures,
    objective: Objective,
    batch: int,
    accelerator: Accelerator,
) -> None:
    """Raise NoTask or BadRun where a phase cannot be trained as asked."""
    if not network.tasks:
        raise NoTask("the network has no task yet: call add_task first")
    own = network.records if objective.joint else network.records[-1:]
    wanted, given = sum(len(r.classes) for r in own), len(pictures.classes)
    kind, processes = accelerator.distributed_type, accelerator.num_processes
    faults = {
        "there are no pictures to train on": len(pictures) == 0,
        f"pictures of {given} classes for a task of {wanted}: give those of "
        f"{network.tasks[-1]!r}": given != wanted,
        f"batch of {batch} for {processes} process(es), and each needs a "
        "picture: take larger batches, or fewer processes": batch < processes,
        f"{kind.value} shards the weights, and an owner map cannot follow: "
        "launch with --multi_gpu instead": kind.value in SHARDED,
    }
    for fault, applies in faults.items():
        if applies:
            raise BadRun(fault)


@contextmanager
def _prepared(
    accelerator: Accelerator, model: nn.Module, network: PackNet
) -> Iterator[nn.Module]:
    """A model of the network on its device, in training mode; without
    sending owners about. The accelerator is afterwards as before."""
    model._ddp_params_and_buffers_to_ignore = [  # type: ignore[assignment]
        n for n, b in model.named_buffers() if b.dtype == torch.uint8
    ]
    if not network.training:  # else some are in eval mode on purpose
        network.train()
    state = accelerator.gradient_state
    stepping = state.sync_gradients
    state._set_sync_gradients(True)  # whatever was being accumulated
    models, optimizers = accelerator._models[:], accelerator._optimizers[:]
    prepared = accelerator.prepare_model(model)
    try:
        yield prepared
    finally:
        accelerator._models[:] = models
        accelerator._optimizers[:] = optimizers
        state._set_sync_gradients(stepping)
        accelerator.unwrap_model(prepared, keep_fp32_wrapper=False)


def _optimizer(network: PackNet, phase: Phase) -> torch.optim.Optimizer:
    # Not torch's fused ones: a weight that they change counts as unchanged,
    # they run over memory between weights, and want every gradient at once.
    heads = [p for p in network.heads.parameters() if p.requires_grad]
    head_lr = phase.lr if phase.head_lr is None else phase.head_lr
    trunk = {"params": network.trunk.parameters(), "full_lr": phase.lr}
    head = {"params": heads, "full_lr": head_lr}
    if phase.optimizer == "adam":
        return Adam([trunk, head], weight_decay=phase.weight_decay)
    return SGD([trunk, head], phase.lr, phase.momentum, 0, phase.weight_decay)


def _gradients(
    accelerator: Accelerator, model: nn.Module, batch: Batch, accumulate: int
) -> float:
    """The gradients of a batch's loss, over all processes; the loss."""
    *own, batch_labels = batch
    loss = torch.zeros((), device=batch_labels.device)
    chunks = list(zip(*(t.chunk(accumulate) for t in own), strict=True))
    for number, (images, labels) in enumerate(chunks, 1):
        last = number == len(chunks)  # then processes exchange gradients
        with nullcontext() if last else accelerator.no_sync(model):
            try:
                with accelerator.autocast():
                    part = model(images, labels, batch_labels)
            except ValueError as error:
                if "more than 1 value per channel" not in str(error):
                    raise
                raise BadRun(
                    f"batch norm met a chunk of {len(images)} picture(s): "
                    "take larger batches, or fewer chunks (accumulate)"
                ) from error
            # Processes take the mean of their gradients, not the sum.
            scaled = part * accelerator.num_processes
            if accelerator.scaler is not None:
                scaled = accelerator.scaler.scale(scaled)
            scaled.backward()
            loss += part.detach()
    return accelerator.reduce(loss, "sum").item()


@dataclass
class Checkpoint:
    """Where a phase stands, in a file (None: in none) that is kept up to
    date; about: exactly what is trained, and how."""

    path: Path | None
    network: PackNet
    optimizer: torch.optim.Optimizer
    about: str

    def __post_init__(self):
        self.begun = self.saved = time.monotonic()
        self.pause = SHORTEST_PAUSE

    def save(self, steps: int, now: bool = True) -> None:
        """Replace the file at once; then `steps` need not be done again.
        now: in any case, else only if there has been a pause."""
        begun = time.monotonic()
        if self.path is None or not (now or begun - self.saved > self.pause):
            return
        state = {
            "about": self.about,
            "steps": steps,
            "seconds": begun - self.begun,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        with replacing(self.path) as new, open(new, "wb") as file:
            torch.save(state, file)
        self.saved = time.monotonic()
        self.pause = max(SHORTEST_PAUSE, (self.saved - begun) / LONGEST_SHARE)

    def load(self) -> int:
        """Take the phase up again where it was saved; the steps done.
        Raises OSError, DamagedFile, and BadRun for another phase."""
        if self.path is None or not self.path.exists():
            return 0
        with damage_named(self.path, "damaged checkpoint", "delete it"):
            state = torch.load(self.path, "cpu", weights_only=True)
            if state["about"] != self.about:
                raise BadRun(f"{self.path} is another phase's: delete it")
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.begun = time.monotonic() - state["seconds"]
            return state["steps"]
