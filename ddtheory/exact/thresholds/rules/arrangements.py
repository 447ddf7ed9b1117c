"""Products of linear forms: the threshold of a hyperplane arrangement from its lattice of flats."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element, linear_coefficient, split_unit
from ddtheory.exact.thresholds.nodes import Bound, Data, Node, Solve
from ddtheory.exact.thresholds.wire import polynomial_to_json

_MOST_FLATS = 5_000


def linear_forms(germ: IdealGerm, _solve: Solve) -> Node | None:
    """f = unit · ∏ L_j^{s_j}: κ = min over flats W of (codim W + Σ_{x_i = 0 ⊇ W} h_i)/Σ_{L_j = 0 ⊇ W} s_j.

    m is the length of the longest chain of flats that attain it. The coordinate hyperplanes that carry a prior weight
    belong to the arrangement.
    """
    if len(germ.generators) != 1 or any(germ.nonnegative):
        return None
    unit, found = split_unit(germ.generators[0])
    if not found or any(not _is_linear(factor) for factor, _ in found):
        return None
    vectors = [_vector(factor) for factor, _ in found]
    powers = [Fraction(power) for _, power in found]
    weight = [Fraction(0)] * len(found)
    for index, h in enumerate(germ.prior):
        if not h:
            continue
        axis = [Fraction(int(i == index)) for i in range(germ.dimension)]
        match = next((j for j, vector in enumerate(vectors) if _rank([vector, axis]) == 1), None)
        if match is None:
            vectors.append(axis)
            powers.append(Fraction(0))
            weight.append(h)
        else:
            weight[match] += h
    flats = _flats(vectors)
    if flats is None:
        return None
    ratios = {
        flat: (codimension + sum((weight[j] for j in flat), Fraction(0))) / total
        for flat, codimension in flats.items()
        if (total := sum((powers[j] for j in flat), Fraction(0)))
    }
    value = min(ratios.values())
    multiplicity = _longest_chain([flat for flat, ratio in ratios.items() if ratio == value])
    bound = Bound(value, multiplicity)

    def data() -> Data:
        return {
            "forms": [[str(entry) for entry in _vector(factor)] for factor, _ in found],
            "exponents": [power for _, power in found],
            "unit": polynomial_to_json(unit),
        }

    return Node(
        "arrangement",
        germ,
        bound,
        bound,
        f"A product of {len(found)} linear forms: the flats of the arrangement give κ = {value}, and the longest chain "
        f"of flats that attain it has length {multiplicity}.",
        (),
        data,
    )


def _is_linear(factor: Element) -> bool:
    return all(sum(monomial) == 1 for monomial in factor)


def _vector(factor: Element) -> list[Fraction]:
    values: list[Any] = [linear_coefficient(factor, i) for i in range(factor.ring.ngens)]
    return [Fraction(int(value.numerator), int(value.denominator)) if value else Fraction(0) for value in values]


def _rank(vectors: Sequence[Sequence[Fraction]]) -> int:
    return int(fmpq_mat([[fmpq(x.numerator, x.denominator) for x in vector] for vector in vectors]).rank())


def _flats(vectors: Sequence[Sequence[Fraction]]) -> dict[frozenset[int], int] | None:
    """Every flat but the whole space, as the set of hyperplanes that contain it, with its codimension."""

    def closure(members: frozenset[int]) -> tuple[frozenset[int], int]:
        chosen = [vectors[j] for j in members]
        rank = _rank(chosen)
        return frozenset(j for j in range(len(vectors)) if j in members or _rank([*chosen, vectors[j]]) == rank), rank

    found: dict[frozenset[int], int] = {}
    waiting = [frozenset({j}) for j in range(len(vectors))]
    while waiting:
        flat, rank = closure(waiting.pop())
        if flat in found:
            continue
        found[flat] = rank
        if len(found) > _MOST_FLATS:
            return None
        waiting.extend(flat | {j} for j in range(len(vectors)) if j not in flat)
    return found


def _longest_chain(flats: Sequence[frozenset[int]]) -> int:
    lengths: dict[frozenset[int], int] = {}
    for flat in sorted(flats, key=len):
        lengths[flat] = 1 + max((length for other, length in lengths.items() if other < flat), default=0)
    return max(lengths.values())
