"""Evidences of products of matrices against plain averages over Gaussian draws, where those can see them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ddtheory.errors import InvalidValueError
from ddtheory.workbench.measurements.matrix_evidence import _log_bessel, three_factors, two_factors

DRAWS = 500_000
FEW, MANY = 0.5, 2.0
NEAR = 0.03
"""Five standard errors of the ratio at the worst of these cells; the rivals below are at least 0.08 away."""


def drawn(shapes: list[tuple[int, int]], rank: int) -> float:
    """log Z(1/2) − log Z(2), from Gaussian matrices and nothing else."""
    generator = np.random.default_rng(7)
    product = generator.standard_normal((DRAWS, *shapes[0]))
    for shape in shapes[1:]:
        product = generator.standard_normal((DRAWS, *shape)) @ product
    target = np.zeros(product.shape[1:])
    target[range(rank), range(rank)] = 1.0
    loss = ((product - target) ** 2).sum(axis=(1, 2)) / 2
    return math.log(np.exp(-FEW * loss).mean() / np.exp(-MANY * loss).mean())


def by_two(hidden: int, outputs: int, rank: int) -> float:
    few, many = (two_factors(hidden, outputs, rank, math.log(n), reach=3) for n in (FEW, MANY))
    return few - many


def by_three() -> float:
    few, many = (three_factors(math.log(n), reach=3) for n in (FEW, MANY))
    return few - many


@pytest.mark.long
@pytest.mark.parametrize(("hidden", "outputs", "rank"), [(2, 2, 0), (2, 2, 1), (2, 2, 2), (3, 2, 1), (3, 4, 0)])
def test_two_factors_against_draws(hidden: int, outputs: int, rank: int) -> None:
    found = drawn([(hidden, 2), (outputs, hidden)], rank)
    assert by_two(hidden, outputs, rank) == pytest.approx(found, abs=NEAR)
    assert abs(by_two(hidden + 1, outputs, rank) - found) > NEAR
    assert abs(by_two(hidden, outputs, 1 if rank == 0 else 0) - found) > NEAR


def test_three_factors_against_draws() -> None:
    assert by_three() == pytest.approx(drawn([(2, 2)] * 3, 1), abs=NEAR)
    assert abs(by_three() - drawn([(2, 2)] * 2, 1)) > NEAR  # two factors
    assert abs(by_three() - drawn([(2, 2)] * 3, 0)) > NEAR  # rank 0


def test_the_bessel_function() -> None:
    """At the seam of the two formulas, and against the integral (1/π) ∫ e^{−x(1 − cos θ)} dθ."""
    theta = (np.arange(4000) + 0.5) * math.pi / 4000
    for x in (0.0, 1.0, 19.999, 20.001, 300.0):
        exact = math.log(np.exp(-x * (1 - np.cos(theta))).mean())
        assert float(_log_bessel(np.array([x]))[0]) == pytest.approx(exact, abs=1e-10)


def test_bad_input() -> None:
    for arguments in ((1, 2, 0), (2, 0, 0), (2, 2, 3), (2, 1, 2)):
        with pytest.raises(InvalidValueError):
            two_factors(*arguments, 10.0)
