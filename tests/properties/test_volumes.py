"""The rules for (λ, m) against volumes and evidences that know no rule, read with their log log term.

First route: the first passage of a chain, and one integral over log x (`ddtheory.measure.sublevel`), in floats. Second
route: the exact volumes and finite-n functions, by partial fractions, in ball arithmetic. Every property excludes the
pair of a wrong rule.
"""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from agreement import FEWER
from hypothesis import assume, event, example, given
from hypothesis import strategies as st
from seeded import sample

from ddtheory.exact.finite_n.crossings import finite_n
from ddtheory.exact.finite_n.volume import sublevel_volume
from ddtheory.exact.thresholds.intersection import separable_sum, transversal_crossing, union
from ddtheory.exact.thresholds.polyhedra.newton import monomial_rlct
from ddtheory.measure.sublevel import (
    DEPTHS,
    Threshold,
    crossing_evidence_exponents,
    crossing_exponents,
    planar_exponents,
    sampled_volume,
    threshold,
)
from ddtheory.values import RLCT

Block = tuple[tuple[int, int], ...]
"""∏ |w_i|^{p_i} with prior ∏ |w_i|^{h_i}, as pairs (p_i, h_i)."""

LAM_WIDTH, M_WIDTH = 0.02, 0.5
"""λ of these blocks are multiples of 1/12, and m are whole numbers: both widths are below half of a step."""

factors = st.tuples(st.sampled_from((2, 4, 6)), st.integers(0, 2))
blocks = st.lists(factors, min_size=1, max_size=3).map(tuple)
generators = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any), min_size=1, max_size=3, unique=True)


def rates(block: Block) -> list[float]:
    return [(h + 1) / p for p, h in block]


def pair(block: Block) -> RLCT:
    """Every factor alone has ((h + 1)/p, 1); the crossing rule does the rest."""
    return transversal_crossing(*(RLCT(Fraction(h + 1, p)) for p, h in block))


def agrees(found: Threshold, predicted: RLCT) -> bool:
    return found.lam.contains(float(predicted.lam)) and found.m.contains(predicted.m)


def conclusive(found: Threshold) -> bool:
    return found.lam.width < LAM_WIDTH and found.m.width < M_WIDTH


def tells_apart(found: Threshold, predicted: RLCT) -> None:
    """The right pair, narrowly, and none of its neighbours."""
    assert agrees(found, predicted), (found, predicted)
    assert conclusive(found), found
    for sign in (-1, 1):
        assert not found.m.contains(predicted.m + sign)
        assert not found.lam.contains(float(predicted.lam + sign * Fraction(1, 12)))


@given(blocks, blocks)
@example(((2, 0), (2, 0)), ((2, 0), (2, 0)))  # (ab)² (cd)²: m = 4
@example(((2, 0),), ((6, 2),))  # a tie of different powers
@example(((2, 0), (4, 0), (4, 0)), ((4, 0), (4, 0), (6, 0)))  # four ties at 1/4 just above 1/6: the slowest limit
def test_a_transversal_crossing(first: Block, second: Block) -> None:
    predicted = transversal_crossing(pair(first), pair(second))
    found = threshold(DEPTHS, crossing_exponents(rates(first + second)))
    tells_apart(found, predicted)
    wrong = separable_sum(pair(first), pair(second))
    event(f"m = {predicted.m}")
    assert not agrees(found, wrong)


@given(blocks, blocks)
@example(((2, 0), (2, 0)), ((2, 0), (2, 0)))  # (ab)² + (cd)²: m = 3, not 4
def test_a_separable_sum(first: Block, second: Block) -> None:
    predicted = separable_sum(pair(first), pair(second))
    parts = (crossing_evidence_exponents(rates(block)) for block in (first, second))
    found = threshold(DEPTHS, [sum(exponents) for exponents in zip(*parts, strict=True)])
    tells_apart(found, predicted)
    assert not agrees(found, transversal_crossing(pair(first), pair(second)))
    assert not found.m.contains(pair(first).m + pair(second).m)  # multiplicities of a sum do not add


@FEWER
@given(blocks, blocks)
def test_evidences_by_two_routes(first: Block, second: Block) -> None:
    """The exact λ(n) of a sum at log n = 50 against the floats; half of it is what one block would give."""
    n = Fraction(round(math.exp(50)))
    depth = math.log(n)
    exact = [
        finite_n([p for p, _ in block], n, prior=[h for _, h in block], digits=15).learning_coefficient
        for block in (first, second)
    ]
    found = [crossing_evidence_exponents(rates(block), [depth])[0] for block in (first, second)]
    assert sum(found) == pytest.approx(float(exact[0] + exact[1]), abs=1e-9)
    assert abs(sum(found) - float(exact[0])) > 1e-3


