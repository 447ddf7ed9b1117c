"""Learning coefficients: (λ, m) of a divergence or of an ideal at a point, exactly and over the reals, with a proof."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Pow, Rational, Symbol

from ddtheory.errors import InvalidValueError, NotADivergenceError, NotAnalyticError, UndecidedError
from ddtheory.exact.derivation import Bound, CertificateError, Node
from ddtheory.exact.germ import Germ, Names, Number, exact_number
from ddtheory.exact.ideal import IdealGerm, shown
from ddtheory.exact.local_ring import constant_term, ring_of, substitute
from ddtheory.exact.nonnegative import refuse_negative
from ddtheory.exact.order import leading_term
from ddtheory.exact.parse import parse_expression
from ddtheory.exact.rules.registry import citation_of
from ddtheory.exact.solver import Solver
from ddtheory.exact.wire import bound_to_json, polynomial_to_json, rationals_to_json
from ddtheory.exact.zero import sign
from ddtheory.values import RLCT

Polynomial = Any  # an element of a sympy ring

_LARGEST = 5_000  # terms in all generators
_VANISHING = (sympy.sin, sympy.tan, sympy.sinh, sympy.tanh, sympy.asin, sympy.atan, sympy.asinh, sympy.atanh, sympy.erf)
_ENTIRE = (sympy.exp, sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.tanh, sympy.atan, sympy.asinh, sympy.erf)


@dataclass(frozen=True)
class Derivation:
    """How (λ, m) of K was derived, or bounds on it.

    Attributes:
        kind: "divergence" when K itself was given, "generators" when K ≍ Σ f².
        given: the polynomials as given, before the point was moved to the origin.
        at: the point.
        root: the tree of rules, for the ideal: κ = λ for a divergence, κ = 2λ for generators.
        read_as: which expressions were replaced by polynomials, up to units; empty when none was.
    """

    kind: str
    given: IdealGerm
    at: tuple[Fraction, ...]
    root: Node
    read_as: str = ""

    @property
    def _scale(self) -> Fraction:
        return Fraction(1) if self.kind == "divergence" else Fraction(1, 2)

    @property
    def lower(self) -> Bound:
        """A proven lower bound on (λ, m) in the order of dominance."""
        return self.root.lower.scaled(self._scale)

    @property
    def upper(self) -> Bound:
        """A proven upper bound on (λ, m) in the order of dominance."""
        return self.root.upper.scaled(self._scale)

    @property
    def status(self) -> str:
        """Whether the bounds meet: `exact`, or else `bounds`."""
        return "exact" if self.root.is_exact else "bounds"

    @property
    def rlct(self) -> RLCT | None:
        """(λ, m) when it is exact, else None."""
        if not self.root.is_exact or not isinstance(self.lower.value, Fraction):
            return None
        return RLCT(self.lower.value, self.lower.m or 1)

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules used, from the root down, without repetition."""
        return tuple(dict.fromkeys(node.rule for node in _walk(self.root)))

    @property
    def hypotheses(self) -> tuple[str, ...]:
        """What was assumed and not proven."""
        if self.kind == "generators":
            return ()
        return ("K >= 0 near the point",)

    def explain(self) -> str:
        """The derivation for a reader: the rules in order, with their formulas and sources."""
        lines = [self._headline(), *([self.read_as] if self.read_as else []), ""]
        for number, (depth, node) in enumerate(_numbered(self.root), 1):
            indent = "   " * depth
            lines.append(f"{indent}{number}. {node.germ}")
            lines.append(f"{indent}   {node.says}  [{citation_of(node.rule)}]")
            lines.append(f"{indent}   ⇒ {_interval(node.lower, node.upper, 'κ')}")
        if self.kind == "generators":
            lines += ["", f"K ≍ Σ f², so λ = κ/2: {_interval(self.lower, self.upper, 'λ')}."]
        for hypothesis in self.hypotheses:
            lines += ["", f"Assumed: {hypothesis}."]
        return "\n".join(lines)

    def _headline(self) -> str:
        name = "K" if self.kind == "divergence" else "K ≍ Σ f²"
        return f"{name} for {self.root.germ}: {_interval(self.lower, self.upper, 'λ')}"

    def to_json(self) -> dict[str, Any]:
        """The certificate: all that a checker needs to verify every step without this package's algebra.

        Raises:
            CertificateError: a step, though exact, needs cofactors that are too large to write down.
        """
        return {
            "format": "ddtheory-derivation/1",
            "input": {
                "kind": self.kind,
                "germ": germ_to_json(self.given),
                "at": rationals_to_json(self.at),
            },
            "hypotheses": list(self.hypotheses),
            "derivation": _node_to_json(self.root),
            "lambda": str(self.lower.value) if self.rlct else None,
            "multiplicity": self.lower.m if self.rlct else None,
            "status": self.status,
            "lower": bound_to_json(self.lower),
            "upper": bound_to_json(self.upper),
        }

    def summary(self) -> dict[str, Any]:
        """The answer as plain data: lambda, multiplicity, status, lower, upper, rules, checked."""
        return {
            "lambda": str(self.lower.value) if self.rlct else None,
            "multiplicity": self.lower.m if self.rlct else None,
            "status": self.status,
            "lower": bound_to_json(self.lower),
            "upper": bound_to_json(self.upper),
            "rules": list(self.rules),
            "checked": self.checked,
        }

    @property
    def checked(self) -> bool:
        """Whether the independent checker accepts the certificate."""
        from ddtheory.certify import check

        try:
            return bool(check(json.dumps(self.to_json())).accepted)
        except CertificateError:
            return False

    def __str__(self) -> str:
        return self._headline()

    def _repr_latex_(self) -> str:
        if self.rlct is not None:
            return self.rlct._repr_latex_()
        return rf"${_latex(self.lower)} \le \lambda \le {_latex(self.upper)}$"


