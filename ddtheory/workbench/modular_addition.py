"""The Fourier fit of modular addition by quadratic units, over any field that has the cosines and sines of 2π/p.

f(a, b) = Σ_j V_j (u_j'(a) + u_j''(b))² ∈ K^p on ℤ_p², p odd, is to be the unit vector at a + b. With 2p − 1 units it
is: one constant unit, and for each frequency k = 1 … (p − 1)/2 two that read cos k(a + b) and two that read
sin k(a + b). Over a prime field with a p-th root of unity and a square root of −1 the same formulas hold, and a rank
there is a lower bound on the rank over the reals: a minor that is not 0 modulo a prime above q is not 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from flint import nmod_mat


@dataclass(frozen=True)
class Unit:
    """A hidden unit: u'(a), u''(b) and V(c) on ℤ_p."""

    first: tuple[int, ...]
    second: tuple[int, ...]
    out: tuple[int, ...]


@dataclass(frozen=True)
class Residues:
    """The field of q elements for a prime q ≡ 1 (mod 4p): it has the cosines and sines of 2π/p."""

    p: int
    q: int

    @classmethod
    def below(cls, p: int, largest: int = 10**9) -> Residues:
        """The largest such field with at most so many elements.

        >>> Residues.below(3, 100)
        Residues(p=3, q=97)
        """
        q = (largest - 1) // (4 * p) * 4 * p + 1
        while not sympy.isprime(q):
            q -= 4 * p
        return cls(p, q)

    def over(self, numerator: int, denominator: int) -> int:
        """A fraction."""
        return numerator * pow(denominator, -1, self.q) % self.q

    def waves(self) -> tuple[list[int], list[int]]:
        """cos and sin of 2πj/p, j = 0 … p − 1, as (z^j ± z^{−j})/2 with z of order p, and i² = −1."""
        root = int(sympy.primitive_root(self.q))
        z, i = pow(root, (self.q - 1) // self.p, self.q), pow(root, (self.q - 1) // 4, self.q)
        powers = [(pow(z, j, self.q), pow(z, -j, self.q)) for j in range(self.p)]
        return [self.over(a + b, 2) for a, b in powers], [self.over(a - b, 2 * i) for a, b in powers]


def fourier_fit(field: Residues) -> list[Unit]:
    """The fit with 2p − 1 units."""
    p, q = field.p, field.q
    cos, sin = field.waves()
    half = (field.over(1, 2),) * p
    frequencies = range(1, (p + 1) // 2)
    rest = [sum(cos[k * c % p] + sin[k * c % p] for k in frequencies) for c in range(p)]
    units = [Unit(half, half, tuple(field.over(1 - 2 * value, p) for value in rest))]
    for k in frequencies:
        c, s = (tuple(wave[k * a % p] for a in range(p)) for wave in (cos, sin))
        opposite = tuple(-value % q for value in s)
        along_cos, along_sin = (tuple(field.over(value, p) for value in wave) for wave in (c, s))
        units += [Unit(c, c, along_cos), Unit(s, opposite, along_cos), Unit(s, c, along_sin), Unit(c, s, along_sin)]
    return units


def fitted(field: Residues, units: list[Unit]) -> bool:
    """Whether f(a, b) is the unit vector at a + b, for all a and b."""
    p, q = field.p, field.q
    return all(
        sum(unit.out[c] * (unit.first[a] + unit.second[b]) ** 2 for unit in units) % q == ((a + b - c) % p == 0)
        for a in range(p)
        for b in range(p)
        for c in range(p)
    )


def jacobian_rank(field: Residues, units: list[Unit], *, softmax: bool = False) -> int:
    """The rank of df, p³ rows and 3p columns a unit; at most the rank over the reals.

    With softmax, of the differences of the outputs to the first one.
    """
    p, width = field.p, 3 * field.p * len(units)
    rows = [[0] * width for _ in range(p**3)]
    for j, unit in enumerate(units):
        at = 3 * p * j
        for a in range(p):
            for b in range(p):
                inner = unit.first[a] + unit.second[b]
                for c in range(p):
                    row = rows[(a * p + b) * p + c]
                    row[at + a] = row[at + p + b] = 2 * unit.out[c] * inner
                    row[at + 2 * p + c] = inner**2
    if softmax:
        rows = [
            [x - y for x, y in zip(rows[place], rows[place - place % p], strict=True)]
            for place in range(p**3)
            if place % p
        ]
    return int(nmod_mat(len(rows), width, [entry % field.q for row in rows for entry in row], field.q).rank())


def padded(field: Residues, units: list[Unit], more: int) -> list[Unit]:
    """The same function with so many units at zero beside."""
    zero = (0,) * field.p
    return [*units, *[Unit(zero, zero, zero)] * more]


def rank_of_squares(field: Residues, units: list[Unit]) -> int:
    """The rank of the functions (u'(a) + u''(b))² of a and b, one for each unit; at most that over the reals."""
    p, q = field.p, field.q
    rows = [[(unit.first[a] + unit.second[b]) ** 2 % q for a in range(p) for b in range(p)] for unit in units]
    return int(nmod_mat(len(rows), p**2, [entry for row in rows for entry in row], q).rank())
