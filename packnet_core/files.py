"""`network.packnet`: a packed network in one file, without pickle.

Any safetensors library reads the file. It holds

* `trunk.<name>`: parameters and buffers of the trunk, without loss;
* `heads.<k>.weight`, `heads.<k>.bias`: the head of a task, from 0;
* `owners.<name>`: the coded owner map of one layer;
* metadata `packnet`: the header as JSON, with the checksum of all bytes
  of the file (taken with zeros for its own 64 digits).

Equal networks give equal files. Reading executes nothing."""

import hashlib
import json
import os
import signal
import threading
import uuid
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EDQUOT, EINVAL, EIO, ENOSPC
from pathlib import Path

import numpy
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from packnet_core.errors import BadRun, BadTask, BadTrunk, DamagedFile

FORMAT = 2
NO_SUM = "0" * 64
MARK = rb"\"sha256\": \""  # the header's JSON stands inside JSON


def write(
    path: str | os.PathLike, header: dict, tensors: dict[str, Tensor]
) -> None:
    """Write a packed network to `path`, replacing it at once. header: plain
    values; tensors: by their names in the file. Raises OSError, BadTask."""
    try:
        text = json.dumps({"sha256": NO_SUM, "format": FORMAT, **header})
    except (TypeError, ValueError) as error:
        raise BadTask(
            f"net.provenance holds what a file cannot ({error}): give texts, "
            "numbers, lists and dictionaries"
        ) from error
    plain: dict[str, Tensor] = {}
    places: set[int] = set()  # in memory: tied weights are written twice
    for name, tensor in tensors.items():
        one = tensor.detach().cpu().contiguous()
        place = one.untyped_storage().data_ptr()
        plain[name] = one.clone() if place in places else one
        places.add(place)
    with replacing(path) as new:
        save_file(plain, new, {"packnet": text})
        digest, offset = _checksum(new)
        with open(new, "r+b") as file:
            file.seek(offset)
            file.write(digest.encode())


def read(path: str | os.PathLike) -> tuple[dict, dict[str, Tensor]]:
    """Header and tensors, by name, of a file whose checksum is right.
    Raises OSError, and whatever a damaged file leads to."""
    digest, _ = _checksum(path)
    with safe_open(path, framework="pt") as file:
        header = json.loads((file.metadata() or {})["packnet"])
        if header["sha256"] != digest:
            raise ValueError("its checksum is wrong")
        if header["format"] != FORMAT:
            raise ValueError(f"format {header['format']} is not known")
        # Copies: in the file tensors begin anywhere, and where memory is
        # not aligned, products are added up in another order.
        return header, {n: file.get_tensor(n).clone() for n in file.keys()}


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin with a prefix, by the rest of their names."""
    start = len(prefix)
    return {n[start:]: t for n, t in tensors.items() if n.startswith(prefix)}


@contextmanager
def damage_named(
    path: str | os.PathLike | None,
    what: str = "no packed network, or damaged",
    cure: str = "make or fetch it again",
) -> Iterator[None]:
    """Whatever a file that cannot be trusted leads to is a DamagedFile."""
    try:
        yield
    except (BadRun, BadTrunk, DamagedFile, OSError, MemoryError):
        raise
    except Exception as error:  # any: a file may say anything
        raise DamagedFile(f"{path}: {what} ({error}): {cure}") from error


def _checksum(path: str | os.PathLike) -> tuple[str, int]:
    """The file's checksum, and the offset at which the file says it."""
    with open(path, "rb") as file:
        start = bytearray(file.read(8))
        length = int.from_bytes(start, "little")
        if length > os.path.getsize(path):
            raise ValueError("its header is longer than the file")
        start += file.read(length)
        offset = start.find(MARK) + len(MARK)
        if offset < len(MARK) or offset + len(NO_SUM) > len(start):
            raise ValueError("it has no checksum")
        start[offset : offset + len(NO_SUM)] = NO_SUM.encode()
        digest = hashlib.file_digest(file, lambda: hashlib.sha256(start))
    return digest.hexdigest(), offset


