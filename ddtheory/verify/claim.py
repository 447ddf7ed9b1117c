"""What a claim of the book declares, and what its witnesses return.

A file of the book opens with its claim: it binds the name `CLAIM` to one `Claim`, whose statement is a list of clauses.
Below it stand its witnesses, functions of these names without arguments, which say of each line or check which clause
it supports:

- `derive` returns a `Proof`, whose equations must hold identically;
- `measure` returns an `Experiment`, whose checks compare predictions with readings;
- `control` returns an `Experiment` that breaks a hypothesis; each check predicts the value that must then
  appear, and names the value of the claim among the rivals that the reading must exclude;
- `counterexample` returns an `Experiment` against the claim *as titled*; it turns a claim that holds under its
  stated hypotheses into a `narrower` one.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from ddtheory.errors import InvalidValueError
from ddtheory.fields import Told, require, require_each, require_items, require_mapping
from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify.proof import Proof

if TYPE_CHECKING:
    from ddtheory.values import Exact


WitnessName = Literal["derive", "measure", "control", "counterexample"]

WITNESSES: tuple[WitnessName, ...] = ("derive", "measure", "control", "counterexample")


class Outcome(StrEnum):
    """What one check, or one witness, says."""

    AGREES = "agrees"
    CONTRADICTS = "contradicts"
    INCONCLUSIVE = "inconclusive"
    RAISED = "raised"  # the witness could not run
    MISSING = "missing"  # the claim declares no such witness


@dataclass(frozen=True, repr=False)
class Comparison(Told):
    """A predicted number against a measured interval.

    Agreement needs four things: the interval contains the prediction, it is no wider than `max_width`, it excludes
    every rival, and there is a rival that the widest interval around the prediction would exclude too, as it would all
    others. An interval that is too wide, or that holds a rival, is inconclusive, and so is a comparison that could not
    have failed: without a rival, or with a width that reaches one. An interval that is narrow enough and misses the
    prediction contradicts it.

    Attributes:
        label: what was measured.
        predicted: exact where possible; shown as given, compared as a float.
        measured: the reading.
        rivals: other values that the reading must exclude, e.g. the orders k ± 1.
        max_width: the widest interval that still counts as a reading, below twice the distance to the nearest rival.
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
    def tells_apart(self) -> bool:
        """Whether the widest interval around the prediction excludes every rival, and there is one."""
        at, reach = float(self.predicted), float(self.max_width) / 2
        return bool(self.rivals) and all(abs(float(rival) - at) > reach for rival in self.rivals)

    @property
    def outcome(self) -> Outcome:
        if self.measured.width > self.max_width:
            return Outcome.INCONCLUSIVE
        if not self.measured.contains(float(self.predicted)):
            return Outcome.CONTRADICTS
        return Outcome.AGREES if self.tells_apart and not self.rivals_left else Outcome.INCONCLUSIVE


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


TITLE = "title"
"""In the place of a clause: what a counterexample refutes when its claim goes beyond all clauses by its title."""


@dataclass(frozen=True)
class Experiment:
    """What a measurement, a control or a counterexample found.

    Attributes:
        setting: what was measured and how, in a sentence or two: models, sizes, seeds, precision.
        checks: the checks, by the clause that they support or attack.
        curves: profiles for the report.

    Raises:
        InvalidValueError: there is no check, or a clause without one.
    """

    setting: str
    checks: Mapping[str, Sequence[Check]]
    curves: tuple[Curve, ...] = ()

    def __post_init__(self) -> None:
        require(self, str, "setting")
        require_mapping(self, str, tuple | list, "checks")
        for found in self.checks.values():
            require_items(self, Check, "checks", found)
        require_each(self, Curve, "curves")
        empty = [clause for clause, found in self.checks.items() if not found]
        if empty or not self.checks:
            what = f"no check for the clause “{empty[0]}”" if empty else "no check"
            raise InvalidValueError(f"An experiment has {what}. It cannot fail there, so it is no evidence.")


@dataclass(frozen=True)
class Claim:
    """One numbered result of a paper, with everything needed to derive, measure and attack it.

    Attributes:
        id: the label in the paper, e.g. "thm:fisher_decay".
        title: the paper's title of the result.
        clauses: by a short name, what is stated, each a text with LaTeX; the witnesses name the clause that they test.
        source: the paper and the label.
        given: what the clauses speak of, a text with LaTeX: “Let …”.
        hypotheses: plain sentences.
        expected: the verdict on record; `verify` exits 1 when today's differs.
        rests_on: ids of other claims of the book that this one uses.
        assumes: facts from outside the book that this one uses.
        uncovered: what the result has beyond the clauses, and is neither stated nor tested here.
        holds: for `narrower`: what holds, in a few words; the headline in the place of a title that says too much.
        titled: for `narrower` and `refuted`: what the title says beyond the statement.
        doubts: what the register doubts, and what became of it.
    """

    id: str
    title: str
    clauses: Mapping[str, str] = field(hash=False)
    source: Citation
    hypotheses: tuple[str, ...]
    expected: Verdict
    given: str = ""
    derive: Callable[[], Proof] | None = None
    measure: Callable[[], Experiment] | None = None
    control: Callable[[], Experiment] | None = None
    counterexample: Callable[[], Experiment] | None = None
    rests_on: tuple[str, ...] = ()
    assumes: tuple[Citation, ...] = ()
    titled: str = ""
    holds: str = ""
    uncovered: str = ""
    doubts: str = ""

    def __post_init__(self) -> None:
        require(self, str, "id", "title", "given", "titled", "holds", "uncovered", "doubts")
        require_mapping(self, str, str, "clauses")
        require(self, Citation, "source")
        require(self, Verdict, "expected")
        require(self, Callable | None, "derive", "measure", "control", "counterexample")
        require_each(self, str, "hypotheses", "rests_on")
        require_each(self, Citation, "assumes")
        if not self.id.strip():
            raise InvalidValueError("A claim needs an id, such as the label of the result in its paper.")
        if not self.clauses or not all(name.strip() and text.strip() for name, text in self.clauses.items()):
            raise InvalidValueError(f"The claim {self.id} needs clauses: what it states, each under a short name.")
        if TITLE in self.clauses:
            raise InvalidValueError(
                f"“{TITLE}” is no name for a clause of {self.id}: it stands for what the title adds."
            )
