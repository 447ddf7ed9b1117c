"""How a result shows itself: one line in a terminal, LaTeX, and a table in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape

_WIDEST = 160


class Shown(ABC):
    """A result of this package. It says `str` in one line, `latex`, and `rows` where more than a formula is to be seen.

    A dataclass that is `Shown` has `repr=False`, unless its own one line is as short.
    """

    @abstractmethod
    def latex(self) -> str:
        """The result as LaTeX, without dollars."""

    def rows(self) -> Mapping[str, str]:
        """Name → text, a line each of the table in a notebook; none where the formula says it all."""
        return {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shortened(str(self), _WIDEST)})"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def _repr_html_(self) -> str:
        lines = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in self.rows().items()
        )
        return f"<table>{lines}</table>" if lines else f"<span>{escape(self._repr_latex_())}</span>"


def shortened(text: str, width: int) -> str:
    """The text on one line, cut at a width.

    >>> shortened("a  wall of text", 8)
    'a wall …'
    """
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
