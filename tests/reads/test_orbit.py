"""The dimension of an orbit: parts that hang together against the matrix of all tangent vectors, and counts by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import planted
import pytest
import torch
from torch import Tensor, nn

from ddtheory.gauges import Gauge, Group, Leg, find_gauges
from ddtheory.reads import orbit
from ddtheory.reads.flow import flows, generators, tangent
from ddtheory.reads.orbit import fitting, orbit_rank


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def all_tangents(gauges: Sequence[Gauge], theta: Mapping[str, Tensor]) -> Tensor:
    """The matrix of all tangent vectors, as they are."""
    rows = [torch.zeros(1, sum(value.numel() for value in theta.values())).double()]
    for flow in flows(gauges):
        for generator in generators(flow, theta):
            step = tangent(flow, generator, theta)
            rows.append(torch.cat([step.get(n, torch.zeros_like(v)).reshape(-1) for n, v in theta.items()])[None])
    return torch.cat(rows)


def rank_of(matrix: Tensor) -> int:
    lengths = matrix.norm(dim=1, keepdim=True)
    values = torch.linalg.svdvals(matrix / lengths.clamp_min(1e-300))
    return int((values > 1e-9 * values[0]).sum())


def encoder(width: int, heads: int, hidden: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.TransformerEncoderLayer(width, heads, hidden, 0.0, "gelu", batch_first=True, norm_first=True).double()


class Tables(nn.Module):
    """Tokens and positions, two layers with norms behind their sums or before their maps, and logits."""

    def __init__(self, norm_first: bool) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(5, 4), nn.Parameter(torch.zeros(3, 4))
        self.norms = nn.ModuleList([nn.LayerNorm(4), nn.LayerNorm(4)])
        layer = nn.TransformerEncoderLayer(4, 2, 3, 0.0, "gelu", batch_first=True, norm_first=norm_first)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.last, self.norm_first = nn.Linear(4, 3), norm_first

    def forward(self, x: Tensor) -> Tensor:
        stream = self.tokens(x) + self.positions
        stream = self.layers(stream if self.norm_first else self.norms[0](stream))
        found: Tensor = self.last((self.norms[1](stream) if self.norm_first else stream).tanh())
        return found


class Root(nn.Module):
    """An RMSNorm as decoders write it out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.to(torch.float64)
        return self.gain * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)).to(x.dtype)


def turned(x: Tensor) -> Tensor:
    angles = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] * torch.tensor([1.0, 0.1, 1.0, 0.1], dtype=x.dtype)
    return x * angles.cos() + torch.cat([-x[..., 2:], x[..., :2]], -1) * angles.sin()


