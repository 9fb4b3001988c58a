"""Files that lie: a right checksum over another header, other tensors."""

import json
import random
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from packnet_core import files

VALUES = (
    None, True, -1, 0, 1, 2, 0.5, -0.5, 3.7, 255, 256, 10**9, 10**400,
    float("nan"), float("inf"), -float("inf"), "", "x", "vgg16", "resnet50",
    [], {}, [None], [[]], {"x": 1}, ["a", "b"], "\ud800",
)  # fmt: skip


def lie(sound: Path, target: Path, seed: int) -> None:
    """Write `sound` with something in it changed, the checksum right."""
    chance = random.Random(seed)
    with files.safe_open(sound, framework="pt") as opened:
        header = json.loads(opened.metadata()["packnet"])
    tensors = load_file(sound)
    for _ in range(chance.choice((1, 1, 2, 4))):
        if chance.random() < 0.6:
            change_header(header, chance)
        else:
            change_tensor(tensors, chance)
    header["sha256"] = files.NO_SUM
    save_file(tensors, target, {"packnet": json.dumps(header)})
    try:
        digest, place = files._checksum(target)
    except ValueError:  # it has none any more
        return
    with open(target, "r+b") as opened:
        opened.seek(place)
        opened.write(digest.encode())


def change_header(header: dict, chance: random.Random) -> None:
    """Change, take away or add one value, at any depth."""
    place: dict | list = header
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        if not keys:
            return
        key = chance.choice(list(keys))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.8:
            place = inner
            continue
        break
    if isinstance(place, dict) and chance.random() < 0.15:
        del place[key]
    elif isinstance(place, list) and chance.random() < 0.3:
        place.append(inner)
    else:
        place[key] = chance.choice(VALUES)


def change_tensor(tensors: dict, chance: random.Random) -> None:
    """Take a tensor away, give it another shape, type, or content."""
    name = chance.choice(sorted(tensors))
    tensor = tensors[name]
    what = chance.randrange(6)
    if what == 0:
        del tensors[name]
    elif what == 1:
        tensors[name] = torch.zeros(chance.choice(((), (0,), (3,), (2, 2))))
    elif what == 2:
        kinds = torch.float64, torch.bfloat16, torch.int64, torch.bool
        tensors[name] = tensor.to(chance.choice(kinds))
    elif what == 3:
        size = chance.randrange(1, 400)
        content = [chance.randrange(256) for _ in range(size)]
        tensors[name] = torch.tensor(content, dtype=torch.uint8)
    elif what == 4:
        tensors[f"{name}{chance.choice(('x', '.0', '/'))}"] = tensor.clone()
    else:
        other = chance.choice(sorted(tensors))
        tensors[name] = tensors[other].clone()
