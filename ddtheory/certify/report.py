"""What the checker says: a frozen value with a rendering as text and as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ddtheory.certify.bounds import Bound


@dataclass(frozen=True)
class Step:
    """One node that was accepted: where it stands, its rule, and the bounds on (κ, m) of its germ."""

    path: str
    rule: str
    lower: Bound
    upper: Bound

    def __str__(self) -> str:
        claim = f"= {self.lower}" if self.lower == self.upper else f"between {self.lower} and {self.upper}"
        return f"{self.path}: {self.rule}: (κ, m) {claim}"


@dataclass(frozen=True)
class Rejection:
    """Why a certificate is not accepted.

    Attributes:
        path: the node, or the part of the certificate, that fails; empty for the certificate as a whole.
        rule: the rule of that node, empty where there is none.
        reason: what does not hold.
    """

    path: str
    rule: str
    reason: str

    def __str__(self) -> str:
        place = self.path or "the certificate"
        return f"{place}{f' (rule {self.rule})' if self.rule else ''}: {self.reason}"


@dataclass(frozen=True)
class Report:
    """The outcome of a check. Only an accepted report carries a claim; it is proven under its hypotheses.

    Attributes:
        accepted: every step of the derivation holds, and it proves the pair or the bounds stated at the top.
        lam, multiplicity: the pair (λ, m) of K when the status is "exact".
        status: "exact", "bounds", or None when rejected.
        lower, upper: bounds on the pair of K.
        hypotheses: what the proof assumes and the checker cannot see.
        checked: every node, in the order of the check.
        rejection: where and why, None when accepted.
    """

    accepted: bool
    lam: Fraction | None = None
    multiplicity: int | None = None
    status: str | None = None
    lower: Bound | None = None
    upper: Bound | None = None
    hypotheses: tuple[str, ...] = ()
    checked: tuple[Step, ...] = ()
    rejection: Rejection | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that were used, each once, in the order of their first use."""
        return tuple(dict.fromkeys(step.rule for step in self.checked))

    def document(self) -> dict[str, Any]:
        """Plain data with stable keys; rationals as strings."""
        return {
            "accepted": self.accepted,
            "lambda": None if self.lam is None else str(self.lam),
            "multiplicity": self.multiplicity,
            "status": self.status,
            "lower": None if self.lower is None else _plain(self.lower),
            "upper": None if self.upper is None else _plain(self.upper),
            "hypotheses": list(self.hypotheses),
            "rules": list(self.rules),
            "checked": [str(step) for step in self.checked],
            "rejection": None
            if self.rejection is None
            else {"path": self.rejection.path, "rule": self.rejection.rule, "reason": self.rejection.reason},
        }

    def __str__(self) -> str:
        if self.rejection is not None:
            return f"rejected: {self.rejection}"
        assuming = f", assuming {'; '.join(self.hypotheses)}" if self.hypotheses else ""
        claim = f"= {self.lower}" if self.status == "exact" else f"between {self.lower} and {self.upper}"
        count = len(self.checked)
        return f"accepted: (λ, m) {claim}{assuming}; {count} step{'s' * (count != 1)}: {', '.join(self.rules)}"


def _plain(bound: Bound) -> list[str | int | None]:
    return ["infinity" if bound.value is None else str(bound.value), bound.multiplicity]
