"""`python -m benchmarks.peers [PART …]`; without a name, every part."""

import argparse
import os
import sys

if __name__ == "__main__":  # before torch is there: one thread, for ratios
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from benchmarks.peers import learns
from benchmarks.peers.doors import have_avalanche
from benchmarks.peers.parts import PARTS
from benchmarks.peers.records import origin, write


def main(names: list[str]) -> None:
    """Measure some parts, or all, and write their records: only with the
    authors' code, else what is recorded of it would be lost. (Their code
    is not in `learns`.)"""
    torch.set_num_threads(1)  # for ratios
    for name in names or PARTS:
        part, settings = PARTS[name]
        if part is learns and not learns.missing(settings):
            print("peers_learns: all draws are recorded")
            continue  # its origin stays that of the last draw
        made = origin()
        what = " ".join((part.run.__doc__ or "").split())
        table = part.run(settings)
        if os.environ.get("PACKNET_AUTHORS") or part is learns:
            write(name, what, settings, table, made)
            print(f"peers_{name}: recorded", flush=True)
        else:
            print(f"peers_{name}: not recorded, PACKNET_AUTHORS is not set")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("part", nargs="*", help=", ".join(PARTS))
    chosen = options.parse_args().part
    if set(chosen) - set(PARTS):
        options.error(f"parts are {', '.join(PARTS)}")
    if not have_avalanche():
        sys.exit("Avalanche is not installed: pip install -e '.[peers]'")
    main(chosen)
