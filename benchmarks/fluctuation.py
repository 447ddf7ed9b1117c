"""Digits per second: ν and λ(nβ) by ball arithmetic against plain mpmath quadrature, and against a sampler.

    python benchmarks/fluctuation.py [--json FILE]

The mpmath column integrates (ξ² − 1) log M(ξ) φ(ξ) with `mpmath.quad` and proves nothing. The sampler is random-walk
Metropolis on K = (xy)² at nβ = 579; its cost is that of the standard error which it reaches, extrapolated by 1/√N.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flint
import mpmath
import numpy

import ddtheory as dd
from ddtheory.exact.fluctuation import partition as partition_function


def seconds(call: Callable[[], Any], repeats: int) -> float:
    """The fastest of some runs; the cached bound of the variance is computed anew each time."""
    found = []
    for _ in range(repeats):
        partition_function.variance_bound.cache_clear()
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
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
    started = time.perf_counter()
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
    return float(means.mean()), float(means.std(ddof=1) / chains**0.5), time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the results there")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for k in (2, 3):
        for digits in (15, 30, 60, 200):
            ours = seconds(
                lambda k=k, digits=digits: dd.singular_fluctuation(k, digits=digits), 3 if digits < 100 else 1
            )
            theirs = seconds(lambda k=k, digits=digits: by_mpmath(k, digits), 1) if digits <= 30 else None
            rows.append({"quantity": f"nu({k})", "digits": digits, "seconds": ours, "mpmath_seconds": theirs})
    for exponents in ((2, 2), (2, 4, 6)):
        for digits in (30, 200):
            ours = seconds(lambda e=exponents, d=digits: dd.finite_n(e, 579, digits=d), 3)
            rows.append(
                {"quantity": f"lambda(579), {exponents}", "digits": digits, "seconds": ours, "mpmath_seconds": None}
            )
    ours = seconds(lambda: dd.finite_n((2, 2), 579, variance=1), 3)
    rows.append({"quantity": "lambda(579), (2, 2), Gaussian", "digits": 30, "seconds": ours, "mpmath_seconds": None})
    for row in rows:
        other = "" if row["mpmath_seconds"] is None else f"   mpmath {row['mpmath_seconds']:8.3f} s"
        rate = row["digits"] / row["seconds"]
        print(f"{row['quantity']:32} {row['digits']:4} digits {row['seconds']:9.4f} s {rate:10.0f} digits/s{other}")
    exact = float(dd.finite_n((2, 2), 579).learning_coefficient)
    estimate, error, cost = sampler(20_000)
    needed = cost * (error / 1e-6) ** 2
    print(
        f"sampler on (xy)^2: {estimate:.4f} ± {error:.4f} in {cost:.1f} s (exact {exact:.6f}); "
        f"an error of 1e-6 would take {needed:.2g} s"
    )
    if arguments.json:
        document = {
            "environment": {
                "python": platform.python_version(),
                "machine": platform.machine(),
                "python-flint": flint.__version__,
                "mpmath": mpmath.__version__,
            },
            "rows": rows,
            "sampler": {"estimate": estimate, "standard_error": error, "seconds": cost, "exact": exact},
        }
        temporary = arguments.json.with_suffix(".tmp")
        temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        temporary.replace(arguments.json)


if __name__ == "__main__":
    main()
