"""What one check says: too wide, a rival left, a miss; and what a residual says."""

from __future__ import annotations

import pickle
from fractions import Fraction

import pytest
import sympy

from ddtheory.values import Interval
from ddtheory.verify import Comparison, Experiment, Observation, Outcome, Proof, Step
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
    found = of_experiment(Experiment("A setting.", (comparison(measured),)))
    assert found.outcome is outcome
    assert note in found.note


def test_an_experiment_is_as_good_as_its_worst_check() -> None:
    good, wide = comparison(Interval(0.5, 0.4, 0.6)), comparison(Interval(0.5, 0.0, 1.9))
    miss = Observation("kind", "flat", "dead", "Why.")
    assert of_experiment(Experiment("", (good, wide))).outcome is Outcome.INCONCLUSIVE
    assert of_experiment(Experiment("", (wide, miss, good))).outcome is Outcome.CONTRADICTS
    assert "observed “dead”" in of_experiment(Experiment("", (wide, miss, good))).note


def test_exact_values_read_back_exactly() -> None:
    check = comparison(Interval(1, 1, 1))
    (found,) = of_experiment(Experiment("", (check,))).checks
    assert (found.predicted.text, found.predicted.value) == ("1/2", 0.5)
    assert [rival.text for rival in found.rivals_excluded] == ["3/2"]


@pytest.mark.parametrize(
    ("residual", "outcome"),
    [
        (t**k * t**k - t ** (2 * k), Outcome.AGREES),
        (sympy.diff(t**k, t) ** 2 - k**2 * t ** (2 * k - 2), Outcome.AGREES),
        (sympy.sin(x) ** 2 + sympy.cos(x) ** 2 - 1, Outcome.AGREES),
        (sympy.gamma(k + 1) - k * sympy.gamma(k), Outcome.AGREES),
        (sympy.Integer(0), Outcome.AGREES),
        (t ** (2 * k) - t ** (2 * k + 2), Outcome.CONTRADICTS),
        (sympy.sqrt(x**2) - x, Outcome.CONTRADICTS),
        (sympy.exp(sympy.pi * sympy.sqrt(163)) - 262537412640768744, Outcome.CONTRADICTS),
        (sympy.Function("f")(x), Outcome.INCONCLUSIVE),
    ],
)
def test_residual(residual: sympy.Expr, outcome: Outcome) -> None:
    assert of_proof(Proof((), {"residual": residual})).outcome is outcome


def test_a_control_of_a_proof_must_survive() -> None:
    zero = x - x
    assert of_proof(Proof((), {"zero": zero}, {"rival": x + 1})).outcome is Outcome.AGREES
    vanishing = of_proof(Proof((), {"zero": zero}, {"rival": (x + 1) ** 2 - x**2 - 2 * x - 1}))
    assert vanishing.outcome is Outcome.INCONCLUSIVE
    assert "rival" in vanishing.note
    undecided = Proof((), {"zero": zero}, {"rival": sympy.Function("f")(x)})
    assert of_proof(undecided).outcome is Outcome.INCONCLUSIVE


def test_samples_respect_assumptions() -> None:
    even = sympy.Symbol("n", even=True)
    negative = sympy.Symbol("a", negative=True)
    assert vanishes((-1) ** even - 1)
    assert vanishes(sympy.Abs(negative) + negative)
    assert vanishes(sympy.Abs(negative) - negative) is False


def test_findings_travel_without_sympy() -> None:
    finding = of_proof(Proof((Step("Expand.", "x^2"),), {"residual": x - 1}))
    assert b"sympy" not in pickle.dumps(finding)
    assert pickle.loads(pickle.dumps(finding)) == finding
