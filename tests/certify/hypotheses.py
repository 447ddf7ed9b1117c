"""Certificates with one hypothesis broken, and nothing else wrong: the rest is changed along wherever it can be.

Not at random: every place of every kind, one after the other. What is then accepted must be true by another argument:
the germ that the certificate now names has the pair that it now claims, derived from nothing but that germ, and a
divergence is nowhere negative at points.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from derived import derived_again
from mutations import places
from sampling import seen

from ddtheory.errors import InvalidValueError

Json = Any
NONNEGATIVE = "K >= 0 near the point"


def copied(certificate: Json) -> Json:
    return json.loads(json.dumps(certificate))


def _nodes(certificate: Json) -> list[Json]:
    return [node for _, node in places(certificate) if isinstance(node, dict) and "rule" in node]


def broken(certificate: Json) -> Iterator[tuple[str, Json]]:
    """The kind of hypothesis that is broken, and the certificate."""
    yield from _false_divergences(certificate)
    yield from _other_germs(certificate)
    yield from _wrong_points(certificate)
    yield from _left_out(certificate)


def _false_divergences(certificate: Json) -> Iterator[tuple[str, Json]]:
    germ, kind = certificate["input"]["germ"], certificate["input"]["kind"]
    if kind == "generators" and len(germ["generators"]) == 1:
        for hypotheses in ([], [NONNEGATIVE]):
            found = copied(certificate)
            found["input"]["kind"], found["hypotheses"] = "divergence", hypotheses
            for side in ("lower", "upper"):
                found[side] = found["derivation"][side]
            found["lambda"] = None if found["lambda"] is None else found["lower"][0]
            yield "a generator as K", found
    if kind == "divergence":
        yield "K >= 0 left out", {**copied(certificate), "hypotheses": []}
        for factor in ("-1", "-3", "3", "-10", "10"):
            found = copied(certificate)
            for of in (found["input"], *(_nodes(found) if factor == "-1" else [found["derivation"]])):
                if len(of["germ"]["generators"]) == 1:
                    _scale(of["germ"], factor, inner=factor != "-1")
            yield "the other sign of K" if factor == "-1" else "other terms of K", found


def _scale(germ: Json, factor: str, inner: bool) -> None:
    """All terms, or those between the first and the last."""
    terms = sorted(germ["generators"][0])
    for term in terms[1:-1] if inner else terms:
        term[1] = (
            str(Fraction(factor) * Fraction(term[1]))
            if isinstance(term[1], str)
            else [str(Fraction(factor) * Fraction(part)) for part in term[1]]
        )


def _other_germs(certificate: Json) -> Iterator[tuple[str, Json]]:
    """Another prior, another domain, or a generator less: in the input alone, at the root as well, or everywhere."""
    germ = certificate["input"]["germ"]
    for index, name in enumerate(germ["variables"]):
        for exponent in ("0", "1", "-1/2"):
            if exponent != germ["prior"][index]:
                what = "a prior lost" if exponent == "0" else "a prior won"
                for depth in ("input", "root", "everywhere"):
                    yield what, _with(certificate, depth, name, "prior", exponent)
        lost = germ["nonnegative"][index]
        for depth in ("input", "root", "everywhere"):
            yield f"a boundary {'lost' if lost else 'won'}", _with(certificate, depth, name, "nonnegative", not lost)
    for number in range(len(germ["generators"])):
        for of_root in (False, True):
            found = copied(certificate)
            for of in (found["input"], found["derivation"])[: 1 + of_root]:
                del of["germ"]["generators"][number]
            yield "a generator left out", found


def _with(certificate: Json, depth: str, name: str, key: str, entry: Json) -> Json:
    found = copied(certificate)
    held = {"input": [], "root": [found["derivation"]], "everywhere": _nodes(found)}[depth]
    for of in (found["input"], *held):
        if name in of["germ"]["variables"]:
            of["germ"][key][of["germ"]["variables"].index(name)] = entry
    return found


def _wrong_points(certificate: Json) -> Iterator[tuple[str, Json]]:
    """The point alone; or the root is moved along, and the steps stay what they are."""
    for index in range(len(certificate["input"]["at"])):
        for step in ("1", "-1/2"):
            found = copied(certificate)
            value = found["input"]["at"][index]
            first, *irrational = value if isinstance(value, list) else [value]
            shifted = str(Fraction(first) + Fraction(step))
            found["input"]["at"][index] = [shifted, *irrational] if irrational else shifted
            yield "a wrong point", found
            if found["input"]["germ"]["field"] is None:
                moved = copied(found)
                moved["derivation"]["germ"]["generators"] = _moved(found["input"])
                yield "a wrong point, moved to", moved


def _moved(given: Json) -> list[Json]:
    names = sympy.symbols(f"v:{len(given['at'])}")
    listed = []
    for generator in given["germ"]["generators"]:
        total = sum(
            (
                sympy.Rational(c)
                * sympy.prod((v + sympy.Rational(p)) ** e for v, p, e in zip(names, given["at"], a, strict=True))
                for a, c in generator
            ),
            sympy.Integer(0),
        )
        terms = sympy.Poly(total, *names).terms() if names else []
        listed.append([[list(map(int, a)), str(c)] for a, c in terms if c != 0])
    return listed


def _left_out(certificate: Json) -> Iterator[tuple[str, Json]]:
    """A chart, block, factor or root with its child; a face; a child alone; a field of another root."""
    for place, node in places(certificate):
        if not isinstance(node, dict) or "rule" not in node:
            continue
        data, children = node["data"], node["children"]
        for key in ("charts", "blocks", "factors"):
            if isinstance(data.get(key), list) and len(data[key]) == len(children):
                for k in range(len(children)):
                    yield f"one of the {key} left out", _without(certificate, place, k, ("children",), ("data", key))
        for k in range(len(data.get("faces", []))):
            yield "a face left out", _without(certificate, place, k, ("data", "faces"))
        for k in range(len(children)):
            yield "a child left out", _without(certificate, place, k, ("children",))
        for k in range(len(data.get("matrices", []))):
            yield "a matrix left out", _without(certificate, place, k, ("data", "matrices"))


def _without(certificate: Json, place: tuple[str | int, ...], number: int, *lists: tuple[str, ...]) -> Json:
    found = copied(certificate)
    for path in lists:
        held: Any = found
        for step in (*place, *path):
            held = held[step]
        del held[number]
    return found


def why_true(original: Json, certificate: Json) -> str:
    """By which other argument the claim of an accepted certificate is true; empty when there is none."""
    given, before = certificate["input"], original["input"]
    germ, kind = given["germ"], given["kind"]
    nowhere_negative = (
        kind != "divergence" or any(map(Fraction, given["at"])) or seen(germ, germ["generators"][0]) <= {1}
    )
    if not nowhere_negative:
        return ""
    if germ == before["germ"] and kind == before["kind"]:
        same_claim = all(certificate[key] == original[key] for key in ("lower", "upper", "lambda", "multiplicity"))
        used = {i for f in germ["generators"] for a, _ in f for i, e in enumerate(a) if e}
        same_point = all(given["at"][i] == before["at"][i] for i in used)
        if same_claim and same_point:
            return "the same claim"
        if same_point:
            return ""
    if not any(germ["generators"]):
        return "the zero ideal" if certificate["lower"] == certificate["upper"] == ["0", 1] else ""
    return _derived_again(certificate) if germ["field"] is None else ""


def _derived_again(certificate: Json) -> str:
    """The exact side closes, and its pair is the one that is stated, or lies within the bounds that are stated."""
    given = certificate["input"]
    try:
        found = derived_again(given["germ"], given["kind"], given["at"], 3).rlct
    except InvalidValueError:
        return ""
    if found is None:
        return ""
    if certificate["status"] == "exact":
        return "derived again" if [str(found.lam), found.m] == certificate["lower"] else ""
    below, above = (
        math.inf if v == "infinity" else Fraction(v) for v, _ in (certificate["lower"], certificate["upper"])
    )
    return "around what is derived again" if below <= found.lam <= above else ""
