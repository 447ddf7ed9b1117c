"""KL orders along rays and arcs, against hand computations and hidden normal forms."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Integer, Rational, Symbol, exp, log, oo, sin, sqrt, symbols, tanh

from ddtheory.errors import (
    DirectionError,
    InvalidValueError,
    NotADivergenceError,
    NotAnalyticError,
    UndecidedError,
)
from ddtheory.exact.orders.ray import kl_order
from ddtheory.values import Kind

x, y, z = symbols("x y z")
k = Symbol("k", integer=True, positive=True)
a = Symbol("a", positive=True)
t = Symbol("t", positive=True)

# divergence, direction, order k along the ray, leading coefficient, arc order (oo: K vanishes on an arc)
BY_HAND = [
    (x**2 + y**4, {y: 1}, 2, 1, 2),
    (x**2 + y**4, {x: 3}, 1, 1, 1),
    (x**2 + y**4, {x: 1, y: 1}, 1, Rational(1, 2), 1),
    ((x - y**2) ** 2 + y**6, {y: 1}, 2, 1, 3),
    ((x - y**2) ** 2 + (x + y**3) ** 4, {y: 1}, 2, 1, 4),  # on x = y²: (y² + y³)⁴ ~ y⁸
    ((x - y**2) ** 2, {y: 1}, 2, 1, oo),
    ((x * y) ** 2, {x: 1, y: 1}, 2, Rational(1, 4), 2),
    ((exp(y) - 1 - y) ** 2, {y: 1}, 2, Rational(1, 4), 2),
    ((tanh(x) * tanh(y)) ** 2, {x: 1, y: 1}, 2, Rational(1, 4), 2),
    ((x - sin(y) ** 2) ** 2 + y**10, {y: 1}, 2, 1, 5),
    ((x - sin(y) ** 2) ** 2, {y: 1}, 2, 1, oo),
    ((x**2 - 2 * y**4) ** 2 + y**10, {y: 1}, 4, 4, 5),  # the arcs are x = ±√2 y²
    ((x**2 - y**3) ** 2 + y**8, {y: 1}, 3, 1, 3),  # x = y^{3/2} is no analytic arc
    ((x**2 - y**5) ** 2, {y: 1}, 5, 1, 5),
    ((x**3 - y**6) ** 2, {y: 1}, 6, 1, oo),
    ((x - y**2) ** 2 * (x + y**2) ** 2 + y**12, {y: 1}, 4, 1, 6),
    ((x - y**2) ** 2 + (z - x * y) ** 2 + z**4, {y: 1}, 2, 1, 6),  # x = t², z = t³: K = t¹²
    ((x - y**2 / (1 - y)) ** 2, {y: 1}, 2, 1, oo),
    (log(sympy.cosh(y)), {y: 1}, 1, Rational(1, 2), 1),
    ((x**2 + y**4) ** 2, {y: 1}, 4, 1, 4),
    (sympy.loggamma(1 + y) - y * sympy.digamma(1), {y: 1}, 1, sympy.pi**2 / 12, 1),  # ψ′(1)/2 = π²/12
    (sympy.asinh(x) ** 2 + sympy.atanh(y**2) ** 2, {y: 1}, 2, 1, 2),
    ((sympy.asin(y) - y) ** 2, {y: 1}, 3, Rational(1, 36), 3),  # asin y = y + y³/6 + …
    ((sympy.acos(y - Rational(1, 2)) - sympy.acos(-Rational(1, 2))) ** 2, {y: 1}, 1, Rational(4, 3), 1),
    ((sympy.acosh(2 + y) - sympy.acosh(2)) ** 2, {y: 1}, 1, Rational(1, 3), 1),  # acosh′ = 1/√(y² − 1)
    (x**2 / 2 + (x * y) ** 2 - sqrt(2) * x * y**2 + y**4, {y: 1}, 2, 1, 3),  # (x − √2 y²)²/2 + x²y²
    ((x - y) ** 4 + (x - y - y**2) ** 2, {x: 1, y: 1}, 2, Rational(1, 4), 4),
]


@pytest.mark.parametrize(("divergence", "along", "order", "leading", "arc"), BY_HAND, ids=lambda value: str(value)[:40])
def test_by_hand(divergence: sympy.Expr, along: dict, order: int, leading: object, arc: object) -> None:
    found = kl_order(divergence, along)
    assert found.k == order
    assert sympy.simplify(found.leading - leading) == 0
    assert found.kind is (Kind.REGULAR if order == 1 else Kind.DEAD)
    assert found.rate == 2 * (order - 1)
    assert found.arc.proven
    assert found.arc_k == (None if arc == oo else arc)


@pytest.mark.parametrize(("divergence", "along", "order", "leading", "arc"), BY_HAND, ids=lambda value: str(value)[:40])
def test_the_arc_is_tangent_and_attains_its_order(
    divergence: sympy.Expr, along: dict, order: int, leading: object, arc: object
) -> None:
    """Substituting the arc that was returned must give its order, and no lower one, by sympy's own series."""
    found = kl_order(divergence, along)
    path = {Symbol(name): value for name, value in found.arc.path.items()}
    norm = sqrt(sum(Integer(value) ** 2 for value in along.values()))
    for symbol, value in path.items():
        tangent = sympy.diff(value, t).subs(t, 0)
        assert sympy.simplify(tangent - along.get(symbol, 0) / norm) == 0
    on_arc = divergence.subs(path)
    if arc == oo:
        if all(value.is_polynomial(t) for value in path.values()) and divergence.is_polynomial(x, y, z):
            # a smooth branch may be given by its first terms; then K vanishes beyond the ray's order at least
            expanded = sympy.Poly(sympy.expand(on_arc), t)
            assert expanded.is_zero or min(m[0] for m in expanded.monoms()) > 2 * order
        else:
            assert sympy.simplify(on_arc) == 0
    else:
        leading_exponent = sympy.series(sympy.expand(on_arc), t, 0, 2 * arc + 1).removeO()
        assert min(m[0] for m in sympy.Poly(leading_exponent, t).monoms()) == 2 * arc


