"""The miniature as chapters train it, and what becomes of its networks."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import torch
from pandas import DataFrame
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from packnet_book.runs.inference import WAYS, believed
from packnet_book.runs.merging import ties
from packnet_book.runs.presets import MINIATURE
from packnet_book.runs.runner import Run
from packnet_core.evaluation import evaluate, logits
from studies.common import run

METHODS = ("packnet", "individual", "sequential")
FACTORS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)  # of a merged change
KEPT = 0.2  # of each task's change, for TIES: as published
TASKS = [task.name for task in MINIATURE.tasks]
SIZE = MINIATURE.architecture.size


def chapters(seed: int, folder: Path) -> DataFrame:
    """The miniature as the chapters train it: errors after every stage."""
    made = run(MINIATURE, seed, folder, "chapters")
    made.carry_out(METHODS)
    return made.history()


def unnamed(seed: int, folder: Path) -> DataFrame:
    """Errors when nobody names the task, in the packed network and in four
    individual ones, by each way to choose among their answers."""
    made = run(MINIATURE, seed, folder, "chapters")
    made.carry_out(METHODS[:2])
    network = made.after("packnet", TASKS[-1])
    packed = [network.extract(task) for task in TASKS]
    rows = []
    for name, models in (("packed", packed), ("separate", _apart(made))):
        for place, task in enumerate(TASKS):
            pictures = made.pictures(task, "test")
            views = [logits(one, pictures, size=SIZE) for one in models]
            right = views[place].argmax(1) == pictures.labels
            rows.append((name, task, "task named", _percent(~right)))
            for way in WAYS:
                found = believed(way, views) == place
                rows.append((name, task, way, _percent(~(right & found))))
    return DataFrame(rows, columns=["network", "task", "way", "top1_error"])


def merged(seed: int, folder: Path) -> DataFrame:
    """Individual networks merged into one trunk, by their mean change and
    by TIES, with the factor that validation pictures find best."""
    made = run(MINIATURE, seed, folder, "chapters")
    made.carry_out(METHODS[:2])
    models = _apart(made)
    flat = [parameters_to_vector(m.trunk.parameters()) for m in models]
    start, *tuned = [one.detach() for one in flat]
    changes = torch.stack(tuned) - start  # (3, weights and biases)
    rows = [
        ("individual", 1.0, task, _error(made, model, task, "test"))
        for task, model in zip(TASKS, models, strict=True)
    ]
    for name, change in (
        ("mean", changes.mean(0)),
        ("TIES", ties(changes, KEPT)),
    ):
        tried = {
            factor: _errors(made, models, start + factor * change, "val")
            for factor in FACTORS
        }
        best = min(FACTORS, key=lambda factor: sum(tried[factor]))
        errors = _errors(made, models, start + best * change, "test")
        rows += [(name, best, *of) for of in zip(TASKS, errors, strict=True)]
    return DataFrame(rows, columns=["method", "factor", "task", "top1_error"])


def _apart(made: Run) -> list:
    """Each task's own network, for the first one the common start."""
    return [made.after("individual", task).extract(task) for task in TASKS]


def _errors(
    made: Run, models: Sequence[nn.Module], trunk: Tensor, split: str
) -> list[float]:
    """The error of each task's head on one trunk, all its values in a row."""
    errors = []
    for task, model in zip(TASKS, models, strict=True):
        changed = deepcopy(model)
        vector_to_parameters(trunk, changed.trunk.parameters())
        errors.append(_error(made, changed, task, split))
    return errors


def _error(made: Run, model: nn.Module, task: str, split: str) -> float:
    return evaluate(model, made.pictures(task, split), size=SIZE).top1


def _percent(which: Tensor) -> float:
    return 100 * which.double().mean().item()