class Decoder(nn.Module):
    """One block of two heads with rotary positions and a gated unit of 12 channels, between norms that are written out.

    With `scaled` the heads' queries and keys have norms, as they do in newer decoders, and branches have gains.
    """

    def __init__(self, scaled: bool = False) -> None:
        super().__init__()
        self.tokens, self.scaled = nn.Embedding(5, 8), scaled
        self.norms = nn.ModuleList([Root(8), Root(8), Root(8)])
        self.query, self.key, self.value, self.out = (nn.Linear(8, 8, bias=False) for _ in range(4))
        self.gate, self.up, self.down = nn.Linear(8, 12, bias=False), nn.Linear(8, 12, bias=False), nn.Linear(12, 8)
        self.last = nn.Linear(8, 5, bias=False)
        if scaled:
            self.heads, self.branch = nn.ModuleList([Root(4), Root(4)]), nn.Parameter(torch.ones(8))

    def forward(self, x: Tensor) -> Tensor:
        stream = self.tokens(x)
        here = self.norms[0](stream)
        query, key, value = (
            each(here).unflatten(-1, (2, 4)).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        if self.scaled:
            query, key = self.heads[0](query), self.heads[1](key)
        mixed = nn.functional.scaled_dot_product_attention(turned(query), turned(key), value, is_causal=True)
        stream = stream + self.out(mixed.transpose(1, 2).flatten(-2))
        here = self.norms[1](stream)
        unit = self.down(nn.functional.silu(self.gate(here)) * self.up(here))
        found: Tensor = self.last(self.norms[2](stream + (self.branch * unit if self.scaled else unit)))
        return found


WORDS = torch.randint(0, 5, (16, 3), generator=torch.Generator().manual_seed(2))

NETWORKS = {
    "norms behind sums": (planted.Draw(9).fill(Tables(False)), WORDS),
    "norms before maps": (planted.Draw(9).fill(Tables(True)), WORDS),
    "encoder": (encoder(8, 2, 6), drawn(4, 5, 8)),
    "decoder": (planted.Draw(3).fill(Decoder()), WORDS),
    "decoder with more norms": (planted.Draw(3).fill(Decoder(True)), WORDS),
    "linear maps": (
        planted.Draw(1).fill(nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 4), nn.Linear(4, 3))),
        drawn(20, 4),
    ),
    "rotary, shared heads": (planted.shared_heads(1.0, rotary=True).model, planted.shared_heads(1.0).inputs),
    "rotary, interleaved": (planted.shared_heads(1.0, interleaved=True).model, planted.shared_heads(1.0).inputs),
    "shared values": (planted.shared_heads(1.0, values=True).model, planted.shared_heads(1.0, values=True).inputs),
    "convolutions, in groups": (planted.grouped(1.0).model, planted.grouped(1.0).inputs),
}


def points(model: nn.Module) -> list[dict[str, Tensor]]:
    """The network, the same with the first channel of everything at zero, and with matrices of rank 1."""
    here = {name: value.detach().double() for name, value in model.named_parameters()}
    first = {name: value.clone() for name, value in here.items()}
    for value in first.values():
        value[0] = 0
    one = {
        name: value if value.ndim == 1 else (value.flatten(1)[:, :1] @ value.flatten(1)[:1]).reshape(value.shape)
        for name, value in here.items()
    }
    return [here, first, one]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("taken_apart", [False, True])
