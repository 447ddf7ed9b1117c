"""Every place where the checker says no: listed from its source, seen when it is reached, and taken out.

A place is a call of `require`, or a `raise` that is not the passing on of another refusal. A limit (`within`) decides
nothing, so it is no refusal.
"""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import ddtheory.certify
from ddtheory.certify import check
from ddtheory.certify.arcs import BothSigns
from ddtheory.certify.germs import Malformed
from ddtheory.certify.refusal import Refused
from ddtheory.errors import InvalidValueError

ROOT = Path(ddtheory.certify.__file__).parent
SAYS_NO = ("Refused", "Malformed", "BothSigns", "InvalidValueError")
NOT_OF_A_CERTIFICATE = ("apart.py", "files.py", "limits.py")  # processes, files and limits: nothing of a derivation


@dataclass(frozen=True)
class Refusal:
    """One place: its file, the function, what it says in the words of the source, and its lines."""

    file: str
    function: str
    says: str
    lines: tuple[int, int]

    @property
    def name(self) -> str:
        return f"{self.file} {self.function}: {self.says}"


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


@cache
def refusals() -> tuple[Refusal, ...]:
    """All places in the order of the source; what is said twice in one function is numbered."""
    found: list[Refusal] = []
    for path in sorted(ROOT.rglob("*.py")):
        file = path.relative_to(ROOT).as_posix()
        if file not in NOT_OF_A_CERTIFICATE:
            found += _of_body(file, _tree(file), ())
    counts: Counter[str] = Counter()
    named: list[Refusal] = []
    for place in found:
        counts[place.name] += 1
        more = f" ({counts[place.name]})" if counts[place.name] > 1 else ""
        named.append(Refusal(place.file, place.function, place.says + more, place.lines))
    return tuple(named)


def _of_body(file: str, node: ast.AST, inside: tuple[str, ...]) -> Iterator[Refusal]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from _of_body(file, child, (*inside, child.name))
            continue
        said = _says(child)
        if said is not None and inside != ("require",):
            lines = (child.lineno, child.end_lineno or child.lineno)  # type: ignore[attr-defined]
            yield Refusal(file, ".".join(inside), said, lines)
        yield from _of_body(file, child, inside)


def _says(statement: ast.AST) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        called = statement.value
        if isinstance(called.func, ast.Name) and called.func.id == "require":
            return _text(called.args[1])
    if isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call):
        raised = statement.exc
        passed_on = ast.unparse(raised).endswith("str(refused))")
        if isinstance(raised.func, ast.Name) and raised.func.id in SAYS_NO and not passed_on:
            return _text(raised.args[2 if raised.func.id == "Malformed" else 0])
    return None


def _text(said: ast.expr) -> str:
    return said.value if isinstance(said, ast.Constant) else ast.unparse(said)


@dataclass(frozen=True)
class Outcome:
    """What became of a document: accepted, not decided, breaks (a traceback), or the place that refused it."""

    what: str
    report: Any = None


class Watch:
    """The places that were reached, the last one at the end."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    def see(self) -> None:
        frame = sys._getframe(2)
        while frame.f_code.co_name == "require" and frame.f_back is not None:
            frame = frame.f_back
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT):
            name = _at(path.relative_to(ROOT).as_posix(), frame.f_lineno)
            if name:
                self.reached.append(name)


@cache
def _at(file: str, line: int) -> str:
    return next(
        (place.name for place in refusals() if place.file == file and place.lines[0] <= line <= place.lines[1]), ""
    )


@contextmanager
def watched() -> Iterator[Watch]:
    watch = Watch()
    before = {kind: kind.__dict__.get("__init__") for kind in (Refused, Malformed, BothSigns, InvalidValueError)}

    def seeing(kind: type[Exception]) -> Callable[..., None]:
        first = kind.__init__

        def init(self: Exception, *said: Any, **more: Any) -> None:
            watch.see()
            first(self, *said, **more)

        return init

    for kind in before:
        kind.__init__ = seeing(kind)  # type: ignore[method-assign]
    try:
        yield watch
    finally:
        for kind, init in before.items():
            if init is None:
                del kind.__init__
            else:
                kind.__init__ = init  # type: ignore[method-assign]


def outcome(document: Any, seconds: float = 60) -> str:
    """Accepted, not decided, breaks, or the name of the place that refused the document."""
    with watched() as watch:
        try:
            report = check(document, seconds=seconds)
        except InvalidValueError:
            pass
        except Exception:
            return "breaks"
        else:
            if report.outcome != "rejected":
                return str(report.outcome)
    return watch.reached[-1] if watch.reached else "refused elsewhere"


# --- a place taken out ------------------------------------------------------------------------------------------------


class _Without(ast.NodeTransformer):
    def __init__(self, lines: tuple[int, int]) -> None:
        self.lines = lines

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if _says(node) is not None and (node.lineno, node.end_lineno) == self.lines:  # type: ignore[attr-defined]
            return ast.copy_location(ast.Pass(), node)
        return super().generic_visit(node)


@contextmanager
def without(place: Refusal) -> Iterator[None]:
    """Inside, the checker does not refuse there: the function has the code of its source without this statement."""
    module = importlib.import_module("ddtheory.certify." + place.file.removesuffix(".py").replace("/", "."))
    way = place.function.split(".")
    outer = next(node for node in _tree(place.file).body if getattr(node, "name", None) == way[0])
    spoiled = _Without(place.lines).visit(copy.deepcopy(outer))
    found: Any = compile(
        ast.Module([*_future(place.file), spoiled], []), module.__file__ or "", "exec", dont_inherit=True
    )
    held: Any = module
    code: CodeType = found
    for step in way:
        code = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == step)
        held = held.__dict__[step]
        function = _function(held)
        if function is not None:
            break  # what is defined inside a function is part of its code
    assert function is not None
    kept = function.__code__
    function.__code__ = code
    try:
        yield
    finally:
        function.__code__ = kept


def _future(file: str) -> list[ast.stmt]:
    return [node for node in _tree(file).body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]


def _function(held: Any) -> FunctionType | None:
    if isinstance(held, cached_property):
        held = held.func
    if isinstance(held, property):
        held = held.fget
    if isinstance(held, classmethod | staticmethod):
        held = held.__func__
    held = inspect.unwrap(held) if callable(held) else held
    return held if isinstance(held, FunctionType) else None


# --- documents --------------------------------------------------------------------------------------------------------


def spoiled(certificate: Any, edits: list[list[Any]]) -> Any:
    """The certificate with these entries in the place of others: (path, value), and (path,) for an entry that goes."""
    found = copy.deepcopy(certificate)
    for path, *value in edits:
        held = {"": found}
        key: Any = ""
        for step in [part for part in path.split("/") if part]:
            held, key = held[key], step
            if isinstance(held, list):
                key = int(step)
        if not value:
            del held[key]
        elif isinstance(held, list) and key == len(held):
            held.append(value[0])
        else:
            held[key] = copy.deepcopy(value[0])
        if key == "":
            found = held[""]
    return found
