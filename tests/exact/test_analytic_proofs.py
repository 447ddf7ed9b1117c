"""The proofs behind analytic germs, one by one: what each accepts, and what comes near and must not be accepted."""

from __future__ import annotations

import itertools

import pytest
import sympy
from flint import fmpq
from sympy import Integer, Rational, cos, exp, pi, sin, sqrt, symbols, tan, tanh

import ddtheory as dd
from ddtheory.errors import NotADivergenceError, NotAnalyticError
from ddtheory.exact.thresholds.analytic.comparison import comparable_vertices
from ddtheory.exact.thresholds.analytic.compositions import Composition, compositions
from ddtheory.exact.thresholds.analytic.cutting import cut_ideal
from ddtheory.exact.thresholds.analytic.jets import jet, vanishes
from ddtheory.exact.thresholds.analytic.linear_factor import linear_factor, linear_power
from ddtheory.exact.thresholds.analytic.membership import Terms, same_germ, same_ideal
from ddtheory.exact.thresholds.analytic.negative import refuse_negative_series
from ddtheory.exact.thresholds.analytic.power_sums import power_sums
from ddtheory.exact.thresholds.analytic.scales import in_rational_scales
from ddtheory.exact.thresholds.analytic.tails import Tail, tail_of

x, y, z, a, b, c, d = symbols("x y z a b c d", real=True)
FREE = (True, True)
TWO_SIDED = (False, False)
SQUARE = {(2, 0): Integer(1), (1, 1): Integer(-2), (0, 2): Integer(1)}  # (x − y)²


def terms(polynomial: sympy.Expr) -> Terms:
    return {m: fmpq(int(value.p), int(value.q)) for m, value in sympy.Poly(polynomial, x, y).terms()}


def above(degree: int) -> Tail:
    return Tail(tuple((i, degree - i) for i in range(degree + 1)))


class TestJets:
    @pytest.mark.parametrize(
        "function",
        [
            exp(x * y) * cos(x + y),
            1 / (1 - x - y**2),
            sqrt(1 + sin(x) * y),
            tan(x + y / 2),
            sympy.log(2 + x * y) + pi * x,
        ],
        ids=str,
    )
    def test_against_derivatives(self, function: sympy.Expr) -> None:
        found = jet(function, [x, y], 4)
        for i, j in itertools.product(range(5), repeat=2):
            if i + j <= 4:
                taylor = function.diff(x, i, y, j).subs({x: 0, y: 0}) / sympy.factorial(i) / sympy.factorial(j)
                assert sympy.simplify(found.get((i, j), Integer(0)) - taylor) == 0

    def test_orders_along_subspaces_are_proven_or_denied(self) -> None:
        assert vanishes(exp(x * y) - 1 - x * y, [x], 2) and not vanishes(exp(x * y) - 1 - x * y, [x], 3)
        assert vanishes(sin(x) * exp(y) - x * exp(y), [x], 3)
        assert not vanishes(sin(x) - y, [x], 1)


class TestTails:
    def test_of_one_variable(self) -> None:
        assert tail_of(exp(x), [x], [(0,), (1,), (2,)], 2) == Tail(((3,),))

    def test_of_products_and_polynomials(self) -> None:
        assert tail_of(a * exp(b) + c**2, [a, b, c], [(1, 0, 0), (1, 1, 0), (0, 0, 2)], 2) == Tail(((1, 2, 0),))
        assert tail_of(x**5 + y, [x, y], [(0, 1)], 3) == Tail(((5, 0),))
        assert tail_of(x**5 + y, [x, y], [(0, 1), (5, 0)], 5) == Tail(())


class TestTheSameIdeal:
    @pytest.mark.parametrize(
        ("generators", "tail", "expected"),
        [
            ([x - x * y], Tail(((1, 2),)), True),
            ([x**2], Tail(((2, 0),)), False),  # a tail −x² would leave nothing
            ([x**2], Tail(((2, 1), (3, 0))), True),
            ([x * (x - y)], above(3), False),  # its zeros are lines, and a tail moves them
            ([x - y, x**2], above(3), True),
            ([x - y, x**2], above(2), False),  # ⟨x − y + y², 0⟩
            ([x**2, y], Tail(((2, 0),)), False),
            ([x**2, y], Tail(((2, 1), (3, 0))), True),
            ([x * y, x + y], above(3), True),
            ([x * y, x**2], above(4), False),  # on the axis x = 0 a tail y⁴ is new
            ([x**2, x * y, y**2], above(3), True),
            ([x**2 - y**2, x * y], above(3), True),
            ([(x - y) ** 2, x**3], above(4), True),
            ([(x - y) ** 2, x**3], above(3), False),  # x²(x − y) is not in it
        ],
        ids=str,
    )
    def test_tails(self, generators: list[sympy.Expr], tail: Tail, expected: bool) -> None:
        assert same_ideal([terms(f) for f in generators], tail) == expected

    def test_a_polynomial_above_the_degree_is_not_forgotten(self) -> None:
        whole = Composition((x**2 * exp(x), y + z**5), (x, y, z), (x, y, z))
        found = cut_ideal(whole, "generators")
        assert found is not None and found.expressions[1] == y + z**5


