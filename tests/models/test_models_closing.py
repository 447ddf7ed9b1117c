"""The proofs that finitely many coefficients generate, attacked by ideal membership in polynomial rings."""

from __future__ import annotations

import itertools
import random

import pytest
import sympy
from sympy import Expr, Symbol

from ddtheory.models.coefficients import coefficients, taylor
from ddtheory.models.pair import _above
from ddtheory.models.remainders import _meeting, remainders
from ddtheory.models.units import parts_of

x, y = sympy.symbols("x y", real=True)
a, b, c, d, e, f = sympy.symbols("a b c d e f", real=True)


def member(target: Expr, listed: tuple[Expr, ...]) -> bool:
    """Whether a polynomial lies in the ideal of polynomials over ℚ, by a Gröbner basis."""
    symbols = sorted(target.free_symbols | set().union(*[g.free_symbols for g in listed]), key=str)
    return bool(sympy.groebner(listed, *symbols, order="grevlex", domain=sympy.QQ).contains(target))


CHAINS = [
    (a * sympy.tanh(b * x) + c * sympy.tanh(d * x), [x]),
    (a * sympy.tanh(b * x) + c * sympy.tanh(2 * d * x) - sympy.tanh(x), [x]),
    (a * sympy.exp(b * x) + c * sympy.exp(d * x) - a, [x]),
    (a * sympy.sin(b * x) + c * x + e * x**3, [x]),
    (a * sympy.cos(b * x) + c * x**2 - a, [x]),
    (a * b * x / (1 + sympy.exp(-b * x)) + c * d * x / (1 + sympy.exp(-d * x)), [x]),
    (a * sympy.log(1 + sympy.exp(b * x)) - a * sympy.log(2) + c * x, [x]),
    (a * sympy.tanh(b * x) + c * sympy.cos(d * x) - c, [x]),
    (a * x * sympy.tanh(b * x) + c * sympy.tanh(d * x), [x]),
    (a * sympy.tanh(b * x + c * y), [x, y]),
    (a * sympy.exp(b * x + c * y) - a, [x, y]),
    (a * sympy.tanh(b * x) + c * y + d * x * y, [x, y]),
    (a / (1 + b * x) - a, [x]),
]


@pytest.mark.parametrize(("function", "inputs"), CHAINS, ids=lambda value: str(value))
def test_later_coefficients_lie_in_the_ideal_and_the_listed_ones_among_them(
    function: Expr, inputs: list[Symbol]
) -> None:
    found = coefficients(function, inputs, 4)
    assert not found.open
    highest = 11 if len(inputs) == 1 else 7
    every = [sympy.expand(value) for value in taylor(function, inputs, highest).values()]
    every = [value for value in every if value != 0]
    for value in every:
        assert member(value, found.expressions), value
    for generator in found.expressions:  # nothing that is no coefficient: the ideal is not too large
        assert member(generator, tuple(every)), generator


@pytest.mark.long
def test_random_sums_of_units() -> None:
    generator = random.Random(20261127)
    shapes = [sympy.tanh, sympy.exp, sympy.sin, lambda z: z * sympy.tanh(z), lambda z: z / (1 + sympy.exp(-z))]
    closed = 0
    for _ in range(5):
        chosen = generator.choice(shapes)
        places = generator.sample([b, d, 2 * b, sympy.Integer(1), b + d], 2)
        function = a * chosen(places[0] * x) + c * chosen(places[1] * x)
        function += generator.choice([0, e * x, e * x**2 - x, e * x**4])
        found = coefficients(function, [x], 4)
        closed += not found.open
        every = [v for v in map(sympy.expand, taylor(function, [x], 9).values()) if v != 0]
        assert found.open or all(member(value, found.expressions) for value in every), function
        assert all(member(entry, tuple(every)) for entry in found.expressions), function
    assert closed >= 3


def test_the_control_too_few_coefficients_do_not_generate() -> None:
    function, inputs = CHAINS[0]
    first, _ = coefficients(function, inputs, 4).expressions
    assert not member(a * b**3 + c * d**3, (first,))


@pytest.mark.parametrize(
    "function",
    [
        a * sympy.tanh(b * x) + c * sympy.sin(d * x),  # two shapes whose degrees mix
        a * sympy.tanh(b * x + c) + d * sympy.tanh(e * x),  # an argument that moves
        a * sympy.tanh(b * x**2 + c * x),
        a * sympy.exp(x) + sympy.exp(b * sympy.sin(x)) - 1 - a,
        a * sympy.tanh(b * x) + c * sympy.exp(d * x) - c,
    ],
)
def test_what_does_not_close_says_so(function: Expr) -> None:
    found = coefficients(function, [x], 5)
    assert "degree > 5" in found.open
    every = [v for v in taylor(function, [x], 5).values() if sympy.expand(v) != 0]
    assert len(found.expressions) == len(every)


