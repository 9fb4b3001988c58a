"""A page of HTML that stands alone: its script, its style, its data.

It asks no other place for anything. In a notebook it shows in a frame of
its own, so that neither disturbs the other; the frame grows with it.
"""

import base64
import html
import json
import os
import zlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template

from packnet_book.places import write_text

FRAME = (
    '<iframe title="{title}" srcdoc="{page}" loading="lazy" '
    'style="width: 100%; height: {height}px; border: 0" '
    "></iframe>"
)


@dataclass(frozen=True, repr=False)
class Page:
    """HTML that can be shown in a notebook or written to a file.

    html: the whole document; title: what it is; text: what it says, for
    outputs without HTML; height: of its frame in pixels, at first.
    """

    html: str
    title: str
    text: str
    height: int = 600

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return FRAME.format(
            title=html.escape(self.title),
            page=html.escape(self.html),
            height=self.height,
        )

    def write(self, path: str | os.PathLike) -> None:
        """Write the document to a file, replacing it at once."""
        write_text(path, self.html)


def fill(
    name: str, title: str, data: object,
    folder: str = "packnet_book.explorer", style: str = "",
) -> str:  # fmt: skip
    """The document made of `name`.html, .css and .js of a package.

    data: plain; the script finds it as JSON in the element `data`; style:
    CSS that stands before the page's own.
    """
    common, own = files("packnet_book.explorer"), files(folder)

    def read(*parts: Traversable) -> str:
        return "".join(part.read_text("utf-8") for part in parts)

    told = json.dumps(data, separators=(",", ":"))
    return Template(read(common / "document.html")).substitute(
        title=html.escape(title),
        style=style + read(common / "common.css", own / f"{name}.css"),
        body=read(own / f"{name}.html"),
        data=told.replace("<", "\\u003c"),  # as it may stand in a script
        script=read(common / "common.js", own / f"{name}.js"),
    )


def packed(data: bytes) -> str:
    """Bytes for the data of a document: deflated (zlib), in base64."""
    # Level 9 takes fifteen times as long as 7 and spares less than 1 %.
    return base64.b64encode(zlib.compress(data, 7)).decode()
