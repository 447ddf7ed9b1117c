"""`check_estimator`: does this estimator of the local learning coefficient work?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from fractions import Fraction
from pathlib import Path

from ddtheory.errors import InvalidValueError
from ddtheory.testing.conformance.cells import GroundTruth, conformance_cells
from ddtheory.testing.conformance.judging import judge
from ddtheory.testing.conformance.report import ConformanceReport
from ddtheory.testing.conformance.sweep import label, sweep
from ddtheory.testing.conformance.task import EstimationTask, Estimator

N = 4000
BETA = Fraction(579, 4000)
"""nβ = 579, the temperature at which devinterp tests its own sampler; 1/log n is 0.1206 at this n."""


def check_estimator(
    estimator: Estimator,
    cells: Iterable[GroundTruth] | None = None,
    budget: int = 200_000,
    *,
    seeds: Sequence[int] = (0,),
    n: int = N,
    beta: Fraction | int | float | str = BETA,
    tolerance: float = 0.01,
    time_limit: float | None = 300.0,
    jobs: int | None = None,
    executor: Executor | None = None,
    keep: Path | str | None = None,
    progress: bool = True,
    name: str | None = None,
) -> ConformanceReport:
    r"""Runs an estimator on cells whose exact answer is known, and says on which it agrees.

    The exact answer is λ(nβ) = nβ E[K] under the local posterior at (n, β), which is what samplers estimate: on (xy)²
    at nβ = 579 it is 0.380, while λ = ½. Verdicts: `agrees`, `biased`, `too wide`, `failed`; see `judge`.

    Args:
        estimator: a callable that takes an `EstimationTask` and returns an `Estimate`, a pair (value, standard error)
            or `LossSamples`. Whatever it raises makes its cell `failed`, and the others go on.
        cells: what to check on, `conformance_cells()` when omitted.
        budget: forward–backward passes for each seed on each cell; one more is a failure.
        seeds: each cell is estimated once for each.
        n, beta: only nβ counts; both are told to the estimator.
        tolerance: bias, relative to the exact value, that is not held against it.
        time_limit: seconds for each seed on each cell.
        jobs, executor, keep: see `sweep`.
        progress: shows a bar on standard error, when that is a terminal.
        name: of the estimator, in the report.

    Raises:
        InvalidValueError: no cells, no seeds, two cells of one name, or settings that mean nothing.

    >>> from ddtheory.testing.conformance import quadrature
    >>> report = check_estimator(quadrature, conformance_cells()[:9:6], budget=10**6, jobs=1)
    >>> [(result.cell, result.verdict.value, round(result.estimate.value, 4)) for result in report.results]
    [('x²', 'agrees', 0.5), ('(xy)²', 'agrees', 0.3799)]
    """
    chosen = tuple(conformance_cells() if cells is None else cells)
    if not chosen or not seeds:
        raise InvalidValueError("There is nothing to check: give at least one cell and one seed.")
    if not 0 <= tolerance < 0.1:
        raise InvalidValueError(
            f"tolerance = {tolerance} is a share of the exact value from 0 to below 0.1; rivals are a quarter away."
        )
    names = [cell.name for cell in chosen]
    if len(set(names)) != len(names):
        raise InvalidValueError(f"Cells need distinct names, got {', '.join(names)}.")
    rational = Fraction(beta)
    tasks = [EstimationTask(cell.name, cell.posterior, n, rational, seed, budget) for cell in chosen for seed in seeds]
    # before hours of sampling: a cell without a target at this nβ is an error of the check, not of the estimator
    targets = [(cell.target(n * rational), cell.rivals(n * rational)) for cell in chosen]
    from ddtheory.verify.progress import progress as progress_bar

    with progress_bar("estimating", len(tasks), shown=progress) as advance:
        done = sweep(
            estimator,
            tasks,
            jobs=jobs,
            executor=executor,
            keep=keep,
            time_limit=time_limit,
            name=name,
            on_result=lambda result: advance(f"{result.cell} {result.error}"),
        )
    results = tuple(
        judge(
            cell.name,
            cell.rlct,
            target,
            rivals,
            done.results[index * len(seeds) : (index + 1) * len(seeds)],
            tolerance,
        )
        for index, (cell, (target, rivals)) in enumerate(zip(chosen, targets, strict=True))
    )
    return ConformanceReport(
        name or label(estimator), n, rational, budget, tuple(seeds), tolerance, results, done.seconds, done.where
    )
