"""The symbolic and the torch face of the curved maps agree; volumes of level sets against closed forms."""

from __future__ import annotations

import math

import pytest
import sympy
import torch
from sympy import Matrix

from ddtheory.errors import InvalidValueError
from ddtheory.workbench.curved_maps import curved_volume, fisher_metric, gauss_curvature, point_map, sheet_map, t, w
from ddtheory.workbench.measurements.curvature import sectional_curvature


@pytest.mark.parametrize("mean", [point_map(2), point_map(3), point_map(3, 2), sheet_map(2), sheet_map(4)])
def test_the_gauss_equation_agrees_with_the_intrinsic_curvature(mean: Matrix) -> None:
    """The one uses normal parts of second derivatives, the other the metric alone."""
    places = [(0.3, 0.2), (0.7, -0.4), (0.1, 0.05)]
    measured = sectional_curvature(fisher_metric(mean), torch.tensor(places, dtype=torch.float64))
    exact = [float(gauss_curvature(mean).subs({t: a, w: b})) for a, b in places]
    assert measured.tolist() == pytest.approx(exact, rel=1e-8)


def test_volume_of_a_cap_of_a_paraboloid() -> None:
    """K = 1/(1 + r²)² > 1/(1 + R²)² for r < R; half of its area is π((1 + R²)^{3/2} − 1)/3."""
    paraboloid = Matrix([t, w, (t**2 + w**2) / 2])
    for radius in (0.5, 2.0):
        exact = math.pi * ((1 + radius**2) ** 1.5 - 1) / 3
        found = curved_volume(paraboloid, (1 + radius**2) ** -2, (1.1 * radius, 1.1 * radius))
        assert found == pytest.approx(exact, rel=1e-3)


def test_volume_of_a_strip() -> None:
    """A cut at |w| = b through the same cap: the integral of √(1 + r²) over the part of the disc, by sympy."""
    x, y = sympy.symbols("x y", positive=True)
    inner = sympy.lambdify(y, sympy.integrate(sympy.sqrt(1 + x**2 + y**2), (x, 0, sympy.sqrt(1 - y**2))), "math")
    steps = 2000
    exact = sum(inner((n + 0.5) * 0.4 / steps) for n in range(steps)) * 2 * 0.4 / steps
    found = curved_volume(Matrix([t, w, (t**2 + w**2) / 2]), 0.25, (1.1, 0.4), strip=True)
    assert found == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("sides", [(0.9, 1.1), (1.1, 0.9)])
def test_a_box_that_cuts_the_set_is_refused(sides: tuple[float, float]) -> None:
    with pytest.raises(InvalidValueError, match="larger box"):
        curved_volume(Matrix([t, w, (t**2 + w**2) / 2]), 0.25, sides, cells=100)
