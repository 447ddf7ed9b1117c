"""First terms of functions with symbolic exponents, t^{2k} + t^{k+1} + …, for every k at once.

With s = t^k an independent variable, the function is analytic in (t, s) and its coefficient of s^b is an ordinary
analytic function of t, whose first term t^a gives the exponent a + b k. Once every b of one size is larger than a
known exponent, so are all later ones, so finitely many b decide. Exponents are compared for every admissible value of
the parameters.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import sympy
from sympy import Expr, Integer, Symbol

from ddtheory.errors import UndecidedError
from ddtheory.exact.numbers.zero import is_zero, sign
from ddtheory.exact.orders.divergence import analytic_at

_MAX_POWER = 12
_MAX_OPERATIONS = 2_000  # of a derivative that is differentiated again: repeated derivatives grow exponentially


class Leading(NamedTuple):
    """The first term coefficient·t^exponent of a function, exponent None when it vanishes identically."""

    exponent: Expr | None
    coefficient: Expr
    proof: str
    known_positive: bool = False  # a sum over ties, whose sign the assumptions do not show


def has_symbolic_exponents(function: Expr, variable: Symbol) -> bool:
    """Whether the variable is raised to a power that contains parameters."""
    return any(
        power.args[0].has(variable) and power.args[1].free_symbols - {variable} for power in function.atoms(sympy.Pow)
    )


def leading_with_symbols(function: Expr, variable: Symbol, leading_of: Callable[[Expr, Symbol], Leading]) -> Leading:
    """The first term of a function of t whose exponents contain parameters.

    Raises:
        UndecidedError: the exponents cannot be compared, or are not of the form a + b k with b ≥ 0.
    """
    function = sympy.expand(function, power_exp=False)  # t^{2k − 1} stays one power
    direct = _generalised_polynomial(function, variable)
    if direct is not None:
        return _smallest(direct, "K is a sum of powers of t on the ray")
    separated, powers = _separate(function, variable)
    if not analytic_at(separated, dict.fromkeys([variable, *(symbol for symbol, _ in powers)], Integer(0))):
        # y⁴ / (y² + y^{2k}) has no series in y and s = y^k; the terms that s gives one by one say nothing at k = 1
        raise UndecidedError(
            f"{function} divides by zero or has a branch point where {variable} and its powers vanish."
        )
    terms: dict[Expr, Expr] = {}
    for total in range(_MAX_POWER + 1):
        undecided = [
            degrees
            for degrees in _degrees(len(powers), total)
            if not any(_dominates(known, degrees, powers) for known in terms)
        ]
        if not undecided:
            # every vector of larger total degree lies above one of these
            return _smallest(terms, "K is analytic in t and its symbolic powers, and its first terms are compared")
        for degrees in undecided:
            coefficient = _taylor_coefficient(separated, [symbol for symbol, _ in powers], degrees)
            leading = leading_of(coefficient, variable)
            if leading.exponent is not None:
                shift = sympy.Add(*[degree * exponent for (_, exponent), degree in zip(powers, degrees, strict=True)])
                _collect(terms, leading.exponent + shift, leading.coefficient)
    raise UndecidedError(f"No term of {function} was found that dominates all later ones in {variable}.")


def _taylor_coefficient(function: Expr, symbols: Sequence[Symbol], degrees: Sequence[int]) -> Expr:
    """The coefficient of ∏ symbols^degrees, a function of the other variables."""
    for symbol, degree in zip(symbols, degrees, strict=True):
        for _ in range(degree):
            if sympy.count_ops(function) > _MAX_OPERATIONS:
                raise UndecidedError(
                    f"A derivative in the symbolic powers has more than {_MAX_OPERATIONS} operations, and the next "
                    "ones grow exponentially. Give the parameters values, or replace the functions by their Taylor "
                    "polynomials and say so."
                )
            function = sympy.diff(function, symbol)
        function = function.subs(symbol, 0) / sympy.factorial(degree)
    return function


def at_least(exponent: Expr, bound: Expr) -> bool:
    """Whether exponent ≥ bound for every admissible value of the parameters, proven by the signs of coefficients.

    >>> k = Symbol("k", integer=True, positive=True)
    >>> at_least(2 * k, Integer(2)), at_least(2 * k, Integer(3))
    (True, False)
    """
    return bool(_gap(exponent, bound).is_nonnegative)


def exceeds(exponent: Expr, bound: Expr) -> bool:
    """Whether exponent > bound for every admissible value of the parameters."""
    return bool(_gap(exponent, bound).is_positive)


def _gap(exponent: Expr, bound: Expr) -> Expr:
    difference = sympy.expand(exponent - bound)
    # a positive integer is 1 + something ≥ 0; then non-negative coefficients are a proof
    shifted = {
        symbol: 1 + sympy.Dummy(symbol.name, integer=True, nonnegative=True)
        for symbol in difference.free_symbols
        if symbol.is_integer and symbol.is_positive
    }
    return sympy.expand(difference.subs(shifted))


def _generalised_polynomial(function: Expr, variable: Symbol) -> dict[Expr, Expr] | None:
    """Exponent → coefficient of a finite sum of powers of t, or None when it is no such sum."""
    terms: dict[Expr, Expr] = {}
    for term in sympy.Add.make_args(function):
        coefficient, dependent = term.as_independent(variable, as_Add=False)
        exponent: Expr = Integer(0)
        for factor in sympy.Mul.make_args(sympy.powsimp(dependent)):
            base, power = factor.as_base_exp()
            if base == variable and not power.has(variable):
                exponent += power
            elif factor != 1:
                return None
        _collect(terms, exponent, coefficient)
    return terms


def _collect(terms: dict[Expr, Expr], exponent: Expr, coefficient: Expr) -> None:
    exponent = sympy.expand(exponent)
    terms[exponent] = sympy.expand(terms.get(exponent, Integer(0)) + coefficient)
    if is_zero(terms[exponent]):
        del terms[exponent]


def _separate(function: Expr, variable: Symbol) -> tuple[Expr, list[tuple[Symbol, Expr]]]:
    """Replace t^{a + b k} by t^a s^b, with one s for each monomial k in the parameters.

    Where a < 0 the whole power is one s, so that nothing is divided by t.
    """
    symbols: dict[Expr, Symbol] = {}

    def split(base: Expr, exponent: Expr) -> Expr:
        exponent = sympy.expand(exponent)
        if exponent.as_coeff_Add()[0].is_negative and exceeds(exponent, Integer(0)):
            return symbols.setdefault(exponent, sympy.Dummy(f"s_{exponent}"))  # t^{2k − 1}, and not s²/t
        parts: list[Expr] = []
        for term in sympy.Add.make_args(exponent):
            number, monomial = term.as_coeff_Mul()
            if not monomial.free_symbols:
                number, monomial = term, Integer(1)
            if monomial != 1 and (not isinstance(number, Integer) or number < 0 or not monomial.is_positive):
                raise UndecidedError(
                    f"The exponent {exponent} is not of the form a + b·k with a whole b ≥ 0 and k > 0. "
                    "Declare the parameter a positive integer, as in symbols('k', integer=True, positive=True) "
                    "or --parameter k:positive-integer."
                )
            parts.append(
                base**number if monomial == 1 else symbols.setdefault(monomial, sympy.Dummy(f"s_{monomial}")) ** number
            )
        return sympy.Mul(*parts)

    def is_symbolic(expression: Expr) -> bool:
        return bool(expression.is_Pow and expression.args[0].has(variable) and expression.args[1].free_symbols)

    def replace(expression: Expr) -> Expr:
        base, exponent = expression.args
        if base != variable:
            raise UndecidedError(
                f"Only powers of the coordinate itself may have symbolic exponents, not ({base})^({exponent})."
            )
        return split(base, exponent)

    return function.replace(is_symbolic, replace), [(symbol, monomial) for monomial, symbol in symbols.items()]


def _degrees(count: int, total: int) -> list[tuple[int, ...]]:
    """Exponent vectors of the symbolic powers of one total degree."""
    return [
        tuple(chosen.count(index) for index in range(count))
        for chosen in itertools.combinations_with_replacement(range(count), total)
    ]


def _dominates(known: Expr, degrees: tuple[int, ...], powers: list[tuple[Symbol, Expr]]) -> bool:
    """Whether a known exponent is < every exponent a + Σ degrees·k with a ≥ 0; a tie would add to its coefficient."""
    least = sympy.Add(*[degree * exponent for (_, exponent), degree in zip(powers, degrees, strict=True)])
    return exceeds(least, known)


def _smallest(terms: dict[Expr, Expr], proof: str) -> Leading:
    if not terms:
        return Leading(None, Integer(0), "all terms cancel")
    least = [exponent for exponent in terms if not any(exceeds(exponent, other) for other in terms)]
    if len(least) == 1:
        return Leading(least[0], terms[least[0]], proof)
    # exponents that may tie, or that cross as the parameters vary: with positive coefficients nothing cancels
    if all(sign(terms[exponent]) > 0 for exponent in least):
        weak = [exponent for exponent in least if all(at_least(other, exponent) for other in least)]
        minimum = weak[0] if weak else sympy.Min(*least)
        coefficient = sympy.Add(
            *[sympy.Piecewise((terms[exponent], sympy.Eq(exponent, minimum)), (0, True)) for exponent in least]
        )
        return Leading(minimum, coefficient, proof, known_positive=True)
    shown = ", ".join(str(exponent) for exponent in least)
    raise UndecidedError(
        f"Which of the exponents {shown} is smallest depends on the parameters, and their coefficients may cancel. "
        "Declare more about the parameters or give them values."
    )
