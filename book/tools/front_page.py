"""Sphinx extension: the front page's `{hero}` and its cards, `{chapters}`.

The drawing of one filter stands in the page itself, on the page's ground.

The hero plays recorded errors: `hero` needs no kernel, and asks for
nothing. Every number on the page is read from a record, or from what a
chapter has printed. The cards come from `_toc.yml`; the directive gives
each page a sentence, as YAML.
"""

import json
import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import ClassVar

import pandas
import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import questions
import reading
import toc
from address import PLACEHOLDER, parts, setting
from evidence import NoTruth, printed
from packnet_book.figures.system import COLOURS, PAPER, RAMP
from packnet_book.runs.records import recorded
from packnet_book.runs.statistics import paired_interval
from times import TABLE

FRONT = Path(__file__).parent / "front"
METHODS = ("sequential", "packnet")
SECONDS = 2.4  # how long a task is learnt on the page
DENSE = "four_tasks"  # the chapter that compares the outputs bit for bit
COMPARED = re.compile(r"bit for bit: (True|False)\b")
DRAWING = toc.ROOT / "book" / "_static" / "three-tasks.svg"
HEX = re.compile(r"#[0-9a-f]{6}")
PACKED, ALONE = "packnet", "individual"  # in the records
LOOKED_UP = {"glossary", "api", "references"}  # not read through
WEIGHED = f"{DENSE}.html#what-it-saves"  # where the bytes are counted


@cache
def course() -> dict:
    """The tasks, and their mean errors in % after each of them.

    `errors`: by method, a row for each task learnt, a column for each task.
    `curve`: the first task's error, step by step, while plain training
    learns the second; `prices`: of each task in the end, in points above a
    network of its own, with the interval over draws.
    """
    table = recorded("matrices")
    table = table[table.method.isin(METHODS)].assign(
        error=lambda rows: 100 - rows.accuracy
    )
    tasks = list(dict.fromkeys(table.task))
    mean = table.groupby(["method", "after", "task"]).error.mean()
    steps = recorded("switch").query("method == 'sequential'")
    ends = recorded("miniature").pivot(
        index="seed", columns=["method", "task"], values="top1_error"
    )
    prices = [
        paired_interval(ends[PACKED, task], ends[ALONE, task])
        for task in tasks
    ]
    return {
        "tasks": tasks,
        "seconds": SECONDS,
        "draws": table.seed.nunique(),
        "curve_draws": steps.seed.nunique(),
        "methods": {
            method: {
                "errors": [
                    [round(mean[method, after, task], 2) for task in tasks]
                    for after in tasks
                ]
            }
            for method in METHODS
        },
        "prices": [f"{price:+.1f}".replace("-", "−") for price in prices],
        "curve": [
            [int(step), round(error, 2)]
            for step, error in steps.groupby("step").top1_error.mean().items()
        ],
    }


def changed() -> int:
    """How often a later task changed an older one's outputs: none.

    By the chapter that compares them, and by the record, in which the
    errors would show it. Raises NoTruth where nothing was compared.
    """
    answers = COMPARED.findall(printed(DENSE))
    if not answers:
        raise NoTruth(f"{DENSE}: no outputs compared bit for bit")
    table = recorded("matrices").query("method == 'packnet'")
    tasks = course()["tasks"]
    learnt = table[
        table.after.map(tasks.index) >= table.task.map(tasks.index)
    ]
    errors = learnt.groupby(["seed", "task"]).accuracy.nunique()
    return answers.count("False") + int((errors - 1).sum())


def share() -> int:
    """Bytes of the packed network, in % of one network for each task."""
    table = recorded("sizes").query("network == 'miniature'")
    size = table.groupby("method").bytes.sum()
    return round(100 * size[PACKED] / size[ALONE])


def colab(page: str) -> str | None:
    """Where Colab opens a chapter; None as long as no address is set."""
    if setting() == PLACEHOLDER:
        return None
    slug = "/".join(parts(setting()))
    return (
        f"https://colab.research.google.com/github/{slug}/blob/main/"
        f"{page}.ipynb"
    )


