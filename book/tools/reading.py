"""How long a page takes to read, computed from what stands in it.

The rates are assumptions, for a text that is read to be understood: they
were not measured with readers. Folds, exercises and self-tests are not
counted, nor is code that is folded away.
"""

import json
import re
from math import ceil

import toc
from folds import folds, without

WORDS, LINES = 150, 20  # that are read in a minute: of text, of open code
FIGURE = 0.5  # minutes for a figure, or a table
SHOWN = re.compile(r'class="pn-(?:figure|table)"')
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(r"\]\([^)]*\)")
WORD = re.compile(r"\w[\w'’-]*")
LEFT_OUT = re.compile(
    r"^## (?:Exercises|Self-test)\b.*?(?=^## |\Z)",
    re.MULTILINE | re.DOTALL,
)


def words(text: str) -> int:
    """How many words of a Markdown text are read."""
    plain = LEFT_OUT.sub("", without(text, folds(text)))
    return len(WORD.findall(ADDRESS.sub("]", FENCE.sub("", plain))))


def minutes(page: str) -> int:
    """Minutes to read a page of the book, `book/what_if` for instance."""
    path = toc.source(page)
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        return ceil(words(text) / WORDS)
    prose, lines, shown = [], 0, 0
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            prose.append(source)
            continue
        shown += sum(
            len(SHOWN.findall("".join(output["data"].get("text/html", ""))))
            for output in cell["outputs"]
            if "data" in output
        )
        open_code = "hide-input" not in cell["metadata"].get("tags", [])
        # what is filled in by students is an exercise
        if open_code and "check_" not in source and "your turn" not in source:
            lines += sum(bool(line.strip()) for line in source.splitlines())
    read = words("\n\n".join(prose)) / WORDS
    return ceil(read + lines / LINES + FIGURE * shown)
