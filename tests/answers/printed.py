"""What the chapters print: functions of solutions, and code cells."""

import re
from typing import Any

import nbformat

from tests.contents import ROOT

BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def solution(chapter: str, name: str, **known: Any) -> Any:
    """The function `name` as a folded solution of a chapter defines it.

    known: what the code around it has defined by then.
    """
    path = ROOT / "book" / f"{chapter}.ipynb"
    for cell in nbformat.read(path, as_version=4).cells:
        for block in BLOCK.findall(cell.source):
            if cell.cell_type == "markdown" and f"def {name}(" in block:
                exec(block, known)
                return known[name]
    raise LookupError(f"{chapter} prints no solution that defines {name}")


def definitions(chapter: str, *names: str) -> dict[str, Any]:
    """What the code cells define that contain `def name(`, in order."""
    path = ROOT / "book" / f"{chapter}.ipynb"
    found: dict[str, Any] = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and any(
            f"def {name}(" in cell.source for name in names
        ):
            exec(cell.source, found)
    return found
