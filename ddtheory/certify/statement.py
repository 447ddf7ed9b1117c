"""What a certificate is about: K or its generators, the point, the prior, the domain. Read from it, never assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddtheory.certify.germs import Germ
from ddtheory.certify.notation import (
    field_text,
    generator_of_field,
    number_text,
    plain,
    polynomial_text,
    variable_names,
)
from ddtheory.certify.scalars import Number, shown, sign
from ddtheory.errors import InvalidValueError
from ddtheory.shown import Shown, in_words

KINDS = {"divergence": "divergence", "generators": "list of generators", "two-sided": "function of any sign"}

_LONGEST = 500
_MOST_GENERATORS = 20
_MOST_ENTRIES = 50
_FEW, _SHORT = 3, 60  # generators in LaTeX, and the characters of one


@dataclass(frozen=True, repr=False)
class Statement(Shown):
    """The germ whose pair a certificate claims.

    Attributes:
        kind: "divergence" when K is the one generator itself, "generators" when K ≍ Σ f², and "two-sided" when the pair
            is that of |f| for the one generator f, whatever its sign: the volume of {|f| < ε} is of the order
            ε^λ (−log ε)^{m−1}.
        germ: the germ as given, before its point is moved to the origin.
        at: the point, one coordinate for every variable.
        asked: what the expressions are for which these polynomials are proven to stand, a kind as above; empty where
            the polynomials are what was asked, or stand for something on trust.
        expressions: these expressions, as text.
    """

    kind: str
    germ: Germ
    at: tuple[Number, ...]
    asked: str = ""
    expressions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.at) != self.germ.dimension:
            raise InvalidValueError(f"The point has {len(self.at)} coordinates, and the germ {self.germ.dimension}.")

    def document(self) -> dict[str, Any]:
        """Plain data, nothing shortened; names and numbers as text."""
        germ, names = self.germ, variable_names(self.germ)
        return {
            "kind": self.kind,
            "generators": [polynomial_text(f, germ) for f in germ.generators],
            "at": {name: number_text(value, germ) for name, value in zip(names, self.at, strict=True)},
            "prior": {name: shown(h) for name, h in zip(names, germ.prior, strict=True) if h},
            "nonnegative": [name for name, one_sided in zip(names, germ.nonnegative, strict=True) if one_sided],
            "field": None if germ.field is None else field_text(germ.field, generator_of_field(germ)),
            "asked": {"kind": self.asked, "expressions": [*self.expressions]} if self.asked else None,
        }

    def __str__(self) -> str:
        germ, names = self.germ, variable_names(self.germ)
        listed = [polynomial_text(f, germ, _LONGEST) for f in germ.generators[:_MOST_GENERATORS]]
        if self.kind == "divergence":
            lines = [f"K = {listed[0]}"]
        elif self.kind == "two-sided":
            lines = [f"two-sided, of |f| with f = {listed[0]}"]
        else:
            lines = ["K ≍ the sum of the squares of", *(f"  {text}" for text in listed)]
            more = len(germ.generators) - len(listed)
            lines += [f"  and {more} more (all of them with --json)"] * bool(more)
        if self.asked:
            about = {"divergence": "K = ", "two-sided": "f = "}.get(self.asked, "generators ")
            asked = _listed([plain(text, _LONGEST) for text in self.expressions[:_MOST_GENERATORS]])
            lines = [f"{about}{asked}", "proven to have the pair of the polynomials of", *lines]
        if germ.field is not None:
            lines.append(f"with {field_text(germ.field, generator_of_field(germ))}")
        point = [f"{name} = {number_text(value, germ)}" for name, value in zip(names, self.at, strict=True)]
        lines.append(f"near {_listed(point)}" if any(map(sign, self.at)) else f"near {_listed(names, ' = ')} = 0")
        weights = [f"|{name}|^({shown(h)})" for name, h in zip(names, germ.prior, strict=True) if h]
        lines.append(f"prior: {_listed(weights, '*') or '1'}")
        sides = [f"{name} >= 0" for name, one_sided in zip(names, germ.nonnegative, strict=True) if one_sided]
        lines.append(f"domain: {_listed(sides) or 'no boundary'}")
        return "\n".join(lines)

    def latex(self) -> str:
        """The first generators as `rlct` reads them: names and numbers of a certificate are shown and not set."""
        about = {"divergence": "K = ", "two-sided": "f = "}.get(self.kind, r"K \asymp \sum_i f_i^2,\ f = ")
        listed = ", ".join(polynomial_text(f, self.germ, _SHORT) for f in self.germ.generators[:_FEW])
        return about + in_words(listed + ", …" * (len(self.germ.generators) > _FEW))

    def rows(self) -> Mapping[str, str]:
        what, *others = (line.strip() for line in str(self).splitlines())
        return {"about": what, **{f"({number})": line for number, line in enumerate(others, 1)}}


def _listed(entries: Sequence[str], joint: str = ", ") -> str:
    """Shortened, and saying so."""
    text = joint.join(entries[:_MOST_ENTRIES])
    more = len(entries) - _MOST_ENTRIES
    return f"{text} and {more} more (all of them with --json)" if more > 0 else text
