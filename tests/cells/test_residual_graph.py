"""The residual graph is the network that it says it is, and its gradient factor is a mean over drawn labels."""

from __future__ import annotations

import pytest
import torch

from ddtheory.errors import InvalidValueError
from ddtheory.workbench.residual_graph import residual_graph


def test_the_nodes_by_hand() -> None:
    graph = residual_graph(depth=3, skips=[(0, 2), (1, 3)], slopes=(0.5, 1.5, 2.0))
    t, x = 0.3, graph.inputs

    def layer(number: int, slope: float, value: torch.Tensor) -> torch.Tensor:
        weight = torch.block_diag(graph.live[number], torch.tensor([[slope * t]], dtype=torch.float64))
        return torch.tanh(torch.nn.functional.linear(value, weight))

    first = layer(0, 0.5, x)
    second = layer(1, 1.5, first) + x
    third = layer(2, 2.0, second) + first
    for found, expected in zip(graph.nodes(t), (x, first, second, third), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-15)


def test_a_sensitivity_is_reverse_mode() -> None:
    graph = residual_graph(depth=4, skips=[(1, 3)], batch=5)
    node = graph.nodes(0.4)[1][:1]
    single = residual_graph(depth=4, skips=[(1, 3)], batch=5)
    expected = torch.autograd.functional.jacobian(
        lambda z: single.output_from(0.4, 1)(torch.cat([z, graph.nodes(0.4)[1][1:]]))[0], node
    )
    torch.testing.assert_close(graph.sensitivity(0.4, 1)[:, 0].mT, expected[:, 0], rtol=0, atol=1e-14)


def test_the_gradient_factor_is_the_mean_over_labels() -> None:
    """Against 100 000 drawn labels for one input: five standard errors of each entry."""
    graph = residual_graph(depth=2, skips=[], batch=1)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    t = 0.7
    factor = graph.gradient_factor(t, 0, noise)
    error = (graph.nodes(t)[-1] - graph.nodes(0.0)[-1])[0]
    drawn = torch.randn(100_000, 4, generator=generator, dtype=torch.float64) @ noise.mT
    gradients = (error - drawn) @ graph.sensitivity(t, 0)[:, 0].mT
    products = gradients[:, :, None] * gradients[:, None, :]
    gap = (products.mean(0) - factor.mT @ factor).abs()
    assert bool((gap < 5 * products.std(0) / 100_000**0.5).all())
    assert bool((factor.mT @ factor).abs().max() > 0.1)


@pytest.mark.parametrize("skip", [(0, 1), (2, 2), (3, 1), (-1, 2), (0, 4)])
def test_skips_that_jump_over_nothing(skip: tuple[int, int]) -> None:
    with pytest.raises(InvalidValueError, match="does not jump over a layer"):
        residual_graph(depth=3, skips=[skip])


def test_slopes_that_do_not_fit() -> None:
    with pytest.raises(InvalidValueError, match="3 layers but 2 slopes"):
        residual_graph(depth=3, skips=[], slopes=(1.0, 2.0))
