"""The factors of a product of matrices of distinct variables, found from its expanded entries.

An entry of W_L ⋯ W_1 is the sum over all paths i_0 → i_1 → … → i_L of the products of the variables along them. So an
entry is a set of monomials, and a monomial a set of L variables, one of each matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from ddtheory.exact.thresholds.germs.limits import spend

Path = frozenset[int]
Entry = frozenset[Path]
Matrix = list[list[int]]


def factorised(entries: Iterable[Entry]) -> list[Matrix] | None:
    """Matrices W_1, …, W_L of variables whose product W_L ⋯ W_1 has these entries; one of two transposes.

    >>> a, b, c, d = range(4)
    >>> factorised([frozenset({frozenset({a, c}), frozenset({b, d})})])                  # a·c + b·d
    [[[0], [1]], [[2, 3]]]
    """
    listed = sorted(set(entries), key=lambda entry: sorted(map(sorted, entry)))
    sizes = {len(path) for entry in listed for path in entry}
    if len(sizes) != 1 or len(set(map(len, listed))) != 1:
        return None
    (length,) = sizes
    if length == 1:
        return [[[variable for entry in listed for path in entry for variable in path]]]
    together: dict[int, set[int]] = {}
    for path in chain.from_iterable(listed):
        spend()
        for variable in path:
            together.setdefault(variable, set()).update(path)
    segments = _segments(together)
    if len(segments) > 1:
        candidates = _chained(listed, segments)
    else:
        candidates = _two(listed) if length == 2 else _many(listed, together)
    return next((matrices for matrices in candidates if _product(matrices) == set(listed)), None)


def _product(matrices: Sequence[Matrix]) -> set[Entry]:
    """The entries of W_L ⋯ W_1."""
    product = [[frozenset({frozenset({i})}) for i in row] for row in matrices[0]]
    for matrix in matrices[1:]:
        columns = list(zip(*product, strict=True))
        product = [[_sum(row, column) for column in columns] for row in matrix]
    return set(chain.from_iterable(product))


def _sum(row: Sequence[int], column: Sequence[Entry]) -> Entry:
    spend()
    return frozenset(path | {i} for i, entry in zip(row, column, strict=True) for path in entry)


# --- a width 1 in between: the factors of an entry share no variable -------------------------------------------------


def _segments(together: dict[int, set[int]]) -> list[set[int]]:
    """The matrices between widths 1: at a width 1 all variables on one side occur with all on the other."""
    segments: list[set[int]] = []
    left = set(together)
    while left:
        spend()
        waiting = [min(left)]
        found = set(waiting)
        while waiting:
            apart = left - together[waiting.pop()] - found
            found |= apart
            waiting.extend(apart)
        left -= found
        segments.append(found)
    return segments


def _chained(entries: Sequence[Entry], segments: Sequence[set[int]]) -> Iterator[list[Matrix]]:
    """A row, scalars, and a column: only the first and the last segment have more than one entry."""
    rows: list[list[Matrix]] = []
    for segment in segments:
        matrices = factorised(frozenset(path & segment for path in entry) for entry in entries)
        if matrices is None:
            return
        row = matrices if len(matrices[-1]) == 1 else _transposed(matrices)
        rows.append(row)
    rows.sort(key=lambda row: -len(row[0][0]))
    first, *others = rows
    last = _transposed(others.pop(0))
    yield list(chain(first, *others, last))


# --- three and more factors: the first is split off ------------------------------------------------------------------


def _many(entries: Sequence[Entry], together: dict[int, set[int]]) -> Iterator[list[Matrix]]:
    """∂/∂W_1[a, i] of the entry (o, i) is the entry (o, a) of W_L ⋯ W_2, whatever i is."""
    at_end = {variable for variable in together if _is_at_end(entries, variable)}
    for start in sorted(min(entries[0], key=sorted)):
        if start in at_end:
            layer = {other for other in at_end if start not in together[other]} | {start}
            found = _without_first(entries, layer)
            if found is not None:
                yield found


def _is_at_end(entries: Sequence[Entry], variable: int) -> bool:
    """Whether at most one neighbour along a path may change together with the variable: two in the middle of a path."""
    entry = next(entry for entry in entries if any(variable in path for path in entry))
    path = min((path for path in entry if variable in path), key=sorted)
    beside = 0
    for other in path - {variable}:
        spend()
        beside += any(path - {variable, other} < another for another in entry if another != path)
    return beside <= 1


def _without_first(entries: Sequence[Entry], layer: set[int]) -> list[Matrix] | None:
    columns: dict[frozenset[int], dict[frozenset[Entry], int]] = {}
    for variable in sorted(layer):
        spend()
        held = frozenset(slot for slot, entry in enumerate(entries) if any(variable in path for path in entry))
        after = frozenset(frozenset(path - {variable} for path in entries[slot] if variable in path) for slot in held)
        columns.setdefault(held, {})[after] = variable
    units = {unit for column in columns.values() for unit in column}
    if any(set(column) != units for column in columns.values()) or len(columns) * len(units) != len(layer):
        return None
    rest = factorised(chain.from_iterable(units))
    if rest is None:
        return None
    for matrices in (rest, _transposed(rest)):
        # the unit a of W_1 is the column of W_2 whose variables lead on from it
        used = {unit: frozenset().union(*chain.from_iterable(unit)) for unit in units}
        order = [[unit for unit in units if set(column) <= used[unit]] for column in zip(*matrices[0], strict=True)]
        if all(len(found) == 1 for found in order) and len(order) == len(units):
            first = [[column[unit] for column in columns.values()] for (unit,) in order]
            return [first, *matrices]
    return None


def _transposed(matrices: Sequence[Matrix]) -> list[Matrix]:
    """(W_L ⋯ W_1)ᵀ = W_1ᵀ ⋯ W_Lᵀ."""
    return [[list(row) for row in zip(*matrix, strict=True)] for matrix in reversed(matrices)]


# --- two factors -----------------------------------------------------------------------------------------------------


def _two(entries: Sequence[Entry]) -> Iterator[list[Matrix]]:
    """A (hidden × input) and B (output × hidden), from which variables occur together."""
    partners: dict[int, set[int]] = {}
    places: dict[int, set[int]] = {}
    for slot, entry in enumerate(entries):
        for path in entry:
            spend()
            for variable in path:
                partners.setdefault(variable, set()).update(path - {variable})
                places.setdefault(variable, set()).add(slot)
    left = _one_side(partners, places)
    if left is None:
        return
    right = sorted(set(partners) - set(left))
    # all A-variables of one hidden unit have equal partners
    hidden = sorted({tuple(sorted(partners[i])) for i in left})
    inputs = sorted({tuple(sorted(places[i])) for i in left})
    outputs = sorted({tuple(sorted(places[i])) for i in right})
    slots = {(tuple(sorted(partners[i])), tuple(sorted(places[i]))): i for i in left}
    first = [[slots.get((unit, column), -1) for column in inputs] for unit in hidden]
    owner = {j: number for number, unit in enumerate(hidden) for j in unit}
    if set(owner) != set(right):
        return
    other = {(outputs.index(tuple(sorted(places[j]))), owner[j]): j for j in right}
    second = [[other.get((row, unit), -1) for unit in range(len(hidden))] for row in range(len(outputs))]
    if all(entry >= 0 for row in [*first, *second] for entry in row):
        yield [first, second]


def _one_side(partners: dict[int, set[int]], places: dict[int, set[int]]) -> list[int] | None:
    """The variables of A: those of a hidden unit occur with all of B of that unit, and stand in the columns of B·A."""
    left: list[int] = []
    columns: set[frozenset[int]] | None = None
    seen: set[int] = set()
    for start in sorted(partners):
        if start in seen:
            continue
        sides = [partners[min(partners[start])], partners[start]]
        seen.update(*sides)
        held = [{frozenset(places[i]) for i in side} for side in sides]
        columns = columns or held[0]
        if columns not in held:
            return None
        left.extend(sides[held.index(columns)])
    return left
