"""Certificates of blow-ups, spoiled: germs that were written for this, and a judge who knows their pairs otherwise.

    PYTHONPATH=tests:tests/certify python -m blown_up --mutants 60 --seed anything

Every certificate has every hypothesis broken, one after the other (`hypotheses.broken`), two children or two charts
swapped, and as many random corruptions as asked for, among them another multiplicity carried up to the top. What the
checker accepts must be true: it is what was certified, or the pair of the germ that it now names comes from point
blow-ups in the plane (`reference.point_blow_ups`) and from the rule for ideals in variables of their own. Prints a
table; exits with 1 when something that is accepted is not known to be true.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

import sympy
from hypotheses import broken, copied, why_true
from mutations import Mutant, at, mutate, places, replaced
from reference.point_blow_ups import Undecided, pair
from sampling import seen

import ddtheory as dd
from ddtheory.certify import check
from ddtheory.certify.rules.table import RULES

Json = Any
Pair = tuple[Fraction, int]
Table = Mapping[str, Counter[str]]

x, y = sympy.symbols("x y")

RESOLVING = {"blowup", "toric", "transversal"}
"""The rules that make charts: ordinary blow-ups, weighted ones, and those of every cone of weights at once."""


@dataclass(frozen=True)
class Known:
    """An ideal with its pair from elsewhere.

    Attributes:
        generators, prior: as they are given to `rlct`.
        kappa, multiplicity: the threshold of the ideal.
    """

    generators: tuple[str, ...]
    prior: Mapping[str, int]
    kappa: Fraction
    multiplicity: int


def plane(random: Random) -> Iterator[Known]:
    """Powers of irreducible forms in x and y, or in x^a and y^b, and something deeper, with priors; by the oracle."""
    forms = [
        y**2 - 2 * x**2,
        y**2 - 5 * x**2,
        3 * y**2 - x**2,
        y**2 + x * y - x**2,
        y**3 - 2 * x**3,
        y**3 - 3 * x * y**2 + x**3,
    ]
    while True:
        a, b = random.choice([(1, 1), (1, 1), (2, 1), (3, 2), (2, 3)])
        q = random.choice(forms).subs({x: x**a, y: y**b}, simultaneous=True)
        q += random.choice([0, 0, x ** (3 * a + 1), y ** (3 * b + 1), x ** (2 * a) * y**b])
        e = random.choice([1, 2, 3])
        deep = 2 * e * max(a, b)
        ideal = [q**e * random.choice([1, 1, 1, x, y - x])]
        ideal += random.sample(
            [x ** (deep + random.randrange(1, 6)), y ** (deep + 2), x**deep * y**2], random.choice([1, 1, 2])
        )
        prior = random.choice([(0, 0), (1, 0), (2, 1), (0, 3), (3, 3)])
        try:
            lam, m = pair(ideal, x, y, prior)
        except Undecided:
            continue
        powers = {name: h for name, h in zip("xy", prior, strict=True) if h}
        yield Known(tuple(str(f).replace("**", "^") for f in ideal), powers, 2 * Fraction(lam), m)


def apart(random: Random) -> Iterator[Known]:
    """⟨I, z^k⟩ with a prior |z|^h: κ = κ(I) + (h + 1)/k, with the m of I."""
    for known in plane(random):
        k, h = random.randrange(1, 6), random.choice([0, 0, 1])
        prior = {**known.prior, **({"z": h} if h else {})}
        yield Known((*known.generators, f"z^{k}"), prior, known.kappa + Fraction(h + 1, k), known.multiplicity)


CONES = ("x^2+y^2-3*z^2", "2*x^2+y^2-5*z^2", "x*z-2*y^2", "x^3+2*y^3-z^3", "x^2*z-y^3-2*y*z^2", "x^4+y^4-2*z^4")
"""Forms with a real zero, singular at 0 alone."""


def cones(random: Random) -> Iterator[Known]:
    """⟨f^e, x^k, y^k, z^k⟩ with a form f of degree d < k/e.

    Above the blow-up of 0 it is t^{de} ⟨u^e, t^{k−de}⟩ with the Jacobian t², where u = f is a coordinate: the least of
    3/(de) and, at the weights (e, k − de) of (t, u), (3e + k − de)/(ek).
    """
    for f in itertools.cycle(CONES):
        d, e = int(f[-1]) if f[-2] == "^" else 2, random.choice([1, 1, 2])
        k = d * e + random.randrange(1, 4)
        values = [Fraction(3, d * e), Fraction(3 * e + k - d * e, e * k)]
        m = values.count(min(values))
        yield Known((f"({f})^{e}", *(f"{v}^{k}" for v in "xyz")), {}, min(values), m)


def determinants(random: Random) -> Iterator[Known]:
    """(ad − bc)^p − a^p e^q with q > p, or the ideal of both terms, in coordinates that were changed.

    Blow up (a, b): in the chart b = ua it is a^p (v^p − e^q) with v = d − uc and the Jacobian a, in the other one the
    same with a further factor u^p: the least of 2/p, of 1/p + 1/q, and for the difference of 1, along its branch.
    """
    powers = [(2, 3), (2, 5), (3, 4), (3, 5), (2, 7), (4, 5), (5, 6), (3, 7)]
    for (p, q), split in zip(itertools.cycle(powers), itertools.cycle([False, True, True]), strict=False):
        c = random.choice(["c", "(c + e^2)", "(c + a^2)"])
        first, second = f"(a*d - b*{c})^{p}", f"a^{p}*e^{q}"
        kappa = min(Fraction(1, p) + Fraction(1, q), Fraction(1))  # below 2/p
        yield Known((first, second) if split else (f"{first} - {second}",), {}, kappa, 1)


FAMILIES: Mapping[str, Callable[[Random], Iterator[Known]]] = {
    "plane": plane,
    "apart": apart,
    "cone": cones,
    "determinant": determinants,
}


def certified(seed: str, each: int) -> Iterator[tuple[str, Known, Json]]:
    """Germs of every family that charts settle, with their certificates; the pair must be the one that is known."""
    for family, made in FAMILIES.items():
        random, number = Random(f"{seed} {family}"), 0
        for known in made(random):
            found = dd.rlct(generators=known.generators, prior=known.prior, seconds=20)
            if found.rlct is None or not RESOLVING & set(found.rules):
                continue
            assert (2 * found.rlct.lam, found.rlct.m) == (known.kappa, known.multiplicity), known
            certificate = copied(found.to_json())
            assert check(certificate).accepted, known
            yield f"{family} {number}", known, certificate
            number += 1
            if number == each:
                break


# --- what is done to them ---------------------------------------------------------------------------------------------


def swapped(certificate: Json) -> Iterator[Mutant]:
    """Two children that follow each other change places, or two entries of the data that stand for them."""
    for place, node in places(certificate):
        if not isinstance(node, dict) or "rule" not in node:
            continue
        number, data = len(node["children"]), node["data"]
        lists = [("children",), *(("data", key) for key in data if _has_as_many(data[key], number))]
        for path, first in itertools.product(lists, range(number - 1)):
            held = at(certificate, (*place, *path))
            if held[first] != held[first + 1]:
                moved = [*held[:first], held[first + 1], held[first], *held[first + 2 :]]
                yield Mutant(f"{path[-1]} swapped", (*place, *path), replaced(certificate, (*place, *path), moved))


def _has_as_many(value: Json, number: int) -> bool:
    return isinstance(value, list) and len(value) == number


def spoiled(name: str, certificate: Json, mutants: int, others: Sequence[Json]) -> Iterator[Mutant]:
    """All that is done to one certificate."""
    yield from (Mutant(kind, (), found) for kind, found in broken(certificate) if found != certificate)
    yield from swapped(certificate)
    random = Random(name)
    for _ in range(mutants):
        yield mutate(certificate, random, list(RULES), others)


# --- the judge --------------------------------------------------------------------------------------------------------


def why(original: Json, certificate: Json) -> str:
    """By what the claim of an accepted certificate is known to be true; empty where it is not."""
    given, before = certificate["input"], original["input"]
    claims = ("lower", "upper", "lambda", "multiplicity", "status")
    if given == before and all(certificate[key] == original[key] for key in claims):
        return "the same claim"
    known = threshold(given["germ"], given["at"])
    if known is None:
        return f"the exact side: {found}" if (found := why_true(original, certificate)) else ""
    kappa, m = known
    germ, kind = given["germ"], given["kind"]
    if kind == "divergence" and not seen(germ, germ["generators"][0]) <= {1}:
        return ""
    lam = kappa / 2 if kind == "generators" else kappa
    if certificate["status"] == "exact":
        return "point blow-ups" if [str(lam), m] == certificate["lower"] == certificate["upper"] else ""
    low, high = (sympy.oo if v == "infinity" else Fraction(v) for v, _ in (certificate["lower"], certificate["upper"]))
    return "around point blow-ups" if low <= lam <= high else ""


def threshold(germ: Json, point: Sequence[Json]) -> Pair | None:
    """κ and m of the ideal of a certificate at a point over ℚ; None where the judge does not know."""
    names = sympy.symbols(f"v:{len(germ['variables'])}")
    if germ["field"] is not None or not all(isinstance(p, str) for p in point):
        return None
    ideal = [
        sympy.expand(
            sum(
                sympy.Rational(c)
                * sympy.prod((v + sympy.Rational(p)) ** e for v, p, e in zip(names, point, a, strict=True))
                for a, c in f
            )
        )
        for f in germ["generators"]
    ]
    sides = [v for v, one in zip(names, germ["nonnegative"], strict=True) if one]
    if any(sympy.expand(f.subs(v, -v)) not in (f, sympy.expand(-f)) for v in sides for f in ideal):
        return None  # else both sides of the boundary are alike
    return _of_ideal([f for f in ideal if f != 0], dict(zip(names, map(Fraction, germ["prior"]), strict=True)))


def _of_ideal(ideal: Sequence[sympy.Expr], prior: Mapping[sympy.Symbol, Fraction]) -> Pair | None:
    names = sorted(set().union(*(f.free_symbols for f in ideal)), key=str)
    if not names or any(f.subs(dict.fromkeys(names, 0)) != 0 for f in ideal):
        return None
    if len(names) == 1:
        order = min(min(m[0] for m in sympy.Poly(f, *names).monoms()) for f in ideal)
        return (prior[names[0]] + 1) / order, 1
    if len(names) == 2:
        h = [prior[v] for v in names]
        if any(v.denominator != 1 or v < 0 for v in h):
            return None
        try:
            lam, m = pair(list(ideal), *names, tuple(map(int, h)))
        except Undecided:
            return None
        return 2 * Fraction(lam), m
    group = {*ideal[0].free_symbols}
    while more := {v for f in ideal if f.free_symbols & group for v in f.free_symbols} - group:
        group |= more
    one = [f for f in ideal if f.free_symbols <= group]
    rest = [f for f in ideal if not f.free_symbols <= group]
    parts = [_of_ideal(part, prior) for part in (one, rest)] if rest else [None]
    if any(part is None for part in parts):
        return None
    return sum((part[0] for part in parts if part), Fraction(0)), sum(part[1] for part in parts if part) - 1


def run(
    certificates: Mapping[str, Json], mutants: int, accepted: Callable[[Json], bool] = lambda one: check(one).accepted
) -> tuple[list[tuple[str, str, Json]], Table]:
    """What is accepted and not known to be true, and a table of all by kind and by what became of them."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    harmful = []
    everything = list(certificates.values())
    for name, original in certificates.items():
        for mutant in spoiled(name, original, mutants, everything):
            outcome = "rejected"
            if accepted(mutant.certificate):
                outcome = why(original, mutant.certificate) or "HARM"
            table[mutant.kind][outcome] += 1
            if outcome == "HARM":
                harmful.append((name, mutant.kind, mutant.certificate))
    return harmful, table


def main(arguments: list[str]) -> int:
    from test_mutations import shown

    parser = argparse.ArgumentParser(prog="python -m blown_up", description="Spoils certificates of blow-ups.")
    parser.add_argument("--seed", default="fixed", help="any text; the same seed gives the same germs")
    parser.add_argument("--each", type=int, default=12, help="germs of every family")
    parser.add_argument("--mutants", type=int, default=60, help="random corruptions of a certificate")
    chosen = parser.parse_args(arguments)
    found = {}
    for name, known, certificate in certified(chosen.seed, chosen.each):
        found[name] = certificate
        rules = sorted({node["rule"] for _, node in places(certificate) if isinstance(node, dict) and "rule" in node})
        print(
            f"{name}: ⟨{'; '.join(known.generators)}⟩ κ = {known.kappa}, m = {known.multiplicity}: {', '.join(rules)}"
        )
    harmful, table = run(found, chosen.mutants)
    print(shown(table))
    for name, kind, certificate in harmful:
        print(f"HARM  {name}, {kind}: {certificate['input']} {certificate['lower']} {certificate['upper']}")
    return int(bool(harmful))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
