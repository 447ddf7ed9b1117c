"""Certificates of a wrong pair that are right in everything but one hypothesis: a checker that drops it accepts them.

The pairs beside them are by hand. Each is a claim about the ideal, or about K where the rule needs its sign.
"""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from typing import Any

import pytest
from handwriting import (
    Json,
    germ,
    newton_data,
    node,
    of_divergence,
    of_function,
    of_ideal,
    polynomial,
    polynomials,
)
from handwritten import (
    CIRCLE,
    EXAMPLES,
    arrangement,
    line,
    monomial,
    nothing,
    power_of,
    ranked,
    regular,
)

from ddtheory.certify import check
from ddtheory.certify.refusal import Refused, require
from ddtheory.certify.torus import order_of_zeros

_SPLIT_OFF = {"live": [0], "unit": polynomial("1", "x y"), "cofactors": polynomials(["-1/2*x"], "x y")}


def squared(of: Json, claim: str, least: list[int], cofactor: str, child: Json) -> Json:
    """A square in v, completed."""
    data = {
        "variable": 0,
        "monomial": least,
        "unit": polynomial("1", "v y"),
        "cofactor": polynomial(cofactor, "v y"),
    }
    return node("square", of, claim, data, child)


def straight(claim: str, *generators: str, child: Json, steps: list[list[int]], prior: str = "") -> Json:
    names = "x y" if len(generators) > 1 else "x"
    return node("substitution", germ(names, *generators, prior=prior), claim, {"steps": steps}, child)


_TWO_SQUARES = {"v^2": "monomial 0", "y^4": "monomial 0", "v^2, y^4": "sign 0"}
_COMPLETED = "v^2 + 2*v*y + y^2 + y^4"  # (v + y)² + y⁴

