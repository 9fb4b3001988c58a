"""Where a result comes from: versions, processor, date, revision, data."""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy
import torch
from numpy.typing import ArrayLike

from packnet_book.photos.store import Stored, Streamed
from packnet_core.images import Pictures

PACKAGES = ("packnet-core", "torch", "torchvision", "accelerate", "numpy",
            "safetensors", "pillow")  # fmt: skip


def provenance() -> dict:
    """Plain values that say on what and when a result was made."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "device": (
            torch.cuda.get_device_name()
            if torch.cuda.is_available()
            else "cpu"
        ),
    }


def digest(arrays: Iterable[ArrayLike]) -> str:
    """SHA-256 of the bytes of some arrays, one after the other."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(numpy.ascontiguousarray(array).data)
    return found.hexdigest()


def digest_of(pictures: Pictures) -> str:
    """SHA-256 of the pixels and labels of pictures, as they are trained on.

    Of pictures that are decoded anew each time: of their files' names and
    sizes.
    """
    images = pictures.images
    if isinstance(images, Stored):
        return digest([images.data, images.shapes, pictures.labels])
    if isinstance(images, Streamed):
        files = [f"{f.name} {f.stat().st_size}" for f in images.listing.files]
        return digest([numpy.array(files), pictures.labels])
    assert isinstance(images, torch.Tensor)
    return digest([images, pictures.labels])


def processor() -> str:
    """The processor's name, as well as the system knows it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    names = (s for s in text.splitlines() if s.startswith("model name"))
    return next(names, platform.machine()).split(":")[-1].strip()


def revision() -> str:
    """The source's git revision, "+" behind it if files were changed.

    A copy without git says it by `PACKNET_REVISION`.
    """
    if told := os.environ.get("PACKNET_REVISION"):
        return told
    here = Path(__file__).parent
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        done = subprocess.run(
            command, cwd=here, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return f"version {_version('packnet-core')}"
    return done.stdout.strip()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
