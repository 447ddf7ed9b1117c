"""Rational functions of the coordinates, and of their exponentials, are polynomials times units.

Where a coordinate x occurs in exponentials e^{rx} with rational r only, hyperbolic functions among them, e^{x/d} − 1 is
a coordinate in its place: it is x times a positive unit, so a prior weight or a boundary at x = 0 stays what it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import sympy
from sympy import Expr, Integer, Poly, Rational, Symbol

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.thresholds.analytic.factors import value_at_origin
from ddtheory.exact.thresholds.expressions import is_rational_polynomial
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import factors, ring_of, substitute

_HYPERBOLIC = (sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch)
_MOST_OPERATIONS = 2_000
_MOST_MONOMIALS = 20_000  # that the degrees allow

SAYS = "Rational functions are polynomials times units at the point."
SAYS_OF_EXPONENTIALS = "Where a coordinate x occurs as e^(rx) alone, e^(x/d) − 1 is the coordinate in its place."


def polynomials_of(expressions: Sequence[Expr]) -> tuple[list[Expr], str] | None:
    """Polynomials f with f·u = the expression, u > 0 at the origin, and what was used; None where that is not seen.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> polynomials_of([x * y / (1 + x**2), x / (y - 2)])[0]
    [x*y, -x]
    >>> polynomials_of([sympy.exp(2 * x) - sympy.exp(x), sympy.tanh(y) - 1 + sympy.exp(-x)])[0]
    [x, -2*x + y**2 + 2*y]
    """
    if sum(map(sympy.count_ops, expressions)) > _MOST_OPERATIONS * max(len(expressions), 1):
        return None
    algebraic = _without_exponentials([_without_unit_factors(expression) for expression in expressions])
    if algebraic is None:
        return None
    found, bases = algebraic
    polynomials: list[Expr] = []
    for expression in found:
        polynomial = expression if is_rational_polynomial(expression) and not bases else _numerator(expression, bases)
        if polynomial is None:
            return None
        polynomials.append(polynomial)
    return polynomials, SAYS_OF_EXPONENTIALS if bases else SAYS


def _without_unit_factors(product: Expr) -> Expr:
    """A product without the factors that have a value other than 0 at the origin; their signs stay."""
    kept: list[Expr] = []
    for factor in sympy.Mul.make_args(product):
        try:
            turn = sign(value_at_origin(factor)) if factor.free_symbols else 0
        except (NotAnalyticError, UndecidedError):
            turn = 0
        kept.append(sympy.Integer(turn) if turn else factor)
    return sympy.Mul(*kept)


def _without_exponentials(expressions: Sequence[Expr]) -> tuple[list[Expr], dict[Symbol, Symbol]] | None:
    """Rational functions, in which some symbols stand for e^{x/d}, and the x that each of these belongs to."""
    written = [entry.rewrite(_HYPERBOLIC, sympy.exp) if entry.has(*_HYPERBOLIC) else entry for entry in expressions]
    exponents: dict[Expr, dict[Symbol, Rational]] = {}
    for atom in set[Expr]().union(*[entry.atoms(sympy.exp) for entry in written]):
        argument = sympy.expand(atom.args[0])
        parts = {term: c for term, c in argument.as_coefficients_dict().items() if c}
        if not all(isinstance(x, Symbol) and isinstance(r, Rational) for x, r in parts.items()):
            return None
        exponents[atom] = dict(parts)
    parts_of: dict[Symbol, int] = {}
    for powers in exponents.values():
        for x, r in powers.items():
            parts_of[x] = math.lcm(parts_of.get(x, 1), int(r.q))
    bases = {x: sympy.Dummy(x.name, real=True) for x in parts_of}
    images = {
        atom: sympy.Mul(*[bases[x] ** int(r * parts_of[x]) for x, r in powers.items()])
        for atom, powers in exponents.items()
    }
    found = [entry.xreplace(images) for entry in written]
    if any(entry.free_symbols & parts_of.keys() for entry in found):
        return None
    if not all(entry.is_rational_function(*entry.free_symbols) for entry in found):
        return None
    return found, {base: x for x, base in bases.items()}


def _numerator(expression: Expr, bases: dict[Symbol, Symbol]) -> Expr | None:
    """The factors that vanish at the origin of a rational function, with the sign of the others there."""
    above, below = sympy.fraction(sympy.together(expression))
    turn, product = 1, Integer(1)
    for part, side in ((above, 1), (below, -1)):
        if not part.free_symbols:
            turn *= -1 if part.is_negative else 1
            product *= part if part == 0 else 1
            continue
        symbols = sorted(part.free_symbols, key=lambda symbol: symbol.name)
        polynomial = Poly(part, *symbols)
        if not (polynomial.domain.is_ZZ or polynomial.domain.is_QQ):
            return None
        if math.prod(degree + 1 for degree in polynomial.degree_list()) > _MOST_MONOMIALS:
            return None
        spend()
        ring = ring_of([f"u{place}" for place in range(len(symbols))])
        element = ring.from_dict({m: ring.domain(int(c.p), int(c.q)) for m, c in polynomial.terms()})
        element = substitute(element, [u + int(s in bases) for s, u in zip(symbols, ring.gens, strict=True)], ring)
        names = {str(u): bases.get(s, s) for s, u in zip(symbols, ring.symbols, strict=True)}
        constant, listed = factors(element)
        turn *= 1 if constant > 0 else -1
        for factor, power in listed:
            value = factor.get(ring.zero_monom, 0)
            if value:
                turn *= (1 if value > 0 else -1) ** power
            elif side < 0:
                return None
            else:
                product *= factor.as_expr().subs({s: names[str(s)] for s in ring.symbols}, simultaneous=True) ** power
    return turn * product
