"""What the outputs of a model mean: the metric of the output law, and its divergence, head by head."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.doors import real_number, shown
from ddtheory.measure.heads.families import ExponentialFamily as ExponentialFamily
from ddtheory.measure.heads.head import Head as Head
from ddtheory.measure.heads.head import any_of, moving, tiny
from ddtheory.measure.heads.head import per_sample as per_sample
from ddtheory.measure.heads.stable import exponential_remainder, positive_factor
from ddtheory.shown import Shown


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
        variance = real_number("The noise variance", self.variance)
        if not (variance > 0 and math.isfinite(variance)):
            raise InvalidValueError(
                f"The noise variance is {variance!r}; it must be positive and finite. "
                "Pass σ², the variance of one output component."
            )
        object.__setattr__(self, "variance", variance)

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

    def saturated(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        """A logit moves against the mean one, and its probability is zero in this dtype, which it never is."""
        p = torch.softmax(outputs, dim=-1)
        against = tangents - (p * tangents).sum(dim=-1, keepdim=True)
        return any_of((p < tiny(outputs)) & moving(outputs, against))

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        q = torch.softmax(truth_outputs, dim=-1)
        step = outputs - truth_outputs
        step = step - (q * step).sum(dim=-1, keepdim=True)
        near = torch.log1p((q * exponential_remainder(step)).sum(dim=-1))
        # exp overflows far away, where cancellation is no concern
        far = torch.logsumexp(torch.log_softmax(truth_outputs, dim=-1) + step, dim=-1)
        return per_sample(torch.where(step.amax(dim=-1) < 100.0, near, far))


@dataclass(frozen=True)
class Bernoulli:
    """Labels 0 and 1, one for each output, which is the logit of 1: y ~ Bernoulli(σ(f)), independent.

    The law of `Categorical` with the two logits 0 and f, computed as such: G = σ(f)σ(−f), to full relative accuracy on
    both sides.

    >>> logit = torch.full((1, 1), 40.0, dtype=torch.float64)
    >>> metric = Bernoulli().whitened(logit, torch.ones_like(logit)).square().sum().item()
    >>> abs(metric / math.exp(-40.0) - 1) < 1e-14                        # e⁻⁴⁰/(1 + e⁻⁴⁰)²
    True
    """

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        return Categorical().whitened(_against_zero(outputs), _against_zero(tangents))

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        return Categorical().divergence(_against_zero(truth_outputs), _against_zero(outputs))

    def saturated(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        return Categorical().saturated(_against_zero(outputs), _against_zero(tangents))


def _against_zero(logits: Tensor) -> Tensor:
    return torch.stack([torch.zeros_like(logits), logits], dim=-1)


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

    def saturated(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        return any_of((torch.exp(outputs) < tiny(outputs)) & moving(outputs, tangents))

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

    def __post_init__(self) -> None:
        if not callable(self.matrix):
            raise InvalidValueError(
                f"The output metric is {shown(self.matrix)}; give a function from outputs (batch, out) to matrices."
            )

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        flat = outputs.reshape(outputs.shape[0], -1)
        metric = self.matrix(flat)
        if not isinstance(metric, Tensor) or metric.dtype != outputs.dtype:
            what = metric.dtype if isinstance(metric, Tensor) else type(metric).__name__
            raise MeasurementError(f"The output metric is {what}, not a tensor of {outputs.dtype} as the outputs are.")
        if metric.shape != (*flat.shape, flat.shape[1]):
            raise MeasurementError(
                f"The output metric has shape {tuple(metric.shape)} where the outputs have "
                f"{tuple(flat.shape)}. Return one matrix a sample, shape (batch, out, out)."
            )
        factor = positive_factor(metric, "The output metric")
        return (factor @ tangents.reshape(flat.shape).unsqueeze(-1)).squeeze(-1)

    def saturated(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        """Never: a metric that is given by hand is zero where it says so."""
        return torch.zeros(len(outputs), dtype=torch.bool, device=outputs.device)

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        return 0.5 * per_sample(self.whitened(truth_outputs, outputs - truth_outputs).square())


@dataclass(frozen=True, repr=False)
class HeadKind(Shown):
    """A row of the table of heads.

    Attributes:
        head: the class.
        law: the law of the label given the outputs f, in one sentence.
    """

    head: type
    law: str

    def __str__(self) -> str:
        return f"{self.head.__name__}: {self.law}"

    def rows(self) -> Mapping[str, str]:
        return {"head": self.head.__name__, "law": self.law}


HEADS: Mapping[str, HeadKind] = {
    kind.head.__name__: kind
    for kind in (
        HeadKind(Gaussian, "y ~ N(f, σ² I) with σ² known: regression."),
        HeadKind(Categorical, "y ~ softmax(f), where the last axis of f holds the logits: classification."),
        HeadKind(Bernoulli, "y ~ Bernoulli(σ(f)), one label 0 or 1 for each output, which is its logit."),
        HeadKind(ExponentialFamily, "y ~ h(y) exp(f·T(y) − A(f)), where f holds natural parameters."),
        HeadKind(Density, "x ~ exp(f(x)), where f is the log density at quadrature nodes: density estimation."),
        HeadKind(OutputMetric, "No law: a metric on outputs given by hand, and its quadratic for a divergence."),
    )
}
"""Every head by name. A new one has its class above, a row here, and a case in `tests/measure/head_cases.py`."""
