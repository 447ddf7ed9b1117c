"""The two Kronecker factors of a layer: A of its inputs, G of the gradients by its outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.doors import shown
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.matrices.factor import Factor
from ddtheory.measure.matrices.gram import GramFactor, Spectrum
from ddtheory.measure.matrices.labels import Cotangents, Labels, Spread
from ddtheory.measure.matrices.layers import pull_back, run_once, submodule, submodules
from ddtheory.measure.matrices.rows import finished, weighted_rows
from ddtheory.measure.matrices.unfolding import called, check_width, gradient_rows, unfolded
from ddtheory.measure.setting.batch import Inputs
from ddtheory.measure.setting.problem import Problem, as_problem
from ddtheory.shown import Shown


@dataclass(frozen=True, eq=False, repr=False)
class KroneckerFactors(Shown):
    """A = E[a aᵀ] and G = E[g gᵀ] of one layer z = Wa: a its input, g the loss gradient by z.

    W is the matrix that multiplies: of a convolution (out, channels · kernel) with a its patches, of an embedding
    (out, words) with a its one-hot rows. Both factors sum over positions, so with T of them for each sample (A/T) ⊗ G
    approximates the Fisher of W (KFAC-expand). It is the Fisher where a and g are independent, as in a deep linear
    network with labels from the model; gates and residuals that depend on the input break it, and so does a W that
    another layer shares.

    Index convention: A of layer l is that of its *input*, so in a chain of t-weights its dead entry is t^{2(l−1)}, and
    that of G is t^{2(L−l)}.

    Attributes:
        activation: A, (in, in).
        gradient: G, (out, out).
        layer: name of the layer.
        positions: T, at how many positions of a sample the layer multiplies; the mean where batches differ.
    """

    activation: GramFactor
    gradient: GramFactor
    layer: str = ""
    positions: float = 1.0

    def __post_init__(self) -> None:
        for name in ("activation", "gradient"):
            if not isinstance(getattr(self, name), GramFactor):
                raise InvalidValueError(f"The {name} is {shown(getattr(self, name))}; it must be a GramFactor.")
        super().__post_init__()

    def __repr__(self) -> str:
        sizes = f"A {self.activation.width} × {self.activation.width}, G {self.gradient.width} × {self.gradient.width}"
        several = "" if self.positions == 1 else f", {self.positions:g} positions"
        return f"KroneckerFactors({self.layer!r}: {sizes}{several})"

    def latex(self) -> str:
        a, g = self.activation.width, self.gradient.width
        return rf"A \in \mathbb{{R}}^{{{a} \times {a}}},\quad G \in \mathbb{{R}}^{{{g} \times {g}}}"

    def rows(self) -> Mapping[str, str]:
        return {
            "layer": self.layer,
            "A": repr(self.activation),
            "G": repr(self.gradient),
            "positions": f"{self.positions:g}",
        }

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
    labels: Labels = None,
) -> GramFactor:
    """G = E[g gᵀ] with g the gradient of the loss by the output of a layer, (out, out), in nats² an output unit².

    With labels from the model this is E[JᵀG(f)J], J the derivative of the outputs by the layer's output: an expected
    Fisher, exact over labels, in which label noise enters through the head alone. A layer with many positions, outputs
    (batch, positions, out) or those of a convolution (batch, out, positions), sums over them.

    Args:
        parameters: as in `fisher_gram`.
        labels: whose labels; None for those of the model, all of them where the outputs of a sample have at most 256
            components, and beyond a mean over 64 random ones, whose `errors` stand beside the diagonal. See
            `ModelLabels` and `NoisyTargets`.

    Raises:
        UnknownNameError: no such layer.
        MeasurementError: the problem holds no module, the layer does not run once, or which axis holds its units is not
            known.

    >>> from ddtheory.measure import Gaussian, NoisyTargets
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
    positions = as_problem(problem).at(parameters)
    module = submodule(problem, layer)
    drawn = Cotangents(problem, labels)
    factor, spread, samples = Factor(), Spread(), 0
    with measuring():
        for inputs, weights in problem.batches():
            samples += len(weights)
            for number, found in enumerate(gradients_at(problem, layer, positions, inputs, drawn)):
                check_width(layer, module, found.shape[-1])
                rows = weighted_rows(problem, found, weights, layer)
                factor.add(rows)
                spread.add(number, rows, drawn.draws)
    return spread.onto(finished(problem, factor, samples, f"gradients at layer {layer}"), problem.total(samples))


def gradients_at(
    problem: Problem, layer: str, positions: Mapping[str, Tensor], inputs: Inputs, drawn: Cotangents
) -> Iterator[Tensor]:
    """The gradients by the output of a layer as rows (batch, …, out), one for each cotangent of the labels."""
    module = submodule(problem, layer)
    shift = run_once(problem, layer, positions, inputs, lambda _, _found, output: torch.zeros_like(output))
    gradient_rows(layer, module, shift)  # refused before anything is differentiated
    outputs, gradients = pull_back(problem, positions, inputs, {layer: shift})
    for cotangent in drawn.of(outputs, inputs):
        yield gradient_rows(layer, module, gradients(cotangent)[layer])


def check_own(problem: Problem, layer: str, module: nn.Module) -> None:
    """Refuse a layer whose parameter another one has too: its Fisher is not that of one use.

    Raises:
        MeasurementError: a parameter of the layer is tied.
    """
    others = [other for other in submodules(problem).values() if other is not module]
    shared = {id(parameter) for other in others for parameter in other.parameters(recurse=False)}
    for name, parameter in module.named_parameters(prefix=layer, recurse=False):
        if id(parameter) in shared:
            raise MeasurementError(
                f"{called(layer, module)} shares its parameter {name!r} with another layer, so the Fisher of it is no "
                "Kronecker product of one input and one gradient."
            )


def read_rows(layer: str, module: nn.Module, found: Tensor, output: Tensor) -> Tensor:
    """A copy of the rows of a linear map, since the model may overwrite its input."""
    rows = unfolded(layer, module, found, output)
    check_width(layer, module, rows.shape[-1])
    return rows.clone()
