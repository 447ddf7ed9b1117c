"""Valid calls of every public function, small enough to be answered at once. A mutation starts from one of them.

A call is its arguments by name; those under "*" are given by position. It is made where it is used, so that nothing is
shared between cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sympy
import torch

import ddtheory as dd
from ddtheory import cells, gauges, measure, reads, references, testing, verify

Call = Callable[[], dict[str, Any]]

BOOK = Path(__file__).parents[1] / "verify" / "book"

x, y, t = sympy.symbols("x y t")


def call(**arguments: Any) -> Call:
    """Arguments that nobody can change: text, numbers, tuples of them, expressions; containers are copied."""
    return lambda: {name: _fresh(value) for name, value in arguments.items()}


def _fresh(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _fresh(entry) for key, entry in value.items()}
    return [_fresh(entry) for entry in value] if isinstance(value, list) else value


def recipes() -> dict[str, list[Call]]:
    """Full name → valid calls."""
    return {
        **_EXACT,
        **_families(),
        **_CELLS,
        **_MODELS,
        **_MEASURE,
        **_NETWORKS,
        **_GAUGES,
        **_TESTING,
        **_CERTIFY,
        **_VERIFY,
        **_PLOTS,
        **_TESTBEDS,
        **_READS,
    }


# --- gauges -----------------------------------------------------------------------------------------------------------


def _relu_network() -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))


def _descent(model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), 0.1)


def _squares(outputs: torch.Tensor, _: object) -> torch.Tensor:
    return (outputs - 1).square().sum()


def _rescaling() -> gauges.Gauge:
    legs = (gauges.Leg("0.weight"), gauges.Leg("0.bias"), gauges.Leg("2.weight", 1, dual=True))
    return gauges.Gauge("rescaling", gauges.Group.POSITIVE, 3, legs)


def _parameters() -> dict[str, torch.Tensor]:
    return {name: value.detach() for name, value in _relu_network().named_parameters()}


_GAUGES: dict[str, list[Call]] = {
    "ddtheory.gauges.Leg": [call(parameter="0.weight", axis=1, dual=True, start=0, groups=2)],
    "ddtheory.gauges.Taker": [lambda: {"weight": gauges.Leg("next.weight", 1), "bias": "next.bias"}],
    "ddtheory.gauges.Centre": [call(offset="norm.bias", ratio=(0.5, -1.0))],
    "ddtheory.gauges.Kernel": [call(gain="norm.weight", offset="norm.bias", bias="next.bias")],
    "ddtheory.gauges.Gauge": [
        lambda: {
            "rule": "kernel",
            "group": gauges.Group.KERNEL,
            "channels": 4,
            "legs": [gauges.Leg("next.weight", 1)],
            "kernel": gauges.Kernel("norm.weight"),
        },
        lambda: {
            "rule": "rescaling",
            "group": gauges.Group.POSITIVE,
            "channels": 4,
            "legs": [gauges.Leg("a")],
            "blocks": 2,
        },
        lambda: {
            "rule": "bias shift",
            "group": gauges.Group.BIAS,
            "channels": 4,
            "legs": [gauges.Leg("0.bias")],
            "takers": [gauges.Taker(gauges.Leg("2.weight", 1), "2.bias")],
        },
        lambda: {
            "rule": "input scale",
            "group": gauges.Group.CENTRED,
            "channels": 2,
            "legs": [gauges.Leg("0.weight"), gauges.Leg("norm.weight", dual=True)],
            "centre": gauges.Centre("norm.bias", (0.5, -1.0)),
        },
    ],
    "ddtheory.gauges.Motion": [call(seed=1, size=2.0, powers=True)],
    "ddtheory.gauges.find_gauges": [
        lambda: {"model": _relu_network(), "inputs": torch.ones(2, 2), "softmax": False},
        lambda: {"model": _relu_network(), "inputs": (torch.ones(2, 2),)},
    ],
    "ddtheory.gauges.measured": [
        lambda: {"gauges": [_rescaling()], "model": _relu_network(), "inputs": torch.ones(2, 2) - torch.eye(2)}
    ],
    "ddtheory.gauges.moved": [
        lambda: {"gauge": _rescaling(), "parameters": _parameters(), "motion": gauges.Motion(seed=1)}
    ],
    "ddtheory.optim.DDCAdam": [
        lambda: {
            "model": _relu_network(),
            "lr": 1e-3,
            "betas": (0.9, 0.99),
            "eps": 1e-8,
            "weight_decay": 0.1,
            "gauges": [_rescaling()],
            "max_norm": 1.0,
            "foreach": True,
        },
        lambda: {"model": _relu_network(), "inputs": torch.ones(2, 2), "softmax": False},
    ],
    "ddtheory.optim.DDCMuon": [
        lambda: {
            "model": _relu_network(),
            "lr": 1e-3,
            "momentum": 0.9,
            "weight_decay": 0.1,
            "gauges": [_rescaling()],
        },
        lambda: {"model": _relu_network(), "inputs": torch.ones(2, 2), "softmax": False},
    ],
    "ddtheory.optim.largest_surviving_decay": [call(lr=1e-3, sides=2, turning=1.0)],
    "ddtheory.testing.check_equivariance": [
        lambda: {
            "make_optimizer": _descent,
            "model": _relu_network(),
            "data": (torch.ones(2, 2) - torch.eye(2), torch.zeros(2, 1)),
            "gauges": ["rescaling", _rescaling()],
            "steps": 2,
            "loss": _squares,
            "softmax": False,
            "max_norm": 1.0,
            "representatives": 1,
            "size": 2.0,
            "seed": 1,
            "causes": False,
            "name": "descent",
        },
    ],
    "ddtheory.gauges.spoiled": [lambda: {"gauge": _rescaling()}],
}

# --- exact ------------------------------------------------------------------------------------------------------------

_EXACT: dict[str, list[Call]] = {
    "ddtheory.RLCT": [call(lam=Fraction(1, 2), m=2)],
    "ddtheory.Citation": [call(paper="Watanabe 2009", label="Theorem 6.7")],
    "ddtheory.Enclosure": [call(midpoint="0.5", radius="1e-9"), call(midpoint=Fraction(1, 3), radius=0)],
    "ddtheory.Interval": [call(estimate=1.0, lower=0.9, upper=1.2)],
    "ddtheory.rlct": [
        call(divergence="x^2*y^4", seconds=2),
        call(divergence=x**2 + y**4, prior={"x": 1}, at={"x": 0, "y": 0}, nonnegative=["x"], seconds=2, depth=20),
        call(generators=["x*y", "x^3"], prior={"x": Fraction(1, 2)}, seconds=2),
        call(divergence="(x-1)^2*y^2", at={"x": 1}, seconds=2, most_terms=100),
    ],
    "ddtheory.intersection_type": [call(divergence="x^2*y^4", seconds=2), call(generators=["x*y"], seconds=2)],
    "ddtheory.kl_order": [
        call(divergence=x**2 + y**4, along={"y": 1}),
        call(divergence="x^2 + s^2*y^4", along={"x": 1, "y": 2}, at={"x": 0}, parameters=["s"]),
        call(divergence="exp(x*y) - 1 - x*y", along={"x": 1, "y": 1}, arc=False),
    ],
    "ddtheory.parse_expression": [call(text="x^2 + 0.5*y^4"), call(text="x", symbols={"x": x})],
    "ddtheory.exact.leading_term": [call(function=t**2 + t**3, variable=t)],
    "ddtheory.exact.formulas.fit": [
        call(cases={n: n // 2 for n in range(12)}, names="n", most_degree=2, most_modulus=2),
        call(cases={(a, b): Fraction(a * b, 2) for a in range(5) for b in range(5)}, names=["a", "b"]),
    ],
    **{
        f"ddtheory.exact.formulas.{name}": [call()]
        for name in ("crossing", "deep_linear", "hidden_layer", "local_reduced_rank", "reduced_rank")
    },
    "ddtheory.finite_n": [
        call(exponents=(2, 4), n_beta=100, digits=8, seconds=2),
        call(exponents=[2], n_beta="1/2", prior=[1], scale=Fraction(1, 2), sided="one", digits=8),
        call(exponents=[2], n_beta=50, variance=1, centre=[Fraction(1, 2)], digits=8),
    ],
    "ddtheory.finite_n_expansion": [call(divergence="x^2*y^2", n_beta=1_000, seconds=2)],
    "ddtheory.finite_n_germ": [
        call(divergence="x^2 + y^4", n_beta=20, digits=3, seconds=2),
        call(divergence="x^2", n_beta=50, half_width=1, prior={"x": 1}, digits=4, seconds=2),
        call(divergence="x^2", n_beta=50, variance=1, centre={"x": 0}, digits=4, seconds=2),
        call(divergence="x^2", n_beta=50, box={"x": (0, 1)}, digits=4, seconds=2),
        call(divergence="x^2*y^2", n_beta=50, radius=1, digits=4, seconds=2),
    ],
    "ddtheory.langevin_target": [
        call(curvatures=[1, 2], n_beta=10, step="1/100", localisation=1, centre=["1/2", 0], digits=6),
        call(curvatures=[1], n_beta=10, step="1/100", gradient_noise="1/10", curvature_noise="1/10", digits=6),
        call(curvatures=[1], n_beta=10, step="1/100", baseline="1/100", steps=9, burn_in=2, digits=6),
    ],
    "ddtheory.finite_n_sweep": [
        call(divergence="x^2", n_betas=[10, 100], digits=4, seconds=2),
        call(divergence="x^2", n_betas=[10], localisations=[1], centre={"x": 0}, digits=4, seconds=2),
        call(divergence="x^2", n_betas=[10], box={"x": (0, 1)}, prior={"x": 1}, digits=4, seconds=2),
        call(divergence="x^2", n_betas=[10], half_width=2, digits=4, seconds=2),
        call(divergence="x^2*y^2", n_betas=[10], radius=1, digits=4, seconds=2),
    ],
    "ddtheory.sublevel_volume": [call(exponents=(2, 4), epsilon="1/100", digits=8, seconds=2)],
    "ddtheory.singular_fluctuation": [
        call(k=2, digits=8),
        call(k=3, prior_exponent="1/2", beta=2, sided="one", digits=8),
    ],
    "ddtheory.fluctuation_from_lambda": [call(lam="1/4", sided="two", beta=1, digits=8)],
    "ddtheory.frozen_fluctuation": [call(lam=Fraction(1, 4), sided="one", digits=8)],
    **{
        f"ddtheory.{name}": [lambda: {"*": [dd.RLCT(Fraction(1, 2)), dd.RLCT(Fraction(1, 3), 2)]}]
        for name in ("separable_sum", "transversal_crossing", "union")
    },
    "ddtheory.exact.strata.of_zero_set": [
        lambda: {"*": ["x*z^2 - y^2"], "seconds": 4},
        lambda: {"*": [x * y, x * t - y]},
    ],
    "ddtheory.exact.strata.of_matrix_product": [
        call(sizes=[2, 2, 2], rank=1, names=["A", "B"], seconds=2),
        call(sizes=(1, 2, 2, 1), seconds=2),
    ],
    "ddtheory.references.cite": [call(key=next(iter(references.WORKS)), place="Theorem 1")],
    "ddtheory.references.bibtex": [call()],
}

# --- cells ------------------------------------------------------------------------------------------------------------


def _families() -> dict[str, list[Call]]:
    """A family brings its examples."""
    return {
        f"ddtheory.cells.{name}": [call(**dict(example)) for example in family.examples[:4]]
        for name, family in cells.families().items()
    }


def _cell() -> dict[str, Any]:
    made = cells.gaussian_location(k=2)
    return {
        "name": "mine",
        "symbolic": made.symbolic,
        "directions": dict(made.directions),
        "source": made.source,
        "build": made.build,
    }


_CELLS: dict[str, list[Call]] = {
    "ddtheory.cells.Cell": [_cell],
    "ddtheory.cells.Size": [call(coordinates=3, terms=2)],
    "ddtheory.cells.SymbolicFace": [call(divergence=x**2, coordinates={x: "x"}, generators=(x,))],
    "ddtheory.cells.catalogue": [call()],
    "ddtheory.cells.families": [call()],
    "ddtheory.cells.find": [call(name="deep_linear", widths=(2, 2, 2), rank=1), call(name="gaussian_location", k=3)],
    "ddtheory.cells.find_text": [
        call(name="deep_linear", parameters={"widths": "1,1,1", "rank": "0"}),
        call(name="normal_crossing", parameters={"exponents": "1,2", "prior": "1/2,0"}),
        call(name="node_death", parameters={"activation": "tanh"}),
    ],
    "ddtheory.cells.mean_map": [
        call(means=[x**2 + y, x**3], variance=1, name="mine"),
        call(means=["x^2", "x*y"], variance="1/2"),
    ],
    "ddtheory.cells.mixture_problem": [call(weight=0.25, location=0.5)],
}

# --- models -----------------------------------------------------------------------------------------------------------

_MODELS: dict[str, list[Call]] = {
    "ddtheory.models.regression": [
        call(mean="a1*tanh(b1*x) + a2*tanh(b2*x)", inputs={"x": "generic"}, truth=0),
        call(mean=["a*x", "b*x^2"], inputs={"x": [1, "1/2"]}, weights=[1, 2], truth={"a": 1}, variance="1/4"),
        call(mean=x * y, inputs={"x": {"moments": [1, 0, 1]}}, truth="0"),
    ],
    "ddtheory.models.logits": [call(scores=["q*k*x", 0], inputs={"x": [1, 2]}, truth=0)],
    "ddtheory.models.exponential_family": [call(natural=["t^2", "s"], family="poisson", truth={"t": 0})],
    "ddtheory.models.finite": [
        call(probabilities=["1/2 + a*b", "1/2 - a*b"], truth=["1/2", "1/2"]),
        call(probabilities=["a^2", "1 - a^2"], truth={"a": 0}),
    ],
    "ddtheory.models.mixture": [
        call(shares=["s", "1 - s"], components=[["p", "1 - p"], ["q", "1 - q"]], truth={"s": 0.5, "p": 0.5, "q": 0.5})
    ],
    "ddtheory.models.hidden": [call(joint=[["s/2", "(1 - s)*p"], ["s/2", "(1 - s)*(1 - p)"]], truth=["1/2", "1/2"])],
    "ddtheory.models.matrix_product": [lambda: {"*": ["A", "B"], "sizes": [2, 1, 2], "rank": 1}],
    "ddtheory.models.described": [call(text='kind = "regression"\nmean = "a*b"\ntruth = 0')],
    "ddtheory.models.load": [call(path=str(Path(__file__).parents[2] / "examples" / "models" / "tanh.toml"))],
    "ddtheory.models.gaussian": [
        call(mean=0, covariance=[["1 + a^2", "a*b"], ["a*b", "1 + b^2"]], truth={}),
        call(mean="m*x", covariance="1 + s^2", inputs={"x": [1, 2]}, truth=[0, 1]),
    ],
}

# --- measure ----------------------------------------------------------------------------------------------------------


def line(head: Any = None) -> measure.Problem:
    """One parameter t, mean t²x."""
    return measure.Problem(
        model=lambda parameters, inputs: parameters["t"] ** 2 * inputs,
        truth={"t": torch.zeros(1, dtype=torch.float64)},
        inputs=torch.ones(2, 1, dtype=torch.float64),
        head=head or measure.Gaussian(),
    )


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)).double()


def layered() -> measure.Problem:
    return measure.Problem.from_module(network(), torch.eye(2, dtype=torch.float64), measure.Gaussian())


def _direction() -> dict[str, torch.Tensor]:
    return {"t": torch.ones(1, dtype=torch.float64)}


def _problem_arguments() -> dict[str, Any]:
    return {
        "model": lambda parameters, inputs: parameters["t"] ** 2 * inputs,
        "truth": {"t": torch.zeros(1, dtype=torch.float64)},
        "inputs": torch.ones(2, 1, dtype=torch.float64),
        "head": measure.Gaussian(),
        "weights": torch.ones(2, dtype=torch.float64),
        "batch_size": 1,
    }


def _profile() -> measure.Profile:
    return measure.fisher_along(line(), _direction())


def _along() -> dict[str, Any]:
    return {"problem": line(), "direction": _direction(), "radii": [0.5, 0.25, 0.125, 0.0625], "label": "mine"}


def _profile_arguments() -> dict[str, Any]:
    radii = tuple(2.0**-i for i in range(8))
    return {
        "radii": radii,
        "fisher": tuple(4 * r**2 for r in radii),
        "divergence": tuple(r**4 / 2 for r in radii),
        "fisher_floor": 1e-30,
        "divergence_floor": 1e-30,
    }


def _schur() -> dict[str, Any]:
    return {"problem": layered(), "direction": torch.ones(9, dtype=torch.float64), "radii": [0.5, 0.25, 0.125]}


def _spectrum(radius: float) -> measure.Spectrum:
    return measure.Spectrum((1.0, radius**2), 0, 1e-30, 1e9)


def _labels() -> measure.NoisyTargets:
    return measure.NoisyTargets(lambda inputs: inputs[:, :1], 0.25)


def _trajectory() -> dict[str, Any]:
    return {"steps": [0, 10], "columns": {"loss": [1.0, 0.5], "0.sigma_min": [0.1, 1e-5]}, "events": {"end": 10}}


_TRIANGLE = torch.eye(2, dtype=torch.float64)

_MEASURE: dict[str, list[Call]] = {
    "ddtheory.measure.Problem": [_problem_arguments],
    "ddtheory.measure.Path": [
        lambda: {"label": "p", "positions": lambda s: {"t": s.reshape(1)}, "truth": dict(line().truth)}
    ],
    "ddtheory.measure.Profile": [_profile_arguments],
    "ddtheory.measure.GramFactor": [lambda: {"triangle": _TRIANGLE.clone(), "label": "mine"}],
    "ddtheory.measure.Gaussian": [call(variance=1.0)],
    "ddtheory.measure.Categorical": [call()],
    "ddtheory.measure.Bernoulli": [call()],
    "ddtheory.measure.Density": [call()],
    "ddtheory.measure.ExponentialFamily": [lambda: {"log_partition": torch.exp}],
    "ddtheory.measure.OutputMetric": [lambda: {"matrix": lambda outputs: torch.eye(1).double().expand(2, 1, 1)}],
    "ddtheory.measure.ModelLabels": [lambda: {"draws": 8, "seed": 0}],
    "ddtheory.measure.NoisyTargets": [lambda: {"target": lambda inputs: inputs, "variance": 0.25}],
    "ddtheory.measure.fisher_along": [_along],
    "ddtheory.measure.fisher_profiles": [
        lambda: {"problem": line(), "directions": [_direction()], "radii": [0.5, 0.25]}
    ],
    "ddtheory.measure.fisher_matrix": [lambda: {"problem": layered()}],
    "ddtheory.measure.fisher_gram": [
        lambda: {"problem": layered()},
        lambda: {"problem": layered(), "names": ["0.weight"], "labels": _labels()},
    ],
    "ddtheory.measure.gradient_gram": [lambda: {"problem": layered(), "layer": "0"}],
    "ddtheory.measure.activation_gram": [lambda: {"problem": layered(), "layer": "0", "centred": True}],
    "ddtheory.measure.leading_spectrum": [lambda: {"problem": layered(), "layer": "0", "number": 2, "side": "output"}],
    "ddtheory.measure.kronecker_factors": [
        lambda: {"problem": layered(), "layer": "0"},
        lambda: {"problem": layered(), "layer": "2", "labels": _labels()},
    ],
    "ddtheory.measure.kronecker_factors_of_all": [lambda: {"problem": layered(), "layers": ["0", "2"]}],
    "ddtheory.measure.ray": [lambda: {"problem": line(), "direction": _direction()}],
    "ddtheory.measure.arc": [
        lambda: {"problem": line(), "curve": lambda s: {"t": s.reshape(1)}},
        lambda: {"problem": line(), "curve": lambda s: {"t": s.reshape(1)}, "offsets": True, "label": "mine"},
    ],
    "ddtheory.measure.order_along": [
        lambda: {"problem": line(), "direction": _direction(), "most_radii": 19, "label": "mine"}
    ],
    "ddtheory.measure.order": [lambda: {"profile": _profile()}],
    "ddtheory.reads.assemble": [
        lambda: {"problem": cells.deep_linear(widths=(1, 1, 1)).problem(), "seconds": 2},
        lambda: {"problem": cells.hidden_layer(hidden=1).problem(), "unit": "tanh(z)", "seconds": 2},
    ],
    "ddtheory.reads.bracket": [
        lambda: {"problem": line(), "gauges": [], "directions": 1, "seed": 3},
        lambda: {"problem": line()},
    ],
    "ddtheory.measure.schur_along": [_schur],
    "ddtheory.measure.schur_order": [lambda: {"profile": measure.schur_along(**_schur())}],
    "ddtheory.measure.LayerDirection": [lambda: {"layer": "2", "side": "activation", "vector": torch.ones(2)}],
    "ddtheory.measure.signatures": [
        lambda: {"problem": layered(), "layers": ["0", "2"]},
        lambda: {
            "problem": layered(),
            "layers": ["2"],
            "labels": _labels(),
            "directions": {"u": measure.LayerDirection("2", "activation", torch.ones(2))},
            "held_out": (torch.ones(3, 2), _labels()),
            "null": 3,
            "seed": 1,
        },
    ],
    "ddtheory.measure.Trajectory": [_trajectory],
    "ddtheory.measure.median_interval": [call(values=list(range(10)), level=0.9)],
    "ddtheory.measure.event_order": [
        call(events=[5, None] * 6, transitions=[7] * 11 + [None], resolution=2, level=0.9),
    ],
    "ddtheory.measure.compare_ranks": [
        call(
            readings=[1, 2, 3, 5, 4],
            truth=[1, 2, 3, 4, 5],
            fresh=[5, 4, 3, 2, 1],
            proxies={"width": [1, 1, 2, 2, 3]},
            level=0.9,
            draws=100,
            seed=1,
        )
    ],
    "ddtheory.measure.SignatureRecorder": [
        lambda: {"problem": layered(), "layers": ["0"], "every": 2, "labels": _labels()}
    ],
    "ddtheory.measure.spectra_along": [lambda: {"spectrum": _spectrum, "radii": [0.5, 0.25, 0.125], "label": "mine"}],
    "ddtheory.measure.check_head": [
        lambda: {"head": measure.Gaussian(), "outputs": torch.zeros(2, 1, dtype=torch.float64), "directions": 2}
    ],
}

# --- networks ---------------------------------------------------------------------------------------------------------

_NETWORKS: dict[str, list[Call]] = {
    "ddtheory.network_orders": [
        lambda: {"model": network(), "scaling": {"0.weight": {0: 1}, "0.bias": {0: 1}}, "samples": 4},
        lambda: {
            "model": network(),
            "scaling": {"0.weight": [1, sympy.Symbol("k", positive=True)]},
            "shape": (2,),
            "loss": "squared",
            "samples": 4,
        },
        lambda: {
            "model": network(),
            "scaling": {"2.weight": 1},
            "inputs": torch.eye(2, dtype=torch.float64),
            "labels": "true",
        },
    ],
    "ddtheory.networks.Valuations": [
        lambda: {"shape": (1,), "flat": (dd.network_orders(network(), {"0.bias": 1}).divergence,)}
    ],
}

# --- testing ----------------------------------------------------------------------------------------------------------


def exact_answer(task: testing.EstimationTask) -> testing.Estimate:
    return testing.Estimate(0.5, 0.01)


def _some_cells() -> list[Any]:
    return list(testing.conformance_cells()[:1])


def _conformance_cell() -> dict[str, Any]:
    made = testing.conformance_cells()[0]
    return {"name": "mine", "posterior": made.posterior, "rlct": made.rlct, "expected": made.expected}


def _task() -> dict[str, Any]:
    posterior = testing.conformance_cells()[0].posterior
    return {"cell": "mine", "posterior": posterior, "n": 100, "beta": Fraction(1, 5), "seed": 0, "budget": 100}


_TESTING: dict[str, list[Call]] = {
    "ddtheory.testing.check_estimator": [
        lambda: {"estimator": exact_answer, "cells": _some_cells(), "budget": 100, "jobs": 1, "time_limit": 5},
        lambda: {
            "estimator": exact_answer,
            "cells": _some_cells(),
            "budget": 100,
            "seeds": (0, 1),
            "n": 100,
            "jobs": 1,
        },
    ],
    "ddtheory.testing.ConformanceCell": [_conformance_cell],
    "ddtheory.testing.EstimationTask": [_task],
    "ddtheory.testing.Estimate": [call(value=0.5, standard_error=0.01)],
    "ddtheory.testing.LossSamples": [call(losses=[[0.5, 0.25, 0.5, 0.25]])],
    "ddtheory.testing.conformance_cells": [call()],
    "ddtheory.testing.local_coefficient": [
        lambda: {
            "problem": layered(),
            "estimator": testing.conformance.metropolis,
            "n": 10,
            "budget": 640,
            "localisation": 1.0,
            "beta": 0.5,
            "seed": 1,
        },
    ],
    "ddtheory.testing.conformance.AnalyticPosterior": [
        call(generators=(x * y,), coordinates=("x", "y"), truth=(0.0, 0.0), lower=(-1.0, -1.0), upper=(1.0, 1.0)),
    ],
    "ddtheory.testing.conformance.JaxPosterior": [
        lambda: {"posterior": testing.conformance_cells()[0].posterior, "n_beta": 20},
    ]
    * (find_spec("jax") is not None),
    "ddtheory.testing.conformance.PolynomialPosterior": [
        call(
            generators=(((1.0, (1, 2)),),),
            truth=(0.0, 0.0),
            lower=(-1.0, -1.0),
            upper=(1.0, 1.0),
            prior_exponents=(1.0, 0.0),
            localisation=1.0,
        ),
    ],
    "ddtheory.testing.conformance.catalogue_cells": [call()],
    "ddtheory.testing.conformance.compare_settings": [
        lambda: {
            "make": lambda scale: exact_answer,
            "grid": {"scale": [1, 2]},
            "cells": _some_cells(),
            "budget": 100,
            "within": 0.1,
        },
    ],
    "ddtheory.testing.conformance.crossing_sum": [
        lambda: {"*": ["mine", (2, 2), (2,)], "rlct": dd.RLCT(Fraction(1), 2), "prior": (0, 0, 0), "localisation": 1},
    ],
    "ddtheory.testing.conformance.finite_n_estimate": [
        call(divergence="x^2 + y^4", n_beta=20, half_width=2, localisation=1, within="1/10", seconds=2, seed=1),
        call(divergence="x^2", n_beta=20, radius=1, within="1/10", seconds=2),
    ],
    "ddtheory.testing.conformance.from_cell": [lambda: {"cell": cells.normal_crossing(exponents=(1, 1))}],
    "ddtheory.testing.conformance.metropolis": [
        lambda: {"task": testing.EstimationTask(**{**_task(), "budget": 2_000}), "chains": 16},
    ],
    "ddtheory.testing.conformance.quadrature": [
        lambda: {"task": testing.EstimationTask(**{**_task(), "budget": 10**6})}
    ],
    "ddtheory.testing.conformance.restricted": [
        lambda: {"cell": cells.reduced_rank(inputs=4, hidden=2, outputs=5, rank=1), "free": ["a11", "b11"]},
    ],
    "ddtheory.testing.conformance.restricted_cells": [call()],
    "ddtheory.testing.conformance.sweep": [
        lambda: {"estimator": exact_answer, "tasks": [testing.EstimationTask(**_task())], "jobs": 1, "version": "1"},
        lambda: {"estimator": exact_answer, "tasks": [testing.EstimationTask(**_task())], "time_limit": 5},
    ],
    "ddtheory.testing.InputLaw": [call(points=(Fraction(1),), weights=(Fraction(1),))],
    "ddtheory.testing.LayerShape": [call(widths=(2, 2), rank=1)],
    "ddtheory.testing.Rotation": [call(rows=((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))))],
    "ddtheory.testing.Activation": [call(name="tanh", order=1, leading=Fraction(1))],
    "ddtheory.testing.activations": [call(min_order=1, max_order=2)],
    "ddtheory.testing.coefficients": [call(max_magnitude=3, max_denominator=4)],
    "ddtheory.testing.crossing_cells": [call(max_blocks=2, max_block_size=2, max_order=3, max_prior=1)],
    "ddtheory.testing.dead_unit_cells": [call(min_order=2, max_order=3, flat=False)],
    "ddtheory.testing.directions": [call(coordinates=["a", "b"], max_component=2, moving=["b"])],
    "ddtheory.testing.enclosures": [call(max_magnitude=10, max_radius=1)],
    "ddtheory.testing.germs_with_known_pairs": [
        call(min_variables=1, max_variables=2, form="divergence", hidden="linear")
    ],
    "ddtheory.testing.hidden_divergences": [call(min_order=1, max_order=2, max_terms=2, rotated=False)],
    "ddtheory.testing.input_laws": [call(max_points=2, max_magnitude=2, max_denominator=2, max_weight=2)],
    "ddtheory.testing.intervals": [call(max_magnitude=10, max_width=4)],
    "ddtheory.testing.known_germs": [call(min_blocks=1, max_blocks=2, max_block_size=2, max_order=2, max_prior=1)],
    "ddtheory.testing.layer_shapes": [call(min_depth=1, max_depth=2, min_width=1, max_width=3, min_rank=0)],
    "ddtheory.testing.mean_map_cells": [call(min_order=1, max_order=2, min_live=0, max_live=1, max_terms=2)],
    "ddtheory.testing.orders": [call(min_value=1, max_value=5)],
    "ddtheory.testing.rlcts": [call(max_value=6, max_denominator=12, max_multiplicity=4)],
    "ddtheory.testing.rotations": [call(dimension=2, max_denominator=4, min_planes=0)],
}

# --- certify ----------------------------------------------------------------------------------------------------------


def certificate() -> dict[str, Any]:
    return dd.rlct("(x+y^2)^2 + z^2", seconds=2).to_json()


def _certificate_file() -> dict[str, Any]:
    import json

    Path("proof.json").write_text(json.dumps(certificate()), encoding="utf-8")
    return {"path": "proof.json", "as_json": False, "seconds": 5.0}


_CERTIFY: dict[str, list[Call]] = {
    "ddtheory.certify.check": [lambda: {"certificate": certificate(), "seconds": 5.0, "megabytes": 500.0}],
    "ddtheory.certify.certify_file": [_certificate_file],
}

# --- verify -----------------------------------------------------------------------------------------------------------


def _claim() -> dict[str, Any]:
    return {
        "id": "mine:first",
        "title": "Mine",
        "clauses": {"all": "$x$"},
        "source": dd.Citation("A paper", "Theorem 1"),
        "hypotheses": ("a",),
        "expected": dd.Verdict.CONFIRMED,
        "derive": lambda: verify.Proof("s", (verify.Prose("a"), verify.Equation("all", "r", x, x, {"c": 2 * x}))),
    }


def _comparison() -> dict[str, Any]:
    return {
        "label": "order",
        "predicted": 2,
        "measured": dd.Interval(2.0, 1.9, 2.1),
        "rivals": (1, 3),
        "max_width": 0.5,
        "reason": "spread",
    }


def _entries() -> list[Any]:
    return list(verify.select(["thm:fisher_decay"], BOOK))


def _results() -> tuple[Any, ...]:
    return verify.run(_entries(), jobs=1).results


_VERIFY: dict[str, list[Call]] = {
    "ddtheory.verify.Claim": [_claim],
    "ddtheory.verify.Comparison": [_comparison],
    "ddtheory.verify.Curve": [call(label="F", radii=(0.1, 0.2), values=(0.5, 1.0), slope=2.0, window=(0.1, 0.2))],
    "ddtheory.verify.Experiment": [
        lambda: {
            "setting": "one unit",
            "checks": {"all": (verify.Observation("state", "flat", "flat", "seen"),)},
            "curves": (),
        }
    ],
    "ddtheory.verify.Observation": [call(label="state", predicted="flat", observed="flat", reason="seen")],
    "ddtheory.verify.Proof": [
        lambda: {"scope": "s", "lines": (verify.Prose("a"), verify.Equation("all", "r", x, x, {"c": 2 * x}))}
    ],
    "ddtheory.verify.Equation": [
        lambda: {"clause": "all", "text": "r", "left": x * (x + 1), "right": x**2 + x, "rivals": {"c": 2 * x}}
    ],
    "ddtheory.verify.AtMost": [
        lambda: {
            "clause": "all",
            "text": "r",
            "left": 2 * x,
            "right": x**2 + 1,
            "slack": ((x - 1) ** 2,),
            "attained": {x: 1},
            "rivals": {"c": x**2},
        }
    ],
    "ddtheory.verify.Prose": [call(text="a", latex="x^2")],
    "ddtheory.verify.load": [call(folder=BOOK)],
    "ddtheory.verify.read": [call(choice=BOOK), call(choice="installed")],
    "ddtheory.verify.select": [call(ids=["thm:fisher_decay"], folder=BOOK), call(ids=["rates"], folder=BOOK)],
    "ddtheory.verify.select_among": [lambda: {"books": [verify.read(BOOK)], "ids": ["rates"]}],
    "ddtheory.verify.transitive_assumptions": [call(claim_id="thm:fisher_decay", folder=BOOK)],
    "ddtheory.verify.run": [lambda: {"entries": _entries(), "jobs": 1}],
}

# --- plots ------------------------------------------------------------------------------------------------------------


def _sweep() -> dd.FiniteNSweep:
    return dd.finite_n_sweep("x^2", [10, 100], localisations=[1, 2])


_PLOTS: dict[str, list[Call]] = {
    "ddtheory.plots.rate": [
        lambda: {"profiles": _profile()},
        lambda: {"profiles": [verify.Curve("F", (0.1, 0.2), (0.5, 1.0), 2.0, (0.1, 0.2))]},
    ],
    "ddtheory.plots.two_scales": [lambda: {"row": dd.read(**_reading()).dead[0]}],
    "ddtheory.plots.orders_by_layer": [lambda: {"reading": dd.read(**_reading())}],
    "ddtheory.plots.bracket": [lambda: {"found": dd.read(**_reading()).bracket}],
    "ddtheory.plots.trajectory": [lambda: {"run": measure.Trajectory(**_trajectory())}],
    "ddtheory.plots.fluctuation": [call(largest=3)],
    "ddtheory.plots.learning_coefficient": [
        lambda: {"sweep": _sweep(), "limits": {"x": dd.RLCT(Fraction(1, 2))}},
    ],
    "ddtheory.plots.localisation": [
        lambda: {"sweep": _sweep(), "whole": "1/4", "point": "1/2", "within": "1/20"},
    ],
    "ddtheory.plots.target": [lambda: {"cell": testing.conformance_cells()[0], "n_betas": [10, 100]}],
    "ddtheory.plots.finite_temperature": [call(crossings=[(2,), (2, 2)], decades=2)],
    "ddtheory.plots.landscape": [
        lambda: {"divergence": x**2 + y**4, "order": dd.kl_order(x**2 + y**4, {"y": 1}), "extent": 0.5}
    ],
    "ddtheory.plots.newton_polygon": [lambda: {"source": dd.rlct("x^2*y^4 + x^6", seconds=2)}],
    "ddtheory.plots.verdicts": [lambda: {"results": _results()}],
}


_TESTBEDS: dict[str, list[Call]] = {
    "ddtheory.testbeds.reduced_rank": [
        call(seed=1, inputs=3, hidden=2, outputs=2, rank=1, samples=20, noise=0.5),
    ],
    "ddtheory.testbeds.deep_linear": [call(seed=1, widths=(3, 2, 2), rank=1, samples=10, steps=3)],
    "ddtheory.testbeds.teacher_student": [call(seed=1, inputs=2, teachers=1, students=2, samples=10, steps=3)],
    "ddtheory.testbeds.modular_addition": [call(seed=1, modulus=5, hidden=3, steps=2, decay=0.5)],
    "ddtheory.testbeds.sparse_parity": [call(seed=1, inputs=4, sparse=2, hidden=3, steps=2)],
    "ddtheory.testbeds.modular_transformer": [
        call(seed=1, modulus=5, width=4, hidden=3, steps=2, decay=0.5),
    ],
    "ddtheory.testbeds.vision_transformer": [
        call(seed=1, activation="gelu", hidden=1, steps=1, decay=0.5),
    ],
    "ddtheory.testbeds.superposition": [call(seed=1, features=5, hidden=2, steps=2)],
}


def _half_dead() -> torch.nn.Module:
    """Of two units one is dead, so that its row has all that a row can have."""
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh(), torch.nn.Linear(2, 2))
    with torch.no_grad():
        network[0].weight[0] = network[0].bias[0] = network[2].weight[:, 0] = 0
    return network


def _reading() -> dict[str, Any]:
    return {
        "model": _half_dead(),
        "inputs": torch.eye(2),
        "head": measure.Categorical(),
        "n": 10,
        "detectors": [reads.DETECTORS["node death"]],
        "batch_size": 2,
        "weights": torch.ones(2) / 2,
        "mask": None,
        "output": None,
        "per": "sample",
    }


_READS: dict[str, list[Call]] = {
    "ddtheory.read": [_reading],
    "ddtheory.reads.Proposal": [
        lambda: {
            "type": "mine",
            "layer": "0",
            "place": "unit 1",
            "repair": lambda theta: {},
            "direction": lambda: {"weight": torch.ones(2, 2)},
            "magnitude": 1.0,
        }
    ],
}


def unknown_names(public: Mapping[str, Any]) -> list[str]:
    """Public callables without a recipe, and recipes of what is not public, by name."""
    known = set(recipes())
    missing = [f"{name} has no recipe in tests/hostile/recipes.py" for name in sorted(set(public) - known)]
    return [*missing, *(f"{name} has a recipe and is not public" for name in sorted(known - set(public)))]
