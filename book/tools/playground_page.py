"""Sphinx extension: `{playground}` shows the playground on a page.

With the option `reduced`: panels, network and buttons alone. The directive
`{playground-table}` prints the recorded draws.
"""

from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from pandas import DataFrame
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from packnet_book import playground as package
from packnet_book.figures import Table as Typeset
from packnet_book.figures import table
from packnet_book.playground import playground
from packnet_book.playground.records import METHODS, book_table


class Playground(SphinxDirective):
    option_spec: ClassVar = {"reduced": directives.flag}

    def run(self) -> list[nodes.Node]:
        for source in Path(package.__file__).parent.iterdir():
            self.env.note_dependency(str(source))
        page = playground("reduced" in self.options)
        frame = f'<div class="playground">{page._repr_html_()}</div>'
        return [nodes.raw("", frame, format="html")]


class Table(Directive):
    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", draws().html, format="html")]


def draws() -> Typeset:
    """The recorded draws, a row for each method."""
    made = book_table()
    rows = {
        METHODS[method]: [f"{mean:.1f} ± {half:.1f}" for mean, half in cells]
        for method, cells in made["rows"]
    }
    return table(
        DataFrame(rows, index=made["tasks"]).T,
        f"Error in %, mean and 95 % interval of {made['draws']} draws, "
        f"each measured on 1,000 fresh points a task. {made['browser']}, "
        f"{made['date']}.",
    )


def setup(app: Sphinx) -> dict:
    app.add_directive("playground", Playground)
    app.add_directive("playground-table", Table)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
