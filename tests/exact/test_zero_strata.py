"""Zero sets of polynomials: strata and pairs by hand, and every row against pairs that are derived at single zeros."""

from __future__ import annotations

import csv
import io
import itertools
from fractions import Fraction

import pytest
import sympy
from sympy.parsing.sympy_parser import parse_expr

from ddtheory.errors import InvalidValueError
from ddtheory.exact.strata import Strata, of_zero_set
from ddtheory.exact.strata.cells import open_cells
from ddtheory.exact.strata.cuts import mixed_off
from ddtheory.exact.strata.flows import fields_along
from ddtheory.exact.strata.graphs import graph_of, is_zero_of, parts_of
from ddtheory.exact.strata.ideals import ideal_of, pieces, sum_of_squares, unmixed_off
from ddtheory.exact.thresholds.germs.local_ring import ring_of
from ddtheory.exact.thresholds.rlct import rlct

# by hand. K = Σ f², so a smooth zero set of codimension c has (c/2, 1), and a normal crossing min 1/(2k)
BY_HAND: dict[tuple[str, ...], dict[str, tuple[int, str, int]]] = {
    ("x*y",): {
        "x = y = 0": (0, "1/2", 2),
        "x = 0, y ≠ 0": (1, "1/2", 1),
        "y = 0, x ≠ 0": (1, "1/2", 1),
    },
    ("x^2 - y^3",): {  # κ = 1/2 + 1/3 at the cusp
        "x = y = 0": (0, "5/12", 1),
        "y**3 - x**2 = 0, elsewhere": (1, "1/2", 1),
    },
    ("(x^2 - y^3)^2*z",): {  # the square halves κ; with z beside it 5/12 < 1
        "x = y = z = 0": (0, "5/24", 1),
        "x = y = 0, z ≠ 0": (1, "5/24", 1),
        "z = 0, y**3 - x**2 = 0, elsewhere": (1, "1/4", 1),
        "y**3 - x**2 = 0, elsewhere": (2, "1/4", 1),
        "z = 0, y**3 - x**2 ≠ 0": (2, "1/2", 1),
    },
    ("x*z^2 - y^2",): {  # Whitney's umbrella: two sheets cross for x > 0; for x < 0 it is y² + |x|z², κ = 1/2 + 1/2
        "x = y = z = 0": (0, "1/2", 2),
        "y = z = 0, x > 0": (1, "1/2", 2),
        "y = z = 0, x < 0": (1, "1/2", 1),
        "x*z**2 - y**2 = 0, elsewhere": (2, "1/2", 1),
    },
    ("a*d - b*c",): {  # a quadric of rank 4 has κ = 1
        "a = b = c = d = 0": (0, "1/2", 1),
        "b*c - a*d = 0, elsewhere": (3, "1/2", 1),
    },
    ("a*c", "a*d", "b*c", "b*d"): {  # ⟨a, b⟩ ⟨c, d⟩: a crossing of two planes with κ = 2
        "a = b = c = d = 0": (0, "1", 2),
        "a = b = 0": (2, "1", 1),
        "c = d = 0": (2, "1", 1),
    },
    ("x*(x^2 + y^2 - 1)^2",): {
        "x = 0, y = -1": (0, "1/4", 1),
        "x = 0, y = 1": (0, "1/4", 1),
        "x**2 + y**2 - 1 = 0, elsewhere": (1, "1/4", 1),
        "x = 0, y ≠ -1, y ≠ 1": (1, "1/2", 1),
    },
    ("x^2 - 2", "y^2 - x*y"): {  # four transversal points over ℚ(√2)
        "x = -sqrt(2), y = 0": (0, "1", 1),
        "x = sqrt(2), y = 0": (0, "1", 1),
        "x = -sqrt(2), y = -sqrt(2)": (0, "1", 1),
        "x = sqrt(2), y = sqrt(2)": (0, "1", 1),
    },
    ("x^2 - 2*x*y + y^2 + z^4",): {"z = 0, x - y = 0": (1, "3/8", 1)},  # a square and a fourth power: 1/2 · (1/2 + 1/4)
    ("y^2 - x^2*z^2 - x^3",): {  # cusps that open into nodes
        "x = y = z = 0": (0, "1/2", 3),
        "x = y = 0, z ≠ 0": (1, "1/2", 2),
        "x**2*z**2 + x**3 - y**2 = 0, elsewhere": (2, "1/2", 1),
    },
}

