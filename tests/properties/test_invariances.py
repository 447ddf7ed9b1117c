"""What must not change when coordinates do: rotations with the direction carried along. And what must."""

from __future__ import annotations

import math

import pytest
import torch
from agreement import FEWER, agrees
from hypothesis import assume, event, given
from hypothesis import strategies as st
from seeded import sample

from ddtheory.measure import Problem, Profile, fisher_along, order
from ddtheory.testing import KnownCell, Rotation, mean_map_cells, rotations
from ddtheory.values import Kind, ReadingStatus

BLOCK = "rotated"


@st.composite
def turned_cells(draw: st.DrawFn, min_live: int = 0, min_order: int = 1) -> tuple[KnownCell, Rotation]:
    known = draw(mean_map_cells(min_live=min_live, max_order=4, min_order=min_order))
    return known, draw(rotations(len(known.cell.coordinates)))


def turned(known: KnownCell, turn: Rotation) -> tuple[Problem, torch.Tensor, Problem, torch.Tensor]:
    problem = known.cell.problem()
    flat = problem.flat(known.cell.torch_direction(known.along))
    basis = turn.tensor()
    return problem, flat, problem.in_basis(basis), basis @ flat


def close(before: Profile, after: Profile) -> None:
    """F to 1e-9, K too, apart from rounding: an amplitude error √floor moves a square by 2√(value · floor)."""
    for name in ("fisher", "divergence"):
        floor = max(getattr(before, f"{name}_floor"), getattr(after, f"{name}_floor"))
        for old, new in zip(getattr(before, name), getattr(after, name), strict=True):
            assert abs(new - old) <= 1e-9 * old + 2 * math.sqrt(old * floor) + floor, (name, old, new, floor)


@pytest.mark.long
@FEWER
@given(turned_cells())
def test_a_rotation_that_carries_the_direction_along(drawn: tuple[KnownCell, Rotation]) -> None:
    known, turn = drawn
    problem, flat, rotated, carried = turned(known, turn)
    before, after = fisher_along(problem, flat), fisher_along(rotated, {BLOCK: carried})
    close(before, after)
    was, became = order(before), order(after)
    event(f"{was.status.value} → {became.status.value}")
    # rounding grows with the rotation, so the smallest radii may be lost; an answer never changes
    assert became.k in (was.k, None) or was.k is None
    assert became.k in (known.order, None)


@pytest.mark.long
def test_most_readings_survive_the_rotation() -> None:
    """Refusing after a rotation would satisfy the property above; this is the share that keeps its answer."""
    drawn = sample(turned_cells(min_live=1), 25)
    kept = 0
    for known, turn in drawn:
        _, _, rotated, carried = turned(known, turn)
        kept += order(fisher_along(rotated, {BLOCK: carried})).k == known.order
    assert kept >= 0.9 * len(drawn), (kept, len(drawn))


@pytest.mark.long
@FEWER
@given(turned_cells(min_live=1, min_order=2))
def test_control_the_axis_stays_while_the_basis_moves(drawn: tuple[KnownCell, Rotation]) -> None:
    """The axis of the same number is another direction: it has a live part, and its order is 1."""
    known, turn = drawn
    problem, flat, rotated, carried = turned(known, turn)
    assume(float((carried - flat).abs().max()) > 1e-3)
    index = list(problem.truth).index("t")
    # φ = Qθ, so the axis e of φ is Qᵀe in the old coordinates: a row of Q
    back = dict(zip(problem.truth, turn.rows[index], strict=True))
    assume(any(value for name, value in back.items() if name != "t"))
    exact = known.cell.kl_order(back)
    assert exact.kind is Kind.REGULAR
    reading = order(fisher_along(rotated, {BLOCK: flat}))
    event(reading.status.value)
    assert agrees(exact, reading)
    assert reading.k != known.order


@pytest.mark.long
def test_the_control_is_read_as_regular_more_often_than_refused() -> None:
    drawn = []
    for known, turn in sample(turned_cells(min_live=1, min_order=2), 40):
        _, flat, rotated, carried = turned(known, turn)
        if abs(float(carried @ flat)) < 0.9:  # not the direction itself, nor its opposite
            drawn.append(order(fisher_along(rotated, {BLOCK: flat})))
    regular = sum(reading.k == 1 for reading in drawn)
    assert len(drawn) >= 8 and regular >= 0.75 * len(drawn), (regular, len(drawn))
    assert all(reading.status is not ReadingStatus.FLAT for reading in drawn)


@FEWER
@given(mean_map_cells(max_live=1), st.integers(1, 5), st.booleans())
def test_length_and_sign_of_a_direction_do_not_matter(known: KnownCell, length: int, backwards: bool) -> None:
    """K is even in the leading order, so −u has the order of u; the length is divided out."""
    scale = -length if backwards else length
    along = {name: scale * value for name, value in known.along.items()}
    problem = known.cell.problem()
    direction = {name: float(scale) * value for name, value in known.cell.torch_direction(known.along).items()}
    assert known.cell.kl_order(along).leading == known.leading
    assert order(fisher_along(problem, direction)).k in (known.order, None)
