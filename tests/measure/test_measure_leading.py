"""Leading eigenvalues of matrices that are too wide to be built: closed forms, and the twin that builds them."""

import math

import pytest
import torch
from torch import nn

from ddtheory.errors import DDTheoryError, MeasurementError
from ddtheory.measure import Categorical, Gaussian, Problem, activation_gram, gradient_gram, leading_spectrum
from ddtheory.measure.matrices.leading import range_found


def diagonal(values: torch.Tensor, number: int, seed: int = 0) -> object:
    """The leading spectrum of diag(values), its rows in two batches."""
    rows = torch.diag(values.sqrt())
    half = len(values) // 2
    return range_found(lambda: iter([(rows[:half], 1), (rows[half:], 0)]), float, number, seed, "diagonal")


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999, 1.0])
def test_every_interval_holds_its_eigenvalue(decay: float, seed: int) -> None:
    """λ_i = decay^i in 300 dimensions, from steep to equal, where the vectors say nothing and the bound says so."""
    values = decay ** torch.arange(300, dtype=torch.float64)
    found = diagonal(values, 6, seed)
    assert found.trace == pytest.approx(float(values.sum()), rel=1e-12)
    for interval, expected in zip(found.eigenvalues, values.tolist(), strict=False):
        assert interval.contains(expected), (interval, expected)
    if decay == 0.5:  # fourteen vectors are kept, and Σ λ over all others is 2⁻¹³
        assert max(interval.width for interval in found.eigenvalues) < 2 * 2.0**-13


def test_the_control_ritz_values_alone_would_be_too_small() -> None:
    found = diagonal(0.999 ** torch.arange(300, dtype=torch.float64), 6)
    assert found.eigenvalues[0].estimate < 1.0 - 1e-4


def test_few_rows_give_all_of_it() -> None:
    """Rank three in a thousand dimensions: rows of length 3, 2, 1 at right angles, and zeros."""
    rows = torch.zeros(3, 1000, dtype=torch.float64)
    rows[0, 5], rows[1, 500], rows[2, 999] = 3.0, 2.0, 1.0
    found = range_found(lambda: iter([(rows, 1)]), float, 5, 0, "three")
    assert [interval.contains(value) for interval, value in zip(found.eigenvalues, (9, 4, 1, 0, 0), strict=True)]
    assert max(interval.width for interval in found.eigenvalues) < 1e-11
    assert found.share == pytest.approx(1.0, abs=1e-12)


def wide(width: int, vocabulary: int, labels: int) -> Problem:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Embedding(vocabulary, 6), nn.Linear(6, width), nn.Tanh(), nn.Linear(width, labels)).double()
    return Problem.from_module(net, torch.randint(vocabulary, (40,)), Categorical(), batch_size=16)


@pytest.mark.parametrize("side", ["input", "output", "gradient"])
def test_it_agrees_with_the_matrix_that_is_built(side: str) -> None:
    problem = wide(60, 50, 4)
    for layer in ("1", "3"):
        built = gradient_gram(problem, layer) if side == "gradient" else activation_gram(problem, layer, side=side)
        found = leading_spectrum(problem, layer, number=4, side=side)
        assert found.width == built.width and found.trace == pytest.approx(float(built.matrix().trace()), rel=1e-10)
        expected = [*built.spectrum().eigenvalues, *[0.0] * 4]
        for interval, value in zip(found.eigenvalues, expected, strict=False):
            assert interval.lower <= value * (1 + 1e-9) and value * (1 - 1e-9) <= interval.upper


@pytest.mark.long
def test_words_and_classes_beyond_what_is_built() -> None:
    """A of an embedding is the diagonal of the frequencies; G of the outputs has rank below the classes by one."""
    problem = wide(8, 20_000, 9_000)
    with pytest.raises(MeasurementError, match="not built"):
        gradient_gram(problem, "3")
    counts = torch.bincount(problem.inputs).sort(descending=True).values / 40
    found = leading_spectrum(problem, "0", number=3)
    assert found.width == 20_000 and math.isclose(found.trace, 1.0, rel_tol=1e-12)
    assert all(one.contains(value) for one, value in zip(found.eigenvalues, counts.tolist(), strict=False))
    gradients = leading_spectrum(problem, "3", side="gradient", number=2)
    assert gradients.width == 9_000 and gradients.trace == pytest.approx(1.0, rel=0.05)  # Σ p(1 − p)


def test_what_is_refused() -> None:
    problem = wide(8, 20, 3)
    for options in ({"side": "both"}, {"number": 0}, {"axis": 0}, {"seed": -1}):
        with pytest.raises(DDTheoryError):
            leading_spectrum(problem, "1", **options)
    with pytest.raises(DDTheoryError):
        leading_spectrum(problem, "one")
    bare = Problem(lambda p, x: p["t"] * x, {"t": torch.ones(1).double()}, torch.ones(1, 1).double(), Gaussian())
    with pytest.raises(MeasurementError):
        leading_spectrum(bare, "1")
