"""The orders that the claims register states, derived from torch modules. Each has a control in which it changes."""

from __future__ import annotations

import pytest
import sympy
import torch
import torch.nn.functional as F
from sympy import Min, Symbol
from torch import Tensor, nn

from ddtheory.exact.orders.valuation import Valuation
from ddtheory.networks import network_orders


def chain(depth: int, width: int = 4, activation: type[nn.Module] = nn.Identity, bias: bool = False) -> nn.Sequential:
    """The canonical chain: identity matrices, of which the last unit dies."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(width, width, bias=bias), activation()]
    network = nn.Sequential(*layers)
    with torch.no_grad():
        for layer in network[::2]:
            layer.weight.copy_(torch.eye(width))
            if bias:
                layer.bias.fill_(1.0)
    return network


def dead_entries(depth: int, powers: list[object], width: int = 4) -> dict[str, object]:
    return {f"{2 * i}.weight": {(width - 1, width - 1): power} for i, power in zip(range(depth), powers, strict=True)}


@pytest.mark.parametrize("activation", [nn.Identity, nn.Tanh, nn.ReLU, nn.SiLU])
def test_ladder(activation: type[nn.Module]) -> None:
    """thm:bridge, thm:multilayer-A, cor:kfac_lift: G_l has 2(L − l), A_l 2(l − 1), their block 2(L − 1), and K 2L."""
    depth = 4
    orders = network_orders(chain(depth, activation=activation), dead_entries(depth, [1] * depth))
    for level in range(1, depth + 1):
        layer = orders.layers[str(2 * level - 2)]
        assert layer.g[3] == Valuation(2 * (depth - level))
        assert layer.a[3] == Valuation(2 * (level - 1))
        assert layer.block[3, 3] == Valuation(2 * (depth - 1))
        assert layer.g[0] == layer.a[0] == Valuation(0)
    assert orders.divergence == Valuation(2 * depth)


def test_ladder_of_squares() -> None:
    """Without a linear term, σ(u) = u², G has 2(2^{L+1} − 2) at the bottom: 4, 12, 28 for depth 1, 2, 3."""

    class Square(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.square()

    class Behind(nn.Module):
        """A layer in front whose G is read."""

        def __init__(self, depth: int) -> None:
            super().__init__()
            self.front, self.chain = nn.Linear(4, 4, bias=False), chain(depth, activation=Square)
            with torch.no_grad():
                self.front.weight.copy_(torch.eye(4))

        def forward(self, x: Tensor) -> Tensor:
            return self.chain(self.front(x))

    for depth, amplitude in ((1, 2), (2, 6), (3, 14)):
        # t^{2^{L+1}−2} is the order of the output, chain weights t: v → 2(v + 1)
        scaling = {f"chain.{2 * i}.weight": {(3, 3): 1} for i in range(depth)}
        orders = network_orders(Behind(depth), scaling)
        assert orders.divergence == Valuation(2 * amplitude)
        assert orders.layers["front"].g[3] == Valuation(2 * amplitude)


def test_label_noise_is_load_bearing() -> None:
    """TR1: without noise G_l has 4L − 2l, since the residual itself is t^L."""
    orders = network_orders(chain(4), dead_entries(4, [1] * 4), labels="true")
    assert [str(orders.layers[str(2 * i)].g[3]) for i in range(4)] == ["14", "12", "10", "8"]


def test_layer_varying_powers_in_symbols() -> None:
    """cor:bridge_g3: 2 Σ_{l' > l} p_{l'}; powers below l change the A side only."""
    a, b, c = sympy.symbols("a b c", positive=True)
    orders = network_orders(chain(3), dead_entries(3, [a, b, c]))
    assert [orders.layers[str(2 * i)].g[3].value for i in range(3)] == [2 * b + 2 * c, 2 * c, 0]
    assert [orders.layers[str(2 * i)].a[3].value for i in range(3)] == [0, 2 * a, 2 * a + 2 * b]
    assert orders.divergence == Valuation(2 * a + 2 * b + 2 * c)


@pytest.mark.parametrize(("power", "expected"), [(1, 2), (2, 4), (5, 8)])
def test_bias_caps_the_forward_side_only(power: int, expected: int) -> None:
    """thm:bridge_bias: E[z²] has rate 2 min(m, min_j (q + m − 1 − j)), which is 2 min(m, q) from the last layer."""
    depth = 4
    network = chain(depth, bias=True)
    scaling = dead_entries(depth, [1] * depth)
    scaling |= {f"{2 * i}.bias": {3: power} for i in range(depth)}
    orders = network_orders(network, scaling)
    assert 2 * orders.activations["6"][3] == Valuation(expected)
    assert [str(orders.layers[str(2 * i)].g[3]) for i in range(depth)] == ["6", "4", "2", "0"]


class SwiGLU(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate, self.up, self.down = (nn.Linear(1, 1, bias=False) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_swiglu(blocks: int) -> None:
    """prop:swiglu_rate: amplitude 3(2^n − 1), moment 6 for one block."""
    network = nn.Sequential(*[SwiGLU() for _ in range(blocks)])
    every = dict.fromkeys((name for name, _ in network.named_parameters()), 1)
    amplitude = 3 * (2**blocks - 1)
    assert network_orders(network, every, shape=(1,)).activations[str(blocks - 1)][0] == Valuation(amplitude)


def test_swiglu_with_a_live_gate() -> None:
    p = Symbol("p", positive=True)
    orders = network_orders(SwiGLU(), {"up.weight": p, "down.weight": p}, shape=(1,))
    assert orders.divergence == Valuation(4 * p)
    assert (
        network_orders(SwiGLU(), dict.fromkeys(["gate.weight", "up.weight", "down.weight"], p)).divergence.value
        == 6 * p
    )


class Attention(nn.Module):
    """Width 4, three live coordinates, and one whose entries of Q, K, V and O are t."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        for name in "qkvo":
            weight = torch.zeros(4, 4)
            weight[:3, :3] = torch.randn(3, 3, generator=generator) * 0.8 / 3**0.5
            weight[3, 3] = 1.0
            setattr(self, name, nn.Parameter(weight))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (F.linear(x, weight) for weight in (self.q, self.k, self.v))
        return F.linear((q @ k.mT / 2).softmax(-1) @ v, self.o)


