"""Factors of the generators that are smooth and transversal in the torus: then the ideal is monomial at every point.

Let the generators be monomials in coordinates and in factors g_1 … g_r, up to units, and take a toric resolution whose
cones refine the normal fans of all g_i. Over the cone of a weight w, with t_1 … t_k on its rays and s on the torus
beside them, g_i = t^{N_i} (in_w g_i(s) + O(t)). Suppose that the factors with in_w g_i = 0 at a point have independent
differentials there. Then they are coordinates y_i beside t, and the generators are monomials in t and y: the pair
at this point is that of a linear programme,

    κ = min (⟨w, τ⟩ + Σ σ_i) over w in the cone and σ ≥ 0 with Σ_i e_ij (w(g_i) + σ_i) ≥ 1 for every generator j,

w(g) the lowest weight in g, and m is 1 + the dimension of the set of optimal (w, σ). Generators may be left out for a
lower bound; they are harmless for the upper one where they lie in the ideal of the others at the point.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from flint import fmpq, fmpq_mat

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm, shown
from ddtheory.exact.thresholds.germs.local_ring import Element, Monomial, factors, fraction, is_unit
from ddtheory.exact.thresholds.memberships import Membership, membership
from ddtheory.exact.thresholds.nodes import Bound, Data, Node, lower_of_union, upper_of_union
from ddtheory.exact.thresholds.polyhedra.faces import facet_normals
from ddtheory.exact.thresholds.polyhedra.fans import Cone, Vector, common_cones, pairing, primitive
from ddtheory.exact.thresholds.polyhedra.torus import Part
from ddtheory.exact.thresholds.rules.attempt import Attempt
from ddtheory.exact.thresholds.rules.polyhedron import Polyhedron
from ddtheory.exact.thresholds.torus_systems import CommonZeros, common_zeros
from ddtheory.exact.thresholds.torus_zeros import Zero, real_zero
from ddtheory.exact.thresholds.wire import polynomial_to_json

_MOST_FACTORS = 12
_MOST_GENERATORS = 12
_MOST_EFFORT = 20_000  # cones times the cube of the dimension: the programmes of all cones take seconds then
_MOST_CELLS = 4_000  # choices of generators to keep, over all cones
_MOST_TRIED = 6  # cells over which a zero is looked for

Subset = tuple[int, ...]
Orders = Mapping[int, int]  # factors that vanish together, with bounds on the orders of their zeros


def transversal(attempt: Attempt) -> Iterator[Node]:
    """The pair of the programmes over all cones, where transversality can be shown."""
    germ, polyhedron = attempt.germ, attempt.edges
    if polyhedron is None or germ.divergence or len(germ.generators) > _MOST_GENERATORS:
        return  # zeros of K ≥ 0 are never smooth
    split = _split(germ)
    if 0 < len(split.factors) <= _MOST_FACTORS:
        try:
            node = _Search(germ, split, attempt.expired).node(polyhedron)
        except InvalidValueError:
            return  # too many cones, or no time for them
        if node is not None:
            yield node


@dataclass(frozen=True)
class _Product:
    """A generator as unit · x^monomial · ∏ g_i^{powers_i}."""

    unit: Element
    monomial: Monomial
    powers: Mapping[int, int]


@dataclass(frozen=True)
class _Split:
    """The generators as products of common factors that are neither units nor monomials."""

    factors: tuple[Element, ...]
    products: tuple[_Product, ...]

    @cached_property
    def parts(self) -> list[Part]:
        return [{m: fraction(c) for m, c in factor.items()} for factor in self.factors]


def _split(germ: IdealGerm) -> _Split:
    known: list[Element] = []
    products: list[_Product] = []
    for generator in germ.generators:
        constant, found = factors(generator)
        unit, monomial, powers = germ.ring.ground_new(constant), [0] * germ.dimension, {}
        for factor, power in found:
            if is_unit(factor):
                unit *= factor**power
            elif len(factor) == 1:
                ((exponent, coefficient),) = factor.items()
                unit *= coefficient**power
                monomial = [x + power * y for x, y in zip(monomial, exponent, strict=True)]
            else:
                if factor not in known:
                    known.append(factor)
                powers[known.index(factor)] = power
        products.append(_Product(unit, tuple(monomial), powers))
    return _Split(tuple(known), tuple(products))


@dataclass(frozen=True)
class _Cell:
    """A cone with the generators that are kept there, and the pair that these have at the points over it.

    Attributes:
        kept: the numbers of the generators.
        orders: the factors that may vanish together, where the pair is least.
        pair: that of the programme.
        optimal: its optimal vertices (w, σ).
    """

    cone: Cone
    kept: Subset
    orders: Orders
    pair: Bound
    optimal: tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class _Tree:
    """A cone, cut by walls until every piece is a cell."""

    cone: Cone
    cell: _Cell | None
    wall: Vector = ()
    halves: tuple[_Tree, ...] = ()

    @property
    def cells(self) -> list[_Cell]:
        return [self.cell] if self.cell else [cell for half in self.halves for cell in half.cells]

    def to_json(self) -> dict[str, Any]:
        if self.cell:
            return {"kept": list(self.cell.kept)}
        above, below = self.halves
        return {"wall": list(self.wall), "above": above.to_json(), "below": below.to_json()}


@dataclass(frozen=True)
class _Shown:
    """A point over a cone at which factors vanish, and why the other generators do not matter there."""

    rays: tuple[Vector, ...]
    kept: Subset
    factors: Subset
    zero: Zero
    memberships: Mapping[int, Membership]
    pair: Bound

    def to_json(self) -> dict[str, Any]:
        return {
            "rays": [list(ray) for ray in self.rays],
            "kept": list(self.kept),
            "factors": list(self.factors),
            "zero": self.zero.to_json(),
            "memberships": {str(number): found.to_json() for number, found in sorted(self.memberships.items())},
        }


class _Search:
    def __init__(self, germ: IdealGerm, split: _Split, expired: Callable[[], bool]) -> None:
        self.germ, self.split, self.expired = germ, split, expired
        self.every = tuple(range(len(split.products)))
        self.cells = 0
        # what is proven of the lowest parts of some factors: by the factors and their parts, with a weight of these
        self.proofs: dict[tuple[Subset, frozenset[Any]], tuple[Vector, CommonZeros]] = {}

    def node(self, polyhedron: Polyhedron) -> Node | None:
        cones = common_cones([list(part) for part in self.split.parts], self.expired)
        if len(cones) * self.germ.dimension**3 > _MOST_EFFORT:
            return None
        trees: list[_Tree] = []
        for cone in cones:
            tree = self._tree(cone)
            if tree is None:
                return None
            trees.append(tree)
        distance = polyhedron.distance
        corner = Bound(distance.value, distance.multiplicity)
        cells = [cell for tree in trees for cell in tree.cells]
        lower = lower_of_union([corner, *[cell.pair for cell in cells]])
        shown_zeros = self._shown(cells, lower, corner)
        upper = upper_of_union([corner, *[zero.pair for zero in shown_zeros]])

        def data() -> Data:
            return {
                **polyhedron.programme(),
                "factors": [polynomial_to_json(factor) for factor in self.split.factors],
                "products": [
                    {
                        "unit": polynomial_to_json(product.unit),
                        "monomial": list(product.monomial),
                        "powers": [[index, power] for index, power in sorted(product.powers.items())],
                    }
                    for product in self.split.products
                ],
                "proofs": [
                    {"factors": list(subset), "weight": list(weight), "kind": zeros.kind, **zeros.data}
                    for (subset, _), (weight, zeros) in self.proofs.items()
                    if zeros.order is not None
                ],
                "cones": [{"weight": list(tree.cone.weight), **tree.to_json()} for tree in trees],
                "zeros": [zero.to_json() for zero in shown_zeros],
            }

        return Node("transversal", self.germ, lower, upper, self._says(lower, upper, corner, shown_zeros), (), data)

    def _says(self, lower: Bound, upper: Bound, corner: Bound, zeros: Sequence[_Shown]) -> str:
        names = ", ".join(shown(factor, 4) for factor in self.split.factors)
        highest = max((zeros.order or 0 for _, zeros in self.proofs.values()), default=0)
        order = f", or single ones of order at most {highest}" if highest > 1 else ""
        says = f"Over every cone of weights the zeros of {names} in the torus are transversal{order}"
        if zeros:
            weights = "; ".join(" ".join(map(str, ray)) for ray in zeros[-1].rays)
            which = ", ".join(shown(self.split.factors[index], 4) for index in zeros[-1].factors)
            return f"{says}; the weights ({weights}) with the order along the zeros of {which} attain the least ratio."
        if lower == upper:
            return f"{says}; none is worse than the Newton polyhedron."
        return f"{says}; whether one of them attains the lower bound was not shown."

    # --- from below ---

    def _tree(self, cone: Cone) -> _Tree | None:
        """The best cells of a cone; None when there is a point that is not understood.

        Where generators depend on each other, those of least weight tell most of the ideal. So the cone is cut until
        their weights have one order in each piece.
        """
        parts = self._parts(cone.weight)
        cell = self._cell(cone, parts, self.every)
        if cell is not None:
            return _Tree(cone, cell)
        for first, second in itertools.combinations(self.every, 2):
            wall = [x - y for x, y in zip(self._level(first, parts), self._level(second, parts), strict=True)]
            halves = cone.halves(wall)
            if halves:
                trees = tuple(tree for half in halves if (tree := self._tree(half)) is not None)
                return _Tree(cone, None, tuple(wall), trees) if len(trees) == 2 else None
        cell = self._lightest(cone, parts)
        return None if cell is None else _Tree(cone, cell)

    def _lightest(self, cone: Cone, parts: Sequence[Part]) -> _Cell | None:
        """The generators of least weight that do not depend on each other, taken one by one."""
        ordered = sorted(self.every, key=lambda number: pairing(cone.weight, self._level(number, parts)))
        found: _Cell | None = None
        kept: Subset = ()
        for number in ordered:
            cell = self._cell(cone, parts, tuple(sorted((*kept, number))))
            if cell is not None:
                found, kept = cell, cell.kept
        return found

    def _cell(self, cone: Cone, parts: Sequence[Part], kept: Subset) -> _Cell | None:
        self.cells += 1
        if self.cells > _MOST_CELLS:
            raise InvalidValueError(f"More than {_MOST_CELLS} choices of generators were tried.")
        together = self._vanishing(cone.weight, parts, kept)
        if together is None:
            return None
        pairs = [(orders, *self._pair(cone.rays, parts, kept, orders)) for orders in together]
        orders, pair, optimal = min(pairs, key=lambda entry: (entry[1].value, -(entry[1].m or 0)))
        return _Cell(cone, kept, orders, pair, optimal)

    def _vanishing(self, weight: Vector, parts: Sequence[Part], kept: Subset) -> list[Orders] | None:
        """The largest sets of factors that may vanish together, with their orders; None where they are not understood.

        Only a factor that vanishes alone may do so with an order above 1.
        """
        used = sorted({index for number in kept for index in self.split.products[number].powers})
        active = [index for index in used if len(parts[index]) > 1]
        never: list[Subset] = []
        found: list[Orders] = [{}]
        for size in range(1, len(active) + 1):
            for subset in itertools.combinations(active, size):
                if any(set(smaller) <= set(subset) for smaller in never):
                    continue
                order = self._order(subset, weight, parts)
                if order is None:
                    return None
                if not order:
                    never.append(subset)
                elif any(orders[index] > 1 for orders in found for index in orders if index in subset):
                    return None
                else:
                    found.append(dict.fromkeys(subset, order))
        return [orders for orders in found if not any(orders.keys() < larger.keys() for larger in found)]

    def _order(self, subset: Subset, weight: Vector, parts: Sequence[Part]) -> int | None:
        """The order of the common zeros of the lowest parts of some factors, as in `CommonZeros`."""
        key = subset, frozenset((index, exponent) for index in subset for exponent in parts[index])
        if key not in self.proofs:
            found = common_zeros([parts[index] for index in subset], self.germ.nonnegative, self.expired)
            self.proofs[key] = weight, found
        return self.proofs[key][1].order

    # --- the programme over a cone ---

    def _parts(self, weight: Sequence[int]) -> list[Part]:
        """The lowest part of every factor."""
        found: list[Part] = []
        for part in self.split.parts:
            least = min(pairing(weight, exponent) for exponent in part)
            found.append({e: c for e, c in part.items() if pairing(weight, e) == least})
        return found

    def _level(self, number: int, parts: Sequence[Part]) -> Vector:
        """An exponent a with w(f) = ⟨w, a⟩ for all w in the cone of these parts."""
        product = self.split.products[number]
        found = list(product.monomial)
        for index, power in product.powers.items():
            found = [x + power * y for x, y in zip(found, min(parts[index]), strict=True)]
        return tuple(found)

    def _pair(
        self, rays: Sequence[Vector], parts: Sequence[Part], kept: Subset, orders: Orders
    ) -> tuple[Bound, tuple[tuple[Fraction, ...], ...]]:
        """The pair of the monomial ideal in t and y, and the optimal (w, σ)."""
        exponents = [
            (
                *(pairing(ray, self._level(number, parts)) for ray in rays),
                *(order * self.split.products[number].powers.get(index, 0) for index, order in orders.items()),
            )
            for number in kept
        ]
        discrepancies = [
            sum((x * (h + 1) for x, h in zip(ray, self.germ.prior, strict=True)), Fraction(0)) for ray in rays
        ]
        costs = [*discrepancies, *[Fraction(1)] * len(orders)]
        ratios: list[tuple[Fraction, list[Fraction]]] = []
        for normal in facet_normals(exponents, self.expired):
            level = min(sum((x * y for x, y in zip(normal, e, strict=True)), Fraction(0)) for e in exponents)
            if level:
                scaled = [x / level for x in normal]
                ratios.append((sum((x * y for x, y in zip(scaled, costs, strict=True)), Fraction(0)), scaled))
        least = min(ratio for ratio, _ in ratios)
        optimal: list[tuple[Fraction, ...]] = []
        for ratio, scaled in ratios:
            if ratio == least:
                weights = [
                    sum((c * ray[i] for c, ray in zip(scaled, rays, strict=False)), Fraction(0))
                    for i in range(self.germ.dimension)
                ]
                optimal.append((*weights, *scaled[len(rays) :]))
        rank = fmpq_mat([[fmpq(x.numerator, x.denominator) for x in row] for row in optimal]).rank()
        return Bound(least, int(rank)), tuple(optimal)

    # --- from above ---

    def _shown(self, cells: Sequence[_Cell], lower: Bound, corner: Bound) -> list[_Shown]:
        """A zero that attains the lower bound, where the Newton polyhedron does not."""
        if lower == corner:
            return []
        for cell in [cell for cell in cells if cell.pair == lower][:_MOST_TRIED]:
            zero = self._exhibited(cell)
            if zero is not None and upper_of_union([corner, zero.pair]) == lower:
                return [zero]
        return []

    def _exhibited(self, cell: _Cell) -> _Shown | None:
        if any(order > 1 for order in cell.orders.values()):
            return None  # the order is only a bound
        parts = self._parts(cell.cone.weight)
        for size in range(1, len(cell.orders) + 1):
            for chosen in itertools.combinations(cell.orders, size):
                pair, optimal = self._pair(cell.cone.rays, parts, cell.kept, dict.fromkeys(chosen, 1))
                rays = self._point(cell, optimal) if pair == cell.pair else None
                zero = rays and real_zero([parts[index] for index in chosen], self.germ.nonnegative, self.expired)
                if not rays or not zero:
                    continue
                memberships = self._memberships(cell.kept, rays)
                if memberships is not None:
                    pair, _ = self._pair(rays, parts, cell.kept, dict.fromkeys(chosen, 1))
                    return _Shown(rays, cell.kept, chosen, zero, memberships, pair)
        return None

    def _point(self, cell: _Cell, optimal: Sequence[tuple[Fraction, ...]]) -> tuple[Vector, ...] | None:
        """Rays of a cone that holds the optimal weights, and over which the lowest parts are those of the cell."""
        weights = [primitive(row[: self.germ.dimension]) for row in optimal if any(row[: self.germ.dimension])]
        parts = self._parts(cell.cone.weight)
        for vectors in (weights, [*weights, cell.cone.weight]):
            rays = _independent(vectors)
            inside = [sum(column) for column in zip(*rays, strict=True)]
            if rays and all(inside) and self._parts(inside) == parts:
                return rays
        return None

    def _memberships(self, kept: Subset, rays: Sequence[Vector]) -> dict[int, Membership] | None:
        """Why the generators that are not kept lie in the ideal of the others, at the points over the rays."""
        generators = [self.germ.generators[number] for number in kept]
        found: dict[int, Membership] = {}
        for number in self.every:
            if number not in kept:
                proof = membership(self.germ.generators[number], generators, rays, self.expired)
                if proof is None:
                    return None
                found[number] = proof
        return found


def _independent(vectors: Sequence[Vector]) -> tuple[Vector, ...]:
    """The first vectors that are linearly independent, in their order."""
    found: list[Vector] = []
    for vector in vectors:
        if fmpq_mat([list(map(fmpq, row)) for row in [*found, vector]]).rank() > len(found):
            found.append(vector)
    return tuple(found)
