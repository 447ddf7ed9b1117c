"""The list of what stays open: every bound against the code, or by hand, and nothing in it that is closed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy

import proofs.problems
from ddtheory import rlct
from ddtheory.workbench.modular_addition import Residues, fourier_fit, jacobian_rank, padded
from proofs.problems.linear_attention import _generators
from proofs.problems.modular_addition import dimension_formula, parameters
from proofs.problems.modular_addition_softmax import dimension_formula as dimension_of_laws

FILE = Path(proofs.problems.__file__).with_name("open.toml")
OPEN: list[dict[str, Any]] = tomllib.loads(FILE.read_text("utf-8"))["open"]


def fault(entry: dict[str, Any]) -> str:
    """What is wrong with an entry; empty when nothing is."""
    if set(entry) - {"problem", "case", "lower", "upper", "m", "why"} or not all(map(entry.get, ("case", "why"))):
        return "its fields"
    if not entry["problem"].startswith("MAIS-O"):
        return "its problem"
    lower, upper = (Fraction(entry[name]) if name in entry else None for name in ("lower", "upper"))
    if lower is not None and upper is not None and (lower > upper or (lower == upper and entry.get("m") != "open")):
        return "its bounds meet"
    return ""


def test_every_entry_is_open() -> None:
    assert OPEN and [fault(entry) for entry in OPEN] == [""] * len(OPEN)
    assert len({(entry["problem"], entry["case"]) for entry in OPEN}) == len(OPEN)


@pytest.mark.parametrize(
    "spoiled", [{"upper": "399/2"}, {"lower": "1000"}, {"why": ""}, {"problem": "O63"}, {"note": "x"}]
)
def test_a_fault_is_seen(spoiled: dict[str, str]) -> None:
    assert fault({**OPEN[0], **spoiled})


def _nine() -> tuple[Fraction, Fraction]:
    field = Residues.below(9)
    rank = jacobian_rank(field, fourier_fit(field))
    return Fraction(rank, 2), Fraction(int(parameters(9)) - int(dimension_formula(9)), 2)


def _nine_under_cross_entropy() -> tuple[Fraction, Fraction]:
    field = Residues.below(9)
    rank = jacobian_rank(field, fourier_fit(field), softmax=True)
    return Fraction(rank, 2), Fraction(int(parameters(9)) - int(dimension_of_laws(9)), 2)


def _zero_unit() -> tuple[Fraction, Fraction]:
    field = Residues.below(5)
    rank = jacobian_rank(field, padded(field, fourier_fit(field), 1))
    separate = min(Fraction(5, 2), Fraction(2 * 5 - 1, 4))  # ‖V‖² and a form of degree 4 in 2p − 1 variables
    return Fraction(rank, 2), Fraction(6 * 25 - 50 + 5, 2) + separate


def _one_string() -> tuple[Fraction, Fraction]:
    """λ ≥ min(ve/6, 1/2) by a token whose embedding is not 0; the upper bound also by the search."""
    found = rlct(generators=_generators(2, 1, 2), seconds=3)
    assert found.lower.value <= Fraction(1, 2) <= Fraction(2, 3) <= found.upper.value
    return Fraction(1, 2), Fraction(4, 6)


RECOMPUTED: dict[str, Callable[[], tuple[Fraction, Fraction]]] = {
    "the Fourier fit for p = 9, the first multiple of 3 above 3": _nine,
    "one zero unit beside the Fourier fit, p = 5": _zero_unit,
    "the scaled Fourier fit for p = 9 under cross-entropy": _nine_under_cross_entropy,
    "linear attention at zero, v = 2, T = 2, e = 3": lambda: (Fraction(min(2 * 3, 6), 6), Fraction(2 * 3, 6)),
    "linear attention at zero, v = 3, T = 2, e = 3": lambda: (Fraction(min(3 * 3, 6), 6), Fraction(3 * 3, 6)),
    "linear attention at zero, v = 2, T = 1, e = 2": _one_string,
}


def test_every_bound_is_recomputed() -> None:
    assert set(RECOMPUTED) == {entry["case"] for entry in OPEN if "lower" in entry or "upper" in entry}


@pytest.mark.parametrize("case", RECOMPUTED)
def test_the_bounds(case: str) -> None:
    (entry,) = [entry for entry in OPEN if entry["case"] == case]
    assert (Fraction(entry["lower"]), Fraction(entry["upper"])) == RECOMPUTED[case]()


def test_the_family_bounds_every_odd_p() -> None:
    p = sympy.Symbol("p", positive=True)
    assert sympy.expand(parameters(p) - dimension_formula(p)) == 6 * p**2 - 10 * p + 5
    assert sympy.expand(parameters(p) - dimension_of_laws(p)) == sympy.expand(6 * (p - 1) ** 2)
