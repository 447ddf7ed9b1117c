"""The beds of `cond:over_training`: a network trained beside others is trained as it would be alone."""

from __future__ import annotations

import pytest
import torch
from side_by_side import BOTH, Make
from torch import nn

from ddtheory.workbench.measurements.over_training import HIDDEN, OverTraining

KINDS = ("clouds", "teacher")


@pytest.mark.parametrize(("make", "alone"), BOTH)
def test_networks_side_by_side_do_not_feel_each_other(make: Make, alone: bool) -> None:
    together = OverTraining(KINDS, [5, 6]).train(make, 20, every=20)
    single = [OverTraining([kind], [seed]).train(make, 20, every=20) for kind in KINDS for seed in (5, 6)]
    for name in ("training", "held_out"):
        one_by_one = torch.cat([getattr(each, name) for each in single], 1)
        assert torch.allclose(getattr(together, name), one_by_one, rtol=1e-9) == alone


def test_the_networks_are_those_of_torch() -> None:
    bed = OverTraining(("clouds",), [3, 4])
    model = bed.networks()
    plain = nn.Sequential(nn.Linear(8, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2)).double()
    with torch.no_grad():
        for name, value in (("0.weight", model.first[HIDDEN:]), ("0.bias", model.bias[HIDDEN:])):
            plain.get_parameter(name).copy_(value)
        plain[2].weight.copy_(model.last[:, HIDDEN:])
        plain[2].bias.zero_()
        assert torch.allclose(model(bed.inputs)[1], plain(bed.inputs[1]), rtol=1e-12)
        assert not torch.allclose(model(bed.inputs)[0], plain(bed.inputs[0]), rtol=1e-2)


def test_a_spread_moves_the_weights_and_not_the_functions() -> None:
    bed = OverTraining(KINDS, [7])
    here, there = bed.networks(), bed.networks(8.0)
    assert torch.allclose(here(bed.fresh), there(bed.fresh), rtol=1e-11)
    ratios = there.first[:, 0] / here.first[:, 0]
    assert 1 / 8 < ratios.min() < 1 / 4 < 4 < ratios.max() < 8


def test_the_beds_are_what_they_say() -> None:
    bed = OverTraining(KINDS, range(20))
    assert bed.inputs.shape == (40, 96, 8) and bed.fresh.shape == (40, 500, 8)
    clouds, labels = bed.fresh[:20].reshape(-1, 8), bed.fresh_labels[:20].reshape(-1)
    means = torch.stack([clouds[labels == label].mean(0) for label in (0, 1)])
    expected = torch.zeros(2, 8, dtype=torch.float64)
    expected[0, 0], expected[1, 0] = -1, 1
    assert (means - expected).abs().max() < 5 / 5000**0.5
    wrong = ((clouds[:, 0] > 0).long() != labels).double().mean()
    assert abs(float(wrong) - 0.1587) < 5 * (0.1587 * 0.8413 / 10000) ** 0.5  # Φ(−1)
    assert 0.3 < bed.fresh_labels[20:].double().mean() < 0.7
