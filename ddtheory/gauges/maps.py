"""Affine maps on a tape, and the ways between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ddtheory.gauges.tape import Call, Tape

RESHAPING = frozenset(
    ["view", "reshape", "transpose", "permute", "contiguous", "flatten", "unflatten", "squeeze", "unsqueeze", "clone"]
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

QUERY, KEY, VALUE = ATTENDED = ((0, "query"), (1, "key"), (2, "value"))
"""Place and name of what an attention reads."""


@dataclass(frozen=True, eq=False)
class Affine:
    """z = W x + b: where x comes from, where z goes, and the axes of the channels in W.

    `biases` are the parameters that are added along the channels; `start` is where these channels begin in W and b.
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
    groups = call.argument(6, "groups") if call.name.startswith("conv") else None
    if groups is not None and groups > 1 and inputs == 1 and outputs == groups:  # depthwise: a kernel for each channel
        axes, inputs = (0, 0), groups
    return Affine(x, call.result, weight, *axes, tuple(filter(None, biases)), outputs, inputs)


def affines(tape: Tape) -> Iterator[Affine]:
    """Every affine map of a tape; a bias that is added in a call of its own belongs to it."""
    for call in tape.calls:
        found = affine(tape, call)
        if found is not None:
            yield _with_later_bias(tape, found)


def _with_later_bias(tape: Tape, found: Affine) -> Affine:
    readers = tape.readers(found.result)
    if len(readers) != 1 or readers[0].name not in ("add", "__add__", "add_"):
        return found
    others = [tensor for tensor in readers[0].inputs() if tensor is not found.result]
    name = tape.name(others[0]) if len(others) == 1 else None
    if name is None or tuple(others[0].shape) != (found.outputs,):
        return found
    return Affine(
        found.source,
        readers[0].result,
        found.weight,
        found.out_axis,
        found.in_axis,
        (*found.biases, name),
        found.outputs,
        found.inputs,
    )


@dataclass(frozen=True)
class Reader:
    """A parameter that reads the channels along an axis."""

    parameter: str
    axis: int
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
            reader = _reader(tape, call, current)
            if reader is not None:
                found.append(reader)
            elif call.name in passing:
                waiting += [out for out in call.outputs() if out is not current]
            else:
                return None
    return list(dict.fromkeys(found)) or None


def _reader(tape: Tape, call: Call, tensor: Tensor) -> Reader | None:
    found = affine(tape, call)
    if found is not None and found.source is tensor:
        return Reader(found.weight, found.in_axis, found.inputs)
    if call.name == "multi_head_attention_forward" and all(call.argument(i, n) is tensor for i, n in ATTENDED):
        matrix = call.argument(5, "in_proj_weight")
        name = tape.name(matrix)
        return Reader(name, 1, matrix.shape[1]) if name else None
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
    numbers = torch.arange(whole.outputs).expand(current.shape)
    for call, place in reversed(way):
        numbers = call.again(numbers)[place]
    size = numbers.shape[-1]
    heads = numbers.movedim(-2, 0) if numbers.ndim > 1 else numbers.unsqueeze(0)
    starts = list(dict.fromkeys(heads[0].reshape(-1, size)[:, 0].tolist()))
    side_by_side = starts == [starts[0] + size * each for each in range(len(starts))]
    if not (side_by_side and bool((heads == heads[0, ..., :1] + torch.arange(size)).all())):
        return None
    return replace(whole, outputs=size * len(starts), start=starts[0])
