"""Names of coordinates that are entries of torch parameters, and the directions that come with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Matrix, Symbol

from ddtheory.arguments import as_integer
from ddtheory.errors import InvalidValueError, shown

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Problem

Coordinates = dict[Symbol, str]


def matrix(letter: str, parameter: str, rows: int, columns: int) -> tuple[Matrix, Coordinates]:
    """A matrix of symbols, and the entry of the torch parameter that each one is a shift of.

    >>> matrix("a", "first.weight", 1, 2)
    (Matrix([[a11, a12]]), {a11: 'first.weight[0,0]', a12: 'first.weight[0,1]'})
    """
    symbols = [[Symbol(entry(letter, rows, columns, i, j), real=True) for j in range(columns)] for i in range(rows)]
    names = {symbols[i][j]: f"{parameter}[{i},{j}]" for i in range(rows) for j in range(columns)}
    return Matrix(symbols), names


def entry(letter: str, rows: int, columns: int, i: int, j: int) -> str:
    """The name of one entry of such a matrix, without the matrix: directions of large models are named by it.

    >>> entry("a", 2, 3, 0, 2), entry("a", 20, 3, 0, 2)
    ('a13', 'a_1_3')
    """
    link = "_" if max(rows, columns) > 9 else ""
    return f"{letter}{link}{i + 1}{link}{j + 1}"


def zero_one(rows: int, columns: int, one: Callable[[int, int], bool]) -> Matrix:
    """The matrix with 1 where `one` says so and 0 elsewhere: where factors stand at the truth.

    >>> zero_one(1, 2, lambda i, j: i == j)
    Matrix([[1, 0]])
    """
    return Matrix(rows, columns, [int(one(i, j)) for i in range(rows) for j in range(columns)])


def vector(letter: str, parameter: str, length: int) -> tuple[tuple[Symbol, ...], Coordinates]:
    """A tuple of symbols, and the entry of the torch parameter that each one is a shift of.

    >>> vector("b", "bias", 2)
    ((b1, b2), {b1: 'bias[0]', b2: 'bias[1]'})
    """
    symbols = tuple(Symbol(f"{letter}{index + 1}", real=True) for index in range(length))
    return symbols, {symbol: f"{parameter}[{index}]" for index, symbol in enumerate(symbols)}


def axes(symbols: Sequence[Symbol]) -> dict[str, dict[str, int]]:
    """One direction for each coordinate, under its own name, and "diagonal" when there are several.

    >>> axes(sympy.symbols("x y"))
    {'x': {'x': 1}, 'y': {'y': 1}, 'diagonal': {'x': 1, 'y': 1}}
    """
    found = {symbol.name: {symbol.name: 1} for symbol in symbols}
    return found | ({"diagonal": {symbol.name: 1 for symbol in symbols}} if len(symbols) > 1 else {})


def squares(entries: Sequence[sympy.Expr], scale: sympy.Expr | int = 1) -> sympy.Expr:
    """Σ f² / (2 · scale): the divergence of unit Gaussian noise over `scale` equally weighted inputs."""
    return sympy.Add(*[entry**2 for entry in entries]) / (2 * sympy.sympify(scale))


def at_least(value: object, least: int, what: str) -> None:
    """Refuse anything but a whole number of at least `least`.

    Raises:
        InvalidValueError: the value is something else.
    """
    number = as_integer(value)
    if number is None or number < least:
        raise InvalidValueError(f"{what} is {shown(value)}; it must be a whole number, at least {least}.")


def all_at_least(values: Sequence[object], least: int, what: str) -> None:
    """The same for each entry of a sequence that is not empty.

    Raises:
        InvalidValueError: the sequence is empty, or an entry is something else.
    """
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise InvalidValueError(f"{what} are {shown(values)}; give at least one whole number.")
    for value in values:
        at_least(value, least, f"An entry of {what}")


def outputs_of_one_input(function: Callable[[Tensor], Tensor], point: Sequence[float]) -> Problem:
    """The regression y ~ N(f(w), I) with one input, the parameter "w" standing at a point.

    `function` maps the vector w to a vector of outputs, in torch.
    """
    import torch

    from ddtheory.measure import Gaussian, Problem

    def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        return function(parameters["w"]).reshape(1, -1).expand(inputs.shape[0], -1)

    return Problem(
        model,
        {"w": torch.tensor(list(point), dtype=torch.float64)},
        torch.ones(1, 1, dtype=torch.float64),
        Gaussian(1.0),
    )
