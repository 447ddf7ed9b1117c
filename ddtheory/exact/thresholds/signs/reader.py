"""Whether K ≥ 0 near the point: proven from the leaves of a derivation upwards, or refuted with an arc.

A derivation may use K ≥ 0, and its steps can show it. For every rule that hands one generator on there is a line in a
table below: which arcs of the children become arcs of the germ, and whether the signs of the children are all there
are. An arc is carried up step by step, and at every germ the generator is evaluated along it, exactly: that shows its
sign, whatever unit a resultant has left in the child. Nothing here uses the hypothesis.

A germ of two variables is decided by its zeros. Where it takes both signs and no arc with rational coefficients shows
them, because the tangents are irrational, `BothSigns` is raised: no step turns K ≥ 0 into such a germ.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_poly

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import (
    Element,
    constant_term,
    degree_in,
    factors,
    fraction,
    support,
    to_flint,
)
from ddtheory.exact.thresholds.nodes import Node
from ddtheory.exact.thresholds.signs.arcs import (
    Arc,
    Series,
    by_names,
    lead,
    monomial_arc,
    solved,
    some_arcs,
    stays_inside,
)
from ddtheory.exact.thresholds.signs.faces import face_signs, root_intervals
from ddtheory.exact.thresholds.signs.means import is_positive_by_means
from ddtheory.exact.thresholds.signs.plane import BothSigns, is_short, signs_in_plane
from ddtheory.exact.thresholds.signs.valleys import negative_arc

_MOST_ARCS = 24  # that are carried up from a child
_TURNING = frozenset({"square"})  # rules whose child may take both signs where the germ does not
_MOST_TERMS = 60  # of a polynomial whose faces are looked at where the derivation did not


@dataclass(frozen=True)
class Signs:
    """What is known of the signs of a generator near its point, 0 apart.

    Attributes:
        arcs: an arc to the point for every sign that was seen.
        complete: the generator takes no other sign.
    """

    arcs: Mapping[int, Arc]
    complete: bool


_NOTHING = Signs({}, False)


class SignReader:
    """Reads the signs of a derivation, while there is time."""

    def __init__(self, expired: Callable[[], bool]) -> None:
        self._expired = expired
        self._known: dict[int, Signs] = {}

    def read(self, node: Node) -> Signs:
        """The signs of the only generator; nothing where there are several.

        Raises:
            BothSigns: some germ of two variables below takes both, and so does this one.
        """
        if id(node) not in self._known:
            self._known[id(node)] = self._found(node)
        return self._known[id(node)]

    def _found(self, node: Node) -> Signs:
        rule = _RULES.get(node.rule)
        if rule is None or len(node.germ.generators) != 1 or node.germ.field is not None or self._expired():
            return _NOTHING
        if not node.germ.generators[0]:
            return Signs({}, True)
        f, one_sided = node.germ.generators[0], node.germ.nonnegative
        plane = node.germ.dimension == 2 and not node.germ.parameters
        try:
            arcs, complete = rule(node, self)
        except BothSigns:
            if not plane and node.rule not in _TURNING:
                raise
            arcs, complete = (), False
        seen: dict[int, Arc] = {}
        for arc in itertools.islice(arcs, _MOST_ARCS):
            found = lead(f, arc) if not self._expired() and stays_inside(arc, one_sided) else None
            if found is not None:
                seen.setdefault(found.sign, arc)
        if len(seen) < 2:
            for line, found in some_arcs(f, one_sided):
                seen.setdefault(found.sign, line)
        if plane and not complete and len(seen) < 2 and not self._expired():
            points = signs_in_plane(f, one_sided)
            if points is not None and len(points) > 1:
                raise BothSigns(f, points[-1])
            complete = points is not None and is_short(f)
        return Signs(seen, complete)

    @property
    def expired(self) -> Callable[[], bool]:
        return self._expired


Found = tuple[Iterable[Arc], bool]


# --- rules: how the signs of a generator follow from its children ----------------------------------------------------


def _same(node: Node, reader: SignReader) -> Found:
    """The child holds the same function, up to a unit, in the same coordinates or in some of them."""
    (child,) = node.children
    signs = reader.read(child)
    return _renamed(node, child, signs), signs.complete and len(child.germ.generators) == 1


def _renamed(node: Node, child: Node, signs: Signs) -> Iterator[Arc]:
    for arc in signs.arcs.values():
        yield Arc(tuple(by_names(arc, child.germ.names, node.germ.names)))


def _always(node: Node, reader: SignReader) -> Found:
    """A unit, a square, a definite form: whatever sign it has at one point is the only one."""
    return [monomial_arc([0] * node.germ.dimension, [1] * node.germ.dimension)], True


def _never(node: Node, reader: SignReader) -> Found:
    return [], False


def _power(node: Node, reader: SignReader) -> Found:
    (child,) = node.children
    if node.data()["exponent"] % 2 == 0:
        return [], True
    signs = reader.read(child)
    return _renamed(node, child, signs), signs.complete


def _moved(node: Node, reader: SignReader) -> Found:
    """`node.new` are the coordinates of the child; one that the child has no more is 0 along the step."""
    (child,) = node.children
    signs = reader.read(child)
    return _lifted(node, child, signs), signs.complete and len(child.germ.generators) == 1


def _lifted(node: Node, child: Node, signs: Signs) -> Iterator[Arc]:
    for arc in signs.arcs.values():
        found = lead(child.germ.generators[0], arc)
        if found is None:
            continue
        wanted = by_names(arc, child.germ.names, node.germ.names)
        moved = solved(node.new, wanted, found.order + 2)
        if moved is not None:
            yield moved


def _split(node: Node, reader: SignReader) -> Found:
    """f = ±|y|² + f_red: the square has a sign of its own."""
    arcs, complete = _moved(node, reader)
    gone = [i for i, name in enumerate(node.germ.names) if name not in node.children[0].germ.names]
    return itertools.chain(arcs, [_axis(node.germ, i) for i in gone]), complete


def _square(node: Node, reader: SignReader) -> Found:
    """f = M·g, g = ±x² + g_red, and the child is M·(x² + G) with G = ±g_red up to a unit."""
    (child,) = node.children
    arcs, complete = _moved(node, reader)
    variable = next(i for i, (image, x) in enumerate(zip(node.new, node.germ.ring.gens, strict=True)) if image != x)
    (f,), (below,) = node.germ.generators, child.germ.generators
    # along x = 0 in the child the signs of f and of the child must differ by that of the square, or they take both
    rest = f.ring.from_dict({m: c for m, c in below.items() if not m[variable]})
    turn = _along_axis(f, variable)
    shown: list[Arc] = []
    for line, found in itertools.islice(some_arcs(rest, node.germ.nonnegative), 2) if rest else ():
        series = [fmpq_poly() if i == variable else entry for i, entry in enumerate(line.coordinates)]
        moved = solved(node.new, series, found.order + 2)
        if moved is not None and (along := lead(f, moved)) is not None:
            shown.append(moved)
            complete = complete and along.sign == turn * found.sign
    complete = complete and (not rest or bool(shown))
    steep = _steep(node.germ, variable, max(map(sum, f)) + 1)
    return itertools.chain(arcs, shown, [steep]), complete


def _along_axis(f: Element, variable: int) -> int:
    """The sign of the coefficient of M·x², M the monomial that divides f."""
    least = [min(column) for column in zip(*f, strict=True)]
    least[variable] += 2
    return 1 if f[tuple(least)] > 0 else -1


def _steep(germ: IdealGerm, variable: int, power: int) -> Arc:
    """x = t, and the others a high power of it."""
    return monomial_arc([1] * germ.dimension, [1 if i == variable else power for i in range(germ.dimension)])


def _axis(germ: IdealGerm, index: int) -> Arc:
    return monomial_arc([int(i == index) for i in range(germ.dimension)], [1] * germ.dimension)


def _additive(node: Node, reader: SignReader) -> Found:
    signs = [reader.read(child) for child in node.children]
    arcs = [arc for child, found in zip(node.children, signs, strict=True) for arc in _renamed(node, child, found)]
    return arcs, all(found.complete for found in signs)


def _crossing(node: Node, reader: SignReader) -> Found:
    """A product in disjoint variables: one arc for every choice of signs of the factors."""
    signs = [reader.read(child) for child in node.children]

    def together() -> Iterator[Arc]:
        for choice in itertools.product(*[found.arcs.values() for found in signs]):
            whole = [fmpq_poly()] * node.germ.dimension
            for child, arc in zip(node.children, choice, strict=True):
                parts = by_names(arc, child.germ.names, node.germ.names)
                whole = [x + y for x, y in zip(whole, parts, strict=True)]
            yield Arc(tuple(whole))

    return together(), all(found.complete for found in signs)


def _eliminate(node: Node, reader: SignReader) -> Found:
    """A generator with a linear part in a free variable takes both signs along it."""
    count = node.germ.dimension
    arcs = [
        monomial_arc([side * int(i == k) for i in range(count)], [1] * count) for k in range(count) for side in (1, -1)
    ]
    return arcs, False


def _arrangement(node: Node, reader: SignReader) -> Found:
    return [], all(exponent % 2 == 0 for exponent in node.data()["exponents"])


def _best(node: Node, reader: SignReader) -> Found:
    """All children are this germ."""
    signs = [reader.read(child) for child in node.children]
    arcs = [arc for child, found in zip(node.children, signs, strict=True) for arc in _renamed(node, child, found)]
    return arcs, any(found.complete for found in signs)


def _blow_up(node: Node, reader: SignReader) -> Found:
    """In the chart of x_i, x_j = x_i · u_j for the other variables of the centre."""
    data = node.data()
    arcs: list[Arc] = []
    complete = True
    for chart, child in zip(data["charts"], node.children, strict=True):
        signs = reader.read(child)
        complete = complete and signs.complete
        slot = chart["variable"]
        for arc in signs.arcs.values():
            x = arc.coordinates
            arcs.append(
                Arc(tuple(x[i] * x[slot] if i in data["centre"] and i != slot else x[i] for i in range(len(x))))
            )
    return arcs, complete


def _roots(node: Node, reader: SignReader) -> Found:
    """f = p(v)·g: at a root of p the child is v^e·g, and beside all roots p has signs of its own."""
    variable = node.data()["variable"]
    own = [
        (_univariate(factor, variable), power)
        for factor, power in factors(node.germ.generators[0])[1]
        if support([factor]) == {variable}
    ]
    real = [(interval, power) for factor, power in own for interval in root_intervals(factor)]
    ends = sorted({end for (low, high), _ in real for end in (low, high)} or {fmpq(0)})
    places = [ends[0] - 1, *[(x + y) / 2 for x, y in itertools.pairwise(ends)], ends[-1] + 1]
    signs = [reader.read(child) for child in node.children]
    arcs = [
        Arc(tuple(fmpq_poly([place]) if i == variable else series for i, series in enumerate(arc.coordinates)))
        for found in signs
        for arc in found.arcs.values()
        for place in places
    ]
    even = all(power % 2 == 0 for _, power in real)
    return arcs, even and all(found.complete for found in signs)


def _univariate(factor: Element, variable: int) -> Series:
    values = {monomial[variable]: to_flint(c) for monomial, c in factor.items()}
    return fmpq_poly([values.get(k, fmpq(0)) for k in range(degree_in(factor, variable) + 1)])


def _leaf(node: Node, reader: SignReader) -> Found:
    """Without a derivation below, the Newton polyhedron decides."""
    f = node.germ.generators[0]
    if node.germ.parameters or len(f) > _MOST_TERMS:
        return [], False
    return _by_faces(node, reader, {})


def _newton(node: Node, reader: SignReader) -> Found:
    if len(node.germ.generators[0]) == 1:
        return _by_faces(node, reader, {})
    faces = node.data()["faces"]
    return _by_faces(node, reader, {frozenset(map(tuple, face["exponents"])): face["proof"] for face in faces})


def _toric(node: Node, reader: SignReader) -> Found:
    """Where every root on an edge has its chart, the charts decide: x = t^a s^b, y = t^c s^d at s near the root."""
    data = node.data()
    proofs = {frozenset(map(tuple, face["exponents"])): face["proof"] for face in data["faces"]}
    arcs: list[Arc] = []
    held: dict[frozenset[tuple[int, ...]], int] = {}
    for chart, child in zip(data["charts"], node.children, strict=True):
        signs = reader.read(child)
        (a, b), (c, d) = chart["matrix"]
        face = frozenset(map(tuple, data["faces"][chart["face"]]["exponents"]))
        held[face] = held.get(face, 0) + signs.complete
        for arc in signs.arcs.values():
            root = Fraction(chart["root"])  # where it is not rational, no arc is known
            t, s = arc.coordinates
            s = s + fmpq(root.numerator, root.denominator)
            arcs.append(Arc((t**a * s**b, t**c * s**d)))
    found, complete = _by_faces(node, reader, proofs, held)
    return itertools.chain(found, arcs), complete


def _by_faces(
    node: Node,
    reader: SignReader,
    proofs: Mapping[frozenset[tuple[int, ...]], Mapping[str, object]],
    held: Mapping[frozenset[tuple[int, ...]], int] | None = None,
) -> Found:
    if constant_term(node.germ.generators[0]):
        return _always(node, reader)
    try:
        found = face_signs(node.germ, proofs, reader.expired)
    except InvalidValueError:
        return [], False
    settled = all((held or {}).get(face, 0) >= count for face, count in found.zeros.items())
    complete = (settled and not found.unsettled) or _has_one_sign(node.germ)
    return found.arcs if complete else itertools.chain(found.arcs, _in_valleys(node.germ, reader)), complete


def _has_one_sign(germ: IdealGerm) -> bool:
    """Whether the generator is ≥ 0, or ≤ 0, on the whole domain by the inequality of means."""
    f = germ.generators[0]
    if germ.parameters or len(f) > _MOST_TERMS:
        return False
    terms = {exponent: fraction(c) for exponent, c in f.items()}
    return any(
        is_positive_by_means({a: turn * c for a, c in terms.items()}, germ.nonnegative, or_zero=True)
        for turn in (1, -1)
    )


def _in_valleys(germ: IdealGerm, reader: SignReader) -> Iterator[Arc]:
    """Arcs of either sign that the faces do not show."""
    for turned in (germ, germ.with_generators([-germ.generators[0]])):
        arc = negative_arc(turned, reader.expired)
        if arc is not None:
            yield arc


_RULES: Mapping[str, Callable[[Node, SignReader], Found]] = {
    "squares": _always,
    "zero": _always,
    "unit": _always,
    "variables": _same,
    "generators": _same,
    "contract": _same,
    "power": _power,
    "eliminate": _eliminate,
    "substitution": _never,  # for several generators
    "rank": _never,
    "separable": _never,  # of several generators only
    "additive": _additive,
    "crossing": _crossing,
    "coordinates": _moved,
    "split": _split,
    "jet": _split,
    "square": _square,
    "arrangement": _arrangement,
    "definite": _always,
    "roots": _roots,
    "newton": _newton,
    "toric": _toric,
    "blowup": _blow_up,
    "best": _best,
    "matrix_product": _leaf,
    "minors": _leaf,
    "vandermonde": _leaf,
    "transversal": _leaf,
    "saddle": _leaf,
    "suspension": _leaf,
    "bounds": _leaf,
}
