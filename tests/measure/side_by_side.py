"""Optimisers for beds that train many networks in one: two that look at channels or entries, and one that does not."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from ddtheory.gauges import Gauge, Group, Leg
from ddtheory.optim import DDCAdam

Make = Callable[[nn.Module], torch.optim.Optimizer]


def ours(model: nn.Module) -> torch.optim.Optimizer:
    """DDCAdam on the rescaling of channels that "first", perhaps "bias", and "last" share."""
    made = [Leg(name) for name in ("first", "bias") if name in dict(model.named_parameters())]
    gauge = Gauge("rescaling", Group.POSITIVE, len(model.get_parameter("first")), (*made, Leg("last", 1, dual=True)))
    return DDCAdam(model, 0.02, weight_decay=0.1, gauges=[gauge])


def adam(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), 0.02, weight_decay=0.1)


def whole_norm(model: nn.Module) -> torch.optim.Optimizer:
    """Clips by the norm over all networks, so each feels the others."""
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    optimizer.register_step_pre_hook(lambda *_: nn.utils.clip_grad_norm_(model.parameters(), 0.1) and None)
    return optimizer


BOTH = [(ours, True), (adam, True), (whole_norm, False)]
"""Each, and whether it trains every network as it would be trained alone."""
