"""A training phase on disk: model and optimiser as tensors, no pickle.

The random state needs no place here: `training.py` derives it from the
seed and the number of the step.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim import Optimizer

from packnet_core.atomic import replacing
from packnet_core.errors import BadRun, DamagedFile
from packnet_core.files import write_safetensors


@dataclass(frozen=True)
class Progress:
    """How far a phase has come: steps done, seconds spent on them."""

    steps: int = 0
    seconds: float = 0.0


def save(
    path: Path,
    model: nn.Module,
    optimizer: Optimizer,
    progress: Progress,
    phase: str,
) -> None:
    """Replace a checkpoint at once.

    phase: says exactly what is being trained and how. Raises OSError.
    """
    tensors = {f"model.{n}": t for n, t in model.state_dict().items()}
    state = optimizer.state_dict()
    plain: dict[str, dict] = {}
    for parameter, values in state["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{parameter}.{name}"] = value
            else:
                plain.setdefault(str(parameter), {})[name] = value
    metadata = {
        "phase": phase,
        "steps": str(progress.steps),
        "seconds": repr(progress.seconds),
        "optimizer": json.dumps(plain),
        "groups": json.dumps(state["param_groups"]),
    }
    kept = {n: t.detach().cpu().contiguous() for n, t in tensors.items()}
    with replacing(path) as new:
        write_safetensors(kept, new, metadata)


def load(
    path: Path, model: nn.Module, optimizer: Optimizer, phase: str
) -> Progress:
    """Take a phase up again where its checkpoint left it.

    Returns Progress() if there is no checkpoint. Raises BadRun if it is
    one of another phase, DamagedFile if it cannot be read.
    """
    if not path.exists():
        return Progress()
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise DamagedFile(
            f"{path}: damaged checkpoint ({error}); delete it to start "
            "this phase again"
        ) from error
    if metadata["phase"] != phase:
        raise BadRun(
            f"{path}: checkpoint of another phase or configuration; "
            "delete it, or train into another directory"
        )
    state: dict[int, dict] = {
        int(parameter): dict(values)
        for parameter, values in json.loads(metadata["optimizer"]).items()
    }
    weights = {}
    for name, tensor in tensors.items():
        kind, rest = name.split(".", 1)
        if kind == "model":
            weights[rest] = tensor
        else:
            parameter, entry = rest.split(".", 1)
            state.setdefault(int(parameter), {})[entry] = tensor
    model.load_state_dict(weights)
    optimizer.load_state_dict(
        {"state": state, "param_groups": json.loads(metadata["groups"])}
    )
    return Progress(int(metadata["steps"]), float(metadata["seconds"]))
