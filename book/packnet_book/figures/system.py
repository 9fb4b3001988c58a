"""One visual system: what has which colour, mark, dash and hatch.

Everything in the book that is drawn takes its looks from here: figures and
tables by import; widgets, slides and the front page, which are not Python,
by name, and `tests/test_system.py` compares. A task has a fill for areas,
with dark letters on it, and an ink for lines and marks; a method and a
stage have an ink. Inks have a shade for a light and one for a dark ground.
Fills are of Okabe and Ito. Two tasks, or two methods, can be told apart by
most colour-blind readers, and by mark, dash or hatch without any colour.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A colour on a light and on a dark ground, as #rrggbb.

    name: of the CSS property, `--pn-` before it.
    """

    name: str
    light: str
    dark: str

    @property
    def css(self) -> str:
        return f"var(--pn-{self.name}, {self.light})"


@dataclass(frozen=True)
class Look:
    """How one thing is drawn, wherever it is drawn.

    ink: of lines and marks; fill: of areas, the same on both grounds;
    marker, dash, hatch: as matplotlib writes them; degrees: of the same
    hatch in a widget, None for a plain area.
    """

    name: str
    ink: Colour
    fill: str
    marker: str
    dash: str
    hatch: str
    degrees: int | None = None

    @property
    def colour(self) -> str:
        """The ink as matplotlib takes it."""
        return self.ink.light


INK = Colour("ink", "#1b1f24", "#e8eaed")
QUIET = Colour("quiet", "#57606a", "#a9b1ba")
RULE = Colour("rule", "#dfe3e8", "#39414b")
PAPER = Colour("paper", "#ffffff", "#14181e")
NEUTRALS = (INK, QUIET, RULE, PAPER)
# The same on both grounds: letters on fills, edges of areas, letters on
# dark areas, an unlit pixel.
ON, EDGE, ON_DARK, BLANK = "#111111", "#333333", "#fefefe", "#fdfdfd"
AREA = "#aab4c0"  # of what needs no colour of its own
CONSTANT = (ON, EDGE, ON_DARK, BLANK, AREA)


def _look(name, light, dark, fill, marker, dash, hatch, degrees=None) -> Look:
    key = name.replace(" ", "-")
    return Look(
        name, Colour(key, light, dark), fill, marker, dash, hatch, degrees
    )


FREE = _look("free", "#767676", "#9a9a9a", PAPER.light, "x", ":", "")
TASKS = (
    _look("objects", "#0072b2", "#56b4e9", "#56b4e9", "o", "-", ""),
    _look("birds", "#a86200", "#e69f00", "#e69f00", "s", "--",
          "\\\\\\\\", 45),
    _look("cars", "#007a5a", "#2cc796", "#009e73", "^", "-.", "----", 0),
    _look("flowers", "#5c5300", "#f0e442", "#f0e442", "D", ":", "||||", 90),
    _look("fifth", "#a8517f", "#e391c0", "#cc79a7", "v", "--", "////",
          135),
)  # fmt: skip
# PackNet is the accent, and what forgets is red; the others are muted.
METHODS = (
    _look("packnet", "#6a3fc4", "#b79bff", "#b9a3ea", "o", "-", ""),
    _look("individual", "#39424e", "#d3dae2", "#c3cad3", "s", "--", "////"),
    _look("sequential", "#c8321a", "#ff8266", "#f3a898", "X", ":", "xxxx"),
    _look("classifier-only", "#6f767f", "#828c97", "#d9dde2", "^", "-.",
          "//"),
    _look("lwf", "#00606c", "#4fc0cd", "#a5d5da", "D", "-.", "----"),
    _look("ewc", "#57481d", "#e6d5a3", "#dcc9a3", "v", "--", "||||"),
    _look("joint", "#4f6ea8", "#8fb0ec", "#b4c4e2", "P", "-",
          "\\\\\\\\"),
)  # fmt: skip
STAGES = (
    _look("trained", "#4a5a70", "#a3b4c9", "#c5cedb", "o", "-", ""),
    _look("pruned", "#a3541f", "#e59a63", "#e8c3a4", "v", "--", "\\\\\\\\"),
    _look("retrained", "#3546b8", "#94a5ff", "#b5bdf0", "^", "-.", "////"),
)
# What is neither task, method nor stage, in the order of its appearance.
SERIES = (
    _look("series-1", "#30475e", "#b5cbe2", "#c2cfdd", "d", "-", ""),
    _look("series-2", "#7d3b06", "#eda463", "#ecc9a6", "<", "--", "////"),
    _look("series-3", "#4b8417", "#79ad45", "#c9dfb1", ">", "-.", "\\\\\\\\"),
    _look("series-4", "#8d5489", "#b980b5", "#dfc6dd", "p", ":", "----"),
    _look("series-5", "#6e7681", "#98a2ad", "#dcdfe3", "*", "-", "xxxx"),
    _look("series-6", "#1f6f6b", "#6fc7c2", "#b3d9d6", "h", "--", "||||"),
    _look("series-7", "#8a2f3f", "#ef96a4", "#e9bcc3", "8", "-.",
          "++++"),
)  # fmt: skip
ACCENT = METHODS[0].ink
# Parts of one whole (memory, bytes): fills with dark letters on them.
PARTS = (
    ("#c9d6e8", ""), ("#e3cfa9", "////"), ("#c6dcc9", "\\\\\\\\"),
    ("#dfc3d6", "----"), ("#9db3d0", "xxxx"), ("#c9ab76", "||||"),
    ("#93b89b", "//"), ("#b891ab", "++++"),
)  # fmt: skip
# From little to much, for squares with numbers in them.
RAMP = (
    "#f1f4f8", "#e0e6ee", "#ced8e3", "#bbc8d8", "#a7b8cb", "#92a6bd",
    "#7c92ad", "#5a7290", "#4f6784", "#3b516b", "#2a3c52",
)  # fmt: skip
# Of controls in widgets, slides and pages, which only CSS uses.
INTERFACE = {
    "ground": Colour("ground", "#ffffff", "#14181e"),
    "ink": Colour("ink", "#111111", "#eeeeee"),
    "quiet": Colour("quiet", "#444444", "#bbbbbb"),
    "line": Colour("line", "#555555", "#999999"),
    "hover": Colour("hover", "#eeeeee", "#2b323c"),
    "off": Colour("off", "#595959", "#a3a3a3"),
    "focus": Colour("focus", "#0b57d0", "#8ab4f8"),
    "on": Colour("on", "#000000", "#000000"),
    "gone": Colour("gone", "#dddddd", "#dddddd"),
    "good": Colour("good", "#00694d", "#4cd6a8"),
    "bad": Colour("bad", "#b3261e", "#ff9d8f"),
}
# Of the pages alone: links, panels, their edges.
PAGE = (
    Colour("link", "#0a58ad", "#8ab8ff"),
    Colour("panel", "#f6f7f9", "#1c2129"),
    Colour("edge", EDGE, "#8a949f"),
)
ALIASES = {
    "imagenet": "objects", "tiny-imagenet": "objects",
    "cub": "birds", "cubs": "birds", "cubs_cropped": "birds",
    "stanford_cars": "cars", "stanford_cars_cropped": "cars",
    "fine-tuning": "sequential", "nothing frozen": "sequential",
    "one network, in turn": "sequential", "plain training": "sequential",
    "guarded": "packnet", "as in packnet": "packnet",
    "individual networks": "individual", "joint training": "joint",
    "classifier only": "classifier-only",
    "learning without forgetting": "lwf",
}  # fmt: skip
KNOWN = {look.name: look for look in (FREE, *TASKS, *METHODS, *STAGES)}
COLOURS = {
    colour.light: colour
    for colour in (
        *NEUTRALS,
        *(look.ink for look in (*KNOWN.values(), *SERIES)),
    )
}


