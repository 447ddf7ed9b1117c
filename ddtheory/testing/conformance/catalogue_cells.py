"""Cells of `ddtheory.cells` for `check_estimator`: those whose exact finite-n value is computable, whole or in part.

Three kinds of value: that of the cell itself, on a box or under a localisation; an analytic K in one or two
coordinates on a box, or a polynomial in three that becomes one in two (`exact.finite_n.germs.in_two`); and a product of
norms under a localisation, in any number of coordinates (`exact.finite_n.norms`). A cell of which none is known can be
restricted, to a few coordinates or to a layer in which K is a quadratic form, the others fixed at the point: that is
what weight-restricted estimates are of.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from ddtheory.arguments import list_of
from ddtheory.errors import InvalidValueError
from ddtheory.shown import Shown
from ddtheory.testing.conformance.analytic_posterior import AnalyticPosterior
from ddtheory.testing.conformance.cells import Expected, GroundTruth
from ddtheory.testing.conformance.posterior import PolynomialPosterior, Terms
from ddtheory.testing.conformance.squares import Squares, analytic_squares, polynomial_squares
from ddtheory.values import RLCT, Enclosure

if TYPE_CHECKING:
    from sympy import Expr, Symbol

    from ddtheory.cells import Cell

_DIGITS = 5
_QUICK, _FEW = 2, 3  # coordinates of any polynomial that validated quadrature takes in seconds, and of some
_LOCALISATION = 1
_MOST_NORMS = 16  # coordinates of a product of norms that is looked for
_MOST_NAMED = 10  # cells, in a message


@dataclass(frozen=True, eq=False, repr=False)
class CatalogueCell(Shown):
    """A cell of the catalogue as ground truth.

    Attributes:
        cell: the cell.
        posterior: K on the box of half width 1, or under a localisation γ = 1, in the coordinates of the cell.
        rlct: (λ, m).
        expected: nβ ↦ λ(nβ).
        restricted_to: the coordinates that are free, where the others are fixed at the point; empty for the whole.
    """

    cell: Cell
    posterior: PolynomialPosterior | AnalyticPosterior
    rlct: RLCT
    expected: Expected
    restricted_to: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"CatalogueCell({self.name}, λ = {self.rlct.lam}, m = {self.rlct.m})"

    def latex(self) -> str:
        """K and (λ, m) as LaTeX, without dollars."""
        return rf"{self.posterior.latex()},\quad {self.rlct.latex()}"

    @property
    def name(self) -> str:
        gamma = f", γ = {self.posterior.localisation:g}" if self.posterior.localisation else ""
        free = f", free: {', '.join(self.restricted_to)}" if self.restricted_to else ""
        return f"{self.cell.name}{free}{gamma}"

    def target(self, n_beta: Fraction) -> Enclosure:
        return self.expected(n_beta)

    def rivals(self, n_beta: Fraction) -> Mapping[str, float]:
        """The pair over the whole parameter space where it is another one; of a restricted cell that of all weights."""
        found = self.cell.rlct if self.restricted_to else self.cell.global_truth.rlct
        if found is None or found == self.rlct:
            return {}
        what = "λ of all coordinates" if self.restricted_to else "λ over the whole parameter space"
        return {what: float(found.lam)}


def from_cell(cell: Cell) -> CatalogueCell:
    """A cell of the catalogue, for `check_estimator`.

    Raises:
        InvalidValueError: it is no cell, no exact finite-n value of it is known, nor its pair, or its K is no sum of
            squares.

    >>> from ddtheory import cells
    >>> found = from_cell(cells.normal_crossing(exponents=(1, 1)))
    >>> print(round(float(found.target(Fraction(2 * 579))), 4))  # K = (xy)²/2: twice the nβ of (xy)²
    0.3799
    >>> from_cell(cells.minors(rows=3, columns=3, size=3)).name  # a determinant: nine coordinates
    'minors(rows=3, columns=3, size=3), γ = 1'
    """
    from ddtheory.cells import Cell, Relation

    if not isinstance(cell, Cell):
        raise InvalidValueError(f"A {type(cell).__name__} is no cell.")
    if cell.rlct is None:
        raise InvalidValueError(f"The cell {cell.name} has no known (λ, m).")
    if (
        cell.large or cell.relation is not Relation.EQUAL
    ):  # the posterior is made of the K that the cell is written with
        raise _no_value(cell)
    symbols = _sorted(cell.coordinates)
    prior = {symbol: Fraction(h) for symbol, h in cell.prior.items()}
    known = cell.finite is not None or len(symbols) <= _QUICK
    if known and not cell.divergence.is_polynomial(*symbols) and not prior and not cell.boundary:
        whole = _analytic(analytic_squares(cell), symbols)
        expected = _of_cell(cell) if cell.finite is not None else _by_quadrature(cell.divergence, prior, ())
        return CatalogueCell(cell, whole, cell.rlct, expected)
    squares = polynomial_squares(cell)
    if cell.finite is not None and not cell.boundary:
        return CatalogueCell(cell, _on_box(squares, symbols, prior, ()), cell.rlct, _of_cell(cell))
    if len(symbols) <= _QUICK:
        expected = _by_quadrature(cell.divergence, prior, cell.boundary)
        return CatalogueCell(cell, _on_box(squares, symbols, prior, cell.boundary), cell.rlct, expected)
    if not prior and (under_localisation := _localised_value(cell, symbols)) is not None:
        return CatalogueCell(cell, _localised(squares, symbols, cell.boundary), cell.rlct, under_localisation)
    if not prior and not cell.boundary and _is_plane(cell.divergence, symbols):
        return CatalogueCell(
            cell, _on_box(squares, symbols, prior, ()), cell.rlct, _by_quadrature(cell.divergence, {}, ())
        )
    raise _no_value(cell)


def restricted(cell: Cell, free: Iterable[str]) -> CatalogueCell:
    """A cell of which only some coordinates are free; the others stay at the point.

    It is the posterior of a weight-restricted estimate: of up to three coordinates, on the box of half width 1, or of
    any number of them in which K is a quadratic form, such as one layer of a linear network, under e^{−γ‖w‖²/2} with
    γ = 1. Where K of the cell is no sum of squares of polynomials, it is that of Σ f² over its generators, which has
    the same pair. A value on the box takes a second with two coordinates; with three it may take a minute, or not
    come.

    Args:
        free: names of coordinates, or of parameters of the torch model for all of their coordinates.

    Raises:
        InvalidValueError: no cell, names that it does not have, none, K ≡ 0, or a pair that is not derived. Or up to
            three coordinates one of which K does not contain; or more of them, in which K is no quadratic form.

    >>> from ddtheory import cells
    >>> cell = cells.reduced_rank(inputs=4, hidden=2, outputs=5, rank=1)
    >>> restricted(cell, ["a11", "b11"]).rlct  # one entry of each factor, at a product that is not 0: regular
    RLCT(lam=Fraction(1, 2), m=1)
    >>> layer = restricted(cell, ["second.weight"])  # ten weights, of which a factor of rank 1 sees five
    >>> layer.rlct, round(float(layer.target(Fraction(579))), 12)  # nβ/4 a weight, so that λ(nβ) = (5/2) nβ/(nβ + 4)
    (RLCT(lam=Fraction(5, 2), m=1), 2.482847341338)
    """
    from ddtheory.cells import Cell, Relation

    if not isinstance(cell, Cell):
        raise InvalidValueError(f"A {type(cell).__name__} is no cell.")
    if cell.relation is Relation.BELOW:
        raise InvalidValueError(
            f"The K that {cell.name} is written with bounds its own from below, and is another one."
        )
    names = tuple(dict.fromkeys(str(name) for name in list_of(free, "free")))
    symbols = _named(cell, names)
    if not symbols:
        raise InvalidValueError("A cell is restricted to some of its coordinates, got none.")
    squares = [(c, f) for c, f in _fixed(polynomial_squares(cell, of_generators=True), cell, symbols) if f != 0]
    part = _on_layer if len(symbols) > _FEW else _on_few
    return part(cell, symbols, squares, tuple(sorted(names)))


def _is_plane(divergence: Expr, symbols: Sequence[Symbol]) -> bool:
    """Whether K in three coordinates is an integral over two of them."""
    from ddtheory.exact.finite_n.germs import in_two
    from ddtheory.exact.finite_n.given import read_prior

    if len(symbols) != _FEW or not divergence.is_polynomial(*symbols):
        return False
    return in_two(divergence, list(symbols), read_prior([symbol.name for symbol in symbols])) is not None


def _on_few(cell: Cell, symbols: Sequence[Symbol], squares: Squares, names: tuple[str, ...]) -> CatalogueCell:
    from ddtheory.exact.thresholds.rlct import rlct

    used = {symbol for _, f in squares for symbol in f.free_symbols}
    if used != set(symbols):
        idle = ", ".join(symbol.name for symbol in symbols if symbol not in used)
        raise InvalidValueError(f"With the other coordinates fixed K of {cell.name} does not contain {idle}.")
    prior = {symbol: Fraction(cell.prior[symbol]) for symbol in symbols if symbol in cell.prior}
    boundary = tuple(symbol for symbol in cell.boundary if symbol in symbols)
    derived = rlct(generators=[f for _, f in squares], prior=prior or None, nonnegative=boundary).rlct
    if derived is None:
        raise InvalidValueError(f"The pair of {cell.name} restricted to {', '.join(names)} is not derived.")
    expected = _by_quadrature(_sum(squares), prior, boundary)
    return CatalogueCell(cell, _on_box(squares, symbols, prior, boundary), derived, expected, names)


def _on_layer(cell: Cell, symbols: Sequence[Symbol], squares: Squares, names: tuple[str, ...]) -> CatalogueCell:
    """Of many coordinates in which K is a quadratic form; it need not contain all of them."""
    from ddtheory.exact.finite_n.quadratic import QuadraticForm

    if any(symbol in cell.boundary or symbol in cell.prior for symbol in symbols):
        raise InvalidValueError(
            f"{cell.name} is restricted to {len(symbols)} coordinates, and one of them has a boundary or a prior of "
            f"its own. Take up to {_FEW}."
        )
    try:
        form = QuadraticForm(squares, symbols)
    except InvalidValueError as error:
        raise InvalidValueError(
            f"K of {cell.name} restricted to {len(symbols)} coordinates is no quadratic form: {error} Take up to "
            f"{_FEW} coordinates, or one layer."
        ) from error
    expected = cache(lambda n_beta: form.learning_coefficient(n_beta, _LOCALISATION))
    return CatalogueCell(cell, _localised(squares, symbols, ()), form.rlct, expected, names)


def _named(cell: Cell, names: Sequence[str]) -> list[Symbol]:
    """The coordinates of these names, or of parameters of these names, sorted by name."""
    known = {symbol.name: [symbol] for symbol in cell.coordinates}
    for name, of_parameter in _layers(cell).items():
        known.setdefault(name, of_parameter)
    if unknown := [name for name in names if name not in known]:
        raise InvalidValueError(f"{cell.name} has no coordinate {unknown[0]}; it has {', '.join(sorted(known))}.")
    return _sorted({symbol for name in names for symbol in known[name]})


def _layers(cell: Cell) -> Mapping[str, list[Symbol]]:
    """The coordinates of each parameter of the torch model."""
    found: dict[str, list[Symbol]] = {}
    for symbol, entry in cell.coordinates.items():
        found.setdefault(entry.partition("[")[0], []).append(symbol)
    return found


def restricted_cells() -> tuple[CatalogueCell, ...]:
    """Of every cell of the catalogue that `from_cell` cannot take whole, one part that no other cell has.

    That is the coordinates of the first term of a generator, and of the second where all together are at most two; or
    a parameter of the torch model with more than three entries in which K is a quadratic form. Cells without polynomial
    generators have none.
    """
    from ddtheory.cells import catalogue

    found: list[CatalogueCell] = []
    for cell in catalogue():
        try:
            from_cell(cell)
        except InvalidValueError:
            parts = (part for part in _suggested(cell) if all(part.posterior != other.posterior for other in found))
            found.extend(itertools.islice(parts, 1))
    return tuple(found)


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
    """Every cell of `ddtheory.cells.catalogue()` that `from_cell` can take whole."""
    from ddtheory.cells import catalogue

    found: list[CatalogueCell] = []
    for cell in catalogue():
        try:
            found.append(from_cell(cell))
        except InvalidValueError:
            continue
    return tuple(found)


def _no_value(cell: Cell) -> InvalidValueError:
    return InvalidValueError(
        f"The cell {cell.name} has no exact finite-n value: K is neither a function of at most {_QUICK} coordinates "
        "nor a product of norms or matrices that is known. conformance.restricted(cell, coordinates) takes a part."
    )


def _sorted(symbols: Iterable[Symbol]) -> list[Symbol]:
    return sorted(symbols, key=lambda symbol: symbol.name)


def _fixed(squares: Squares, cell: Cell, symbols: Sequence[Symbol]) -> Squares:
    import sympy

    zero = {symbol: sympy.Integer(0) for symbol in cell.coordinates if symbol not in symbols}
    return [(c, sympy.expand(f.xreplace(zero))) for c, f in squares]


def _sum(squares: Squares) -> Expr:
    import sympy

    return sympy.Add(*[sympy.Rational(c.numerator, c.denominator) * f**2 for c, f in squares])


def _suggested(cell: Cell) -> Iterator[CatalogueCell]:
    """The parts that the terms of the generators suggest, one a generator, and then the layers."""
    import sympy

    for generator in cell.generators:
        if not generator.is_polynomial(*cell.coordinates) or not _rational(generator, cell):
            continue
        terms = sympy.Add.make_args(sympy.expand(generator))
        for count in (2, 1):
            free = {symbol for term in terms[:count] for symbol in term.free_symbols}
            if free and len(free) <= (_FEW if count == 1 else _QUICK):
                try:
                    part = restricted(cell, [symbol.name for symbol in _sorted(free)])
                except InvalidValueError:
                    continue
                if len(free) <= _QUICK or all(len(terms) == 1 for terms in part.posterior.generators):
                    yield part
                    break
    for name, symbols in _layers(cell).items():
        if len(symbols) > _FEW:
            with contextlib.suppress(InvalidValueError):
                yield restricted(cell, [name])


def _rational(generator: Expr, cell: Cell) -> bool:
    import sympy

    domain = sympy.Poly(generator, *cell.coordinates).domain
    return bool(domain.is_ZZ or domain.is_QQ)


def _of_cell(cell: Cell) -> Expected:
    return cache(lambda n_beta: cell.finite_n(n_beta, _DIGITS))


def _by_quadrature(divergence: Expr, prior: Mapping[Symbol, Fraction], boundary: Sequence[Symbol]) -> Expected:
    """On the box of half width 1, of which a boundary leaves the positive half."""

    @cache
    def expected(n_beta: Fraction) -> Enclosure:
        from ddtheory.exact.finite_n.germs import finite_n_germ

        box = dict.fromkeys(boundary, (0, 1))
        return finite_n_germ(divergence, n_beta, box=box, prior=dict(prior), digits=_DIGITS).learning_coefficient

    return expected


def _localised_value(cell: Cell, symbols: Sequence[Symbol]) -> Expected | None:
    """That of the cell itself, or by norms: there a positive orthant sees the same as the whole space where K is even
    in each of its coordinates.
    """
    import sympy

    from ddtheory.exact.finite_n.norms import as_norms

    if cell.localised is not None and not cell.boundary:
        return cache(lambda n_beta: cell.finite_n(n_beta, _DIGITS, localisation=_LOCALISATION))
    if len(symbols) > _MOST_NORMS:
        return None
    found = as_norms(cell.divergence, symbols)
    if found is None:
        return None
    powers = sympy.Poly(cell.divergence, *symbols).monoms()
    if any(monomial[symbols.index(symbol)] % 2 for monomial in powers for symbol in cell.boundary):
        return None
    return cache(lambda n_beta: found.finite_n(n_beta, _LOCALISATION, _DIGITS).learning_coefficient)


def _on_box(
    squares: Squares, symbols: Sequence[Symbol], prior: Mapping[Symbol, Fraction], boundary: Sequence[Symbol]
) -> PolynomialPosterior:
    size = len(symbols)
    return PolynomialPosterior(
        _generators(squares, symbols),
        (0.0,) * size,
        tuple(0.0 if symbol in boundary else -1.0 for symbol in symbols),
        (1.0,) * size,
        tuple(float(prior.get(symbol, 0)) for symbol in symbols),
    )


def _analytic(squares: Squares, symbols: Sequence[Symbol]) -> AnalyticPosterior:
    import sympy

    size = len(symbols)
    return AnalyticPosterior(
        tuple(sympy.Float(float(c) ** 0.5) * f for c, f in squares),
        tuple(symbol.name for symbol in symbols),
        (0.0,) * size,
        (-1.0,) * size,
        (1.0,) * size,
    )


def _localised(squares: Squares, symbols: Sequence[Symbol], boundary: Sequence[Symbol]) -> PolynomialPosterior:
    size, edge = len(symbols), float("inf")
    return PolynomialPosterior(
        _generators(squares, symbols),
        (0.0,) * size,
        tuple(0.0 if symbol in boundary else -edge for symbol in symbols),
        (edge,) * size,
        (),
        float(_LOCALISATION),
    )


def _generators(squares: Squares, symbols: Sequence[Symbol]) -> tuple[Terms, ...]:
    import sympy

    return tuple(
        tuple(
            (float(c) ** 0.5 * float(value), tuple(int(power) for power in powers))
            for powers, value in sympy.Poly(f, *symbols).terms()
        )
        for c, f in squares
    )
