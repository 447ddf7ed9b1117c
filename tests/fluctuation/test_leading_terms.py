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
    text: str,
    pair: RLCT,
    weights: tuple[tuple[int, ...], int] | None = None,
    width: Fraction | int = 1,
    variance: Fraction | None = None,
) -> LeadingTerm:
    from sympy import sympify

    expression = sympify(text)
    symbols = sorted(expression.free_symbols, key=str)
    half_width = F(width) if variance is None else None
    answer = leading_term(
        expression, symbols, [F(0)] * len(symbols), half_width, pair, weights, lambda: None, variance=variance
    )
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
    # two curves that cross: K = u²v² with du dv = 2 dx dy, 2√2 dx dy and dx dy
    ("(x**2 - y**2)**2", RLCT(F(1, 2), 2), ((1, 1), 4), mpmath.sqrt(mpmath.pi) / 2),
    ("(x**2 - 2*y**2)**2", RLCT(F(1, 2), 2), ((1, 1), 4), mpmath.sqrt(mpmath.pi / 8)),
    ("y**2*(x - y**2)**2", RLCT(F(1, 2), 2), ((2, 1), 6), mpmath.sqrt(mpmath.pi)),
    # a curve with a smaller threshold than 0 has: √π or 2Γ(5/4) times ∫ dy, and times ½ ∫ |u|^{−1/2} du, |u| ≤ 2
    ("(x - y)**2", RLCT(F(1, 2)), ((1, 1), 2), 2 * mpmath.sqrt(mpmath.pi)),
    ("(x - y**2)**2", RLCT(F(1, 2)), ((2, 1), 4), 2 * mpmath.sqrt(mpmath.pi)),
    ("(x - y**3)**4", RLCT(F(1, 4)), ((3, 1), 12), 4 * gamma(mpmath.mpf(5) / 4)),
    ("(x - y)**2*(x + y)**4", RLCT(F(1, 4)), ((1, 1), 6), 4 * mpmath.sqrt(2) * gamma(mpmath.mpf(5) / 4)),
]

# (K, pair, weights, s², C by hand) under a Gaussian: it leaves C alone where the point 0 has the pair by itself
UNDER_A_GAUSSIAN = [
    ("5*x**2", RLCT(F(1, 2)), None, F(1, 3), mpmath.sqrt(mpmath.pi / 5)),
    ("x**2*y**2", RLCT(F(1, 2), 2), None, F(1), mpmath.sqrt(mpmath.pi)),
    # 2Γ(5/4) ∫ |x|^{−1/2} e^{−γx²/2} dx
    ("x**2*y**4", RLCT(F(1, 4)), None, F(1, 3), gamma(mpmath.mpf(1) / 4) ** 2 / 2 * (mpmath.mpf(2) / 3) ** 0.25),
    ("x**2*y**2*z**2", RLCT(F(1, 2), 3), None, F(2), mpmath.sqrt(mpmath.pi) / 2),
    ("x**2 + y**4", RLCT(F(3, 4)), ((2, 1), 4), F(1, 3), mpmath.sqrt(mpmath.pi) * 2 * gamma(mpmath.mpf(5) / 4)),
    ("x**2 + x*y + y**2", RLCT(F(1)), ((1, 1), 2), F(1), 2 * mpmath.pi / mpmath.sqrt(3)),
    ("(x**2 - y**3)**2", RLCT(F(5, 12)), ((3, 2), 12), F(1), BY_HAND[5][3]),
]


@pytest.mark.parametrize(("text", "pair", "weights", "expected"), BY_HAND, ids=lambda value: str(value)[:20])
def test_the_constant_by_hand(text: str, pair: RLCT, weights: object, expected: mpmath.mpf) -> None:
    answer = found(text, pair, weights).constant  # type: ignore[arg-type]
    assert float(answer.mid()) == pytest.approx(float(expected), rel=1e-12) and float(answer.rad()) < 1e-12


