"""What a derivation is made of: sentences, equations and inequalities, each for one clause of its claim.

Both sides of an equation are shown as they were derived, so that a reader sees what was compared with what. Each has
rivals: formulas that a reader might expect in its place, and for which it must fail. An equation without a rival would
show nothing but that two expressions agree, and `0 = 0` not even that, so both are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from ddtheory.errors import InvalidValueError, shown
from ddtheory.fields import Told, require, require_each, require_mapping
from ddtheory.shown import shortened

if TYPE_CHECKING:
    from sympy import Expr
    from sympy.matrices.matrixbase import MatrixBase

Side: TypeAlias = "Expr | MatrixBase | Fraction | int"
"""One side of an equation. Matrices are compared entry by entry."""

Rival: TypeAlias = "Side | tuple[Side, Side]"
"""Another right side, or another equation: its left side and its right side."""


@dataclass(frozen=True)
class Prose:
    """A step that is said and not checked: a sentence, and the formula it leads to (LaTeX)."""

    text: str
    latex: str = ""

    def __post_init__(self) -> None:
        require(self, str, "text", "latex")


@dataclass(frozen=True, repr=False)
class Equation(Told):
    r"""left = right, identically in all symbols; for every rival it fails.

    Attributes:
        clause: the clause of the claim that it supports.
        text: what is compared with what, in words.
        left: as derived, unsimplified.
        right: as the statement has it.
        rivals: by name, other right sides, or other pairs of sides.

    Raises:
        InvalidValueError: there is no rival, both sides are the number 0, or a side is no expression.

    >>> from sympy import Symbol, diff
    >>> k, t = Symbol("k", integer=True, positive=True), Symbol("t", positive=True)
    >>> fisher = k**2 * t ** (2 * k - 2)
    >>> Equation("rate", "F of the mean t^k", diff(t**k, t) ** 2, fisher, {"k for k²": fisher / k}).right
    k**2*t**(2*k - 2)
    """

    clause: str
    text: str
    left: Side
    right: Side
    rivals: Mapping[str, Rival]

    def __post_init__(self) -> None:
        require(self, str, "clause", "text")
        require_mapping(self, str, object, "rivals")
        _check_sides(self.text, self.left, self.right)
        for rival in self.rivals.values():
            _check_sides(self.text, *sides(self, rival))
        object.__setattr__(self, "left", _frozen(self.left))
        object.__setattr__(self, "right", _frozen(self.right))
        if not self.rivals:
            raise InvalidValueError(
                f"The equation “{self.text}” has no rival. Give a formula that would be wrong in its place: an "
                "equation that holds for it too says nothing."
            )


@dataclass(frozen=True, repr=False)
class AtMost(Told):
    """left ≤ right, because right − left = Σ |slack| identically: no sign is assumed, a sum of |slack| has one.

    Attributes:
        clause: the clause of the claim that it supports.
        text: what is bounded by what, in words.
        left: the smaller side, as derived.
        right: the larger side, as the statement has it.
        slack: the terms whose absolute values make up the difference.
        attained: values of the symbols at which left ≥ 9/10 · right, so that a bound better by a tenth fails there.
        rivals: by name, other right sides (better bounds), or other pairs, for which the identity must fail.

    Raises:
        InvalidValueError: there is neither a case that attains the bound nor a rival, or a side is no expression.
    """

    clause: str
    text: str
    left: Expr | Fraction | int
    right: Expr | Fraction | int
    slack: tuple[Expr, ...]
    attained: Mapping[Expr, Expr | Fraction | int] = field(default_factory=dict[Any, Any])
    rivals: Mapping[str, Rival] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        require(self, str, "clause", "text")
        require_mapping(self, object, object, "attained")
        require_each(self, object, "slack")
        require_mapping(self, str, object, "rivals")
        _check_sides(self.text, self.left, self.right)
        for rival in self.rivals.values():
            _check_sides(self.text, *sides(self, rival))
        if not self.attained and not self.rivals:
            raise InvalidValueError(
                f"The bound “{self.text}” has neither a case that attains it to 90 % nor a rival. A bound that nothing "
                "approaches could be far too weak: give `attained` or `rivals`."
            )


Line = Prose | Equation | AtMost


@dataclass(frozen=True, repr=False)
class Proof(Told):
    """What `derive` returns: a derivation, line by line.

    Attributes:
        scope: in one sentence, what is symbolic, and what is fixed or assumed: "Symbolic in k and A; L = 2."
        lines: prose, equations and inequalities, in the order of the argument.

    Raises:
        InvalidValueError: no line can fail.
    """

    scope: str
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        require(self, str, "scope")
        require_each(self, Line, "lines")
        if not self.scope.strip():
            raise InvalidValueError("A derivation says in its scope what is symbolic, and what is fixed or assumed.")
        if all(isinstance(line, Prose) for line in self.lines):
            raise InvalidValueError("A proof without an equation or a bound cannot fail, so it proves nothing.")


def sides(line: Equation | AtMost, rival: Rival) -> tuple[Side, Side]:
    """The two sides of a rival; the left one is that of its line unless the rival has its own."""
    left, right = rival if isinstance(rival, tuple) else (line.left, rival)
    return _frozen(left), _frozen(right)


def _check_sides(text: str, left: object, right: object) -> None:
    from sympy import Expr
    from sympy.matrices.matrixbase import MatrixBase

    told = shortened(text, 160)
    for side in (left, right):
        if isinstance(side, bool) or not isinstance(side, Expr | MatrixBase | Fraction | int):
            raise InvalidValueError(f"A side of “{told}” is {shown(side)}; give an expression of sympy or a matrix.")
        undefined = _undefined(side)
        if undefined is not None:
            raise InvalidValueError(
                f"A side of “{told}” holds {undefined}, which has no value. A substitution may have met a zero: "
                "take the limit, or cancel before you substitute."
            )
    shapes = {getattr(side, "shape", None) for side in (left, right)}
    if len(shapes) > 1:
        raise InvalidValueError(f"The sides of “{told}” are of different shapes; give two matrices of one shape.")
    if _is_number_zero(left) and _is_number_zero(right):
        raise InvalidValueError(
            f"The equation “{told}” reads 0 = 0, which holds whatever it is about. Give both sides as they were "
            "derived, before their difference is simplified."
        )


def _undefined(side: Any) -> object:
    """A part without a value: an infinity, not a number, or a power of zero whose exponent is not known."""
    from sympy import Pow, nan, oo, zoo

    if isinstance(side, Fraction | int):
        return None
    parts = side.atoms(Pow, type(nan), type(oo), type(-oo), type(zoo))
    return next((part for part in parts if not isinstance(part, Pow) or part.base == 0), None)


def _frozen(side: Side) -> Side:
    """A matrix that nobody changes afterwards; everything else is one already."""
    from sympy import ImmutableMatrix

    return ImmutableMatrix(side) if hasattr(side, "shape") else side


def _is_number_zero(side: Any) -> bool:
    if hasattr(side, "shape"):
        return all(entry == 0 for entry in side)
    return bool(side == 0)
