r"""Where a piece is cut: along the narrowest valley of K in it, the neighbourhood of a curve of zeros of one factor."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flint import fmpq, fmpq_mpoly

from ddtheory.exact.finite_n.charts import Chart, Floats, floats, graph_of_zeros
from ddtheory.exact.finite_n.discs import Margins, margins
from ddtheory.exact.finite_n.squares import Term

_MOST_DEGREE = 48
_INSIDE = fmpq(7, 8)
_HEIGHT = 12.0  # of tK at the edge of a band

Cut = tuple[int, fmpq_mpoly, fmpq]
"""Axis, graph, half width of the band."""


class Valleys:
    """The factors of K in one piece, at one t."""

    def __init__(
        self,
        terms: Sequence[Term],
        t: float,
        chart: Chart,
        written: Sequence[Floats],
        found: Sequence[Margins],
    ) -> None:
        self.terms, self.t, self.chart, self.written, self.margins = terms, t, chart, written, found
        self.dimension = len(found[0].along)

    def narrowest(self) -> Cut | None:
        """The cut along the narrowest valley that can be cut along."""
        found = []
        for term in self.terms:
            if term.divergence and term.square:
                for index, power in term.powers:
                    height = self._height(term, index, power)
                    for axis in range(self.dimension):
                        slope = abs(self.written[index].get(self._unit(axis), 0.0))
                        if 0 < 4 * height < slope < math.inf:  # 0 where the sizes of the others are beyond floats
                            found.append((height / slope, index, axis))
        for width, index, axis in sorted(found):
            if cut := self._along(index, axis, width):
                return cut
        return None

    def _height(self, term: Term, index: int, power: int) -> float:
        """The size of a factor of K at which its term is `_HEIGHT`; infinite where it does not vanish alone."""
        centre, radius, _ = self.margins[index].real
        others = self.t * term.size if abs(centre) <= radius else 0.0
        for other, exponent in term.powers:
            if other != index:
                centre, radius, _ = self.margins[other].real
                others *= abs(centre) ** exponent if abs(centre) > 2 * radius else 0.0
        return (_HEIGHT / others) ** (1 / power) if others > 0 else math.inf

    def _along(self, index: int, axis: int, width: float) -> Cut | None:
        base = self.chart.bases[index]
        graph = graph_of_zeros(base, self.written[index], axis)
        if graph is None or not self._small(graph, axis):
            return None
        band = fmpq(1, 2 ** math.floor(-math.log2(width)))
        centre, radius, _ = margins(floats(graph), self.dimension).real
        if radius < float(band) / 4:  # straight enough for a box
            level = fmpq(round(centre * 2**60), 2**60)
            if abs(centre) + float(band) < 0.98:
                return axis, graph * 0 + level, band
            if abs(centre) > 1 + float(band):
                return None
            return axis, graph * 0 + (1 - 2 * band) * (1 if centre > 0 else -1), fmpq(0)
        if abs(centre) + radius + float(band) < 0.98:
            return axis, graph, band
        if abs(centre) - radius > 0.05:
            return axis, graph * 0, fmpq(0)
        # it leaves by a side or a corner: what is well inside is cut off, the rest shrinks towards the exit
        for side in (-_INSIDE, _INSIDE):
            images = list(base.context().gens())
            images[axis] = images[axis] * 0 + side
            face = base.compose(*images)
            terms = floats(face)
            for other in range(self.dimension):
                if other != axis and self._unit(other) in terms:
                    end = graph_of_zeros(face, terms, other)
                    if end is not None and self._small(end, other):
                        centre, radius, _ = margins(floats(end), self.dimension).real
                        if abs(centre) + radius < 0.98:
                            return other, end, fmpq(0)
        return None

    def _unit(self, axis: int) -> tuple[int, ...]:
        return tuple(int(position == axis) for position in range(self.dimension))

    def _small(self, graph: fmpq_mpoly, axis: int) -> bool:
        """Whether the degrees stay bounded after the cut."""
        degrees = graph.degrees()
        return all(
            base.degrees()[axis] * degrees[other] + base.degrees()[other] <= _MOST_DEGREE
            for base in self.chart.bases
            for other in range(self.dimension)
        )
