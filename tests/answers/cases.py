"""What the tests of the exercises need: right and wrong answers."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One check with answers to it.

    right: answers that it accepts, the one printed in the chapter first;
    wrong: plausible mistakes that it rejects, at least three; each
    answer is the tuple of the arguments that the check is called with.
    """

    check: Callable
    right: tuple[tuple, ...]
    wrong: tuple[tuple, ...]
