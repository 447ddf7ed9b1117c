"""What names mean in a text: functions, constants, symbols and parameters; and what no name can be meant as."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

import sympy
from sympy import Symbol

from ddtheory.errors import ParseError, shown
from ddtheory.visible import one_line

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
    "asin": sympy.asin,
    "acos": sympy.acos,
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

LONGEST_NAME = 200
_AROUND = 30  # characters that are shown on either side of what is refused
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_INDEXED = re.compile(r"(?:[A-Za-z][0-9]+)+[A-Za-z][0-9]*\Z")  # x1y2, a product that lacks its sign
_GREEK = frozenset(["mu", "nu", "xi", "pi", "eta", "tau", "rho", "chi", "phi", "psi", "beta", "zeta", "iota"])
_COORDINATES = ("abcd", "pqrst", "uvwxyz")  # a run of such letters is a product that lacks its signs


@functools.lru_cache(maxsize=1_024)
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


def refuse_run_together(texts: Iterable[str], known: Iterable[str] = ()) -> None:
    """Refuse texts in which `xy` was probably meant as x·y: read as one name, they would be another question.

    A name of two to four letters is refused when one of its letters also stands alone, or in another such name, and
    when all of them are usual coordinates, as in xy or abc. Refused are also single letters with numbers behind them,
    as in x1y2 or x1y, and the name of a function with a letter behind it, as in sinx, where that letter stands alone
    too or is one of u to z. Other names with digits or underscores, names of Greek letters, and names that are known
    are meant.

    Raises:
        ParseError: such a name.

    >>> refuse_run_together(["(xy)^2 + (xz)^2"])
    Traceback (most recent call last):
    ddtheory.errors.ParseError: xy is one name, not a product, and so is xz. Write x*y for the product; ...
    >>> refuse_run_together(["mu^2 + xi*w_ab + w1*w2"])
    """
    texts = list(texts)
    meant = {*known, *FUNCTIONS, *CONSTANTS, *_GREEK}
    names = sorted({name for text in texts for name in WORD.findall(text)} - meant)
    letters = {name for name in names if len(name) == 1 and name.isalpha()}
    for name in names:
        if _INDEXED.match(name):
            parts = re.findall("[A-Za-z][0-9]*", name)
            raise ParseError(
                f"{name} is one name, not a product. Write {'*'.join(parts)} for the product; if it is meant as one "
                f"name, write it {'_'.join(parts)}. {_first(name, texts)}"
            )
        function = next((each for each in FUNCTIONS if name[:-1] == each and name[-1] in letters | set("uvwxyz")), None)
        if function is not None:
            raise ParseError(
                f"{name} is one name, not a function of {name[-1]}. Write {function}({name[-1]}); if it is meant as "
                f"one name, write it {function}_{name[-1]}. {_first(name, texts)}"
            )
    runs = [name for name in names if name.isalpha() and 2 <= len(name) <= 4]
    for name in runs:
        near = sorted(letters & set(name)) or [other for other in runs if other != name and set(other) & set(name)]
        if near or any(set(name) <= set(usual) and len(set(name)) == len(name) for usual in _COORDINATES):
            also = (
                "" if not near else f", and so is {near[0]}" if near[0] in runs else f", though {near[0]} is a name too"
            )
            raise ParseError(
                f"{name} is one name, not a product{also}. Write {'*'.join(name)} for the product; if it is meant as "
                f"one name, write it {name[0]}_{name[1:]}. {_first(name, texts)}"
            )


def _first(name: str, texts: Sequence[str]) -> str:
    """Where a name stands for the first time."""
    text, found = next((text, word) for text in texts for word in WORD.finditer(text) if word[0] == name)
    return marked(text, *found.span())


def marked(text: str, start: int, end: int) -> str:
    """Where in a text something stands, in one sentence; brackets are no arithmetic, so they can mark it.

    >>> marked("x^2 + foo(x)", 6, 12)
    'At character 7: x^2 + [foo(x)].'
    """
    before, part, after = text[:start], text[start:end], text[end:]
    before = before if len(before) <= _AROUND else f"…{before[-_AROUND:]}"
    after = after if len(after) <= _AROUND else f"{after[:_AROUND]}…"
    part = part if len(part) <= 2 * _AROUND else f"{part[:_AROUND]}…{part[-_AROUND:]}"
    return f"At character {start + 1}: {one_line(f'{before}[{part}]{after}')}."
