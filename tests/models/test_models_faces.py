"""The two faces of a model: K and its generators by sympy, the problem by torch, built apart."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import sympy
import torch

from ddtheory import measure, models

MODELS: dict[str, Callable[[], models.Model]] = {
    "regression": lambda: models.regression(
        ["a*tanh(b*x)", "a*x + b^2"], inputs={"x": [1, "-1/2", 2]}, weights=[1, 2, 3], truth=0, variance="1/2"
    ),
    "no input": lambda: models.regression("a*b + a^2", truth=0),
    "logits": lambda: models.logits(["a*b*x", "a*y", 0], inputs={"x": [1, 2], "y": [0, -1]}, truth={"a": "1/3"}),
    "bernoulli": lambda: models.exponential_family("a*b*x + x", family="bernoulli", inputs={"x": [1, 2]}, truth="x"),
    "poisson": lambda: models.exponential_family(["a*b", "a"], family="poisson", truth=0),
    "exponential": lambda: models.exponential_family("-1 + a*b", family="exponential", truth=-1),
    "finite": lambda: models.finite(["1/4 + a*b", "1/4 + a", "1/2 - a - a*b"], truth={}),
    "mixture": lambda: models.mixture(
        ["1/3 + a", "2/3 - a"], [["1/2 + b", "1/2 - b"], ["1/2 - b", "1/2 + b"]], truth={}
    ),
    "gaussian": lambda: models.gaussian(
        ["a*x", "b"], [["2 + a", "b + 1/2"], ["b + 1/2", "1 + a*b"]], inputs={"x": [1, 2]}, truth={}
    ),
}
POINTS = [{"a": 0.125, "b": -0.25}, {"a": -0.0625, "b": 0.1875}, {"a": 0.03125, "b": 0.03125}]


def from_torch(problem: measure.Problem, point: dict[str, float]) -> float:
    moved = {name: torch.full_like(value, point[name]) for name, value in problem.truth.items()}
    total, samples = 0.0, 0
    for inputs, weights in problem.batches():
        total += float((weights * problem.kl(problem.truth_outputs(inputs), problem.outputs(moved, inputs))).sum())
        samples += inputs.shape[0]
    return total / problem.total(samples)


@pytest.mark.parametrize("name", MODELS)
def test_the_divergence_of_both_faces_is_the_same(name: str) -> None:
    model = MODELS[name]()
    divergence, problem = model.divergence(), model.problem()
    for point in POINTS:
        exact = {w: sympy.Rational(point[w.name]) for w in model.parameters}
        expected = float(sympy.N(divergence.subs(exact), 40))
        assert expected > 0 and math.isclose(from_torch(problem, point), expected, rel_tol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_the_head_is_a_law(name: str) -> None:
    """Its metric is the second derivative of its divergence, as the kit of heads has it."""
    problem = MODELS[name]().problem()
    inputs, _ = next(problem.batches())
    measure.check_head(problem.head, problem.truth_outputs(inputs))


GENERIC: dict[str, Callable[[], models.Model]] = {
    "two units": lambda: models.regression(
        "a*tanh(b*x) + c*tanh(d*x)", inputs={"x": "generic"}, truth={"a": 1, "b": 1}
    ),
    "silu": lambda: models.regression(
        "a*b*x/(1 + exp(-b*x)) + c*d*x/(1 + exp(-d*x))", inputs={"x": "generic"}, truth=0
    ),
    "two inputs": lambda: models.regression(
        "a*tanh(b*x + c*y) + d*x", inputs={"x": "generic", "y": "generic"}, truth=0
    ),
    "logits": lambda: models.logits(["a*tanh(b*x)", "c*x", 0], inputs={"x": "generic"}, truth=0),
}


def ratios(model: models.Model, generators: tuple[sympy.Expr, ...], radii: tuple[float, ...]) -> list[float]:
    """K of the torch face over Σ f², at random points in boxes around the truth."""
    problem, draw = model.problem(), torch.Generator().manual_seed(1)
    function = sympy.lambdify(model.parameters, sympy.Add(*[f**2 for f in generators]), "math")
    found = []
    for radius in radii:
        for _ in range(40):
            shift = radius * (2 * torch.rand(len(model.parameters), generator=draw, dtype=torch.float64) - 1)
            point = {w.name: float(model.point[w]) + float(s) for w, s in zip(model.parameters, shift, strict=True)}
            found.append(from_torch(problem, point) / function(*[point[w.name] for w in model.parameters]))
    return found


@pytest.mark.parametrize("name", GENERIC)
def test_generators_are_two_sided_on_generic_inputs(name: str) -> None:
    model = GENERIC[name]()
    near = ratios(model, model.generators().expressions, (0.1,))
    close = ratios(model, model.generators().expressions, (0.003,))
    # bounded on both sides, and no worse where the box shrinks thirtyfold
    assert max(close) < 3 * max(near) + 1 and min(close) > min(near) / 30


def test_the_control_without_one_generator_the_ratio_grows() -> None:
    """Near a·b + c·d = 0 the first coefficient of two units says nothing."""
    model = models.regression("a*tanh(b*x) + c*tanh(d*x)", inputs={"x": "generic"}, truth=0)
    problem, whole = model.problem(), model.generators().expressions
    found = {}
    for count in (1, 2):
        value = sympy.lambdify(model.parameters, sympy.Add(*[f**2 for f in whole[:count]]), "math")
        size = []
        for t in (0.1, 0.05):
            point = {"a": t, "b": t, "c": -t / 2 + t**5, "d": 2 * t}  # the first is 2t⁶, the second about −3t⁴
            size.append(from_torch(problem, point) / value(*[point[w.name] for w in model.parameters]))
        found[count] = size[1] / size[0]
    assert found[1] > 3 and found[2] < 3


def test_generic_inputs_are_drawn_from_the_seed() -> None:
    model = GENERIC["two units"]()
    one, again, other = (model.problem(seed=seed).inputs for seed in (0, 0, 1))
    assert isinstance(one, torch.Tensor) and one.shape == (64, 1)
    assert torch.equal(one, again) and not torch.equal(one, other)
