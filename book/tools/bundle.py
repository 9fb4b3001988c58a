"""All notebooks and the library that they need, in one zip.

    python book/tools/bundle.py WHEEL ZIP

`make notebooks` builds the wheel and writes `_build/notebooks.zip`.
"""

import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

BOOK = Path(__file__).parents[1]
FOLDER = "packnet-notebooks"
README = """\
The chapters of the PackNet book, and the library that they need.

Install it beside Jupyter, with Python 3.11 or newer, in this folder:

    python -m pip install {wheel} jupyterlab
    jupyter lab

Every notebook stands alone. What the library itself needs (PyTorch among
it) is downloaded from PyPI unless it is installed already; the notebooks
need no network then.
"""


def bundle(wheel: Path, target: Path) -> None:
    """Write the zip: every notebook, the wheel, and how to begin."""
    with ZipFile(target, "w", ZIP_DEFLATED) as packed:
        packed.writestr(
            f"{FOLDER}/README.txt", README.format(wheel=wheel.name)
        )
        packed.write(wheel, f"{FOLDER}/{wheel.name}")
        for notebook in sorted(BOOK.glob("*.ipynb")):
            packed.write(notebook, f"{FOLDER}/{notebook.name}")


if __name__ == "__main__":
    bundle(*map(Path, sys.argv[1:]))
