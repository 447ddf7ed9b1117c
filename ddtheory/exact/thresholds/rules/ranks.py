"""The rank bracket: κ is at least the rank of the differentials, and at most the codimension of smooth zeros."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.ranks import Independent, independent_generators
from ddtheory.exact.thresholds.nodes import Bound, Data, Node, Solve
from ddtheory.exact.thresholds.rules.attempt import Attempt
from ddtheory.exact.thresholds.zero_families import ZeroFamily

_FEW = 8  # so many regular coordinates are eliminated one by one, which shows how


def submersion(germ: IdealGerm, _solve: Solve) -> Node | None:
    """All generators are independent at the point: they are coordinates, κ is their number. For many of them."""
    if germ.field is None and len(germ.generators) <= _FEW:
        return None
    node = _bracket(germ)
    return node if node is not None and node.is_exact else None


def rank_bracket(attempt: Attempt) -> Iterator[Node]:
    """Bounds, which meet where all generators are independent."""
    node = _bracket(attempt.germ)
    if node is not None:
        yield node


def along_zeros(germ: IdealGerm, zeros: ZeroFamily) -> Node | None:
    """The same with zeros that somebody knows; exact where there are as many of them as the rank lets be."""
    return _bracket(germ, zeros)


def _bracket(germ: IdealGerm, zeros: ZeroFamily | None = None) -> Node | None:
    """r ≤ κ ≤ Σ (h_i + 1) − s, with m = 1 where κ = r."""
    found = independent_generators(germ)
    if found is None and zeros is None:
        return None
    slots = found.slots if found else ()
    rank = len(slots)
    if rank == len(germ.generators):
        upper = Fraction(rank)
    else:
        upper = sum((h + 1 for h in germ.prior), Fraction(0)) - (zeros.dimension if zeros else 0)
    return Node(
        "rank",
        germ,
        Bound(Fraction(rank), 1 if rank else None),
        Bound(upper, 1),
        _sentence(germ, rank, zeros),
        (),
        lambda: _written(found, zeros if rank < len(germ.generators) else None),
    )


def _written(found: Independent | None, zeros: ZeroFamily | None) -> Data:
    return {
        **(found or Independent((), None, ())).to_json(),
        "zeros": None if zeros is None else zeros.to_json(),
    }


def _sentence(germ: IdealGerm, rank: int, zeros: ZeroFamily | None) -> str:
    independent = f"{rank} of {len(germ.generators)} generators have independent differentials, so κ ≥ {rank}"
    if rank == len(germ.generators):
        return f"All {rank} generators have independent differentials: they are coordinates."
    if zeros is None:
        return f"{independent}; a point has κ = {germ.dimension} without prior weights, and there are no fewer zeros."
    return f"{independent}; there are smooth zeros of dimension {zeros.dimension}, so κ ≤ {germ.dimension} minus that."