WRONG: list[tuple[Json, str]] = [
    # ⟨x⟩ has (1, 1)
    (of_ideal(node("zero", germ("x", "x"), "0,1")), "some generator is not 0"),
    # prior |x|: (2, 1)
    (of_ideal(regular("x", "x", 0, nothing(), "1,1", prior="1")), "the variable is not free"),
    (of_ideal(straight("1,1", "x", child=nothing(), steps=[[0, 0]], prior="1")), "gone or not free"),
    # x² does not know y: (1/2, 1)
    (
        of_divergence(
            node(
                "squares",
                germ("x y", "x^2"),
                "1,1",
                {"coefficients": ["1", "0"]},
                node(
                    "separable",
                    germ("x y", "x", "y"),
                    "2,1",
                    {"blocks": [{"variables": [0], "generators": [0]}, {"variables": [1], "generators": [1]}]},
                    line("x"),
                    line("y"),
                ),
            )
        ),
        "a coefficient is not positive",
    ),
    # a unit has ∞
    (of_ideal(regular("x", "1 + x", 0, nothing(), "1,1")), "does not vanish at the point"),
    (of_ideal(straight("1,1", "1 + x", child=nothing(), steps=[[0, 0]])), "does not vanish at the point"),
    (of_ideal(ranked("x", ["1 + x"], [0], "1,1")), "does not vanish at the point"),
    (
        of_function(node("saddle", germ("x y z", "1 + x*y + z^2"), "1,1", {"live": [0, 1, 2]})),
        "does not vanish at the point",
    ),
    # ⟨x − y + x², x − y⟩ = ⟨x², x − y⟩: (3/2, 1)
    (
        of_ideal(straight("1,1", "x - y + x^2", "x - y", steps=[[0, 0]], child=node("zero", germ("y", "0"), "0,1"))),
        "not of degree 1",
    ),
    # x² + y⁴ with prior |x|: 1 + 1/4
    (
        of_divergence(node("split", germ("x y", "x^2 + y^4", prior="1 0"), "3/4,1", _SPLIT_OFF, power_of("y", 4))),
        "split off is not free",
    ),
    # v² − y² has (1, 2)
    (
        of_ideal(
            squared(
                germ("v y", "v^2 - y^2"),
                "1,1",
                [0, 0],
                "-1/2*v",
                json.loads(json.dumps(CIRCLE["derivation"]).replace('["x", "y"]', '["v", "y"]')),
            )
        ),
        "known not to change sign",
    ),
    # prior |v| ~ |y| near v = −y: weights (1/2, 1/4) give 1/2 + 1/4 + 1/4 = 1
    (
        of_divergence(
            squared(
                germ("v y", _COMPLETED, prior="1 0"),
                "5/4,1",
                [0, 0],
                "-1/2*v - 1/2*y",
                node(
                    "newton",
                    germ("v y", "v^2 + y^4", prior="1 0"),
                    "5/4,1",
                    newton_data("v y", "1/2 1/4", {"v^2": "1", "y^4": "1/4"}, 1, _TWO_SQUARES),
                ),
            )
        ),
        "the variable is not free",
    ),
    # v²((v + y)² + y⁴): 1/2 along v = 0 already, and 2/4 at the origin
    (
        of_divergence(
            squared(
                germ("v y", "v^4 + 2*v^3*y + v^2*y^2 + v^2*y^4"),
                "3/8,1",
                [2, 0],
                "-1/2*v - 1/2*y",
                node(
                    "newton",
                    germ("v y", "v^4 + v^2*y^4"),
                    "3/8,1",
                    newton_data(
                        "v y",
                        "1/4 1/8",
                        {"v^4": "1/8", "v^2*y^4": "1/4"},
                        1,
                        {"v^4": "monomial 0", "v^2*y^4": "monomial 0", "v^4, v^2*y^4": "sign 0"},
                    ),
                ),
            )
        ),
        "the variable is in the monomial",
    ),
    # x² + y²z⁴ + y⁸: 1/2 + 1/8 + 3/16, where 4w_z ≥ 1 − 2w_y
    (
        of_divergence(
            node(
                "jet",
                germ("x y z", "x^2 + y^2*z^4 + y^8"),
                "3/4,1",
                {"live": [0], "critical": polynomials(["0"], "x y z"), "degree": 7},
                monomial("y z", "y^2*z^4", "0 1/4", "1/4", "1/4,1"),
            )
        ),
        "may lie on a face",
    ),
    # (x − y)²(x − y²): 1/2 on the double line
    (
        of_ideal(
            node(
                "newton",
                germ("x y", "x^3 - 2*x^2*y + x*y^2 - x^2*y^2 + 2*x*y^3 - y^4"),
                "1,? < 1,1",
                newton_data(
                    "x y",
                    "1/3 1/3",
                    {"x^3": "1/6", "x*y^2": "1/2", "y^4": "0"},
                    1,
                    {
                        "x^3": "monomial 0",
                        "x*y^2": "monomial 0",
                        "y^4": "monomial 0",
                        "x^3, x^2*y, x*y^2": "edge",
                        "x*y^2, y^4": "edge",
                    },
                    zeros=[{"face": 4, "points": None}],
                ),
            )
        ),
        "all of them are simple",
    ),
    # x(v − 1) at v = 0 is a unit times x: (1, 1)
    (
        of_ideal(
            node(
                "roots",
                germ("x v", "x*v - x"),
                "1,2",
                {"variable": 1, "factors": [polynomial("v - 1", "x v")]},
                monomial("x v", "x*v", "1 0", "1", "1,2"),
            )
        ),
        "no parameter of both signs",
    ),
    # ⟨x², y⟩ ∌ y when the block leaves it out: (3/2, 1)
    (
        of_ideal(
            node(
                "separable",
                germ("x y", "x^2", "y^3", "y"),
                "5/6,1",
                {"blocks": [{"variables": [0], "generators": [0]}, {"variables": [1], "generators": [1]}]},
                power_of("x", 2),
                power_of("y", 3),
            )
        ),
        "do not partition the generators",
    ),
    # x² has (1/2, 1)
    (
        of_ideal(
            node(
                "crossing",
                germ("x", "x^2"),
                "1,2",
                {
                    "factors": [{"variables": [0]}, {"variables": [0]}],
                    "products": [{"indices": [0, 0], "unit": polynomial("1", "x")}],
                },
                line("x"),
                line("x"),
            )
        ),
        "do not partition the variables",
    ),
    # |y|^{−1/2} and y²: 1/4
    (
        of_ideal(
            node(
                "bounds",
                germ("x y", "y^2", prior="0 -1/2"),
                "1/2,? < 3/4,?",
                {"weights": ["1", "1"], "order": {"generator": 0, "direction": ["1", "1"], "order": 2}},
            )
        ),
        "mixes a variable that is not free",
    ),
    # ⟨x⟩ has κ = 1 whatever the prior of y is
    (
        of_ideal(
            ranked(
                "x y",
                ["x"],
                [],
                "0,? < 1/2,1",
                {
                    "parameters": [],
                    "denominators": [],
                    "coordinates": polynomials(["0", "0"], ""),
                    "fields": [[[1, polynomial("1", "x y")]]],
                },
            )
            | {"germ": germ("x y", "x", prior="0 -1/2")}
        ),
        "moves a variable that is not free",
    ),
    # x + y on the quadrant: 2
    (
        of_ideal(arrangement("x y", "x + y", "1,1", ["1 1"], [1]) | {"germ": germ("x y", "x + y", nonnegative="x y")}),
        "a variable has a boundary",
    ),
    # x² − y²: (1, 2); x + x²: (1, 1)
    (of_ideal(node("definite", germ("x y", "x^2 - y^2"), "1,1", {"generator": 0})), "not definite"),
    (of_ideal(node("definite", germ("x", "x + x^2"), "1/2,1", {"generator": 0})), "degree below 2"),
    # (1 + a)e is smooth: (1, 1)
    (
        of_ideal(
            node(
                "matrix_product",
                germ("a e", "e + a*e"),
                "1,2",
                {"widths": [1, 1, 1], "matrices": [[[0]], [[1]]], "point": [[["1"]], [["0"]]]},
            )
        ),
        "different ranks",
    ),
]


