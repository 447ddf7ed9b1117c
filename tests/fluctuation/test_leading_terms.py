"""The constant of the leading term against closed forms; from which t on it is near, against exact values of Z."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest
from mpmath import beta, gamma

import ddtheory as dd
from ddtheory.exact.finite_n.leading_terms import LeadingTerm, leading_term
from ddtheory.exact.numbers.enclosing import ball
from ddtheory.values import RLCT

F = Fraction


def found(
    text: str, pair: RLCT, weights: tuple[tuple[int, ...], int] | None = None, width: Fraction | int = 1
) -> LeadingTerm:
    from sympy import sympify

    expression = sympify(text)
    symbols = sorted(expression.free_symbols, key=str)
    answer = leading_term(expression, symbols, [F(0)] * len(symbols), F(width), pair, weights, lambda: None)
    assert isinstance(answer, LeadingTerm), answer
    return answer


def by_angle() -> float:
    """Γ(1/3)/6 ∫ |xy(x + y)|^{−2/3} dθ around the circle, by mpmath."""
    f = lambda a: abs(mpmath.cos(a) * mpmath.sin(a) * (mpmath.cos(a) + mpmath.sin(a))) ** (-mpmath.mpf(2) / 3)  # noqa: E731
    cuts = [0, mpmath.pi / 4, mpmath.pi / 2, 5 * mpmath.pi / 8, 3 * mpmath.pi / 4, 7 * mpmath.pi / 8, mpmath.pi]
    return float(2 * mpmath.quad(f, cuts) * gamma(mpmath.mpf(1) / 3) / 6)


THIRD = mpmath.mpf(1) / 3
SIXTH = mpmath.mpf(1) / 6
HALF = mpmath.mpf(1) / 2

# (K, pair, weights, C by hand)
BY_HAND = [
    ("x**2*y**2", RLCT(F(1, 2), 2), None, mpmath.sqrt(mpmath.pi)),
    ("x**2*y**4", RLCT(F(1, 4)), None, 2 * gamma(HALF / 2)),
    ("5*x**2", RLCT(F(1, 2)), None, mpmath.sqrt(mpmath.pi / 5)),
    ("x**2 + y**4", RLCT(F(3, 4)), ((2, 1), 4), mpmath.sqrt(mpmath.pi) * 2 * gamma(mpmath.mpf(5) / 4)),
    ("x**2 + x*y + y**2", RLCT(F(1)), ((1, 1), 2), 2 * mpmath.pi / mpmath.sqrt(3)),
    # u = x² − y³ in place of y: ∫ e^{−u²} |u|^{−1/6} du times ⅓ ∫ |x² ∓ 1|^{−2/3} dx
    (
        "(x**2 - y**3)**2",
        RLCT(F(5, 12)),
        ((3, 2), 12),
        gamma(mpmath.mpf(5) / 12) / 6 * (beta(HALF, THIRD) + beta(SIXTH, THIRD) + beta(HALF, SIXTH)),
    ),
]


@pytest.mark.parametrize(("text", "pair", "weights", "expected"), BY_HAND, ids=lambda value: str(value)[:20])
def test_the_constant_by_hand(text: str, pair: RLCT, weights: object, expected: mpmath.mpf) -> None:
    answer = found(text, pair, weights).constant  # type: ignore[arg-type]
    assert float(answer.mid()) == pytest.approx(float(expected), rel=1e-12) and float(answer.rad()) < 1e-12


@pytest.mark.long
def test_three_lines_by_the_angle() -> None:
    answer = found("x**2*y**2*(x + y)**2", RLCT(F(1, 3)), ((1, 1), 6)).constant
    assert float(answer.mid()) == pytest.approx(by_angle(), rel=1e-4) and float(answer.rad()) < 1e-10


@pytest.mark.parametrize(("powers", "width"), [((2, 4), F(1)), ((2, 2), F(1)), ((2, 4), F(3)), ((2, 2, 2), F(1, 2))])
def test_from_there_on_it_is_near_and_just_before_it_is_not(powers: tuple[int, ...], width: Fraction) -> None:
    """Z by `finite_n`, on the unit box at the scale W^Σp: for these K the bound is sharp."""
    text = "*".join(f"{name}**{power}" for name, power in zip("xyz", powers, strict=False))
    rates = [F(1, power) for power in powers]
    pair = RLCT(min(rates), rates.count(min(rates)))
    answer = found(text, pair, width=width)
    start = answer.near_from(F(1, 100))

    def off(t: Fraction) -> float:
        exact = dd.finite_n(powers, t, scale=width ** sum(powers), digits=8)
        log = math.log(t)
        lead = float(answer.constant) * math.exp(-float(pair.lam) * log) * log ** (pair.m - 1)
        return abs(float(exact.evidence * (width ** len(powers))) / lead - 1)

    assert off(start) <= 0.01 + 1e-9 and off(start * 10) <= 0.01
    # T has two digits; where powers of 1/log t of both signs are left, their sizes are added up
    assert off(start * (F(2, 3) if pair.m < 3 else F(1, 10**6))) > 0.01


@pytest.mark.parametrize(
    ("text", "pair", "weights"),
    [("x**2 + x*y + y**2", RLCT(F(1)), ((1, 1), 2)), ("x**2*y**2*(x + y)**2", RLCT(F(1, 3)), ((1, 1), 6))],
)
def test_the_remainder_of_plane_germs_bounds_what_is_left(
    text: str, pair: RLCT, weights: tuple[tuple[int, ...], int]
) -> None:
    answer = found(text, pair, weights)
    for t in (3, 30, 3000):
        exact = float(dd.finite_n_germ(text.replace("**", "^"), t, digits=6).evidence)
        left = 1 - exact * t ** float(pair.lam) / float(answer.constant)
        bound = float(answer.remainder(ball(t).log()))
        assert -1e-9 < left <= bound + 1e-9


@pytest.mark.parametrize("tau", [4, 20, 100])
def test_what_is_exponentially_small_is_bounded_and_nearly_attained(tau: int) -> None:
    """Z of 5x² on |x| ≤ 2 is √(π/5t) erf(√τ) with τ = 20t: what is left is erfc(√τ), and nothing but that part."""
    bound = float(found("5*x**2", RLCT(F(1, 2)), width=2).remainder(ball(F(tau, 20)).log()))
    left = float(mpmath.erfc(mpmath.sqrt(tau)))
    assert left < bound < left * (1 + 1.2 / tau)


def test_a_size_beyond_floats_is_shown() -> None:
    """Z ∝ t^{−1/2} (log t + log 4·3⁴ − ψ(1/2)), so log t must be a hundred times the rest: t = 10^336.33."""
    shown = dd.finite_n_expansion("4*x^2*y^2", half_width=3, n_beta=1000).rows()["Z within 1 %"]
    assert float((100 * (mpmath.log(324) - mpmath.digamma(HALF))) / mpmath.log(10)) == pytest.approx(336.33, abs=0.01)
    assert shown == "from nβ = 2.2e+336 on, proven"


def test_what_is_not_proven_is_said() -> None:
    expansion = dd.finite_n_expansion("x^2*y^2 + x^6", n_beta=1000)
    assert "neither a monomial" in expansion.not_enclosed and expansion.enclosure is None
    pinned = dd.finite_n_expansion("x^2 + x*y + y^2", n_beta=1000, variance=1)
    assert pinned.enclosure is None and pinned.near_from is None and "Gaussian" in pinned.not_enclosed
    assert "no: the prior is a Gaussian" in pinned.rows()["C proven"]
    # the weights say 1, and along x = y the threshold is 1/2: no finite integral, and no answer
    from sympy.abc import x, y

    answer = leading_term((x - y) ** 2, [x, y], [F(0)] * 2, F(1), RLCT(F(1)), ((1, 1), 2), lambda: None)
    assert isinstance(answer, str) and "along a curve" in answer


def test_enclosed_and_measured_agree_and_know_nothing_of_each_other() -> None:
    for text in ("x^2 + y^4", "x^2*y^2", "(x^2 - y^3)^2"):
        expansion = dd.finite_n_expansion(text, n_beta=10**6)
        assert expansion.enclosure is not None and expansion.near_from is not None
        assert expansion.constant.contains(float(expansion.enclosure))
        assert not expansion.constant.contains(1.4 * float(expansion.enclosure))
        energy = expansion.free_energy(expansion.near_from)
        assert energy.upper - energy.lower < 1e-9
        exact = dd.finite_n_germ(text, min(expansion.near_from, 10**50) * 2, digits=5) if text == "x^2 + y^4" else None
        if exact is not None:
            later = expansion.free_energy(exact.n_beta)
            assert abs(float(exact.free_energy) - later.estimate) < 0.01
