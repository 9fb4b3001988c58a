"""Boxes, the reading switch, and that a page carries no more than it uses."""

import base64
import gzip
import io
import json
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import numpy
import pytest
from docutils import nodes
from docutils.utils import new_document
from PIL import Image

import boxes
import delivery
import formulas
from browser import BUILT
from tests.contents import CHAPTERS, ROOT
from tests.test_page import unseen, visit

FOLDED = next(
    (
        n
        for n in CHAPTERS
        if "hide-input" in (ROOT / f"{n}.ipynb").read_text()
    ),
    None,
)
FORMULA = re.compile(r"<math.*?</math>", re.DOTALL)
EXPLORER = '<iframe title="Who owns which weight'
PACKED = {".png", ".jpg", ".woff2"}


def paragraph(bold: str, rest: str = "") -> nodes.paragraph:
    # as MyST makes it: an empty text first
    return nodes.paragraph(
        "", "", nodes.Text(""), nodes.strong("", bold), nodes.Text(rest)
    )


def raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Predict", "pn-predict"),
        ("What do you expect?", "pn-predict"),
        ("Answer.", "pn-finding"),
        ("Pitfall", "pn-pitfall"),
        ("Birds and cars", None),
        ("Predictable", None),
    ],
)
def test_a_paragraph_is_known_by_its_beginning(words, name):
    document = new_document("x")
    document += paragraph(words, ": and so on.")
    boxes.mark(document)
    assert document.children[0]["classes"] == ([name] if name else [])


def test_an_answer_stands_in_the_box_of_its_question():
    section = nodes.section()
    section += nodes.title("", "Self-test")
    section += nodes.paragraph("", "Answer first, then open.")
    for number in (1, 2):
        section += paragraph(f"{number}.", " Why?")
        section += raw("<details><summary>Answer</summary>")
        section += paragraph("Because", " it is so.")
        section += raw("</details>")
    section += nodes.section("", nodes.title("", "What comes next"))
    boxes.group(section, "pn-question", True)
    kinds = [type(child).__name__ for child in section.children]
    assert kinds == [
        "title",
        "paragraph",
        "container",
        "container",
        "section",
    ]
    for box in section.children[2:4]:
        assert len(box.children) == 4 and box.parent is section


def test_a_formula_is_mathml_and_the_font_has_its_signs(book):
    found = formulas.mathml(r"w \leftarrow w - \eta \frac{1}{T} x", "block")
    assert found.startswith("<math") and "<mfrac>" in found
    style = (ROOT / "book" / "_static" / "book.css").read_text()
    ranges = re.search(r"unicode-range:([^;]*);", style)[1]
    known: set[int] = set()
    for first, last in re.findall(r"U\+(\w+)(?:-(\w+))?", ranges):
        known |= set(range(int(first, 16), int(last or first, 16) + 1))
    used = {
        sign
        for file in BUILT.glob("book/*.html")
        for formula in FORMULA.findall(file.read_text("utf-8"))
        for sign in unescape(re.sub("<[^>]*>", "", formula))
    }
    assert used and {sign for sign in used if ord(sign) not in known} == set()


def png(size: int, colours: int) -> str:
    """Soft spots in so many greys, as they stand in a page."""
    random = numpy.random.default_rng(1)
    spots = Image.fromarray(random.integers(256, size=(9, 9), dtype="uint8"))
    packed = io.BytesIO()
    soft = spots.resize((size, size), Image.Resampling.BICUBIC)
    soft.convert("RGB").quantize(colours).save(packed, "PNG")
    told = base64.b64encode(packed.getvalue()).decode()
    return f'<image href="data:image/png;base64,{told}"/>'


@pytest.mark.parametrize(
    ("size", "colours", "photograph"),
    [(120, 200, True), (48, 200, False), (120, 5, False)],
)
def test_photographs_are_packed_and_drawings_keep_each_pixel(
    size, colours, photograph
):
    before = png(size, colours)
    after = delivery.PICTURE.sub(delivery.repacked, before)
    if not photograph:
        assert after == before
        return
    assert len(after) < len(before)
    old, new = (
        numpy.asarray(
            Image.open(
                io.BytesIO(base64.b64decode(text.split('"')[1].split(",")[1]))
            ).convert("RGB"),
            int,
        )
        for text in (before, after)
    )
    assert new.shape == old.shape and abs(new - old).mean() < 2


