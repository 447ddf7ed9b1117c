"""Polynomials that stand for analytic expressions, checked by power series and products of polynomials.

Let F_i be the expressions and g_j the polynomials, in variables that are all 0 at the point. Let m be the ideal of
these variables, and T a monomial ideal that is *small*: T ⊂ m·J + m·T, which is shown for its generators one by one.
By Nakayama then T ⊂ m·J. All "mod T" below is read off the power series of the F_i.

*The same ideal.* J = ⟨g⟩, F_i ≡ Σ A_ij g_j and g_j ≡ Σ B_ji F_i mod T. So ⟨F⟩ ⊂ ⟨g⟩ ⊂ ⟨F⟩ + m⟨g⟩, and ⟨F⟩ = ⟨g⟩. Where
there is one F and one g, it is a unit times g, of the value A(0) at the point.

*A definite form.* J = ⟨g⟩², K ≡ Σ Q_ij g_i g_j mod T, and Q(0) is positive definite. So |K − gᵀQ(0)g| ≤ ε·Σg² near the
point, and K ≍ Σ g².

*Positive terms.* g = Σ a_i t_i with monomials t_i ≥ 0 on the domain and a_i > 0, J = ⟨t⟩, K ≡ Σ Q_i t_i mod T, and
Q_i(0) > 0. So K ≍ Σ t_i ≍ g.

The variables are the coordinates at the point, or functions φ(x) of one coordinate each that take its place: x times a
unit, a positive one where there is a boundary. There may be a stage between: the F_i as functions of arguments p_k
that are 0 at the point, which stand for polynomials in these, and these polynomials as functions of the coordinates,
which generate the ideal of the g_j. What holds near 0 of the arguments stays true when they are put in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.germs import Germ
from ddtheory.certify.limits import DEEPEST, spend, within
from ddtheory.certify.notation import variable_names
from ddtheory.certify.polynomials import (
    Exponent,
    Polynomial,
    add,
    at_zero,
    combination,
    constant,
    is_unit,
    multiply,
    scale,
    variable,
)
from ddtheory.certify.refusal import require
from ddtheory.certify.scalars import Number, Scalar, sign
from ddtheory.certify.series import FUNCTIONS, Arithmetic, Series, contains

SUM, PRODUCT, POWER = "+", "*", "^"
_PROOF = ("degree", "rest", "small", "forward")
_KINDS = {("generators", "generators"), ("divergence", "generators"), ("divergence", "divergence")}
_KINDS |= {("two-sided", "two-sided")}


def checked_reading(value: Any, kind: str, germ: Germ, at: Sequence[Number]) -> tuple[str, tuple[str, ...]]:
    """What was asked: the kind and the expressions, whose pair is that of the germ, moved to the origin from `at`.

    Raises:
        Refused: nothing proves it.
    """
    more = ("backward", "coordinates", "arguments", "polynomials", "outer")
    found = strict_json.entries(value, "the reading", ("kind", "expressions", *_PROOF), more)
    asked = strict_json.text(found["kind"], "the kind of the expressions")
    require((asked, kind) in _KINDS, f"no reading takes a {strict_json.quoted(asked)} for {kind}")
    require(germ.field is None, "a reading is over the rational numbers")
    expressions = strict_json.items(found["expressions"], "the expressions")
    require(asked == "generators" or len(expressions) == 1, "there is one function")
    bases, names = _coordinates(found.get("coordinates"), germ, at)
    arithmetic = Arithmetic(germ.dimension, _degree(found))
    values = [
        arithmetic.polynomial(add(variable(germ.dimension, i), constant(germ.dimension, bases[i])))
        for i in range(germ.dimension)
    ]
    if "outer" in found:
        arguments = strict_json.items(found.get("arguments"), "the arguments")
        polynomials = _outer(found, asked, kind, len(arguments))
        inner = [_series(p, values, arithmetic) for p in arguments]
        require(not any(arithmetic.value(p) for p in inner), "an argument is not 0 at the point")
        series = [_put_in(p, inner, arithmetic) for p in polynomials]
        given, names = kind, [f"({_text(p, names)[0]})" for p in arguments]
    else:
        require("arguments" not in found and "polynomials" not in found, "arguments without a proof in them")
        series, given = [_series(e, values, arithmetic) for e in expressions], asked
    _Proof(germ.generators, found, germ.nonnegative).check(given, kind, series, arithmetic)
    return asked, tuple(_text(e, names)[0] for e in expressions)


def _degree(found: Mapping[str, Any]) -> int:
    return strict_json.integer(found["degree"], "the degree of a reading", 1)


def _outer(found: Mapping[str, Any], asked: str, kind: str, count: int) -> list[Polynomial]:
    """The polynomials in the arguments that stand for the expressions."""
    outer = strict_json.entries(found["outer"], "the proof in the arguments", _PROOF, ("backward",))
    listed = strict_json.items(found.get("polynomials"), "the polynomials in the arguments")
    polynomials = [strict_json.polynomial(p, "a polynomial in the arguments", count, None) for p in listed]
    require(kind == "generators" or len(polynomials) == 1, "there is one polynomial in the arguments")
    arithmetic = Arithmetic(count, _degree(outer))
    values = [arithmetic.polynomial(variable(count, i)) for i in range(count)]
    series = [_series(e, values, arithmetic) for e in found["expressions"]]
    _Proof(polynomials, outer, (False,) * count).check(asked, kind, series, arithmetic)
    return polynomials


def _put_in(p: Polynomial, values: Sequence[Series], arithmetic: Arithmetic) -> Series:
    terms = []
    for exponent, c in p.items():
        term = arithmetic.constant(c)
        for value, e in zip(values, exponent, strict=True):
            term = arithmetic.times(term, arithmetic.power(value, Fraction(e)))
        terms.append(term)
    return arithmetic.plus(*terms)


def _coordinates(value: Any, germ: Germ, at: Sequence[Number]) -> tuple[list[Fraction], list[str]]:
    """The value of each coordinate at the point, and how it is written."""
    names = list(variable_names(germ))
    bases = list(map(_rational, at))
    if value is None:
        return bases, names
    for i, entry in enumerate(strict_json.items(value, "the coordinates", germ.dimension)):
        if entry is None:
            continue
        require(not bases[i], "a function takes the place of a coordinate that is not 0 at the point")
        arithmetic = Arithmetic(germ.dimension, 1)
        here = _series(entry, [arithmetic.polynomial(variable(germ.dimension, i))] * germ.dimension, arithmetic)
        terms = arithmetic.whole(here)
        require(not is_unit(terms) and all(map(any, here.rest)), "a new coordinate is not 0 at the point")
        slope = sign(terms.get(tuple(int(i == k) for k in range(germ.dimension)), 0))
        require(slope > 0 or (slope < 0 and not germ.nonnegative[i]), "a new coordinate does not grow with the old one")
        names[i] = f"({_text(entry, [names[i]] * germ.dimension)[0]})"
    return bases, names


class _Proof:
    """What a reading gives as data, with what it shows."""

    def __init__(self, polynomials: Sequence[Polynomial], found: Mapping[str, Any], one_sided: Sequence[bool]) -> None:
        self.dimension, self.polynomials, self.one_sided, self._found = len(one_sided), polynomials, one_sided, found
        listed = strict_json.items(found["rest"], "the rest")
        self.rest: list[Exponent] = [strict_json.exponent(e, "a monomial of the rest", self.dimension) for e in listed]
        require(bool(polynomials) and all(polynomials), "a polynomial is 0")

    def check(self, asked: str, kind: str, series: Sequence[Series], arithmetic: Arithmetic) -> None:
        terms = [arithmetic.whole(f) for f in series]
        for f in series:
            outside = next((e for e in f.rest if not contains(self.rest, e)), None)
            require(outside is None, f"the monomial {list(outside or ())} of a power series is not in the rest")
        if "backward" in self._found:
            require((asked, kind) != ("divergence", "generators"), "K is a form in the generators")
            self._same_ideal(terms, asked == "divergence")
        elif kind == "generators":
            require(asked == "divergence", "generators are read in both directions")
            self._definite_form(terms[0])
        else:
            require(kind == "divergence", "a function of any sign is read in both directions")
            self._positive_terms(terms[0])

    def _same_ideal(self, series: Sequence[Polynomial], positive: bool) -> None:
        self._small(self.polynomials)
        forward = self._rows("forward", len(series), len(self.polynomials))
        for f, row in zip(series, forward, strict=True):
            self._equal(f, combination(row, self.polynomials), "an expression is not the combination of polynomials")
        for g, row in zip(self.polynomials, self._rows("backward", len(self.polynomials), len(series)), strict=True):
            self._equal(g, combination(row, series), "a polynomial is not the combination of expressions")
        require(not positive or sign(at_zero(forward[0][0])) > 0, "the polynomial is no positive multiple of K")

    def _definite_form(self, series: Polynomial) -> None:
        count = len(self.polynomials)
        pairs = [(i, j) for i in range(count) for j in range(i + 1)]
        row = self._one_row(series, [multiply(self.polynomials[i], self.polynomials[j]) for i, j in pairs])
        form = [[Fraction(0)] * count for _ in range(count)]
        for (i, j), entry in zip(pairs, row, strict=True):
            value = _rational(at_zero(entry)) / 2
            form[i][j] += value
            form[j][i] += value
        require(_is_definite(form), "the form is not positive definite at the point")

    def _positive_terms(self, series: Polynomial) -> None:
        (g,) = self.polynomials
        for exponent, c in g.items():
            even = all(e % 2 == 0 or side for e, side in zip(exponent, self.one_sided, strict=True))
            require(even and sign(c) > 0, "a term of the polynomial may be negative")
        row = self._one_row(series, [{exponent: 1} for exponent in sorted(g)])
        require(all(sign(at_zero(entry)) > 0 for entry in row), "a term is not a positive part of K")

    def _one_row(self, series: Polynomial, generators: Sequence[Polynomial]) -> list[Polynomial]:
        self._small(generators)
        (row,) = self._rows("forward", 1, len(generators))
        self._equal(series, combination(row, generators), "K is not the combination of polynomials")
        return row

    def _rows(self, what: str, count: int, length: int) -> list[list[Polynomial]]:
        rows = strict_json.items(self._found.get(what), what, count)
        return [self._row(row, f"a row of {what}", length) for row in rows]

    def _row(self, row: Any, what: str, length: int) -> list[Polynomial]:
        return [strict_json.polynomial(p, what, self.dimension, None) for p in strict_json.items(row, what, length)]

    def _small(self, generators: Sequence[Polynomial]) -> None:
        """T ⊂ m·⟨generators⟩ + m·T."""
        rows = strict_json.items(self._found["small"], "small", len(self.rest))
        for monomial, row in zip(self.rest, rows, strict=True):
            factors = self._row(row, "a row of small", len(generators))
            require(not any(map(is_unit, factors)), "a factor of a monomial of the rest is a unit")
            left = add({monomial: 1}, scale(combination(factors, generators), -1))
            properly = all(any(_divides(t, e) and t != e for t in self.rest) for e in left)
            require(properly, f"the monomial {list(monomial)} of the rest is not shown to be small")

    def _equal(self, left: Polynomial, right: Polynomial, otherwise: str) -> None:
        require(all(contains(self.rest, e) for e in add(left, scale(right, -1))), otherwise)


def _rational(number: Number) -> Fraction:
    assert not isinstance(number, Scalar)  # a reading is over the rational numbers
    return Fraction(number)


def _divides(first: Exponent, second: Exponent) -> bool:
    spend()
    return all(a <= b for a, b in zip(first, second, strict=True))


def _is_definite(form: list[list[Fraction]]) -> bool:
    """Whether all pivots are positive."""
    rows = [list(row) for row in form]
    for k in range(len(rows)):
        if rows[k][k] <= 0:
            return False
        for i in range(k + 1, len(rows)):
            spend()
            factor = rows[i][k] / rows[k][k]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
    return True


def _series(expression: Any, values: Sequence[Series], arithmetic: Arithmetic, depth: int = 0) -> Series:
    """An expression: a number as text, a variable by its place, or [operation, …]."""
    spend()
    within(depth, DEEPEST, "functions within each other")
    if isinstance(expression, str):
        return arithmetic.constant(strict_json.rational(expression, "a number of an expression"))
    if not isinstance(expression, list | tuple):
        return values[strict_json.integer(expression, "a variable of an expression", 0, len(values))]
    name, parts = _operation(expression)
    inner = [_series(part, values, arithmetic, depth + 1) for part in parts]
    if name == SUM:
        return arithmetic.plus(*inner)
    if name == PRODUCT:
        found = arithmetic.constant(1)
        for part in inner:
            found = arithmetic.times(found, part)
        return found
    if name == POWER:
        return arithmetic.power(inner[0], strict_json.rational(expression[2], "an exponent"))
    return arithmetic.function(name, inner[0])


def _operation(expression: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    entries = strict_json.items(expression, "an expression")
    require(len(entries) > 1, "an operation of nothing")
    name = strict_json.text(entries[0], "an operation")
    if name in (SUM, PRODUCT):
        return name, entries[1:]
    require(name in (*FUNCTIONS, "log", POWER), f"there is no function named {strict_json.quoted(name)}")
    require(len(entries) == 2 + (name == POWER), f"{name} has another number of arguments")
    return name, entries[1:2]


def _text(expression: Any, names: Sequence[str]) -> tuple[str, int]:
    """An expression as `rlct` reads it, and how tightly it holds: 0 a sum, 1 a product, 2 a power, 3 a word."""
    if isinstance(expression, str):
        return expression, 0 if expression.startswith("-") else 1 if "/" in expression else 3
    if isinstance(expression, int):
        return names[expression], 3
    name, parts = _operation(expression)
    inner = [_text(part, names) for part in parts]

    def held(text: str, strength: int, least: int) -> str:
        return text if strength >= least else f"({text})"

    if name == SUM:
        return " + ".join(held(*part, 1) for part in inner), 0
    if name == PRODUCT:
        return "*".join(held(*part, 2) for part in inner), 1
    if name == POWER:
        exponent = expression[2]
        return f"{held(*inner[0], 3)}^{exponent if exponent.isdigit() else f'({exponent})'}", 2
    return f"{name}({inner[0][0]})", 3
