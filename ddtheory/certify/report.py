"""What the checker says: a frozen value with a rendering as text and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ddtheory.certify.bounds import Bound
from ddtheory.certify.scalars import shown
from ddtheory.certify.statement import Statement
from ddtheory.shown import Shown, in_words, shortened

NONNEGATIVE = "K >= 0 near the point"


@dataclass(frozen=True, repr=False)
class Step(Shown):
    """One node that was accepted: where it stands, its rule, and the bounds on (κ, m) of its germ."""

    path: str
    rule: str
    lower: Bound
    upper: Bound

    def __str__(self) -> str:
        claim = f"= {self.lower}" if self.lower == self.upper else f"between {self.lower} and {self.upper}"
        return f"{self.path}: {self.rule}: (κ, m) {claim}"

    def latex(self) -> str:
        if self.lower == self.upper:
            return rf"(\kappa, m) = {self.lower.latex()}"
        return rf"{self.lower.latex()} \le (\kappa, m) \le {self.upper.latex()}"

    def rows(self) -> Mapping[str, str]:
        return {"step": self.path, "rule": self.rule, "at least": str(self.lower), "at most": str(self.upper)}


@dataclass(frozen=True, repr=False)
class Rejection(Shown):
    """Why a certificate is not accepted. What it quotes of the certificate is escaped.

    Attributes:
        path: the node, or the part of the certificate, that fails; empty for the certificate as a whole.
        rule: the rule of that node, empty where there is none.
        reason: what does not hold.
    """

    path: str
    rule: str
    reason: str

    def rows(self) -> Mapping[str, str]:
        found = {"rejected at": self.path or "the certificate", "rule": self.rule, "why": self.reason}
        return {name: text for name, text in found.items() if text}

    def __str__(self) -> str:
        place = self.path or "the certificate"
        return f"{place}{f' (rule {self.rule})' if self.rule else ''}: {self.reason}"


@dataclass(frozen=True, repr=False)
class Undecided(Shown):
    """Which limit ended a check, and where: the certificate may be right or wrong.

    Attributes:
        limit: the limit, for instance "limit of 60 s".
        place: what was being checked.
        rule: the rule of that step, empty where there is none.
    """

    limit: str
    place: str
    rule: str

    def rows(self) -> Mapping[str, str]:
        found = {"not decided": self.limit, "reached": self.place, "rule": self.rule}
        return {name: text for name, text in found.items() if text}

    def __str__(self) -> str:
        return f"{self.limit} reached {self.place}{f' (rule {self.rule})' if self.rule else ''}"


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """The outcome of a check. Only an accepted report carries a claim; it is proven under its hypotheses.

    Attributes:
        accepted: every step of the derivation holds, and it proves the pair or the bounds stated at the top. When it is
            false, either `rejection` or `undecided` says why.
        statement: what the claim is about, None when the certificate is not accepted.
        lam, multiplicity: the pair (λ, m) of K when the status is "exact".
        status: "exact", "bounds", or None when not accepted.
        lower, upper: bounds on the pair of K.
        proven: what the derivation proves beside the pair: that K ≥ 0 near the point.
        hypotheses: what is assumed, and neither proven nor refuted.
        trusted: how the polynomials were read from other expressions, in the words of the certificate and escaped; no
            step proves it. Empty where K or its generators were given as polynomials.
        checked: every node, in the order of the check.
        rejection: where and why the certificate is wrong; None when it is accepted or nothing is decided.
        undecided: the limit that was reached; None when the certificate is accepted or rejected.
    """

    accepted: bool
    statement: Statement | None = None
    lam: Fraction | None = None
    multiplicity: int | None = None
    status: str | None = None
    lower: Bound | None = None
    upper: Bound | None = None
    proven: tuple[str, ...] = ()
    hypotheses: tuple[str, ...] = ()
    trusted: str = ""
    checked: tuple[Step, ...] = ()
    rejection: Rejection | None = None
    undecided: Undecided | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that were used, each once, in the order of their first use."""
        return tuple(dict.fromkeys(step.rule for step in self.checked))

    @property
    def outcome(self) -> str:
        """In a word or two: accepted, rejected or not decided."""
        return "accepted" if self.accepted else "not decided" if self.rejection is None else "rejected"

    def document(self) -> dict[str, Any]:
        """Plain data with stable keys; rationals as strings, and nothing that a terminal would not print."""
        return {
            "accepted": self.accepted,
            "outcome": self.outcome,
            "statement": None if self.statement is None else self.statement.document(),
            "lambda": None if self.lam is None else shown(self.lam),
            "multiplicity": self.multiplicity,
            "status": self.status,
            "lower": None if self.lower is None else _plain(self.lower),
            "upper": None if self.upper is None else _plain(self.upper),
            "proven": list(self.proven),
            "hypotheses": list(self.hypotheses),
            "trusted": self.trusted,
            "rules": list(self.rules),
            "checked": [str(step) for step in self.checked],
            "rejection": None
            if self.rejection is None
            else {"path": self.rejection.path, "rule": self.rejection.rule, "reason": self.rejection.reason},
            "undecided": None
            if self.undecided is None
            else {"limit": self.undecided.limit, "place": self.undecided.place, "rule": self.undecided.rule},
        }

    def __str__(self) -> str:
        if not self.accepted:
            return f"{self.outcome}: {self.rejection or self.undecided}"
        claim = f"= {self.lower}" if self.status == "exact" else f"between {self.lower} and {self.upper}"
        count = len(self.checked)
        lines = [f"accepted: (λ, m) {claim}; {count} step{'s' * (count != 1)}: {', '.join(self.rules)}"]
        lines += str(self.statement).splitlines()
        lines += [f"proven as well: {fact}" for fact in self.proven]
        lines += [f"assumed, and neither proven nor refuted here: {fact}" for fact in self.hypotheses]
        lines += [f"on trust, checked by no step here: {self.trusted}"] if self.trusted else []
        return "\n".join(lines)

    def latex(self) -> str:
        if not self.accepted or self.lower is None or self.upper is None:
            return in_words(shortened(str(self), 160))
        if self.status == "exact":
            return rf"(\lambda, m) = {self.lower.latex()}"
        return rf"{self.lower.latex()} \le (\lambda, m) \le {self.upper.latex()}"

    def rows(self) -> Mapping[str, str]:
        if not self.accepted:
            why = self.rejection or self.undecided
            return {"outcome": self.outcome, **(why.rows() if why else {})}
        exact = self.status == "exact"
        found = {
            "outcome": self.outcome,
            "λ, m": str(self.lower) if exact else f"between {self.lower} and {self.upper}",
            "of": str(self.statement),
            "rules": ", ".join(self.rules),
            "proven": ", ".join(self.proven),
            "assumed": ", ".join(self.hypotheses),
            "on trust": self.trusted,
        }
        return {name: text for name, text in found.items() if text}


def _plain(bound: Bound) -> list[str | int | None]:
    return ["infinity" if bound.value is None else shown(bound.value), bound.multiplicity]
