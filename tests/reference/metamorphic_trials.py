"""`rlct` against itself: pairs of germs whose answers are related by a theorem, in two to four variables.

    PYTHONPATH=tests python -m reference.metamorphic_trials --count 1000 --keep trials.jsonl

A trial draws an ideal, with priors and walls, and one relation. It "holds" where all answers are exact; where one of
them is bounds, the bounds have to allow it. Exits with 1 when anything is wrong; one answer in ten has its certificate
checked. `--keep` is that of `reference.plane_trials`.

Restriction to a hyperplane and semicontinuity in a parameter are no relations over the reals: x² + y² + z² − w² has
κ = 1, at w = 0 it is 3/2. A smooth arc and points near by are what is left of them.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import sympy
from sympy import Expr, Symbol

import ddtheory as dd
from ddtheory.exact.thresholds.nodes import CertificateError
from reference.batches import WRONG, Found, batches, report

_CHECKED = 10  # one answer in ten goes through the checker as well
_SECONDS = 60.0  # on the wall: other work may take most of the processor
_NEAR = Fraction(1, 10_007)
_SMALL = (-3, -2, -1, 1, 2, 3)
_NAMES = sympy.symbols("x y z w")


@dataclass(frozen=True)
class Germ:
    """An ideal with a prior and walls; a prior of a variable that does not occur changes nothing and is left out."""

    generators: tuple[Expr, ...]
    prior: Mapping[Symbol, Fraction] = field(default_factory=dict)
    nonnegative: frozenset[Symbol] = frozenset()

    @property
    def variables(self) -> list[Symbol]:
        return sorted(set().union(*(f.free_symbols for f in self.generators)), key=str)

    @property
    def free(self) -> list[Symbol]:
        """Without prior and wall."""
        return [v for v in self.variables if not self.prior.get(v) and v not in self.nonnegative]

    def mapped(self, images: Mapping[Symbol, Expr]) -> Germ:
        moved = (sympy.expand(f.subs(images, simultaneous=True)) for f in self.generators)
        return replace(self, generators=tuple(moved))


@dataclass(frozen=True)
class Pair:
    """Bounds of λ, and m where the pair is exact."""

    lower: Fraction
    upper: Fraction
    m: int | None


def exact(lam: Fraction, m: int) -> Pair:
    return Pair(lam, lam, m)


class Solved:
    """Asks `rlct`, and counts what was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.refuted: list[Germ] = []

    def __call__(self, germ: Germ) -> Pair:
        there = set(germ.variables)
        found = dd.rlct(
            generators=germ.generators,
            prior={v: h for v, h in germ.prior.items() if v in there},
            nonnegative=germ.nonnegative & there,
            seconds=_SECONDS,
        )
        return self._kept(germ, found)

    def divergence(self, germ: Germ) -> Pair:
        """The pair of Σ f², expanded."""
        whole = sympy.expand(sympy.Add(*(f**2 for f in germ.generators)))
        found = dd.rlct(whole, prior=germ.prior, nonnegative=germ.nonnegative, seconds=_SECONDS)
        return self._kept(germ, found)

    def _kept(self, germ: Germ, found: Any) -> Pair:
        self.asked += 1
        if found.rlct is not None and self.asked % _CHECKED == 0:
            try:
                accepted = dd.certify.check(found.to_json()).accepted
            except CertificateError:
                accepted = True  # too long to be written
            if not accepted:
                self.refuted.append(germ)
        return Pair(found.lower.value, found.upper.value, None if found.rlct is None else found.rlct.m)


# --- germs ---


def random_germ(draw: Random, variables: Sequence[Symbol], plain: bool = False, most: int = 3) -> Germ:
    """One to three generators of one to three terms, now and then a product; plain ones have neither prior nor wall."""
    while True:
        found = []
        for _ in range(draw.randint(1, most)):
            terms = []
            for _ in range(draw.choice((1, 2, 2, 3))):
                powers = [draw.choice((0, 0, 1, 1, 2, 3)) for _ in variables]
                terms.append(draw.choice(_SMALL) * sympy.prod(v**a for v, a in zip(variables, powers, strict=True)))
            f = sympy.Add(*terms)
            if draw.random() < 0.2:
                v, u = draw.sample(variables, 2)
                f = sympy.expand(f * (v + draw.choice(_SMALL) * u ** draw.randint(1, 2)))
            found.append(f)
        if all(f != 0 and f.subs(dict.fromkeys(variables, 0)) == 0 for f in found):
            break
    germ = Germ(tuple(found))
    if plain:
        return germ
    priors = {
        v: draw.choice((Fraction(-1, 2), Fraction(1), Fraction(2))) for v in germ.variables if draw.random() < 0.2
    }
    walls = frozenset(v for v in germ.variables if draw.random() < 0.15)
    return replace(germ, prior=priors, nonnegative=walls)


# --- relations: two pairs that are equal, or of which the first dominates: its λ is smaller, or its m larger ---

Relation = Callable[[Random, Solved], tuple[Sequence[Germ], str, Pair, Pair]]


