"""The bibliography: every work that is cited, and no other."""

import re

import nbformat
import pytest
from pybtex.database import Entry, parse_file

from tests.contents import ROOT

BOOK = ROOT / "book"
ENTRIES = parse_file(BOOK / "references.bib").entries
WORK = re.compile(
    r"https?://(?:www\.|dx\.)?((?:arxiv\.org|doi\.org|proceedings\.)[^\s)\]>]+)"
)


def addresses(text: str) -> set[str]:
    """Addresses of works in a text, one form for each work."""
    found = (address.rstrip(".,;") for address in WORK.findall(text))
    return {
        re.sub(r"^arxiv\.org/(?:pdf|html)/", "arxiv.org/abs/", address)
        for address in found
    }


def cited() -> dict[str, set[str]]:
    """Addresses of works, by the page that links to them."""
    pages = {path.name: path.read_text() for path in BOOK.glob("*.md")}
    for path in BOOK.glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        pages[path.name] = "\n".join(cell.source for cell in cells)
    return {name: addresses(text) for name, text in pages.items()}


def address(entry: Entry) -> str:
    """Where an entry leads: to arXiv, else its DOI, else its own page."""
    fields = entry.fields
    if "eprint" in fields:
        return f"arxiv.org/abs/{fields['eprint']}"
    if "doi" in fields:
        return f"doi.org/{fields['doi']}"
    return fields["url"].removeprefix("https://")


LISTED = {address(entry): key for key, entry in ENTRIES.items()}


def test_every_work_that_a_chapter_links_to_is_listed():
    missing = {
        name: sorted(links - set(LISTED))
        for name, links in cited().items()
        if links - set(LISTED)
    }
    assert missing == {}


def test_every_work_that_is_listed_is_linked_to():
    everywhere = set().union(*cited().values())
    assert sorted(set(LISTED) - everywhere) == []


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_is_complete(key):
    entry = ENTRIES[key]
    assert {"title", "year"} <= set(entry.fields)
    assert entry.persons["author"]
    assert re.fullmatch(rf"[a-z]+{entry.fields['year']}[a-z]+", key)


def test_no_work_is_listed_twice():
    assert len(LISTED) == len(ENTRIES)


def test_links_to_the_same_work_are_told_to_be_one():
    text = (
        "[a](https://arxiv.org/abs/1711.05769), "
        "[b](http://arxiv.org/pdf/1711.05769). https://doi.org/10.1/x, "
        "[c](https://github.com/arunmallya/packnet)"
    )
    assert addresses(text) == {"arxiv.org/abs/1711.05769", "doi.org/10.1/x"}