def rlct(
    divergence: Expr | str | int | None = None,
    *,
    generators: Iterable[Expr | str] | None = None,
    prior: Mapping[Any, Number] | None = None,
    at: Names | None = None,
    nonnegative: Iterable[Symbol | str] = (),
    seconds: float = 20,
    depth: int = 60,
    most_terms: int = _LARGEST,
    progress: Callable[[IdealGerm], None] | None = None,
) -> Derivation:
    r"""The real log canonical threshold (λ, m) of K at a point, as a derivation; proven bounds when it does not close.

    λ is the smallest pole of z ↦ ∫ K^{−z} φ near the point and m its order, so that
    ∫ e^{−nK} φ ≍ n^{−λ} (log n)^{m−1}: a free energy of λ log n − (m − 1) log log n nats. Always over the reals, always
    local. Constant factors of K do not matter.

    Args:
        divergence: K ≥ 0 with K = 0 at the point: a polynomial with rational coefficients, an expression or a string. A
            sum of squares is read as such.
        generators: instead of K, the generators f_i of its ideal, K ≍ Σ f_i². Better than Σ f_i² when they are known.
        prior: exponents h > −1 of the prior ∏|x − x_0|^h, by variable; 0 for those not named.
        at: the point; 0 for the coordinates not named.
        nonnegative: variables on whose positive side only the domain lies.
        seconds, depth: limits of the search. Reaching one gives bounds.
        most_terms: refuse polynomials with more terms than this.
        progress: called with every germ that the search comes to.

    Source: Watanabe 2009; Lin 2011, chapter 4; the rules carry theirs in `explain()`.

    Raises:
        InvalidValueError: K ≡ 0, coefficients that are not rational, a prior exponent ≤ −1, a name that does not occur,
            too many terms.
        NotADivergenceError: K does not vanish at the point, or is negative near it; the message gives a direction.
        NotAnalyticError: an expression that is no polynomial and cannot be reduced to one.

    >>> from sympy.abc import x, y
    >>> rlct(x**2 * y**4).rlct
    RLCT(lam=Fraction(1, 4), m=1)
    >>> rlct(generators=[x * y, x**3], prior={x: 1}).rlct                    # weights (1/3, 2/3): (2/3 + 2/3)/2
    RLCT(lam=Fraction(2, 3), m=1)
    >>> rlct((x - y) ** 2).rlct, rlct(generators=["x + y^2", "z"]).rlct
    (RLCT(lam=Fraction(1, 2), m=1), RLCT(lam=Fraction(1, 1), m=1))
    """
    if (divergence is None) == (generators is None):
        raise InvalidValueError("Give either K or generators=[…], not both and not neither.")
    if not isinstance(seconds, int | float) or not 0 < seconds < math.inf or not isinstance(depth, int) or depth < 1:
        raise InvalidValueError(f"The limits must be positive; got seconds={seconds!r}, depth={depth!r}.")
    if divergence is not None:
        expressions, kind = [_plain(divergence)], "divergence"
        squares = _squares(expressions[0])
        if squares and not expressions[0].is_polynomial():
            # the squares are of functions that are polynomials up to units only, so K ≍ Σ f² is what can be used
            expressions, kind = [root for _, root in squares], "generators"
    else:
        if isinstance(generators, (str, Expr)):
            raise InvalidValueError(f"generators is {generators}; give a list, as in generators=[{generators}].")
        expressions, kind = [_plain(entry) for entry in generators or ()], "generators"
        if not expressions:
            raise InvalidValueError("generators is empty; K ≡ 0 has no learning coefficient.")
    asked = sorted({symbol.name for expression in expressions for symbol in expression.free_symbols})
    asked_for = list(expressions)
    expressions = _with_functions_as_coordinates(expressions, {str(name) for name in at or {}})
    names = sorted({symbol.name for expression in expressions for symbol in expression.free_symbols})
    if not names:
        raise InvalidValueError(f"{expressions[0]} contains no variable, so there is no singularity to analyse.")
    sides = [name for name in _named(nonnegative, [*names, *asked], "nonnegative") if name in names]
    weights = {name: _exponent(name, value) for name, value in _by_name(prior or {}, names, "prior").items()}
    point = {name: _rational(value, f"at[{name}]") for name, value in _by_name(at or {}, names, "at").items()}
    place = tuple(point.get(name, Fraction(0)) for name in names)
    for name in [*sides, *weights]:
        if point.get(name):
            raise InvalidValueError(
                f"The prior weight or the boundary of {name} is at {name} = 0; the point is at {name} = {point[name]}. "
                "Shift the variable, so that the point is the origin, or drop the weight: away from 0 it is a constant."
            )
    ring = ring_of(names)
    shape = (tuple(weights.get(name, Fraction(0)) for name in names), tuple(name in sides for name in names))
    given = [_polynomial(expression, ring, point, most_terms) for expression in expressions]
    moved = [
        substitute(
            f,
            [
                g + ring.ground_new(ring.domain(p.numerator, p.denominator))
                for g, p in zip(ring.gens, place, strict=True)
            ],
            ring,
        )
        for f in given
    ]
    if sum(len(f) for f in moved) > most_terms:
        raise InvalidValueError(
            f"The expressions have {sum(len(f) for f in moved)} terms, more than most_terms = {most_terms}. Raise the "
            "limit if you can wait, or give generators instead of an expanded K."
        )
    _refuse_trivial(moved, kind, names, place)
    whole = IdealGerm(ring, tuple(moved), *shape, kind == "divergence")
    if kind == "divergence":
        _refuse_negative(whole)
    solver = Solver(seconds, depth, progress)
    squares = _squares(expressions[0]) if kind == "divergence" else None
    root = _from_squares(whole, squares, ring, point, solver, most_terms) if squares else None
    if root is None or not root.is_exact:
        other = solver.solve(whole)
        root = other if root is None or other.is_exact else _stronger(root, other)
    read_as = "" if all(entry.is_polynomial() for entry in asked_for) else _reading(asked_for, given)
    return Derivation(kind, IdealGerm(ring, tuple(given), *shape, kind == "divergence"), place, root, read_as)


