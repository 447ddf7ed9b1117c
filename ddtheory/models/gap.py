"""What to say where a model does not have the true law at a point: how near it comes, as far as a search sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy
import sympy
from sympy import Expr, Symbol

from ddtheory.errors import DDTheoryError
from ddtheory.exact.numbers.evaluate import evaluate
from ddtheory.models.inputs import Inputs

_STARTS = 12
_STEPS = 60
_MOST_PARAMETERS = 30
_SMALL = 1e-7
_GRID = (-0.9, -0.4, 0.3, 0.8)


def advice(steps: Sequence[Expr], inputs: Inputs, parameters: Sequence[Symbol]) -> str:
    """One sentence: the smallest distance of outputs that a search found, and where.

    Args:
        steps: outputs minus true outputs.

    The search is damped least squares from random starts: it proves nothing, and says so.
    """
    if len(parameters) > _MOST_PARAMETERS:
        return "Give a true parameter as at={…}."
    try:
        with numpy.errstate(all="ignore"):
            distance, point = _nearest(*_functions(steps, inputs, parameters), len(parameters))
    except (DDTheoryError, ArithmeticError, ValueError, numpy.linalg.LinAlgError):
        return "Give a true parameter as at={…}."
    if distance is None:
        return "Give a true parameter as at={…}."
    where = ", ".join(f"{w.name} = {value:.4g}" for w, value in zip(parameters, point, strict=True))
    if distance < _SMALL:
        return f"A search finds the true law near {where}: give an exact true parameter there as at={{…}}."
    return (
        f"A search over parameters found no true one: the smallest distance of the outputs is {distance:.4g} (root "
        f"mean square), near {where}. The truth is probably not in the model; K − min K is another question."
    )


def _nearest(residuals: Callable[[Any], Any], jacobian: Callable[[Any], Any], count: int) -> tuple[float | None, Any]:
    generator = numpy.random.default_rng(0)
    best, found = None, numpy.zeros(count)
    for start in range(_STARTS):
        w = generator.normal(size=count) * (1 if start else 0.1)
        r, damping = residuals(w), 1e-2
        for _ in range(_STEPS):
            j = jacobian(w)
            if not (numpy.isfinite(r).all() and numpy.isfinite(j).all()):
                break
            step = numpy.linalg.solve(j.T @ j + damping * numpy.eye(len(w)), -j.T @ r)
            new = residuals(w + step)
            better = numpy.isfinite(new).all() and new @ new < r @ r
            w, r, damping = (w + step, new, damping / 3) if better else (w, r, damping * 4)
            if damping > 1e9:
                break
        size = float(numpy.sqrt(r @ r / len(r)))
        if numpy.isfinite(size) and (best is None or size < best):
            best, found = size, w
    return best, found


def _functions(
    steps: Sequence[Expr], inputs: Inputs, parameters: Sequence[Symbol]
) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Residuals and their derivatives, over the points of the inputs and a grid of those that are not known."""
    open_inputs = [*inputs.moments, *inputs.generic]
    grids = [dict.fromkeys(open_inputs, sympy.Rational(str(value))) for value in _GRID] if open_inputs else [{}]
    listed = [step.subs({**values, **grid}) for values in inputs.points for grid in grids for step in steps]
    slopes = [[f.diff(w) for w in parameters] for f in listed]
    names = [w.name for w in parameters]

    def at(expressions: list[Any], w: Any) -> Any:
        values = {name: numpy.float64(value) for name, value in zip(names, w, strict=True)}
        return numpy.array([float(evaluate(f, values, numpy)) for f in expressions])

    return lambda w: at(listed, w), lambda w: numpy.array([at(row, w) for row in slopes])
