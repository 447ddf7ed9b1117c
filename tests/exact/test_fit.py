"""Conjectures from small cases: what is found, what is not, and that nothing else is said of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.formulas import fit
from ddtheory.values import RLCT


def test_a_polynomial_in_two_sizes() -> None:
    """λ of a regular model with M·N parameters."""
    found = fit({(m, n): RLCT(Fraction(m * n, 2)) for m in range(1, 6) for n in range(1, 6)}, names="M N")
    assert (found.degree, found.modulus, found.untested) == (2, 1, ())
    assert found.at(10, 7) == 35
    assert found.tested_on == ((3, 5), (4, 4), (5, 3), (4, 5), (5, 4), (5, 5))
    assert not set(found.found_on) & set(found.tested_on)


def test_the_rank_of_modular_addition() -> None:
    """Exact ranks for p = 5, 7, 11, 13, 17, 19, which 6p² − 10p + 5 gives: the printed − 5 is no such formula."""
    ranks = {5: 105, 7: 229, 11: 621, 13: 889, 17: 1569, 19: 1981}
    found = fit(ranks, names="p", most_modulus=1)
    assert str(found.expression) == "6*p**2 - 10*p + 5"
    with pytest.raises(UndecidedError):
        fit({**ranks, 9: 399}, names="p", most_modulus=1)  # a multiple of 3 is another case


def test_parity() -> None:
    """Square reduced-rank regression at rank 0: (3n² + n mod 2)/8 by the first of the four cases."""
    found = fit({n: Fraction(3 * n * n + n % 2, 8) for n in range(1, 17)})
    assert (found.degree, found.modulus) == (2, 2)
    assert [found.at(n) for n in (20, 21)] == [150, Fraction(331, 2)]


def test_it_is_always_a_conjecture() -> None:
    found = fit({n: n for n in range(8)})
    assert found.status == "conjecture" and str(found).startswith("conjecture: ")
    assert "conjecture" in found.latex() and found.rows()["status"] == "conjecture"


def test_a_case_kept_back_that_disagrees_refutes() -> None:
    cases = {n: Fraction(n, 2) for n in range(12)}
    assert fit(cases).at(40) == 20
    with pytest.raises(UndecidedError, match="No quasi-polynomial"):
        fit({**cases, 11: Fraction(6)})


def test_interpolation_is_no_evidence() -> None:
    """As many coefficients as cases fit anything."""
    with pytest.raises(UndecidedError):
        fit({1: 2, 2: 3, 3: 5, 4: 7, 5: 11, 6: 13, 7: 17, 8: 19})
    with pytest.raises(UndecidedError):
        fit({1: 1})


def test_residues_without_a_case_are_no_part_of_it() -> None:
    found = fit({n: n // 2 for n in range(0, 40, 3)} | {n: n // 2 for n in range(1, 40, 3)})
    assert found.modulus == 2
    even = fit({(n, k): n // 2 + k for n in range(8) for k in (0, 2, 4, 6)}, names="n k")
    assert even.modulus == 2 and even.at(7, 8) == 11
    with pytest.raises(InvalidValueError, match="no case was given"):
        even.at(3, 1)


@pytest.mark.parametrize(
    ("cases", "options"),
    [
        ({}, {}),
        ([1, 2, 3], {}),
        ({1: 0.5, 2: 1}, {}),
        ({1: "x", 2: 1}, {}),
        ({1.5: 1, 2: 1}, {}),
        ({True: 1, 2: 1}, {}),
        ({(1, 2): 1, 3: 2}, {"names": "a b"}),
        ({1: 1, 2: 2}, {"names": "a b"}),
        ({1: 1, 2: 2}, {"names": ""}),
        ({1: 1, 2: 2}, {"names": "__import__('os')"}),
        ({(1, 1): 1}, {"names": "a a"}),
        ({1: 1, 2: 2}, {"most_degree": -1}),
        ({1: 1, 2: 2}, {"most_degree": 1.5}),
    ],
)
def test_bad_cases_are_refused(cases: Any, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        fit(cases, **options)


def test_only_what_few_coefficients_reach_is_tried() -> None:
    """Degrees and moduli without end, and a hundred sizes, whose monomials nobody can list by their powers."""
    half = {n: n // 2 for n in range(12)}
    assert fit(half, most_degree=10**9).modulus == fit(half, most_modulus=10**9).modulus == 2
    with pytest.raises(UndecidedError):
        fit({tuple(range(n, n + 100)): n**9 for n in range(12)}, names=[f"a{n}" for n in range(100)])
