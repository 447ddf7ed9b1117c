"""λ(nβ) under a Gaussian around the point, in closed form: mirrors, products of width two, quadratic forms."""

from __future__ import annotations

from fractions import Fraction

import numpy
import pytest
from sympy import symbols

from ddtheory import cells
from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.finite_n.norms import as_norms
from ddtheory.exact.finite_n.quadratic import QuadraticForm
from ddtheory.exact.finite_n.reflections import reflection_norms
from ddtheory.exact.finite_n.shifted_width_two import ShiftedWidthTwo
from ddtheory.exact.finite_n.three_vectors import ThreeVectors
from ddtheory.exact.finite_n.width_two import WidthTwo
from ddtheory.values import RLCT

HALF = Fraction(1, 2)


def of_draws(k: numpy.ndarray, t: float) -> tuple[float, float]:
    """t E[K e^{−tK}]/E[e^{−tK}] and its standard error."""
    weights = numpy.exp(-t * k)
    value = t * float((k * weights).sum() / weights.sum())
    return value, float(numpy.std(t * k * weights - value * weights) / weights.mean() / numpy.sqrt(len(k)))


def test_three_mirrors_by_the_angle() -> None:
    """∏ (w_i − w_j)² on ℝ³ is r⁶ cos²(3φ)/2 in the plane across (1, 1, 1): a double integral by Gauss–Legendre."""
    t, gamma = 579, 2
    points, shares = numpy.polynomial.legendre.leggauss(400)
    unit, share = (points + 1) / 2, shares / 2
    r, phi = 6 * unit**2, numpy.pi / 2 * unit  # φ = angle · 3, over a quarter of a turn
    k = r[:, None] ** 6 * numpy.cos(phi) ** 2 / 4
    density = (12 * unit * share * r * numpy.exp(-gamma * r**2 / 2))[:, None] * share * numpy.exp(-t * k)
    expected = float(t * (k * density).sum() / density.sum())
    found = reflection_norms("braid", 3, HALF).finite_n(t, gamma, 8)
    assert float(found.learning_coefficient) == pytest.approx(expected, rel=1e-6)
    # a scale that is off by a factor of two is another value
    assert abs(float(reflection_norms("braid", 3).finite_n(t, gamma, 8).learning_coefficient) - expected) > 1e-3


@pytest.mark.parametrize(("kind", "dimension"), [("braid", 4), ("braid", 5), ("signed", 2), ("signed", 3)])
def test_mirrors_against_draws(kind: str, dimension: int) -> None:
    w = numpy.random.default_rng(0).normal(size=(400_000, dimension))
    pairs = [(i, j) for i in range(dimension) for j in range(i)]
    between = [w[:, i] ** 2 - w[:, j] ** 2 if kind == "signed" else w[:, i] - w[:, j] for i, j in pairs]
    p = numpy.prod(between, axis=0) * (numpy.prod(w, axis=1) if kind == "signed" else 1)
    value, error = of_draws(p**2 / 2, 2.0)
    assert (
        abs(float(reflection_norms(kind, dimension, HALF).finite_n(2, 1, 6).learning_coefficient) - value) < 4 * error
    )
    assert error < 0.02 * value


def test_the_pair_of_the_mirrors_is_that_of_the_cell() -> None:
    for kind, dimension in (("braid", 3), ("braid", 6), ("signed", 4)):
        cell = cells.arrangement(kind=kind, dimension=dimension)
        assert reflection_norms(kind, dimension, HALF).finite_n(5, 1, 4).rlct == cell.rlct


@pytest.mark.parametrize(("inputs", "outputs"), [(2, 2), (2, 4), (3, 3), (4, 3)])
def test_width_two_by_its_singular_values(inputs: int, outputs: int) -> None:
    """E over the eigenvalues v² > w² of AAᵀ by Gauss–Legendre in v and w: no hypergeometric function."""
    t, c = 579, Fraction(1, 4)
    s = float(2 * c * t)
    points, shares = (part for part in numpy.polynomial.legendre.leggauss(200))
    r, q = (points + 1) / 2, shares / 2
    v, v_share = 9 * r**2, 18 * r * q  # dense near 0
    w, w_share = v[:, None] * r**2, v[:, None] * 2 * r * q
    x, y = v[:, None] ** 2, w**2
    density = (x - y) * (v[:, None] * w) ** (inputs - 2) * numpy.exp(-(x + y) / 2)
    density *= ((1 + s * x) * (1 + s * y)) ** (-outputs / 2) * v_share[:, None] * w_share
    rate = outputs / 2 * (s * x / (1 + s * x) + s * y / (1 + s * y))
    expected = float((rate * density).sum() / density.sum())
    found = float(WidthTwo(inputs, outputs, c).learning_coefficient(t, 1, 6))
    assert found == pytest.approx(expected, rel=1e-5)
    assert abs(float(WidthTwo(inputs, outputs + 1, c).learning_coefficient(t, 1, 6)) - expected) > 0.01


