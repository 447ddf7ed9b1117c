"""Conformance cells at random: any number of questions to an estimator, each with its exact answer."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ddtheory.testing.ranges import check_whole
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from ddtheory.testing.conformance import ConformanceCell


def crossing_cells(
    *, max_blocks: int = 2, max_block_size: int = 3, max_order: int = 3, max_prior: int = 2, max_localisation: int = 0
) -> SearchStrategy[ConformanceCell]:
    """Sums of normal crossings ∏ w_i^{2k_i} with priors ∏ |w_i|^{h_i}; shrinks to K = w² on [−1, 1].

    Args:
        max_blocks: terms of the sum.
        max_block_size: variables of a term.
        max_order: of the k_i.
        max_prior: of the h_i.
        max_localisation: γ is a whole number up to this; 0 keeps the box, any other γ is on ℝ^d.

    Raises:
        InvalidValueError: a bound is no whole number in reach.

    >>> from hypothesis import find
    >>> find(crossing_cells(max_prior=0), lambda cell: cell.rlct.m == 2).name
    'w²w²'
    """
    max_blocks = check_whole("max_blocks", max_blocks, least=1)
    max_block_size = check_whole("max_block_size", max_block_size, least=1)
    max_order = check_whole("max_order", max_order, least=1)
    max_prior = check_whole("max_prior", max_prior, least=0)
    max_localisation = check_whole("max_localisation", max_localisation, least=0)
    powers = st.tuples(st.integers(1, max_order), st.integers(0, max_prior))
    block = st.lists(powers, min_size=1, max_size=max_block_size)

    @st.composite
    def draw_cell(draw: DrawFn) -> ConformanceCell:
        from ddtheory.testing.conformance import crossing_sum

        blocks = draw(st.lists(block, min_size=1, max_size=max_blocks))
        gamma = draw(st.integers(0, max_localisation))
        rates = [[Fraction(h + 1, 2 * k) for k, h in part] for part in blocks]
        prior = [h for part in blocks for _, h in part]
        name = " + ".join("".join(f"w{_superscript(2 * k)}" for k, _ in part) for part in blocks)
        name += f", prior {prior}" if any(prior) else ""
        return crossing_sum(
            name + (f", γ = {gamma}" if gamma else ""),
            *[[2 * k for k, _ in part] for part in blocks],
            rlct=RLCT(sum(map(min, rates), Fraction(0)), 1 + sum(part.count(min(part)) - 1 for part in rates)),
            prior=prior,
            localisation=gamma,
        )

    return draw_cell()


def _superscript(number: int) -> str:
    return "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(number))
