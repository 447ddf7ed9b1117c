"""λ(nβ) over a grid of nβ and γ with proven digits: one sweep against its points one by one.

    python benchmarks/finite_n_sweeps.py [--digits 4] [--sizes 11] [--localisations 7]

The sizes run from 10² to 10¹², the localisations γ from 1 to 10⁶. Every point of the sweep is compared with the one
that was computed alone: the enclosures overlap, or the script says so and exits 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from fractions import Fraction

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digits", type=int, default=4)
    parser.add_argument("--sizes", type=int, default=11)
    parser.add_argument("--localisations", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=150, help="for each sweep")
    arguments = parser.parse_args()
    sizes = spaced(arguments.sizes, 10, 2)
    gammas = spaced(arguments.localisations, 6, 0)
    dd.finite_n_germ("x^2", 10)  # imports are not timed
    wrong = 0
    for germ, domain, centre in CASES:
        options = {**domain, "centre": centre or None, "digits": arguments.digits}
        start = time.perf_counter()
        sweep = dd.finite_n_sweep(germ, sizes, localisations=gammas, seconds=arguments.seconds, **options)
        middle = time.perf_counter()
        for gamma in gammas:
            for t in sizes:
                try:
                    alone = dd.finite_n_germ(germ, t, variance=Fraction(1, gamma), **options)
                    together = sweep.at(t, gamma)
                except dd.errors.UndecidedError:
                    continue
                if not together.learning_coefficient.overlaps(alone.learning_coefficient):
                    wrong += 1
                    print(f"{germ} at {t}, {gamma}: {together} and {alone}")
        end = time.perf_counter()
        print(
            f"{germ} {domain}: {sweep}; {middle - start:.1f} s together, {end - middle:.1f} s one by one "
            f"({(end - middle) / (middle - start):.1f} times)",
            flush=True,
        )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
