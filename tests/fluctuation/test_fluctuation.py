"""ν against values taken independently, against another algorithm, and against its functional identities."""

from __future__ import annotations

import doctest
import json
import math
import time
from collections.abc import Callable
from fractions import Fraction

import flint
import mpmath
import numpy
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ddtheory import singular_fluctuation
from ddtheory.errors import InvalidValueError
from ddtheory.exact.fluctuation import nu, quadrature
from ddtheory.exact.fluctuation import partition as partition_function
from ddtheory.exact.fluctuation.nu import fluctuation_from_lambda, frozen_fluctuation
from ddtheory.exact.fluctuation.partition import Sided, variance_bound
from ddtheory.exact.numbers import enclosing
from ddtheory.values import Enclosure
from ddtheory.workbench import fluctuation_forms as forms

half_integers = st.fractions(min_value="1/50", max_value=3, max_denominator=50)
sides = st.sampled_from(["one", "two"])


@pytest.mark.parametrize(
    ("k", "known"),
    [
        (1, "0.5"),
        (2, "0.1729732674"),
        (3, "0.2783664744"),
        (4, "0.1378557149"),
        (5, "0.2061352500"),
        (6, "0.1166610324"),
        (7, "0.1673857911"),
        (8, "0.1021084126"),
    ],
)
def test_values_of_the_theory_brief(k: int, known: str) -> None:
    found = singular_fluctuation(k)
    assert abs(found.midpoint - Fraction(known)) <= Fraction(6, 10**11)  # the brief rounds to ten decimals
    assert found.digits is not None and found.digits >= 30


@pytest.mark.parametrize(
    ("arguments", "known", "decimals"),
    [
        ({"k": 1, "sided": "one"}, "0.2021822016", 10),
        ({"k": 3, "sided": "one"}, "0.1528370518", 10),
        ({"k": 5, "sided": "one"}, "0.1261429", 7),
        ({"k": 2, "beta": "1/2"}, "0.1570632368", 10),
        ({"k": 3, "beta": 2}, "0.3457589628", 10),
    ],
)
def test_one_sided_and_tempered_values(arguments: dict[str, object], known: str, decimals: int) -> None:
    found = singular_fluctuation(**arguments)  # type: ignore[arg-type]
    assert abs(found.midpoint - Fraction(known)) <= Fraction(6, 10 ** (decimals + 1))


@pytest.mark.parametrize(("lam", "known"), [("1/4", "0.34868738"), ("1/8", "0.23558818"), ("1/6", "0.27836647")])
def test_values_by_lambda_from_a_gauss_quadrature(lam: str, known: str) -> None:
    assert abs(fluctuation_from_lambda(lam).midpoint - Fraction(known)) <= Fraction(1, 10**8)


def by_direct_quadrature(a: Fraction, sided: Sided, beta: Fraction) -> float:
    """½ E_ξ Var(v) as a double integral over v and ξ: no special function, no integration by parts."""
    nodes, weights = numpy.polynomial.legendre.leggauss(24)
    edges = numpy.linspace(0, 1, 161)
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    unit = (middle[:, None] + half[:, None] * nodes).ravel()
    unit_weights = (half[:, None] * weights).ravel()
    xi_nodes, xi_weights = numpy.polynomial.hermite_e.hermegauss(101)
    total = 0.0
    for xi, weight in zip(xi_nodes, xi_weights / xi_weights.sum(), strict=True):
        eta = float(beta) ** 0.5 * xi
        # v = w^{1/a}: |v|^{a−1} dv is dw/a, without a singularity at 0
        cut = (abs(eta) + 9) ** float(a)
        v = (cut * unit) ** (1 / float(a))
        signs = (1,) if sided == "one" else (1, -1)
        points = numpy.concatenate([sign * v for sign in signs])
        exponents = eta * points - points**2 / 2
        density = numpy.tile(unit_weights, len(signs)) * numpy.exp(exponents - exponents.max())
        first, second = ((density * points**power).sum() / density.sum() for power in (1, 2))
        total += weight * (second - first**2)
    return total / 2


@pytest.mark.parametrize("beta", [Fraction(1), Fraction(1, 2), Fraction(2)])
@pytest.mark.parametrize("a", [Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(3, 2)])
@pytest.mark.parametrize("sided", ["one", "two"])
def test_the_double_integral_over_the_posterior(a: Fraction, sided: Sided, beta: Fraction) -> None:
    found = fluctuation_from_lambda(a / 2, sided, beta, 15)
    tolerance = 1e-9 if a.numerator == 1 else 1e-6  # w^{1/a} is a polynomial, or has a kink at 0
    assert abs(by_direct_quadrature(a, sided, beta) - float(found)) < tolerance