class TestTheSameGerm:
    @pytest.mark.parametrize(
        ("generators", "cut", "tail", "free", "expected"),
        [
            ([x - y], [True], above(2), FREE, True),
            ([x**2 + y**2], [True], above(3), FREE, True),  # Morse
            ([x**2 + y**3], [True], above(4), FREE, True),
            ([x**2 + y**3], [True], above(3), FREE, False),  # y³ may be taken away
            ([x**2], [True], Tail(((1, 2),)), FREE, False),  # x² + xy² is (x + y²/2)² − y⁴/4
            ([x**2], [True], Tail(((2, 0),)), FREE, False),
            ([x**2], [True], above(5), FREE, False),  # y⁵
            ([x * y**2], [True], Tail(((0, 2),)), FREE, False),  # y²(1 + x): the point would move
            ([x * (x + y)], [True], above(3), FREE, True),
            ([x * (x + y)], [True], above(3), (True, False), True),
            ([x * (x + y)], [True], above(3), (False, True), False),  # x = 0 must stay where it is
            ([x, x**2], [True, False], Tail(((0, 2), (5, 0))), FREE, False),  # ⟨x + y², x²⟩ = ⟨x + y², y⁴⟩
            ([x, y**2], [True, False], Tail(((0, 2),)), FREE, True),
        ],
        ids=str,
    )
    def test_tails(
        self, generators: list[sympy.Expr], cut: list[bool], tail: Tail, free: tuple[bool, bool], expected: bool
    ) -> None:
        assert same_germ([terms(f) for f in generators], cut, tail, free) == expected


class TestComparison:
    def test_zeros_on_faces(self) -> None:
        assert comparable_vertices(SQUARE, Tail(()), TWO_SIDED) is None
        assert comparable_vertices({**SQUARE, (0, 2): Rational(101, 100)}, Tail(()), TWO_SIDED) == [(0, 2), (2, 0)]
        quartic = {(4, 0): Integer(1), (3, 1): Integer(-2), (2, 2): Integer(1), (0, 4): Integer(1)}
        assert comparable_vertices(quartic, Tail(()), TWO_SIDED) == [(0, 4), (4, 0)]  # (x² − xy)² + y⁴
        assert comparable_vertices({**quartic, (0, 4): Integer(0)}, Tail(()), TWO_SIDED) is None

    def test_irrational_definite_forms(self) -> None:
        assert comparable_vertices({(2, 0): Integer(1), (1, 1): pi, (0, 2): Integer(3)}, Tail(()), TWO_SIDED)  # π² < 12
        assert comparable_vertices({(2, 0): Integer(1), (1, 1): -pi, (0, 2): Integer(2)}, Tail(()), TWO_SIDED) is None

    def test_tails_below_or_on_the_polyhedron(self) -> None:
        fourth = {(4, 0): Integer(1), (0, 4): Integer(1)}
        assert comparable_vertices(fourth, Tail(((2, 2),)), TWO_SIDED) is None
        assert comparable_vertices(fourth, Tail(((2, 3), (5, 0))), TWO_SIDED) == [(0, 4), (4, 0)]
        assert comparable_vertices({(2, 0): Integer(1)}, Tail(((0, 9),)), TWO_SIDED) is None
        assert comparable_vertices({(2, 0): Integer(1)}, Tail(((2, 1),)), TWO_SIDED) == [(2, 0)]

    def test_odd_powers_need_a_side(self) -> None:
        assert comparable_vertices({(1, 0): Integer(1), (0, 2): Integer(1)}, Tail(()), TWO_SIDED) is None
        assert comparable_vertices({(1, 0): Integer(1), (0, 2): Integer(1)}, Tail(()), (True, False))
        assert comparable_vertices(SQUARE, Tail(()), (True, True)) is None  # x = y lies in the domain too


