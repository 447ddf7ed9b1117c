"""Kinks: on which smooth piece of a network each sample is, and which samples change it from radius to radius.

ReLU, max-pool, clamps and comparisons join smooth pieces. Along a path a sample changes its piece where a
pre-activation passes the joint, and there F jumps and K has a corner. Every operation that has pieces is watched while
the model runs, and what it chose, sample by sample, is added up into one number a sample. What runs inside compiled or
scripted code is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.setting.problem import Problem
from ddtheory.measure.setting.trial import ADVICE

Choice = Callable[[Sequence[Any], Mapping[str, Any], Any], Tensor]
"""Arguments by place and by name, and the outputs, to which piece every entry is on."""


def above(joint: float = 0.0) -> Choice:
    return lambda args, named, outputs: args[0] > joint


def beyond(size: float) -> Choice:
    """Three pieces: below −size, between, and above size."""
    return lambda args, named, outputs: (args[0] > -size).to(torch.int8) + (args[0] > size).to(torch.int8)


def kept(args: Sequence[Any], named: Mapping[str, Any], outputs: Any) -> Tensor:
    """The entries that a clamp lets through."""
    same: Tensor = args[0] == outputs
    return same


def passed(args: Sequence[Any], named: Mapping[str, Any], outputs: Any) -> Tensor:
    """The entries that are not shrunk to zero."""
    alive: Tensor = outputs != 0
    return alive


def larger(args: Sequence[Any], named: Mapping[str, Any], outputs: Any) -> Tensor:
    first: Tensor = args[0] > (args[1] if len(args) > 1 else named["other"])
    return first


def compared(args: Sequence[Any], named: Mapping[str, Any], outputs: Any) -> Tensor:
    truth: Tensor = outputs
    return truth


def periods(args: Sequence[Any], named: Mapping[str, Any], outputs: Any) -> Tensor:
    """How many whole periods were taken off."""
    period = args[1] if len(args) > 1 else named.get("other", 1.0)
    whole: Tensor = ((args[0] - outputs) / period).round()
    return whole


def found_at(args: Sequence[Any], named: Mapping[str, Any], outputs: Any) -> Tensor:
    """Where the values were found: indices, or for a reduction the entries that attain it."""
    if isinstance(outputs, tuple):
        indices: Tensor = outputs[1]
        return indices
    if (len(args) > 1 and isinstance(args[1], Tensor)) or "other" in named:
        return larger(args, named, outputs)
    return attained(args, named, outputs)


def attained(args: Sequence[Any], named: Mapping[str, Any], outputs: Any) -> Tensor:
    """Which entries are the largest or smallest along the dimensions that were reduced."""
    given = args[1] if len(args) > 1 else named.get("dim", ())
    dimensions = [given] if isinstance(given, int) else list(given)
    rank = args[0].ndim
    if outputs.ndim < rank:
        for dimension in sorted(d % rank for d in dimensions or range(rank)):
            outputs = outputs.unsqueeze(dimension)
    same: Tensor = args[0] == outputs
    return same


def pooled(name: str) -> Choice:
    """Which entry of its field each output of a max-pool is."""
    pool = getattr(functional, name)

    def choice(args: Sequence[Any], named: Mapping[str, Any], outputs: Any) -> Tensor:
        asked = {**named, "return_indices": True}
        indices: Tensor = pool(*args[:6], **asked)[1]
        return indices

    return choice


POOLS = tuple(f"{kind}max_pool{n}d" for kind in ("", "adaptive_") for n in (1, 2, 3))
PIECES: Mapping[str, Choice] = {
    **dict.fromkeys(("relu", "leaky_relu", "prelu", "elu", "celu", "selu", "abs", "absolute"), above()),
    **dict.fromkeys(("threshold", "hardtanh", "relu6", "clamp", "clip", "clamp_min", "clamp_max"), kept),
    **dict.fromkeys(("hardswish", "hardsigmoid"), beyond(3.0)),
    **dict.fromkeys(("softshrink", "hardshrink"), passed),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), larger),
    **dict.fromkeys(("max", "min", "topk", "sort", "median", "nanmedian", "kthvalue", "mode"), found_at),
    **dict.fromkeys(("cummax", "cummin"), found_at),
    **dict.fromkeys(("amax", "amin"), attained),
    **dict.fromkeys(("gt", "lt", "ge", "le", "greater", "less", "floor", "ceil", "round", "trunc"), compared),
    **dict.fromkeys(("sign", "sgn", "signbit", "heaviside", "floordiv", "floor_divide"), compared),
    **dict.fromkeys(("argmax", "argmin", "argsort"), compared),
    **dict.fromkeys(("frac", "remainder", "fmod"), periods),
    **{name: pooled(name) for name in POOLS},
}
"""Operation → what it chose for every entry."""


class Pieces(TorchFunctionMode):
    """While it is entered, every choice of the model is added to one number a sample.

    Attributes:
        names: the operations with pieces that ran.
        chosen: (samples,), equal for two runs when no choice of the sample differs.
    """

    def __init__(self, samples: int) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.chosen = torch.zeros(samples, dtype=torch.float64)
        self._operations = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        name = getattr(func, "__name__", "").strip("_").removesuffix("_with_indices")
        if name not in PIECES:
            return func(*args, **named)
        places = [named.pop("input"), *args] if "input" in named else list(args)
        before = [value.clone() if isinstance(value, Tensor) else value for value in places]  # it may work in place
        outputs = func(*places, **named)
        if isinstance(before[0], Tensor) and before[0].is_floating_point():
            self.add(name, PIECES[name](before, named, outputs))
        return outputs

    def add(self, name: str, choice: Tensor) -> None:
        samples = len(self.chosen)
        self.names.add(name)
        apart = choice.ndim > 0 and choice.shape[0] % samples == 0  # a sequence may be folded into the first dimension
        rows = choice.reshape(samples if apart else 1, -1).double()
        # every entry of every operation has a weight of its own, all of one size, so that no depth forgets a choice
        generator = torch.Generator().manual_seed(self._operations)
        self._operations += 1
        weights = torch.rand(rows.shape[1], dtype=torch.float64, generator=generator).to(rows.device)
        self.chosen = self.chosen.to(rows.device) + rows @ weights


def pieces(problem: Problem, positions: Mapping[str, Tensor], inputs: Tensor, samples: int) -> Pieces:
    """The choices of the model at some positions, by a plain forward pass."""
    with borrowed("The model fails while its choices are watched", ADVICE), Pieces(samples) as found:
        problem.outputs(positions, inputs)
    return found
