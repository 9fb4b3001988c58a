"""Three implementations of PackNet, driven alike.

Each takes the same trunk and the same head of the first task, and is used
as its documentation says: Avalanche's model packs the head along with the
trunk and keeps one for all tasks, the others give each task a head.
"""

import importlib.util
import io
import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from packnet_core import PackNet
from packnet_core.masking import shared_out


class Door(ABC):
    """The network of the first task, as one implementation holds it.

    trunk: images to features; head: features to logits of the first task.
    Both are taken over, not copied.
    """

    def __init__(self, trunk: nn.Module, head: nn.Linear):
        self.trunk, self.head = trunk, head
        self.task = 1

    @property
    @abstractmethod
    def model(self) -> nn.Module:
        """What holds everything that is trained and saved."""

    # Four hooks, of which each implementation needs some.

    def guard(self, optimizer: Optimizer) -> None:  # noqa: B027
        """Make an optimiser known, where that is asked for."""

    def train(self) -> None:
        self.model.train()

    @abstractmethod
    def logits(self, images: Tensor) -> Tensor:
        """Logits of the current task."""

    def before_step(self) -> None:  # noqa: B027
        """What is called between gradients and the optimiser's step."""

    def after_step(self) -> None:  # noqa: B027
        """What is called after it."""

    @abstractmethod
    def prune(self, fraction: float) -> None:
        """Free a share of the current task's smallest weights."""

    def finish(self) -> None:  # noqa: B027
        """Close the current task, where that is a step of its own."""

    @abstractmethod
    def begin_next(self) -> None:
        """Add another task, after `finish`."""

    @abstractmethod
    def as_first(self, images: Tensor) -> Tensor:
        """Logits of the first task, in eval mode, without gradients."""

    @contextmanager
    def looking(self) -> Iterator[Callable[[Tensor], Tensor]]:
        """What gives the first task's logits, again and again."""
        yield self.as_first

    def snapshot(self) -> Callable[[], object]:
        """What puts the network back to how it is now."""
        state = deepcopy(self.model.state_dict())
        return lambda: self.model.load_state_dict(state)

    def owners(self) -> list[Tensor]:
        """The owner map of the trunk, layer by layer: 0 is free. A plain
        network has none."""
        return []

    def weights(self) -> list[Tensor]:
        """The trunk's weights that are shared out, as they are stored."""
        return [weight.detach() for weight in shared_out(self.trunk).values()]

    def saved(self) -> object:
        """What `torch.save` is given where a network is to be kept."""
        return self.model.state_dict()

    def save(self, path: Path) -> None:
        torch.save(self.saved(), path)


def another(head: nn.Linear) -> nn.Linear:
    """The second task's head: the same numbers wherever there is one."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return nn.Linear(head.in_features, head.out_features)


class Plain(Door):
    """No PackNet at all: what the others are compared with."""

    name = "plain"

    def __init__(self, trunk: nn.Module, head: nn.Linear):
        super().__init__(trunk, head)
        self.whole = nn.Sequential(trunk, head)

    @property
    def model(self) -> nn.Module:
        return self.whole

    def logits(self, images: Tensor) -> Tensor:
        return self.whole(images)

    def begin_next(self) -> None:
        self.task += 1

    def prune(self, fraction: float) -> None:
        pass

    @torch.no_grad()
    def as_first(self, images: Tensor) -> Tensor:
        return self.whole.eval()(images)


class Here(Door):
    """`packnet_core`."""

    name = "here"

    def __init__(self, trunk: nn.Module, head: nn.Linear):
        super().__init__(trunk, head)
        self.net = PackNet(trunk, features=head.in_features)
        self.net.add_task("first", head.out_features)
        self.net.heads[0].load_state_dict(head.state_dict())

    @property
    def model(self) -> nn.Module:
        return self.net

    def guard(self, optimizer: Optimizer) -> None:
        self.net.guard(optimizer)

    def logits(self, images: Tensor) -> Tensor:
        return self.net(images)

    def prune(self, fraction: float) -> None:
        self.net.prune(fraction)

    def begin_next(self) -> None:
        self.task += 1
        self.net.add_task(f"task {self.task}", self.head.out_features)
        self.net.heads[-1].load_state_dict(another(self.head).state_dict())

    @torch.no_grad()
    def as_first(self, images: Tensor) -> Tensor:
        with self.looking() as answer:
            return answer(images)

    @contextmanager
    def looking(self) -> Iterator[Callable[[Tensor], Tensor]]:
        with self.net.view("first"):  # then eval mode, as `evaluate` has it
            yield self.net.eval()

    def owners(self) -> list[Tensor]:
        return [owner.clone() for owner in self.net.owner.values()]

    def save(self, path: Path) -> None:
        self.net.save(path)


class Avalanche(Door):
    """`avalanche.models.packnet.PackNetModel`, called as `PackNetPlugin`
    calls it: a fresh optimiser for each task is the caller's to make."""

    name = "avalanche"

    def __init__(self, trunk: nn.Module, head: nn.Linear):
        super().__init__(trunk, head)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from avalanche.models.packnet import PackNetModel
        self.packed = PackNetModel(nn.Sequential(trunk, head))

    @property
    def model(self) -> nn.Module:
        return self.packed

    def _call(self, images: Tensor, task: int) -> Tensor:
        return self.packed(images, torch.full((len(images),), task - 1))

    def logits(self, images: Tensor) -> Tensor:
        return self._call(images, self.task)

    def prune(self, fraction: float) -> None:
        self.packed.prune(fraction)

    def finish(self) -> None:
        self.packed.freeze_pruned()

    def begin_next(self) -> None:
        self.packed.activate_task(self.task)
        self.task += 1

    @torch.no_grad()
    def as_first(self, images: Tensor) -> Tensor:
        self.packed.eval()
        return self._call(images, 1)

    def _layers(self) -> list[nn.Module]:
        inside = self.packed.wrappee[0].modules()
        return [module for module in inside if hasattr(module, "task_index")]

    def owners(self) -> list[Tensor]:
        free = 255  # its PRUNED_CODE
        indices = (layer.task_index for layer in self._layers())
        return [torch.where(i == free, 0, i + 1) for i in indices]

    def weights(self) -> list[Tensor]:
        return [layer.wrappee.weight.detach() for layer in self._layers()]


