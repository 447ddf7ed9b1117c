"""Rules that rewrite the ideal without moving a coordinate: trivial ideals, units, spare generators, powers."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from ddtheory.exact.thresholds.germs.ideal import IdealGerm, shown
from ddtheory.exact.thresholds.germs.local_ring import (
    Element,
    element_of,
    factors,
    initial_form,
    is_unit,
    linear_coefficient,
    order,
    quotient,
    rational,
    split_unit,
    support,
)
from ddtheory.exact.thresholds.nodes import INFINITE, Bound, Data, Node, Solve, from_child
from ddtheory.exact.thresholds.wire import polynomial_to_json

_MOST_PAIRS = 200  # of terms of two generators
_MOST_REDUCTIONS = 24
_MOST_TERMS = 400


def zero_ideal(germ: IdealGerm) -> Node | None:
    """The zero ideal has (0, 1), neutral in sums."""
    if any(germ.generators):
        return None
    nothing = Bound(Fraction(0), 1)
    return Node("zero", germ, nothing, nothing, "Nothing is left: the zero ideal.")


def unit_ideal(germ: IdealGerm) -> Node | None:
    """The unit ideal has κ = ∞, neutral in crossings and unions; a unit at every point of a family is a constant."""
    units = [generator for generator in germ.generators if is_unit(generator)]
    if not any(unit.is_ground or not germ.parameters for unit in units):
        return None
    return Node("unit", germ, INFINITE, INFINITE, "A generator does not vanish here.")


def unused_variables(germ: IdealGerm, solve: Solve) -> Node | None:
    """A variable that no generator contains integrates to a finite constant, since h > −1."""
    kept = sorted(support(germ.generators))
    if len(kept) == germ.dimension:
        return None
    child = solve(germ.on(kept, germ.generators))
    dropped = ", ".join(name for index, name in enumerate(germ.names) if index not in kept)
    says = f"No generator contains {dropped}; it integrates out."
    return from_child("variables", germ, child, says, lambda: {"kept": kept})


@dataclass(frozen=True)
class _Unit:
    """g_j := g_j / unit."""

    slot: int
    unit: Element


@dataclass(frozen=True)
class _Subtract:
    """g_j := g_j − factor · g_i."""

    slot: int
    other: int
    factor: Element


@dataclass(frozen=True)
class _Drop:
    """g_j = factor · g_i is left out; None when g_j is 0."""

    slot: int
    other: int | None
    factor: Element


_Step = _Unit | _Subtract | _Drop


def spare_generators(germ: IdealGerm, solve: Solve) -> Node | None:
    """The same ideal from simpler generators: without units, multiples, and terms that others generate.

    At every point of a family the units are constants.
    """
    rewriting = _Rewriting(list(germ.generators), constants_only=bool(germ.parameters))
    if not rewriting.run(germ):  # what the others generate can be divided by them for ever
        rewriting = _Rewriting(list(germ.generators), constants_only=bool(germ.parameters), divides=False)
        rewriting.run(germ)
    if not rewriting.steps:
        return None
    child = solve(germ.with_generators(rewriting.current))
    says = f"The ideal is {child.germ}, up to units."
    return from_child("generators", germ, child, says, lambda: rewriting.data(germ))


class _Rewriting:
    """Elementary steps on a list of generators, replayed when a certificate is wanted."""

    def __init__(self, generators: list[Element], constants_only: bool, divides: bool = True) -> None:
        self.current = generators
        self._constants_only = constants_only
        self._divides = divides
        self.steps: list[_Step] = []

    def run(self, germ: IdealGerm) -> bool:
        """Whether it comes to an end."""
        for _ in range(_MOST_REDUCTIONS):
            before = len(self.steps)
            self._drop_zeros()
            self._strip_units()
            self._drop_multiples()
            self._reduce_by_monomials()
            regular = any(linear_coefficient(f, i) for f in self.current for i in germ.free)
            if self._divides and (self._constants_only or not regular):
                self._reduce_initial_forms()
            self._cancel_terms()
            if len(self.steps) == before:
                return True
        return False

    def _apply(self, step: _Step) -> None:
        self.steps.append(step)
        if isinstance(step, _Unit):
            found = quotient(self.current[step.slot], step.unit)
            assert found is not None
            self.current[step.slot] = found
        elif isinstance(step, _Subtract):
            self.current[step.slot] = self.current[step.slot] - step.factor * self.current[step.other]
        else:
            del self.current[step.slot]

    def _drop_zeros(self) -> None:
        for slot in reversed(range(len(self.current))):
            if not self.current[slot]:
                self._apply(_Drop(slot, None, self.current[slot]))

    def _strip_units(self) -> None:
        for slot, generator in enumerate(self.current):
            unit = (
                generator.ring.ground_new(factors(generator)[0]) if self._constants_only else split_unit(generator)[0]
            )
            if unit != 1:
                self._apply(_Unit(slot, unit))

    def _drop_multiples(self) -> None:
        slot = len(self.current) - 1
        while slot >= 0:
            for other, divisor in enumerate(self.current):
                if other == slot:
                    continue
                factor = quotient(self.current[slot], divisor)
                if factor is not None:
                    self._apply(_Drop(slot, other, factor))
                    break
            slot -= 1
            slot = min(slot, len(self.current) - 1)

    def _reduce_by_monomials(self) -> None:
        for other, divisor in enumerate(self.current):
            if len(divisor) != 1:
                continue
            (monomial,) = divisor
            for slot, generator in enumerate(self.current):
                if slot == other:
                    continue
                part = {
                    tuple(a - b for a, b in zip(m, monomial, strict=True)): c
                    for m, c in generator.items()
                    if all(a >= b for a, b in zip(m, monomial, strict=True))
                }
                if part:
                    factor = divisor.ring.from_dict(part)
                    factor = factor * (1 / next(iter(divisor.values())))
                    self._apply(_Subtract(slot, other, factor))

    def _reduce_initial_forms(self) -> None:
        """Divide lowest forms by each other, which undoes a mixing of the generators."""
        for slot in sorted(range(len(self.current)), key=lambda j: -order(self.current[j]) if self.current[j] else 0):
            for other in range(len(self.current)):
                if slot == other or not self.current[slot] or not self.current[other]:
                    continue
                low, divisor = initial_form(self.current[slot]), initial_form(self.current[other])
                factor = quotient(low, divisor)
                if factor is None:
                    continue
                rest = self.current[slot] - factor * self.current[other]
                # a tail that only grows is a power series; leave it alone
                if len(rest) <= min(_MOST_TERMS, len(self.current[slot]) + len(self.current[other]) - 2):
                    self._apply(_Subtract(slot, other, factor))

    def _cancel_terms(self) -> None:
        """Subtract a monomial times another generator where that leaves fewer terms, which undoes a mixing as well."""
        for slot in range(len(self.current)):
            for other in range(len(self.current)):
                generator, divisor = self.current[slot], self.current[other]
                if slot != other and len(generator) * len(divisor) <= _MOST_PAIRS:
                    factor = max(_multipliers(generator, divisor), key=lambda found: found[0], default=(0, None))[1]
                    if factor is not None:
                        self._apply(_Subtract(slot, other, factor))

    def data(self, germ: IdealGerm) -> Data:
        """Cofactors in both directions, with the units that they need."""
        ring, count = germ.ring, len(germ.generators)
        unity: list[Element] = [ring.one] * count
        forward = [[ring.one if i == j else ring.zero for i in range(count)] for j in range(count)]
        backward_units: list[Element] = [ring.one] * count
        backward = [list(row) for row in forward]
        for step in self.steps:
            j = step.slot
            if isinstance(step, _Unit):
                unity[j] = unity[j] * step.unit
                for row in backward:
                    row[j] = row[j] * step.unit
            elif isinstance(step, _Subtract):
                i, factor = step.other, step.factor
                forward[j] = [
                    unity[i] * mine - factor * unity[j] * other
                    for mine, other in zip(forward[j], forward[i], strict=True)
                ]
                unity[j] = unity[j] * unity[i]
                for row in backward:
                    row[i] = row[i] + row[j] * factor
            else:
                for row in backward:
                    if step.other is not None:
                        row[step.other] = row[step.other] + row[j] * step.factor
                    del row[j]
                del forward[j], unity[j]
        return {
            "forward": [[polynomial_to_json(entry) for entry in row] for row in forward],
            "units": [polynomial_to_json(unit) for unit in unity],
            "backward": [[polynomial_to_json(entry) for entry in row] for row in backward],
            "backward_units": [polynomial_to_json(unit) for unit in backward_units],
        }


def _multipliers(generator: Element, divisor: Element) -> Iterator[tuple[int, Element]]:
    """Monomials c·x^m for which generator − c·x^m·divisor has fewer terms, and how many fewer."""
    seen: set[tuple[Any, ...]] = set()
    for monomial, coefficient in generator.terms():
        for other, leading in divisor.terms():
            shift = tuple(map(operator.sub, monomial, other))
            if min(shift) < 0:
                continue
            value = coefficient / leading
            if (shift, value) in seen:
                continue
            seen.add((shift, value))
            fewer = _fewer(generator, divisor, shift, value)
            if fewer > 0:
                yield fewer, element_of(generator.ring, {shift: value})


def _fewer(generator: Element, divisor: Element, shift: tuple[int, ...], value: Any) -> int:
    """How many fewer terms than the generator generator − value·x^shift·divisor has; it is not computed."""
    fewer = 0
    for other, coefficient in divisor.items():
        there = generator.get(tuple(map(operator.add, other, shift)))
        if there is None:
            fewer -= 1
        elif there == value * coefficient:
            fewer += 1
    return fewer


def proper_power(germ: IdealGerm, solve: Solve) -> Node | None:
    """A principal ideal ⟨g^e⟩ has κ(g)/e, with the same multiplicity."""
    if len(germ.generators) != 1:
        return None
    unit, found = split_unit(germ.generators[0])
    exponent = functools.reduce(math.gcd, (power for _, power in found), 0)
    if exponent < 2:
        return None
    root: Any = germ.ring.one
    for factor, power in found:
        root = root * factor ** (power // exponent)
    child = solve(replace(germ, generators=(root,), divergence=False))
    return from_child(
        "power",
        germ,
        child,
        f"A power: ({shown(root)})^{exponent}, so κ = κ(root)/{exponent}.",
        lambda: {"exponent": exponent, "unit": polynomial_to_json(unit)},
        times=Fraction(1, exponent),
    )


def sum_of_squares(germ: IdealGerm, terms: Sequence[tuple[Fraction, Element]], solve: Solve) -> Node | None:
    """K = Σ c_i f_i² with c_i > 0 has half the κ of ⟨f_i⟩; `terms` are the (c_i, f_i), as K was written.

    None when the sum is not K: a function was then replaced by a polynomial up to a unit inside a square.
    """
    total = sum((root**2 * rational(coefficient) for coefficient, root in terms), germ.ring.zero)
    if germ.generators != (total,):
        return None
    child = solve(replace(germ, generators=tuple(root for _, root in terms), divergence=False))
    return from_child(
        "squares",
        germ,
        child,
        f"A sum of squares: K ≍ Σ f² with f = {', '.join(shown(root) for _, root in terms)}, so κ(K) = κ/2.",
        lambda: {"coefficients": [str(coefficient) for coefficient, _ in terms]},
        times=Fraction(1, 2),
    )
