"""Values that a door may be handed by mistake or by malice, and the global state that no call may change."""

from __future__ import annotations

import decimal
import math
import random
from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy
import torch
from torch import nn


class Pretender:
    """Says that it overrides every torch function, and then raises."""

    def __torch_function__(self, function: object, types: object, args: object = (), kwargs: object = None) -> object:
        raise RuntimeError("no function of torch works here")


class Unprintable:
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__


def hostile_values(seed: int = 0) -> list[tuple[str, object]]:
    """A seeded table of (name, value)."""
    generator = torch.Generator().manual_seed(seed)
    draw = random.Random(seed)
    shape = [draw.randint(1, 4) for _ in range(draw.randint(1, 3))]
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    return [
        ("None", None),
        ("text", "weight"),
        ("empty text", ""),
        ("long text", "x" * 10_000),
        ("bytes", b"weight"),
        ("list", [1, 2]),
        ("empty list", []),
        ("list of text", ["a", "b"]),
        ("list of None", [None]),
        ("tuple", (1.0, -1.0)),
        ("dict", {"a": 1}),
        ("dict of numbers", {1: torch.ones(1)}),
        ("empty dict", {}),
        ("set", {1}),
        ("true", True),
        ("zero", 0),
        ("minus one", -1),
        ("huge", 10**400),
        ("float", draw.uniform(-2, 2)),
        ("NaN", math.nan),
        ("infinity", math.inf),
        ("complex", 1j),
        ("fraction", Fraction(1, 3)),
        ("decimal", decimal.Decimal("0.1")),
        ("numpy integer", numpy.int64(3)),
        ("numpy float", numpy.float32(0.5)),
        ("numpy array", numpy.ones((2, 3))),
        ("numpy objects", numpy.array([object()])),
        ("object", object()),
        ("class", int),
        ("function", lambda *a, **k: None),
        ("module", nn.Linear(2, 2)),
        ("loss", nn.MSELoss()),
        ("generator", (x for x in [1.0])),
        ("NaN tensor", torch.full((2, 3), math.nan)),
        ("infinite tensor", torch.full((2,), math.inf)),
        ("bool tensor", torch.tensor([True, False])),
        ("integer tensor", torch.arange(6).reshape(2, 3)),
        ("complex tensor", torch.ones(2, 3, dtype=torch.complex64)),
        ("half tensor", torch.ones(2, 3, dtype=torch.float16)),
        ("empty tensor", torch.zeros(0, 3)),
        ("scalar tensor", torch.tensor(1.0)),
        ("noise", noise),
        ("meta scalar", torch.tensor(1.0, device="meta")),
        ("meta tensor", torch.ones(2, 3, device="meta")),
        ("sparse tensor", torch.eye(3).to_sparse()),
        ("graph tensor", torch.ones(2, 3, requires_grad=True) * 2),
        ("pretender", Pretender()),
        ("unprintable", Unprintable()),
        ("dtype", torch.float64),
    ]


def global_state(modules: Mapping[str, nn.Module]) -> Callable[[], list[str]]:
    """Remembers the state of torch and of modules; the result says what has changed since."""

    def now() -> dict[str, object]:
        state: dict[str, object] = {
            "default dtype": torch.get_default_dtype(),
            "gradients": torch.is_grad_enabled(),
            "inference mode": torch.is_inference_mode_enabled(),
            "random numbers": torch.get_rng_state().tolist(),
            "numpy's random numbers": str(numpy.random.get_state()),  # noqa: NPY002 - the state is read, not used
            "python's random numbers": random.getstate(),
            "fast attention": torch.backends.mha.get_fastpath_enabled(),
            "threads": torch.get_num_threads(),
            "autocast": torch.is_autocast_enabled("cpu"),
        }
        for name, module in modules.items():
            state[f"{name}: numbers"] = {key: value.tolist() for key, value in module.state_dict().items()}
            state[f"{name}: dtypes"] = {key: value.dtype for key, value in module.state_dict().items()}
            state[f"{name}: modes"] = [part.training for part in module.modules()]
            state[f"{name}: gradients"] = [(p.requires_grad, p.grad is None) for p in module.parameters()]
            state[f"{name}: hooks"] = [len(part._forward_hooks) for part in module.modules()]
        return state

    before = now()
    return lambda: [key for key, value in now().items() if value != before[key]]
