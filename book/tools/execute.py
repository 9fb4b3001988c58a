"""Run every chapter from scratch and store what it shows, in place.

Two at a time, with one thread each: sums are then added up in the same
order on any number of cores. A figure carries its alternative text, which
is also its text output. Only what a chapter shows is stored: no times,
no versions, no progress bars, so that a difference between two runs is a
difference in results. `--order` only says in which order.
"""

import csv
import math
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from toc import title

BOOK = Path(__file__).parents[1]
TIMES = BOOK.parent / "data" / "results" / "chapter_times.csv"
SECONDS = {
    row["chapter"]: float(row["seconds again"])
    for row in csv.DictReader(TIMES.read_text("utf-8").splitlines())
}
TIMEOUT = 3600  # seconds a cell, waiting for another chapter included


def execute(path: Path) -> None:
    """Run one notebook and rewrite it. Raises CellExecutionError."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]

    def tell(cell, cell_index, **_):
        place = 1 + sum(
            c.cell_type == "code" for c in notebook.cells[:cell_index]
        )
        line = next(iter(cell.source.splitlines()), "")
        print(
            f"  {path.stem} {place:3} of {len(cells)}  {line[:50]}",
            flush=True,
        )

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        on_cell_execute=tell,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    tidy(notebook)
    nbformat.write(notebook, path)


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Leave out what differs from run to run, or between machines."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata.pop("mystnb", None)  # of an image that was here before
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            cell.outputs = [
                output
                for output in cell.outputs
                if output.get("name") != "stderr"
            ]
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if any(kind.startswith("image/") for kind in data):
                image = {"alt": data["text/plain"].strip()}
                cell.metadata["mystnb"] = {"image": image}


def tried(path: Path) -> str:
    """Run one notebook; what went wrong, or an empty text."""
    start = time.monotonic()
    try:
        execute(path)
    except CellExecutionError as error:
        return f"{path}: {error}"
    print(f"{path.name} done in {time.monotonic() - start:.0f} s", flush=True)
    return ""


def turn(path: Path) -> tuple[bool, bool, float, str]:
    """The order: while one chapter trains PackNet's networks, those that do
    not use them are run beside it, the longest first, and then the others.
    """
    trains = path.stem == "error_table"
    text = path.read_text("utf-8")
    waits = r"run(MINIATURE, [\"packnet\"]" in text and not trains
    seconds = SECONDS.get(title(path), math.inf)  # of a new one: unknown
    return not trains, waits, -seconds, path.name


def main() -> int:
    paths = sorted(BOOK.glob("*.ipynb"), key=turn)
    if sys.argv[1:] == ["--order"]:
        print(*(path.relative_to(BOOK.parent) for path in paths))
        return 0
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(2) as pool:
        for fault in pool.map(tried, paths):
            if fault:
                pool.shutdown(wait=False, cancel_futures=True)
                print(fault, file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
