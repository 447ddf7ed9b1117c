"""What a witness found, in plain values that travel between processes and into reports.

Expressions become text and LaTeX here, where they were made, so that no report needs sympy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ddtheory.values import Interval
from ddtheory.verify.claim import Comparison, Curve, Experiment, Observation, Outcome, Proof, Step

_WORST_FIRST = (Outcome.RAISED, Outcome.CONTRADICTS, Outcome.INCONCLUSIVE, Outcome.MISSING, Outcome.AGREES)


def worst(outcomes: list[Outcome]) -> Outcome:
    """A witness is as good as its worst check."""
    return min(outcomes, key=_WORST_FIRST.index)


@dataclass(frozen=True)
class Number:
    """An exact value as text that reads back exactly, as LaTeX, and as a float to draw (None when symbolic)."""

    text: str
    latex: str
    value: float | None


@dataclass(frozen=True)
class ComparisonFinding:
    """A comparison with its exact values written out. `rivals_left` are those that the interval fails to exclude."""

    label: str
    quantity: str
    predicted: Number
    measured: Interval
    rivals: tuple[Number, ...]
    rivals_left: tuple[Number, ...]
    max_width: float
    reason: str
    outcome: Outcome

    @property
    def rivals_excluded(self) -> tuple[Number, ...]:
        return tuple(rival for rival in self.rivals if rival not in self.rivals_left)

    @property
    def note(self) -> str:
        """What was found, in one clause."""
        reading = (
            f"{self.label}: predicted {self.predicted.text}, "
            f"measured {self.measured.estimate:.4g} in [{self.measured.lower:.4g}, {self.measured.upper:.4g}]"
        )
        if self.measured.width > self.max_width:
            return f"{reading}, which is wider than {self.max_width:.4g}"
        if self.outcome is Outcome.INCONCLUSIVE:
            return f"{reading}, which does not exclude {' and '.join(rival.text for rival in self.rivals_left)}"
        return reading


@dataclass(frozen=True)
class ObservationFinding:
    """A predicted state against an observed one."""

    label: str
    predicted: str
    observed: str
    reason: str
    outcome: Outcome

    @property
    def note(self) -> str:
        return f"{self.label}: predicted “{self.predicted}”, observed “{self.observed}”"


CheckFinding = ComparisonFinding | ObservationFinding


@dataclass(frozen=True)
class ExperimentFinding:
    setting: str
    checks: tuple[CheckFinding, ...]
    curves: tuple[Curve, ...]

    @property
    def outcome(self) -> Outcome:
        return worst([check.outcome for check in self.checks])

    @property
    def note(self) -> str:
        """The first of the worst checks."""
        return next(check.note for check in self.checks if check.outcome is self.outcome)


@dataclass(frozen=True)
class Residual:
    """An expression that must vanish, or (a control of the proof) must not; `vanishes` is None if undecided."""

    name: str
    expression: Number
    vanishes: bool | None
    must_vanish: bool

    @property
    def outcome(self) -> Outcome:
        if self.vanishes is self.must_vanish:
            return Outcome.AGREES
        return Outcome.CONTRADICTS if self.must_vanish and self.vanishes is False else Outcome.INCONCLUSIVE

    @property
    def note(self) -> str:
        state = {True: "vanishes", False: "does not vanish", None: "could not be decided"}[self.vanishes]
        if self.must_vanish:
            return f"the residual “{self.name}” {state}"
        return f"the control “{self.name}” {state}, so the derivation does not tell it from the claim"


@dataclass(frozen=True)
class ProofFinding:
    steps: tuple[Step, ...]
    residuals: tuple[Residual, ...]

    @property
    def outcome(self) -> Outcome:
        return worst([residual.outcome for residual in self.residuals])

    @property
    def note(self) -> str:
        """The first of the worst residuals."""
        return next(residual.note for residual in self.residuals if residual.outcome is self.outcome)


def of_proof(proof: Proof) -> ProofFinding:
    """Decides every residual and every control of a proof."""
    from ddtheory.verify.symbolic import vanishes

    return ProofFinding(
        proof.steps,
        tuple(
            Residual(name, _number(expression), vanishes(expression), must_vanish)
            for group, must_vanish in ((proof.residuals, True), (proof.controls, False))
            for name, expression in group.items()
        ),
    )


def of_experiment(experiment: Experiment) -> ExperimentFinding:
    """Writes out the exact values of an experiment."""
    return ExperimentFinding(
        experiment.setting, tuple(_of_check(check) for check in experiment.checks), experiment.curves
    )


def _of_check(check: Comparison | Observation) -> CheckFinding:
    if isinstance(check, Observation):
        return ObservationFinding(check.label, check.predicted, check.observed, check.reason, check.outcome)
    return ComparisonFinding(
        label=check.label,
        quantity=check.quantity,
        predicted=_number(check.predicted),
        measured=_plain(check.measured),
        rivals=tuple(map(_number, check.rivals)),
        rivals_left=tuple(map(_number, check.rivals_left)),
        max_width=float(check.max_width),
        reason=check.reason,
        outcome=check.outcome,
    )


def _plain(interval: Interval) -> Interval:
    """The same interval without numpy scalars, which would not read back as JSON."""
    return Interval(float(interval.estimate), float(interval.lower), float(interval.upper))


def _number(value: Any) -> Number:
    if isinstance(value, int | float):
        text = str(int(value)) if isinstance(value, int) else repr(float(value))
        return Number(text, text, float(value))
    from sympy import latex, sympify

    expression = sympify(value)
    value = float(expression) if expression.is_number and expression.is_extended_real else None
    return Number(str(expression), latex(expression), value)
