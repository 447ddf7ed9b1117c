"""A tiny module for every operation of the calculus: it needs that operation, and its slopes can be measured.

To add one: the name that torch gives the operation, and a function of z, a linear map of the input of four entries, and
of w, a parameter of shape (4, 4). An operation with parameters of its own has a module in `MODULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Function = Callable[[Tensor, Tensor], Tensor]

MASK = torch.tensor([True, False, True, False])
SHIFT = torch.tensor([0.5, -1.0, 2.0, 1.5], dtype=torch.float64)


class Applied(nn.Module):
    """The function of a linear map of three inputs and of a parameter."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.z, self.w, self.function = nn.Linear(3, 4), nn.Parameter(torch.empty(4, 4)), function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.z(x), self.w)


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.z, self.attention = nn.Linear(3, 8), nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.z(x).reshape(-1, 2, 4)
        mixed: Tensor = self.attention(tokens, tokens, tokens)[0]
        return mixed


def square(z: Tensor) -> Tensor:
    """The entries as 2 × 2 matrices."""
    return z.reshape(-1, 2, 2)


def image(z: Tensor) -> Tensor:
    """One channel of 2 × 2."""
    return z.reshape(-1, 1, 2, 2)


def positive(z: Tensor) -> Tensor:
    return torch.tanh(z) + 2.0


SHAPES: dict[str, Function] = {
    "view": lambda z, w: z.view(-1, 2, 2),
    "reshape": lambda z, w: z.reshape(-1, 2, 2),
    "flatten": lambda z, w: square(z).flatten(1),
    "unflatten": lambda z, w: z.unflatten(-1, (2, 2)),
    "unsqueeze": lambda z, w: z.unsqueeze(1),
    "squeeze": lambda z, w: z.unsqueeze(1).squeeze(1),
    "contiguous": lambda z, w: z.contiguous(),
    "clone": lambda z, w: z.clone(),
    "transpose": lambda z, w: square(z).transpose(1, 2),
    "permute": lambda z, w: square(z).permute(0, 2, 1),
    "t": lambda z, w: z @ w.t(),
    "swapaxes": lambda z, w: square(z).swapaxes(1, 2),
    "swapdims": lambda z, w: square(z).swapdims(1, 2),
    "movedim": lambda z, w: square(z).movedim(1, 2),
    "moveaxis": lambda z, w: square(z).moveaxis(1, 2),
    "T": lambda z, w: z @ w.T,
    "mT": lambda z, w: z @ w.mT,
    "chunk": lambda z, w: z.chunk(2, -1)[1],
    "split": lambda z, w: z.split([1, 3], -1)[1],
    "tensor_split": lambda z, w: z.tensor_split(3, -1)[0],
    "unbind": lambda z, w: z.unbind(-1)[2],
    "__getitem__": lambda z, w: z[..., 1:3],
    "select": lambda z, w: z.select(-1, 3),
    "narrow": lambda z, w: z.narrow(-1, 1, 2),
    "index_select": lambda z, w: z.index_select(-1, torch.tensor([3, 0, 0])),
    "diagonal": lambda z, w: square(z).diagonal(dim1=1, dim2=2),
    "Tensor.unfold": lambda z, w: image(z).unfold(2, 2, 1),
    "expand": lambda z, w: z.unsqueeze(1).expand(-1, 2, 4),
    "repeat": lambda z, w: z.repeat(1, 2),
    "repeat_interleave": lambda z, w: z.repeat_interleave(2, -1),
    "roll": lambda z, w: z.roll(1, -1),
    "flip": lambda z, w: z.flip(-1),
    "tril": lambda z, w: square(z).tril(),
    "triu": lambda z, w: square(z).triu(),
    "sum": lambda z, w: square(z).sum(-1),
    "mean": lambda z, w: square(z).mean(-1),
    "cumsum": lambda z, w: z.cumsum(-1),
    "avg_pool1d": lambda z, w: F.avg_pool1d(z.unsqueeze(1), 2),
    "avg_pool2d": lambda z, w: F.avg_pool2d(image(z), (2, 1)),
    "adaptive_avg_pool1d": lambda z, w: F.adaptive_avg_pool1d(z.unsqueeze(1), 2),
    "adaptive_avg_pool2d": lambda z, w: F.adaptive_avg_pool2d(image(z), (1, 2)),
    "unfold": lambda z, w: F.unfold(image(z), (1, 2), padding=1),
    "cat": lambda z, w: torch.cat([z, w[0].expand(z.shape)], -1),
    "concat": lambda z, w: torch.concat([z, w[0].expand(z.shape)], -1),
    "concatenate": lambda z, w: torch.concatenate([z, w[0].expand(z.shape)], -1),
    "stack": lambda z, w: torch.stack([z, w[0].expand(z.shape)], -1),
    "pad": lambda z, w: F.pad(z, (1, 2)),
    "to": lambda z, w: z.to(torch.float64),
    "double": lambda z, w: z.double(),
    "float": lambda z, w: z.float(),
    "type_as": lambda z, w: z.type_as(w),
    "dropout": lambda z, w: F.dropout(z, 0.5, False),
    "dropout1d": lambda z, w: F.dropout1d(square(z), 0.5, False),
    "dropout2d": lambda z, w: F.dropout2d(image(z), 0.5, False),
    "dropout3d": lambda z, w: F.dropout3d(image(z).unsqueeze(1), 0.5, False),
    "alpha_dropout": lambda z, w: F.alpha_dropout(z, 0.5, False),
    "masked_fill": lambda z, w: z.masked_fill(MASK, 0.5),
    "where": lambda z, w: torch.where(MASK, z, w[0]),
}

