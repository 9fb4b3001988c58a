"""Many networks of one shape trained at once, on a graphics card.

A small network leaves a card idle. Here many of one shape take each step
together, as one network of grouped convolutions. No study is written for
it: each draw runs in a thread of its own, and what it asks of `fit`,
`evaluate` and `importance` waits until the others ask too; what is alike is
done at once, on the same batches as alone; only sums are rounded otherwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import RLock
from unittest.mock import patch

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from packnet_book.runs import methods, runner
from packnet_core.errors import BadRun
from packnet_core.evaluation import ErrorRates
from packnet_core.network import PackNet
from packnet_core.training import OWN_WEIGHTS
from packnet_core.views import innermost
from studies import ablations, common, controls, error_table, length, rates
from together.pool import AT_ONCE, HERE, Together, same
from together.work import Measuring, Testing, Training, measure, test, train

MOMENT = 0.5  # seconds for which a file may be held


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
        named = network.trunk.named_parameters()
        with torch.no_grad():
            shown = view.weights() if view else {}
        trunk = {name: shown.get(weight, weight) for name, weight in named}
        what = Testing(
            network.trunk, trunk, network.heads[task - 1], pictures, size
        )
        alike = (
            network.trunk.architecture, same(pictures), size,
            what.head.weight.shape,
        )  # fmt: skip
        return HERE.pool.ask(test, alike, what, 1)

    def importance(network, pictures, size) -> tuple[Tensor, Tensor]:
        alike = (
            same(pictures), size, _shape(network),
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
