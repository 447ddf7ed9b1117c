"""Time of `rlct` against the number of parameters where all but few are regular, and of its certificate.

    python benchmarks/parameters.py
    python benchmarks/parameters.py --quick

Kinds: "chain", coordinates xᵢ + xᵢ₊₁² + 2xᵢ₊₂xᵢ₊₁ beside y z²; "product", a product of two invertible matrices over ℚ,
ℚ(√2) or ℚ(cos 2π/7); "addition", quadratic modular addition at its exact fit, p = 3. Seconds are processor time.
"Wrong" is another pair than the closed form, or a certificate that is not accepted; `seconds` limits each.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from harness import options, save, show
from sympy import Expr, Matrix, Rational, Symbol, cos, pi, sin, sqrt

import ddtheory as dd
from ddtheory import certify

COLUMNS = ("kind", "field", "variables", "generators", "outcome", "derivation s", "certificate s")
Row = dict[str, Any]
Case = tuple[str, str, list[Any], dict[str, Expr], dd.RLCT]


def chain(count: int) -> Case:
    regular = [f"x{i} + x{i + 1}^2 + 2*x{i + 2}*x{i + 1}" for i in range(count - 4)]
    return "chain", "Q", [*regular, "y*z^2"], {}, dd.RLCT(Fraction(2 * count - 7, 4), 1)


def product(size: int, number: Expr) -> Case:
    values = [
        Matrix(size, size, lambda i, j: number if i == j else sympy.Integer(int(j == i + 1))),
        Matrix(size, size, lambda i, j: sympy.Integer(1) if i == j else number * int(i == j + 1)),
    ]
    names = [Matrix(size, size, lambda i, j, kind=kind: Symbol(f"{kind}{i}_{j}", real=True)) for kind in "ab"]
    at = {str(x): v for x, v in zip([*names[0], *names[1]], [*values[0], *values[1]], strict=True) if v != 0}
    target = values[1] * values[0]
    generators = [entry - sympy.expand(v) for entry, v in zip(names[1] * names[0], target, strict=True)]
    return "product", "Q" if number.is_Integer else f"Q({number})", generators, at, dd.RLCT(Fraction(size**2, 2), 1)


def addition() -> Case:
    """Σ_j V_j(c)(u_j(a) + w_j(b))² = [a + b = c] modulo 3 with five units, where all 27 generators are independent."""
    p, units = 3, range(5)

    def name(kind: str, j: int, a: int) -> Symbol:
        return Symbol(f"{kind}{j}_{a}", real=True)

    generators = [
        sympy.Add(*(name("v", j, c) * (name("u", j, a) + name("w", j, b)) ** 2 for j in units))
        - int((a + b - c) % p == 0)
        for c, a, b in itertools.product(range(p), repeat=3)
    ]
    at: dict[str, Expr] = {}
    for a in range(p):
        even, odd = cos(2 * pi * a / p), sin(2 * pi * a / p)
        shapes = [(even, even, even), (odd, -odd, even), (odd, even, odd), (even, odd, odd)]
        at |= {f"u0_{a}": Rational(1, 2), f"w0_{a}": Rational(1, 2), f"v0_{a}": (1 - 2 * (even + odd)) / p}
        for j, (first, second, third) in enumerate(shapes, 1):
            at |= {f"u{j}_{a}": first, f"w{j}_{a}": second, f"v{j}_{a}": third / p}
    return "addition", "Q(sqrt(3))", generators, at, dd.RLCT(Fraction(27, 2), 1)


def cases(quick: bool) -> Iterator[Case]:
    for count in (10, 50) if quick else (10, 50, 135, 300):
        yield chain(count)
    for size in (2,) if quick else (2, 5, 8, 12):
        for number in (sympy.Integer(2), sqrt(2), cos(2 * pi / 7)):
            yield product(size, number)
    if not quick:
        yield addition()


def measured(case: Case, seconds: float) -> Row:
    kind, field, generators, at, expected = case
    started = time.process_time()
    found = dd.rlct(generators=generators, at=at, seconds=seconds)
    derived = time.process_time()
    report = certify.check(found.to_json())
    outcome = "bounds" if found.rlct is None else "exact" if found.rlct == expected and report.accepted else "wrong"
    return {
        "kind": kind,
        "field": field,
        "variables": found.given.dimension,
        "generators": len(generators),
        "outcome": outcome,
        "derivation s": round(derived - started, 2),
        "certificate s": round(time.process_time() - derived, 2),
    }


def main() -> int:
    parser = options("Time of rlct against the number of parameters", "parameters")
    parser.add_argument("--seconds", type=float, default=60, help="limit of each derivation")
    chosen = parser.parse_args()
    rows = [measured(case, chosen.seconds) for case in cases(chosen.quick)]
    show("Parameters", COLUMNS, [[str(row[column]) for column in COLUMNS] for row in rows])
    if not chosen.quick:
        save(chosen, rows)
    return int(any(row["outcome"] == "wrong" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
