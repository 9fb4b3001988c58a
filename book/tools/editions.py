"""The book twice, to be handed out: for students and for teachers.

`python book/tools/editions.py` writes two folders into `_build/editions/`
and a zip of each. `student` has every notebook without its solutions and
answers; hints stay. `teacher` has them. In both, the first cell installs
the library from a wheel that lies beside the notebooks, so a folder is
all that is needed, whatever the repository's address.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from folds import folds, without

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
OUT = ROOT / "_build" / "editions"
SOURCES = (
    "pyproject.toml", "README.md", "LICENSE", "packnet_core",
    "book/packnet_book", "data/manifests", "data/pretrained",
    "data/results", "data/studies/questions",
)  # fmt: skip
LICENCES = ("LICENSE", "LICENSE-text")
INSTALL = re.compile(r'^( *%pip install --quiet) "packnet-core @ .*"$', re.M)
LINK = re.compile(r"\]\(([^)\s#:]+)(#[^)\s]*)?\)")
# What only the rendered book can show: tables from records, the playground.
RENDERED = re.compile(r"^```\{[\w-]+\}.*?^```$", re.MULTILINE | re.DOTALL)
EDITIONS: dict[str, Callable[[str], str]] = {
    "student": lambda text: without(
        text, [f for f in folds(text) if f.answer]
    ),
    "teacher": lambda text: text,
}
README = """\
# The PackNet book, {edition} edition

Notebooks of the chapters{what}, with the library that they use. The other
chapters and pages are in the book itself.

## Begin

You need Python 3.11 or newer. In this folder:

```
python3 -m venv env
env/bin/pip install {wheel} jupyterlab
env/bin/jupyter lab
```

(On Windows write `env\\Scripts` for `env/bin`.) That downloads PyTorch once;
after it, nothing is downloaded any more. No graphics card and no data set is
needed. Begin with `lifelong_learning.ipynb`, or with `prerequisites.ipynb` if
torch is new to you.

In Colab: open a notebook, and put `{wheel}`
beside it (the folder at the left, *Upload*). The first cell installs it.

## What there is

{chapters}

{role}

Text CC BY 4.0 (`LICENSE-text`), code MIT (`LICENSE`).
"""
ROLES = {
    "student": (
        ", without solutions and answers",
        "Exercises with a line `# your turn` check themselves. Answer the "
        "others in a new\ntext cell below the question. Hand in the "
        "notebook, saved under your name.\n\nThe library has the method, as "
        "any library has: `packnet_core`, and in\n"
        "`packnet_book.from_scratch` the five functions of *PackNet from "
        "scratch*, with\nwhich that chapter goes on where you leave one "
        "empty.",
    ),
    "teacher": (
        ", with solutions and answers",
        "The student edition is the same less the folds *Solution*, "
        "*Answer*, and the\nlike. Plans, talking points, slides and a "
        "marking scheme are in *For teachers*,\nin the book. What students "
        "hand in can be marked from this folder:\n\n```\nenv/bin/python -m "
        "packnet_book.exercises.marking --book . HANDED_IN/*.ipynb\n```\n\n"
        "That executes the students' code: *For teachers* says how to do it "
        "safely.",
    ),
}


class BadChapter(ValueError):
    """A notebook that cannot be handed out as it is."""


def wheel(folder: Path) -> Path:
    """Build the library into a folder; returns the file.

    Made of a copy, so that nothing is left in the checkout. Raises
    CalledProcessError.
    """
    with tempfile.TemporaryDirectory() as place:
        for name in SOURCES:
            source, target = ROOT / name, Path(place, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                leave = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(source, target, ignore=leave)
            else:
                shutil.copy(source, target)
        command = [
            sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
            "--no-build-isolation", "--wheel-dir", str(folder), place,
        ]  # fmt: skip
        subprocess.run(command, check=True)
    [made] = folder.glob("packnet_core-*.whl")
    return made


def pages() -> dict[str, Path]:
    """What is handed out, by name: all chapters, and pages they link to."""
    found = {path.stem: path for path in sorted(BOOK.glob("*.ipynb"))}
    texts = {path.stem: path for path in sorted(BOOK.glob("*.md"))}
    waiting = list(found.values())
    while waiting:
        for link in LINK.finditer(waiting.pop().read_text("utf-8")):
            name = Path(link[1]).stem
            if name in texts and name not in found:
                found[name] = texts[name]
                waiting.append(texts[name])
    return found


def linked(text: str, handed_out: dict[str, Path]) -> str:
    """A text in which links to pages name their files."""

    def named(link: re.Match) -> str:
        page = handed_out.get(Path(link[1]).stem)
        return f"]({page.name if page else link[1]}{link[2] or ''})"

    return LINK.sub(named, text)


def edited(notebook: dict, change: Callable[[str], str], file: str) -> dict:
    """A notebook with its texts changed, that installs a file beside it.

    Text cells of which nothing is left are dropped. Raises BadChapter
    unless exactly one cell installs the library.
    """
    cells, installs = [], 0
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            text = change(text)
            if not text.strip():
                continue
        else:
            text, found = INSTALL.subn(rf'\1 "./{file}"', text)
            installs += found
        cells.append({**cell, "source": text.splitlines(keepends=True)})
    if installs != 1:
        raise BadChapter(f"{installs} cells install the library, not one")
    return {**notebook, "cells": cells}


def heading(notebook: dict) -> str:
    return "".join(notebook["cells"][0]["source"]).splitlines()[0][2:]


def build(out: Path) -> dict[str, Path]:
    """Write both editions into a folder; returns theirs, by name.

    What lay there is replaced. Raises BadFold, BadChapter.
    """
    handed_out = pages()
    made = {}
    with tempfile.TemporaryDirectory() as place:
        library = wheel(Path(place))
        for edition, change in EDITIONS.items():
            folder = out / edition
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            shutil.copy(library, folder)
            for licence in LICENCES:
                shutil.copy(ROOT / licence, folder)
            listed = [
                _write(path, folder, change, handed_out, library.name)
                for path in handed_out.values()
            ]
            what, role = ROLES[edition]
            readme = README.format(
                edition=edition, what=what, role=role, wheel=library.name,
                chapters="\n".join(filter(None, listed)),
            )  # fmt: skip
            (folder / "README.md").write_text(readme, "utf-8")
            shutil.make_archive(str(folder), "zip", out, edition)
            made[edition] = folder
    return made


def _write(path, folder, change, handed_out, library) -> str:
    """Write one page; returns its line in the list of chapters, if any."""
    text = path.read_text("utf-8")
    target = folder / path.name
    if path.suffix == ".md":
        text = RENDERED.sub("*(Shown here in the rendered book.)*", text)
        target.write_text(linked(text, handed_out), "utf-8")
        return ""
    try:
        notebook = edited(
            json.loads(text),
            lambda cell: linked(change(cell), handed_out),
            library,
        )
    except ValueError as error:
        raise type(error)(f"{path.name}: {error}") from None
    written = json.dumps(notebook, indent=1, ensure_ascii=False)
    target.write_text(written + "\n", "utf-8")
    return f"* `{path.name}`: {heading(notebook)}"


def main() -> int:
    for folder in build(OUT).values():
        count = len([*folder.glob("*.ipynb")])
        print(f"{folder.relative_to(ROOT)}: {count} notebooks; and as "
              f"{folder.name}.zip")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