def coordinates(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """Free variables take polynomials in the others, and all take factors."""
    germ = random_germ(draw, _NAMES[: draw.randint(2, 4)])
    moved = germ.mapped({v: draw.choice((1, 2, 3)) * v for v in germ.variables})
    for v in draw.sample(germ.free, min(len(germ.free), 2)):
        others = [u for u in germ.variables if u != v]
        if others:
            shift = draw.choice(_SMALL) * draw.choice(others) ** draw.randint(1, 2)
            moved = moved.mapped({v: v + shift * draw.choice((1, draw.choice(others)))})
    return (germ, moved), "=", solve(germ), solve(moved)


def units(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """Generators take units, and multiples of each other."""
    germ = random_germ(draw, _NAMES[: draw.randint(2, 4)])
    mixed: list[Expr] = []
    for f in germ.generators:
        unit = draw.choice((1, 2)) + draw.choice((0, *_SMALL)) * draw.choice(germ.variables)
        mixed.append(sympy.expand(f * unit + sum(draw.choice((0, 1, -1)) * g for g in mixed[:1])))
    moved = replace(germ, generators=tuple(draw.sample(mixed, len(mixed))))
    if not set(germ.prior) <= set(moved.variables):
        return (germ,), "=", solve(germ), solve(germ)
    return (germ, moved), "=", solve(germ), solve(moved)


def orthants(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """A germ is dominated by the worst of its orthants."""
    germ = random_germ(draw, _NAMES[: draw.randint(2, 3)])
    open_ones = [v for v in germ.variables if v not in germ.nonnegative]
    split = draw.sample(open_ones, min(len(open_ones), 2))
    parts = [
        replace(
            germ.mapped({v: sign * v for v, sign in zip(split, signs, strict=True)}),
            nonnegative=germ.nonnegative | set(split),
        )
        for signs in itertools.product((1, -1), repeat=len(split))
    ]
    return (germ, *parts), "=", solve(germ), _worst([solve(part) for part in parts])


def powers_of_a_variable(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """x = u^k: |x|^h dx is a constant times |u|^{k(h + 1) − 1} du."""
    germ = random_germ(draw, _NAMES[: draw.randint(2, 4)])
    v = draw.choice(germ.variables)
    k = draw.choice((2, 3))
    if k == 2:
        germ = replace(germ, nonnegative=germ.nonnegative | {v})
    prior = {**germ.prior, v: k * (germ.prior.get(v, Fraction(0)) + 1) - 1}
    moved = replace(germ.mapped({v: v**k}), prior=prior)
    return (germ, moved), "=", solve(germ), solve(moved)


def powers(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """λ of the k-th power of an ideal is λ/k."""
    germ = random_germ(draw, _NAMES[: draw.randint(2, 3)], most=2)
    k = draw.choice((2, 3))
    products = {sympy.expand(sympy.Mul(*some)) for some in itertools.combinations_with_replacement(germ.generators, k)}
    power = replace(germ, generators=tuple(sorted(products, key=str)))
    found = solve(germ)
    return (germ, power), "=", Pair(found.lower / k, found.upper / k, found.m), solve(power)


def products(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """A product in disjoint variables, and coordinates changed: the smaller λ, and both m where they are equal."""
    first, second = random_germ(draw, _NAMES[:2], plain=True), random_germ(draw, _NAMES[2:], plain=True)
    found = tuple(sympy.expand(f * g) for f in first.generators for g in second.generators)
    whole = _mixed_up(draw, Germ(found))
    a, b = solve(first), solve(second)
    if None in (a.m, b.m) or a.lower != b.lower:
        expected = min((a, b), key=lambda pair: pair.upper)
        expected = Pair(min(a.lower, b.lower), expected.upper, expected.m if None not in (a.m, b.m) else None)
    else:
        assert a.m is not None and b.m is not None
        expected = exact(a.lower, a.m + b.m)
    return (first, second, whole), "=", expected, solve(whole)


def sums(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """Generators in disjoint variables, and coordinates changed: λ adds, and so does m − 1."""
    first, second = random_germ(draw, _NAMES[:2], plain=True), random_germ(draw, _NAMES[2:], plain=True)
    whole = _mixed_up(draw, Germ((*first.generators, *second.generators)))
    a, b = solve(first), solve(second)
    m = None if a.m is None or b.m is None else a.m + b.m - 1
    return (first, second, whole), "=", Pair(a.lower + b.lower, a.upper + b.upper, m), solve(whole)


def squares(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """K = Σ f², expanded, has the pair of its generators."""
    germ = random_germ(draw, _NAMES[: draw.randint(2, 3)])
    return (germ,), "=", solve(germ), solve.divergence(germ)


def more_generators(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """A larger ideal has no smaller λ."""
    germ = random_germ(draw, _NAMES[: draw.randint(2, 4)])
    extra = random_germ(draw, germ.variables, plain=True).generators if len(germ.variables) > 1 else ()
    larger = replace(germ, generators=(*germ.generators, *extra))
    return (germ, larger), "≤", solve(germ), solve(larger)


def smooth_arcs(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """Restriction to a smooth arc: λ ≥ 1/(2k) for generators of order k along it, where the prior is bounded."""
    germ = random_germ(draw, _NAMES[: draw.randint(2, 4)])
    germ = replace(germ, prior={v: h for v, h in germ.prior.items() if h > 0})
    t = Symbol("t")
    arc = {v: draw.choice(_SMALL) * t ** draw.randint(1, 3) for v in germ.variables}
    arc[draw.choice(germ.variables)] = draw.choice(_SMALL) * t
    orders = [
        min(m for (m,) in sympy.Poly(restricted, t).monoms())
        for f in germ.generators
        if (restricted := sympy.expand(f.subs(arc, simultaneous=True))) != 0
    ]
    least = exact(Fraction(1, 2 * min(orders)), math.inf) if orders else exact(Fraction(0), 1)  # type: ignore[arg-type]
    return (germ,), "≤", least, solve(germ)


def weights(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """Weights w bound λ by Σ w_i (h_i + 1) over twice the weight of the ideal."""
    germ = random_germ(draw, _NAMES[: draw.randint(2, 4)])
    w = {v: draw.randint(1, 6) for v in germ.variables}
    weight = min(
        sum(w[v] * a for v, a in zip(germ.variables, m, strict=True))
        for f in germ.generators
        for m in sympy.Poly(f, *germ.variables).monoms()
    )
    volume = sum(w[v] * (germ.prior.get(v, Fraction(0)) + 1) for v in germ.variables)
    return (germ,), "≤", solve(germ), exact(Fraction(volume) / (2 * weight), 1)


def points_near(draw: Random, solve: Solved) -> tuple[Sequence[Germ], str, Pair, Pair]:
    """No pair at a zero near the origin dominates that of the origin."""
    *others, last = _NAMES[: draw.randint(2, 4)]
    germ = random_germ(draw, (*others, last))
    f = tuple(sympy.expand(g * draw.choice(others)) for g in germ.generators)  # so that it vanishes on the last axis
    germ = replace(germ, generators=f)
    if last not in germ.variables:
        return (germ,), "=", solve(germ), solve(germ)
    side = 1 if last in germ.nonnegative else draw.choice((1, -1))
    away = {v: h for v, h in germ.prior.items() if v != last}
    moved = Germ(
        tuple(sympy.expand(g.subs(last, last + side * sympy.Rational(1, _NEAR.denominator))) for g in f),
        away,
        germ.nonnegative - {last},
    )
    return (germ, moved), "≤", solve(germ), solve(moved)


def _mixed_up(draw: Random, germ: Germ) -> Germ:
    v, u = draw.sample(germ.variables, 2) if len(germ.variables) > 1 else (germ.variables[0],) * 2
    return germ if v == u else germ.mapped({v: v + draw.choice(_SMALL) * u ** draw.randint(1, 2)})


def _worst(pairs: Sequence[Pair]) -> Pair:
    lower, upper = min(p.lower for p in pairs), min(p.upper for p in pairs)
    if any(p.m is None for p in pairs):
        return Pair(lower, upper, None)
    return exact(lower, max(p.m for p in pairs if p.lower == lower and p.m is not None))


RELATIONS: dict[str, Relation] = {
    relation.__name__.replace("_", " "): relation
    for relation in (
        coordinates,
        units,
        orthants,
        powers_of_a_variable,
        powers,
        products,
        sums,
        squares,
        more_generators,
        smooth_arcs,
        weights,
        points_near,
    )
}


def became(sign: str, left: Pair, right: Pair) -> str:
    """Whether left = right, or left dominates right, as far as both are known."""
    open_ones = left.m is None or right.m is None
    if sign == "=":
        if open_ones:
            return "not excluded" if left.lower <= right.upper and right.lower <= left.upper else WRONG
        return "holds" if left == right else WRONG
    if open_ones:
        return "not excluded" if left.lower <= right.upper else WRONG
    assert left.m is not None and right.m is not None
    return "holds" if left.lower < right.lower or (left.lower == right.lower and left.m >= right.m) else WRONG


def batch(seed: int, number: int, size: int) -> Found:
    """Counts of one batch, by relation, and the trials in which something was wrong."""
    draw = Random(f"{seed} {number}")
    counts: Counter[str] = Counter()
    notable: list[dict[str, Any]] = []
    solve = Solved()
    for name, _ in zip(_in_turn(), range(size), strict=False):
        germs, sign, left, right = RELATIONS[name](draw, solve)
        outcome = WRONG if solve.refuted else became(sign, left, right)
        counts[f"{outcome}: {name}"] += 1
        if outcome == WRONG:
            pairs = [str(left), str(right)]
            notable.append({"became": f"{WRONG}: {name}", "germs": list(map(str, germs)), "pairs": pairs})
        solve.refuted.clear()
    return {"counts": counts, "notable": notable}


def _in_turn() -> Iterator[str]:
    return itertools.cycle(RELATIONS)


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--count", type=int, default=1000)
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--keep", type=Path, help="a file of finished batches, one line each")
    given = reader.parse_args()
    key = {"trials": "metamorphic", "seed": given.seed}
    return report(batches(given.count, key, given.keep, functools.partial(batch, given.seed)))


if __name__ == "__main__":
    sys.exit(main())
