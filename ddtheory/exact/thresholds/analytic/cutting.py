"""Power series cut off: the same ideal, the same germ, or K ≍ a sum of monomials; each with what proves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Symbol

from ddtheory.exact.thresholds.analytic.comparison import comparable_vertices
from ddtheory.exact.thresholds.analytic.compositions import Composition, compositions
from ddtheory.exact.thresholds.analytic.jets import jet
from ddtheory.exact.thresholds.analytic.membership import same_germ, same_ideal
from ddtheory.exact.thresholds.analytic.scales import in_rational_scales
from ddtheory.exact.thresholds.analytic.tails import Tail, joined, tail_of
from ddtheory.exact.thresholds.analytic.terms import (
    Terms,
    degree_of,
    degrees,
    expression_of,
    for_flint,
    is_rational,
    monomial_of,
    normalised,
    text_of,
)
from ddtheory.exact.thresholds.expressions import is_rational_polynomial
from ddtheory.exact.thresholds.germs.limits import spend


@dataclass(frozen=True)
class Cut:
    """What stands for expressions, why, and whether it is K or generators."""

    expressions: tuple[Expr, ...]
    says: str
    kind: str


def cut_ideal(composition: Composition, kind: str) -> Cut | None:
    """The ideal of Taylor polynomials in the arguments, where the tail lies in m times it."""
    symbols = composition.symbols
    if all(entry.is_polynomial(*symbols) for entry in composition.outer):
        return None  # nothing is cut off
    for degree in degrees(len(symbols)):
        spend()
        jets = [jet(entry, symbols, degree) for entry in composition.outer]
        if not all(jets):
            continue
        scaled = [normalised(terms) for terms in jets]
        if not all(map(is_rational, scaled)):
            break
        tail = _tail(composition.outer, jets, symbols, degree)
        if tail is not None and same_ideal([for_flint(terms) for terms in scaled], tail):
            found = tuple(composition.back(expression_of(terms, symbols)) for terms in scaled)
            says = (
                f"Taylor polynomials of degree {degree} generate the ideal: the monomials of the tails lie in m times "
                "it (Nakayama)."
            )
            return Cut(found, says, kind)
    return None


def cut_germ(expressions: Sequence[Expr], kind: str, free: frozenset[str]) -> Cut | None:
    """Taylor polynomials that are the same germ after a change of coordinates and multiplication by units.

    Polynomials with irrational coefficients are only scaled.
    """
    *_, composition = compositions(expressions)
    symbols = composition.symbols
    cut = [not expression.is_polynomial(*symbols) for expression in expressions]
    for degree in degrees(len(symbols)):
        spend()
        jets = [
            jet(entry, symbols, degree if one else degree_of(entry))
            for entry, one in zip(expressions, cut, strict=True)
        ]
        if not all(jets):
            continue
        scaled: Sequence[Terms] | None = [normalised(terms) for terms in jets]
        says = ""
        if not all(map(is_rational, scaled or ())):
            scaled = in_rational_scales(jets)
            says = "Coordinates are scaled by positive constants, so that the coefficients are rational. "
        if scaled is None:
            continue
        found = tuple(expression_of(terms, symbols) for terms in scaled)
        if not any(cut):
            return Cut(found, says.strip(), kind)
        tail = _tail(expressions, jets, symbols, degree)
        if tail is None:
            return None
        if same_germ([for_flint(terms) for terms in scaled], cut, tail, [symbol.name in free for symbol in symbols]):
            says += (
                f"Taylor polynomials of degree {degree} are the same germ up to units and a change of the free "
                "coordinates: the monomials of the tails are tangent to its orbit (finite determinacy)."
            )
            return Cut(found, says, kind)
    return None


def cut_divergence(expression: Expr, one_sided: frozenset[str]) -> Cut | None:
    """K ≍ Σ p^a over the vertices of its Newton polyhedron in the arguments p."""
    for composition in compositions([expression]):
        (outer,) = composition.outer
        symbols = composition.symbols
        sides = [composition.back(symbol) == symbol and symbol.name in one_sided for symbol in symbols]
        for degree in degrees(len(symbols)):
            spend()
            terms = jet(outer, symbols, degree)
            if not terms:
                continue
            tail = tail_of(outer, symbols, terms, degree)
            if tail is None:
                break
            vertices = comparable_vertices(terms, tail, sides)
            if vertices is None:
                continue
            listed = ", ".join(text_of(composition.back(symbol)) for symbol in symbols)
            says = (
                f"K ≍ the sum of the vertices of its Newton polyhedron in {listed}: it is positive on every compact "
                "face, and all that was cut off lies above these."
            )
            if not any(power % 2 for vertex in vertices for power in vertex):
                roots = [monomial_of(tuple(power // 2 for power in vertex), symbols) for vertex in vertices]
                return Cut(tuple(map(composition.back, roots)), says, "generators")
            found = composition.back(sympy.Add(*[monomial_of(vertex, symbols) for vertex in vertices]))
            if is_rational_polynomial(found):
                return Cut((found,), says, "divergence")
    return None


def _tail(expressions: Sequence[Expr], jets: Sequence[Terms], symbols: Sequence[Symbol], degree: int) -> Tail | None:
    """What was cut off of all expressions; polynomials of at most the degree, and irrational ones, are whole."""
    tails: list[Tail] = []
    for entry, terms in zip(expressions, jets, strict=True):
        if entry.is_polynomial(*symbols) and max(map(sum, terms)) == degree_of(entry):
            continue
        tail = tail_of(entry, symbols, terms, degree)
        if tail is None:
            return None
        tails.append(tail)
    return joined(tails)
