"""Certificates of false pairs that look right: each must be refused, and next to each stands the truth, accepted."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from handwriting import Json, germ, newton_data, node, of_ideal, polynomial, polynomials
from handwritten import EXAMPLES, POINT, around_a_root, line, monomial, nothing, power_of

from ddtheory.certify import check
from ddtheory.certify.germs import Malformed, read_node
from ddtheory.certify.refusal import Refused
from ddtheory.certify.rules.table import RULES


def refusal(certificate: Json) -> str:
    report = check(certificate)
    assert not report.accepted
    return str(report)


def without_face(name: str, face: int, claim: list[Any]) -> Json:
    found = json.loads(json.dumps(EXAMPLES[name].certificate))
    del found["derivation"]["data"]["faces"][face]
    found["derivation"]["data"].pop("zeros", None)
    found["derivation"]["lower"] = found["derivation"]["upper"] = claim
    return found


def test_facets_are_not_enough() -> None:
    """⟨x + y², z⟩: the facet ⟨x, y², z⟩ has no torus zero, so a facet test would give 5/2; the edge x + y² has one."""
    names, whole = "x y z", "x, y^2, z"
    data = newton_data(
        names,
        "1 1/2 1",
        {"x": "1", "y^2": "1/2", "z": "1"},
        1,
        {
            "x": "monomial 0",
            "y^2": "monomial 0",
            "z": "monomial 1",
            "x, z": "monomial 1",
            "y^2, z": "monomial 1",
            whole: "monomial 1",
        },
    )
    facets_only = of_ideal(node("newton", germ(names, "x + y^2", "z"), "5/2,1", data))
    assert "1 compact faces are not listed, among them [[[0, 2, 0], [1, 0, 0]]]" in refusal(facets_only)
    data["faces"].append({"exponents": [[0, 2, 0], [1, 0, 0]], "proof": {"kind": "edge"}})
    assert "lower bound (1, ?), not (5/2, 1)" in refusal(facets_only)
    assert EXAMPLES["hidden parabola"].pair == (1, 1)


@pytest.mark.parametrize(
    ("name", "face", "claim"),
    [
        ("hyperbola", 2, ["1", 1]),
        ("cone", 4, ["3/2", 1]),
        ("three planes", 2, ["1", 2]),
        ("rootless edge", 2, ["1", 1]),
    ],
)
def test_no_compact_face_may_be_left_out(name: str, face: int, claim: list[Any]) -> None:
    assert "not listed" in refusal(without_face(name, face, claim)) or "hypotheses" in refusal(
        without_face(name, face, claim)
    )


def test_a_factor_that_is_zero_does_not_add_multiplicities() -> None:
    """0·0 is the zero ideal, (0, 1); the rule for products would give (0, 2)."""
    data = {"factors": [{"variables": [0]}, {"variables": [1]}], "products": []}
    wrong = node("crossing", germ("x y"), "0,2", data, nothing("x"), nothing("y"))
    assert "a factor is the zero ideal" in refusal(of_ideal(wrong))
    assert check(of_ideal(nothing("x y"))).accepted


BLOWN_UP = germ("x y z", "x*z", "y*z", nonnegative="z")


def chart(variable: int, prior: str, nonnegative: str) -> Json:
    names = "x y z"
    generators = ["x*z", "x*y*z"] if variable == 0 else ["x*y*z", "y*z"]
    simple = f"{names.split()[variable]}*z"
    tower = node(
        "variables",
        germ(names, simple, prior=prior, nonnegative=nonnegative),
        "1,1",
        {"kept": [variable, 2]},
        monomial(f"{names.split()[variable]} z", simple, "0 1", "1", "1,1", prior="1 0", nonnegative=nonnegative),
        parameters=names.split()[1 - variable],
    )
    other = names.split()[1 - variable]
    rows = [["1", "0"]] if variable == 0 else [["0", "1"]]
    back = [["1"], [other]] if variable == 0 else [[other], ["1"]]
    return node(
        "generators",
        germ(names, *generators, prior=prior, nonnegative=nonnegative),
        "1,1",
        {
            "forward": [polynomials(row, names) for row in rows],
            "units": polynomials(["1"], names),
            "backward": [polynomials(row, names) for row in back],
            "backward_units": polynomials(["1", "1"], names),
        },
        tower,
        parameters=other,
    )


def blown_up(symmetry: list[int]) -> Json:
    data = {"centre": [0, 1], "charts": [{"variable": 0}], "symmetries": {"1": symmetry}}
    return of_ideal(node("blowup", BLOWN_UP, "1,1", data, chart(0, "1 0 0", "z")))


def test_a_symmetry_keeps_the_centre_and_the_boundaries() -> None:
    assert check(blown_up([1, 0, 2])).accepted
    assert "moves the centre" in refusal(blown_up([2, 0, 1]))
    assert "no permutation" in refusal(blown_up([1, 0])) or "entries" in refusal(blown_up([1, 0]))
    # z ≥ 0 and w of both signs are not exchanged, even though the generators are symmetric
    names = "x y z w"
    symmetric = germ(names, "x*z + y*w", "x*w + y*z", nonnegative="z")
    data = {"centre": [0, 1], "charts": [{"variable": 0}], "symmetries": {"1": [1, 0, 3, 2]}}
    child = germ(names, "x*z + x*y*w", "x*w + x*y*z", prior="1 0 0 0", nonnegative="z")
    open_chart = node("bounds", child, "0,? < 2,?", {"weights": ["1", "0", "0", "0"], "order": None}, parameters="y")
    assert "changes the prior or the boundaries" in refusal(
        of_ideal(node("blowup", symmetric, "0,? < 2,?", data, open_chart))
    )


def at_its_origin(chart: int, certificate: Json) -> Json:
    """The certificate with one chart of its first blow-up at the origin of that chart alone, and not at all points."""
    changed = copy.deepcopy(certificate)
    found = changed["derivation"]["children"][chart]
    while True:
        found["parameters"] = []
        if not found["children"]:
            return changed
        (found,) = found["children"]


def test_a_chart_has_the_points_that_no_earlier_chart_has() -> None:
    """⟨x, y⟩ in the charts of y and of x: x/y = 0 is enough in the second, but not y/x = 0 in the first as well."""
    assert check(POINT).accepted
    assert check(at_its_origin(1, POINT)).accepted
    assert "other parameters" in refusal(at_its_origin(0, POINT))
    assert "other parameters" in refusal(at_its_origin(0, at_its_origin(1, POINT)))


def test_beside_a_chart_that_a_symmetry_replaces_the_others_have_all_their_points() -> None:
    """⟨x, y, z⟩ with the chart of z for that of y: what is missing beside x/y = 0 has no chart of its own."""
    names = "x y z"

    def open_chart(variable: int, parameters: str) -> Json:
        prior = ["2 0 0", "0 2 0", "0 0 2"][variable]
        t = names.split()[variable]
        generators = [t if name == t else f"{t}*{name}" for name in names.split()]
        weights = ["1" if name == t else "0" for name in names.split()]
        child = germ(names, *generators, prior=prior)
        return node("bounds", child, "0,? < 3,?", {"weights": weights, "order": None}, parameters=parameters)

    def blown_up(second: str) -> Json:
        data = {"centre": [0, 1, 2], "charts": [{"variable": 0}, {"variable": 1}], "symmetries": {"2": [0, 2, 1]}}
        return of_ideal(
            node("blowup", germ(names, *names.split()), "0,? < 3,?", data, open_chart(0, "y z"), open_chart(1, second))
        )

    assert check(blown_up("x z")).accepted
    assert "other parameters" in refusal(blown_up("z"))


def test_a_weight_belongs_to_the_root_zero_only() -> None:
    """⟨(x − y)², xz, yz⟩ with prior |x||y|: near x = y ≠ 0 the prior is positive, so κ ≤ 3/2. With the weight of y
    carried to the root y = 1 the chart would give 2, and the pair with it.
    """
    assert check(around_a_root("0", "3/2,1")).accepted
    assert "the prior differs" in refusal(around_a_root("1", "2,1"))


def family(of: Json, claim: str, data: Json, *children: Json, rule: str = "roots", parameters: str = "v") -> str:
    """What one rule says of one node with parameters, its children taken at their word; empty when it agrees."""
    written = node(rule, of, claim, data, *children, parameters=parameters)
    try:
        found = read_node(written, "derivation", False, frozenset())
        proven = RULES[rule].check(found)
    except (Malformed, Refused) as wrong:
        return str(wrong)
    return "" if proven == found.claim else f"{proven.lower} {proven.upper}"


def _root(text: str) -> Json:
    return {"variable": 1, "factors": [polynomial(text, "x v")]}


def test_every_real_root_of_a_parameter_with_its_multiplicity() -> None:
    """x(v − 1)²(v + 2): a double and a simple root."""
    of = germ("x v", "x*v^3 - 3*x*v + 2*x")
    double, simple = (
        monomial("x v", f"x*v{p}", *rest) for p, *rest in (("^2", "0 1/2", "1/2", "1/2,1"), ("", "0 1", "1", "1,2"))
    )
    both = {"variable": 1, "factors": [polynomial("v - 1", "x v"), polynomial("v + 2", "x v")]}
    assert family(of, "1/2,1", both, double, simple) == ""
    assert "a real root is left out" in family(of, "1/2,1", _root("v - 1"), double)
    assert "not the germ at the roots" in family(of, "1/2,1", both, simple, simple)
    assert "multiple root" in family(
        of, "1,2", {"variable": 1, "factors": [polynomial("v^2 - 2*v + 1", "x v")]}, simple
    )
    assert "different multiplicities" in family(of, "1,2", _root("v^2 + v - 2"), simple)
    assert "no real root" in family(of, "1,2", _root("v^2 + 1"), simple)
    assert "left out" in family(of, "1,1", {"variable": 1, "factors": []}, monomial("x v", "x", "1 0", "1", "1,1"))
    assert "a factor of its own" in family(germ("x v", "x^2 + v"), "1,1", _root("v"), simple)


def test_the_root_zero_has_its_weight() -> None:
    of = germ("x v", "x*v", prior="0 -1/2")
    weighted = monomial("x v", "x*v", "0 1", "1/2", "1/2,1", prior="0 -1/2")
    assert family(of, "1/2,1", _root("v"), weighted) == ""
    assert "the prior differs" in family(of, "1,2", _root("v"), monomial("x v", "x*v", "1/2 1/2", "1", "1,2"))
    two = germ("x v", "x*v^2 - x*v", prior="0 -1/2")
    assert "the root 0, which has a weight" in family(two, "1/2,1", _root("v^2 - v"), weighted)


def test_what_holds_at_the_origin_says_nothing_of_a_family() -> None:
    of = germ("x v", "x + x*v")
    back = {
        "forward": [polynomials(["1"], "x v")],
        "units": polynomials(["1 + v"], "x v"),
        "backward": [polynomials(["1 + v"], "x v")],
        "backward_units": polynomials(["1"], "x v"),
    }
    child = node("variables", germ("x v", "x"), "1,1", {"kept": [0]}, line("x"), parameters="v")
    assert "no constant" in family(of, "1,1", back, child, rule="generators")
    assert "no generator is a constant" in family(germ("x v", "1 + v"), "infinity,1", {}, rule="unit")
    assert family(germ("x v", "2"), "infinity,1", {}, rule="unit") == ""
    order = {"weights": None, "order": {"generator": 0, "direction": ["1", "0"], "order": 1}}
    assert "bounds nothing at the other points" in family(of, "1,? < infinity,?", order, rule="bounds")
    moving = {
        "map": polynomials(["x + v", "v"], "x v"),
        "inverse": polynomials(["x - v", "v"], "x v"),
        "units": polynomials(["1"], "x v"),
    }
    turned = node("variables", germ("x v", "x - v"), "1,1", {"kept": [0, 1]}, line("x"), parameters="v")
    assert "does not keep the other variables 0" in family(germ("x v", "x"), "1,1", moving, turned, rule="coordinates")
    assert "not homogeneous" in family(of, "1,1", {"degrees": [1, 1]}, line("x"), rule="contract")


def test_a_factor_in_a_family_has_constant_units() -> None:
    data = {
        "factors": [{"variables": [0]}, {"variables": [1]}],
        "products": [{"indices": [0, 0], "unit": polynomial("1 + v", "x v")}],
    }
    at_zero = node("contract", germ("v", "v"), "1,1", {"degrees": [1]}, line("v"), parameters="v")
    of = germ("x v", "x*v + x*v^2")
    assert "no constant" in family(of, "1,2", data, line("x"), at_zero, rule="crossing")


@pytest.mark.parametrize(("sides", "lower"), [("", "(1, ?)"), ("x", "(1, ?)"), ("x y", "(2, 1)")])
def test_an_edge_sees_the_whole_range_of_its_monomial(sides: str, lower: str) -> None:
    """x + y: the root u = y/x = −1 is in the domain unless both variables are one-sided."""
    data = newton_data("x y", "1 1", {"x": "1", "y": "1"}, 1, {"x": "monomial 0", "y": "monomial 0", "x, y": "edge"})
    claimed = of_ideal(node("newton", germ("x y", "x + y", nonnegative=sides), "2,1", data))
    report = check(claimed)
    assert report.accepted is (lower == "(2, 1)")
    assert report.accepted or f"the lower bound {lower}, not (2, 1)" in str(report)


def test_a_square_root_of_the_variable_does_not_change_the_range() -> None:
    """x² + y² and x² + y⁴ have only even steps on their edge: no root. x² + y³ has an odd one."""
    for second, accepted in (("y^2", True), ("y^4", True), ("y^3", False)):
        power = int(second[-1])
        weights, multipliers = f"1/2 1/{power}", {"x^2": "1/2", second: f"1/{power}"}
        faces = {"x^2": "monomial 0", second: "monomial 0", f"x^2, {second}": "sign 0"}
        data = newton_data("x y", weights, multipliers, 1, faces)
        value = {2: "1", 3: "5/6", 4: "3/4"}[power]
        assert check(of_ideal(node("newton", germ("x y", f"x^2 + {second}"), f"{value},1", data))).accepted is accepted


def test_a_weight_helps_on_its_wall_only() -> None:
    """⟨x − y⟩ with prior |x|: away from 0 the prior is a constant, and κ is 1, although x has order 1 on its axis."""
    order = {"generator": 0, "direction": ["1", "0"], "order": 1}
    for lower, accepted in (("1,?", True), ("2,?", False)):
        of = germ("x y", "x - y", prior="1 0")
        stated = node("bounds", of, f"{lower} < 3,?", {"weights": ["1", "1"], "order": order})
        assert check(json.dumps(of_ideal(stated))).accepted == accepted


def test_multiplicities_where_the_value_is_one() -> None:
    """x² − y² has (1, 2): the two branches cross. The multiplicity of the programme alone, 1, is refused."""
    wrong = json.loads(json.dumps(EXAMPLES["hyperbola"].certificate))
    wrong["derivation"]["lower"] = wrong["derivation"]["upper"] = ["1", 1]
    assert "the rule proves the lower bound (1, 2), not (1, 1)" in refusal(wrong)


def test_orders_that_reach_the_value() -> None:
    """(x − y)²y has ½ at its double root, below the 2/3 of its polyhedron; a simple root would not matter."""
    wrong = json.loads(json.dumps(EXAMPLES["double root"].certificate))
    wrong["derivation"]["lower"] = ["2/3", 1]
    assert "the lower bound (1/2, ?), not (2/3, 1)" in refusal(wrong)


def test_a_false_hypothesis_that_a_vertex_contradicts() -> None:
    from handwriting import of_divergence

    for text in ("x^2 - y^2", "x*y", "x^3 + y^2", "-1*x^2 - y^2"):
        bounds = node("bounds", germ("x y", text), "0,? < infinity,?", {"weights": None, "order": None})
        certificate = of_divergence(bounds)
        assert "K takes negative values" in refusal(certificate)
    one_sided = germ("x y", "x^3 + y^2", nonnegative="x")
    data = {"blocks": [{"variables": [0]}, {"variables": [1]}]}
    cube = monomial("x", "x^3", "1/3", "1/3", "1/3,1", nonnegative="x")
    assert check(of_divergence(node("additive", one_sided, "5/6,1", data, cube, power_of("y", 2)))).accepted
