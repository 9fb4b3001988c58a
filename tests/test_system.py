"""One visual system: what has which colour, everywhere in the book."""

import json
import re
from itertools import combinations

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from packnet_book.figures import Drawing, system
from packnet_book.figures.vector import STYLE, ForeignColour
from packnet_book.runs.methods import METHODS
from packnet_book.runs.presets import MINIATURE, PAPER, PHOTOS
from tests.contents import ROOT
from tests.looks import colours, foreign

BOOK = ROOT / "book"
PACKAGE = BOOK / "packnet_book"
PAGES = [  # what is drawn outside Python
    path
    for folder in (PACKAGE, BOOK / "slides", BOOK / "_static")
    for kind in ("css", "js", "html", "svg")
    for path in sorted(folder.rglob(f"*.{kind}"))
]
# Machado, Oliveira and Fernandes 2009, full severity, on linear RGB.
BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868],
               [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968],
               [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779],
               [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
    "nobody": np.eye(3),
}  # fmt: skip


def linear(colour: str) -> np.ndarray:
    """Red, green and blue as light."""
    value = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(
        value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4
    )


def lab(light: np.ndarray) -> np.ndarray:
    """Light in CIELAB, where distances are as they are seen."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722],
                       [0.0193, 0.1192, 0.9505]])  # fmt: skip
    white = to_xyz @ np.ones(3)
    x, y, z = np.cbrt(np.clip(to_xyz @ np.clip(light, 0, 1) / white, 1e-6, 1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    low, high = sorted(
        linear(c) @ [0.2126, 0.7152, 0.0722] for c in (one, other)
    )
    return (high + 0.05) / (low + 0.05)


def apart(one: str, other: str) -> float:
    """How far two colours are apart for whom they are closest."""
    return min(
        float(np.linalg.norm(lab(np.array(how) @ linear(one))
                             - lab(np.array(how) @ linear(other))))
        for how in BLIND.values()
    )  # fmt: skip


@pytest.mark.parametrize(
    "group, least",
    [
        (system.TASKS, 9),
        (system.METHODS, 9),
        (system.STAGES, 12),
        (system.SERIES[:4], 9),
    ],
    ids=["tasks", "methods", "stages", "series"],
)
def test_a_colour_blind_reader_can_tell_them_apart(group, least):
    for one, other in combinations(group, 2):
        for ground in ("light", "dark"):
            shades = getattr(one.ink, ground), getattr(other.ink, ground)
            assert apart(*shades) > least, (one.name, other.name, ground)


@pytest.mark.parametrize(
    "group", [system.TASKS, system.METHODS, system.STAGES, system.SERIES]
)
def test_what_is_told_apart_by_colour_is_told_apart_without(group):
    looks = {(look.marker, look.dash) for look in group}
    hatches = {look.hatch for look in group}
    assert len(looks) == len(hatches) == len(group)


def test_inks_can_be_read_on_their_grounds_and_letters_on_fills():
    for look in (*system.KNOWN.values(), *system.SERIES):
        assert contrast(look.ink.light, system.PAPER.light) >= 4.5
        assert contrast(look.ink.dark, system.PAPER.dark) >= 4.5
        if look is not system.FREE:
            assert contrast(look.fill, system.ON) >= 4.5
    for fill, _ in system.PARTS:
        assert contrast(fill, system.ON) >= 4.5
    for share in np.linspace(0, 1, 21):
        assert contrast(*system.shade(share)) >= 4.5


def test_a_thing_has_one_colour_and_a_colour_one_thing():
    inks = [look.ink for look in (*system.KNOWN.values(), *system.SERIES)]
    for ground in ("light", "dark"):
        shades = [getattr(ink, ground) for ink in inks]
        assert len(set(shades)) == len(shades)
    assert len({ink.name for ink in inks}) == len(inks)


def test_every_method_and_every_task_of_the_book_has_its_own_look():
    for name in METHODS:
        if name in ("first", "untrained"):
            continue
        look = system.known(name)
        variants = {"at-random", "one-cutoff", "stale-values", "free-biases",
                    "drifting-norms"}  # fmt: skip
        assert look in system.METHODS or name in variants, name
    for preset in (MINIATURE, PHOTOS, PAPER):
        found = [system.known(task.name) for task in preset.tasks]
        assert found == list(system.TASKS[: len(found)])


def test_a_name_is_known_however_it_is_written():
    assert system.known("PackNet, half") is system.known("packnet")
    assert system.known("nothing frozen") is system.known("fine-tuning")
    assert system.looks(["x", "lwf", "y"]) == [
        system.SERIES[0], system.known("lwf"), system.SERIES[1],
    ]  # fmt: skip
    assert [system.owner(n).name for n in (0, 1, 6)] == [
        "free", "objects", "objects",
    ]  # fmt: skip


def test_a_figure_with_a_colour_outside_the_system_is_refused():
    with rc_context(STYLE):
        figure = Figure()
        figure.subplots().plot([1, 2], color="#ff0000")
    with pytest.raises(ForeignColour, match="#ff0000"):
        Drawing(figure, "A red line")._repr_html_()


def test_no_figure_names_a_colour_but_the_system():
    for path in (PACKAGE / "figures").glob("*.py"):
        if path.name != "system.py":
            assert colours(path.read_text()) == set(), path.name


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_what_is_not_python_uses_the_same_colours(path):
    assert foreign(path.read_text("utf-8")) == set()


def listed(text: str, name: str) -> list[str]:
    """A constant of JavaScript that is a list."""
    found = re.search(rf"const {name} = (\[.*?\]);", text, re.DOTALL)
    assert found, name
    return json.loads(found[1].lower().replace("null", "null"))


def test_widgets_draw_owners_as_figures_do():
    text = (PACKAGE / "explorer" / "common.js").read_text()
    owners = [system.owner(number) for number in range(6)]
    assert listed(text, "COLOURS") == [look.fill for look in owners]
    assert listed(text, "LINES") == [look.degrees for look in owners]
    text = (PACKAGE / "playground" / "view.js").read_text()
    assert listed(text, "LIGHT_INK") == [look.ink.light for look in owners]
    assert listed(text, "DARK_INK") == [look.ink.dark for look in owners]


def rules(text: str, selector: str) -> dict[str, str]:
    """The properties that CSS sets for a selector, colours in full."""
    found = {}
    for block in re.findall(
        re.escape(selector) + r"\s*\{(.*?)\}", text, re.S
    ):
        for name, value in re.findall(r"--([\w-]+):\s*(#\w+)", block):
            [found[name]] = colours(value)
    return found


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_controls_have_the_colours_of_the_system(ground):
    selector = ":root" if ground == "light" else ':root[data-ground="dark"]'
    checked = set()
    for folder, name in (
        ("explorer", "common.css"), ("playground", "playground.css"),
    ):  # fmt: skip
        text = (PACKAGE / folder / name).read_text()
        for key, value in rules(text, selector).items():
            if key in system.INTERFACE:
                assert value == getattr(system.INTERFACE[key], ground), key
                checked.add(key)
    assert checked >= {"ground", "ink", "quiet", "line", "focus", "bad"}
