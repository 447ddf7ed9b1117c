"""Factorisations by ranks: strata against a small field, dimensions against the group, pairs by hand and raw."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from flint import fmpz_mat, nmod_mat
from sympy import Matrix, symbols

from ddtheory.errors import InvalidValueError
from ddtheory.exact.strata import of_matrix_product
from ddtheory.exact.strata.chains import Chain, across, chains
from ddtheory.exact.thresholds.matrix_products import at_factorisation, by_rank_sequences, deep_linear
from ddtheory.exact.thresholds.rlct import rlct
from ddtheory.values import RLCT


def canonical(orbit: Chain) -> list[list[list[int]]]:
    """Matrices of the orbit, row i of the first one being where line i of V_0 goes: written from the intervals."""
    lines = [interval for interval, number in orbit.numbers.items() for _ in range(number)]
    at = [[line for line, (i, j) in enumerate(lines) if i <= k <= j] for k in range(len(orbit.sizes))]
    return [[[int(line == other) for other in following] for line in own] for own, following in itertools.pairwise(at)]


def stabiliser_orbit_dimension(matrices: list[list[list[int]]]) -> int:
    """The dimension of the orbit under changes of bases that keep the product: the rank of the group's differential."""
    factors = [Matrix(m) for m in matrices]
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    sizes = [factors[0].rows, *(factor.cols for factor in factors)]
    steps = [(k, i, j) for k, n in enumerate(sizes) for i in range(n) for j in range(n)]

    def unit(k: int, step: tuple[int, int, int]) -> Matrix:
        found = Matrix.zeros(sizes[k], sizes[k])
        if step[0] == k:
            found[step[1], step[2]] = 1
        return found

    moves, keeps = [], []
    for step in steps:
        x = [unit(k, step) for k in range(len(sizes))]
        moves.append([e for k, m in enumerate(factors) for e in x[k] * m - m * x[k + 1]])
        keeps.append(list(x[0] * product - product * x[-1]))
    both = [move + keep for move, keep in zip(moves, keeps, strict=True)]

    def rank(rows: list[list[int]]) -> int:
        return int(fmpz_mat([[int(e) for e in row] for row in rows]).rank())

    return rank(both) - rank(keeps)  # of the moves of those combinations that keep the product


def shapes(length: int, largest: int) -> list[tuple[tuple[int, ...], int]]:
    listed = itertools.product(range(1, largest + 1), repeat=length)
    return [(sizes, rank) for sizes in listed for rank in range(min(sizes) + 1)]


def ranks_of(orbit: Chain) -> tuple[int, ...]:
    """Of the partial products that vary, shorter ones first."""
    return tuple(number for pair, number in orbit.ranks.items() if pair != (0, orbit.last))


@pytest.mark.parametrize(("sizes", "rank"), [((2, 2, 2), 0), ((2, 2, 2), 1), ((2, 1, 1, 2), 0), ((1, 2, 2, 1), 0)])
def test_the_strata_are_those_of_all_matrices_over_the_field_of_two(sizes: tuple[int, ...], rank: int) -> None:
    seen = set()
    shape = list(itertools.pairwise(sizes))
    for entries in itertools.product((0, 1), repeat=sum(n * m for n, m in shape)):
        rest, factors = iter(entries), []
        for n, m in shape:
            factors.append(nmod_mat(n, m, [next(rest) for _ in range(n * m)], 2))
        ranks = {}
        for start, end in itertools.combinations(range(len(sizes)), 2):
            product = factors[start]
            for factor in factors[start + 1 : end]:
                product = product * factor
            ranks[start, end] = product.rank()
        if ranks[0, len(sizes) - 1] == rank:
            seen.add(tuple(sorted(ranks.items())))
    listed = [tuple(sorted(orbit.ranks.items())) for orbit in chains(sizes, rank)]
    assert sorted(listed) == sorted(seen)
    assert seen != {tuple(sorted(orbit.ranks.items())) for orbit in chains(sizes, 1 - rank)}  # the control


