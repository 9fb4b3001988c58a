"""Python of notebooks, statement by statement."""

import ast
import builtins
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAGIC = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)
KNOWN = frozenset(dir(builtins))


class BadNotebook(ValueError):
    """A file that cannot be marked; the message says why."""


@dataclass(frozen=True)
class Statement:
    """One statement at the top level of a cell.

    binds: the names that it gives a value; uses: those that it reads.
    """

    text: str
    binds: frozenset[str]
    uses: frozenset[str]

    @property
    def checks(self) -> frozenset[str]:
        """The checks of exercises that it calls."""
        return frozenset(n for n in self.uses if n.startswith("check_"))


@dataclass(frozen=True)
class Cell:
    """One cell. kind: "code" or "markdown"; fault: why it is no Python."""

    kind: str
    text: str
    statements: tuple[Statement, ...] = ()
    fault: str = ""
    binds: frozenset[str] = field(default=frozenset())


def cells(path: Path) -> list[Cell]:
    """The cells of a notebook. Raises BadNotebook."""
    try:
        notebook = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadNotebook(f"cannot be opened: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise BadNotebook("is damaged, or no notebook: not JSON") from None
    listed = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(listed, list):
        raise BadNotebook("is no notebook of format 4: it has no cells")
    language = _at(notebook, "metadata", "kernelspec", "language")
    language = language or _at(notebook, "metadata", "language_info", "name")
    if language and str(language).lower() not in ("python", "ipython"):
        raise BadNotebook(
            f"is written in {str(language)[:40]}, not in Python"
        )
    return [cell(one) for one in listed if isinstance(one, dict)]


def _at(tree: Any, *keys: str) -> Any:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def cell(stored: dict) -> Cell:
    """One cell of a notebook; code that is no Python has its fault."""
    lines = stored.get("source", "")
    if isinstance(lines, list):
        lines = "".join(line for line in lines if isinstance(line, str))
    kind, text = str(stored.get("cell_type")), str(lines)
    if kind != "code":
        return Cell(kind, text)
    try:
        made = tuple(statements(text))
    except SyntaxError as error:
        return Cell(kind, text, fault=f"line {error.lineno}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return Cell(kind, text, fault=str(error) or type(error).__name__)
    bound = frozenset().union(*(one.binds for one in made))
    return Cell(kind, text, made, binds=bound)


def statements(text: str) -> list[Statement]:
    """The statements of a cell; lines for Jupyter do nothing.

    Raises SyntaxError, and ValueError for what the parser refuses.
    """
    plain = MAGIC.sub(r"\1pass", text)
    return [
        Statement(ast.unparse(node), frozenset(_bound(node)),
                  frozenset(_used(node)) - KNOWN)
        for node in ast.parse(plain).body
    ]  # fmt: skip


def _bound(node: ast.AST) -> set[str]:
    """The names that a statement gives a value, outside of functions."""
    if isinstance(
        node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ):
        return {node.name}
    if isinstance(node, ast.Lambda):
        return set()
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    found = set()
    if isinstance(node, ast.alias):
        found = {node.asname or node.name.partition(".")[0]}
    for child in ast.iter_child_nodes(node):
        found |= _bound(child)
    return found


def _used(node: ast.AST) -> set[str]:
    return {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }
