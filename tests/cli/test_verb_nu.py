"""`ddtheory nu` as a user meets it; tests/fluctuation has more of its answers."""

from __future__ import annotations

from fractions import Fraction

import pytest
from calling import answer, call, is_refused


def test_exit_code_0_the_value_of_a_regular_line() -> None:
    """k = 1 on the whole line is a regular model: ν = λ = 1/2."""
    result = call("nu", "1", "--digits", "10")
    assert result.exit_code == 0 and result.stdout.startswith("0.5")


def test_json() -> None:
    found = answer("nu", "1", "--digits", "12")
    assert sorted(found) == ["nu", "radius"]
    assert abs(Fraction(found["nu"]) - Fraction(1, 2)) <= Fraction(found["radius"]) < Fraction(1, 10**12)


@pytest.mark.parametrize(
    "arguments", [("0",), ("2", "--prior=-1"), ("2", "--beta", "0"), ("2", "--beta", "x"), ("2", "--digits", "0")]
)
def test_exit_code_2_bad_input(arguments: tuple[str, ...]) -> None:
    assert is_refused(call("nu", *arguments))
