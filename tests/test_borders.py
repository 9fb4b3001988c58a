"""The two packages keep to their places, and the core stays small."""

import ast
from pathlib import Path

from tests.contents import ROOT

CORE = ROOT / "packnet_core"
BOOK = ROOT / "book" / "packnet_book"
MOST_LINES, MOST_MODULES = 2200, 13
# What may be imported from left to right only.
FLOORS = ("drawn", "photos", "runs", "figures", "explorer", "exercises")


def imports(file: Path) -> set[str]:
    """The modules that a file imports, by their full names."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{a.name}" for a in node.names}
    return found


def at_load(file: Path) -> set[str]:
    """The modules that are imported when a file is, not later."""
    tree = ast.parse(file.read_text("utf-8"))
    tree.body = [n for n in tree.body if not isinstance(n, ast.If)]
    names = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module}
            names |= {f"{node.module}.{a.name}" for a in node.names}
    return names


def test_the_core_is_small():
    modules = sorted(CORE.rglob("*.py"))
    assert all(module.parent == CORE for module in modules)
    assert len(modules) <= MOST_MODULES
    lines = {m.name: len(m.read_text().splitlines()) for m in modules}
    assert sum(lines.values()) <= MOST_LINES, lines


def test_the_core_imports_nothing_of_the_book():
    for module in CORE.glob("*.py"):
        for name in imports(module):
            assert not name.startswith("packnet_book"), (module.name, name)


def test_the_core_has_no_circle():
    files = {f"packnet_core.{m.stem}": m for m in CORE.glob("*.py")}
    needs = {
        name: {n for n in at_load(file) if n in files and n != name}
        for name, file in files.items()
    }
    done: set[str] = set()
    while len(done) < len(needs):
        ready = {n for n, wanted in needs.items() if wanted <= done} - done
        assert ready, f"in a circle: {sorted(needs.keys() - done)}"
        done |= ready


def test_the_book_is_imported_from_the_ground_up():
    for place, floor in enumerate(FLOORS):
        above = {f"packnet_book.{name}" for name in FLOORS[place + 1 :]}
        above |= {"packnet_book.own_task", "packnet_book.cli"}
        for module in (BOOK / floor).rglob("*.py"):
            for name in imports(module):
                parent = ".".join(name.split(".")[:2])
                assert parent not in above, (module.name, name)
