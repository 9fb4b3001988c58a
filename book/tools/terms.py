"""Sphinx extension: a link to the glossary carries what the word means.

The first sentence of the entry goes into the page, as an attribute of the
link; `terms.js` shows it where the pointer, the finger or the focus is.
"""

import re
from functools import cache
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

GLOSSARY = "book/glossary"
LINK = re.compile(
    r'<a class="reference internal" '
    r'(?P<href>href="(?:[^"#]*/)?glossary\.html#(?P<term>[^"]+)")'
)
SENTENCE = re.compile(r"(?P<first>.+?[.?!])(?=\s+[A-Z]|\s*$)", re.DOTALL)


def first_sentence(text: str) -> str:
    """Up to the first full stop that a capital letter follows."""
    found = SENTENCE.match(text)
    return " ".join((found["first"] if found else text).split())


@cache
def terms(env: BuildEnvironment) -> dict[str, str]:
    """The first sentence of each entry, by its anchor."""
    found = {}
    for section in env.get_doctree(GLOSSARY).findall(nodes.section):
        paragraph = section.next_node(nodes.paragraph)
        if paragraph is not None and paragraph.parent is section:
            told = first_sentence(paragraph.astext())
            found.update(dict.fromkeys(section["ids"], told))
    return found


def explain(body: str, known: dict[str, str]) -> str:
    """A page in which links to the glossary say what it says."""

    def explained(link: re.Match) -> str:
        told = known.get(link["term"])
        if told is None:
            return link[0]
        return (
            f'<a class="reference internal pn-term" '
            f'data-told="{escape(told, quote=True)}" {link["href"]}'
        )

    return LINK.sub(explained, body)


def on_page(
    app: Sphinx, page: str, template: str, context: dict, tree
) -> None:
    if "glossary.html#" in context.get("body", ""):
        context["body"] = explain(context["body"], terms(app.env))


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", on_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
