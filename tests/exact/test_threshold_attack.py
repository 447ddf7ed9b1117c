"""Germs found by attacking `rlct`: each once had a wrong answer, or could have one by the error that its name says.

Expected pairs are computed by hand, in the comment beside each.
"""

from __future__ import annotations

import itertools
import math
import time
from fractions import Fraction

import pytest
import sympy

from ddtheory.errors import InvalidValueError, NotAnalyticError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import OutOfTime, ending_at
from ddtheory.exact.thresholds.germs.local_ring import quotient, ring_of
from ddtheory.exact.thresholds.nodes import CertificateError
from ddtheory.exact.thresholds.rlct import rlct
from ddtheory.exact.thresholds.rules.general_bounds import general_bounds
from ddtheory.exact.thresholds.solver import Solver
from ddtheory.exact.thresholds.wire import polynomial_to_json
from ddtheory.values import RLCT


@pytest.mark.parametrize("last", ["y^3", "y^2"])
def test_a_shear_does_not_eliminate_a_variable_without_linear_part(last: str) -> None:
    """With v = y − x: the zero set of the first generator is v ≈ −x², where the second is z² + x⁴: λ = (1 + 3/4)/2."""
    found = rlct(generators=[f"y - x + x^2 + {last}", "z^2 + (y - x)^2*(y - x + 1)"])
    assert found.rlct == RLCT(Fraction(7, 8), 1)
    assert found.checked


# near (c, c, 0), c ≠ 0, the prior is a constant; with u = x − y:
# ⟨u³, u²z²⟩ has min a + b for 3a ≥ 1, 2a + 2b ≥ 1: 1/2 on the segment from (1/2, 0) to (1/3, 1/6)
# ⟨u³z, …, u³⟩ = ⟨u³⟩ has κ = 1/3
@pytest.mark.parametrize(
    ("generators", "expected"),
    [
        (["(x - y)^3*(x^2 + y^2)", "(x - y)^2*z^2"], RLCT(Fraction(1, 4), 2)),
        (["(x - y)^3*z*x", "(x - y)^3*z*y", "(x - y)^3*z^2"], RLCT(Fraction(1, 6), 1)),
    ],
)
def test_a_prior_weight_is_at_its_own_zero_only(generators: list[str], expected: RLCT) -> None:
    """A zero of a parameter at x/y = 1 on the exceptional divisor does not meet the weights |x|³ and |y|³."""
    found = rlct(generators=generators, prior={"x": 3, "y": 3})
    assert found.rlct == expected
    assert found.checked


_X, _Y = sympy.symbols("x y", real=True)


@pytest.mark.parametrize(
    "divergence",
    [
        (_Y * sympy.sin(_X**2 / _Y)) ** 2,  # not x⁴: bounded by y²
        (_Y * sympy.cos(_X / _Y)) ** 2,
        (_Y * sympy.exp(_X / _Y)) ** 2,
        _X**2 * sympy.exp(-1 / _X**2),  # flat at 0
        _X**2 + _X * sympy.Abs(_X),  # 0 for x < 0
        _X**2 + _X**2 * sympy.sign(_X),
    ],
)
def test_a_function_without_power_series_is_no_unit(divergence: sympy.Expr) -> None:
    with pytest.raises(NotAnalyticError):
        rlct(divergence)


@pytest.mark.parametrize(
    ("divergence", "expected"),
    [
        (1 - sympy.exp(-(_X**2) - _Y**2), RLCT(Fraction(1), 1)),  # x² + y²
        (_X**2 * (1 - sympy.exp(-(_X**2) - _Y**2)), RLCT(Fraction(1, 2), 2)),  # t⁴ with dt t crosses x²
        (1 - sympy.cos(_X + _Y), RLCT(Fraction(1, 2), 1)),
        (sympy.sin(sympy.log(1 + _X)) ** 2 * sympy.exp(sympy.sin(_X) + _Y), RLCT(Fraction(1, 2), 1)),
    ],
)
def test_a_function_times_a_unit_keeps_its_sign(divergence: sympy.Expr, expected: RLCT) -> None:
    """1 − exp(−p) is p times a positive unit."""
    assert rlct(divergence).rlct == expected