@pytest.mark.parametrize(("sizes", "rank"), [*shapes(3, 2), ((3, 2, 3), 1), ((2, 2, 2, 2), 0), ((2, 3, 2, 2), 1)])
def test_dimensions_are_those_of_the_group(sizes: tuple[int, ...], rank: int) -> None:
    table = of_matrix_product(sizes, rank, seconds=1e-6)
    expected = {ranks_of(orbit): stabiliser_orbit_dimension(canonical(orbit)) for orbit in chains(sizes, rank)}
    found = {tuple(row.ranks.values()): row.dimension for row in table.strata}
    assert found == expected


def test_two_factors_by_hand() -> None:
    """2 × 2 × 2 at C = 0: A and B with AB = 0. Where one factor is invertible the other is 0, 4 coordinates: (2, 1). At
    ranks (1, 1), (1, 0), (0, 1) and (0, 0) the pair is (3/2, 1), as for the ideal of the product at 0.
    """
    table = of_matrix_product((2, 2, 2))
    found = {tuple(row.ranks.values()): (row.dimension, row.rlct) for row in table.strata}
    worst = RLCT(Fraction(3, 2))
    assert found == {
        (0, 0): (0, worst),
        (0, 1): (3, worst),
        (1, 0): (3, worst),
        (1, 1): (5, worst),
        (0, 2): (4, RLCT(2)),
        (2, 0): (4, RLCT(2)),
    }
    assert table.rlct == worst
    assert {tuple(row.ranks.values()) for row in table.dominating} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_three_scalars_by_hand() -> None:
    """xyz = 0: m is the number of coordinates that vanish."""
    for stratum in of_matrix_product((1, 1, 1, 1)).strata:
        zeros = 3 - stratum.ranks["A"] - stratum.ranks["B"] - stratum.ranks["C"]
        assert stratum.rlct == RLCT(Fraction(1, 2), zeros)
        assert stratum.dimension == 3 - zeros


def test_one_matrix_is_a_point() -> None:
    (only,) = of_matrix_product((3, 2), 1).strata
    assert (only.dimension, only.rlct) == (0, RLCT(3))


@pytest.mark.parametrize(("sizes", "rank"), shapes(3, 4))
def test_two_factors_have_the_local_pairs_of_reduced_rank_regression(sizes: tuple[int, int, int], rank: int) -> None:
    for row in of_matrix_product(sizes, rank, seconds=1e-6).strata:
        ranks = {"rank": rank, "rank_first": row.ranks["A"], "rank_second": row.ranks["B"]}
        assert row.rlct == at_factorisation(*sizes, **ranks)


@pytest.mark.parametrize(("sizes", "rank"), [*shapes(3, 4), *shapes(4, 2), *shapes(5, 2), ((3, 2, 3, 3), 1)])
def test_the_whole_has_the_pair_of_the_literature_by_another_way(sizes: tuple[int, ...], rank: int) -> None:
    """λ is half the least codimension of a stratum, from dimensions alone; m is that of the sequences of ranks."""
    table = of_matrix_product(sizes, rank, seconds=1e-6)
    parameters = sum(n * m for n, m in itertools.pairwise(sizes))
    assert table.rlct is not None
    assert table.rlct.lam == Fraction(parameters - max(row.dimension for row in table.strata), 2)
    assert table.rlct == by_rank_sequences(sizes, rank) == deep_linear(sizes, rank)
    largest = max(table.strata, key=lambda row: (row.upper.value, row.dimension))
    if largest.upper.value > table.rlct.lam:  # the control: not every stratum would do
        assert largest not in table.dominating


@pytest.mark.parametrize(("sizes", "rank"), [*shapes(3, 3), *shapes(4, 2), ((2, 3, 3, 2), 1)])
def test_the_regular_directions_are_the_rank_of_the_differential(sizes: tuple[int, ...], rank: int) -> None:
    for orbit in chains(sizes, rank):
        factors = [Matrix(m) for m in canonical(orbit)]
        rows = []
        for k, factor in enumerate(factors):
            for i, j in itertools.product(range(factor.rows), range(factor.cols)):
                step = Matrix.zeros(factor.rows, factor.cols)
                step[i, j] = 1
                parts = [*factors[:k], step, *factors[k + 1 :]]
                product = parts[0]
                for part in parts[1:]:
                    product = product * part
                rows.append([int(entry) for entry in product])
        assert across(orbit).regular == fmpz_mat(rows).rank()


