"""How exact numbers are written in digits."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from ddtheory.arguments import MOST_PRINTED


def all_digits(number: int) -> str:
    """Python itself prints no integer of more than 4300 digits, and sums of enclosures have more."""
    return str(number) if number.bit_length() < MOST_PRINTED else f"{Decimal(number):f}"


def in_full(value: Fraction) -> str:
    """A fraction as text, of any length.

    >>> in_full(Fraction(-2, 3)), len(in_full(Fraction(10**5000)))
    ('-2/3', 5001)
    """
    below = "" if value.denominator == 1 else f"/{all_digits(value.denominator)}"
    return f"{all_digits(value.numerator)}{below}"


def exponent(value: Fraction) -> int:
    """The e with 10^e ≤ value < 10^{e+1}, for value > 0."""
    guess = len(all_digits(value.numerator)) - len(all_digits(value.denominator))
    return guess if Fraction(10) ** guess <= value else guess - 1


def decimal_places(value: Fraction) -> int | None:
    """How many decimals write a fraction exactly, None when none do (or more than a screen is needed)."""
    for places in range(61):
        if (value * 10**places).denominator == 1:
            return places
    return None


def written(value: Fraction, places: int) -> str:
    """A fraction that has that many decimals, with all of them."""
    scaled = value * 10**places
    figures = all_digits(abs(scaled.numerator)).rjust(places + 1, "0")
    sign = "-" if scaled < 0 else ""
    return sign + (f"{figures[:-places]}.{figures[-places:]}" if places else figures)


def scientific(number: str, zeros: int) -> str:
    """A decimal with more leading zeros than that in scientific notation, with all its digits."""
    sign, figures = number[: number.startswith("-")], number.lstrip("-")
    stripped = figures.replace(".", "").lstrip("0")
    if not figures.startswith("0." + "0" * zeros) or not stripped:
        return number
    power = len(stripped) - len(figures.partition(".")[2]) - 1
    return f"{sign}{stripped[0]}.{stripped[1:] or '0'}e{power}"


def power_of_ten(number: str) -> str:
    """The same in LaTeX."""
    mantissa, _, power = number.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(power)}}}" if power else mantissa