def still(data: dict) -> str:
    """Both methods when all tasks are learnt, as a picture."""
    rows = []
    for number, task in enumerate(data["tasks"]):
        top = 30 + 62 * number
        rows.append(f'<text x="0" y="{top + 26}">{escape(task)}</text>')
        for place, method in enumerate(METHODS):
            error = data["methods"][method]["errors"][-1][number]
            y = top + 20 * place
            rows.append(
                f'<rect x="80" y="{y}" width="{4 * error:.0f}" height="18" '
                f'style="fill: var(--pn-{method})"/>'
                f'<text x="{88 + 4 * error:.0f}" y="{y + 14}">{error:.1f}'
                "</text>"
            )
    said = "; ".join(
        f"{task} {data['methods']['sequential']['errors'][-1][n]:.1f}, with "
        f"PackNet {data['methods']['packnet']['errors'][-1][n]:.1f}"
        for n, task in enumerate(data["tasks"])
    )
    return (
        '<figure class="pn-still"><svg viewBox="0 0 540 280" role="img" '
        f'aria-label="Test error in percent in the end. {said}.">'
        '<text x="80" y="18"><tspan style="fill: var(--pn-sequential)">plain '
        'training</tspan> and <tspan style="fill: var(--pn-packnet)">PackNet'
        "</tspan>: test error in %, all tasks learnt</text>"
        f"{''.join(rows)}</svg></figure>"
    )


def drawing(alternative: str) -> str:
    """The drawing of one filter as HTML: its neutrals follow the ground."""

    def themed(found: re.Match) -> str:
        if found[0] == PAPER.light:
            return "none"  # the page's own ground
        if found[0] == RAMP[0]:
            return "var(--pn-panel)"
        return COLOURS[found[0]].css if found[0] in COLOURS else found[0]

    svg = HEX.sub(themed, DRAWING.read_text("utf-8"))
    svg = re.sub(r"<title>.*?</title>\n", "", svg)
    told = escape(alternative, quote=True)
    head = f'<svg class="pn-drawing" aria-label="{told}" '
    return svg.replace("<svg ", head, 1)


def draw(app: Sphinx, doctree: nodes.document) -> None:
    for image in list(doctree.findall(nodes.image)):
        if Path(image["uri"]).name == DRAWING.name:
            html = drawing(image["alt"])
            image.replace_self(nodes.raw("", html, format="html"))


def hero() -> str:
    """The whole hero, as HTML that stands in the page."""
    data = course()
    tasks = data["tasks"]
    first = data["methods"]["sequential"]["errors"][0]
    wrong = f"{first[0]:.1f}\u00a0%"
    buttons = "\n".join(
        f'<button type="button" data-stage="{number}">Learn {escape(task)} '
        "<i></i></button>"
        for number, task in enumerate(tasks)
        if number
    )
    bars = "\n".join(
        f'<div class="pn-bar" data-state="{"later" if number else "known"}" '
        f'style="--error: {error / 100:.4f}; --fill: '
        f'var(--pn-{escape(task)}-fill)"><b>{escape(task)}</b>'
        f'<div><i></i></div><span class="pn-value">{error:.1f}</span></div>'
        for number, (task, error) in enumerate(zip(tasks, first))
    )
    words = {2: "two", 3: "three", 4: "four", 5: "five"}
    count = words.get(len(tasks), str(len(tasks)))
    numbers = [
        (f"{len(tasks)}", "tasks in one network"),
        (
            f"{changed()}",
            "bits of an older task’s answers changed by PackNet",
        ),
        (
            f"{share()} %",
            f'of the bytes of <a href="{WEIGHED}">{count} networks</a>',
        ),
    ]
    start = next(page for part in toc.parts() for page in part.pages)
    doors = [
        ("Start reading", f"{Path(start).name}.html"),
        ("Play with it", "playground.html"),
        ("Open in Colab", colab(start)),
    ]
    return Template((FRONT / "hero.html").read_text("utf-8")).substitute(
        buttons=buttons,
        bars=bars,
        told=f"The network has learnt {tasks[0]}: {wrong} of the test "
        f"pictures are answered wrongly. Now let it learn {tasks[1]}.",
        still=still(data),
        numbers="\n".join(
            f"<li><strong>{number}</strong> {what}</li>"
            for number, what in numbers
        ),
        doors="\n".join(
            f'<a href="{escape(link)}">{escape(name)}</a>'
            for name, link in doors
            if link
        ),
        source=f"Measured, not sketched: errors on test pictures, mean of "
        f"{data['draws']} repetitions, each with another seed (± is the 95 % "
        "interval over them), of one small "
        f"VGG-16 that learns {count} tasks. While it learns {tasks[1]}, the "
        f"error on {tasks[0]} follows the measured curve "
        f"({data['curve_draws']} repetitions, {data['curve'][-1][0]} steps); "
        "elsewhere the bars go straight from one measurement to the next.",
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        script=(FRONT / "hero.js").read_text("utf-8"),
    )


