"""An optimiser to be tested; put yours here.

This one is Adam with the "abelian projection": what a step does along the rescaling of a channel, in at c and out at
1/c, is taken off. It keeps |W_in|² − |W_out|² of each channel to the first order in the rate, and it does not make the
step equivariant: the projection is orthogonal in coordinates, and a rescaling does not keep right angles. A shift of
the logits, which Adam does not see, is seen now: it changes the norms of what reads a channel.
"""

import torch

from ddtheory.gauges import Group, find_gauges


class AbelianAdam(torch.optim.Adam):
    def __init__(self, model, inputs, lr=1e-3, **settings):
        self.named = dict(model.named_parameters())
        self.gauges = [gauge for gauge in find_gauges(model, inputs).gauges if gauge.group is Group.POSITIVE]
        super().__init__(self.named.values(), lr, **settings)

    @torch.no_grad()
    def step(self, closure=None):
        before = {name: value.clone() for name, value in self.named.items()}
        loss = super().step(closure)
        for gauge in self.gauges:
            legs = [(leg, channels(before, gauge, leg), channels(self.named, gauge, leg)) for leg in gauge.legs]
            signs = [-1 if leg.dual else 1 for leg in gauge.legs]
            along = sum(sign * ((new - old) * old).sum(1) for sign, (_, old, new) in zip(signs, legs, strict=True))
            length = sum(old.square().sum(1) for _, old, _ in legs)
            for sign, (leg, old, new) in zip(signs, legs, strict=True):
                put(self.named, gauge, leg, new - (sign * along / length)[:, None] * old)
        return loss


def channels(values, gauge, leg):
    """The channels of a gauge as rows."""
    rows = values[leg.parameter].movedim(leg.axis, 0)[leg.start : leg.start + gauge.channels]
    return rows.reshape(gauge.channels, -1)


def put(values, gauge, leg, rows):
    place = values[leg.parameter].movedim(leg.axis, 0)[leg.start : leg.start + gauge.channels]
    place.copy_(rows.reshape(place.shape))


def my_optimizer(model, inputs):
    """A new optimiser of the parameters of this model."""
    return AbelianAdam(model, inputs, lr=0.01)
