"""Docstrings of the package as Sphinx reads them: plain text with code in backticks, lists and doctests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from website.names import public_names

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_CODE = re.compile(r"(`+)(.+?)\1")
_ENTRY = re.compile(r"\s+\*{0,2}\w[\w*, .]*: ")
_SECTION = re.compile(r"\s*(Args|Attributes|Raises|Returns|Yields):\s*$")
_ITEM = re.compile(r"\s*([-*]|\d+\.) ")


def restructured(lines: list[str]) -> Iterator[str]:
    r"""The lines of a docstring as reStructuredText that shows the same characters.

    >>> list(restructured(["|K| ≤ c*t^2, see `order`", ">>> 2*3", "6"]))
    ['\\|K\\| ≤ c\\*t^2, see :py:obj:`order <ddtheory.measure.order>`', '', '>>> 2*3', '6']
    """
    example = section = False
    before = ""
    for line in lines:
        if not example and line.lstrip().startswith(">>>"):
            example = True
            yield ""
        elif not line.strip():
            example = False
        elif _ITEM.match(line) and not _ITEM.match(before) and not before.startswith(" "):
            yield ""  # where a list begins
        section = _in_section(line, section)
        yield line if example else _escaped(line, entry=section)
        before = line


def _in_section(line: str, section: bool) -> bool:
    """Whether entries may follow: after the head of a section, until the next line at its margin."""
    return bool(_SECTION.match(line)) or (section and (not line.strip() or line.startswith(" ")))


def _escaped(line: str, *, entry: bool) -> str:
    found = _ENTRY.match(line) if entry else None
    end = found.end() if found else 0
    parts = [line[:end]]
    for code in _CODE.finditer(line, end):
        parts += [_plain(line[end : code.start()]), _literal(code[2].strip())]
        end = code.end()
    return "".join([*parts, _plain(line[end:])])


def _plain(text: str) -> str:
    return re.sub(r"([\\*|_`])", r"\\\1", text)


def _literal(code: str) -> str:
    target = public_names().get(code.removesuffix("()"))
    return f":py:obj:`{code} <{target}>`" if target else f"``{code}``"


def _process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines[:] = restructured(lines)


def _process_help(app: Sphinx, context: object, lines: list[str]) -> None:
    lines[:] = [line[:1] + line[1:].replace("|", r"\|") for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _process, priority=100)  # before napoleon, which reads the sections
    app.connect("sphinx-click-process-options", _process_help)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
