"""Where a result comes from: versions, processor, date, revision."""

import importlib.metadata
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import torch

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


def processor() -> str:
    """The processor's name, as well as the system knows it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    names = (s for s in text.splitlines() if s.startswith("model name"))
    return next(names, platform.machine()).split(":")[-1].strip()


def revision() -> str:
    """The source's git revision, "+" behind it if files were changed."""
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
