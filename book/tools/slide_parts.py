"""What the lecture shows that no chapter does, made of the records.

`PARTS` are figures and tables, each with the chapter that tells more;
`numbers` are those that stand in the lecture's text.
"""

import html
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pandas

from evidence import NoTruth
from packnet_book.drawn import TASKS, centre, class_names, draw
from packnet_book.figures import draw_changes, draw_sheet, table
from packnet_book.runs import claims as questions
from packnet_book.runs.presets import MINIATURE
from packnet_book.runs.records import recorded
from packnet_book.runs.statistics import mean_interval, paired_interval

BOOK = Path(__file__).parents[1]
SHOWN = 4  # pictures of each task
SIZE = 48
METHODS = {  # in the order of the table
    "individual": "a network for each task",
    "packnet": "PackNet",
    "lwf": "Learning without Forgetting",
    "classifier-only": "a new head alone",
    "sequential": "plain training in turn",
}
CLAIM = re.compile(r"^(held|not held|open) +(\S.*)$", re.MULTILINE)
SAID = {"held": "good", "open": "", "not held": "bad"}


@dataclass(frozen=True)
class Part:
    """Something to show, and the chapter that tells more of it."""

    chapter: str
    make: Callable[[], str]


def tasks() -> str:
    """Some pictures of each task."""
    made = []
    for task in TASKS:
        names = class_names(task)[:SHOWN]
        images = centre(
            draw(task, "train", 1, size=SIZE).images[:SHOWN], SIZE
        )
        sheet = draw_sheet(images, names, f"Pictures of {task}", columns=2)
        made.append(
            f'<div style="--fill: var(--pn-{task}-fill)"><h3>{task}</h3>'
            f"<p>{len(class_names(task))} classes</p>"
            f"{sheet._repr_html_()}</div>"
        )
    return f'<div class="tasks">{"".join(made)}</div>'


def control() -> str:
    """Pruned and retrained networks against one that trained for as long."""
    runs = recorded("pruning").pivot_table(
        index="seed", columns=["fraction", "stage"], values="top1_error"
    )
    fractions = [f for f in runs.columns.levels[0] if f]  # type: ignore
    change = {
        f: paired_interval(runs[f]["retrained"], runs[0.0]["retrained"])
        for f in fractions
    }
    rows = pandas.DataFrame(
        [
            ("", f"{100 * f:g} % freed", c.mean, c.low, c.high)
            for f, c in change.items()
        ],
        columns=["group", "row", "mean", "low", "high"],
    )
    what = "points of error more than the control"
    return draw_changes(rows, what)._repr_html_()


def errors() -> pandas.DataFrame:
    """A row a seed; errors()[method][task] is a column."""
    runs = pandas.concat([recorded("miniature"), recorded("lwf")])
    return runs.pivot(
        index="seed", columns=["method", "task"], values="top1_error"
    )


def price() -> str:
    """The error of each method on each task."""
    runs = errors()
    frame = pandas.DataFrame(
        {
            shown: [format(mean_interval(runs[name][t])) for t in TASKS]
            for name, shown in METHODS.items()
        },
        index=list(TASKS),
    ).T
    return table(frame)._repr_html_()


def answers() -> list[tuple[str, str]]:
    """What became of each claim: (answer, claim). Raises NoTruth."""
    notebook = nbformat.read(BOOK / "error_table.ipynb", as_version=4)
    for cell in reversed(notebook.cells):
        for output in cell.get("outputs", []):
            found = CLAIM.findall(output.get("text", ""))
            if len(found) > 10:
                return found
    raise NoTruth("error_table: no list of claims")


def claims() -> str:
    """The claims by what became of them."""
    found = answers()
    count = Counter(said for said, _ in found)
    columns = []
    for said, look in SAID.items():
        listed = "".join(
            f"<li>{html.escape(claim)}</li>"
            for answer, claim in found
            if answer == said
        )
        columns.append(
            f'<div class="{look}"><h3><strong>{count[said]}</strong> {said}'
            f"</h3><ul>{listed}</ul></div>"
        )
    return f'<div class="claims">{"".join(columns)}</div>'


PARTS = {
    "tasks": Part("lifelong_learning", tasks),
    "control": Part("room_to_spare", control),
    "price": Part("error_table", price),
    "claims": Part("error_table", claims),
}


def numbers() -> dict[str, str]:
    """The numbers in the lecture's text, by name."""
    objects = len(class_names(next(iter(TASKS))))
    fractions = MINIATURE.fractions
    even, left = [], 1.0
    for fraction in (0.75, 0.75, 0.75, 0):
        even.append(f"{100 * left * (1 - fraction):.4g}")
        left *= fraction
    runs = errors()
    paid = (runs["packnet"] - runs["individual"])[[*TASKS][1:]].mean(axis=1)
    asked = questions.claims().query("table == 'six orders'")
    added = questions.judged(asked).set_index("task").loc["added"]
    sizes = recorded("sizes").query("network == 'miniature'")
    size = sizes.groupby("method").bytes.sum()
    trunk = sizes[(sizes.method == "packnet") & (sizes.part == "trunk")]
    return {
        "objects": str(objects),
        "chance": f"{100 - 100 / objects:g}",
        "fractions": ", ".join(f"{f:g}" for f in fractions),
        "even": ", ".join(even),
        "paid": format(mean_interval(paid), "+.1f"),
        "added": f"{added['mean']:+.1f} ± {added.half:.1f}",
        "published": f"{added.limit:+.2f}",
        "weights": f"{trunk.bytes.sum() / 4e6:.1f}",
        "share": f"{100 * size['packnet'] / size['individual']:.0f}",
        "runs": str(len(runs)),
        "seeds": str(recorded("pruning").seed.nunique()),
    }
