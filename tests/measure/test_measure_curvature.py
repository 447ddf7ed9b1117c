"""Measured curvature against surfaces with known curvature, and refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.workbench.measurements.curvature import christoffel, pullback_metric, sectional_curvature


def points(*rows: tuple[float, ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def test_sphere_and_torus_by_their_embeddings() -> None:
    """A sphere of radius 2 has K = 1/4; a torus with radii 2 and 1 has cos u/(2 + cos u)."""

    def sphere(p: Tensor) -> Tensor:
        u, v = p
        return 2 * torch.stack([u.sin() * v.cos(), u.sin() * v.sin(), u.cos()])

    def torus(p: Tensor) -> Tensor:
        u, v = p
        return torch.stack([(2 + u.cos()) * v.cos(), (2 + u.cos()) * v.sin(), u.sin()])

    where = points((0.4, 1.0), (1.9, -0.3))
    assert sectional_curvature(pullback_metric(sphere), where).tolist() == pytest.approx([0.25, 0.25], rel=1e-10)
    expected = where[:, 0].cos() / (2 + where[:, 0].cos())
    assert sectional_curvature(pullback_metric(torus), where).tolist() == pytest.approx(expected.tolist(), rel=1e-10)


def test_planes_of_a_product_in_three_coordinates() -> None:
    """Hyperbolic plane times a line: −1 in the plane (0, 1), 0 in the others; the plane is symmetric in its axes."""

    def metric(p: Tensor) -> Tensor:
        return torch.diag(torch.stack([p[1] ** -2, p[1] ** -2, torch.ones_like(p[0])]))

    where = points((0.3, 0.7, 1.0))
    found = {plane: float(sectional_curvature(metric, where, plane)) for plane in ((0, 1), (1, 0), (0, 2), (1, 2))}
    assert found == pytest.approx({(0, 1): -1.0, (1, 0): -1.0, (0, 2): 0.0, (1, 2): 0.0}, abs=1e-12)


def test_curvature_does_not_depend_on_coordinates_or_on_the_embedding_space() -> None:
    def graph(p: Tensor) -> Tensor:
        x, y = p
        return torch.stack([x, y, x**2 - 2 * y**2])

    def sheared(p: Tensor) -> Tensor:
        turned = graph(torch.stack([p[0] + p[1] ** 2, 3 * p[1]]))
        return torch.cat([turned, torch.zeros(2, dtype=torch.float64)])

    here = points((0.5, 0.2))
    there = points((0.5 - (0.2 / 3) ** 2, 0.2 / 3))
    expected = -8 / (1 + 4 * 0.5**2 + 16 * 0.2**2) ** 2  # of a graph: (f_xx f_yy − f_xy²)/(1 + |∇f|²)²
    for mean, where in ((graph, here), (sheared, there)):
        assert float(sectional_curvature(pullback_metric(mean), where)) == pytest.approx(expected, rel=1e-10)


def test_weights_of_another_likelihood() -> None:
    """One Poisson and one Gaussian output: the metric diag(e^x, 1) of a flat plane."""
    metric = pullback_metric(lambda p: p, lambda mean: torch.stack([mean[0].exp(), torch.ones_like(mean[1])]))
    where = points((0.4, 2.0))
    assert float(sectional_curvature(metric, where)) == pytest.approx(0.0, abs=1e-14)
    assert float(christoffel(metric, where)[0, 0, 0, 0]) == pytest.approx(0.5, rel=1e-14)  # ∂ log g / 2


@pytest.mark.parametrize("bad", [torch.zeros(2), points((float("nan"), 0.0))])
def test_points_of_the_wrong_shape_or_not_finite(bad: Tensor) -> None:
    with pytest.raises(InvalidValueError, match="one row a point"):
        sectional_curvature(lambda p: torch.eye(2), bad)
