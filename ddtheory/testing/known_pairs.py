"""Germs whose pair (λ, m) is known by construction, in other coordinates and from other generators."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ddtheory.errors import InvalidValueError, shown
from ddtheory.shown import Shown
from ddtheory.testing.ranges import check_range, check_whole
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from sympy import Expr

Form = Literal["divergence", "generators"]
Hiding = Literal["none", "linear", "polynomial"]
Polynomial = Any  # an element of a sympy ring

FORMS: tuple[Form, ...] = ("divergence", "generators")
HIDINGS: tuple[Hiding, ...] = ("none", "linear", "polynomial")

_MOST_VARIABLES = 8


@dataclass(frozen=True, repr=False)
class HiddenGerm(Shown):
    """A germ at 0, as `ddtheory.rlct` takes it, and its pair. One of `divergence` and `generators` is None.

    Attributes:
        divergence: K, expanded, in the symbols x1, x2, …
        generators: the f_i of K ≍ Σ f_i², expanded.
        rlct: (λ, m) of K at 0.
        plain: generators of the same ideal in the coordinates in which it was made.
        coordinates: those coordinates as polynomials in the x_i.
    """

    divergence: Expr | None
    generators: tuple[Expr, ...] | None
    rlct: RLCT
    plain: tuple[Expr, ...]
    coordinates: tuple[Expr, ...]

    def __str__(self) -> str:
        given = self.divergence if self.generators is None else f"⟨{', '.join(map(str, self.generators))}⟩"
        return f"λ = {self.rlct.lam}, m = {self.rlct.m} of {given}"

    def latex(self) -> str:
        from sympy import latex

        if self.generators is None:
            return rf"{self.rlct.latex()},\quad K = {latex(self.divergence)}"
        return rf"{self.rlct.latex()},\quad f = {', '.join(map(latex, self.generators))}"


def germs_with_known_pairs(
    *,
    min_variables: int = 1,
    max_variables: int = 3,
    form: Form = "divergence",
    hidden: Hiding = "linear",
    max_degree: int = 5,
) -> SearchStrategy[HiddenGerm]:
    """Blocks with known pairs, joined by sums and products, then hidden.

    Blocks: ∏ x_i^{a_i}, λ = min 1/(2a_i) with m the number of minimisers; ⟨x_i^{a_i}⟩, λ = Σ 1/(2a_i); and Σ x_i y_i
    with two pairs or more, a matrix of one entry: away from 0 its zero set is smooth, so λ = 1/2. Two parts that share
    no variable: the union of the generators adds λ and m − 1; their products have the smaller λ, and at equal ones
    add m.

    Hidden by an invertible change of coordinates, whole multiples of one generator added to another, and a unit for
    each: linear over the integers; polynomial either triangular, or the identity plus quadratic terms. A divergence is
    Σ c_i g_i² with c_i > 0, times a unit, expanded. Shrinks to K = x1², (1/2, 1).

    Args:
        min_variables, max_variables: how many variables; each of them occurs.
        form: whether K itself is given, or generators.
        hidden: "none" leaves the blocks as they are.
        max_degree: of the generators before they are hidden.

    Raises:
        InvalidValueError: a bound is no whole number in reach, bounds are in the wrong order, or an unknown form or
            hiding.

    >>> from hypothesis import find
    >>> simplest = find(germs_with_known_pairs(hidden="none"), lambda germ: True)
    >>> simplest.divergence, simplest.rlct
    (x1**2, RLCT(lam=Fraction(1, 2), m=1))
    >>> find(germs_with_known_pairs(form="generators", hidden="none"), lambda germ: germ.rlct.m == 2).generators
    (x1*x2,)
    """
    min_variables, max_variables = check_range(
        "min_variables", min_variables, "max_variables", max_variables, least=1, most=_MOST_VARIABLES
    )
    max_degree = check_whole("max_degree", max_degree, least=1)
    _check_member("form", form, FORMS)
    _check_member("hidden", hidden, HIDINGS)
    return st.builds(
        lambda random, count: hidden_germ(random, count, form, hidden, max_degree),
        st.randoms(use_true_random=False),
        st.integers(min_variables, max_variables),
    )


def hidden_germ(random: Random, variables: int, form: Form, hidden: Hiding, max_degree: int = 5) -> HiddenGerm:
    """One germ, drawn with a generator of random numbers: the same germ for the same state.

    >>> germ = hidden_germ(Random(3), 2, "generators", "linear")
    >>> germ.plain, germ.rlct
    ((x1**3*x2,), RLCT(lam=Fraction(1, 6), m=1))
    """
    from sympy import QQ
    from sympy.polys.rings import PolyRing

    ring = PolyRing([f"x{i}" for i in range(1, variables + 1)], QQ, "grevlex")
    plain, pair = _joined(random, list(ring.gens), max_degree)
    coordinates = _coordinates(random, ring, hidden)
    moved = [generator.compose(list(zip(ring.gens, coordinates, strict=True))) for generator in plain]
    if hidden != "none":
        moved = _mixed(random, moved)
    if form == "generators":
        found = [f * _unit(random, ring) for f in moved] if hidden != "none" else moved
    else:
        found = [sum((random.choice((1, 2)) * f**2 for f in moved), ring.zero)]
        found = [found[0] * _unit(random, ring)] if hidden != "none" else found
    expressions = tuple(f.as_expr() for f in found)
    return HiddenGerm(
        expressions[0] if form == "divergence" else None,
        expressions if form == "generators" else None,
        pair,
        tuple(f.as_expr() for f in plain),
        tuple(f.as_expr() for f in coordinates),
    )


def _joined(random: Random, variables: Sequence[Polynomial], degree: int) -> tuple[list[Polynomial], RLCT]:
    """Generators in these variables, of degree at most `degree`, and the pair of the sum of their squares."""
    from ddtheory.exact.thresholds.intersection import separable_sum, transversal_crossing

    count = len(variables)
    kinds = ["powers"]
    if 2 <= count <= degree:
        kinds += ["crossing", "product"]
    if count >= 2:
        kinds.append("sum")
    if count >= 4 and count % 2 == 0 and degree >= 2:
        kinds.append("scalar product")
    kind = random.choice(kinds)
    if kind == "scalar product":
        pairs = zip(variables[::2], variables[1::2], strict=True)
        return [sum(x * y for x, y in pairs)], RLCT(Fraction(1, 2))
    if kind == "powers":
        powers = [random.randint(1, min(4, degree)) for _ in variables]
        parts = [RLCT(Fraction(1, 2 * power)) for power in powers]
        return [x**power for x, power in zip(variables, powers, strict=True)], separable_sum(*parts)
    if kind == "crossing":
        spare, crossing, parts = degree - count, variables[0].ring.one, []
        for x in variables:
            more = random.randint(0, min(2, spare))
            spare -= more
            crossing = crossing * x ** (1 + more)
            parts.append(RLCT(Fraction(1, 2 * (1 + more))))
        return [crossing], transversal_crossing(*parts)
    cut = random.randint(1, count - 1)
    budgets = (degree, degree) if kind == "sum" else (degree - (count - cut), count - cut)
    (first, p), (second, q) = (
        _joined(random, part, budget) for part, budget in zip((variables[:cut], variables[cut:]), budgets, strict=True)
    )
    if kind == "sum":
        return first + second, separable_sum(p, q)
    return [f * g for f, g in itertools.product(first, second)], transversal_crossing(p, q)


def _coordinates(random: Random, ring: Any, hidden: Hiding) -> list[Polynomial]:
    """The straight coordinates in terms of the x_i: they vanish at 0, and their Jacobian matrix there is invertible."""
    count = ring.ngens
    if hidden == "none":
        return list(ring.gens)
    if hidden == "linear":
        return _linear(random, ring)
    if random.choice((True, False)):
        return [x + _random_terms(random, ring.gens, (2, 2), random.randint(0, 2)) for x in ring.gens]
    order = list(range(count))
    random.shuffle(order)
    found = list(ring.gens)
    for place, index in enumerate(order[1:], 1):
        earlier = [ring.gens[i] for i in order[:place]]
        found[index] = found[index] + _random_terms(random, earlier, (1, 3), random.randint(0, 2))
    return found


def _linear(random: Random, ring: Any) -> list[Polynomial]:
    """x ↦ P·L·U·x with unit diagonals, so that the determinant is ±1."""
    gens, count = list(ring.gens), ring.ngens

    def entry() -> int:
        return random.choice((0, 1, -1, 2))

    for i in range(count):  # U: row i takes only later rows, which are still coordinates
        gens[i] = gens[i] + sum((entry() * ring.gens[j] for j in range(i + 1, count)), ring.zero)
    rows = list(gens)
    for i in range(count):
        rows[i] = rows[i] + sum((entry() * gens[j] for j in range(i)), ring.zero)
    random.shuffle(rows)
    return rows


def _mixed(random: Random, generators: Sequence[Polynomial]) -> list[Polynomial]:
    found = list(generators)
    for i in range(1, len(found)):
        found[i] = found[i] + random.choice((0, 1, -1, 2)) * found[random.randrange(i)]
    return found


def _unit(random: Random, ring: Any) -> Polynomial:
    return ring.one + _random_terms(random, ring.gens, (1, 1), random.randint(0, 1))


def _random_terms(random: Random, gens: Sequence[Polynomial], degrees: tuple[int, int], count: int) -> Polynomial:
    total = gens[0].ring.zero
    for _ in range(count):
        term = gens[0].ring.one * random.choice((1, -1, 2, -2))
        for _ in range(random.randint(*degrees)):
            term = term * random.choice(list(gens))
        total = total + term
    return total


def _check_member(name: str, value: str, known: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in known:
        raise InvalidValueError(f"{name} = {shown(value)} is unknown. Known: {', '.join(known)}.")
