"""Words of the glossary in the chapters: what they mean, where one looks."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import BUILT
from terms import explain, first_sentence
from tests.contents import PAGES, ROOT
from tests.test_page import serious, visit

CHAPTER = "book/step_by_step"
LINK = re.compile(r'<a class="([^"]*)"([^>]*)href="glossary\.html#([^"]+)"')


def entries() -> dict[str, str]:
    """The first paragraph of each entry, by its anchor, as plain text."""
    text = (ROOT / "book" / "glossary.md").read_text("utf-8")
    found = {}
    for entry in text.split("\n## ")[1:]:
        name, _, told = entry.partition("\n\n")
        told = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", told.split("\n\n")[0])
        anchor = re.sub(r"\W+", "-", name.lower()).strip("-")
        found[anchor] = " ".join(re.sub(r"[*`]", "", told).split())
    return found


def plain(text: str) -> str:
    """With straight quotes."""
    return text.replace("’", "'")


@pytest.mark.parametrize(
    "text, first",
    [
        ("One. Two.", "One."),
        ("Li (2016, x): as\nbefore. It", "Li (2016, x): as before."),
        ("It is 0.5, e.g. so, of T. See x.", "It is 0.5, e.g. so, of T."),
        ("No full stop", "No full stop"),
        ("Does it? Yes.", "Does it?"),
    ],
)  # fmt: skip
def test_a_sentence_ends_where_a_new_one_begins(text, first):
    assert first_sentence(text) == first


def test_only_links_to_known_words_are_explained():
    page = (
        '<a class="reference internal" href="glossary.html#head">head</a>'
        '<a class="reference internal" href="../glossary.html#x">x</a>'
        '<a class="reference internal" href="other.html#head">head</a>'
    )
    made = explain(page, {"head": 'A "head" & more.'})
    assert made.count("pn-term") == 1
    assert 'data-told="A &quot;head&quot; &amp; more." href="gl' in made
    assert made.partition("</a>")[2] == page.partition("</a>")[2]


def test_every_link_to_the_glossary_says_what_the_entry_says(book):
    known, count = entries(), 0
    for name in PAGES:
        text = (BUILT / f"{name}.html").read_text("utf-8")
        for looks, attributes, term in LINK.findall(text):
            assert "pn-term" in looks, (name, term)
            [told] = re.findall(r'data-told="([^"]*)"', attributes)
            whole, told = known[term], plain(unescape(told))
            assert told[-1] in ".?!" and len(told) > 15
            assert whole.startswith(told), term
            count += 1
    assert count > 100


@pytest.fixture
def page(browser: Browser, book: str) -> Iterator[Page]:
    page, faults = visit(browser, f"{book}/{CHAPTER}.html")
    with page:
        yield page
        assert faults == []


WORD = "a.pn-term[href$='#owner-map']"
TOLD = "#pn-meaning:not([hidden])"


def test_the_pointer_shows_the_meaning_and_may_rest_on_it(page):
    page.locator(WORD).hover()
    told = page.locator(TOLD)
    expect(told).to_be_visible()
    right = first_sentence(entries()["owner-map"])
    assert plain(told.inner_text()) == right
    before = page.evaluate("document.documentElement.scrollHeight")
    told.hover()
    page.wait_for_timeout(400)
    expect(told).to_be_visible()
    page.mouse.move(5, 5)
    expect(told).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollHeight") == before


def test_the_focus_shows_the_meaning_and_escape_hides_it(page):
    word = page.locator(WORD)
    word.focus()
    expect(page.locator(TOLD)).to_be_visible()
    described = word.get_attribute("aria-describedby")
    assert described == page.locator(TOLD).get_attribute("id")
    assert page.locator(TOLD).get_attribute("role") == "tooltip"
    page.keyboard.press("Escape")
    expect(page.locator(TOLD)).to_have_count(0)
    assert word.get_attribute("aria-describedby") is None
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.locator(TOLD)).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#owner-map")


def test_a_finger_shows_the_meaning_first_and_follows_the_link_then(
    browser, book
):
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True
    )
    page = context.new_page()
    page.goto(f"{book}/{CHAPTER}.html", wait_until="networkidle")
    words = page.locator("article a.pn-term")
    for number in range(words.count()):
        words.nth(number).scroll_into_view_if_needed()
        words.nth(number).tap()
        told = page.locator(TOLD)
        expect(told).to_contain_text("Tap again")
        box = told.bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        told.tap()  # out of the way
        expect(told).to_have_count(0)
    assert page.url.endswith(f"{CHAPTER}.html")
    page.locator("article h1").tap()
    expect(page.locator(TOLD)).to_have_count(0)
    page.locator(WORD).tap()
    page.locator(WORD).tap()
    page.wait_for_url("**/glossary.html#owner-map")
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_meaning_keeps_nobody_out_and_moves_nothing(browser, book, theme):
    page, _ = visit(browser, f"{book}/{CHAPTER}.html", theme=theme)
    with page:
        page.evaluate(
            """() => { window.moved = 0
            new PerformanceObserver(list => {
              for (const e of list.getEntries()) moved += e.value
            }).observe({type: "layout-shift"}) }"""
        )
        page.locator(WORD).focus()
        expect(page.locator(TOLD)).to_be_visible()
        page.wait_for_timeout(300)
        assert page.evaluate("moved") < 0.001
        ground = page.locator(TOLD).evaluate(
            "e => getComputedStyle(e).backgroundColor"
        )
        level = int(re.findall(r"\d+", ground)[0])
        assert (level < 60) == (theme == "dark")
        assert serious(page) == []
