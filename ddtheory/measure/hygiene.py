"""The state of torch that a measurement needs, and puts back."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import torch
from torch.backends import mha
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextmanager
def measuring() -> Generator[None]:
    """No gradients recorded, no autocast, attention by its differentiable formula; all global state is restored after.

    Fused attention kernels and the fast path of nn.MultiheadAttention have no forward-mode derivative, and
    round differently from the formula that has one. Autocast would measure a float32 model in half precision.
    Iterating a DataLoader draws from the global generator.
    """
    fast = mha.get_fastpath_enabled()
    autocasting = [kind for kind in ("cpu", "cuda") if torch.is_autocast_enabled(kind)]
    with (
        ExitStack() as stack,
        torch.inference_mode(False),
        torch.no_grad(),
        torch.random.fork_rng(devices=[]),
        sdpa_kernel(SDPBackend.MATH),
    ):
        for kind in autocasting:
            stack.enter_context(torch.autocast(kind, enabled=False))
        mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            mha.set_fastpath_enabled(fast)
