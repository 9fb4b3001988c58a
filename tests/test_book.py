"""The chapters as stored: executed, complete, and fit for every reader."""

import ast
import base64
import copy
import html
import io
import re

import nbformat
import pytest
from matplotlib.figure import Figure
from nbformat import NotebookNode
from PIL import Image

from address import setting
from packnet_book.figures import Drawing
from tests.contents import PAGES, ROOT
from tests.looks import foreign

BOOK = ROOT / "book"
CHAPTERS = sorted(BOOK.glob("*.ipynb"))
LIMIT = 500_000  # bytes a chapter
WORDS = 34_000  # in all chapters
TAGS = {"nbval-ignore-output", "hide-input", "hide-output", "hide-cell"}
INSTALL = f"""\
try:
    import packnet_core
except ModuleNotFoundError:
    %pip install --quiet "packnet-core @ git+{setting()}"
"""
LIBRARY = "packnet_core"
VECTORS = 'class="pn-figure"'
SHOWS = re.compile(r"^(print|display|plt\.show)\(", re.MULTILINE)
PICTURE = re.compile(r"!\[|<img\b")
DIRECTIVE = re.compile(r"^(:::+|```+)\s*\{", re.MULTILINE)
FILE_NAME = re.compile(r"^\S+\.\w{2,4}$|^[0-9a-f]{12,}")


def faults(notebook: NotebookNode) -> list[str]:
    """Everything that is wrong with a chapter, a line for each."""
    code = [c for c in notebook.cells if c.cell_type == "code"]
    text = [c for c in notebook.cells if c.cell_type == "markdown"]
    found = [*form(notebook, text), *execution(code)]
    if not code or code[0].source.strip() != INSTALL.strip():
        found.append("the first code cell is not the install cell")
    if LIBRARY in names("\n".join(map(plain, code[1:]))):
        found.append(f"{LIBRARY} is imported by the install cell only")
    for cell in text:
        if PICTURE.search(cell.source):
            found.append("a picture in prose; draw it in a code cell")
        if DIRECTIVE.search(cell.source):
            found.append("a MyST directive; Colab shows its source")
    for cell in code:
        found += pictures(cell)
        for tag in set(cell.metadata.get("tags", [])) - TAGS:
            found.append(f"unknown tag {tag}")
        if "# NBVAL" in cell.source:
            found.append("a comment for nbval; use a tag")
    return found


