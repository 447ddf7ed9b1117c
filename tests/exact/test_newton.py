"""The exact programme against closed forms, against all vertices, and against the rules for disjoint blocks."""

from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.intersection import separable_sum, transversal_crossing
from ddtheory.exact.thresholds.polyhedra.newton import is_certificate, monomial_rlct, newton_distance
from ddtheory.values import RLCT

dimensions = st.integers(1, 4)


@st.composite
def ideals(draw: st.DrawFn) -> tuple[list[tuple[int, ...]], list[Fraction]]:
    dimension = draw(dimensions)
    vector = st.tuples(*[st.integers(0, 5)] * dimension).filter(any)
    prior = st.fractions(min_value=Fraction(-1, 2), max_value=3, max_denominator=4)
    return draw(st.lists(vector, min_size=1, max_size=6)), draw(st.lists(prior, min_size=dimension, max_size=dimension))


@pytest.mark.parametrize(
    ("exponents", "prior", "value", "multiplicity"),
    [
        ([(1, 1)], (), 1, 2),
        ([(2, 3)], (), Fraction(1, 3), 1),
        ([(1, 1)], (1, 1), 2, 2),
        ([(1, 1)], (0, 1), 1, 1),  # min((0+1)/1, (1+1)/1)
        ([(2, 0), (0, 3)], (), Fraction(5, 6), 1),
        ([(1, 1, 0), (0, 1, 1), (1, 0, 1)], (), Fraction(3, 2), 1),  # ⟨x_i x_j⟩ in n variables: n/2
        ([(1, 1, 0, 0), (0, 0, 1, 1)], (), 2, 3),  # (λ_1 + λ_2, m_1 + m_2 − 1)
        ([(1, 1, 1)], (), 1, 3),
        # w_1 + w_2 = 1 with w_1 ≥ 1/3: a segment of optimal weights
        ([(1, 1), (3, 0)], (), 1, 2),
    ],
)
def test_by_hand(exponents: list, prior: tuple, value: object, multiplicity: int) -> None:
    found = newton_distance(exponents, prior)
    assert found.value == value
    assert found.multiplicity == multiplicity
    assert is_certificate(exponents, prior, found)


def _by_vertices(exponents: list[tuple[int, ...]], prior: list[Fraction]) -> tuple[Fraction, int]:
    """The minimum over all vertices of {w ≥ 0, ⟨w, a⟩ ≥ 1}, and 1 + the dimension spanned by the optimal ones."""
    size = len(prior)
    units = [tuple(int(i == j) for j in range(size)) for i in range(size)]
    planes = [(a, 1) for a in exponents] + [(unit, 0) for unit in units]
    vertices: set[tuple[Fraction, ...]] = set()
    for chosen in itertools.combinations(planes, size):
        matrix = fmpq_mat([[fmpq(entry) for entry in normal] for normal, _ in chosen])
        if matrix.det() == 0:
            continue
        solution = matrix.solve(fmpq_mat([[fmpq(level)] for _, level in chosen]))
        point = tuple(Fraction(int(solution[i, 0].p), int(solution[i, 0].q)) for i in range(size))
        if min(point) >= 0 and all(sum(w * e for w, e in zip(point, a, strict=True)) >= 1 for a in exponents):
            vertices.add(point)
    values = {point: sum(w * (h + 1) for w, h in zip(point, prior, strict=True)) for point in vertices}
    least = min(values.values())
    best = [point for point, value in values.items() if value == least]
    steps = [[fmpq(p.numerator, p.denominator) for p in map(Fraction.__sub__, point, best[0])] for point in best[1:]]
    return least, 1 + (fmpq_mat(steps).rank() if steps else 0)


@given(ideals())
def test_agrees_with_all_vertices_and_its_certificate_holds(ideal: tuple) -> None:
    exponents, prior = ideal
    found = newton_distance(exponents, prior)
    assert is_certificate(exponents, prior, found)
    assert (found.value, found.multiplicity) == _by_vertices(exponents, prior)
    # the control: a wrong value, or a weight that is off, is no certificate
    assert not is_certificate(exponents, prior, dataclasses.replace(found, value=found.value + Fraction(1, 7)))
    off = (found.weights[0] + 1, *found.weights[1:])
    assert not is_certificate(exponents, prior, dataclasses.replace(found, weights=off))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_normal_crossings(powers: list[int], data: st.DataObject) -> None:
    """∏ |w_i|^{k_i} with prior ∏|w_i|^{h_i}: min (h_i + 1)/k_i, and m counts the minimisers."""
    prior = [data.draw(st.fractions(min_value=0, max_value=3, max_denominator=3)) for _ in powers]
    ratios = [(h + 1) / k for h, k in zip(prior, powers, strict=True)]
    expected = RLCT(min(ratios) / 2, ratios.count(min(ratios)))
    assert monomial_rlct([tuple(powers)], prior) == expected


@given(ideals(), ideals())
def test_disjoint_ideals_add_and_multiply(first: tuple, second: tuple) -> None:
    """I + J and I·J in disjoint variables obey the rules for sums and crossings."""
    (a, h), (b, g) = first, second
    left, right = monomial_rlct(a, h), monomial_rlct(b, g)
    zeros_left, zeros_right = (0,) * len(h), (0,) * len(g)
    together = [(*v, *zeros_right) for v in a] + [(*zeros_left, *v) for v in b]
    assert monomial_rlct(together, [*h, *g]) == separable_sum(left, right)
    products = [(*v, *w) for v in a for w in b]
    assert monomial_rlct(products, [*h, *g]) == transversal_crossing(left, right)


@given(ideals(), st.integers(2, 4))
def test_powers_and_redundant_generators(ideal: tuple, power: int) -> None:
    exponents, prior = ideal
    pair = monomial_rlct(exponents, prior)
    scaled = monomial_rlct([tuple(power * entry for entry in a) for a in exponents], prior)
    assert scaled == RLCT(pair.lam / power, pair.m)
    multiple = tuple(entry + 1 for entry in exponents[0])  # in the ideal already
    assert monomial_rlct([*exponents, multiple], prior) == pair


def test_bad_input() -> None:
    for exponents, prior in [
        ([], ()),
        ([(1, 2), (1,)], ()),
        ([(0, 0)], ()),
        ([(-1, 2)], ()),
        ([(1, 1)], (-1, 0)),
        ([(1,)], (0, 0)),
    ]:
        with pytest.raises(InvalidValueError):
            newton_distance(exponents, prior)
