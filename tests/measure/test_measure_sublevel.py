"""Measured volumes against closed forms, and readings of (λ, m) that a wrong exponent cannot pass."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ddtheory.errors import InvalidValueError
from ddtheory.measure.sublevel import (
    DEPTHS,
    crossing_evidence_exponents,
    crossing_exponents,
    planar_exponents,
    sampled_volume,
    threshold,
)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_tied_rates_are_erlang(count: int) -> None:
    """P(sum of r exponentials > ℓ) = e^{−λℓ} Σ_{j<r} (λℓ)^j/j!, so the exponent is λ (λℓ)^{r−1}/(r−1)!/Σ."""
    for depth, found in zip(DEPTHS, crossing_exponents([0.25] * count), strict=True):
        x = depth / 4
        terms = [math.exp(j * math.log(x) - math.lgamma(j + 1)) for j in range(count)]
        assert found == pytest.approx(0.25 * terms[-1] / sum(terms), rel=1e-10)


@pytest.mark.parametrize(("first", "second"), [(0.25, 0.5), (0.5, 0.25), (1 / 12, 3.0)])
def test_two_rates_by_hand(first: float, second: float) -> None:
    """V = (b e^{−aℓ} − a e^{−bℓ})/(b − a)."""
    slow, fast = sorted((first, second))
    for depth, found in zip(DEPTHS, crossing_exponents([first, second]), strict=True):
        decay = math.exp(-(fast - slow) * depth)
        assert found == pytest.approx(slow * fast * (1 - decay) / (fast - slow * decay), rel=1e-9)


def test_evidence_of_one_power() -> None:
    """∫_0^1 e^{−n x^p} x^h dx = Γ(λ, from 0 to n)/p · n^{−λ}: the exponent is λ up to e^{−n}."""
    for rate in (1 / 12, 0.5, 3.0):
        assert crossing_evidence_exponents([rate], [20.0, 300.0]) == pytest.approx([rate, rate], rel=1e-10)


def test_evidence_of_a_crossing_by_hand() -> None:
    """Z = ∫ (s/4) e^{−s/2} e^{−n e^{−s}} ds ∝ d/dμ of Γ(μ) n^{−μ} at μ = ½: the exponent is ½ − 1/(log n − ψ(½))."""
    digamma = -np.euler_gamma - 2 * math.log(2)
    for depth in (40.0, 400.0):
        exact = 0.5 - 1 / (depth - digamma)
        assert crossing_evidence_exponents([0.5, 0.5], [depth]) == pytest.approx([exact], rel=1e-10)


@pytest.mark.parametrize("prior", [(0.0, 0.0), (0.0, 1.0), (2.0, -0.5)])
def test_a_product_in_the_plane_is_a_crossing(prior: tuple[float, float]) -> None:
    """The integral over log x and the matrix exponential share nothing."""
    for a, b in ((2, 2), (4, 2), (6, 2)):
        rates = [(prior[0] + 1) / a, (prior[1] + 1) / b]
        assert planar_exponents([(a, b)], prior=prior) == pytest.approx(crossing_exponents(rates), abs=1e-9)


@pytest.mark.parametrize(("a", "b"), [(2, 2), (2, 4), (12, 2), (6, 10)])
def test_a_sum_in_the_plane_is_quasi_homogeneous(a: int, b: int) -> None:
    """{x^a + y^b < ε} is the set at 1, scaled, as soon as it fits into the square."""
    assert planar_exponents([(a, 0), (0, b)]) == pytest.approx([1 / a + 1 / b] * len(DEPTHS), abs=1e-9)


def test_the_plane_against_draws() -> None:
    """x⁶ + x²y⁴ at ε = e^{−3}, where a million draws see the volume."""
    level = math.exp(-3)
    low, high = (
        sampled_volume(lambda w, at=at: w[0] ** 6 + w[0] ** 2 * w[1] ** 4 < at, [(0, 1)] * 2, samples=1_000_000, seed=5)
        for at in (level * math.exp(-0.25), level * math.exp(0.25))
    )
    slope = math.log(high.estimate / low.estimate) * 2
    (found,) = planar_exponents([(6, 0), (2, 4)], [3.0])
    assert found == pytest.approx(slope, abs=0.02)


def test_a_reading_excludes_its_rivals() -> None:
    found = threshold(DEPTHS, crossing_exponents([0.5, 0.5, 0.5]))
    assert found.lam.contains(0.5) and found.m.contains(3)
    assert found.lam.width < 1e-6 and found.m.width < 1e-3
    # without its slope in 1/ℓ the deepest exponent itself would be read, and it is not λ
    assert not found.lam.contains(crossing_exponents([0.5, 0.5, 0.5])[-1])
    drifting = [value + 0.1 * math.sin(depth) for value, depth in zip([0.5] * 7, DEPTHS, strict=True)]
    assert threshold(DEPTHS, drifting).lam.width > 0.05


def test_bad_input() -> None:
    with pytest.raises(InvalidValueError, match="four depths"):
        threshold([50.0, 100.0, 200.0], [0.5] * 3)
    with pytest.raises(InvalidValueError, match="one factor"):
        threshold([50.0, 100.0, 200.0, 300.0], [0.5] * 4)
    for powers in ([(2, 0)], [(2, 0), (0, 0)]):
        with pytest.raises(InvalidValueError, match="vanish"):
            planar_exponents(powers)
