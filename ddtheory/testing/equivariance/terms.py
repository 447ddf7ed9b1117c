"""Terms of an optimiser that can be taken out, to see whether one of them is what breaks a gauge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ddtheory.measure.setting.casts import CASTS, Raising, digits

_NOTHING = 1e-300
"""In the place of ε: it adds to no number that is not zero, and 0/0 stays 0."""

CLIPPING = "clipping"
SHORT = "arithmetic below float64"


@dataclass(frozen=True)
class Term:
    """What stands in parameter groups, and what stands there once it is taken out.

    Attributes:
        name: as a report says it.
        without: key → the value without the term, from the value with it; the same where the term is not there.
    """

    name: str
    without: Mapping[str, Callable[[Any], Any]]

    def changes(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """What the group has to be told; nothing where the term is not there."""
        found = {key: remove(group[key]) for key, remove in self.without.items() if key in group}
        return {key: value for key, value in found.items() if value != group[key]}


def _tiny(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_tiny(entry) for entry in value)
    return _NOTHING if _is_number(value) and value > 0 else value


def _zero(value: Any) -> Any:
    return 0.0 if _is_number(value) else value


def _first_zero(value: Any) -> Any:
    return (0.0, *value[1:]) if isinstance(value, tuple | list) and value and _is_number(value[0]) else value


def _none(value: Any) -> Any:
    return None if _is_number(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TERMS = (
    Term("ε", {"eps": _tiny}),
    Term("weight decay", {"weight_decay": _zero}),
    Term("momentum", {"momentum": _zero, "betas": _first_zero}),
    Term(CLIPPING, {"max_norm": _none, "max_grad_norm": _none}),
)
HOOKS = "hooks before the step"


def present(optimizers: Sequence[torch.optim.Optimizer]) -> set[str]:
    """Names of the terms that these optimisers have."""
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    found = {term.name for term in TERMS if any(term.changes(group) for group in groups)}
    return found | ({HOOKS} if any(map(_hooks, optimizers)) else set())


def take_out(optimizers: Sequence[torch.optim.Optimizer], names: Iterable[str]) -> None:
    """Takes terms out of optimisers that have not stepped yet."""
    removed = set(names)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            for term in TERMS:
                if term.name in removed:
                    group.update(term.changes(group))
        if HOOKS in removed:
            _hooks(optimizer).clear()


def _hooks(optimizer: torch.optim.Optimizer) -> dict[int, Any]:
    """Torch has no public list of them."""
    return getattr(optimizer, "_optimizer_step_pre_hooks", {})


class Wide(Raising):
    """While it is entered, a step computes in float64 what it asks to be shorter; a cast is still a copy."""

    def __init__(self) -> None:
        super().__init__(torch.float64)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        found = super().__torch_function__(func, types, args, kwargs)
        shortened = func in CASTS or _shorter((*args, *(kwargs or {}).values()))
        return found.clone() if shortened and isinstance(found, Tensor) and found is args[0] else found


def _shorter(values: Iterable[Any]) -> bool:
    return any(
        isinstance(value, torch.dtype) and value.is_floating_point and digits(value) > digits(torch.float64)
        for value in values
    )
