"""The lecture: the book's own figures, offline, for every reader."""

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

import slide_parts
import slides
from packnet_book.drawn import TASKS
from packnet_book.runs.presets import MINIATURE
from packnet_book.runs.records import recorded
from tests.contents import ROOT
from tests.test_page import serious, visit

SOURCE = (slides.PARTS / "lecture.md").read_text("utf-8")
SLIDES = slides.read(SOURCE)
FIGURES = re.findall(r"!\[([^]]+)\]\(([^)]+)\)", SOURCE)
OUTPUTS = re.findall(
    r"^```(output|facts|answer) (\w+)\n(.*?)\n```$", SOURCE, re.M | re.S
)
LOADS = {"src", "href", "srcset", "data", "poster", "action"}
# Numbers of examples and of definitions, which nothing was measured for.
TYPED = {
    "50", "2017", "1711.05769", "0", "1", "2", "4", "-1", "-2", "0.4", "0.6",
    "3", "0.1", "25", "200", "16", "95", "0.75",
}  # fmt: skip


@pytest.fixture(scope="module")
def deck(tmp_path_factory) -> Path:
    return slides.build(tmp_path_factory.mktemp("slides"))


@pytest.fixture(params=["light", "dark"])
def either(request, browser: Browser, deck: Path) -> Iterator[Page]:
    with browser.new_page(color_scheme=request.param) as page:
        page.goto(deck.as_uri())
        yield page


@pytest.fixture
def page(browser: Browser, deck: Path) -> Iterator[Page]:
    page, found = visit(browser, deck.as_uri(), width=1280)
    with page:
        assert found == []
        yield page


@pytest.mark.parametrize(("words", "chapter"), FIGURES)
def test_a_figure_is_one_of_the_book_with_all_its_text(words, chapter):
    drawn = slides.figure(chapter, words)
    assert drawn.count("<svg") == 1
    told = re.search('aria-label="([^"]*)"', drawn[drawn.index("<svg") :])
    assert html.unescape(told[1]).startswith(words)
    assert len(told[1]) > 40


@pytest.mark.parametrize(("kind", "chapter", "beginning"), OUTPUTS)
def test_an_output_is_one_of_the_chapter(kind, chapter, beginning):
    made = {"output": slides.printed, "facts": slides.facts}
    drawn = made.get(kind, slides.answer)(chapter, beginning)
    text = slides.find(chapter, beginning)["text/plain"]
    if kind == "output":
        assert '<div class="pn-table"' in drawn and drawn.count("<tr>") > 2
        return
    shown = html.unescape(re.sub("<[^>]*>", " ", drawn))
    found = re.findall(r"\d[\d,.]*\d|\d", text)
    for number in found if kind == "facts" else found[:1]:
        assert number in shown
    assert shown.count("yes") == text.count("True")
    assert len(re.findall(r"\bno\b", shown)) == text.count("False")


def test_printed_text_is_not_shown_as_in_a_terminal(deck):
    text = deck.read_text("utf-8")
    assert "<pre" not in text
    with pytest.raises(LookupError, match="is no table"):
        slides.printed("four_tasks", "objects: 20,000")


def test_there_are_figures_and_outputs_in_the_lecture():
    assert len(FIGURES) >= 9 and len(OUTPUTS) >= 5
    shown = re.findall(r"^```show (\w+)$", SOURCE, re.M)
    assert {*shown} == {*slide_parts.PARTS}


@pytest.mark.parametrize(
    ("chapter", "beginning"),
    [("lifelong_learning", "No figure"), ("lifelong_learning", "One pict")],
    ids=["none", "several"],
)
def test_words_that_name_no_figure_or_several_are_refused(chapter, beginning):
    with pytest.raises(LookupError, match=beginning):
        slides.figure(chapter, beginning)


