"""Three-layer networks with one input, all hidden units at zero: Vandermonde singularities and their shelves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational

from ddtheory.cells.shared.blocks import at_least, entry, matrix, squares
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import General, family
from ddtheory.cells.shared.routes import closed_form, hidden_units, newton
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.errors import unknown
from ddtheory.exact import formulas
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Problem


def vandermonde(hidden: int, outputs: int, gap: int) -> RLCT:
    """The closed form for derivative orders 1, 1 + Q, 1 + 2Q, …, one input, true function 0.

    λ = (M Q k(k + 1) + 2H)/(4(1 + kQ)), k = max{i : 2H ≥ M(i(i − 1)Q + 2i)}; m = 2 iff equality holds at that k.

    Source: Aoyagi 2009, restated in Aoyagi 2019, Section 4.

    >>> [vandermonde(h, 1, 2).lam for h in (1, 2, 3)]
    [Fraction(1, 2), Fraction(2, 3), Fraction(5, 6)]
    """
    k = 0
    while 2 * hidden >= outputs * ((k + 1) * k * gap + 2 * (k + 1)):
        k += 1
    tie = k >= 1 and 2 * hidden == outputs * (k * (k - 1) * gap + 2 * k)
    return RLCT(Fraction(outputs * gap * k * (k + 1) + 2 * hidden, 4 * (1 + k * gap)), 2 if tie else 1)


def shelves(orders: Sequence[int], hidden: int, outputs: int) -> RLCT:
    """The shelf formula for any derivative orders m_1 < m_2 < …, one input, true function 0.

    α = MH is to be placed on shelves of M each; β = H pays m_s for a place on shelf s. With K the last shelf that is
    paid in full: λ = [β + Σ_{s ≤ K} (m_{K+1} − m_s) n_s]/(2 m_{K+1}), or α/2 when everything is paid; m = 2 iff β is
    spent exactly.

    Source: Kurumadani 2026: an upper bound, exact for one input.

    >>> shelves((1, 3, 5), 3, 1) == vandermonde(3, 1, 2)
    True
    """
    places, budget = [outputs] * hidden, hidden
    spent, full = 0, 0
    while full < hidden and spent + orders[full] * places[full] <= budget:
        spent += orders[full] * places[full]
        full += 1
    m = 2 if full and spent == budget else 1
    if full == hidden:
        return RLCT(Fraction(sum(places), 2), m)
    step = orders[full]
    gained = sum((step - orders[s]) * places[s] for s in range(full))
    return RLCT(Fraction(budget + gained, 2 * step), m)


def _silu(z: Expr) -> Expr:
    return z / (1 + sympy.exp(-z))


def _gelu(z: Expr) -> Expr:
    return z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2


_SYMBOLIC: dict[str, Callable[[Expr], Expr]] = {"tanh": sympy.tanh, "silu": _silu, "gelu": _gelu}


def derivative_orders(activation: str, count: int) -> tuple[int, ...]:
    """The orders of the first non-zero derivatives at 0: odd for tanh; 1, 2, 4, 6, … for SiLU and GELU.

    >>> derivative_orders("tanh", 3), derivative_orders("gelu", 4)
    ((1, 3, 5), (1, 2, 4, 6))
    """
    return tuple(range(1, 2 * count, 2)) if activation == "tanh" else (1, *range(2, 2 * count, 2))[:count]


def _sizes(activation: str, hidden: int, outputs: int) -> dict[str, int] | None:
    """Of the closed form: the orders of tanh are two apart, those of the others do not go on as they begin."""
    return {"H": hidden, "M": outputs, "Q": 2} if activation == "tanh" else None


@family(
    *({"activation": "tanh", "hidden": hidden} for hidden in (1, 2, 3, 4)),
    {"activation": "tanh", "hidden": 3, "outputs": 2},
    *({"activation": name, "hidden": hidden} for name in ("silu", "gelu") for hidden in (1, 2, 3)),
    {"activation": "silu", "hidden": 2, "outputs": 2},
    general=General(formulas.hidden_layer, _sizes),
)
def hidden_layer(name: str, /, *, activation: str = "tanh", hidden: int = 2, outputs: int = 1) -> Cell:
    """A three-layer network y = Σ_i a_i φ(b_i x) + N(0, I) with H units and one input, at a = b = 0.

    K ≍ Σ_s ‖Σ_i a_i b_i^{m_s}‖² with m_s the orders of the derivatives of φ that do not vanish at 0, s = 1 … H. For
    tanh (1, 3, 5, …) and one output λ = (H + i² + i)/(4i + 2), i = ⌊√H⌋, and m = 2 iff H = i².

    Args:
        activation: "tanh", "silu" or "gelu".

    Source: Aoyagi 2009 (Vandermonde); Kurumadani 2026 (other orders).

    Raises:
        UnknownNameError: no such activation.
        InvalidValueError: a size below 1.

    >>> hidden_layer(hidden=4).rlct, hidden_layer(activation="gelu", hidden=2).rlct
    (RLCT(lam=Fraction(1, 1), m=2), RLCT(lam=Fraction(3, 4), m=1))
    """
    if activation not in _SYMBOLIC:
        raise unknown("activation", activation, _SYMBOLIC)
    at_least(hidden, 1, "The number of hidden units")
    at_least(outputs, 1, "The number of outputs")
    orders = derivative_orders(activation, hidden)
    count = max(hidden, 3)  # distinct inputs of one sign: as many as there are moments to tell apart

    def symbolic() -> SymbolicFace:
        inner, inner_names = matrix("b", "0.weight", hidden, 1)
        outer, outer_names = matrix("a", "2.weight", outputs, hidden)
        function = _SYMBOLIC[activation]
        values = [
            sympy.Add(*[outer[o, i] * function(inner[i, 0] * Rational(j, 2)) for i in range(hidden)])
            for j in range(1, count + 1)
            for o in range(outputs)
        ]
        generators = tuple(
            sympy.Add(*[outer[o, i] * inner[i, 0] ** power for i in range(hidden)])
            for power in orders
            for o in range(outputs)
        )
        return SymbolicFace(squares(values, count), inner_names | outer_names, generators)

    routes = [
        Route("shelf formula", "Kurumadani 2026, exact for one input", lambda: shelves(orders, hidden, outputs)),
        newton("b_i = t_1 ⋯ t_i, elimination from the largest unit on", hidden_units(orders, hidden, outputs)),
    ]
    if activation == "tanh":
        routes.insert(0, closed_form("Vandermonde, Q = 2 (Aoyagi 2019)", lambda: vandermonde(hidden, outputs, 2)))
    outer, inner = entry("a", outputs, hidden, 0, 0), entry("b", hidden, 1, 0, 0)
    return Cell(
        name,
        symbolic,
        {
            "joint": {outer: 1, inner: 1},
            "outer": {outer: 1},
            "inner": {inner: 1},
        },
        cite("aoyagi2019", "Section 4")
        if activation == "tanh"
        else cite("kurumadani2026", "upper bound at singular points", verified=False),
        lambda seed: _network(activation, hidden, outputs, count),
        Size(hidden * (1 + outputs), count * outputs),
        provenance=Provenance.SUMMARY,
        routes=tuple(routes),
    )


def _network(activation: str, hidden: int, outputs: int, count: int) -> Problem:
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, Problem

    functions: dict[str, Callable[[], nn.Module]] = {"tanh": nn.Tanh, "silu": nn.SiLU, "gelu": nn.GELU}
    network = nn.Sequential(
        nn.Linear(1, hidden, bias=False, dtype=torch.float64),
        functions[activation](),
        nn.Linear(hidden, outputs, bias=False, dtype=torch.float64),
    )
    parameters: list[Tensor] = list(network.parameters())
    for parameter in parameters:
        nn.init.zeros_(parameter)
    inputs = torch.arange(1, count + 1, dtype=torch.float64).reshape(-1, 1) / 2
    return Problem.from_module(network, inputs, Gaussian(1.0))