ARITHMETIC: dict[str, Function] = {
    "add": lambda z, w: torch.add(z, w[0], alpha=3),
    "sub": lambda z, w: torch.sub(z, w[0], alpha=3),
    "subtract": lambda z, w: torch.subtract(z, w[0]),
    "__rsub__": lambda z, w: 0.5 - z,
    "rsub": lambda z, w: torch.rsub(z, w[0]),
    "neg": lambda z, w: torch.neg(z),
    "negative": lambda z, w: torch.negative(z),
    "mul": lambda z, w: torch.mul(z, w[0]),
    "multiply": lambda z, w: torch.multiply(z, w[0]),
    "div": lambda z, w: torch.div(z, positive(w[0])),
    "true_divide": lambda z, w: torch.true_divide(z, positive(w[0])),
    "divide": lambda z, w: torch.divide(z, positive(w[0])),
    "__rdiv__": lambda z, w: positive(z).__rdiv__(3.0),
    "square": lambda z, w: z.square(),
    "pow": lambda z, w: torch.pow(z, 3),
    "reciprocal": lambda z, w: positive(z).reciprocal(),
    "sqrt": lambda z, w: positive(z).sqrt(),
    "rsqrt": lambda z, w: positive(z).rsqrt(),
    "log": lambda z, w: positive(z).log(),
    "matmul": lambda z, w: torch.matmul(z, w),
    "__rmatmul__": lambda z, w: w.__rmatmul__(z),
    "mm": lambda z, w: torch.mm(z, w),
    "bmm": lambda z, w: torch.bmm(square(z), square(z)),
    "addmm": lambda z, w: torch.addmm(w[0], z, w, beta=2, alpha=3),
    "addmv": lambda z, w: torch.addmv(z[:, 0], z, w[0]),
    "baddbmm": lambda z, w: torch.baddbmm(w[:2, :2], square(z), square(z)),
    "mv": lambda z, w: torch.mv(z, w[0]),
    "einsum": lambda z, w: torch.einsum("bi,ji->bj", z, w),
    "linear": lambda z, w: F.linear(z, w, w[0]),
    "embedding": lambda z, w: z * F.embedding(torch.tensor(2), w),
    "conv1d": lambda z, w: F.conv1d(z.unsqueeze(1), w[:2, None, :2], w[3, :2]),
    "conv2d": lambda z, w: F.conv2d(image(z), w.reshape(4, 1, 2, 2), w[0], padding=1),
    "conv3d": lambda z, w: F.conv3d(image(z).unsqueeze(1), w.reshape(4, 1, 1, 2, 2)),
}

