"""Docstrings of the package as Sphinx reads them: plain text with code in backticks, lists and doctests."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from website.names import public_names, rooms

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

_CODE = re.compile(r"(`+)(.+?)\1")
_STRESSED = re.compile(r"(?<![\w*)\]])\*(\w[\w -]*\w)\*(?![\w*(])")
_ENTRY = re.compile(r"\s+\*{0,2}\w[\w*, .]*: ")
_SECTION = re.compile(r"\s*(Args|Attributes|Raises|Returns|Yields):\s*$")
_ITEM = re.compile(r"\s*([-*]|\d+\.) ")


def restructured(lines: list[str], names: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    r"""The lines of a docstring as reStructuredText that shows the same characters.

    Args:
        names: what code in backticks leads to, where it is the name of something.

    >>> list(restructured(["|K| ≤ c*t^2 is *flat*, see `order`", ">>> 2*3", "6"], {"order": "ddtheory.measure.order"}))
    ['\\|K\\| ≤ c\\*t^2 is *flat*, see :py:obj:`order <ddtheory.measure.order>`', '', '>>> 2*3', '6']
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
        yield line if example else _escaped(line, names, entry=section)
        before = line


def names_in(full: str, value: object) -> dict[str, str]:
    """What a docstring may mean by a name: full names everywhere, those of its room, and no argument of its own."""
    room = max((room for room in rooms() if f"{full}.".startswith(f"{room}.")), key=len, default="ddtheory")
    found = public_names() | {name: f"{room}.{name}" for name in rooms().get(room, [])}
    with contextlib.suppress(TypeError, ValueError):  # a value without a signature
        for argument in inspect.signature(value).parameters:  # type: ignore[arg-type]
            found.pop(argument, None)
    return found


def _in_section(line: str, section: bool) -> bool:
    """Whether entries may follow: after the head of a section, until the next line at its margin."""
    return bool(_SECTION.match(line)) or (section and (not line.strip() or line.startswith(" ")))


def _escaped(line: str, names: Mapping[str, str], *, entry: bool) -> str:
    found = _ENTRY.match(line) if entry else None
    end = found.end() if found else 0
    parts = [line[:end]]
    for code in _CODE.finditer(line, end):
        parts += [_prose(line[end : code.start()]), _literal(code[2].strip(), names)]
        end = code.end()
    return "".join([*parts, _prose(line[end:])])


def _prose(text: str) -> str:
    parts, end = [], 0
    for found in _STRESSED.finditer(text):
        parts += [_plain(text[end : found.start()]), f"*{_plain(found[1])}*"]
        end = found.end()
    return "".join([*parts, _plain(text[end:])])


def _plain(text: str) -> str:
    return re.sub(r"([\\*|_`])", r"\\\1", text)


def _literal(code: str, names: Mapping[str, str]) -> str:
    target = names.get(code.removesuffix("()"))
    return f":py:obj:`{code} <{target}>`" if target else f"``{code}``"


def _process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines[:] = restructured(lines, names_in(name, obj))


def _process_help(app: Sphinx, context: object, lines: list[str]) -> None:
    lines[:] = [line[:1] + line[1:].replace("|", r"\|") for line in lines]


def _dashes(app: Sphinx, doctree: nodes.document) -> None:
    """Entries are written "name -- text"; what else looks like it is an option of the command line, and stays."""
    from docutils import nodes

    for text in list(doctree.findall(nodes.Text)):
        if text.startswith(" -- "):
            text.parent.replace(text, nodes.Text(f" – {text[4:]}"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _process, priority=100)  # before napoleon, which reads the sections
    app.connect("sphinx-click-process-options", _process_help)
    app.connect("doctree-read", _dashes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