SPOT_CHECKED = [
    *BY_HAND,
    ("a1*b1 + a2*b2", "a1*b1^3 + a2*b2^3"),
    ("x*(y^2 - z)", "x^2*(y - 1)"),
    ("x*y*(x - y)",),
    ("x^2*y^3*(z - 1)",),
    ("a*e - b*d", "a*f - c*d", "b*f - c*e"),
    ("x*y - z^2", "x*z"),
    ("x*y + z*w", "x*z"),
    ("x^3 - x*y^2", "z*x"),
]


def holds(name: str, point: dict[str, int]) -> bool:
    """Whether the conditions in the name of a row hold at a point."""
    for condition in name.replace(", elsewhere", "").split(", "):
        for sign in ("≠", ">", "<", "="):
            if f" {sign} " in condition:
                values = [sympy.sympify(parse_expr(side)).subs(point) for side in condition.split(f" {sign} ")]
                equal = all(value == values[-1] for value in values)
                fine = {"≠": not equal, "=": equal, ">": values[0] > values[-1], "<": values[0] < values[-1]}
                if not fine[sign]:
                    return False
                break
    return True


def row_of(table: Strata, point: dict[str, int]) -> int:
    """The row of a zero: that of the smallest dimension whose conditions hold."""
    matching = [i for i, row in enumerate(table.strata) if holds(row.name, point)]
    assert matching, f"{point} is in no row"
    return min(matching, key=lambda i: table.strata[i].dimension)


@pytest.mark.parametrize("generators", BY_HAND, ids=str)
def test_strata_and_pairs_by_hand(generators: tuple[str, ...]) -> None:
    table = of_zero_set(*generators)
    found = {row.name: (row.dimension, str(row.rlct.lam), row.rlct.m) for row in table.strata if row.rlct}
    assert found == BY_HAND[generators]
    least = min(BY_HAND[generators].values(), key=lambda entry: (Fraction(entry[1]), -entry[2]))
    assert table.rlct is not None
    assert (str(table.rlct.lam), table.rlct.m) == least[1:]
    assert not table.open


@pytest.mark.parametrize("generators", SPOT_CHECKED, ids=str)
def test_rows_have_the_pairs_that_are_derived_at_single_zeros(generators: tuple[str, ...]) -> None:
    """All zeros on a small grid are in a row, and `rlct` there has its pair; the next row would not do for all."""
    table = of_zero_set(*generators)
    expressions = [sympy.sympify(parse_expr(f.replace("^", "**"))) for f in generators]
    names = sorted({symbol.name for f in expressions for symbol in f.free_symbols})
    zeros, wrong, seen = 0, 0, set()
    grid = (0, 1, -1, 2) if len(names) < 5 else (0, 1)
    for values in itertools.product(grid, repeat=len(names)):
        point = dict(zip(names, values, strict=True))
        if any(f.subs(point) != 0 for f in expressions):
            continue
        number = row_of(table, point)
        if (number, tuple(map(sympy.sign, values))) in seen:
            continue
        seen.add((number, tuple(map(sympy.sign, values))))
        zeros += 1
        found = rlct(generators=list(generators), at=point, seconds=5)
        assert found.rlct == table.strata[number].rlct, point
        wrong += found.rlct != table.strata[(number + 1) % len(table.strata)].rlct
    different = len({row.rlct for row in table.strata}) > 1
    assert zeros == 0 or wrong > 0 or not different or zeros < 2


def test_the_two_halves_of_an_umbrella_differ_over_the_reals() -> None:
    """Over ℂ the handle is one stratum; a table that derives at one point of it would be wrong on the other half."""
    rows = {row.name: row for row in of_zero_set("x*z^2 - y^2").strata}
    assert rows["y = z = 0, x > 0"].rlct != rows["y = z = 0, x < 0"].rlct
    assert rlct("x*z^2 - y^2", "0", at={"x": -3}).rlct == rows["y = z = 0, x < 0"].rlct


def test_without_weights_the_origin_need_not_govern() -> None:
    table = of_zero_set("x*(x - 1)^2")
    assert [(row.name, row.rlct and str(row.rlct.lam)) for row in table.strata] == [("x = 1", "1/4"), ("x = 0", "1/2")]
    assert "x = 1" in table.domain
    assert "0 in its interior" in of_zero_set("x*y^2").domain


