"""For each row of the table: a module that has the gauge, and one of the same parameters with the hypothesis broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Case:
    """`broken` has the parameters of `model` under the same names."""

    rule: str
    model: Callable[[], nn.Module]
    broken: Callable[[], nn.Module]
    breaks: str
    inputs: Callable[[], Tensor]
    softmax: bool = False
    softmax_when_broken: bool = False


class Chain(nn.Module):
    """Two maps with a function between them."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 5), nn.Linear(5, 2)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.function(self.first(x)))


class Watched(Chain):
    """The hidden channels are read twice: by the second map, and by their square."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.function(self.first(x))
        return self.second(hidden) + hidden.square().sum(-1, keepdim=True)


class Normalised(nn.Module):
    """A normalisation and a map that reads it; `residual` lets somebody else read it as well."""

    def __init__(self, norm: Callable[[int], nn.Module], residual: bool) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(3, 4), norm(4), nn.Linear(4, 4)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        normal = self.norm(self.first(x))
        return self.second(normal) + (normal if self.residual else 0)


class Attention(nn.Module):
    """Two heads; `rotary` turns queries and keys by angles that grow with the position, `gate` bends the values."""

    def __init__(self, rotary: bool | str = False, gate: bool = False) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(8, 8) for _ in range(4))
        self.rotary, self.gate = rotary, gate

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            each(x).unflatten(-1, (2, 4)).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        if self.rotary:
            turned = {True: _turned, "neighbours": _turned_neighbours, "as complex numbers": _multiplied}[self.rotary]
            query, key = turned(query), turned(key)
        if self.gate:
            value = value.tanh()
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class Embedded(nn.Module):
    """Rows of a table, which a map reads, or a function before it."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.table, self.second, self.function = nn.Embedding(7, 4), nn.Linear(4, 2), function

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.function(self.table(x)))


class Batches(nn.Module):
    """A BatchNorm with a function behind it."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.function(self.norm(self.first(x))))


class Depthwise(nn.Module):
    """A convolution of each channel by itself."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 3, 1), nn.Conv2d(3, 3, 2, groups=3)
        self.last, self.function = nn.Linear(3, 2), function

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.second(self.function(self.first(x))).tanh().mean((2, 3)))


class Positions(Attention):
    """Two heads whose keys are seen with their position."""

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            each(x).unflatten(-1, (2, 4)).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        seen = torch.arange(x.shape[1], dtype=x.dtype)[:, None]
        mixed = F.scaled_dot_product_attention(query, seen * key, value)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class Halved(Attention):
    """Two heads, the second half of whose keys is scaled by the position in the place of a turn."""

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            each(x).unflatten(-1, (2, 4)).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        scale = 1 + torch.arange(x.shape[1], dtype=x.dtype)[:, None]
        key = torch.cat([key[..., :2], scale * key[..., 2:]], -1)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class Plain(nn.Module):
    """What a map reads, normalised and shared with the output, or without the mean taken out."""

    def __init__(self, centred: bool) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 4)
        self.centred = centred

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        if self.centred:
            y = self.norm(y)
        else:
            y = y / y.square().mean(-1, keepdim=True).sqrt() * self.norm.weight + self.norm.bias
        return self.second(y).tanh() + y


class Written(nn.Module):
    """An RMSNorm, or a LayerNorm with its offset, written out; `residual` lets somebody else read it as well."""

    def __init__(self, centred: bool, residual: bool) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 4)
        self.gain, self.offset = nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(4))
        self.centred, self.residual = centred, residual

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        if self.centred:
            y = y - y.mean(-1, keepdim=True)
            normal = self.gain * y / y.square().mean(-1, keepdim=True).sqrt() + self.offset
        else:
            normal = self.gain * (y * y.square().mean(-1, keepdim=True).rsqrt()).to(y.dtype)
        return self.second(normal) + (normal if self.residual else 0)


class Branch(nn.Module):
    """A convolution or a map whose channels are scaled before they are added, with a function between."""

    def __init__(self, function: Callable[[Tensor], Tensor], images: bool = False) -> None:
        super().__init__()
        self.map = nn.Conv2d(1, 3, 1) if images else nn.Linear(3, 3)
        self.gain = nn.Parameter(torch.ones(3, 1, 1) if images else torch.ones(3))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return x + self.function(self.map(x)) * self.gain


class Gated(nn.Module):
    """A gated unit of two maps, or of one that is taken apart; `function` bends the gate."""

    def __init__(self, function: Callable[[Tensor], Tensor], fused: bool = False) -> None:
        super().__init__()
        self.both = nn.Linear(3, 10) if fused else nn.ModuleList([nn.Linear(3, 5), nn.Linear(3, 5)])
        self.second, self.function = nn.Linear(5, 2), function

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.both(x).chunk(2, -1) if isinstance(self.both, nn.Linear) else (each(x) for each in self.both)
        return self.second(self.function(gate) * up)


class Beside(nn.Module):
    """A map that adds to a sum, which a norm reads; `watched` lets somebody else read the sum beside it."""

    def __init__(self, watched: bool) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 4)
        self.watched = watched

    def forward(self, x: Tensor) -> Tensor:
        stream = self.first(x) / 2 + F.pad(x, (0, 1))
        return self.second(self.norm(stream)) + (stream.tanh() if self.watched else 0)