@pytest.mark.parametrize(
    ("text", "pair", "weights", "variance", "expected"), UNDER_A_GAUSSIAN, ids=lambda value: str(value)[:20]
)
def test_the_constant_under_a_gaussian(
    text: str, pair: RLCT, weights: object, variance: Fraction, expected: mpmath.mpf
) -> None:
    answer = found(text, pair, weights, variance=variance).constant  # type: ignore[arg-type]
    assert float(answer.mid()) == pytest.approx(float(expected), rel=1e-12) and float(answer.rad()) < 1e-12


@pytest.mark.parametrize("power", [2, 8, 20, 60])
def test_two_lines_under_a_gaussian_by_a_bessel_function(power: int) -> None:
    """Z of x²y² under e^{−(x²+y²)/2} is √(π/t) e^z K₀(z), z = 1/8t: what is left of it is log 16 − γ over log t."""
    t = mpmath.mpf(10) ** power
    z = 1 / (8 * t)
    lead = mpmath.sqrt(mpmath.pi / t) * mpmath.log(t)
    left = mpmath.sqrt(mpmath.pi / t) * mpmath.exp(z) * mpmath.besselk(0, z) / lead - 1
    bound = float(found("x**2*y**2", RLCT(F(1, 2), 2), variance=F(1)).remainder(ball(F(10) ** power).log()))
    assert float(left) - 1e-12 < bound < float(left) * (1 + 40 / 10 ** (power / 2)) + 1e-12


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
    ("text", "pair", "weights", "variance"),
    [
        ("x**2 + x*y + y**2", RLCT(F(1)), ((1, 1), 2), None),
        ("x**2*y**2*(x + y)**2", RLCT(F(1, 3)), ((1, 1), 6), None),
        ("y**2*(x - y**2)**2", RLCT(F(1, 2), 2), ((2, 1), 6), None),
        ("(x**2 - 2*y**2)**2", RLCT(F(1, 2), 2), ((1, 1), 4), None),
        ("(x - y**2)**2", RLCT(F(1, 2)), ((2, 1), 4), None),
        ("(x - y)**2*(x + y)**4", RLCT(F(1, 4)), ((1, 1), 6), None),
        ("x**2 + y**4", RLCT(F(3, 4)), ((2, 1), 4), F(1, 3)),
        ("(x**2 - y**3)**2", RLCT(F(5, 12)), ((3, 2), 12), F(1)),
        ("x**2*y**4", RLCT(F(1, 4)), None, F(1)),
    ],
)
def test_the_remainder_bounds_what_is_left(
    text: str, pair: RLCT, weights: tuple[tuple[int, ...], int] | None, variance: Fraction | None
) -> None:
    answer = found(text, pair, weights, variance=variance)
    bounds = []
    for t in (10, 1000, 10**9):
        exact = float(dd.finite_n_germ(text.replace("**", "^"), t, digits=6, variance=variance).evidence)
        lead = float(answer.constant) * t ** -float(pair.lam) * math.log(t) ** (pair.m - 1)
        bounds.append(float(answer.remainder(ball(t).log())))
        assert abs(1 - exact / lead) <= bounds[-1] + 1e-9
    assert bounds[2] < bounds[1] < bounds[0] and bounds[2] < 0.75 * bounds[0]


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
    expansion = dd.finite_n_expansion("x^2*y^2 + x^6 + y^6", n_beta=1000)
    assert "neither a monomial" in expansion.not_enclosed and expansion.enclosure is None
    pinned = dd.finite_n_expansion("x^2 + x*y + y^2", n_beta=1000, variance=1, centre={"x": "1/8"})
    assert pinned.enclosure is None and pinned.near_from is None
    assert "no: the centre of the Gaussian is not 0" in pinned.rows()["C proven"]
    boxed = dd.finite_n_expansion("x^2 + x*y + y^2", n_beta=1000, variance=1, half_width=1)
    assert boxed.not_enclosed == "the prior is a Gaussian on a box"
    # the weights say 1, and along x = y the threshold is 1/2: another pair than the one that is asked for
    from sympy.abc import x, y

    answer = leading_term((x - y) ** 2, [x, y], [F(0)] * 2, F(1), RLCT(F(1)), ((1, 1), 2), lambda: None)
    assert isinstance(answer, str) and "have the pair" in answer
    curve = dd.finite_n_expansion("(x - y)^2", n_beta=1000, variance=1)
    assert "along a curve" in curve.not_enclosed


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
