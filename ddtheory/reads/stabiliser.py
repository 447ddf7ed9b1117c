r"""The orbit of one head of rotations, or of the full linear group, beside what adds to its legs: its singular values.

Let g act on x by gx and on y by g⁻ᵀy, for x and y with h rows. X ↦ (Xx, −Xᵀy) has the singular values √(σᵢ² + τⱼ²),
i, j = 1 … h, with σ and τ those of x and y, zeros counted: its Gram operator is X ↦ X xxᵀ + yyᵀ X. So the orbit has the
dimension h² − (h − rank x)(h − rank y). Antisymmetric X alone, on x, have √(σᵢ² + σⱼ²), i < j.

What adds v ⊗ u to x, for all v in ℝ^h and u in a space U, makes the tangents ℝ^h ⊗ U, of dimension h dim U; modulo
these the group acts on x with U projected out of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from ddtheory.gauges.gauge import Group, Leg
from ddtheory.measure.matrices.factor import RANK_TOLERANCE
from ddtheory.reads.flow import TRANSLATING, rows_of, shape_of, tangent
from ddtheory.reads.rank import CLEAR
from ddtheory.reads.touching import Component, Share, own_ids

Rows = Callable[[Mapping[str, Tensor], int], Tensor]


def singular_values(
    component: Component, names: frozenset[str], parameters: Mapping[str, Tensor], epsilon: float
) -> list[Tensor] | None:
    """Those of the tangents of a component on these parameters, in parts that are each scaled to largest 1.

    None where it is anything but one head and what adds to all of its rows.
    """
    heads = [share for share in component if share.pieces.flow.gauge.group is Group.ROTATION]
    others = [share for share in component if share not in heads]
    if len(heads) != 1 or len(heads[0].which) != 1:
        return None
    if any(each.pieces.flow.gauge.group not in TRANSLATING or each.pieces.shared & names for each in others):
        return None
    flow, block = heads[0].pieces.flow, int(heads[0].which[0])
    size = flow.gauge.channels // flow.gauge.blocks
    legs = [leg for leg in flow.gauge.legs if leg.parameter in names]
    if len({(leg.parameter, leg.axis) for leg in legs}) > len({leg.parameter for leg in legs}):
        return None  # A ↦ gAg⁻¹ is another action

    def rows(of: Mapping[str, Tensor], number: int) -> Tensor:
        return rows_of(legs[number], flow.gauge.channels, of)[block * size : (block + 1) * size]

    added: list[_Added] = []
    for share in others:
        found = _added(share, legs, names, parameters, rows)
        if found is None:
            return None
        added += found
    numbers = range(len(legs))
    sides = [set(numbers)] if flow.turns else [{n for n in numbers if legs[n].dual is dual} for dual in (False, True)]
    if not all(any(each.keys() <= side for side in sides) for each in added):
        return None
    parts, ends, largest = [], [], 0.0
    for side in sides:
        x = torch.cat([rows(parameters, n).double() for n in side] or [torch.zeros(size, 1).double()], 1)
        largest = max(largest, float(torch.linalg.matrix_norm(x, 2)))
        spaces = [each for each in added if each.keys() <= side]
        if spaces:
            zeros = {n: torch.zeros(rows(parameters, n).shape[1]).double() for n in side}
            span = torch.stack([torch.cat([each.get(n, zeros[n]) for n in side]) for each in spaces])
            _, lengths, basis = torch.linalg.svd(span / span.norm(dim=1, keepdim=True), full_matrices=False)
            kept = basis[lengths > CLEAR * RANK_TOLERANCE * epsilon * lengths[0]]
            for _ in range(2):  # the second pass removes what rounding left
                x = x - (x @ kept.mT) @ kept
            parts.append((lengths / lengths[0]).repeat_interleave(size))
        values = torch.linalg.svdvals(x)
        ends.append(torch.cat([values, values.new_zeros(size - len(values))]) / (largest or 1.0))
    pairs = torch.hypot(ends[0][:, None], ends[-1][None])
    parts.append(pairs[tuple(torch.triu_indices(size, size, 1))] if flow.turns else pairs.flatten())
    return parts


_Added = dict[int, Tensor]
"""A vector u by leg: what adds v ⊗ u for any v."""


def _added(
    share: Share, legs: Sequence[Leg], names: frozenset[str], parameters: Mapping[str, Tensor], rows: Rows
) -> list[_Added] | None:
    """What pieces add to the legs, as many as there are rows at a time; None where they add anything else."""
    generator = torch.zeros(shape_of(share.pieces.flow, parameters)).to(parameters[legs[0].parameter])
    generator[share.which] = 1
    step = tangent(share.pieces.flow, generator, parameters)
    ids = {name: own for name in names if (own := own_ids(share, name)) is not None}
    shaped = {name: own.reshape(parameters[name].shape) for name, own in ids.items()}
    found: dict[tuple[int, ...], _Added] = {}
    inside = 0
    for number, leg in enumerate(legs):
        touched = rows(shaped, number) >= 0 if leg.parameter in shaped else torch.zeros(1, 1, dtype=torch.bool)
        if not bool(touched.any()):
            continue
        own, by = rows(shaped, number), rows(step, number)
        owner = own.amax(1)
        alike = bool((owner >= 0).all()) and bool(((own == owner[:, None]) | ~touched).all())
        if not (alike and bool((by == by[:1]).all())):
            return None
        inside += int(touched.sum())
        found.setdefault(tuple(owner.tolist()), {})[number] = by[0].double()
    owners = [piece for each in found for piece in each]
    everywhere = sum(int((own >= 0).sum()) for own in ids.values())
    if inside != everywhere or len(set(owners)) != len(owners) or len(owners) != len(share.which):
        return None
    return list(found.values())
