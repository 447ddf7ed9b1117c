"""Exact finite-n quantities against tables, against quadrature in numpy and scipy-free, and against their own rules."""

from __future__ import annotations

import doctest
import math
from collections.abc import Callable
from fractions import Fraction

import flint
import mpmath
import numpy
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ddtheory import RLCT, FiniteN, finite_n, separable_sum, transversal_crossing
from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.finite_n import crossing_law, gaussian, volume
from ddtheory.exact.finite_n import crossings as finite_n_module
from ddtheory.exact.finite_n.volume import sublevel_volume

powers = st.fractions(min_value="1/2", max_value=8, max_denominator=3)
weights = st.fractions(min_value="-3/4", max_value=4, max_denominator=4)
crossings = st.lists(st.tuples(powers, weights), min_size=1, max_size=4)
sizes = st.fractions(min_value="1/20", max_value=10**6, max_denominator=20)


def lam(found: FiniteN) -> float:
    return float(found.learning_coefficient)


@pytest.mark.parametrize(("exponents", "known"), [((2, 2), 0.380), ((4, 4), 0.156), ((6, 6), 0.088)])
def test_values_of_the_theory_brief(exponents: tuple[int, ...], known: float) -> None:
    for sided in ("one", "two"):
        assert abs(lam(finite_n(exponents, 579, sided=sided)) - known) < 5e-4


@pytest.mark.parametrize(
    ("exponents", "table"),
    [
        ((2,), [0.5, 0.5, 0.5, 0.5, 0.5]),
        ((2, 2), [0.3559, 0.3883, 0.4094, 0.4240, 0.4491]),
        ((2, 2, 2), [0.2386, 0.2896, 0.3258, 0.3522, 0.3995]),
        ((4, 4), [0.1413, 0.1609, 0.1748, 0.1851, 0.2044]),
        ((6, 6), [0.0782, 0.0916, 0.1017, 0.1096, 0.1250]),
    ],
)
def test_table_of_finite_n_values(exponents: tuple[int, ...], table: list[float]) -> None:
    """β = 1/log n; the table is from an independent script, four decimals."""
    for n, known in zip((1e3, 1e4, 1e5, 1e6, 1e9), table, strict=True):
        assert abs(lam(finite_n(exponents, Fraction(n / math.log(n)))) - known) < 6e-5


def by_quadrature(
    exponents: list[float], prior: list[float], t: float, variance: float | None = None
) -> tuple[float, float]:
    """(Z, λ(t)) on the positive orthant by the trapezoidal rule in log w: no exponential polynomial, no Γ.

    On the box, w = 1/(1 + e^{−y}) is smooth at both ends; under a Gaussian w = e^y.
    """
    line = numpy.linspace(-70, 40 if variance is None else 4, 3000)
    step = line[1] - line[0]
    w = 1 / (1 + numpy.exp(-line)) if variance is None else numpy.exp(line)
    divergence, weight = numpy.ones(1), numpy.ones(1)
    for power, h in zip(exponents, prior, strict=True):
        one = (
            w ** (h + 1) * (1 / (1 + numpy.exp(line)) if variance is None else numpy.exp(-(w**2) / 2 / variance)) * step
        )
        divergence = (divergence[:, None] * w**power).ravel()
        weight = (weight[:, None] * one).ravel()
    density = weight * numpy.exp(-t * divergence)
    return float(density.sum()), float(t * (density * divergence).sum() / density.sum())


