"""Wrong certificates by hand: each breaks one requirement, where no changed entry of a right certificate does it alone.

The pairs beside them are the true ones, by hand. What has no pair beside it claims nothing false, or is of no format.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from handwriting import (
    Json,
    cofactors,
    germ,
    newton_data,
    node,
    of_divergence,
    of_function,
    of_ideal,
    polynomial,
    polynomials,
)
from handwritten import CIRCLE, EXAMPLES, line, monomial, nothing, power_of, saddle, toric
from refusals import spoiled
from test_dropped_hypotheses import WRONG
from test_traps import blown_up

KEPT: dict[str, Json] = json.loads((Path(__file__).parent / "kept_certificates.json").read_text(encoding="utf-8"))
"""Certificates that `rlct` wrote, by the germ."""

ROOT_TWO = {"minimal_polynomial": ["-2", "0", "1"], "interval": ["1", "2"]}
GOLDEN = {"minimal_polynomial": ["-1", "-1", "1"], "interval": ["1", "2"]}
REDUCIBLE = {"minimal_polynomial": ["6", "-2", "-3", "1"], "interval": ["1", "2"]}  # (z² − 2)(z − 3), the root √2
XY, XYZ = "x y", "x y z"


def edited(certificate: Json, **entries: Any) -> Json:
    """The certificate with entries replaced; a place is written with __ between its steps."""
    return dict(spoiled(certificate, [[place.replace("__", "/"), value] for place, value in entries.items()]))


def over(field: Json, certificate: Json) -> Json:
    """The same over a field that nothing needs."""
    return dict(json.loads(json.dumps(certificate).replace('"field": null', '"field": ' + json.dumps(field))))


def both_charts(generator: str, claim: str, *charts: Json, centre: int = 2, prior: str = "", names: str = XY) -> Json:
    """The plane of the first variables blown up; one chart where the germ is symmetric, or both, x first."""
    listed = [{"variable": k} for k in range(len(charts))]
    swap = {"1": [1, 0, *range(2, len(names.split()))]} if len(charts) == 1 else {}
    data: Json = {"centre": list(range(centre)), "charts": listed} | ({"symmetries": swap} if swap else {})
    return of_ideal(node("blowup", germ(names, generator, prior=prior), claim, data, *charts))


def of_x(prior: str = "1", pair: str = "2,1") -> Json:
    return monomial("x", "x", "1", pair.partition(",")[0], pair, prior=prior)


# x + y has (1, 1); in the chart x it is x(1 + y) with prior |x|, and 1 + y is 0 at a point
_CHART = germ(XY, "x + x*y", prior="1 0")


def _zero_beside_a_unit(rule: str, data: Json, *children: Json) -> Json:
    return both_charts("x + y", "2,1", node(rule, _CHART, "2,1", data, *children, parameters="y"))


_KEPT_X = node("variables", germ(XY, "x", prior="1 0"), "2,1", {"kept": [0]}, of_x(), parameters="y")


def _newton_in_x() -> Json:
    """x(1 + y) at the origin alone."""
    return node("newton", _CHART, "2,1", newton_data(XY, "1 0", {"x": "2"}, 1, {"x": "monomial 0"}))


def root_left_out(factors: list[str], *children: Json) -> Json:
    """(y − x)²(y − 2x): a double line, so 1/2. In the chart x it is x³(y − 1)²(y − 2), prior |x|."""
    whole = "y^3 - 4*x*y^2 + 5*x^2*y - 2*x^3"
    first = germ(XY, "x^3*y^3 - 4*x^3*y^2 + 5*x^3*y - 2*x^3", prior="1 0")
    second = germ(XY, "y^3 - 4*x*y^3 + 5*x^2*y^3 - 2*x^3*y^3", prior="0 1")
    claim = "2/3,1"
    unit = polynomial("1 - 4*x + 5*x^2 - 2*x^3", XY)
    charts = (
        node("roots", first, claim, {"variable": 1, "factors": polynomials(factors, XY)}, *children, parameters="y"),
        node("power", second, claim, {"exponent": 3, "unit": unit}, _kept("y", "0 1")),
    )
    return both_charts(whole, claim, *charts)


def _kept(name: str, prior: str) -> Json:
    """A coordinate in the plane with prior |·|: (2, 1)."""
    return node("variables", germ(XY, name, prior=prior), "2,1", {"kept": [XY.split().index(name)]}, _weighted(name))


def _weighted(name: str) -> Json:
    return monomial(name, name, "1", "2", "2,1", prior="1")


_CUBE_OF_X = node(
    "variables", germ(XY, "x^3", prior="1 0"), "2/3,1", {"kept": [0]}, monomial("x", "x^3", "1/3", "2/3", "2/3,1", "1")
)
_BESIDE_A_ROOT = node(
    "newton",
    germ(XY, "x^3*y", prior="1 0"),
    "2/3,1",
    newton_data(XY, "1/3 0", {"x^3*y": "2/3"}, 1, {"x^3*y": "monomial 0"}),
)


def weight_at_a_root() -> Json:
    """y(y − x), prior |y|^{−1/2}: 1/2 at the line y = 0. In the chart x it is x²y(y − 1), prior |x|^{1/2}|y|^{−1/2}."""
    first = germ(XY, "x^2*y^2 - x^2*y", prior="1/2 -1/2")
    second = germ(XY, "y^2 - x*y^2", prior="0 1/2")
    child = node(
        "newton",
        germ(XY, "x^2*y", prior="1/2 0"),
        "3/4,1",
        newton_data(XY, "1/2 0", {"x^2*y": "3/4"}, 1, {"x^2*y": "monomial 0"}),
    )
    square = monomial("y", "y^2", "1/2", "3/4", "3/4,1", prior="1/2")
    charts = (
        node("roots", first, "3/4,1", {"variable": 1, "factors": [polynomial("y^2 - y", XY)]}, child, parameters="y"),
        node(
            "generators",
            second,
            "3/4,1",
            {
                "forward": [polynomials(["1"], XY)],
                "units": polynomials(["1 - x"], XY),
                "backward": [polynomials(["1 - x"], XY)],
                "backward_units": polynomials(["1"], XY),
            },
            node("variables", germ(XY, "y^2", prior="0 1/2"), "3/4,1", {"kept": [1]}, square),
        ),
    )
    return both_charts("y^2 - x*y", "3/4,1", *charts, prior="0 -1/2")


def zero_beside_a_root() -> Json:
    of = germ(XY, "x + x*y", "0", prior="1 0")
    child = node(
        "newton",
        germ(XY, "x*y", prior="1 0"),
        "1,1",
        newton_data(XY, "0 1", {"x*y": "1"}, 1, {"x*y": "monomial 0"}),
    )
    chart = node("roots", of, "1,1", {"variable": 1, "factors": [polynomial("y + 1", XY)]}, child, parameters="y")
    data = {"centre": [0, 1], "charts": [{"variable": 0}], "symmetries": {"1": [1, 0]}}
    return of_ideal(node("blowup", germ(XY, "x + y", "0"), "1,1", data, chart))


def one_root_twice() -> Json:
    found = copy.deepcopy(EXAMPLES["roots"].certificate)
    at_roots = found["derivation"]["children"][0]["children"][0]
    at_roots["data"]["factors"] *= 2
    at_roots["children"] *= 2
    return found


def best_of_two() -> Json:
    """x² − y² is no divergence: two summands would give (1, 1), its two lines (1, 2)."""
    of = germ(XY, "x^2 - y^2")
    minus = node("power", germ("y", "-1*y^2"), "1/2,1", {"exponent": 2, "unit": polynomial("-1", "y")}, line("y"))
    summands = node(
        "additive", of, "1,1", {"blocks": [{"variables": [0]}, {"variables": [1]}]}, power_of("x", 2), minus
    )
    return of_divergence(node("best", of, "1,1 < 1,2", {}, summands, EXAMPLES["hyperbola"].certificate["derivation"]))


def negative_edge() -> Json:
    """x⁴ − 3x²y² + y⁴ is negative at x = y."""
    faces = {"x^4": "monomial 0", "y^4": "monomial 0", "x^4, x^2*y^2, y^4": "edge"}
    data = newton_data(XY, "1/4 1/4", {"x^4": "1/4", "y^4": "1/4"}, 1, faces)
    return of_divergence(node("newton", germ(XY, "x^4 - 3*x^2*y^2 + y^4"), "1/2,1", data))


def circle_with_a_zero() -> Json:
    """x² + y² has (1, 1), and no zero on its edge: 2x = ∂f/∂x shows only that there is no double one."""
    found = copy.deepcopy(CIRCLE)
    found["derivation"]["data"]["faces"][2]["proof"] = cofactors(XY, 2, "x", (0, "x", "1/2"))
    found["derivation"]["data"]["zeros"] = [{"face": 2, "points": None}]
    return of_ideal({**found["derivation"], "lower": ["1", 2], "upper": ["1", 2]})


def two_edges(first: str, second: str, claim: str) -> Json:
    """x³ + xy + y³: x(x² + y) and y(x + y²)."""
    faces = {
        **dict.fromkeys(("x^3", "x*y", "y^3"), "monomial 0"),
        "x^3, x*y": first,
        "x*y, y^3": second,
    }
    data = newton_data(XY, "1/2 1/2", {"x*y": "1"}, 2, faces, zeros=[{"face": 3, "points": None}])
    return of_ideal(node("newton", germ(XY, "x^3 + x*y + y^3"), claim, data))


def sheared_zero() -> Json:
    """⟨y − x, xz⟩: in the chart x the root y = 1; a map that moves z by y says that it lies elsewhere."""
    of = germ(XYZ, "x*y - x", "x*z", prior="1 0 0")
    child = germ(XYZ, "x*y - x", "x*z - x*y", prior="1 0 0")
    data = {
        "map": polynomials(["x", "y", "z + y"], XYZ),
        "inverse": polynomials(["x", "y", "z - y"], XYZ),
        "units": polynomials(["1", "1"], XYZ),
    }
    bounds = node("bounds", child, "0,? < 2,?", {"weights": ["1", "0", "0"], "order": None}, parameters="y")
    chart = node("coordinates", of, "0,? < 2,?", data, bounds, parameters="y")
    other = node(
        "bounds",
        germ(XYZ, "y - x*y", "x*y*z", prior="0 1 0"),
        "0,? < 2,?",
        {"weights": ["0", "1", "0"], "order": None},
    )
    whole = germ(XYZ, "y - x", "x*z")
    return of_ideal(
        node(
            "blowup", whole, "0,? < 2,?", {"centre": [0, 1], "charts": [{"variable": 0}, {"variable": 1}]}, chart, other
        )
    )


def sum_in_place_of_a_factor() -> Json:
    """y + xz has (1, 1); in the chart x it is x(y + z), prior |x|."""
    of = germ(XYZ, "x*y + x*z", prior="1 0 0")
    first = node(
        "roots", of, "2,1", {"variable": 1, "factors": []}, monomial("x", "x", "1", "2", "2,1"), parameters="y"
    )
    second = node("unit", germ(XYZ, "y + x*y*z", prior="0 1 0"), "infinity,1")
    charts = [{"variable": 0}, {"variable": 1}]
    whole = germ(XYZ, "y + x*z")
    return of_ideal(node("blowup", whole, "2,1", {"centre": [0, 1], "charts": charts}, first, second))


def order_in_a_family() -> Json:
    found = both_charts(
        "x^2 - 2*x*y + y^2",
        "1/2,? < 1,?",
        node(
            "bounds",
            germ(XY, "x^2 - 2*x^2*y + x^2*y^2", prior="1 0"),
            "1/2,? < 1,?",
            {"weights": ["1", "0"], "order": {"generator": 0, "direction": ["1", "0"], "order": 2}},
            parameters="y",
        ),
    )
    return found


def zeros_of(generators: list[str], claim: str, zeros: Json, field: Json | None = None, prior: str = "") -> Json:
    slots = [0] if claim.startswith("1") else []
    data = {"generators": slots, "prime": None, "roots": [], "zeros": zeros}
    return of_ideal(node("rank", germ(XY, *generators, field=field, prior=prior), claim, data))


def along_y(*denominators: Any) -> Json:
    """x = 0, y = t."""
    names = " ".join(["t", *(f"r{k}" for k in range(len(denominators)))])
    return {
        "parameters": ["t"],
        "denominators": list(denominators),
        "coordinates": polynomials(["0", "t"], names),
        "fields": [],
    }


_CONIC = EXAMPLES["conic"].certificate["derivation"]["data"]["zeros"]


def no_inverse() -> Json:
    """1 + (c − 3)t, where c is a root of a polynomial that has the root 3 as well."""
    denominator = [[[0, 0], "1"], [[1, 0], ["-3", "1"]]]
    return zeros_of(["x", "x*y"], "1,1", along_y(denominator), REDUCIBLE)


def root_twice() -> Json:
    """z² − z − 1 = (z − 3)² modulo 5."""
    data = {"generators": [0], "prime": 5, "roots": [3, 3], "zeros": None}
    return of_ideal(node("rank", germ("x", "x + x^2", field=GOLDEN), "1,1", data))


def ragged() -> Json:
    """⟨a, b, c⟩ has κ = 3; the widths 1 and 2 would give 2."""
    return of_ideal(
        node("matrix_product", germ("a b c", "a", "b", "c"), "2,1", {"widths": [1, 2], "matrices": [[[0], [1, 2]]]})
    )


def unfitting() -> Json:
    return of_ideal(
        node("matrix_product", germ("a b c", "a*b"), "1,2", {"widths": [1, 1, 1], "matrices": [[[0]], [[1, 2]]]})
    )


def cone_by_its_edges() -> Json:
    """Σ x² − 19/10 Σ xy is negative at x = y = z, so (1, 1), and no edge of its triangle has a root."""
    squares, mixed = ["x^2", "y^2", "z^2"], ["x*y", "x*z", "y*z"]
    faces = {
        **dict.fromkeys(squares, "monomial 0"),
        "x^2, x*y, y^2": "edge",
        "x^2, x*z, z^2": "edge",
        "y^2, y*z, z^2": "edge",
        ", ".join(squares + mixed): "unknown",
    }
    data = newton_data(XYZ, "1/2 1/2 1/2", dict.fromkeys(squares, "1/2"), 1, faces, charts=[])
    minus = " ".join(f"- 19/10*{term}" for term in mixed)
    return of_ideal(node("toric", germ(XYZ, f"x^2 + y^2 + z^2 {minus}"), "3/2,1", data))


_SQUARE_OF_SUM = newton_data(
    XY,
    "1/2 1/2",
    {"x^2": "1/2", "y^2": "1/2"},
    1,
    {"x^2": "monomial 0", "y^2": "monomial 0", "x^2, x*y, y^2": "edge"},
)


def root_outside() -> Json:
    """(x + y)² on the quadrant has (1, 1): its line is not in it."""
    child = monomial("t s", "t^2*s^2", "0 1/2", "1/2", "1/2,1", prior="1 0", nonnegative="t")
    chart = {"face": 2, "matrix": [[1, 1], [1, 0]], "root": "-1"}
    return of_ideal(toric("x^2 + 2*x*y + y^2", "1/2,1", _SQUARE_OF_SUM, [chart], child, nonnegative=XY))


def second_field() -> Json:
    """(x − y)² over ℚ(√2), whose root 1 is given as that of z − 1."""
    one = {"minimal_polynomial": ["-1", "1"], "interval": ["0", "2"]}
    found = over(ROOT_TWO, EXAMPLES["toric"].certificate)
    found["derivation"]["data"]["charts"][0]["root"] = one
    found["derivation"]["children"][0]["germ"]["field"] = one
    return found


def one_edge_twice() -> Json:
    """⟨x − y + x², x − y + 2x²⟩ = ⟨x − y, x²⟩ has 3/2; as two coordinates in the chart they would give 2."""
    factors = polynomials(["x - y + x^2", "x - y + 2*x^2"], XY)
    products = [{"unit": polynomial("1", XY), "monomial": [0, 0], "powers": [[k, 1]]} for k in (0, 1)]
    data = {
        "weights": ["1", "1"],
        "multipliers": ["1", "1"],
        "support": [[1, 0], [0, 1]],
        "multiplicity": 1,
        "factors": factors,
        "products": products,
        "proofs": [{"factors": chosen, "weight": [1, 1], "kind": "edge"} for chosen in ([0], [1], [0, 1])],
        "cones": [{"weight": [1, 1], "kept": [0, 1]}],
        "zeros": [],
    }
    return of_ideal(node("transversal", germ(XY, "x - y + x^2", "x - y + 2*x^2"), "2,2 < 2,1", data))


_CURVE = EXAMPLES["space curve"].certificate
_TWICE = {  # D_y² of 1 − xz/y² is −4xz/y²
    "factors": [0],
    "weight": [1, 1, 1],
    "kind": "order",
    "directions": [[0, 1, 0]],
    "derived": [[2]],
    "monomial": [1, -2, 1],
    "cofactors": [[], [[[0, 0, 0], "-1/4"]]],
}


def _proof(name: str, kind: str) -> str:
    """The place of the first proof of a kind."""
    proofs = KEPT[name]["derivation"]["data"]["proofs"]
    return f"derivation/data/proofs/{next(k for k, proof in enumerate(proofs) if proof['kind'] == kind)}"


def sparse(*terms: Json) -> Json:
    """x² + y³ in the second format, with these exponents."""
    found = json.loads(json.dumps(EXAMPLES["cusp"].certificate))
    for of in (found["input"], found["derivation"]):
        of["germ"]["generators"] = [[[exponents, "1"] for exponents in terms]]
    return {**found, "format": "ddtheory-derivation/2"}


def said_of(name: str, *expressions: Any, **entries: Any) -> Json:
    """A kept certificate that says its polynomials stand for these expressions."""
    places = {f"reading__{key}": value for key, value in entries.items()}
    return edited(KEPT[name], reading__expressions=list(expressions), **places)


def cross(inside: Any) -> Json:
    """log cosh of something in the place of log cosh(xy)."""
    return said_of("cross", ["log", ["cosh", inside]])


def product_said_to_be_K() -> Json:
    """⟨xy⟩ has λ = 1/2, and xy as K would have 1."""
    found = copy.deepcopy(of_ideal(monomial(XY, "x*y", "1 0", "1", "1,2")))
    one = [[[[[0, 0], "1"]]]]
    found["reading"] = {"kind": "divergence", "expressions": [["*", 0, 1]], "degree": 2, "rest": [], "small": []}
    found["reading"] |= {"forward": one, "backward": one}
    return found


def minus_K() -> Json:
    """−x² as x²."""
    found = copy.deepcopy(of_divergence(power_of("x", 2)))
    minus = [[[[[0], "-1"]]]]
    found["reading"] = {"kind": "divergence", "expressions": [["*", "-1", ["^", 0, "2"]]], "degree": 2, "rest": []}
    found["reading"] |= {"small": [], "forward": minus, "backward": minus}
    return found


_HALF, _MINUS_HALF, _ONE = ([[[0, 0], value]] for value in ("1/2", "-1/2", "1"))


def in_torus(of: Json, claim: str, programme: Json, cones: list[Json], zeros: list[Json], **factors: Any) -> Json:
    """Of rule `transversal`; the generator is the only factor, unless something else is said."""
    names = " ".join(of["variables"])
    one, none = polynomial("1", names), [0] * len(of["variables"])
    data = {
        **programme,
        "factors": of["generators"],
        "products": [{"unit": one, "monomial": none, "powers": [[0, 1]]}],
        "cones": cones,
        "zeros": zeros,
        **factors,
    }
    return of_ideal(node("transversal", of, claim, data))


def optimum(names: str, weights: str, multipliers: Json, multiplicity: int) -> Json:
    found = newton_data(names, weights, multipliers, multiplicity, {})
    del found["faces"]
    return found


def at_point(rays: list[list[int]], point: str, radius: str = "0", **more: Any) -> Json:
    return {
        "rays": rays,
        "kept": [0],
        "factors": [0],
        "zero": {"point": point.split(), "solved": [0], "radius": radius},
        "memberships": {},
        **more,
    }


_G = "x - y + x^2"
_DIAGONAL = [{"factors": [0], "weight": [1, 1], "kind": "edge"}]
_SQUARED = "x^2 - 2*x*y + y^2 + 2*x^3 - 2*x^2*y + x^4"


def square_as_its_root(*powers: list[int]) -> Json:
    """(x − y + x²)² has 1/2, its root 1."""
    programme = optimum(XY, "1/2 1/2", {"x^2": "1/2", "y^2": "1/2"}, 1)
    product = {"unit": polynomial("1", XY), "monomial": [0, 0], "powers": list(powers)}
    of = germ(XY, _SQUARED)
    whole = {"factors": [polynomial(_G, XY)], "products": [product], "proofs": _DIAGONAL}
    return in_torus(of, "1,1", programme, [{"weight": [1, 1], "kept": [0]}], [], **whole)


def unbounded_membership() -> Json:
    """⟨x²g, xg⟩ = ⟨xg⟩ with g = x − y + x² has κ = 1, and x²g alone 2/3: x·(xg) = 1·(x²g)."""
    one = polynomial("1", XY)
    programme = optimum(XY, "1/2 1/2", {"x*y": "1"}, 2)
    zero = at_point([[1, 1]], "1 1", memberships={"1": {"monomial": [1, 0], "cofactors": [one]}})
    return in_torus(
        germ(XY, "x^3 - x^2*y + x^4", "x^2 - x*y + x^3"),
        "2/3,1",
        programme,
        [{"weight": [1, 1], "kept": [0]}],
        [zero],
        factors=[polynomial(_G, XY)],
        products=[{"unit": one, "monomial": [power, 0], "powers": [[0, 1]]} for power in (2, 1)],
        proofs=_DIAGONAL,
    )


def _three_squares(generator: str, claim: str, on_edges: str, inside: Json, zeros: list[Json]) -> Json:
    programme = optimum(XYZ, "1/2 1/2 1/2", {"x^2": "1/2", "y^2": "1/2", "z^2": "1/2"}, 1)
    sides = [[1, 1, 2], [1, 2, 1], [2, 1, 1]]
    proofs = [{"factors": [0], "weight": weight, "kind": on_edges} for weight in sides]
    proofs.append({"factors": [0], "weight": [1, 1, 1], **inside})
    cones = [{"weight": weight, "kept": [0]} for weight in [*sides, [1, 1, 1]]]
    return in_torus(germ(XYZ, generator), claim, programme, cones, zeros, proofs=proofs)


_CONE = "x^2 + y^2 + z^2 - 19/10*x*y - 19/10*x*z - 19/10*y*z"


def form_that_is_not_definite() -> Json:
    """Negative at x = y = z: (1, 1)."""
    gram = [["1" if i == j else "-19/20" for j in range(3)] for i in range(3)]
    roots = [[int(i == j) for j in range(3)] for i in range(3)]
    inside = {"kind": "definite", "weights": ["1"], "origin": [0, 0, 0], "roots": roots, "gram": gram}
    return _three_squares(_CONE, "3/2,1", "edge", inside, [])


def negative_radius() -> Json:
    """x² + y² + z² has 3/2 and no zero at all; a box that is turned inside out would hold one."""
    inside = {  # D_x of the part, divided by z², is 2x²/z²
        "kind": "independent",
        "directions": [[1, 0, 0]],
        "derived": [[0]],
        "monomial": [2, 0, -2],
        "cofactors": [[], [[[0, 0, 0], "1/2"]]],
    }
    zero = at_point([[1, 1, 1]], "1 1 1", "-10")
    return _three_squares("x^2 + y^2 + z^2", "1,1", "sign", inside, [zero])


def zero_outside() -> Json:
    """x + y on the quadrant has (2, 1): its line is not in it."""
    proof = {
        "factors": [0],
        "weight": [1, 1],
        "kind": "independent",
        "directions": [[1, 0]],
        "derived": [[0]],
        "monomial": [1, -1],
        "cofactors": [[], [[[0, 0], "1"]]],
    }
    programme = optimum(XY, "1 1", {"x": "1", "y": "1"}, 1)
    zero = at_point([[1, 1]], "1 -1")
    cones = [{"weight": [1, 1], "kept": [0]}]
    return in_torus(germ(XY, "x + y", nonnegative=XY), "1,1", programme, cones, [zero], proofs=[proof])


def squared_in_v(of: Json, claim: str, unit: str, cofactor: str, child: Json) -> Json:
    names = " ".join(of["variables"])
    data = {"variable": 0, "monomial": [0] * len(of["variables"])}
    data |= {"unit": polynomial(unit, names), "cofactor": polynomial(cofactor, names)}
    return of_divergence(node("square", of, claim, data, child))


def split_in_x(of: Json, claim: str, unit: str, cofactor: str, child: Json) -> Json:
    names = " ".join(of["variables"])
    data = {"live": [0], "unit": polynomial(unit, names), "cofactors": polynomials([cofactor], names)}
    return of_divergence(node("split", of, claim, data, child))


def jet_in_x(generator: str, claim: str, critical: str, child: Json) -> Json:
    data = {"live": [0], "critical": polynomials([critical], XY), "degree": 5}
    return of_divergence(node("jet", germ(XY, generator), claim, data, child))


def in_chart(generator: str, claim: str, of: str, factors: list[str], child: Json) -> Json:
    """A homogeneous generator that x ↔ y keeps, in the chart x, at roots of its factors."""
    data = {"variable": 1, "factors": polynomials(factors, XY)}
    chart = node("roots", germ(XY, of, prior="1 0"), claim, data, child, parameters="y")
    return both_charts(generator, claim, chart)


_X2Y = node(
    "newton",
    germ(XY, "x^2*y", prior="1 0"),
    "1,2",
    newton_data(XY, "0 1", {"x^2*y": "1"}, 2, {"x^2*y": "monomial 0"}),
)
_DOUBLE, _IN_CHART = "x^2 - 2*x*y + y^2", "x^2 - 2*x^2*y + x^2*y^2"


def charts_of(generator: str, claim: str, programme: Json, *charts: tuple[Json, str, Json]) -> Json:
    """Of rule `toric`, on the last face of the programme: matrix, root and child."""
    last = len(programme["faces"]) - 1
    listed = [{"face": last, "matrix": matrix, "root": root} for matrix, root, _ in charts]
    return of_ideal(toric(generator, claim, programme, listed, *(child for _, _, child in charts)))


_LINEAR = [[1, 0], [1, 1]]
_DOUBLE_CHART = monomial("t s", "t^2*s^2", "0 1/2", "1/2", "1/2,1", prior="1 0")
_BESIDE = node(
    "newton",
    germ("t s", "t^2 + 2*t^2*s + t^2*s^2", prior="1 0"),
    "1,1",
    newton_data("t s", "1/2 0", {"t^2": "1"}, 1, {"t^2": "monomial 0"}),
)
_CUSP_CHART = node(
    "newton",
    germ("t s", "-1*t^6*s", prior="4 0"),
    "5/6,1",
    newton_data("t s", "1/6 0", {"t^6*s": "5/6"}, 1, {"t^6*s": "monomial 0"}),
)
_WRONG_NORMAL = node(
    "newton",
    germ("t s", "t^2 - 2*t^3 - 2*t^3*s + t^4 + 2*t^4*s + t^4*s^2", prior="2 0"),
    "3/2,1",
    newton_data("t s", "1/2 0", {"t^2": "3/2"}, 1, {"t^2": "monomial 0"}),
)
_SQUARED_ROOT = node(
    "newton",
    germ("t s", "-8*t^3*s - 20*t^3*s^2 - 24*t^3*s^3 - 16*t^3*s^4 - 6*t^3*s^5 - 1*t^3*s^6", prior="1 0"),
    "2/3,1",
    newton_data("t s", "1/3 0", {"t^3*s": "2/3"}, 1, {"t^3*s": "monomial 0"}),
)
_CUBIC_FACES = newton_data(
    XY,
    "1/3 1/3",
    {"x^3": "1/3", "y^3": "1/3"},
    1,
    {"x^3": "monomial 0", "y^3": "monomial 0", "x^3, x^2*y, x*y^2, y^3": "edge"},
)
_CUSP_DATA = EXAMPLES["cusp"].certificate["derivation"]["data"]
_MONOMIAL_DATA = newton_data(XY, "1 0", {"x*y": "1"}, 2, {"x*y": "monomial 0"})


def polyhedron(of: Json, claim: str, data: Json, *children: Json) -> Json:
    return node("newton", of, claim, data, *children)


def edge_data(how: Any) -> Json:
    """Of x² − 2xy + y²."""
    faces = {"x^2": "monomial 0", "y^2": "monomial 0", "x^2, x*y, y^2": how}
    return newton_data(XY, "1/2 1/2", {"x^2": "1/2", "y^2": "1/2"}, 1, faces)


def double_plane() -> Json:
    """(x − z)² + y² has 1; the block y² says nothing of the edge of (x − z)²."""
    squares = {"x^2": "1/2", "y^2": "1/2", "z^2": "1/2"}
    block = {"kind": "additive", "exponents": [[0, 2, 0]]}
    faces = {
        **dict.fromkeys(squares, "monomial 0"),
        "x^2, y^2": "sign 0",
        "y^2, z^2": "sign 0",
        "x^2, x*z, z^2": block,
        "x^2, x*z, z^2, y^2": block,
    }
    data = newton_data(XYZ, "1/2 1/2 1/2", squares, 1, faces)
    return of_divergence(polyhedron(germ(XYZ, "x^2 - 2*x*z + z^2 + y^2"), "3/2,1", data))


def of_seven() -> Json:
    """x² − y² beside five variables: a suspension does not ask for its sign, and the list of faces is too long."""
    names = "x y a b c d e"
    six = names[2:]
    square = node("power", germ("y", "-1*y^2"), "1/2,1", {"exponent": 2, "unit": polynomial("-1", "y")}, line("y"))
    left = node("variables", germ(six, "-1*y^2"), "1/2,1", {"kept": [0]}, square)
    data = {"variable": 0, "unit": polynomial("1", names), "cofactor": polynomial("-1/2*x", names)}
    return of_divergence(node("suspension", germ(names, "x^2 - y^2"), "1,2 < 1,1", data, left))


def read(found: Json, kind: str, expressions: list[Any], **proof: Any) -> Json:
    """A certificate that stands for expressions; degree 6, and nothing is left out."""
    reading = {"kind": kind, "expressions": expressions, "degree": 6, "rest": [], "small": [], **proof}
    return {**copy.deepcopy(found), "reading": reading}


def far_from_0() -> Json:
    """u² − u³ is like u² near u = 0, and not at u = 1 + x, where it is −x(1 + x)²."""
    square = [[[2], "1"]]
    outer = {
        "degree": 6,
        "rest": [[3]],
        "small": [[[[[1], "1"]]]],
        "forward": [[[[[0], "1"]]]],
        "backward": [[[[[0], "1"]]]],
    }
    return read(
        of_function(node("unit", germ("x", "1 + 2*x + x^2"), "infinity,1")),
        "two-sided",
        [["+", ["^", 0, "2"], ["*", "-1", ["^", 0, "3"]]]],
        arguments=[["+", "1", 0]],
        polynomials=[square],
        outer=outer,
        forward=[[[[[0], "1"]]]],
        backward=[[[[[0], "1"]]]],
    )


def two_for_one() -> Json:
    """u² = u³ + (u² − u³) at u = x²: x⁴ is not like x⁶."""
    cube, rest = [[[3], "1"]], [[[2], "1"], [[3], "-1"]]
    one = [[[0], "1"]]
    outer = {
        "degree": 6,
        "rest": [],
        "small": [],
        "forward": [[one, one]],
        "backward": [[[[[1], "1"]]], [[[[0], "1"], [[1], "-1"]]]],
    }
    return read(
        of_divergence(power_of("x", 6)),
        "divergence",
        [["^", 0, "2"]],
        arguments=[["^", 0, "2"]],
        polynomials=[cube, rest],
        outer=outer,
        forward=[[one]],
    )


def everything_is_rest(*factors: list[Any]) -> Json:
    """−x² as a definite form in x and y: modulo all that is small, and all is said to be small."""
    rest = [[2, 0], [1, 1], [0, 2]]
    half = [[[0, 0], "1"]]
    return said_of(
        "lines", ["*", "-1", ["^", 0, "2"]], rest=rest, small=list(factors), forward=[[half, [], half]], degree=2
    )


def _forms(forms: list[list[str]], exponents: list[int], unit: str) -> Json:
    return {"forms": forms, "exponents": exponents, "unit": polynomial(unit, "x")}


_ALL_OF_IT = [[_ONE if k == place else [] for k in range(3)] for place in (2, 1, 0)]
BY_HAND: dict[str, Json] = {
    # --- one thing is wrong, and most of the pairs are: a checker without this requirement accepts them
    # --- the top, and claims
    "many points at the origin alone": both_charts("x + y", "2,1", {**_newton_in_x(), "parameters": [1]}),
    "a claim that is not proven": spoiled(
        of_ideal(node("variables", germ(XY, "x"), "2,1", {"kept": [0]}, line("x"))),
        [[f"derivation/children/0/{side}", ["2", 1]] for side in ("lower", "upper")],
    ),
    "two variables of one name": json.loads(
        json.dumps(EXAMPLES["powers"].certificate).replace('["x", "y"]', '["x", "x"]')
    ),
    "a variable that is used": of_ideal(node("variables", germ(XY, "x*y"), "1,1", {"kept": [0]}, line("x"))),
    "K of seven variables": of_seven(),
    "a field without a root": over({"minimal_polynomial": ["1", "0", "1"], "interval": ["0", "1"]}, CIRCLE),
    "an index twice": edited(_CURVE, derivation__data__cones__0__kept=[0, 0, 1]),
    "a coefficient 0": spoiled(EXAMPLES["generators"].certificate, [["derivation/data/forward/0/1", [[[0, 0], "0"]]]]),
    # --- faces
    "a block that shares a variable": of_divergence(
        polyhedron(germ(XY, _DOUBLE), "1,1", edge_data({"kind": "additive", "exponents": [[2, 0]]}))
    ),
    "a block of another face": double_plane(),
    "a derivative too high": of_ideal(
        polyhedron(germ(XY, _DOUBLE), "1,1", edge_data(cofactors(XY, 1, "1", (0, "x^2", "1/2"))))
    ),
    "a negative weight": of_ideal(polyhedron(germ(XY, "x*y"), "1,2", {**_MONOMIAL_DATA, "weights": ["2", "-1"]})),
    "a negative multiplier": of_ideal(
        polyhedron(
            germ(XY, "x*y", "x^2*y"),
            "1,2",
            {**_MONOMIAL_DATA, "multipliers": ["2", "-1"], "support": [[1, 1], [2, 1]]},
        )
    ),
    "a face that is none": of_ideal(
        polyhedron(
            germ(XY, "x^2 + y^3 + x^2*y"),
            "5/6,1",
            {
                **_CUSP_DATA,
                "faces": [*_CUSP_DATA["faces"], {"exponents": [[2, 1]], "proof": _CUSP_DATA["faces"][0]["proof"]}],
            },
        )
    ),
    # --- presentations
    "x said to be a unit": of_ideal(node("unit", germ("x", "x"), "infinity,1")),
    "x² for x": of_ideal(
        node(
            "generators",
            germ("x", "x^2"),
            "1,1",
            {
                "forward": [polynomials(["1"], "x")],
                "units": polynomials(["x"], "x"),
                "backward": [polynomials(["x"], "x")],
                "backward_units": polynomials(["1"], "x"),
            },
            line("x"),
        )
    ),
    "a generator more": of_ideal(
        node(
            "coordinates",
            germ("x", "x"),
            "1,1",
            {"map": polynomials(["x"], "x"), "units": polynomials(["1"], "x")},
            node("bounds", germ("x", "x", "x^2"), "0,? < 1,?", {"weights": ["1"], "order": None}),
        )
    ),
    "a generator times 0": of_ideal(
        node(
            "eliminate",
            germ(XY, "x", "y"),
            "1,1",
            {"generator": 0, "variable": 0, "cofactors": [polynomials(["0", "0"], XY)]},
            node("zero", germ("y", "0"), "0,1"),
        )
    ),
    "x⁴ split off": split_in_x(germ("x", "x^4"), "1/2,1", "1", "-1/4*x", node("zero", germ("", "0"), "0,1")),
    "0 times what is left": split_in_x(germ(XY, "x^2 + y^4"), "1/2,1", "0", "0", node("zero", germ("y", "0"), "0,1")),
    "x³ as a square": of_ideal(
        node("power", germ("x", "x^3"), "1/2,1", {"exponent": 2, "unit": polynomial("x", "x")}, line("x"))
    ),
    "a weight at another point": of_ideal(
        monomial("x", "x", "1", "2", "2,1", prior="1"), at="1", given=germ("x", "x - 1", prior="1")
    ),
    "v⁴ as a square": squared_in_v(germ("v", "v^4"), "1/2,1", "1", "-1/4*v", power_of("v", 2)),
    "0 times what is left of a square": squared_in_v(
        germ("v y", "v^2 + y^4"),
        "1/2,1",
        "0",
        "0",
        node("variables", germ("v y", "v^2"), "1/2,1", {"kept": [0]}, power_of("v", 2)),
    ),
    "what is left of a square is a cube": squared_in_v(
        germ("v y", "v^2 + y^3"),
        "5/6,1",
        "1",
        "-1/2*v",
        json.loads(json.dumps(EXAMPLES["cusp"].certificate["derivation"]).replace('["x", "y"]', '["v", "y"]')),
    ),
    "v + v² as a square": squared_in_v(germ("v", "v + v^2"), "1/2,1", "1", "-1/2*v", power_of("v", 2)),
    # --- jets
    "x⁴ in a jet": jet_in_x("x^4 + y^4", "3/4,1", "0", power_of("y", 4)),
    "a critical point elsewhere": jet_in_x("x^2 - 2*x^3 + x^4 + y^4", "3/4,1", "1", power_of("y", 4)),
    "a point that is not critical": jet_in_x("x^2 + 2*x*y^2 + y^4 + y^6", "3/4,1", "0", power_of("y", 4)),
    "a jet by another rule": jet_in_x(
        "x^2 + y^4",
        "3/4,1",
        "0",
        node("power", germ("y", "y^4"), "1/4,1", {"exponent": 4, "unit": polynomial("1", "y")}, line("y")),
    ),
    # --- blow-ups and roots
    "a centre of one": of_ideal(
        node("blowup", germ("x", "x^2"), "1/2,1", {"centre": [0], "charts": [{"variable": 0}]}, power_of("x", 2))
    ),
    "a symmetry that moves a weight": of_ideal(
        node(
            "blowup",
            germ(XY, "x*y", prior="0 -1/2"),
            "3/4,1",
            {"centre": [0, 1], "charts": [{"variable": 1}], "symmetries": {"0": [1, 0]}},
            node(
                "contract",
                germ(XY, "x*y^2", prior="0 1/2"),
                "3/4,1",
                {"degrees": [1, 1]},
                polyhedron(
                    germ(XY, "x*y^2", prior="0 1/2"),
                    "3/4,1",
                    newton_data(XY, "0 1/2", {"x*y^2": "3/4"}, 1, {"x*y^2": "monomial 0"}),
                ),
                parameters="x",
            ),
        )
    ),
    "a symmetry of another centre": of_ideal(
        node(
            "blowup",
            germ(XYZ, "x*y*z"),
            "1,3",
            {"centre": [0, 1], "charts": [{"variable": 0}], "symmetries": {"1": [2, 0, 1]}},
            node(
                "contract",
                germ(XYZ, "x^2*y*z", prior="1 0 0"),
                "1,3",
                {"degrees": [1, 1, 1]},
                polyhedron(
                    germ(XYZ, "x^2*y*z", prior="1 0 0"),
                    "1,3",
                    newton_data(XYZ, "0 1 0", {"x^2*y*z": "1"}, 3, {"x^2*y*z": "monomial 0"}),
                ),
                parameters="y",
            ),
        )
    ),
    "a root that is not real": in_chart("x^2 + y^2", "1,2", "x^2 + x^2*y^2", ["y^2 + 1"], _X2Y),
    "a factor with a double root": in_chart(_DOUBLE, "1,2", _IN_CHART, ["y^2 - 2*y + 1"], _X2Y),
    "another germ at a root": in_chart(_DOUBLE, "1,2", _IN_CHART, ["y - 1"], _X2Y),
    "roots of different multiplicities": root_left_out(["y^2 - 3*y + 2"], _BESIDE_A_ROOT),
    # --- products, ranks, bounds
    "two products of four": of_ideal(
        node(
            "crossing",
            germ("x y z w", "x*z", "y*w"),
            "2,2",
            {
                "factors": [{"variables": [0, 1]}, {"variables": [2, 3]}],
                "products": [{"indices": [k, k], "unit": polynomial("1", "x y z w")} for k in (0, 1)],
            },
            *(
                node(
                    "separable",
                    germ(f"{a} {b}", a, b),
                    "2,1",
                    {"blocks": [{"variables": [k], "generators": [k]} for k in (0, 1)]},
                    line(a),
                    line(b),
                )
                for a, b in ("xy", "zw")
            ),
        )
    ),
    "a bound by a negative weight": of_ideal(
        node("bounds", germ(XY, "x^2*y"), "0,? < 2/5,?", {"weights": ["3", "-1"], "order": None})
    ),
    "no generator": of_ideal(
        node("rank", germ("x"), "0,1", {"generators": [], "prime": None, "roots": [], "zeros": None})
    ),
    "zeros elsewhere": zeros_of(
        ["x^2 - x", "x*y - y"], "0,? < 1,1", {**along_y(), "coordinates": polynomials(["1", "t"], "t")}
    ),
    "a denominator that is a constant": zeros_of(["x", "x*y"], "1,1", along_y(polynomial("1", "t r"))),
    "a denominator in a reciprocal": zeros_of(["x", "x*y"], "1,1", along_y(polynomial("1 + t*r", "t r"))),
    "a generator that is gone": edited(EXAMPLES["substitution"].certificate, derivation__data__steps=[[0, 0], [0, 1]]),
    # --- closed forms
    "no form": of_ideal(node("arrangement", germ("x", "1 + x"), "infinity,1", _forms([], [], "1 + x"))),
    "x and x": of_ideal(node("arrangement", germ("x", "x^2"), "1/2,1", _forms([["1"], ["1"]], [1, 1], "1"))),
    "x times a unit that is x": of_ideal(node("arrangement", germ("x", "x^2"), "1,1", _forms([["1"]], [1], "x"))),
    "no matrix": of_ideal(node("matrix_product", germ(""), "0,1", {"widths": [], "matrices": []})),
    "minors of a ragged matrix": of_ideal(
        node("minors", germ("a b c", "a*b - c"), "1,1", {"matrix": [[0, 1], [2]], "size": 2})
    ),
    # --- saddles
    "0 times what is left of a suspension": of_ideal(
        node(
            "suspension",
            germ(XY, "x^2 + y^4"),
            "1/2,1",
            {"variable": 0, "unit": polynomial("0", XY), "cofactor": polynomial("0", XY)},
            node("zero", germ("y", "0"), "0,1"),
        )
    ),
    "a saddle that is not critical": saddle(germ(XYZ, "x + x*y + z^2"), [0, 1, 2]),
    "an arc outside of the domain": saddle(
        germ(XYZ, "x^2 + x*y + y^2 + z^3", nonnegative="z"), [0, 1], "0", "0", "-1*t"
    ),
    # --- charts
    "a chart of a vertex": of_ideal(
        node(
            "toric",
            germ(XY, "x*y"),
            "1/3,1",
            {**_MONOMIAL_DATA, "charts": [{"face": 0, "matrix": _LINEAR, "root": "1"}]},
            power_of("x", 3),
        )
    ),
    "a chart beside the root": charts_of(
        _DOUBLE, "1/2,1", _SQUARE_OF_SUM, (_LINEAR, "1", _DOUBLE_CHART), (_LINEAR, "2", _BESIDE)
    ),
    "two charts of one root": charts_of("x^2 - y^3", "5/6,1", _CUSP_DATA, *[([[3, 1], [2, 1]], "1", _CUSP_CHART)] * 2),
    "another normal": charts_of(_DOUBLE, "1,1", _SQUARE_OF_SUM, ([[1, 0], [2, 1]], "1", _WRONG_NORMAL)),
    "y = ts²": charts_of("x^3 + x^2*y - x*y^2 - y^3", "2/3,1", _CUBIC_FACES, ([[1, 0], [1, 2]], "1", _SQUARED_ROOT)),
    # --- in the torus
    "a factor twice": square_as_its_root([0, 1], [0, 1]),
    "a square as its root": square_as_its_root([0, 1]),
    "a membership that is not bounded": unbounded_membership(),
    "factors in no order": spoiled(
        _CURVE,
        [
            [
                "derivation/data/proofs/3",
                {
                    **_CURVE["derivation"]["data"]["proofs"][2],
                    "factors": [1, 0],
                    "cofactors": [[], [], [[[0, 0, 0], "1/6"]]],
                },
            ]
        ],
    ),
    "a form that is not definite": form_that_is_not_definite(),
    "a box inside out": negative_radius(),
    "a zero outside of the quadrant": zero_outside(),
    # --- readings
    "two functions for one": said_of("lines", *KEPT["lines"]["reading"]["expressions"], ["^", 0, "2"]),
    "an argument that is not 0": far_from_0(),
    "arguments without a proof": edited(KEPT["lines"], reading__arguments=[]),
    "two polynomials for one": two_for_one(),
    "a term beyond the rest": said_of("cross", ["+", ["log", ["cosh", ["*", 0, 1]]], ["*", "-1", ["^", 0, "20"]]]),
    "x² for the generator x": read(of_ideal(line("x")), "generators", [["^", 0, "2"]], forward=[[[[[0], "1"]]]]),
    "a function as a sum of positive terms": read(
        of_function(power_of("x", 2)), "two-sided", [["^", 0, "2"]], forward=[[[[[0], "1"]]]]
    ),
    "a square by the terms of a form": read(
        EXAMPLES["rootless edge"].certificate,
        "divergence",
        [["+", ["^", 0, "2"], ["*", "2", 0, 1], ["^", 1, "2"]]],
        forward=[[_ONE, [[[0, 0], "2"]], _ONE]],
    ),
    "everything in the ideal": everything_is_rest(*_ALL_OF_IT),
    "everything in the rest": everything_is_rest(*[[[], [], []]] * 3),
    # --- the rest
    # --- signs
    "a negative edge": negative_edge(),
    "two derivations that exclude each other": best_of_two(),
    "x² − y⁴": of_divergence(
        node(
            "split",
            germ(XY, "x^2 - y^4"),
            "3/4,1",
            {"live": [0], "unit": polynomial("1", XY), "cofactors": polynomials(["-1/2*x"], XY)},
            node("power", germ("y", "-1*y^4"), "1/4,1", {"exponent": 4, "unit": polynomial("-1", "y")}, line("y")),
        )
    ),
    # --- the top
    "no upper bound": of_ideal(
        node(
            "bounds",
            germ("x", "x"),
            "1,? < infinity,?",
            {"weights": None, "order": {"generator": 0, "direction": ["1"], "order": 1}},
        )
    ),
    # --- faces
    "a block with an unknown zero": spoiled(
        EXAMPLES["block of a face"].certificate, [["derivation/data/faces/3/proof", {"kind": "unknown"}]]
    ),
    "a zero that is none": circle_with_a_zero(),
    "a zero beside an unknown face": two_edges("edge", "unknown", "0,? < 1,2"),
    "a zero of no use": spoiled(
        EXAMPLES["cusp"].certificate, [["derivation/data/zeros", [{"face": 2, "points": None}]]]
    ),
    "zero and zeros": spoiled(EXAMPLES["line by sign"].certificate, [["derivation/data/zeros", []]]),
    # --- families
    "a unit that vanishes at another point": _zero_beside_a_unit(
        "crossing",
        {"factors": [{"variables": [0]}, {"variables": [1]}], "products": [{"indices": [0, 0], "unit": _ONE}]},
        of_x(),
        node("unit", germ("y", "1 + y"), "infinity,1", parameters="y"),
    ),
    "a factor that vanishes at another point": _zero_beside_a_unit(
        "generators",
        {
            "forward": [polynomials(["1"], XY)],
            "units": polynomials(["1 + y"], XY),
            "backward": [polynomials(["1 + y"], XY)],
            "backward_units": polynomials(["1"], XY),
        },
        _KEPT_X,
    ),
    "an inverse without parameters": spoiled(
        EXAMPLES["double line"].certificate, [["derivation/data/inverse", polynomials(["x + y", "y"], XY)]]
    ),
    "a map that moves the points": sheared_zero(),
    "a contraction of what is not homogeneous": _zero_beside_a_unit("contract", {"degrees": [-1, 1]}, _newton_in_x()),
    "a generator that is 0, beside roots": zero_beside_a_root(),
    "one root for two factors": one_root_twice(),
    "a symmetry that moves the centre": blown_up([2, 0, 1]),
    "one of two roots": root_left_out(["y - 2"], _BESIDE_A_ROOT),
    "no root of two": root_left_out([], _CUBE_OF_X),
    "a weight at one of two roots": weight_at_a_root(),
    "a sum in place of a factor": sum_in_place_of_a_factor(),
    "an order at one point of many": order_in_a_family(),
    # --- products
    "two blocks of one variable": of_ideal(
        node(
            "separable",
            germ("x", "x", "x^2"),
            "3/2,1",
            {"blocks": [{"variables": [0], "generators": [0]}, {"variables": [0], "generators": [1]}]},
            line("x"),
            power_of("x", 2),
        )
    ),
    "x² twice": of_divergence(
        node(
            "additive",
            germ("x", "2*x^2"),
            "1,1",
            {"blocks": [{"variables": [0]}, {"variables": [0]}]},
            power_of("x", 2),
            power_of("x", 2),
        )
    ),
    "x² + y² as two units": of_divergence(
        node(
            "additive",
            germ(XY, "x^2 + y^2"),
            "infinity,1",
            {"blocks": [{"variables": [0]}, {"variables": [1]}]},
            *(node("unit", germ(name, f"{name}^2 {by} 1"), "infinity,1") for name, by in (("x", "+"), ("y", "-"))),
        )
    ),
    "a summand of two generators": of_divergence(
        node(
            "additive",
            germ(XY, "x^2 + y^2"),
            "1,1",
            {"blocks": [{"variables": [0]}, {"variables": [1]}]},
            node("unit", germ("x", "x^2", "1"), "infinity,1"),
            power_of("y", 2),
        )
    ),
    "0·0": of_ideal(
        node(
            "crossing",
            germ(XY),
            "0,2",
            {"factors": [{"variables": [0]}, {"variables": [1]}], "products": []},
            nothing("x"),
            nothing("y"),
        )
    ),
    # --- ranks
    "zeros along a weighted variable": zeros_of(
        ["2*x + x^2 + y^2", "2*x^2 + x^3 + x*y^2"], "0,? < 1/2,1", _CONIC, prior="0 -1/2"
    ),
    "zeros that are a point": zeros_of(
        ["x^2"], "0,? < 2,1", {**along_y(), "parameters": [], "coordinates": polynomials(["0", "0"], "")}
    ),
    "a number without an inverse": no_inverse(),
    "roots, and no field": spoiled(EXAMPLES["rank"].certificate, [["derivation/data/roots", [1]]]),
    "one root twice": root_twice(),
    "a pivot that is no unit": spoiled(EXAMPLES["rank"].certificate, [["derivation/data/prime", 4]]),
    # --- closed forms
    "a ragged matrix": ragged(),
    "matrices that do not fit": unfitting(),
    # --- saddles
    "an arc beside rank 3": spoiled(
        EXAMPLES["quadric"].certificate, [["derivation/data/arc", polynomials(["t"] * 4, "t")]]
    ),
    "an arc beside a form": spoiled(
        EXAMPLES["nodes"].certificate, [["derivation/data/arc", polynomials(["t"] * 3, "t")]]
    ),
    "an arc below 1/2": of_ideal(
        edited(
            EXAMPLES["tacnode"].certificate,
            derivation__data__arc=polynomials(["-1*t^2", "t"], "t"),
            derivation__upper=["1", 1],
        )["derivation"]
    ),
    # --- charts
    "a cone by its edges": cone_by_its_edges(),
    "two matrices for one edge": spoiled(
        EXAMPLES["toric irrational"].certificate, [["derivation/data/charts/1/matrix", [[1, 1], [1, 2]]]]
    ),
    "a root outside of the quadrant": root_outside(),
    "a root without a chart": of_ideal(toric("x^2 - 2*x*y + y^2", "1,1", _SQUARE_OF_SUM, [])),
    "a second field": second_field(),
    # --- in the torus
    "a higher zero beside another": edited(_CURVE, derivation__data__proofs__0=_TWICE),
    "one edge for two": one_edge_twice(),
    "a ray that leaves": edited(_CURVE, derivation__data__zeros__0__rays=[[1, 2, 2], [3, 3, 4]]),
    "derivatives where none are needed": spoiled(KEPT["apart"], [[_proof("apart", "empty") + "/derived", [[0]]]]),
    "the order of two": edited(_CURVE, derivation__data__proofs__2__kind="order"),
    "a form in no monomial": spoiled(
        KEPT["forms"],
        [[f"{_proof('forms', 'definite')}/{key}", []] for key in ("roots", "gram")],
    ),
    "a zero of nothing": spoiled(
        _CURVE, [["derivation/data/zeros/0/factors", []], ["derivation/data/zeros/0/zero/solved", []]]
    ),
    # --- readings
    "a reading over a field": over(ROOT_TWO, KEPT["cross"]),
    "a function away from 0": edited(KEPT["moved"], reading__coordinates=[["sin", 0], None]),
    "a function that turns a boundary": said_of(
        "mixed", ["+", "-1", ["^", 1, "2"], ["exp", ["*", "-1", 0]]], coordinates=[["*", "-1", 0], None]
    ),
    "a product that is said to be K": product_said_to_be_K(),
    "minus K": minus_K(),
    "an indefinite form": said_of(
        "lines", ["+", ["cos", 0], ["*", "-1", ["cos", 1]]], forward=[[_HALF, [], _MINUS_HALF]]
    ),
    "a term with the other sign": said_of(
        "mixed",
        ["+", "-1", ["*", "-1", ["^", 1, "2"]], ["exp", 0]],
        forward=[[[[[0, 0], "-1"]], [[[0, 0], "1"], [[1, 0], "1/2"]]]],
    ),
    "cosh(1 + xy)": cross(["+", "1", ["*", 0, 1]]),
    "a logarithm that is left": said_of("cross", ["+", ["log", ["cosh", ["*", 0, 1]]], ["log", "2"]]),
    "exp of a logarithm": said_of("cross", ["exp", ["log", "2"]]),
    "the root of −1": said_of("cross", ["^", ["+", "-1", 0], "1/2"]),
    "the root of 2": said_of("cross", ["^", ["+", "2", 0], "1/2"]),
    # --- the format
    "a place that is no number": sparse({"x": 2}, {"1": 3}),
    "a place that is not there": sparse({"0": 2}, {"2": 3}),
    "places in no order": sparse({"1": 1, "0": 2}, {"1": 3}),
}


_SINGLE: dict[str, Json] = {}
for _certificate, _reason in WRONG:
    _count = sum(name.partition(" (")[0] == _reason for name in _SINGLE)
    _SINGLE[f"{_reason} ({_count + 1})" if _count else _reason] = _certificate

_KINDS = {"generators": of_ideal, "divergence": of_divergence, "two-sided": of_function}


def certificate(name: str) -> Json:
    """A certificate by its name, `written: …`, `by hand: …`, `one hypothesis: …` or `kept: …`; and, behind strokes,
    the step of it that is the root, what it is about, and `unstated` where K ≥ 0 is no hypothesis.
    """
    whole, *step = name.split("|")
    source, _, of = whole.partition(": ")
    if source == "written":
        found = EXAMPLES[of].certificate
    else:
        found = {"by hand": BY_HAND, "one hypothesis": _SINGLE, "kept": KEPT}[source][of]
    found = json.loads(json.dumps(found))
    if step:
        path, kind, *unstated = step
        for part in path.split("/"):
            found = found[int(part)] if part.isdigit() else found[part]
        found = _KINDS[kind](found)
        found["hypotheses"] = [] if unstated else found["hypotheses"]
    return dict(json.loads(json.dumps(found)))