def test_pieces_without_real_points_are_named_with_a_proof() -> None:
    table = of_zero_set("x*(y^2 + 1)", "x*(x - 1)")
    assert [row.name for row in table.strata] == ["x = 0"]
    assert table.left_out == ("y**2 + 1 = 0, x = 1: y**2 + 1 > 0",)
    with pytest.raises(InvalidValueError, match=r"no common real zero: .*> 0"):
        of_zero_set("x^2 + y^2 + 1")
    assert of_zero_set("x^2 + y^2 - 1").left_out == ()


def test_a_family_with_a_modulus_stays_open() -> None:
    """Four lines in a plane: their cross-ratio z moves, no flow carries one point to another. κ = 2/4, so λ = 1/4."""
    table = of_zero_set("x*y*(x - y)*(x + z*y)")
    (row,) = [row for row in table.strata if row.rlct is None]
    assert row.name == "x = y = 0"
    assert row.lower.value <= Fraction(1, 4) <= row.upper.value
    assert table.rlct is None
    assert f"all along {row.name}, or differ by a modulus" in table.open and "λ = 1/4, m = 1" in table.open
    assert table.status == "bounds"


def test_time_that_is_over_leaves_bounds() -> None:
    table = of_zero_set("a1*b1 + a2*b2", "a1*b1^3 + a2*b2^3", seconds=0.05)
    assert table.lower.value <= Fraction(2, 3) <= table.upper.value


