"""Sphinx extension: what the reader does gets a box of its own.

Chapters are plain Markdown, so that Colab shows them too. A paragraph that
begins with one of `BEGINNINGS` in bold gets that class; so does a list that
follows it directly. A prediction in the middle of a paragraph begins one of
its own. In the sections of exercises and self-tests each question becomes
one box, with its answer. What a cell has printed may be wrapped, unless it
has columns. A table with sentences in it is known as one.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

BEGINNINGS = {
    "pn-predict": re.compile(r"Predict\b|What do you expect\?"),
    "pn-finding": re.compile(r"(Answer|Finding|Result)\b"),
    "pn-pitfall": re.compile(r"(Pitfall|Trap|Careful|Warning)\b"),
}
SECTIONS = {
    "pn-exercise": re.compile(r"Exercises\b"),
    "pn-question": re.compile(r"(Self-test|Check yourself|Questions)\b"),
}
COLUMNS = re.compile(r"\S {2,}\S")
SENTENCE = 60  # characters
NUMBER = re.compile(r"(Exercise )?\d+\.")


def bold(node: nodes.Node) -> str | None:
    """What a paragraph begins with, in bold; None if it does not."""
    if not isinstance(node, nodes.paragraph):
        return None
    # MyST puts an empty text before what is emphasised
    parts = [x for x in node.children if x.astext().strip()]
    if not parts or not isinstance(parts[0], nodes.strong):
        return None
    return parts[0].astext()


def split(doctree: nodes.document) -> None:
    """Let a prediction that stands in mid-paragraph begin a new one."""
    predicts = BEGINNINGS["pn-predict"]
    for strong in list(doctree.findall(nodes.strong)):
        paragraph = strong.parent
        place = paragraph.index(strong)
        before = "".join(x.astext() for x in paragraph[:place]).strip()
        if (
            isinstance(paragraph, nodes.paragraph)
            and predicts.match(strong.astext())
            and before
        ):
            rest = nodes.paragraph("", "", *paragraph[place:])
            del paragraph[place:]
            paragraph.parent.insert(
                paragraph.parent.index(paragraph) + 1, rest
            )


def mark(doctree: nodes.document) -> None:
    """Give paragraphs the class that their beginning says."""
    for paragraph in list(doctree.findall(nodes.paragraph)):
        words = bold(paragraph)
        for name, beginning in BEGINNINGS.items():
            if words and beginning.match(words):
                paragraph["classes"].append(name)
                after = paragraph.next_node(descend=False, siblings=True)
                if isinstance(
                    after, nodes.bullet_list | nodes.enumerated_list
                ):
                    after["classes"].append(name)


def group(section: nodes.section, name: str, questions: bool) -> None:
    """Put each question of a section, and what belongs to it, in a box.

    questions: of a self-test, where all that is bold is a question.
    """
    made: list[nodes.Node] = []
    box: nodes.container | None = None
    for child in list(section.children):
        words = bold(child)
        begins = words and (questions or NUMBER.match(words))
        if begins and not _open(box):
            box = nodes.container(classes=[name])
            made.append(box)
        elif isinstance(child, nodes.section):
            box = None
        if box is None:
            made.append(child)
        else:
            section.remove(child)
            box += child
    section.children = made
    for child in made:
        child.parent = section


def _open(box: nodes.container | None) -> bool:
    """Whether an answer that was begun in a box is not yet closed."""
    if box is None:
        return False
    raw = "".join(node.astext() for node in box.findall(nodes.raw))
    return raw.count("<details") > raw.count("</details")


def wrap(doctree: nodes.document) -> None:
    """Mark what was printed without columns: it may be wrapped."""
    for block in doctree.findall(nodes.literal_block):
        printed = {"stream", "text_plain"} & set(block["classes"])
        if printed and not COLUMNS.search(block.astext()):
            block["classes"].append("pn-lines")


def tell_wordy(doctree: nodes.document) -> None:
    """Mark tables with sentences: on a phone their columns stay wide."""
    for table in doctree.findall(nodes.table):
        cells = [entry.astext() for entry in table.findall(nodes.entry)]
        if any(len(cell) > SENTENCE for cell in cells):
            table["classes"].append("pn-wordy")


def boxes(app: Sphinx, doctree: nodes.document) -> None:
    if not app.env.docname.startswith("book/"):
        return
    split(doctree)
    mark(doctree)
    wrap(doctree)
    tell_wordy(doctree)
    for section in list(doctree.findall(nodes.section)):
        title = section.next_node(nodes.title)
        for name, pattern in SECTIONS.items():
            if title and pattern.match(title.astext()):
                group(section, name, name == "pn-question")


def setup(app: Sphinx) -> dict:
    app.connect("doctree-read", boxes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
