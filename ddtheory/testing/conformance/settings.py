"""Which settings of an estimator agree with the exact values, at what cost, and what its estimates move with."""

from __future__ import annotations

import hashlib
import html
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from ddtheory.arguments import as_float, list_of, pairs_of, path_of
from ddtheory.errors import InvalidValueError, OutputError, shown
from ddtheory.shown import Shown, in_words
from ddtheory.tabled import Tabled
from ddtheory.testing.conformance.cells import GroundTruth
from ddtheory.testing.conformance.check import check_estimator
from ddtheory.testing.conformance.judging import CellResult
from ddtheory.testing.conformance.report import ConformanceReport
from ddtheory.testing.conformance.task import Estimator, Z
from ddtheory.visible import one_line, visible

if TYPE_CHECKING:
    from ddtheory.cells import Cell

_MOST = 1_000  # settings

_CAUSES = (
    (
        r"step|lr\b|learning_?rate|epsilon|^eps",
        "a finite step: on a quadratic discrete Langevin is 1/(1 − εa/4) too large with a = nβh + γ, and beyond "
        "ε = 4/a it diverges; lower the step until the value stays (langevin_target has the bias exactly)",
    ),
    (
        r"gamma|locali[sz]ation",
        "the pin is part of the posterior: an estimate at another γ is of another number (finite_n_sweep has it "
        "exactly); a pin that the task does not name is a bias",
    ),
    (
        r"batch|noise",
        "noise of the gradient: it adds ε (nβ)² σ²/4 to the temperature of a chain; take larger batches or a smaller "
        "step (langevin_target, gradient_noise)",
    ),
    (
        r"burn|draws|length|num_steps|chain|budget",
        "chains that have not forgotten their start, w*, where K is 0: estimates from short chains are too small; take "
        "longer chains or more burn-in",
    ),
)


class Closeness(StrEnum):
    """How an estimate stands to the band around the exact value."""

    WITHIN = "within"  # the whole interval of the estimate lies in the band
    OUTSIDE = "outside"  # none of it does
    UNDECIDED = "undecided"  # it is too wide to tell
    FAILED = "failed"  # there is no estimate


@dataclass(frozen=True, repr=False)
class SettingResult(Shown):
    """One setting on all cells.

    Attributes:
        setting: the hyper-parameters.
        report: what `check_estimator` says.
        closeness: cell → how the estimate stands to the band.
    """

    setting: Mapping[str, Any]
    report: ConformanceReport
    closeness: Mapping[str, Closeness]

    def __str__(self) -> str:
        return f"{_label(self.setting)}: {self._counted()}"

    def rows(self) -> Mapping[str, str]:
        return {"setting": _label(self.setting), "band": self._counted(), "passes": f"{self.passes:,}"}

    def latex(self) -> str:
        return in_words(self._counted())

    @property
    def passes(self) -> int:
        return self.report.passes

    @property
    def agrees(self) -> bool:
        """Whether the estimate is within the band on every cell."""
        return all(one is Closeness.WITHIN for one in self.closeness.values())

    def _counted(self) -> str:
        found = {kind.value: sum(one is kind for one in self.closeness.values()) for kind in Closeness}
        return ", ".join(f"{count} {kind}" for kind, count in found.items() if count)


