"""Gaussian models given by their mean map: y ~ N(μ(θ), σ² I). Every rate claim has its simplest cell here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Integer, Symbol

from ddtheory.arguments import in_order
from ddtheory.cells.shared.cell import Cell, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.finite_n import crossing
from ddtheory.cells.shared.routes import line_routes
from ddtheory.cells.shared.torch_expression import evaluate
from ddtheory.cells.shared.truth import Provenance
from ddtheory.errors import InvalidValueError
from ddtheory.exact.fluctuation.nu import singular_fluctuation
from ddtheory.exact.numbers.coordinates import free_coordinates_of
from ddtheory.exact.numbers.given import expression_of
from ddtheory.references import cite
from ddtheory.shown import shortened

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Problem

_MOST_OUTPUTS = 10_000
_LONGEST = 60

_SOURCE = cite("shirodkar2026dead", "thm:selection_rule")


def mean_map(means: Sequence[Expr | str], variance: Expr | Fraction | int | str = 1, *, name: str = "mean_map") -> Cell:
    """y ~ N(μ(θ), σ² I) with analytic μ, at θ0 = 0: K(θ) = ‖μ(θ) − μ(0)‖² / (2σ²) in nats.

    The coordinates are the free symbols of μ.

    Raises:
        InvalidValueError: no mean, a mean without symbols only, or a variance that is not positive.

    >>> s, w = sympy.symbols("s w")
    >>> mean_map([s**2 + w, s**3]).divergence
    s**6/2 + (s**2 + w)**2/2
    """
    if isinstance(means, str | Expr) or not isinstance(means, Iterable):
        raise InvalidValueError("The means are no list; give one expression for each output, as in [s**2 + w, s**3].")
    listed = in_order(means, "The list of means", _MOST_OUTPUTS)
    expressions = tuple(expression_of(mean, f"mean {number}") for number, mean in enumerate(listed, 1))
    symbols = free_coordinates_of(symbol for mean in expressions for symbol in mean.free_symbols)
    if not symbols:
        raise InvalidValueError("The mean map has no parameter; give expressions in at least one symbol.")
    scale = expression_of(variance, "The variance")
    if not scale.is_positive:
        raise InvalidValueError(f"The variance {shortened(str(scale), _LONGEST)} is not positive.")
    origin = dict.fromkeys(symbols, Integer(0))
    shifts = [mean - mean.subs(origin) for mean in expressions]
    divergence = sympy.Add(*[shift**2 for shift in shifts]) / (2 * scale)

    def build(seed: int) -> Problem:
        del seed  # one input, nothing is drawn
        import torch

        from ddtheory.measure import Gaussian, Problem

        def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
            means = [evaluate(mean, parameters).reshape(1) for mean in expressions]
            return torch.cat(means).expand(inputs.shape[0], -1)

        return Problem(
            model,
            {symbol.name: torch.zeros(1, dtype=torch.float64) for symbol in symbols},
            torch.zeros(1, 1, dtype=torch.float64),
            Gaussian(float(scale)),
        )

    axes = {symbol.name: {symbol.name: 1} for symbol in symbols}
    return Cell(
        name, lambda: SymbolicFace(divergence, {symbol: symbol.name for symbol in symbols}), axes, _SOURCE, build
    )


@family(*({"k": k} for k in (1, 2, 3, 5)))
def gaussian_location(name: str, /, k: int = 2, variance: Fraction | int = 1) -> Cell:
    """The Gaussian curve y ~ N(t^k, σ²): K = t^{2k}/(2σ²), F = k² t^{2(k−1)}/σ², so t²F = 2k²K at every t.

    λ = 1/(2k), m = 1, ν = ν(k).

    Raises:
        InvalidValueError: k is not a positive integer.

    >>> gaussian_location(3).kl_order("t").k
    3
    """
    if not isinstance(k, int) or k < 1:
        raise InvalidValueError(f"The order k = {k!r} must be a positive integer.")
    curve = Symbol("t", real=True) ** k
    cell = mean_map([curve], variance, name=name)
    return replace(
        cell,
        symbolic=lambda: replace(cell.face, generators=(curve,)),
        provenance=Provenance.PRIMARY,
        routes=line_routes(k),
        fluctuation=lambda digits: singular_fluctuation(k, digits=digits),
        finite=crossing([2 * k], scale=1 / (2 * Fraction(variance))),
    )
