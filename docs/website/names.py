"""What is public: the names that a room gives away, read from its source, where `import X as X` says so."""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

_INNER = ("ddtheory.exact.formulas", "ddtheory.exact.strata", "ddtheory.testing.conformance")
"""Rooms within rooms, which are used by their own name."""


@cache
def rooms() -> dict[str, list[str]]:
    """The public rooms, `ddtheory` first, and their public names in the order in which they give them away."""
    within = [*_INNER, *(f"ddtheory.{name}" for name, module in _given("ddtheory") if not module)]
    found = {room: [name for name, _ in _given(room) if f"{room}.{name}" not in within] for room in within}
    return {"ddtheory": [name for name, module in _given("ddtheory") if module]} | {
        room: names for room, names in sorted(found.items()) if names
    }


def _given(room: str) -> list[tuple[str, str]]:
    """The names of a room, each with the module that it comes from."""
    tree, is_package = written(room)
    if not is_package:
        return [(name, room) for name in _defined(tree, room)]
    listed = {text for node in tree.body if isinstance(node, ast.Assign) for text in _listed(node)}
    return [
        (alias.name, node.module or "")
        for node in ast.walk(tree)  # what is loaded late is imported for types alone
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name or alias.name in listed
    ]


def written(module: str) -> tuple[ast.Module, bool]:
    """A module as it is written, in its stub where it has one; and whether it is a package."""
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin)
    stub = source.with_suffix(".pyi")
    tree = ast.parse((stub if stub.exists() else source).read_text(encoding="utf-8"))
    return tree, source.name == "__init__.py"


def _listed(node: ast.Assign) -> list[str]:
    is_all = isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
    return ast.literal_eval(node.value) if is_all else []


def _defined(tree: ast.Module, room: str) -> list[str]:
    """What a room of one file defines; of the errors, their classes."""
    module = import_module(room)
    kinds = (ast.ClassDef,) if room == "ddtheory.errors" else (ast.ClassDef, ast.FunctionDef, ast.AnnAssign)
    names = [
        getattr(node, "name", None) or getattr(node.target, "id", "_")  # type: ignore[attr-defined]
        for node in tree.body
        if isinstance(node, kinds)
    ]
    return [name for name in names if not name.startswith("_") and hasattr(module, name)]


@cache
def public_names() -> dict[str, str]:
    """Where the names lead that are clear everywhere: `ddtheory.measure.order`, `dd.measure.order`, `measure.order`."""
    found: dict[str, str] = {}
    for room, names in rooms().items():
        for name in names:
            full = f"{room}.{name}"
            short = full.removeprefix("ddtheory.")
            found |= {full: full, f"dd.{short}": full} | ({short: full} if "." in short else {})
    return found
