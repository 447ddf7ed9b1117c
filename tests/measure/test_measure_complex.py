"""Complex numbers in parameters, buffers, inputs and on the way are measured as they are, or refused in words."""

from __future__ import annotations

import math

import pytest
import torch
from dense_twins import gaussian_fisher, unit
from torch import Tensor, nn

from ddtheory.errors import DDTheoryError, DirectionError, InvalidValueError, MeasurementError
from ddtheory.measure import (
    Gaussian,
    Problem,
    activation_gram,
    fisher_along,
    fisher_gram,
    fisher_matrix,
    gradient_gram,
    kronecker_factors,
    kronecker_factors_of_all,
    order,
    ray,
)

X = torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64)
MEAN_SQUARE = 14 / 3  # of 1, 2, 3


class Imaginary(nn.Module):
    """x ↦ Im(x c a) with a complex buffer c = 1j: it is x a, and 0 once c is cast to a real number."""

    def __init__(self, factor: complex = 1j) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor([0.5]))
        self.register_buffer("c", torch.tensor(factor, dtype=torch.complex64))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.c * self.a).imag


class Modulus(nn.Module):
    """x ↦ |x w|² for one complex parameter w."""

    def __init__(self, start: complex) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([start], dtype=torch.complex64))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.w).abs() ** 2


class Spectral(nn.Module):
    """A Fourier layer: modes times complex weights, beside a pointwise map."""

    def __init__(self) -> None:
        super().__init__()
        self.modes = nn.Parameter(0.3 * torch.randn(2, 2, 3, dtype=torch.complex64))
        self.point = nn.Conv1d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        found = torch.einsum("bik,iok->bok", torch.fft.rfft(x)[..., :3], self.modes)
        return torch.tanh(torch.fft.irfft(found, n=x.shape[-1]) + self.point(x)).flatten(1)


