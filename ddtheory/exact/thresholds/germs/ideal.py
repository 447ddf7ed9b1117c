"""An ideal with its prior and its domain, at the origin or at a family of points: what the rules work on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from sympy.polys.rings import PolyRing

from ddtheory.digits import in_full
from ddtheory.exact.thresholds.germs.local_ring import Element, fraction, ring_of
from ddtheory.exact.thresholds.germs.real_fields import Algebraic, RealField, coefficients, in_powers


@dataclass(frozen=True)
class IdealGerm:
    """The ideal ⟨f_1 … f_s⟩ near 0 with prior ∏|x_i|^{h_i}, on the domain x_i ≥ 0 for the one-sided variables.

    Its pair (κ, m) is the smallest pole of z ↦ ∫ (Σ|f_j|)^{−z} ∏|x_i|^{h_i} dx and its order; κ and λ are
    told apart in `ddtheory.exact.thresholds`.

    With parameters it is a family of germs: one at every point where the parameters have any real values and the other
    variables are 0. Its pair is then the dominating one of them all.

    Attributes:
        ring: ℚ[x_1 … x_d].
        generators: polynomials f_j; the empty tuple is the zero ideal.
        prior: the exponents h_i > −1.
        nonnegative: which variables are one-sided.
        divergence: there is one generator and it does not change sign near 0 (known or assumed, never guessed).
        parameters: the variables of a family that may have any value; none for a germ at the origin.
        field: the real field of the coefficients; None for ℚ. Few rules know others: those marked `over_fields`.
    """

    ring: PolyRing
    generators: tuple[Element, ...]
    prior: tuple[Fraction, ...] = dataclasses.field(
        hash=False
    )  # hashes of fractions are slow, and few germs differ here
    nonnegative: tuple[bool, ...]
    divergence: bool = False
    parameters: frozenset[int] = frozenset()
    field: RealField | None = None

    @property
    def dimension(self) -> int:
        return int(self.ring.ngens)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(symbol.name for symbol in self.ring.symbols)

    def is_free(self, index: int) -> bool:
        """Whether the variable carries neither prior weight nor boundary, so that any coordinate may replace it."""
        return not self.prior[index] and not self.nonnegative[index]

    @property
    def free(self) -> tuple[int, ...]:
        return tuple(index for index in range(self.dimension) if self.is_free(index))

    def with_generators(self, generators: Sequence[Element]) -> IdealGerm:
        """The same variables, prior and domain with other generators."""
        return replace(self, generators=tuple(generators), divergence=self.divergence and len(generators) == 1)

    def on(self, kept: Sequence[int], generators: Sequence[Element]) -> IdealGerm:
        """The germ in some of the variables; the generators contain no others."""
        ring = ring_of([self.names[index] for index in kept], self.ring.domain)
        moved = [ring.from_dict({tuple(m[i] for i in kept): c for m, c in f.items()}) for f in generators]
        return IdealGerm(
            ring,
            tuple(moved),
            tuple(self.prior[i] for i in kept),
            tuple(self.nonnegative[i] for i in kept),
            self.divergence and len(moved) == 1,
            frozenset(place for place, index in enumerate(kept) if index in self.parameters),
            self.field,
        )

    def numbers(self, generator: Element) -> dict[tuple[int, ...], Any]:
        """The coefficients, as numbers that can be compared with 0."""
        if self.field is None:
            return {m: fraction(c) for m, c in generator.items()}
        return {m: Algebraic(c, self.field) for m, c in generator.items()}

    def __str__(self) -> str:
        weights = "".join(
            f"|{name}|^({h}) " if h.denominator > 1 or h < 0 else f"|{name}|^{h} "
            for name, h in zip(self.names, self.prior, strict=True)
            if h
        )
        sides = ", ".join(f"{name} ≥ 0" for name, one in zip(self.names, self.nonnegative, strict=True) if one)
        ideal = ", ".join(shown(generator) for generator in self.generators) or "0"
        anywhere = ", ".join(self.names[index] for index in sorted(self.parameters))
        return (
            f"⟨{ideal}⟩"
            + (f" with prior {weights.strip()}" if weights else "")
            + (f" on {sides}" if sides else "")
            + (f" at every {anywhere}" if anywhere else "")
            + (f" with {self.field}" if self.field else "")
        )


def shown(polynomial: Element, most: int = 12) -> str:
    """A polynomial as `parse_expression` reads it, lowest terms first; of a long one the first, and how many more.

    >>> x, y = ring_of(("x", "y")).gens
    >>> shown(y**3 - 2 * x**2 / 3)
    '-2/3*x^2 + y^3'
    """
    terms = sorted(polynomial.terms(), key=lambda term: (sum(term[0]), [-power for power in term[0]]))
    text = ""
    for monomial, coefficient in terms[:most]:
        names = [
            symbol.name + (f"^{power}" if power > 1 else "")
            for symbol, power in zip(polynomial.ring.symbols, monomial, strict=True)
            if power
        ]
        parts = coefficients(coefficient)
        negative = len(parts) == 1 and parts[0] < 0
        size = in_full(abs(parts[0])) if len(parts) == 1 else f"({in_powers(parts)})"
        body = "*".join([*([size] if size != "1" or not names else []), *names])
        text += f" {'-' if negative else '+'} {body}" if text else ("-" if negative else "") + body
    rest = len(terms) - most
    return (text or "0") + (f" + … ({rest} more terms)" if rest > 0 else "")
