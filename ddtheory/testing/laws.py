"""Finite laws of the inputs, exact: a few rational points with rational weights."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ddtheory.arguments import exact_fraction, in_order
from ddtheory.errors import InvalidValueError
from ddtheory.testing.numbers import coefficients
from ddtheory.testing.ranges import check_positive, check_whole


@dataclass(frozen=True)
class InputLaw:
    """A law with finitely many atoms on the line, none of them at 0.

    Attributes:
        points: the atoms.
        weights: their probabilities; they sum to 1 exactly.

    Raises:
        InvalidValueError: no atom, a weight that is not positive, or weights that do not sum to 1.
    """

    points: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        for name in ("points", "weights"):
            listed = in_order(getattr(self, name), f"The list of {name}")
            object.__setattr__(self, name, tuple(exact_fraction(value, f"One of the {name}") for value in listed))
        if not self.points or len(self.points) != len(self.weights):
            raise InvalidValueError(f"{len(self.points)} points need as many weights, at least one.")
        if min(self.weights) <= 0 or sum(self.weights) != 1:
            raise InvalidValueError(f"The weights {', '.join(map(str, self.weights))} are no probabilities.")

    def moment(self, power: int) -> Fraction:
        """E x^power, exactly.

        >>> InputLaw((Fraction(1), Fraction(2)), (Fraction(1, 2), Fraction(1, 2))).moment(2)
        Fraction(5, 2)
        """
        return sum((w * x**power for x, w in zip(self.points, self.weights, strict=True)), Fraction(0))


def input_laws(
    *, max_points: int = 4, max_magnitude: int | Fraction = 2, max_denominator: int = 4, max_weight: int = 4
) -> SearchStrategy[InputLaw]:
    """Laws of a real input with up to `max_points` distinct atoms, none at 0; shrinks to the point 1.

    Args:
        max_points: most atoms.
        max_magnitude: of an atom.
        max_denominator: of an atom.
        max_weight: largest ratio of two probabilities.

    Raises:
        InvalidValueError: a bound is not positive.

    >>> from hypothesis import find
    >>> find(input_laws(), lambda law: True)
    InputLaw(points=(Fraction(1, 1),), weights=(Fraction(1, 1),))
    """
    max_points = check_whole("max_points", max_points, least=1)
    max_magnitude = check_positive("max_magnitude", max_magnitude)
    max_weight = check_whole("max_weight", max_weight, least=1)
    atoms = st.tuples(
        coefficients(max_magnitude=max_magnitude, max_denominator=max_denominator), st.integers(1, max_weight)
    )
    return st.lists(atoms, min_size=1, max_size=max_points, unique_by=_point).map(_normalised)


def _point(atom: tuple[Fraction, int]) -> Fraction:
    return atom[0]


def _normalised(atoms: list[tuple[Fraction, int]]) -> InputLaw:
    total = sum(weight for _, weight in atoms)
    return InputLaw(tuple(x for x, _ in atoms), tuple(Fraction(weight, total) for _, weight in atoms))
