"""Values that no caller should give: each has a name, and is made anew where it is used.

Text and hooks that would run code leave a file behind in the working directory, which is how running is noticed.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy
import sympy
import torch

RAN = "ran"
"""The file that is there when code of a bait ran."""

PAYLOADS = (
    f'open("{RAN}","w")',
    f'__import__("pathlib").Path("{RAN}").touch()',
    f"(lambda:open('{RAN}','w'))()",
    f"x+open('{RAN}','w').fileno()",
    f"[open('{RAN}','w') for y in [1]]",
    f"{{{{cycler.__init__.__globals__.os.open('{RAN}',64)}}}}",
    f"$(touch {RAN})",
    f"x; open('{RAN}','w')",
    f"Symbol('x')+eval(\"open('{RAN}','w').fileno()\")",
    f"().__class__.__base__.__subclasses__()[0:open('{RAN}','w').fileno()]",
    f"!!python/object/apply:os.open ['{RAN}', 64]",
    f"cos\nbuiltins\nopen\n(S'{RAN}'\nS'w'\ntR.",
    f"\\\" + open('{RAN}','w') + \\\"",
)
"""Text that is Python, a template, a command, YAML or a pickle."""

TEXTS: dict[str, str] = {
    **{f"code {number}": text for number, text in enumerate(PAYLOADS)},
    "empty text": "",
    "blank text": " \t\n",
    "a lone surrogate": "\ud800",
    "a name with a lone surrogate": "x\udcff",
    "a line separator": "x\u2028y",
    "an escape code": "\x1b[31mx\x1b]0;title\x07",
    "a zero byte": "x\x00y",
    "right to left": "\u202ex",
    "letters of another script": "х^2+ｙ^2",
    "digits of another script": "x^²+١",
    "emoji": "🙂^2",
    "a very long name": "x" * 30_000,
    "a long name": "x_" + "ab" * 400,
    "a deep nest": "(" * 5_000 + "x" + ")" * 5_000,
    "a nest within limits": "(" * 55 + "x" + ")" * 55,
    "many signs": "-" * 15_000 + "x",
    "a tower of powers": "x" + "^2" * 400,
    "a huge power": "x^999999999999",
    "a constant to a huge power": "9^9^9^9",
    "a huge number": "9" * 10_000,
    "a huge exponent": "1e99999999",
    "a tiny exponent": "1e-99999999",
    "not a number": "nan",
    "infinite text": "inf",
    "a ratio by zero": "1/0",
    "a number with an underscore": "1_000",
    "an assignment": "x=1",
    "an attribute": "x.__class__",
    "a keyword": "lambda",
    "a function of nothing": "exp()",
    "a huge expansion": "(" + "+".join(f"x{i}" for i in range(12)) + ")^40",
    "a long sum": "+".join(f"x{i}^2" for i in range(3_000)),
    "a long product": "*".join(f"(x{i}+1)" for i in range(400)),
    "markup": "<script>alert(1)</script>",
    "a formula with markup": r"$\text{</p><script>}$",
    "a broken formula": r"$\frac{1}{",
    "a format": "{0.__class__} %s %n",
    "rich markup": "[/][bold]x[link=file:///]",
    "a path upwards": "folder/../x",
    "a JSON text": '{"a": [1, 2, {"b": null}]}',
    "a deep JSON text": "[" * 50_000 + "]" * 50_000,
}


class Thrown(Exception):
    """What baits raise."""


class Watch:
    """Whether the call that is looked at still runs: what is printed of its answer is not its own doing."""

    looking = False


def leave_a_trace() -> None:
    if Watch.looking:
        Path(RAN).touch()


class Spy:
    """An object whose text and whose conversion by sympy are code of somebody else."""

    def _sympy_(self) -> sympy.Expr:
        leave_a_trace()
        return sympy.Symbol("x")

    def __repr__(self) -> str:
        leave_a_trace()
        return "spy"

    __str__ = __repr__

    def __format__(self, how: str) -> str:
        return repr(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (leave_a_trace, ())


def _throw(self: object, *args: object, **kwargs: object) -> Any:
    raise Thrown("a hook of a bait")


def _thrower(name: str, *bases: type, hooks: tuple[str, ...]) -> type:
    return type(name, bases, dict.fromkeys(hooks, _throw))


_TEXT_HOOKS = ("__repr__", "__str__", "__format__")
_NUMBER_HOOKS = ("__index__", "__int__", "__float__", "__bool__", "__lt__", "__gt__", "__le__", "__ge__", "__add__")
_ARRAY_HOOKS = ("__array__", "__torch_function__", "__len__", "__iter__", "__getitem__", "_sympy_", "__eq__")

Thrower = _thrower("Thrower", hooks=(*_TEXT_HOOKS, *_NUMBER_HOOKS, *_ARRAY_HOOKS, "__hash__"))
Unprintable = _thrower("Unprintable", hooks=_TEXT_HOOKS)
UnprintableInt = _thrower("UnprintableInt", int, hooks=_TEXT_HOOKS)
UnprintableText = _thrower("UnprintableText", str, hooks=_TEXT_HOOKS)
UnprintableError = _thrower("UnprintableError", Exception, hooks=("__repr__", "__str__"))
OddInt = _thrower("OddInt", int, hooks=_NUMBER_HOOKS)
OddText = _thrower("OddText", str, hooks=("strip", "split", "replace", "__len__", "__iter__", "encode", "partition"))
OddList = _thrower("OddList", list, hooks=("__len__", "__iter__", "__getitem__"))
OddDict = _thrower("OddDict", dict, hooks=("items", "keys", "__iter__", "__getitem__", "__contains__"))
OddSymbol = _thrower("OddSymbol", sympy.Symbol, hooks=("__str__", "_sympystr"))


class Lying(int):
    """An integer whose comparisons lie."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


