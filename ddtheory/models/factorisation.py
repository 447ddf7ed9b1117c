"""Products of matrices as models: y = M_1 M_2 ⋯ M_L x, with all factorisations of the true matrix by ranks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

from sympy import Integer, Matrix, Symbol

from ddtheory.errors import InvalidValueError
from ddtheory.exact.strata.factorisations import of_matrix_product, read_product
from ddtheory.exact.strata.table import Strata
from ddtheory.models.inputs import GENERIC
from ddtheory.models.kinds import regression
from ddtheory.models.model import Model

_MOST_PARAMETERS = 400


@dataclass(frozen=True, repr=False)
class Factorisation(Model):
    """A product of matrices. Made by `matrix_product`.

    Attributes:
        names: of the matrices.
        sizes: n_0 … n_L.
        rank: of the true matrix.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    rank: int

    def strata(self, *, seconds: float = 60) -> Strata:
        """All factorisations of the true matrix, by the ranks of the partial products; see `exact.strata`.

        >>> matrix_product("A", "B", sizes=(5, 5, 5), rank=2).strata().rlct
        RLCT(lam=Fraction(23, 2), m=2)
        """
        return of_matrix_product(self.sizes, self.rank, names=self.names, seconds=seconds)


def matrix_product(*names: str, sizes: Any, rank: Any = 0) -> Factorisation:
    """y = M_1 M_2 ⋯ M_L x + N(0, I) with generic inputs x, M_k of size n_{k−1} × n_k, and a truth of rank r.

    K ≍ ‖M_1 ⋯ M_L − C‖² with C = diag(1, …, 1, 0, …), of r ones; every C of rank r is this one in other bases. The
    point is the most singular one, at which all factors have rank r. The parameter of row i and column j of A is A_i_j.

    Args:
        names: of the matrices, from the left, two or more.
        sizes: n_0 … n_L: outputs, widths, inputs.
        rank: r.

    Source: Aoyagi 2024, Theorem 2; Abeasis and Del Fra 1985.

    Raises:
        InvalidValueError: no such product, or more than 400 parameters.

    >>> model = matrix_product("A", "B", sizes=(2, 2, 2), rank=1)
    >>> model.rlct().rlct
    RLCT(lam=Fraction(2, 1), m=2)
    >>> print(model.strata().text())
    rank A  rank B  dimension  λ  m  status
    1       1       3          2  2  exact
    1       2       4          2  1  exact
    2       1       4          2  1  exact
    on every compact domain with a factorisation whose factors all have rank 1 in its interior, ...: λ = 2, m = 2
    """
    if len(names) < 2:
        raise InvalidValueError("A product of matrices has two factors or more, as in matrix_product('A', 'B', …).")
    shape, r, letters = read_product(sizes, rank, names)
    count = sum(n * m for n, m in pairwise(shape))
    if count > _MOST_PARAMETERS:
        raise InvalidValueError(
            f"The model has {count} parameters, more than {_MOST_PARAMETERS}. Its strata need no model: "
            "ddtheory.exact.strata.of_matrix_product."
        )
    factors = [
        Matrix(rows, columns, lambda i, j, name=name: Symbol(f"{name}_{i + 1}_{j + 1}", real=True))
        for name, rows, columns in zip(letters, shape[:-1], shape[1:], strict=True)
    ]
    inputs = [Symbol(f"input_{i + 1}", real=True) for i in range(shape[-1])]
    true = {entry.name: Integer(i == j < r) for factor in factors for (i, j), entry in _entries(factor)}
    mean = reduce(lambda left, right: right * left, [*reversed(factors)], Matrix(inputs))
    made = regression(list(mean), truth=true, inputs={symbol.name: GENERIC for symbol in inputs})
    return Factorisation(**vars(made), names=letters, sizes=shape, rank=r)


def _entries(factor: Matrix) -> list[tuple[tuple[int, int], Symbol]]:
    rows, columns = factor.shape
    return [((i, j), factor[i, j]) for i in range(rows) for j in range(columns)]
