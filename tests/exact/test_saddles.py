"""Generators that change sign, with a non-degenerate quadratic part: κ = 1 beside a smooth zero set, and near it."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import ddtheory as dd
import ddtheory.exact.thresholds.rlct as entrance
from ddtheory.exact.thresholds.rules.table import RULES
from ddtheory.exact.thresholds.solver import Solver
from ddtheory.values import RLCT

_OURS = ("saddle", "suspension")


def pair(kappa: str, m: int) -> RLCT:
    """K = f²."""
    return RLCT(Fraction(kappa) / 2, m)


# f, prior and boundaries, the pair (κ, m) of |f| by hand, the rule
BY_HAND: list[tuple[str, dict[str, Any], str, int, str]] = [
    ("x*y + z^2 + w^7", {}, "1", 1, "saddle"),  # rank 3, whatever w does
    ("x*y + z^2 - w", {"nonnegative": ["w"], "prior": {"w": "-9/10"}}, "1", 1, "saddle"),
    ("x*y + z^5", {"prior": {"z": 3}}, "1", 1, "saddle"),  # rank 2, g = z⁵
    ("x*y + z^3*w^2", {"nonnegative": ["w"], "prior": {"w": "-1/2"}}, "1", 1, "saddle"),
    ("(x + z^2)*(y - z^3) + z^9*(1 + x)", {}, "1", 1, "saddle"),  # g = z⁹(1 − z² + …): an arc of order 9
    ("x^2 + x*y - y^2 + x^2*z", {}, "1", 2, "saddle"),  # two sheets that cross along x = y = 0: g = 0
    ("x^2 + y^2 - z^4", {}, "1", 1, "saddle"),
    ("x^2 + y^2 - z*w^3", {"nonnegative": ["z", "w"]}, "1", 1, "saddle"),
    ("x^2 - (y^3 + z^3)^3", {}, "13/18", 1, "suspension"),  # 1/2 + (2/3)/3
    ("x^2 + 2*x*y*z + y^2*z^2 - (y^3 + z^3)^3", {}, "13/18", 1, "suspension"),
    (
        "x^2 - (y^3 + z^3)^3",
        {"prior": {"y": "1"}},
        "5/6",
        2,
        "suspension",
    ),  # κ(y³ + z³) = (2 + 1)/3, tied with y = −z
    ("x^2 - (y^3 + z^3)^3", {"prior": {"y": "-1/2"}}, "2/3", 1, "suspension"),  # 1/2 + (1/2 + 1)/9
]


@pytest.mark.parametrize(("f", "more", "kappa", "m", "rule"), BY_HAND)
def test_pairs_by_hand(f: str, more: dict[str, Any], kappa: str, m: int, rule: str) -> None:
    found = dd.rlct(generators=[f], **more)
    assert found.rlct == pair(kappa, m)
    assert rule in found.rules
    assert found.checked, found.objection


def test_saddles_of_a_deep_linear_network() -> None:
    """L − L(w) for L = ½‖BA − diag(2, 1)‖²: of the origin and of a point of rank 1."""
    A, B = sympy.Matrix(3, 2, sympy.symbols("a:6")), sympy.Matrix(2, 3, sympy.symbols("b:6"))
    loss = sum(entry**2 for entry in B * A - sympy.diag(2, 1)) / 2
    for place in ({}, {A[0, 0]: 1, B[0, 0]: 2}):
        value = loss.subs({symbol: place.get(symbol, 0) for symbol in loss.free_symbols})
        found = dd.rlct(generators=[sympy.expand(loss - value)], at=place)
        assert found.rlct == RLCT(Fraction(1, 2), 1) and found.checked


# germs that nearly satisfy a hypothesis: the pair is another one, or the rule says nothing
NEAR: list[tuple[str, dict[str, Any], RLCT | None]] = [
    ("x^2 + y^2 + z^4", {}, RLCT(Fraction(5, 8), 1)),  # one sign only: 1 + 1/4
    ("x^2 + y^2 + z", {"nonnegative": ["z"]}, RLCT(Fraction(1), 1)),  # the other sign is outside the domain
    ("x^2 - y^4", {}, RLCT(Fraction(3, 8), 1)),  # rank 1: 1/2 + 1/4
    ("x*y", {"prior": {"x": 1}}, RLCT(Fraction(1, 2), 1)),  # a live variable with a weight
    ("x^2 - y^2", {"nonnegative": ["x"]}, RLCT(Fraction(1, 2), 2)),
    (
        "x*y + z^2",
        {"prior": {"x": "-1/2", "y": "-1/2", "z": "-1/2"}},
        RLCT(Fraction(3, 8), 2),
    ),  # (s, 1 − s, 1/2)
    ("x^2*y^2 - z^2", {}, RLCT(Fraction(1, 2), 3)),  # a tie: two sheets over xy = c, and |xy|^{−1} dx dy
]


@pytest.mark.parametrize(("f", "more", "expected"), NEAR)
def test_what_is_nearly_a_saddle(f: str, more: dict[str, Any], expected: RLCT) -> None:
    found = dd.rlct(generators=[f], **more)
    assert found.rlct == expected, found.explain()
    assert "saddle" not in found.rules
    assert found.checked, found.objection


def test_no_sign_is_taken_for_granted_of_k() -> None:
    """A divergence is ≥ 0, so the rules stay away from it: 1/2 + 1/2 + 1/4."""
    found = dd.rlct("x^2 + 2*x*y^2 + y^4 + y^2 + z^4")
    assert found.rlct == RLCT(Fraction(5, 4), 1)
    assert not {*_OURS} & {*found.rules}


terms = st.tuples(st.sampled_from([1, -1, 2]), st.lists(st.integers(0, 3), min_size=3, max_size=3))


@given(
    st.lists(st.sampled_from(["x^2", "-y^2", "x*y", "2*x*z", "z^2"]), min_size=1, max_size=2, unique=True),
    st.lists(terms.filter(lambda term: sum(term[1]) > 2), min_size=1, max_size=3),
    st.sampled_from([{}, {"prior": {"z": "1"}}, {"nonnegative": ["z"]}, {"prior": {"z": "-1/2"}}]),
)
def test_other_rules_never_contradict(quadratic: list[str], higher: list[Any], more: dict[str, Any]) -> None:
    """With the two rules and without them, on germs whose variables may or may not all occur."""
    f = " + ".join([*quadratic, *(f"({c})*x^{a}*y^{b}*z^{e}" for c, (a, b, e) in higher)])
    if sympy.Symbol("z") not in sympy.expand(f.replace("^", "**")).free_symbols:
        more = {}
    with pytest.MonkeyPatch.context() as patch:
        found = dd.rlct(generators=[f], seconds=1, **more)
        patch.setattr(entrance, "Solver", functools.partial(Solver, rules=[r for r in RULES if r.name not in _OURS]))
        other = dd.rlct(generators=[f], seconds=1, **more)
    lowest = max((bound.value, -(bound.m or 10**6)) for bound in (found.lower, other.lower))
    highest = min((bound.value, -(bound.m or 1)) for bound in (found.upper, other.upper))
    assert lowest <= highest, (f, found.explain(), other.explain())
    if other.rlct is not None and found.rlct is not None:
        assert found.rlct == other.rlct


def test_volumes_of_a_cone_with_a_weight() -> None:
    """|x² + y² − z| < ε with prior z^{−1/2} on z ≥ 0 has volume ~ ε: the integral over z, at random x and y."""
    rng = np.random.default_rng(5)
    r = np.sum(rng.uniform(-1, 1, (400_000, 2)) ** 2, axis=1)

    def volume(e: float) -> float:
        high, low = np.sqrt(np.minimum(r + e, 1)), np.sqrt(np.clip(r - e, 0, 1))
        return float(np.mean(2 * (high - low)))

    slope = np.log(volume(1e-4) / volume(1e-6)) / np.log(1e2)
    assert abs(slope - 1) < 0.02
    found = dd.rlct(generators=["x^2 + y^2 - z"], prior={"z": "-1/2"}, nonnegative=["z"])
    assert found.rlct == pair("1", 1)
