"""One forward-mode derivative of a model: outputs and their velocity along a path."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from ddtheory.errors import DDTheoryError, MeasurementError
from ddtheory.measure.borrowed import first_line
from ddtheory.measure.setting.problem import Problem


def push_forward(
    problem: Problem,
    positions: Mapping[str, Tensor],
    velocities: Mapping[str, Tensor],
    inputs: Tensor,
    where: str,
) -> tuple[Tensor, Tensor]:
    """Outputs f and J·velocity at `positions`, both (batch, …). Call inside `measuring()`.

    Raises:
        MeasurementError: an operator has no forward-mode derivative, or the result is NaN or infinite.
    """
    outputs, tangents = differentiate(problem, positions, velocities, inputs, where)
    if not (bool(torch.isfinite(outputs).all()) and bool(torch.isfinite(tangents).all())):
        raise MeasurementError(
            f"The outputs or their derivative are NaN or infinite, {where}. "
            "The path leaves the domain of the model there: use smaller radii, or the opposite direction."
        )
    return outputs, tangents


def differentiate(
    problem: Problem,
    positions: Mapping[str, Tensor],
    velocities: Mapping[str, Tensor],
    inputs: Tensor,
    where: str,
) -> tuple[Tensor, Tensor]:
    """`push_forward`, NaN and infinity included.

    Only the parameters with a velocity become dual numbers; the others stay plain tensors. So a layer below the
    first that moves costs one matrix product, a layer above it two, and three when its own weights move too.
    """
    still = {name: value for name, value in positions.items() if name not in velocities}
    moving = {name: positions.get(name, problem.truth[name]) for name in velocities}

    def along(moved: dict[str, Tensor]) -> Tensor:
        return problem.outputs({**still, **moved}, inputs)

    try:
        with skipping_zeros():
            outputs, tangents, *_ = torch.func.jvp(along, (moving,), (dict(velocities),))
    except DDTheoryError:
        raise
    except Exception as error:  # the model is somebody else's code
        operator = re.search(r"forward AD with (\S+)", str(error))
        if operator:
            raise MeasurementError(
                f"The operator {operator.group(1).rstrip('.,')} has no forward-mode derivative in torch, "
                f"{where}. Write that layer in elementary operations, or give a custom autograd.Function a "
                "jvp method."
            ) from error
        raise MeasurementError(
            f"The model could not be differentiated in forward mode, {where}: {first_line(error)} "
            "In-place changes of captured tensors, .item() and numpy inside the model are likely causes."
        ) from error
    return outputs, tangents


def zero_mm(left: Tensor, right: Tensor) -> Tensor:
    """The product of two matrices of which one is zero; one stored entry, whatever its shape."""
    return torch.zeros((), dtype=left.dtype, device=left.device).expand(left.shape[0], right.shape[1])


def zero_bmm(left: Tensor, right: Tensor) -> Tensor:
    zero = torch.zeros((), dtype=left.dtype, device=left.device)
    return zero.expand(left.shape[0], left.shape[1], right.shape[2])


@contextmanager
def skipping_zeros() -> Generator[None]:
    """Forward mode skips matrix products with a factor that has no tangent, instead of multiplying zeros.

    The derivative of XW is ẊW + XẆ. Where one factor does not move, torch writes its tangent out as zeros and
    multiplies them all the same (pytorch/pytorch#69687, #72362): three products where two do. The value is the
    same without them. The kernels that torch lacks are taken away again at the end; a torch without the two private
    functions that this needs multiplies its zeros.
    """
    has_kernel = getattr(torch._C, "_dispatch_has_kernel_for_dispatch_key", None)
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    remove = getattr(library, "_destroy", None)
    if has_kernel is None or remove is None:
        yield
        return
    try:
        for name, kernel in (("mm", zero_mm), ("bmm", zero_bmm)):
            if not has_kernel(f"aten::{name}", "ZeroTensor"):
                library.impl(name, kernel, "ZeroTensor")  # type: ignore[no-untyped-call]
        yield
    finally:
        remove()
