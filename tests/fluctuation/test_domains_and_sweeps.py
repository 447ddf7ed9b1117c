"""Boxes, half-spaces and discs of `finite_n_germ`, and sweeps, against closed forms and mpmath."""

from __future__ import annotations

import doctest
import math
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy
import pytest

from ddtheory import Enclosure, finite_n, finite_n_germ, finite_n_sweep
from ddtheory.errors import InvalidValueError, NotADivergenceError, UndecidedError
from ddtheory.exact.finite_n import domains, polynomial_germs, sweeps
from ddtheory.exact.finite_n.strips import Strips

E2 = "(x-1)^2*(x^2+y^2)^4/2"


def holds(found: Enclosure, value: Any) -> bool:
    """Whether a value of mpmath at 30 digits is inside."""
    return bool(found.overlaps(Enclosure(mpmath.nstr(value, 25), Fraction(1, 10**20))))


def on_an_interval(k: Any, t: int, low: Any, high: Any, density: Any = lambda x: 1) -> tuple[Any, Any]:
    """(Z, λ(t)) of one variable by mpmath."""
    with mpmath.workdps(30):
        places = mpmath.linspace(low, high, 40)
        z = mpmath.quad(lambda x: mpmath.exp(-t * k(x)) * density(x), places)
        first = mpmath.quad(lambda x: t * k(x) * mpmath.exp(-t * k(x)) * density(x), places)
        return z, first / z


@pytest.mark.parametrize(
    ("ends", "prior"), [((-1, 3), 0), ((0, 2), 1), ((-2, 1), 2), (("1/2", 2), 0), ((-3, "-1/4"), 0), ((0, 2), "1/2")]
)
@pytest.mark.parametrize("germ", ["x^2*(x-1)^4", "sinh(x)^2"])
def test_any_interval(germ: str, ends: tuple[Any, Any], prior: Any) -> None:
    found = finite_n_germ(germ, 20, box={"x": ends}, prior={"x": prior}, digits=7)
    k = {"x^2*(x-1)^4": lambda x: x**2 * (x - 1) ** 4, "sinh(x)^2": lambda x: mpmath.sinh(x) ** 2}[germ]
    low, high = map(Fraction, ends)
    h = Fraction(prior)
    middle = [mpmath.mpf(low.numerator) / low.denominator, mpmath.mpf(high.numerator) / high.denominator]
    parts = [(middle[0], middle[1])] if low >= 0 or high <= 0 else [(middle[0], 0), (0, middle[1])]
    zs = []
    for a, b in parts:
        # x = u² takes the root of |x|^{1/2} away
        root = (lambda u: u * u) if h.denominator == 2 else (lambda u: u)
        jacobian = (lambda u: 2 * u * u) if h.denominator == 2 else (lambda u: abs(u) ** int(h))
        ends_of_u = (mpmath.sqrt(a), mpmath.sqrt(b)) if h.denominator == 2 else (a, b)
        zs.append(on_an_interval(lambda u, root=root: k(root(u)), 20, *ends_of_u, jacobian))
    z = sum(z for z, _ in zs)
    assert holds(found.evidence, z)
    assert holds(found.learning_coefficient, sum(z * lam for z, lam in zs) / z)


def test_a_half_space_in_closed_form() -> None:
    """∫_{x>0} e^{−tx² − x²/2} dx = √(π/(2(2t + 1)))… half of the line; of an even K nothing else changes."""
    half = finite_n_germ("x^2*y^2+x^4", 50, box={"x": (0, None)}, variance=1, digits=7)
    whole = finite_n_germ("x^2*y^2+x^4", 50, variance=1, digits=7)
    assert (half.evidence * 2).overlaps(whole.evidence) and not half.evidence.overlaps(whole.evidence)
    assert half.learning_coefficient.overlaps(whole.learning_coefficient)
    away = finite_n_germ("x^2", 3, box={"x": (1, None)}, variance=1, digits=8)
    with mpmath.workdps(30):
        assert holds(away.evidence, mpmath.sqrt(mpmath.pi / 14) * mpmath.erfc(mpmath.sqrt(mpmath.mpf(7) / 2)))
    # x³ is a divergence on x ≥ 0 alone, and says what it assumes
    assert finite_n_germ("x^3", 3, box={"x": (0, None)}, variance=1).assumed
    with pytest.raises(NotADivergenceError):
        finite_n_germ("x^3", 3, box={"x": (None, 0)}, variance=1)


