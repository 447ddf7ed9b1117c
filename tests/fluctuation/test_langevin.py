"""Discrete Langevin on a quadratic: closed forms against the recursion of its moments, and against chains."""

from __future__ import annotations

import doctest
from fractions import Fraction
from typing import Any

import numpy
import pytest

from ddtheory import finite_n_germ, langevin_target
from ddtheory.errors import InvalidValueError
from ddtheory.exact.finite_n import langevin


def by_recursion(
    h: float, t: float, eps: float, gamma: float, c: float, sigma2: float, s2: float, steps: int, burnt: int
) -> float:
    """nβ h/2 times the mean of E w², one step after the other, from the update rule."""
    mean, square, total = c, c * c, 0.0
    for k in range(1, steps + 1):
        # w' = w (1 − ε(th + γ)/2) + εγc/2 − (ε/2) t h s ζ w − (ε/2) t σ ζ' + √ε ξ
        keep = 1 - eps * (t * h + gamma) / 2
        push = eps * gamma * c / 2
        square = (keep**2 + (eps * t * h / 2) ** 2 * s2) * square + 2 * keep * push * mean + push**2
        square += eps + (eps * t / 2) ** 2 * sigma2
        mean = keep * mean + push
        if k > burnt:
            total += square
    return t * h / 2 * total / (steps - burnt)


CASES: list[dict[str, Any]] = [
    {},
    {"localisation": 7},
    {"localisation": 7, "centre": ["1/3"]},
    {"gradient_noise": "1/50"},
    {"curvature_noise": "1/4"},
    {"localisation": 7, "centre": ["-1/2"], "gradient_noise": "1/10", "curvature_noise": "1/9"},
]


@pytest.mark.parametrize("options", CASES)
@pytest.mark.parametrize(("steps", "burnt"), [(1, 0), (30, 0), (30, 20), (None, 0)])
def test_the_moments_are_those_of_the_recursion(options: dict[str, Any], steps: int | None, burnt: int) -> None:
    found = langevin_target([3], 40, step="1/100", steps=steps, burn_in=burnt, **options)
    numbers = {name: float(Fraction(value)) for name, value in options.items() if name != "centre"}
    c = float(Fraction(options.get("centre", [0])[0]))
    expected = by_recursion(
        3, 40, 0.01, numbers.get("localisation", 0.0), c, numbers.get("gradient_noise", 0.0),
        numbers.get("curvature_noise", 0.0), steps or 6000, burnt if steps else 5999,
    )  # fmt: skip
    assert float(found.value) == pytest.approx(expected, rel=1e-10)
    assert sum(map(float, found.parts.values())) == pytest.approx(float(found.value), rel=1e-10)


def test_a_chain_in_numpy() -> None:
    """20 000 chains with all departures at once; without the one of the step size the value would be elsewhere."""
    source = numpy.random.default_rng(0)
    h, t, eps, gamma, c = numpy.array([1.0, 4.0]), 50.0, 0.012, 5.0, numpy.array([0.2, -0.1])
    sigma, s, shift = 0.3, 0.4, 0.002
    w = numpy.tile(c, (20_000, 1))
    values = []
    for k in range(1, 81):
        gradient = h * (1 + s * source.normal(size=w.shape)) * w + sigma * source.normal(size=w.shape)
        w = w - eps / 2 * (t * gradient + gamma * (w - c)) + numpy.sqrt(eps) * source.normal(size=w.shape)
        if k > 10:
            values.append(t * (0.5 * (h * w * w).sum(axis=1) - shift))
    chains = numpy.mean(values, axis=0)
    error = chains.std() / numpy.sqrt(len(chains))
    found = langevin_target(
        [1, 4], 50, step="12/1000", localisation=5, centre=["1/5", "-1/10"], gradient_noise="9/100",
        curvature_noise="16/100", baseline="2/1000", steps=80, burn_in=10,
    )  # fmt: skip
    assert abs(chains.mean() - float(found.value)) < 4 * error
    assert list(found.parts) == [
        "λ",
        "localisation",
        "step size",
        "gradient noise",
        "curvature noise",
        "chain length",
        "baseline",
    ]
    for name in ("localisation", "step size", "gradient noise", "curvature noise", "baseline"):
        assert abs(chains.mean() - float(found.value) + float(found.parts[name])) > 8 * error, name


def test_in_continuous_time_it_is_the_germ() -> None:
    """λ and the localisation together are `finite_n_germ`, which knows nothing of chains."""
    found = langevin_target([3, 1], 40, step="1/10^9".replace("10^9", "1000000000"), localisation=2, centre=["1/2", 0])
    germ = finite_n_germ("(3*x^2+y^2)/2", 40, variance="1/2", centre={"x": "1/2"}, digits=8)
    assert germ.learning_coefficient.contains(found.parts["λ"].midpoint + found.parts["localisation"].midpoint)
    assert abs(float(found.parts["step size"])) < 1e-6


def test_where_the_chain_diverges() -> None:
    assert langevin_target([1], 100, step="1/1000").stable_below == Fraction(4, 100)
    with pytest.raises(InvalidValueError, match="diverges"):
        langevin_target([1], 100, step="4/100")
    noisy = langevin_target([1], 100, step="1/1000", curvature_noise=1)
    assert noisy.stable_below == Fraction(2, 100)
    # above it the recursion grows, below it does not
    assert (
        by_recursion(1, 100, 0.0199, 0, 0, 0, 1, 20_000, 19_999)
        < 1e3
        < by_recursion(1, 100, 0.0201, 0, 0, 0, 1, 20_000, 19_999)
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"curvatures": []}, "one each"),
        ({"curvatures": [0]}, "positive"),
        ({"step": 0}, "positive"),
        ({"localisation": -1}, "not negative"),
        ({"centre": [1, 2]}, "one each"),
        ({"step": 0.1}, "float"),
        ({"steps": 5, "burn_in": 5}, "steps"),
    ],
)
def test_numbers_that_are_none(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        langevin_target(**{"curvatures": [1], "n_beta": 10, "step": "1/100", **options})


def test_the_examples_of_the_docstrings() -> None:
    assert doctest.testmod(langevin).failed == 0


def test_what_is_no_float_is_printed_and_refused_all_the_same() -> None:
    assert str(langevin_target([1], 100, step="1/1000", baseline=10**400)).startswith("-")
    for step in (10**400, 10**3000):
        with pytest.raises(InvalidValueError, match="its second moment is finite below 1/25"):
            langevin_target([1], 100, step=step)
    with pytest.raises(InvalidValueError, match="must be finite"):
        langevin_target([1], 100, step=float("nan"))
