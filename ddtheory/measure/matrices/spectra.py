"""Spectra of activations and of Fisher blocks, and how they move along a path: the single and the volume reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ddtheory.arguments import as_integer
from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import several, shown, text, truth_value
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.matrices.dense import LARGEST_DENSE
from ddtheory.measure.matrices.factor import Factor
from ddtheory.measure.matrices.gram import GramFactor, Spectrum
from ddtheory.measure.matrices.labels import Cotangents, Labels, ModelLabels
from ddtheory.measure.matrices.layers import run_once
from ddtheory.measure.matrices.rows import finished, weighted_rows
from ddtheory.measure.matrices.unfolding import axis_of, check_width, features, side_of
from ddtheory.measure.orders.profile import all_real, chosen_radii, descending, local_slopes
from ddtheory.measure.setting.batch import Inputs, each
from ddtheory.measure.setting.parameters import why_unknown
from ddtheory.measure.setting.problem import Problem, as_problem
from ddtheory.measure.tables import along, html_table, reach
from ddtheory.tabled import Swept


@dataclass(frozen=True, repr=False)
class SpectrumProfile(Swept):
    """Spectra of one Gram matrix along a path, at decreasing radii: the single and the volume reading.

    With m directions that die at one rate, λ⁺ has that rate and log det⁺ has m times that rate: λ⁺ is blind to the
    rank of what dies, log det⁺ multiplies by it.

    Attributes:
        radii: t > 0, stored from large to small.
        spectra: one a radius.
        label: how messages and tables call it.

    >>> def spectrum(t):                                                        # two directions die like t⁶
    ...     return Spectrum((1.0, t**6, t**6), zeros=0, threshold=0.0, separation=math.inf)
    >>> profile = spectra_along(spectrum, [0.1, 0.05])
    >>> [round(slope, 9) for _, slope in profile.smallest_slopes() + profile.volume_slopes()]
    [6.0, 12.0]
    """

    axis = "radius"

    radii: tuple[float, ...]
    spectra: tuple[Spectrum, ...]
    label: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.spectra, tuple) or any(not isinstance(found, Spectrum) for found in self.spectra):
            raise InvalidValueError(f"The spectra are {shown(self.spectra)}; give a tuple of Spectrum, one a radius.")
        radii = all_real("radius", self.radii)
        if len(radii) != len(self.spectra):
            raise InvalidValueError(f"There are {len(radii)} radii but {len(self.spectra)} spectra.")
        order = descending(radii)
        object.__setattr__(self, "radii", tuple(radii[i] for i in order))
        object.__setattr__(self, "spectra", tuple(self.spectra[i] for i in order))
        text("The label", self.label)

    def __repr__(self) -> str:
        name = f"{self.label!r}, " if self.label else ""
        size = self.spectra[0].size if self.spectra else 0
        return f"SpectrumProfile({name}{len(self.radii)} radii {reach(self.radii)}, {size} eigenvalues)"

    def latex(self) -> str:
        smallest = [min(found.eigenvalues, default=0.0) for found in self.spectra]
        return along(r"\lambda^+", self.radii, smallest)

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """One eigenvalue a column, from large to small, 0 where it is zero to rounding."""
        rows = [sorted(found.eigenvalues, reverse=True) + [0.0] * found.zeros for found in self.spectra]
        eigenvalues = {f"eigenvalue {number}": column for number, column in enumerate(zip(*rows, strict=True), 1)}
        return {"radius": self.radii, "zeros": [found.zeros for found in self.spectra], **eigenvalues}

    def _repr_html_(self) -> str:
        rows = [
            [
                f"{t:.6g}",
                f"{max(s.eigenvalues, default=0.0):.6g}",
                f"{min(s.eigenvalues, default=0.0):.6g}",
                str(s.zeros),
            ]
            for t, s in zip(self.radii, self.spectra, strict=True)
        ]
        return html_table(repr(self), ["t", "largest", "smallest positive", "zeros"], rows)

    @property
    def zeros(self) -> tuple[int, ...]:
        return tuple(spectrum.zeros for spectrum in self.spectra)

    @property
    def smallest_positive(self) -> tuple[float, ...]:
        return tuple(spectrum.smallest_positive for spectrum in self.spectra)

    @property
    def det_plus(self) -> tuple[float, ...]:
        """exp(log det⁺), for slopes and pictures."""
        return tuple(math.exp(spectrum.log_det_plus) for spectrum in self.spectra)

    def eigenvalue(self, index: int) -> tuple[float, ...]:
        """The eigenvalue of that number, from the largest (0) on; a negative one counts from the smallest positive.

        Raises:
            InvalidValueError: a spectrum has fewer.
        """
        place, fewest = as_integer(index), min((len(spectrum.eigenvalues) for spectrum in self.spectra), default=0)
        if place is None or not -fewest <= place < fewest:
            raise InvalidValueError(
                f"The number is {shown(index)}; every spectrum here has {fewest} eigenvalues above zero."
            )
        return tuple(spectrum.eigenvalues[place] for spectrum in self.spectra)

    def smallest_slopes(self) -> tuple[tuple[float, float], ...]:
        """(t, d log λ⁺/d log t) between neighbours."""
        self._check_zeros()
        return local_slopes(self.radii, self.smallest_positive)

    def volume_slopes(self) -> tuple[tuple[float, float], ...]:
        """(t, d log det⁺/d log t) between neighbours."""
        self._check_zeros()
        logs = [spectrum.log_det_plus for spectrum in self.spectra]
        return tuple(
            (
                math.sqrt(self.radii[i] * self.radii[i + 1]),
                (logs[i] - logs[i + 1]) / math.log(self.radii[i] / self.radii[i + 1]),
            )
            for i in range(len(logs) - 1)
        )

    def _check_zeros(self) -> None:
        if len(set(self.zeros)) > 1:
            raise MeasurementError(
                f"Between {min(self.zeros)} and {max(self.zeros)} eigenvalues count as zero, depending on the radius, "
                "so λ⁺ and det⁺ are not one function of t. Use larger radii, or fewer directions that die."
            )


def spectra_along(spectrum: Callable[[float], Spectrum], radii: Sequence[float], *, label: str = "") -> SpectrumProfile:
    """The spectra at given radii, in any order.

    Raises:
        InvalidValueError: the radii are no radii, or the function returns no spectra.
    """
    chosen = chosen_radii(radii)
    if not callable(spectrum):
        raise InvalidValueError(f"The spectrum is {shown(spectrum)}; give a function of the radius.")
    with borrowed("The function of the radius fails", "It gets a float and returns a Spectrum."):
        found = tuple(spectrum(radius) for radius in chosen)
    return SpectrumProfile(chosen, found, label)


def activation_gram(
    problem: Problem,
    layer: str,
    parameters: Mapping[str, Tensor] | None = None,
    *,
    centred: bool = False,
    side: str = "input",
    axis: int | None = None,
) -> GramFactor:
    """A = E[a aᵀ] of the input or the output a of a layer, or with `centred` its covariance; in squared units of a.

    At the input of a linear map a is what the weight matrix multiplies: the features of a linear layer, the patches of
    a convolution (its input unfolded, channels · kernel of them), the one-hot rows of an embedding. The 1 that
    multiplies a bias is not part of a. At its output, and on both sides of a normalisation of torch, a is the features
    or channels. A layer that does so at many positions sums over positions. For any other layer a is (batch, features),
    or `axis` says where the features are.

    Args:
        parameters: θ by name, missing names at the true parameter; the true parameter when omitted.
        side: "input" or "output" of the layer.
        axis: of the features in that tensor, not 0, which counts samples; by default it is known from the layer.

    Raises:
        UnknownNameError: no such layer or side.
        InvalidValueError: an axis that is none.
        MeasurementError: the problem holds no module, the layer does not run once, or which axis of its input holds the
            features is not known.

    >>> from ddtheory.measure import Gaussian
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 1, bias=False))
    >>> with torch.no_grad():
    ...     _ = net[0].weight.copy_(torch.diag(torch.tensor([1.0, 0.125])))
    >>> problem = Problem.from_module(net, torch.eye(2), Gaussian())
    >>> activation_gram(problem, "1").matrix().numpy().round(12).tolist()       # E[xxᵀ] = I/2
    [[0.5, 0.0], [0.0, 0.0078125]]
    >>> activation_gram(problem, "1", centred=True).spectrum().zeros            # two samples span one direction
    1
    """
    positions = as_problem(problem).at(parameters)
    layer, centred = text("The name of the layer", layer), truth_value("centred", centred)
    read = partial(read_features, layer, side_of(side), axis_of(axis))
    factor, samples = Factor(), 0
    with measuring():
        for inputs, weights in problem.batches():
            samples += len(weights)
            found = run_once(problem, layer, positions, inputs, read)
            rows = weighted_rows(problem, found, weights, layer)
            if centred:
                ones = weighted_rows(problem, torch.ones_like(found[..., :1]), weights, layer)
                rows = torch.cat([ones, rows], dim=1)
            factor.add(rows)
    # the factor of [1 | a] has that of a minus its mean below its first row
    return finished(problem, factor, samples, f"activations of layer {layer}", 1 if centred else 0)


def fisher_gram(
    problem: Problem,
    parameters: Mapping[str, Tensor] | None = None,
    *,
    names: Sequence[str] | None = None,
    labels: Labels = None,
) -> GramFactor:
    """The Fisher of some parameters, E[score scoreᵀ] of shape (d, d), from per-sample gradients.

    A Fisher block is no product of averages, so each sample needs its own gradient; they come from reverse mode under
    `torch.func.vmap`. `fisher_matrix` is the dense twin, in forward mode.

    Args:
        parameters: as in `activation_gram`.
        names: parameters that span the block, in this order; all when omitted.
        labels: None for labels drawn from the model (the Fisher), all of them, as the whole Jacobian is taken anyway;
            `NoisyTargets` for the empirical second moment.

    Raises:
        InvalidValueError: an unknown parameter, or more than 2048 of them.

    >>> from ddtheory.measure import Gaussian
    >>> net = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)).double()
    >>> with torch.no_grad():
    ...     _ = net[0].weight.fill_(0.5), net[1].weight.fill_(0.5)
    >>> spectrum = fisher_gram(Problem.from_module(net, torch.ones(1, 1), Gaussian())).spectrum()
    >>> round(spectrum.smallest_positive, 12), spectrum.zeros                    # L t^{2L−2} and one gauge direction
    (0.5, 1)
    """
    positions = as_problem(problem).at(parameters)
    chosen = tuple(problem.truth) if names is None else several("names", names)
    for name in chosen:
        if name not in problem.truth:
            raise InvalidValueError(why_unknown(name, problem.truth, problem.tied))
    if not chosen:
        raise InvalidValueError("No names are given, so there is no block. Leave `names` out for all parameters.")
    size = sum(problem.truth[name].numel() for name in chosen)
    if size > LARGEST_DENSE:
        raise InvalidValueError(
            f"A Gram of {size} parameters is not built (limit {LARGEST_DENSE}). Choose a layer by `names`."
        )
    moving = {name: positions[name] for name in chosen}
    drawn = Cotangents(problem, ModelLabels() if labels is None else labels)

    def single(sample: Inputs, moved: Mapping[str, Tensor]) -> Tensor:
        return problem.outputs({**positions, **moved}, each(sample, lambda value: value[None]))[0]

    factor, samples = Factor(), 0
    with measuring():
        for inputs, weights in problem.batches():
            count = len(weights)
            samples += count
            with borrowed("The model cannot be differentiated sample by sample", "fisher_matrix uses forward mode."):
                # the sample is no argument of jacrev, which takes real ones only
                jacobians = torch.func.vmap(lambda sample: torch.func.jacrev(partial(single, sample))(moving))(inputs)
                outputs = problem.outputs(positions, inputs)
            flat = torch.cat(
                [jacobians[name].reshape(count, outputs[0].numel(), -1) for name in chosen], dim=2
            )  # (batch, out, d)
            forms = torch.stack(list(drawn.of(outputs, inputs))).reshape(-1, count, flat.shape[1])
            rows = torch.einsum("qno,nod->nqd", forms, flat)
            factor.add(weighted_rows(problem, rows, weights))
    return finished(problem, factor, samples, f"Fisher of {', '.join(chosen)}")


def read_features(layer: str, side: str, axis: int | None, module: nn.Module, found: Tensor, output: Tensor) -> Tensor:
    """A copy of the rows of one side of a layer, since the model may overwrite them."""
    rows = features(layer, module, found, output, side, axis)
    check_width(layer, module, rows.shape[-1])
    return rows.clone()