@pytest.mark.parametrize("radius", ["1/2", 1, 3])
def test_a_disc_in_closed_form(radius: Any) -> None:
    """K = (r² − 1/9)²: Z = π ∫_0^{R²} e^{−t(u − 1/9)²} du."""
    found = finite_n_germ("(x^2+y^2-1/9)^2", 40, radius=radius, digits=7)
    with mpmath.workdps(30):
        end = (mpmath.mpf(Fraction(radius).numerator) / Fraction(radius).denominator) ** 2
        z, lam = on_an_interval(lambda u: (u - mpmath.mpf(1) / 9) ** 2, 40, 0, end)
        assert holds(found.evidence, mpmath.pi * z)
        assert holds(found.learning_coefficient, lam)


def test_a_pin_on_a_disc_against_polar_coordinates() -> None:
    """E2 of the problem O69 by numpy in polar coordinates: another domain, no code of the package."""
    found = finite_n_germ(E2, 145, radius=3, variance=1, centre={"x": 1}, digits=5)
    nodes, weights = numpy.polynomial.legendre.leggauss(40)
    edges = numpy.linspace(0, 3, 31)
    half = (edges[1:] - edges[:-1]) / 2
    r = ((edges[:-1] + half)[:, None] + half[:, None] * nodes).ravel()
    u = (half[:, None] * weights).ravel()
    angle = numpy.pi * (numpy.arange(12_000) + 0.5) / 12_000  # the upper half; the strip is 0.001 wide at the edge
    x, y = r[:, None] * numpy.cos(angle), r[:, None] * numpy.sin(angle)
    k = (x - 1) ** 2 * (x * x + y * y) ** 4 / 2
    density = numpy.exp(-145 * k - ((x - 1) ** 2 + y * y) / 2) * (r * u)[:, None] * 2 * numpy.pi / 12_000
    assert abs(float(density.sum()) - float(found.evidence)) < 1e-8
    assert abs(145 * float((density * k).sum() / density.sum()) - float(found.learning_coefficient)) < 1e-7
    assert not found.evidence.overlaps(finite_n_germ(E2, 145, half_width=3, variance=1, centre={"x": 1}).evidence)


