"""Equations of matrices as residuals: one an entry, so that no wrong entry hides in a sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddtheory.errors import InvalidValueError

if TYPE_CHECKING:
    from sympy import Expr, Matrix


def entrywise(name: str, left: Matrix, right: Matrix) -> dict[str, Expr]:
    """left − right, entry by entry, as they came.

    Raises:
        InvalidValueError: the shapes differ.

    >>> from sympy import Matrix, symbols
    >>> a, b = symbols("a b")
    >>> entrywise("swap", Matrix([[a, b]]), Matrix([[b, b]]))
    {'swap, entry 1, 1': a - b, 'swap, entry 1, 2': 0}
    """
    if left.shape != right.shape:
        raise InvalidValueError(
            f"{name}: shapes {left.shape} and {right.shape} cannot be equal. Transpose one of them?"
        )
    rows, columns = left.shape
    return {f"{name}, entry {i + 1}, {j + 1}": left[i, j] - right[i, j] for i in range(rows) for j in range(columns)}
