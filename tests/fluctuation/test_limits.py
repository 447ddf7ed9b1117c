"""Finite n tends to the derived (λ, m): λ, the log log term of m and the constant; to a wrong pair it does not."""

from __future__ import annotations

import doctest
import math
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ddtheory import RLCT, Enclosure, FiniteN, finite_n, rlct
from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.finite_n import expansion as module
from ddtheory.exact.finite_n.expansion import finite_n_expansion, leading_constant

LARGE = 10**150  # log t = 345, so that 1/log t separates neighbouring multiplicities
NAMES = "xyz"

crossings = st.lists(
    st.tuples(st.sampled_from([2, 4, 6]), st.integers(0, 2)), min_size=1, max_size=3
)  # rates (h + 1)/p that differ, differ by 1/6 at least


def derived(crossing: list[tuple[int, int]]) -> RLCT:
    """By the rules, from the polynomial as text; not by `finite_n`."""
    germ = "*".join(f"{name}^{p}" for name, (p, _) in zip(NAMES, crossing, strict=False))
    found = rlct(germ, prior={name: h for name, (_, h) in zip(NAMES, crossing, strict=False)}).rlct
    assert found is not None
    return found


def multiplicity_at(found: FiniteN, lam: Fraction) -> float:
    """(λ − λ(t)) log t + 1, which tends to m."""
    log = math.log(found.n_beta.numerator) - math.log(found.n_beta.denominator)
    return float(lam - found.learning_coefficient.midpoint) * log + 1


def constant_from(values: list[FiniteN], pair: RLCT) -> tuple[float, float]:
    found = leading_constant([value.n_beta for value in values], [value.free_energy for value in values], pair)
    return found.lower, found.upper


def along(crossing: list[tuple[int, int]], count: int) -> list[FiniteN]:
    powers, weights = zip(*crossing, strict=True)
    return [finite_n(powers, LARGE * 4**power, prior=weights) for power in range(count)]


@settings(max_examples=25, deadline=None)
@given(crossings)
@example([(4, 0), (6, 1), (6, 1)])  # t^{−1/12} log t: 1e-10 of the value a step, which adds up
@example([(4, 0), (4, 0), (6, 0)])  # the same; in doubles its steps were rounding, and refused
def test_products_tend_to_what_is_derived(crossing: list[tuple[int, int]]) -> None:
    pair = derived(crossing)
    values = along(crossing, pair.m + 3)
    assert abs(multiplicity_at(values[0], pair.lam) - pair.m) < 0.4
    low, high = constant_from(values[: pair.m + 2], pair)
    assert low <= float(values[0].constant) <= high
    assert high - low < 1e-4 * high
    # the controls: a multiplicity or a λ that is not that of the integral is refused
    for wrong in (RLCT(pair.lam, pair.m + 1), RLCT(pair.lam + Fraction(1, 12), pair.m)):
        with pytest.raises(UndecidedError):
            constant_from(values[: wrong.m + 2], wrong)
    if pair.m > 1:
        with pytest.raises(UndecidedError, match="does not settle"):
            constant_from(values[: pair.m + 1], RLCT(pair.lam, pair.m - 1))


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([2, 4, 6]), st.sampled_from([2, 4, 6]), st.sampled_from([2, 4]), st.integers(0, 2))
def test_separable_sums_tend_to_what_is_derived(a: int, b: int, c: int, h: int) -> None:
    """x^a y^b + z^c, the block of z with a prior |z|^h."""
    pair = rlct(f"x^{a}*y^{b} + z^{c}", prior={"z": h}).rlct
    assert pair is not None
    values = [
        finite_n((a, b), LARGE * 4**power).separable_sum(finite_n((c,), LARGE * 4**power, prior=(h,)))
        for power in range(pair.m + 2)
    ]
    assert values[0].rlct == pair
    assert abs(multiplicity_at(values[0], pair.lam) - pair.m) < 0.4
    low, high = constant_from(values, pair)
    assert low <= float(values[0].constant) <= high


