"""What is planted in networks of `transformers`, and what must be read of it: units, heads, gauges by their places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ddtheory.measure import Path, Problem, arc

Place = tuple[str, tuple[slice | int, ...]]
Curve = Callable[[Tensor], dict[str, Tensor]]
ALL = slice(None)


@dataclass(frozen=True)
class Dead:
    """Entries that are zero together, what else has to be, and the order along all of them.

    Where `mirrored` the other side of the path is another function, as behind a ReLU, whose constant differs.
    """

    places: Sequence[Place]
    order: int = 2
    still: Sequence[Place] = ()
    mirrored: bool = False
    seed: int = 8

    def plant(self, module: nn.Module, size: float = 0.0) -> dict[str, Tensor]:
        """The entries become `size` along the returned direction, which is random and of length one."""
        own = dict(module.named_parameters())
        generator = torch.Generator().manual_seed(self.seed)
        direction: dict[str, Tensor] = {}
        for key, place in self.places:
            block = direction.setdefault(key, torch.zeros(own[key].shape, dtype=torch.float64))
            block[place] = torch.randn(block[place].shape, generator=generator, dtype=torch.float64)
        length = sum(float(block.square().sum()) for block in direction.values()) ** 0.5
        direction = {key: block / length for key, block in direction.items()}
        with torch.no_grad():
            for key, place in (*self.places, *self.still):
                own[key][place] = 0.0
            for key, place in self.places:
                own[key][place] = (size * direction[key][place]).to(own[key])
        return direction

    def half(self, direction: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The part of a direction in the first half of the places, which alone moves nothing."""
        found: dict[str, Tensor] = {}
        for key, place in self.places[: len(self.places) // 2]:
            block = found.setdefault(key, torch.zeros_like(direction[key]))
            block[place] = direction[key][place]
        return found


@dataclass(frozen=True)
class Scale:
    """e^t at some places and e^−t at others."""

    up: Sequence[Place]
    down: Sequence[Place]

    def curve(self, problem: Problem) -> Curve:
        def along(t: Tensor) -> dict[str, Tensor]:
            found: dict[str, Tensor] = {}
            for places, factor in ((self.up, torch.exp(t)), (self.down, torch.exp(-t))):
                for key, place in places:
                    where = torch.zeros(problem.truth[key].shape, dtype=torch.float64)
                    where[place] = 1.0
                    found[key] = found.get(key, problem.truth[key]) * (1 + where * (factor - 1))
            return found

        return along


@dataclass(frozen=True)
class Turn:
    """A rotation of what is made at some places, undone where it is read; `last`: features along the last axis."""

    made: Sequence[Place]
    read: Sequence[Place]
    last: bool = False

    def curve(self, problem: Problem) -> Curve:
        key, place = self.read[0]
        size = problem.truth[key][place].shape[0 if self.last else 1]

        def along(t: Tensor) -> dict[str, Tensor]:
            angles = [t / number for number in range(1, size // 2 + 1)]
            planes = [torch.stack([torch.cos(a), torch.sin(a), -torch.sin(a), torch.cos(a)]) for a in angles]
            rotation = torch.block_diag(*(plane.reshape(2, 2) for plane in planes))
            found: dict[str, Tensor] = {}
            for key, place in self.made:
                block = problem.truth[key][place]
                moved = block @ rotation if self.last or block.ndim == 1 else rotation.mT @ block
                found[key] = put(found.get(key, problem.truth[key]), place, moved)
            for key, place in self.read:
                block = problem.truth[key][place]
                moved = rotation.mT @ block if self.last else block @ rotation
                found[key] = put(found.get(key, problem.truth[key]), place, moved)
            return found

        return along


def put(whole: Tensor, place: tuple[slice | int, ...], block: Tensor) -> Tensor:
    """The tensor with other entries at that place, as a sum, since a tensor of the problem is not written into."""
    blank = torch.zeros_like(whole)
    blank[place] = 1.0
    sides = [0] * (2 * whole.ndim)
    for axis, (part, size) in enumerate(zip(place, whole.shape, strict=False)):
        start, stop, _ = part.indices(size) if isinstance(part, slice) else (part, part + 1, 1)
        sides[2 * (whole.ndim - 1 - axis)], sides[2 * (whole.ndim - 1 - axis) + 1] = start, size - stop
    return whole * (1 - blank) + torch.nn.functional.pad(block, sides)


def unit_speed(problem: Problem, curve: Curve) -> tuple[Path, dict[str, Tensor]]:
    """The orbit at unit speed, and its tangent at the start."""
    zero, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    _, velocity = torch.func.jvp(curve, (zero,), (one,))
    speed = float(sum(block.square().sum() for block in velocity.values())) ** 0.5
    return arc(problem, lambda t: curve(t / speed)), velocity


@dataclass(frozen=True)
class Plants:
    """A dead unit, a dead head (or what a network has in its place), and three gauges."""

    unit: Dead
    head: Dead
    gauges: Mapping[str, Scale | Turn] = field(default_factory=dict)


def both(layer: str, *place: slice | int) -> list[Place]:
    """The same rows of the weight and of the bias of a layer."""
    return [(f"{layer}.weight", place), (f"{layer}.bias", place)]


def bert(layer: str, unit: int, head: slice) -> Plants:
    """BERT: three linear maps and an output for attention, a norm behind the sum."""
    own, mixed = f"{layer}.attention.self", (f"{layer}.attention.output.dense.weight", (ALL, head))
    values = both(f"{own}.value", head)
    return Plants(
        Dead([*both(f"{layer}.intermediate.dense", unit), (f"{layer}.output.dense.weight", (ALL, unit))]),
        Dead([*values, mixed]),
        {
            "scale of queries and keys": Scale(both(f"{own}.query", head), both(f"{own}.key", head)),
            "scale of values": Scale(values, [mixed]),
            "rotation of values": Turn(values, [mixed]),
        },
    )


def llama(layer: str, biased: bool) -> Plants:
    """Two queries share a key and a value, of size two each; units have a gate, so that three factors die together."""
    rows = both if biased else lambda name, *place: [(f"{name}.weight", place)]
    own, gate, up = f"{layer}.self_attn", f"{layer}.mlp.gate_proj.weight", f"{layer}.mlp.up_proj.weight"
    keys, outward = slice(0, 2), f"{own}.o_proj.weight"
    values = rows(f"{own}.v_proj", keys)
    return Plants(
        Dead([(gate, (5,)), (up, (5,)), (f"{layer}.mlp.down_proj.weight", (ALL, 5))], order=3),
        Dead([*values, (outward, (ALL, slice(0, 4)))]),
        {
            "rotation of a shared value": Turn(values, [(outward, (ALL, keys)), (outward, (ALL, slice(2, 4)))]),
            "scale of a shared key": Scale(rows(f"{own}.k_proj", keys), rows(f"{own}.q_proj", slice(0, 4))),
            "scale of a norm": Scale(
                [(f"{layer}.post_attention_layernorm.weight", (3,))], [(gate, (ALL, 3)), (up, (ALL, 3))]
            ),
        },
    )


def t5(block: str) -> Plants:
    own, wide = f"{block}.layer.0.SelfAttention", f"{block}.layer.1.DenseReluDense"
    unit = [(f"{wide}.wi.weight", (2,)), (f"{wide}.wo.weight", (ALL, 2))]
    head = slice(0, 4)
    values = [(f"{own}.v.weight", (head,)), (f"{own}.o.weight", (ALL, head))]
    return Plants(
        Dead(unit, mirrored=True),
        Dead(values),
        {
            "scale of a ReLU": Scale(unit[:1], unit[1:]),
            "rotation of values": Turn(values[:1], values[1:]),
            "scale of a norm": Scale([(f"{block}.layer.1.layer_norm.weight", (3,))], [(f"{wide}.wi.weight", (ALL, 3))]),
        },
    )


def mamba(layer: str) -> Plants:
    """A channel is made of an input, its bias and a gate, 16 further on; in the place of a head one of two states."""
    own = f"{layer}.mixer"
    chosen, made = f"{own}.x_proj.weight", f"{own}.in_proj.weight"
    channel: list[Place] = [
        (made, (5,)),
        (f"{own}.conv1d.bias", (5,)),
        (made, (21,)),
        (f"{own}.out_proj.weight", (ALL, 5)),
    ]
    return Plants(
        # what the channel says of the steps and states of all others is no part of it
        Dead(channel, order=3, still=[(chosen, (ALL, 5))]),
        Dead([(chosen, (1,)), (chosen, (3,))]),
        {
            "scale of a state": Scale([(chosen, (1,))], [(chosen, (3,))]),
            "scale of the steps": Scale([(chosen, (0,))], [(f"{own}.dt_proj.weight", (ALL, 0))]),
            "scale of a norm": Scale([(f"{layer}.norm.weight", (3,))], [(made, (ALL, 3))]),
        },
    )


def vit(layer: str) -> Plants:
    own, head = f"{layer}.attention", slice(0, 4)
    values, mixed = both(f"{own}.v_proj", head), (f"{own}.o_proj.weight", (ALL, head))
    return Plants(
        Dead([*both(f"{layer}.mlp.fc1", 2), (f"{layer}.mlp.fc2.weight", (ALL, 2))]),
        Dead([*values, mixed]),
        {
            "scale of queries and keys": Scale(both(f"{own}.q_proj", head), both(f"{own}.k_proj", head)),
            "rotation of values": Turn(values, [mixed]),
            "scale of a norm": Scale(both(f"{layer}.layernorm_after", 3), [(f"{layer}.mlp.fc1.weight", (ALL, 3))]),
        },
    )


def gpt2(layer: str) -> Plants:
    """Weights stand the other way round, and one of them makes queries, keys and values."""
    own, narrow = f"{layer}.attn.c_attn", f"{layer}.mlp.c_fc"

    def columns(start: int) -> list[Place]:
        chosen = slice(start, start + 4)
        return [(f"{own}.weight", (ALL, chosen)), (f"{own}.bias", (chosen,))]

    mixed: Place = (f"{layer}.attn.c_proj.weight", (slice(0, 4),))
    return Plants(
        Dead([(f"{narrow}.weight", (ALL, 2)), (f"{narrow}.bias", (2,)), (f"{layer}.mlp.c_proj.weight", (2,))]),
        Dead([*columns(16), mixed]),
        {
            "scale of queries and keys": Scale(columns(0), columns(8)),
            "rotation of values": Turn(columns(16), [mixed], last=True),
            "scale of a norm": Scale(both(f"{layer}.ln_2", 3), [(f"{narrow}.weight", (3,))]),
        },
    )


PLANTS: Mapping[str, Plants] = {
    "GPT-2": gpt2("transformer.h.0"),
    "Llama": llama("model.layers.0", biased=False),
    "Qwen2": llama("model.layers.0", biased=True),
    "Mamba": mamba("backbone.layers.0"),
    "T5": t5("encoder.block.0"),
    "ViT": vit("vit.layers.0"),
    "BERT": bert("bert.encoder.layer.0", 2, slice(0, 4)),
}