def test_width_two_is_the_same_from_both_sides_and_in_other_units() -> None:
    """‖BA‖ = ‖AᵀBᵀ‖; w = u/√γ turns K into K/γ²."""
    one, other = (WidthTwo(*sizes, HALF).learning_coefficient(50, 1, 8) for sizes in ((2, 5), (5, 2)))
    assert one == other
    found = WidthTwo(3, 3, HALF).learning_coefficient(50, 2, 8)
    assert float(found) == pytest.approx(float(WidthTwo(3, 3, HALF / 4).learning_coefficient(50, 1, 8)), abs=1e-7)


def test_width_two_tends_to_the_pair_of_the_cell() -> None:
    """(3/2, 1) of 2 × 2 matrices; (3, 1) where the other end is long."""
    far = Fraction(10) ** 12
    assert float(WidthTwo(2, 2, HALF).learning_coefficient(far, 1, 6)) == pytest.approx(1.5, abs=1e-3)
    assert cells.reduced_rank(inputs=3, hidden=2, outputs=3).rlct == RLCT(Fraction(5, 2))
    assert float(WidthTwo(3, 3, HALF).learning_coefficient(far, 1, 6)) == pytest.approx(2.5, abs=1e-3)


def test_width_two_refuses_and_stops() -> None:
    with pytest.raises(InvalidValueError, match="inputs"):
        WidthTwo(1, 2, HALF)
    with pytest.raises(InvalidValueError, match="not positive"):
        WidthTwo(2, 2, Fraction(0))
    with pytest.raises(InvalidValueError, match="must be positive"):
        WidthTwo(2, 2, HALF).learning_coefficient(0, 1)
    with pytest.raises(UndecidedError, match="limit"):
        WidthTwo(2, 2, HALF).learning_coefficient(50, 1, digits=200, seconds=0.01)


@pytest.mark.long
@pytest.mark.parametrize(("rank", "means"), [(1, (0.25, 0.25)), (2, (1.0, 0.0))])
def test_a_shifted_factor_of_two_by_two_as_two_complex_numbers(rank: int, means: tuple[float, float]) -> None:
    """B is integrated first: X acts on ℂ as w ↦ pw + q w̄, ‖X‖² = 2(|p|² + |q|²), det X = |p|² − |q|², and |p|² and
    |q|² are independent, of density e^{−γ(P + P_0)} I_0(2γ√(P P_0)): by Gauss–Legendre."""
    t, gamma = 60, 8  # a strong pin, which sees the shift
    s = 2 * t / 4 / gamma
    points, shares = numpy.polynomial.legendre.leggauss(400)
    r, q = 7 * ((points + 1) / 2) ** 2, 7 * (points + 1) / 2 * shares
    masses = [2 * r * q * numpy.exp(-gamma * (r**2 + mean)) * numpy.i0(2 * gamma * r * mean**0.5) for mean in means]
    p, o = (r**2)[:, None], r**2
    d, slope = 1 + 2 * s * (p + o) + (s * (p - o)) ** 2, 2 * s * (p + o) + 2 * (s * (p - o)) ** 2
    density = masses[0][:, None] * masses[1] / d
    expected = float((density * slope / d).sum() / density.sum())
    found = float(ShiftedWidthTwo(2, 2, rank, Fraction(1, 4)).learning_coefficient(t, gamma, 4))
    assert found == pytest.approx(expected, rel=1e-4)
    assert abs(float(WidthTwo(2, 2, Fraction(1, 4)).learning_coefficient(t, gamma, 4)) - expected) > 0.005


@pytest.mark.long
@pytest.mark.parametrize(("inputs", "outputs", "rank"), [(3, 2, 1), (2, 3, 2)])
def test_shifted_factors_of_other_sizes_by_draws(inputs: int, outputs: int, rank: int) -> None:
    generator = numpy.random.default_rng(5)
    first, second = generator.normal(size=(300_000, 2, inputs)), generator.normal(size=(300_000, outputs, 2))
    moved = first / 3**0.5
    moved[:, range(rank), range(rank)] += 1
    value, error = of_draws(((second / 3**0.5 @ moved) ** 2).sum((1, 2)) / 3, 2)
    found = ShiftedWidthTwo(inputs, outputs, rank, Fraction(1, 3)).learning_coefficient(2, 3, 3)
    assert abs(float(found) - value) < 4 * error < 0.03 * value
    other = ShiftedWidthTwo(inputs, outputs, 3 - rank, Fraction(1, 3)).learning_coefficient(2, 3, 3)
    assert abs(float(other) - value) > 8 * error


