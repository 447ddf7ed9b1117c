"""Germs whose factors are smooth and transversal in the torus: pairs by hand, by formulas, and by other derivations."""

from __future__ import annotations

import functools
import itertools
from fractions import Fraction
from random import Random

import pytest

import ddtheory as dd
import ddtheory.exact.thresholds.rlct as entrance
from ddtheory import certify
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.nodes import Bound
from ddtheory.exact.thresholds.rules.table import RULES
from ddtheory.exact.thresholds.solver import Solver

OTHERS = tuple(rule for rule in RULES if rule.name != "transversal")

# λ is κ/2. The weights w and the order s along the zero set give κ ≤ (Σ w + c·s)/(order + s); the least is κ.
BY_HAND: list[tuple[tuple[str, ...], str, int, str]] = [
    (("x^3 - y^2", "y^3 - z^2"), "2/3", 1, "the curve (t⁴, t⁶, t⁹): monomials alone, 1/3 + 1/2 + 1/2"),
    (("y^2 - x*z", "x^3 - z^2"), "17/24", 1, "the curve (t⁴, t⁵, t⁶): (15 + 2)/12"),
    (("x*z - y^2", "x^3 - y*z", "x^2*y - z^2"), "13/18", 1, "the curve (t³, t⁴, t⁵): (12 + 1)/9"),
    (("x*z - y^2", "x^5 - z^3"), "19/30", 1, "the curves (t³, ±t⁴, t⁵) at orders 16 and 30: (24 + 14)/30"),
    (("a*c - b^2", "b*d - c^2", "a*d - b*c"), "1", 2, "a cone over a curve of codimension 2 in ℙ³: 4/2 = 2 and 2"),
    (("x^3 + y^3 - z*w", "z^3 + w^3 - x*y"), "1", 3, "codimension 2; the weights (2, 1, 1, 2) and (1, 2, 2, 1) too"),
    (("(x^2 - y^3)*(y^2 - z^3)",), "19/60", 1, "the weights (9, 6, 4) of order 18 + 12: 19/30"),
    (("(x^2 - y^3)*(z^2 - y^3)",), "1/3", 1, "the weights (3, 2, 3) of order 6 + 6: 8/12"),
    (
        ("x^2 - y*z", "y^3 - 3*x*y^2 - 5*y^2*z + 15*x*y*z + 4*y*z^2 - 12*x*z^2"),
        "2/3",
        1,
        "the six lines over (i, i², 1), i = −2 … 3: orders 2 and 3, (3 + 1)/3",
    ),
]


def derived(generators: tuple[str, ...], **where: object) -> Derivation:
    return dd.rlct(generators=generators, **where)  # type: ignore[arg-type]


@pytest.mark.parametrize(("generators", "lam", "m", "because"), BY_HAND)
def test_pairs_by_hand(generators: tuple[str, ...], lam: str, m: int, because: str) -> None:
    found = derived(generators)
    assert found.rlct == dd.RLCT(Fraction(lam), m), because
    assert certify.check(found.to_json()).accepted


def forms(count: int, degree: int, variables: int, random: Random) -> list[str]:
    """Dense forms with random coefficients: their zeros in ℙ^(variables − 1) are smooth and transversal."""
    names = [f"x{i}" for i in range(variables)]
    found = []
    for _ in range(count):
        terms = [
            f"({random.choice([-7, -5, -3, -2, 2, 3, 5, 7])})*" + "*".join(chosen)
            for chosen in itertools.combinations_with_replacement(names, degree)
        ]
        found.append(" + ".join(terms))
    return found


@pytest.mark.parametrize(
    ("count", "degree", "variables"), [(1, 2, 3), (1, 3, 3), (1, 4, 3), (2, 2, 3), (2, 3, 3), (1, 2, 4)]
)
def test_cones_over_complete_intersections(count: int, degree: int, variables: int) -> None:
    """Blow up the vertex: t^k ⟨y_1 … y_c⟩ with prior t^(d − 1), so κ = min(d/k, c), or d/k without a real point."""
    for seed in range(3):
        given = forms(count, degree, variables, Random(seed))
        found = derived(tuple(given), seconds=60)
        divisor, zeros = Fraction(variables, degree), Fraction(count)
        allowed = {(divisor / 2, 1)}
        if zeros <= divisor:
            allowed.add((zeros / 2, 2 if zeros == divisor else 1))
        assert found.rlct is not None, found.explain()
        assert (found.rlct.lam, found.rlct.m) in allowed


def test_a_cone_with_and_without_a_real_point() -> None:
    """With real points κ = min(3/2, 1), and (3 + 1)/3 where xyz vanishes on the circle; without them 3/2 alone."""
    assert derived(("x^2 + y^2 - z^2",)).rlct == dd.RLCT(Fraction(1, 2), 1)
    assert derived(("x^2 + y^2 + z^2",)).rlct == dd.RLCT(Fraction(3, 4), 1)
    assert derived(("x^2 + y^2 - z^2", "x*y*z")).rlct == dd.RLCT(Fraction(2, 3), 1)
    assert derived(("x^2 + y^2 + z^2", "x*y*z")).rlct == dd.RLCT(Fraction(3, 4), 1)