@pytest.mark.parametrize("generators", ["x*y", _X * _Y])
def test_generators_are_a_list(generators: object) -> None:
    with pytest.raises(InvalidValueError, match="give a list"):
        rlct(generators=generators)  # type: ignore[arg-type]


def test_a_large_monomial_ideal_needs_no_faces() -> None:
    """⟨u_i u_{i+1}⟩ on a circle of 31: w = 1/2 and y = 1/2 each, κ = 31/2; odd circles are independent."""
    names = [f"u{i}" for i in range(31)]
    found = rlct(generators=[f"{a}*{b}" for a, b in zip(names, [*names[1:], names[0]], strict=True)], seconds=2)
    assert found.rlct == RLCT(Fraction(31, 4), 1)


@pytest.mark.long
def test_the_time_limit_holds_inside_a_large_polyhedron() -> None:
    """Its faces alone take more than ten times as long."""
    generators = [
        "*".join(f"u{j % 20}" for j in (i, i, i + 3, 7 * i + 1)) + f" + u{(i + 5) % 20}^3*u{(3 * i + 2) % 20}"
        for i in range(20)
    ]
    started = time.process_time()
    found = rlct(generators=generators, seconds=1)
    assert time.process_time() - started < 10  # the limit, and the single steps that cannot be interrupted
    assert found.status == "bounds"
    assert 0 < found.lower.value <= found.upper.value


@pytest.mark.parametrize("generators", [["x*y", "0"], ["0", "x^2 + y^3", "0"]])
def test_a_limit_at_once_with_a_generator_that_is_zero(generators: list[str]) -> None:
    """Order 2 from below; ⟨xy⟩ has κ = 1 and ⟨x² + y³⟩ has κ = 5/6."""
    found = rlct(generators=generators, seconds=1e-9)
    assert found.lower.value == Fraction(1, 4)
    assert found.upper.value in {Fraction(1, 2), Fraction(5, 12)}


def test_bounds_of_an_ideal_with_a_unit_are_infinite() -> None:
    """⟨1 + x, y⟩ may be met at a limit, as the germ in a chart."""
    ring = ring_of(("x", "y"))
    x, y = ring.gens
    found = Solver(1e-9, 1).solve(IdealGerm(ring, (1 + x, y), (Fraction(0),) * 2, (False,) * 2))
    assert found.lower.is_infinite
    assert found.upper.is_infinite


def test_coefficients_do_not_double_for_ever() -> None:
    """x² − 2xz − z⁶ = 0 are the branches x ≈ −z⁵/2 and x ≈ 2z, on which x·z² is z⁷ and z³: 1 from each branch, so κ = 1
    and m = 2 where they meet the divisor of the point, whose pair is 2/2.
    """
    found = rlct(generators=["x^2 - 2*x*z - z^6", "x*z^2"])
    assert found.rlct == RLCT(Fraction(1, 2), 2)
    assert found.checked


# x(3x³ − y²)² times ⟨2x − y³, y − 2x²⟩ = 𝔪, which has the third: at the weights (2, 3), 5/(2 + 12 + 2) for κ
# x(3x + 2y)² times ⟨x + 2y³, y²⟩, which has (x³ + 3y²)²: 2/(3 + 1) at the origin, and 1/2 on the double line through it
@pytest.mark.parametrize(
    ("generators", "expected"),
    [
        (
            [
                "x*(2*x - y^3)*(3*x^3 - y^2)^2",
                "x*(2*x^2 - y)*(3*x^3 - y^2)^2",
                "x*(3*x^2 + y)^2*(3*x^3 - y^2)^2",
            ],
            RLCT(Fraction(5, 32), 1),
        ),
        (
            ["x*(3*x + 2*y)^2*(x^2 - 2*y)^2", "x*(3*x + 2*y)^2*(x^3 + 3*y^2)^2", "x*(x + 2*y^3)*(3*x + 2*y)^2"],
            RLCT(Fraction(1, 4), 2),
        ),
    ],
)
def test_what_the_others_generate_is_not_divided_for_ever(generators: list[str], expected: RLCT) -> None:
    found = rlct(generators=generators)
    assert found.rlct == expected
    assert found.checked


