"""How a result shows itself: one line in a terminal, LaTeX, and a table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ddtheory.declared import require_declared
from ddtheory.visible import visible

_WIDEST = 160

# ✓ and its kin have no LaTeX of their own; what TeX reads as a command is escaped
_LATEX: Mapping[str, str] = {
    **dict.fromkeys("✓✗", ""),
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


class Shown:
    """A result of this package. It says `str` in one line, `latex`, and `rows` where more than a formula is to be seen.

    A dataclass that is `Shown` has `repr=False`, unless its own one line is as short. Its fields are of the types that
    it declares, unless it looks at them itself.
    """

    def __post_init__(self) -> None:
        require_declared(self)

    def latex(self) -> str:
        """The result as LaTeX, without dollars; its one line, where it is no formula."""
        return in_words(shortened(str(self), _WIDEST))

    def rows(self) -> Mapping[str, str]:
        """Name → text, a line each of the table in a notebook; none where the formula says it all."""
        return {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({visible(shortened(str(self), _WIDEST))})"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def _repr_html_(self) -> str:
        lines = "".join(f"<tr><th>{_cell(name)}</th><td>{_cell(text)}</td></tr>" for name, text in self.rows().items())
        return f"<table>{lines}</table>" if lines else f"<span>{_cell(self._repr_latex_())}</span>"


def _cell(text: str) -> str:
    return escape(visible(text))


def shortened(text: str, width: int) -> str:
    """The text on one line, cut at a width.

    >>> shortened("a  wall of text", 8)
    'a wall …'
    """
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def counted(number: int, what: str) -> str:
    """A number of things in words.

    >>> counted(1, "layer"), counted(0, "layer")
    ('1 layer', '0 layers')
    """
    return f"{number} {what}{'' if number == 1 else 's'}"


def escaped_for_latex(text: str) -> str:
    r"""Text outside of formulas, for LaTeX.

    >>> print(escaped_for_latex("50% of a_1"))
    50\% of a\_1
    """
    return "".join(_LATEX.get(character, character) for character in text)


def in_words(text: str) -> str:
    r"""Text inside of a formula, for LaTeX.

    >>> print(in_words("no pair"))
    \text{no pair}
    """
    return rf"\text{{{escaped_for_latex(text)}}}"


def decimal(value: float) -> str:
    r"""Four digits of a number, for LaTeX.

    >>> print(decimal(0.5), decimal(2.5e-7), decimal(float("inf")))
    0.5 2.5 \cdot 10^{-7} \infty
    """
    mantissa, _, exponent = f"{value:.4g}".replace("inf", r"\infty").partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