def test_slivers_that_are_forgotten_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The area between the polynomials and the circle: exact as a difference, and without it the disc is too small."""
    from flint import arb

    exact = math.pi * (1 - math.exp(-1))
    for slices, degree in ((16, 10), (6, 4)):
        monkeypatch.setattr(domains, "_SLICES", slices)
        monkeypatch.setattr(domains, "_DEGREE", degree)
        domains._slices_by_cap.cache_clear()
        found = finite_n_germ("x^2+y^2", 1, radius=1, digits=2)
        assert abs(float(found.evidence) - exact) <= float(found.evidence.radius)
    monkeypatch.setattr(polynomial_germs, "sliver", lambda phi: arb(0))
    found = finite_n_germ("x^2+y^2", 1, radius=1, digits=4)
    assert abs(float(found.evidence) - exact) > float(found.evidence.radius)
    domains._slices_by_cap.cache_clear()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"radius": 1, "half_width": 1}, "give one of them"),
        ({"radius": 0}, "not between"),
        ({"radius": 1, "prior": {"x": 1}}, "for a flat or Gaussian prior"),
        ({"box": {"x": (1, 1)}}, "is empty"),
        ({"box": {"x": (0, None)}}, "open end"),
        ({"box": {"z": (0, 1)}}, "does not contain"),
        ({"box": {"x": (0, 1, 2)}}, "for an open end"),
        ({"box": {"x": 3}}, "interval of x"),
        ({"box": {"x": (1, 2)}, "prior": {"x": 1}}, "does not hold 0"),
        ({"box": {"x": (-1, 2)}, "prior": {"x": "1/2"}}, "symmetric"),
        ({"box": {"x": (-1, 2.5)}}, "float"),
        ({"box": {"x": (None, 1)}, "prior": {"x": "1/2"}, "variance": 1}, "got an open end to 1"),
        ({"box": {"x": (-1, None)}, "prior": {"x": "-1/2"}, "variance": 1}, "got -1 to an open end"),
    ],
)
def test_domains_that_are_none_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        finite_n_germ("x^2*y^2", 10, **options)
    if "radius" in options:
        with pytest.raises(InvalidValueError):
            finite_n_germ("x^2*tanh(y)^2", 10, **options)


@pytest.mark.parametrize("germ", ["x^2", "tanh(x)^2"])
@pytest.mark.parametrize(
    ("ends", "h"), [((None, None), "1/2"), ((0, None), "1/2"), ((None, 0), "-1/2"), ((None, 1), "1"), ((-2, None), "2")]
)
def test_open_ends_with_a_prior(germ: str, ends: tuple[Any, Any], h: str) -> None:
    """Against mpmath, piece by piece between the ends, 0 and the centre."""
    low, high = (mpmath.inf * sign if end is None else end for sign, end in zip((-1, 1), ends, strict=True))
    places = sorted({low, *(place for place in (0, 0.5) if low < place < high), high})

    def density(x: Any) -> Any:
        k = x**2 if germ == "x^2" else mpmath.tanh(x) ** 2
        return abs(x) ** mpmath.fdiv(Fraction(h).numerator, Fraction(h).denominator) * mpmath.exp(
            -3 * k - (x - 0.5) ** 2 / 2
        )

    options = {"box": {"x": ends}, "prior": {"x": h}, "variance": 1, "centre": {"x": "1/2"}}
    found = finite_n_germ(germ, 3, digits=4, **options)  # type: ignore[arg-type]
    assert float(found.evidence) == pytest.approx(float(mpmath.quad(density, places)), rel=1e-4)


def test_a_disc_is_for_polynomials() -> None:
    with pytest.raises(InvalidValueError, match="for polynomials"):
        finite_n_germ("x^2*tanh(y)^2", 10, radius=1)


def test_what_is_not_proven_is_no_number_in_any_face() -> None:
    one = finite_n_germ("x^2", 10)
    found = sweeps.FiniteNSweep(
        (Fraction(10), Fraction(20)), (Fraction(0),), ((one, None),), {(Fraction(0), Fraction(20)): "late"}
    )
    assert r"& \text{not proven} \end" in found.latex()
    assert found.rows()["γ = 0"].endswith(", not proven")
    assert found.tabulated()["learning_coefficient"][1] is None


def test_a_sweep_is_its_points() -> None:
    sizes, gammas = [100, 10**4, 10**8], [1, 40, 10**5]
    found = finite_n_sweep(E2, sizes, localisations=gammas, centre={"x": 1}, half_width=3)
    assert not found.missing and len(found.values) == 3
    for gamma in gammas:
        for t in sizes:
            one = finite_n_germ(E2, t, variance=Fraction(1, gamma), centre={"x": 1}, half_width=3, digits=6)
            there = found.at(t, gamma)
            assert there.evidence.contains(one.evidence) or there.evidence.overlaps(one.evidence)
            assert there.learning_coefficient.overlaps(one.learning_coefficient)
            assert (there.learning_coefficient.digits or 0) >= 4


@pytest.mark.parametrize("t", [10, 10**5, 10**9])
def test_a_sweep_in_closed_form(t: int) -> None:
    found = finite_n_sweep("x^2*y^2", [10, 10**5, 10**9], digits=6)
    exact = finite_n((2, 2), t)
    assert found.at(t).evidence.contains(exact.evidence)
    assert found.at(t).learning_coefficient.contains(exact.learning_coefficient)
    pins = finite_n_sweep("x^2+y^2", [10, 10**5, 10**9], localisations=[1, 10**4], centre={"x": 1}, digits=6)
    for gamma in (1, 10**4):
        precision = 2 * t + gamma
        if gamma * t < 20_000 * precision:  # else Z is below every number that is read
            exact_value = t * (Fraction(2, precision) + Fraction(gamma, precision) ** 2)
            assert pins.at(t, gamma).learning_coefficient.contains(exact_value)


def test_a_rule_chosen_for_the_easiest_point_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: taken for good enough at the largest t because it is at the smallest, enclosures are false."""
    order = Strips._order

    def easiest(self: Strips, errors: Any, one: Any, allowed: float) -> Any:
        return order(self, errors, min(self.integrals, key=lambda other: other.t), allowed)

    monkeypatch.setattr(Strips, "_order", easiest)
    found = finite_n_sweep("x^2*y^2", [10, 10**9], digits=6)
    assert found.at(10).evidence.contains(finite_n((2, 2), 10).evidence)
    assert not found.at(10**9).evidence.contains(finite_n((2, 2), 10**9).evidence)