def test_numbers_that_are_too_long_stop_the_search() -> None:
    """A linear part: κ = 1, whatever its coefficients; the limit makes bounds of it, and no certificate is lost."""
    ring = ring_of(("x", "y"))
    x, y = ring.gens
    germ = IdealGerm(ring, (x**2 * 10**1_000 + y**3,), (Fraction(0),) * 2, (False,) * 2)
    node = Solver(5, 60).solve(germ)
    assert (node.rule, node.lower.value <= Fraction(5, 6) <= node.upper.value) == ("bounds", True)
    assert "2000 bits" in node.says
    control = IdealGerm(ring, (x**2 * 10**500 + y**3,), (Fraction(0),) * 2, (False,) * 2)
    assert Solver(5, 60).solve(control).lower.value == Fraction(5, 6)


def test_a_number_that_cannot_be_written_is_no_certificate() -> None:
    ring = ring_of(("x",))
    with pytest.raises(CertificateError, match="too long to write down"):
        polynomial_to_json(ring.gens[0] * 10**4_000)
    assert polynomial_to_json(ring.gens[0] * 10**1_000) == [[[1], "1" + "0" * 1_000]]


def _product(size: int) -> list[str]:
    """The entries of a product of two square matrices."""
    return [" + ".join(f"a{i}_{k}*b{k}_{j}" for k in range(size)) for i, j in itertools.product(range(size), repeat=2)]


# Aoyagi and Watanabe 2005 for equal sizes n and rank 0: (3n² + (n mod 2))/8
@pytest.mark.parametrize(
    ("generators", "lam"),
    [
        ([f"x{i} + y^{i + 1}" for i in range(1, 101)], Fraction(100, 2)),  # the x_i are coordinates, and y is free
        (_product(6), Fraction(108, 8)),
    ],
    ids=["sums", "matrices"],
)
@pytest.mark.parametrize("seconds", [1e-9, 0.05, 0.3])
def test_many_generators_within_any_time(generators: list[str], lam: Fraction, seconds: float) -> None:
    """However early a rule is stopped, the bounds are proven and hold."""
    found = rlct(generators=generators, seconds=seconds)
    assert found.lower.value <= lam <= found.upper.value
    assert found.rlct is None or found.rlct.lam == lam


def test_a_rule_that_runs_out_of_time_ends() -> None:
    ring = ring_of(("x", "y"))
    x, y = ring.gens
    with ending_at(-math.inf), pytest.raises(OutOfTime):
        quotient(x * y**7 + x**2 * y**7, y**7)
    assert quotient(x * y**7 + x**2 * y**7, y**7) == x + x**2  # outside, there is time


def test_weights_of_one_pass_are_feasible() -> None:
    """⟨w, a⟩ ≥ 1 for all exponents, and on these the sum is the best."""
    ring = ring_of(("x", "y", "z"))
    x, y, z = ring.gens
    for generators, best in (
        ((x * y, y * z, z * x), Fraction(3, 2)),
        ((x, y**2, z**3), Fraction(11, 6)),
        ((x**2 * y**3, z), Fraction(4, 3)),
    ):
        germ = IdealGerm(ring, generators, (Fraction(0),) * 3, (False,) * 3)
        node = general_bounds(germ, "", lambda: True)
        weights = [Fraction(w) for w in node.data()["weights"]]
        assert all(sum(w * e for w, e in zip(weights, m, strict=True)) >= 1 for f in generators for m in f)
        assert node.upper.value == sum(weights) == best
