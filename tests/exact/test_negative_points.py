"""K that is negative only along arcs with irrational coefficients, in three or more variables: refused by a point."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

import ddtheory as dd
from ddtheory.errors import NotADivergenceError
from ddtheory.exact.numbers.parse import parse_expression

NEGATIVE = [
    "(x^3-2*y^3)^2+(z^2-x*y)^2+x^7",  # in the valley x = 2^(1/3) y, z = 2^(1/6) y
    "(x^3-2*y^3)^2+(y^3-3*z^3)^2+x^7",
    "(x^2+y^2-3*z^2)^2+x^5",  # a cone without rational points
    "(x^3-2*y^3)^2+z^2*x^4+x^7",  # an exact pair was printed for it
    "(x^2+y^2+z^2-2*w^2)^2+x^5",
    "(x^3-2*y^3)^2+(x-z)^4+x^13",
    "(x^2-2*y^2)^2+(x^2-3*z^2)^2-y^4*z",
    "(x^5-2*y^5)^2+(x*y-3*z^2)^2-z^11",  # a valley so narrow that each scale must begin at its own minimum
    "(x^4-3*y^4)^2+(2*x*y-5*z^2)^2-z^9",
]
NOT_NEGATIVE = [
    "(x^3-2*y^3)^2+(y^3-3*z^3)^2+x^8",
    "(x^2+y^2-3*z^2)^2+x^6",
    "(x^2-2*y^2)^2+(x^2-3*z^2)^2+x^4*y^2*z^2",
    # negative in the valley from a distance on, and not near 0
    "(x^3-2*y^3)^2+(z^2-x*y)^2+x^8-1099511627776*x^9",
    "(x^5-2*y^5)^2+(x*y-3*z^2)^2+z^10-1048576*z^11",
    "(y^2-50*x^2)^2+(z^2-x*y)^4+x^8-y^9",
    "(x^2+y^2-3*z^2)^2+x^6-10^9*x^7",
]


@pytest.mark.long
@pytest.mark.parametrize("text", NEGATIVE)
def test_it_is_refused_with_a_point_at_which_it_is_negative(text: str) -> None:
    with pytest.raises(NotADivergenceError, match="negative near the point") as refused:
        dd.rlct(text)
    point = {name: Fraction(value) for name, value in re.findall(r"([w-z]) = (-?\d+(?:/\d+)?)", str(refused.value))}
    K = parse_expression(text)
    assert {symbol.name for symbol in K.free_symbols} == set(point)
    assert K.subs({symbol: parse_expression(str(point[symbol.name])) for symbol in K.free_symbols}) < 0
    assert all(abs(value) < Fraction(1, 10) for value in point.values())


@pytest.mark.long
@pytest.mark.parametrize("text", NOT_NEGATIVE)
def test_control_the_same_valleys_with_a_positive_term(text: str) -> None:
    dd.rlct(text, seconds=5)


def test_on_the_other_side_of_a_wall_it_is_not_negative() -> None:
    text = "(x^3-2*y^3)^2+z^2*x^4+x^7"
    dd.rlct(text, nonnegative=["x"], seconds=5)
    with pytest.raises(NotADivergenceError):
        dd.rlct(text, nonnegative=["z"], seconds=5)
