"""Linear changes: the lowest forms of an ideal depend on few linear forms, which become coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import fmpq, fmpq_mat

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element, from_flint, initial_form, order, substitute, to_flint
from ddtheory.exact.thresholds.nodes import Node, Solve
from ddtheory.exact.thresholds.rules.changes import changed, described

Form = list[Any]  # coefficients of a linear form in ℚ, one a variable


def essential_forms(germ: IdealGerm, solve: Solve) -> Node | None:
    """The linear forms on which the lowest forms depend become coordinates, then those on their common zero, and so on.

    F depends on the linear forms that vanish on {v : ∂_v F = 0}.
    """
    rows = _flag(germ)
    gens, count = germ.ring.gens, germ.dimension
    matrix = [[fmpq(int(i == j)) for j in range(count)] for i in range(count)]
    for pivot, form in rows.items():
        matrix[pivot] = form
    if all(matrix[i][j] == int(i == j) for i in range(count) for j in range(count)):
        return None
    inverse = fmpq_mat(matrix).inv()
    new = [_combination(row, gens, germ) for row in matrix]
    images = [_combination([inverse[i, j] for j in range(count)], gens, germ) for i in range(count)]
    child = germ.with_generators([substitute(generator, images, germ.ring) for generator in germ.generators])
    return changed(germ, solve(child), f"Linear coordinates {described(germ, new)}.", new)


def _combination(row: Sequence[Any], gens: Sequence[Element], germ: IdealGerm) -> Element:
    return sum((x * from_flint(value) for value, x in zip(row, gens, strict=True) if value), germ.ring.zero)


def _flag(germ: IdealGerm) -> dict[int, Form]:
    """Pivot variable → the form that takes its place."""
    rows: dict[int, Form] = {}
    fixed = {i for i in range(germ.dimension) if not germ.is_free(i)}
    # a variable that is a factor of a generator is replaced last: it may have been made a coordinate for that
    ranked = sorted(range(germ.dimension), key=lambda i: any(all(m[i] for m in f) for f in germ.generators))
    while len(fixed) < germ.dimension:
        restricted = [_on_zero(generator, fixed) for generator in germ.generators]
        restricted = [generator for generator in restricted if generator]
        if not restricted:
            break
        lowest = min(map(order, restricted))
        forms = _essential([initial_form(f) for f in restricted if order(f) == lowest], ranked)
        for form in forms:
            pivot = next(i for i in ranked if form[i])
            rows[pivot] = form
            fixed.add(pivot)
        # the next forms live on the common zero of these, which is a coordinate subspace only after the change
        if any(sum(1 for value in form if value) > 1 for form in forms):
            break
    return rows


def _on_zero(generator: Element, fixed: set[int]) -> Element:
    return generator.ring.from_dict({m: c for m, c in generator.items() if not any(m[i] for i in fixed)})


def _essential(forms: Sequence[Element], ranked: Sequence[int]) -> list[Form]:
    """A basis of the linear forms on which the given forms depend; pivots come early in `ranked`."""
    count = len(ranked)
    columns: list[dict[tuple[int, tuple[int, ...]], Any]] = [{} for _ in range(count)]
    for number, form in enumerate(forms):
        for i, x in enumerate(form.ring.gens):
            for monomial, coefficient in form.diff(x).items():
                columns[i][number, monomial] = to_flint(coefficient)
    keys = sorted({key for column in columns for key in column})
    # rows of the Jacobian matrix span the essential forms
    reduced, rank = fmpq_mat([[columns[i].get(key, fmpq(0)) for i in ranked] for key in keys]).rref()
    place = {i: j for j, i in enumerate(ranked)}
    return [[reduced[row, place[i]] for i in range(count)] for row in range(rank)]