def test_shifted_factors_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="rank 3"):
        ShiftedWidthTwo(2, 2, 3, HALF)
    with pytest.raises(InvalidValueError, match="rank"):
        ShiftedWidthTwo(2, 2, 0, HALF)
    with pytest.raises(UndecidedError, match="limit"):
        ShiftedWidthTwo(2, 2, 1, HALF).learning_coefficient(50, 1, seconds=0.01)


@pytest.mark.long
def test_three_vectors_in_the_plane_are_a_product_of_norms() -> None:
    """The minors of 2 × 3: H² = q H there, one Mellin–Barnes integral."""
    x = symbols("x1:4 y1:4")
    k = sum((x[i] * x[j + 3] - x[j] * x[i + 3]) ** 2 for i, j in ((0, 1), (0, 2), (1, 2))) / 3
    norms = as_norms(k, x)
    assert norms is not None
    for t, gamma in ((7, 1), (40, 2)):
        expected = float(norms.finite_n(t, gamma, 8).learning_coefficient)
        assert float(ThreeVectors(2, Fraction(1, 3)).learning_coefficient(t, gamma, 6)) == pytest.approx(
            expected, rel=1e-6
        )
        assert abs(float(ThreeVectors(3, Fraction(1, 3)).learning_coefficient(t, gamma, 2)) / expected - 1) > 0.1


@pytest.mark.long
@pytest.mark.parametrize("n", [3, 4])
def test_three_vectors_by_their_singular_values(n: int) -> None:
    """e_2 of the eigenvalues of a Wishart matrix, by Gauss–Legendre in three singular values: no plane is chosen."""
    t = 579
    points, shares = numpy.polynomial.legendre.leggauss(60)
    r, q = (points + 1) / 2, shares / 2
    a, b, c = numpy.meshgrid(8 * r**2, 8 * r**2, 8 * r**2, indexing="ij")
    share = 16 * r * q
    mass = share[:, None, None] * share[:, None] * share
    x, y, z = a**2, b**2, c**2
    density = abs((x - y) * (x - z) * (y - z)) * (a * b * c) ** (n - 3) * numpy.exp(-(x + y + z) / 2) * mass
    k = (x * y + x * z + y * z) / 2
    weights = density * numpy.exp(-t * k)
    expected = float(t * (k * weights).sum() / weights.sum())
    assert float(ThreeVectors(n, HALF).learning_coefficient(t, 1, 3)) == pytest.approx(expected, rel=2e-3)


def test_three_vectors_refuse_and_stop() -> None:
    with pytest.raises(InvalidValueError, match="dimension"):
        ThreeVectors(1, HALF)
    with pytest.raises(InvalidValueError, match="must be positive"):
        ThreeVectors(3, HALF).learning_coefficient(1, 0)
    with pytest.raises(UndecidedError, match="limit"):
        ThreeVectors(3, HALF).learning_coefficient(50, 1, digits=30, seconds=0.01)


def test_a_quadratic_form_against_its_eigenvalues() -> None:
    x = symbols("x1:7")
    generator = numpy.random.default_rng(3)
    rows = generator.integers(-3, 4, (4, 6))
    rows[3] = rows[0] + rows[1]
    forms = [(Fraction(1, 3), sum(int(a) * s for a, s in zip(row, x, strict=True))) for row in rows]
    found = QuadraticForm(forms, x)
    curvatures = numpy.linalg.eigvalsh(2 / 3 * rows.T @ rows)
    expected = sum(100 * h / (100 * h + 2) for h in curvatures) / 2
    value = found.learning_coefficient(100, 2)
    assert value.radius == 0 and float(value) == pytest.approx(expected, rel=1e-12)
    assert found.rlct == RLCT(Fraction(3, 2))


@pytest.mark.parametrize("text", ["x1**2", "x1 + 1", "sqrt(2)*x1", "x1*x2"])
def test_what_is_no_form(text: str) -> None:
    from sympy import sympify

    x = symbols("x1:3")
    with pytest.raises(InvalidValueError, match="not linear"):
        QuadraticForm([(HALF, sympify(text, locals={s.name: s for s in x}))], x)


def test_a_cell_says_which_domain_it_has() -> None:
    cell = cells.attention_product(kind="value-output", width=3, head=2)  # K = ‖OV‖²/6
    k_draws = numpy.random.default_rng(1).normal(size=(400_000, 12))
    o, v = k_draws[:, :6].reshape(-1, 3, 2), k_draws[:, 6:].reshape(-1, 2, 3)
    value, error = of_draws(((o @ v) ** 2).sum((1, 2)) / 6, 1.0)
    assert abs(float(cell.finite_n(1, 6, localisation=1)) - value) < 4 * error < 0.02 * value
    with pytest.raises(InvalidValueError, match="not computable"):
        cell.finite_n(1, 6)
    with pytest.raises(InvalidValueError, match="under a localisation"):
        cells.node_death("tanh").finite_n(1, 6, localisation=1)