@dataclass(frozen=True, repr=False)
class SettingsReport(Tabled):
    """All settings, those that agree first and the cheapest of them at the top.

    Attributes:
        within: half width of the band, relative to the exact value.
        results: one for each setting.
        moves: hyper-parameter → in which way the estimates move with it, and the likely cause; empty where they stay.
    """

    within: float
    results: tuple[SettingResult, ...]
    moves: Mapping[str, str]

    def __str__(self) -> str:
        agreeing = [one for one in self.results if one.agrees]
        best = f"; the cheapest is {_label(agreeing[0].setting)}, {agreeing[0].passes:,} passes" if agreeing else ""
        return f"{len(agreeing)} of {len(self.results)} settings agree within {self.within:.0%}{best}"

    def rows(self) -> Mapping[str, str]:
        table = {_label(one.setting): f"{one._counted()}; {one.passes:,} passes" for one in self.results}
        return {**table, **{f"moves with {name}": text for name, text in self.moves.items()}}

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a setting and cell; columns "setting.NAME" are the hyper-parameters."""
        runs = [(one, result) for one in self.results for result in one.report.results]
        names = dict.fromkeys(name for one in self.results for name in one.setting)
        estimates = [result.estimate for _, result in runs]
        return {
            **{f"setting.{name}": [one.setting.get(name) for one, _ in runs] for name in names},
            "cell": [result.cell for _, result in runs],
            "target": [result.target for _, result in runs],
            "estimate": [None if estimate is None else estimate.value for estimate in estimates],
            "standard_error": [None if estimate is None else estimate.standard_error for estimate in estimates],
            "band": [one.closeness[result.cell].value for one, result in runs],
            "passes": [result.passes for _, result in runs],
        }

    def latex(self) -> str:
        return in_words(str(self))

    def _repr_html_(self) -> str:
        cells = [(_label(one.setting), one._counted(), f"{one.passes:,}") for one in self.results]
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for text in row)}</tr>" for row in cells)
        moved = "".join(f"<p>{html.escape(visible(f'{name}: {text}'))}</p>" for name, text in self.moves.items())
        return f"<table><tr><th>setting</th><th>band</th><th>passes</th></tr>{body}</table>{moved}"

    def explain(self) -> str:
        """The table as text, and what the estimates move with."""
        width = max(len(_label(one.setting)) for one in self.results)
        lines = [
            f"{_label(one.setting).ljust(width)}  {one.passes:>12,} passes  {one._counted()}" for one in self.results
        ]
        moved = [f"{name}: {text}" for name, text in self.moves.items()]
        return "\n".join([*lines, "", str(self), *moved])


def compare_settings(
    make: Callable[..., Estimator],
    grid: Mapping[str, Iterable[Any]],
    cells: Iterable[GroundTruth | Cell] | None = None,
    budget: int = 200_000,
    *,
    within: float = 0.05,
    keep: Path | str | None = None,
    **options: Any,
) -> SettingsReport:
    r"""Checks an estimator at every combination of hyper-parameters.

    Args:
        make: hyper-parameters by name → an estimator, such as a class of one.
        grid: hyper-parameter → the values to try.
        cells, budget, options: as for `check_estimator`.
        within: half width of the band around an exact value, relative to it; above 0 and below 1/4, where rivals are.
        keep: a folder with a file for each setting: a later comparison with the same folder goes on where the first
            was stopped.

    Raises:
        InvalidValueError: an empty grid, more than 1000 settings, a setting that `make` refuses, or whatever
            `check_estimator` refuses.
        OutputError: the folder cannot be made.

    >>> from functools import partial
    >>> from ddtheory.testing.conformance import conformance_cells, metropolis
    >>> found = compare_settings(
    ...     lambda chains: partial(metropolis, chains=chains), {"chains": [16, 64]}, conformance_cells()[:1], 200_000,
    ...     jobs=1, time_limit=None, progress=False,
    ... )
    >>> print(found.results[0].closeness)
    {'x²': <Closeness.WITHIN: 'within'>}
    """
    if not callable(make):
        raise InvalidValueError(f"make is a callable that makes an estimator, got a {type(make).__name__}.")
    if not isinstance(grid, Mapping) or not grid:
        raise InvalidValueError(f"The grid maps hyper-parameters to the values to try; got {shown(grid)}.")
    band = as_float(within, "within")
    if not 0 < band < 0.25:
        raise InvalidValueError(f"within = {band} is not between 0 and 1/4; it is a share of the exact value.")
    values = {
        str.__str__(parameter): list_of(tried, f"the values of {shown(parameter)}")
        for parameter, tried in pairs_of(grid, "The grid")
        if _is_named(parameter)
    }
    settings = [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]
    if not 0 < len(settings) <= _MOST:
        raise InvalidValueError(f"The grid has {len(settings)} settings; between 1 and {_MOST} can be compared.")
    labels = [_label(setting) for setting in settings]
    if len(set(labels)) < len(labels):
        raise InvalidValueError("The grid has the same setting twice.")
    chosen_cells = None if cells is None else list_of(cells, "cells")
    estimators = [_made(make, setting) for setting in settings]
    folder = _folder(keep)
    results = []
    for setting, label, estimator in zip(settings, labels, estimators, strict=True):
        file = None if folder is None else folder / _file_name(label)
        report = check_estimator(estimator, chosen_cells, budget, keep=file, name=label, **options)
        closeness = {result.cell: _close(result, band) for result in report.results}
        results.append(SettingResult(setting, report, closeness))
    moves = {name: text for name in values if (text := _moves(name, values[name], results))}
    return SettingsReport(band, tuple(sorted(results, key=_order)), moves)


def _is_named(parameter: object) -> bool:
    if not isinstance(parameter, str):
        raise InvalidValueError(f"A hyper-parameter of the grid is named by text, got {shown(parameter)}.")
    return True


def _order(one: SettingResult) -> tuple[int, int, int]:
    kinds = list(one.closeness.values())
    return len(kinds) - kinds.count(Closeness.WITHIN), kinds.count(Closeness.FAILED), one.passes


def _made(make: Callable[..., Estimator], setting: Mapping[str, Any]) -> Estimator:
    try:
        return make(**setting)
    except Exception as error:  # anybody's constructor raises what it likes
        raise InvalidValueError(
            f"No estimator at {_label(setting)}: {type(error).__name__}: {one_line(str(error))}"
        ) from error


def _close(result: CellResult, band: float) -> Closeness:
    if result.estimate is None:
        return Closeness.FAILED
    exact, half = float(result.target), Z * result.estimate.standard_error
    distance, allowed = abs(result.estimate.value - exact), band * exact + float(result.target.radius)
    if distance + half <= allowed:
        return Closeness.WITHIN
    return Closeness.OUTSIDE if distance - half > allowed else Closeness.UNDECIDED


def _moves(name: str, values: Sequence[Any], results: Sequence[SettingResult]) -> str:
    """How the estimates move with one hyper-parameter, the others fixed; empty where no move exceeds its error."""
    shifts: dict[tuple[str, str], list[float]] = {}
    for first, second in itertools.pairwise(values):
        for one, other in itertools.product(results, results):
            rest = {key: value for key, value in one.setting.items() if key != name}
            same = rest == {key: value for key, value in other.setting.items() if key != name}
            if not same or one.setting[name] is not first or other.setting[name] is not second:
                continue
            for before, after in zip(one.report.results, other.report.results, strict=True):
                if before.estimate is None or after.estimate is None:
                    continue
                shift = after.estimate.value - before.estimate.value
                error = Z * (before.estimate.standard_error**2 + after.estimate.standard_error**2) ** 0.5
                if abs(shift) > error:
                    shifts.setdefault((str(first), str(second)), []).append(shift / float(after.target))
    if not shifts:
        return ""
    steps = ", ".join(
        f"{median(found):+.1%} of the exact value from {first} to {second} ({len(found)} estimates)"
        for (first, second), found in shifts.items()
    )
    cause = next((text for pattern, text in _CAUSES if re.search(pattern, name, re.IGNORECASE)), "")
    return f"{steps}{'. Likely ' + cause if cause else ''}"


def _label(setting: Mapping[str, Any]) -> str:
    return one_line(", ".join(f"{name}={shown(value)}" for name, value in setting.items()))


def _file_name(label: str) -> str:
    """Readable, and of its own for each setting."""
    return f"{re.sub(r'[^A-Za-z0-9=.-]+', '_', label)[:60]}-{hashlib.sha256(label.encode()).hexdigest()[:8]}.jsonl"


def _folder(keep: Path | str | None) -> Path | None:
    if keep is None:
        return None
    folder = path_of(keep, "keep")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot use {folder}: {error.strerror or error}. Choose a folder that you may write."
        ) from error
    return folder