@pytest.mark.parametrize(("certificate", "reason"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_one_hypothesis_keeps_a_wrong_pair_out(certificate: Json, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    report = check(json.dumps(certificate))
    assert not report.accepted
    assert reason in str(report)
    for name, module in list(sys.modules.items()):
        if name.startswith("ddtheory.certify") and hasattr(module, "require"):
            monkeypatch.setattr(module, "require", lambda holds, why: require(holds or reason in why, why))
    spoiled = check(json.dumps(certificate))
    assert spoiled.accepted, f"something else is wrong with it: {spoiled}"


@pytest.mark.parametrize("which", [0, 1])
def test_a_chart_of_the_centre_occurs_once(which: int) -> None:
    certificate = json.loads(json.dumps(EXAMPLES["point"].certificate))
    charts = certificate["derivation"]["data"]["charts"]
    charts[which] = charts[1 - which]
    assert "not those of the centre" in str(check(certificate))


def test_summands_that_do_not_vanish() -> None:
    """x² + y² as (x² + 1) + (y² − 1): the sum of two units is no unit."""
    units = [node("unit", germ(name, f"{name}^2 {by} 1"), "infinity,1") for name, by in (("x", "+"), ("y", "-"))]
    wrong = node(
        "additive", germ("x y", "x^2 + y^2"), "infinity,1", {"blocks": [{"variables": [0]}, {"variables": [1]}]}, *units
    )
    assert "a summand does not vanish" in str(check(json.dumps(of_divergence(wrong))))


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([{(1, 0): 1, (0, 1): -1}, {(2, 0): 1, (0, 2): -1}], "common zero"),  # x = y is one of both, tangent to itself
        ([{(1, 0): 1, (0, 1): -1}, {(1, 0): 1, (0, 2): -1}], "parallel"),
    ],
)
def test_an_edge_is_one_edge_and_its_parts_have_no_common_zero(parts: list[Any], reason: str) -> None:
    exact = [{exponent: Fraction(c) for exponent, c in part.items()} for part in parts]
    with pytest.raises(Refused, match=reason):
        order_of_zeros(exact, [False, False], {"factors": [0, 1], "weight": [1, 1], "kind": "edge"})