class FalseText(str):
    """Text that says it is empty."""

    def __bool__(self) -> bool:
        return False


class Colour(enum.IntEnum):
    """An integer of another type."""

    RED = 1


class AskedFor:
    """An object with an answer to every attribute."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return AskedFor()

    def __call__(self, *args: object, **kwargs: object) -> Any:
        return AskedFor()


def deep_list(depth: int = 3_000) -> list[Any]:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]
    return nested


def deep_dict(depth: int = 3_000) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for _ in range(depth):
        nested = {"x": nested}
    return nested


def itself() -> list[Any]:
    """A list that holds itself."""
    ring: list[Any] = []
    ring.append(ring)
    return ring


def broken_iterator() -> Iterator[Any]:
    yield 1
    raise Thrown("an iterator that breaks")


def endless_text() -> Iterator[str]:
    while True:
        yield "x"


def _raises(*args: object, **kwargs: object) -> Any:
    raise Thrown("a callback of the caller")


NUMBERS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "False": lambda: False,
    "zero": lambda: 0,
    "one": lambda: 1,
    "minus one": lambda: -1,
    "seven": lambda: 7,
    "forty-one": lambda: 41,
    "a thousand": lambda: 1_000,
    "a billion": lambda: 10**9,
    "2^63": lambda: 2**63,
    "10^400": lambda: 10**400,
    "10^5000": lambda: 10**5_000,
    "-10^400": lambda: -(10**400),
    "a half": lambda: 0.5,
    "minus a half": lambda: -0.5,
    "a float of an integer": lambda: 2.0,
    "1e308": lambda: 1e308,
    "5e-324": lambda: 5e-324,
    "nan": lambda: math.nan,
    "inf": lambda: math.inf,
    "-inf": lambda: -math.inf,
    "a complex number": lambda: 1 + 2j,
    "1/10^60": lambda: Fraction(1, 10**60),
    "a fraction": lambda: Fraction(-7, 3),
    "a decimal": lambda: decimal.Decimal("1.5"),
    "a decimal that is no number": lambda: decimal.Decimal("sNaN"),
    "a huge decimal": lambda: decimal.Decimal("1e999999"),
    "numpy.int64": lambda: numpy.int64(3),
    "numpy.int64 at its end": lambda: numpy.int64(2**63 - 1),
    "numpy.uint8": lambda: numpy.uint8(200),
    "numpy.int8": lambda: numpy.int8(-128),
    "numpy.float64": lambda: numpy.float64(0.25),
    "numpy.float32 nan": lambda: numpy.float32("nan"),
    "numpy.float16": lambda: numpy.float16(60_000),
    "numpy.bool": lambda: numpy.bool_(True),
    "numpy.complex128": lambda: numpy.complex128(1j),
    "numpy.datetime64": lambda: numpy.datetime64("2020-01-01"),
    "an enumerated integer": lambda: Colour.RED,
    "an unprintable integer": lambda: UnprintableInt(3),
    "an integer that throws": lambda: OddInt(3),
    "an integer that lies": lambda: Lying(-3),
}

CONTAINERS: dict[str, Callable[[], Any]] = {
    "an empty list": list,
    "an empty tuple": tuple,
    "an empty mapping": dict,
    "a set": lambda: {1, "x"},
    "bytes": lambda: b"x^2\xff",
    "a bytearray": lambda: bytearray(b"x"),
    "a range of a billion": lambda: range(10**9),
    "an endless count": itertools.count,
    "endless text": endless_text,
    "an iterator that breaks": broken_iterator,
    "a deep list": deep_list,
    "a deep mapping": deep_dict,
    "a list that holds itself": itself,
    "a list of code": lambda: [PAYLOADS[0]],
    "a tuple of code": lambda: (PAYLOADS[1], PAYLOADS[3]),
    "a set of code": lambda: {PAYLOADS[0]},
    "code by name": lambda: {"x": PAYLOADS[3]},
    "names of code": lambda: {PAYLOADS[3]: 1},
    "nested code": lambda: [[(PAYLOADS[0],)]],
    "a mapping from numbers": lambda: {1: 2, None: 3, (1, 2): 4},
    "a list of mixed things": lambda: [1, "x", None, 2.5],
    "a long list": lambda: [1] * 200_000,
    "a list that throws": lambda: OddList([1]),
    "a mapping that throws": lambda: OddDict(x=1),
}

ARRAYS: dict[str, Callable[[], Any]] = {
    "an array": lambda: numpy.array([1.0, 2.0]),
    "a 0-d array": lambda: numpy.array(3),
    "an empty array": lambda: numpy.zeros((0, 3)),
    "an array of objects": lambda: numpy.array([PAYLOADS[0], None], dtype=object),
    "an array of text": lambda: numpy.array(["x", PAYLOADS[0]]),
    "an array with nan": lambda: numpy.array([numpy.nan, 1.0]),
    "a structured array": lambda: numpy.zeros(2, dtype=[("a", int)]),
    "a broadcast terabyte": lambda: numpy.broadcast_to(numpy.float64(0), (10**6, 10**6)),
    "a 5-d array": lambda: numpy.zeros((1, 2, 1, 2, 1)),
    "a tensor": lambda: torch.tensor([1.0, 2.0], dtype=torch.float64),
    "a 0-d tensor": lambda: torch.tensor(2.0),
    "an empty tensor": lambda: torch.zeros(0, dtype=torch.float64),
    "a tensor of nan": lambda: torch.full((1, 1), math.nan, dtype=torch.float64),
    "a tensor of inf": lambda: torch.full((2, 2), math.inf, dtype=torch.float64),
    "a complex tensor": lambda: torch.ones(1, 1, dtype=torch.complex128),
    "an integer tensor": lambda: torch.ones(1, 1, dtype=torch.int64),
    "a boolean tensor": lambda: torch.ones(1, 1, dtype=torch.bool),
    "a half tensor": lambda: torch.ones(1, 1, dtype=torch.float16),
    "a sparse tensor": lambda: torch.eye(2, dtype=torch.float64).to_sparse(),
    "a meta tensor": lambda: torch.ones(1, 1, dtype=torch.float64, device="meta"),
    "a tensor with a graph": lambda: torch.ones(1, 1, dtype=torch.float64, requires_grad=True) * 2,
    "a quantized tensor": lambda: torch.quantize_per_tensor(torch.ones(1, 1), 0.1, 0, torch.qint8),
    "a terabyte by strides": lambda: torch.zeros(1, dtype=torch.float64).expand(10**6, 10**6),
    "a parameter": lambda: torch.nn.Parameter(torch.ones(1)),
    "huge entries": lambda: torch.full((1, 1), 1e308, dtype=torch.float64),
    "tiny entries": lambda: torch.full((1, 1), 5e-324, dtype=torch.float64),
    "a lazy module": lambda: torch.nn.LazyLinear(2),
    "a module": lambda: torch.nn.Linear(2, 2),
    "a module without parameters": torch.nn.Tanh,
    "a module in training": lambda: torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout()),
}

_x, _y = sympy.symbols("x y")

EXPRESSIONS: dict[str, Callable[[], Any]] = {
    "zoo": lambda: sympy.zoo,
    "sympy nan": lambda: sympy.nan,
    "sympy oo": lambda: sympy.oo,
    "I": lambda: sympy.I,
    "I*x": lambda: sympy.I * _x,
    "sympy true": lambda: sympy.true,
    "a relation": lambda: _x < _y,
    "an integral": lambda: sympy.Integral(sympy.sin(_x) / _x, (_x, 0, _y)),
    "a sum": lambda: sympy.Sum(_x**_y, (_y, 0, sympy.oo)),
    "a derivative": lambda: sympy.Derivative(sympy.Function("f")(_x), _x),
    "an undefined function": lambda: sympy.Function("f")(_x),
    "a function class": lambda: sympy.exp,
    "a matrix symbol": lambda: sympy.MatrixSymbol("A", 2, 2),
    "an entry of a matrix symbol": lambda: sympy.MatrixSymbol("A", 2, 2)[0, 0],
    "a matrix": lambda: sympy.Matrix([[_x, 1], [2, _y]]),
    "an indexed symbol": lambda: sympy.Indexed("b", _x),
    "a piecewise": lambda: sympy.Piecewise((_x, _x > 0), (0, True)),
    "an absolute value": lambda: abs(_x),
    "a conjugate": lambda: sympy.conjugate(_x) * _x,
    "a delta": lambda: sympy.DiracDelta(_x),
    "a symbol": lambda: _x,
    "a dummy": lambda: sympy.Dummy("x") ** 2,
    "a wild symbol": lambda: sympy.Wild("x") ** 2,
    "a symbol that does not commute": lambda: sympy.Symbol("x", commutative=False) ** 2,
    "a positive symbol": lambda: sympy.Symbol("x", positive=True) ** 2,
    "a zero symbol": lambda: sympy.Symbol("x", zero=True),
    "an imaginary symbol": lambda: sympy.Symbol("x", imaginary=True) ** 2,
    "an integer symbol": lambda: sympy.Symbol("x", integer=True) ** 2,
    "an odd negative symbol": lambda: sympy.Symbol("x", odd=True, negative=True) ** 2,
    "two symbols of one name": lambda: sympy.Symbol("x") ** 2 + sympy.Symbol("x", real=True) ** 4,
    "a symbol named as code": lambda: sympy.Symbol(PAYLOADS[3]) ** 2,
    "a symbol with a surrogate": lambda: sympy.Symbol("\ud800") ** 2,
    "a symbol with a line break": lambda: sympy.Symbol("x\n\x1b[31m") ** 2,
    "a symbol with a long name": lambda: sympy.Symbol("x" * 30_000) ** 2,
    "a symbol without a name": lambda: sympy.Symbol("") ** 2,
    "a symbol that throws": lambda: OddSymbol("x") ** 2,
    "a power of powers": lambda: sympy.Pow(sympy.Pow(2, 10**9, evaluate=False), _x, evaluate=False),
    "a huge constant power": lambda: sympy.Pow(sympy.Integer(3), sympy.Integer(10**12), evaluate=False),
    "a huge degree": lambda: _x ** (10**12),
    "a high power of a sum": lambda: (_x + _y + 1) ** 3_000,
    "a wide product": lambda: sympy.Mul(*[1 + sympy.Symbol(f"x{i}") for i in range(40)]),
    "a deep composition": lambda: _nested(sympy.exp, 30),
    "a deep tower": lambda: _nested(lambda e: _x**e, 40),
    "a huge rational": lambda: sympy.Rational(10**4_000 + 1, 10**3_999 - 3) * _x**2,
    "a float coefficient": lambda: 0.1 * _x**2,
    "a float that is no number": lambda: sympy.Float("nan") * _x**2,
    "a root of a quintic": lambda: sympy.rootof(_x**5 - _x - 1, 0) * _y**2,
    "nested radicals": lambda: sympy.sqrt(2 + sympy.sqrt(3 + sympy.sqrt(5 + sympy.sqrt(7)))) * _x**2,
    "a disguised zero": lambda: (sympy.sqrt(2) + sympy.sqrt(3) - sympy.sqrt(5 + 2 * sympy.sqrt(6))) * _x**2,
    "an irrational power": lambda: _x**sympy.pi,
    "a negative power": lambda: _x**-2,
    "a fractional power": lambda: _x ** sympy.Rational(1, 3),
    "an essential singularity": lambda: sympy.exp(-1 / _x**2),
    "a polynomial": lambda: sympy.Poly(_x**2 + _y**4, _x, _y),
    "a polynomial over a finite field": lambda: sympy.Poly(_x**2, _x, modulus=5),
    "a lambda of sympy": lambda: sympy.Lambda(_x, _x**2),
    "a set of sympy": lambda: sympy.S.Reals,
    "an order term": lambda: _x**2 + sympy.O(_x**3),
    "a random symbol": lambda: _random_symbol(),
    "text in a sympy tree": lambda: sympy.Tuple(_x, sympy.core.symbol.Str("open")),
}


def _random_symbol() -> Any:
    from sympy.stats import Normal

    return Normal("x", 0, 1) ** 2


def _nested(function: Callable[[Any], Any], depth: int) -> Any:
    found: Any = _x
    for _ in range(depth):
        found = function(found)
    return found


OBJECTS: dict[str, Callable[[], Any]] = {
    "a spy": Spy,
    "a list with a spy": lambda: [Spy()],
    "a spy by name": lambda: {"x": Spy()},
    "an object that throws": Thrower,
    "a list with an object that throws": lambda: [Thrower()],
    "an unprintable object": Unprintable,
    "a list with an unprintable object": lambda: [Unprintable()],
    "an unprintable object by name": lambda: {"x": Unprintable()},
    "an object": object,
    "a type": lambda: int,
    "NotImplemented": lambda: NotImplemented,
    "an ellipsis": lambda: ...,
    "a module of Python": lambda: math,
    "a date": lambda: datetime.date(2020, 1, 1),
    "an exception": lambda: ValueError("x"),
    "an object with every attribute": AskedFor,
    "a path": lambda: Path("missing") / "x",
    "text that throws": lambda: OddText("x^2"),
    "unprintable text": lambda: UnprintableText("x^2"),
    "text that says it is empty": lambda: FalseText("x^2"),
    "a function": lambda: lambda *args, **kwargs: None,
    "a function that raises": lambda: _raises,
    "a function of nothing": lambda: lambda: None,
}

BAITS: dict[str, Callable[[], Any]] = {
    **{name: (lambda text=text: text) for name, text in TEXTS.items()},
    **NUMBERS,
    **CONTAINERS,
    **ARRAYS,
    **EXPRESSIONS,
    **OBJECTS,
}


def kin(value: object) -> list[str]:
    """Baits that are nearly what the value is: they get further than what is refused at once."""
    if isinstance(value, bool | int | float | Fraction):
        return list(NUMBERS)
    if isinstance(value, str):
        return list(TEXTS)
    if isinstance(value, sympy.Basic):
        return list(EXPRESSIONS)
    if isinstance(value, torch.Tensor | torch.nn.Module | numpy.ndarray):
        return list(ARRAYS)
    if isinstance(value, list | tuple | dict | set):
        return list(CONTAINERS)
    return list(OBJECTS)
