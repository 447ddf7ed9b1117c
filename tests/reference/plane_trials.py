"""`rlct` against the oracle of point blow-ups, on as many random plane ideals as wanted.

    PYTHONPATH=tests python -m reference.plane_trials --count 100000 --keep trials.jsonl

Prints what differed, and counts at the end: exact and equal, bounds that hold the pair, undecided by the oracle, wrong.
Exits with 1 when anything is wrong. A trial takes about 20 ms. Ideals come in batches, each with a seed of its own; with
`--keep` a batch that the file has is not run again, so a run may be stopped and go on. Remove the file when `rlct` has
changed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import sympy

import ddtheory as dd
from reference.point_blow_ups import Undecided, pair, random_ideals

BATCH = 100
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


def batch(seed: int, number: int, priors: bool, size: int) -> dict[str, Any]:
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
    return {"seed": seed, "batch": number, "priors": priors, "size": size, "counts": counts, "notable": notable}


def batches(count: int, seed: int, priors: bool, kept: Path | None) -> Iterator[dict[str, Any]]:
    """The batches of a run: those that are kept, and the others, which are run now and kept."""
    lines = kept.read_text(encoding="utf-8").splitlines() if kept is not None and kept.exists() else []
    there = {(line["seed"], line["batch"], line["priors"], line["size"]): line for line in map(json.loads, lines)}
    for number, start in enumerate(range(0, count, BATCH)):
        size = min(BATCH, count - start)
        found = there.get((seed, number, priors, size))
        if found is None:
            found = batch(seed, number, priors, size)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(found) + "\n")
        yield found


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--count", type=int, default=1000)
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--priors", action="store_true", help="with priors |x|^a |y|^b, a and b up to 3")
    reader.add_argument("--keep", type=Path, help="a file of finished batches, one line each")
    given = reader.parse_args()
    counts: Counter[str] = Counter()
    for found in batches(given.count, given.seed, given.priors, given.keep):
        counts.update(found["counts"])
        for line in found["notable"]:
            if line["became"] == "wrong":
                print(f"wrong: {line['ideal']} with the prior {line['prior']}", flush=True)
        if sys.stderr.isatty():
            print(f"\r{counts.total()}: {dict(counts)}", end="", file=sys.stderr, flush=True)
    print(dict(counts))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
