"""Steps of ordinary germs that avoid work, against the work that they avoid."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
import sympy
from sympy import Expr, Pow, Rational, Symbol

from ddtheory.exact.numbers.parse import parse_expression
from ddtheory.exact.thresholds.expressions import polynomial_of
from ddtheory.exact.thresholds.germs.local_ring import Element, ring_of
from ddtheory.exact.thresholds.rules.ideals import _multipliers

x, y = sympy.symbols("x y", real=True)
RING = ring_of(("x", "y"))

SHAPES: list[Expr] = [
    x,
    sympy.Integer(0),
    Rational(2, 3) * x**2 * y - y,
    3 * x * (x - y) ** 2 - 3 * x**3 + y,  # a product that cancels a monomial beside it
    (x + y) * (x - y) + y**2,
    sympy.Add(x * y, x * y, -2 * x * y, evaluate=False),
    sympy.Mul(2, x, Rational(1, 2), Pow(x, 2, evaluate=False), evaluate=False),
    sympy.Mul(x, x, sympy.Mul(y, 3, evaluate=False), evaluate=False),
]


@pytest.mark.parametrize("expression", SHAPES, ids=str)
def test_monomials_are_read_as_a_polynomial_is(expression: Expr) -> None:
    plain = sympy.Poly(sympy.expand(expression), x, y)
    wanted = {m: Fraction(int(c.p), int(c.q)) for m, c in plain.terms() if c}
    found = polynomial_of(expression, RING, 1000)
    assert {m: Fraction(int(c.numerator), int(c.denominator)) for m, c in found.items()} == wanted


def test_terms_are_counted_as_they_cancel() -> None:
    """Every monomial multiple is tried that is listed, and the difference is computed."""
    draw = Random(3)

    def drawn() -> Element:
        exponents = [(draw.randint(0, 3), draw.randint(0, 3)) for _ in range(4)]
        return RING.from_dict({m: RING.domain(draw.choice((-2, -1, 1, 2))) for m in exponents})

    listed = 0
    for _ in range(200):
        divisor = drawn()
        generator = drawn() + 2 * RING.gens[0] * divisor  # so that something cancels
        for fewer, factor in _multipliers(generator, divisor):
            assert fewer == len(generator) - len(generator - factor * divisor) > 0
            listed += 1
    assert listed > 100


@pytest.mark.parametrize("text", ["x^2", "007", "0x10", "1_0*x", "1e3", "(x - x)^0", "0^0", "x^-1", "(x - 1)^2"])
def test_quick_ways_through_the_parser_refuse_what_the_long_ones_do(text: str) -> None:
    """A decimal is an integer at once and a whole power is not looked at, so these are the places to look at."""
    value = {"x^2": x**2, "1_0*x": 10 * x, "1e3": sympy.Integer(1000), "x^-1": 1 / x, "(x - 1)^2": (x - 1) ** 2}
    if text in value:
        assert parse_expression(text) == value[text]
    else:
        with pytest.raises(ValueError, match=r"not|number"):
            parse_expression(text)
    assert isinstance(parse_expression("x"), Symbol)
