"""Sets of candidates that are repaired together: single costs do not add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ddtheory.errors import DDTheoryError
from ddtheory.measure.orders.ladder import order_along
from ddtheory.measure.setting.problem import Problem
from ddtheory.reads.evidence import Order, cost_of
from ddtheory.reads.proposal import Proposal
from ddtheory.reads.verdicts import CHEAP
from ddtheory.shown import Shown, counted


@dataclass(frozen=True, repr=False)
class JointSet(Shown):
    """Candidates that were repaired together.

    Attributes:
        what: which candidates.
        members: their numbers in the census, the cheapest first.
        price: n·K of repairing all of them, in nats.
        singly: the sum of n·K of each alone.
        left_out: those that would have brought n·K above 0.01, or are not needed for it.
        order: along their directions together, at the common repaired point; None for one alone or flat ones.
    """

    what: str
    members: tuple[int, ...]
    price: float
    singly: float
    left_out: tuple[int, ...] = ()
    order: Order | None = None

    def __str__(self) -> str:
        more = f", {len(self.left_out)} left out" if self.left_out else ""
        order = "" if self.order is None or self.order.k is None else f", order {self.order.k} together"
        return (
            f"{self.what}: {counted(len(self.members), 'candidate')} together cost n·K = {self.price:.3g}, "
            f"singly {self.singly:.3g}{order}{more}"
        )

    def rows(self) -> Mapping[str, str]:
        return {"set": self.what, "members": ", ".join(map(str, self.members)), "together": str(self)}


def together(
    what: str, problem: Problem, candidates: Sequence[tuple[int, Proposal, float, bool]], n: int
) -> JointSet | None:
    """The largest set that costs n·K ≤ 0.01, by taking the cheapest ones; candidates are (number, …, K, flat)."""
    ordered = sorted(candidates, key=lambda each: (each[2], each[0]))
    if not ordered:
        return None
    price = n * cost_of(problem, repaired(problem, [each[1] for each in ordered]))
    size = len(ordered)
    if price > CHEAP:
        low, high = 0, size  # low many cost no more, high many do
        while high - low > 1:
            middle = (low + high) // 2
            if n * cost_of(problem, repaired(problem, [each[1] for each in ordered[:middle]])) <= CHEAP:
                low = middle
            else:
                high = middle
        size = low
        price = n * cost_of(problem, repaired(problem, [each[1] for each in ordered[:size]]))
    kept, rest = ordered[:size], ordered[size:]
    return JointSet(
        what,
        tuple(number for number, *_ in kept),
        price,
        n * sum({(proposal.layer, proposal.place): cost for _, proposal, cost, _ in kept}.values()),
        tuple(sorted(number for number, *_ in rest)),
        _order(problem, [proposal for _, proposal, _, flat in kept if not flat]),
    )


def repaired(problem: Problem, proposals: Sequence[Proposal]) -> dict[str, Tensor]:
    """What moves when these are repaired one after another."""
    moved: dict[str, Tensor] = {}
    for proposal in proposals:
        moved.update(proposal.repair({**problem.truth, **moved}))
    return moved


def _order(problem: Problem, proposals: Sequence[Proposal]) -> Order | None:
    if len(proposals) < 2:
        return None
    direction: dict[str, Tensor] = {}
    for proposal in proposals:
        for name, block in problem.unit(proposal.direction()).items():
            direction[name] = direction.get(name, torch.zeros_like(block)) + block
    there = replace(problem, truth={**problem.truth, **repaired(problem, proposals)})
    try:
        return order_along(there, direction, label="the joint direction")
    except DDTheoryError:
        return None
