"""The twin of the rule `transversal`: every hypothesis is checked, whoever wrote the certificate.

The space curve is written by hand; the others are derived, and then spoiled.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections import Counter
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from handwriting import Json, bound, polynomial
from handwritten import EXAMPLES
from mutations import harmless, mutate

import ddtheory as dd
from ddtheory.certify import check
from ddtheory.certify.refusal import Refused
from ddtheory.certify.rules.table import RULES
from ddtheory.certify.rules.transversal import _check_membership, _vanishing
from ddtheory.certify.torus import shows_transversal_zero

CURVE = EXAMPLES["space curve"].certificate
DELETE = object()


def derived(*generators: str, **limits: Any) -> Json:
    """While tests are collected, limits are of wall time, on a machine that may be busy."""
    return dict(dd.rlct(generators=generators, seconds=600, **limits).to_json())


# the cone over the twisted cubic: the third generator is a combination of the others, cones are cut by walls
CUBIC = derived("a*c - b^2", "b*d - c^2", "a*d - b*c")
# no rational point on both cones: a box round one is shown
BOX = derived("x^2 + y^2 - 3*z^2", "x^3 + 2*y^3 - 5*z^3")
# the double plane x + y + z = 0 on a face, where w stands beside it
DOUBLE = derived("(x + y + z)^2*y + x^6", "x*y*w")
# two quadrics without a common real point: a combination of them is definite
FORMS = derived("2*x^2 + 2*x*y + 2*y^2 - z^2", "2*z^2 - x^2 + y*z")
# lowest parts that have no common zero although each of them has zeros
APART = derived("(x + y + z)^2*(x - y) + x^4", "x^2*y*z^3")


def data(certificate: Json) -> Json:
    node = certificate["derivation"]
    while node["rule"] != "transversal":
        (node,) = node["children"]
    return node["data"]


def edited(certificate: Json, path: str, value: Any) -> Json:
    found = json.loads(json.dumps(certificate))
    here: Any = data(found)
    *way, last = path.split("/")
    for step in way:
        here = here[int(step)] if isinstance(here, list) else here[step]
    key = int(last) if isinstance(here, list) else last
    if value is DELETE:
        del here[key]
    else:
        here[key] = value
    return dict(found)


@pytest.mark.parametrize("certificate", [CURVE, CUBIC, BOX, DOUBLE, FORMS, APART])
def test_accepted_as_it_is(certificate: Json) -> None:
    report = check(certificate)
    assert report.accepted and report.status == "exact", str(report)


def test_the_kinds_of_proof_that_are_spoiled_below() -> None:
    kinds = {proof["kind"] for c in (CURVE, CUBIC, BOX, DOUBLE, FORMS, APART) for proof in data(c)["proofs"]}
    assert kinds == {"edge", "independent", "sign", "definite", "empty", "order"}
    assert any("wall" in cone for cone in data(CUBIC)["cones"])
    assert any(zero["memberships"] for zero in data(CUBIC)["zeros"])
    assert any(zero["zero"]["radius"] != "0" for zero in data(BOX)["zeros"])


def test_a_bound_of_an_order_counts_in_the_programme() -> None:
    """The lowest part is (ad − bc)²: one factor of order 2 at its zeros, so κ ≥ 1/2 and no more."""
    found = derived("(a*d - b*c)^2 - a^2*e^3", depth=2)
    report = check(found)
    assert report.accepted and report.status == "bounds", str(report)
    assert found["lower"] == ["1/4", 1]


def test_a_form_that_is_the_combination_and_not_definite() -> None:
    """2x² + 2xy + 2y² − z² is itself a combination, written as the form that it is, and has zeros."""
    place = next(
        number for number, proof in enumerate(data(FORMS)["proofs"])
        if proof["kind"] == "definite" and len(proof["factors"]) == 2 and len(proof["roots"]) == 3
    )  # fmt: skip
    factor = data(FORMS)["proofs"][place]["factors"][0]
    terms = {tuple(e): c for e, c in data(FORMS)["factors"][factor]}
    half = {pair: str(Fraction(terms.get(pair, "0")) / 2) for pair in [(1, 1, 0), (1, 0, 1), (0, 1, 1)]}
    square = [terms.get(pair, "0") for pair in [(2, 0, 0), (0, 2, 0), (0, 0, 2)]]
    gram = [
        [square[0], half[1, 1, 0], half[1, 0, 1]],
        [half[1, 1, 0], square[1], half[0, 1, 1]],
        [half[1, 0, 1], half[0, 1, 1], square[2]],
    ]
    wrong = {**data(FORMS)["proofs"][place], "weights": ["1", "0"], "origin": [0, 0, 0]}
    wrong |= {"roots": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "gram": gram}
    assert "not definite" in str(check(edited(FORMS, f"proofs/{place}", wrong)))


def test_a_cofactor_that_grows_near_the_zero_is_refused() -> None:
    """x·x = 1·x² is an identity, and says nothing of x in ⟨x²⟩; x³ = x·x² does."""
    growing = SimpleNamespace(germ=SimpleNamespace(dimension=1, generators=[{(2,): 1}, {(1,): 1}]))
    with pytest.raises(Refused, match="not bounded"):
        _check_membership(growing, 1, [0], [(1,)], {"monomial": [1], "cofactors": [[[[0], "1"]]]})  # type: ignore[arg-type]
    bounded = SimpleNamespace(germ=SimpleNamespace(dimension=1, generators=[{(2,): 1}, {(3,): 1}]))
    _check_membership(bounded, 1, [0], [(1,)], {"monomial": [0], "cofactors": [[[[1], "1"]]]})  # type: ignore[arg-type]


def proof_of(certificate: Json, kind: str) -> int:
    return next(i for i, proof in enumerate(data(certificate)["proofs"]) if proof["kind"] == kind)


BOTH = "proofs/2"
ZERO = "zeros/0"
REFUSED: list[tuple[Json, str, Any, str]] = [
    # the generators as products
    (CURVE, "factors/0", polynomial("y^2 - 2*x*z", "x y z"), "a generator is not its product"),
    (CURVE, "factors/0", polynomial("1 + y^2", "x y z"), "does not vanish at the point"),
    (CURVE, "products/0/unit", polynomial("y", "x y z"), "vanishes at the point"),
    (CURVE, "products/0/monomial", [1, 0, 0], "a generator is not its product"),
    (CURVE, "products/0/powers", [[0, 2]], "a generator is not its product"),
    (CURVE, "products/0/powers", [[0, 1], [0, 1]], "stands twice"),
    (CURVE, "products", DELETE, "lacks products"),
    # every cone, once, with its own weight
    (CURVE, "cones/4", DELETE, "1 cones are not listed"),
    (CURVE, "cones/0/weight", [2, 2, 2], "not the sum of its rays"),
    (CURVE, "cones/0/weight", [1, 1, 2], "no compact face"),
    (CURVE, "cones/0/weight", [0, 0, 0], "no compact face|not the sum"),
    (CURVE, "cones/0/weight", [2, 3, 4], "listed twice"),
    (CURVE, "cones/0/kept", [], "no generator is kept"),
    (CURVE, "cones/0/kept", [2], "not below 2"),
    # with one generator fewer the bound is lower, and not what is claimed
    (CURVE, "cones/4/kept", [0], r"lower bound \(1, 1\), not \(17/12, 1\)"),
    # what is proven of the zeros
    (CURVE, "proofs/0", DELETE, "nothing is proven of the common zeros of the factors \\[0\\]"),
    (CURVE, BOTH, DELETE, r"nothing is proven of the common zeros of the factors \[0, 1\]"),
    (CURVE, BOTH + "/kind", "empty", "by the parts alone"),
    (CURVE, BOTH + "/kind", "order", "that of one part"),
    (CURVE, BOTH + "/kind", "edge", "does not know|parallel lines"),
    (CURVE, BOTH + "/kind", "sign", "does not know|one sign"),
    (CURVE, BOTH + "/kind", "trust", "no proof of the kind"),
    (CURVE, BOTH + "/factors", [1, 0], "not in order"),
    (CURVE, BOTH + "/derived", [[0, 0]], "not the monomial"),
    (CURVE, BOTH + "/derived", [[0]], "as many columns"),
    (CURVE, BOTH + "/derived", [[0, 2]], "a column that is not there"),
    (CURVE, BOTH + "/directions", [[1, 0, 0], [2, 0, 0]], "not the monomial"),
    (CURVE, BOTH + "/monomial", [4, -2, 0], "not the monomial"),
    (CURVE, BOTH + "/cofactors/2", [[[0, 0, 0], "-1/3"]], "not the monomial"),
    (CURVE, "proofs/0/kind", "sign", "one sign only"),
    (APART, f"proofs/{proof_of(APART, 'empty')}/cofactors/0", [], "not the monomial"),
    (DOUBLE, f"proofs/{proof_of(DOUBLE, 'order')}/derived", [], "entries|not the monomial"),
    (FORMS, f"proofs/{proof_of(FORMS, 'definite')}/weights/0", "2", "not this quadratic form"),
    (FORMS, f"proofs/{proof_of(FORMS, 'definite')}/gram/0/0", "0", "not definite|not this"),
    (FORMS, f"proofs/{proof_of(FORMS, 'definite')}/gram/1/0", "1/7", "not definite"),
    (FORMS, f"proofs/{proof_of(FORMS, 'definite')}/roots", [], "entries where|no monomial"),
    # a point that exists
    (CURVE, "zeros", [], r"upper bound \(3/2, 2\), not \(17/12, 1\)"),
    (CURVE, ZERO + "/rays", [[4, 5, 7]], "no zero"),
    (CURVE, ZERO + "/rays", [[1, 2, 2], [3, 3, 4]], "leaves the cone"),
    (CURVE, ZERO + "/rays", [[4, 5, 6], [8, 10, 12]], "not independent"),
    (CURVE, ZERO + "/rays", [[4, 5, -6]], "negative entry"),
    (CURVE, ZERO + "/rays", [[4, 0, 0]], "not positive"),
    (CURVE, ZERO + "/factors", [1], "not independent at the point"),  # y does not occur in x³ − z²
    (CURVE, ZERO + "/factors", [], "entries where 0|no polynomial"),
    (CURVE, ZERO + "/kept", [0], "memberships|membership"),
    (CURVE, ZERO + "/zero/point", ["1", "2", "1"], "no zero"),
    (CURVE, ZERO + "/zero/point", ["0", "0", "0"], "open orthant"),
    (CURVE, ZERO + "/zero/radius", "-1", "negative"),
    (CURVE, ZERO + "/zero/radius", "2", "open orthant"),
    (BOX, ZERO + "/zero/radius", "0", "no zero"),
    (BOX, ZERO + "/zero/radius", "1/1000000000000000000000000", "no zero is proven"),
    (CUBIC, ZERO + "/memberships", {}, "not exactly the others"),
]


@pytest.mark.parametrize(("certificate", "path", "value", "why"), REFUSED)
def test_a_broken_hypothesis_is_named(certificate: Json, path: str, value: Any, why: str) -> None:
    report = check(edited(certificate, path, value))
    assert not report.accepted
    assert report.rejection is not None
    assert re.search(why, report.rejection.reason), report.rejection.reason


def test_a_membership_is_an_identity_with_bounded_cofactors() -> None:
    (number,) = data(CUBIC)["zeros"][0]["memberships"]
    at = f"zeros/0/memberships/{number}"
    assert "not the combination" in str(check(edited(CUBIC, at + "/cofactors/0", [])))
    # f = Σ c_i f_i with a factor 1/x would put every generator into every ideal: the factor is not bounded
    monomial = data(CUBIC)["zeros"][0]["memberships"][number]["monomial"]
    raised = edited(CUBIC, at + "/monomial", [e + 1 for e in monomial])
    assert not check(raised).accepted


def test_a_wall_keeps_both_sides() -> None:
    place = next(i for i, cone in enumerate(data(CUBIC)["cones"]) if "wall" in cone)
    cone = data(CUBIC)["cones"][place]
    assert "lacks below" in str(check(edited(CUBIC, f"cones/{place}/below", DELETE)))
    assert not check(edited(CUBIC, f"cones/{place}/wall", [0] * 4)).accepted or cone["above"] == cone["below"]
    # what is kept on one side is not enough on the other: the multiplicity there is too large
    for side, other in (("above", "below"), ("below", "above")):
        assert not check(edited(CUBIC, f"cones/{place}/{side}", cone[other])).accepted, side


def test_a_double_zero_beside_another_factor_is_refused() -> None:
    """Where g_0 may vanish twice and g_1 with it, nothing says that both are coordinates."""
    part = {(1, 0): 1, (0, 1): -1}
    orders = {(0,): 2, (1,): 1, (0, 1): 1}
    system: Any = SimpleNamespace(
        products=[SimpleNamespace(powers={0: 1, 1: 1})], order=lambda chosen, _: orders[chosen]
    )
    with pytest.raises(Refused, match="vanishes together with others"):
        _vanishing(system, [part, part], [0])
    orders[0,] = 1
    assert _vanishing(system, [part, part], [0]) == [{}, {0: 1}, {1: 1}, {0: 1, 1: 1}]


@pytest.mark.parametrize(("radius", "proven"), [("9/10", False), ("11/10", True)])
def test_the_box_round_a_zero_holds_it(radius: str, proven: bool) -> None:
    """x − 1 from x = 2: the step is 1, so a smaller radius proves nothing, and there is no zero there."""
    value = {"point": ["2", "1"], "solved": [0], "radius": radius}
    with contextlib.nullcontext() if proven else pytest.raises(Refused, match="no zero is proven"):
        shows_transversal_zero([{(1, 0): 1, (0, 0): -1}], [False, False], value)


def test_a_square_is_never_transversal() -> None:
    """The control of every kind of proof: (x − y)² + z⁵ has a double zero on an edge, and is no smooth factor."""
    honest = derived("(x - y)^2*z + z^6", "x*y*z^2")
    text = json.dumps(honest)
    if '"transversal"' in text:
        for number, proof in enumerate(data(honest)["proofs"]):
            if proof["kind"] == "order":
                assert not check(edited(honest, f"proofs/{number}/kind", "independent")).accepted


@pytest.mark.long
@pytest.mark.parametrize("name", ["CURVE", "CUBIC", "BOX", "DOUBLE", "FORMS", "APART"])
def test_no_harmful_mutant_survives(name: str) -> None:
    certificate = globals()[name]
    rng = random.Random(name)
    table: Counter[str] = Counter()
    harmful: list[tuple[str, str]] = []
    for _ in range(400):
        mutant = mutate(certificate, rng, list(RULES), [CURVE])
        why = harmless(certificate, mutant) or "HARM" if check(mutant.certificate).accepted else "rejected"
        table[why] += 1
        if why == "HARM":
            harmful.append((mutant.kind, mutant.path))
    assert harmful == [], table
    assert table["rejected"] > 300


def test_the_pair_by_hand() -> None:
    """The order 10 of y² − xz and 12 of x³ − z² at the weights (4, 5, 6), with order 2 along the first: 17/12."""
    spoiled = json.loads(json.dumps(CURVE))
    for side in ("lower", "upper"):
        spoiled["derivation"][side] = bound("4/3,1")
        spoiled[side] = bound("2/3,1")
    spoiled["lambda"] = "2/3"
    assert "(17/12, 1), not (4/3, 1)" in str(check(spoiled))
