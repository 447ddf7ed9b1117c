"""The inequality of means, in the solver and in the checker: its bounds by hand, and against values at points."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import pytest

from ddtheory.certify.means import outweighs
from ddtheory.exact.thresholds.signs.means import _mean, is_positive_by_means

Terms = Mapping[tuple[int, ...], Fraction]
Decide = Callable[[Terms, Sequence[int], bool], bool]


def solver(terms: Terms, two_sided: Sequence[int], or_zero: bool) -> bool:
    count = len(next(iter(terms)))
    return is_positive_by_means(terms, [i not in two_sided for i in range(count)], or_zero=or_zero)


def checker(terms: Terms, two_sided: Sequence[int], or_zero: bool) -> bool:
    return outweighs(dict(terms), two_sided, or_equals=or_zero)


both = pytest.mark.parametrize("decide", [solver, checker])


def terms(**given: int | str | Fraction) -> dict[tuple[int, ...], Fraction]:
    """x420 = c stands for c·x⁴y²."""
    return {tuple(map(int, name[1:])): Fraction(c) for name, c in given.items()}


FOURTH = terms(x400=1, x040=1, x004=1)
SHARP = [
    # Π (c_i/λ_i)^{λ_i} by hand, from below and from above
    (FOURTH, (2, 1, 1), Fraction(2828, 1000), Fraction(2829, 1000)),  # 2√2
    (terms(x400=2, x040=3, x004=5), (2, 1, 1), Fraction(78719, 10000), Fraction(7872, 1000)),  # (4²·12·20)^{1/4}
    (terms(x600=1, x060=1, x006=1), (2, 2, 2), Fraction(2999, 1000), Fraction(3001, 1000)),  # 3
    (terms(x20=1, x08=1), (1, 4), Fraction(199, 100), Fraction(201, 100)),
]


@both
@pytest.mark.parametrize(("good", "beta", "below", "above"), SHARP)
@pytest.mark.parametrize("turn", [1, -1])
def test_the_bound_is_that_of_the_weighted_means(
    decide: Decide, good: Terms, beta: tuple[int, ...], below: Fraction, above: Fraction, turn: int
) -> None:
    everywhere = range(len(beta))
    odd = any(power % 2 for power in beta)
    assert decide({**good, beta: turn * below}, everywhere, False)
    assert decide({**good, beta: turn * above}, everywhere, False) == (turn == 1 and not odd)


@both
def test_equality_leaves_a_zero(decide: Decide) -> None:
    """Motzkin's form vanishes at (1, 1, 1)."""
    motzkin = terms(x420=1, x240=1, x006=1, x222=-3)
    assert not decide(motzkin, range(3), False) and decide(motzkin, range(3), True)
    assert not decide({**motzkin, (2, 2, 2): Fraction(-301, 100)}, range(3), True)


@both
def test_a_coefficient_is_spent_once(decide: Decide) -> None:
    """x⁴ pays for both terms, y⁴ and z⁴ for one each: a(x²y² + x²z²) with a < √2; each alone could have a < 2."""
    found = [
        decide({**FOURTH, (2, 2, 0): -Fraction(a), (2, 0, 2): -Fraction(a)}, range(3), False)
        for a in ("1.414", "1.415")
    ]
    assert found == [True, False]
    assert not decide({**terms(x40=1, x04=1), (2, 2): Fraction(-3, 2), (3, 1): Fraction(1)}, range(2), False)


@both
def test_odd_powers_are_harmless_where_a_variable_has_a_boundary(decide: Decide) -> None:
    cubic = terms(x300=1, x030=1, x003=1, x111=-2)
    assert decide(cubic, [], False) and not decide(cubic, [2], False)


@both
def test_what_lies_outside_of_all_simplices_is_not_paid_for(decide: Decide) -> None:
    assert not decide(terms(x20=1, x02=1, x22=-1), range(2), True)
    assert not decide(terms(x20=-1), range(2), True)
    assert decide(terms(x20=1, x02=1), range(2), False)


@pytest.mark.long
def test_both_agree_with_values_at_points_on_random_forms() -> None:
    """200 seeded forms of degree 4 or 6 in three variables; proven ones are positive at 343 points of the torus."""
    draw, proven = random.Random(7), 0
    grid = [s * v for s in (1, -1) for v in (Fraction(1, 3), Fraction(1), Fraction(2))]
    points = list(itertools.product(grid, repeat=3))
    for _ in range(200):
        degree = draw.choice([4, 6])
        corners = [tuple(degree * (i == k) for i in range(3)) for k in range(3)]
        inner = [a for a in itertools.product(range(degree), repeat=3) if sum(a) == degree]
        form = {a: Fraction(draw.randint(1, 6)) for a in corners}
        form |= {a: Fraction(draw.choice([-4, -3, -2, -1, 1, 2, 3])) for a in draw.sample(inner, draw.randint(1, 3))}
        found = solver(form, range(3), False)
        assert found == checker(form, range(3), False), form
        if found:
            proven += 1
            for point in points:
                assert sum(c * x ** a[0] * y ** a[1] * z ** a[2] for a, c in form.items() for x, y, z in [point]) > 0, (
                    form
                )
    assert 30 < proven < 170


def test_by_hand_the_mean_that_orders_simplices_of_numbers_beyond_floats() -> None:
    """log Π (c_i/λ_i)^{λ_i} with λ = ½, ½ and c = 10⁴⁰⁰, 1/7 is half of log(4/7 · 10⁴⁰⁰)."""
    half = {(2, 0): Fraction(1, 2), (0, 2): Fraction(1, 2)}
    found = _mean(half, {(2, 0): Fraction(10**400), (0, 2): Fraction(1, 7)})
    assert found == pytest.approx(math.log(4 / 7) / 2 + 200 * math.log(10), rel=1e-14)
