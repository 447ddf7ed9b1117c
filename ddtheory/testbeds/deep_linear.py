"""A deep linear network of true rank below its widths: the singular values that the map does not need die by decay."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from ddtheory import cells
from ddtheory.arguments import as_integer, list_of
from ddtheory.errors import InvalidValueError
from ddtheory.testbeds.bed import Bed, Transition, call_of, descend, generator, linear, mean_square, size_of
from ddtheory.testbeds.limit import Limit, joint_order

_DEAD, _ALIVE = 1e-3, 0.5  # singular values of a layer; those of the true map are 1


def deep_linear(
    seed: int = 0, *, widths: Sequence[int] = (6, 4, 4, 5), rank: int = 2, samples: int = 256, steps: int = 2000
) -> Bed:
    """y = Cx of rank r without noise, C with singular values 1, fitted by W_L ⋯ W_1 with weight decay.

    Full-batch gradient descent with momentum 0.9, rate 0.02 and decay 0.02, from normal weights of variance 1/(2H), H
    the width before. A singular value that C does not need feels the decay alone near its death: it falls like
    e^{−ηδt} with ηδ = 0.02 · 0.02/(1 − 0.9). Decay balances the layers, W_{l+1}ᵀW_{l+1} = W_l W_lᵀ, so that each ends
    with rank r.
    The layers are "0" … "L−1".

    Args:
        widths: H_0 … H_L, input first, at least three.
        rank: r, from 1 to the smallest width.

    Raises:
        InvalidValueError: sizes or ranks that do not fit.

    >>> bed = deep_linear()
    >>> bed.truth.live, bed.truth.dead, bed.truth.order, bed.truth.rlct
    (4, 4, 3, RLCT(lam=Fraction(11, 1), m=2))
    """
    rank = size_of(rank, "rank", least=1)
    sizes = [size_of(width, "widths", least=rank) for width in list_of(widths, "widths")]
    if len(sizes) < 3:
        raise InvalidValueError(f"A deep linear network has two layers or more, so three widths, got {len(sizes)}.")
    samples, steps = size_of(samples, "samples", least=sizes[0]), size_of(steps, "steps", least=1)
    draw = generator(seed)
    left, right = (_normal(draw, size, rank) for size in (sizes[-1], sizes[0]))
    true = torch.linalg.qr(left).Q @ torch.linalg.qr(right).Q.mT
    x, fresh = (_normal(draw, samples, sizes[0]) for _ in range(2))
    y, fresh_y = x @ true.mT, fresh @ true.mT
    start = [_normal(draw, after, before) / (2 * before) ** 0.5 for before, after in itertools.pairwise(sizes)]

    def module() -> nn.Module:
        return nn.Sequential(*map(linear, start))

    def run() -> Iterator[tuple[int, nn.Module]]:
        network = module()
        optimiser = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9, weight_decay=0.02)
        return descend(network, optimiser, lambda net: mean_square(net(x), y) / 2, steps)

    def measured(network: nn.Module) -> Mapping[str, float]:
        with torch.no_grad():
            values = [torch.linalg.svdvals(weight) for weight in network.parameters()]
            return {
                "loss": float(mean_square(network(x), y)) / 2,
                "held-out loss": float(mean_square(network(fresh), fresh_y)) / 2,
                "smallest of the first r singular values": min(float(one[rank - 1]) for one in values),
                "largest of the others": max((float(one[rank]) for one in values if len(one) > rank), default=0.0),
            }

    def reached(values: Mapping[str, float]) -> bool:
        return values["smallest of the first r singular values"] > _ALIVE and values["largest of the others"] < _DEAD

    def limit() -> Limit:
        cell = cells.deep_linear(widths=tuple(sizes), rank=rank)
        return Limit(
            "As the decay goes to 0, balanced layers of rank r each, whose product is the true map.",
            f"The cell {cell.name}, {cell.truth.status.value}: factors of rank r with a product of rank r are one "
            "orbit of changes of basis, which leave the pair.",
            live=rank * (len(sizes) - 2),
            dead=sum(sizes[1:-1]) - rank * (len(sizes) - 2),
            order=joint_order(cell),
            rlct=cell.rlct,
        )

    given = {"seed": as_integer(seed), "widths": sizes, "rank": rank, "samples": samples, "steps": steps}
    optimiser = {"optimiser": "SGD, momentum 0.9", "rate": 0.02, "decay": 0.02}
    return Bed(
        call_of("deep_linear", given),
        {**given, **optimiser},
        Transition(f"of every layer {rank} singular values are above {_ALIVE}, the others below {_DEAD}", reached),
        limit,
        module,
        x,
        y,
        (fresh, fresh_y),
        steps,
        20,
        run,
        measured,
    )


def _normal(draw: torch.Generator, rows: int, columns: int) -> Tensor:
    return torch.randn(rows, columns, generator=draw, dtype=torch.float64)
