"""What the calculus knows of torch: one rule an operation, found by the name that torch gives it.

A rule is a function of the tape and of the arguments that the model passed, some of them jets. To teach the calculus
an operation, add a rule; everything else is refused by name and place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.networks.attention import (
    INSTEAD,
    linear,
    masked_fill,
    matmul,
    multi_head_attention,
    scaled_dot_product_attention,
    used,
)
from ddtheory.networks.normalisation import (
    batch_norm,
    dropout,
    group_norm,
    layer_norm,
    log,
    not_in_place,
    reciprocal,
    rms_norm,
    rsqrt,
    sqrt,
)
from ddtheory.networks.tape import Jet, Tape
from ddtheory.networks.terms import broadcast

Rule = Callable[..., Any]


def _view(function: Callable[..., Any]) -> Rule:
    """An operation that moves, copies, adds or drops the entries of its first argument."""

    def rule(tape: Tape, value: Jet, *args: Any, **kwargs: Any) -> Any:
        plain = torch.empty(value.shape, dtype=torch.float64)
        result = function(plain, *args, **kwargs)
        if isinstance(result, Tensor):
            return tape.multilinear(lambda part: function(part, *args, **kwargs), value)
        count = len(result)  # chunk, split, unbind
        return tuple(
            tape.multilinear(lambda part, i=i: function(part, *args, **kwargs)[i], value) for i in range(count)
        )

    return rule


def _converted(_tape: Tape, value: Jet, *args: Any, **kwargs: Any) -> Jet:
    for target in (*args, *kwargs.values()):
        dtype = target.dtype if isinstance(target, Tensor) else target
        if isinstance(dtype, torch.dtype) and not dtype.is_floating_point:
            raise InvalidValueError(f"A conversion to {dtype} rounds, and has no orders. {INSTEAD}")
    return value


def _padded(tape: Tape, inner: Jet, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Jet:
    if mode == "constant" and value:
        raise InvalidValueError(f"Padding with {value} is no rule of the calculus; padding with zero is. {INSTEAD}")
    return tape.multilinear(lambda part: F.pad(part, tuple(pad), mode), inner)


def _elu(tape: Tape, value: Jet, alpha: float = 1.0, inplace: bool = False) -> Jet:
    if alpha != 1.0:
        raise InvalidValueError(f"ELU with alpha = {alpha} has a kink at zero; only alpha = 1 is a rule. {INSTEAD}")
    return _smooth(F.elu)(tape, value, inplace=inplace)


def _smooth(function: Callable[..., Tensor]) -> Rule:
    def rule(tape: Tape, value: Jet, *args: Any, inplace: bool = False, **kwargs: Any) -> Jet:
        not_in_place(inplace)
        return tape.elementwise(lambda z: function(z, *args, **kwargs), value)

    return rule


_exp = _smooth(torch.exp)


def _relu(tape: Tape, value: Jet, inplace: bool = False) -> Jet:
    not_in_place(inplace)
    return tape.rectified(value)


def _leaky_relu(tape: Tape, value: Jet, negative_slope: float = 0.01, inplace: bool = False) -> Jet:
    not_in_place(inplace)
    return tape.rectified(value, negative_slope)


def _convolution(function: Callable[..., Tensor]) -> Rule:
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


def _embedding(
    tape: Tape, index: Tensor, weight: Any, padding_idx: int | None = None, max_norm: float | None = None, **_rest: Any
) -> Jet:
    if max_norm is not None:
        raise InvalidValueError(f"An embedding with max_norm rescales its weights in place. {INSTEAD}")
    return tape.multilinear(lambda table: table[index], weight)


def _einsum(tape: Tape, equation: str, *operands: Any) -> Jet:
    factors = operands[0] if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
    return tape.multilinear(lambda *parts: torch.einsum(equation, *parts), *factors)


def _joined(function: Callable[..., Tensor]) -> Rule:
    def rule(tape: Tape, values: Sequence[Any], dim: int = 0) -> Jet:
        jets = [tape.lift(value) for value in values]
        blanks = [torch.zeros(value.shape, dtype=torch.float64) for value in jets]

        def placed(i: int) -> Callable[[Tensor], Tensor]:
            return lambda part: function([*blanks[:i], part, *blanks[i + 1 :]], dim)

        return tape.plus(*(tape.multilinear(placed(i), value) for i, value in enumerate(jets)))

    return rule


def _add(tape: Tape, left: Any, right: Any, *, alpha: Any = 1) -> Jet:
    return tape.plus(left, right if alpha == 1 else _multiply(tape, right, alpha))


def _subtract(tape: Tape, left: Any, right: Any, *, alpha: Any = 1) -> Jet:
    return tape.minus(left, right if alpha == 1 else _multiply(tape, right, alpha))


def _multiply(tape: Tape, left: Any, right: Any) -> Jet:
    return tape.times(left, right)


def _divide(tape: Tape, left: Any, right: Any) -> Jet:
    if isinstance(right, Jet):
        return tape.times(left, reciprocal(tape, right))
    return tape.times(left, 1 / torch.as_tensor(right, dtype=torch.float64))


def _reverse(rule: Rule) -> Rule:
    return lambda tape, right, left: rule(tape, left, right)


def _power(tape: Tape, value: Jet, exponent: Any) -> Jet:
    roots: Mapping[float, Rule] = {-1: reciprocal, -0.5: rsqrt, 0.5: sqrt}
    if isinstance(exponent, int | float) and exponent in roots:
        return roots[exponent](tape, value)
    if not isinstance(exponent, int | float) or exponent != int(exponent) or exponent < 1:
        raise InvalidValueError(f"The power {exponent!r} of a quantity is not a rule of the calculus. {INSTEAD}")
    result = value
    for _ in range(int(exponent) - 1):
        result = tape.times(result, value)
    return result


def _where(tape: Tape, mask: Tensor, left: Any, right: Any) -> Jet:
    shape = broadcast(mask.shape, tape.lift(left).shape, tape.lift(right).shape)
    return tape.plus(
        tape.multilinear(lambda part: part.expand(shape).masked_fill(~mask, 0.0), left),
        tape.multilinear(lambda part: part.expand(shape).masked_fill(mask, 0.0), right),
    )


def _softmax(tape: Tape, value: Jet, dim: int | None = None, *_args: Any, **_kwargs: Any) -> Jet:
    return tape.softmax(value, -1 if dim is None else dim)


def _log_softmax(tape: Tape, value: Jet, dim: int | None = None, *_args: Any, **_kwargs: Any) -> Jet:
    axis = -1 if dim is None else dim
    shifted = tape.minus(value, value.terms.start.amax(axis, keepdim=True))
    mass = tape.multilinear(lambda part: part.sum(axis, keepdim=True), _exp(tape, shifted))
    return tape.minus(shifted, log(tape, mass))


def _from(names: str, where: Any, wrap: Callable[[Any], Rule]) -> dict[str, Rule]:
    return {name: wrap(getattr(where, name)) for name in names.split()}


_VIEWS = (
    "view reshape flatten unflatten transpose permute t swapaxes swapdims movedim moveaxis unsqueeze squeeze expand "
    "contiguous clone chunk split tensor_split unbind __getitem__ select narrow index_select repeat repeat_interleave "
    "roll flip tril triu sum mean cumsum diagonal"
)
_SMOOTH = "tanh sigmoid exp expm1 sin sinh asinh atan erf log1p"

RULES: Mapping[str, Rule] = {
    **_from(_VIEWS, Tensor, _view),
    **_from("T mT", Tensor, lambda attribute: _view(attribute.__get__)),
    **_from("avg_pool1d avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d unfold", F, _view),
    **_from(_SMOOTH, torch, _smooth),
    **_from("gelu silu softplus mish celu logsigmoid softsign", F, _smooth),
    **_from("conv1d conv2d conv3d", F, _convolution),
    **dict.fromkeys(("to", "float", "double", "type_as"), _converted),
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"), dropout),
    **dict.fromkeys(("add", "__add__", "__radd__"), _add),
    **dict.fromkeys(("sub", "subtract", "__sub__"), _subtract),
    **dict.fromkeys(("__rsub__", "rsub"), _reverse(_subtract)),
    **dict.fromkeys(("mul", "multiply", "__mul__", "__rmul__"), _multiply),
    **dict.fromkeys(("div", "true_divide", "divide", "__truediv__", "__div__"), _divide),
    **dict.fromkeys(("__rdiv__", "__rtruediv__"), _reverse(_divide)),
    **dict.fromkeys(("neg", "negative", "__neg__"), lambda tape, value: tape.negative(value)),
    **dict.fromkeys(("pow", "__pow__"), _power),
    **dict.fromkeys(("matmul", "__matmul__", "mm", "bmm", "mv"), matmul),
    **dict.fromkeys(("cat", "concat", "concatenate"), _joined(torch.cat)),
    "__rmatmul__": _reverse(matmul),
    "stack": _joined(torch.stack),
    "square": lambda tape, value: tape.times(value, value),
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "pad": _padded,
    "reciprocal": reciprocal,
    "rsqrt": rsqrt,
    "sqrt": sqrt,
    "log": log,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "batch_norm": batch_norm,
    "group_norm": group_norm,
    "linear": linear,
    "embedding": _embedding,
    "einsum": _einsum,
    "masked_fill": masked_fill,
    "where": _where,
    "scaled_dot_product_attention": scaled_dot_product_attention,
    "multi_head_attention_forward": multi_head_attention,
}
