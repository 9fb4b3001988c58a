"""Checks of the chapters' exercises, one module a chapter.

A check takes what the student made (a function, a value, a network) and
raises `WrongAnswer` with a sentence that says what is wrong with it;
it prints "right" if nothing is. Checks look at properties and at cases
that can be worked out by hand, and, where the chapter has trained
something, at the student's own run.
"""

import math
from collections.abc import Callable
from typing import Any


class WrongAnswer(AssertionError):
    """The answer is not right; the message says in what way."""


def right() -> None:
    """Say that the answer has passed its check."""
    print("right")


def expect(holds: bool, why: str) -> None:
    """Raise WrongAnswer, saying `why`, unless something holds."""
    if not holds:
        raise WrongAnswer(why)


def called(function: Callable, *arguments: Any) -> Any:
    """What the student's function returns for these arguments.

    Raises WrongAnswer if it is no function, raises, or returns nothing.
    """
    expect(callable(function), "give the function itself, not its result")
    told = ", ".join(map(repr, arguments))
    try:
        found = function(*arguments)
    except Exception as error:
        raise WrongAnswer(
            f"called with ({told}) it raises {type(error).__name__}: {error}"
        ) from error
    expect(
        found is not None,
        f"called with ({told}) it returns nothing: is `return` missing?",
    )
    return found


def near(
    found: Any, wanted: float, why: str, tolerance: float = 1e-6
) -> None:
    """Raise WrongAnswer unless a number is the wanted one, or close."""
    try:
        number = float(found)
    except (TypeError, ValueError):
        raise WrongAnswer(f"{found!r} is not a number") from None
    close = math.isclose(number, wanted, rel_tol=tolerance, abs_tol=tolerance)
    expect(close, f"you say {number:g}, but {why}")
