"""Two ways of doing the same thing, timed in turn."""

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """Ratios of `ours` to `theirs`, one for each pair of timings."""

    values: tuple[float, ...]

    def __str__(self) -> str:
        middle = statistics.median(self.values)
        return (
            f"{middle:.3f} (from {min(self.values):.3f} to "
            f"{max(self.values):.3f} in {len(self.values)} pairs)"
        )


def compare(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    pairs: int,
    setting: Callable[[], AbstractContextManager] = nullcontext,
    clock: Callable[[], float] = time.perf_counter,
) -> Ratio:
    """Time both in turn, after one of each to warm up.

    setting: entered, untimed, around each timing; clock: in seconds,
    `time.process_time` where others use the machine too.
    """

    def seconds(work: Callable[[], object]) -> float:
        with setting():
            begun = clock()
            work()
            return clock() - begun

    seconds(ours), seconds(theirs)
    found = []
    for number in range(pairs):
        order = (ours, theirs) if number % 2 else (theirs, ours)
        taken = {work: seconds(work) for work in order}
        found.append(taken[ours] / taken[theirs])
    return Ratio(tuple(found))
