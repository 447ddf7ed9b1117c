"""Why a gauge breaks: terms are taken out of the optimiser, and it is trained again."""

from __future__ import annotations

from dataclasses import dataclass

from ddtheory.errors import MeasurementError
from ddtheory.gauges import Gauge
from ddtheory.testing.equivariance.judging import EquivarianceVerdict, Judgement
from ddtheory.testing.equivariance.result import Removal
from ddtheory.testing.equivariance.study import Study


@dataclass(frozen=True)
class Cause:
    """What was found.

    Attributes:
        terms: each breaks the gauge by itself, with the others taken out; empty where none does.
        text: one sentence.
        removals: the trainings that say so.
    """

    terms: tuple[str, ...]
    text: str
    removals: tuple[Removal, ...]


def cause(study: Study, gauge: Gauge) -> Cause:
    """Takes all terms out, and where that mends the gauge, puts each back by itself."""
    terms = study.terms
    if not terms:
        return Cause((), "the step itself: it has no term that could be taken out", ())
    names = ", ".join(sorted(terms))
    found = _without(study, gauge, terms)
    if found is None:
        return Cause((), f"not found: without {names} the training fails or stands still", ())
    removals = [_removal(terms, found)]
    if found.verdict is EquivarianceVerdict.BROKEN:
        return Cause((), f"the step itself: it breaks without {names} too", tuple(removals))
    if found.verdict is EquivarianceVerdict.UNDECIDED:
        return Cause((), f"not found: without {names} rounding grows too fast to tell", tuple(removals))
    if len(terms) == 1:
        return Cause(tuple(terms), f"{names}: without it the step is exact", tuple(removals))
    alone: list[str] = []
    for term in sorted(terms):
        found = _without(study, gauge, terms - {term})
        if found is not None:
            removals.append(_removal(terms - {term}, found))
            if found.verdict is EquivarianceVerdict.BROKEN:
                alone.append(term)
    if not alone:
        return Cause((), f"several together: without {names} the step is exact, and none of them alone breaks it",
                     tuple(removals))  # fmt: skip
    each = ", ".join(alone)
    verb = "breaks" if len(alone) == 1 else "each break"
    return Cause(tuple(alone), f"{each}: alone {verb} it, and without {names} the step is exact", tuple(removals))


def _without(study: Study, gauge: Gauge, removed: frozenset[str]) -> Judgement | None:
    try:
        return study.judged(gauge, removed)
    except MeasurementError:
        return None


def _removal(removed: frozenset[str], found: Judgement) -> Removal:
    return Removal(tuple(sorted(removed)), found.verdict, found.step, found.gap(-1))
