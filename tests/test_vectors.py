"""A figure as HTML: the same bytes, no clash, read by everybody."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from pandas import DataFrame
from PIL import Image

from packnet_book.figures import Drawing, draw_changes, system
from packnet_book.figures.vector import STYLE
from tests.looks import foreign

TEXT = 'A "square" & a line < two'


def drawn(hatch: str = "////", caption: str = "It is [here](a.html).") -> str:
    """A figure with letters, a mark, a hatch, a picture, and a clip."""
    with rc_context(STYLE):
        figure = Figure(figsize=(4, 2))
        axes = figure.subplots()
        look = system.known("packnet")
        axes.plot([0, 1], [0, 2], color=look.colour, marker="o")
        axes.add_patch(
            Rectangle((0, 0), 1, 1, fc=system.TASKS[0].fill, hatch=hatch)
        )
        random = np.random.default_rng(0).random((20, 20, 3))
        axes.imshow(random, interpolation="none", extent=(0, 1, 0, 1))
        axes.set_title("title <b>")
    return Drawing(figure, TEXT, caption)._repr_html_()


def svg(figure: str) -> ElementTree.Element:
    return ElementTree.fromstring(
        re.search("<svg.*</svg>", figure, re.DOTALL)[0]
    )


def test_the_same_figure_is_the_same_bytes():
    assert drawn() == drawn()
    assert not re.search(r"20\d\d-|matplotlib|<!--|<metadata", drawn())


def test_the_text_output_is_the_alternative_text():
    root = svg(drawn())
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == TEXT
    assert repr(Drawing(Figure(), TEXT)) == TEXT


def test_a_caption_is_text_with_links():
    assert (
        '<figcaption>It is <a href="a.html">here</a>.</figcaption>' in drawn()
    )
    assert "&lt;b&gt;" in drawn(caption="<b>")
    assert "figcaption>" not in drawn(caption="").partition("</style>")[2]


def test_names_of_two_figures_do_not_clash():
    one, other = (svg(drawn(hatch)) for hatch in ("////", "xxxx"))
    names = [
        {e.attrib["id"] for e in root.iter() if "id" in e.attrib}
        for root in (one, other)
    ]
    assert names[0] and not names[0] & names[1]
    for root, own in zip((one, other), names):
        text = ElementTree.tostring(root, "unicode")
        wanted = set(re.findall(r'(?:url\(#|href="#)([\w-]+)', text))
        assert wanted == own  # a name for each reference, and no other
    classes = [
        {e.attrib.get("class") for e in root.iter()} - {None}
        for root in (one, other)
    ]
    assert not classes[0] & classes[1]


def test_letters_are_letters_in_the_letters_of_the_page():
    texts = ["".join(e.itertext()) for e in svg(drawn()).iter("text")]
    assert "title <b>" in texts
    assert "DejaVu" not in re.search("<svg.*", drawn(), re.DOTALL)[0]


def test_colours_follow_the_ground_and_are_of_the_system():
    figure = drawn()
    assert foreign(figure) == set()
    packnet = system.known("packnet").ink
    assert f"--pn-packnet:{packnet.light}" in figure
    assert f"--pn-packnet:{packnet.dark}" in figure
    assert f"stroke:{packnet.css}" in figure
    assert "background:var(--pn-paper)" in figure
    assert "@media screen{:is([data-theme=dark]" in figure
    assert not re.search(r'style="[^"]*\bfont: ', figure)


def test_the_styles_of_a_figure_touch_nothing_else():
    for style in re.findall("<style>(.*?)</style>", drawn()):
        plain = re.sub(r"@media screen\{(.*?\})\}", r"\1", style)
        for selector in re.findall(r"([^{}]+)\{", plain):
            assert ".p" in selector, selector


def test_pictures_are_small_and_crisp():
    picture = next(svg(drawn()).iter("image"))
    data = picture.attrib["href"].partition(",")[2]
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.mode == "P" and image.size == (20, 20)
    assert "pixelated" in drawn()


def test_a_wide_figure_scrolls_where_its_letters_would_be_too_small():
    table = DataFrame(
        [("g", "x", 1.0, 0.0, 2.0)],
        columns=["group", "row", "mean", "low", "high"],
    )
    narrow = draw_changes(table, "points")._repr_html_()
    assert "min-width:" not in narrow.partition("<svg")[2][:400]
    assert "tabindex" not in narrow
    with rc_context(STYLE):
        figure = Figure(figsize=(8, 2))
        figure.subplots().set_title("wide")
    wide = Drawing(figure, "Wide")._repr_html_()
    assert "min-width:576px" in wide and 'tabindex="0"' in wide


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_a_figure_shows_on_either_ground(browser, ground, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    with page:
        page.set_content(
            f'<!doctype html><html data-theme="{ground}"><body>'
            f"{drawn()}{drawn('xxxx')}"
        )
        colours = page.evaluate(
            """() => [...document.querySelectorAll(".pn-figure")].map(f => [
              getComputedStyle(f.querySelector("svg")).backgroundColor,
              getComputedStyle(f.querySelector("text")).fill,
              f.querySelector("svg").getBoundingClientRect().width])"""
        )
        wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    for paper, ink, size in colours:
        want = (getattr(c, ground) for c in (system.PAPER, system.INK))
        assert [paper, ink] == [
            "rgb({}, {}, {})".format(*bytes.fromhex(c[1:])) for c in want
        ]
        assert 300 < size <= min(width, 470)
