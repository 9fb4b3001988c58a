"""What the tests of figures, tables and widgets look for in their text."""

import re
from collections.abc import Iterable

from packnet_book.figures import system

HEX = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b(?![\w-])")
DATA = re.compile(r"data:image/[^\"')]*")


def colours(text: str) -> set[str]:
    """All colours that a text names as #rgb or #rrggbb, without pictures."""
    found = {name.lower() for name in HEX.findall(DATA.sub("", text))}
    return {
        name if len(name) == 7 else "#" + "".join(2 * c for c in name[1:])
        for name in found
    }


def system_colours() -> set[str]:
    """Every colour of the system, on a light and on a dark ground."""
    both: Iterable[system.Colour] = (
        *system.COLOURS.values(),
        *system.INTERFACE.values(),
        *system.PAGE,
    )
    shades = {shade for c in both for shade in (c.light, c.dark)}
    return shades | system.allowed()


def foreign(text: str) -> set[str]:
    """Colours that a text names and the system does not have."""
    return colours(text) - system_colours()
