"""Many regular coordinates at once: variables that generators of degree 1 in them determine, one after the other."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.nodes import Node, Solve, from_child

# a polynomial by monomials (variable, power), …: a germ in hundreds of variables has terms in a few of them each
Sparse: TypeAlias = "dict[tuple[tuple[int, int], ...], Any]"

_FEW = 8  # so many regular coordinates are eliminated one by one, which shows how
_MOST_TERMS = 400  # of one generator
_MOST_WORK = 20_000  # pairs of terms that one substitution multiplies


def substituted(germ: IdealGerm, solve: Solve) -> Node | None:
    """f = u·x + g with a unit u and a free x that is not in u and g: x = −g/u in the others, and κ = 1 + κ of them.

    Step by step, the shortest first, as long as the generators stay short. Over ℚ only for many variables.
    """
    if not any(germ.generators):
        return None
    elimination = _Elimination(germ)
    elimination.run()
    steps = elimination.steps
    if not steps or (germ.field is None and len(steps) <= _FEW):
        return None
    gone = {variable for _, variable in steps}
    kept = [index for index in range(germ.dimension) if index not in gone]
    child = solve(germ.on(kept, [_dense(f, germ) for f in elimination.current.values()]))
    return from_child(
        "substitution",
        germ,
        child,
        f"{len(steps)} generators determine a variable each, one after the other; κ = {len(steps)} + κ of the others "
        "where these are 0.",
        lambda: {"steps": [list(step) for step in steps]},
        plus=Fraction(len(steps)),
    )


class _Elimination:
    """Generators by their first numbers, and the steps so far."""

    def __init__(self, germ: IdealGerm) -> None:
        self.current: dict[int, Sparse] = {slot: _sparse(f) for slot, f in enumerate(germ.generators)}
        self.steps: list[tuple[int, int]] = []
        self._free = frozenset(germ.free)
        self._holding: dict[int, set[int]] = {}  # variable → generators
        for slot, f in self.current.items():
            self._note(slot, f)

    def _note(self, slot: int, f: Sparse) -> None:
        for monomial in f:
            for variable, _ in monomial:
                self._holding.setdefault(variable, set()).add(slot)

    def run(self) -> None:
        waiting = [(len(f), slot) for slot, f in self.current.items()]
        heapq.heapify(waiting)
        while waiting:
            spend()
            size, slot = heapq.heappop(waiting)
            f = self.current.get(slot)
            if f is None or len(f) != size:
                continue  # it is gone, or has changed and waits once more
            for variable in self._candidates(f):
                changed = self._replaced(slot, variable)
                if changed is None:
                    continue
                del self.current[slot]
                self.steps.append((slot, variable))
                for other, new in changed.items():
                    self.current[other] = new
                    self._note(other, new)
                    heapq.heappush(waiting, (len(new), other))
                break

    def _candidates(self, f: Sparse) -> Iterator[int]:
        """The variables in which f is u·x + g with a unit u, those that few others contain first."""
        linear = [m[0][0] for m in f if len(m) == 1 and m[0][1] == 1 and m[0][0] in self._free]
        powers: dict[int, int] = {}
        for monomial in f:
            for variable, power in monomial:
                powers[variable] = max(power, powers.get(variable, 0))
        usable = [variable for variable in linear if powers[variable] == 1]
        yield from sorted(usable, key=lambda variable: (len(self._holding[variable]), variable))

    def _replaced(self, slot: int, variable: int) -> dict[int, Sparse] | None:
        """The others after the substitution; None where one of them grows too long."""
        f = self.current[slot]
        unit, rest = _by_power(f, variable).get(1, {}), _by_power(f, variable).get(0, {})
        image = {m: -c for m, c in rest.items()}
        found: dict[int, Sparse] = {}
        for other in sorted(self._holding[variable]):
            if other == slot or other not in self.current:
                continue
            new = _substituted(self.current[other], variable, unit, image)
            if new is None:
                return None
            found[other] = new
        return found


def _substituted(f: Sparse, variable: int, unit: Sparse, image: Sparse) -> Sparse | None:
    """unit^n · f(x = image/unit) with n the degree in x; divided by the unit where it is a number."""
    parts = _by_power(f, variable)
    degree = max(parts, default=0)
    if not degree:
        return f
    if set(unit) == {()}:
        image, unit = {m: c / unit[()] for m, c in image.items()}, {}
    total: Sparse = {}
    for power, part in parts.items():
        for _ in range(power):
            if len(part) * len(image) > _MOST_WORK:
                return None
            part = _product(part, image)
        for _ in range(degree - power if unit else 0):
            if len(part) * len(unit) > _MOST_WORK:
                return None
            part = _product(part, unit)
        for monomial, c in part.items():
            total[monomial] = total[monomial] + c if monomial in total else c
    found = {m: c for m, c in total.items() if c}
    return found if len(found) <= max(_MOST_TERMS, len(f)) else None


def _by_power(f: Sparse, variable: int) -> dict[int, Sparse]:
    parts: dict[int, Sparse] = {}
    for monomial, c in f.items():
        power = next((e for index, e in monomial if index == variable), 0)
        rest = tuple(pair for pair in monomial if pair[0] != variable) if power else monomial
        parts.setdefault(power, {})[rest] = c
    return parts


def _product(f: Sparse, g: Sparse) -> Sparse:
    total: Sparse = {}
    for left, a in f.items():
        for right, b in g.items():
            monomial = _together(left, right)
            total[monomial] = total[monomial] + a * b if monomial in total else a * b
    return {m: c for m, c in total.items() if c}


def _together(left: Sequence[tuple[int, int]], right: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    if not left or not right:
        return tuple(left or right)
    powers = dict(left)
    for variable, power in right:
        powers[variable] = powers.get(variable, 0) + power
    return tuple(sorted(powers.items()))


def _sparse(polynomial: Any) -> Sparse:
    return {tuple((i, e) for i, e in enumerate(monomial) if e): c for monomial, c in polynomial.items()}


def _dense(f: Sparse, germ: IdealGerm) -> Any:
    terms: dict[tuple[int, ...], Any] = {}
    for monomial, c in f.items():
        exponents = [0] * germ.dimension
        for variable, power in monomial:
            exponents[variable] = power
        terms[tuple(exponents)] = c
    return germ.ring.from_dict(terms)