def test_functions_that_are_no_polynomials_are_swept_too() -> None:
    found = finite_n_sweep("tanh(x)^2", [5, 50], localisations=[1, 4], digits=5)
    one = finite_n_germ("tanh(x)^2", 50, variance="1/4", digits=7)
    assert found.at(50, 4).evidence.overlaps(one.evidence)


def test_what_is_proven_when_the_time_is_over_stays() -> None:
    """Of a grid of an easy and a hopeless point the easy one is kept, and the other says what is known of it."""

    class Clock:
        calls = 0

        def __call__(self) -> None:
            self.calls += 1
            if self.calls > 60:
                raise UndecidedError("The limit was reached.")

    from sympy.abc import x, y

    from ddtheory.exact.finite_n.given import read_prior

    germ = polynomial_germs.PolynomialGerm.read((x**3 - y**2) ** 2 + y**6, [x, y], read_prior(["x", "y"]))
    points = [(Fraction(1), Fraction(0)), (Fraction(10**9), Fraction(0))]
    easy, hopeless = polynomial_germs.polynomial_integrals(germ, points, 4, Clock())
    assert isinstance(hopeless, str) and "limit was reached" in hopeless
    assert not isinstance(easy, str)
    exact = finite_n_germ("(x^3-y^2)^2+y^6", 1, digits=6)
    assert abs(float(easy[0]) - float(exact.evidence)) <= float(easy[0].rad()) + float(exact.evidence.radius)


