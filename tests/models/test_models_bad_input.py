"""What a model refuses: one plain error, early, that says what happened and what to try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy

from ddtheory import models
from ddtheory.errors import DDTheoryError, InvalidValueError, NotADivergenceError, NotAnalyticError, UnknownNameError

GENERIC = {"x": "generic"}
HALF = ["1/2", "1/2"]


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "code": (lambda: models.regression("__import__('os')", truth=0), "not arithmetic"),
    "no parameter": (lambda: models.regression("x", inputs=GENERIC, truth=0), "no parameter"),
    "an input that is not there": (lambda: models.regression("a*y", inputs=GENERIC, truth=0), "does not occur"),
    "a word for an input": (lambda: models.regression("a*x", inputs={"x": "normal"}, truth=0), "generic"),
    "points of two lengths": (
        lambda: models.regression("a*x + b*y", inputs={"x": [1, 2], "y": [1]}, truth=0),
        "one length",
    ),
    "no point": (lambda: models.regression("a*x", inputs={"x": []}, truth=0), "one length"),
    "weights of nothing": (lambda: models.regression("a*x", inputs=GENERIC, weights=[1], truth=0), "belong to points"),
    "a weight of zero": (
        lambda: models.regression("a*x", inputs={"x": [1, 2]}, weights=[1, 0], truth=0),
        "positive numbers",
    ),
    "moments of no law": (
        lambda: models.regression("a*x", inputs={"x": {"moments": [1, 2, 1]}}, truth=0),
        "No law",
    ),
    "too few moments": (
        lambda: models.regression("a*x^2", inputs={"x": {"moments": [1, 0, 1]}}, truth=0).generators(),
        "up to 2",
    ),
    "moments of a tanh": (
        lambda: models.regression("a*tanh(x)", inputs={"x": {"moments": [1, 0, 1]}}, truth=0).generators(),
        "no polynomial",
    ),
    "moments for logits": (
        lambda: models.logits(["a*x", 0], inputs={"x": {"moments": [1, 0, 1]}}, truth=0),
        "suffice for regression",
    ),
    "an impossible outcome of generic inputs": (
        lambda: models.finite(["a^2*x^2", "1 - a^2*x^2"], inputs=GENERIC, truth=[0, 1]),
        "point by point",
    ),
    "another key than moments": (
        lambda: models.regression("a*x", inputs={"x": {"mean": 1}}, truth=0),
        "with this one key",
    ),
    "no analytic mean": (lambda: models.regression(sympy.Abs(sympy.Symbol("a")), truth=0), "no analytic function"),
    "a mean that is singular at the input 0": (
        lambda: models.regression("a*log(x)", inputs=GENERIC, truth=0).generators(),
        "no power series in the inputs at 0",
    ),
    "a mean that is infinite at the truth": (lambda: models.regression("a/b", truth={}), "no finite value"),
    "a truth with a name": (lambda: models.regression("a*x", inputs=GENERIC, truth="c*x"), "no input"),
    "a truth of another size": (lambda: models.regression(["a", "b"], truth=["1"]), "one expression for each"),
    "an unknown true parameter": (lambda: models.regression("a", truth={"w": 1}), "no parameter of the model"),
    "a variance of zero": (lambda: models.regression("a", truth=0, variance=0), "not positive"),
    "an unknown point": (lambda: models.regression("a", truth=0).rlct(at={"w": 1}), "no parameter of the model"),
    "a prior of nothing": (lambda: models.regression("a", truth=0).rlct(prior={"w": 1}), "no parameter of the model"),
    "a constant model": (lambda: models.regression("a - a + b*0 + 1 + c - c", truth=1), "no parameter"),
    "an input as parameter": (lambda: models.regression("a*x", inputs=GENERIC, truth=0).rlct(at={"x": 1}), "no param"),
    "one score": (lambda: models.logits("a", truth=0), "at least two"),
    "an unknown family": (lambda: models.exponential_family("a", family="poison", truth=0), "poisson"),
    "a rate of zero": (
        lambda: models.exponential_family("a", family="exponential", truth=0),
        "must be negative",
    ),
    "probabilities that do not sum to 1": (lambda: models.finite(["a", "1/2 - a"], truth=HALF), "proven to be 1"),
    "true probabilities that do not": (lambda: models.finite(["a", "1 - a"], truth=["1/2", "1/3"]), "proven to be 1"),
    "a negative true probability": (lambda: models.finite(["a", "1 - a"], truth=[2, -1]), "not a number ≥ 0"),
    "no list of probabilities": (lambda: models.finite(["a", "1 - a"], truth=0), "list of probabilities"),
    "finite models of generic inputs": (
        lambda: models.finite(["1/2 + a*x", "1/2 - a*x"], inputs=GENERIC, truth=["1/2 + x", "1/2 - x"]),
        "Give points",
    ),
    "components of two sizes": (
        lambda: models.mixture(["s", "1-s"], [["p", "1-p"], ["q"]], truth=HALF),
        "same number of outcomes",
    ),
    "a covariance that is no square": (lambda: models.gaussian(0, [["1", "a"]], truth=[0, 1]), "not as many columns"),
    "a covariance that is not symmetric": (
        lambda: models.gaussian(0, [["1", "a"], ["0", "1"]], truth={}),
        "not symmetric",
    ),
    "a true covariance that is singular": (
        lambda: models.gaussian(0, [["a^2", "a"], ["a", "1"]], truth={"a": 1}),
        "not positive definite",
    ),
    "a truth that is no pair": (lambda: models.gaussian("m", "1", truth=[0]), "nor a pair"),
    "a set of outputs": (lambda: models.regression({"a*b", "c"}, truth=0), "has no order"),
    "a set for the truth": (lambda: models.regression(["a", "b"], truth=frozenset({"0", "1"})), "has no order"),
    "a set of sympy": (lambda: models.regression(sympy.FiniteSet(*sympy.symbols("a b")), truth=0), "has no order"),
    "a set of components": (lambda: models.mixture(["s", "1-s"], {("p", "1-p"), ("1", "0")}, truth=HALF), "no order"),
    "a set of outcomes": (lambda: models.hidden({("p",), ("1-p",)}, truth=HALF), "no order"),
    "a set of rows": (lambda: models.gaussian([0], {("1 + a^2",)}, truth={}), "no order"),
    "a set of points": (lambda: models.regression("a*x", inputs={"x": {1, 2}}, truth=0), "no order"),
    "a set of weights": (
        lambda: models.regression("a*x", inputs={"x": [1, 2]}, weights={1, 2}, truth=0),
        "no order",
    ),
    "one true output of two": (lambda: models.regression(["a", "b"], truth=[0]), "has 1 output, and the model 2"),
    "one true output of two, in a tuple": (lambda: models.regression(["a", "b"], truth=("0",)), "has 1 output"),
    "one mean of two": (
        lambda: models.gaussian([0], [["1 + a^2", 0], [0, 1]], truth={}),
        "There are 1 mean",
    ),
    "a divergence of generic inputs": (
        lambda: models.regression("a*x", inputs=GENERIC, truth=0).divergence(),
        "depends on the law of the inputs",
    ),
    "a torch face from moments": (
        lambda: models.regression("a*x", inputs={"x": {"moments": [1, 0, 1]}}, truth=0).problem(),
        "no inputs that a torch model",
    ),
    "a torch face at an impossible outcome": (
        lambda: models.finite(["a^2", "1 - a^2"], truth=[0, 1]).problem(),
        "probability 0",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(name: str) -> None:
    act, message = REFUSED[name]
    with pytest.raises(DDTheoryError, match=message) as refused:
        act()
    assert isinstance(refused.value, InvalidValueError | UnknownNameError)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 600


def test_a_truth_that_is_not_in_the_model_is_refused_with_the_gap() -> None:
    model = models.regression("a*tanh(b*x)", inputs={"x": [1, 2]}, truth=[2])
    with pytest.raises(InvalidValueError, match=r"misses it by -2 for x = 1") as refused:
        model.rlct()
    assert "true law near" in str(refused.value)  # a tanh(b x) comes near a constant where b is large
    with pytest.raises(InvalidValueError, match=r"found no true one: the smallest distance of the outputs is 0\.5"):
        models.regression(["a", "a"], truth=[0, 1]).rlct()  # the nearest a is 1/2, at distance 1/2 from both


def test_a_true_parameter_elsewhere_is_named() -> None:
    model = models.regression("a*tanh(b*x)", inputs=GENERIC, truth="3*tanh(2*x)")
    with pytest.raises(InvalidValueError, match=r"near a = 3, b = 2|near a = -3, b = -2"):
        model.generators()
    assert model.rlct(at={"a": 3, "b": 2}).rlct is not None


def test_an_impossible_outcome_needs_a_domain() -> None:
    """K ~ a for a ≥ 0; for a < 0 there is no law."""
    model = models.finite(["a", "1 - a"], truth=[0, 1])
    found = model.generators()
    assert [str(g) for g in found.linear] == ["a"] and "no sum of squares" in " ".join(found.proof)
    with pytest.raises(NotADivergenceError, match="nonnegative"):
        model.rlct()


def test_a_model_that_is_the_truth_everywhere_has_no_pair() -> None:
    with pytest.raises(InvalidValueError, match="K ≡ 0"):
        models.logits(["a", "a"], truth=0).rlct()


def test_a_mean_that_is_not_analytic_at_the_point() -> None:
    with pytest.raises(NotAnalyticError):
        models.regression("a*sqrt(b)", truth={"a": 1}).rlct()


@pytest.mark.parametrize("zero", [0, "0", 0.0, sympy.Integer(0)])
def test_a_bare_zero_is_the_truth_of_every_output(zero: Any) -> None:
    assert models.regression(["a", "b"], truth=zero).truth == (0, 0)
    assert models.gaussian(zero, [["1 + a^2", 0], [0, 1]], truth={}).outputs[:2] == (0, 0)
    assert models.regression({"a": 0, "b": 0}.keys(), truth=zero).outputs == sympy.symbols("a b", real=True)
