"""Small certificates that ask for much: hours of arithmetic, or gigabytes. Some are right, and only too large."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

from handwriting import Json, germ, newton_data, node, of_divergence, of_ideal, polynomial

BIG = "9" * 3_999


def _names(count: int) -> str:
    return " ".join(f"x{k}" for k in range(count))


def a_constant_to_a_large_power() -> Json:
    data = {"exponent": 10**12, "unit": polynomial("1", "x")}
    return of_ideal(node("power", germ("x", "3"), "infinity,1", data, node("unit", germ("x", "3"), "infinity,1")))


def a_long_number_to_a_large_power() -> Json:
    power = germ("x y", "x^49999 - y^49999")
    faces = {"x^49999": "monomial 0", "y^49999": "monomial 0", "x^49999, y^49999": "edge"}
    data = newton_data("x y", "1/49999 1/49999", {"x^49999": "1/49999", "y^49999": "1/49999"}, 1, faces)
    data["zeros"] = [{"face": 2, "points": [[BIG, "1"], ["1", BIG]]}]
    return of_ideal(node("newton", power, "0,? < 2/49999,1", data))


def a_point_far_away() -> Json:
    return of_ideal(node("unit", germ("x", "x^49999"), "infinity,1"), at=BIG, given=germ("x", "x^49999"))


def many_index_tuples() -> Json:
    """A product of 34 ideals of two generators: 2^34 products, of which one is there."""
    factors = 34
    names = _names(2 * factors).split()
    product = "*".join(names[::2])
    children = [
        node("bounds", germ(f"{a} {b}", a, b), "0,? < 2,?", {"weights": ["1", "1"], "order": None})
        for a, b in zip(names[::2], names[1::2], strict=True)
    ]
    data = {
        "factors": [{"variables": [2 * k, 2 * k + 1]} for k in range(factors)],
        "products": [{"indices": [0] * factors, "unit": polynomial("1", " ".join(names))}],
    }
    return of_ideal(node("crossing", germ(" ".join(names), product), "2,? < 2,?", data, *children))


def a_field(degree: int, digits: int) -> Json:
    """A polynomial of a field with arbitrary coefficients; whether it has one root takes a Sturm chain."""
    rng = random.Random(degree)
    coefficients = [str(rng.randrange(10 ** (digits - 1), 10**digits)) for _ in range(degree + 1)]
    of = germ("x", "x", field={"minimal_polynomial": coefficients, "interval": ["0", "1"]})
    return of_ideal(node("unit", of, "infinity,1"))


def many_small_matrices(count: int) -> Json:
    """The product of 1 × 1 matrices is one monomial: κ = 1, m = count. True, and quadratic in memory."""
    names = _names(count)
    of = germ(names, "*".join(names.split()))
    data = {"widths": [1] * (count + 1), "matrices": [[[k]] for k in range(count)]}
    return of_ideal(node("matrix_product", of, f"1,{count}", data))


def coordinate_forms(count: int) -> Json:
    """x_1 ⋯ x_n as an arrangement has 2^n flats. The claim is right: κ = 1, m = n."""
    names = _names(count)
    forms = [[str(int(i == j)) for j in range(count)] for i in range(count)]
    data = {"forms": forms, "exponents": [1] * count, "unit": polynomial("1", names)}
    return of_ideal(node("arrangement", germ(names, "*".join(names.split())), f"1,{count}", data))


def wide_networks() -> Json:
    """Twelve widths of 8: the rank sequences of least cost are very many."""
    widths, matrices, start = [8] * 13, [], 0
    for rows, columns in itertools.pairwise(widths):
        matrices.append([[start + columns * i + j for j in range(columns)] for i in range(rows)])
        start += rows * columns
    names = _names(start)
    return of_ideal(node("matrix_product", germ(names), "1,1", {"widths": widths, "matrices": matrices}))


def a_prior_near_its_pole() -> Json:
    """Every prior exponent has another denominator of 3000 digits; a sum of them would have all of these."""
    count = 300
    names = _names(count)
    prior = " ".join(f"1/{10**2_999 + 2 * k + 1}" for k in range(count))
    squares = germ(names, " + ".join(f"{name}^2" for name in names.split()), prior=prior)
    return of_divergence(node("definite", squares, "1,1", {"generator": 0}))


def a_polyhedron(dimension: int, count: int) -> Json:
    """Random exponents of one degree: facets beyond number."""
    rng = random.Random(1)
    names = _names(dimension)
    generators = []
    for _ in range(count):
        cuts = sorted(rng.randrange(2_001) for _ in range(dimension - 1))
        powers = [b - a for a, b in itertools.pairwise([0, *cuts, 2_000])]
        generators.append("*".join(f"{name}^{e}" for name, e in zip(names.split(), powers, strict=True)))
    data = newton_data(names, "1 " * dimension, {}, 1, {})
    return of_ideal(node("newton", germ(names, *generators), "1,1", data))


def a_dense_division(degree: int) -> Json:
    """A Sturm chain of a random polynomial of high degree on an edge."""
    rng = random.Random(2)
    text = " + ".join(f"{rng.randrange(1, 100)}*x^{degree - k}*y^{k}" for k in range(degree + 1))
    data = newton_data("x y", f"1/{degree} 1/{degree}", {}, 1, {})
    return of_ideal(node("newton", germ("x y", text.replace("+ 9", "- 9")), "1,1", data))


def a_change_of_coordinates(degree: int) -> Json:
    """(x + y + z + …)^degree with six variables, multiplied out."""
    names = _names(6)
    moved = [polynomial(names.replace(" ", " + "), names), *(polynomial(f"x{k}", names) for k in range(1, 6))]
    child = node("bounds", germ(names, f"x0^{degree}"), "0,? < infinity,?", {"weights": None, "order": None})
    data = {"map": moved, "units": [polynomial("1", names)]}
    return of_ideal(node("coordinates", germ(names, "x1"), "0,? < infinity,?", data, child))


def a_high_derivative() -> Json:
    """∂^25000 of x^50000, as a cofactor would need it: 25000 factors, a million bits."""
    optimum = {"x^50000": "1/50000", "y^50000": "1/50000"}
    data = newton_data("x y", "1/50000 1/50000", optimum, 1, {"x^50000": "monomial 0"})
    face = {
        "kind": "cofactors",
        "order": 49_000,
        "monomial": [1, 1],
        "terms": [{"generator": 0, "derivative": [25_000, 0], "cofactor": polynomial("1", "x y")}] * 1_000,
    }
    data["faces"] += [
        {"exponents": [[0, 50_000]], "proof": {"kind": "monomial", "generator": 0}},
        {"exponents": [[0, 50_000], [50_000, 0]], "proof": face},
    ]
    return of_ideal(node("newton", germ("x y", "x^50000 + y^50000"), "1/25000,1", data))


def a_small_value() -> Json:
    """⟨w, τ⟩ of 1/10^3999: an order of 10^3999 is asked for."""
    prior = f"-{BIG}/{'1' + '0' * 3_999}"
    found = germ("x y", "x*y", prior=f"{prior} {prior}")
    data = {**newton_data("x y", "1 0", {"x*y": "1"}, 1, {"x*y": "monomial 0"}), "charts": []}
    return of_ideal(node("toric", found, "1,1", data))


HOSTILE: dict[str, Callable[[], Any]] = {
    "a constant to the power 10^12": a_constant_to_a_large_power,
    "a 3999-digit number to the 49999th power": a_long_number_to_a_large_power,
    "a point of 3999 digits under x^49999": a_point_far_away,
    "2^34 index tuples": many_index_tuples,
    "a field of degree 189": lambda: a_field(189, 3_000),
    "a field of degree 189 with small coefficients": lambda: a_field(189, 3),
    "2500 matrices": lambda: many_small_matrices(2_500),
    "900 matrices": lambda: many_small_matrices(900),
    "wide networks": wide_networks,
    "300 denominators": a_prior_near_its_pole,
    "a polyhedron in 12 variables": lambda: a_polyhedron(12, 120),
    "a Sturm chain of degree 1500": lambda: a_dense_division(1_500),
    "a power of a sum of six": lambda: a_change_of_coordinates(300),
    "a derivative of order 25000": a_high_derivative,
    "a value of 1/10^3999": a_small_value,
}