def test_what_a_page_says_is_its_prose_alone():
    page = (
        "<nav>menu</nav><article><h1>A<a>#</a></h1><p>word</p>"
        "<pre>code</pre><script>x</script><form>entry</form></article>"
    )
    assert delivery.prose(page) == "Aword"


def test_an_icon_is_drawn_and_an_unknown_one_is_refused():
    known = {("s", "bars"): ("448", "512", "M0 96")}
    page = '<i class="fa-solid fa-bars fa-lg"></i>'
    assert 'class="svg-inline--fa fa-solid fa-bars fa-lg"' in delivery.drawn(
        page, known
    )
    with pytest.raises(delivery.UnknownIcon, match="rocket"):
        delivery.drawn('<i class="fas fa-rocket"></i>', known)


@pytest.mark.parametrize("address", [delivery.PLACEHOLDER, "https://x/y/z"])
def test_no_button_leads_nowhere(monkeypatch, address):
    monkeypatch.setattr(delivery, "setting", lambda: address)
    options = {"launch_buttons": {"x": 1}, "use_repository_button": True}
    config = SimpleNamespace(html_theme_options=options)
    delivery.no_dead_buttons(None, config)
    unset = address == delivery.PLACEHOLDER
    assert options["use_repository_button"] is not unset
    assert bool(options["launch_buttons"]) is not unset


def test_a_figure_with_a_caption_can_be_linked_to():
    body = (
        '<h1>x</h1><figure class="pn-figure"><figcaption>a</figcaption>'
        '</figure><figure class="pn-figure"><svg/></figure>'
        '<figure class="pn-figure"><svg/><figcaption>b</figcaption></figure>'
    )
    made = delivery.anchored(body)
    anchors = re.findall('id="(.*?)"', made)
    assert anchors == ["figure-1", "figure-2"]
    assert re.sub(' id="[^"]*"', "", made) == body
    assert '<figure class="pn-figure"><svg/></figure>' in made


def folds(page) -> list[bool]:
    return page.eval_on_selector_all(
        "details.hide.above-input", "all => all.map(d => d.open)"
    )


@pytest.mark.skipif(FOLDED is None, reason="no chapter folds code")
def test_the_switch_opens_all_code_and_is_remembered(browser, book):
    page, _ = visit(browser, f"{book}/{FOLDED}.html")
    with page:
        assert not any(folds(page))
        page.get_by_role("radio", name="Read").focus()
        page.keyboard.press("ArrowRight")
        assert all(folds(page))
        page.reload(wait_until="networkidle")
        assert all(folds(page))
        assert page.get_by_role("radio", name="Code").is_checked()
        page.get_by_role("radio", name="Read").click()
        assert not any(folds(page))
        shift = page.evaluate(
            """() => new Promise(done => {
              let sum = 0
              new PerformanceObserver(list => {
                for (const e of list.getEntries()) sum += e.value
              }).observe({type: "layout-shift", buffered: true})
              setTimeout(() => done(sum), 100) })"""
        )
        assert shift <= 0.05


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("chosen", [None, "light", "dark"])
@pytest.mark.skipif(FOLDED is None, reason="no chapter folds code")
def test_a_page_is_drawn_right_before_its_scripts_are_there(
    browser, book, system, chosen
):
    with browser.new_page(color_scheme=system) as page:
        kept = {"mode": chosen, "pn-reading": "code" if chosen else None}
        page.add_init_script(
            f"""const kept = Object.entries({json.dumps(kept)})
            for (const [name, value] of kept)
              if (value) localStorage.setItem(name, value)"""
        )
        page.route("**/*.js*", lambda route: None)  # which never come
        page.goto(f"{book}/{FOLDED}.html", wait_until="commit")
        page.wait_for_function(
            """document.querySelector(".bd-footer") && performance
              .getEntriesByName("first-contentful-paint").length"""
        )
        assert unseen(page, chosen or system, patience=0) == []
        assert set(folds(page)) == {chosen is not None}


PICTURE = re.compile(rb"data:image/\w+;base64,([\w+/=]+)")


def carried(browser, address: str) -> tuple[int, int]:
    """Compressed bytes that a page loads: pictures, and all the rest."""
    page = browser.new_page()
    paths: set[str] = set()
    page.on("request", lambda r: paths.add(unquote(urlsplit(r.url).path)))
    with page:
        page.goto(address, wait_until="networkidle")
    pictures = rest = 0
    for path in paths:
        file = BUILT / path.lstrip("/")
        if not file.is_file():
            continue
        data = file.read_bytes()
        if file.suffix == ".html":
            inside = PICTURE.findall(data)
            pictures += sum(len(base64.b64decode(one)) for one in inside)
            data = PICTURE.sub(b"", data)
        size = len(data if file.suffix in PACKED else gzip.compress(data))
        if "_images" in path:
            pictures += size
        else:
            rest += size
    return pictures, rest


