"""An expression as a function of a few arguments, which are functions of the coordinates that vanish at the point.

−½ log(1 + 2xy) − ½ log(1 − 2xy) is a function of the one argument p = xy. An equation between ideals in the arguments,
and a comparison K ≍ K′ near 0 of their space, stay true when the arguments are put back: they are continuous, and 0 at
the point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sympy
from sympy import Expr, Integer, Poly, Pow, Symbol

from ddtheory.exact.numbers.zero import is_zero

_LARGEST_POLYNOMIAL = 200  # terms that are written in new arguments


@dataclass(frozen=True)
class Composition:
    """f = outer(inner), with every argument 0 at the point.

    Attributes:
        outer: the expressions in the symbols of the arguments.
        symbols: one for each argument.
        inner: the arguments in the coordinates.
    """

    outer: tuple[Expr, ...]
    symbols: tuple[Symbol, ...]
    inner: tuple[Expr, ...]

    @property
    def is_plain(self) -> bool:
        """Whether the arguments are the coordinates."""
        return self.symbols == self.inner

    def written(self, polynomial: Expr) -> Expr | None:
        """A polynomial in the coordinates as one in the arguments; None where division does not find it."""
        known = dict(zip(self.inner, self.symbols, strict=True))
        if not all(map(_is_polynomial, self.inner)):
            return None
        found = _written(polynomial, {sympy.expand(p): u for p, u in known.items()})
        inside = found.free_symbols <= {*self.symbols}
        return found if inside and sympy.expand(self.back(found) - polynomial) == 0 else None

    def back(self, expression: Expr) -> Expr:
        """An expression in the arguments, in the coordinates."""
        return expression.xreplace(dict(zip(self.symbols, self.inner, strict=True)))


def compositions(expressions: Sequence[Expr]) -> Iterator[Composition]:
    """Ways to see the expressions as functions of arguments; the last one has the coordinates themselves.

    Functions are cut at the first arguments that are no sums of functions, or at the outermost, or at polynomials.

    >>> x, y, z = sympy.symbols("x y z", real=True)
    >>> next(compositions([sympy.log(sympy.cosh(x * y)) + z**2])).inner
    (x*y, z)
    """
    seen: set[frozenset[Expr]] = set()
    for ends in (_is_no_sum_of_functions, _is_anything, _is_polynomial):
        first = _Cut(ends, {})
        for expression in expressions:
            first.draft(expression)
        cut = _Cut(ends, first.in_terms_of_each_other(), first.forms)
        outer = tuple(cut.finished(cut.draft(expression)) for expression in expressions)
        used = sorted(set().union(*[entry.free_symbols for entry in outer]), key=lambda symbol: symbol.name)
        found = Composition(outer, tuple(used), tuple(cut.meaning.get(symbol, symbol) for symbol in used))
        if frozenset(found.inner) not in seen and not found.is_plain:
            seen.add(frozenset(found.inner))
            yield found
    symbols = sorted(set().union(*[expression.free_symbols for expression in expressions]), key=lambda s: s.name)
    yield Composition(tuple(expressions), tuple(symbols), tuple(symbols))


def _is_polynomial(expression: Expr) -> bool:
    return bool(expression.is_polynomial(*expression.free_symbols))


def _is_no_sum_of_functions(expression: Expr) -> bool:
    """Whether an argument is a polynomial, or has other terms than constants times functions."""
    terms = [term.as_coeff_Mul()[1] for term in sympy.Add.make_args(expression) if term.free_symbols]
    return _is_polynomial(expression) or not all(isinstance(t, sympy.Function | sympy.exp) for t in terms)


def _is_anything(expression: Expr) -> bool:
    return True


@dataclass
class _Cut:
    """Replaces arguments by symbols; polynomials beside them wait until all arguments are known.

    Attributes:
        ends: which arguments are cut.
        known: arguments, and what they are in symbols.
        forms: the arguments as they were written.
        meaning: the symbols that stand for arguments, and what they stand for.
    """

    ends: Callable[[Expr], bool]
    known: dict[Expr, Expr]
    forms: dict[Expr, Expr] = field(default_factory=dict)
    meaning: dict[Symbol, Expr] = field(default_factory=dict)
    polynomials: dict[Symbol, Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for shape, u in self.known.items():
            if isinstance(u, Symbol):
                self.meaning[u] = self.forms.get(shape, shape)

    def draft(self, expression: Expr) -> Expr:
        if not expression.free_symbols:
            return expression
        if _is_polynomial(expression) and not _has_power_of_sum(expression):
            held = sympy.Dummy(real=True)
            self.polynomials[held] = expression
            return held
        if isinstance(expression, sympy.Add):
            found, left = self._known_sums(expression.args)
            plain = [term for term in left if _is_polynomial(term) and not _has_power_of_sum(term)]
            others = [term for term in left if term not in plain]
            return sympy.Add(self.draft(sympy.Add(*plain)), found, *[self.draft(term) for term in others])
        if isinstance(expression, sympy.Mul):
            ratio, shape = _normalised(expression)
            if shape in self.known:
                return ratio * self.known[shape]
            return sympy.Mul(*[self.draft(factor) for factor in expression.args])
        if isinstance(expression, Pow):
            base, power = expression.args
            if power.free_symbols:
                return sympy.exp(self._argument(power * sympy.log(base)))
            whole = power.is_Integer and power > 0 and self.ends is not _is_polynomial
            return self._argument(base, whole=whole) ** power
        if isinstance(expression, sympy.Function | sympy.exp):
            return expression.func(*expression.args[:-1], self._argument(expression.args[-1]))
        return expression.func(*[self.draft(part) for part in expression.args])

    def _known_sums(self, terms: Sequence[Expr]) -> tuple[Expr, list[Expr]]:
        """Multiples of arguments as they were written, and the terms that are left."""
        found: Expr = Integer(0)
        left = sympy.Add(*terms).as_coefficients_dict()
        for shape, symbol in self.known.items():
            mine = self.forms.get(shape, shape).as_coefficients_dict()
            # a polynomial in it may be taken away from one that is larger; functions must be there as they are
            marks = [term for term in mine if not _is_polynomial(term)] or list(mine)
            ratio = left[marks[0]] / mine[marks[0]]
            if ratio and all(left[term] == ratio * mine[term] for term in marks):
                found += ratio * symbol
                for term, c in mine.items():
                    left[term] -= ratio * c
        return found, [c * term for term, c in left.items() if c]

    def _argument(self, inner: Expr, *, whole: bool = False) -> Expr:
        """c + r·u for an argument: its value at the point, and a multiple of a new or a known symbol."""
        if not inner.free_symbols:
            return inner
        if not whole and not self.ends(inner):
            return self.draft(inner)
        value = inner.subs(dict.fromkeys(inner.free_symbols, Integer(0)))
        ratio, shape = _normalised(inner - value)
        if shape not in self.known:
            self.known[shape] = shape if isinstance(shape, Symbol) else sympy.Dummy(f"[{shape}]"[:60], real=True)
            self.forms[shape] = (inner - value) / ratio  # a sum of squares stays one
            self.meaning[self.known[shape]] = self.forms[shape]
        return value + ratio * self.known[shape]

    def in_terms_of_each_other(self) -> dict[Expr, Expr]:
        """The arguments, those that are polynomials in smaller ones without a symbol of their own."""
        found: dict[Expr, Expr] = {}
        for shape, own in sorted(self.known.items(), key=lambda pair: (_size(pair[0]), str(pair[0]))):
            written = _written(shape, found) if _is_polynomial(shape) else own
            found[shape] = written if written.free_symbols <= {*found.values()} else own
        return found

    def finished(self, draft: Expr) -> Expr:
        return draft.xreplace({held: _written(entry, self.known) for held, entry in self.polynomials.items()})


def _size(shape: Expr) -> int:
    return int(Poly(shape, *shape.free_symbols).total_degree()) if _is_polynomial(shape) else 0


def _written(polynomial: Expr, known: Mapping[Expr, Expr]) -> Expr:
    """A polynomial in the coordinates, written in the arguments as far as division goes."""
    bases = [p for p, u in known.items() if u != p and isinstance(u, Symbol) and _is_polynomial(p)]
    coordinates = sorted(set().union(polynomial.free_symbols, *[p.free_symbols for p in bases]), key=str)
    if not bases or polynomial.is_number or len(Poly(polynomial, *coordinates).terms()) > _LARGEST_POLYNOMIAL:
        return polynomial
    quotients, rest = sympy.reduced(sympy.expand(polynomial), bases, *coordinates, order="grlex")
    return sympy.Add(rest, *[known[p] * _written(q, known) for p, q in zip(bases, quotients, strict=True) if q != 0])


def _has_power_of_sum(expression: Expr) -> bool:
    """Whether a polynomial has a power of a sum, which is an argument of its own."""
    return any(isinstance(power.args[0], sympy.Add) for power in expression.atoms(Pow))


def _normalised(difference: Expr) -> tuple[Expr, Expr]:
    """(r, p) with difference = r·p, the same p for multiples of one polynomial or of one sum."""
    if _is_polynomial(difference):
        polynomial = Poly(difference, *sorted(difference.free_symbols, key=str))
        leading = polynomial.LC()
        if not leading.free_symbols and not is_zero(leading):
            return leading, sympy.expand(polynomial.as_expr() / leading)
    terms = difference.as_coefficients_dict()
    ratio = terms[min(terms, key=str)]
    return ratio, sympy.Add(*[c / ratio * term for term, c in terms.items()])
