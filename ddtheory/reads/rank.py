"""A rank that is read from singular values, and how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ddtheory.arguments import as_integer
from ddtheory.errors import InvalidValueError, shown
from ddtheory.fields import require
from ddtheory.measure.matrices.gram import Spectrum
from ddtheory.shown import Shown, counted

CLEAR = 100.0
"""A singular value counts when it is this many times the level below which values are rounding."""


@dataclass(frozen=True, repr=False)
class Rank(Shown):
    """A lower bound on the rank of a matrix of floating numbers, with the singular values that it is read from.

    Attributes:
        spectrum: squares of the singular values, without those that are zero to rounding.
        most: the rank that this matrix can have at most, of the smaller of its sides.
        larger: how many values are not in the spectrum since they are larger than all that are, of very many; they
            count.

    Raises:
        InvalidValueError: a rank that is not whole, or more values than `most`.

    >>> fading = Rank(Spectrum((1.0, 1e-6, 1e-23), zeros=1, threshold=5e-26, separation=100.0), most=4)
    >>> fading.certain, fading.unclear, fading.clear
    (2, 1, False)
    """

    spectrum: Spectrum
    most: int
    larger: int = 0

    def __post_init__(self) -> None:
        require(self, Spectrum, "spectrum")
        most, larger = as_integer(self.most), as_integer(self.larger)
        if larger is None or larger < 0:
            raise InvalidValueError(f"{shown(self.larger)} larger values; give a whole number, 0 or more.")
        number = larger + len(self.spectrum.eigenvalues)
        if most is None or most < number:
            raise InvalidValueError(f"A matrix of rank {shown(self.most)} at most has no {counted(number, 'value')}.")
        object.__setattr__(self, "most", most)
        object.__setattr__(self, "larger", larger)

    @property
    def certain(self) -> int:
        """The singular values that no rounding explains: the rank is this or more (Weyl)."""
        return self.larger + self._listed

    @property
    def _listed(self) -> int:
        return sum(value > CLEAR**2 * self.spectrum.threshold for value in self.spectrum.eigenvalues)

    @property
    def unclear(self) -> int:
        """The values between rounding and those that count."""
        return len(self.spectrum.eigenvalues) - self._listed

    @property
    def clear(self) -> bool:
        """Whether a gap parts the values that count from those that are zero; there is none in a fading spectrum."""
        return not self.unclear and self.gap >= CLEAR

    @property
    def gap(self) -> float:
        """Smallest singular value that counts over the largest that does not; infinite where that one is zero."""
        values = self.spectrum.eigenvalues
        if not self.certain:
            return math.inf if not values else 1.0
        if self.unclear:
            return math.sqrt(values[self._listed - 1] / values[self._listed]) if self._listed else 1.0
        return math.sqrt(self.spectrum.separation)

    @property
    def singular_values(self) -> tuple[float, ...]:
        """From large to small, without those that are zero to rounding, and without `larger` ones."""
        return tuple(math.sqrt(value) for value in self.spectrum.eigenvalues)

    def __str__(self) -> str:
        if self.clear:
            return f"{self.certain}, " + ("nothing below" if math.isinf(self.gap) else f"gap {self.gap:.1e}")
        return f"at least {self.certain}, {self.unclear} unclear, no gap (ratio {self.gap:.1f})"

    def rows(self) -> Mapping[str, str]:
        values = self.singular_values
        shown = f"{values[0]:.3g} … {values[-1]:.3g}" if values else "all zero"
        return {"rank": str(self), "singular values": shown, "zeros": str(self.spectrum.zeros), "most": str(self.most)}
