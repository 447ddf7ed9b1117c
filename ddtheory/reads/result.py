"""What a read returns: a census, a summary by layer, joint sets, gauges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from ddtheory.arguments import path_of
from ddtheory.gauges.finding import FoundGauges
from ddtheory.measure.orders.profile import Profile
from ddtheory.measure.tables import html_table
from ddtheory.reads.bracket import Bracket
from ddtheory.reads.document import FORMAT
from ddtheory.reads.joint import JointSet
from ddtheory.reads.verdicts import Standing
from ddtheory.shown import Shown, counted, in_words, shortened
from ddtheory.tabled import Tabled
from ddtheory.values import Interval

HEADER = ("", "layer", "place", "type", "verdict", "order", "scale", "s", "n·K", "ray", "orbit", "reason")


@dataclass(frozen=True, repr=False)
class Row(Shown):
    """One candidate.

    Attributes:
        number: in the census, from 0.
        layer, place: where it is.
        type: who proposed it: a detector, or a gauge.
        verdict: what it is.
        order: k at the repaired point, None where K vanishes along it or where no order was read.
        flat: K vanishes along it at the repaired point; for a gauge, along its orbit.
        interval: what the readings say of k.
        scale: radii t between which the checkpoint follows the order, from both sides.
        distance: s, from the checkpoint to the repaired point.
        price: n·K of the repair, in nats, with its rounding.
        ray: what is read along the straight direction at the checkpoint.
        orbit: how much of the direction gauges explain, and what is read along their orbit.
        reason: why this verdict.
        sides: F* and K* at the checkpoint, from both sides; None where no path was read. Not in the JSON.
    """

    number: int
    layer: str
    place: str
    type: str
    verdict: Standing
    order: int | None
    flat: bool
    interval: Interval | None
    scale: tuple[float, float] | None
    distance: float
    price: Interval
    ray: str
    orbit: str
    reason: str
    sides: Profile | None = field(default=None, compare=False)

    @property
    def order_in_words(self) -> str:
        """k with its interval, "flat", or nothing."""
        if self.flat:
            return "flat"
        if self.order is None:
            return ""
        ends = "" if self.interval is None else f" [{self.interval.lower:.3f}, {self.interval.upper:.3f}]"
        return f"{self.order}{ends}"

    def __str__(self) -> str:
        order = "" if self.verdict not in (Standing.DEAD, Standing.PRE_ASYMPTOTIC) else f" ({self.order_in_words})"
        return f"{self.layer} {self.place}, {self.type}: {self.verdict.value}{order}"

    def cells(self) -> tuple[str, ...]:
        """The row as text, under `HEADER`."""
        scale = "" if self.scale is None else f"{self.scale[0]:.2g} to {self.scale[1]:.2g}"
        return (
            str(self.number),
            self.layer,
            self.place,
            self.type,
            self.verdict.value,
            self.order_in_words,
            scale,
            f"{self.distance:.3g}",
            f"{self.price.estimate:.3g}",
            self.ray,
            self.orbit,
            self.reason,
        )

    def rows(self) -> Mapping[str, str]:
        return dict(zip(HEADER[1:], self.cells()[1:], strict=True))

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "layer": self.layer,
            "place": self.place,
            "type": self.type,
            "verdict": self.verdict.value,
            "order": self.order,
            "flat": self.flat,
            "interval": None if self.interval is None else [self.interval.lower, self.interval.upper],
            "scale": None if self.scale is None else list(self.scale),
            "distance": self.distance,
            "price": [self.price.lower, self.price.estimate, self.price.upper],
            "ray": self.ray,
            "orbit": self.orbit,
            "reason": self.reason,
        }


@dataclass(frozen=True, repr=False)
class Census(Tabled, Sequence[Row]):
    """All candidates, in the order of layers.

    Attributes:
        found: the rows.
    """

    found: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, index: Any) -> Any:
        return self.found[index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.found)

    def of(self, *verdicts: Standing) -> tuple[Row, ...]:
        """The rows with one of these verdicts."""
        return tuple(row for row in self.found if row.verdict in verdicts)

    def __str__(self) -> str:
        counts = Counter(row.verdict for row in self.found)
        told = ", ".join(f"{counts[each]} {each.value}" for each in Standing if counts[each])
        return f"{counted(len(self.found), 'candidate')}{': ' if told else ''}{told}"

    def latex(self) -> str:
        return in_words(str(self))

    def by_layer(self) -> Mapping[str, Mapping[str, int]]:
        """How many dead candidates each layer has of each order; "flat" is an order here."""
        found: dict[str, Counter[str]] = {}
        for row in self.of(Standing.DEAD):
            found.setdefault(row.layer, Counter())["flat" if row.flat else str(row.order)] += 1
        return found

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a candidate; None where it has no order, interval or scale."""
        found = self.found
        sides = [(None, None) if row.interval is None else (row.interval.lower, row.interval.upper) for row in found]
        scales = [(None, None) if row.scale is None else row.scale for row in found]
        return {
            "layer": [row.layer for row in found],
            "place": [row.place for row in found],
            "type": [row.type for row in found],
            "verdict": [row.verdict.value for row in found],
            "order": [row.order for row in found],
            "flat": [row.flat for row in found],
            "lower": [lower for lower, _ in sides],
            "upper": [upper for _, upper in sides],
            "scale from": [least for least, _ in scales],
            "scale to": [most for _, most in scales],
            "distance": [row.distance for row in found],
            "price": [row.price.estimate for row in found],
            "ray": [row.ray for row in found],
            "orbit": [row.orbit for row in found],
            "reason": [row.reason for row in found],
        }

    def _repr_html_(self) -> str:
        return html_table(str(self), HEADER, [row.cells() for row in self.found])


