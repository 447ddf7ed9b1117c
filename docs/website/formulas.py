"""Formulas of the pages as MathML, made at build by the converter of the reports: no script, no font, no network."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from ddtheory.verify.typeset import formula

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

_BETWEEN_DOLLARS = re.compile(r"\$([^$<>]+)\$")


def mathml(latex: str, where: nodes.Node | None, *, display: bool = False) -> str:
    """The formula; one that is not understood is a warning, and warnings fail the build."""
    found = formula(latex.replace(r"\displaystyle", ""), display=display)
    if not found.startswith("<math"):
        warn(latex, where)
    return str(found)


def warn(latex: str, where: nodes.Node | None) -> None:
    """Say at which place a formula is not understood."""
    from sphinx.util import logging

    logging.getLogger(__name__).warning("no MathML for the formula %s", latex, location=where)


def in_output(html: str, where: nodes.Node | None = None) -> str:
    """The HTML of a result that a notebook shows, with what it has between dollar signs as MathML."""
    return _BETWEEN_DOLLARS.sub(lambda found: mathml(unescape(found[1]), where), html)


def _inline(translator: HTML5Translator, node: nodes.math) -> None:
    from docutils import nodes

    translator.body.append(mathml(node.astext(), node))
    raise nodes.SkipNode


def _block(translator: HTML5Translator, node: nodes.math_block) -> None:
    from docutils import nodes

    translator.body.append(f'<div class="formula">{mathml(node.astext(), node, display=True)}</div>\n')
    raise nodes.SkipNode


def _outputs(app: Sphinx, doctree: nodes.document) -> None:
    from docutils import nodes

    for raw in doctree.findall(nodes.raw):
        if "text_html" in raw["classes"]:
            raw[:] = [nodes.Text(in_output(raw.astext(), raw))]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", _outputs)
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
