"""A figure of matplotlib as HTML: letters stay letters, lines stay lines.

The same in the book, in Jupyter and in Colab, and the same bytes whenever
the same is drawn. Colours become properties of CSS that follow the ground
around the figure (`system.properties`); one that is not of the system is
refused. No letter shows smaller than ten pixels: where a screen is too
narrow for that, the figure scrolls sideways in its box.
"""

import base64
import hashlib
import html
import re
from collections import Counter
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

from packnet_book.figures import system
from packnet_book.figures.system import INK, PAPER, QUIET, RULE

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
SMALLEST = 10  # pixels of a letter
PHONE = 350  # pixels that a figure has on a phone of 390
LARGEST = 1.6  # pixels a point, on a wide screen
FONT = 'var(--pn-font,system-ui,-apple-system,"Segoe UI",Roboto,\
"DejaVu Sans",sans-serif)'
DRAWN: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "packnet",
    "svg.image_inline": True,
}
NUMBER = re.compile(r"-?\d+\.\d+")
HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
CIRCLE = re.compile(
    r"M 0 ([\d.]+)\s+C [\d.]+ \1(?: [-\d.]+){4}\s+"
    r"(?:C(?: [-\d.]+){6}\s+){7}z"
)
CAPTION_LINK = re.compile(r"\[([^]]+)\]\(([^)\s]+)\)")
BASE = (
    ".pn-figure{margin:1rem 0;padding:0;text-align:left;color:var(--pn-ink)}"
    ".pn-figure svg{display:block;width:100%;height:auto;margin:0 auto;"
    "stroke-linejoin:round;background:var(--pn-paper);"
    f"font-family:{FONT};overflow:visible}}"
    ".pn-figure figcaption{max-width:44rem;margin:.5rem auto 0;"
    "font-size:.92em;line-height:1.45;color:inherit}"
    ".pn-scroll{overflow-x:auto}"
)


class ForeignColour(ValueError):
    """A figure uses a colour that is not of the system."""


def figure_html(figure: Figure, alternative: str, caption: str = "") -> str:
    """A figure with its alternative text, and below it what it shows.

    caption: text, in which `[words](address)` is a link. Raises
    ForeignColour.
    """
    drawn = _drawn(figure)
    style, letters, colours = _themed(drawn)
    width = float(drawn.attrib["viewBox"].split()[2])
    least = round(width * SMALLEST / letters) if letters else 0
    body = _named(drawn, style)
    most = round(width * LARGEST)
    size = f"max-width:{most}px"
    box = '<div class="pn-scroll">'
    if least > PHONE:
        size += f";min-width:{least}px"
        box = (
            '<div class="pn-scroll" tabindex="0" role="group" '
            'aria-label="Figure, scrolls sideways">'
        )
    told = html.escape(alternative, quote=True)
    head = f'<svg role="img" aria-label="{told}" style="{size}"'
    rules = system.properties(".pn-figure", {*colours, INK, PAPER})
    under = f"<figcaption>{caption_html(caption)}</figcaption>"
    return (
        f'<figure class="pn-figure"><style>{rules}{BASE}</style>'
        f"{box}{body.replace('<svg', head, 1)}</div>"
        f"{under if caption else ''}</figure>"
    )


def caption_html(text: str) -> str:
    """A caption's text, with its links."""
    safe = html.escape(text, quote=True)
    return CAPTION_LINK.sub(r'<a href="\2">\1</a>', safe)


def _drawn(figure: Figure) -> ElementTree.Element:
    """The SVG that matplotlib writes, without ground, names and words."""
    written = BytesIO()
    nobody = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context(DRAWN):
        figure.draw_without_rendering()  # places are found once
        figure.set_layout_engine("none")
        figure.savefig(
            written, format="svg", facecolor="none", edgecolor="none",
            metadata=nobody,
        )  # fmt: skip
    root = ElementTree.fromstring(written.getvalue())
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib["viewBox"] = _short(root.attrib["viewBox"])
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{SVG}metadata", f"{SVG}style"):
                parent.remove(child)
    _flatten(root)
    return root


