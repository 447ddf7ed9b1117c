"""Matrix products: three derivations against each other and against published values."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.matrix_products import (
    at_factorisation,
    by_elementary_divisors,
    by_rank_sequences,
    deep_linear,
    reduced_rank,
)
from ddtheory.values import RLCT

# (widths, pairs for rank 0, 1, 2, …): Aoyagi 2024 and Pepin Lehalleur and Rimányi 2024, as tabulated in the literature
PUBLISHED = [
    ((1, 1, 1), [("1/2", 2), ("1/2", 1)]),
    ((1, 1, 1, 1), [("1/2", 3), ("1/2", 1)]),
    ((2, 2, 2), [("3/2", 1), ("2", 2), ("2", 1)]),
    ((2, 2, 2, 2), [("3/2", 3), ("2", 3), ("2", 1)]),
    ((2,) * 5, [("3/2", 5), ("2", 4), ("2", 1)]),
    ((3,) * 4, [("3", 1), ("4", 3), ("9/2", 3), ("9/2", 1)]),
    ((3,) * 5, [("3", 4), ("4", 5), ("9/2", 4), ("9/2", 1)]),
    ((4,) * 4, [("11/2", 3), ("13/2", 1), ("15/2", 3), ("8", 3)]),
    ((5,) * 6, [("15/2", 1), ("19/2", 5), ("11", 7), ("12", 7)]),
    ((3, 2, 3, 2, 3), [("2", 4), ("3", 1), ("4", 1)]),
    ((5, 10, 10, 10, 10, 5), [("25/2", 1)] * 4),
    ((185, 259, 286, 885, 235, 204, 274, 252), [("30165/2", 5)]),
]


@pytest.mark.parametrize(("widths", "pairs"), PUBLISHED, ids=lambda value: str(value)[:30])
def test_published_values(widths: tuple[int, ...], pairs: list[tuple[str, int]]) -> None:
    assert [deep_linear(widths, rank) for rank in range(len(pairs))] == [RLCT(Fraction(lam), m) for lam, m in pairs]


def test_two_layers_by_four_derivations_and_by_strata() -> None:
    cases = 0
    for sizes in itertools.product(range(1, 7), repeat=3):
        for rank in range(min(sizes) + 1):
            pair = deep_linear(sizes, rank)
            assert pair == reduced_rank(*sizes, rank) == by_rank_sequences(sizes, rank)
            assert pair == by_elementary_divisors(*sizes, rank)
            assert pair == min(_local_pairs(sizes, rank))
            cases += 1
    assert cases == 657  # 6³ sizes with all ranks: no case is skipped


def _local_pairs(sizes: tuple[int, int, int], rank: int) -> list[RLCT]:
    inputs, hidden, outputs = sizes
    return [
        at_factorisation(*sizes, rank=rank, rank_first=a, rank_second=b)
        for a in range(rank, min(inputs, hidden) + 1)
        for b in range(rank, min(hidden, outputs) + 1)
        if a + b - hidden <= rank
    ]


@given(st.lists(st.integers(1, 6), min_size=2, max_size=6), st.data())
def test_any_depth_by_two_derivations(widths: list[int], data: st.DataObject) -> None:
    rank = data.draw(st.integers(0, min(widths)))
    assert deep_linear(widths, rank) == by_rank_sequences(widths, rank)


def second(parts: list[int]) -> int:
    return sum(a * b for a, b in itertools.combinations(parts, 2))


@given(st.lists(st.integers(1, 7), min_size=2, max_size=6), st.data())
def test_twice_the_coefficient_is_an_integer_at_any_depth(widths: list[int], data: st.DataObject) -> None:
    """2λ by elementary symmetric functions, for every set 𝓜 of the definition; an uneven cut of S gives another one."""
    rank = data.draw(st.integers(0, min(widths) - 1))
    gaps = [width - rank for width in widths]
    fixed = rank * (widths[0] + widths[-1]) - rank**2
    seen = 0
    for chosen in itertools.chain(*[itertools.combinations(range(len(gaps)), k) for k in range(2, len(gaps) + 1)]):
        inside = [gaps[i] for i in chosen]
        outside = [gaps[i] for i in range(len(gaps)) if i not in chosen]
        total, count, largest = sum(inside), len(inside) - 1, max(inside)
        if total < count * largest or (outside and not (largest < min(outside) and total < count * min(outside))):
            continue
        quotient, rest = divmod(total, count)
        even = [quotient + 1] * rest + [quotient] * (count - rest)
        seen += 1
        assert 2 * deep_linear(widths, rank).lam == fixed + second(inside) - second(even)
        uneven = [even[0] + 1, *even[1:-1], even[-1] - 1]
        assert count == 1 or second(uneven) < second(even)  # the control
    assert seen


@given(st.lists(st.integers(1, 8), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_at_the_zero_map_the_order_of_the_widths_does_not_matter(widths: list[int], random: object) -> None:
    shuffled = list(widths)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert deep_linear(widths) == deep_linear(shuffled)


def test_the_slice_coefficient_is_not_the_contribution() -> None:
    """Along W_l = D(t) the ray has order L, so 1/(2L); but the dead unit adds (1/2, L) to the live 15/2."""
    live = Fraction(15, 2)
    assert deep_linear((4, 4, 4, 4), rank=3) == RLCT(live + Fraction(1, 2), 3)
    assert deep_linear((4, 4, 4, 4), rank=3).lam != live + Fraction(1, 6)


def test_local_pairs_of_two_by_two() -> None:
    """By hand: at zero factors the map is quadratic in 8 variables; with an invertible factor the fibre is smooth."""
    table = {(0, 0, 0): "3/2", (0, 1, 0): "3/2", (0, 1, 1): "3/2", (0, 2, 0): "2", (1, 1, 2): "2", (2, 2, 2): "2"}
    for (rank, a, b), lam in table.items():
        assert at_factorisation(2, 2, 2, rank=rank, rank_first=a, rank_second=b) == RLCT(Fraction(lam), 1)
    assert at_factorisation(2, 2, 2, rank=1, rank_first=1, rank_second=1) == RLCT(Fraction(2), 2)


def test_bad_input() -> None:
    for widths, rank in [((3,), 0), ((2, 0), 0), ((2, 2), 3), ((2, 2), -1), ((2.0, 2), 0)]:
        with pytest.raises(InvalidValueError):
            deep_linear(widths, rank)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="Sylvester"):
        at_factorisation(2, 2, 2, rank=0, rank_first=2, rank_second=1)
