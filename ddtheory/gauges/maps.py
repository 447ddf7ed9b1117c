"""Affine maps on a tape, and the ways between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
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
MOVING = RESHAPING | frozenset(
    [
        "chunk",
        "split",
        "tensor_split",
        "unbind",
        "select",
        "narrow",
        "__getitem__",
        "movedim",
        "swapaxes",
        "expand",
        "expand_as",
        "repeat",
        "repeat_interleave",
    ]
)
"""What moves or repeats entries, as between a fused map and the heads of an attention."""
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

ADDING = frozenset(["add", "__add__", "__radd__", "add_", "__iadd__"])
CENTRING = STREAMING | ADDING | frozenset(["sub", "__sub__", "__rsub__", "cat", "expand", "expand_as", "repeat"])
"""What a number that is the same for all channels passes on its way to a norm that takes it out."""
SCALING = frozenset(["mul", "__mul__", "__rmul__", "div", "__truediv__"])
ROTARY = (
    RESHAPING
    | frozenset(["expand", "repeat_interleave"])
    | ADDING
    | frozenset(["mul", "__mul__", "__rmul__", "sub", "__sub__", "neg", "__neg__", "cat", "stack"])
    | frozenset(["__getitem__", "chunk", "split", "unbind", "view_as_complex", "view_as_real"])
)
"""Of rotary positions: x cos + (−x₂, x₁) sin in any spelling."""

QUERY, KEY, VALUE = ATTENDED = ((0, "query"), (1, "key"), (2, "value"))
"""Place and name of what an attention reads."""


@dataclass(frozen=True, eq=False)
class Affine:
    """z = W x + b: where x comes from, where z goes, and the axes of the channels in W.

    `biases` are the parameters that are added along the channels; `start` is where these channels begin in W and b;
    `groups` are those of a convolution that reads its channels in groups; `axis` is that of the channels in z.
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
    axis: int = -1

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
    convolves = call.name.startswith("conv")
    groups = (call.argument(6, "groups") or 1) if convolves else 1
    inputs *= groups
    if groups > 1 and inputs == outputs == groups:  # depthwise: a kernel for each channel
        axes, groups = (0, 0), 1
    axis = 1 - matrix.ndim if convolves else -1  # places stand behind the channels
    return Affine(x, call.result, weight, *axes, tuple(filter(None, biases)), outputs, inputs, 0, groups, axis)


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
    """The affine map that the heads (…, tokens, size) came from, or the part of it whose channels they are, in order.

    What stands between may move and repeat entries and do nothing else. It is done again with the numbers of the
    channels in the place of the entries, so that a fused map may be taken apart in any spelling.
    """
    way: list[tuple[Call, int]] = []
    current = tensor
    while id(current) not in maps:
        call = tape.writer(current)
        if call is None or call.name not in MOVING or len(list(call.inputs())) != 1:
            return None
        way.append((call, next(i for i, out in enumerate(call.outputs()) if out is current)))
        (current,) = call.inputs()
    whole = maps[id(current)]
    numbers = torch.arange(whole.outputs).expand(current.movedim(whole.axis, -1).shape).movedim(-1, whole.axis)
    for call, place in reversed(way):
        numbers = call.again(numbers)[place]
    numbers = numbers.long()  # a cast may stand on the way
    size = numbers.shape[-1]
    heads = numbers.movedim(-2, 0) if numbers.ndim > 1 else numbers.unsqueeze(0)
    starts = list(dict.fromkeys(heads[0].reshape(-1, size)[:, 0].tolist()))
    side_by_side = starts == [starts[0] + size * each for each in range(len(starts))]
    if not (side_by_side and bool((heads == heads[0, ..., :1] + torch.arange(size)).all())):
        return None
    return replace(whole, outputs=size * len(starts), start=starts[0])


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
            found[id(own.result)] = own if id(own.result) not in found else _both(own, found[id(own.result)])
        elif call is not None and call.name in ROTARY:
            for other in call.inputs():
                if id(other) not in seen:
                    seen.add(id(other))
                    waiting.append(other)
    return next(iter(found.values())) if len(found) == 1 else None


def _both(one: Affine, other: Affine) -> Affine:
    """The part of a map that holds two parts, such as the halves that a rotation mixes."""
    start = min(one.start, other.start)
    end = max(one.start + one.outputs, other.start + other.outputs)
    return replace(one, start=start, outputs=end - start)
