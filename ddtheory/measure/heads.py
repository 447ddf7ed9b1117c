"""What the outputs of a model mean: the metric of the output law, and its divergence, head by head.

A head knows two things. `whitened` sends an output tangent v to a tensor whose squared norm, sample by
sample, is the Fisher metric vᵀG(f)v of the law p(y | f): the *expected* Fisher, labels drawn from the
model, never the empirical one. `divergence` is KL(q ‖ p) in nats between the law at the truth and the law
at other outputs, computed from the difference of the outputs so that K ~ δ² keeps its relative accuracy
for every δ that the outputs resolve.

Shapes: outputs and tangents (batch, …) in one floating dtype; `whitened` returns (batch, …), linear in the
tangent; `divergence` returns (batch,), summed over everything but the first dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.stable import bregman, exponential_remainder, hessian, positive_factor, second_along


class Head(Protocol):
    """The law of the label given the outputs. Any object with these two methods is a head."""

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        """A tensor (batch, …), linear in the tangents, whose squared norm per sample is vᵀG(f)v."""
        ...

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        """KL(law at the truth ‖ law at `outputs`) per sample, in nats, shape (batch,)."""
        ...


def per_sample(values: Tensor) -> Tensor:
    """Sum over everything but the first dimension."""
    return values.reshape(values.shape[0], -1).sum(dim=1)


@dataclass(frozen=True)
class Gaussian:
    """Regression with independent noise of one known variance: y ~ N(f, σ² I).

    G = I/σ², so F = E[JᵀJ]/σ² and K = E‖f − f0‖²/(2σ²).

    Raises:
        InvalidValueError: the variance is not positive and finite.

    >>> head = Gaussian(variance=0.25)
    >>> zero, one = torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    >>> head.divergence(zero, one).item(), head.whitened(zero, one).square().item()   # 1/(2σ²), 1/σ²
    (2.0, 4.0)
    """

    variance: float = 1.0

    def __post_init__(self) -> None:
        if not (self.variance > 0 and math.isfinite(self.variance)):
            raise InvalidValueError(
                f"The noise variance is {self.variance!r}; it must be positive and finite. "
                "Pass σ², the variance of one output component."
            )

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        return tangents / math.sqrt(self.variance)

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        return per_sample((outputs - truth_outputs).square()) / (2 * self.variance)


@dataclass(frozen=True)
class Categorical:
    """Classification: outputs are logits, the last dimension runs over the classes, p = softmax(f).

    G = diag p − ppᵀ; whitened tangent √p (v − p·v). Other dimensions (a sequence, an image) are independent
    labels of one sample, and are summed. With d = f − f0 centred so that Σ q d = 0,
    K = log(1 + Σ q (eᵈ − 1 − d)): every term is positive, so nothing cancels.

    >>> logits = torch.zeros(1, 2, dtype=torch.float64)
    >>> v = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    >>> round(Categorical().whitened(logits, v).square().sum().item(), 15)   # p(1 − p) at p = 1/2
    0.25
    >>> moved = logits + 1e-6 * v
    >>> round(Categorical().divergence(logits, moved).item() / 1e-12, 9)     # p(1 − p)/2
    0.125
    """

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        p = torch.softmax(outputs, dim=-1)
        return p.sqrt() * (tangents - (p * tangents).sum(dim=-1, keepdim=True))

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        q = torch.softmax(truth_outputs, dim=-1)
        step = outputs - truth_outputs
        step = step - (q * step).sum(dim=-1, keepdim=True)
        near = torch.log1p((q * exponential_remainder(step)).sum(dim=-1))
        # exp overflows far away, where cancellation is no concern
        far = torch.logsumexp(torch.log_softmax(truth_outputs, dim=-1) + step, dim=-1)
        return per_sample(torch.where(step.amax(dim=-1) < 100.0, near, far))


@dataclass(frozen=True)
class ExponentialFamily:
    """Outputs are natural parameters η of p(y | η) = h(y) exp(η·T(y) − A(η)).

    G = ∇²A(η), and K is the Bregman divergence A(η) − A(η0) − ∇A(η0)·(η − η0), computed where it cancels
    as ∫₀¹ (1 − s) Δᵀ∇²A(η0 + sΔ)Δ ds by Gauss–Legendre quadrature.

    `log_partition` is A, vectorised and differentiable by torch. It may act

    - element by element (result of the shape of η): every output component is an independent label with a
      one-parameter family, the Hessian is diagonal; this is Poisson (`torch.exp`), Bernoulli
      (`torch.nn.functional.softplus`), exponential (η ↦ −log(−η));
    - on the last dimension (result of the shape of η without it): one family with that many parameters; the
      Hessian is formed for each sample, so keep that dimension small.

    Raises:
        MeasurementError: A has another shape, or is not convex.

    >>> poisson = ExponentialFamily(torch.exp)
    >>> eta = torch.tensor([[0.0]], dtype=torch.float64)
    >>> poisson.whitened(eta, torch.ones_like(eta)).square().item()       # variance = mean = 1
    1.0
    >>> expected = math.exp(0.5) - 1 - 0.5                                # mean 1 against mean √e
    >>> abs(poisson.divergence(eta, eta + 0.5).item() - expected) < 1e-15
    True
    """

    log_partition: Callable[[Tensor], Tensor]

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        if self._acts_by_element(outputs):
            curvature = second_along(self.log_partition, outputs, torch.ones_like(outputs))
            if bool((curvature < 0).any()):
                raise MeasurementError(
                    f"The log partition function has second derivative {curvature.min().item():.3g} < 0. "
                    "The log partition of an exponential family is convex: check its sign."
                )
            return curvature.sqrt() * tangents
        factor = positive_factor(hessian(self.log_partition, outputs), "The Hessian of the log partition function")
        return (factor @ tangents.unsqueeze(-1)).squeeze(-1)

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        self._acts_by_element(truth_outputs)
        return per_sample(bregman(self.log_partition, truth_outputs, outputs))

    def _acts_by_element(self, outputs: Tensor) -> bool:
        shape = self.log_partition(outputs).shape
        if shape == outputs.shape:
            return True
        if shape == outputs.shape[:-1]:
            return False
        raise MeasurementError(
            f"The log partition function maps natural parameters {tuple(outputs.shape)} to {tuple(shape)}. "
            "It must act element by element, or reduce the last dimension and keep the others."
        )


@dataclass(frozen=True)
class Density:
    """A density known at quadrature nodes: inputs are the nodes, outputs (nodes,) or (nodes, 1) are log p_θ.

    The weights of the problem are those of the base measure, Σ w g ≈ ∫ g, and the sum over samples does the
    integral: F = Σ w p (∂ log p)² and K = Σ w q log(q/p). The summand used is q (eᵈ − 1 − d), d = log p − log
    q, which has the same sum when p and q have the same mass, has one sign and does not cancel. A family that
    is not normalised on these nodes is therefore measured wrongly: give enough nodes.

    >>> nodes = torch.tensor([0.0, 1.0], dtype=torch.float64)         # two atoms of base weight 1: a coin
    >>> q, p = torch.log(torch.tensor([[0.5, 0.5], [0.25, 0.75]], dtype=torch.float64))
    >>> expected = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    >>> abs(Density().divergence(q, p).sum().item() - expected) < 1e-15
    True
    """

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        self._one_value_a_node(outputs)
        return torch.exp(0.5 * outputs) * tangents

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        self._one_value_a_node(outputs)
        return per_sample(torch.exp(truth_outputs) * exponential_remainder(outputs - truth_outputs))

    def _one_value_a_node(self, outputs: Tensor) -> None:
        if outputs.numel() != outputs.shape[0]:
            raise MeasurementError(
                f"A density has one log value a node, but the outputs have shape {tuple(outputs.shape)}. "
                "Return log p_θ at the nodes, shape (nodes,) or (nodes, 1)."
            )


@dataclass(frozen=True)
class OutputMetric:
    """A metric on output space given by hand: `matrix` sends outputs (batch, out) to PSD G (batch, out, out).

    F = E[JᵀG(f)J]. No law stands behind a bare metric, so the divergence is only its local quadratic,
    K = ½ E[(f − f0)ᵀ G(f0) (f − f0)]: right to leading order in f − f0, not beyond.
    Outputs with more dimensions are flattened to (batch, out) before `matrix` sees them.

    Raises:
        MeasurementError: `matrix` returns another shape, or a matrix with a negative eigenvalue.

    >>> head = OutputMetric(lambda f: torch.diag_embed(torch.tensor([[4.0, 0.0]], dtype=torch.float64)))
    >>> v = torch.tensor([[3.0, 5.0]], dtype=torch.float64)
    >>> zero = torch.zeros_like(v)
    >>> head.whitened(zero, v).square().sum().item(), head.divergence(zero, v).item()
    (36.0, 18.0)
    """

    matrix: Callable[[Tensor], Tensor]

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        flat = outputs.reshape(outputs.shape[0], -1)
        metric = self.matrix(flat)
        if metric.shape != (*flat.shape, flat.shape[1]):
            raise MeasurementError(
                f"The output metric has shape {tuple(metric.shape)} where the outputs have "
                f"{tuple(flat.shape)}. Return one matrix a sample, shape (batch, out, out)."
            )
        factor = positive_factor(metric, "The output metric")
        return (factor @ tangents.reshape(flat.shape).unsqueeze(-1)).squeeze(-1)

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        return 0.5 * per_sample(self.whitened(truth_outputs, outputs - truth_outputs).square())


@dataclass(frozen=True)
class HeadKind:
    """A row of the table of heads.

    Attributes:
        head: the class.
        law: the law of the label given the outputs f, in one sentence.
    """

    head: type
    law: str


HEADS: Mapping[str, HeadKind] = {
    kind.head.__name__: kind
    for kind in (
        HeadKind(Gaussian, "y ~ N(f, σ² I) with σ² known: regression."),
        HeadKind(Categorical, "y ~ softmax(f), where the last axis of f holds the logits: classification."),
        HeadKind(ExponentialFamily, "y ~ h(y) exp(f·T(y) − A(f)), where f holds natural parameters."),
        HeadKind(Density, "x ~ exp(f(x)), where f is the log density at quadrature nodes: density estimation."),
        HeadKind(OutputMetric, "No law: a metric on outputs given by hand, and its quadratic for a divergence."),
    )
}
"""Every head by name. A new one has its class above, a row here, and a case in `tests/measure/head_cases.py`."""
