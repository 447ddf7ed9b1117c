"""Widths and rank of a deep linear network: which products of matrices are asked about."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ddtheory.arguments import as_integer, in_order
from ddtheory.errors import InvalidValueError, shown
from ddtheory.testing.ranges import check_range, check_whole


@dataclass(frozen=True)
class LayerShape:
    """The product W_L … W_1 of matrices with W_l of shape (widths[l], widths[l − 1]), true product of rank r.

    Attributes:
        widths: input, hidden layers, output.
        rank: r, from 0 to the smallest width.

    Raises:
        InvalidValueError: fewer than two widths, a width below 1, or a rank that no such product has.
    """

    widths: tuple[int, ...]
    rank: int

    def __post_init__(self) -> None:
        widths = [check_whole("a width", width, least=1) for width in in_order(self.widths, "widths")]
        if len(widths) < 2:
            raise InvalidValueError("widths must be at least two whole numbers, each at least 1.")
        object.__setattr__(self, "widths", tuple(widths))
        rank = as_integer(self.rank)
        if rank is None or not 0 <= rank <= min(self.widths):
            raise InvalidValueError(f"A product of widths {shown(self.widths)} has no rank {shown(self.rank)}.")
        object.__setattr__(self, "rank", rank)

    @property
    def depth(self) -> int:
        """How many matrices."""
        return len(self.widths) - 1

    @property
    def dimension(self) -> int:
        """How many parameters.

        >>> LayerShape((2, 3, 1), 1).dimension
        9
        """
        return sum(a * b for a, b in pairwise(self.widths))


def layer_shapes(
    *,
    min_depth: int = 1,
    max_depth: int = 4,
    min_width: int = 1,
    max_width: int = 6,
    min_rank: int = 0,
    max_rank: int | None = None,
) -> SearchStrategy[LayerShape]:
    """Widths and a rank that fits them; shrinks to one matrix of one entry, and to the smallest rank.

    Args:
        min_depth, max_depth: number of matrices.
        min_width, max_width: of every layer.
        min_rank, max_rank: of the true product; up to the smallest width when omitted.

    Raises:
        InvalidValueError: a bound is no whole number in reach, or bounds are in the wrong order.

    >>> from hypothesis import find
    >>> find(layer_shapes(min_depth=2), lambda shape: True)
    LayerShape(widths=(1, 1, 1), rank=0)
    """
    min_depth, max_depth = check_range("min_depth", min_depth, "max_depth", max_depth, least=1)
    min_width, max_width = check_range("min_width", min_width, "max_width", max_width, least=1)
    min_rank = check_whole("min_rank", min_rank, least=0, most=max_width)
    if max_rank is not None:
        max_rank = check_whole("max_rank", max_rank, least=min_rank)
    width = st.integers(max(min_width, min_rank), max_width)

    @st.composite
    def draw_shape(draw: DrawFn) -> LayerShape:
        widths = tuple(draw(st.lists(width, min_size=min_depth + 1, max_size=max_depth + 1)))
        largest = min(widths) if max_rank is None else min(*widths, max_rank)
        return LayerShape(widths, draw(st.integers(min_rank, largest)))

    return draw_shape()
