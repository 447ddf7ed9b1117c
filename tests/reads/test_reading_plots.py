"""Figures of a reading: what is drawn is what was read."""

from __future__ import annotations

from functools import cache

import planted
import pytest

from ddtheory import plots
from ddtheory.errors import InvalidValueError
from ddtheory.measure import Gaussian
from ddtheory.reads import DETECTORS, Reading, read


@cache
def reading() -> Reading:
    plant = planted.hidden_layer("squared relu", 1e-4)
    return read(plant.model, plant.inputs, head=Gaussian(), n=1000, detectors=[DETECTORS["node death"]])


def test_both_scales_of_a_dead_unit() -> None:
    """Dots are F*, the guide has slope 4 through the window of the law, and s is where the unit was planted."""
    (row, _) = reading().dead
    assert row.order == 3 and row.sides is not None and row.scale is not None
    (axes,) = plots.two_scales(row).axes
    dots, guide, upright, *_ = axes.lines
    assert list(dots.get_ydata()) == [f for f in row.sides.fisher if f > 0]
    (x0, x1), (y0, y1) = guide.get_xdata(), guide.get_ydata()
    assert (y1 / y0) == pytest.approx((x1 / x0) ** 4) and (x0, x1) == row.scale
    inside = [f for t, f in zip(row.sides.radii, row.sides.fisher, strict=True) if x0 <= t <= x1]
    assert min(y0, y1) == pytest.approx(min(inside), rel=0.3) and max(y0, y1) == pytest.approx(max(inside), rel=0.3)
    assert upright.get_xdata()[0] == row.distance < x0
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_orders_by_layer_and_the_bracket() -> None:
    (axes,) = plots.orders_by_layer(reading()).axes
    assert [bar.get_width() for bar in axes.patches if bar.get_width()] == [2]
    assert [text.get_text() for text in axes.get_yticklabels()] == [layer.layer for layer in reading().layers]
    found = reading().bracket
    assert found is not None
    (axes,) = plots.bracket(found).axes
    whole, inside, *_ = axes.lines
    assert list(whole.get_xdata()) == [0, found.dimension / 2]
    assert list(inside.get_xdata()) == [float(found.lower), float(found.upper)]


def test_a_layer_without_dead_units_is_drawn_empty() -> None:
    plant = planted.hidden_layer("tanh", 1.0)
    living = read(plant.model, plant.inputs, head=Gaussian(), n=10**6, detectors=[DETECTORS["node death"]])
    (axes,) = plots.orders_by_layer(living).axes
    assert not axes.patches and "none is dead" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("draw", [plots.two_scales, plots.orders_by_layer, plots.bracket])
@pytest.mark.parametrize("value", [None, 3, "row", object()])
def test_what_is_no_part_of_a_reading_is_refused(draw, value) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidValueError, match=r"There (is|are) no"):
        draw(value)


def test_a_row_without_a_path_has_no_picture() -> None:
    gauges = [row for row in reading().census if row.sides is None]
    for row in gauges:
        with pytest.raises(InvalidValueError, match="no profile"):
            plots.two_scales(row)
