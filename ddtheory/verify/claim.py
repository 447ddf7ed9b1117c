"""What a claim of the book declares, and what its witnesses return.

A file of the book binds the name `CLAIM` to one `Claim`. Its witnesses are functions without arguments:

- `derive` returns a `Proof`, whose residuals must be identically zero;
- `measure` returns an `Experiment`, whose checks compare predictions with readings;
- `control` returns an `Experiment` that breaks a hypothesis; each check predicts the value that must then
  appear, and names the value of the claim among the rivals that the reading must exclude;
- `counterexample` returns an `Experiment` against the claim *as titled*; it turns a claim that holds under its
  stated hypotheses into a `narrower` one.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ddtheory.errors import InvalidValueError
from ddtheory.fields import Told, require, require_each, require_mapping
from ddtheory.values import Citation, Interval, Verdict

if TYPE_CHECKING:
    from sympy import Expr

    from ddtheory.values import Exact


class Outcome(StrEnum):
    """What one check, or one witness, says."""

    AGREES = "agrees"
    CONTRADICTS = "contradicts"
    INCONCLUSIVE = "inconclusive"
    RAISED = "raised"  # the witness could not run
    MISSING = "missing"  # the claim declares no such witness


@dataclass(frozen=True)
class Step:
    """One line of a proof: a sentence, and the formula it leads to (LaTeX)."""

    text: str
    latex: str = ""

    def __post_init__(self) -> None:
        require(self, str, "text", "latex")


@dataclass(frozen=True, repr=False)
class Proof(Told):
    """What `derive` returns: the steps, and named residuals that must simplify to zero identically.

    `controls` are expressions that must *not* vanish: a residual that is zero for the wrong formula too proves
    nothing, so a proof shows at least one rival formula whose residual survives.
    """

    steps: tuple[Step, ...]
    residuals: Mapping[str, Expr]
    controls: Mapping[str, Expr] = field(default_factory=dict[str, "Expr"])

    def __post_init__(self) -> None:
        require_each(self, Step, "steps")
        require_mapping(self, str, object, "residuals", "controls")
        if not self.residuals:
            raise InvalidValueError("A proof without a residual cannot fail, so it proves nothing.")


@dataclass(frozen=True, repr=False)
class Comparison(Told):
    """A predicted number against a measured interval.

    Agreement needs three things: the interval contains the prediction, it is no wider than `max_width`, and it
    excludes every rival. An interval that is too wide, or that holds a rival, is inconclusive; an interval
    that is narrow enough and misses the prediction contradicts it.

    Attributes:
        label: what was measured.
        predicted: exact where possible; shown as given, compared as a float.
        measured: the reading.
        rivals: other values that the reading must exclude, e.g. the orders k ± 1.
        max_width: the widest interval that still counts as a reading.
        reason: why this width, and where the interval comes from.
        quantity: "order", "rate of a second moment", "coefficient", … so that factors of two cannot hide.
    """

    label: str
    predicted: Exact | float
    measured: Interval
    rivals: tuple[Exact | float, ...]
    max_width: float
    reason: str
    quantity: str = "order"

    def __post_init__(self) -> None:
        require(self, str, "label", "reason", "quantity")
        require(self, Interval, "measured")
        require(self, numbers.Real, "max_width")
        require_each(self, object, "rivals")

    @property
    def rivals_left(self) -> tuple[Exact | float, ...]:
        """The rivals that the interval fails to exclude."""
        return tuple(rival for rival in self.rivals if self.measured.contains(float(rival)))

    @property
    def outcome(self) -> Outcome:
        if self.measured.width > self.max_width:
            return Outcome.INCONCLUSIVE
        if not self.measured.contains(float(self.predicted)):
            return Outcome.CONTRADICTS
        return Outcome.INCONCLUSIVE if self.rivals_left else Outcome.AGREES


@dataclass(frozen=True)
class Observation:
    """A predicted state against an observed one, where the answer is no number ("flat", "refused").

    `decided` is False when the measurement could not tell; that is no contradiction.
    """

    label: str
    predicted: str
    observed: str
    reason: str
    decided: bool = True

    def __post_init__(self) -> None:
        require(self, str, "label", "predicted", "observed", "reason")
        require(self, bool, "decided")

    @property
    def outcome(self) -> Outcome:
        if not self.decided:
            return Outcome.INCONCLUSIVE
        return Outcome.AGREES if self.observed == self.predicted else Outcome.CONTRADICTS


Check = Comparison | Observation


@dataclass(frozen=True, repr=False)
class Curve(Told):
    """A measured profile for the report: values against radii on logarithmic axes.

    `slope` is the predicted slope of the guide line, `window` the radii that were used for the reading.
    """

    label: str
    radii: tuple[float, ...]
    values: tuple[float, ...]
    slope: float | None = None
    window: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        require(self, str, "label")
        require_each(self, numbers.Real, "radii", "values")
        require(self, numbers.Real | None, "slope")
        if self.window is not None:
            require_each(self, numbers.Real, "window")
        if len(self.radii) != len(self.values) or len(self.window or (0, 0)) != 2:
            raise InvalidValueError(
                f"The curve {self.label!r} needs a value for each radius, and two ends of its window."
            )


@dataclass(frozen=True)
class Experiment:
    """What a measurement, a control or a counterexample found."""

    setting: str
    checks: tuple[Check, ...]
    curves: tuple[Curve, ...] = ()

    def __post_init__(self) -> None:
        require(self, str, "setting")
        require_each(self, Check, "checks")
        require_each(self, Curve, "curves")
        if not self.checks:
            raise InvalidValueError("An experiment without a check cannot fail, so it is not evidence.")


@dataclass(frozen=True)
class Claim:
    """One numbered result of a paper, with everything needed to derive, measure and attack it.

    Attributes:
        id: the label in the paper, e.g. "thm:fisher_decay".
        title: the paper's title of the result.
        statement: LaTeX with text, the statement that the witnesses test.
        source: the paper and the label.
        hypotheses: plain sentences.
        expected: the verdict on record; `verify` exits 1 when today's differs.
        rests_on: ids of other claims of the book that this one uses.
        assumes: facts from outside the book that this one uses.
        titled: for `narrower` and `refuted`: what the title says beyond the statement.
        doubts: what the register doubts, and what became of it.
    """

    id: str
    title: str
    statement: str
    source: Citation
    hypotheses: tuple[str, ...]
    expected: Verdict
    derive: Callable[[], Proof] | None = None
    measure: Callable[[], Experiment] | None = None
    control: Callable[[], Experiment] | None = None
    counterexample: Callable[[], Experiment] | None = None
    rests_on: tuple[str, ...] = ()
    assumes: tuple[Citation, ...] = ()
    titled: str = ""
    doubts: str = ""

    def __post_init__(self) -> None:
        require(self, str, "id", "title", "statement", "titled", "doubts")
        require(self, Citation, "source")
        require(self, Verdict, "expected")
        require(self, Callable | None, "derive", "measure", "control", "counterexample")
        require_each(self, str, "hypotheses", "rests_on")
        require_each(self, Citation, "assumes")
        if not self.id.strip():
            raise InvalidValueError("A claim needs an id, such as the label of the result in its paper.")
