"""Rules: what an operation of torch does to jets. The table of operations says which rule is whose.

A rule is a function of the tape and of the arguments that the model passed, some of them jets. What it does not
understand it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.networks.attention import INSTEAD, used
from ddtheory.networks.normalisation import log, not_in_place, reciprocal, rsqrt, sqrt
from ddtheory.networks.tape import Jet, Tape
from ddtheory.networks.terms import broadcast

Rule = Callable[..., Any]


def view(function: Callable[..., Any]) -> Rule:
    """An operation that moves, copies, adds or drops the entries of its first argument."""

    def rule(tape: Tape, value: Jet, *args: Any, **kwargs: Any) -> Any:
        plain = torch.empty(value.shape, dtype=torch.float64)
        result = function(plain, *args, **kwargs)
        if isinstance(result, Tensor) and result.dtype != torch.float64:
            raise InvalidValueError(f"A conversion to {result.dtype} on the way is no rule of the calculus. {INSTEAD}")
        if isinstance(result, Tensor):
            return tape.multilinear(lambda part: function(part, *args, **kwargs), value)
        count = len(result)  # chunk, split, unbind
        return tuple(
            tape.multilinear(lambda part, i=i: function(part, *args, **kwargs)[i], value) for i in range(count)
        )

    return rule


def converted(_tape: Tape, value: Jet, *args: Any, **kwargs: Any) -> Jet:
    for target in (*args, *kwargs.values()):
        dtype = target.dtype if isinstance(target, Tensor) else target
        if isinstance(dtype, torch.dtype) and not dtype.is_floating_point:
            raise InvalidValueError(f"A conversion to {dtype} rounds, and has no orders. {INSTEAD}")
    return value


def padded(tape: Tape, inner: Jet, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Jet:
    if mode == "constant" and value:
        raise InvalidValueError(f"Padding with {value} is no rule of the calculus; padding with zero is. {INSTEAD}")
    return tape.multilinear(lambda part: F.pad(part, tuple(pad), mode), inner)


def elu(tape: Tape, value: Jet, alpha: float = 1.0, inplace: bool = False) -> Jet:
    if alpha != 1.0:
        raise InvalidValueError(f"ELU with alpha = {alpha} has a kink at zero; only alpha = 1 is a rule. {INSTEAD}")
    return smooth(F.elu)(tape, value, inplace=inplace)


def smooth(function: Callable[..., Tensor]) -> Rule:
    def rule(tape: Tape, value: Jet, *args: Any, inplace: bool = False, **kwargs: Any) -> Jet:
        not_in_place(inplace)
        return tape.elementwise(lambda z: function(z, *args, **kwargs), value)

    return rule


exp = smooth(torch.exp)


def relu(tape: Tape, value: Jet, inplace: bool = False) -> Jet:
    not_in_place(inplace)
    return tape.rectified(value)


def leaky_relu(tape: Tape, value: Jet, negative_slope: float = 0.01, inplace: bool = False) -> Jet:
    not_in_place(inplace)
    return tape.rectified(value, negative_slope)


def convolution(function: Callable[..., Tensor]) -> Rule:
    def rule(
        tape: Tape, value: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, *rest: Any, **kw: Any
    ) -> Jet:
        inputs = tape.lift(value)
        output = tape.multilinear(
            lambda part, kernel: function(part, kernel, None, stride, padding, *rest, **kw), inputs, weight
        )
        if bias is not None:
            shape = (-1, *[1] * (tape.lift(weight).dim() - 2))
            output = tape.plus(output, tape.multilinear(lambda part: part.reshape(shape), bias))
        return used(tape, inputs, weight, output, 1 - tape.lift(weight).dim())

    return rule


def embedding(
    tape: Tape, index: Tensor, weight: Any, padding_idx: int | None = None, max_norm: float | None = None, **_rest: Any
) -> Jet:
    if max_norm is not None:
        raise InvalidValueError(f"An embedding with max_norm rescales its weights in place. {INSTEAD}")
    return tape.multilinear(lambda table: table[index], weight)


def einsum(tape: Tape, equation: str, *operands: Any) -> Jet:
    factors = operands[0] if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
    return tape.multilinear(lambda *parts: torch.einsum(equation, *parts), *factors)


def joined(function: Callable[..., Tensor]) -> Rule:
    def rule(tape: Tape, values: Sequence[Any], dim: int = 0) -> Jet:
        jets = [tape.lift(value) for value in values]
        blanks = [torch.zeros(value.shape, dtype=torch.float64) for value in jets]

        def placed(i: int) -> Callable[[Tensor], Tensor]:
            return lambda part: function([*blanks[:i], part, *blanks[i + 1 :]], dim)

        return tape.plus(*(tape.multilinear(placed(i), value) for i, value in enumerate(jets)))

    return rule


def add(tape: Tape, left: Any, right: Any, *, alpha: Any = 1) -> Jet:
    return tape.plus(left, right if alpha == 1 else multiply(tape, right, alpha))


def subtract(tape: Tape, left: Any, right: Any, *, alpha: Any = 1) -> Jet:
    return tape.minus(left, right if alpha == 1 else multiply(tape, right, alpha))


def multiply(tape: Tape, left: Any, right: Any) -> Jet:
    return tape.times(left, right)


def divide(tape: Tape, left: Any, right: Any) -> Jet:
    if isinstance(right, Jet):
        return tape.times(left, reciprocal(tape, right))
    return tape.times(left, 1 / torch.as_tensor(right, dtype=torch.float64))


def reverse(rule: Rule) -> Rule:
    return lambda tape, right, left: rule(tape, left, right)


def power(tape: Tape, value: Jet, exponent: Any) -> Jet:
    roots: Mapping[float, Rule] = {-1: reciprocal, -0.5: rsqrt, 0.5: sqrt}
    if isinstance(exponent, int | float) and exponent in roots:
        return roots[exponent](tape, value)
    if not isinstance(exponent, int | float) or exponent != int(exponent) or exponent < 1:
        raise InvalidValueError(f"The power {exponent!r} of a quantity is not a rule of the calculus. {INSTEAD}")
    result = value
    for _ in range(int(exponent) - 1):
        result = tape.times(result, value)
    return result


def where(tape: Tape, mask: Tensor, left: Any, right: Any) -> Jet:
    shape = broadcast(mask.shape, tape.lift(left).shape, tape.lift(right).shape)
    return tape.plus(
        tape.multilinear(lambda part: part.expand(shape).masked_fill(~mask, 0.0), left),
        tape.multilinear(lambda part: part.expand(shape).masked_fill(mask, 0.0), right),
    )


def softmax(tape: Tape, value: Jet, dim: int | None = None, *_args: Any, **_kwargs: Any) -> Jet:
    return tape.softmax(value, _axis(dim))


def log_softmax(tape: Tape, value: Jet, dim: int | None = None, *_args: Any, **_kwargs: Any) -> Jet:
    axis = _axis(dim)
    shifted = tape.minus(value, value.terms.start.amax(axis, keepdim=True))
    mass = tape.multilinear(lambda part: part.sum(axis, keepdim=True), exp(tape, shifted))
    return tape.minus(shifted, log(tape, mass))


def _axis(dim: int | None) -> int:
    if dim is None:
        raise InvalidValueError(
            "A softmax without dim takes the axis 0 or 1 by the number of axes, which is rarely meant. Give it dim=-1."
        )
    return dim
