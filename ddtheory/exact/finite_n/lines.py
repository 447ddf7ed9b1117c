r"""K = c(ax + b)² + L with a, b and L free of a coordinate x: its integral over x in closed form, by error functions.

Three variables become two. L is a sum of squares, so that K ≥ 0 is seen without x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from flint import Ordering, fmpq_mpoly, fmpq_mpoly_ctx

from ddtheory.exact.finite_n.domains import closed
from ddtheory.exact.finite_n.kernels import AlongLines
from ddtheory.exact.finite_n.polynomial_germs import PolynomialGerm
from ddtheory.exact.finite_n.squares import Term, fraction


def along_lines(germ: PolynomialGerm) -> PolynomialGerm | None:
    """The germ with one coordinate integrated; None where K is not so, under a Gaussian, or with a prior on x."""
    phi = germ.phi
    if phi.variance is not None or phi.radius is not None or len(phi.exponents) < 3:
        return None
    if not all(term.square for term in germ.terms):
        return None
    for axis, h in enumerate(phi.exponents):
        with_x = [term for term in germ.terms if any(_degree(germ.bases[index], axis) for index, _ in term.powers)]
        if not h and len(with_x) == 1:
            form = _root(germ.bases, with_x[0])
            if _degree(form, axis) == 1:
                return _without(germ, axis, with_x[0], form)
    return None


def _without(germ: PolynomialGerm, axis: int, taken: Term, form: fmpq_mpoly) -> PolynomialGerm:
    phi, size = germ.phi, len(germ.phi.exponents)
    context = fmpq_mpoly_ctx.get(tuple(f"s{index}" for index in range(size - 1)), Ordering.lex)
    low, high = closed(phi.ends[axis], Fraction(1))

    def at(polynomial: fmpq_mpoly, place: Fraction) -> fmpq_mpoly:
        images = list(context.gens())
        images.insert(axis, context.constant(fraction(place)))
        return polynomial.compose(*images, ctx=context)

    rest = [term for term in germ.terms if term is not taken]
    used = sorted({index for term in rest for index, _ in term.powers})
    terms = tuple(
        Term(term.scale, tuple((used.index(index), power) for index, power in term.powers), True) for term in rest
    )
    bases = [at(germ.bases[index], Fraction(0)) for index in used]
    count = len(bases)
    bases += [at(form.derivative(axis), Fraction(0)), at(form, low), at(form, high)]

    left = [index for index in range(size) if index != axis]
    smaller = replace(
        phi,
        exponents=tuple(phi.exponents[index] for index in left),
        ends=tuple(phi.ends[index] for index in left),
        centre=tuple(phi.centre[index] for index in left),
    )
    kernel = AlongLines(taken.scale, high - low, count, count + 1, count + 2)
    return PolynomialGerm(tuple(bases), terms, smaller, kernel)


def _root(bases: Sequence[fmpq_mpoly], term: Term) -> fmpq_mpoly:
    """g where the term is c g²."""
    found = bases[0] * 0 + 1
    for index, power in term.powers:
        found *= bases[index] ** (power // 2)
    return found


def _degree(polynomial: fmpq_mpoly, axis: int) -> int:
    return int(polynomial.degrees()[axis]) if polynomial != 0 else 0
