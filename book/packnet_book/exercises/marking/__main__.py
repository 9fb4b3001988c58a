"""`python -m packnet_book.exercises.marking NOTEBOOK …`"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from packnet_book.exercises.marking.asked import chapters
from packnet_book.exercises.marking.marked import mark
from packnet_book.exercises.marking.report import write
from packnet_book.exercises.marking.source import BadNotebook
from packnet_book.exercises.marking.workers import Limits

BOOK = Path(__file__).parents[3]  # the folder `book` of a checkout


def main(arguments: Sequence[str] | None = None) -> int:
    """Mark; 0 if all were tried, 1 if nothing can be marked, or a chapter
    of the book itself fails."""
    parser = argparse.ArgumentParser(
        prog="python -m packnet_book.exercises.marking",
        description="Mark handed-in notebooks by the exercises' checks. This "
        "executes the code in them: read in the book's For teachers how to "
        "do it safely.",
    )
    parser.add_argument("notebook", nargs="+", type=Path)
    parser.add_argument(
        "--out", type=Path, default=Path("marks"), metavar="DIR",
        help="where the reports and class.csv are put (default: marks)",
    )  # fmt: skip
    parser.add_argument(
        "--book", type=Path, default=BOOK, metavar="DIR",
        help="the folder with the book's own notebooks",
    )  # fmt: skip
    parser.add_argument(
        "--chapter", default="", metavar="NAME",
        help="all belong to this one, for instance step_by_step",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=float, default=Limits.seconds, metavar="N",
        help="time for one exercise of one notebook (default: %(default)g)",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    try:
        known = chapters(given.book)
        if given.chapter and given.chapter not in known:
            parser.error(f"no chapter {given.chapter!r}; there are: "
                         f"{', '.join(known)}")  # fmt: skip
        limits = Limits(seconds=given.seconds)
        marked = mark(given.notebook, known, limits, chapter=given.chapter)
        write(marked, given.out)
    except (BadNotebook, OSError) as error:
        print(f"marking: {error}", file=sys.stderr)
        return 1
    for one in marked:
        said = one.problem or f"{one.points} of {one.most}"
        print(f"{one.path}: {said}")
    print(f"reports and class.csv: {given.out}")
    return int(any(one.problem and one.chapter for one in marked))


if __name__ == "__main__":
    sys.exit(main())
