"""`rlct`: the germs of the table of rules, refusals with their messages, limits, and what comes out on paper."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy
from click.testing import CliRunner, Result
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

import ddtheory as dd
from ddtheory.certify import Report, Undecided, check
from ddtheory.cli import main
from ddtheory.errors import InvalidValueError, NotADivergenceError, NotAnalyticError
from ddtheory.exact.numbers.parse import parse_expression
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.germs.ideal import IdealGerm, shown
from ddtheory.exact.thresholds.germs.local_ring import rational, ring_of
from ddtheory.exact.thresholds.nodes import CertificateError, Node
from ddtheory.exact.thresholds.rules.rule import Example
from ddtheory.exact.thresholds.rules.table import RULES, citation_of
from ddtheory.exact.thresholds.solver import Solver
from ddtheory.values import RLCT

Given = dict[str, Any]
given_polynomials = hypothesis_given(
    st.dictionaries(st.tuples(*[st.integers(0, 4)] * 3), st.fractions(-9, 9, max_denominator=7), max_size=6)
)


def ideal(*generators: str, **more: Any) -> Given:
    return {"generators": generators, **more}


def divergence(expression: str, **more: Any) -> Given:
    return {"divergence": expression, **more}


def given(example: Example) -> Given:
    """The germ of a row of the table."""
    germ = divergence(example.given) if isinstance(example.given, str) else ideal(*example.given)
    return {**germ, "prior": example.prior} if example.prior else germ


# one germ by hand for every rule, and more where a prior takes part
EXAMPLES = [(given(rule.example), rule.example.pair) for rule in RULES if rule.example.pair] + [
    # Mustață 2006: three lines through a point with |x| as prior; (2 + 1)/3 and 1 tie on a chain
    (ideal("x*y*(x - y)", prior={"x": 1}), RLCT(Fraction(1, 2), 2)),
]


def derived(given: Given, **limits: Any) -> Derivation:
    return dd.rlct(given.get("divergence"), **{key: v for key, v in given.items() if key != "divergence"}, **limits)


def nodes(node: Node) -> list[Node]:
    return [node, *[below for child in node.children for below in nodes(child)]]


def contains(found: Derivation, pair: RLCT) -> bool:
    lower, upper = found.lower, found.upper
    above = lower.value < pair.lam or (lower.value == pair.lam and (lower.m is None or pair.m <= lower.m))
    below = upper.value > pair.lam or (upper.value == pair.lam and (upper.m is None or pair.m >= upper.m))
    return above and below


@pytest.mark.parametrize(("given", "pair"), EXAMPLES, ids=str)
def test_a_germ_by_hand(given: Given, pair: RLCT) -> None:
    found = derived(given)
    assert found.rlct == pair, found.explain()
    assert not contains(found, RLCT(2 * pair.lam, pair.m)) and not contains(found, RLCT(pair.lam, pair.m + 1))
    for node in nodes(found.root):
        assert node.lower.value <= node.upper.value


def test_several_expressions_are_generators_as_on_the_command_line() -> None:
    assert dd.rlct("x*y", "x^3").rlct == dd.rlct(generators=["x*y", "x^3"]).rlct == RLCT(Fraction(1, 2), 2)
    assert dd.rlct("x^2", "y", "z^3").rlct == RLCT(Fraction(11, 12))  # 1/4 + 1/2 + 1/6
    assert dd.intersection_type("x^2", "y*z").kind.value == "separable sum"
    with pytest.raises(NotADivergenceError):
        dd.rlct("x*y")  # alone it is K


def test_the_unit_ideal_has_no_threshold() -> None:
    ring = ring_of(["x"])
    node = Solver(5, 5).solve(IdealGerm(ring, (ring.one + ring.gens[0],), (Fraction(0),), (False,)))
    assert (node.rule, node.lower.value) == ("unit", math.inf)


def test_two_derivations_of_bounds_are_combined() -> None:
    """The space curve (t³, t⁴, t⁵): 13/9 over ℂ from Shibuta and Takagi 2009; the weights (3, 4, 5) show it is ≥ κ."""
    found = derived(ideal("x*z - y^2", "x^3 - y*z", "z^2 - x^2*y"), seconds=4)
    assert contains(found, RLCT(Fraction(13, 18)))
    assert found.rlct is not None or "best" in found.rules
    assert not contains(found, RLCT(Fraction(14, 18)))


@pytest.mark.parametrize(
    ("given", "pair"),
    [
        (ideal("(x + z)*z", "(x + y)^3"), RLCT(Fraction(2, 3), 2)),  # ⟨uz, v³⟩: 1/2 + 1/6, m = 2
        (ideal("x^4", "(2*x + y + x^3)^3"), RLCT(Fraction(7, 24))),  # ⟨x⁴, v³⟩
    ],
    ids=str,
)
def test_changes_of_coordinates_do_not_go_in_circles(given: Given, pair: RLCT) -> None:
    assert derived(given).rlct == pair


@pytest.mark.long
@pytest.mark.parametrize(("degree", "pair"), [(4, RLCT(Fraction(5, 4), 1)), (5, RLCT(Fraction(3, 2), 1))])
def test_a_cone_over_a_curve_whatever_its_variables_and_generators_are(degree: int, pair: RLCT) -> None:
    """A rational normal curve of degree n: order 2 at the vertex, (n + 1)/2, and beside it n − 1 coordinates.

    The first variable stands in the middle, and a multiple of one generator is added to each other one.
    """
    names = [f"x{(place - degree // 2) % (degree + 1)}" for place in range(degree + 1)]
    minors = [
        f"({names[i]}*{names[j + 1]} - {names[i + 1]}*{names[j]})" for i, j in itertools.combinations(range(degree), 2)
    ]
    mixed = [minors[1], *(f"{minor} + x0*{minors[1]}" for minor in (minors[0], *minors[2:]))]
    found = dd.rlct(generators=mixed, seconds=60)
    assert found.rlct == pair
    assert check(json.loads(json.dumps(found.to_json()))).accepted


@pytest.mark.parametrize("given", [given for given, _ in EXAMPLES[::3]], ids=str)
def test_explain_has_every_step_and_its_source(given: Given) -> None:
    found = derived(given)
    text = found.explain()
    for node in nodes(found.root):
        assert node.says in text and str(citation_of(node.rule)) in text
    kind = "K for" if "divergence" in given else "K ≍ Σ f² for"
    assert text.startswith(f"{kind} {found.root.germ}: λ = {found.lower.value}, m = {found.lower.m}")
    assert ("Proven by the steps: K >= 0 near the point." in text) == ("divergence" in given)
    assert "Assumed" not in text and not found.hypotheses


# --- bad input --------------------------------------------------------------------------------------------------------

BAD: list[tuple[Given, type[Exception], str]] = [
    (divergence("-x^2"), NotADivergenceError, r"K is negative near the point: along \(x\) = \(1\)·t it is -1·t\^2"),
    (divergence("x^2 + y^2 - z^2"), NotADivergenceError, "K is negative near the point"),
    (divergence("x^3"), NotADivergenceError, "K is negative near the point"),
    (divergence("x", nonnegative=[]), NotADivergenceError, "K is negative near the point"),
    (divergence("x^2 + 1"), NotADivergenceError, "K is 1 at x = 0, not 0"),
    (divergence("x^2 + y^2", at={"x": 1}), NotADivergenceError, "K is 1 at x = 1, y = 0, not 0"),
    (ideal("x", "y + 1"), NotADivergenceError, "A generator is 1 at x = 0, y = 0"),
    (divergence("x^2", at={"z": 1}), InvalidValueError, "at names z, which does not occur. The variables: x"),
    (divergence("x^2", prior={"z": 1}), InvalidValueError, "prior names z, which does not occur"),
    (divergence("x^2", nonnegative=["z"]), InvalidValueError, "nonnegative names z, which does not occur"),
    (divergence("x^2", prior={"x": -1}), InvalidValueError, "not integrable at 0; the exponent must exceed −1"),
    (divergence("x^2", prior={"x": "-3/2"}), InvalidValueError, "not integrable"),
    (divergence("x^2", prior={"x": "sqrt(2)"}), InvalidValueError, "must be rational"),
    (divergence("x^2", prior=[1]), InvalidValueError, "give values by name"),
    (divergence("x^2", at={"x": "sqrt(2)"}), NotADivergenceError, "at x = sqrt\\(2\\), not 0"),
    (divergence("x^2", prior={"x": 2}, at={"x": 1}), InvalidValueError, "away from 0 it is a constant"),
    (ideal("x*y*(x - y)*(x + pi*y)"), NotAnalyticError, "coefficients are not rational. Rescale"),
    (divergence("1/x"), NotAnalyticError, "1/x divides by zero"),
    (divergence("(x + y + z)^40", most_terms=100), InvalidValueError, "861 terms, more than most_terms = 100"),
    (divergence("(x + y)^2*(x + z)^2*(y + z)^2*(x*y*z + 1)^900", most_terms=10), InvalidValueError, "most_terms = 10"),
    (divergence("0"), InvalidValueError, "contains no variable"),
    (ideal("x - x"), InvalidValueError, "contains no variable"),
    (ideal(), InvalidValueError, "generators is empty"),
    (divergence("x^2", generators=["x"]), InvalidValueError, "one of them, and not none"),
    ({}, InvalidValueError, "one of them, and not none"),
    (divergence("x^2", seconds=0), InvalidValueError, "limits must be positive; got seconds=0"),
    (divergence("x^2", depth=0), InvalidValueError, "depth = 0"),
]


@pytest.mark.parametrize(("given", "kind", "message"), BAD, ids=[str(given) for given, *_ in BAD])
def test_bad_input_is_refused_with_a_reason(given: Given, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        derived(given)
    assert type(caught.value) is kind


@pytest.mark.parametrize("expression", ["cos(x) - 1", "(cos(x) - 1)*y^2", "(sin(x) - x)*x", "(log(1 + x) - x)*y^2"])
def test_a_negative_function_is_refused(expression: str) -> None:
    with pytest.raises(NotADivergenceError):
        derived(divergence(expression))


def test_what_is_near_to_bad_input_is_accepted() -> None:
    """The control of the refusals: the same requests, put right."""
    assert derived(divergence("x", nonnegative=["x"])).rlct == RLCT(1)
    assert derived(divergence("x^2", nonnegative="x")).rlct == RLCT(Fraction(1, 2))
    assert derived(divergence("x^4", prior={"x": "-1/2"})).rlct == RLCT(Fraction(1, 8))
    assert derived(divergence("(x - 1)^2*y^2", at={"x": 1})).rlct == RLCT(Fraction(1, 2), 2)
    assert derived(divergence("(x - 1)^2*y^2")).rlct == RLCT(Fraction(1, 2))
    assert derived(ideal("x^3", prior={"x": 0.5})).rlct == RLCT(Fraction(1, 4))
    assert derived(ideal("exp(x) - 1", "y*cos(x)")).rlct == RLCT(1)


def test_a_germ_that_was_moved_says_from_where() -> None:
    """Its coordinates are those of the distance from the point; the control stands at 0."""
    moved = derived(divergence("(a*b - 1)^2 + z^2", at={"a": "1/2", "b": 2}))
    assert str(moved).endswith(", moved to 0 from a = 1/2, b = 2: λ = 1, m = 1")
    assert "moved to 0 from x = c: " in str(derived(ideal("x^2 - 2", at={"x": "sqrt(2)"})))
    assert "moved" not in str(derived(divergence("(x - 1)^2*y^2")))


# --- limits -----------------------------------------------------------------------------------------------------------

LIMITED = [
    # ⟨xy, x³ + y³⟩ contains x⁴ and y⁴, and compares with ⟨xy, x³, y³⟩: the ray meets the vertex (1, 1)
    (ideal("x*y", "x^3 + y^3"), RLCT(Fraction(1, 2), 2)),
    (ideal("x^2", "y*z"), RLCT(Fraction(3, 4), 2)),
    (ideal("a*d - b*c", "a*e", "b*e"), RLCT(1, 2)),
    (divergence("x^2 + 2*x*y^2 + y^4 + y^6"), RLCT(Fraction(2, 3))),
    (divergence("x^4 + y^2*z^2"), RLCT(Fraction(3, 4), 2)),
    (ideal("b*d", "c*(b + d)"), RLCT(Fraction(3, 4), 2)),
    (ideal("(x^2 - y^3)^2", "x*y^7", prior={"x": 1}), RLCT(Fraction(21, 68))),
]


@pytest.mark.parametrize(("given", "pair"), LIMITED, ids=[str(given) for given, _ in LIMITED])
@pytest.mark.parametrize("limit", [{"seconds": 1e-9}, {"depth": 1}, {"depth": 2}], ids=str)
def test_limits_give_bounds_that_contain_the_pair(given: Given, pair: RLCT, limit: dict[str, float]) -> None:
    found = derived(given, **limit)
    assert contains(found, pair), found.explain()
    assert found.status == "bounds" or found.rlct == pair
    assert found.lower.value <= found.upper.value


@pytest.mark.parametrize("given", [ideal("x^2", "y*z"), divergence("x^4 + y^2*z^2")], ids=str)
def test_a_limit_reached_where_nothing_is_left(given: Given) -> None:
    """The zero ideal, which ends an elimination, is met at the limit."""
    assert contains(derived(given, depth=3), RLCT(Fraction(3, 4), 2))


TWO_STEPS = "x^2 + 2*x*y^2 + y^4 + y^6 + y^3*z^3 + z^6"  # a square beside a definite form of degree 6: 1/2 + 2/6


def test_a_limit_is_reached_and_named() -> None:
    for limit, name in (({"seconds": 1e-9}, "time"), ({"depth": 1}, "depth")):
        found = derived(divergence(TWO_STEPS), **limit)
        assert found.status == "bounds" and found.rlct is None
        assert f"The {name} limit was reached." in found.explain()
        assert f"{found.lower.value} ≤ λ ≤ {found.upper.value}" in str(found)


def test_progress_is_told_of_every_germ() -> None:
    seen: list[IdealGerm] = []
    found = derived(ideal("x^2", "y*z"), progress=seen.append)
    assert seen[0] == found.root.germ and len(seen) >= 3


# --- what comes out ---------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_same_input_gives_the_same_answer_in_every_process() -> None:
    """Sets of polynomials have an order that changes with the seed of the hashes; no answer may depend on it."""
    chosen = [given for given, _ in EXAMPLES if "prior" not in given]
    program = (
        "import json, sys, ddtheory as dd\n"
        "for given in json.load(sys.stdin):\n"
        "    found = dd.rlct(given.get('divergence'), generators=given.get('generators'))\n"
        "    print(json.dumps([found.summary(), found.explain(), found.to_json()], sort_keys=True))\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(chosen),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for seed in ("0", "1")
    ]
    assert len(outputs[0]) == len(chosen)
    assert outputs[0] == outputs[1]


OPEN_M = ideal("((x^2 - 2*y^2)^2 - 3*x^6)^3 + y^25", prior={"x": "3"})  # the second tangents lie over ℚ(√2, √3)


@pytest.mark.long
def test_a_value_with_an_open_multiplicity_is_said_as_such() -> None:
    """The polygon at x = ±√2 y has ℓ = 1/3 as well, and zeros of order 3 on an edge: λ = 1/6."""
    found = derived(OPEN_M)
    assert found.rlct is None and (found.lower.value, found.upper.m) == (Fraction(1, 6), 1)
    assert "λ = 1/6, m ≥ 1" in str(found) and "≤ λ ≤" not in found.explain()
    assert "λ = 1/6, m ≥ 1; m is open" in repr(found) and "\n" not in repr(found)
    assert found.open.startswith("m is open because of ⟨-27*t^18") and "zeros of order 3" in found.open
    assert found.open in found.explain()
    assert found.summary()["open"] == found.open
    printed = call(*OPEN_M["generators"], "--generators", "--prior", "x=3").stdout
    assert found.open in printed and "λ = 1/6, m ≥ 1" in printed
    assert derived(divergence("x^2")).open == ""


@given_polynomials
def test_printed_polynomials_can_be_pasted_back(terms: dict[tuple[int, int, int], Fraction]) -> None:
    ring = ring_of(("x", "w1", "theta_2"))
    polynomial = ring.from_dict({monomial: rational(value) for monomial, value in terms.items() if value})
    assert ring.from_expr(_complex(parse_expression(shown(polynomial, most=100)))) == polynomial


def _complex(expression: sympy.Expr) -> sympy.Expr:
    """With the symbols of a ring, of which nothing is assumed."""
    return expression.xreplace({symbol: sympy.Symbol(symbol.name) for symbol in expression.free_symbols})


@pytest.mark.parametrize("given", [given for given, _ in EXAMPLES], ids=str)
def test_germs_in_an_explanation_can_be_pasted_back(given: Given) -> None:
    """Every ⟨…⟩ that is not cut short reads as the generators of a germ of the derivation."""
    found = derived(given)
    germs = {tuple(germ.generators) for germ in (node.germ for node in nodes(found.root))}
    printed = re.findall("⟨([^⟩…]*)⟩", found.explain())
    assert printed
    for text in (text for text in printed if "*c)" not in text):  # over a field, c stands for its number
        expressions = [_complex(parse_expression(part)) for part in text.split(", ")]
        assert (
            any(
                len(germ) == len(expressions)
                and all(
                    f.as_expr().expand() == expression.expand() for f, expression in zip(germ, expressions, strict=True)
                )
                for germ in germs
            )
            or text == "0"
        )


def test_as_latex() -> None:
    assert derived(ideal("x*y"))._repr_latex_() == r"$(\lambda, m) = \left(\tfrac{1}{2}, 2\right)$"
    bounds = derived(ideal("(a*d - b*c)^2 - a^2*e^3"), depth=2)
    assert bounds._repr_latex_() == r"$\tfrac{1}{4} \le \lambda \le \tfrac{1}{2}$"
    assert derived(OPEN_M)._repr_latex_() == r"$\lambda = \tfrac{1}{6},\ m \ge 1$"


def test_the_summary_is_the_answer_as_plain_data() -> None:
    found = derived(ideal("x^2", "y*z"))
    assert json.loads(json.dumps(found.summary())) == {
        "lambda": "3/4",
        "multiplicity": 2,
        "status": "exact",
        "lower": ["3/4", 2],
        "upper": ["3/4", 2],
        "open": "",
        "two_sided": False,
        "rules": list(found.rules),
        "assumed": [],
        "read_as": "",
        "checked": True,
    }
    assert derived(divergence("1 - cos(x)")).summary()["read_as"].startswith("1 - cos(x) read up to units")


def test_a_certificate_is_checked_and_a_changed_one_is_not() -> None:
    document = derived(ideal("x^2", "y*z")).to_json()
    assert check(json.dumps(document)).accepted
    assert not check(json.dumps({**document, "multiplicity": 3})).accepted
    assert not check(json.dumps({**document, "lambda": "1/2"})).accepted


# --- the command line -------------------------------------------------------------------------------------------------


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["rlct", *arguments])


def test_command_json_is_the_summary() -> None:
    result = call("x^2", "y*z", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == derived(ideal("x^2", "y*z")).summary()


def test_command_with_everything_named() -> None:
    result = call("x*(y - 1)", "x^3", "--prior", "x=1", "--at", "y=1", "--nonnegative", "x")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].endswith("λ = 2/3, m = 1")  # ⟨xu, x³⟩ with |x|: weights (1/3, 2/3)
    single = call("x*y", "--generators")
    assert single.exit_code == 0 and "λ = 1/2, m = 2" in single.stdout and "rules: crossing" in single.stdout
    explained = call("x^2", "y*z", "--explain").stdout
    assert explained.startswith(derived(ideal("x^2", "y*z")).explain())
    assert explained.endswith("\nchecked: accepted by the independent checker\n")


def test_command_bounds_are_an_answer() -> None:
    result = call(TWO_STEPS, "--depth", "1", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (found["status"], found["lambda"], found["multiplicity"]) == ("bounds", None, None)
    assert Fraction(found["lower"][0]) <= Fraction(5, 6) <= Fraction(found["upper"][0])


@pytest.mark.parametrize(
    "arguments",
    [("x*y",), ("x^2", "--prior", "x=-1"), ("x^2", "--at", "z=1"), ("x^2", "--seconds", "0"), ("x^2", "--depth", "0")],
)
def test_command_refuses_with_one_line_and_exit_code_two(arguments: tuple[str, ...], tmp_path: Path) -> None:
    target = tmp_path / "proof.json"
    result = call(*arguments, "--certificate", str(target))
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert not target.exists()


def test_command_writes_a_certificate_that_is_accepted(tmp_path: Path) -> None:
    target = tmp_path / "proof.json"
    assert call("x^2", "y*z", "--certificate", str(target)).exit_code == 0
    report = check(target.read_text())
    assert report.accepted and (report.lam, report.multiplicity) == (Fraction(3, 4), 2)
    assert [path.name for path in tmp_path.iterdir()] == ["proof.json"]


def test_what_the_checker_does_not_decide_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    undecided = Report(False, undecided=Undecided("limit of 60 s", "in step 1 of 2", "newton"))
    monkeypatch.setattr("ddtheory.certify.check", lambda text, seconds: undecided)
    found = derived(ideal("x^2", "y*z"))
    assert not found.checked
    assert (
        found.objection == "it does not decide on the certificate: limit of 60 s reached in step 1 of 2 (rule newton)."
    )


def test_command_writes_nothing_when_there_is_no_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(_: Derivation) -> None:
        raise CertificateError("The cofactors are too large to write down.")

    monkeypatch.setattr(Derivation, "to_json", too_large)
    target = tmp_path / "proof.json"
    for explain in ((), ("--explain",), ("--json",)):
        result = call("x^2", "--certificate", str(target), *explain)
        assert result.exit_code == 2 and result.stderr == "Error: The cofactors are too large to write down.\n"
        assert "1/2" in result.stdout  # the answer stands
    assert not any(tmp_path.iterdir())
    assert_not_accepted("there is no certificate to check. The cofactors are too large to write down.")


def test_command_finds_a_folder_that_cannot_be_written_before_it_derives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(Solver, "derive", lambda *_: pytest.fail("it derives"))
    for target in (tmp_path / "file" / "proof.json", tmp_path / "file" / "new" / "proof.json", tmp_path):
        result = call("x^2", "--certificate", str(target))
        assert result.exit_code == 2 and result.stdout == "" and result.stderr.startswith("Error: ")
    # nothing is made for an answer that does not come
    monkeypatch.undo()
    assert call("x*y", "--certificate", str(tmp_path / "new" / "proof.json")).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_certificate_that_takes_too_long_is_not_written_and_not_checked() -> None:
    found = dataclasses.replace(derived(ideal("x + y^2", "y^3 - x*z")), seconds=-1)
    with pytest.raises(CertificateError, match="allow more seconds"):
        found.to_json()
    assert not found.checked and "allow more seconds" in found.objection


def assert_not_accepted(why: str) -> None:
    """The text and the JSON of the command agree that the checker has not accepted; the text says why."""
    for explain in ((), ("--explain",)):
        result = call("x^2", "y^2", *explain)
        assert result.exit_code == 0
        assert result.stdout.splitlines()[-1].startswith(f"checked: NOT accepted by the independent checker: {why}")
    assert json.loads(call("x^2", "y^2", "--json").stdout)["checked"] is False


def test_command_says_when_the_checker_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A derivation with a spoiled answer, and the same one as the control."""
    assert call("x^2", "y^2").stdout.splitlines()[-1] == "checked: accepted by the independent checker"
    honest = Derivation.to_json
    monkeypatch.setattr(Derivation, "to_json", lambda found: {**honest(found), "multiplicity": 7})
    assert_not_accepted("it rejects the certificate at multiplicity: the derivation proves 1, not 7.")