FUNCTIONS: dict[str, Function] = {
    "tanh": lambda z, w: torch.tanh(z),
    "sigmoid": lambda z, w: torch.sigmoid(z),
    "exp": lambda z, w: torch.exp(z),
    "expm1": lambda z, w: torch.expm1(z),
    "sin": lambda z, w: torch.sin(z),
    "sinh": lambda z, w: torch.sinh(z),
    "asinh": lambda z, w: torch.asinh(z),
    "atan": lambda z, w: torch.atan(z),
    "erf": lambda z, w: torch.erf(z),
    "log1p": lambda z, w: torch.log1p(torch.tanh(z) / 2),
    "gelu": lambda z, w: F.gelu(z, approximate="tanh"),
    "silu": lambda z, w: F.silu(z),
    "softplus": lambda z, w: F.softplus(z, beta=2.0),
    "mish": lambda z, w: F.mish(z),
    "celu": lambda z, w: F.celu(z, alpha=0.5),
    "log_sigmoid": lambda z, w: F.logsigmoid(z),
    "softsign": lambda z, w: F.softsign(z),
    "elu": lambda z, w: F.elu(z),
    "relu": lambda z, w: F.relu(z),
    "leaky_relu": lambda z, w: F.leaky_relu(z, 0.2),
    "prelu": lambda z, w: F.prelu(z, w[0]),
    "hardtanh": lambda z, w: F.hardtanh(z, -0.5, 1.5),
    "relu6": lambda z, w: F.relu6(z),
    "clamp": lambda z, w: z.clamp(-0.25, 2.0),
    "clip": lambda z, w: torch.clip(z, min=0.0),
    "hardsigmoid": lambda z, w: F.hardsigmoid(z),
    "hardswish": lambda z, w: F.hardswish(z),
    "amax": lambda z, w: square(z).amax(-1, keepdim=True) + z.amax(-1).reshape(-1, 1, 1),
    "max_pool1d": lambda z, w: F.max_pool1d(z.unsqueeze(1), 2, stride=1, padding=1),
    "max_pool2d": lambda z, w: F.max_pool2d(image(z), 2, stride=1, padding=1),
    "softmax": lambda z, w: F.softmax(z, -1),
    "log_softmax": lambda z, w: F.log_softmax(z, -1),
    "layer_norm": lambda z, w: F.layer_norm(z, (4,), w[0], w[1], eps=0.5),
    "rms_norm": lambda z, w: F.rms_norm(z, (4,), w[0], eps=0.5),
    "group_norm": lambda z, w: F.group_norm(z, 2, w[0], w[1], eps=0.5),
    "instance_norm": lambda z, w: F.instance_norm(square(z), weight=w[0, :2], bias=w[1, :2], eps=0.5),
    "batch_norm": lambda z, w: F.batch_norm(z, SHIFT, SHIFT.square(), w[0], w[1]),
    "scaled_dot_product_attention": lambda z, w: F.scaled_dot_product_attention(
        square(z), square(z) @ w[:2, :2], square(z)
    ),
}


class Recurring(nn.Module):
    """A recurrent layer on two steps of two entries."""

    def __init__(self, layer: Callable[..., nn.Module], **options: object) -> None:
        super().__init__()
        self.z, self.recurring = nn.Linear(3, 4), layer(2, 2, **options)

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.recurring(square(self.z(x)))[0]
        return outputs


MODULES: Mapping[str, Callable[[], nn.Module]] = {
    "multi_head_attention_forward": Attending,
    "lstm": partial(Recurring, nn.LSTM, batch_first=True, bidirectional=True),
    "gru": partial(Recurring, nn.GRU, batch_first=True, num_layers=2),
    "rnn_tanh": partial(Recurring, nn.RNN, batch_first=True, bias=False),
    "rnn_relu": partial(Recurring, nn.RNN, batch_first=True, nonlinearity="relu"),
}

# float32 resolves what vanishes, but not a small change of what does not
VANISHING = {"float"}

FUNCTIONS_OF_Z_AND_W = SHAPES | ARITHMETIC | FUNCTIONS

CASES: Mapping[str, Callable[[], nn.Module]] = {
    **{name: partial(Applied, function) for name, function in FUNCTIONS_OF_Z_AND_W.items()},
    **MODULES,
}
