"""The pages of the book, in their order."""

from toc import ROOT, index, pages

INDEX = index()
PAGES = pages()
CHAPTERS = [name for name in PAGES if (ROOT / f"{name}.ipynb").is_file()]
__all__ = ["CHAPTERS", "INDEX", "PAGES", "ROOT"]
