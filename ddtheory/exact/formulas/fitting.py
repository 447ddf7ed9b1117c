"""Quasi-polynomials through exact small cases: a proposal, tested on cases that it has not seen, never a theorem."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, prod
from typing import Any

import sympy
from flint import fmpq, fmpq_mat
from sympy import Expr, Symbol

from ddtheory.arguments import as_integer, exact_fraction, in_order, pairs_of
from ddtheory.errors import InvalidValueError, UndecidedError, shown
from ddtheory.exact.numbers.given import whole_number
from ddtheory.exact.numbers.names import LONGEST_NAME
from ddtheory.shown import Shown
from ddtheory.values import RLCT

Case = tuple[int, ...]
Residues = tuple[int, ...]

_MOST_COEFFICIENTS = 2_000


@dataclass(frozen=True, repr=False)
class Conjecture(Shown):
    """A formula that agrees with all cases given. It is a conjecture: other formulas do so too.

    Attributes:
        symbols: the sizes, in the order of the cases.
        expression: the formula, by residues of the sizes where the modulus is above 1.
        degree, modulus: of the quasi-polynomial: total degree, and the period in every size.
        found_on: the cases that determine the coefficients, with at least one to spare for every residue.
        tested_on: the cases that had no part in them, and which it has right.
        untested: residues of which no case was left to test.
    """

    symbols: tuple[Symbol, ...]
    expression: Expr
    degree: int
    modulus: int
    found_on: tuple[Case, ...]
    tested_on: tuple[Case, ...]
    untested: tuple[Residues, ...]

    @property
    def status(self) -> str:
        """Always "conjecture"."""
        return "conjecture"

    def at(self, *sizes: int) -> Fraction:
        """The value that the formula proposes.

        Raises:
            InvalidValueError: another number of sizes, no whole numbers, or residues of which there was no case.
        """
        case = _case(sizes if len(sizes) != 1 else sizes[0], len(self.symbols))
        value = self.expression.subs(dict(zip(self.symbols, case, strict=True)))
        if not value.is_Rational:
            raise InvalidValueError(f"{case} has residues modulo {self.modulus} of which no case was given.")
        return Fraction(int(value.p), int(value.q))

    def __str__(self) -> str:
        left = f"; residues {list(self.untested)} untested" if self.untested else ""
        return (
            f"conjecture: {self.expression}, found on {len(self.found_on)} cases and right on {len(self.tested_on)} "
            f"others{left}"
        )

    def latex(self) -> str:
        return rf"\text{{conjecture: }} {sympy.latex(self.expression)}"

    def rows(self) -> Mapping[str, str]:
        return {
            "status": self.status,
            "formula": str(self.expression),
            "degree": str(self.degree),
            "modulus": str(self.modulus),
            "found on": ", ".join(map(str, self.found_on)),
            "right on": ", ".join(map(str, self.tested_on)),
            "untested residues": ", ".join(map(str, self.untested)) or "none",
        }


def _plain(name: Any) -> Any:
    return str.__str__(name) if isinstance(name, str) else name


def fit(
    cases: Mapping[Any, Any], *, names: str | Sequence[str] = "n", most_degree: int = 4, most_modulus: int = 4
) -> Conjecture:
    """The simplest quasi-polynomial through exact cases, as a conjecture.

    On every class of sizes modulo q it is a polynomial of total degree ≤ d with rational coefficients. The largest
    quarter of the cases, two at least, is kept back: the others must determine every coefficient with one case to
    spare in each class, and the formula must have those kept back right. Tried are all d and q, those with the fewest
    coefficients first.

    Args:
        cases: sizes → value; one whole number, or a tuple of them; the value is exact, or an RLCT, whose λ counts.
        names: of the sizes, "M H N" or a list.
        most_degree, most_modulus: the largest d and q.

    Raises:
        InvalidValueError: no cases, sizes that are no whole numbers or of different lengths, a value that is not exact.
        UndecidedError: no quasi-polynomial of that degree and modulus does it, or too few cases tell one.

    >>> found = fit({n: n // 2 for n in range(12)})
    >>> found.modulus, found.degree, found.at(100), found.at(101), found.status
    (2, 1, Fraction(50, 1), Fraction(50, 1), 'conjecture')
    """
    given = pairs_of(cases, "cases")
    if not given:
        raise InvalidValueError("cases is empty; give a mapping from sizes to values, with two at least.")
    named = str.__str__(names).split() if isinstance(names, str) else [*map(_plain, in_order(names, "names"))]
    if not named or not all(
        isinstance(name, str) and name.isidentifier() and len(name) <= LONGEST_NAME for name in named
    ):
        raise InvalidValueError(f"names is {shown(names)}; give names of the sizes, as in 'M H N'.")
    if len(set(named)) < len(named):
        raise InvalidValueError(f"names is {shown(names)}; two sizes have one name.")
    most_degree = whole_number(most_degree, "most_degree")
    most_modulus = whole_number(most_modulus, "most_modulus")
    table = {_case(sizes, len(named)): _value(value, sizes) for sizes, value in given}
    ordered = sorted(table, key=lambda case: (sum(case), case))
    kept = max(2, len(ordered) // 4)
    seen, unseen = ordered[:-kept], ordered[-kept:]
    symbols = tuple(Symbol(name, integer=True) for name in named)
    for degree, modulus in _simplest_first(len(named), most_degree, most_modulus):
        found = _through(seen, table, degree, modulus)
        if found is None or not all(_predicts(found, case, table[case], degree, modulus) for case in unseen):
            continue
        tested = {_residues(case, modulus) for case in unseen}
        return Conjecture(
            symbols,
            _expression(found, symbols, degree, modulus),
            degree,
            modulus,
            tuple(seen),
            tuple(unseen),
            tuple(sorted(set(found) - tested)),
        )
    raise UndecidedError(
        f"No quasi-polynomial of degree ≤ {most_degree} and modulus ≤ {most_modulus} agrees with all {len(table)} "
        "cases and is determined by three quarters of them. Give more cases, or allow a larger degree or modulus; a "
        "formula with cases, such as a minimum, has to be fitted case by case."
    )


def _case(sizes: Any, count: int) -> Case:
    listed = sizes if isinstance(sizes, tuple) else (sizes,)
    whole = [as_integer(size) for size in listed]
    if len(whole) != count or None in whole:
        raise InvalidValueError(f"The sizes {shown(sizes)} are no {count} whole numbers, one for each name.")
    return tuple(size for size in whole if size is not None)


def _value(value: Any, sizes: Any) -> Fraction:
    return value.lam if isinstance(value, RLCT) else exact_fraction(value, f"the value at {shown(sizes)}")


def _simplest_first(count: int, most_degree: int, most_modulus: int) -> Iterator[tuple[int, int]]:
    def coefficients(choice: tuple[int, int]) -> int:
        degree, modulus = choice
        return comb(count + degree, count) * modulus**count

    def few(choice: tuple[int, int]) -> bool:
        return coefficients(choice) <= _MOST_COEFFICIENTS

    choices = [
        (degree, modulus)
        for degree, _ in itertools.takewhile(few, ((degree, 1) for degree in range(most_degree + 1)))
        for _, modulus in itertools.takewhile(few, ((0, modulus) for modulus in range(1, max(most_modulus, 1) + 1)))
    ]
    yield from sorted(filter(few, choices), key=coefficients)


def _monomials(count: int, degree: int) -> list[Case]:
    """Powers of the sizes, of total degree ≤ degree; there are (count + degree choose count)."""
    factors = itertools.chain.from_iterable(
        itertools.combinations_with_replacement(range(count), total) for total in range(degree + 1)
    )
    return [tuple(map(chosen.count, range(count))) for chosen in factors]


def _residues(case: Case, modulus: int) -> Residues:
    return tuple(size % modulus for size in case)


def _row(case: Case, degree: int) -> list[int]:
    return [
        prod(size**power for size, power in zip(case, powers, strict=True)) for powers in _monomials(len(case), degree)
    ]


def _through(
    seen: Sequence[Case], table: Mapping[Case, Fraction], degree: int, modulus: int
) -> dict[Residues, list[Fraction]] | None:
    """The coefficients for every class of the cases; None unless each class determines them with a case to spare."""
    classes: dict[Residues, list[Case]] = {}
    for case in seen:
        classes.setdefault(_residues(case, modulus), []).append(case)
    found = {}
    for residues, members in classes.items():
        rows = [_row(case, degree) for case in members]
        unknowns = len(rows[0])
        if len(rows) <= unknowns:
            return None
        values = [table[case] for case in members]
        matrix = fmpq_mat(
            len(rows),
            unknowns + 1,
            [
                entry
                for row, value in zip(rows, values, strict=True)
                for entry in (*map(fmpq, row), fmpq(value.numerator, value.denominator))
            ],
        )
        reduced, rank = matrix.rref()
        if rank != unknowns or any(reduced[i, i] != 1 for i in range(unknowns)):
            return None  # contradictory, or not determined
        solved = [reduced[i, unknowns] for i in range(unknowns)]
        found[residues] = [Fraction(int(value.p), int(value.q)) for value in solved]
    return found


def _predicts(
    found: Mapping[Residues, Sequence[Fraction]], case: Case, value: Fraction, degree: int, modulus: int
) -> bool:
    coefficients = found.get(_residues(case, modulus))
    return coefficients is not None and value == sum(
        coefficient * entry for coefficient, entry in zip(coefficients, _row(case, degree), strict=True)
    )


def _expression(
    found: Mapping[Residues, Sequence[Fraction]], symbols: Sequence[Symbol], degree: int, modulus: int
) -> Expr:
    monomials = [
        sympy.Mul(*(symbol**power for symbol, power in zip(symbols, powers, strict=True)))
        for powers in _monomials(len(symbols), degree)
    ]
    pieces = []
    for residues, coefficients in sorted(found.items()):
        polynomial = sympy.Add(
            *(
                sympy.Rational(value.numerator, value.denominator) * monomial
                for value, monomial in zip(coefficients, monomials, strict=True)
            )
        )
        if modulus == 1:
            return polynomial
        here = sympy.And(*(sympy.Eq(symbol % modulus, rest) for symbol, rest in zip(symbols, residues, strict=True)))
        pieces.append((polynomial, here))
    return sympy.Piecewise(*pieces)
