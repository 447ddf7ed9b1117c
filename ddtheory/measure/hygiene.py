"""The state of torch that a measurement needs, and puts back."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch.backends import mha
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextmanager
def measuring() -> Generator[None]:
    """No gradients recorded, attention by its differentiable formula, and all global state restored after.

    Fused attention kernels and the fast path of nn.MultiheadAttention have no forward-mode derivative, and
    round differently from the formula that has one. Iterating a DataLoader draws from the global generator.
    """
    fast = mha.get_fastpath_enabled()
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.random.fork_rng(devices=[]),
        sdpa_kernel(SDPBackend.MATH),
    ):
        mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            mha.set_fastpath_enabled(fast)