class Rotary(nn.Module):
    """A linear map whose pairs are turned by complex phases that are a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4, bias=False)
        self.register_buffer("phases", torch.polar(torch.ones(2).double(), torch.tensor([0.3, 1.1]).double()))

    def forward(self, x: Tensor) -> Tensor:
        pairs = torch.view_as_complex(self.linear(x).reshape(len(x), 2, 2))
        return torch.view_as_real(pairs * self.phases).reshape(len(x), 4)


def test_a_complex_number_in_a_closure() -> None:
    c = torch.tensor(1j, dtype=torch.complex128)
    problem = Problem(lambda p, x: (x * c * p["a"]).imag, {"a": torch.full((1,), 0.5).double()}, X, Gaussian())
    profile = fisher_along(problem, {"a": torch.ones(1)}, [0.5])
    assert profile.fisher[0] == pytest.approx(MEAN_SQUARE, rel=1e-14)
    assert profile.divergence[0] == pytest.approx(MEAN_SQUARE * 0.25 / 2, rel=1e-14)


@pytest.mark.parametrize("factor", [1j, 2 + 3j, -0.5j])
def test_a_complex_buffer_stays_complex(factor: complex) -> None:
    module = Imaginary(factor)
    problem = Problem.from_module(module, X, Gaussian())
    profile = fisher_along(problem, {"a": torch.ones(1)}, [0.5])
    assert profile.fisher[0] == pytest.approx(factor.imag**2 * MEAN_SQUARE, rel=1e-14)
    assert problem.model.module.c.dtype == torch.complex128 and module.c.dtype == torch.complex64
    single = Problem.from_module(module, X, Gaussian(), dtype=torch.float32)
    assert single.model.module.c.dtype == torch.complex64


def test_a_cast_to_real_numbers_would_be_another_model() -> None:
    """The control: what `module.to(float64)` makes of it is flat."""
    with pytest.warns(UserWarning, match="discards the imaginary part"):
        cast = Imaginary().to(torch.float64)
    with pytest.raises(DDTheoryError):  # not even an answer: the imaginary part of a real number
        Problem.from_module(cast, X, Gaussian())


def test_a_complex_parameter_is_its_two_parts() -> None:
    """f = x²(a² + b²): F = E x⁴ (2a, 2b)(2a, 2b)ᵀ; the phase is a gauge, and flat."""
    problem = Problem.from_module(Modulus(0.5 + 2j), X, Gaussian())
    gradient = torch.tensor([1.0, 4.0], dtype=torch.float64)
    expected = 98 / 3 * torch.outer(gradient, gradient)
    assert problem.truth["w"].tolist() == [[0.5, 2.0]]
    assert torch.allclose(fisher_matrix(problem), expected, rtol=1e-13)
    assert torch.allclose(fisher_gram(problem).matrix(), expected, rtol=1e-13)
    assert order(fisher_along(problem, {"w": torch.tensor([[1.0, 0.0]])})).k == 1
    at_zero = Problem.from_module(Modulus(0j), X, Gaussian())
    assert order(fisher_along(at_zero, {"w": torch.tensor([[3.0, 4.0]])})).k == 2


def test_directions_are_real_coordinates() -> None:
    problem = Problem.from_module(Modulus(1j), X, Gaussian())
    with pytest.raises(DirectionError, match="view_as_real"):
        ray(problem, {"w": torch.ones(1, dtype=torch.complex64)})
    with pytest.raises(DirectionError, match="complex"):
        ray(problem, torch.ones(2, dtype=torch.complex64))
    with pytest.raises(InvalidValueError, match="complex"):
        fisher_matrix(problem, {"w": torch.ones(1, 2, dtype=torch.complex64)})
    with pytest.raises(InvalidValueError, match="complex"):
        problem.in_basis(torch.eye(2, dtype=torch.complex64))
    with pytest.raises(InvalidValueError, match="complex"):
        Problem.from_module(Modulus(1j), X, Gaussian(), weights=torch.ones(3, dtype=torch.complex64))


@pytest.mark.parametrize("module", [Spectral(), Rotary()])
def test_layers_with_complex_numbers_against_a_dense_twin(module: nn.Module) -> None:
    shape = (5, 2, 8) if isinstance(module, Spectral) else (5, 4)
    inputs = torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    problem = Problem.from_module(module, inputs, Gaussian(0.5))
    with torch.no_grad():  # in single precision
        assert torch.allclose(problem.truth_outputs(inputs), module(inputs.float()).double(), rtol=1e-4, atol=1e-5)
    flat = torch.cat([value.reshape(-1) for value in problem.truth.values()])
    twin = gaussian_fisher(problem, flat, inputs, 0.5)
    assert torch.allclose(fisher_matrix(problem), twin, rtol=1e-11, atol=1e-13)
    assert torch.allclose(fisher_gram(problem).matrix(), twin, rtol=1e-11, atol=1e-13)
    direction = unit(torch.randn(problem.dimension, generator=torch.Generator().manual_seed(4), dtype=torch.float64))
    near = fisher_along(problem, direction, [2.0**-30]).fisher[0]
    assert near == pytest.approx(float(direction @ twin @ direction), rel=1e-6)


def test_a_turn_by_phases_changes_no_length() -> None:
    """Rotations drop out of F: E xxᵀ for each row of the linear map."""
    inputs = torch.randn(6, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    problem = Problem.from_module(Rotary(), inputs, Gaussian())
    block = fisher_matrix(problem)[:4, :4]
    assert torch.allclose(block, inputs.mT @ inputs / 6, rtol=1e-12)


class Complex(nn.Module):
    def __init__(self, real: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2, dtype=torch.complex64)
        self.real = real

    def forward(self, x: Tensor) -> Tensor:
        return torch.view_as_real(self.linear(x)) if self.real else self.linear(x)


def test_complex_inputs_keep_their_imaginary_part() -> None:
    inputs = torch.tensor([[1j, 0], [0, 2j]], dtype=torch.complex64)
    problem = Problem.from_module(Complex(), inputs, Gaussian())
    batch, _ = next(problem.batches())
    assert batch.dtype == torch.complex128 and torch.equal(batch, inputs.to(torch.complex128))
    expected = torch.diag(torch.tensor([0.5, 0.5, 2.0, 2.0], dtype=torch.float64))  # E|x_j|², for both parts
    assert torch.allclose(fisher_gram(problem, names=["linear.weight"]).matrix()[:4, :4], expected)
    with pytest.raises(MeasurementError, match="NaN"):
        Problem.from_module(Complex(), torch.full((2, 2), complex(0, math.nan)), Gaussian())


def test_what_would_need_complex_factors_is_refused() -> None:
    inputs = torch.tensor([[1j, 0], [0, 2j]], dtype=torch.complex64)
    problem = Problem.from_module(Complex(), inputs, Gaussian())
    for door in (activation_gram, gradient_gram, kronecker_factors):
        with pytest.raises(MeasurementError, match="complex"):
            door(problem, "linear")
    with pytest.raises(MeasurementError, match="complex"):
        kronecker_factors_of_all(problem)
    with pytest.raises(MeasurementError, match="view_as_real"):
        Problem.from_module(Complex(real=False), inputs, Gaussian())
    with pytest.raises(MeasurementError, match="view_as_real"):
        Problem(lambda p, x: x * p["a"], {"a": torch.ones(1, dtype=torch.complex64)}, X, Gaussian())
    with pytest.raises(InvalidValueError, match="no complex numbers"):
        Problem.from_module(Imaginary(), X, Gaussian(), dtype=torch.bfloat16)
