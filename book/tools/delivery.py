"""Sphinx extension: pages carry what they use, and nothing else.

* The switch *Read / Code* stands below the heading of a page that has
  folded code.
* A figure with a caption has its number as an anchor: `#figure-3`.
* A page is drawn before its scripts are there.
* Photographs in the page are packed as such.
* Icons are drawn into the page; the script and the fonts that hold two
  thousand of them stay away.
* What search needs is loaded by the page of the search alone, with the text
  of all pages, so that it quotes them from a disk as well.
* As long as no address of the repository is set, no button leads to it.
"""

import base64
import html
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

from PIL import Image
from sphinx.application import Sphinx

from address import PLACEHOLDER, setting

FRONT = Path(__file__).parent / "front"
FOLDED = 'class="admonition hide above-input"'
SWITCH = """
<fieldset class="pn-reading pst-js-only">
<legend>Code on this page</legend>
<label><input type="radio" name="pn-reading" value="read" checked>
<span>Read</span></label>
<label><input type="radio" name="pn-reading" value="code">
<span>Code</span></label>
</fieldset>
"""
FIGURE = '<figure class="pn-figure"'
TEXT = "source-serif-4-latin"
FONTS = [f"{TEXT}-{x}.woff2" for x in ("400-normal", "600-normal",
                                       "400-italic")]  # fmt: skip
SIGNS = "stix-two-math-subset.woff2"
ICON = re.compile(
    r'<(i|span) class="(?P<classes>[^"]*\bfa-[^"]*)"(?P<rest>[^>]*)></\1>'
)
DRAWN = re.compile(
    r'[{,]"?(?P<name>[a-z0-9-]+)"?:\[(?P<wide>\d+),(?P<high>\d+),'
    r'\[[^\]]*\],"[0-9a-f]+","(?P<path>[^"]+)"\]'
)
SIZES = {"fa-lg", "fa-fw", "fa-xs", "fa-sm", "fa-2x"}
UNUSED = re.compile(
    r"\s*<(?:script|link)[^>]*(?:scripts/fontawesome|design-tabs)\.js[^>]*>"
    r"(?:</script>)?"
)
SEARCHED = re.compile(
    r'\s*<script[^>]*src="[^"]*(?:searchtools|language_data|searchindex)\.js'
    r'[^"]*"[^>]*></script>'
)
DESIGN = re.compile(r"\s*<link[^>]*sphinx-design[^>]*>")
# In the theme's style: names of icons, and their fonts.
ICON_RULES = re.compile(
    r"(?<=[}/])(?:\.fa[\w-]*(?:::?before|::?after)?,?)+\{[^{}]*\}"
    r"|@font-face\{[^}]*Font ?Awesome[^}]*\}"
)
DEAD = ("use_repository_button", "use_issues_button", "use_edit_page_button",
        "use_source_button")  # fmt: skip


class UnknownIcon(LookupError):
    """An icon that the theme's script does not have."""


def no_dead_buttons(app: Sphinx, config) -> None:
    if setting() == PLACEHOLDER:
        options = config.html_theme_options
        options["launch_buttons"] = {}
        options.update(dict.fromkeys(DEAD, False))


def finish(
    app: Sphinx, page: str, template: str, context: dict, tree
) -> None:
    """The switch and the anchors of a page."""
    body = anchored(context.get("body", ""))
    if FOLDED in body:
        body = body.replace("</h1>", f"</h1>{SWITCH}", 1)
    context["body"] = body


def anchored(body: str) -> str:
    """Figures with an anchor each, numbered as the style numbers them."""
    first, *figures = body.split(FIGURE)
    made, number = [first], 0
    for figure in figures:
        captioned = "<figcaption" in figure.partition("</figure>")[0]
        number += captioned
        anchor = f' id="figure-{number}"' if captioned else ""
        made.append(f"{FIGURE}{anchor}{figure}")
    return "".join(made)


class Text(HTMLParser):
    """The prose of a page's article, without code and controls."""

    QUIET = ("script", "style", "svg", "math", "pre", "button", "noscript",
             "form")  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.deep, self.quiet, self.found = 0, 0, []

    def handle_starttag(self, tag, attributes):
        self.deep += tag == "article"
        self.quiet += tag in self.QUIET

    def handle_endtag(self, tag):
        self.deep -= tag == "article"
        self.quiet -= tag in self.QUIET

    def handle_data(self, data):
        if self.deep and not self.quiet and data.strip("#"):
            self.found.append(data)


def prose(page: str) -> str:
    text = Text()
    text.feed(page)
    return " ".join("".join(text.found).split())