def _reading(asked_for: Sequence[Expr], given: Sequence[Polynomial]) -> str:
    return f"{', '.join(map(str, asked_for))} read up to units as {', '.join(shown(f) for f in given)}."


def _stronger(first: Node, second: Node) -> Node:
    if second.lower.value > first.lower.value or second.upper.value < first.upper.value:
        return second
    return first


def _from_squares(
    whole: IdealGerm,
    squares: Sequence[tuple[Fraction, Expr]],
    ring: Any,
    point: Mapping[str, Fraction],
    solver: Solver,
    most_terms: int,
) -> Node | None:
    """K = Σ c_i f_i² with c_i > 0 has the ideal of the f_i, and half their κ."""
    shift = [
        generator + ring.ground_new(ring.domain(p.numerator, p.denominator))
        for generator, p in zip(ring.gens, (point.get(name, Fraction(0)) for name in whole.names), strict=True)
    ]
    roots = [substitute(_polynomial(root, ring, point, most_terms), shift, ring) for _, root in squares]
    total = ring.zero
    for (coefficient, _), root in zip(squares, roots, strict=True):
        total = total + root**2 * ring.domain(coefficient.numerator, coefficient.denominator)
    if total != whole.generators[0]:
        return None  # a function was replaced by a polynomial up to a unit inside a square
    child = solver.solve(IdealGerm(ring, tuple(roots), whole.prior, whole.nonnegative))
    half = Fraction(1, 2)
    return Node(
        "squares",
        whole,
        child.lower.scaled(half),
        child.upper.scaled(half),
        f"A sum of squares: K ≍ Σ f² with f = {', '.join(shown(root) for root in roots)}, so κ(K) = κ/2.",
        (child,),
        lambda: {"coefficients": [str(coefficient) for coefficient, _ in squares]},
    )


