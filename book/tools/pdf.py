"""The whole book in one PDF: every rendered page, printed by Chromium.

Pages come in the order of `_toc.yml`, each with a bookmark; links from
one to another lead there within the PDF.
"""

import io
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject, TextStringObject

from address import setting, site
from browser import BUILT, READY, ROOT, chromium, serve
from toc import pages

PDF = BUILT / "packnet-book.pdf"
MARGIN = {"top": "16mm", "bottom": "18mm", "left": "15mm", "right": "15mm"}
SHEET = {"width": 680, "height": 990}  # A4 less the margins, in CSS pixels
# A frame on paper is as high as what is in it.
FITTED = """() => [...document.querySelectorAll("iframe[srcdoc]")].every(
  f => Math.abs(f.clientHeight - f.contentDocument.body.scrollHeight) < 5)"""
LETTERS = "document.fonts.ready.then(() => true)"  # of formulas in folds
FOOTER = """<div style="width: 100%; font-size: 8px; text-align: center;
font-family: sans-serif"><span class="pageNumber"></span></div>"""


def printed(browser: Browser, address: str) -> tuple[str, PdfReader]:
    """A page's heading, and the page as a PDF."""
    page = browser.new_page(color_scheme="light", viewport=SHEET)
    with page:
        page.goto(address, wait_until="networkidle")
        page.evaluate(READY)
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.evaluate(LETTERS)
        page.wait_for_function(FITTED)
        heading = page.locator("article h1").first.evaluate(
            "h => [...h.childNodes].filter(x => !x.matches?.('.headerlink'))"
            ".map(x => x.textContent).join('')"
        )
        pdf = page.pdf(
            format="A4",
            margin=MARGIN,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
        )
    return heading.strip(), PdfReader(io.BytesIO(pdf))


def join(browser: Browser, address: str, names: list[str]) -> PdfWriter:
    """One PDF of pages that are served at an address."""
    book = PdfWriter()
    starts = {}
    for name in names:
        heading, pdf = printed(browser, f"{address}/{name}.html")
        starts[f"/{name}.html"] = len(book.pages)
        book.append(pdf, outline_item=heading, import_outline=False)
        print(f"  {len(pdf.pages):3} pages  {heading}", flush=True)
    lead(book, address, starts)
    return book


def lead(book: PdfWriter, address: str, starts: dict[str, int]) -> None:
    """Let links to the served pages lead to these, or to the site's."""
    host = urlsplit(address).netloc
    for page in book.pages:
        for reference in page.get("/Annots", []):
            link = reference.get_object()
            parts = urlsplit(str(link.get("/A", {}).get("/URI", "")))
            if parts.netloc != host:
                continue
            if parts.path in starts:
                first = book.pages[starts[parts.path]].indirect_reference
                link[NameObject("/Dest")] = ArrayObject(
                    [first, NameObject("/Fit")]
                )
                del link["/A"]
            else:
                away = site(setting()) + parts.path.lstrip("/")
                link["/A"][NameObject("/URI")] = TextStringObject(away)


def main(target: Path = PDF) -> int:
    if not (BUILT / "index.html").is_file():
        print("the book is not rendered: `make html`", file=sys.stderr)
        return 1
    with serve(BUILT) as address, chromium() as browser:
        book = join(browser, address, pages())
    book.add_metadata({"/Title": "The PackNet book"})
    book.write(target)
    print(f"{target.relative_to(ROOT)}: {len(book.pages)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