def part(deck: Path, title: str) -> str:
    """The HTML of the slide with this title."""
    [slide] = [slide for slide in SLIDES if slide.title == title]
    parts = re.findall("<section.*?</section>", deck.read_text("utf-8"), re.S)
    return parts[slide.number - 1]


def test_all_tasks_are_on_the_slide_of_the_tasks(deck):
    shown = part(deck, "Four tasks, one network")
    assert re.findall("<h3>(.*?)</h3>", shown) == list(TASKS)
    assert shown.count("<image") == len(TASKS) * slide_parts.SHOWN


def test_the_claims_are_those_of_the_chapter(deck):
    shown = part(deck, "Which of the claims hold here?")
    found = slide_parts.answers()
    assert len(found) > 20
    for said in ("held", "open", "not held"):
        listed = [claim for answer, claim in found if answer == said]
        counted = re.search(rf"<strong>(\d+)</strong> {said}</h3>(.*?)</ul>",
                            shown)  # fmt: skip
        assert int(counted[1]) == len(listed) == counted[2].count("<li>")
        for claim in listed:
            assert html.escape(claim) in counted[2]


def test_numbers_in_the_text_are_those_of_the_records(deck):
    known = slides.numbers(SLIDES)
    used = set(re.findall(r"\{(\w+)\}", SOURCE))
    assert used == known.keys()
    assert not re.search(r"\{\w+\}", re.sub("<(style|script)>.*?</", "",
                         deck.read_text("utf-8"), flags=re.S))  # fmt: skip
    table = recorded("miniature")
    later = table[table.position > 1]
    means = later.groupby("method").top1_error.mean()
    paid = means["packnet"] - means["individual"]
    assert float(known["paid"].split()[0]) == pytest.approx(paid, abs=0.05)
    orders = recorded("orders").query("position > 1")
    means = orders.groupby("method").top1_error.mean()
    paid = means["packnet"] - means["individual"]
    assert float(known["added"].split()[0]) == pytest.approx(paid, abs=0.05)
    sizes = recorded("sizes").query("network == 'miniature'")
    total = sizes.groupby("method").bytes.sum()
    share = 100 * total["packnet"] / total["individual"]
    assert float(known["share"]) == pytest.approx(share, abs=0.5)
    assert known["runs"] == str(len(set(table.seed)))
    assert known["fractions"] == str(MINIATURE.fractions)[1:-1]
    even = [float(x) for x in known["even"].split(", ")]
    assert sum(even) == pytest.approx(100, abs=0.05) and even[0] == 25
    first = next(iter(TASKS))
    errors = [known["objects"], known["chance"]]
    assert errors == ["20", "95"] and first == "objects"


def test_no_measured_number_is_typed():
    for slide in SLIDES:
        shown = re.sub(r"^```.*?^```|!\[.*?\]\(.*?\)|^\d\.", "", slide.shown,
                       flags=re.M | re.S)  # fmt: skip
        typed = re.findall(r"−?\d[\d.,]*\d|−?\d", shown)
        assert {x.replace("−", "-") for x in typed} <= TYPED, slide.title


def test_an_unknown_option_or_number_is_refused():
    with pytest.raises(ValueError, match="slide 1: @nothing"):
        slides.read("@nothing\n# A\n")
    unknown = slides.read("@minute 1\n@optional\n# A\n\n{nothing}\n")
    with pytest.raises(KeyError):
        list(slides.rendered(unknown))


def test_minutes_go_on_to_fifty():
    minutes = [int(slide.options["minute"]) for slide in SLIDES]
    assert minutes[0] == 0 and minutes[-1] == 49
    assert all(a < b for a, b in pairwise(minutes))


def test_every_slide_has_a_heading_and_notes(deck):
    parts = re.findall("<section.*?</section>", deck.read_text(), re.S)
    assert 20 <= len(parts) <= 30
    for part in parts:
        assert len(re.findall("<h[12]>", part)) == 1, part[:80]
        assert "Minute " in part
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
        *re.findall(
            r"url\((?!#|data:)|@import|fetch\(|https?:", "".join(code)
        ),
    ]


