"""Reference germs against volumes drawn at random: a script, since λ read from a volume is never sharp.

    python tests/reference/volumes.py [WORD …] [--samples 4000000]

Points are drawn from the prior on a box around the point (one-sided where the germ is), and the fraction V(ε) with
K < ε is fitted by log V = λ log ε + (m − 1) log(log(1/ε) + b) + c at the tabulated m, with b ≥ 0 free. The estimate
is off by what the fit leaves out, corrections of relative size ε^δ and 1/log(1/ε); a germ is shown as suspect when it
is off by more than a sixth, which tells λ from 2λ and from λ/2 and no more than that. Volumes below 10⁻⁵ are not seen.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sympy
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ddtheory.exact.numbers.parse import parse_expression
from reference import ReferenceGerm, germs

HALF_WIDTH = 0.4
FEWEST = 400  # points below the smallest ε: a relative error of 5 %
LARGEST_VOLUME = 0.02

Values = NDArray[np.float64]


def divergence(germ: ReferenceGerm) -> Callable[..., Values]:
    """K as a function of the coordinates."""
    symbols = [sympy.Symbol(name, real=True) for name in germ.variables]
    texts = [germ.divergence] if germ.divergence else list(germ.generators)
    parts = sympy.lambdify(symbols, [parse_expression(text) for text in texts], "numpy", cse=True)
    if germ.divergence:
        return lambda *point: parts(*point)[0]
    return lambda *point: sum(part**2 for part in parts(*point))


def draw(germ: ReferenceGerm, count: int, generator: np.random.Generator) -> list[Values]:
    """Coordinates of points from ∏|w − w_0|^h on the box."""
    point = []
    for name in germ.variables:
        size = HALF_WIDTH * generator.random(count) ** (1 / (1 + float(germ.prior.get(name, 0))))
        sign = 1.0 if name in germ.nonnegative else generator.choice((-1.0, 1.0), count)
        point.append(float(germ.at.get(name, 0)) + sign * size)
    return point


def smallest_values(germ: ReferenceGerm, samples: int, seed: int = 0) -> Values:
    """The smallest values of K, sorted."""
    generator, evaluate = np.random.default_rng(seed), divergence(germ)
    keep, chunk, kept = int(LARGEST_VOLUME * samples), 200_000, np.empty(0)
    for _ in range(-(-samples // chunk)):
        kept = np.concatenate([kept, evaluate(*draw(germ, chunk, generator))])
        if len(kept) > 2 * keep:
            kept = np.partition(kept, keep)[:keep]
    return np.sort(kept)[:keep]


def estimate(germ: ReferenceGerm, samples: int) -> float:
    """λ by least squares at the tabulated m."""
    values = smallest_values(germ, samples)
    ranks = np.unique(np.geomspace(FEWEST, len(values) - 1, 25).astype(int))
    epsilon, volume = values[ranks], ranks / samples
    best = (math.inf, math.nan)
    for offset in (0.0, 0.5, 1.0, 2.0, 4.0) if germ.m > 1 else (1.0,):
        rest = np.log(volume) - (germ.m - 1) * np.log(np.maximum(np.log(1 / epsilon), 1e-9) + offset)
        design = np.stack([np.log(epsilon), np.ones_like(epsilon)], axis=1)
        solution = np.linalg.lstsq(design, rest, rcond=None)[0]
        best = min(best, (float(((design @ solution - rest) ** 2).sum()), float(solution[0])))
    return best[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only germs whose name contains one of these")
    parser.add_argument("--samples", type=int, default=4_000_000)
    parser.add_argument("--alone", action="store_true", help="only germs without a complex threshold to compare")
    chosen = parser.parse_args()
    for germ in germs():
        if chosen.words and not any(word in str(germ) for word in chosen.words):
            continue
        if chosen.alone and germ.complex_threshold == 2 * germ.lam:
            continue
        found = estimate(germ, chosen.samples)
        mark = "suspect" if abs(found / float(germ.lam) - 1) > 1 / 6 else "       "
        print(f"{mark} {found:7.3f} for {germ.lam!s:>5} (m = {germ.m})  {germ}", flush=True)


if __name__ == "__main__":
    main()
