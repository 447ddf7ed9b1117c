"""Processor seconds of digits: ν and λ(nβ) by ball arithmetic against plain mpmath quadrature, and against a sampler.

    python benchmarks/fluctuation.py

The mpmath column integrates (ξ² − 1) log M(ξ) φ(ξ) with `mpmath.quad` and proves nothing. The sampler is random-walk
Metropolis on K = (xy)² at nβ = 579; its cost is that of the standard error which it reaches, extrapolated by 1/√N.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import mpmath
import numpy
from environment import version
from harness import options, save

import ddtheory as dd
from ddtheory.exact.fluctuation import partition as partition_function

Row = dict[str, Any]


def seconds(call: Callable[[], Any], repeats: int) -> float:
    """The fastest of some runs; the cached bound of the variance is computed anew each time."""
    found = []
    for _ in range(repeats):
        partition_function.variance_bound.cache_clear()
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    return min(found)


def partition(k: int, a: mpmath.mpf, xi: mpmath.mpf) -> mpmath.mpf:
    """M(ξ), up to a constant."""
    if k % 2:
        return mpmath.hyp1f1(a / 2, 0.5, xi**2 / 2)
    return mpmath.exp(xi**2 / 4) * mpmath.pcfd(-a, -xi)


def by_mpmath(k: int, digits: int) -> mpmath.mpf:
    """ν(k) by mpmath alone."""
    with mpmath.workdps(digits + 10):
        a, end = mpmath.mpf(1) / k, mpmath.sqrt(2 * digits * mpmath.log(10)) + 2

        def integrand(xi: mpmath.mpf) -> mpmath.mpf:
            value = partition(k, a, xi)
            return (xi**2 - 1) * mpmath.log(value) * mpmath.npdf(xi)

        return mpmath.quad(integrand, mpmath.linspace(-end, end, 9)) / 2


def sampler(steps: int, seed: int = 0) -> tuple[float, float, float]:
    """(estimate of λ(579), its standard error over 64 chains, seconds) for (xy)² on the box."""
    generator = numpy.random.default_rng(seed)
    chains, t = 64, 579.0
    started = time.process_time()
    w = generator.uniform(-1, 1, (chains, 2))
    k = (w[:, 0] * w[:, 1]) ** 2
    total = numpy.zeros(chains)
    for step in range(steps):
        proposal = w + generator.normal(0, 0.3, (chains, 2))
        new = (proposal[:, 0] * proposal[:, 1]) ** 2
        inside = (abs(proposal) <= 1).all(axis=1)
        accept = inside & (generator.random(chains) < numpy.exp(numpy.minimum(t * (k - new), 0)))
        w[accept], k[accept] = proposal[accept], new[accept]
        if step >= steps // 10:
            total += t * k
    means = total / (steps - steps // 10)
    return float(means.mean()), float(means.std(ddof=1) / chains**0.5), time.process_time() - started


def row(quantity: str, digits: int, compute: Callable[[], Any], repeats: int, theirs: float | None = None) -> Row:
    found = {"quantity": quantity, "digits": digits, "seconds": seconds(compute, repeats), "mpmath_seconds": theirs}
    print(*found.values(), sep="  ", flush=True)
    return found


def rows(most: int) -> Iterator[Row]:
    """Of each quantity with digits up to `most`."""
    for k in (2, 3):
        for digits in (each for each in (15, 30, 60, 200) if each <= most):
            theirs = seconds(partial(by_mpmath, k, digits), 1) if digits <= 30 else None
            ours = partial(dd.singular_fluctuation, k, digits=digits)
            yield row(f"ν({k})", digits, ours, 3 if digits < 100 else 1, theirs)
    for exponents in ((2, 2), (2, 4, 6)):
        for digits in (each for each in (30, 200) if each <= most):
            yield row(f"λ(579), {exponents}", digits, partial(dd.finite_n, exponents, 579, digits=digits), 3)
    yield row("λ(579), (2, 2), Gaussian", 30, partial(dd.finite_n, (2, 2), 579, variance=1), 3)


def main() -> None:
    chosen = options((__doc__ or "").splitlines()[0], "fluctuation").parse_args()
    found = list(rows(30 if chosen.quick else 200))
    exact = float(dd.finite_n((2, 2), 579).learning_coefficient)
    estimate, error, cost = sampler(20_000)
    sampled = {"estimate": estimate, "standard_error": error, "seconds": cost, "exact": exact}
    versions = {name: version(name) for name in ("python-flint", "mpmath")}
    save(chosen, found, versions=versions, sampler=sampled)


if __name__ == "__main__":
    main()
