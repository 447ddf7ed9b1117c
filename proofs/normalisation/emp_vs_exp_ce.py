"""cor:emp_vs_exp_ce: as a softmax becomes certain the empirical Fisher falls like e², the expected one like e."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import limit, rate

if TYPE_CHECKING:
    from torch import Tensor

_CLASSES = 5
_ERRORS = tuple(0.2 * 2.0**-n for n in range(9))
_REASON = "exact gradients of torch's cross-entropy, extrapolated to e = 0; the only error is truncation"


def derive() -> Proof:
    e, s = symbols("e S_2", positive=True)
    classes = Symbol("C", integer=True, positive=True)
    q1, q2, q3 = symbols("q_1:4", positive=True)  # the wrong classes; e is their sum
    error = q1 + q2 + q3
    squares = q1**2 + q2**2 + q3**2
    empirical = error**2 + squares  # |p − e_y|², p_y = 1 − e
    trace = 1 - (1 - error) ** 2 - squares
    spread = e**2 / (classes - 1)
    lowest, highest = spread, e**2
    return older_proof(
        steps=(
            Prose(
                "Both traces are exact functions of e = 1 − p_y and S₂ = Σ p_i² over the wrong classes.",
                r"|p - e_y|^2 = e^2 + S_2, \qquad \mathrm{tr}\,H = 2e - e^2 - S_2",
            ),
            Prose("S₂ lies between spread and concentrated mass.", r"e^2/(C-1) \le S_2 \le e^2"),
            Prose(
                "So the empirical trace is of order e², the expected one of order e; the sharp lower bound for the "
                "latter is twice the printed one.",
                r"e^2 \tfrac{C}{C-1} \le |p - e_y|^2 \le 2e^2, \qquad 2e(1-e) \le \mathrm{tr}\,H \le 2e - e^2 "
                r"\tfrac{C}{C-1}",
            ),
            Prose(
                "If the label is drawn from the model the two are equal.",
                r"\sum_y p_y\, |p - e_y|^2 = 1 - \textstyle\sum p_i^2 = \mathrm{tr}\,H",
            ),
        ),
        residuals={
            "|p − e_y|²": sympy.expand((1 - error - 1) ** 2 + squares - (error**2 + squares)),
            "tr H": sympy.expand(trace - (2 * error - error**2 - squares)),
            "sharp lower bound of tr H": sympy.expand((2 * e - e**2 - s).subs(s, highest) - 2 * e * (1 - e)),
            "sharp lower bound of |p − e_y|²": sympy.simplify(e**2 + lowest - e**2 * classes / (classes - 1)),
            "labels from the model": sympy.expand(
                (1 - error) * empirical
                + sum(q * ((1 - error) ** 2 + squares - q**2 + (1 - q) ** 2) for q in (q1, q2, q3))
                - trace
            ),
        },
        controls={
            "the printed lower bound e(1 − e) is attained": sympy.expand(
                (2 * e - e**2 - s).subs(s, highest) - e * (1 - e)
            ),
            "no term S₂": sympy.expand(empirical - error**2),
        },
    )


def _logits(error: float, concentrated: bool = False) -> Tensor:
    """Logits with p_0 = 1 − error, the rest spread over the wrong classes or on one of them but for e^(−30)."""
    import torch

    wrong = torch.full((_CLASSES - 1,), error / (_CLASSES - 1), dtype=torch.float64)
    if concentrated:
        wrong = error * torch.softmax(torch.tensor([30.0, 0, 0, 0], dtype=torch.float64), 0)
    return torch.log(torch.cat([torch.tensor([1 - error], dtype=torch.float64), wrong]))


def _empirical(logits: Tensor, label: int = 0) -> float:
    """Squared gradient of torch's cross-entropy with respect to the logits, at an observed label."""
    import torch

    def loss(moved: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(moved[None], torch.tensor([label]))

    return torch.func.grad(loss)(logits).square().sum().item()


def _expected(logits: Tensor) -> float:
    """tr(diag p − ppᵀ)."""
    import torch

    p = torch.softmax(logits, 0)
    return float((p * (1 - p)).sum())


def measure() -> Experiment:
    checks: list[Check] = []
    curves: list[Curve] = []
    share = _CLASSES - 1
    for name, concentrated, square in (("spread", False, sympy.Rational(_CLASSES, share)), ("concentrated", True, 2)):
        empirical = [_empirical(_logits(e, concentrated)) for e in _ERRORS]
        expected = [_expected(_logits(e, concentrated)) for e in _ERRORS]
        checks += [
            Comparison(
                f"{name} mass: order of the empirical trace in e",
                2,
                rate(_ERRORS, empirical),
                (1, 3),
                0.1,
                _REASON,
                "order in e",
            ),
            Comparison(
                f"{name} mass: order of the expected trace in e",
                1,
                rate(_ERRORS, expected),
                (2, 0),
                0.1,
                _REASON,
                "order in e",
            ),
            Comparison(
                f"{name} mass: |p − e_y|²/e²",
                square,
                limit(_ERRORS, [value / e**2 for value, e in zip(empirical, _ERRORS, strict=True)], 1e-8),
                (1, 2 if square != 2 else sympy.Rational(5, 4)),
                1e-4,
                _REASON,
                "coefficient",
            ),
            Comparison(
                f"{name} mass: tr H/e",
                2,
                limit(_ERRORS, [value / e for value, e in zip(expected, _ERRORS, strict=True)], 1e-9),
                (1, square if square != 2 else sympy.Rational(5, 4)),
                1e-4,
                _REASON + "; the printed lower bound would allow 1",
                "coefficient",
            ),
        ]
        curves += [
            Curve(f"empirical, {name}", _ERRORS, tuple(empirical), 2.0),
            Curve(f"expected, {name}", _ERRORS, tuple(expected), 1.0),
        ]
    for e in (0.1, 0.01, 0.001):
        exact = 2 - e * _CLASSES / share
        checks.append(
            Comparison(
                f"spread mass, e = {e}: tr H/e",
                exact,
                Interval.around(_expected(_logits(e)) / e, 1e-11),
                (2, 2 - e, 1 - e),
                1e-9,
                "an identity at every e; rounding only. The rivals are its limit, S₂ left out, and the printed bound",
                "coefficient",
            )
        )
    return older_experiment(
        "Gradients of torch.nn.functional.cross_entropy with respect to five logits, p_y = 1 − e.",
        tuple(checks),
        tuple(curves),
    )


def _drawn(e: float) -> float:
    """The empirical trace with the label drawn from the model, as an exact mean over labels."""
    import torch

    logits = _logits(e)
    p = torch.softmax(logits, 0)
    return sum(float(p[label]) * _empirical(logits, label) for label in range(_CLASSES))


def control() -> Experiment:
    drawn = [_drawn(e) for e in _ERRORS]
    expected = [_expected(_logits(e)) for e in _ERRORS]
    gap = max(abs(a / b - 1) for a, b in zip(drawn, expected, strict=True))
    return older_experiment(
        "Labels drawn from the model: the two traces are the same, and both are of order e.",
        (
            Comparison("labels from the model: order in e", 1, rate(_ERRORS, drawn), (2,), 0.1, _REASON, "order in e"),
            Comparison(
                "labels from the model: largest relative difference of the traces",
                0,
                Interval.around(gap, 1e-12),
                (0.5,),
                1e-11,
                "an identity; rounding only",
                "relative difference",
            ),
        ),
    )


def counterexample() -> Experiment:
    wrong = 0.05
    logits = [_logits(e) for e in _ERRORS]
    empirical = [(1 - wrong) * _empirical(found) + wrong * _empirical(found, label=1) for found in logits]
    expected = [_expected(found) for found in logits]
    level = wrong * (1 + 1)
    return older_experiment(
        "Averages over data: one label in twenty stays wrong while the model becomes certain. The empirical trace then "
        "does not fall at all, and it is the larger of the two.",
        (
            Comparison(
                "5 % wrong labels: order of the empirical trace in e",
                0,
                rate(_ERRORS, empirical),
                (1, 2),
                0.1,
                _REASON + "; the title predicts 2",
                "order in e",
            ),
            Comparison(
                "5 % wrong labels: limit of the empirical trace",
                level,
                limit(_ERRORS, empirical, 1e-9),
                (0, wrong),
                1e-5,
                _REASON + "; a wrong label has |p − e_y|² → 2",
                "second moment",
            ),
            Observation(
                "5 % wrong labels, e = 8e-4: which trace is larger",
                "empirical",
                "empirical" if empirical[-1] > expected[-1] else "expected",
                f"{empirical[-1]:.3g} against {expected[-1]:.3g}",
            ),
        ),
        (Curve("empirical, 5 % wrong labels", _ERRORS, tuple(empirical), 0.0),),
    )


CLAIM = Claim(
    id="cor:emp_vs_exp_ce",
    title="Empirical against expected Fisher under cross-entropy: Θ(e²) against Θ(e)",
    clauses=older_statement(
        r"With $p_y = 1 - e$ and $S_2 = \sum_{i \ne y} p_i^2 \in [e^2/(C-1), e^2]$: $|p - e_y|^2 = e^2 + S_2$ and "
        r"$\mathrm{tr}\,H = 2e - e^2 - S_2$. So the empirical trace lies between $e^2 C/(C-1)$ and $2e^2$, and the "
        r"expected one is at least $2e(1 - e)$."
    ),
    source=cite("shirodkar2026dead", "cor:emp_vs_exp_ce"),
    hypotheses=("One sample, or averages with E e² ≪ E e: no fixed share of wrong labels.",),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    titled="that the averages over data have the orders e² and e too, whatever the data",
    doubts=(
        "The printed lower bound e(1 − e) of the expected trace is half the sharp one. Under averaging the separation "
        "needs E e² ≪ E e; with a fixed share of wrong labels the empirical trace tends to twice that share."
    ),
)
