"""PackNet here beside Avalanche's and its authors', on the same work.

`python -m benchmarks.peers [PART …]` measures and writes the records
`data/results/peers_*.csv`, from which the page `book/peers.md` is made. It
needs the extra `peers` (Avalanche). The authors' code is run from a checkout
that `PACKNET_AUTHORS` names, and left out without one: then nothing is
recorded. None of it is copied here.
"""
