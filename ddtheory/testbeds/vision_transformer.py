"""A vision transformer of two blocks on handwritten digits: weight decay kills the units of its hidden layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddtheory import cells
from ddtheory.arguments import as_integer
from ddtheory.errors import InvalidValueError, shown
from ddtheory.measure import Categorical
from ddtheory.testbeds.attention import Attention, drawn_linear
from ddtheory.testbeds.bed import Bed, Transition, call_of, cross_entropy, descend, finite_decay, generator, size_of
from ddtheory.testbeds.digits import digits
from ddtheory.testbeds.limit import Limit, joint_order
from ddtheory.testbeds.teacher_student import SquaredReLU

_WIDTH, _HEADS, _BLOCKS, _FIRST, _SEEN = 16, 2, 2, 400, 256
_DEAD = 1e-3  # |w| |v| of a unit; of living ones it is of order one
ACTIVATIONS = {"squared relu": SquaredReLU, "gelu": nn.GELU}


class Block(nn.Module):
    """Attention, then a hidden layer, each on a normalised stream and added to it."""

    def __init__(self, hidden: int, activation: nn.Module, draw: torch.Generator) -> None:
        super().__init__()
        self.before, self.between = (nn.LayerNorm(_WIDTH, dtype=torch.float64) for _ in range(2))
        self.attention = Attention(_WIDTH, _HEADS, draw)
        self.up, self.activation = drawn_linear(_WIDTH, hidden, draw), activation
        self.down = drawn_linear(hidden, _WIDTH, draw)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.before(x))
        found: Tensor = x + self.down(self.activation(self.up(self.between(x))))
        return found


class Vision(nn.Module):
    """Four patches with learnt positions, two blocks, the mean over patches, ten classes."""

    def __init__(self, hidden: int, activation: str, draw: torch.Generator) -> None:
        super().__init__()
        self.patch = drawn_linear(16, _WIDTH, draw)
        self.positions = nn.Parameter(0.02 * torch.randn(4, _WIDTH, generator=draw, dtype=torch.float64))
        self.blocks = nn.Sequential(*(Block(hidden, ACTIVATIONS[activation](), draw) for _ in range(_BLOCKS)))
        self.norm, self.head = nn.LayerNorm(_WIDTH, dtype=torch.float64), drawn_linear(_WIDTH, 10, draw)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.norm(self.blocks(self.patch(x) + self.positions)).mean(1))
        return found


def vision_transformer(
    seed: int = 0, *, activation: str = "squared relu", hidden: int = 6, steps: int = 2400, decay: float = 8e-3
) -> Bed:
    """Digits of eight by eight pixels by a transformer of width 16, two blocks, two heads, `hidden` units a block.

    Full-batch AdamW of rate 3e-3 without decay for 400 steps, then gradient descent of rate 0.05 and momentum 0.9 with
    weight decay on the hidden layers alone. The rest of the network fits the 256 images by itself, so no hidden unit
    has a gradient that holds it, and all of them die. The layers are "blocks.0.up", "blocks.0.down" and so on, "head".

    Args:
        activation: "squared relu", whose dead units are of order 3, or "gelu", of order 2.
        hidden: units of each of the two hidden layers.
        decay: of the hidden layers, per unit of rate; 0 or more. Without it nothing dies.

    Raises:
        InvalidValueError: sizes below 1, another activation, or a decay that is none.
    """
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise InvalidValueError(f"The activation is {shown(activation)}; it is one of {', '.join(ACTIVATIONS)}.")
    decay = finite_decay(decay)
    hidden, steps, draw = size_of(hidden, "hidden", least=1), size_of(steps, "steps", least=1), generator(seed)
    images, classes = digits()
    x, y, fresh, fresh_y = images[:_SEEN], classes[:_SEEN], images[_SEEN:], classes[_SEEN:]
    state = draw.get_state()

    def module() -> nn.Module:
        source = torch.Generator()
        source.set_state(state)  # every module starts at the same weights
        return Vision(hidden, activation, source)

    def run() -> Iterator[tuple[int, nn.Module]]:
        network = module()

        def loss(net: nn.Module) -> Tensor:
            return cross_entropy(net(x), y)

        first = min(_FIRST, steps)
        adam = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.0)
        yield from ((step, net) for step, net in descend(network, adam, loss, first) if step < first)
        inner = [value for name, value in network.named_parameters() if _is_hidden(name)]
        others = [value for name, value in network.named_parameters() if not _is_hidden(name)]
        groups: list[dict[str, Any]] = [{"params": inner, "weight_decay": decay}, {"params": others}]
        late = torch.optim.SGD(groups, lr=0.05, momentum=0.9)
        yield from ((first + step, net) for step, net in descend(network, late, loss, steps - first))

    def measured(network: nn.Module) -> Mapping[str, float]:
        with torch.no_grad():
            outputs = network(fresh)
            found = {
                "loss": float(cross_entropy(network(x), y)),
                "held-out loss": float(cross_entropy(outputs, fresh_y)),
                "held-out accuracy": float((outputs.argmax(1) == fresh_y).double().mean()),
            }
            sizes = torch.cat([_sizes(network, block) for block in range(_BLOCKS)])
            return {**found, "dead units": float((sizes < _DEAD).sum()), "largest unit": float(sizes.max())}

    def limit() -> Limit:
        return Limit(
            "Both hidden layers at zero; attention and the head fit the digits by themselves.",
            "No pair has been derived: softmax and layer normalisation are in the way. The order is that of one unit "
            "at zero, weights in and out.",
            live=0,
            dead=_BLOCKS * hidden,
            order=joint_order(cells.node_death(activation=activation)),
        )

    given = {"seed": as_integer(seed), "activation": activation, "hidden": hidden, "steps": steps, "decay": decay}
    return Bed(
        call_of("vision_transformer", given),
        {**given, "optimiser": "AdamW, then SGD, momentum 0.9", "rate": 0.05},
        Transition(
            f"|w||v| of all {_BLOCKS * hidden} hidden units is below {_DEAD}",
            lambda values: values["dead units"] == _BLOCKS * hidden,
        ),
        limit,
        module,
        x,
        F.one_hot(y, 10).double(),
        (fresh, F.one_hot(fresh_y, 10).double()),
        steps,
        50,
        run,
        measured,
        Categorical(),
    )


def _is_hidden(name: str) -> bool:
    return ".up." in name or ".down." in name


def _sizes(network: nn.Module, block: int) -> Tensor:
    """The length of the weights into each unit, bias included, times that of the weights out of it."""
    up, bias, down = (
        network.get_parameter(f"blocks.{block}.{name}") for name in ("up.weight", "up.bias", "down.weight")
    )
    return (up.square().sum(1) + bias.square()).sqrt() * down.norm(dim=0)