def attention(blocks: int) -> nn.Sequential:
    generator = torch.Generator().manual_seed(0)
    return nn.Sequential(*[Attention(generator) for _ in range(blocks)])


def dead_attention(blocks: int, query: object = 1) -> dict[str, object]:
    return {f"{i}.{w}": {(3, 3): query if w == "q" else 1} for i in range(blocks) for w in "qkvo"}


@pytest.mark.parametrize("below", [0, 1])
@pytest.mark.parametrize("above", [0, 1, 2, 3, 4])
def test_attention_chain(below: int, above: int) -> None:
    """prop:attn_chain_softmax: G at the O-output of block p + 1, with k blocks above, has min(4k, 4p + 8)."""
    blocks = below + 1 + above
    orders = network_orders(attention(blocks), dead_attention(blocks), shape=(4, 4))
    probe = orders.layers[f"{below}.o"].g[3]
    assert probe == Valuation(min(4 * above, 4 * below + 8))
    assert orders.layers[f"{below}.v"].g[3] == probe + Valuation(2)  # prop:attn_VO_invariant


@pytest.mark.parametrize("above", [1, 2, 3, 4])
def test_attention_without_a_query_route(above: int) -> None:
    """Control: with the dead entry of Q at zero the additive law 4k has no ceiling."""
    network = attention(above + 1)
    with torch.no_grad():
        for block in network:
            block.q[3, 3] = 0
    orders = network_orders(network, dead_attention(above + 1), shape=(4, 4))
    assert orders.layers["0.o"].g[3] == Valuation(4 * above)


def test_attention_without_noise() -> None:
    """Control: 12 for p = 0, since the live residual is O(t²)."""
    orders = network_orders(attention(4), dead_attention(4), shape=(4, 4), labels="true")
    assert orders.layers["0.o"].g[3] == Valuation(12)


