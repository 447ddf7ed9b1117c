"""One generator of any sign with a non-degenerate quadratic part in free variables.

Throughout, x are the live variables, free ones in which f is critical at the point with a non-degenerate Hessian, and y
are all others. By the splitting lemma with parameters f = q(u) + g(y), where u is x up to an analytic change of
coordinates over every y, and g(y) is f at the critical point in x over y. Neither the prior nor the boundaries of y
take part in the change, and they may be whatever they are: φ(y) dy is a finite measure near 0. Source of the lemma:
Arnold, Gusein-Zade and Varchenko 1985, Section 11.1; what follows from it is derived in the docstrings.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bound, Bounds
from ddtheory.certify.germs import Germ, Node
from ddtheory.certify.matrices import is_definite, rank
from ddtheory.certify.polynomials import (
    Polynomial,
    add,
    at_zero,
    derivative,
    gradient_at_zero,
    is_unit,
    multiply,
    substitute,
)
from ddtheory.certify.refusal import require
from ddtheory.certify.rules.rule import rule
from ddtheory.certify.scalars import sign

_HALF = Fraction(1, 2)


@rule("saddle")
def saddle(node: Node) -> Bounds:
    """q of rank ρ ≥ 2 and f of both signs: (1, 1), except (1, 2) for an indefinite q of rank 2 with g = 0.

    Let p(t) be the density of the values of q on a ball: p is bounded, unless ρ = 2 and q is indefinite, where
    p(t) ≤ C(1 + log 1/|t|). (On {q = t} ∩ {|x| ~ r} the gradient is ~ r and the area at most C r^{ρ−1}, so this shell
    adds at most C r^{ρ−2}, and r ≥ c|t|^{1/2}: a geometric series for ρ ≥ 3, and log 1/|t| equal shells for ρ = 2, of
    which a definite form has one.)

    Not less than 1, and m ≤ 1: ∫ |q + c|^{−z} dx = ∫ |t + c|^{−z} p(t) dt ≤ C/(1 − z) for z < 1 when p is bounded,
    whatever c = g(y) is. For ρ = 2, indefinite, it is at most C(1 + log 1/|c|)/(1 − z): where |t + c| < |c|/2, p is at
    most C(1 + log 2/|c|), and elsewhere |t + c| ≥ |t|/3, or |t| < |c|/2 ≤ |t + c|. And log 1/|g| is integrable for φ
    when g is not 0, because a small power of 1/|g| is.

    Not more: there are y, with all y_i ≠ 0 and inside the domain, and u ≠ 0 with q(u) = −g(y): {f = 0} is smooth there
    and the prior positive, a simple pole at 1. For an indefinite q any small y will do. For a definite q an arc is
    shown along which f has the other sign: g is the extreme value of f over x, so it has that sign too, and has it on
    an open set.

    That g is not 0 is shown by an arc (x(t), y(t)) along which ∂f/∂x = O(t^a) and f is of order k < 2a: x(t) is O(t^a)
    away from the critical point, and there f differs by O(t^{2a}). Where all terms of f have degree 2 or more in x, the
    critical point is x = 0 and g is 0, and u v has (1, 2).
    """
    data = node.have("live", optional=("arc",))
    require(not node.children, "the rule has no children")
    germ, f = node.germ, node.generator
    live = strict_json.indices(data["live"], "live", germ.dimension)
    require(len(live) >= 2, "the quadratic part is shown in fewer than two variables")
    slopes, turn = _live_part(germ, f, live)
    if turn is None and len(live) > 2:
        require("arc" not in data, "an indefinite part of rank 3 or more needs no arc")
        return Bounds.exactly(1, 1)
    if turn is None and all(sum(exponent[i] for i in live) >= 2 for exponent in f):
        require("arc" not in data, "f is a quadratic form over every y, so an arc shows nothing")
        return Bounds.exactly(1, 2)
    require("arc" in data, "an arc is missing")
    arc = _arc(node, data["arc"])
    order, first = _lowest(f, arc)
    if turn is not None:
        _stays_inside(germ, arc)
        require(first == -turn, "f has the sign of its definite part along the arc")
    else:
        for slope in slopes:
            along = substitute(slope, arc, 1)
            require(not along or order < 2 * min(e for (e,) in along), "the arc is too far from the critical points")
    return Bounds.exactly(1, 1)


@rule("suspension")
def suspension(node: Node) -> Bounds:
    """f = ±u² + g(y): κ(f) = 1/2 + κ(g) when that is at most 1, and when f has one sign; else κ(f) = 1.

    For 1/2 < z < 1, ∫ |u² + c|^{−z} du over |u| < δ compares with |c|^{1/2−z} for c > 0 and with |c|^{1/2−z}/(1 − z)
    for c < 0, with factors that depend on δ and, for z ≥ z_0 > 1/2, on z_0 alone (u = |c|^{1/2}s). So with the parts
    g_+ and g_− of g where it has the sign of the square and the other one, ∫ |f|^{−z} compares with
    ∫ |g_+|^{1/2−z} φ + ∫ |g_−|^{1/2−z} φ/(1 − z). The dominating pair of g_+ and g_− is that of g. So, with κ = κ(g):
    - κ < 1/2: the pair is (1/2 + κ, m), whatever the signs are;
    - κ = 1/2: κ(f) = 1 with m(g) ≤ m ≤ m(g) + 1;
    - κ > 1/2: (1, 1) if g takes the sign that the square has not, and (1/2 + κ, m) if it does not. An arc inside the
      domain along which f has that sign shows the former, as in `saddle`.

    For g = 0, of pair (0, 1), the square has (1/2, 1). The child holds g up to a unit: A·f + B·∂f/∂x free of x, A ≠ 0
    at the point.
    """
    data = node.have("variable", "unit", "cofactor", optional=("arc",))
    germ, f, child = node.germ, node.generator, node.only_child()
    gone = strict_json.integer(data["variable"], "the variable", 0, germ.dimension)
    (slope,), turn = _live_part(germ, f, [gone])
    factor = node.polynomial(data["unit"], "the unit")
    require(is_unit(factor), "the unit vanishes at the point")
    cofactor = node.polynomial(data["cofactor"], "the cofactor")
    kept = [index for index in range(germ.dimension) if index != gone]
    child.must_be(germ.on(kept, [add(multiply(factor, f), multiply(cofactor, slope))]))
    lower, upper = child.claim.lower, child.claim.upper
    if lower.value == _HALF:
        m = lower.multiplicity
        below = Bound(Fraction(1), None if m is None else m + 1)
    else:
        below = Bound(Fraction(1), 1) if lower.value is None or lower.value > _HALF else lower.plus(_HALF)
    if "arc" not in data:
        return Bounds(below, upper.plus(_HALF))
    require(upper.value is None or upper.value > _HALF, "an arc says nothing beside a value up to 1/2")
    arc = _arc(node, data["arc"])
    _stays_inside(germ, arc)
    require(_lowest(f, arc)[1] == -(turn or 0), "f has the sign of the square along the arc")
    return Bounds(below, Bound(Fraction(1), 1))


def _live_part(germ: Germ, f: Polynomial, live: Sequence[int]) -> tuple[list[Polynomial], int | None]:
    """∂f/∂x, and the sign of the Hessian in x if it is definite; refused where the lemma does not apply."""
    require(not is_unit(f), "the generator does not vanish at the point")
    require(all(map(germ.is_free, live)), "a live variable is not free")
    slopes = [derivative(f, [int(i == index) for i in range(germ.dimension)]) for index in live]
    require(not any(map(is_unit, slopes)), "the point is not critical in the live variables")
    hessian = [[gradient_at_zero(slope, germ.dimension)[index] for index in live] for slope in slopes]
    require(rank(hessian) == len(live), "the Hessian in the live variables is degenerate")
    return slopes, sign(hessian[0][0]) if is_definite(hessian) else None


def _arc(node: Node, value: Any) -> list[Polynomial]:
    """A curve through the point, as polynomials in t."""
    found = [
        strict_json.polynomial(entry, "a coordinate of the arc", 1, node.germ.field)
        for entry in strict_json.items(value, "the arc", node.germ.dimension)
    ]
    require(not any(sign(at_zero(series)) for series in found), "the arc does not begin at the point")
    return found


def _lowest(f: Polynomial, arc: Sequence[Polynomial]) -> tuple[int, int]:
    """Order and sign of f along the arc, t > 0."""
    along = substitute(f, arc, 1)
    require(bool(along), "the generator vanishes along the arc")
    order = min(e for (e,) in along)
    return order, sign(along[(order,)])


def _stays_inside(germ: Germ, arc: Sequence[Polynomial]) -> None:
    for series, one_sided in zip(arc, germ.nonnegative, strict=True):
        require(not one_sided or not series or sign(series[min(series)]) > 0, "the arc leaves the domain")
