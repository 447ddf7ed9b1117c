"""Directions by coordinate name, and exact rational rotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ddtheory.arguments import exact_fraction, in_order, list_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.testing.ranges import check_whole

if TYPE_CHECKING:
    from torch import Tensor


def directions(
    coordinates: Sequence[str], *, max_component: int = 3, moving: Sequence[str] = ()
) -> SearchStrategy[dict[str, int]]:
    """Directions with whole components, by coordinate name, never zero; shrinks to the first axis.

    Args:
        coordinates: names of the coordinates.
        max_component: largest component in size.
        moving: coordinates whose component is never zero.

    Raises:
        InvalidValueError: no coordinate, a repeated one, one in `moving` that does not exist, or a bound below 1.

    >>> from hypothesis import find
    >>> find(directions(["x", "y"]), lambda u: True)
    {'x': 1, 'y': 0}
    """
    names, listed = in_order(coordinates, "coordinates"), list_of(moving, "moving")
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise InvalidValueError(f"coordinates = {shown(coordinates)} must be distinct names, at least one, in a list.")
    if not all(isinstance(name, str) for name in listed) or not set(listed) <= set(names):
        raise InvalidValueError(f"moving = {shown(moving)} must be a list of the coordinates.")
    always = frozenset(listed)
    max_component = check_whole("max_component", max_component, least=1)
    nonzero = st.builds(_times, st.integers(1, max_component), st.sampled_from((1, -1)))
    whole = st.integers(-max_component, max_component)

    @st.composite
    def draw_direction(draw: DrawFn) -> dict[str, int]:
        first = names[0] if always else draw(st.sampled_from(names))
        return {name: draw(nonzero if name in always or (not always and name == first) else whole) for name in names}

    return draw_direction()


def _times(size: int, sign: int) -> int:
    return size * sign


_LARGEST_ROTATION = 100


@dataclass(frozen=True)
class Rotation:
    """An orthogonal matrix with rational entries: QQᵀ = 1 exactly, so the exact and the measured side share it.

    Attributes:
        rows: the rows of Q.

    Raises:
        InvalidValueError: no matrix of rationals with QQᵀ = 1.
    """

    rows: tuple[tuple[Fraction, ...], ...]

    def __post_init__(self) -> None:
        rows = tuple(
            tuple(exact_fraction(entry, "An entry of a rotation") for entry in in_order(row, "A row of a rotation"))
            for row in in_order(self.rows, "The list of rows")
        )
        columns = list(zip(*rows, strict=False))
        products = [[sum(a * b for a, b in zip(u, v, strict=True)) for v in columns] for u in columns]
        if any(len(row) != len(rows) for row in rows) or any(
            product != (i == j) for i, line in enumerate(products) for j, product in enumerate(line)
        ):
            raise InvalidValueError("The rows are those of no orthogonal matrix: QᵀQ is not 1, exactly.")
        object.__setattr__(self, "rows", rows)

    @property
    def dimension(self) -> int:
        return len(self.rows)

    @property
    def is_identity(self) -> bool:
        return all(entry == (i == j) for i, row in enumerate(self.rows) for j, entry in enumerate(row))

    def apply(self, vector: Sequence[int | Fraction]) -> tuple[Fraction, ...]:
        """Qv, exactly.

        >>> Rotation(((Fraction(3, 5), Fraction(-4, 5)), (Fraction(4, 5), Fraction(3, 5)))).apply((5, 0))
        (Fraction(3, 1), Fraction(4, 1))
        """
        return tuple(sum((entry * x for entry, x in zip(row, vector, strict=True)), Fraction(0)) for row in self.rows)

    def tensor(self) -> Tensor:
        """Q in float64; orthogonal to rounding."""
        import torch

        return torch.tensor([[float(entry) for entry in row] for row in self.rows], dtype=torch.float64)


def rotations(
    dimension: int, *, max_denominator: int = 4, min_planes: int = 0, max_planes: int | None = None
) -> SearchStrategy[Rotation]:
    """Rational rotations: products of plane rotations (c, s) = ((1 − q²), 2q)/(1 + q²) with |q| ≤ 1 rational.

    Shrinks to the identity, or with `min_planes` ≥ 1 to a quarter turn of the first plane.

    Args:
        dimension: size of the matrix.
        max_denominator: of q, so that entries stay short.
        min_planes: how many of the factors turn at least; 1 excludes the trivial identity.
        max_planes: how many of the dimension·(dimension − 1)/2 planes may turn; all when omitted.

    Raises:
        InvalidValueError: a bound is no whole number in reach.

    >>> from hypothesis import find
    >>> find(rotations(2), lambda turn: not turn.is_identity).apply((1, 0))
    (Fraction(0, 1), Fraction(1, 1))
    """
    dimension = check_whole("dimension", dimension, least=1, most=_LARGEST_ROTATION)
    max_denominator = check_whole("max_denominator", max_denominator, least=1, most=10_000)
    planes = tuple(combinations(range(dimension), 2))
    min_planes = check_whole("min_planes", min_planes, least=0, most=len(planes))
    if max_planes is not None:
        max_planes = check_whole("max_planes", max_planes, least=min_planes, most=len(planes))
    tangents = st.one_of(
        st.just(Fraction(1)), st.fractions(min_value=-1, max_value=1, max_denominator=max_denominator).filter(bool)
    )
    turned = st.lists(st.sampled_from(planes), min_size=min_planes, max_size=max_planes or len(planes), unique=True)

    @st.composite
    def draw_rotation(draw: DrawFn) -> Rotation:
        rows = [[Fraction(i == j) for j in range(dimension)] for i in range(dimension)]
        for i, j in draw(turned) if planes and max_planes != 0 else ():
            q = draw(tangents)
            cosine, sine = (1 - q * q) / (1 + q * q), 2 * q / (1 + q * q)
            first = [cosine * x - sine * y for x, y in zip(rows[i], rows[j], strict=True)]
            second = [sine * x + cosine * y for x, y in zip(rows[i], rows[j], strict=True)]
            rows[i], rows[j] = first, second
        return Rotation(tuple(tuple(row) for row in rows))

    return draw_rotation()
