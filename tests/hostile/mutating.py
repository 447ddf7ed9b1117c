"""One or two arguments of a valid call replaced by bait, as a whole or somewhere inside."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import torch
from bait import BAITS, CONTAINERS, TEXTS, _raises, kin
from surface import parameters_of

COSTS = {"digits": 60, "decades": 4, "largest": 6}
MOST = {"digits": 2_000, "decades": 40, "largest": 60}
"""Arguments whose documentation says what much of them costs: between these bounds the caller asked for it."""


@dataclass
class Mutated:
    """The arguments of a call, and what was done to them, in words."""

    arguments: dict[str, Any]
    told: list[str] = field(default_factory=list)


def mutate(arguments: dict[str, Any], function: Any, rng: Random) -> Mutated:
    """The arguments with one of them changed, or two."""
    found = Mutated(dict(arguments))
    names = sorted({*arguments, *parameters_of(function, by_name_alone="*" in arguments)})
    if not names:
        return found
    for name in rng.sample(names, min(len(names), 1 if rng.random() < 0.75 else 2)):
        if name == "*":  # the list of what is given by position is ours; its entries are the caller's
            value, told = _inside_a_sequence(arguments[name], rng)
        else:
            value, told = _changed(arguments.get(name), name in arguments, rng)
        if name in COSTS and type(value) is int and COSTS[name] < value <= MOST[name]:
            value, told = COSTS[name], f"{COSTS[name]}, for more costs what the documentation says"
        found.arguments[name] = value
        found.told.append(f"{name}: {told}")
    return found


def _changed(value: Any, given: bool, rng: Random) -> tuple[Any, str]:
    ways: list[Callable[[Any, Random], tuple[Any, str]]] = [_any_bait]
    if given:
        ways += [_bait_of_its_kind] * 2
        if isinstance(value, str) and value:
            ways += [_spoiled_text] * 2
        elif isinstance(value, dict) and value:
            ways += [_inside_a_mapping] * 3
        elif isinstance(value, list | tuple) and value:
            ways += [_inside_a_sequence] * 3
        elif isinstance(value, torch.Tensor):
            ways += [_spoiled_tensor] * 4
        elif callable(value):
            ways += [_spoiled_function] * 3
    return rng.choice(ways)(value, rng)


def _any_bait(value: Any, rng: Random) -> tuple[Any, str]:
    name = rng.choice(list(BAITS))
    return BAITS[name](), name


def _bait_of_its_kind(value: Any, rng: Random) -> tuple[Any, str]:
    name = rng.choice(kin(value))
    return BAITS[name](), name


def _spoiled_text(value: str, rng: Random) -> tuple[Any, str]:
    name = rng.choice(list(TEXTS))
    extra, place = TEXTS[name], rng.randrange(len(value) + 1)
    how = rng.randrange(4)
    if how == 0:
        return value[:place] + extra + value[place:], f"{name} put in at {place}"
    if how == 1:
        return f"({value})*({extra})", f"times {name}"
    if how == 2:
        return value[:place] + value[place + 1 :], f"without its character {place}"
    return f"({value})" * 60, "sixty times"


def _inside_a_mapping(value: dict[Any, Any], rng: Random) -> tuple[Any, str]:
    key = rng.choice(list(value))
    changed = dict(value)
    how = rng.randrange(3)
    if how == 0:
        changed[key], told = _changed(value[key], True, rng)
        return changed, f"at {key!r} {told}"
    name = rng.choice(list(BAITS))
    bait = BAITS[name]()
    try:
        hash(bait)
    except Exception:  # no key then
        bait, name = name, "a name that is not there"
    if how == 1:
        changed[bait] = value[key]
        return changed, f"also a key: {name}"
    del changed[key]
    changed[bait] = value[key]
    return changed, f"instead of the key {key!r}: {name}"


def _inside_a_sequence(value: Sequence[Any], rng: Random) -> tuple[Any, str]:
    entries = list(value)
    place = rng.randrange(len(entries))
    how = rng.randrange(5)
    if how < 2:
        entries[place], told = _changed(entries[place], True, rng)
        told = f"entry {place} {told}"
    elif how == 2:
        del entries[place]
        told = f"without entry {place}"
    elif how == 3:
        entries, told = entries * 200, "two hundred times"
    else:
        name = rng.choice(list(BAITS))
        entries.append(BAITS[name]())
        told = f"and {name}"
    return (tuple(entries) if isinstance(value, tuple) else entries), told


def _spoiled_tensor(value: torch.Tensor, rng: Random) -> tuple[Any, str]:
    ways: dict[str, Callable[[torch.Tensor], Any]] = {
        "nan": lambda v: torch.full_like(v, math.nan),
        "inf": lambda v: torch.full_like(v, math.inf),
        "zeros": torch.zeros_like,
        "huge": lambda v: torch.full_like(v, min(1e300, torch.finfo(v.dtype).max) if v.is_floating_point() else 2**31),
        "tiny": lambda v: torch.full_like(v, 5e-324),
        "one axis more": lambda v: v.unsqueeze(0),
        "flat": lambda v: v.reshape(-1),
        "without its first row": lambda v: v[1:],
        "twice": lambda v: torch.cat([v, v]),
        "float32": torch.Tensor.float,
        "float16": torch.Tensor.half,
        "whole numbers": torch.Tensor.long,
        "truth values": torch.Tensor.bool,
        "complex": lambda v: v.to(torch.complex128) * (1 + 1j),
        "sparse": torch.Tensor.to_sparse,
        "on the meta device": lambda v: v.to("meta"),
        "with a gradient": lambda v: v.clone().requires_grad_(),
        "an array": lambda v: v.numpy(),
        "a list": torch.Tensor.tolist,
        "broadcast to a terabyte": lambda v: v.flatten()[:1].expand(10**12),
        "a tensor that is shared": lambda v: v.clone().share_memory_(),
        "a subclass": lambda v: v.as_subclass(torch.nn.Buffer) if hasattr(torch.nn, "Buffer") else v,
    }
    name = rng.choice(list(ways))
    return ways[name](value), f"the tensor as {name}"


def _spoiled_function(value: Callable[..., Any], rng: Random) -> tuple[Any, str]:
    name = rng.choice([*BAITS, *CONTAINERS, "raises", "raises", "takes nothing"])
    if name == "raises":
        return _raises, "a function that raises"
    if name == "takes nothing":
        return (lambda: None), "a function of nothing"
    return (lambda *args, **kwargs: BAITS[name]()), f"a function that returns {name}"
