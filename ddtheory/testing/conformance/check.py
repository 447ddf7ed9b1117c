"""`check_estimator`: does this estimator of the local learning coefficient work?"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ddtheory.arguments import as_float, list_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.testing.conformance.catalogue_cells import ground_truths
from ddtheory.testing.conformance.cells import GroundTruth, conformance_cells
from ddtheory.testing.conformance.identity import label
from ddtheory.testing.conformance.judging import judge
from ddtheory.testing.conformance.report import ConformanceReport
from ddtheory.testing.conformance.sweep import sweep
from ddtheory.testing.conformance.task import EstimationTask, Estimator
from ddtheory.testing.conformance.task_result import TaskResult
from ddtheory.testing.ranges import check_rational, check_truth, check_whole
from ddtheory.values import Enclosure
from ddtheory.visible import one_line

if TYPE_CHECKING:
    from ddtheory.cells import Cell

_LOG = logging.getLogger(__name__)

N = 4000
BETA = Fraction(579, 4000)
"""nβ = 579, the temperature at which devinterp tests its own sampler; 1/log n is 0.1206 at this n."""


def check_estimator(
    estimator: Estimator,
    cells: Iterable[GroundTruth | Cell] | None = None,
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
    version: str | None = None,
) -> ConformanceReport:
    r"""Runs an estimator on cells whose exact answer is known, and says on which it agrees.

    The exact answer is λ(nβ) = nβ E[K] under the local posterior at (n, β), which is what samplers estimate: on (xy)²
    at nβ = 579 it is 0.380, while λ = ½. Verdicts: `agrees`, `biased`, `too wide`, `failed`; see `judge`.

    Args:
        estimator: a callable that takes an `EstimationTask` and returns an `Estimate`, a pair (value, standard error)
            or `LossSamples`. Whatever it raises makes its cell `failed`, and the others go on.
        cells: what to check on, `conformance_cells()` when omitted; cells of `ddtheory.cells` are made into ground
            truth by `from_cell`.
        budget: forward–backward passes for each seed on each cell; one more is a failure.
        seeds: each cell is estimated once for each.
        n, beta: only nβ counts; both are told to the estimator.
        tolerance: bias, relative to the exact value, that is not held against it.
        time_limit: seconds for each seed on each cell. It holds whatever the estimator does, because each runs in a
            process of its own; None with `jobs=1` runs it in this one, for a debugger.
        jobs, executor, keep, version: see `sweep`.
        progress: shows bars on standard error, when that is a terminal.
        name: of the estimator, in the report.

    Raises:
        InvalidValueError: no cells, no seeds, two cells of one name, a cell without an exact value, or settings that
            mean nothing.

    >>> from ddtheory.testing.conformance import quadrature
    >>> report = check_estimator(quadrature, conformance_cells()[:9:6], budget=10**6, jobs=1)
    >>> [(result.cell, result.verdict.value, round(result.estimate.value, 4)) for result in report.results]
    [('x²', 'agrees', 0.5), ('(xy)²', 'agrees', 0.3799)]
    """
    if not callable(estimator):
        raise InvalidValueError(f"An estimator is a callable that takes a task, got a {type(estimator).__name__}.")
    if name is not None and not isinstance(name, str):
        raise InvalidValueError(f"The name of the estimator is {shown(name)}; give text, or leave it out.")
    name = None if name is None else str.__str__(name)
    chosen = conformance_cells() if cells is None else ground_truths(cells)
    if isinstance(seeds, str | bytes) or not isinstance(seeds, Iterable):
        raise InvalidValueError(f"seeds is a list of whole numbers, such as range(3); got a {type(seeds).__name__}.")
    seeds = tuple(check_whole("a seed", seed, least=0) for seed in list_of(seeds, "seeds"))
    if not chosen or not seeds:
        raise InvalidValueError("There is nothing to check: give at least one cell and one seed.")
    if len(set(seeds)) != len(seeds):
        raise InvalidValueError("Seeds are distinct, and one was given twice: that is no second estimate.")
    tolerance = as_float(tolerance, "tolerance")
    if not 0 <= tolerance < 0.1:
        raise InvalidValueError(
            f"tolerance = {tolerance} is not from 0 to below 0.1; it is a share of the exact value, and rivals are a "
            "quarter away."
        )
    progress = check_truth("progress", progress)
    n, budget = check_whole("n", n, least=1), check_whole("budget", budget, least=1)
    names = [cell.name for cell in chosen]
    if len(set(names)) != len(names):
        raise InvalidValueError(f"Cells need distinct names, got {', '.join(names)}.")
    rational = check_rational("beta", beta)
    tasks = [EstimationTask(cell.name, cell.posterior, n, rational, seed, budget) for cell in chosen for seed in seeds]
    # before hours of sampling: a cell without a target at this nβ is an error of the check, not of the estimator
    from ddtheory.verify.progress import progress as progress_bar

    targets: list[tuple[Enclosure, Mapping[str, float]]] = []
    with progress_bar("deriving exact values", len(chosen), shown=progress) as advance:
        for cell in chosen:
            targets.append((cell.target(n * rational), cell.rivals(n * rational)))
            advance(one_line(cell.name))

    def told(result: TaskResult) -> None:
        _LOG.log(logging.WARNING if result.estimate is None else logging.INFO, "%s", one_line(repr(result)))
        advance(f"{one_line(result.cell)} {result.error}")

    with progress_bar("estimating", len(tasks), shown=progress) as advance:
        done = sweep(
            estimator,
            tasks,
            jobs=jobs,
            executor=executor,
            keep=keep,
            time_limit=time_limit,
            version=version,
            on_result=told,
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
        str.__str__(name) if name else label(estimator),
        n,
        rational,
        budget,
        seeds,
        tolerance,
        results,
        done.seconds,
        done.where,
    )
