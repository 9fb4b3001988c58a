"""What the interactives have in common: how their pages are made."""

from collections.abc import Iterable

from packnet_book.explorer.page import Page, fill
from packnet_book.figures.system import Look


def page(
    name: str, title: str, text: str, data: object, height: int,
    looks: Iterable[Look] = (),
) -> Page:  # fmt: skip
    """The page made of `name`.html, .css and .js in this folder.

    text: what it says where there is no HTML; data: plain; height: of its
    frame in pixels, at first; looks: their inks are properties of CSS,
    `--pruned` and so on.
    """
    html = fill(name, title, data, "packnet_book.interactives", inks(looks))
    return Page(html, title, text, height)


def inks(looks: Iterable[Look]) -> str:
    """CSS: the ink of each look on a light and on a dark ground."""
    chosen = [look.ink for look in looks]
    light = ";".join(f"--{ink.name}:{ink.light}" for ink in chosen)
    dark = ";".join(f"--{ink.name}:{ink.dark}" for ink in chosen)
    return f':root{{{light}}}:root[data-ground="dark"]{{{dark}}}\n'
