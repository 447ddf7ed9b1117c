"""The wall has two sides, and they must say the same: orders derived from K against orders read off torch models."""

from __future__ import annotations

from collections import Counter

import pytest
from agreement import FEWER, agrees, kind_of, read
from hypothesis import event, given
from hypothesis import strategies as st
from seeded import sample

from ddtheory.cells import Cell, exponential_curve
from ddtheory.testing import (
    KnownCell,
    dead_unit_cells,
    hidden_divergences,
    input_laws,
    mean_map_cells,
    orders,
)
from ddtheory.values import ReadingStatus
from ddtheory.workbench.evidence import limit

ALL_LAWS = dead_unit_cells(laws=input_laws(max_points=2, max_denominator=2))


@given(mean_map_cells())
def test_mean_maps(known: KnownCell) -> None:
    exact = known.cell.kl_order(known.along)
    assert (exact.k, exact.kind) == (known.order, kind_of(known.order))
    assert exact.leading == known.leading
    assert exact.arc is not None and exact.arc.proven and exact.arc_k == known.arc_order
    _, reading = read(known.cell, known.along)
    event(reading.status.value)
    assert agrees(exact, reading), str(reading)


@pytest.mark.long
@FEWER
@given(ALL_LAWS)
def test_dead_units_under_random_input_laws(known: KnownCell) -> None:
    exact = known.cell.kl_order(known.along)
    assert (exact.k, exact.kind, exact.leading) == (known.order, kind_of(known.order), known.leading)
    _, reading = read(known.cell, known.along)
    event(reading.status.value)
    assert agrees(exact, reading), str(reading)


@FEWER
@given(dead_unit_cells(flat=True))
def test_one_weight_of_a_dead_unit_is_flat(known: KnownCell) -> None:
    exact = known.cell.kl_order(known.along)
    _, reading = read(known.cell, known.along)
    assert exact.k is None and exact.kind is reading.kind
    assert reading.status is ReadingStatus.FLAT


@given(st.sampled_from(["bernoulli", "poisson", "gaussian"]), orders())
def test_exponential_families(family: str, k: int) -> None:
    cell: Cell = exponential_curve(family, k)
    _, reading = read(cell, "t")
    assert agrees(cell.kl_order("t"), reading), str(reading)
    assert cell.kl_order("t").k == k


@pytest.mark.long
@FEWER
@given(st.one_of(mean_map_cells(max_order=4), ALL_LAWS))
def test_the_coefficient_of_the_fisher_is_the_exact_one(known: KnownCell) -> None:
    """F/t^{2(k−1)} → 2k²c: factors of 2 and of k cannot hide in an order."""
    exact = known.cell.kl_order(known.along).fisher_leading
    profile, _ = read(known.cell, known.along)
    k = known.order
    assert exact is not None and k is not None
    clear = [
        (t, f / t ** (2 * (k - 1)))
        for t, f in zip(profile.radii, profile.fisher, strict=True)
        if f > 1e10 * profile.fisher_floor  # a relative error of 2e-5 from the floor
    ]
    if len(clear) < 6:
        event("too few radii above the floor")
        return
    found = limit([t for t, _ in clear], [value for _, value in clear], relative_error=2e-5)
    assert found.contains(float(exact)), (found, exact)
    assert found.width < 0.01 * float(exact)


@pytest.mark.long
@pytest.mark.parametrize(
    ("strategy", "least"),
    [
        (mean_map_cells(max_live=1), 0.95),
        (ALL_LAWS, 0.95),
        (dead_unit_cells(flat=True), 0.95),
        (hidden_divergences(rotated=True), 0.95),
    ],
    ids=["mean maps", "dead units", "flat axes", "hidden normal forms"],
)
def test_well_scaled_models_are_read_and_not_refused(strategy: st.SearchStrategy, least: float) -> None:
    """Refusing is always allowed, so agreement alone is cheap: this is the share that gets an answer.

    On 200 draws of each strategy it was 1; the bound leaves room for another version of hypothesis to draw others.
    """
    drawn = sample(strategy, 40)
    assert len(drawn) >= 30
    statuses: Counter[ReadingStatus] = Counter()
    for known in drawn:
        cell = known.cell if isinstance(known, KnownCell) else known.cell()
        statuses[read(cell, known.along)[1].status] += 1
    conclusive = statuses[ReadingStatus.ORDER] + statuses[ReadingStatus.FLAT]
    assert conclusive >= least * len(drawn), statuses
