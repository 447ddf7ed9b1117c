"""Germs with known (λ, m), read from `germs.json`: what the exact side is judged by.

Every entry states the pair of K: the entry's own K, or K = Σ f_i² for its generators. Where a source states the pair of
|f| or of an ideal, `conversion` says so. `second_route` is another way to the same value, and `complex` the log
canonical threshold of the ideal over ℂ (its global value is attained at the origin): twice λ where the two coincide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

TABLE = Path(__file__).parent / "germs.json"


@dataclass(frozen=True)
class ReferenceGerm:
    """One line of the table; numbers of the point and of the prior are rationals, expressions are text."""

    family: str
    name: str
    variables: tuple[str, ...]
    lam: Fraction
    m: int
    source: str
    conversion: str
    divergence: str | None = None
    generators: tuple[str, ...] = ()
    prior: Mapping[str, Fraction] = field(default_factory=dict)
    at: Mapping[str, Fraction] = field(default_factory=dict)
    nonnegative: frozenset[str] = frozenset()
    second_route: str = ""
    complex_threshold: Fraction | None = None

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"

    @property
    def squares(self) -> str:
        """K as text, for generators Σ f_i²."""
        return self.divergence or " + ".join(f"({generator})^2" for generator in self.generators)


def germs() -> list[ReferenceGerm]:
    """The whole table, in its order."""
    entries = json.loads(TABLE.read_text(encoding="utf-8"))["germs"]
    return [
        ReferenceGerm(
            family=entry["family"],
            name=entry["name"],
            variables=tuple(entry["variables"]),
            lam=Fraction(entry["lambda"]),
            m=entry["multiplicity"],
            source=entry["source"],
            conversion=entry["conversion"],
            divergence=entry.get("K"),
            generators=tuple(entry.get("generators", ())),
            prior=_rationals(entry.get("prior", {})),
            at=_rationals(entry.get("at", {})),
            nonnegative=frozenset(entry.get("nonnegative", ())),
            second_route=entry.get("second_route", ""),
            complex_threshold=Fraction(entry["complex"]) if "complex" in entry else None,
        )
        for entry in entries
    ]


def _rationals(values: Mapping[str, str]) -> dict[str, Fraction]:
    return {name: Fraction(value) for name, value in values.items()}
