"""λ(nβ) of a germ or of a cell as a curve with its asymptote, and over (nβ, γ) as a map with its regimes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ddtheory.arguments import in_order, pairs_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.finite_n.germs import read_size
from ddtheory.exact.finite_n.sweeps import FiniteNSweep, Regime
from ddtheory.plots import style
from ddtheory.values import RLCT
from ddtheory.visible import one_line

if TYPE_CHECKING:
    from ddtheory.testing.conformance import GroundTruth

_MOST = 1_000  # sizes of a curve
_TITLE = 52  # characters of a line above a curve
_REGIMES = {
    Regime.GLOBAL: ("#b9d3e6", "λ of the whole domain"),
    Regime.BETWEEN: ("#e6e2d6", "between the two"),
    Regime.LOCAL: ("#e3c6ad", "λ of the point"),
    Regime.OUTSIDE: ("#ffffff", "below or above both"),
}


def learning_coefficient(sweep: FiniteNSweep, *, limits: Mapping[str, RLCT] | RLCT | None = None) -> Figure:
    """λ(nβ) against nβ, one curve for each γ, with λ − (m − 1)/log nβ, which it tends to, and λ.

    Args:
        sweep: from `finite_n_sweep`.
        limits: (λ, m), or several by name, as `rlct` and the cells give them.

    Raises:
        InvalidValueError: no sweep, fewer than two sizes, or limits that are no pairs.
    """
    sweep = _checked(sweep)
    if len(sweep.n_beta) < 2:
        raise InvalidValueError("A curve needs λ at two sizes nβ or more.")
    named = (
        {}
        if limits is None
        else {"the limit": limits}
        if isinstance(limits, RLCT)
        else dict(pairs_of(limits, "limits"))
    )
    if not all(isinstance(pair, RLCT) for pair in named.values()):
        raise InvalidValueError(f"The limits are {shown(limits)}; give an RLCT, or several by name.")
    figure, axes = style.figure(width=4.8, height=3.2 + 0.2 * len(sweep.localisation))
    sizes = numpy.array([float(t) for t in sweep.n_beta])
    shades = numpy.linspace(0.35, 1.0, len(sweep.localisation))
    for shade, gamma, row in zip(shades, sweep.localisation, sweep.values, strict=True):
        found = [numpy.nan if one is None else float(one.learning_coefficient) for one in row]
        label = f"γ = {_short(gamma)}" if gamma else "exact"
        axes.plot(sizes, found, marker="o", markersize=2.5, color=style.SERIES[0], alpha=float(shade), label=label)
    for index, (name, pair) in enumerate(named.items(), 1):
        _asymptote(axes, sizes, pair, name, style.SERIES[index % len(style.SERIES)])
    return _finished(figure, axes)


def target(cell: GroundTruth, n_betas: Iterable[Any]) -> Figure:
    """λ(nβ) of a cell, exact, against nβ: what a sampler that is right finds there, in any number of coordinates.

    Args:
        cell: of the conformance kit, such as `testing.conformance.from_cell` makes of one of `ddtheory.cells`.
        n_betas: two sizes t = nβ or more.

    Raises:
        InvalidValueError: no such cell, fewer than two sizes, or the same twice.
    """
    if not all(hasattr(cell, name) for name in ("name", "rlct", "target")):
        raise InvalidValueError(
            f"{shown(cell)} has no exact λ(nβ) to draw. Give a cell of the conformance kit: "
            "conformance.from_cell(cell) makes one, or says why there is none."
        )
    sizes = sorted(read_size(value) for value in in_order(n_betas, "n_betas", _MOST))
    if len(set(sizes)) < max(len(sizes), 2):
        raise InvalidValueError("A curve needs λ at two sizes nβ or more, each once.")
    figure, axes = style.figure(width=4.8, height=3.4)
    places = numpy.array([float(t) for t in sizes])
    try:
        values = [float(cell.target(t)) for t in sizes]
    except TypeError:
        raise InvalidValueError(f"The targets of {shown(cell)} are no numbers.") from None
    axes.plot(places, values, marker="o", markersize=2.5, color=style.SERIES[0], label="exact")
    _asymptote(axes, places, cell.rlct, "the limit", style.SERIES[1])
    title = textwrap.wrap(one_line(cell.name), _TITLE, max_lines=3, placeholder=" …")
    axes.set_title("\n".join(title), fontsize=9, color=style.INK)
    return _finished(figure, axes)


def _asymptote(axes: Axes, sizes: Any, pair: RLCT, name: str, colour: str) -> None:
    axes.axhline(float(pair.lam), color=colour, linestyle=(0, (4, 3)), linewidth=1, label=f"{name}: λ = {pair.lam}")
    if pair.m > 1:
        seen = sizes[sizes > numpy.e**2]
        tail = float(pair.lam) - (pair.m - 1) / numpy.log(seen)
        axes.plot(seen, tail, color=colour, linewidth=1, label=f"λ − {pair.m - 1}/log nβ")


def _finished(figure: Figure, axes: Axes) -> Figure:
    axes.set(xscale="log", xlabel="nβ", ylabel="λ(nβ) = nβ E[K]", ylim=(0, None))
    axes.xaxis.set_major_formatter(style.power_of_ten)
    axes.minorticks_off()
    style.legend(figure, axes)
    return figure


def localisation(sweep: FiniteNSweep, *, whole: Any, point: Any, within: Any = "1/20") -> Figure:
    """The map of a pin: λ(nβ, γ) written over (log nβ, log γ), coloured by what it shows.

    Args:
        sweep: from `finite_n_sweep`, over two sizes and two localisations or more.
        whole, point, within: see `FiniteNSweep.regimes`.

    Raises:
        InvalidValueError: no such sweep, or λ that `regimes` refuses.
    """
    sweep = _checked(sweep)
    if min(len(sweep.n_beta), len(sweep.localisation)) < 2:
        raise InvalidValueError("A map needs two sizes nβ and two localisations γ or more.")
    regimes = sweep.regimes(whole=whole, point=point, within=within)
    order = list(_REGIMES)
    codes = numpy.array(
        [[numpy.nan if one is None else order.index(one) for one in row] for row in regimes], dtype=float
    )
    figure, axes = style.figure(width=1.6 + 0.52 * len(sweep.n_beta), height=1.8 + 0.34 * len(sweep.localisation))
    axes.grid(visible=False)
    colours = ListedColormap([colour for colour, _ in _REGIMES.values()])
    axes.imshow(codes, origin="lower", aspect="auto", cmap=colours, vmin=-0.5, vmax=len(order) - 0.5)
    for row, values in enumerate(sweep.values):
        for column, one in enumerate(values):
            text = "?" if one is None else f"{float(one.learning_coefficient):.2f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color=style.INK)
    axes.set_xticks(range(len(sweep.n_beta)), [_short(t) for t in sweep.n_beta])
    axes.set_yticks(range(len(sweep.localisation)), [_short(gamma) for gamma in sweep.localisation])
    axes.set(xlabel="nβ", ylabel="localisation γ")
    seen = {one for row in regimes for one in row}
    handles = [
        Patch(facecolor=colour, edgecolor=style.MUTED, linewidth=0.5, label=label)
        for regime, (colour, label) in _REGIMES.items()
        if regime in seen
    ]
    figure.legend(handles=handles, frameon=False, fontsize=9, labelcolor=style.INK, ncols=2, loc="outside lower left")
    return figure


def _checked(sweep: object) -> FiniteNSweep:
    if not isinstance(sweep, FiniteNSweep):
        raise InvalidValueError(f"There is nothing to draw in {shown(sweep)}; give what finite_n_sweep returns.")
    return sweep


def _short(value: Fraction) -> str:
    return style.power_of_ten(float(value), None) if value >= 1000 else str(value)
