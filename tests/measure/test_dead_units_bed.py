"""The bed of `cond:dead_units`: a network trained beside others is trained as it would be alone, from any start."""

from __future__ import annotations

import pytest
import torch
from side_by_side import BOTH, Make, adam

from ddtheory.workbench.measurements.dead_units import DEAD, DeadUnits


@pytest.mark.parametrize(("make", "alone"), BOTH)
def test_networks_side_by_side_do_not_feel_each_other(make: Make, alone: bool) -> None:
    together = DeadUnits([5, 6]).train(make, 20)
    single = torch.cat([DeadUnits([seed]).train(make, 20).sizes for seed in (5, 6)])
    assert torch.allclose(together.sizes, single, rtol=1e-9) == alone


def test_one_of_them_alone_is_the_same_function_in_layers_of_torch() -> None:
    trained = DeadUnits([3, 4]).train(adam, 5)
    with torch.no_grad():
        outputs = trained.networks(trained.inputs)
        assert torch.allclose(trained.alone(1)(trained.inputs[1])[:, 0], outputs[1], rtol=1e-12)
        assert not torch.allclose(trained.alone(0)(trained.inputs[1])[:, 0], outputs[1], rtol=1e-2)


def test_a_spread_moves_the_weights_and_neither_functions_nor_sizes_and_a_scale_moves_both() -> None:
    bed = DeadUnits([7, 8])
    here, there, small = (bed.train(adam, 0, **start) for start in ({}, {"spread": 8.0}, {"scale": 0.1}))
    x = bed.inputs
    assert torch.allclose(here.networks(x), there.networks(x), rtol=1e-11)
    assert torch.allclose(here.sizes, there.sizes, rtol=1e-12)
    ratios = there.networks.first[:, 0] / here.networks.first[:, 0]
    assert 1 / 8 < ratios.min() < 1 / 2 < 2 < ratios.max() < 8
    assert torch.allclose(small.sizes, here.sizes / 100, rtol=1e-12)


def test_a_unit_is_dead_below_the_limit() -> None:
    bed = DeadUnits([7])
    size = bed.train(adam, 0).sizes
    scale = (DEAD / size.median()).sqrt()
    found = bed.train(adam, 0, scale=float(scale) * (1 + 1e-9))
    assert found.dead.sum() == (size < size.median()).sum()


def test_the_teacher_is_one_unit_of_length_one() -> None:
    """E relu(z)² = 1/2 for a unit normal z."""
    bed = DeadUnits(range(200))
    assert abs(float(bed.labels.square().mean()) - 0.5) < 5 * (1.25 / bed.labels.numel()) ** 0.5