@pytest.mark.long
@pytest.mark.parametrize("t", [Fraction(1, 3), 579, 10**6])
@pytest.mark.parametrize(
    ("exponents", "prior"),
    [((2, 2), (0, 0)), ((4, 4), (1, 1)), ((2, 4), (0, "1/2")), ((6,), (2,)), ((3, 2), (0, "-1/3"))],
)
@pytest.mark.parametrize("variance", [None, "1/2", 4])
def test_a_second_method(exponents: tuple[int, ...], prior: tuple[object, ...], t: Fraction, variance: object) -> None:
    found = finite_n(exponents, t, prior=prior, sided="one", variance=variance, digits=15)
    spread = None if variance is None else float(Fraction(str(variance)))
    evidence, coefficient = by_quadrature([*exponents], [float(Fraction(h)) for h in prior], float(t), spread)
    assert abs(evidence / float(found.evidence) - 1) < 1e-9
    assert abs(coefficient / lam(found) - 1) < 1e-9
    assert abs(math.log(evidence) + float(found.free_energy)) < 1e-9


def test_one_variable_is_an_incomplete_gamma_function() -> None:
    """∫_0^1 x^h e^{−t x^p} dx = γ(λ, t)/(p t^λ), by mpmath."""
    for p, h, t in ((2, 0, 3), (4, 1, 50), (6, 2, 2000)):
        rate = mpmath.mpf(h + 1) / p
        with mpmath.workdps(40):
            exact = mpmath.gammainc(rate, 0, t) / (p * mpmath.mpf(t) ** rate)
            found = finite_n((p,), t, prior=(h,), sided="one")
            assert abs(mpmath.mpf(found.evidence.midpoint.numerator) / found.evidence.midpoint.denominator - exact) < (
                float(found.evidence.radius) + 1e-38
            )


@settings(max_examples=25)
@given(crossings, sizes)
@example([(Fraction(2), Fraction(0))] * 4, Fraction(200))
@example([(Fraction(2), Fraction(0)), (Fraction(2), Fraction(1, 4))], Fraction(10**6))
def test_two_precisions_overlap(crossing: list[tuple[Fraction, Fraction]], t: Fraction) -> None:
    p, h = zip(*crossing, strict=True)
    low, high = (finite_n(p, t, prior=h, digits=digits) for digits in (8, 40))
    for name in ("evidence", "free_energy", "learning_coefficient", "constant"):
        assert getattr(low, name).overlaps(getattr(high, name))
    assert low.n_beta == t


@settings(max_examples=25)
@given(crossings, st.fractions(min_value="1/9", max_value=9, max_denominator=9), sizes)
def test_scaling_k_is_scaling_n(crossing: list[tuple[Fraction, Fraction]], c: Fraction, t: Fraction) -> None:
    p, h = zip(*crossing, strict=True)
    scaled, moved = finite_n(p, t, prior=h, scale=c, digits=12), finite_n(p, c * t, prior=h, digits=12)
    assert scaled.evidence.overlaps(moved.evidence)
    assert scaled.learning_coefficient.overlaps(moved.learning_coefficient)
    if c * t > 1:
        shift = float(scaled.rlct.lam) * math.log(c)
        assert abs(math.log(float(moved.constant) / float(scaled.constant)) - shift) < 1e-9


@settings(max_examples=25)
@given(crossings, sizes, st.fractions(min_value="11/10", max_value=50, max_denominator=10))
def test_the_coefficient_grows_below_lambda_on_the_box_and_the_evidence_falls(
    crossing: list[tuple[Fraction, Fraction]], t: Fraction, factor: Fraction
) -> None:
    """λ(t) = t E[K] < λ, because λ(t) − λ is minus a boundary term; Z falls and F rises with t."""
    p, h = zip(*crossing, strict=True)
    early, late = (finite_n(p, size, prior=h, digits=12) for size in (t, factor * t))
    assert late.evidence.upper < early.evidence.upper
    assert early.free_energy.lower < late.free_energy.upper
    assert early.learning_coefficient.lower < early.rlct.lam
    assert early.learning_coefficient.lower <= late.learning_coefficient.upper