def test_attention_with_a_symbolic_query() -> None:
    """The score route: K t, Q t^s, and a dead input of t²: amplitude s + 3, against t² for each of three blocks."""
    s = Symbol("s", positive=True)
    orders = network_orders(attention(4), dead_attention(4, query=s), shape=(4, 4))
    assert orders.layers["0.o"].g[3] == Valuation(Min(12, 2 * s + 6))


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width, bias=False)
        with torch.no_grad():
            self.linear.weight.copy_(torch.eye(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.linear(x)


def test_residuals_have_the_rate_of_the_shortest_path() -> None:
    """thm:bridge_res, cor:res_all, cor:res_block: skipped layers count nothing; K still moves at first order."""
    eye = chain(1)[0]
    network = nn.Sequential(Residual(4), eye, Residual(4), Residual(4))
    scaling = {f"{i}.linear.weight": {(3, 3): 1} for i in (0, 2, 3)} | {"1.weight": {(3, 3): 1}}
    orders = network_orders(network, scaling)
    assert [str(orders.signals[str(i)][3]) for i in range(4)] == ["1", "0", "0", "0"]
    assert orders.divergence == Valuation(2)


def test_tied_routes_cancel() -> None:
    """cor:sigma_min_res_g5: slopes c and −c cancel in t² and a term of higher order remains, so 2 is a bound."""

    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            return torch.tanh(self.one(x)) + self.two(x)

    network = Tied()
    with torch.no_grad():
        network.one.weight.fill_(1.0)
        network.two.weight.fill_(-1.0)
    assert str(network_orders(network, {"one.weight": 1, "two.weight": 1}).divergence) == "≥ 2"
    with torch.no_grad():
        network.two.weight.fill_(1.0)
    assert str(network_orders(network, {"one.weight": 1, "two.weight": 1}).divergence) == "2"


def normalised(norm: nn.Module, after: int) -> nn.Sequential:
    layers = [layer for layer in chain(5, width=5) if isinstance(layer, nn.Linear)]
    return nn.Sequential(*layers[:after], norm, *layers[after:])


@pytest.mark.parametrize(
    ("norm", "after", "expected"),
    [
        (nn.Identity(), 3, "8 6 4 2 0"),
        (nn.LayerNorm(5, eps=0.0), 3, "4 2 0 2 0"),
        (nn.LayerNorm(5), 3, "4 2 0 2 0"),
        (nn.RMSNorm(5, eps=0.0), 3, "8 6 4 2 0"),
        (nn.RMSNorm(5, eps=0.0), 2, "6 4 4 2 0"),
        (nn.RMSNorm(5, eps=0.0), 1, "2 6 4 2 0"),
    ],
)
def test_norms_in_a_chain(norm: nn.Module, after: int, expected: str) -> None:
    """thm:bridge_ln: the plateau 2 k_post below a layer norm; RMS norms give 2 k_post + 2 min(k_pre, q)."""
    network = normalised(norm, after)
    weights = [name for name, parameter in network.named_parameters() if parameter.dim() == 2]
    orders = network_orders(network, {name: {(4, 4): 1} for name in weights})
    assert " ".join(str(orders.layers[name.removesuffix(".weight")].g[4]) for name in weights) == expected


def test_layer_norm_changes_the_order_of_the_divergence() -> None:
    """D8: node death of order 2 is regular behind a layer norm that sees the dead unit's output only as z_h = t …"""

    class Death(nn.Module):
        def __init__(self, norm: nn.Module) -> None:
            super().__init__()
            self.into, self.norm, self.out = nn.Linear(4, 4, bias=False), norm, nn.Linear(4, 1, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.norm(self.into(x)))

    scaling = {"into.weight": {3: 1}, "out.weight": {(0, 3): 1}}
    assert network_orders(Death(nn.Identity()), scaling).divergence == Valuation(4)
    assert network_orders(Death(nn.LayerNorm(4)), scaling).divergence == Valuation(2)


def test_cross_entropy_is_blind_to_a_shift_of_all_logits() -> None:
    shift = nn.Linear(3, 4)
    with torch.no_grad():
        shift.bias.fill_(1.0)
    assert str(network_orders(shift, {"bias": 1}, loss="cross-entropy").divergence) == "≥ 2"
    assert str(network_orders(shift, {"bias": 1}).divergence) == "2"
    assert str(network_orders(shift, {"bias": [1, 1, 2, 1]}, loss="cross-entropy").divergence) == "2"


def test_softmax_of_vanishing_scores_is_uniform() -> None:
    class Mixing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            return F.scaled_dot_product_attention(self.q(x), self.k(x), x)

    a, b = sympy.symbols("a b", positive=True)
    orders = network_orders(Mixing(), {"q.weight": a, "k.weight": b}, shape=(4, 3))
    assert orders.divergence == Valuation(2 * a + 2 * b)
    assert {str(order) for order in orders.layers["q"].g.flat} == {"2*b"}
