"""Modular addition by quadratic units in torch: residuals, the rank of the Jacobian, and how the zero set curves."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]

_NEWTON = 30
_LEAST_SINGULAR_VALUE = 1e-9


def fourier_fit(p: int) -> Tensor:
    """u'(a), u''(b) and V(c) of the 2p − 1 units, as an array of shape (2p − 1, 3, p), from cosines and sines."""
    points = torch.arange(p, dtype=torch.float64) * (2 * math.pi / p)
    half = torch.full((p,), 0.5, dtype=torch.float64)
    waves = [(torch.cos(k * points), torch.sin(k * points)) for k in range(1, (p + 1) // 2)]
    constant = (1 - 2 * sum((c + s for c, s in waves), torch.zeros(p, dtype=torch.float64))) / p
    units = [torch.stack([half, half, constant])]
    for c, s in waves:
        units += [torch.stack(unit) for unit in ((c, c, c / p), (s, -s, c / p), (s, c, s / p), (c, s, s / p))]
    return torch.stack(units)


def outputs(units: Tensor) -> Tensor:
    """f(a, b)_c of shape (p, p, p)."""
    first, second, out = units.unbind(-2)
    return torch.einsum("jab,jc->abc", (first[:, :, None] + second[:, None, :]) ** 2, out)


def residuals(units: Tensor) -> Tensor:
    """f(a, b) − unit vector at a + b."""
    p = units.shape[-1]
    a = torch.arange(p)
    target = torch.nn.functional.one_hot((a[:, None] + a[None, :]) % p, p).to(torch.float64)
    return outputs(units) - target


def _jacobian(units: Tensor) -> Floats:
    shape = units.shape

    def flat(w: Tensor) -> Tensor:
        return outputs(w.reshape(shape)).flatten()

    found: Tensor = torch.func.jacfwd(flat)(units.flatten())
    return found.numpy()


def jacobian_rank(units: Tensor, *, centred: bool = False) -> int:
    """Singular values of df above 1e-9 times the largest; centred, of f less its mean over the outputs of an input."""
    rows = _jacobian(units)
    if centred:
        p = units.shape[-1]
        blocks = rows.reshape(p**2, p, -1)
        rows = (blocks - blocks.mean(axis=1, keepdims=True)).reshape(p**3, -1)
    values = np.linalg.svd(rows, compute_uv=False)
    return int((values > _LEAST_SINGULAR_VALUE * values[0]).sum())


def fisher_rank(p: int, beta: float) -> int:
    """How many eigenvalues of the Fisher information of softmax(f) at the Fourier fit with βV are not 0.

    It is JᵀHJ with H = diag(q) − q qᵀ for each input.
    """
    units = fourier_fit(p)
    units[:, 2] *= beta
    law = outputs(units).softmax(-1).reshape(-1, p).numpy()
    blocks = _jacobian(units).reshape(p**2, p, -1)
    mean = np.einsum("nc,ncd->nd", law, blocks)
    information = np.einsum("nc,ncd,nce->de", law, blocks, blocks) - mean.T @ mean
    values = np.linalg.eigvalsh(information)
    return int((values > 1e-12 * values[-1]).sum())


def error_of_law(p: int, beta: float, *, shared: bool) -> float:
    """The largest change of a probability where each unit moves all its V by one number, or one of them one entry."""
    units = fourier_fit(p)
    units[:, 2] *= beta
    moved = units.clone()
    if shared:
        moved[:, 2] += torch.linspace(-0.1, 0.1, len(units), dtype=torch.float64)[:, None]
    else:
        moved[1, 2, 0] += 0.1
    return float((outputs(moved).softmax(-1) - outputs(units).softmax(-1)).abs().max())


def directions_of_zeros(units: Tensor, step: float, *, count: int, seed: int) -> int:
    """How many of so many random directions in ker df have zeros of the residual beside them, at a distance ~ step².

    From units + step·direction, Gauss–Newton steps of least length lead to a zero; where the zeros are smooth with this
    tangent, the way there is of the order step². It is, when half the step leaves less than a third of it.
    """
    _, values, right = np.linalg.svd(_jacobian(units))
    kernel = right[int((values > _LEAST_SINGULAR_VALUE * values[0]).sum()) :]
    mixed = np.random.default_rng(seed).normal(size=(count, len(kernel))) @ kernel
    ways = [[_way(units, row / np.linalg.norm(row), length) for length in (step, step / 2)] for row in mixed]
    return sum(whole < math.inf and whole > 3 * half for whole, half in ways)


def _way(units: Tensor, direction: Floats, step: float) -> float:
    """The length of the way to a zero; infinite without one."""
    start = units + step * torch.from_numpy(direction).reshape(units.shape)
    at = start.clone()
    for _ in range(_NEWTON):
        gap = residuals(at).flatten().numpy()
        if np.abs(gap).max() < 1e-13:
            return float((at - start).norm())
        moved = np.linalg.lstsq(_jacobian(at), gap, rcond=1e-6)[0]
        at = at - torch.from_numpy(moved).reshape(units.shape)
    return math.inf