def test_a_wall_and_a_prior() -> None:
    """A symmetric germ on half of the space has its pair; a prior |x|^h raises Σ w by h·w_x."""
    assert derived(("x^2*y - z^3", "y^4"), nonnegative=["x"]).rlct == derived(("x^2*y - z^3", "y^4")).rlct
    plain, weighted = derived(("y^2 - x*z", "x^3 - z^2")), derived(("y^2 - x*z", "x^3 - z^2"), prior={"x": 1})
    assert plain.rlct == dd.RLCT(Fraction(17, 24), 1)
    # Σ w = 4·2 + 5 + 6 = 19 at order 10: (19 + 2)/12; but the monomials alone: 2/3 + 1/2 + 2/3 = 11/6
    assert weighted.rlct == dd.RLCT(Fraction(21, 24), 1)


# --- controls: where a hypothesis fails, nothing exact is taken from it -----------------------------------------------

NEARLY = [
    ("(x - y)^2 - z^2*x^2*y", "z^9"),  # the lowest part is a square on an edge
    ("(x*y - z^2)^2 - x^5*z", "y^7"),
    ("x*(x*y - z^2) + z^7", "y*(x*y - z^2) + x^8"),  # two generators with one lowest factor
    ("(a*d - b*c)^2 - a^2*e^3",),
]


@pytest.mark.parametrize("generators", NEARLY)
def test_what_is_not_transversal_is_not_taken_for_it(
    generators: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself the rule gives bounds that hold, and no pair beyond what the other rules prove."""
    everything = derived(generators, seconds=3)
    monkeypatch.setattr(entrance, "Solver", functools.partial(Solver, rules=OTHERS))
    without = derived(generators, seconds=3)
    assert not contradict(everything, without)


def above(lower: Bound, upper: Bound) -> bool:
    """Whether a lower bound excludes an upper bound."""
    if lower.value != upper.value:
        return bool(lower.value > upper.value)
    return lower.m is not None and upper.m is not None and lower.m < upper.m


def contradict(one: Derivation, other: Derivation) -> bool:
    return above(one.lower, other.upper) or above(other.lower, one.upper)


def sparse(random: Random) -> list[str]:
    """Two or three generators of two to four terms in two or three variables."""
    names = "xyz"[: random.choice((2, 3, 3))]
    found = []
    for _ in range(random.choice((2, 3))):
        terms = []
        for _ in range(random.choice((2, 3, 4))):
            powers = [random.choice((0, 0, 1, 1, 2, 3)) for _ in names]
            if any(powers):
                monomial = "*".join(f"{name}^{power}" for name, power in zip(names, powers, strict=True))
                terms.append(f"({random.choice((-2, -1, 1, 3))})*{monomial}")
        found.append(" + ".join(terms or ["x^2"]))
    return found


@pytest.mark.long
def test_the_other_rules_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both close, the pair is one; bounds of the others hold it. The control: pairs of neighbours."""
    with_rule, kept = [], []
    for seed in range(120):
        given = tuple(sparse(Random(f"others {seed}")))
        try:
            found = derived(given, seconds=5)
        except dd.errors.DDTheoryError:
            continue
        if "transversal" in found.rules:
            with_rule.append(found)
            kept.append(given)
    monkeypatch.setattr(entrance, "Solver", functools.partial(Solver, rules=OTHERS))
    without = [derived(given, seconds=0.5) for given in kept]  # those that close take less than a tenth
    assert len(kept) > 15 and sum(found.rlct is not None for found in without) > 3
    assert not any(contradict(*pair) for pair in zip(with_rule, without, strict=True))
    assert any(contradict(*pair) for pair in zip(with_rule, without[1:], strict=False))


def test_names_order_and_signs_of_coordinates_do_not_matter() -> None:
    pairs = set()
    for x, y, z in itertools.permutations(("u", "v", "w")):
        for sign in ("", "-"):
            given = (f"{y}^2 - ({sign}{x})*{z}", f"({sign}{x})^3 - {z}^2")
            pairs.add(derived(given).rlct)
            pairs.add(derived(given[::-1]).rlct)
    assert pairs == {dd.RLCT(Fraction(17, 24), 1)}


def test_a_product_in_other_variables_is_the_lesser() -> None:
    """The crossing law with the curve (t⁴, t⁵, t⁶), κ = 17/12: times u it has κ = 1, times ⟨u, v⟩ 17/12 again."""
    curve = ("y^2 - x*z", "x^3 - z^2")
    assert derived(tuple(f"u*({f})" for f in curve)).rlct == dd.RLCT(Fraction(1, 2), 1)
    both = tuple(f"{v}*({f})" for v in "uv" for f in curve)
    assert derived(both).rlct == dd.RLCT(Fraction(17, 24), 1)


@pytest.mark.long
@pytest.mark.parametrize(("degree", "pair"), [(2, ("1/2", 1)), (4, ("5/4", 1)), (5, ("3/2", 1))])
def test_cones_over_rational_normal_curves(degree: int, pair: tuple[str, int]) -> None:
    """A smooth curve in ℙ^d, of codimension d − 1, cut out by quadrics: κ is the lesser of (d + 1)/2 and d − 1."""
    x = [f"x{i}" for i in range(degree + 1)]
    minors = [f"{x[i]}*{x[j + 1]} - {x[i + 1]}*{x[j]}" for i, j in itertools.combinations(range(degree), 2)]
    found = dd.rlct(generators=minors, seconds=300)
    assert found.rlct == dd.RLCT(Fraction(pair[0]), pair[1])
    assert certify.check(found.to_json()).accepted
