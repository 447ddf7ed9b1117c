"""Cells of `ddtheory.cells` for `check_estimator`: those with an exact finite-n value and K = c Σ f² in polynomials."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from ddtheory.arguments import list_of
from ddtheory.errors import InvalidValueError
from ddtheory.shown import Shown
from ddtheory.testing.conformance.cells import GroundTruth
from ddtheory.testing.conformance.posterior import PolynomialPosterior, Terms
from ddtheory.values import RLCT, Enclosure

if TYPE_CHECKING:
    from sympy import Expr, Symbol

    from ddtheory.cells import Cell

_DIGITS = 5

_MOST_NAMED = 10  # cells, in a message


@dataclass(frozen=True, eq=False, repr=False)
class CatalogueCell(Shown):
    """A cell of the catalogue as ground truth: its exact value is `Cell.finite_n`, on the box of half width 1.

    Attributes:
        cell: the cell.
        posterior: the same K on the same box, in the coordinates of the cell.
        rlct: (λ, m).
    """

    cell: Cell
    posterior: PolynomialPosterior
    rlct: RLCT

    def __repr__(self) -> str:
        return f"CatalogueCell({self.name}, λ = {self.rlct.lam}, m = {self.rlct.m})"

    def latex(self) -> str:
        """K and (λ, m) as LaTeX, without dollars."""
        return rf"{self.posterior.latex()},\quad {self.rlct.latex()}"

    @property
    def name(self) -> str:
        return self.cell.name

    def target(self, n_beta: Fraction) -> Enclosure:
        return self.cell.finite_n(n_beta, _DIGITS)

    def rivals(self, n_beta: Fraction) -> Mapping[str, float]:
        """The pair over the whole parameter space, where it is another one."""
        found = self.cell.global_truth.rlct
        if found is None or found == self.rlct:
            return {}
        return {"λ over the whole parameter space": float(found.lam)}


def from_cell(cell: Cell) -> CatalogueCell:
    """A cell of the catalogue, for `check_estimator`.

    Raises:
        InvalidValueError: it is no cell, or it has no exact finite-n value, no known pair, a boundary, or its K is not
            c Σ f² with polynomial f.

    >>> from ddtheory import cells
    >>> found = from_cell(cells.normal_crossing(exponents=(1, 1)))
    >>> print(round(float(found.target(Fraction(2 * 579))), 4))  # K = (xy)²/2: twice the nβ of (xy)²
    0.3799
    """
    from ddtheory.cells import Cell

    if not isinstance(cell, Cell):
        raise InvalidValueError(f"A {type(cell).__name__} is no cell.")
    if cell.finite is None or cell.rlct is None or cell.boundary:
        missing = "no exact finite-n value" if cell.finite is None else "no known (λ, m)" if cell.rlct is None else None
        raise InvalidValueError(f"The cell {cell.name} has {missing or 'a boundary through its point'}.")
    symbols = sorted(cell.coordinates, key=lambda symbol: symbol.name)
    scale = _scale(cell)
    prior = {symbol: float(h) for symbol, h in cell.prior.items()}
    size = len(symbols)
    posterior = PolynomialPosterior(
        tuple(_terms(generator, symbols, math.sqrt(scale)) for generator in cell.generators),
        (0.0,) * size,
        (-1.0,) * size,
        (1.0,) * size,
        tuple(prior.get(symbol, 0.0) for symbol in symbols),
    )
    return CatalogueCell(cell, posterior, cell.rlct)


def ground_truths(given: object) -> tuple[GroundTruth, ...]:
    """What `check_estimator` was given as cells: those of the catalogue are made into ground truth.

    Raises:
        InvalidValueError: no list of cells, or cells without an exact value; ten of them are named.
    """
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InvalidValueError(f"cells is a list of cells, got a {type(given).__name__}. Put one cell into a list.")
    found: list[GroundTruth] = []
    refused: list[str] = []
    for cell in list_of(given, "cells"):
        if all(hasattr(cell, name) for name in ("name", "posterior", "rlct", "target", "rivals")):
            found.append(cell)
            continue
        try:
            found.append(from_cell(cell))
        except InvalidValueError as error:
            refused.append(str(error))
    if refused:
        raise InvalidValueError(
            f"{' '.join(refused[:_MOST_NAMED])} An estimator is checked against exact values only: leave these out. "
            "conformance.catalogue_cells() are all of the catalogue that have one."
        )
    return tuple(found)


def catalogue_cells() -> tuple[CatalogueCell, ...]:
    """Every cell of `ddtheory.cells.catalogue()` that `from_cell` can take: 37 of 159 when this was written.

    Exact values by validated quadrature take seconds each, and half a minute for three variables that share K.
    """
    from ddtheory.cells import catalogue

    found: list[CatalogueCell] = []
    for cell in catalogue():
        try:
            found.append(from_cell(cell))
        except InvalidValueError:
            continue
    return tuple(found)


def _scale(cell: Cell) -> Fraction:
    """c in K = c Σ f², proven by comparing polynomials."""
    import sympy

    squares = sympy.expand(sympy.Add(*[generator**2 for generator in cell.generators]))
    divergence = sympy.expand(cell.divergence)
    ratio = sympy.cancel(divergence / squares) if squares != 0 else sympy.nan
    if not (ratio.is_Rational and ratio > 0 and squares.is_polynomial(*cell.coordinates)):
        raise InvalidValueError(f"K of the cell {cell.name} is no multiple of the sum of squares of its generators.")
    if squares.free_symbols - set(cell.coordinates):
        raise InvalidValueError(f"K of the cell {cell.name} has parameters without a value.")
    return Fraction(int(ratio.p), int(ratio.q))


def _terms(generator: Expr, symbols: list[Symbol], factor: float) -> Terms:
    import sympy

    return tuple(
        (factor * float(value), tuple(int(power) for power in powers))
        for powers, value in sympy.Poly(generator, *symbols).terms()
    )
