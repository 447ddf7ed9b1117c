"""The checker's own algorithms against second ones: sympy for roots and signs, enumeration for polyhedra and flats."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

from ddtheory.certify.bounds import Bound, Bounds, crossed, sharpest, summed, united
from ddtheory.certify.compositions import composed
from ddtheory.certify.fields import Field
from ddtheory.certify.flats import flats, longest_chain
from ddtheory.certify.matrices import deep_linear, is_definite, minors, rank
from ddtheory.certify.polyhedra import Polyhedron, affine_dimension
from ddtheory.certify.polynomials import derivative, multiply, power, substitute
from ddtheory.certify.refusal import Refused
from ddtheory.certify.sturm import gcd, largest_multiplicity, negative_point, repeated, roots, square_free

small = st.integers(-4, 4)
univariate = st.lists(small, min_size=1, max_size=6).filter(lambda p: p[-1] != 0)
Z = sympy.Symbol("z")


def as_sympy(p: list) -> sympy.Poly:
    return sympy.Poly(list(reversed(p)), Z)


# --- real roots -----------------------------------------------------------------------------------------------------


@given(univariate, univariate, st.integers(1, 3))
def test_roots_and_multiplicities_agree_with_sympy(p: list, q: list, times: int) -> None:
    product = as_sympy(p) * as_sympy(q) ** times
    coefficients = [int(c) for c in reversed(product.all_coeffs())]
    assert roots(coefficients) == product.sqf_part().count_roots()
    assert roots(coefficients, 0) == product.sqf_part().count_roots(0, None) - (coefficients[0] == 0)
    listed = sympy.real_roots(product)
    nonzero = [root for root in listed if root != 0]
    assert largest_multiplicity(coefficients, False) == max(map(nonzero.count, nonzero), default=0)
    positive = [root for root in listed if root > 0]
    assert largest_multiplicity(coefficients, True) == max(map(positive.count, positive), default=0)
    for order in (1, 2, 3):
        assert roots(repeated(coefficients, order)) == len({root for root in listed if listed.count(root) >= order})


@settings(max_examples=15)  # sympy takes its time
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 3)), max_size=3), univariate)
def test_a_negative_point_is_found_where_there_is_one(factors: list, p: list) -> None:
    """Roots that lie close together, 1/12 and 1/11 for instance, and one more polynomial."""
    product = as_sympy(p)
    for place, times in factors:
        product *= sympy.Poly(place * Z - 1, Z) ** times
    coefficients = [int(c) for c in reversed(product.all_coeffs())]
    found = negative_point(coefficients)
    positive = sorted({root for root in sympy.real_roots(product) if root > 0})
    between = [(a + b) / 2 for a, b in itertools.pairwise([0, *positive, 2 * max(positive, default=1)])]
    assert (found is not None) is any(product.eval(point).evalf(60) < 0 for point in between if point)
    if found is not None:
        assert found > 0 and product.eval(sympy.Rational(str(found))) < 0


@given(univariate, univariate)
def test_divisors_agree_with_sympy(p: list, q: list) -> None:
    found, expected = as_sympy(gcd(p, q)), as_sympy(p).gcd(as_sympy(q))
    assert found.monic() == expected.monic()
    assert as_sympy(square_free(p)).monic() == as_sympy(p).sqf_part().monic()


@pytest.mark.parametrize(
    ("polynomial", "interval", "expression"),
    [
        ((-2, 0, 1), ("1", "2"), sympy.sqrt(2)),
        ((-2, 0, 1), ("-3/2", "0"), -sympy.sqrt(2)),
        ((4, 0, -4, 0, 1), ("0", "3"), sympy.sqrt(2)),  # (z² − 2)²: not square-free
        ((6, -3, -2, 1), ("0", "19/10"), sympy.sqrt(3)),  # (z − 2)(z² − 3): reducible
        ((-6, 11, -6, 1), ("1", "2"), sympy.Integer(2)),  # a root at the closed end, another at the open one
        ((-1, -1, 0, 0, 0, 1), ("1", "2"), sympy.CRootOf(Z**5 - Z - 1, 0)),
        ((-3, 0, 2), ("1", "2"), sympy.sqrt(Rational(3, 2))),  # the leading coefficient is no unit of ℤ
        ((Fraction(3, 5), 0, Fraction(-2, 5)), ("-2", "-1"), -sympy.sqrt(Rational(3, 2))),
    ],
)
def test_signs_of_algebraic_numbers(polynomial: tuple, interval: tuple, expression: sympy.Expr) -> None:
    field = Field(polynomial, Fraction(interval[0]), Fraction(interval[1]))
    generator = random.Random(5)
    for _ in range(40):
        left, right = ([generator.randint(-3, 3) for _ in range(generator.randint(1, 6))] for _ in range(2))
        a, b = field.element(left), field.element(right)
        value = [sum(c * expression**k for k, c in enumerate(p)) for p in (left, right)]
        for mine, theirs in (
            (a + b, value[0] + value[1]),
            (a * b, value[0] * value[1]),
            (a - 2 * b, value[0] - 2 * value[1]),
        ):
            assert mine.sign() == sympy.sign(sympy.expand(theirs)) or abs(sympy.N(theirs, 40)) < sympy.Float(1e-30)
    assert (field.element(polynomial)).sign() == 0


def test_a_difference_of_almost_equal_numbers_has_its_sign() -> None:
    field = Field((-2, 0, 1), Fraction(1), Fraction(2))
    near = Fraction(6369051672525773, 4503599627370496)  # √2 to 16 digits
    assert (field.element([-near, 1])).sign() == sympy.sign(
        sympy.sqrt(2) - sympy.Rational(near.numerator, near.denominator)
    )


@pytest.mark.parametrize("interval", [("0", "1"), ("-2", "2"), ("2", "1")])
def test_a_field_names_one_root(interval: tuple[str, str]) -> None:
    with pytest.raises(Refused, match=r"roots in its interval|is empty"):
        Field((-2, 0, 1), Fraction(interval[0]), Fraction(interval[1]))


def test_roots_over_a_field() -> None:
    """(z − c)²(z + c) over ℚ(c), c = √2: a double root and a simple one."""
    c = Field((-2, 0, 1), Fraction(1), Fraction(2)).element([0, 1])
    p = [c * c * c, -(c * c), -c, 1]
    assert roots(p) == 2 and roots(p, 0) == 1
    assert largest_multiplicity(p, False) == 2
    assert roots(repeated(p, 2)) == 1


@given(st.lists(st.fractions(-3, 3, max_denominator=4), min_size=1, max_size=3))
def test_inverses_in_a_field(parts: list) -> None:
    """Of irreducible z³ − 2z − 5, and of (z² − 2)(z − 5), where 1/(z − 5) cannot be written as a residue."""
    cubic = Field((-5, -2, 0, 1), Fraction(2), Fraction(3))
    element = cubic.element(parts)
    if element.sign():
        inverse = element.inverse()
        assert inverse is not None and (element * inverse - 1).sign() == 0
    reducible = Field((10, -2, -5, 1), Fraction(1), Fraction(2))
    shared = reducible.element([-5, 1])
    assert shared.sign() == -1 and shared.inverse() is None
    assert reducible.element([0]).inverse() is None
    other = reducible.element([1, 1]).inverse()
    assert other is not None and (other * reducible.element([1, 1]) - 1).sign() == 0


@given(
    st.lists(st.tuples(small, small), min_size=1, max_size=4),
    st.lists(small, min_size=2, max_size=3),
    st.integers(2, 4),
)
def test_roots_over_a_field_agree_with_roots_of_the_norm(linear: list, rational: list, times: int) -> None:
    """∏ (z − a − b√2)^k·q: as many different roots, of as high multiplicities, as the list of roots says."""
    field = Field((-2, 0, 1), Fraction(1), Fraction(2))
    places = {(a, b) for a, b in linear}
    product: list = [1]
    for a, b in places:
        for _ in range(times):
            below, root = [0, *product], field.element([-a, -b])
            product = [x + root * y for x, y in itertools.zip_longest(below, product, fillvalue=0)]
    scaled = [field.element([3, 1]) * c for c in product]
    assert roots(scaled) == len(places)
    assert roots(repeated(scaled, times)) == len(places) and len(repeated(scaled, times + 1)) == 1
    values = [a + b * 2**0.5 for a, b in places if (a, b) != (0, 0)]
    assert largest_multiplicity(scaled, True) == (times if max(values, default=0) > 0 else 0)


def test_products_of_algebraic_numbers_do_not_grow() -> None:
    """The gcd of (c z² − z + 3c)⁴ with its derivatives: within 100 000 bits a number it could not be found before."""
    field = Field((-5, -2, 0, 1), Fraction(2), Fraction(3))
    factor = [field.element([0, 3]), -1, field.element([0, 1])]
    product: list = [1]
    for _ in range(6):
        longer: list = [0] * (len(product) + 2)
        for i, c in enumerate(product):
            for j, e in enumerate(factor):
                longer[i + j] = longer[i + j] + c * e
        product = longer
    assert len(repeated(product, 6)) == 3 and len(repeated(product, 7)) == 1


# --- polynomials and matrices ---------------------------------------------------------------------------------------

terms = st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 3)), small.filter(bool), max_size=4)
X, Y = sympy.symbols("x y")


def expression(p: dict) -> sympy.Expr:
    return sympy.expand(sum((c * X**i * Y**j for (i, j), c in p.items()), sympy.Integer(0)))


@given(terms, terms, terms)
def test_arithmetic_of_polynomials_agrees_with_sympy(p: dict, q: dict, r: dict) -> None:
    assert expression(multiply(p, q)) == sympy.expand(expression(p) * expression(q))
    assert expression(power(p, 3, 2)) == sympy.expand(expression(p) ** 3)
    assert expression(derivative(p, (1, 2))) == sympy.expand(sympy.diff(expression(p), X, 1, Y, 2))
    swapped = expression(p).subs({X: expression(q), Y: expression(r)}, simultaneous=True)
    assert expression(substitute(p, [q, r], 2)) == sympy.expand(swapped)


numbers = st.tuples(st.fractions(-3, 3, max_denominator=4), st.integers(-3, 3)).filter(any)
over_a_field = st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 9)), numbers, max_size=3)


@pytest.mark.long
@settings(max_examples=20)
@given(over_a_field, over_a_field, over_a_field)
def test_compositions_agree_with_sympy(p: dict, q: dict, r: dict) -> None:
    """Over ℚ(c) with 2c² = 3, c among the variables: exponents packed into one number must not run into each other."""
    field, root = Field((-3, 0, 2), Fraction(1), Fraction(2)), sympy.sqrt(Rational(3, 2))

    def written(terms: dict) -> sympy.Expr:
        summands = [(Rational(str(a)) + Rational(str(b)) * root) * X**i * Y**j for (i, j), (a, b) in terms.items()]
        return sympy.Add(*summands)

    mine, first, second = ({e: field.element(c) for e, c in terms.items()} for terms in (p, q, r))
    found = {e: dict(enumerate(c.parts)) for e, c in composed(mine, [first, second], 2, field).items()}
    back = written({e: (c.get(0, 0), c.get(1, 0)) for e, c in found.items()})
    assert not sympy.expand(back - written(p).subs({X: written(q), Y: written(r)}, simultaneous=True))


@given(st.lists(st.lists(small, min_size=3, max_size=3), min_size=1, max_size=4))
def test_ranks_agree_with_sympy(rows: list) -> None:
    matrix = sympy.Matrix(rows)
    assert rank(rows) == matrix.rank()
    gram = [[int(entry) for entry in row] for row in (matrix.T * matrix).tolist()]
    assert is_definite(gram) == (matrix.rank() == 3)
    assert is_definite([[-entry for entry in row] for row in gram]) == (matrix.rank() == 3)
    indefinite = [[entry * (-1) ** (i == j == 2) for j, entry in enumerate(row)] for i, row in enumerate(gram)]
    assert not is_definite(indefinite)


def test_minors_are_determinants() -> None:
    names = sympy.symbols("v:6")
    expected = {
        sympy.expand(sympy.Matrix(2, 3, names)[:, list(columns)].det())
        for columns in itertools.combinations(range(3), 2)
    }
    found = {
        sum(c * sympy.prod(v**e for v, e in zip(names, exponent, strict=True)) for exponent, c in p.items())
        for p in minors([[0, 1, 2], [3, 4, 5]], 2, 6)
    }
    assert found == expected


# Aoyagi 2024 and Pepin Lehalleur and Rimányi 2024, as tabulated in the literature (rank 0)
@pytest.mark.parametrize(
    ("widths", "pair"),
    [
        ((1, 1, 1), ("1/2", 2)),
        ((1, 1, 1, 1), ("1/2", 3)),
        ((2, 2, 2), ("3/2", 1)),
        ((2,) * 4, ("3/2", 3)),
        ((2,) * 5, ("3/2", 5)),
        ((3,) * 4, ("3", 1)),
        ((3,) * 5, ("3", 4)),
        ((4,) * 4, ("11/2", 3)),
        ((5,) * 6, ("15/2", 1)),
        ((3, 2, 3, 2, 3), ("2", 4)),
        ((3, 5), ("15/2", 1)),
    ],
)
def test_deep_linear_networks(widths: tuple, pair: tuple) -> None:
    assert deep_linear(widths) == (Fraction(pair[0]), pair[1])


# --- polyhedra ------------------------------------------------------------------------------------------------------


def minimisers(exponents: frozenset, weights: tuple) -> frozenset:
    values = {a: sum(w * x for w, x in zip(weights, a, strict=True)) for a in exponents}
    return frozenset(a for a, value in values.items() if value == min(values.values()))


def faces_by_weights(exponents: frozenset, dimension: int) -> set:
    """All compact faces, from cones of the normal fan: one weight in the interior of every cone.

    Every cone of the normal fan restricted to w > 0 is a set {w : ⟨w, a − b⟩ ⋛ 0}; sums of the rays of the arrangement
    {w_i = 0} ∪ {⟨w, a − b⟩ = 0} reach the interior of each. Small cases only.
    """
    planes = [tuple(x - y for x, y in zip(a, b, strict=True)) for a, b in itertools.combinations(exponents, 2)]
    planes += [tuple(int(i == j) for j in range(dimension)) for i in range(dimension)]
    rays: set[tuple[Fraction, ...]] = set()
    for chosen in itertools.combinations(planes, dimension - 1):
        kernel = sympy.Matrix(chosen).nullspace() if chosen else [sympy.Matrix([1])]
        if len(kernel) != 1:
            continue
        for sign in (1, -1):
            ray = [sign * entry for entry in kernel[0]]
            if all(entry >= 0 for entry in ray):
                total = sum(ray)
                rays.add(tuple(Fraction(int((e / total).p), int((e / total).q)) for e in ray))
    found = set()
    for size in range(1, dimension + 1):
        for chosen in itertools.combinations(sorted(rays), size):
            weights = tuple(map(sum, zip(*chosen, strict=True)))
            if all(w > 0 for w in weights):
                found.add(minimisers(exponents, weights))
    return found


@pytest.mark.parametrize("seed", range(25))
def test_compact_faces_are_the_minimisers_of_positive_weights(seed: int) -> None:
    generator = random.Random(seed)
    dimension = 1 + seed % 3
    exponents = frozenset(
        a for a in (tuple(generator.randint(0, 4) for _ in range(dimension)) for _ in range(3 + seed % 3)) if any(a)
    )
    if exponents:
        assert Polyhedron.of(exponents).compact_faces == faces_by_weights(exponents, dimension)


@pytest.mark.parametrize("seed", range(25))
def test_no_positive_weight_has_other_minimisers(seed: int) -> None:
    """In more variables: whatever a random weight minimises is listed."""
    generator = random.Random(seed)
    dimension = 4 + seed % 4
    exponents = frozenset(
        a for a in (tuple(generator.choice((0, 0, 1, 2, 3)) for _ in range(dimension)) for _ in range(14)) if any(a)
    )
    polyhedron = Polyhedron.of(exponents)
    for _ in range(300):
        weights = tuple(generator.choice((1, 1, 2, 3, 5, 8)) for _ in range(dimension))
        assert minimisers(exponents, weights) in polyhedron.compact_faces
    for face in polyhedron.compact_faces:  # and each face is that of the sum of the normals of its facets
        normals = [facet.normal for facet in polyhedron.facets if face <= facet.exponents]
        weights = tuple(map(sum, zip(*normals, strict=True)))
        assert all(w > 0 for w in weights) and minimisers(exponents, weights) == face
        assert affine_dimension(face) <= dimension - rank(normals)


@given(
    st.sets(st.tuples(*[st.integers(0, 4)] * 3).filter(any), min_size=1, max_size=6),
    st.tuples(*[st.fractions(min_value=Fraction(1, 3), max_value=3, max_denominator=3)] * 3),
)
def test_the_optimum_is_that_of_all_vertices(exponents: set, tau: tuple) -> None:
    """The least value over all vertices of {w ≥ 0, ⟨w, a⟩ ≥ 1}, and 1 + the dimension that the optimal ones span."""
    planes = [(a, 1) for a in exponents] + [(tuple(int(i == j) for j in range(3)), 0) for i in range(3)]
    values: dict[tuple, Fraction] = {}
    for chosen in itertools.combinations(planes, 3):
        matrix = sympy.Matrix([normal for normal, _ in chosen])
        if matrix.det() == 0:
            continue
        solution = matrix.LUsolve(sympy.Matrix([level for _, level in chosen]))
        w = tuple(Fraction(int(x.p), int(x.q)) for x in solution)
        if min(w) >= 0 and all(sum(x * e for x, e in zip(w, a, strict=True)) >= 1 for a in exponents):
            values[w] = sum((x * t for x, t in zip(w, tau, strict=True)), Fraction(0))
    least = min(values.values())
    best = [w for w, value in values.items() if value == least]
    spanned = rank([[x - y for x, y in zip(w, best[0], strict=True)] for w in best])
    assert Polyhedron.of(exponents).optimum(tau) == (least, 1 + spanned)


def test_many_exponents_in_eight_variables() -> None:
    quadrics = {tuple((i == k) + (j == k) for k in range(8)) for i in range(8) for j in range(i, 8)}
    polyhedron = Polyhedron.of(quadrics)
    assert len(quadrics) == 36 and len(polyhedron.compact_faces) == 2**8 - 1  # the faces of a simplex
    assert polyhedron.optimum([Fraction(1)] * 8) == (4, 1)


# --- flats ----------------------------------------------------------------------------------------------------------

BELL = {2: 2, 3: 5, 4: 15, 5: 52}


@pytest.mark.parametrize("size", BELL)
def test_flats_of_the_braid_arrangement_are_set_partitions(size: int) -> None:
    forms = [[(k == i) - (k == j) for k in range(size)] for i, j in itertools.combinations(range(size), 2)]
    found = flats(forms)
    assert len(found) == BELL[size]
    assert all(codimension == rank([forms[i] for i in flat]) for flat, codimension in found.items())
    assert longest_chain(list(found)) == size


@given(st.lists(st.tuples(small, small, small).filter(any), min_size=1, max_size=5))
def test_flats_are_the_closed_sets(forms: list) -> None:
    closed = set()
    for size in range(len(forms) + 1):
        for chosen in itertools.combinations(range(len(forms)), size):
            rows = [forms[i] for i in chosen]
            closed.add(frozenset(i for i, form in enumerate(forms) if rank([*rows, form]) == rank(rows)))
    found = flats(forms)
    assert set(found) - {frozenset()} == closed - {frozenset()}


# --- bounds ---------------------------------------------------------------------------------------------------------

values = st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(3, 2)])
pairs = st.tuples(values, st.integers(1, 3))


def dominates(left: tuple, right: tuple) -> bool:
    return left[0] < right[0] or (left[0] == right[0] and left[1] >= right[1])


def holds(bounds: Bounds, pair: tuple) -> bool:
    low, high = bounds.lower, bounds.upper
    above = pair[0] >= low.value if low.multiplicity is None else dominates((low.value, low.multiplicity), pair)
    below = pair[0] <= high.value if high.multiplicity is None else dominates(pair, (high.value, high.multiplicity))
    return above and below


@st.composite
def bounded_pairs(draw: st.DrawFn) -> tuple[tuple, Bounds]:
    pair = draw(pairs)
    claims = st.builds(Bound, values, st.one_of(st.none(), st.integers(1, 3)))
    bounds = draw(st.builds(Bounds, claims, claims).filter(lambda b: holds(b, pair)))
    return pair, bounds


@given(st.lists(bounded_pairs(), min_size=1, max_size=3))
def test_what_is_combined_holds_for_the_combined_pair(given_pairs: list) -> None:
    """Whatever the true pairs are, the combined bounds hold for their sum, crossing and union."""
    true, claims = [pair for pair, _ in given_pairs], [bounds for _, bounds in given_pairs]
    least = min(value for value, _ in true)
    assert holds(summed(claims), (sum((v for v, _ in true), Fraction(0)), 1 + sum(m - 1 for _, m in true)))
    assert holds(crossed(claims), (least, sum(m for v, m in true if v == least)))
    assert holds(united(claims), (least, max(m for v, m in true if v == least)))
    assert all(bounds.is_consistent for bounds in claims)


@given(
    st.tuples(
        pairs,
        st.lists(
            st.builds(Bounds, *[st.builds(Bound, values, st.one_of(st.none(), st.integers(1, 3)))] * 2),
            min_size=1,
            max_size=4,
        ),
    )
)
def test_the_sharpest_bounds_say_what_all_of_them_say(drawn: tuple) -> None:
    pair, claims = drawn
    assert holds(sharpest(claims), pair) == all(holds(bounds, pair) for bounds in claims)
