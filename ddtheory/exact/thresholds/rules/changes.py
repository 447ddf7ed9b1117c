"""Changes of coordinates: new coordinates are polynomials in the old ones, invertible near the origin.

Two kinds of change help. A factor of a generator with a linear part becomes a coordinate. And where a face of the
Newton polyhedron has zeros that matter, a shift x ↦ x − q along those zeros (a Newton–Puiseux step) moves them away.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from ddtheory.exact.thresholds.germs.ideal import IdealGerm, shown
from ddtheory.exact.thresholds.germs.local_ring import (
    Element,
    cofactors,
    degree_in,
    eliminant,
    factors,
    greatest_divisor,
    linear_coefficient,
    rational,
    rational_roots,
    resultant,
    ring_of,
    shift,
    split_unit,
    substitute,
    to_flint,
)
from ddtheory.exact.thresholds.nodes import CertificateError, Data, Node, Solve, from_child
from ddtheory.exact.thresholds.polyhedra.faces import Face
from ddtheory.exact.thresholds.rules.polyhedron import newton_polyhedron
from ddtheory.exact.thresholds.wire import polynomial_to_json

_MANY_TERMS = 100


def changed(
    germ: IdealGerm,
    child: Node,
    says: str,
    new: Sequence[Element],
    units: Callable[[], Sequence[Element]] | None = None,
    old: Sequence[Element] = (),
) -> Node:
    """The child is the germ in the coordinates `new`, up to one unit for each generator (1 when left out).

    A family needs the inverse too: the `old` coordinates in terms of the new ones.
    """

    def data() -> Data:
        multipliers = units() if units else [germ.ring.one] * len(germ.generators)
        return {
            "map": [polynomial_to_json(coordinate) for coordinate in new],
            "units": [polynomial_to_json(unit) for unit in multipliers],
            **({"inverse": [polynomial_to_json(coordinate) for coordinate in old]} if old else {}),
        }

    return from_child("coordinates", germ, child, says, data, new=new)


def described(germ: IdealGerm, new: Sequence[Element]) -> str:
    """The coordinates that change, as formulas."""
    moved = [
        f"{name} := {shown(coordinate)}"
        for name, coordinate, old in zip(germ.names, new, germ.ring.gens, strict=True)
        if coordinate != old
    ]
    return ", ".join(moved)


def smooth_factor(germ: IdealGerm, solve: Solve) -> Node | None:
    """A factor p of a generator with ∂p/∂x ≠ 0 becomes the coordinate x; other factors follow up to units.

    Where that would make the generators long and the Newton polyhedron closes the germ as it is, nothing is changed:
    the units could be too large to write down.
    """
    split = [split_unit(generator)[1] for generator in germ.generators]
    everything = [factor for pairs in split for factor, _ in pairs]
    taken = {i for i, x in enumerate(germ.ring.gens) for factor in everything if factor == x}
    candidates = sorted(
        {
            (-sum(power for pairs in split for other, power in pairs if other == factor), len(factor), str(factor), i)
            for factor in everything
            for i in germ.free
            if len(factor) > 1 and i not in taken and linear_coefficient(factor, i)
        }
    )
    by_name = {str(factor): factor for factor in everything} if candidates else {}
    for _, _, name, variable in candidates:
        factor = by_name[name]
        found = _with_coordinate(germ, split, factor, variable)
        if found is None:
            continue
        generators, units = found
        if sum(map(len, generators)) > _MANY_TERMS and _closed_by_newton(germ):
            return None
        new = list(germ.ring.gens)
        new[variable] = factor
        child = solve(germ.with_generators(generators))
        return changed(
            germ,
            child,
            f"The factor {shown(factor)} is smooth and becomes the coordinate {germ.names[variable]}.",
            new,
            units,
        )
    return None


def _closed_by_newton(germ: IdealGerm) -> bool:
    plain = newton_polyhedron(germ, edges_only=True)
    return plain is not None and plain.node.is_exact


def _with_coordinate(
    germ: IdealGerm, split: Sequence[Sequence[tuple[Element, int]]], coordinate: Element, variable: int
) -> tuple[list[Element], Callable[[], list[Element]]] | None:
    """The generators with `coordinate` in place of a variable, and what computes their units."""
    wide = ring_of([*germ.names, "·"])

    def widen(polynomial: Element) -> Element:
        return wide.from_dict({(*m, 0): c for m, c in polynomial.items()})

    relation = widen(coordinate) - wide.gens[-1]
    images: dict[Element, tuple[Element, Element]] = {}
    for factor in {factor for pairs in split for factor, _ in pairs}:
        if factor == coordinate:
            continue
        target = widen(factor)
        found = eliminant(target, relation, variable)
        if found is None or not found:
            return None
        narrow = germ.ring.from_dict(
            {tuple(m[-1] if i == variable else m[i] for i in range(germ.dimension)): c for m, c in found.items()}
        )
        images[factor] = (narrow, found)
    generators: list[Element] = []
    for pairs in split:
        product = germ.ring.one
        for factor, power in pairs:
            product = product * (germ.ring.gens[variable] if factor == coordinate else images[factor][0]) ** power
        generators.append(product)

    def units() -> list[Element]:
        multipliers: dict[Element, Element] = {}
        for factor, (_, found) in images.items():
            pair = cofactors(widen(factor), relation, variable, found)
            if pair is None:
                raise CertificateError("The unit of a change of coordinates is too large to write down.")
            multipliers[factor] = substitute(pair[0], [*germ.ring.gens, coordinate], germ.ring)
        result: list[Element] = []
        for generator, pairs in zip(germ.generators, split, strict=True):
            unit = germ.ring.one * (1 / split_unit(generator)[0].coeff(1))
            for factor, power in pairs:
                if factor != coordinate:
                    unit = unit * multipliers[factor] ** power
            result.append(unit)
        return result

    return generators, units


def shifts(germ: IdealGerm, face: Face) -> Iterator[list[Element]]:
    """Coordinates in which zeros of a face ideal move away, as lists `new` in terms of the old ones."""
    seen: set[str] = set()
    for new in itertools.chain(_along_factors(germ, face), _along_symmetries(germ, face), _along_zeros(germ, face)):
        key = str(new)
        if key not in seen:
            seen.add(key)
            yield new


def _parts(germ: IdealGerm, face: Face) -> list[Element]:
    parts = [
        germ.ring.from_dict({m: c for m, c in generator.items() if m in face.exponents})
        for generator in germ.generators
    ]
    return [part for part in parts if part]


def _along_factors(germ: IdealGerm, face: Face) -> Iterator[list[Element]]:
    """A common factor a·x + q(others) of the face polynomials: x := x + q/a."""
    shared = greatest_divisor(_parts(germ, face))
    found = sorted(factors(shared)[1], key=lambda pair: (-pair[1], len(pair[0])))
    for factor, _ in found:
        if len(factor) < 2:
            continue
        options = [
            i for i in germ.free if linear_coefficient(factor, i) and degree_in(factor, i) == 1 and _alone(factor, i)
        ]
        # shift the variable of largest weight: the others stay what they are
        for variable in sorted(options, key=lambda i: -_total_degree(factor, i)):
            new = list(germ.ring.gens)
            new[variable] = factor * (1 / linear_coefficient(factor, variable))
            yield new


def _without_monomial(part: Element) -> Element:
    least = tuple(min(column) for column in zip(*part, strict=True))
    return part.ring.from_dict({tuple(a - b for a, b in zip(m, least, strict=True)): c for m, c in part.items()})


def _alone(factor: Element, index: int) -> bool:
    """Whether the variable occurs in one term only, as x to the power 1."""
    return sum(1 for monomial in factor if monomial[index]) == 1


def _total_degree(factor: Element, index: int) -> int:
    return max(sum(monomial) for monomial in factor if not monomial[index])


def _along_symmetries(germ: IdealGerm, face: Face) -> Iterator[list[Element]]:
    """A field ∂_p + Σ c_i p^{a_i − 1} ∂_i that kills the face polynomials: x_i := x_i − (c_i/a_i) p^{a_i}.

    In the new coordinates the face polynomials do not contain p. On the face, x_i and p^{a_i} have equal weight.
    """
    everything = _parts(germ, face)
    parts = [_without_monomial(part) for part in everything]
    used = sorted({i for part in parts for m in part for i, e in enumerate(m) if e})
    held = {i for part in everything for i in range(germ.dimension) if all(m[i] for m in part)}
    for pivot in used:
        others = [i for i in used if i != pivot and germ.is_free(i) and i not in held]
        ratios = {i: _ratio(face, pivot, i) for i in others}
        movable = [i for i in others if ratios[i] is not None]
        if not movable:
            continue
        coefficients = _killing_field(parts, germ, pivot, movable, [ratios[i] or 1 for i in movable])
        if coefficients is None:
            continue
        new = list(germ.ring.gens)
        for i, value in zip(movable, coefficients, strict=True):
            power = ratios[i] or 1
            new[i] = new[i] - germ.ring.gens[pivot] ** power * rational(value / power)
        if new != list(germ.ring.gens):
            yield new


def _along_zeros(germ: IdealGerm, face: Face) -> Iterator[list[Element]]:
    """A rational zero c of the face polynomials in the torus: x_i := x_i − c_i (p/c_p)^{a_i} moves it to the p-axis."""
    if face.dimension != 2:
        return
    used = sorted({i for exponent in face.exponents for i, power in enumerate(exponent) if power})
    for pivot in used:
        others = [i for i in used if i != pivot]
        ratios = [_ratio(face, pivot, i) for i in others]
        if len(others) != 2 or None in ratios or not all(germ.is_free(i) for i in others):
            continue
        for place in _rational_zeros(_parts(germ, face), pivot, others):
            new = list(germ.ring.gens)
            for i, ratio, value in zip(others, ratios, place, strict=True):
                new[i] = new[i] - germ.ring.gens[pivot] ** (ratio or 1) * rational(value)
            yield new


def _rational_zeros(parts: Sequence[Element], pivot: int, others: Sequence[int]) -> list[tuple[Fraction, Fraction]]:
    """Rational common zeros with pivot = 1 and both other coordinates ≠ 0, critical when there is one polynomial."""
    plane = ring_of(("u", "v"))
    slots = {others[0]: plane.gens[0], others[1]: plane.gens[1]}
    images = [slots.get(i, plane.one) for i in range(parts[0].ring.ngens)]
    system = [substitute(part, images, plane) for part in parts]
    if len(system) == 1:
        system += [system[0].diff(x) for x in plane.gens]
    system = [f for f in system if f]
    if len(system) < 2 or any(f.is_ground for f in system):
        return []
    found: list[tuple[Fraction, Fraction]] = []
    resultants = [resultant(system[0], f, 1) for f in system[1:]]
    for first in rational_roots([f for f in resultants if f], 0):
        lines = [f for f in (shift(g, 0, plane.ground_new(rational(first))) for g in system) if f]
        found.extend((first, second) for second in rational_roots(lines, 1))
    return [place for place in found if all(place)]


def _ratio(face: Face, pivot: int, other: int) -> int | None:
    """The integer a ≥ 1 such that x_other and x_pivot^a may replace each other on the face."""
    exponents = sorted(face.exponents)
    for first, second in itertools.combinations(exponents, 2):
        difference = [x - y for x, y in zip(first, second, strict=True)]
        if all(not entry for i, entry in enumerate(difference) if i not in (pivot, other)) and difference[other]:
            quotient, rest = divmod(-difference[pivot], difference[other])
            return quotient if rest == 0 and quotient >= 1 else None
    return None


def _killing_field(
    parts: Sequence[Element], germ: IdealGerm, pivot: int, movable: Sequence[int], powers: Sequence[int]
) -> list[Fraction] | None:
    """c with (∂_p + Σ c_i p^{a_i − 1} ∂_i) f = 0 for all parts f, by linear algebra."""
    gens = germ.ring.gens
    rows: list[list[Any]] = []
    right: list[Any] = []
    for part in parts:
        images = [part.diff(gens[i]) * gens[pivot] ** (power - 1) for i, power in zip(movable, powers, strict=True)]
        target = part.diff(gens[pivot])
        for monomial in {m for image in [*images, target] for m in image}:
            rows.append([_coefficient(image, monomial) for image in images])
            right.append(-_coefficient(target, monomial))
    if not rows:
        return None
    augmented, rank = fmpq_mat([[*row, value] for row, value in zip(rows, right, strict=True)]).rref()
    count = len(movable)
    pivots = [next(j for j in range(count + 1) if augmented[i, j]) for i in range(rank)]
    if count in pivots:
        return None
    solution = [Fraction(0)] * count
    for i, column in enumerate(pivots):
        value = augmented[i, count]
        solution[column] = Fraction(int(value.p), int(value.q))
    return solution if any(solution) else None


def _coefficient(polynomial: Element, monomial: tuple[int, ...]) -> fmpq:
    return to_flint(polynomial[monomial]) if monomial in polynomial else fmpq(0)


def apply_change(germ: IdealGerm, new: Sequence[Element]) -> IdealGerm:
    """The germ in new coordinates of triangular or linear form, by substituting the inverse."""
    inverse = _inverse(germ, new)
    return germ.with_generators([substitute(generator, inverse, germ.ring) for generator in germ.generators])


def _inverse(germ: IdealGerm, new: Sequence[Element]) -> list[Element]:
    """The old coordinates in terms of the new: x_i − q_i(variables that do not change) is solved by x_i + q_i."""
    images = list(germ.ring.gens)
    for i, coordinate in enumerate(new):
        images[i] = images[i] - (coordinate - germ.ring.gens[i])
    return images