def test_flat_is_proven() -> None:
    assert kl_order((x * y) ** 2, {x: 1}).kind is Kind.FLAT
    found = kl_order(y**2 + sin(x) ** 2 + sympy.cos(x) ** 2 - 1, {x: 1})
    assert found.kind is Kind.FLAT
    assert found.k is None and found.rate is None and found.leading is None
    assert "differential equation" in found.proof
    # the control: zero to order 60 is not flat
    assert kl_order(y**2 + x**60, {x: 1}).k == 30
    high = sin(x) - sum((-1) ** i * x ** (2 * i + 1) / sympy.factorial(2 * i + 1) for i in range(8))
    assert kl_order(high**2, {x: 1}).k == 17


class TestSymbolic:
    def test_order_k(self) -> None:
        found = kl_order(x**2 + y ** (2 * k), {y: 1})
        assert (found.k, found.rate, found.leading, found.kind) == (k, 2 * (k - 1), 1, Kind.EITHER)
        assert found.fisher_leading == 2 * k**2

    def test_inside_a_function(self) -> None:
        found = kl_order(tanh(y**k) ** 2 / 2 + x**2, {y: 1})
        assert found.k == k and found.leading == Rational(1, 2)

    def test_of_a_sum_of_powers(self) -> None:
        found = kl_order((y**k + y ** (k + 1)) ** 2 / 2, {y: 1})
        assert found.k == k and found.leading == Rational(1, 2)

    def test_dead_when_k_is_at_least_two(self) -> None:
        assert kl_order(y ** (2 * k + 2), {y: 1}).kind is Kind.DEAD

    def test_a_tie_at_one_value_is_shown(self) -> None:
        found = kl_order(x**2 + y ** (2 * k), {x: 1, y: 1})
        assert found.k == 1
        # at k = 1, K = t²; for k ≥ 2, K = t²/2 + …
        assert found.leading.subs(k, 1) == 1 and found.leading.subs(k, 3) == Rational(1, 2)

    def test_a_minimum_that_depends_on_k(self) -> None:
        found = kl_order(y**4 + y ** (2 * k), {y: 1})
        assert [found.k.subs(k, value) for value in (1, 2, 3)] == [1, 2, 2]

    def test_parameters_are_no_coordinates(self) -> None:
        found = kl_order(a**2 * x**2 * y**2 + y**6, {y: 1})
        assert found.k == 3
        assert kl_order(a * x**2, {x: 1}).leading == a
        with pytest.raises(DirectionError, match="parameter"):
            kl_order(a * x**2, {a: 1})

    @pytest.mark.long
    def test_specialising_agrees_with_the_numeric_answer(self) -> None:
        symbolic = kl_order((tanh(y**k) + y ** (k + 2)) ** 2, {y: 2}).k
        for value in range(1, 6):
            numeric = kl_order((tanh(y**value) + y ** (value + 2)) ** 2, {y: 2}).k
            assert symbolic.subs(k, value) == numeric


