"""What an answer rests on: what was recorded, and what a chapter printed."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

import toc


class NoTruth(ValueError):
    """A prediction whose answer nothing recorded or printed gives."""


@dataclass(frozen=True)
class Truth:
    """right: a number, one of the choices, or names with their values.

    facts: what the words beside it may quote.
    """

    right: float | str | dict[str, float]
    facts: Mapping = field(default_factory=dict)


ANSWERS: dict[str, Callable[..., Truth]] = {}


def answer(function: Callable[..., Truth]) -> Callable[..., Truth]:
    """A quiz may ask for this function, by its name."""
    ANSWERS[function.__name__] = function
    return function


@cache
def printed(chapter: str) -> str:
    """All text that the stored outputs of a chapter have."""
    notebook = json.loads(toc.source(f"book/{chapter}").read_text("utf-8"))
    return "\n".join(
        "".join(out.get("text") or out.get("data", {}).get("text/plain", ""))
        for cell in notebook["cells"]
        for out in cell.get("outputs", [])
    )


def found_in(chapter: str, pattern: str) -> re.Match:
    """Where a chapter's outputs have a pattern. Raises NoTruth."""
    found = re.search(pattern, printed(chapter))
    if not found:
        raise NoTruth(f"{chapter} prints nothing like {pattern!r}")
    return found


def column(chapter: str, pattern: str) -> dict[str, float]:
    """Names and numbers, which a pattern finds. Raises NoTruth."""
    found_in(chapter, pattern)
    found = re.findall(pattern, printed(chapter))
    return {name: number(value) for name, value in found}


def number(text: str) -> float:
    return float(text.replace(",", ""))


def listed(values: Mapping, sign: str = "") -> str:
    """As words quote it: "birds +0.2, cars +4.6" with the sign "+"."""
    return ", ".join(f"{name} {v:{sign}.1f}" for name, v in values.items())


def compared(
    one: float, other: float, within: float, words: tuple[str, str, str]
) -> str:
    """The first of three words if one is less, the last if it is more.

    The one between is for values that differ by no more than within.
    """
    if abs(one - other) <= within:
        return words[1]
    return words[0] if one < other else words[2]
