"""Notebooks with their marks."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packnet_book.exercises.marking.asked import Chapter, Exercise
from packnet_book.exercises.marking.handed_in import (
    NotFound,
    attempt,
    which,
)
from packnet_book.exercises.marking.source import BadNotebook, Cell, cells
from packnet_book.exercises.marking.trial import Result, Verdict
from packnet_book.exercises.marking.workers import (
    FORKS,
    ChapterFails,
    Job,
    Limits,
    verdicts,
)


@dataclass
class Marked:
    """A notebook with its marks.

    problem: why it could not be marked, else empty; chapter: its title,
    if it is known; rows: the exercises of the chapter with what came of
    them.
    """

    path: Path
    problem: str = ""
    chapter: str = ""
    rows: list[tuple[Exercise, Verdict]] = field(default_factory=list)

    @property
    def points(self) -> int:
        return sum(verdict.points for _, verdict in self.rows)

    @property
    def most(self) -> int:
        return sum(bool(exercise.checks) for exercise, _ in self.rows)


def mark(
    paths: Iterable[Path],
    known: Mapping[str, Chapter],
    limits: Limits,
    *,
    chapter: str = "",
    forks: bool = FORKS,
) -> list[Marked]:
    """Mark notebooks, which executes the code in them.

    known: the book's chapters, by name; chapter: the one that all belong
    to, else each is looked at. Progress goes to standard error. Where the
    book's own chapter fails, its notebooks have that as their problem.
    """
    marked = [Marked(path) for path in paths]
    jobs: dict[str, list[Job]] = {}
    for number, one in enumerate(marked):
        try:
            read = cells(one.path)
            asked = known[chapter] if chapter else which(read, known)
        except BadNotebook as error:
            one.problem = str(error)
            continue
        one.chapter = asked.title
        for exercise in asked.exercises:
            verdict, job = _look(exercise, asked, read, number)
            one.rows.append((exercise, verdict))
            if job:
                jobs.setdefault(asked.name, []).append(job)
    for name, listed in jobs.items():
        told = f"{known[name].title}: {len(listed)} attempts, and what"
        print(told, "the chapter needs", file=sys.stderr, flush=True)
        try:
            for job, verdict in verdicts(known[name], listed, limits, forks):
                rows = marked[job.number].rows
                place = [x for x, _ in rows].index(job.exercise)
                rows[place] = job.exercise, verdict
                print(f"  {marked[job.number].path.name}, exercise "
                      f"{job.exercise.number}: {verdict.result}",
                      file=sys.stderr, flush=True)  # fmt: skip
        except ChapterFails as error:
            for number in {job.number for job in listed}:
                marked[number].problem = (
                    "could not be tried: the book's own chapter fails here "
                    f"({error})"
                )
    return marked


def _look(
    exercise: Exercise, chapter: Chapter, read: list[Cell], number: int
) -> tuple[Verdict, Job | None]:
    """What can be said of an exercise without running it; else the job."""
    if not exercise.checks:
        return Verdict(Result.READ), None
    try:
        made = attempt(exercise, chapter, read)
    except NotFound as error:
        return Verdict(Result.MISSING, str(error)), None
    if made is None:
        return Verdict(Result.UNTOUCHED), None
    return Verdict(Result.STOPPED), Job(number, exercise, made)