def known(name: object) -> Look | None:
    """The look of a task, method or stage by any of its names."""
    told = str(name).strip().lower()
    for word in (told, told.partition(",")[0]):
        found = KNOWN.get(ALIASES.get(word, word))
        if found:
            return found
    return None


def looks(names: Iterable[object]) -> list[Look]:
    """A look for each name: its own, or else the next of the series."""
    series, found = iter(SERIES * 2), []
    for name in names:
        found.append(known(name) or next(series))
    return found


def owner(number: int) -> Look:
    """The look of an owner by its number, 0 for free weights.

    The looks come again after the fifth.
    """
    return TASKS[(int(number) - 1) % len(TASKS)] if number else FREE


def allowed() -> frozenset[str]:
    """Every colour that a figure may use, as #rrggbb."""
    areas = [look.fill for look in (*KNOWN.values(), *SERIES)]
    parts = [fill for fill, _ in PARTS]
    return frozenset({*COLOURS, *CONSTANT, *areas, *parts, *RAMP})


def shade(share: float) -> tuple[str, str]:
    """The colour of a share from 0 to 1, and of letters on it."""
    place = round(min(max(share, 0.0), 1.0) * (len(RAMP) - 1))
    return RAMP[place], ON if place < 7 else ON_DARK


DARK = ":is([data-theme=dark],[theme=dark],[data-jp-theme-light=false],\
.vscode-dark,.theme-dark)"


def properties(selector: str, colours: Iterable[Colour]) -> str:
    """CSS that gives these colours their values on either ground.

    Known grounds: this book's pages, Jupyter, Colab, VS Code; a print is
    on a light one.
    """
    chosen = sorted(set(colours), key=lambda colour: colour.name)
    light = ";".join(f"--pn-{c.name}:{c.light}" for c in chosen)
    dark = ";".join(f"--pn-{c.name}:{c.dark}" for c in chosen)
    return (
        f"{selector}{{{light}}}@media screen{{{DARK} {selector}{{{dark}}}}}"
    )


def interface() -> str:
    """CSS of the grounds and letters of a page that stands alone.

    Its root has `data-theme`; a print is on a light ground.
    """
    light = ";".join(f"--{n}:{c.light}" for n, c in INTERFACE.items())
    dark = ";".join(f"--{n}:{c.dark}" for n, c in INTERFACE.items())
    return (
        f":root{{color-scheme:light;{light}}}@media screen{{"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
    )
