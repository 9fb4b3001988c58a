"""The lecture: slides made of Markdown, chapters' outputs and records.

`python book/tools/slides.py` writes `_build/html/slides/lecture.html`, one
file that needs nothing else; with `--pdf` also `lecture.pdf`, the notes below
each slide, which takes a Chromium.

In `slides/lecture.md` a line `---` begins a slide and a line `???` its
speaker's notes. Lines at its top that begin with `@` say how it is: `@part`
names the part that begins here, `@minute` the minute of the lecture,
`@beside` puts the text beside the figure, `@optional` may be left out.

Nothing on a slide is copied by hand, so nothing can be stale:
`![words](chapter)` is the one figure of a chapter whose alternative text
begins with these words; a fence `output chapter` its one output that begins
with what the fence holds, `facts chapter` the same as a list of statements,
`answer chapter` its first number, to be opened; `show name` is drawn from
records (`slide_parts.py`), which also have the numbers in braces.
"""

import base64
import html
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import nbformat
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

import slide_parts
import toc
from packnet_book.figures import system

if TYPE_CHECKING:  # only for the PDF; the slides need no browser
    from playwright.sync_api import Browser

BOOK = Path(__file__).parents[1]
PARTS = BOOK / "slides"
STATIC = BOOK / "_static"
OUT = BOOK.parent / "_build" / "html" / "slides"
FIGURE, TABLE = 'class="pn-figure"', 'class="pn-table"'
STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
HEX = re.compile(r"#[0-9a-f]{6}\b")
FONT = re.compile(r'url\("(fonts/source-serif[^"]+)"\)')
FACE = re.compile(r"@font-face \{[^}]*source-serif[^}]*\}")
OPTIONS = {"title", "part", "minute", "beside", "optional"}


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
    """Whether an output is a figure of `packnet_book`."""
    return FIGURE in output.get("text/html", "")


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
            f"{len(found)} outputs of {chapter} begin "
            f"with {beginning!r}, one is wanted; write more or other words"
        )
    return found[0]


def figure(chapter: str, beginning: str) -> str:
    """A chapter's figure as HTML, with its whole alternative text."""
    if chapter.endswith(".svg"):  # drawn for the book by hand
        return drawing(chapter, beginning)
    return find(chapter, beginning, drawn=True)["text/html"]


def drawing(path: str, beginning: str) -> str:
    """The front page's drawing as HTML, its neutrals as the ground asks.

    Its alternative text is that of the front page. Raises LookupError.
    """
    front = (BOOK / "index.md").read_text("utf-8")
    told = re.findall(rf"!\[([^]]*)\]\({re.escape(path)}\)", front)
    if len(told) != 1 or not told[0].startswith(beginning):
        raise LookupError(f"slides/lecture.md: the front page has no {path} "
                          f"that begins with {beginning!r}")  # fmt: skip

    def themed(found: re.Match) -> str:
        if found[0] == system.RAMP[0]:  # of what is free
            return "var(--hover)"
        colour = system.COLOURS.get(found[0])
        return colour.css if colour else found[0]

    svg = re.sub(r"<title>.*?</title>\n?", "",
                 (BOOK / path).read_text("utf-8"))  # fmt: skip
    label = html.escape(told[0], quote=True)
    return HEX.sub(themed, svg).replace(
        "<svg ", f'<svg class="drawing" aria-label="{label}" ', 1
    )


def printed(chapter: str, beginning: str) -> str:
    """A chapter's table as HTML. Raises LookupError if it is none."""
    told = find(chapter, beginning).get("text/html", "")
    if TABLE not in told:
        raise LookupError(
            f"slides/lecture.md: {beginning!r} of {chapter} is no table; "
            "show printed text as `facts`"
        )
    return told


def facts(chapter: str, beginning: str) -> str:
    """Printed lines `what: value` as a list of statements."""
    rows = []
    for line in find(chapter, beginning)["text/plain"].splitlines():
        what, colon, value = line.rpartition(":")
        if colon:
            value = value.strip()
            answer = {"True": "yes", "False": "no"}.get(value, value)
            rows.append(
                f"<div><dt>{html.escape(what)}</dt>"
                f'<dd class="{answer if answer != value else "number"}">'
                f"{html.escape(answer)}</dd></div>"
            )
    return f'<dl class="facts">{"".join(rows)}</dl>\n'


def answer(chapter: str, beginning: str) -> str:
    """The first number of what is printed, large, to be opened."""
    text = find(chapter, beginning)["text/plain"]
    number = re.search(r"-?\d[\d.,]*\d|\d", text)
    if number is None:
        raise LookupError(f"{chapter}: no number in {text!r}")
    return (
        "<details><summary>First compute, then open</summary>"
        f'<p class="big">{number[0]}</p></details>\n'
    )


