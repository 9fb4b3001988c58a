"""The pages of the book, in their order."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
INDEX = TOC["root"]
PAGES = [INDEX, *(entry["file"] for entry in TOC["chapters"])]
CHAPTERS = [name for name in PAGES if (ROOT / f"{name}.ipynb").is_file()]
