"""Ordinary blow-ups of coordinate subspaces, with every chart accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bounds, united
from ddtheory.certify.germs import Germ, Node
from ddtheory.certify.polynomials import Polynomial, proportional
from ddtheory.certify.refusal import require
from ddtheory.certify.rules.rule import rule
from ddtheory.certify.scalars import total


@rule("blowup", keeps_sign=True)
def blowup(node: Node) -> Bounds:
    """The blow-up of {x_C = 0} is proper, and over the origin it is the real projective space of directions in x_C.

    The charts x_i = t, x_j = t x_j, one for every i in C, cover it with t = 0 and every x_j ∈ ℝ; the Jacobian and the
    prior give t the exponent Σ_C (h_j + 1) − 1. The pair is the dominating one over all points of all charts, and a
    generator of one sign keeps it there. Where x_j ≠ 0, a point is in the chart of x_j as well: a direction is in the
    chart of the first of its coordinates in the list that is not 0, where those before it are 0 and no parameters.

    A chart may be left out when a permutation of the variables that keeps the centre, the ideal, the prior and the
    boundaries carries it to one that is there; then the others have all their points. Source: Watanabe 2009, Section
    3.5, after Hironaka 1964.
    """
    data = node.have("centre", "charts", optional=("symmetries",))
    germ = node.germ
    centre = strict_json.indices(data["centre"], "the centre", germ.dimension)
    require(len(centre) >= 2, "the centre has fewer than two equations")
    require(not any(germ.nonnegative[i] for i in centre), "a variable of the centre has a boundary")
    listed = [
        strict_json.integer(strict_json.entries(chart, "a chart", ("variable",))["variable"], "the variable of a chart")
        for chart in strict_json.items(data["charts"], "charts", len(node.children))
    ]
    require(set(listed) <= set(centre) and len(set(listed)) == len(listed), "the charts are not those of the centre")
    symmetries = data.get("symmetries", {})
    require(isinstance(symmetries, Mapping), "symmetries is no object")
    missing = {str(i) for i in set(centre) - set(listed)}
    require(set(symmetries) == missing, "not exactly the charts that are left out have a symmetry")
    for key, permutation in symmetries.items():
        _check_symmetry(germ, centre, listed, int(key), strict_json.indices(permutation, "a symmetry", germ.dimension))
    for place, (chart, child) in enumerate(zip(listed, node.children, strict=True)):
        others = frozenset(centre) - {chart}
        needed = others if missing else others - set(listed[:place])
        child.must_be(in_chart(germ, centre, chart), others if child.parameters == others else needed)
    return united([child.claim for child in node.children])


def in_chart(germ: Germ, centre: Sequence[int], chart: int) -> Germ:
    """The germ in the chart x_i = t, x_j = t x_j for j in the centre."""
    prior = list(germ.prior)
    prior[chart] = total(germ.prior[j] + 1 for j in centre) - 1
    moved = [
        {
            tuple(sum(exponent[j] for j in centre) if i == chart else e for i, e in enumerate(exponent)): c
            for exponent, c in f.items()
        }
        for f in germ.generators
    ]
    return Germ(germ.variables, tuple(moved), tuple(prior), germ.nonnegative, germ.field)


def _check_symmetry(
    germ: Germ, centre: Sequence[int], listed: Sequence[int], chart: int, images: Sequence[int]
) -> None:
    require(len(images) == germ.dimension, "a symmetry is no permutation of all variables")
    require({images[i] for i in centre} == set(centre), "a symmetry moves the centre")
    require(images[chart] in listed or images.index(chart) in listed, "a symmetry leads to a chart that is not there")
    require(
        all(
            germ.prior[i] == germ.prior[j] and germ.nonnegative[i] == germ.nonnegative[j] for i, j in enumerate(images)
        ),
        "a symmetry changes the prior or the boundaries",
    )
    moved = [_permuted(f, images) for f in germ.generators]
    for those, these in ((moved, germ.generators), (germ.generators, moved)):
        require(all(any(proportional(f, g) for g in these) for f in those if f), "a symmetry changes the ideal")


def _permuted(f: Polynomial, images: Sequence[int]) -> Polynomial:
    places = [images.index(i) for i in range(len(images))]
    return {tuple(exponent[place] for place in places): c for exponent, c in f.items()}
