"""What is changed: the table of kinds, and the functions that propose changes.

Adding one is one function in `PROPOSALS`, and a row in `KINDS` where it makes changes of a new kind.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ddtheory.verify.mutants.mutation import Mutation
from ddtheory.verify.mutants.roles import role
from ddtheory.verify.mutants.source import Site, Source, called, has_open_test, sites


@dataclass(frozen=True)
class Kind:
    """A kind of change. One that is not counted says nothing about evidence on its own, and stays out of the rate."""

    meaning: str
    counted: bool = True


KINDS: Mapping[str, Kind] = {
    "constant": Kind("a number: n → n ± 1, x → 2x, True ↔ False"),
    "exponent": Kind("an exponent one higher or lower"),
    "sign": Kind("a minus taken away, or put before a product"),
    "operator": Kind("+ ↔ −, * ↔ /, < ↔ <=, == ↔ !=, and ↔ or, min ↔ max, a condition reversed"),
    "index": Kind("an index, an end of a slice or an axis; i ↔ j"),
    "transpose": Kind("a transpose left out, a matrix product in the other order"),
    "swap": Kind("the first two arguments of a call in the other order"),
    "count": Kind("n ↔ n − 1, sum ↔ mean, one less in a range"),
    "noise": Kind("the size of a noise doubled", counted=False),
    "width": Kind("a tolerance ten times as wide; accepted where it is felt and all rivals stay excluded"),
    "rival": Kind("a rival moved out of the way, or another one in its place", counted=False),
    "setting": Kind("a number that only sets the scene: sizes, radii, defaults", counted=False),
    "text": Kind("a digit or a sign in a sentence or a formula that is only shown", counted=False),
}

Proposal = tuple[str, int, int, str]
"""Kind, start, end, replacement."""


@lru_cache(maxsize=256)
def mutations(text: str, *, prose: bool = False) -> tuple[Mutation, ...]:
    """All changes of a file, in the order of the text.

    Args:
        text: of the file.
        prose: whether sentences and formulas that are only shown are changed as well.
    """
    source = Source(text)
    found: dict[tuple[int, int, str], Mutation] = {}
    for site in sites(source):
        for proposal in (_text,) if site.is_only_shown else PROPOSALS:
            for kind, start, end, replacement in proposal(site):
                if kind == "text" and not prose:
                    continue
                kind = _kind_here(site, kind)
                change = Mutation.of(site, kind, start, end, replacement)
                found.setdefault((start, end, replacement), change)
    return tuple(found[key] for key in sorted(found))


def _kind_here(site: Site, kind: str) -> str:
    """What a change is called where it sets the scene, or makes a wrong formula wrong in another way."""
    if kind in ("text", "width"):
        return kind
    if site.is_rival:
        return "rival"
    return "setting" if site.is_scene and kind != "noise" else kind


def _number(site: Site) -> Iterator[Proposal]:
    node = site.node
    if not isinstance(node, ast.Constant) or isinstance(node.value, str | bytes | complex) or node.value is None:
        return
    if node.value is Ellipsis:
        return
    kind = role(site)
    if kind is None:
        return
    start, end = site.source.start(node), site.source.end(node)
    if isinstance(node.value, bool):
        yield "constant", start, end, str(not node.value)
        return
    for value in _other_values(kind, node.value, isinstance(site.parent, ast.UnaryOp)):
        yield kind, start, end, repr(value)


def _other_values(kind: str, value: int | float, behind_minus: bool) -> Iterator[int | float]:
    if kind == "width":
        yield 10 * value
    elif kind == "rival":
        yield value + 10
    elif kind == "noise":
        yield 2 * value if value else value + 1
    elif isinstance(value, float):
        yield 2 * value if value else 1.0
    elif kind == "index":
        yield value - 1 if value and not behind_minus else value + 1
    else:
        yield value + 1
        if value > 1 and kind != "setting":
            yield value - 1


def _exponent(site: Site) -> Iterator[Proposal]:
    node = site.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and not _is_number(node.right):
        start, end = site.source.start(node.right), site.source.end(node.right)
        yield "exponent", start, end, f"({site.source.segment(node.right)} + 1)"


def _sign(site: Site) -> Iterator[Proposal]:
    node = site.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and role(site) not in ("index", None):
        start = site.source.start(node)
        yield "sign", start, start + 1, "+"
    products = (ast.Mult, ast.Div)
    if isinstance(node, ast.BinOp) and isinstance(node.op, products) and role(site) not in ("index", "setting", None):
        above = site.parent
        inner = isinstance(above, ast.UnaryOp) or (isinstance(above, ast.BinOp) and not _adds(above))
        if not inner and not _is_text(node.left) and not _is_text(node.right):
            yield "sign", site.source.start(node), site.source.end(node), f"-({site.source.segment(node)})"


def _adds(node: ast.BinOp) -> bool:
    return isinstance(node.op, ast.Add | ast.Sub)


_ARITHMETIC: Mapping[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
}
_COMPARISONS: Mapping[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">=")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<=")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
}


def _arithmetic(site: Site) -> Iterator[Proposal]:
    node = site.node
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        old, new = _ARITHMETIC[type(node.op)]
        if not any(map(_is_text, (node.left, node.right))):
            yield from _between(site.source, "operator", node.left, node.right, old, new)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        old, new = _ARITHMETIC[type(node.op)]
        if not _is_text(node.value):
            yield from _between(site.source, "operator", node.target, node.value, f"{old}=", f"{new}=")


def _comparison(site: Site) -> Iterator[Proposal]:
    node = site.node
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            old, others = _COMPARISONS.get(type(operator), ("", ()))
            for new in others:
                yield from _between(site.source, "operator", left, right, old, new)


def _logic(site: Site) -> Iterator[Proposal]:
    node, source = site.node, site.source
    if isinstance(node, ast.BoolOp) and not any(map(_is_text, node.values)):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield from _between(source, "operator", left, right, old, new)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "operator", source.start(node), source.end(node), f"({source.segment(node.operand)})"
    elif isinstance(node, ast.IfExp) or (isinstance(node, ast.If) and has_open_test(node)):
        yield "operator", source.start(node.test), source.end(node.test), f"not ({source.segment(node.test)})"


_NAMES: Mapping[str, str] = {
    one: other
    for pair in (
        ("min", "max"),
        ("Min", "Max"),
        ("amin", "amax"),
        ("argmin", "argmax"),
        ("minimum", "maximum"),
        ("all", "any"),
        ("sin", "cos"),
        ("sinh", "cosh"),
    )
    for one, other in (pair, pair[::-1])
}
_METHODS: Mapping[str, str] = {"sum": "mean", "mean": "sum"}
"""Of arrays only: Python has no built-in mean."""


def _name(site: Site) -> Iterator[Proposal]:
    node = site.node
    if not isinstance(node, ast.Call):
        return
    name = called(node)
    end = site.source.end(node.func)
    if name in _NAMES:
        yield "operator", end - len(name), end, _NAMES[name]
    elif name in _METHODS and isinstance(node.func, ast.Attribute):
        yield "count", end - len(name), end, _METHODS[name]


_PAIRS = (("i", "j"), ("A", "G"), ("a", "g"), ("row", "column"), ("left", "right"), ("lower", "upper"), ("x", "y"))


def _index(site: Site) -> Iterator[Proposal]:
    node, source = site.node, site.source
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        first, second = node.slice.elts
        if _differ(first, second):
            swapped = f"{source.segment(second)}, {source.segment(first)}"
            yield "index", source.start(first), source.end(second), swapped
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for pair in _PAIRS:
            for old, new in (pair, pair[::-1]):
                if node.id == old and new in _bound(site.scope):
                    yield "index", source.start(node), source.end(node), new


@lru_cache(maxsize=4)
def _bound(scope: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(scope) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {node.arg for node in ast.walk(scope) if isinstance(node, ast.arg)}


_TRANSPOSES = re.compile(r"\s*\.\s*(T|mT|H|mH)$")
_MODULES = frozenset({"torch", "numpy", "np", "sympy"})


def _transpose(site: Site) -> Iterator[Proposal]:
    node, source = site.node, site.source
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT", "H", "mH"):
        found = _TRANSPOSES.search(source.text[: source.end(node)])
        if found:
            yield "transpose", found.start(), source.end(node), ""
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        value = node.func.value
        is_method = not (isinstance(value, ast.Name) and value.id in _MODULES)
        if node.func.attr in ("t", "transpose") and is_method:
            dot = source.text.rindex(".", 0, source.end(node.func))
            yield "transpose", dot, source.end(node), ""
        if node.func.attr == "einsum" and node.args and _is_text(node.args[0]):
            text = source.segment(node.args[0])
            found = re.search(r"([a-z])([a-z])", text)
            if found and found[1] != found[2]:
                place = source.start(node.args[0]) + found.start()
                yield "transpose", place, place + 2, found[2] + found[1]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult) and _differ(node.left, node.right):
        swapped = f"(({source.segment(node.right)}) @ ({source.segment(node.left)}))"
        yield "transpose", source.start(node), source.end(node), swapped


_EITHER_WAY = frozenset(
    {
        "min",
        "max",
        "Min",
        "Max",
        "gcd",
        "lcm",
        "minimum",
        "maximum",
        "allclose",
        "dot",
        "isclose",
        "equal",
        "getattr",
        "hasattr",
        "setattr",
        "cast",
        "print",
        "Citation",
        "Step",
        "symbols",
        "Symbol",
        "zip_longest",
    }
)
"""Calls whose first two arguments may change places, or are no mathematics."""


def _swap(site: Site) -> Iterator[Proposal]:
    node, source = site.node, site.source
    if not isinstance(node, ast.Call) or len(node.args) < 2 or called(node) in _EITHER_WAY:
        return
    first, second = node.args[:2]
    plain = not any(isinstance(each, ast.Starred) or _is_text(each) for each in (first, second))
    if plain and _differ(first, second) and role(site) not in ("setting", None):
        swapped = f"{source.segment(second)}, {source.segment(first)}"
        yield "swap", source.start(first), source.end(second), swapped


_COUNTS = frozenset({"n", "N", "m", "count", "samples", "number", "size", "points", "degrees"})


def _count(site: Site) -> Iterator[Proposal]:
    node, source = site.node, site.source
    if isinstance(node, ast.BinOp) and _adds(node) and isinstance(node.right, ast.Constant) and node.right.value == 1:
        yield "count", source.start(node), source.end(node), f"({source.segment(node.left)})"
    products = (ast.Mult, ast.Div, ast.Pow)
    if isinstance(site.parent, ast.BinOp) and isinstance(site.parent.op, products):
        counted = isinstance(node, ast.Name) and node.id in _COUNTS
        if counted or called(node) in ("len", "numel"):
            assert isinstance(node, ast.expr)
            yield "count", source.start(node), source.end(node), f"({source.segment(node)} - 1)"
    if called(node) == "range" and isinstance(node, ast.Call):
        last = node.args[min(1, len(node.args) - 1)]
        if not isinstance(last, ast.Constant | ast.Starred):
            yield "count", source.start(last), source.end(last), f"({source.segment(last)} - 1)"


_DIGIT = re.compile(r"\d")
_SIGNS = ((r"\le ", r"\ge "), (r"\ge ", r"\le "), (" + ", " - "), (" - ", " + "), ("−", "+"))


def _text(site: Site) -> Iterator[Proposal]:
    node, source = site.node, site.source
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not re.search(r"[\s\\]", node.value):
        return
    if called(site.parent) in ("symbols", "split"):
        return
    start, segment = source.start(node), source.segment(node)
    found = _DIGIT.search(segment)
    if found:
        place = start + found.start()
        yield "text", place, place + 1, str((int(found[0]) + 1) % 10)
    for old, new in _SIGNS:
        if old in segment:
            place = start + segment.index(old)
            yield "text", place, place + len(old), new
            return


PROPOSALS: tuple[Callable[[Site], Iterator[Proposal]], ...] = (
    _number,
    _exponent,
    _sign,
    _arithmetic,
    _comparison,
    _logic,
    _name,
    _index,
    _transpose,
    _swap,
    _count,
    _text,
)


def _between(source: Source, kind: str, left: ast.expr, right: ast.expr, old: str, new: str) -> Iterator[Proposal]:
    """The operator that stands between two operands, past parentheses and comments."""
    start, stop = source.end(left), source.start(right)
    gap = re.sub(r"#[^\n]*", lambda found: " " * len(found[0]), source.text[start:stop])
    place = gap.find(old)
    if place >= 0:
        yield kind, start + place, start + place + len(old), new


def _differ(first: ast.expr, second: ast.expr) -> bool:
    return ast.dump(first) != ast.dump(second)


def _is_number(node: ast.expr) -> bool:
    value = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(value, ast.Constant)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
