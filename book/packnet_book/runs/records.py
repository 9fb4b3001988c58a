"""The recorded results: one table a study, and where it comes from.

They lie under `data/results/` in the repository, and in the package
where it is installed.
"""

import json
from pathlib import Path

import pandas

from packnet_book.places import shipped
from packnet_core.errors import BadRun


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
    folder = shipped("results", "results")
    file = folder / f"{study}.{kind}"
    if not file.is_file():
        names = ", ".join(sorted(f.stem for f in folder.glob("*.csv")))
        raise BadRun(f"no recorded study {study!r}; there are: {names}")
    return file
