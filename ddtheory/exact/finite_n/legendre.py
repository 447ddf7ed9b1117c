"""The Gauss–Legendre rule in balls, and the values of a polynomial at a product grid of its nodes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from operator import mul

from flint import arb, arb_mat, fmpq_mpoly

from ddtheory.exact.numbers.enclosing import working


@lru_cache(maxsize=256)
def legendre(count: int, precision: int) -> list[tuple[arb, arb]]:
    """Nodes and weights of the Gauss–Legendre rule on [−1, 1]."""
    with working(precision):
        return [arb.legendre_p_root(count, index, weight=True) for index in range(count)]


@lru_cache(maxsize=512)
def weights_of(orders: tuple[int, ...], precision: int) -> list[arb]:
    """The weights of the product rule, the last variable running fastest."""
    with working(precision):
        axes = [[weight for _, weight in legendre(order, precision)] for order in orders]
        return [math.prod(chosen[1:], start=chosen[0]) for chosen in itertools.product(*axes)]


def raised(values: Sequence[arb], power: int) -> list[arb]:
    """Powers by products: `arb ** int` knows nothing of a ball that holds both signs."""
    found: list[arb] | None = None
    square = list(values)
    while power:
        if power % 2:
            found = square if found is None else list(map(mul, found, square))
        power //= 2
        if power:
            square = list(map(mul, square, square))
    return [arb(1)] * len(values) if found is None else list(found)


def grid(polynomial: fmpq_mpoly, orders: Sequence[int], precision: int) -> list[arb]:
    """Values at the product grid, the last variable running fastest."""
    degrees = [int(degree) for degree in polynomial.degrees()]
    terms = dict(zip(polynomial.monoms(), polynomial.coeffs(), strict=True))
    zero = arb(0)
    shape = [degree + 1 for degree in degrees]
    current = [zero] * math.prod(shape)
    for powers, value in terms.items():
        position = 0
        for size, power in zip(shape, powers, strict=True):
            position = position * size + int(power)
        current[position] = arb(value)
    # one axis at a time: the first index is summed and its nodes become the last
    for size, order in zip(shape, orders, strict=True):
        rest = len(current) // size
        if size == 1:
            current = [value for value in current for _ in range(order)]
            continue
        matrix = arb_mat(size, rest, current).transpose() * _powers(order, size, precision)
        current = matrix.entries()
    return current


@lru_cache(maxsize=1024)
def _powers(order: int, size: int, precision: int) -> arb_mat:
    """The powers of the nodes below `size`, a column a node."""
    nodes = [node for node, _ in legendre(order, precision)]
    return arb_mat(size, order, [value for power in range(size) for value in raised(nodes, power)])
