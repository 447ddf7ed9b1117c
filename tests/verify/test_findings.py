"""What one check says: too wide, a rival left, a miss; and what an equation says."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from fractions import Fraction

import pytest
import sympy

from ddtheory.errors import InvalidValueError
from ddtheory.values import Interval
from ddtheory.verify import AtMost, Comparison, Equation, Experiment, Observation, Outcome, Proof, Prose
from ddtheory.verify.findings import of_experiment, of_proof
from ddtheory.verify.symbolic import vanishes

k = sympy.Symbol("k", integer=True, positive=True)
t = sympy.Symbol("t", positive=True)
x = sympy.Symbol("x", real=True)


def comparison(measured: Interval, max_width: float = 0.5) -> Comparison:
    return Comparison("order", Fraction(1, 2), measured, (Fraction(1), Fraction(3, 2)), max_width, "Why.")


@pytest.mark.parametrize(
    ("measured", "outcome", "note"),
    [
        (Interval(0.5, 0.4, 0.6), Outcome.AGREES, "predicted 1/2"),
        (Interval(0.8, 0.7, 0.9), Outcome.CONTRADICTS, "measured 0.8 in [0.7, 0.9]"),
        (Interval(0.5, 0.2, 0.8), Outcome.INCONCLUSIVE, "wider than 0.5"),
        (Interval(0.9, 0.6, 1.8), Outcome.INCONCLUSIVE, "wider than 0.5"),
        (Interval(0.8, 0.5, 1.0), Outcome.INCONCLUSIVE, "does not exclude 1"),
    ],
)
def test_comparison(measured: Interval, outcome: Outcome, note: str) -> None:
    found = of_experiment(Experiment("A setting.", {"c": (comparison(measured),)}))
    assert found.outcome is outcome
    assert note in found.note


@pytest.mark.parametrize(
    ("rivals", "max_width", "outcome", "note"),
    [
        ((1,), 0.9, Outcome.AGREES, "predicted 1/2"),
        ((1,), 1.0, Outcome.INCONCLUSIVE, "where a width of 1 would pass, which reaches a rival"),
        ((0.25, 7), 0.6, Outcome.INCONCLUSIVE, "where a width of 0.6 would pass, which reaches a rival"),
        ((), 0.1, Outcome.INCONCLUSIVE, "without a rival that it excludes"),
    ],
)
def test_a_comparison_that_could_not_fail_says_nothing(
    rivals: tuple[float, ...], max_width: float, outcome: Outcome, note: str
) -> None:
    """The reading itself is exact every time."""
    check = Comparison("order", Fraction(1, 2), Interval(0.5, 0.5, 0.5), rivals, max_width, "Why.")
    found = of_experiment(Experiment("A setting.", {"c": (check,)}))
    assert found.outcome is outcome and note in found.note


def test_an_experiment_is_as_good_as_its_worst_check() -> None:
    good, wide = comparison(Interval(0.5, 0.4, 0.6)), comparison(Interval(0.5, 0.0, 1.9))
    miss = Observation("kind", "flat", "dead", "Why.")
    assert of_experiment(Experiment("", {"c": (good,), "d": (wide,)})).outcome is Outcome.INCONCLUSIVE
    assert of_experiment(Experiment("", {"c": (wide, miss), "d": (good,)})).outcome is Outcome.CONTRADICTS
    assert "observed “dead”" in of_experiment(Experiment("", {"c": (wide, miss), "d": (good,)})).note


def test_exact_values_read_back_exactly() -> None:
    check = comparison(Interval(1, 1, 1))
    (found,) = of_experiment(Experiment("", {"c": (check,)})).checks
    assert (found.predicted.text, found.predicted.value) == ("1/2", 0.5)
    assert [rival.text for rival in found.rivals_excluded] == ["3/2"]


def proof(left: object, right: object, rivals: dict[str, object] | None = None) -> Proof:
    return Proof("A scope.", (Equation("c", "equation", left, right, rivals or {"rival": sympy.pi * x + 7}),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left", "right", "outcome"),
    [
        (t**k * t**k, t ** (2 * k), Outcome.AGREES),
        (sympy.diff(t**k, t) ** 2, k**2 * t ** (2 * k - 2), Outcome.AGREES),
        (sympy.sin(x) ** 2, 1 - sympy.cos(x) ** 2, Outcome.AGREES),
        (sympy.gamma(k + 1), k * sympy.gamma(k), Outcome.AGREES),
        (Fraction(1, 2), sympy.Rational(1, 2), Outcome.AGREES),
        (t ** (2 * k), t ** (2 * k + 2), Outcome.CONTRADICTS),
        (sympy.sqrt(x**2), x, Outcome.CONTRADICTS),
        (sympy.exp(sympy.pi * sympy.sqrt(163)), 262537412640768744, Outcome.CONTRADICTS),
        (sympy.Function("f")(x), 1, Outcome.INCONCLUSIVE),
    ],
)
def test_equation(left: sympy.Expr, right: sympy.Expr, outcome: Outcome) -> None:
    assert of_proof(proof(left, right)).outcome is outcome


def test_a_rival_must_fail() -> None:
    vanishing = of_proof(proof(x, x, {"another": x + 1, "rival": (x + 1) ** 2 - x**2 - x - 1}))
    assert vanishing.outcome is Outcome.INCONCLUSIVE
    assert "its rival “rival” holds too" in vanishing.note
    assert of_proof(proof(x, x, {"rival": sympy.Function("f")(x)})).outcome is Outcome.INCONCLUSIVE
    own_left_side = proof(x, x, {"rival": (x**2, x)})
    assert of_proof(own_left_side).outcome is Outcome.AGREES


def test_matrices_are_compared_in_all_entries() -> None:
    turned = sympy.Matrix([[x, 1], [2, x**2]])
    again = sympy.Matrix([[x, 1], [2, x * x]])
    assert of_proof(proof(turned, again, {"transposed": turned.T})).outcome is Outcome.AGREES
    for place in range(4):
        wrong = sympy.Matrix(2, 2, [entry + int(number == place) for number, entry in enumerate(again)])
        assert of_proof(proof(turned, wrong, {"transposed": turned.T})).outcome is Outcome.CONTRADICTS


def test_an_entry_that_is_not_decided_leaves_the_matrix_undecided() -> None:
    unknown = sympy.Function("f")(x)
    half, none = sympy.Matrix([x, unknown]), sympy.Matrix([x, 0])
    rivals = {"x + 1": sympy.Matrix([x + 1, unknown])}
    assert of_proof(proof(half, none, rivals)).outcome is Outcome.INCONCLUSIVE
    assert (
        of_proof(proof(half, sympy.Matrix([x + 1, 0]), rivals)).outcome is Outcome.CONTRADICTS
    )  # the first one differs


@pytest.mark.parametrize(
    ("slack", "attained", "outcome"),
    [
        ((t - 1) ** 2, {t: 1}, Outcome.AGREES),
        ((t - 1) ** 2, {t: sympy.Rational(6, 5)}, Outcome.AGREES),
        ((t - 1) ** 2, {t: 3}, Outcome.INCONCLUSIVE),  # 2t over t² + 1 is 3/5 there
        ((t - 1) ** 2, {}, Outcome.AGREES),
        ((t + 1) ** 2, {t: 1}, Outcome.CONTRADICTS),
        (-((t - 1) ** 2), {t: 1}, Outcome.AGREES),  # its absolute value counts
    ],
)
def test_at_most(slack: sympy.Expr, attained: dict[sympy.Expr, object], outcome: Outcome) -> None:
    line = AtMost("c", "AM–GM", 2 * t, t**2 + 1, (slack,), attained, {"half": (t**2 + 1) / 2})  # type: ignore[arg-type]
    assert of_proof(Proof("Symbolic in t.", (line,))).outcome is outcome


def test_a_slack_that_changes_its_sign_proves_nothing() -> None:
    """t ≤ t² is false below 1: the difference is t² − t, and its absolute value is not."""
    line = AtMost("c", "false", t, t**2, (t**2 - t,), {t: 1})
    assert of_proof(Proof("Symbolic in t.", (line,))).outcome is not Outcome.AGREES


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (lambda: Equation("c", "both", x - x, 0, {"rival": x}), "reads 0 = 0"),
        (lambda: Equation("c", "both", sympy.zeros(2), sympy.zeros(2), {"rival": sympy.eye(2)}), "reads 0 = 0"),
        (lambda: Equation("c", "alone", x, x, {}), "has no rival"),
        (lambda: Equation("c", "undefined", sympy.Integer(0) ** (2 * k - 4), 1, {"rival": 2}), "which has no value"),
        (lambda: Equation("c", "undefined", x, sympy.oo, {"rival": 2}), "which has no value"),
        (lambda: Equation("c", "undefined", sympy.Matrix([x, sympy.nan]), sympy.eye(2)[:, 0], {"r": x}), "no value"),
        (lambda: Equation("c", "text", "x", x, {"rival": 1}), "is 'x'; give an expression"),
        (lambda: Equation("c", "9" * 4000, "x", x, {"rival": 1}), "99…” is 'x'"),
        (lambda: Equation("c", "truth", True, x, {"rival": 1}), "give an expression"),
        (lambda: Equation("c", "shapes", sympy.eye(2), sympy.eye(3), {"rival": sympy.eye(2)}), "different shapes"),
        (lambda: Equation("c", "shapes", sympy.eye(2), x, {"rival": sympy.eye(2)}), "different shapes"),
        (lambda: Equation("c", "rival", x, x, {"rival": "x + 1"}), "give an expression"),
        (lambda: AtMost("c", "alone", x, x, ()), "neither a case that attains it"),
        (lambda: Proof("A scope.", (Prose("So it is."),)), "cannot fail"),
        (lambda: Proof(" ", (Equation("c", "e", x, x, {"rival": 1}),)), "what is symbolic"),
        (lambda: Experiment("", {}), "no check"),
        (lambda: Experiment("", {"c": ()}), "no check for the clause “c”"),
    ],
)
def test_what_says_nothing_is_refused(line: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(message)):
        line()


def test_samples_respect_assumptions() -> None:
    even = sympy.Symbol("n", even=True)
    negative = sympy.Symbol("a", negative=True)
    assert vanishes((-1) ** even - 1)
    assert vanishes(sympy.Abs(negative) + negative)
    assert vanishes(sympy.Abs(negative) - negative) is False


def test_findings_travel_without_sympy() -> None:
    finding = of_proof(Proof("A scope.", (Prose("Expand.", "x^2"), Equation("c", "e", x, 1, {"rival": 2}))))
    assert b"sympy" not in pickle.dumps(finding)
    assert pickle.loads(pickle.dumps(finding)) == finding
