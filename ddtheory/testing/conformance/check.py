"""`check_estimator`: does this estimator of the local learning coefficient work?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ddtheory.errors import InvalidValueError
from ddtheory.testing.conformance.cells import GroundTruth, conformance_cells
from ddtheory.testing.conformance.judging import CellResult, ConformanceVerdict, judge
from ddtheory.testing.conformance.sweep import label, sweep
from ddtheory.testing.conformance.task import EstimationTask, Estimator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N = 4000
BETA = Fraction(579, 4000)
"""nβ = 579, the temperature at which devinterp tests its own sampler; 1/log n is 0.1206 at this n."""

WORST_FIRST = (
    ConformanceVerdict.FAILED,
    ConformanceVerdict.BIASED,
    ConformanceVerdict.TOO_WIDE,
    ConformanceVerdict.AGREES,
)


@dataclass(frozen=True)
class ConformanceReport:
    """All cells of a check, in the order in which they were given.

    Attributes:
        estimator: its name.
        n, beta, budget, seeds, tolerance: the settings of the check; the budget is that of one seed on one cell.
        where: "this process", "2 processes" or the class of the executor.
    """

    estimator: str
    n: int
    beta: Fraction
    budget: int
    seeds: tuple[int, ...]
    tolerance: float
    results: tuple[CellResult, ...]
    seconds: float
    where: str

    @property
    def passed(self) -> bool:
        """Whether every cell agrees. A wide interval is no pass."""
        return all(result.agrees for result in self.results)

    @property
    def counts(self) -> dict[str, int]:
        """How many cells got each verdict, worst first, without those that none got."""
        found = {verdict.value: sum(r.verdict is verdict for r in self.results) for verdict in WORST_FIRST}
        return {verdict: count for verdict, count in found.items() if count}

    @property
    def passes(self) -> int:
        """Forward–backward passes over all cells and seeds."""
        return sum(result.passes for result in self.results)

    def __getitem__(self, cell: str) -> CellResult:
        """The result on one cell.

        Raises:
            KeyError: no cell of that name was checked.
        """
        for result in self.results:
            if result.cell == cell:
                return result
        raise KeyError(f"{cell!r} was not checked; checked: {', '.join(result.cell for result in self.results)}")

    def explain(self) -> str:
        """The table as text, worst first."""
        from ddtheory.testing.conformance.table import as_text

        return as_text(self)

    def assert_agrees(self) -> None:
        """For a test: nothing when every cell agrees, else the table.

        Raises:
            AssertionError: a cell does not agree.
        """
        if not self.passed:
            raise AssertionError(self.explain())

    def picture(self) -> Figure:
        """Each interval over its exact value, with the rivals that it has to exclude; a matplotlib figure."""
        from ddtheory.testing.conformance.picture import picture

        return picture(self)

    def to_json(self) -> str:
        """The report as JSON; the schema is `conformance.schema.json` beside `document.py`."""
        from ddtheory.testing.conformance.document import to_json

        return to_json(self)

    def write(self, path: Path | str) -> None:
        """Writes the JSON, whole or not at all.

        Raises:
            OutputError: it cannot be written there.
        """
        from ddtheory.verify import output

        target = Path(path)
        output.prepare(target.parent, [target.name])
        output.write(target.parent, {target.name: self.to_json()})


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
    from ddtheory.testing.conformance.table import progress_bar

    with progress_bar(len(tasks), shown=progress) as advance:
        done = sweep(
            estimator,
            tasks,
            jobs=jobs,
            executor=executor,
            keep=keep,
            time_limit=time_limit,
            name=name,
            on_outcome=advance,
        )
    results = tuple(
        judge(
            cell.name,
            cell.rlct,
            target,
            rivals,
            done.outcomes[index * len(seeds) : (index + 1) * len(seeds)],
            tolerance,
        )
        for index, (cell, (target, rivals)) in enumerate(zip(chosen, targets, strict=True))
    )
    return ConformanceReport(
        name or label(estimator), n, rational, budget, tuple(seeds), tolerance, results, done.seconds, done.where
    )
