"""Formulas of the pages as MathML, made at build by the converter of the reports: no script, no font, no network."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from ddtheory.verify.typeset import formula

_log = logging.getLogger(__name__)


def mathml(latex: str, *, display: bool, where: nodes.Node) -> str:
    """The formula; one that is not understood is a warning, and warnings fail the build."""
    found = formula(latex.replace(r"\displaystyle", ""), display=display)
    if not found.startswith("<math"):
        _log.warning("no MathML for the formula %s", latex, location=where)
    return str(found)


def _inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext(), display=False, where=node))
    raise nodes.SkipNode


def _block(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="formula">{mathml(node.astext(), display=True, where=node)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
