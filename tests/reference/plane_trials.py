"""`rlct` against the oracle of point blow-ups, on as many random plane ideals as wanted.

    PYTHONPATH=tests python -m reference.plane_trials --count 100000 --keep trials.jsonl

Prints what was wrong, and counts at the end: exact and equal, bounds that hold the pair, undecided by the oracle.
Exits with 1 when anything is wrong. A trial takes about 20 ms. Ideals come in batches, each with a seed of its own; a
batch that the file of `--keep` has is not run again, so a run may be stopped and go on. Remove the file when `rlct` has
changed.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import sympy

import ddtheory as dd
from ddtheory.exact.thresholds.nodes import CertificateError
from reference.batches import Found, batches, report
from reference.point_blow_ups import Undecided, pair, random_ideals

_CHECKED = 10  # one certificate in ten goes through the checker as well
_SECONDS = 60.0  # on the wall: other work may take most of the processor


def outcome(ideal: list[sympy.Expr], number: int, prior: tuple[int, int] = (0, 0)) -> str:
    """What became of one ideal."""
    x, y = sympy.symbols("x y")
    try:
        lam, m = pair(ideal, x, y, prior)
    except Undecided:
        return "undecided by the oracle"
    seen = set().union(*(f.free_symbols for f in ideal))
    powers = {symbol: power for symbol, power in zip((x, y), prior, strict=True) if symbol in seen}
    found = dd.rlct(generators=ideal, prior=powers, seconds=_SECONDS)
    if found.rlct is None:
        return "bounds that hold the pair" if found.lower.value <= lam <= found.upper.value else "wrong"
    if (found.rlct.lam, found.rlct.m) != (lam, m):
        return "wrong"
    if number % _CHECKED == 0:
        try:
            certificate = found.to_json()
        except CertificateError:
            return "exact and equal, too large to write down"
        if not dd.certify.check(certificate).accepted:
            return "wrong"
    return "exact and equal"


def batch(seed: int, priors: bool, number: int, size: int) -> Found:
    """Counts of one batch, and the ideals that did not come out exact."""
    x, y = sympy.symbols("x y")
    draw = Random(f"{seed} {number} {priors}")
    counts: Counter[str] = Counter()
    notable: list[dict[str, Any]] = []
    for index, ideal in enumerate(itertools.islice(random_ideals(draw, x, y), size)):
        prior = (draw.randint(0, 3), draw.randint(0, 3)) if priors else (0, 0)
        became = outcome(ideal, index, prior)
        counts[became] += 1
        if became != "exact and equal":
            notable.append({"became": became, "ideal": list(map(str, ideal)), "prior": prior})
    return {"counts": counts, "notable": notable}


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--count", type=int, default=1000)
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--priors", action="store_true", help="with priors |x|^a |y|^b, a and b up to 3")
    reader.add_argument("--keep", type=Path, help="a file of finished batches, one line each")
    given = reader.parse_args()
    key = {"trials": "plane", "seed": given.seed, "priors": given.priors}
    return report(batches(given.count, key, given.keep, functools.partial(batch, given.seed, given.priors)))


if __name__ == "__main__":
    sys.exit(main())
