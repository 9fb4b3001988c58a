"""What a student has handed in: of which chapter, and what to run of it."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from packnet_book.exercises.marking.asked import (
    HEADING,
    Chapter,
    Exercise,
    mine,
)
from packnet_book.exercises.marking.source import (
    BadNotebook,
    Cell,
    Statement,
)

IMPORTED = re.compile(r"packnet_book\.exercises\.(\w+)")


@dataclass(frozen=True)
class Attempt:
    """What is run for one exercise.

    code: the student's statements, in order; names: how the student calls
    what is asked for; same: what is still as the chapter has it.
    """

    code: tuple[str, ...]
    names: dict[str, str]
    same: tuple[str, ...] = ()


class NotFound(LookupError):
    """A notebook has nothing under the name that is asked for."""


def which(cells: Sequence[Cell], known: Mapping[str, Chapter]) -> Chapter:
    """The chapter that a notebook belongs to. Raises BadNotebook."""
    if not any(cell.text.strip() for cell in cells):
        raise BadNotebook("is empty")
    text = "\n".join(cell.text for cell in cells)
    for heading in HEADING.findall(text):
        for chapter in known.values():
            if chapter.title == heading.strip():
                return chapter
    bound = set().union(*(mine(cell.binds) for cell in cells))
    hits: Counter[str] = Counter(
        name for name in IMPORTED.findall(text) if name in known
    )
    for name, chapter in known.items():
        for exercise in chapter.exercises:
            hits[name] += len(bound & set(exercise.names))
    [(name, count)] = hits.most_common(1) or [("", 0)]
    if not count:
        raise BadNotebook(
            "belongs to no chapter that is known; name it with --chapter"
        )
    return known[name]


def attempt(
    exercise: Exercise, chapter: Chapter, cells: Iterable[Cell]
) -> Attempt | None:
    """What a notebook has for one exercise; None if all is as it was.

    Raises NotFound, with a sentence for the report.
    """
    own = [cell for cell in cells if cell.kind == "code"]
    given = {one.text for one in exercise.given}
    names, same = {}, []
    for name in exercise.names:
        last = _last(name, own)
        if last is None:
            names[name] = _otherwise(name, exercise, own)
        else:
            names[name] = name
            if last.text in given:
                same.append(name)
    if len(same) == len(names):
        return None
    return Attempt(
        tuple(_needed(names.values(), chapter, own)), names, tuple(same)
    )


def _last(name: str, cells: Iterable[Cell]) -> Statement | None:
    """The last statement that gives a name its value."""
    found = [
        one for cell in cells for one in cell.statements if name in one.binds
    ]
    return found[-1] if found else None


def _otherwise(name: str, exercise: Exercise, cells: Sequence[Cell]) -> str:
    """What a student hands to the check in place of a name."""
    asked: dict[tuple[str, int], str] = {}
    for one in exercise.judging:
        asked |= _handed(one)
    for cell in cells:
        for one in cell.statements:
            for place, other in _handed(one).items():
                if asked.get(place) == name and _last(other, cells):
                    return other
    broken = [c.fault for c in cells if c.fault and name in c.text]
    if broken:
        raise NotFound(f"the cell of `{name}` is no Python: {broken[-1]}")
    raise NotFound(
        f"no cell gives `{name}` a value; was it renamed, or its cell "
        "deleted?"
    )


def _handed(statement: Statement) -> dict[tuple[str, int], str]:
    """The names that are handed to checks: by check and place."""
    found = {}
    for call in ast.walk(ast.parse(statement.text)):
        if not isinstance(call, ast.Call):
            continue
        plain = [
            a.value if isinstance(a, ast.Starred) else a for a in call.args
        ]
        names = [a.id if isinstance(a, ast.Name) else "" for a in plain]
        caller = call.func.id if isinstance(call.func, ast.Name) else ""
        for check in {caller, *names} & statement.checks:
            for place, name in enumerate(names):
                if name and name != check:
                    found[check, place] = name
    return found


def _needed(
    names: Iterable[str], chapter: Chapter, own: Sequence[Cell]
) -> list[str]:
    """The student's statements that names depend on, in order.

    Of a cell that gives a needed name a value, all statements but the
    checks; cells that are the chapter's are left out, since it is run
    anyway.
    """

    def told(cell: Cell) -> tuple[str, ...]:
        return tuple(one.text for one in cell.statements)

    theirs = {told(cell) for cell in chapter.cells}
    known = frozenset().union(*(cell.binds for cell in chapter.cells))
    changed = [cell for cell in own if told(cell) not in theirs]
    taken: set[int] = set()
    waiting, seen = list(names), set(names)
    while waiting:
        name = waiting.pop()
        for place, cell in enumerate(changed):
            if name not in cell.binds or place in taken:
                continue
            taken.add(place)
            used = frozenset().union(*(one.uses for one in cell.statements))
            more = used - known - seen
            waiting += more
            seen |= more
    return [
        one.text
        for place in sorted(taken)
        for one in changed[place].statements
        if not one.checks
    ]
