"""What `check_equivariance` returns: a verdict for each gauge, and its renderings."""

from __future__ import annotations

import html
import io
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ddtheory.arguments import path_of
from ddtheory.errors import unknown
from ddtheory.gauges import RefusedGauge
from ddtheory.shown import counted
from ddtheory.tabled import Tabled
from ddtheory.testing.equivariance.judging import MARGIN, RESOLUTION, EquivarianceVerdict
from ddtheory.testing.equivariance.result import GaugeResult, spread
from ddtheory.verify import output
from ddtheory.verify.environment import versions
from ddtheory.visible import one_line, visible

SCHEMA = "ddtheory.equivariance/1"

_STYLE = {
    EquivarianceVerdict.EXACT: ("✓", "green"),
    EquivarianceVerdict.BROKEN: ("✗", "magenta"),
    EquivarianceVerdict.UNDECIDED: ("?", "yellow"),
}
_WORST_FIRST = (EquivarianceVerdict.BROKEN, EquivarianceVerdict.UNDECIDED, EquivarianceVerdict.EXACT)
_HEADINGS = ("verdict", "gauge", "first step", "gap at the end", "rounding", "why")
_WIDTH = 150


@dataclass(frozen=True, repr=False)
class EquivarianceReport(Tabled):
    """All gauges of a check, in the order of the table of gauges.

    Attributes:
        optimizer: its name.
        steps, representatives, size, seed: the settings of the check.
        loss: that was trained.
        results: one for each gauge.
        held: parameters that the optimiser leaves where they are.
        refused: gauges that were proposed and that the model does not have, where all were asked for.
    """

    optimizer: str
    steps: int
    representatives: int
    size: float
    seed: int
    loss: str
    results: tuple[GaugeResult, ...]
    held: tuple[str, ...]
    refused: tuple[RefusedGauge, ...]

    def __str__(self) -> str:
        return f"{one_line(self.optimizer)}: {self._counted()}"

    @property
    def passed(self) -> bool:
        """Whether every gauge is exact to rounding. Undecided is no pass."""
        return all(result.verdict is EquivarianceVerdict.EXACT for result in self.results)

    @property
    def verdicts(self) -> dict[str, EquivarianceVerdict]:
        """Name of a gauge in the table → the worst verdict of its places in the model."""
        found: dict[str, EquivarianceVerdict] = {}
        for result in self.results:
            before = found.get(result.gauge.rule, EquivarianceVerdict.EXACT)
            found[result.gauge.rule] = min(before, result.verdict, key=_WORST_FIRST.index)
        return found

    def __getitem__(self, rule: str) -> tuple[GaugeResult, ...]:
        """The results of one row of the table of gauges, one for each place.

        Raises:
            UnknownNameError: no such gauge was tested.
        """
        found = tuple(result for result in self.results if result.gauge.rule == rule)
        if not found:
            raise unknown("tested gauge", rule, {result.gauge.rule for result in self.results})
        return found

    def __iter__(self) -> Iterator[str]:
        """The names of the gauges that were tested, each once."""
        return iter(self.verdicts)

    def __len__(self) -> int:
        return len(self.verdicts)

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a gauge, as the report holds them; None where nothing broke."""
        found = self.results
        return {
            "gauge": [str(result.gauge) for result in found],
            "verdict": [result.verdict.value for result in found],
            "step": [result.step for result in found],
            "gap": [result.gap.estimate for result in found],
            "least": [result.gap.lower for result in found],
            "largest": [result.gap.upper for result in found],
            "noise": [result.noise for result in found],
            "terms": [", ".join(result.terms) for result in found],
            "reason": [result.reason for result in found],
        }

    def explain(self) -> str:
        """The table as text, what is broken first."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for heading in _HEADINGS:
            table.add_column(heading, no_wrap=heading not in ("gauge", "why"), overflow="fold")
        for result, cells in self._lines():
            table.add_row(Text(cells[0], style=_STYLE[result.verdict][1]), *map(Text, cells[1:]))
        stream = io.StringIO()
        # in a notebook a console would show the table there and then, and leave the text empty
        console = Console(file=stream, width=_WIDTH, highlight=False, color_system=None, force_jupyter=False)
        console.print(table)
        console.print()
        for line in self._closing():
            console.print(line, soft_wrap=True, markup=False)
        return "\n".join(line.rstrip() for line in stream.getvalue().rstrip("\n").splitlines())

    def _repr_html_(self) -> str:
        lines = [_html("th", _HEADINGS), *(_html("td", cells) for _, cells in self._lines())]
        closing = "".join(f"<p>{html.escape(line)}</p>" for line in self._closing())
        return f"<table>{''.join(lines)}</table>{closing}"

    def _lines(self) -> Iterator[tuple[GaugeResult, tuple[str, ...]]]:
        for result in sorted(self.results, key=lambda result: _WORST_FIRST.index(result.verdict)):
            yield (
                result,
                (
                    f"{_STYLE[result.verdict][0]} {result.verdict.value}",
                    one_line(str(result.gauge)),
                    "" if result.step is None else str(result.step),
                    spread(result.gap),
                    f"{result.noise:.1e}",
                    one_line(result.reason),
                ),
            )

    def _closing(self) -> list[str]:
        """What was run, and what was left out."""
        found = [
            f"{one_line(self.optimizer)}: {self._counted()} · {counted(self.steps, 'step')} on {one_line(self.loss)}, "
            f"{counted(self.representatives, 'representative')} of size {self.size:g}. Gaps are relative to the "
            f"largest output; broken is more than {MARGIN:g} times what rounding comes to."
        ]
        if self.held:
            found.append(f"Not trained by this optimiser: {one_line(', '.join(self.held))}.")
        found += [f"Not tested, no gauge of this model: {one_line(str(each))}" for each in self.refused]
        return found

    def _counted(self) -> str:
        found = {verdict: sum(r.verdict is verdict for r in self.results) for verdict in _WORST_FIRST}
        return ", ".join(f"{count} {verdict.value}" for verdict, count in found.items() if count)

    def assert_exact(self, *rules: str) -> None:
        """For a test: nothing when these gauges, or all, are exact to rounding, else the table.

        Raises:
            AssertionError: one is not.
            UnknownNameError: no such gauge was tested.
        """
        chosen = [result for rule in rules for result in self[rule]] if rules else self.results
        if not all(result.verdict is EquivarianceVerdict.EXACT for result in chosen):
            raise AssertionError(self.explain())

    def records(self) -> Iterator[dict[str, Any]]:
        """A row a gauge, by name, as tables of other libraries take them."""
        for result in self.results:
            yield {"optimizer": self.optimizer, **result.record()}

    def document(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "schema": SCHEMA,
            "optimizer": self.optimizer,
            "settings": {
                "steps": self.steps,
                "representatives": self.representatives,
                "size": self.size,
                "seed": self.seed,
                "loss": self.loss,
                "margin": MARGIN,
                "resolution": RESOLUTION,
            },
            "passed": self.passed,
            "gauges": [result.document() for result in self.results],
            "held": list(self.held),
            "refused": [{"gauge": str(each.gauge), "why": each.why} for each in self.refused],
            "run": {"platform": platform.platform(), "versions": versions()},
        }

    def to_json(self) -> str:
        """The report as JSON with sorted keys."""
        document = json.dumps(self.document(), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return visible(document) + "\n"

    def write(self, path: Path | str) -> None:
        """Writes the JSON, whole or not at all.

        Raises:
            OutputError: it cannot be written there.
        """
        output.write_file(path_of(path, "The file"), self.to_json())


def _html(tag: str, cells: tuple[str, ...]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
