"""Signatures along a training run: a table, the events in it, and a recorder for anybody's training loop."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, MeasurementError, clipped, unknown
from ddtheory.measure.doors import count, entries, real_number, several, shown, tensors_by_name, text
from ddtheory.measure.matrices.labels import NoisyTargets
from ddtheory.measure.setting.modules import ModuleFunction
from ddtheory.measure.setting.problem import Problem, as_problem
from ddtheory.measure.signatures.directions import LayerDirection
from ddtheory.measure.signatures.signatures import signatures
from ddtheory.measure.tables import html_table
from ddtheory.shown import counted, in_words
from ddtheory.tabled import Swept

_SHOWN_ROWS = 12


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory(Swept):
    """Readings at some steps of a run, and named events.

    Attributes:
        steps: in ascending order.
        columns: name → one number a step: what the loop gave (loss, accuracy) and every reading of `signatures`, by
            "layer.reading". A number that a step lacks is NaN.
        events: name → the step at which it happened.

    Raises:
        InvalidValueError: steps that do not ascend, a column of another length, or one that is called "step".
    """

    axis = "step"

    steps: tuple[int, ...]
    columns: Mapping[str, tuple[float, ...]]
    events: Mapping[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        steps = tuple(count("A step", step, 0) for step in entries("steps", self.steps))
        columns = {
            name: tuple(
                real_number(f"A number of the column {clipped(name)!r}", value) for value in entries(name, values)
            )
            for name, values in tensors_by_name("columns", self.columns).items()
        }
        events = {
            name: count(f"The step of {clipped(name)!r}", step, 0)
            for name, step in tensors_by_name("events", self.events).items()
        }
        if any(later <= earlier for earlier, later in itertools.pairwise(steps)):
            raise InvalidValueError("The steps of a trajectory do not ascend. Record each step once, in order.")
        if "step" in columns:
            raise InvalidValueError('A column is called "step", as the steps themselves are in a table. Rename it.')
        for name, values in columns.items():
            if len(values) != len(steps):
                raise InvalidValueError(
                    f"The column {clipped(name)!r} has {len(values)} numbers for {len(steps)} steps."
                )
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "columns", MappingProxyType(columns))
        object.__setattr__(self, "events", MappingProxyType(events))

    def __getitem__(self, column: str) -> tuple[float, ...]:
        if column not in self.columns:
            raise unknown("column", column, self.columns)
        return self.columns[column]

    def __iter__(self) -> Iterator[str]:
        """The names of the columns, as of a data frame, whose length is the number of rows too."""
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        events = ", ".join(f"{name} at {step}" for name, step in self.events.items())
        return f"{counted(len(self), 'step')}, {counted(len(self.columns), 'column')}{f', {events}' if events else ''}"

    def latex(self) -> str:
        return in_words(str(self))

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        return {"step": self.steps, **self.columns}

    def records(self) -> Iterator[dict[str, float]]:
        """A row a step, by name, as tables of other libraries take them."""
        for place, step in enumerate(self.steps):
            yield {"step": step, **{name: values[place] for name, values in self.columns.items()}}

    def first(self, column: str, reached: Callable[[float], bool]) -> int | None:
        """The first recorded step at which a column satisfies a condition; None when it never does.

        >>> Trajectory((0, 10, 20), {"accuracy": (0.1, 0.2, 0.99)}).first("accuracy", lambda value: value > 0.9)
        20
        """
        return next((step for step, value in zip(self.steps, self[column], strict=True) if reached(value)), None)

    def _repr_html_(self) -> str:
        stride = max(1, math.ceil(len(self) / _SHOWN_ROWS))
        rows = [[f"{value:.6g}" for value in record.values()] for record in list(self.records())[::stride]]
        shown_rows = "" if stride == 1 else f"; every {stride}th is shown"
        return html_table(f"{self}{shown_rows}", ["step", *self.columns], rows)


class SignatureRecorder:
    """A callback for a training loop: reads the signatures of a model every so many steps, and changes nothing in it.

    The model is read in float64 at the parameters where it stands, in the mode in which the problem was made.

    Args:
        problem: made with `Problem.from_module` from the model that is trained, on the data to read.
        layers, labels, directions, held_out: as in `signatures`.
        every: steps between readings.

    Raises:
        InvalidValueError: no problem, or no whole number of steps; when called, no module, or a number by the name of a
            reading.
        MeasurementError: the problem holds no module; when called, buffers of the model that moved since.

    >>> import torch
    >>> from ddtheory.measure import Gaussian
    >>> net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
    >>> record = SignatureRecorder(Problem.from_module(net, torch.eye(2), Gaussian()), ["0", "1"], every=2)
    >>> for step in range(5):
    ...     record(step, net, loss=1 / (step + 1))
    >>> record.trajectory["loss"], len(record.trajectory["1.sigma_min"])
    ((1.0, 0.3333333333333333, 0.2), 3)
    """

    def __init__(
        self,
        problem: Problem,
        layers: Sequence[str],
        *,
        every: int = 1,
        labels: NoisyTargets | None = None,
        directions: Mapping[str, LayerDirection] | None = None,
        held_out: tuple[Tensor, NoisyTargets | None] | None = None,
    ) -> None:
        if not isinstance(as_problem(problem).model, ModuleFunction):
            raise MeasurementError("A recorder reads a module as it trains. Make the problem with Problem.from_module.")
        self._problem, self._every = problem, count("every", every)
        self._read = partial(
            signatures, problem, several("layers", layers), labels=labels, directions=directions, held_out=held_out
        )
        self._records: list[tuple[int, dict[str, float]]] = []
        self._events: dict[str, int] = {}

    def __call__(self, step: int, model: nn.Module, **measured: float) -> None:
        """Records a step if it is a multiple of `every`."""
        step = count("The step", step, 0)
        if not isinstance(model, nn.Module):
            raise InvalidValueError(f"The model is {shown(model)}; give the module that is trained.")
        if step % self._every:
            return
        given = {name: real_number(f"{name} at step {step}", value) for name, value in measured.items()}
        readings = dict(self._read(self._where(model)).readings())
        if given.keys() & readings.keys():
            raise InvalidValueError(f"A reading is called {min(given.keys() & readings.keys())!r}. Take another name.")
        self._records.append((step, given | readings))

    def event(self, name: str, step: int) -> None:
        """Notes that something happened at a step; the first time counts."""
        self._events.setdefault(text("The name of an event", name), count("The step", step, 0))

    @property
    def trajectory(self) -> Trajectory:
        """What was recorded so far."""
        names = dict.fromkeys(name for _, record in self._records for name in record)
        columns = {name: tuple(record.get(name, math.nan) for _, record in self._records) for name in names}
        return Trajectory(tuple(step for step, _ in self._records), columns, self._events)

    def _where(self, model: nn.Module) -> dict[str, Tensor]:
        assert isinstance(self._problem.model, ModuleFunction)
        own = dict(self._problem.model.module.named_buffers())
        for name, buffer in model.named_buffers():
            if name not in own or not torch.equal(own[name], buffer.detach().to(own[name])):
                raise MeasurementError(
                    f"The buffer {name!r} of the model is not that of the problem, as with running statistics, so the "
                    "parameters alone do not say where the model stands. Make a problem from the model at each step."
                )
        return {name: value.detach() for name, value in model.named_parameters()}
