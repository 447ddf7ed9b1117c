"""Certificates written by hand: polynomials as text, germs, nodes, and the top of a certificate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

Json = dict[str, Any]

_TERM = re.compile(r"([+-]?)\s*([^+-]+)")


def exponents(monomial: str, names: str) -> list[int]:
    """`x^2*y` in the variables `x y` is [2, 1]."""
    return term(monomial, names)[0]


def term(text: str, names: str) -> tuple[list[int], Fraction]:
    powers = dict.fromkeys(names.split(), 0)
    coefficient = Fraction(1)
    for factor in text.replace(" ", "").split("*"):
        name, _, power = factor.partition("^")
        if name in powers:
            powers[name] += int(power or 1)
        else:
            coefficient *= Fraction(factor)
    return list(powers.values()), coefficient


def polynomial(text: str, names: str) -> list[Any]:
    """A sum of terms such as `3/2*x^2*y - x`, as it stands in a certificate; `0` is the empty list."""
    found: dict[tuple[int, ...], Fraction] = {}
    for sign, body in _TERM.findall(text):
        powers, coefficient = term(body.strip(), names)
        key = tuple(powers)
        found[key] = found.get(key, Fraction(0)) + (-coefficient if sign == "-" else coefficient)
    return [[list(key), str(value)] for key, value in found.items() if value]


def polynomials(texts: Sequence[str], names: str) -> list[Any]:
    return [polynomial(text, names) for text in texts]


def germ(names: str, *generators: str, prior: str = "", nonnegative: str = "", field: Json | None = None) -> Json:
    """`prior` lists all exponents, `nonnegative` the names of one-sided variables."""
    listed = names.split()
    return {
        "variables": listed,
        "generators": polynomials(generators, names),
        "prior": prior.split() if prior else ["0"] * len(listed),
        "nonnegative": [name in nonnegative.split() for name in listed],
        "field": field,
    }


def bound(text: str) -> list[Any]:
    """`1/2,1` is ["1/2", 1]; `1/2,?` is ["1/2", null]."""
    value, _, multiplicity = text.partition(",")
    return [value, None if multiplicity == "?" else int(multiplicity)]


def node(rule: str, of: Json, claim: str, data: Json | None = None, *children: Json, parameters: str = "") -> Json:
    """`claim` is `value,m` for both bounds, or `lower < upper`."""
    lower, _, upper = claim.replace(" ", "").partition("<")
    found: Json = {
        "rule": rule,
        "germ": of,
        "lower": bound(lower),
        "upper": bound(upper or lower),
        "data": data or {},
        "children": list(children),
    }
    if parameters:
        found["parameters"] = [of["variables"].index(name) for name in parameters.split()]
    return found


def proof(text: str) -> Json:
    """`monomial 0`, `sign 0`, `edge` or `unknown`."""
    kind, _, generator = text.partition(" ")
    return {"kind": kind, "generator": int(generator)} if generator else {"kind": kind}


def newton_data(names: str, weights: str, multipliers: Json, multiplicity: int, faces: Json, **extra: Any) -> Json:
    """`multipliers` and `faces` are keyed by monomials as text; a proof is text or an object."""
    return {
        "weights": weights.split(),
        "multipliers": list(multipliers.values()),
        "support": [exponents(monomial, names) for monomial in multipliers],
        "multiplicity": multiplicity,
        "faces": [
            {
                "exponents": [exponents(monomial, names) for monomial in face.split(",")],
                "proof": proof(how) if isinstance(how, str) else how,
            }
            for face, how in faces.items()
        ],
        **extra,
    }


def cofactors(names: str, order: int, monomial: str, *terms: tuple[int, str, str]) -> Json:
    """Terms are (generator, derivative as the product of the variables derived by, cofactor)."""
    return {
        "kind": "cofactors",
        "order": order,
        "monomial": exponents(monomial, names),
        "terms": [
            {
                "generator": generator,
                "derivative": exponents(derivative, names) if derivative else [0] * len(names.split()),
                "cofactor": polynomial(cofactor, names),
            }
            for generator, derivative, cofactor in terms
        ],
    }


def of_ideal(derivation: Json, at: str = "", given: Json | None = None) -> Json:
    """K ≍ Σ f²: the pair of K has half the value."""
    return _top("generators", derivation, at, given)


def of_divergence(derivation: Json, at: str = "", given: Json | None = None) -> Json:
    """K itself, assumed to be ≥ 0."""
    return _top("divergence", derivation, at, given)


def of_function(derivation: Json, at: str = "", given: Json | None = None) -> Json:
    """|f| of the one generator, two-sided."""
    return _top("two-sided", derivation, at, given)


def _top(kind: str, derivation: Json, at: str, given: Json | None) -> Json:
    lower, upper = (_halved(derivation[side], kind) for side in ("lower", "upper"))
    exact = lower == upper and lower[1] is not None
    return {
        "format": "ddtheory-derivation/1",
        "input": {
            "kind": kind,
            "germ": given or derivation["germ"],
            "at": at.split() if at else ["0"] * len(derivation["germ"]["variables"]),
        },
        "hypotheses": ["K >= 0 near the point"] if kind == "divergence" else [],
        "derivation": derivation,
        "lambda": lower[0] if exact else None,
        "multiplicity": lower[1] if exact else None,
        "status": "exact" if exact else "bounds",
        "lower": lower,
        "upper": upper,
    }


def _halved(stated: list[Any], kind: str) -> list[Any]:
    value, multiplicity = stated
    if kind != "generators" or value == "infinity":
        return [value, multiplicity]
    return [str(Fraction(value) / 2), multiplicity]
