"""Regenerate the recorded studies: `python data/record.py [STUDY …]`.

Without a name: all of them, which takes hours. Seeds are run at the same
time, one a core, each study of a seed after the other. May be stopped and
started again: seeds whose rows are in the table already, with the present
settings, are not run again, and a run that was cut short goes on where it
was (`_build/records/`). `--list` says what there is. Studies of photographs
are left out unless `PACKNET_PHOTOS` names a directory with them, in the
layout of PackNet's authors, and with `squeezenet1_1*.safetensors` or `.pth`.
`--precision bf16` is for processors that multiply such numbers themselves
(those with AMX take 0.6 of the time, some without take twenty times it); the
record names it with each draw.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Lock

# One thread a seed; two of them together do more than one with two threads.
# Jobs on Linux take large pages of memory: a step is a tenth shorter, with
# large pictures a fifth.
if __name__ == "__main__":  # before torch is there
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")

import pandas
import torch
from pandas import DataFrame

from packnet_book.locks import alone
from packnet_book.places import write_text
from packnet_book.runs.provenance import provenance, revision
from packnet_book.runs.records import read
from studies import DUE, STUDIES
from studies.common import PRECISION, USED, Study

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "_build" / "records"
RESULTS = ROOT / "data" / "results"
PARTS = ROOT / "data" / "recording"  # of studies that are not complete
REVISION = revision()  # before the results of this run change the checkout
NAMED = {study.name: study for study in STUDIES}


def record(
    studies: Sequence[Study], jobs: int, seeds: Sequence[int] = ()
) -> None:
    """Run what is missing of some studies, several seeds at a time.

    seeds: these only, if any; so several machines share the work.
    """
    todo = {
        study.name: [s for s in missing(study) if not seeds or s in seeds]
        for study in studies
    }
    if jobs > 1:
        os.environ["TQDM_DISABLE"] = "1"  # their bars would get mixed up
    writing = Lock()

    def follow(seed: int) -> None:
        for study in studies:
            if seed in todo[study.name]:
                job = workers.submit(carry_out, study, seed, RUNS)
                rows, origin = job.result()
                with writing:
                    enter(study, seed, rows, origin)
                told = f"{study.name}, seed {seed}: {origin['seconds']} s"
                print(told, flush=True)

    # The seeds with most to do begin.
    most = Counter(seed for those in todo.values() for seed in those)
    with (
        (
            ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
            if jobs > 1
            else ThreadPoolExecutor(1)
        ) as workers,
        ThreadPoolExecutor(jobs) as chains,
    ):
        list(chains.map(follow, [seed for seed, _ in most.most_common()]))


def record_together(
    studies: Sequence[Study], jobs: int, seeds: Sequence[int] = ()
) -> None:
    """As `record`, all draws at once, on the card if there is one.

    Studies go on beside each other, each at its own pace.
    """
    from together import together

    device = "cuda" if torch.cuda.is_available() else "cpu"
    with (
        together(device, jobs) as pool,
        ThreadPoolExecutor(len(studies)) as beside,
    ):
        list(beside.map(lambda s: pool.carry_out(draws([s], seeds)), studies))


def draws(
    studies: Sequence[Study], seeds: Sequence[int] = ()
) -> list[Callable[[], None]]:
    """What records each draw that is missing."""

    def follow(study: Study, seed: int) -> None:
        rows, origin = carry_out(study, seed, RUNS)
        enter(study, seed, rows, origin | {"together": True})
        print(f"{study.name}, seed {seed}: {origin['seconds']} s", flush=True)

    return [
        partial(follow, study, seed)
        for study in studies
        for seed in missing(study)
        if not seeds or seed in seeds
    ]


def table_of(study: Study) -> Path:
    """Where a study's table is: with the book's results once complete."""
    folder = PARTS if study.name in DUE else RESULTS
    return folder / f"{study.name}.csv"


def missing(study: Study) -> list[int]:
    """The seeds that are not recorded with the present settings."""
    _, made = _known(study)
    return [seed for seed in study.seeds if str(seed) not in made]


def carry_out(study: Study, seed: int, runs: Path) -> tuple[DataFrame, dict]:
    """The rows of one seed of a study, and where they come from.

    With the seconds it took, fewer if its runs were there already, and
    with digests of what its runs have read.
    """
    begun, start = provenance(), time.monotonic()
    USED.places.clear()
    rows = study.table(seed, runs).assign(seed=seed)
    read: dict[str, str] = {}
    for file in (out / "read.json" for out in USED.places):
        read |= json.loads(file.read_text()) if file.exists() else {}
    spent = {"seconds": round(time.monotonic() - start)}
    made = [json.loads((out / "run.json").read_text()) for out in USED.places]
    how = sorted({run["configuration"]["precision"] for run in made})
    return rows, begun | spent | {"precision": how, "read": read}


def enter(study: Study, seed: int, new: DataFrame, origin: dict) -> None:
    """Write a seed's rows into the table, its origin beside it.

    Other jobs may do so too, of other seeds: one after the other.
    """
    RUNS.mkdir(parents=True, exist_ok=True)
    with alone(RUNS / f"{study.name}.lock", f"{study.name}: waiting"):
        rows, made = _known(study)
        rows = pandas.concat([rows, new]).sort_values("seed", kind="stable")
        made[str(seed)] = origin | {"revision": REVISION}
        about = {
            "what": study.what,
            "command": f"python data/record.py {study.name}",
            "settings": _plain(study.settings),
            "seeds": dict(
                sorted(made.items(), key=lambda item: int(item[0]))
            ),
        }
        table = table_of(study)
        table.parent.mkdir(exist_ok=True)
        text = rows.to_csv(index=False, float_format="%.6g", na_rep="nan")
        write_text(table, text)
        write_text(table.with_suffix(".json"), json.dumps(about, indent=1))


def _known(study: Study) -> tuple[DataFrame, dict]:
    """What is recorded with the present settings: rows, seeds' origins."""
    table = table_of(study)
    about = table.with_suffix(".json")
    if table.exists() and about.exists():
        known = json.loads(about.read_text())
        if known["settings"] == _plain(study.settings):
            rows, made = read(table), known["seeds"]
            # A table may be ahead of its provenance if it was stopped.
            return rows[rows.seed.isin(map(int, made))], made
    return DataFrame(), {}


