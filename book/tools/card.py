"""Draw the picture that a link to the book shows elsewhere.

`python book/tools/card.py` writes `book/_static/card.png` anew, from the
drawing of the front page and in its letters; do it when either changes.
"""

from browser import chromium
from front_page import DRAWING
from toc import ROOT

SIZE = (1200, 630)  # as sites that show such pictures ask for
STATIC = ROOT / "book" / "_static"
CARD = STATIC / "card.png"
PAGE = """<!doctype html><meta charset="utf-8"><style>
@font-face {{ font-family: Book; font-weight: 600;
  src: url("{fonts}-600-normal.woff2"); }}
@font-face {{ font-family: Book; src: url("{fonts}-400-normal.woff2"); }}
body {{ margin: 0; width: 1200px; height: 630px; background: #ffffff;
  color: #1b1f24; text-align: center; }}
h1 {{ font: 600 76px/1 Book; margin: 0; padding: 78px 0 26px; }}
p {{ font: 37px/1.2 Book; margin: 0 0 56px; color: #57606a; }}
svg {{ width: 1120px; }}
</style><h1>The PackNet book</h1>
<p>Adding tasks to a network without forgetting</p>{drawing}"""


def main() -> None:
    fonts = STATIC / "fonts" / "source-serif-4-latin"
    html = PAGE.format(
        fonts=fonts.as_uri(), drawing=DRAWING.read_text("utf-8")
    )
    page_file = STATIC / "card.html"  # a file may load the fonts beside it
    page_file.write_text(html, "utf-8")
    try:
        with chromium() as browser:
            page = browser.new_page(
                viewport={"width": SIZE[0], "height": SIZE[1]}
            )
            page.goto(page_file.as_uri())
            page.evaluate("document.fonts.ready")
            page.screenshot(path=CARD)
    finally:
        page_file.unlink()


if __name__ == "__main__":
    main()
