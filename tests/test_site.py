"""What a reader finds in the rendered book, and what it weighs."""

import re
from urllib.parse import unquote

import pytest
from PIL import Image

import packnet_core
from address import setting, site
from browser import BUILT
from packnet_book import explorer, figures
from packnet_book.runs.methods import METHODS
from tests.contents import INDEX, PAGES
from tests.test_page import visit


def weight(name: str) -> int:
    """Bytes of a page and of the pictures that only pages like it have.

    What all pages share (theme, fonts) is loaded once, and
    counts for the whole book.
    """
    file = BUILT / f"{name}.html"
    text = file.read_text("utf-8")
    own = set(re.findall(r'(?:src|href)="(\.\./_images/[^"?#]+)', text))
    return file.stat().st_size + sum(
        (file.parent / unquote(path)).stat().st_size for path in own
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light(book, name):
    assert weight(name) <= 1_500_000


def test_the_whole_book_is_light(book):
    files = [path for path in BUILT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 40_000_000


@pytest.mark.parametrize("width, height", [(1440, 900), (390, 844)])
def test_the_first_screen_can_be_played_with(browser, book, width, height):
    page, _ = visit(browser, f"{book}/{INDEX}.html", width)
    with page:
        page.set_viewport_size({"width": width, "height": height})
        for what in ("h1", ".pn-words", "button:has-text('Learn birds')",
                     "[role=switch]", ".pn-bars", ".pn-told"):  # fmt: skip
            box = page.locator(f"article {what}").first.bounding_box()
            assert box and box["y"] >= 0 and box["y"] + box["height"] < height
        doors = page.locator("article .pn-doors a").all_inner_texts()
        assert doors[:2] == ["Start reading", "Play with it"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_is_when_it_is_shared(browser, book, name):
    page, _ = visit(browser, f"{book}/{name}.html")
    with page:
        told = page.eval_on_selector_all(
            "meta[property^='og:']",
            "all => all.map(m => [m.getAttribute('property'), m.content])",
        )
        heading = page.locator("article h1").first.text_content() or ""
    told = dict(told)
    heading, title = (
        re.sub(r"^\d+\.\s", "", words)  # the chapter's number
        for words in (heading, told["og:title"])
    )
    assert title and heading.startswith(title)
    assert len(told["og:description"]) > 40
    home = site(setting())
    assert told["og:url"] == f"{home}{name}.html"
    assert told["og:image"] == f"{home}_static/card.png"
    card = Image.open(BUILT / "_static" / "card.png")
    assert card.size == (1200, 630) and told["og:image:alt"]


def test_a_word_is_found(browser, book):
    page, _ = visit(browser, f"{book}/search.html?q=forgetting")
    with page:
        page.wait_for_selector("#search-results li a")
        found = page.eval_on_selector_all(
            "#search-results li a", "all => all.map(a => a.href)"
        )
    assert any("/book/lifelong_learning.html" in link for link in found)


def test_a_reader_can_copy_code_and_turn_pages(browser, book):
    before, name, after = PAGES[1:4]
    page, _ = visit(browser, f"{book}/{name}.html")
    with page:
        cells = page.locator("article div.highlight").count()
        assert page.locator("article button.copybtn").count() == cells > 0
        for way, other in [("left", before), ("right", after)]:
            link = page.locator(
                f"a.{way}-{'prev' if way == 'left' else 'next'}"
            )
            assert link.evaluate("a => a.href") == f"{book}/{other}.html"


def test_the_reference_lists_everything_that_is_public(book):
    text = (BUILT / "book" / "api.html").read_text("utf-8")
    names = [f"packnet_core.{name}" for name in packnet_core.__all__]
    names += [f"packnet_book.figures.{name}" for name in figures.__all__]
    names += [f"packnet_book.explorer.{name}" for name in explorer.__all__]
    names += [
        f"packnet_book.runs.methods.{m.__name__}" for m in METHODS.values()
    ]
    names += ["packnet_core.PackNet.prune", "packnet_book.runs.runner.Run"]
    assert [n for n in names if f'id="{n}"' not in text] == []
