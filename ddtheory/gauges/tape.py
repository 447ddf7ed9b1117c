"""The operations that a torch module runs, with the tensors that go in and come out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True, eq=False)
class Call:
    """One operation: the function and its name in torch, its arguments, what it returned."""

    function: Any
    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any

    def argument(self, position: int, name: str) -> Any:
        """An argument, given by position or by name; None where it was left out."""
        return self.args[position] if position < len(self.args) else self.kwargs.get(name)

    def inputs(self) -> Iterator[Tensor]:
        """Every tensor among the arguments."""
        return tensors((self.args, tuple(self.kwargs.values())))

    def outputs(self) -> list[Tensor]:
        return list(tensors(self.result))

    def again(self, other: Tensor) -> list[Tensor]:
        """What the operation makes of another tensor in the place of the one that it read."""
        args = [other if isinstance(each, Tensor) else each for each in self.args]
        kwargs = {name: other if isinstance(each, Tensor) else each for name, each in self.kwargs.items()}
        return list(tensors(self.function(*args, **kwargs)))


class Tape(TorchFunctionMode):
    """What a model did on one batch. Tensors are kept, so that no identity is used twice."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.names = {id(parameter): name for name, parameter in model.named_parameters()}
        self.calls: list[Call] = []
        self.output: Any = None
        self._readers: dict[int, list[Call]] = defaultdict(list)
        self._writers: dict[int, Call] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        call = Call(func, getattr(func, "__name__", ""), args, kwargs or {}, result)
        if call.outputs() and not _is_idle(call):  # questions about shapes and types move no numbers
            self.calls.append(call)
            for identity in {id(tensor) for tensor in call.inputs()}:
                self._readers[identity].append(call)
            for tensor in call.outputs():
                self._writers[id(tensor)] = call
        return result

    def readers(self, tensor: Tensor) -> list[Call]:
        """The operations that read a tensor."""
        return self._readers[id(tensor)]

    def writer(self, tensor: Tensor) -> Call | None:
        """The operation that made a tensor; None for parameters and inputs."""
        return self._writers.get(id(tensor))

    def name(self, tensor: object) -> str | None:
        """The name of a parameter; None for every other tensor."""
        return self.names.get(id(tensor)) if isinstance(tensor, Tensor) else None

    def is_output(self, tensor: Tensor) -> bool:
        return any(tensor is each for each in tensors(self.output))


def record(model: nn.Module, inputs: Sequence[Any]) -> Tape:
    """The tape of one forward pass."""
    tape = Tape(model)
    with torch.no_grad(), tape:
        output = model(*inputs)
    tape.output = output
    return tape


def _is_idle(call: Call) -> bool:
    """Whether a call hands back what it was given, as `to` does where the type is the same; in place, `relu_` works."""
    if call.name.startswith("__i") or (call.name.endswith("_") and not call.name.endswith("__")):
        return False
    given = set(map(id, call.inputs()))
    return all(id(tensor) in given for tensor in call.outputs())


def tensors(value: Any) -> Iterator[Tensor]:
    """Those in what an operation is given or gives, in its tuples and lists too."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from tensors(entry)
