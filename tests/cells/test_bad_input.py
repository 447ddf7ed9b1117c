"""What the cells say when they are asked for something that does not exist."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy
import torch

from ddtheory import cells
from ddtheory.cells.shared.torch_expression import evaluate
from ddtheory.errors import DDTheoryError, DirectionError, InvalidValueError, NotADivergenceError, UnknownNameError

t = sympy.Symbol("t", real=True)

CASES: list[tuple[str, Callable[[], object], type[DDTheoryError], str]] = [
    ("order 0", lambda: cells.gaussian_location(0), InvalidValueError, "k = 0 must be a positive integer"),
    (
        "order 1.5",
        lambda: cells.gaussian_location(1.5),
        InvalidValueError,
        r"k of gaussian_location is 1\.5; it must be a whole number",
    ),
    ("order −1", lambda: cells.exponential_curve("poisson", -1), InvalidValueError, "k = -1 must be"),
    ("variance 0", lambda: cells.gaussian_location(2, 0), InvalidValueError, "variance 0 is not positive"),
    ("variance −1", lambda: cells.mean_map([t], -1), InvalidValueError, "variance -1 is not positive"),
    (
        "variance of unknown sign",
        lambda: cells.mean_map([t], sympy.Symbol("v", real=True)),
        InvalidValueError,
        "variance v is not positive",
    ),
    ("no parameter", lambda: cells.mean_map([sympy.Integer(3)]), InvalidValueError, "at least one symbol"),
    ("no mean", lambda: cells.mean_map([]), InvalidValueError, "no parameter"),
    (
        "family",
        lambda: cells.exponential_curve("posson"),
        UnknownNameError,
        "Did you mean 'poisson'|Did you mean poisson",
    ),
    ("activation", lambda: cells.node_death("tahn"), UnknownNameError, "Did you mean tanh"),
    ("weight", lambda: cells.mixture_problem(1.5, 0.0), InvalidValueError, r"w = 1\.5 lies outside"),
    ("named direction", lambda: cells.node_death().kl_order("jont"), UnknownNameError, "Did you mean joint"),
    ("coordinate, symbolic", lambda: cells.node_death().kl_order({"c": 1}), DirectionError, "names c"),
    ("coordinate, torch", lambda: cells.node_death().torch_direction({"c": 1}), DirectionError, "no coordinate c"),
    ("zero direction", lambda: cells.node_death().kl_order({"a": 0}), DirectionError, "direction is zero"),
    (
        "a mean away from its value",
        lambda: cells.Cell(
            "1 + t²", lambda: cells.SymbolicFace(1 + t**2, {t: "t"}), {}, cells.node_death().source, lambda seed: None
        ).kl_order({"t": 1}),
        NotADivergenceError,
        "not 0",
    ),
    (
        "a function without torch counterpart",
        lambda: evaluate(sympy.gamma(t), {"t": torch.ones(())}),
        InvalidValueError,
        r"gamma .*known: exp",
    ),
]


@pytest.mark.parametrize(("ask", "error", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_messages(ask: Callable[[], object], error: type[DDTheoryError], message: str) -> None:
    with pytest.raises(error, match=message):
        ask()


def test_the_same_cell_twice_is_the_same_problem() -> None:
    cell = cells.node_death("gelu")
    for first, second in zip(cell.problem(0).truth.values(), cell.problem(1).truth.values(), strict=True):
        assert torch.equal(first, second)
