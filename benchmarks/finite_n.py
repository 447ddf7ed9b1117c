"""λ(nβ) of polynomial germs with proven digits, against `scipy.integrate.cubature` at equal digits, without a proof.

    python benchmarks/finite_n.py [--digits 4] [--seconds 20]

Cubature is given the same box, Z and t ∫ K e^{−tK} φ as one vector of integrands, the same relative tolerance, and a
limit of subdivisions; `not reached` means that its own error estimate stayed above the tolerance. scipy 1.15 or newer.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy
import sympy
from scipy.integrate import cubature

import ddtheory as dd

E1 = "((w1-1)*(w1^2+w2^2)^2)^2/2"
E2 = "(w1-1)^2*(w1^2+w2^2)^4/2"
CASES: list[tuple[str, Any, int, int]] = [  # K, nβ, γ (0: none; else a pin at the first coordinate 1), half width
    (E1, 145, 1, 8),
    (E1, 1000, 1, 8),
    (E2, 8686, 4, 3),
    ("x^2*y^2", 10**6, 0, 1),
    ("x^2*y^2", 10**12, 0, 1),
    ("(x-y^2)^2+y^6", 10**6, 0, 1),
    ("(x^2-y^2)^2", 10**6, 0, 1),
    ("x^2*y^2*z^2", 10**4, 0, 1),
    ("x^2*y^2*z^2", 10**8, 0, 1),
]


def ours(germ: str, t: int, gamma: int, width: int, digits: int, seconds: float) -> str:
    first = "w1" if germ in (E1, E2) else "x"
    options = {"variance": f"1/{gamma}", "centre": {first: 1}} if gamma else {}
    try:
        return str(
            dd.finite_n_germ(germ, t, half_width=width, digits=digits, seconds=seconds, **options).learning_coefficient
        )
    except dd.errors.UndecidedError:
        return "not reached"


def theirs(germ: str, t: int, gamma: int, width: int, digits: int) -> str:
    symbols = sorted(dd.parse_expression(germ).free_symbols, key=str)
    k = sympy.lambdify(symbols, dd.parse_expression(germ), "numpy")

    def integrand(points: numpy.ndarray) -> numpy.ndarray:
        value = k(*points.T)
        exponent = t * value
        if gamma:
            exponent = exponent + gamma / 2 * ((points[:, 0] - 1) ** 2 + (points[:, 1:] ** 2).sum(axis=1))
        density = numpy.exp(-exponent)
        return numpy.stack([density, t * value * density], axis=1)

    corner = numpy.full(len(symbols), float(width))
    found = cubature(integrand, -corner, corner, rtol=10.0**-digits / 2, atol=0, max_subdivisions=20_000)
    value = f"{found.estimate[1] / found.estimate[0]:.8g}"
    return value if found.status == "converged" else f"not reached ({value})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digits", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    dd.finite_n_germ("x^2", 10)  # imports are not timed
    for germ, t, gamma, width in CASES:
        start = time.perf_counter()
        mine = ours(germ, t, gamma, width, arguments.digits, arguments.seconds)
        middle = time.perf_counter()
        other = theirs(germ, t, gamma, width, arguments.digits)
        end = time.perf_counter()
        pin = f", pin {gamma}" if gamma else ""
        print(
            f"{germ}, {t:.3g}{pin}: {mine} in {middle - start:.2f} s; cubature {other} in {end - middle:.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