class TestBadInput:
    @pytest.mark.parametrize(
        ("divergence", "along"),
        [
            (x**2 - y**2, {x: 1}),
            (x**3, {x: 1}),
            (x**2 - y**4, {y: 1}),
            ((x - y**2) ** 2 - y**5, {y: 1}),
            ((x - y**2) ** 2 - y**7 + y**8, {y: 1}),
            ((x - y**2) ** 2 - y**8, {y: 1}),
            (x + y**2, {y: 1}),
            (x**4 - 3 * x**2 * y**2 + y**4, {x: 1}),
            (exp(x) - 1, {x: 1}),
            (x * y, {x: 1}),
        ],
        ids=str,
    )
    def test_negative_somewhere_near(self, divergence: sympy.Expr, along: dict) -> None:
        with pytest.raises(NotADivergenceError, match=r"negative|changes sign"):
            kl_order(divergence, along)

    def test_the_message_says_where(self) -> None:
        with pytest.raises(NotADivergenceError, match=r"\(x, y\) = \(0, 1\)·t it is -1·t\^4"):
            kl_order(x**2 - y**4, {x: 1})

    def test_not_zero_at_the_point(self) -> None:
        with pytest.raises(NotADivergenceError, match="not 0"):
            kl_order(1 + x**2, {x: 1})
        assert kl_order((x - 1) ** 2, {x: 1}, at={x: 1}).k == 1

    @pytest.mark.parametrize("along", [{x: 0}, {y: 1}, {x: float("nan")}, {x: float("inf")}, {}, {"q": 1}], ids=str)
    def test_directions(self, along: dict) -> None:
        with pytest.raises(DirectionError):
            kl_order(x**2, along)

    def test_not_analytic(self) -> None:
        for bad in (sympy.Abs(x), log(x), sympy.Max(x, 0) ** 2):
            with pytest.raises(NotAnalyticError):
                kl_order(bad, {x: 1})

    def test_undecided(self) -> None:
        b = Symbol("b", real=True)
        with pytest.raises(UndecidedError, match="b"):
            kl_order(b * x**2 + x**4, {x: 1}, parameters=[b])

    def test_at_names_a_stranger(self) -> None:
        with pytest.raises(InvalidValueError, match="does not occur"):
            kl_order(x**2, {x: 1}, at={y: 1})


def test_a_point_away_from_the_origin_and_a_text() -> None:
    assert kl_order("(x - 1)^2*(y + 1/2)^4", {"x": 1, "y": 1}, at={"x": 1, "y": "-1/2"}).k == 3


def test_a_removable_singularity() -> None:
    assert kl_order(1 - sin(x) / x, {x: 1}).k == 1  # 1 − sin x / x = x²/6 − …


@st.composite
def hidden_normal_forms(draw: st.DrawFn) -> tuple[sympy.Expr, int, int]:
    """x² + y^{2m}, hidden by a shear x → x − p(y) with p = O(y²), a scaling and a positive unit.

    The arc x = p(y) keeps the order m; along the ray K = p(y)² + y^{2m}.
    """
    m = draw(st.integers(2, 6))
    coefficients = draw(st.lists(st.integers(-3, 3), min_size=1, max_size=3))
    shear = sum(c * y ** (i + 2) for i, c in enumerate(coefficients))
    scale = draw(st.integers(1, 4))
    unit = 1 + draw(st.integers(0, 3)) * x + draw(st.integers(0, 3)) * y**2
    lowest = next((i + 2 for i, c in enumerate(coefficients) if c), m)
    return sympy.expand((scale * (x - shear) ** 2 + y ** (2 * m)) * unit), min(lowest, m), m


@given(hidden_normal_forms())
def test_hidden_normal_forms(hidden: tuple[sympy.Expr, int, int]) -> None:
    divergence, ray, arc = hidden
    found = kl_order(divergence, {y: 1})
    assert found.k == ray
    assert found.arc.proven and found.arc_k == arc