class Renderer(RendererHTML):
    """HTML of Markdown in which figures and outputs are those of chapters."""

    def image(self, tokens: list[Token], index: int, options, env) -> str:
        token = tokens[index]
        chapter = str(token.attrs["src"])
        env["from"].append(chapter)
        return figure(chapter, token.content)

    def fence(self, tokens: list[Token], index: int, options, env) -> str:
        token = tokens[index]
        kind, _, name = token.info.strip().partition(" ")
        if kind == "show":
            part = slide_parts.PARTS[name]
            env["from"].append(part.chapter)
            return part.make()
        made = {"output": printed, "facts": facts, "answer": answer}
        if kind in made:
            env["from"].append(name)
            return made[kind](name, token.content.strip())
        return super().fence(tokens, index, options, env)


@dataclass(frozen=True)
class Slide:
    """One slide. options: its lines with `@`; said: the notes."""

    number: int
    shown: str
    said: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return re.search(r"^#+ (.*)$", self.shown, re.M)[1]  # type: ignore


def read(source: str) -> list[Slide]:
    """The slides of a lecture. Raises ValueError for an unknown option."""
    made = []
    for number, text in enumerate(re.split(r"^---\n", source, flags=re.M)):
        shown, _, said = text.partition("\n???\n")
        options = {}
        for line in re.findall(r"^@(.*)\n", shown, re.M):
            name, _, value = line.partition(" ")
            if name not in OPTIONS:
                raise ValueError(f"slide {number + 1}: @{name}; there are "
                                 f"{', '.join(sorted(OPTIONS))}")  # fmt: skip
            options[name] = value
        shown = re.sub(r"^@.*\n", "", shown, flags=re.M).strip()
        made.append(Slide(number + 1, shown, said, options))
    return made


def numbers(slides: list[Slide]) -> dict[str, str]:
    """What stands in braces in the lecture."""
    left_out = [str(s.number) for s in slides if "optional" in s.options]
    return {
        **slide_parts.numbers(),
        "optional": " and ".join([", ".join(left_out[:-1]), left_out[-1]]),
    }


def rendered(slides: list[Slide]) -> Iterator[str]:
    """Each slide as HTML, its notes at the end. Raises KeyError."""
    markdown = MarkdownIt("commonmark", renderer_cls=Renderer)
    markdown.enable("table")
    known = numbers(slides)

    def filled(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: known[found[1]], text)

    part = ""
    for slide in slides:
        part = slide.options.get("part", part)
        env: dict[str, list[str]] = {"from": []}
        shown = markdown.render(filled(slide.shown), env)
        heading, _, rest = shown.partition("\n")
        look = " ".join(n for n in ("title", "beside") if n in slide.options)
        told = f"Minute {slide.options['minute']}." + (
            " May be left out." if "optional" in slide.options else ""
        )
        yield (
            f'<section id="s{slide.number}" tabindex="-1">\n'
            f'<div class="slide {look}">\n<header><p class="part">'
            f"{html.escape(part)}</p>{heading}</header>\n"
            f'<div class="body">{rest}</div>\n{_source(env["from"])}</div>\n'
            f'<div class="notes" role="note">\n<p><em>{told}</em></p>\n'
            f"{markdown.render(filled(slide.said))}</div>\n</section>\n"
        )


def _source(chapters: list[str]) -> str:
    """Where what is shown comes from, with the way there."""
    links = [
        f'<a href="../book/{name}.html">'
        f"{html.escape(toc.title(BOOK / f'{name}.ipynb'))}</a>"
        for name in dict.fromkeys(chapters)
        if (BOOK / f"{name}.ipynb").is_file()
    ]
    return f'<p class="from">In the book: {", ".join(links)}</p>' * bool(
        links
    )


def faces() -> str:
    """CSS of the book's text face, the fonts in it."""
    css = (STATIC / "book.css").read_text("utf-8")

    def inside(found: re.Match) -> str:
        data = base64.b64encode((STATIC / found[1]).read_bytes()).decode()
        return f"url(data:font/woff2;base64,{data})"

    found = "\n".join(FACE.findall(css))
    return FONT.sub(inside, found).replace("optional", "block")


def build(out: Path) -> Path:
    """Write the slides as one file into a folder; returns its path."""
    source = (PARTS / "lecture.md").read_text("utf-8")
    slides = read(source)
    pages = list(rendered(slides))
    colours = (STATIC / "colours.css").read_text("utf-8")
    style = (PARTS / "slides.css").read_text("utf-8")
    page = Template((PARTS / "page.html").read_text("utf-8")).substitute(
        title=slides[0].title,
        style=faces() + system.interface() + colours + style,
        script=(PARTS / "slides.js").read_text("utf-8"),
        slides="".join(pages),
        count=len(pages),
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / "lecture.html"
    path.write_text(page, "utf-8")
    return path


def print_pdf(browser: "Browser", path: Path) -> Path:
    """Print built slides into a PDF beside them; returns its path."""
    page = browser.new_page(color_scheme="light")
    page.goto(path.absolute().as_uri())
    page.evaluate(  # links would lead into this machine
        "document.querySelectorAll('a[href]').forEach("
        "a => a.removeAttribute('href'))"
    )
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    made = path.with_suffix(".pdf")
    page.pdf(path=made, prefer_css_page_size=True, tagged=True, outline=True,
             print_background=True)  # fmt: skip
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