def icons(script: str) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Width, height and path of each icon, by style and name."""
    found = {}
    # the sets stand one after the other: brands, regular, solid
    for style, part in zip("brs", script.split('"use strict"')[1:]):
        for icon in DRAWN.finditer(part):
            found[style, icon["name"]] = icon.group("wide", "high", "path")
    return found


def drawn(page: str, known: dict) -> str:
    """A page with its icons drawn into it. Raises UnknownIcon."""

    def draw(match: re.Match) -> str:
        classes = match["classes"].split()
        name = next(
            c.removeprefix("fa-") for c in classes
            if c.startswith("fa-") and c not in SIZES | {"fa-solid"}
        )  # fmt: skip
        styles = "b" if {"fab", "fa-brands"} & set(classes) else "sr"
        for style in styles:
            if (style, name) in known:
                wide, high, path = known[style, name]
                return (
                    f'<svg class="svg-inline--fa {" ".join(classes)}"'
                    f'{match["rest"]} aria-hidden="true" '
                    f'viewBox="0 0 {wide} {high}"><path fill="currentColor" '
                    f'd="{path}"/></svg>'
                )
        raise UnknownIcon(f"no icon {name!r}")

    return ICON.sub(draw, page)


PICTURE = re.compile(r"data:image/png;base64,([\w+/=]+)")
SIDE, COLOURS = 100, 64  # of a photograph, at least: pixels, colours
QUALITY = 90  # of WebP; beside the original no difference is seen


def repacked(picture: re.Match) -> str:
    """A photograph as WebP. A small picture and a drawing stay as they are:
    each of their pixels can be seen."""
    image = Image.open(io.BytesIO(base64.b64decode(picture[1])))
    if min(image.size) < SIDE or image.getcolors(COLOURS) or (
        image.has_transparency_data
    ):  # fmt: skip
        return picture[0]
    packed = io.BytesIO()
    image.convert("RGB").save(packed, "WEBP", quality=QUALITY, method=6)
    told = base64.b64encode(packed.getvalue()).decode()
    made = f"data:image/webp;base64,{told}"
    return min(picture[0], made, key=len)


# The theme's first script is part of `early.js`; the theme of a dark system
# would come only with its last, when the page has long been drawn in light.
PRELOADED = re.compile(r'\s*<link rel="preload" as="script"[^>]*>')
THEME = re.compile(r'\s*<script data-cfasync="false">.*?</script>', re.DOTALL)


def early(page: str, fonts: list[str]) -> str:
    """A page that is drawn before its scripts are there.

    All of them wait for the page to be read; one that stands in the page
    runs at once, and sees to what must not change once it is drawn.
    """
    head, end, rest = page.partition("</head>")
    head = THEME.sub("", head)
    head = head.replace("<script src=", "<script defer src=")
    head = PRELOADED.sub("", head)
    # in turn with those that wait, which a module does as well
    head = head.replace("<script>DOC", '<script type="module">DOC')
    script = (FRONT / "early.js").read_text("utf-8")
    script = script.replace("{}", json.dumps(fonts), 1)
    charset = '<meta charset="utf-8" />'  # it must be one of the first things
    head = head.replace(charset, f"{charset}\n<script>{script}</script>", 1)
    return head + end + rest


def lighten(app: Sphinx, failure: Exception | None) -> None:
    """Rewrite the pages that were made, and leave out what none uses."""
    if failure or app.builder.name != "html":
        return
    out = Path(app.outdir)
    script = out / "_static" / "scripts" / "fontawesome.js"
    known = icons(script.read_text("utf-8"))
    texts = {}
    for file in out.rglob("*.html"):
        page = file.read_text("utf-8")
        if "<head>" not in page or "data-content_root" not in page:
            continue
        name = file.relative_to(out).with_suffix("").as_posix()
        texts[name] = prose(page)
        root = "../" * name.count("/")
        page = drawn(UNUSED.sub("", page), known)
        if 'class="sd-' not in page:
            page = DESIGN.sub("", page)
        if not THEME.search(page):
            continue  # as an earlier build has left it
        fonts = [*FONTS, SIGNS] if "<math" in page else FONTS
        if name == "search":
            tools = '<script src="_static/searchtools.js'
            texts_first = f'<script src="_static/texts.js"></script>\n{tools}'
            page = page.replace(tools, texts_first, 1)
        else:
            page = SEARCHED.sub("", page)
        page = PICTURE.sub(repacked, page)
        page = early(page, [f"{root}_static/fonts/{f}" for f in fonts])
        file.write_text(page, "utf-8")
    write_texts(out, texts)
    theme = out / "_static" / "styles" / "pydata-sphinx-theme.css"
    theme.write_text(ICON_RULES.sub("", theme.read_text("utf-8")), "utf-8")
    for unused in ("vendor", "locales", "scripts/fontawesome.js"):
        place = out / "_static" / unused
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    for unused in ("*.js.map", "fontawesome.js.LICENSE.txt"):
        for place in (out / "_static" / "scripts").glob(unused):
            place.unlink()


def write_texts(out: Path, texts: dict[str, str]) -> None:
    """For the search: what `fetch` would get from a server."""
    told = {
        f"{name}.html": f'<div role="main">{html.escape(text)}</div>'
        for name, text in sorted(texts.items())
        if name.startswith("book/")
    }
    source = (FRONT / "texts.js").read_text("utf-8")
    made = source.replace("{}", json.dumps(told, ensure_ascii=False), 1)
    (out / "_static" / "texts.js").write_text(made, "utf-8")


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", no_dead_buttons)
    app.connect("html-page-context", finish)
    app.connect("build-finished", lighten, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
