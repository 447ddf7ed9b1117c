"""The reference: a page for every public room, with every name that it gives away."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from importlib.util import resolve_name
from textwrap import indent
from typing import Any

from website.docstrings import names_in, restructured
from website.names import rooms, written


def pages() -> dict[str, str]:
    """The pages by file name, in reStructuredText."""
    listed = "\n".join(f"   {room}" for room in rooms())
    index = f"API reference\n=============\n\nEvery public name, room by room.\n\n.. toctree::\n\n{listed}\n"
    shown: dict[int, str] = {}
    return {"index.rst": index} | {f"{room}.rst": page(room, names, shown) for room, names in rooms().items()}


def page(room: str, names: list[str], shown: dict[int, str]) -> str:
    """The page of one room: what it is, then each name with its docstring, or where another page has shown it."""
    module = import_module(room)
    title = f"``{room}``"
    head = f"{title}\n{'=' * len(title)}\n\n.. automodule:: {room}\n   :no-members:\n\n.. currentmodule:: {room}\n"
    entries = []
    for name in names:
        value = getattr(module, name)
        first = shown.setdefault(id(value), f"{room}.{name}")
        entries.append(entry(room, name, value) if first == f"{room}.{name}" else _again(name, first))
    return "\n".join([head, *entries])


def entry(room: str, name: str, value: Any) -> str:
    """One name: a class or a function with its docstring, another value with the text below it."""
    if inspect.isclass(value) and value.__module__.startswith("ddtheory"):
        left_out = "object, str, Enum, Exception, Module, Optimizer, Shown"
        return f".. autoclass:: {room}.{name}\n   :members:\n   :inherited-members: {left_out}\n"
    if inspect.isroutine(value) or hasattr(value, "__wrapped__"):
        return f".. autofunction:: {room}.{name}\n"
    return _data(name, said(room, name))


def _again(name: str, first: str) -> str:
    return _data(name, f"The same as :py:obj:`{first}`.")


def _data(name: str, text: str) -> str:
    return f".. py:data:: {name}\n\n{indent(text, '   ')}\n"


def said(room: str, name: str) -> str:
    """The text that stands below a value, in the file that defines it; nothing where there is none."""
    tree, _ = written(room)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            return said(resolve_name("." * node.level + (node.module or ""), room), name)
    for node, after in zip(tree.body, tree.body[1:], strict=False):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        text = after.value if isinstance(after, ast.Expr) else None
        if getattr(target, "id", None) == name and isinstance(text, ast.Constant):
            return "\n".join(restructured(inspect.cleandoc(str(text.value)).splitlines(), names_in(room, None)))
    return ""
