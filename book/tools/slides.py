"""The lecture: slides made of Markdown and of the chapters' stored outputs.

`python book/tools/slides.py` writes `_build/html/slides/lecture.html`, one
file that needs nothing else; with `--pdf` also `lecture.pdf`, the notes below
each slide, which takes a Chromium.

In `slides/lecture.md` a line `---` begins a slide and a line `???` its
speaker's notes. `![words](chapter)` is the one figure of a chapter whose
alternative text begins with these words; a fence that is marked
`output chapter` is the one output that begins with what the fence holds,
without its styles. So no figure and no number on a slide can be stale.
"""

import base64
import html
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import nbformat
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from packnet_book.figures import system

if TYPE_CHECKING:  # only for the PDF; the slides need no browser
    from playwright.sync_api import Browser

BOOK = Path(__file__).parents[1]
PARTS = BOOK / "slides"
OUT = BOOK.parent / "_build" / "html" / "slides"
LONG = 14  # lines; printed text that is longer gets two columns
FIGURE, TABLE = 'class="pn-figure"', 'class="pn-table"'
STYLE = re.compile(r"<style.*?</style>", re.DOTALL)


@cache
def outputs(chapter: str) -> list[dict]:
    """All outputs of a chapter, as dicts of media types.

    Printed text counts as `text/plain`. Raises FileNotFoundError.
    """
    notebook = nbformat.read(BOOK / f"{chapter}.ipynb", as_version=4)
    return [
        output.get("data") or {"text/plain": output.get("text", "")}
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    ]


def is_figure(output: dict) -> bool:
    """Whether an output is a picture, or a figure of `packnet_book`."""
    return "image/png" in output or FIGURE in output.get("text/html", "")


def find(chapter: str, beginning: str, drawn: bool = False) -> dict:
    """The one output of a chapter whose text begins in this way.

    drawn: of the figures only. Raises LookupError unless there is exactly
    one.
    """
    found = [
        output
        for output in outputs(chapter)
        if output["text/plain"].strip().startswith(beginning)
        and (is_figure(output) or not drawn)
    ]
    if len(found) != 1:
        raise LookupError(
            f"slides/lecture.md: {len(found)} outputs of {chapter} begin "
            f"with {beginning!r}, one is wanted; write more or other words"
        )
    return found[0]


def figure(chapter: str, beginning: str) -> str:
    """A chapter's figure as HTML, with its whole alternative text."""
    if chapter.endswith(".svg"):  # drawn for the book by hand
        data = base64.b64encode((BOOK / chapter).read_bytes()).decode()
        return image(f"image/svg+xml;base64,{data}", beginning)
    output = find(chapter, beginning, drawn=True)
    if FIGURE in output.get("text/html", ""):
        return output["text/html"]
    return image(
        f"image/png;base64,{''.join(output['image/png'].split())}",
        output["text/plain"].strip(),
    )


def image(data: str, alternative: str) -> str:
    return f'<img src="data:{data}" alt="{html.escape(alternative)}">'


def printed(chapter: str, beginning: str) -> str:
    """A chapter's table or printed text as HTML."""
    output = find(chapter, beginning)
    if "text/html" in output:
        told = output["text/html"]
        return told if TABLE in told else STYLE.sub("", told)
    text = output["text/plain"].rstrip("\n")
    looks = "output long" if text.count("\n") > LONG else "output"
    return f'<pre class="{looks}">{html.escape(text)}</pre>\n'


class Renderer(RendererHTML):
    """HTML of Markdown in which figures and outputs are those of chapters."""

    def image(self, tokens: list[Token], index: int, options, env) -> str:
        token = tokens[index]
        return figure(str(token.attrs["src"]), token.content)

    def fence(self, tokens: list[Token], index: int, options, env) -> str:
        token = tokens[index]
        words = token.info.split()
        if words[:1] == ["output"]:
            return printed(words[1], token.content.strip())
        return super().fence(tokens, index, options, env)


def slides(source: str) -> Iterator[str]:
    """Each slide as HTML, its notes at the end."""
    markdown = MarkdownIt("commonmark", renderer_cls=Renderer)
    markdown.enable("table")
    for number, text in enumerate(re.split(r"^---\n", source, flags=re.M)):
        shown, _, said = text.partition("\n???\n")
        notes = markdown.render(said)
        yield (
            f'<section id="s{number + 1}" tabindex="-1">\n'
            f'<div class="slide">\n{markdown.render(shown)}</div>\n'
            f'<div class="notes" role="note">\n{notes}</div>\n</section>\n'
        )


def build(out: Path) -> Path:
    """Write the slides as one file into a folder; returns its path."""
    source = (PARTS / "lecture.md").read_text()
    pages = list(slides(source))
    page = Template((PARTS / "page.html").read_text()).substitute(
        title=source.splitlines()[0].removeprefix("# "),
        style=system.interface() + (PARTS / "slides.css").read_text(),
        script=(PARTS / "slides.js").read_text(),
        slides="".join(pages),
        count=len(pages),
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / "lecture.html"
    path.write_text(page)
    return path


def print_pdf(browser: "Browser", path: Path) -> Path:
    """Print built slides into a PDF beside them; returns its path."""
    page = browser.new_page()
    page.goto(path.absolute().as_uri())
    made = path.with_suffix(".pdf")
    page.pdf(path=made, prefer_css_page_size=True, tagged=True, outline=True)
    page.close()
    return made


def main(arguments: list[str]) -> int:
    path = build(OUT)
    print(path.relative_to(BOOK.parent))
    if "--pdf" in arguments:
        from browser import chromium

        with chromium() as browser:
            print(print_pdf(browser, path).relative_to(BOOK.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
