"""Random networks with planted structure: what `order_along` says, against what is there by construction.

    python tests/measure/zoo.py                     # 300 specimens
    python tests/measure/zoo.py --count 3000 --seed 7

A wrong answer is another order than the planted one, a direction that is flat and is called dead, or the other way
round. The aim is none of those, and at most one refusal in twenty.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional

from ddtheory.measure import Categorical, Direction, Gaussian, Path, Problem, TwoScaleReading, arc, order_along
from ddtheory.values import OrderReading, ReadingStatus

Reading = OrderReading | TwoScaleReading


class Squared(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x).square()


ACTIVATIONS: Mapping[str, tuple[Callable[[], nn.Module], int]] = {
    "relu": (nn.ReLU, 1),
    "leaky_relu": (nn.LeakyReLU, 1),
    "relu6": (nn.ReLU6, 1),
    "tanh": (nn.Tanh, 1),
    "gelu": (nn.GELU, 1),
    "silu": (nn.SiLU, 1),
    "elu": (nn.ELU, 1),
    "squared relu": (Squared, 2),
}
"""Each activation, and its order at zero."""


class RMSNorm(nn.Module):
    """In float32 inside, as language models have it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.to(torch.float32)
        return self.weight * (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6)).to(x.dtype)


class Block(nn.Module):
    """Pre-norm attention of two heads and a gated or plain layer of units, over sequences of four tokens of size 8."""

    SIZE, HEADS = 8, 2

    def __init__(self, activation: nn.Module, gated: bool) -> None:
        super().__init__()
        size = self.SIZE
        self.norms = nn.ModuleList(RMSNorm(size) if gated else nn.LayerNorm(size) for _ in range(2))
        self.q, self.k, self.v, self.o = (nn.Linear(size, size, bias=False) for _ in range(4))
        self.inward, self.outward = nn.Linear(size, 12, bias=False), nn.Linear(12, size, bias=False)
        self.gate = nn.Linear(size, 12, bias=False) if gated else None
        self.activation = activation
        self.head = nn.Linear(size, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norms[0](x)
        shape = (*h.shape[:2], self.HEADS, self.SIZE // self.HEADS)
        q, k, v = (layer(h).reshape(shape).transpose(1, 2) for layer in (self.q, self.k, self.v))
        mixed = torch.softmax(q @ k.mT / shape[-1] ** 0.5, -1) @ v
        x = x + self.o(mixed.transpose(1, 2).reshape(h.shape))
        h = self.norms[1](x)
        inward = self.inward(h)
        units = functional.silu(self.gate(h)) * inward if self.gate is not None else self.activation(inward)
        return self.head((x + self.outward(units)).mean(1))


@dataclass(frozen=True)
class Unit:
    """A hidden unit: entries of its incoming and outgoing weights, and the order along all of them once it is zero."""

    parts: Mapping[str, tuple[object, ...]]
    order: int


@dataclass(frozen=True)
class Network:
    module: nn.Module
    inputs: Tensor
    unit: Unit
    name: str


def perceptron(random: Random) -> Network:
    name = random.choice(list(ACTIVATIONS))
    make, p = ACTIVATIONS[name]
    width, depth = random.choice((8, 16, 32)), random.choice((1, 2, 3))
    layers: list[nn.Module] = [nn.Linear(6, width), make()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), make()]
    layer = 2 * random.randrange(depth)
    unit = random.randrange(width)
    parts = {f"{layer}.weight": (unit,), f"{layer}.bias": (unit,), f"{layer + 2}.weight": (slice(None), unit)}
    inputs = torch.randn(random.choice((50, 200, 1000)), 6)
    return Network(nn.Sequential(*layers, nn.Linear(width, 3)), inputs, Unit(parts, p + 1), f"perceptron, {name}")


def convolutional(random: Random) -> Network:
    name = random.choice(list(ACTIVATIONS))
    make, p = ACTIVATIONS[name]
    pool = random.choice((nn.MaxPool2d(2), nn.AvgPool2d(2)))
    net = nn.Sequential(nn.Conv2d(1, 4, 3), make(), pool, nn.Conv2d(4, 6, 3), make(), nn.Flatten(), nn.Linear(54, 3))
    channel = random.randrange(4)
    parts = {"0.weight": (channel,), "0.bias": (channel,), "3.weight": (slice(None), channel)}
    kind = f"CNN, {name}, {type(pool).__name__}"
    return Network(net, torch.randn(random.choice((20, 60)), 1, 12, 12), Unit(parts, p + 1), kind)


def transformer(random: Random) -> Network:
    gated = random.random() < 0.5
    name = random.choice(list(ACTIVATIONS))
    make, p = ACTIVATIONS[name]
    unit = random.randrange(12)
    parts: dict[str, tuple[object, ...]] = {"inward.weight": (unit,), "outward.weight": (slice(None), unit)}
    if gated:
        parts["gate.weight"] = (unit,)
    kind = "gated transformer, RMSNorm" if gated else f"transformer, {name}"
    order = 3 if gated else p + 1
    return Network(Block(make(), gated), torch.randn(random.choice((10, 40)), 4, 8), Unit(parts, order), kind)


@dataclass(frozen=True)
class Specimen:
    """A path through a network, and which readings of it are right.

    Attributes:
        right: whether a reading that is no refusal is right.
    """

    name: str
    problem: Problem
    path: Direction | Path
    right: Callable[[Reading], bool]


def built(network: Network, random: Random) -> Problem:
    head = random.choice((Gaussian(), Categorical()))
    return Problem.from_module(network.module.double().eval(), network.inputs, head)


def filled(module: nn.Module, parts: Mapping[str, tuple[object, ...]], size: float) -> dict[str, Tensor]:
    """The weights of a unit become `size` times random numbers; a random direction along all of them."""
    direction: dict[str, Tensor] = {}
    for name, index in parts.items():
        value = module.get_parameter(name)
        block = torch.zeros(value.shape, dtype=torch.float64)
        with torch.no_grad():
            value[index] = size * torch.randn_like(value[index])
            block[index] = torch.randn_like(block[index])
        direction[name] = block
    return direction


def plain(k: int) -> Callable[[Reading], bool]:
    return lambda reading: isinstance(reading, OrderReading) and reading.k == k


def flat(reading: Reading) -> bool:
    return reading.status is ReadingStatus.FLAT


def live(random: Random) -> Specimen:
    network = random.choice((perceptron, convolutional, transformer))(random)
    problem = built(network, random)
    return Specimen(f"live direction: {network.name}", problem, torch.randn(problem.dimension), plain(1))


def dead(random: Random) -> Specimen:
    network = random.choice((perceptron, convolutional, transformer))(random)
    direction = filled(network.module, network.unit.parts, 0.0)
    return Specimen(f"dead unit: {network.name}", built(network, random), direction, plain(network.unit.order))


def nearly_dead(random: Random) -> Specimen:
    """Weights of one unit of size s: order 1, or order 1 below and that of the dead unit above."""
    network = random.choice((perceptron, convolutional, transformer))(random)
    size = 10.0 ** random.uniform(-16, 0)
    direction = filled(network.module, network.unit.parts, size)
    problem = built(network, random)
    k = network.unit.order

    def right(reading: Reading) -> bool:
        if isinstance(reading, TwoScaleReading):
            # t* is of the size of the weights: F(0) is a form of degree 2(k − 1) in them
            return reading.k == 1 and reading.above == k and 1e-3 * size < reading.crossing.estimate < 1e3 * size
        # F(0) ~ s^{2(k−1)}: below what float64 resolves beside numbers of size one the unit is dead
        return reading.k == 1 or (reading.k == k and size ** (2 * (k - 1)) < 1e-24)

    return Specimen(f"nearly dead unit: {network.name}", problem, direction, right)


def dead_head(random: Random) -> Specimen:
    """Values and outputs of one head are zero, or queries and keys: t² either way."""
    network = transformer(random)
    head = random.randrange(Block.HEADS)
    rows = slice(head * 4, head * 4 + 4)
    values = random.random() < 0.5
    parts: dict[str, tuple[object, ...]] = (
        {"v.weight": (rows,), "o.weight": (slice(None), rows)} if values else {"q.weight": (rows,), "k.weight": (rows,)}
    )
    direction = filled(network.module, parts, 0.0)
    kind = "values and outputs" if values else "queries and keys"
    return Specimen(f"dead head, {kind}: {network.name}", built(network, random), direction, plain(2))


def moved(truth: Tensor, rows: slice, block: Tensor, columns: bool) -> Tensor:
    """The rows or columns of one head replaced."""
    pieces = (
        [truth[:, : rows.start], block, truth[:, rows.stop :]]
        if columns
        else [truth[: rows.start], block, truth[rows.stop :]]
    )
    return torch.cat(pieces, 1 if columns else 0)


def head_orbit(random: Random) -> Specimen:
    """V → e^{tG}V, O → O e^{−tG}, or Q → e^{tG}Q, K → e^{−tGᵀ}K: the function stays."""
    network = transformer(random)
    problem = built(network, random)
    head = random.randrange(Block.HEADS)
    rows, values = slice(head * 4, head * 4 + 4), random.random() < 0.5
    truth, step = problem.truth, torch.randn(4, 4, dtype=torch.float64)
    first, second = ("v.weight", "o.weight") if values else ("q.weight", "k.weight")
    one, other = truth[first], truth[second]
    left = one[rows]
    right = other[:, rows] if values else other[rows]
    back = step if values else step.T
    tangent = [step @ left, (right @ step) if values else (back @ right)]
    scaled = step / math.sqrt(sum(float(part.square().sum()) for part in tangent))

    def orbit(t: Tensor) -> dict[str, Tensor]:
        turn, undo = torch.matrix_exp(t * scaled), torch.matrix_exp(-t * scaled)
        return {
            first: moved(one, rows, turn @ left, False),
            second: moved(other, rows, right @ undo if values else undo.mT @ right, values),
        }

    which = "values and outputs" if values else "queries and keys"
    return Specimen(f"gauge orbit, {which}: {network.name}", problem, arc(problem, orbit), flat)


def silent(problem: Problem, network: Network) -> bool:
    """Whether the unit is 0 on all inputs, so that whatever reads it moves nothing."""
    inward, _bias, outward = network.unit.parts
    moved = problem.truth[outward].clone()
    moved[:, network.unit.parts[inward][0]] += 1.0
    return all(
        torch.equal(problem.outputs(problem.truth, inputs), problem.outputs({**problem.truth, outward: moved}, inputs))
        for inputs, _weights in problem.batches()
    )


def rescaling(random: Random, straight: bool) -> Specimen:
    """Incoming weights of a ReLU unit times e^t, outgoing ones times e^{−t}; or the tangent of that, of order 2."""
    while True:
        network = perceptron(random)
        if network.name in ("perceptron, relu", "perceptron, leaky_relu"):
            problem = built(network, random)
            if not silent(problem, network):
                break
    inward, bias, outward = network.unit.parts
    unit = network.unit.parts[inward][0]
    truth = problem.truth
    sizes = [truth[inward][unit], truth[bias][unit], truth[outward][:, unit]]
    speed = math.sqrt(sum(float(part.square().sum()) for part in sizes))

    def orbit(t: Tensor) -> dict[str, Tensor]:
        rows = torch.zeros(len(truth[inward]), dtype=torch.float64)
        rows[unit] = 1.0 / speed
        turn, undo = torch.exp(t * rows), torch.exp(-t * rows)
        return {inward: turn[:, None] * truth[inward], bias: turn * truth[bias], outward: truth[outward] * undo}

    if straight:
        _, tangent = torch.func.jvp(orbit, (torch.zeros(()).double(),), (torch.ones(()).double(),))
        return Specimen(f"tangent of a gauge: {network.name}", problem, tangent, plain(2))
    return Specimen(f"gauge orbit, rescaling: {network.name}", problem, arc(problem, orbit), flat)


def orbit_of_a_unit(random: Random) -> Specimen:
    return rescaling(random, straight=False)


def tangent_of_a_gauge(random: Random) -> Specimen:
    return rescaling(random, straight=True)


PLANTS = (live, dead, nearly_dead, nearly_dead, dead_head, head_orbit, orbit_of_a_unit, tangent_of_a_gauge)


def specimen(seed: int) -> Specimen:
    """Number `seed` of the zoo."""
    random = Random(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PLANTS[seed % len(PLANTS)](random)


def outcome(found: Specimen) -> tuple[str, Reading]:
    """ "right", "refused" or "wrong", and the reading."""
    reading = order_along(found.problem, found.path)
    if reading.k is None and reading.status is not ReadingStatus.FLAT:
        return "refused", reading
    return ("right" if found.right(reading) else "wrong"), reading


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts: dict[str, Counter[str]] = {}
    for seed in range(options.seed, options.seed + options.count):
        found = specimen(seed)
        result, reading = outcome(found)
        counts.setdefault(found.name.partition(":")[0].partition(",")[0], Counter())[result] += 1
        if result != "right":
            print(f"{result}: {seed}, {found.name}: {reading}", flush=True)
    total = sum(counts.values(), Counter())
    for name, count in [*sorted(counts.items()), ("all", total)]:
        print(f"{name:24} {count['right']:5} right {count['refused']:4} refused {count['wrong']:3} wrong")


if __name__ == "__main__":
    main()
