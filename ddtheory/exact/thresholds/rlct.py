"""Learning coefficients: (λ, m) of a divergence or of an ideal at a point, exactly and over the reals, with a proof."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Rational, Symbol

from ddtheory.arguments import as_float, list_of
from ddtheory.errors import InvalidValueError, NotADivergenceError, UndecidedError, clipped, shown
from ddtheory.exact.numbers.given import Number, by_name, expression_of, names_of, whole_number
from ddtheory.exact.orders.divergence import DivergenceGerm, Names, exact_number
from ddtheory.exact.orders.nonnegative import refuse_negative
from ddtheory.exact.thresholds.analytic.at_point import germ_at_point
from ddtheory.exact.thresholds.analytic.evidence import Asked
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.expressions import (
    Polynomial,
    described,
    is_rational_polynomial,
    polynomial_of,
    squares_of,
)
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import constant_term, moved_to_origin, ring_of
from ddtheory.exact.thresholds.germs.real_fields import coefficients, in_powers
from ddtheory.exact.thresholds.irrational import over_field
from ddtheory.exact.thresholds.nodes import Node
from ddtheory.exact.thresholds.reading import Reading, read
from ddtheory.exact.thresholds.rules.general_bounds import general_bounds
from ddtheory.exact.thresholds.signs.arcs import negative_along
from ddtheory.exact.thresholds.signs.plane import BothSigns, negative_between_branches
from ddtheory.exact.thresholds.signs.points import negative_at, negative_point
from ddtheory.exact.thresholds.signs.reader import SignReader
from ddtheory.exact.thresholds.signs.valleys import negative_arc
from ddtheory.exact.thresholds.solver import Solver
from ddtheory.exact.thresholds.zero_families import family_of_zeros

_LARGEST = 5_000  # terms in all generators
_LONGEST_SEARCH = 3.0  # seconds for an arc along which K < 0; most are found in the first tenth, and there may be none
_OVERTIME = 0.6  # of a second, or of a tenth of the time, for the certificate and its check besides what is left
_SHARE_OF_READING = 0.5  # of the time that is left, when power series have to be cut off
_MANY = 12  # variables: rewriting functions in them takes long, and exact fields are tried first
_SHARE_OF_FIELD = 0.3  # of the time that is left, where that may lead to nothing
_SHARE_OF_SIGNS = 0.15  # of the time that is left, when K ≥ 0 has to be proven


def rlct(
    divergence: Expr | str | int | None = None,
    *others: Expr | str,
    generators: Iterable[Expr | str] | None = None,
    parameters: Iterable[Symbol | str] | Symbol | str = (),
    prior: Mapping[Any, Number] | None = None,
    at: Names | None = None,
    zeros: Mapping[Any, Expr | str] | None = None,
    nonnegative: Iterable[Symbol | str] = (),
    two_sided: bool = False,
    seconds: float = 20,
    depth: int = 60,
    most_terms: int = _LARGEST,
    progress: Callable[[IdealGerm], None] | None = None,
) -> Derivation:
    r"""The real log canonical threshold (λ, m) of K at a point, as a derivation; proven bounds when it does not close.

    λ is the smallest pole of z ↦ ∫ K^{−z} φ near the point and m its order, so that
    ∫ e^{−nK} φ ≍ n^{−λ} (log n)^{m−1}: a free energy of λ log n − (m − 1) log log n nats. Always over the reals, always
    local. Constant factors of K do not matter.

    One expression is K; several are generators of its ideal, as on the command line.

    Args:
        divergence: K ≥ 0 with K = 0 at the point, an expression or a string that is analytic there: polynomials, the
            functions of the parser, denominators, roots, irrational coefficients. A sum of squares is read as such. A
            power series is cut off where it is proven that its tail changes no pair; otherwise there are bounds.
        others: further expressions; then all of them are generators.
        generators: instead of K, the generators f_i of its ideal, K ≍ Σ f_i². Better than Σ f_i² when they are known.
        parameters: symbols that are no coordinates but constants: symbols with what is assumed of them, names, or texts
            such as "sigma:positive". So is every symbol that is declared non-zero, since a coordinate may be 0. The
            answer holds for all their values; where that is not proven, they are refused. Of "c:generic" (in sympy a
            symbol that is real and transcendental) it holds off the zeros of `Derivation.exceptions`.
        prior: exponents h > −1 of the prior ∏|x − x_0|^h, by variable; 0 for those not named.
        at: the point; 0 for the coordinates not named. Rational or real algebraic numbers: sqrt(2), cos(2*pi/7).
        zeros: common zeros of the generators that you know: coordinates as rational functions of new names, which give
            the point where these are 0; coordinates that are not named stay. Where the differentials of the generators
            have rank r and the zeros have dimension d − r, the pair is (r/2, 1); else they bound it.
        nonnegative: variables on whose positive side only the domain lies.
        two_sided: the expression is a function f with f = 0 at the point and any signs near it, and the pair is that of
            |f|: the volume of {|f| < ε} is of the order ε^λ (−log ε)^{m−1}. So f may be L − L(w) at a saddle w of L.
        seconds, depth: limits of the search. Reaching one gives bounds.
        most_terms: refuse polynomials with more terms than this.
        progress: called with every germ that the search comes to.

    Source: Watanabe 2009, Theorem 6.7; Lin 2011, Proposition 4.5 and Theorem 4.18; the rules carry
    theirs in `explain()`.

    Raises:
        InvalidValueError: K ≡ 0, a prior exponent ≤ −1, a name that does not occur, too many terms.
        UndecidedError: the pair may depend on the value of a parameter, or on a constant that is not told from 0.
        NotADivergenceError: K does not vanish at the point, or is negative near it; the message gives a direction.
        NotAnalyticError: an expression without a power series at the point, or one with irrational coefficients that
            no scale of the coordinates makes rational.

    >>> from sympy.abc import x, y
    >>> rlct(x**2 * y**4).rlct
    RLCT(lam=Fraction(1, 4), m=1)
    >>> rlct(generators=[x * y, x**3], prior={x: 1}).rlct                    # weights (1/3, 2/3): (2/3 + 2/3)/2
    RLCT(lam=Fraction(2, 3), m=1)
    >>> rlct(x * y, x**3).rlct, rlct("sigma^2*x^2", parameters=["sigma:positive"]).rlct
    (RLCT(lam=Fraction(1, 2), m=2), RLCT(lam=Fraction(1, 2), m=1))
    >>> rlct((x - y) ** 2).rlct, rlct(generators=["x + y^2", "z"]).rlct
    (RLCT(lam=Fraction(1, 2), m=1), RLCT(lam=Fraction(1, 1), m=1))
    >>> rlct(x**2 - y**4, two_sided=True).rlct                                                            # 1/2 + 1/4
    RLCT(lam=Fraction(3, 4), m=1)
    >>> rlct("log(cosh(x*y)) + z^2").rlct, rlct("sin(x) - tanh(y)", "exp(x*z) - 1").rlct
    (RLCT(lam=Fraction(1, 1), m=2), RLCT(lam=Fraction(1, 1), m=2))
    >>> from sympy import sqrt
    >>> rlct("x^2 - 2", "(x^2 - 2)*y^3 + y*z^2", at={"x": sqrt(2)}).rlct           # x' = x² − 2, and y z² beside it
    RLCT(lam=Fraction(3, 4), m=1)
    >>> conic = ["x^2 + y^2 - 1", "x^3 + x*y^2 - x"]
    >>> rlct(*conic, at={"x": 1}, zeros={"x": "(1 - t^2)/(1 + t^2)", "y": "2*t/(1 + t^2)"}).rlct
    RLCT(lam=Fraction(1, 2), m=1)
    """
    end = deadline = time.monotonic() + _positive(seconds)
    depth = whole_number(depth, "depth", advice="It is a limit.")
    most_terms = whole_number(most_terms, "most_terms")
    if progress is not None and not callable(progress):
        raise InvalidValueError(f"progress is {shown(progress)}; give a function of a germ, or leave it out.")
    if others and divergence is not None and generators is None:
        generators, divergence = [divergence, *others], None
    if (divergence is None) == (generators is None) or (others and divergence is not None):
        raise InvalidValueError("Give K, several generators, or generators=[…]: one of them, and not none.")
    if not isinstance(two_sided, bool):
        raise InvalidValueError(f"two_sided is {shown(two_sided)}; give True or False.")
    if two_sided and generators is not None:
        raise InvalidValueError("two_sided is about one function f that may change sign; Σ f² of generators is ≥ 0.")
    given_point = by_name({} if at is None else at, "at")
    point = {name: exact_number(value, f"at[{name}]") for name, value in given_point.items()}
    named = names_of(nonnegative, "nonnegative")
    if generators is not None:
        seen = _read_generators(generators, parameters, point, named)
    else:  # units in front do not matter for |f|, as they do not for a generator
        seen = read([divergence], "generators" if two_sided else "divergence", parameters, point, named)
    expressions = seen.expressions
    names = sorted({symbol.name for expression in expressions for symbol in expression.free_symbols})
    if not names:
        raise InvalidValueError(f"{expressions[0]} contains no variable, so there is no singularity to analyse.")
    _refuse_unknown(named, sorted({*names, *seen.symbols}), seen, "nonnegative")
    _refuse_unknown(point, names, seen, "at")
    sides = [name for name in named if name in names]
    given_weights = by_name({} if prior is None else prior, "prior")
    _refuse_unknown(given_weights, names, seen, "prior")
    weights = {name: _exponent(name, value) for name, value in given_weights.items()}
    for name in [*sides, *weights]:
        if point.get(name):
            raise InvalidValueError(
                f"The prior weight or the boundary of {name} is at {name} = 0; the point is at {name} = {point[name]}. "
                "Shift the variable, so that the point is the origin, or drop the weight: away from 0 it is a constant."
            )
    ring = ring_of(names)
    shape = (tuple(weights.get(name, Fraction(0)) for name in names), tuple(name in sides for name in names))
    free = frozenset(name for name in names if not weights.get(name) and name not in sides)
    given_zeros = by_name({} if zeros is None else zeros, "zeros")
    known = {name: expression_of(value, f"zeros[{name}]") for name, value in given_zeros.items()}
    _refuse_unknown(known, names, seen, "zeros")
    _refuse_old_names(known, {*names, *seen.symbols, *seen.parameters})
    rational = all(isinstance(value, Rational) for value in point.values())
    many = len(names) > _MANY and seen.kind == "generators" and not all(map(is_rational_polynomial, expressions))
    if known or not rational or many:
        kind = "two-sided" if two_sided else seen.kind
        limits = (_SHARE_OF_FIELD if rational and not known else 1) * (deadline - time.monotonic()), depth, progress
        try:
            found = _over_field(kind, seen, names, point, shape, known, limits, most_terms)
        except (UndecidedError, InvalidValueError):
            if known or not rational:
                raise
        else:
            if known or not rational or found.rlct:
                return replace(found, seconds=_left(end, seconds))
    place = tuple(_fraction(point.get(name, Rational(0))) for name in names)
    share = _SHARE_OF_READING * (deadline - time.monotonic())
    singular = frozenset(name for name, h in weights.items() if h < 0)
    analytic = germ_at_point(seen.kind, expressions, point, free, frozenset(sides), singular, share)
    expressions, kind = analytic.expressions, "two-sided" if two_sided else analytic.kind
    given = [polynomial_of(expression, ring, most_terms) for expression in expressions]
    moved = [moved_to_origin(f, place) for f in given]
    if sum(len(f) for f in moved) > most_terms:
        raise _too_long(sum(len(f) for f in moved), most_terms)
    _refuse_trivial(moved, kind, names, point)
    whole = IdealGerm(ring, tuple(moved), *shape, kind == "divergence")
    asked_germ = IdealGerm(ring, tuple(given), *shape, kind == "divergence")
    read_as = "" if seen.asked == expressions else described(seen.asked, given, kind, analytic.steps)
    if analytic.open:
        root = general_bounds(whole, analytic.open, lambda: time.monotonic() > deadline)
        left = _left(end, seconds)
        return Derivation(kind, asked_germ, place, root, read_as, seconds=left, exceptions=seen.exceptions)
    if kind == "divergence":
        _refuse_negative(whole)
        deadline -= _SHARE_OF_SIGNS * max(deadline - time.monotonic(), 0)
    as_written = squares_of(expressions[0]) if kind != "generators" else None
    terms = [
        (coefficient, moved_to_origin(polynomial_of(root, ring, most_terms), place))
        for coefficient, root in as_written or ()
    ]
    root = Solver(deadline - time.monotonic(), depth, progress).derive(whole, terms)
    proven = kind == "divergence" and _is_nonnegative(root, place, end, analytic.steps)
    left = _left(end, seconds)
    asked = _asked("two-sided" if two_sided else "generators" if generators is not None else "divergence", seen, point)
    shown_as = asked if read_as else None
    found = Derivation(kind, asked_germ, place, root, read_as, proven, left, seen.exceptions, shown_as)
    if kind == "divergence" and not proven and found.refutation:
        raise NotADivergenceError(f"{found.refutation}. {_TWO_SIDED}")
    return found


def _asked(kind: str, seen: Reading, point: Mapping[str, Expr]) -> Asked | None:
    """What was asked, for the certificate to prove that the polynomials stand for it; nothing with parameters."""
    if seen.parameters:
        return None
    return Asked(kind, seen.asked, {Symbol(name, real=True): value for name, value in point.items() if value})


def _over_field(
    kind: str,
    seen: Reading,
    names: Sequence[str],
    point: Mapping[str, Expr],
    shape: tuple[tuple[Fraction, ...], tuple[bool, ...]],
    zeros: Mapping[str, Expr],
    limits: tuple[float, int, Callable[[IdealGerm], None] | None],
    most_terms: int,
) -> Derivation:
    """The derivation for polynomials over the field of their coefficients and of the point."""
    expressions = list(seen.expressions)
    if kind == "divergence":
        squares = squares_of(expressions[0])
        if squares is None:
            raise InvalidValueError(
                "K is no sum of squares as it stands. With zeros, or at a point with irrational coordinates, give the "
                "generators of its ideal: generators=[…]."
            )
        kind, expressions = "generators", [root for _, root in squares]
    found = over_field(expressions, names, point, shape, list(zeros.values()), most_terms)
    if sum(map(len, found.germ.generators)) > most_terms:
        raise _too_long(sum(map(len, found.germ.generators)), most_terms)
    _refuse_trivial(found.germ.generators, kind, names, point)
    family = family_of_zeros(found.given, found.germ, zeros, found.place, found.numbers.read)
    root = Solver(*limits).derive(found.germ, zeros=family)
    read_as = "" if list(seen.asked) == expressions else described(seen.asked, found.given.generators, kind, ())
    return Derivation(kind, found.given, found.place, root, read_as, exceptions=seen.exceptions)


def _too_long(count: int, most_terms: int) -> InvalidValueError:
    return InvalidValueError(
        f"The expressions have {count} terms, more than most_terms = {most_terms}. Raise the limit if you can wait, or "
        "give generators instead of an expanded K."
    )


def _left(end: float, seconds: float) -> float:
    return max(end - time.monotonic(), 0) + _OVERTIME * max(1, seconds / 10)


_FEW = "x*y, x^3"
_TWO_SIDED = "For the pair of {|f| < ε} where f changes sign, ask with two_sided=True (--two-sided)."


def _read_generators(generators: object, parameters: object, point: Mapping[str, Expr], sides: list[str]) -> Reading:
    if isinstance(generators, str | Expr):
        raise InvalidValueError(f"generators is one expression; give a list of them, as in generators=[{_FEW}].")
    listed = list_of(generators, "generators")
    if not listed:
        raise InvalidValueError("generators is empty; K ≡ 0 has no learning coefficient.")
    return read(listed, "generators", parameters, point, sides)


def _refuse_trivial(moved: Sequence[Polynomial], kind: str, names: Sequence[str], point: Mapping[str, Expr]) -> None:
    if not any(moved):
        raise InvalidValueError("K ≡ 0: the zero set is the whole space, and there is no learning coefficient.")
    values = [constant_term(f) for f in moved]
    if any(values):
        where = ", ".join(f"{name} = {point.get(name, 0)}" for name in names)
        what = {"divergence": "K", "two-sided": "f"}.get(kind, "A generator")
        raise NotADivergenceError(
            f"{what} is {in_powers(coefficients(next(v for v in values if v)))} at {where}, not 0. "
            + ("The true parameter is a zero of K; check" if kind != "two-sided" else "Check")
            + " the point (at=…) or subtract the value there."
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
        try:
            refuse_negative(DivergenceGerm(expression, tuple(symbols), frozenset()))
        except NotADivergenceError as error:
            raise NotADivergenceError(f"{error} {_TWO_SIDED}") from None


def _positive(seconds: float) -> float:
    limit = as_float(seconds, "The limit of seconds")
    if not 0 < limit < math.inf:
        raise InvalidValueError(f"The limits must be positive; got seconds={shown(seconds)}.")
    return limit


def _is_nonnegative(root: Node, place: Sequence[Fraction], end: float, steps: Sequence[str]) -> bool:
    """Whether the steps of the derivation prove K ≥ 0; raises where an arc refutes it.

    Args:
        steps: how a polynomial came to stand for K; none when it is K.
    """
    half = (time.monotonic() + end) / 2
    here = " Here K is the polynomial that stands for the expression: " + " ".join(steps) if steps else ""
    try:
        found = SignReader(lambda: time.monotonic() > half).read(root)
    except BothSigns as both:
        raise NotADivergenceError(f"{negative_between_branches(root.germ, both, place)}{here} {_TWO_SIDED}") from None
    arc = found.arcs.get(-1)
    if arc is None and not found.complete:
        arc = negative_arc(root.germ, _patience(end))
    if arc is not None:
        raise NotADivergenceError(f"{negative_along(root.germ, arc, place)}{here} {_TWO_SIDED}")
    if not found.complete:
        point = negative_point(root.germ, _patience(end))
        if point is not None:
            raise NotADivergenceError(f"{negative_at(root.germ, point, place)}{here} {_TWO_SIDED}")
    return found.complete


def _patience(end: float) -> Callable[[], bool]:
    """Whether a search has taken its time."""
    limit = min(end, time.monotonic() + _LONGEST_SEARCH)
    return lambda: time.monotonic() > limit


def _refuse_unknown(values: Iterable[str], names: Sequence[str], seen: Reading, what: str) -> None:
    for name in values:
        if name in seen.parameters:
            raise InvalidValueError(f"{what} names {name}, which is a parameter and no coordinate.")
        if name not in names:
            raise InvalidValueError(f"{what} names {name}, which does not occur. The variables: {', '.join(names)}.")


def _refuse_old_names(zeros: Mapping[str, Expr], taken: set[str]) -> None:
    """The zeros are functions of names of their own: a coordinate in them would be read as another variable."""
    names = sorted(symbol.name for symbol in set[Symbol]().union(*[value.free_symbols for value in zeros.values()]))
    if zeros and not names:
        told = ", ".join(f"{name} = {value}" for name, value in zeros.items())
        raise InvalidValueError(
            f"zeros names no parameter: it says {clipped(told)}. Give the coordinates that move as expressions in new "
            'names, as in {"x": "t"}; those that are not named stay.'
        )
    for name, following in itertools.zip_longest(names, names[1:]):
        if name in taken:
            raise InvalidValueError(
                f"zeros writes {clipped(name)} into an expression, which is a name of the germ already. Use a new name "
                'for what moves, as in {"x": "t^2", "y": "t"}.'
            )
        if name == following:
            raise InvalidValueError(f"zeros contains two symbols named {clipped(name)} with different assumptions.")


def _fraction(number: Expr) -> Fraction:
    return Fraction(int(number.p), int(number.q))


def _exponent(name: str, value: Number) -> Fraction:
    number = exact_number(value, f"prior[{name}]")
    if not isinstance(number, Rational):
        raise InvalidValueError(f"prior[{name}] is {number}; it must be rational.")
    exponent = _fraction(number)
    if exponent <= -1:
        raise InvalidValueError(f"The prior |{name}|^({exponent}) is not integrable at 0; the exponent must exceed −1.")
    return exponent
