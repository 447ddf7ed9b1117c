"""What the calculus says of a network: orders with a guarantee, by layer and unit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddtheory.arguments import as_integer
from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.orders.valuation import Valuation
from ddtheory.shown import Shown
from ddtheory.tabled import Tabled

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, repr=False)
class Valuations(Shown):
    """An order for every entry of an array, such as the units of a layer.

    >>> orders = Valuations((2, 2), (Valuation(0), Valuation(1), Valuation(1), Valuation(2)))
    >>> orders[1, 1], orders[0].flat
    (Valuation(2), (Valuation(0), Valuation(1)))
    >>> print(orders)
    0, 1 ×2, 2
    """

    shape: tuple[int, ...]
    flat: tuple[Valuation, ...]

    def __post_init__(self) -> None:
        lengths = self.shape if isinstance(self.shape, tuple) else None
        if lengths is None or any(as_integer(length) is None for length in lengths):
            raise InvalidValueError(f"The shape is {shown(self.shape)}; give a tuple of integers, as in (2, 3).")
        if not isinstance(self.flat, tuple) or not all(isinstance(order, Valuation) for order in self.flat):
            raise InvalidValueError(f"The orders are {shown(self.flat)}; give a tuple of valuations.")
        if math.prod(lengths) != len(self.flat) or min(lengths, default=0) < 0:
            raise InvalidValueError(
                f"{len(self.flat)} orders do not fill the shape of {shown(math.prod(lengths))} entries."
            )

    def __getitem__(self, index: int | tuple[int, ...]) -> Any:
        indices = index if isinstance(index, tuple) else (index,)
        if len(indices) > len(self.shape):
            raise IndexError(f"{len(indices)} indices for orders of shape {self.shape}")
        flat, shape = self.flat, self.shape
        for position in indices:
            if not -shape[0] <= position < shape[0]:
                raise IndexError(f"index {position} is out of range for orders of shape {self.shape}")
            stride = len(flat) // shape[0]
            start = position % shape[0] * stride
            flat, shape = flat[start : start + stride], shape[1:]
        return Valuations(shape, flat) if shape else flat[0]

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 1

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __str__(self) -> str:
        counted = Counter(str(order) for order in self.flat)
        return ", ".join(f"{shown} ×{count}" if count > 1 else shown for shown, count in counted.items())

    def latex(self) -> str:
        signs = {"×": r"\times ", "≥": r"\ge ", "∞": r"\infty", "*": " "}
        return rf"\{{{''.join(signs.get(character, character) for character in str(self))}\}}"

    def rows(self) -> Mapping[str, str]:
        return {"shape": " × ".join(map(str, self.shape)) or "a number", "orders": str(self)}

    def as_json(self) -> dict[str, Any]:
        return {"shape": list(self.shape), "orders": [order.as_json() for order in self.flat]}


@dataclass(frozen=True, repr=False)
class LayerOrders(Shown):
    """Second moments at one weight, z = W a, over data and positions, unit by unit.

    Attributes:
        a: order of E[a_j²], the diagonal of the factor A; the coordinate of a bias is not in it.
        g: order of E[g_i²], the diagonal of the factor G, g = ∂ loss / ∂ z.

    These are orders of diagonal entries in the basis of the units. An eigenvalue can have another order: with one dead
    direction under cross-entropy or a layer norm the factor has no eigenvalue at the rate of its dead entry.
    """

    a: Valuations
    g: Valuations

    def __str__(self) -> str:
        return f"A {self.a}; G {self.g}"

    def latex(self) -> str:
        return rf"A \colon {self.a.latex()},\quad G \colon {self.g.latex()}"

    def rows(self) -> Mapping[str, str]:
        return {"A": str(self.a), "G": str(self.g), "block": str(self.block)}

    @property
    def block(self) -> Valuations:
        """Order of the diagonal entry (i, j) of A ⊗ G, the Kronecker approximation of the block of W_ij."""
        return Valuations((len(self.g.flat), len(self.a.flat)), tuple(g + a for g in self.g.flat for a in self.a.flat))

    def as_json(self) -> dict[str, Any]:
        return {"a": self.a.as_json(), "g": self.g.as_json(), "block": self.block.as_json()}


@dataclass(frozen=True, repr=False)
class NetworkOrders(Tabled):
    r"""Orders in t along θ(t), entry by entry: "exactly", or "at least" where leading terms cancel.

    Attributes:
        activations: module → orders of its output, as amplitudes, without the batch axis.
        deviations: module → orders of the output minus the output at t = 0.
        signals: module → orders of ∂ loss / ∂ output, as amplitudes.
        layers: weight → orders of the Kronecker factors A and G and of the block, as second moments.
        divergence: order of K(t) = KL(model at 0 ‖ model at t).
        loss: "squared" or "cross-entropy".
        labels: "model" (the expected Fisher) or "true" (the gradient of K itself, noise-free).
        hypotheses: what the orders rest on.

    Where a module or a weight is used several times, its orders are those of all uses together.
    """

    activations: Mapping[str, Valuations]
    deviations: Mapping[str, Valuations]
    signals: Mapping[str, Valuations]
    layers: Mapping[str, LayerOrders]
    divergence: Valuation
    loss: str
    labels: str
    hypotheses: tuple[str, ...]

    def table(self) -> Table:
        """The orders by module, for the terminal."""
        from rich.table import Table

        table = Table(title=f"K(t) = {_shown(self.divergence)}", title_justify="left", box=None)
        for column in ("module", "activation", "deviation", "signal", "A", "G", "block"):
            table.add_column(column)
        for name in dict.fromkeys([*self.activations, *self.layers]):
            amplitudes = (self.activations, self.deviations, self.signals)
            layer = self.layers.get(name)
            table.add_row(
                name,
                *(str(orders[name]) if name in orders else "" for orders in amplitudes),
                *((str(layer.a), str(layer.g), str(layer.block)) if layer else ("", "", "")),
            )
        return table

    def __rich__(self) -> Table:
        return self.table()

    def __str__(self) -> str:
        counted = f"{len(self.activations)} modules, {len(self.layers)} weights"
        return f"K(t) = {_shown(self.divergence)}, {counted}, {self.loss}"

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a module or weight; None where it has no such orders."""
        names = list(dict.fromkeys([*self.activations, *self.layers]))
        layers = [self.layers.get(name) for name in names]
        amplitudes = {"activation": self.activations, "deviation": self.deviations, "signal": self.signals}
        return {
            "module": names,
            **{title: [orders.get(name) for name in names] for title, orders in amplitudes.items()},
            **{side: [getattr(layer, side, None) for layer in layers] for side in ("a", "g", "block")},
        }

    def latex(self) -> str:
        return f"K(t) = {self.divergence._repr_latex_().strip('$')}"

    def rows(self) -> Mapping[str, str]:
        names = dict.fromkeys([*self.activations, *self.layers])
        return {"K(t)": _shown(self.divergence), **{name: self._row(name) for name in names}}

    def _row(self, name: str) -> str:
        layer = self.layers.get(name)
        orders = {
            "activation": self.activations.get(name),
            "deviation": self.deviations.get(name),
            "signal": self.signals.get(name),
            "A": layer and layer.a,
            "G": layer and layer.g,
            "block": layer and layer.block,
        }
        return "; ".join(f"{what} {found}" for what, found in orders.items() if found is not None)

    def as_json(self) -> dict[str, Any]:
        """Stable keys; orders as strings that read back exactly."""
        return {
            "divergence": self.divergence.as_json(),
            "loss": self.loss,
            "labels": self.labels,
            "activations": {name: orders.as_json() for name, orders in self.activations.items()},
            "deviations": {name: orders.as_json() for name, orders in self.deviations.items()},
            "signals": {name: orders.as_json() for name, orders in self.signals.items()},
            "layers": {name: layer.as_json() for name, layer in self.layers.items()},
            "hypotheses": list(self.hypotheses),
        }


def _shown(order: Valuation) -> str:
    if str(order) == "∞":
        return "0"
    return f"{'Θ' if order.exact else 'O'}(t^({order.value}))"
