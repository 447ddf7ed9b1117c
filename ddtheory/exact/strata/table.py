"""A zero set cut into strata, each with its pair or with bounds on it, and the pair that governs the whole."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from html import escape
from typing import Any

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.nodes import Bound, lower_of_union, upper_of_union
from ddtheory.shown import Shown, in_words
from ddtheory.tabled import Tabled
from ddtheory.values import RLCT

_MOST_SHOWN = 60  # rows of a table in a notebook


@dataclass(frozen=True, repr=False)
class Stratum(Shown):
    """Zeros of K that share one pair (λ, m), or the same bounds on it.

    Attributes:
        name: which zeros, as conditions.
        dimension: of the stratum.
        lower, upper: proven bounds on the pair of K at each of its points, in the order of dominance.
        why: why the pair is that, and why it is the same at all points.
        point: a point of it, by coordinate, where one is named.
        ranks: of matrices, by name, where ranks tell the strata apart.
    """

    name: str
    dimension: int
    lower: Bound
    upper: Bound
    why: str
    point: Mapping[str, Any] = field(default_factory=dict)
    ranks: Mapping[str, int] = field(default_factory=dict)

    @property
    def rlct(self) -> RLCT | None:
        """(λ, m) where it is exact, else None."""
        return _pair(self.lower, self.upper)

    @property
    def status(self) -> str:
        """Whether the bounds meet: `exact`, or else `bounds`."""
        return "bounds" if self.rlct is None else "exact"

    def __str__(self) -> str:
        return f"{self.name}: dimension {self.dimension}, {_said(self.lower, self.upper)}"

    def rows(self) -> Mapping[str, str]:
        point = ", ".join(f"{name} = {value}" for name, value in self.point.items())
        found = {"stratum": self.name, "dimension": str(self.dimension), "λ, m": _said(self.lower, self.upper)}
        return {name: text for name, text in {**found, "point": point, "why": self.why}.items() if text}


@dataclass(frozen=True, repr=False)
class Strata(Tabled):
    """All strata of a zero set, and the pair that governs an integral over it.

    Attributes:
        about: of what.
        strata: the rows, the most singular first.
        domain: on which domain the pair of the whole holds.
        lower, upper: proven bounds on the pair of the whole there.
        left_out: pieces of the complex zero set without real points, each with the proof.
        open: what is not decided; empty where all is.
    """

    about: str
    strata: tuple[Stratum, ...]
    domain: str
    lower: Bound
    upper: Bound
    left_out: tuple[str, ...] = ()
    open: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.strata:
            raise InvalidValueError("A zero set without a stratum has no pair; give one at least.")

    @property
    def rlct(self) -> RLCT | None:
        """(λ, m) of the whole on the domain where it is exact, else None."""
        return _pair(self.lower, self.upper)

    @property
    def status(self) -> str:
        """Whether the bounds of the whole meet: `exact`, or else `bounds`."""
        return "bounds" if self.rlct is None else "exact"

    @property
    def dominating(self) -> tuple[Stratum, ...]:
        """The strata that have the pair of the whole; none where that is not exact."""
        return tuple(stratum for stratum in self.strata if self.rlct is not None and stratum.rlct == self.rlct)

    def text(self) -> str:
        """The table as text, with what governs and what is open below it.

        >>> from ddtheory.exact.strata import of_matrix_product
        >>> print(of_matrix_product((1, 1, 1)).text())
        rank A  rank B  dimension  λ    m  status
        0       0       0          1/2  2  exact
        0       1       1          1/2  1  exact
        1       0       1          1/2  1  exact
        on every compact domain with a factorisation whose factors all have rank 0 in its interior, ...: λ = 1/2, m = 2
        """
        head, body = self._cells()
        widths = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in [head, *body]
        ]
        return "\n".join([*lines, *self._notes()])

    def latex(self) -> str:
        """The table as an array, to stand between dollars."""
        head, body = self._cells()
        width = len(head)
        lines = [" & ".join(in_words(cell) for cell in row) for row in [head, *body]]
        table = r" \\ ".join([lines[0] + r" \\ \hline " + lines[1], *lines[2:]])
        notes = " ".join(rf"\\ {in_words(note)}" for note in self._notes())
        table = rf"\begin{{array}}{{{'l' * width}}} {table} \end{{array}}"
        return rf"\begin{{array}}{{l}} {table} {notes} \end{{array}}"

    def csv(self) -> str:
        """The table as comma-separated values with a line of names: λ and m, or bounds on them, and why.

        Empty cells are what is not known.
        """
        stream = io.StringIO()
        records = self._records()
        writer = csv.DictWriter(stream, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in records)
        return stream.getvalue()

    def html(self) -> str:
        """The table as HTML, all rows."""
        return self._html(len(self.strata))

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a stratum; λ and bounds on it are fractions."""
        records = self._records()
        return {name: [row[name] for row in records] for name in records[0]}

    def to_json(self) -> dict[str, Any]:
        """The table as plain data."""
        rows = [{name: _plain(value) for name, value in row.items()} for row in self._records()]
        pair = self.rlct
        return {
            "about": self.about,
            "strata": rows,
            "domain": self.domain,
            "lambda": str(pair.lam) if pair else None,
            "multiplicity": pair.m if pair else None,
            "status": self.status,
            "lower": {"lambda": _plain(self.lower.value), "multiplicity": self.lower.m},
            "upper": {"lambda": _plain(self.upper.value), "multiplicity": self.upper.m},
            "left_out": list(self.left_out),
            "open": self.open,
        }

    def explain(self) -> str:
        """The table, and for each stratum why its pair is that."""
        return "\n".join([self.text(), "", *(f"{stratum.name}: {stratum.why}" for stratum in self.strata)])

    def __str__(self) -> str:
        number = len(self.strata)
        return f"{self.about}: {number} {'stratum' if number == 1 else 'strata'}; {_said(self.lower, self.upper)}"

    def rows(self) -> Mapping[str, str]:
        return {stratum.name: _said(stratum.lower, stratum.upper) for stratum in self.strata}

    def _repr_html_(self) -> str:
        return self._html(_MOST_SHOWN)

    def _html(self, most: int) -> str:
        head, body = self._cells()
        lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
        lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in body[:most]]
        notes = [f"{len(body) - most} more"] * (len(body) > most) + self._notes()
        lines += [f'<td colspan="{len(head)}">{escape(note)}</td>' for note in notes]
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        body = [
            [
                *(map(str, row.ranks.values()) if row.ranks else [row.name]),
                str(row.dimension),
                *_two(row.lower, row.upper),
                row.status,
            ]
            for row in self.strata
        ]
        first = [f"rank {name}" for name in self.strata[0].ranks] or ["stratum"]
        return [*first, "dimension", "λ", "m", "status"], body

    def _records(self) -> list[dict[str, Any]]:
        return [
            {
                "stratum": row.name,
                **{f"rank {name}": value for name, value in row.ranks.items()},
                "dimension": row.dimension,
                "lambda": row.rlct.lam if row.rlct else None,
                "multiplicity": row.rlct.m if row.rlct else None,
                "lower": row.lower.value,
                "lower_multiplicity": row.lower.m,
                "upper": row.upper.value,
                "upper_multiplicity": row.upper.m,
                "status": row.status,
                "dominates": row in self.dominating,
                "point": ", ".join(f"{name} = {value}" for name, value in row.point.items()) or None,
                "why": row.why,
            }
            for row in self.strata
        ]

    def _notes(self) -> list[str]:
        found = [f"{self.domain}: {_said(self.lower, self.upper)}"]
        found += [f"without real points: {text}" for text in self.left_out]
        return found + [f"open: {self.open}"] * bool(self.open)


