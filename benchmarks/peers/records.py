"""The records of the comparison: a table, and where it comes from."""

import importlib.metadata
import json
import os
import subprocess
from dataclasses import asdict, is_dataclass
from pathlib import Path

import torch
from pandas import DataFrame, read_csv

from packnet_book.places import write_text
from packnet_book.runs.provenance import provenance

DATA = Path(__file__).parents[2] / "data"
COUNTS = {"draws", "switched"}
RESULTS, RECORDING = DATA / "results", DATA / "recording"


def origin() -> dict:
    """On what and when the measuring begins, the peers' versions included,
    and how busy the machine was: 0 if nobody else used it."""
    found = {**provenance(), "cores": os.cpu_count()}
    for name in ("avalanche-lib", "pandas"):
        try:
            found["versions"][name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found["versions"][name] = "not installed"
    found["authors"] = authors_commit()
    found["load"] = round(os.getloadavg()[0], 1)
    found["idle"] = found["load"] < 0.5
    return found


def authors_commit() -> str:
    """The commit of the checkout that PACKNET_AUTHORS names: what git says
    of it, else what PACKNET_AUTHORS_COMMIT does."""
    path = os.environ.get("PACKNET_AUTHORS")
    if not path:
        return "not run"
    named = os.environ.get("PACKNET_AUTHORS_COMMIT")
    command = ["git", "-C", path, "rev-parse", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True)
    return named or done.stdout.strip() or "unknown"


def plain(settings: object):
    """Settings as plain values."""
    if isinstance(settings, dict):
        return {name: plain(value) for name, value in settings.items()}
    assert is_dataclass(settings) and not isinstance(settings, type)
    return asdict(settings)


def write(
    part: str,
    what: str,
    settings: object,
    table: DataFrame,
    made: dict,
    folder: Path = RESULTS,
) -> None:
    """Replace the record of one part of the comparison."""
    file = folder / f"peers_{part}.csv"
    about = {
        "what": what,
        "command": f"python -m benchmarks.peers {part}",
        "settings": plain(settings),
        "made": made | {"threads": torch.get_num_threads()},
    }
    text = table.to_csv(index=False, float_format="%.6g", na_rep="nan")
    write_text(file, text)
    write_text(file.with_suffix(".json"), json.dumps(about, indent=1))


def kept(part: str, settings: object) -> list[dict]:
    """The rows of a part that are recorded at these settings, however
    many, so that a long one goes on; none if it was done otherwise."""
    now = alike(json.loads(json.dumps(plain(settings))))
    for file in (d / f"peers_{part}.csv" for d in (RECORDING, RESULTS)):
        about = file.with_suffix(".json")
        if about.exists():
            before = json.loads(about.read_text("utf-8"))["settings"]
            if alike(before) == now:
                return read_csv(file).to_dict("records")
    return []


def alike(settings: dict) -> dict:
    """Settings but for how often something is done."""
    return {k: v for k, v in settings.items() if k not in COUNTS}
