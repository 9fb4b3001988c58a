"""What a chapter asks for: its exercises, read from its notebook."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packnet_book.exercises.marking.source import (
    BadNotebook,
    Cell,
    Statement,
    cells,
)

HEADING = re.compile(r"^#+ +([^\n]*)$", re.MULTILINE)
# A heading, or what an exercise begins with: **3. Write it yourself.**
MARK = re.compile(
    rf"{HEADING.pattern}|\*\*(?:Exercise )?(\d+)\.\s*((?:[^*]|\*[^*])*)\*\*",
    re.MULTILINE,
)
LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
FOLD = re.compile(r"<details\b.*?</details>", re.DOTALL)
MINE = "my_"  # what students fill in begins like this


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    names: what students fill in, none where nothing is checked; given:
    the statements that the chapter has for them; judging: those that
    judge them; checks: the checks that these call; before: how many of
    the chapter's cells come first.
    """

    number: str
    title: str
    names: tuple[str, ...] = ()
    given: tuple[Statement, ...] = ()
    judging: tuple[Statement, ...] = ()
    checks: frozenset[str] = frozenset()
    before: int = 0


@dataclass(frozen=True)
class Chapter:
    """A chapter as it is in the book."""

    name: str
    title: str
    cells: tuple[Cell, ...]
    exercises: tuple[Exercise, ...]


def mine(names: frozenset[str]) -> set[str]:
    """Those of the names that students fill in."""
    return {name for name in names if name.startswith(MINE)}


def chapter(path: Path) -> Chapter:
    """A chapter of the book, and what it asks for. Raises BadNotebook."""
    made = cells(path)
    heading = HEADING.search(made[0].text if made else "")
    title = heading[1].strip() if heading else path.stem
    return Chapter(path.stem, title, tuple(made), tuple(_exercises(made)))


def chapters(book: Path) -> dict[str, Chapter]:
    """All chapters in a folder, by name. Raises BadNotebook."""
    found = {
        path.stem: chapter(path) for path in sorted(book.glob("*.ipynb"))
    }
    if not any(one.exercises for one in found.values()):
        raise BadNotebook(
            f"{book}: no chapters of the book are in this folder; name it "
            "with --book"
        )
    return found


def _exercises(made: Sequence[Cell]) -> list[Exercise]:
    """The exercises, each from the text that asks and the cells below."""
    found: list[Exercise] = []
    section = ""
    for place, cell in enumerate(made):
        if cell.kind == "markdown":
            for heading, number, title in MARK.findall(
                FOLD.sub("", cell.text)
            ):
                if heading:
                    section = heading.strip()
                elif not section.startswith("Self-test"):
                    named = LINK.sub(r"\1", " ".join(title.split()))
                    found.append(
                        Exercise(number, named.rstrip(".") or section)
                    )
        elif found and (mine(cell.binds) or _judges(cell, found[-1])):
            found[-1] = _with(found[-1], cell, place)
    return found


def _judges(cell: Cell, exercise: Exercise) -> bool:
    """Whether a cell below an exercise has the check of it."""
    return not exercise.checks and any(
        one.checks and one.uses & set(exercise.names)
        for one in cell.statements
    )


def _with(exercise: Exercise, cell: Cell, place: int) -> Exercise:
    """An exercise, and one more of its cells."""
    given = [one for one in cell.statements if mine(one.binds)]
    names = set(exercise.names).union(*(mine(one.binds) for one in given))
    judging = [
        one
        for one in cell.statements
        if not mine(one.binds) and (one.uses & names or not one.checks)
    ]
    checks = exercise.checks.union(*(one.checks for one in judging))
    return Exercise(
        exercise.number,
        exercise.title,
        tuple(sorted(names)),
        (*exercise.given, *given),
        (*exercise.judging, *judging),
        checks,
        exercise.before if exercise.names else place,
    )
