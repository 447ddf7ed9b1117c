"""A local posterior whose K is a sum of squares of analytic functions: activations, and other likelihoods."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from ddtheory.errors import InvalidValueError
from ddtheory.fields import require_each
from ddtheory.testing.conformance.posterior import Floats, numbers_of

if TYPE_CHECKING:
    from sympy import Expr
    from torch import nn

_LONG = 60  # characters of a K that is shown


@dataclass(frozen=True, repr=False)
class AnalyticPosterior:
    """K(w) = Σ_j g_j(w)² with analytic g_j, on a box with a flat prior.

    `divergence` works on arrays of numpy, torch and jax, and inside functions that they trace.

    Attributes:
        generators: the g_j in the coordinates; known functions only, such as exp, tanh, erf.
        coordinates: the name of each parameter, in the order of w.
        truth: w*, a common zero of the g_j.
        lower, upper: the box.

    Raises:
        InvalidValueError: lengths that do not match, a symbol that is no coordinate, a function that is not known, w*
            outside of the box, or K that is not 0 there.

    >>> from sympy import tanh
    >>> from sympy.abc import a, b
    >>> unit = AnalyticPosterior((a * tanh(b),), ("a", "b"), (0.0, 0.0), (-1.0, -1.0), (1.0, 1.0))
    >>> bool(unit.divergence(numpy.array([0.5, 1.0])) == (0.5 * numpy.tanh(1.0)) ** 2)
    True
    """

    version: ClassVar[str] = "1"  # for kept results: everything else that it consists of is in its fields
    localisation: ClassVar[float] = 0.0

    generators: tuple[Expr, ...]
    coordinates: tuple[str, ...]
    truth: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    def __post_init__(self) -> None:
        from sympy import Expr

        require_each(self, Expr, "generators")
        require_each(self, str, "coordinates")
        for name in ("truth", "lower", "upper"):
            object.__setattr__(self, name, numbers_of(name, getattr(self, name)))
        if not self.generators or {len(self.truth), len(self.lower), len(self.upper)} != {len(self.coordinates)}:
            raise InvalidValueError(
                f"A posterior in {len(self.coordinates)} coordinates has a truth and bounds of "
                f"{len(self.truth)}, {len(self.lower)} and {len(self.upper)} numbers, and some generators."
            )
        if not all(low <= w <= high for low, w, high in zip(self.lower, self.truth, self.upper, strict=True)):
            raise InvalidValueError(f"The truth {self.truth} lies outside of the box.")
        if not float(self.divergence(numpy.array(self.truth))) <= 1e-20:
            raise InvalidValueError(f"K is not 0 at the truth {self.truth}.")

    def __repr__(self) -> str:
        k = " + ".join(f"({g})^2" for g in self.generators)
        k = k if len(k) <= _LONG else f"a sum of {len(self.generators)} squares in {len(self.truth)} parameters"
        return f"AnalyticPosterior(K = {k})"

    def latex(self) -> str:
        """K as LaTeX, without dollars."""
        from sympy import latex

        return "K = " + " + ".join(rf"\left({latex(g)}\right)^2" for g in self.generators)

    @property
    def prior_exponents(self) -> tuple[float, ...]:
        return (0.0,) * len(self.truth)

    def divergence(self, points: Any) -> Any:
        """K at points of shape (…, d) → (…)."""
        values = [self._evaluate(g, points) for g in self.generators]
        return sum((value * value for value in values[1:]), values[0] * values[0])

    def gradient(self, points: Floats) -> Floats:
        """∇K in numpy, shape (rows, d) → (rows, d)."""
        from sympy import Symbol

        values = [self._evaluate(g, points) for g in self.generators]
        by_name = {symbol.name: symbol for g in self.generators for symbol in g.free_symbols}
        slopes = []
        for name in self.coordinates:
            symbol = by_name.get(name, Symbol(name))
            slopes.append(
                sum(
                    2 * value * self._evaluate(g.diff(symbol), points)
                    for value, g in zip(values, self.generators, strict=True)
                )
            )
        return numpy.stack(slopes, axis=1)

    def module(self) -> nn.Module:
        import torch
        from torch import Tensor, nn

        posterior = self

        class Functions(nn.Module):
            """x ↦ g(w) x."""

            def __init__(self) -> None:
                super().__init__()
                self.w = nn.Parameter(torch.tensor(posterior.truth, dtype=torch.float64))

            def forward(self, inputs: Tensor) -> Tensor:
                return inputs * torch.stack([posterior._evaluate(g, self.w) for g in posterior.generators])

        return Functions()

    def data(self) -> tuple[Any, Any]:
        import torch

        inputs = torch.tensor([[1.0], [-1.0]] * 4, dtype=torch.float64)
        return inputs, torch.zeros(len(inputs), len(self.generators), dtype=torch.float64)

    def _evaluate(self, expression: Expr, points: Any) -> Any:
        from ddtheory.exact.numbers.evaluate import evaluate

        values = {name: points[..., axis] for axis, name in enumerate(self.coordinates)}
        return evaluate(expression, values, _library_of(points))


def _library_of(points: Any) -> Any:
    """The functions for arrays of this kind; numpy and jax have erf elsewhere, or not at all."""
    top = type(points).__module__.partition(".")[0]
    if top == "torch":
        import torch

        return torch
    if top.startswith("jax"):
        import jax  # type: ignore[import-not-found,import-untyped,unused-ignore]

        return SimpleNamespace(**vars(jax.numpy), erf=jax.scipy.special.erf)
    return _NUMPY


_NUMPY = SimpleNamespace(
    **{name: getattr(numpy, name) for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    erf=numpy.vectorize(math.erf, otypes=[float]),
)
