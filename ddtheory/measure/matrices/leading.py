"""The leading eigenvalues of a Gram matrix that is too wide to be built, by a randomised range finder, enclosed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.doors import count, real_number, seed_number, shown, text
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.matrices.kronecker import gradients_at
from ddtheory.measure.matrices.labels import Cotangents, Labels
from ddtheory.measure.matrices.layers import run_once
from ddtheory.measure.matrices.rows import weighted_rows
from ddtheory.measure.matrices.unfolding import SIDES, axis_of, features, side_of
from ddtheory.measure.setting.problem import Problem, as_problem
from ddtheory.shown import Shown, decimal
from ddtheory.values import Interval

OVERSAMPLED = 8
"""So many more random vectors than eigenvalues are asked for."""

STEPS = 2
"""Passes over the data that turn random vectors towards the leading ones."""

PROBES = 10
"""Random vectors that say what is missed: their bound fails with probability 10⁻¹⁰."""

_ROUNDING = 100.0  # in ε of the largest eigenvalue


@dataclass(frozen=True, repr=False)
class LeadingSpectrum(Shown):
    """The largest eigenvalues of a Gram matrix M, each between a Ritz value and what is missed at most.

    Attributes:
        eigenvalues: from large to small. The lower end of each is proven, the upper end holds for all of them together
            with probability 1 − 10⁻¹⁰ over the random vectors.
        width: of M.
        trace: tr M, exact to rounding.
        label: how messages call it.
    """

    eigenvalues: tuple[Interval, ...]
    width: int
    trace: float
    label: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.eigenvalues, tuple) or any(not isinstance(one, Interval) for one in self.eigenvalues):
            raise InvalidValueError(f"The eigenvalues are {shown(self.eigenvalues)}; give a tuple of intervals.")
        text("The label", self.label)
        object.__setattr__(self, "width", count("width", self.width))
        object.__setattr__(self, "trace", real_number("The trace", self.trace))

    @property
    def share(self) -> float:
        """Σ λ over the lower ends as a part of the trace: at least so much of M is in what is listed."""
        return math.fsum(value.lower for value in self.eigenvalues) / self.trace if self.trace > 0 else 1.0

    def __repr__(self) -> str:
        first = self.eigenvalues[0] if self.eigenvalues else Interval(0.0, 0.0, 0.0)
        return (
            f"LeadingSpectrum({self.label!r}, {len(self.eigenvalues)} of {self.width} eigenvalues, the largest in "
            f"[{first.lower:.4g}, {first.upper:.4g}], {self.share:.1%} of the trace {self.trace:.4g})"
        )

    def latex(self) -> str:
        listed = ",\\ ".join(decimal(value.estimate) for value in self.eigenvalues[:4])
        dots = r",\ \dots" if len(self.eigenvalues) > 4 else ""
        return rf"\lambda \approx {listed}{dots},\quad \operatorname{{tr}} M = {decimal(self.trace)}"

    def rows(self) -> Mapping[str, str]:
        return {
            "eigenvalues": ", ".join(f"[{value.lower:.4g}, {value.upper:.4g}]" for value in self.eigenvalues[:8]),
            "width": str(self.width),
            "trace": f"{self.trace:.6g}",
            "share of the trace": f"{self.share:.1%}",
        }


def leading_spectrum(
    problem: Problem,
    layer: str,
    parameters: Mapping[str, Tensor] | None = None,
    *,
    number: int = 16,
    side: str = "input",
    axis: int | None = None,
    labels: Labels = None,
    seed: int = 0,
) -> LeadingSpectrum:
    r"""The largest eigenvalues of A = E[a aᵀ] or G of a layer of any width, in the units of these.

    The matrix is that of `activation_gram`, or with side="gradient" G = E[g gᵀ] of `gradient_gram`. They build it up to
    a width of 8192 and keep what is small in it; here nothing of the size width² is built, and eigenvalues below 10⁻¹⁴
    of the largest are rounding. Random vectors are multiplied by M a few times and made orthonormal, columns of Q; the
    data are passed three times.

    The eigenvalues θ_i of QᵀMQ are at most λ_i, by interlacing. With e ≥ ‖(1 − QQᵀ)M‖ they are at least λ_i less what
    is missed: λ_i ≤ σ_i(MQ) + e, and λ_i ≤ θ_i + tr M − tr QᵀMQ; the smaller bound counts. e is 10 √(2/π) times the
    largest of ten ‖(1 − QQᵀ)Mω‖, ω Gaussian and drawn anew.

    Args:
        parameters, axis: as in `activation_gram`.
        side: "input", "output" or "gradient".
        labels: of "gradient", as in `gradient_gram`. Where they are random draws, M is the mean over these, and its own
            error is not in the intervals.
        number: how many eigenvalues; fewer where the layer is narrower.
        seed: of the random vectors.

    Raises:
        UnknownNameError, InvalidValueError, MeasurementError: see `activation_gram`.

    Source: Halko, Martinsson and Tropp 2011, algorithms 4.3 and 4.4, equation 4.3.

    >>> from ddtheory.measure import Gaussian
    >>> net = torch.nn.Sequential(torch.nn.Embedding(10_000, 2), torch.nn.Linear(2, 1))
    >>> words = torch.tensor([7, 7, 7, 9_999])                                    # A = diag of frequencies
    >>> found = leading_spectrum(Problem.from_module(net, words, Gaussian()), "0", number=2)
    >>> [(round(value.lower, 9), round(value.upper, 9)) for value in found.eigenvalues]
    [(0.75, 0.75), (0.25, 0.25)]
    """
    positions = as_problem(problem).at(parameters)
    layer = text("The name of the layer", layer)
    number, seed = count("number", number), seed_number(seed)
    side, axis = side_of(side, (*SIDES, "gradient")), axis_of(axis)

    def activations() -> Iterator[tuple[Tensor, int]]:
        for inputs, weights in problem.batches():
            found = run_once(problem, layer, positions, inputs, partial(_copied, layer, side, axis))
            yield weighted_rows(problem, found, weights, layer), len(weights)

    def gradients() -> Iterator[tuple[Tensor, int]]:
        for inputs, weights in problem.batches():
            drawn = Cotangents(problem, labels)  # the same draws at every pass
            for number, found in enumerate(gradients_at(problem, layer, positions, inputs, drawn)):
                yield weighted_rows(problem, found, weights, layer), 0 if number else len(weights)

    rows, what = (gradients, "gradients at") if side == "gradient" else (activations, "activations of")
    with measuring():
        return range_found(rows, problem.total, number, seed, f"{what} layer {layer}")


def _copied(layer: str, side: str, axis: int | None, module: nn.Module, found: Tensor, output: Tensor) -> Tensor:
    return features(layer, module, found, output, side, axis).clone()


def range_found(
    rows: Callable[[], Iterator[tuple[Tensor, int]]], total: Callable[[int], float], number: int, seed: int, label: str
) -> LeadingSpectrum:
    """The leading spectrum of Σ rowsᵀ rows / total(samples); `rows` yields (·, width) beside so many samples."""
    first, _ = next(rows())
    if first.is_complex():
        raise MeasurementError("The values are complex, and a Gram of real numbers is wanted. Choose a real layer.")
    width = first.shape[1]
    kept = min(number, width)
    generator = torch.Generator().manual_seed(seed)

    def random(columns: int) -> Tensor:
        return torch.randn(width, columns, generator=generator, dtype=torch.float64).to(first.device)

    def times(vectors: Tensor) -> tuple[Tensor, float]:
        """M times the vectors, and its trace."""
        product, trace, samples = torch.zeros_like(vectors), 0.0, 0
        for batch, seen in rows():
            wide = batch.double()
            product += wide.mT @ (wide @ vectors)
            trace += float(wide.square().sum())
            samples += seen
        if not math.isfinite(trace):
            raise MeasurementError(f"The Gram of {label} is NaN or infinite. The model has left its domain.")
        return product / total(samples), trace / total(samples)

    basis = random(min(kept + OVERSAMPLED, width))
    for _ in range(STEPS):
        basis = torch.linalg.qr(times(basis)[0]).Q
    product, trace = times(torch.cat([basis, random(PROBES)], dim=1))
    product, probes = product[:, : basis.shape[1]], product[:, basis.shape[1] :]
    small = basis.mT @ product
    ritz = torch.linalg.eigvalsh(0.5 * (small + small.mT)).flip(0).clamp(min=0.0)
    missed = 10 * math.sqrt(2 / math.pi) * float((probes - basis @ (basis.mT @ probes)).norm(dim=0).max())
    rest = max(0.0, trace - float(ritz.sum()))
    above = torch.minimum(torch.linalg.svdvals(product) + missed, ritz + rest)
    rounding = _ROUNDING * torch.finfo(torch.float64).eps * float(ritz[0])
    found = tuple(
        Interval(theta, max(0.0, theta - rounding), max(theta, most) + rounding)
        for theta, most in zip(ritz[:kept].tolist(), above[:kept].tolist(), strict=True)
    )
    return LeadingSpectrum(found, width, trace, label)
