"""Power series cut off: a polynomial, and a monomial ideal in which everything else lies.

f = p + r with r ∈ ⟨x^t : t ∈ rest⟩. Sums and products of such pairs are such pairs, and so is φ(u) for an analytic φ:
the last terms of Horner's rule, which nobody computes, are some power series, so they lie in ⟨1⟩, and each turn
multiplies by u. What is divisible by a monomial stays so: sin(xy)·z is xyz + r with r ∈ ⟨x³y³z⟩, in any degree.

log c of a whole number is Σ log p over its prime factors; these logarithms are variables of degree 0, which may have
any value.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ddtheory.certify.limits import MOST_DEGREE, spend, within
from ddtheory.certify.polynomials import Exponent, Polynomial, add, multiply
from ddtheory.certify.refusal import require
from ddtheory.certify.scalars import Number, Scalar

HIGHEST = 60  # of the degrees up to which terms are computed
_MOST_REST = 2_000  # monomials
_MOST_LOGARITHMS = 4
_LARGEST_FACTORED = 1_000_000


@dataclass(frozen=True)
class Series:
    """p + r with r in the ideal of the monomials `rest`; exponents of p have a place for each logarithm, too."""

    terms: Polynomial
    rest: tuple[Exponent, ...] = ()


class Arithmetic:
    """Of series in some variables, up to a total degree; what is above it goes to the rest."""

    def __init__(self, variables: int, degree: int) -> None:
        within(degree, HIGHEST, "for the degree of a power series")
        self.variables, self.degree = variables, degree
        self._logarithms: dict[int, int] = {}  # a prime, and its place behind the variables

    def constant(self, number: Number) -> Series:
        return Series({(0,) * self._places: number} if number else {})

    def polynomial(self, p: Polynomial) -> Series:
        return self._cut({(*exponent, *(0,) * _MOST_LOGARITHMS): c for exponent, c in p.items()}, ())

    def plus(self, *summands: Series) -> Series:
        return self._cut(add(*(f.terms for f in summands)), [t for f in summands for t in f.rest])

    def times(self, f: Series, g: Series) -> Series:
        rest = [*_products(self._support(f), g.rest), *_products(f.rest, self._support(g)), *_products(f.rest, g.rest)]
        return self._cut(multiply(f.terms, g.terms), rest)

    def power(self, f: Series, exponent: Fraction) -> Series:
        """f^r; where f vanishes at 0, a whole number r ≥ 0 only."""
        if exponent.denominator > 1 or exponent < 0:
            return self._composed(f, lambda c, n: _binomial(c, exponent, n))
        count = exponent.numerator
        within(count, MOST_DEGREE, "for the degree of a power")
        found, square = self.constant(1), f
        while count:
            spend()
            if count & 1:
                found = self.times(found, square)
            count >>= 1
            square = self.times(square, square) if count else square
        return found

    def function(self, name: str, f: Series) -> Series:
        """φ(f) for the logarithm, or one of `FUNCTIONS` by its name."""
        if name == "log":
            return self.plus(self._logarithm(self.value(f)), self._composed(f, _after_log))
        require(self.value(f) == 0, f"the argument of {name} is not 0 at the point")
        return self._composed(f, lambda _, n: FUNCTIONS[name](n))

    def whole(self, f: Series) -> Polynomial:
        """The terms in the variables, which no logarithm may be left in."""
        require(not any(any(e[self.variables :]) for e in f.terms), "the logarithm of a number is left in a series")
        return {e[: self.variables]: c for e, c in f.terms.items()}

    @property
    def _places(self) -> int:
        return self.variables + _MOST_LOGARITHMS

    def value(self, f: Series) -> Fraction:
        """f(0), where it is a rational number."""
        require(all(map(any, f.rest)), "the value of a series at the point is not known")
        at_zero = {e: c for e, c in f.terms.items() if not any(e[: self.variables])}
        require(not any(map(any, at_zero)), "the value of a series at the point is no rational number")
        value = next(iter(at_zero.values()), 0)
        assert not isinstance(value, Scalar)  # a reading is over the rational numbers
        return Fraction(value)

    def _composed(self, f: Series, taylor: Callable[[Fraction, int], Sequence[Fraction]]) -> Series:
        """Σ a_k (f − f(0))^k for the coefficients a_k of φ at f(0), as many as the degree asks for."""
        value = self.value(f)
        u = self.plus(f, self.constant(-value))
        lowest = min((sum(e[: self.variables]) for e in [*u.terms, *u.rest]), default=self.degree + 1)
        total = Series({}, ((0,) * self.variables,))
        for coefficient in reversed(taylor(value, self.degree // lowest + 1)):
            total = self.plus(self.times(total, u), self.constant(coefficient))
        return total

    def _logarithm(self, value: Fraction) -> Series:
        require(value > 0, "the logarithm of a number that is not positive")
        found: list[Series] = []
        for number, sign in ((value.numerator, 1), (value.denominator, -1)):
            within(number, _LARGEST_FACTORED, "for a number whose logarithm is taken")
            for prime in _primes(number):
                place = self._logarithms.setdefault(prime, len(self._logarithms))
                within(len(self._logarithms), _MOST_LOGARITHMS, "primes whose logarithms are taken")
                found.append(Series({tuple(int(i == self.variables + place) for i in range(self._places)): sign}))
        return self.plus(*found)

    def _support(self, f: Series) -> Sequence[Exponent]:
        return smallest(e[: self.variables] for e in f.terms)

    def _cut(self, terms: Polynomial, rest: Iterable[Exponent]) -> Series:
        high = [e[: self.variables] for e in terms if sum(e[: self.variables]) > self.degree]
        found = smallest([*rest, *high])
        kept = {e: c for e, c in terms.items() if not contains(found, e[: self.variables])}
        return Series(kept, found)


def contains(ideal: Sequence[Exponent], exponent: Exponent) -> bool:
    """Whether a monomial of the ideal divides this one."""
    spend()
    return any(all(map(operator.le, t, exponent)) for t in ideal)


def smallest(exponents: Iterable[Exponent]) -> tuple[Exponent, ...]:
    """Those that no other divides."""
    found: list[Exponent] = []
    for exponent in sorted(set(exponents), key=lambda e: (sum(e), e)):
        if not contains(found, exponent):
            found.append(exponent)
            within(len(found), _MOST_REST, "monomials of the rest of a power series")
    return tuple(found)


def _products(first: Sequence[Exponent], second: Sequence[Exponent]) -> list[Exponent]:
    found = []
    for a in first:
        spend()
        found += [tuple(map(operator.add, a, b)) for b in second]
    return found


def _primes(number: int) -> list[int]:
    found, divisor = [], 2
    while divisor * divisor <= number:
        spend()
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return [*found, number] if number > 1 else found


def _after_log(value: Fraction, count: int) -> list[Fraction]:
    """log(c + u) − log c = Σ_{k ≥ 1} (−1)^{k+1} (u/c)^k/k."""
    return [Fraction(0), *(Fraction((-1) ** (k + 1), k) / value**k for k in range(1, count))]


def _binomial(value: Fraction, exponent: Fraction, count: int) -> list[Fraction]:
    """(c + u)^r = c^r Σ binom(r, k) (u/c)^k."""
    require(value != 0, "a power with a pole or a branch point at the point")
    require(value > 0 or exponent.denominator == 1, "a root of a negative number")
    coefficient, found = _rational_power(value, exponent), []
    for k in range(count):
        found.append(coefficient)
        coefficient = coefficient * (exponent - k) / (k + 1) / value
    return found


def _rational_power(value: Fraction, exponent: Fraction) -> Fraction:
    within(abs(exponent.numerator) + exponent.denominator, 1_000, "for the exponent of a root")
    if exponent.denominator == 1:
        return value**exponent.numerator
    parts = [_root(number, exponent.denominator) for number in (value.numerator, value.denominator)]
    return Fraction(*parts) ** exponent.numerator


def _root(number: int, degree: int) -> int:
    """The whole number whose power it is."""
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high:
        spend()
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= number else (low, middle - 1)
    require(low**degree == number, "a root that is no rational number")
    return low


def _odd(term: Callable[[int], Fraction]) -> Callable[[int], list[Fraction]]:
    """Coefficients of a function of odd powers, from that of the power 2j + 1."""
    return lambda count: [term(k // 2) if k % 2 else Fraction(0) for k in range(count)]


def _even(term: Callable[[int], Fraction]) -> Callable[[int], list[Fraction]]:
    return lambda count: [Fraction(0) if k % 2 else term(k // 2) for k in range(count)]


def _tangent(sign: int) -> Callable[[int], list[Fraction]]:
    """t′ = 1 ± t²."""

    def coefficients(count: int) -> list[Fraction]:
        found = [Fraction(0)]
        for k in range(count - 1):
            square = sum((found[i] * found[k - i] for i in range(k + 1)), start=Fraction(0))
            found.append((int(k == 0) + sign * square) / (k + 1))
        return found[:count]

    return coefficients


def _arc_sine(j: int) -> Fraction:
    return Fraction(math.comb(2 * j, j), 4**j * (2 * j + 1))


FUNCTIONS: dict[str, Callable[[int], Sequence[Fraction]]] = {
    "exp": lambda count: [Fraction(1, math.factorial(k)) for k in range(count)],
    "sin": _odd(lambda j: Fraction((-1) ** j, math.factorial(2 * j + 1))),
    "cos": _even(lambda j: Fraction((-1) ** j, math.factorial(2 * j))),
    "sinh": _odd(lambda j: Fraction(1, math.factorial(2 * j + 1))),
    "cosh": _even(lambda j: Fraction(1, math.factorial(2 * j))),
    "tan": _tangent(1),
    "tanh": _tangent(-1),
    "asin": _odd(_arc_sine),
    "asinh": _odd(lambda j: (-1) ** j * _arc_sine(j)),
    "atan": _odd(lambda j: Fraction((-1) ** j, 2 * j + 1)),
    "atanh": _odd(lambda j: Fraction(1, 2 * j + 1)),
}
"""The coefficients of a function at 0, as many as asked for; log and powers are expanded at other points as well."""
