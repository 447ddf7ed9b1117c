"""Quadratic modular addition at its Fourier fit as `rlct` takes it: generators, the point, and a family of fits.

The fit is that of `modular_addition`, over the real numbers. The family takes the pairs of units of a frequency apart:
with z = e^{2πika/p}, w = e^{2πikb/p} they read real and imaginary part of κ_i z + μ_i w̄, i = 1, 2, and V_1, V_2 solve
V_1 κ_1 μ̄_1 + V_2 κ_2 μ̄_2 = e^{−2πikc/p}/p; unit 0 takes back the constants |κ_i|² + |μ_i|². Scales and shifts within
units are symmetries of the generators, which `rlct` finds itself, so μ_i = 1 + i n_i leaves out one scale of each pair.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import sympy
from sympy import Expr, Integer, Rational, Symbol, cos, pi, sin


@dataclass(frozen=True)
class Addition:
    """Arguments of `rlct`.

    Attributes:
        generators: Σ_j V_j(c)(u_j(a) + w_j(b))² − [a + b = c], p³ of them in 3p(2p − 1) variables.
        at: the Fourier fit.
        zeros: other fits, in six names for each frequency, which give the Fourier fit at 0.
    """

    generators: tuple[Expr, ...]
    at: dict[str, Expr]
    zeros: dict[str, Expr]


def addition(p: int, *, softmax: bool = False) -> Addition:
    """The germ for odd p; with softmax, of the differences of the logits to the first one, p²(p − 1) of them.

    >>> found = addition(3)
    >>> len(found.generators), len(found.at), found.at["u1_1"], found.zeros["u1_0"]
    (27, 45, -1/2, k1_1 + 1)
    >>> len(addition(3, softmax=True).generators)
    18
    """
    residues, units = range(p), range(2 * p - 1)
    generators = tuple(
        sympy.Add(*(_name("v", j, c) * (_name("u", j, a) + _name("w", j, b)) ** 2 for j in units))
        - int((a + b - c) % p == 0)
        for c, a, b in itertools.product(residues, repeat=3)
    )
    if softmax:
        first = generators[: p**2] * (p - 1)
        generators = tuple(f - g for f, g in zip(generators[p**2 :], first, strict=True))
    zeros = _family(p)
    names = {symbol: 0 for value in zeros.values() for symbol in value.free_symbols}
    halves = {f"{kind}0_{a}": Rational(1, 2) for kind in "uw" for a in residues}
    return Addition(generators, {**halves, **{name: value.subs(names) for name, value in zeros.items()}}, zeros)


def _name(kind: str, unit: int, residue: int) -> Symbol:
    return Symbol(f"{kind}{unit}_{residue}", real=True)


def _family(p: int) -> dict[str, Expr]:
    found: dict[str, Expr] = {}
    constants: list[Expr] = [Rational(1, p)] * p
    for k in range(1, (p + 1) // 2):
        waves = [(cos(2 * pi * (k * a % p) / p), sin(2 * pi * (k * a % p) / p)) for a in range(p)]
        k1, l1, n1, k2, l2, n2 = (Symbol(f"{name}_{k}", real=True) for name in ("k1", "l1", "n1", "k2", "l2", "n2"))
        kappa, mu = [(1 + k1, l1), (k2, l2 - 1)], [(Integer(1), n1), (Integer(1), n2)]
        (first, below), (second, right) = [
            (a * m + b * n, b * m - a * n) for (a, b), (m, n) in zip(kappa, mu, strict=True)
        ]
        determinant = sympy.expand(first * right - second * below)
        for i, turn in ((0, 1), (1, -1)):
            (a, b), (m, n), real = kappa[i], mu[i], 4 * k - 3 + 2 * i
            for place, (even, odd) in enumerate(waves):
                found[f"u{real}_{place}"], found[f"w{real}_{place}"] = a * even - b * odd, m * even + n * odd
                found[f"u{real + 1}_{place}"] = turn * (a * odd + b * even)
                found[f"w{real + 1}_{place}"] = turn * (n * even - m * odd)
                cofactor = even * right + odd * second if i == 0 else -odd * first - even * below
                out = cofactor / (p * determinant)
                found[f"v{real}_{place}"] = found[f"v{real + 1}_{place}"] = out
                constants[place] -= out * (a**2 + b**2 + m**2 + n**2)
    return {**found, **{f"v0_{place}": value for place, value in enumerate(constants)}}