def _with_functions_as_coordinates(expressions: Sequence[Expr], moved: set[str]) -> list[Expr]:
    """A variable that occurs only inside one odd function, as in tanh(y), is replaced: y ↦ tanh(y) is a coordinate.

    It is y times a positive unit, so a prior weight or a boundary at y = 0 stays what it is.
    """
    found = list(expressions)
    for function in {atom for expression in found for atom in expression.atoms(*_VANISHING)}:
        (inner,) = function.args
        if not isinstance(inner, Symbol) or inner.name in moved:
            continue
        replaced = [expression.xreplace({function: sympy.Dummy(inner.name)}) for expression in found]
        if not any(inner in expression.free_symbols for expression in replaced):
            found = [expression.xreplace({function: inner}) for expression in found]
    return found


def _squares(expression: Expr) -> list[tuple[Fraction, Expr]] | None:
    """K read as Σ c_i f_i² with c_i > 0, term by term as it was written."""
    found: list[tuple[Fraction, Expr]] = []
    for term in sympy.Add.make_args(expression):
        coefficient, rest = term.as_coeff_Mul()
        if not isinstance(coefficient, Rational) or coefficient <= 0:
            return None
        root: Expr = sympy.Integer(1)
        for factor in sympy.Mul.make_args(rest):
            base, power = factor.as_base_exp()
            if not power.is_Integer or power <= 0 or power % 2:
                return None
            root = root * base ** (power / 2)
        found.append((Fraction(int(coefficient.p), int(coefficient.q)), root))
    return found


def _plain(expression: Expr | str | int) -> Expr:
    parsed = parse_expression(expression) if isinstance(expression, str) else sympy.sympify(expression)
    if not isinstance(parsed, Expr):
        raise InvalidValueError(f"{expression!r} is not an expression.")
    names = [symbol.name for symbol in parsed.free_symbols]
    for name in names:
        if names.count(name) > 1:
            raise InvalidValueError(f"The expression contains two symbols named {name} with different assumptions.")
    floats = {number: Rational(str(number)) for number in parsed.atoms(sympy.Float)}
    plain = {symbol: Symbol(symbol.name, real=True) for symbol in parsed.free_symbols}
    return parsed.xreplace({**floats, **plain})


def _polynomial(expression: Expr, ring: Any, point: Mapping[str, Fraction], most_terms: int) -> Polynomial:
    symbols = [Symbol(str(name), real=True) for name in ring.symbols]
    reduced = _up_to_units(expression, point)
    if not reduced.is_polynomial(*symbols):
        culprit = next((f for f in reduced.atoms(sympy.Function)), reduced)
        raise NotAnalyticError(
            f"{culprit} is no polynomial. What can be reduced: polynomials with rational coefficients, and products "
            "and powers of these with sin, tan, tanh, sinh, atan, erf, log(1 + p), exp(p) − 1 of p vanishing there: "
            "each is p times a unit. Otherwise give a Taylor polynomial, and say so."
        )
    size = _expanded_size(reduced)
    if size > 200 * most_terms:
        raise InvalidValueError(
            f"Expanding the expression could take {size} terms; the limit is most_terms = {most_terms}. Give the "
            "generators of its ideal instead."
        )
    named = reduced.xreplace({symbol: Symbol(symbol.name) for symbol in symbols})
    try:
        return ring.from_expr(named)
    except (ValueError, sympy.polys.polyerrors.CoercionFailed):
        raise InvalidValueError(
            f"{expression} has a coefficient that is not rational. Constant factors of a generator do not matter; "
            "rescale the variables, or replace the coefficient by a rational number and say so."
        ) from None


