"""One attempt at an exercise: run, and judged by the book's checks."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from packnet_book.exercises import WrongAnswer
from packnet_book.exercises.marking.asked import Exercise
from packnet_book.exercises.marking.handed_in import Attempt

CHECKS = "packnet_book.exercises"
LONGEST = 300  # letters of what is reported


class Result(StrEnum):
    PASSED = "passed"
    WRONG = "wrong"
    ERROR = "raises an error"
    STOPPED = "stopped"
    UNTOUCHED = "not attempted"
    MISSING = "not found"
    READ = "to be read"


@dataclass(frozen=True)
class Verdict:
    """A result, and what the check or the program said."""

    result: Result
    said: str = ""

    @property
    def points(self) -> int:
        return int(self.result is Result.PASSED)


def short(text: object) -> str:
    """Text for a report: one line, not too long."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def tried(
    space: dict[str, Any], exercise: Exercise, attempt: Attempt
) -> Verdict:
    """Run an attempt where the chapter has got to, and judge it.

    space: the chapter's names and values; it is changed.
    """
    checks = {
        name: dict(vars(module))
        for name, module in sys.modules.items()
        if name.startswith(CHECKS)
    }
    fault = _run(attempt.code, space)
    for name, theirs in attempt.names.items():
        if theirs not in space:
            said = fault or f"`{theirs}` has no value"
            return Verdict(Result.ERROR, said)
        space[name] = space[theirs]
    for name, kept in checks.items():  # as they were, whatever was done
        vars(sys.modules[name]).update(kept)
    heard: dict[str, str | None] = {}
    fault = ""
    for one in exercise.judging:
        _listen(space, heard)
        fault = _run([one.text], space)
        if fault:
            break
    return _judged(exercise, attempt, heard, fault)


def _run(texts, space: dict[str, Any]) -> str:
    """Execute statements; what the first that failed has raised."""
    fault = ""
    for text in texts:
        try:
            exec(compile(text, "<notebook>", "exec"), space)
        except BaseException as error:  # SystemExit, too
            fault = fault or f"{type(error).__name__}: {error}"
    return fault


def _listen(space: dict[str, Any], heard: dict[str, str | None]) -> None:
    """From now on note what checks say, by name; None for "right"."""

    def listening(name: str, check: Callable) -> Callable:
        @functools.wraps(check)
        def asked(*arguments: Any) -> None:
            try:
                check(*arguments)
            except WrongAnswer as error:
                heard[name] = str(error)
                raise
            heard.setdefault(name, None)

        return asked

    for name, value in list(space.items()):
        if name.startswith("check_") and not hasattr(value, "__wrapped__"):
            space[name] = listening(name, value)


def _judged(
    exercise: Exercise,
    attempt: Attempt,
    heard: dict[str, str | None],
    fault: str,
) -> Verdict:
    wrong = [said for said in heard.values() if said is not None]
    if wrong:
        return Verdict(Result.WRONG, short(wrong[0]))
    if heard.keys() >= exercise.checks:
        return Verdict(Result.PASSED)
    if fault:
        return Verdict(Result.ERROR, short(fault))
    if attempt.same:
        names = ", ".join(f"`{name}`" for name in attempt.same)
        return Verdict(
            Result.UNTOUCHED, f"only in part: {names} is as it was"
        )
    return Verdict(
        Result.WRONG,
        "it counts as not filled in: None, or nothing, where the chapter "
        "tries it; is `return` missing?",
    )
