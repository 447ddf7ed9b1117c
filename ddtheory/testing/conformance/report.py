"""What `check_estimator` returns: the verdicts, and their renderings as text, picture and JSON."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddtheory.arguments import path_of
from ddtheory.extras import need
from ddtheory.tabled import Tabled
from ddtheory.testing.conformance.document import SCHEMA, cell_document
from ddtheory.testing.conformance.judging import WORST_FIRST, CellResult
from ddtheory.testing.conformance.task import Z
from ddtheory.testing.conformance.task_result import TaskResult
from ddtheory.verify import output
from ddtheory.verify.environment import versions
from ddtheory.visible import one_line, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from xarray import Dataset


@dataclass(frozen=True, repr=False)
class ConformanceReport(Tabled):
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

    def __str__(self) -> str:
        return f"{one_line(self.estimator)}: {self._counted()}"

    def _repr_html_(self) -> str:
        from ddtheory.testing.conformance.table import as_html

        return as_html(self.results, self.n_beta, self._closing())

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a cell; None where a seed failed."""
        found = self.results
        estimates = [result.estimate for result in found]
        return {
            "cell": [result.cell for result in found],
            "lambda": [result.rlct.lam for result in found],
            "multiplicity": [result.rlct.m for result in found],
            "target": [result.target for result in found],
            "estimate": [None if estimate is None else estimate.value for estimate in estimates],
            "standard_error": [None if estimate is None else estimate.standard_error for estimate in estimates],
            "verdict": [result.verdict.value for result in found],
            "reason": [result.reason for result in found],
            "passes": [result.passes for result in found],
        }

    def to_xarray(self) -> Dataset:
        """Estimates, their errors and seconds by cell and seed, NaN where one failed, beside the exact target.

        Raises:
            MissingExtraError: xarray is not installed.
        """
        need("xarray", "to_xarray()")
        from xarray import Dataset

        def table(number: Callable[[TaskResult], float]) -> tuple[tuple[str, str], list[list[float]]]:
            return ("cell", "seed"), [[number(run) for run in result.runs] for result in self.results]

        return Dataset(
            {
                "estimate": table(lambda run: math.nan if run.estimate is None else run.estimate.value),
                "standard_error": table(lambda run: math.nan if run.estimate is None else run.estimate.standard_error),
                "seconds": table(lambda run: run.seconds),
                "target": ("cell", [float(result.target) for result in self.results]),
            },
            {"cell": [result.cell for result in self.results], "seed": list(self.seeds)},
            {"estimator": self.estimator, "n": self.n, "beta": str(self.beta), "budget": self.budget},
        )

    def to_latex(self) -> str:
        return self.latex()

    def latex(self) -> str:
        """The table as a LaTeX `tabular`."""
        from ddtheory.testing.conformance.table import as_latex

        return as_latex(self.results, self.n_beta)

    def _repr_latex_(self) -> str:
        return self.latex()  # a table is no formula

    @property
    def n_beta(self) -> float:
        return float(self.n * self.beta)

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

    def __iter__(self) -> Iterator[str]:
        """The names of the cells."""
        return iter([result.cell for result in self.results])

    def __len__(self) -> int:
        return len(self.results)

    def explain(self) -> str:
        """The table as text, worst first."""
        from ddtheory.testing.conformance.table import as_text

        return as_text(self.results, self.n_beta, self._closing())

    def _counted(self) -> str:
        return ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items())

    def _closing(self) -> str:
        cost = f"{self.passes:,} passes · {self.seconds:.1f} s on {self.where}"
        return f"{one_line(self.estimator)}: {self._counted()} · {cost}"

    def assert_agrees(self) -> None:
        """For a test: nothing when every cell agrees, else the table.

        Raises:
            AssertionError: a cell does not agree.
        """
        if not self.passed:
            raise AssertionError(self.explain())

    def picture(self) -> Figure:
        """Each interval over its exact value, with the rivals that it has to exclude; a matplotlib figure."""
        need("matplotlib", "The picture of a report")
        from ddtheory.testing.conformance.picture import picture

        return picture(self.results, self.n_beta, self.estimator)

    def document(self) -> dict[str, Any]:
        """The report as plain data; exact values are strings.

        Results carry no times, so that two runs of a deterministic estimator differ only under "run".
        """
        return {
            "schema": SCHEMA,
            "estimator": self.estimator,
            "settings": {
                "n": self.n,
                "beta": str(self.beta),
                "budget": self.budget,
                "seeds": list(self.seeds),
                "tolerance": self.tolerance,
                "standard_errors": Z,
            },
            "summary": {"cells": len(self.results), "verdicts": self.counts, "passed": self.passed},
            "cells": [cell_document(result) for result in self.results],
            "run": {
                "seconds": round(self.seconds, 3),
                "where": self.where,
                "platform": platform.platform(),
                "versions": versions(),
            },
        }

    def to_json(self) -> str:
        """The report as JSON with sorted keys; the schema is `conformance.schema.json` beside `document.py`."""
        document = json.dumps(self.document(), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return visible(document) + "\n"

    def write(self, path: Path | str) -> None:
        """Writes the JSON, whole or not at all.

        Raises:
            OutputError: it cannot be written there.
        """
        output.write_file(path_of(path, "The file"), self.to_json())
