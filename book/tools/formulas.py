"""Sphinx extension: formulas are MathML, made while the book is rendered.

Browsers draw it themselves: no script, nothing to wait for, and it is read
aloud. The font that has the signs ships with the book.
"""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.math import wrap_displaymath


def inline(self, node: nodes.math) -> None:
    formula = mathml(node.astext(), "inline")
    self.body.append(f'<span class="math">{formula}</span>')
    raise nodes.SkipNode


def block(self, node: nodes.math_block) -> None:
    text = node.astext()
    if "\\\\" in text and "\\begin" not in text:  # as Sphinx breaks lines
        text = wrap_displaymath(text, None, False)
    ids = f' id="{node["ids"][0]}"' if node.get("ids") else ""
    self.body.append(
        f'<div class="math" tabindex="0"{ids}>{mathml(text, "block")}</div>'
    )
    raise nodes.SkipNode


def mathml(tex: str, display: str) -> str:
    """A formula of TeX as an element of MathML. Raises what it says."""
    return convert(" ".join(tex.split()), display=display)


def setup(app: Sphinx) -> dict:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