def test_the_slides_load_nothing_from_elsewhere(deck):
    text = deck.read_text()
    assert outside(text) == []
    svg = "<svg><image href='https://x'/></svg>"
    assert outside(text.replace("</main>", f"{svg}</main>")) != []
    assert outside(text.replace("<style>", "<style>@import 'x'", 1)) != []


def test_every_figure_leads_back_into_the_book(deck, page):
    links = page.eval_on_selector_all(
        ".from a, #book", "all => all.map(a => a.getAttribute('href'))"
    )
    assert links.count("../index.html") == 1
    chapters = [x.removeprefix("../book/").removesuffix(".html")
                for x in links if x != "../index.html"]  # fmt: skip
    assert len(chapters) >= 12
    for name in chapters:
        assert (ROOT / "book" / f"{name}.ipynb").is_file()
    number = 1 + [s.title for s in SLIDES].index("Catastrophic forgetting")
    assert page.locator(f"#s{number} .from a").count() == 1


def test_the_key_b_opens_the_book(browser, deck, tmp_path):
    (tmp_path / "slides").mkdir()
    copy = tmp_path / "slides" / deck.name
    copy.write_bytes(deck.read_bytes())
    book = tmp_path / "index.html"
    book.write_text("<!doctype html><title>Book</title>")
    with browser.new_page() as page:
        page.goto(copy.as_uri())
        page.keyboard.press("b")
        page.wait_for_url(book.as_uri())


GROUND = """() => [document.body, ...document.querySelectorAll(".slide h2")]
  .map(e => getComputedStyle(e).color)
  .concat(getComputedStyle(document.documentElement).backgroundColor)"""


def bright(colour: str) -> float:
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 765


def test_the_ground_is_the_readers_and_can_be_turned(browser, deck):
    for scheme, dark in (("light", False), ("dark", True)):
        with browser.new_page(color_scheme=scheme) as page:
            page.goto(deck.as_uri())
            for wanted in (dark, not dark):
                *letters, ground = page.evaluate(GROUND)
                assert (bright(ground) < 0.2) == wanted
                assert all((bright(c) > 0.7) == wanted for c in letters)
                button = page.get_by_role("button", name="Dark")
                told = button.get_attribute("aria-pressed")
                assert told == str(wanted).lower()
                button.click()
            page.keyboard.press("d")
            assert (bright(page.evaluate(GROUND)[-1]) < 0.2) != dark


def test_an_answer_is_opened_by_the_reader_and_on_paper(page):
    fold = page.locator("details")
    assert fold.count() == 1
    assert not fold.locator("p").is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert fold.locator("p").is_visible()


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
    page.get_by_role("button", name="Previous slide").click()
    assert place(page) == "s1"
    notes = page.locator("#s1 .notes")
    assert not notes.is_visible()
    page.get_by_role("button", name="Notes").click()
    assert notes.is_visible()
    page.keyboard.press("n")
    assert not notes.is_visible()


def test_no_slide_is_larger_than_the_screen(page):
    for width, height in ((1280, 720), (1440, 810), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        heights = page.eval_on_selector_all(
            "section", "all => all.map(s => s.getBoundingClientRect().height)"
        )
        assert max(heights) <= height + 1
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width


def test_the_slides_keep_nobody_out(either):
    assert serious(either) == []
    either.reload()  # that has taken most of its text
    either.keyboard.press("n")
    expect(either.locator("#s1 .notes")).to_be_visible()
    assert serious(either) == []


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
    reader = PdfReader(made)
    assert len(reader.pages) == deck.read_text("utf-8").count("<section")
    links = [
        str(link.get_object())
        for sheet in reader.pages
        for link in sheet.get("/Annots", [])
    ]
    assert "file:" not in "".join(links)
    assert "2.97" in "".join(sheet.extract_text() for sheet in reader.pages)
