"""Sphinx extension: what the pages for teachers say in numbers.

`{weeks}` is a plan, given as YAML: for each week a title, its meetings, the
chapters to read and what else is done at home, with the minutes that are
planned for it. Reading times are computed (`reading.py`), times of the code
are read from the record of `make times`. `` {time}`chapter` `` prints both
of one chapter, `` {picture}`chapter: words` `` names the figure of a chapter
whose alternative text begins with these words, by number and caption.
"""

import html
import re
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import pandas
import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

import questions
import reading
import slides
import toc
from times import TABLE

CAPTION = re.compile(r"<figcaption>(.*?)</figcaption>", re.DOTALL)


@dataclass(frozen=True)
class Week:
    """One week of a plan. home: (what, planned minutes)."""

    title: str
    meetings: str
    read: tuple[str, ...]
    home: tuple[tuple[str, int], ...]

    @property
    def reading(self) -> int:
        """Minutes, computed."""
        return sum(reading.minutes(f"book/{name}") for name in self.read)

    @property
    def minutes(self) -> int:
        """All minutes at home."""
        return self.reading + sum(minutes for _, minutes in self.home)

    @property
    def code(self) -> float:
        """Seconds that the code of its chapters takes at first."""
        return sum(seconds(name)[0] for name in self.read)

    @property
    def forms(self) -> int:
        """What can be answered on the pages of its chapters."""
        asked = questions.quizzes()
        return sum(asked[name].entries for name in self.read if name in asked)


def weeks(text: str) -> list[Week]:
    """The weeks of a plan in YAML. Raises ValueError for unknown chapters."""
    made = []
    for entry in yaml.safe_load(text):
        for name in entry["read"]:
            if not toc.source(f"book/{name}").is_file():
                raise ValueError(f"no chapter {name!r}")
        made.append(
            Week(
                entry["title"],
                entry["meetings"],
                tuple(entry["read"]),
                tuple((what, int(time)) for what, time in entry["home"]),
            )
        )
    return made


def seconds(name: str) -> tuple[float, float]:
    """How long a chapter's code takes, at first and again; 0 without code."""
    table = pandas.read_csv(TABLE).set_index("chapter")
    title = toc.title(toc.source(f"book/{name}"))
    if title not in table.index:
        return 0.0, 0.0
    row = table.loc[title]
    return float(row["seconds at first"]), float(row["seconds again"])


def whole(seconds: float) -> str:
    """Seconds as minutes."""
    count = ceil(seconds / 60)
    return "under a minute" if seconds < 60 else f"{count} minutes"


def told(name: str) -> str:
    """How long a page takes, in a sentence."""
    first, again = seconds(name)
    text = f"Reading: {reading.minutes(f'book/{name}')} minutes."
    if first:
        text += f" Code: {whole(first)}"
        same = whole(first) == whole(again)
        text += "." if same else f" the first time, {whole(again)} later."
    return text


def plan(listed: list[Week]) -> str:
    """A plan as Markdown: the minutes in a table, then week by week."""
    rows = [
        "| week | reading | exercises, project | at home | code, by itself "
        "| predictions, questions |",
        "|---|---|---|---|---|---|",
    ]
    told = []
    for number, week in enumerate(listed, start=1):
        besides = week.minutes - week.reading
        rows.append(
            f"| **{number}. {week.title}** | {week.reading} | {besides} | "
            f"**{week.minutes}** | {ceil(week.code / 60)} | {week.forms} |"
        )
        read = ", ".join(
            f"[{toc.title(toc.source(f'book/{name}'))}]({name})"
            for name in week.read
        )
        home = "; ".join(f"{what} ({time})" for what, time in week.home)
        told += [
            "",
            f"**Week {number}. {week.title}**",
            "",
            f"* *Meetings:* {week.meetings}.",
            f"* *To read:* {read}.",
            f"* *To do:* {home}.",
        ]
    return "\n".join(rows + told)


def picture(chapter: str, beginning: str) -> tuple[int, str]:
    """A figure's number and caption. Raises LookupError."""
    wanted = slides.find(chapter, beginning, drawn=True)
    captions = [
        (output, CAPTION.search(output["text/html"]))
        for output in slides.outputs(chapter)
        if slides.is_figure(output)
    ]
    listed = [output for output, caption in captions if caption]
    caption = CAPTION.search(wanted["text/html"])
    if caption is None:
        raise LookupError(f"{chapter}: {beginning!r} has no caption")
    text = html.unescape(re.sub("<[^>]*>", "", caption[1]))
    return 1 + [o is wanted for o in listed].index(True), text


class Weeks(SphinxDirective):
    has_content: ClassVar = True

    def run(self) -> list[nodes.Node]:
        for page in (TABLE, *map(toc.source, toc.pages())):
            self.env.note_dependency(str(page))
        text = plan(weeks("\n".join(self.content)))
        node = nodes.container(classes=["pn-weeks"])
        lines = StringList(text.splitlines(), self.env.docname)
        self.state.nested_parse(lines, self.content_offset, node)
        return [node]


class Time(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        self.env.note_dependency(str(TABLE))
        self.env.note_dependency(str(toc.source(f"book/{self.text}")))
        return [nodes.emphasis("", told(self.text))], []


class Picture(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        chapter, _, words = self.text.partition(": ")
        self.env.note_dependency(str(toc.source(f"book/{chapter}")))
        number, caption = picture(chapter, words)
        link = nodes.reference(
            "", f"figure {number}", internal=True,
            refuri=f"{chapter}.html#figure-{number}",
        )  # fmt: skip
        return [link, nodes.Text(f", “{caption.rstrip('.')}”")], []


def setup(app: Sphinx) -> dict:
    app.add_directive("weeks", Weeks)
    app.add_role("time", Time())
    app.add_role("picture", Picture())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