def _expanded_size(expression: Expr) -> int:
    """A bound on the number of terms after expansion."""
    if isinstance(expression, sympy.Add):
        return sum(_expanded_size(term) for term in expression.args)
    if isinstance(expression, sympy.Mul):
        return math.prod(_expanded_size(factor) for factor in expression.args)
    if isinstance(expression, Pow) and expression.args[1].is_Integer:
        inside, power = _expanded_size(expression.args[0]), int(expression.args[1])
        variables = len(expression.free_symbols)
        return (
            min(math.comb(inside + power - 1, power), math.comb(variables + power * 12, variables)) if power > 0 else 1
        )
    return 1


def _up_to_units(expression: Expr, point: Mapping[str, Fraction]) -> Expr:
    """The factors that are a polynomial times a unit at the point, replaced by that polynomial."""
    if isinstance(expression, sympy.Mul):
        return sympy.Mul(*[_up_to_units(factor, point) for factor in expression.args])
    if isinstance(expression, Pow) and expression.args[1].is_Integer and expression.args[1] > 0:
        return _up_to_units(expression.args[0], point) ** expression.args[1]
    place = {Symbol(name, real=True): Rational(v.numerator, v.denominator) for name, v in point.items()}

    def vanishes(inner: Expr) -> bool:
        value = inner.subs({symbol: place.get(symbol, 0) for symbol in inner.free_symbols})
        return bool(value == 0) and is_analytic(inner)

    def is_analytic(inner: Expr) -> bool:
        """Sums, products and powers, entire functions of such, and the others where they are p times a unit."""
        if inner.is_number or isinstance(inner, Symbol):
            return True
        if isinstance(inner, Pow) and not (inner.args[1].is_Integer and inner.args[1] > 0):
            return False
        if isinstance(inner, _VANISHING) and not isinstance(inner, _ENTIRE) and not vanishes(inner.args[0]):
            return False
        if isinstance(inner, sympy.log) and not vanishes(inner.args[0] - 1):
            return False
        known = (sympy.Add, sympy.Mul, Pow, sympy.log, *_VANISHING, *_ENTIRE)
        return isinstance(inner, known) and all(map(is_analytic, inner.args))

    if isinstance(expression, _VANISHING) and vanishes(expression.args[0]):
        return _up_to_units(expression.args[0], point)
    if isinstance(expression, sympy.log) and vanishes(expression.args[0] - 1):
        return _up_to_units(sympy.expand(expression.args[0] - 1), point)
    if isinstance(expression, sympy.exp) and is_analytic(expression.args[0]):
        return sympy.Integer(1)
    if isinstance(expression, sympy.cos) and vanishes(expression.args[0]):
        return sympy.Integer(1)
    if isinstance(expression, sympy.Add) and len(expression.free_symbols) == 1 and not expression.is_polynomial():
        (symbol,) = expression.free_symbols
        return _leading_power(expression, symbol, place.get(symbol, sympy.Integer(0)))
    if isinstance(expression, sympy.Add) and len(expression.args) == 2:
        for first, second in itertools.permutations(expression.args):
            for side in (1, -1):
                if second == -side and isinstance(side * first, sympy.exp) and vanishes((side * first).args[0]):
                    return side * _up_to_units((side * first).args[0], point)
                if second == side and isinstance(-side * first, sympy.cos) and vanishes((-side * first).args[0]):
                    return side * _up_to_units((-side * first).args[0], point) ** 2
    return expression


def _leading_power(expression: Expr, symbol: Symbol, at: Expr) -> Expr:
    """A function of one variable is (x − x_0)^k times a unit, when it has the same order on both sides."""
    time = Symbol("t", positive=True)
    try:
        right, left = (leading_term(expression.subs(symbol, at + side * time), time) for side in (1, -1))
        if right.exponent is None or right.exponent != left.exponent:
            return expression
        return sign(right.coefficient) * (symbol - at) ** right.exponent  # the sign of K matters
    except (NotAnalyticError, UndecidedError):
        return expression