class TestOneFunction:
    def test_linear_parts_that_divide(self) -> None:
        assert linear_factor(exp(2 * x) - exp(3 * y), [x, y]) == 2 * x - 3 * y
        assert linear_factor(sin(x) - sin(y) + x**2 - y**2, [x, y]) == x - y
        for near in (exp(x) - exp(y) + x**9, sin(x) - sympy.sinh(y), x**2 - y**2, exp(x) - 2):
            assert linear_factor(near, [x, y]) is None

    def test_powers_of_linear_forms_that_divide(self) -> None:
        assert linear_power(exp(x) - exp(y) - (x - y) * exp(y), [x, y]) == (x - y) ** 2
        assert linear_power((sin(x) - sin(2 * y)) ** 3 * (y - 2), [x, y]) == -((x - 2 * y) ** 3)
        square = (x - y) ** 2
        for near in (square + x**9, square + x * (sin(x) - sin(y)), square - 3 * y**2, exp(x) - exp(y), square + 1):
            assert linear_power(near, [x, y]) is None

    def test_arguments(self) -> None:
        assert next(compositions([sympy.log(1 + 2 * x * y) + cos(x * y) * z])).inner == (x * y, z)
        w = a * tanh(b) + c * tanh(d)
        found = next(compositions([sympy.log(1 + exp(w)) - a * tanh(b) / 2 - c * tanh(d) / 2]))
        assert found.inner == (w,) and found.back(found.outer[0]) == sympy.log(1 + exp(w)) - w / 2

    def test_scales(self) -> None:
        one = {(2, 0): sqrt(2), (1, 1): Integer(2), (0, 2): sqrt(2)}  # √2(x² + √2xy + y²)
        (found,) = in_rational_scales([one]) or [{}]
        middle, square = found[1, 1], found[2, 0] * found[0, 2]
        assert middle**2 / square == 2  # the discriminant decides, and stays
        assert in_rational_scales([{(1, 0): Integer(1), (0, 1): Integer(1)}, {(1, 0): Integer(1), (0, 1): pi}]) is None


class TestPowerSums:
    def test_what_closes(self) -> None:
        found = power_sums([a * sin(b) + c * sin(d), a * tan(b) + c * tan(d)])
        assert found is not None and found.expressions == (a * b + c * d, a * b**3 + c * d**3)
        mixed = power_sums([a * (exp(b) - 1) + c * (exp(d) - 1), a * (exp(2 * b) - 1) + c * (exp(2 * d) - 1)])
        assert mixed is None or mixed.expressions == (a * b + c * d, a * b**2 + c * d**2)

    @pytest.mark.parametrize(
        "generators",
        [
            [a * tanh(b) + c * tanh(d), 2 * a * tanh(b) + 2 * c * tanh(d)],  # one equation
            [a * tanh(b) + c * tanh(d)],
            [a * tanh(b) + c * sin(d), a * tanh(2 * b) + c * sin(2 * d)],  # two functions
            [a * tanh(b) + b * tanh(d), a * tanh(2 * b) + b * tanh(2 * d)],  # b is a weight and a place
            [a * tanh(b + b**20) + c * tanh(d + d**20), a * sin(b) + c * sin(d)],  # even powers from b^20 on
        ],
        ids=str,
    )
    def test_what_does_not(self, generators: list[sympy.Expr]) -> None:
        assert power_sums(generators) is None


class TestSigns:
    def test_an_arc_as_high_as_what_was_cut_off_refutes_nothing(self) -> None:
        """(x − y² − y³)² up to degree 4 is −2t⁵ on x = t², y = t, where the terms of degree 5 and 6 come in."""
        square = {(2, 0): Integer(1), (1, 2): Integer(-2), (1, 3): Integer(-2), (0, 4): Integer(1)}
        refuse_negative_series(square, [x, y], 4)
        with pytest.raises(NotADivergenceError):
            refuse_negative_series(square, [x, y], 8)

    def test_units_and_coordinates_keep_their_signs(self) -> None:
        for negative in ("(cos(x) - 2)*x^2", "x^2/(cos(y) - 2)", "(exp(x) - 3)*(1 - cos(y))"):
            with pytest.raises(NotADivergenceError):
                dd.rlct(negative)
        with pytest.raises(NotADivergenceError):
            dd.rlct("1 - exp(x)", nonnegative=["x"])
        with pytest.raises(NotADivergenceError):
            dd.rlct("exp(x) - 1 + y^2")  # x has both signs

    def test_multiples_of_what_has_no_series_do_not_leave(self) -> None:
        with pytest.raises(NotAnalyticError):
            dd.rlct(generators=["x*sin(1/x) + y", "x"])

    def test_a_square_among_generators_is_not_taken_for_small(self) -> None:
        found = dd.rlct(generators=["tan(x) - y^2*exp(y)", "x^2"])
        assert found.rlct is not None and found.rlct.lam == Rational(5, 8)  # ⟨u, y⁴⟩: (1 + 1/4)/2
