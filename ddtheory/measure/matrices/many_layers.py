"""The Kronecker factors of all layers of a module, from passes that the layers share, and what has none and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor

from ddtheory.measure.doors import several, text
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.matrices.kronecker import KroneckerFactors
from ddtheory.measure.matrices.labels import Labels
from ddtheory.measure.matrices.sweep import LayerSweep, reasons_of
from ddtheory.measure.setting.problem import Problem, as_problem
from ddtheory.measure.tables import html_table
from ddtheory.shown import Shown, counted, in_words, shortened


@dataclass(frozen=True, eq=False, repr=False)
class LayerFactors(Mapping[str, KroneckerFactors], Shown):
    """The Kronecker factors by layer, a mapping, and the layers with parameters that have none.

    Attributes:
        found: layer → its factors, in the order in which they were asked for.
        left_out: layer → why its parameters have no factors here. The module itself is "".
    """

    found: Mapping[str, KroneckerFactors]
    left_out: Mapping[str, str]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("found", "left_out"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __getitem__(self, layer: str) -> KroneckerFactors:
        if layer not in self.found and layer in self.left_out:
            raise KeyError(f"{layer!r} was left out: {self.left_out[layer]}")
        return self.found[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __repr__(self) -> str:
        reasons = f": {reasons_of(self.left_out)}" if self.left_out else ""
        drawn = ", G from random draws" if any(f.gradient.errors is not None for f in self.found.values()) else ""
        told = f"{len(self.found)} layers{drawn}, {len(self.left_out)} left out{reasons}"
        return f"LayerFactors({shortened(told, 160)})"

    def latex(self) -> str:
        return in_words(f"{counted(len(self.found), 'layer')}, {len(self.left_out)} left out")

    def _repr_html_(self) -> str:
        rows = [
            [name, str(f.activation.width), str(f.gradient.width), f"{f.positions:g}"] for name, f in self.found.items()
        ]
        rows += [[name, f"left out: {reason}"] for name, reason in self.left_out.items()]
        caption = f"{len(self.found)} layers, {len(self.left_out)} left out"
        return html_table(caption, ["layer", "width of A", "width of G", "positions"], rows)


def kronecker_factors(
    problem: Problem,
    layer: str,
    parameters: Mapping[str, Tensor] | None = None,
    *,
    labels: Labels = None,
) -> KroneckerFactors:
    """Both factors of a layer that is a linear map: linear, convolution or embedding, or a projection of attention.

    See `activation_gram` and `gradient_gram`, and `kronecker_factors_of_all` for names and for many layers.

    Raises:
        UnknownNameError: no such layer.
        MeasurementError: the problem holds no module, the layer does not run once, or it does anything else than to
            multiply by one matrix and to add its bias, as grouped convolutions do.

    >>> import torch
    >>> from ddtheory.measure import Gaussian
    >>> layer = torch.nn.Linear(2, 1, bias=False)
    >>> problem = Problem.from_module(torch.nn.Sequential(layer), torch.eye(2), Gaussian())
    >>> [round(value, 12) for value in kronecker_factors(problem, "0").spectrum().eigenvalues]   # I/2 and G = 1
    [0.5, 0.5]
    """
    chosen = text("The name of the layer", layer)
    return kronecker_factors_of_all(problem, [chosen], parameters, labels=labels)[chosen]


def kronecker_factors_of_all(
    problem: Problem,
    layers: Sequence[str] | None = None,
    parameters: Mapping[str, Tensor] | None = None,
    *,
    labels: Labels = None,
) -> LayerFactors:
    """A = E[a aᵀ], (in, in), and G = E[g gᵀ], (out, out), of many layers, from passes that all layers share.

    They are those of `activation_gram` and `gradient_gram`: E is the mean over samples, and positions are summed, those
    of padding in A too. With a shift s_l = 0 added to the output of every layer, one reverse pass of a cotangent of the
    head gives g_l = ∂/∂s_l for all l at once. A batch takes two forward passes, one of a single sample, and one reverse
    pass a cotangent, however many layers there are.

    Without `layers` every submodule that has parameters of its own is read, and those that have no factors stand in
    `left_out` with the reason: norms and grouped convolutions, layers that run never or twice or once for all samples,
    matrices that are too wide. A layer that is asked for by name and has none is an error.

    A weight that no submodule of its own runs is read where `torch.nn.functional.linear` gets it, and goes by the name
    of the parameter without ".weight"; the projections of `torch.nn.MultiheadAttention` go by "…query", "…key",
    "…value" and "…out_proj".

    Memory: the factors of all layers are held together, up to 3·in² + 3·out² numbers a layer, beside
    the graph of one batch and a shift of the size of each layer's output; a smaller `batch_size` shrinks the last two.

    Args:
        layers: names, in the order of the result; every submodule with parameters of its own when omitted.
        parameters, labels: as in `gradient_gram`: beyond 256 output components of a sample, G is a mean over 64 random
            draws, one reverse pass each, and says so with its `errors`.

    Raises:
        UnknownNameError: no such layer.
        MeasurementError: the problem holds no module, no layer has factors, or one of those named has none.

    >>> import torch
    >>> from ddtheory.measure import Gaussian
    >>> net = torch.nn.Sequential(*(torch.nn.Linear(1, 1, bias=False) for _ in range(3)), torch.nn.PReLU(init=1.0))
    >>> with torch.no_grad():
    ...     _ = [layer.weight.fill_(0.5) for layer in net[:3]]
    >>> found = kronecker_factors_of_all(Problem.from_module(net, torch.ones(1, 1), Gaussian()))
    >>> {layer: (round(f.activation.entry(0), 12), round(f.gradient.entry(0), 12)) for layer, f in found.items()}
    {'0': (1.0, 0.0625), '1': (0.25, 0.25), '2': (0.0625, 1.0)}
    >>> list(found.left_out)
    ['3']
    """
    positions = as_problem(problem).at(parameters)
    names = None if layers is None else list(dict.fromkeys(several("layers", layers)))
    sweep = LayerSweep(problem, positions, names, labels)
    with measuring():
        for inputs, weights in problem.batches():
            sweep.see(inputs, weights)
    return LayerFactors(sweep.result(), sweep.left_out)
