"""Derived orders of a network against its depth: seconds, a fitted exponent, and the order that has to come out.

python benchmarks/network_orders.py --threads 1 --clock processor
"""

from __future__ import annotations

from collections.abc import Callable

from harness import interleaved, prepare, save, show, spread, torch_options
from layers import exponent
from models import Block
from sympy import Integer
from torch import nn

import ddtheory as dd

WIDTH, TOKENS = 8, 4
DEPTHS = (4, 8, 16, 32, 64)


def chain(depth: int) -> tuple[nn.Module, tuple[int, ...], int]:
    """f = W_L ⋯ W_1 x with every W of order t: f of order t^L, so K of order t^{2L}."""
    return nn.Sequential(*(nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(depth))), (WIDTH,), 2 * depth


def tanh(depth: int) -> tuple[nn.Module, tuple[int, ...], int]:
    """tanh(z) ~ z at zero, so the order is that of the chain."""
    pairs = [(nn.Linear(WIDTH, WIDTH, bias=False), nn.Tanh()) for _ in range(depth)]
    return nn.Sequential(*(layer for pair in pairs for layer in pair)), (WIDTH,), 2 * depth


def transformer(depth: int) -> tuple[nn.Module, tuple[int, ...], int]:
    """Skip connections pass the first order on: whatever writes to the stream with order t makes K of order t²."""
    return nn.Sequential(*(Block(WIDTH) for _ in range(depth))), (TOKENS, WIDTH), 2


def moving(kind: str, model: nn.Module) -> dict[str, int]:
    """Every weight of a chain; in a transformer what writes to the stream."""
    return {
        name: 1 for name, _ in model.named_parameters() if kind != "transformer" or "mix" in name or "narrow" in name
    }


KINDS: dict[str, Callable[[int], tuple[nn.Module, tuple[int, ...], int]]] = {
    "chain": chain,
    "tanh": tanh,
    "transformer": transformer,
}


def measure(kind: str, depths: tuple[int, ...], clock: str) -> dict:
    """Stops the script where the derived order is not the known one."""
    calls = {}
    for depth in depths:
        model, shape, expected = KINDS[kind](depth)
        model, scaling = model.double(), moving(kind, model)
        found = dd.network_orders(model, scaling, shape=shape).divergence
        if found.value != Integer(expected) or not found.exact:
            raise SystemExit(f"{kind} of depth {depth}: K has order {expected}, derived was {found}.")
        calls[str(depth)] = lambda m=model, s=scaling, shape=shape: dd.network_orders(m, s, shape=shape)
    times = interleaved(calls, clock=clock, seconds=3.0, least=2, most=7)
    costs = {name: spread(values) for name, values in times.items()}
    medians = [cost["median"] for cost in costs.values()]
    return {
        "kind": kind,
        "seconds": costs,
        "fitted": exponent(depths, medians),
        "last_two": exponent(depths[-2:], medians[-2:]),
        "limit": 1,
    }


def main() -> None:
    parser = torch_options(__doc__ or "", "network_orders")
    chosen = parser.parse_args()
    prepare(chosen)
    rows = [measure(kind, DEPTHS[:2] if chosen.quick else DEPTHS, chosen.clock) for kind in KINDS]
    save(chosen, rows, width=WIDTH)
    lines = [
        [
            row["kind"],
            "  ".join(f"{depth}: {cost['median']:.3f}" for depth, cost in row["seconds"].items()),
            f"{row['fitted']:.2f}",
            f"{row['last_two']:.2f}",
        ]
        for row in rows
    ]
    show("Seconds at each depth", ("network", "seconds", "fitted exponent", "of the last two"), lines)


if __name__ == "__main__":
    main()
