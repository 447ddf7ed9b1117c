"""A statistical model with its truth: from the formula to generators, the pair, orders, and the torch face."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, Integer, Matrix, Symbol

from ddtheory.errors import InvalidValueError, NotADivergenceError, UndecidedError
from ddtheory.exact.numbers.given import by_name, names_of
from ddtheory.exact.numbers.zero import is_zero
from ddtheory.exact.orders.ray import kl_order
from ddtheory.exact.thresholds.reading import declared
from ddtheory.extras import need
from ddtheory.models.coefficients import coefficients
from ddtheory.models.generators import Generators
from ddtheory.models.inputs import Inputs
from ddtheory.models.laws.law import Comparison, Law
from ddtheory.models.laws.noise import Noise
from ddtheory.models.pair import ModelPair, bounded_pair, complete_pair
from ddtheory.models.reading import at_point, number, refuse_unknown_names, said
from ddtheory.shown import Shown, counted, in_words, shortened
from ddtheory.values import KLOrder

if TYPE_CHECKING:
    from ddtheory.exact.finite_n.germs import FiniteNGerm
    from ddtheory.exact.strata.table import Strata
    from ddtheory.measure import Problem

_DEGREE = 6  # of coefficients in the inputs that are listed where they are not known to generate
_WIDEST = 120


@dataclass(frozen=True, repr=False)
class Model(Shown):
    """A model of a label y given inputs x, with parameters w, and the true law. Made by `regression` and its kin.

    Attributes:
        law: of y given the outputs.
        outputs: functions of inputs and parameters.
        truth: the true outputs, functions of the inputs.
        inputs: what is known of them.
        parameters: in alphabetical order.
        point: the true parameter that is meant where none is named.
    """

    law: Law
    outputs: tuple[Expr, ...]
    truth: tuple[Expr, ...]
    inputs: Inputs
    parameters: tuple[Symbol, ...]
    point: Mapping[Symbol, Expr]

    def generators(self, at: Mapping[Any, Any] | None = None) -> Generators:
        """Functions f of the parameters with K ≍ Σ f² near a true parameter, and the proof.

        Args:
            at: a true parameter, by name; 0 for parameters that are not named. Missing: the one that the model was made
                with, or 0.

        Raises:
            InvalidValueError: the model does not have the true law there; the message says by how much.
            NotAnalyticError: an output has no power series in a generic input at 0.
        """
        return self._generators(self._true_point(at), _DEGREE)

    def rlct(
        self,
        at: Mapping[Any, Any] | None = None,
        *,
        prior: Mapping[Any, Any] | None = None,
        nonnegative: Iterable[Any] | str = (),
        constants: Iterable[Any] | Symbol | str = (),
        seconds: float = 20,
    ) -> ModelPair:
        """(λ, m) of K at a true parameter, with the way from the model to it; proven bounds where it does not close.

        Args:
            at: as in `generators`.
            prior, nonnegative: as in `ddtheory.rlct`: exponents of the prior ∏|w|^h, and parameters that are ≥ 0.
            constants: names of the model that are fixed and unknown, as `parameters` of `ddtheory.rlct` has them:
                "c:positive" for all positive c, "c:generic" for all c off the zeros of `derivation.exceptions`.
            seconds: limit of the search.

        Raises:
            InvalidValueError: as in `generators`, or as `ddtheory.rlct` raises.
            UndecidedError: the pair may depend on the value of a constant.
            NotADivergenceError: a probability is negative near the point; the domain has a boundary that is not named.
        """
        held = declared(constants)
        refuse_unknown_names([*held], self.parameters, "constants")
        moving = tuple(w for w in self.parameters if w.name not in held)
        place = self._true_point(at, moving)
        found = self._generators(place, _DEGREE)
        weights = by_name({} if prior is None else prior, "prior")
        sides = names_of(nonnegative, "nonnegative")
        refuse_unknown_names([*weights], moving, "prior")
        refuse_unknown_names(sides, moving, "nonnegative")
        options = {"prior": weights, "nonnegative": sides, "parameters": [*held.values()]}
        named = {symbol.name: value for symbol, value in place.items()}
        if not found.expressions and not found.linear and found.complete:
            raise InvalidValueError(
                "K ≡ 0: the model has the true law for all parameters, and there is no learning coefficient."
            )
        if not found.complete:
            functions = [f for comparison in self._comparisons() for f in comparison.squares]
            return bounded_pair(
                lambda degree: self._generators(place, degree), functions, moving, named, seconds, **options
            )
        try:
            return complete_pair(found, named, seconds, **options)
        except NotADivergenceError as error:
            if not found.linear:
                raise
            raise NotADivergenceError(
                "A probability that is 0 at the truth may be negative near it. Name the parameters that are ≥ 0, as "
                f"in nonnegative=['w']. {error}"
            ) from None

    def strata(self, *, seconds: float = 60) -> Strata:
        """All true parameters, cut into strata with a pair each, and the pair of the whole.

        For models whose generators are known to be all, and are polynomials in up to six parameters; see
        `ddtheory.exact.strata.of_zero_set`.

        Args:
            seconds: for all of it. Reaching it leaves bounds.

        Raises:
            UndecidedError: the generators are not known to be all, or the first cut is beyond what is computed.
            InvalidValueError: K is no sum of squares at a truth with a zero probability, K ≡ 0, or generators that are
                no polynomials with rational coefficients in up to six parameters.

        >>> from ddtheory import models
        >>> print(models.regression("a*b*x", inputs={"x": "generic"}, truth=0).strata().text())
        stratum       dimension  λ    m  status
        a = b = 0     0          1/2  2  exact
        a = 0, b ≠ 0  1          1/2  1  exact
        b = 0, a ≠ 0  1          1/2  1  exact
        on every compact domain that has 0 in its interior, with a positive prior: λ = 1/2, m = 2
        """
        from ddtheory.exact.strata.zero_sets import of_zero_set

        found = self._generators({}, _DEGREE)
        if not found.complete:
            raise UndecidedError(f"The zero set needs all generators. {found.open} Give points as inputs.")
        if found.linear:
            raise InvalidValueError(
                "An outcome has probability 0 at the truth, where K is no sum of squares: its zeros have a boundary, "
                "and they are not cut. Ask for the pair at one point, with rlct(at=…)."
            )
        return of_zero_set(*found.expressions, seconds=seconds)

    def divergence(self, at: Mapping[Any, Any] | None = None) -> Expr:
        """K in nats as an expression in the parameters.

        Args:
            at: a true parameter; K itself is the same at all of them, and only the check of the point is about it.

        Raises:
            InvalidValueError: inputs that are generic: K depends on their law.
        """
        self._true_point(at)
        if self.inputs.generic:
            raise InvalidValueError(
                "K depends on the law of the inputs, of which generic says its kind only. Give points or moments; "
                "generators() and rlct() need no more."
            )
        found = Integer(0)
        for weight, (outputs, truth) in zip(self.inputs.weights, self._at_inputs(), strict=True):
            found += weight * self.law.divergence(outputs, truth)
        return _expectation(found, self.inputs.moments) if self.inputs.moments else found

    def order(self, along: Mapping[Any, Any], at: Mapping[Any, Any] | None = None, *, arc: bool = True) -> KLOrder:
        """The order of K along a direction out of a true parameter, as `ddtheory.kl_order` has it.

        For generic inputs the order is that of Σ f² of the generators, and there is no leading coefficient.

        Raises:
            UndecidedError: the generators are not known to be complete.
        """
        place = self._true_point(at)
        refuse_unknown_names([*by_name(along, "along")], self.parameters, "along")
        named = {symbol.name: value for symbol, value in place.items()}
        if not self.inputs.generic:
            return self._order(self.divergence(at), along, named, arc)
        found = self._generators(place, _DEGREE)
        if not found.complete:
            raise UndecidedError(f"The order needs all generators. {found.open} Give points as inputs.")
        order = self._order(sympy.Add(*[f**2 for f in found.expressions]), along, named, arc)
        return replace(order, leading=None)

    def _order(self, expression: Expr, along: Mapping[Any, Any], at: Mapping[str, Expr], arc: bool) -> KLOrder:
        there = {Symbol(name, real=True): Symbol(name, real=True) + step for name, step in at.items()}
        moved = expression.subs(there, simultaneous=True)
        flat = [Symbol(name, real=True) for name in by_name(along, "along")]
        missing = [symbol for symbol in flat if symbol not in moved.free_symbols]
        # a parameter that K does not contain moves nothing, and has to be named in K to be named in a direction
        return kl_order(moved + sympy.Add(*[sympy.Mul(0, x, evaluate=False) for x in missing]), along, arc=arc)

    def finite_n(self, n_beta: Any, at: Mapping[Any, Any] | None = None, **options: Any) -> FiniteNGerm:
        """Z(nβ), F(nβ) and λ(nβ) around a true parameter, as proven enclosures, for up to three parameters.

        Args:
            n_beta, options: as in `ddtheory.finite_n_germ`: the box, the prior, digits, seconds. The parameters are
                counted from the point.

        Raises:
            InvalidValueError: K is not known, see `divergence`, or has more than three parameters.
        """
        from ddtheory.exact.finite_n.germs import finite_n_germ

        place = self._true_point(at)
        there = {symbol: symbol + step for symbol, step in place.items()}
        return finite_n_germ(self.divergence(at).subs(there, simultaneous=True), n_beta, **options)

    def problem(self, at: Mapping[Any, Any] | None = None, *, seed: int = 0) -> Problem:
        """The torch face: the outputs as they were given, computed by torch, with the head of the law, in float64.

        Nothing of the derivation enters. Parameters have shape (1,); inputs are one column each, in the order of
        `inputs.symbols`, at the points with their weights; generic inputs are drawn from [−1, 1], 64 for each point.

        Raises:
            InvalidValueError: inputs of which moments are known only, or a truth with probability 0.
            MissingExtraError: torch is not installed.
        """
        need("torch", "The torch face of a model")
        from ddtheory.models.torch_face import problem

        place = self._true_point(at)
        if any(comparison.linear for comparison in self._comparisons()):
            raise InvalidValueError(
                "An outcome has probability 0 at the truth, where the logarithm of the model is not finite. Measure at "
                "another true parameter, or from a point beside it."
            )
        return problem(self.law, self.outputs, self.inputs, place, seed)

    def _true_point(self, at: Mapping[Any, Any] | None, moving: Sequence[Symbol] | None = None) -> dict[Symbol, Expr]:
        """The point, of the parameters that are no constants."""
        coordinates = self.parameters if moving is None else moving
        if at is None:
            found = {w: self.point[w] for w in coordinates}
        else:
            named = by_name(at, "at")
            refuse_unknown_names([*named], coordinates, "at")
            found = {w: number(named.get(w.name, 0), f"at[{w.name}]") for w in coordinates}
        self._refuse_other_law(found)
        return found

    def _refuse_other_law(self, point: Mapping[Symbol, Expr]) -> None:
        for values, (outputs, truth) in zip(self.inputs.points, self._at_inputs(), strict=True):
            for index, (output, own) in enumerate(zip(outputs, truth, strict=True), 1):
                gap = output.subs(point, simultaneous=True) - own
                if gap.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
                    raise InvalidValueError(f"Output {index} has no finite value at {at_point(point)}.")
                if not _vanishes(gap):
                    from ddtheory.models.gap import advice

                    steps = [f - own for f, own in zip(self.outputs, self.truth, strict=True)]
                    where = f" for {at_point(values)}" if values else ""
                    raise InvalidValueError(
                        f"The model does not have the true law at {at_point(point)}: output {index} misses it by "
                        f"{said(sympy.simplify(gap))}{where}. {advice(steps, self.inputs, self.parameters)}"
                    )

    def _at_inputs(self) -> list[tuple[list[Expr], list[Expr]]]:
        """Outputs and true outputs at each point."""
        return [
            ([f.subs(values) for f in self.outputs], [f.subs(values) for f in self.truth])
            for values in self.inputs.points
        ]

    def _comparisons(self) -> list[Comparison]:
        if (self.inputs.moments or self.inputs.generic) and not self.law.uniform:
            own = set(self.inputs.moments) | set(self.inputs.generic)
            if any(f.free_symbols & own for f in self.truth):
                raise InvalidValueError(
                    f"In a {self.law.name} model the constants of K ≍ Σ f² depend on the true outputs, and these on "
                    "inputs that are not known point by point. Give points."
                )
        if self.inputs.moments and not isinstance(self.law, Noise):
            raise InvalidValueError(
                f"Moments of the inputs suffice for regression; the divergence of a {self.law.name} model is no "
                "quadratic function of the outputs. Give points, or call the inputs generic."
            )
        found = [self.law.compare(outputs, truth) for outputs, truth in self._at_inputs()]
        if self.inputs.generic and any(comparison.linear for comparison in found):
            raise InvalidValueError(
                "An outcome has probability 0 at the truth, and K is no sum of squares. For that the inputs must be "
                "given point by point."
            )
        return found

    def _generators(self, place: Mapping[Symbol, Expr], degree: int) -> Generators:
        comparisons = self._comparisons()
        proof = list(dict.fromkeys(comparison.says for comparison in comparisons))
        squares = [f for comparison in comparisons for f in comparison.squares]
        linear = [g for comparison in comparisons for g in comparison.linear]
        open_ = ""
        if len(self.inputs.points) > 1:
            proof.append("Every point has a positive weight: the f of all points together.")
        if self.inputs.moments:
            squares = [row for f in squares for row in _rows_of_moments(f, self.inputs.moments)]
            proof.append("E (Σ c_α x^α)² = cᵀMc ≍ ‖Mc‖² with the matrix M of moments, which is positive semidefinite.")
        if self.inputs.generic:
            proof.append(
                "A generic law sees every coefficient of a function of the inputs: E D² ≍ Σ f² for any finite set of "
                "generators of the ideal of the coefficients (the law charges no proper analytic subset, on a compact "
                "connected set around 0 where D is analytic)."
            )
            found = [coefficients(f, self.inputs.generic, degree) for f in squares]
            squares = [f for entry in found for f in entry.expressions]
            proof += dict.fromkeys(entry.says for entry in found)
            open_ = next((entry.open for entry in found if entry.open), "")
        kept = list(dict.fromkeys(f for f in map(_tidy, squares) if f != 0))
        return Generators(tuple(kept), tuple(dict.fromkeys(linear)), tuple(proof), open_)

    def __str__(self) -> str:
        outputs = ", ".join(map(str, self.outputs))
        given = f" of {', '.join(map(str, self.inputs.symbols))}" if self.inputs.symbols else ""
        own = f" in {shortened(', '.join(map(str, self.parameters)), _WIDEST)}" if self.parameters else ""
        return f"{self.law.name}{given}{own}: {outputs}"

    def latex(self) -> str:
        text = ", ".join(sympy.latex(f) for f in self.outputs)
        return text if len(text) <= _WIDEST else in_words(shortened(str(self), _WIDEST))

    def rows(self) -> Mapping[str, str]:
        return {
            "kind": self.law.name,
            "outputs": shortened(", ".join(map(str, self.outputs)), _WIDEST),
            "truth": shortened(", ".join(map(str, self.truth)), _WIDEST),
            "inputs": self._inputs_in_words(),
            "parameters": shortened(", ".join(map(str, self.parameters)), _WIDEST),
        }

    def _inputs_in_words(self) -> str:
        parts = [counted(len(self.inputs.points), "point")] if self.inputs.points[0] else []
        parts += [f"moments of {x}" for x in self.inputs.moments]
        parts += [f"{x} generic" for x in self.inputs.generic]
        return ", ".join(parts) or "none"


def _vanishes(gap: Expr) -> bool:
    try:
        return is_zero(gap) or is_zero(sympy.simplify(gap))
    except UndecidedError:
        return bool(sympy.simplify(gap) == 0)


def _tidy(f: Expr) -> Expr:
    """0 where it is seen to be 0, else as it is."""
    return Integer(0) if f == 0 or sympy.expand(f) == 0 else f


def _polynomial_in(f: Expr, inputs: Sequence[Symbol]) -> Any:
    whole = sympy.expand(f)
    if not whole.is_polynomial(*inputs):
        raise InvalidValueError(
            f"{said(f)} is no polynomial in {', '.join(map(str, inputs))}, of which moments are given. Give points, or "
            'call the inputs "generic".'
        )
    return sympy.Poly(whole, *inputs)


def _moment(powers: Sequence[int], moments: Mapping[Symbol, tuple[Expr, ...]]) -> Expr:
    for power, (x, known) in zip(powers, moments.items(), strict=True):
        if power >= len(known):
            raise InvalidValueError(f"The moment E {x}^{power} is needed; moments are given up to {len(known) - 1}.")
    return sympy.Mul(*[known[power] for power, known in zip(powers, moments.values(), strict=True)])


def _rows_of_moments(f: Expr, moments: Mapping[Symbol, tuple[Expr, ...]]) -> list[Expr]:
    """Rows of Mc, up to an invertible matrix, for f = Σ c_α x^α and the matrix M of the moments E x^{α+β}."""
    terms = _polynomial_in(f, list(moments)).terms()
    matrix = Matrix(
        [[_moment([a + b for a, b in zip(one, two, strict=True)], moments) for two, _ in terms] for one, _ in terms]
    )
    reduced, pivots = matrix.rref()
    column = Matrix([c for _, c in terms])
    return list(reduced[: len(pivots), :] * column)


def _expectation(f: Expr, moments: Mapping[Symbol, tuple[Expr, ...]]) -> Expr:
    terms = _polynomial_in(f, list(moments)).terms()
    return sympy.Add(*[c * _moment(powers, moments) for powers, c in terms])
