"""Every public door, handed what it does not want: one plain sentence or an answer, and nothing else is changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hostile_values import global_state, hostile_values
from torch import nn

from ddtheory import measure
from ddtheory.errors import DDTheoryError
from ddtheory.measure import Gaussian, NoisyTargets, Problem


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 1)).eval()


NETWORK = network()
INPUTS = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
PROBLEM = Problem.from_module(NETWORK, INPUTS, Gaussian())
AXIS = {"2.bias": torch.ones(1)}
GRAM = measure.fisher_gram(PROBLEM, names=["0.bias"])
FACTORS = measure.kronecker_factors(PROBLEM, "0")
SPECTRA = measure.spectra_along(lambda t: GRAM.spectrum(), [0.5, 0.25])


def model(parameters, inputs):
    return inputs @ parameters["w"]


TRUTH = {"w": torch.ones(3, 1)}

Door = Callable[[object], object]
DOORS: dict[str, Door] = {
    "Problem model": lambda v: Problem(v, TRUTH, INPUTS, Gaussian()),
    "Problem truth": lambda v: Problem(model, v, INPUTS, Gaussian()),
    "Problem parameter": lambda v: Problem(model, {"w": v}, INPUTS, Gaussian()),
    "Problem inputs": lambda v: Problem(model, TRUTH, v, Gaussian()),
    "Problem batches": lambda v: Problem(model, TRUTH, [v], Gaussian()),
    "Problem head": lambda v: Problem(model, TRUTH, INPUTS, v),
    "Problem weights": lambda v: Problem(model, TRUTH, INPUTS, Gaussian(), weights=v),
    "Problem batch size": lambda v: Problem(model, TRUTH, INPUTS, Gaussian(), batch_size=v),
    "Problem named input": lambda v: Problem(model, TRUTH, {"x": v}, Gaussian()),
    "Problem mask": lambda v: Problem(model, TRUTH, INPUTS, Gaussian(), mask=v),
    "Problem per": lambda v: Problem(model, TRUTH, INPUTS, Gaussian(), mask=torch.ones(4, 1), per=v),
    "Problem output": lambda v: Problem(lambda p, x: v, TRUTH, INPUTS, Gaussian()),
    "from_module module": lambda v: Problem.from_module(v, INPUTS, Gaussian()),
    "from_module inputs": lambda v: Problem.from_module(NETWORK, v, Gaussian()),
    "from_module head": lambda v: Problem.from_module(NETWORK, INPUTS, v),
    "from_module output": lambda v: Problem.from_module(NETWORK, INPUTS, Gaussian(), output=v),
    "from_module dtype": lambda v: Problem.from_module(NETWORK, INPUTS, Gaussian(), dtype=v),
    "flat": lambda v: PROBLEM.flat(v),
    "at": lambda v: PROBLEM.at(v),
    "in_basis": lambda v: PROBLEM.in_basis(v),
    "ray problem": lambda v: measure.ray(v, AXIS),
    "ray direction": lambda v: measure.ray(PROBLEM, v),
    "ray block": lambda v: measure.ray(PROBLEM, {"2.bias": v}),
    "ray label": lambda v: measure.ray(PROBLEM, AXIS, label=v),
    "arc problem": lambda v: measure.arc(v, lambda t: {}),
    "arc curve": lambda v: measure.arc(PROBLEM, v),
    "arc value": lambda v: measure.arc(PROBLEM, lambda t: v),
    "arc block": lambda v: measure.arc(PROBLEM, lambda t: {"2.bias": v}),
    "arc label": lambda v: measure.arc(PROBLEM, lambda t: {"2.bias": PROBLEM.truth["2.bias"] + t}, label=v),
    "fisher_along problem": lambda v: measure.fisher_along(v, AXIS),
    "fisher_along direction": lambda v: measure.fisher_along(PROBLEM, v),
    "fisher_along radii": lambda v: measure.fisher_along(PROBLEM, AXIS, v),
    "fisher_along radius": lambda v: measure.fisher_along(PROBLEM, AXIS, [v]),
    "fisher_along label": lambda v: measure.fisher_along(PROBLEM, AXIS, label=v),
    "fisher_profiles directions": lambda v: measure.fisher_profiles(PROBLEM, v, [0.5]),
    "fisher_profiles direction": lambda v: measure.fisher_profiles(PROBLEM, [v], [0.5]),
    "fisher_matrix problem": lambda v: measure.fisher_matrix(v),
    "fisher_matrix parameters": lambda v: measure.fisher_matrix(PROBLEM, v),
    "fisher_matrix parameter": lambda v: measure.fisher_matrix(PROBLEM, {"0.bias": v}),
    "fisher_gram problem": lambda v: measure.fisher_gram(v),
    "fisher_gram names": lambda v: measure.fisher_gram(PROBLEM, names=v),
    "fisher_gram labels": lambda v: measure.fisher_gram(PROBLEM, labels=v),
    "activation_gram layer": lambda v: measure.activation_gram(PROBLEM, v),
    "activation_gram parameters": lambda v: measure.activation_gram(PROBLEM, "0", v),
    "gradient_gram layer": lambda v: measure.gradient_gram(PROBLEM, v),
    "gradient_gram labels": lambda v: measure.gradient_gram(PROBLEM, "0", labels=v),
    "kronecker_factors problem": lambda v: measure.kronecker_factors(v, "0"),
    "kronecker_factors layer": lambda v: measure.kronecker_factors(PROBLEM, v),
    "kronecker_factors_of_all problem": lambda v: measure.kronecker_factors_of_all(v),
    "kronecker_factors_of_all layers": lambda v: measure.kronecker_factors_of_all(PROBLEM, v),
    "kronecker_factors_of_all labels": lambda v: measure.kronecker_factors_of_all(PROBLEM, labels=v),
    "KroneckerFactors": lambda v: measure.KroneckerFactors(v, v),
    "KroneckerFactors along": lambda v: FACTORS.along(v, v),
    "schur_along problem": lambda v: measure.schur_along(v, AXIS),
    "schur_along direction": lambda v: measure.schur_along(PROBLEM, v, radii=[0.5]),
    "schur_along live": lambda v: measure.schur_along(PROBLEM, AXIS, v, [0.5]),
    "schur_along radii": lambda v: measure.schur_along(PROBLEM, AXIS, [{"0.bias": torch.ones(2)}], v),
    "schur_order": lambda v: measure.schur_order(v),
    "order": lambda v: measure.order(v),
    "order_along problem": lambda v: measure.order_along(v, AXIS),
    "order_along direction": lambda v: measure.order_along(PROBLEM, v),
    "order_along budget": lambda v: measure.order_along(PROBLEM, AXIS, most_radii=v),
    "Profile start": lambda v: measure.Profile((1.0,), (1.0,), (1.0,), 0.0, 0.0, start=v),
    "Profile kinds": lambda v: measure.Profile((1.0,), (1.0,), (1.0,), 0.0, 0.0, kinds=v),
    "Profile kinks": lambda v: measure.Profile((1.0,), (1.0,), (1.0,), 0.0, 0.0, kinks=v),
    "Profile radii": lambda v: measure.Profile(v, (1.0,), (1.0,), 0.0, 0.0),
    "Profile fisher": lambda v: measure.Profile((1.0,), v, (1.0,), 0.0, 0.0),
    "Profile floor": lambda v: measure.Profile((1.0,), (1.0,), (1.0,), v, 0.0),
    "Profile label": lambda v: measure.Profile((1.0,), (1.0,), (1.0,), 0.0, 0.0, v),
    "SchurProfile radii": lambda v: measure.SchurProfile(v, (1.0,), (1.0,), (1.0,), (0,), 0, 0.0),
    "SchurProfile dropped": lambda v: measure.SchurProfile((1.0,), (1.0,), (1.0,), (1.0,), v, 0, 0.0),
    "SpectrumProfile spectra": lambda v: measure.SpectrumProfile((1.0,), v),
    "SpectrumProfile eigenvalue": lambda v: SPECTRA.eigenvalue(v),
    "spectra_along spectrum": lambda v: measure.spectra_along(v, [0.5]),
    "spectra_along radii": lambda v: measure.spectra_along(lambda t: GRAM.spectrum(), v),
    "spectra_along value": lambda v: measure.spectra_along(lambda t: v, [0.5]),
    "Spectrum eigenvalues": lambda v: measure.Spectrum(v, 0, 0.0, 1.0),
    "Spectrum zeros": lambda v: measure.Spectrum((1.0,), v, 0.0, 1.0),
    "GramFactor": lambda v: measure.GramFactor(v),
    "GramFactor along": lambda v: GRAM.along(v),
    "GramFactor entry": lambda v: GRAM.entry(v),
    "GramFactor spectrum": lambda v: measure.GramFactor(v).spectrum(),
    "Gaussian": lambda v: Gaussian(v),
    "ExponentialFamily": lambda v: Problem(model, TRUTH, INPUTS, measure.ExponentialFamily(v)),
    "OutputMetric": lambda v: Problem(model, TRUTH, INPUTS, measure.OutputMetric(v)),
    "ExponentialFamily value": lambda v: Problem(model, TRUTH, INPUTS, measure.ExponentialFamily(lambda f: v)),
    "OutputMetric value": lambda v: Problem(model, TRUTH, INPUTS, measure.OutputMetric(lambda f: v)),
    "NoisyTargets target": lambda v: NoisyTargets(v, 1.0),
    "NoisyTargets variance": lambda v: NoisyTargets(lambda x: x, v),
    "NoisyTargets value": lambda v: measure.gradient_gram(PROBLEM, "0", labels=NoisyTargets(lambda x: v, 1.0)),
    "check_head head": lambda v: measure.check_head(v, torch.zeros(2, 1, dtype=torch.float64)),
    "check_head outputs": lambda v: measure.check_head(Gaussian(), v),
    "check_head directions": lambda v: measure.check_head(
        Gaussian(), torch.zeros(2, 1, dtype=torch.float64), directions=v
    ),
    "check_head seed": lambda v: measure.check_head(Gaussian(), torch.zeros(2, 1, dtype=torch.float64), seed=v),
}


@pytest.mark.parametrize("door", DOORS)
def test_one_plain_sentence_or_an_answer(door: str) -> None:
    values = hostile_values()
    changes = global_state({"network": NETWORK, "copy": PROBLEM.model.module})  # type: ignore[attr-defined]
    for name, value in values:
        if name == "huge" and "directions" in door:
            continue  # a count that is one, and would run for ever
        try:
            shown = repr(DOORS[door](value))
        except DDTheoryError as error:
            shown = str(error)
            assert "\n" not in shown and 20 < len(shown) < 700, (name, shown)
        except Exception as error:
            raise AssertionError(f"{door} with {name}: {type(error).__name__}: {error}") from error
        if not name.startswith(("unprintable", "long")):
            assert "Traceback" not in shown, name
        assert not changes(), (name, changes())


def test_a_door_without_a_check_would_be_seen() -> None:
    """The control: a door that lets torch speak, and one that leaves gradients off."""
    DOORS["bare"] = lambda v: torch.linalg.qr(v)
    try:
        with pytest.raises(AssertionError, match="bare with None: TypeError"):
            test_one_plain_sentence_or_an_answer("bare")
    finally:
        del DOORS["bare"]
    changes = global_state({"network": NETWORK})
    with torch.no_grad():
        assert changes() == ["gradients"]
    torch.rand(1)
    assert changes() == ["random numbers"]
