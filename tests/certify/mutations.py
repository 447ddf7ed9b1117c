"""Corrupts a certificate at one place, at random, and says when a corruption that is accepted does no harm.

Every mutant must be rejected, unless it says the same thing (the order of the terms of a polynomial), changes a label,
or puts another witness in the place of a witness: another optimal weight, another point, another map to the same child.
Such a witness is tested here again, by means of its own.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sampling import seen

Json = Any
Place = tuple[str | int, ...]

_RATIONAL = re.compile(r"-?\d+(/\d+)?")


@dataclass(frozen=True)
class Mutant:
    """One corruption: its kind, where, and what came out."""

    kind: str
    place: Place
    certificate: Json

    @property
    def path(self) -> str:
        return "/".join(map(str, self.place))


def places(value: Json, here: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Every part of a certificate with its place."""
    yield here, value
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from places(entry, (*here, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from places(entry, (*here, index))


def at(certificate: Json, place: Place) -> Json:
    for step in place:
        certificate = certificate[step]
    return certificate


def replaced(certificate: Json, place: Place, value: Json) -> Json:
    found = json.loads(json.dumps(certificate))
    if not place:
        return value
    at(found, place[:-1])[place[-1]] = value
    return found


def _other_number(value: str, rng: random.Random) -> str:
    number = Fraction(value)
    return str(
        rng.choice([number + 1, number - 1, -number, 2 * number, number / 2, number + Fraction(1, 3), Fraction(0)])
    )


def _other_entry(certificate: Json, place: Place, rng: random.Random, names: Sequence[str]) -> tuple[str, Json] | None:
    """A kind and a new value for one place; None when nothing applies."""
    value, key = at(certificate, place), place[-1] if place else ""
    if isinstance(value, bool):
        return "flag", not value
    if isinstance(value, int):
        return "integer", value + rng.choice([-2, -1, 1, 2])
    if value is None:
        return "null", rng.choice([1, 2, "1/2", {}])
    if isinstance(value, str):
        if key == "rule":
            return "rule", rng.choice([name for name in names if name != value])
        if key == "kind":
            kinds = ["monomial", "sign", "edge", "cofactors", "unknown", "divergence", "generators"]
            return "kind", rng.choice([kind for kind in kinds if kind != value])
        if _RATIONAL.fullmatch(value):
            if key in ("lambda", 0) and rng.random() < 0.2:
                return "number", rng.choice(["infinity", None])
            return "number", _other_number(value, rng)
        return "text", value + "'"
    if isinstance(value, list) and value:
        index = rng.randrange(len(value))
        move = rng.choice(["drop", "repeat", "permute"])
        if move == "permute" and len(value) > 1:
            other = rng.choice([k for k in range(len(value)) if k != index])
            moved = list(value)
            moved[index], moved[other] = moved[other], moved[index]
            return f"permute {_what(place)}", moved
        if move == "repeat":
            return f"repeat {_what(place)}", [*value[: index + 1], *value[index:]]
        return f"drop {_what(place)}", value[:index] + value[index + 1 :]
    if isinstance(value, dict) and value:
        gone = rng.choice(list(value))
        return "drop key", {name: entry for name, entry in value.items() if name != gone}
    return None


def _what(place: Place) -> str:
    """What a list holds, by its name."""
    named = {
        "children": "child",
        "faces": "face",
        "charts": "chart",
        "generators": "generator",
        "weights": "weight",
        "multipliers": "multiplier",
        "prior": "prior",
    }
    return named.get(str(place[-1]) if place else "", "entry")


def _nodes(certificate: Json) -> list[Place]:
    return [place for place, value in places(certificate) if isinstance(value, dict) and "rule" in value]


def _graft(certificate: Json, rng: random.Random, donors: Sequence[Json]) -> Mutant | None:
    """A node in the place of another one."""
    place, donor = rng.choice(_nodes(certificate)), rng.choice([certificate, *donors])
    other = at(donor, rng.choice(_nodes(donor)))
    same_kind = donor["input"]["kind"] == certificate["input"]["kind"]
    if other == at(certificate, place) or not same_kind:
        return None
    return Mutant("graft", place, replaced(certificate, place, other))


def _without_chart(certificate: Json, rng: random.Random) -> Mutant | None:
    """A chart, block, factor or root is left out together with its child; the claims stay."""
    place = rng.choice(_nodes(certificate))
    node = at(certificate, place)
    lists = [
        key for key, value in node["data"].items() if isinstance(value, list) and len(value) == len(node["children"])
    ]
    paired = [key for key in lists if key in ("charts", "blocks", "factors")]
    if not paired or not node["children"]:
        return None
    gone, key = rng.randrange(len(node["children"])), paired[0]
    left = {**node, "children": node["children"][:gone] + node["children"][gone + 1 :]}
    left["data"] = {**node["data"], key: node["data"][key][:gone] + node["data"][key][gone + 1 :]}
    return Mutant("drop child and chart", place, replaced(certificate, place, left))


def _consistent_lie(certificate: Json, rng: random.Random) -> Mutant | None:
    """Another pair at one node, carried up to the top by the formulas of the rules in between."""
    place = rng.choice(_nodes(certificate))
    amount, more = rng.choice([(Fraction(0), 1), (Fraction(1, 6), 0), (Fraction(-1, 12), 0), (Fraction(0), -1)])
    found = json.loads(json.dumps(certificate))
    while place:
        node = at(found, place)
        for side in ("lower", "upper"):
            value, multiplicity = node[side]
            if value == "infinity" or multiplicity is None or multiplicity + more < 1 or Fraction(value) + amount < 0:
                return None
            node[side] = [str(Fraction(value) + amount), multiplicity + more]
        if len(place) == 1:
            break
        place = place[:-2]
        parent = at(found, place)
        if parent["rule"] == "squares":
            amount /= 2
        elif parent["rule"] == "power":
            amount /= parent["data"]["exponent"]
        elif len(parent["children"]) > 1:
            return None
    amount /= 2 if certificate["input"]["kind"] == "generators" else 1
    for side in ("lower", "upper"):
        value, multiplicity = found[side]
        found[side] = [str(Fraction(value) + amount), multiplicity + more]
    if found["lambda"] is not None:
        found["lambda"], found["multiplicity"] = found["lower"]
    return Mutant("consistent lie", ("derivation",), found)


def mutate(certificate: Json, rng: random.Random, names: Sequence[str], donors: Sequence[Json] = ()) -> Mutant:
    """One corruption. Structure is hit as often as numbers; sometimes several places change together."""
    everything = list(places(certificate))
    while True:
        dice = rng.random()
        whole = None
        if dice < 0.1:
            whole = _graft(certificate, rng, donors)
        elif dice < 0.15:
            whole = _without_chart(certificate, rng)
        elif dice < 0.2:
            whole = _consistent_lie(certificate, rng)
        if whole is not None:
            return whole
        if dice < 0.2:
            continue
        wanted: Callable[[Json], bool] = (lambda v: isinstance(v, list | dict)) if dice < 0.5 else (lambda v: True)
        place, value = rng.choice([entry for entry in everything if wanted(entry[1])])
        found = _other_entry(certificate, place, rng, names)
        if found is not None and found[1] != value:
            return Mutant(found[0], place, replaced(certificate, place, found[1]))


# --- what does no harm ------------------------------------------------------------------------------------------------


def canonical(value: Json) -> Json:
    """Without what has no meaning: the order of the terms of a polynomial."""
    if isinstance(value, dict):
        return {key: canonical(entry) for key, entry in value.items()}
    if isinstance(value, list):
        entries = [canonical(entry) for entry in value]
        is_polynomial = entries and all(
            isinstance(e, list) and len(e) == 2 and isinstance(e[0], list) and isinstance(e[1], str | list)
            for e in entries
        )
        return sorted(entries, key=json.dumps) if is_polynomial else entries
    return value


def harmless(original: Json, mutant: Mutant) -> str:
    """Why an accepted mutant does no harm; empty when it does."""
    if canonical(original) == canonical(mutant.certificate):
        return "the same"
    if mutant.place[:2] == ("input", "at"):
        used = {i for f in original["input"]["germ"]["generators"] for a, _ in f for i, e in enumerate(a) if e}
        return "" if len(mutant.place) < 3 or mutant.place[2] in used else "a coordinate that does not occur"
    if mutant.place == ("read_as",):
        return "what is on trust is quoted, and proves nothing"
    if mutant.place == ("hypotheses",) and mutant.certificate["hypotheses"] == []:
        at_point = original["derivation"]["germ"]
        return "K is nowhere negative" if seen(at_point, at_point["generators"][0]) <= {1} else ""
    if any(original[key] != mutant.certificate.get(key) for key in original if key not in ("derivation", "input")):
        return ""
    for pattern, test in _WITNESSES:
        found = re.fullmatch(pattern, mutant.path)
        if found is not None:
            depth = len([step for step in found.group(1).split("/") if step])
            why = test(at(mutant.certificate, mutant.place[:depth]), at(original, mutant.place[:depth]))
            if why:
                return why
    return ""


def _numbers(values: Sequence[str]) -> list[Fraction]:
    return [Fraction(value) for value in values]


def _exponents(node: Json) -> list[list[int]]:
    return [exponent for generator in node["germ"]["generators"] for exponent, _ in generator]


def _programme(node: Json, before: Json) -> str | None:
    """Weights and multipliers that are feasible and meet: weak duality proves that both are optimal."""
    data, tau = node["data"], [h + 1 for h in _numbers(node["germ"]["prior"])]
    weights, multipliers = _numbers(data["weights"]), _numbers(data["multipliers"])
    pairing = [sum(w * e for w, e in zip(weights, a, strict=True)) for a in _exponents(node)]
    loads = [sum(y * a[i] for y, a in zip(multipliers, data["support"], strict=True)) for i in range(len(tau))]
    listed = all(a in _exponents(node) for a in data["support"])
    feasible = (
        min([*weights, *multipliers]) >= 0
        and min(pairing) >= 1
        and all(x <= t for x, t in zip(loads, tau, strict=True))
    )
    meet = sum(multipliers) == sum(w * t for w, t in zip(weights, tau, strict=True))
    return (
        "another optimum"
        if listed and feasible and meet and data["multiplicity"] == before["data"]["multiplicity"]
        else None
    )


def _value_at(polynomial: Json, point: Sequence[Fraction]) -> Fraction:
    total = Fraction(0)
    for exponent, coefficient in polynomial:
        term = Fraction(coefficient)
        for base, e in zip(point, exponent, strict=True):
            term *= base**e
        total += term
    return total


def _zeros(node: Json, before: Json) -> str | None:
    """Points of one orthant with opposite signs, or an edge on which sympy finds a real root."""
    data = node["data"]
    entries = [data["zero"]] if "zero" in data else data["zeros"]
    was = [before["data"]["zero"]] if "zero" in before["data"] else before["data"]["zeros"]
    for entry in entries:
        face = data["faces"][entry["face"]]["exponents"]
        part = [term for term in node["germ"]["generators"][0] if term[0] in face]
        if entry["points"] is None:
            names = sympy.symbols(f"v:{len(face[0])}", positive=True)
            signs = [[1] if one else [1, -1] for one in node["germ"]["nonnegative"]]
            if not any(_edge_root(part, names, choice) for choice in _product(signs)):
                return None
            continue
        points = [_numbers(point) for point in entry["points"]]
        inside = all(x * y > 0 for x, y in zip(*points, strict=True))
        sides = all(x > 0 for x, one in zip(points[0], node["germ"]["nonnegative"], strict=True) if one)
        if not inside or not sides or _value_at(part, points[0]) * _value_at(part, points[1]) >= 0:
            return None
    # at ℓ = 1 every face with a zero counts; above it, one is enough
    same_faces = {entry["face"] for entry in entries} == {entry["face"] for entry in was}
    return "another zero" if entries and (same_faces or Fraction(sum(_numbers(data["multipliers"]))) > 1) else None


def _product(choices: Sequence[Sequence[int]]) -> Iterator[tuple[int, ...]]:
    if not choices:
        yield ()
        return
    for first in choices[0]:
        for rest in _product(choices[1:]):
            yield (first, *rest)


def _edge_root(part: Json, names: Sequence[sympy.Symbol], signs: Sequence[int]) -> bool:
    """Whether the part vanishes somewhere in one open orthant, along the line that the edge spans."""
    u = sympy.Symbol("u", positive=True)
    first = part[0][0]
    steps = [[x - y for x, y in zip(exponent, first, strict=True)] for exponent, _ in part]
    index = next(i for i in range(len(first)) if any(step[i] for step in steps))
    power = sympy.gcd([step[index] for step in steps])
    total = sum(
        sympy.Rational(c) * sympy.prod(s**e for s, e in zip(signs, exponent, strict=True)) * u ** (step[index] // power)
        for (exponent, c), step in zip(part, steps, strict=True)
    )
    return bool(sympy.Poly(sympy.numer(sympy.together(total)), u).count_roots(sympy.Rational(1, 10**9), 10**9))


def _order(node: Json, before: Json) -> str | None:
    entry = node["data"]["order"]
    t = sympy.Symbol("t")
    point = [sympy.Rational(v) * t for v in entry["direction"]]
    value = sympy.expand(
        sum(
            sympy.Rational(c) * sympy.prod(base**e for base, e in zip(point, exponent, strict=True))
            for exponent, c in node["germ"]["generators"][entry["generator"]]
        )
    )
    moved = [i for i, v in enumerate(entry["direction"]) if v != "0"]
    free = all(node["germ"]["prior"][i] == "0" and not node["germ"]["nonnegative"][i] for i in moved)
    lowest = min(m[0] for m in sympy.Poly(value, t).monoms()) if value != 0 else 0
    return (
        "another direction"
        if lowest == entry["order"] == before["data"]["order"]["order"] and (free or len(moved) == 1)
        else None
    )


def _weights(node: Json, before: Json) -> str | None:
    """The same upper bound from other weights."""

    def bound(of: Json) -> Fraction:
        weights = _numbers(of["data"]["weights"])
        least = min(sum(w * e for w, e in zip(weights, a, strict=True)) for a in _exponents(of))
        return (
            sum((w * (h + 1) for w, h in zip(weights, _numbers(of["germ"]["prior"]), strict=True)), Fraction(0)) / least
        )

    return "another weight" if min(_numbers(node["data"]["weights"])) >= 0 and bound(node) == bound(before) else None


def _degrees(node: Json, before: Json) -> str | None:
    degrees = node["data"]["degrees"]
    homogeneous = all(
        len({sum(a * e for a, e in zip(degrees, exponent, strict=True)) for exponent, _ in f}) <= 1
        for f in node["germ"]["generators"]
    )
    return "other degrees" if homogeneous and all(degrees[i] > 0 for i in node.get("parameters", [])) else None


def _one_term(node: Json, before: Json) -> str | None:
    """A face on which the named generator has one term, or terms of one sign and parity."""
    for face in node["data"]["faces"]:
        how = face["proof"]
        if how["kind"] in ("monomial", "sign"):
            part = [term for term in node["germ"]["generators"][how["generator"]] if term[0] in face["exponents"]]
            parity = {
                tuple(e % 2 for e, one in zip(a, node["germ"]["nonnegative"], strict=True) if not one) for a, _ in part
            }
            signs = {Fraction(c) > 0 for _, c in part}
            if not part or (len(part) > 1 and (how["kind"] == "monomial" or len(parity) > 1 or len(signs) > 1)):
                return None
    same = [face["exponents"] for face in node["data"]["faces"]] == [
        face["exponents"] for face in before["data"]["faces"]
    ]
    return "another proof" if same else None


def _faces(node: Json, before: Json) -> str | None:
    """The same faces with the same proofs, in another order, and no reference to them by number."""

    def listed(of: Json) -> Counter[str]:
        return Counter(
            json.dumps([sorted(face["exponents"]), face["proof"]], sort_keys=True) for face in of["data"]["faces"]
        )

    def referred(of: Json) -> list[Any]:
        data = of["data"]
        entries = [*data.get("zeros", []), *data.get("charts", []), *([data["zero"]] if "zero" in data else [])]
        return [sorted(data["faces"][entry["face"]]["exponents"]) for entry in entries]

    return "the same faces" if listed(node) == listed(before) and referred(node) == referred(before) else None


def _forms(node: Json, before: Json) -> str | None:
    """Other forms with the same product, pairwise independent, by sympy."""
    germ, data = node["germ"], node["data"]
    names = sympy.symbols(f"v:{len(germ['variables'])}")
    forms = [sum(sympy.Rational(c) * x for c, x in zip(row, names, strict=True)) for row in data["forms"]]
    product = sympy.prod(form**s for form, s in zip(forms, data["exponents"], strict=True))
    different = all(sympy.cancel(p / q).free_symbols for p, q in itertools.combinations(forms, 2))
    same = sympy.expand(product * _expression(data["unit"], names) - _expression(germ["generators"][0], names)) == 0
    return "the same product" if different and same else None


def _symmetries(node: Json, before: Json) -> str | None:
    """A permutation that keeps centre, prior, boundaries, and generators up to sign, and leads to a chart."""
    germ, data = node["germ"], node["data"]
    listed = {chart["variable"] for chart in data["charts"]}
    generators = [{tuple(a): Fraction(c) for a, c in f} for f in germ["generators"]]
    either_sign = [*generators, *({a: -c for a, c in f.items()} for f in generators)]
    for gone, images in data["symmetries"].items():
        places = [images.index(i) for i in range(len(images))]
        moved = [{tuple(a[place] for place in places): c for a, c in f.items()} for f in generators]
        kept = all(germ[key][i] == germ[key][j] for key in ("prior", "nonnegative") for i, j in enumerate(images))
        centred = {images[i] for i in data["centre"]} == set(data["centre"])
        reached = {images[int(gone)], places[int(gone)]} & listed
        if not (kept and centred and reached and all(f in either_sign for f in moved)):
            return None
    return "another symmetry"


def _block(node: Json, before: Json) -> str | None:
    """The same block of a face, its exponents in another order."""

    def listed(of: Json) -> list[list[str]]:
        return [sorted(map(json.dumps, face["proof"].get("exponents", []))) for face in of["data"]["faces"]]

    return "the same block" if listed(node) == listed(before) else None


def _terms_of_proof(node: Json, before: Json) -> str | None:
    """The same combination of derivatives, its summands in another order."""

    def listed(of: Json) -> list[list[str]]:
        return [sorted(map(json.dumps, face["proof"].get("terms", []))) for face in of["data"]["faces"]]

    return "the same sum" if listed(node) == listed(before) else None


def _matrices(node: Json, before: Json) -> str | None:
    """A product with the same entries, or a matrix with the same minors, by sympy."""
    names = sympy.symbols(f"v:{len(node['germ']['variables'])}")
    if "size" in node["data"]:
        rows = sympy.Matrix([[names[i] for i in row] for row in node["data"]["matrix"]])
        size, found = node["data"]["size"], []
        for chosen in itertools.combinations(range(rows.rows), size):
            for columns in itertools.combinations(range(rows.cols), size):
                found.append(rows.extract(list(chosen), list(columns)).det())
    else:
        product = sympy.eye(len(node["data"]["matrices"][0][0]))
        for matrix in node["data"]["matrices"]:
            product = sympy.Matrix([[names[i] for i in row] for row in matrix]) * product
        found = list(product)
    mine = {sympy.Poly(entry, *names).monic() for entry in found}
    given = {
        sympy.Poly.from_dict({tuple(a): sympy.Rational(c) for a, c in f}, *names).monic()
        for f in node["germ"]["generators"]
    }
    return "the same matrix entries" if mine == given else None


def _expression(polynomial: Json, symbols: Sequence[sympy.Expr]) -> sympy.Expr:
    return sum(
        (sympy.Rational(c) * sympy.prod(x**e for x, e in zip(symbols, a, strict=True)) for a, c in polynomial),
        sympy.Integer(0),
    )


def _map(node: Json, before: Json) -> str | None:
    """Another change of coordinates to the same child, up to units, by sympy."""
    germ, child = node["germ"], node["children"][0]["germ"]
    names = sympy.symbols(f"v:{len(germ['variables'])}")
    images = [_expression(image, names) for image in node["data"]["map"]]
    origin = dict.fromkeys(names, 0)
    fixed = all(
        image == x or (germ["prior"][i] == "0" and not germ["nonnegative"][i])
        for i, (x, image) in enumerate(zip(names, images, strict=True))
    )
    invertible = sympy.Matrix(images).jacobian(names).subs(origin).det() != 0 and not any(
        h.subs(origin) for h in images
    )
    same = all(
        sympy.expand(_expression(g, images) - _expression(unit, names) * _expression(f, names)) == 0
        and _expression(unit, names).subs(origin) != 0
        for f, g, unit in zip(germ["generators"], child["generators"], node["data"]["units"], strict=True)
    )
    return "another map" if fixed and invertible and same and not node.get("parameters") else None


def _matrix_of_chart(node: Json, before: Json) -> str | None:
    """Another chart of the same exceptional curve, around the same point, with the same child, by sympy."""
    t, s = sympy.symbols("t s")
    for chart, was, child in zip(node["data"]["charts"], before["data"]["charts"], node["children"], strict=True):
        (a, b), (c, d) = chart["matrix"]
        if abs(a * d - b * c) != 1 or [a, c] != [row[0] for row in was["matrix"]] or chart["face"] != was["face"]:
            return None
        centre = sympy.Rational(chart["root"]) + s
        for f, g in zip(node["germ"]["generators"], child["germ"]["generators"], strict=True):
            quotient = sympy.cancel(_expression(f, [t**a * centre**b, t**c * centre**d]) / _expression(g, [t, s]))
            if quotient.subs(s, 0) in (0, sympy.zoo, sympy.nan) or quotient.free_symbols - {s}:
                return None
    return "another chart"


def _same_germ(node: Json, before: Json) -> str | None:
    """Another derivation of the same germ, from a certificate with the same hypotheses."""
    same = canonical(node["germ"]) == canonical(before["germ"]) and node.get("parameters") == before.get("parameters")
    return "another derivation" if same else None


def _children_of_best(node: Json, before: Json) -> str | None:
    """Derivations of the same germ that were there, among them those that the bounds come from."""
    children = node["children"]
    known = all(child in before["children"] for child in children)
    enough = all(node[side] in [child[side] for child in children] for side in ("lower", "upper"))
    return "enough derivations" if node["rule"] == "best" and known and enough else None


def _sign_of_a_square(node: Json, before: Json) -> str | None:
    """The root of an even power, or a summand of squares, with the opposite sign."""
    even = node["rule"] == "squares" or (node["rule"] == "power" and node["data"]["exponent"] % 2 == 0)
    if not even:
        return None
    names = sympy.symbols(f"v:{len(node['germ']['variables'])}")
    now, then = ([_expression(f, names) for f in of["children"][0]["germ"]["generators"]] for of in (node, before))
    same = len(now) == len(then) and all(sympy.expand(f**2 - g**2) == 0 for f, g in zip(now, then, strict=True))
    return "the same square" if same else None


def _label(node: Json, before: Json) -> str:
    return "a label"


def _sorted(key: str) -> Callable[[Json, Json], str | None]:
    def same(node: Json, before: Json) -> str | None:
        return "the same set" if sorted(map(json.dumps, node[key])) == sorted(map(json.dumps, before[key])) else None

    return same


def _transversal_proofs(node: Json, before: Json) -> str | None:
    """Every proof once more, by sympy: real roots on an edge, or an identity of Laurent polynomials."""
    data = node["data"]
    x = sympy.symbols(f"x:{len(node['germ']['variables'])}")
    return "another proof" if all(_holds(data["factors"], proof, node, x) for proof in data["proofs"]) else None


def _holds(factors: Json, proof: Json, node: Json, x: Sequence[sympy.Symbol]) -> bool:
    parts = []
    for index in proof["factors"]:
        levels = [sum(w * e for w, e in zip(proof["weight"], exponent, strict=True)) for exponent, _ in factors[index]]
        lowest = [term for term, level in zip(factors[index], levels, strict=True) if level == min(levels)]
        origin = min(exponent for exponent, _ in lowest)
        moved = [([a - b for a, b in zip(e, origin, strict=True)], sympy.Rational(c)) for e, c in lowest]
        parts.append(sympy.Add(*(c * sympy.prod(v**a for v, a in zip(x, e, strict=True)) for e, c in moved)))
    if proof["kind"] in ("sign", "edge"):
        return True  # says nothing that could be false: what follows is computed by the checker
    if proof["kind"] == "definite":
        return _is_definite_combination(factors, proof, x)

    def along(p: sympy.Expr, direction: Sequence[int]) -> sympy.Expr:
        return sympy.expand(sympy.Add(*(c * v * sympy.diff(p, v) for c, v in zip(direction, x, strict=True))))

    directions = proof["directions"]
    if proof["kind"] == "independent":
        table = [[along(p, direction) for direction in directions] for p in parts]
        derived = [sympy.Matrix([[row[k] for k in label] for row in table]).det() for label in proof["derived"]]
    else:
        derived = []
        for label in proof["derived"]:
            image = parts[0]
            for direction, times in zip(directions, label, strict=True):
                for _ in range(times):
                    image = along(image, direction)
            derived.append(image)
    total = -sympy.prod(v**a for v, a in zip(x, proof["monomial"], strict=True))
    for cofactor, p in zip(proof["cofactors"], [*parts, *derived], strict=True):
        total += p * sympy.Add(
            *(sympy.Rational(c) * sympy.prod(v**a for v, a in zip(x, e, strict=True)) for e, c in cofactor)
        )
    return bool(sympy.expand(total) == 0)


def _is_definite_combination(factors: Json, proof: Json, x: Sequence[sympy.Symbol]) -> bool:
    gram = sympy.Matrix([[sympy.Rational(entry) for entry in row] for row in proof["gram"]])
    roots = sympy.Matrix([sympy.prod(v**a for v, a in zip(x, root, strict=True)) for root in proof["roots"]])
    form = sympy.prod(v**a for v, a in zip(x, proof["origin"], strict=True)) * (roots.T * gram * roots)[0]
    for index, weight in zip(proof["factors"], proof["weights"], strict=True):
        lowest = _least(proof["weight"], factors[index])
        for exponent, c in factors[index]:
            if tuple(exponent) in lowest:
                monomial = sympy.prod(v**a for v, a in zip(x, exponent, strict=True))
                form -= sympy.Rational(weight) * sympy.Rational(c) * monomial
    return bool(sympy.expand(form) == 0 and (gram.is_positive_definite or gram.is_negative_definite))


def _transversal_kept(node: Json, before: Json) -> str | None:
    """Fewer generators span a smaller ideal, whose pair is no better: still a bound from below, wherever it is cut."""
    cones = zip(node["data"]["cones"], before["data"]["cones"], strict=True)
    return "fewer generators" if all(_fewer(now, then) for now, then in cones) else None


def _fewer(now: Json, then: Json) -> bool:
    if "kept" in now:
        return set(now["kept"]) <= set(then.get("kept", ()))
    sides = ("above", "below")
    return all(side in then and _fewer(now[side], then[side]) for side in sides)


def _transversal_zeros(node: Json, before: Json) -> str | None:
    """The same zeros again, or one that sympy confirms where only coordinates or the radius changed."""
    now, then = node["data"]["zeros"], before["data"]["zeros"]
    if now and all(entry in then for entry in now):
        return "the same zeros"
    for entry, other in zip(now, then, strict=False):
        rest, was = ({**one, "zero": None, "rays": None} for one in (entry, other))
        if rest != was or len(now) != len(then) or not _in_one_cone(entry["rays"], node) or not _is_zero(entry, node):
            return None
    return "another zero"


def _in_one_cone(rays: Json, node: Json) -> bool:
    """Whether what is lowest at the sum of the rays is lowest at every ray."""
    total = [sum(column) for column in zip(*rays, strict=True)]
    for factor in node["data"]["factors"]:
        lowest = [_least(weight, factor) for weight in (total, *rays)]
        if not all(lowest[0] <= other for other in lowest[1:]):
            return False
    return min(total) > 0 and min(map(min, rays)) >= 0 and sympy.Matrix(rays).rank() == len(rays)


def _least(weight: Sequence[int], factor: Json) -> set[tuple[int, ...]]:
    levels = {tuple(e): sum(w * a for w, a in zip(weight, e, strict=True)) for e, _ in factor}
    return {e for e, level in levels.items() if level == min(levels.values())}


def _is_zero(entry: Json, node: Json) -> bool:
    x = sympy.symbols(f"x:{len(node['germ']['variables'])}")
    weight = [sum(column) for column in zip(*entry["rays"], strict=True)]
    point = dict(zip(x, map(sympy.Rational, entry["zero"]["point"]), strict=True))
    solved, radius = [x[i] for i in entry["zero"]["solved"]], sympy.Rational(entry["zero"]["radius"])
    parts = []
    for index in entry["factors"]:
        factor = node["data"]["factors"][index]
        levels = [sum(w * e for w, e in zip(weight, exponent, strict=True)) for exponent, _ in factor]
        lowest = [term for term, level in zip(factor, levels, strict=True) if level == min(levels)]
        parts.append(
            sympy.Add(*(sympy.Rational(c) * sympy.prod(v**a for v, a in zip(x, e, strict=True)) for e, c in lowest))
        )
    held = {v: value for v, value in point.items() if v not in solved}
    slope = sympy.Matrix([[sympy.diff(p, v) for v in solved] for p in parts]).subs(point)
    if radius == 0:
        return all(p.subs(point) == 0 for p in parts) and slope.det() != 0
    root = sympy.nsolve([p.subs(held) for p in parts], solved, [point[v] for v in solved], prec=40)
    return all(abs(value - point[v]) <= radius for v, value in zip(solved, root, strict=True))


def _of_transversal(test: Callable[[Json, Json], str | None]) -> Callable[[Json, Json], str | None]:
    return lambda node, before: test(node, before) if node["rule"] == "transversal" else None


def _arc(node: Json, before: Json) -> str | None:
    """Another arc that shows the same: the sign of f, or that f is not only its quadratic part."""
    germ, arc = node["germ"], node["data"]["arc"]
    names, t = sympy.symbols(f"v:{len(germ['variables'])}"), sympy.Symbol("t", positive=True)
    f = _expression(germ["generators"][0], names)
    live = [names[i] for i in node["data"].get("live", [node["data"].get("variable")])]
    hessian = sympy.hessian(f, live).subs(dict.fromkeys(names, 0))
    curve = [_expression(series, [t]) for series in arc]
    first = [sympy.Poly(series, t).terms()[-1] if series != 0 else ((1,), 0) for series in curve]
    if any(order == 0 or (one and c < 0) for ((order,), c), one in zip(first, germ["nonnegative"], strict=True)):
        return None

    def lowest(value: Any) -> tuple[Any, Any]:
        along = sympy.expand(value.subs(dict(zip(names, curve, strict=True)), simultaneous=True))
        (order,), c = sympy.Poly(along, t).terms()[-1] if along != 0 else ((sympy.oo,), 0)
        return order, c

    order, c = lowest(f)
    if hessian.is_positive_definite or hessian.is_negative_definite:
        return "another arc" if c * hessian[0, 0] < 0 else None
    return "another arc" if order < 2 * min(lowest(f.diff(x))[0] for x in live) else None


NODE = r"(derivation(?:/children/\d+)*?)"


def _rank(node: Json, before: Json) -> str | None:
    """Other independent generators, another modulus, or other zeros of the same dimension, by sympy."""
    germ, data = node["germ"], node["data"]
    c = sympy.sqrt(2)  # the one field in the examples
    names = sympy.symbols(f"v:{len(germ['variables'])}")

    def number(parts: Any) -> sympy.Expr:
        listed = parts if isinstance(parts, list) else [parts]
        return sum((sympy.Rational(part) * c**k for k, part in enumerate(listed)), sympy.Integer(0))

    def read(polynomial: Json, symbols: Sequence[sympy.Expr]) -> sympy.Expr:
        return sum(
            (number(v) * sympy.prod(x**e for x, e in zip(symbols, a, strict=True)) for a, v in polynomial),
            sympy.Integer(0),
        )

    generators = [read(f, names) for f in germ["generators"]]
    origin = dict.fromkeys(names, 0)
    rows = [[generators[slot].diff(x).subs(origin) for x in names] for slot in data["generators"]]
    if rows and sympy.Matrix(rows).rank() < len(before["data"]["generators"]):
        return None
    if (data["zeros"] is None) != (before["data"]["zeros"] is None):
        return None
    if data["zeros"] is not None:
        zeros = data["zeros"]
        parameters = sympy.symbols(f"t:{len(zeros['parameters'])}")
        below = [read(f, [*parameters, *[0] * len(zeros["denominators"])]) for f in zeros["denominators"]]
        along = [read(f, [*parameters, *(1 / d for d in below)]) for f in zeros["coordinates"]]
        start = dict.fromkeys(parameters, 0)
        fields = [[(i, read(f, names)) for i, f in entry] for entry in zeros["fields"]]
        images = dict(zip(names, along, strict=True))
        vanish = all(sympy.cancel(f.subs(images, simultaneous=True)) == 0 for f in generators)
        still = all(
            sympy.expand(sum(p * f.diff(names[i]) for i, p in entry)) == 0 for f in generators for entry in fields
        )
        directions = [[x.diff(t).subs(start) for x in along] for t in parameters]
        directions += [
            [dict(entry).get(i, sympy.Integer(0)).subs(origin) for i in range(len(names))] for entry in fields
        ]
        at_point = all(x.subs(start) == 0 for x in along)
        size = len(before["data"]["zeros"]["parameters"]) + len(before["data"]["zeros"]["fields"])
        if not (vanish and still and at_point and sympy.Matrix(directions).rank() == size == len(directions)):
            return None
    return "another proof of the rank"


_WITNESSES: list[tuple[str, Callable[[Json, Json], str | None]]] = [
    (NODE + r"/data(/.*)?", lambda n, b: _rank(n, b) if n["rule"] == b["rule"] == "rank" else None),
    (NODE + r"/germ/variables(/.*)?", _label),
    (
        NODE + r"/data/(weights|multipliers|support)(/.*)?",
        lambda n, b: _weights(n, b) if n["rule"] == "bounds" else _programme(n, b),
    ),
    (NODE + r"/data/zeros?(/.*)?", lambda n, b: _zeros(n, b) if n["rule"] == "newton" else None),
    (NODE + r"/data/zeros(/.*)?", _of_transversal(_transversal_zeros)),
    (NODE + r"/data/proofs(/.*)?", _of_transversal(_transversal_proofs)),
    (NODE + r"/data/cones/.*", _of_transversal(_transversal_kept)),
    (NODE + r"/data/cones", lambda n, b: _sorted("cones")(n["data"], b["data"])),
    (NODE + r"/data/order(/.*)?", _order),
    (NODE + r"/data/degrees(/.*)?", _degrees),
    (NODE + r"/data/faces/\d+/proof/(kind|generator)", _one_term),
    (NODE + r"/data/faces/\d+/proof/terms", _terms_of_proof),
    (NODE + r"/data/(forms|exponents)(/.*)?", _forms),
    (NODE + r"/data/symmetries(/.*)?", _symmetries),
    (NODE + r"/data/(matrix|matrices)(/.*)?", _matrices),
    (NODE + r"/data/map(/.*)?", _map),
    (NODE + r"/data/charts/\d+/matrix(/.*)?", _matrix_of_chart),
    (NODE + r"/data/pairs", lambda n, b: _sorted("pairs")(n["data"], b["data"])),
    (NODE + r"/children", _children_of_best),
    (NODE + r"/children/0(/germ/generators(/.*)?)?", _sign_of_a_square),
    (NODE, _same_germ),
    (NODE + r"/data/faces(/\d+/exponents)?", _faces),
    (NODE + r"/data/faces/\d+/proof/exponents", _block),
    (
        NODE + r"/data(/reason)?",
        lambda n, b: _label(n, b) if n["rule"] == "bounds" and "weights" in n["data"] else None,
    ),
    (NODE + r"/data/centre", lambda n, b: _sorted("centre")(n["data"], b["data"])),
    (NODE + r"/data/live", lambda n, b: _sorted("live")(n["data"], b["data"])),
    (NODE + r"/data/arc(/.*)?", _arc),
    (NODE + r"/parameters", _sorted("parameters")),
]
