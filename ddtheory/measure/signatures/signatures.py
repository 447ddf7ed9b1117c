"""Spectral signatures of layers: the readings of a monitor of training, and what else could have made them.

A small eigenvalue says something about singular structure only when it is no exact zero that was ranked by rounding,
no cap of the rank, no residual of the data, and no more than any other direction shows. So a signature counts its
zeros, names the caps, gives the scale of the residual, reads random directions beside a named one, and reads data that
the parameters were not trained on. It is computed in float64 from singular values of factors; nothing is regularised.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

from torch import Tensor

from ddtheory.errors import InvalidValueError, unknown
from ddtheory.measure.doors import count, real_tensor, seed_number, several, shown
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.matrices.gram import GramFactor, Spectrum
from ddtheory.measure.matrices.labels import Cotangents, ModelLabels, NoisyTargets
from ddtheory.measure.matrices.layers import submodule
from ddtheory.measure.setting.problem import Problem, as_problem
from ddtheory.measure.signatures.directions import DirectionReading, LayerDirection, beside_null, named_directions
from ddtheory.measure.signatures.rows import SIDES, Side, SignatureRows
from ddtheory.measure.tables import html_table
from ddtheory.shown import Shown, counted, in_words
from ddtheory.tabled import Tabled


@dataclass(frozen=True, eq=False, repr=False)
class LayerSignature(Shown):
    """The two Grams of one layer and their readings.

    Attributes:
        layer: name of the layer.
        activation: A = E[a aᵀ] = XᵀX/n of its input a, rows of X; (in, in).
        gradient: G = E[g gᵀ] of the gradient g of the loss by its output; (out, out).
        caps: side → why the rank is below the width, with the largest rank that is left: "samples", "silent units"
            (exactly zero on all data), "linear in the … of another layer".
    """

    layer: str
    activation: GramFactor
    gradient: GramFactor
    caps: Mapping[Side, Mapping[str, int]]

    def __post_init__(self) -> None:
        super().__post_init__()
        if missing := [side for side in SIDES if side not in self.caps]:
            raise InvalidValueError(f"caps of the signature of {self.layer} has no {missing[0]} side.")
        caps: dict[Side, Mapping[str, int]] = {side: MappingProxyType(dict(self.caps[side])) for side in SIDES}
        object.__setattr__(self, "caps", MappingProxyType(caps))

    def gram(self, side: Side) -> GramFactor:
        """The Gram of one side."""
        return self.activation if side == "activation" else self.gradient

    @cached_property
    def activation_spectrum(self) -> Spectrum:
        return self.activation.spectrum()

    @cached_property
    def gradient_spectrum(self) -> Spectrum:
        return self.gradient.spectrum()

    @property
    def sigma_min(self) -> float:
        """σ_min(X/√n), the smallest of all in singular values; exactly 0 when one is zero to rounding."""
        return 0.0 if self.activation_spectrum.zeros else self.sigma_plus

    @property
    def sigma_plus(self) -> float:
        """The smallest singular value of X/√n that is no zero; NaN when all are."""
        return math.sqrt(_smallest(self.activation_spectrum))

    @property
    def lambda_plus(self) -> float:
        """λ⁺_min(G), the smallest eigenvalue that is no zero; NaN when all are."""
        return _smallest(self.gradient_spectrum)

    @property
    def log_det_plus(self) -> float:
        """log det⁺ G, in nats; 0 when all eigenvalues are zeros, since a product without factors is 1."""
        return self.gradient_spectrum.log_det_plus

    def __str__(self) -> str:
        zeros = self.activation_spectrum.zeros, self.gradient_spectrum.zeros
        return (
            f"{self.layer}: σ⁺ {self.sigma_plus:.3g} ({zeros[0]} zeros), λ⁺ {self.lambda_plus:.3g} ({zeros[1]} zeros), "
            f"log det⁺ {self.log_det_plus:.3g}"
        )

    def readings(self) -> Mapping[str, float]:
        """The readings by name, for tables."""
        return {
            "sigma_min": self.sigma_min,
            "sigma_plus": self.sigma_plus,
            "activation_zeros": self.activation_spectrum.zeros,
            "lambda_plus": self.lambda_plus,
            "log_det_plus": self.log_det_plus,
            "gradient_zeros": self.gradient_spectrum.zeros,
        }

    def rows(self) -> Mapping[str, str]:
        caps = [f"{side} ≤ {rank}: {name}" for side in SIDES for name, rank in self.caps[side].items()]
        readings = {name: f"{value:.6g}" for name, value in self.readings().items()}
        return {"layer": self.layer, **readings, "caps": "; ".join(caps) or "none"}


@dataclass(frozen=True, eq=False, repr=False)
class Signatures(Mapping[str, LayerSignature], Tabled):
    """The signatures of some layers at one parameter, a mapping by layer.

    Attributes:
        layers: layer → its signature, in the order in which they were asked for.
        residual: mean square of the gradient of the loss by an output component: σ̂² for the squared error.
        directions: name → reading of a named direction beside its null.
        held_out: the same readings on data that the parameters were not trained on; None when none were given.
    """

    layers: Mapping[str, LayerSignature]
    residual: float
    directions: Mapping[str, DirectionReading] = field(default_factory=dict[str, DirectionReading])
    held_out: Signatures | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.layers:
            raise InvalidValueError("Signatures of no layer; give one at least.")
        for name in ("layers", "directions"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __getitem__(self, layer: str) -> LayerSignature:
        if layer not in self.layers:
            raise unknown("layer with a signature", layer, self.layers)
        return self.layers[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __contains__(self, layer: object) -> bool:
        return layer in self.layers

    def __str__(self) -> str:
        beside = ", and on held-out data" if self.held_out else ""
        return f"{counted(len(self), 'layer')}, residual {self.residual:.3g}{beside}"

    def __repr__(self) -> str:
        return f"Signatures({self})"

    def latex(self) -> str:
        return in_words(str(self))

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a layer; the directions and the held-out data have tables of their own."""
        readings = [layer.readings() for layer in self.layers.values()]
        names = dict.fromkeys(name for found in readings for name in found)
        return {"layer": list(self.layers), **{name: [found.get(name) for found in readings] for name in names}}

    def readings(self) -> Mapping[str, float]:
        """Every number by name, "layer.reading", for a row of a table; held-out ones begin with "held-out "."""
        found = {f"{name}.{key}": value for name, layer in self.items() for key, value in layer.readings().items()}
        for name, reading in self.directions.items():
            found |= {name: reading.value, f"{name} (null median)": reading.null_median}
        found["residual"] = self.residual
        if self.held_out is not None:
            found |= {f"held-out {name}": value for name, value in self.held_out.readings().items()}
        return found

    def _repr_html_(self) -> str:
        header = list(next(iter(self.values())).rows())
        return html_table(str(self), header, [list(layer.rows().values()) for layer in self.values()])


