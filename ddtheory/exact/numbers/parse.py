"""Reads arithmetic from text without evaluating code.

The text is tokenised into Python's syntax tree, which runs nothing, and only the node types of arithmetic are
translated; everything else is refused by name. `^` and `**` both mean power.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping
from fractions import Fraction

import sympy
from sympy import Expr, Rational, Symbol

from ddtheory.errors import ParseError, shown
from ddtheory.exact.numbers.names import CONSTANTS, FUNCTIONS, WORD, marked, parse_symbol, refuse_run_together

_MAX_LENGTH = 20_000
_MAX_DEPTH = 60
MAX_POWER = 2_000  # exponents of expressions
MAX_BITS = 14_000  # size of a number: Python prints no more than 4300 digits
_TEXT = re.compile(r"[A-Za-z0-9_+\-*/^(). ,\t\n]*\Z")
_ALLOWED = f"numbers, names, + - * / ^ ( ), {', '.join(sorted(FUNCTIONS))} and pi"


def parse_expression(text: str, symbols: Mapping[str, Symbol] | None = None) -> Expr:
    """The sympy expression that a text denotes; numbers are exact (`0.1` is 1/10).

    Args:
        text: arithmetic in numbers, names, `+ - * / ^ ( )`, and the names in `FUNCTIONS`.
        symbols: symbols to use for some names; other names become real symbols.

    Raises:
        ParseError: the text contains anything else, or is too large to be meant.

    >>> parse_expression("x^2 + 0.5*y^4")
    x**2 + y**4/2
    >>> parse_expression('__import__("os")')
    Traceback (most recent call last):
        ...
    ddtheory.errors.ParseError: The character '"' is not arithmetic...
    """
    if not isinstance(text, str):
        raise ParseError(f"The expression is {shown(text)}; give text.")
    if symbols is not None and not (
        isinstance(symbols, Mapping) and all(type(symbol) is Symbol for symbol in symbols.values())
    ):
        raise ParseError(f"The symbols are {shown(symbols)}; give plain symbols of sympy by name.")
    text = str.__str__(text)  # not what a subclass makes of itself
    if len(text) > _MAX_LENGTH:
        raise ParseError(f"The expression has {len(text)} characters; the limit is {_MAX_LENGTH}.")
    if not text.strip():
        raise ParseError("The expression is empty.")
    if not _TEXT.match(text):
        place = next(place for place, character in enumerate(text) if not _TEXT.match(character))
        raise ParseError(
            f"The character {text[place]!r} is not arithmetic. Allowed: {_ALLOWED}. {marked(text, place, place + 1)}"
        )
    source = _Source(text)
    try:
        tree = ast.parse(source.python, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if word := next((word for word in WORD.finditer(text) if keyword.iskeyword(word[0])), None):
            said = f"{word[0]!r} is a word of the grammar and no name; write {word[0][:3]}_0, or another name."
            raise ParseError(f"{said} {marked(text, *word.span())}") from None
        if isinstance(error, (RecursionError, MemoryError)):
            raise ParseError(
                f"{_short(text)} has too many terms, or brackets nested too deep; some 2000 terms are read."
            ) from None
        raise ParseError(
            f"{_short(text)} is not arithmetic: {getattr(error, 'msg', error)}. "
            f"Write products with *, as in 2*x, and powers with ^.{source.marked_error(error)}"
        ) from None
    translated = _Translator(source, symbols or {}).translate(tree.body, 0)
    refuse_run_together([text], known=symbols or {})
    return translated


class _Source:
    """A text, and the same as Python writes it: powers are `**`, and every blank is a space."""

    def __init__(self, text: str) -> None:
        self.text = text
        first = len(text) - len(text.lstrip())
        pieces = [
            ("**" if character == "^" else " " if character.isspace() else character) for character in text[first:]
        ]
        self.python = "".join(pieces)
        self._origin = [first + place for place, piece in enumerate(pieces) for _ in piece] + [len(text)]

    def segment(self, node: ast.expr) -> tuple[int, int]:
        """Where a part of the expression begins and ends in the text."""
        assert node.end_col_offset is not None, "it was parsed"
        return self._origin[node.col_offset], self._origin[node.end_col_offset - 1] + 1

    def marked(self, node: ast.expr) -> str:
        return marked(self.text, *self.segment(node))

    def marked_error(self, error: BaseException) -> str:
        """Where the grammar ends, if it is known."""
        offset = getattr(error, "offset", None)
        if offset is None:
            return ""
        start = self._origin[offset - 1] if 0 < offset <= len(self._origin) else len(self.text)  # or it ends too early
        return f" {marked(self.text, start, start + 1)}"


_WRITTEN = {
    "gelu": "z*(1 + erf(z/sqrt(2)))/2",
    "ln": "log(z)",
    "logistic": "1/(1 + exp(-z))",
    "sigmoid": "1/(1 + exp(-z))",
    "silu": "z/(1 + exp(-z))",
    "softplus": "log(1 + exp(z))",
    "swish": "z/(1 + exp(-z))",
}
"""Functions that people use and that are others put together."""

_KINKED = frozenset({"abs", "Abs", "ReLU", "relu", "max", "min", "sign", "leaky_relu", "elu", "heaviside", "floor"})


class _ObjectionError(Exception):
    """What is wrong with a part of an expression; whoever knows where it stands says so."""


class _Translator:
    def __init__(self, source: _Source, symbols: Mapping[str, Symbol]) -> None:
        self.source = source
        self.symbols = symbols

    def translate(self, node: ast.expr, depth: int) -> Expr:
        try:
            return self._translated(node, depth)
        except _ObjectionError as objection:
            raise self._refused(node, objection) from None

    def _refused(self, node: ast.expr, objection: object) -> ParseError:
        return ParseError(f"{objection} {self.source.marked(node)}")

    def _translated(self, node: ast.expr, depth: int) -> Expr:
        if depth > _MAX_DEPTH and not isinstance(node, ast.BinOp):
            raise _ObjectionError(f"The expression is nested more than {_MAX_DEPTH} deep.")
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return self._number(node)
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.translate(operand, depth + 1)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.translate(operand, depth + 1)
            case ast.BinOp():
                return self._chain(node, depth)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return _real(FUNCTIONS[name](self.translate(argument, depth + 1)))
            case ast.Call(func=ast.Name(id=name)):
                if name in FUNCTIONS:
                    raise _ObjectionError(f"{name} takes one argument.")
                if name in _WRITTEN:
                    raise _ObjectionError(f"{name}(z) is written {_WRITTEN[name]} here.")
                if name in _KINKED:
                    raise _ObjectionError(
                        f"{name}(…) has no power series at its kink, and no exact answer covers it. Write a piece on "
                        "which it is smooth, or measure the network that has it (ddtheory read)."
                    )
                raise _ObjectionError(
                    f"{name}(…) is no function known here. Known: {', '.join(sorted(FUNCTIONS))}. "
                    f"A product is written {name}*(…)."
                )
            case _:
                raise _ObjectionError(f"{_short(self._text(node))} is not arithmetic. Allowed: {_ALLOWED}.")

    def _chain(self, node: ast.BinOp, depth: int) -> Expr:
        """Left-leaning chains such as a sum of a thousand terms are walked in a loop, not in the stack."""
        steps: list[ast.BinOp] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            steps.append(left)
            left = left.left
        value = self.translate(left, depth + 1)
        sums: list[Expr] = [value]
        for step in reversed(steps):
            right = self.translate(step.right, depth + 1)
            match step.op:
                case ast.Add():
                    sums.append(right)
                    continue
                case ast.Sub():
                    sums.append(-right)
                    continue
                case _:
                    value = sums[0] if len(sums) == 1 else sympy.Add(*sums)
            try:
                value = _combined(step.op, value, right)
            except _ObjectionError as objection:
                raise self._refused(step, objection) from None
            sums = [value]
        return sums[0] if len(sums) == 1 else sympy.Add(*sums)

    def _number(self, node: ast.Constant) -> Expr:
        text = self._text(node)
        if isinstance(node.value, int) and text.isdecimal() and node.value.bit_length() <= MAX_BITS:
            return sympy.Integer(node.value)
        is_zero = not any(digit in "123456789" for digit in text.lower().partition("e")[0])
        if isinstance(node.value, float) and not 1e-300 < abs(node.value) < 1e300 and not is_zero:
            raise _ObjectionError(f"The number {_short(text)} is too large or too small.")
        try:
            value = Fraction(0) if is_zero else Fraction(text)
        except ValueError:
            raise _ObjectionError(f"{text!r} is not a decimal number.") from None
        if max(abs(value.numerator), value.denominator).bit_length() > MAX_BITS:
            raise _ObjectionError(f"The number {_short(text)} is too large.")
        return Rational(value.numerator, value.denominator)

    def _name(self, name: str) -> Expr:
        if name in self.symbols:
            return self.symbols[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in FUNCTIONS:
            raise _ObjectionError(f"{name} is a function; write {name}(…).")
        try:
            return parse_symbol(name)
        except ParseError as error:
            raise _ObjectionError(str(error)) from None

    def _text(self, node: ast.expr) -> str:
        start, end = self.source.segment(node)
        return self.source.text[start:end]


def parse_assignments(text: str) -> dict[str, Expr]:
    """Comma-separated assignments of numbers, "x=1,y=-1/2".

    Raises:
        ParseError: a part is not `name=number`, or a name occurs twice.

    >>> parse_assignments("x=1, y=-1/2")
    {'x': 1, 'y': -1/2}
    """
    found: dict[str, Expr] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not value.strip():
            raise ParseError(f"{part.strip()!r} is not of the form name=number, as in x=1,y=-1/2.")
        parse_symbol(name)
        if name in found:
            raise ParseError(f"{name} is given twice in {text!r}.")
        number = parse_expression(value)
        if number.free_symbols:
            raise ParseError(f"{value.strip()!r} is not a number; give one for each name, as in x=1,y=-1/2.")
        found[name] = number
    return found


def _combined(operator: ast.operator, left: Expr, right: Expr) -> Expr:
    match operator:
        case ast.Mult():
            return left * right
        case ast.Div():
            if right.is_zero:
                raise _ObjectionError("Division by zero.")
            return left / right
        case ast.Pow():
            found = _power(left, right)
            # what is finite and real stays so; to look at it takes longer than to compute it
            return found if isinstance(right, sympy.Integer) and right > 0 else _real(found)
        case _:
            raise _ObjectionError("The operator is not + - * / or ^.")


def _real(value: Expr) -> Expr:
    if value.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        raise _ObjectionError("This value is not finite, as that of log(0) is not.")
    if value.is_number and value.is_real is False:
        raise _ObjectionError("This value is not real, as that of sqrt(-1) is not.")
    return value


def _power(base: Expr, exponent: Expr) -> Expr:
    if isinstance(exponent, Rational):
        if abs(exponent) > MAX_POWER:
            raise _ObjectionError(f"The exponent {exponent} is larger than {MAX_POWER}.")
        if exponent <= 0 and base.is_zero:
            raise _ObjectionError(f"0^({exponent}) is not a number.")
        if isinstance(base, Rational) and abs(exponent) * max(abs(base.p), base.q).bit_length() > MAX_BITS:
            raise _ObjectionError(f"The number {_short(f'{base}^{exponent}')} is too large.")
    return base**exponent


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
