r"""Products over the mirrors of a reflection group under a Gaussian: a normal crossing of norms in broken dimensions.

Under w ~ N(0, I) and with degrees d of the group, Mehta's and Macdonald's integrals are

  E |P(w)|^{2k} = ν^k ∏_d Γ(1 + dk)/Γ(1 + k),

P = ∏_{i<j} (w_i − w_j) with d = 2, …, n and ν = 1, and P = ∏ w_i ∏_{i<j} (w_i² − w_j²) with d = 2, 4, …, 2n and
ν = 2^{−n}. By the multiplication formula of Γ each factor is d^{dk} ∏_{j<d} Γ(k + j/d)/Γ(j/d), and Γ(k + q/2)/Γ(q/2)
is E (r²/2)^k for the norm r of a Gaussian vector in "dimension" q, density ∝ r^{q−1} e^{−r²/2}. So cP² has the law of
c ν ∏ d^d ∏ (r²/2) over independent norms of dimensions 2j/d, and under e^{−γ‖w‖²/2} the same.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod

from ddtheory.errors import InvalidValueError
from ddtheory.exact.finite_n.norms import Norms
from ddtheory.exact.numbers.enclosing import rational
from ddtheory.exact.numbers.given import choice, whole_number

_KINDS = {"braid": "∏ (w_i − w_j)", "signed": "∏ w_i ∏ (w_i² − w_j²)"}
_MOST = 30  # dimensions


def reflection_norms(kind: str, dimension: int, scale: Fraction | int = 1) -> Norms:
    """K = c P² as a product of squared norms; P over the mirrors of the symmetric or the hyperoctahedral group.

    Raises:
        InvalidValueError: no such kind, a dimension below 2 or above 30, or c not positive.

    Source: the integrals of Mehta and Macdonald, as in the family `arrangement` of the catalogue.

    >>> reflection_norms("braid", 2)  # (w_1 − w_2)²: twice the square of a Gaussian
    Norms(scale=Fraction(2, 1), dimensions=(Fraction(1, 1),))
    """
    choice(kind, "kind", _KINDS)
    whole_number(dimension, "dimension", least=2)
    if dimension > _MOST:
        raise InvalidValueError(f"dimension = {dimension} is more than {_MOST}.")
    factor = rational(scale, "the scale c of K")
    if factor <= 0:
        raise InvalidValueError(f"The scale {factor} of K is not positive.")
    degrees = range(2, dimension + 1) if kind == "braid" else range(2, 2 * dimension + 1, 2)
    dimensions = tuple(Fraction(2 * j, d) for d in degrees for j in range(1, d))
    factor *= Fraction(prod(d**d for d in degrees), 2 ** len(dimensions))
    return Norms(factor if kind == "braid" else factor / 2**dimension, dimensions)
