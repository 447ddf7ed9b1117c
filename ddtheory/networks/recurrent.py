"""Recurrent layers of torch, unrolled over their steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.networks.attention import INSTEAD, linear
from ddtheory.networks.normalisation import dropout
from ddtheory.networks.rules import Rule, joined, relu, smooth
from ddtheory.networks.tape import Jet, Tape

State = tuple[Jet, ...]
Cell = Callable[[Tape, Jet, State, Sequence[Any]], State]

sigmoid, tanh, stack = smooth(torch.sigmoid), smooth(torch.tanh), joined(torch.stack)


def _parts(tape: Tape, value: Jet, count: int) -> list[Jet]:
    return [tape.multilinear(lambda part, i=i: part.chunk(count, -1)[i], value) for i in range(count)]


def _both(tape: Tape, inputs: Jet, hidden: Jet, own: Sequence[Any]) -> tuple[Jet, Jet]:
    biases = own[2:] or (None, None)
    return linear(tape, inputs, own[0], biases[0]), linear(tape, hidden, own[1], biases[1])


def plain(activation: Rule) -> Cell:
    """h ← σ(W x + U h + b)."""

    def cell(tape: Tape, inputs: Jet, state: State, own: Sequence[Any]) -> State:
        return (activation(tape, tape.plus(*_both(tape, inputs, state[0], own))),)

    return cell


def long_short(tape: Tape, inputs: Jet, state: State, own: Sequence[Any]) -> State:
    """c ← f c + i g and h ← o tanh c."""
    hidden, carried = state
    i, f, g, o = _parts(tape, tape.plus(*_both(tape, inputs, hidden, own)), 4)
    kept = tape.times(sigmoid(tape, f), carried)
    carried = tape.plus(kept, tape.times(sigmoid(tape, i), tanh(tape, g)))
    return tape.times(sigmoid(tape, o), tanh(tape, carried)), carried


def gated(tape: Tape, inputs: Jet, state: State, own: Sequence[Any]) -> State:
    """n = tanh(W x + r U h) and h ← (1 − z) n + z h."""
    (hidden,) = state
    of_inputs, of_hidden = (_parts(tape, whole, 3) for whole in _both(tape, inputs, hidden, own))
    r, z = (sigmoid(tape, tape.plus(of_inputs[k], of_hidden[k])) for k in (0, 1))
    new = tanh(tape, tape.plus(of_inputs[2], tape.times(r, of_hidden[2])))
    return (tape.plus(tape.times(tape.minus(1.0, z), new), tape.times(z, hidden)),)


def recurrent(cell: Cell, states: int) -> Rule:
    """A layer that runs its cell over the steps of a sequence, several of them on top of each other."""

    def rule(
        tape: Tape,
        inputs: Any,
        start: Any,
        weights: Any,
        biased: Any,
        depth: Any,
        p: float = 0.0,
        training: Any = False,
        both_ways: Any = False,
        batch_first: bool = False,
    ) -> Any:
        per, ways = 4 if biased is True else 2, 2 if both_ways is True else 1
        if not isinstance(weights, list | tuple) or isinstance(depth, Tensor) or len(weights) != per * ways * depth:
            raise InvalidValueError(f"A packed sequence or a projection is no rule of the calculus. {INSTEAD}")
        if training and depth > 1:
            dropout(tape, inputs, p)
        starts = [tape.lift(part) for part in (start if isinstance(start, list | tuple) else (start,))]
        axis = 1 if batch_first else 0
        count = tape.lift(inputs).shape[axis]
        steps = [tape.multilinear(lambda part, i=i: part.select(axis, i), inputs) for i in range(count)]
        last: list[State] = []
        for layer in range(depth):
            found: list[list[Jet]] = []
            for way in range(ways):
                place = layer * ways + way
                own = weights[place * per : (place + 1) * per]
                state = tuple(tape.multilinear(lambda part, i=place: part[i], part) for part in starts)
                outputs: list[Jet] = []
                for step in reversed(steps) if way else steps:
                    state = cell(tape, step, state, own)
                    outputs.append(state[0])
                found.append(outputs[::-1] if way else outputs)
                last.append(state)
            steps = found[0] if ways == 1 else [joined(torch.cat)(tape, pair, -1) for pair in zip(*found, strict=True)]
        return (stack(tape, steps, axis), *(stack(tape, [state[i] for state in last], 0) for i in range(states)))

    return rule


RULES = {
    "lstm": recurrent(long_short, 2),
    "gru": recurrent(gated, 1),
    "rnn_tanh": recurrent(plain(tanh), 1),
    "rnn_relu": recurrent(plain(relu), 1),
}
