"""What `rlct` returns: the derivation with its answer, its explanation and its certificate."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sympy import Symbol

from ddtheory.exact.thresholds.analytic.evidence import Asked, evidence
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import OutOfTime, ending_at
from ddtheory.exact.thresholds.germs.real_fields import coefficients, in_powers
from ddtheory.exact.thresholds.nodes import Bound, CertificateError, Node
from ddtheory.exact.thresholds.rules.table import citation_of
from ddtheory.exact.thresholds.wire import (
    bound_to_json,
    field_to_json,
    number_to_json,
    polynomial_to_json,
    rationals_to_json,
)
from ddtheory.shown import shortened
from ddtheory.tabled import Tabled
from ddtheory.values import RLCT, UNVERIFIED

if TYPE_CHECKING:
    from ddtheory.certify.report import Report

_WIDEST = 160  # of the one line that a derivation shows
_LEAST_SECONDS = 0.1  # for a check, after a certificate that took its time
_SHARE_OF_READING = 0.3  # of the time for a certificate
_NONNEGATIVE = "K >= 0 near the point"


@dataclass(frozen=True, repr=False)
class Derivation(Tabled):
    """How (λ, m) of K was derived, or bounds on it.

    Attributes:
        kind: "divergence" when K itself was given, "generators" when K ≍ Σ f², "two-sided" for |f| of one function f.
        given: the polynomials as given, before the point was moved to the origin.
        at: the point; numbers of the field of `given` where it has one.
        root: the tree of rules, for the ideal; how its κ gives λ stands in `ddtheory.exact.thresholds`.
        read_as: which expressions were replaced by polynomials, up to units; empty when none was.
        nonnegative: the steps prove that K ≥ 0 near the point. Of generators nothing is to be proven.
        asked: the expressions that the polynomials stand for; None when they are polynomials themselves, or the step
            from them is not one that a certificate can prove.
        seconds: how long writing the certificate and checking it may take.
        exceptions: polynomials in generic constants. The pair is that of all values at which none of them is 0.
    """

    kind: str
    given: IdealGerm
    at: tuple[Any, ...]
    root: Node
    read_as: str = ""
    nonnegative: bool = False
    seconds: float = field(default=60, compare=False)
    exceptions: tuple[str, ...] = ()
    asked: Asked | None = field(default=None, compare=False)

    @property
    def _scale(self) -> Fraction:
        return Fraction(1, 2) if self.kind == "generators" else Fraction(1)

    @property
    def lower(self) -> Bound:
        """A proven lower bound on (λ, m) in the order of dominance."""
        return self.root.lower.scaled(self._scale)

    @property
    def upper(self) -> Bound:
        """A proven upper bound on (λ, m) in the order of dominance."""
        return self.root.upper.scaled(self._scale)

    @property
    def status(self) -> str:
        """Whether the bounds meet: `exact`, or else `bounds`."""
        return "exact" if self.root.is_exact else "bounds"

    @property
    def rlct(self) -> RLCT | None:
        """(λ, m) when it is exact, else None."""
        if not self.root.is_exact or not isinstance(self.lower.value, Fraction):
            return None
        return RLCT(self.lower.value, self.lower.m or 1)

    @property
    def open(self) -> str:
        """What is not decided, and the step that left it so; empty when the pair is exact."""
        if self.root.is_exact:
            return ""
        node = self.root
        while undecided := [child for child in node.children if not child.is_exact]:
            node = undecided[0]
        what = "m" if self.lower.value == self.upper.value else "λ"
        return f"{what} is open because of {node.germ}: {node.says}"

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules used, from the root down, without repetition."""
        return tuple(dict.fromkeys(node.rule for node in _walk(self.root)))

    @property
    def hypotheses(self) -> tuple[str, ...]:
        """What was assumed and not proven."""
        return () if self.kind != "divergence" or self.nonnegative else (_NONNEGATIVE,)

    @property
    def assumed(self) -> tuple[str, ...]:
        """The hypotheses in so many words."""
        told = [f"Assumed: {fact}; it was neither proven nor refuted." for fact in self.hypotheses]
        told += [f"Generic constants: {p} ≠ 0; where it is 0 the pair may be another one." for p in self.exceptions]
        return tuple(told)

    def explain(self) -> str:
        """The derivation for a reader: the rules in order, with their formulas and sources."""
        lines = [self._headline(), *([self.read_as] if self.read_as else []), ""]
        for number, (depth, node) in enumerate(_numbered(self.root), 1):
            indent = "   " * depth
            lines.append(f"{indent}{number}. {node.germ}")
            lines.append(f"{indent}   {node.says}  [{citation_of(node.rule)}]")
            lines.append(f"{indent}   ⇒ {_interval(node.lower, node.upper, 'κ')}")
        if self.kind == "generators":
            lines += ["", f"K ≍ Σ f², so λ = κ/2: {_interval(self.lower, self.upper, 'λ')}."]
        if self.open:
            lines += ["", self.open]
        if self.nonnegative:
            lines += ["", f"Proven by the steps: {_NONNEGATIVE}."]
        lines += [f"\n{line}" for line in self.assumed]
        if not all(citation_of(rule).verified for rule in self.rules):
            lines += ["", UNVERIFIED]
        return "\n".join(lines)

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a step, as `explain` says it: what is proven of (κ, m) of its germ."""
        steps = list(_numbered(self.root))
        return {
            "step": list(range(1, len(steps) + 1)),
            "depth": [depth for depth, _ in steps],
            "germ": [str(node.germ) for _, node in steps],
            "rule": [node.rule for _, node in steps],
            "says": [node.says for _, node in steps],
            "proven": [_interval(node.lower, node.upper, "κ") for _, node in steps],
            "source": [str(citation_of(node.rule)) for _, node in steps],
        }

    def _headline(self) -> str:
        name = {"divergence": "K", "two-sided": "|f|, two-sided,"}.get(self.kind, "K ≍ Σ f²")
        point = ", ".join(
            f"{name} = {in_powers(coefficients(value))}"
            for name, value in zip(self.given.names, self.at, strict=True)
            if value
        )
        moved = f", moved to 0 from {point}" if point else ""
        return f"{name} for {self.root.germ}{moved}: {_interval(self.lower, self.upper, 'λ')}"

    def to_json(self) -> dict[str, Any]:
        """The certificate: all that a checker needs to verify every step without this package's algebra.

        Raises:
            CertificateError: a step, though exact, needs cofactors that are too large to write down, or there is no
                time to compute them.
        """
        try:
            with ending_at(time.monotonic() + self.seconds):
                return self._certificate()
        except OutOfTime:
            raise CertificateError(
                f"Its certificate is not written in {self.seconds:.1f} s; allow more seconds for the derivation."
            ) from None

    def _certificate(self) -> dict[str, Any]:
        return {
            "format": "ddtheory-derivation/2",
            "input": {
                "kind": self.kind,
                "germ": germ_to_json(self.given),
                "at": [number_to_json(value) for value in self.at],
            },
            "hypotheses": list(self.hypotheses),
            "derivation": _node_to_json(self.root),
            "lambda": str(self.lower.value) if self.rlct else None,
            "multiplicity": self.lower.m if self.rlct else None,
            "status": self.status,
            "lower": bound_to_json(self.lower),
            "upper": bound_to_json(self.upper),
            **({"read_as": self.read_as} if self.read_as else {}),
            **({"reading": self._reading} if self._reading else {}),
        }

    @cached_property
    def _reading(self) -> dict[str, Any] | None:
        """What proves that the polynomials stand for what was asked; None where that is on trust."""
        if self.asked is None:
            return None
        germ = self.root.germ
        with ending_at(time.monotonic() + _SHARE_OF_READING * self.seconds):
            symbols = [Symbol(name, real=True) for name in germ.names]
            polynomials = [f.as_expr(*symbols) for f in germ.generators]
            return evidence(self.asked, self.kind, germ.names, germ.nonnegative, polynomials)

    def summary(self) -> dict[str, Any]:
        """The answer as plain data.

        Keys: lambda, multiplicity, status, lower, upper, open, two_sided, rules, assumed, read_as, checked.
        """
        return {
            "lambda": str(self.lower.value) if self.rlct else None,
            "multiplicity": self.lower.m if self.rlct else None,
            "status": self.status,
            "lower": bound_to_json(self.lower),
            "upper": bound_to_json(self.upper),
            "open": self.open,
            "two_sided": self.kind == "two-sided",
            "rules": list(self.rules),
            "assumed": [*self.hypotheses, *(f"{p} != 0" for p in self.exceptions)],
            "read_as": self.read_as,
            "checked": self.checked,
        }

    @property
    def reading_is_proven(self) -> bool:
        """Whether the certificate proves that the polynomials stand for what was asked; else the step is on trust."""
        return not self.read_as or self._reading is not None

    @property
    def checked(self) -> bool:
        """Whether the independent checker accepts the certificate.

        It is about the polynomials in `read_as`, and with `reading_is_proven` about the expressions, too.
        """
        return not self.objection

    @cached_property
    def objection(self) -> str:
        """Why the independent checker has not accepted the certificate; empty when it has."""
        try:
            report = self._report
        except CertificateError as error:
            return f"there is no certificate to check. {error}"
        if report.accepted:
            return ""
        if report.rejection is None:
            return f"it does not decide on the certificate: {report.undecided}."
        return f"it rejects the certificate at {report.rejection}. This is a defect: please report it."

    @property
    def refutation(self) -> str:
        """How the independent checker sees that K is negative near the point; empty where it does not.

        It follows the steps to germs over real fields, along whose points no arc has rational coefficients.
        """
        try:
            rejection = self._report.rejection
        except CertificateError:
            return ""
        reason = "" if rejection is None else rejection.reason
        return reason if reason.startswith("K takes negative values near the point") else ""

    @cached_property
    def _report(self) -> Report:
        from ddtheory.certify import check

        end = time.monotonic() + self.seconds
        certificate = json.dumps(self.to_json())
        return check(certificate, seconds=max(end - time.monotonic(), _LEAST_SECONDS))

    def __str__(self) -> str:
        return self._headline()

    def __repr__(self) -> str:
        subject, _, answer = self._headline().rpartition(": ")
        undecided = f"; {self.open.partition(' because')[0]}" if self.open else ""
        return f"Derivation({shortened(f'{answer}{undecided}: {subject}', _WIDEST)})"

    def latex(self) -> str:
        if self.rlct is not None:
            return self.rlct.latex()
        if self.lower.value == self.upper.value:
            more = _multiplicities(self.lower, self.upper).replace("≥", r"\ge").replace("≤", r"\le")
            return rf"\lambda = {_latex(self.lower)},\ {more}"
        return rf"{_latex(self.lower)} \le \lambda \le {_latex(self.upper)}"

    def rows(self) -> Mapping[str, str]:
        found = {
            {"divergence": "K", "two-sided": "f"}.get(self.kind, "K ≍ Σ f², f"): str(self.given),
            "λ": _interval(self.lower, self.upper, "λ"),
            "rules": ", ".join(self.rules),
            "read as": self.read_as,
            "open": self.open,
            "assumed": ", ".join([*self.hypotheses, *(f"{p} ≠ 0" for p in self.exceptions)]),
        }
        return {name: text for name, text in found.items() if text}


def germ_to_json(germ: IdealGerm) -> dict[str, Any]:
    """A germ as it stands in certificates."""
    return {
        "variables": list(germ.names),
        "generators": [polynomial_to_json(generator) for generator in germ.generators],
        "prior": rationals_to_json(germ.prior),
        "nonnegative": list(germ.nonnegative),
        "field": None if germ.field is None else field_to_json(germ.field),
    }


def _node_to_json(node: Node) -> dict[str, Any]:
    return {
        "rule": node.rule,
        "germ": germ_to_json(node.germ),
        "lower": bound_to_json(node.lower),
        "upper": bound_to_json(node.upper),
        "data": dict(node.data()),
        "children": [_node_to_json(child) for child in node.children],
        **({"parameters": sorted(node.germ.parameters)} if node.germ.parameters else {}),
    }


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _numbered(node: Node, depth: int = 0) -> Iterator[tuple[int, Node]]:
    yield depth, node
    for child in node.children:
        # a single line of reasoning is not indented
        yield from _numbered(child, depth + (len(node.children) > 1))


def _interval(lower: Bound, upper: Bound, name: str) -> str:
    if lower == upper and lower.m is not None:
        return f"{name} = {_value(lower)}, m = {lower.m}" if not lower.is_infinite else f"{name} = ∞"
    if lower.value == upper.value:
        return f"{name} = {_value(lower)}, {_multiplicities(lower, upper)}"
    return f"{_value(lower)} ≤ {name} ≤ {_value(upper)}"


def _multiplicities(lower: Bound, upper: Bound) -> str:
    """What is known of m when the value is: an upper bound on the pair bounds m from below."""
    least = upper.m or 1
    return f"m ≥ {least}" if lower.m is None else f"{least} ≤ m ≤ {lower.m}"


def _value(bound: Bound) -> str:
    return "∞" if bound.is_infinite else str(bound.value)


def _latex(bound: Bound) -> str:
    if not isinstance(bound.value, Fraction):
        return r"\infty"
    return (
        str(bound.value)
        if bound.value.denominator == 1
        else rf"\tfrac{{{bound.value.numerator}}}{{{bound.value.denominator}}}"
    )
