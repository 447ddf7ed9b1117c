"""Linear algebra without division: ranks, determinants and definiteness decided by exact signs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

from ddtheory.certify.limits import spend
from ddtheory.certify.polynomials import Polynomial, add, constant, multiply, proportional, variable
from ddtheory.certify.refusal import require
from ddtheory.certify.scalars import Number, primitive, sign

Row = Sequence[Number]


class Echelon:
    """Rows in echelon form; grows by one row at a time."""

    def __init__(self) -> None:
        self.rows: dict[int, list[Number]] = {}  # by the column of the pivot

    def reduced(self, row: Row) -> list[Number]:
        """A multiple of the row minus a combination of the rows held, zero in all their pivots."""
        rest = list(row)
        for column, held in sorted(self.rows.items()):
            if sign(rest[column]):
                factor, pivot = rest[column], held[column]
                rest = primitive(_combined(pivot, rest, factor, held))
        return rest

    def contains(self, row: Row) -> bool:
        """Whether the row is in the span."""
        return not any(sign(entry) for entry in self.reduced(row))

    def insert(self, row: Row) -> bool:
        """Add a row; whether it enlarged the span."""
        rest = self.reduced(row)
        pivot = next((column for column, entry in enumerate(rest) if sign(entry)), None)
        if pivot is None:
            return False
        self.rows[pivot] = rest
        return True

    @property
    def rank(self) -> int:
        return len(self.rows)


def _combined(pivot: Number, row: Row, factor: Number, held: Row) -> list[Number]:
    """pivot · row − factor · held."""
    found: list[Number] = []
    for a, b in zip(row, held, strict=True):
        spend()
        found.append(pivot * a - factor * b)
    return found


def rank(rows: Sequence[Row]) -> int:
    """The rank of a matrix.

    >>> rank([[1, 2], [2, 4]]), rank([[1, 2], [2, Fraction(9, 2)]])
    (1, 2)
    """
    echelon = Echelon()
    for row in rows:
        echelon.insert(row)
    return echelon.rank


def is_definite(matrix: Sequence[Row]) -> bool:
    """Whether a matrix is symmetric, and positive or negative definite: every pivot of symmetric elimination counts.

    >>> is_definite([[2, 1], [1, 2]]), is_definite([[-2, 1], [1, -2]]), is_definite([[1, 2], [2, 1]])
    (True, True, False)
    """
    size = len(matrix)
    if any(sign(matrix[i][j] - matrix[j][i]) for i in range(size) for j in range(i)):
        return False
    turn = sign(matrix[0][0])
    rows = [[turn * entry for entry in row] for row in matrix]
    while rows:
        pivot, first = rows[0][0], rows[0]
        if sign(pivot) <= 0:
            return False
        rows = [primitive(_combined(pivot, row[1:], row[0], first[1:])) for row in rows[1:]]
    return True


def product_entries(
    matrices: Sequence[Sequence[Sequence[int]]],
    dimension: int,
    constants: Sequence[Sequence[Row]] | None = None,
) -> tuple[list[int], list[Polynomial]]:
    """Widths d_0 … d_L and entries of W_L ⋯ W_1, for matrices W_1, …, W_L of variables given by their indices.

    With constants of the same shapes, every variable is added to one of them.
    """
    sizes = [(len(matrix), len(matrix[0])) for matrix in matrices]
    require(
        all(len(row) == columns for matrix, (_, columns) in zip(matrices, sizes, strict=True) for row in matrix),
        "a matrix has rows of different lengths",
    )
    require(
        all(before[0] == after[1] for before, after in itertools.pairwise(sizes)),
        "neighbouring matrices do not fit: rows of one differ from columns of the next",
    )
    factors = [[[variable(dimension, index) for index in row] for row in matrix] for matrix in matrices]
    if constants is not None:
        factors = [
            [[add(x, constant(dimension, c)) for x, c in zip(*rows, strict=True)] for rows in zip(*pair, strict=True)]
            for pair in zip(factors, constants, strict=True)
        ]
    product = factors[0]
    for factor in factors[1:]:
        columns = list(zip(*product, strict=True))
        product = [
            [add(*(multiply(x, p) for x, p in zip(row, column, strict=True))) for column in columns] for row in factor
        ]
    return [sizes[0][1], *(rows for rows, _ in sizes)], [entry for row in product for entry in row]


def minors(matrix: Sequence[Sequence[int]], size: int, dimension: int) -> list[Polynomial]:
    """All size × size minors of a matrix of variables."""
    found: list[Polynomial] = []
    for rows in itertools.combinations(matrix, size):
        for columns in itertools.combinations(range(len(matrix[0])), size):
            terms: list[Polynomial] = []
            for order in itertools.permutations(range(size)):
                spend()
                inversions = sum(order[i] > order[j] for i, j in itertools.combinations(range(size), 2))
                term = constant(dimension, (-1) ** inversions)
                for i, j in enumerate(order):
                    term = multiply(term, variable(dimension, rows[i][columns[j]]))
                terms.append(term)
            found.append(add(*terms))
    return found


def deep_linear(widths: Sequence[int]) -> tuple[Fraction, int]:
    """(λ, m) of ‖W_L ⋯ W_1‖² at 0 by two formulas that share nothing; refused when they disagree.

    Sources: Aoyagi 2024, Theorem 2 (closed form); Pepin Lehalleur and Rimányi 2024, Theorem 8.6 (half the codimension
    of the null fibre, by rank sequences), with the longest chain of minimising sequences as multiplicity.

    >>> deep_linear([2, 2, 2, 2])
    (Fraction(3, 2), 3)
    """
    closed, counted = _closed_form(widths), _by_rank_sequences(widths)
    require(closed == counted, f"the two formulas for widths {list(widths)} disagree: {closed} and {counted}")
    return closed


def _closed_form(widths: Sequence[int]) -> tuple[Fraction, int]:
    """A set of ℓ + 1 widths with sum S, ℓ max(inside) ≤ S < ℓ min(outside): a = S − (⌈S/ℓ⌉ − 1)ℓ, m = a(ℓ − a) + 1."""
    ordered = sorted(widths)
    for count in range(2, len(ordered) + 1):
        spend()
        inside, outside = ordered[:count], ordered[count:]
        length, total = count - 1, sum(inside)
        if total >= length * inside[-1] and (not outside or total < length * outside[0]):
            excess = total - (-(-total // length) - 1) * length
            pairs = sum(x * y for x, y in itertools.combinations(inside, 2))
            value = Fraction(excess * (length - excess), 4 * length) + Fraction(pairs, 2)
            return value - Fraction((length - 1) * total**2, 4 * length), excess * (length - excess) + 1
    raise AssertionError("some prefix of the sorted widths satisfies both inequalities")


def _by_rank_sequences(widths: Sequence[int]) -> tuple[Fraction, int]:
    """½ min Σ (R_{k−1} − R_k)(d_k − R_k) over d_0 = R_0 ≥ R_1 ≥ … ≥ R_L = 0, R_k ≤ d_k."""
    states: dict[int, tuple[int, list[tuple[int, ...]]]] = {widths[0]: (0, [()])}
    for layer, width in enumerate(widths[1:], 1):
        ranks = range(width + 1) if layer < len(widths) - 1 else range(1)
        following: dict[int, tuple[int, list[tuple[int, ...]]]] = {}
        for before, (cost, sequences) in states.items():
            for after in ranks:
                if after > before:
                    break
                price = cost + (before - after) * (width - after)
                extended = [_extended(sequence, after) for sequence in sequences]
                if after not in following or price < following[after][0]:
                    following[after] = (price, extended)
                elif price == following[after][0]:
                    following[after] = (price, following[after][1] + extended)
        states = following
    cost, sequences = states[0]
    longest: dict[tuple[int, ...], int] = {}
    for sequence in sorted(sequences):
        below = [longest[s] for s in longest if _is_below(s, sequence)]
        longest[sequence] = 1 + max(below, default=0)
    return Fraction(cost, 2), max(longest.values())


def _extended(sequence: tuple[int, ...], rank: int) -> tuple[int, ...]:
    spend()
    return (*sequence, rank)


def _is_below(left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    spend()
    return all(x <= y for x, y in zip(left, right, strict=True))


def is_multiple_of_all(generators: Sequence[Polynomial], expected: Sequence[Polynomial]) -> bool:
    """Whether the generators are non-zero multiples of the expected polynomials, each of which occurs."""
    remaining = {frozenset(p): p for p in expected}
    for generator in generators:
        match = remaining.get(frozenset(generator))
        if match is None or not proportional(generator, match):
            return False
    return {frozenset(generator) for generator in generators} == set(remaining)
