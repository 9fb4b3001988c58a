"""Colab's versions of what the library needs, as pip's constraints.

Reads the list that Google publishes (`pip freeze` of the runtime, in
googlecolab/backend-info). Builds for a graphics card become the plain
version, which PyPI has.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINE = re.compile(
    r"^(?P<name>[\w.-]+)(?:==(?P<version>[^\s;+]+)"
    r"| @ \S*/[\w.]+-(?P<built>\d[\w.]*?)(?:(?:%2B|\+)\w+)?-cp\S*)"
)


def needed() -> set[str]:
    """The names of the library's dependencies, as pip compares them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"]
    return {plain(re.split(r"[^\w.-]", line)[0]) for line in wanted}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints(freeze: str) -> list[str]:
    """One line a package that the library needs and that Colab has."""
    found = {}
    for match in map(LINE.match, freeze.splitlines()):
        if match is not None:
            version = match["version"] or match["built"]
            found[plain(match["name"])] = version
    return [
        f"{name}=={found[name]}" for name in sorted(needed() & set(found))
    ]


def main(arguments: list[str]) -> int:
    lines = constraints(Path(arguments[0]).read_text("utf-8"))
    if not any(line.startswith("torch==") for line in lines):
        print("the list of Colab's packages has no torch", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