def test_a_chapter_is_light(browser, book):
    plain = [n for n in CHAPTERS if EXPLORER not in text(n)]
    assert len(plain) == len(CHAPTERS) - 1
    sizes = {n: carried(browser, f"{book}/{n}.html") for n in plain}
    assert {n: rest for n, (_, rest) in sizes.items() if rest > 280_000} == {}


def text(name: str) -> str:
    return (
        (BUILT / f"{name}.html").read_text("utf-8") if BUILT.is_dir() else ""
    )


def test_nothing_is_shipped_that_no_page_loads(book):
    shipped = {f.name for f in Path(BUILT, "_static").rglob("*")}
    assert not shipped & {"fontawesome.js", "mathjax", "vendor", "locales"}
    fonts = BUILT / "_static" / "fonts"
    assert len(list(fonts.glob("LICENSE-*"))) == 2


def test_the_search_quotes_pages_from_a_disk(browser, book):
    file = (BUILT / "search.html").as_uri()
    page = browser.new_page()
    errors: list[str] = []
    page.on(
        "console",
        lambda m: errors.append(m.text) if m.type == "error" else None,
    )
    with page:
        page.goto(f"{file}?q=forgetting")
        page.wait_for_selector("#search-results li p.context")
        quotes = page.locator("#search-results li p.context")
        assert any("orget" in q for q in quotes.all_inner_texts())
    assert errors == []


@pytest.mark.parametrize(
    ("printed", "wraps"),
    [("one file: True\nits counts are those of the map", True),
     ("objects   here 94.3 %\nbirds     here 81.6 %", False)],
)  # fmt: skip
def test_sentences_that_were_printed_are_wrapped_and_columns_are_not(
    printed, wraps
):
    document = new_document("x")
    block = nodes.literal_block(
        printed, printed, classes=["output", "stream"]
    )
    document += block
    boxes.wrap(document)
    assert ("pn-lines" in block["classes"]) is wraps


@pytest.mark.parametrize(
    ("text", "wordy"), [("12", False), ("a " * 40, True)]
)
def test_a_table_with_sentences_is_known(text, wordy):
    document = new_document("x")
    table = nodes.table("", nodes.entry("", nodes.paragraph("", text)))
    document += table
    boxes.tell_wordy(document)
    assert ("pn-wordy" in table["classes"]) is wordy


def test_what_was_printed_is_not_cut_in_mid_sentence(browser, book):
    cut = {}
    for name in CHAPTERS:
        page, _ = visit(browser, f"{book}/{name}.html", 390)
        with page:
            cut[name] = page.evaluate(
                """() => [...document.querySelectorAll(".pn-lines pre")]
                  .filter(pre => pre.scrollWidth > pre.clientWidth + 1)
                  .map(pre => pre.textContent.slice(0, 60))"""
            )
    assert {name: found for name, found in cut.items() if found} == {}


# Where what is read is code.
WITHOUT_FIGURES = {"book/prerequisites", "book/your_stack"}


def test_something_is_to_be_seen_on_the_first_two_screens(browser, book):
    screens = {}
    for name in CHAPTERS:
        if name in WITHOUT_FIGURES:
            continue
        page, _ = visit(browser, f"{book}/{name}.html", 1440)
        with page:
            top = page.evaluate(
                """() => { const all = [...document.querySelectorAll(
                  ".bd-article :is(.pn-figure, iframe)")]
                  const shown = all.find(e => e.checkVisibility())
                  return shown.getBoundingClientRect().top + scrollY }"""
            )
        screens[name] = round(top / 900, 2)
    late = {name: place for name, place in screens.items() if place > 2}
    assert screens and late == {}


def test_figures_tables_and_widgets_have_the_ground_of_the_page(
    browser, book
):
    for theme in ("light", "dark"):
        page, _ = visit(browser, f"{book}/book/what_if.html", theme=theme)
        with page:
            grounds = page.evaluate(
                """() => [document.body,
                  ...document.querySelectorAll(".pn-table, .pn-figure svg"),
                  ...[...document.querySelectorAll("iframe")].map(
                    frame => frame.contentDocument.body)]
                  .map(e => getComputedStyle(e).backgroundColor)"""
            )
        assert len(grounds) > 10 and len(set(grounds)) == 1, theme