def _flatten(element: ElementTree.Element) -> None:
    """Groups that say nothing give way to what they hold."""
    children = []
    for child in element:
        _flatten(child)
        bare = set(child.attrib) <= {"id"}
        if child.tag in (f"{SVG}g", f"{SVG}defs") and not len(child):
            continue
        if child.tag == f"{SVG}g" and bare:
            children += list(child)
        else:
            children.append(child)
    element[:] = children
    element.text = element.text and element.text.strip()
    element.tail = None


def _themed(root: ElementTree.Element):
    """Colours as properties, styles as classes, numbers cut short.

    Returns the rules of the classes, the size of the smallest letter (0
    without letters), and the colours that depend on the ground.
    """
    colours: set[system.Colour] = set()
    used = system.allowed()

    def property_of(found: re.Match) -> str:
        value = found[0].lower()
        if value in system.COLOURS:
            colours.add(system.COLOURS[value])
            return system.COLOURS[value].css
        if value not in used:
            raise ForeignColour(
                f"{value} is no colour of packnet_book.figures.system: "
                "use the look of what is drawn"
            )
        return value

    letters = []
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        attributes = element.attrib
        if LINK in attributes:
            attributes["href"] = attributes.pop(LINK)
        style = attributes.pop("style", "")
        for name in ("fill", "stroke"):
            if name in attributes:
                style = f"{name}: {attributes.pop(name)}; {style}"
        if element.tag == "image":
            attributes["href"] = _small(attributes["href"])
        if element.tag == "text":
            style, size = _plain_letters(style)
            letters.append(size)
            if not re.search(r"\bfill: ", style):
                style += f"; fill: {INK.light}"
        style = HEX.sub(property_of, style)
        parts = [part.strip() for part in style.split(";")]
        kept = ";".join(
            part.replace(": ", ":") for part in parts
            if part and part not in (
                "stroke-linejoin: round", "stroke-linecap: butt",
                "text-anchor: start",
            )
        )  # fmt: skip
        if kept:
            attributes["style"] = _short(kept)
        circle = CIRCLE.match(attributes.get("d", ""))
        if circle:  # of eight curves: a mark, drawn often
            element.tag = "circle"
            attributes["r"] = _short(circle[1])
            del attributes["d"]
        for name in ("d", "x", "y", "width", "height", "transform", "points"):
            if name in attributes:
                exact = name == "transform" and "matrix" in attributes[name]
                attributes[name] = _short(attributes[name], 4 if exact else 2)
        if re.fullmatch(
            r"rotate\(-?0 [^)]*\)", attributes.get("transform", "")
        ):
            del attributes["transform"]
    _mark_once(root)
    counts = Counter(
        e.attrib["style"] for e in root.iter() if "style" in e.attrib
    )
    classes = {
        style: f"c{number}"
        for number, (style, count) in enumerate(counts.most_common())
        if count > 1
    }
    for element in root.iter():
        style_class = classes.get(element.attrib.get("style", ""))
        if style_class:
            del element.attrib["style"]
            element.attrib["class"] = style_class
    return classes, min(letters, default=0), colours


def _mark_once(root: ElementTree.Element) -> None:
    """Circles that are drawn once stand where they are drawn."""
    uses = Counter(
        e.attrib["href"] for e in root.iter("use") if "href" in e.attrib
    )
    parents = {child: parent for parent in root.iter() for child in parent}
    once = {e.attrib["href"]: e for e in root.iter("use")}
    for defs in list(root.iter("defs")):
        [mark, *others] = list(defs) or [defs]
        name = f"#{mark.attrib.get('id')}"
        if mark.tag != "circle" or others or uses[name] != 1:
            continue
        use = once[name]
        styles = (mark.attrib.get("style"), use.attrib.get("style"))
        use.tag = "circle"
        use.attrib = {
            "cx": use.attrib["x"], "cy": use.attrib["y"],
            "r": mark.attrib["r"], "style": ";".join(filter(None, styles)),
        }  # fmt: skip
        parents[defs].remove(defs)