@pytest.mark.long
@pytest.mark.parametrize(
    ("germ", "options", "constant"),
    [
        ("x^2*y^2", {}, math.sqrt(math.pi)),
        # the lines u = x − y, v = x + y: half the area
        ("(x^2-y^2)^2", {"n_beta": 1000}, math.sqrt(math.pi) / 2),
        ("x^2 + y^4", {}, math.sqrt(math.pi) * math.gamma(0.25) / 2),
        ("x^4*y^2", {"prior": {"x": 1}, "n_beta": 1000}, math.sqrt(math.pi) / 2),  # 4 quadrants, Γ(½)/(4·2)
        # x⁶ ends the logarithm at x = t^{−1/6} instead of 1: a third of the √π/3 of the two lines
        ("(x-y)^2*(x+2*y)^2 + x^6", {}, math.sqrt(math.pi) / 9),
    ],
)
def test_constants_of_germs_by_hand(germ: str, options: dict[str, object], constant: float) -> None:
    found = finite_n_expansion(germ, **options)  # type: ignore[arg-type]
    assert found.constant.contains(constant)
    assert found.constant.width < 0.5 * constant
    energy = found.free_energy(found.n_beta)
    log = math.log(found.n_beta)
    assert energy.contains(float(found.rlct.lam) * log - (found.rlct.m - 1) * math.log(log) - math.log(constant))


def test_what_is_assumed_is_said() -> None:
    homogeneous, mixed = (
        finite_n_expansion("x^2 + y^4", n_beta=1000),
        finite_n_expansion("x^2 + y^4 + y^6", n_beta=1000),
    )
    assert len(mixed.hypotheses) == len(homogeneous.hypotheses) + 1
    assert "away from the origin" in mixed.hypotheses[-1]
    localised = finite_n_expansion("x^2 + x*y + y^2", n_beta=1000, variance=1)
    assert any("K ≥ 0 outside" in one for one in localised.hypotheses)
    assert not any("K ≥ 0" in one for one in mixed.hypotheses)


def test_a_zero_elsewhere_that_dominates_is_noticed() -> None:
    """x² (x − ½)⁴: λ = 1/2 at 0 and 1/4 at ½. On |x| ≤ 1/4 only the origin is left."""
    with pytest.raises(UndecidedError, match="away from the origin"):
        finite_n_expansion("x^2*(x - 1/2)^4")
    found = finite_n_expansion("x^2*(x - 1/2)^4", half_width="1/4", n_beta=10**8)
    assert found.constant.contains(4 * math.sqrt(math.pi))  # K ~ x²/16


def test_bad_input() -> None:
    with pytest.raises(InvalidValueError, match="at least 1000"):
        finite_n_expansion("x^2", n_beta=10)
    with pytest.raises(InvalidValueError, match="needs t = nβ > 1"):
        finite_n_expansion("x^2*y^2", n_beta=1000).free_energy(1)
    with pytest.raises(InvalidValueError, match="4 variables"):
        finite_n_expansion("a*b*c*d")


def test_the_examples_of_the_docstrings() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("delta", [Fraction(1, 2), Fraction(1, 4)])
def test_a_pure_power_is_extrapolated_to_its_limit(delta: Fraction) -> None:
    """t^λ Z = C (1 + t^{−δ}) has differences in geometric progression, whose sum is the limit."""
    pair, sizes = RLCT(Fraction(1, 2)), [Fraction(10**6) * 4**power for power in range(3)]
    energies = [
        Enclosure(repr(math.log(size) / 2 - math.log(3) - math.log1p(float(size) ** -float(delta))), "1e-14")
        for size in sizes
    ]
    found = leading_constant(sizes, energies, pair)
    assert abs(found.estimate / 3 - 1) < 1e-10 < abs(float(sizes[-1]) ** -float(delta)) / 10