@pytest.mark.parametrize(("sizes", "rank"), [((1, 1, 1, 1), 0), ((2, 1, 2, 1), 0), ((1, 2, 2, 1), 0)])
def test_three_factors_have_the_pairs_of_the_raw_ideals(sizes: tuple[int, ...], rank: int) -> None:
    """The entries of ABC − C at a point of each stratum, derived without the slice; rank/2 is not enough."""
    table = {tuple(row.ranks.values()): row for row in of_matrix_product(sizes, rank).strata}
    names = symbols(f"w:{sum(n * m for n, m in itertools.pairwise(sizes))}")
    halves = []
    for orbit in chains(sizes, rank):
        rest = iter(names)
        at, product, value = {}, None, None
        for matrix in canonical(orbit):
            own = [[next(rest) for _ in row] for row in matrix]
            at |= {s.name: e for row, line in zip(own, matrix, strict=True) for s, e in zip(row, line, strict=True)}
            product = Matrix(own) if product is None else product * Matrix(own)
            value = Matrix(matrix) if value is None else value * Matrix(matrix)
        generators = [entry.expand() for entry in product - value]
        used = {s.name for entry in generators for s in entry.free_symbols}
        found = rlct(generators=generators, at={name: step for name, step in at.items() if name in used}, seconds=10)
        assert found.rlct == table[ranks_of(orbit)].rlct
        halves.append(found.rlct is not None and 2 * found.rlct.lam == across(orbit).regular)
    assert not all(halves)


def test_sums_over_paths_are_derived() -> None:
    """V = [0] + [1, 2] + [1] + [2] + [3]: r p + s x q, a quadric of rank 2 with a cubic: (1/2, 1), not (1/2, 3)."""
    lines = {(0, 0): 1, (1, 2): 1, (1, 1): 1, (2, 2): 1, (3, 3): 1}
    network = across(Chain((1, 2, 2, 1), lines))
    assert (network.regular, [part.as_product() for part in network.parts()]) == (0, [None])
    assert [set(entry.split(" + ")) for entry in network.entries()] == [{"x0_2*x2_4", "x0_1*x1_3*x3_4"}]
    table = of_matrix_product((1, 2, 2, 1))
    (row,) = [row for row in table.strata if list(row.ranks.values()) == [0, 1, 0, 0, 0]]
    assert row.rlct == RLCT(Fraction(1, 2))
    (bare,) = [
        row for row in of_matrix_product((2, 2, 2, 2), seconds=1e-9).strata if [*row.ranks.values()] == [1, 1, 1, 1, 0]
    ]
    assert bare.lower.value == bare.upper.value == Fraction(3, 2)


@pytest.mark.parametrize(
    ("sizes", "rank", "names", "message"),
    [
        ((2, 0, 2), 0, (), "give n_0 … n_L"),
        ((2,), 0, (), "at least two"),
        ((2, 2.0, 2), 0, (), "positive integers"),
        ((2, 1, 2), 2, (), "cannot have rank 2"),
        ((2, 2, 2), 0, ("A",), "ask for 2 matrices"),
        ((2, 2, 2), 0, ("A", "A"), "different names"),
        ((2, 2, 2), 0, ("A", "B-1"), "is a word"),
        ((9, 9, 9, 9, 9), 0, (), "more than 1000 strata"),
    ],
)
def test_what_is_no_product_is_refused(sizes: tuple[int, ...], rank: int, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        of_matrix_product(sizes, rank, names=names)


def test_a_matrix_of_more_rows_than_anything_has_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="at most 1000000000"):
        of_matrix_product([2, 10**5000, 2])
