"""K ≥ 0 whose critical points are power series: what is left is known up to a degree, and no more is needed."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import ddtheory as dd
from ddtheory.exact.thresholds.rules.jets import morse_jet
from ddtheory.values import RLCT

x, y, z = sympy.symbols("x y z")


def test_blocks_hidden_by_a_change_of_all_coordinates() -> None:
    """(x² + y²)² + z², 96 terms of degree up to 20 after the change: 1/2 and 2/4."""
    new = {
        x: x + y**2 + x**2 + x * y + x**2 * y + x * y**3,
        y: y + y**2 + 2 * x**2 + x * y + x**2 * y + x * y**2 + x * y**4,
        z: z + 2 * x + x**2 + x * y**4,
    }
    hidden = sympy.expand(((x**2 + y**2) ** 2 + z**2).subs(new, simultaneous=True))
    found = dd.rlct(hidden)
    assert found.rlct == RLCT(Fraction(1), 1)
    assert "jet" in found.rules and found.nonnegative
    assert found.checked, found.objection


_TERMS = [x**2, x * y, y**2, x * z, z**2, y**3, x * y * z, z**3 * y]
_CHANGES = st.lists(st.sampled_from(_TERMS), min_size=2, max_size=3)


@pytest.mark.long
@settings(max_examples=25)
@given(
    _CHANGES,
    _CHANGES,
    _CHANGES,
    st.sampled_from(
        [
            (z**2 + x**4 + y**4, "1", 1),
            (z**2 + (x**2 + y**2) ** 2, "1", 1),
            (z**2 + x**4 + y**6, "11/12", 1),
            (z**2 + y**2 + x**6, "7/6", 1),
            (z**2 + x**2 * y**2 + x**6 + y**6, "1", 2),
        ]
    ),
)
def test_no_change_of_coordinates_changes_the_pair(p: list[Any], q: list[Any], r: list[Any], of: Any) -> None:
    germ, lam, m = of
    new = {x: x + sum(p), y: y + sum(q), z: z + x + sum(r)}
    found = dd.rlct(sympy.expand(germ.subs(new, simultaneous=True)), seconds=5)
    expected = RLCT(Fraction(lam), m)
    assert found.checked, found.objection
    if found.rlct is not None:
        assert found.rlct == expected
    assert found.lower.value <= expected.lam <= found.upper.value


NEAR = [
    "x^2 + 2*x*y^2 + y^4 + y^9",  # over the critical points y⁹ is left, beyond any small degree
    "x^2*y^2 + x^6 + y^6",  # no square
    "x^2*z^2 + y^4 + z^8",
]


@pytest.mark.parametrize("text", NEAR)
def test_the_rule_stays_away(text: str) -> None:
    assert "jet" not in dd.rlct(generators=[text], seconds=2).rules


def test_a_tail_that_could_matter_is_not_dropped() -> None:
    """(x − y² − x³y)² + y^20: below degree 16 nothing is left, so the rule has nothing to say."""
    from ddtheory.exact.thresholds.germs.ideal import IdealGerm
    from ddtheory.exact.thresholds.germs.local_ring import ring_of

    ring = ring_of(("x", "y"))
    u, v = ring.gens

    def of(f: Any, divergence: bool = True) -> IdealGerm:
        return IdealGerm(ring, (f,), (Fraction(0),) * 2, (False,) * 2, divergence)

    assert morse_jet(of((u - v**2 - u**3 * v) ** 2 + v**20), lambda germ: None) is None  # type: ignore[arg-type, return-value]
    near = of((u - v**2 - u**3 * v) ** 2 + v**6)
    found = morse_jet(near, lambda germ: None)  # type: ignore[arg-type, return-value]
    assert found is not None and found.lower.value == Fraction(1, 2) + Fraction(1, 6)
    assert morse_jet(of((u - v**2 - u**3 * v) ** 2 + v**6, False), lambda germ: None) is None  # type: ignore[arg-type, return-value]


def test_a_ridge_is_not_convenient() -> None:
    """y²z² over the critical points meets no axis: a term of any degree on an axis would change its polyhedron."""
    found = dd.rlct("x^2 + 2*x*y^3 + y^6 + x^4 + y^2*z^2", seconds=5)
    assert "jet" not in found.rules
