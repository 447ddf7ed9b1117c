"""Affine maps on a tape, and the ways between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from torch import Tensor

from ddtheory.gauges.gauge import Leg
from ddtheory.gauges.tape import Call, Tape

RESHAPING = frozenset(
    [
        "view",
        "reshape",
        "transpose",
        "permute",
        "contiguous",
        "flatten",
        "unflatten",
        "squeeze",
        "unsqueeze",
        "clone",
        "to",
        "float",
        "double",
        "type_as",
    ]
)
_HARMLESS = RESHAPING | frozenset(["identity", "dropout", "mean", "sum", "pad", "__getitem__"])
CONSTANT = RESHAPING | frozenset(["identity", "dropout", "mean", "__getitem__"])
"""What a vector that is the same everywhere passes as it is."""
STREAMING = CONSTANT | frozenset(["sum", "neg"])
"""What a sum of maps may meet on its way beside norms: it turns with what it is given."""
LINEAR = _HARMLESS
"""Between two maps of a rotation: nothing but reshapes and sums over other axes than the channels."""
HOMOGENEOUS = LINEAR | frozenset(
    [
        "relu",
        "relu_",
        "leaky_relu",
        "abs",
        "neg",
        "mul",
        "__mul__",
        "__rmul__",
        "div",
        "__truediv__",
        "max_pool1d",
        "max_pool2d",
        "avg_pool1d",
        "avg_pool2d",
        "adaptive_avg_pool2d",
    ]
)
"""f(cz) = c f(z) for c > 0."""
ODD = LINEAR | frozenset(
    [
        "tanh",
        "sin",
        "asinh",
        "sinh",
        "erf",
        "neg",
        "softsign",
        "hardtanh",
        "mul",
        "__mul__",
        "__rmul__",
        "div",
        "__truediv__",
    ]
)
ANY = (
    HOMOGENEOUS
    | ODD
    | frozenset(
        ["gelu", "silu", "sigmoid", "softplus", "elu", "selu", "mish", "relu6", "hardswish", "square", "exp", "cos"]
    )
)

REPEATING = RESHAPING | frozenset(["expand", "repeat_interleave"])
"""Between the map of keys and an attention in which several heads of queries share them."""

ADDING = frozenset(["add", "__add__", "__radd__", "add_", "__iadd__"])
ROTARY = (
    REPEATING
    | ADDING
    | frozenset(["mul", "__mul__", "__rmul__", "sub", "__sub__", "neg", "__neg__", "cat", "stack"])
    | frozenset(["__getitem__", "chunk", "split", "unbind"])
)
"""Of rotary positions: x cos + (−x₂, x₁) sin in any spelling."""

QUERY, KEY, VALUE = ATTENDED = ((0, "query"), (1, "key"), (2, "value"))
"""Place and name of what an attention reads."""


@dataclass(frozen=True, eq=False)
class Affine:
    """z = W x + b: where x comes from, where z goes, and the axes of the channels in W.

    `biases` are the parameters that are added along the channels; `start` is where these channels begin in W and b;
    `groups` are those of a convolution that reads its channels in groups.
    """

    source: Tensor
    result: Tensor
    weight: str
    out_axis: int
    in_axis: int
    biases: tuple[str, ...]
    outputs: int
    inputs: int
    start: int = 0
    groups: int = 1

    @property
    def reads(self) -> Leg:
        """Where the channels stand that it reads."""
        return Leg(self.weight, self.in_axis, dual=True, groups=self.groups)


def affine(tape: Tape, call: Call) -> Affine | None:
    """The affine map that a call is, where its matrix is a parameter."""
    if call.name in ("linear", "conv1d", "conv2d"):
        x, matrix, bias = (call.argument(i, name) for i, name in enumerate(("input", "weight", "bias")))
        axes = (0, 1)
    elif call.name == "embedding":  # of one-hot rows
        x, matrix, bias = call.argument(0, "input"), call.argument(1, "weight"), None
        axes = (1, 0)
    elif call.name in ("matmul", "__matmul__", "mm"):
        second = "mat2" if call.name == "mm" else "other"
        x, matrix, bias = call.argument(0, "input"), call.argument(1, second), None
        axes = (1, 0)
    else:
        return None
    weight = tape.name(matrix)
    if weight is None or not isinstance(x, Tensor) or matrix.ndim < 2:
        return None
    biases = (tape.name(bias),) if bias is not None else ()
    outputs, inputs = (matrix.shape[axis] for axis in axes)
    groups = (call.argument(6, "groups") or 1) if call.name.startswith("conv") else 1
    inputs *= groups
    if groups > 1 and inputs == outputs == groups:  # depthwise: a kernel for each channel
        axes, groups = (0, 0), 1
    return Affine(x, call.result, weight, *axes, tuple(filter(None, biases)), outputs, inputs, 0, groups)


def affines(tape: Tape) -> Iterator[Affine]:
    """Every affine map of a tape; a bias that is added in a call of its own belongs to it."""
    for call in tape.calls:
        found = with_bias(tape, call)
        if found is not None:
            yield found


def with_bias(tape: Tape, call: Call) -> Affine | None:
    """The affine map that a call is, with a bias that is added in a call of its own."""
    found = affine(tape, call)
    return None if found is None else _with_later_bias(tape, found)


def _with_later_bias(tape: Tape, found: Affine) -> Affine:
    readers = tape.readers(found.result)
    if len(readers) != 1 or readers[0].name not in ("add", "__add__", "add_"):
        return found
    others = [tensor for tensor in readers[0].inputs() if tensor is not found.result]
    name = tape.name(others[0]) if len(others) == 1 else None
    if name is None or tuple(others[0].shape) != (found.outputs,):
        return found
    return replace(found, result=readers[0].result, biases=(*found.biases, name))


@dataclass(frozen=True)
class Reader:
    """A parameter that reads the channels along an axis."""

    leg: Leg
    inputs: int


def readers(tape: Tape, tensor: Tensor, passing: frozenset[str]) -> list[Reader] | None:
    """Who reads the channels of a tensor, through operations of these names only; None where anybody else does."""
    found: list[Reader] = []
    waiting = [tensor]
    while waiting:
        current = waiting.pop()
        if tape.is_output(current):
            return None
        for call in tape.readers(current):
            reader = reads(tape, call, current)
            if reader is not None:
                found.append(reader)
            elif call.name in passing:
                waiting += [out for out in call.outputs() if out is not current]
            else:
                return None
    return list(dict.fromkeys(found)) or None


def reads(tape: Tape, call: Call, tensor: Tensor) -> Reader | None:
    """Where a call reads the channels of a tensor, if it is an affine map or an attention of torch."""
    found = affine(tape, call)
    if found is not None and found.source is tensor:
        return Reader(found.reads, found.inputs)
    if call.name == "multi_head_attention_forward" and all(call.argument(i, n) is tensor for i, n in ATTENDED):
        matrix = call.argument(5, "in_proj_weight")
        name = tape.name(matrix)
        return Reader(Leg(name, 1, dual=True), matrix.shape[1]) if name else None
    return None


def origin(tape: Tape, maps: dict[int, Affine], tensor: Tensor) -> Affine | None:
    """The affine map that a tensor came from, through reshapes and equal parts of a fused map."""
    start, parts = 0, 1
    current = tensor
    while id(current) not in maps:
        call = tape.writer(current)
        read = None if call is None else call.argument(0, "tensor" if call.name == "split" else "input")
        if call is None or not isinstance(read, Tensor):
            return None
        if call.name in ("chunk", "split"):
            pieces = call.outputs()
            if parts > 1 or len({piece.shape[-1] for piece in pieces}) > 1:
                return None
            parts = len(pieces)
            start = next(i for i, piece in enumerate(pieces) if piece is current)
        elif call.name not in REPEATING and not (call.name == "__getitem__" and _whole(call.args[1])):
            return None
        current = read
    whole = maps[id(current)]
    size = whole.outputs // parts
    return replace(whole, outputs=size, start=start * size)


def _whole(index: object) -> bool:
    """Whether an index takes everything, and only adds axes."""
    return isinstance(index, tuple) and all(each is None or each == slice(None) for each in index)


def turned_origin(tape: Tape, maps: dict[int, Affine], tensor: Tensor) -> Affine | None:
    """The one affine map that a tensor came from through what rotary positions are made of; None if there are others.

    What it was multiplied with may come from anywhere but another map.
    """
    found: dict[int, Affine] = {}
    waiting, seen = [tensor], {id(tensor)}
    while waiting:
        current = waiting.pop()
        own = origin(tape, maps, current)
        call = tape.writer(current)
        if own is not None:
            found[id(own.result)] = own if id(own.result) not in found else max(own, found[id(own.result)], key=_size)
        elif call is not None and call.name in ROTARY:
            for other in call.inputs():
                if id(other) not in seen:
                    seen.add(id(other))
                    waiting.append(other)
    return next(iter(found.values())) if len(found) == 1 else None


def _size(found: Affine) -> int:
    return found.outputs
