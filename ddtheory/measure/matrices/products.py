"""Products with a weight that no submodule of its own runs: projections of attention, weights that are handed over.

`torch.nn.MultiheadAttention` multiplies by its three projections and by its `out_proj` in one function, and many
modules call `torch.nn.functional.linear` with a parameter. A hook sees none of them; a torch function mode does.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

Visit = Callable[[str, Tensor, Tensor], Tensor]
"""(name of the product, its input (batch, …, in), its output (batch, …, out)) ↦ what stands for the output."""

PROJECTIONS = ("query", "key", "value")

# the same numbers in another place or type: reading them so is no use of their own
_PASSIVE = frozenset(("to", "type", "type_as", "float", "double", "detach", "contiguous"))
_ATTENTION = inspect.signature(F.multi_head_attention_forward)


class Products(TorchFunctionMode):
    """While it is active, every product with a parameter whose own layer is not running is visited.

    Attributes:
        uses: parameter → how many operations read it.
        met: product → the parameter that it multiplies by.
        read: all parameters of these products, their biases too.
        running: weight, by its id → how many of the layers that keep it as their one matrix are running.
    """

    def __init__(self, positions: Mapping[str, Tensor], visit: Visit) -> None:
        super().__init__()
        self.uses: Counter[str] = Counter()
        self.met: dict[str, str] = {}
        self.read: set[str] = set()
        self.running: Counter[int] = Counter()
        self._names = {id(value): name for name, value in positions.items()}
        self._visit, self._listening = visit, True

    @contextmanager
    def deaf(self) -> Generator[None]:
        """What is computed here is no part of the model."""
        before, self._listening = self._listening, False
        try:
            yield
        finally:
            self._listening = before

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        if not self._listening:
            return function(*args, **given)
        if function is F.multi_head_attention_forward:
            return self._attention(args, given)
        result = function(*args, **given)
        if isinstance(result, Tensor | tuple | list) and getattr(function, "__name__", "") not in _PASSIVE:
            self.uses.update(set(self._named((args, given))))
        if function is F.linear:
            inputs, weight = args[0] if args else given["input"], args[1] if len(args) > 1 else given["weight"]
            if not self.running[id(weight)] and id(weight) in self._names:
                self.read.update(self._named((args, given)))
                return self._product(self._names.get(id(weight), ""), inputs, result)
        return result

    def _product(self, parameter: str, inputs: Tensor, output: Tensor, name: str = "") -> Tensor:
        if not parameter or inputs.ndim < 2:
            return output
        name = name or parameter.removesuffix(".weight")
        self.met[name] = parameter
        with self.deaf():
            return self._visit(name, inputs, output)

    def _attention(self, args: tuple[Any, ...], given: Mapping[str, Any]) -> Any:
        """The same attention with its projections taken out: inside, it multiplies by the identity."""
        found = _ATTENTION.bind(*args, **given)
        found.apply_defaults()
        a = found.arguments
        self.uses.update(set(self._named((args, given))))
        apart, out = a["use_separate_proj_weight"], self._names.get(id(a["out_proj_weight"]), "")
        owners = [
            self._names.get(id(a[f"{one[0]}_proj_weight" if apart else "in_proj_weight"]), "") for one in PROJECTIONS
        ]
        if a["query"].ndim != 3 or not out or not all(owners):
            return F.multi_head_attention_forward(*args, **given)
        shifts = (a["in_proj_bias"], a["out_proj_bias"])
        self.read.update({*owners, out, *self._named(shifts)})
        weights = [a[f"{one[0]}_proj_weight"] for one in PROJECTIONS] if apart else a["in_proj_weight"].chunk(3)
        biases = [None] * 3 if a["in_proj_bias"] is None else a["in_proj_bias"].chunk(3)
        for one, owner, weight, bias in zip(PROJECTIONS, owners, weights, biases, strict=True):
            a[one] = self._positions_first(f"{owner.rpartition('.')[0]}.{one}".lstrip("."), owner, a[one], weight, bias)
        size = a["embed_dim_to_check"]
        identity = torch.eye(size, dtype=a["query"].dtype, device=a["query"].device)
        last, shift = a["out_proj_weight"], a["out_proj_bias"]
        a.update({f"{one[0]}_proj_weight": identity for one in PROJECTIONS}, use_separate_proj_weight=True)
        a.update(in_proj_weight=None, in_proj_bias=None, out_proj_weight=identity, out_proj_bias=None)
        mixed, shares = F.multi_head_attention_forward(**a)
        return self._positions_first(out.removesuffix(".weight"), out, mixed, last, shift), shares

    def _positions_first(
        self, name: str, parameter: str, inputs: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        """A product of inputs (positions, batch, in)."""
        inputs = inputs.transpose(0, 1)
        return self._product(parameter, inputs, F.linear(inputs, weight, bias), name).transpose(0, 1)

    def _named(self, value: Any) -> Iterator[str]:
        if isinstance(value, Tensor):
            if id(value) in self._names:
                yield self._names[id(value)]
        elif isinstance(value, Iterable) and not isinstance(value, str):
            for item in value.values() if isinstance(value, Mapping) else value:
                yield from self._named(item)