def test_separable_functions_need_independence() -> None:
    found = coefficients(a * b * sympy.exp(x * y) + a * x**2 + c, [x, y], 5)
    assert set(found.expressions) == {a * b, a, c} and not found.open
    # exp(xy)² and exp(2xy) are dependent, and not seen to be the same: no proof, so only what is certain
    both = coefficients(a * sympy.exp(x * y) + b * sympy.cosh(x * y) + c * sympy.sinh(x * y), [x, y], 5)
    assert both.open and all(member(entry, (a + b, a + c)) for entry in both.expressions)
    # of one input all functions are chains, with b = 1
    one = coefficients(a * b * sympy.exp(x**2) + a * x**2 + c, [x], 5)
    assert not one.open and all(member(entry, one.expressions) for entry in (a * b, a, c))


def test_units_are_seen_up_to_multiples_and_cancel() -> None:
    assert [chain.units for chain in parts_of(a * sympy.tanh(2 * b * x) - a * sympy.tanh(b * x), [x]).chains] == [
        {(2 * b,): a, (b,): -a}
    ]
    assert parts_of(a * sympy.tanh(b * x) - a * sympy.tanh(b * x), [x]).chains == []
    assert parts_of(sympy.tanh(a * x) * sympy.tanh(b * x), [x]).rest


@pytest.mark.parametrize(
    "function", [a * sympy.tanh(b * x + c), a * sympy.tanh(b * x) + d * sympy.sin(c * x), sympy.exp(a * b) - 1 + c**2]
)
def test_the_monomials_of_a_remainder_are_there(function: Expr) -> None:
    """Every monomial of degree M of the power series is in the Newton polyhedron of those that are named."""
    symbols = sorted(function.free_symbols - {x}, key=str)
    order = 4
    listed = [sympy.Poly(entry, *symbols).monoms()[0] for entry in remainders(function, symbols, order)]
    series = taylor(function, symbols, order + 1)
    occurring = [m for m, value in series.items() if sum(m) >= order and sympy.simplify(value) != 0]
    assert occurring or function.has(c**2)
    for monomial, weights in itertools.product(occurring, itertools.product((0, 1, 2, 5), repeat=len(symbols))):
        least = min(sum(w * n for w, n in zip(weights, entry, strict=True)) for entry in listed)
        assert sum(w * n for w, n in zip(weights, monomial, strict=True)) >= least


W = sympy.symbols("w:12", real=True)


def smallest_meeting(sets: list[set[Symbol]], symbols: tuple[Symbol, ...]) -> set[frozenset[Symbol]]:
    """All subsets looked at, and those kept of which no part meets every set."""
    subsets = [frozenset(w for w, bit in zip(symbols, bits, strict=True) if bit) for bits in BITS[len(symbols)]]
    meeting = [one for one in subsets if all(one & other for other in sets)]
    return {one for one in meeting if not any(other < one for other in meeting)}


BITS = {count: list(itertools.product((0, 1), repeat=count)) for count in (5, 12)}


@pytest.mark.parametrize(
    ("sets", "count"),
    [
        ([], 5),
        ([{0}, {1}, {2}], 5),
        ([{0, 1}, {1, 2}, {2, 3}, {3, 4}], 5),
        ([{0}, {0, 1}, {1, 2}, {2, 3, 4}], 5),
        ([{0, 1, 2}, {2, 3}, {4}, {1, 4}], 5),
        ([{0, 1}, {2, 3}], 5),
        ([{k} for k in range(12)], 12),
        ([{k} for k in range(10)], 12),
    ],
)
def test_the_smallest_sets_that_meet_all_others(sets: list[set[int]], count: int) -> None:
    symbols = W[:count]
    named = [{symbols[k] for k in one} for one in sets]
    found = list(_meeting([frozenset(one) for one in named], symbols))
    assert {frozenset(one) for one in found} == smallest_meeting(named, symbols) and len(set(found)) == len(found)
    assert found and all(list(one) == [w for w in symbols if w in one] for one in found)


@pytest.mark.parametrize("count", [7, 8, 9, 10, 11])
def test_a_product_of_many_factors_leaves_a_remainder(count: int) -> None:
    product = sympy.Mul(*W[:count])
    (entry,) = set(remainders(product * sympy.tanh(x + c), [*W[:count], c], 3))
    assert entry == product


def test_a_function_without_coefficients_bounds_nothing_from_above() -> None:
    assert _above([sympy.Integer(0)], [a], {}, 3, 1.0, {}) is None
    assert _above([a * sympy.tanh(x)], [a], {}, 3, 1.0, {}) is not None
