"""Germs whose pair (λ, m) is known by construction, behind a change of coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ddtheory.shown import Shown
from ddtheory.testing.models import exact
from ddtheory.testing.numbers import coefficients
from ddtheory.testing.ranges import check_range, check_whole
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from sympy import Expr


@dataclass(frozen=True, repr=False)
class KnownGerm(Shown):
    """A germ at 0 and its pair.

    Attributes:
        divergence: K = Σ g², expanded, in the symbols x1, x2, …
        generators: the g.
        prior: exponents of ∏ |x_i|^{h_i} by name, without those that are 0.
        rlct: (λ, m) of K at 0.
        substitution: the coordinates in which the generators are monomials, by name, as polynomials in the x_i. The
            map has Jacobian determinant 1 and leaves coordinates with a prior alone.
    """

    divergence: Expr
    generators: tuple[Expr, ...]
    prior: Mapping[str, int]
    rlct: RLCT
    substitution: Mapping[str, Expr]

    def __str__(self) -> str:
        prior = "".join(f", |{name}|^{h}" for name, h in self.prior.items())
        return f"λ = {self.rlct.lam}, m = {self.rlct.m} of {self.divergence}{prior}"

    def latex(self) -> str:
        from sympy import latex

        return rf"{self.rlct.latex()},\quad K = {latex(self.divergence)}"

    def rows(self) -> Mapping[str, str]:
        return {
            "λ, m": f"{self.rlct.lam}, {self.rlct.m}",
            "K": str(self.divergence),
            **{f"prior of {name}": str(h) for name, h in self.prior.items()},
        }


def known_germs(
    *,
    min_blocks: int = 1,
    max_blocks: int = 3,
    max_block_size: int = 2,
    max_order: int = 3,
    max_prior: int = 2,
    hidden: bool = True,
) -> SearchStrategy[KnownGerm]:
    """Sums and products of normal crossings on variables that they do not share, behind a shear and a positive unit.

    A block ∏ x_i^{k_i} with prior ∏ |x_i|^{h_i} has λ = min (h_i + 1)/(2k_i), m the number of minimisers. Two parts
    that share no variable: a sum adds λ and m − 1; a product has the smaller λ, and at equal ones adds m. The shear
    x_i → x_i + c x_j², j < i, and a factor 1 + u x_1 change neither. Shrinks to K = x1², (1/2, 1).

    Args:
        min_blocks, max_blocks: how many blocks.
        max_block_size: variables of a block.
        max_order: of the k_i.
        max_prior: of the h_i.
        hidden: False leaves out the shear and the unit, so that every generator is a monomial.

    Raises:
        InvalidValueError: a bound is no whole number in reach, or bounds are in the wrong order.

    >>> from hypothesis import find
    >>> simplest = find(known_germs(), lambda germ: True)
    >>> simplest.divergence, simplest.rlct
    (x1**2, RLCT(lam=Fraction(1, 2), m=1))
    >>> find(known_germs(max_prior=0), lambda germ: germ.rlct.m == 2).divergence
    x1**2*x2**2
    """
    min_blocks, max_blocks = check_range("min_blocks", min_blocks, "max_blocks", max_blocks, least=1)
    max_block_size = check_whole("max_block_size", max_block_size, least=1)
    max_order = check_whole("max_order", max_order, least=1)
    max_prior = check_whole("max_prior", max_prior, least=0)
    powers = st.tuples(st.integers(1, max_order), st.integers(0, max_prior))
    block = st.lists(powers, min_size=1, max_size=max_block_size)
    any_size = st.one_of(st.just(Fraction(0)), coefficients(max_magnitude=2, max_denominator=2))

    @st.composite
    def draw_germ(draw: DrawFn) -> KnownGerm:
        import sympy

        from ddtheory.exact.thresholds.intersection import separable_sum, transversal_crossing

        blocks = draw(st.lists(block, min_size=min_blocks, max_size=max_blocks))
        size = sum(map(len, blocks))
        weights = [h for part in blocks for _, h in part]
        x = sympy.symbols(f"x1:{size + 1}", real=True)
        bends = [Fraction(0)] * size
        unit = Fraction(0)
        targets = [0] * size
        if hidden:
            for i in range(1, size):
                if not weights[i]:
                    bends[i], targets[i] = draw(any_size), draw(st.integers(0, i - 1))
            unit = draw(any_size)
        straight = [x[i] + exact(bends[i]) * x[targets[i]] ** 2 for i in range(size)]
        generators: list[Expr] = []
        pair: RLCT | None = None
        start = 0
        for part in blocks:
            own = sympy.Mul(*[straight[start + i] ** k for i, (k, _) in enumerate(part)])
            rates = [Fraction(h + 1, 2 * k) for k, h in part]
            found = RLCT(min(rates), rates.count(min(rates)))
            start += len(part)
            if pair is None:
                generators, pair = [own], found
            elif draw(st.sampled_from(("sum", "product"))) == "sum":
                generators, pair = [*generators, own], separable_sum(pair, found)
            else:
                generators, pair = [generator * own for generator in generators], transversal_crossing(pair, found)
        factor = 1 + exact(unit) * x[0]
        generators = [sympy.expand(factor * generator) for generator in generators]
        assert pair is not None  # there is at least one block
        return KnownGerm(
            sympy.expand(sum(generator**2 for generator in generators)),
            tuple(generators),
            {symbol.name: h for symbol, h in zip(x, weights, strict=True) if h},
            pair,
            {symbol.name: old for symbol, old in zip(x, straight, strict=True)},
        )

    return draw_germ()
