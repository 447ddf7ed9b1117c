"""What a bed is: a small network, its data, how it is trained, and what must become of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, shown
from ddtheory.measure import Gaussian, Head, NoisyTargets, Problem
from ddtheory.measure.doors import count, real_number, seed_number
from ddtheory.shown import Shown, counted
from ddtheory.testbeds.checkpoint import Checkpoint
from ddtheory.testbeds.kept import read
from ddtheory.testbeds.limit import Limit
from ddtheory.testbeds.progress import steps_shown

_LOG = logging.getLogger(__name__)

Watch = Callable[..., None]
"""Called as (step, module, **measured) every `look` steps and at the end, like `measure.SignatureRecorder`."""


@dataclass(frozen=True, repr=False)
class Transition(Shown):
    """What must happen while a bed trains.

    Attributes:
        says: it, in words.
        reached: whether what is measured at a step shows it.
    """

    says: str
    reached: Callable[[Mapping[str, float]], bool]

    def __str__(self) -> str:
        return self.says


@dataclass(frozen=True, eq=False, repr=False)
class Bed(Shown):
    """A small network that trains to a known transition in seconds on one core, in float64.

    All random numbers come from a generator of its own, so the same seed gives the same run on one machine, and no
    global state is changed. Machines differ in the last digits of sums, so in the long run trajectories may differ too;
    the transition and the limit are what a bed promises.

    Attributes:
        name: the function and what it was given, such as "teacher_student(seed=0)".
        settings: sizes, optimiser, rates, data: everything that makes the run, as plain values.
        transition: what happens, None for a bed in closed form.
        limit: see `truth`.
        module: the network, at some parameters.
        inputs: the inputs on which the bed is measured, those that it is trained on where these are finitely many.
        targets: the labels that belong to them, noise included.
        held_out: inputs and labels that are not trained on.
        steps: length of the run in optimiser steps; 0 for a closed form.
        look: steps between measurements.
        run: yields (step, module) before every step and after the last one.
        measured: module → what is measured of it.
        head: what outputs mean: a Gaussian for a squared error, a `Categorical` for a cross-entropy.
    """

    name: str
    settings: Mapping[str, Any]
    transition: Transition | None
    limit: Callable[[], Limit]
    module: Callable[[], nn.Module]
    inputs: Tensor
    targets: Tensor
    held_out: tuple[Tensor, Tensor]
    steps: int
    look: int
    run: Callable[[], Iterator[tuple[int, nn.Module]]]
    measured: Callable[[nn.Module], Mapping[str, float]]
    head: Head = field(default_factory=Gaussian)

    def __str__(self) -> str:
        return f"{self.name}, {counted(self.steps, 'step')}, transition: {self.transition or 'none, a closed form'}"

    def rows(self) -> Mapping[str, str]:
        told = {name: str(value) for name, value in self.settings.items()}
        return {"bed": self.name, **told, "transition": str(self.transition or "none, a closed form")}

    @cached_property
    def truth(self) -> Limit:
        """What is known of the model that it tends to."""
        return self.limit()

    @cached_property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The network where the transition was first seen, and at the end: as kept in the package, or trained now.

        Those of other seeds and settings than the kept ones are trained, which takes seconds; `train` always does.

        Raises:
            InvalidValueError: the kept file is not the one that the package was made with.
        """
        return read(self.name.partition("(")[0], self.settings) or self.train()

    @property
    def transition_step(self) -> int | None:
        """The step at which the transition was first seen in `checkpoints`; None when it was not."""
        if self.transition is None:
            return None
        return next((c.step for c in self.checkpoints if self.transition.reached(c.measured)), None)

    def train(self, *, watch: Watch | None = None, progress: bool = False) -> tuple[Checkpoint, ...]:
        """Trains from scratch; the checkpoints at the transition, if it is reached, and at the end.

        Args:
            watch: called as watch(step, module, **measured) every `look` steps and at the end, such as a
                `measure.SignatureRecorder`.
            progress: a bar on standard error, where that is a terminal.
        """
        found: list[Checkpoint] = []
        for step, module in steps_shown(self.run(), self.name, self.steps, shown=progress):
            if step % self.look and step != self.steps:
                continue
            values = dict(self.measured(module))
            _LOG.debug("%s, step %s: %s", self.name, step, values)
            if watch is not None:
                watch(step, module, **values)
            first = self.transition is not None and not found and self.transition.reached(values)
            if first or step == self.steps:
                weights = {name: value.detach().clone() for name, value in module.named_parameters()}
                found.append(Checkpoint(step, weights, values))
        return tuple(found)

    def problem(self, checkpoint: Checkpoint | None = None) -> Problem:
        """What can be measured: the network at a checkpoint, the last one when none is given, on the bed's inputs.

        The head is that of the loss.
        """
        chosen = self.checkpoints[-1] if checkpoint is None else checkpoint
        if not isinstance(chosen, Checkpoint):
            raise InvalidValueError(f"The checkpoint is {shown(chosen)}; give one of `checkpoints`.")
        problem = Problem.from_module(self.module(), self.inputs, self.head)
        return replace(problem, truth=problem.at(chosen.parameters))

    def labels(self) -> NoisyTargets | None:
        """The labels of the bed's inputs as they were drawn: with them a gradient Gram is the empirical one.

        None for a cross-entropy, where the labels that `measure` draws are those of the model: the Gram is that of the
        Fisher.
        """
        return self._labels(self.targets)

    def held_out_labels(self) -> tuple[Tensor, NoisyTargets | None]:
        """Inputs that are not trained on and their labels, as `measure.signatures` takes them."""
        inputs, targets = self.held_out
        return inputs, self._labels(targets)

    def _labels(self, targets: Tensor) -> NoisyTargets | None:
        return NoisyTargets(lambda _: targets, 0.0) if isinstance(self.head, Gaussian) else None


