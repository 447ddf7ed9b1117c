"""The quadrature of polynomial germs: its bounds at points, its values against numpy, closed forms, and given ones."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy
import pytest
import sympy
from flint import Ordering, fmpq, fmpq_mpoly_ctx

from ddtheory import Enclosure, finite_n, finite_n_germ
from ddtheory.errors import NotADivergenceError, UndecidedError
from ddtheory.exact.finite_n.charts import Chart, floats, graph_of_zeros
from ddtheory.exact.finite_n.discs import RHOS, bounds, margins
from ddtheory.exact.finite_n.squares import Term
from ddtheory.exact.finite_n.strips import Strips

CONTEXT = fmpq_mpoly_ctx.get(("s0", "s1"), Ordering.lex)
E1 = "((w1-1)*(w1^2+w2^2)^2)^2/2"
E2 = "(x-1)^2*(x^2+y^2)^4/2"


def panels(
    k: sympy.Expr, t: float, ends: list[tuple[float, float]], gamma: float = 0.0, centre: tuple[float, ...] = ()
) -> tuple[float, float]:
    """(Z, λ(t)) of a germ in two variables by numpy on panels, finer near 1: no proof, no code of the package."""
    x, y = sorted(k.free_symbols, key=str)
    axes = []
    for low, high in ends:
        nodes, weights = numpy.polynomial.legendre.leggauss(16)
        edges = numpy.union1d(numpy.linspace(low, high, 121), [1 + s * 2.0**-k for s in (-1, 1) for k in range(3, 22)])
        edges = edges[(edges >= low) & (edges <= high)]
        half = (edges[1:] - edges[:-1]) / 2
        axes.append(((edges[:-1] + half)[:, None] + half[:, None] * nodes, half[:, None] * weights))
    (a, u), (b, v) = ((place.ravel(), weight.ravel()) for place, weight in axes)
    divergence = sympy.lambdify((x, y), k, "numpy")(a[:, None], b[None, :])
    exponent = -t * divergence
    if gamma:
        exponent = exponent - gamma / 2 * ((a[:, None] - centre[0]) ** 2 + (b[None, :] - centre[1]) ** 2)
    density = numpy.exp(exponent) * u[:, None] * v[None, :]
    return float(density.sum()), float(t * (density * divergence).sum() / density.sum())


def random_polynomial(source: random.Random, degree: int) -> dict[tuple[int, int], int]:
    found = {
        powers: source.randint(-3, 3)
        for powers in itertools.product(range(degree + 1), repeat=2)
        if 0 < sum(powers) <= degree and source.random() < 0.6
    }
    return {powers: value for powers, value in found.items() if value} or {(1, 1): 1}


@pytest.mark.parametrize("seed", range(30))
def test_discs_and_bounds_hold_at_points_of_the_ellipse(seed: int) -> None:
    """And a disc of nine tenths of the radius does not hold somewhere, so that the test could fail."""
    source = random.Random(seed)
    bases = [
        CONTEXT.from_dict({powers: fmpq(value, 4) for powers, value in random_polynomial(source, 3).items()}) + shift
        for shift in (0, 2)
    ]
    t, gamma = source.choice([0.25, 1.0, 40.0]), source.choice([0.5, 1.0, 8.0])
    terms = (
        Term(Fraction(3), ((0, 2),), True),
        Term(Fraction(2), ((0, 2), (1, 4)), True),
        Term(Fraction(-1), ((1, 1),), False),
    )
    written = [floats(base) for base in bases]
    found = [margins(one, 2) for one in written]

    def value(one: dict[tuple[int, ...], float], s: list[complex]) -> complex:
        return sum(c * s[0] ** p[0] * s[1] ** p[1] for p, c in one.items())

    for axis, index in itertools.product(range(2), range(len(RHOS))):
        here = [one.disc(axis, index) for one in found]
        low, size = bounds(terms, here).at(t, gamma)
        for _ in range(20):
            s = [complex(source.uniform(-1, 1)) for _ in range(2)]
            z = RHOS[index] * complex(math.cos(turn := source.uniform(0, 2 * math.pi)), math.sin(turn))
            s[axis] = (z + 1 / z) / 2
            values = [value(one, s) for one in written]
            for g, (centre, radius, imaginary) in zip(values, here, strict=True):
                assert abs(g - centre) <= radius * (1 + 1e-12) + 1e-12
                assert abs(g.imag) <= imaginary * (1 + 1e-12) + 1e-12
            parts = [
                (t if term.divergence else gamma)
                * float(term.scale)
                * math.prod((values[base] ** power for base, power in term.powers), start=1 + 0j)
                for term in terms
            ]
            assert low <= sum(part.real for part in parts) + 1e-9 * max(map(abs, parts))
            assert abs(parts[0] + parts[1]) <= size * (1 + 1e-9)


def test_a_disc_is_attained() -> None:
    """T_3 on E_ρ reaches (ρ³ + ρ⁻³)/2, so no smaller radius would do."""
    t3 = {(3, 0): 4.0, (1, 0): -3.0}
    for index, rho in enumerate(RHOS):
        centre, radius, _ = margins(t3, 2).disc(0, index)
        assert centre == 0 and math.isclose(radius, (rho**3 + rho**-3) / 2, rel_tol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_a_cut_keeps_every_integral(seed: int) -> None:
    """∫ g over the pieces is ∫ g over the cube, exactly; without one of them it is not."""
    source = random.Random(seed)
    base = CONTEXT.from_dict({powers: fmpq(value) for powers, value in random_polynomial(source, 3).items()})
    _, s1 = CONTEXT.gens()
    graph = fmpq(source.randint(-3, 3), 16) + s1 * fmpq(source.randint(-3, 3), 16) + s1**2 * fmpq(1, 8)
    chart = Chart((base,), CONTEXT.constant(fmpq(1)))

    def integral(one: Chart) -> fmpq:
        total = fmpq(0)
        for powers, value in (one.bases[0] ** 2 * one.jacobian).to_dict().items():
            if not any(int(power) % 2 for power in powers):
                total += value * 4 / math.prod(int(power) + 1 for power in powers)
        return total

    pieces = chart.along(0, graph, fmpq(1, 16))
    assert sum(map(integral, pieces), fmpq(0)) == integral(chart)
    assert sum(map(integral, pieces[:2]), fmpq(0)) != integral(chart)
    assert sum(map(integral, chart.halves(1)), fmpq(0)) == integral(chart)


def test_a_graph_of_zeros() -> None:
    s0, s1 = CONTEXT.gens()
    base = 2 * s0 - s1**2 + fmpq(1, 2)
    assert graph_of_zeros(base, floats(base), 0) == (s1**2 - fmpq(1, 2)) * fmpq(1, 2)
    assert graph_of_zeros(base, floats(base), 1) is None  # it has a vertical tangent
    curved = s0 + s0**2 * fmpq(1, 8) - s1 * fmpq(1, 4)
    graph = graph_of_zeros(curved, floats(curved), 0)
    assert graph is not None
    residue = sum(abs(value) for value in floats(curved.compose(graph, s1)).values())
    assert residue < 1e-3


@pytest.mark.parametrize(("t", "gamma", "value"), [(145, 1, "0.3028"), (1000, 1, "0.3537"), (1000, 100, "0.5072")])
def test_a_line_through_a_pin_and_a_point(t: int, gamma: int, value: str) -> None:
    found = finite_n_germ(E1, t, variance=Fraction(1, gamma), centre={"w1": 1, "w2": 0}, digits=4)
    assert f"{float(found.learning_coefficient):.4f}" == value
    assert found.learning_coefficient.digits is not None and found.learning_coefficient.digits >= 4
    _, expected = panels(sympy.sympify(E1.replace("^", "**")), t, [(-7, 9), (-8, 8)], gamma, (1, 0))
    assert abs(float(found.learning_coefficient) - expected) < 1e-5


@pytest.mark.parametrize(
    ("n", "gamma", "value"),
    [(1e3, 1, "0.3027"), (1e3, 4, "0.3342"), (1e3, 16, "0.3491"), (1e5, 1, "0.2974"), (1e5, 4, "0.3730")],
)
def test_a_pin_on_the_worse_of_two_loci(n: float, gamma: int, value: str) -> None:
    t = Fraction(round(1000 * n / math.log(n)), 1000)
    found = finite_n_germ(E2, t, variance=Fraction(1, gamma), centre={"x": 1}, half_width=3, digits=4)
    assert f"{float(found.learning_coefficient):.4f}" == value


@pytest.mark.parametrize("seed", range(12))
def test_random_sums_of_squares_against_numpy(seed: int) -> None:
    source = random.Random(100 + seed)
    x, y = sympy.symbols("x y")
    germ = (
        sum(
            sympy.Rational(source.randint(1, 4), 2) * sum(c * x**a * y**b for (a, b), c in part.items()) ** 2
            for part in (random_polynomial(source, source.randint(1, 3)) for _ in range(source.randint(1, 2)))
        )
        + x**4 * y**2 / 7
    )
    t, gamma = source.choice([3, 40, 300]), source.choice([0, 0, 2, 25])
    centre = (Fraction(source.randint(-4, 4), 4), Fraction(source.randint(-4, 4), 4)) if gamma else ()
    options = {"variance": Fraction(1, gamma), "centre": dict(zip("xy", centre, strict=True))} if gamma else {}
    found = finite_n_germ(germ, t, half_width=1, digits=5, **options)
    z, lam = panels(germ, t, [(-1, 1), (-1, 1)], gamma, tuple(map(float, centre)))
    for value, enclosed in ((z, found.evidence), (lam, found.learning_coefficient)):
        assert abs(value - float(enclosed)) <= float(enclosed.radius) + 1e-10 * value and (enclosed.digits or 0) >= 5
    # the same function, expanded: another route through the quadrature
    other = finite_n_germ(sympy.expand(germ), t, half_width=1, digits=4, **options)
    assert other.evidence.overlaps(found.evidence)
    assert other.learning_coefficient.overlaps(found.learning_coefficient)


@pytest.mark.parametrize(
    ("germ", "exponents", "t"),
    [
        ("x^2*y^2", (2, 2), 10**12),
        ("x^4*y^2", (4, 2), 10**12),
        ("(2*x)^2*y^6/4", (2, 6), 10**11),
        ("x^2*y^2*z^2", (2, 2, 2), 10**8),
    ],
)
def test_products_at_large_n(germ: str, exponents: tuple[int, ...], t: int) -> None:
    found, exact = finite_n_germ(germ, t, digits=4), finite_n(exponents, t)
    assert found.evidence.contains(exact.evidence)
    assert found.learning_coefficient.contains(exact.learning_coefficient)


@pytest.mark.parametrize("t", [10**6, 10**12])
def test_a_curved_valley_at_large_n(t: int) -> None:
    """Z = √(π/t) ∫ e^{−t y⁶} dy but for what is beyond exponentially small ends."""
    found = finite_n_germ("(x-y^2)^2+y^6", t, digits=6)
    z = math.sqrt(math.pi / t) * 2 * math.gamma(7 / 6) * t ** (-1 / 6)
    assert abs(z / float(found.evidence) - 1) < 1e-8
    assert abs(float(found.learning_coefficient) - 2 / 3) < 1e-7


def test_a_circle_of_zeros() -> None:
    """K = (x² + y² − 1/4)²: Z = π ∫ e^{−t(u − 1/4)²} du = π √(π/t) over a box that holds the circle."""
    t = 10**8
    found = finite_n_germ("(x^2+y^2-1/4)^2", t, digits=4)
    assert abs(math.pi * math.sqrt(math.pi / t) / float(found.evidence) - 1) < 1e-6
    assert abs(float(found.learning_coefficient) - 0.5) < 1e-5


@pytest.mark.parametrize("gamma", [10**4, 10**6])
def test_a_narrow_pin(gamma: int) -> None:
    """x² under a pin at 1: everything is Gaussian. λ(t) = t ⟨x²⟩ of the product of the two."""
    t = 1000
    found = finite_n_germ("x^2+y^2", t, variance=Fraction(1, gamma), centre={"x": 1}, digits=6)
    precision = 2 * t + gamma
    lam = t * (2 / precision + (gamma / precision) ** 2)
    assert abs(float(found.learning_coefficient) / lam - 1) < 1e-7
    log_z = math.log(2 * math.pi / precision) - t * gamma / precision
    assert abs(-float(found.free_energy) / log_z - 1) < 1e-7


def test_claims_of_no_error_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of all of the above: with the rule's error taken for nothing the enclosures are false."""
    exact = finite_n((2, 2), 10**6)
    assert finite_n_germ("x^2*y^2", 10**6, digits=4).evidence.contains(exact.evidence)
    monkeypatch.setattr(Strips, "_errors", lambda self, piece, axis: [lambda one: -1e4] * len(RHOS))
    assert not finite_n_germ("x^2*y^2", 10**6, digits=4).evidence.contains(exact.evidence)


def test_time_that_is_over_leaves_bounds() -> None:
    with pytest.raises(UndecidedError, match=r"limit of 0\.3 s"):
        finite_n_germ("(x*y-z^2)^2+(x^3-y*z)^2", 10**7, digits=9, seconds=0.3)


def test_a_negative_germ_is_refused() -> None:
    for germ in ("x^2-3*x*y+y^2", "x^2*y^2-x^4*y^6/2+x^2*y^3"):
        with pytest.raises(NotADivergenceError):
            finite_n_germ(germ, 50, half_width=2)


def test_a_pin_far_from_the_zeros_in_closed_form() -> None:
    """∫ e^{−x² − (x − c)²/2} dx = √(2π/3) e^{−c²/3}, and E[x²] = 1/3 + c²/9 under it; printed with its power of ten."""
    found = finite_n_germ("x^2", 1, variance=1, centre={"x": 50})
    assert found.learning_coefficient.contains(Fraction(1, 3) + Fraction(50**2, 9))
    assert found.evidence.overlaps(Enclosure("1.77198913e-362", "1e-370"))  # by hand
    assert str(found.evidence).startswith("1.77198913") and "e-362 ± " in str(found.evidence)