@settings(max_examples=25)
@given(crossings, crossings, sizes)
def test_a_sum_multiplies_evidences_and_adds_coefficients(
    left: list[tuple[Fraction, Fraction]], right: list[tuple[Fraction, Fraction]], t: Fraction
) -> None:
    (p, h), (q, g) = zip(*left, strict=True), zip(*right, strict=True)
    a, b = finite_n(p, t, prior=h, digits=12), finite_n(q, t, prior=g, digits=12)
    both = a.separable_sum(b)
    assert both.rlct == separable_sum(a.rlct, b.rlct)
    assert both.learning_coefficient.contains(a.learning_coefficient.midpoint + b.learning_coefficient.midpoint)
    assert both.evidence.contains(a.evidence.midpoint * b.evidence.midpoint)


@given(crossings, crossings, sizes)
def test_a_product_obeys_the_crossing_rule(
    left: list[tuple[Fraction, Fraction]], right: list[tuple[Fraction, Fraction]], t: Fraction
) -> None:
    rates = [[(h + 1) / p for p, h in part] for part in (left, right)]
    pairs = [RLCT(min(found), found.count(min(found))) for found in rates]
    p, h = zip(*left, *right, strict=True)
    assert finite_n(p, t, prior=h, digits=6).rlct == transversal_crossing(*pairs)


def test_a_sum_against_two_dimensional_quadrature() -> None:
    """K = x² + y⁴ on the box: the evidence of the sum is the product."""
    nodes, w = numpy.polynomial.legendre.leggauss(400)
    k = nodes[:, None] ** 2 + nodes[None, :] ** 4
    density = w[:, None] * w * numpy.exp(-200 * k)
    both = finite_n((2,), 200).separable_sum(finite_n((4,), 200))
    assert abs(density.sum() / float(both.evidence) - 1) < 1e-11
    assert abs(200 * (density * k).sum() / density.sum() / lam(both) - 1) < 1e-11


@pytest.mark.long
@pytest.mark.parametrize(
    ("exponents", "prior", "variance"),
    [((2,), None, None), ((2, 4), None, None), ((2, 2, 2), (0, 1, 0), None), ((4, 4), None, None), ((2, 2), None, 1)],
)
def test_the_expansion_is_reached_at_its_rate(
    exponents: tuple[int, ...], prior: tuple[int, ...] | None, variance: int | None
) -> None:
    gaps = []
    for t in (10**4, 10**16, 10**64):
        found = finite_n(exponents, t, prior=prior, variance=variance)
        gap = abs(float(found.free_energy.midpoint - found.expansion().midpoint))
        gaps.append((gap, found.rlct.m, math.log(t)))
    for gap, m, log in gaps:
        assert gap < (5 / log if m > 1 else 0.06)
    assert gaps[-1][0] < max(gaps[0][0], 1e-28)


def test_the_limit_is_the_learning_coefficient() -> None:
    for exponents in ((2,), (2, 2), (4, 6), (2, 2, 2)):
        found = finite_n(exponents, 10**300, digits=10)
        deficit = (found.rlct.m - 1) / math.log(1e300)
        assert abs(lam(found) - float(found.rlct.lam) + deficit) < 0.2 * deficit + 1e-9


def test_the_constants_of_lin() -> None:
    """Lin 2011, Proposition 5.2: product with λ1 = λ2, product with λ1 < λ2 (C1 ζ2(λ1)), sum (C1 C2)."""
    one = finite_n((2,), 10, sided="one")
    assert abs(float(one.constant) - math.sqrt(math.pi) / 2) < 1e-15  # (1/p) Γ((h+1)/p)
    tied = finite_n((2, 2), 10, sided="one").constant
    assert abs(float(tied) - float(one.constant) ** 2 / math.gamma(0.5)) < 1e-15
    distinct = finite_n((4, 2), 10, sided="one").constant
    assert abs(float(distinct) - math.gamma(0.25) / 4 * 2) < 1e-15  # ζ2(1/4) = ∫_0^1 y^{−1/2} dy = 2


