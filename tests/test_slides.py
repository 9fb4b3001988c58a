"""The lecture: the book's own figures, offline, for every reader."""

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import slides
from tests.test_page import serious, visit

SOURCE = (slides.PARTS / "lecture.md").read_text()
FIGURES = re.findall(r"!\[([^]]+)\]\(([^)]+)\)", SOURCE)
OUTPUTS = re.findall(r"^```output (\w+)\n(.*?)\n```$", SOURCE, re.M | re.S)
LOADS = {"src", "href", "srcset", "data", "poster", "action"}


@pytest.fixture(scope="module")
def deck(tmp_path_factory) -> Path:
    return slides.build(tmp_path_factory.mktemp("slides"))


@pytest.fixture
def page(browser: Browser, deck: Path) -> Iterator[Page]:
    page, found = visit(browser, deck.as_uri(), width=1280)
    with page:
        assert found == []
        yield page


@pytest.mark.parametrize(("words", "chapter"), FIGURES)
def test_a_figure_is_one_of_the_chapter_with_all_its_text(words, chapter):
    drawn = slides.figure(chapter, words)
    kind = "svg+xml" if chapter.endswith(".svg") else "png"
    vectors = '<svg role="img" aria-label=' in drawn
    assert vectors or f'src="data:image/{kind};base64,' in drawn
    told = re.search('(?:alt|role="img" aria-label)="([^"]*)"', drawn)
    assert html.unescape(told[1]).startswith(words)
    assert len(told[1]) > 40


@pytest.mark.parametrize(("chapter", "beginning"), OUTPUTS)
def test_an_output_is_one_of_the_chapter(chapter, beginning):
    drawn = slides.printed(chapter, beginning)
    typeset = '<div class="pn-table"' in drawn and drawn.count("<tr>") > 2
    assert typeset or beginning in drawn


def test_there_are_figures_and_outputs_in_the_lecture():
    assert len(FIGURES) >= 10 and len(OUTPUTS) >= 5


@pytest.mark.parametrize(
    ("chapter", "beginning"),
    [("lifelong_learning", "No figure"), ("lifelong_learning", "One pict")],
    ids=["none", "several"],
)
def test_words_that_name_no_figure_or_several_are_refused(chapter, beginning):
    with pytest.raises(LookupError, match=beginning):
        slides.figure(chapter, beginning)


def test_every_slide_has_a_heading_and_notes(deck):
    parts = re.findall("<section.*?</section>", deck.read_text(), re.S)
    assert 20 <= len(parts) <= 30
    for part in parts:
        assert len(re.findall("<h[12]>", part)) == 1, part[:80]
        notes = part.partition('role="note">')[2]
        assert len(notes.strip()) > 100, part[:80]
    assert sum("<h1>" in part for part in parts) == 1


class Resources(HTMLParser):
    """Everything that a page loads from somewhere, and its scripts."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in LOADS and not (tag == "a" and name == "href"):
                self.found.append(value or "")


def outside(text: str) -> list[str]:
    """What a page loads that is not in the page itself."""
    resources = Resources()
    resources.feed(text)
    code = re.findall("<(?:style|script)>(.*?)</", text, re.S)
    return [
        *(
            x[:60]
            for x in resources.found
            if x[:1] != "#" and not x.startswith("data:")
        ),
        *re.findall(r"url\((?!#)|@import|fetch\(|https?:", "".join(code)),
    ]


def test_the_slides_load_nothing_from_elsewhere(deck):
    text = deck.read_text()
    assert outside(text) == []
    assert outside(text.replace("data:image/png", "https://x", 1)) != []
    assert outside(text.replace("<style>", "<style>@import 'x'", 1)) != []


def place(page: Page) -> str:
    return page.evaluate("document.activeElement.id")


def test_keys_turn_the_slides(page):
    for key, wanted in (
        ("ArrowRight", "s2"),
        ("PageDown", "s3"),
        ("ArrowLeft", "s2"),
        ("End", f"s{page.locator('section').count()}"),
        ("ArrowRight", f"s{page.locator('section').count()}"),
        ("Home", "s1"),
    ):
        page.keyboard.press(key)
        assert place(page) == wanted
        assert page.locator(f"#{wanted} h1, #{wanted} h2").is_visible()
        assert page.locator("#place").inner_text().startswith(wanted[1:])


def test_the_buttons_do_what_the_keys_do(page):
    page.get_by_role("button", name="Next slide").click()
    assert place(page) == "s2"
    page.get_by_role("button", name="Slide before").click()
    assert place(page) == "s1"
    notes = page.locator("#s1 .notes")
    assert not notes.is_visible()
    page.get_by_role("button", name="Notes").click()
    assert notes.is_visible()
    page.keyboard.press("n")
    assert not notes.is_visible()


def test_no_slide_is_larger_than_the_screen(page):
    page.set_viewport_size({"width": 1280, "height": 720})
    heights = page.eval_on_selector_all(
        "section", "all => all.map(s => s.getBoundingClientRect().height)"
    )
    assert max(heights) <= 721


def test_the_slides_keep_nobody_out(page):
    assert serious(page) == []
    page.keyboard.press("n")
    assert serious(page) == []


def test_a_telephone_does_not_scroll_sideways(browser, deck):
    page, found = visit(browser, deck.as_uri(), width=390)
    page.close()
    assert found == []


def test_on_paper_the_notes_stand_below_each_slide(page):
    page.emulate_media(media="print")
    assert page.locator("#s2 .notes").is_visible()
    assert not page.locator("nav").is_visible()


def test_the_pdf_has_a_page_for_each_slide(browser, deck):
    made = slides.print_pdf(browser, deck)
    data = made.read_bytes()
    assert data.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    assert pages == deck.read_text().count("<section")
