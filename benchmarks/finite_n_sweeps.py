"""λ(nβ) over a grid of nβ and γ with proven digits: one sweep against its points one by one, in processor seconds.

    python benchmarks/finite_n_sweeps.py [--digits 4] [--sizes 11] [--localisations 7]

The sizes run from 10² to 10¹², the localisations γ from 1 to 10⁶. Every point of the sweep is compared with the one
that was computed alone: the enclosures overlap, or the script says so and exits 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from fractions import Fraction

from harness import options, save

import ddtheory as dd

CASES = [  # K, radius or half width, centre
    ("(x-1)^2*(x^2+y^2)^4/2", {"radius": 3}, {"x": 1}),
    ("(x-1)^2*(x^2+y^2)^4/2", {}, {"x": 1}),
    ("x^2*y^2", {}, {}),
    ("(x-y^2)^2+y^6", {}, {}),
    ("x^2*(x-1)^4", {"box": {"x": (-1, 2)}}, {"x": 1}),
]


def spaced(count: int, decades: int, start: int) -> list[int]:
    """Powers of ten, rounded, that grow alike."""
    return [round(10 ** (start + decades * index / max(count - 1, 1))) for index in range(count)]


def compared(germ: str, domain: dict, centre: dict, chosen: argparse.Namespace) -> dict[str, object]:
    """One germ: seconds of the sweep and of its points, and how many of them do not overlap."""
    sizes, gammas = spaced(chosen.sizes, 10, 2), spaced(chosen.localisations, 6, 0)
    asked = {**domain, "centre": centre or None, "digits": chosen.digits, "seconds": chosen.limit}
    start = time.process_time()
    sweep = dd.finite_n_sweep(germ, sizes, localisations=gammas, **asked)
    together, alone, both, wrong = time.process_time() - start, 0.0, 0, 0
    for gamma in gammas:
        for t in sizes:
            start = time.process_time()
            try:
                point = dd.finite_n_germ(germ, t, variance=Fraction(1, gamma), **asked).learning_coefficient
            except dd.errors.UndecidedError:
                point = None
            alone += time.process_time() - start
            if point is not None and (gamma, t) not in sweep.missing:
                both += 1
                wrong += not sweep.at(t, gamma).learning_coefficient.overlaps(point)
    return {
        "germ": germ,
        "domain": f"disc of radius {domain['radius']}" if "radius" in domain else "box" if domain else "plane",
        "points": len(sizes) * len(gammas),
        "missing": len(sweep.missing),
        "both": both,
        "wrong": wrong,
        "together": together,
        "alone": alone,
    }


def main() -> None:
    parser = options(__doc__ or "", "finite_n_sweeps")
    parser.add_argument("--digits", type=int, default=4)
    parser.add_argument("--sizes", type=int, default=11)
    parser.add_argument("--localisations", type=int, default=7)
    parser.add_argument("--limit", type=float, default=600, help="seconds on the wall for each sweep and each point")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.sizes, chosen.localisations = 2, 2
    dd.finite_n_germ("x^2", 10)  # imports are not timed
    rows = []
    for case in CASES:
        rows.append(compared(*case, chosen))
        print(rows[-1], flush=True)
    save(chosen, rows)
    sys.exit(1 if any(row["wrong"] for row in rows) else 0)


if __name__ == "__main__":
    main()
