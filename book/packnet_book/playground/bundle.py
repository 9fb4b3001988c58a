"""The modules in this folder, put together to one page that stands alone.

`import` and `export` are taken out, and the rest set one after the other.
What trains (`ENGINE`) is an element of its own: the worker is made of it.
"""

import json
import re
from html import escape
from importlib.resources import files
from string import Template

HERE = files("packnet_book.playground")
COMMON = files("packnet_book.explorer")  # colours, ground, small helpers
ENGINE = ("numbers", "method", "tasks", "run", "draws", "state")
SHOWN = (
    "view",
    "missions",
    "pad",
    "pointing",
    "table",
    "exchange",
    "controls",
)
IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=const|function|async|class)", re.MULTILINE)


def read(name: str) -> str:
    return (HERE / name).read_text("utf-8")


def common(name: str) -> str:
    return (COMMON / name).read_text("utf-8")


def join(names: tuple[str, ...]) -> str:
    """Modules as one classic script."""
    sources = (IMPORT.sub("", read(f"{name}.js")) for name in names)
    return '"use strict";\n' + "".join(EXPORT.sub("", s) for s in sources)


def bundle(title: str, data: dict, reduced: bool) -> str:
    """The whole document. data: plain; what the scripts find in it."""
    defaults = json.loads(read("defaults.json"))
    told = json.dumps(data | {"defaults": defaults}, separators=(",", ":"))
    return Template(read("document.html")).substitute(
        title=escape(title),
        form="reduced" if reduced else "whole",
        style=common("common.css") + read("playground.css"),
        body=read("playground.html"),
        data=told.replace("<", "\\u003c"),  # as it may stand in a script
        engine=join(ENGINE),
        script=common("common.js") + join(SHOWN),
    )
