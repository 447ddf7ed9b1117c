"""Time of `rlct` against the number of parameters where all but few are regular, and of its certificate.

    python benchmarks/parameters.py
    python benchmarks/parameters.py --quick

Kinds: "chain", coordinates xᵢ + xᵢ₊₁² + 2xᵢ₊₂xᵢ₊₁ beside y z²; "product", a product of two invertible matrices over ℚ,
ℚ(√2) or ℚ(cos 2π/7); "combinations", so many dense combinations of nine generators in ten variables; "addition",
quadratic modular addition at its exact fit with a family of other fits, p = 3, 5, 7. Seconds are processor time.
"Wrong" is another pair than the closed form, or a certificate that is not accepted; `seconds` limits each.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from harness import options, save, show
from sympy import Expr, Integer, Matrix, Symbol, cos, pi, sqrt

import ddtheory as dd
from ddtheory import certify
from ddtheory.workbench.modular_addition_germ import addition

_TERMS = 60_000  # modular addition at p = 7 has 46 844
COLUMNS = ("kind", "field", "variables", "generators", "outcome", "derivation s", "certificate s")
Row = dict[str, Any]
Case = tuple[str, str, list[Any], dict[str, Expr], dict[str, Expr], dd.RLCT]


def chain(count: int) -> Case:
    regular = [f"x{i} + x{i + 1}^2 + 2*x{i + 2}*x{i + 1}" for i in range(count - 4)]
    return "chain", "Q", [*regular, "y*z^2"], {}, {}, dd.RLCT(Fraction(2 * count - 7, 4), 1)


def product(size: int, number: Expr) -> Case:
    values = [
        Matrix(size, size, lambda i, j: number if i == j else sympy.Integer(int(j == i + 1))),
        Matrix(size, size, lambda i, j: sympy.Integer(1) if i == j else number * int(i == j + 1)),
    ]
    names = [Matrix(size, size, lambda i, j, kind=kind: Symbol(f"{kind}{i}_{j}", real=True)) for kind in "ab"]
    at = {str(x): v for x, v in zip([*names[0], *names[1]], [*values[0], *values[1]], strict=True) if v != 0}
    target = values[1] * values[0]
    generators = [entry - sympy.expand(v) for entry, v in zip(names[1] * names[0], target, strict=True)]
    return "product", "Q" if number.is_Integer else f"Q({number})", generators, at, {}, dd.RLCT(Fraction(size**2, 2), 1)


def combinations(count: int) -> Case:
    """So many dense combinations of eight coordinates and y z²: a Vandermonde matrix modulo a prime."""
    few = [*(Symbol(f"x{i}", real=True) for i in range(8)), Symbol("y", real=True) * Symbol("z", real=True) ** 2]
    rows = [[Integer(pow(i + 2, j + 1, 1009) - 500) for j in range(9)] for i in range(count)]
    assert Matrix(rows).rank() == 9
    generators = [sympy.Add(*(c * f for c, f in zip(row, few, strict=True))) for row in rows]
    return "combinations", "Q", generators, {}, {}, dd.RLCT(Fraction(17, 4), 1)


def modular(p: int) -> Case:
    """Σ_j V_j(c)(u_j(a) + w_j(b))² = [a + b = c] modulo p with 2p − 1 units."""
    germ = addition(p)
    rank = 27 if p == 3 else 6 * p**2 - 10 * p + 5
    return "addition", f"Q(cos, sin 2π/{p})", list(germ.generators), germ.at, germ.zeros, dd.RLCT(Fraction(rank, 2), 1)


def cases(quick: bool) -> Iterator[Case]:
    for count in (10, 50) if quick else (10, 50, 135, 300):
        yield chain(count)
    for size in (2,) if quick else (2, 5, 8, 12):
        for number in (sympy.Integer(2), sqrt(2), cos(2 * pi / 7)):
            yield product(size, number)
    for count in (10, 40) if quick else (10, 40, 160, 640):
        yield combinations(count)
    for p in (3,) if quick else (3, 5, 7):
        yield modular(p)


def measured(case: Case, seconds: float) -> Row:
    kind, field, generators, at, zeros, expected = case
    started = time.process_time()
    found = dd.rlct(generators=generators, at=at, zeros=zeros, seconds=seconds, most_terms=_TERMS)
    derived = time.process_time()
    report = certify.check(found.to_json(), seconds=seconds)
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
    parser.add_argument("--seconds", type=float, default=600, help="limit of each derivation")
    chosen = parser.parse_args()
    rows = [measured(case, chosen.seconds) for case in cases(chosen.quick)]
    show("Parameters", COLUMNS, [[str(row[column]) for column in COLUMNS] for row in rows])
    if not chosen.quick:
        save(chosen, rows)
    return int(any(row["outcome"] == "wrong" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
