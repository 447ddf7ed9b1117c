"""From what was measured to a verdict: the rules stand here and nowhere else.

u is dead of order k at sample size n when

1. n·K(θ0 ‖ θ*) ≤ 0.01,
2. the order at the repaired point θ* along u is k ≥ 2,
3. the two-sided reading F*(t) = √(F(t)F(−t)) at θ0 has slope 2(k − 1) ± 0.15 over at least three octaves.

Near the singular point f ∝ (t + s)^k, so F* ∝ |t² − s²|^{k−1}, and the slope bends by (s/t)² only: it is read from
t = 5s or so on. Where K vanishes identically along u at θ*, there is no slope, and 3 is n·K(θ0 + tu) ≤ 0.01 up to
|t| = 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ddtheory.reads.evidence import ALL, FAR, Evidence, is_flat

CHEAP = 0.01
"""n·K in nats at which a removal is not seen in n samples."""

DEAR = 10.0
"""n·K at which it is."""


class Standing(StrEnum):
    """What a candidate is. The value is what a report says."""

    LIVE = "live"
    GAUGE = "gauge"
    DEAD = "dead"
    PRE_ASYMPTOTIC = "pre-asymptotic"
    BETWEEN = "between scales"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Judged:
    """A verdict, the order that goes with it, and the reason."""

    verdict: Standing
    order: int | None
    flat: bool
    why: str


def judged(found: Evidence, n: int) -> Judged:
    """The verdict on a candidate at sample size n."""
    price = n * found.cost
    if price >= DEAR:
        return Judged(Standing.LIVE, None, False, f"removing it costs n·K = {price:.3g}")
    if found.failed:
        return Judged(Standing.UNDECIDED, None, False, found.failed)
    explained = 1.0 - found.share <= ALL
    if explained and is_flat(found.orbit):
        return Judged(
            Standing.GAUGE,
            None,
            True,
            f"K = 0 along the orbit of {', '.join(found.rules)}, which is all of the direction",
        )
    if price > CHEAP:
        why = f"removing it costs n·K = {price:.3g}, between {CHEAP:g} and {DEAR:g}"
        return Judged(Standing.BETWEEN, None, False, why)
    if found.far:
        why = (
            f"n·K = {price:.3g} to remove, and s = {found.distance:.3g}: three octaves beyond s would end above "
            f"t = {FAR[0]:g}, where radii end; of a million parameters the order is not read then"
        )
        return Judged(Standing.PRE_ASYMPTOTIC, None, False, why)
    if found.repaired is None:
        return Judged(Standing.UNDECIDED, None, False, "its order was not read")
    order = found.repaired.k
    flat = is_flat(found.repaired)
    if explained:
        return Judged(Standing.UNDECIDED, order, flat, f"the direction is all gauge, and the orbit reads {found.orbit}")
    if flat:
        return _flat(found, n, price)
    if order is None:
        return Judged(Standing.UNDECIDED, None, False, f"at the repaired point: {found.repaired}")
    if order == 1:
        return Judged(Standing.LIVE, 1, False, "it is small, and regular: the order is 1 at the repaired point")
    near = f"n·K = {price:.3g} to remove, order {order} at the repaired point, s = {found.distance:.3g}"
    if found.law is None:
        return Judged(
            Standing.PRE_ASYMPTOTIC, order, False, f"{near}; from the checkpoint no law is seen over three octaves"
        )
    low, high = found.law.window
    seen = f"both sides of the checkpoint follow order {found.law.k} from t = {low:.3g} to {high:.3g}"
    if found.law.k != order:
        return Judged(Standing.PRE_ASYMPTOTIC, order, False, f"{near}; {seen}")
    return Judged(Standing.DEAD, order, False, f"{near}; {seen}")


def _flat(found: Evidence, n: int, price: float) -> Judged:
    reach = n * (found.reach or 0.0)
    near = f"n·K = {price:.3g} to remove, K = 0 along it at the repaired point, s = {found.distance:.3g}"
    if reach <= CHEAP:
        return Judged(Standing.DEAD, None, True, f"{near}; n·K stays below {max(reach, 1e-300):.2g} up to |t| = 1/2")
    return Judged(
        Standing.PRE_ASYMPTOTIC, None, True, f"{near}; from the checkpoint n·K reaches {reach:.3g} at |t| = 1/2"
    )