def minutes(page: str, seconds: float | None) -> str:
    """As a reader plans it. seconds: of the code, if there is any."""
    if Path(page).name in LOOKED_UP:
        return ""
    told = f"{reading.minutes(page)} min to read"
    if seconds is None:
        return told
    run = (
        f"{-(-seconds // 60):.0f} min" if seconds >= 60 else "under a minute"
    )
    return f"{told}, {run} to run"


def cards(sentences: dict[str, str]) -> str:
    """The parts, each with its pages as cards. Raises NoTruth."""
    listed = [Path(page).name for part in toc.parts() for page in part.pages]
    for name in listed:
        if name not in sentences:
            raise NoTruth(f"chapters: no sentence about {name}")
    times = pandas.read_csv(TABLE).set_index("chapter")["seconds at first"]
    made, number = [], 0
    for part in toc.parts():
        made.append(f'<p class="pn-part" role="heading" aria-level="3">'
                    f"{escape(part.caption)}</p>\n"
                    '<ol class="pn-cards">')  # fmt: skip
        for page in part.pages:
            name = Path(page).name
            title = toc.title(toc.source(page))
            number += part.numbered
            badge = f"<b>{number}</b>" if part.numbered else ""
            time = minutes(page, times.get(title))
            asked = questions.quizzes().get(name)
            done = (
                f'<small class="pn-progress" data-chapter="{name}" '
                f'data-of="{asked.entries}" hidden></small>'
                if asked
                else ""
            )
            made.append(
                f'<li class="pn-card">{badge}<a href="{name}.html">'
                f"{escape(title)}</a><p>{escape(sentences[name])}</p>"
                + (f"<small>{time}</small>" if time else "")
                + done
                + "</li>"
            )
        made.append("</ol>")
    return "\n".join(made)


class Hero(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        for path in (*FRONT.iterdir(), toc.source(f"book/{DENSE}")):
            self.env.note_dependency(str(path))
        for study in ("matrices", "switch", "sizes"):
            self.env.note_dependency(str(TABLE.with_name(f"{study}.csv")))
        style = (FRONT / "front.css").read_text("utf-8")
        html = f"<style>{style}</style>\n{hero()}"
        return [nodes.raw("", html, format="html")]


class Chapters(SphinxDirective):
    has_content: ClassVar = True

    def run(self) -> list[nodes.Node]:
        for path in (toc.CONTENTS, TABLE, *map(toc.source, toc.pages())):
            self.env.note_dependency(str(path))
        sentences = yaml.safe_load("\n".join(self.content))
        return [nodes.raw("", cards(sentences), format="html")]


def setup(app: Sphinx) -> dict:
    app.add_directive("hero", Hero)
    app.add_directive("chapters", Chapters)
    app.connect("doctree-read", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