def _plain_letters(style: str) -> tuple[str, float]:
    """A text's style without its family, and the size in pixels.

    matplotlib writes one `font`, or one property each, by its release.
    """
    parts = dict(re.findall(r"([\w-]+): ([^;]*)", style))
    font = parts.pop("font", "")
    parts.pop("font-family", None)
    found = re.search(r"([\d.]+)px", font or parts.get("font-size", ""))
    size = float(found[1]) if found else 10.0
    parts["font-size"] = f"{size:g}px"
    if re.search(r"\b(italic|oblique)\b", font):
        parts["font-style"] = "italic"
    if re.search(r"\b(bold|[6-9]00)\b", font):
        parts["font-weight"] = "700"
    return "; ".join(f"{k}: {v}" for k, v in parts.items()), size


def _named(root: ElementTree.Element, classes: dict[str, str]) -> str:
    """The SVG as text; names hold for this figure alone."""
    told = " ".join(
        [*classes, *(v for e in root.iter() for v in e.attrib.values())]
    )
    wanted = set(re.findall(r"#([\w-]+)", told))
    places: dict[str, str] = {}
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name in wanted:
            places.setdefault(name, f"n{len(places)}")
            element.attrib["id"] = places[name]
    rules = "".join(f".{name}{{{s}}}" for s, name in classes.items())
    text = ElementTree.tostring(root, "unicode")
    mark = hashlib.blake2s((rules + text).encode(), digest_size=3).hexdigest()
    rules = re.sub(r"\.(c\d+)\{", rf".p{mark}\1{{", rules)
    text = re.sub(r'class="(c\d+)"', rf'class="p{mark}\1"', text)
    for old, new in places.items():
        text = text.replace(f'id="{new}"', f'id="p{mark}{new}"')
        text = text.replace(f"#{old})", f"#p{mark}{new})")
        text = text.replace(f'"#{old}"', f'"#p{mark}{new}"')
        rules = rules.replace(f"#{old})", f"#p{mark}{new})")
    start = text.index(">") + 1
    return (
        re.sub(r' xmlns(:\w+)?="[^"]*"', "", text[:start])
        + (f"<style>{rules}</style>" if rules else "")
        + text[start:].replace(" />", "/>")
    )


def _small(data: str) -> str:
    """A picture in at most 256 colours, as data that a page can hold."""
    raw = base64.b64decode(data.partition(",")[2])
    picture, small = Image.open(BytesIO(raw)).convert("RGBA"), BytesIO()
    if picture.getextrema()[3] == (255, 255):  # type: ignore[misc]
        picture = picture.convert("RGB").quantize(256)
    picture.save(small, format="png", optimize=True)
    told = base64.b64encode(small.getvalue()).decode()
    return f"data:image/png;base64,{told}"


def _short(text: str, digits: int = 2) -> str:
    """Numbers with few digits behind the point, and no lines."""

    def cut(found: re.Match) -> str:
        return f"{round(float(found[0]), digits) + 0.0:g}" if len(
            found[0].partition(".")[2]
        ) > digits else found[0]  # fmt: skip

    return " ".join(NUMBER.sub(cut, text).split())


STYLE: dict[Any, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "text.color": INK.light,
    "axes.labelcolor": INK.light,
    "axes.titlecolor": INK.light,
    "axes.edgecolor": QUIET.light,
    "xtick.color": QUIET.light,
    "ytick.color": QUIET.light,
    "xtick.labelcolor": INK.light,
    "ytick.labelcolor": INK.light,
    "grid.color": RULE.light,
    "hatch.color": system.EDGE,
    "hatch.linewidth": 0.6,
    "patch.edgecolor": system.EDGE,
}
