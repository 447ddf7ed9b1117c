"""The Newton bound of an ideal by itself, and whether it is the answer; `rlct` also changes coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import rational, ring_of
from ddtheory.exact.thresholds.polyhedra.faces import Exponent, Face
from ddtheory.exact.thresholds.polyhedra.newton import newton_distance
from ddtheory.exact.thresholds.rules.polyhedron import newton_polyhedron
from ddtheory.values import RLCT

Polynomial = Mapping[Exponent, Fraction]


@dataclass(frozen=True)
class NewtonBound:
    """The Newton pair of an ideal, for K ≍ Σ f_i²: a proven upper bound on (λ, m), and the pair itself when `exact`.

    Attributes:
        rlct: (λ, m) of K ≍ Σ f_i² when exact, else an upper bound on it.
        exact: no compact face has a zero in the real torus that could govern.
        open_faces: the compact faces for which that was refuted or not decided.
    """

    rlct: RLCT
    exact: bool
    open_faces: tuple[Face, ...]


def newton_bound(generators: Sequence[Polynomial], prior: Sequence[Fraction | int] = ()) -> NewtonBound:
    """(λ, m) of K ≍ Σ f_i² at the origin from the Newton polyhedron in the given coordinates, and whether it is exact.

    Args:
        generators: polynomials as exponent vector → rational coefficient, in one set of variables.
        prior: exponents h_i > −1 of the prior ∏|w_i|^{h_i}; all 0 when omitted.

    Source: Arnold, Gusein-Zade and Varchenko 1988; Lin 2011, Theorems 4.15 and 4.18 (all compact faces).

    Raises:
        InvalidValueError: no generator, a generator that does not vanish at the origin, or too many faces.

    >>> cusp = [{(2, 0): Fraction(1), (0, 3): Fraction(1)}]                 # K = (x² + y³)²: simple zeros, ℓ < 1
    >>> newton_bound(cusp).rlct, newton_bound(cusp).exact
    (RLCT(lam=Fraction(5, 12), m=1), True)
    >>> square = [{(2, 0): Fraction(1), (1, 1): Fraction(-2), (0, 2): Fraction(1)}]     # (x − y)²: a double zero
    >>> newton_bound(square).exact
    False
    """
    polynomials = [{e: c for e, c in generator.items() if c} for generator in generators]
    polynomials = [polynomial for polynomial in polynomials if polynomial]
    support = sorted({exponent for polynomial in polynomials for exponent in polynomial})
    newton_distance(support, prior)  # refuses what has no polyhedron
    ring = ring_of([f"w{i}" for i in range(len(support[0]))])
    germ = IdealGerm(
        ring,
        tuple(ring.from_dict({e: rational(Fraction(c)) for e, c in f.items()}) for f in polynomials),
        tuple(Fraction(h) for h in prior) or (Fraction(0),) * len(support[0]),
        (False,) * len(support[0]),
    )
    found = newton_polyhedron(germ)
    if found is None:
        raise InvalidValueError(f"{len(support)} exponents span a Newton polyhedron with too many faces to enumerate.")
    exact = found.node.is_exact
    upper = found.node.upper
    pair = RLCT(Fraction(upper.value) / 2, upper.m or 1)
    return NewtonBound(pair, exact, () if exact else tuple(order.face for order in found.harmful))
