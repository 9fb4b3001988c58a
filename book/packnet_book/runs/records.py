"""The recorded results: one table a study, and where it comes from.

They lie under `data/results/` in the repository, and in the package
where it is installed.
"""

import json
import os
from pathlib import Path

import pandas

from packnet_core.errors import BadRun
from packnet_core.files import replacing

HERE = Path(__file__).parents[1]  # packnet_book


def _folder() -> Path:
    checkout = HERE.parents[1] / "data" / "results"
    return checkout if checkout.is_dir() else HERE / "results"


def recorded(study: str) -> pandas.DataFrame:
    """The recorded table of a study, for instance "miniature".

    Its columns are those of `results.csv`. Raises BadRun.
    """
    return read(_file(study, "csv"))


def read(table: Path) -> pandas.DataFrame:
    """A recorded table: nothing is empty text, "nan" is not a number."""
    return pandas.read_csv(table, keep_default_na=False, na_values=["nan"])


def recorded_provenance(study: str) -> dict:
    """Configuration, seeds, versions, date of a study. Raises BadRun."""
    return json.loads(_file(study, "json").read_text())


def _file(study: str, kind: str) -> Path:
    file = _folder() / f"{study}.{kind}"
    if not file.is_file():
        names = ", ".join(sorted(f.stem for f in _folder().glob("*.csv")))
        raise BadRun(f"no recorded study {study!r}; there are: {names}")
    return file


def refuse_name(place: Path, cure: str = "name another place") -> None:
    """Raise BadRun for a place where no network could be kept, or read."""
    try:
        str(place.absolute()).encode()
    except UnicodeEncodeError:  # safetensors takes no other names
        raise BadRun(
            f"{place}: a name that is not UTF-8, in which no network can be "
            f"kept; {cure}"
        ) from None


def write_text(path: str | os.PathLike, text: str) -> None:
    """Replace a text file at once, its lines as they end. Raises OSError."""
    with replacing(path) as new:
        new.write_text(text, "utf-8", errors="surrogateescape", newline="")