def signatures(
    problem: Problem,
    layers: Sequence[str],
    parameters: Mapping[str, Tensor] | None = None,
    *,
    labels: NoisyTargets | None = None,
    directions: Mapping[str, LayerDirection] | None = None,
    held_out: tuple[Tensor, NoisyTargets | None] | None = None,
    null: int = 32,
    seed: int = 0,
) -> Signatures:
    """σ_min and σ⁺ of activations, λ⁺ and log det⁺ of the gradient Gram, for each layer, with zeros, caps and nulls.

    With X the inputs of a layer, one row a sample, A = XᵀX/n = E[a aᵀ], and σ are the singular values of X/√n. With g
    the gradient of the loss by the output of the layer, G = E[g gᵀ]. Where a paper writes X_h and G_h of a hidden
    state h, X_h is read at the layer that h enters, and G_h at the layer that makes it.

    All layers share a forward and a reverse pass. Memory: a factor for each side of each layer, and one for each two
    layers of different width.

    Args:
        layers: names; linear layers, convolutions, embeddings, or any layer that maps (batch, in) to (batch, out).
        parameters: θ by name, missing names at the true parameter; the true parameter when omitted.
        labels: None for labels drawn from the model, so that G is that of the Fisher; `NoisyTargets` for labels of the
            data, whose residual then enters G. Drawn labels y are `NoisyTargets(lambda x: y, 0)`, in one batch.
        directions: named directions, each of one side of one of the layers.
        held_out: inputs that the parameters were not trained on, and their labels.
        null: number of random directions beside each named one.
        seed: of the random directions.

    Raises:
        UnknownNameError: no such layer.
        MeasurementError: the problem holds no module, a layer does not run once, or it is not known which axis holds
            its units.
        InvalidValueError: no layer, or a direction at a layer that is not read, or of another width; held-out data of
            a problem whose mask is that of its own samples.

    Source: the readings are those of Shirodkar and Narayanan 2026, Dead-Direction Signatures.

    >>> import torch
    >>> from ddtheory.measure import Gaussian
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 1, bias=False)).double()
    >>> with torch.no_grad():
    ...     _ = net[0].weight.copy_(torch.diag(torch.tensor([1.0, 0.125]))), net[1].weight.copy_(torch.ones(1, 2))
    >>> found = signatures(Problem.from_module(net, torch.eye(2), Gaussian()), ["0", "1"])
    >>> round(found["1"].sigma_min ** 2, 12), round(found["1"].lambda_plus, 12)      # 0.125²/2, and 1
    (0.0078125, 1.0)
    >>> found["0"].gradient_spectrum.zeros, dict(found["0"].caps["gradient"])        # two units, one output
    (1, {'linear in the gradient of 1': 1})
    """
    positions = as_problem(problem).at(parameters)
    names = list(dict.fromkeys(several("layers", layers)))
    if not names:
        raise InvalidValueError("No layers are named, so there is nothing to read. Give names of submodules.")
    for name in names:
        submodule(problem, name)
    chosen = named_directions(directions, names)
    size, seed = count("null", null, 1, 10_000), seed_number(seed)
    if labels is not None and not isinstance(labels, NoisyTargets):
        raise InvalidValueError(f"The labels are {shown(labels)}; give NoisyTargets, or leave them out.")
    fresh = None if held_out is None else _held_out(problem, held_out)
    rows = SignatureRows(problem, positions, names, Cotangents(problem, labels or ModelLabels()))
    with measuring():
        for inputs, weights in problem.batches():
            rows.see(inputs, weights)
    found = {
        name: LayerSignature(
            name, rows.gram(name, "activation"), rows.gram(name, "gradient"), {s: rows.caps(name, s) for s in SIDES}
        )
        for name in names
    }
    readings = {name: beside_null(found[d.layer].gram(d.side), d.vector, size, seed) for name, d in chosen.items()}
    other = None
    if fresh is not None:
        elsewhere = replace(problem, inputs=fresh[0], weights=None)
        other = signatures(elsewhere, names, positions, labels=fresh[1], directions=chosen, null=size, seed=seed)
    return Signatures(found, rows.residual(), readings, other)


def _smallest(spectrum: Spectrum) -> float:
    return spectrum.eigenvalues[-1] if spectrum.eigenvalues else math.nan


def _held_out(problem: Problem, given: object) -> tuple[Tensor, NoisyTargets | None]:
    if isinstance(problem.mask, Tensor):
        raise InvalidValueError(
            "The mask of the problem is that of its own samples, so which of the held-out outputs have labels is not "
            "known. Read them by signatures of a problem of their own, with the mask that they have."
        )
    if not isinstance(given, tuple) or len(given) != 2:
        raise InvalidValueError(f"The held-out data are {shown(given)}; give a pair: inputs, and labels or None.")
    return real_tensor("The held-out inputs", given[0]), given[1]
