r"""Quasi-homogeneous K on a box: the integral along the rays from 0 in closed form, so that only its faces are left.

If K(r^{α_1} w_1, …, r^{α_d} w_d) = r^D K(w) with whole α_i > 0, every point of a box that holds 0 is r^α p with p on a
face w_i = e, and there |w|^h dw = α_i |e|^{1 + h_i} r^{A−1} dr ∏_{j≠i} |p_j|^{h_j} dp_j with A = Σ α_j (1 + h_j). So

  Z(t) = Σ_faces α_i |e|^{1 + h_i} ∫ ∏_{j≠i} |p_j|^{h_j} G(tK(p)) dp

with the G of `kernels`. Three variables become two, where valleys end in points.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import Ordering, fmpq_mpoly, fmpq_mpoly_ctx

from ddtheory.exact.finite_n.charts import Chart
from ddtheory.exact.finite_n.domains import Patch, closed, sides
from ddtheory.exact.finite_n.kernels import AlongRays
from ddtheory.exact.finite_n.polynomial_germs import PolynomialGerm, pieces
from ddtheory.exact.finite_n.squares import fraction

_LARGEST_WEIGHT = 12


@dataclass(frozen=True)
class RayGerm(PolynomialGerm):
    """A germ whose domain are the faces of its box.

    Attributes:
        scaling: α.
    """

    scaling: tuple[int, ...] = ()

    def roots(self, width: Fraction) -> list[Chart]:
        return pieces(self, self._faces(width), [])

    def level(self, t: float, gamma: float) -> float:
        return 0.0  # K is 0 at 0

    def _faces(self, width: Fraction) -> Iterator[Patch]:
        """The faces, and the v of the coordinates with a prior; it is 1 of the one that a face holds fixed."""
        exponents = self.phi.exponents
        context = fmpq_mpoly_ctx.get(tuple(f"s{index}" for index in range(len(exponents) - 1)), Ordering.lex)
        one = context.constant(1)
        for fixed, h in enumerate(exponents):
            low, high = closed(self.phi.ends[fixed], width)
            longest = max(-low, high)
            half = Fraction(1, 2) if h else (high - low) / (2 * longest)  # of the share that `size` has
            gens = iter(context.gens())
            others = [
                sides(exponent, closed(ends, width), next(gens))
                for index, (exponent, ends) in enumerate(zip(exponents, self.phi.ends, strict=True))
                if index != fixed
            ]
            for end in (low, high):
                if not end:
                    continue
                share = Fraction(1) if abs(end) == longest else (abs(end) / longest) ** int(h + 1)
                share *= self.scaling[fixed] / (half * (h.denominator if h else 1))
                for chosen in itertools.product(*others):
                    placed = list(chosen)
                    placed.insert(fixed, (one * fraction(end), one if h else None, share))
                    jacobian = one
                    for _, _, factor in placed:
                        jacobian *= fraction(factor)
                    yield Patch(
                        tuple(image for image, _, _ in placed),
                        tuple(weight for _, weight, _ in placed if weight is not None),
                        jacobian,
                    )


def along_rays(germ: PolynomialGerm) -> RayGerm | None:
    """The germ with its rays integrated; None under a Gaussian, or where K is not quasi-homogeneous at 0."""
    phi = germ.phi
    if phi.variance is not None or phi.radius is not None or len(phi.exponents) < 3:
        return None
    monomials = {
        tuple(map(int, powers)) for term in germ.terms for powers in _product(germ.bases, term.powers).monoms()
    }
    found = scaling_of(sorted(monomials))
    if found is None:
        return None
    scaling, degree = found
    exponent = sum((a * (1 + h) for a, h in zip(scaling, phi.exponents, strict=True)), Fraction(0))
    return RayGerm(germ.bases, germ.terms, phi, AlongRays(exponent, degree), scaling)


def scaling_of(monomials: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], int] | None:
    """Small whole α > 0 and D with α·e = D for every exponent; None where there are none.

    >>> scaling_of([(2, 2, 0), (1, 1, 1), (0, 0, 2)])  # (xy − z)²
    ((1, 1, 2), 4)
    >>> scaling_of([(2, 2, 0), (0, 0, 4), (0, 0, 2)]) is None
    True
    """
    size = len(monomials[0])
    for scaling in sorted(itertools.product(range(1, _LARGEST_WEIGHT + 1), repeat=size), key=sum):
        degrees = {sum(a * power for a, power in zip(scaling, powers, strict=True)) for powers in monomials}
        if len(degrees) == 1:
            return scaling, degrees.pop()
    return None


def _product(bases: Sequence[fmpq_mpoly], powers: Sequence[tuple[int, int]]) -> fmpq_mpoly:
    found = bases[0] * 0 + 1
    for index, power in powers:
        found *= bases[index] ** power
    return found