def by_parabolic_cylinders(a: Fraction, sided: Sided, beta: Fraction) -> mpmath.mpf:
    """½ E_ξ[a + m(η − m)] with m from mpmath's own D and 1F1: another library and the other representation."""
    with mpmath.workdps(25):
        exponent = mpmath.mpf(a.numerator) / a.denominator
        root = mpmath.sqrt(mpmath.mpf(beta.numerator) / beta.denominator)

        def integrand(xi: mpmath.mpf) -> mpmath.mpf:
            eta = root * xi
            if sided == "one":  # M_{a+1}/M_a, M_a = Γ(a) e^{η²/4} D_{−a}(−η)
                ratio = exponent * mpmath.pcfd(-exponent - 1, -eta) / mpmath.pcfd(-exponent, -eta)
            else:
                ratio = exponent * eta * mpmath.hyp1f1(exponent / 2 + 1, 1.5, eta**2 / 2)
                ratio /= mpmath.hyp1f1(exponent / 2, 0.5, eta**2 / 2)
            return (exponent + ratio * (eta - ratio)) * mpmath.npdf(xi)

        return mpmath.quad(integrand, mpmath.linspace(-11, 11, 12)) / 2


@pytest.mark.long
@pytest.mark.parametrize("beta", [Fraction(1), Fraction(3, 2)])
@pytest.mark.parametrize("a", [Fraction(1), Fraction(2, 7), Fraction(7, 3)])
@pytest.mark.parametrize("sided", ["one", "two"])
def test_a_second_algorithm_in_another_library(a: Fraction, sided: Sided, beta: Fraction) -> None:
    found = fluctuation_from_lambda(a / 2, sided, beta)
    with mpmath.workdps(25):
        expected = by_parabolic_cylinders(a, sided, beta)
        assert abs(expected - mpmath.mpf(found.midpoint.numerator) / found.midpoint.denominator) < 1e-16


@pytest.mark.long
@settings(max_examples=15)
@given(half_integers, sides, st.fractions(min_value="1/10", max_value=5, max_denominator=10))
@example(Fraction(1, 2000), "one", Fraction(1))
@example(Fraction(20), "two", Fraction(1, 7))
def test_two_precisions_overlap_and_the_wider_holds_the_narrower(a: Fraction, sided: Sided, beta: Fraction) -> None:
    wide, narrow = (fluctuation_from_lambda(a, sided, beta, digits) for digits in (6, 25))
    assert wide.overlaps(narrow) and narrow.radius < wide.radius
    assert narrow.lower > 0


@settings(max_examples=15)
@given(st.integers(1, 12), st.fractions(min_value="-9/10", max_value=6, max_denominator=10))
def test_the_prior_shifts_lambda_and_nothing_else(k: int, h: Fraction) -> None:
    line: Sided = "two" if k % 2 else "one"
    shifted = singular_fluctuation(k, prior_exponent=h, digits=8)
    assert shifted == fluctuation_from_lambda((h + 1) / (2 * k), line, digits=8)


@settings(max_examples=20)
@given(half_integers, sides, st.floats(min_value=0, max_value=12))
def test_the_mean_obeys_riccati_and_its_variance_stays_below_the_bound(a: Fraction, sided: Sided, eta: float) -> None:
    """m' by a Taylor step in ball arithmetic against a + m(η − m)."""
    with flint.ctx.workprec(200):
        step = flint.arb(2) ** -60
        below, here, above = (
            partition_function.mean(a, sided, flint.arb(eta) + 1 + shift) for shift in (-step, 0, step)
        )
        slope = (above - below) / (2 * step)
        variance = enclosing.ball(a) + here * (flint.arb(eta) + 1 - here)
        assert abs(slope - variance) < flint.arb(2) ** -80  # the third derivative times step²
        assert variance <= enclosing.ball(variance_bound(a, sided))


@given(half_integers, st.floats(min_value=0, max_value=10))
def test_the_logarithm_has_the_mean_as_derivative(a: Fraction, eta: float) -> None:
    """log M(η) by 1F1 and U against the integral of the mean, which uses 1F1 only."""
    with flint.ctx.workprec(200):
        step = flint.arb(2) ** -60
        at = flint.arb(eta) + 1
        for sided in ("one", "two"):
            above = partition_function.log_partition(a, sided, at + step)[0]
            below = partition_function.log_partition(a, sided, at - step)[0]
            assert abs((above - below) / (2 * step) - partition_function.mean(a, sided, at)) < flint.arb(2) ** -80


