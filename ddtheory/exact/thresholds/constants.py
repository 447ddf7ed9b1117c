"""Constants and parameters leave an expression where that changes no pair: factors, coefficients of squares, scales.

A constant is anything without a coordinate in it: π, √2, a parameter. K and c·K have one pair for c > 0, and so have
Σ c_i f_i² and Σ f_i² for c_i > 0, an ideal when its generators are multiplied by constants other than 0, and a germ
when its coordinates are: x ↦ c·x keeps the zero of x, its side, and a weight |x|^h up to a constant. Every sign that
this takes is proven from the declared properties, for every value of the parameters that these allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy
from flint import fmpq, fmpq_mat
from sympy import Expr, Poly, Pow, Rational, Symbol

from ddtheory.errors import NotADivergenceError, UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.thresholds.expressions import squares_of
from ddtheory.exact.thresholds.generic import combined, is_generic, is_of_generic

Coordinates = frozenset[Symbol]

_DECLARE = (
    "Declare what is known of it: symbols('a', positive=True), or --parameter a:positive, or the constant a:positive "
    "of a model; a:generic is for all values but exceptional ones, which are listed."
)


def constant_factor(expression: Expr, coordinates: Coordinates) -> tuple[Expr, Expr]:
    """(c, f) with expression = c·f: c is a product of constants, and rational factors stay in f.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> constant_factor(sympy.pi * x**2 * y - 2 * sympy.pi * y, frozenset({x, y}))
    (pi, x**2*y - 2*y)
    """
    one = sympy.Integer(1)
    if isinstance(expression, Rational):
        return one, expression
    if not expression.free_symbols & coordinates:
        return expression, one
    if isinstance(expression, sympy.Mul):
        parts = [constant_factor(factor, coordinates) for factor in expression.args]
        return sympy.Mul(*[c for c, _ in parts]), sympy.Mul(*[f for _, f in parts])
    if isinstance(expression, Pow) and expression.args[1].is_Integer:
        c, f = constant_factor(expression.args[0], coordinates)
        return c ** expression.args[1], f ** expression.args[1]
    if isinstance(expression, sympy.Add):
        terms = [constant_factor(term, coordinates) for term in expression.args]
        first = terms[0][0]
        found: list[Expr] = []
        for c, f in terms if first != 1 else ():
            ratio = one if c == first else sympy.simplify(c / first)  # takes long, so the first that is not ends it
            if not isinstance(ratio, Rational):
                break
            found.append(ratio * f)
        if len(found) == len(terms):
            return first, sympy.Add(*found)
    return one, expression


def without_factor(expression: Expr, coordinates: Coordinates, *, keep_sign: bool) -> Expr:
    """The expression without its constant factor; for a divergence the sign of the factor stays.

    Raises:
        UndecidedError: nothing says that the factor is not 0, or which sign it has.
    """
    c, f = constant_factor(expression, coordinates)
    if c == 1 or (not keep_sign and (c.is_nonzero or is_of_generic(c))):
        return f
    what = "K" if keep_sign else "a generator"
    try:
        found = sign(c)
    except UndecidedError:
        asked = "that it is positive" if keep_sign else "that it is not 0"
        raise UndecidedError(f"{what} has the factor {c}, and nothing says {asked}. {_DECLARE}") from None
    if not found:
        raise NotADivergenceError(f"The factor {c} of {what} is 0.")
    return f if found > 0 else -f


def squares_with_constants(expression: Expr, coordinates: Coordinates) -> list[Expr] | None:
    """The f_i of K written as Σ c_i f_i² with constants c_i > 0; None when it is written otherwise."""
    roots: list[Expr] = []
    for term in sympy.Add.make_args(expression):
        c, f = constant_factor(term, coordinates)
        squares = squares_of(f)
        try:
            if not squares or sign(c) <= 0:
                return None
        except UndecidedError:
            return None
        roots += [root for _, root in squares]
    return roots


def without_parameters(
    expressions: Sequence[Expr], coordinates: Sequence[Symbol], one_sided: frozenset[str], *, divergence: bool
) -> tuple[list[Expr], list[Expr]]:
    """Generators, or K, with rational coefficients, and what must not be 0 of generic constants.

    Raises:
        UndecidedError: the pair may depend on the parameters, or a sign is not known.
    """
    polynomials = [Poly(sympy.expand(expression), *coordinates) for expression in expressions]
    found = None if divergence else combined(polynomials)
    if found is not None:
        return found
    constants = [c for polynomial in polynomials for c in polynomial.coeffs() if any(map(is_generic, c.free_symbols))]
    return _scaled(polynomials, coordinates, one_sided, divergence=divergence), constants


def _scaled(
    polynomials: Sequence[Poly], coordinates: Sequence[Symbol], one_sided: frozenset[str], *, divergence: bool
) -> list[Expr]:
    """Polynomials whose coefficients are constants, in coordinates scaled so that the coefficients are rational.

    Every coefficient is a product of rational numbers and powers of irreducible constants. For each of these the
    exponents must be an affine function of the monomial, with a shift of its own for every generator.

    Raises:
        UndecidedError: no scale does it, so the pair may depend on the parameters, or a sign is not known.
    """
    terms = [
        _Term(number, monomial, *_factored(coefficient))
        for number, polynomial in enumerate(polynomials)
        for monomial, coefficient in polynomial.terms()
    ]
    atoms = sorted({atom for term in terms for atom in term.powers}, key=str)
    for atom in atoms:
        _rescale(atom, terms, coordinates, one_sided, divergence)
    found = [sympy.Integer(0)] * len(polynomials)
    for term in terms:
        turned = term.rational * sympy.Mul(
            *[-1 for atom in atoms if term.powers.get(atom, 0) % 2 and _is_negative(atom)]
        )
        found[term.number] += turned * sympy.Mul(*[x**e for x, e in zip(coordinates, term.monomial, strict=True)])
    return found


@dataclass(frozen=True)
class _Term:
    """One term of one generator; its coefficient is rational · ∏ atom^power."""

    number: int
    monomial: tuple[int, ...]
    rational: Expr
    powers: Mapping[Expr, int]


def _factored(coefficient: Expr) -> tuple[Expr, dict[Expr, int]]:
    rational, powers = sympy.Integer(1), dict[Expr, int]()
    numerator, denominator = sympy.fraction(sympy.together(coefficient))
    for part, side in ((numerator, 1), (denominator, -1)):
        number, factors = sympy.factor_list(part)
        rational *= number**side
        for factor, power in factors:
            powers[factor] = powers.get(factor, 0) + side * int(power)
    if not isinstance(rational, Rational):
        raise UndecidedError(f"The coefficient {coefficient} is no product of a rational number and known constants.")
    return rational, powers


def _is_negative(atom: Expr) -> bool:
    try:
        return sign(atom) < 0
    except UndecidedError:
        return False


def _rescale(
    atom: Expr, terms: Sequence[_Term], coordinates: Sequence[Symbol], one_sided: frozenset[str], divergence: bool
) -> None:
    """Whether scaling the coordinates by powers of one constant, and the generators too, takes it away.

    Of a constant of unknown sign only whole powers may be taken, and none that would turn K or leave the domain.
    """
    try:
        has_sign = sign(atom) != 0
    except UndecidedError:
        has_sign = False
    if not has_sign and not atom.is_nonzero and not is_of_generic(atom):
        raise UndecidedError(f"The coefficient {atom} may be 0, and the pair is another one there. {_DECLARE}")
    count = 1 + max(term.number for term in terms)
    rows = [[int(term.number == j) for j in range(count)] + list(term.monomial) for term in terms]
    powers = _solution(rows, [term.powers.get(atom, 0) for term in terms])
    if powers is not None:
        shifts, scales = powers[:count], powers[count:]
        whole = all(power.denominator == 1 for power in powers)
        inside = all(scale % 2 == 0 for x, scale in zip(coordinates, scales, strict=True) if x.name in one_sided)
        if has_sign or (whole and inside and not (divergence and shifts[0] % 2)):
            return
    names = ", ".join(sorted(symbol.name for symbol in atom.free_symbols)) or str(atom)
    raise UndecidedError(
        f"The pair may depend on the value of {names}: no scaling of the coordinates makes all coefficients free of "
        f"{atom}. Put in numbers, one case at a time."
    )


def _solution(rows: Sequence[Sequence[int]], right: Sequence[int]) -> list[Fraction] | None:
    """One solution of a linear system, zero where it is free."""
    count = len(rows[0])
    reduced, rank = fmpq_mat([[fmpq(x) for x in (*row, value)] for row, value in zip(rows, right, strict=True)]).rref()
    pivots = [next(j for j in range(count + 1) if reduced[i, j]) for i in range(rank)]
    if count in pivots:
        return None
    found = [Fraction(0)] * count
    for i, pivot in enumerate(pivots):
        found[pivot] = Fraction(int(reduced[i, count].p), int(reduced[i, count].q))
    return found
