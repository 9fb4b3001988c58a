"""Measure how long each chapter's code takes.

`python book/tools/times.py [NAME …]`; without a name, every chapter. Each is
executed twice, alone: first with nothing trained on disk, then once more
with what the first time has left there. Copies are executed, so the stored
outputs stay. The seconds are those of all cells, the start of Python
included. The table `data/results/chapter_times.csv` has the chapters in the
order of the book, with the load of the machine at the beginning: 0 if
nobody else used it. `chapter_times.json` says on what and when each was
measured.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pandas

from execute import execute
from packnet_book.places import write_text
from packnet_book.runs.provenance import provenance
from toc import pages, title

BOOK = Path(__file__).parents[1]
TABLE = BOOK.parent / "data" / "results" / "chapter_times.csv"
COLUMNS = ["chapter", "seconds at first", "seconds again", "load"]


def chapters() -> list[str]:
    """Names of all chapters, in the order of the book."""
    names = [Path(page).name for page in pages()]
    return [name for name in names if (BOOK / f"{name}.ipynb").is_file()]


def measure(path: Path) -> tuple[float, float]:
    """Seconds that a notebook takes, cold and then warm.

    `PACKNET_CACHE` is another, empty place meanwhile. Raises
    CellExecutionError.
    """
    before = os.environ.get("PACKNET_CACHE")
    seconds = []
    with tempfile.TemporaryDirectory() as place:
        os.environ["PACKNET_CACHE"] = f"{place}/runs"
        try:
            for _ in range(2):
                copy = shutil.copy(path, place)
                start = time.monotonic()
                execute(Path(copy))
                seconds.append(time.monotonic() - start)
        finally:
            del os.environ["PACKNET_CACHE"]
            if before is not None:
                os.environ["PACKNET_CACHE"] = before
    return seconds[0], seconds[1]


def enter(table: Path, path: Path, cold: float, warm: float, origin: dict):
    """Put one chapter's row into the table, and its origin beside it."""
    note = table.with_suffix(".json")
    told = json.loads(note.read_text()) if note.is_file() else {}
    made = {**told.get("chapters", {}), path.stem: origin}
    rows = {}
    if table.is_file():
        old = pandas.read_csv(table).set_index("chapter")
        rows = {name: list(row) for name, row in old.iterrows()}
    rows[title(path)] = [round(cold), round(warm), origin["load"]]
    order = [title(BOOK / f"{name}.ipynb") for name in chapters()]
    kept = [[name, *rows[name]] for name in order if name in rows]
    text = pandas.DataFrame(kept, columns=COLUMNS).astype(
        {name: int for name in COLUMNS[1:3]}
    )
    write_text(table, text.to_csv(index=False))
    told = {
        "what": "Seconds of each chapter's code: cold, and once more.",
        "command": "python book/tools/times.py",
        "chapters": {n: made[n] for n in chapters() if n in made},
    }
    write_text(note, json.dumps(told, indent=1) + "\n")


def main(names: list[str]) -> int:
    unknown = set(names) - set(chapters())
    if unknown:
        print(f"no chapter {', '.join(sorted(unknown))}; there are: "
              f"{', '.join(chapters())}", file=sys.stderr)  # fmt: skip
        return 2
    for name in names or chapters():
        path = BOOK / f"{name}.ipynb"
        origin = {**provenance(), "cores": os.cpu_count()}
        origin["load"] = round(os.getloadavg()[0], 1)
        cold, warm = measure(path)
        enter(TABLE, path, cold, warm, origin)
        print(f"{name}: {cold:.0f} s, again {warm:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