@given(half_integers, st.floats(min_value=0.001, max_value=20))
def test_the_variance_bound_really_excludes_zeros_in_the_strip(a: Fraction, x: float) -> None:
    """|M(x + iy)| ≥ (1 − q) M(x), at the edge of the strip, by complex ball arithmetic."""
    for sided in ("one", "two"):
        with flint.ctx.workprec(3000):
            bound = variance_bound(a, sided)
            y = (2 * enclosing.ball(quadrature._Q) / enclosing.ball(bound)).sqrt()

            def partition(point: flint.acb, sided: str = sided) -> flint.acb:
                z = point * point / 2
                value = z.hypgeom_1f1(enclosing.ball(a / 2), flint.arb(0.5))
                if sided == "one":
                    odd = z.hypgeom_1f1(enclosing.ball((a + 1) / 2), flint.arb(1.5))
                    value += partition_function.mean_at_zero(a) * point * odd
                return value

            for sign in (1, -1):
                edge = abs(partition(flint.acb(sign * x, y)))
                assert edge >= (1 - enclosing.ball(quadrature._Q)) * partition(flint.acb(sign * x)).real


def normal_mean(function: Callable[[mpmath.mpf], mpmath.mpf]) -> mpmath.mpf:
    """E of an even function of ξ ~ N(0, 1)."""
    return 2 * mpmath.quad(lambda x: function(x) * mpmath.npdf(x), [0, 1, 2, 4, 8, 16])


@pytest.mark.parametrize("a", [Fraction(1, 6), Fraction(1), Fraction(5, 2)])
@pytest.mark.parametrize("beta", [Fraction(1, 3), Fraction(1), Fraction(4)])
@pytest.mark.parametrize("width", [Fraction(1, 2), Fraction(2)])
def test_the_constant_of_the_strip_is_the_integral_of_the_proof(a: Fraction, beta: Fraction, width: Fraction) -> None:
    """N by quadrature of what the module derives, term by term, with q = 15/16."""
    A, B, d = (mpmath.mpf(value.numerator) / value.denominator for value in (a, beta, width))

    def on_the_edge(x: mpmath.mpf) -> mpmath.mpf:
        x_plus_iy = B * x**2 / 2 + mpmath.sqrt(A * B) * x  # |log M| ≤ η²/2 + √a η at η = √β ξ
        y_times_mean = mpmath.sqrt(B) * d * (mpmath.sqrt(B) * x + mpmath.sqrt(A))  # y = √β d, |m| ≤ η + √a
        return (1 + d**2 + x**2) * (x_plus_iy + y_times_mean + mpmath.log(16))

    expected = mpmath.exp(d**2 / 2) * normal_mean(on_the_edge)
    with enclosing.working(100):
        found = float(quadrature._strip_bound(a, beta, width))
    assert found == pytest.approx(float(expected), rel=1e-10)


@pytest.mark.parametrize(("a", "beta", "end"), [(Fraction(1, 6), 1, 3), (Fraction(5, 2), 4, 2), (Fraction(1), 2, 6)])
def test_the_tail_is_bounded_and_the_bound_is_near(a: Fraction, beta: int, end: int) -> None:
    growth = beta / 2 + math.sqrt(a * beta)
    tail = 2 * growth * float(mpmath.quad(lambda x: x**4 * mpmath.npdf(x), [end, end + 2, end + 5, end + 12]))
    with enclosing.working(100):
        found = float(quadrature._tail_bound(a, Fraction(beta), flint.arb(end)))
    assert tail <= found <= 1.1 * tail


@pytest.mark.parametrize("step", [Fraction(1, 4), Fraction(1, 2), Fraction(1)])
def test_the_error_of_the_sum_over_a_strip(step: Fraction) -> None:
    """Σ_j h/(1 + (jh)²) = π coth(π/h): its error is 2π/(e^{2π/h} − 1), and its strip reaches to the poles ±i."""
    width = Fraction(99, 100)
    edge = mpmath.mpc(0, float(width))
    whole = mpmath.quad(lambda x: abs(1 / (1 + (x + edge) ** 2)), [-mpmath.inf, -1, -0.02, 0, 0.02, 1, mpmath.inf])
    missed = float(mpmath.pi * (mpmath.coth(mpmath.pi / (step.numerator / mpmath.mpf(step.denominator))) - 1))
    with enclosing.working(100):
        found = float(quadrature._strip_error(flint.arb(float(whole)), width, enclosing.ball(step)))
    assert missed <= found <= 10 * missed
    with enclosing.working(100):  # Theorem 5.1 at N = 1, d = 1/2
        one = float(quadrature._strip_error(flint.arb(1), Fraction(1, 2), enclosing.ball(step)))
    assert one == pytest.approx(2 / math.expm1(math.pi / float(step)), rel=1e-12)