@pytest.mark.parametrize(
    ("sizes", "options", "says"),
    [
        ([], {}, "1 to 10000 points"),
        ([1, 1], {}, "given twice"),
        ([1], {"localisations": [0]}, "not positive"),
        ([1], {"localisations": [1, 1]}, "given twice"),
        ([1.5], {}, "float"),
        ([-1], {}, "must be positive"),
        ([1], {"centre": {"x": 1}}, "belongs to a Gaussian"),
    ],
)
def test_grids_that_are_none_are_refused(sizes: list[Any], options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        finite_n_sweep("x^2*y^2", sizes, **options)


def test_the_regimes_of_a_pin() -> None:
    """O69: at γ = 1 the origin wins, at γ = 100 the point; γ = 10⁴ passes through 1/4 at t = γ and is no origin."""
    found = finite_n_sweep(E2, [10**9, 10**8, 10**4, 10**5], localisations=[1, 100, 10**4], centre={"x": 1}, radius=3)
    assert found.n_beta == (10**4, 10**5, 10**8, 10**9)
    shown = found.regimes(whole="1/4", point="1/2")
    assert [one.value if one else None for one in shown[0]] == ["between", "between", "global", "global"]
    assert [one.value if one else None for one in shown[1]] == ["local"] * 4
    assert [one.value if one else None for one in shown[2]] == ["between", "between", "local", "local"]
    assert abs(float(found.at(10**4, 10**4).learning_coefficient) - 0.25) < 0.01
    for whole, point, within in (("1/2", "1/2", "1/20"), ("1/4", "1/2", "1/2"), ("1/4", "1/2", 2)):
        with pytest.raises(InvalidValueError, match="lie apart"):
            found.regimes(whole=whole, point=point, within=within)


def test_pictures_of_a_sweep() -> None:
    from ddtheory import RLCT, plots

    found = finite_n_sweep("x^2*y^2", [10, 100, 1000], localisations=[1, 10])
    curves = plots.learning_coefficient(found, limits={"the point": RLCT(Fraction(1, 2), 2)}).axes[0].lines
    assert len(curves) == 2 + 1 + 1  # two γ, λ, and λ − 1/log nβ
    assert abs(curves[0].get_ydata()[1] - float(found.at(100, 1).learning_coefficient)) < 1e-9
    tail = curves[-1]
    assert abs(tail.get_ydata()[-1] - (0.5 - 1 / math.log(1000))) < 1e-12
    written = plots.localisation(found, whole="1/4", point="1/2").axes[0].texts
    assert [text.get_text() for text in written][:3] == [
        f"{float(found.at(t, 1).learning_coefficient):.2f}" for t in (10, 100, 1000)
    ]
    with pytest.raises(InvalidValueError, match="finite_n_sweep"):
        plots.localisation(3, whole="1/4", point="1/2")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="two sizes"):
        plots.localisation(finite_n_sweep("x^2", [10]), whole="1/4", point="1/2")
    with pytest.raises(InvalidValueError, match="RLCT"):
        plots.learning_coefficient(found, limits={"x": 1})  # type: ignore[dict-item]


def test_a_picture_of_a_cell() -> None:
    """Of a crossing the value at (xy)², nβ = 579; of a determinant of nine coordinates, which no sweep takes."""
    from ddtheory import RLCT, Enclosure, cells, plots
    from ddtheory.testing.conformance import from_cell

    figure = plots.target(from_cell(cells.normal_crossing(exponents=(1, 1))), [2 * 579, 2 * 10**6])  # K = (xy)²/2
    [axes] = figure.axes
    exact, limit, tail = axes.lines
    assert list(exact.get_xdata()) == [1158, 2e6]
    assert exact.get_ydata()[0] == pytest.approx(0.3798771744627, abs=1e-6)
    assert list(limit.get_ydata()) == [0.5, 0.5]
    assert tail.get_ydata()[1] == pytest.approx(0.5 - 1 / math.log(2e6))
    many = plots.target(from_cell(cells.minors(rows=3, columns=3, size=3)), [10, 1000])
    assert len(many.axes[0].lines[0].get_xdata()) == 2 and "minors" in many.axes[0].get_title()
    of_width_two = SimpleNamespace(
        name="reduced_rank(inputs=2, hidden=2, outputs=2, rank_first=2), γ = 1",
        rlct=RLCT(Fraction(2)),
        target=lambda t: Enclosure(1),
    )
    longest = plots.target(of_width_two, [10, 100])
    longest.draw_without_rendering()
    title = longest.axes[0].title.get_window_extent()
    assert longest.axes[0].get_title().count("\n") == 1 and title.x0 > 0 and title.x1 < longest.bbox.x1
    with pytest.raises(InvalidValueError, match="no exact λ"):
        plots.target(cells.mixture(components=2), [10, 1000])  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="are no numbers"):
        plots.target(SimpleNamespace(**{**vars(of_width_two), "target": lambda t: None}), [10, 100])
    with pytest.raises(InvalidValueError, match="two sizes"):
        plots.target(from_cell(cells.minors(rows=3, columns=3, size=3)), [10, 10])


def test_a_point_that_is_not_on_the_grid() -> None:
    with pytest.raises(InvalidValueError, match="no point"):
        finite_n_sweep("x^2", [1, 2]).at(3)


@pytest.mark.parametrize("module", [sweeps, domains])
def test_the_examples_of_the_docstrings(module: Any) -> None:
    assert doctest.testmod(module).failed == 0
