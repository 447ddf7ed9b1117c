"""Families of ideals whose pair is known in closed form: arrangements, matrix products, minors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bounds, crossed
from ddtheory.certify.flats import flats, longest_chain
from ddtheory.certify.germs import Node
from ddtheory.certify.matrices import (
    deep_linear,
    is_definite,
    is_multiple_of_all,
    minors,
    product_entries,
    rank,
)
from ddtheory.certify.polyhedra import Polyhedron
from ddtheory.certify.polynomials import Polynomial, at_zero, derivative, equal, is_unit, multiply, power, pruned
from ddtheory.certify.refusal import require
from ddtheory.certify.rules.rule import rule
from ddtheory.certify.scalars import Number, sign, total


@rule("arrangement")
def arrangement(node: Node) -> Bounds:
    """f = A·∏ L_j^{s_j}, L_j real linear forms through the origin, prior ∏|x_i|^{h_i}, no boundaries.

    Blowing up all flats W of the arrangement of the L_j and the weighted coordinate hyperplanes, smallest first, gives
    normal crossings; the divisor of W has discrepancy codim W + Σ h_i and order Σ s_j over the hyperplanes that
    contain W, and divisors meet exactly along chains. So κ is the least ratio and m the longest chain of minimisers.
    Forms in separate variables are a product in separate variables: the smallest value, and multiplicities add.

    Sources: Mustață 2006, Corollary 0.3; Kosta and Windisch 2024 (real flats, multiplicity); De Concini and Procesi
    1995 (chains).
    """
    data = node.have("forms", "exponents", "unit")
    require(not node.children, "the rule has no children")
    germ, d = node.germ, node.germ.dimension
    require(not any(germ.nonnegative), "a variable has a boundary")
    forms: list[list[Number]] = [
        [strict_json.number(c, "a coefficient of a form", germ.field) for c in strict_json.items(row, "a form", d)]
        for row in strict_json.items(data["forms"], "forms")
    ]
    require(bool(forms) and all(any(map(sign, form)) for form in forms), "a form is 0, or there is none")
    exponents = [
        strict_json.integer(s, "an exponent", 1) for s in strict_json.items(data["exponents"], "exponents", len(forms))
    ]
    for i, form in enumerate(forms):
        require(all(rank([form, other]) == 2 for other in forms[:i]), "two forms are proportional")
    product = node.polynomial(data["unit"], "the unit")
    require(is_unit(product), "the unit vanishes at the point")
    for form, s in zip(forms, exponents, strict=True):
        product = multiply(product, power(_linear(form), s, d))
    require(equal(node.generator, product), "the generator is not the product of the powers of the forms")
    return _from_blocks(node, forms, exponents)


def _from_blocks(node: Node, forms: list[list[Number]], exponents: list[int]) -> Bounds:
    """The pair of the product, block by block of forms that share variables."""
    blocks: list[tuple[set[int], list[int]]] = []
    for number, form in enumerate(forms):
        used = {index for index, c in enumerate(form) if sign(c)}
        joined = [block for block in blocks if block[0] & used]
        blocks = [block for block in blocks if not block[0] & used]
        blocks.append((used.union(*(v for v, _ in joined)), [number, *(k for _, numbers in joined for k in numbers)]))
    return crossed(
        [
            _from_flats(node, used, [forms[k] for k in numbers], [exponents[k] for k in numbers])
            for used, numbers in blocks
        ]
    )


def _from_flats(node: Node, used: set[int], forms: list[list[Number]], exponents: list[int]) -> Bounds:
    d = node.germ.dimension
    weights = [Fraction(0)] * len(forms)
    orders = list(exponents)
    for index, h in enumerate(node.germ.prior):
        if h and index in used:
            axis: list[Number] = [int(index == i) for i in range(d)]
            same = next((k for k, form in enumerate(forms) if rank([form, axis]) == 1), None)
            if same is None:
                forms, weights, orders = [*forms, axis], [*weights, h], [*orders, 0]
            else:
                weights[same] += h
    ratios = {
        flat: (codimension + total(weights[j] for j in flat)) / sum(orders[j] for j in flat)
        for flat, codimension in flats(forms).items()
        if any(orders[j] for j in flat)
    }
    least = min(ratios.values())
    return Bounds.exactly(least, longest_chain([flat for flat, ratio in ratios.items() if ratio == least]))


def _linear(form: Sequence[Number]) -> Polynomial:
    return pruned({tuple(int(i == k) for i in range(len(form))): c for k, c in enumerate(form)})


@rule("matrix_product")
def matrix_product(node: Node) -> Bounds:
    """The entries of W_L ⋯ W_1 − C in free variables, at a point where all W_l and C = W_L ⋯ W_1 have one rank r.

    At rank 0 it is the pair of a deep linear network, κ = 2λ: the global pair is the one at the origin, because scaling
    brings every factorisation of 0 there. λ is computed by Aoyagi's formula and by rank sequences, which must agree
    (see `matrices.deep_linear` for the sources).

    At rank r, im W_l and ker W_{l+1} are complementary, so constant bases make W_l = diag(1_r, 0). Near the point
    W_1 = [[1, 0], [Y_1, 1]]·diag(A_1, D_1)·[[1, Z], [0, 1]]; W_2 takes the factor on the left and splits likewise, and
    the upper unipotent between two block diagonals moves through the one on its right: [[1, X], [0, 1]]·diag(A, D) =
    diag(A, D)·[[1, A⁻¹XD], [0, 1]]. So W_L ⋯ W_1 = [[1, 0], [Y, 1]]·diag(A, D_L ⋯ D_1)·[[1, Z'], [0, 1]], the ideal
    is ⟨A − 1, Y, Z'⟩ + ⟨entries of D_L ⋯ D_1⟩, and A, Y, Z' and the D_l, of widths H_l − r, have independent
    differentials: r(H_0 + H_L) − r² coordinates beside a product at rank 0, or beside nothing when r is a width.
    """
    data = node.have("widths", "matrices", optional=("point",))
    require(not node.children, "the rule has no children")
    matrices = [_variable_matrix(matrix) for matrix in strict_json.items(data["matrices"], "matrices")]
    require(len(matrices) >= 1, "there is no matrix")
    _all_free_once(node, [index for matrix in matrices for row in matrix for index in row])
    paths = math.prod(len(matrix) for matrix in matrices[:-1])
    require(
        all(sum(sum(a) == len(matrices) for a in f) == paths for f in node.germ.generators),
        f"the generators are not the entries of the product: those have {paths} terms of degree {len(matrices)}",
    )
    constants = _constants(node, data["point"], matrices) if "point" in data else None
    widths, entries = product_entries(matrices, node.germ.dimension, constants)
    stated = [strict_json.integer(w, "a width", 1) for w in strict_json.items(data["widths"], "widths")]
    require(stated == widths, f"the matrices have the widths {widths}, not {stated}")
    values = [at_zero(entry) for entry in entries]
    entries = [{a: c for a, c in entry.items() if any(a)} for entry in entries]
    require(is_multiple_of_all(node.germ.generators, entries), "the generators are not the entries of the product")
    r = 0
    if constants is not None:
        product = [values[k : k + widths[0]] for k in range(0, len(values), widths[0])]
        r, *others = map(rank, [product, *constants])
        require(all(other == r for other in others), "the factors and the product have different ranks at the point")
    left = [width - r for width in widths]
    regular = r * (widths[0] + widths[-1]) - r**2
    value, multiplicity = deep_linear(left) if all(left) else (Fraction(0), 1)
    return Bounds.exactly(regular + 2 * value, multiplicity)


def _constants(node: Node, value: Any, matrices: Sequence[Sequence[Sequence[int]]]) -> list[list[list[Number]]]:
    """The values of the matrices at the point."""
    return [
        [
            [strict_json.number(c, "a value at the point", node.germ.field) for c in strict_json.items(row, "a row", n)]
            for row, n in zip(strict_json.items(given, "a matrix", len(matrix)), map(len, matrix), strict=True)
        ]
        for given, matrix in zip(strict_json.items(value, "the point", len(matrices)), matrices, strict=True)
    ]


@rule("minors")
def generic_minors(node: Node) -> Bounds:
    """All k × k minors of an a × b matrix of free variables: κ = min_{0 ≤ i < k} (a − i)(b − i)/(k − i), and m is the
    number of minimisers. Sources: Johnson 2003; Docampo 2013.
    """
    data = node.have("matrix", "size")
    require(not node.children, "the rule has no children")
    matrix = _variable_matrix(data["matrix"])
    require(len({len(row) for row in matrix}) == 1, "the matrix has rows of different lengths")
    _all_free_once(node, [index for row in matrix for index in row])
    a, b = len(matrix), len(matrix[0])
    size = strict_json.integer(data["size"], "the size", 1, min(a, b) + 1)
    terms, count = math.factorial(size), math.comb(a, size) * math.comb(b, size)
    require(len(node.germ.generators) >= count, f"the generators are not the minors of the matrix: there are {count}")
    require(
        all(len(f) == terms for f in node.germ.generators),
        f"the generators are not the minors of the matrix: those have {terms} terms",
    )
    expected = minors(matrix, size, node.germ.dimension)
    require(is_multiple_of_all(node.germ.generators, expected), "the generators are not the minors of the matrix")
    ratios = [Fraction((a - i) * (b - i), size - i) for i in range(size)]
    return Bounds.exactly(min(ratios), ratios.count(min(ratios)))


@rule("vandermonde")
def vandermonde(node: Node) -> Bounds:
    """Σ_i a_i b_i^{1 + jQ} for j = 0 … J, J ≥ H − 1, in 2H free variables: one input, H hidden units, true function 0.
    Power sums of higher degree lie in this ideal (Newton's recursion in the b_i^Q).

    κ is computed twice, and must agree: by the closed form with k = max{i : 2H ≥ i(i − 1)Q + 2i}, and by the programme
    of the ideal after b_i = t_1 ⋯ t_i. Source: Aoyagi 2019, Section 4, N = M = 1.
    """
    data = node.have("pairs", "gap")
    require(not node.children, "the rule has no children")
    germ = node.germ
    gap = strict_json.integer(data["gap"], "the gap", 1, 1_000)
    pairs = [
        strict_json.indices(pair, "a pair", germ.dimension, 2) for pair in strict_json.items(data["pairs"], "pairs")
    ]
    _all_free_once(node, [index for pair in pairs for index in pair])
    units = len(pairs)
    require(1 <= units <= len(germ.generators), "there are fewer generators than hidden units")
    expected = [_power_sum(pairs, 1 + j * gap, germ.dimension) for j in range(len(germ.generators))]
    require(is_multiple_of_all(germ.generators, expected), "the generators are not the power sums")
    k = max(i for i in range(1, units + 1) if 2 * units >= i * (i - 1) * gap + 2 * i)
    value = Fraction(gap * k * (k + 1) + 2 * units, 2 * (1 + k * gap))
    multiplicity = 2 if 2 * units == k * (k - 1) * gap + 2 * k else 1
    rows = [
        tuple([1 + (i - j) * gap if j <= i else 0 for j in range(units)] + [int(i == j) for j in range(units)])
        for i in range(units)
    ]
    tau = [Fraction(units - j) for j in range(units)] + [Fraction(1)] * units
    require(Polyhedron.of(rows).optimum(tau) == (value, multiplicity), "the two ways to compute the pair disagree")
    return Bounds.exactly(value, multiplicity)


def _power_sum(pairs: Sequence[Sequence[int]], exponent: int, dimension: int) -> Polynomial:
    return {tuple({a: 1, b: exponent}.get(i, 0) for i in range(dimension)): 1 for a, b in pairs}


@rule("definite")
def definite(node: Node) -> Bounds:
    """Some generator has a definite quadratic part in all variables, and no generator has terms of lower degree:
    Σ|f_j| is bounded above and below by |x|², so κ = Σ (h_i + 1)/2 and m = 1, on any domain.
    """
    data = node.have("generator")
    require(not node.children, "the rule has no children")
    germ, d = node.germ, node.germ.dimension
    f = germ.generators[strict_json.integer(data["generator"], "generator", 0, len(germ.generators))]
    require(
        d > 0 and all(sum(exponent) >= 2 for exponent in germ.exponents), "a generator has a term of degree below 2"
    )
    hessian = [[at_zero(derivative(f, [(i == k) + (j == k) for k in range(d)])) for j in range(d)] for i in range(d)]
    require(is_definite(hessian), "the quadratic part is not definite")
    return Bounds.exactly(total(germ.tau) / 2, 1)


def _variable_matrix(value: Any) -> list[list[int]]:
    found = [
        [strict_json.integer(index, "an entry of a matrix", 0) for index in strict_json.items(row, "a row of a matrix")]
        for row in strict_json.items(value, "a matrix")
    ]
    require(bool(found) and bool(found[0]), "a matrix is empty")
    return found


def _all_free_once(node: Node, indices: list[int]) -> None:
    require(sorted(indices) == list(range(node.germ.dimension)), "the matrices do not hold every variable exactly once")
    require(all(map(node.germ.is_free, indices)), "a variable is not free")