def names(source: str) -> set[str]:
    """The names that are used without being imported before."""
    nodes = list(ast.walk(ast.parse(source)))
    imported = {
        alias.name.split(".")[0]
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    return {n.id for n in nodes if isinstance(n, ast.Name)} - imported


def plain(cell: NotebookNode) -> str:
    """A cell's Python, without the lines that only IPython knows."""
    magic = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
    return magic.sub(r"\1pass", cell.source)


def form(notebook: NotebookNode, text: list[NotebookNode]):
    """Metadata and headings."""
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    if "widgets" in notebook.metadata:
        yield "stored widgets; their scripts come from the network"
    first = notebook.cells[0]
    if first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "does not open with a heading of level 1"
    prose = "\n".join(cell.source for cell in text)
    if len(re.findall(r"^# ", prose, re.MULTILINE)) != 1:
        yield "not exactly one heading of level 1"
    for heading in ("Summary", "Exercises"):
        if f"\n## {heading}" not in f"\n{prose}":
            yield f"no section {heading}"


def execution(code: list[NotebookNode]):
    """Executed once, in order, without error, and nothing cleared."""
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        yield f"not executed in order: {counts}"
    for cell in code:
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"cell {cell.execution_count} ends in an error"
        if SHOWS.search(cell.source) and not cell.outputs:
            yield f"the output of cell {cell.execution_count} was cleared"
    if not any(compared(cell) for cell in code):
        yield "no output that nbval compares"


def compared(cell: NotebookNode) -> bool:
    if "nbval-ignore-output" in cell.metadata.get("tags", []):
        return False
    return not all(drawn(output) for output in cell.outputs)


def drawn(output: NotebookNode) -> bool:
    """Whether an output is a picture, or a figure of `packnet_book`."""
    data = output.get("data", {})
    return "image/png" in data or VECTORS in data.get("text/html", "")


def pictures(cell: NotebookNode):
    """Alternative text, a caption, a ground that suits a dark page."""
    image = cell.metadata.get("mystnb", {}).get("image", {})
    alt = image.get("alt", "").strip()
    for output in cell.outputs:
        data = output.get("data", {})
        if VECTORS in data.get("text/html", ""):
            told = data.get("text/plain", "").strip()
            for fault in vectors(data["text/html"], told):
                yield f"figure of cell {cell.execution_count} {fault}"
        if not any(kind.startswith("image/") for kind in data):
            continue
        if not alt or FILE_NAME.search(alt):
            yield f"figure of cell {cell.execution_count} has no alt text"
        if alt != data.get("text/plain", "").strip():
            yield f"alt text of cell {cell.execution_count} is not its output"
        if "image/png" in data:
            raw = io.BytesIO(base64.b64decode(data["image/png"]))
            alpha = Image.open(raw).convert("RGBA").getextrema()[3]
            if alpha != (255, 255):
                yield f"figure of cell {cell.execution_count} is transparent"


def vectors(figure: str, told: str):
    """What is wrong with a figure, which is said to be like this."""
    label = re.search(r'<svg role="img" aria-label="([^"]*)"', figure)
    alt = html.unescape(label[1]).strip() if label else ""
    if not alt or FILE_NAME.search(alt):
        yield "has no alt text"
    if alt != told:
        yield "has an alt text that is not its output"
    if not re.search(r"<figcaption>\s*[^<\s]", figure):
        yield "has no caption"
    if "background:var(--pn-paper)" not in figure:
        yield "is transparent"
    for colour in sorted(foreign(figure)):
        yield f"has a colour outside the system: {colour}"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_is_executed_and_well_formed(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert faults(notebook) == []
    assert path.stat().st_size < LIMIT


def test_the_contents_list_every_page_once():
    pages = [*CHAPTERS, *BOOK.glob("*.md")]
    assert sorted(PAGES) == sorted(f"book/{path.stem}" for path in pages)


def lines() -> dict[str, str]:
    """A figure of vectors without fault, as a notebook holds it."""
    drawing = Drawing(Figure(figsize=(1, 1)), 'An "empty" figure', "No.")
    return {"text/html": drawing._repr_html_(), "text/plain": str(drawing)}


@pytest.fixture
def chapter() -> NotebookNode:
    """A small chapter without fault: prose, install, two figures, print."""
    new = nbformat.v4
    figure = io.BytesIO()
    Image.new("RGB", (2, 2), "white").save(figure, "png")
    data = {
        "image/png": base64.b64encode(figure.getvalue()).decode(),
        "text/plain": "A white square",
    }
    cells = [
        new.new_markdown_cell("# Title\n\nOne sentence."),
        new.new_code_cell(INSTALL),
        new.new_code_cell(
            "plt.show()",
            metadata={"mystnb": {"image": {"alt": "A white square"}}},
            outputs=[new.new_output("display_data", data)],
        ),
        new.new_code_cell(
            "print(1)", outputs=[new.new_output("stream", text="1\n")]
        ),
        new.new_code_cell(
            "empty()", outputs=[new.new_output("display_data", lines())]
        ),
        new.new_markdown_cell("## Summary\n\nIt works.\n\n## Exercises"),
    ]
    for count, cell in enumerate(cells[1:5], start=1):
        cell.execution_count = count
    metadata = {"kernelspec": {"name": "python3", "display_name": "Py"}}
    return new.new_notebook(cells=cells, metadata=metadata)


def test_a_chapter_without_fault_passes(chapter):
    assert faults(chapter) == []


def clear(chapter):
    for cell in chapter.cells[1:5]:
        cell.outputs = []


def unexecuted(chapter):
    chapter.cells[2].execution_count = None


def swapped(chapter):
    chapter.cells[1:3] = chapter.cells[2:0:-1]


def fails(chapter):
    error = nbformat.v4.new_output(
        "error", ename="E", evalue="", traceback=[]
    )
    chapter.cells[3].outputs = [error]


def mask(chapter):
    chapter.cells[3].metadata.tags = ["nbval-ignore-output"]


def other_install(chapter):
    chapter.cells[1].source = "!pip install packnet-core"


def no_alt(chapter):
    del chapter.cells[2].metadata["mystnb"]


def hash_as_alt(chapter):
    chapter.cells[2].metadata.mystnb.image.alt = "0123456789abcdef.png"


def other_alt(chapter):
    chapter.cells[2].metadata.mystnb.image.alt = "A black square"


def transparent(chapter):
    figure = io.BytesIO()
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(figure, "png")
    data = chapter.cells[2].outputs[0].data
    data["image/png"] = base64.b64encode(figure.getvalue()).decode()


def figure_of(chapter):
    return chapter.cells[4].outputs[0].data


def no_label(chapter):
    data = figure_of(chapter)
    data["text/html"] = data["text/html"].replace(" aria-label", " title")


def other_label(chapter):
    figure_of(chapter)["text/plain"] = "Another figure"


def no_caption(chapter):
    data = figure_of(chapter)
    data["text/html"] = data["text/html"].replace("<figcaption>No.", "")


def no_ground(chapter):
    data = figure_of(chapter)
    data["text/html"] = data["text/html"].replace("background:", "color:")


def foreign_colour(chapter):
    data = figure_of(chapter)
    data["text/html"] = data["text/html"].replace("#ffffff", "#ff0000")


def unknown_tag(chapter):
    chapter.cells[3].metadata.tags = ["nbval-skip"]


def nbval_comment(chapter):
    chapter.cells[3].source = "# NBVAL_IGNORE_OUTPUT\nprint(1)"


def picture_in_prose(chapter):
    chapter.cells[0].source += "\n\n![A filter](filter.png)"


def directive_in_prose(chapter):
    chapter.cells[0].source += "\n\n```{note}\nx\n```"


def no_heading(chapter):
    chapter.cells[0].source = "Title"


def second_heading(chapter):
    chapter.cells[-1].source += "\n\n# Another"


def no_summary(chapter):
    chapter.cells[-1].source = "## Exercises"


def other_kernel(chapter):
    chapter.metadata.kernelspec.name = "my-environment"


def not_imported(chapter):
    chapter.cells[3].source = "print(packnet_core.PackNet)"


def widgets(chapter):
    chapter.metadata.widgets = {}


DOCTORED = {
    clear: "was cleared",
    unexecuted: "not executed in order",
    swapped: "not executed in order",
    fails: "ends in an error",
    mask: "no output that nbval compares",
    other_install: "not the install cell",
    no_alt: "no alt text",
    hash_as_alt: "no alt text",
    other_alt: "is not its output",
    transparent: "is transparent",
    no_label: "no alt text",
    other_label: "is not its output",
    no_caption: "has no caption",
    no_ground: "is transparent",
    foreign_colour: "outside the system: #ff0000",
    unknown_tag: "unknown tag",
    nbval_comment: "comment for nbval",
    picture_in_prose: "picture in prose",
    directive_in_prose: "MyST directive",
    no_heading: "does not open with a heading",
    second_heading: "not exactly one heading",
    no_summary: "no section Summary",
    other_kernel: "kernel is not python3",
    not_imported: "imported by the install cell only",
    widgets: "stored widgets",
}


@pytest.mark.parametrize("doctor", DOCTORED, ids=lambda d: d.__name__)
def test_a_doctored_chapter_is_refused(chapter, doctor):
    doctored = copy.deepcopy(chapter)
    doctor(doctored)
    assert any(DOCTORED[doctor] in fault for fault in faults(doctored))


def test_the_chapters_have_no_more_words_than_they_should():
    counts = {
        path.stem: sum(
            len(cell.source.split())
            for cell in nbformat.read(path, 4).cells
            if cell.cell_type == "markdown"
        )
        for path in CHAPTERS
    }
    assert 0 < sum(counts.values()) <= WORDS, counts