@given(st.integers(1, 4), st.integers(1, 4), st.integers(-3, 3), st.integers(-3, 3))
def test_products_and_sums_along_a_ray(p: int, q: int, u: int, v: int) -> None:
    """x^{2p} + y^{2q} has order min over the moved coordinates; x^{2p} y^{2q} has order p + q or is flat."""
    if u == v == 0:
        return
    orders = [power for power, moved in ((p, u), (q, v)) if moved]
    assert kl_order(x ** (2 * p) + y ** (2 * q), {x: u, y: v}).k == min(orders)
    product = kl_order(x ** (2 * p) * y ** (2 * q), {x: u, y: v})
    assert product.k == (p + q if u and v else None)


@given(st.integers(1, 5), st.fractions(min_value=-3, max_value=3, max_denominator=4))
def test_orders_do_not_depend_on_scale_or_on_the_speed_of_the_direction(order: int, slope: object) -> None:
    divergence = (x + Rational(str(slope)) * y) ** (2 * order) + (x - y) ** 10
    slow, fast = kl_order(divergence, {x: 1}), kl_order(7 * divergence, {x: 5})
    assert slow.k == fast.k
    assert fast.leading == 7 * slow.leading


class TestFoundByAttack:
    """Each of these was once answered wrongly, or not at all; the truths are by hand."""

    def test_a_series_on_every_ray_is_no_power_series(self) -> None:
        for bad in (x**2 * y**2 / (x**2 + y**2), sqrt(x**4 + y**4)):
            with pytest.raises(NotAnalyticError):
                kl_order(bad, {x: 1, y: 1})

    def test_flat_on_the_ray_and_negative_beside_it(self) -> None:
        with pytest.raises(NotADivergenceError):
            kl_order(x * (x - y**2), {y: 1})  # at x = y²/2 it is −y⁴/4

    def test_negative_between_two_bends(self) -> None:
        with pytest.raises(NotADivergenceError):
            kl_order((x**2 + z**2) ** 2 + x * z * y**4 + y**10, {y: 1})  # x = −z = y²/4: y⁸/64 − y⁸/16 + y¹⁰

    def test_a_division_that_symbolic_powers_hide(self) -> None:
        with pytest.raises(UndecidedError):
            kl_order(y**4 / (y**2 + y ** (2 * k)), {y: 1})  # y²/2 at k = 1, y² + … for k ≥ 2

    def test_a_tie_inside_functions_adds_its_coefficient(self) -> None:
        found = kl_order(tanh(y**k) ** 2 + tanh(y) ** 2, {y: 1})
        assert found.k == 1
        assert found.leading.subs(k, 1) == 2 and found.leading.subs(k, 2) == 1

    def test_an_exponent_with_a_negative_constant(self) -> None:
        assert kl_order(tanh(y ** (2 * k - 1)) ** 2, {y: 1}).k == 2 * k - 1

    def test_a_coordinate_named_t(self) -> None:
        time = Symbol("t")
        found = kl_order((x - time**2) ** 2 + time**6, {time: 1})
        assert (found.k, found.arc_k) == (2, 3)
        with pytest.raises(InvalidValueError, match="another name"):
            kl_order(Symbol("t", positive=True) * x**2, {x: 1})

    def test_two_symbols_of_one_name(self) -> None:
        with pytest.raises(InvalidValueError, match="two symbols named x"):
            kl_order(x**2 + Symbol("x", real=True) ** 4, {"x": 1})

    def test_a_component_that_is_zero_in_disguise(self) -> None:
        disguised = sin(1) ** 2 + sympy.cos(1) ** 2 - 1
        found = kl_order(x**2 + y**4, {x: disguised, y: 1})
        assert (found.k, found.leading) == (2, 1)

    def test_large_powers(self) -> None:
        assert kl_order(((x + 1) ** 500 - 1) ** 2, {x: 1}).leading == 500**2
        with pytest.raises(InvalidValueError, match="larger than"):
            kl_order(x ** (10**9), {x: 1})


def test_a_divergence_of_more_terms_than_can_be_written_out_is_answered_or_refused_at_once() -> None:
    """Of (x² + y⁴)(x0 + … + x11)⁴⁰ there are some 10¹⁰ monomials; along y it is 0, and along all of x and x0 …, 42."""
    names = [f"x{i}" for i in range(12)]
    divergence = f"(x^2 + y^4)*({'+'.join(names)})^40"
    assert kl_order(divergence, {"y": 1}).kind is Kind.FLAT
    along = {"x": 1, **dict.fromkeys(names, 1)}
    assert kl_order(divergence, along, arc=False).k == 21
    with pytest.raises(UndecidedError, match="Multiplied out, K may have"):
        kl_order(divergence, along)