@pytest.mark.parametrize(
    ("generators", "message"),
    [
        ((), "Give one generator"),
        (("0",), "have 0 variables"),
        (("x - x",), "have 0 variables"),
        (("a*b*c*d*e*f*g",), "7 variables"),
        (("sin(x)",), "no polynomial with rational coefficients"),
        (("sqrt(2)*x",), "no polynomial with rational coefficients"),
        (("x", "x - 1"), "1 lies in the ideal"),
        (("x^2 + y^2 - 1", "x*y - 1"), "no real solution"),
    ],
)
def test_what_is_not_cut_is_refused(generators: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        of_zero_set(*generators)


def test_seconds_are_positive() -> None:
    with pytest.raises(InvalidValueError, match="positive"):
        of_zero_set("x", seconds=0)


# --- what it rests on


def test_pieces_cover_the_real_zeros_and_only_them() -> None:
    ring = ring_of(("x", "y", "z"))
    x, y, z = ring.gens
    whole = ideal_of(ring, [x * (x - y) * (y**2 + z**2), x * z * (z - 1)])
    found = pieces(whole).ideals
    for values in itertools.product((-1, 0, 1, 2), repeat=3):
        pairs = list(zip(ring.gens, values, strict=True))
        inside = [all(f.evaluate(pairs) == 0 for f in one.basis) for one in found]
        assert any(inside) == all(f.evaluate(pairs) == 0 for f in whole.basis)
    assert not any(one.contains(other.basis) for one, other in itertools.permutations(found, 2))


def test_mixed_dimensions_are_seen() -> None:
    """A line through a plane: off y z = 0 all components have dimension 2. A graph has one component."""
    ring = ring_of(("x", "y", "z"))
    x, y, z = ring.gens
    assert unmixed_off(ideal_of(ring, [x * y, x * z])) == [y * z]
    assert ring.one in unmixed_off(ideal_of(ring, [y - x**2, z - x * y]))
    curve, point = [y - x**2, z - x * y], [x - 1, y, z]
    both = ideal_of(ring, [f * g for f in curve for g in point])  # at the point the rank is that of a curve, and more
    (off,) = mixed_off(both)
    assert off.dimension == 0
    assert is_zero_of(off, (Fraction(1), Fraction(0), Fraction(0)))
    assert not is_zero_of(off, (Fraction(2), Fraction(4), Fraction(8)))
    assert mixed_off(ideal_of(ring, curve)) == []


@pytest.mark.parametrize(
    ("text", "is_sum"),
    [("x**2 + x*y + y**2", True), ("-x**4 - 2*x**2*y - 3*y**2", True), ("x**2 + 3*x*y + y**2", False), ("x*y", False)],
)
def test_sums_of_squares_are_sums(text: str, is_sum: bool) -> None:
    ring = ring_of(("x", "y"))
    f = ring.from_expr(parse_expr(text))
    found = sum_of_squares(f)
    assert (found is not None) == is_sum
    for values in itertools.product((-2, -1, 0, 1, 3), repeat=2):
        pairs = list(zip(ring.gens, values, strict=True))
        if found is not None:  # they vanish together
            assert (f.evaluate(pairs) == 0) == all(g.evaluate(pairs) == 0 for g in found)


def test_vector_fields_keep_both_ideals() -> None:
    ring = ring_of(("x", "y", "z"))
    x, y, z = ring.gens
    umbrella, handle = ideal_of(ring, [x * z**2 - y**2]), ideal_of(ring, [y, z])
    fields = fields_along(umbrella, handle, 1)
    assert len(fields) > 1
    for field in fields:
        for ideal in (umbrella, handle):
            moved = [
                sum((v * f.diff(g) for v, g in zip(field, ring.gens, strict=True)), ring.zero) for f in ideal.basis
            ]
            assert ideal.contains(moved)
    assert not umbrella.contains([z * umbrella.basis[0].diff(z) + x * umbrella.basis[0].diff(x)])  # one that does not


def test_vector_fields_are_tangent_to_the_piece() -> None:
    """∂/∂x keeps the plane z = 0, and leaves the line x = z = 0 in it."""
    ring = ring_of(("x", "y", "z"))
    x, _, z = ring.gens
    plane = ideal_of(ring, [z])
    assert (ring.one, ring.zero, ring.zero) in fields_along(plane, plane, 1)
    assert (ring.one, ring.zero, ring.zero) not in fields_along(plane, ideal_of(ring, [x, z]), 1)
    assert (ring.zero, ring.one, ring.zero) in fields_along(plane, ideal_of(ring, [x, z]), 1)


def test_a_wall_that_goes_to_infinity_parts() -> None:
    """x y > 1 has two components; without the wall x = 0 of the leading coefficient x = 0 alone would be tried."""
    ring = ring_of(("x", "y"))
    x, y = ring.gens
    cells = open_cells(ring, [x * y - 1], [0, 1], 0, 100)
    assert {(px > 0, px * py > 1) for px, py in cells} == {(True, True), (True, False), (False, True), (False, False)}


def test_every_component_between_walls_has_a_point() -> None:
    """A parabola, a circle and a line: signs that occur on a fine grid occur among the cells."""
    ring = ring_of(("x", "y"))
    x, y = ring.gens
    walls = [y - x**2, x**2 + y**2 - 2, x - y]
    steps = [Fraction(k, 7) for k in range(-21, 22)]

    def signs(point: tuple[Fraction, ...]) -> tuple[bool, ...]:
        values = [
            f.evaluate([(x, ring.domain(p.numerator, p.denominator)) for x, p in zip(ring.gens, point, strict=True)])
            for f in walls
        ]
        return tuple(value > 0 for value in values) if all(values) else ()

    seen = {signs(point) for point in itertools.product(steps, repeat=2)} - {()}
    for variant in (0, 3):
        cells = {signs(cell) for cell in open_cells(ring, walls, [0, 1], variant, 100)}
        assert cells >= seen
    assert {signs(cell) for cell in open_cells(ring, walls[:1], [0, 1], 0, 100)} < cells


def test_a_point_of_a_part_lies_on_no_cut() -> None:
    ring = ring_of(("x", "y", "z"))
    x, y, z = ring.gens
    cut = ideal_of(ring, [x, y, z])
    (part,) = parts_of(graph_of(ideal_of(ring, [z])), [cut]) or []
    assert any(part.point)


# --- the table


def test_the_table_in_all_forms() -> None:
    table = of_zero_set("x*z^2 - y^2")
    rows = list(csv.DictReader(io.StringIO(table.csv())))
    assert [row["stratum"] for row in rows] == [row.name for row in table.strata]
    assert [Fraction(row["lambda"]) for row in rows] == [Fraction(1, 2)] * 4
    assert [row["dominates"] for row in rows] == ["True", "True", "False", "False"]
    assert table.html().count("<tr>") == 6
    assert "x &gt; 0" in table.html()
    assert table.latex().count(r"\\") >= 5
    assert r"\begin{array}{lllll}" in table.latex()
    assert [line.split("  ")[0] for line in table.text().splitlines()[1:5]] == [row.name for row in table.strata]
    document = table.to_json()
    assert (document["lambda"], document["multiplicity"], len(document["strata"])) == ("1/2", 2, 4)


def test_the_table_as_a_frame() -> None:
    pandas = pytest.importorskip("pandas")
    frame = of_zero_set("x*y").to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["lambda"]) == [Fraction(1, 2)] * 3
    assert list(frame["dominates"]) == [True, False, False]
