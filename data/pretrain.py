"""Train the network with which the chapters begin, and keep its weights.

`python data/pretrain.py` learns the first task, objects, as long as the
records do, and writes `data/pretrained/`: the weights, as half-precision
numbers, and how they were made. It goes on where it was stopped.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from packnet_book.runs.presets import FULL_LENGTH
from packnet_book.runs.pretrained import own_weights
from packnet_book.runs.runner import Run
from packnet_core.evaluation import evaluate
from packnet_core.files import replacing

ROOT = Path(__file__).parent.parent
SEED = 0  # of the chapters


def main() -> None:
    torch.set_num_threads(1)
    run = Run(FULL_LENGTH, ROOT / "_build" / "pretrained", seed=SEED)
    network = run.first()
    made = json.loads((run.out / "run.json").read_text("utf-8"))
    del made["configuration"]
    trunk, head = network.trunk.state_dict(), network.heads[0].state_dict()
    named = {f"head.{name}": tensor for name, tensor in head.items()}
    (ROOT / "data" / "pretrained").mkdir(exist_ok=True)
    file = own_weights(FULL_LENGTH.architecture)
    with replacing(file) as new:
        save_file({n: t.half() for n, t in {**trunk, **named}.items()}, new)
    for module in (network.trunk, network.heads):
        module.half().float()  # as they will be read
    task = FULL_LENGTH.tasks[0].name
    errors = evaluate(
        network, run.pictures(task, "test"),
        size=FULL_LENGTH.architecture.size,
    )  # fmt: skip
    record = {
        "what": "The miniature's trunk and head, with the first task learnt.",
        "command": "python data/pretrain.py",
        "task": task,
        "seed": SEED,
        "phase": vars(FULL_LENGTH.first),
        "top1_error": errors.top1,
        "test_images": errors.images,
        "made": made,
    }
    file.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    print(f"{file}: {errors}")


if __name__ == "__main__":
    main()
