"""`rlct` against the oracle of point blow-ups, on as many random plane ideals as wanted.

    PYTHONPATH=tests python -m reference.plane_trials --count 100000

Prints what differed, and counts at the end: exact and equal, bounds that hold the pair, undecided by the oracle, wrong.
Exits with 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import Counter
from random import Random

import sympy

import ddtheory as dd
from reference.point_blow_ups import Undecided, pair, random_ideals

_CHECKED = 10  # one certificate in ten goes through the checker as well


def outcome(ideal: list[sympy.Expr], number: int, prior: tuple[int, int] = (0, 0)) -> str:
    """What became of one ideal."""
    x, y = sympy.symbols("x y")
    try:
        lam, m = pair(ideal, x, y, prior)
    except Undecided:
        return "undecided by the oracle"
    seen = set().union(*(f.free_symbols for f in ideal))
    powers = {symbol: power for symbol, power in zip((x, y), prior, strict=True) if symbol in seen}
    found = dd.rlct(generators=ideal, prior=powers)
    if found.rlct is None:
        return "bounds that hold the pair" if found.lower.value <= lam <= found.upper.value else "wrong"
    if (found.rlct.lam, found.rlct.m) != (lam, m):
        return "wrong"
    if number % _CHECKED == 0 and not dd.certify.check(found.to_json()).accepted:
        return "wrong"
    return "exact and equal"


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--count", type=int, default=1000)
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--priors", action="store_true", help="with priors |x|^a |y|^b, a and b up to 3")
    given = reader.parse_args()
    draw = Random(given.seed + 1)
    x, y = sympy.symbols("x y")
    counts: Counter[str] = Counter()
    for number, ideal in enumerate(itertools.islice(random_ideals(Random(given.seed), x, y), given.count)):
        prior = (draw.randint(0, 3), draw.randint(0, 3)) if given.priors else (0, 0)
        became = outcome(ideal, number, prior)
        counts[became] += 1
        if became == "wrong":
            print(f"wrong: {ideal} with the prior {prior}", flush=True)
        if number % 1000 == 999:
            print(f"{number + 1}: {dict(counts)}", file=sys.stderr, flush=True)
    print(dict(counts))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
