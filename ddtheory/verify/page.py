"""The report as one HTML file: no network, no scripts, readable on a phone and on paper."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from ddtheory.references import WORKS, Work
from ddtheory.values import UNVERIFIED, Verdict
from ddtheory.verify import html
from ddtheory.verify.environment import versions
from ddtheory.verify.findings import ComparisonFinding, Number, ObservationFinding
from ddtheory.verify.runner import RunResult
from ddtheory.verify.typeset import formula, typeset
from ddtheory.verify.verdicts import GLYPH, MEANING, WORST_FIRST, ClaimResult, worst_first
from ddtheory.visible import visible

if TYPE_CHECKING:
    from jinja2 import Template

    from ddtheory.verify.claim import Curve

_LONGEST_FORMULA = 1500  # characters of LaTeX; a longer residual is shown as the start of its text

_RATIONAL = re.compile(r"-?\d{1,9}(/\d{1,9})?")

OUTCOME_GLYPH = {"agrees": "✓", "contradicts": "✗", "inconclusive": "?", "raised": "!", "missing": "○"}

WITNESS_TITLE = {
    "derive": "Derivation",
    "measure": "Measurement",
    "control": "Control: a hypothesis is broken",
    "counterexample": "Counterexample to the title",
}


def render(run: RunResult) -> str:
    """The page of a run, what needs attention first."""
    return _template().render(
        run=run,
        results=worst_first(run.results),
        shown={result.record.id for result in run.results},
        verdicts=WORST_FIRST,
        works=works(run.results),
        unverified=UNVERIFIED if any("†" in name for name in _cited(run.results)) else "",
        weak=sum(bool(result.weak) for result in run.results),
        versions=versions(),
    )


def works(results: Sequence[ClaimResult]) -> list[Work]:
    """The works of the bibliography that the claims cite."""
    records = [result.record for result in results]
    keys = {citation.key for record in records for citation in (record.source, *record.assumes)}
    return [WORKS[key] for key in sorted(keys & WORKS.keys())]


def _cited(results: Sequence[ClaimResult]) -> Iterator[str]:
    for result in results:
        yield str(result.record.source)
        yield from result.record.foundations


@cache
def _template() -> Template:
    environment = html.environment("ddtheory.verify")
    environment.filters |= {
        "formula": formula,
        "display": lambda latex: formula(latex, display=True),
        "number": number,
        "exact": exact,
        "seconds": lambda value: f"{value:.1f} s" if value >= 0.05 else "< 0.1 s",
        "anchor": lambda claim_id: "claim-" + "-".join(claim_id.split()),
        "word": _word,
        "tone": lambda result: "weak" if result.weak and result.verdict is Verdict.CONFIRMED else _word(result.verdict),
    }
    environment.tests["observation"] = lambda check: isinstance(check, ObservationFinding)
    environment.globals |= {
        "glyph": GLYPH,
        "meaning": MEANING,
        "outcome_glyph": OUTCOME_GLYPH,
        "picture": picture,
        "strip": strip,
        "witness_title": WITNESS_TITLE,
        "sentence": lambda text: typeset(text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")),
        "direct": lambda record: {str(citation) for citation in record.assumes},
    }
    return environment.get_template("report.html.jinja")


def _word(value: StrEnum) -> str:
    return value.value.replace(" ", "-")


def picture(curve: Curve, name: str) -> Markup:
    """A curve as an inline drawing, or why there is none. `name` keeps its ids apart from those of other drawings."""
    from ddtheory.plots.rates import rate
    from ddtheory.verify.picture import inline_svg

    slope = "" if curve.slope is None else f", predicted slope {float(curve.slope):g}"
    shown = replace(curve, label=visible(curve.label))
    try:
        return Markup(inline_svg(rate(shown), name, f"{shown.label} against the radius{slope}"))
    except Exception as error:  # of many kinds, for numbers that no axis holds; a report must still come out
        found = f"It cannot be drawn, {type(error).__name__}: {error}. Its numbers are in the JSON."
        return Markup('<p class="quiet">{}</p>').format(visible(found))


def exact(value: Number) -> Markup:
    """An exact value, typeset. Rationals stay on the line; of what is too long to read, the start is shown."""
    if _RATIONAL.fullmatch(value.text):
        return Markup('<span class="tab">{}</span>').format(value.text.replace("-", "−"))
    if len(value.latex) > _LONGEST_FORMULA:
        return Markup("<code>{}…</code> ({} characters)").format(visible(value.text[:400]), len(value.text))
    return formula(value.latex)


def number(value: float) -> str:
    """A measured number with as many digits as a reader wants; the JSON has them all.

    >>> number(1.99987), number(2.0), number(3.2e-9)
    ('1.9999', '2', '3.2e-9')
    """
    if not math.isfinite(value):
        return str(value).replace("inf", "∞").replace("-", "−")
    text = f"{value:.5g}"
    mantissa, exponent_sign, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent_sign else text


@dataclass(frozen=True)
class Strip:
    """Where things lie on a line of 100 units: the interval, the prediction, the rivals."""

    start: float
    length: float
    predicted: float
    rivals: tuple[float, ...]


_SHORTEST_BAR = 1.5


def strip(check: ComparisonFinding) -> Strip | None:
    """The comparison on a line, None when something on it is not a finite number."""
    values = [check.measured.lower, check.measured.upper, check.predicted.value]
    values += [rival.value for rival in check.rivals]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if len(finite) < len(values):
        return None
    low, high = min(finite), max(finite)
    room = (high - low) or 1.0

    def place(value: float) -> float:
        return round(6 + 88 * (value - low) / room, 2) if high > low else 50.0

    start, end = place(finite[0]), place(finite[1])
    if end - start < _SHORTEST_BAR:
        middle = (start + end) / 2
        start, end = middle - _SHORTEST_BAR / 2, middle + _SHORTEST_BAR / 2
    return Strip(start, round(end - start, 2), place(finite[2]), tuple(place(value) for value in finite[3:]))
