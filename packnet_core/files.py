"""`network.packnet`: a packed network in one file, without pickle.

The file is a safetensors file, readable with any safetensors library:

* `trunk.<name>`: parameters and buffers of the trunk, without loss;
* `head.<k>.weight`, `head.<k>.bias`: the head of the k-th task;
* `owner.<name>`: the coded owner map of one layer (`coding.py`);
* metadata `packnet`: the header as JSON, with the checksum of all bytes
  of the file (taken with zeros for its own 64 digits).

Equal networks give equal files, byte for byte. Reading checks the
checksum first, and executes nothing from the file.
"""

import errno
import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from packnet_core import coding, trunks
from packnet_core.atomic import replacing
from packnet_core.errors import BadTrunk, DamagedFile, PackNetError
from packnet_core.network import PackNet, Task

FORMAT = 1
NO_SUM = "0" * 64
MARK = rb"\"sha256\": \""  # the header's JSON stands inside JSON
PIECE = 2**22


def save(network: PackNet, path: str | os.PathLike) -> None:
    """Write a network to `path`, replacing it at once. Raises OSError."""
    tasks = len(network.records)
    tensors = {f"trunk.{n}": t for n, t in _state(network.trunk).items()}
    for number, head in enumerate(network.heads, start=1):
        for name, tensor in head.state_dict().items():
            tensors[f"head.{number}.{name}"] = tensor
    for name, owner in network.owner.items():
        code = coding.encode(owner.cpu().flatten().numpy(), tasks)
        tensors[f"owner.{name}"] = torch.from_numpy(code.copy())
    architecture = getattr(network.trunk, "architecture", None)
    header = {
        "sha256": NO_SUM,
        "format": FORMAT,
        "architecture": architecture and asdict(architecture),
        "features": network.features,
        "tasks": [asdict(record) for record in network.records],
        "provenance": network.provenance,
    }
    metadata = {"packnet": json.dumps(header)}
    plain = {n: t.detach().cpu().contiguous() for n, t in tensors.items()}
    with replacing(path) as new:
        write_safetensors(plain, new, metadata)
        digest, place = _checksum(new)
        with open(new, "r+b") as file:
            file.seek(place)
            file.write(digest.encode())


def load(path: str | os.PathLike, trunk: nn.Module | None = None) -> PackNet:
    """Read a packed network.

    trunk: needed if the library did not build the saved trunk; its
    weights are replaced. Raises FileNotFoundError, DamagedFile, BadTrunk.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    header, tensors = _read(path)
    try:
        return _network(path, header, tensors, trunk)
    except PackNetError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DamagedFile(
            f"{path}: not what a packed network holds ({error}); "
            "make or fetch the file again"
        ) from error


def write_safetensors(
    tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]
) -> None:
    """Write tensors on the CPU to a file. Raises OSError."""
    try:
        save_file(tensors, path, metadata)
    except SafetensorError as error:
        raise OSError(errno.EIO, str(error)) from error


def _state(trunk: nn.Module) -> dict[str, Tensor]:
    """Parameters and saved buffers by name, shared ones once."""
    named: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in trunk.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            named[name] = tensor.detach()
            seen.add(id(tensor))
    return named


def _checksum(path: Path) -> tuple[str, int]:
    """The file's checksum, and where in the file it belongs."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > os.path.getsize(path):
            raise ValueError("its header is longer than the file")
        file.seek(0)
        start = bytearray(file.read(8 + length))
        place = start.find(MARK) + len(MARK)
        if place < len(MARK) or place + len(NO_SUM) > len(start):
            raise ValueError("it has no checksum")
        start[place : place + len(NO_SUM)] = NO_SUM.encode()
        digest = hashlib.sha256(start)
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest(), place


def _read(path: Path) -> tuple[dict, dict[str, Tensor]]:
    """Header and tensors of a file whose checksum is right."""
    try:
        digest, _ = _checksum(path)
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["packnet"])
            if header["sha256"] != digest:
                raise ValueError("its checksum is wrong")
            if header["format"] != FORMAT:
                raise ValueError(f"format {header['format']} is not known")
            # Copies: in the file tensors begin anywhere, and where memory
            # is not aligned, products are added up in another order.
            tensors = {n: file.get_tensor(n).clone() for n in file.keys()}
    except (
        SafetensorError, KeyError, TypeError, ValueError, RecursionError
    ) as error:  # fmt: skip
        raise DamagedFile(
            f"{path}: damaged, or not a packed network ({error}); "
            "make or fetch the file again"
        ) from error
    return header, tensors


def _network(
    path: Path,
    header: dict,
    tensors: dict[str, Tensor],
    trunk: nn.Module | None,
) -> PackNet:
    own = {
        name.removeprefix("trunk."): tensor
        for name, tensor in tensors.items()
        if name.startswith("trunk.")
    }
    built = trunk is None
    if trunk is None:
        if header["architecture"] is None:
            raise BadTrunk(
                f"{path}: its trunk was not built by this library; build "
                "it yourself and call load(path, trunk)"
            )
        architecture = trunks.Architecture(**header["architecture"])
        with torch.device("meta"):  # shapes only; the file has the values
            trunk = trunks.build(architecture)
    shapes = {name: tensor.shape for name, tensor in _state(trunk).items()}
    if shapes != {name: tensor.shape for name, tensor in own.items()}:
        raise BadTrunk(
            f"{path}: its tensors do not fit the trunk; "
            "build the trunk that was saved"
        )
    trunk.load_state_dict(own, strict=built, assign=built)

    network = PackNet(trunk, header["features"])
    network.provenance = dict(header["provenance"])
    tasks = header["tasks"]
    for number, task in enumerate(tasks, start=1):
        record = Task(
            str(task["name"]),
            tuple(str(name) for name in task["classes"]),
            tuple(float(fraction) for fraction in task["fractions"]),
        )
        if record.name in network.tasks:
            raise ValueError(f"task {record.name!r} comes twice")
        weight = tensors[f"head.{number}.weight"]
        bias = tensors[f"head.{number}.bias"]
        if weight.shape != (len(record.classes), network.features):
            raise ValueError(f"head of {record.name!r}: wrong shape")
        head = nn.Linear(1, 1, device="meta")
        head.in_features, head.out_features = weight.shape[::-1]
        head.weight, head.bias = nn.Parameter(weight), nn.Parameter(bias)
        network.heads.append(head)
        network.records.append(record)
    for name, owner in network.owner.items():
        code = tensors[f"owner.{name}"].numpy()
        flat = coding.decode(code, len(tasks), owner.numel())
        network.owner[name] = torch.from_numpy(flat).view(owner.shape)
    if len(tasks) > 1:
        for parameter in network._others():
            parameter.requires_grad_(False)
    return network