def whole(strata: Sequence[Stratum]) -> tuple[Bound, Bound]:
    """Bounds on the dominating pair of all strata: the union of neighbourhoods that cover a compact zero set."""
    return lower_of_union([one.lower for one in strata]), upper_of_union([one.upper for one in strata])


def by_dominance(strata: Sequence[Stratum], name: Callable[[Stratum], Any] = lambda one: one.name) -> list[Stratum]:
    """The strata with the dominating ones first."""
    return sorted(strata, key=lambda one: (one.upper.value, -(one.upper.m or 1), one.dimension, name(one)))


def _pair(lower: Bound, upper: Bound) -> RLCT | None:
    if lower != upper or lower.m is None or not isinstance(lower.value, Fraction):
        return None
    return RLCT(lower.value, lower.m)


def _two(lower: Bound, upper: Bound) -> tuple[str, str]:
    """λ and m in a cell each."""
    pair = _pair(lower, upper)
    if pair is not None:
        return str(pair.lam), str(pair.m)
    if lower.value == upper.value:
        return _number(lower.value), "?"
    return f"{_number(lower.value)} … {_number(upper.value)}", "?"


def _said(lower: Bound, upper: Bound) -> str:
    pair = _pair(lower, upper)
    if pair is not None:
        return f"λ = {pair.lam}, m = {pair.m}"
    if lower.value == upper.value:
        return f"λ = {_number(lower.value)}, m is open"
    return f"{_number(lower.value)} ≤ λ ≤ {_number(upper.value)}"


def _number(value: Fraction | float) -> str:
    return "∞" if value == math.inf else str(value)


def _plain(value: Any) -> Any:
    return _number(value) if isinstance(value, Fraction | float) else value
