"""The rendered book in a browser: every page, without a network."""

import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from address import PLACEHOLDER, setting
from browser import BUILT, READY, serve
from tests.contents import CHAPTERS, INDEX, PAGES, ROOT

LISTS = ["genindex", "py-modindex", "search"]  # made by Sphinx
TABLET = {"width": 820, "height": 1180}
LOOK = """() => {
  const found = []
  const name = e => e.outerHTML.slice(0, 120)
  for (const image of document.images) {
    if (!image.naturalWidth) found.push(`missing image: ${name(image)}`)
    const alt = image.alt.trim()
    if (!alt || /\\.(png|svg|jpe?g|gif)$/i.test(alt))
      found.push(`image without alternative text: ${name(image)}`)
  }
  for (const figure of document.querySelectorAll(".pn-figure svg")) {
    if (!figure.ariaLabel?.trim() || figure.getAttribute("role") !== "img")
      found.push(`figure without alternative text: ${name(figure)}`)
    const size = figure.getBoundingClientRect()
    const scale = size.width / figure.viewBox.baseVal.width
    for (const text of size.width ? figure.querySelectorAll("text") : [])
      if (parseFloat(getComputedStyle(text).fontSize) * scale < 9.5)
        found.push(`letters too small: ${name(text)}`)
  }
  for (const formula of document.querySelectorAll(".math"))
    if (!formula.querySelector("math"))
      found.push(`formula not rendered: ${name(formula)}`)
  for (const formula of document.querySelectorAll("math, merror"))
    if (formula.matches("merror") || formula.textContent.includes("\\\\"))
      found.push(`wrong formula: ${name(formula)}`)
  const wide = document.documentElement.scrollWidth
  if (wide > window.innerWidth) found.push(`scrolls sideways: ${wide} px`)
  return found
}"""
CONTRAST = """() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const style = query => getComputedStyle(document.querySelector(query))
  const back = light(style("body").backgroundColor)
  const text = light(style("article p").color)
  const [low, high] = [back, text].sort((a, b) => a - b)
  return [back, (high + 0.05) / (low + 0.05)]
}"""


@pytest.fixture
def site(tmp_path) -> Iterator[tuple[Path, str]]:
    with serve(tmp_path) as address:
        yield tmp_path, address


