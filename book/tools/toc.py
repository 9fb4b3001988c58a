"""What `_toc.yml` lists: parts, their pages, and what a page is called."""

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
CONTENTS = ROOT / "_toc.yml"


@dataclass(frozen=True)
class Part:
    """A part of the book. pages: without ending, from the root."""

    caption: str
    numbered: bool
    pages: tuple[str, ...]


def parts() -> list[Part]:
    """The parts in their order; the front page is in none."""
    return [
        Part(
            part["caption"],
            bool(part.get("numbered")),
            tuple(entry["file"] for entry in part["chapters"]),
        )
        for part in yaml.safe_load(CONTENTS.read_text("utf-8"))["parts"]
    ]


def index() -> str:
    """The front page."""
    return yaml.safe_load(CONTENTS.read_text("utf-8"))["root"]


def pages() -> list[str]:
    """Every page in the order of the book, the front page first."""
    return [index(), *(page for part in parts() for page in part.pages)]


def source(page: str) -> Path:
    """The notebook or the text that a page is made of."""
    notebook = ROOT / f"{page}.ipynb"
    return notebook if notebook.is_file() else ROOT / f"{page}.md"


def title(path: Path) -> str:
    """The heading of level 1 of a notebook or a text."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        text = "".join(json.loads(text)["cells"][0]["source"])
    heading = next(x for x in text.splitlines() if x.startswith("# "))
    return heading.removeprefix("# ").strip()
