"""Reads arithmetic from text without evaluating code.

The text is tokenised into Python's syntax tree, which runs nothing, and only the node types of arithmetic are
translated; everything else is refused by name. `^` and `**` both mean power.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

import sympy
from sympy import Expr, Rational, Symbol

from ddtheory.errors import ParseError, shown

FUNCTIONS = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "atan": sympy.atan,
    "asinh": sympy.asinh,
    "acosh": sympy.acosh,
    "atanh": sympy.atanh,
    "erf": sympy.erf,
    "loggamma": sympy.loggamma,
    "digamma": sympy.digamma,
}
"""The analytic functions that an expression may use."""

CONSTANTS = {"pi": sympy.pi}

ASSUMPTIONS = {
    "positive-integer": {"integer": True, "positive": True},
    "positive": {"positive": True},
    "nonzero": {"real": True, "nonzero": True},
    "real": {"real": True},
    "generic": {"real": True, "transcendental": True},  # and independent of the other generic ones
}
"""What a parameter may be declared to be, as in `k:positive-integer`."""

_MAX_LENGTH = 20_000
_MAX_DEPTH = 60
MAX_POWER = 2_000  # exponents of expressions
MAX_BITS = 14_000  # size of a number: Python prints no more than 4300 digits
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
LONGEST_NAME = 200
_GREEK = frozenset(["mu", "nu", "xi", "pi", "eta", "tau", "rho", "chi", "phi", "psi", "beta", "zeta", "iota"])
_COORDINATES = ("abcd", "pqrst", "uvwxyz")  # a run of such letters is a product that lacks its signs
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
        bad = next(character for character in text if not _TEXT.match(character))
        raise ParseError(f"The character {bad!r} is not arithmetic in {_short(text)}. Allowed: {_ALLOWED}.")
    source = " ".join(text.replace("^", "**").split())
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if word := next(filter(keyword.iskeyword, _WORD.findall(text)), None):
            said = f"{word!r} is a word of the grammar and no name; write {word[:3]}_0, or another name."
            raise ParseError(said) from None
        raise ParseError(
            f"{_short(text)} is not arithmetic: {getattr(error, 'msg', error)}. "
            "Write products with *, as in 2*x, and powers with ^."
        ) from None
    translated = _Translator(source, symbols or {}).translate(tree.body, 0)
    refuse_run_together([text], known=symbols or {})
    return translated


def refuse_run_together(texts: Iterable[str], known: Iterable[str] = ()) -> None:
    """Refuse texts in which `xy` was probably meant as x·y: read as one name, they would be another question.

    A name of two to four letters is refused when one of its letters also stands alone, or in another such name, and
    when all of them are usual coordinates, as in xy or abc. Names with digits or underscores, names of Greek letters,
    and names that are known are meant.

    Raises:
        ParseError: such a name.

    >>> refuse_run_together(["(xy)^2 + (xz)^2"])
    Traceback (most recent call last):
    ddtheory.errors.ParseError: xy is one name, not a product, and so is xz. Write x*y for the product; ...
    >>> refuse_run_together(["mu^2 + xi*w_ab + w1*w2"])
    """
    meant = {*known, *FUNCTIONS, *CONSTANTS, *_GREEK}
    names = sorted({name for text in texts for name in _WORD.findall(text)} - meant)
    letters = {name for name in names if len(name) == 1 and name.isalpha()}
    runs = [name for name in names if name.isalpha() and 2 <= len(name) <= 4]
    for name in runs:
        near = sorted(letters & set(name)) or [other for other in runs if other != name and set(other) & set(name)]
        if near or any(set(name) <= set(usual) and len(set(name)) == len(name) for usual in _COORDINATES):
            also = (
                "" if not near else f", and so is {near[0]}" if near[0] in runs else f", though {near[0]} is a name too"
            )
            raise ParseError(
                f"{name} is one name, not a product{also}. Write {'*'.join(name)} for the product; if it is meant as "
                f"one name, write it {name[0]}_{name[1:]}."
            )


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


class _Translator:
    def __init__(self, source: str, symbols: Mapping[str, Symbol]) -> None:
        self.source = source
        self.symbols = symbols

    def translate(self, node: ast.expr, depth: int) -> Expr:
        if depth > _MAX_DEPTH and not isinstance(node, ast.BinOp):
            raise ParseError(f"The expression is nested more than {_MAX_DEPTH} deep.")
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
                return self._finite(FUNCTIONS[name](self.translate(argument, depth + 1)))
            case ast.Call(func=ast.Name(id=name)):
                if name in FUNCTIONS:
                    raise ParseError(f"{name} takes one argument.")
                if name in _WRITTEN:
                    raise ParseError(f"{name}(z) is written {_WRITTEN[name]} here.")
                if name in _KINKED:
                    raise ParseError(
                        f"{name}(…) has no power series at its kink, and no exact answer covers it. Write a piece on "
                        "which it is smooth, or measure the network that has it (ddtheory read)."
                    )
                raise ParseError(
                    f"{name}(…) is no function known here. Known: {', '.join(sorted(FUNCTIONS))}. "
                    f"A product is written {name}*(…)."
                )
            case _:
                part = ast.get_source_segment(self.source, node) or self.source
                raise ParseError(f"{_short(part)} is not arithmetic. Allowed: {_ALLOWED}.")

    def _chain(self, node: ast.BinOp, depth: int) -> Expr:
        """Left-leaning chains such as a sum of a thousand terms are walked in a loop, not in the stack."""
        rights: list[tuple[ast.operator, ast.expr]] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            rights.append((left.op, left.right))
            left = left.left
        value = self.translate(left, depth + 1)
        sums: list[Expr] = [value]
        for operator, right_node in reversed(rights):
            right = self.translate(right_node, depth + 1)
            match operator:
                case ast.Add():
                    sums.append(right)
                    continue
                case ast.Sub():
                    sums.append(-right)
                    continue
                case _:
                    value = sums[0] if len(sums) == 1 else sympy.Add(*sums)
            match operator:
                case ast.Mult():
                    value = value * right
                case ast.Div():
                    if right.is_zero:
                        raise ParseError(f"Division by zero in {_short(self.source)}.")
                    value = value / right
                case ast.Pow():
                    value = _power(value, right)
                case _:
                    raise ParseError(f"The operator in {_short(self.source)} is not + - * / or ^.")
            sums = [value]
        return sums[0] if len(sums) == 1 else sympy.Add(*sums)

    def _finite(self, value: Expr) -> Expr:
        if value.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            raise ParseError(f"{_short(self.source)} contains a value that is not finite, such as log(0).")
        return value

    def _number(self, node: ast.Constant) -> Expr:
        text = ast.get_source_segment(self.source, node) or str(node.value)
        is_zero = not any(digit in "123456789" for digit in text.lower().partition("e")[0])
        if isinstance(node.value, float) and not 1e-300 < abs(node.value) < 1e300 and not is_zero:
            raise ParseError(f"The number {_short(text)} is too large or too small.")
        try:
            value = Fraction(0) if is_zero else Fraction(text)
        except ValueError:
            raise ParseError(f"{text!r} is not a decimal number.") from None
        if max(abs(value.numerator), value.denominator).bit_length() > MAX_BITS:
            raise ParseError(f"The number {_short(text)} is too large.")
        return Rational(value.numerator, value.denominator)

    def _name(self, name: str) -> Expr:
        if name in self.symbols:
            return self.symbols[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in FUNCTIONS:
            raise ParseError(f"{name} is a function; write {name}(…).")
        return parse_symbol(name)


def parse_symbol(name: str) -> Symbol:
    """A real symbol with this name.

    Raises:
        ParseError: the name is not a letter followed by letters, digits or underscores, or is taken.
    """
    if not _NAME.match(name) or "__" in name or len(name) > LONGEST_NAME:
        raise ParseError(
            f"{shown(name)} is not a name: a letter, then letters, digits or single underscores, {LONGEST_NAME} in all."
        )
    if name in FUNCTIONS or name in CONSTANTS:
        raise ParseError(f"{name!r} already means something else; choose another name.")
    return Symbol(name, real=True)


def parse_parameter(text: str) -> Symbol:
    """A parameter with its assumption, "k:positive-integer" or "a:positive" or "a".

    Raises:
        ParseError: the name or the assumption is not known.

    >>> parse_parameter("k:positive-integer").is_integer
    True
    """
    name, _, assumption = text.partition(":")
    assumption = assumption.strip().replace("_", "-") or "real"
    if assumption not in ASSUMPTIONS:
        raise ParseError(f"{assumption!r} is no assumption known here. Known: {', '.join(ASSUMPTIONS)}.")
    return Symbol(parse_symbol(name.strip()).name, **ASSUMPTIONS[assumption])


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


def _power(base: Expr, exponent: Expr) -> Expr:
    if isinstance(exponent, Rational):
        if abs(exponent) > MAX_POWER:
            raise ParseError(f"The exponent {exponent} is larger than {MAX_POWER}.")
        if base.is_zero and exponent <= 0:
            raise ParseError(f"0^({exponent}) is not a number.")
        if isinstance(base, Rational) and abs(exponent) * max(abs(base.p), base.q).bit_length() > MAX_BITS:
            raise ParseError(f"The number {_short(f'{base}^{exponent}')} is too large.")
    return base**exponent


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