def test_parts_that_hang_together_have_the_rank_of_the_whole_matrix(
    name: str, taken_apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, inputs = NETWORKS[name]
    gauges = find_gauges(model, inputs, softmax=True).gauges
    if taken_apart:
        monkeypatch.setattr(orbit, "LARGEST_ORBIT", 1)
        assert fitting(gauges, points(model)[0]) == gauges
    for number, theta in enumerate(points(model)):
        found, whole = orbit_rank(gauges, theta), all_tangents(gauges, theta)
        assert found.most == len(whole) - 1
        expected = rank_of(whole)
        # taken apart it is a lower bound; the linear maps attain it at no point, since b' − Wv is counted in b' alone
        if taken_apart and (number or name == "linear maps"):
            assert 0.8 * expected < found.certain <= expected
        else:
            assert found.certain == expected and found.clear


@pytest.mark.parametrize("name", ["norms behind sums", "norms before maps"])
def test_by_hand_what_norms_take_out_of_a_stream(name: str) -> None:
    """A number for each row of the two tables, 5 + 3; for each input and the bias of the two maps that add to the
    stream in each of two layers, 2 (4 + 1) + 2 (3 + 1). No other gauge goes along these."""
    model, inputs = NETWORKS[name]
    gauges = find_gauges(model, inputs, softmax=True).gauges
    theta = points(model)[0]
    others = [gauge for gauge in gauges if gauge.rule != "normalisation shift"]
    assert orbit_rank(gauges, theta).certain - orbit_rank(others, theta).certain == 5 + 3 + 2 * (4 + 1) + 2 * (3 + 1)


@pytest.mark.parametrize(("name", "more"), [("decoder", 8), ("decoder with more norms", 8)])
def test_by_hand_a_decoder(name: str, more: int) -> None:
    """Three gains of 8; 12 channels of the unit; GL(4) in the values of two heads; 8 inputs of the logits' shift. More:
    one complex number for each of 4 pairs of channels that rotary positions turn, or, where norms stand before these,
    8 gains of the branch."""
    model, inputs = NETWORKS[name]
    found = orbit_rank(find_gauges(model, inputs, softmax=True).gauges, points(model)[0])
    assert found.certain == 3 * 8 + 12 + 2 * 4**2 + 8 + more


@pytest.mark.parametrize("turns", [False, True])
@pytest.mark.parametrize(("a", "b"), [(4, 4), (2, 1), (0, 3), (0, 0)])
def test_the_singular_values_of_a_head_have_a_closed_form(turns: bool, a: int, b: int) -> None:
    """√(σᵢ² + τⱼ²), against the matrix that has a row for each generator."""
    theta = {"q": drawn(4, a, seed=1) @ drawn(a, 7, seed=2), "k": drawn(5, b, seed=3) @ drawn(b, 4, seed=4)}
    scales = Gauge("scales", Group.POSITIVE, 4, (Leg("q"), Leg("k", 1, dual=True)))
    gauges = [replace(scales, group=Group.ROTATION), *([] if turns else [scales])]
    found = orbit_rank(gauges, theta)
    values = torch.linalg.svdvals(all_tangents(gauges, theta))
    both = torch.cat([theta["q"], theta["k"].mT], 1)
    largest = float(torch.linalg.matrix_norm(both, 2)) if turns else max(map(float, map(_norm, theta.values())))
    rank = min(4, a + b) if turns else 0
    assert found.certain == (6 - (4 - rank) * (3 - rank) // 2 if turns else 16 - (4 - a) * (4 - b))
    assert found.singular_values == pytest.approx((values[: found.certain] / largest).tolist(), rel=1e-9)


def _norm(matrix: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(matrix, 2)


def test_by_hand_a_matrix_on_both_sides() -> None:
    """A ↦ gAg⁻¹: what commutes with A has as many dimensions as A has eigenvalues, where these are distinct."""
    scales = Gauge("scales", Group.POSITIVE, 4, (Leg("a"), Leg("a", 1, dual=True)))
    gauges = [scales, replace(scales, group=Group.ROTATION)]
    assert orbit_rank(gauges, {"a": drawn(4, 4)}).certain == 16 - 4
    assert orbit_rank(gauges, {"a": torch.eye(4).double()}).certain == 0
    assert orbit_rank([scales], {"a": drawn(4, 4)}).certain == 4 - 1
    assert orbit_rank([gauges[1]], {"a": drawn(4, 4)}).certain == 6  # no rotation commutes with A but ±1


def test_by_hand_an_encoder_too_large_for_one_matrix() -> None:
    """Two heads of GL(40), twice; 80 biases of keys and 80 of values; of each norm 80 scales and its kernel for each
    map behind, 240 and 20; 80 offsets of each norm, which the biases behind take up."""
    model, inputs = encoder(80, 2, 20), drawn(1, 4, 80)
    gauges = find_gauges(model, inputs).gauges
    theta = {name: value.detach() for name, value in model.named_parameters()}
    found = orbit_rank(gauges, theta)
    assert found.certain == found.most == 2 * 2 * 40**2 + 80 + 80 + 2 * 80 + 240 + 20 + 2 * 80
    assert 4 * found.most**2 > orbit.LARGEST_ORBIT and fitting(gauges, theta) == gauges
    dead = {**theta, "self_attn.out_proj.weight": theta["self_attn.out_proj.weight"].clone()}
    dead["self_attn.out_proj.weight"][:, :40] = 0  # nobody hears the first head; its values move all the same
    assert orbit_rank(gauges, dead).certain == found.certain
    dead["self_attn.in_proj_weight"] = theta["self_attn.in_proj_weight"].clone()
    dead["self_attn.in_proj_weight"][160:170] = 0  # of them 10 are nothing but what the kernel adds
    assert orbit_rank(gauges, dead).certain == found.certain - 10 * 40