def test_the_closed_forms_are_the_balls() -> None:
    for a in (sympy.Rational(1, 2), sympy.Rational(5, 3)):
        for sided in ("one", "two"):
            for eta in (-2, 1, 3):
                form = forms.partition(a, sympy.Integer(eta), sided)
                with flint.ctx.workprec(128):
                    right, left = partition_function.log_partition(
                        Fraction(int(a.p), int(a.q)), sided, flint.arb(abs(eta))
                    )
                    found = right if eta > 0 else left
                    assert abs(found - flint.arb(str(sympy.N(sympy.log(form), 30)))) < 1e-25
    a, eta = sympy.Rational(1, 3), sympy.Rational(3, 2)
    slope = sympy.diff(forms.mean(a, sympy.Symbol("x"), "one"), sympy.Symbol("x")).subs("x", eta)
    assert abs(sympy.N(slope - forms.variance(a, eta, "one"), 20)) < 1e-18


def test_no_global_precision_is_changed() -> None:
    before = flint.ctx.prec
    singular_fluctuation(4, digits=40)
    assert flint.ctx.prec == before


@pytest.mark.long
def test_thirty_digits_are_fast_and_two_hundred_possible() -> None:
    started = time.process_time()
    singular_fluctuation(2, prior_exponent="1/9")  # an exponent that nothing has cached
    assert time.process_time() - started < 1.0
    found = singular_fluctuation(3, digits=200)
    assert found.digits is not None and found.digits >= 200
    assert found.overlaps(singular_fluctuation(3))


def test_regular_directions_have_one_half_at_every_temperature() -> None:
    for beta in ("1/100", 1, 7):
        assert singular_fluctuation(1, beta=beta).contains(Fraction(1, 2))


