"""What a number is for, by where it stands: an exponent, an index, a tolerance, a rival, the scene, or the formula."""

from __future__ import annotations

import ast
import re

from ddtheory.verify.mutants.source import RIVALS, WIDTH, Site, called

_SEEDS = frozenset({"seed", "seeds", "manual_seed", "default_rng", "Generator"})
"""Evidence must not hang on a seed, so seeds are left alone."""

_WORDS: dict[str, frozenset[str]] = {
    "rival": frozenset({"rival", "rivals"}),
    "width": frozenset({"width", "tolerance", "resolution", "margin", "slack", "atol", "rtol", "error", "rounding"}),
    "noise": frozenset({"noise", "sigma", "std", "variance"}),
    "index": frozenset({"dim", "dims", "axis", "axes"}),
}

_SCENERY = frozenset(
    {
        "range",
        "randn",
        "rand",
        "randint",
        "randperm",
        "linspace",
        "logspace",
        "geomspace",
        "zeros",
        "ones",
        "eye",
        "full",
        "empty",
        "arange",
        "normal",
        "uniform",
        "standard_normal",
        "integers",
    }
)
_TRANSPARENT = frozenset({"float", "int", "abs", "Fraction", "Rational", "Integer", "Float", "sympify", "tuple"})


def role(site: Site) -> str | None:
    """The kind of change that suits a number at this place; None where a change would say nothing."""
    child = site.node
    for parent in reversed(site.above):
        found = _from_parent(parent, child)
        if found == "pass":
            child = parent
            continue
        if found == "width" and not _is_small(site.node):  # the width of a layer
            return "setting" if isinstance(parent, ast.arguments | ast.AnnAssign) else "constant"
        return found if found != "seed" else None
    return "constant"


def _from_parent(parent: ast.AST, child: ast.AST) -> str:
    if isinstance(parent, ast.Subscript):
        return "index" if child is parent.slice else "constant"
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Pow) and child is parent.right:
        return "exponent"
    if isinstance(parent, ast.BinOp) and _SEEDS & {node.id for node in ast.walk(parent) if isinstance(node, ast.Name)}:
        return "seed"
    if isinstance(parent, ast.keyword):
        return named_role(parent.arg or "", "constant")
    if isinstance(parent, ast.Assign | ast.AnnAssign | ast.arguments):
        return _from_name(parent, child)
    if isinstance(parent, ast.Call):
        return _from_call(parent, child)
    if isinstance(parent, ast.For | ast.comprehension) and child is parent.iter and isinstance(parent.target, ast.Name):
        return named_role(parent.target.id, "setting")  # the cases of a loop, each under one name
    passing = ast.BinOp | ast.UnaryOp | ast.IfExp | ast.Starred | ast.Slice | ast.Tuple | ast.List | ast.Set
    return "pass" if isinstance(parent, passing) else "constant"


def _from_name(parent: ast.Assign | ast.AnnAssign | ast.arguments, child: ast.AST) -> str:
    if isinstance(parent, ast.arguments):
        names = [each.arg for each in (*parent.posonlyargs, *parent.args)]
        defaults = dict(zip(map(id, reversed(parent.defaults)), reversed(names), strict=False))
        pairs = zip(parent.kw_defaults, parent.kwonlyargs, strict=True)
        defaults |= {id(value): each.arg for value, each in pairs if value is not None}
        return named_role(defaults.get(id(child), ""), "setting")
    target = parent.targets[0] if isinstance(parent, ast.Assign) else parent.target
    name = target.id if isinstance(target, ast.Name) else ""
    if isinstance(parent, ast.AnnAssign) or name.isupper():
        return named_role(name, "setting")
    found = named_role(name, "constant")
    return "constant" if found == "noise" else found  # a formula for a variance, and not the size of a noise


def _from_call(parent: ast.Call, child: ast.AST) -> str:
    name = called(parent)
    if name in _SEEDS:
        return "seed"
    if name in RIVALS and child in parent.args:
        place = parent.args.index(child)
        return {RIVALS[name]: "rival", WIDTH.get(name): "width"}.get(place, "constant")
    if name in _SCENERY:
        return "setting"
    return "pass" if name in _TRANSPARENT else "constant"


def named_role(name: str, otherwise: str) -> str:
    """The role that a name gives to its value: the words of it, between underscores.

    >>> named_role("max_width", "constant"), named_role("seed", "constant"), named_role("depth", "setting")
    ('width', 'seed', 'setting')
    """
    words = set(re.split("_+", name.lower()))
    if words & _SEEDS:
        return "seed"
    return next((kind for kind, known in _WORDS.items() if words & known), otherwise)


def _is_small(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float)
