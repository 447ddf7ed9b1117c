"""The arc that the exact side returns is handed to torch, and the measurement must read the arc order on it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import sympy
import torch
from agreement import FEWER, agrees, read
from hypothesis import event, given
from seeded import sample
from torch import Tensor

from ddtheory.cells import Cell
from ddtheory.cells.shared.torch_expression import evaluate
from ddtheory.exact.orders.ray import kl_order
from ddtheory.measure import arc, fisher_along, order
from ddtheory.testing import HiddenDivergence, hidden_divergences
from ddtheory.values import KLOrder, OrderReading, ReadingStatus

HIDDEN = hidden_divergences(max_order=4, rotated=True)


def along_arc(cell: Cell, exact: KLOrder, bend: float = 1.0) -> OrderReading:
    """The reading on the exact arc; `bend` ≠ 1 multiplies what is beyond its tangent, which misses the arc."""
    assert exact.arc is not None
    t = sympy.Symbol("t", positive=True)
    problem = cell.problem()

    def missed(path: sympy.Expr) -> sympy.Expr:
        tangent = sympy.diff(path, t).subs(t, 0) * t
        return path if bend == 1.0 else tangent + sympy.Rational(str(bend)) * (path - tangent)

    path = {name: missed(expression) for name, expression in exact.arc.path.items()}

    def curve(s: Tensor) -> Mapping[str, Tensor]:
        return {name: evaluate(expression, {"t": s}).reshape(1) for name, expression in path.items()}

    return order(fisher_along(problem, arc(problem, curve)))


@pytest.mark.long
@FEWER
@given(HIDDEN)
def test_hidden_normal_forms(hidden: HiddenDivergence) -> None:
    exact = kl_order(hidden.divergence, hidden.along)
    assert exact.k == hidden.ray_order
    assert exact.arc is not None and exact.arc.proven
    assert exact.arc_k == hidden.arc_order
    cell = hidden.cell()
    assert sympy.expand(cell.divergence - hidden.divergence) == 0
    _, ray = read(cell, hidden.along)
    assert agrees(exact, ray), str(ray)
    bent = along_arc(cell, exact)
    event(f"ray {ray.status.value}, arc {bent.status.value}")
    assert bent.k in (hidden.arc_order, None), str(bent)
    assert bent.status is not ReadingStatus.FLAT


@pytest.mark.long
def test_most_arcs_are_read_and_not_refused() -> None:
    drawn = sample(HIDDEN.filter(lambda hidden: hidden.ray_order < hidden.arc_order), 12)
    found = [along_arc(h.cell(), kl_order(h.divergence, h.along)).k == h.arc_order for h in drawn]
    assert len(drawn) >= 8
    assert sum(found) >= 0.9 * len(drawn), (sum(found), len(drawn))


def test_control_an_arc_that_bends_too_little_has_the_order_of_the_ray() -> None:
    x, y = sympy.symbols("x y", real=True)
    hidden = HiddenDivergence((x - y**2, y**4), ((x - y**2) ** 2 + y**8) / 2, {"y": 1}, 2, 4)
    exact, cell = kl_order(hidden.divergence, hidden.along), hidden.cell()
    assert along_arc(cell, exact).k == 4
    assert along_arc(cell, exact, bend=0.5).k == 2
    assert torch.get_default_dtype() is torch.float32  # measuring leaves the defaults of torch alone