@dataclass(frozen=True, repr=False)
class LayerSummary(Shown):
    """What a layer holds.

    Attributes:
        layer: its name.
        surveyed: units, channels and heads of it that were looked at.
        plainly_live: those of them whose magnitude is so large that nothing more was measured.
        verdicts: how many candidates have each verdict.
        plainly_between: those whose magnitude lies so plainly between the scales that nothing more was measured; of
            more than a million parameters only.
    """

    layer: str
    surveyed: int
    plainly_live: int
    verdicts: Mapping[Standing, int]
    plainly_between: int = 0

    def __str__(self) -> str:
        told = [f"{number} {verdict.value}" for verdict, number in self.verdicts.items() if number]
        live = f"{self.plainly_live} of {self.surveyed} plainly live"
        if self.plainly_between:
            live += f", {self.plainly_between} plainly between scales"
        return f"{self.layer}: {', '.join([live, *told] if self.surveyed else told)}"

    def rows(self) -> Mapping[str, str]:
        counts = {verdict.value: str(self.verdicts.get(verdict, 0)) for verdict in Standing}
        plainly = {"plainly live": str(self.plainly_live), "plainly between": str(self.plainly_between)}
        return {"layer": self.layer, "surveyed": str(self.surveyed), **plainly, **counts}


@dataclass(frozen=True, repr=False)
class Reading(Shown):
    """What a checkpoint holds, at a sample size.

    Attributes:
        model: what was read, in words.
        dimension: d, the number of parameters.
        n: the sample size to which dead and live refer.
        census: a row for every candidate.
        layers: the summary by layer.
        joint: sets of candidates that are repaired together.
        gauges: the gauges of the table that the model has.
        bracket: bounds on λ, the network as its own teacher; None where they cannot be counted.
        unbracketed: why there is no bracket; empty where there is one.
        unsurveyed: matrices at whose channels no detector could look, as behind an operation that is not followed.
    """

    model: str
    dimension: int
    n: int
    census: Census
    layers: tuple[LayerSummary, ...]
    joint: tuple[JointSet, ...]
    gauges: FoundGauges
    bracket: Bracket | None = None
    unbracketed: str = ""
    unsurveyed: tuple[str, ...] = ()

    @property
    def dead(self) -> tuple[Row, ...]:
        """The dead candidates."""
        return self.census.of(Standing.DEAD)

    def __str__(self) -> str:
        return f"{self.model} at n = {self.n}: {self.census}; {self.gauges}"

    def latex(self) -> str:
        return in_words(shortened(str(self), 160))

    def text(self) -> str:
        """The whole reading as plain text."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.model}, {self.dimension} parameters, at n = {self.n}"
        yield str(self.census)
        if self.census:
            yield ""
            yield from aligned([HEADER[:9], *(row.cells()[:9] for row in self.census)])
            yield ""
            for row in self.census:
                yield f"{row.number}  {row.reason}"
                yield f"   ray: {row.ray}; orbit: {row.orbit}"
        yield ""
        yield from map(str, self.layers)
        if self.unsurveyed:
            yield f"not surveyed, so nothing is said of them: {', '.join(self.unsurveyed)}"
        yield from map(str, self.joint)
        yield str(self.gauges)
        yield from (f"  {gauge}" for gauge in self.gauges.gauges)
        yield self._between()

    def _between(self) -> str:
        """The bracket, or why there is none."""
        if self.bracket is None:
            return f"bracket: none. {self.unbracketed}"
        return f"bracket: {self.bracket}{self.not_counted and '. ' + self.not_counted}"

    @property
    def not_counted(self) -> str:
        """What is said of gauges that were too many for the bracket; empty where all of them are in it."""
        if self.bracket is None or len(self.bracket.gauges) == len(self.gauges.gauges):
            return ""
        counts = f"{len(self.bracket.gauges)} of {len(self.gauges.gauges)} gauges"
        return f"Its upper side counts {counts}: what hangs together in the orbit of all is too large for one matrix"

    def report(self, path: Path | str) -> None:
        """Writes the reading as one HTML file that loads nothing, whole or not at all.

        Raises:
            InvalidValueError: no name of a file.
            OutputError: it cannot be written there.
        """
        from ddtheory.reads.page import render
        from ddtheory.verify import output

        output.write_file(path_of(path, "The file"), render(self))

    def to_json(self) -> dict[str, Any]:
        """The reading as plain values; `ddtheory.reads.SCHEMA` describes it."""
        return {
            "format": FORMAT,
            "model": self.model,
            "dimension": self.dimension,
            "n": self.n,
            "census": [row.to_json() for row in self.census],
            "layers": [
                {
                    "layer": each.layer,
                    "surveyed": each.surveyed,
                    "plainly_live": each.plainly_live,
                    "plainly_between": each.plainly_between,
                    "verdicts": {verdict.value: number for verdict, number in each.verdicts.items()},
                }
                for each in self.layers
            ],
            "joint": [
                {
                    "what": each.what,
                    "members": list(each.members),
                    "left_out": list(each.left_out),
                    "price": each.price,
                    "singly": each.singly,
                    "order": None if each.order is None else each.order.k,
                }
                for each in self.joint
            ],
            "gauges": [str(gauge) for gauge in self.gauges.gauges],
            "refused_gauges": [str(refused) for refused in self.gauges.refused],
            "bracket": None
            if self.bracket is None
            else {
                "lower": str(self.bracket.lower),
                "upper": str(self.bracket.upper),
                "rank": self.bracket.jacobian.certain,
                "orbit": self.bracket.orbit.certain,
                "unclear": self.bracket.jacobian.unclear,
                "kinks": self.bracket.kinks,
                "gauges": len(self.bracket.gauges),
            },
            "unbracketed": self.unbracketed,
            "unsurveyed": list(self.unsurveyed),
        }

    def _repr_html_(self) -> str:
        layers = (
            html_table("layers", list(self.layers[0].rows()), [list(x.rows().values()) for x in self.layers])
            if self.layers
            else ""
        )
        joint = html_table("together", ["joint set"], [[str(each)] for each in self.joint]) if self.joint else ""
        gauges = html_table(str(self.gauges), ["gauge"], [[str(each)] for each in self.gauges.gauges])
        between = "" if self.bracket is None else self.bracket._repr_html_()
        if self.bracket is None or self.not_counted:
            between += f"<p>{escape(self._between())}</p>"
        missed = f"<p>not surveyed: {escape(', '.join(self.unsurveyed))}</p>" if self.unsurveyed else ""
        return f"{self.census._repr_html_()}{missed}{layers}{joint}{gauges}{between}"


def aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns of text, each as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
