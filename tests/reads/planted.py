"""Networks whose census is known by construction: some units are planted at a size, all others have size one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIZES = (0.0, 1e-8, 1e-5, 1e-3, 1e-2, 1e-1)
READABLE = 1e-3
"""Units up to this size must be called dead: 5s and three octaves above are still far from size one."""


class Squared(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return torch.relu(z).square()


ACTIVATIONS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "tanh": (nn.Tanh, 1),
    "relu": (nn.ReLU, 1),
    "gelu": (nn.GELU, 1),
    "silu": (nn.SiLU, 1),
    "squared relu": (Squared, 2),
}
"""Each with its order at 0, from its Taylor series: tanh z = z, relu z = z₊, z Φ(z) = z/2, z σ(z) = z/2, z₊²."""


@dataclass(frozen=True)
class Planted:
    """A network, and what stands in it.

    Attributes:
        dead: layer and place of every planted candidate.
        order: the activation order + 1 for a unit; the number of factors in general.
        distances: the length of all numbers of each planted unit.
    """

    model: nn.Module
    inputs: Tensor
    dead: frozenset[tuple[str, str]]
    order: int
    distances: dict[tuple[str, str], float]


class Draw:
    """Numbers of a seed."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64)

    def fill(self, model: nn.Module) -> nn.Module:
        """The model in float64, with normal numbers of deviation 0.7 everywhere."""
        model = model.double().eval()
        with torch.no_grad():
            for value in model.parameters():
                value.copy_(0.7 * self(*value.shape))
        return model


def hidden_layer(activation: str, size: float, seed: int = 0, bias: bool = True) -> Planted:
    """Five units, of which 1 and 3 have weights in, bias and weights out of this size."""
    make, order = ACTIVATIONS[activation]
    draw = Draw(seed)
    model = nn.Sequential(nn.Linear(3, 5, bias=bias), make(), nn.Linear(5, 2))
    draw.fill(model)
    with torch.no_grad():
        # living units lean on one input each, so that every one of them is active on half of the data
        for unit, entry in zip((0, 2, 4), range(3), strict=True):
            model[0].weight[unit] = 0.3 * draw(3)
            model[0].weight[unit, entry] = 1.5
            if bias:
                model[0].bias[unit] = 0.2
            model[2].weight[:, unit] = torch.sign(draw(2)) * 1.2
        for unit in (1, 3):
            direction = draw(3)
            model[0].weight[unit] = size * direction / direction.norm()
            if bias:
                model[0].bias[unit] = 0.3 * size
            out = draw(2)
            model[2].weight[:, unit] = size * out / out.norm()
    length = size * (2 + 0.09 * bias) ** 0.5
    places = [("0", f"unit {unit}") for unit in (1, 3)]
    return Planted(model, draw(48, 3), frozenset(places), order + 1, dict.fromkeys(places, length))


def rotated_product(size: float, seed: int = 0) -> Planted:
    """W'W with W (4, 3) and W' (3, 4): one channel lives, three have this size, in a rotated basis."""
    draw = Draw(seed)
    model = draw.fill(nn.Sequential(nn.Linear(3, 4, bias=False), nn.Linear(4, 3)))
    turn = torch.linalg.qr(draw(4, 4)).Q
    first, second = draw(4, 3), draw(3, 4)
    first, second = first / first.norm(dim=1, keepdim=True), second / second.norm(dim=0, keepdim=True)
    first[1:] *= size
    second[:, 1:] *= size
    with torch.no_grad():
        model[0].weight.copy_(turn @ first)
        model[1].weight.copy_(second @ turn.T)
    places = [("0", f"direction {number} of 3") for number in range(3)]
    return Planted(model, draw(48, 3), frozenset(places), 2, dict.fromkeys(places, size * 6**0.5))


