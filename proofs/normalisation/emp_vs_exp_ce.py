"""cor:emp_vs_exp_ce: as a softmax becomes certain the empirical Fisher falls like e², the expected one like e."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, rate
from ddtheory.workbench.ladder import value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

_CLASSES = 5
_ERRORS = tuple(0.2 * 2.0**-n for n in range(9))
_REASON = "exact gradients of torch's cross-entropy, extrapolated to e = 0; the only error is truncation"


def squared_gradient(error: Expr, squares: Expr) -> Expr:
    """|p − e_y|² from e and S₂: e² + S₂."""
    return error**2 + squares


def trace_of(error: Expr, squares: Expr) -> Expr:
    """tr H from e and S₂: 2e − e² − S₂."""
    return 2 * error - error**2 - squares


def empirical_bounds(error: Expr, classes: Expr | int) -> tuple[Expr, Expr]:
    """Of |p − e_y|²: e²/(1 − 1/C) and 2e²."""
    return error**2 / (1 - sympy.Integer(1) / classes), 2 * error**2


def expected_bounds(error: Expr, classes: Expr | int) -> tuple[Expr, Expr]:
    """Of tr H: 2e(1 − e) and 2e − e²/(1 − 1/C)."""
    return 2 * error * (1 - error), 2 * error - error**2 / (1 - sympy.Integer(1) / classes)


_E, _C, _S = symbols("e C S_2")
_EMPIRICAL, _EXPECTED = (tuple(map(printed, bounds(_E, _C))) for bounds in (empirical_bounds, expected_bounds))


CLAIM = Claim(
    id="cor:emp_vs_exp_ce",
    title="Empirical against expected Fisher under cross-entropy: Θ(e²) against Θ(e)",
    holds="One sample: the empirical trace is of order e², the expected one of order e",
    given=r"Let $p_y = 1 - e$ over $C$ classes and $S_2 = \sum_{i \ne y} p_i^2$.",
    clauses={
        "traces": (
            rf"$|p - e_y|^2 = {printed(squared_gradient(_E, _S))}$ and $\mathrm{{tr}}\,H = "
            f"{printed(trace_of(_E, _S))}$."
        ),
        "empirical": rf"${_EMPIRICAL[0]} \le |p - e_y|^2 \le {_EMPIRICAL[1]}$.",
        "expected": rf"${_EXPECTED[0]} \le \mathrm{{tr}}\,H \le {_EXPECTED[1]}$.",
        "labels from the model": r"Averaged over labels drawn from the model, $|p - e_y|^2$ is $\mathrm{tr}\,H$.",
    },
    source=cite("shirodkar2026dead", "cor:emp_vs_exp_ce"),
    hypotheses=("One sample, or averages with E e² ≪ E e: no fixed share of wrong labels.",),
    expected=Verdict.NARROWER,
    titled="that the averages over data have the orders e² and e too, whatever the data",
    doubts=(
        "The printed lower bound e(1 − e) of the expected trace is half the sharp one. Under averaging the "
        "separation needs E e² ≪ E e; with a fixed share of wrong labels the empirical trace tends to twice that share."
    ),
)


def derive() -> Proof:
    q = symbols("q_1:4", positive=True)  # the wrong classes; e is their sum
    error = sum(q, sympy.Integer(0))
    p = sympy.Matrix([1 - error, *q])
    squares = sum((mass**2 for mass in q), sympy.Integer(0))

    def empirical(label: int) -> Expr:
        """|p − e_y|², the squared gradient with respect to the logits."""
        away = p - sympy.eye(4)[:, label]
        return away.dot(away)

    trace = (sympy.diag(*p) - p * p.T).trace()
    spread = [(a - b) ** 2 / 3 for a, b in combinations(q, 2)]  # S₂ − e²/3
    crossed = [2 * a * b for a, b in combinations(q, 2)]  # e² − S₂
    even = dict.fromkeys(q, sympy.Rational(1, 10))
    alone = {q[0]: sympy.Rational(1, 10), q[1]: sympy.Rational(1, 10**4), q[2]: sympy.Rational(1, 10**4)}
    return Proof(
        "Symbolic in the masses of three wrong classes, C = 4.",
        (
            Equation(
                "traces",
                "squared gradient of the cross-entropy at the label",
                empirical(0),
                squared_gradient(error, squares),
                {"no term S₂": error**2, "twice e²": 2 * error**2},
            ),
            Equation(
                "traces",
                "trace of diag p − ppᵀ",
                trace,
                trace_of(error, squares),
                {"2e": 2 * error, "no term S₂": 2 * error - error**2},
            ),
            Prose("S₂ lies between spread and concentrated mass.", r"e^2/(C-1) \le S_2 \le e^2"),
            AtMost(
                "empirical",
                "lower bound, attained by mass that is spread evenly",
                empirical_bounds(error, 4)[0],
                empirical(0),
                tuple(spread),
                even,
                {"2 for C/(C − 1)": (2 * error**2, empirical(0))},
            ),
            AtMost(
                "empirical",
                "upper bound, attained by mass on one class",
                empirical(0),
                empirical_bounds(error, 4)[1],
                tuple(crossed),
                alone,
                {"C/(C − 1) for 2": error**2 * sympy.Rational(4, 3)},
            ),
            AtMost(
                "expected",
                "lower bound, twice the printed e(1 − e), attained by mass on one class",
                expected_bounds(error, 4)[0],
                trace,
                tuple(crossed),
                alone,
                {"the printed bound": (error * (1 - error), trace)},
            ),
            AtMost(
                "expected",
                "upper bound, attained by mass that is spread evenly",
                trace,
                expected_bounds(error, 4)[1],
                tuple(spread),
                even,
                {"without S₂": (trace, 2 * error - error**2)},
            ),
            Equation(
                "labels from the model",
                "mean of the squared gradient over labels drawn from p",
                sum((p[label] * empirical(label) for label in range(4)), sympy.Integer(0)),
                trace,
                {"the observed label": (empirical(0), trace)},
            ),
        ),
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
    traces: list[Check] = []
    bounds: dict[str, list[Check]] = {"empirical": [], "expected": []}
    curves: list[Curve] = []
    share = _CLASSES - 1
    for name, concentrated, square in (("spread", False, sympy.Rational(_CLASSES, share)), ("concentrated", True, 2)):
        empirical = [_empirical(_logits(e, concentrated)) for e in _ERRORS]
        expected = [_expected(_logits(e, concentrated)) for e in _ERRORS]
        bounds["empirical"] += [
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
                f"{name} mass: |p − e_y|²/e²",
                square,
                limit(_ERRORS, [value / e**2 for value, e in zip(empirical, _ERRORS, strict=True)], 1e-8),
                (1, 2 if square != 2 else sympy.Rational(5, 4)),
                1e-4,
                _REASON,
                "coefficient",
            ),
        ]
        bounds["expected"] += [
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
        traces.append(
            value_check(
                f"spread mass, e = {e}: |p − e_y|²/e²",
                sympy.Rational(_CLASSES, share),
                _empirical(_logits(e)) / e**2,
                rivals=(1, 2),
                reason="an identity at every e; rounding only. The rivals leave S₂ out, or put all mass on one class",
                quantity="coefficient",
            )
        )
        traces.append(
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
    return Experiment(
        "Gradients of torch.nn.functional.cross_entropy with respect to five logits, p_y = 1 − e; wrong mass spread "
        "evenly, or on one class.",
        {"traces": traces, **bounds, "labels from the model": _model_labels()},
        tuple(curves),
    )


def _drawn(e: float) -> float:
    """The empirical trace with the label drawn from the model, as an exact mean over labels."""
    import torch

    logits = _logits(e)
    p = torch.softmax(logits, 0)
    return sum(float(p[label]) * _empirical(logits, label) for label in range(_CLASSES))


def _model_labels() -> list[Check]:
    drawn = [_drawn(e) for e in _ERRORS]
    expected = [_expected(_logits(e)) for e in _ERRORS]
    return [
        Comparison("labels from the model: order in e", 1, rate(_ERRORS, drawn), (2,), 0.1, _REASON, "order in e"),
        *(
            value_check(
                f"labels from the model, e = {e:.3g}: mean of the squared gradient over tr H",
                1,
                a / b,
                rivals=(_empirical(_logits(e)) / b, 2),
                reason="an identity; rounding only. A rival is the observed label",
            )
            for e, a, b in zip(_ERRORS[::4], drawn[::4], expected[::4], strict=True)
        ),
    ]


def control() -> Experiment:
    drawn = [_drawn(e) for e in _ERRORS]
    share = sympy.Rational(_CLASSES, _CLASSES - 1)
    uniform = [_empirical(_logits(e), 1) for e in _ERRORS]
    return Experiment(
        "Labels drawn from the model in the place of the observed one: the empirical trace is of order e, not e². "
        "And a label that is wrong: it is of order 1. Masses that do not add up to one, five independent yes or no "
        "answers that err with probability e each: the expected trace has the coefficient 5, above the upper bound.",
        {
            "expected": (
                Comparison(
                    "independent answers: tr H/e",
                    _CLASSES,
                    limit(_ERRORS, [_independent(e) / e for e in _ERRORS], 1e-8),
                    (2, 1),
                    1e-4,
                    _REASON + "; tr H is 5e(1 − e) by hand, the rivals are both ends of a softmax",
                    "coefficient",
                ),
            ),
            "empirical": (
                Comparison(
                    "labels from the model: order in e", 1, rate(_ERRORS, drawn), (2,), 0.1, _REASON, "order in e"
                ),
            ),
            "labels from the model": (
                value_check(
                    "the observed label, e = 1/100: |p − e_y|² over tr H",
                    sympy.Rational(1, 100) * share / (2 - sympy.Rational(1, 100) * share),
                    _empirical(_logits(0.01)) / _expected(_logits(0.01)),
                    rivals=(1,),
                    reason="e C/(C−1) over 2 − e C/(C−1) by the traces; rounding. With labels from the model it is 1",
                    quantity="ratio",
                ),
            ),
            "traces": (
                Comparison("a wrong label: order in e", 0, rate(_ERRORS, uniform), (1, 2), 0.1, _REASON, "order in e"),
                Comparison(
                    "a wrong label: limit", 2, limit(_ERRORS, uniform, 1e-9), (0, 1), 1e-4, _REASON, "coefficient"
                ),
            ),
        },
    )


def _independent(error: float) -> float:
    """The trace of the Hessian of torch's binary cross-entropy at five logits that err with this probability."""
    import torch

    label = torch.tensor([1.0, 0, 0, 0, 0], dtype=torch.float64)
    logits = torch.logit(torch.abs(label - error))

    def loss(moved: Tensor) -> Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(moved, label, reduction="sum")

    return float(torch.func.hessian(loss)(logits).trace())


def counterexample() -> Experiment:
    wrong = 0.05
    logits = [_logits(e) for e in _ERRORS]
    empirical = [(1 - wrong) * _empirical(found) + wrong * _empirical(found, label=1) for found in logits]
    expected = [_expected(found) for found in logits]
    level = wrong * (1 + 1)
    return Experiment(
        "Averages over data: one label in twenty stays wrong while the model becomes certain. The empirical trace "
        "then does not fall at all, and it is the larger of the two.",
        {
            TITLE: (
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
                value_check(
                    "5 % wrong labels, e = 8e-4: empirical over expected trace",
                    level / (2 * _ERRORS[-1]),
                    empirical[-1] / expected[-1],
                    rivals=(_ERRORS[-1] * _CLASSES / (_CLASSES - 1) / 2, 1),
                    error=0.01,
                    reason="to leading order in e; the title predicts less than 1",
                    quantity="quotient",
                ),
            )
        },
        (Curve("empirical, 5 % wrong labels", _ERRORS, tuple(empirical), 0.0),),
    )
