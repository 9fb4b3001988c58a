"""Regenerate the recorded studies: `python data/record.py [STUDY …]`.

Without a name: all of them, which takes hours. May be
stopped and started again: seeds whose rows are in the table already, with
the present settings, are not run again, and a run that was cut short goes
on where it was (`_build/records/`). `--list` says what there is.
"""

import argparse
import json
import os
from pathlib import Path

# Waiting threads shall leave the cores to others. Before torch is there.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pandas
from studies import STUDIES, Study

from packnet_core.atomic import write_text
from packnet_core.provenance import provenance, revision
from packnet_core.records import read

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "_build" / "records"
RESULTS = ROOT / "data" / "results"
REVISION = revision()  # before the results of this run change the checkout


def record(study: Study) -> None:
    """Run what is missing of a study; write its table and provenance."""
    table, made = RESULTS / f"{study.name}.csv", {}
    about = table.with_suffix(".json")
    settings = json.loads(json.dumps(study.settings))
    rows = pandas.DataFrame()
    if table.exists() and about.exists():
        known = json.loads(about.read_text())
        if known["settings"] == settings:
            rows, made = read(table), known["seeds"]
            # A table may be ahead of its provenance if it was stopped.
            rows = rows[rows.seed.isin(map(int, made))]
    for seed in study.seeds:
        if str(seed) in made:
            continue
        print(f"{study.name}, seed {seed}", flush=True)
        begun = provenance() | {"revision": REVISION}
        new = study.table(seed, RUNS).assign(seed=seed)
        rows = pandas.concat([rows, new]).sort_values("seed", kind="stable")
        made[str(seed)] = begun
        command = f"python data/record.py {study.name}"
        told = {"what": study.what, "command": command, "settings": settings}
        text = rows.to_csv(index=False, float_format="%.6g", na_rep="nan")
        write_text(table, text)
        write_text(about, json.dumps(told | {"seeds": made}, indent=1))


def main() -> None:
    names = {study.name: study for study in STUDIES}
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("study", nargs="*", help=", ".join(names))
    options.add_argument("--list", action="store_true")
    chosen = options.parse_args()
    unknown = set(chosen.study) - set(names)
    if unknown:
        options.error(f"no study {', '.join(unknown)}")
    for study in [names[name] for name in chosen.study or names]:
        if chosen.list:
            print(f"{study.name}: {study.what}")
            continue
        record(study)


if __name__ == "__main__":
    main()
