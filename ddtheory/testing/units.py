"""Activations with their order at 0, and cells in which one unit stands at zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ddtheory.arguments import exact_fraction
from ddtheory.errors import InvalidValueError, shown
from ddtheory.fields import require
from ddtheory.testing.laws import InputLaw, input_laws
from ddtheory.testing.models import KnownCell, exact
from ddtheory.testing.numbers import coefficients
from ddtheory.testing.ranges import check_range, check_truth, check_whole
from ddtheory.testing.vectors import directions

if TYPE_CHECKING:
    from sympy import Expr
    from torch import Tensor

    from ddtheory.measure import Problem


@dataclass(frozen=True)
class Activation:
    """An analytic activation φ(z) = c z^p + … with φ(0) = 0, in symbols and in torch.

    Attributes:
        name: how messages call it.
        order: p.
        leading: c.
    """

    name: str
    order: int
    leading: Fraction

    def __post_init__(self) -> None:
        require(self, str, "name")
        object.__setattr__(self, "order", check_whole("order", self.order, least=1))
        object.__setattr__(self, "leading", exact_fraction(self.leading, "The leading coefficient"))

    def symbolic(self, z: Expr) -> Expr:
        """φ(z) as a sympy expression."""
        import sympy

        functions: dict[str, Callable[[Expr], Expr]] = {
            "linear": lambda z: z,
            "tanh": sympy.tanh,
            "sin": sympy.sin,
            "expm1": lambda z: sympy.exp(z) - 1,
            "silu": lambda z: z / (1 + sympy.exp(-z)),
            "gelu": lambda z: z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2,
            "square": lambda z: z**2,
            "z tanh z": lambda z: z * sympy.tanh(z),
            "cube": lambda z: z**3,
        }
        return functions[self.name](z)

    def torch(self, z: Tensor) -> Tensor:
        """φ(z), element by element, written with torch's own function where there is one."""
        import torch

        functions: dict[str, Callable[[Tensor], Tensor]] = {
            "linear": lambda z: z,
            "tanh": torch.tanh,
            "sin": torch.sin,
            "expm1": torch.expm1,
            "silu": torch.nn.functional.silu,
            "gelu": torch.nn.functional.gelu,
            "square": torch.square,
            "z tanh z": lambda z: z * torch.tanh(z),
            "cube": lambda z: z**3,
        }
        return functions[self.name](z)


ACTIVATIONS = (
    Activation("linear", 1, Fraction(1)),
    Activation("tanh", 1, Fraction(1)),
    Activation("sin", 1, Fraction(1)),
    Activation("expm1", 1, Fraction(1)),
    Activation("silu", 1, Fraction(1, 2)),
    Activation("gelu", 1, Fraction(1, 2)),
    Activation("square", 2, Fraction(1)),
    Activation("z tanh z", 2, Fraction(1)),
    Activation("cube", 3, Fraction(1)),
)
"""The simplest first."""


def activations(*, min_order: int = 1, max_order: int = 3) -> SearchStrategy[Activation]:
    """Activations that vanish at 0 to an order p within the bounds; shrinks to the simplest, first of all z ↦ z.

    Raises:
        InvalidValueError: a bound is no whole number from 1 to 3, or they are in the wrong order.

    >>> from hypothesis import find
    >>> find(activations(min_order=2), lambda phi: True)
    Activation(name='square', order=2, leading=Fraction(1, 1))
    """
    most = max(activation.order for activation in ACTIVATIONS)
    min_order, max_order = check_range("min_order", min_order, "max_order", max_order, least=1, most=most)
    return st.sampled_from([phi for phi in ACTIVATIONS if min_order <= phi.order <= max_order])


def dead_unit_cells(
    *, min_order: int = 2, max_order: int = 4, flat: bool = False, laws: SearchStrategy[InputLaw] | None = None
) -> SearchStrategy[KnownCell]:
    """y = a φ(b x) + N(0, σ²) at a = b = 0 under a random finite law of x, along a direction in the (a, b) plane.

    K = a² E φ(bx)²/(2σ²) has order p + 1 along every ray that moves both weights, with p the order of φ at 0, and is
    flat along both axes. Shrinks to a linear unit, one input and the diagonal.

    Args:
        min_order, max_order: of p + 1, from 2 to 4.
        flat: draw only directions that move one of the two weights.
        laws: of x; `input_laws(max_points=2)` when omitted.

    Raises:
        InvalidValueError: a bound is no whole number in reach, they are in the wrong order, or `laws` is no strategy.

    >>> from hypothesis import find
    >>> simplest = find(dead_unit_cells(), lambda known: True)
    >>> simplest.cell.divergence, dict(simplest.along), simplest.order, simplest.leading
    (a**2*b**2/2, {'a': 1, 'b': 1}, 2, Fraction(1, 8))
    """
    min_order, max_order = check_range("min_order", min_order, "max_order", max_order, least=2, most=4)
    if laws is None:
        laws = input_laws(max_points=2)
    elif not isinstance(laws, SearchStrategy):
        raise InvalidValueError(f"laws = {shown(laws)} must be a strategy for input laws, such as input_laws().")
    axes = st.sampled_from([{"a": 1, "b": 0}, {"a": 0, "b": 1}])
    rays = axes if check_truth("flat", flat) else directions(["a", "b"], moving=["a", "b"])

    @st.composite
    def draw_cell(draw: DrawFn) -> KnownCell:
        activation = draw(activations(min_order=min_order - 1, max_order=max_order - 1))
        law, variance, along = draw(laws), abs(draw(coefficients())), draw(rays)
        return dead_unit(activation, law, variance, along)

    return draw_cell()


def dead_unit(activation: Activation, law: InputLaw, variance: Fraction, along: Mapping[str, int]) -> KnownCell:
    """One such cell; the order and the coefficient are worked out by hand from those of φ and the moments of x."""
    import sympy

    from ddtheory.cells import Cell, SymbolicFace
    from ddtheory.references import cite

    a, b = sympy.symbols("a b", real=True)
    divergence = sympy.Add(
        *[exact(w) * (a * activation.symbolic(b * exact(x))) ** 2 for x, w in zip(law.points, law.weights, strict=True)]
    ) / (2 * exact(variance))

    def build(seed: int) -> Problem:
        del seed  # the law is given
        import torch

        from ddtheory.measure import Gaussian, Problem

        def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
            return parameters["outer"] * activation.torch(inputs * parameters["inner"])

        zero = torch.zeros(1, dtype=torch.float64)
        return Problem(
            model,
            {"outer": zero, "inner": zero},
            torch.tensor([[float(x)] for x in law.points], dtype=torch.float64),
            Gaussian(float(variance)),
            weights=torch.tensor([float(w) for w in law.weights], dtype=torch.float64),
        )

    cell = Cell(
        f"dead unit with {activation.name}",
        lambda: SymbolicFace(divergence, {a: "outer", b: "inner"}),
        {"joint": {"a": 1, "b": 1}, "outer": {"a": 1}, "inner": {"b": 1}},
        cite("shirodkar2026measuring", "node death", verified=False),
        build,
    )
    p, (u, v) = activation.order, (along.get("a", 0), along.get("b", 0))
    if not u or not v:
        return KnownCell(cell, along, None, None, None)
    second_moment = activation.leading**2 * law.moment(2 * p)
    leading = second_moment * u**2 * v ** (2 * p) / (2 * variance * (u * u + v * v) ** (p + 1))
    return KnownCell(cell, along, p + 1, leading, p + 1)
