"""The verdicts of a run at a glance."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ddtheory.arguments import list_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.plots import style
from ddtheory.values import Verdict
from ddtheory.verify.verdicts import GLYPH, WORST_FIRST, ClaimResult

COLOURS: dict[Verdict, str] = {
    Verdict.CONFIRMED: "#2f7d4f",
    Verdict.NARROWER: "#2b6ca3",
    Verdict.REFUTED: "#86459b",
    Verdict.INCONCLUSIVE: "#a86f00",
    Verdict.NOT_CHECKED: style.MUTED,
}


def verdicts(results: Iterable[ClaimResult]) -> Figure:
    """One tile a claim, a row a chapter, in the order of the book; the sign in the tile is the verdict's.

    Raises:
        InvalidValueError: something that is no result of a claim.
    """
    chapters: dict[str, list[Verdict]] = {}
    for result in list_of(results, "The list of results"):
        if not isinstance(result, ClaimResult):
            raise InvalidValueError(f"{shown(result)} is no result of a claim. Give the results of a run.")
        chapters.setdefault(result.record.chapter, []).append(result.verdict)
    longest = max((len(row) for row in chapters.values()), default=1)
    figure, axes = style.figure(width=2.2 + 0.32 * max(longest, 8), height=0.9 + 0.36 * max(len(chapters), 1))
    for row, found in enumerate(chapters.values()):
        for column, verdict in enumerate(found):
            _tile(axes, column, row, COLOURS[verdict], GLYPH[verdict])
    axes.set_yticks(range(len(chapters)), list(chapters), color=style.INK)
    axes.tick_params(length=0)
    axes.set(xticks=[], xlim=(-0.6, max(longest, 8) - 0.4), ylim=(len(chapters) - 0.4, -0.6), aspect="equal")
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for verdict in WORST_FIRST:
        if any(verdict in row for row in chapters.values()):
            axes.scatter([], [], marker="s", color=COLOURS[verdict], label=f"{GLYPH[verdict]} {verdict.value}")
    if chapters:
        figure.legend(frameon=False, fontsize=8, labelcolor=style.INK, ncols=3, loc="outside lower center")
    return figure


def _tile(axes: Axes, column: int, row: int, colour: str, sign: str) -> None:
    box = FancyBboxPatch(
        (column - 0.4, row - 0.4), 0.8, 0.8, boxstyle="round,pad=0,rounding_size=0.15", color=colour, linewidth=0
    )
    axes.add_patch(box)
    axes.text(column, row, sign, color="white", ha="center", va="center_baseline", fontsize=9)