class Images(nn.Module):
    """A convolution with a normalisation, another one, and a linear map that reads its pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3)
        self.second, self.out = nn.Conv2d(3, 3, 2), nn.Linear(3 * 4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(torch.tanh(self.norm(self.first(x))), 2)
        return self.out(torch.tanh(self.second(x)).flatten(1))


def images(size: float, seed: int = 0) -> Planted:
    """Channel 1 of the normalisation, and channel 2 of the second convolution."""
    draw = Draw(seed)
    model = Images()
    draw.fill(model)
    with torch.no_grad():
        model.norm.weight[1], model.norm.bias[1] = size, 0.0
        model.second.weight[:, 1] *= size
        model.second.weight[2] *= size
        model.second.bias[2] *= size
        model.out.weight.reshape(2, 3, 4)[:, 2] *= size
    places = {("norm", "unit 1"), ("second", "unit 2")}
    return Planted(model, draw(16, 1, 8, 8), frozenset(places), 2, {})


class Saturated(nn.Module):
    """Cut off at ±1: a unit whose bias is large is constant, and stays so."""

    def forward(self, z: Tensor) -> Tensor:
        return F.hardtanh(z)


def constant_unit(size: float, activation: Callable[[], nn.Module], bias: float, seed: int = 0) -> Planted:
    """Four units, of which unit 2 has weights in of this size and a bias of size one."""
    draw = Draw(seed)
    model = draw.fill(nn.Sequential(nn.Linear(3, 4), activation(), nn.Linear(4, 2)))
    with torch.no_grad():
        model[0].weight.copy_(1.5 * torch.eye(4, 3))
        direction = draw(3)
        model[0].weight[2] = size * direction / direction.norm()
        model[0].weight[3] = torch.tensor([0.0, -0.4, 1.2])
        model[0].bias.copy_(torch.tensor([0.2, -0.1, bias, 0.3]))
    return Planted(model, draw(48, 3), frozenset({("0", "unit 2")}), 0, {("0", "unit 2"): size})


class Pixels(nn.Module):
    """A convolution of all channels, one of each by itself, and one that mixes them."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.norm = nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4)
        self.each, self.mixed, self.out = nn.Conv2d(4, 4, 2, groups=4), nn.Conv2d(4, 2, 1), nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.silu(self.norm(self.wide(x)))
        x = F.silu(self.each(F.pad(x, (0, 1, 0, 1))))
        return self.out(torch.tanh(self.mixed(x)).mean((2, 3)))


def depthwise(size: float, seed: int = 0) -> Planted:
    """Channel 1 of the normalisation with its kernel, and channel 3 of the depthwise convolution, which nobody hears,
    so that what it hears is not seen either."""
    draw = Draw(seed)
    model = Pixels()
    draw.fill(model)
    with torch.no_grad():
        model.norm.weight[1], model.norm.bias[1] = size, 0.0
        model.each.weight[1] *= size / model.each.weight[1].norm()
        model.each.weight[3] *= size / model.each.weight[3].norm()
        model.each.bias[3] = 0.0
        model.mixed.weight[:, 3] *= size / model.mixed.weight[:, 3].norm()
    places = [("norm", "unit 1"), ("each", "unit 3")]
    return Planted(model, draw(8, 1, 4, 4), frozenset(places), 2, dict.fromkeys(places, size * 2**0.5))


def turned_heads(size: float, seed: int = 0) -> Planted:
    """Two heads of width three. Queries and keys of head 1 have this size; in head 0 two of three directions of queries
    and keys have it, and one direction of values and outputs, each in a basis of its own."""
    draw = Draw(seed)
    model = Heads()
    draw.fill(model)
    with torch.no_grad():
        for one, other, small in ((model.query, model.key, 2), (model.value, model.output, 1)):
            turn = torch.linalg.qr(draw(3, 3)).Q
            scale = torch.tensor([1.0] * (3 - small) + [size] * small).double()
            made = torch.linalg.qr(torch.cat([draw(6, 6)])).Q[:3]
            read = torch.linalg.qr(draw(6, 6)).Q[:3]
            one.weight[:3] = turn @ (scale[:, None] * made)
            one.bias[:3] = turn @ (scale * torch.tensor([0.3, 0.3, 0.3]).double())
            if one is model.query:
                other.weight[:3] = turn @ (scale[:, None] * read)
                other.bias[:3] = turn @ (scale * torch.tensor([0.1, 0.1, 0.1]).double())
            else:
                other.weight[:, :3] = (turn @ (scale[:, None] * read)).mT
        for each in (model.query, model.key):
            each.weight[3:] *= size / each.weight[3:].norm()
            each.bias[3:] = 0.0
    places = {("query", "head 1"), ("value", "direction 0 of 1 in head 0")}
    places |= {("query", f"direction {number} of 2 in head 0") for number in range(2)}
    return Planted(model, draw(24, 4, 6), frozenset(places), 2, {})


class Heads(nn.Module):
    """An attention of two heads of width three, and a map that reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(6, 6) for _ in range(4))
        self.last = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            each(x).unflatten(-1, (2, 3)).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.last(torch.tanh(self.output(mixed.transpose(1, 2).flatten(-2)))).mean(1)


class Placed(nn.Module):
    """Positions as a parameter of their own, of which inputs use the first ones."""

    def __init__(self) -> None:
        super().__init__()
        self.positions, self.hidden, self.out = nn.Parameter(torch.ones(1, 6, 3)), nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.hidden(x + self.positions[:, : x.shape[1]])).mean(1))


class Block(nn.Module):
    """A transformer of one block: attention with two heads, a gated hidden layer, RMSNorm and LayerNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(7, 4)
        self.before, self.between = nn.LayerNorm(4), nn.RMSNorm(4)
        self.query, self.key, self.value, self.output = (nn.Linear(4, 4) for _ in range(4))
        self.gate, self.up, self.down = nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(3, 4)
        self.logits = nn.Linear(4, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens)
        seen = self.before(x)
        query, key, value = (
            each(seen).unflatten(-1, (2, 2)).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value)
        x = x + self.output(mixed.transpose(1, 2).flatten(-2))
        y = self.between(x)
        x = x + self.down(F.silu(self.gate(y)) * self.up(y))
        return self.logits(x.mean(1))


