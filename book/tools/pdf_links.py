"""Sphinx extension: pages link to the PDFs only where these are made.

`make pdf` sets `PACKNET_PDF`; then parts of a page inside `{only} pdf` are
shown. A page that is rendered without it has no link that leads nowhere.
"""

import os

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict:
    if os.environ.get("PACKNET_PDF"):
        app.tags.add("pdf")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
