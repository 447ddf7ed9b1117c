"""What random trials of `rlct` found, counted from the files that they keep.

    PYTHONPATH=tests python -m reference.plane_trials --count 100000 --seed 1301 --keep plane.jsonl
    PYTHONPATH=tests python -m reference.metamorphic_trials --count 1000 --seed 1301 --keep relations.jsonl
    python benchmarks/trials.py plane.jsonl relations.jsonl

Plane ideals of nine kinds go against point blow-ups; relations between pairs hold whatever the pairs are. Either may be
stopped at any time: what a file has is what is counted. A row is one seed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness import options, save, show

OUTCOMES = ("exact and equal", "bounds that hold the pair", "undecided by the oracle", "too large to write", "wrong")
COLUMNS = ("trials", "seed", "priors", "number", *OUTCOMES)
_SAID = {
    "exact and equal, too large to write down": "too large to write",
    "holds": "exact and equal",
    "not excluded": "bounds that hold the pair",
}
Row = dict[str, Any]


def rows_of(batches: Iterable[Row]) -> list[Row]:
    """One row for the batches of a seed, by what became of the trials."""
    found: dict[tuple[str, int, bool], Counter[str]] = {}
    for batch in batches:
        key = batch["key"]
        counts = found.setdefault((key["trials"], key["seed"], key.get("priors", False)), Counter())
        for outcome, number in batch["counts"].items():
            plain = outcome.partition(":")[0]  # the name of a relation stands behind
            counts[_SAID.get(plain, plain)] += number
    strange = set[str]().union(*found.values()) - {*OUTCOMES}
    if strange:
        raise SystemExit(f"These outcomes are not known here: {', '.join(sorted(strange))}.")
    return [
        {"trials": kind, "seed": seed, "priors": priors, "number": counts.total(), **{o: counts[o] for o in OUTCOMES}}
        for (kind, seed, priors), counts in sorted(found.items())
    ]


def main() -> None:
    parser = options(__doc__ or "", "trials")
    parser.add_argument("files", nargs="+", help="what --keep named")
    chosen = parser.parse_args()
    lines = [line for file in chosen.files for line in Path(file).read_text(encoding="utf-8").splitlines()]
    rows = rows_of(map(json.loads, lines))
    chosen.files = [Path(file).name for file in chosen.files]  # where they lay is nobody's concern
    save(chosen, rows)
    show("Random trials", COLUMNS, [[str(row[column]) for column in COLUMNS] for row in rows])


if __name__ == "__main__":
    main()
