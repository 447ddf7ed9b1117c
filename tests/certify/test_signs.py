"""K ≥ 0: proven by the steps, refuted with an arc, or assumed in so many words. Judged by looking at points."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
import sympy
from handwriting import Json, cofactors, germ, newton_data, node, of_divergence, polynomial, polynomials
from handwritten import EXAMPLES, monomial, power_of, toric
from hypothesis import given
from hypothesis import strategies as st
from mutations import places
from sampling import seen

from ddtheory.certify import check, signs
from ddtheory.certify.arcs import BothSigns, refute_by_quadratic_part, signs_by_faces
from ddtheory.certify.germs import Malformed, read_germ, read_node
from ddtheory.certify.rules.table import RULES

NONNEGATIVE = "K >= 0 near the point"


def open_bounds(names: str, text: str, nonnegative: str = "", upper: str = "infinity,?") -> Json:
    """Nothing is claimed of K but that it is a divergence."""
    found = germ(names, text, nonnegative=nonnegative)
    claim = {"weights": ["1"] * len(names.split()), "order": None}
    degree = min(sum(exponent) for exponent, _ in found["generators"][0])
    return of_divergence(node("bounds", found, f"0,? < {Fraction(len(names.split()), degree)},?", claim))


def shown_to_be_negative(reason: str, names: str, text: str) -> None:
    """The arc of a refusal, read again by sympy: K is negative on it for small t."""
    found = re.search(r"along (.*?) it is (.*?) \+ higher", reason)
    assert found, reason
    t = sympy.Symbol("t", positive=True)
    symbols = {name: sympy.Symbol(name) for name in names.split()}
    arc = {
        symbols[name]: sympy.sympify(value.replace("^", "**"), locals={"t": t})
        for name, value in (entry.split(" = ") for entry in found[1].split(", "))
    }
    K = sympy.sympify(text.replace("^", "**"), locals=symbols)
    series = sympy.expand(K.subs(arc, simultaneous=True))
    lowest = min(sympy.Poly(series, t).terms())
    claimed = sympy.sympify(found[2].replace("^", "**"), locals={"t": t})
    assert lowest[1] < 0 and sympy.expand(claimed - lowest[1] * t ** lowest[0][0]) == 0


NEGATIVE = [
    ("x y", "x^2 - 3*x*y + y^2"),
    ("x y", "x^2 - y^2"),
    ("x y", "x*y"),
    ("x y", "x^3 + y^2"),
    ("x y", "-1*x^2 - y^2"),
    ("x y", "x^2 + y^4 - 3*x*y^2"),
    ("x y z", "x^2 + y^2 + z^2 - 3*x*y + z^4"),
    ("x y z", "x^4 + y^4 + z^4 - 4*x^2*y*z"),
    ("x y z", "x*y^2 + x*z^2"),
    ("x y", "x^4 - 3*x^2*y^3 + y^6"),
    ("x y", "x + x^2"),
    ("x y z w", "x^2 + 2*x*y + y^2 + z*w"),
    ("x y", "x^2*y^2 - x^3*y^3 - x*y^5"),
]


@pytest.mark.parametrize(("names", "text"), NEGATIVE, ids=lambda value: value)
def test_what_is_negative_somewhere_is_no_divergence(names: str, text: str) -> None:
    report = check(open_bounds(names, text))
    assert report.rejection is not None and "K takes negative values near the point" in report.rejection.reason
    if text != "-1*x^2 - y^2":  # negative everywhere, and said to be
        shown_to_be_negative(report.rejection.reason, names, text)


def test_it_is_seen_from_another_place_as_well() -> None:
    """K(x − 1, y + ½) at (1, −½): the arc starts there."""
    given_germ = germ("x y", "x^2 - 2*x + 1 - 3*x*y + 3*y - 3/2*x + 3/2 + y^2 + y + 1/4")
    moved = open_bounds("x y", "x^2 - 3*x*y + y^2")
    report = check({**moved, "input": {"kind": "divergence", "germ": given_germ, "at": ["1", "-1/2"]}})
    assert report.rejection is not None and "along x = 1 + 3*t, y = -1/2 + 2*t it is -5*t^2" in report.rejection.reason


def test_the_certificate_that_was_accepted_once() -> None:
    """x² − 3xy + y² as (1, 1): by a simple zero that "cannot be" on its edge, and by the splitting lemma."""
    text = "x^2 - 3*x*y + y^2"
    no_zero = cofactors("x y", 2, "y", (0, "x", "-3/5"), (0, "y", "-2/5"))
    faces = {"x^2": "monomial 0", "y^2": "monomial 0", "x^2, x*y, y^2": no_zero}
    data = newton_data("x y", "1/2 1/2", {"x^2": "1/2", "y^2": "1/2"}, 1, faces)
    by_cofactors = of_divergence(node("newton", germ("x y", text), "1,1", data))
    by_splitting = of_divergence(
        node(
            "split",
            germ("x y", text),
            "1,1",
            {"live": [0], "unit": polynomial("1", "x y"), "cofactors": polynomials(["-1/2*x + 3/4*y"], "x y")},
            node("newton", germ("y", "-5/4*y^2"), "1/2,1", monomial("y", "y^2", "1/2", "1/2", "1/2,1")["data"]),
        )
    )
    for certificate in (by_cofactors, by_splitting):
        report = check(certificate)
        assert report.rejection is not None
        shown_to_be_negative(report.rejection.reason, "x y", text)
    # with the root not looked at, the leaves still decide
    for certificate in (by_cofactors, by_splitting):
        root = read_node(certificate["derivation"], "derivation", True, frozenset({"split"}))
        assert RULES[root.rule].check(root) == root.claim
        with pytest.raises(Malformed, match="takes both signs"):
            signs.is_proven(root)


def test_what_the_root_does_not_show_the_leaves_show() -> None:
    """(x − 7y)² − y⁴ is a square on the edge of its polygon, and beyond it negative."""
    certificate = of_divergence(split("x^2 - 14*x*y + 49*y^2 - y^4", "1", "-1/2*x + 7/2*y", "-1*y^4"))
    report = check(certificate)
    assert report.rejection is not None and report.rejection.path == "input"  # the plane is decided before any step
    root = read_node(certificate["derivation"], "derivation", True, frozenset({"split"}))
    with pytest.raises(Malformed, match="what is left beside the square that is split off has the other sign"):
        signs.is_proven(root)
    right = of_divergence(split("x^2 - 14*x*y + 49*y^2 + y^4", "1", "-1/2*x + 7/2*y", "y^4"))
    assert check(right).proven == (NONNEGATIVE,)


def test_a_hypothesis_may_be_left_out_only_when_it_is_proven() -> None:
    split = json.loads(json.dumps(EXAMPLES["split"].certificate))
    report = check({**split, "hypotheses": []})
    assert report.accepted and report.proven == (NONNEGATIVE,) and report.hypotheses == ()
    assert check(split).proven == (NONNEGATIVE,)
    # (x² + 3xy − yz)² + (y² − 2xz)² + (z² + xy − 3x²)², which nothing shows once it is expanded
    squares = "10*x^4 + 10*x^2*y^2 - 2*x^2*y*z - 2*x^2*z^2 - 10*x*y^2*z + 2*x*y*z^2 + y^4 + y^2*z^2 + z^4"
    quartic = {**open_bounds("x y z", squares), "hypotheses": [NONNEGATIVE]}
    report = check(quartic)
    assert report.accepted and report.proven == () and report.hypotheses == (NONNEGATIVE,)
    assert f"assumed, and neither proven nor refuted here: {NONNEGATIVE}" in str(report)
    report = check({**quartic, "hypotheses": []})
    assert report.rejection is not None and report.rejection.path == "hypotheses"
    assert "hypotheses must be" in str(check({**quartic, "hypotheses": ["K is nice"]}))


def test_an_ideal_has_no_sign() -> None:
    report = check(json.loads(json.dumps(EXAMPLES["hyperbola"].certificate)))
    assert report.accepted and report.proven == report.hypotheses == ()


# --- every rule -------------------------------------------------------------------------------------------------------


def test_every_rule_says_what_becomes_of_the_sign() -> None:
    assert set(signs.SIGNS) == set(RULES)


def nodes_of(certificate: Json) -> Iterator[Json]:
    for _, found in places(certificate):
        if isinstance(found, dict) and "rule" in found:
            yield found


def judged(written: Json) -> str:
    """What the checker says of the sign of a node that holds, against the signs at points."""
    parameters = written.get("parameters", [])
    looked = seen(written["germ"], written["germ"]["generators"][0], parameters)
    try:
        found = signs.signs(read_node(written, "derivation", False, frozenset()))
    except Malformed:
        assert looked == {1, -1}, written
        return "both"
    if found is None:
        return "open"
    assert looked <= set(found), written
    return "zero" if not found else "one"


@pytest.mark.long
def test_the_signs_of_every_node_are_those_at_points() -> None:
    """All nodes with one generator of all examples, divergences or not."""
    table: Counter[str] = Counter()
    rules: dict[str, set[str]] = {}
    for example in EXAMPLES.values():
        for written in nodes_of(json.loads(json.dumps(example.certificate))):
            if len(written["germ"]["generators"]) == 1 and written["germ"]["field"] is None:
                outcome = judged(written)
                table[outcome] += 1
                rules.setdefault(written["rule"], set()).add(outcome)
    print(table, rules)
    assert min(table["one"], table["both"]) > 20 and table["open"] < 8


def same(names: str, forward: str, unit: str, child: Json, of: str) -> Json:
    """f = backward · child and unit · child = forward · f."""
    data = {
        "forward": [polynomials([forward], names)],
        "units": polynomials([unit], names),
        "backward": [polynomials([unit], names)],
        "backward_units": polynomials([forward], names),
    }
    return node("generators", germ(names, of), "1/2,1", data, child)


def changed_to_a_square(of: str, unit: str) -> Json:
    data = {"map": polynomials(["x - y", "y"], "x y"), "units": polynomials([unit], "x y")}
    child = monomial("x y", "x^2", "1/2 0", "1/2", "1/2,1")
    return node("coordinates", germ("x y", of), "1/2,1", data, child)


def split(of: str, unit: str, cofactor: str, left: str) -> Json:
    data = {"live": [0], "unit": polynomial(unit, "x y"), "cofactors": polynomials([cofactor], "x y")}
    return node("split", germ("x y", of), "3/4,1", data, monomial("y", left, "1/4", "1/4", "1/4,1"))


def completed(of: str, cofactor: str, unit: str = "1") -> Json:
    """x²·g, with x²·(v² + y⁴) left."""
    names = "x v y"
    data = {"variable": 1, "monomial": [2, 0, 0], "unit": polynomial(unit, names)}
    data["cofactor"] = polynomial(cofactor, names)
    child = EXAMPLES["square"].certificate["derivation"]["children"][0]
    return node("square", germ(names, of), "1/2,1", data, child)


def product(of: str, unit: str, first: Json, second: Json) -> Json:
    products = [{"indices": [0, 0], "unit": polynomial(unit, "x y")}]
    data = {"factors": [{"variables": [0]}, {"variables": [1]}], "products": products}
    return node("crossing", germ("x y", of), "1/3,1", data, first, second)


def raised(of: str, unit: str, exponent: int, child: Json) -> Json:
    return node("power", germ("x", of), "1/6,1", {"exponent": exponent, "unit": polynomial(unit, "x")}, child)


def two_lines(of: str, unit: str, exponents: list[int]) -> Json:
    data = {"forms": [["1", "-1"], ["1", "1"]], "exponents": exponents, "unit": polynomial(unit, "x y")}
    return node("arrangement", germ("x y", of), "1/2,2" if exponents == [2, 2] else "1/2,1", data)


def at_roots(of: str, *children: tuple[str, Json]) -> Json:
    data = {"variable": 1, "factors": [polynomial(root, "x v") for root, _ in children]}
    return node("roots", germ("x v", of), "1/2,1", data, *(child for _, child in children), parameters="v")


def around_minus_one(times: int) -> Json:
    """±(x + y)²(x² + xy + y²) at its root s = −1; x^i y^j is t^{i + j} s^j, and the lowest power of s is 0."""
    of = scaled(times, "x^4 3*x^3*y 4*x^2*y^2 3*x*y^3 y^4")
    vertices = {"x^4": "monomial 0", "y^4": "monomial 0", "x^4, x^3*y, x^2*y^2, x*y^3, y^4": "edge"}
    data = newton_data("x y", "1/4 1/4", {"x^4": "1/4", "y^4": "1/4"}, 1, vertices)
    corner = newton_data("t s", "0 1/2", {"t^4*s^2": "1/2"}, 2, {"t^4*s^2": "monomial 0"})
    in_chart = germ("t s", scaled(times, "t^4*s^2 -1*t^4*s^3 t^4*s^4"), prior="1 0")
    chart = {"face": 2, "matrix": [[1, 0], [1, 1]], "root": "-1"}
    return toric(of, "1/2,2", data, [chart], node("newton", in_chart, "1/2,2", corner))


def scaled(times: int, terms: str) -> str:
    """Terms times 1 or −1, as a sum."""
    signed = [term if times > 0 else term[1:] if term[0] == "-" else f"-{term}" for term in terms.split()]
    return "".join(term if term[0] == "-" else f"+{term}" for term in signed).removeprefix("+")


SIMPLE = monomial("x v", "x^2*v", "1/2 0", "1/2", "1/2,1")
DOUBLE = monomial("x v", "x^2*v^2", "1/2 0", "1/2", "1/2,2")
CUBE, SQUARE = power_of("x", 3), power_of("x", 2)
SQUARE_OF_Y = power_of("y", 2)

SIGNED: list[tuple[str, Json, frozenset[int] | None]] = [
    ("a unit", same("x", "1", "-2 + x", SQUARE, "-2*x^2 + x^3"), frozenset({-1})),
    ("a cofactor", same("x", "-1", "1", SQUARE, "-1*x^2"), frozenset({-1})),
    ("two of them", same("x", "-2", "-1 - x", SQUARE, "1/2*x^2 + 1/2*x^3"), frozenset({1})),
    ("a change of coordinates", changed_to_a_square("-1*x^2 + 2*x*y - y^2", "-1"), frozenset({-1})),
    ("a negative square", split("-1*x^2 - y^4", "1", "-1/2*x", "-1*y^4"), frozenset({-1})),
    ("a negative square with a unit", split("-1*x^2 - y^4", "-1", "1/2*x", "y^4"), frozenset({-1})),
    ("a square less a square", split("x^2 - y^4", "1", "-1/2*x", "-1*y^4"), None),
    ("a square less a square, with a unit", split("x^2 - y^4", "-1", "1/2*x", "y^4"), None),
    ("a negative inner square", completed("-1*x^2*v^2 - x^2*y^4", "-1/2*v"), frozenset({-1})),
    ("an inner square less a square", completed("x^2*v^2 - x^2*y^4", "-1/2*v"), None),
    ("an inner square less a square, with a unit", completed("x^2*v^2 - x^2*y^4", "1/2*v", "-1"), None),
    ("an inner square, with a unit", completed("x^2*v^2 + x^2*y^4", "1/2*v", "-1"), frozenset({1})),
    ("a product", product("-1*x^2*y^2", "-1", SQUARE, SQUARE_OF_Y), frozenset({-1})),
    ("a product with an odd factor", product("x^3*y^2", "1", CUBE, SQUARE_OF_Y), None),
    ("an even power", raised("-1*x^6", "-1", 2, CUBE), frozenset({-1})),
    ("an odd power", raised("-1*x^6", "-1", 3, SQUARE), frozenset({-1})),
    ("an odd power of an odd one", raised("x^9", "1", 3, CUBE), None),
    ("lines", two_lines("-1*x^4 + 2*x^2*y^2 - y^4", "-1", [2, 2]), frozenset({-1})),
    ("lines of odd power", two_lines("x^3 - x^2*y - x*y^2 + y^3", "1", [2, 1]), None),
    ("a double root", at_roots("-1*x^2*v^2 + 2*x^2*v - x^2", ("v - 1", DOUBLE)), frozenset({-1})),
    ("an even power of s at a negative root", around_minus_one(1), frozenset({1})),
    ("the same below 0", around_minus_one(-1), frozenset({-1})),
    ("simple roots", at_roots("x^2*v^2 - x^2", ("v - 1", SIMPLE), ("v + 1", SIMPLE)), None),
]


@pytest.mark.parametrize(("what", "written", "wanted"), SIGNED, ids=[what for what, _, _ in SIGNED])
def test_a_rule_hands_the_sign_on(what: str, written: Json, wanted: frozenset[int] | None) -> None:
    """None: both signs, which is refuted although the rule, which trusts the hypothesis, accepts the step."""
    keeps_sign = frozenset(rule.name for rule in RULES.values() if rule.keeps_sign)
    found = read_node(written, "derivation", True, keeps_sign)
    RULES[found.rule].check(found)
    assert judged(written) == ("both" if wanted is None else "one")
    if wanted is not None:
        assert signs.signs(found) == wanted


# --- the polyhedron ---------------------------------------------------------------------------------------------------


def arc_value(polynomial_terms: dict[tuple[int, ...], int], arc: Any, t: Fraction) -> Fraction:
    total = Fraction(0)
    for exponent, c in polynomial_terms.items():
        term = Fraction(c)
        for constant, power, e in zip(arc.constants, arc.powers, exponent, strict=True):
            term *= (constant * t**power) ** e
        total += term
    return total


exponents = st.one_of(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.just(0)), st.tuples(*[st.integers(0, 4)] * 3)
).filter(any)


@given(
    st.dictionaries(exponents, st.sampled_from([-3, -2, -1, 1, 2, 3, 5]), min_size=1, max_size=5),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.booleans(),
)
def test_the_polyhedron_says_nothing_false(terms: dict[tuple[int, ...], int], sides: list[bool], even: bool) -> None:
    """An arc of a refutation is followed to a point; a sign that is proven is the only one at points."""
    if even:
        terms = {tuple(2 * e for e in exponent): c for exponent, c in terms.items()}
    written = germ("x y z", "0", nonnegative=" ".join(n for n, one in zip("xyz", sides, strict=True) if one))
    written["generators"] = [[[list(exponent), str(c)] for exponent, c in terms.items()]]
    try:
        found = signs_by_faces(read_germ(written))
    except BothSigns as both:
        assert set(both.arcs) == {1, -1}
        for sign, arc in both.arcs.items():
            assert all(c > 0 or not one for c, one in zip(arc.constants, sides, strict=True))
            value = arc_value(terms, arc, Fraction(1, 10**6))
            assert (value > 0) - (value < 0) == sign, (terms, arc)
        return
    if found is not None:
        assert seen(written, written["generators"][0], count=150) <= found
    elif all(one for one in sides):
        assert len(terms) > 1


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.integers(-4, 4), min_size=n * n, max_size=n * n)), st.booleans())
def test_quadratic_parts_agree_with_sympy(entries: list[int], gram: bool) -> None:
    """A form is refuted exactly when it has a negative eigenvalue; Gram matrices, which have none, are half of them."""
    n = math.isqrt(len(entries))
    square = sympy.Matrix(n, n, entries)
    matrix = square * square.T if gram else square + square.T
    names = " ".join("xyzw"[:n])
    written = germ(names, "0")
    written["generators"] = [
        [
            [[int(i == k) + int(j == k) for k in range(n)], str(matrix[i, j] * (1 if i == j else 2))]
            for i in range(n)
            for j in range(i + 1)
            if matrix[i, j]
        ]
    ]
    try:
        refute_by_quadratic_part(read_germ(written))
        refuted = False
    except BothSigns as both:
        refuted = True
        vector = sympy.Matrix([sympy.Rational(str(c)) for c in both.arcs[-1].constants])
        assert (vector.T * matrix * vector)[0] == sympy.Rational(str(both.arcs[-1].lead)) < 0
    assert refuted is not matrix.is_positive_semidefinite


@pytest.mark.parametrize(
    ("names", "text", "nonnegative"),
    [
        ("x y", "x^2 - x*y + y^2", ""),
        ("x y", "x^3 + y^2", "x"),
        ("x y", "x^4 - 2*x^2*y^2 + 2*y^4", ""),
        ("x y z", "x^2 + x*y + y^2 + y*z + z^2", ""),
        ("x y", "x - 2*x*y + y^3", "x y"),
        ("x y", "x^6 - 2*x^3*y^2 + 2*y^4", ""),
    ],
)
def test_what_is_positive_is_proven(names: str, text: str, nonnegative: str) -> None:
    assert check(open_bounds(names, text, nonnegative)).proven == (NONNEGATIVE,)


def test_what_is_only_assumed_is_not_proven() -> None:
    """Left open: a square on an edge, a zero excluded by the hypothesis itself, a sum with an open summand."""
    for text in ("x^2 - 2*x*y + y^2 + y^4 + x*y^4", "x^4 - 2*x^2*y^3 + y^6 + y^7"):
        assert check(open_bounds("x y z", f"{text} + z^4")).hypotheses == (NONNEGATIVE,)
        assert check(open_bounds("x y", text)).proven == (NONNEGATIVE,)  # of two variables the zeros decide
    # −1 is an eigenvalue, at (1, 1, 1); no zero is singular, so that "f has one sign" would leave none
    names = "x y z"
    form = germ(names, "x^2 + y^2 + z^2 - 3/2*x*y - 3/2*y*z - 3/2*x*z")
    whole = frozenset(tuple(exponent) for exponent, _ in form["generators"][0])
    excluded = cofactors(names, 2, "x", (0, "x", "-1/7"), (0, "y", "-3/7"), (0, "z", "-3/7"))
    with pytest.raises(BothSigns):
        signs_by_faces(read_germ(form), {whole: excluded})
    # a sum of squares, expanded, which nothing here shows; x⁴ + y⁴ + z⁴ − 4xyz² is negative at (1, 1, 1)
    names = "x y z w"
    squares = "10*x^4 + 10*x^2*y^2 - 2*x^2*y*z - 2*x^2*z^2 - 10*x*y^2*z + 2*x*y*z^2 + y^4 + y^2*z^2 + z^4"
    for text in (squares, "x^4 + y^4 + z^4 - 4*x*y*z^2"):
        sum_of_two = germ(names, f"{text} + w^4")
        rest = frozenset(tuple(exponent) for exponent, _ in germ(names, text)["generators"][0])
        proofs = {rest | {(0, 0, 0, 4)}: {"kind": "additive", "exponents": [[0, 0, 0, 4]]}}
        if text == squares:
            assert signs_by_faces(read_germ(sum_of_two), proofs) is None
        else:
            with pytest.raises(BothSigns):
                signs_by_faces(read_germ(sum_of_two), proofs)


def test_a_coefficient_in_a_field_is_read_with_its_sign() -> None:
    """x² − 2c·xy + y² with c = √(1 ± 1/100): definite below 1, negative at x = y above."""
    for square, negative in (("99/100", False), ("101/100", True)):
        certificate = open_bounds("x y", "x^2 + y^2")
        found = certificate["derivation"]["germ"]
        found["field"] = {"minimal_polynomial": [f"-{square}", "0", "1"], "interval": ["0", "2"]}
        found["generators"][0].append([[1, 1], ["0", "-2"]])
        report = check(certificate)
        assert report.accepted is not negative
        assert not negative or "along x = c*t, y = t it is -1/100*t^2" in str(report)  # c² − 2c² + 1