def call_of(function: str, given: Mapping[str, Any]) -> str:
    """The name of a bed.

    >>> call_of("reduced_rank", {"seed": 0, "noise": 0.1})
    'reduced_rank(seed=0, noise=0.1)'
    """
    return f"{function}({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def generator(seed: int) -> torch.Generator:
    """A generator of its own.

    Raises:
        InvalidValueError: the seed is no whole number from 0 to 2⁶³ − 1.
    """
    return torch.Generator().manual_seed(seed_number(seed))


def size_of(value: object, what: str, least: int, most: int = 1_000_000) -> int:
    """A size, a number of samples or of steps.

    Raises:
        InvalidValueError: no whole number, or one outside of what a bed of seconds can have.
    """
    return count(what, value, least, most)


def finite_decay(value: object) -> float:
    """A weight decay.

    Raises:
        InvalidValueError: no finite number, or one below 0.
    """
    decay = real_number("decay", value)
    if not 0 <= decay < float("inf"):
        raise InvalidValueError(f"decay is {shown(decay)}; it is a finite number, 0 or more.")
    return decay


def descend(
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    loss: Callable[[nn.Module], Tensor],
    steps: int,
) -> Iterator[tuple[int, nn.Module]]:
    """Plain training, one optimiser step at a time."""
    for step in range(steps):
        yield step, module
        with torch.enable_grad():
            optimiser.zero_grad()
            loss(module).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    yield steps, module


def linear(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    """A linear layer with these weights, made without a draw from the global generator."""
    rows, columns = weight.shape
    layer = nn.Linear(columns, rows, bias=bias is not None, device="meta", dtype=torch.float64)
    layer.weight = nn.Parameter(weight.detach().clone())
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().clone())
    return layer


def mean_square(outputs: Tensor, targets: Tensor) -> Tensor:
    """The squared error summed over outputs, mean over samples."""
    return (outputs - targets).square().sum(1).mean()


def cross_entropy(outputs: Tensor, classes: Tensor) -> Tensor:
    """−log softmax at the class, mean over samples."""
    return torch.nn.functional.cross_entropy(outputs, classes)
