"""Between the balls of python-flint and the values of this package, without touching any global precision."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb, ctx, fmpq

from ddtheory.arguments import as_fraction, as_integer
from ddtheory.errors import InvalidValueError, UndecidedError, shown
from ddtheory.exact.numbers.given import whole_number
from ddtheory.values import Enclosure

MAX_DIGITS = 2000
_LONGEST = 4000  # digits of a number that is given: what Python still writes as text
_ROUNDS = 6
_LESS = "Ask for fewer digits, a smaller box or a smaller nβ, or allow more seconds."
_EXPONENT = re.compile(r"[eE]([+-]?\d+)\s*\Z")


def rational(value: Any, what: str) -> Fraction:
    """An exact rational from an int, a Fraction, a rational of sympy or text such as "1/2" or "0.25".

    Raises:
        InvalidValueError: the value is a float, or no rational number.

    >>> from sympy import Rational
    >>> rational("1/4", "the inverse temperature β"), rational(Rational(2, 3), "λ")
    (Fraction(1, 4), Fraction(2, 3))
    """
    if isinstance(value, bool):
        raise InvalidValueError(f"{_capital(what)} = {value!r} is a truth value, not a number.")
    if isinstance(value, float):
        number = float.__float__(value)
        if not math.isfinite(number):
            raise InvalidValueError(f"{_capital(what)} is {number}; it must be finite.")
        raise InvalidValueError(
            f"{_capital(what)} = {number!r} is a float, which is rounded, and an enclosure starts from exact numbers. "
            f'Give a Fraction or text: "{number!r}" means exactly what it says.'
        )
    if (exact := as_fraction(value)) is not None:
        if max(abs(exact.numerator), exact.denominator).bit_length() > 10 * _LONGEST // 3:
            raise _too_long(what)
        return exact
    if isinstance(value, str):
        return _read(str.__str__(value), what)
    raise InvalidValueError(f"{_capital(what)} is of type {type(value).__name__}, not a rational number.")


def _read(text: str, what: str) -> Fraction:
    """Text as a rational; a power of ten that nobody can mean is refused before it is multiplied out."""
    power = _EXPONENT.search(text)
    if len(text) > _LONGEST or (power and len(power[1].lstrip("+-0")) > len(str(_LONGEST))):
        raise _too_long(what)
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise InvalidValueError(f"{_capital(what)} = {shown(text)} is not a rational number.") from None


def _too_long(what: str) -> InvalidValueError:
    return InvalidValueError(f"{_capital(what)} is a number of more than {_LONGEST} digits.")


def check_digits(digits: int, cost: str = "") -> int:
    """The number of significant digits asked for, when that can be meant.

    Raises:
        InvalidValueError: not a positive integer, or more than `MAX_DIGITS`.
    """
    number = whole_number(digits, "digits", advice="30 is the default.")
    if number > MAX_DIGITS:
        raise InvalidValueError(f"digits = {shown(number)} is more than {MAX_DIGITS}. {cost}".rstrip())
    return number


def limit_of(seconds: object) -> float:
    """A limit of time in seconds.

    Raises:
        InvalidValueError: no positive number.
    """
    limit = float.__float__(seconds) if isinstance(seconds, float) else as_integer(seconds)
    if limit is None or not 0 < limit < 10**9:
        raise InvalidValueError(f"seconds = {shown(seconds)} is no positive number of seconds.")
    return float(limit)


def deadline(seconds: float, advice: str = _LESS) -> Callable[[], None]:
    """A function to call again and again: it raises UndecidedError once so many seconds have passed since now.

    Raises:
        InvalidValueError: the limit is no positive number.
    """
    limit, start = limit_of(seconds), time.monotonic()

    def go_on() -> None:
        if time.monotonic() - start > limit:
            raise UndecidedError(f"The limit of {limit:g} s was reached. {advice}")

    return go_on


def bits(digits: int) -> int:
    """Bits that hold so many decimal digits, with a few to spare."""
    return math.ceil(digits * math.log2(10)) + 2


def ball(value: Fraction | int) -> arb:
    """The ball of a rational at the working precision."""
    exact = Fraction(value)
    return arb(fmpq(exact.numerator, exact.denominator))


def exact(value: arb) -> Fraction:
    """The rational that an exact ball (radius zero) is."""
    mantissa, exponent = value.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def enclosure(value: arb, digits: int) -> Enclosure:
    """The enclosure of a ball, its midpoint rounded to a little more than `digits` digits; the rounding is enclosed."""
    if not value.is_finite():
        raise UndecidedError("The computation lost all its digits; nothing is known of the result.")
    if value.is_exact() and value.is_zero():
        return Enclosure(0)
    midpoint, radius, exponent = value.mid_rad_10exp(digits + 2)
    scale = Fraction(10) ** int(exponent)
    return Enclosure(int(midpoint) * scale, int(radius) * scale)


def to_digits(compute: Callable[[int], arb], digits: int, guard: int = 8) -> Enclosure:
    """`compute(p)` encloses a number with an error of about 2^{−p}; asks for more until `digits` digits are proven.

    `compute` runs at whatever working precision it sets itself. A value that is exactly zero is accepted as such.

    Raises:
        UndecidedError: the digits do not come, which happens when the value is zero but not known to be.
    """
    wanted = bits(digits)
    precision = wanted + guard
    for _ in range(_ROUNDS):
        value = compute(precision)
        if value.is_finite() and (value.is_zero() or value.rel_accuracy_bits() >= wanted - 2):
            found = enclosure(value, digits)
            if found.digits is None or found.digits >= digits:
                return found
        gained = value.rel_accuracy_bits() if value.is_finite() else 0
        precision += max(2 * (wanted - max(gained, 0)), 32)
    raise UndecidedError(
        f"{digits} digits could not be proven: the value is zero to {precision} bits. Ask for fewer digits."
    )


def working(precision: int) -> Any:
    """A context with this working precision in bits, which leaves the global precision as it was."""
    return ctx.workprec(precision)


def _capital(text: str) -> str:
    return text if text.startswith("nβ") else text[:1].upper() + text[1:]