def visit(
    browser: Browser, address: str, width: int = 1440, theme: str = "light"
) -> tuple[Page, list[str]]:
    """A loaded page, and everything that is wrong with it."""
    page = browser.new_page(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
    )
    origin = urlsplit(address).netloc
    found: list[str] = []

    def outside(request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme.startswith("http") and parts.netloc != origin:
            found.append(f"request to another place: {request.url}")

    def told(message) -> None:
        if message.type == "error":
            found.append(f"console: {message.text}")

    def answered(response) -> None:
        if response.status >= 400:
            found.append(f"{response.status}: {response.url}")

    def failed(request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left
            found.append(f"failed: {request.url} ({request.failure})")

    page.on("request", outside)
    page.on("console", told)
    page.on("response", answered)
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    page.on("requestfailed", failed)
    page.goto(address, wait_until="networkidle")
    page.evaluate(READY)
    found += page.evaluate(LOOK)
    return page, found


THEMES = ["light", "dark"]
# Whether all code that scrolls sideways is reached by keyboard.
REACHED = """() => [...document.querySelectorAll("pre")].every(e =>
  e.scrollWidth <= e.clientWidth || e.tabIndex === 0)"""


def unseen(page: Page, theme: str, patience: float = 10) -> list[str]:
    """What is wrong with the colours of background and text: nothing, as
    soon as they are right; what is still wrong after `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        back, contrast = page.evaluate(CONTRAST)
        right = back < 0.1 if theme == "dark" else back > 0.9
        found = [] if right else [f"background {back:.2f} in {theme}"]
        if contrast < 4.5:
            found.append(f"contrast {contrast:.2f}, background {back:.2f}")
        if not found or time.monotonic() > end:
            return found
        page.wait_for_timeout(100)


@pytest.fixture(
    scope="module",
    params=[(name, theme) for name in PAGES for theme in THEMES],
    ids=lambda param: "-".join(param),
)
def wide(request, browser, book):
    """A page on a wide screen, loaded once: name, theme, page, faults."""
    name, theme = request.param
    page, found = visit(browser, f"{book}/{name}.html", theme=theme)
    with page:
        yield name, theme, page, found


def test_a_page_loads_offline_without_fault(wide):
    name, theme, page, found = wide
    assert found == []
    assert page.locator("article h1").count() == 1
    assert unseen(page, theme) == []
    if has_formulas(name):
        assert page.locator("math").count() > 0


def test_links_and_anchors_resolve(wide):
    assert broken_links(wide[2], BUILT) == []


def test_the_launch_buttons_open_this_chapter(wide):
    name, _, page, _ = wide
    slug = setting().removeprefix("https://github.com/")
    for host, path in BUTTONS.items():
        query = f".article-header-buttons a[href*='{host}']"
        links = [link.get_attribute("href") for link in
                 page.locator(query).all()]  # fmt: skip
        wanted = f"https://{host}{path.format(slug=slug, name=name)}"
        there = name in CHAPTERS and setting() != PLACEHOLDER
        assert set(links) == ({wanted} if there else set())


def test_a_page_fits_a_tablet(wide):
    page = wide[2]
    page.set_viewport_size(TABLET)
    assert page.evaluate(LOOK) == []
    page.wait_for_function(REACHED)  # before others look at this page


def test_a_page_keeps_nobody_out(wide):
    _, theme, page, _ = wide
    if theme == "dark":  # what is no matter of colour is as in light
        assert serious(page, [COLOURS]) == []
    else:
        assert serious(page) == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(browser, book, name, theme):
    page, found = visit(browser, f"{book}/{name}.html", 390, theme)
    with page:
        assert found == []
        assert unseen(page, theme) == []


def test_code_that_was_folded_is_reached_by_keyboard_too(browser, book):
    page, _ = visit(browser, f"{book}/book/error_table.html", 390)
    with page:
        page.evaluate("""document.querySelectorAll("details.hide")
          .forEach(fold => { fold.open = true })""")
        assert page.locator("details.hide pre:visible").count() > 10
        page.wait_for_function(REACHED)


# Of text that looks alike on the same ground one piece is looked at, and of
# links among such text one: axe-core spends seconds on a chapter's words.
ALIKE_ONCE = """() => {
  const grounds = new Map([[document.documentElement, ""]])
  const ground = e => {
    if (!grounds.has(e)) {
      const {backgroundColor, backgroundImage, opacity, position} =
        getComputedStyle(e)
      const own = backgroundColor !== "rgba(0, 0, 0, 0)"
        || backgroundImage !== "none" || opacity !== "1"
      const above = position === "absolute" || position === "fixed"
      grounds.set(e, (own || above ? [backgroundColor, backgroundImage,
        opacity, above && grounds.size] : "") + ground(e.parentElement))
    }
    return grounds.get(e)
  }
  const look = e => {
    const {color, fill, fontSize, fontWeight, textDecorationLine} =
      getComputedStyle(e)
    const drawn = e.closest("svg") ? fill : color
    return [drawn, fontSize, fontWeight, textDecorationLine, ground(e)].join()
  }
  const seen = new Set(), again = [], kept = new Set()
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let text; text = texts.nextNode();) {
    const e = text.parentElement
    if (!text.data.trim() || !e.checkVisibility()) continue
    const around = e.closest("a")?.parentElement
    const all = around ? look(e) + look(around) : look(e)
    if (seen.has(all)) again.push(text)
    else if (around) kept.add(around)
    seen.add(all)
  }
  for (const text of again)
    if (![...kept].some(e => e.contains(text))) text.data = ""
  const bare = "p, li, tr, dt, dd, pre, svg, span"
  const page = document.querySelectorAll("main *, nav *, .bd-sidebar *")
  const idle = [...page].filter(e => !e.matches("style") &&
    !e.checkVisibility() || e.matches(bare) && !e.textContent.trim())
  if (document.querySelector("[data-content_root]"))  // no app, that needs it
    idle.forEach(e => e.remove())
}"""
COLOURS = ["color-contrast", "link-in-text-block"]


def serious(
    page: Page, rules: Iterable[list[str] | None] = (None, COLOURS)
) -> list[str]:
    """What axe-core finds that keeps somebody out, in frames too.

    rules: names of axe-core's rules, None: all but those of colours. Leaves
    the page without most of its text.
    """
    axe = Axe()
    for frame in page.frames[1:]:
        frame.evaluate(axe.axe_script)
    found = []
    for wanted in rules:
        if wanted:
            for frame in page.frames:
                frame.evaluate(ALIKE_ONCE)
            options = {"runOnly": wanted}
        else:
            options = {
                "rules": {name: {"enabled": False} for name in COLOURS}
            }
        options["resultTypes"] = ["violations"]
        found += axe.run(page, options=options).response["violations"]
    return [
        f"{rule['id']}: {rule['nodes'][0]['html']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("name", LISTS)
def test_links_of_lists_resolve(browser, book, name):
    page, _ = visit(browser, f"{book}/{name}.html")
    with page:
        assert broken_links(page, BUILT) == []


def broken_links(page: Page, folder: Path) -> list[str]:
    """Links within the site that lead nowhere."""
    links = page.eval_on_selector_all(
        "a[href]", "all => all.map(a => a.href)"
    )
    origin = urlsplit(page.url).netloc
    wrong = []
    for link in sorted({x for x in links if urlsplit(x).netloc == origin}):
        file = folder / unquote(urlsplit(link).path).lstrip("/")
        anchor = unquote(urldefrag(link).fragment)
        if not file.is_file():
            wrong.append(link)
        elif anchor and f'id="{anchor}"' not in file.read_text():
            wrong.append(link)
    return wrong


def test_the_first_address_leads_to_the_index(browser, book):
    page, _ = visit(browser, f"{book}/")
    with page:
        page.wait_for_url(f"{book}/{INDEX}.html")


BUTTONS = {
    "colab.research.google.com": "/github/{slug}/blob/main/{name}.ipynb",
    "mybinder.org": "/v2/gh/{slug}/main?urlpath=lab/tree/{name}.ipynb",
}


def has_formulas(name: str) -> bool:
    sources = [ROOT / f"{name}.ipynb", ROOT / f"{name}.md"]
    texts = [p.read_text("utf-8") for p in sources if p.is_file()]
    return any("$" in re.sub("```.*?```", "", t, flags=re.S) for t in texts)


FAULTS = {
    "request to another place": '<img alt="x" src="http://127.0.0.2:9/x">',
    "console": "<script>console.error('no')</script>",
    "script": "<script>nothing.there()</script>",
    "404": '<link rel="stylesheet" href="none.css">',
    "missing image": '<img alt="A bird" src="none.png">',
    "image without alternative text": '<img src="none.png">',
    "figure without alternative text": '<figure class="pn-figure">'
    '<svg viewBox="0 0 1 1"></svg></figure>',
    "letters too small": '<figure class="pn-figure"><svg role="img" '
    'aria-label="x" viewBox="0 0 1000 10" width="300">'
    '<text style="font-size: 10px">x</text></svg></figure>',
    "formula not rendered": '<span class="math">x</span>',
    "wrong formula": "<math><mi>\\no</mi></math>",
    "scrolls sideways": '<div style="width:2000px">x</div>',
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_on_a_page_is_found(browser, site, fault):
    folder, address = site
    folder.joinpath("index.html").write_text(
        f"<!doctype html><html><body>{FAULTS[fault]}</body></html>"
    )
    folder.joinpath("favicon.ico").write_bytes(b"")
    page, found = visit(browser, f"{address}/index.html")
    page.close()
    assert any(line.startswith(fault) for line in found)


@pytest.mark.parametrize(
    "fault, rule",
    [
        ('<p style="color: #999">pale</p>', "color-contrast"),
        (
            '<div class="highlight"><span>fine</span></div>'
            '<div class="highlight" style="background: #333">'
            "<span>dark</span></div>",
            "color-contrast",
        ),
        (
            '<details><summary>x</summary><div class="highlight">'
            '<span style="color: #999">folded</span></div></details>'
            '<div class="highlight"><span>fine</span> <span>fine '
            '<span style="color: #999">pale</span></span></div>',
            "color-contrast",
        ),
        (
            '<p>Words and words: <a href="#x">a link</a>.</p>'
            '<p>Words and words: <a href="#x" style="color: #222; '
            'text-decoration: none">unseen</a>.</p>',
            "link-in-text-block",
        ),
        ("<button></button>", "button-name"),
        ('<iframe src="about:blank"></iframe>', "frame-title"),
    ],
)
def test_what_keeps_somebody_out_is_found(browser, site, fault, rule):
    folder, address = site
    folder.joinpath("index.html").write_text(
        f"<!doctype html><html lang='en'><title>x</title><body>{fault}"
    )
    page, _ = visit(browser, f"{address}/index.html")
    with page:
        assert any(line.startswith(rule) for line in serious(page))


def test_a_broken_link_is_found(browser, site):
    folder, address = site
    folder.joinpath("index.html").write_text(
        '<h1 id="top"></h1><a href="#top"></a><a href="#no"></a>'
        '<a href="none.html"></a>'
    )
    page, _ = visit(browser, f"{address}/index.html")
    with page:
        wrong = [link.removeprefix(address) for link in
                 broken_links(page, folder)]  # fmt: skip
    assert wrong == ["/index.html#no", "/none.html"]