@FEWER
@given(blocks, blocks)
@example(((2, 0), (2, 0)), ((2, 0), (2, 0)))  # two equal charts: m = 2, never 4
@example(((2, 0), (2, 0)), ((6, 2),))
@example(((4, 0),), ((6, 1), (6, 1), (6, 1)))  # three ties at 1/3 just above 1/4: the slowest limit
def test_a_union_of_two_charts(first: Block, second: Block) -> None:
    """V = V_1 + V_2 on a domain cut in two, from exact volumes at ε = 10^{−50} to 10^{−3200}."""
    powers = [50 * 2**step for step in range(7)]
    exponents = []
    for power in powers:
        found = [
            sublevel_volume([p for p, _ in block], Fraction(1, 10**power), prior=[h for _, h in block], digits=20)
            for block in (first, second)
        ]
        volumes = [volume.volume.midpoint for volume in found]
        slopes = [volume.local_slope.midpoint for volume in found]
        exponents.append(float(sum(v * s for v, s in zip(volumes, slopes, strict=True)) / sum(volumes)))
    reading = threshold([power * math.log(10) for power in powers], exponents)
    predicted = union(pair(first), pair(second))
    tells_apart(reading, predicted)
    event("tie" if pair(first).lam == pair(second).lam else "no tie")
    assert not reading.m.contains(predicted.m + min(pair(first).m, pair(second).m))


@FEWER
@given(generators, st.tuples(st.integers(0, 2), st.integers(0, 2)))
@example([(2, 0), (1, 1)], (0, 0))  # x⁴ + x²y²: m = 2
@example([(3, 0), (1, 2)], (0, 0))  # x⁶ + x²y⁴: 1/3, and no tie
@example([(1, 1)], (0, 1))
def test_a_monomial_pair_in_the_plane(exponents: list[tuple[int, int]], prior: tuple[int, int]) -> None:
    """K = Σ x^{2a} y^{2b}: the programme of the Newton polyhedron against one integral over log x."""
    assume(any(b for _, b in exponents))
    predicted = monomial_rlct(exponents, prior)
    found = threshold(DEPTHS, planar_exponents([(2 * a, 2 * b) for a, b in exponents], prior=prior))
    event(f"m = {predicted.m}, {len(exponents)} generators")
    assert agrees(found, predicted), (found, predicted)
    assert conclusive(found), found
    assert not found.m.contains(3 - predicted.m)
    assert not found.lam.contains(2 * float(predicted.lam))  # λ of the ideal in the place of that of K
    flat = monomial_rlct(exponents)
    if flat.lam != predicted.lam:
        assert not found.lam.contains(float(flat.lam))  # the prior forgotten


def test_most_unions_and_ideals_have_a_logarithm_now_and_then() -> None:
    """The properties above would say little if no draw had m > 1."""
    ideals = sample(st.tuples(generators, st.tuples(st.integers(0, 2), st.integers(0, 2))), 60)
    tied = [monomial_rlct(exponents, prior).m for exponents, prior in ideals]
    crossings = [pair(block).m for block in sample(blocks, 60)]
    assert tied.count(2) >= 3, tied
    assert sum(m > 1 for m in crossings) >= 5, crossings


@pytest.mark.parametrize("seed", range(6))
def test_exact_volumes_against_draws(seed: int) -> None:
    """The second route itself, at ε = 0.01 where draws see it; the first passage reads its slope."""
    block = sample(st.lists(factors, min_size=2, max_size=3).map(tuple), 6)[seed]
    powers, weights = [p for p, _ in block], [h for _, h in block]
    exact = sublevel_volume(powers, "0.01", prior=weights, sided="one", digits=15)
    found = sampled_volume(
        lambda w: (
            (math.prod(row**p for row, p in zip(w, powers, strict=True)) < 0.01)
            * math.prod(row**h for row, h in zip(w, weights, strict=True))
        ),
        [(0.0, 1.0)] * len(powers),
        samples=200_000,
        seed=seed,
    )
    assert found.contains(float(exact.volume)), (block, found)
    assert found.width < 0.1 * float(exact.volume)
    assert not found.contains(1.2 * float(exact.volume))
    slope = crossing_exponents(rates(block), [math.log(100)])[0]
    assert slope == pytest.approx(float(exact.local_slope), rel=1e-9)
