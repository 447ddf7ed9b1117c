"""How a page that is made by command is filled in: Markdown around HTML in which everything is escaped."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from markupsafe import Markup, escape

from ddtheory.verify import html

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_PLACES = {"doi": "https://doi.org/", "arXiv": "https://arxiv.org/abs/"}
_CODE = re.compile(r"`+([^`]+)`+")
_MATH = re.compile(r"\$[^$]+\$")


def render(template: str, **values: Any) -> str:
    """The page of a template of this folder, with the values given."""
    return environment().get_template(template).render(**values)


@cache
def environment() -> Environment:
    """The environment of the package's own pages, its templates for cells included, and filters for Markdown."""
    found = html.environment("ddtheory.gallery")
    assert found.loader is not None
    found.loader = ChoiceLoader([FileSystemLoader(Path(__file__).parent / "templates"), found.loader])
    found.filters |= {"markdown": markdown, "prose": prose, "slug": slug, "source": source}
    return found


def markdown(text: str) -> Markup:
    r"""Text as Markdown that shows it, formulas between dollar signs left as they are.

    >>> print(markdown("a*b of $x*y$ <i>"))
    a\*b of $x*y$ \<i\>
    """
    parts, end = [], 0
    for found in _MATH.finditer(text):
        parts += [_SPECIAL.sub(r"\\\1", text[end : found.start()]), found[0]]
        end = found.end()
    return Markup("".join([*parts, _SPECIAL.sub(r"\\\1", text[end:])]))


def prose(text: str) -> Markup:
    """Paragraphs of a docstring as HTML, code in backticks as code.

    >>> print(prose("Of `x < y`.\\n\\nNo more."))
    <p>Of <code>x &lt; y</code>.</p><p>No more.</p>
    """
    paragraphs = [_CODE.sub(r"<code>\1</code>", str(escape(part))) for part in text.split("\n\n")]
    return Markup("".join(f"<p>{part}</p>" for part in paragraphs))


def slug(name: str) -> str:
    """A name as an anchor.

    >>> slug("thm:fisher_decay")
    'thm-fisher-decay'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def source(link: str) -> str:
    """The address of "doi:…" or "arXiv:…"; empty for what is none.

    >>> source("arXiv:2606.05957")
    'https://arxiv.org/abs/2606.05957'
    """
    kind, _, place = link.partition(":")
    if kind in ("http", "https"):
        return link
    return _PLACES[kind] + place if kind in _PLACES else ""