def test_a_narrow_gaussian_localises() -> None:
    """With γ = 1/s² growing, nβ E[K] of a sampler that starts at the truth falls towards 0."""
    values = [lam(finite_n((2, 2), 579, variance=Fraction(1, gamma), digits=12)) for gamma in (1, 10, 100, 1000)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.38 and values[-1] < 0.001


def around(
    exponents: tuple[int, ...],
    prior: tuple[float, ...],
    t: float,
    variance: float,
    centre: tuple[float, ...],
    sides: tuple[int, ...],
) -> tuple[float, float]:
    """(Z, λ(t)) under a Gaussian around a centre, by the trapezoidal rule in log |w|, one half-line after another."""
    line = numpy.linspace(-60, 2.5, 3000)
    divergence, weight = numpy.ones(1), numpy.ones(1)
    for power, h, c in zip(exponents, prior, centre, strict=True):
        w = numpy.concatenate([side * numpy.exp(line) for side in sides])
        one = numpy.abs(w) ** (h + 1) * numpy.exp(-((w - c) ** 2) / 2 / variance) * (line[1] - line[0])
        divergence = (divergence[:, None] * numpy.abs(w) ** power).ravel()
        weight = (weight[:, None] * one).ravel()
    density = weight * numpy.exp(-t * divergence)
    return float(density.sum()), float(t * (density * divergence).sum() / density.sum())


@pytest.mark.long
@pytest.mark.parametrize("sided", ["one", "two"])
@pytest.mark.parametrize(
    ("exponents", "prior", "t", "variance", "centre"),
    [
        ((2,), (0,), 579, "1/2", (1,)),
        ((2, 2), (0, 0), 579, "1/2", (1, 0)),
        ((2, 4), ("-1/2", 1), 3, "1/4", ("-1/2", "1/3")),
        ((4, 2), (0, "1/2"), 10**6, 1, (0, -2)),
    ],
)
def test_a_localisation_at_any_centre(
    exponents: tuple[int, ...],
    prior: tuple[object, ...],
    t: int,
    variance: object,
    centre: tuple[object, ...],
    sided: str,
) -> None:
    found = finite_n(exponents, t, prior=prior, variance=variance, centre=centre, sided=sided, digits=15)  # type: ignore[arg-type]
    place, weights = [tuple(float(Fraction(str(value))) for value in values) for values in (centre, prior)]
    spread = float(Fraction(str(variance)))
    evidence, coefficient = around(exponents, weights, t, spread, place, (1,) if sided == "one" else (1, -1))
    assert abs(evidence / float(found.evidence) - 1) < 1e-9
    assert abs(coefficient / lam(found) - 1) < 1e-9
    # the control: the mirror image of the centre is another posterior on a half-line, and the same on the whole line
    mirrored = finite_n(
        exponents,
        t,
        prior=prior,
        variance=variance,
        centre=[-Fraction(str(c)) for c in centre],
        sided=sided,
        digits=9,  # type: ignore[arg-type]
    )
    assert mirrored.evidence.overlaps(found.evidence) == (sided == "two")


@pytest.mark.long
def test_one_localised_coordinate_in_closed_form() -> None:
    """K = x² under a Gaussian around c is a Gaussian again: Z = √(2π/(γ + 2t)) e^{−γtc²/(γ + 2t)}."""
    t, gamma, c = 50, 8, 2
    found = finite_n((2,), t, variance=Fraction(1, gamma), centre=(c,), digits=25)
    with mpmath.workdps(40):
        width = mpmath.mpf(gamma + 2 * t)
        exact = mpmath.sqrt(2 * mpmath.pi / width) * mpmath.exp(-mpmath.mpf(gamma * t * c * c) / width)
        middle = mpmath.mpf(found.evidence.midpoint.numerator) / found.evidence.midpoint.denominator
        assert abs(middle - exact) <= mpmath.mpf(found.evidence.radius.numerator) / found.evidence.radius.denominator
        # t E[x²] = t (1/(γ + 2t) + (γc/(γ + 2t))²)
        moment = t * (1 / width + (gamma * c / width) ** 2)
        assert abs(lam(found) / float(moment) - 1) < 1e-14


def test_both_contours_agree_at_the_origin() -> None:
    prior = gaussian.Gaussian(
        (Fraction(2), Fraction(4)), (Fraction(0), Fraction(1)), Fraction(1, 2), (Fraction(0),) * 2, False
    )
    for first, second in zip(
        gaussian._contour(prior, Fraction(100), 80, lambda: None),
        gaussian._trapezium(prior, Fraction(100), 80, lambda: None),
        strict=True,
    ):
        assert first.overlaps(second) and first.rel_accuracy_bits() > 40 and second.rel_accuracy_bits() > 40


@pytest.mark.long
def test_the_constant_of_a_localised_crossing_is_reached() -> None:
    """C holds the mass of the Gaussian on the zero set; far from it the expansion comes late."""
    gaps = []
    for t in (10**6, 10**24, 10**96):
        found = finite_n((2, 2), t, variance=1, centre=(1, 1), digits=12)
        gaps.append(abs(float(found.free_energy.midpoint - found.expansion(10).midpoint)))
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 0.05


def test_too_narrow_and_too_far_is_refused_with_a_way_out() -> None:
    with pytest.raises(UndecidedError, match="finite_n_germ takes it"):
        finite_n((2, 2), 10**6, variance=Fraction(1, 1000), centre=(1, "1/2"))


@pytest.mark.parametrize(
    ("exponents", "epsilon"), [((2, 2), "1/10"), ((4, 2), "1/100"), ((2, 2, 2), "1e-6"), ((3,), "1/7")]
)
def test_volumes_of_the_brief(exponents: tuple[int, ...], epsilon: str) -> None:
    found = float(sublevel_volume(exponents, epsilon, sided="one").volume)
    level = float(Fraction(epsilon))
    if len(set(exponents)) == 1:
        delta = level ** (1 / exponents[0])
        known = delta * sum((-math.log(delta)) ** j / math.factorial(j) for j in range(len(exponents)))
    else:
        a, b = exponents
        known = (a * level ** (1 / a) - b * level ** (1 / b)) / (a - b)
    assert abs(found / known - 1) < 1e-12


def test_volumes_with_a_prior_and_their_slopes() -> None:
    weighted = sublevel_volume((2, 2), "1/100", prior=(1, 1), sided="one")  # δ = 0.1, h = 1, r = 2: register 0.014013
    assert abs(float(weighted.volume) - 0.014013) < 5e-7
    found = sublevel_volume((2, 2), "1e-16", sided="one")
    assert found.raw_slope is not None and abs(float(found.raw_slope) - 0.419) < 5e-4
    assert abs(float(found.local_slope) - (0.5 - 1 / (2 + math.log(1e16)))) < 1e-12
    two = sublevel_volume((2, 2), "1e-16")
    assert two.volume.overlaps(found.volume * 4) and two.local_slope == found.local_slope


def test_evidence_is_the_laplace_transform_of_the_volume() -> None:
    """Z(t) = ∫ t e^{−tε} V(ε) dε + V(1) e^{−t}, from the two exact functions, by Gauss–Legendre in log ε."""
    t = 50
    nodes, w = numpy.polynomial.legendre.leggauss(200)
    logs, step = (nodes + 1) / 2 * -60, 30
    total = sum(
        weight
        * step
        * t
        * math.exp(log - t * math.exp(log))
        * float(sublevel_volume((2, 4), Fraction(math.exp(log)), digits=12).volume)
        for log, weight in zip(logs, w, strict=True)
    )
    found = finite_n((2, 4), t)
    assert abs(total + 4 * math.exp(-t) - float(found.evidence)) < 1e-9


def test_densities_are_exact() -> None:
    s = sympy.Symbol("s", positive=True)
    terms = crossing_law.density([Fraction(1, 2), Fraction(1, 4), Fraction(1, 2), Fraction(3)])
    form = sum(
        sympy.Rational(str(value)) * s**power * sympy.exp(-sympy.Rational(str(term.rate)) * s)
        for term in terms
        for power, value in enumerate(term.coefficients)
    )
    assert sympy.integrate(form, (s, 0, sympy.oo)) == 1
    mean = sympy.integrate(sympy.expand(s * form), (s, 0, sympy.oo))
    assert mean == 2 + 4 + 2 + sympy.Rational(1, 3)


def test_no_global_precision_is_changed() -> None:
    before = flint.ctx.prec
    finite_n((2, 2), 579, variance=1, digits=40)
    assert flint.ctx.prec == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((), 10), "has no variables"),
        (((2, 0), 10), "Leave out a variable"),
        (((2, -2), 10), "is not positive"),
        (((2,), 0), "must be positive"),
        (((2,), "-3"), "must be positive"),
        (((2,), 0.5), "is a float, which is rounded"),
        (((2,), math.inf), "must be finite"),
        ((("x",), 3), "not a rational number"),
        (((2,), "x"), "^nβ = 'x' is not a rational number"),
        (("x^2", 3), "there is finite_n_germ"),
        ((2, 3), "one number for each variable"),
    ],
)
def test_bad_input(arguments: tuple[object, object], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        finite_n(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prior": (-1, 0)}, "cannot be normalised"),
        ({"prior": (0,)}, "give one each"),
        ({"scale": 0}, "must be positive"),
        ({"variance": 0}, "variance s² = 0"),
        ({"sided": "left"}, "neither"),
        ({"digits": -1}, "not a positive integer"),
        ({"digits": 10**7}, "more than"),
        ({"centre": (1, 1)}, "belongs to a Gaussian"),
        ({"centre": (1,), "variance": 1}, "has 1 coordinates and K 2 variables"),
        ({"centre": (0.5, 0), "variance": 1}, "is a float"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        finite_n((2, 2), 10, **options)  # type: ignore[arg-type]


def test_more_bad_input() -> None:
    with pytest.raises(InvalidValueError, match="not between 0 and the largest value"):
        sublevel_volume((2,), 2)
    with pytest.raises(InvalidValueError, match="both parts at one nβ"):
        finite_n((2,), 3).separable_sum(finite_n((2,), 4))
    with pytest.raises(InvalidValueError, match="needs t"):
        finite_n((2, 2), 1).expansion()


def test_the_examples_of_the_docstrings() -> None:
    for module in (finite_n_module, crossing_law, gaussian, volume):
        assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda seconds: finite_n(tuple(range(1, 400)), 579, seconds=seconds),
        lambda seconds: finite_n((2, 2), 579, variance=1, digits=300, seconds=seconds),
        lambda seconds: finite_n((2, 2), 579, variance="1/9", centre=(1, 1), digits=200, seconds=seconds),
        lambda seconds: sublevel_volume(tuple(range(1, 500)), "1/10", seconds=seconds),
    ],
)
def test_a_limit_of_time_is_kept(call: Callable[[float], object]) -> None:
    with pytest.raises(UndecidedError, match=r"limit of 0\.05 s was reached. Ask for fewer digits"):
        call(0.05)
    with pytest.raises(InvalidValueError, match="no positive number of seconds"):
        call(0)


def test_a_free_energy_that_is_zero() -> None:
    """∫_0^∞ x⁵ e^{−x²} dx = 1: F = 0 has decimals and no significant digits."""
    found = finite_n((2,), 1, prior=[5], scale=Fraction(1, 2), sided="one", variance=1, digits=8)
    assert (
        found.evidence.contains(1) and found.free_energy.contains(0) and found.free_energy.radius < Fraction(1, 10**8)
    )
    assert found.learning_coefficient.contains(Fraction(3, 2))