def _refuse_trivial(moved: Sequence[Polynomial], kind: str, names: Sequence[str], place: Sequence[Fraction]) -> None:
    if not any(moved):
        raise InvalidValueError("K ≡ 0: the zero set is the whole space, and there is no learning coefficient.")
    values = [constant_term(f) for f in moved]
    if any(values):
        where = ", ".join(f"{name} = {value}" for name, value in zip(names, place, strict=True))
        what = "K" if kind == "divergence" else "A generator"
        raise NotADivergenceError(
            f"{what} is {next(v for v in values if v)} at {where}, not 0. The true parameter is a zero of K; check the "
            "point (at=…) or subtract the value there."
        )


def _refuse_negative(germ: IdealGerm) -> None:
    """One-sided variables are replaced by squares, so that only the domain is searched."""
    symbols = [Symbol(name, real=True) for name in germ.names]
    images = [s**2 if one else s for s, one in zip(symbols, germ.nonnegative, strict=True)]
    expression = sympy.Add(
        *[
            Rational(int(c.numerator), int(c.denominator))
            * sympy.Mul(*[image**power for image, power in zip(images, monomial, strict=True)])
            for monomial, c in germ.generators[0].items()
        ]
    )
    if len(germ.generators[0]) <= 400:
        refuse_negative(Germ(expression, tuple(symbols), frozenset()))


def _by_name(values: Mapping[Any, Number], names: Sequence[str], what: str) -> dict[str, Number]:
    if not isinstance(values, Mapping):
        raise InvalidValueError(f"{what} is {values!r}; give numbers by name, as in {what}={{'x': 1}}.")
    found = {str(key): value for key, value in values.items()}
    for name in found:
        if name not in names:
            raise InvalidValueError(f"{what} names {name}, which does not occur. The variables: {', '.join(names)}.")
    return found


def _named(values: Iterable[Symbol | str], names: Sequence[str], what: str) -> list[str]:
    if isinstance(values, str):
        values = [values]
    found = [str(value) for value in values]
    for name in found:
        if name not in names:
            raise InvalidValueError(
                f"{what} names {name}, which does not occur. The variables: {', '.join(dict.fromkeys(names))}."
            )
    return found


def _rational(value: Number, what: str) -> Fraction:
    number = exact_number(value, what)
    if not isinstance(number, Rational):
        raise InvalidValueError(f"{what} is {number}; it must be rational.")
    return Fraction(int(number.p), int(number.q))


def _exponent(name: str, value: Number) -> Fraction:
    exponent = _rational(value, f"prior[{name}]")
    if exponent <= -1:
        raise InvalidValueError(f"The prior |{name}|^({exponent}) is not integrable at 0; the exponent must exceed −1.")
    return exponent


def germ_to_json(germ: IdealGerm) -> dict[str, Any]:
    """A germ as it stands in certificates."""
    return {
        "variables": list(germ.names),
        "generators": [polynomial_to_json(generator) for generator in germ.generators],
        "prior": rationals_to_json(germ.prior),
        "nonnegative": list(germ.nonnegative),
        "field": None,
    }


def _node_to_json(node: Node) -> dict[str, Any]:
    return {
        "rule": node.rule,
        "germ": germ_to_json(node.germ),
        "lower": bound_to_json(node.lower),
        "upper": bound_to_json(node.upper),
        "data": dict(node.data()),
        "children": [_node_to_json(child) for child in node.children],
        **({"parameters": list(node.parameters)} if node.parameters else {}),
    }


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _numbered(node: Node, depth: int = 0) -> Iterator[tuple[int, Node]]:
    yield depth, node
    for child in node.children:
        # a single line of reasoning is not indented
        yield from _numbered(child, depth + (len(node.children) > 1))


def _interval(lower: Bound, upper: Bound, name: str) -> str:
    if lower == upper and lower.m is not None:
        return f"{name} = {_value(lower)}, m = {lower.m}" if not lower.is_infinite else f"{name} = ∞"
    if lower.value == upper.value:
        return (
            f"{name} = {_value(lower)}, with m "
            + (f"at least {upper.m}" if upper.m else "unknown")
            + (f" and at most {lower.m}" if lower.m else "")
        )
    return f"{_value(lower)} ≤ {name} ≤ {_value(upper)}"


def _value(bound: Bound) -> str:
    return "∞" if bound.is_infinite else str(bound.value)


def _latex(bound: Bound) -> str:
    if not isinstance(bound.value, Fraction):
        return r"\infty"
    return (
        str(bound.value)
        if bound.value.denominator == 1
        else rf"\tfrac{{{bound.value.numerator}}}{{{bound.value.denominator}}}"
    )