def _plain(settings: object):
    return json.loads(json.dumps(settings))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("study", nargs="*", help=", ".join(NAMED))
    options.add_argument("--list", action="store_true")
    options.add_argument(
        "--jobs", type=int, default=os.cpu_count(),
        help="seeds that run at the same time (default: one a core)",
    )  # fmt: skip
    options.add_argument("--seeds", type=int, nargs="+", default=(),
                         metavar="N", help="these only")  # fmt: skip
    options.add_argument(
        "--together", action="store_true",
        help="train the networks of all draws at once, for a graphics card",
    )  # fmt: skip
    options.add_argument("--precision", choices=["bf16"],
                         help="of studies that do not say one")  # fmt: skip
    chosen = options.parse_args()
    if chosen.precision and chosen.together:
        options.error("--together trains in float32, or as torch is told")
    if chosen.precision:
        os.environ[PRECISION] = chosen.precision  # of this one, and of jobs
    unknown = set(chosen.study) - set(NAMED)
    if unknown:
        options.error(f"no study {', '.join(unknown)}")
    studies = [NAMED[name] for name in chosen.study or NAMED]
    if chosen.list:
        for study in studies:
            seeds = ", ".join(map(str, missing(study))) or "none"
            print(f"{study.name}: {study.what} Seeds missing: {seeds}")
        return
    if not os.environ.get("PACKNET_PHOTOS"):
        left_out = [study for study in studies if study.photographs]
        studies = [study for study in studies if not study.photographs]
        for study in left_out:
            print(f"{study.name}: left out, PACKNET_PHOTOS is not set")
        if not studies:
            raise SystemExit(1)
    way = record_together if chosen.together else record
    way(studies, chosen.jobs, chosen.seeds)


if __name__ == "__main__":
    main()
