"""Regenerate a recorded study: `python data/record.py miniature`.

Trains what is still missing under `_build/records/` (about six minutes a
seed on two cores; may be stopped and started again) and writes the tidy
table and its provenance to `data/results/`.
"""

import json
import sys
from pathlib import Path

import pandas

from packnet_core.atomic import write_text
from packnet_core.experiments import Run
from packnet_core.presets import PRESETS

ROOT = Path(__file__).parent.parent
SEEDS = (0, 1, 2)
METHODS = ("packnet", "individual", "sequential")


def record(study: str) -> None:
    tables, made = [], {}
    for seed in SEEDS:
        out = ROOT / "_build" / "records" / f"{study}-{seed}"
        tables.append(Run(PRESETS[study], out, seed=seed).carry_out(METHODS))
        made[str(seed)] = json.loads((out / "run.json").read_text())
    file = ROOT / "data" / "results" / study
    table = pandas.concat(tables).to_csv(index=False, float_format="%.6g")
    write_text(file.with_suffix(".csv"), table)
    command = f"python data/record.py {study}"
    provenance = {"command": command, "methods": METHODS, "seeds": made}
    write_text(file.with_suffix(".json"), json.dumps(provenance, indent=1))


if __name__ == "__main__":
    record(sys.argv[1])
