"""Every rule: certificates with a known pair are accepted, and each hypothesis that is broken is named."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from handwriting import Json, bound, cofactors, germ, node, of_divergence, of_ideal, polynomial, polynomials, proof
from handwritten import EXAMPLES, line, nothing, power_of

from ddtheory.certify import check
from ddtheory.certify.rules.table import RULES


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_pair_from_a_source_is_accepted(name: str) -> None:
    example = EXAMPLES[name]
    report = check(json.dumps(example.certificate))
    assert report.accepted, str(report)
    assert (report.lam, report.multiplicity) == example.pair
    assert report.status == ("bounds" if example.lam is None else "exact")
    assert report.document()["lower"] == example.certificate["lower"]


def test_every_rule_and_every_kind_of_proof_occurs() -> None:
    text = json.dumps([example.certificate for example in EXAMPLES.values()])
    rules, kinds = set(re.findall(r'"rule": "(\w+)"', text)), set(re.findall(r'"kind": "([\w-]+)"', text))
    assert rules == set(RULES) - {"unit"}  # the unit ideal has no λ; it is tested below
    on_faces = {"monomial", "sign", "edge", "cofactors", "additive", "unknown"}
    assert kinds == {"divergence", "generators", "two-sided", "independent"} | on_faces


def test_bounds_are_reported_as_bounds() -> None:
    report = check(EXAMPLES["best"].certificate)
    assert (report.lam, report.status) == (None, "bounds")
    assert (str(report.lower), str(report.upper)) == ("(1/4, ?)", "(1/3, 1)")


def at(certificate: Json, path: str) -> tuple[Any, Any]:
    """The container and the key that a path such as `derivation/data/weights/0` ends at."""
    *way, last = path.split("/")
    here: Any = certificate
    for step in way:
        here = here[int(step)] if isinstance(here, list) else here[step]
    return here, int(last) if isinstance(here, list) else last


DELETE = object()


def edited(name: str, edits: dict[str, Any]) -> Json:
    found = json.loads(json.dumps(EXAMPLES[name].certificate))  # without objects that occur twice
    for path, value in edits.items():
        container, key = at(found, path)
        if value is DELETE:
            del container[key]
        elif isinstance(container, list) and key == len(container):
            container.append(value)
        else:
            container[key] = value
    return found


D = "derivation/"
DD = D + "data/"
CHILD = D + "children/0/"
PROOF = DD + "faces/2/proof"
CONE_PROOF = DD + "faces/6/proof"

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    # the top
    ("cusp", {"format": "ddtheory-derivation/3"}, "the format is"),
    ("cusp", {"lambda": "5/6"}, "proves 5/12, not 5/6"),
    ("cusp", {"multiplicity": 2}, "proves 1, not 2"),
    ("cusp", {"multiplicity": True}, "proves 1, not True"),
    ("cusp", {"status": "bounds"}, "proves exact"),
    ("cusp", {"lower": bound("1/3,1")}, "proves"),
    ("cusp", {"upper": bound("5/12,?")}, "proves"),
    ("cusp", {"hypotheses": ["K >= 0 near the point"]}, "hypotheses must be"),
    ("split", {"hypotheses": ["K >= 0 near the point", "and much more"]}, "hypotheses must be"),
    ("cusp", {"input/kind": "divergence"}, "K takes negative values"),
    ("cusp", {"input/at": ["1", "0"]}, "not the input moved to the point"),
    ("cusp", {"input/germ/generators/0/0/1": "2"}, "not the input moved to the point"),
    ("weighted", {"input/at": ["0", "1"]}, "not free"),
    ("cusp", {"comment": "trust me"}, "does not know: comment"),
    ("double root", {"lambda": "1/3"}, "proves None, not 1/3"),
    # the tree
    ("cusp", {D + "rule": "trust"}, "no rule named 'trust'"),
    ("cusp", {D + "lower": bound("2/3,1")}, r"lower bound \(5/6, 1\), not \(2/3, 1\)"),
    ("cusp", {D + "germ/prior": ["0", "-1"]}, "not above −1"),
    ("cusp", {D + "germ/generators/0/0/1": "2/4"}, "lowest terms"),
    ("cusp", {D + "germ/generators/0/0/1": "0"}, "coefficient 0"),
    ("cusp", {D + "germ/generators/0/0/1": 1}, "no rational string"),
    ("cusp", {D + "germ/generators/0/0/0": [2]}, "1 entries where 2 are needed"),
    ("cusp", {D + "germ/generators/0/1/0": [2, 0]}, "twice"),
    ("cusp", {D + "germ/nonnegative": [0, 0]}, "neither true nor false"),
    ("cusp", {D + "parameters": [0]}, "no parameters"),
    ("cusp", {DD + "why": "because"}, "does not know: why"),
    ("zero", {D + "children": [nothing("x")]}, "no children"),
    ("zero", {D + "germ/generators": polynomials(["x"], "x")}, "not the input moved"),
    # zero, unit, variables
    ("smooth", {CHILD + "children/0/germ/generators": [polynomial("1", "")]}, "the number of generators differs"),
    ("smooth", {DD + "kept": [1]}, "must not contain"),
    ("smooth", {DD + "kept": [1, 0]}, "the number of variables differs"),
    # generators
    ("generators", {DD + "forward/1/0": polynomial("1", "x y")}, "row 1 of forward"),
    ("generators", {DD + "units/0": polynomial("x", "x y")}, "vanishes at the point"),
    ("generators", {DD + "backward": DELETE}, "lacks backward"),
    ("generators", {CHILD + "germ/prior": ["1", "0"]}, "the prior differs"),
    ("generators", {CHILD + "germ/generators/1": polynomial("x^2", "x y")}, "row 1 of forward"),
    # coordinates
    ("double line", {DD + "map/0": polynomial("x - y + 1", "x y")}, "does not fix the point"),
    ("double line", {DD + "map/1": polynomial("x - y", "x y")}, "singular"),
    ("double line", {DD + "map/0": polynomial("x + y", "x y")}, "not the transformed generator"),
    ("double line", {DD + "units/0": polynomial("x", "x y")}, "vanishes at the point"),
    (
        "double line",
        {"input/germ/prior": ["1", "0"], D + "germ/prior": ["1", "0"], CHILD + "germ/prior": ["1", "0"]},
        "moves variable 0, which is not free",
    ),
    (
        "double line",
        {
            "input/germ/nonnegative": [True, False],
            D + "germ/nonnegative": [True, False],
            CHILD + "germ/nonnegative": [True, False],
        },
        "takes negative values|not free",
    ),
    # eliminate, power, squares
    ("hidden parabola", {CHILD + "data/variable": 1}, "not regular"),
    ("hidden parabola", {CHILD + "data/cofactors/0/0": polynomial("z", "x y z")}, "A_j vanishes"),
    ("hidden parabola", {CHILD + "data/cofactors/0/1": polynomial("1", "x y z")}, "must not contain"),
    ("hidden parabola", {DD + "coefficients": ["1", "-3"]}, "not positive"),
    ("hidden parabola", {DD + "coefficients": ["1", "2"]}, "not this sum of squares"),
    ("moved", {DD + "exponent": 3}, "not this power"),
    ("moved", {DD + "exponent": 0}, "less than 1"),
    ("moved", {DD + "unit": polynomial("x", "x")}, "vanishes"),
    ("moved", {"input/at": ["2"]}, "not the input moved"),
    # rank
    ("rank", {DD + "generators": [0]}, "proves the upper bound|lower bound"),
    ("rank", {DD + "generators": [0, 0]}, "twice"),
    ("rank", {DD + "prime": 2}, "not shown to have independent"),
    ("rank", {DD + "prime": 6}, "divides a denominator or a pivot"),
    ("rank", {DD + "roots": [1]}, "no field"),
    ("rank", {D + "germ/generators/1": polynomial("4*x - x*y", "x y")}, "not the input moved"),
    ("bracket", {DD + "generators": [0, 1]}, "not shown to have independent"),
    ("bracket", {D + "upper": ["1", 1], "upper": ["1/2", 1]}, "proves the upper bound"),
    ("conic", {DD + "zeros/coordinates/0": polynomial("r - t^2*r", "t r")}, "do not pass through the point"),
    ("conic", {DD + "zeros/coordinates/1": polynomial("3*t*r", "t r")}, "not shown to vanish along"),
    ("conic", {DD + "zeros/coordinates/1": polynomial("2*t^2*r", "t r")}, "directions of the zeros"),
    ("conic", {DD + "zeros/denominators/0": polynomial("1 + t^2 + r", "t r")}, "contains a reciprocal"),
    ("conic", {DD + "zeros/denominators/0": polynomial("2 + t^2", "t r")}, "is not 1 where"),
    ("conic", {DD + "zeros/denominators/0": polynomial("1 + 2*t^2", "t r")}, "not shown to vanish along"),
    ("orbit", {DD + "zeros/fields/0/1/1": polynomial("-1 + y", "x y z")}, "does not annihilate"),
    ("orbit", {DD + "zeros/fields/0/0/0": 2}, "does not annihilate"),
    ("orbit", {DD + "zeros/fields/1": [[2, polynomial("1", "x y z")]]}, "directions of the zeros|annihilate"),
    (
        "orbit",
        {"input/germ/nonnegative": [False, False, True], D + "germ/nonnegative": [False, False, True]},
        "move a variable that is not free",
    ),
    ("irrational point", {DD + "roots": [3]}, "does not have these roots"),
    ("irrational point", {DD + "roots": [3, 3]}, "does not have these roots"),
    ("irrational point", {DD + "prime": 5, DD + "roots": []}, "does not have these roots"),
    ("irrational point", {"input/at": [["0", "-1"]]}, "not the input moved"),
    # substitution
    ("substitution", {DD + "steps": [[0, 1]]}, "no unit"),
    ("substitution", {DD + "steps": [[1, 2]]}, "the variables differs"),
    ("substitution", {DD + "steps": [[0, 0], [0, 2]]}, "that is gone"),
    ("substitution", {DD + "steps": []}, "number of generators|number of variables"),
    ("substitution", {CHILD + "germ/generators/0": polynomial("z + z^2 + y^2*z", "y z")}, "generator 0 of the child"),
    # split
    ("split", {DD + "live": [1]}, "not definite"),
    ("split", {DD + "live": [0, 0]}, "twice"),
    ("split", {DD + "live": []}, "no variable"),
    ("split", {DD + "cofactors/0": polynomial("-1/2*x", "x y")}, "must not contain"),
    ("split", {DD + "unit": polynomial("y", "x y")}, "unit vanishes"),
    # square
    ("square", {DD + "variable": 2}, "second derivative vanishes|must not contain|not the germ"),
    ("square", {DD + "monomial": [1, 0, 0]}, "second derivative vanishes"),
    ("square", {DD + "monomial": [3, 0, 0]}, "does not divide"),
    ("square", {DD + "cofactor": polynomial("-1/2*v", "x v y")}, "contains the variable"),
    ("square", {DD + "unit": polynomial("x", "x v y")}, "unit vanishes"),
    ("square", {CHILD + "germ/generators/0/1/1": "-1"}, "generator 0 differs"),
    # blocks
    ("separable", {DD + "blocks/1/variables": [0]}, "must not contain|not the germ"),
    ("separable", {D + "children/1": DELETE}, "one child for every block"),
    ("separable", {DD + "blocks/1": DELETE, D + "children/1": DELETE}, "do not partition the variables"),
    ("separable", {D + "children/1": power_of("y", 4)}, "generator 0 differs"),
    ("additive", {D + "children/1": power_of("y", 2)}, "not the sum"),
    ("additive", {DD + "blocks/1": DELETE, D + "children/1": DELETE}, "do not partition"),
    ("crossing", {DD + "products/0/unit": polynomial("1", "x y")}, "not the product"),
    ("crossing", {DD + "factors/1/variables": [0]}, "not the germ|not partition"),
    (
        "product of ideals",
        {DD + "products/1": {"indices": [0, 0], "unit": polynomial("1", "x y z")}},
        "not the product",
    ),
    # Newton: the programme
    ("cusp", {DD + "weights": ["1/2", "1/2"]}, "not optimal"),
    ("cusp", {DD + "weights": ["1/3", "1/2"]}, "not feasible"),
    ("cusp", {DD + "multipliers": ["1/2", "1/4"]}, "not optimal"),
    ("cusp", {DD + "multipliers": ["1", "-1/6"]}, "negative"),
    ("cusp", {DD + "multipliers": ["5/6", "0"]}, "not feasible"),
    ("cusp", {DD + "support/1": [0, 4]}, "support is not"),
    ("cusp", {DD + "multiplicity": 2}, "multiplicity of the programme is 1"),
    # Newton: the faces
    ("cusp", {DD + "faces/2": DELETE}, "1 compact faces are not listed"),
    ("cusp", {DD + "faces/1": DELETE}, "1 compact faces are not listed"),
    ("cusp", {DD + "faces/1": {"exponents": [[2, 0]], "proof": proof("monomial 0")}}, "listed twice"),
    ("rootless edge", {DD + "faces/2/exponents": [[2, 0], [0, 2]]}, "no compact face, or not all"),
    ("cusp", {PROOF: proof("monomial 0")}, "not one term"),
    ("cusp", {PROOF: proof("sign 0")}, "odd powers"),
    ("hyperbola", {PROOF: proof("sign 0"), DD + "zeros": []}, "both signs"),
    ("cusp", {PROOF: proof("monomial 1")}, "not below 1"),
    ("cusp", {PROOF: {"kind": "obvious"}}, "no proof of the kind"),
    ("cusp", {PROOF: proof("unknown")}, r"lower bound \(0, \?\)"),
    ("cone", {CONE_PROOF: proof("edge")}, "not an edge"),
    ("cone", {CONE_PROOF: cofactors("x y z", 1, "x", (0, "x", "1/2"))}, "derivative of order 1 proves nothing"),
    ("cone", {CONE_PROOF: cofactors("x y z", 2, "y", (0, "x", "1/2"))}, "not the monomial"),
    ("cone", {CONE_PROOF: cofactors("x y z", 3, "x", (0, "x", "1/2"))}, "not bounded by 1"),
    ("block of a face", {DD + "faces/6/proof/exponents": [[2, 0, 0], [1, 1, 0]]}, "shares variables"),
    ("block of a face", {DD + "faces/6/proof/exponents": []}, "no proper part"),
    ("block of a face", {DD + "faces/3/proof": proof("unknown")}, "no face that is proven"),
    ("block of a face", {"input/kind": "generators", "hypotheses": []}, "known not to change sign"),
    # Newton: the sign
    ("hyperbola", {DD + "zeros": []}, r"\(1, \?\)"),
    ("hyperbola", {DD + "zeros/0/face": 1}, "not bounded by 1"),
    ("hyperbola", {DD + "zeros/1": {"face": 2, "points": None}}, "two zeros"),
    ("line by sign", {DD + "zero/points/1": ["2", "1"]}, "not in one open orthant"),
    ("line by sign", {DD + "zero/points/1": ["0", "-1"]}, "not in one open orthant"),
    ("line by sign", {DD + "zero/points/1": ["1", "-3"]}, "not opposite"),
    ("diagonal of quadrant", {DD + "zero/points": [["-1", "-2"], ["-2", "-1"]]}, "orthant of the domain"),
    ("cone", {DD + "zeros/0/points": None}, "not an edge"),
    ("cusp", {DD + "zeros": [{"face": 2, "points": None}]}, "of use only"),
    (
        "product of ideals",
        {
            "input/germ/generators/1": polynomial("x*z", "x y z"),
            D + "germ/generators/1": polynomial("x*z", "x y z"),
            DD + "products/1/indices": [0, 0],
        },
        "not every product of generators",
    ),
    # toric charts
    ("toric", {DD + "charts": [], D + "children": []}, "1 real roots on an edge have no chart"),
    ("toric", {DD + "charts/0/root": "-1"}, "no root of the face ideal"),
    ("toric", {DD + "charts/0/matrix": [[1, 0], [1, 2]]}, "not unimodular"),
    ("toric", {DD + "charts/0/matrix": [[2, 1], [1, 1]]}, "not the primitive normal"),
    ("toric", {DD + "charts/0/face": 0}, "no edge"),
    ("toric", {CHILD + "germ/prior": ["2", "0"]}, "the prior differs"),
    ("toric quadrant", {CHILD + "germ/nonnegative": [False, False]}, "the nonnegative differs"),
    ("toric wall", {CHILD + "germ/nonnegative": [False, False]}, "the nonnegative differs"),
    ("toric wall", {DD + "charts/0/matrix": [[1, 1], [1, 0]]}, "both odd"),
    ("toric even wall", {CHILD + "germ/nonnegative": [True, False]}, "the nonnegative differs"),
    ("toric even wall", {DD + "charts": [], D + "children": []}, "1 real roots on an edge have no chart"),
    (
        "toric irrational",
        {DD + "charts/1": DELETE, D + "children/1": DELETE},
        "1 real roots on an edge have no chart",
    ),
    (
        "toric irrational",
        {DD + "charts/1/root": {"minimal_polynomial": ["-1", "0", "2"], "interval": ["0", "1"]}},
        "two charts",
    ),
    (
        "toric irrational",
        {DD + "charts/1/root": {"minimal_polynomial": ["-1", "0", "3"], "interval": ["-1", "0"]}},
        "no root of the face ideal",
    ),
    (
        "toric irrational",
        {CHILD + "germ/field/interval": ["-2", "2"]},
        "2 roots in its interval",
    ),
    ("toric irrational", {CHILD + "germ/field/interval": ["1/2", "1"]}, "the field differs"),
    # blow-ups
    ("blowup", {DD + "symmetries": {}}, "left out have a symmetry"),
    ("blowup", {DD + "symmetries": {"1": [0, 1]}}, "leads to a chart that is not there"),
    ("blowup", {DD + "centre": [0]}, "fewer than two"),
    ("blowup", {CHILD + "parameters": []}, "other parameters"),
    ("blowup", {CHILD + "germ/prior": ["0", "0"]}, "the prior differs"),
    ("determinant", {DD + "symmetries/1": [1, 0, 2, 3]}, "changes the ideal"),
    ("determinant", {CHILD + "data/inverse/3": polynomial("d - b*c", "a b c d")}, "do not undo"),
    ("determinant", {CHILD + "data/map/0": polynomial("a + b", "a b c d")}, "not free"),
    ("determinant", {CHILD + "children/0/children/0/data/degrees": [1, -1]}, "degree of a parameter"),
    ("determinant", {CHILD + "children/0/children/0/rule": "newton"}, "nothing of a germ with parameters"),
    # families
    ("three lines", {DD + "forms/2": ["1", "1"]}, "not the product of the powers"),
    ("three lines", {DD + "forms/2": ["0", "2"]}, "proportional"),
    ("three lines", {DD + "exponents": [1, 1, 2]}, "not the product of the powers"),
    ("powers", {DD + "unit": polynomial("x", "x y")}, "unit vanishes"),
    ("product of matrices", {DD + "matrices/1/0": [4, 6]}, "exactly once|not the entries"),
    ("product of matrices", {DD + "matrices/1/0": [1, 0]}, "not the entries"),
    ("product of matrices", {DD + "widths": [2, 2, 3]}, "have the widths"),
    ("product of matrices", {DD + "point": [[["1", "0"], ["0", "0"]], [["0", "0"], ["0", "0"]]]}, "not the entries"),
    ("product of matrices", {DD + "point": [[["0", "0"], ["0", "0"]]]}, "has 1 entries|not 2|length"),
    ("product at a point", {DD + "point": DELETE}, "not the entries"),
    ("product at a point", {DD + "point/0/0/0": "2"}, "not the entries"),
    ("product at a point", {DD + "point/1/1/1": "1"}, "not the entries"),
    ("product at a point", {D + "germ/prior/7": "1", "input/germ/prior/7": "1"}, "not free"),
    ("product at a point", {D + "lower": bound("3,1"), D + "upper": bound("3,1")}, "the rule proves"),
    ("scalars", {DD + "matrices": [[[0]], [[1], [2]]], DD + "widths": [1, 1, 2]}, "not the entries"),
    ("minors", {DD + "size": 1}, "not the minors"),
    ("minors", {DD + "matrix": [[0, 1, 2], [4, 3, 5]]}, "not the minors"),
    # critical points up to a degree
    ("jet", {DD + "critical/0": polynomial("0", "x y")}, "do not vanish below degree 3"),
    ("jet", {DD + "critical/0": polynomial("-2*y^2", "x y")}, "do not vanish below degree 3"),
    ("jet", {DD + "critical/0": polynomial("-1*y^2 + x", "x y")}, "depends on what is split off"),
    ("jet", {DD + "critical/0": polynomial("1 - y^2", "x y")}, "not at the point"),
    ("jet", {DD + "degree": 6}, "generator 0 differs"),
    ("jet", {DD + "degree": 4}, "generator 0 differs"),
    ("jet", {DD + "live": [1]}, "not definite"),
    ("jet", {DD + "live": []}, "no variable"),
    ("jet", {D + "germ/prior/0": "1", "input/germ/prior/0": "1"}, "not free"),
    ("jet", {"input/kind": "two-sided", "hypotheses": []}, "known not to change sign"),
    (
        "jet",
        {CHILD + "rule": "power", CHILD + "data": {"exponent": 4, "unit": []}},
        "only what a Newton polyhedron says",
    ),
    # generators that change sign
    ("two-sided", {"input/kind": "divergence"}, "K takes negative values"),
    ("two-sided", {"input/kind": "generators"}, "proves 3/8|proves .*not"),
    ("two-sided", {"input/kind": "both"}, "neither a divergence"),
    ("two-sided", {"input/kind": None}, "no string"),
    ("two-sided", {"hypotheses": ["K >= 0 near the point"]}, "hypotheses must be"),
    ("generators", {"input/kind": "two-sided"}, "any sign is one generator"),
    ("quadric", {DD + "live": [0, 1]}, "an arc is missing"),
    ("quadric", {DD + "live": [0, 2]}, "degenerate"),
    ("quadric", {DD + "live": [2]}, "fewer than two"),
    ("quadric", {DD + "live": [0, 1, 3]}, "not free"),
    ("quadric", {DD + "arc": polynomials(["0", "0", "0", "t"], "t")}, "needs no arc"),
    ("quadric", {D + "lower": bound("1,2"), D + "upper": bound("1,2")}, r"proves the lower bound \(1, 1\)"),
    ("saddle", {DD + "arc/1": polynomial("0", "t")}, "too far from the critical points"),
    ("saddle", {DD + "arc": polynomials(["0", "0", "t^2"], "t")}, "too far from the critical points"),
    ("saddle", {DD + "arc": polynomials(["t", "0", "0"], "t")}, "vanishes along the arc"),
    ("saddle", {DD + "arc/2": polynomial("1 + t", "t")}, "does not begin at the point"),
    ("saddle", {DD + "arc": DELETE}, "an arc is missing"),
    ("saddle", {D + "upper": bound("1,2")}, "proves the upper bound"),
    ("two sheets", {DD + "arc/2": polynomial("-1*t", "t")}, "leaves the domain"),
    ("two sheets", {DD + "arc/0": polynomial("t", "t")}, "has the sign of its definite part"),
    ("two sheets", {DD + "arc": DELETE}, "an arc is missing"),
    ("two sheets", {D + "germ/prior/0": "1", "input/germ/prior/0": "1"}, "not free"),
    ("nodes", {DD + "arc": polynomials(["0", "0", "t"], "t")}, "an arc shows nothing"),
    ("nodes", {D + "lower": bound("1,1"), D + "upper": bound("1,1")}, "proves the lower bound"),
    ("tacnode", {DD + "variable": 1}, "degenerate"),
    ("tacnode", {DD + "unit": polynomial("x", "x y")}, "unit vanishes"),
    ("tacnode", {DD + "unit": polynomial("1", "x y")}, "uses a variable"),
    ("tacnode", {DD + "arc": polynomials(["-1*t^2", "t"], "t")}, "says nothing beside a value up to 1/2"),
    ("suspended cusp", {DD + "arc/1": polynomial("t", "t")}, "has the sign of the square"),
    ("suspended cusp", {DD + "arc": DELETE}, r"proves the upper bound \(4/3, 1\)"),
    ("tie", {D + "lower": bound("1,2")}, r"proves the lower bound \(1, 3\)"),
    # bounds
    ("bounds", {DD + "weights": ["-1", "1"]}, "negative"),
    ("bounds", {DD + "weights": ["0", "0"]}, "order 0"),
    ("bounds", {DD + "order/order": 2}, "the order along the direction is 3"),
    ("bounds", {DD + "order/direction": ["1", "1"]}, "vanishes along"),
    ("on an axis", {DD + "order/generator": 1}, "not below 1"),
]


@pytest.mark.parametrize(("name", "edits", "reason"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_broken_hypothesis_is_refused(name: str, edits: dict[str, Any], reason: str) -> None:
    report = check(edited(name, edits))
    assert not report.accepted
    assert report.rejection is not None and re.search(reason, str(report)), str(report)
    assert report.lam is report.lower is report.status is None


def test_a_rejection_names_the_node_and_the_rule() -> None:
    report = check(edited("hidden parabola", {CHILD + "data/variable": 1}))
    assert report.rejection is not None
    assert (report.rejection.path, report.rejection.rule) == ("derivation/children/0", "eliminate")
    assert [step.rule for step in report.checked] == ["squares"]  # what was found good before


def test_a_unit_has_no_threshold() -> None:
    report = check(of_ideal(node("unit", germ("x", "x + 2"), "infinity,1")))
    assert report.accepted and report.lam is None and report.document()["lower"] == ["infinity", 1]
    assert not check(of_ideal(node("unit", germ("x", "x"), "infinity,1"))).accepted
    block = {"blocks": [{"variables": [0], "generators": [0]}, {"variables": [1], "generators": [1]}]}
    unit = node("unit", germ("y", "y + 2"), "infinity,1")
    assert check(
        of_ideal(node("separable", germ("x y", "x^2", "y + 2"), "infinity,1", block, power_of("x", 2), unit))
    ).accepted


@pytest.mark.parametrize("sign", ["+", "-"])
def test_a_chart_is_needed_on_either_side(sign: str) -> None:
    """(x ± y)²: the root u = ∓1 is real either way, and no list of charts may leave it out."""
    certificate = json.loads(json.dumps(EXAMPLES["toric"].certificate).replace('"-2"', f'"{sign}2"'.replace("+", "")))
    certificate["derivation"]["data"]["charts"][0]["root"] = "1" if sign == "-" else "-1"
    assert check(certificate).accepted
    top = certificate["derivation"]
    top["children"], top["data"]["charts"] = [], []
    top["lower"] = top["upper"] = ["1", 1]
    assert "1 real roots on an edge have no chart" in str(check(certificate))


def test_a_bound_above_is_needed_at_the_top() -> None:
    open_node = node("bounds", germ("x y", "x^2 + y^3"), "1/2,? < infinity,?", {
        "weights": None, "order": {"generator": 0, "direction": ["1", "0"], "order": 2},
    })  # fmt: skip
    assert "upper bound" in str(check(of_ideal(open_node)))


def test_rules_that_need_a_sign_refuse_without_it() -> None:
    """x² − y² as a sum would have (1, 1), and split would give ½ + ½; the truth is (1, 2)."""
    split = {"live": [0], "unit": polynomial("1", "x y"), "cofactors": polynomials(["-1/2*x"], "x y")}
    rest = node("power", germ("y", "-1*y^2"), "1/2,1", {"exponent": 2, "unit": polynomial("-1", "y")}, line("y"))
    for rule, data, children in (
        ("split", split, [rest]),
        ("additive", {"blocks": [{"variables": [0]}, {"variables": [1]}]}, [power_of("x", 2), rest]),
    ):
        wrong = node(rule, germ("x y", "x^2 - y^2"), "1,1", data, *children)
        assert "known not to change sign" in str(check(of_ideal(wrong)))
        assert "takes negative values" in str(check(of_divergence(wrong)))  # a vertex contradicts the hypothesis
