"""Reports: a page for each notebook, a table for the class."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from packnet_book.exercises.marking.marked import Marked
from packnet_book.exercises.marking.trial import Result


def page(marked: Marked) -> str:
    """The report of one notebook, as Markdown."""
    head = f"# {_safe(marked.path.name)}\n\n"
    if marked.problem:
        cure = "Ask for the file again."
        if marked.chapter:  # one of the book's own, which fails
            cure = "Mend the chapter, then mark again."
        return (
            f"{head}Not marked: the file {_safe(marked.problem)}.\n\n"
            f"No points were given. {cure}\n"
        )
    lines = [
        f"{head}*{marked.chapter}*: {marked.points} of {marked.most} points.",
        "",
        "| exercise | result | what was said | points |",
        "|---|---|---|---|",
    ]
    for exercise, verdict in marked.rows:
        points = verdict.points if exercise.checks else "–"
        lines.append(
            f"| {exercise.number}. {_safe(exercise.title)} | "
            f"{verdict.result} | {_safe(verdict.said)} | {points} |"
        )
    read = [x.number for x, v in marked.rows if v.result is Result.READ]
    if read:
        lines += ["", "No check can judge these; read them: exercise "
                  f"{', '.join(read)}."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    """Text that is nothing but text in a table of Markdown."""
    for letter in "\\|<>[]*_":
        text = text.replace(letter, f"\\{letter}")
    return " ".join(text.split())


def table(all_marked: Iterable[Marked]) -> str:
    """The class as CSV: a row a notebook, a column an exercise."""
    listed = list(all_marked)
    numbers = sorted(
        {x.number for one in listed for x, _ in one.rows if x.checks}, key=int
    )
    written = io.StringIO()
    out = csv.writer(written, lineterminator="\n")
    out.writerow(["notebook", "chapter", "problem", *numbers, "points", "of"])
    for one in listed:
        points = {x.number: v.points for x, v in one.rows if x.checks}
        name = str(one.path)  # a spreadsheet computes what begins like this
        name = f"'{name}" if name[:1] in "=+-@" else name
        marks = [points.get(number, "") for number in numbers]
        total = ["", ""] if one.problem else [one.points, one.most]
        out.writerow([name, one.chapter, one.problem, *marks, *total])
    return written.getvalue()


def write(all_marked: Sequence[Marked], out: Path) -> None:
    """Write the reports and `class.csv` into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    used: set[str] = set()
    for one in all_marked:
        name, count = one.path.stem, 1
        while name in used:
            count += 1
            name = f"{one.path.stem}-{count}"
        used.add(name)
        (out / f"{name}.md").write_text(page(one), "utf-8")
    (out / "class.csv").write_text(table(all_marked), "utf-8")