def test_frozen_values_of_the_register() -> None:
    for k, known in ((2, "0.135763"), (4, "0.088745"), (6, "0.065661"), (8, "0.052058")):
        assert abs(frozen_fluctuation(Fraction(1, 2 * k), "one").midpoint - Fraction(known)) <= Fraction(1, 10**6)
    assert frozen_fluctuation("1/6").midpoint == Fraction(1, 6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "not a positive integer"),
        ({"k": -2}, "not a positive integer"),
        ({"k": 1.5}, "not a positive integer"),
        ({"k": True}, "not a positive integer"),
        ({"k": 2, "prior_exponent": -1}, "infinite mass at 0"),
        ({"k": 2, "prior_exponent": "-3/2"}, "cannot be normalised"),
        ({"k": 2, "prior_exponent": 0.5}, "is a float, which is rounded"),
        ({"k": 2, "beta": 0}, "not positive"),
        ({"k": 2, "beta": "-1"}, "not positive"),
        ({"k": 2, "beta": "hot"}, "not a rational number"),
        ({"k": 2, "sided": "both"}, "neither"),
        ({"k": 2, "digits": 0}, "not a positive integer"),
        ({"k": 2, "digits": 2.0}, "not a positive integer"),
        ({"k": 2, "digits": 10**6}, "The cost grows"),
        ({"k": 2, "beta": 10**15}, "ask for fewer digits or a smaller β"),
    ],
)
def test_bad_input_says_what_is_wrong(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        singular_fluctuation(**arguments)  # type: ignore[arg-type]


def test_a_learning_coefficient_must_be_positive() -> None:
    for function in (fluctuation_from_lambda, frozen_fluctuation):
        with pytest.raises(InvalidValueError, match="not positive"):
            function(0)


def test_the_examples_of_the_docstrings() -> None:
    for module in (enclosing, nu, forms, partition_function, quadrature):
        assert doctest.testmod(module).failed == 0


def test_the_command_line() -> None:
    from click.testing import CliRunner

    from ddtheory.cli import main

    answer = CliRunner().invoke(main, ["nu", "3", "--beta", "2", "--digits", "12", "--json"])
    found = json.loads(answer.stdout)
    assert sorted(found) == ["nu", "radius"]
    assert Enclosure(found["nu"], found["radius"]).overlaps(singular_fluctuation(3, beta=2))
    assert Fraction(found["radius"]) < Fraction(1, 10**12)
    assert CliRunner().invoke(main, ["nu", "1", "--one-sided", "--digits", "5"]).stdout.startswith("0.20218")
    for arguments, message in (
        (["nu", "0"], "Error: k = 0 is not a positive integer"),
        (["nu", "2", "--prior=-1"], "Error: The prior exponent h = -1"),
        (["nu", "2", "--beta", "0"], "Error: The inverse temperature"),
        (["nu", "2", "--digits", "0"], "Error: digits = 0"),
    ):
        refused = CliRunner().invoke(main, arguments)
        assert refused.exit_code == 2 and refused.stderr.startswith(message)


@pytest.mark.parametrize("sided", ["one", "two"])
@pytest.mark.parametrize("a", [Fraction(1, 2), Fraction(1, 3), Fraction(5, 2)])
def test_moments_of_the_posterior_averaged_over_the_noise(a: Fraction, sided: Sided) -> None:
    """E_ξ[m²] = 2λ and E_ξ E[v²] = 2λ + 2ν at β = 1, by the trapezoidal rule on the mean (1F1 only)."""
    with flint.ctx.workprec(128):
        squares, seconds = flint.arb(0), flint.arb(0)
        step = Fraction(1, 8)
        for j in range(-80, 81):
            xi = enclosing.ball(j * step)
            m = partition_function.mean(a, sided, xi)
            weight = enclosing.ball(step) * (-xi * xi / 2).exp() / (2 * flint.arb.pi()).sqrt()
            squares += weight * m * m
            seconds += weight * (enclosing.ball(a) + xi * m)  # Stein
        found = fluctuation_from_lambda(a / 2, sided)
        assert abs(squares - enclosing.ball(a)) < 1e-16
        assert abs(seconds - enclosing.ball(a + 2 * found.midpoint)) < 1e-16


@pytest.mark.long
@settings(max_examples=20)
@given(half_integers, st.fractions(min_value="1/50", max_value=2, max_denominator=50))
def test_more_mass_near_zero_means_less_fluctuation(lam: Fraction, more: Fraction) -> None:
    """ν grows with λ on either side, and the half-line has less than the line."""
    for sided in ("one", "two"):
        low, high = (fluctuation_from_lambda(value, sided, digits=8) for value in (lam, lam + more))
        assert low.upper < high.lower
    assert fluctuation_from_lambda(lam, "one", digits=8).upper < fluctuation_from_lambda(lam, "two", digits=8).lower


def test_the_pictures() -> None:
    from ddtheory import plots

    assert len(plots.fluctuation(4).axes[0].lines) == 4
    assert len(plots.finite_temperature([(2,), (2, 2)], decades=3).axes[0].lines) == 4
    with pytest.raises(InvalidValueError, match="orders 1 and 2"):
        plots.fluctuation(1)
    with pytest.raises(InvalidValueError, match="nothing to draw"):
        plots.finite_temperature([])


def test_a_feature_that_changes_sign_need_not_be_two_sided() -> None:
    """g = x² − y³: the volumes of 0 < g < ε and −ε < g < 0 are as ∫_{−1}^∞ dy/√(1 + y³) to ∫_1^∞ dy/√(y³ − 1), √3 to 1.

    So the limit density is |v|^{−1/6} with different factors on the two sides, and its ν differs from both kinds.
    """
    with mpmath.workdps(20):
        positive = mpmath.quad(lambda y: 1 / mpmath.sqrt(1 + y**3), [-1, 0, 1, 10, mpmath.inf])
        negative = mpmath.quad(lambda y: 1 / mpmath.sqrt(y**3 - 1), [1, 2, 10, mpmath.inf])
    assert abs(positive / negative - mpmath.sqrt(3)) < 1e-6
    v = numpy.linspace(-12, 12, 96_001)[1::2]  # no node at the singularity
    xi, weight = numpy.polynomial.hermite_e.hermegauss(40)

    def fluctuation(share: float) -> float:
        density = numpy.where(v > 0, share, 1.0) * numpy.abs(v) ** (-1 / 6) * numpy.exp(-(v**2) / 2)
        tilted = density * numpy.exp(numpy.outer(xi, v))
        total = tilted.sum(axis=1)
        mean, square = (tilted @ v) / total, (tilted @ v**2) / total
        return float(weight @ (square - mean**2) / weight.sum() / 2)

    two, one = (float(fluctuation_from_lambda("5/12", sided, digits=12)) for sided in ("two", "one"))
    assert abs(fluctuation(1.0) - two) < 2e-4  # the grid is right where the answer is known
    mixed = fluctuation(math.sqrt(3))
    assert one + 0.01 < mixed < two - 0.002
