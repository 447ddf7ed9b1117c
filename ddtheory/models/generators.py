"""Generators of the divergence of a model: functions of the parameters with K ≍ Σ f² near a true parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Expr, latex

from ddtheory.shown import Shown, counted, in_words

_FEW = 6


@dataclass(frozen=True, repr=False)
class Generators(Shown):
    """K ≍ Σ f² + Σ g near a true parameter.

    Attributes:
        expressions: the f, which vanish at the point.
        linear: the g ≥ 0: probabilities of outcomes that the truth excludes. Empty but for finite models.
        proof: why K ≍ Σ f² + Σ g, in sentences.
        open: what is missing where the f are only some of the generators, so that K ≥ c Σ f² and no more; else empty.
    """

    expressions: tuple[Expr, ...]
    linear: tuple[Expr, ...]
    proof: tuple[str, ...]
    open: str = ""

    @property
    def complete(self) -> bool:
        """Whether K ≍ Σ f² + Σ g; else Σ f² is a bound from below, up to a constant."""
        return not self.open

    def __len__(self) -> int:
        return len(self.expressions)

    def __iter__(self) -> Iterator[Expr]:
        return iter(self.expressions)

    def explain(self) -> str:
        """The proof for a reader, and the generators, one a line."""
        lines = [*self.proof, *([self.open] if self.open else [])]
        lines += [f"   f{number} = {entry}" for number, entry in enumerate(self.expressions, 1)]
        lines += [f"   g{number} = {entry}" for number, entry in enumerate(self.linear, 1)]
        return "\n".join(lines)

    def __str__(self) -> str:
        few = [str(entry) for entry in self.expressions[:_FEW]] + ["…"] * (len(self.expressions) > _FEW)
        more = f" + {' + '.join(map(str, self.linear[:_FEW]))}" if self.linear else ""
        return f"K {'≍' if self.complete else '≥ c'} Σ f²{more}, f in {', '.join(few) or 'nothing'}"

    def latex(self) -> str:
        if len(self.expressions) > _FEW or not self.expressions:
            return in_words(counted(len(self.expressions), "generator"))
        sign = r"\asymp" if self.complete else r"\gtrsim"
        squares = [rf"\left({latex(entry)}\right)^2" for entry in self.expressions]
        return rf"K {sign} " + " + ".join([*squares, *map(latex, self.linear)])

    def rows(self) -> Mapping[str, str]:
        found = {f"f{number}": str(entry) for number, entry in enumerate(self.expressions, 1)}
        found |= {f"g{number}": str(entry) for number, entry in enumerate(self.linear, 1)}
        return {**found, "proof": " ".join(self.proof), **({"open": self.open} if self.open else {})}
