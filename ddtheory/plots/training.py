"""Readings along a training run: one panel a kind of reading, with the events in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ddtheory.arguments import list_of, pairs_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.plots import style

_MOST_STEPS = 100_000
_MOST_COLUMNS = 200
_NOT_DRAWN = ("activation_zeros", "gradient_zeros")  # counts: they stand in the table


class HasSteps(Protocol):
    """What `measure.SignatureRecorder` keeps: steps, columns of one number a step, and events by name."""

    @property
    def steps(self) -> Sequence[int]: ...
    @property
    def columns(self) -> Mapping[str, Sequence[float]]: ...


def trajectory(run: HasSteps) -> Figure:
    """A panel for what the training loop gave, and one for each kind of reading, over the steps.

    Columns "layer.reading" share the panel of their reading. A panel is logarithmic when its values are positive and
    span more than two decades; values that have no place there are counted in the legend, never moved.

    Raises:
        InvalidValueError: there are no steps or no columns, or a column has another length.
    """
    steps, columns, events = _read(run)
    panels: dict[str, dict[str, list[float]]] = {}
    for name, values in columns.items():
        held_out = "held-out " if name.startswith("held-out ") else ""
        layer, dot, reading = name.removeprefix("held-out ").rpartition(".")
        if dot and reading in _NOT_DRAWN:
            continue
        panels.setdefault(reading if dot else "measured", {})[f"{held_out}{layer}" if dot else name] = values
    if not panels:
        raise InvalidValueError("The trajectory has no column to draw.")
    figure = Figure(figsize=(6.4, 1.2 + 1.5 * len(panels)), layout="constrained", facecolor="none")
    every = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (reading, found) in zip(every, panels.items(), strict=True):
        style.quiet(axes)
        _draw(axes, steps, found)
        axes.set_ylabel(style.readable(style.shortened(reading)))
        for name, step in events.items():
            axes.axvline(step, color=style.MUTED, linestyle=":", linewidth=1)
            if axes is every[0]:
                axes.annotate(
                    style.readable(style.shortened(name)), (step, 1), xycoords=("data", "axes fraction"), fontsize=8
                )
        axes.legend(frameon=False, fontsize=8, labelcolor=style.INK, loc="center left", bbox_to_anchor=(1, 0.5))
    every[-1].set_xlabel("step")
    return figure


def _draw(axes: Axes, steps: Sequence[int], columns: Mapping[str, Sequence[float]]) -> None:
    finite = [value for values in columns.values() for value in values if math.isfinite(value)]
    positive = [value for value in finite if value > 0]
    logarithmic = bool(positive) and min(finite) >= 0 and max(positive) > 100 * min(positive)
    for index, (name, values) in enumerate(columns.items()):
        drawn = [(s, v) for s, v in zip(steps, values, strict=True) if math.isfinite(v) and (v > 0 or not logarithmic)]
        hidden = len(steps) - len(drawn)
        label = style.readable(style.shortened(name)) + (f" ({hidden} not drawn)" if hidden else "")
        axes.plot(
            [s for s, _ in drawn],
            [v for _, v in drawn],
            color=style.SERIES[index % len(style.SERIES)],
            marker=style.MARKERS[index % len(style.MARKERS)],
            markersize=3,
            linewidth=1,
            label=label,
        )
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(style.power_of_ten)
        axes.minorticks_off()


def _read(run: Any) -> tuple[list[int], dict[str, list[float]], dict[str, int]]:
    try:
        steps = [int(step) for step in list_of(run.steps, "The steps", _MOST_STEPS)]
        columns = {
            str(name): [float(value) for value in list_of(values, "A column", _MOST_STEPS)]
            for name, values in pairs_of(run.columns, "The columns", _MOST_COLUMNS)
        }
        events = {str(name): int(step) for name, step in pairs_of(getattr(run, "events", {}), "The events")}
    except Exception as error:  # a trajectory is anybody's object
        raise InvalidValueError(
            f"There is nothing to draw in {shown(run)}. Give a trajectory, which has steps and columns."
        ) from error
    if not steps or any(len(values) != len(steps) for values in columns.values()):
        raise InvalidValueError(f"The trajectory has {len(steps)} steps, and each column needs as many numbers.")
    return steps, columns, events
