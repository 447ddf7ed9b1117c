"""What the property tests share: how a cell is measured, and when a reading is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from hypothesis import settings

from ddtheory.cells import Cell
from ddtheory.measure import Profile, fisher_along, order
from ddtheory.values import Kind, KLOrder, OrderReading, ReadingStatus

CONCLUSIVE = (ReadingStatus.ORDER, ReadingStatus.FLAT)

VISIBLE = 4.1e4
"""A value this many floors up has a relative error below one per cent, which is where `measure` begins to read."""

FEWER = settings(max_examples=max(10, settings().max_examples // 2))
"""For properties that measure and derive more than once an example; still grows with the profile."""

OVERLOOKED = 1e-3
"""A lower power that holds this share of K at the smallest readable radius must not be overlooked.

No finite set of radii excludes a lower power whose coefficient is so small that it matters only below the smallest
of them. The largest share that was overlooked in 800 crossings made for the purpose was 0.00014.
"""


def read(cell: Cell, along: Mapping[str, Any] | str) -> tuple[Profile, OrderReading]:
    profile = fisher_along(cell.problem(), cell.torch_direction(along))
    return profile, order(profile)


def agrees(exact: KLOrder, reading: OrderReading) -> bool:
    """Same order and kind, when the reading decides anything; a refusal contradicts nothing."""
    return reading.status not in CONCLUSIVE or (reading.k == exact.k and reading.kind is exact.kind)


def share_below(cell: Cell, along: Mapping[str, int], k: int, profile: Profile) -> float:
    """Share of K that powers below t^{2k} hold at the smallest readable radius, from the symbolic K."""
    t = sympy.Symbol("t", positive=True)
    norm = sympy.sqrt(sum(value**2 for value in along.values()))
    ray = {symbol: t * along.get(symbol.name, 0) / norm for symbol in cell.coordinates}
    whole = sympy.Poly(sympy.expand(cell.divergence.subs(ray)), t)
    radius = min(
        t
        for t, f, d in zip(profile.radii, profile.fisher, profile.divergence, strict=True)
        if f > VISIBLE * profile.fisher_floor and d > VISIBLE * profile.divergence_floor
    )
    lower = sum(float(c) * radius**power for (power,), c in whole.terms() if power < 2 * k)
    return abs(lower / sum(float(c) * radius**power for (power,), c in whole.terms()))


def kind_of(order: int | None) -> Kind:
    return Kind.FLAT if order is None else Kind.REGULAR if order == 1 else Kind.DEAD
