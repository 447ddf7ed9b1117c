"""How often `rlct` closes ideals that nobody made for its rules: at random, in two to four variables and more.

    python benchmarks/ideals.py                                # 100 germs of each kind
    python benchmarks/ideals.py --kinds "space curves" --count 1000

Seeded; seconds are processor time, and an answer that comes later than the limit is "late". Every exact answer has its
certificate checked, and is asked for again in other coordinates: variables renamed and reflected, generators mixed with
each other. "Wrong" is a certificate that is not accepted, or another pair there.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import sympy
from environment import command
from harness import deadlines_of_the_processor, options, save, show

import ddtheory as dd
from ddtheory import certify
from ddtheory.errors import DDTheoryError
from ddtheory.exact.thresholds.nodes import CertificateError

OUTCOMES = ("exact", "bounds", "late", "refused", "wrong")
COLUMNS = ("kind", "germs", *OUTCOMES, "exact %", "no certificate", "median s", "95 % s", "largest s")
COEFFICIENTS = (-3, -2, -1, 1, 2, 3)
Row = dict[str, Any]
Ideal = list[sympy.Expr]


def names(count: int) -> tuple[sympy.Symbol, ...]:
    return sympy.symbols(" ".join(f"x{i}" for i in range(count)))  # type: ignore[no-any-return]


def sparse(random: Random, variables: int) -> Ideal:
    """Two or three generators of two to four terms, with exponents up to 3."""
    x = names(variables)
    found: Ideal = []
    for _ in range(random.choice((2, 3))):
        terms: dict[tuple[int, ...], int] = {}
        wanted = random.randint(2, 4)
        while len(terms) < wanted:
            exponent = tuple(random.choice((0, 0, 1, 1, 2, 3)) for _ in x)
            if sum(exponent) >= 2:
                terms[exponent] = random.choice(COEFFICIENTS)
        found.append(sympy.Add(*(c * sympy.prod(v**e for v, e in zip(x, a, strict=True)) for a, c in terms.items())))
    return found


def plane(random: Random) -> Ideal:
    """One or two polynomials of two to five terms in two variables, with exponents up to 6."""
    x, y = names(2)
    found: Ideal = []
    for _ in range(random.choice((1, 1, 2))):
        terms: dict[tuple[int, int], int] = {}
        wanted = random.randint(2, 5)
        while len(terms) < wanted:
            exponent = (random.randint(0, 6), random.randint(0, 6))
            if sum(exponent) >= 2:
                terms[exponent] = random.choice(COEFFICIENTS)
        found.append(sympy.Add(*(c * x**i * y**j for (i, j), c in terms.items())))
    return found


def space_curve(random: Random) -> Ideal:
    """The ideal of (t^a, t^b, t^c): x^k − y^i z^j for the least k in every variable (Herzog 1970)."""
    while True:
        weights = random.sample(range(3, 14), 3)
        if math.gcd(*weights) == 1:
            break
    x = names(3)
    found: Ideal = []
    for i in range(3):
        j, k = (index for index in range(3) if index != i)
        power, first, other = next(
            (n, a, (n * weights[i] - a * weights[j]) // weights[k])
            for n in itertools.count(1)
            for a in range(n * weights[i] // weights[j] + 1)
            if (n * weights[i] - a * weights[j]) % weights[k] == 0
        )
        found.append(x[i] ** power - x[j] ** first * x[k] ** other)
    return found


def normal_curve(random: Random) -> Ideal:
    """The cone over the rational normal curve of degree 2 to 5: 2-minors of x_{i+j}, with scaled coordinates."""
    degree = random.choice((2, 3, 4, 5))
    x = [random.choice((1, 2, -1, 3)) * v for v in names(degree + 1)]
    return [x[i] * x[j + 1] - x[i + 1] * x[j] for i, j in itertools.combinations(range(degree), 2)]


def complete_intersection(random: Random) -> Ideal:
    """The cone over one or two dense random forms of degree 2 or 3, in three or four variables."""
    x = names(random.choice((3, 3, 4)))
    degrees = [random.choice((2, 3) if len(x) == 3 else (2,)) for _ in range(random.choice((1, 2)))]
    return [
        sympy.Add(
            *(
                random.choice((-7, -5, -3, -2, 2, 3, 5, 7)) * sympy.prod(monomial)
                for monomial in itertools.combinations_with_replacement(x, degree)
            )
        )
        for degree in degrees
    ]


def two_surfaces(random: Random) -> Ideal:
    """The product of two quasi-homogeneous polynomials c_1 x^a + c_2 y^b (+ c_3 z^c)."""
    x = names(3)
    factors = [
        sympy.Add(*(random.choice(COEFFICIENTS) * v ** random.randint(2, 5) for v in random.sample(x, count)))
        for count in (random.choice((2, 3)), random.choice((2, 3)))
    ]
    return [sympy.Mul(*factors)]


KINDS: dict[str, Callable[[Random], Ideal]] = {
    "plane": plane,
    "sparse, 3 variables": lambda random: sparse(random, 3),
    "sparse, 4 variables": lambda random: sparse(random, 4),
    "space curves": space_curve,
    "rational normal cones": normal_curve,
    "complete intersections": complete_intersection,
    "products of surfaces": two_surfaces,
}


def elsewhere(ideal: Ideal, random: Random) -> Ideal:
    """The same germ: variables permuted and reflected, and a multiple of one generator added to each other one."""
    x = sorted({symbol for f in ideal for symbol in f.free_symbols}, key=str)
    images = dict(zip(x, [random.choice((1, -1)) * v for v in random.sample(x, len(x))], strict=True))
    moved = [f.xreplace(images) for f in ideal]
    first, *others = random.sample(moved, len(moved))
    return [first, *[sympy.expand(f + random.choice((1, -1, 2)) * random.choice((1, x[0])) * first) for f in others]]


def outcome(ideal: Ideal, random: Random, limit: float) -> tuple[str, float, bool]:
    """What came out, the processor time that it took, and whether there is a certificate."""
    started = time.process_time()
    try:
        found = dd.rlct(generators=ideal, seconds=limit)
    except DDTheoryError:
        return "refused", time.process_time() - started, False
    spent = time.process_time() - started
    if found.rlct is None or spent > limit:
        return ("late" if spent > limit else "bounds"), spent, False
    try:
        accepted, certificate = certify.check(found.to_json()).accepted, True
    except CertificateError:
        accepted, certificate = True, False
    again = dd.rlct(generators=elsewhere(ideal, random), seconds=limit)
    differs = again.rlct is not None and again.rlct != found.rlct
    return ("exact" if accepted and not differs else "wrong"), spent, certificate


def row(kind: str, count: int, limit: float) -> Row:
    """The germs of one kind."""
    outcomes: Counter[str] = Counter()
    seconds, open_germs, unwritten = [], [], 0
    for seed in range(count):
        ideal = KINDS[kind](Random(f"{kind} {seed}"))
        found, spent, certificate = outcome(ideal, Random(seed), limit)
        outcomes[found] += 1
        seconds.append(spent)
        unwritten += found == "exact" and not certificate
        if found != "exact":
            open_germs.append({"seed": seed, "outcome": found, "seconds": spent, "generators": list(map(str, ideal))})
        if found == "wrong":
            print(f"WRONG: {kind} seed {seed}: {ideal}", file=sys.stderr)
    seconds.sort()
    return {
        "kind": kind,
        "germs": count,
        **{name: outcomes[name] for name in OUTCOMES},
        "unwritten": unwritten,
        "seconds": {"median": statistics.median(seconds), "most": seconds[-1 - count // 20], "max": seconds[-1]},
        "open": open_germs,
    }


def cells(found: Row) -> list[str]:
    """A row of the table."""
    seconds = found["seconds"]
    return [
        found["kind"],
        str(found["germs"]),
        *(str(found[name]) for name in OUTCOMES),
        f"{100 * found['exact'] / found['germs']:.1f}",
        str(found["unwritten"]),
        *(f"{seconds[name]:.3f}" for name in ("median", "most", "max")),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__ or "", "ideals")
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=list(KINDS))
    parser.add_argument("--count", type=int, default=100, help="germs a row")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds for one germ")
    chosen = parser.parse_args(arguments)
    dd.rlct("x^2")  # loads what a call needs
    deadlines_of_the_processor("ddtheory.exact", "ddtheory.certify")
    kept = json.loads(chosen.out.read_text())["rows"] if chosen.out.exists() else []
    rows = {entry["kind"]: entry for entry in kept}
    for kind in chosen.kinds:
        rows[kind] = row(kind, 5 if chosen.quick else chosen.count, chosen.limit) | {"command": command()}
        print(*cells(rows[kind]), sep="  ", flush=True)
        save(chosen, [rows[name] for name in KINDS if name in rows])
    show("Ideals", COLUMNS, [cells(rows[name]) for name in KINDS if name in rows])


if __name__ == "__main__":
    main()
