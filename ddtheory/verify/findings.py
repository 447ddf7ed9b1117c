"""What a witness found, in plain values that travel between processes and into reports.

Expressions become text and LaTeX here, where they were made, so that no report needs sympy.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ddtheory.values import Interval
from ddtheory.verify.claim import Comparison, Curve, Experiment, Observation, Outcome
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose, sides

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

    clause: str
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
        if self.outcome is not Outcome.INCONCLUSIVE:
            return reading
        if self.rivals_left:
            return f"{reading}, which does not exclude {' and '.join(rival.text for rival in self.rivals_left)}"
        if not self.rivals:
            return f"{reading}, without a rival that it excludes"
        return f"{reading}, where a width of {self.max_width:.4g} would pass, which reaches a rival"


@dataclass(frozen=True)
class ObservationFinding:
    """A predicted state against an observed one."""

    clause: str
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
class RivalFinding:
    """A formula that must not hold in the place of an equation; `holds` is None if that could not be decided."""

    name: str
    left: Number
    right: Number
    holds: bool | None


@dataclass(frozen=True)
class EquationFinding:
    """An equation or a bound, both sides as they were derived.

    Attributes:
        relation: "=" or "≤".
        holds: whether it holds identically; None if that could not be decided.
        slack: for a bound, the terms whose absolute values make up right − left.
        attained: for a bound, the case that attains it to 90 %, as text; empty when none was given.
        approached: whether that case does.
    """

    clause: str
    text: str
    relation: str
    left: Number
    right: Number
    holds: bool | None
    rivals: tuple[RivalFinding, ...]
    slack: tuple[Number, ...] = ()
    attained: str = ""
    approached: bool = True

    @property
    def outcome(self) -> Outcome:
        if self.holds is False:
            return Outcome.CONTRADICTS
        told_apart = self.approached and all(rival.holds is False for rival in self.rivals)
        return Outcome.AGREES if self.holds and told_apart else Outcome.INCONCLUSIVE

    @property
    def note(self) -> str:
        what = "equation" if self.relation == "=" else "bound"
        if self.holds is not True:
            return f"the {what} “{self.text}” {'does not hold' if self.holds is False else 'could not be decided'}"
        left = next((rival for rival in self.rivals if rival.holds is not False), None)
        if left is not None:
            state = "holds too" if left.holds else "could not be excluded"
            return f"the {what} “{self.text}” holds, and its rival “{left.name}” {state}"
        return f"the {what} “{self.text}” holds" + (
            "" if self.approached else f", but {self.attained} does not attain it"
        )


@dataclass(frozen=True)
class ProofFinding:
    scope: str
    lines: tuple[Prose | EquationFinding, ...]

    @property
    def equations(self) -> tuple[EquationFinding, ...]:
        """The lines that can fail."""
        return tuple(line for line in self.lines if isinstance(line, EquationFinding))

    @property
    def outcome(self) -> Outcome:
        return worst([equation.outcome for equation in self.equations])

    @property
    def note(self) -> str:
        """The first of the worst equations."""
        return next(equation.note for equation in self.equations if equation.outcome is self.outcome)


def of_proof(proof: Proof) -> ProofFinding:
    """Decides every equation, every bound and every rival of a proof."""
    return ProofFinding(proof.scope, tuple(line if isinstance(line, Prose) else _of_line(line) for line in proof.lines))


def _of_line(line: Equation | AtMost) -> EquationFinding:
    from ddtheory.verify.symbolic import at_least, equal

    slack = line.slack if isinstance(line, AtMost) else ()
    attained = line.attained if isinstance(line, AtMost) else {}
    return EquationFinding(
        clause=line.clause,
        text=line.text,
        relation="≤" if isinstance(line, AtMost) else "=",
        left=_number(line.left),
        right=_number(line.right),
        holds=equal(line.left, line.right, slack),
        rivals=tuple(
            RivalFinding(name, _number(left), _number(right), equal(left, right, slack))
            for name, (left, right) in ((name, sides(line, rival)) for name, rival in line.rivals.items())
        ),
        slack=tuple(map(_number, slack)),
        attained=", ".join(f"{symbol} = {value}" for symbol, value in attained.items()),
        approached=at_least(line.left, Fraction(9, 10), line.right, attained) if attained else True,
    )


def of_experiment(experiment: Experiment) -> ExperimentFinding:
    """Writes out the exact values of an experiment."""
    return ExperimentFinding(
        experiment.setting,
        tuple(_of_check(clause, check) for clause, checks in experiment.checks.items() for check in checks),
        experiment.curves,
    )


def _of_check(clause: str, check: Comparison | Observation) -> CheckFinding:
    if isinstance(check, Observation):
        return ObservationFinding(clause, check.label, check.predicted, check.observed, check.reason, check.outcome)
    return ComparisonFinding(
        clause=clause,
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
