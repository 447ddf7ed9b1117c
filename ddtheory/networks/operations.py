"""The table of operations: everything that the calculus knows of torch, one row a name.

To teach it an operation, add a row here and a case to `tests/networks/operation_cases.py`: a tiny module that needs the
operation. A test holds every case against slopes that float64 shows. What has no row is refused by name and place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.networks import attention, normalisation, pooling, recurrent, rules
from ddtheory.networks.rules import Rule


@dataclass(frozen=True)
class Operation:
    """A row of the table.

    Attributes:
        name: what torch calls it, such as "tanh"; x + y and 1 + x are "add", and 1 − x is "__rsub__".
        rule: what it does to jets; a function of the tape and of the arguments that the model passed.
        says: what it is, in one sentence.
    """

    name: str
    rule: Rule
    says: str


HOMONYMS: Mapping[Any, str] = {
    Tensor.unfold: "Tensor.unfold",
    Tensor.where: "Tensor.where",
    torch.embedding: "torch.embedding",
    torch.batch_norm: "torch.batch_norm",
}
"""Functions that share their name with another operation, whose arguments mean something else."""


def _rows(names: str, rule: Rule, says: str) -> Iterator[Operation]:
    """One rule under several names."""
    return (Operation(name, rule, says) for name in names.split())


def _each(names: str, where: Any, wrap: Callable[[Any], Rule], says: str) -> Iterator[Operation]:
    """The rule of each name is made from the function that has this name in torch."""
    return (Operation(name, wrap(getattr(where, name)), says) for name in names.split())


def _table(*rows: Iterator[Operation]) -> dict[str, Operation]:
    table: dict[str, Operation] = {}
    for row in chain(*rows):
        if row.name in table:
            raise InvalidValueError(f"The operation {row.name!r} has two rows. Merge them, or name one in HOMONYMS.")
        table[row.name] = row
    return table


_SHAPES = "view reshape flatten unflatten unsqueeze squeeze contiguous clone"
_AXES = "transpose permute t swapaxes swapdims movedim moveaxis"
_PARTS = "chunk split tensor_split unbind __getitem__ select narrow index_select diagonal"
_SMOOTH = "tanh sigmoid exp expm1 sin sinh asinh atan erf log1p"
_WINDOWS = "avg_pool1d avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d"

OPERATIONS: Mapping[str, Operation] = _table(
    _each(_SHAPES, Tensor, rules.view, "The same entries in another shape."),
    _each(_AXES, Tensor, rules.view, "The same entries with axes in another order."),
    _each("T mT", Tensor, lambda attribute: rules.view(attribute.__get__), "The transpose."),
    _each(_PARTS, Tensor, rules.view, "Some of the entries."),
    _rows("Tensor.unfold", rules.view(Tensor.unfold), "Windows along one axis."),
    _each("expand repeat repeat_interleave", Tensor, rules.view, "The entries, each several times."),
    _each("roll flip", Tensor, rules.view, "The entries in another order along an axis."),
    _each("tril triu", Tensor, rules.view, "The entries of one triangle, and zeros."),
    _each("sum mean cumsum", Tensor, rules.view, "Sums over an axis."),
    _each(_WINDOWS, F, rules.view, "Means over windows."),
    _each("unfold", F, rules.view, "Windows of an image as columns."),
    _rows("cat concat concatenate", rules.joined(torch.cat), "Tensors one after the other along an axis."),
    _rows("stack", rules.joined(torch.stack), "Tensors side by side along a new axis."),
    _rows("pad", rules.padded, "Zeros, copies or reflections around the entries."),
    _rows("to float double type_as", rules.converted, "The same values in another floating type or place."),
    _rows("add", rules.add, "A sum."),
    _rows("sub subtract", rules.subtract, "A difference."),
    _rows("__rsub__ rsub", rules.reverse(rules.subtract), "A difference, subtrahend first."),
    _rows("neg negative", lambda tape, value: tape.negative(value), "The negative."),
    _rows("mul multiply", rules.multiply, "A product, entry by entry."),
    _rows("div true_divide divide", rules.divide, "A quotient by what does not vanish."),
    _rows("__rdiv__", rules.reverse(rules.divide), "A quotient, divisor first."),
    _rows("square", lambda tape, value: tape.times(value, value), "The square."),
    _rows("pow", rules.power, "A whole power, a root or a reciprocal."),
    _rows("reciprocal", normalisation.reciprocal, "1/z of what does not vanish."),
    _rows("sqrt", normalisation.sqrt, "√z of what stays positive."),
    _rows("rsqrt", normalisation.rsqrt, "1/√z of what stays positive."),
    _rows("log", normalisation.log, "log z of what stays positive."),
    _rows("matmul mm bmm mv", attention.matmul, "A product of matrices."),
    _rows("addmm addmv baddbmm", attention.added_product, "A product of matrices added to a tensor."),
    _rows("__rmatmul__", rules.reverse(attention.matmul), "A product of matrices, right factor first."),
    _rows("einsum", rules.einsum, "A sum over indices of products."),
    _rows("linear", attention.linear, "A product with a weight, and a bias."),
    _rows("embedding", rules.embedding, "Rows of a weight."),
    _each("conv1d conv2d conv3d", F, rules.convolution, "A correlation with a kernel, and a bias."),
    _each(_SMOOTH, torch, rules.smooth, "A smooth function, entry by entry, of slope ≠ 0 at zero."),
    _each("gelu silu softplus mish celu softsign", F, rules.smooth, "An activation of slope ≠ 0 at zero."),
    _rows("log_sigmoid", rules.smooth(F.logsigmoid), "The logarithm of a sigmoid."),
    _rows("elu", rules.elu, "ELU with α = 1, which has no kink."),
    _rows("relu", rules.relu, "The positive part."),
    _rows("leaky_relu", rules.leaky_relu, "Another slope below zero."),
    _rows("prelu", pooling.prelu, "Another slope below zero, which is a parameter."),
    _rows("hardtanh", pooling.hardtanh, "Cut off below and above."),
    _rows("relu6", pooling.relu6, "The positive part, cut off at 6."),
    _rows("clamp clip", pooling.clamp, "Cut off below or above by numbers."),
    _rows("hardsigmoid", pooling.hardsigmoid, "(z + 3)/6, cut off at 0 and 1."),
    _rows("hardswish", pooling.hardswish, "z times its hard sigmoid."),
    _rows("amax", pooling.amax, "The largest entry over axes."),
    _rows("max_pool1d", pooling.max_pool(1), "The largest entry of each window."),
    _rows("max_pool2d", pooling.max_pool(2), "The largest entry of each window."),
    _rows("softmax", rules.softmax, "Weights of sum one from scores."),
    _rows("log_softmax", rules.log_softmax, "The logarithm of a softmax."),
    _rows("layer_norm", normalisation.layer_norm, "Centred and divided by the deviation over the last axes."),
    _rows("rms_norm", normalisation.rms_norm, "Divided by the root mean square over the last axes."),
    _rows("group_norm", normalisation.group_norm, "Centred and divided by the deviation within groups of channels."),
    _rows("instance_norm", normalisation.instance_norm, "Centred and divided by the deviation within each channel."),
    _rows("batch_norm", normalisation.batch_norm, "A fixed affine map of each channel, in evaluation mode."),
    _rows("dropout dropout1d dropout2d dropout3d alpha_dropout", normalisation.dropout, "Nothing, when not training."),
    _rows("masked_fill", attention.masked_fill, "A constant where a fixed mask is true."),
    _rows("where", rules.where, "One of two tensors by a fixed mask."),
    _rows("scaled_dot_product_attention", attention.scaled_dot_product_attention, "Softmax attention."),
    _rows("multi_head_attention_forward", attention.multi_head_attention, "Softmax attention of several heads."),
    *(_rows(name, rule, "A recurrent layer, unrolled over its steps.") for name, rule in recurrent.RULES.items()),
)
"""Every operation by the name that torch gives it."""