class Shell(nn.Module):
    """What the authors' `SparsePruner` looks for: `shared`, and a
    classifier for each task. Their own networks download weights."""

    def __init__(self, trunk: nn.Module, head: nn.Linear):
        super().__init__()
        self.shared, self.classifiers = trunk, nn.ModuleList([head])

    def forward(self, images: Tensor) -> Tensor:
        return self.classifiers[-1](self.shared(images))


class Authors(Door):
    """The authors' `prune.py`, in the order in which their `main.py` calls
    it. Each phase has a pruner of its own there, as it has here."""

    name = "authors"

    def __init__(self, trunk: nn.Module, head: nn.Linear):
        super().__init__(trunk, head)
        self.shell = Shell(trunk, head)
        self.masks = {
            number: torch.ones_like(module.weight, dtype=torch.uint8)
            for number, module in enumerate(trunk.modules())
            if isinstance(module, nn.Conv2d | nn.Linear)
        }
        self.pruner = None  # none before the first pruning

    @property
    def model(self) -> nn.Module:
        return self.shell

    def _new_pruner(self, fraction: float = 0.5):
        first = self.task == 1  # later tasks leave biases and norms alone
        pruner = authors_code().SparsePruner
        with of_2018():
            return pruner(self.shell, fraction, self.masks, first, first)

    def train(self) -> None:
        self.shell.train()
        for module in self.shell.shared.modules() if self.task > 1 else ():
            if isinstance(module, _BatchNorm):
                module.eval()

    def logits(self, images: Tensor) -> Tensor:
        return self.shell(images)

    def before_step(self) -> None:
        if self.pruner is not None:
            self.pruner.make_grads_zero()

    def after_step(self) -> None:
        if self.pruner is not None:
            self.pruner.make_pruned_zero()

    def prune(self, fraction: float) -> None:
        self.pruner = self._new_pruner(fraction)
        with of_2018():
            self.pruner.prune()
        self.masks = self.pruner.current_masks

    def begin_next(self) -> None:
        self.task += 1
        self.pruner = self._new_pruner()
        self.pruner.make_finetuning_mask()
        self.shell.classifiers.append(another(self.head))

    def as_first(self, images: Tensor) -> Tensor:
        with torch.no_grad(), self.looking() as answer:
            return answer(images)

    @contextmanager
    def looking(self) -> Iterator[Callable[[Tensor], Tensor]]:
        # Its masks are applied in place: the weights are put back after it.
        kept = [weight.clone() for weight in self.weights()]
        with of_2018():
            self._new_pruner().apply_mask(1)
        self.shell.eval()
        head = self.shell.classifiers[0]
        yield lambda images: head(self.shell.shared(images))
        for weight, values in zip(self.weights(), kept, strict=True):
            weight.copy_(values)

    def snapshot(self) -> Callable[[], object]:
        before, pruner = super().snapshot(), self.pruner
        masks = deepcopy(self.masks)

        def back() -> None:
            before()
            self.masks, self.pruner = deepcopy(masks), pruner

        return back

    def owners(self) -> list[Tensor]:
        return [mask.clone() for mask in self.masks.values()]

    def saved(self) -> object:
        # They pickle the whole model; its numbers are the same.
        return {"model": self.shell.state_dict(), "masks": self.masks}


@contextmanager
def of_2018() -> Iterator[None]:
    """Torch as it was: `kthvalue` gives a vector of one number, whatever
    the rank; and everything on the processor, without CUDA."""
    kthvalue = torch.Tensor.kthvalue

    def kept(tensor: Tensor, rank: int):
        return kthvalue(tensor, rank, keepdim=True)

    with (
        mock.patch.object(torch.Tensor, "kthvalue", kept),
        mock.patch.object(torch.Tensor, "cuda", lambda tensor: tensor),
        redirect_stdout(io.StringIO()),
    ):
        yield


_loaded: dict[str, ModuleType] = {}


def authors_code() -> ModuleType:
    """Their `prune.py`, of the checkout that PACKNET_AUTHORS names."""
    path = os.environ["PACKNET_AUTHORS"]
    if path not in _loaded:
        place = Path(path) / "src" / "prune.py"
        spec = importlib.util.spec_from_file_location("authors_prune", place)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        _loaded[path] = module
    return _loaded[path]


def have_avalanche() -> bool:
    return importlib.util.find_spec("avalanche") is not None


def doors() -> list[Callable[[nn.Module, nn.Linear], Door]]:
    """Those that can be opened on this machine."""
    found: list = [Here]
    if have_avalanche():
        found.append(Avalanche)
    if os.environ.get("PACKNET_AUTHORS"):
        found.append(Authors)
    return found