class Shared(nn.Module):
    """Four heads of queries, of which two share each head of keys and values; `each` gives every head an own key."""

    def __init__(self, rotary: bool = False, own: bool = False) -> None:
        super().__init__()
        self.query, self.out = nn.Linear(8, 16), nn.Linear(16, 8)
        self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8)
        self.rotary, self.own = rotary, own

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            each(x).unflatten(-1, (-1, 4)).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        if self.rotary:
            query, key = _turned(query), _turned(key)
        key, value = (each[:, :, None].expand(-1, -1, 2, -1, -1).flatten(1, 2) for each in (key, value))
        if self.own:
            scales = torch.tensor([1.0, 2.0, 1.0, 3.0], dtype=x.dtype)[:, None, None]
            key, value = (scales * key).tanh(), (scales * value).tanh()
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class Offset(nn.Module):
    """A LayerNorm that an attention reads, whose values nobody can shift: their weights do not sum to one."""

    def __init__(self, seen: bool) -> None:
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(8), nn.MultiheadAttention(8, 2, add_zero_attn=True, batch_first=True)
        self.seen = seen

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        found: Tensor = self.attention(y, y, y, need_weights=False)[0]
        return found + (y if self.seen else 0)


class Grouped(nn.Module):
    """A convolution in two groups of three channels, four outputs hear each; and one behind it."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 6, 1), nn.Conv2d(6, 8, 2, groups=2)
        self.last, self.function = nn.Linear(8, 2), function

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.second(self.function(self.first(x))).tanh().mean((2, 3)))


class Frozen(nn.Module):
    """A map and a BatchNorm whose statistics are not those of a start; `watched` lets somebody else see the map."""

    def __init__(self, watched: bool = False) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)
        self.norm.running_mean = torch.tensor([0.4, -1.0, 0.0, 2.0])
        self.norm.running_var = torch.tensor([0.5, 1.0, 3.0, 0.1])
        self.watched = watched

    def forward(self, x: Tensor) -> Tensor:
        z = self.first(x)
        return self.second(self.norm(z).sigmoid()) + (z[:, :2] if self.watched else 0)


class Stream(nn.Module):
    """Tokens and positions, a layer that adds to their sum, and logits; norms of what is read have scales or none."""

    def __init__(self, norm: Callable[[], nn.Module], tied: bool = False) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(7, 4), nn.Parameter(torch.ones(5, 4))
        self.norm, self.up, self.down = norm(), nn.Linear(4, 6), nn.Linear(6, 4)
        self.out = nn.Linear(4, 7, bias=False)
        if tied:
            self.out.weight = self.tokens.weight

    def forward(self, x: Tensor) -> Tensor:
        stream = self.tokens(x) + self.positions
        stream = stream + self.down(self.up(self.norm(stream)).tanh())
        return self.out(self.norm(stream))


def _turned(x: Tensor) -> Tensor:
    angles = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] * torch.tensor([1.0, 0.1], dtype=x.dtype)
    a, b = x[..., :2], x[..., 2:]
    return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)


def _turned_neighbours(x: Tensor) -> Tensor:
    angles = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] * torch.tensor([1.0, 0.1], dtype=x.dtype)
    cos, sin = (each.repeat_interleave(2, -1) for each in (angles.cos(), angles.sin()))
    return x * cos + torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2) * sin


def _multiplied(x: Tensor) -> Tensor:
    angles = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] * torch.tensor([1.0, 0.1], dtype=x.dtype)
    turns = torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2)) * turns).flatten(3)


def seeded(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """The module with parameters that are all drawn, gains and offsets too."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = make().double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.5 + 0.1)
    return model


