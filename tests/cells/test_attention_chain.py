"""The chain of attention blocks is torch's own attention, and its derivatives are those of finite differences."""

from __future__ import annotations

import pytest
import torch

from ddtheory.errors import InvalidValueError
from ddtheory.workbench.attention_chain import AttentionChain, attention_chain


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_a_block_is_that_of_torch(heads: int) -> None:
    chain = attention_chain(blocks=1, heads=heads, seed=heads)
    weights = chain.weights(0.4)[0]
    module = torch.nn.MultiheadAttention(6, heads, bias=False, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        module.in_proj_weight.copy_(weights[:3].flatten(0, 1))
        module.out_proj.weight.copy_(weights[3])
        expected, attention = module(chain.inputs, chain.inputs, chain.inputs, average_attn_weights=False)
    torch.testing.assert_close(chain.stream(0.4), expected, rtol=0, atol=1e-14)
    torch.testing.assert_close(chain.attention(chain.inputs, weights), attention, rtol=0, atol=1e-14)


def test_a_sensitivity_is_a_finite_difference() -> None:
    chain = attention_chain(blocks=3, seed=5)
    start, step = chain.stream(0.7, 1), 1e-6
    onward = chain.onward(0.7, 1)
    moved = torch.zeros_like(start)
    moved[:, 2, -1] = step
    difference = (onward(start + moved) - onward(start - moved)) / (2 * step)
    torch.testing.assert_close(chain.sensitivity(0.7, 1)[2], difference, rtol=0, atol=1e-9)


def test_the_mean_over_the_noise_is_exact() -> None:
    """Against 200 000 drawn labels: four standard errors."""
    chain = attention_chain(blocks=2, batch=1, seed=6)
    t, noise = 0.6, 0.25
    jacobian = chain.sensitivity(t, 1)[:, 0]
    error = (chain.stream(t) - chain.stream(0.0))[0]
    generator = torch.Generator().manual_seed(7)
    drawn = noise**0.5 * torch.randn(200_000, *error.shape, generator=generator, dtype=torch.float64)
    gradients = torch.einsum("snd,ind->si", error - drawn, jacobian).square().mean(1)
    found = chain.gradient_moment(t, 1, noise)
    assert abs(float(gradients.mean()) - found) < 4 * float(gradients.std()) / 200_000**0.5
    assert abs(chain.gradient_moment(t, 1, noise, error=False) - found) > 1e-4 * found


@pytest.mark.parametrize(("below", "above"), [(0, 1), (1, 1), (1, 2), (1, 3), (2, 4)])
def test_the_routes_are_the_leading_coefficients(below: int, above: int) -> None:
    chain = attention_chain(blocks=below + above, seed=3)
    power = min(2 * above, 2 * below + 2)
    leading = torch.zeros_like(chain.sensitivity(0.0, below))
    if 2 * above == power:
        leading += chain.value_route(below)
    if 2 * below + 2 == power:
        leading += chain.score_route(below)
    gap = [float((chain.sensitivity(t, below) / t**power - leading).abs().max()) for t in (2**-6, 2**-7)]
    assert gap[1] < 0.3 * gap[0] < 1e-3 < float(leading.abs().max())


def test_a_residual_stream_and_a_single_chain_differ() -> None:
    plain, stream = attention_chain(blocks=2), attention_chain(blocks=2, residual=True)
    torch.testing.assert_close(stream.stream(0.3, 1), plain.inputs + plain.stream(0.3, 1))


@pytest.mark.parametrize(("shape", "heads"), [((1, 4, 5, 5), 4), ((1, 3, 5, 5), 2), ((1, 4, 6, 6), 2)])
def test_shapes_that_do_not_fit(shape: tuple[int, ...], heads: int) -> None:
    with pytest.raises(InvalidValueError, match="channels"):
        AttentionChain(torch.zeros(shape), torch.zeros(2, 4, 6), heads)
