"""Forward mode does not compute with the tangents of what does not move."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor


def zero_mm(left: Tensor, right: Tensor) -> Tensor:
    """The product of two matrices of which one is zero; one stored entry, whatever its shape."""
    return torch.zeros((), dtype=left.dtype, device=left.device).expand(left.shape[0], right.shape[1])


def zero_bmm(left: Tensor, right: Tensor) -> Tensor:
    zero = torch.zeros((), dtype=left.dtype, device=left.device)
    return zero.expand(left.shape[0], left.shape[1], right.shape[2])


def zero_add(left: Tensor | float, right: Tensor | float, *, alpha: float = 1) -> Tensor:
    """left + α right, where one of the two is zero, or both are."""
    left, right = _tensors(left, right)
    if left._is_zerotensor() and right._is_zerotensor():
        return _zeros(left, right)
    kept = left if right._is_zerotensor() else right if alpha == 1 else alpha * right
    if _are_alike(left, right):
        return kept.clone()
    return kept.expand(_shape(left, right)).to(_device(left, right), torch.result_type(left, right), copy=True)


def zero_sub(left: Tensor | float, right: Tensor | float, *, alpha: float = 1) -> Tensor:
    left, right = _tensors(left, right)
    return zero_add(left, right) if right._is_zerotensor() else zero_add(left, right, alpha=-alpha)


def zero_mul(left: Tensor | float, right: Tensor | float) -> Tensor:
    return _zeros(*_tensors(left, right))


def _tensors(left: Tensor | float, right: Tensor | float) -> tuple[Tensor, Tensor]:
    """A number of Python has the type that the result will have."""
    dtype = torch.result_type(left, right)
    if not isinstance(left, Tensor):
        return torch.tensor(left, dtype=dtype), cast(Tensor, right)
    return left, right if isinstance(right, Tensor) else torch.tensor(right, dtype=dtype)


def _zeros(left: Tensor, right: Tensor) -> Tensor:
    """No entry of it is stored."""
    if _are_alike(left, right):
        shape, dtype = left.shape, left.dtype
    else:
        shape, dtype = _shape(left, right), torch.result_type(left, right)
    return torch._efficientzerotensor(shape, dtype=dtype, device=_device(left, right))


def _are_alike(left: Tensor, right: Tensor) -> bool:
    return left.shape == right.shape and left.dtype == right.dtype and left.device == right.device


def _shape(left: Tensor, right: Tensor) -> torch.Size:
    found: torch.Size = torch.broadcast_shapes(left.shape, right.shape)  # type: ignore[no-untyped-call]
    return found


def _device(left: Tensor, right: Tensor) -> torch.device:
    """A number may stand on the CPU beside any tensor."""
    return right.device if left.device.type == "cpu" else left.device


_KERNELS = {"mm": zero_mm, "bmm": zero_bmm, "add.Tensor": zero_add, "sub.Tensor": zero_sub, "mul.Tensor": zero_mul}


@contextmanager
def skipping_zeros() -> Generator[None]:
    """Forward mode skips operations with a factor that has no tangent, instead of computing with zeros.

    The derivative of XW is ẊW + XẆ. Where one factor does not move, torch writes its tangent out as zeros and
    multiplies them all the same (pytorch/pytorch#69687, #72362): three products where two do. For sums and products
    of entries it has kernels, but these find the shape of the result by running Python code on tensors without
    storage, a tenth of a millisecond each time. The value is the same without all that. Its own kernels are in place
    again at the end; a torch without the private functions that this needs computes with its zeros.
    """
    has_kernel = getattr(torch._C, "_dispatch_has_kernel_for_dispatch_key", None)
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    remove = getattr(library, "_destroy", None)
    if has_kernel is None or remove is None or not hasattr(torch, "_efficientzerotensor"):
        yield
        return
    if has_kernel("aten::mm", "ZeroTensor"):  # it is entered already
        yield
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a kernel is replaced
            for name, kernel in _KERNELS.items():
                library.impl(name, kernel, "ZeroTensor")  # type: ignore[no-untyped-call]
        yield
    finally:
        remove()
