"""The two Kronecker factors of a layer: A of its inputs, G of the gradients by its outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.errors import MeasurementError
from ddtheory.measure.gram import GramFactor, Spectrum
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.labels import NoisyTargets, cotangents
from ddtheory.measure.layers import layer_inputs, layer_pull_back, submodule
from ddtheory.measure.problem import Problem
from ddtheory.measure.schur import Factor
from ddtheory.measure.spectra import activation_gram, finished, weighted_rows


@dataclass(frozen=True, eq=False)
class KroneckerFactors:
    """A = E[a aᵀ] and G = E[g gᵀ] of one layer z = Wa: a its input, g the loss gradient by z.

    A ⊗ G approximates the Fisher of W. It is the Fisher where a and g are independent, as in a deep linear network with
    labels from the model; gates and residuals that depend on the input break it.

    Index convention: A of layer l is that of its *input*, so in a chain of t-weights its dead entry is t^{2(l−1)}, and
    that of G is t^{2(L−l)}.

    Attributes:
        activation: A, (in, in).
        gradient: G, (out, out).
        layer: name of the layer.
    """

    activation: GramFactor
    gradient: GramFactor
    layer: str = ""

    def spectrum(self) -> Spectrum:
        """The eigenvalues of A ⊗ G: all products, with the zeros that the zeros of either make.

        >>> def diagonal(*entries):
        ...     return GramFactor(torch.diag(torch.tensor(entries, dtype=torch.float64)))
        >>> KroneckerFactors(diagonal(1.0, 0.5), diagonal(2.0, 0.0)).spectrum().eigenvalues
        (4.0, 1.0)
        """
        a, g = self.activation.spectrum(), self.gradient.spectrum()
        products = sorted((x * y for x in a.eigenvalues for y in g.eigenvalues), reverse=True)
        largest_left_out = max(
            (spectrum.eigenvalues[-1] / spectrum.separation if spectrum.eigenvalues else 0.0) * other
            for spectrum, other in ((a, max(g.eigenvalues, default=0.0)), (g, max(a.eigenvalues, default=0.0)))
        )
        separation = products[-1] / largest_left_out if products and largest_left_out > 0 else math.inf
        threshold = max(a.threshold * max(g.eigenvalues, default=0.0), g.threshold * max(a.eigenvalues, default=0.0))
        zeros = a.size * g.size - len(products)
        return Spectrum(tuple(products), zeros, threshold, separation, max(a.epsilon, g.epsilon))

    def bottom(self) -> Tensor:
        """The unit matrix g_min a_minᵀ, (out, in), along which A ⊗ G is smallest: it has rank one."""
        return torch.outer(self.gradient.null_vector(), self.activation.null_vector())

    def along(self, out: int, into: int) -> float:
        """The diagonal entry of A ⊗ G at weight W[out, into]."""
        return self.gradient.entry(out) * self.activation.entry(into)


def gradient_gram(
    problem: Problem,
    layer: str,
    parameters: Mapping[str, Tensor] | None = None,
    *,
    labels: NoisyTargets | None = None,
) -> GramFactor:
    """G = E[g gᵀ] with g the gradient of the loss by the output of a layer, (out, out), in nats² an output unit².

    With labels from the model this is E[JᵀG(f)J], J the derivative of the outputs by the layer's output: an expected
    Fisher, exact over labels, in which label noise enters through the head alone. A layer with outputs (batch,
    positions, out) sums over positions.

    Args:
        parameters, labels: as in `fisher_gram`.

    Raises:
        UnknownNameError: no such layer.
        MeasurementError: the problem holds no module, or the layer runs more than once.

    >>> from ddtheory.measure import Gaussian
    >>> net = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)).double()
    >>> with torch.no_grad():
    ...     _ = net[0].weight.fill_(0.5), net[1].weight.fill_(0.5)
    >>> problem = Problem.from_module(net, torch.ones(1, 1), Gaussian(variance=0.25))
    >>> round(gradient_gram(problem, "0").entry(0), 12)                         # t²/σ² at t = 1/2
    1.0
    >>> noisy = NoisyTargets(lambda x: 0 * x, variance=0.25)
    >>> round(gradient_gram(problem, "0", labels=noisy).entry(0), 12)           # t² (t⁴ + v)
    0.078125
    """
    positions = {**problem.truth, **(parameters or {})}
    factor, samples = Factor(), 0
    with measuring():
        for inputs, weights in problem.batches():
            samples += inputs.shape[0]
            _, found = layer_inputs(problem, layer, positions, inputs)
            outputs, pull_back = layer_pull_back(problem, layer, positions, inputs, found)
            for cotangent in cotangents(problem, outputs, inputs, labels):
                factor.add(weighted_rows(pull_back(cotangent), weights))
    return finished(problem, factor, samples, f"gradients at layer {layer}")


def kronecker_factors(
    problem: Problem,
    layer: str,
    parameters: Mapping[str, Tensor] | None = None,
    *,
    labels: NoisyTargets | None = None,
) -> KroneckerFactors:
    """Both factors of a linear layer; see `activation_gram` and `gradient_gram`, and for many layers
    `kronecker_factors_of_all`.

    >>> from ddtheory.measure import Gaussian
    >>> layer = torch.nn.Linear(2, 1, bias=False)
    >>> problem = Problem.from_module(torch.nn.Sequential(layer), torch.eye(2), Gaussian())
    >>> [round(value, 12) for value in kronecker_factors(problem, "0").spectrum().eigenvalues]   # I/2 and G = 1
    [0.5, 0.5]
    """
    return KroneckerFactors(
        activation_gram(problem, layer, parameters), gradient_gram(problem, layer, parameters, labels=labels), layer
    )


def kronecker_factors_of_all(
    problem: Problem,
    layers: Sequence[str] | None = None,
    parameters: Mapping[str, Tensor] | None = None,
    *,
    labels: NoisyTargets | None = None,
) -> dict[str, KroneckerFactors]:
    """A = E[a aᵀ], (in, in), and G = E[g gᵀ], (out, out), of many linear layers, from passes that all layers share.

    The values are those of `kronecker_factors`, in the same normalisation: E is the mean over samples, and positions
    are summed. With a shift s_l = 0 added to the output of every layer, one reverse pass of a cotangent of the head
    gives g_l = ∂/∂s_l for all l at once. A batch takes two forward passes and one reverse pass a cotangent, where
    `kronecker_factors` takes three and as many for each layer.

    Memory: the factors of all layers are held together, min(rows, in)·in + min(rows, out)·out numbers a layer, beside
    the graph of one batch and a shift of the size of each layer's output; a smaller `batch_size` shrinks the last two.

    Args:
        layers: names, in the order of the result; every `torch.nn.Linear` of the module when omitted.
        parameters, labels: as in `fisher_gram`.

    Raises:
        UnknownNameError: no such layer.
        MeasurementError: the problem holds no module, there is no layer, or a layer does not run exactly once.

    >>> from ddtheory.measure import Gaussian
    >>> net = torch.nn.Sequential(*(torch.nn.Linear(1, 1, bias=False) for _ in range(3))).double()
    >>> with torch.no_grad():
    ...     _ = [layer.weight.fill_(0.5) for layer in net]
    >>> found = kronecker_factors_of_all(Problem.from_module(net, torch.ones(1, 1), Gaussian()))
    >>> {layer: (round(f.activation.entry(0), 12), round(f.gradient.entry(0), 12)) for layer, f in found.items()}
    {'0': (1.0, 0.0625), '1': (0.25, 0.25), '2': (0.0625, 1.0)}
    """
    positions = {**problem.truth, **(parameters or {})}
    chosen = _linear_layers(problem) if layers is None else tuple(dict.fromkeys(layers))
    if not chosen:
        raise MeasurementError("There is no layer to read. Name layers of the module, or use one with linear layers.")
    activations, gradients = {layer: Factor() for layer in chosen}, {layer: Factor() for layer in chosen}
    samples = 0
    with measuring():
        for inputs, weights in problem.batches():
            samples += inputs.shape[0]
            shifts = _read_inputs(problem, positions, inputs, weights, activations)
            outputs, pull_back = _pull_back(problem, positions, inputs, shifts)
            for cotangent in cotangents(problem, outputs, inputs, labels):
                for layer, gradient in pull_back(cotangent).items():
                    gradients[layer].add(weighted_rows(gradient, weights))
    return {
        layer: KroneckerFactors(
            finished(problem, activations[layer], samples, f"activations of layer {layer}"),
            finished(problem, gradients[layer], samples, f"gradients at layer {layer}"),
            layer,
        )
        for layer in chosen
    }


def _linear_layers(problem: Problem) -> tuple[str, ...]:
    return tuple(name for name, module in submodule(problem, "").named_modules() if isinstance(module, nn.Linear))


def _read_inputs(
    problem: Problem,
    positions: Mapping[str, Tensor],
    inputs: Tensor,
    weights: Tensor,
    factors: Mapping[str, Factor],
) -> dict[str, Tensor]:
    """Adds the input of every layer to its factor; returns zeros of the shapes of the layers' outputs."""
    seen: dict[str, list[Any]] = {layer: [] for layer in factors}

    def watch(layer: str, _module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        readable = arguments and isinstance(arguments[0], Tensor) and isinstance(output, Tensor)
        if readable and not seen[layer]:  # read here, before the model can overwrite it in place
            factors[layer].add(weighted_rows(arguments[0], weights))
        seen[layer].append(torch.zeros_like(output) if readable else None)

    _with_hooks(problem, factors, watch, positions, inputs)
    for layer, shifts in seen.items():
        if len(shifts) != 1 or shifts[0] is None:
            layer_inputs(problem, layer, positions, inputs)  # raises, and says what is wrong with this layer
    return {layer: shifts[0] for layer, shifts in seen.items()}


def _pull_back(
    problem: Problem, positions: Mapping[str, Tensor], inputs: Tensor, shifts: Mapping[str, Tensor]
) -> tuple[Tensor, Callable[[Tensor], dict[str, Tensor]]]:
    """The outputs of the model, and the map from an output cotangent to the gradients by the outputs of all layers."""

    def shifted(moved: Mapping[str, Tensor]) -> Tensor:
        def add(layer: str, _module: nn.Module, _arguments: tuple[Any, ...], output: Tensor) -> Tensor:
            return output + moved[layer]

        return _with_hooks(problem, shifts, add, positions, inputs)

    outputs, pull_back, *_ = torch.func.vjp(shifted, dict(shifts))
    return outputs, lambda cotangent: pull_back(cotangent)[0]


def _with_hooks(
    problem: Problem,
    layers: Mapping[str, object],
    hook: Callable[..., Any],
    positions: Mapping[str, Tensor],
    inputs: Tensor,
) -> Tensor:
    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(submodule(problem, layer).register_forward_hook(partial(hook, layer)))
        return problem.outputs(positions, inputs)
