"""The book on paper: nothing cut, nothing hidden, one PDF of it all."""

import io
import re
from types import SimpleNamespace

import pytest
from pypdf import PdfReader

import pdf
import pdf_links
import slides
from browser import READY, serve
from pdf import FITTED, SHEET
from tests.contents import CHAPTERS, INDEX, PAGES
from tests.test_page import visit

# What is laid out for paper, and does not fit on a sheet.
PAPER = """([width, height]) => {
  dispatchEvent(new Event("beforeprint"))
  const found = []
  const what = "img, svg, iframe, table, pre, math"
  const all = document.querySelectorAll(what)
  for (const e of [...all].filter(e => e.closest("article"))) {
    const box = e.getBoundingClientRect()
    if (!box.width) continue
    const name = e.outerHTML.slice(0, 100)
    if (box.right > width + 1) found.push(`over the edge: ${name}`)
    if (e.matches("table, pre") && e.scrollWidth > e.clientWidth + 1)
      found.push(`cut at its right: ${name}`)
    const whole = e.closest("table, pre") === null
    if (whole && box.height > height) found.push(`too high: ${name}`)
    if (whole && getComputedStyle(e).breakInside !== "avoid")
      found.push(`may be cut: ${name}`)
  }
  for (const e of document.querySelectorAll("article details:not([open])"))
    found.push(`closed: ${e.outerHTML.slice(0, 100)}`)
  const screen = ".bd-sidebar-primary, .bd-sidebar-secondary, "
    + ".bd-header-article, .prev-next-area, .copybtn, .pn-reading"
  for (const e of document.querySelectorAll(screen))
    if (e.checkVisibility()) found.push(`for screens: ${e.className}`)
  return found
}"""


def on_paper(page) -> list[str]:
    page.set_viewport_size(SHEET)
    page.emulate_media(media="print")
    page.wait_for_function(FITTED)
    found = page.evaluate(PAPER, [SHEET["width"], SHEET["height"]])
    for frame in page.frames[1:]:
        found += frame.evaluate(
            "() => document.body.scrollHeight > innerHeight + 4"
            " ? [`cut frame: ${document.title}`] : []"
        )
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_on_paper(browser, book, name):
    page, _ = visit(browser, f"{book}/{name}.html")
    with page:
        assert on_paper(page) == []


FAULTS = {
    "over the edge": '<img src="x.svg" width="900" height="9" alt="x">',
    "too high": '<img src="x.svg" width="9" height="1200" alt="x">',
    "may be cut": '<img src="x.svg" style="break-inside: auto" alt="x">',
    "cut at its right": '<pre style="width: 9px">one_long_word</pre>',
    "closed": "<details><summary>x</summary>y</details>",
    "for screens": '<p class="copybtn">copy</p>',
}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


@pytest.fixture
def sheet(browser, tmp_path):
    """A page made of what stands in `article`."""
    with serve(tmp_path) as address, browser.new_page() as page:

        def show(article: str):
            tmp_path.joinpath("x.svg").write_text(SVG)
            tmp_path.joinpath("favicon.ico").write_bytes(b"")
            tmp_path.joinpath("x.html").write_text(
                "<!doctype html><style>img, pre { break-inside: avoid }"
                f"</style><article>{article}</article>"
            )
            page.goto(f"{address}/x.html")
            page.evaluate(READY)
            return page

        yield show


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_on_paper_is_found(sheet, fault):
    found = on_paper(sheet(FAULTS[fault]))
    assert any(line.startswith(fault) for line in found)


# The last words of a frame.
END = """() => document.body.innerText
  .trim().split(/\\s+/).slice(-3).join(" ")"""


def figures(reader: PdfReader) -> int:
    """How many times a picture is drawn, over all sheets."""
    return sum(len(sheet.images) for sheet in reader.pages)


def test_every_figure_is_drawn_once_on_one_sheet(browser, book):
    name = "book/step_by_step"
    page, _ = visit(browser, f"{book}/{name}.html")
    with page:
        there = page.locator("article figure.pn-figure").count()
        ends = [frame.evaluate(END) for frame in page.frames[1:]]
    heading, printed = pdf.printed(browser, f"{book}/{name}.html")
    assert heading.endswith("PackNet, one step at a time")
    words = " ".join(sheet.extract_text() for sheet in printed.pages)
    words = " ".join(words.split())
    counted = re.findall(r"Figure (\d+)\.", words)
    assert there > 3
    assert ends and all(end in words for end in ends)
    assert counted == [str(number + 1) for number in range(there)]


def test_a_figure_that_is_cut_is_counted_twice(sheet):
    page = sheet('<canvas width="99" height="2000"></canvas>')
    page.evaluate(
        "() => { const c = document.querySelector('canvas').getContext('2d');"
        " c.fillRect(0, 0, 9, 2000) }"
    )
    printed = PdfReader(io.BytesIO(page.pdf(format="A4")))
    assert len(printed.pages) > 1 and figures(printed) > 1


def test_the_pdf_has_every_page_in_order_and_links_inside(
    browser,
    book,
    tmp_path,
    capsys,
):
    assert pdf.pages() == PAGES
    names = [INDEX, CHAPTERS[0]]
    made = tmp_path / "book.pdf"
    pdf.join(browser, book, names).write(made)
    reader = PdfReader(made)
    starts = [
        reader.get_destination_page_number(mark) for mark in reader.outline
    ]
    assert len(starts) == 2 and starts[0] == 0 < starts[1]
    links = [
        link.get_object()
        for sheet in reader.pages
        for link in sheet.get("/Annots", [])
    ]
    text = str(links)
    assert "127.0.0.1" not in text
    inside = [x["/Dest"] for x in links if isinstance(x.get("/Dest"), list)]
    targets = {reader.get_page_number(d[0].get_object()) for d in inside}
    assert starts[1] in targets


def test_pages_link_to_the_pdfs_only_where_these_are_made(monkeypatch):
    made = {pdf.PDF, (slides.OUT / "lecture.pdf")}
    linked = set()
    for page in (pdf.ROOT / "book").glob("*.md"):
        text = page.read_text()
        parts = re.findall(r"```\{only\} pdf\n(.*?)```", text, re.DOTALL)
        found = re.findall(r'href="([^"]*\.pdf)"', "".join(parts))
        assert re.findall(r'href="([^"]*\.pdf)"', text) == found
        linked |= {(pdf.BUILT / "book" / link).resolve() for link in found}
    assert linked == made
    for value, shown in (("1", True), ("", False)):
        monkeypatch.setenv("PACKNET_PDF", value)
        app = SimpleNamespace(tags=set())
        pdf_links.setup(app)
        assert ("pdf" in app.tags) == shown