def block(size: float, seed: int = 0) -> Planted:
    """Head 1, channel 2 of the RMSNorm, and the gated unit 1; tokens 5 and 6 are never used."""
    draw = Draw(seed)
    model = Block()
    draw.fill(model)
    with torch.no_grad():
        model.value.weight[2:] *= size
        model.value.bias[2:] *= size
        model.output.weight[:, 2:] *= size
        model.between.weight[2] = size
        for made in (model.gate, model.up):
            made.weight[:, 2] *= size
            made.weight[1] *= size
            made.bias[1] *= size
        model.down.weight[:, 1] *= size
    tokens = torch.randint(0, 5, (24, 4), generator=draw.generator)
    tokens[0] = torch.arange(4)
    tokens[1] = 4
    places = {
        ("value", "head 1"),
        ("between", "channel 2"),
        ("gate", "unit 1"),
        ("tokens", "rows 5, 6"),
    }
    return Planted(model, tokens, frozenset(places), 0, {})


class SharedHeads(nn.Module):
    """Four heads of queries, of which two share each head of keys and values; rotary positions or none.

    Heads have width two, or four where positions turn neighbours.
    """

    def __init__(self, rotary: bool, width: int = 2) -> None:
        super().__init__()
        self.query, self.output = nn.Linear(6, 4 * width), nn.Linear(4 * width, 6)
        self.key, self.value = nn.Linear(6, 2 * width), nn.Linear(6, 2 * width)
        self.last, self.rotary, self.width = nn.Linear(6, 2), rotary, width

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            each(x).unflatten(-1, (-1, self.width)).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        if self.rotary:
            query, key = self.turned(query), self.turned(key)
        mixed = F.scaled_dot_product_attention(query, key, value, enable_gqa=True)
        return self.last(torch.tanh(self.output(mixed.transpose(1, 2).flatten(-2)))).mean(1)

    def turned(self, x: Tensor) -> Tensor:
        angle = torch.arange(x.shape[-2], dtype=x.dtype)[:, None]
        if self.width > 2:
            angle = angle / torch.arange(1, self.width // 2 + 1).repeat_interleave(2)
        swapped = torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2)
        return x * angle.cos() + swapped * angle.sin()


def shared_heads(
    size: float, seed: int = 0, rotary: bool = False, values: bool = False, interleaved: bool = False
) -> Planted:
    """Head 1 of the keys with both heads of queries that meet it; or head 0 of the values with what reads it, where
    nobody sees what head 0 of the keys does."""
    draw = Draw(seed)
    width = 4 if interleaved else 2
    model = SharedHeads(rotary or interleaved, width)
    draw.fill(model)
    with torch.no_grad():
        if values:
            model.value.weight[:width] *= size
            model.value.bias[:width] *= size
            model.output.weight[:, : 2 * width] *= size
        else:
            for map_, rows in ((model.query, slice(2 * width, 4 * width)), (model.key, slice(width, 2 * width))):
                map_.weight[rows] *= size
                map_.bias[rows] *= size
    places = {("value", "head 0") if values else ("query", "head 1")}
    return Planted(model, draw(24, 4, 6), frozenset(places), 2, {})


class Groups(nn.Module):
    """A map, a BatchNorm in evaluation whose statistics are not those of a start, and a convolution in two groups."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.norm = nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4)
        self.grouped, self.out = nn.Conv2d(4, 4, 2, groups=2), nn.Linear(4, 2)
        self.norm.running_mean = torch.tensor([0.3, -0.2, 0.0, 0.5])
        self.norm.running_var = torch.tensor([0.5, 1.0, 2.0, 0.7])

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.norm(self.wide(x)))
        return self.out(torch.tanh(self.grouped(x)).mean((2, 3)))


def grouped(size: float, seed: int = 0) -> Planted:
    """Channel 1 of the norm, which the outputs of the first group hear, and output 3 of the groups."""
    draw = Draw(seed)
    model = Groups()
    draw.fill(model)
    with torch.no_grad():
        model.norm.weight[1], model.norm.bias[1] = size, 0.0
        model.grouped.weight[:2, 1] *= size
        model.grouped.weight[3] *= size
        model.grouped.bias[3] *= size
        model.out.weight[:, 3] *= size
    return Planted(model, draw(16, 1, 5, 5), frozenset({("norm", "unit 1"), ("grouped", "unit 3")}), 2, {})
