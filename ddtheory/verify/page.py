"""The report as one HTML file: no network, no scripts, readable on a phone and on paper."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from ddtheory.errors import InvalidValueError
from ddtheory.references import WORKS, Work
from ddtheory.values import UNVERIFIED, Interval, Verdict
from ddtheory.verify import html
from ddtheory.verify.environment import versions
from ddtheory.verify.findings import CheckFinding, ComparisonFinding, Number, ObservationFinding
from ddtheory.verify.picture import drawing
from ddtheory.verify.proof import Prose
from ddtheory.verify.runner import RunResult
from ddtheory.verify.typeset import formula, on_a_line, typeset
from ddtheory.verify.verdicts import GLYPH, MEANING, SUPPORT_GLYPH, WORST_FIRST, ClaimResult, ClauseResult, worst_first
from ddtheory.visible import visible

if TYPE_CHECKING:
    from jinja2 import Template

    from ddtheory.verify.claim import Curve

_LONGEST_FORMULA, _LONGEST_TEXT = 80, 160
"""Characters of LaTeX that are typeset, and of text that are shown: MathML is ten times as long. JSON has it all."""

_PLAIN = re.compile(r"-?(\d{1,9}(/\d{1,9})?|\d+\.\d+(e[+-]\d+)?|\d+e[+-]\d+)")

OUTCOME_GLYPH = {"agrees": "✓", "contradicts": "✗", "inconclusive": "?", "raised": "!", "missing": "○"}

SCOPE_TITLE = {"derive": "Derived", "measure": "Measured", "control": "Attacked", "counterexample": "Against the title"}

WITNESS_TITLE = {
    "derive": "Derivation",
    "measure": "Measurement",
    "control": "Control: a hypothesis is broken",
    "counterexample": "Counterexample to the title",
}


def render(run: RunResult) -> str:
    """The page of a run: what needs attention, then chapter by chapter, every claim folded until it is opened."""
    attention = [result for result in worst_first(run.results) if not result.as_recorded]
    return _template().render(
        run=run,
        attention=attention,
        chapters=_chapters([result for result in run.results if result.as_recorded]),
        shown={result.record.id for result in run.results},
        verdicts=WORST_FIRST,
        works=works(run.results),
        unverified=UNVERIFIED if any("†" in name for name in _cited(run.results)) else "",
        weak=sum(bool(result.weak) for result in run.results),
        versions=versions(),
    )


def _chapters(results: Sequence[ClaimResult]) -> list[tuple[str, list[ClaimResult]]]:
    """In the order of the book."""
    found: dict[str, list[ClaimResult]] = {}
    for result in results:
        found.setdefault(result.record.chapter, []).append(result)
    return list(found.items())


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
        "reading": reading,
        "supported": _supported,
        "counted": _counted,
        "seconds": lambda value: f"{value:.1f} s" if value >= 0.05 else "< 0.1 s",
        "anchor": lambda claim_id: "claim-" + "-".join(claim_id.split()),
        "chapter_anchor": lambda chapter: "chapter-" + "-".join(chapter.split()),
        "word": _word,
        "tone": lambda result: "weak" if result.weak and result.verdict is Verdict.CONFIRMED else _word(result.verdict),
    }
    environment.tests["prose"] = lambda line: isinstance(line, Prose)
    environment.tests["observation"] = lambda check: isinstance(check, ObservationFinding)
    environment.globals |= {
        "glyph": GLYPH,
        "meaning": MEANING,
        "outcome_glyph": OUTCOME_GLYPH,
        "by_clause": by_clause,
        "notes_of": lambda groups: notes([check for _, checks in groups for check in checks]),
        "shared": shared,
        "picture": picture,
        "strip": strip,
        "witness_title": WITNESS_TITLE,
        "scope_title": SCOPE_TITLE,
        "support_glyph": SUPPORT_GLYPH,
        "sentence": lambda text: typeset(text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")),
        "direct": lambda record: {str(citation) for citation in record.assumes},
    }
    return environment.get_template("report.html.jinja")


def _word(value: StrEnum) -> str:
    return value.value.replace(" ", "-")


def _supported(result: ClaimResult) -> str:
    supports = {clause.support for clause in result.clauses}
    if len(supports) == 1:
        return f"every clause: {supports.pop()}"
    return "; ".join(f"{clause.name}: {clause.support}" for clause in result.clauses)


def _counted(result: ClaimResult, witness: str, clause: str) -> int:
    """How many lines or checks of a witness are about a clause."""
    return sum(item.clause == clause for found in result.witnesses if found.name == witness for item in found.items)


@dataclass(frozen=True)
class Note:
    """The place of a reason in its list, and the width that all readings with it may have; empty where they differ."""

    number: int
    width: str


def notes(checks: Sequence[CheckFinding]) -> dict[str, Note]:
    """Where the readings come from: each reason once, in the order of the checks."""
    widths: dict[str, set[str]] = {}
    for check in checks:
        found = widths.setdefault(check.reason, set())
        found.add("" if isinstance(check, ObservationFinding) else number(check.max_width, 2))
    return {
        reason: Note(place, next(iter(found)) if len(found) == 1 else "")
        for place, (reason, found) in enumerate(widths.items(), start=1)
    }


def shared(checks: Sequence[CheckFinding], name: str) -> str:
    """What all these checks have in common, said once above them; empty where they differ, or where there is one."""
    found = {getattr(check, name, "") for check in checks}
    return found.pop() if len(found) == 1 and len(checks) > 1 else ""


def picture(curve: Curve) -> Markup:
    """A curve as an inline drawing, or why there is none."""
    try:
        return drawing(curve)
    except InvalidValueError as error:  # a report must still come out
        return Markup('<p class="quiet">{}</p>').format(visible(f"{error} Its numbers are in the JSON."))


def exact(value: Number) -> Markup:
    """An exact value, typeset. Numbers stay on the line; what is long is text, and of what is longer the start."""
    if _PLAIN.fullmatch(value.text):
        text = number(float(value.text)) if set(value.text) & set(".e") else value.text
        return Markup("{}").format(text.replace("-", "−"))
    if len(value.latex) <= _LONGEST_FORMULA:
        return formula(value.latex)
    if len(value.text) <= _LONGEST_TEXT:
        return on_a_line(value.text)
    return on_a_line(value.text[:_LONGEST_TEXT]) + Markup("… ({} characters)").format(len(value.text))


def by_clause(checks: Sequence[CheckFinding], clauses: Sequence[ClauseResult]) -> list[tuple[str, list[CheckFinding]]]:
    """The checks of each clause in the order of the statement; those of the title, which is none, come last."""
    found: dict[str, list[CheckFinding]] = {clause.name: [] for clause in clauses}
    for check in checks:
        found.setdefault(check.clause, []).append(check)
    return [(name, group) for name, group in found.items() if group]


def number(value: float, digits: int = 5) -> str:
    """A measured number with as many digits as a reader wants; the JSON has them all.

    >>> number(1.99987), number(2.0), number(3.2e-9)
    ('1.9999', '2', '3.2e-9')
    """
    if not math.isfinite(value):
        return str(value).replace("inf", "∞").replace("-", "−")
    text = f"{value:.{digits}g}"
    mantissa, exponent_sign, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent_sign else text


def reading(interval: Interval) -> str:
    """A measured interval with its width: as many digits as it has.

    >>> reading(Interval.around(2.00013, 0.0004)), reading(Interval(4.0, 4.0, 4.0)), reading(Interval(2.0, 1.5, 3.0))
    ('2.0001 ± 0.0004', '4', '2 in [1.5, 3]')
    """
    below, above = interval.estimate - interval.lower, interval.upper - interval.estimate
    half = max(below, above)
    if half == 0 or not math.isfinite(half):
        shown = number(interval.estimate) if half == 0 else f"[{number(interval.lower)}, {number(interval.upper)}]"
    elif abs(below - above) > 0.1 * half:
        digits = _digits(interval.estimate, interval.upper - interval.lower)
        ends = f"[{number(interval.lower, digits)}, {number(interval.upper, digits)}]"
        shown = f"{number(interval.estimate, digits)} in {ends}"
    else:
        shown = f"{number(interval.estimate, _digits(interval.estimate, half))} ± {number(half, 1)}"
    return shown.replace("-", "−")


def _digits(value: float, width: float) -> int:
    """How many digits of a value mean something when it is known to within a width."""
    if value == 0 or width <= 0:
        return 2
    return min(12, max(2, math.floor(math.log10(abs(value))) - math.floor(math.log10(width)) + 1))


@dataclass(frozen=True)
class Strip:
    """Where things lie on a line of 100 units: the interval, the prediction, the rivals."""

    start: float
    length: float
    predicted: float
    rivals: tuple[float, ...]


_SHORTEST_BAR = 1.5
_VISIBLE = 0.01
"""The part of the line that an interval must fill to be worth a drawing."""


def strip(check: ComparisonFinding) -> Strip | None:
    """The comparison on a line; None when its interval is a point there, or something on it is not a finite number."""
    values = [check.measured.lower, check.measured.upper, check.predicted.value]
    values += [rival.value for rival in check.rivals]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if len(finite) < len(values) or check.measured.width < _VISIBLE * (max(finite) - min(finite)):
        return None
    low, high = min(finite), max(finite)
    room = (high - low) or 1.0

    def place(value: float) -> float:
        return round(6 + 88 * (value - low) / room, 1) if high > low else 50.0

    start, end = place(finite[0]), place(finite[1])
    if end - start < _SHORTEST_BAR:
        middle = (start + end) / 2
        start, end = middle - _SHORTEST_BAR / 2, middle + _SHORTEST_BAR / 2
    return Strip(round(start, 1), round(end - start, 1), place(finite[2]), tuple(place(value) for value in finite[3:]))
