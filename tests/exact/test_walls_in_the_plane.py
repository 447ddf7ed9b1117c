"""One wall in the plane: toric charts on a half plane, against the two quadrants that it consists of."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import ddtheory as dd
from ddtheory.values import RLCT


def derived(f: str, nonnegative: list[str], prior: dict[str, str]) -> dd.RLCT | None:
    found = dd.rlct(generators=[f], nonnegative=nonnegative, prior=prior, seconds=60)  # a limit of what may hang
    assert found.checked, found.objection
    return found.rlct


@pytest.mark.parametrize("sides", [["x"], ["y"], ["x", "y"], []])
def test_a_parabola_that_ties_with_a_line(sides: list[str]) -> None:
    """y(x − y²)² + x⁹: on x = y²(1 + …), u = x − y²: ⟨yu², y¹⁸⟩ with weights (17/36, 1/18), 19/36 for |f|."""
    found = dd.rlct(generators=["y*(x-y^2)^2+x^9"], nonnegative=sides)
    assert found.rlct == RLCT(Fraction(19, 72), 1) and found.checked


def test_a_branch_outside_the_domain_does_not_count() -> None:
    """The parabola −x = y² meets x ≥ 0 in the point alone: the pair is that of the polygon, 1/2 + 1/4 over 6 … by τ."""
    assert derived("(x + y^2)^6 + x^20", ["x"], {}) == RLCT(Fraction(1, 8), 1)
    assert derived("(x + y^2)^6 + x^20", [], {}) == RLCT(Fraction(23, 240), 1)


@given(
    st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 3), (3, 2), (3, 1), (2, 5)]),
    st.sampled_from([1, -1, 2, -2]),
    st.integers(2, 4),
    st.integers(5, 12),
    st.sampled_from([{}, {"x": "1"}, {"y": "-1/2"}]),
    st.sampled_from(["x", "y"]),
)
@example((2, 3), 1, 3, 11, {}, "y")
def test_a_half_plane_is_two_quadrants(
    powers: tuple[int, int], c: int, k: int, high: int, prior: dict[str, str], wall: str
) -> None:
    p, q = powers
    other = "y" if wall == "x" else "x"
    f = f"(x^{p} - ({c})*y^{q} + x*y^2)^{k}*x + {other}^{high}*y"
    whole = derived(f, [wall], prior)
    parts = [derived(f, ["x", "y"], prior), derived(f.replace(other, f"(-{other})"), ["x", "y"], prior)]
    known = [part for part in parts if part is not None]
    if len(known) == 2:
        assert whole == min(known, key=lambda pair: (pair.lam, -pair.m))