def rows() -> Tensor:
    return torch.randn(12, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def words() -> Tensor:
    return torch.arange(7)


def images() -> Tensor:
    return torch.randn(6, 1, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def tokens() -> Tensor:
    return torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def sequences() -> Tensor:
    return torch.randint(0, 7, (3, 5), generator=torch.Generator().manual_seed(1))


def _same(x: Tensor) -> Tensor:
    return x


def _unlike(x: Tensor) -> Tensor:
    """Another function for each channel."""
    return torch.where(torch.arange(x.shape[-1]) % 2 == 0, x.tanh(), x.relu())


CASES = (
    Case("rescaling", lambda: Chain(F.relu), lambda: Chain(F.gelu), "GELU is not homogeneous", rows),
    Case("rescaling", lambda: Chain(F.leaky_relu), lambda: Watched(F.leaky_relu), "somebody else reads", rows),
    Case("sign flips", lambda: Chain(torch.tanh), lambda: Chain(F.relu), "ReLU is not odd", rows),
    Case("permutation", lambda: Chain(F.gelu), lambda: Chain(_unlike), "the channels have two functions", rows),
    Case("permutation", lambda: Gated(F.silu), lambda: Gated(_unlike), "the gates have two functions", rows),
    Case(
        "permutation", lambda: Gated(F.silu, True), lambda: Gated(_unlike, True), "the gates have two functions", rows
    ),
    Case("gain scale", lambda: Written(False, False), lambda: Written(False, True), "a residual reads too", rows),
    Case("gain scale", lambda: Written(True, False), lambda: Written(True, True), "a residual reads too", rows),
    Case("gain input scale", lambda: Branch(F.relu), lambda: Branch(F.gelu), "GELU is not homogeneous", rows),
    Case(
        "gain input scale",
        lambda: Branch(_same, images=True),
        lambda: Branch(torch.tanh, images=True),
        "tanh is not homogeneous",
        images,
    ),
    Case("rotation", lambda: Chain(_same), lambda: Chain(F.relu), "a function stands between", rows),
    Case(
        "normalisation scale",
        lambda: Normalised(nn.LayerNorm, False),
        lambda: Normalised(nn.LayerNorm, True),
        "a residual reads too",
        rows,
    ),
    Case(
        "normalisation scale",
        lambda: Normalised(lambda n: nn.RMSNorm(n, eps=1e-6), False),
        lambda: Normalised(lambda n: nn.RMSNorm(n, eps=1e-6), True),
        "a residual reads too",
        rows,
    ),
    Case("rotation", lambda: Embedded(_same), lambda: Embedded(F.relu), "a function stands behind a table", words),
    Case("rescaling", lambda: Depthwise(F.relu), lambda: Depthwise(F.gelu), "GELU before a depthwise kernel", images),
    Case(
        "batch normalisation scale",
        lambda: Batches(F.relu),
        lambda: Batches(F.gelu),
        "GELU is not homogeneous",
        rows,
    ),
    Case("rescaling", lambda: Grouped(F.relu), lambda: Grouped(F.gelu), "GELU before groups", images),
    Case("rotation", lambda: Grouped(_same), lambda: Grouped(F.relu), "a function stands before groups", images),
    Case("batch normalisation input scale", Frozen, lambda: Frozen(True), "somebody else sees the map", rows),
    Case("bias shift", lambda: Chain(_same), lambda: Chain(F.relu), "a function stands between", rows),
    Case("bias shift", Attention, lambda: Attention(gate=True), "values are bent", tokens),
    Case(
        "stream rotation",
        lambda: Stream(lambda: nn.RMSNorm(4, eps=1e-6, elementwise_affine=False)),
        lambda: Stream(lambda: nn.LayerNorm(4, elementwise_affine=False)),
        "a mean is taken out of the channels",
        sequences,
    ),
    Case(
        "stream rotation",
        lambda: Stream(nn.Identity, tied=True),
        lambda: Stream(nn.Tanh, tied=True),
        "a function stands before what reads the stream",
        sequences,
    ),
    Case(
        "stream scale",
        lambda: Stream(nn.Identity),
        lambda: Stream(lambda: nn.RMSNorm(4, eps=1e-6, elementwise_affine=False)),
        "a norm mixes the scales",
        sequences,
    ),
    Case(
        "rotary query–key",
        lambda: Attention(rotary=True),
        Halved,
        "half of a head is scaled by the position, and not turned",
        tokens,
    ),
    Case(
        "rotary query–key, interleaved",
        lambda: Attention("neighbours"),
        lambda: Attention(rotary=True),
        "the two halves of a head are turned together",
        tokens,
    ),
    Case(
        "rotary query–key, interleaved",
        lambda: Attention("as complex numbers"),
        lambda: Attention(rotary=True),
        "the two halves of a head are turned together",
        tokens,
    ),
    Case("bias shift", lambda: Offset(False), lambda: Offset(True), "somebody else sees the norm", tokens),
    Case("normalisation kernel", lambda: Plain(True), lambda: Plain(False), "the mean is not taken out", rows),
    Case("normalisation shift", lambda: Beside(False), lambda: Beside(True), "somebody else sees the sum", rows),
    Case(
        "normalisation shift",
        lambda: Normalised(nn.LayerNorm, False),
        lambda: Normalised(lambda n: nn.RMSNorm(n, eps=1e-6), False),
        "an RMSNorm keeps the mean",
        rows,
    ),
    Case(
        "normalisation shift",
        lambda: Embedded(lambda y: F.layer_norm(y, (4,))),
        lambda: Embedded(lambda y: F.layer_norm(y.unflatten(-1, (2, 2)), (2,)).flatten(-2) * y.mean(-1, keepdim=True)),
        "the mean is seen beside norms of half of the channels",
        words,
    ),
    Case("key bias", Attention, Positions, "keys are scaled by their position", tokens),
    Case("query–key scale", Attention, lambda: Attention(rotary=True), "rotary positions mix two channels", tokens),
    Case("query–key rotation", Attention, lambda: Attention(rotary=True), "rotary positions do not commute", tokens),
    Case("value–output scale", Attention, lambda: Attention(gate=True), "values are bent", tokens),
    Case("value–output rotation", Attention, lambda: Attention(gate=True), "values are bent", tokens),
    Case("logit shift", lambda: Chain(F.gelu), lambda: Chain(F.gelu), "the logits themselves are seen", rows, True),
)