@contextmanager
def uninterrupted() -> Iterator[list[int]]:
    """Put off Ctrl-C, and SIGTERM where the program treats it alike, until
    the end of a block that must be whole; a list of those that came."""
    came: list[int] = []
    usual, both = signal.default_int_handler, (signal.SIGINT, signal.SIGTERM)
    main = threading.current_thread() is threading.main_thread()
    put_off = [n for n in both if main and signal.getsignal(n) is usual]
    for number in put_off:  # they reach the main thread alone
        signal.signal(number, lambda n, _: came.append(n))
    try:
        yield came
    finally:
        for number in put_off:
            signal.signal(number, usual)
        if came:
            raise KeyboardInterrupt


# The owner map in few bits: as many owners as fit are packed into each byte,
# as digits of a number. zlib's Huffman code then comes close to the map's
# entropy; its run lengths shrink layers with one owner to almost nothing.


def _powers(base: int) -> numpy.ndarray:
    """What each digit to a base counts, of those that fit into a byte."""
    size = next(n for n in range(8, 0, -1) if max(base, 2) ** n <= 256)
    return base ** numpy.arange(size - 1, -1, -1)


def encode(owner: Tensor, tasks: int) -> Tensor:
    """The code, bytes (m,), of an owner map with owners up to `tasks`."""
    flat, powers = owner.cpu().flatten().numpy(), _powers(tasks + 1)
    padded = numpy.pad(flat, (0, -len(flat) % len(powers)))
    packed = padded.reshape(-1, len(powers)) @ powers.astype(numpy.uint8)
    coder = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    code = coder.compress(packed.data) + coder.flush()
    return torch.frombuffer(bytearray(code), dtype=torch.uint8)


def decode(code: Tensor, tasks: int, length: int) -> Tensor:
    """The flat owner map (length,) behind a code, in no more memory than
    that needs. Raises ValueError for a code of anything else."""
    base, powers = tasks + 1, _powers(tasks + 1)
    expected = -(-length // len(powers))
    decoder = zlib.decompressobj()
    try:
        data = decoder.decompress(code.numpy().tobytes(), expected + 1)
    except zlib.error as error:
        raise ValueError(f"owner map: {error}") from error
    packed = numpy.frombuffer(data, dtype=numpy.uint8)
    if len(data) != expected or not decoder.eof or decoder.unused_data:
        raise ValueError(f"owner map: not a code of {length} owners")
    if length and packed.max() >= base ** len(powers):
        raise ValueError(f"owner map: an owner above {tasks}")
    table = numpy.arange(256)[:, None] // powers % base
    owners = table.astype(numpy.uint8)[packed].reshape(-1)
    return torch.from_numpy(owners[:length])


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Where to write a file that replaces `path`, if the block succeeds.
    Raises OSError that names `path`."""
    path = Path(path)
    new = path.with_name(f".new-{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise OSError(EINVAL, "a device or a pipe, not a file")
        yield new
        try:
            with open(new, "r+b") as written:  # as Windows wants it
                os.fsync(written.fileno())
        except OSError as error:
            if error.errno in (EIO, ENOSPC, EDQUOT):
                raise  # others mean that the disk knows no such call
        mask = os.umask(0)  # safetensors lets nobody else read its files
        os.umask(mask)
        with suppress(OSError):  # not all disks know of modes
            new.chmod(0o666 & ~mask)
        os.replace(new, path)
    except (OSError, RuntimeError, SafetensorError) as error:
        # Say which file, not which temporary one. torch.save hides why.
        told = (type(error) is RuntimeError and error.__context__) or error
        why = getattr(told, "strerror", None) or str(told)
        raise OSError(getattr(told, "errno", EIO), why, str(path)) from error
    finally:
        with suppress(OSError):
            new.unlink()
