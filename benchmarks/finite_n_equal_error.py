"""λ(nβ) at equal error: proven quadrature, vegas, `finite_n_estimate` and a Metropolis chain, in processor seconds.

    pip install vegas
    python benchmarks/finite_n_equal_error.py

Quadrature is asked for the digits and takes what it takes. The three others are run at a fixed cost, and the cost at
which their standard error would be that share of λ is extrapolated from it, as cost × (error/wanted)². The last number
of each is how many of its own standard errors it is off the proven value: where that is far above 3, its error says
less than it seems to, and so does the extrapolated cost. Without vegas its column is left out, and the script says so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from fractions import Fraction
from importlib.util import find_spec

import numpy
import sympy
from environment import version
from harness import options, save

import ddtheory as dd
from ddtheory.exact.thresholds.expressions import squares_of
from ddtheory.testing.conformance import EstimationTask, PolynomialPosterior, finite_n_estimate, metropolis
from ddtheory.testing.conformance.task import read_answer

CASES = [("x^2*y^2", 579), ("x^2*y^2", 10**6), ("(x-y^2)^2+y^6", 579), ("(x-y^2)^2+y^6", 10**6), ("x^2*y^2*z^2", 579)]
PASSES = 400_000

Answer = tuple[float, float]
"""(value, standard error)"""


def by_vegas(germ: str, t: int) -> Answer:
    import gvar
    import vegas

    symbols = sorted(dd.parse_expression(germ).free_symbols, key=str)
    k = sympy.lambdify(symbols, dd.parse_expression(germ), "numpy")

    @vegas.lbatchintegrand
    def integrand(points: numpy.ndarray) -> numpy.ndarray:
        value = k(*points.T)
        density = numpy.exp(-t * value)
        return numpy.stack([density, t * value * density], axis=1)

    integrator = vegas.Integrator([[-1, 1]] * len(symbols))
    gvar.ranseed(1)
    integrator(integrand, nitn=5, neval=PASSES // 20)  # to adapt, and dropped
    found = integrator(integrand, nitn=10, neval=PASSES // 13)
    ratio = found[1] / found[0]
    return float(ratio.mean), float(ratio.sdev)


def by_estimate(germ: str, t: int) -> Answer:
    found = finite_n_estimate(germ, t, within="1/50").learning_coefficient
    return found.estimate, found.width / 2 / 4.07


def by_metropolis(germ: str, t: int) -> Answer:
    symbols = sorted(dd.parse_expression(germ).free_symbols, key=str)
    terms = tuple(
        tuple((float(c) ** 0.5 * float(a), powers) for powers, a in sympy.Poly(f, *symbols).terms())
        for c, f in squares_of(dd.parse_expression(germ)) or ()
    )
    size = len(symbols)
    posterior = PolynomialPosterior(terms, (0.0,) * size, (-1.0,) * size, (1.0,) * size)
    task = EstimationTask(germ, posterior, t, Fraction(1), 0, PASSES)
    found = read_answer(metropolis(task), task.n_beta)
    return found.value, found.standard_error


def measured(compute: Callable[[str, int], Answer], germ: str, t: int, exact: float, share: float) -> dict[str, float]:
    start = time.process_time()
    value, error = compute(germ, t)
    spent = time.process_time() - start
    return {"seconds": spent * (error / (share * exact)) ** 2, "off": abs(value - exact) / error}


def main() -> None:
    parser = options((__doc__ or "").splitlines()[0], "finite_n_equal_error")
    parser.add_argument("--share", type=float, default=1e-3, help="of λ, the standard error that is wanted")
    chosen = parser.parse_args()
    others: dict[str, Callable[[str, int], Answer]] = {"estimate": by_estimate, "Metropolis": by_metropolis}
    skipped = []
    if find_spec("vegas") is None:
        skipped = ["vegas is not installed, so its column is left out: pip install vegas."]
        print(*skipped, file=sys.stderr)
    else:
        others = {f"vegas {version('vegas')}": by_vegas} | others
    dd.finite_n_germ("x^2", 10)  # imports are not timed
    digits = max(1, round(-numpy.log10(chosen.share)))
    rows = []
    for germ, t in CASES[:1] if chosen.quick else CASES:
        start = time.process_time()
        exact = float(dd.finite_n_germ(germ, t, digits=digits, seconds=600).learning_coefficient)
        spent = time.process_time() - start
        found = {name: measured(compute, germ, t, exact, chosen.share) for name, compute in others.items()}
        rows.append({"germ": germ, "n_beta": t, "exact": exact, "proven": spent, "others": found})
        print(germ, t, f"{exact:.4f} {spent:.2g}", found, flush=True)
    save(chosen, rows, skipped=skipped)


if __name__ == "__main__":
    main()
