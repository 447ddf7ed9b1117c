r"""Twenty-eight cells with proven finite-n targets, made to be confused: each comes with the values of its rivals.

K = Σ over blocks of ∏ w_i^{p_i} on variables that no two blocks share, or a small polynomial. Targets are
λ(nβ) = nβ E[K] by `finite_n` and `finite_n_germ`; (λ, m) are written by hand from λ = Σ min (h+1)/p.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Protocol

from ddtheory.arguments import list_of
from ddtheory.errors import InvalidValueError
from ddtheory.fields import require, require_mapping
from ddtheory.shown import Shown
from ddtheory.testing.conformance.posterior import PolynomialPosterior, Posterior, Terms
from ddtheory.testing.ranges import check_whole
from ddtheory.values import RLCT, Enclosure
from ddtheory.visible import one_line

_DIGITS = 8  # of targets by series; three more than any sampler resolves
_GERM_DIGITS = 5  # of targets by validated quadrature, which takes seconds for more


class GroundTruth(Protocol):
    """What `check_estimator` needs of a cell. Any object with these attributes will do.

    Attributes:
        name: unique among the cells of one check.
        posterior: what the estimator sees.
        rlct: (λ, m) at the truth, for the report.
    """

    @property
    def name(self) -> str: ...
    @property
    def posterior(self) -> Posterior: ...
    @property
    def rlct(self) -> RLCT: ...

    def target(self, n_beta: Fraction) -> Enclosure:
        """nβ E[K] at the posterior, proven."""

    def rivals(self, n_beta: Fraction) -> Mapping[str, float]:
        """What an estimate could be mistaken for: name → value; may be empty."""


Expected = Callable[[Fraction], Enclosure]


@dataclass(frozen=True, repr=False)
class ConformanceCell(Shown):
    """A posterior, its exact target, and the values that a typical mistake would give.

    Attributes:
        expected: nβ ↦ λ(nβ).
        confusions: name of a mistake → the value that it gives, as a function of nβ.
    """

    name: str
    posterior: PolynomialPosterior
    rlct: RLCT
    expected: Expected
    confusions: Mapping[str, Expected] = field(default_factory=dict[str, Expected])

    def __post_init__(self) -> None:
        require(self, str, "name")
        require(self, RLCT, "rlct")
        require(self, PolynomialPosterior, "posterior")
        require(self, Callable, "expected")
        require_mapping(self, str, Callable, "confusions")

    def __repr__(self) -> str:
        return f"ConformanceCell({one_line(self.name)}, λ = {self.rlct.lam}, m = {self.rlct.m})"

    def latex(self) -> str:
        """K and (λ, m) as LaTeX, without dollars."""
        return rf"{self.posterior.latex()},\quad {self.rlct.latex()}"

    def target(self, n_beta: Fraction) -> Enclosure:
        return self.expected(n_beta)

    def rivals(self, n_beta: Fraction) -> Mapping[str, float]:
        return {name: float(value(n_beta)) for name, value in self.confusions.items()}


def crossing_sum(
    name: str,
    *blocks: Sequence[int],
    rlct: RLCT,
    prior: Sequence[int] = (),
    localisation: int = 0,
    one_sided: bool = False,
    confusions: Mapping[str, Expected] | None = None,
) -> ConformanceCell:
    """K = Σ_blocks ∏ w_i^{p_i} with even powers p_i ≥ 2, each block on variables of its own, at w* = 0.

    Args:
        blocks: powers of K; (2, 2), (2,) is (xy)² + z².
        rlct: (λ, m), by hand.
        prior: exponents h_i over all variables.
        localisation: γ > 0 takes the posterior from the box [−1, 1]^d to ℝ^d under e^{−γ‖w‖²/2}.
        one_sided: the box [0, 1]^d.

    Raises:
        InvalidValueError: no block, a power that is not even, a prior of another length, or no whole numbers.

    >>> found = crossing_sum("(xy)²", (2, 2), rlct=RLCT(Fraction(1, 2), 2))
    >>> print(found.target(Fraction(579)))
    0.3798771744627000 ± 2.0e-15
    """
    blocks = tuple(
        tuple(check_whole("a power", power, least=2) for power in list_of(powers, "the powers of a block"))
        for powers in blocks
    )
    size = sum(map(len, blocks))
    if not size or any(power % 2 for powers in blocks for power in powers):
        raise InvalidValueError(f"Powers of K are even, and there is at least one: got {blocks}.")
    prior = tuple(check_whole("a prior exponent", h, least=0) for h in list_of(prior, "prior"))
    if prior and len(prior) != size:
        raise InvalidValueError(f"{len(prior)} prior exponents for {size} parameters: give one each, or none.")
    localisation = check_whole("localisation", localisation, least=0)
    generators: list[Terms] = []
    start = 0
    for powers in blocks:
        halves = [power // 2 for power in powers]
        generators.append(((1.0, (*[0] * start, *halves, *[0] * (size - start - len(powers)))),))
        start += len(powers)
    edge = float("inf") if localisation else 1.0
    posterior = PolynomialPosterior(
        tuple(generators),
        (0.0,) * size,
        (0.0 if one_sided else -edge,) * size,
        (edge,) * size,
        tuple(map(float, prior)),
        float(localisation),
    )
    exact = sum_of_crossings(*blocks, prior=prior, localisation=localisation)
    return ConformanceCell(name, posterior, rlct, exact, confusions or {})


def sum_of_crossings(*blocks: Sequence[int], prior: Sequence[int] = (), localisation: int = 0) -> Expected:
    """nβ ↦ λ(nβ) of Σ_blocks ∏ w_i^{p_i}: the sum over blocks. One side of the box or two give the same."""

    @cache
    def expected(n_beta: Fraction) -> Enclosure:
        from ddtheory.exact.finite_n.crossings import finite_n

        variance = Fraction(1, localisation) if localisation else None
        weights = list(prior) or [0] * sum(map(len, blocks))
        total, start = Enclosure(0), 0
        for powers in blocks:
            own = weights[start : start + len(powers)]
            start += len(powers)
            found = finite_n(powers, n_beta, prior=own, variance=variance, digits=_DIGITS)
            total = total + found.learning_coefficient
        return total

    return expected


def germ_value(divergence: str, half_width: Fraction, prior: Mapping[str, int] | None = None) -> Expected:
    """nβ ↦ λ(nβ) of a polynomial germ on a box, by validated quadrature."""

    @cache
    def expected(n_beta: Fraction) -> Enclosure:
        from ddtheory.exact.finite_n.germs import finite_n_germ

        found = finite_n_germ(divergence, n_beta, half_width=half_width, prior=dict(prior or {}), digits=_GERM_DIGITS)
        return found.learning_coefficient

    return expected


def _constant(value: Fraction) -> Expected:
    return lambda n_beta: Enclosure(value)


def conformance_cells() -> tuple[ConformanceCell, ...]:
    """All cells: eighteen boxes at the truth, six localised posteriors on ℝ^d, and four traps.

    >>> len(conformance_cells())
    28
    """
    return (*_boxes(), *_localised(), *_traps())


def _boxes() -> tuple[ConformanceCell, ...]:
    half, quarter, sixth = Fraction(1, 2), Fraction(1, 4), Fraction(1, 6)
    flat = sum_of_crossings
    return (
        crossing_sum("x²", (2,), rlct=RLCT(half)),
        crossing_sum("x⁴", (4,), rlct=RLCT(quarter)),
        crossing_sum("x⁶", (6,), rlct=RLCT(sixth)),
        crossing_sum("x² + y²", (2,), (2,), rlct=RLCT(Fraction(1))),
        crossing_sum("x² + y⁴", (2,), (4,), rlct=RLCT(Fraction(3, 4)), confusions={"regular": flat((2,), (2,))}),
        crossing_sum("x² + y⁴ + z⁶", (2,), (4,), (6,), rlct=RLCT(Fraction(11, 12))),
        crossing_sum("(xy)²", (2, 2), rlct=RLCT(half, 2), confusions={"(xy)⁴": flat((4, 4))}),
        crossing_sum("(xy)⁴", (4, 4), rlct=RLCT(quarter, 2), confusions={"(xy)⁶": flat((6, 6))}),
        crossing_sum("(xyz)²", (2, 2, 2), rlct=RLCT(half, 3), confusions={"multiplicity 2": flat((2, 2))}),
        crossing_sum("x²y⁴", (2, 4), rlct=RLCT(quarter), confusions={"multiplicity 2": flat((4, 4))}),
        crossing_sum("x²(yz)⁴", (2, 4, 4), rlct=RLCT(quarter, 2), confusions={"multiplicity 1": flat((2, 4))}),
        crossing_sum("(xy)² + z²", (2, 2), (2,), rlct=RLCT(Fraction(1), 2), confusions={"z² forgotten": flat((2, 2))}),
        crossing_sum("(xy)² + (zu)²", (2, 2), (2, 2), rlct=RLCT(Fraction(1), 3)),
        crossing_sum("(xyz)² + u⁴", (2, 2, 2), (4,), rlct=RLCT(Fraction(3, 4), 3)),
        crossing_sum(
            "x², prior |x|", (2,), rlct=RLCT(Fraction(1)), prior=(1,), confusions={"prior ignored": flat((2,))}
        ),
        crossing_sum(
            "(xy)², prior |x|", (2, 2), rlct=RLCT(half), prior=(1, 0), confusions={"prior ignored": flat((2, 2))}
        ),
        crossing_sum(
            "x²y⁴, prior |y|³", (2, 4), rlct=RLCT(half), prior=(0, 3), confusions={"prior ignored": flat((2, 4))}
        ),
        crossing_sum("(xy)², x, y ≥ 0", (2, 2), rlct=RLCT(half, 2), one_sided=True),
    )


def _localised() -> tuple[ConformanceCell, ...]:
    """γ = 1 on ℝ^d: no boundary, which is what samplers by gradients are made for."""
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    return (
        crossing_sum("x², γ = 1", (2,), rlct=RLCT(half), localisation=1),
        crossing_sum("x⁴, γ = 1", (4,), rlct=RLCT(quarter), localisation=1),
        crossing_sum("x² + y⁴, γ = 1", (2,), (4,), rlct=RLCT(Fraction(3, 4)), localisation=1),
        crossing_sum("(xy)², γ = 1", (2, 2), rlct=RLCT(half, 2), localisation=1),
        crossing_sum("(xyz)², γ = 1", (2, 2, 2), rlct=RLCT(half, 3), localisation=1),
        crossing_sum("(xy)² + z⁴, γ = 1", (2, 2), (4,), rlct=RLCT(Fraction(3, 4), 2), localisation=1),
    )


def _traps() -> tuple[ConformanceCell, ...]:
    """Where the obvious reading is another one's answer."""
    half, box = Fraction(1, 2), Fraction(1, 2)
    return (
        # x²(1 − x)⁴: regular here, λ = 1/4 half a unit beyond the box
        ConformanceCell(
            "x²(1−x)⁴ near 0",
            PolynomialPosterior((((1.0, (1,)), (-2.0, (2,)), (1.0, (3,))),), (0.0,), (-0.5,), (0.5,)),
            RLCT(half),
            germ_value("x^2*(1-x)^4", box),
            {"the deeper point x = 1": _constant(Fraction(1, 4))},
        ),
        # x⁴y² at (1, 0): a smooth point of the zero set, far from the line x = 0
        ConformanceCell(
            "x⁴y² near (1, 0)",
            PolynomialPosterior((((1.0, (2, 1)),),), (1.0, 0.0), (0.5, -0.5), (1.5, 0.5)),
            RLCT(half),
            germ_value("(1+u)^4*y^2", box),
            {"the line x = 0": sum_of_crossings((4, 2))},
        ),
        # ⟨x − y², y³⟩: order 2 along the axis, order 3 along the arc x = y²
        ConformanceCell(
            "(x−y²)² + y⁶",
            PolynomialPosterior(
                (((1.0, (1, 0)), (-1.0, (0, 2))), ((1.0, (0, 3)),)), (0.0,) * 2, (-1.0,) * 2, (1.0,) * 2
            ),
            RLCT(Fraction(2, 3)),
            germ_value("(x-y^2)^2+y^6", Fraction(1)),
            {"the order along the axis": _constant(Fraction(3, 4))},
        ),
        # on the quadrant x + y is as large as max(x, y); with x = u², y = v² it is the germ (u² + v²)² with prior |uv|
        ConformanceCell(
            "(x+y)², x, y ≥ 0",
            PolynomialPosterior((((1.0, (1, 0)), (1.0, (0, 1))),), (0.0,) * 2, (0.0,) * 2, (1.0,) * 2),
            RLCT(Fraction(1)),
            germ_value("(u^2+v^2)^2", Fraction(1), {"u": 1, "v": 1}),
            {"two-sided": _constant(half)},
        ),
    )
